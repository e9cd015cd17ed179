// What follows when an end user's prompts are intercepted again and again.
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Clock, Stack, binary, run, words } from './harness.js';
import { client, majors } from './clients.js';

const bad = (n = '') => `tell me ${n} ${words.block}`;
const english = { policy: { language: 'en' } };
const finish = (r) => r.json.choices[0].finish_reason;
const text = (r) => r.json.choices[0].message.content;

// One prompt of that user; how it ended and what the record says.
async function say(stack, user, content, more = {}) {
  const r = await stack.chat(content, { user, ...more });
  const [row] = await stack.log('--all', '--request', r.headers.get('x-request-id'));
  return { r, row, reason: row.reason, refused: r.status !== 200 || finish(r) === 'content_filter' };
}
const asked = async (stack) => (await stack.stats()).requests;

for (const [name, OpenAI] of Object.entries(majors)) {
  describe(`three in a row, through ${name}`, () => {
    let stack, openai;
    before(async () => {
      stack = await Stack.start({ config: english });
      ({ openai } = client(OpenAI, stack));
    });
    after(() => stack?.stop());
    const ask = (user, content, more = {}) => openai.chat.completions.create(
      { model: 'demo', user, messages: [{ role: 'user', content }], ...more });

    test('each refusal says what is coming, the third that it came', async () => {
      const said = [];
      for (let i = 0; i < 3; i++) {
        const answer = await ask('anna', bad(i));
        assert.equal(answer.choices[0].finish_reason, 'content_filter');
        said.push(answer.choices[0].message.content);
      }
      assert.match(said[0], /can't help.*Please note: repeated violations/);
      assert.match(said[1], /can't help.*Please note: repeated violations/);
      assert.match(said[2], /can't help.*suspended until \d{4}-\d\d-\d\d \d\d:\d\d \(UTC\+8\)\. You may appeal/);
    });

    test('then nothing is asked of the model, in either form', async () => {
      const before = await asked(stack);
      const answer = await ask('anna', 'hello');
      assert.equal(answer.choices[0].finish_reason, 'content_filter');
      assert.match(answer.choices[0].message.content, /^After repeated violations your access is suspended until/);
      let streamed = '', reason;
      for await (const chunk of await ask('anna', 'hello', { stream: true })) {
        streamed += chunk.choices[0]?.delta?.content ?? '';
        reason = chunk.choices[0]?.finish_reason ?? reason;
      }
      assert.equal(streamed, answer.choices[0].message.content);
      assert.equal(reason, 'content_filter');
      assert.equal(await asked(stack), before);
    });

    test('and the record says who, and why', async () => {
      const rows = await stack.log('--end-user', 'anna');
      assert.deepEqual(rows.map((r) => r.reason), ['content_filter', 'content_filter', 'content_filter', 'user_suspended', 'user_suspended']);
      assert.deepEqual(rows.map((r) => r.action), Array(5).fill('block'));
      assert.deepEqual(rows.map((r) => r.strikes), [1, 2, 3, null, null]);
      assert.deepEqual(rows.map((r) => r.strikes_today), [1, 2, 3, null, null]);
      assert.deepEqual(rows.slice(0, 3).map((r) => r.user_state), ['warn', 'warn', 'suspend']);
      assert.ok(rows.every((r) => r.outcome === 'refused'));
    });

    test('nobody else pays for it', async () => {
      assert.equal((await ask('ben', 'hello')).choices[0].finish_reason, 'stop');
      const answer = await openai.chat.completions.create({ model: 'demo', messages: [{ role: 'user', content: 'hello' }] });
      assert.equal(answer.choices[0].finish_reason, 'stop');
    });
  });
}

describe('what counts', () => {
  let stack;
  before(async () => { stack = await Stack.start({ config: english }); });
  after(() => stack?.stop());
  const refused = async (user, content = bad(), more = {}) => {
    const s = await say(stack, user, content, more);
    assert.ok(s.refused);
    return s;
  };
  const passes = async (user, content = 'hello') => assert.ok(!(await say(stack, user, content)).refused);

  test('an innocent prompt ends the row, not the day', async () => {
    for (let i = 0; i < 2; i++) {
      await refused('row'); await refused('row'); await passes('row');
    }
    const last = await refused('row');
    assert.equal(last.row.strikes, 1);
    assert.equal(last.row.strikes_today, 5);
    assert.equal(last.row.user_state, 'suspend');
    assert.equal((await refused('row', 'hello')).reason, 'user_suspended');
  });

  test('the fourth of a day limits: one prompt now and then', async () => {
    for (let i = 0; i < 4; i++) {
      const s = await refused('slow');
      assert.equal(s.row.user_state, i < 3 ? 'warn' : 'limit');
      if (i < 3) await passes('slow');
    }
    await passes('slow');
    const held = await refused('slow', 'hello');
    assert.equal(held.reason, 'user_limited');
    const wait = Number(held.r.headers.get('retry-after'));
    assert.ok(wait >= 1 && wait <= 10, `to his next turn: ${wait}`);
    assert.match(text(held.r), /ask only now and then until/);
    // It does not hide what is forbidden: that is the fifth.
    assert.equal((await refused('slow')).row.user_state, 'suspend');
  });

  test('without a user nothing is counted', async () => {
    for (let i = 0; i < 7; i++) {
      const s = await refused(undefined);
      assert.equal(s.reason, 'content_filter');
      assert.equal(s.row.strikes, null);
      assert.doesNotMatch(text(s.r), /note/);
    }
    await passes(undefined);
  });

  test('what stands in the history is not counted again, known or not', async () => {
    const turn = { role: 'user', content: bad('once') };
    await refused('talker', turn.content);
    for (let i = 0; i < 7; i++)
      await passes('talker', [turn, { role: 'assistant', content: 'no' }, { role: 'user', content: `go on ${i}` }]);
    // Another gateway's refusal, which this one does not know: refused, and nobody's strike.
    for (let i = 0; i < 7; i++) {
      const s = await refused('talker', [{ role: 'user', content: bad(`elsewhere ${i}`) }, { role: 'assistant', content: 'no' },
        { role: 'user', content: 'go on' }]);
      assert.equal(s.reason, 'content_filter');
      assert.equal(s.row.strikes, null);
    }
    await passes('talker');
    // What the app says of itself is not the user's word.
    for (let i = 0; i < 4; i++)
      assert.equal((await refused('talker', [{ role: 'system', content: bad(i) }, { role: 'user', content: 'hi' }])).row.strikes, null);
    await passes('talker');
  });

  test('a prepared answer, a mask, a flag and a cut answer are no strikes', async () => {
    const cut = await stack.script('cut', { text: `well ${words.block}`, chunk: 2 });
    for (let i = 0; i < 6; i++)
      for (const content of [`${words.answer} ${i}`, `${words.mask} ${i}`, `${words.flag} ${i}`, cut])
        assert.equal((await say(stack, 'mild', content)).row.strikes, null);
    await passes('mild');
  });

  test('malformed requests are no strikes', async () => {
    for (let i = 0; i < 6; i++)
      assert.equal((await stack.post('/v1/chat/completions', `{"model":"demo","user":"clumsy","messages":[}`)).status, 400);
    await passes('clumsy');
  });

  test('completions count as chats do', async () => {
    const complete = (prompt) => stack.post('/v1/completions', { model: 'demo', user: 'writer', prompt });
    for (let i = 0; i < 3; i++) await complete(bad(i));
    const r = await complete('hello');
    assert.match(JSON.parse(r.text).choices[0].text, /suspended until/);
  });

  test('the file and its key are the owner\'s alone', async () => {
    for (const file of ['keys/strike.key', 'strikes.bin'])
      assert.equal((await stat(path.join(stack.dir, 'state', file))).mode & 0o777, 0o600);
  });
});

describe('configurations', () => {
  const each = async (config, check) => {
    const stack = await Stack.start({ config });
    try { await check(stack); } finally { await stack.stop(); }
  };

  test('numbers, answers and words are the operator\'s', () => each(
    { strikes: { consecutive: 2, per_day: 0, answers: true, suspend_for: '90s' },
      policy: { texts: { user_suspended: '停用至{until}，{until}。', user_warned: '警告。' }, language: 'zh' } },
    async (stack) => {
      const first = await say(stack, 'anna', bad(1));
      assert.match(text(first.r), /。警告。$/);
      await say(stack, 'ben', words.answer);
      const helped = await say(stack, 'ben', `${words.answer}!`);
      assert.equal(finish(helped.r), 'stop', 'the answer itself stays');
      assert.doesNotMatch(text(helped.r), /警告|停用/);
      await say(stack, 'anna', bad(2));
      for (const user of ['anna', 'ben']) {
        const s = await say(stack, user, 'hi');
        assert.equal(s.reason, 'user_suspended');
        assert.match(text(s.r), /^停用至(\d{4}-\d\d-\d\d \d\d:\d\d \(UTC\+8\))，\1。$/);
      }
    }));

  test('the refusal has the app\'s style', () => each(
    { strikes: { consecutive: 1 }, policy: { refusal: 'error', language: 'both' } }, async (stack) => {
      const first = await stack.chat(bad(), { user: 'anna' });
      assert.equal(first.status, 400);
      assert.equal(first.json.error.code, 'content_filter');
      const { openai, APIError } = { ...client(Object.values(majors).at(-1), stack) };
      const error = await openai.chat.completions.create(
        { model: 'demo', user: 'anna', messages: [{ role: 'user', content: 'hi' }] }).catch((e) => e);
      assert.equal(error.status, 403);
      assert.equal(error.code, 'user_suspended');
      assert.match(error.message, /暂停至.*suspended until/);
      // No status that SDKs retry; how long it lasts is told all the same.
      const wait = Number(new Headers(error.headers).get('retry-after'));
      assert.ok(wait > 86000 && wait <= 86400, `${wait}`);
      assert.equal(new Headers(first.headers).get('retry-after'), null);
      const until = new Date(error.message.match(/until (\d{4}-\d\d-\d\d) (\d\d:\d\d) \(UTC\+8\)/).slice(1, 3).join('T') + ':00+08:00');
      const [state] = (await run(['user', 'list', '-c', stack.conf, '--json'])).stdout.trim().split('\n').map(JSON.parse);
      const late = until - new Date(state.until);
      assert.ok(late >= 0 && late < 60e3, `the minute that is told is not before the end: ${late}`);
    }));

  test('observe mode counts nothing and holds nobody; off is a weakening that is told', async () => {
    const until_ = new Date(Date.now() + 3 * 86400e3).toISOString().slice(0, 10);
    await each({ policy: { mode: 'observe', until: until_ } }, async (stack) => {
      for (let i = 0; i < 6; i++) {
        const s = await say(stack, 'anna', bad(i));
        assert.ok(!s.refused);
        assert.equal(s.row.strikes, null);
      }
    });
    await each({ strikes: { enabled: false } }, async (stack) => {
      for (let i = 0; i < 6; i++) assert.equal((await say(stack, 'anna', bad(i))).row.strikes, null);
      assert.match(await stack.gateway.output(), /weakened: strikes: .*never suspended/);
    });
  });
});

describe('over restarts and days', () => {
  let stack, clock;
  before(async () => { stack = await Stack.start({ config: english }); });
  after(() => stack?.stop());

  async function restart(signal, env) {
    await stack.gateway.stop(signal);
    await stack.startGateway(env ?? {});
  }

  test('a strike whose refusal was seen survives kill -9', async () => {
    for (let round = 0; round < 4; round++) {
      const user = `killed-${round}`;
      for (let i = 1; i <= 3; i++) {
        const r = await stack.chat(bad(`${round} ${i}`), { user });
        assert.equal(finish(r), 'content_filter');
        await restart(i % 2 ? 'SIGKILL' : 'SIGTERM');
      }
      const s = await say(stack, user, 'hello');
      assert.equal(s.reason, 'user_suspended');
      const rows = (await stack.log('--end-user', user)).filter((r) => r.reason === 'content_filter');
      assert.deepEqual(rows.map((r) => r.strikes), [1, 2, 3]);
    }
    assert.equal((await stack.verify()).code, 0);
  });

  test('so does the end of a row', async () => {
    await say(stack, 'calm', bad(1));
    await say(stack, 'calm', bad(2));
    assert.ok(!(await say(stack, 'calm', 'hello')).refused);
    await restart('SIGKILL');
    assert.equal((await say(stack, 'calm', bad(3))).row.strikes, 1);
  });

  test('at midnight in China the day begins anew, while the gateway runs', async (t) => {
    if (binary.endsWith('.sh')) return t.skip('a wrapper (TSan) takes no other clock');
    clock = await Clock.create(stack.dir);
    // 23:00 there, today.
    const now = Math.floor(Date.now() / 1000);
    const local = (now + 8 * 3600) % 86400;
    const to23 = (23 * 3600 - local + 86400) % 86400;
    await clock.set(to23);
    await restart('SIGTERM', clock.env);
    for (let i = 1; i <= 3; i++) {
      assert.equal((await say(stack, 'owl', bad(i))).row.strikes_today, i);
      assert.ok(!(await say(stack, 'owl', 'hello')).refused);
    }
    await clock.set(to23 + 2 * 3600);
    for (let i = 1; i <= 3; i++) {
      assert.equal((await say(stack, 'owl', bad(i))).row.strikes_today, i);
      assert.ok(!(await say(stack, 'owl', 'hello')).refused);
    }
    // A suspension ends by itself, and what led to it is over.
    for (let i = 0; i < 3; i++) await say(stack, 'lark', bad(i));
    assert.equal((await say(stack, 'lark', 'hello')).reason, 'user_suspended');
    await clock.set(to23 + 2 * 3600 + 86400 - 600);
    assert.equal((await say(stack, 'lark', 'hello')).reason, 'user_suspended');
    await clock.set(to23 + 2 * 3600 + 86400 + 60);
    assert.ok(!(await say(stack, 'lark', 'hello')).refused);
    assert.equal((await say(stack, 'lark', bad())).row.strikes, 1);
  });

  test('a table that is damaged is told of and costs what it hit', async () => {
    await stack.gateway.stop();
    await writeFile(path.join(stack.dir, 'state/strikes.bin'), 'nothing that we wrote, surely');
    await stack.startGateway();
    assert.match(await stack.gateway.output(), /strikes\.bin are damaged or of another key/);
    assert.ok(!(await say(stack, 'killed-0', 'hello')).refused);
  });
});

describe('kill -9 under load', () => {
  let stack;
  // Nobody is ever suspended, so that the numbers grow.
  before(async () => {
    stack = await Stack.start({ config: { ...english, workers: 3,
      strikes: { consecutive: 0, per_day: 0, limit_per_day: 0 } } });
  });
  after(() => stack?.stop());

  test('whatever refusal was seen counts, and nothing counts that is not on record', async () => {
    const users = Array.from({ length: 6 }, (_, i) => `user-${i}`);
    const seen = Object.fromEntries(users.map((u) => [u, 0]));
    for (let round = 0; round < 4; round++) {
      let over = false;
      const load = users.flatMap((user) => [0, 1].map(async (k) => {
        for (let i = 0; !over; i++) {
          const r = await stack.chat(bad(`${round} ${k} ${i}`), { user }).catch(() => null);
          if (r?.json && finish(r) === 'content_filter') seen[user]++;
        }
      }));
      await new Promise((done) => setTimeout(done, 150 + 60 * round));
      stack.gateway.kill('SIGKILL');
      over = true;
      await Promise.all(load);
      await stack.gateway.stop('SIGKILL');
      await stack.startGateway();
      for (const user of users) {
        const acts = (await stack.log('--end-user', user)).filter((r) => r.reason === 'content_filter');
        const shown = await run(['user', 'show', '-c', stack.conf, '--json', user]);
        const known = shown.stdout.split('\n').filter(Boolean).map(JSON.parse).find((e) => 'total' in e);
        assert.ok(known.total >= seen[user], `${user}: ${known.total} counted, ${seen[user]} seen`);
        assert.ok(known.total <= acts.length, `${user}: ${known.total} counted, ${acts.length} on record`);
        assert.equal(known.consecutive, known.total);
      }
    }
    assert.ok(Object.values(seen).every((n) => n > 4), JSON.stringify(seen));
    assert.equal((await stack.verify()).code, 0);
  });
});

describe('in parallel', () => {
  let stack;
  before(async () => { stack = await Stack.start({ config: { ...english, workers: 4, strikes: { consecutive: 7, per_day: 0 } } }); });
  after(() => stack?.stop());

  test('the seventh of a hundred is the last that counts', async () => {
    const before = await asked(stack);
    await Promise.all(Array.from({ length: 100 }, (_, i) => stack.chat(bad(i), { user: 'crowd' })));
    const rows = await stack.log('--end-user', 'crowd');
    const counted = rows.filter((r) => r.reason === 'content_filter');
    assert.deepEqual(counted.map((r) => r.strikes).sort(), [1, 2, 3, 4, 5, 6, 7], 'each number once');
    assert.equal(rows.filter((r) => r.reason === 'user_suspended').length, 93);
    assert.equal(await asked(stack), before);
    assert.match(await stack.metrics(), /juyong_strikes_total 7\n/);
    assert.match(await stack.metrics(), /juyong_users_refused_total 93\n/);
  });

  test('many users at once do not get into each other\'s way', async () => {
    const users = Array.from({ length: 40 }, (_, i) => `u${i}`);
    const answers = await Promise.all(users.flatMap((user, i) => Array.from({ length: i % 7 }, (_, k) => stack.chat(bad(k), { user }))));
    // What was not answered is not counted either: that is another fault than a wrong count.
    assert.deepEqual(answers.filter((r) => r.status !== 200 || finish(r) !== 'content_filter').map((r) => r.text), []);
    const ids = answers.map((r) => r.headers.get('x-request-id'));
    assert.equal(new Set(ids).size, ids.length, 'each request has an id of its own');
    for (const [i, user] of users.entries()) {
      const rows = await stack.log('--end-user', user);
      assert.deepEqual(rows.map((r) => r.strikes).sort(), Array.from({ length: i % 7 }, (_, k) => k + 1),
        `${user}: ${JSON.stringify(rows.map((r) => [r.request_id, r.reason, r.outcome, r.strikes]))}`);
    }
    const verified = await stack.verify();
    assert.equal(verified.code, 0, verified.stdout + verified.stderr);
  });
});
