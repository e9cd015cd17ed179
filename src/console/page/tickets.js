// Complaints of end users, with the day on which each must be answered.
import * as api from './api.js';
import { link, note } from './address.js';
import { fill, h } from './dom.js';
import { time } from './format.js';
import { act, badge, dialog, facts, field, if_may, paged } from './parts.js';
import { named, t } from './words.js';

const states = ['open', 'working', 'answered', 'closed'];
const kinds = { open: 'warn', working: 'info', answered: 'good', closed: 'none' };

function due(x) {
  if (!x.due_us || ['answered', 'closed'].includes(x.state)) return h('span.soft', time(x.due_us));
  const left_h = (x.due_us / 1000 - Date.now()) / 3600e3;
  return h('span', time(x.due_us), ' ', left_h < 0 ? badge('bad', t('overdue')) : left_h < 24 ? badge('warn', t('due_soon')) : null);
}

function ticket_dialog(x, again) {
  dialog(`${t('ticket')} ${x.id}`, (close) => {
    const state = field({ name: 'state', label: t('state'), kind: 'choice', choices: states.map((s) => [s, named('ticket', s)]), value: x.state });
    const to = field({ name: 'to', label: t('assign_to'), value: x.to ?? '' });
    const text = field({ name: 'note', label: t('note'), kind: 'area', most: 4000 });
    const button = h('button.main', { type: 'submit' }, t('save'));
    return [
      facts([[t('kind'), named('complaint', x.kind)], [t('received'), time(x.at_us)], [t('due'), due(x)], [t('contact'), x.contact],
        [t('request_id'), x.request_id ? h('a', { href: link('log', { t: 'ever', request_id: x.request_id, open: x.request_id }), onclick: close }, h('span.mono', x.request_id)) : null]]),
      h('div.quote.low', { tabindex: '0' }, x.text),
      h('h3', t('notes')), x.notes?.length ? h('ul.notes', x.notes.map((n) => h('li', h('strong', n.who), ' ', h('span.soft', time(n.at_us)), n.state ? [' ', badge('none', named('ticket', n.state))] : null, h('div', n.text ?? n.note ?? '')))) : h('p.soft', t('nothing_here')),
      if_may('review', () => h('form.stack', {
        onsubmit: (e) => {
          e.preventDefault();
          act(button, async () => {
            await api.post(`tickets/${api.seg(x.id)}`, { state: state.value() === x.state ? undefined : state.value(), note: text.value() || undefined, to: to.value() !== (x.to ?? '') ? to.value() : undefined });
            close();
            again();
          }, t('saved_ok'));
        },
      }, h('div.row', h('div.narrow', state.box), h('div.narrow', to.box)), text.box, h('div.row', button))),
    ];
  }, { wide: true });
}

export async function show(box, { params, signal }) {
  let state = params.get('state') ?? '';
  const list = h('div');
  const read = () => fill(list, paged(signal, {
    none: t('no_tickets'), caption: t('page_tickets'), ask: ({ before }) => api.get('tickets', { state, before, limit: 100 }, signal),
    columns: [
      { title: t('ticket'), cell: (x) => h('button.link', { type: 'button', onclick: (e) => act(e.currentTarget, async () => ticket_dialog({ ...x, ...await api.get(`tickets/${api.seg(x.id)}`, null, signal) }, read)) }, h('span.mono', String(x.id))) },
      { title: t('state'), class: 'nowrap', cell: (x) => badge(kinds[x.state] ?? 'none', named('ticket', x.state)) },
      { title: t('kind'), class: 'nowrap', cell: (x) => named('complaint', x.kind) },
      { title: t('text'), class: 'col-text', cell: (x) => h('div.excerpt', String(x.text ?? '').slice(0, 160)) },
      { title: t('received'), class: 'nowrap', cell: (x) => time(x.at_us) },
      { title: t('due'), class: 'nowrap', cell: due },
      { title: t('assign_to'), cell: (x) => x.to ?? '–' },
    ],
  }));
  const choose = h('select', { 'aria-label': t('state'), onchange: () => { state = choose.value; note('tickets', { state }, true); read(); } },
    h('option', { value: '' }, t('all_states')), states.map((s) => h('option', { value: s, selected: s === state }, named('ticket', s))));
  fill(box, h('div.head', h('h1', t('page_tickets')), h('div.narrow', choose)), list);
  read();
}
