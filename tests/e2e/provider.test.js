// What the provider says of itself: that its own filter refused, in each of the forms that platforms
// use; and that another model answered than the one asked for.
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { run, Stack, until, words } from './harness.js';
import { ask, client, majors } from './clients.js';
import { Upstream, plainAnswer } from './wire.js';

const chunk = (choice, more = {}) => JSON.stringify({
  id: 'c-1', object: 'chat.completion.chunk', created: 1, model: 'demo',
  choices: [{ index: 0, delta: {}, finish_reason: null, ...choice }], ...more });
const answer = (choice, more = {}) => JSON.stringify({
  id: 'c-1', object: 'chat.completion', created: 1, model: 'demo',
  choices: [{ index: 0, message: { role: 'assistant', content: '半句' }, finish_reason: 'stop', ...choice }], ...more });
const failure = (error) => JSON.stringify({ error });

const row = async (stack, r, name = 'x-request-id') => {
  const id = typeof r === 'string' ? r : r.headers.get(name);
  return until(async () => (await stack.log('--all', '--request', id)).find((e) => e.outcome !== 'running'), 'the record');
};
const metric = (text, name) => Number(text.split('\n').find((l) => l.startsWith(name))?.split(' ').pop());

describe('a refusal of the provider', () => {
  let stack, strict;
  before(async () => {
    stack = await Stack.start();
    strict = await Stack.start({ config: { policy: { refusal: 'error' } } });
  });
  after(async () => {
    await stack?.stop();
    await strict?.stop();
  });

  // Beside the text: the answer goes on as the provider wrote it, and is on record.
  const beside = {
    'finish_reason:content_filter': [{ finish_reason: 'content_filter' }, {}],
    'finish_reason:sensitive': [{ finish_reason: 'sensitive' }, {}],
    'flag:3': [{ finish_reason: 'stop', flag: 3 }, {}],
    'moderation_hit_type:severe_violation': [{ finish_reason: 'stop', moderation_hit_type: 'severe_violation' }, {}],
    'content_filter:0': [{ finish_reason: 'stop' }, { content_filter: [{ role: 'assistant', level: 0 }] }],
    'output_sensitive:true': [{ finish_reason: 'stop' }, { output_sensitive: true }],
    'stop_reason:refusal': [{ finish_reason: 'stop', stop_reason: 'refusal' }, {}],
  };
  for (const [want, [choice, more]] of Object.entries(beside)) {
    test(`${want} in a body and in a stream`, async () => {
      const before = metric(await stack.metrics(), 'juyong_provider_refusals_total{where="answer"}');
      const body = answer(choice, more);
      const whole = await stack.chat(await stack.script('whole', { body }));
      assert.equal(whole.status, 200);
      assert.equal(whole.text, body);
      const events = [chunk({ delta: { content: '半句' } }), chunk(choice, more)];
      const streamed = await stack.chat(await stack.script('events', { events }), { stream: true });
      assert.deepEqual(streamed.payloads.slice(0, 2), events);
      for (const r of [whole, streamed]) {
        const e = await row(stack, r);
        assert.equal(e.provider_refusal, want);
        assert.equal(e.action, 'allow');
        assert.equal(e.outcome, 'complete');
      }
      const listed = await stack.log('--request', whole.headers.get('x-request-id'));
      assert.equal(listed.length, 1, 'listed among the interceptions');
      assert.equal(metric(await stack.metrics(), 'juyong_provider_refusals_total{where="answer"}'), before + 2);
    });
  }

  // As an error of its own: HTTP 400 goes on as it is.
  const errors = {
    'error:content_filter': { type: 'content_filter', message: 'The request was rejected because it was considered high risk' },
    'error:1301': { code: '1301', message: '系统检测到输入或生成内容可能包含不安全或敏感内容' },
    'error:data_inspection_failed': { code: 'data_inspection_failed', type: 'data_inspection_failed', param: null, message: 'Input data may contain inappropriate content.' },
    'error:InputTextSensitiveContentDetected': { code: 'InputTextSensitiveContentDetected', type: 'BadRequest', message: 'x' },
    'error:content_policy_violation': { code: 'content_policy_violation', type: 'invalid_request_error', message: 'x' },
  };
  for (const [want, error] of Object.entries(errors)) {
    test(`${want} as HTTP 400, in a 200, in a stream`, async () => {
      const name = await stack.script('http', { status: 400, body: failure(error) });
      for (const stream of [false, true]) {
        const r = await stack.chat(name, { stream });
        assert.equal(r.status, 400);
        assert.deepEqual(r.json.error, error);
        const e = await row(stack, r);
        assert.equal(e.provider_refusal, want);
        assert.equal(e.reason, 'provider_refused');
        assert.equal(e.outcome, 'upstream_error');
      }
      // An error in a 200 would be 502, and tried three times.
      const hidden = await stack.script('hidden', { body: failure(error) });
      const r = await stack.chat(hidden);
      assert.equal(r.status, 200);
      assert.equal(r.json.choices[0].finish_reason, 'content_filter');
      assert.match(r.json.choices[0].message.content, /模型服务方/);
      assert.equal((await row(stack, r)).provider_refusal, want);
      // In mid-stream: what was shown stays, and the end is one that SDKs understand.
      const cut = await stack.script('cut', { events: [chunk({ delta: { role: 'assistant', content: '前半，' } }), failure(error)], done: false });
      const s = await stack.chat(cut, { stream: true });
      assert.ok(s.done);
      assert.equal(s.error, undefined);
      assert.deepEqual(s.choices[0].finish, ['content_filter']);
      assert.match(s.choices[0].content, /^前半，\n\n抱歉，模型服务方/);
      const e = await row(stack, s);
      assert.equal(e.provider_refusal, want);
      assert.equal(e.complete, false);
    });
  }

  test('the flat and the numbered forms of other platforms', async () => {
    for (const [want, body] of [
      ['error:DataInspectionFailed', '{"code":"DataInspectionFailed","message":"x","request_id":"r"}'],
      ['error:10013', '{"code":10013,"message":"x","sid":"s"}'],
      ['error:1026', '{"base_resp":{"status_code":1026,"status_msg":"x"}}'],
    ]) {
      const r = await stack.chat(await stack.script('flat', { body }));
      assert.equal(r.status, 200, want);
      assert.equal((await row(stack, r)).provider_refusal, want);
    }
  });

  test('as an event of the type error, in mid-stream', async () => {
    const bytes = `data: ${chunk({ delta: { role: 'assistant', content: '前半，' } })}\n\n`
      + 'id:2\nevent:error\n:HTTP_STATUS/400\ndata:{"code":"DataInspectionFailed","message":"Output data may contain inappropriate content.","request_id":"r"}\n\n';
    const name = await stack.script('typed', { raw: Buffer.from(bytes).toString('base64'), content_type: 'text/event-stream' });
    const r = await stack.chat(name, { stream: true });
    assert.deepEqual(r.choices[0].finish, ['content_filter']);
    assert.ok(!r.text.includes('inappropriate'));
    assert.equal((await row(stack, r)).provider_refusal, 'error:DataInspectionFailed');
  });

  test('in the style error it is one 400 with the code that clients know', async () => {
    const name = await strict.script('hidden', { body: failure({ code: '1301', message: 'x' }) });
    for (const stream of [false, true]) {
      const r = await strict.chat(name, { stream });
      assert.equal(r.status, 400);
      assert.equal(r.json.error.code, 'content_filter');
      const e = await row(strict, r);
      assert.equal(e.provider_refusal, 'error:1301');
      assert.equal(e.status, 400);
    }
    const busy = await strict.script('busy', { status: 429, body: failure({ code: 'content_filter', message: 'x' }) });
    assert.equal((await strict.chat(busy)).status, 400, 'a 429 would be tried again');
  });

  test('a provider that is only busy is not taken for one that refuses', async () => {
    const name = await stack.script('busy', { status: 429, body: failure({ code: 'rate_limit_exceeded', message: 'x' }) });
    const r = await stack.chat(name);
    assert.equal(r.status, 429);
    const e = await row(stack, r);
    assert.equal(e.provider_refusal ?? null, null);
  });

  for (const [name, OpenAI] of Object.entries(majors)) {
    test(`${name} asks once, and shows what there is`, async () => {
      const { openai, counter } = client(OpenAI, stack);
      const cut = await stack.script('sdk', { events: [chunk({ delta: { role: 'assistant', content: '前半，' } }), failure({ code: '1301', message: 'x' })], done: false });
      const final = await openai.chat.completions.stream(ask(cut)).finalChatCompletion();
      assert.equal(final.choices[0].finish_reason, 'content_filter');
      assert.match(final.choices[0].message.content, /^前半，/);
      const hidden = await stack.script('sdk2', { body: failure({ code: '1301', message: 'x' }) });
      const data = await openai.chat.completions.create(ask(hidden));
      assert.equal(data.choices[0].finish_reason, 'content_filter');
      assert.equal(counter.requests, 2);
    });
  }

  test('ours stands beside the provider\'s', async () => {
    const r = await stack.chat(await stack.script('both', { body: answer({ finish_reason: 'content_filter', message: { role: 'assistant', content: `说 ${words.block} 吧` } }) }));
    assert.equal(r.json.choices[0].finish_reason, 'content_filter');
    const e = await row(stack, r);
    assert.equal(e.action, 'block');
    assert.equal(e.provider_refusal, 'finish_reason:content_filter');
  });
});

