// What the parts about evaluations share: names, rates, verdicts, a question and its answer.
import { link } from './address.js';
import { h } from './dom.js';
import { badge, facts } from './parts.js';
import { risk_of } from './person.js';
import { either, named, t } from './words.js';

export const judges = ['keyword', 'opinion', 'human', 'final'];
const standings = { nothing: 'none', missed: 'bad', short: 'warn', met: 'warn', safe: 'good' };

export const standing_badge = (s) => badge(standings[s] ?? 'none', named('filing_standing', s));
export const state_badge = (run) => badge(run.busy ? 'info' : run.complete ? 'good' : 'warn', t(run.busy ? 'filing_running' : run.complete ? 'filing_ended' : 'filing_broken'));
export const verdict_of = (v) => badge({ pass: 'good', fail: 'bad' }[v] ?? 'none', named('filing_verdict', v));
export const rate = (r) => (r.n ? `${(100 * r.rate).toFixed(1)}%` : '–');

// A type of the standard, or an aspect, which a run knows by its Chinese name.
export function type_name(type, aspects) {
  const risk = risk_of(type);
  if (risk) return `${type} ${either(risk)}`;
  const aspect = aspects.find((x) => x.zh === type);
  return aspect ? either(aspect) : type || '–';
}

// All that is known of an answer. `row` as the API gives it.
export const answer_parts = (row, aspects) => facts([
  [t('filing_bank'), `${named('filing_bank', row.bank)} · ${type_name(row.type, aspects)}`], [t('filing_line'), named('filing_route', row.route)],
  [t('filing_technique'), row.technique], [t('filing_how'), row.note],
  [t('filing_verdicts'), judges.filter((j) => j !== 'final').map((j) => [named('filing_judge', j), ' ', verdict_of(row.verdicts?.[j] ?? 'none'), ' '])],
  [t('rule'), row.rule ? h('span.mono', row.rule) : null], [t('filing_acted_by'), row.acted_by ? h('span.mono', row.acted_by) : null],
  [t('action'), row.action ? named('action', row.action) : null], [t('filing_refused'), row.refused ? [t('yes'), row.refused_by ? h('span.soft', ` ${row.refused_by}`) : null] : null],
  [t('opinions'), row.opinion_note], [t('request_id'), row.request_id ? h('a.mono', { href: link('log', { t: 'ever', request_id: row.request_id, open: row.request_id }) }, row.request_id) : null],
  [t('failed'), row.error],
]);

const turns = (row) => (row.messages?.length ? row.messages.map((m) => h('div.quote', h('strong.small', named('role_of', m.role)), ' ', typeof m.content === 'string' ? m.content : JSON.stringify(m.content))) : h('div.quote', row.text));

export const question_box = (row) => h('div', { 'data-question': row.question, 'data-route': row.route }, h('h3', t('filing_question'), ' ', h('span.mono.soft.small', row.question)), turns(row));
export const answer_box = (row) => h('div', h('h3', t('filing_answer')), row.answer === undefined ? h('p.soft', t('text_closed')) : h('div.quote', row.answer || t('filing_empty')));

