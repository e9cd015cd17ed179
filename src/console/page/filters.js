// The filters of the log: what the address says, what the form shows, what the API is asked.
import { h } from './dom.js';
import { from_local, to_local } from './format.js';
import { may, person } from './person.js';
import { either, named, t } from './words.js';

export const presets = { '1h': 3600, '1d': 86400, '7d': 7 * 86400, '30d': 30 * 86400, '183d': 183 * 86400 };
const plain_names = ['action', 'risk', 'rule', 'app', 'model', 'end_user', 'request_id', 'direction', 'review', 'text', 'purpose', 'session', 'all'];

// From the address: {t, since, until, action, …}; `t` is a preset, "" for ever, or "own".
export function filters_of(params) {
  const f = { t: params.get('t') ?? '7d', since: params.get('since'), until: params.get('until') };
  for (const name of plain_names) f[name] = params.get(name) ?? '';
  return f;
}

// To the address; what is usual is left out.
export function address_of(f) {
  const out = { t: f.t === '7d' ? null : f.t };
  if (f.t === 'own') Object.assign(out, { since: f.since, until: f.until });
  for (const name of plain_names) out[name] = f[name];
  return out;
}

// To the API's query.
export function query_of(f) {
  const out = {};
  for (const name of plain_names) if (f[name]) out[name] = f[name];
  if (f.t === 'own') Object.assign(out, { since: f.since, until: f.until });
  else if (presets[f.t]) out.since = Date.now() * 1000 - presets[f.t] * 1e6;
  return out;
}

export const count_of = (f) => plain_names.filter((n) => f[n] && n !== 'text').length;

function choice(name, label, values, f, changed) {
  const input = h('select', { id: `by-${name}`, onchange: () => changed({ [name]: input.value }) },
    h('option', { value: '' }, t('any')), values.map(([value, text]) => h('option', { value, selected: value === f[name] }, text)));
  // What the address names and the lists don't must not be lost silently.
  if (f[name] && !values.some(([value]) => value === f[name])) input.append(h('option', { value: f[name], selected: true }, f[name]));
  return h('label.field', { for: `by-${name}` }, h('span', label), input);
}

function words(name, label, f, changed, more) {
  const input = h('input', { id: `by-${name}`, value: f[name], autocomplete: 'off', spellcheck: 'false', onchange: () => changed({ [name]: input.value.trim() }), ...more });
  return h('label.field', { for: `by-${name}` }, h('span', label), input);
}

function moment(name, label, f, changed) {
  const input = h('input', { id: `by-${name}`, type: 'datetime-local', value: to_local(Number(f[name])), onchange: () => changed({ t: 'own', [name]: from_local(input.value) }) });
  return h('label.field', { for: `by-${name}` }, h('span', label), input);
}

// The form; `changed(part)` with what was chosen.
export function filter_form(f, changed) {
  const { risks, apps, models } = person();
  const same = (list) => list.map((x) => [x, x]);
  // Who reads no texts can't search them; what the address asks for can be taken back.
  const search = h('input', {
    type: 'search', id: 'by-text', 'data-search': '', 'aria-label': t('search_text'), placeholder: t('search_text'), value: f.text, autocomplete: 'off', spellcheck: 'false', maxlength: 200,
    onkeydown: (e) => { if (e.key === 'Enter') changed({ text: search.value.trim() }); },
    onsearch: () => changed({ text: search.value.trim() }),
  });
  const time = h('select', { id: 'by-t', 'aria-label': t('time'), onchange: () => changed({ t: time.value }) },
    [...Object.keys(presets), 'ever', 'own'].map((id) => h('option', { value: id, selected: id === f.t }, t(`span_${id}`))));
  const n = count_of(f);
  const more = h('details.filters', { open: n > 0 || f.t === 'own' },
    h('summary', t('filters'), n ? h('span.count', n) : null),
    h('div.filter-grid',
      choice('action', t('action'), ['flag', 'mask', 'answer', 'block'].map((a) => [a, named('action', a)]), f, changed),
      choice('risk', t('risk'), risks.map((r) => [r.id, `${r.id} ${either(r)}`]), f, changed),
      choice('direction', t('direction'), ['prompt', 'completion'].map((d) => [d, named('direction', d)]), f, changed),
      choice('review', t('review_state'), ['open', 'correct', 'false_positive', 'unsure'].map((v) => [v, named('verdict', v)]), f, changed),
      choice('app', t('app'), same(apps), f, changed),
      choice('model', t('model'), same(models), f, changed),
      words('rule', t('rule'), f, changed),
      words('end_user', t('end_user'), f, changed),
      words('request_id', t('request_id'), f, changed),
      words('session', t('session'), f, changed),
      choice('purpose', t('purpose'), ['regulator-enforce', 'regulator-observe', 'any'].map((p) => [p, named('purpose', p)]), f, changed),
      f.t === 'own' ? [moment('since', t('since'), f, changed), moment('until', t('until'), f, changed)] : null,
      h('label.tick', h('input', { type: 'checkbox', checked: Boolean(f.all), onchange: (e) => changed({ all: e.target.checked ? '1' : '' }) }), t('all_events')),
      n ? h('button', { type: 'button', onclick: () => changed(Object.fromEntries(plain_names.map((x) => [x, '']))) }, t('clear_filters')) : null));
  return h('div.filter-bar', h('div.filter-line', may('read') || f.text ? search : null, h('div.narrow', time)), more);
}
