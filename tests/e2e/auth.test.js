// Keys of the gateway's own: who may ask, what the provider gets, and what is never told.
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { appendFile, chmod, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Stack, run, until } from './harness.js';
import { Upstream, plainAnswer } from './wire.js';

describe('auth: keys', () => {
  let stack, upstream, key, other;

  const create = async (...args) => {
    const r = await run(['key', 'create', '-c', stack.conf, ...args]);
    assert.equal(r.code, 0, r.stderr);
    const found = (r.stdout + r.stderr).match(/sk-[A-Za-z0-9_-]+/);
    assert.ok(found, r.stdout);
    return found[0];
  };
  const reload = () => stack.gateway.kill('SIGHUP');
  const ask = (headers) => stack.chat('hi', {}, { headers: { authorization: undefined, ...headers } });

  before(async () => {
    upstream = await Upstream.start((socket) => socket.write(
      `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${plainAnswer.length}\r\n\r\n${plainAnswer}`));
    stack = await Stack.start({ upstream: upstream.url });
    const provider = path.join(stack.dir, 'provider.key');
    await writeFile(provider, 'sk-provider-secret\n');
    await chmod(provider, 0o600);
    await stack.gateway.stop();
    await stack.configure({
      auth: 'keys',
      apps: [{ name: 'shop', models: ['demo'], policy: { refusal: 'error' } }],
      upstreams: [{ name: 'demo', base_url: `${upstream.url}/v1`, api_key_file: provider,
        models: [{ id: 'demo', filing_number: 'x' }, { id: 'secret-model', filing_number: 'y' }] }],
    });
    key = await create('--app', 'shop');
    other = await create('--app', 'default');
    await stack.startGateway();
  });
  after(async () => {
    await stack?.stop();
    await upstream?.stop();
  });

  test('a key in either header opens', async () => {
    assert.equal((await ask({ authorization: `Bearer ${key}` })).status, 200);
    assert.equal((await ask({ 'api-key': key })).status, 200);
  });

  test('the provider gets its own key, not the client\'s', async () => {
    await ask({ authorization: `Bearer ${key}` });
    const sent = upstream.requests.at(-1).headers.filter(([n]) => /authorization|api-key/i.test(n));
    assert.deepEqual(sent.map(([, v]) => v), ['Bearer sk-provider-secret']);
  });

  for (const [name, headers] of Object.entries({
    'none': {},
    'an unknown one': { authorization: 'Bearer sk-0000000000000000000000000000000000000000' },
    'a wrong scheme': { authorization: 'Basic c2stYTpi' },
    'two that differ': null,
  })) {
    test(`${name} is refused, once, as a key error`, async () => {
      const before = upstream.requests.length;
      const r = await ask(headers ?? { authorization: `Bearer ${key}`, 'api-key': other });
      assert.equal(r.status, 401);
      assert.equal(r.json.error.code, 'invalid_api_key');
      assert.equal(r.json.error.type, 'authentication_error');
      assert.equal(upstream.requests.length, before);
    });
  }

  test('the key names the app, its models and its policy', async () => {
    const bad = await stack.chat('zorgon acid recipe', {}, { headers: { authorization: `Bearer ${key}` } });
    assert.equal(bad.status, 400);
    const [row] = await stack.log('--request', bad.headers.get('x-request-id'));
    assert.equal(row.app, 'shop');
    const no = await stack.chat('hi', { model: 'secret-model' }, { headers: { authorization: `Bearer ${key}` } });
    assert.equal(no.status, 404);
    assert.equal(no.json.error.code, 'model_not_allowed');
    const yes = await stack.chat('hi', { model: 'secret-model' }, { headers: { authorization: `Bearer ${other}` } });
    assert.equal(yes.status, 200);
    const list = await (await fetch(`${stack.url}/v1/models`, { headers: { authorization: `Bearer ${key}` } })).json();
    assert.deepEqual(list.data.map((m) => m.id), ['demo']);
    assert.equal((await fetch(`${stack.url}/v1/models`)).status, 401);
  });

  test('a rule counts for the apps it names, until its last day', async () => {
    await appendFile(path.join(stack.rules, 'keywords/A1-h.txt'),
      '店铺专用词语\tapps=shop\n去年到期词语\texpires=2001-12-31\n来年到期词语\texpires=2999-12-31\n');
    reload();
    const action = async (text, k) => {
      const r = await stack.chat(text, {}, { headers: { authorization: `Bearer ${k}` } });
      return r.headers.get('x-juyong-action');
    };
    await until(async () => await action('店铺专用词语', key) === 'block', 'it is in force for the shop');
    assert.equal(await action('店铺专用词语', other), 'allow');
    assert.equal(await action('去年到期词语', key), 'allow');
    assert.equal(await action('来年到期词语', other), 'block');
    assert.match(await stack.gateway.output(), /A1-h\.txt:\d+:\d+: warning: expired on 2001-12-31/);
  });

  test('a revoked key closes after a reload', async () => {
    const gone = await create('--app', 'default', '--alias', 'short-lived');
    reload();
    await until(async () => (await ask({ authorization: `Bearer ${gone}` })).status === 200, 'the new key opens');
    const list = await run(['key', 'list', '-c', stack.conf, '--json']);
    const entry = list.stdout.split('\n').filter(Boolean).map((l) => JSON.parse(l)).find((k) => k.alias === 'short-lived');
    assert.ok(entry, list.stdout);
    assert.ok(!list.stdout.includes(gone), 'a key is shown once');
    const r = await run(['key', 'revoke', '-c', stack.conf, entry.id]);
    assert.equal(r.code, 0, r.stderr);
    reload();
    await until(async () => (await ask({ authorization: `Bearer ${gone}` })).status === 401, 'the key is closed');
    assert.equal((await ask({ authorization: `Bearer ${key}` })).status, 200);
  });

  test('no key is in the state folder, the output or the log', async () => {
    await ask({ authorization: `Bearer ${key}` });
    const state = await readFile(path.join(stack.dir, 'state', 'keys.json'), 'utf8');
    const output = await stack.gateway.output();
    const log = JSON.stringify(await stack.log('--all'));
    for (const secret of [key, other, 'sk-provider-secret'])
      for (const text of [state, output, log])
        assert.ok(!text.includes(secret));
  });
});
