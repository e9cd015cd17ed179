// Complaints of the public: the form and its endpoint on the listener of the apps, tickets with deadlines,
// and what the log holds of them (never a text).
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { Stack, run } from './harness.js';

const lines = (text) => text.split('\n').filter(Boolean).map((l) => JSON.parse(l));
const complain = async (stack, body, headers = {}) => {
  const form = body instanceof URLSearchParams || typeof body === 'string';
  const r = await fetch(`${stack.url}/v1/complaints`, {
    method: 'POST', body: form ? body : JSON.stringify(body),
    headers: { 'content-type': form ? 'application/x-www-form-urlencoded' : 'application/json', ...headers },
    signal: AbortSignal.timeout(10000),
  });
  const text = await r.text();
  return { status: r.status, headers: r.headers, text, json: (r.headers.get('content-type') ?? '').startsWith('application/json') ? JSON.parse(text) : null };
};
const tickets = async (stack, ...args) => {
  const r = await run(['complaint', 'list', '-c', stack.conf, '--json', ...args]);
  assert.equal(r.code, 0, r.stderr);
  return lines(r.stdout);
};

describe('where it is turned on', () => {
  let stack;
  before(async () => {
    stack = await Stack.start({
      config: {
        workers: 3, complaints: { form: true, due: '3d', per_hour: 4 }, trusted_proxies: ['127.0.0.1'],
        service: { provider: '某某 <b>科技</b>', complaint: '400-000-0000' },
      },
    });
  });
  after(() => stack?.stop());

  test('a complaint becomes a ticket with a deadline', async () => {
    const id = (await stack.chat('hello')).headers.get('x-request-id');
    const r = await complain(stack, { kind: 'content', text: '回答里有\n不实内容', contact: 'me@example.com', request_id: id });
    assert.equal(r.status, 200, r.text);
    assert.equal(r.json.ticket, 1);
    assert.equal(r.json.due, new Date(Date.now() + (3 * 24 + 8) * 3600e3).toISOString().slice(0, 10));
    const [t] = await tickets(stack);
    assert.deepEqual([t.id, t.state, t.kind, t.text, t.contact, t.request_id, t.overdue],
      [1, 'open', 'content', '回答里有\n不实内容', 'me@example.com', id, false]);
    assert.ok(Math.abs(t.due_us - t.at_us - 3 * 86400e6) < 1000);
    const [act] = (await stack.log('--all')).filter((l) => l.reason === 'complaint');
    const detail = JSON.parse(act.detail);
    assert.equal(act.client_ip, '127.0.0.1');
    assert.equal(detail.ids, id);
    assert.ok(detail.text_hash);
    assert.ok(!act.detail.includes('不实') && !act.detail.includes('example.com'));
  });

  test('the form works without a script, and shows nobody else’s markup', async () => {
    const form = await fetch(`${stack.url}/complaints?request_id=req_abc-1`);
    const page = await form.text();
    assert.equal(form.status, 200);
    assert.match(form.headers.get('content-type'), /text\/html; charset=utf-8/);
    assert.match(form.headers.get('content-security-policy'), /default-src 'none'.*frame-ancestors 'none'/);
    assert.ok(page.includes('投诉') && page.includes('Complaints') && page.includes('value="req_abc-1"') && page.includes('400-000-0000'));
    assert.ok(page.includes('某某 &lt;b&gt;科技&lt;/b&gt;') && !/<script|<b>/.test(page));
    const evil = await (await fetch(`${stack.url}/complaints?request_id="><script>alert(1)</script>`)).text();
    assert.ok(evil.includes('value=""') && !evil.includes('<script'));
    const r = await complain(stack, new URLSearchParams({ kind: 'wrong_refusal', text: '被误拦 <img src=x>', contact: '', request_id: '' }));
    assert.equal(r.status, 200);
    assert.match(r.text, /工单编号 Ticket: <strong>2<\/strong>/);
    assert.equal((await tickets(stack))[0].text, '被误拦 <img src=x>');
    const bad = await complain(stack, new URLSearchParams({ kind: 'other', text: '  ' }));
    assert.equal(bad.status, 400);
    assert.match(bad.text, /请填写内容/);
  });

  test('what can’t be read is refused, and costs nobody a ticket', async () => {
    const before = (await tickets(stack)).length;
    for (const [body, status, headers] of [
      [{ text: 5 }, 400], [{ kind: 'weather', text: 'x' }, 400, { 'x-juyong-client-ip': '10.9.9.1' }], [[], 400], [{ text: 'x'.repeat(8193) }, 400, { 'x-juyong-client-ip': '10.9.9.1' }],
      ['text=%zz', 400], ['text=%00', 400], ['text=%ff', 400], ['text=a&text=b', 400], [Array.from({ length: 20 }, (_, i) => `f${i}=1`).join('&'), 400],
      [{ text: 'x'.repeat(20000) }, 413], [{ text: 'x' }, 400, { 'content-type': 'text/plain' }],
      [{ text: 'x', request_id: 'a\u0007b' }, 400, { 'x-juyong-client-ip': '10.9.9.1' }],
    ]) {
      const r = await complain(stack, body, headers);
      assert.equal(r.status, status, `${JSON.stringify(body).slice(0, 60)}: ${r.status} ${r.text}`);
    }
    assert.equal((await fetch(`${stack.url}/v1/complaints`)).status, 405);
    assert.equal((await fetch(`${stack.url}/complaints`, { method: 'POST', body: 'x' })).status, 405);
    assert.equal((await tickets(stack)).length, before);
  });

  test('one address has only so many, over all workers', async () => {
    const from = (ip) => ({ 'x-juyong-client-ip': ip, connection: 'close' });
    const got = await Promise.all(Array.from({ length: 12 }, (_, i) => complain(stack, { text: `no ${i}` }, from('192.0.2.1'))));
    assert.deepEqual(got.map((r) => r.status).sort(), [...Array(4).fill(200), ...Array(8).fill(429)]);
    assert.ok(got.find((r) => r.status === 429).headers.get('retry-after'));
    assert.equal(new Set(got.filter((r) => r.json.ticket).map((r) => r.json.ticket)).size, 4);
    assert.equal((await complain(stack, { text: 'another' }, from('192.0.2.2'))).status, 200);
    // A household's IPv6 addresses are one.
    for (let i = 0; i < 4; i++) assert.equal((await complain(stack, { text: 'six' }, from(`2001:db8::${i + 1}`))).status, 200);
    assert.equal((await complain(stack, { text: 'six' }, from('2001:db8::ffff'))).status, 429);
    assert.equal((await complain(stack, { text: 'six' }, from('2001:db8:0:1::1'))).status, 200);
  });

  test('tickets are answered, on record', async () => {
    const r = await run(['complaint', 'answer', '1', '-c', stack.conf, '--note', '已更正并致歉', '--author', 'Li']);
    assert.equal(r.code, 0, r.stderr);
    const shown = await run(['complaint', 'show', '1', '-c', stack.conf]);
    assert.match(shown.stdout, /answered.*due .*content/);
    assert.match(shown.stdout, /Li {2}answered {2}已更正并致歉/);
    assert.ok((await tickets(stack, '--state', 'open')).every((t) => t.id !== 1));
    assert.equal((await run(['complaint', 'answer', '999', '-c', stack.conf])).code, 1);
    assert.equal((await run(['complaint', 'answer', '1', '-c', stack.conf, '--state', 'eaten'])).code, 1);
    const [act] = (await stack.log('--all')).filter((l) => l.reason === 'ticket').map((l) => JSON.parse(l.detail));
    assert.deepEqual([act.author, act.number, act.state], ['Li', 1, 'answered']);
    assert.ok(!JSON.stringify(act).includes('致歉'));
  });

  test('a client that leaves in between harms nobody', async () => {
    await Promise.all(Array.from({ length: 20 }, async (_, i) => {
      const stop = new AbortController();
      setTimeout(() => stop.abort(), i);
      await fetch(`${stack.url}/v1/complaints`, { method: 'POST', headers: { 'content-type': 'application/json', 'x-juyong-client-ip': `10.1.1.${i}` }, body: JSON.stringify({ text: 'bye' }), signal: stop.signal }).catch(() => {});
    }));
    assert.equal((await stack.chat('still there?')).status, 200);
    assert.equal((await stack.verify()).code, 0);
  });
});

test('it is off unless it is turned on', async () => {
  const stack = await Stack.start();
  try {
    assert.equal((await complain(stack, { text: 'x' })).status, 404);
    assert.equal((await fetch(`${stack.url}/complaints`)).status, 404);
  } finally {
    await stack.stop();
  }
});
