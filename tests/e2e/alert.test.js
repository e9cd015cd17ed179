// Alerts: who is told of what, when, and what becomes of messages that nobody takes.
import { after, before, beforeEach, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import path from 'node:path';
import { Stack, day, run, sleep, until, words } from './harness.js';
import { person } from './people.js';
import { Robot } from './robot.js';

const secret = 'SEC-robots-0123456789';
const kinds = ['dingtalk', 'wecom', 'feishu', 'own'];
const china = (hours) => new Date(Date.now() + (8 + hours) * 3600e3).toISOString().slice(11, 16);

let dir, files;
before(async () => {
  dir = await mkdtemp('/tmp/juyong-alert-');
  files = { secret: path.join(dir, 'secret') };
  await writeFile(files.secret, `${secret}\n`, { mode: 0o600 });
});
after(() => rm(dir, { recursive: true, force: true }));

async function target(robot, kind, more = {}) {
  const url = path.join(dir, `${kind}-${robot.port}.url`);
  const query = { dingtalk: '?access_token=robot-password', wecom: '?key=robot-password' }[kind] ?? '';
  await writeFile(url, `${robot.url}/${kind}${query}\n`, { mode: 0o600 });
  return { name: kind, kind: kind === 'own' ? 'json' : kind, url_file: url, ...(kind !== 'wecom' && { secret_file: files.secret }), ...more };
}

// Nothing but what a test asks for, looked at often.
const calm = { every: '100ms', calm: 0, timeout: '1s', disk_percent: 0, library_days: 0, weakened: false, canary: false };
const observing = { policy: { mode: 'observe', until: day(3) } };

async function reload(stack, config) {
  const text = await stack.gateway.output();
  const count = text.match(/reloaded: /g)?.length ?? 0;
  await stack.configure(config);
  stack.gateway.kill('SIGHUP');
  await until(async () => (await stack.gateway.output()).match(/reloaded: /g)?.length > count, 'the reload');
}

const counted = async (stack, name, labels) => {
  const line = (await stack.metrics()).split('\n')
    .find((l) => l.startsWith(`${name}{`) && Object.entries(labels).every(([k, v]) => l.includes(`${k}="${v}"`)));
  return line && Number(line.split(' ').at(-1));
};

test('of all risks together exchanges are counted, as the page counts them', async () => {
  const robot = await Robot.start(secret);
  const alerts = { ...calm, targets: [await target(robot, 'own')], interceptions: [{ risk: '*', per_minute: 5 }] };
  const stack = await Stack.start({ config: { alerts } });
  try {
    for (let i = 0; i < 4; i++) await stack.chat(`${i} ${words.block} ${words.mask}`);
    await sleep(1500);
    assert.equal(robot.told.length, 0, JSON.stringify(robot.told));
    for (let i = 0; i < 2; i++) await stack.chat(`${i} ${words.block} ${words.mask}`);
    await until(() => robot.told.length, 'the message');
    assert.match(robot.lines('own')[0], /拦截每分钟 [56] 次（阈值 5）/);
  } finally {
    await stack.stop();
    await robot.stop();
  }
});

describe('alerts reach each kind of robot', () => {
  let robot, stack, alerts;
  before(async () => {
    robot = await Robot.start(secret);
    alerts = { ...calm, targets: await Promise.all(kinds.map((k) => target(robot, k))), weakened: true,
      interceptions: [{ risk: 'A1', per_minute: 5, critical: true }, { risk: 'pii-*', per_minute: 1000 }] };
    stack = await Stack.start({ config: { alerts } });
  });
  after(async () => { await stack?.stop(); await robot?.stop(); });
  beforeEach(() => { robot.told.length = 0; robot.fault = null; robot.secret = secret; });

  test('a test message, by command', async () => {
    const r = await run(['alert', 'test', '-c', stack.conf]);
    assert.equal(r.code, 0, r.stderr);
    assert.match(r.stdout, /^dingtalk \(127\.0\.0\.1:\d+\): taken$/m);
    assert.deepEqual(robot.told.map((m) => m.kind).sort(), [...kinds].sort());
    for (const m of robot.told) assert.match(m.text, /^居庸告警 test-node \d{4}-\d\d-\d\d \d\d:\d\d\n测试：/);
    assert.equal((await run(['alert', 'test', '-c', stack.conf, '--target', 'feishu'])).code, 0);
    assert.equal(robot.told.length, 5);
    assert.equal((await run(['alert', 'test', '-c', stack.conf, '--target', 'nobody'])).code, 1);
  });

  test('a refusal in an answer of 200 fails the test, with its reason and without the password', async () => {
    robot.secret = 'another';
    const r = await run(['alert', 'test', '-c', stack.conf]);
    assert.equal(r.code, 1);
    assert.match(r.stdout, /^dingtalk .*: not taken$/m);
    assert.match(r.stdout, /^wecom .*: taken$/m); // it has no signature
    assert.match(r.stderr, /an alert for dingtalk to 127\.0\.0\.1:\d+ was given up .*errcode 310000: sign not match/);
    assert.match(r.stderr, /feishu .*code 19021/);
    assert.match(r.stderr, /own .*status 403/);
    assert.ok(!(r.stdout + r.stderr).includes('robot-password'));
  });

  test('many interceptions of a risk in a minute: one message each, without their words', async () => {
    for (let i = 0; i < 4; i++) await stack.chat(`${i} ${words.block}`);
    await stack.chat('电话 13800138000 有人吗');
    assert.equal(robot.told.length, 0);
    for (let i = 0; i < 3; i++) await stack.chat(`${i} ${words.block} 秘密的话`);
    await until(() => kinds.every((k) => robot.lines(k).length), 'everybody is told');
    for (const k of kinds) {
      assert.equal(robot.lines(k).length, 1, JSON.stringify(robot.told));
      assert.match(robot.lines(k)[0], /^告警（严重）：A1 拦截每分钟 [5-7] 次（阈值 5）$/);
    }
    const { body } = robot.told.find((m) => m.kind === 'own');
    assert.equal(body.node, 'test-node');
    assert.deepEqual([body.alerts[0].event, body.alerts[0].what, body.alerts[0].risk, body.alerts[0].threshold], ['firing', 'interceptions', 'A1', 5]);
    assert.ok(!JSON.stringify(robot.told).includes(words.block));
    assert.ok(!JSON.stringify(robot.told).includes('秘密'));
    assert.match(await stack.gateway.output(), /alert: ALERT \(critical\): \d interceptions of A1/);
    assert.equal(await counted(stack, 'juyong_alerts_firing', { what: 'interceptions', risk: 'A1' }), 1);
    assert.equal(await counted(stack, 'juyong_alerts_firing', { what: 'interceptions', risk: 'pii-*' }), 0);
    assert.ok(await counted(stack, 'juyong_alerts_messages_total', { target: 'wecom', result: 'delivered' }) >= 1);
  });

  test('a mode that weakens is told when it begins and when it ends', async () => {
    await reload(stack, observing);
    await until(() => kinds.every((k) => robot.lines(k).length), 'everybody is told');
    for (const k of kinds) assert.match(robot.lines(k)[0], /^告警：防护被削弱：1 项，如 app default: observe mode/);
    await reload(stack, {});
    await until(() => kinds.every((k) => robot.lines(k).length === 2), 'and told of its end');
    for (const k of kinds) assert.match(robot.lines(k)[1], /^已恢复：防护被削弱：1 项/);
  });

  test('the console shows what is watched, who is told and what was', async () => {
    const viewer = await person(stack, 'vera', 'viewer');
    const { status, json, text } = await viewer.get('/api/alerts');
    assert.equal(status, 200);
    const rule = json.rules.find((r) => r.risk === 'A1');
    assert.deepEqual([rule.what, rule.threshold, rule.critical, rule.firing], ['interceptions', 5, true, true]);
    assert.deepEqual(json.targets.map((t) => t.name), kinds);
    assert.equal(json.targets[0].host, `127.0.0.1:${robot.port}`);
    assert.ok(!text.includes('robot-password') && !text.includes(secret));
    assert.deepEqual(json.recent.slice(0, 3).map((r) => [r.event, r.what, r.sent, r.failed]),
      [['resolved', 'weakened', 4, 0], ['firing', 'weakened', 4, 0], ['firing', 'interceptions', 4, 0]]);
    assert.ok(json.recent[0].at_us >= json.recent[1].at_us);
    assert.equal((await fetch(`${stack.console}/api/alerts`)).status, 401);
  });
});

describe('a robot that is down, slow, or answers errors', () => {
  let robot, stack;
  const alerts = async (more = {}) => ({ ...calm, weakened: true, tries: 3, targets: [await target(robot, 'dingtalk')], ...more });
  before(async () => {
    robot = await Robot.start(secret);
    stack = await Stack.start({ config: { alerts: await alerts() } });
  });
  after(async () => { await stack?.stop(); await robot?.stop(); });
  beforeEach(async () => {
    robot.fault = null;
    await reload(stack, {});
    robot.told.length = robot.asked = 0;
  });

  for (const [name, fault] of [['that is down', 'reset'], ['that answers 503', 503],
    ['that says in a 200 that it is asked too often', { errcode: 130101, errmsg: 'send too fast' }],
    ['behind a page that wants a log-in', { html: 'log in' }], ['that does not answer', 'silent']])
    test(`is told again by a robot ${name}, and meanwhile traffic goes on`, async () => {
      const before = robot.told.length;
      robot.fault = fault;
      await reload(stack, observing);
      await until(() => robot.asked >= 1, 'it is asked');
      for (let i = 0; i < 8; i++) assert.equal((await stack.chat('早上好')).status, 200);
      assert.equal(robot.told.length, before);
      robot.fault = null;
      await until(() => robot.lines('dingtalk').length, 'it is told at last', 15000);
      await reload(stack, {});
      await until(() => robot.lines('dingtalk').length === 2, 'and of the end');
      assert.match(robot.lines('dingtalk')[0], /^告警：/);
      assert.match(robot.lines('dingtalk')[1], /^已恢复：/);
    });

  test('gives up in the end, says why, and counts it', async () => {
    robot.fault = { errcode: 310000, errmsg: 'sign not match' };
    await reload(stack, observing);
    await until(async () => await counted(stack, 'juyong_alerts_messages_total', { result: 'failed' }) === 1, 'it is counted', 15000);
    assert.equal(robot.asked, 3);
    const output = await stack.gateway.output();
    assert.match(output, /an alert for dingtalk to 127\.0\.0\.1:\d+ was given up after 3 tries: errcode 310000: sign not match/);
    assert.ok(!output.includes('robot-password') && !output.includes(secret));
  });
});

describe('quiet times', () => {
  let robot, stack;
  before(async () => { robot = await Robot.start(secret); });
  after(async () => { await stack?.stop(); await robot?.stop(); });

  test('hold back what is not critical; afterwards it is told', async () => {
    const quiet = `${china(-1)}-${china(2)}`;
    const alerts = async (more) => ({ ...calm, weakened: true, canary: true, targets: [await target(robot, 'feishu', more)] });
    stack = await Stack.start({ config: { alerts: await alerts({ quiet }), canary: { every: '1s' } } });
    await until(async () => (await fetch(`${stack.console}/readyz`)).status === 200, 'it is ready');
    // Nothing is intercepted: a weakening, which waits, and the canary, which doesn't.
    const open = { policy: { actions: { '*': 'allow' }, media: 'allow' } };
    await reload(stack, open);
    await until(() => robot.lines('feishu').length, 'the critical one is told');
    assert.deepEqual(robot.lines('feishu').map((l) => l.replace(/：\d+ .*/, '')), ['告警（严重）：巡检内容未被拦截']);
    assert.equal(await counted(stack, 'juyong_alerts_firing', { what: 'weakened' }), 1);
    await reload(stack, { ...open, alerts: await alerts({}) });
    await until(() => robot.lines('feishu').length === 2, 'the other one is told');
    assert.match(robot.lines('feishu')[1], /^告警：防护被削弱/);
    await reload(stack, { alerts: await alerts({}) });
    await until(() => robot.lines('feishu').length === 4, 'both are over');
    assert.match(robot.lines('feishu').slice(2).join('\n'), /^已恢复（严重）：巡检/m);
  });
});

describe('the gateway verifies its log by itself', () => {
  let robot, stack;
  before(async () => {
    robot = await Robot.start(secret);
    stack = await Stack.start({ config: { alerts: { ...calm, verify_every: '1s', targets: [await target(robot, 'own', { language: 'en' })] } } });
  });
  after(async () => { await stack?.stop(); await robot?.stop(); });

  test('what was altered is told, until it is right again', async () => {
    await stack.chat(`看${words.block}`);
    const dir = path.join(stack.dir, 'state', 'log');
    const [file] = (await readdir(dir)).filter((f) => /^l0-.*\.db$/.test(f));
    const db = new DatabaseSync(path.join(dir, file));
    db.exec('PRAGMA busy_timeout = 5000');
    const { seq, body } = db.prepare('SELECT seq, body FROM record WHERE weight > 0 ORDER BY seq LIMIT 1').get();
    const put = (text) => db.prepare('UPDATE record SET body = ? WHERE seq = ?').run(text, seq);
    await until(async () => (await stack.log('--all')).some((r) => r.reason === 'verified'), 'a first one, on record');
    assert.equal(robot.told.length, 0);
    put(String(body).replace('"action":"block"', '"action":"allow"'));
    await until(() => robot.told.length, 'it is told', 15000);
    assert.match(robot.lines('own')[0], new RegExp(`^ALERT \\(critical\\): a verification of the log found: l0-.*record ${seq}`));
    assert.ok(!JSON.stringify(robot.told).includes(words.block));
    put(body);
    await until(() => robot.told.length === 2, 'and that it is right again', 15000);
    assert.match(robot.lines('own')[1], /^RESOLVED \(critical\): a verification/);
    db.close();
  });
});
