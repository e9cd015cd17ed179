// What a configuration may ask for beyond the defaults.
import { after, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { Stack, day, readStream, run, sleep, until, words } from './harness.js';
import { ask, client, majors } from './clients.js';
import { Upstream, chunked, delta, event, finish, plainAnswer, streamHead } from './wire.js';

const ends = [];
const start = async (options) => {
  const s = await Stack.start(options);
  ends.push(s);
  return s;
};
const upstreamOf = async (handler) => {
  const u = await Upstream.start(handler);
  ends.push(u);
  return u;
};
after(async () => {
  for (const e of ends) await e.stop();
});
const models = [{ id: 'demo', filing_number: 'x' }];

test('mode: observe judges, records and never interferes', async () => {
  const stack = await start({ config: { policy: { mode: 'observe', until: '2999-12-31' } } });
  const text = `说${words.block}和 13800138000`;
  const prompt = await stack.script('a', { text, chunk: 2 });
  for (const stream of [false, true]) {
    const r = await stack.chat(`${words.block} ${prompt}`, { stream });
    assert.equal(stream ? r.choices[0].content : r.json.choices[0].message.content, text);
    const [row] = await stack.log('--all', '--request', r.headers.get('x-request-id'));
    assert.equal(row.mode, 'observe');
    assert.ok(row.hits.some((h) => h.direction === 'prompt' && h.action === 'block'), JSON.stringify(row));
    assert.ok(row.hits.some((h) => h.direction === 'completion' && h.risk === 'pii-phone'));
  }
  assert.match(await stack.gateway.output(), /observe/, 'a weakening is told at start');
});

test('mode: shadow judges beside, and what goes through is as it came', async () => {
  const stack = await start({ config: { policy: { mode: 'shadow', until: '2999-12-31' } } });
  const text = `说${words.block}和 13800138000`;
  const prompt = await stack.script('a', { text, chunk: 2 });
  for (const OpenAI of Object.values(majors)) {
    const { openai } = client(OpenAI, stack, { maxRetries: 0 });
    const body = ask(`${words.answer} ${prompt}`);
    const whole = await openai.chat.completions.create(body);
    assert.equal(whole.choices[0].message.content, text);
    let streamed = '', finish;
    for await (const chunk of await openai.chat.completions.create({ ...body, stream: true })) {
      streamed += chunk.choices[0]?.delta?.content ?? '';
      finish = chunk.choices[0]?.finish_reason ?? finish;
    }
    assert.deepEqual([streamed, finish], [text, 'stop']);
  }
  // Nothing waits for the record, so the test does.
  const asked = await until(async () => {
    const rows = (await stack.log('--all')).filter((r) => r.model);
    return rows.length && rows.every((r) => r.complete !== null) && rows;
  }, 'all is on record');
  assert.equal(asked.length, 4);
  for (const row of asked) {
    assert.deepEqual([row.mode, row.action, row.complete], ['shadow', 'flag', true]);
    const would = row.hits.map((h) => `${h.direction} ${h.action} ${h.observed}`);
    assert.ok(would.includes('prompt answer true') && would.includes('completion block true'), `${would}`);
    assert.ok(would.includes('completion mask true'), `${would}`);
  }
});

test('a weaker mode without a last day is an error, and behind it everything is enforced', async () => {
  const stack = await start({ clock: true, config: { policy: { mode: 'observe', until: day() } } });
  const prompt = await stack.script('a', { text: '好' });
  const action = async () => (await stack.chat(`${words.block} ${prompt}`)).headers.get('x-juyong-action');
  const weak = async () => (await (await fetch(`${stack.console}/readyz`)).text()).includes('observe mode');
  assert.deepEqual([await action(), await weak()], ['flag', true]);
  await stack.clock.set(24 * 3600);
  assert.deepEqual([await action(), await weak()], ['block', false], 'the day is over, nothing was reloaded');
  await stack.clock.set(0);
  assert.deepEqual([await action(), await weak()], ['flag', true]);
  for (const mode of ['observe', 'shadow']) {
    await stack.configure({ policy: { mode, until: undefined } });
    const { code, stderr } = await run(['check', '-c', stack.conf]);
    assert.equal(code, 1);
    assert.match(stderr, new RegExp(`juyong.yaml:\\d+:\\d+: 'mode: ${mode}' needs its last day`));
  }
});

test('observe: some risks or rules are only recorded, up to a day', async () => {
  const observe = { 'A1-h': '2999-12-31', 'pii-phone': '2020-01-01' };
  const stack = await start({ config: { policy: { observe } } });
  const prompt = await stack.script('a', { text: `说${words.block}和 13800138000` });
  const r = await stack.chat(`${words.block} ${prompt}`);
  assert.equal(r.json.choices[0].message.content, `说${words.block}和 ***********`, 'the phone is enforced again');
  const [row] = await stack.log('--all', '--request', r.headers.get('x-request-id'));
  assert.equal(row.action, 'mask');
  const [would] = row.hits.filter((h) => h.risk === 'A1-h' && h.direction === 'prompt');
  assert.deepEqual([would.action, would.observed], ['block', true], JSON.stringify(row));
  assert.equal(row.hits.find((h) => h.risk === 'pii-phone').observed, null);
  assert.match(await stack.gateway.output(), /A1-h is only observed up to 2999-12-31/);
  assert.equal((await stack.chat(words.answer)).headers.get('x-juyong-action'), 'answer', 'other risks');
});

test('actions by rule', async () => {
  const stack = await start({});
  const first = await stack.chat(words.block);
  const [row] = await stack.log('--request', first.headers.get('x-request-id'));
  const rule = row.hits[0].rule;
  const other = await start({ config: { policy: { actions: { [rule]: 'flag' } } } });
  const prompt = await other.script('a', { text: '好' });
  const r = await other.chat(`${words.block} ${prompt}`);
  assert.equal(r.json.choices[0].message.content, '好');
  assert.equal(r.headers.get('x-juyong-action'), 'flag');
});

test('language: zh and en', async () => {
  for (const [language, yes, no] of [['zh', /抱歉/, /Sorry/], ['en', /Sorry/, /抱歉/]]) {
    const stack = await start({ config: { policy: { language } } });
    const { content } = (await stack.chat(words.block)).json.choices[0].message;
    assert.match(content, yes);
    assert.doesNotMatch(content, no);
  }
});

test('actions by risk and direction', async () => {
  const stack = await start({ config: { policy: { actions: { 'A1-h': { prompt: 'flag', completion: 'block' }, 'pii-*': 'allow' } } } });
  const prompt = await stack.script('a', { text: '电话 13800138000' });
  const r = await stack.chat(`${words.block} ${prompt}`);
  assert.equal(r.json.choices[0].message.content, '电话 13800138000');
  const [row] = await stack.log('--request', r.headers.get('x-request-id'));
  assert.equal(row.action, 'flag');
});

test('a mask in a prompt reaches the model as stars, and the rest verbatim', async () => {
  const upstream = await upstreamOf((s) => s.write(`HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${plainAnswer.length}\r\n\r\n${plainAnswer}`));
  const stack = await start({ upstream: upstream.url });
  const body = `{ "model":"demo","messages":[{"role":"user","content":"用\\u94f6杏代号，😀"}],"seed":18446744073709551615 }`;
  const r = await stack.post('/v1/chat/completions', body);
  assert.equal(r.status, 200, r.text);
  assert.equal(upstream.requests.at(-1).body, body.replace('\\u94f6杏代号', '****'));
});

test('media: allow passes media, and says so in the record', async () => {
  const stack = await start({ config: { policy: { media: 'allow' } } });
  const prompt = await stack.script('a', { text: 'a cat' });
  const r = await stack.chat([{ role: 'user', content: [{ type: 'text', text: prompt }, { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } }] }]);
  assert.equal(r.json.choices[0].message.content, 'a cat');
  const [row] = await stack.log('--all', '--request', r.headers.get('x-request-id'));
  assert.equal(row.unjudged_media, true);
});

