// Start, frame and routes of the page.
import * as api from './api.js';
import { go, here, link } from './address.js';
import { apply_theme, remember, theme } from './choice.js';
import { fill, h } from './dom.js';
import { bind, help, listen } from './keyboard.js';
import { login_again, login_page, setup_page } from './login.js';
import { empty_box, error_box, loading_box } from './parts.js';
import { learn, may, person, seat } from './person.js';
import { banners, heart } from './status.js';
import { choose, current, named, t } from './words.js';
import * as accounts from './accounts.js';
import * as acts from './acts.js';
import * as apps from './apps.js';
import * as filing from './filing.js';
import * as incidents from './incidents.js';
import * as log from './log.js';
import * as overview from './overview.js';
import * as review from './review.js';
import * as rules from './rules.js';
import * as self from './self.js';
import * as tickets from './tickets.js';
import * as users from './users.js';

// Which pages there are, in the order of the menu, and who sees them.
const pages = [
  { id: 'overview', group: 'watch', may: 'see', show: overview.show },
  { id: 'log', group: 'watch', may: 'see', show: log.show },
  { id: 'review', group: 'watch', may: 'review', show: review.show },
  { id: 'summary', group: 'watch', may: 'see', show: review.show_summary },
  { id: 'rules', group: 'keep', may: 'see', show: rules.show },
  { id: 'users', group: 'keep', may: 'see', show: users.show },
  { id: 'apps', group: 'keep', may: 'see', show: apps.show },
  { id: 'tickets', group: 'cases', may: 'read', show: tickets.show },
  { id: 'incidents', group: 'cases', may: 'see', show: incidents.show },
  { id: 'filing', group: 'filing', may: 'see', show: filing.show },
  { id: 'acts', group: 'house', may: 'acts', show: acts.show },
  { id: 'accounts', group: 'house', may: 'accounts', show: accounts.show },
  { id: 'self', group: null, may: null, show: self.show },
];

const app = document.getElementById('app');
let leaving = null; // ends what the page before still waits for
let unbind = null;
let frame = null;

function switches(draw) {
  const other = current() === 'zh' ? 'en' : 'zh';
  return [
    h('button.plain', {
      type: 'button', lang: other === 'zh' ? 'zh-CN' : 'en',
      onclick: () => { remember('language', other); choose(other); draw(); },
    }, other === 'zh' ? '中文' : 'English'),
    h('button.plain', {
      type: 'button',
      onclick: () => { remember('theme', theme() === 'dark' ? 'light' : 'dark'); apply_theme(); draw(); },
    }, t(theme() === 'dark' ? 'to_light' : 'to_dark')),
  ];
}

const brand = () => h('a.brand', { href: '#/overview' }, h('img', { src: new URL('icon.svg', import.meta.url), alt: '' }), h('b', t('brand')), h('small', t('brand_sub')));

function menu() {
  const at = here().page;
  const groups = ['watch', 'keep', 'cases', 'filing', 'house'];
  return h('nav', { 'aria-label': t('menu') }, groups.map((g) => {
    const own = pages.filter((p) => p.group === g && may(p.may));
    if (!own.length) return null;
    return [h('h2', t(`group_${g}`)), own.map((p) => h('a', {
      href: link(p.id), 'data-page': p.id, 'aria-current': p.id === at ? 'page' : null,
    }, t(`page_${p.id}`), h('span.count', { hidden: true, 'data-count': p.id })))];
  }));
}

