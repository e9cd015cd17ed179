// What a filing asks for, item by item, and what is still missing. Nothing here says 符合: people do.
import * as api from './api.js';
import { link } from './address.js';
import { h } from './dom.js';
import { number } from './format.js';
import { lint_panel } from './filingfiles.js';
import { rate, standing_badge } from './filingparts.js';
import { badge, load, table } from './parts.js';
import { may } from './person.js';
import { current, either, has, named, t } from './words.js';

// Where the person goes to mend it.
const places = { keywords: () => ['rules', 'coverage'], disclosure: () => ['filing', 'files'], evaluation: (x) => (x.run ? ['filing', 'runs', x.run] : ['filing', 'runs']), route: () => ['filing', 'route'], steps: () => ['filing', 'clock'], clock: () => ['filing', 'clock'], judging: () => (may('review') ? ['filing', 'judge'] : null) };

// "service: KEY" and "model NAME: KEY", as the command line says them.
function config_line(text) {
  const m = /^(service|model (.*)): (\w+)$/.exec(text);
  if (!m) return text;
  const key = has(`filing_key.${m[3]}`) ? named('filing_key', m[3]) : m[3];
  return [m[2] ? `${t('model')} ${m[2]}${t('colon')}${key} ` : `${key} `, h('span.soft.mono.small', m[2] ? `upstreams.models.${m[3]}` : `service.${m[3]}`)];
}

function missing_of(row) {
  const types = row.missing.filter((m) => m.zh);
  const banks = row.missing.filter((m) => m.bank);
  const lines = row.missing.filter((m) => m.text);
  const dues = row.missing.filter((m) => m.due);
  return [
    types.length ? table([
      { title: t('filing_type'), cell: (m) => [m.type ? h('span.mono', `${m.type} `) : null, either(m)] },
      { title: t('filing_have'), class: 'right', cell: (m) => number(m.have) },
      { title: t('filing_want'), class: 'right', cell: (m) => number(m.want) },
      { title: t('filing_short'), class: 'right', cell: (m) => number(m.want - m.have) },
    ], types, { caption: named('filing_item', row.item) }) : null,
    banks.length ? h('ul', banks.map((m) => h('li', named('filing_bank', m.bank), ' ', standing_badge(m.standing), m.n ? h('span.soft', ` ${rate(m)} · ${t('filing_of', { passed: number(m.passed), n: number(m.n) })}`) : null))) : null,
    dues.length ? h('ul', dues.map((m) => h('li', h('strong', current() === 'zh' ? m.name_zh : m.name_en), ' ', current() === 'zh' ? m.note_zh : m.note_en))) : null,
    lines.length ? h('ul', lines.map((m) => h('li', config_line(m.text)))) : null,
  ];
}

const state_of = (row) => (row.met ? badge('good', t('filing_there')) : badge('bad', row.missing.length ? t('filing_missing_n', { n: number(row.missing.length) }) : t('filing_missing')));

function item(row) {
  const amount = row.want ? t('filing_amount', { have: number(row.have), want: number(row.want) }) : null;
  const place = places[row.item]?.(row);
  return h('section.panel.filing-item', { 'data-item': row.item },
    h('div.panel-head', h('h2', named('filing_item', row.item)), state_of(row), amount ? h('span.soft', amount) : null, h('span.fill'),
      place ? h('a', { href: link(place, row.item === 'judging' && row.run ? { run: row.run } : null) }, t('look')) : null),
    row.want ? h('meter', { min: '0', max: String(row.want), value: String(Math.min(row.have, row.want)), 'aria-label': `${row.have} / ${row.want}` }) : null,
    has(`filing_asks.${row.item}`) ? h('p.soft.small', named('filing_asks', row.item)) : null,
    row.missing.length ? h('details', h('summary', t('filing_what_missing'), h('span.count', number(row.missing.length))), missing_of(row)) : null);
}

export const show_ready = (box, { signal }) => load(box, signal, (s) => api.get('filing/readiness', null, s), ({ rows }) => {
  const met = rows.filter((r) => r.met).length;
  return [
    h('div.tiles',
      h('div.tile', h('h3', t('filing_items_met')), h('b', `${met} / ${rows.length}`), h('span.soft', t('filing_items_text'))),
      h('div.tile', h('h3', t('filing_items_open')), h('b', number(rows.length - met)), h('span.soft', rows.length === met ? t('filing_all_there') : t('filing_see_below')))),
    h('div.columns', rows.map(item)), lint_panel(signal)];
});
