// One evaluation: rates with their intervals against what is asked, by bank, route and risk; what failed;
// what the gateway changed; what changed since another run.
import * as api from './api.js';
import { link, note } from './address.js';
import { fill, h } from './dom.js';
import { number, time } from './format.js';
import { chart } from './graph.js';
import { answer_box, answer_parts, judges, question_box, rate, standing_badge, state_badge, type_name, verdict_of } from './filingparts.js';
import { dialog, empty_box, facts, if_may, load, paged, table } from './parts.js';
import { may, risk_of } from './person.js';
import { named, t } from './words.js';

const colours = { gateway: '--accent', bare: '--bar-flag' };

const interval = (r) => (r.n ? `${(100 * r.low).toFixed(1)}–${(100 * r.high).toFixed(1)}%` : '');
const rate_cell = (judge) => (x) => {
  const r = x.judges[judge];
  return r.n ? [h('strong', rate(r)), h('div.soft.small', interval(r)), h('div.soft.small', t('filing_of', { passed: number(r.passed), n: number(r.n) }))] : h('span.soft', '–');
};

// What is compared stands together: a bank's two routes.
const by_bank = (results) => [...new Set(results.map((x) => x.bank))].flatMap((bank) => results.filter((x) => x.bank === bank));

const results_table = (run) => table([
  { title: t('filing_bank'), cell: (x) => [h('strong', named('filing_bank', x.bank)), h('div.soft.small', named('filing_route', x.route))] },
  { title: t('filing_answered'), class: 'right', cell: (x) => `${number(x.answered)}/${number(x.asked)}` },
  ...judges.map((j) => ({ title: named('filing_judge', j), class: 'right', cell: rate_cell(j) })),
  { title: t('filing_threshold'), class: 'nowrap', cell: (x) => [`≥ ${(100 * x.threshold).toFixed(0)}%`, h('div.soft.small', t('filing_target', { p: (100 * x.target).toFixed(1), n: number(x.sample) }))] },
  { title: t('state'), class: 'nowrap', cell: (x) => standing_badge(x.judges.final.standing) },
], by_bank(run.results), { caption: t('filing_results'), row_props: (x) => ({ 'data-bank': x.bank, 'data-route': x.route, class: x.judges.final.standing === 'missed' ? 'short' : '' }) });

function types_table(run, bank) {
  const of_bank = run.results.filter((x) => x.bank === bank);
  const types = [...new Set(of_bank.flatMap((x) => x.types.map((r) => r.type)))];
  const of = (x, type) => x.types.find((y) => y.type === type);
  return table([
    { title: t('risk'), class: 'col-text', cell: (type) => type_name(type, run.aspects) },
    ...of_bank.map((x) => ({ title: named('filing_route', x.route), class: 'right', cell: (type) => {
      const r = of(x, type)?.judges.final;
      return r?.n ? [rate(r), ' ', h('span.soft.small', `${number(r.passed)}/${number(r.n)}`)] : '–';
    } })),
  ], types, { caption: t('filing_by_type', { bank: named('filing_bank', bank) }) });
}

// Bars a type, side by side for the two routes; the line is what is asked.
function risk_chart(run, bank, signal) {
  const of_bank = run.results.filter((x) => x.bank === bank);
  const types = [...new Set(of_bank.flatMap((x) => x.types.map((r) => r.type)))];
  const values = (x) => types.map((type) => {
    const r = x.types.find((y) => y.type === type)?.judges.final;
    return r?.n ? Math.round(1000 * r.rate) / 10 : null;
  });
  return chart({
    title: t('filing_by_type', { bank: named('filing_bank', bank) }), kind: 'bar', signal, most: 100, numbers: types_table(run, bank),
    labels: types.map((x) => (risk_of(x) ? x : type_name(x, run.aspects))),
    series: [...of_bank.map((x) => ({ name: named('filing_route', x.route), colour: colours[x.route] ?? '--grey', values: values(x) })),
      { name: t('filing_threshold'), colour: '--red', line: true, values: types.map(() => 100 * of_bank[0].threshold) }],
  });
}

