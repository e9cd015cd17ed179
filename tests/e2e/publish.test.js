// Versions of the rules: what is published is served at once, by the version's name, and no request
// fails for it.
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { chmod, readFile, readdir, writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import path from 'node:path';
import { Stack, quick, run, sleep, soak, until, words } from './harness.js';

const word = '玳瑁信号弹';

// --- the command ---

async function rules(stack, verb, ...args) {
  const r = await run(['rules', verb, '-c', stack.conf, '--json', ...args]);
  r.json = r.stdout.split('\n').filter(Boolean).map((line) => JSON.parse(line));
  return r;
}

// One that must succeed; its one object.
async function done(stack, verb, ...args) {
  const r = await rules(stack, verb, ...args);
  assert.equal(r.code, 0, `${verb} ${args.join(' ')}: ${r.stderr}`);
  return r.json[0];
}

const keywords = (stack, risk) => path.join(stack.rules, 'keywords', `${risk}.txt`);
const edit = async (stack, ...more) => writeFile(keywords(stack, 'A1-a'), `${more.join('\n')}\n`);
const publish = (stack, author = 'anna') => done(stack, 'publish', '--reason', 'a test', '--author', author);
const store = (stack, ...names) => path.join(stack.dir, 'state', 'rules', ...names);
const blocked = (r) => r.headers.get('x-juyong-action') === 'block';
const rowOf = async (stack, r) => (await stack.log('--all')).find((row) => row.request_id === r.headers.get('x-request-id'));
// The change took effect, of the working copy that is served while nothing is published.
const reload = async (stack, what) => {
  stack.gateway.kill('SIGHUP');
  await until(async () => (await stack.gateway.output()).includes(what), what);
};

describe('publishing', () => {
  let stack;
  before(async () => { stack = await Stack.start(); });
  after(() => stack?.stop());

  test('with nothing published the working copy is served, and kept', async () => {
    const row = await rowOf(stack, await stack.chat('hello'));
    assert.match(row.ruleset, /^auto-[0-9a-f]{12}$/);
    const kept = (await readdir(store(stack, 'versions'))).filter((name) => name.startsWith(row.ruleset.slice(5)));
    assert.equal(kept.length, 1);
    const [entry] = (await rules(stack, 'log')).json;
    assert.equal(entry.act, 'auto');
    assert.equal(entry.in_force, true);
    assert.equal(entry.sha256, kept[0]);
  });

  test('what is published is served when the command returns', async () => {
    assert.ok(!blocked(await stack.chat(word)));
    await edit(stack, word);
    const p = await publish(stack);
    assert.equal(p.state, 'in force');
    assert.equal(p.gateway, 'serves');
    assert.equal(p.added, 1);
    assert.match(p.version, /^v-[0-9a-f]{12}$/);
    assert.ok(p.sha256.startsWith(p.version.slice(2)));
    const r = await stack.chat(word);
    assert.ok(blocked(r));
    assert.equal((await rowOf(stack, r)).ruleset, p.version);
    assert.match(await stack.metrics(), new RegExp(`^juyong_rules\\{version="${p.version}"\\} `, 'm'));
  });

  test('who published is in the decision log too, bound to the journal', async () => {
    const [entry] = (await rules(stack, 'log')).json;
    const row = (await stack.log('--all')).filter((r) => r.kind === 'admin' && r.reason === 'publish').at(-1);
    const detail = typeof row.detail === 'string' ? JSON.parse(row.detail) : row.detail;
    assert.equal(detail.act, 'publish');
    assert.equal(detail.author, 'anna');
    assert.equal(detail.why, 'a test');
    assert.equal(detail.sha256, entry.sha256);
    assert.equal(detail.entry, entry.entry);
    assert.equal(detail.entry_sha256, entry.entry_sha256);
    assert.equal((await stack.verify()).code, 0);
  });

  test('from then on the working copy is served no more, and check says that it differs', async () => {
    await edit(stack, word, '砗磲密令');
    await reload(stack, 'reloaded: rules v-');
    assert.ok(!blocked(await stack.chat('砗磲密令')));
    let check = await run(['check', '-c', stack.conf]);
    assert.equal(check.code, 0);
    assert.match(check.stdout, /^rules: v-[0-9a-f]{12} is in force, and the working copy differs/m);
    // Every command that looks says which of the two it looks at.
    const scan = (...more) => run(['scan', '-c', stack.conf, ...more, '砗磲密令']);
    assert.equal((await scan()).code, 3);
    assert.equal((await scan('--published')).code, 0);
    assert.ok((await rules(stack, 'list')).json.some((rule) => rule.text === '砗磲密令'));
    assert.ok(!(await rules(stack, 'list', '--published')).json.some((rule) => rule.text === '砗磲密令'));
    const diff = (await rules(stack, 'diff')).json;
    assert.deepEqual(diff.map((d) => [d.change, d.text]), [['added', '砗磲密令']]);
    await publish(stack);
    check = await run(['check', '-c', stack.conf]);
    assert.match(check.stdout, /^rules: v-[0-9a-f]{12} is in force, and the working copy is the same/m);
    assert.ok(blocked(await stack.chat('砗磲密令')));
    assert.equal((await publish(stack)).state, 'same');
  });

  test('a mistake publishes nothing', async () => {
    const before = (await rules(stack, 'log')).json.length;
    await edit(stack, `${word}\tsee=all`);
    const r = await rules(stack, 'publish', '--reason', 'x');
    assert.equal(r.code, 1);
    assert.match(r.stderr, /A1-a\.txt:1:\d+: no layer is called 'all'/);
    assert.equal((await rules(stack, 'publish')).code, 2, 'a reason is needed');
    assert.equal((await rules(stack, 'publish', '--reason', 'two\nlines')).code, 2);
    assert.equal((await rules(stack, 'log')).json.length, before);
    await edit(stack, word);
  });

  test('an unfinished configuration is no obstacle', async () => {
    const conf = await readFile(stack.conf, 'utf8');
    const other = path.join(stack.dir, 'publisher.json');
    await writeFile(other, conf);
    await writeFile(stack.conf, '{ listen: ');
    await edit(stack, word, '珊瑚暗号');
    const r = await run(['rules', 'publish', '-c', other, '--json', '--reason', 'urgent enough']);
    assert.equal(r.code, 0, r.stderr);
    assert.equal(JSON.parse(r.stdout).gateway, 'serves');
    assert.ok(blocked(await stack.chat('珊瑚暗号')));
    await writeFile(stack.conf, conf);
  });

  test('a rollback goes back, and says so', async () => {
    const back = await done(stack, 'rollback', '--reason', 'blocks too much', '--author', 'bert');
    assert.equal(back.gateway, 'serves');
    const r = await stack.chat('珊瑚暗号');
    assert.ok(!blocked(r));
    assert.equal((await rowOf(stack, r)).ruleset, back.version);
    const log = (await rules(stack, 'log')).json;
    assert.equal(log[0].act, 'rollback');
    assert.equal(log[0].author, 'bert');
    assert.deepEqual(log.filter((e) => e.in_force).length, 1);
    const forth = await done(stack, 'rollback', log[1].version, '--reason', 'no, it is needed');
    assert.equal(forth.version, log[1].version);
    assert.ok(blocked(await stack.chat('珊瑚暗号')));
    const none = await rules(stack, 'rollback', 'v-000000000000', '--reason', 'x');
    assert.equal(none.code, 1);
    assert.match(none.stderr, /no version is called 'v-000000000000'/);
  });

  test('what was filed is noted', async () => {
    const filed = await done(stack, 'filed');
    const log = (await rules(stack, 'log')).json;
    assert.equal(log[0].act, 'filed');
    assert.ok(log.filter((e) => e.filed).every((e) => e.sha256 === filed.sha256));
    assert.ok(log.find((e) => e.in_force).filed);
  });

  test('a version that was changed is refused, by commands and by the gateway', async () => {
    const log = (await rules(stack, 'log')).json;
    const now = log.find((e) => e.in_force);
    const other = log.find((e) => e.sha256 !== now.sha256 && e.state === 'was in force');
    const file = store(stack, 'versions', other.sha256, 'risks.yaml');
    await chmod(file, 0o600);
    await writeFile(file, `${await readFile(file, 'utf8')}\n`);
    const r = await rules(stack, 'rollback', other.version, '--reason', 'x');
    assert.equal(r.code, 1);
    assert.match(r.stderr, /this version was changed after it was published/);
    // Somebody writes it into the store by hand.
    await writeFile(store(stack, 'current'), `${other.sha256}\n`);
    await until(async () => (await stack.gateway.output()).includes('was changed after it was published'), 'refused');
    const chat = await stack.chat('珊瑚暗号');
    assert.ok(blocked(chat));
    assert.equal((await rowOf(stack, chat)).ruleset, now.version);
    await writeFile(store(stack, 'current'), `${now.sha256}\n`);
  });

  test('a gateway that starts serves what is published', async () => {
    const now = (await rules(stack, 'log')).json.find((e) => e.in_force);
    assert.equal((await stack.gateway.stop()).code, 0);
    await edit(stack, '没有发布');
    const p = await publish(stack);
    assert.equal(p.gateway, 'none');
    assert.equal(p.previous, now.sha256);
    await stack.startGateway();
    const r = await stack.chat('没有发布');
    assert.ok(blocked(r));
    assert.equal((await rowOf(stack, r)).ruleset, p.version);
  });
});

describe('urgent words', () => {
  let stack;
  before(async () => { stack = await Stack.start(); });
  after(() => stack?.stop());
  const give = (...more) => rules(stack, 'urgent', word, '--risk', 'A1-h', '--reason', 'order 7', '--author', 'anna', ...more);
  const list = async () => (await rules(stack, 'urgent', 'list')).json;

  test('are live when the command returns', async () => {
    // Words of a text that is in the log for another reason.
    assert.ok(blocked(await stack.chat(`${words.block}，${word}`)));
    assert.ok(!blocked(await stack.chat(word)));
    const r = await give('--expires', '72h');
    assert.equal(r.code, 0, r.stderr);
    assert.equal(r.json[0].gateway, 'serves');
    const chat = await stack.chat(word);
    assert.ok(blocked(chat));
    assert.equal((await rowOf(stack, chat)).ruleset, r.json[0].version);
    const [line] = await list();
    assert.equal(line.state, 'awaiting approval');
    assert.equal(line.hit_requests, 1);
    assert.equal(line.would_have_hit, 1);
    assert.ok(line.without_text >= 1, 'what passed left no text, and that is told');
    assert.ok(Date.parse(line.expires) > Date.now() + 71.9 * 3600e3);
    assert.ok(Date.parse(line.expires) < Date.now() + 72.1 * 3600e3);
  });

  test('are refused without an end, for too long, or of no risk', async () => {
    for (const [args, text] of [
      [[], /--expires is needed/], [['--expires', '31d'], /at most 30d/], [['--expires', '721h'], /at most 30d/],
      [['--expires', '0h'], /such as 90m/], [['--expires', '72'], /such as 90m/], [['--expires', '1w'], /such as 90m/],
    ]) {
      const r = await give(...args);
      assert.equal(r.code, 2, args.join(' '));
      assert.match(r.stderr, text);
    }
    const r = await rules(stack, 'urgent', '另一个词', '--risk', 'A9', '--reason', 'x', '--expires', '1h');
    assert.equal(r.code, 1);
    assert.match(r.stderr, /no risk is called 'A9'/);
  });

  test('are approved by somebody else', async () => {
    const same = await rules(stack, 'urgent', 'approve', word, '--author', 'Anna');
    assert.equal(same.code, 1);
    assert.match(same.stderr, /somebody else has to approve it/);
    assert.equal((await rules(stack, 'urgent', 'approve', word, '--author', 'bert')).code, 0);
    const [line] = await list();
    assert.equal(line.state, 'approved');
    assert.equal(line.approved_by, 'bert');
  });

  test('stay in what is published meanwhile, until they are withdrawn', async () => {
    await edit(stack, '砗磲密令');
    await publish(stack);
    assert.ok(blocked(await stack.chat(word)));
    assert.ok(blocked(await stack.chat('砗磲密令')));
    await done(stack, 'urgent', 'withdraw', word);
    assert.ok(!blocked(await stack.chat(word)));
    assert.ok(blocked(await stack.chat('砗磲密令')));
    assert.equal((await list())[0].state, 'withdrawn');
    assert.equal((await rules(stack, 'urgent', 'withdraw', word)).code, 1);
  });

  test('are named as list and approve are, if it must be', async () => {
    const r = await rules(stack, 'urgent', 'add', 'withdraw', '--risk', 'A1-h', '--reason', 'x', '--expires', '5m');
    assert.equal(r.code, 0, r.stderr);
    assert.ok(blocked(await stack.chat('please withdraw')));
  });
});

describe('two persons', () => {
  let stack;
  before(async () => { stack = await Stack.start({ config: { rules: { two_person: true } } }); });
  after(() => stack?.stop());

  test('one proposes, another one decides', async () => {
    await edit(stack, word);
    const p = await publish(stack);
    assert.equal(p.state, 'proposed');
    assert.ok(!blocked(await stack.chat(word)));
    assert.equal((await rules(stack, 'log')).json[0].state, 'proposed');
    // What the second person looks at.
    await publish(stack).then((again) => assert.equal(again.version, p.version));
    assert.equal((await rules(stack, 'diff', 'published', p.version)).code, 1, 'nothing is published yet');
    const same = await rules(stack, 'approve', p.version, '--author', 'anna');
    assert.equal(same.code, 1);
    assert.match(same.stderr, /was proposed by anna: somebody else has to approve it/);
    assert.ok(!blocked(await stack.chat(word)));
    const approved = await done(stack, 'approve', p.version, '--author', 'bert');
    assert.equal(approved.version, p.version);
    assert.equal(approved.gateway, 'serves');
    assert.ok(blocked(await stack.chat(word)));
    const log = (await rules(stack, 'log')).json;
    assert.deepEqual(log.slice(0, 2).map((e) => [e.act, e.author, e.state]),
      [['approve', 'bert', 'in force'], ['propose', 'anna', 'approved']]);
  });

  test('the second person sees what it would change', async () => {
    await edit(stack, word, '珊瑚暗号');
    const p = await publish(stack);
    const diff = (await rules(stack, 'diff', 'published', p.version)).json;
    assert.deepEqual(diff.map((d) => [d.change, d.text]), [['added', '珊瑚暗号']]);
    await publish(stack, 'carl').then((again) => assert.equal(again.state, 'proposed'));
    await done(stack, 'approve', p.version, '--author', 'bert');
    assert.ok(blocked(await stack.chat('珊瑚暗号')));
  });

  test('an urgent word waits for nobody', async () => {
    const r = await rules(stack, 'urgent', '砗磲密令', '--risk', 'A1-h', '--reason', 'x', '--author', 'anna', '--expires', '1h');
    assert.equal(r.json[0].state, 'in force');
    assert.ok(blocked(await stack.chat('砗磲密令')));
  });
});

// --- under load ---

// Asks `rate` times a second for as long as it runs, and keeps what went wrong.
class Load {
  constructor(stack, prompts, rate) {
    Object.assign(this, { stack, prompts, rate, sent: 0, active: 0, answered: [], failed: [] });
    this.agent = new Agent({ keepAlive: true, maxSockets: 256 });
    this.start = performance.now();
    this.timer = setInterval(() => this.tick(), 10);
  }

  tick() {
    const due = (performance.now() - this.start) / 1000 * this.rate;
    // A machine that can't keep up has no use for a queue without end.
    for (; this.sent < due && this.active < 256; this.sent++) this.one(this.prompts[this.sent % this.prompts.length]);
    if (this.sent < due) this.sent = Math.floor(due);
  }

  one({ content, stream, action, text }) {
    const body = JSON.stringify({ model: 'demo', stream, messages: [{ role: 'user', content }] });
    const wrong = (why) => { this.failed.push(`${content}: ${why}`); this.active--; };
    this.active++;
    const r = request({
      agent: this.agent, host: '127.0.0.1', port: this.stack.port, method: 'POST', path: '/v1/chat/completions',
      headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), authorization: 'Bearer sk-client' },
    }, (answer) => {
      let all = '';
      answer.setEncoding('utf8').on('data', (piece) => { all += piece; }).on('error', (e) => wrong(e.message)).on('end', () => {
        const { headers } = answer;
        if (answer.statusCode !== 200 || headers['x-juyong-action'] !== action || !all.includes(text) ||
            (stream && !all.endsWith('data: [DONE]\n\n')))
          return wrong(`${answer.statusCode} ${headers['x-juyong-action']} ${all.slice(0, 300)}`);
        this.answered.push(headers['x-request-id']);
        this.active--;
      });
    });
    r.on('error', (e) => wrong(e.message)).end(body);
  }

  async stop() {
    clearInterval(this.timer);
    this.seconds = (performance.now() - this.start) / 1000;
    await until(() => this.active === 0, 'the last answers', 60000);
    this.agent.destroy();
  }
}

