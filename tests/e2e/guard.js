// A scripted guard: answers as a moderations API, a guard model or a webhook would, or misbehaves.
import { createServer } from 'node:http';

export class Guard {
  // `judge(question)` gives { score, category } or nothing for safe; question: { text, prompt }.
  static async start(judge = () => null) {
    const g = new Guard();
    g.judge = judge;
    g.questions = [];
    g.active = 0;
    g.most = 0;
    g.left = 0; // connections that were closed before an answer
    g.delay = 0;
    g.fault = null;
    g.server = createServer((req, res) => g.serve(req, res));
    await new Promise((done) => g.server.listen(0, '127.0.0.1', done));
    g.port = g.server.address().port;
    g.url = `http://127.0.0.1:${g.port}`;
    return g;
  }

  async serve(req, res) {
    let body = '';
    for await (const part of req) body += part;
    const json = JSON.parse(body);
    const question = read(req.url, json);
    Object.assign(question, { path: req.url, headers: req.headers, raw: body });
    this.questions.push(question);
    this.active++;
    this.most = Math.max(this.most, this.active);
    res.on('close', () => { this.active--; if (!res.writableFinished) this.left++; });
    const delay = typeof this.delay === 'function' ? this.delay(question) : this.delay;
    if (delay) await new Promise((done) => setTimeout(done, delay));
    if (this.gate) await this.gate;
    const fault = typeof this.fault === 'function' ? this.fault(question) : this.fault;
    if (fault === 'reset') { req.socket.resetAndDestroy(); return; }
    if (fault === 'status') { res.writeHead(500, { 'content-type': 'application/json' }); res.end(safe(req.url)); return; }
    if (fault === 'silent') return;
    if (fault) { res.writeHead(200, { 'content-type': 'application/json' }); res.end(fault); return; }
    res.writeHead(200, { 'content-type': 'application/json' });
    res.end(write(req.url, this.judge(question)));
  }

  forget() {
    this.questions.length = 0;
    this.most = 0;
    this.left = 0;
  }

  // Every question from here on waits for the function that it gives.
  hold() {
    let go;
    this.gate = new Promise((done) => { go = () => { this.gate = null; done(); }; });
    return go;
  }

  async stop() {
    this.server.closeAllConnections();
    await new Promise((done) => this.server.close(done));
  }
}

function read(url, json) {
  if (url.startsWith('/v1/moderations')) return { text: json.input, model: json.model };
  if (url.startsWith('/v1/chat/completions')) {
    const last = json.messages.at(-1);
    return { text: last.content, prompt: json.messages.at(-2)?.content ?? '', messages: json.messages, role: last.role, model: json.model };
  }
  return json;
}

const safe = (url) => write(url, null);

function write(url, said) {
  const score = said?.score ?? 0;
  const category = said?.category ?? 'violence';
  if (url.startsWith('/v1/moderations')) {
    return JSON.stringify({
      id: 'modr-1', model: 'm', results: [{
        flagged: score >= 0.5,
        categories: { [category]: score >= 0.5, sexual: false, illicit: null },
        category_scores: { [category]: score, sexual: 1.2e-6, illicit: 0 },
      }],
    });
  }
  if (url.startsWith('/v1/chat/completions')) {
    const text = url.includes('llama')
      ? score ? `\n\nunsafe\n${category}` : '\n\nsafe'
      : `Safety: ${score >= 0.9 ? 'Unsafe' : score ? 'Controversial' : 'Safe'}\nCategories: ${score ? category : 'None'}`;
    return JSON.stringify({ id: 'c', object: 'chat.completion', choices: [{ index: 0, message: { role: 'assistant', content: text }, finish_reason: 'stop' }] });
  }
  return JSON.stringify({ flagged: score >= 0.5, categories: score ? { [category]: score } : {} });
}
