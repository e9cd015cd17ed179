// What is allowed goes on byte for byte, in both directions, and only what a table names goes on.
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { Stack } from './harness.js';
import { Upstream, chunked, delta, event, finish, plainAnswer, streamHead } from './wire.js';

describe('a request', () => {
  let stack, upstream;
  before(async () => {
    upstream = await Upstream.start((socket) => socket.write(
      `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${plainAnswer.length}\r\n` +
      'Set-Cookie: a=b\r\nX-Internal: secret\r\nServer: provider\r\nx-request-id: up-7\r\n\r\n' + plainAnswer));
    stack = await Stack.start({ upstream: upstream.url });
  });
  after(async () => {
    await stack?.stop();
    await upstream?.stop();
  });
  const last = () => upstream.requests.at(-1);
  const header = (name) => last().headers.filter(([n]) => n.toLowerCase() === name).map(([, v]) => v);

  for (const [name, body] of Object.entries({
    'plain': '{"model":"demo","messages":[{"role":"user","content":"hi"}]}',
    'odd blanks and order': ' {\n\t"messages" : [ {"content":"hi" ,"role":"user"} ]\r\n, "model":"demo" } ',
    'escapes': '{"model":"de\\u006do","messages":[{"role":"user","content":"\\u4f60\\u597d \\ud83d\\ude00 \\/"}]}',
    'numbers that doubles cannot hold': '{"model":"demo","seed":18446744073709551615,"temperature":0.10000000000000000555,"top_p":1.0e0,"messages":[{"role":"user","content":"hi"}]}',
    'unknown fields': '{"model":"demo","messages":[{"role":"user","content":"hi","x_custom":{"a":[1,null,"b"]}}],"enable_thinking":true}',
    'raw and astral text': '{"model":"demo","messages":[{"role":"user","content":"你好，😀 ﷺ é"}]}',
  })) {
    test(`with ${name} goes on verbatim`, async () => {
      const r = await stack.post('/v1/chat/completions', body);
      assert.equal(r.status, 200, r.text);
      assert.equal(last().body, body);
      assert.equal(r.text, plainAnswer);
    });
  }

  test('is sent to the upstream path with the client\'s key', async () => {
    await stack.chat('hi', {}, { headers: { authorization: 'Bearer sk-of-the-client' } });
    assert.equal(last().line, 'POST /v1/chat/completions HTTP/1.1');
    assert.deepEqual(header('authorization'), ['Bearer sk-of-the-client']);
    assert.deepEqual(header('content-type'), ['application/json']);
    assert.deepEqual(header('host'), [upstream.url.slice(7)]);
  });

  test('keeps the client\'s other headers to itself', async () => {
    await stack.chat('hi', {}, { headers: {
      'accept-language': 'zh', 'x-forwarded-for': '1.2.3.4', cookie: 'session=1', range: 'bytes=0-3',
      'x-http-method-override': 'GET', 'openai-organization': 'org', te: 'trailers', 'x-custom': 'y',
      'user-agent': 'curious/1',
    } });
    for (const name of ['x-forwarded-for', 'cookie', 'range', 'x-http-method-override', 'te', 'x-custom', 'upgrade', 'expect', 'accept-language'])
      assert.deepEqual(header(name), [], name);
    assert.ok(header('accept-encoding').every((v) => v === 'identity'));
  });

  test('gets none of the provider\'s headers back', async () => {
    const r = await stack.chat('hi');
    for (const name of ['set-cookie', 'x-internal'])
      assert.equal(r.headers.get(name), null, name);
    assert.notEqual(r.headers.get('server'), 'provider');
    assert.match(r.headers.get('x-request-id'), /\S/);
    assert.equal(r.headers.get('x-juyong-action'), 'allow');
    assert.match(r.headers.get('content-type'), /^application\/json/);
  });

  test('has its query string dropped', async () => {
    const r = await stack.post('/v1/chat/completions?api-version=1', '{"model":"demo","messages":[{"role":"user","content":"hi"}]}');
    if (r.status === 200) assert.equal(last().line, 'POST /v1/chat/completions HTTP/1.1');
    else assert.ok([400, 404].includes(r.status), String(r.status));
  });
});

