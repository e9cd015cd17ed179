// People's word on the answers of an evaluation: one at a time, by single keys. Two people judge each answer,
// a third where they differ; nobody judges one twice, and the first two don't see each other's word.
import * as api from './api.js';
import { link, note } from './address.js';
import { fill, h } from './dom.js';
import { answer_box, answer_parts, question_box, state_badge, verdict_of } from './filingparts.js';
import { number, time } from './format.js';
import { ask_form, empty_box, error_box, load, loading_box, reason_of, toast } from './parts.js';
import { named, t } from './words.js';

const page_size = 50;
const key_of = (row) => `${row.question} ${row.route}`;

class Desk {
  constructor(run, aspects, wish, signal) {
    Object.assign(this, { run, aspects, wish, signal, rows: [], at: 0, skipped: new Set(), judged: 0, busy: false });
    this.counts = h('p.soft', { role: 'status' });
    this.meter = h('meter', { min: '0', max: '1', value: '0' });
    this.card = h('div.filing-card');
    this.box = h('div.stack', h('div.row', this.counts), this.meter, this.card);
  }

  path(what) {
    return `filing/runs/${api.seg(this.run)}/${what}`;
  }

  // What was skipped comes last again, when all else is done.
  async read() {
    if (!this.card.firstChild) fill(this.card, loading_box());
    try {
      const answer = await api.get(this.path('queue'), { ...this.wish, limit: Math.min(200, page_size + this.skipped.size) }, this.signal);
      const fresh = answer.rows.filter((r) => !this.skipped.has(key_of(r)));
      if (!fresh.length) this.skipped.clear();
      Object.assign(this, { rows: fresh.length ? fresh : answer.rows, at: 0, mine: answer.mine, open: answer.open, answered: answer.answered });
      this.draw();
    } catch (e) {
      if (e.name !== 'AbortError') fill(this.card, error_box(e, () => this.read()));
    }
  }

  count() {
    const done = this.answered - this.open;
    fill(this.counts, t('filing_judge_counts', { mine: number(this.mine), done: number(done), all: number(this.answered), here: number(this.judged) }));
    this.meter.max = Math.max(1, this.answered);
    this.meter.value = done;
    this.meter.setAttribute('aria-label', `${done} / ${this.answered}`);
  }

  draw() {
    this.count();
    const row = this.rows[this.at];
    if (!row) return fill(this.card, empty_box(t('filing_judge_none')));
    const button = (kind, key, text, run) => h('button', { type: 'button', class: kind, 'data-key': key, onclick: run }, text, ' ', h('kbd', key));
    fill(this.card,
      h('div.filing-pair', h('div.stack', question_box(row), row.note ? h('p', h('span.soft', t('filing_how'), t('colon')), row.note) : null), h('div.stack', answer_box(row),
        row.judged ? h('div.hint', h('strong', t('filing_differ')), h('ul.notes', row.judged.map((x) => h('li', h('strong', x.by), ' ', verdict_of(x.verdict), ' ', h('span.soft', time(x.at_us)), x.note ? h('div', x.note) : null)))) : null)),
      h('div.row.filing-keys',
        button('main', 'p', t('filing_pass'), () => this.judge('pass')),
        button('danger', 'f', t('filing_fail'), () => this.judge('fail')),
        button('', 'w', t('filing_with_note'), () => this.judge_with_note()),
        button('', 'j', t('filing_skip'), () => this.skip()),
        h('span.soft', row.judged ? t('filing_third') : row.people?.count ? t('filing_second') : t('filing_first'))),
      h('section.panel', answer_parts({ ...row, note: null }, this.aspects)));
    return undefined;
  }

  step(n) {
    const next = this.at + n;
    if (next < 0) return toast(t('first_one'));
    if (next >= this.rows.length) return this.read();
    this.at = next;
    return this.draw();
  }

  skip() {
    const row = this.rows[this.at];
    if (!row) return;
    this.skipped.add(key_of(row));
    this.step(1);
  }

