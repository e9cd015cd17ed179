// Several apps behind one gateway: each with its keys, models, policy, sentences and addresses.
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Stack, run, until, words } from './harness.js';
import { Upstream, plainAnswer } from './wire.js';
import { ask, client, majors } from './clients.js';
import { as, create, key, start, stopAll, stopLater } from './apps.js';

after(stopAll);

describe('two apps', () => {
  let stack;
  before(async () => {
    stack = await start({
      policy: { texts: { model_not_allowed: '没有这个模型。' } },
      apps: [
        { name: 'shop', models: ['small'], policy: { refusal: 'error', texts: { content_filter: '本店只谈商品。' } } },
        { name: 'blog', models: ['large', 'demo'], policy: { language: 'en', texts: { content_filter: 'Not on this blog.' } },
          limits: { body: '4KiB' } },
      ],
    });
  });

  for (const [name, OpenAI] of Object.entries(majors)) {
    test(`${name}: each has its models, its refusal and its sentence`, async () => {
      const shop = client(OpenAI, stack, { apiKey: stack.keys.shop });
      const blog = client(OpenAI, stack, { apiKey: stack.keys.blog });
      const prompt = await stack.script('hello', { text: '你好' });
      for (const [c, model] of [[shop, 'small'], [blog, 'large']]) {
        const r = await c.openai.chat.completions.create(ask(prompt, { model }));
        assert.equal(r.choices[0].message.content, '你好');
      }
      await assert.rejects(shop.openai.chat.completions.create(ask('hi', { model: 'large' })), (e) => {
        assert.equal(e.status, 404);
        assert.equal(e.code, 'model_not_allowed');
        assert.match(e.message, /没有这个模型。/);
        return true;
      });
      shop.counter.requests = 0;
      await assert.rejects(shop.openai.chat.completions.create(ask(words.block, { model: 'small' })), (e) => {
        assert.equal(e.status, 400);
        assert.equal(e.code, 'content_filter');
        assert.match(e.message, /本店只谈商品。/);
        return true;
      });
      assert.equal(shop.counter.requests, 1, 'a refusal is not tried again');
      for (const stream of [false, true]) {
        let text = '', reason;
        const r = await blog.openai.chat.completions.create(ask(words.block, { model: 'large', stream }));
        if (stream) {
          for await (const c of r) {
            text += c.choices[0]?.delta?.content ?? '';
            reason = c.choices[0]?.finish_reason ?? reason;
          }
        } else {
          text = r.choices[0].message.content;
          reason = r.choices[0].finish_reason;
        }
        assert.equal(text, 'Not on this blog.');
        assert.equal(reason, 'content_filter');
      }
      assert.deepEqual((await blog.openai.models.list()).data.map((m) => m.id), ['demo', 'large']);
    });
  }

  test('an answer that is cut ends with the app\'s sentence', async () => {
    const prompt = await stack.script('cut', { text: `好的，${words.block}`, chunk: 1 });
    const r = await stack.chat(prompt, { model: 'large', stream: true }, as(stack.keys.blog));
    assert.equal(r.choices[0].content, '好的，\n\nNot on this blog.');
  });

  test('each has its own ceiling for bodies', async () => {
    const long = 'a'.repeat(5000);
    const prompt = `${await stack.script('long', { text: 'ok' })} ${long}`;
    const no = await stack.chat(prompt, { model: 'large' }, as(stack.keys.blog));
    assert.equal(no.status, 413);
    assert.equal(no.json.error.code, 'body_too_large');
    const chunked = await fetch(`${stack.url}/v1/chat/completions`, {
      method: 'POST', duplex: 'half', headers: { ...as(stack.keys.blog).headers, 'content-type': 'application/json' },
      body: new ReadableStream({ start(c) {
        c.enqueue(new TextEncoder().encode(JSON.stringify(ask(long, { model: 'large' }))));
        c.close();
      } }),
    });
    assert.equal(chunked.status, 413, 'nor without a length');
    const far = await fetch(`${stack.url}/v1/chat/completions`, {
      method: 'POST', duplex: 'half', headers: { ...as(stack.keys.blog).headers, 'content-type': 'application/json' },
      body: new ReadableStream({ start(c) {
        for (let i = 0; i < 50; i++) c.enqueue(new TextEncoder().encode(' '.repeat(4096)));
        c.close();
      } }),
    });
    assert.equal(far.status, 413, 'nor many times as large');
    assert.equal((await stack.chat(prompt, { model: 'small' }, as(stack.keys.shop))).status, 200);
  });
});

