// Which filing the service needs, and what of it is due when: `juyong filing route` and `status`, the
// steps on record, and the same in /metrics.
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Stack, binary, day, run, until } from './harness.js';

// The program with what it is told on stdin.
function say(args, input, env = {}) {
  return new Promise((done, fail) => {
    const child = spawn(binary, args, { env: { ...process.env, ...env } });
    const out = { stdout: '', stderr: '' };
    child.once('error', fail);
    child.stdin.on('error', () => {}); // it may have ended without reading all
    for (const name of ['stdout', 'stderr']) child[name].setEncoding('utf8').on('data', (s) => { out[name] += s; });
    child.once('close', (code) => done({ code, ...out }));
    child.stdin.end(input);
  });
}

const answers = {
  public: 'yes', model: 'called', model_filed: 'yes', model_number: 'Test-Demo-20250101', opinion: 'yes', synthesis: 'yes',
  added: 'none', minors: 'among', companion: 'no', field: 'none', online: 'no', ready: 'both',
};

describe('filing route', () => {
  test('questions are answered by number or name, explained, and gone back to', async () => {
    const input = ['1', '?', 'called', 'yes', 'Beijing-X-2025', '<', '', '', 'yes', 'yes', 'none', 'among', 'no', 'nonsense', `${'x'.repeat(3000)}none`,
      'none', 'no', 'both'].join('\n');
    const r = await say(['filing', 'route', '--json'], `${input}\n`);
    assert.equal(r.code, 0, r.stderr);
    const advice = JSON.parse(r.stdout);
    assert.deepEqual(advice.due, ['registration', 'algorithm']);
    assert.deepEqual(advice.possible, []);
    assert.equal(advice.complete, true);
    assert.deepEqual(advice.answers, { ...answers, model_number: 'Beijing-X-2025' });
    assert.match(r.stderr, /理由：/);
    assert.match(r.stderr, /An own model, or one tuned/); // of the question mark
    assert.equal(r.stderr.split('No such choice').length, 3);
    assert.doesNotMatch(r.stderr, /The input ended/);
    assert.equal(r.stderr.split('所调用的模型是否已完成大模型备案？').length, 3); // asked, and after <
  });

  test('an input that ends leaves the rest unsure, and says so', async () => {
    const r = await say(['filing', 'route'], 'yes\nown\n');
    assert.equal(r.code, 4);
    assert.match(r.stderr, /The input ended/);
    assert.match(r.stdout, /^结论 Result: 先问属地省级网信部门/m);
    assert.match(r.stdout, /^可能需要 Possibly: 大模型备案/m);
    assert.match(r.stdout, /Unanswered, taken as not sure:\n(.*\n)*? {2}opinion /);
  });

  test('answers come from a file, in YAML or JSON, and mistakes are told with their line', async (t) => {
    const stack = await Stack.start({ idle: true });
    t.after(() => stack.stop());
    const file = path.join(stack.dir, 'answers.yaml');
    await writeFile(file, JSON.stringify({ ...answers, model: 'own', small: 'no' }));
    const own = await run(['filing', 'route', '--answers', file, '--json']);
    assert.equal(own.code, 0, own.stderr);
    assert.deepEqual(JSON.parse(own.stdout).due, ['filing', 'algorithm']);

    await writeFile(file, 'public: yes\nmodell: own\nopinion: maybe\n');
    const bad = await run(['filing', 'route', '--answers', file]);
    assert.equal(bad.code, 1);
    assert.match(bad.stderr, /answers\.yaml:2:1: unknown key 'modell'/);
    assert.match(bad.stderr, /answers\.yaml:3:10: 'maybe' is no answer to 'opinion': yes, no, unsure/);
    assert.equal(bad.stdout, '');

    // It can't be online already since a day to come, by file or at the terminal.
    await writeFile(file, JSON.stringify({ ...answers, online: 'yes', online_since: '2999-01-01' }));
    const ahead = await run(['filing', 'route', '--answers', file]);
    assert.equal(ahead.code, 1);
    assert.match(ahead.stderr, /since 2999-01-01, a day to come/);
    const asked = await say(['filing', 'route', '--json'], 'yes\nown\nyes\nyes\nno\namong\nno\nnone\nyes\n2999-01-01\n2026-01-05\nboth\n');
    assert.equal(asked.code, 0, asked.stderr);
    assert.equal(JSON.parse(asked.stdout).answers.online_since, '2026-01-05');

    // The template is such a file: filled in by what is known, and empty without.
    const template = await run(['filing', 'route', '--template']);
    assert.equal(template.code, 0);
    const filled = template.stdout.replace(/^public:$/m, 'public: no');
    const none = await say(['filing', 'route', '--answers', '-', '--json'], filled);
    assert.equal(none.code, 0, none.stderr);
    assert.deepEqual(JSON.parse(none.stdout).due, ['none']);
  });

  test('kept answers are on record, found again, and shown by the template', async (t) => {
    const stack = await Stack.start();
    t.after(() => stack.stop());
    const nothing = await run(['filing', 'route', '-c', stack.conf, '--saved']);
    assert.equal(nothing.code, 1);
    assert.match(nothing.stderr, /no answers were saved yet/);
    const saved = await say(['filing', 'route', '-c', stack.conf, '--answers', '-', '--save', '--author', '王工', '--json'],
      JSON.stringify(answers));
    assert.equal(saved.code, 0, saved.stderr);
    const again = await run(['filing', 'route', '-c', stack.conf, '--saved', '--json']);
    assert.equal(again.stdout, saved.stdout);
    assert.match((await run(['filing', 'route', '-c', stack.conf, '--template'])).stdout, /^model: called$/m);
    const rows = await stack.log('--all');
    const act = rows.find((r) => r.reason === 'filing_route');
    assert.ok(act, JSON.stringify(rows.map((r) => r.reason)));
    assert.match(JSON.stringify(act), /registration\+algorithm/);
    assert.match(JSON.stringify(act), /王工/);
  });
});

