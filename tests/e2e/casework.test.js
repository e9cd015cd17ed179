// Reviews, tickets, incidents and exports as the console's page uses them: who may do what, two
// reviewers at once, texts only for those who may read them.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { writeFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { Stack, day, run, words } from './harness.js';

const password = 'correct horse battery';
let stack;
const people = {};
const ids = [];

async function person(name, role) {
  const file = path.join(stack.dir, 'password');
  await writeFile(file, `${password}\n`);
  const r = await run(['account', 'add', '-c', stack.conf, name, '--role', role, '--password-file', file]);
  assert.equal(r.code, 0, r.stderr);
  const p = {};
  const ask = async (method, route, body) => {
    const a = await fetch(stack.console + route, {
      method,
      headers: { ...(p.cookie && { cookie: p.cookie }), ...(method === 'POST' && { 'content-type': 'application/json' }), ...(p.token && { 'x-juyong-token': p.token }) },
      body: method === 'POST' ? JSON.stringify(body ?? {}) : undefined,
    });
    const bytes = Buffer.from(await a.arrayBuffer());
    const out = { status: a.status, headers: a.headers, bytes, text: bytes.toString() };
    if ((a.headers.get('content-type') ?? '').startsWith('application/json')) out.json = JSON.parse(out.text || 'null');
    const set = a.headers.get('set-cookie');
    if (set) p.cookie = set.split(';')[0];
    if (out.json?.token) p.token = out.json.token;
    return out;
  };
  p.get = (route) => ask('GET', route);
  p.post = (route, body) => ask('POST', route, body);
  const login = await p.post('/api/login', { name, password });
  assert.equal(login.status, 200, login.text);
  return p;
}
const acts = async (reason) => (await stack.log('--all')).filter((r) => r.reason === reason).map((r) => JSON.parse(r.detail));

before(async () => {
  stack = await Stack.start({ config: { policy: { language: 'en' }, reviews: { second: 100 }, strikes: { enabled: false } } });
  for (const [name, role] of [['li', 'reviewer'], ['wang', 'reviewer'], ['vera', 'viewer'], ['ina', 'inspector'], ['pub', 'publisher'], ['adm', 'administrator']])
    people[name] = await person(name, role);
  for (let i = 0; i < 5; i++)
    ids.push((await stack.chat(`tell me ${i} ${words.block} <img src=x onerror=alert(1)>`)).headers.get('x-request-id'));
});
after(() => stack?.stop());

test('the queue has rows of the log, page by page', async () => {
  const first = await people.li.get('/api/reviews/queue?limit=3');
  assert.equal(first.status, 200, first.text);
  assert.deepEqual([first.json.open, first.json.mine, first.json.rows.length], [5, 0, 3]);
  assert.deepEqual(first.json.rows.map((r) => r.request_id), [...ids].reverse().slice(0, 3));
  assert.ok(first.json.rows.every((r) => r.why === 'policy' && r.action === 'block' && r.context.includes(words.block) && r.hits.length));
  const rest = await people.li.get(`/api/reviews/queue?limit=3&before=${first.json.older}`);
  assert.deepEqual(rest.json.rows.map((r) => r.request_id), [ids[1], ids[0]]);
  assert.equal(rest.json.older, null);
});

test('a verdict is given, and the second reviewer differs', async () => {
  const r = await people.li.post('/api/reviews', { requests: ids.slice(0, 3), verdict: 'correct', note: 'as it should' });
  assert.deepEqual(r.json, { done: 3, skipped: 0 });
  const late = await people.wang.post('/api/reviews', { requests: [ids[0]], verdict: 'unsure' });
  assert.equal(late.status, 409);
  assert.equal(late.json.error.code, 'too_late');
  assert.equal((await people.wang.post('/api/reviews', { requests: [ids[0]], verdict: 'false_positive', second: true })).json.done, 1);
  const q = await people.wang.get('/api/reviews/queue');
  assert.deepEqual(q.json.rows.map((x) => [x.why, x.first_reviewer]), [['policy', ''], ['policy', ''], ['second', 'li'], ['second', 'li']]);
  const [act] = await acts('review');
  assert.equal(act.author, 'li');
  assert.equal(act.ids, ids.slice(0, 3).join(' '));
  assert.ok(!JSON.stringify(act).includes('as it should'));
});

