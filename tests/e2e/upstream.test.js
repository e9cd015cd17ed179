// A broken upstream is reported as what it is: never as a complete answer, never as a refusal, and
// nothing of it passes unjudged.
import { after, before, beforeEach, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { Stack, until, words } from './harness.js';
import { Upstream, chunked, delta, event, finish, plainAnswer, streamHead } from './wire.js';

const json = (body, headers = '', status = '200 OK') =>
  `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n${headers}\r\n${body}`;
const stream = (text, headers = '') => `${streamHead}${headers}\r\n${text}`;
// The blank ends the word: a word alone may still become an e-mail address.
const some = event(delta('partial text, '));
const good = some + event(finish()) + event('[DONE]');

describe('the upstream', () => {
  let stack, upstream, answer;
  before(async () => {
    upstream = await Upstream.start((socket) => answer(socket));
    stack = await Stack.start({ upstream: upstream.url });
  });
  after(async () => {
    await stack?.stop();
    await upstream?.stop();
  });
  beforeEach(() => { upstream.requests.length = 0; });

  // An error shows nothing of the model's, so it does not wait for its record.
  const row = async (r) => {
    const rows = await until(async () => {
      const found = await stack.log('--all', '--request', r.headers.get('x-request-id'));
      return found.length && found[0].complete !== null ? found : null;
    }, 'the record is sealed');
    assert.equal(rows.length, 1);
    assert.equal(rows[0].complete, false);
    return rows[0];
  };

  // Before anything was sent: an HTTP error, one request, and a record that blames the upstream.
  const early = {
    'resets before its head': [(s) => s.resetAndDestroy(), [502], 'upstream_failed'],
    'closes before its head': [(s) => s.end(), [502], 'upstream_failed'],
    'says nothing': [() => {}, [504], 'upstream_timeout'],
    'speaks no HTTP': [(s) => s.end('hello there\r\n\r\n'), [502], null],
    'sends a web page': [(s) => s.write('HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5\r\n\r\n<p>x\n'), [502], 'upstream_type'],
    'sends no type': [(s) => s.write(`HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}`), [502], 'upstream_type'],
    'compresses unasked': [(s) => {
      const z = gzipSync(plainAnswer);
      s.write(`HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: ${z.length}\r\n\r\n`);
      s.write(z);
    }, [502], 'upstream_encoding'],
    'names two encodings': [(s) => s.write(json(plainAnswer, 'Content-Encoding: identity, gzip\r\n')), [502], 'upstream_encoding'],
    'sends a length and chunks': [(s) => s.write(`HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n${chunked(plainAnswer)}0\r\n\r\n`), [502], null],
    'sends two lengths': [(s) => s.write(json(plainAnswer, 'Content-Length: 7\r\n')), [502], null],
    'redirects': [(s) => s.write(`HTTP/1.1 302 Found\r\nLocation: ${upstream.url}/elsewhere\r\nContent-Length: 0\r\n\r\n`), [502], null],
    'switches protocols unasked': [(s) => s.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n${plainAnswer}`), [502], null],
    'sends half a megabyte of headers': [(s) => s.write(json(plainAnswer, `${`X-A: ${'b'.repeat(1000)}\r\n`.repeat(500)}`)), [502], null],
    'ends its only body early': [(s) => s.end(json(plainAnswer).slice(0, -10)), [502], null],
    'sends broken JSON': [(s) => s.write(json('{"choices":[')), [502], null],
    'sends duplicate keys': [(s) => s.write(json(plainAnswer.replace('"fine"', '"fine","content":"fine"'))), [502], null],
    'sends an error with status 200': [(s) => s.write(json('{"error":{"message":"overloaded","type":"server_error","param":null,"code":null}}')), [500, 502, 503], null],
    'sends an answer without choices': [(s) => s.write(json('{"id":"x","object":"chat.completion","choices":[]}')), [200, 502], null],
  };
  for (const [name, [how, status, code]] of Object.entries(early)) {
    for (const streamed of [false, true]) {
      test(`that ${name} (${streamed ? 'streamed' : 'whole'})`, async () => {
        answer = how;
        const r = await stack.chat('hi', { stream: streamed });
        if (r.status === 200 && status.includes(200)) return;
        if (streamed && r.status === 200) {
          // The head was already under way: then the stream must say that it failed.
          assert.ok(r.error, r.text);
          assert.deepEqual(r.choices.flatMap((c) => c.finish), []);
        } else {
          assert.ok(status.includes(r.status), `${r.status} ${r.text}`);
          const { error } = JSON.parse(r.text);
          assert.ok(error.message && error.type, r.text);
          if (code) assert.equal(error.code, code);
        }
        assert.ok(upstream.requests.length <= 1, 'asked once');
        assert.ok(['upstream_error', 'truncated', 'timeout'].includes((await row(r)).outcome));
      });
    }
  }

  test('that is not there', async () => {
    const gone = await Upstream.start(() => {});
    await gone.stop();
    const other = await Stack.start({ upstream: gone.url });
    try {
      const r = await other.chat('hi');
      assert.equal(r.status, 502);
      assert.equal(JSON.parse(r.text).error.code, 'upstream_failed');
    } finally {
      await other.stop();
    }
  });

  // Within a stream: what was clear has been shown, then comes an error event and no finish reason.
  const late = {
    'ends without its last chunk': [(s) => s.end(stream(chunked(some))), 'truncated', 'upstream_truncated'],
    'ends by closing, without an end mark': [(s) => s.end(`HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n${some}`), 'truncated', 'upstream_truncated'],
    'ends properly, but early': [(s) => s.write(stream(`${chunked(some)}0\r\n\r\n`)), 'truncated', 'upstream_truncated'],
    'says done without a finish reason': [(s) => s.write(stream(`${chunked(some + event('[DONE]'))}0\r\n\r\n`)), 'truncated', 'upstream_truncated'],
    'resets': [(s) => { s.write(stream(chunked(some))); setTimeout(() => s.resetAndDestroy(), 50); }, null, null],
    'stalls': [(s) => s.write(stream(chunked(some))), 'timeout', 'upstream_timeout'],
    'breaks its chunks': [(s) => s.write(stream(`${chunked(some)}zz\r\nbad`)), null, null],
    'sends an event that is no JSON': [(s) => s.write(stream(`${chunked(some + event('{"choices":[') + event('[DONE]'))}0\r\n\r\n`)), 'upstream_error', 'upstream_protocol'],
    'sends an event with duplicate keys': [(s) => s.write(stream(`${chunked(some + event('{"choices":[],"choices":[]}') + event('[DONE]'))}0\r\n\r\n`)), 'upstream_error', null],
    'sends an event past the ceiling': [(s) => s.write(stream(`${chunked(some + event(delta('x'.repeat(1200000))))}0\r\n\r\n`)), 'upstream_error', null],
    'reports an error': [(s) => s.write(stream(`${chunked(some + event({ error: { message: 'boom', type: 'server_error', param: null, code: null } }))}0\r\n\r\n`)), 'upstream_error', null],
  };
  for (const [name, [how, outcome, code]] of Object.entries(late)) {
    test(`that ${name} in mid-stream`, async () => {
      answer = how;
      const r = await stack.chat('hi', { stream: true });
      assert.equal(r.status, 200);
      assert.equal(r.choices[0].content, 'partial text, ');
      assert.deepEqual(r.choices[0].finish, [], 'no finish reason: it is not complete');
      assert.ok(r.error?.message, r.text);
      if (code) assert.equal(r.error.code, code);
      const record = await row(r);
      if (outcome) assert.equal(record.outcome, outcome);
      assert.equal(upstream.requests.length, 1, 'asked once');
    });
  }

  test('that drips is ended by the total deadline, its memory by ceilings', async () => {
    const short = await Stack.start({ upstream: upstream.url, config: {
      upstreams: [{ name: 'demo', base_url: `${upstream.url}/v1`, models: [{ id: 'demo', filing_number: 'x' }],
        timeouts: { total: '2s', gap: '1s' } }] } });
    try {
      answer = (s) => {
        s.write(stream(''));
        const drip = setInterval(() => s.write(chunked(event(delta('滴')))), 50);
        s.on('close', () => clearInterval(drip));
      };
      const from = Date.now();
      const r = await short.chat('hi', { stream: true });
      assert.ok(Date.now() - from < 4000);
      assert.ok(r.error, 'an error event');
      assert.deepEqual(r.choices[0].finish, []);
    } finally {
      await short.stop();
    }
  });

  for (const [status, text] of [[400, 'Bad Request'], [401, 'Unauthorized'], [404, 'Not Found'], [429, 'Too Many Requests'], [500, 'Internal Server Error'], [503, 'Service Unavailable']]) {
    test(`that answers ${status} is heard`, async () => {
      const body = '{"error":{"message":"provider says no","type":"t","param":null,"code":"c"}}';
      answer = (s) => s.write(json(body, 'Retry-After: 7\r\n', `${status} ${text}`));
      for (const streamed of [false, true]) {
        const r = await stack.chat('hi', { stream: streamed });
        assert.ok(r.status === status || (status >= 500 && r.status === 502), String(r.status));
        assert.ok(JSON.parse(r.text).error.message);
        if (status === 429) assert.equal(r.headers.get('retry-after'), '7');
      }
    });
  }

  test('that puts a forbidden word into its error is not repeated', async () => {
    answer = (s) => s.write(json(JSON.stringify({ error: { message: `see ${words.block}`, type: 't', param: null, code: null } }), '', '400 Bad Request'));
    const r = await stack.chat('hi');
    assert.ok(!r.text.includes('炸弹'), r.text);
    assert.ok(r.status >= 400 || r.headers.get('x-juyong-action') === 'block');
  });

  test('that names another model is recorded as it answered', async () => {
    answer = (s) => s.write(json(plainAnswer.replace('"demo"', '"other-model"')));
    const r = await stack.chat('hi');
    assert.equal(r.status, 200);
    const [record] = await stack.log('--all', '--request', r.headers.get('x-request-id'));
    assert.equal(record.model, 'demo');
    assert.equal(record.model_answered, 'other-model');
  });

  test('that says content_filter itself passes as such', async () => {
    answer = (s) => s.write(stream(`${chunked(some + event(finish('content_filter')) + event('[DONE]'))}0\r\n\r\n`));
    const r = await stack.chat('hi', { stream: true });
    assert.deepEqual(r.choices[0].finish, ['content_filter']);
  });

  test('that has a finish reason and no [DONE] is complete', async () => {
    answer = (s) => s.write(stream(`${chunked(some + event(finish()))}0\r\n\r\n`));
    const r = await stack.chat('hi', { stream: true });
    assert.equal(r.choices[0].content, 'partial text, ');
    assert.deepEqual(r.choices[0].finish, ['stop']);
  });

  test('keeps its connection for the next request', async () => {
    answer = (s) => s.write(json(plainAnswer));
    await stack.chat('hi');
    const before = upstream.connections;
    for (let i = 0; i < 8; i++) await stack.chat('hi');
    assert.ok(upstream.connections - before <= 2, 'at most one more a worker');
  });

  test('is left alone when the client leaves', async () => {
    let closed = false;
    answer = (s) => { s.on('close', () => { closed = true; }); s.write(stream(chunked(some))); };
    const controller = new AbortController();
    const r = await fetch(`${stack.url}/v1/chat/completions`, { method: 'POST', signal: controller.signal,
      headers: { 'content-type': 'application/json' }, body: '{"model":"demo","stream":true,"messages":[{"role":"user","content":"hi"}]}' });
    await r.body.getReader().read();
    controller.abort();
    await until(() => closed, 'the upstream connection closes', 1000);
  });

  test('is held back by a client that does not read', async () => {
    let sent = 0, stop = false;
    const piece = chunked(event(delta('x'.repeat(8000))));
    answer = async (s) => {
      s.write(stream(''));
      s.on('close', () => { stop = true; });
      while (!stop && sent < 200 << 20) {
        sent += piece.length;
        if (!s.write(piece)) await Promise.race([new Promise((done) => s.once('drain', done)), new Promise((done) => setTimeout(done, 3000))]);
        if (s.writableLength > 1 << 20) break;
      }
    };
    const controller = new AbortController();
    const r = await fetch(`${stack.url}/v1/chat/completions`, { method: 'POST', signal: controller.signal,
      headers: { 'content-type': 'application/json' }, body: '{"model":"demo","stream":true,"messages":[{"role":"user","content":"hi"}]}' });
    assert.equal(r.status, 200);
    await new Promise((done) => setTimeout(done, 1000));
    const first = sent;
    await new Promise((done) => setTimeout(done, 500));
    assert.ok(sent - first < 8 << 20, `still pulled ${sent - first} bytes`);
    assert.ok(sent < 64 << 20, `${sent} bytes were taken for a client that reads nothing`);
    controller.abort();
  });
});
