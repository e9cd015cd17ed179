// Second opinions: who is asked, when, what waits for it, what follows, and what the log says of it.
import { after, before, beforeEach, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Program, Stack, freePort, run, sleep, until, words } from './harness.js';
import { ask, client, majors } from './clients.js';
import { Guard } from './guard.js';

// Words that only the guard minds.
const bad = '紫色暗号';
const doubtful = '蓝色暗号';
const judge = (q) => (q.text.includes(bad) ? { score: 0.95, category: 'Violent' }
  : q.text.includes(doubtful) ? { score: 0.5, category: 'Unethical' } : null);

const source = (guard, more = {}) => ({ name: 'guard', kind: 'qwen3guard', url: `${guard.url}/v1/chat/completions`,
  model: 'guard-1', timeout: '1s', categories: { Violent: 'A1-f' }, cache: 0, ...more });
const row = (more = {}) => ({ from: 'guard', flag: 40, block: 90, ...more });

async function start(guard, rows, more = {}, policy = {}, extra = {}) {
  const s = await Stack.start({ config: { opinions: [source(guard, more)], policy: { language: 'en', ...policy, opinions: rows }, ...extra } });
  s.guard = guard;
  return s;
}

const recorded = (stack, id) => until(async () => {
  const rows = await stack.log('--all', '--request', id);
  return rows.length && rows[0].complete !== null ? rows[0] : null;
}, 'the record is sealed');

const sentences = (...list) => list.map((s) => [...s].reduce((a, c) => {
  // events of three characters
  if (!a.length || [...a.at(-1)].length === 3) a.push(c); else a[a.length - 1] += c;
  return a;
}, [])).flat();

