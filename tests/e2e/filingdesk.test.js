// The filing desk at the console: what the API says is what the command line says; who may do what.
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { Stack, listening, run, until } from './harness.js';
import { person } from './people.js';

const roles = ['viewer', 'reviewer', 'publisher', 'administrator', 'inspector'];
let stack;
const p = {};

async function good(answer) {
  const a = await answer;
  assert.equal(a.status, 200, a.text);
  return a.json;
}

async function refused(answer, status, code) {
  const a = await answer;
  assert.equal(a.status, status, a.text);
  if (code) assert.equal(a.json.error.code, code, a.text);
  return a.json.error;
}

const filing = async (verb, ...args) => run(['filing', verb, '-c', stack.conf, ...args]);
const lines = (text) => text.split('\n').filter(Boolean).map((line) => JSON.parse(line));
const acts = async (reason) => (await stack.log('--all')).filter((r) => r.kind === 'admin' && r.reason === reason)
  .map((r) => (typeof r.detail === 'string' ? JSON.parse(r.detail) : r.detail));

before(async () => {
  stack = await Stack.start();
  await until(() => listening(stack.consolePort), 'the console listens');
  for (const role of roles) p[role] = await person(stack, role, role);
});
after(() => stack?.stop());

describe('readiness', () => {
  test('counts keywords as `filing coverage` does, type by type', async () => {
    const { rows } = await good(p.viewer.get('/api/filing/readiness'));
    const item = rows.find((r) => r.item === 'keywords');
    const told = lines((await filing('coverage', '--json')).stdout);
    const short = told.filter((r) => r.keyword_min && r.risk !== '*' && r.keywords < r.keyword_min);
    assert.ok(short.length > 0);
    assert.deepEqual(item.missing.map((m) => [m.type, m.have, m.want]), short.map((r) => [r.risk, r.keywords, r.keyword_min]));
    const all = told.find((r) => r.risk === '*');
    assert.deepEqual([item.have, item.want, item.met], [all.keywords, all.keyword_min, all.met]);
  });

  test('names what is missing of the disclosure as the command does', async () => {
    const { rows } = await good(p.viewer.get('/api/filing/readiness'));
    const item = rows.find((r) => r.item === 'disclosure');
    const { stderr, code } = await filing('disclosure');
    assert.equal(code, 4);
    assert.equal(item.met, false);
    assert.deepEqual(item.missing.map((m) => m.text), stderr.trim().split('\n').slice(1));
  });
});

describe('papers', () => {
  test('are those of the command line, and each that leaves is on record', async () => {
    for (const [name, option] of [['disclosure.html', '--html'], ['disclosure.json', '--json']]) {
      const a = await p.publisher.get(`/api/filing/files/${name}`);
      assert.equal(a.status, 200, a.text);
      assert.equal(a.text, (await filing('disclosure', option)).stdout);
      assert.match(a.headers.get('content-disposition'), new RegExp(name));
    }
    const told = await acts('filing_file');
    assert.deepEqual(told.map((d) => [d.by, d.what]).sort(), [['publisher', 'disclosure.html'], ['publisher', 'disclosure.json']]);
  });

  test('the list offers what can be had', async () => {
    const { rows } = await good(p.viewer.get('/api/filing/files'));
    for (const { name } of rows) {
      const a = await p.inspector.get(`/api/filing/files/${name}`);
      assert.equal(a.status, 200, `${name}: ${a.text.slice(0, 200)}`);
      assert.ok(a.text.length > 0);
      if (name.endsWith('.xlsx')) assert.ok(a.text.startsWith('PK'), name);
    }
    await refused(p.inspector.get('/api/filing/files/annex9.xlsx'), 404, 'not_found');
  });

  test('viewers and reviewers take none', async () => {
    for (const role of ['viewer', 'reviewer']) await refused(p[role].get('/api/filing/files/annex4.xlsx'), 403);
    for (const role of ['publisher', 'administrator', 'inspector'])
      assert.equal((await p[role].get('/api/filing/files/disclosure.json')).status, 200, role);
    const nobody = await fetch(`${stack.console}/api/filing/files/annex4.xlsx`);
    assert.equal(nobody.status, 401);
  });
});
