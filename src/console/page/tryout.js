// A text, judged as the gateway would, with every reason.
import * as api from './api.js';
import { link, note } from './address.js';
import { fill, h } from './dom.js';
import { action_badge, badge, empty_box, error_box, facts, field } from './parts.js';
import { from_bytes, marked } from './plain.js';
import { current, named, t } from './words.js';

const name_of = (x) => `${x.risk} ${(current() === 'zh' ? x.risk_name : x.risk_name_en) ?? ''}`;

function found(x, saved) {
  return h('article.hit',
    h('div.hit-head', saved ? badge('good', t('saved_by', { phrase: x.phrase?.text ?? '' })) : action_badge(x.action), h('strong', name_of(x)), x.observed ? badge('warn', t('observed_only')) : null, h('span.fill'),
      h('a', { href: link('rules', { id: x.rule }) }, h('span.mono', x.rule))),
    facts([[t('text'), x.text], [t('folded'), x.folded !== x.text ? h('span.mono', x.folded) : null], [t('seen_through'), (x.layers ?? []).map((l) => named('layer', l)).join(t('comma'))],
      [t('rule'), `${named('kind', x.kind)} ${x.source ?? ''}`], [t('file'), x.file ? `${x.file}:${x.line}` : null], [t('why'), x.why], [t('decided'), x.reason]]));
}

function draw(text, answer) {
  const hits = answer.hits ?? [];
  const saved = answer.saved ?? [];
  const at = from_bytes(text, hits.flatMap((x) => [x.start, x.end]));
  return [
    h('p', action_badge(answer.action), ' ', hits.length ? t('found_n', { n: hits.length }) : t('found_none')),
    marked(text, hits.map((x) => ({ start: at(x.start), end: at(x.end), title: x.rule }))),
    hits.map((x) => found(x, false)),
    saved.length ? [h('h3', t('saved')), saved.map((x) => found(x, true))] : null,
  ];
}

export async function show_tryout(box, { params, signal }) {
  const result = h('div.stack', { 'aria-live': 'polite' });
  const text = field({ name: 'text', label: t('text'), kind: 'area', rows: 5, need: true, value: params.get('text') ?? '', autofocus: true });
  const direction = field({ name: 'direction', label: t('direction'), kind: 'choice', choices: ['prompt', 'completion'].map((d) => [d, named('direction', d)]), value: params.get('direction') ?? 'prompt' });
  const draft = field({ name: 'draft', label: t('with_draft'), kind: 'tick', value: params.get('draft') === '1' });
  const button = h('button.main', { type: 'submit' }, t('try_now'));
  async function run() {
    if (!text.check()) return;
    button.disabled = true;
    const asked = text.value();
    note(['rules', 'try'], { direction: direction.value() === 'prompt' ? null : direction.value(), draft: draft.value() });
    try {
      fill(result, draw(asked, await api.post('rules/try', { text: asked, direction: direction.value(), draft: draft.value() || undefined }, signal)));
    } catch (e) {
      if (e.name !== 'AbortError') fill(result, error_box(e, run));
    } finally {
      button.disabled = false;
    }
  }
  fill(box, h('div.columns',
    h('form.panel.stack', { novalidate: true, onsubmit: (e) => { e.preventDefault(); run(); } }, h('p.soft', t('try_text')), text.box, h('div.row', h('div.narrow', direction.box), draft.box), h('div.row', button)),
    h('section.panel', h('h2', t('result')), result)));
  fill(result, empty_box(t('try_nothing')));
}
