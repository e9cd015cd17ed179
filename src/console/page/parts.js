// The parts that pages are made of: what loads, what failed, dialogs, tables, badges, fields.
import { fill, h, say, toast } from './dom.js';
import { has, named, t } from './words.js';
import { may } from './person.js';
import { hides } from './plain.js';

export function reason_of(error) {
  if (error.code === 'wrong' || error.code === 'code_needed') return t('login_wrong_again');
  if (error.status === 0) return t('error_unreachable');
  if (error.status === 403) return t('error_forbidden');
  if (error.code && has(`error.${error.code}`)) return t(`error.${error.code}`);
  if (error.status === 404) return t('error_absent');
  if (error.status === 409) return error.code === 'own_account' || error.code === 'front' || error.code === 'exists' ? error.message : t('error_conflict');
  if (error.status === 429) return t('error_often', { s: error.retry_s ?? 60 });
  if (error.status === 503) return t('error_busy');
  if (error.status === undefined) console.error(error);
  return error.message || t('error_unknown', { code: error.code ?? error.status ?? '?' });
}

export function error_box(error, again) {
  return h('div.trouble', { role: 'alert' },
    h('p', h('strong', t('failed')), ' ', reason_of(error)),
    error.reasons?.length ? h('ul', error.reasons.map((x) => h('li', x))) : null,
    again && error.status !== 403 ? h('button', { type: 'button', onclick: again }, t('again')) : null);
}

export const empty_box = (text) => h('p.empty', text);
export const loading_box = () => h('div.loading', { 'aria-busy': 'true' }, t('loading'));

// Asks, then draws; what goes wrong is shown with a button to try again. `draw(answer)` gives nodes.
export async function load(box, signal, ask, draw) {
  const slow = setTimeout(() => { if (!box.firstChild) fill(box, loading_box()); }, 120);
  if (box.firstChild) box.setAttribute('aria-busy', 'true');
  try {
    const answer = await ask(signal);
    if (signal?.aborted) return;
    fill(box, await draw(answer));
  } catch (e) {
    if (e.name === 'AbortError' || signal?.aborted) return;
    fill(box, error_box(e, () => { box.replaceChildren(); load(box, signal, ask, draw); }));
  } finally {
    clearTimeout(slow);
    box.removeAttribute('aria-busy');
  }
}

// Runs what a button asks for: the button rests meanwhile, failures are shown, nothing typed is lost.
export async function act(button, work, done) {
  if (button.disabled) return false;
  button.disabled = true;
  try {
    const answer = await work();
    if (done) toast(done);
    return answer ?? true;
  } catch (e) {
    if (e.name !== 'AbortError')
      toast([reason_of(e), ...(e.reasons ?? [])].join(' '), true);
    return false;
  } finally {
    button.disabled = false;
  }
}

// A modal dialog. `body(close)` gives its content; closes by Esc, by its cross or by close().
export function dialog(title, body, { wide, onclose } = {}) {
  const back = document.activeElement;
  const box = h('dialog', { class: wide ? 'wide' : '', 'aria-labelledby': 'dialog-title' });
  const close = () => box.close();
  box.append(
    h('header', h('h2', { id: 'dialog-title' }, title),
      h('button.plain', { type: 'button', 'aria-label': t('close'), onclick: close }, '✕')),
    h('div.dialog-body', body(close)));
  box.addEventListener('close', () => {
    box.remove();
    if (back?.isConnected) back.focus();
    onclose?.();
  });
  document.body.append(box);
  box.showModal();
  (box.querySelector('[autofocus]') ?? box.querySelector('.dialog-body input, .dialog-body textarea, .dialog-body button'))?.focus({ preventScroll: true });
  return close;
}

// A form in a dialog. `fields` as field() takes them; `send(values, close)` may throw, which is shown.
export function ask_form(title, fields, button_text, send, { note, danger, wide } = {}) {
  dialog(title, (close) => {
    const trouble = h('div');
    const inputs = fields.map(field);
    const button = h('button.main', { type: 'submit', class: danger ? 'danger' : '' }, button_text);
    return h('form.stack', {
      novalidate: true,
      // Enter is a new line in a longer text.
      onkeydown: (e) => { if (e.key === 'Enter' && e.ctrlKey) { e.preventDefault(); e.currentTarget.requestSubmit(); } },
      onsubmit: async (e) => {
        e.preventDefault();
        const bad = inputs.find((x) => !x.check());
        if (bad) return bad.input.focus();
        button.disabled = true;
        trouble.replaceChildren();
        try {
          await send(Object.fromEntries(inputs.map((x) => [x.name, x.value()])), close);
          close();
        } catch (error) {
          fill(trouble, error_box(error));
        } finally {
          button.disabled = false;
        }
        return undefined;
      },
    }, note ? h('p.soft', note) : null, inputs.map((x) => x.box), trouble,
    h('div.row', button, h('button', { type: 'button', onclick: close }, t('cancel'))));
  }, { wide });
}

let field_number = 0;

