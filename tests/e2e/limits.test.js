// How much apps, keys and end users may ask for: exact to the request, told in a form that SDKs obey.
import { after, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { Stack, until, words } from './harness.js';
import { Upstream, answer, chunked, delta, event, finish, json, streamHead } from './wire.js';
import { ask } from './clients.js';
import { as, create, key, start, stopAll, stopLater } from './apps.js';

after(stopAll);

const count = (list, status) => list.filter((r) => r.status === status).length;
const many = (n, fn) => Promise.all(Array.from({ length: n }, (_, i) => fn(i)));

describe('exact to the request', () => {
  test('200 at once over all workers, 50 allowed: 50 pass', async () => {
    const stack = await start({ workers: 4, apps: [{ name: 'shop', limits: { requests_per_minute: 50 } }, { name: 'free' }] });
    const prompt = await stack.script('hi', { text: 'ok' });
    const all = await many(200, () => stack.chat(prompt, {}, as(stack.keys.shop)));
    assert.equal(count(all, 200), 50);
    assert.equal(count(all, 429), 150);
    assert.equal((await stack.stats()).requests, 50);
    // Neither a reload nor another key of the app gives a request more.
    const other = await create(stack, '--app', 'shop');
    await until(async () => (await stack.chat(prompt, {}, as(other.key))).status !== 401, 'the key opens');
    stack.gateway.kill('SIGHUP');
    await until(async () => /reloaded: rules/.test(await stack.gateway.output()), 'reloaded');
    assert.equal((await stack.chat(prompt, {}, as(other.key))).status, 429);
    assert.equal((await stack.chat(prompt, {}, as(stack.keys.free))).status, 200, 'another app is another');
    // One record tells of it; the flood is in the metrics.
    const rows = await until(async () => {
      const list = (await stack.log('--all')).filter((r) => JSON.stringify(r).includes('rate_limit_exceeded'));
      return list.length && list;
    }, 'it is on record');
    assert.equal(rows.length, 1);
    assert.equal(rows[0].app, 'shop');
    const [, limited] = (await stack.metrics()).match(/juyong_rejected_total\{cause="limit"\} (\d+)/);
    assert.ok(Number(limited) >= 151, limited);
  });

  test('keys and end users count for themselves, and in the app', async () => {
    const stack = await start({ apps: [{ name: 'shop',
      limits: { requests_per_minute: 60, key: { requests_per_minute: 30 }, end_user: { requests_per_minute: 7 } } }] });
    const second = await create(stack, '--app', 'shop');
    const third = await create(stack, '--app', 'shop');
    await until(async () => (await fetch(`${stack.url}/v1/models`, as(third.key))).status === 200, 'the keys open');
    const prompt = await stack.script('hi', { text: 'ok' });
    const asks = (k, n, user) => many(n, () => stack.chat(prompt, { user }, as(k)));
    const [ann, bob] = await Promise.all([asks(stack.keys.shop, 40, 'ann'), asks(second.key, 40, 'bob')]);
    assert.equal(count(ann, 200), 7, 'ann');
    assert.equal(count(bob, 200), 7, 'bob');
    const crowd = await many(40, (i) => stack.chat(prompt, { user: `user-${i}` }, as(stack.keys.shop)));
    assert.equal(count(crowd, 200), 23, 'what is left of the key');
    const rest = await many(60, (i) => stack.chat(prompt, { user: `other-${i % 30}` }, as(i % 2 ? second.key : third.key)));
    assert.equal(count(rest, 200), 23, 'what is left of the app');
    const nobody = await stack.chat(prompt, {}, as(third.key));
    assert.equal(nobody.status, 429);
    assert.equal(nobody.json.error.param, 'app');
  });

  test('a rotated key goes on counting', async () => {
    const stack = await start({ apps: [{ name: 'shop', limits: { key: { requests_per_minute: 3 } } }] });
    const prompt = await stack.script('hi', { text: 'ok' });
    const [{ id }] = await key(stack, 'list');
    assert.equal((await stack.chat(prompt, {}, as(stack.keys.shop))).status, 200);
    const [next] = await key(stack, 'rotate', id);
    await until(async () => (await fetch(`${stack.url}/v1/models`, as(next.key))).status === 200, 'the key opens');
    const all = await many(10, (i) => stack.chat(prompt, {}, as(i % 2 ? next.key : stack.keys.shop)));
    assert.equal(count(all, 200), 2);
    assert.equal(all.find((r) => r.status === 429).json.error.param, 'key');
  });

  test('never more at once than allowed, and one after the other is never too many', async () => {
    let now = 0, most = 0;
    const upstream = await Upstream.start((socket) => {
      now++;
      most = Math.max(most, now);
      setTimeout(() => { now--; socket.write(json(answer())); }, 30);
    });
    stopLater(upstream);
    const stack = await start({ workers: 2, apps: [{ name: 'shop', limits: { concurrent: 5 } }, { name: 'one', limits: { end_user: { concurrent: 1 } } }] },
      { upstream: upstream.url });
    const all = await many(60, () => stack.chat('hi', {}, as(stack.keys.shop)));
    assert.equal(most, 5);
    assert.equal(count(all, 200) + count(all, 429), 60);
    const refused = all.find((r) => r.status === 429);
    assert.equal(refused.headers.get('retry-after'), '1');
    for (let i = 0; i < 40; i++) {
      const r = await stack.chat('hi', {}, as(stack.keys.one));
      assert.equal(r.status, 200, `request ${i}`);
    }
  });

  test('a stream leaves its place before its end is seen', async () => {
    const stack = await start({ apps: [{ name: 'one', limits: { concurrent: 1 } }] });
    const prompt = await stack.script('s', { text: 'one two three', chunk: 3 });
    const cut = await stack.script('cut', { text: `好${words.block}`, chunk: 1 });
    for (let i = 0; i < 40; i++) {
      const r = await stack.chat(i % 4 === 3 ? words.block : i % 4 === 2 ? cut : prompt, { stream: i % 8 < 4 }, as(stack.keys.one, { connection: 'close' }));
      assert.equal(r.status, 200, `request ${i}`);
    }
    // Who leaves in the middle frees his place, too.
    const slow = await stack.script('slow', { text: Array(200).fill('a '), delay_ms: 50 });
    const gone = new AbortController();
    const r = await fetch(`${stack.url}/v1/chat/completions`, { method: 'POST', signal: gone.signal,
      headers: { ...as(stack.keys.one).headers, 'content-type': 'application/json' }, body: JSON.stringify(ask(slow, { stream: true })) });
    await r.body.getReader().read();
    assert.equal((await stack.chat(prompt, {}, as(stack.keys.one))).status, 429);
    gone.abort();
    await until(async () => (await stack.chat(prompt, {}, as(stack.keys.one))).status === 200, 'the place is free');
  });
});

describe('tokens', () => {
  const left = (r) => Number(r.headers.get('x-ratelimit-remaining-tokens'));
  const limits = { tokens_per_day: 100000 };
  // What an exchange took shows in what the next one leaves, which is asked with the same prompt.
  const taken = async (stack, first, more = {}) => {
    const before = left(await stack.chat('hi', {}, as(stack.keys.shop)));
    await first();
    const after = left(await stack.chat('hi', more, as(stack.keys.shop)));
    return before - after;
  };

  test('as the upstream counts them, streamed or not; else as the texts are long', async () => {
    let next = () => json(answer({ prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 }));
    const upstream = await Upstream.start((socket) => socket.write(next()));
    stopLater(upstream);
    const stack = await start({ apps: [{ name: 'shop', limits }] }, { upstream: upstream.url });
    const usage = { prompt_tokens: 300, completion_tokens: 45, total_tokens: 345 };
    const zero = next;
    const once = (reply, more) => async () => {
      next = reply;
      const r = await stack.chat('hi', more, as(stack.keys.shop));
      next = zero;
      return r;
    };
    assert.equal(await taken(stack, async () => {}), 0);
    assert.equal(await taken(stack, once(() => json(answer(usage)))), 345);
    assert.equal(await taken(stack, once(() => json(answer({ total_tokens: 77 })))), 77);
    const stream = (...events) => () => `${streamHead}\r\n${chunked(events.map(event).join('') + event('[DONE]'))}0\r\n\r\n`;
    const counted = { ...delta('x'), choices: [], usage };
    assert.equal(await taken(stack, once(stream(delta('text'), finish(), counted), { stream: true, stream_options: { include_usage: true } })), 345);
    // Running counts: the last one.
    const running = (n) => ({ ...delta('x'), usage: { prompt_tokens: 10, completion_tokens: n, total_tokens: 10 + n } });
    assert.equal(await taken(stack, once(stream(running(1), running(2), { ...finish(), usage: { prompt_tokens: 10, completion_tokens: 3, total_tokens: 13 } }), { stream: true })), 13);
    // Nobody counts: four bytes of text a token, of prompt and answer.
    const long = 'abcd'.repeat(100);
    const plain = await taken(stack, once(stream(delta(long), finish()), { stream: true, messages: [{ role: 'user', content: long }] }));
    assert.ok(plain >= 200 && plain <= 215, String(plain));
    const chinese = await taken(stack, once(() => json(answer().replace('fine', '汉'.repeat(400)))));
    assert.ok(chinese >= 300 && chinese <= 315, String(chinese));
    // What can't be true is not believed; an error costs nothing, nor does a refusal.
    const lie = await taken(stack, once(() => json(answer({ prompt_tokens: -5, completion_tokens: 1e30, total_tokens: 'many' }))));
    assert.ok(lie >= 0 && lie < 20, String(lie));
    assert.equal(await taken(stack, once(() => 'HTTP/1.1 500 No\r\nContent-Type: application/json\r\nContent-Length: 31\r\n\r\n{"error":{"message":"broken"}}  ')), 0);
    assert.equal(await taken(stack, () => stack.chat(words.block, {}, as(stack.keys.shop))), 0);
  });
});

test('an upstream\'s own limits don\'t contradict ours, and show where we have none', async () => {
  const upstream = await Upstream.start((socket) => socket.write(json(answer(),
    'x-ratelimit-limit-requests: 9999\r\nx-ratelimit-remaining-requests: 9998\r\nx-ratelimit-limit-tokens: 7777\r\n')));
  stopLater(upstream);
  const stack = await start({ apps: [{ name: 'shop', limits: { requests_per_minute: 10 } }, { name: 'free' }] }, { upstream: upstream.url });
  const ours = await stack.chat('hi', {}, as(stack.keys.shop));
  assert.equal(ours.headers.get('x-ratelimit-limit-requests'), '10');
  assert.equal(ours.headers.get('x-ratelimit-remaining-requests'), '9');
  assert.equal(ours.headers.get('x-ratelimit-limit-tokens'), '7777');
  const theirs = await stack.chat('hi', {}, as(stack.keys.free));
  assert.equal(theirs.headers.get('x-ratelimit-limit-requests'), '9999');
});

test('with passthrough the app default may be limited', async () => {
  const stack = await Stack.start({ config: { apps: [{ name: 'default', limits: { requests_per_minute: 5, end_user: { requests_per_minute: 2 } } }] } });
  stopLater(stack);
  const prompt = await stack.script('hi', { text: 'ok' });
  const all = await many(20, (i) => stack.chat(prompt, { user: `u${i % 2}` }));
  assert.equal(count(all, 200), 4);
});
