// The log as the console's page searches it: the rows of `juyong log list --json`, page by page, with
// and without the index; groups, one exchange, the overview.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { Stack, run, until, words } from './harness.js';
import { person } from './people.js';

let stack;
let li;
let vera;
const ids = [];
const hostile = '<img src=x onerror=alert(1)>';

before(async () => {
  stack = await Stack.start({ config: { policy: { language: 'en' }, trusted_proxies: ['127.0.0.1'], strikes: { enabled: false } } });
  li = await person(stack, 'li', 'reviewer');
  vera = await person(stack, 'vera', 'viewer');
  const say = async (text, session) =>
    ids.push((await stack.chat(text, {}, { headers: session ? { 'x-juyong-session': session } : {} })).headers.get('x-request-id'));
  for (let i = 0; i < 6; i++) await say(`${'  '.repeat(i)}tell me ${words.block}${i % 2 ? '!' : ''} ${hostile}`);
  await say(`about ${words.flag}`, 'talk');
  await say('good morning', 'talk');
});
after(() => stack?.stop());

const list = async (params) => {
  const r = await li.get('/api/log', params);
  assert.equal(r.status, 200, r.text);
  return r.json;
};
const requests = async (params) => (await list(params)).rows.map((r) => r.request_id);
const newest = (n) => [...ids].reverse().slice(0, n);
const log_dir = () => path.join(stack.dir, 'state', 'log');
const indexed = () => until(async () => (await li.get('/api/overview')).json.buckets.reduce((n, b) => n + b.requests, 0) >= ids.length, 'the index');

test('rows are those of the command line, and pages go on', async () => {
  const first = await list({ limit: 4, all: 1 });
  assert.deepEqual(first.rows.filter((r) => r.request_id).map((r) => r.request_id), newest(4));
  assert.equal(first.complete, true);
  const [mine] = first.rows.filter((r) => r.request_id === ids[6]);
  const [theirs] = await stack.log('--request', ids[6]);
  const { review, ...row } = mine;
  assert.equal(review, null);
  assert.deepEqual(row, theirs);
  // What comes meanwhile is on no later page.
  ids.push((await stack.chat(`once more ${words.block}`)).headers.get('x-request-id'));
  const seen = first.rows.map((r) => r.request_id);
  for (let older = first.older; older;) {
    const page = await list({ limit: 4, all: 1, before: older });
    seen.push(...page.rows.map((r) => r.request_id));
    older = page.older;
  }
  assert.deepEqual(seen.filter(Boolean), [...ids].reverse().slice(1));
  const fresh = await list({ after: first.newest_seq });
  assert.deepEqual(fresh.rows.map((r) => r.request_id), [ids.at(-1)]);
  assert.ok(fresh.newest_seq > first.newest_seq);
  assert.equal((await li.get('/api/log', { before: 'rubbish' })).status, 400);
  assert.equal((await li.get('/api/log', { limit: 501 })).status, 400);
  assert.equal((await li.get('/api/log', { review: 'rubbish' })).status, 400);
});

test('a two-character word, a session and all that is filtered for, with and without the index', async () => {
  await indexed();
  const ask = async () => Promise.all([
    requests({ text: words.block.slice(2, 4) }), requests({ text: words.block[0] }), requests({ text: 'TELL me' }), requests({ text: 'no such' }),
    requests({ session: 'talk', all: 1 }), requests({ session: 'talk' }), requests({ client_ip: '127.0.0.1', action: 'flag' }), requests({ client_ip: '127.0.0.2' }),
    requests({ model: 'demo', direction: 'prompt', limit: 2 }), requests({ action: 'block,mask', limit: 3 }),
  ]);
  const with_index = await ask();
  assert.deepEqual(with_index, [
    newest(9).filter((id) => id !== ids[6] && id !== ids[7]), newest(9).filter((id) => id !== ids[6] && id !== ids[7]), newest(9).filter((id) => ids.indexOf(id) < 6), [],
    [ids[7], ids[6]], [ids[6]], [ids[6]], [],
    [ids[8], ids[6]], [ids[8], ids[5], ids[4]],
  ]);
  const files = (await readdir(log_dir())).filter((f) => /^[it]x-/.test(f));
  assert.ok(files.some((f) => f.startsWith('ix-')) && files.some((f) => f.startsWith('tx-')), files.join(' '));
  for (const f of files) await rm(path.join(log_dir(), f));
  assert.deepEqual(await ask(), with_index);
  await until(async () => (await readdir(log_dir())).some((f) => f.startsWith('ix-')), 'the index to be made anew');
  assert.deepEqual(await ask(), with_index);
});