test('keys are taken from four headers, and none of them goes on', async () => {
  const upstream = await Upstream.start((socket) => socket.write(
    `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${plainAnswer.length}\r\n\r\n${plainAnswer}`));
  stopLater(upstream);
  const stack = await start({ apps: [{ name: 'shop' }] }, { upstream: upstream.url });
  const k = stack.keys.shop;
  const names = ['authorization', 'x-api-key', 'api-key', 'x-goog-api-key'];
  for (const name of names) {
    const r = await stack.chat('hi', {}, { headers: { authorization: undefined, [name]: name === 'authorization' ? `Bearer ${k}` : k } });
    assert.equal(r.status, 200, name);
  }
  const all = { authorization: `Bearer ${k}`, 'x-api-key': k, 'api-key': k, 'x-goog-api-key': k };
  assert.equal((await stack.chat('hi', {}, { headers: all })).status, 200);
  assert.equal((await stack.chat('hi', {}, { headers: { ...all, 'x-goog-api-key': `${k}x` } })).status, 401);
  assert.equal(upstream.requests.length, 5);
  for (const request of upstream.requests) {
    const sent = request.headers.filter(([n]) => names.includes(n.toLowerCase()));
    assert.deepEqual(sent.map(([, v]) => v), ['Bearer sk-provider-secret']);
    assert.ok(!JSON.stringify(request.headers).includes(k));
  }
});

test('with passthrough a provider\'s key goes on in the header that it came in', async () => {
  const upstream = await Upstream.start((socket) => socket.write(
    `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${plainAnswer.length}\r\n\r\n${plainAnswer}`));
  stopLater(upstream);
  const stack = await Stack.start({ upstream: upstream.url });
  stopLater(stack);
  assert.equal((await stack.chat('hi', {}, { headers: { authorization: undefined, 'api-key': 'sk-azure' } })).status, 200);
  const sent = upstream.requests.at(-1).headers.filter(([n]) => /authorization|api-key/i.test(n));
  assert.deepEqual(sent, [['api-key', 'sk-azure']]);
});

test('keys are created, rotated and revoked while the gateway runs', async () => {
  const stack = await start({ apps: [{ name: 'shop' }] });
  const status = async (k) => (await stack.chat('hi', {}, as(k))).status;
  const becomes = (k, want) => until(async () => await status(k) === want, `${want}`);
  const first = await create(stack, '--app', 'shop', '--alias', 'till');
  await becomes(first.key, 200);
  const [second] = await key(stack, 'rotate', first.id, '--overlap', '2s');
  assert.equal(second.app, 'shop');
  await becomes(second.key, 200);
  assert.equal(await status(first.key), 200, 'both open while they overlap');
  await becomes(first.key, 401);
  assert.equal(await status(second.key), 200);
  const list = await key(stack, 'list');
  const of = (id) => list.find((k) => k.id === id);
  assert.equal(of(first.id).expired, true);
  assert.equal(of(second.id).alias, 'till');
  assert.equal(of(second.id).line, first.id);
  const [third] = await key(stack, 'rotate', second.id, '--overlap', '0', '--expires', '1h');
  await becomes(third.key, 200);
  assert.equal(await status(second.key), 401, 'without an overlap');
  await key(stack, 'revoke', third.id);
  await becomes(third.key, 401);
  const bad = await run(['key', 'rotate', third.id, '-c', stack.conf]);
  assert.equal(bad.code, 1);
  assert.match(bad.stderr, /expired or was revoked/);
  assert.equal((await run(['key', 'create', '-c', stack.conf, '--expires', 'soon'])).code, 2);
  assert.equal((await run(['key', 'rotate', '-c', stack.conf])).code, 2);
  assert.equal(await status(stack.keys.shop), 200, 'the others are untouched');

  // A damaged file changes nothing.
  const file = path.join(stack.dir, 'state', 'keys.json');
  const good = await readFile(file);
  await writeFile(file, '{');
  await until(async () => /keys\.json/.test(await stack.gateway.output()), 'it is told');
  assert.equal(await status(stack.keys.shop), 200);
  await writeFile(file, good);
  const fourth = await create(stack, '--app', 'shop');
  await becomes(fourth.key, 200);
});

