// The papers, made of what is in force at the moment they are asked for. Each that leaves is on record.
import * as api from './api.js';
import { h } from './dom.js';
import { act, load, table } from './parts.js';
import { may } from './person.js';
import { named, t } from './words.js';

const may_take = () => ['publish', 'apps', 'export'].some(may);

// By a request of its own, so that a refusal is said and nothing leaves the page.
async function take(path, name) {
  const url = URL.createObjectURL(await api.get_blob(path));
  h('a', { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60e3);
}

export const take_button = (path, name) => {
  const b = h('button', { type: 'button', 'data-file': name, onclick: () => act(b, () => take(path, name)) }, t('filing_take'));
  return b;
};

export const show_files = (box, { signal }) => load(box, signal, (s) => api.get('filing/files', null, s), ({ rows }) => [
  may_take() ? h('p.soft', t('filing_files_text')) : h('p.hint', t('filing_files_closed')),
  table([
    { title: t('filing_paper'), class: 'col-text', cell: (f) => [h('strong', named('filing_file', f.name)), h('div.soft.small', named('filing_about', f.name))] },
    { title: t('file'), class: 'nowrap', cell: (f) => h('span.mono', f.name) },
    ...(may_take() ? [{ title: t('what_to_do'), cell: (f) => take_button(`filing/files/${api.seg(f.name)}`, f.name) }] : []),
  ], rows, { caption: t('filing_files') })]);
