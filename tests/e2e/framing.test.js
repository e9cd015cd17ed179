// The front door: what two HTTP parsers might read differently is refused, and the connection
// closed, so that nothing behind it can be taken for a request.
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { Stack, until } from './harness.js';
import { exchange } from './wire.js';

const body = JSON.stringify({ model: 'demo', messages: [{ role: 'user', content: 'demo:hello' }] });
const route = '/v1/chat/completions';
const type = 'Content-Type: application/json\r\n';
const length = `Content-Length: ${body.length}\r\n`;
const head = (...lines) => `POST ${route} HTTP/1.1\r\nHost: a\r\n${type}${lines.join('')}\r\n`;
const chunk = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
const smuggled = `GET /v1/models HTTP/1.1\r\nHost: a\r\n\r\n`;

// Each: bytes, and the status that must be the first answer.
const refused = {
  'a length and chunks': [head(length, 'Transfer-Encoding: chunked\r\n') + chunk + smuggled, 400],
  'a length and chunks with a request in the body': [head('Content-Length: 4\r\n', 'Transfer-Encoding: chunked\r\n') + `0\r\n\r\n${smuggled}`, 400],
  'two equal lengths': [head(length, length) + body + smuggled, 400],
  'two different lengths': [head(length, 'Content-Length: 3\r\n') + body + smuggled, 400],
  'a length with a plus': [head(`Content-Length: +${body.length}\r\n`) + body, 400],
  'a negative length': [head('Content-Length: -1\r\n') + body, 400],
  'a hexadecimal length': [head('Content-Length: 0x7\r\n') + body, 400],
  'a list of lengths': [head(`Content-Length: ${body.length}, ${body.length}\r\n`) + body, 400],
  'an empty length': [head('Content-Length: \r\n') + body, 400],
  'a length of 2^63': [head('Content-Length: 9223372036854775808\r\n') + body, 413],
  'a length of 2^64-2': [head('Content-Length: 18446744073709551614\r\n') + body, 413],
  'a length past the ceiling': [head('Content-Length: 99000000\r\n') + body, 413],
  'encoding xchunked': [head('Transfer-Encoding: xchunked\r\n') + chunk, 400],
  'encoding gzip, chunked': [head('Transfer-Encoding: gzip, chunked\r\n') + chunk, 400],
  'encoding chunked, identity': [head('Transfer-Encoding: chunked, identity\r\n') + chunk, 400],
  'encoding identity': [head('Transfer-Encoding: identity\r\n') + body, 400],
  'encoding with a vertical tab': [head('Transfer-Encoding: \x0bchunked\r\n') + chunk, 400],
  'two encodings': [head('Transfer-Encoding: chunked\r\n', 'Transfer-Encoding: chunked\r\n') + chunk, 400],
  'a blank before the colon': [head('Transfer-Encoding : chunked\r\n') + chunk, 400],
  'a blank in a header name': [head('X Y: z\r\n', length) + body, 400],
  'an 8-bit header name': [head('X\xe9: z\r\n', length) + body, 400],
  'a control character in a header name': [head('X\x01: z\r\n', length) + body, 400],
  'an empty header name': [head(': x\r\n', length) + body, 400],
  'a folded header': [head('X-A: b\r\n c\r\n', length) + body, 400],
  'a folded header that spells a name': [`POST ${route} HTTP/1.1\r\nHost: a\r\n${type}Authoriza: Bearer evil\r\n tion\r\n${length}\r\n${body}`, 400],
  'a bare CR in a value': [head('X-A: b\rX-B: c\r\n', length) + body, 400],
  'NUL in a value': [head('X-A: b\0c\r\n', length) + body, 400],
  'DEL in a value': [head('X-A: b\x7fc\r\n', length) + body, 400],
  'bare LF line ends': [head(length).replaceAll('\r\n', '\n') + body, 400],
  'chunk size +3': [head('Transfer-Encoding: chunked\r\n') + '+3\r\nabc\r\n0\r\n\r\n', 400],
  'chunk size -1': [head('Transfer-Encoding: chunked\r\n') + '-1\r\nabc\r\n0\r\n\r\n', 400],
  'chunk size 0x3': [head('Transfer-Encoding: chunked\r\n') + '0x3\r\nabc\r\n0\r\n\r\n', 400],
  'a chunk size that overflows': [head('Transfer-Encoding: chunked\r\n') + '10000000000000003\r\nabc\r\n0\r\n\r\n', [400, 413]],
  'trailers': [head('Transfer-Encoding: chunked\r\n') + chunk.slice(0, -2) + 'Authorization: Bearer evil\r\n\r\n', 400],
  'chunks with HTTP/1.0': [`POST ${route} HTTP/1.0\r\nHost: a\r\n${type}Transfer-Encoding: chunked\r\n\r\n${chunk}`, 400],
  'HTTP/1.2': [`POST ${route} HTTP/1.2\r\nHost: a\r\n${type}${length}\r\n${body}`, [400, 505]],
  'HTTP/2.0': [`POST ${route} HTTP/2.0\r\nHost: a\r\n${type}${length}\r\n${body}`, [400, 505]],
  'no Host': [`POST ${route} HTTP/1.1\r\n${type}${length}\r\n${body}`, 400],
  'two Hosts': [`POST ${route} HTTP/1.1\r\nHost: a\r\nHost: b\r\n${type}${length}\r\n${body}`, 400],
  'two Authorizations': [head('Authorization: Bearer a\r\n', 'AUTHORIZATION: Bearer b\r\n', length) + body, 400],
  'two Content-Types': [head('Content-Type: text/plain\r\n', length) + body, [400, 415]],
  'Expect: junk': [head('Expect: junk\r\n', length) + body, 417],
  'a method in lower case': [`post ${route} HTTP/1.1\r\nHost: a\r\n${type}${length}\r\n${body}`, 405],
  'TRACE': [`TRACE ${route} HTTP/1.1\r\nHost: a\r\n\r\n`, 405],
  'GET on a POST route': [`GET ${route} HTTP/1.1\r\nHost: a\r\n\r\n`, 405],
  'CONNECT': ['CONNECT evil:443 HTTP/1.1\r\nHost: evil\r\n\r\n', [400, 404, 405]],
  'OPTIONS *': ['OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n', [400, 404, 405]],
  'an absolute target': [`POST http://evil${route} HTTP/1.1\r\nHost: evil\r\n${type}${length}\r\n${body}`, [400, 404]],
  'a header of 40 KB': [head(`X-A: ${'b'.repeat(40000)}\r\n`, length) + body, [400, 431]],
  '2000 headers': [head('X-A: b\r\n'.repeat(2000), length) + body, [400, 431]],
  'a target of 40 KB': [`POST /v1/${'x'.repeat(40000)} HTTP/1.1\r\nHost: a\r\n${type}${length}\r\n${body}`, [404, 414]],
};

