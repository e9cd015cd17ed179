// The library against the standard: 31 risk types, what each asks and what there is. Said in words, too.
import * as api from './api.js';
import { link } from './address.js';
import { h } from './dom.js';
import { number } from './format.js';
import { badge, load, table } from './parts.js';
import { current, t } from './words.js';

function meter(r) {
  if (!r.keyword_min) return h('span.soft', t('no_minimum'));
  return h('meter', { min: '0', max: String(r.keyword_min), value: String(Math.min(r.keywords, r.keyword_min)), 'aria-label': `${r.keywords} / ${r.keyword_min}` });
}

const met = (r) => (r.met ? badge('good', t('met')) : badge('bad', t('short_by', { n: number(r.keyword_min - r.keywords) })));

function draw(answer) {
  const all = Array.isArray(answer) ? answer : answer.rows ?? answer.risks ?? [];
  const total = all.find((r) => r.risk === '*') ?? answer.total;
  const types = all.filter((r) => r.risk !== '*');
  const standard = types.filter((r) => /^A\d/.test(r.risk));
  const own = types.filter((r) => !/^A\d/.test(r.risk));
  const columns = [
    { title: t('risk'), cell: (r) => h('a', { href: link('rules', { risk: r.risk }) }, h('span.mono', r.risk), ' ', (current() === 'zh' ? r.name : r.name_en) ?? '') },
    { title: t('keywords'), class: 'right', cell: (r) => number(r.keywords) },
    { title: t('minimum'), class: 'right', cell: (r) => (r.keyword_min ? number(r.keyword_min) : '–') },
    { title: t('filled'), cell: meter },
    { title: t('state'), cell: met, class: 'nowrap' },
    { title: t('near_rules'), class: 'right', cell: (r) => number(r.near) },
    { title: t('patterns'), class: 'right', cell: (r) => number(r.patterns) },
    { title: t('quarantined'), class: 'right', cell: (r) => number(r.quarantined) },
  ];
  return [
    total ? h('div.tiles',
      h('div.tile', h('h3', t('keywords_all')), h('b', number(total.keywords)), h('span.soft', t('of_needed', { n: number(total.keyword_min) }))),
      h('div.tile', h('h3', t('types_met')), h('b', `${total.types_met} / ${total.types}`), h('span.soft', total.met ? badge('good', t('met')) : badge('bad', t('not_met'))))) : null,
    h('section.panel', h('h2', t('coverage_standard')), table(columns, standard, { caption: t('coverage_standard'), row_props: (r) => ({ class: r.met ? '' : 'short' }) })),
    own.length ? h('section.panel', h('h2', t('coverage_own')), table(columns.filter((_, i) => ![2, 3, 4].includes(i)), own, { caption: t('coverage_own') })) : null,
  ];
}

export const show_coverage = (box, { signal }) => load(box, signal, (s) => api.get('rules/coverage', null, s), draw);
