// The console as browsers and scripts meet it: who may come in, what a foreign page can do, what goes
// on record, and that no answer says more than it should.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { request as plain } from 'node:http';
import { request as tls } from 'node:https';
import { chmod, readFile, stat, writeFile, copyFile } from 'node:fs/promises';
import path from 'node:path';
import { Stack, listening, run, until, sleep } from './harness.js';

const password = 'correct horse battery';

// One request with exact headers: fetch() writes some of its own.
function send(base, route, { method = 'GET', headers = {}, body, ca } = {}) {
  const url = new URL(base + route);
  const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
  return new Promise((done, fail) => {
    const r = (url.protocol === 'https:' ? tls : plain)({
      host: url.hostname, port: url.port, path: route, method, ca, rejectUnauthorized: false, agent: false,
      headers: { host: url.host, ...(text !== undefined && { 'content-length': Buffer.byteLength(text) }), ...headers },
    }, (answer) => {
      const parts = [];
      answer.on('data', (p) => parts.push(p));
      answer.on('end', () => {
        const bytes = Buffer.concat(parts);
        const out = { status: answer.statusCode, headers: answer.headers, bytes, text: bytes.toString(), peer: r.peer };
        if (answer.headers['content-type'] === 'application/json') out.json = JSON.parse(out.text || 'null');
        done(out);
      });
    });
    r.on('socket', (s) => s.on('secureConnect', () => { r.peer = s.getPeerCertificate(); }));
    r.on('error', fail);
    r.end(text === undefined ? undefined : Buffer.from(text)); // a string would have the head written as UTF-8, too
  });
}

// A browser: cookie and token of its session.
class Person {
  constructor(base) { this.base = base; }

  get(route, headers = {}) {
    return send(this.base, route, { headers: { ...(this.cookie && { cookie: this.cookie }), ...headers } });
  }

  async post(route, body = {}, headers = {}) {
    const all = { 'content-type': 'application/json', ...(this.cookie && { cookie: this.cookie }), ...(this.token && { 'x-juyong-token': this.token }), ...headers };
    for (const k of Object.keys(all)) if (all[k] === undefined) delete all[k];
    const r = await send(this.base, route, { method: 'POST', headers: all, body });
    const set = r.headers['set-cookie']?.[0];
    if (set) {
      this.cookie = set.split(';')[0];
      this.set = set;
    }
    if (r.json?.token) this.token = r.json.token;
    return r;
  }

  login(name, more = {}) { return this.post('/api/login', { name, password, ...more }); }
}

// The console begins to listen last.
async function begin(options) {
  const s = await Stack.start(options);
  await until(() => listening(s.consolePort), 'the console listens');
  return s;
}

async function account(stack, ...args) {
  const file = path.join(stack.dir, 'password');
  await writeFile(file, `${password}\n`);
  return run(['account', args[0], '-c', stack.conf, ...args.slice(1),
    ...(['add', 'password'].includes(args[0]) ? ['--password-file', file] : [])]);
}

async function person(stack, name, base = stack.console) {
  const p = new Person(base);
  const r = await p.login(name);
  assert.equal(r.status, 200, r.text);
  return p;
}

const acts = async (stack) => (await stack.log('--all')).filter((r) => r.kind === 'admin')
  .map((r) => ({ reason: r.reason, detail: typeof r.detail === 'string' ? JSON.parse(r.detail) : r.detail }));

const roles = ['viewer', 'reviewer', 'publisher', 'administrator', 'inspector'];
let stack;
before(async () => {
  stack = await begin();
});
after(() => stack?.stop());

