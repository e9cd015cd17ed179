// People at the console: accounts of a role, logged in, that ask the API as the page does.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { run } from './harness.js';

const password = 'correct horse battery';

export async function person(stack, name, role) {
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
    const out = { status: a.status, headers: a.headers, text: await a.text() };
    if ((a.headers.get('content-type') ?? '').startsWith('application/json')) out.json = JSON.parse(out.text || 'null');
    const set = a.headers.get('set-cookie');
    if (set) p.cookie = set.split(';')[0];
    if (out.json?.token) p.token = out.json.token;
    return out;
  };
  p.get = (route, params) => ask('GET', params ? `${route}?${new URLSearchParams(params)}` : route);
  p.post = (route, body) => ask('POST', route, body);
  const login = await p.post('/api/login', { name, password });
  assert.equal(login.status, 200, login.text);
  return p;
}