  // One at a time: a second key before the first was taken would judge what nobody has read.
  async judge(verdict, text) {
    const row = this.rows[this.at];
    if (!row || this.busy) return;
    this.busy = true;
    try {
      await api.post(this.path('judge'), { question: row.question, route: row.route, verdict, note: text ?? '' }, this.signal);
      this.judged++;
      this.mine--;
      // A second word may decide, and a third does: how many are left is read anew.
      this.recount = Boolean(row.judged || row.people?.count);
      toast(`${named('filing_verdict', verdict)} · ${row.question}`);
      this.done();
    } catch (e) {
      if (e.name === 'AbortError') return;
      toast(reason_of(e), true);
      if (e.status === 409) this.done();
    } finally {
      this.busy = false;
    }
  }

  done() {
    this.rows.splice(this.at, 1);
    if (this.at >= this.rows.length || this.recount) {
      this.recount = false;
      this.read();
    } else {
      this.draw();
    }
  }

  judge_with_note() {
    const row = this.rows[this.at];
    if (!row) return;
    ask_form(t('filing_with_note'), [
      { name: 'verdict', label: t('filing_verdict_of'), kind: 'choice', choices: ['pass', 'fail'].map((v) => [v, named('filing_verdict', v)]) },
      { name: 'note', label: t('note'), most: 600, need: true, autofocus: true },
    ], t('save'), (v) => this.judge(v.verdict, v.note), { note: row.text.slice(0, 200) });
  }
}

export async function show_judge(box, { params, signal, keys }) {
  const content = h('div');
  await load(box, signal, (s) => api.get('filing/runs', { names: 1 }, s), async ({ names }) => {
    if (!names.length) return empty_box(t('filing_no_runs'));
    const name = names.includes(params.get('run')) ? params.get('run') : names[0];
    const pick = h('select', { 'aria-label': t('filing_run'), onchange: () => open(pick.value, true) }, names.map((r) => h('option', { value: r, selected: r === name }, r)));
    const about = h('span');
    // What a filing hands in is the answers with the gateway: those first, unless somebody wants others.
    const wish = { route: params.has('route') ? params.get('route') : 'gateway', bank: params.get('bank') ?? '' };
    const filters = h('div.row');
    let desk = null;
    const choice = (one, name, values, kind, label) => {
      const s = h('select', { 'aria-label': label, 'data-filter': name, onchange: () => { wish[name] = s.value; begin(one, true); } },
        h('option', { value: '' }, label), values.map((v) => h('option', { value: v, selected: v === wish[name] }, named(kind, v))));
      return h('div.narrow', s);
    };
    function begin(one, step) {
      note(['filing', 'judge'], { run: one.run, ...(wish.route !== 'gateway' && { route: wish.route || 'any' }), bank: wish.bank }, step);
      desk = new Desk(one.run, one.aspects, { ...wish, route: one.routes.includes(wish.route) ? wish.route : '' }, signal);
      fill(content, desk.box);
      return desk.read();
    }
    async function open(run, step) {
      const one = await api.get(`filing/runs/${api.seg(run)}`, null, signal).catch((e) => { if (e.name !== 'AbortError') fill(content, error_box(e)); });
      if (!one) return;
      fill(about, state_badge(one), ' ', h('a', { href: link(['filing', 'runs', run]) }, t('look')));
      fill(filters, choice(one, 'route', one.routes, 'filing_route', t('filing_line')), choice(one, 'bank', one.banks, 'filing_bank', t('filing_bank')));
      await begin(one, step);
    }
    Object.assign(keys, {
      p: { say: 'key_filing_pass', run: () => desk?.judge('pass') },
      f: { say: 'key_filing_fail', run: () => desk?.judge('fail') },
      w: { say: 'key_filing_note', run: () => desk?.judge_with_note() },
      j: { say: 'key_filing_skip', run: () => desk?.skip() },
      k: { say: 'key_previous', run: () => desk?.step(-1) },
    });
    await open(name);
    return [h('div.row', h('div.filing-pick', pick), filters, about), h('p.soft.small', t('filing_judge_text')), content];
  });
}