// RFC 6238, as an authenticator app has it.
function code(secret, at = Date.now()) {
  const abc = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  let bits = '';
  for (const c of secret) bits += abc.indexOf(c).toString(2).padStart(5, '0');
  const key = Buffer.from(bits.match(/.{8}/g).map((b) => parseInt(b, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(at / 30000)));
  const mac = createHmac('sha1', key).update(counter).digest();
  const n = mac.readUInt32BE(mac[19] & 15) & 0x7fffffff;
  return String(n % 1000000).padStart(6, '0');
}

test('without accounts there is a page that says so, and nothing else', async () => {
  const s = (await send(stack.console, '/api/session')).json;
  assert.equal(s.user, null);
  assert.equal(s.setup, true);
  assert.equal((await send(stack.console, '/')).status, 200);
  assert.equal((await send(stack.console, '/api/accounts')).status, 401);
  assert.equal((await send(stack.console, '/metrics')).status, 200);
  const r = await new Person(stack.console).login('root');
  assert.equal(r.status, 401);
  assert.equal(r.json.error.code, 'wrong');
});

test('the first administrator is made on the machine, without a restart', async () => {
  for (const role of roles) {
    const r = await account(stack, 'add', role, '--role', role);
    assert.equal(r.code, 0, r.stderr);
  }
  assert.equal((await account(stack, 'add', 'viewer', '--role', 'viewer')).code, 1);
  assert.equal((await account(stack, 'add', 'a/b', '--role', 'viewer')).code, 2);
  assert.equal((await account(stack, 'add', 'nobody', '--role', 'god')).code, 2);
  assert.equal((await send(stack.console, '/api/session')).json.setup, false);
  const file = path.join(stack.dir, 'state/accounts.json');
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  assert.ok(!(await readFile(file, 'utf8')).includes(password));
  const list = await run(['account', 'list', '-c', stack.conf, '--json']);
  assert.deepEqual(list.stdout.trim().split('\n').map((l) => JSON.parse(l).role), roles);
  const told = (await acts(stack)).filter((a) => a.reason === 'account');
  assert.equal(told.length, 5);
  assert.equal(told[3].detail.account, 'administrator');
  assert.equal(told[3].detail.what, 'add');
});

test('weak passwords are refused, and none is taken from the command line', async () => {
  const weak = path.join(stack.dir, 'weak');
  for (const [word, why] of [['short', /fewer than 10/], ['anna-anna-1', /name/], ['aaaaaaaaaaaa', /repeated/], ['', /no password/]]) {
    await writeFile(weak, `${word}\n`);
    const r = await run(['account', 'add', 'anna', '-c', stack.conf, '--role', 'viewer', '--password-file', weak]);
    assert.equal(r.code, 1);
    assert.match(r.stderr, why);
  }
  assert.equal((await run(['account', 'add', 'anna', '-c', stack.conf, '--role', 'viewer', '--password', 'x'])).code === 0, false);
});

test('a role sees what it may', async () => {
  const may = {
    viewer: ['see'],
    reviewer: ['see', 'read', 'reveal', 'review', 'users'],
    publisher: ['see', 'read', 'publish'],
    administrator: ['see', 'users', 'apps', 'accounts'],
    inspector: ['see', 'read', 'reveal', 'export', 'acts'],
  };
  for (const role of roles) {
    const p = await person(stack, role);
    const s = (await p.get('/api/session')).json;
    assert.deepEqual(s.user, { name: role, role, may: may[role], totp: false });
    const r = await p.get('/api/accounts');
    assert.equal(r.status, role === 'administrator' ? 200 : 403);
    if (r.status === 403) assert.equal(r.json.error.code, 'wrong_role');
    assert.equal((await p.post('/api/accounts', { name: 'x', role: 'administrator', password: 'long enough for all' })).status === 200, role === 'administrator');
    await account(stack, 'remove', 'x');
  }
});

test('the cookie is out of reach of scripts and of other sites', async () => {
  const p = await person(stack, 'viewer');
  assert.match(p.set, /^juyong=[0-9a-f]{64}; Path=\/; HttpOnly; SameSite=Strict$/);
  assert.doesNotMatch((await p.get('/api/session')).text, new RegExp(p.cookie.slice(7)));
  assert.equal((await p.get('/api/session')).headers['set-cookie'], undefined);
  // Two of that name: one of them was planted.
  const planted = await p.get('/api/session', { cookie: `${p.cookie}; juyong=${'0'.repeat(64)}` });
  assert.equal(planted.json.user, null);
});

test('a session that was there before is not the one after a login', async () => {
  const p = await person(stack, 'viewer');
  const old = p.cookie;
  assert.equal((await p.login('reviewer')).status, 200);
  assert.notEqual(p.cookie, old);
  assert.equal((await p.get('/api/session')).json.user.name, 'reviewer');
  assert.equal((await p.get('/api/session', { cookie: old })).json.user, null);
  // An id of the attacker's choice is nobody's.
  const q = new Person(stack.console);
  q.cookie = `juyong=${'a'.repeat(64)}`;
  assert.equal((await q.login('viewer')).status, 200);
  assert.notEqual(q.cookie, `juyong=${'a'.repeat(64)}`);
});

test('a session ends with logout, password, role, disabling and removal', async () => {
  const root = await person(stack, 'administrator');
  const is = async (p) => (await p.get('/api/session')).json.user?.name ?? null;
  let p = await person(stack, 'viewer');
  const other = await person(stack, 'viewer');
  const left = p.cookie;
  assert.equal((await p.post('/api/logout')).status, 200);
  assert.match(p.set, /^juyong=; .*Max-Age=0/);
  assert.equal((await p.get('/api/session', { cookie: left })).json.user, null);
  assert.equal(await is(other), 'viewer'); // his other one goes on
  await root.post('/api/accounts', { name: 'bob', role: 'viewer', password });
  p = await person(stack, 'bob');
  assert.equal((await root.post('/api/accounts/bob', { role: 'inspector' })).status, 200);
  assert.equal(await is(p), null);
  p = await person(stack, 'bob');
  assert.equal((await root.post('/api/accounts/bob', { disabled: true })).status, 200);
  assert.equal(await is(p), null);
  assert.equal((await new Person(stack.console).login('bob')).status, 401);
  assert.equal((await account(stack, 'enable', 'bob')).code, 0);
  p = await person(stack, 'bob');
  const second = await person(stack, 'bob');
  const before = p.cookie;
  assert.equal((await p.post('/api/password', { old: 'wrong', new: 'another good one' })).status, 403);
  assert.equal((await p.post('/api/password', { old: password, new: 'bob' })).status, 422);
  assert.equal((await p.post('/api/password', { old: password, new: 'another good one' })).status, 200);
  assert.notEqual(p.cookie, before);
  assert.equal(await is(p), 'bob'); // who changed it stays, under a new id
  assert.equal(await is(second), null);
  assert.equal((await p.get('/api/session', { cookie: before })).json.user, null);
  assert.equal((await account(stack, 'password', 'bob')).code, 0);
  assert.equal(await is(p), null);
  p = await person(stack, 'bob');
  assert.equal((await root.post('/api/accounts/bob', { remove: true })).status, 200);
  assert.equal(await is(p), null);
  // Nobody locks the last administrator out, not even himself.
  for (const change of [{ remove: true }, { disabled: true }, { role: 'viewer' }])
    assert.equal((await root.post('/api/accounts/administrator', change)).status, 409);
});

test('a change needs the session\'s token, JSON, and the page\'s own origin', async () => {
  const root = await person(stack, 'administrator');
  const body = { name: 'eve', role: 'administrator', password };
  const refused = async (headers, status, code, b = body) => {
    const r = await root.post('/api/accounts', b, headers);
    assert.equal(r.status, status, `${JSON.stringify(headers)}: ${r.text}`);
    assert.equal(r.json.error.code, code);
  };
  const host = new URL(stack.console).host;
  await refused({ 'x-juyong-token': undefined }, 403, 'no_token');
  await refused({ 'x-juyong-token': '0'.repeat(32) }, 403, 'no_token');
  await refused({ 'x-juyong-token': (await person(stack, 'administrator')).token }, 403, 'no_token');
  await refused({ origin: 'https://evil.example' }, 403, 'wrong_origin');
  await refused({ origin: 'null' }, 403, 'wrong_origin');
  await refused({ origin: `http://${host}.evil.example` }, 403, 'wrong_origin');
  await refused({ 'sec-fetch-site': 'cross-site' }, 403, 'wrong_origin');
  await refused({ 'sec-fetch-site': 'same-site' }, 403, 'wrong_origin');
  await refused({ 'content-type': 'text/plain' }, 415, 'not_json');
  await refused({ 'content-type': 'application/x-www-form-urlencoded' }, 415, 'not_json');
  await refused({ 'content-type': undefined }, 415, 'not_json');
  await refused({}, 400, 'bad_json', '{"name":"eve"');
  await refused({}, 400, 'bad_json', '[]');
  await refused({}, 400, 'bad_json', '{"name":"a","name":"eve"}');
  // A form of another site can't log anybody in either.
  const login = await root.post('/api/login', 'name=viewer', { 'content-type': 'text/plain', origin: 'https://evil.example' });
  assert.equal(login.status, 403);
  // Nothing is changed by reading, whoever reads.
  assert.equal((await root.get('/api/accounts/eve')).status, 405);
  assert.equal((await root.get('/api/logout')).status, 405);
  assert.ok(!(await root.get('/api/accounts')).text.includes('eve'));
  assert.equal((await root.post('/api/accounts', body, { origin: `http://${host}`, 'sec-fetch-site': 'same-origin' })).status, 200);
  await account(stack, 'remove', 'eve');
});

test('a foreign name that leads here is told nothing', async () => {
  const p = await person(stack, 'administrator');
  for (const host of ['evil.example', `evil.example:${stack.consolePort}`, 'localhost.evil.example', '10.1.2.3'])
    for (const route of ['/', '/app.js', '/api/session', '/api/accounts', '/nothing']) {
      const r = await p.get(route, { host });
      assert.equal(r.status, 421, `${host} ${route}`);
      assert.equal(r.json.error.code, 'wrong_host');
    }
  assert.equal((await p.get('/api/accounts', { host: `localhost:${stack.consolePort}` })).status, 200);
  // Machines don't mind.
  assert.equal((await p.get('/healthz', { host: 'gateway' })).status, 200);
});

test('every answer keeps a browser in bounds', async () => {
  const p = await person(stack, 'viewer');
  const answers = [await p.get('/'), await p.get('/chart.min.js'), await p.get('/api/session'), await p.get('/api/accounts'),
    await p.get('/nothing'), await p.post('/api/login', '{'), await p.get('/', { 'transfer-encoding': 'gzip', host: 'localhost' }), await p.get('/healthz'), await p.get('/metrics'), await p.get('/', { host: 'x' })];
  for (const r of answers) {
    assert.equal(r.headers['content-security-policy'], "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'");
    assert.equal(r.headers['x-content-type-options'], 'nosniff');
    assert.equal(r.headers['referrer-policy'], 'no-referrer');
    assert.equal(r.headers['cross-origin-opener-policy'], 'same-origin');
    assert.equal(r.headers['cross-origin-resource-policy'], 'same-origin');
    assert.equal(r.headers['access-control-allow-origin'], undefined);
  }
  for (const r of answers.slice(2).filter((a) => a.status !== 400)) assert.equal(r.headers['cache-control'], 'no-store');
});

test('files of the page are asked about, or kept for ever by their version', async () => {
  const page = await send(stack.console, '/');
  assert.equal(page.headers['content-type'], 'text/html; charset=utf-8');
  assert.equal(page.headers['cache-control'], 'no-cache');
  assert.equal((await send(stack.console, '/', { headers: { 'if-none-match': page.headers.etag } })).status, 304);
  const script = page.text.match(/\/p\/[0-9a-f]{16}\/[\w.\/-]+\.js/)[0];
  const kept = await send(stack.console, script);
  assert.equal(kept.headers['content-type'], 'text/javascript; charset=utf-8');
  assert.match(kept.headers['cache-control'], /immutable/);
  assert.ok((await send(stack.console, '/chart.min.js')).text.includes('Chart.js'));
  for (const route of ['/p/0000000000000000/app.js', '/../juyong.yaml', '/%2e%2e/juyong.yaml', '/p/../app.js', '//app.js', '/app.js/', '/page/app.js'])
    assert.equal((await send(stack.console, route)).status, 404, route);
});

test('no refusal tells how the gateway is made', async () => {
  const p = await person(stack, 'administrator');
  const nasty = ["'; DROP TABLE x;--", '../../etc/passwd', '%_\\', '<img onerror=alert(1)>', 'a'.repeat(3000), '\u202e', '=1+1'];
  const answers = [];
  for (const n of nasty) {
    const e = encodeURIComponent(n);
    answers.push(await p.get(`/api/session?text=${e}&sort=${e}`), await p.post(`/api/accounts/${e}`, { role: n }), await p.get(`/api/${e}`),
      await p.post('/api/accounts', { name: n, role: n, password: n }), await p.post('/api/totp/confirm', { code: n.slice(0, 60) }));
  }
  for (const q of ['a=%', 'a=%00', 'a=1&a=2', 'a=%ff', Array.from({ length: 40 }, (_, i) => `p${i}=1`).join('&')])
    answers.push(await p.get(`/api/session?${q}`));
  assert.equal(answers.at(-1).status, 400);
  for (const r of answers) {
    if (r.status === 200) continue;
    assert.ok(r.status >= 400 && r.status < 500, r.text);
    assert.ok(r.json.error.code && r.json.error.message, r.text);
    assert.doesNotMatch(r.text, /src\/|\.c\b|\/tmp|state\/|SELECT|sqlite|errno|<img/i);
  }
  // Larger than is taken: refused, and the next one is served.
  const large = await p.post('/api/login', JSON.stringify({ name: 'x'.repeat(2 << 20), password: 'x' })).catch(() => ({ status: 413 }));
  assert.equal(large.status, 413);
  assert.equal((await p.get('/api/session')).status, 200);
});

test('guessing is slowed down and told, whether or not there is such an account', async () => {
  const s = await begin();
  try {
    await account(s, 'add', 'root', '--role', 'administrator');
    for (const name of ['root', 'nobody']) {
      const seen = [];
      for (let i = 0; i < 12; i++) seen.push(await new Person(s.console).login(name, { password: `guess ${i}` }));
      const wrong = seen.filter((r) => r.status === 401), late = seen.filter((r) => r.status === 429);
      assert.equal(wrong.length + late.length, 12);
      assert.ok(wrong.length >= 5 && late.length >= 1, `${wrong.length} ${late.length}`);
      for (const r of wrong) assert.equal(r.text, '{"error":{"code":"wrong","message":"Name, password or code is wrong."}}');
      for (const r of late) {
        assert.equal(r.json.error.code, 'too_often');
        assert.ok(Number(r.headers['retry-after']) >= 1);
      }
    }
    // The right password doesn't help meanwhile.
    await Promise.all(Array.from({ length: 6 }, (_, i) => new Person(s.console).login('root', { password: `more ${i}` })));
    assert.equal((await new Person(s.console).login('root')).status, 429);
    await until(async () => (await acts(s)).some((a) => a.reason === 'login_limited'), 'the limit is on record');
    const told = await acts(s);
    assert.ok(told.some((a) => a.reason === 'login_failed' && a.detail.by === 'root'));
    // A name that is none may be a password in the wrong field.
    assert.ok(!JSON.stringify(told).includes('"nobody" guess') && !JSON.stringify(told).includes('guess '));
    assert.ok(told.filter((a) => a.reason === 'login_limited').length <= 4);
  } finally {
    await s.stop();
  }
});

test('a second factor: set up, needed, good for one login, taken away', async () => {
  const root = await person(stack, 'administrator');
  await root.post('/api/accounts', { name: 'carl', role: 'viewer', password });
  let p = await person(stack, 'carl');
  const { secret, uri } = (await p.post('/api/totp/begin')).json;
  assert.match(secret, /^[A-Z2-7]{32}$/);
  assert.ok(uri.startsWith('otpauth://totp/juyong:carl?secret=' + secret));
  assert.equal((await p.post('/api/totp/confirm', { code: '000000' === code(secret) ? '000001' : '000000' })).status, 422);
  const first = code(secret);
  assert.equal((await p.get('/api/session')).json.user.totp, false);
  assert.equal((await p.post('/api/totp/confirm', { code: first })).status, 200);
  // A session that was left open does not do to put another in its place.
  assert.equal((await p.get('/api/session')).json.user.totp, true);
  for (const [route, body] of [['/api/totp/begin', {}], ['/api/totp/confirm', { code: code(secret, Date.now() + 30000) }]]) {
    const again = await p.post(route, body);
    assert.equal(again.status, 409, again.text);
  }
  p = new Person(stack.console);
  const needed = await p.login('carl');
  assert.equal(needed.status, 401);
  assert.equal(needed.json.error.code, 'code_needed');
  assert.equal(p.cookie, undefined);
  // With a wrong password nobody learns that there is one.
  assert.equal((await p.login('carl', { password: 'wrong wrong' })).json.error.code, 'wrong');
  assert.equal((await p.login('carl', { code: first })).json.error.code, 'wrong'); // used already
  const next = code(secret, Date.now() + 30000);
  assert.equal((await p.login('carl', { code: next })).status, 200);
  assert.equal((await new Person(stack.console).login('carl', { code: next })).json.error.code, 'wrong');
  assert.equal((await root.get('/api/accounts')).json.find((a) => a.name === 'carl').totp, true);
  // The device is lost.
  assert.equal((await root.post('/api/accounts/carl', { totp: false })).status, 200);
  p = await person(stack, 'carl');
  // On the machine itself.
  const shown = await account(stack, 'totp', 'carl');
  assert.match(shown.stdout, /otpauth:\/\/totp\/juyong:carl\?secret=[A-Z2-7]{32}/);
  assert.equal((await new Person(stack.console).login('carl')).json.error.code, 'code_needed');
  assert.equal((await account(stack, 'totp', 'carl', '--remove')).code, 0);
  p = await person(stack, 'carl');
  await account(stack, 'remove', 'carl');
});

test('what people do here is a chain of records', async () => {
  const root = await person(stack, 'administrator');
  await root.post('/api/accounts', { name: 'dora', role: 'viewer', password });
  await root.post('/api/accounts/dora', { role: 'reviewer', disabled: true });
  await root.post('/api/accounts/dora', { remove: true });
  const told = await acts(stack);
  const of = (reason) => told.filter((a) => a.reason === reason && a.detail.account === 'dora').map((a) => a.detail);
  assert.deepEqual(of('account_add'), [{ by: 'administrator', role: 'administrator', ip: '127.0.0.1', account: 'dora', to: 'viewer' }]);
  assert.deepEqual(of('account_change'), [{ by: 'administrator', role: 'administrator', ip: '127.0.0.1', account: 'dora', from: 'viewer', to: 'reviewer', disabled: true }]);
  assert.equal(of('account_remove').length, 1);
  assert.ok(told.some((a) => a.reason === 'login' && a.detail.by === 'administrator' && a.detail.ip === '127.0.0.1'));
  assert.ok(!JSON.stringify(told).includes(password));
  assert.equal((await stack.verify()).code, 0);
});

test('a trusted front names who is there; nobody else may', async () => {
  const s = await begin({ config: { console: { trusted_header: { from: ['127.0.0.1'], user: 'X-Forwarded-User' } } } });
  try {
    await account(s, 'add', '张三', '--role', 'administrator');
    const as = (user, more = {}) => send(s.console, '/api/session', { headers: { ...(user && { 'x-forwarded-user': user }), ...more } });
    const name = Buffer.from('张三').toString('latin1');
    const me = (await as(name)).json;
    assert.equal(me.user.role, 'administrator');
    assert.equal(me.front, true);
    assert.ok(me.token);
    for (const other of [undefined, 'root', 'administrator', '']) assert.equal((await as(other)).json.user, null);
    assert.equal((await as([name, name])).json.user, null); // somebody added one
    // Without a name from the front he may log in himself.
    const himself = new Person(s.console);
    assert.equal((await himself.login('张三')).status, 200);
    assert.equal((await himself.get('/api/session')).json.front, false);
    assert.equal((await himself.get('/api/session', { 'x-forwarded-user': 'root' })).json.user, null);
    const change = (token) => send(s.console, '/api/accounts', { method: 'POST', body: { name: 'li', role: 'viewer', password },
      headers: { 'content-type': 'application/json', 'x-forwarded-user': name, ...(token && { 'x-juyong-token': token }) } });
    assert.equal((await change()).json.error.code, 'no_token');
    assert.equal((await change(me.token)).status, 200);
    assert.equal((await account(s, 'disable', '张三')).code, 0);
    assert.equal((await as(name)).json.user, null);
    // Not from anywhere.
    await s.configure({ console: { trusted_header: { from: ['10.0.0.1'] } } });
    await account(s, 'enable', '张三');
    s.gateway.kill('SIGHUP');
    await until(async () => (await s.gateway.output()).includes('reloaded:'), 'the reload is done');
    assert.equal((await as(name)).json.user, null);
  } finally {
    await s.stop();
  }
});

function certificate(dir, name) {
  const [cert, key] = [`${name}.pem`, `${name}.key`].map((f) => path.join(dir, f));
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '30',
    '-keyout', key, '-out', cert, '-subj', `/CN=${name}`], { stdio: 'ignore' });
  return { cert, key };
}

