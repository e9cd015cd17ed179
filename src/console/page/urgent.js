// Urgent words: one person's, live at once, gone on their day, confirmed by somebody else.
import * as api from './api.js';
import { fill, h } from './dom.js';
import { tell_version } from './draft.js';
import { time } from './format.js';
import { ask_form, badge, empty_box, if_may, load, table, toast } from './parts.js';
import { person } from './person.js';
import { risk_name } from './overview.js';
import { either, named, t } from './words.js';

const hours = [4, 24, 72, 168];

const add_form = (again) => ask_form(t('urgent_add'), [
  { name: 'word', label: t('urgent_word'), need: true, most: 128, autofocus: true },
  { name: 'risk', label: t('risk'), kind: 'choice', choices: person().risks.map((r) => [r.id, `${r.id} ${either(r)}`]) },
  { name: 'expires', label: t('urgent_for'), kind: 'choice', value: '72', choices: hours.map((n) => [String(n), t('n_hours', { n })]) },
  { name: 'reason', label: t('reason'), need: true, most: 300 },
], t('urgent_now'), async (v) => {
  tell_version(await api.post('rules/urgent', { word: v.word.trim(), risk: v.risk, expires_s: Number(v.expires) * 3600, reason: v.reason }), t('urgent_live'));
  again();
}, { note: t('urgent_note') });

export async function show_urgent(box, { signal }) {
  const content = h('div');
  const act_on = (word, path, title, again) => h('button', {
    type: 'button', onclick: () => ask_form(title, [{ name: 'reason', label: t('reason'), need: path === 'withdraw', autofocus: true }], title, async ({ reason }) => {
      await api.post(`rules/urgent/${path}`, { id: word.id, word: word.word, risk: word.risk, reason: reason || undefined });
      toast(t('done'));
      again();
    }, { note: word.word }),
  }, title);
  const again = () => load(content, signal, (s) => api.get('rules/urgent', null, s), (answer) => {
    const rows = Array.isArray(answer) ? answer : answer.rows ?? [];
    if (!rows.length) return empty_box(t('no_urgent'));
    return table([
      { title: t('urgent_word'), cell: (w) => h('strong', w.word) },
      { title: t('risk'), cell: (w) => risk_name(w.risk) },
      { title: t('until'), class: 'nowrap', cell: (w) => time(w.expires_us) },
      { title: t('who'), cell: (w) => [w.who ?? w.author, w.confirmed_by ? h('span.soft', ` + ${w.confirmed_by}`) : null] },
      { title: t('reason'), cell: (w) => w.reason },
      { title: t('state'), cell: (w) => badge(w.state === 'confirmed' ? 'good' : w.state === 'live' ? 'warn' : 'none', named('urgent_state', w.state)) },
      { title: t('what_to_do'), cell: (w) => (['live', 'confirmed'].includes(w.state) ? if_may('publish', () => h('div.row', w.state === 'live' ? act_on(w, 'confirm', t('confirm'), again) : null, act_on(w, 'withdraw', t('withdraw'), again))) : null) },
    ], rows, { caption: t('rules_urgent') });
  });
  fill(box, if_may('publish', () => h('div.row', h('button.main', { type: 'button', onclick: () => add_form(again) }, t('urgent_add')))), content);
  await again();
}
