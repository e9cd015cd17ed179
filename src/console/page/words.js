// The words of the page in the language that was chosen.
import { dictionary } from './dictionary.js';
import { language } from './choice.js';

let chosen = language();

export const current = () => chosen;
export const locale = () => (chosen === 'zh' ? 'zh-CN' : 'en-GB');

export function choose(code) {
  chosen = code;
  document.documentElement.lang = locale() === 'zh-CN' ? 'zh-CN' : 'en';
}

// t('new_rows', { n: 3 }); a word that is missing shows as its key, which the tests look for.
export function t(key, values) {
  const entry = dictionary[key];
  if (!entry) return `⟦${key}⟧`;
  const text = chosen === 'zh' ? entry[0] : entry[1];
  return values ? text.replace(/\{(\w+)\}/g, (all, name) => (name in values ? values[name] : all)) : text;
}

export const has = (key) => Object.hasOwn(dictionary, key);

// The name of a value that the gateway gave, or the value itself where it is newer than the page.
export function named(kind, value) {
  if (value === null || value === undefined || value === '') return '–';
  const entry = Object.hasOwn(dictionary, `${kind}.${value}`) ? dictionary[`${kind}.${value}`] : null;
  return entry ? entry[chosen === 'zh' ? 0 : 1] : String(value);
}

// Of something that brings its own two names ({zh, en}).
export const either = (thing) => (chosen === 'zh' ? thing.zh || thing.en : thing.en || thing.zh) ?? '';
