// A scripted group robot: demands what the vendors' do, keeps what it was told, or misbehaves.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';

const hmac = (key, text) => createHmac('sha256', key).update(text).digest('base64');
const json = (res, body, status = 200) => { res.writeHead(status, { 'content-type': 'application/json' }); res.end(JSON.stringify(body)); };

export class Robot {
  static async start(secret) {
    const r = new Robot();
    r.secret = secret;
    r.told = []; // { kind, text, body } that were taken
    r.asked = 0;
    r.fault = null; // 'reset', 'silent', a status, or an object to be answered with 200
    r.server = createServer((req, res) => r.serve(req, res));
    await new Promise((done) => r.server.listen(0, '127.0.0.1', done));
    r.port = r.server.address().port;
    r.url = `http://127.0.0.1:${r.port}`;
    return r;
  }

  async serve(req, res) {
    let raw = '';
    for await (const part of req) raw += part;
    this.asked++;
    if (this.fault === 'reset') { req.socket.resetAndDestroy(); return; }
    if (this.fault === 'silent') return;
    if (typeof this.fault === 'number') { res.writeHead(this.fault).end(); return; }
    if (this.fault) { json(res, this.fault); return; }
    const url = new URL(req.url, this.url);
    const body = JSON.parse(raw);
    const kind = url.pathname.slice(1);
    assert.equal(req.method, 'POST');
    assert.match(req.headers['content-type'], /^application\/json/);
    this[kind]({ url, body, raw, headers: req.headers, res });
  }

  take(kind, text, body) { this.told.push({ kind, text, body }); }

  dingtalk({ url, body, res }) {
    const ms = url.searchParams.get('timestamp');
    if (url.searchParams.get('access_token') !== 'robot-password') return json(res, { errcode: 300005, errmsg: 'token is not exist' });
    if (Math.abs(Date.now() - Number(ms)) > 3600e3 || url.searchParams.get('sign') !== hmac(this.secret, `${ms}\n${this.secret}`))
      return json(res, { errcode: 310000, errmsg: 'sign not match' });
    assert.equal(body.msgtype, 'text');
    this.take('dingtalk', body.text.content, body);
    json(res, { errcode: 0, errmsg: 'ok' });
  }

  wecom({ url, body, res }) {
    if (url.searchParams.get('key') !== 'robot-password') return json(res, { errcode: 93000, errmsg: 'invalid webhook url' });
    assert.equal(body.msgtype, 'text');
    if (Buffer.byteLength(body.text.content) > 2048) return json(res, { errcode: 40058, errmsg: 'too long' });
    this.take('wecom', body.text.content, body);
    json(res, { errcode: 0, errmsg: 'ok' });
  }

  feishu({ body, res }) {
    if (Math.abs(Date.now() / 1000 - Number(body.timestamp)) > 3600 || body.sign !== hmac(`${body.timestamp}\n${this.secret}`, ''))
      return json(res, { code: 19021, msg: 'sign match fail or timestamp is not within one hour from current time', data: {} });
    assert.equal(body.msg_type, 'text');
    this.take('feishu', body.content.text, body);
    json(res, { StatusCode: 0, StatusMessage: 'success', code: 0, data: {}, msg: 'success' });
  }

  own({ body, raw, headers, res }) {
    const mac = createHmac('sha256', this.secret).update(`${headers['x-juyong-timestamp']}.${raw}`).digest('hex');
    if (headers['x-juyong-signature'] !== `v1=${mac}`) { res.writeHead(403).end(); return; }
    this.take('own', body.text, body);
    res.writeHead(204).end();
  }

  // What that one was told, line by line behind the head.
  lines(kind) {
    return this.told.filter((m) => m.kind === kind).flatMap((m) => m.text.split('\n').slice(1));
  }

  async stop() {
    this.server.closeAllConnections();
    await new Promise((done) => this.server.close(done));
  }
}