test('of two who decide at once one is too late', async () => {
  const both = await Promise.all(['li', 'wang'].map((n) => people[n].post('/api/reviews', { requests: [ids[3]], verdict: 'correct' })));
  assert.deepEqual(both.map((r) => r.status).sort(), [200, 409]);
});

test('what makes no sense is refused with a reason', async () => {
  for (const [route, body, status] of [
    ['/api/reviews', { requests: [ids[4]], verdict: 'great' }, 400],
    ['/api/reviews', { requests: [], verdict: 'correct' }, 400],
    ['/api/reviews', { requests: 'x', verdict: 'correct' }, 400],
    ['/api/reviews', { requests: Array(501).fill('x'), verdict: 'correct' }, 400],
    ['/api/reviews', { requests: ['req_none'], verdict: 'correct' }, 404],
    ['/api/reviews', { requests: [ids[4]], verdict: 'correct', note: 'x'.repeat(9000) }, 400],
    ['/api/reviews/sample', { percent: 0 }, 400],
    ['/api/reviews/sample', { since: 1, percent: 5, actions: ['eat'] }, 400],
    ['/api/reviews/assign', { requests: [ids[4]] }, 400],
    ['/api/reviews/signoff', { day: '2026-02-30' }, 400],
    ['/api/reviews/signoff', { day: '2999-01-01' }, 400],
    ['/api/tickets/1', { state: 'open' }, 404],
    ['/api/tickets/x', { state: 'open' }, 404],
    ['/api/incidents', { title: 'x' }, 400],
  ]) {
    const r = await people.li.post(route, body);
    assert.equal(r.status, status, `${route} ${JSON.stringify(body).slice(0, 80)}: ${r.text}`);
    assert.ok(r.json.error.message);
  }
  assert.equal((await people.li.get('/api/reviews/summary?day=yesterday')).status, 400);
  assert.equal((await people.li.get('/api/reviews/queue?limit=0')).status, 400);
});

test('each role may do what the table says', async () => {
  const can = {
    'POST /api/reviews': ['li'], 'GET /api/reviews/queue': ['li'], 'POST /api/reviews/assign': ['li'], 'POST /api/reviews/sample': ['li'],
    'POST /api/reviews/signoff': ['li'], 'GET /api/reviews/summary': ['li', 'vera', 'ina', 'pub', 'adm'],
    'GET /api/tickets': ['li', 'ina', 'pub'], 'POST /api/tickets/1': ['li'], 'GET /api/incidents': ['li', 'vera', 'ina', 'pub', 'adm'],
    'POST /api/incidents': ['li'], 'GET /api/log/export': ['ina'],
  };
  const may = JSON.parse(JSON.stringify(can));
  for (const [what, who] of Object.entries(may)) {
    const [method, route] = what.split(' ');
    for (const [name, p] of Object.entries(people)) {
      if (name === 'wang') continue;
      const r = await (method === 'GET' ? p.get(route) : p.post(route));
      const session = (await p.get('/api/session')).json.user.may;
      const allowed = who.includes(name) && !(route === '/api/tickets' && !session.includes('read'));
      assert.equal(r.status === 403, !allowed, `${name} ${what}: ${r.status}`);
    }
  }
});

