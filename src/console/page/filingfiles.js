// The papers, made of what is in force at the moment they are asked for; each that leaves is on record. Do they
// agree, and what has changed since some were handed in?
import * as api from './api.js';
import { h } from './dom.js';
import { number } from './format.js';
import { act, badge, copy_button, dialog, empty_box, load, reason_of, table } from './parts.js';
import { may } from './person.js';
import { either, named, t } from './words.js';

const may_take = () => ['publish', 'apps', 'export'].some(may);
const severities = { error: 'bad', warning: 'warn', note: 'info' };
const duties = { report: 'bad', assess: 'warn', routine: 'none' };

// By a request of its own, so that a refusal is said and nothing leaves the page.
async function take(path, name) {
  const url = URL.createObjectURL(await api.get_blob(path));
  h('a', { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60e3);
}

function take_button(name) {
  const form = named('filing_form', name.split('.').at(-1));
  const b = h('button', { type: 'button', 'data-file': name, 'aria-label': `${form}: ${name}`, onclick: () => act(b, () => take(`filing/files/${api.seg(name)}`, name)) }, form);
  return b;
}

const title = (f) => either(f).replace(/^[a-z]/, (c) => c.toUpperCase());

const papers = (rows) => h('section.panel', h('h2', t('filing_papers')),
  h('p.soft.small', t('filing_files_text')),
  may_take() ? null : h('p.hint', t('filing_files_closed')),
  table([
    { title: t('filing_paper'), class: 'col-text', cell: (f) => h('strong', title(f)) },
    { title: t('file'), class: 'nowrap', cell: (f) => h('span.mono', f.paper) },
    ...(may_take() ? [{ title: t('filing_take'), class: 'nowrap', cell: (f) => (f.may ? h('div.row', f.files.map(take_button)) : h('span.soft', t('filing_role_closed'))) }] : []),
  ], rows, { caption: t('filing_papers') }));

// What the linter found, the gravest first.
const findings = (lint) => (lint.findings.length ? table([
  { title: t('filing_severity'), class: 'nowrap', cell: (x) => badge(severities[x.severity] ?? 'none', named('filing_severity', x.severity)) },
  { title: t('filing_finding'), class: 'col-text', cell: (x) => h('span', { lang: 'zh-CN' }, x.text) },
  { title: t('filing_code'), cell: (x) => h('span.mono.small', x.code) },
], lint.findings, { caption: t('filing_lint') }) : empty_box(t('filing_lint_none')));

export const lint_panel = (signal, open) => {
  const box = h('div');
  load(box, signal, (s) => api.get('filing/lint', null, s), (lint) => [
    h('p', badge(lint.errors ? 'bad' : 'none', t('filing_errors', { n: number(lint.errors) })), ' ', badge(lint.warnings ? 'warn' : 'none', t('filing_warnings', { n: number(lint.warnings) })), ' ', badge('info', t('filing_notes', { n: number(lint.notes) }))),
    h('details', { open }, h('summary', t('filing_lint_show'), h('span.count', number(lint.findings.length))), findings(lint))]);
  return h('section.panel.filing-item', { 'data-item': 'lint' }, h('h2', t('filing_lint')), h('p.soft.small', t('filing_lint_text')), box);
};

// In spite of errors only when somebody has read them and says so.
function packing() {
  const b = h('button.main', { type: 'button', 'data-pack': '', onclick: () => act(b, async () => {
    try {
      await take('filing/pack', 'filing.zip');
    } catch (e) {
      if (e.code !== 'sent_back') throw e;
      dialog(t('filing_sent_back'), (close) => {
        const force = h('button.main.danger', { type: 'button', onclick: () => act(force, async () => { await take('filing/pack?force=1', 'filing.zip'); close(); }) }, t('filing_force'));
        return h('div.stack', h('p', reason_of(e)), h('ul', { lang: 'zh-CN' }, (e.reasons ?? []).map((x) => h('li', x))), h('div.row', force, h('button', { type: 'button', onclick: close }, t('cancel'))));
      }, { wide: true });
    }
  }) }, t('filing_pack_make'));
  return h('section.panel', h('div.panel-head', h('h2', t('filing_pack')), h('span.fill'), ['publish', 'export'].some(may) ? b : null), h('p.soft.small', t('filing_pack_text'), ' ', h('code', 'juyong filing pack')));
}

const since = (signal) => {
  const box = h('div');
  load(box, signal, (s) => api.get('filing/filed', null, s), (x) => (!x.filed ? empty_box(t('filing_not_filed')) : [
    h('p', t('filing_filed_on', { day: x.filed, number: x.number || t('filing_no_number') }), ' ', h('span.mono.small.soft', x.manifest.slice(0, 16)), copy_button(x.manifest)),
    x.changes.length ? table([
      { title: t('filing_duty'), class: 'nowrap', cell: (c) => badge(duties[c.duty] ?? 'none', named('filing_duty', c.duty)) },
      { title: t('filing_fact'), cell: (c) => [h('span', { lang: 'zh-CN' }, c.title ?? c.key), h('div.mono.small.soft', c.key)] },
      { title: t('filing_was'), class: 'col-text', cell: (c) => c.was || '–' },
      { title: t('filing_is'), class: 'col-text', cell: (c) => c.is || '–' },
    ], x.changes, { caption: t('filing_filed') }) : empty_box(t('filing_compare_same'))]));
  return h('section.panel', h('h2', t('filing_filed')), h('p.soft.small', t('filing_filed_text'), ' ', h('code', 'juyong filing pack --filed')), box);
};

export const show_files = (box, { signal }) => load(box, signal, (s) => api.get('filing/files', null, s), ({ rows }) => [papers(rows), packing(), lint_panel(signal, true), since(signal)]);
