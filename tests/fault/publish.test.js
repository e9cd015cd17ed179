// kill -9 of the command that publishes, at any moment, and of the gateway meanwhile: the old version
// is in force or the new one, never none, and the journal tells the truth.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Stack, binary, quick, random, run, sleep, soak, until } from '../e2e/harness.js';

const rounds = soak ? 500 : quick ? 15 : 60;

test(`${rounds} rounds of kill -9 while publishing`, { timeout: 1200000 }, async (t) => {
  const stack = await Stack.start();
  const r = random(8);
  const store = (...names) => path.join(stack.dir, 'state', 'rules', ...names);
  const log = async () => {
    const l = await run(['rules', 'log', '-c', stack.conf, '--json']);
    assert.equal(l.code, 0, l.stderr);
    return l.stdout.split('\n').filter(Boolean).map((line) => JSON.parse(line));
  };
  const word = (round) => `轮换词语${round}号`;
  const edit = (round) => writeFile(path.join(stack.rules, 'keywords', 'A1-a.txt'), `${word(round)}\n`);
  const args = (...more) => ['rules', ...more, '-c', stack.conf, '--json', '--reason', 'a test', '--author', 'anna'];
  const isBlocked = async (text) => (await stack.chat(text)).headers.get('x-juyong-action') === 'block';
  let old = 0;
  let fresh = 0;
  try {
    await edit('begin');
    // How long one takes here, so that the kills are spread over all of it.
    const since = performance.now();
    let last = JSON.parse((await run(args('publish'))).stdout).sha256;
    const span = (performance.now() - since) * 1.1;
    for (let round = 0; round < rounds; round++) {
      await edit(round);
      const child = spawn(binary, args(...(round % 4 === 3 ? ['urgent', `急用${round}词`, '--risk', 'A1-a', '--expires', '1h'] : ['publish'])), { stdio: 'ignore' });
      const ended = new Promise((done) => child.once('exit', done));
      await sleep(span * r());
      child.kill('SIGKILL');
      await ended;
      if (round % 5 === 4) {
        await stack.gateway.stop('SIGKILL');
        await stack.startGateway();
      }
      const current = (await readFile(store('current'), 'utf8')).trim();
      const fit = await run(['rules', 'list', '-c', stack.conf, '--published', '--json']);
      assert.equal(fit.code, 0, `round ${round}: ${fit.stderr}`);
      if (current === last) old++; else fresh++;
      const text = round % 4 === 3 ? `急用${round}词` : word(round);
      // A gateway serves it, too, soon or already.
      await until(async () => (await isBlocked(text)) === (current !== last), `round ${round} is served as it is stored`);
      await log();
      if (round % 3 === 0) {
        // What was left behind is in nobody's way.
        await edit(`${round}b`);
        const next = await run(args('publish'));
        assert.equal(next.code, 0, `round ${round}: ${next.stderr}`);
        assert.ok(await isBlocked(word(`${round}b`)));
        assert.equal((await log())[0].sha256, JSON.parse(next.stdout).sha256);
      }
      last = (await readFile(store('current'), 'utf8')).trim();
      const inForce = (await log()).find((e) => e.in_force);
      assert.equal(inForce?.sha256, last, `round ${round}`);
    }
    assert.equal((await stack.verify()).code, 0);
    assert.ok(old > 0 && fresh > 0, `${old} old, ${fresh} new`);
    t.diagnostic(`${rounds} kills: ${old} left the old version in force, ${fresh} the new one`);
  } finally {
    await stack.stop();
  }
});