test('the command line has the same filters', async () => {
  const by = async (...args) => (await stack.log(...args)).map((r) => r.request_id);
  assert.deepEqual(await by('--session', 'talk', '--all'), [ids[6], ids[7]]);
  assert.deepEqual(await by('--client-ip', '127.0.0.2'), []);
  assert.deepEqual(await by('--text', words.flag.slice(1, 3)), [ids[6]]);
  const [row] = await stack.log('--request', ids[4]);
  assert.deepEqual(await by('--before', String(row.last_seq)), ids.slice(0, 4));
  assert.deepEqual(await by('--after', String(row.last_seq), '--limit', '2'), [ids[5], ids[6]]);
  const bad = await run(['log', 'list', '-c', stack.conf, '--before', 'x']);
  assert.equal(bad.code, 2);
});

test('who may not read gets no texts', async () => {
  const rows = (await vera.get('/api/log')).json.rows;
  assert.equal(rows.length, 8);
  for (const route of ['/api/log', '/api/log/groups', `/api/log/${ids[0]}`]) {
    const r = await vera.get(route);
    assert.equal(r.status, 200, r.text);
    assert.ok(!r.text.includes(words.block) && !r.text.includes('onerror'), route);
  }
  assert.ok((await li.get('/api/log')).text.includes(words.block));
});

test('what is alike is one group, and its open ones are counted', async () => {
  const groups = (await li.get('/api/log/groups')).json;
  assert.equal(groups.complete, true);
  const [alike] = groups.groups;
  assert.deepEqual([alike.count, alike.open, alike.action, alike.requests], [6, 6, 'block', newest(9).filter((id) => ids.indexOf(id) < 6)]);
  assert.ok(alike.context.includes(words.block) && alike.last_us >= alike.first_us);
  assert.equal((await li.post('/api/reviews', { requests: ids.slice(0, 2), verdict: 'correct' })).status, 200);
  assert.equal((await li.get('/api/log/groups')).json.groups[0].open, 4);
  assert.deepEqual(await requests({ review: 'correct' }), [ids[1], ids[0]]);
  assert.deepEqual(await requests({ review: 'open', action: 'block' }), [ids[8], ids[5], ids[4], ids[3], ids[2]]);
  assert.equal((await list({ review: 'correct' })).rows[0].review, 'correct');
});

test('one exchange comes with its records, reviews and conversation', async () => {
  const one = (await li.get(`/api/log/${ids[6]}`)).json;
  assert.equal(one.request_id, ids[6]);
  assert.ok(one.records.length >= 2 && one.records.every((r) => r.v === 1 && r.request_id === ids[6]));
  assert.deepEqual(one.conversation.map((r) => r.request_id), [ids[6], ids[7]]);
  assert.deepEqual(one.reviews, []);
  const judged = (await li.get(`/api/log/${ids[0]}`)).json;
  assert.deepEqual([judged.review, judged.reviews.length, judged.conversation.length], ['correct', 1, 0]);
  assert.equal((await li.get('/api/log/no-such-one')).status, 404);
});

test('the overview sums up', async () => {
  await indexed();
  const o = (await li.get('/api/overview', { since: (Date.now() - 86400e3) * 1000 })).json;
  const sum = (key) => o.buckets.reduce((n, b) => n + b[key], 0);
  assert.deepEqual([sum('requests'), sum('block'), sum('flag'), sum('allow')], [9, 7, 1, 1]);
  assert.deepEqual(o.apps.map((a) => [a.app, a.requests]), [['default', 9]]);
  assert.equal(Math.max(...o.rules.map((r) => r.count)), 7);
  assert.deepEqual(o.risks.map((r) => r.block).filter(Boolean), [7]);
  assert.deepEqual([o.complete, o.step_us, o.reviews.correct], [true, 600e6, 2]);
  assert.equal((await li.get('/api/overview', { app: 'other' })).json.buckets.length, 0);
});

test('who looks for one person is on record, once a list', async () => {
  const user = 'ab'.repeat(32);
  await list({ end_user: user });
  await list({ end_user: user, after: 3 });
  const acts = (await stack.log('--all')).filter((r) => r.reason === 'user_lookup');
  assert.deepEqual(acts.map((r) => [r.end_user, JSON.parse(r.detail).by]), [[user, 'li']]);
});
