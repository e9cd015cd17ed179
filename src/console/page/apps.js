// Apps: what the configuration says of them; and their keys, for administrators.
import * as api from './api.js';
import { fill, h } from './dom.js';
import { number, time } from './format.js';
import { ask_form, badge, copy_button, dialog, empty_box, facts, if_may, load, table, toast } from './parts.js';
import { may, person } from './person.js';
import { named, t } from './words.js';

const list_of = (answer) => (Array.isArray(answer) ? answer : answer.rows ?? answer.apps ?? answer.keys ?? []);

// {requests_per_minute: 600, end_user: {…}} as words.
function limits(l, before = '') {
  return Object.entries(l ?? {}).flatMap(([name, value]) => (value === null ? [] : typeof value === 'object' ? limits(value, `${named('limit', name)} · `)
    : [h('li', `${before}${named('limit', name)}: `, h('strong', typeof value === 'number' ? number(value) : value))]));
}

function app_box(a) {
  return h('section.panel', h('div.panel-head', h('h2', a.name), a.mode === 'enforce' || !a.mode ? badge('good', named('mode', 'enforce')) : badge('warn', named('mode', a.mode)), a.until_us ? h('span.soft', `${t('until')} ${time(a.until_us)}`) : null),
    facts([[t('models'), a.models?.length ? a.models.join(t('comma')) : t('all_models')], [t('addresses'), a.addresses ? t('addresses_n', { n: number(a.addresses) }) : null], [t('refusal'), a.refusal ? named('refusal', a.refusal) : null], [t('label'), a.label ? named('label', a.label) : null],
      [t('limits'), limits(a.limits).length ? h('ul.notes', limits(a.limits)) : t('no_limits')]]));
}

function show_key(key, again) {
  dialog(t('key_new'), (close) => [
    h('p', t('key_once')), h('pre.command', { tabindex: '0', autofocus: true }, key),
    h('div.row', copy_button(key, t('copy_key')), h('button.main', { type: 'button', onclick: close }, t('key_kept'))),
  ], { onclose: again });
}

const new_key = (again) => ask_form(t('key_new'), [
  { name: 'app', label: t('app'), kind: 'choice', choices: (person().apps.length ? person().apps : ['default']).map((a) => [a, a]) },
  { name: 'alias', label: t('alias'), most: 64, autofocus: true },
  { name: 'days', label: t('key_days'), kind: 'number', min: 1, hint: t('key_days_hint') },
], t('key_make'), async (v) => {
  const { key } = await api.post('keys', { app: v.app, alias: v.alias, expires_s: v.days ? v.days * 86400 : undefined });
  setTimeout(() => show_key(key, again));
});

const revoke = (k, again) => ask_form(t('revoke'), [], t('revoke'), async () => {
  await api.post(`keys/${api.seg(k.id)}`, { act: 'revoke' });
  toast(t('revoked'));
  again();
}, { note: t('revoke_note', { id: k.id, alias: k.alias ?? '' }), danger: true });

const rotate = (k, again) => ask_form(t('rotate'), [{ name: 'overlap', label: t('overlap_hours'), kind: 'number', value: 24, min: 0 }], t('rotate'), async (v) => {
  const { key } = await api.post(`keys/${api.seg(k.id)}`, { act: 'rotate', overlap_s: (v.overlap ?? 0) * 3600 });
  setTimeout(() => show_key(key, again));
}, { note: t('rotate_note', { id: k.id }) });

const is_over = (k) => k.revoked || k.expired || Boolean(k.expires_us && k.expires_us < Date.now() * 1000);

function key_state(k) {
  if (k.revoked) return badge('none', t('revoked'));
  if (is_over(k)) return badge('none', t('expired'));
  return badge('good', t('valid'));
}

export async function show(box, { signal }) {
  const apps = h('div.cards');
  const keys = h('div');
  const again = () => load(keys, signal, (s) => api.get('keys', null, s), (answer) => {
    const rows = list_of(answer);
    return rows.length ? table([
      { title: t('key_id'), cell: (k) => [h('span.mono', k.id), k.last4 ? h('span.mono.small.soft', ` …${k.last4}`) : null], class: 'nowrap' }, { title: t('alias'), cell: (k) => k.alias || '–' }, { title: t('app'), cell: (k) => k.app },
      { title: t('state'), cell: key_state }, { title: t('created'), class: 'nowrap', cell: (k) => time(k.created_us) }, { title: t('expires'), class: 'nowrap', cell: (k) => (k.expires_us ? time(k.expires_us) : t('never')) },
      { title: t('last_used'), class: 'nowrap', cell: (k) => (k.last_us ? time(k.last_us) : '–') },
      { title: t('what_to_do'), cell: (k) => (is_over(k) ? null : h('div.row', h('button', { type: 'button', onclick: () => rotate(k, again) }, t('rotate')), h('button.danger', { type: 'button', onclick: () => revoke(k, again) }, t('revoke')))) },
    ], rows, { caption: t('keys') }) : empty_box(t('no_keys'));
  });
  fill(box, h('div.head', h('h1', t('page_apps'))), apps,
    if_may('apps', () => h('section.section', h('div.panel-head', h('h2', t('keys')), h('span.fill'), h('button.main', { type: 'button', onclick: () => new_key(again) }, t('key_new'))), keys)));
  await Promise.all([
    load(apps, signal, (s) => api.get('apps', null, s), (answer) => (list_of(answer).length ? list_of(answer).map(app_box) : empty_box(t('nothing_here')))),
    may('apps') ? again() : null,
  ]);
}