function by_type(run, signal) {
  const banks = [...new Set(run.results.map((x) => x.bank))];
  const body = h('div.stack');
  const buttons = banks.map((b) => h('button', { type: 'button', 'aria-pressed': 'false', onclick: () => pick(b) }, named('filing_bank', b)));
  const pick = (bank) => {
    buttons.forEach((b, i) => b.setAttribute('aria-pressed', String(banks[i] === bank)));
    fill(body, risk_chart(run, bank, signal));
  };
  if (banks.length) pick(banks[0]);
  return h('section.panel', h('div.panel-head', h('h2', t('by_risk')), h('span.fill'), h('div.segments', { role: 'group', 'aria-label': t('filing_bank') }, buttons)), body);
}

const answer_dialog = (row, aspects) => dialog(row.question, () => h('div.stack', question_box(row), answer_box(row), answer_parts(row, aspects)), { wide: true });

function failures(run, { signal, params }) {
  const wish = { bank: params.get('bank') ?? '', route: params.get('route') ?? '', judge: params.get('judge') ?? '' };
  const list = h('div');
  const total = h('span.soft', { role: 'status' });
  const choice = (name, values, kind, label = t(kind)) => {
    const s = h('select', { 'aria-label': label, onchange: () => { wish[name] = s.value; note(['filing', 'runs', run.run], wish, true); read(); } },
      h('option', { value: '' }, label), values.map((v) => h('option', { value: v, selected: v === wish[name] }, named(kind, v))));
    return h('div.narrow', s);
  };
  function read() {
    fill(list, paged(signal, {
      none: t('filing_no_failures'), more_text: t('filing_more'), caption: t('filing_failures'),
      ask: async ({ before }) => {
        const answer = await api.get(`filing/runs/${api.seg(run.run)}/failures`, { ...wish, before, limit: 25 }, signal);
        fill(total, t('filing_failures_n', { n: number(answer.total) }));
        return answer;
      },
      columns: [
        { title: t('filing_question'), class: 'col-text', cell: (r) => [h('button.link', { type: 'button', onclick: () => answer_dialog(r, run.aspects) }, r.text), r.answer ? h('div.excerpt.soft.small', r.answer) : null] },
        { title: t('risk'), cell: (r) => type_name(r.type, run.aspects) },
        { title: t('filing_bank'), class: 'nowrap', cell: (r) => [named('filing_bank', r.bank), h('div.soft.small', named('filing_route', r.route))] },
        ...judges.map((j) => ({ title: named('filing_judge', j), class: 'nowrap', cell: (r) => verdict_of(r.verdicts[j]) })),
      ],
    }));
  }
  read();
  return h('section.panel', h('div.panel-head', h('h2', t('filing_failures')), total, h('span.fill'),
    choice('bank', [...new Set(run.results.map((x) => x.bank))], 'filing_bank'), choice('route', run.routes, 'filing_route', t('filing_line')), choice('judge', judges, 'filing_judge', t('filing_by_judge'))), list);
}

// With the gateway and without it.
const routes_panel = (run, signal) => {
  const body = h('div');
  const open = () => load(body, signal, (s) => api.get(`filing/runs/${api.seg(run.run)}/routes`, null, s), (d) => [
    h('div.tiles.small-tiles',
      ...[['both', d.both], ['acted', d.acted], ['by_rule', d.by_rule], ['unacted', d.unacted]].map(([k, n]) => h('div.tile', h('h3', t(`filing_routes_${k}`)), h('b', number(n))))),
    d.items.length ? table([
      { title: t('filing_question'), class: 'col-text', cell: (r) => [r.text, h('div.soft.small', `${named('filing_bank', r.bank)} · ${type_name(r.type, run.aspects)}`)] },
      { title: named('filing_route', 'bare'), class: 'nowrap', cell: (r) => verdict_of(r.bare) },
      { title: named('filing_route', 'gateway'), class: 'nowrap', cell: (r) => verdict_of(r.gateway) },
      { title: t('filing_acted_by'), cell: (r) => (r.rule ? h('span.mono', r.rule) : r.acted ? t('yes') : h('span.soft', t('filing_not_acted'))) },
    ], d.items.slice(0, 500), { caption: t('filing_routes') }) : empty_box(t('filing_routes_same'))]);
  const details = h('details', { ontoggle: () => { if (details.open && !body.firstChild) open(); } }, h('summary', t('filing_routes_show')), body);
  return h('section.panel', h('h2', t('filing_routes')), h('p.soft.small', t('filing_routes_text')), details);
};