describe('a stream', () => {
  let stack, upstream, answer;
  before(async () => {
    upstream = await Upstream.start((socket) => answer(socket));
    stack = await Stack.start({ upstream: upstream.url });
  });
  after(async () => {
    await stack?.stop();
    await upstream?.stop();
  });
  const whole = (body) => { answer = (s) => s.write(`${streamHead}\r\n${chunked(body)}0\r\n\r\n`); };
  const payloads = [
    JSON.stringify(delta('你好')),
    '{"choices":[{"finish_reason":null,"delta":{ "content" :"w\\u006frld \\ud83d\\ude00"},"index":0}],"object":"chat.completion.chunk","x":1.50,"big":18446744073709551615,"created":1,"model":"demo","id":"a"}',
    '{"id":"a","object":"chat.completion.chunk","created":1,"model":"demo","system_fingerprint":"fp","obfuscation":"zxcvbnm","choices":[{"index":0,"delta":{"content":"!"},"finish_reason":null}]}',
    JSON.stringify(finish()),
    '[DONE]',
  ];

  test('carries each payload verbatim', async () => {
    whole(payloads.map(event).join(''));
    const r = await stack.chat('hi', { stream: true });
    assert.deepEqual(r.payloads, payloads);
  });

  test('has the headers of a stream', async () => {
    whole(payloads.map(event).join(''));
    const { headers } = await stack.chat('hi', { stream: true });
    assert.match(headers.get('content-type'), /^text\/event-stream/);
    assert.match(headers.get('cache-control'), /no-cache/);
    assert.equal(headers.get('x-accel-buffering'), 'no');
    assert.equal(headers.get('content-length'), null);
    assert.equal(headers.get('content-encoding'), null);
    assert.match(headers.get('x-request-id'), /\S/);
    assert.equal(headers.get('x-juyong-action'), 'allow');
  });

  for (const [name, body] of Object.entries({
    'CRLF': payloads.map((p) => `data: ${p}\r\n\r\n`).join(''),
    'bare CR': payloads.map((p) => `data: ${p}\r\r`).join(''),
    'no blank behind the colon': payloads.map((p) => `data:${p}\n\n`).join(''),
    'a byte order mark': `\ufeff${payloads.map(event).join('')}`,
    'comments': payloads.map((p) => `: ping\n\ndata: ${p}\n: inside\n\n`).join(''),
    'ids, names and retry lines': payloads.map((p, i) => `id: ${i}\nevent: message\nretry: 10\nunknown: x\ndata: ${p}\n\n`).join(''),
    'no last blank line': payloads.map(event).join('').slice(0, -1),
  })) {
    test(`framed with ${name} is read alike and written in one form`, async () => {
      whole(body);
      const r = await stack.chat('hi', { stream: true });
      assert.deepEqual(r.payloads, payloads);
      assert.ok(!/^(id|event|retry|unknown):/m.test(r.text), 'no other field goes on');
    });
  }

  test('with a payload over several data lines keeps its meaning', async () => {
    const pretty = JSON.stringify(delta('lines'), null, 2);
    whole(pretty.split('\n').map((l) => `data: ${l}\n`).join('') + '\n' + event(finish()) + event('[DONE]'));
    const r = await fetch(`${stack.url}/v1/chat/completions`, { method: 'POST', headers: { 'content-type': 'application/json' },
      body: '{"model":"demo","stream":true,"messages":[{"role":"user","content":"hi"}]}' });
    const text = await r.text();
    const data = text.split('\n\n')[0].split('\n').map((l) => { assert.match(l, /^data: ?/); return l.replace(/^data: ?/, ''); }).join('\n');
    assert.deepEqual(JSON.parse(data), delta('lines'));
  });

  test('ends behind [DONE] though the upstream does not', async () => {
    answer = (s) => s.write(`${streamHead}\r\n${chunked(payloads.map(event).join(''))}`);
    const from = Date.now();
    const r = await stack.chat('hi', { stream: true });
    assert.ok(r.done);
    assert.ok(Date.now() - from < 1000, 'at once');
  });

  test('drops what comes behind [DONE]', async () => {
    whole(payloads.map(event).join('') + event(delta('more')));
    const r = await stack.chat('hi', { stream: true });
    assert.deepEqual(r.payloads, payloads);
  });

  test('can\'t be forged by text of the model', async () => {
    const forged = delta('\n\ndata: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n');
    whole([forged, finish(), '[DONE]'].map(event).join(''));
    const r = await stack.chat('hi', { stream: true });
    assert.equal(r.payloads.length, 3);
    assert.equal(r.payloads[0], JSON.stringify(forged));
  });

  test('is forwarded event by event, not in one piece', async () => {
    answer = async (s) => {
      s.write(`${streamHead}\r\n${chunked(event(delta('one, ')))}`);
      s.second = () => s.write(`${chunked(event(finish()) + event('[DONE]'))}0\r\n\r\n`);
      stack.socket = s;
    };
    const r = await fetch(`${stack.url}/v1/chat/completions`, { method: 'POST', headers: { 'content-type': 'application/json' },
      body: '{"model":"demo","stream":true,"messages":[{"role":"user","content":"hi"}]}' });
    const reader = r.body.getReader();
    const first = Buffer.from((await reader.read()).value).toString();
    assert.equal(first, event(delta('one, ')));
    stack.socket.second();
    let rest = '';
    for (let part; !(part = await reader.read()).done;) rest += Buffer.from(part.value).toString();
    assert.equal(rest, event(finish()) + event('[DONE]'));
  });
});