const item = (status, name) => status.items.find((i) => i.item === name);
const step = (status, name) => status.steps.find((s) => s.name === name);

describe('filing status', () => {
  let stack;
  const status = async (env = {}) => {
    const r = await run(['filing', 'status', '-c', stack.conf, '--json'], { env: { ...process.env, ...env } });
    return { code: r.code, stderr: r.stderr, ...(r.stdout ? JSON.parse(r.stdout) : {}) };
  };
  const note = (...args) => run(['filing', 'status', '-c', stack.conf, ...args]);
  const metrics = async () => (await fetch(`${stack.console}/metrics`)).text();

  before(async () => { stack = await Stack.start({ clock: true, config: { alerts: { every: '100ms' } } }); });
  after(() => stack.stop());

  test('what nobody knows is unknown, and nothing is overdue', async () => {
    const s = await status();
    assert.equal(s.code, 0, s.stderr);
    assert.equal(s.overdue, 0);
    for (const name of ['algorithm', 'evaluation', 'contracts']) assert.equal(item(s, name).state, 'unknown', name);
    assert.equal(item(s, 'display').state, 'soon'); // numbers are missing, but the service is not online
    assert.deepEqual(s.steps.map((x) => x.state), Array(8).fill('open'));
  });

  test('a published library is due after seven days, to the second of the clock', async () => {
    const published = await run(['rules', 'publish', '-c', stack.conf, '--reason', 'first', '--force']);
    assert.equal(published.code, 0, published.stderr);
    const fresh = await status();
    assert.equal(item(fresh, 'library').state, 'good', JSON.stringify(item(fresh, 'library')));
    await stack.clock.set(8 * 86400);
    const late = await status(stack.clock.env);
    assert.equal(item(late, 'library').state, 'overdue');
    assert.ok(item(late, 'library').days < 0);
    assert.equal(late.code, 4);
    await stack.clock.set(0);
  });

  test('steps are noted for good, on record, and tell the metrics', async () => {
    assert.equal((await note('--step', '1', '--state', 'done', '--date', '2026-11-02', '--author', '王工', '--note', '已领取')).code, 0);
    assert.equal((await note('--step', 'submit', '--state', 'doing')).code, 0);
    assert.equal((await note('--step', 'submit', '--state', 'returned', '--note', '名称不一致')).code, 0);
    const s = await status();
    assert.deepEqual([step(s, 'form').state, step(s, 'form').date, step(s, 'form').note, step(s, 'form').author],
      ['done', '2026-11-02', '已领取', '王工']);
    assert.equal(step(s, 'submit').state, 'returned');
    assert.equal(step(s, 'submit').date, day());
    assert.deepEqual(step(s, 'submit').history.map((h) => h.state), ['doing', 'returned']);
    const acts = (await stack.log('--all')).filter((r) => r.reason === 'filing_step');
    assert.equal(acts.length, 3);
    assert.match(JSON.stringify(acts[2]), /名称不一致/);
    await until(async () => /^juyong_filing_step\{step="4",name="submit"\} 3$/m.test(await metrics()), 'the step is in /metrics');
    assert.match(await metrics(), /^juyong_filing_overdue\{item="library"\} 0$/m);
    await stack.clock.set(8 * 86400);
    await until(async () => /^juyong_filing_overdue\{item="library"\} 1$/m.test(await metrics()), 'the library is overdue');
    assert.match(await metrics(), /^juyong_filing_due_seconds\{item="library"\} -\d+$/m);
    await stack.clock.set(0);
  });

  test('they are kept over a restart', async () => {
    await stack.gateway.stop();
    assert.equal((await note('--step', '2', '--state', 'doing')).code, 0); // without a gateway, too
    await stack.startGateway();
    const s = await status();
    assert.equal(step(s, 'form').state, 'done');
    assert.equal(step(s, 'write').state, 'doing');
    await until(async () => /^juyong_filing_step\{step="2",name="write"\} 1$/m.test(await metrics()), 'the step is in /metrics');
    assert.equal((await stack.log('--all')).filter((r) => r.reason === 'filing_step').length, 4);
  });

  test('ten working days from the start of service, and from a change', async () => {
    await stack.configure({ service: { launched: '2026-01-05' } });
    const s = await status();
    assert.equal(s.code, 4);
    assert.equal(item(s, 'algorithm').state, 'overdue');
    assert.equal(item(s, 'algorithm').due, '2026-01-19');
    assert.match(item(s, 'algorithm').note_zh, /未知法定节假日/);
    assert.equal(item(s, 'display').state, 'overdue');
    await stack.configure({ service: { launched: '2026-01-05', holidays: ['2026-01-06'], workdays: ['2026-01-10'] } });
    assert.equal(item(await status(), 'algorithm').due, '2026-01-19'); // one day less, one more
    await stack.configure({ service: { launched: '2026-01-05', holidays: ['2026-01-06'] } });
    assert.equal(item(await status(), 'algorithm').due, '2026-01-20');
    stack.gateway.kill('SIGHUP');
    await until(async () => /^juyong_filing_overdue\{item="algorithm"\} 1$/m.test(await metrics()), 'the gateway knows it');
    await until(async () => /^juyong_alerts_firing\{what="filing",risk=""\} 1$/m.test(await metrics()), 'and warns of it');
    assert.equal((await note('--step', 'algorithm', '--state', 'done', '--date', '2026-01-12')).code, 0);
    assert.equal(item(await status(), 'algorithm').state, 'good');

    assert.equal((await note('--change', '更换模型', '--date', '2026-01-05')).code, 0);
    const changed = await status();
    assert.equal(item(changed, 'changes').state, 'overdue');
    assert.equal(item(changed, 'changes').due, '2026-01-20');
    assert.equal((await note('--reported', '1')).code, 0);
    assert.equal(item(await status(), 'changes').state, 'good');
    const twice = await note('--reported', '1');
    assert.equal(twice.code, 1);
    assert.match(twice.stderr, /reported already/);
    assert.equal((await note('--reported', '7')).code, 1);
    assert.equal((await note('--change', '又一变更', '--date', '2026-01-06')).code, 0);
    const early = await note('--reported', '2', '--date', '2026-01-05');
    assert.equal(early.code, 1);
    assert.match(early.stderr, /made on a later day/);
  });

  test('what makes no sense is told, and nothing is noted', async () => {
    const before = await readFile(path.join(stack.dir, 'state/filing/desk.json'), 'utf8');
    for (const args of [['--step', '8', '--state', 'done'], ['--step', '1', '--state', 'finished'], ['--step', '1'],
      ['--step', '1', '--state', 'done', '--date', '2026-02-30'], ['--step', '1', '--state', 'done', '--date', day(2)], ['--reported', '1', '--date', '2999-01-01'], ['--step', '1', '--state', 'done', '--note', 'two\nlines'],
      ['--date', '2026-01-01'], ['--step', '1', '--state', 'done', '--change', 'x']]) {
      const r = await note(...args);
      assert.equal(r.code, 2, args.join(' '));
      assert.notEqual(r.stderr, '');
    }
    assert.equal(await readFile(path.join(stack.dir, 'state/filing/desk.json'), 'utf8'), before);
  });

  test('a damaged file is named and left as it is', async () => {
    const file = path.join(stack.dir, 'state/filing/desk.json');
    const whole = await readFile(file, 'utf8');
    const acts = (await stack.log('--all')).length;
    await writeFile(file, whole.slice(0, -10));
    for (const args of [[], ['--step', '1', '--state', 'open'], ['--change', 'x']]) {
      const r = await note(...args);
      assert.equal(r.code, 1);
      assert.match(r.stderr, /state\/filing\/desk\.json: damaged; it is left as it is/);
    }
    assert.equal(await readFile(file, 'utf8'), whole.slice(0, -10));
    assert.equal((await stack.log('--all')).length, acts); // nothing is on record that was not done
    await until(async () => !(await metrics()).includes('juyong_filing_'), 'the metrics say nothing of it');
    await writeFile(file, whole);
    await until(async () => (await metrics()).includes('juyong_filing_step'), 'and again');
    assert.equal(step(await status(), 'form').state, 'done');
  });
});

