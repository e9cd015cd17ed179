// The rules: library, coverage, trying out, draft, versions, urgent words.
import * as api from './api.js';
import { link, note } from './address.js';
import { show_coverage } from './coverage.js';
import { show_draft } from './draft.js';
import { fill, h } from './dom.js';
import { number } from './format.js';
import { action_badge, badge, dialog, error_box, facts, loading_box, paged } from './parts.js';
import { person } from './person.js';
import { risk_name } from './overview.js';
import { show_tryout } from './tryout.js';
import { show_urgent } from './urgent.js';
import { show_versions } from './versions.js';
import { either, named, t } from './words.js';

const parts = { library: show_library, coverage: show_coverage, try: show_tryout, draft: show_draft, versions: show_versions, urgent: show_urgent };

export async function show(box, ctx) {
  const part = Object.hasOwn(parts, ctx.parts[0] ?? '') ? ctx.parts[0] : 'library';
  const content = h('div.stack-wide');
  fill(box, h('div.head', h('h1', t('page_rules'))),
    h('nav.sub', { 'aria-label': t('page_rules') }, Object.keys(parts).map((p) => h('a', { href: link(p === 'library' ? 'rules' : ['rules', p]), 'aria-current': p === part ? 'page' : null }, t(`rules_${p}`)))), content);
  await parts[part](content, ctx);
}

const false_share = (r) => (r.count_7d ? `${number(r.false_positive_7d ?? 0)}/${number(r.count_7d)}` : '–');

export function rule_dialog(id) {
  dialog(id, () => {
    const box = h('div', loading_box());
    api.get('rules/rule', { id }).then((r) => fill(box, facts([
      [t('text'), h('div.quote', r.text)], [t('kind'), named('kind', r.kind)], [t('risk'), risk_name(r.risk)], [t('action'), r.action ? action_badge(r.action) : [t('by_policy'), Object.entries(r.effect ?? {}).map(([d, a], i) => [i ? t('comma') : t('colon'), named('direction', d), ' ', action_badge(a)])]],
      [t('state'), r.state ? named('rule_state', r.state) : null], [t('quarantined'), r.quarantine],
      [t('direction'), r.direction ? named('direction', r.direction) : t('both_directions')], [t('why'), r.why], [t('source'), r.source],
      [t('extra_layers'), (r.layers ?? []).map((l) => named('layer', l)).join(t('comma'))], [t('observe'), r.observe ? t('observed_only') : null],
      [t('hits_7d'), number(r.count_7d ?? 0)], [t('false_7d'), number(r.false_positive_7d ?? 0)], [t('file'), r.file ? `${r.file}:${r.line ?? ''}` : null],
    ]), h('p', h('a', { href: link('log', { rule: id }), onclick: () => box.closest('dialog').close() }, t('all_of_rule')))),
    (e) => fill(box, error_box(e)));
    return box;
  });
}

async function show_library(box, { params, signal }) {
  const f = { q: params.get('q') ?? '', risk: params.get('risk') ?? '', kind: params.get('kind') ?? '', state: params.get('state') ?? '' };
  const list = h('div');
  const total = h('span.soft', { role: 'status' });
  const changed = (part) => { Object.assign(f, part); note('rules', f, true); read(); };
  const choice = (name, label, values) => {
    const s = h('select', { 'aria-label': label, onchange: () => changed({ [name]: s.value }) }, h('option', { value: '' }, label), values.map(([v, text]) => h('option', { value: v, selected: v === f[name] }, text)));
    return h('div.narrow', s);
  };
  let timer = null;
  const search = h('input', {
    type: 'search', 'data-search': '', 'aria-label': t('search_rules'), placeholder: t('search_rules'), value: f.q,
    oninput: () => { clearTimeout(timer); timer = setTimeout(() => { if (!signal.aborted) changed({ q: search.value.trim() }); }, 250); },
  });
  function read() {
    fill(list, paged(signal, {
      none: t('no_rules'), caption: t('rules_library'),
      ask: async ({ before }) => {
        const answer = await api.get('rules', { ...f, before, limit: 100 }, signal);
        if (answer.total !== undefined) fill(total, t('rules_total', { n: number(answer.total) }));
        return answer;
      },
      columns: [
        { title: t('text'), class: 'col-text', cell: (r) => h('button.link', { type: 'button', onclick: () => rule_dialog(r.id) }, r.text || r.id) },
        { title: t('kind'), cell: (r) => named('kind', r.kind), class: 'nowrap' },
        { title: t('risk'), cell: (r) => risk_name(r.risk) },
        { title: t('action'), cell: (r) => [r.action ? action_badge(r.action) : h('span.soft', t('by_policy')), r.observe ? badge('warn', t('observed_only')) : null] },
        { title: t('direction'), cell: (r) => (r.direction ? named('direction', r.direction) : h('span.soft', t('both_directions'))), class: 'nowrap' },
        { title: t('hits_7d'), class: 'right', cell: (r) => number(r.count_7d ?? 0) },
        { title: t('false_7d'), class: 'right', cell: false_share },
      ],
    }));
  }
  fill(box, h('div.filter-line', search,
    choice('risk', t('risk'), person().risks.map((r) => [r.id, `${r.id} ${either(r)}`])),
    choice('kind', t('kind'), ['keyword', 'near', 'pattern', 'allow'].map((k) => [k, named('kind', k)])),
    choice('state', t('state'), ['active', 'observed', 'quarantined', 'expired'].map((k) => [k, named('rule_state', k)]))), total, list);
  read();
  if (params.get('id')) rule_dialog(params.get('id'));
}
