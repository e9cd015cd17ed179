// What the log keeps as evidence: original texts under seal, holds, a backup and the way back.
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Stack, words, run, until } from './harness.js';

const lines = (r) => r.stdout.split('\n').filter(Boolean).map((line) => JSON.parse(line));

describe('original texts', () => {
  let stack;
  before(async () => { stack = await Stack.start(); });
  after(() => stack?.stop());

  const reveal = (id, ...args) => run(['log', 'show', '-c', stack.conf, '--original', ...args, id]);
  const originals = async (r) => {
    const shown = await reveal(r.headers.get('x-request-id'), '--json', '--reason', 'a dispute');
    assert.equal(shown.code, 0, shown.stderr);
    return lines(shown);
  };
  const matched = (t) => t.hits.map((h) => Buffer.from(t.text).subarray(h.start, h.end).toString());

  test('of a refused prompt are the whole messages that hold a match', async () => {
    const said = `请拨打 13800138000，看看${words.block}吧`;
    const r = await stack.chat([{ role: 'system', content: 'be kind' },
      { role: 'user', content: 'an innocent one' }, { role: 'assistant', content: 'yes' }, { role: 'user', content: said }]);
    const texts = await originals(r);
    assert.equal(texts.length, 1);
    assert.equal(texts[0].text, said);
    assert.equal(texts[0].direction, 'prompt');
    assert.equal(texts[0].role, 'user');
    assert.equal(texts[0].path, 'messages[3].content');
    assert.ok(matched(texts[0]).includes(words.block));
    assert.ok(matched(texts[0]).includes('13800138000'));
    assert.equal(texts[0].cut_before || texts[0].cut_after, false);
  });

  for (const chunk of [0, 1, 7]) {
    test(`of an answer that was cut are what was judged of it, in pieces of ${chunk}`, async () => {
      const text = `${'很长的开头。'.repeat(400)}然后${words.block}结尾`;
      const r = await stack.chat(await stack.script(`cut${chunk}`, { text, chunk }), { stream: true });
      const [t] = await originals(r);
      assert.equal(t.direction, 'completion');
      assert.ok(text.startsWith(t.text), 'from its beginning');
      assert.deepEqual(matched(t), [words.block]);
    });

    test(`of a masked answer are all of it, in pieces of ${chunk}`, async () => {
      const text = `${'开头。'.repeat(300)}电话 13800138000，${'中间。'.repeat(900)}手机 13900139000。${'末尾。'.repeat(200)}`;
      for (const stream of [true, false]) {
        const r = await stack.chat(await stack.script(`pii${chunk}`, { text, chunk }), { stream });
        const texts = await originals(r);
        assert.equal(texts.length, 1);
        assert.equal(texts[0].text, text);
        assert.deepEqual(matched(texts[0]).sort(), ['13800138000', '13900139000']);
      }
    });
  }

  test('are not kept of what was allowed', async () => {
    const r = await stack.chat('nothing to see');
    const shown = await reveal(r.headers.get('x-request-id'), '--reason', 'curious');
    assert.equal(shown.stdout, '');
    assert.match(shown.stderr, /no original texts/);
  });

  test('are shown for a reason only, which goes on record first', async () => {
    const r = await stack.chat(`看看${words.block}吧`);
    const id = r.headers.get('x-request-id');
    assert.equal((await reveal(id)).code, 2);
    const before = (await stack.log('--all')).filter((row) => row.reason === 'reveal').length;
    const shown = await reveal(id, '--reason', 'a "dispute"');
    assert.match(shown.stdout, new RegExp(words.block));
    const acts = (await stack.log('--all')).filter((row) => row.reason === 'reveal');
    assert.equal(acts.length, before + 1);
    const detail = JSON.parse(acts.at(-1).detail);
    assert.equal(detail.request, id);
    assert.equal(detail.why, 'a "dispute"');
    assert.equal((await reveal('no-such-request', '--reason', 'x')).code, 1);
  });

  test('stand in no file as they were said', async () => {
    const r = await stack.chat(`秘密是 13700137000 ${words.block}`);
    assert.equal((await originals(r)).length, 1);
    const found = await run(['log', 'verify', '-c', stack.conf, '--json']);
    assert.ok(JSON.parse(found.stdout).originals > 0);
    const log = path.join(stack.dir, 'state', 'log');
    const { readdir } = await import('node:fs/promises');
    for (const name of await readdir(log)) {
      if (name === 'keys') continue;
      assert.ok(!(await readFile(path.join(log, name))).includes('13700137000'), name);
    }
  });
});

