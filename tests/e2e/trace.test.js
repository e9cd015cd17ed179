// Who asked: end user, client address and port, device, session. Headers and fields that name them,
// the PROXY protocol, who may set them, and what of it the upstream gets to see.
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { Stack, run, words } from './harness.js';
import { client, majors } from './clients.js';

const trace = {
  'X-Juyong-End-User': 'anna', 'X-Juyong-Client-IP': '203.0.113.9', 'X-Juyong-Client-Port': '4711',
  'X-Juyong-Device': 'phone-7', 'X-Juyong-Session': 's-1',
};
const bad = `看看${words.block}吧`;
const row = async (stack, r) => (await stack.log('--request', r.headers.get('x-request-id')))[0];

describe('a front that is trusted', () => {
  let stack;
  before(async () => { stack = await Stack.start({ config: { trusted_proxies: ['127.0.0.1'] } }); });
  after(() => stack?.stop());

  test('says who asks', async () => {
    const r = await row(stack, await stack.chat(bad, { user: 'somebody else' }, { headers: trace }));
    assert.equal(r.client_ip, '203.0.113.9');
    assert.equal(r.client_port, 4711);
    assert.equal(r.device, 'phone-7');
    assert.equal(r.session, 's-1');
    assert.match(r.end_user, /^[0-9a-f]{64}$/);
    assert.ok(!JSON.stringify(r).includes('anna'));
    // The header goes before the field, and the log finds her by her own id.
    const found = await stack.log('--end-user', 'anna');
    assert.deepEqual(found.map((f) => f.request_id), [r.request_id]);
    assert.equal((await stack.log('--end-user', 'somebody else')).length, 0);
  });

  test('is not believed about an address that is none', async () => {
    const r = await row(stack, await stack.chat(bad, {}, { headers: { 'X-Juyong-Client-IP': 'unknown' } }));
    assert.equal(r.client_ip, '127.0.0.1');
    assert.notEqual(r.client_port, 4711);
  });

  test('is not guessed about: a header that comes twice is refused', async () => {
    for (const headers of ['X-Juyong-End-User: mallory\r\nX-Juyong-End-User: anna\r\n', 'x-juyong-client-ip: 10.0.0.1\r\nX-Juyong-Client-IP: 203.0.113.9\r\n',
      'X-Juyong-Session: a\r\nX-Juyong-Device: b\r\nX-JUYONG-SESSION: a\r\n', 'x-juyong-policy: strict\r\nx-juyong-policy: strict\r\n']) {
      const answer = await speak(stack, request('hi', headers));
      assert.match(answer, /^HTTP\/1\.1 400 /, headers);
      const error = JSON.parse(answer.slice(answer.indexOf('{'))).error;
      assert.equal(error.code, 'repeated_header');
      assert.match(error.param, /^x-juyong-/i);
    }
    assert.match(await speak(stack, request('hi', Object.entries(trace).map(([k, v]) => `${k}: ${v}\r\n`).join(''))), /^HTTP\/1\.1 200 /);
  });

  for (const [name, OpenAI] of Object.entries(majors))
    test(`through ${name}: nothing of it reaches the upstream, and the body is as sent`, async () => {
      const { openai } = client(OpenAI, stack);
      const answer = await openai.chat.completions.create(
        { model: 'demo', messages: [{ role: 'user', content: 'hi' }], user: 'ben' }, { headers: trace });
      assert.equal(answer.choices[0].finish_reason, 'stop');
      const stats = await stack.stats();
      const seen = JSON.stringify(stats);
      for (const secret of ['anna', '203.0.113.9', 'phone-7', 's-1', 'X-Juyong', 'x-juyong'])
        assert.ok(!seen.includes(`"${secret}"`) && !seen.toLowerCase().includes('x-juyong-end'), secret);
      assert.equal(JSON.parse(stats.last_body).user, 'ben');
    });
});

describe('anyone else', () => {
  let stack;
  before(async () => { stack = await Stack.start({ config: { trusted_proxies: ['10.9.9.9'] } }); });
  after(() => stack?.stop());

  test('is the peer of its connection and nobody, whatever it writes', async () => {
    const r = await row(stack, await stack.chat(bad, { user: 'anna', safety_identifier: 'anna' }, { headers: trace }));
    assert.equal(r.client_ip, '127.0.0.1');
    assert.notEqual(r.client_port, 4711);
    for (const key of ['end_user', 'device', 'session']) assert.equal(r[key], null, key);
  });

  test('gets nowhere with a PROXY line', async () => {
    const answer = await speak(stack, `PROXY TCP4 203.0.113.9 127.0.0.1 4711 80\r\n${request('hi')}`);
    assert.match(answer, /^(HTTP\/1\.[01] 400 |$)/);
    assert.ok(!answer.includes('content_filter'));
  });
});

