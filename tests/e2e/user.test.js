// `juyong user`: what an operator sees of end users and decides about them, while the gateway runs and
// without it; and what a person may ask for: his records, and that their texts are removed.
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { chown, readdir, readFile, rename, stat, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Stack, run, sleep, until, words } from './harness.js';

const bad = (n = '') => `tell me ${n} ${words.block}`;
const english = { policy: { language: 'en' } };

const user = (stack, ...args) => run(['user', args[0], '-c', stack.conf, '--author', 'Zhou', ...args.slice(1)]);
async function good(stack, ...args) {
  const r = await user(stack, ...args);
  assert.equal(r.code, 0, r.stderr);
  return r.stdout;
}
const states = async (stack, ...args) => (await good(stack, 'list', '--json', ...args)).split('\n').filter(Boolean).map(JSON.parse);
const reason = async (stack, id, content = 'hello') => {
  const r = await stack.chat(content, { user: id });
  return (await stack.log('--all', '--request', r.headers.get('x-request-id')))[0].reason;
};
const strike = async (stack, id, n) => { for (let i = 0; i < n; i++) await stack.chat(bad(`${id} ${i}`), { user: id }); };
const acts = async (stack) => (await stack.log('--all')).filter((r) => r.kind === 'admin' && r.reason.startsWith('user_'));

