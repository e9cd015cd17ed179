// Verdicts: was an interception right?
import * as api from './api.js';
import { h } from './dom.js';
import { ask_form, reason_of, toast } from './parts.js';
import { may } from './person.js';
import { named, t } from './words.js';
import { offer_phrase } from './phrase.js';

export const verdicts = { c: 'correct', f: 'false_positive', u: 'unsure' };
const most = 500; // exchanges a request

// Puts a verdict on record. `example`: {text, context, rule, risk}, from which an allow phrase may be
// made when it was a false positive. True once it is on record.
export async function judge(requests, verdict, { note, second, example } = {}) {
  let skipped = 0;
  try {
    for (let i = 0; i < requests.length; i += most)
      skipped += (await api.post('reviews', { requests: requests.slice(i, i + most), verdict, note: note || undefined, second: second || undefined })).skipped ?? 0;
  } catch (e) {
    if (e.name !== 'AbortError') toast(`${t('verdict_failed')} ${reason_of(e)}`, true);
    return false;
  }
  toast(t('judged', { n: requests.length - skipped, verdict: named('verdict', verdict) }) + (skipped ? t('skipped', { n: skipped }) : ''));
  if (verdict === 'false_positive' && example) last_false.example = example;
  return true;
}

// What `a` opens: the false positive that was named last.
export const last_false = { example: null };

export function offer_last() {
  const { example } = last_false;
  if (!example) return false;
  if (!example.requests) offer_phrase(example);
  else // of a group: its first exchange has the words
    api.get(`log/${api.seg(example.requests[0])}`).then(offer_phrase, (e) => toast(reason_of(e), true));
  return true;
}

export function ask_note(requests, verdict, done, options = {}) {
  ask_form(t('verdict_with_note'), [
    { name: 'verdict', label: t('verdict'), kind: 'choice', choices: Object.values(verdicts).map((v) => [v, named('verdict', v)]), value: verdict ?? 'correct' },
    { name: 'note', label: t('note'), kind: 'area', most: 2000, autofocus: true },
    { name: 'second', label: t('second_review'), kind: 'tick', value: options.second, hint: t('second_hint') },
  ], t('save'), async (v) => {
    await api.post('reviews', { requests, verdict: v.verdict, note: v.note || undefined, second: v.second || undefined });
    done?.(v.verdict);
  });
}

// Buttons for one exchange; `pick(verdict)`.
export const verdict_buttons = (now, pick, more) => (may('review') ? h('div.row', { class: 'verdicts' },
  Object.entries(verdicts).map(([key, v]) => h('button', { type: 'button', 'data-verdict': v, 'aria-pressed': String(now === v), onclick: () => pick(v) },
    named('verdict', v), h('kbd', { 'aria-hidden': 'true' }, key))), more) : null);
