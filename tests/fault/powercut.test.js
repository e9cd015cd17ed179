// The power is cut at any moment of the gateway's life, and what was not synced is gone, torn or there:
// what anybody was told is on record stands afterwards, the chain is whole, and the gateway starts.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, fstatSync, openSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { Clock, Stack, binary, freePort, quick, random, run, soak, words } from '../e2e/harness.js';
import { Disk, readJournal } from './powercut.js';

// In memory where that can be had: what a sync promises is simulated, how long it takes is not.
if (existsSync('/dev/shm')) process.env.TMPDIR = '/dev/shm';

const cuts = soak ? 2000 : quick ? 25 : 100;
const seed = Number(process.env.JUYONG_SEED ?? 20261126);
const lines = (text) => text.split('\n').filter(Boolean).map((l) => JSON.parse(l));

// A stack whose state is on the disk that is watched, and what was acknowledged when.
class Life {
  static async begin() {
    const life = new Life();
    life.library = path.join(path.dirname(binary), '../tests/libjuyong-test-power.so');
    life.acks = [];
    life.deletes = Infinity; // from there on texts may be gone
    const s = life.stack = await Stack.start({
      config: { complaints: { form: true, per_hour: 1000 }, workers: 2, policy: { language: 'en' } }, idle: true,
    });
    life.disk = path.join(s.dir, 'disk');
    life.journal = path.join(s.dir, 'journal');
    await mkdir(life.disk);
    life.env = { LD_PRELOAD: life.library, JUYONG_TEST_POWER_ROOT: life.disk, JUYONG_TEST_POWER_JOURNAL: life.journal };
    await s.configure({
      state_dir: path.join(life.disk, 'state'),
      audit: { export: [{ file: path.join(life.disk, 'copy.jsonl') }] },
    });
    await s.startGateway(life.env).catch(async (e) => { await s.stop(); throw e; });
    life.fd = openSync(life.journal);
    return life;
  }

  // Somebody was told: from here on it holds.
  told(kind, value) {
    this.acks.push({ kind, value, at: fstatSync(this.fd).size });
  }

  async act(args) {
    const r = await run([...args, '-c', this.stack.conf], { env: { ...process.env, ...this.env } });
    assert.equal(r.code, 0, `${args.join(' ')}: ${r.stderr}`);
    return r.stdout;
  }

  async chat(content, action, more = {}) {
    const r = await this.stack.chat(content, more);
    const whole = more.stream ? r.done : r.json?.choices;
    assert.ok(r.status === 200 && whole, r.text);
    const id = r.headers.get('x-request-id');
    this.told('decision', { id, action });
    return id;
  }

  // By which the log knows an end user.
  async hash(user) {
    this.hashes ??= {};
    return this.hashes[user] ??= lines(await this.act(['log', 'list', '--json', '--end-user', user]))[0].end_user;
  }

  // With a wall clock that is some days ahead.
  async restart(days, end = () => this.stack.gateway.stop()) {
    await end();
    this.clock ??= await Clock.create(this.stack.dir);
    await this.clock.set(days * 86400);
    const { LD_PRELOAD: library, ...rest } = this.clock.env;
    this.env = { ...this.env, ...rest, LD_PRELOAD: `${library}:${this.library}` };
    await this.stack.startGateway(this.env);
  }

  // Between two operations, so that the journal tells all of them.
  async kill() {
    const { child, exited } = this.stack.gateway;
    await promisify(execFile)('flock', [this.journal, 'kill', '-9', String(child.pid)]);
    await exited;
  }

