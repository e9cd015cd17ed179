// The columns of the log: what each shows, and which of them somebody chose.
import { recall_list, remember } from './choice.js';
import { h } from './dom.js';
import { bytes, duration, full_time, number, time } from './format.js';
import { marked, place_of } from './plain.js';
import { action_badge, dialog, verdict_badge } from './parts.js';
import { risk_of } from './person.js';
import { either, named, t } from './words.js';

// The word in its surroundings, on one line.
export function excerpt(row) {
  const context = row.context ?? row.text;
  if (!context) return h('span.soft', row.reason ? named('reason', row.reason) : '–');
  const place = place_of(row.text, context);
  let from = 0;
  if (place && place.start > 8) from = place.start - 6;
  if (from && /[\udc00-\udfff]/.test(context[from])) from++;
  const cut = (from ? '…' : '') + context.slice(from, from + 140).replace(/\s+/g, ' ');
  const at = place_of(row.text?.replace(/\s+/g, ' '), cut);
  const e = marked(cut, at ? [at] : []);
  e.classList.add('excerpt');
  e.removeAttribute('tabindex'); // it doesn't scroll, and may stand in a button
  return e;
}

const risk_cell = (row) => {
  const risk = risk_of(row.risk);
  return row.risk ? h('span', { title: risk ? either(risk) : null }, h('span.mono', row.risk), risk ? h('span.risk-name', either(risk)) : null) : '–';
};

export const columns = {
  time: { cell: (r) => h('time', { datetime: r.time, title: full_time(r.time) }, time(r.time)), class: 'nowrap' },
  action: { cell: (r) => action_badge(r.action), class: 'nowrap' },
  risk: { cell: risk_cell, class: 'col-risk' },
  text: { cell: excerpt, class: 'col-text' },
  direction: { cell: (r) => named('direction', r.direction), class: 'nowrap col-direction' },
  app: { cell: (r) => r.app ?? '–', class: 'col-name' },
  review: { cell: (r) => verdict_badge(r.review), class: 'nowrap col-review' },
  rule: { cell: (r) => h('span.mono', r.rule ?? '–') },
  model: { cell: (r) => r.model ?? '–', class: 'col-name' },
  end_user: { cell: (r) => h('span.mono', r.end_user ? `${r.end_user.slice(0, 10)}…` : '–') },
  client_ip: { cell: (r) => h('span.mono', r.client_ip ?? '–') },
  outcome: { cell: (r) => named('outcome', r.outcome) },
  layers: { cell: (r) => (r.layers ?? []).map((l) => named('layer', l)).join(t('comma')) || '–' },
  judge_us: { cell: (r) => duration(r.judge_us), class: 'right nowrap' },
  held_us: { cell: (r) => duration(r.held_us), class: 'right nowrap' },
  total_us: { cell: (r) => duration(r.total_us), class: 'right nowrap' },
  prompt_bytes: { cell: (r) => bytes(r.prompt_bytes), class: 'right nowrap' },
  request_id: { cell: (r) => h('span.mono', r.request_id ?? '–') },
  seq: { cell: (r) => number(r.seq), class: 'right' },
};
const usual = ['time', 'action', 'risk', 'text', 'direction', 'app', 'review'];

export const chosen_columns = () => {
  const list = recall_list('columns', usual).filter((c) => Object.hasOwn(columns, c));
  return list.length ? list : usual;
};
export const column_title = (id) => t(`col_${id}`);

export function choose_columns(done) {
  const now = new Set(chosen_columns());
  dialog(t('columns'), (close) => h('form.stack', {
    onsubmit: (e) => {
      e.preventDefault();
      remember('columns', Object.keys(columns).filter((c) => now.has(c)).join(','));
      close();
      done();
    },
  }, h('div.tick-grid', Object.keys(columns).map((id) => h('label.tick', h('input', {
    type: 'checkbox', checked: now.has(id),
    onchange: (e) => (e.target.checked ? now.add(id) : now.delete(id)),
  }), column_title(id)))),
  h('div.row', h('button.main', { type: 'submit' }, t('save')),
    h('button', { type: 'button', onclick: () => { remember('columns', null); close(); done(); } }, t('usual_columns')))));
}
