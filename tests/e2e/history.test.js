// A conversation that holds a refused turn: what the model gets to read of it, and what the log says.
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { Stack, until, words } from './harness.js';
import { client, majors } from './clients.js';
import { exchange } from './wire.js';

const notice = 'This content did not pass the safety review and was left out';
const user = (content) => ({ role: 'user', content });
const assistant = (content) => ({ role: 'assistant', content });

// What the stand-in model was sent last.
const received = async (stack) => JSON.parse((await stack.stats()).last_body).messages;
const asked = async (stack) => (await stack.stats()).requests;

// One turn through the SDK, streamed or not: the text, the finish reason.
async function say(openai, messages, stream, more = {}) {
  const request = { model: 'demo', messages, ...more };
  if (!stream) {
    const answer = await openai.chat.completions.create(request);
    return { text: answer.choices[0].message.content, reason: answer.choices[0].finish_reason };
  }
  let text = '';
  let reason;
  for await (const chunk of await openai.chat.completions.create({ ...request, stream: true })) {
    text += chunk.choices[0]?.delta?.content ?? '';
    reason = chunk.choices[0]?.finish_reason ?? reason;
  }
  return { text, reason };
}

const config = { policy: { language: 'en' } };

for (const [name, OpenAI] of Object.entries(majors)) {
  for (const stream of [false, true]) {
    describe(`${name}, ${stream ? 'streamed' : 'not streamed'}`, () => {
      let stack, openai;
      before(async () => {
        stack = await Stack.start({ config });
        ({ openai } = client(OpenAI, stack));
      });
      after(() => stack?.stop());

      test('after a refused turn, 继续 never reaches for its answer', async () => {
        const messages = [user('hello')];
        messages.push(assistant((await say(openai, messages, stream)).text));
        messages.push(user(`tell me, ${words.block}`));
        const before = await asked(stack);
        const refusal = await say(openai, messages, stream);
        assert.equal(refusal.reason, 'content_filter');
        assert.equal(await asked(stack), before);
        messages.push(assistant(refusal.text));
        for (let i = 0; i < 6; i++) { // over both workers
          messages.push(user('继续'));
          const answer = await say(openai, messages, stream);
          assert.equal(answer.reason, 'stop');
          const got = await received(stack);
          assert.equal(got.length, messages.length);
          assert.deepEqual(got.map((m) => m.role), messages.map((m) => m.role));
          for (const [k, m] of got.entries()) {
            if (k === 2 || k === 3) assert.match(m.content, new RegExp(notice));
            else assert.deepEqual(m, messages[k]);
          }
          assert.ok(!(await stack.stats()).last_body.includes(words.block));
          messages.push(assistant(answer.text));
        }
        // The same turn said again is refused again, whatever stands before it.
        messages.push(user(`tell me, ${words.block}`));
        assert.equal((await say(openai, messages, stream)).reason, 'content_filter');
      });

      test('content as text and as parts is the same offence', async () => {
        const text = `in parts, ${words.block}`;
        const parts = [{ type: 'text', text: 'see' }, { type: 'text', text }];
        assert.equal((await say(openai, [user(parts)], stream)).reason, 'content_filter');
        for (const content of [parts, text, [{ type: 'text', text }]]) {
          const answer = await say(openai, [user(content), assistant('no'), user('继续')], stream);
          assert.equal(answer.reason, 'stop');
          const got = await received(stack);
          assert.match(got[0].content, new RegExp(notice));
          assert.deepEqual(got[2], user('继续'));
        }
      });

      test('another end user is somebody else', async () => {
        const turn = user(`for me, ${words.block}`);
        const history = [turn, assistant('no'), user('继续')];
        assert.equal((await say(openai, [turn], stream, { user: 'anna' })).reason, 'content_filter');
        assert.equal((await say(openai, history, stream, { user: 'anna' })).reason, 'stop');
        assert.equal((await say(openai, history, stream, { user: 'ben' })).reason, 'content_filter');
        assert.equal((await say(openai, history, stream, { user: 'ben' })).reason, 'stop');
      });

      test('an answer that was cut comes back as it was shown', async () => {
        const prompt = await stack.script(`cut-${stream}`, { text: `a clear beginning, then ${words.block} and more`, chunk: 3 });
        const messages = [user(prompt)];
        const cut = await say(openai, messages, stream);
        assert.equal(cut.reason, 'content_filter');
        assert.ok(!cut.text.includes(words.block));
        messages.push(assistant(cut.text), user('继续'));
        assert.equal((await say(openai, messages, stream)).reason, 'stop');
        assert.deepEqual(await received(stack), messages);
      });
    });
  }
}

describe('over restarts', () => {
  let stack;
  const turn = user(`remember this, ${words.block}`);
  const history = [turn, assistant('no'), user('继续')];
  before(async () => { stack = await Stack.start({ config }); });
  after(() => stack?.stop());

  async function restart(signal) {
    await stack.gateway.stop(signal);
    await stack.startGateway();
  }

  async function isNotice(messages = history) {
    const answer = await stack.chat(messages);
    assert.equal(answer.json.choices[0].finish_reason, 'stop');
    assert.match((await received(stack))[0].content, new RegExp(notice));
  }

  test('in order', async () => {
    assert.equal((await stack.chat([turn])).json.choices[0].finish_reason, 'content_filter');
    await restart('SIGTERM');
    await isNotice();
  });

  test('by kill -9, in the moment the refusal is there', async () => {
    for (let i = 0; i < 5; i++) {
      const again = user(`and this, ${i} ${words.block}`);
      assert.equal((await stack.chat([again])).json.choices[0].finish_reason, 'content_filter');
      await restart('SIGKILL');
      await isNotice([again, assistant('no'), user('继续')]);
      await isNotice();
    }
    assert.equal((await stack.verify()).code, 0);
  });

  test('the key and the table are the owner\'s alone', async () => {
    const state = path.join(stack.dir, 'state');
    for (const file of ['keys/offence.key', 'offences.bin'])
      assert.equal((await stat(path.join(state, file))).mode & 0o777, 0o600);
    assert.ok(!(await readFile(path.join(state, 'offences.bin'))).includes(Buffer.from(words.block)));
  });
});

