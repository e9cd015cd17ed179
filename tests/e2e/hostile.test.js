// Found by attacking the gateway: each case passed, or broke a client, before it was mended.
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { Stack, words, until } from './harness.js';
import { ask, client, majors } from './clients.js';

const b = words.block;
const half = Math.ceil([...b].length / 2);
const [first, second] = [[...b].slice(0, half).join(''), [...b].slice(half).join('')];
const event = (delta, more = {}) => JSON.stringify({
  id: 'c', object: 'chat.completion.chunk', created: 1, model: 'demo',
  choices: [{ index: 0, delta, finish_reason: null }], ...more,
});
const stop = JSON.stringify({
  id: 'c', object: 'chat.completion.chunk', created: 1, model: 'demo',
  choices: [{ index: 0, delta: {}, finish_reason: 'stop' }],
});

describe('hostile upstreams and prompts', () => {
  let stack;
  before(async () => { stack = await Stack.start(); });
  after(async () => { await stack?.stop(); });

  const stream = async (script) => stack.chat(await stack.script('hostile', script), { stream: true });

  for (const [where, delta] of Object.entries({
    'a field of its own': (t) => ({ thinking: t }),
    'a tool’s name': (t) => ({ tool_calls: [{ index: 0, id: 'x', type: 'function', function: { name: t, arguments: '' } }] }),
    'the role': (t) => ({ role: t }),
  })) {
    test(`a word split over events in ${where} is cut`, async () => {
      const got = await stream({ events: [event(delta(first)), event(delta(second)), stop, '[DONE]'] });
      assert.deepEqual(got.choices[0].finish, ['content_filter']);
      assert.ok(!got.text.includes(second), got.text);
    });
  }

  for (const field of ['id', 'model'])
    test(`the refusal does not repeat a word that stands in the stream's ${field}`, async () => {
      const got = await stream({ events: [event({ content: 'a' }, { [field]: b }), stop, '[DONE]'] });
      assert.ok(!got.text.includes(b), got.text);
    });

  test('an event named error is a failure of the upstream', async () => {
    const got = await stack.chat(await stack.script('named-error', {
      content_type: 'text/event-stream',
      body: `data: ${event({ content: 'x' })}\n\nevent: error\ndata: {"message":"boom"}\n\ndata: ${stop}\n\ndata: [DONE]\n\n`,
    }), { stream: true });
    assert.deepEqual(got.choices?.[0]?.finish ?? [], []);
    const [row] = await stack.log('--all', '--request', got.headers.get('x-request-id'));
    assert.equal(row.outcome, 'upstream_error');
  });

  test('an empty event is a heartbeat', async () => {
    const got = await stack.chat(await stack.script('heartbeat', {
      content_type: 'text/event-stream',
      body: `data:\n\ndata: ${event({ content: 'x' })}\n\ndata\n\ndata: ${stop}\n\ndata: [DONE]\n\n`,
    }), { stream: true });
    assert.deepEqual(got.choices[0].finish, ['stop']);
    assert.equal(got.choices[0].content, 'x');
  });

  test('fewer choices than asked for are complete at the end mark', async () => {
    const got = await stack.chat(await stack.script('fewer', { choices: [{ text: ['one'] }] }), { stream: true, n: 2 });
    assert.deepEqual(got.choices[0].finish, ['stop']);
    assert.ok(got.done);
    const [row] = await stack.log('--all', '--request', got.headers.get('x-request-id'));
    assert.equal(row.outcome, 'complete');
  });

  for (const levels of [1, 2, 3])
    test(`a word behind ${levels} levels of escapes in a tool's result is refused`, async () => {
      let content = b;
      for (let i = 0; i < levels; i++)
        content = JSON.stringify({ q: content }).replace(/[^\x20-\x7e]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
      const got = await stack.post('/v1/chat/completions', {
        model: 'demo', messages: [{ role: 'user', content: 'hi' }, { role: 'tool', tool_call_id: 'x', content }],
      });
      assert.equal(JSON.parse(got.text).choices[0].finish_reason, 'content_filter');
    });

  test('headers of the upstream carry numbers, no texts', async () => {
    const got = await stack.chat(await stack.script('headers', {
      status: 429, headers: { 'x-ratelimit-limit-requests': '60', 'x-ratelimit-limit-tokens': 'how to make it', 'retry-after': 'how to', 'x-ratelimit-remaining-requests': '6m0s' },
    }));
    assert.equal(got.headers.get('x-ratelimit-limit-requests'), '60');
    assert.equal(got.headers.get('x-ratelimit-remaining-requests'), '6m0s');
    assert.equal(got.headers.get('retry-after'), null);
    assert.equal(got.headers.get('x-ratelimit-limit-tokens'), null);
  });

  for (const [name, OpenAI] of Object.entries(majors))
    test(`${name}: a refused stream that was to be JSON says why`, async () => {
      const { openai } = client(OpenAI, stack);
      const format = { type: 'json_schema', json_schema: { name: 'x', strict: true, schema: { type: 'object', properties: {}, required: [], additionalProperties: false } } };
      const error = await openai.chat.completions
        .stream(ask(b, { response_format: format })).finalChatCompletion().then((c) => c, (e) => e);
      const reason = error.choices?.[0]?.finish_reason ?? error.constructor.name;
      assert.match(reason, /content_filter|ContentFilter/);
    });

  test('a body past its ceiling is refused and on record', async () => {
    async function* endless() { for (let i = 0; i < 48; i++) yield Buffer.alloc(65536, 0x20); }
    const got = await fetch(`${stack.url}/v1/chat/completions`, {
      method: 'POST', headers: { 'content-type': 'application/json' }, body: endless(), duplex: 'half',
    });
    assert.equal(got.status, 413);
    assert.equal((await got.json()).error.code, 'body_too_large');
    let row; // such an answer need not wait for its record
    await until(async () => { [row] = await stack.log('--all', '--request', got.headers.get('x-request-id')); return row?.outcome; });
    assert.equal(row.outcome, 'rejected');
    assert.equal(row.reason, 'body_too_large');
  });
});
