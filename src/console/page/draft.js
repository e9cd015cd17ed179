// The working copy against what is in force, and publishing it.
import * as api from './api.js';
import { fill, h } from './dom.js';
import { number } from './format.js';
import { ask_form, badge, empty_box, if_may, load, toast } from './parts.js';
import { named, t } from './words.js';

export function publish_form(again) {
  ask_form(t('publish'), [
    { name: 'reason', label: t('reason'), need: true, autofocus: true, most: 300 },
    { name: 'force', label: t('publish_force'), kind: 'tick', hint: t('publish_force_hint') },
  ], t('publish_now'), async ({ reason, force }) => {
    const answer = await api.post('rules/publish', { reason, force: force || undefined });
    toast(answer.proposal ? t('proposed', { id: answer.proposal }) : t('published', { version: answer.version ?? '' }));
    again?.();
  }, { note: t('publish_note') });
}

function add_form(again) {
  ask_form(t('draft_add'), [
    { name: 'kind', label: t('draft_kind'), kind: 'choice', choices: ['keyword', 'allow'].map((k) => [k, named('draft', k)]) },
    { name: 'text', label: t('phrase'), need: true, most: 256, autofocus: true },
    { name: 'risk', label: t('risk'), placeholder: 'A1-h', hint: t('risk_hint') },
    { name: 'why', label: t('why'), need: true, most: 300 },
  ], t('add_to_draft'), async (v) => {
    await api.post('rules/draft', { kind: v.kind, text: v.text.trim(), risk: v.risk || undefined, why: v.why });
    toast(t('added_to_draft'));
    again();
  });
}

// Lines of a difference: what they begin with says what they are, and so does their mark.
export function diff_lines(lines) {
  return h('div.diff', { tabindex: '0', role: 'region', 'aria-label': t('diff') }, lines.map((line) => {
    const text = typeof line === 'string' ? line : `${line.op ?? line.sign ?? ' '} ${line.text ?? ''}`;
    const kind = { '+': 'added', '-': 'removed', '~': 'changed', '!': 'changed' }[text[0]] ?? '';
    return h('div.diff-line', { class: kind }, text);
  }));
}

function draw(d, again) {
  const findings = d.findings ?? [];
  return [
    h('div.panel-head', h('p', d.differs ? t('draft_differs', { a: number(d.added ?? 0), r: number(d.removed ?? 0), c: number(d.changed ?? 0) }) : t('draft_same')), h('span.fill'),
      if_may('publish', () => [h('button', { type: 'button', onclick: () => add_form(again) }, t('draft_add')),
        h('button.main', { type: 'button', disabled: !d.differs, onclick: () => publish_form(again) }, t('publish'))])),
    d.proposal ? h('div.hint', h('p', t('proposal_waits', { id: d.proposal.id ?? d.proposal, who: d.proposal.who ?? '' })),
      if_may('publish', () => h('button', { type: 'button', onclick: () => ask_form(t('approve'), [], t('approve'), async () => { await api.post('rules/approve', { proposal: d.proposal.id ?? d.proposal }); toast(t('approved')); again(); }, { note: t('approve_note') }) }, t('approve')))) : null,
    findings.length ? h('section.panel', h('h2', t('findings')), h('ul.notes', findings.map((f) => h('li', badge(f.severity === 'error' ? 'bad' : 'warn', f.severity ? named('severity', f.severity) : t('finding')), ' ', typeof f === 'string' ? f : f.text ?? f.message ?? '')))) : null,
    h('section.panel', h('h2', t('diff')), d.lines?.length ? diff_lines(d.lines) : empty_box(t('nothing_here'))),
  ];
}

export async function show_draft(box, { signal }) {
  const content = h('div.stack-wide');
  const again = () => load(content, signal, (s) => api.get('rules/draft', null, s), (d) => draw(d, again));
  fill(box, content);
  await again();
}