test('tool_calls: whole holds a call until it is judged, exact releases it as it clears', async () => {
  const parts = ['{"query":', '"the ', 'weather ', 'today, ', '"}'];
  for (const tool_calls of ['whole', 'exact']) {
    let go;
    const upstream = await upstreamOf((s) => {
      const call = (f, more = {}) => event({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'demo', choices: [{ index: 0, delta: { tool_calls: [{ index: 0, ...more, function: f }] }, finish_reason: null }] });
      s.write(`${streamHead}\r\n${chunked(call({ name: 'search', arguments: '' }, { id: 'call_1', type: 'function' }) + parts.slice(0, 3).map((p) => call({ arguments: p })).join(''))}`);
      go = () => s.write(`${chunked(parts.slice(3).map((p) => call({ arguments: p })).join('') + event(finish('tool_calls')) + event('[DONE]'))}0\r\n\r\n`);
    });
    const stack = await start({ upstream: upstream.url, config: { policy: { tool_calls } } });
    const seen = [];
    const reading = (async () => {
      const r = await fetch(`${stack.url}/v1/chat/completions`, { method: 'POST', headers: { 'content-type': 'application/json' },
        body: '{"model":"demo","stream":true,"messages":[{"role":"user","content":"hi"}]}' });
      for await (const part of r.body) seen.push(Buffer.from(part));
    })();
    await sleep(300);
    const early = Buffer.concat(seen).toString();
    go();
    await reading;
    const r = readStream(Buffer.concat(seen).toString());
    assert.equal(early.includes('weather'), tool_calls === 'exact', early);
    assert.equal(r.choices[0].tools[0].arguments, parts.join(''));
    assert.deepEqual(r.choices[0].finish, ['tool_calls']);
  }
});

