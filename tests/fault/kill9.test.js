// kill -9 during load: whatever a client was told about a decision is on record afterwards, and the
// chain is whole.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { Stack, quick, random, sleep, soak, words } from '../e2e/harness.js';

const rounds = soak ? 1000 : quick ? 10 : 100;

test(`${rounds} rounds of kill -9 lose no acknowledged record`, { timeout: 600000 }, async (t) => {
  const stack = await Stack.start();
  const r = random(9);
  const acknowledged = new Map();
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
      await sleep(40 + 160 * r());
      await stack.gateway.stop('SIGKILL');
      stop = true;
      await Promise.all(load);
      if (round % 10 === 9 || round === rounds - 1) {
        const verified = await stack.verify();
        assert.equal(verified.code, 0, `round ${round}: ${verified.stdout}${verified.stderr}`);
      }
    }
    const rows = new Map((await stack.log('--all')).map((row) => [row.request_id, row]));
    const lost = [...acknowledged].filter(([id, action]) => rows.get(id)?.action !== action);
    assert.deepEqual(lost, []);
    assert.ok(acknowledged.size > rounds * 5, `${acknowledged.size} acknowledged`);
    t.diagnostic(`${acknowledged.size} acknowledged decisions in ${rounds} rounds, none lost`);
  } finally {
    await stack.stop();
  }
});