test('an app is asked from its own addresses only', async () => {
  const stack = await start({
    trusted_proxies: ['127.0.0.1'],
    apps: [
      { name: 'far', addresses: ['10.0.0.0/8', '2001:db8::/32'] },
      { name: 'near', addresses: ['127.0.0.1'] },
      { name: 'around', addresses: ['127.0.0.0/8', '10.0.0.0/8'] },
    ],
  });
  const from = (app, ip) => stack.chat('hi', {}, as(stack.keys[app], ip ? { 'x-juyong-client-ip': ip } : {}));
  for (const ip of ['10.1.2.3', '2001:db8::7', '::ffff:10.9.9.9'])
    assert.equal((await from('far', ip)).status, 200, ip);
  for (const ip of [undefined, '11.1.2.3', '2001:db9::7', 'nonsense']) {
    const r = await from('far', ip);
    assert.equal(r.status, 403, ip);
    assert.equal(r.json.error.code, 'address_not_allowed');
    assert.equal(r.json.error.type, 'permission_error');
    // Nothing of the request was used, so the answer doesn't wait for its record.
    const [row] = await until(async () => {
      const rows = await stack.log('--all', '--request', r.headers.get('x-request-id'));
      return rows.length && rows;
    }, 'it is on record');
    assert.equal(row.app, 'far');
    assert.match(JSON.stringify(row), /address_not_allowed/);
  }
  assert.equal((await from('near', '203.0.113.1')).status, 200, 'the peer itself is listed');
  // A network that the front lies in is its clients'; of whom it says nothing nobody knows.
  for (const ip of [undefined, '203.0.113.1', 'nonsense']) assert.equal((await from('around', ip)).status, 403, ip);
  assert.equal((await from('around', '10.1.2.3')).status, 200);
  const check = await run(['check', '-c', stack.conf]);
  assert.match(check.stderr, /juyong\.yaml:\d+:\d+: warning: app 'near': 127\.0\.0\.1 is a trusted proxy: whoever it speaks for may ask/);
  assert.doesNotMatch(check.stderr, /app 'around'/);
  assert.equal((await fetch(`${stack.url}/v1/models`, as(stack.keys.far))).status, 403);
  assert.equal((await fetch(`${stack.url}/v1/models`, as(stack.keys.near))).status, 200);

  await stack.configure({ auth: 'keys', apps: [{ name: 'far', addresses: ['10.0.0.0/8'] }, { name: 'near' }],
    upstreams: JSON.parse(await readFile(stack.conf, 'utf8')).upstreams });
  stack.gateway.kill('SIGHUP');
  await until(async () => (await from('far', '10.1.2.3')).status === 403, 'whom nobody trusts is not believed');
});

test('a request may ask for stricter, and for nothing else', async () => {
  const stack = await start({ apps: [
    { name: 'watch', policy: { mode: 'observe', until: '2999-12-31' } },
    { name: 'usual', policy: { media: 'allow' } },
  ] });
  const prompt = await stack.script('a', { text: 'ok' });
  const strict = { 'x-juyong-policy': 'strict' };
  const action = async (app, text, more) => (await stack.chat(`${text} ${prompt}`, {}, as(stack.keys[app], more))).headers.get('x-juyong-action');
  assert.equal((await stack.chat(`${words.block} ${prompt}`, {}, as(stack.keys.watch))).json.choices[0].message.content, 'ok');
  assert.equal(await action('watch', words.block, strict), 'block');
  assert.equal(await action('usual', words.flag), 'flag');
  assert.equal(await action('usual', words.flag, strict), 'block');
  assert.equal(await action('usual', '电话 13800138000'), 'flag');
  assert.equal(await action('usual', '电话 13800138000', strict), 'mask');
  assert.equal(await action('usual', words.block, strict), 'block');
  assert.equal(await action('usual', '你好', strict), 'allow');
  const picture = [{ role: 'user', content: [{ type: 'text', text: prompt }, { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } }] }];
  assert.equal((await stack.chat(picture, {}, as(stack.keys.usual))).status, 200);
  assert.equal((await stack.chat(picture, {}, as(stack.keys.usual, strict))).json.error.code, 'media_denied');
  for (const value of ['observe', 'off', 'strict, off']) {
    const r = await stack.chat(words.block, {}, as(stack.keys.usual, { 'x-juyong-policy': value }));
    assert.equal(r.status, 400, value);
    assert.equal(r.json.error.param, 'x-juyong-policy');
  }
  const answer = await stack.script('f', { text: `说${words.flag}了`, chunk: 1 });
  assert.deepEqual((await stack.chat(answer, { stream: true }, as(stack.keys.usual))).choices[0].finish, ['stop']);
  assert.deepEqual((await stack.chat(answer, { stream: true }, as(stack.keys.usual, strict))).choices[0].finish, ['content_filter']);
});
