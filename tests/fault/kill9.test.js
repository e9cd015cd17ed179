// kill -9 during load: whatever a client was told about a decision is on record afterwards, and the
// chain is whole.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Stack, quick, random, run, sleep, soak, words } from '../e2e/harness.js';

const lines = (text) => text.split('\n').filter(Boolean).map((l) => JSON.parse(l));
const rounds = soak ? 1000 : quick ? 10 : 100;

test(`${rounds} rounds of kill -9 lose no acknowledged record`, { timeout: 7200000 }, async (t) => {
  const stack = await Stack.start({ config: { complaints: { form: true, per_hour: 1000, all_per_hour: 10000 } } });
  const r = random(9);
  const acknowledged = new Map();
  const acts = { review: [], account: [], key: [], complaint: [] };
  const password = path.join(stack.dir, 'password');
  await writeFile(password, 'a long enough passphrase, indeed\n');
  // Somebody decides something while the gateway is killed; what was answered with yes counts.
  const decide = async (round) => {
    const name = `p${round}`;
    const act = (...args) => run([...args, '-c', stack.conf]);
    const done = async (kind, value, args) => {
      if ((await act(...args, '--wait', '1s')).code === 0) acts[kind].push(value);
    };
    const id = [...acknowledged.keys()].at(-1);
    if (id) await done('review', id, ['log', 'review', '--correct', id, '--author', 'anna']);
    if ((await act('account', 'add', name, '--role', 'viewer', '--password-file', password)).code === 0) acts.account.push(name);
    if ((await act('key', 'create', '--alias', name)).code === 0) acts.key.push(name);
  };
  const complain = async (round) => {
    try {
      const r = await fetch(`${stack.url}/v1/complaints`, {
        method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ kind: 'other', text: `c${round}` }),
      });
      if (r.status === 200) acts.complaint.push(`c${round}`);
    } catch { /* killed */ }
  };
  try {
    const cut = await stack.script('cut', { text: ['harmless ', ...words.block, ' tail'] });
    const mask = await stack.script('mask', { text: '电话 13800138000。' });
    for (let round = 0; round < rounds; round++) {
      if (round > 0) await stack.startGateway();
      let stop = false;
      const one = async (prompt, stream, action) => {
        while (!stop) {
          try {
            const got = await stack.chat(prompt, { stream });
            // Whole answers only: a stream counts when its terminal frame arrived.
            const whole = stream ? got.done : got.json?.choices;
            if (got.status === 200 && whole) acknowledged.set(got.headers.get('x-request-id'), action);
          } catch {
            return; // killed
          }
        }
      };
      const load = [one(words.block, false, 'block'), one(words.block, true, 'block'), one(cut, true, 'block'),
        one(cut, false, 'block'), one(mask, true, 'mask'), one(mask, false, 'mask')];
      if (round % 10 === 5) load.push(decide(round), complain(round));
      await sleep(40 + 160 * r());
      await stack.gateway.stop('SIGKILL');
      stop = true;
      await Promise.all(load);
      if (round % 10 === 9 || round === rounds - 1) {
        const verified = await stack.verify();
        assert.equal(verified.code, 0, `round ${round}: ${verified.stdout}${verified.stderr}`);
      }
    }
    await stack.startGateway();
    const rows = new Map((await stack.log('--all')).map((row) => [row.request_id, row]));
    const lost = [...acknowledged].filter(([id, action]) => rows.get(id)?.action !== action);
    assert.deepEqual(lost, []);
    const [v] = lines((await run(['log', 'verify', '--json', '-c', stack.conf])).stdout);
    assert.equal(v.texts_removed + v.originals_removed + v.originals_closed, 0);
    assert.ok(v.originals > 0 && v.originals === v.texts, `${v.originals} original texts, ${v.texts} masked ones`);
    // The index says what the log says.
    for (const filter of [['--text', words.block], ['--rule', [...rows.values()].find((row) => row.action === 'block').rule]]) {
      const found = new Set((await stack.log(...filter)).map((row) => row.request_id));
      const want = [...rows.values()].filter((row) => row.action === 'block').map((row) => row.request_id);
      assert.deepEqual(want.filter((id) => !found.has(id)), []);
    }
    const book = new DatabaseSync(path.join(stack.dir, 'state/casebook.db'), { readOnly: true });
    const column = (sql) => book.prepare(sql).all().map((row) => Object.values(row)[0]);
    const listed = async (args, of) => lines((await run([...args, '--json', '-c', stack.conf])).stdout).map(of);
    const have = {
      review: column('SELECT request_id FROM review'),
      complaint: column('SELECT text FROM ticket'),
      account: await listed(['account', 'list'], (a) => a.name),
      key: await listed(['key', 'list'], (k) => k.alias),
    };
    assert.equal(column('SELECT count(*) FROM act WHERE state=0')[0], 0);
    book.close();
    for (const kind of Object.keys(acts)) assert.deepEqual(acts[kind].filter((x) => !have[kind].includes(x)), [], kind);
    t.diagnostic(`${Object.entries(acts).map(([kind, list]) => `${list.length} ${kind}`).join(', ')} acts, none lost`);
    assert.ok(acknowledged.size > rounds * 5, `${acknowledged.size} acknowledged`);
    t.diagnostic(`${acknowledged.size} acknowledged decisions in ${rounds} rounds, none lost`);
  } finally {
    await stack.stop();
  }
});
