// Which filing it is: the questionnaire, and what follows from the answers. The outcome is drawn anew with
// each answer; it is kept when somebody who may says so.
import * as api from './api.js';
import { fill, h } from './dom.js';
import { time } from './format.js';
import { act, badge, load, toast } from './parts.js';
import { may } from './person.js';
import { current, either, named, t } from './words.js';

const in_language = (x, key) => (current() === 'zh' ? x[`${key}_zh`] : x[`${key}_en`]) ?? '';

// Where it comes from, and how far that can be trusted (待核实).
const source_of = (x) => h('div.soft.small', x.source ? t('filing_source', { s: x.source }) : null, x.note ? [' ', badge('warn', named('filing_mark', x.note))] : null);

const line = (x) => h('li', either(x), x.command ? [' ', h('code', x.command)] : null, source_of(x));

function outcome(answer, kinds, parts) {
  const name = (id) => either(kinds.find((k) => k.name === id) ?? { zh: id, en: id });
  return [
    h('div.tiles',
      h('div.tile', h('h3', t('filing_due')), h('b.filing-kinds', answer.due.length ? answer.due.map(name).join(t('comma')) : '–'), h('span.soft', t(answer.complete ? 'filing_complete' : 'filing_incomplete'))),
      h('div.tile', h('h3', t('filing_possible')), h('b.filing-kinds', answer.possible.length ? answer.possible.map(name).join(t('comma')) : '–'), h('span.soft', t('filing_possible_text')))),
    parts.filter((p) => answer[p.name]?.length).map((p) => h('section.panel', { 'data-part': p.name },
      h('h2', either(p)), h('ul.filing-lines', answer[p.name].map(line))))];
}

function questionnaire(first, draw, signal) {
  const answers = { ...first.answers };
  const boxes = new Map();
  let turn = 0;
  const show_asked = (asked) => { for (const [key, box] of boxes) box.hidden = !asked.includes(key); };
  async function changed() {
    const mine = ++turn;
    try {
      const answer = await api.post('filing/route/try', { answers }, signal);
      if (mine !== turn || signal.aborted) return;
      show_asked(answer.asked);
      draw(answer);
    } catch (e) {
      if (e.name !== 'AbortError') toast(t('failed'), true);
    }
  }
  const set = (key, value) => {
    if (value) answers[key] = value;
    else delete answers[key];
    changed();
  };
  for (const x of first.questions) {
    const id = `q-${x.key}`;
    const pick = h('select', { id, name: x.key, 'aria-describedby': `${id}-why`, onchange: () => set(x.key, pick.value) },
      h('option', { value: '' }, t('filing_unanswered')),
      x.choices.map((c) => h('option', { value: c.name, selected: answers[x.key] === c.name }, either(c))));
    const detail = x.detail ? h('label.field', h('span', in_language(x, 'detail')),
      h('input', { name: x.detail, value: answers[x.detail] ?? '', autocomplete: 'off', onchange: (e) => set(x.detail, e.target.value.trim()) })) : null;
    boxes.set(x.key, h('div.filing-question', h('label.field', { for: id }, h('strong', either(x))), pick, detail,
      h('details.small', { id: `${id}-why` }, h('summary', t('filing_why')), h('p', in_language(x, 'why')), source_of(x))));
  }
  show_asked(first.asked);
  return { boxes: [...boxes.values()], answers };
}

export const show_route = (box, { signal }) => load(box, signal, (s) => api.get('filing/route', null, s), (first) => {
  const result = h('div.stack-wide', { 'aria-live': 'polite' });
  const draw = (answer) => fill(result, outcome(answer, first.kinds, first.parts));
  const kept = h('p.soft');
  const say_kept = (by, at) => fill(kept, by ? t('filing_kept', { by, at: time(at) }) : t('filing_not_kept'));
  const form = questionnaire(first, draw, signal);
  const save = h('button.main', { type: 'button', 'data-save': '', onclick: () => act(save, async () => {
    await api.post('filing/route', { answers: form.answers });
    const now = await api.get('filing/route');
    say_kept(now.answered_by, now.answered_us);
  }, t('saved_ok')) }, t('filing_keep'));
  say_kept(first.answered_by, first.answered_us);
  draw(first);
  return h('div.columns.filing-route',
    h('section.panel', h('h2', t('filing_questions')), kept, h('form.stack', { onsubmit: (e) => e.preventDefault() }, form.boxes,
      ['publish', 'apps'].some(may) ? h('div.row', save) : h('p.hint', t('filing_note_closed')))),
    result);
});
