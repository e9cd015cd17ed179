// What happened, whether it was right, and whether the gateway is well.
import { alerts_panel } from './alerts.js';
import * as api from './api.js';
import { link, note } from './address.js';
import { fill, h } from './dom.js';
import { duration, number, percent, short_time } from './format.js';
import { chart } from './graph.js';
import { act, empty_box, if_may, load, table } from './parts.js';
import { person, risk_of } from './person.js';
import { health_list } from './status.js';
import { either, named, t } from './words.js';

const spans = { '1d': 86400, '7d': 7 * 86400, '30d': 30 * 86400, '183d': 183 * 86400 };
const actions = ['flag', 'mask', 'answer', 'block'];
const colour = (action) => `--bar-${action}`;
const sum = (list, key) => list.reduce((n, x) => n + (x[key] ?? 0), 0);
const stopped = (x) => actions.reduce((n, a) => n + (x[a] ?? 0), 0);

export function risk_name(id) {
  const risk = risk_of(id);
  return risk ? `${id} ${either(risk)}` : id ?? '–';
}

function tiles(o, span, app) {
  const all = sum(o.buckets, 'requests');
  const hit = o.buckets.reduce((n, b) => n + stopped(b), 0);
  const r = o.reviews ?? {};
  const judged = (r.correct ?? 0) + (r.false_positive ?? 0);
  const tile = (title, value, detail, to) => h('div.tile', h('h3', title), h('b', value), h('span.soft', to ? h('a', { href: to }, detail) : detail));
  return h('div.tiles',
    tile(t('requests'), number(all), t('requests_detail', { n: number(all - hit) })),
    tile(t('interceptions'), number(hit), t('of_requests', { p: percent(hit, all, 2) }), link('log', { t: span, app })),
    tile(t('held'), duration(o.held?.p50_us), t('held_detail', { p95: duration(o.held?.p95_us) })),
    tile(t('false_positives'), percent(r.false_positive ?? 0, judged), t('of_reviewed', { n: number(r.done ?? 0) })),
    tile(t('open_reviews'), number(r.open ?? 0), t('open_detail'), link('summary')));
}

// Times without a request have no bucket: a chart needs them all.
function without_gaps({ buckets, step_us }) {
  const out = [];
  for (const b of buckets) {
    let last = out.at(-1);
    while (last && last.at_us + 1.5 * step_us < b.at_us && out.length < 5000) out.push(last = { at_us: last.at_us + step_us, requests: 0 });
    out.push(b);
  }
  return out;
}

function draw(o, signal, span, app) {
  const buckets = without_gaps(o);
  const labels = buckets.map((b) => short_time(b.at_us, o.step_us));
  const over_time = chart({
    title: t('chart_actions'), labels, signal, kind: 'bar', stacked: true,
    series: actions.map((a) => ({ name: named('action', a), colour: colour(a), values: buckets.map((b) => b[a] ?? 0) })),
  });
  const requests = chart({
    title: t('chart_requests'), labels, signal,
    series: [{ name: t('requests'), colour: '--accent', values: buckets.map((b) => b.requests) },
      { name: t('chart_held'), colour: '--grey', axis: 'y2', values: buckets.map((b) => (b.requests ? Math.round((b.held_us ?? 0) / b.requests / 100) / 10 : 0)) }],
  });
  const risks = [...o.risks].sort((a, b) => stopped(b) - stopped(a));
  const bars = (title, list, name, to) => h('section.panel', h('h2', title), list.length === 0 ? empty_box(t('nothing_here'))
    : table([
      { title: t('name_of'), cell: (x) => h('a', { href: to(x) }, name(x)) },
      ...actions.map((a) => ({ title: named('action', a), class: 'right', cell: (x) => (x[a] ? number(x[a]) : h('span.soft', '0')) })),
      { title: t('total'), class: 'right', cell: (x) => h('strong', number(stopped(x))) },
    ], list, { caption: title }));
  return [
    tiles(o, span, app),
    h('div.columns', h('section.panel', over_time), h('section.panel', requests)),
    h('div.columns',
      bars(t('by_risk'), risks.slice(0, 12), (x) => risk_name(x.risk), (x) => link('log', { risk: x.risk, t: span })),
      h('div.stack-wide',
        bars(t('by_app'), o.apps, (x) => x.app, (x) => link('log', { app: x.app, t: span })),
        h('section.panel', h('h2', t('by_rule')), o.rules.length === 0 ? empty_box(t('nothing_here')) : table([
          { title: t('rule'), cell: (x) => h('a', { href: link('log', { rule: x.rule, t: span }) }, x.rule) },
          { title: t('risk'), cell: (x) => risk_name(x.risk) },
          { title: t('count'), class: 'right', cell: (x) => number(x.count) },
        ], o.rules.slice(0, 10), { caption: t('by_rule') })))),
  ];
}

function health(signal) {
  const box = h('div');
  const button = h('button', { type: 'button', onclick: () => act(button, begin) }, t('verify_now'));
  async function read() {
    const status = await api.get('status', null, signal);
    if (signal.aborted) return;
    fill(box, health_list(status));
    const running = status.log?.verify?.state === 'running';
    button.disabled = running;
    if (running) setTimeout(() => read().catch(() => {}), 700);
  }
  async function begin() {
    await api.post('log/verify', {}, signal);
    await read();
  }
  fill(box, health_list(person().status ?? {}));
  read().catch(() => {});
  return h('section.panel', h('div.panel-head', h('h2', t('health')), h('span.fill'), if_may('see', () => button)), box);
}

export async function show(box, { params, signal }) {
  const content = h('div.stack-wide');
  let span = spans[params.get('t')] ? params.get('t') : '7d';
  let app = params.get('app') ?? '';
  const buttons = Object.keys(spans).map((id) => h('button', { type: 'button', 'aria-pressed': String(id === span), 'data-span': id, onclick: () => choose(id, app) }, t(`span_${id}`)));
  const apps = h('select', { 'aria-label': t('app'), onchange: () => choose(span, apps.value) },
    h('option', { value: '' }, t('all_apps')), person().apps.map((a) => h('option', { value: a, selected: a === app }, a)));
  function choose(next_span, next_app) {
    span = next_span;
    app = next_app;
    note('overview', { t: span === '7d' ? '' : span, app });
    for (const b of buttons) b.setAttribute('aria-pressed', String(b.dataset.span === span));
    read();
  }
  function read() {
    const until = Date.now() * 1000;
    return load(content, signal, (s) => api.get('overview', { since: until - spans[span] * 1e6, until, app }, s), (o) => draw(o, signal, span, app));
  }
  fill(box, h('div.head', h('h1', t('page_overview')), h('div.segments', { role: 'group', 'aria-label': t('time') }, buttons), h('div.narrow', apps)), h('div.stack-wide', health(signal), alerts_panel(signal), content));
  await read();
}