// Not a route: answered as such and never forwarded. libmicrohttpd itself refuses some.
const paths = ['//v1/chat/completions', '/v1/../v1/chat/completions', '/v1/..;/v1/chat/completions',
  '/v1%2fchat/completions', '/v1/chat%2fcompletions', '/v1/chat/completions%00', '/v1/chat%00/completions',
  '/v1/%252f/chat/completions', '\\v1\\chat\\completions', '/v1/chat/completions/', '/v1/chat/completions;a=b',
  '/v1/chat/completions#x', '/V1/chat/completions', '/v1/chat/Completions', '/v1/chat/completions\0', '/', '/v1',
  '/healthz', '/metrics', '/admin', '/v1/embeddings', '/demo/stats'];

describe('refused with one answer, and closed', () => {
  let stack;
  before(async () => { stack = await Stack.start(); });
  after(() => stack?.stop());

  for (const [name, [bytes, want]] of Object.entries(refused)) {
    test(name, async () => {
      await stack.resetStats();
      const from = Date.now();
      const r = await exchange(stack.port, bytes);
      assert.ok(r.closed, `the connection is closed\n${r.text.slice(0, 300)}`);
      assert.ok(Date.now() - from < 1400, 'at once, not by a deadline');
      assert.ok(r.answers.length >= 1 || r.text === '', r.text.slice(0, 300));
      if (r.answers.length) {
        assert.ok([].concat(want).includes(r.answers[0].status), `${r.answers[0].status} ${r.answers[0].body}`);
        assert.ok(r.answers.every((a) => a.status >= 400), 'nothing behind it was run');
      }
      assert.equal((await stack.stats()).requests, 0, 'nothing reached the upstream');
    });
  }

  for (const path of paths) {
    test(`the path ${JSON.stringify(path)}`, async () => {
      await stack.resetStats();
      const r = await exchange(stack.port, `POST ${path} HTTP/1.1\r\nHost: a\r\n${type}${length}Connection: close\r\n\r\n${body}`);
      assert.ok([400, 404].includes(r.answers[0]?.status), r.text.slice(0, 300));
      assert.equal((await stack.stats()).requests, 0);
    });
  }

  // Whatever is refused before its body is read: an id to ask by, and a reason that is the reason.
  for (const [name, bytes, status, code] of [
    ['a body that says that it is too large', head('Content-Length: 99000000\r\n'), 413, 'body_too_large'],
    ['a body where there is to be none', 'GET /v1/models HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}', 413, 'body_too_large'],
    ['chunks where there are to be none', 'GET /v1/models HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n', 413, 'body_too_large'],
    ['101 headers', head('a:b\r\n'.repeat(101), length) + body, 431, 'headers_too_large'],
    ['two Hosts', `POST ${route} HTTP/1.1\r\nHost: a\r\nHost: b\r\n${type}${length}\r\n${body}`, 400, 'bad_framing'],
    ['an expectation', head('Expect: junk\r\n', length) + body, 417, 'expectation_failed'],
  ])
    test(`${name}: the error, with a request id`, async () => {
      const [answer] = (await exchange(stack.port, bytes)).answers;
      assert.equal(answer.status, status);
      assert.match(answer.headers.get('x-request-id') ?? '', /^req_[0-9a-f]{22}$/);
      assert.equal(answer.headers.get('x-juyong-action'), 'block');
      const { error } = JSON.parse(answer.body);
      assert.equal(error.code, code);
      assert.equal(error.type, 'invalid_request_error');
      assert.ok(error.message.length > 0 && 'param' in error);
    });

  test('a known app\'s body that says that it is too large is on record', async () => {
    const [answer] = (await exchange(stack.port, head('Content-Length: 99000000\r\n'))).answers;
    const id = answer.headers.get('x-request-id');
    let row;
    await until(async () => { [row] = await stack.log('--all', '--request', id); return row?.outcome; });
    assert.equal(row.outcome, 'rejected');
    assert.equal(row.reason, 'body_too_large');
    assert.equal(row.status, 413);
    assert.equal(row.app, 'default');
  });

  // libmicrohttpd answers these by itself, in HTML: README.md, Limits.
  test('a head beyond the library\'s memory is 431 without an id', async () => {
    const [answer] = (await exchange(stack.port, head(`X-A: ${'b'.repeat(40000)}\r\n`, length) + body)).answers;
    assert.equal(answer.status, 431);
    assert.equal(answer.headers.get('x-request-id'), undefined);
    assert.match(answer.body, /<html>/);
  });

  test('an unknown path is JSON', async () => {
    for (const method of ['GET', 'POST']) {
      const r = await fetch(`${stack.url}/v1/nope`, { method });
      const json = await r.json();
      assert.equal(r.status, 404);
      assert.equal(json.error.code, 'not_found');
      assert.equal(typeof json.error.message, 'string');
      assert.ok('param' in json.error && 'type' in json.error);
    }
  });

  for (const [name, headers, status, code] of [
    ['no content type', { 'content-type': '' }, 415, 'unsupported_type'],
    ['text/plain', { 'content-type': 'text/plain' }, 415, 'unsupported_type'],
    ['UTF-16', { 'content-type': 'application/json; charset=utf-16' }, 415, 'unsupported_type'],
    ['GBK', { 'content-type': 'application/json;charset=gbk' }, 415, 'unsupported_type'],
    ['gzip', { 'content-encoding': 'gzip' }, 415, 'unsupported_encoding'],
    ['br', { 'content-encoding': 'br' }, 415, 'unsupported_encoding'],
    ['gzip twice', { 'content-encoding': 'gzip,gzip' }, 415, 'unsupported_encoding'],
  ]) {
    test(`a body declared as ${name}`, async () => {
      await stack.resetStats();
      const r = await stack.post(route, body, { headers });
      assert.equal(r.status, status, r.text);
      assert.equal(JSON.parse(r.text).error.code, code);
      assert.equal((await stack.stats()).requests, 0);
    });
  }

  test('a body that is too large, announced by 100-continue', async () => {
    const r = await exchange(stack.port, head('Expect: 100-continue\r\n', 'Content-Length: 99000000\r\n'));
    assert.equal(r.answers[0].status, 413);
    assert.ok(!r.text.includes('100 Continue'));
  });

  test('a chunked body that grows past the ceiling', async () => {
    const big = 'x'.repeat(1 << 20);
    const r = await exchange(stack.port, [head('Transfer-Encoding: chunked\r\n'),
      ...Array(3).fill(`${big.length.toString(16)}\r\n${big}\r\n`), '0\r\n\r\n']);
    assert.equal(r.answers[0].status, 413);
    assert.ok(r.closed);
  });

  test('none of them is left behind', async () => {
    await until(async () => /^juyong_active_exchanges 0$/m.test(await stack.metrics()), 'no exchange is active', 2000);
  });
});

