// A gateway whose files are damaged, newer, gone, or somebody else's: it refuses to start with a line that says
// why where evidence or a lock is at stake, and serves where only the console's comfort is.
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { cp, readdir, readFile, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import path from 'node:path';
import { Program, Stack, run, until, words } from '../e2e/harness.js';

let stack;
let kept;
const state = (...names) => path.join(stack.dir, 'state', ...names);
const logFile = async (tier) => state('log', (await readdir(state('log'))).find((f) => new RegExp(`^${tier}-[0-9-]*\\.db$`).test(f)));

before(async () => {
  stack = await Stack.start();
  const file = path.join(stack.dir, 'password');
  await writeFile(file, 'a long enough passphrase, indeed\n');
  assert.equal((await run(['account', 'add', 'anna', '--role', 'viewer', '--password-file', file, '-c', stack.conf])).code, 0);
  const id = (await stack.chat(words.block)).headers.get('x-request-id');
  assert.equal((await run(['log', 'review', '--correct', id, '--author', 'anna', '-c', stack.conf])).code, 0);
  await stack.gateway.stop();
  kept = path.join(stack.dir, 'kept');
  await cp(state(), kept, { recursive: true });
});
after(() => stack?.stop());

const garble = async (file) => {
  const bytes = await readFile(file);
  bytes.fill('x', 0, 100);
  await writeFile(file, bytes);
};
const newer = (file) => {
  const db = new DatabaseSync(file);
  db.exec('PRAGMA user_version = 99');
  db.close();
};
const link = async (file) => {
  await rename(file, `${file}.elsewhere`);
  await symlink(`${file}.elsewhere`, file);
};

async function restore() {
  await rm(state(), { recursive: true });
  await cp(kept, state(), { recursive: true });
}

// Ends by itself, within the time of a start, and says why.
async function refuses(pattern) {
  const since = (await readFile(path.join(stack.dir, 'serve.log'), 'utf8')).length;
  const p = await Program.start(['serve', '-c', stack.conf], path.join(stack.dir, 'serve.log'));
  const how = await Promise.race([p.exited, new Promise((done) => setTimeout(done, 10000))]);
  if (!how) await p.stop('SIGKILL');
  assert.ok(how && how.code !== 0 && how.signal === null, JSON.stringify(how));
  assert.match((await p.output()).slice(since), pattern);
}

async function serves() {
  await stack.startGateway();
  const r = await stack.chat(words.block);
  assert.equal(r.headers.get('x-juyong-action'), 'block');
  assert.equal((await stack.log('--request', r.headers.get('x-request-id')))[0].action, 'block');
  return r;
}

describe('the log', () => {
  for (const [name, tier, damage, pattern] of [
    ['a garbled header', 'l0', garble, /l0-.*corrupt or no database/],
    ['a garbled header of the texts', 'l1', garble, /l1-.*corrupt or no database/],
    ['a garbled header of the original texts', 'l2', garble, /l2-.*corrupt or no database/],
    ['a newer version', 'l0', newer, /written by a newer juyong/],
    ['a newer version of the texts', 'l1', newer, /written by a newer juyong/],
    ['a link in its place', 'l0', link, /l0-.*can't be opened/],
    ['half of it', 'l0', (f) => truncate(f, 8192), /l0-/],
    ['nothing in its place', 'l0', (f) => rm(f), /signed checkpoint speaks of/],
  ]) {
    test(`${name}: refused, and as it was`, async () => {
      await damage(await logFile(tier));
      await refuses(pattern);
      await restore();
      await serves();
      await stack.gateway.stop();
      await restore();
    });
  }
});

describe('the casebook', () => {
  for (const [name, damage] of [['garbled', garble], ['of a newer version', newer], ['a link', link]]) {
    test(`${name}: requests are judged and recorded, nothing is reviewed`, async () => {
      await damage(state('casebook.db'));
      const since = (await stack.gateway.output()).length;
      const r = await serves();
      assert.match((await stack.gateway.output()).slice(since), /casebook\.db: reviews and tickets can't be opened[^]*nothing can be reviewed until/);
      const review = await run(['log', 'review', '--correct', r.headers.get('x-request-id'), '--author', 'a', '-c', stack.conf]);
      assert.notEqual(review.code, 0);
      await stack.gateway.stop();
      assert.equal((await stack.verify()).code, 0);
      await restore();
    });
  }
});

describe('the accounts', () => {
  for (const [name, damage] of [['garbled', garble], ['half there', (f) => truncate(f, 40)], ['a link', link]]) {
    test(`${name}: requests are judged and recorded, nobody logs in`, async () => {
      await damage(state('accounts.json'));
      const before = await readFile(state('accounts.json'), 'utf8');
      const since = (await stack.gateway.output()).length;
      await serves();
      assert.match((await stack.gateway.output()).slice(since), /the console serves health and metrics only/);
      assert.equal((await fetch(`${stack.console}/healthz`)).status, 200);
      const login = await fetch(`${stack.console}/api/session`, {
        method: 'POST', headers: { 'content-type': 'application/json', origin: stack.console },
        body: JSON.stringify({ name: 'anna', password: 'a long enough passphrase, indeed' }),
      });
      assert.notEqual(login.status, 200);
      // What is damaged is not written over.
      const file = path.join(stack.dir, 'password');
      assert.notEqual((await run(['account', 'add', 'ben', '--role', 'viewer', '--password-file', file, '-c', stack.conf])).code, 0);
      assert.equal(await readFile(state('accounts.json'), 'utf8'), before);
      await stack.gateway.stop();
      await restore();
    });
  }
});

describe('the index', () => {
  for (const [name, damage] of [['garbled', garble], ['of another version', newer], ['a link', link], ['gone', (f) => rm(f)]]) {
    test(`${name}: it is made anew, and nobody notices`, async () => {
      for (const file of ['ix', 'tx']) {
        await stack.startGateway();
        await until(() => logFile(file), `${file} is there`);
        await stack.gateway.stop();
        await damage(await logFile(file));
      }
      await serves();
      assert.ok((await stack.log('--text', words.block)).length >= 2);
      try {
        for (const file of ['ix', 'tx'])
          await until(async () => {
            const db = new DatabaseSync(await logFile(file), { readOnly: true });
            try {
              return db.prepare('PRAGMA user_version').get().user_version !== 99 && db.prepare('SELECT seq FROM state').get().seq > 0;
            } finally {
              db.close();
            }
          }, `${file} is made anew`, 10000);
      } finally {
        await stack.gateway.stop();
      }
      assert.equal((await stack.verify()).code, 0);
      await restore();
    });
  }
});
