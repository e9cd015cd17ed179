// The interceptions: a live table in which nothing moves under the reader, filters that stand in the
// address, groups of alike, and the drawer.
import * as api from './api.js';
import { note } from './address.js';
import { fill, h, say } from './dom.js';
import { drawer } from './drawer.js';
import { address_of, filter_form, filters_of, query_of } from './filters.js';
import { group_list } from './groups.js';
import { act, empty_box, error_box, if_may, loading_box, toast } from './parts.js';
import { choose_columns, chosen_columns, column_title, columns } from './rows.js';
import { named, t } from './words.js';

const poll_ms = 4000;
const page_size = 60;

class LogTable {
  constructor(ctx) {
    Object.assign(this, { ctx, rows: [], waiting: [], older: null, newest: null, at: null });
    this.body = h('tbody');
    this.box = h('div');
    this.news = h('button.news', { type: 'button', hidden: true, onclick: () => this.take_news() });
    this.more = h('button', { type: 'button', hidden: true, onclick: () => this.load_older() }, t('older'));
    this.end = h('p.more', this.more);
  }

  async read(query) {
    this.query = query;
    fill(this.box, loading_box());
    this.news.hidden = true;
    const { signal } = this.ctx;
    this.reading?.abort();
    this.reading = new AbortController();
    const own = AbortSignal.any([signal, this.reading.signal]);
    clearTimeout(this.timer);
    try {
      const answer = await api.get('log', { ...query, limit: page_size }, own);
      if (own.aborted) return;
      Object.assign(this, { rows: answer.rows, waiting: [], older: answer.older, newest: answer.newest_seq });
      this.draw(answer.complete);
      this.timer = setTimeout(() => this.poll(own), poll_ms);
      signal.addEventListener('abort', () => clearTimeout(this.timer), { once: true });
    } catch (e) {
      if (e.name !== 'AbortError') fill(this.box, error_box(e, () => this.read(query)));
    }
  }

  draw(complete) {
    const shown = chosen_columns();
    this.body = h('tbody', this.rows.map((r) => this.line(r, shown)));
    this.more.hidden = !this.older;
    if (this.rows.length === 0 && complete !== false) return fill(this.box, this.news, empty_box(t('no_interceptions')));
    fill(this.box, this.news,
      h('div.table-box', h('table.log', h('caption.unseen', t('page_log')), h('thead', h('tr', shown.map((c) => h('th', { scope: 'col', class: columns[c].class }, column_title(c))))), this.body)),
      complete === false ? h('p.soft', t('incomplete')) : null, this.end);
    if (this.older) this.watch_end();
    return undefined;
  }

  line(row, shown = chosen_columns()) {
    const id = row.request_id;
    const tr = h('tr', {
      'data-id': id, class: row.purpose === 'regulator-observe' ? 'observed' : '',
      onclick: (e) => { if (!e.target.closest('a, button') && !getSelection().toString()) this.ctx.open(id); },
    }, shown.map((c, i) => h('td', { class: columns[c].class, 'data-title': column_title(c) },
      i === 0 ? h('button.link', { type: 'button', class: 'opens', 'aria-label': `${t('open')} ${columns[c].cell(row).textContent ?? ''} ${named('action', row.action)} ${row.risk ?? ''}`, onclick: () => this.ctx.open(id) }, columns[c].cell(row)) : columns[c].cell(row))));
    return tr;
  }

  // New rows are counted, not shown: the reader says when.
  async poll(own) {
    if (own.aborted) return;
    try {
      if (!document.hidden && this.newest !== null) {
        const { since, ...query } = this.query;
        const answer = await api.get('log', { ...query, after: this.newest, limit: 500 }, own);
        const known = new Set(this.rows.map((r) => r.request_id));
        const fresh = answer.rows.filter((r) => !known.has(r.request_id));
        if (answer.newest_seq) this.newest = answer.newest_seq;
        if (fresh.length) {
          const again = new Set(fresh.map((r) => r.request_id));
          this.waiting = [...fresh, ...this.waiting.filter((r) => !again.has(r.request_id))];
          fill(this.news, t('new_rows', { n: this.waiting.length }));
          if (this.news.hidden) say(t('new_rows', { n: this.waiting.length }));
          this.news.hidden = false;
        }
      }
    } catch (e) {
      if (e.name === 'AbortError') return;
    }
    this.timer = setTimeout(() => this.poll(own), poll_ms);
  }

  take_news() {
    this.rows = [...this.waiting, ...this.rows];
    this.waiting = [];
    this.news.hidden = true;
    this.draw(true);
    this.mark();
    scrollTo({ top: 0 });
    this.body.querySelector('button')?.focus({ preventScroll: true });
  }

  async load_older() {
    if (!this.older || this.loading) return;
    this.loading = true;
    const came = await act(this.more, async () => {
      const answer = await api.get('log', { ...this.query, limit: page_size, before: this.older }, this.ctx.signal);
      this.rows.push(...answer.rows);
      const shown = chosen_columns();
      this.body.append(...answer.rows.map((r) => this.line(r, shown)));
      this.older = answer.older;
      this.more.hidden = !this.older;
      return answer.rows.length;
    });
    this.loading = false;
    // Who scrolled on before the browser looked is still at the end: nothing changed that it would tell.
    // Where nothing came, it is for the reader to say whether to look on.
    if (came && this.older) {
      this.eye?.unobserve(this.end);
      this.eye?.observe(this.end);
    }
  }

