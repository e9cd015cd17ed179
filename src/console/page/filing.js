// The filing desk: what a filing asks for, what there is of it, and the papers.
import { link } from './address.js';
import { fill, h } from './dom.js';
import { show_clock } from './filingclock.js';
import { show_files } from './filingfiles.js';
import { show_judge } from './filingjudge.js';
import { show_ready } from './filingready.js';
import { show_route } from './filingroute.js';
import { show_runs } from './filingruns.js';
import { may } from './person.js';
import { t } from './words.js';

const all = { ready: show_ready, route: show_route, clock: show_clock, runs: show_runs, judge: show_judge, files: show_files };

export async function show(box, ctx) {
  const parts = may('review') ? all : (({ judge, ...rest }) => rest)(all);
  const part = Object.hasOwn(parts, ctx.parts[0] ?? '') ? ctx.parts[0] : 'ready';
  const content = h('div.stack-wide');
  fill(box, h('div.head', h('h1', t('page_filing'))),
    h('nav.sub', { 'aria-label': t('page_filing') }, Object.keys(parts).map((p) => h('a', { href: link(p === 'ready' ? 'filing' : ['filing', p]), 'aria-current': p === part ? 'page' : null }, t(`filing_${p}`)))),
    h('p.soft', t('filing_draft')), content);
  await parts[part](content, { ...ctx, parts: ctx.parts.slice(1) });
}