describe('the fields of the body', () => {
  const fields = async (config, check) => {
    const stack = await Stack.start({ config });
    try { await check(stack); } finally { await stack.stop(); }
  };
  const named = async (stack, more) => (await row(stack, await stack.chat(bad, more))).end_user !== null;

  test('are believed of everyone where no front is listed', () => fields({}, async (stack) => {
    assert.ok(await named(stack, { user: 'anna' }));
    assert.ok(await named(stack, { safety_identifier: 'anna' }));
    assert.ok(!await named(stack, {}));
  }));
  test('or if the configuration says so', () => fields(
    { trusted_proxies: ['10.9.9.9'], end_users: { field: 'anyone' } },
    async (stack) => assert.ok(await named(stack, { user: 'anna' }))));
  test('or not at all', () => fields({ end_users: { field: 'ignore' } },
    async (stack) => assert.ok(!await named(stack, { user: 'anna' }))));

  test('can be kept from the upstream, and every other byte goes on', () => fields({ end_users: { forward: 'remove' } },
    async (stack) => {
      const bodies = {
        '{"user":"anna","model":"demo","messages":[{"role":"user","content":"hi"}]}':
          '{"model":"demo","messages":[{"role":"user","content":"hi"}]}',
        ' { "user" : "a" , "safety_identifier":"b", "model":"demo","messages":[{"role":"user","content":"hi"}] } ':
          ' { "model":"demo","messages":[{"role":"user","content":"hi"}] } ',
        '{"model":"demo","user":"anna","messages":[{"role":"user","content":"\\u4f60"}],"safety_identifier":"b"}':
          '{"model":"demo","messages":[{"role":"user","content":"\\u4f60"}]}',
        '{"model":"demo","messages":[{"role":"user","content":"hi","x":{"user":"anna"}}]}':
          '{"model":"demo","messages":[{"role":"user","content":"hi","x":{"user":"anna"}}]}',
      };
      for (const [sent, got] of Object.entries(bodies)) {
        assert.equal((await stack.post('/v1/chat/completions', sent)).status, 200);
        assert.equal((await stack.stats()).last_body, got);
      }
    }));
});

// --- the PROXY protocol ---

