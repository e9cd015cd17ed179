// What is on record after an exchange.
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { Stack, words, run } from './harness.js';

describe('the record', () => {
  let stack;
  before(async () => {
    stack = await Stack.start({ config: { trusted_proxies: ['127.0.0.1'] } });
  });
  after(() => stack?.stop());

  test('of a refused prompt says who, what, where and why', async () => {
    const r = await stack.chat(`看看${words.block}吧`, { user: 'user-42' });
    const rows = await stack.log('--request', r.headers.get('x-request-id'));
    assert.equal(rows.length, 1);
    const row = rows[0];
    assert.equal(row.action, 'block');
    assert.equal(row.direction, 'prompt');
    assert.equal(row.risk, 'A1-h');
    assert.match(row.rule, /^A1-h\/[0-9a-f]{8}$/);
    assert.equal(row.role, 'user');
    assert.equal(row.path, 'messages[0].content');
    assert.equal(row.app, 'default');
    assert.equal(row.node, 'test-node');
    assert.equal(row.model, 'demo');
    assert.equal(row.upstream, 'demo');
    assert.equal(row.filing_number, 'Test-Demo-20250101');
    assert.equal(row.client_ip, '127.0.0.1');
    assert.match(row.end_user, /^[0-9a-f]{64}$/, 'an HMAC, not the id');
    assert.match(row.ruleset, /^auto-/);
    assert.match(row.time, /^\d{4}-\d\d-\d\dT/);
    assert.ok(row.seq > 0);
    assert.ok(JSON.stringify(row).includes(words.block), 'the matched text in its context');
  });

  test('of an answer that was cut names the completion', async () => {
    const prompt = await stack.script('cut', { text: `开头${words.block}结尾`, chunk: 1 });
    const r = await stack.chat(prompt, { stream: true });
    const [row] = await stack.log('--request', r.headers.get('x-request-id'));
    assert.equal(row.action, 'block');
    assert.equal(row.direction, 'completion');
    assert.equal(row.complete, false);
    assert.equal(row.outcome, 'cut');
  });

  test('of a mask does not repeat what was masked', async () => {
    const prompt = await stack.script('pii', { text: '电话 13800138000' });
    const r = await stack.chat(prompt);
    const [row] = await stack.log('--request', r.headers.get('x-request-id'));
    assert.equal(row.action, 'mask');
    assert.equal(row.risk, 'pii-phone');
    assert.ok(!JSON.stringify(row).includes('13800138000'));
  });

  test('of a hit keeps the personal data around it to itself', async () => {
    const id = '11010519491231002X', phone = '13800138000';
    for (const text of [`${words.block}，身份证 ${id} 手机 ${phone} 完`, `${phone}和${id}，${words.block}，${phone}`,
      `${words.block} ${Array(70).fill(phone).join(' ')} ${id}`]) {
      const rows = [];
      const keep = async (r) => rows.push(...await stack.log('--request', r.headers.get('x-request-id')));
      await keep(await stack.chat(text));
      await keep(await stack.chat([{ role: 'user', content: text }, { role: 'user', content: text }]));
      for (const chunk of [0, 2, 7, 40]) {
        const prompt = await stack.script('personal', { text, chunk });
        await keep(await stack.chat(prompt, { stream: true }));
        await keep(await stack.chat(prompt));
      }
      assert.equal(rows.length, 10);
      for (const row of rows) {
        assert.equal(row.action, 'block');
        const all = JSON.stringify(row);
        assert.ok(!all.includes(id) && !all.includes(phone), all);
      }
    }
  });

  test('of a plain answer is there when asked for', async () => {
    const prompt = await stack.script('plain', { text: 'fine' });
    const r = await stack.chat(prompt);
    const id = r.headers.get('x-request-id');
    assert.equal((await stack.log()).filter((row) => row.request_id === id).length, 0);
    const rows = await stack.log('--all', '--request', id);
    assert.equal(rows.length, 1);
    assert.equal(rows[0].action, 'allow');
    assert.equal(rows[0].complete, true);
    assert.equal(rows[0].outcome, 'complete');
  });

  test('takes client, end user, device and session from a trusted proxy alone', async () => {
    const headers = { 'x-juyong-client-ip': '203.0.113.7', 'x-juyong-client-port': '4711', 'x-juyong-end-user': 'user-42',
      'x-juyong-device': 'phone', 'x-juyong-session': 's-1', 'x-forwarded-for': '198.51.100.1' };
    const same = await stack.chat(words.block, { user: 'user-42' });
    const [plain] = await stack.log('--request', same.headers.get('x-request-id'));
    const r = await stack.chat(words.block, { user: 'someone-else' }, { headers });
    const [row] = await stack.log('--request', r.headers.get('x-request-id'));
    assert.equal(row.client_ip, '203.0.113.7');
    assert.equal(row.client_port, 4711);
    assert.equal(row.device, 'phone');
    assert.equal(row.session, 's-1');
    assert.equal(row.end_user, plain.end_user, 'the header outranks the body');
    const stranger = await Stack.start();
    try {
      const r = await stranger.chat(words.block, {}, { headers });
      const [row] = await stranger.log('--request', r.headers.get('x-request-id'));
      assert.equal(row.client_ip, '127.0.0.1');
      assert.ok(!row.device && !row.session && !row.end_user);
    } finally {
      await stranger.stop();
    }
  });

  test('can be filtered', async () => {
    assert.ok((await stack.log('--action', 'mask')).every((r) => ['mask', 'answer', 'block'].includes(r.action)));
    assert.ok((await stack.log('--risk', 'pii')).every((r) => r.hits.some((h) => h.risk.startsWith('pii'))));
    assert.ok((await stack.log('--direction', 'completion')).every((r) => r.hits.some((h) => h.direction === 'completion')));
    assert.ok((await stack.log('--text', words.block.slice(0, 3))).length > 0);
    assert.equal((await stack.log('--since', '2999-01-01')).length, 0);
  });

  test('is whole', async () => {
    const r = await stack.verify();
    assert.equal(r.code, 0, r.stdout + r.stderr);
    assert.match(r.stdout, /^whole/);
  });

  test('never holds a prompt that was allowed', async () => {
    const prompt = await stack.script('plain', { text: 'fine' });
    await stack.chat(`${prompt} needle-in-the-prompt`);
    const r = await run(['log', 'list', '-c', stack.conf, '--all', '--json']);
    assert.ok(!r.stdout.includes('needle-in-the-prompt'));
  });
});