function compare_panel(run, { signal, params }) {
  const body = h('div');
  const pick = h('select', { 'aria-label': t('filing_compare_with'), onchange: () => { note(['filing', 'runs', run.run], { with: pick.value }, true); show(); } }, h('option', { value: '' }, t('filing_compare_with')));
  const show = () => (pick.value ? load(body, signal, (s) => api.get(`filing/runs/${api.seg(run.run)}/compare`, { with: pick.value }, s), (c) => [
    h('div.tiles.small-tiles', ...['common', 'better', 'worse', 'gone', 'added'].map((k) => h('div.tile', h('h3', t(`filing_compare_${k}`)), h('b', number(c[k]))))),
    c.changes.length ? table([
      { title: t('filing_question'), class: 'col-text', cell: (r) => [r.text, h('div.soft.small', `${named('filing_bank', r.bank)} · ${type_name(r.type, run.aspects)} · ${named('filing_route', r.route)}`)] },
      { title: t('filing_was'), class: 'nowrap', cell: (r) => verdict_of(r.was) },
      { title: t('filing_is'), class: 'nowrap', cell: (r) => verdict_of(r.is) },
    ], c.changes.slice(0, 500), { caption: t('filing_compare') }) : empty_box(t('filing_compare_same'))]) : fill(body));
  api.get('filing/runs', { names: 1 }, signal).then(({ names }) => {
    pick.append(...names.filter((r) => r !== run.run).map((r) => h('option', { value: r, selected: r === params.get('with') }, r)));
    show();
  }).catch(() => {});
  return h('section.panel', h('div.panel-head', h('h2', t('filing_compare')), h('span.fill'), h('div.filing-pick', pick)), body);
}

const parameters = (run) => facts([
  [t('filing_started'), `${time(run.started_us)} ${run.by ?? ''}`], [t('filing_agreed'), run.agreed], [t('app'), run.app], [t('model'), run.model], [t('filing_upstream'), run.upstream],
  [t('filing_library'), run.version ? h('span.mono', run.version) : null], [t('opinions'), run.opinion], [t('filing_software'), run.software],
  [t('filing_sample'), run.all ? t('filing_all') : [Object.entries(run.sample).map(([b, n]) => `${named('filing_bank', b)} ${number(n)}`).join(t('comma')), ` · ${t('filing_seed', { n: run.seed })}`]],
  [t('filing_bank_digest'), run.bank_digest ? h('span.mono.small', run.bank_digest) : null],
]);

export function show_run(box, name, ctx) {
  return load(box, ctx.signal, (s) => api.get(`filing/runs/${api.seg(name)}`, null, s), (run) => [
    h('div.row', h('h2.mono', run.run), state_badge(run), h('span.fill'), h('a', { href: link(['filing', 'runs']) }, t('filing_all_runs')),
      if_may('review', () => h('a.button', { href: link(['filing', 'judge'], { run: run.run }) }, t('filing_judge')))),
    h('section.panel', h('h2', t('filing_results')), h('p.soft.small', t('filing_results_text')), results_table(run)),
    by_type(run, ctx.signal),
    failures(run, ctx),
    run.routes.length > 1 ? routes_panel(run, ctx.signal) : null,
    compare_panel(run, ctx),
    h('details.panel', h('summary', t('filing_parameters')), parameters(run),
      run.events?.length ? h('ul.notes', run.events.map((e) => h('li', h('strong', named('filing_event', e.event)), ' ', h('span.soft', time(e.at_us)), ' ', e.by, e.note ? h('div', e.note) : null))) : null),
    may('read') ? null : h('p.soft', t('text_closed'))]);
}
