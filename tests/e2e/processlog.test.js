// The gateway's own messages on stderr, as JSON lines.
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { Stack, until } from './harness.js';

describe('log: {format: json}', () => {
  let stack;
  before(async () => { stack = await Stack.start({ config: { log: { format: 'json', level: 'debug' } } }); });
  after(() => stack?.stop());

  const lines = async () => (await stack.gateway.output()).split('\n').filter(Boolean);

  test('every line is one object with its fields', async () => {
    // It listens before it says so.
    await until(async () => (await lines()).some((line) => JSON.parse(line).message.startsWith('juyong ')), 'the greeting');
    for (const line of await lines()) {
      const o = JSON.parse(line);
      assert.match(o.time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      assert.ok(['debug', 'info', 'warning', 'error'].includes(o.level), line);
      assert.equal(typeof o.message, 'string');
    }
  });

  test('a line about an exchange names it', async () => {
    const prompt = await stack.script('other', { status: 200, body: JSON.stringify({
      id: 'c-1', object: 'chat.completion', created: 1, model: 'another',
      choices: [{ index: 0, message: { role: 'assistant', content: 'fine' }, finish_reason: 'stop' }] }) });
    const r = await stack.chat(prompt);
    const id = r.headers.get('x-request-id');
    await until(async () => (await lines()).map((l) => JSON.parse(l)).some((o) => o.request_id === id), 'a line');
  });

  test('a reload changes form and level', async () => {
    await stack.configure({ log: { format: 'text', level: 'info' } });
    stack.gateway.kill('SIGHUP');
    await until(async () => (await lines()).some((l) => / info +reloaded/.test(l)), 'a line of text');
  });
});