describe('a model that is not the one asked for', () => {
  let stack;
  before(async () => {
    stack = await Stack.start();
  });
  after(() => stack?.stop());

  test('is on record, counted, and shown as a weakening', async () => {
    const models = [{ id: 'demo', display_name: 'Demo', filing_number: 'Test-1', answers_as: ['demo-pro', 'demo-2026*'] }];
    await stack.configure({ upstreams: [{ name: 'demo', base_url: `${stack.demoUrl}/v1`, models }] });
    stack.gateway.kill('SIGHUP');
    await until(async () => /juyong_reloads_total [1-9]/.test(await stack.metrics()), 'reloaded');
    assert.doesNotMatch(await (await fetch(`${stack.console}/readyz`)).text(), /another model/);
    for (const [model, differs] of [['demo', null], ['demo-pro', null], ['demo-2026-11', null], ['other', true]])
      for (const stream of [false, true]) {
        const r = await stack.chat(await stack.script('as', { text: '好的', model }), { stream });
        const e = await row(stack, r);
        assert.equal(e.model_answered, model);
        assert.equal(e.model_differs ?? null, differs, model);
      }
    assert.equal(metric(await stack.metrics(), 'juyong_model_differs_total'), 2);
    assert.match(await (await fetch(`${stack.console}/readyz`)).text(), /weakened: 2 answers since the start name another model/);
    assert.match(await stack.gateway.output(), /demo was asked for and other answered/);
  });

  test('a name with escapes is the same name', async () => {
    const events = [chunk({ delta: { content: '好' } }).replace('"model":"demo"', '"model":"d\\u0065mo"'), chunk({ finish_reason: 'stop' }).replace('"model":"demo"', '"model":"d\\u0065mo"')];
    const r = await stack.chat(await stack.script('escaped', { events }), { stream: true });
    const e = await row(stack, r);
    assert.equal(e.model_answered, 'demo');
    assert.equal(e.model_differs ?? null, null);
  });
});

