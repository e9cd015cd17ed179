// What people did here, for inspectors: every line is a record of the chain.
import * as api from './api.js';
import { note } from './address.js';
import { fill, h } from './dom.js';
import { day, day_before, day_start, full_time, number } from './format.js';
import { paged } from './parts.js';
import { may } from './person.js';
import { export_links } from './log.js';
import { named, t } from './words.js';

const detail = (d) => (d === null || d === undefined ? '–' : typeof d === 'string' ? d : JSON.stringify(d));

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
      { title: t('time'), class: 'nowrap', cell: (a) => full_time(a.time_us) }, { title: t('who'), cell: (a) => h('strong', a.who ?? '–') },
      { title: t('act'), cell: (a) => [named('act', a.act), h('div.mono.small.soft', a.act)] }, { title: t('detail'), class: 'col-text', cell: (a) => detail(a.detail) },
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
