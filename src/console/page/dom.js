// Elements from code. Strings become text nodes and nothing else: there is no way to markup here, and
// characters that hide or turn text around are made visible on the way (plain.js).
import { plain } from './plain.js';

// h('p.soft', { id: 'x', onclick: f }, 'text', node, [more], null)
export function h(what, attributes, ...children) {
  const [tag, ...classes] = what.split('.');
  const e = document.createElement(tag || 'div');
  if (classes.length) e.className = classes.join(' ');
  if (attributes !== null && typeof attributes === 'object' && !(attributes instanceof Node) && !Array.isArray(attributes))
    set(e, attributes);
  else if (attributes !== undefined) children.unshift(attributes);
  put(e, children);
  return e;
}

export function set(e, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith('on')) e.addEventListener(name.slice(2), value);
    else if (name === 'value') e.value = value;
    else if (name === 'checked' || name === 'disabled' || name === 'selected') e[name] = value;
    else if (name === 'class') e.classList.add(...value.split(' ').filter(Boolean));
    else e.setAttribute(name, value === true ? '' : value);
  }
  return e;
}

export function put(e, children) {
  for (const c of [children].flat(Infinity)) {
    if (c === null || c === undefined || c === false || c === '') continue;
    e.append(c instanceof Node ? c : plain(String(c)));
  }
  return e;
}

// Puts something else in place of what is there.
export function fill(e, ...children) {
  e.replaceChildren();
  return put(e, children);
}

// For screen readers, used where something happened that the eye sees at once.
export function say(text) {
  const place = document.getElementById('said');
  place.textContent = '';
  setTimeout(() => { place.textContent = text; }, 30);
}

// A message at the lower edge, gone after a while.
export function toast(text, bad) {
  const e = h('div.toast', { class: bad ? 'bad' : '' }, text);
  document.body.append(e);
  say(text);
  setTimeout(() => e.remove(), bad ? 7000 : 3500);
}