describe('the prompt', () => {
  let guard, stack;
  before(async () => {
    guard = await Guard.start(judge);
    stack = await start(guard, [row({ direction: 'prompt' })]);
  });
  after(async () => { await stack?.stop(); await guard?.stop(); });
  beforeEach(async () => { guard.forget(); guard.delay = 0; guard.fault = null; await stack.resetStats(); });

  for (const [name, OpenAI] of Object.entries(majors)) {
    for (const stream of [false, true]) {
      test(`is refused while the upstream is at work (${name}, ${stream ? 'streamed' : 'whole'})`, async () => {
        const { openai, counter } = client(OpenAI, stack);
        const slow = await stack.script(`slow-${stream}`, { text: '这是回答的正文。', delay_ms: 100, first_delay_ms: stream ? 0 : 3000 });
        guard.delay = 200;
        let text = '', reason;
        const request = ask(`${slow} ${bad}`);
        if (stream) {
          for await (const c of await openai.chat.completions.create({ ...request, stream })) {
            text += c.choices[0]?.delta?.content ?? '';
            reason = c.choices[0]?.finish_reason ?? reason;
          }
        } else {
          const r = await openai.chat.completions.create(request);
          text = r.choices[0].message.content;
          reason = r.choices[0].finish_reason;
        }
        assert.equal(reason, 'content_filter');
        assert.equal(text, "Sorry, I can't help with that.");
        assert.equal(counter.requests, 1);
        const stats = await until(async () => {
          const s = await stack.stats();
          return s.active === 0 ? s : null;
        }, 'the upstream is left');
        assert.equal(stats.requests, 1, 'it was asked');
        assert.equal(stats.cancelled, 1, 'and left');
        const [log] = (await stack.log('--all')).slice(-1);
        assert.equal(log.outcome, 'refused');
        assert.equal(log.action, 'block');
        assert.equal(log.rule, 'opinion/guard');
        assert.equal(log.risk, 'A1-f');
        assert.equal(log.direction, 'prompt');
        assert.equal(log.role, 'user');
        assert.equal(log.path, 'messages[0].content');
        assert.ok(log.text.includes(bad));
        assert.equal(log.opinions.length, 1);
        const { by, said, score, risk, action, us, cached, failed } = log.opinions[0];
        assert.deepEqual({ by, said, score, risk, action, cached, failed },
          { by: 'guard', said: 'Violent', score: 100, risk: 'A1-f', action: 'block', cached: null, failed: null });
        assert.ok(us > 150000, `took ${us}`);
      });
    }
  }

  test('that is flagged goes on, and says so', async () => {
    const r = await stack.chat(`hello ${doubtful}`);
    assert.equal(r.json.choices[0].finish_reason, 'stop');
    const log = await recorded(stack, r.headers.get('x-request-id'));
    assert.equal(log.action, 'flag');
    assert.equal(log.risk, 'A1-h', 'a category that nobody mapped');
    assert.equal(log.opinions[0].said, 'Unethical');
    assert.equal(log.opinions[0].score, 50);
  });

  test('that is safe has its answer unaltered, after the verdict', async () => {
    const go = guard.hold();
    let there = false;
    const asked = stack.chat('hello', { stream: true }).then((r) => { there = true; return r; });
    await until(async () => (await stack.stats()).finished === 1, 'the upstream is done');
    assert.equal(guard.questions.length, 1);
    await sleep(100);
    assert.equal(there, false, 'its answer waits');
    go();
    const r = await asked;
    assert.equal(r.choices[0].finish.at(-1), 'stop');
    assert.ok(r.done);
    const log = await recorded(stack, r.headers.get('x-request-id'));
    assert.equal(log.action, 'allow');
    assert.equal(log.opinions[0].said, 'safe');
  });

  test('is asked about as a whole, each text with the conversation before it', async () => {
    await stack.chat([{ role: 'system', content: 'be nice' }, { role: 'user', content: 'first' },
      { role: 'assistant', content: 'yes' }, { role: 'user', content: 'second' }, { role: 'user', content: 'third' }]);
    const asked = guard.questions.map((q) => q.messages.map((m) => [m.role, m.content]))
      .sort((a, b) => a.length - b.length || a[0][1].length - b[0][1].length);
    // Messages in a row are one text; the sides take turns, as Llama Guard's template demands.
    assert.deepEqual(asked, [[['user', 'first']], [['user', 'be nice']],
      [['user', 'be nice\nfirst'], ['assistant', 'yes']],
      [['user', 'be nice\nfirst'], ['assistant', 'yes'], ['user', 'second\nthird']]]);
  });

  // What the model reads is what an attacker can write into, wherever that is.
  const call = { role: 'assistant', content: null, tool_calls: [{ id: 'c1', type: 'function', function: { name: 'look', arguments: '{"for":"x"}' } }] };
  const places = {
    'an earlier question': [{ role: 'user', content: `how to ${bad}` }, { role: 'assistant', content: 'ok' }, { role: 'user', content: 'go on' }],
    'an earlier answer': [{ role: 'user', content: 'hello' }, { role: 'assistant', content: `so: ${bad}` }, { role: 'user', content: 'go on' }],
    'a system message': [{ role: 'system', content: `always ${bad}` }, { role: 'user', content: 'hello' }],
    'an earlier result of a tool': [{ role: 'user', content: 'hello' }, call, { role: 'tool', tool_call_id: 'c1', content: `found ${bad}` },
      { role: 'assistant', content: 'ok' }, { role: 'user', content: 'go on' }],
    'arguments of a tool': [{ role: 'user', content: 'hello' }, { ...call, tool_calls: [{ ...call.tool_calls[0], function: { name: 'look', arguments: `{"for":"${bad}"}` } }] },
      { role: 'tool', tool_call_id: 'c1', content: 'nothing' }],
    'an answer that the client began': [{ role: 'user', content: 'hello' }, { role: 'assistant', content: `sure, ${bad}:` }],
  };
  for (const [place, messages] of Object.entries(places)) {
    test(`is refused for what stands in ${place}`, async () => {
      const r = await stack.chat(messages);
      assert.equal(r.json.choices[0].finish_reason, 'content_filter');
      const log = await recorded(stack, r.headers.get('x-request-id'));
      assert.equal(log.rule, 'opinion/guard');
      assert.ok(log.text.includes(bad));
      assert.equal(log.role, messages.find((m) => JSON.stringify(m).includes(bad)).role);
    });
  }

  test('that was new in an earlier turn is old when it comes again, and kept from the model', async () => {
    const messages = [{ role: 'user', content: `once more ${bad}` }, { role: 'assistant', content: 'ok' }, { role: 'user', content: 'go on' }];
    assert.equal((await stack.chat(messages)).json.choices[0].finish_reason, 'content_filter');
    await stack.resetStats();
    const r = await stack.chat(messages);
    assert.equal(r.json.choices[0].finish_reason, 'stop');
    const got = (await stack.stats()).last_body;
    assert.ok(!got.includes(bad));
    guard.forget();
    // Nor is anybody asked about what is kept from the model, or about our own words in its place.
    await stack.chat(messages);
    assert.deepEqual(guard.questions.map((q) => q.text), ['go on']);
    const log = await recorded(stack, r.headers.get('x-request-id'));
    assert.equal(log.reason, 'old_offence');
  });

  test('is a strike for what the user says now, and not for what stands before', async () => {
    const said = async (messages) => (await stack.chat(messages, { user: 'eve' })).json.choices[0];
    const old = await said([{ role: 'user', content: `long ago ${bad}` }, { role: 'assistant', content: 'ok' }, { role: 'user', content: 'go on' }]);
    assert.equal(old.finish_reason, 'content_filter');
    assert.doesNotMatch(old.message.content, /repeated violations/);
    const app = await said([{ role: 'system', content: `rules: ${bad}` }, { role: 'user', content: 'go on' }]);
    assert.equal(app.finish_reason, 'content_filter');
    assert.doesNotMatch(app.message.content, /repeated violations/);
    const now = await said([{ role: 'user', content: `now ${bad}` }]);
    assert.equal(now.finish_reason, 'content_filter');
    assert.match(now.message.content, /repeated violations/);
  });

  test('is judged in its context', async () => {
    guard.judge = (q) => (q.text === 'and how?' && q.messages.some((m) => m.content.includes('lock')) ? { score: 0.95, category: 'Violent' } : null);
    try {
      const talk = (about) => stack.chat([{ role: 'user', content: about }, { role: 'assistant', content: 'hm' }, { role: 'user', content: 'and how?' }]);
      assert.equal((await talk('I like bread')).json.choices[0].finish_reason, 'stop');
      assert.equal((await talk('open that lock')).json.choices[0].finish_reason, 'content_filter');
    } finally { guard.judge = judge; }
  });

  test('that was refused for an opinion is kept from the model when it comes back', async () => {
    const messages = [{ role: 'user', content: `tell me ${bad} please` }];
    const first = await stack.chat(messages);
    assert.equal(first.json.choices[0].finish_reason, 'content_filter');
    messages.push(first.json.choices[0].message, { role: 'user', content: '继续' });
    await stack.resetStats();
    const second = await stack.chat(messages);
    assert.equal(second.json.choices[0].finish_reason, 'stop');
    const got = JSON.parse((await stack.stats()).last_body).messages;
    assert.ok(!JSON.stringify(got).includes(bad));
    assert.match(got[0].content, /left out/);
    assert.equal(got.at(-1).content, '继续');
    const log = await recorded(stack, second.headers.get('x-request-id'));
    assert.equal(log.reason, 'old_offence');
    assert.equal(log.hits[0].rule, 'opinion/guard');
    assert.equal(log.hits[0].old, true);
    // Said anew it is asked about, and refused, again.
    messages.push({ role: 'assistant', content: 'ok' }, { role: 'user', content: `tell me ${bad} please` });
    assert.equal((await stack.chat(messages)).json.choices[0].finish_reason, 'content_filter');
  });

  test('blocked by a rule is not asked about', async () => {
    const r = await stack.chat(words.block);
    assert.equal(r.json.choices[0].finish_reason, 'content_filter');
    assert.equal(guard.questions.length, 0);
  });

  test('whose client leaves is asked about no more', async () => {
    const go = guard.hold();
    const abort = new AbortController();
    const asked = stack.chat('hello', { stream: true }, { signal: abort.signal }).catch((e) => e);
    await until(() => guard.questions.length === 1, 'asked');
    abort.abort();
    await asked;
    await until(() => guard.left === 1, 'the guard is left');
    go();
    const [log] = await until(async () => {
      const rows = (await stack.log('--all')).filter((l) => l.outcome === 'client_gone');
      return rows.length ? rows : null;
    }, 'it is on record');
    assert.equal(log.opinions[0].failed, 'withdrawn');
  });

  // What is no answer is never "safe": the local rules alone decide, and the log says why.
  const faults = {
    silent: 'timeout', reset: null, status: 'status', '': null,
    'not json': 'malformed', '{}': 'malformed', '{"choices":[]}': 'malformed',
    '{"choices":[{"finish_reason":"length","message":{"content":"Safety: Safe\\nCategories: None"}}]}': 'malformed',
    '{"choices":[{"finish_reason":"stop","message":{"content":"I think it is safe"}}]}': 'malformed',
  };
  for (const [fault, failed] of Object.entries(faults)) {
    if (!fault) continue;
    test(`goes on by the local rules when the guard answers: ${fault.slice(0, 40)}`, async () => {
      guard.fault = fault;
      const r = await stack.chat(`hello ${bad}`);
      assert.equal(r.json.choices[0].finish_reason, 'stop');
      const log = await recorded(stack, r.headers.get('x-request-id'));
      assert.equal(log.opinions.length, 1);
      assert.equal(log.opinions[0].said, null);
      if (failed) assert.equal(log.opinions[0].failed, failed);
      else assert.ok(log.opinions[0].failed);
    });
  }
});

