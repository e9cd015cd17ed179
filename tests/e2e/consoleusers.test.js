// Users, apps and keys as the console's page uses them, against the gateway itself: what is decided
// holds for the very next request, and is on record first.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { as, start, stopAll } from './apps.js';
import { run, words } from './harness.js';
import { person } from './people.js';

const roles = { vera: 'viewer', li: 'reviewer', pub: 'publisher', adm: 'administrator', ina: 'inspector' };
let stack;
const people = {};
const hash = {}; // of the app's ids
const secrets = []; // every key that was ever shown

before(async () => {
  stack = await start({
    policy: { language: 'en' },
    apps: [{ name: 'default' }, { name: 'shop', models: ['demo', 'small'], addresses: ['127.0.0.0/8'], policy: { refusal: 'error', label: 'suffix' },
      limits: { requests_per_minute: 6000, body: '256KiB', key: { requests_per_day: 50000 }, end_user: { concurrent: 20 } } }],
  });
  secrets.push(...Object.values(stack.keys));
  for (const [name, role] of Object.entries(roles)) people[name] = await person(stack, name, role);
});
after(stopAll);

const ask = (user, content = 'hello', key = stack.keys.default) => stack.chat(content, { user }, as(key));
const strike = async (user, n) => { for (let i = 0; i < n; i++) await ask(user, `tell me ${i} ${words.block}`); };
const said = (r) => r.json.choices[0].message.content;
const acts = async (reason) => (await stack.log('--all')).filter((r) => r.kind === 'admin' && r.reason === reason)
  .map((r) => ({ ...r, detail: JSON.parse(r.detail) }));
const find = async (id, who = 'li') => {
  const r = await people[who].post('/api/users/find', { id });
  assert.equal(r.status, 200, r.text);
  return r.json.end_user;
};
const decide = (user, body, who = 'li') => people[who].post(`/api/users/${hash[user]}`, { app: 'default', reason: 'because', ...body });

test('a user is found by the id that the app gives, or the beginning of the hash, on record', async () => {
  await strike('anna', 3);
  await strike('ben', 1);
  hash.anna = await find('anna');
  hash.ben = await find('ben');
  assert.match(hash.anna, /^[0-9a-f]{64}$/);
  assert.equal(await find(`${hash.anna.slice(0, 16)}…`), hash.anna);
  assert.equal(await find(hash.ben.toUpperCase()), hash.ben);
  assert.equal((await people.li.post('/api/users/find', { id: '0123456789abcdef' })).status, 404);
  const [act] = (await acts('user_lookup')).filter((a) => a.end_user === hash.anna);
  assert.deepEqual([act.detail.by, act.detail.role, act.detail.ip, act.detail.what], ['li', 'reviewer', '127.0.0.1', 'find']);
  assert.ok(!JSON.stringify(await stack.log('--all')).includes('"anna"'), 'the id itself is nowhere');
});

test('the list has who is in a state, newest first, page by page', async () => {
  for (let i = 0; i < 5; i++) await strike(`many-${i}`, 1);
  const all = await people.vera.get('/api/users');
  assert.equal(all.status, 200, all.text);
  assert.equal(all.json.rows.length, 7);
  const anna = all.json.rows.find((u) => u.end_user === hash.anna);
  assert.deepEqual([anna.app, anna.state, anna.consecutive, anna.today, anna.total, anna.appealed, anna.by_hand], ['default', 'suspend', 3, 3, 3, false, false]);
  assert.ok(Math.abs(anna.until_us / 1000 - Date.now() - 86400e3) < 60e3);
  assert.ok(Math.abs(anna.last_us / 1000 - Date.now()) < 60e3);
  for (const limit of [1, 2, 3, 7]) {
    const seen = [];
    for (let before = ''; before !== null;) {
      const page = (await people.vera.get('/api/users', { limit, ...(before && { before }) })).json;
      assert.ok(page.rows.length === limit || page.older === null);
      seen.push(...page.rows.map((u) => u.end_user));
      before = page.older;
    }
    assert.deepEqual(seen, all.json.rows.map((u) => u.end_user), `${limit} a page`);
  }
  assert.deepEqual((await people.vera.get('/api/users', { state: 'suspend' })).json.rows.map((u) => u.end_user), [hash.anna]);
  assert.deepEqual((await people.vera.get('/api/users', { app: 'shop' })).json, { rows: [], older: null });
  assert.equal((await people.vera.get('/api/users', { state: 'dead' })).status, 400);
  assert.equal((await people.vera.get('/api/users', { before: 'x.y' })).status, 400);
});