test('over TLS: cookies for TLS alone, and a certificate that reloads', async () => {
  const s = await begin();
  try {
    const one = certificate(s.dir, 'one.example'), two = certificate(s.dir, 'two.example');
    const now = { cert: path.join(s.dir, 'now.pem'), key: path.join(s.dir, 'now.key') };
    await copyFile(one.cert, now.cert);
    await copyFile(one.key, now.key);
    await chmod(now.key, 0o600);
    await s.gateway.stop();
    await s.configure({ console: { tls: now, hosts: ['one.example'] } });
    await s.startGateway();
    await until(() => listening(s.consolePort), 'the console listens');
    await account(s, 'add', 'root', '--role', 'administrator');
    const base = s.console.replace('http:', 'https:');
    await until(async () => (await send(base, '/healthz')).status === 200, 'TLS is spoken');
    const p = await person(s, 'root', base);
    assert.match(p.set, /^__Host-juyong=[0-9a-f]{64}; Path=\/; HttpOnly; SameSite=Strict; Secure$/);
    const r = await p.get('/api/accounts', { host: 'one.example' });
    assert.equal(r.status, 200);
    assert.equal(r.peer.subject.CN, 'one.example');
    assert.equal((await p.get('/api/accounts', { host: 'two.example' })).status, 421);
    const http = new URL(base).host;
    assert.equal((await p.post('/api/totp/begin', {}, { origin: `http://${http}` })).status, 403);
    assert.equal((await p.post('/api/totp/begin', {}, { origin: `https://${http}` })).status, 200);
    assert.equal((await send(base, '/chart.min.js')).bytes.length > 100000, true);
    await copyFile(two.cert, now.cert);
    s.gateway.kill('SIGHUP'); // the key is the other's
    await until(async () => (await s.gateway.output()).includes("'key' is not the key of 'cert'"), 'the mismatch is told');
    assert.equal((await p.get('/healthz')).peer.subject.CN, 'one.example');
    await copyFile(two.key, now.key);
    s.gateway.kill('SIGHUP');
    await until(async () => (await p.get('/api/accounts')).peer.subject.CN === 'two.example', 'the new certificate is served');
    assert.equal((await p.get('/api/accounts')).status, 200); // nobody was logged out
    for (let i = 0; i < 6; i++) { // and again, more often than listeners are kept
      const c = i % 2 ? two : one;
      await copyFile(c.cert, now.cert);
      await copyFile(c.key, now.key);
      s.gateway.kill('SIGHUP');
      await until(async () => (await p.get('/healthz')).peer.subject.CN === (i % 2 ? 'two.example' : 'one.example'), `certificate ${i}`, 10000);
    }
  } finally {
    await s.stop();
  }
});

