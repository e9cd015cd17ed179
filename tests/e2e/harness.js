// Starts the built binary as users do: a stand-in model, the gateway before it, a state folder that
// is thrown away, and the log read with `juyong log`.
import { spawn, execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { cp, mkdtemp, mkdir, readFile, rm, writeFile, open } from 'node:fs/promises';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { createServer, connect } from 'node:net';
import path from 'node:path';

export const root = path.resolve(import.meta.dirname, '../..');
export const binary = process.env.JUYONG ?? ['build/src/juyong', 'build/juyong']
  .map((p) => path.join(root, p)).find(existsSync) ?? path.join(root, 'build/src/juyong');
export const quick = process.env.JUYONG_QUICK === '1';
// tests/soak/run.sh: everything, for as long as it takes.
export const soak = process.env.JUYONG_SOAK === '1';

// Words of tests/e2e/rules. They are written nowhere else, so that a rule of the shipped library
// can change without a test noticing.
export const words = {
  block: '琥珀炸弹配方',
  blockLatin: 'zorgon acid recipe',
  innocent: '琥珀炸弹配方糖',
  flag: '地瓜城的人',
  mask: '银杏代号',
  answer: '沉入灰湖',
};

export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

// Polls until fn gives something true; the last thing it gave is in the error.
export async function until(fn, what, ms = 5000) {
  const end = Date.now() + ms;
  let last;
  for (;;) {
    try {
      last = await fn();
      if (last) return last;
    } catch (e) {
      last = e;
    }
    if (Date.now() > end) throw new Error(`timed out: ${what} (${last})`);
    await sleep(20);
  }
}

const mine = new Set();
process.once('exit', () => { for (const file of mine) rmSync(file, { force: true }); });

// Other test files run beside this one and look for ports too: one that is handed out is kept by a
// file with our process id until we end. One whose process is gone may be taken over.
function reserve(port) {
  const file = path.join(tmpdir(), `juyong-e2e-port-${port}`);
  try {
    process.kill(Number(readFileSync(file, 'utf8')) || 0x7fffffff, 0);
    return false;
  } catch (e) {
    if (e.code !== 'ENOENT') rmSync(file, { force: true });
  }
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' });
  } catch {
    return false;
  }
  mine.add(file);
  return true;
}

// Below the range that the system hands out, so that no outgoing connection takes it meanwhile.
export async function freePort() {
  for (;;) {
    const port = 20000 + Math.floor(Math.random() * 12000);
    if (!reserve(port)) continue;
    const free = await new Promise((done) => {
      const server = createServer();
      server.once('error', () => done(false));
      server.listen(port, '127.0.0.1', () => server.close(() => done(true)));
    });
    if (free) return port;
  }
}

export function listening(port) {
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => { socket.destroy(); done(true); });
    socket.once('error', () => done(false));
  });
}

// A wall clock that the test moves: give `env` to a program, then call set() with the seconds by
// which its time differs from ours. See clock.c.
export class Clock {
  static async create(dir) {
    const c = new Clock();
    c.file = path.join(dir, 'clock');
    c.library = path.join(path.dirname(binary), '../tests/libjuyong-test-clock.so');
    if (!existsSync(c.library)) throw new Error(`${c.library} is not built`);
    await c.set(0);
    c.env = {
      JUYONG_TEST_CLOCK: c.file,
      LD_PRELOAD: c.library,
      ASAN_OPTIONS: `${process.env.ASAN_OPTIONS ?? ''}:verify_asan_link_order=0`,
    };
    return c;
  }

  // In place, for the program has the file mapped.
  async set(seconds) {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(BigInt(seconds));
    const f = await open(this.file, existsSync(this.file) ? 'r+' : 'w');
    await f.write(bytes, 0, 8, 0);
    await f.close();
  }
}

// The day in China, `days` from now, as configurations write it.
export const day = (days = 0) => new Date(Date.now() + (days * 24 + 8) * 3600e3).toISOString().slice(0, 10);

// A program of ours with its output kept; stop() gives its exit status.
export class Program {
  static async start(args, logFile, env = {}) {
    const p = new Program();
    const log = await open(logFile, 'a');
    p.logFile = logFile;
    p.args = args;
    p.child = spawn(binary, args, {
      stdio: ['ignore', log.fd, log.fd],
      env: { ...process.env, ...env },
    });
    p.exited = new Promise((done) => {
      p.child.once('error', (error) => done({ error }));
      p.child.once('exit', (code, signal) => done({ code, signal }));
    });
    p.exited.then((how) => { p.how = how; });
    await log.close();
    return p;
  }

  async output() {
    return readFile(this.logFile, 'utf8');
  }

  async ready(port) {
    await until(async () => {
      if (this.how) throw new Error(`ended at start: ${JSON.stringify(this.how)}`);
      return listening(port);
    }, `${this.args[0]} listens on ${port}`, 20000).catch(async (e) => {
      throw new Error(`${e.message}\n${await this.output()}`);
    });
  }