test('one user: what is counted, what was decided, and the interceptions, without texts for who reads none', async () => {
  const r = await people.li.get(`/api/users/${hash.anna}`);
  assert.equal(r.status, 200, r.text);
  assert.deepEqual([r.json.end_user, r.json.state, r.json.app, r.json.apps.length, r.json.log.length], [hash.anna, 'suspend', 'default', 1, 3]);
  assert.ok(r.json.log.every((x) => x.context.includes(words.block) && x.review === null));
  const v = await people.vera.get(`/api/users/${hash.anna}`, { app: 'default' });
  assert.ok(v.json.log.every((x) => x.context === null) && !v.text.includes(words.block));
  const none = await people.vera.get(`/api/users/${'0'.repeat(64)}`);
  assert.deepEqual([none.status, none.json.state, none.json.total, none.json.log, none.json.acts], [200, 'clear', 0, [], []]);
  for (const bad of ['anna', hash.anna.slice(1), 'x'.repeat(64)]) assert.equal((await people.li.get(`/api/users/${bad}`)).status, 404);
});

test('lift: the very next request of every worker is answered', async () => {
  assert.match(said(await ask('anna')), /suspended until/);
  const r = await decide('anna', { act: 'lift', reason: 'a joke, as he says' });
  assert.deepEqual(r.json, { end_user: hash.anna, act: 'lift', entries: 1 });
  for (let i = 0; i < 12; i++) assert.doesNotMatch(said(await ask('anna')), /suspended/);
  const [act] = await acts('user_lift');
  assert.deepEqual(act.detail, { by: 'li', role: 'reviewer', ip: '127.0.0.1', why: 'a joke, as he says' });
  assert.deepEqual([act.end_user, act.app], [hash.anna, 'default']);
  const shown = (await people.adm.get(`/api/users/${hash.anna}`)).json;
  assert.deepEqual([shown.state, shown.acts[0].act, shown.acts[0].who, shown.acts[0].reason], ['clear', 'user_lift', 'li', 'a joke, as he says']);
});

test('suspend: the very next request is refused with the words for users', async () => {
  hash.carl = await find('carl');
  assert.equal((await ask('carl')).status, 200);
  for (const [body, text] of [[{ for_s: 3600 }, /suspended until/], [{ for_s: 0 }, /until further notice/], [{}, /suspended until/]]) {
    assert.equal((await decide('carl', { act: 'suspend', ...body }, 'adm')).status, 200);
    for (let i = 0; i < 6; i++) assert.match(said(await ask('carl')), text);
  }
  const [u] = (await people.vera.get('/api/users', { state: 'suspend' })).json.rows;
  assert.ok(u.by_hand && !u.for_ever && Math.abs(u.until_us / 1000 - Date.now() - 86400e3) < 60e3, 'the configured time unless told');
  assert.equal((await decide('carl', { act: 'lift' })).status, 200);
  assert.doesNotMatch(said(await ask('carl')), /suspended/);
});

test('an appeal is taken, found by its state, and denied or granted', async () => {
  await strike('dora', 3);
  hash.dora = await find('dora');
  const appealed = async () => (await people.vera.get('/api/users', { state: 'appealed' })).json.rows.map((u) => u.end_user);
  assert.equal((await decide('dora', { act: 'appeal' })).status, 200);
  assert.deepEqual(await appealed(), [hash.dora]);
  assert.match(said(await ask('dora')), /suspended/, 'it goes on holding');
  assert.equal((await decide('dora', { act: 'deny' })).status, 200);
  assert.deepEqual(await appealed(), []);
  assert.match(said(await ask('dora')), /suspended/);
  assert.equal((await acts('user_appeal_denied')).length, 1);
});

