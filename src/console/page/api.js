// The gateway's API (README.md of the room). An ended session brings the login over the page; what
// was asked waits and is asked again, so nothing that was typed is lost.

export class Refused extends Error {
  constructor(status, code, message, reasons) {
    super(message);
    this.status = status;
    this.code = code;
    this.reasons = reasons;
  }
}

const state = { token: null, login: null, waiting: null };

// What the page asks by itself, with nobody before it, must not keep a session alive.
const idle_ms = 60e3;
let acted = Date.now();
for (const kind of ['pointerdown', 'keydown', 'wheel', 'touchstart'])
  addEventListener(kind, () => { acted = Date.now(); }, { capture: true, passive: true });

// `login`: asks the person, and resolves with the new session.
export function on_session_end(login) {
  state.login = login;
}

export function set_token(token) {
  state.token = token;
}

export function query(params) {
  const q = new URLSearchParams();
  for (const [key, value] of Object.entries(params ?? {}))
    if (value !== null && value !== undefined && value !== '' && value !== false) q.set(key, value === true ? '1' : value);
  const text = q.toString();
  return text ? `?${text}` : '';
}

async function ask(method, path, body, signal) {
  const headers = { Accept: 'application/json' };
  if (Date.now() - acted > idle_ms) headers['X-Juyong-Idle'] = '1';
  if (method === 'POST') {
    headers['Content-Type'] = 'application/json';
    if (state.token) headers['X-Juyong-Token'] = state.token;
  }
  let answer;
  try {
    answer = await fetch(`/api/${path}`, {
      method, headers, signal, credentials: 'same-origin', redirect: 'error', cache: 'no-store',
      body: method === 'POST' ? JSON.stringify(body ?? {}) : undefined,
    });
  } catch (e) {
    if (e.name === 'AbortError') throw e;
    throw new Refused(0, 'unreachable', '');
  }
  return answer;
}

async function refusal_of(answer) {
  let error = {};
  try {
    error = (await answer.json()).error ?? {};
  } catch { /* not ours, or torn */ }
  const r = new Refused(answer.status, error.code ?? 'unknown', error.message ?? '', error.reasons);
  r.retry_s = Number(answer.headers.get('retry-after')) || null;
  return r;
}

async function run(method, path, body, signal, entering) {
  for (;;) {
    const answer = await ask(method, path, body, signal);
    if (answer.ok) return answer;
    const refusal = await refusal_of(answer);
    // A wrong password or code of a form is a refusal, too; only a session that is gone has neither.
    if (answer.status !== 401 || entering || !state.login || ['wrong', 'code_needed'].includes(refusal.code)) throw refusal;
    // Several requests of a page may find the session gone; one login serves them all.
    state.waiting ??= state.login().finally(() => { state.waiting = null; });
    await state.waiting;
    if (signal?.aborted) throw new DOMException('', 'AbortError');
  }
}

async function json_of(answer) {
  const text = await answer.text();
  try {
    return text ? JSON.parse(text) : {};
  } catch {
    throw new Refused(answer.status, 'garbled', '');
  }
}

export const get = async (path, params, signal) => json_of(await run('GET', path + query(params), null, signal));
export const post = async (path, body, signal) => json_of(await run('POST', path, body, signal));
export const get_blob = async (path, signal) => (await run('GET', path, null, signal)).blob();
export const get_text = async (path, signal) => (await run('GET', path, null, signal)).text();

// Without the detour of the login: for the login itself.
export const enter = async (method, path, body) => json_of(await run(method, path, body, null, true));

// A segment of a path.
export const seg = encodeURIComponent;