  // Some of everything that is kept, one thing after the other; `name` makes it this life's own.
  async work(name) {
    const s = this.stack;
    const cut = await s.script(`cut${name}`, { text: ['harmless ', ...words.block, ' tail'] });
    const load = async (who) => {
      for (let i = 0; i < 4; i++) {
        await this.chat(`${name} ${who} ${i}: ${words.block}`, 'block', { stream: i % 2 === 0, user: `${who}-${i}` });
        await this.chat(cut, 'block', { stream: true });
        await this.chat(`${words.mask} ${i}`, 'mask');
        await s.chat('hello');
      }
    };
    const decide = async () => {
      const id = await this.chat(`${name}: ${words.block}`, 'block', { user: name });
      await this.act(['account', 'add', name, '--role', 'viewer', '--password-file', this.password]);
      this.told('account', name);
      await this.act(['key', 'create', '--alias', name]);
      this.told('key', name);
      await this.act(['log', 'review', '--correct', id, '--author', 'anna']);
      this.told('review', id);
      await this.act(['user', 'suspend', name, '-m', 'a test', '--for', 'forever']);
      this.told('suspension', await this.hash(name));
      await this.act(['log', 'hold', 'add', '--request', id, '-m', 'a test']);
      this.told('hold', id);
      const r = await fetch(`${s.url}/v1/complaints`, {
        method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ kind: 'other', text: name }),
      });
      assert.equal(r.status, 200);
      this.told('complaint', name);
      if (name === 'anna') await this.act(['rules', 'publish', '--author', 'anna', '--reason', 'a test']);
      await this.act(['rules', 'urgent', `急用词语${name}`, '--risk', 'A1-a', '--expires', '1h', '--author', 'anna', '--reason', 'a test']);
      this.told('word', `急用词语${name}`);
    };
    await Promise.all([load('one'), load('two'), decide()]);
  }

  // What takes texts away: by age, and because somebody asked for it.
  async clean(who) {
    await this.act(['log', 'prune', '-m', 'a test']);
    await this.act(['user', 'delete', who, '-m', 'asked']);
    this.told('deletion', await this.hash(who));
    const [hold] = lines(await this.act(['log', 'hold', 'list', '--json']));
    this.releases = { at: fstatSync(this.fd).size, id: hold.request_id };
    await this.act(['log', 'hold', 'release', String(hold.hold), '-m', 'settled']);
  }

  // What a disk of that state says, once a gateway has started on it.
  async check(dir, at) {
    const [port, consolePort] = [await freePort(), await freePort()];
    const conf = path.join(dir, 'juyong.yaml');
    const s = Object.assign(new Stack(), {
      options: this.stack.options, dir, conf, port, consolePort, rules: this.stack.rules, demoUrl: this.stack.demoUrl,
    });
    await s.configure({ state_dir: path.join(dir, 'disk/state'), audit: { export: [{ file: path.join(dir, 'disk/copy.jsonl') }] } });
    await s.startGateway();
    try {
      await this.compare(s, this.acks.filter((a) => a.at <= at), at);
    } finally {
      await s.gateway.stop('SIGKILL');
    }
  }

  async compare(s, acks, at) {
    const of = (kind) => acks.filter((a) => a.kind === kind).map((a) => a.value);
    const look = async (...args) => {
      const r = await run([...args, '-c', s.conf, '--json']);
      assert.equal(r.code, 0, `${args.join(' ')} gave ${r.code}: ${r.stdout}${r.stderr}`);
      return lines(r.stdout);
    };
    const all = await s.log('--all');
    const rows = new Map(all.map((row) => [row.request_id, row]));
    for (const { id, action } of of('decision')) assert.equal(rows.get(id)?.action, action, `the decision about ${id}`);
    const copy = path.join(s.dir, 'disk/copy.jsonl');
    for (const more of [[], ...(existsSync(copy) ? [['--checkpoints', copy]] : [])]) {
      const [v] = await look('log', 'verify', ...more);
      if (at <= this.deletes) assert.equal(v.texts_removed + v.originals_removed, 0, JSON.stringify(v));
      assert.equal(v.originals_closed, 0);
    }
    const book = new DatabaseSync(path.join(s.dir, 'disk/state/casebook.db'), { readOnly: true });
    const released = at > this.releases.at ? [this.releases.id] : []; // or about to be
    const lists = {
      account: async () => (await look('account', 'list')).map((a) => a.name),
      key: async () => (await look('key', 'list')).map((k) => k.alias),
      complaint: async () => (await look('complaint', 'list')).map((c) => c.text),
      hold: async () => [...(await look('log', 'hold', 'list')).map((h) => h.request_id), ...released],
      word: async () => (await look('rules', 'urgent', 'list')).map((w) => w.word),
      review: async () => book.prepare('SELECT request_id FROM review').all().map((r) => r.request_id),
      suspension: async () => (await look('user', 'list', '--state', 'suspend')).map((u) => u.end_user),
      deletion: async () => all.filter((r) => r.reason === 'user_deleted').map((r) => r.end_user),
    };
    try {
      for (const [kind, list] of Object.entries(lists)) {
        const want = of(kind);
        if (!want.length) continue;
        const have = new Set(await list());
        assert.deepEqual(want.filter((v) => !have.has(v)), [], `${kind}: there are ${[...have]}`);
      }
      // What the log says was decided is in the casebook, and nothing else. (A gateway that starts may still
      // be asked for something: what it says before is in what it says later.)
      const tokens = (rows) => rows.filter((r) => ['review', 'complaint'].includes(r.reason)).map((r) => JSON.parse(r.detail).token);
      const acts = book.prepare('SELECT token FROM act WHERE state=1').all().map((r) => r.token);
      const later = new Set(tokens(await s.log('--all')));
      assert.deepEqual(tokens(all).filter((token) => !acts.includes(token)), [], 'on record, and not carried out');
      assert.deepEqual(acts.filter((token) => !later.has(token)), [], 'carried out, and not on record');
    } finally {
      book.close();
    }
  }
}

test(`${cuts} power cuts lose nothing that was acknowledged`, { timeout: 7200000 }, async (t) => {
  const life = await Life.begin();
  const s = life.stack;
  try {
    life.password = path.join(s.dir, 'password');
    await writeFile(life.password, 'a long enough passphrase, indeed\n');
    await life.work('anna');
    await life.restart(0);
    await life.work('ben');
    await life.restart(7, () => life.kill()); // the month turns
    await life.work('cleo');
    life.deletes = fstatSync(life.fd).size; // what is too old goes at the next start
    await life.restart(50);
    await life.work('dora');
    await life.clean('one-1');
    await s.gateway.stop();

    const ops = readJournal(life.journal);
    const r = random(seed);
    const points = Array.from({ length: cuts }, () => 1 + Math.floor(r() * ops.length)).sort((a, b) => a - b);
    const disk = new Disk();
    let done = 0;
    const failed = [];
    const busy = new Set();
    for (const [number, point] of points.entries()) {
      while (done < point) disk.step(ops[done++]);
      const dir = path.join(s.dir, `cut-${number}`);
      await mkdir(dir);
      await disk.cut(path.join(dir, 'disk'), random(seed + number));
      const checked = (async () => {
        const { op, name, end } = ops[point - 1];
        await life.check(dir, end).catch((e) => failed.push(`cut ${number} behind operation ${point} (${op} ${name}): ${e.message}`));
        await rm(dir, { recursive: true });
        busy.delete(checked);
      })();
      busy.add(checked);
      if (busy.size >= 3) await Promise.race(busy);
    }
    await Promise.all(busy);
    assert.deepEqual(failed, []);
    t.diagnostic(`${ops.length} operations, ${life.acks.length} acknowledgements, ${cuts} cuts, none lost`);
  } finally {
    await s.stop();
  }
});
