// What was published when, by whom and why; what changed; and back again.
import * as api from './api.js';
import { fill, h } from './dom.js';
import { diff_lines } from './draft.js';
import { number, time } from './format.js';
import { ask_form, badge, dialog, empty_box, error_box, if_may, load, loading_box, table, toast } from './parts.js';
import { t } from './words.js';

function show_diff(v) {
  dialog(t('diff_of', { version: v.slice(0, 12) }), () => {
    const box = h('div', loading_box());
    api.get(`rules/versions/${api.seg(v)}/diff`).then((d) => fill(box, d.lines?.length ? diff_lines(d.lines) : empty_box(t('nothing_here'))), (e) => fill(box, error_box(e)));
    return box;
  }, { wide: true });
}

export async function show_versions(box, { signal }) {
  const content = h('div');
  const id = (v) => v.version ?? v.id;
  const again = () => load(content, signal, (s) => api.get('rules/versions', null, s), (answer) => {
    const rows = Array.isArray(answer) ? answer : answer.rows ?? answer.versions ?? [];
    if (!rows.length) return empty_box(t('unpublished_text'));
    return table([
      { title: t('version'), cell: (v) => [h('span.mono', String(id(v)).slice(0, 12)), ' ', v.current ? badge('good', t('in_force')) : null] },
      { title: t('time'), class: 'nowrap', cell: (v) => time(v.at_us ?? v.time_us) },
      { title: t('act'), cell: (v) => v.act ?? '–' },
      { title: t('who'), cell: (v) => [v.who ?? v.author ?? '–', v.approved_by ? h('span.soft', ` + ${v.approved_by}`) : null] },
      { title: t('reason'), cell: (v) => v.reason ?? '–' },
      { title: t('changes'), class: 'nowrap', cell: (v) => (v.added !== undefined ? `+${number(v.added)} −${number(v.removed ?? 0)} ~${number(v.changed ?? 0)}` : '–') },
      { title: t('what_to_do'), cell: (v) => h('div.row', h('button', { type: 'button', onclick: () => show_diff(String(id(v))) }, t('diff')),
        v.current ? null : if_may('publish', () => h('button', {
          type: 'button', onclick: () => ask_form(t('rollback_to', { version: String(id(v)).slice(0, 12) }), [{ name: 'reason', label: t('reason'), need: true, autofocus: true }], t('rollback'), async ({ reason }) => {
            await api.post('rules/rollback', { version: id(v), reason });
            toast(t('rolled_back'));
            again();
          }, { note: t('rollback_note') }),
        }, t('rollback')))) },
    ], rows, { caption: t('rules_versions') });
  });
  fill(box, content);
  await again();
}
