// What is due when, the seven steps of a filing, and changes that must be reported.
import * as api from './api.js';
import { h } from './dom.js';
import { day, number } from './format.js';
import { ask_form, badge, empty_box, load, table } from './parts.js';
import { may } from './person.js';
import { current, either, named, t } from './words.js';

const kinds = { good: 'good', soon: 'warn', overdue: 'bad', unknown: 'info', off: 'none' };
const steps = { open: 'none', doing: 'info', done: 'good', returned: 'bad' };
const may_note = () => ['publish', 'apps'].some(may);
const today = () => day(Date.now() * 1000);
const said = (x) => (current() === 'zh' ? x.note_zh : x.note_en) ?? '';

// In days, for who plans: nothing where there is no time.
function left(x) {
  if (x.days === null || x.days === undefined || !x.due) return null;
  return x.days < 0 ? h('strong.wrong', t('filing_days_over', { n: number(-x.days) })) : t('filing_days_left', { n: number(x.days) });
}

function note_form(step, again) {
  ask_form(t('filing_step_note', { step: either(step) }), [
    { name: 'state', label: t('state'), kind: 'choice', value: step.state === 'open' ? 'doing' : step.state, choices: Object.keys(steps).map((s) => [s, named('filing_step', s)]) },
    { name: 'date', label: t('day'), kind: 'date', value: today(), need: true },
    { name: 'note', label: t('note'), most: 600, hint: t('filing_step_hint') },
  ], t('save'), async (v) => { await api.post('filing/steps', { step: step.name, ...v }); again(); }, { note: t('filing_recorded') });
}

function change_form(again) {
  ask_form(t('filing_change_new'), [
    { name: 'date', label: t('filing_change_day'), kind: 'date', value: today(), need: true },
    { name: 'what', label: t('what_happened'), need: true, most: 600, autofocus: true },
  ], t('save'), async (v) => { await api.post('filing/changes', v); again(); }, { note: t('filing_change_text') });
}

function reported_form(change, again) {
  ask_form(t('filing_change_report'), [{ name: 'date', label: t('filing_change_reported'), kind: 'date', value: today(), need: true }],
    t('save'), async (v) => { await api.post(`filing/changes/${change.number}`, v); again(); }, { note: change.what });
}

function step_item(step, again) {
  return h('li', { 'data-step': step.name },
    h('div.row', h('strong', either(step)), badge(steps[step.state] ?? 'none', named('filing_step', step.state)), step.date ? h('span.soft', step.date) : null, h('span.fill'),
      may_note() ? h('button', { type: 'button', onclick: () => note_form(step, again) }, t('filing_step_do')) : null),
    step.history.length ? h('ul.notes', step.history.map((n) => h('li', h('strong', n.author), ' ', h('span.soft', n.date), ' ', badge(steps[n.state] ?? 'none', named('filing_step', n.state)), n.note ? h('div', n.note) : null))) : null);
}

function changes_panel(clock, again) {
  const rows = clock.changes ?? [];
  return h('section.panel',
    h('div.panel-head', h('h2', t('filing_changes')), h('span.fill'), may_note() ? h('button', { type: 'button', 'data-change': '', onclick: () => change_form(again) }, t('filing_change_new')) : null),
    rows.length ? table([
      { title: t('day'), class: 'nowrap', cell: (x) => x.date },
      { title: t('what_happened'), class: 'col-text', cell: (x) => x.what },
      { title: t('filing_change_reported'), class: 'nowrap', cell: (x) => (x.reported ? badge('good', x.reported) : badge('warn', t('filing_not_reported'))) },
      ...(may_note() ? [{ title: t('what_to_do'), cell: (x) => (x.reported ? null : h('button', { type: 'button', onclick: () => reported_form(x, again) }, t('filing_change_report'))) }] : []),
    ], rows, { caption: t('filing_changes') }) : empty_box(t('filing_no_changes')));
}

export function show_clock(box, { signal }) {
  const again = () => load(box, signal, (s) => api.get('filing/clock', null, s), (clock) => [
    h('section.panel', h('h2', t('filing_dues')), table([
      { title: t('filing_due_item'), class: 'col-text', cell: (x) => [h('strong', either(x)), h('div.soft.small', x.source)] },
      { title: t('state'), class: 'nowrap', cell: (x) => badge(kinds[x.state] ?? 'none', x.state === 'soon' && !x.due ? t('filing_attend') : named('filing_clock', x.state)) },
      { title: t('filing_due_day'), class: 'nowrap', cell: (x) => [x.due || '–', h('div.small', left(x))] },
      { title: t('detail'), class: 'col-text', cell: said },
    ], clock.items, { caption: t('filing_dues'), row_props: (x) => ({ 'data-item': x.item, class: x.state === 'overdue' ? 'short' : '' }) })),
    h('section.panel', h('h2', t('filing_steps')), h('ol.filing-steps', clock.steps.map((x) => step_item(x, again)))),
    changes_panel(clock, again)]);
  return again();
}
