// The reviewer's day: what is to be judged, by single keys; sampling, assignment, sign-off, summary.
import * as api from './api.js';
import { link, note } from './address.js';
import { fill, h } from './dom.js';
import { drawer } from './drawer.js';
import { day, day_before, from_local, number, percent, time, to_local } from './format.js';
import { group_list } from './groups.js';
import { action_badge, ask_form, badge, empty_box, error_box, if_may, load, loading_box, table, toast, verdict_badge } from './parts.js';
import { may, person } from './person.js';
import { excerpt } from './rows.js';
import { risk_name } from './overview.js';
import { named, t } from './words.js';

const page_size = 100;

// Why it is in the queue; that it was intercepted goes without saying.
const whys = (why) => [why ?? []].flat().filter((w) => !['interception', 'policy', 'assigned'].includes(w));

function sample_form(again) {
  const now = Date.now() * 1000;
  ask_form(t('sample'), [
    { name: 'since', label: t('since'), kind: 'datetime-local', value: to_local(now - 86400e6), need: true },
    { name: 'until', label: t('until'), kind: 'datetime-local', value: to_local(now), need: true },
    { name: 'percent', label: t('sample_percent'), kind: 'number', value: 5, min: 1, need: true },
    { name: 'actions', label: t('action'), kind: 'choice', choices: [['', t('any')], ...['flag', 'mask', 'answer', 'block', 'allow'].map((a) => [a, named('action', a)])] },
  ], t('sample_now'), async (v) => {
    const { added } = await api.post('reviews/sample', { since: from_local(v.since), until: from_local(v.until), percent: v.percent, actions: v.actions ? [v.actions] : [] });
    toast(t('sampled', { n: added }));
    again();
  }, { note: t('sample_note') });
}

const assign_form = (requests, again) => ask_form(t('assign'), [{ name: 'to', label: t('assign_to'), value: person().user.name, need: true, autofocus: true }], t('assign'), async ({ to }) => {
  await api.post('reviews/assign', { requests, to });
  toast(t('assigned', { n: requests.length, to }));
  again();
}, { note: t('assign_note', { n: requests.length }) });

// One by one: the list at the left, the exchange at the right; a verdict moves on to the next.
class Queue {
  constructor(ctx) {
    Object.assign(this, { ctx, rows: [], older: null, at: -1 });
    this.items = h('ol.queue', { 'aria-label': t('page_review') });
    this.counts = h('span.soft');
    this.pane = drawer({ signal: ctx.signal, tab: 'overview', onstep: (n) => this.choose(this.at + n), onjudged: (ids, v) => this.judged(ids, v), onopen: (id) => this.pane.show(id) }, true);
    this.picked = new Set();
    this.box = h('div.split', h('div.queue-side', this.items), this.pane.box);
  }

  async read() {
    fill(this.items, h('li', loading_box()));
    try {
      const answer = await api.get('reviews/queue', { mine: this.ctx.mine, limit: page_size }, this.ctx.signal);
      Object.assign(this, { rows: answer.rows, older: answer.older, at: -1 });
      this.count(answer);
      fill(this.items, this.rows.map((r, i) => this.item(r, i)));
      if (!this.rows.length) {
        fill(this.items, h('li', empty_box(t('queue_empty'))));
        this.pane.clear();
      } else {
        this.choose(0);
      }
    } catch (e) {
      if (e.name !== 'AbortError') fill(this.items, h('li', error_box(e, () => this.read())));
    }
  }

  count({ open, mine }) {
    Object.assign(this, { open, mine });
    fill(this.counts, t('queue_counts', { open: number(open ?? 0), mine: number(mine ?? 0) }));
  }

  item(row, i) {
    return h('li', { class: row.verdict ? 'done' : '' },
      h('input', { type: 'checkbox', 'aria-label': `${t('pick')} ${i + 1}`, checked: this.picked.has(row.request_id), onchange: (e) => (e.target.checked ? this.picked.add(row.request_id) : this.picked.delete(row.request_id)) }),
      h('button.item', { type: 'button', onclick: () => this.choose(i) },
        h('span.item-line', action_badge(row.action), h('span.mono', row.risk ?? ''), whys(row.why).map((w) => badge('info', named('why', w))), h('span.fill'),
          row.verdict ? badge('good', named('verdict', row.verdict)) : row.assigned ? h('span.soft', row.assigned) : h('span.soft', time(row.time).slice(0, 11))),
        excerpt(row)));
  }

