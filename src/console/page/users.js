// End users: their strikes, suspensions, and what is decided about them.
import * as api from './api.js';
import { link, note } from './address.js';
import { fill, h } from './dom.js';
import { number, time } from './format.js';
import { action_badge, ask_form, badge, dialog, error_box, facts, if_may, loading_box, paged, table, toast } from './parts.js';
import { may, person } from './person.js';
import { excerpt } from './rows.js';
import { named, t } from './words.js';

const kinds = { suspend: 'bad', limit: 'warn', warn: 'warn' };
const state_badge = (u) => [badge(kinds[u.state] ?? 'none', named('state', u.state || 'clear')), u.appealed ? [' ', badge('info', t('appealed'))] : null];
const until = (u) => (u.for_ever ? t('for_ever') : u.until_us ? time(u.until_us) : '–');
const spans = [['3600', '1 h'], ['86400', '1 d'], ['604800', '7 d'], ['2592000', '30 d'], ['0', '∞']];

function decide(user, act, again) {
  const fields = [{ name: 'reason', label: t('reason'), need: true, most: 500, autofocus: true }];
  if (act === 'suspend') fields.push({ name: 'for_s', label: t('suspend_for'), kind: 'choice', choices: spans.map(([v, text]) => [v, v === '0' ? t('for_ever') : text]), value: '86400' });
  ask_form(t(`user_${act}`), fields, t(`user_${act}`), async (v) => {
    await api.post(`users/${api.seg(user.end_user)}`, { act, app: user.app, reason: v.reason, for_s: v.for_s ? Number(v.for_s) : undefined });
    toast(t('done'));
    again();
  }, { note: t('user_act_note', { who: user.end_user.slice(0, 16), app: user.app }), danger: act === 'suspend' });
}

export function user_dialog(hash, app, again) {
  dialog(t('end_user'), (close) => {
    const box = h('div.stack', loading_box());
    const done = () => { close(); again?.(); };
    api.get(`users/${api.seg(hash)}`, { app }).then((u) => {
      const user = { end_user: hash, app, ...u };
      const suspended = user.state === 'suspend';
      fill(box, facts([[t('end_user'), h('span.mono', hash)], [t('app'), user.app], [t('state'), h('span', state_badge(user))], [t('until'), until(user)],
        [t('strikes'), t('strikes_detail', { row: number(user.consecutive ?? 0), today: number(user.today ?? 0), total: number(user.total ?? 0) })], [t('last'), user.last_us ? time(user.last_us) : null]]),
        user.apps?.length > 1 ? h('p.row', h('span.soft', t('other_apps')), user.apps.filter((x) => x.app !== user.app).map((x) => h('button.link', { type: 'button', onclick: () => { close(); user_dialog(hash, x.app, again); } }, `${x.app}: ${named('state', x.state)}`))) : null,
      if_may('users', () => h('div.row', [...(suspended || user.state === 'limit' ? ['lift'] : user.state === 'warn' ? ['lift', 'suspend'] : ['suspend']), ...(user.appealed ? ['deny'] : user.state === 'clear' ? [] : ['appeal'])].map((a) => h('button', { type: 'button', onclick: () => decide(user, a, done) }, t(`user_${a}`))))),
      h('h3', t('user_acts')), user.acts?.length ? h('ul.notes', user.acts.map((a) => h('li', h('strong', named('act', a.act)), ' ', h('span.soft', time(a.time_us ?? a.at_us), ' ', a.who ?? ''), a.reason ? h('div', a.reason) : null))) : h('p.soft', t('nothing_here')),
      h('h3', t('interceptions')), user.log?.length ? table([
        { title: t('time'), class: 'nowrap', cell: (r) => h('a', { href: link('log', { t: 'ever', end_user: hash, open: r.request_id }), onclick: close }, time(r.time)) },
        { title: t('action'), cell: (r) => action_badge(r.action) }, { title: t('risk'), class: 'nowrap', cell: (r) => r.risk ?? '–' }, { title: t('col_text'), class: 'col-text', cell: excerpt },
      ], user.log, { caption: t('interceptions') }) : h('p.soft', t('nothing_here')));
    }, (e) => fill(box, error_box(e)));
    return box;
  }, { wide: true });
}

const find_form = (again) => ask_form(t('find_user'), [{ name: 'id', label: t('user_id'), need: true, autofocus: true, most: 256, hint: t('find_user_note') }], t('find'), async ({ id }) => {
  const { end_user } = await api.post('users/find', { id });
  setTimeout(() => user_dialog(end_user, undefined, again));
});

export async function show(box, { params, signal }) {
  const f = { app: params.get('app') ?? '', state: params.get('state') ?? '' };
  const list = h('div');
  const changed = (part) => { Object.assign(f, part); note('users', f, true); read(); };
  const choice = (name, label, values) => {
    const s = h('select', { 'aria-label': label, onchange: () => changed({ [name]: s.value }) }, h('option', { value: '' }, `${label}: ${t('any')}`), values.map(([v, text]) => h('option', { value: v, selected: v === f[name] }, text)));
    return h('div.narrow', s);
  };
  const read = () => fill(list, paged(signal, {
    none: t('no_users'), caption: t('page_users'), ask: ({ before }) => api.get('users', { ...f, before, limit: 100 }, signal),
    columns: [
      { title: t('end_user'), cell: (u) => h('button.link', { type: 'button', onclick: () => user_dialog(u.end_user, u.app, read) }, h('span.mono', `${u.end_user.slice(0, 16)}…`)) },
      { title: t('app'), cell: (u) => u.app },
      { title: t('state'), cell: state_badge },
      { title: t('until'), class: 'nowrap', cell: until },
      { title: t('in_a_row'), class: 'right', cell: (u) => number(u.consecutive) },
      { title: t('today'), class: 'right', cell: (u) => number(u.today) },
      { title: t('in_all'), class: 'right', cell: (u) => number(u.total) },
      { title: t('last'), class: 'nowrap', cell: (u) => time(u.last_us) },
    ],
  }));
  fill(box, h('div.head', h('h1', t('page_users')),
    choice('state', t('state'), ['suspend', 'limit', 'appealed'].map((s) => [s, s === 'appealed' ? t('appealed') : named('state', s)])), choice('app', t('app'), person().apps.map((a) => [a, a])),
    may('users') ? h('button', { type: 'button', onclick: () => find_form(read) }, t('find_user')) : null), list);
  read();
  if (params.get('who')) user_dialog(params.get('who'), params.get('app') || undefined, read);
}
