// Interceptions that are alike: the same rule in the same folded surroundings. A verdict on a group is
// one on each of its exchanges.
import * as api from './api.js';
import { h } from './dom.js';
import { number, time } from './format.js';
import { action_badge, badge, empty_box, load } from './parts.js';
import { may } from './person.js';
import { marked, place_of } from './plain.js';
import { risk_name } from './overview.js';
import { t } from './words.js';
import { new_incident } from './incidents.js';
import { judge, offer_last } from './verdict.js';

const keys_of = { c: 'correct', f: 'false_positive', u: 'unsure' };

// open(id, ids): shows one of a group. onjudged(left) after each verdict.
export function group_list({ query, signal, keys, open, onjudged }) {
  const box = h('div');
  let groups = [];
  let cards = [];
  let at = -1;

  function choose(n) {
    if (!cards.length) return;
    at = Math.max(0, Math.min(cards.length - 1, n));
    cards.forEach((c, i) => {
      c.classList.toggle('chosen', i === at);
      if (i === at) c.setAttribute('aria-current', 'true');
      else c.removeAttribute('aria-current');
    });
    cards[at].focus({ preventScroll: true });
    cards[at].scrollIntoView({ block: 'nearest' });
  }

  async function verdict(i, value) {
    if (i < 0 || !groups[i] || groups[i].busy) return;
    const group = groups[i];
    group.busy = true;
    const done = await judge(group.requests, value, { example: group });
    group.busy = false;
    if (!done) return;
    group.open = 0;
    group.verdict = value;
    const fresh = card(group, i);
    cards[i].replaceWith(fresh);
    cards[i] = fresh;
    onjudged?.(group, value);
    if (!groups.some((g) => g.open > 0)) read(); // there may be more than one answer holds
    else if (i === at) choose(next_open(i));
  }

  function next_open(from) {
    for (let n = 1; n <= groups.length; n++) if (groups[(from + n) % groups.length].open > 0) return (from + n) % groups.length;
    return from;
  }

  function card(group, i) {
    const buttons = may('review') ? h('div.row', Object.entries(keys_of).map(([key, value]) =>
      h('button', { type: 'button', 'aria-pressed': String(group.verdict === value), onclick: () => verdict(i, value) }, t(`verdict.${value}`), h('kbd', { 'aria-hidden': 'true' }, key)))) : null;
    return h('article.group', { tabindex: '-1', class: group.open ? '' : 'done', onfocusin: () => { if (at !== i) choose_quietly(i); } },
      h('div.group-head', action_badge(group.action), h('strong', risk_name(group.risk)), h('span.mono.soft', group.rule),
        h('span.fill'), h('span.group-count', h('b', number(group.count)), ' ', t('times')),
        group.open ? badge('info', t('open_n', { n: number(group.open) })) : badge('good', t('all_judged'))),
      group.context ? marked(group.context, [place_of(group.text, group.context)].filter(Boolean)) : null,
      h('div.group-foot', h('span.soft', `${time(group.first_us)} – ${time(group.last_us)}`), h('span.fill'),
        h('button', { type: 'button', onclick: () => open(group.requests[0], group.requests) }, t('look'), h('kbd', { 'aria-hidden': 'true' }, '↵')),
        may('review') ? h('button', { type: 'button', onclick: () => new_incident(group) }, t('make_incident')) : null,
        group.verdict === 'false_positive' ? h('button', { type: 'button', onclick: offer_last }, t('allow_phrase'), h('kbd', { 'aria-hidden': 'true' }, 'a')) : null,
        buttons));
  }

  function choose_quietly(i) {
    at = i;
    cards.forEach((c, n) => c.classList.toggle('chosen', n === i));
  }

  Object.assign(keys, {
    j: { say: 'key_next', run: () => choose(at + 1) },
    k: { say: 'key_previous', run: () => choose(at - 1) },
    Enter: { say: 'key_open', run: () => (at < 0 ? false : open(groups[at].requests[0], groups[at].requests)) },
    ...(may('review') ? {
      c: { say: 'key_correct_group', run: () => verdict(at, 'correct') },
      f: { say: 'key_false_group', run: () => verdict(at, 'false_positive') },
      u: { say: 'key_unsure_group', run: () => verdict(at, 'unsure') },
      a: { say: 'key_phrase', run: offer_last },
    } : {}),
  });

  const read = () => load(box, signal, (s) => api.get('log/groups', query, s), (answer) => {
    groups = answer.groups;
    at = -1;
    if (!groups.length) return empty_box(t(query.review === 'open' ? 'queue_empty' : 'no_interceptions'));
    cards = groups.map(card);
    setTimeout(() => { if (!signal.aborted && document.activeElement === document.body) choose(0); });
    return h('div.groups', cards);
  });
  read();
  return box;
}