  choose(n) {
    if (n >= this.rows.length && this.older) return this.load_more(n);
    if (n < 0 || n >= this.rows.length) return toast(t(n < 0 ? 'first_one' : 'last_one'));
    this.at = n;
    [...this.items.children].forEach((li, i) => {
      li.classList.toggle('chosen', i === n);
      const b = li.querySelector('.item');
      if (i === n) b?.setAttribute('aria-current', 'true');
      else b?.removeAttribute('aria-current');
    });
    this.items.children[n].scrollIntoView({ block: 'nearest' });
    return this.pane.show(this.rows[n].request_id);
  }

  async load_more(n) {
    try {
      const answer = await api.get('reviews/queue', { mine: this.ctx.mine, limit: page_size, before: this.older }, this.ctx.signal);
      this.older = answer.older;
      for (const row of answer.rows) {
        this.rows.push(row);
        this.items.append(this.item(row, this.rows.length - 1));
      }
      if (n < this.rows.length) this.choose(n);
      else toast(t('last_one'));
    } catch (e) {
      if (e.name !== 'AbortError') toast(t('failed'), true);
    }
  }

  judged(ids, verdict) {
    this.rows.forEach((row, i) => {
      if (!ids.includes(row.request_id)) return;
      if (!row.verdict) this.count({ open: Math.max(0, this.open - 1), mine: this.mine });
      row.verdict = verdict;
      const old = this.items.children[i];
      const li = this.item(row, i);
      li.className = `${li.className} ${old.classList.contains('chosen') ? 'chosen' : ''}`;
      old.replaceWith(li);
    });
  }
}

export async function show(box, { params, signal, keys }) {
  let view = params.get('view') === 'single' ? 'single' : 'groups';
  let mine = params.get('mine') === '1';
  const content = h('div');
  const tools = h('div.row');
  let queue = null;

  function choose(next, next_mine) {
    [view, mine] = [next, next_mine];
    note('review', { view: view === 'single' ? view : null, mine }, true);
    draw();
  }

  function draw() {
    for (const key of Object.keys(keys)) delete keys[key];
    const again = () => draw();
    const segment = (id) => h('button', { type: 'button', 'aria-pressed': String(view === id), onclick: () => choose(id, mine) }, t(id === 'single' ? 'single' : 'grouped'));
    fill(tools,
      h('div.segments', { role: 'group', 'aria-label': t('view') }, segment('groups'), segment('single')),
      view === 'single' ? h('label.tick', h('input', { type: 'checkbox', checked: mine, onchange: (e) => choose(view, e.target.checked) }), t('only_mine')) : null,
      view === 'single' ? h('button', { type: 'button', onclick: () => assign_form(queue.picked.size ? [...queue.picked] : queue.rows.slice(0, 50).map((r) => r.request_id), again) }, t('assign')) : null,
      h('button', { type: 'button', onclick: () => sample_form(again) }, t('sample')),
      h('a.button', { href: link('summary') }, t('page_summary')));
    if (view === 'groups') {
      const left = h('p.soft');
      let judged = 0;
      const pane = drawer({ signal, onstep: (n) => pane.step?.(n), onjudged: () => {}, onopen: (id) => pane.show(id) });
      const list = group_list({
        query: { review: 'open', since: Date.now() * 1000 - 30 * 86400e6 }, signal, keys,
        open: (id, ids) => {
          pane.step = (n) => { const next = ids[ids.indexOf(pane.id) + n]; if (next) pane.show(next); else toast(t(n > 0 ? 'last_one' : 'first_one')); };
          pane.show(id);
          pane.unbind ??= pane.bind();
        },
        onjudged: (group) => { judged += group.requests.length; fill(left, t('judged_here', { n: number(judged) })); },
      });
      return fill(content, h('p.soft', t('groups_hint')), left, list, pane.box);
    }
    queue = new Queue({ signal, mine });
    Object.assign(keys, {
      j: { say: 'key_next', run: () => queue.choose(queue.at + 1) },
      k: { say: 'key_previous', run: () => queue.choose(queue.at - 1) },
    });
    queue.pane.bind();
    fill(content, queue.counts, queue.box);
    return queue.read();
  }

  fill(box, h('div.head', h('h1', t('page_review')), tools), content);
  await draw();
}