describe('fallback closed', () => {
  let guard, stack;
  before(async () => {
    guard = await Guard.start(judge);
    stack = await start(guard, [row({ fallback: 'closed' })]);
  });
  after(async () => { await stack?.stop(); await guard?.stop(); });

  test('refuses what nobody could judge, and leaves the upstream', async () => {
    const slow = await stack.script('slow', { text: '回答', first_delay_ms: 3000 });
    guard.fault = 'not json';
    for (const stream of [false, true]) {
      await stack.resetStats();
      const r = await stack.chat(slow, { stream });
      assert.equal(r.status, 503);
      assert.equal(r.json.error.code, 'judge_unavailable');
      await until(async () => (await stack.stats()).active === 0, 'the upstream is left');
      const log = await recorded(stack, r.headers.get('x-request-id'));
      assert.equal(log.outcome, 'rejected');
      assert.equal(log.opinions[0].failed, 'malformed');
    }
  });

  test('in mid-answer ends it with an error, and the text that nobody judged is not shown', async () => {
    const script = await stack.script('mid', { text: sentences('第一句话好。', '第二句话也好。', '第三句话。'), delay_ms: 20 });
    guard.fault = (q) => (q.role === 'assistant' && q.text.includes('第二句') ? '[]' : null);
    const r = await stack.chat(script, { stream: true });
    assert.equal(r.choices[0].content, '第一句话好。');
    assert.deepEqual(r.choices[0].finish, []);
    assert.equal(r.error.code, 'judge_unavailable');
    guard.fault = null;
  });

  test('a dead guard is no reason to go on', async () => {
    await guard.stop();
    const r = await stack.chat('hello', { stream: true });
    assert.equal(r.status, 503);
    const log = await recorded(stack, r.headers.get('x-request-id'));
    assert.equal(log.opinions[0].failed, 'connect');
  });
});

