// Incidents: what happened, what was done about it, and a draft of the report.
import * as api from './api.js';
import { go, link } from './address.js';
import { fill, h } from './dom.js';
import { number, time } from './format.js';
import { act, ask_form, badge, copy_button, dialog, empty_box, error_box, facts, field, if_may, load, table, toast } from './parts.js';
import { named, t } from './words.js';
import { risk_name } from './overview.js';

const states = ['open', 'working', 'reported', 'closed'];

// `group`: a group of interceptions that is turned into one, or nothing.
export function new_incident(group, again) {
  ask_form(t('incident_new'), [
    { name: 'title', label: t('title'), need: true, most: 200, autofocus: true, value: group ? t('incident_of', { risk: risk_name(group.risk), n: group.count }) : '' },
    { name: 'what', label: t('what_happened'), kind: 'area', rows: 4, need: true, most: 8000, value: group ? t('incident_text', { n: group.count, rule: group.rule, from: time(group.first_us), to: time(group.last_us) }) : '' },
    { name: 'measures', label: t('measures'), kind: 'area', rows: 3, most: 8000 },
    ...(group ? [] : [{ name: 'requests', label: t('requests_list'), kind: 'area', rows: 2, hint: t('requests_hint') }]),
  ], t('incident_make'), async (v) => {
    await api.post('incidents', { title: v.title, what: v.what, measures: v.measures, requests: group ? group.requests : (v.requests ?? '').split(/[\s,]+/).filter(Boolean) });
    toast(t('incident_made'));
    if (again) again();
    else go(link('incidents'));
  }, { wide: true, note: group ? t('incident_group_note', { n: number(group.requests.length) }) : null });
}

function incident_dialog(x, again) {
  dialog(`${t('incident')} ${x.id}`, (close) => {
    const fields = [
      field({ name: 'state', label: t('state'), kind: 'choice', choices: states.map((s) => [s, named('incident', s)]), value: x.state }),
      field({ name: 'title', label: t('title'), value: x.title, need: true }),
      field({ name: 'what', label: t('what_happened'), kind: 'area', rows: 5, value: x.what }),
      field({ name: 'impact', label: t('impact'), kind: 'area', value: x.impact }),
      field({ name: 'measures', label: t('measures'), kind: 'area', value: x.measures }),
      field({ name: 'remedy', label: t('remedy'), kind: 'area', value: x.remedy }),
      field({ name: 'responsible', label: t('responsible'), value: x.responsible }),
      field({ name: 'note', label: t('note'), kind: 'area', rows: 2 }),
    ];
    const button = h('button.main', { type: 'submit' }, t('save'));
    const report = h('div');
    const draft = h('button', { type: 'button', onclick: () => act(draft, async () => {
      try {
        const text = await api.get_text(`incidents/${api.seg(x.id)}/report`);
        fill(report, h('div.row', h('h3', t('report_draft')), h('span.fill'), copy_button(text)), h('pre.raw', { tabindex: '0' }, text));
      } catch (e) {
        fill(report, error_box(e));
      }
    }) }, t('report_draft'));
    const edit = if_may('review', () => h('form.stack', {
      novalidate: true,
      onsubmit: (e) => {
        e.preventDefault();
        act(button, async () => {
          await api.post(`incidents/${api.seg(x.id)}`, Object.fromEntries(fields.map((f) => [f.name, f.value()]).filter(([name, value]) => value !== (x[name] ?? ''))));
          close();
          again();
        }, t('saved_ok'));
      },
    }, fields.map((f) => f.box), h('div.row', button, draft)));
    const clock = x.clock?.length ? facts(x.clock.map((c) => [t('report_within', { n: c.hours }), [time(c.due_us), c.to_be_verified ? h('span.soft', ` ${t('to_be_verified')}`) : null]])) : null;
    const read = facts([[t('state'), named('incident', x.state)], [t('title'), x.title], [t('what_happened'), h('div.quote', x.what ?? '')], ...['impact', 'measures', 'remedy'].map((name) => [t(name), x[name] ? h('div.quote', x[name]) : null]), [t('responsible'), x.responsible]]);
    return [clock, edit ?? [read, h('div.row', draft)], report,
      x.notes?.length ? [h('h3', t('notes')), h('ul.notes', x.notes.map((n) => h('li', h('strong', n.who), ' ', h('span.soft', time(n.at_us)), n.state ? [' ', badge('none', named('incident', n.state))] : null, h('div', n.text))))] : null,
      h('h3', t('requests_n', { n: number(x.requests?.length ?? 0) })), h('p.mono.small', (x.requests ?? []).slice(0, 40).map((id) => [h('a', { href: link('log', { t: 'ever', request_id: id, open: id }), onclick: close }, id), ' ']), (x.requests?.length ?? 0) > 40 ? '…' : null)];
  }, { wide: true });
}

export async function show(box, { signal }) {
  const list = h('div');
  const again = () => load(list, signal, (s) => api.get('incidents', null, s), (answer) => {
    const rows = Array.isArray(answer) ? answer : answer.rows ?? [];
    return rows.length ? table([
      { title: t('incident'), cell: (x) => h('button.link', { type: 'button', onclick: (e) => act(e.currentTarget, async () => incident_dialog({ ...x, ...await api.get(`incidents/${api.seg(x.id)}`, null, signal) }, again)) }, h('span.mono', String(x.id))) },
      { title: t('title'), class: 'col-text', cell: (x) => h('strong', x.title) },
      { title: t('state'), class: 'nowrap', cell: (x) => badge({ open: 'bad', working: 'warn', reported: 'info' }[x.state] ?? 'none', named('incident', x.state)) },
      { title: t('time'), class: 'nowrap', cell: (x) => time(x.at_us) },
      { title: t('interceptions'), class: 'right', cell: (x) => number(x.request_count ?? x.requests?.length ?? 0) },
    ], rows, { caption: t('page_incidents') }) : empty_box(t('no_incidents'));
  });
  fill(box, h('div.head', h('h1', t('page_incidents')), if_may('review', () => h('button.main', { type: 'button', onclick: () => new_incident(null, again) }, t('incident_new')))), h('p.soft', t('incidents_text')), list);
  await again();
}
