// The working copy against what is in force, and publishing it.
import * as api from './api.js';
import { fill, h } from './dom.js';
import { number } from './format.js';
import { act, ask_form, badge, empty_box, if_may, load, toast } from './parts.js';
import { may } from './person.js';
import { named, t } from './words.js';

// What came of an act, and whether the gateway serves it.
export function tell_version(answer, done) {
  if (answer.proposal) toast(t('proposed', { id: answer.proposal }));
  else if (answer.state === 'same') toast(t('published_same'));
  else if (answer.gateway === 'refused') toast(t('published_refused', { version: answer.version, why: answer.why ?? '' }), true);
  else if (answer.gateway === 'late') toast(t('published_late', { version: answer.version }), true);
  else toast(done ?? t('published', { version: answer.version ?? '' }));
}

export function publish_form(again) {
  ask_form(t('publish'), [
    { name: 'reason', label: t('reason'), need: true, autofocus: true, most: 300 },
    { name: 'force', label: t('publish_force'), kind: 'tick', hint: t('publish_force_hint') },
  ], t('publish_now'), async ({ reason, force }) => {
    const answer = await api.post('rules/publish', { reason, force: force || undefined });
    tell_version(answer);
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
// `tool(text)` may give a button for a line.
export function diff_lines(lines, untold, tool) {
  return h('div.diff', { tabindex: '0', role: 'region', 'aria-label': t('diff') }, lines.map((line) => {
    const text = typeof line === 'string' ? line : `${line.op ?? line.sign ?? ' '} ${line.text ?? ''}`;
    const kind = { '+': 'added', '-': 'removed', '~': 'changed', '!': 'changed' }[text[0]] ?? '';
    return h('div.diff-line', { class: kind }, text, tool?.(text));
  }), untold ? h('div.diff-line', t('untold', { n: number(untold) })) : null);
}

// A line that was added here can be taken out here.
const removal = (again) => (text) => {
  const [head, ...rest] = text.split('\t');
  const phrase = head === '+ allow';
  const [word, file] = phrase ? rest : rest.slice(2);
  const own = phrase ? /allow\/console\.txt:\d+$/ : /keywords\/console\.txt:\d+$/;
  if (head[0] !== '+' || !own.test(file ?? '')) return null;
  const button = h('button.link', { type: 'button', 'aria-label': `${t('remove')} ${word}` }, t('remove'));
  button.addEventListener('click', () => act(button, async () => {
    await api.post('rules/draft', { kind: phrase ? 'allow' : 'keyword', text: word, risk: phrase ? undefined : head.slice(2).split('/')[0], remove: true });
    again();
  }, t('removed_from_draft')));
  return [' ', button];
};

function draw(d, again) {
  const findings = d.findings ?? [];
  return [
    h('div.panel-head', h('p', d.differs ? t('draft_differs', { a: number(d.added ?? 0), r: number(d.removed ?? 0), c: number(d.changed ?? 0) }) + (d.phrases ? t('draft_phrases', { n: number(d.phrases) }) : '') : t('draft_same')), h('span.fill'),
      if_may('publish', () => [h('button', { type: 'button', onclick: () => add_form(again) }, t('draft_add')),
        h('button.main', { type: 'button', disabled: !d.differs, onclick: () => publish_form(again) }, t('publish'))])),
    d.proposal ? h('div.hint', h('p', t('proposal_waits', { id: d.proposal.id ?? d.proposal, who: d.proposal.who ?? '' })),
      if_may('publish', () => h('button', { type: 'button', onclick: () => ask_form(t('approve'), [], t('approve'), async () => { tell_version(await api.post('rules/approve', { proposal: d.proposal.id ?? d.proposal }), t('approved')); again(); }, { note: t('approve_note') }) }, t('approve')))) : null,
    findings.length ? h('section.panel', h('h2', t('findings')), h('ul.notes', findings.map((f) => h('li', badge(f.severity === 'error' ? 'bad' : 'warn', f.severity ? named('severity', f.severity) : t('finding')), ' ', typeof f === 'string' ? f : f.text ?? f.message ?? '')))) : null,
    h('section.panel', h('h2', t('diff')), d.lines?.length ? diff_lines(d.lines, d.untold, may('publish') || may('review') ? removal(again) : null) : empty_box(t('nothing_here'))),
  ];
}

export async function show_draft(box, { signal }) {
  const content = h('div.stack-wide');
  const again = () => load(content, signal, (s) => api.get('rules/draft', null, s), (d) => draw(d, again));
  fill(box, content);
  await again();
}