describe('a streamed answer', () => {
  let guard, stack, hook, told, refuse;
  const secret = 'hook-secret-0123456789';
  before(async () => {
    guard = await Guard.start(judge);
    told = [];
    refuse = 1;
    hook = createServer(async (req, res) => {
      let body = '';
      for await (const part of req) body += part;
      if (refuse-- > 0) { res.writeHead(503).end(); return; }
      told.push({ headers: req.headers, body });
      res.writeHead(204).end();
    });
    await new Promise((done) => hook.listen(0, '127.0.0.1', done));
    const secretFile = path.join('/tmp', `juyong-hook-${process.pid}`);
    await writeFile(secretFile, `${secret}\n`, { mode: 0o600 });
    stack = await start(guard, [row({ direction: 'completion' })], {},
      { retraction: { url: `http://127.0.0.1:${hook.address().port}/told`, secret_file: secretFile, timeout: '1s', tries: 3 } });
  });
  after(async () => { await stack?.stop(); await guard?.stop(); hook?.close(); hook?.closeAllConnections(); });
  beforeEach(() => { guard.forget(); guard.delay = 0; guard.fault = null; });

  for (const [name, OpenAI] of Object.entries(majors)) {
    test(`held by sentence ends before the one that is blocked, and takes back the rest (${name})`, async () => {
      told.length = 0;
      const { openai, counter } = client(OpenAI, stack);
      const script = await stack.script('cut', { text: sentences('第一句话很好。', `第二句有${bad}在里面。`, '第三句话。'), delay_ms: 20 });
      let text = '', reason, last;
      for await (const c of await openai.chat.completions.create({ ...ask(script), stream: true })) {
        if (c.choices[0]) last = c;
        text += c.choices[0]?.delta?.content ?? '';
        reason = c.choices[0]?.finish_reason ?? reason;
      }
      assert.equal(counter.requests, 1);
      assert.equal(reason, 'content_filter');
      assert.equal(text, "第一句话很好。\n\nSorry, I can't help with that.");
      assert.equal(last.juyong.retract, true);
      assert.equal(last.juyong.replacement, "Sorry, I can't help with that.");
      const log = await recorded(stack, last.juyong.request_id);
      assert.equal(log.outcome, 'cut');
      assert.equal(log.action, 'block');
      assert.equal(log.rule, 'opinion/guard');
      assert.equal(log.direction, 'completion');
      assert.equal(log.retracted, true, 'the record says that it was taken back');
      assert.match((await run(['log', 'show', '-c', stack.conf, last.juyong.request_id])).stdout, /retracted +yes/);
      assert.ok(log.opinions.some((o) => o.said === 'safe'));
      assert.ok(log.opinions.some((o) => o.said === 'Violent' && o.action === 'block'));
      await until(() => told.length === 1, 'the app is told', 8000);
      const m = JSON.parse(told[0].body);
      assert.equal(m.type, 'retract');
      assert.equal(m.request_id, last.juyong.request_id);
      assert.equal(m.replacement, last.juyong.replacement);
      const mac = createHmac('sha256', secret).update(`${told[0].headers['x-juyong-timestamp']}.${told[0].body}`).digest('hex');
      assert.equal(told[0].headers['x-juyong-signature'], `v1=${mac}`);
      assert.match(await stack.metrics(), /juyong_retractions_total [1-9]/);
      await until(async () => /juyong_retraction_messages_total\{result="delivered"\} [1-9]/.test(await stack.metrics()), 'its delivery is counted');
    });
  }

  test('that is blocked in its first sentence is a plain refusal: nothing was shown', async () => {
    const script = await stack.script('first', { text: sentences(`开头就有${bad}。`, '第二句。'), delay_ms: 5 });
    const r = await stack.chat(script, { stream: true });
    assert.equal(r.choices[0].content.trim(), "Sorry, I can't help with that.");
    assert.deepEqual(r.choices[0].finish, ['content_filter']);
    assert.ok(!r.text.includes('retract'));
    assert.equal((await recorded(stack, r.headers.get('x-request-id'))).retracted ?? null, null);
  });

  test('nobody takes the message: the log says whose retraction was given up', async () => {
    told.length = 0;
    refuse = 99;
    const script = await stack.script('untold', { text: sentences('第一句话也很好。', `第二句有${bad}在其中。`, '第三句话。'), delay_ms: 20 });
    const r = await stack.chat(script, { stream: true });
    const id = r.chunks.find((c) => c.juyong).juyong.request_id;
    assert.equal((await recorded(stack, id)).retracted, true);
    await until(async () => /juyong_retraction_messages_total\{result="failed"\} 1/.test(await stack.metrics()), 'it is counted', 20000);
    refuse = 0;
    assert.equal(told.length, 0);
    assert.match(await stack.gateway.output(), new RegExp(`the retraction of ${id} to 127.0.0.1:\\d+ was given up after 3 tries: status 503`));
  });

  test('that is safe arrives whole and unaltered, and its last sentence is judged too', async () => {
    const text = sentences('第一句。', '第二句！', '没有句号的结尾');
    const script = await stack.script('safe', { text, delay_ms: 5 });
    const r = await stack.chat(script, { stream: true });
    assert.equal(r.choices[0].content, text.join(''));
    assert.deepEqual(r.choices[0].finish, ['stop']);
    assert.ok(guard.questions.at(-1).text.endsWith('没有句号的结尾'));
    assert.equal(guard.questions.at(-1).prompt, script, 'with what was asked');
    assert.ok(guard.questions.every((q) => q.role === 'assistant'));
  });

  test('is not shown personal data that is masked for the client', async () => {
    const script = await stack.script('pii', { text: sentences('电话是13812345678。', '再见。') });
    const r = await stack.chat(script, { stream: true });
    assert.ok(!r.text.includes('13812345678'));
    assert.ok(!JSON.stringify(guard.questions).includes('13812345678'));
    assert.deepEqual(r.choices[0].finish, ['stop']);
  });

  test('blocked at its very end ends so', async () => {
    const script = await stack.script('end', { text: sentences('第一句。', `结尾${bad}`) });
    guard.delay = 50;
    const r = await stack.chat(script, { stream: true });
    assert.deepEqual(r.choices[0].finish, ['content_filter']);
    assert.ok(!r.text.includes(bad));
  });

  test('of several choices: each is judged', async () => {
    const script = await stack.script('two', { choices: [{ text: '好的一个。' }, { text: `坏的${bad}。` }] });
    const r = await stack.chat(script, { stream: true, n: 2 });
    assert.ok(!r.text.includes(bad));
    assert.deepEqual(r.choices[1].finish, ['content_filter']);
  });

  test('when the guard dies in mid-answer the local rules go on alone', async () => {
    const text = sentences(...'一二三四五六七八九十甲乙丙丁戊己庚辛壬癸'.split('').map((c) => `${c}。。`));
    const script = await stack.script('dies', { text, delay_ms: 30 });
    guard.fault = (q) => (q.text.includes('三') ? 'reset' : null);
    const r = await stack.chat(script, { stream: true });
    assert.equal(r.choices[0].content, text.join(''));
    assert.deepEqual(r.choices[0].finish, ['stop']);
    const log = await recorded(stack, r.headers.get('x-request-id'));
    assert.ok(log.opinions.some((o) => o.failed));
    assert.ok(guard.questions.filter((q) => q.text.includes('三')).length <= 8, 'and it is asked no more'); // libcurl tries a kept connection twice
  });

  test('that is not streamed is judged before it goes out', async () => {
    const script = await stack.script('plain', { text: `好的。${bad}。` });
    const r = await stack.chat(script);
    assert.equal(r.json.choices[0].finish_reason, 'content_filter');
    assert.ok(!r.text.includes(bad));
    const fine = await stack.chat(await stack.script('plain2', { text: '好的。' }));
    assert.equal(fine.json.choices[0].message.content, '好的。');
  });
});

