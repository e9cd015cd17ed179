// The client's trace (W3C Trace Context): what of it the upstream gets, and what is on record.
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { Stack, words } from './harness.js';

const id = '4bf92f3577b34da6a3ce929d0e0e4736';
const parent = `00-${id}-00f067aa0ba902b7-01`;
const answer = JSON.stringify({
  id: 'c-1', object: 'chat.completion', created: 1, model: 'demo',
  choices: [{ index: 0, message: { role: 'assistant', content: 'fine' }, finish_reason: 'stop' }],
});

// An upstream that remembers the headers which it got.
async function startUpstream() {
  const seen = [];
  const server = createServer((request, response) => {
    request.on('data', () => {});
    request.on('end', () => {
      seen.push(request.headers);
      response.writeHead(200, { 'content-type': 'application/json' }).end(answer);
    });
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  return { seen, server, url: `http://127.0.0.1:${server.address().port}` };
}

for (const [mode, config] of [['pass', {}], ['start', { trace_context: 'start' }],
  ['off', { trace_context: 'off' }]])
  describe(`trace_context: ${mode}`, () => {
    let stack, upstream;
    before(async () => {
      upstream = await startUpstream();
      stack = await Stack.start({ upstream: upstream.url, config });
    });
    after(async () => {
      await stack?.stop();
      upstream?.server.close();
    });

    // What the upstream saw of a request with these headers, and its record.
    async function ask(headers, text = 'hi') {
      const r = await stack.chat(text, {}, { headers });
      const [row] = await stack.log('--all', '--request', r.headers.get('x-request-id'));
      return { status: r.status, seen: upstream.seen.at(-1), row, r };
    }

    test('a sound one', async () => {
      const { status, seen, row } = await ask({ traceparent: parent, tracestate: 'rojo=1,congo=2' });
      assert.equal(status, 200);
      assert.equal(seen.traceparent, mode === 'off' ? undefined : parent);
      assert.equal(seen.tracestate, mode === 'off' ? undefined : 'rojo=1,congo=2');
      assert.equal(row.trace_id, mode === 'off' ? null : id);
    });

    test('none, or one that is none', async () => {
      for (const headers of [{}, { traceparent: parent.toUpperCase(), tracestate: 'a=b' },
        { traceparent: `${parent}-x` }, { tracestate: 'a=b' }]) {
        const { status, seen, row } = await ask(headers);
        assert.equal(status, 200);
        assert.equal(seen.tracestate, undefined);
        if (mode === 'start') {
          assert.match(seen.traceparent, /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
          assert.notEqual(seen.traceparent.slice(3, 35), id);
          assert.equal(row.trace_id, seen.traceparent.slice(3, 35));
        } else {
          assert.equal(seen.traceparent, undefined);
          assert.equal(row.trace_id, null);
        }
      }
    });

    test('a tracestate that is none is left out alone', async () => {
      const { seen } = await ask({ traceparent: parent, tracestate: 'A=b' });
      assert.equal(seen.traceparent, mode === 'off' ? undefined : parent);
      assert.equal(seen.tracestate, undefined);
    });

    test('the log finds all exchanges of a trace', async () => {
      const other = `00-${'a'.repeat(32)}-00f067aa0ba902b7-00`;
      const good = await ask({ traceparent: other });
      const bad = await ask({ traceparent: other }, `看看${words.block}吧`);
      const found = (await stack.log('--trace', 'a'.repeat(32))).map((row) => row.request_id).sort();
      assert.deepEqual(found, mode === 'off' ? [] : [good, bad].map((a) => a.row.request_id).sort());
    });
  });
