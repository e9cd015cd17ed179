// Single keys for those who work here all day. Not while typing, not with Ctrl, Alt or Meta, and not
// behind a dialog.
import { h } from './dom.js';
import { dialog } from './parts.js';
import { t } from './words.js';

const stack = [];

// keys: {j: {say: 'key_next', run: f}}; the newest set is asked first. Gives a function that takes it away.
export function bind(keys) {
  stack.push(keys);
  return () => {
    const at = stack.indexOf(keys);
    if (at >= 0) stack.splice(at, 1);
  };
}

const same = { ArrowDown: 'j', ArrowUp: 'k' };
const typing = (e) => e.isContentEditable || ['TEXTAREA', 'SELECT'].includes(e.tagName) ||
  (e.tagName === 'INPUT' && !['checkbox', 'radio', 'button'].includes(e.type));

function find(key) {
  for (let i = stack.length - 1; i >= 0; i--) if (Object.hasOwn(stack[i], key)) return stack[i][key];
  return null;
}

export function listen() {
  addEventListener('keydown', (e) => {
    if (e.defaultPrevented || e.ctrlKey || e.altKey || e.metaKey || document.querySelector('dialog[open]')) return;
    if (typing(e.target)) {
      if (e.key === 'Escape') e.target.blur();
      return;
    }
    // Enter and Space belong to the button or link that has the focus.
    if (['Enter', ' '].includes(e.key) && e.target.closest('a, button, summary, [role="tab"], [role="option"]')) return;
    const entry = find(e.key) ?? find(same[e.key]);
    if (!entry) return;
    if (entry.run(e) !== false) e.preventDefault();
  });
}

export function help() {
  const seen = new Set();
  const rows = [];
  for (let i = stack.length - 1; i >= 0; i--)
    for (const [key, { say }] of Object.entries(stack[i]))
      if (say && !seen.has(key)) {
        seen.add(key);
        rows.push([key === ' ' ? 'Space' : key, t(say)]);
      }
  dialog(t('help_title'), () => h('dl.keys', rows.map(([key, text]) => [h('dt', h('kbd', key)), h('dd', text)])));
}