test('a tool call that is cut is never opened', async () => {
  const stack = await start();
  const prompt = await stack.script('a', { tool_calls: [{ id: 'c', name: 'search', arguments: ['{"q":"', ...words.block, '"}'] }] });
  const r = await stack.chat(prompt, { stream: true });
  assert.deepEqual(r.choices[0].tools, [], r.text);
  assert.deepEqual(r.choices[0].finish, ['content_filter']);
});

test('a stream that repeats its text so far is judged as it is', async () => {
  const stack = await start();
  const good = await stack.script('good', { text: '一二三四五六', chunk: 1, cumulative: true });
  const r = await stack.chat(good, { stream: true });
  assert.equal(r.choices[0].content, '一一二一二三一二三四一二三四五一二三四五六');
  const bad = await stack.script('bad', { text: `好${words.block}尾`, chunk: 1, cumulative: true });
  const cut = await stack.chat(bad, { stream: true });
  assert.deepEqual(cut.choices[0].finish, ['content_filter']);
  assert.ok(!cut.text.includes(words.block) && !cut.text.includes('尾'));
});

test('keepalive: comments while a stream waits', async () => {
  const upstream = await upstreamOf((s) => {
    s.write(`${streamHead}\r\n${chunked(event(delta('wait, ')))}`);
    setTimeout(() => s.write(`${chunked(event(delta('done.')) + event(finish()) + event('[DONE]'))}0\r\n\r\n`), 2600);
  });
  const stack = await start({ upstream: upstream.url, config: { limits: { keepalive: '1s' },
    upstreams: [{ name: 'demo', base_url: `${upstream.url}/v1`, models, timeouts: { gap: '10s' } }] } });
  const r = await stack.chat('hi', { stream: true });
  assert.equal(r.choices[0].content, 'wait, done.');
  assert.ok(r.text.split('\n\n').filter((p) => p.startsWith(':')).length >= 2, r.text);
});

test('an upstream\'s fixed headers are sent, and its key file instead of the client\'s key', async () => {
  const upstream = await upstreamOf((s) => s.write(`HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${plainAnswer.length}\r\n\r\n${plainAnswer}`));
  const stack = await start({ upstream: upstream.url, config: {
    upstreams: [{ name: 'demo', base_url: `${upstream.url}/v1`, models, headers: { 'X-DashScope-DataInspection': '{"input":"cip"}' } }] } });
  await stack.chat('hi');
  const sent = upstream.requests.at(-1).headers.find(([n]) => n.toLowerCase() === 'x-dashscope-datainspection');
  assert.equal(sent?.[1], '{"input":"cip"}');
});

test('an unfiled model is served only when allowed, and then visibly', async () => {
  const upstream = await upstreamOf((s) => s.write(`HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${plainAnswer.length}\r\n\r\n${plainAnswer}`));
  const stack = await start({ upstream: upstream.url, config: { allow_unfiled: true,
    upstreams: [{ name: 'demo', base_url: `${upstream.url}/v1`, models: [{ id: 'demo' }] }] } });
  assert.equal((await stack.chat('hi')).status, 200);
  assert.match(await stack.gateway.output(), /warning.*(unfiled|filing)/);
});

describe('ceilings', () => {
  test('an answer past its ceiling is refused', async () => {
    const stack = await start({ config: { limits: { answer: '64KiB' } } });
    const prompt = await stack.script('a', { text: 'long, '.repeat(20000) });
    const r = await stack.chat(prompt);
    assert.equal(r.status, 502);
    assert.ok(r.json.error.code);
  });

  test('a stream past its ceiling ends as failed, not as complete', async () => {
    const stack = await start({ config: { limits: { stream: '64KiB' } } });
    const prompt = await stack.script('a', { text: Array(2000).fill('long, ') });
    const r = await stack.chat(prompt, { stream: true });
    assert.ok(r.error ?? r.json?.error, r.text.slice(-300));
    assert.deepEqual(r.choices?.[0]?.finish ?? [], []);
  });

  test('what is held past its ceiling ends as hold_overflow', async () => {
    const stack = await start({ config: { limits: { hold: '64KiB' } } });
    // The arguments of a tool call are held until they are whole.
    const prompt = await stack.script('a', { tool_calls: [{ id: 'c', name: 'f', arguments: Array(3000).fill('long words ') }] });
    const r = await stack.chat(prompt, { stream: true });
    const error = r.error ?? r.json?.error;
    assert.equal(error?.code, 'hold_overflow', r.text.slice(-300));
    assert.deepEqual(r.choices?.[0]?.tools ?? [], []);
  });

  test('a long answer passes, streamed and not', async () => {
    const stack = await start();
    const text = '白日依山尽，黄河入海流。Nothing wrong here. '.repeat(8000);
    const prompt = await stack.script('a', { text, chunk: 40 });
    assert.equal((await stack.chat(prompt)).json.choices[0].message.content, text);
    assert.equal((await stack.chat(prompt, { stream: true })).choices[0].content, text);
  });
});
