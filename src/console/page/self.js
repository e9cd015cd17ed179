// One's own password and authenticator.
import * as api from './api.js';
import { fill, h } from './dom.js';
import { act, copy_button, dialog, error_box, field, facts } from './parts.js';
import { person, seat } from './person.js';
import { named, t } from './words.js';

function password_form() {
  const old = field({ name: 'old', label: t('password_old'), kind: 'password', need: true, autocomplete: 'current-password' });
  const fresh = field({ name: 'new', label: t('password_new'), kind: 'password', need: true, autocomplete: 'new-password', hint: t('password_hint') });
  const again = field({ name: 'again', label: t('password_again'), kind: 'password', need: true, autocomplete: 'new-password' });
  const trouble = h('div');
  const button = h('button.main', { type: 'submit' }, t('password_change'));
  return h('form.panel.stack', {
    novalidate: true,
    onsubmit: (e) => {
      e.preventDefault();
      trouble.replaceChildren();
      const bad = [old, fresh, again].find((f) => !f.check());
      if (bad) return bad.input.focus();
      if (fresh.value() !== again.value()) {
        fill(trouble, h('p.wrong', { role: 'alert' }, t('password_differs')));
        return again.input.focus();
      }
      return act(button, async () => {
        try {
          const session = await api.post('password', { old: old.value(), new: fresh.value() });
          if (session.token) api.set_token(session.token);
          for (const f of [old, fresh, again]) f.input.value = '';
          fill(trouble, h('p', { role: 'status' }, t('password_changed')));
        } catch (error) {
          fill(trouble, error_box(error));
        }
      });
    },
  }, h('h2', t('password')), old.box, fresh.box, again.box, trouble, h('div.row', button));
}

function begin(done) {
  dialog(t('totp_set_up'), (close) => {
    const box = h('div.stack', t('loading'));
    api.post('totp/begin').then(({ secret, uri }) => {
      const code = field({ name: 'code', label: t('totp_code'), need: true, inputmode: 'numeric', autocomplete: 'one-time-code', most: 8 });
      const trouble = h('div');
      const button = h('button.main', { type: 'submit' }, t('confirm'));
      fill(box, h('p', t('totp_text')), facts([[t('totp_secret'), h('span', h('span.mono', secret.replace(/(.{4})/g, '$1 ').trim()), ' ', copy_button(secret))], [t('totp_uri'), h('span', h('span.mono.small', uri), ' ', copy_button(uri))]]),
        h('form.stack', {
          novalidate: true,
          onsubmit: (e) => {
            e.preventDefault();
            if (!code.check()) return;
            act(button, async () => {
              try {
                const session = await api.post('totp/confirm', { code: code.value().replace(/\s/g, '') });
                if (session.token) api.set_token(session.token);
                close();
                done(true);
              } catch (error) {
                fill(trouble, error_box(error));
              }
            });
          },
        }, code.box, trouble, h('div.row', button)));
      code.input.focus();
    }, (e) => fill(box, error_box(e)));
    return box;
  });
}

function totp_panel() {
  const box = h('section.panel.stack');
  function draw(on) {
    seat({ ...person(), user: { ...person().user, totp: on } });
    const password = field({ name: 'password', label: t('password'), kind: 'password', need: true, autocomplete: 'current-password' });
    const trouble = h('div');
    const button = h('button', { type: 'submit' }, t('totp_remove'));
    fill(box, h('h2', t('totp')), h('p.soft', t(on ? 'totp_is_on' : 'totp_is_off')),
      on ? null : h('div.row', h('button.main', { type: 'button', onclick: () => begin(draw) }, t('totp_set_up'))),
      !on ? null : h('form.stack', {
        novalidate: true,
        onsubmit: (e) => {
          e.preventDefault();
          if (!password.check()) return;
          act(button, async () => {
            try {
              const session = await api.post('totp/remove', { password: password.value() });
              if (session.token) api.set_token(session.token);
              draw(false);
            } catch (error) {
              fill(trouble, error_box(error));
            }
          });
        },
      }, password.box, trouble, h('div.row', button)));
  }
  draw(Boolean(person().user.totp));
  return box;
}

export async function show(box) {
  const { user, version, node } = person();
  fill(box, h('div.head', h('h1', t('page_self'))), facts([[t('name'), user.name], [t('role'), `${named('role', user.role)} · ${t(`role_may_${user.role}`)}`], [t('gateway'), `${node ?? ''} ${version ?? ''}`.trim()]]),
    person().front ? h('p.soft', t('front_text')) : h('div.columns', password_form(), totp_panel()));
}