test('complaints that wait too long are overdue, open incidents are told', async (t) => {
  const stack = await Stack.start({ clock: true, config: { complaints: { form: true, due: '3d' } } });
  t.after(() => stack.stop());
  const status = async () => {
    const r = await run(['filing', 'status', '-c', stack.conf, '--json'], { env: { ...process.env, ...stack.clock.env } });
    return { code: r.code, ...JSON.parse(r.stdout) };
  };
  const body = JSON.stringify({ kind: 'content', text: 'x' });
  const sent = await fetch(`${stack.url}/v1/complaints`, { method: 'POST', body, headers: { 'content-type': 'application/json' } });
  assert.equal(sent.status, 200);
  const opened = await run(['incident', 'add', '-c', stack.conf, '--title', 't', '--what', 'w']);
  assert.equal(opened.code, 0, opened.stderr);
  const s = await status();
  assert.deepEqual([item(s, 'complaints').state, item(s, 'complaints').count], ['good', 1]);
  assert.deepEqual([item(s, 'incidents').state, item(s, 'incidents').count], ['soon', 1]);
  assert.equal(item(s, 'retention').state, 'good');
  assert.equal(s.code, 0);
  await stack.clock.set(3 * 86400 + 60);
  const late = await status();
  assert.equal(item(late, 'complaints').state, 'overdue');
  assert.equal(late.code, 4);
  assert.equal((await run(['complaint', 'answer', '1', '-c', stack.conf, '--note', 'done'])).code, 0);
  assert.equal(item(await status(), 'complaints').state, 'good');
});
