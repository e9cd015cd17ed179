// Accounts of the people who work here; made and changed by administrators, who read no texts.
import * as api from './api.js';
import { fill, h } from './dom.js';
import { time } from './format.js';
import { ask_form, badge, load, table, toast } from './parts.js';
import { person } from './person.js';
import { named, t } from './words.js';

const roles = ['viewer', 'reviewer', 'publisher', 'administrator', 'inspector'];
const role_choices = () => roles.map((r) => [r, `${named('role', r)} · ${t(`role_may_${r}`)}`]);

const add = (again) => ask_form(t('account_new'), [
  { name: 'name', label: t('name'), need: true, most: 64, autofocus: true },
  { name: 'role', label: t('role'), kind: 'choice', choices: role_choices(), value: 'reviewer' },
  { name: 'password', label: t('password_first'), kind: 'password', need: true, autocomplete: 'new-password', hint: t('password_hint') },
], t('account_make'), async (v) => {
  await api.post('accounts', { name: v.name.trim(), role: v.role, password: v.password });
  toast(t('done'));
  again();
}, { note: t('role_note') });

function change(a, again) {
  ask_form(`${t('account')} ${a.name}`, [
    { name: 'role', label: t('role'), kind: 'choice', choices: role_choices(), value: a.role },
    { name: 'password', label: t('password_reset'), kind: 'password', autocomplete: 'new-password', hint: t('password_reset_hint') },
    { name: 'disabled', label: t('disabled'), kind: 'tick', value: a.disabled },
    ...(a.totp ? [{ name: 'totp', label: t('totp_take_away'), kind: 'tick', hint: t('totp_take_away_hint') }] : []),
  ], t('save'), async (v) => {
    const changed = {};
    if (v.role !== a.role) changed.role = v.role;
    if (v.disabled !== Boolean(a.disabled)) changed.disabled = v.disabled;
    if (v.password) changed.password = v.password;
    if (v.totp) changed.totp = false;
    await api.post(`accounts/${api.seg(a.name)}`, changed);
    toast(t('done'));
    again();
  });
}

const remove = (a, again) => ask_form(t('remove'), [], t('remove'), async () => {
  await api.post(`accounts/${api.seg(a.name)}`, { remove: true });
  toast(t('done'));
  again();
}, { note: t('remove_note', { name: a.name }), danger: true });

export async function show(box, { signal }) {
  const list = h('div');
  const again = () => load(list, signal, (s) => api.get('accounts', null, s), (answer) => table([
    { title: t('name'), cell: (a) => [h('strong', a.name), a.name === person().user.name ? h('span.soft', ` (${t('you')})`) : null] },
    { title: t('role'), cell: (a) => named('role', a.role) },
    { title: t('state'), cell: (a) => (a.disabled ? badge('none', t('disabled')) : badge('good', t('valid'))) },
    { title: t('totp'), cell: (a) => (a.totp ? badge('good', t('yes')) : badge('warn', t('no'))) },
    { title: t('last_login'), class: 'nowrap', cell: (a) => time(a.last_login_us) },
    { title: t('what_to_do'), cell: (a) => (a.name === person().user.name ? null : h('div.row', h('button', { type: 'button', onclick: () => change(a, again) }, t('change')),
      h('button.danger', { type: 'button', onclick: () => remove(a, again) }, t('remove')))) },
  ], Array.isArray(answer) ? answer : answer.rows ?? answer.accounts ?? [], { caption: t('page_accounts') }));
  fill(box, h('div.head', h('h1', t('page_accounts')), h('button.main', { type: 'button', onclick: () => add(again) }, t('account_new'))), h('p.soft', t('accounts_text')), list);
  await again();
}
