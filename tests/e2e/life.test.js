// Reload, drain, and a log that can't be written.
import { after, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { appendFile, writeFile } from 'node:fs/promises';
import { spawn } from 'node:child_process';
import path from 'node:path';
import { Program, Stack, binary, listening, run, sleep, until, words } from './harness.js';

const stacks = [];
const start = async (options) => {
  const s = await Stack.start(options);
  stacks.push(s);
  return s;
};
after(async () => {
  for (const s of stacks) await s.stop();
});

test('a reload under load fails no request and takes effect', async () => {
  const stack = await start();
  const clean = await stack.script('clean', { text: 'all is well' });
  const slow = await stack.script('slow', { text: Array(40).fill('slowly '), delay_ms: 25 });
  let stop = false, count = 0;
  const failures = [];
  const load = async (stream) => {
    while (!stop) {
      const r = await stack.chat(stream ? slow : clean, { stream }).catch((e) => ({ status: 0, text: String(e) }));
      count++;
      const text = stream ? r.choices?.[0]?.content : r.json?.choices[0].message.content;
      if (r.status !== 200 || text !== (stream ? 'slowly '.repeat(40) : 'all is well')) failures.push(`${r.status} ${r.text}`);
    }
  };
  const loads = [load(false), load(false), load(false), load(true), load(true), load(true)];
  for (let i = 0; i < 10; i++) {
    await appendFile(path.join(stack.rules, 'keywords/A1-h.txt'), `新词语第${'甲乙丙丁戊己庚辛壬癸'[i]}号\n`);
    stack.gateway.kill('SIGHUP');
    await sleep(200);
  }
  await until(async () => (await stack.chat('请说新词语第癸号')).headers.get('x-juyong-action') === 'block', 'the new rule is in force');
  stop = true;
  await Promise.all(loads);
  assert.deepEqual(failures, []);
  assert.ok(count > 50, `${count} requests`);
});

test('a reload with a mistake keeps what was', async () => {
  const stack = await start();
  await writeFile(path.join(stack.rules, 'keywords/A1-h.txt'), 'x\tno-such-key=1\n');
  stack.gateway.kill('SIGHUP');
  await until(async () => (await stack.gateway.output()).includes('A1-h.txt'), 'the mistake is named');
  assert.equal((await stack.chat(words.block)).headers.get('x-juyong-action'), 'block');
  await writeFile(stack.conf, 'listen: nonsense\n');
  stack.gateway.kill('SIGHUP');
  await until(async () => (await stack.gateway.output()).includes('juyong.yaml:1:'), 'the mistake is named');
  const prompt = await stack.script('ok', { text: 'fine' });
  assert.equal((await stack.chat(prompt)).json.choices[0].message.content, 'fine');
});

// So many words that reading and compiling them takes a while.
async function slowRules(stack, count = 60000) {
  let lines = '';
  for (let i = 0; i < count; i++)
    lines += `${String.fromCodePoint(0x4e00 + (i % 199), 0x5200 + (i >> 8), 0x6000 + (i & 255))}号词语\n`;
  await writeFile(path.join(stack.rules, 'keywords/A1-b.txt'), lines);
}

test('reloads asked for during a reload become one more', async () => {
  const stack = await start();
  await slowRules(stack);
  stack.gateway.kill('SIGHUP');
  await sleep(50);
  const health = [1, 2, 3].map(() => fetch(`${stack.console}/healthz`));
  await appendFile(path.join(stack.rules, 'keywords/A1-h.txt'), '新词语终号\n');
  for (let i = 0; i < 5; i++) {
    stack.gateway.kill('SIGHUP');
    await sleep(5);
  }
  for (const r of await Promise.all(health)) assert.equal(r.status, 200);
  await until(async () => (await stack.chat('请说新词语终号')).headers.get('x-juyong-action') === 'block', 'what was written last is in force', 60000);
  // The line is written after the workers have the rules.
  const count = await until(async () => ((await stack.gateway.output()).match(/reloaded: /g) ?? []).length, 'a reload is logged');
  assert.ok(count <= 3, `${count} reloads`);
  // Mistaken, then put right while the mistake is being read.
  await appendFile(path.join(stack.rules, 'keywords/A1-h.txt'), 'x\tno-such-key=1\n');
  stack.gateway.kill('SIGHUP');
  await until(async () => (await stack.gateway.output()).includes('reload failed'), 'the mistake is named', 60000);
  assert.equal((await stack.chat('请说新词语终号')).headers.get('x-juyong-action'), 'block');
  await writeFile(path.join(stack.rules, 'keywords/A1-h.txt'), '改正的词语\n');
  stack.gateway.kill('SIGHUP');
  await until(async () => (await stack.chat('请说改正的词语')).headers.get('x-juyong-action') === 'block', 'what was put right is in force', 60000);
});

test('SIGTERM during a reload ends as without one', async () => {
  for (const wait of [0, 10, 50]) {
    const stack = await start();
    await slowRules(stack);
    stack.gateway.kill('SIGHUP');
    stack.gateway.kill('SIGHUP');
    await sleep(wait);
    assert.deepEqual(await stack.gateway.stop('SIGTERM', 60000), { code: 0, signal: null });
    assert.match(await stack.gateway.output(), /stopped/);
    assert.equal((await stack.verify()).code, 0);
  }
});

test('SIGTERM lets running answers finish and takes no new ones', async () => {
  const stack = await start();
  const slow = await stack.script('slow', { text: Array(30).fill('still here '), delay_ms: 50 });
  const running = [1, 2, 3].map(() => stack.chat(slow, { stream: true }));
  await until(async () => (await stack.stats()).active === 3, 'three streams run');
  const ended = stack.gateway.stop();
  await until(async () => !(await listening(stack.port)), 'the door is closed', 1500);
  for (const r of await Promise.all(running)) {
    assert.equal(r.choices[0].content, 'still here '.repeat(30));
    assert.deepEqual(r.choices[0].finish, ['stop']);
  }
  assert.deepEqual(await ended, { code: 0, signal: null });
  assert.equal((await stack.verify()).code, 0);
});

test('SIGTERM ends what outlasts the drain, not as if complete', async () => {
  const stack = await start({ config: { limits: { drain_timeout: '1s' } } });
  const slow = await stack.script('slow', { text: Array(1000).fill('on and on '), delay_ms: 20 });
  const running = stack.chat(slow, { stream: true }).catch((e) => ({ failed: e }));
  await until(async () => (await stack.stats()).active === 1, 'a stream runs');
  const from = Date.now();
  assert.deepEqual(await stack.gateway.stop(), { code: 0, signal: null });
  assert.ok(Date.now() - from < 4000);
  const r = await running;
  if (!r.failed) assert.ok(!r.choices[0].finish.includes('stop'), r.text.slice(-300));
  const rows = await stack.log('--all');
  assert.ok(rows.every((row) => row.state !== 'interrupted' && row.outcome !== 'complete'));
});

test('start refuses what check refuses', async () => {
  const stack = await start();
  const bad = path.join(stack.dir, 'bad.yaml');
  for (const [text, where] of [
    ['listen: 127.0.0.1:1\nno_such_key: 1\n', ':2:1: '],
    ['upstreams:\n  - name: a\n    base_url: http://127.0.0.1:1/v1\n    models: [{ id: m }]\n', ':4:'],
  ]) {
    await writeFile(bad, text);
    for (const command of ['check', 'serve']) {
      const r = await run([command, '-c', bad], { timeout: 5000 });
      assert.equal(r.code, 1, `${command}: ${r.stdout}${r.stderr}`);
      assert.ok((r.stdout + r.stderr).includes(`bad.yaml${where}`), r.stdout + r.stderr);
    }
  }
});

test('health and metrics are on the console\'s listener alone', async () => {
  const stack = await start();
  for (const p of ['/healthz', '/readyz', '/metrics']) {
    await until(async () => (await fetch(stack.console + p)).status === 200, `${p} is served`);
    assert.equal((await fetch(stack.url + p)).status, 404, p);
  }
  await stack.chat(words.block);
  assert.match(await stack.metrics(), /juyong_/);
});

// The log's disk is full: a limit on the size of files stands in for it.
async function limited(stack, kilobytes) {
  await stack.gateway.stop();
  const p = new Program();
  p.args = ['serve'];
  p.logFile = path.join(stack.dir, 'serve-limited.log');
  await writeFile(p.logFile, '');
  p.child = spawn('sh', ['-c', `ulimit -f ${kilobytes * 2}; exec "$0" "$@" >>"${p.logFile}" 2>&1`, binary, 'serve', '-c', stack.conf], { stdio: 'ignore' });
  p.exited = new Promise((done) => p.child.once('exit', (code, signal) => done({ code, signal })));
  p.exited.then((how) => { p.how = how; });
  stack.gateway = p;
  await p.ready(stack.port);
  await until(() => listening(stack.consolePort), 'the console listens'); // it begins last
}

test('without a log there is no service (required)', async () => {
  const stack = await start();
  const clean = await stack.script('clean', { text: 'fine' });
  await limited(stack, 600);
  let refused;
  for (let i = 0; i < 2000 && !refused; i++) {
    const r = await stack.chat(`${words.block} ${'填充'.repeat(500)}`);
    if (r.status !== 200) refused = r;
    else assert.equal(r.headers.get('x-juyong-action'), 'block');
  }
  assert.ok(refused, 'the log became unwritable');
  assert.equal(refused.status, 503);
  assert.equal(refused.json.error.code, 'audit_unavailable');
  await stack.resetStats();
  const r = await stack.chat(clean);
  assert.equal(r.status, 503, 'an innocent prompt too');
  assert.equal(r.json.error.code, 'audit_unavailable');
  assert.equal((await stack.stats()).requests, 0, 'the model is not asked');
  await stack.gateway.stop();
  await stack.startGateway();
  assert.equal((await stack.chat(clean)).status, 200, 'with room again it serves');
  assert.equal((await stack.verify()).code, 0);
});

test('a degraded log serves from memory for a while, visibly, then no more', async () => {
  const stack = await start({ config: { audit: { mode: 'degraded', queue_records: 256 } } });
  await until(async () => /warning.*audit/.test(await stack.gateway.output()), 'a weakening is told at start');
  await limited(stack, 600);
  const ask = () => stack.chat(`${words.block} ${'填充'.repeat(500)}`);
  const degraded = async () => /^juyong_log_degraded 1$/m.test(await stack.metrics());
  let count = 0;
  while (!(await degraded())) {
    assert.equal((await ask()).status, 200);
    assert.ok(++count < 2000, 'the log became unwritable');
  }
  assert.equal((await ask()).status, 200, 'served from memory');
  let refused;
  for (let i = 0; i < 400 && !refused; i++) {
    const r = await ask();
    if (r.status !== 200) refused = r;
  }
  assert.equal(refused?.status, 503, 'memory has its ceiling');
  assert.equal(refused.json.error.code, 'audit_unavailable');
  assert.deepEqual(await stack.gateway.stop(), { code: 0, signal: null });
  assert.match(await stack.gateway.output(), /records were lost/, 'and what was lost is told');
  await stack.startGateway();
  assert.equal((await stack.verify()).code, 0);
});
