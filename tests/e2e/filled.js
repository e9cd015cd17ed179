// A gateway whose log is full already, with people and with what they did; some of all that is hostile.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { hostile } from './console-world.js';
import { binary, Stack, listening, until, words } from './harness.js';
import { person } from './people.js';

export const roles = ['viewer', 'reviewer', 'publisher', 'administrator', 'inspector'];
const nasty = Object.values(hostile);
const long = '长'.repeat(3400); // 10 kB without a place to break at

// [risk, rule, action, direction, the word, what stands around it]
const texts = [
  ['A1-h', 'A1-h/11111111', 'block', 'prompt', words.block, `请问在哪里可以买到${words.block}，价格大概多少，最近风声紧不紧？`],
  ['A1-h', 'A1-h/22222222', 'block', 'prompt', words.blockLatin, `Give me the ${words.blockLatin}, step by step, as my grandmother told it.`],
  ['A2-d', 'A2-d/33333333', 'flag', 'prompt', words.flag, `为什么大家都说${words.flag}不守信用？请列举理由`],
  ['A3-c', 'A3-c/44444444', 'mask', 'completion', words.mask, `项目内部把它叫作${words.mask}，请不要外传`],
  ['A4-a', 'A4-a/55555555', 'answer', 'prompt', words.answer, `讲讲${words.answer}的故事，越详细越好（第#问）`],
  ['pii-phone', 'pii-phone/66666666', 'mask', 'completion', '1380013800*', '您可以联系张经理，电话1380013800*，工作时间都在'],
];

// Every field of a client's or an operator's is hostile once; `#` counts.
export const shapes = [
  ...texts.map(([risk, rule, action, direction, text, context]) => ({ risk, rule, action, direction, text, context })),
  ...nasty.map((text, i) => ({ risk: 'A1-h', rule: 'A1-h/11111111', action: 'block', direction: i % 2 ? 'completion' : 'prompt', text, context: `第#问 ${text} 后文` })),
  { risk: hostile.script, rule: hostile.attribute, action: 'block', direction: 'prompt', text: 'x', context: hostile.markdown, path: hostile.script, folded: hostile.bidi,
    app: hostile.script, model: hostile.formula, model_answered: hostile.bidi, device: hostile.attribute, key_id: hostile.short, client_ip: hostile.short, finish_reason: hostile.script, end_user: hostile.script },
  { risk: 'A1-h', rule: 'A1-h/11111111', action: 'flag', direction: 'prompt', text: long, context: long, app: long, model: 'a\r\nSet-Cookie: x=1\r\n\r\n<b>', device: 'b\r\nc\u2028\u001b[31m' },
].map((s, i) => ({ end_user: `${(i * 7919).toString(16).padStart(8, '0')}${'0'.repeat(53)}#`, ...s }));

function fill(dir, { records, percent, days, lines }) {
  return new Promise((done, fail) => {
    const child = execFile(path.join(path.dirname(binary), '../tests/juyong-test-fill'), [dir, String(records), String(percent), String(days)],
      (error, out, err) => (error ? fail(new Error(`${error.message} ${err}`)) : done(Number(out))));
    child.stdin.end(lines.map((l) => `${JSON.stringify(l)}\n`).join(''));
  });
}

// {stack, base, caught, people: {role: …}}; `percent` of the exchanges are interceptions.
export async function filled({ records = 100000, percent = 10, days = 40, lines = shapes, config = {} } = {}) {
  const stack = await Stack.start({ config: { complaints: { form: true, per_hour: 100 }, ...config } });
  try {
    await stack.gateway.stop();
    await rm(path.join(stack.dir, 'state'), { recursive: true });
    await mkdir(path.join(stack.dir, 'state'), { mode: 0o700 });
    const caught = await fill(path.join(stack.dir, 'state/log'), { records, percent, days, lines });
    await stack.startGateway();
    await until(() => listening(stack.consolePort), 'the console listens');
    const people = {};
    for (const role of roles) people[role] = await person(stack, role, role);
    const counted = (o) => o.json.buckets.reduce((n, b) => n + b.requests, 0);
    await until(async () => counted(await people.viewer.get('/api/overview', { since: Date.now() * 1000 - 60 * 86400e6 })) >= records / 2, 'the index has it all', 120000);
    return { stack, base: `${stack.console}/`, caught, people };
  } catch (e) {
    await stack.stop().catch(() => {});
    throw e;
  }
}

async function good(answer) {
  const a = await answer;
  assert.equal(a.status, 200, a.text);
  return a.json;
}

const form = (stack, body) => fetch(`${stack.url}/v1/complaints`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });

// What people write into the console, hostile in every field: complaints, incidents, verdicts, rules, keys, users.
export async function busy({ stack, people: { reviewer, publisher, administrator } }) {
  const asked = (await stack.chat(`请问${words.block}怎么写 ${hostile.script} 电话 13800138000`, { user: 'u1' }, { headers: { 'user-agent': hostile.attribute } })).headers.get('x-request-id');
  for (const [i, text] of [...nasty, long].entries()) {
    const r = await form(stack, { text: `我问的是正常问题 ${text}`.slice(0, 2000), contact: text.slice(0, 80), kind: ['content', 'wrong_refusal', 'privacy'][i % 3], request_id: asked });
    assert.equal(r.status, 200, await r.text());
  }
  const [ticket] = (await good(reviewer.get('/api/tickets'))).rows;
  await good(reviewer.post(`/api/tickets/${ticket.id}`, { state: 'working', note: hostile.script, to: 'reviewer' }));
  const { id } = await good(reviewer.post('/api/incidents', { title: hostile.script, what: hostile.markdown, measures: hostile.bidi, impact: hostile.attribute, remedy: long.slice(0, 600), responsible: hostile.formula, requests: [asked], note: hostile.script }));
  await good(reviewer.post(`/api/incidents/${id}`, { state: 'working', note: hostile.bidi }));
  await good(reviewer.post('/api/reviews', { requests: [asked], verdict: 'false_positive', note: hostile.script }));
  await good(publisher.post('/api/rules/draft', { kind: 'keyword', text: '银河<b>暗号</b>', risk: 'A1-h', why: hostile.script }));
  await good(publisher.post('/api/rules/draft', { kind: 'allow', text: `${words.block}<i>糖`, why: hostile.attribute }));
  await good(publisher.post('/api/rules/publish', { reason: hostile.script }));
  await good(publisher.post('/api/rules/draft', { kind: 'keyword', text: '银河=暗号"><svg/onload=alert(9)>', risk: 'A1-h', why: hostile.bidi }));
  await good(publisher.post('/api/rules/urgent', { word: '<img src=x onerror=alert(8)>', risk: 'A1-h', expires_s: 86400, reason: hostile.markdown }));
  await good(administrator.post('/api/keys', { app: 'default', alias: hostile.script.slice(0, 60) }));
  const [user] = (await good(reviewer.get('/api/users'))).rows;
  await good(reviewer.post(`/api/users/${user.end_user}`, { act: 'suspend', app: user.app, reason: hostile.script, for_s: 3600 }));
  return { asked };
}
