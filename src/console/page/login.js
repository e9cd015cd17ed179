// Coming in: password, then the code of the authenticator where the account has one.
import * as api from './api.js';
import { fill, h } from './dom.js';
import { dialog, field, reason_of } from './parts.js';
import { t } from './words.js';

function trouble_of(e) {
  if (e.code === 'wrong') return t('login_wrong');
  if (e.code === 'code_wrong') return t('login_code_wrong');
  if (e.status === 401) return t('login_wrong');
  return reason_of(e);
}

// `name`: who must come in again; `done(session)`.
export function login_form(name, done) {
  const who = field({ name: 'name', label: t('name'), value: name ?? '', need: true, autocomplete: 'username', autofocus: !name });
  const secret = field({ name: 'password', label: t('password'), kind: 'password', need: true, autocomplete: 'current-password', autofocus: Boolean(name) });
  const code = field({ name: 'code', label: t('totp_code'), inputmode: 'numeric', autocomplete: 'one-time-code', most: 8, hint: t('totp_hint') });
  code.box.hidden = true;
  const trouble = h('p.wrong', { role: 'alert', hidden: true });
  const button = h('button.main', { type: 'submit' }, t('login'));
  return h('form.stack', {
    novalidate: true,
    onsubmit: async (e) => {
      e.preventDefault();
      const bad = [who, secret].find((f) => !f.check());
      if (bad) return bad.input.focus();
      button.disabled = true;
      trouble.hidden = true;
      try {
        const entered = { name: who.value().trim(), password: secret.value() };
        if (!code.box.hidden) entered.code = code.value().replace(/\s/g, '');
        const session = await api.enter('POST', 'login', entered);
        done(session);
      } catch (error) {
        if (error.code === 'code_needed') {
          code.box.hidden = false;
          code.input.focus();
        } else {
          trouble.hidden = false;
          fill(trouble, trouble_of(error));
          (code.box.hidden ? secret : code).input.select();
        }
      } finally {
        button.disabled = false;
      }
      return undefined;
    },
  }, who.box, secret.box, code.box, trouble, button);
}

export const login_page = (done) => h('section.gate-card', h('h1', t('login')), login_form(null, done));

export const setup_page = () => h('section.gate-card', h('h1', t('setup_title')),
  h('p', t('setup_text')), h('pre.command', 'juyong account add -c conf/juyong.yaml NAME --role administrator'), h('p.soft', t('setup_after')));

// Over the page, when the session has ended: what was typed below stays. Resolves once somebody is in.
export function login_again(user, done, front) {
  return new Promise((resolve) => {
    let in_again = false;
    const show = () => {
      const close = dialog(t('session_ended'), () => [
        h('p.soft', t(front ? 'session_ended_front' : 'session_ended_text')),
        front ? h('div.row', h('button.main', { type: 'button', onclick: () => { in_again = true; close(); resolve(); } }, t('again'))) : login_form(user?.name, (session) => {
          in_again = true;
          done(session);
          close();
          resolve();
        }),
      ], { onclose: () => { if (!in_again) show(); } });
    };
    show();
  });
}
