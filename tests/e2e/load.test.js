// Many at once, and many that leave: each gets its own, and nothing is left behind.
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { Stack, quick, random, until, words } from './harness.js';

describe('load', () => {
  let stack;
  before(async () => { stack = await Stack.start({ config: { limits: { connections_per_ip: 1000 } } }); });
  after(() => stack?.stop());

  const descriptors = async () => (await readdir(`/proc/${stack.gateway.child.pid}/fd`)).length;
  const idle = () => until(async () => /^juyong_active_exchanges 0$/m.test(await stack.metrics()) &&
    (await stack.stats()).active === 0, 'nothing is active', 10000);

  test('two hundred streams at once keep apart', async () => {
    const n = quick ? 50 : 200;
    const all = await Promise.all(Array.from({ length: n }, async (_, i) => {
      const text = i % 4 === 3 ? [`stream ${i}: `, ...words.block, ' tail'] : Array.from({ length: 20 }, (_, k) => `stream ${i} part ${k}, `);
      const prompt = await stack.script(`load-${i}`, { text, delay_ms: 5 });
      return stack.chat(prompt, { stream: true });
    }));
    for (const [i, r] of all.entries()) {
      const { content, finish } = r.choices[0];
      if (i % 4 === 3) {
        assert.ok(content.startsWith(`stream ${i}: `) && !/琥|tail/.test(content), content);
        assert.deepEqual(finish, ['content_filter']);
      } else {
        assert.equal(content, Array.from({ length: 20 }, (_, k) => `stream ${i} part ${k}, `).join(''));
        assert.deepEqual(finish, ['stop']);
      }
    }
    assert.equal(new Set(all.map((r) => r.headers.get('x-request-id'))).size, n);
    await idle();
  });

  test('clients that leave with their last byte cost nothing', async () => {
    const prompt = await stack.script('slow', { text: Array(500).fill('slow, '), delay_ms: 20 });
    const body = JSON.stringify({ model: 'demo', stream: true, messages: [{ role: 'user', content: prompt }] });
    await stack.resetStats();
    await Promise.all(Array.from({ length: 50 }, (_, i) => new Promise((done) => {
      const socket = connect(stack.port, '127.0.0.1', () => {
        socket.write(`POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
        if (i % 2) socket.destroy(); else socket.resetAndDestroy();
      });
      socket.on('error', () => {}).on('close', done);
    })));
    await until(async () => (await stack.stats()).active === 0 && /^juyong_active_exchanges 0$/m.test(await stack.metrics()), 'nothing is active', 1500);
    assert.equal((await stack.stats()).finished, 0);
  });

  test('clients that leave at any moment leave nothing behind', async () => {
    const r = random(4);
    const prompts = [
      await stack.script('drip', { text: Array(60).fill('drip, '), delay_ms: 10 }),
      await stack.script('late', { text: 'late', first_delay_ms: 300 }),
      await stack.script('cut', { text: ['a ', ...words.block, ' b'], delay_ms: 20 }),
      await stack.script('mask', { text: '电话 13800138000。', chunk: 1, delay_ms: 10 }),
      words.block,
    ];
    await stack.chat(prompts[4]);
    await idle();
    const before = await descriptors();
    const count = quick ? 200 : 1000;
    for (let done = 0; done < count; done += 50) {
      await Promise.all(Array.from({ length: 50 }, async () => {
        const controller = new AbortController();
        const timer = setTimeout(() => controller.abort(), 150 * r());
        await stack.chat(prompts[Math.floor(r() * prompts.length)], { stream: r() < 0.7 }, { signal: controller.signal }).catch(() => {});
        clearTimeout(timer);
      }));
    }
    await idle();
    const left = await until(async () => { const n = await descriptors(); return n <= before + 60 ? n : 0; }, 'descriptors are closed');
    assert.ok(left <= before + 60, `${left} descriptors after, ${before} before`); // pooled connections
    const rows = await stack.log('--all');
    assert.deepEqual(rows.filter((row) => row.kind === 'exchange' && !row.outcome), [], 'every exchange is closed on record');
    assert.equal((await stack.verify()).code, 0);
  });
});