const rounds = soak ? 100 : quick || process.env.JUYONG_SLOW ? 5 : 20;

test(`${rounds} publications under load fail no request`, { timeout: 600000 }, async (t) => {
  const stack = await Stack.start({ config: { limits: { connections_per_ip: 1000 } } });
  try {
    const prompts = [
      { content: words.block, stream: false, action: 'block', text: 'content_filter' },
      { content: await stack.script('short', { text: 'a short answer' }), stream: false, action: 'allow', text: 'a short answer' },
      { content: await stack.script('stream', { text: ['one ', 'two ', 'three '], delay_ms: 30 }), stream: true, action: 'allow', text: 'three ' },
      { content: words.block, stream: true, action: 'block', text: 'content_filter' },
      { content: await stack.script('long', { text: Array(20).fill('on and on '), delay_ms: 50 }), stream: true, action: 'allow', text: 'on and on ' },
    ];
    const load = new Load(stack, prompts, 500);
    const after = new Map(); // the request that followed a publication: the version it must name
    let version;
    for (let round = 0; round < rounds; round++) {
      await edit(stack, `轮换词语${round}`);
      const p = round % 5 === 4 ? await done(stack, 'rollback', '--reason', `round ${round}`) : await publish(stack);
      assert.equal(p.gateway, 'serves');
      assert.notEqual(p.version, version);
      version = p.version;
      const r = await stack.chat('hello');
      after.set(r.headers.get('x-request-id'), version);
      if (round % 3 === 1) stack.gateway.kill('SIGHUP');
      await sleep(100);
    }
    await load.stop();
    assert.deepEqual(load.failed, []);
    assert.ok(load.answered.length > rounds * 20, `${load.answered.length} answered`);

    const kept = new Map((await readdir(store(stack, 'versions'))).map((name) => [name.slice(0, 12), name]));
    const rows = new Map((await stack.log('--all')).filter((row) => row.kind === 'exchange').map((row) => [row.request_id, row]));
    const named = new Set();
    for (const id of load.answered) {
      const row = rows.get(id);
      assert.ok(row, `${id} has no record`);
      assert.match(row.ruleset, /^(v|auto)-[0-9a-f]{12}$/);
      assert.ok(kept.has(row.ruleset.replace(/^.*-/, '')), `${row.ruleset} is not in the store`);
      named.add(row.ruleset);
    }
    for (const [id, expected] of after) assert.equal(rows.get(id).ruleset, expected);
    assert.ok(named.size > rounds / 2, `${named.size} versions were served`);
    assert.equal((await stack.verify()).code, 0);
    t.diagnostic(`${load.answered.length} requests in ${load.seconds.toFixed(1)} s, ${rounds} publications, ${named.size} versions named`);
  } finally {
    await stack.stop();
  }
});