describe('release', () => {
  let guard;
  before(async () => { guard = await Guard.start(judge); });
  after(() => guard?.stop());
  beforeEach(() => { guard.forget(); guard.delay = 0; guard.fault = null; });
  const text = sentences('第一句话很好。', `第二句有${bad}在里面。`, '第三句话，', '后面还有很多字。');

  test('exact: text is shown at once, and a late objection takes it back', async () => {
    const stack = await start(guard, [row({ direction: 'completion', release: 'exact' })]);
    try {
      const script = await stack.script('exact', { text, delay_ms: 20 });
      const go = guard.hold();
      const reading = stack.chat(script, { stream: true });
      await until(async () => (await stack.stats()).finished === 1, 'the upstream is done');
      go();
      const r = await reading;
      assert.ok(r.choices[0].content.includes(bad), 'it was shown');
      assert.deepEqual(r.choices[0].finish, ['content_filter']);
      assert.equal(r.chunks.find((c) => c.juyong)?.juyong.retract, true);
      const log = await recorded(stack, r.headers.get('x-request-id'));
      assert.equal(log.outcome, 'cut');
      assert.equal(log.complete, false);
    } finally { await stack.stop(); }
  });

  test('whole: nothing is shown before all is judged', async () => {
    const stack = await start(guard, [row({ direction: 'completion', release: 'whole' })]);
    try {
      const r = await stack.chat(await stack.script('whole', { text }), { stream: true });
      assert.equal(r.choices[0].content.trim(), "Sorry, I can't help with that.");
      assert.equal(guard.questions.length, 1);
      assert.ok(guard.questions[0].text.endsWith('后面还有很多字。'));
      assert.ok(!r.text.includes('retract'));
    } finally { await stack.stop(); }
  });
});