// {name, label, kind: text|password|area|choice|tick|number, choices: [[value, text]], value, need, hint,
// autocomplete}
export function field(f) {
  const id = `f${++field_number}`;
  const shared = { id, name: f.name, required: f.need, autocomplete: f.autocomplete ?? 'off', placeholder: f.placeholder, autofocus: f.autofocus, 'aria-describedby': f.hint ? `${id}h` : null, spellcheck: 'false', maxlength: f.most, inputmode: f.inputmode };
  let input;
  if (f.kind === 'choice')
    input = h('select', shared, f.choices.map(([value, text]) => h('option', { value, selected: value === f.value }, text)));
  else if (f.kind === 'area')
    input = h('textarea', { ...shared, rows: f.rows ?? 3 });
  else
    input = h('input', { ...shared, type: f.kind === 'tick' ? 'checkbox' : f.kind ?? 'text', min: f.min });
  if (f.kind === 'tick') input.checked = Boolean(f.value);
  else if (f.value !== undefined && f.value !== null) input.value = f.value;
  if (f.oninput) input.addEventListener('input', () => f.oninput(input.value));
  const hint = f.hint ? h('small.soft', { id: `${id}h` }, f.hint) : null;
  const wrong = h('small.wrong', { hidden: true }, t('needed'));
  // What an input can't show is shown below it.
  const hidden = hides(f.value) ? h('small.soft', t('hidden_here'), ' ', String(f.value).slice(0, 300)) : null;
  const box = f.kind === 'tick' ? h('div', h('label.tick', input, f.label), hint)
    : h('div', h('label.field', h('span', f.label, f.need ? h('span', { 'aria-hidden': 'true' }, ' *') : null), input), hidden, hint, wrong);
  return {
    name: f.name, box, input,
    value: () => (f.kind === 'tick' ? input.checked : f.kind === 'number' ? (input.value === '' ? null : Number(input.value)) : input.value),
    check: () => {
      const fine = !f.need || f.kind === 'tick' || input.value.trim() !== '';
      wrong.hidden = fine;
      input.setAttribute('aria-invalid', String(!fine));
      return fine;
    },
  };
}

const shapes = { allow: '○', flag: '⚑', mask: '▒', answer: '↩', block: '■' };

export const action_badge = (action) => h('span.badge', { class: `act-${Object.hasOwn(shapes, action ?? '') ? action : 'none'}` },
  h('span', { 'aria-hidden': 'true' }, shapes[action] ?? '·'), named('action', action));

// kind: good, bad, warn, info, none
export const badge = (kind, text) => h('span.badge', { class: `is-${kind}` }, text);

export function verdict_badge(review) {
  const verdict = typeof review === 'string' ? review : review?.verdict ?? null;
  const kind = { correct: 'good', false_positive: 'warn', unsure: 'info' }[verdict] ?? 'none';
  return badge(kind, named('verdict', verdict ?? 'open'));
}

// columns: [{title, cell(row), class}]
export function table(columns, rows, { caption, row_props } = {}) {
  return h('div.table-box', { tabindex: '0', role: 'region', 'aria-label': caption ?? t('table') },
    h('table', caption ? h('caption.unseen', caption) : null,
      h('thead', h('tr', columns.map((c) => h('th', { scope: 'col', class: c.class }, c.title)))),
      h('tbody', rows.map((row) => h('tr', row_props?.(row) ?? {},
        columns.map((c) => h('td', { class: c.class, 'data-title': c.title }, h('div.cell', c.cell(row)))))))));
}

// A list that comes in pages: a table with a button below for what is older.
export function paged(signal, { ask, columns, none, caption, key = 'rows', more_text = t('older') }) {
  const box = h('div');
  load(box, signal, () => ask({}), (first) => {
    if (!first[key].length) return empty_box(none);
    const shown = table(columns, first[key], { caption });
    const body = shown.querySelector('tbody');
    let older = first.older;
    const more = h('button', { type: 'button', hidden: !older }, more_text);
    more.addEventListener('click', () => act(more, async () => {
      const next = await ask({ before: older });
      const extra = table(columns, next[key]).querySelectorAll('tbody > tr');
      body.append(...extra);
      older = next.older;
      more.hidden = !older;
    }));
    return [shown, h('p.more', more)];
  });
  return box;
}

// pairs: [[name, value or node]], empty values are left out
export const facts = (pairs) => h('dl.facts', pairs
  .filter(([, value]) => value !== null && value !== undefined && value !== '' && value !== '–')
  .map(([name, value]) => [h('dt', name), h('dd', value)]));

// tabs: [{id, title, draw()}]; gives the element; onchange(id) when another is chosen.
export function tabs(list, chosen, onchange) {
  const panel = h('div.tab-panel', { role: 'tabpanel', id: 'tab-panel', tabindex: '0' });
  const buttons = list.map((tab) => h('button.tab', { type: 'button', role: 'tab', id: `tab-${tab.id}`, 'aria-controls': 'tab-panel', onclick: () => pick(tab) }, tab.title));
  function pick(tab, quiet) {
    list.forEach((x, i) => {
      buttons[i].setAttribute('aria-selected', String(x === tab));
      buttons[i].tabIndex = x === tab ? 0 : -1;
    });
    panel.setAttribute('aria-labelledby', `tab-${tab.id}`);
    fill(panel, tab.draw());
    if (!quiet) onchange?.(tab.id);
  }
  const bar = h('div.tab-bar', {
    role: 'tablist',
    onkeydown: (e) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[e.key];
      if (!step) return;
      e.preventDefault();
      e.stopPropagation();
      const at = buttons.indexOf(document.activeElement);
      const next = (at + step + list.length) % list.length;
      pick(list[next]);
      buttons[next].focus();
    },
  }, buttons);
  pick(list.find((x) => x.id === chosen) ?? list[0], true);
  return h('div.tabs', bar, panel);
}

export function copy_button(text, label) {
  return h('button.plain', {
    type: 'button',
    onclick: async () => {
      try {
        await navigator.clipboard.writeText(text);
        toast(t('copied'));
      } catch {
        toast(t('copy_failed'), true);
      }
    },
  }, label ?? t('copy'));
}

// For roles that may; others never see it.
export const if_may = (permission, make) => (may(permission) ? make() : null);

export { say, toast };