  kill(signal) {
    this.child.kill(signal);
  }

  async stop(signal = 'SIGTERM', ms = 20000) {
    if (!this.how) this.kill(signal);
    let timer;
    const late = new Promise((done) => { timer = setTimeout(() => done(null), ms); });
    const how = await Promise.race([this.exited, late]);
    clearTimeout(timer);
    if (!how) {
      this.kill('SIGKILL');
      await this.exited;
      throw new Error(`juyong ${this.args[0]} did not end within ${ms} ms\n${await this.output()}`);
    }
    return how;
  }
}

export async function run(args, options = {}) {
  try {
    const { stdout, stderr } = await promisify(execFile)(binary, args, { maxBuffer: 1 << 30, ...options });
    return { code: 0, stdout, stderr };
  } catch (e) {
    if (typeof e.code !== 'number') throw e;
    return { code: e.code, stdout: e.stdout, stderr: e.stderr };
  }
}

function merge(base, more) {
  if (more === null || typeof more !== 'object' || Array.isArray(more)) return more;
  const out = { ...base };
  for (const key of Object.keys(more))
    out[key] = more[key] === undefined ? undefined : merge(out[key] ?? {}, more[key]);
  return out;
}

export class Stack {
  // options.config is laid over the usual configuration; options.upstream is the base URL of another
  // upstream than the stand-in model; options.demo are more arguments of `juyong demo`; with options.idle
  // the gateway is not started yet.
  static async start(options = {}) {
    const s = new Stack();
    s.options = options;
    s.dir = await mkdtemp(path.join(tmpdir(), 'juyong-e2e-'));
    s.port = await freePort();
    s.consolePort = await freePort();
    s.url = `http://127.0.0.1:${s.port}`;
    s.console = `http://127.0.0.1:${s.consolePort}`;
    s.conf = path.join(s.dir, 'juyong.yaml');
    s.rules = path.join(s.dir, 'rules');
    try {
      await s.copyRules();
      if (!options.upstream) await s.startDemo(options.demo ?? []);
      await s.configure();
      if (options.clock) s.clock = await Clock.create(s.dir);
      if (!options.idle) await s.startGateway();
    } catch (e) {
      await s.stop().catch(() => {});
      throw e;
    }
    return s;
  }

  // The library's frame (types, patterns, prepared answers) with the words of the tests.
  async copyRules() {
    const shipped = path.join(root, 'rules');
    await mkdir(this.rules);
    for (const name of ['risks.yaml', 'patterns', 'answers'])
      await cp(path.join(shipped, name), path.join(this.rules, name), { recursive: true });
    await cp(path.join(import.meta.dirname, 'rules'), this.rules, { recursive: true });
  }

  async startDemo(more) {
    const port = await freePort();
    this.demoUrl = `http://127.0.0.1:${port}`;
    this.demo = await Program.start(
      ['demo', '--listen', `127.0.0.1:${port}`, '--delay', '0', ...more],
      path.join(this.dir, 'demo.log'));
    await this.demo.ready(port);
  }

  // Written as JSON, which YAML contains.
  async configure(more = {}) {
    const config = merge(merge({
      listen: `127.0.0.1:${this.port}`,
      console: { listen: `127.0.0.1:${this.consolePort}` },
      state_dir: path.join(this.dir, 'state'),
      rules_dir: this.rules,
      workers: 2,
      node: 'test-node',
      upstreams: [{
        name: 'demo',
        base_url: `${this.options.upstream ?? this.demoUrl}/v1`,
        models: [{ id: 'demo', display_name: 'Demo', filing_number: 'Test-Demo-20250101' }],
        timeouts: { connect: '1s', first_byte: '3s', gap: '2s', total: '60s' },
      }],
      limits: { drain_timeout: '5s' },
      auth: 'passthrough',
    }, this.options.config ?? {}), more);
    await writeFile(this.conf, `${JSON.stringify(config, null, 1)}\n`);
  }

  async startGateway(env = {}) {
    const file = path.join(this.dir, 'serve.log');
    const greetings = async () => (await readFile(file, 'utf8')).match(/: http:\S+\/v1, \d+ workers, /g)?.length ?? 0;
    const before = existsSync(file) ? await greetings() : 0;
    this.gateway = await Program.start(['serve', '-c', this.conf], file, { ...this.clock?.env, ...env });
    await this.gateway.ready(this.port);
    // It listens before it says so, and tests read what it says; at a higher level it says nothing.
    const { level } = JSON.parse(await readFile(this.conf, 'utf8')).log ?? {};
    if (!['warning', 'error'].includes(level)) {
      await until(async () => this.gateway.how || await greetings() > before, 'the gateway greets', 20000);
      await sleep(20); // what is weakened follows at once
    }
  }

