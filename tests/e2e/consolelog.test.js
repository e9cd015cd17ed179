// The console's part of the log: originals, acts, the verification, and the gateway's state.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Stack, until, words } from './harness.js';
import { person } from './people.js';

const roles = { vera: 'viewer', li: 'reviewer', pub: 'publisher', adm: 'administrator', ina: 'inspector' };
let stack;
const people = {};
before(async () => {
  stack = await Stack.start();
  for (const [name, role] of Object.entries(roles)) people[name] = await person(stack, name, role);
});
after(() => stack?.stop());

const acts = async (reason) => (await stack.log('--all')).filter((r) => r.kind === 'admin' && r.reason === reason).map((r) => JSON.parse(r.detail));
const cut = (text, h) => Buffer.from(text).subarray(h.start, h.end).toString();

test('status: how the gateway is, and the names that the page needs', async () => {
  const r = await until(async () => {
    const s = await people.vera.get('/api/status');
    assert.equal(s.status, 200, s.text);
    return s.json.canary.ok && s;
  }, 'the canary has run');
  const { json } = r;
  assert.deepEqual([json.ready, json.reason], [true, '']);
  assert.ok(Array.isArray(json.weakenings) && json.weakenings.every((w) => w && !w.startsWith('weakened')));
  assert.ok(json.weakenings.some((w) => /types have fewer keywords/.test(w)));
  assert.deepEqual([json.log.failed, json.log.degraded, json.log.lost], [false, false, 0]);
  assert.ok(json.log.last_seq > 0 && json.log.written > 0 && json.log.disk_percent <= 100);
  assert.equal(json.log.verify.state, 'never');
  assert.ok(json.canary.proven > 0 && Math.abs(json.canary.at_us / 1000 - Date.now()) < 60e3 && json.canary.missed === '');
  assert.ok(json.library.rules > 0 && json.library.needed > 0 && json.library.total_needed >= 10000 && json.library.sufficient === false);
  assert.ok(Math.abs(json.library.last_update_us / 1000 - Date.now()) < 60e3 && json.library.due_us > json.library.last_update_us);
  assert.deepEqual([json.apps, json.models], [['default'], ['demo']]);
  assert.ok(json.risks.length >= 31 && json.risks.every((x) => x.id && x.zh && x.en));
  assert.equal((await fetch(`${stack.console}/api/status`)).status, 401);
});

test('an original is shown to who may, with its reason on record first', async () => {
  const said = `请拨打 13800138000，看看${words.block.split('').join('·')}吧 <img src=x onerror=alert(1)>\u202e`;
  const id = (await stack.chat([{ role: 'system', content: 'be kind' }, { role: 'user', content: said }])).headers.get('x-request-id');
  for (const who of ['vera', 'pub', 'adm']) {
    const r = await people[who].post(`/api/log/${id}/reveal`, { reason: 'curious' });
    assert.equal(r.status, 403, who);
    assert.ok(!r.text.includes('13800138000'));
  }
  assert.deepEqual(await acts('reveal'), []);
  for (const who of ['li', 'ina']) {
    const r = await people[who].post(`/api/log/${id}/reveal`, { reason: `a dispute of ${who} "` });
    assert.equal(r.status, 200, r.text);
    assert.equal(r.json.absent, 0);
    const [t] = r.json.texts;
    assert.deepEqual([r.json.texts.length, t.text, t.direction, t.role, t.path, t.cut_before, t.cut_after], [1, said, 'prompt', 'user', 'messages[1].content', false, false]);
    const phone = t.hits.find((h) => cut(said, h) === '13800138000');
    const word = t.hits.find((h) => cut(said, h).replaceAll('·', '') === words.block);
    assert.ok(phone && phone.risk && Array.isArray(phone.layers));
    assert.ok(word.layers.includes('separator') && word.rule && word.action === 'block', JSON.stringify(word));
  }
  assert.deepEqual(await acts('reveal'), ['li', 'ina'].map((who) => ({ by: who, role: roles[who], ip: '127.0.0.1', request: id, why: `a dispute of ${who} "` })));
});

