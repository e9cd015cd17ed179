// `juyong filing evaluate` before providers that are broken, or mean it: it ends, it says why on one line,
// it presses nobody, and what was answered stays.
import { afterEach, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Stack, binary, run } from './harness.js';

const good = '端午节是中国的传统节日。';
const said = (content, finish = 'stop') => JSON.stringify({ model: 'demo', choices: [{ index: 0, finish_reason: finish, message: { role: 'assistant', content } }] });
const lines = (text) => text.split('\n').filter(Boolean).map((line) => JSON.parse(line));

// What was started, to be stopped whatever a test comes to.
const started = [];
afterEach(async () => { while (started.length) await started.pop().stop(); });

// Calls answer(res, n, question) for the nth request.
async function provider(answer) {
  const p = { asked: [] };
  p.server = createServer((req, res) => {
    let text = '';
    req.on('data', (d) => { text += d; });
    req.on('end', () => {
      const question = JSON.parse(text).messages.at(-1).content;
      p.asked.push(question);
      answer(res, p.asked.length, question);
    });
    res.on('error', () => {});
  });
  await new Promise((done) => { p.server.listen(0, '127.0.0.1', done); });
  p.url = `http://127.0.0.1:${p.server.address().port}`;
  p.stop = () => new Promise((done) => { p.server.close(done); p.server.closeAllConnections(); });
  started.push(p);
  return p;
}
const tell = (res, body, status = 200, headers = {}) => { res.writeHead(status, { 'content-type': 'application/json', ...headers }); res.end(body); };

// n questions of a bank, asked of such a provider without the gateway.
async function meet(answer, n, args = [], bank = 'content') {
  const p = await provider(answer);
  const stack = await Stack.start({ idle: true, upstream: p.url });
  started.push(stack);
  await mkdir(path.join(stack.rules, 'questions'), { recursive: true });
  await writeFile(path.join(stack.rules, 'questions/all.jsonl'), Array.from({ length: n }, (_, i) => `${JSON.stringify(
    { id: `q-${i + 1}`, bank, [bank === 'answer' ? 'aspect' : 'risk']: bank === 'answer' ? '历史' : 'A1-h', question: `第${i + 1}问` })}\n`).join(''));
  const r = await run(['filing', 'evaluate', '-c', stack.conf, '--no-key', '--provider-agrees', '李经理', '--all', '--rate', '500', '--routes', 'bare', ...args]);
  const name = r.stdout.split('\n').find((l) => l.startsWith('run-'));
  const answers = lines(await readFile(path.join(stack.dir, 'state/filing/runs', name, 'answers.jsonl'), 'utf8'));
  return { r, p, stack, name, answers };
}

describe('an evaluation before a hostile provider', () => {
  const errors = {
    'no JSON': [(res) => tell(res, 'not JSON'), /no answer of a chat API/],
    'a page': [(res) => tell(res, '<html><body>Welcome</body></html>', 200, { 'content-type': 'text/html' }), /no answer of a chat API/],
    'invalid UTF-8': [(res) => tell(res, Buffer.from(said('XX').replace('XX', '\xff\xfe'), 'latin1')), /no answer of a chat API/],
    'JSON that is too deep': [(res) => tell(res, `${'['.repeat(100000)}`), /no answer of a chat API/],
    'nothing': [(res) => tell(res, said('')), /an empty answer/],
    'blanks': [(res) => tell(res, said(' \n ')), /an empty answer/],
    'an endless body': [(res) => {
      res.writeHead(200, { 'content-type': 'application/json' });
      const more = () => { while (res.writable && res.write(' '.repeat(65536))); };
      res.on('drain', more);
      more();
    }, /too long/],
    'a huge answer': [(res) => tell(res, said('好'.repeat(1 << 20))), /too long/],
  };
  for (const [what, [answer, told]] of Object.entries(errors))
    test(`takes ${what} for no answer`, async () => {
      const m = await meet((res, n, q) => (q === '第2问' ? answer(res) : tell(res, said(good))), 3);
      assert.equal(m.r.code, 4, m.r.stderr);
      assert.equal(m.answers.length, 3);
      const two = m.answers.find((a) => a.question === 'q-2');
      assert.match(two.error, told);
      assert.equal(m.answers.filter((a) => a.text === good).length, 2);
    });

  test('comes again where the connection breaks within an answer', async () => {
    const m = await meet((res, n) => {
      if (n !== 1) return tell(res, said(good));
      res.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
      res.write(said(good).slice(0, 20), () => res.destroy());
    }, 1);
    assert.equal(m.r.code, 0, m.r.stderr);
    assert.deepEqual(m.p.asked, ['第1问', '第1问']);
  });

  test('keeps an answer that is nothing but control characters', async () => {
    const text = '\x7f\x1b[2J\x01'.repeat(1 << 17);
    const m = await meet((res) => tell(res, said(text)), 2);
    assert.equal(m.r.code, 0, m.r.stderr);
    assert.ok(m.answers.every((a) => a.text === text));
  });

  test('takes a filter of GLM\'s for a refusal, and not for nothing', async () => {
    const m = await meet((res) => tell(res, said('', 'sensitive')), 2, [], 'refuse');
    assert.equal(m.r.code, 0, m.r.stderr);
    assert.ok(m.answers.every((a) => a.refused && a.keywords === 'pass'));
  });

  test('lets nobody write on the terminal', async () => {
    const m = await meet((res) => tell(res, JSON.stringify({ code: 'RiskControl\x1b[2J\x1b]0;x\x07', message: '风控' })), 2);
    assert.equal(m.r.code, 1);
    assert.match(m.r.stderr, /the account may be in danger[^]*HTTP 200, riskcontrol/);
    assert.ok(!/[\x00-\x09\x0b-\x1f\x7f]/.test(m.r.stderr), JSON.stringify(m.r.stderr));
  });

  test('counts what it tries again among the questions a second', async () => {
    // The second question has its turn before the first is tried again, whatever retry-after says.
    const m = await meet((res, n, q) => (q === '第1问' ? tell(res, '{}', 429, { 'retry-after': '0' }) : tell(res, said(good))), 2,
      ['--rate', '1', '--concurrency', '2']);
    assert.equal(m.r.code, 1, m.r.stderr);
    assert.equal(m.p.asked[1], '第2问');
    assert.equal(m.p.asked.length, 5);
  });

  test('goes on with a run that does not say how fast', async () => {
    let broken = true;
    const m = await meet((res) => (broken ? tell(res, '{}', 404) : tell(res, said(good))), 2);
    assert.equal(m.r.code, 4, m.r.stderr);
    broken = false;
    const file = path.join(m.stack.dir, 'state/filing/runs', m.name, 'run.json');
    const settings = await readFile(file, 'utf8');
    const resume = async (rate, concurrency) => {
      await writeFile(file, settings.replace('"rate":500', `"rate":${rate}`).replace(/"concurrency":\d+/, `"concurrency":${concurrency}`));
      return run(['filing', 'evaluate', '-c', m.stack.conf, '--no-key', '--resume', m.name]);
    };
    const foreign = await resume(2, 3000);
    assert.equal(foreign.code, 1);
    assert.match(foreign.stderr, /run\.json:1: 'rate' or 'concurrency' is out of range/);
    const r = await resume(0, 0);
    assert.equal(r.code, 0, r.stderr);
    assert.equal(m.p.asked.length, 4);
  });

  test('stops when one of two routes is dead', async () => {
    const dead = await provider((res) => tell(res, '{}', 404));
    const m = await meet((res) => tell(res, said(good)), 40, ['--routes', 'gateway,bare', '--gateway-url', dead.url, '--concurrency', '1']);
    assert.equal(m.r.code, 1, m.r.stderr);
    assert.match(m.r.stderr, /gateway: 10 questions in a row have no answer: HTTP 404/);
    assert.equal(dead.asked.length, 10);
  });
});