test('who may not decide, and what makes no sense, changes nothing', async () => {
  for (const who of ['vera', 'pub', 'ina']) {
    assert.equal((await decide('dora', { act: 'lift' }, who)).status, 403, who);
    assert.equal((await people[who].post('/api/users/find', { id: 'dora' })).status, 403, who);
  }
  hash.nobody = '0'.repeat(64);
  for (const [user, body, status] of [
    ['dora', { act: 'forgive' }, 400], ['dora', { act: 'lift', reason: '' }, 400], ['dora', { act: 'lift', reason: ' \n' }, 400], ['dora', { act: 'lift', reason: 7 }, 400],
    ['dora', { act: 'lift', reason: 'x'.repeat(1001) }, 400], ['dora', { act: 'suspend', app: 'none' }, 400], ['dora', { act: 'suspend', app: '' }, 400],
    ['dora', { act: 'suspend', for_s: -1 }, 400], ['dora', { act: 'suspend', for_s: 1e300 }, 400], ['dora', { act: 'suspend', for_s: '1' }, 400], ['dora', { act: null }, 400],
    ['nobody', { act: 'lift' }, 404], ['dora', { act: 'lift', app: 'shop' }, 404],
  ]) {
    const r = await decide(user, body);
    assert.equal(r.status, status, `${JSON.stringify(body).slice(0, 60)}: ${r.text}`);
    assert.ok(r.json.error.message);
  }
  for (const id of ['', 'x'.repeat(1001), 7, null, ['a']]) assert.equal((await people.li.post('/api/users/find', { id })).status, 400);
  assert.match(said(await ask('dora')), /suspended/);
});

test('hostile words in a reason stay words', async () => {
  const reason = '<script>alert(1)</script>"},{"by":"adm \u202e\u0007\\';
  assert.equal((await decide('ben', { act: 'lift', reason })).status, 200);
  const shown = await people.li.get(`/api/users/${hash.ben}`);
  assert.equal(shown.json.acts[0].reason, reason);
  assert.equal(shown.json.acts[0].who, 'li');
  assert.equal((await stack.verify()).code, 0);
});

// ---- apps and keys ----

test('apps are told as they are configured, without a secret', async () => {
  const r = await people.vera.get('/api/apps');
  assert.equal(r.status, 200, r.text);
  assert.deepEqual(r.json.map((a) => a.name), ['default', 'shop']);
  assert.deepEqual(r.json[1], { name: 'shop', mode: 'enforce', until_us: 0, models: ['demo', 'small'], limits: { requests_per_minute: 6000, body: 262144, key: { requests_per_day: 50000 }, end_user: { concurrent: 20 } },
    label: 'suffix', refusal: 'error', addresses: 1 });
  assert.ok(!r.text.includes('sk-'));
});

test('a key is made, shown once, and opens at once', async () => {
  const r = await people.adm.post('/api/keys', { app: 'shop', alias: 'web <b>', expires_s: 90 * 86400 });
  assert.equal(r.status, 200, r.text);
  assert.match(r.json.key, /^sk-/);
  assert.equal(r.json.in_force, true);
  secrets.push(r.json.key);
  for (let i = 0; i < 8; i++) assert.equal((await ask('x', 'hi', r.json.key)).status, 200);
  const list = await people.adm.get('/api/keys');
  const k = list.json.find((x) => x.id === r.json.id);
  assert.deepEqual([k.app, k.alias, k.last4, k.revoked, k.expired], ['shop', 'web <b>', r.json.key.slice(-4), false, false]);
  assert.ok(Math.abs(k.expires_us / 1000 - Date.now() - 90 * 86400e3) < 60e3);
  assert.ok(Math.abs(k.created_us / 1000 - Date.now()) < 60e3);
  assert.ok(Math.abs(k.last_us / 1000 - Date.now()) < 60e3, 'it was used');
  const [act] = (await acts('key_create')).filter((a) => a.detail.by);
  assert.deepEqual([act.app, act.detail.by, act.detail.role, act.detail.ip, act.detail.key, act.detail.alias], ['shop', 'adm', 'administrator', '127.0.0.1', r.json.id, 'web <b>']);
});

test('a key is rotated: both open while they overlap; without an overlap the old one does not', async () => {
  const first = (await people.adm.post('/api/keys', { app: 'default' })).json;
  const second = (await people.adm.post(`/api/keys/${first.id}`, { act: 'rotate', overlap_s: 3600 })).json;
  secrets.push(first.key, second.key);
  assert.notEqual(second.id, first.id);
  assert.equal((await ask('x', 'hi', first.key)).status, 200);
  assert.equal((await ask('x', 'hi', second.key)).status, 200);
  const before = (await people.adm.get('/api/keys')).json.find((k) => k.id === second.id);
  const third = (await people.adm.post(`/api/keys/${second.id}`, { act: 'rotate', overlap_s: 0 })).json;
  secrets.push(third.key);
  for (let i = 0; i < 8; i++) assert.equal((await ask('x', 'hi', second.key)).status, 401, 'at once, at each worker');
  assert.equal((await ask('x', 'hi', third.key)).status, 200);
  assert.ok(before.last_us);
  assert.equal((await people.adm.get('/api/keys')).json.find((k) => k.id === second.id).last_us, before.last_us, 'that it was used is not forgotten by a reload');
  const [rotated] = await acts('key_rotate');
  assert.deepEqual([rotated.detail.key, rotated.detail.old, rotated.detail.overlap_s], [second.id, first.id, 3600]);
  assert.equal((await people.adm.post(`/api/keys/${second.id}`, { act: 'rotate' })).status, 409, 'it is over');
});