describe('when', () => {
  let guard;
  before(async () => { guard = await Guard.start(judge); });
  after(() => guard?.stop());
  beforeEach(() => { guard.forget(); guard.delay = 0; guard.fault = null; });

  test('asked: only after a rule of the action ask has hit', async () => {
    const stack = await start(guard, [row({ when: 'asked' })], {}, { actions: { 'A2-d': 'ask' } });
    try {
      await writeFile(path.join(stack.rules, 'keywords', 'A1-b.txt'), '#!why=Made up\n#!source=own\n绿色暗号\taction=ask\n');
      await stack.gateway.stop();
      await stack.startGateway();
      assert.equal((await stack.chat(`hello ${bad}`)).json.choices[0].finish_reason, 'stop');
      assert.equal(guard.questions.length, 0);
      const r = await stack.chat(`hello 绿色暗号 ${bad}`);
      assert.equal(r.json.choices[0].finish_reason, 'content_filter');
      assert.equal(guard.questions[0].role, 'user'); // the stand-in repeats it, so its answer is asked about too
      // In an answer: from the hit on.
      guard.forget();
      const quiet = await stack.script('quiet', { text: sentences('平常的话。', `有${bad}。`), delay_ms: 5 });
      assert.deepEqual((await stack.chat(quiet, { stream: true })).choices[0].finish, ['stop']);
      // A question that the refusal left may come late; about this answer there is none.
      assert.ok(!guard.questions.some((q) => q.text.includes('平常') || q.prompt.includes(quiet)));
      const loud = await stack.script('loud', { text: sentences('平常的话。', '绿色暗号来了。', `有${bad}。`), delay_ms: 5 });
      const cut = await stack.chat(loud, { stream: true });
      assert.deepEqual(cut.choices[0].finish, ['content_filter']);
      assert.ok(!cut.text.includes(bad));
      assert.ok(guard.questions.length >= 1);
    } finally { await stack.stop(); }
  });

  test('sampled: of a share', async () => {
    const stack = await start(guard, [row({ when: 'sampled', share: 50, direction: 'prompt' })]);
    try {
      for (let i = 0; i < 60; i++) await stack.chat(`hello ${i}`);
      assert.ok(guard.questions.length > 5 && guard.questions.length < 55, `${guard.questions.length} of 60`);
    } finally { await stack.stop(); }
  });

  test('in observe mode it is recorded and nothing happens', async () => {
    const stack = await start(guard, [row()], {}, { mode: 'observe', until: '2099-12-31' });
    try {
      const r = await stack.chat(`hello ${bad}`);
      assert.equal(r.json.choices[0].finish_reason, 'stop');
      const log = await recorded(stack, r.headers.get('x-request-id'));
      assert.equal(log.opinions.find((o) => o.direction === 'prompt').observed, true);
      assert.equal(log.hits[0].observed, true);
    } finally { await stack.stop(); }
  });
});

describe('in shadow mode', () => {
  let guard, stack;
  before(async () => {
    guard = await Guard.start(judge);
    stack = await start(guard, [row({ fallback: 'closed' })], { timeout: '5s' }, { mode: 'shadow', until: '2099-12-31' });
  });
  after(async () => { await stack?.stop(); await guard?.stop(); });
  beforeEach(() => { guard.forget(); guard.fault = null; });

  for (const stream of [false, true]) {
    test(`nothing waits, and what would have been done is recorded (${stream ? 'streamed' : 'whole'})`, async () => {
      const text = sentences('第一句话很好。', `第二句有${bad}在里面。`, '第三句。', '第四句。', '第五句。', '第六句。', '第七句。');
      const script = await stack.script(`shadow-${stream}`, { text: stream ? text : text.join(''), delay_ms: 5 });
      const go = guard.hold();
      const r = await stack.chat(`${script} ${bad}`, { stream });
      const got = stream ? r.choices[0].content : r.json.choices[0].message.content;
      assert.equal(got, text.join(''), 'all of it is there while nobody has said anything');
      assert.equal(stream ? r.choices[0].finish.at(-1) : r.json.choices[0].finish_reason, 'stop');
      const id = r.headers.get('x-request-id');
      await sleep(50);
      assert.equal((await stack.log('--all', '--request', id))[0]?.complete ?? null, null, 'the record waits');
      go();
      const log = await recorded(stack, id);
      assert.equal(log.outcome, 'complete');
      assert.equal(log.complete, true);
      for (const direction of ['prompt', 'completion']) {
        const said = log.opinions.find((o) => o.direction === direction && o.said === 'Violent');
        assert.equal(said?.observed, true, direction);
        assert.ok(log.hits.some((h) => h.direction === direction && h.rule === 'opinion/guard' && h.observed), direction);
      }
      assert.ok(guard.questions.at(-1).text.endsWith('第七句。'), 'to its end');
    });
  }

  test('who does not answer delays and refuses nothing, and the record says why', async () => {
    guard.fault = 'status';
    const r = await stack.chat('hello');
    assert.equal(r.json.choices[0].finish_reason, 'stop');
    const log = await recorded(stack, r.headers.get('x-request-id'));
    assert.ok(log.opinions.some((o) => o.failed === 'status'));
    assert.equal(log.outcome, 'complete');
  });
});