describe('the provider\'s own inspection', () => {
  test('is asked for by the headers of the configuration', async () => {
    const upstream = await Upstream.start((socket) => socket.write(
      `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(plainAnswer)}\r\n\r\n${plainAnswer}`));
    const switches = '{"input":"cip","output":"cip"}';
    const stack = await Stack.start({ upstream: upstream.url, config: { upstreams: [{
      name: 'demo', base_url: `${upstream.url}/v1`, headers: { 'X-DashScope-DataInspection': switches },
      models: [{ id: 'demo', filing_number: 'Test-1' }] }] } });
    try {
      assert.equal((await stack.chat('hi', {}, { headers: { 'X-DashScope-DataInspection': '{"input":"off"}' } })).status, 200);
      const sent = upstream.requests[0].headers.filter(([name]) => name.toLowerCase() === 'x-dashscope-datainspection');
      assert.deepEqual(sent.map(([, value]) => value), [switches], 'a client can\'t switch it off');
    } finally {
      await stack.stop();
      await upstream.stop();
    }
  });
});

describe('juyong filing disclosure', () => {
  test('prints what users must be shown, and exits 4 when something is missing', async () => {
    const service = { provider: '某某科技', launch_number: '上线-1', algorithm_number: '网信算备1号', complaint: 'tel:12345' };
    const stack = await Stack.start({ config: { service } });
    try {
      const text = await run(['filing', 'disclosure', '-c', stack.conf]);
      assert.equal(text.code, 0, text.stderr);
      for (const part of ['Demo', 'Test-Demo-20250101', ...Object.values(service), 'https://beian.cac.gov.cn/'])
        assert.ok(text.stdout.includes(part), part);
      const html = await run(['filing', 'disclosure', '-c', stack.conf, '--html']);
      assert.match(html.stdout, /<a href="tel:12345"/);
      const json = JSON.parse((await run(['filing', 'disclosure', '-c', stack.conf, '--json'])).stdout);
      assert.deepEqual(json.models, [{ id: 'demo', display_name: 'Demo', filing_number: 'Test-Demo-20250101' }]);
      await stack.configure({ service: { complaint: '' } });
      const less = await run(['filing', 'disclosure', '-c', stack.conf]);
      assert.equal(less.code, 4);
      assert.match(less.stdout, /待补充/);
      assert.match(less.stderr, /service: complaint/);
    } finally {
      await stack.stop();
    }
  });
});
