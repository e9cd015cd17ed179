// What was published when, by whom and why; what changed; and back again.
import * as api from './api.js';
import { fill, h } from './dom.js';
import { diff_lines, tell_version } from './draft.js';
import { number, time } from './format.js';
import { ask_form, badge, dialog, empty_box, error_box, if_may, load, loading_box, table } from './parts.js';
import { named, t } from './words.js';

function show_diff(v) {
  dialog(t('diff_of', { version: v.slice(0, 12) }), () => {
    const box = h('div', loading_box());
    api.get(`rules/versions/${api.seg(v)}/diff`).then((d) => fill(box, d.lines?.length ? [h('p.soft', d.against ? t('diff_against', { version: d.against }) : t('diff_first')), diff_lines(d.lines, d.untold)] : empty_box(t('nothing_here'))), (e) => fill(box, error_box(e)));
    return box;
  }, { wide: true });
}

export async function show_versions(box, { signal }) {
  const content = h('div');
  const id = (v) => v.version ?? v.id;
  const again = () => load(content, signal, (s) => api.get('rules/versions', { limit: 200 }, s), (answer) => {
    const rows = Array.isArray(answer) ? answer : answer.rows ?? answer.versions ?? [];
    if (!rows.length) return empty_box(t('unpublished_text'));
    return table([
      { title: t('version'), cell: (v) => [h('span.mono', String(id(v) ?? '–').slice(0, 14)), ' ', v.current ? badge('good', t('in_force')) : null] },
      { title: t('time'), class: 'nowrap', cell: (v) => time(v.at_us ?? v.time_us) },
      { title: t('act'), class: 'nowrap', cell: (v) => [named('version_act', v.act), v.state === 'interrupted' || v.state === 'proposed' ? [' ', badge('warn', named('version_state', v.state))] : null, v.filed ? [' ', badge('info', t('filed'))] : null] },
      { title: t('who'), cell: (v) => [v.who ?? v.author ?? '–', v.approved_by ? h('span.soft', ` + ${v.approved_by}`) : null] },
      { title: t('reason'), cell: (v) => [v.word ? h('strong', v.word, ' ') : null, v.reason ? named('version_reason', v.reason) : v.word ? null : '–'] },
      { title: t('changes'), class: 'nowrap', cell: (v) => (v.added !== undefined ? `+${number(v.added)} −${number(v.removed ?? 0)} ~${number(v.changed ?? 0)}` : '–') },
      { title: t('what_to_do'), cell: (v) => h('div.row', id(v) === undefined ? null : h('button', { type: 'button', onclick: () => show_diff(String(id(v))) }, t('diff')),
        v.current || !v.was_in_force ? null : if_may('publish', () => h('button', {
          type: 'button', onclick: () => ask_form(t('rollback_to', { version: String(id(v)).slice(0, 12) }), [{ name: 'reason', label: t('reason'), need: true, autofocus: true }], t('rollback'), async ({ reason }) => {
            tell_version(await api.post('rules/rollback', { version: id(v), reason }), t('rolled_back'));
            again();
          }, { note: t('rollback_note') }),
        }, t('rollback')))) },
    ], rows, { caption: t('rules_versions') });
  });
  fill(box, content);
  await again();
}
