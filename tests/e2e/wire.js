// Both ends of the wire as bare sockets: a client that sends exact bytes, and an upstream that
// answers exact bytes.
import { connect, createServer } from 'node:net';

// Sends bytes (a string is latin1: one character a byte) and gathers what comes back until the
// other side closes, or nothing came for `quiet` ms.
export function exchange(port, pieces, { quiet = 1500, end = false } = {}) {
  return new Promise((done, fail) => {
    const socket = connect(port, '127.0.0.1');
    const got = [];
    let timer;
    const finish = (closed) => {
      clearTimeout(timer);
      socket.destroy();
      const text = Buffer.concat(got).toString('latin1');
      done({ text, closed, answers: answersOf(text) });
    };
    const wait = () => {
      clearTimeout(timer);
      timer = setTimeout(() => finish(false), quiet);
    };
    socket.setNoDelay(true);
    socket.on('data', (d) => { got.push(d); wait(); });
    socket.on('end', () => finish(true));
    socket.on('error', (e) => (e.code === 'ECONNREFUSED' ? fail(e) : finish(true)));
    socket.on('close', () => finish(true));
    socket.on('connect', () => {
      wait();
      for (const piece of [].concat(pieces)) socket.write(Buffer.from(piece, 'latin1'));
      if (end) socket.end();
    });
  });
}

// The answers in a connection's bytes, by their length or chunks; what follows a malformed one is
// kept as it is.
function answersOf(text) {
  const answers = [];
  let rest = text;
  while (rest.startsWith('HTTP/1.')) {
    const headEnd = rest.indexOf('\r\n\r\n');
    if (headEnd < 0) break;
    const [first, ...lines] = rest.slice(0, headEnd).split('\r\n');
    const headers = new Map(lines.map((l) => [l.slice(0, l.indexOf(':')).toLowerCase(), l.slice(l.indexOf(':') + 1).trim()]));
    const status = Number(first.split(' ')[1]);
    rest = rest.slice(headEnd + 4);
    let body = '';
    if (status >= 200 && headers.has('content-length')) {
      body = rest.slice(0, Number(headers.get('content-length')));
      rest = rest.slice(body.length);
    } else if (headers.get('transfer-encoding') === 'chunked') {
      for (;;) {
        const lineEnd = rest.indexOf('\r\n');
        const size = lineEnd < 0 ? NaN : parseInt(rest.slice(0, lineEnd), 16);
        if (Number.isNaN(size)) break;
        body += rest.slice(lineEnd + 2, lineEnd + 2 + size);
        rest = rest.slice(lineEnd + 2 + size + 2);
        if (size === 0) break;
      }
    }
    const a = { status, headers, body: Buffer.from(body, 'latin1').toString() };
    try { a.json = JSON.parse(a.body); } catch { /* not JSON */ }
    if (status >= 200) answers.push(a);
  }
  return answers;
}

// An upstream for what no well-behaved server would send. `handler(socket, request)` is called once
// a request is whole; request: { line, headers: [[name, value]], body }.
export class Upstream {
  static async start(handler) {
    const u = new Upstream();
    u.handler = handler;
    u.requests = [];
    u.connections = 0;
    u.sockets = new Set();
    u.server = createServer((socket) => u.serve(socket));
    await new Promise((done) => u.server.listen(0, '127.0.0.1', done));
    u.url = `http://127.0.0.1:${u.server.address().port}`;
    return u;
  }

  serve(socket) {
    let bytes = Buffer.alloc(0);
    this.connections++;
    this.sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.on('close', () => this.sockets.delete(socket));
    socket.on('data', (d) => {
      bytes = Buffer.concat([bytes, d]);
      for (;;) {
        const end = bytes.indexOf('\r\n\r\n');
        if (end < 0) return;
        const [line, ...lines] = bytes.subarray(0, end).toString('latin1').split('\r\n');
        const headers = lines.map((l) => [l.slice(0, l.indexOf(':')), l.slice(l.indexOf(':') + 1).trim()]);
        const length = Number(headers.find(([n]) => n.toLowerCase() === 'content-length')?.[1] ?? 0);
        if (bytes.length < end + 4 + length) return;
        const request = { line, headers, body: bytes.subarray(end + 4, end + 4 + length).toString() };
        bytes = bytes.subarray(end + 4 + length);
        this.requests.push(request);
        this.handler(socket, request);
      }
    });
  }

  async stop() {
    for (const s of this.sockets) s.destroy();
    await new Promise((done) => this.server.close(done));
  }
}

export const event = (payload) => `data: ${typeof payload === 'string' ? payload : JSON.stringify(payload)}\n\n`;
export const delta = (content, more = {}) => ({
  id: 'chatcmpl-x', object: 'chat.completion.chunk', created: 1700000000, model: 'demo',
  choices: [{ index: 0, delta: { content }, finish_reason: null, ...more }],
});
export const finish = (reason = 'stop') => ({
  id: 'chatcmpl-x', object: 'chat.completion.chunk', created: 1700000000, model: 'demo',
  choices: [{ index: 0, delta: {}, finish_reason: reason }],
});
export const chunked = (text) => {
  const size = Buffer.byteLength(text);
  return `${size.toString(16)}\r\n${text}\r\n`;
};
export const streamHead = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n';
export const plainAnswer = JSON.stringify({
  id: 'chatcmpl-x', object: 'chat.completion', created: 1700000000, model: 'demo',
  choices: [{ index: 0, message: { role: 'assistant', content: 'fine' }, finish_reason: 'stop' }],
});
// A whole response with a JSON body, and an answer that says what it took.
export const json = (body, more = '') => `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n${more}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
export const answer = (usage) => JSON.stringify({ id: 'c', object: 'chat.completion', created: 1, model: 'demo',
  choices: [{ index: 0, message: { role: 'assistant', content: 'fine' }, finish_reason: 'stop' }], ...(usage ? { usage } : {}) });
