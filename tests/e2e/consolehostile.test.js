// The whole of the console's API against those who wish it ill: every route without a token, from a foreign page,
// under a foreign name, by a role that may not, with nonsense for each parameter and field; exports as a
// spreadsheet reads them; what people write, in the process log. Routes are read from the source, so that a new
// one is covered when it comes.
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import XLSX from 'xlsx';
import { busy, filled, roles, shapes } from './filled.js';
import { root, run } from './harness.js';

const who_may = {
  0: roles, MAY_COME: roles, MAY_SEE: roles, MAY_READ: ['reviewer', 'publisher', 'inspector'], MAY_REVEAL: ['reviewer', 'inspector'], MAY_REVIEW: ['reviewer'],
  MAY_PUBLISH: ['publisher'], MAY_USERS: ['reviewer', 'administrator'], MAY_APPS: ['administrator'], MAY_ACCOUNTS: ['administrator'], MAY_EXPORT: ['inspector'], MAY_ACTS: ['inspector'],
};

async function read_routes() {
  const folder = path.join(root, 'src/console');
  const out = [];
  for (const name of (await readdir(folder)).filter((n) => /^api_.*\.c$/.test(n)))
    for (const [, method, route, may] of (await readFile(path.join(folder, name), 'utf8')).matchAll(/\{"(GET|POST)", "(\/[^"]+)", ([^,]+), \w+\}/g))
      out.push({ method, route, at: route.replace(/\{\w+\}/g, 'none'), may: roles.filter((r) => may.split('|').some((m) => who_may[m.trim()].includes(r))) });
  return out;
}

// A cell that a spreadsheet would take for a formula begins like this.
const beginnings = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];
const formulas = beginnings.map((b, i) => ({
  risk: 'A1-h', rule: `${b}A1-h/1`, action: 'block', direction: 'prompt', text: `${b}cmd|' /C calc'!A${i}`, context: `${b}cmd|' /C calc'!A${i} 后文 "${b}1+1",${b}2\n${b}3`,
  app: `${b}1+1`, model: `${b}HYPERLINK("http://evil.example")`, device: `${b}2`, end_user: `${b}3`, client_ip: `${b}4`,
}));

let full, stack, people, routes;
before(async () => {
  full = await filled({ records: 2000, percent: 20, days: 3, lines: [...shapes, ...formulas] });
  ({ stack, people } = full);
  await busy(full);
  routes = await read_routes();
  assert.ok(routes.length > 50, `${routes.length} routes`);
});
after(() => full?.stack.stop());

const call = (method, at, headers = {}, body = '{}') => fetch(stack.console + at, { method, headers, redirect: 'manual', ...(method === 'POST' && { body }) });
const as = (p, more = {}) => ({ cookie: p.cookie, 'x-juyong-token': p.token, 'content-type': 'application/json', ...more });
const acts = async () => (await stack.log('--all')).filter((r) => r.kind === 'admin' && !r.reason.startsWith('canary') && !r.reason.startsWith('login')).length;
const leak = /src\/|\.c:\d|\/tmp|\/home|state\/|SELECT |sqlite|errno|no such (table|column)|malformed/i;