function draw_frame() {
  const side = h('aside.side', { id: 'side' }, brand(), menu(),
    h('div.foot',
      h('div.me', h('strong', person().user.name), ' ', h('span.soft', named('role', person().user.role))),
      h('div', h('a.button.plain', { href: link('self') }, t('page_self')), person().front ? null : h('button.plain', { type: 'button', onclick: leave }, t('logout'))),
      h('div', switches(draw_frame), h('button.plain', { type: 'button', onclick: help, 'aria-label': t('help_title') }, '?'))));
  const opener = h('button', { type: 'button', 'aria-expanded': 'false', 'aria-controls': 'side', onclick: () => open_side(!side.classList.contains('open')) }, t('menu'));
  const open_side = (yes) => {
    side.classList.toggle('open', yes);
    opener.setAttribute('aria-expanded', String(yes));
  };
  const main = h('main', { id: 'main', tabindex: '-1' });
  frame = { side, main, open_side, banners: h('div.banners'), menu: side.querySelector('nav') };
  fill(app, h('div.frame',
    h('a.skip', { href: '#main', onclick: (e) => { e.preventDefault(); main.focus(); } }, t('skip')),
    h('header.topbar', brand(), opener), side, main));
  main.addEventListener('click', () => open_side(false));
  heart.start(show_status);
  show_page();
}

// The menu's numbers and the banners, whenever the status was read.
function show_status(status) {
  learn(status);
  fill(frame.banners, banners(status));
  for (const [page, n] of Object.entries(status.open ?? {})) {
    const count = frame.side.querySelector(`[data-count="${CSS.escape(page)}"]`);
    if (!count) continue;
    count.hidden = !n;
    count.textContent = n;
  }
}

async function show_page() {
  leaving?.abort();
  unbind?.();
  leaving = new AbortController();
  const { signal } = leaving;
  const place = here();
  const page = pages.find((p) => p.id === place.page);
  frame.open_side(false);
  for (const a of frame.menu.querySelectorAll('a')) {
    if (a.dataset.page === place.page) a.setAttribute('aria-current', 'page');
    else a.removeAttribute('aria-current');
  }
  const box = h('div.page', { class: `page-${page?.id ?? 'none'}` });
  const keys = {};
  unbind = bind(keys);
  fill(frame.main, frame.banners, box);
  scrollTo(0, 0);
  document.title = `${page ? t(`page_${page.id}`) : t('error_absent')} · ${t('brand')}`;
  if (!page) return fill(box, empty_box(t('error_absent')));
  if (page.may && !may(page.may)) return fill(box, empty_box(t('error_forbidden')));
  try {
    if (!person().status) {
      fill(box, loading_box());
      await heart.first;
      if (signal.aborted) return undefined;
    }
    box.replaceChildren();
    await page.show(box, { ...place, signal, keys });
  } catch (e) {
    if (e.name !== 'AbortError' && !signal.aborted) fill(box, error_box(e, show_page));
  }
  return undefined;
}

async function leave() {
  try {
    await api.post('logout');
  } catch { /* it is over either way */ }
  location.hash = '';
  location.reload();
}

function enter(session) {
  seat(session);
  api.set_token(session.token);
  api.on_session_end(() => login_again(person().user, (again) => {
    // Somebody else at the desk sees a page of their own.
    if (again.user.name !== person().user.name || again.user.role !== person().user.role) return location.reload();
    seat({ ...person(), ...again });
    return api.set_token(again.token);
  }, person().front));
  draw_frame();
}

function draw_login(session) {
  const draw = () => {
    document.title = `${t('login')} · ${t('brand')}`;
    fill(app, h('main.gate', { id: 'main' },
      h('div.gate-head', brand()),
      session.setup ? setup_page() : login_page(enter),
      h('div.gate-foot', switches(draw))));
  };
  draw();
}

function changed() {
  if (frame && person().user) show_page();
}

async function start() {
  apply_theme();
  choose(current());
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', apply_theme);
  listen();
  bind({
    '?': { say: 'key_help', run: help },
    '/': { say: 'key_search', run: () => { const e = document.querySelector('[data-search]'); e?.focus(); e?.select?.(); return Boolean(e); } },
    g: { say: 'key_overview', run: () => go(link('overview')) },
    l: { say: 'key_log', run: () => go(link('log')) },
    r: { say: 'key_review', run: () => (may('review') ? go(link('review')) : false) },
    s: { say: 'key_summary', run: () => go(link('summary')) },
  });
  addEventListener('hashchange', changed);
  try {
    const session = await api.enter('GET', 'session');
    if (session.user) enter(session);
    else draw_login(session);
  } catch (e) {
    fill(app, h('main.gate', error_box(e, () => location.reload())));
  }
}

start();