function summary_of(s, again) {
  const judged = s.correct + s.false_positive;
  const tile = (title, value, detail) => h('div.tile', h('h3', title), h('b', value), h('span.soft', detail));
  const second = s.second ?? {};
  return [
    h('div.tiles',
      tile(t('interceptions'), number(s.interceptions), s.day),
      tile(t('reviewed'), number(s.reviewed), percent(s.reviewed, s.interceptions)),
      tile(t('false_positives'), percent(s.false_positive, judged), t('n_of_m', { n: number(s.false_positive), m: number(judged) })),
      tile(t('verdict.unsure'), number(s.unsure), ''),
      tile(t('open_reviews'), number(s.open), s.open ? t('still_open') : t('all_judged')),
      tile(t('second_review'), number((second.agreed ?? 0) + (second.differed ?? 0)), t('second_detail', { n: number(second.differed ?? 0) }))),
    h('div.columns',
      h('section.panel', h('h2', t('by_rule')), s.by_rule?.length ? table([
        { title: t('rule'), cell: (x) => h('a', { href: link('log', { rule: x.rule }) }, h('span.mono', x.rule)) },
        { title: t('count'), class: 'right', cell: (x) => number(x.count) },
        { title: t('false_positives'), class: 'right', cell: (x) => `${number(x.false_positive)} · ${percent(x.false_positive, x.count)}` },
      ], s.by_rule, { caption: t('by_rule') }) : empty_box(t('nothing_here'))),
      h('section.panel', h('h2', t('by_reviewer')), s.by_reviewer?.length ? table([
        { title: t('name'), cell: (x) => x.reviewer ?? x.who },
        { title: t('reviewed'), class: 'right', cell: (x) => number(x.reviewed ?? x.count) },
        { title: t('second_review'), class: 'right', cell: (x) => number(x.second ?? 0) },
      ], s.by_reviewer, { caption: t('by_reviewer') }) : empty_box(t('nothing_here')),
      s.differences?.length ? [h('h2', t('differences')), table([
        { title: t('request_id'), cell: (x) => h('a', { href: link('log', { t: 'ever', request_id: x.request_id, open: x.request_id }) }, h('span.mono', x.request_id)) },
        { title: t('reviewed'), cell: (x) => [x.reviewer, ' ', verdict_badge(x.verdict)] }, { title: t('second_review'), cell: (x) => [x.second_reviewer, ' ', verdict_badge(x.second_verdict)] },
      ], s.differences, { caption: t('differences') })] : null,
      h('h2', t('signoff')), s.signed?.length ? h('ul.notes', s.signed.map((x) => h('li', h('strong', x.who), ' ', h('span.soft', time(x.at_us)), x.note ? h('div', x.note) : null))) : h('p.soft', t('not_signed')),
      if_may('review', () => h('button', {
        type: 'button', 'data-signoff': '', onclick: () => ask_form(t('signoff'), [{ name: 'note', label: t('note'), kind: 'area', most: 2000, autofocus: true }], t('signoff_now'), async ({ note: text }) => {
          await api.post('reviews/signoff', { day: s.day, note: text });
          toast(t('signed'));
          again();
        }, { note: s.open ? t('signoff_open', { n: number(s.open) }) : t('signoff_note', { day: s.day }) }),
      }, t('signoff'))))),
  ];
}

// The morning summary: of the day before, unless another day is named.
export async function show_summary(box, { params, signal, keys }) {
  const today = day(Date.now() * 1000);
  let at = /^\d{4}-\d\d-\d\d$/.test(params.get('day') ?? '') ? params.get('day') : day_before(today);
  const content = h('div.stack-wide');
  const input = h('input', { type: 'date', value: at, max: today, 'aria-label': t('day'), onchange: () => { if (input.value) pick(input.value); } });
  const pick = (d) => { at = d; input.value = d; note('summary', { day: d }, true); read(); };
  const read = () => load(content, signal, (s) => api.get('reviews/summary', { day: at }, s), (s) => summary_of(s, read));
  if (may('review')) keys.s = { say: 'key_signoff', run: () => { const b = content.querySelector('[data-signoff]'); b?.click(); return Boolean(b); } };
  fill(box, h('div.head', h('h1', t('page_summary')),
    h('button', { type: 'button', onclick: () => pick(day_before(at)) }, '←', h('span.unseen', t('previous'))), h('div.narrow', input),
    h('button', { type: 'button', onclick: () => pick(day_before(at, -1)) }, '→', h('span.unseen', t('next'))),
    may('review') ? h('a.button', { href: link('review') }, t('page_review')) : null), content);
  await read();
}