describe('the log is kept', () => {
  let stack;
  before(async () => { stack = await Stack.start(); });
  after(() => stack?.stop());

  const log = (...args) => run(['log', ...args, '-c', stack.conf]);

  test('retention below what the law asks for is refused', async () => {
    await stack.configure({ audit: { retention: { records: '182d' } } });
    const bad = await run(['check', '-c', stack.conf]);
    await stack.configure();
    assert.equal(bad.code, 1);
    assert.match(bad.stdout + bad.stderr, /'records' must be between 183d/);
  });

  test('pruning says what would go, and nothing is too old', async () => {
    const plan = await log('prune', '--dry-run');
    assert.equal(plan.code, 0, plan.stderr);
    assert.match(plan.stdout, /would remove 0 files/);
    assert.match((await log('prune')).stdout, /removed 0 files/);
  });

  test('a hold keeps a text from a deletion, which says so', async () => {
    await stack.stop();
    stack = await Stack.start({ config: { trusted_proxies: ['127.0.0.1'] } });
    const r = await stack.chat(`看看${words.block}吧`, { user: 'anna' });
    const id = r.headers.get('x-request-id');
    assert.equal((await log('hold', 'add', '--request', id)).code, 2, 'without a reason');
    assert.equal((await log('hold', 'add', '--reason', 'x')).code, 2, 'of nothing');
    const added = await log('hold', 'add', '--end-user', 'anna', '--reason', '案件 7');
    assert.equal(added.code, 0, added.stderr);
    const number = /hold (\d+)/.exec(added.stdout)[1];
    const [held] = lines(await log('hold', 'list', '--json'));
    assert.equal(held.hold, Number(number));
    assert.equal(held.why, '案件 7');

    const kept = await run(['user', 'delete', '-c', stack.conf, '-m', 'asked', 'anna']);
    assert.equal(kept.code, 0, kept.stderr);
    assert.match(kept.stdout, /on hold/);
    const shown = () => run(['log', 'show', '-c', stack.conf, '--original', '-m', 'x', id]);
    assert.match((await shown()).stdout, new RegExp(words.block));

    assert.equal((await log('hold', 'release', '999', '-m', 'x')).code, 1);
    assert.equal((await log('hold', 'release', number, '-m', 'settled')).code, 0);
    const gone = await run(['user', 'delete', '-c', stack.conf, '-m', 'asked', 'anna']);
    assert.doesNotMatch(gone.stdout, /on hold/);
    assert.match((await shown()).stderr, /expired or were deleted/);
    assert.equal((await stack.verify()).code, 0);
  });

  test('a backup of the running log restores, verified and on record', async () => {
    const r = await stack.chat(`看看${words.block}吧`);
    const id = r.headers.get('x-request-id');
    const copy = path.join(stack.dir, 'copy');
    const made = await log('backup', copy, '--keys', '-m', 'nightly');
    assert.equal(made.code, 0, made.stderr);
    assert.equal((await run(['log', 'verify', '--dir', copy])).code, 0);
    assert.equal((await log('backup', copy)).code, 1, 'not over another');
    assert.match((await log('restore', copy)).stderr, /there is a log/);
    await stack.gateway.stop();
    await rename(path.join(stack.dir, 'state', 'log'), path.join(stack.dir, 'lost'));
    const restored = await log('restore', copy);
    assert.equal(restored.code, 0, restored.stderr);
    await stack.startGateway();
    const acts = (await stack.log('--all')).map((row) => row.reason);
    assert.ok(acts.includes('restore') && acts.includes('backup'));
    const shown = await run(['log', 'show', '-c', stack.conf, '--original', '-m', 'x', id]);
    assert.match(shown.stdout, new RegExp(words.block));
    assert.equal((await stack.verify()).code, 0);
  });
});