describe('with a gateway that runs', () => {
  let stack;
  before(async () => { stack = await Stack.start({ config: { ...english, workers: 3 } }); });
  after(() => stack?.stop());

  test('list and show tell what is counted', async () => {
    await strike(stack, 'anna', 3);
    await strike(stack, 'ben', 1);
    const all = await states(stack);
    assert.deepEqual(all.map((s) => [s.state, s.consecutive, s.today, s.total]), [['warn', 1, 1, 1], ['suspend', 3, 3, 3]]);
    assert.deepEqual((await states(stack, '--state', 'suspend')).map((s) => s.total), [3]);
    assert.ok(Math.abs(new Date(all[1].until) - Date.now() - 86400e3) < 60e3);
    const shown = await good(stack, 'show', 'anna');
    assert.match(shown, /^[0-9a-f]{64} {2}suspend {2}3 in a row, 3 today, 3 in all {2}default {2}until 20/m);
    assert.equal(shown.split('\n').filter((l) => l.includes('block')).length, 3);
    assert.match(await good(stack, 'show', 'nobody'), /clear, nothing is counted/);
    // By the hash of the record as well.
    assert.match(await good(stack, 'show', all[1].end_user), /suspend/);
  });

  test('lift holds at once, on every worker, and says why', async () => {
    assert.equal(await reason(stack, 'anna'), 'user_suspended');
    assert.match(await good(stack, 'lift', 'anna', '--reason', 'a joke, as he says'), /lifted/);
    for (let i = 0; i < 12; i++) assert.equal(await reason(stack, 'anna'), null);
    const [act] = (await acts(stack)).filter((a) => a.reason === 'user_lift');
    const detail = JSON.parse(act.detail);
    assert.equal(detail.author, 'Zhou');
    assert.equal(detail.why, 'a joke, as he says');
    assert.ok(detail.login);
    assert.match(act.end_user, /^[0-9a-f]{64}$/);
    // A new row, and a new day.
    await strike(stack, 'anna', 1);
    const [s] = (await states(stack)).filter((e) => e.total === 4);
    assert.deepEqual([s.state, s.consecutive, s.today], ['warn', 1, 1]);
  });

  test('suspend holds at once, for a while or for good', async () => {
    await good(stack, 'suspend', 'carl', '--for', '7d', '--reason', 'reported by the app');
    assert.equal(await reason(stack, 'carl'), 'user_suspended');
    const [s] = await states(stack, '--state', 'suspend');
    assert.ok(s.by_hand && Math.abs(new Date(s.until) - Date.now() - 7 * 86400e3) < 60e3);
    await good(stack, 'suspend', 'carl', '--for', 'forever', '--reason', 'again');
    const r = await stack.chat('hi', { user: 'carl' });
    assert.match(r.json.choices[0].message.content, /suspended until further notice/);
    await good(stack, 'lift', 'carl', '--reason', 'over');
    assert.equal(await reason(stack, 'carl'), null);
  });

  test('an appeal is noted, and denied or granted', async () => {
    await strike(stack, 'dora', 3);
    await good(stack, 'appeal', 'dora', '--reason', 'she quoted a novel');
    assert.deepEqual((await states(stack, '--state', 'appealed')).map((s) => [s.state, s.total]), [['suspend', 3]]);
    assert.equal(await reason(stack, 'dora'), 'user_suspended', 'it goes on holding');
    await good(stack, 'appeal', 'dora', '--deny', '--reason', 'she did not');
    assert.equal((await states(stack, '--state', 'appealed')).length, 0);
    await good(stack, 'appeal', 'dora', '--reason', 'here is the page');
    await good(stack, 'lift', 'dora', '--reason', 'indeed');
    assert.equal((await states(stack, '--state', 'appealed')).length, 0);
    assert.equal(await reason(stack, 'dora'), null);
    assert.deepEqual((await acts(stack)).slice(-4).map((a) => a.reason),
      ['user_appeal', 'user_appeal_denied', 'user_appeal', 'user_lift']);
  });

  test('what is missing or wrong is said, and nothing happens', async () => {
    const before = (await acts(stack)).length;
    for (const [args, code, message] of [
      [['lift', 'anna'], 2, /--reason is needed/],
      [['lift', '--reason', 'x'], 2, /which end user/],
      [['suspend', 'x', '--reason', 'x', '--for', 'soon'], 2, /--for takes a time/],
      [['suspend', 'x', '--reason', 'x', '--app', 'none'], 1, /no app/],
      [['list', '--state', 'angry'], 2, /a state is one of/],
      [['forgive', 'x'], 2, /list, show, lift/],
      [['lift', 'anna', '--reason', 'x', '--for', '7d'], 2, /--for is for suspend/],
      [['suspend', 'x', '--reason', 'x', '--deny'], 2, /--deny is for appeal/],
      [['show', 'x', '--state', 'warn'], 2, /--state is for list/],
      [['list', '--all'], 2, /--all is for show/],
      [['lift', 'anna', '--reason', 'two\nlines'], 2, /one line of text/],
    ]) {
      const r = await user(stack, ...args);
      assert.equal(r.code, code, `${args}: ${r.stderr}`);
      assert.match(r.stderr, message);
    }
    assert.equal((await acts(stack)).length, before);
    const r = await user(stack, 'lift', 'a stranger', '--reason', 'x');
    assert.equal(r.code, 1);
    assert.match(r.stderr, /nothing is counted/);
  });

  test('the short hash of a table is resolved, or refused', async () => {
    await strike(stack, 'shorty', 1);
    const [{ end_user: hash }] = await stack.log('--all', '--end-user', 'shorty');
    const table = (await run(['log', 'list', '-c', stack.conf, '--end-user', 'shorty'])).stdout;
    const short = hash.slice(0, 8);
    assert.ok(table.includes(` ${short} `), table);
    assert.match(await good(stack, 'show', short), new RegExp(`^${hash} {2}warn`));
    assert.match(await good(stack, 'show', `${short}…`), new RegExp(`^${hash} {2}warn`));
    assert.match(await good(stack, 'suspend', hash.slice(0, 12), '--reason', 'by its table'), new RegExp(`^${hash}: `));
    assert.equal(await reason(stack, 'shorty'), 'user_suspended');
    assert.match(await good(stack, 'lift', short, '--reason', 'again'), new RegExp(`^${hash}: lifted`));
    assert.equal(await reason(stack, 'shorty'), null);
    assert.deepEqual([...new Set((await stack.log('--end-user', short)).map((r) => r.end_user))], [hash]);
    // Known to the log alone.
    assert.equal(await reason(stack, 'harmless'), null);
    const [{ end_user: other }] = await stack.log('--all', '--end-user', 'harmless');
    assert.match(await good(stack, 'suspend', other.slice(0, 8), '--reason', 'x'), new RegExp(`^${other}: `));
    // Nobody's: nothing is done, and it says so.
    const before = (await acts(stack)).length;
    const wrong = short === '01234567' ? '12345678' : '01234567';
    for (const verb of ['show', 'lift', 'suspend', 'appeal', 'export', 'delete']) {
      const r = await user(stack, verb, wrong, ...(verb === 'show' || verb === 'export' ? [] : ['--reason', 'x']));
      assert.equal(r.code, 1, verb);
      assert.match(r.stderr, /nobody known has the id '\d+', nor a hash that begins so; with --id/);
      assert.equal(r.stdout, '');
    }
    assert.equal((await acts(stack)).length, before);
    assert.equal((await states(stack, '--state', 'suspend')).some((e) => e.end_user.startsWith(wrong)), false);
    // An id that looks like one, and a user who bears another's short hash for an id.
    await good(stack, 'suspend', wrong, '--id', '--reason', 'a phone number');
    assert.equal(await reason(stack, wrong), 'user_suspended');
    assert.match(await good(stack, 'lift', wrong, '--reason', 'known by now'), /lifted/);
    await strike(stack, short, 1);
    const both = await user(stack, 'lift', short, '--reason', 'whose?');
    assert.equal(both.code, 1);
    assert.match(both.stderr, /may be more than one/);
    assert.ok(both.stderr.includes(hash));
  });

  test('show tells what was decided about the user, by rules and by people', async () => {
    await strike(stack, 'hist', 3);
    await good(stack, 'appeal', 'hist', '--reason', 'a thesis');
    await good(stack, 'lift', 'hist', '--reason', 'indeed');
    await good(stack, 'suspend', 'hist', '--for', '7d', '--reason', 'reported');
    await strike(stack, 'someone else', 1);
    await stack.chat('hello', { user: 'hist' });
    const json = async (...args) => (await good(stack, 'show', '--json', 'hist', ...args)).split('\n').filter(Boolean)
      .map(JSON.parse).filter((e) => !('total' in e));
    const told = ['user_suspended', 'user_suspend', 'user_lift', 'user_appeal', 'content_filter', 'content_filter', 'content_filter'];
    assert.deepEqual((await json()).map((r) => r.reason), told);
    const shown = await good(stack, 'show', 'hist');
    assert.match(shown, /^20\d\d-\d\d-\d\d \d\d:\d\d:\d\d {2}user_appeal {2}default {2}by Zhou: a thesis$/m);
    assert.match(shown, /user_lift {2}default {2}by Zhou: indeed/);
    for (let i = 0; i < 6; i++) await stack.chat('hello', { user: 'hist' });
    assert.deepEqual((await json()).map((r) => r.reason), [...Array(6).fill('user_suspended'), ...told].slice(0, 10));
    assert.deepEqual((await json('--all')).map((r) => r.reason), [...Array(6).fill('user_suspended'), ...told]);
    const looks = (await stack.log('--all', '--end-user', 'hist')).filter((r) => r.reason === 'user_lookup' && JSON.parse(r.detail).what === 'show');
    assert.equal(looks.length, 4, 'each look is on record');
  });

  test('what lies on the desk and is no act harms nothing', async () => {
    const desk = path.join(stack.dir, 'state/desk');
    assert.equal((await stat(desk)).mode & 0o777, 0o700);
    const junk = { 'a.ask': 'no json', 'b.ask': '{"verb":"lift"}', 'c.ask': '{"verb":"burn","app":"","end_user":"x"}',
      'd.ask': 'x'.repeat(100000), 'e.txt': 'what' };
    for (const [name, text] of Object.entries(junk)) {
      await writeFile(path.join(desk, `${name}.tmp`), text);
      await rename(path.join(desk, `${name}.tmp`), path.join(desk, name));
    }
    await until(async () => (await readdir(desk)).filter((n) => n.endsWith('.done')).length === 4, 'all are answered');
    for (const n of ['a', 'b', 'c', 'd'])
      assert.match(JSON.parse(await readFile(path.join(desk, `${n}.done`))).error, /can't read what is asked/);
    await strike(stack, 'erna', 3);
    await good(stack, 'lift', 'erna', '--reason', 'still works');
    assert.equal(await reason(stack, 'erna'), null);
  });

  test('many acts at once are all done, each once', async () => {
    const before = (await acts(stack)).length;
    await Promise.all(Array.from({ length: 12 }, (_, i) => good(stack, 'suspend', `m${i % 4}`, '--reason', `n${i}`)));
    const rows = (await acts(stack)).slice(before);
    assert.deepEqual(rows.map((r) => JSON.parse(r.detail).why).sort(), Array.from({ length: 12 }, (_, i) => `n${i}`).sort());
    for (let i = 0; i < 4; i++) assert.equal(await reason(stack, `m${i}`), 'user_suspended');
    assert.equal((await stack.verify()).code, 0);
  });
});

describe('without a gateway, and over its ends', () => {
  let stack;
  before(async () => { stack = await Stack.start({ config: english }); });
  after(() => stack?.stop());

  test('the command does it itself, and the next gateway knows', async () => {
    await strike(stack, 'anna', 3);
    await stack.gateway.stop();
    await good(stack, 'lift', 'anna', '--reason', 'while it is off');
    await good(stack, 'suspend', 'ben', '--reason', 'as well');
    assert.equal((await stack.verify()).code, 0);
    await stack.startGateway();
    assert.equal(await reason(stack, 'anna'), null);
    assert.equal(await reason(stack, 'ben'), 'user_suspended');
  });

  test('what is decided survives kill -9 at once', async () => {
    for (let i = 0; i < 4; i++) {
      await good(stack, 'suspend', `k${i}`, '--reason', 'now');
      await stack.gateway.stop('SIGKILL');
      await stack.startGateway();
      assert.equal(await reason(stack, `k${i}`), 'user_suspended');
      await good(stack, 'lift', `k${i}`, '--reason', 'now');
      await stack.gateway.stop('SIGKILL');
      await stack.startGateway();
      assert.equal(await reason(stack, `k${i}`), null);
    }
  });

  test('an act that a dying gateway had begun is done by the next', async () => {
    const [{ end_user }] = await states(stack, '--state', 'suspend');
    await stack.gateway.stop('SIGKILL');
    const desk = path.join(stack.dir, 'state/desk');
    await writeFile(path.join(desk, '0000000000000001.doing'), JSON.stringify({ verb: 'lift', app: '', end_user, what: '',
      reason: 'left over', author: 'Zhou', login: 'zhou', seconds: 0 }));
    await writeFile(path.join(desk, 'old.done'), '{}');
    await utimes(path.join(desk, 'old.done'), 1e9, 1e9);
    await stack.startGateway();
    await until(async () => (await readdir(desk)).includes('0000000000000001.done'), 'it is done');
    assert.equal(await reason(stack, 'ben'), null);
    assert.ok(!(await readdir(desk)).includes('old.done'));
  });

  test('a gateway that hangs does nothing later', async () => {
    await strike(stack, 'late', 3);
    stack.gateway.kill('SIGSTOP');
    const r = await user(stack, 'lift', 'late', '--reason', 'x', '--wait', '500ms');
    stack.gateway.kill('SIGCONT');
    assert.equal(r.code, 1);
    assert.match(r.stderr, /did not take it; nothing was done/);
    await sleep(1500);
    assert.equal(await reason(stack, 'late'), 'user_suspended');
  });

  test('somebody else\'s state is left alone', async (t) => {
    if (process.getuid() !== 0) return t.skip('needs root');
    await stack.gateway.stop();
    await chown(path.join(stack.dir, 'state'), 12345, 12345);
    const r = await user(stack, 'lift', 'late', '--reason', 'x');
    await chown(path.join(stack.dir, 'state'), 0, 0);
    assert.equal(r.code, 1);
    assert.match(r.stderr, /not yours/);
    await stack.startGateway();
  });
});

describe('privacy', () => {
  let stack;
  before(async () => {
    stack = await Stack.start({ config: { ...english, strikes: { consecutive: 0, per_day: 1000 }, apps: [{ name: 'other' }] } });
  });
  after(() => stack?.stop());
  const secret = 'only-anna-knows-this';

  // Everything that the log's files hold, as bytes.
  async function holds(needle) {
    const dir = path.join(stack.dir, 'state/log');
    const hits = [];
    for (const name of await readdir(dir))
      if (/^l\d-/.test(name) && (await readFile(path.join(dir, name))).includes(needle)) hits.push(name);
    return hits;
  }

  test('every look at a person is on record before it is shown', async () => {
    await strike(stack, 'anna', 1);
    const before = (await acts(stack)).length;
    await stack.log('--end-user', 'anna');
    await good(stack, 'show', 'anna');
    await good(stack, 'export', 'anna');
    await stack.log('--action', 'block');
    const looks = (await acts(stack)).slice(before);
    assert.deepEqual(looks.map((a) => [a.reason, JSON.parse(a.detail).what]),
      [['user_lookup', 'log list'], ['user_lookup', 'show'], ['user_lookup', 'export']]);
    assert.equal(new Set(looks.map((a) => a.end_user)).size, 1);
    assert.ok(looks.every((a) => JSON.parse(a.detail).login));
  });

  test('export gives what is known of the person, and of nobody else', async () => {
    for (let i = 0; i < 3; i++) await stack.chat(`${secret} ${bad(i)}`, { user: 'anna' });
    await stack.chat('hello', { user: 'anna' });
    await stack.chat(`not-annas ${bad()}`, { user: 'ben' });
    const rows = (await good(stack, 'export', 'anna')).split('\n').filter(Boolean).map(JSON.parse);
    const exchanges = rows.filter((r) => r.kind === 'exchange');
    assert.equal(exchanges.filter((r) => r.action === 'block').length, 4);
    assert.equal(exchanges.filter((r) => r.action === 'allow').length, 1);
    assert.equal(JSON.stringify(rows).split(secret).length - 1 >= 3, true);
    assert.ok(!JSON.stringify(rows).includes('not-annas'));
    assert.equal(new Set(rows.map((r) => r.end_user)).size, 1);
  });

  for (const running of [true, false])
    test(`delete removes the texts from the files, ${running ? 'beside a running gateway' : 'without one'}`, async () => {
      const who = running ? 'anna' : 'otto';
      const mine = running ? secret : 'only-otto-knows';
      for (let i = 0; i < 5; i++) {
        await stack.chat(`${mine} ${bad(i)}`, { user: who });
        await stack.chat(`bens-own ${bad(i)}`, { user: 'ben' });
      }
      assert.ok((await holds(mine)).length > 0);
      const verify = async () => JSON.parse((await run(['log', 'verify', '-c', stack.conf, '--json'])).stdout);
      const before = await verify();
      if (!running) await stack.gateway.stop();
      const out = JSON.parse(await good(stack, 'delete', who, '--reason', 'his request of today', '--json'));
      assert.ok(out.texts >= 5 && out.records >= 5 && !out.left_in_wal);
      assert.deepEqual(await holds(mine), [], 'not a copy in any file');
      assert.ok((await holds('bens-own')).length > 0);
      const after_ = await verify();
      assert.equal((await stack.verify()).code, 0, 'the chain is whole');
      assert.equal(after_.texts_removed - before.texts_removed, out.texts);
      assert.equal(before.texts - after_.texts, out.texts);
      if (!running) await stack.startGateway();
      // The records stay, without text; they say who asked for it.
      const rows = await stack.log('--end-user', who);
      assert.ok(rows.length >= 5);
      assert.ok(rows.every((r) => r.hits.every((h) => h.text === null && h.context === null && h.rule)));
      const done = (await acts(stack)).filter((a) => a.end_user === rows[0].end_user).map((a) => [a.reason, JSON.parse(a.detail)]);
      const [asked_, deleted] = done.filter(([code]) => code.startsWith('user_delete'));
      assert.equal(asked_[0], 'user_delete');
      assert.equal(asked_[1].why, 'his request of today');
      assert.equal(deleted[0], 'user_deleted');
      assert.equal(deleted[1].texts, out.texts);
      assert.equal(deleted[1].complete, true);
      // Nothing stops: new texts are kept, and can be deleted again.
      await stack.chat(`${mine} ${bad('more')}`, { user: who });
      assert.equal(JSON.parse(await good(stack, 'delete', who, '--reason', 'once more', '--json')).texts, 1);
    });

  test('delete while others are being recorded', async () => {
    let stop = false;
    let sent = 0;
    const load = Array.from({ length: 4 }, async (_, k) => {
      while (!stop) {
        const r = await stack.chat(`busy ${bad(k)}`, { user: `load${k}` });
        assert.equal(r.status, 200);
        sent++;
      }
    });
    for (let i = 0; i < 4; i++) {
      for (let k = 0; k < 10; k++) await stack.chat(`round-${i} ${bad(k)}`, { user: 'gone' });
      const out = JSON.parse(await good(stack, 'delete', 'gone', '--reason', 'x', '--json'));
      assert.equal(out.texts, 10);
    }
    stop = true;
    await Promise.all(load);
    assert.ok(sent > 10);
    assert.equal((await stack.verify()).code, 0);
    assert.deepEqual(await holds('round-0'), []);
  });

  test('of one app only, if so asked', async () => {
    await stack.chat(`in-default ${bad()}`, { user: 'shared' });
    const none = JSON.parse(await good(stack, 'delete', 'shared', '--app', 'other', '--reason', 'x', '--json'));
    assert.equal(none.texts, 0);
    const all = JSON.parse(await good(stack, 'delete', 'shared', '--app', 'default', '--reason', 'x', '--json'));
    assert.equal(all.texts, 1);
  });
});
