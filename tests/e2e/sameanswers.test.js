// The same questions put to the command line, to the page's list, to its groups and to the overview: one
// log, one answer; with the index and without it.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { as, start, stopAll } from './apps.js';
import { run, until, words } from './harness.js';
import { person } from './people.js';

let stack;
let li;
let rows; // all of them, oldest first, as the command line tells them
const trace = '4bf92f3577b34da6a3ce929d0e0e4736';

before(async () => {
  stack = await start({ apps: [{ name: 'shop' }, { name: 'bank' }], policy: { language: 'en' }, trusted_proxies: ['127.0.0.1'],
    strikes: { enabled: false } });
  li = await person(stack, 'li', 'reviewer');
  const say = async (app, text, model, headers) => {
    const r = await stack.chat(text, { model }, as(stack.keys[app], { 'x-juyong-client-ip': '192.0.2.1', ...headers }));
    assert.ok(r.headers.get('x-request-id'), r.text);
  };
  for (let i = 0; i < 3; i++) await say('shop', `${' '.repeat(i)}about ${words.block}${'!'.repeat(i)}`, 'demo', { 'x-juyong-end-user': 'wang' });
  await say('shop', `about ${words.flag}`, 'small', { 'x-juyong-session': 'talk', 'x-juyong-end-user': 'wang' });
  await say('shop', 'good morning', 'small', { 'x-juyong-session': 'talk' });
  await say('bank', `about ${words.block}`, 'large', { 'x-juyong-client-ip': '192.0.2.2', traceparent: `00-${trace}-00f067aa0ba902b7-01` });
  await say('bank', `tell ${words.answer}`, 'demo', { 'x-juyong-end-user': 'zhao' });
  await say('bank', 'good evening', 'demo', { 'x-juyong-end-user': 'zhao' });
  await say('bank', await stack.script('said', { text: `so ${words.block} is it` }), 'demo');
  rows = await until(async () => {
    const all = (await stack.log('--all')).filter((r) => r.kind === 'exchange');
    return all.length === 9 && all.every((r) => r.outcome && r.outcome !== 'running') && all;
  }, 'all exchanges');
});
after(stopAll);

const us = (time) => String(BigInt(Date.parse(time)) * 1000n);
const questions = () => {
  const middle = new Date(Math.floor(Date.parse(rows[4].time) / 1000) * 1000).toISOString();
  return [
    [[], {}],
    [['--all'], { all: 1 }],
    [['--action', 'block'], { action: 'block' }],
    [['--action', 'flag,answer'], { action: 'flag,answer' }],
    [['--action', 'flag'], { action: 'flag,mask,answer,block' }], // on the command line: that and heavier ones
    [['--risk', 'A1'], { risk: 'A1' }],
    [['--risk', 'A'], { risk: 'A' }],
    [['--rule', rows[0].rule], { rule: rows[0].rule }],
    [['--rule', 'none/0'], { rule: 'none/0' }],
    [['--app', 'bank'], { app: 'bank' }],
    [['--app', 'bank', '--all'], { app: 'bank', all: 1 }],
    [['--direction', 'prompt'], { direction: 'prompt' }],
    [['--direction', 'completion'], { direction: 'completion' }],
    [['--model', 'large'], { model: 'large' }],
    [['--end-user', rows[0].end_user, '--all'], { end_user: rows[0].end_user, all: 1 }],
    [['--request', rows[4].request_id, '--all'], { request_id: rows[4].request_id, all: 1 }],
    [['--trace', trace], { trace_id: trace }],
    [['--session', 'talk', '--all'], { session: 'talk', all: 1 }],
    [['--client-ip', '192.0.2.2'], { client_ip: '192.0.2.2' }],
    [['--text', words.block.slice(1, 3)], { text: words.block.slice(1, 3) }],
    [['--text', 'ABOUT'], { text: 'ABOUT' }],
    [['--text', 'about', '--app', 'bank'], { text: 'about', app: 'bank' }],
    [['--text', 'nowhere'], { text: 'nowhere' }],
    [['--since', middle, '--all'], { since: us(middle), all: 1 }],
    [['--until', middle, '--all'], { until: us(middle), all: 1 }],
    [['--purpose', 'regulator-enforce', '--all'], { purpose: 'regulator-enforce', all: 1 }],
    [['--purpose', 'any', '--all'], { purpose: 'any', all: 1 }],
  ];
};

// All pages of the list, newest first.
async function pages(params) {
  const found = [];
  for (let before = ''; ;) {
    const r = await li.get('/api/log', { limit: 3, ...params, ...(before && { before }) });
    assert.equal(r.status, 200, r.text);
    found.push(...r.json.rows);
    before = r.json.older;
    if (!before) return found;
  }
}

