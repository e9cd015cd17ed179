// What somebody does at the console who wants to see, do or stop more than his role allows.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Stack, until, words } from './harness.js';
import { person } from './people.js';

const roles = { vera: 'viewer', li: 'reviewer', adm: 'administrator', ada: 'administrator', ina: 'inspector' };
let stack;
const people = {};
before(async () => {
  stack = await Stack.start();
  for (const [name, role] of Object.entries(roles)) people[name] = await person(stack, name, role);
});
after(() => stack?.stop());

const acts = async (reason) => (await stack.log('--all')).filter((r) => r.kind === 'admin' && r.reason === reason).map((r) => ({ ...JSON.parse(r.detail), end_user: r.end_user }));
const row_of = (id) => until(async () => (await people.li.get('/api/log', { request_id: id })).json.rows[0], 'the exchange is in the log');

test('who may not read texts can not ask what is in them either', async () => {
  const id = (await stack.chat(`请告诉我${words.block}在哪里`)).headers.get('x-request-id');
  await row_of(id);
  for (const route of ['/api/log', '/api/log/groups']) {
    for (const who of ['vera', 'adm']) {
      for (const text of [words.block, 'surely not in it']) {
        const r = await people[who].get(route, { text });
        assert.deepEqual([r.status, r.json.error?.code], [403, 'wrong_role'], `${who} ${route} ${r.text}`);
      }
      assert.equal((await people[who].get(route, { text: '' })).status, 200);
    }
    assert.equal((await people.li.get(route, { text: words.block })).status, 200);
  }
  const note = '他说的是别的意思';
  assert.equal((await people.li.post('/api/reviews', { requests: [id], verdict: 'correct', note })).status, 200);
  const seen = await people.vera.get(`/api/log/${id}`);
  assert.equal(seen.json.reviews[0].verdict, 'correct');
  assert.ok(!seen.text.includes(note) && !seen.text.includes(words.block), 'nor what reviewers wrote about them');
  assert.equal((await people.li.get(`/api/log/${id}`)).json.reviews[0].note, note);
});

test('a person is not looked up unrecorded by a page that is not the first', async () => {
  const end_user = (await row_of((await stack.chat(words.block, { user: 'somebody' })).headers.get('x-request-id'))).end_user;
  await stack.chat(words.block, { user: 'somebody' });
  await until(async () => (await people.li.get('/api/log', { app: 'default' })).json.rows.filter((r) => r.end_user === end_user).length === 2, 'two exchanges');
  assert.deepEqual(await acts('user_lookup'), []);
  assert.equal((await people.vera.get('/api/log', { end_user, after: 1 })).json.rows.length, 2);
  assert.equal((await people.ina.get('/api/log', { end_user, before: '99999.99999' })).json.rows.length, 2);
  assert.deepEqual((await acts('user_lookup')).map((a) => [a.by, a.end_user]), [['vera', end_user], ['ina', end_user]]);
  const first = (await people.li.get('/api/log', { end_user, limit: 1 })).json;
  assert.equal((await people.li.get('/api/log', { end_user, limit: 1, before: first.older })).json.rows.length, 1);
  await people.li.get('/api/log', { end_user, after: first.newest_seq });
  assert.equal((await acts('user_lookup')).filter((a) => a.by === 'li').length, 1, 'one list is one look');
});

test('what people did is told to who reads acts; of one user who, when and why', async () => {
  const { end_user } = (await people.li.get('/api/log', { app: 'default', limit: 500 })).json.rows.find((r) => r.end_user);
  const done = await people.li.post(`/api/users/${end_user}`, { act: 'suspend', app: 'default', reason: 'enough', for_s: 60 });
  assert.equal(done.status, 200, done.text);
  for (const [who, whole] of [['vera', false], ['li', false], ['adm', false], ['ina', true]]) {
    const [act] = await until(async () => {
      const { acts: list } = (await people[who].get(`/api/users/${end_user}`)).json;
      return list.length && list;
    }, 'the act is there');
    assert.deepEqual([act.act, act.who, act.reason], ['user_suspend', 'li', 'enough']);
    assert.equal('detail' in act, whole, who);
  }
});

test('two administrators who remove each other at once leave one', async () => {
  const names = ['adm', 'ada'];
  const there = async () => (await Promise.all(names.map((n) => people[n].get('/api/accounts')))).filter((r) => r.status === 200);
  const fates = await Promise.all(names.map((n, i) => people[n].post(`/api/accounts/${names[1 - i]}`, { remove: true })));
  assert.deepEqual(fates.map((r) => r.status).sort().slice(0, 1), [200]);
  const left = await there();
  assert.equal(left.length, 1);
  assert.equal(left[0].json.filter((a) => a.role === 'administrator').length, 1);
});

test('the way in stays open while everybody inside waits', async () => {
  const lock = path.join(stack.dir, 'state/accounts.lock');
  const holder = spawn('flock', [lock, 'sh', '-c', 'echo held; read x'], { stdio: ['pipe', 'pipe', 'inherit'] });
  await new Promise((held) => holder.stdout.once('data', held));
  const admin = (await Promise.all(['adm', 'ada'].map(async (n) => [people[n], (await people[n].get('/api/accounts')).status]))).find(([, s]) => s === 200)[0];
  let ended = 0;
  const waiting = Array.from({ length: 6 }, (_, i) => admin.post('/api/accounts/vera', { disabled: i % 2 === 1 }).then((r) => { ended++; return r; }));
  await until(async () => (await acts('account_change')).length >= 4, 'all clerks wait');
  const session = await fetch(`${stack.console}/api/session`, { signal: AbortSignal.timeout(20000) });
  assert.equal((await session.json()).user, null);
  assert.equal(ended, 0);
  holder.stdin.end('\n');
  for (const r of await Promise.all(waiting)) assert.equal(r.status, 200, r.text);
});

test('exports leave clerks for others', async () => {
  const db = new DatabaseSync(path.join(stack.dir, 'state/casebook.db'));
  db.exec('BEGIN IMMEDIATE');
  const all = Array.from({ length: 3 }, () => people.ina.get('/api/log/export', { format: 'jsonl' }));
  const first = await Promise.race(all);
  assert.deepEqual([first.status, first.json?.error.code], [503, 'busy'], first.text);
  db.exec('ROLLBACK');
  db.close();
  assert.deepEqual((await Promise.all(all)).map((r) => r.status).sort(), [200, 200, 503]);
  assert.equal((await people.ina.get('/api/log/export', { format: 'csv' })).status, 200, 'afterwards there is room again');
});

test('whose address a proxy tells can not be told by the client as well', async () => {
  const s = await Stack.start({ config: { trusted_proxies: ['127.0.0.1'] } });
  try {
    await person(s, 'vera', 'viewer');
    const from = async (...addresses) => {
      const socket = connect(s.consolePort, '127.0.0.1');
      const body = JSON.stringify({ name: 'vera', password: 'this is not hers' });
      socket.write(`POST /api/login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n${addresses.map((a) => `X-Juyong-Client-IP: ${a}\r\n`).join('')}Connection: close\r\n\r\n${body}`);
      let text = '';
      for await (const piece of socket) text += piece;
      return text;
    };
    await from('203.0.113.7');
    await from('203.0.113.8', '203.0.113.9');
    const told = await until(async () => {
      const list = (await s.log('--all')).filter((r) => r.kind === 'admin' && r.reason === 'login_failed').map((r) => JSON.parse(r.detail).ip);
      return list.length === 2 && list;
    }, 'both are on record');
    assert.deepEqual(told, ['203.0.113.7', '127.0.0.1']);
  } finally {
    await s.stop();
  }
});