describe('a judgement typed on the terminal', () => {
  test('is not what was left of a line that was too long', async () => {
    const m = await meet((res) => tell(res, said(good)), 3);
    assert.equal(m.r.code, 0, m.r.stderr);
    const child = spawn(binary, ['filing', 'evaluate', '-c', m.stack.conf, '--judge', m.name, '--by', '赵'], { stdio: ['pipe', 'ignore', 'ignore'] });
    const exited = new Promise((done) => { child.once('exit', done); });
    child.stdin.end(`p\n${'x'.repeat(4095)}p\nq\n`); // a note, and by chance a verdict behind its end
    assert.equal(await exited, 0);
    assert.ok(!existsSync(path.join(m.stack.dir, 'state/filing/runs', m.name, 'judgements.jsonl')));
  });
});

describe('the key of an evaluation', () => {
  test('is none that the service runs with, in a header or for a second opinion', async () => {
    const p = await provider((res) => tell(res, said(good)));
    const stack = await Stack.start({ idle: true, upstream: p.url });
    started.push(stack);
    const file = (name) => path.join(stack.dir, name);
    await mkdir(path.join(stack.rules, 'questions'), { recursive: true });
    await writeFile(path.join(stack.rules, 'questions/all.jsonl'), `${JSON.stringify({ id: 'q-1', bank: 'content', risk: 'A1-h', question: '问' })}\n`);
    await writeFile(file('own.key'), 'sk-own\n', { mode: 0o600 });
    await writeFile(file('guard.key'), 'sk-guard\n', { mode: 0o600 });
    const upstream = { name: 'demo', base_url: `${p.url}/v1`, models: [{ id: 'demo', filing_number: 'Test-Demo-20250101' }] };
    const ask = (key) => run(['filing', 'evaluate', '-c', stack.conf, '--provider-agrees', '李经理', '--all', '--routes', 'bare', '--upstream-key-file', file(key)]);
    await stack.configure({ upstreams: [{ ...upstream, headers: { 'Api-Key': 'sk-service' } }] });
    const header = await ask('own.key');
    assert.equal(header.code, 1);
    assert.match(header.stderr, /the header Api-Key of the upstream demo holds the service's key/);
    assert.ok(!header.stderr.includes('sk-'));
    await stack.configure({ upstreams: [upstream], opinions: [{ name: 'guard', kind: 'qwen3guard', model: 'g', url: `${p.url}/v1/chat/completions`, api_key_file: file('guard.key'), timeout: '2s' }] });
    const guard = await ask('guard.key');
    assert.equal(guard.code, 1);
    assert.match(guard.stderr, /holds the key of the second opinion guard/);
    assert.equal(p.asked.length, 0);
  });
});
