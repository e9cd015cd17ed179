// What the gateway alerts of: what lasts now, and what was since its start. Part of the overview.
import * as api from './api.js';
import { h } from './dom.js';
import { full_time, number } from './format.js';
import { badge, load, table } from './parts.js';
import { weakening } from './weakenings.js';
import { named, t } from './words.js';

const newest = 5;
const kinds = { firing: 'bad', changed: 'warn', resolved: 'good' };
const unmeasured = new Set(['log_failed', 'log_degraded', 'verify', 'weakened', 'filing', 'canary']); // without a threshold to speak of

const what = (a) => [a.risk && a.risk !== '*' ? `${a.risk} ` : '', named('alert', a.what)];
const measured = (a) => (a.detail ? a.detail.split('\n').map(weakening).join(t('comma')) : unmeasured.has(a.what) ? '' : t('alert_value', { n: number(a.value), of: number(a.threshold) }));

// How it went with telling: nobody to be told is no failure.
function told(targets, a) {
  if (targets === 0) return t('alert_nobody');
  return [t('alert_told', { n: a.sent }), a.failed ? ` · ${t('alert_failed', { n: a.failed })}` : ''];
}

function draw({ rules, targets, recent }) {
  const now = rules.filter((r) => r.firing);
  return [
    now.length === 0 ? h('p.soft', t('alerts_none')) : h('ul.states', now.map((r) => h('li', h('span.state-title', what(r)),
      badge(r.critical ? 'bad' : 'warn', t(r.critical ? 'alert_critical' : 'alert_lasts')),
      h('span.soft', [measured(r), ' ', t('alert_since', { at: full_time(r.since_us) })])))),
    recent.length === 0 ? null : table([
      { title: t('time'), cell: (a) => full_time(a.at_us) },
      { title: t('alert'), cell: (a) => h('span', badge(kinds[a.event] ?? 'none', named('alert_event', a.event)), ' ', what(a)) },
      { title: t('alert_measured'), cell: measured },
      { title: t('alert_message'), cell: (a) => h('span.soft', told(targets.length, a)) },
    ], recent.slice(0, newest), { caption: t('alerts') }),
  ];
}

export function alerts_panel(signal) {
  const box = h('div.stack');
  load(box, signal, (s) => api.get('alerts', null, s), draw);
  return h('section.panel', h('h2', t('alerts')), box);
}