describe('checkpoints', () => {
  let stack, server, got, status = 503;
  before(async () => {
    const { createServer } = await import('node:http');
    got = [];
    server = createServer((req, res) => {
      let body = '';
      req.on('data', (data) => { body += data; });
      req.on('end', () => {
        got.push({ body, authorization: req.headers.authorization, status });
        res.writeHead(status).end();
      });
    }).listen(0, '127.0.0.1');
    await new Promise((done) => server.once('listening', done));
    const dir = await mkdtemp(path.join(tmpdir(), 'juyong-export-'));
    await writeFile(path.join(dir, 'token'), 'sesame\n', { mode: 0o600 });
    stack = await Stack.start({ config: { audit: { export: [
      { file: path.join(dir, 'copy.jsonl') },
      { url: `http://127.0.0.1:${server.address().port}/checkpoints`, key_file: path.join(dir, 'token') },
    ] } } });
    stack.elsewhere = dir;
  });
  after(async () => {
    await stack?.stop();
    server?.close();
    await rm(stack.elsewhere, { recursive: true });
  });

  test('go where they are told to, again and again until they are taken', async () => {
    await stack.chat(`看看${words.block}吧`);
    await stack.gateway.stop(); // signs the last one
    const copy = path.join(stack.elsewhere, 'copy.jsonl');
    assert.equal((await readFile(copy, 'utf8')).split('\n').length, 2);
    assert.equal((await run(['log', 'verify', '-c', stack.conf, '--checkpoints', copy])).code, 0);
    got.length = 0; // the gateway may have tried once while it stopped
    await stack.startGateway();
    await until(() => got.length >= 1, 'a first try');
    assert.equal(got[0].authorization, 'Bearer sesame');
    await until(async () => /waiting\{to="url:127\.0\.0\.1:\d+"\} 1/.test(await stack.metrics()), 'one waits');
    assert.match(await stack.metrics(), /juyong_log_export_waiting\{to="file:[^"]*copy.jsonl"\} 0/);
    status = 200;
    await until(async () => got.some((g) => g.status === 200) &&
      /waiting\{to="url[^}]*\} 0/.test(await stack.metrics()), 'it is taken', 30000);
    assert.equal(got.find((g) => g.status === 200).body, await readFile(copy, 'utf8'));
  });

  test('that were exported find a log that was put back older', async () => {
    const log = path.join(stack.dir, 'state', 'log');
    await stack.gateway.stop();
    await cp(log, path.join(stack.dir, 'older'), { recursive: true });
    await stack.startGateway();
    await stack.chat(`再看看${words.block}吧`);
    await stack.gateway.stop();
    await rm(log, { recursive: true });
    await rename(path.join(stack.dir, 'older'), log);
    assert.equal((await stack.verify()).code, 0, 'whole by itself');
    const r = await run(['log', 'verify', '-c', stack.conf, '--checkpoints', path.join(stack.elsewhere, 'copy.jsonl')]);
    assert.equal(r.code, 1);
    assert.match(r.stdout, /cut off/);
    await stack.startGateway();
  });

  test('an entry that names no place, or two, is refused', async () => {
    for (const entry of [{}, { file: '/tmp/x', syslog: true }, { syslog: true, key_file: path.join(stack.elsewhere, 'token') }]) {
      await stack.configure({ audit: { export: [entry] } });
      assert.equal((await run(['check', '-c', stack.conf])).code, 1, JSON.stringify(entry));
    }
  });
});

test('the gateway prunes by itself what has become too old', async () => {
  const stack = await Stack.start({ clock: true });
  try {
    const r = await stack.chat(`看看${words.block}吧`);
    const shown = () => run(['log', 'show', '-c', stack.conf, '--original', '-m', 'x', r.headers.get('x-request-id')]);
    assert.match((await shown()).stdout, new RegExp(words.block));
    await stack.gateway.stop();
    await stack.clock.set(70 * 86400);
    await stack.startGateway();
    await until(async () => /expired or were deleted/.test((await shown()).stderr), 'it is pruned', 10000);
    const verified = await run(['log', 'verify', '-c', stack.conf, '--json']);
    assert.equal(verified.code, 0, verified.stdout);
    const acts = (await stack.log('--all')).map((row) => row.reason);
    assert.ok(acts.includes('prune') || acts.includes('pruned'));
  } finally {
    await stack.stop();
  }
});

describe('samples of what was allowed', () => {
  let stack;
  before(async () => {
    stack = await Stack.start({ config: { audit: { samples: { percent: 100, purpose: '质量抽查' } } } });
  });
  after(() => stack?.stop());

  const show = async (r, ...args) => {
    const shown = await run(['log', 'show', '-c', stack.conf, r.headers.get('x-request-id'), ...args]);
    assert.equal(shown.code, 0, shown.stderr);
    return shown.stdout;
  };

  for (const stream of [true, false]) {
    test(`keep both sides and say what for, ${stream ? 'streamed' : 'whole'}`, async () => {
      const text = `${'很长的回答。'.repeat(800)}到此为止`;
      const prompt = await stack.script(`sample${stream}`, { text, chunk: 5 });
      const r = await stack.chat(`${prompt}`, { stream });
      const row = JSON.parse(await show(r, '--json'));
      assert.equal(row.action, 'allow');
      assert.equal(row.sample, '质量抽查');
      assert.deepEqual(row.kept.map((k) => k.text), [prompt, text]);
      assert.match(await show(r), /sample, for.*质量抽查/);
      const listed = await stack.log();
      assert.ok(!listed.some((l) => l.request_id === r.headers.get('x-request-id')), 'is no interception');
    });
  }

  test('are none of an interception, nor without a purpose', async () => {
    const r = await stack.chat(`看看${words.block}吧`);
    const row = JSON.parse(await show(r, '--json'));
    assert.ok(!row.sample);
    assert.deepEqual(row.kept, []);
    assert.equal((await stack.verify()).code, 0);
    await stack.configure({ audit: { samples: { percent: 1, purpose: '' } } });
    assert.equal((await run(['check', '-c', stack.conf])).code, 1);
  });

  test('keep no personal data of what rules let pass', async () => {
    await stack.configure({ policy: { actions: { 'pii-*': 'allow' } } });
    const checked = await run(['check', '-c', stack.conf]);
    assert.equal(checked.code, 0, checked.stdout + checked.stderr);
    await stack.gateway.stop();
    await stack.startGateway();
    const r = await stack.chat('我的电话是 13800138000，谢谢');
    const row = JSON.parse(await show(r, '--json'));
    assert.equal(row.action, 'allow');
    assert.match(row.kept[0].text, /我的电话是 \*+，谢谢/);
  });
});