describe('accepted', () => {
  let stack;
  before(async () => { stack = await Stack.start(); });
  after(() => stack?.stop());

  const one = async (bytes, count = 1) => {
    await stack.resetStats();
    const r = await exchange(stack.port, bytes, { quiet: 400 });
    assert.deepEqual(r.answers.map((a) => a.status), Array(count).fill(200), r.text.slice(0, 400));
    assert.equal((await stack.stats()).requests, count);
    return r;
  };

  test('a length', () => one(head(length) + body));
  test('chunks', () => one(head('Transfer-Encoding: chunked\r\n') + chunk));
  test('chunks of one byte', () => one(head('Transfer-Encoding: chunked\r\n') +
    [...body].map((c) => `1\r\n${c}\r\n`).join('') + '0\r\n\r\n'));
  test('HTTP/1.0', () => one(`POST ${route} HTTP/1.0\r\nHost: a\r\n${type}${length}\r\n${body}`));
  test('application/json; charset=UTF-8', () => one(head(length).replace('json', 'json; charset=UTF-8') + body));
  test('one byte at a time', async () => {
    await stack.resetStats();
    const r = await exchange(stack.port, [...(head(length) + body)], { quiet: 400 });
    assert.equal(r.answers[0].status, 200);
  });
  test('100-continue', async () => {
    const r = await one(head('Expect: 100-continue\r\n', length) + body);
    assert.match(r.text, /^HTTP\/1.1 (100|200)/);
  });
  test('twenty requests in one write, each judged and answered in order', async () => {
    const n = 20;
    const ask = (i) => {
      const b = JSON.stringify({ model: 'demo', messages: [{ role: 'user', content: `{"demo":{"text":"answer ${i}"}}` }] });
      return `POST ${route} HTTP/1.1\r\nHost: a\r\n${type}Content-Length: ${b.length}\r\n\r\n${b}`;
    };
    const r = await one(Array.from({ length: n }, (_, i) => ask(i)).join(''), n);
    assert.deepEqual(r.answers.map((a) => a.json.choices[0].message.content), Array.from({ length: n }, (_, i) => `answer ${i}`));
  });
  test('a client that closes its writing side still gets its answer', async () => {
    const r = await exchange(stack.port, head(length) + body, { end: true, quiet: 1000 });
    assert.ok(r.answers.length === 1 || r.text === '', r.text);
  });

  // What libmicrohttpd 0.9.75 hides from its handler, pinned: it is read in one way, and once. A front
  // proxy must therefore not share connections between clients.
  test('pinned: a chunk extension is ignored', () => one(head('Transfer-Encoding: chunked\r\n') +
    chunk.replace('\r\n', ';a=b\r\n')));
  test('pinned: bare LF within chunks is read as CRLF', () => one(head('Transfer-Encoding: chunked\r\n') +
    `${body.length.toString(16)}\n${body}\n0\r\n\r\n`));
});

describe('deadlines', () => {
  let stack;
  before(async () => {
    stack = await Stack.start({ config: { limits: { header_timeout: '1s', body_timeout: '1s', idle_timeout: '1s' } } });
  });
  after(() => stack?.stop());

  for (const [name, first, rest] of [
    ['a header that drips', 'POST ', `${route} HTTP/1.1\r\nX-A: ${'b'.repeat(100)}`],
    ['a body that drips', head('Content-Length: 1000\r\n'), ' '.repeat(100)],
    ['a connection that says nothing', '', ''],
  ]) {
    test(`${name} is cut off`, async () => {
      const { connect } = await import('node:net');
      const socket = connect(stack.port, '127.0.0.1');
      const from = Date.now();
      let i = 0;
      socket.on('error', () => {});
      socket.write(first || '');
      const drip = setInterval(() => { if (i < rest.length) socket.write(rest[i++]); }, 100);
      await new Promise((done) => socket.on('close', done).on('end', done).resume());
      clearInterval(drip);
      socket.destroy();
      const took = Date.now() - from;
      assert.ok(took > 500 && took < 4000, `${took} ms`);
    });
  }
});