test('check refuses a console that would speak in the open', async () => {
  const s = stack;
  const file = path.join(s.dir, 'check.yaml');
  const conf = JSON.parse(await readFile(s.conf, 'utf8'));
  const check = async (c) => {
    await writeFile(file, JSON.stringify({ ...conf, console: c }));
    return run(['check', '-c', file]);
  };
  let r = await check({ listen: '0.0.0.0:8443' });
  assert.equal(r.code, 1);
  assert.match(r.stderr, /without 'tls' the console must listen on a loopback address/);
  const c = certificate(s.dir, 'a.example'), d = certificate(s.dir, 'b.example');
  assert.equal((await check({ listen: '0.0.0.0:8443', tls: c })).code, 0);
  r = await check({ listen: '0.0.0.0:8443', tls: { cert: c.cert, key: d.key } });
  assert.match(r.stderr, /'key' is not the key of 'cert'/);
  r = await check({ listen: '0.0.0.0:8443', tls: { cert: c.key, key: c.key } });
  assert.match(r.stderr, /holds no certificate/);
  r = await check({ listen: '0.0.0.0:8443', tls: { cert: '/nowhere', key: c.key } });
  assert.match(r.stderr, /can't be read/);
  r = await check({ listen: '0.0.0.0:8443', tls: { cert: c.cert } });
  assert.match(r.stderr, /the key 'key' is missing/);
  r = await check({ listen: '127.0.0.1:8443', hosts: ['a b'] });
  assert.match(r.stderr, /no host name/);
  r = await check({ listen: '127.0.0.1:8443', trusted_header: { from: ['0.0.0.0/0'] } });
  assert.match(r.stderr, /anybody could then call himself anybody/);
});

test('a trusted proxy says whose address it is, nobody else does', async () => {
  const login = async (s) => {
    const p = new Person(s.console);
    assert.equal((await p.post('/api/login', { name: 'root', password }, { 'x-juyong-client-ip': '203.0.113.7' })).status, 200);
    return (await acts(s)).filter((a) => a.reason === 'login')[0].detail.ip; // newest or only
  };
  for (const [proxies, ip] of [[['127.0.0.1'], '203.0.113.7'], [['10.0.0.1'], '127.0.0.1']]) {
    const s = await begin({ config: { trusted_proxies: proxies } });
    try {
      await account(s, 'add', 'root', '--role', 'viewer');
      assert.equal(await login(s), ip);
    } finally {
      await s.stop();
    }
  }
});

test('metrics can be kept for those who are logged in', async () => {
  const s = await begin({ config: { console: { metrics: 'session' } } });
  try {
    await account(s, 'add', 'root', '--role', 'viewer');
    assert.equal((await send(s.console, '/metrics')).status, 401);
    assert.equal((await send(s.console, '/healthz')).status, 200);
    assert.equal((await send(s.console, '/readyz')).status, 200);
    const p = await person(s, 'root');
    assert.match((await p.get('/metrics')).text, /juyong_log_records_total/);
  } finally {
    await s.stop();
  }
});

test('damaged accounts let nobody in and are not written over', async () => {
  const s = await begin();
  try {
    await account(s, 'add', 'root', '--role', 'administrator');
    const p = await person(s, 'root');
    const file = path.join(s.dir, 'state/accounts.json');
    const good = await readFile(file, 'utf8');
    await writeFile(file, good.slice(0, 100));
    assert.equal((await p.get('/api/accounts')).status, 200); // as they were
    const r = await account(s, 'add', 'eve', '--role', 'administrator');
    assert.equal(r.code, 1);
    assert.match(r.stderr, /damaged/);
    assert.equal(await readFile(file, 'utf8'), good.slice(0, 100));
    await s.gateway.stop();
    await s.startGateway();
    await until(async () => (await s.gateway.output()).includes('the console serves health and metrics only'), 'it is told');
    const q = new Person(s.console);
    await until(async () => (await q.get('/healthz')).status === 200, 'the console listens');
    assert.equal((await q.get('/api/session')).json.setup, false);
    assert.equal((await q.login('root')).status, 503);
  } finally {
    await s.stop();
  }
});

test('who leaves, and who asks much, costs nothing', async () => {
  const p = await person(stack, 'viewer');
  const url = new URL(stack.console);
  // Clients that leave in the middle of a login.
  for (let i = 0; i < 20; i++) {
    const text = JSON.stringify({ name: `n${i}`, password: 'a guess of mine' });
    const r = plain({ host: url.hostname, port: url.port, path: '/api/login', method: 'POST', agent: false,
      headers: { 'content-type': 'application/json', 'content-length': text.length } });
    r.on('error', () => {});
    r.end(text);
    setTimeout(() => r.destroy(), i * 3);
  }
  await sleep(100);
  // Many at the door: some wait, the rest is told to come again, and who is in goes on.
  const many = await Promise.all(Array.from({ length: 60 }, (_, i) => new Person(stack.console).login(`m${i}`)));
  for (const r of many) assert.ok([401, 429, 503].includes(r.status), r.text);
  assert.ok(many.some((r) => r.status === 503));
  assert.equal((await p.get('/api/session?x=1')).json?.user?.name ?? 'busy', 'viewer');
  await until(async () => (await p.get('/api/session')).json.user?.name === 'viewer', 'it goes on');
});