describe('every route', () => {
  test('is the business of its roles alone, and nobody’s without a session', async () => {
    for (const { method, at, may } of routes) {
      if (may.length === roles.length) continue;
      for (const role of roles.filter((r) => !may.includes(r))) {
        const r = await call(method, at, as(people[role]));
        assert.equal(r.status, 403, `${role} ${method} ${at}`);
        assert.equal((await r.json()).error.code, 'wrong_role');
      }
    }
    for (const { method, at } of routes.filter((r) => r.at.startsWith('/api/') && !['/api/session', '/api/login'].includes(r.at)))
      assert.equal((await call(method, at, { 'content-type': 'application/json' })).status, 401, at);
  });

  test('that changes something wants token, origin and JSON, and leaves no trace without', async () => {
    const were = await acts();
    for (const { at, may } of routes.filter((r) => r.method === 'POST')) {
      const p = people[may[0]];
      const refused = async (headers, status, code) => {
        const r = await call('POST', at, headers);
        assert.equal(r.status, status, `${at} ${JSON.stringify(headers)}`);
        assert.equal((await r.json()).error.code, code);
        assert.equal(r.headers.get('access-control-allow-origin'), null);
      };
      const { 'x-juyong-token': _, ...tokenless } = as(p);
      if (at !== '/api/login') {
        await refused(tokenless, 403, 'no_token');
        await refused(as(p, { 'x-juyong-token': people[roles.find((r) => r !== may[0])].token }), 403, 'no_token');
      }
      await refused(as(p, { origin: 'https://evil.example' }), 403, 'wrong_origin');
      await refused(as(p, { origin: 'null' }), 403, 'wrong_origin');
      for (const site of ['cross-site', 'same-site']) await refused(as(p, { 'sec-fetch-site': site }), 403, 'wrong_origin');
      for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x']) await refused(as(p, { 'content-type': type }), 415, 'not_json');
      const preflight = await fetch(stack.console + at, { method: 'OPTIONS', headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST', 'access-control-request-headers': 'x-juyong-token' } });
      assert.ok(preflight.status >= 400 && !preflight.headers.get('access-control-allow-origin'), at);
    }
    assert.equal(await acts(), were);
  });

  test('that reads changes nothing: a GET where only POST is meant, HEAD, and other methods', async () => {
    const were = await acts();
    const reads = new Set(routes.filter((r) => r.method === 'GET').map((r) => r.at));
    for (const { method, at, may } of routes) {
      if (method === 'POST' && !reads.has(at) && !at.endsWith('/none') && !/\/(find|verify|reveal|sample)$/.test(at)) {
        const r = await call('GET', at, as(people[may[0]]));
        assert.ok([404, 405].includes(r.status) || reads.has(at.replace(/[^/]+$/, 'none')), `GET ${at}: ${r.status}`);
      }
      for (const other of ['PUT', 'DELETE', 'PATCH']) {
        const r = await fetch(stack.console + at, { method: other, headers: as(people[may[0]]), body: '{}' });
        assert.ok([404, 405].includes(r.status), `${other} ${at}: ${r.status}`);
      }
      const override = await call('GET', at, as(people[may[0]], { 'x-http-method-override': 'POST' }));
      assert.ok(override.status < 500, at);
    }
    // Looks that go on record do; nothing else may.
    const now = await acts();
    const looks = (await stack.log('--all')).filter((r) => ['user_lookup', 'export'].includes(r.reason)).length;
    assert.ok(now - were <= looks, `${now - were} records, ${looks} looks`);
  });

  test('is not on the apps’ port', async () => {
    for (const { method, at } of [...routes, ...['/', '/healthz', '/readyz', '/metrics', '/chart.min.js', '/index.html'].map((x) => ({ method: 'GET', at: x }))]) {
      const r = await fetch(stack.url + at, { method, headers: as(people.administrator), ...(method === 'POST' && { body: '{}' }) });
      assert.ok([404, 405].includes(r.status), `${at}: ${r.status}`);
      assert.doesNotMatch(await r.text(), /juyong_|居庸/);
    }
  });

  test('answers nonsense in any parameter with less than 500, and tells nothing of how it is made', async () => {
    const names = ['since', 'until', 'action', 'risk', 'rule', 'app', 'model', 'end_user', 'request_id', 'direction', 'review', 'text', 'all', 'purpose', 'session', 'client_ip', 'trace_id', 'after', 'before', 'limit', 'day', 'state', 'kind', 'q', 'id', 'act', 'who', 'mine', 'against', 'format', 'sort'];
    const values = ["'; DROP TABLE x;--\"", '%_\\*" OR NEAR(a b)', '-1', '99999999999999999999999', '../../../etc/passwd', '\u202e🙂\u2028'];
    for (const { at, may } of routes.filter((r) => r.method === 'GET' && r.at.startsWith('/api/') && !['/api/log/export', '/api/filing/pack'].includes(r.at))) {
      const p = people[may.includes('inspector') ? 'inspector' : may[0]];
      await Promise.all(names.map(async (name, n) => {
        const value = values[(n + at.length) % values.length];
        const r = await p.get(at, { [name]: value });
        assert.ok(r.status < 500, `${at}?${name}=${value}: ${r.status} ${r.text.slice(0, 200)}`);
        if (r.status >= 400) assert.ok(r.json.error.code && !leak.test(r.json.error.message), r.text);
      }));
      for (const raw of ['a=%00', 'text=%ff', 'limit=50&limit=51', `text=${'长'.repeat(1500)}`, '%']) {
        const r = await p.get(`${at}?${raw}`);
        assert.ok(r.status < 500, `${at}?${raw.slice(0, 30)}: ${r.status} ${r.text.slice(0, 200)}`);
      }
    }
  });

  test('answers an id that is a path, a wildcard or very long with 400 or 404', async () => {
    for (const { method, route, may } of routes.filter((r) => r.route.includes('{')))
      for (const id of ['..%2f..%2faccounts.json', '%2e%2e', '..%5c..%5c', 'x%00y', '%', "'%20OR%20'1'='1", '*', 'a'.repeat(3000), '%f0%9f%99%82', '-1', '18446744073709551616']) {
        const r = await call(method, route.replace(/\{\w+\}/, id), as(people[may[0]]), '{"reason":"x","act":"lift","state":"open"}');
        const text = await r.text();
        assert.ok(r.status < 500, `${method} ${route} ${id.slice(0, 20)}: ${r.status} ${text}`);
        assert.ok(r.status !== 200 || ['[]', '{'].some((b) => text.startsWith(b)), `${route} ${id.slice(0, 20)}: ${text.slice(0, 100)}`);
        assert.ok(!text.includes('scrypt') && !leak.test(text), `${route} ${id}: ${text}`);
      }
  });

  test('answers every field of a wrong type with 4xx', async () => {
    const fields = ['requests', 'verdict', 'note', 'second', 'to', 'since', 'until', 'percent', 'actions', 'day', 'kind', 'text', 'risk', 'why', 'remove', 'reason', 'force', 'proposal', 'version', 'word', 'expires_s', 'id', 'act', 'app', 'for_s', 'alias', 'overlap_s', 'state', 'title', 'what', 'at_us', 'impact', 'measures', 'remedy', 'responsible', 'name', 'password', 'role', 'disabled', 'code', 'direction', 'draft'];
    const values = [null, true, -1, 1e300, [], {}, [[]], [null], 'x\u0000y', '\ud800', ''];
    for (const { at, may } of routes.filter((r) => r.method === 'POST' && !['/api/logout', '/api/login', '/api/password', '/api/totp/begin', '/api/log/verify'].includes(r.at)))
      for (const value of values) {
        const r = await people[may[0]].post(at, Object.fromEntries(fields.map((f) => [f, value])));
        assert.ok(r.status >= 400 && r.status < 500, `${at} ${JSON.stringify(value)}: ${r.status} ${r.text.slice(0, 200)}`);
        assert.ok(r.json.error.code && !leak.test(r.text), r.text);
      }
    for (const body of ['', 'null', '[]', '"x"', '{', '{"a":1}{"b":2}', '{"reason":"a","reason":"b"}', '\ufeff{}', '{"a":NaN}'])
      for (const { at, may } of routes.filter((r) => r.method === 'POST' && r.at !== '/api/logout')) {
        const r = await call('POST', at, as(people[may[0]]), body);
        assert.ok(r.status >= 400 && r.status < 500, `${at} ${body.slice(0, 20)}: ${r.status}`);
      }
    for (const { at, may } of routes.filter((r) => r.method === 'POST' && r.at !== '/api/logout'))
      assert.ok((await call('POST', at, as(people[may[0]]), `${'{"a":'.repeat(20000)}1${'}'.repeat(20000)}`)).status < 500, `${at}, deeply nested`);
  });

  test('gives a browser its bounds with every answer', async () => {
    for (const { method, at, may } of routes.filter((r) => r.at !== '/api/logout')) {
      const r = await call(method, at, as(people[may[0]]));
      const policy = r.headers.get('content-security-policy');
      assert.match(policy, /default-src 'none'; script-src 'self'; style-src 'self';.*frame-ancestors 'none'; base-uri 'none'/, at);
      assert.doesNotMatch(policy, /unsafe|https?:|\*/);
      assert.deepEqual(['x-content-type-options', 'referrer-policy', 'cache-control'].map((h) => r.headers.get(h)), ['nosniff', 'no-referrer', 'no-store'], at);
      assert.doesNotMatch(r.headers.get('content-type') ?? '', /html|svg|xml(?!formats)/, at);
      await r.arrayBuffer();
    }
    const page = await (await fetch(`${stack.console}/`)).text();
    assert.doesNotMatch(page, /<script(?![^>]* src=)|<style|\son\w+=|javascript:/i);
  });
});

describe('what is taken away', () => {
  const bytes = async (format) => {
    const r = await fetch(`${stack.console}/api/log/export?format=${format}`, { headers: { cookie: people.inspector.cookie } });
    assert.equal(r.status, 200);
    assert.match(r.headers.get('content-disposition'), /^attachment/);
    return Buffer.from(await r.arrayBuffer());
  };
  const cells = (book) => book.SheetNames.flatMap((n) => Object.entries(book.Sheets[n]).filter(([at]) => !at.startsWith('!')).map(([at, c]) => ({ at, ...c })));
  const rows_of = (book) => book.SheetNames.flatMap((n) => XLSX.utils.sheet_to_json(book.Sheets[n], { raw: false }));

  test('no cell is a formula to a spreadsheet, and no text is lost', async () => {
    // The reader would see them: a file without care has formulas.
    assert.ok(cells(XLSX.read('=1+1,"=2"\n', { type: 'string' })).some((c) => c.f));
    const lines = (await bytes('jsonl')).toString().split('\n').filter(Boolean).map((l) => JSON.parse(l));
    assert.ok(lines.some((l) => l.context?.startsWith('=cmd')), 'JSON is what was said');
    const text = (await bytes('csv')).toString();
    const csv = XLSX.read(text, { type: 'string', raw: true });
    assert.deepEqual(cells(XLSX.read(text, { type: 'string' })).filter((c) => c.f || c.l).map((c) => c.at), []);
    for (const c of cells(csv)) assert.doesNotMatch(String(c.v), /^[=+\-@\t\r\n＝＋－＠]/, c.at);
    const xlsx = XLSX.read(await bytes('xlsx'), { type: 'buffer', bookFiles: true });
    assert.deepEqual(cells(xlsx).filter((c) => c.f || c.l).map((c) => c.at), []);
    assert.ok(!Object.keys(xlsx.files).some((f) => /external|macro|vba|hyperlink/i.test(f)));
    for (const book of [csv, xlsx]) {
      const rows = rows_of(book);
      assert.equal(rows.length, lines.length);
      for (const [i, l] of lines.entries()) {
        assert.equal(rows[i].request_id, l.request_id);
        const plain = (s) => String(s ?? '').replace(/^'/, '').replace(/[\s\u0000-\u001f]+/g, ' ').trim();
        assert.equal(plain(rows[i].text), plain(l.text).slice(0, 32000));
        assert.equal(plain(rows[i].model), plain(l.model));
        assert.equal(plain(rows[i].app), plain(l.app));
      }
    }
  });

  test('an incident’s report and a JSON answer are text to a browser', async () => {
    const { json } = await people.viewer.get('/api/incidents');
    const r = await people.viewer.get(`/api/incidents/${json.rows[0].id}/report`);
    assert.match(r.headers.get('content-type'), /^text\/plain/);
    assert.equal(r.headers.get('x-content-type-options'), 'nosniff');
    assert.ok(r.text.includes('<script>'));
  });
});

test('in a terminal a text of a stranger is text, and a record one line', async () => {
  const folder = ['-c', stack.conf];
  const [row] = await stack.log('--text', '长长');
  for (const args of [['list', '--all'], ['show', row.request_id], ['list', '--json', '--all']]) {
    const r = await run(['log', args[0], ...folder, ...args.slice(1)]);
    assert.equal(r.code, 0, r.stderr);
    assert.doesNotMatch(r.stdout, /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/u, args.join(' '));
    assert.doesNotMatch(r.stdout, /^Set-Cookie/m);
    if (args.includes('--json')) for (const line of r.stdout.split('\n').filter(Boolean)) JSON.parse(line);
  }
  for (const [command, ...more] of [['complaint', 'list'], ['complaint', 'show', '1'], ['incident', 'list'], ['rules', 'list'], ['user', 'list']]) {
    const r = await run([command, more[0], ...folder, ...more.slice(1)]);
    assert.doesNotMatch(r.stdout, /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/u, `${command} ${more}`);
  }
});

test('names and texts of strangers make no line of the process log', async () => {
  const evil = 'x\r\nerror: FORGED LINE\u001b[2J\u2028';
  for (let i = 0; i < 3; i++)
    await fetch(`${stack.console}/api/login`, { method: 'POST', headers: { 'content-type': 'application/json', 'user-agent': evil.replace(/[^ -~]/g, '') }, body: JSON.stringify({ name: evil, password: evil }) });
  await people.reviewer.post('/api/users/find', { id: evil });
  await people.publisher.post('/api/rules/draft', { kind: 'keyword', text: evil, risk: 'A1-h', why: evil });
  await fetch(`${stack.url}/v1/complaints`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ text: evil, contact: evil, kind: evil }) });
  const out = await stack.gateway.output();
  assert.doesNotMatch(out, /\u001b|^error: FORGED/m);
  assert.equal((await stack.verify()).code, 0);
});
