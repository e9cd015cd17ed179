// What is told of one exchange, by tabs.
import * as api from './api.js';
import { link } from './address.js';
import { h } from './dom.js';
import { bytes, duration, full_time, number, time } from './format.js';
import { from_bytes, marked, place_of } from './plain.js';
import { action_badge, ask_form, badge, copy_button, empty_box, facts, verdict_badge } from './parts.js';
import { may, risk_of } from './person.js';
import { risk_name } from './overview.js';
import { either, named, t } from './words.js';

const layers_of = (list) => (list ?? []).map((l) => named('layer', l));
const yes_no = (b) => (b === null || b === undefined ? null : t(b ? 'yes' : 'no'));

function seen_through(layers) {
  return layers?.length ? h('div.layers', h('span.soft', t('seen_through')), layers.map((l) => badge('info', named('layer', l)))) : null;
}

function hit_box(hit) {
  const context = hit.context ?? hit.text;
  const place = place_of(hit.text, context);
  const rule = hit.rule ? h('a', { href: link('rules', { id: hit.rule }) }, h('span.mono', hit.rule)) : null;
  return h('article.hit',
    h('div.hit-head', action_badge(hit.action), hit.observed ? badge('warn', t('observed_only')) : null, hit.old ? badge('none', t('old_offence')) : null,
      h('strong', risk_name(hit.risk)), h('span.fill'), rule),
    context ? marked(context, place ? [{ ...place, title: layers_of(hit.layers).join(t('comma')) }] : []) : h('p.soft', t(may('read') ? 'text_gone' : 'text_closed')),
    seen_through(hit.layers),
    facts([[t('folded'), hit.folded && hit.folded !== hit.text ? h('span.mono', hit.folded) : null],
      [t('where'), [hit.role ? named('role_of', hit.role) : null, hit.path].filter(Boolean).join(' · ')]]));
}

// A whole text that was revealed, or that is kept, with what matched in it.
function whole_text(x) {
  const at = from_bytes(x.text, (x.hits ?? []).flatMap((y) => [y.start, y.end]));
  const hits = (x.hits ?? []).map((y) => ({ start: at(y.start), end: at(y.end), title: [y.rule, ...layers_of(y.layers)].filter(Boolean).join(t('comma')) }));
  const layers = [...new Set((x.hits ?? []).flatMap((y) => y.layers ?? []))];
  return h('article.hit', h('div.hit-head', h('strong', named('role_of', x.role ?? x.direction)), x.path ? h('span.mono.soft', x.path) : null, h('span.fill'), copy_button(x.text)),
    x.cut_before ? h('p.soft', t('cut_before')) : null, marked(x.text, hits), x.cut_after ? h('p.soft', t('cut_after')) : null, seen_through(layers));
}

function reveal_button(shown, { onreveal }) {
  if (!may('reveal') || shown.texts) return null;
  return h('p', h('button', {
    type: 'button', 'data-reveal': '',
    onclick: () => ask_form(t('reveal'), [{ name: 'reason', label: t('reason'), need: true, autofocus: true, most: 500 }], t('reveal_now'), async ({ reason }) => {
      const answer = await api.post(`log/${api.seg(shown.id)}/reveal`, { reason });
      onreveal(answer.texts, answer.absent);
    }, { note: t('reveal_note') }),
  }, t('reveal'), h('kbd', { 'aria-hidden': 'true' }, 'o')));
}

function side_tab(shown, direction, on) {
  const { detail, texts } = shown;
  const own = (list) => (list ?? []).filter((x) => x.direction === direction);
  const kept = own(detail.kept).filter((x) => x.text);
  const hits = own(detail.hits);
  const said = (detail.opinions ?? []).filter((o) => o.direction === direction);
  return [
    reveal_button(shown, on),
    texts ? [h('p.soft', t('revealed')), own(texts).length ? own(texts).map(whole_text) : empty_box(t(shown.absent ? 'original_gone' : 'no_original'))] : null,
    kept.length ? [h('h3', t('kept')), kept.map((x) => whole_text({ ...x, role: direction }))] : null,
    hits.length ? [h('h3', t('matches')), hits.map(hit_box)] : !texts && !kept.length ? empty_box(t('no_match_here')) : null,
    said.length ? [h('h3', t('opinions')), said.map(opinion)] : null,
  ];
}

const opinion = (o) => h('article.hit', h('div.hit-head', h('strong', o.by), badge(o.failed ? 'warn' : o.said === 'safe' ? 'good' : 'bad', o.failed ? `${t('no_answer')}: ${o.failed}` : o.said),
  o.score ? h('span', `${o.score}%`) : null, o.action ? action_badge(o.action) : null, h('span.fill'), h('span.soft', duration(o.us))));