test('of an answer as well; of an allowed exchange there is none; of an unknown one 404', async () => {
  const text = `一段很长的开头，然后${words.mask}以及更多`;
  const masked = await stack.chat(await stack.script('masked', { text, chunk: 3 }), { stream: true });
  const r = await people.li.post(`/api/log/${masked.headers.get('x-request-id')}/reveal`, { reason: 'x' });
  assert.equal(r.status, 200, r.text);
  const [t] = r.json.texts;
  assert.equal(t.direction, 'completion');
  assert.deepEqual(t.hits.map((h) => cut(t.text, h)), [words.mask]);
  const plain = (await stack.chat('hello')).headers.get('x-request-id');
  assert.deepEqual((await people.li.post(`/api/log/${plain}/reveal`, { reason: 'x' })).json, { texts: [], absent: 0 });
  const n = (await acts('reveal')).length;
  for (const [id, body, status] of [['req_none', { reason: 'x' }, 404], ['x'.repeat(2000), { reason: 'x' }, 404], [plain, {}, 400], [plain, { reason: ' ' }, 400], [plain, { reason: ['x'] }, 400], [plain, { reason: 'x'.repeat(3000) }, 400]]) {
    const bad = await people.li.post(`/api/log/${id}/reveal`, body);
    assert.equal(bad.status, status, `${id.slice(0, 20)} ${bad.text}`);
  }
  assert.equal((await acts('reveal')).length, n, 'nothing was looked at');
});

test('acts: everything that people did, for inspectors', async () => {
  for (const who of ['vera', 'li', 'pub', 'adm']) assert.equal((await people[who].get('/api/acts')).status, 403, who);
  const all = (await people.ina.get('/api/acts', { limit: 500 })).json;
  assert.deepEqual([all.older, all.complete], [null, true]);
  const kinds = new Set(all.rows.map((a) => a.act));
  for (const k of ['log_open', 'start', 'account', 'login', 'reveal']) assert.ok(kinds.has(k), k);
  assert.ok(!kinds.has('canary'), 'what says nothing each time is left out');
  assert.ok((await people.ina.get('/api/acts', { act: 'canary' })).json.rows.length > 0, 'unless asked for');
  const seqs = all.rows.map((a) => a.seq);
  assert.deepEqual(seqs, [...seqs].sort((a, b) => b - a));
  assert.ok(all.rows.every((a) => a.time_us > 1e15 && 'detail' in a));
  const shown = all.rows.find((a) => a.act === 'reveal');
  assert.deepEqual([shown.who, shown.reason, JSON.parse(shown.detail).role], ['li', 'x', 'reviewer']);
  const seen = [];
  for (let before = ''; before !== null;) {
    const page = (await people.ina.get('/api/acts', { limit: 4, ...(before && { before }) })).json;
    seen.push(...page.rows.map((a) => a.seq));
    before = page.older;
  }
  assert.deepEqual(seen, seqs);
  assert.deepEqual((await people.ina.get('/api/acts', { who: 'ina' })).json.rows.map((a) => [a.who, a.act]), [['ina', 'reveal'], ['ina', 'login']]);
  assert.equal((await people.ina.get('/api/acts', { until: 1 })).json.rows.length, 0);
  const since = all.rows[2].time_us;
  assert.deepEqual((await people.ina.get('/api/acts', { since })).json.rows.map((a) => a.seq), all.rows.filter((a) => a.time_us >= since).map((a) => a.seq));
  assert.equal((await people.ina.get('/api/acts', { before: 'x' })).status, 400);
});

const verified = async () => {
  const begun = await people.vera.post('/api/log/verify', {});
  assert.equal(begun.status, 200, begun.text);
  return until(async () => {
    const { verify } = (await people.vera.get('/api/status')).json.log;
    return verify.state !== 'running' && verify;
  }, 'the verification ends', 20000);
};

test('the log is verified on request, and what was altered is found and stays told', async () => {
  const good = await verified();
  assert.equal(good.state, 'ok', good.finding);
  assert.ok(good.records > 10 && Math.abs(good.at_us / 1000 - Date.now()) < 60e3);
  assert.equal((await acts('verify'))[0].by, 'vera');
  assert.equal((await acts('verified'))[0].result, 'ok');
  const dir = path.join(stack.dir, 'state', 'log');
  const [file] = (await readdir(dir)).filter((f) => /^l0-.*\.db$/.test(f));
  const db = new DatabaseSync(path.join(dir, file));
  db.exec("UPDATE record SET body = replace(body, '\"action\":\"block\"', '\"action\":\"allow\"') WHERE seq = (SELECT min(seq) FROM record WHERE weight > 0)");
  const { seq } = db.prepare('SELECT min(seq) AS seq FROM record WHERE weight > 0').get();
  db.close();
  const bad = await verified();
  assert.equal(bad.state, 'bad');
  assert.ok(bad.finding.includes(`record ${seq}`), bad.finding);
  const [, after] = await acts('verified');
  assert.equal(after.result, 'bad');
  assert.match(await stack.gateway.output(), /ALARM: the decision log does not verify/);
  assert.equal((await people.li.get('/api/status')).json.log.verify.state, 'bad', 'for everybody');
});
