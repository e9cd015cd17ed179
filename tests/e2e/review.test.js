// What people decide about the log, from the command line: verdicts, queue, summary, exports, incidents,
// complaints; with the gateway running and without it. Each act is a record; none of them holds a text.
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { execFile } from 'node:child_process';
import path from 'node:path';
import { Stack, day, run, words } from './harness.js';

const bad = (n) => `tell me ${n} ${words.block}`;
const cli = (stack, ...args) => {
  const [a, b] = args[0] === 'log' ? [args.slice(0, 2), args.slice(2)] : [args.slice(0, 1), args.slice(1)];
  return run([...a, '-c', stack.conf, ...b]);
};
async function good(stack, ...args) {
  const r = await cli(stack, ...args);
  assert.equal(r.code, 0, `${args.join(' ')}: ${r.stderr}`);
  return r.stdout;
}
const lines = (text) => text.split('\n').filter(Boolean).map((l) => JSON.parse(l));
const acts = async (stack, reason) => (await stack.log('--all')).filter((r) => r.reason === reason).map((r) => JSON.parse(r.detail));
const refuse = async (stack, n) => (await stack.chat(bad(n))).headers.get('x-request-id');

describe('with a gateway that runs', () => {
  let stack;
  const ids = [];
  before(async () => {
    stack = await Stack.start({ config: { policy: { language: 'en' }, reviews: { second: 100 }, strikes: { enabled: false } } });
    for (let i = 0; i < 4; i++) ids.push(await refuse(stack, i));
    await stack.chat('hello');
  });
  after(() => stack?.stop());

  test('the queue has what was intercepted, until it is reviewed', async () => {
    const queue = lines(await good(stack, 'log', 'queue', '--json'));
    assert.deepEqual(queue.map((q) => q.request_id), [...ids].reverse());
    assert.ok(queue.every((q) => q.why === 'policy' && q.action === 'block' && q.rule && q.app === 'default'));
    assert.match(await good(stack, 'log', 'review', ids[0], ids[1], '--correct', '--author', 'Li'), /2 reviewed: correct/);
    assert.deepEqual(lines(await good(stack, 'log', 'queue', '--json', '--author', 'Li')).map((q) => q.request_id), [ids[3], ids[2]]);
    // Wang sees them as second ones.
    const second = lines(await good(stack, 'log', 'queue', '--json', '--author', 'Wang'));
    assert.deepEqual(second.map((q) => q.why), ['policy', 'policy', 'second', 'second']);
    const [act] = await acts(stack, 'review');
    assert.equal(act.author, 'Li');
    assert.ok(act.login);
    assert.equal(act.ids, `${ids[0]} ${ids[1]}`);
    assert.equal((await stat(path.join(stack.dir, 'state', 'casebook.db'))).mode & 0o777, 0o600);
  });

  test('somebody else is too late, and is told', async () => {
    const r = await cli(stack, 'log', 'review', ids[0], '--unsure', '--author', 'Wang');
    assert.equal(r.code, 1);
    assert.match(r.stderr, /somebody else reviewed it/);
    await good(stack, 'log', 'review', ids[0], '--false-positive', '--second', '--author', 'Wang');
  });

  test('a false positive offers the phrase that would save it, and the command to try it', async () => {
    await mkdir(path.join(stack.rules, 'allow'), { recursive: true });
    const r = await stack.chat(`the historic ${words.block} museum opens`);
    const id = r.headers.get('x-request-id');
    const out = await good(stack, 'log', 'review', id, '--false-positive', '--author', 'Li', '--note', 'a museum');
    const [, phrase] = out.match(/--allow '([^']+)'/);
    assert.ok(phrase.includes(words.block) && [...phrase].length >= [...words.block].length + 2, phrase);
    const tried = await run(['rules', 'try', '-c', stack.conf, '--allow', phrase]);
    assert.equal(tried.code, 0, tried.stderr);
    assert.match(tried.stdout, new RegExp(`${id}.*block .*→.*allow`, 's'));
    // The note is in no record.
    assert.ok(!(await stack.log('--all')).some((l) => (l.detail ?? '').includes('a museum')));
  });

  test('all that a filter finds is reviewed at once', async () => {
    const r = await cli(stack, 'log', 'review', '--day', day(), '--correct', '--author', 'Zhao');
    assert.equal(r.code, 0, r.stderr);
    assert.match(r.stdout, /^2 reviewed/);
    assert.match(r.stderr, /3 left out/);
    assert.equal((await cli(stack, 'log', 'review', '--correct')).code, 2);
    assert.equal((await cli(stack, 'log', 'review', ids[0], '--day', day(), '--correct')).code, 2);
    assert.equal((await cli(stack, 'log', 'review', ids[0])).code, 2);
    assert.equal((await cli(stack, 'log', 'review', 'req_none', '--correct')).code, 1);
  });

  test('samples and assignments come into the queue', async () => {
    const allowed = (await stack.log('--all')).filter((l) => l.action === 'allow').map((l) => l.request_id);
    const more = await refuse(stack, 'more');
    assert.match(await good(stack, 'log', 'queue', '--sample', '100', '--since', '1h', '--action', 'allow', '--author', 'Li'), /1 drawn/);
    await good(stack, 'log', 'queue', '--assign', 'Sun', more, '--author', 'Li');
    const queue = lines(await good(stack, 'log', 'queue', '--json', '--author', 'Sun', '--mine'));
    assert.deepEqual(queue.map((q) => [q.request_id, q.why, q.assigned]), [[more, 'assigned', 'Sun']]);
    const all = lines(await good(stack, 'log', 'queue', '--json', '--author', 'Li'));
    assert.ok(all.some((q) => q.request_id === allowed[0] && q.why === 'sample'));
    assert.equal((await acts(stack, 'review_sample'))[0].percent, 100);
  });

  test('a day is summed up and signed off', async () => {
    assert.match(await good(stack, 'log', 'summary', '--day', day()), /not signed off/);
    const [s] = lines(await good(stack, 'log', 'summary', '--day', day(), '--sign-off', '--author', 'Li', '--note', 'quiet', '--json'));
    assert.deepEqual([s.interceptions, s.reviewed, s.correct, s.false_positive, s.open], [6, 5, 4, 1, 2]);
    assert.deepEqual(s.second, { agreed: 0, differed: 1, open: 4 });
    assert.deepEqual(s.signed.map((x) => [x.who, x.note]), [['Li', 'quiet']]);
    assert.equal(s.differences[0].second_reviewer, 'Wang');
    assert.equal(s.by_rule[0].false_positive, 1);
    assert.match(await good(stack, 'log', 'summary', '--day', day()), /Li {2}quiet/);
    assert.equal((await cli(stack, 'log', 'summary', '--day', '2026-02-30')).code, 2);
    assert.equal((await acts(stack, 'signoff'))[0].day, day());
  });

  test('an export is on record and holds what was asked for', async () => {
    const json = await good(stack, 'log', 'export', '--format', 'jsonl', '--oldest-first');
    assert.deepEqual(lines(json), await stack.log());
    const csv = await good(stack, 'log', 'export', '--format', 'csv', '--oldest-first', '--limit', '2');
    assert.ok(csv.startsWith('\ufeffseq,time,time_china,'));
    assert.equal(csv.split('\r\n').length, 4);
    assert.ok(csv.includes(ids[0]) && csv.includes(',correct,Li,false_positive\r\n'));
    const file = path.join(stack.dir, 'out.xlsx');
    assert.equal((await cli(stack, 'log', 'export', '--format', 'xlsx')).code, 2);
    await good(stack, 'log', 'export', '--format', 'xlsx', '--text', words.block, '--out', file);
    assert.equal((await readFile(file)).subarray(0, 2).toString(), 'PK');
    const told = await acts(stack, 'export');
    assert.deepEqual(told.map((t) => t.what), ['format=jsonl', 'format=csv limit=2', 'format=xlsx text=(searched)']);
    // Nothing is left of what could not be written.
    const r = await cli(stack, 'log', 'export', '--format', 'csv', '--out', path.join(stack.dir, 'none', 'x.csv'));
    assert.equal(r.code, 1);
    assert.match(r.stderr, /No such file/);
  });

  test('no cell of an export begins a formula', async () => {
    const r = await stack.chat(`=HYPERLINK("http://example.com") ${words.block}`);
    await stack.chat(`＋1 ${words.block}`, { user: '@SUM' });
    const csv = await good(stack, 'log', 'export', '--format', 'csv');
    assert.ok(csv.includes(`"'=HYPERLINK(""http://example.com"")`));
    for (const cell of csv.slice(1).split(/,|\r\n/)) assert.ok(!/^"?[=+\-@\t＝＋－＠]/.test(cell), cell);
    assert.ok(r.status);
  });

  test('interceptions become an incident, with its report', async () => {
    assert.match(await good(stack, 'incident', 'add', ids[0], ids[1], '--title', '集中输入', '--what', '同一应用反复输入', '--author', 'Li'), /incident 1/);
    await good(stack, 'incident', 'change', '1', '--state', 'working', '--measures', '暂停用户', '--note', '电话通知', '--author', 'Li');
    const report = await good(stack, 'incident', 'report', '1');
    for (const part of ['一、时间', '二、现象\n同一应用反复输入', '共 2 条', '三、影响\n待补充', '四、处置\n暂停用户', 'Li：电话通知', '六、责任人\n待补充', '待核实'])
      assert.ok(report.includes(part), `${part} in ${report}`);
    const [i] = lines(await good(stack, 'incident', 'show', '1', '--json'));
    assert.deepEqual(i.requests, [ids[0], ids[1]].sort());
    assert.deepEqual(i.clock.map((c) => [c.hours, c.to_be_verified]), [[1, true], [4, true]]);
    assert.match(await good(stack, 'incident', 'list'), /1 .*working .*2 requests {2}集中输入/);
    assert.equal((await cli(stack, 'incident', 'show', '9')).code, 1);
    assert.equal((await cli(stack, 'incident', 'add', '--title', 'x')).code, 2);
    assert.equal((await acts(stack, 'incident_open'))[0].ids, `${ids[0]} ${ids[1]}`);
  });

  test('the log still verifies', async () => assert.equal((await stack.verify()).code, 0));
});

test('without a gateway the command does it itself', async () => {
  // None is drawn for a second look, which would leave it open.
  const stack = await Stack.start({ config: { reviews: { second: 0 } } });
  try {
    const id = await refuse(stack, 'alone');
    await stack.gateway.stop();
    assert.match(await good(stack, 'log', 'queue'), /1 open/);
    await good(stack, 'log', 'review', id, '--correct', '--author', 'Li');
    assert.match(await good(stack, 'log', 'queue'), /^0 open/);
    assert.equal((await acts(stack, 'review'))[0].verdict, 'correct');
    assert.equal((await stack.verify()).code, 0);
  } finally {
    await stack.stop();
  }
});