function overview_tab(shown, on) {
  const { detail: d } = shown;
  const hits = d.hits ?? [];
  return [
    hits.length ? hits.slice(0, 3).map(hit_box) : empty_box(d.reason ? named('reason', d.reason) : t('no_match')),
    hits.length > 3 ? h('p.soft', t('more_hits', { n: hits.length - 3 })) : null,
    reveal_button(shown, on),
    h('h3', t('what_happened')),
    facts([
      [t('outcome'), named('outcome', d.outcome)], [t('reason'), d.reason ? named('reason', d.reason) : null],
      [t('status'), d.status], [t('app'), d.app], [t('model'), d.model],
      [t('model_answered'), d.model_differs ? [d.model_answered, ' ', badge('warn', t('differs'))] : null],
      [t('filing_number'), d.filing_number], [t('mode'), d.mode ? named('mode', d.mode) : null], [t('purpose'), d.purpose ? named('purpose', d.purpose) : null],
      [t('end_user'), d.end_user ? h('a', { href: link('users', { who: d.end_user, app: d.app }) }, h('span.mono', d.end_user)) : null],
      [t('user_state'), d.user_state ? `${named('state', d.user_state)} · ${t('strikes_n', { n: d.strikes ?? 0, today: d.strikes_today ?? 0 })}` : null],
      [t('client_ip'), d.client_ip ? h('span.mono', d.client_ip) : null], [t('session'), d.session], [t('device'), d.device],
      [t('provider_refusal'), d.provider_refusal], [t('label'), d.label ? named('label', d.label) : null],
    ]),
    d.reviews?.length ? [h('h3', t('reviews')), h('ul.notes', d.reviews.map((r) => h('li', verdict_badge(r.verdict), ' ', h('strong', r.who ?? r.reviewer), ' ', h('span.soft', time(r.at_us)), r.second ? [' ', badge('info', t('second_review'))] : null, r.replaced ? [' ', badge('none', t('replaced'))] : null, r.note ? h('div', r.note) : null)))] : null,
  ];
}

function rule_tab(d) {
  const rules = [...new Map((d.hits ?? []).filter((x) => x.rule).map((x) => [x.rule, x])).values()];
  return [
    rules.length ? rules.map((x) => h('article.hit',
      h('div.hit-head', h('a', { href: link('rules', { id: x.rule }) }, h('span.mono', x.rule)), h('span.fill'), action_badge(x.action)),
      facts([[t('risk'), risk_name(x.risk)], [t('group'), risk_of(x.risk) ? either(risk_of(x.risk)) : null], [t('folded'), x.folded], [t('seen_through'), layers_of(x.layers).join(t('comma'))]]),
      h('p', h('a', { href: link('log', { rule: x.rule }) }, t('all_of_rule'))))) : empty_box(t('no_match')),
    facts([[t('ruleset'), d.ruleset ? h('span.mono', d.ruleset) : null]]),
  ];
}

function timings_tab(d) {
  const steps = [['judge_us', 'time_judge'], ['upstream_us', 'time_upstream'], ['first_byte_us', 'time_first'], ['held_us', 'time_held'], ['total_us', 'time_total']];
  const most = Math.max(1, ...steps.map(([k]) => d[k] ?? 0));
  return [
    h('dl.timings', steps.filter(([k]) => d[k]).map(([k, name]) => {
      const bar = h('meter', { min: '0', max: String(most), value: String(d[k]), 'aria-label': t(name) });
      return [h('dt', t(name)), h('dd', bar, h('span.nowrap', duration(d[k])))];
    })),
    facts([[t('received'), full_time(d.received)], [t('recorded'), full_time(d.time)], [t('prompt_bytes'), bytes(d.prompt_bytes)], [t('completion_bytes'), bytes(d.completion_bytes)],
      [t('stream'), yes_no(d.stream)], [t('complete'), yes_no(d.complete)], [t('upstream_status'), d.upstream_status], [t('upstream_request_id'), d.upstream_request_id], [t('node'), d.node]]),
  ];
}

function conversation_tab(d, on) {
  const rows = d.conversation ?? [];
  return rows.length ? h('ol.turns', rows.map((r) => h('li', { 'aria-current': r.request_id === d.request_id ? 'true' : null },
    h('button.link', { type: 'button', onclick: () => on.onopen(r.request_id) }, time(r.time)), ' ', action_badge(r.action), ' ', r.risk ? risk_name(r.risk) : '',
    r.context ? h('div.excerpt', r.context.slice(0, 120)) : null))) : empty_box(t('no_conversation'));
}

function raw_tab(d) {
  const text = JSON.stringify(d.records ?? d, null, 2);
  return [h('div.row', h('span.soft', d.records ? t('records_n', { n: number(d.records.length) }) : ''), h('span.fill'), copy_button(text)), h('pre.raw', { tabindex: '0' }, text)];
}

export function exchange_tabs(shown, on) {
  const d = shown.detail;
  const n = (direction) => (d.hits ?? []).filter((x) => x.direction === direction).length;
  const counted = (title, count) => (count ? `${title} ${count}` : title);
  return [
    { id: 'overview', title: t('tab_overview'), draw: () => overview_tab(shown, on) },
    { id: 'prompt', title: counted(t('tab_prompt'), n('prompt')), draw: () => side_tab(shown, 'prompt', on) },
    { id: 'answer', title: counted(t('tab_answer'), n('completion')), draw: () => side_tab(shown, 'completion', on) },
    { id: 'rule', title: t('tab_rule'), draw: () => rule_tab(d) },
    { id: 'timings', title: t('tab_timings'), draw: () => timings_tab(d) },
    { id: 'conversation', title: counted(t('tab_conversation'), d.conversation?.length), draw: () => conversation_tab(d, on) },
    { id: 'raw', title: t('tab_raw'), draw: () => raw_tab(d) },
  ];
}