test('a revoked key is refused by the very next request', async () => {
  for (let n = 0; n < 5; n++) {
    const { id, key } = (await people.adm.post('/api/keys', { app: 'default' })).json;
    secrets.push(key);
    assert.equal((await ask('x', 'hi', key)).status, 200);
    const r = await people.adm.post(`/api/keys/${id}`, { act: 'revoke' });
    assert.deepEqual([r.status, r.json.in_force, r.json.key], [200, true, undefined]);
    const all = await Promise.all(Array.from({ length: 8 }, () => ask('x', 'hi', key)));
    assert.deepEqual(all.map((x) => x.status), Array(8).fill(401));
    assert.equal((await people.adm.get('/api/keys')).json.find((k) => k.id === id).revoked, true);
  }
  assert.equal((await acts('key_revoke')).length, 5);
});

test('keys are an administrator’s, and what makes no sense makes none', async () => {
  const count = (await people.adm.get('/api/keys')).json.length;
  for (const who of ['vera', 'li', 'pub', 'ina']) {
    assert.equal((await people[who].get('/api/keys')).status, 403, who);
    assert.equal((await people[who].post('/api/keys', { app: 'default' })).status, 403, who);
    assert.equal((await people[who].post('/api/keys/key-00000000', { act: 'revoke' })).status, 403, who);
  }
  for (const [route, body, status] of [
    ['keys', {}, 400], ['keys', { app: 'none' }, 400], ['keys', { app: ['default'] }, 400], ['keys', { app: 'default', alias: 'a\nb' }, 400], ['keys', { app: 'default', alias: 'x'.repeat(300) }, 400],
    ['keys', { app: 'default', expires_s: 0 }, 400], ['keys', { app: 'default', expires_s: 'soon' }, 400], ['keys', { app: 'default', expires_s: 9e18 }, 400],
    ['keys/key-00000000', { act: 'revoke' }, 404], ['keys/key-00000000', { act: 'rotate' }, 404], ['keys/key-00000000', { act: 'steal' }, 400], ['keys/%22%3E', { act: 'revoke' }, 404],
    ['keys/key-00000000', { act: 'rotate', overlap_s: -5 }, 400],
  ]) {
    const r = await people.adm.post(`/api/${route}`, body);
    assert.equal(r.status, status, `${route} ${JSON.stringify(body).slice(0, 60)}: ${r.text}`);
  }
  assert.equal((await people.adm.get('/api/keys')).json.length, count);
});

test('no secret is in any answer, nor on disk, nor in the messages', async () => {
  for (const route of ['status', 'apps', 'keys', 'users', 'overview', 'log?all=1', 'acts'])
    for (const who of ['adm', 'ina']) {
      const { text } = await people[who].get(`/api/${route}`);
      for (const s of [...secrets, 'sk-provider-secret']) assert.ok(!text.includes(s), route);
    }
  const log = JSON.stringify(await stack.log('--all'));
  const messages = await stack.gateway.output();
  const file = await readFile(path.join(stack.dir, 'state', 'keys.json'), 'utf8');
  for (const s of secrets) assert.ok(!log.includes(s) && !messages.includes(s) && !file.includes(s));
});

test('the command’s keys are on record, too', async () => {
  const made = await run(['key', 'create', '-c', stack.conf, '--app', 'shop', '--json']);
  assert.equal(made.code, 0, made.stderr);
  const { id, key } = JSON.parse(made.stdout);
  assert.equal((await run(['key', 'revoke', '-c', stack.conf, id])).code, 0);
  const [act] = (await acts('key_revoke')).filter((a) => a.detail.key === id);
  assert.ok(act.detail.login && act.app === 'shop');
  const shown = await people.ina.get('/api/acts', { act: 'key_create' });
  assert.ok(shown.json.rows.some((a) => JSON.parse(a.detail).key === id && a.who));
  assert.ok(!shown.text.includes(key));
});
