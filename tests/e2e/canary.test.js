// The canary: what is in force is proven to intercept, at start, after each change and by itself.
import { after, test } from 'node:test';
import assert from 'node:assert/strict';
import { appendFile } from 'node:fs/promises';
import path from 'node:path';
import { Stack, run, until, words } from './harness.js';
import { ask, client, majors } from './clients.js';

const ends = [];
const start = async (options) => {
  const s = await Stack.start(options);
  ends.push(s);
  return s;
};
after(async () => {
  const how = await Promise.allSettled(ends.map((e) => e.stop()));
  for (const h of how) if (h.status === 'rejected') throw h.reason;
});

const ready = async (stack) => {
  const r = await fetch(`${stack.console}/readyz`);
  return { status: r.status, text: await r.text() };
};
const becomes = (stack, status) => until(async () => {
  const r = await ready(stack);
  return r.status === status && r;
}, `/readyz gives ${status}`);
const runs = async (stack) => (await stack.log('--all')).filter((r) => r.reason?.startsWith('canary'));
const reload = async (stack, config) => {
  const before = (await runs(stack)).length;
  await stack.configure(config);
  stack.gateway.kill('SIGHUP');
  return until(async () => (await runs(stack))[before], 'a run after the reload');
};

test('at start everything is intercepted, and nothing of it is production', async () => {
  const stack = await start({ config: { apps: [{ name: 'other', policy: { refusal: 'error' } }] } });
  await becomes(stack, 200);
  const [first] = await until(async () => { const r = await runs(stack); return r.length && r; }, 'a record');
  const detail = JSON.parse(first.detail);
  assert.deepEqual([first.kind, first.reason, detail.apps, detail.missed], ['admin', 'canary', 2, 0]);
  assert.ok(detail.probes > 8, `${detail.probes} probes`);
  assert.match(detail.sha256, /^[0-9a-f]{64}$/);
  assert.deepEqual(await stack.log(), [], 'hidden unless asked for');
  assert.equal((await stack.stats()).requests, 0, 'the provider heard nothing');
  const metrics = await stack.metrics();
  assert.match(metrics, /^juyong_canary_ok 1$/m);
  assert.match(metrics, /^juyong_requests_total 0$/m);
  assert.match(metrics, /^juyong_actions_total{action="block"} 0$/m);
  assert.equal((await stack.verify()).code, 0);
});

test('a policy that lets all pass is an alarm, until it passes again', async () => {
  const stack = await start({});
  await becomes(stack, 200);
  const missed = await reload(stack, { policy: { actions: { '*': 'allow' } } });
  assert.equal(missed.reason, 'canary_missed');
  const unready = await becomes(stack, 503);
  assert.match(unready.text, /^not ready: canary_missed\n[^]*^weakened: canary: app default, model demo, prompt: /m);
  assert.match(unready.text, /completion \(streamed\): the canary's phrase is not intercepted: it was delivered/);
  assert.match(await stack.gateway.output(), /error +ALARM: canary: app default/);
  assert.match(await stack.metrics(), /^juyong_canary_ok 0$/m);
  // Unready is advice to what stands before it: whoever asks is served.
  const prompt = await stack.script('a', { text: '好' });
  for (const OpenAI of Object.values(majors)) {
    const { openai } = client(OpenAI, stack, { maxRetries: 0 });
    assert.equal((await openai.chat.completions.create(ask(prompt))).choices[0].message.content, '好');
  }
  await reload(stack, { policy: { actions: { '*': 'allow' } }, canary: { ready: false } });
  const warned = await becomes(stack, 200);
  assert.match(warned.text, /weakened: canary: a miss doesn't make the gateway unready/);
  assert.match(warned.text, /weakened: canary: app default, model demo, prompt/);
  const mended = await reload(stack, {});
  assert.equal(mended.reason, 'canary');
  assert.doesNotMatch((await becomes(stack, 200)).text, /canary/);
  assert.match(await stack.gateway.output(), /canary: everything is intercepted again/);
});

test('a run of a published version follows its publication', async () => {
  const stack = await start({});
  await becomes(stack, 200);
  await appendFile(path.join(stack.rules, 'keywords', 'A1-a.txt'), '芒果炸弹配方\n');
  const r = await run(['rules', 'publish', '-c', stack.conf, '--author', 'a', '--reason', 'r']);
  assert.equal(r.code, 0, r.stderr);
  const of = await until(async () => (await runs(stack)).find((x) => x.ruleset.startsWith('v-')), 'its run');
  assert.equal(of.reason, 'canary');
  assert.equal((await stack.chat(words.block)).headers.get('x-juyong-action'), 'block');
});

test('it runs by itself, and a weaker mode is proven to see', async () => {
  const stack = await start({
    config: { canary: { every: '1s' }, policy: { mode: 'shadow', until: '2999-12-31' } },
  });
  await until(async () => (await runs(stack)).length >= 3, 'three runs', 10000);
  assert.ok((await runs(stack)).every((r) => r.reason === 'canary'));
});
