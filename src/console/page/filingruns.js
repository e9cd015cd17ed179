// Evaluations: which there were, and what stands of each.
import * as api from './api.js';
import { link } from './address.js';
import { h } from './dom.js';
import { number, time } from './format.js';
import { rate, standing_badge, state_badge } from './filingparts.js';
import { badge, paged } from './parts.js';
import { show_run } from './filingrun.js';
import { named, t } from './words.js';

// A line a bank: with the gateway, and behind it without.
function stands(run) {
  const banks = [...new Set(run.standings.map((s) => s.bank))];
  const of = (bank, route) => run.standings.find((s) => s.bank === bank && s.route === route);
  return h('ul.filing-stands', banks.map((bank) => {
    const first = of(bank, 'gateway') ?? of(bank, 'bare'), bare = first.route === 'gateway' ? of(bank, 'bare') : null;
    return h('li', h('span.soft', `${named('filing_bank', bank)} `), h('strong', rate(first)), ' ', standing_badge(first.standing),
      first.route === 'bare' ? h('span.soft', ` ${named('filing_route', 'bare')}`) : bare?.n ? h('span.soft', ` · ${named('filing_route', 'bare')} ${rate(bare)}`) : null);
  }));
}

const answered = (run) => [...Object.entries(run.answered)].map(([route, n]) => h('div.small', `${named('filing_route', route)} ${number(n)}/${number(run.questions)}`));

function list(box, { signal }) {
  box.append(h('p.soft', t('filing_runs_text'), ' ', h('code', 'juyong filing evaluate')), paged(signal, {
    ask: ({ before }) => api.get('filing/runs', { before }, signal),
    none: t('filing_no_runs'), caption: t('filing_runs'),
    columns: [
      { title: t('filing_run'), cell: (r) => [h('a.mono', { href: link(['filing', 'runs', r.run]) }, r.run), r.unreadable ? null : h('div.soft.small', time(r.started_us), ' ', r.by ?? '')] },
      { title: t('model'), cell: (r) => r.model ?? '' },
      { title: t('state'), class: 'nowrap', cell: (r) => (r.unreadable ? badge('bad', t('filing_unreadable')) : state_badge(r)) },
      { title: t('filing_answered'), class: 'nowrap', cell: (r) => (r.unreadable ? '' : answered(r)) },
      { title: t('filing_stands'), class: 'col-text', cell: (r) => (r.unreadable ? r.unreadable : stands(r)) },
    ],
  }));
}

export async function show_runs(box, ctx) {
  if (ctx.parts[0]) return show_run(box, ctx.parts[0], ctx);
  return list(box, ctx);
}
