// What a person chose and the browser remembers: language, theme, columns. Nothing of the log is ever
// kept here. A browser that forbids storage just forgets.

function read(key) {
  try {
    return localStorage.getItem(`juyong.${key}`);
  } catch {
    return null;
  }
}

export function remember(key, value) {
  try {
    if (value === null) localStorage.removeItem(`juyong.${key}`);
    else localStorage.setItem(`juyong.${key}`, value);
  } catch { /* forgotten, then */ }
}

export const recall = read;

export function language() {
  const chosen = read('language');
  if (chosen === 'zh' || chosen === 'en') return chosen;
  return (navigator.languages ?? [navigator.language]).some((l) => /^zh\b/i.test(l)) ? 'zh' : 'en';
}

export function theme() {
  const chosen = read('theme');
  if (chosen === 'light' || chosen === 'dark') return chosen;
  return matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
}

export function apply_theme() {
  document.documentElement.dataset.theme = theme();
}

export function recall_list(key, otherwise) {
  const text = read(key);
  return text === null ? otherwise : text.split(',').filter(Boolean);
}