  // Ends both and removes the folder. An exit status other than 0 fails the test: it is a crash, or
  // what a sanitizer found.
  async stop() {
    const ends = [];
    for (const p of [this.gateway, this.demo].filter(Boolean)) {
      const killed = p.how?.signal === 'SIGKILL';
      const how = await p.stop();
      if (!killed && how.code !== 0)
        ends.push(`juyong ${p.args[0]} ended with ${JSON.stringify(how)}\n${await p.output()}`);
    }
    await rm(this.dir, { recursive: true, force: true });
    if (ends.length) throw new Error(ends.join('\n'));
  }

  // --- the stand-in model, spoken to directly ---

  // Gives what a prompt must say to get the script.
  async script(name, script) {
    name = `t-${name}`; // not one of the built-in ones
    const r = await fetch(`${this.demoUrl}/demo/scripts/${name}`, { method: 'PUT', body: JSON.stringify(script) });
    if (!r.ok) throw new Error(`demo refused the script ${name}: ${await r.text()}`);
    return `demo:${name}`;
  }

  async stats() {
    return (await fetch(`${this.demoUrl}/demo/stats`, { signal: AbortSignal.timeout(5000) })).json();
  }

  async resetStats() {
    await fetch(`${this.demoUrl}/demo/reset`, { method: 'POST' });
  }

  // --- the gateway ---

  // One request with an exact body; the answer as bytes.
  // A header given as undefined is not sent.
  async post(route, body, { headers = {}, signal } = {}) {
    const all = { 'content-type': 'application/json', authorization: 'Bearer sk-client', ...headers };
    for (const name of Object.keys(all)) if (all[name] === undefined) delete all[name];
    const r = await fetch(`${this.url}${route}`, {
      method: 'POST',
      headers: all,
      body: typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body),
      signal: signal ?? AbortSignal.timeout(30000),
    });
    const bytes = Buffer.from(await r.arrayBuffer());
    return { status: r.status, headers: r.headers, bytes, text: bytes.toString() };
  }

  async chat(content, more = {}, options = {}) {
    const messages = typeof content === 'string' ? [{ role: 'user', content }] : content;
    const r = await this.post('/v1/chat/completions', { model: 'demo', messages, ...more }, options);
    const type = r.headers.get('content-type') ?? '';
    if (type.startsWith('application/json')) r.json = JSON.parse(r.text);
    if (type.startsWith('text/event-stream')) Object.assign(r, readStream(r.text));
    return r;
  }

  // --- the log ---

  async log(...args) {
    const r = await run(['log', 'list', '-c', this.conf, '--json', '--oldest-first', ...args]);
    if (r.code !== 0) throw new Error(`log list: ${r.stderr}`);
    return r.stdout.split('\n').filter(Boolean).map((line) => JSON.parse(line));
  }

  async verify() {
    return run(['log', 'verify', '-c', this.conf]);
  }

  async metrics() {
    return (await fetch(`${this.console}/metrics`)).text();
  }
}

// Events of a stream in the one form that the gateway writes.
export function readStream(text) {
  const parts = text.split('\n\n');
  const rest = parts.pop();
  if (rest !== '') throw new Error(`the stream ends within an event: ${JSON.stringify(rest)}`);
  const payloads = [];
  for (const part of parts) {
    if (part.startsWith(':')) continue;
    if (!part.startsWith('data: ') || part.includes('\n') || part.includes('\r'))
      throw new Error(`not one data line: ${JSON.stringify(part)}`);
    payloads.push(part.slice(6));
  }
  const done = payloads.at(-1) === '[DONE]';
  const chunks = payloads.filter((p) => p !== '[DONE]').map((p) => JSON.parse(p));
  return { payloads, done, chunks, choices: collect(chunks), error: chunks.find((c) => c.error)?.error };
}

// What a client would have shown: per choice the text of each channel, and the finish reasons.
export function collect(chunks) {
  const choices = [];
  for (const chunk of chunks) {
    for (const c of chunk.choices ?? []) {
      const to = choices[c.index] ??= { content: '', reasoning: '', refusal: '', tools: [], finish: [], logprobs: '' };
      if (c.finish_reason) to.finish.push(c.finish_reason);
      to.content += c.delta?.content ?? c.text ?? '';
      to.reasoning += c.delta?.reasoning_content ?? '';
      to.refusal += c.delta?.refusal ?? '';
      for (const t of c.logprobs?.content ?? []) to.logprobs += t.token;
      for (const t of c.delta?.tool_calls ?? []) {
        const tool = to.tools[t.index] ??= { name: '', arguments: '' };
        tool.name += t.function?.name ?? '';
        tool.arguments += t.function?.arguments ?? '';
      }
    }
  }
  return choices;
}

// A small seeded generator (mulberry32), so that a sampled matrix is the same in every run.
export function random(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