function request(content, headers = '') {
  const body = JSON.stringify({ model: 'demo', messages: [{ role: 'user', content }] });
  return `POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n` +
    `Authorization: Bearer k\r\n${headers}Connection: close\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

// Sends the pieces one after the other; everything that comes back until the connection ends.
function speak(stack, ...pieces) {
  return new Promise((done, fail) => {
    const socket = connect({ port: stack.port, host: '127.0.0.1', noDelay: true });
    let text = '';
    socket.setTimeout(10000, () => { socket.destroy(); fail(new Error(`no end: ${text}`)); });
    socket.on('data', (d) => { text += d; });
    socket.on('error', () => {});
    socket.on('close', () => done(text));
    (async () => {
      for (const piece of pieces) {
        socket.write(piece);
        await new Promise((next) => setTimeout(next, 5));
      }
    })();
  });
}

const v2 = (command, family, body = Buffer.alloc(0)) => Buffer.concat([
  Buffer.from('0d0a0d0a000d0a515549540a', 'hex'), Buffer.from([0x20 | command, family, body.length >> 8, body.length & 255]), body]);
const v4 = (ip, port) => Buffer.from([...ip.split('.').map(Number), 127, 0, 0, 1, port >> 8, port & 255, 0, 80]);

describe('with the PROXY protocol', () => {
  let stack;
  before(async () => {
    stack = await Stack.start({ config: { trusted_proxies: ['127.0.0.1', '192.0.2.50'], proxy_protocol: true,
      limits: { header_timeout: '1s' } } });
  });
  after(() => stack?.stop());

  const rowOf = async (answer) => {
    assert.match(answer, /^HTTP\/1\.1 200 /);
    const id = /x-request-id: (\S+)/i.exec(answer)[1];
    return (await stack.log('--request', id))[0];
  };

  test('version 1 names the client', async () => {
    const head = 'PROXY TCP4 203.0.113.9 127.0.0.1 4711 80\r\n';
    for (const pieces of [[head + request(bad)], [head, request(bad)], ['PROXY', head.slice(5, 20), head.slice(20), request(bad)]]) {
      const r = await rowOf(await speak(stack, ...pieces));
      assert.equal(r.client_ip, '203.0.113.9');
      assert.equal(r.client_port, 4711);
    }
    const six = await rowOf(await speak(stack, `PROXY TCP6 2001:db8::9 ::1 4711 80\r\n${request(bad)}`));
    assert.equal(six.client_ip, '2001:db8::9');
  });

  test('so does version 2', async () => {
    const r = await rowOf(await speak(stack, v2(1, 0x11, v4('203.0.113.9', 4711)), request(bad)));
    assert.equal(r.client_ip, '203.0.113.9');
    assert.equal(r.client_port, 4711);
    const whole = Buffer.concat([v2(1, 0x11, Buffer.concat([v4('203.0.113.8', 1), Buffer.from([4, 0, 2, 1, 2])])), Buffer.from(request(bad))]);
    assert.equal((await rowOf(await speak(stack, whole))).client_ip, '203.0.113.8');
  });

  test('headers of a client behind such a proxy are its own, and say nothing', async () => {
    const lies = 'X-Juyong-End-User: anna\r\nX-Juyong-Client-IP: 198.51.100.66\r\nX-Juyong-Device: d\r\n';
    const r = await rowOf(await speak(stack, `PROXY TCP4 203.0.113.9 127.0.0.1 4711 80\r\n${request(bad, lies)}`));
    assert.equal(r.client_ip, '203.0.113.9');
    assert.equal(r.end_user, null);
    assert.equal(r.device, null);
    // Behind it a front that is trusted itself may speak.
    const front = await rowOf(await speak(stack, `PROXY TCP4 192.0.2.50 127.0.0.1 4711 80\r\n${request(bad, lies)}`));
    assert.equal(front.client_ip, '198.51.100.66');
    assert.match(front.end_user, /^[0-9a-f]{64}$/);
  });

  test('a client that the proxy does not know is nobody', async () => {
    for (const head of ['PROXY UNKNOWN\r\n', v2(1, 0)]) {
      const r = await rowOf(await speak(stack, head, request(bad, 'X-Juyong-End-User: anna\r\n')));
      assert.equal(r.client_ip, null);
      assert.equal(r.end_user, null);
    }
  });

  test('the proxy itself may ask, with LOCAL', async () => {
    const r = await rowOf(await speak(stack, v2(0, 0), request(bad)));
    assert.equal(r.client_ip, '127.0.0.1');
  });

  test('whatever is no header ends the connection without a word, and nothing else', async () => {
    const before = (await stack.stats()).requests;
    const hostile = [
      request('hi'), 'PROXY TCP4 203.0.113.9 127.0.0.1 99999 80\r\n', 'PROXY TCP4 203.0.113.9\r\n',
      `PROXY ${'A'.repeat(200)}`, '\r\n\r\n\0\r\nQUIT\n\x21', v2(1, 0x12, v4('203.0.113.9', 1)),
      v2(1, 0x11, Buffer.alloc(3)), Buffer.concat([v2(1, 0x11, v4('203.0.113.9', 1)).subarray(0, 14), Buffer.from([255, 255])]),
      Buffer.from([0x16, 3, 1, 0, 200]), 'PROXY TCP4 203.0.113.9 127.0.0.1 1 80\n',
    ];
    for (const [i, bytes] of hostile.entries())
      assert.equal(await speak(stack, Buffer.concat([Buffer.from(bytes), Buffer.from(i ? request('hi') : '')])), '', `case ${i}`);
    // Half a header is waited for up to the deadline of heads.
    assert.equal(await speak(stack, 'PROXY TCP4 203.0.'), '');
    assert.equal((await stack.stats()).requests, before);
    const many = await Promise.all(Array.from({ length: 200 }, (_, i) => speak(stack,
      `PROXY TCP4 203.0.113.${i} 127.0.0.1 1 80\r\n`, request('hi'))));
    assert.ok(many.every((m) => m.startsWith('HTTP/1.1 200 ')));
  });

  test('the number of connections counts per client, not per proxy', async () => {
    await stack.gateway.stop();
    await stack.configure({ workers: 1, limits: { connections_per_ip: 2 } });
    await stack.startGateway();
    const open = [];
    const hold = (ip) => new Promise((done) => {
      const s = connect({ port: stack.port, host: '127.0.0.1' }, () => s.write(`PROXY TCP4 ${ip} 127.0.0.1 1 80\r\n`));
      s.on('error', () => {});
      s.on('close', () => done('closed'));
      open.push(s);
      setTimeout(() => done('open'), 100);
    });
    for (const ip of ['203.0.113.1', '203.0.113.1', '203.0.113.2', '203.0.113.2']) assert.equal(await hold(ip), 'open');
    assert.equal(await hold('203.0.113.1'), 'closed');
    for (const s of open) s.destroy();
  });

  test('it needs to be told whose connections begin with a header', async () => {
    await stack.configure({ trusted_proxies: [] });
    const r = await run(['check', '-c', stack.conf]);
    assert.equal(r.code, 1);
    assert.match(r.stderr, /'proxy_protocol' needs 'trusted_proxies'/);
  });
});