async function ask(args, params) {
  const exchanges = (all) => all.filter((r) => r.kind === 'exchange');
  const told = exchanges(await stack.log(...args));
  const listed = exchanges(await pages(params)).map(({ review, ...row }) => row);
  const question = JSON.stringify(params);
  assert.deepEqual(listed.reverse(), told, question);
  const groups = (await li.get('/api/log/groups', params)).json;
  const grouped = groups.groups.flatMap((g) => g.requests);
  assert.equal(groups.complete, true);
  assert.deepEqual(grouped.filter((id) => told.some((r) => r.request_id === id)).sort(), told.map((r) => r.request_id).sort(), question);
  return told.map((r) => r.request_id);
}

const log_dir = () => path.join(stack.dir, 'state', 'log');
const overview = async (params = {}) => (await li.get('/api/overview', params)).json;
const total = (o, key) => o.buckets.reduce((n, b) => n + b[key], 0);
const indexed = () => until(async () => total(await overview(), 'requests') >= 9, 'the index');

test('every filter gives the same rows on the command line, in the list and in the groups', async () => {
  await indexed();
  const answers = [];
  for (const [args, params] of questions()) answers.push(await ask(args, params));
  const count = (n) => answers[n].length;
  assert.deepEqual([count(0), count(1), count(2), count(8), count(9), count(16), count(17), count(22)], [7, 9, 5, 0, 3, 1, 2, 0]);
  assert.deepEqual([...answers[23], ...answers[24]].sort(), [...answers[1]].sort());
  for (const f of await readdir(log_dir())) if (/^[it]x-/.test(f)) await rm(path.join(log_dir(), f));
  for (const [i, [args]] of questions().entries())
    assert.deepEqual((await stack.log(...args)).filter((r) => r.kind === 'exchange').map((r) => r.request_id), answers[i], args.join(' '));
  await indexed();
});

test('both know what was reviewed', async () => {
  const [wrong, right] = rows.filter((r) => r.action === 'block').map((r) => r.request_id);
  assert.equal((await ask(['--review', 'open'], { review: 'open' })).length, 7);
  assert.equal((await run(['log', 'review', '-c', stack.conf, '--false-positive', wrong])).code, 0);
  assert.equal((await run(['log', 'review', '-c', stack.conf, '--correct', right])).code, 0);
  assert.deepEqual(await ask(['--review', 'false_positive'], { review: 'false_positive' }), [wrong]);
  assert.deepEqual(await ask(['--review', 'correct', '--action', 'block'], { review: 'correct', action: 'block' }), [right]);
  assert.deepEqual(await ask(['--review', 'unsure'], { review: 'unsure' }), []);
  assert.equal((await ask(['--review', 'open'], { review: 'open' })).length, 5);
  const csv = await run(['log', 'export', '-c', stack.conf, '--format', 'csv', '--review', 'correct']);
  assert.ok(csv.stdout.includes(right) && !csv.stdout.includes(wrong), csv.stdout + csv.stderr);
  const copy = await run(['log', 'list', '--dir', log_dir(), '--review', 'open']);
  assert.equal(copy.code, 1);
  assert.match(copy.stderr, /--review needs -c/);
});

test('the overview counts what the list lists', async () => {
  for (const app of ['', 'shop', 'bank']) {
    const mine = rows.filter((r) => !app || r.app === app);
    const o = await overview({ ...(app && { app }) });
    for (const action of ['allow', 'flag', 'mask', 'answer', 'block'])
      assert.equal(total(o, action), mine.filter((r) => r.action === action).length, `${app} ${action}`);
    assert.equal(total(o, 'requests'), mine.length);
    for (const a of o.apps) assert.equal(a.requests, mine.filter((r) => r.app === a.app).length);
    for (const m of o.models) assert.equal(m.requests, mine.filter((r) => r.model === m.model).length);
    // Once for what was asked and once for what was answered.
    const counts = (row, rule) => new Set(row.hits.filter((h) => h.rule === rule).map((h) => h.direction)).size;
    for (const r of o.rules) assert.equal(r.count, mine.reduce((n, row) => n + counts(row, r.rule), 0), r.rule);
    assert.equal(o.rules.length, new Set(mine.flatMap((row) => row.hits.map((h) => h.rule))).size);
    assert.equal(total(o, 'held_us'), mine.reduce((n, r) => n + (r.held_us ?? 0), 0));
  }
});

test('both refuse what is no filter', async () => {
  for (const [args, params] of [
    [['--action', 'burn'], { action: 'burn' }], [['--direction', 'up'], { direction: 'up' }], [['--since', 'soon'], { since: 'soon' }],
    [['--purpose', 'fun'], { purpose: 'fun' }], [['--review', 'fine'], { review: 'fine' }],
  ]) {
    assert.equal((await run(['log', 'list', '-c', stack.conf, ...args])).code, 2, args.join(' '));
    assert.equal((await li.get('/api/log', params)).status, 400, JSON.stringify(params));
    assert.equal((await li.get('/api/log/groups', params)).status, 400, JSON.stringify(params));
  }
});