test('assigned and sampled ones come into the queue', async () => {
  assert.equal((await people.li.post('/api/reviews/assign', { requests: [ids[4]], to: 'wang' })).json.done, 1);
  const mine = await people.wang.get('/api/reviews/queue?mine=1');
  assert.deepEqual(mine.json.rows.map((r) => [r.request_id, r.why, r.assigned]), [[ids[4], 'assigned', 'wang']]);
  assert.equal(mine.json.mine, 1);
  const allowed = (await stack.chat('hello')).headers.get('x-request-id');
  assert.equal((await people.li.post('/api/reviews/sample', { since: (Date.now() - 3600e3) * 1000, until: (Date.now() + 3600e3) * 1000, percent: 100, actions: ['allow'] })).json.added, 1);
  const q = await people.li.get('/api/reviews/queue');
  assert.equal(q.json.rows.find((r) => r.request_id === allowed).why, 'sample');
});

test('the day is summed up and signed', async () => {
  assert.equal((await people.li.post('/api/reviews/signoff', { day: day(), note: 'fine' })).status, 200);
  const s = (await people.vera.get(`/api/reviews/summary?day=${day()}`)).json;
  assert.equal(s.reviewed, 4);
  assert.equal(s.second.differed, 1);
  assert.deepEqual(s.signed.map((x) => [x.who, x.note]), [['li', 'fine']]);
});

test('a false positive has a phrase that would save it', async () => {
  const id = (await stack.chat(`the historic ${words.block} museum opens`)).headers.get('x-request-id');
  const r = await people.li.get(`/api/reviews/suggest/${id}`);
  assert.equal(r.status, 200, r.text);
  assert.ok(r.json.phrase.includes(words.block) && r.json.phrase.length > words.block.length + 1, r.text);
  assert.ok(r.json.rule);
  assert.equal((await people.li.get('/api/reviews/suggest/req_none')).status, 404);
});

test('interceptions become an incident with a report', async () => {
  const made = await people.li.post('/api/incidents', { title: '批量', what: '短时间大量', requests: ids.slice(0, 2), at_us: (Date.now() - 60e3) * 1000 });
  assert.equal(made.status, 200, made.text);
  assert.equal(made.json.requests.length, 2);
  const changed = await people.li.post(`/api/incidents/${made.json.id}`, { measures: '暂停', state: 'working', note: '已处理', responsible: '张三' });
  assert.equal(changed.json.state, 'working');
  const report = await people.vera.get(`/api/incidents/${made.json.id}/report`);
  assert.match(report.headers.get('content-type'), /text\/plain/);
  assert.match(report.text, /四、处置\n暂停[^]*六、责任人\n张三/);
  assert.equal((await people.vera.get('/api/incidents')).json.rows.length, 1);
});

test('an inspector takes the log with him, on record, and nothing stays behind', async () => {
  const csv = await people.ina.get('/api/log/export?format=csv&action=block');
  assert.equal(csv.status, 200);
  assert.match(csv.headers.get('content-disposition'), /attachment.*juyong-log\.csv/);
  assert.ok(csv.text.includes(ids[0]) && csv.text.includes(words.block));
  const jsonl = await people.ina.get('/api/log/export?format=jsonl');
  assert.deepEqual(jsonl.text.split('\n').filter(Boolean).map((l) => JSON.parse(l).request_id), (await stack.log()).map((r) => r.request_id).reverse());
  const xlsx = await people.ina.get(`/api/log/export?format=xlsx&text=${words.block}`);
  assert.equal(xlsx.bytes.subarray(0, 2).toString(), 'PK');
  assert.deepEqual((await acts('export')).map((a) => [a.author, a.what]),
    [['ina', 'format=csv action=block'], ['ina', 'format=jsonl'], ['ina', 'format=xlsx text=(searched)']]);
  assert.ok(!(await readdir(path.join(stack.dir, 'state'))).some((f) => f.startsWith('export')));
  for (const query of ['format=pdf', 'format=csv&action=eat', 'format=csv&since=x', 'format=csv&direction=up', 'format=csv&purpose=fun'])
    assert.equal((await people.ina.get(`/api/log/export?${query}`)).status, 400, query);
});

test('the log verifies', async () => assert.equal((await stack.verify()).code, 0));