describe('the desk', () => {
  let guard;
  before(async () => { guard = await Guard.start(judge); });
  after(() => guard?.stop());
  beforeEach(() => { guard.forget(); guard.delay = 0; guard.fault = null; });

  test('remembers answers, and asks again for another text', async () => {
    const stack = await start(guard, [row({ direction: 'prompt' })], { cache: 100 }, {}, { workers: 1 });
    try {
      for (let i = 0; i < 3; i++) await stack.chat('the same');
      assert.equal(guard.questions.length, 1);
      const r = await stack.chat('the same');
      assert.equal((await recorded(stack, r.headers.get('x-request-id'))).opinions[0].cached, true);
      await stack.chat('another');
      assert.equal(guard.questions.length, 2);
      // An objection is remembered too, and the upstream is not even asked then.
      await stack.chat(bad);
      await stack.resetStats();
      assert.equal((await stack.chat(bad)).json.choices[0].finish_reason, 'content_filter');
      assert.equal(guard.questions.length, 3);
      assert.equal((await stack.stats()).requests, 0);
      // A failure is not.
      guard.fault = 'status';
      await stack.chat('a third');
      guard.fault = null;
      await stack.chat('a third');
      assert.equal(guard.questions.filter((q) => q.text === 'a third').length, 2);
    } finally { await stack.stop(); }
  });

  test('remembers answers about sentences, and cuts there again', async () => {
    const stack = await start(guard, [row({ direction: 'completion' })], { cache: 100 }, {}, { workers: 1 });
    try {
      const script = await stack.script('again', { text: sentences('第一句话很好。', `第二句有${bad}。`, '第三句。') });
      const first = await stack.chat(script, { stream: true });
      const asked = guard.questions.length;
      const second = await stack.chat(script, { stream: true });
      assert.equal(second.choices[0].content, first.choices[0].content);
      assert.deepEqual(second.choices[0].finish, ['content_filter']);
      assert.ok(second.choices[0].content.startsWith('第一句话很好。'));
      assert.equal(guard.questions.length, asked);
    } finally { await stack.stop(); }
  });

  test('asks so many at one time and no more; what finds no turn falls back', async () => {
    const stack = await start(guard, [row({ direction: 'prompt' })], { concurrency: 3, queue: 4, timeout: '10s' }, {}, { workers: 1 });
    try {
      const go = guard.hold();
      const all = Array.from({ length: 12 }, (_, i) => stack.chat(`hello ${i}`));
      await until(() => guard.questions.length === 3, 'three are asked');
      await until(async () => (await stack.stats()).requests === 12, 'the upstream works on all');
      assert.equal(guard.questions.length, 3);
      go();
      const answers = await Promise.all(all);
      assert.ok(answers.every((r) => r.json.choices[0].finish_reason === 'stop'));
      assert.equal(guard.questions.length, 7);
      assert.ok(guard.most <= 3, `${guard.most} at one time`);
      const logs = await Promise.all(answers.map((r) => recorded(stack, r.headers.get('x-request-id'))));
      assert.equal(logs.filter((l) => l.opinions[0].failed === 'overloaded').length, 5);
    } finally { await stack.stop(); }
  });

  test('asks about each text of a conversation once', async () => {
    const stack = await start(guard, [row({ direction: 'prompt' })],
      { kind: 'webhook', url: `${guard.url}/judge`, cache: 100 }, {}, { workers: 1 });
    try {
      const messages = [];
      for (let i = 0; i < 5; i++) {
        messages.push({ role: 'user', content: `question ${i}` });
        const r = await stack.chat(messages);
        assert.equal(r.json.choices[0].finish_reason, 'stop');
        messages.push({ role: 'assistant', content: `answer ${i}` });
      }
      assert.deepEqual(guard.questions.map((q) => `${q.role} ${q.text}`).sort(),
        [...[0, 1, 2, 3].map((i) => `assistant answer ${i}`), ...[0, 1, 2, 3, 4].map((i) => `user question ${i}`)]);
    } finally { await stack.stop(); }
  });

  test('is not shown personal data that is masked for the model', async () => {
    const stack = await start(guard, [row({ direction: 'prompt' })], {}, { actions: { 'pii-*': 'mask' } });
    try {
      const r = await stack.chat([{ role: 'user', content: '你好' }, { role: 'assistant', content: '你好' },
        { role: 'user', content: '我的电话是13812345678，记一下' }]);
      assert.equal(r.json.choices[0].finish_reason, 'stop');
      assert.ok(!(await stack.stats()).last_body.includes('13812345678'));
      assert.ok(guard.questions.some((q) => q.text === '我的电话是***********，记一下'));
      assert.ok(!JSON.stringify(guard.questions).includes('13812345678'));
    } finally { await stack.stop(); }
  });

  test('asks about the last question alone where the policy says so', async () => {
    const stack = await start(guard, [row({ direction: 'prompt', asks: 'last' })]);
    try {
      const r = await stack.chat([{ role: 'system', content: 'be nice' }, { role: 'user', content: bad },
        { role: 'assistant', content: 'yes' }, { role: 'user', content: 'second' }, { role: 'user', content: 'third' }]);
      assert.equal(r.json.choices[0].finish_reason, 'stop');
      assert.deepEqual(guard.questions.map((q) => q.messages), [[{ role: 'user', content: 'second\nthird' }]]);
    } finally { await stack.stop(); }
  });

  test('shows of a long conversation what fits, the sides in turns', async () => {
    for (const [text, most] of [['256B', 256], ['16KiB', 16384]]) {
      const stack = await start(guard, [row({ direction: 'prompt' })], { text }, {}, { workers: 1 });
      try {
        guard.forget();
        const messages = [{ role: 'system', content: '规则' }];
        for (let i = 0; i < 90; i++) messages.push({ role: 'user', content: `问题${i}` }, { role: 'assistant', content: `回答${i}` });
        messages.push({ role: 'user', content: '最后' });
        const r = await stack.chat(messages);
        assert.equal(r.json.choices[0].finish_reason, 'stop');
        assert.equal(guard.questions.length, 182);
        for (const { messages: m } of guard.questions) {
          assert.deepEqual(m.map((one) => one.role), m.map((_, i) => (i % 2 ? 'assistant' : 'user')), 'in turns');
          assert.ok(m.length <= 65, `${m.length} turns`);
          const before = m.slice(0, -1).map((one) => one.content).join('\n');
          assert.ok(Buffer.byteLength(before) <= most && !before.includes('\ufffd'));
        }
        const last = guard.questions.find((q) => q.text === '最后').messages;
        assert.deepEqual(last.slice(-3).map((m) => m.content), ['问题89', '回答89', '最后']);
      } finally { await stack.stop(); }
    }
  });

  for (const fallback of ['local', 'closed']) {
    test(`of more pieces than it asks about, fallback ${fallback}: says so`, async () => {
      const stack = await start(guard, [row({ fallback })], { text: '256B', pieces: 20, concurrency: 2, timeout: '5s' });
      try {
        // As many as are allowed, of which two at one time.
        const fits = await stack.chat(`${'长'.repeat(1200)}${bad}`);
        assert.equal(fits.json.choices[0].finish_reason, 'content_filter');
        assert.ok(guard.questions.length > 14 && guard.questions.length <= 20, `${guard.questions.length}`);
        assert.ok(guard.most <= 2, `${guard.most} at one time`);
        guard.forget();
        await stack.resetStats();
        const long = await stack.chat('长'.repeat(3000));
        const log = await recorded(stack, long.headers.get('x-request-id'));
        assert.equal(log.opinions.find((o) => o.failed).failed, 'too_long');
        assert.match(await stack.metrics(), /juyong_opinions_too_long_total [1-9]/);
        if (fallback === 'closed') {
          assert.equal(long.status, 400, 'no client tries that again');
          assert.equal(long.json.error.code, 'too_long_to_judge');
          assert.equal(guard.questions.length, 0);
          assert.equal((await stack.stats()).requests, 0);
        } else {
          assert.equal(long.json.choices[0].finish_reason, 'stop');
          assert.ok(guard.questions.filter((q) => q.role === 'user').length === 20);
          // What was said last is judged.
          const end = await stack.chat(`${'长'.repeat(3000)}${bad}`);
          assert.equal(end.json.choices[0].finish_reason, 'content_filter');
        }
      } finally { await stack.stop(); }
    });
  }

  test('asks about a long prompt in pieces', async () => {
    const stack = await start(guard, [row({ direction: 'prompt' })], { text: '256B' });
    try {
      const r = await stack.chat(`${'长'.repeat(200)}${bad}${'长'.repeat(200)}`);
      assert.equal(r.json.choices[0].finish_reason, 'content_filter');
      assert.ok(guard.questions.length > 3);
      assert.ok(guard.questions.every((q) => Buffer.byteLength(q.text) <= 256 && !q.text.includes('\ufffd')));
    } finally { await stack.stop(); }
  });

  const kinds = {
    moderations: { kind: 'moderations', path: '/v1/moderations' },
    llamaguard: { kind: 'llamaguard', path: '/v1/chat/completions?llama', noQuery: true },
    webhook: { kind: 'webhook', path: '/judge', secret: 'shared-secret-42' },
  };
  for (const [name, k] of Object.entries(kinds)) {
    test(`speaks to ${name}`, async () => {
      const more = { kind: k.kind, url: `${guard.url}${k.path.replace('?', '/')}`, categories: { Violent: 'A1-f' } };
      if (k.secret) {
        more.secret_file = path.join('/tmp', `juyong-secret-${process.pid}`);
        await writeFile(more.secret_file, k.secret, { mode: 0o600 });
      }
      const stack = await start(guard, [row()], more);
      try {
        const r = await stack.chat(`hello ${bad}`);
        assert.equal(r.json.choices[0].finish_reason, 'content_filter');
        assert.equal((await recorded(stack, r.headers.get('x-request-id'))).risk, 'A1-f');
        assert.equal((await stack.chat('hello')).json.choices[0].finish_reason, 'stop');
        const q = guard.questions[0];
        if (k.secret) {
          const mac = createHmac('sha256', k.secret).update(`${q.headers['x-juyong-timestamp']}.${q.raw}`).digest('hex');
          assert.equal(q.headers['x-juyong-signature'], `v1=${mac}`);
        }
      } finally { await stack.stop(); }
    });
  }
});
