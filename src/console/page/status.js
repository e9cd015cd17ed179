// The gateway's state: read every fifteen seconds for the banners, drawn in detail on the overview.
import * as api from './api.js';
import { h } from './dom.js';
import { badge } from './parts.js';
import { duration, full_time, number, percent } from './format.js';
import { weakening } from './weakenings.js';
import { t } from './words.js';

const every = 15e3;

// The one timer of the frame. `first` resolves when the status was read for the first time.
export const heart = {
  timer: null,
  first: null,
  start(show) {
    clearInterval(this.timer);
    const beat = async () => {
      if (document.hidden) return;
      try {
        show(await api.get('status'));
      } catch (e) {
        if (e.status === undefined) throw e;
      }
    };
    this.first = beat();
    this.timer = setInterval(beat, every);
  },
};

// What makes the gateway weaker than it could be. Red for what lets through what should be stopped.
export function banners(status) {
  const out = [];
  if (status.ready === false) out.push(banner('red', t('not_ready'), status.reason));
  if (status.log?.failed) out.push(banner('red', t('log_failed'), ''));
  else if (status.log?.degraded) out.push(banner('red', t('log_degraded'), ''));
  if (status.log?.verify?.state === 'bad') out.push(banner('red', t('log_broken'), status.log.verify.finding));
  if (status.canary && status.canary.ok === false) out.push(banner('red', t('canary_missed'), status.canary.missed ?? ''));
  for (const w of status.weakenings ?? [])
    out.push(/regulator-observe/.test(w) ? banner('red', t('regulator_observe'), weakening(w)) : banner('amber', t('weakened'), weakening(w)));
  return out;
}

const banner = (kind, title, text) => h('div.banner', { class: kind, role: kind === 'red' ? 'alert' : null },
  h('span', { 'aria-hidden': 'true' }, kind === 'red' ? '■' : '▲'), h('span', h('strong', title), text ? [t('colon'), text] : null));

const line = (title, kind, word, detail) => h('li', h('span.state-title', title), badge(kind, word), h('span.soft', detail));

export function health_list(status) {
  const { log = {}, canary = {}, library = {} } = status;
  const verify = log.verify ?? {};
  const verified = { ok: ['good', t('verify_ok')], bad: ['bad', t('verify_bad')], running: ['info', t('verify_running')], failed: ['warn', t('verify_failed')] }[verify.state] ?? ['none', t('verify_never')];
  return h('ul.states',
    line(t('log_writing'), log.failed ? 'bad' : log.degraded ? 'warn' : 'good',
      t(log.failed ? 'state_failed' : log.degraded ? 'state_degraded' : 'state_good'),
      [t('log_counts', { written: number(log.written), lost: number(log.lost ?? 0), queued: number(log.queued ?? 0) }), log.disk_percent !== undefined ? ` · ${t('disk', { n: Math.round(log.disk_percent) })}` : '']),
    line(t('log_integrity'), ...verified,
      verify.finding || (verify.records ? t('verify_detail', { n: number(verify.records), at: full_time(verify.at_us) }) : '')),
    line(t('canary'), canary.ok === false ? 'bad' : canary.ok ? 'good' : 'none',
      t(canary.ok === false ? 'canary_bad' : canary.ok ? 'canary_good' : 'canary_none'),
      [canary.proven ? t('canary_detail', { n: number(canary.proven) }) : '', canary.at_us ? ` · ${full_time(canary.at_us)}` : '']),
    line(t('library'), library.sufficient === false || (library.needed && library.minima_met < library.needed) ? 'bad' : 'good',
      t('minima', { met: library.minima_met ?? 0, needed: library.needed ?? 0 }),
      [t('library_detail', { n: number(library.total), version: library.version || t('unpublished') }), library.total_needed && library.total < library.total_needed ? ` · ${t('of_needed', { n: number(library.total_needed) })}` : '']),
    line(t('library_age'), library.due_us && library.due_us < Date.now() * 1000 ? 'warn' : 'good',
      t(library.due_us && library.due_us < Date.now() * 1000 ? 'state_due' : 'state_current'),
      library.last_update_us ? t('updated_at', { at: full_time(library.last_update_us) }) : ''));
}

export const held_words = (held) => (held ? `p50 ${duration(held.p50_us)} · p95 ${duration(held.p95_us)}` : '–');
export const share = (part, whole) => percent(part, whole);
