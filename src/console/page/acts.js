// What people did here, for inspectors: every line is a record of the chain.
import * as api from './api.js';
import { note } from './address.js';
import { fill, h } from './dom.js';
import { day, day_before, day_start, full_time, number } from './format.js';
import { paged } from './parts.js';
import { may } from './person.js';
import { export_links } from './log.js';
import { named, t } from './words.js';

// The record's own text, name by name; who and why have places of their own.
function detail(a) {
  let all;
  try {
    all = JSON.parse(a.detail ?? '');
  } catch {
    return a.detail ?? '–';
  }
  if (!all || typeof all !== 'object' || Array.isArray(all)) return a.detail;
  const rest = Object.entries({ app: a.app, end_user: a.end_user, ...all }).filter(([name, v]) => v !== null && v !== undefined && v !== '' && !['by', 'author', 'why', 'role'].includes(name) && !(name === 'reason' && v === a.reason));
  return [a.reason ? h('div', a.reason) : null,
    h('div.small.soft', rest.map(([name, v], i) => [i ? ' · ' : '', `${named('detail', name)} `, h('span.mono', typeof v === 'string' ? v : JSON.stringify(v))]))];
}

// In which role: roles change, the record says which it was.
function role_of(a) {
  try {
    return JSON.parse(a.detail)?.role ?? null;
  } catch {
    return null;
  }
}

export async function show(box, { params, signal }) {
  const today = day(Date.now() * 1000);
  const good = (text) => /^\d{4}-\d\d-\d\d$/.test(text ?? '');
  let since = good(params.get('since')) ? params.get('since') : day_before(today, 30);
  let until = good(params.get('until')) ? params.get('until') : today;
  const list = h('div');
  const read = () => fill(list, paged(signal, {
    none: t('no_acts'), caption: t('page_acts'),
    ask: ({ before }) => api.get('acts', { since: day_start(since), until: day_start(day_before(until, -1)), before, limit: 100 }, signal),
    columns: [
      { title: t('time'), class: 'nowrap', cell: (a) => full_time(a.time_us) }, { title: t('who'), cell: (a) => [a.who ? h('strong', a.who) : h('span.soft', t('gateway')), role_of(a) ? h('div.small.soft', named('role', role_of(a))) : null] },
      { title: t('act'), cell: (a) => [named('act', a.act), h('div.mono.small.soft', a.act)] }, { title: t('detail'), class: 'col-text', cell: detail },
      { title: t('col_seq'), class: 'right', cell: (a) => number(a.seq) },
    ],
  }));
  const date = (label, value, set) => {
    const input = h('input', { type: 'date', value, max: today, 'aria-label': label, onchange: () => { if (good(input.value)) { set(input.value); note('acts', { since, until }, true); read(); } } });
    return h('div.narrow', input);
  };
  fill(box, h('div.head', h('h1', t('page_acts')), date(t('since'), since, (v) => { since = v; }), '–', date(t('until'), until, (v) => { until = v; })),
    h('p.soft', t('acts_text')), may('export') ? h('div.row', h('span.soft', t('export_log')), export_links({ since: day_start(since), until: day_start(day_before(until, -1)) })) : null, list);
  read();
}
