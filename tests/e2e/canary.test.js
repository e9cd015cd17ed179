// The canary: what is in force is proven to intercept, at start, after each change and by itself.
import { after, test } from 'node:test';
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { appendFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import path from 'node:path';
import { Stack, run, until, words } from './harness.js';
import { ask, client, majors } from './clients.js';
import { Guard } from './guard.js';

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
  // The start's run may be known to /readyz before it is on record.
  const before = await until(async () => (await runs(stack)).length, 'a run on record');
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

test('whoever is asked for second opinions hears nothing of it, nor does his failing fail it', async () => {
  const guard = await Guard.start();
  ends.push(guard);
  guard.fault = 'status';
  const asking = { from: 'guard', when: 'always', fallback: 'closed', block: 90 };
  const stack = await start({ config: {
    opinions: [{ name: 'guard', kind: 'qwen3guard', url: `${guard.url}/v1/chat/completions`, model: 'g', timeout: '1s' }],
    policy: { opinions: [{ ...asking, direction: 'prompt' }, { ...asking, direction: 'completion' }] },
  } });
  await becomes(stack, 200);
  const [first] = await until(async () => { const r = await runs(stack); return r.length && r; }, 'a record');
  const detail = JSON.parse(first.detail);
  assert.deepEqual([first.reason, detail.missed], ['canary', 0]);
  assert.ok(detail.probes > 8, `${detail.probes} probes`);
  assert.equal(guard.questions.length, 0, 'nobody else hears of the phrase');
  assert.match(await stack.metrics(), /^juyong_opinions_total 0$/m);
  // A user's prompt is another matter.
  const r = await stack.chat('早上好');
  assert.deepEqual([r.status, r.json.error.code], [503, 'judge_unavailable']);
  assert.ok(guard.questions.length > 0);
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

test('whoever is to be told is told once, signed, and of the end', async () => {
  const told = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (part) => { body += part; });
    request.on('end', () => { told.push({ headers: request.headers, body }); response.end(); });
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  ends.push({ stop: () => new Promise((done) => server.close(done)) });
  const stack = await start({});
  await writeFile(path.join(stack.dir, 'secret'), 'shh\n', { mode: 0o600 });
  const canary = {
    every: '1s',
    alarm: { url: `http://127.0.0.1:${server.address().port}/alarm`, secret_file: path.join(stack.dir, 'secret') },
  };
  await reload(stack, { canary, policy: { actions: { '*': 'allow' } } });
  await until(async () => (await runs(stack)).filter((r) => r.reason === 'canary_missed').length >= 3, 'more misses', 10000);
  assert.equal(told.length, 1, 'the same is not told again');
  await reload(stack, { canary });
  await until(() => told.length === 2, 'the end is told');
  const [missed, recovered] = told.map((t) => JSON.parse(t.body));
  assert.deepEqual([missed.event, missed.missed, missed.node], ['canary_missed', 3, 'test-node']);
  assert.match(missed.misses, /app default, model demo, prompt: the canary's phrase/);
  assert.deepEqual([recovered.event, recovered.missed], ['canary_recovered', 0]);
  for (const { headers, body } of told) {
    const want = createHmac('sha256', 'shh').update(`${headers['x-juyong-timestamp']}.${body}`).digest('hex');
    assert.equal(headers['x-juyong-signature'], `v1=${want}`);
  }
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
