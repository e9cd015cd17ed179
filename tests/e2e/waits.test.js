// Limits over time, with a clock that the test moves: what SDKs make of the wait that they are told, and
// what a day is.
import { after, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { Upstream, answer, json } from './wire.js';
import { ask, client, majors } from './clients.js';
import { as, start, stopAll, stopLater } from './apps.js';

after(stopAll);

for (const [name, OpenAI] of Object.entries(majors)) {
  describe(name, () => {
    test('waits as it is told, and then gets its answer', async () => {
      const stack = await start({ apps: [{ name: 'shop', limits: { requests_per_day: 1 } }] }, { clock: true });
      // Four seconds before midnight in China.
      const seconds = Math.floor(Date.now() / 1000) + 8 * 3600;
      await stack.clock.set(86400 - seconds % 86400 - 4);
      const { openai, counter } = client(OpenAI, stack, { apiKey: stack.keys.shop });
      const prompt = await stack.script('hi', { text: 'ok' });
      await openai.chat.completions.create(ask(prompt));
      const r = await openai.chat.completions.create(ask(prompt));
      assert.equal(r.choices[0].message.content, 'ok');
      assert.equal(counter.requests, 3, 'refused once, and right after the wait let through');
    });

    test('a minute\'s limit names a wait that it obeys, a day\'s asks it not to try again', async () => {
      const stack = await start({ policy: { texts: { rate_limit_exceeded: '慢一点。' } }, apps: [
        { name: 'minute', limits: { requests_per_minute: 1, tokens_per_minute: 1000000 } },
        { name: 'day', limits: { requests_per_day: 1 } },
      ] }, { clock: true });
      await stack.clock.set(86400 - (Math.floor(Date.now() / 1000) + 8 * 3600) % 86400 - 7200); // 22:00 in China
      const prompt = await stack.script('hi', { text: 'ok' });
      for (const app of ['minute', 'day']) {
        const { openai, counter } = client(OpenAI, stack, { apiKey: stack.keys[app], ...(app === 'minute' ? { maxRetries: 0 } : {}) });
        const { response } = await openai.chat.completions.create(ask(prompt)).withResponse();
        assert.equal(response.headers.get('x-ratelimit-limit-requests'), '1');
        assert.equal(response.headers.get('x-ratelimit-remaining-requests'), '0');
        await assert.rejects(openai.chat.completions.create(ask(prompt, { stream: true })), (e) => {
          assert.ok(e instanceof OpenAI.RateLimitError);
          assert.equal(e.status, 429);
          assert.equal(e.code, 'rate_limit_exceeded');
          assert.equal(e.type, 'rate_limit_error');
          assert.match(e.message, /慢一点。/);
          const h = (n) => e.headers.get(n);
          assert.equal(h('x-ratelimit-limit-requests'), '1');
          assert.equal(h('x-ratelimit-remaining-requests'), '0');
          if (app === 'minute') {
            assert.match(h('x-ratelimit-reset-requests'), /^(60|[1-5]?\d)s$|^1m0s$/);
            assert.ok(Number(h('retry-after')) >= 1 && Number(h('retry-after')) <= 60);
            assert.ok(Number(h('retry-after-ms')) < 60000, 'what is longer would not be obeyed');
            assert.equal(h('x-should-retry'), null);
            assert.equal(h('x-ratelimit-limit-tokens'), '1000000');
            assert.match(h('x-ratelimit-reset-tokens'), /^\d/);
          } else {
            assert.match(h('x-ratelimit-reset-requests'), /^[12]h\d+m\d+s$/);
            assert.equal(h('x-should-retry'), 'false');
            assert.equal(h('retry-after-ms'), null);
          }
          return true;
        });
        assert.equal(counter.requests, 2, app);
      }
    });
  });
}

test('what is used up is refused until the day is over, also behind a restart', async () => {
  const upstream = await Upstream.start((socket) => socket.write(json(answer({ prompt_tokens: 600, completion_tokens: 400, total_tokens: 1000 }))));
  stopLater(upstream);
  const stack = await start({ apps: [{ name: 'shop', limits: { tokens_per_day: 2000, end_user: { requests_per_day: 3 } } }] },
    { upstream: upstream.url, clock: true });
  const status = async (user) => (await stack.chat('hi', { user }, as(stack.keys.shop))).status;
  assert.equal(await status('ann'), 200);
  assert.equal(await status('ann'), 200);
  const r = await stack.chat('hi', { user: 'ann' }, as(stack.keys.shop));
  assert.equal(r.status, 429);
  assert.equal(r.headers.get('x-ratelimit-remaining-tokens'), '0');
  await stack.gateway.stop();
  await stack.startGateway();
  assert.equal(await status('bob'), 429, 'the day goes on');
  await stack.clock.set(86400);
  assert.equal(await status('ann'), 200, 'the next day');
});