describe('the log', () => {
  let stack;
  before(async () => { stack = await Stack.start({ config }); });
  after(() => stack?.stop());

  test('tells an old offence once, and apart from new ones', async () => {
    const turn = user(`in the log, ${words.block}`);
    const messages = [turn];
    await stack.chat(messages);
    for (let i = 0; i < 4; i++) {
      messages.push(assistant('a'), user('继续'));
      await stack.chat(messages);
    }
    const all = await until(async () => {
      const rows = (await stack.log('--all')).filter((r) => r.kind === 'exchange');
      return rows.length === 5 && rows.every((r) => r.outcome !== 'running') && rows;
    }, 'five exchanges on record');
    assert.deepEqual(all.map((r) => r.action), ['block', 'allow', 'allow', 'allow', 'allow']);
    assert.deepEqual(all.map((r) => r.reason), ['content_filter', ...Array(4).fill('old_offence')]);
    assert.deepEqual(all.map((r) => r.hits.map((h) => h.old)), [[false], [true], [], [], []]);
    assert.deepEqual(all.map((r) => r.old), [false, true, null, null, null]);
    // Only the interception itself and the one time that it was told.
    const rows = await stack.log();
    assert.deepEqual(rows.map((r) => r.request_id), [all[0].request_id, all[1].request_id]);
    assert.deepEqual((await stack.log('--action', 'block')).map((r) => r.request_id), [all[0].request_id]);
    assert.match(await stack.metrics(), /juyong_history_notices_total 4\n/);
    // Counted as what it was: one block.
    assert.match(await stack.metrics(), /juyong_\w*actions?\w*\{[^}]*block[^}]*\} 1\n/);
    assert.equal((await stack.verify()).code, 0);
  });
});

describe('policy', () => {
  let stack;
  before(async () => { stack = await Stack.start({ config: { policy: { language: 'en', history: 'refuse' } } }); });
  after(() => stack?.stop());

  test('history: refuse refuses the conversation, and changes by reload', async () => {
    const turn = user(`no more, ${words.block}`);
    const history = [turn, assistant('no'), user('继续')];
    await stack.chat([turn]);
    for (let i = 0; i < 2; i++) {
      const r = await stack.chat(history);
      assert.equal(r.json.choices[0].finish_reason, 'content_filter');
    }
    assert.equal(await asked(stack), 0);
    const rows = await stack.log();
    assert.deepEqual(rows.map((r) => r.reason), ['content_filter', 'old_offence', 'old_offence']);
    assert.deepEqual(rows.map((r) => r.hits[0].old), [false, true, true]);
    await stack.configure({ policy: { history: 'notice' } });
    stack.gateway.kill('SIGHUP');
    await until(async () => (await stack.chat(history)).json.choices[0].finish_reason === 'stop', 'the notice');
    assert.match((await received(stack))[0].content, new RegExp(notice));
  });

  test('a table that is full forgets the oldest, which is then new', async () => {
    await stack.configure({ policy: { history: 'notice' }, audit: { offences: 16 } });
    await stack.gateway.stop();
    await stack.startGateway();
    const turn = (i) => user(`number ${i}, ${words.block}`);
    const history = (i) => [turn(i), assistant('no'), user('继续')];
    for (let i = 0; i < 20; i++) await stack.chat([turn(i)]);
    const reason = async (i) => (await stack.chat(history(i))).json.choices[0].finish_reason;
    assert.equal(await reason(19), 'stop');
    assert.equal(await reason(4), 'stop');
    assert.equal(await reason(3), 'content_filter'); // and with it remembered anew, in place of 4
    assert.equal(await reason(3), 'stop');
    assert.equal(await reason(4), 'content_filter');
  });
});

describe('workers', () => {
  let stack;
  before(async () => { stack = await Stack.start({ config: { ...config, workers: 3 } }); });
  after(() => stack?.stop());

  test('what one refused, all know', async () => {
    const post = (messages) => {
      const body = Buffer.from(JSON.stringify({ model: 'demo', messages })).toString('latin1');
      return exchange(stack.port, 'POST /v1/chat/completions HTTP/1.1\r\nHost: gate\r\nConnection: close\r\n'
        + `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    };
    // A connection each: the system deals them out to the workers.
    for (let i = 0; i < 8; i++) {
      const turn = user(`from worker to worker, ${i} ${words.block}`);
      assert.match((await post([turn])).text, /"content_filter"/);
      const answers = await Promise.all(Array.from({ length: 8 }, () => post([turn, assistant('no'), user('继续')])));
      for (const a of answers) assert.match(a.text, /"stop"/);
    }
    assert.equal(await asked(stack), 64);
  });
});
