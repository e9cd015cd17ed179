// A stand-in for the gateway's console: serves the page and plays its API (src/console/README.md) with
// seeded data, partly hostile. For tests of the page alone, and to look at it:
//   node tests/e2e/console-standin.js [PORT]      any name, its role being the part before "-"; password "secret"
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { hostile, World } from './console-world.js';

const here = import.meta.dirname;
const page = path.resolve(here, '../../src/console/page');
const chart = process.env.JUYONG_CHART ?? '/usr/share/javascript/chart.js/chart.min.js';
const types = { '.html': 'text/html; charset=utf-8', '.css': 'text/css; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.svg': 'image/svg+xml' };

// As the gateway sends it, and stricter: markup from strings is an error, which the tests see.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
  "frame-ancestors 'none'; base-uri 'none'; form-action 'self'; require-trusted-types-for 'script'; trusted-types 'none'";

const may = {
  viewer: ['see'],
  reviewer: ['see', 'read', 'reveal', 'review', 'users'],
  publisher: ['see', 'read', 'publish'],
  administrator: ['see', 'users', 'apps', 'accounts'],
  inspector: ['see', 'read', 'reveal', 'export', 'acts'],
};
export const roles = Object.keys(may);

class Stop extends Error {
  constructor(status, code, message) {
    super(message ?? code);
    Object.assign(this, { status, code });
  }
}

// {port, world, calls, sessions, fail, setup, close()}; `fail(method, path)` may give a status to answer with.
export async function start({ port = 0, rows = 2000, seed = 7, variety = 0 } = {}) {
  const world = new World({ rows, seed, variety });
  const s = { world, calls: [], sessions: new Map(), fail: null, setup: false, code: null, next: 1 };

  async function file(name, res) {
    const at = name === 'chart.min.js' ? chart : path.join(page, path.basename(name));
    let body = await readFile(at).catch(() => null);
    if (!body) { res.writeHead(404); return res.end(); }
    if (name === 'index.html') body = body.toString().replaceAll('{{page}}', '/p/1');
    res.writeHead(200, { 'Content-Type': types[path.extname(name)] ?? 'text/plain', 'Content-Security-Policy': policy, 'X-Content-Type-Options': 'nosniff' });
    return res.end(body);
  }

  const session_of = (who) => ({ user: who ? { name: who.name, role: who.role, may: may[who.role], totp: Boolean(who.totp) } : null, token: who?.token ?? '', setup: s.setup, version: '0.6', node: hostile.short, now_us: Date.now() * 1000, day: '2026-11-26' });

  function login(body, res) {
    const role = String(body.name).split('-')[0];
    if (!may[role] || body.password !== 'secret') throw new Stop(401, 'wrong');
    if (s.code && !body.code) throw new Stop(401, 'code_needed');
    if (s.code && body.code !== s.code) throw new Stop(401, 'wrong');
    const id = `s${s.next++}`;
    const who = { name: body.name, role, token: `t-${id}` };
    s.sessions.set(id, who);
    res.setHeader('Set-Cookie', `juyong=${id}; HttpOnly; SameSite=Strict; Path=/`);
    return session_of(who);
  }

  async function answer(req, res, url) {
    let text = '';
    for await (const chunk of req) text += chunk;
    const body = text ? JSON.parse(text) : {};
    const name = url.pathname.slice(5);
    const cookie = /juyong=(\w+)/.exec(req.headers.cookie ?? '')?.[1];
    const who = s.sessions.get(cookie);
    s.calls.push({ method: req.method, path: name, query: Object.fromEntries(url.searchParams), body, who: who?.name });
    const failure = s.fail?.(req.method, name);
    if (failure) throw new Stop(failure, 'made_to_fail');
    if (name === 'session') return session_of(who);
    if (name === 'login') return login(body, res);
    if (!who) throw new Stop(401, 'no_session');
    if (req.method === 'POST' && (req.headers['x-juyong-token'] !== who.token || req.headers['content-type'] !== 'application/json')) throw new Stop(403, 'token');
    if (name === 'logout') { s.sessions.delete(cookie); return {}; }
    const out = world.answer(req.method, name, Object.fromEntries(url.searchParams), body, who, (p) => { if (!may[who.role].includes(p)) throw new Stop(403, 'role'); });
    if (out === undefined) throw new Stop(404, 'absent');
    return out;
  }

  const server = createServer(async (req, res) => {
    const url = new URL(req.url, 'http://x');
    if (!url.pathname.startsWith('/api/')) return file(url.pathname.replace(/^\/(p\/1\/)?/, '') || 'index.html', res);
    try {
      const out = await answer(req, res, url);
      if (typeof out === 'string') { res.writeHead(200, { 'Content-Type': 'text/plain; charset=utf-8' }); return res.end(out); }
      res.writeHead(200, { 'Content-Type': 'application/json' });
      return res.end(JSON.stringify(out));
    } catch (e) {
      if (!e.status) console.error(e);
      res.writeHead(e.status ?? 500, { 'Content-Type': 'application/json' });
      return res.end(JSON.stringify({ error: { code: e.code ?? 'internal', message: e.message } }));
    }
  });
  await new Promise((done) => server.listen(port, '127.0.0.1', done));
  s.port = server.address().port;
  s.close = () => new Promise((done) => { server.closeAllConnections(); server.close(done); });
  return s;
}

if (process.argv[1] === import.meta.filename) {
  const s = await start({ port: Number(process.argv[2]) || 8089, rows: 5000 });
  console.log(`http://127.0.0.1:${s.port}/`);
}
