// Where one is: #/page/part?filters. Everything that a colleague should see when they open the link
// stands in it, so that sharing, going back and reloading work.

export function here() {
  const [path, search] = location.hash.replace(/^#\/?/, '').split('?');
  const parts = path.split('/').filter(Boolean).map((part) => {
    try {
      return decodeURIComponent(part);
    } catch {
      return part;
    }
  });
  return { page: parts[0] || 'overview', parts: parts.slice(1), params: new URLSearchParams(search ?? '') };
}

export function link(page, params) {
  const q = new URLSearchParams();
  for (const [key, value] of Object.entries(params ?? {}))
    if (value !== null && value !== undefined && value !== '' && value !== false) q.set(key, value === true ? '1' : value);
  const text = q.toString();
  return `#/${[page].flat().map(encodeURIComponent).join('/')}${text ? `?${text}` : ''}`;
}

// A step that "back" undoes.
export function go(to) {
  if (location.hash === to) dispatchEvent(new HashChangeEvent('hashchange'));
  else location.hash = to;
}

// The same page in another state: no new page is drawn. `step` makes it one that "back" undoes.
export function note(page, params, step) {
  const to = link(page, params);
  if (location.hash === to) return;
  if (step) history.pushState(null, '', to);
  else history.replaceState(null, '', to);
}