  // Older rows come when their end comes into sight; the button is there for keyboards.
  watch_end() {
    this.eye?.disconnect();
    this.eye = new IntersectionObserver((seen) => { if (seen[0].isIntersecting) this.load_older(); }, { rootMargin: '300px' });
    this.eye.observe(this.end);
    this.ctx.signal.addEventListener('abort', () => this.eye.disconnect(), { once: true });
  }

  ids() { return this.rows.map((r) => r.request_id); }

  mark(id = this.at) {
    this.at = id;
    for (const tr of this.body.children) tr.classList.toggle('chosen', tr.dataset.id === id);
    this.body.querySelector('.chosen')?.scrollIntoView({ block: 'nearest' });
  }

  judged(ids, verdict) {
    for (const row of this.rows) if (ids.includes(row.request_id)) {
      row.review = verdict;
      const old = [...this.body.children].find((tr) => tr.dataset.id === row.request_id);
      const tr = this.line(row);
      tr.className = old.className;
      old.replaceWith(tr);
    }
  }
}

export function export_links(query) {
  return ['csv', 'xlsx', 'jsonl'].map((format) => h('a.button', { href: `/api/log/export${api.query({ ...query, format })}`, download: '' }, format.toUpperCase()));
}

export async function show(box, { params, signal, keys }) {
  let f = filters_of(params);
  let grouped = params.get('group') === '1';
  let open_id = params.get('open');
  let tab = params.get('tab') ?? 'overview';
  let group_ids = null; // the drawer walks a group instead of the table
  const controls = h('div');
  const content = h('div');
  const tools = h('div.row');
  const pane = drawer({
    signal, tab,
    ontab: (id) => { tab = id; address(); },
    onclose: () => { open_id = null; group_ids = null; address(true); list.mark(null); list.body.querySelector(`[data-id="${CSS.escape(list.last ?? '')}"] button`)?.focus(); },
    onstep: (n) => step(n),
    onjudged: (ids, verdict) => list.judged(ids, verdict),
    onopen: (id) => open(id),
  });
  const list = new LogTable({ signal, open: (id) => { group_ids = null; open(id); } });
  const address = (as_step) => note('log', { ...address_of(f), group: grouped, open: open_id, tab: open_id && tab !== 'overview' ? tab : null }, as_step);

  function open(id, quiet) {
    const as_step = !open_id;
    open_id = id;
    list.last = id;
    if (!quiet) address(as_step);
    list.mark(id);
    return pane.show(id);
  }

  function step(n) {
    const ids = group_ids ?? list.ids();
    if (!ids.length) return;
    const at = ids.indexOf(open_id ?? list.at);
    const next = at < 0 ? 0 : at + n;
    if (next >= ids.length && !group_ids) list.load_older();
    if (next < 0 || next >= ids.length) return toast(t(n > 0 ? 'last_one' : 'first_one'));
    if (open_id) return open(ids[next]);
    list.mark(ids[next]);
    return list.body.querySelector('.chosen button')?.focus({ preventScroll: true });
  }

  function changed(part) {
    f = { ...f, ...part };
    if (f.t === 'own' && !f.since) f.since = String(Date.now() * 1000 - 86400e6);
    address(true);
    draw();
  }

  function draw() {
    const typing = document.activeElement?.id;
    fill(controls, filter_form(f, changed));
    if (typing?.startsWith('by-')) document.getElementById(typing)?.focus();
    fill(tools,
      h('div.segments', { role: 'group', 'aria-label': t('view') },
        h('button', { type: 'button', 'aria-pressed': String(!grouped), onclick: () => regroup(false) }, t('single')),
        h('button', { type: 'button', 'aria-pressed': String(grouped), onclick: () => regroup(true) }, t('grouped'))),
      grouped ? null : h('button', { type: 'button', onclick: () => choose_columns(() => { list.draw(); list.mark(); }) }, t('columns')),
      if_may('export', () => h('details.menu', h('summary.button', t('export')), h('div', export_links(query_of(f))))));
    if (grouped) {
      list.reading?.abort();
      return fill(content, group_list({ query: query_of(f), signal, keys, open: (id, ids) => { group_ids = ids; open(id); } }));
    }
    fill(content, list.box);
    return list.read(query_of(f));
  }

  function regroup(yes) {
    grouped = yes;
    address(true);
    draw();
  }

  Object.assign(keys, {
    j: { say: 'key_next', run: () => step(1) },
    k: { say: 'key_previous', run: () => step(-1) },
    Enter: { say: 'key_open', run: () => (list.at && !open_id ? open(list.at) : false) },
    n: { say: 'key_news', run: () => (list.news.hidden ? false : list.take_news()) },
  });
  // "Back" within the page: the frame draws anew only on hashchange, which pushState does not cause.
  fill(box, h('div.head', h('h1', t('page_log')), tools), controls, content, pane.box);
  pane.bind();
  const first = draw();
  if (open_id) open(open_id, true);
  await first;
  list.mark(open_id);
}
