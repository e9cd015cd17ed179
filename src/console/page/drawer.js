// One exchange beside the list. The list stays where it is; next and previous walk it.
import * as api from './api.js';
import { fill, h } from './dom.js';
import { exchange_tabs } from './exchange.js';
import { bind } from './keyboard.js';
import { action_badge, copy_button, error_box, loading_box, tabs, verdict_badge } from './parts.js';
import { may } from './person.js';
import { ask_note, judge, offer_last, verdict_buttons, verdicts } from './verdict.js';
import { offer_phrase } from './phrase.js';
import { risk_name } from './overview.js';
import { time } from './format.js';
import { t } from './words.js';

// on: {signal, tab, ontab, onclose, onstep(n), onjudged(ids, verdict), onopen(id)}; `inline` puts it into
// the page instead of over it, and leaves Esc alone.
export function drawer(on, inline) {
  const box = h(inline ? 'section.pane' : 'aside.drawer', { hidden: true, tabindex: '-1', 'aria-label': t('exchange') });
  let shown = null; // {id, detail, texts}
  let tab = on.tab ?? 'overview';
  let asking = null;
  let unbind = null;

  function close() {
    if (box.hidden) return false;
    asking?.abort();
    box.hidden = true;
    shown = null;
    document.documentElement.classList.remove('drawer-open');
    on.onclose?.();
    return true;
  }

  const keys = {
    ...(inline ? {} : { Escape: { say: 'key_close', run: () => close() } }),
    ...(may('review') ? Object.fromEntries(Object.entries(verdicts).map(([key, v]) =>
      [key, { say: `key_${v}`, run: () => (shown?.detail && !box.hidden ? pick(v) : false) }])) : {}),
    ...(may('review') ? {
      w: { say: 'key_note', run: () => (shown?.detail && !box.hidden ? with_note() : false) },
      a: { say: 'key_phrase', run: () => offer_last() },
    } : {}),
    ...(may('reveal') ? { o: { say: 'key_reveal', run: () => { const b = box.querySelector('[data-reveal]'); b?.click(); return Boolean(b); } } } : {}),
  };

  async function pick(verdict) {
    const { id, detail } = shown;
    if (!(await judge([id], verdict, { example: detail }))) return;
    detail.review = { verdict };
    on.onjudged?.([id], verdict);
    if (shown?.id === id) {
      draw_head();
      if (verdict !== 'false_positive' || inline) on.onstep?.(1);
    }
  }

  function with_note() {
    const { id, detail } = shown;
    ask_note([id], detail.review?.verdict, (verdict) => {
      detail.review = { verdict };
      on.onjudged?.([id], verdict);
      if (shown?.id === id) show(id);
    }, { second: Boolean(detail.reviews?.length) });
  }

  function draw_head() {
    const { id, detail } = shown;
    const verdict = detail.review?.verdict ?? detail.review ?? null;
    fill(head,
      h('div.drawer-bar',
        h('button.plain', { type: 'button', 'aria-label': t('previous'), title: `${t('previous')} (k)`, onclick: () => on.onstep(-1) }, '↑'),
        h('button.plain', { type: 'button', 'aria-label': t('next'), title: `${t('next')} (j)`, onclick: () => on.onstep(1) }, '↓'),
        h('span.mono.small', id), copy_button(id), h('span.fill'),
        inline ? null : h('button.plain', { type: 'button', 'aria-label': t('close'), title: 'Esc', onclick: close }, '✕')),
      h('div.drawer-title', action_badge(detail.action), h('strong', detail.risk ? risk_name(detail.risk) : t('no_risk')), h('span.soft', time(detail.time)), verdict_badge(verdict)),
      detail.purpose === 'regulator-observe' ? h('p.wrong', t('regulator_observe')) : null,
      verdict_buttons(verdict, pick, [
        h('button', { type: 'button', onclick: with_note }, t('with_note'), h('kbd', { 'aria-hidden': 'true' }, 'w')),
        verdict === 'false_positive' ? h('button', { type: 'button', onclick: () => offer_phrase(detail) }, t('allow_phrase'), h('kbd', { 'aria-hidden': 'true' }, 'a')) : null,
      ]));
  }

  const head = h('header.drawer-head');
  const body = h('div.drawer-body');
  box.append(head, body);

  function draw_body() {
    fill(body, tabs(exchange_tabs(shown, {
      signal: on.signal,
      onopen: on.onopen,
      onreveal: (texts, absent) => { Object.assign(shown, { texts, absent }); draw_body(); },
    }), tab, (id) => { tab = id; on.ontab?.(id); }));
  }

  async function show(id) {
    asking?.abort();
    asking = new AbortController();
    const signal = AbortSignal.any([on.signal, asking.signal]);
    box.hidden = false;
    if (!inline) document.documentElement.classList.add('drawer-open');
    shown = { id, detail: null, texts: null };
    const slow = setTimeout(() => fill(body, loading_box()), 150);
    try {
      const detail = await api.get(`log/${api.seg(id)}`, null, signal);
      if (signal.aborted) return;
      shown = { id, detail, texts: null };
      draw_head();
      draw_body();
      box.scrollTop = 0;
      if (!inline && !box.contains(document.activeElement)) box.focus({ preventScroll: true });
    } catch (e) {
      if (e.name === 'AbortError' || signal.aborted) return;
      fill(head, inline ? null : h('div.drawer-bar', h('span.mono.small', id), h('span.fill'), h('button.plain', { type: 'button', 'aria-label': t('close'), onclick: close }, '✕')));
      fill(body, error_box(e, () => show(id)));
    } finally {
      clearTimeout(slow);
    }
  }

  on.signal.addEventListener('abort', () => {
    unbind?.();
    document.documentElement.classList.remove('drawer-open');
  });
  return {
    box, show, close,
    bind() { unbind = bind(keys); },
    get id() { return shown?.id ?? null; },
    clear(...nodes) { shown = null; box.hidden = !nodes.length; fill(head); fill(body, nodes); },
  };
}
