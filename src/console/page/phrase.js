// From a false positive to an allow phrase: proposed from the text, tried at once on logged traffic,
// then added to the draft and published.
import * as api from './api.js';
import { link } from './address.js';
import { fill, h } from './dom.js';
import { number, time } from './format.js';
import { act, action_badge, dialog, error_box, field, if_may, table, toast } from './parts.js';
import { place_of } from './plain.js';
import { excerpt } from './rows.js';
import { publish_form } from './draft.js';
import { may } from './person.js';
import { risk_name } from './overview.js';
import { named, t } from './words.js';

const word = /[\p{L}\p{N}]/u;

// Where the gateway has none: the word with what it is part of, to the ends of the run of letters around it, at most six
// characters to a side. The reviewer shortens it; too long is safe, it frees less.
export function suggestion(example) {
  const context = example.context ?? example.text ?? '';
  const at = place_of(example.text, context);
  if (!at) return example.text ?? '';
  const before = [...context.slice(0, at.start)];
  const after = [...context.slice(at.end)];
  let from = before.length;
  let to = 0;
  while (from > 0 && before.length - from < 6 && word.test(before[from - 1])) from--;
  while (to < after.length && to < 6 && word.test(after[to])) to++;
  return before.slice(from).join('') + example.text + after.slice(0, to).join('');
}

function findings(answer) {
  const count = (n, key) => h('div.tile', h('h3', t(key)), h('b', number(n ?? 0)));
  return [
    h('div.tiles.small-tiles', count(answer.looked_at, 'try_looked'), count(answer.hit, 'try_hit'), count(answer.freed, 'try_freed'), count(answer.caught, 'try_caught')),
    answer.samples?.length ? table([
      { title: t('action'), cell: (r) => [action_badge(r.action), r.now ? [' → ', action_badge(r.now)] : null], class: 'nowrap' },
      { title: t('risk'), class: 'nowrap', cell: (r) => r.risk ?? '–' },
      { title: t('col_text'), cell: excerpt, class: 'col-text' },
    ], answer.samples.slice(0, 20), { caption: t('try_samples') }) : null,
    answer.unseen ? h('div.hint', h('strong', t('try_unseen')), h('ul.notes', unseen(answer.unseen).map((x) => h('li', x)))) : null,
  ];
}

// What the numbers above can't speak of, a sentence each.
function unseen(u) {
  const n = (count, key, more) => (count ? t(key, { n: number(count), ...more }) : null);
  return [
    u.around_match ? t('unseen_around') : null,
    n(u.allowed_without_text, 'unseen_allowed', { p: number(u.sample_percent ?? 0) }),
    n(u.without_text, 'unseen_gone', { d: number(u.text_days ?? 0) }),
    u.texts_from ? t('unseen_pruned', { month: u.texts_from }) : null,
    u.back_to_us ? t('unseen_time', { at: time(u.back_to_us) }) : null,
    u.allowed_back_to_us ? t('unseen_time_allowed', { at: time(u.allowed_back_to_us) }) : null,
    n(u.unjudged, 'unseen_unjudged'),
  ].filter(Boolean);
}

// The dialog. `example`: {text, context, rule, risk, request_id?}
export function offer_phrase(example) {
  dialog(t('allow_title'), (close) => {
    const kind = field({ name: 'kind', label: t('draft_kind'), kind: 'choice', choices: ['allow', 'keyword'].map((k) => [k, named('draft', k)]), value: 'allow' });
    const text = field({ name: 'text', label: t('phrase'), value: suggestion(example), need: true, most: 256, autofocus: true, hint: t('phrase_hint') });
    const why = field({ name: 'why', label: t('why'), need: true, most: 300, value: t('why_false', { rule: example.rule ?? '' }) });
    const result = h('div.stack', { 'aria-live': 'polite' });
    const trouble = h('div');
    const asked = () => ({ kind: kind.value(), text: text.value().trim(), risk: example.risk ?? undefined });
    const add = h('button.main', { type: 'button', onclick: add_now }, t('add_to_draft'));

    async function try_now(button) {
      if (!text.check()) return;
      trouble.replaceChildren();
      result.setAttribute('aria-busy', 'true');
      try {
        fill(result, findings(await api.post('rules/try-log', { draft: asked(), since: Date.now() * 1000 - 30 * 86400e6 })));
      } catch (e) {
        fill(trouble, error_box(e, () => try_now(button)));
      }
      result.removeAttribute('aria-busy');
    }

    async function add_now() {
      if (![text, why].every((f) => f.check())) return;
      await act(add, async () => {
        try {
          await api.post('rules/draft', { ...asked(), why: why.value().trim() });
        } catch (e) {
          fill(trouble, error_box(e));
          return;
        }
        toast(t('added_to_draft'));
        fill(after, h('p', t('added_to_draft'), ' ', h('a', { href: link(['rules', 'draft']), onclick: close }, t('see_draft'))),
          if_may('publish', () => h('button.main', { type: 'button', onclick: () => { close(); publish_form(); } }, t('publish'))));
      });
    }

    const after = h('div.row', add, h('button', { type: 'button', onclick: close }, t('cancel')));
    const form = h('form.stack', { novalidate: true, onsubmit: (e) => { e.preventDefault(); try_now(); } },
      h('p.soft', t('allow_text', { rule: example.rule ?? '–', risk: example.risk ? risk_name(example.risk) : '–' })),
      example.context || example.text ? h('div.boxed', excerpt(example)) : null,
      kind.box, text.box, h('div.row', h('button', { type: 'submit' }, t('try_now'))), result, why.box, trouble, after);
    // The gateway knows the shortest phrase that would have saved it. What a phrase would free is the
    // first thing to know of it.
    (async () => {
      const own = text.value();
      if (example.request_id && may('review')) {
        const { phrase } = await api.get(`reviews/suggest/${api.seg(example.request_id)}`).catch(() => ({}));
        if (phrase && text.value() === own) text.input.value = phrase;
      }
      if (text.value()) try_now();
    })();
    return form;
  }, { wide: true });
}
