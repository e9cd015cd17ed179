// Reviewers' test accounts: made by two persons, served at one address alone, counted nowhere.
import { after, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Stack, day, freePort, run, until, words } from './harness.js';
import { ask, client, majors } from './clients.js';

const ends = [];
after(async () => {
  const how = await Promise.allSettled(ends.map((e) => e.stop()));
  for (const h of how) if (h.status === 'rejected') throw h.reason;
});

async function start({ config = {}, ...options } = {}) {
  const port = await freePort();
  const stack = await Stack.start({
    ...options,
    config: { reviewers: { listen: `127.0.0.1:${port}` }, ...config },
  });
  ends.push(stack);
  stack.door = `http://127.0.0.1:${port}`;
  stack.keyFile = path.join(stack.dir, 'provider.key');
  await writeFile(stack.keyFile, 'sk-provider\n', { mode: 0o600 });
  return stack;
}
const reviewer = (stack, verb, ...args) =>
  run(['reviewer', verb, '-c', stack.conf, ...(verb === 'list' ? [] : ['--reason', 'filing']), ...args]);
async function key(stack) {
  const r = await run(['key', 'create', '-c', stack.conf, '--app', 'default']);
  assert.equal(r.code, 0, r.stderr);
  const list = (await run(['key', 'list', '-c', stack.conf])).stdout;
  return { key: r.stdout.match(/sk-\w+/)[0], id: list.match(/key-[0-9a-f]{8}/g).at(-1) };
}
const made = async (stack, purpose, ...args) => {
  const r = await reviewer(stack, 'create', '--purpose', purpose, '--case', 'case 7', '--author', 'zhang',
    '--expires', day(30), ...args);
  assert.equal(r.code, 0, r.stderr);
  return r.stdout.match(/rv-\d+/)[0];
};
const approved = async (stack, purpose, ...args) => {
  const id = await made(stack, purpose, ...args);
  const r = await reviewer(stack, 'approve', id, '--author', 'li');
  assert.equal(r.code, 0, r.stderr);
  return id;
};
// At the reviewers' address, as who bears that key.
const at = (stack, url, bearer, content, more = {}, headers = {}) => {
  const there = Object.create(stack, { url: { value: url } });
  return there.chat(content, more, { headers: { authorization: `Bearer ${bearer}`, ...headers } });
};

describe('by a key', async () => {
  let stack, bearer, id, prompt;

  test('two persons make one, and until then it is nobody', async () => {
    stack = await start();
    await stack.configure({ upstreams: [{
      name: 'demo', base_url: `${stack.demoUrl}/v1`, api_key_file: stack.keyFile,
      models: [{ id: 'demo', filing_number: 'x' }],
    }] });
    await stack.gateway.stop();
    bearer = await key(stack);
    await stack.startGateway();
    prompt = await stack.script('a', { text: `说${words.block}。`, chunk: 2 });
    id = await made(stack, 'regulator-observe', '--key', bearer.id);
    assert.equal((await at(stack, stack.door, bearer.key, prompt)).status, 401, 'proposed only');
    const alone = await reviewer(stack, 'approve', id, '--author', 'Zhang');
    assert.equal(alone.code, 1);
    assert.match(alone.stderr, /was proposed by zhang: somebody else must approve it/);
    assert.equal((await at(stack, stack.door, bearer.key, prompt)).status, 401);
    assert.equal((await reviewer(stack, 'approve', id, '--author', 'li')).code, 0);
    const { code } = await reviewer(stack, 'approve', id, '--author', 'wang');
    assert.equal(code, 1, 'once');
  });

  test('observe: all goes through, judged, recorded, kept whole', async () => {
    const before = await stack.metrics();
    for (const OpenAI of Object.values(majors)) {
      const { openai } = client(OpenAI, stack, { baseURL: `${stack.door}/v1`, apiKey: bearer.key, maxRetries: 0 });
      const body = ask(`${words.block} ${prompt}`);
      const whole = await openai.chat.completions.create(body);
      assert.equal(whole.choices[0].message.content, `说${words.block}。`);
      let streamed = '';
      for await (const c of await openai.chat.completions.create({ ...body, stream: true }))
        streamed += c.choices[0]?.delta?.content ?? '';
      assert.equal(streamed, `说${words.block}。`);
    }
    assert.equal((await stack.stats()).last_authorization, 'Bearer sk-provider', 'his key stays here');
    const rows = await stack.log('--purpose', 'regulator-observe');
    assert.equal(rows.length, 4);
    for (const row of rows) {
      assert.deepEqual([row.purpose, row.reviewer, row.mode, row.action, row.complete],
        ['regulator-observe', id, 'observe', 'flag', true]);
      const would = row.hits.map((h) => `${h.direction} ${h.action} ${h.observed}`);
      assert.deepEqual(would, ['prompt block true', 'completion block true']);
      assert.equal(row.kept.length, 2);
      assert.ok(row.kept[0].direction === 'prompt' && row.kept[0].text.includes(words.block));
      assert.ok(row.kept[1].direction === 'completion' && row.kept[1].text.includes('"stop"'), row.kept[1].text);
    }
    assert.deepEqual(await stack.log(), [], 'production has nothing');
    assert.deepEqual((await stack.log('--all')).filter((r) => r.model), []);
    const numbers = (text) => text.split('\n').filter((l) => /^juyong_(requests|actions|outcomes|judged|stream|held|rejected)/.test(l));
    assert.deepEqual(numbers(await stack.metrics()), numbers(before));
    const shown = await run(['log', 'show', '-c', stack.conf, rows[0].request_id]);
    assert.match(shown.stdout, /purpose +regulator-observe, no production/);
    assert.match(shown.stdout, /kept whole, completion/);
    assert.equal((await stack.verify()).code, 0);
  });

  test('strangers are nobody at his address', async () => {
    assert.equal((await at(stack, stack.door, 'sk-other', prompt)).status, 401);
    assert.equal((await fetch(`${stack.door}/v1/models`)).status, 401);
    const models = await fetch(`${stack.door}/v1/models`, { headers: { authorization: `Bearer ${bearer.key}` } });
    assert.equal(models.status, 200);
  });

  test('what weakens is seen', async () => {
    const text = await (await fetch(`${stack.console}/readyz`)).text();
    assert.match(text, /weakened: reviewers: for 1 of 1 accounts nothing is blocked or masked/);
    await until(async () => (await stack.log('--all'))
      .some((r) => r.reason === 'reviewers' && JSON.parse(r.detail).observe === 1), 'the change is on record');
    const list = (await run(['reviewer', 'list', '-c', stack.conf, '--json'])).stdout.trim().split('\n').map((l) => JSON.parse(l));
    assert.deepEqual([list[0].state, list[0].author, list[0].approver, list[0].case], ['in force', 'zhang', 'li', 'case 7']);
  });

  test('revoked, he is nobody at once, and for good', async () => {
    assert.equal((await at(stack, stack.door, bearer.key, prompt)).status, 200);
    assert.equal((await reviewer(stack, 'revoke', id, '--author', 'zhang')).code, 0);
    assert.equal((await at(stack, stack.door, bearer.key, prompt)).status, 401);
    assert.equal((await reviewer(stack, 'approve', id, '--author', 'wang')).code, 1);
  });
});

test('with keys, a reviewer\'s key opens nothing where apps are served, and enforce enforces', async () => {
  const stack = await start({ config: { auth: 'passthrough' } });
  await stack.gateway.stop();
  await stack.configure({
    auth: 'keys',
    policy: { mode: 'observe', until: '2999-12-31' },
    upstreams: [{ name: 'demo', base_url: `${stack.demoUrl}/v1`, api_key_file: stack.keyFile, models: [{ id: 'demo', filing_number: 'x' }] }],
  });
  const mine = await key(stack);
  const his = await key(stack);
  await stack.startGateway();
  const prompt = await stack.script('a', { text: '好' });
  assert.equal((await at(stack, stack.url, his.key, prompt)).status, 200, 'an ordinary key as yet');
  await approved(stack, 'regulator-enforce', '--key', his.id);
  await until(async () => (await at(stack, stack.url, his.key, prompt)).status === 403, 'it is bound');
  const refused = await at(stack, stack.url, his.key, prompt);
  assert.equal(refused.json.error.code, 'reviewer_elsewhere');
  assert.equal((await at(stack, stack.url, mine.key, `${words.block} ${prompt}`)).headers.get('x-juyong-action'), 'flag');
  assert.equal((await at(stack, stack.door, mine.key, prompt)).status, 401);
  for (let i = 0; i < 6; i++) // more than any row of strikes
    assert.equal((await at(stack, stack.door, his.key, `${words.block} ${prompt}`)).headers.get('x-juyong-action'), 'block');
  assert.equal((await at(stack, stack.door, his.key, prompt)).json.choices[0].message.content, '好');
  const rows = await stack.log('--purpose', 'any');
  assert.equal(rows.filter((r) => r.purpose === 'regulator-enforce' && r.mode === 'enforce').length, 7);
});

test('strict is what is judged, and never what is done to who observes', async () => {
  const stack = await start({ config: { policy: { media: 'allow' } } });
  await stack.configure({ auth: 'keys', upstreams: [{ name: 'demo', base_url: `${stack.demoUrl}/v1`, api_key_file: stack.keyFile,
    models: [{ id: 'demo', filing_number: 'x' }] }] });
  await stack.gateway.stop();
  const bearer = { observe: await key(stack), enforce: await key(stack) };
  await stack.startGateway();
  for (const purpose of ['observe', 'enforce']) await approved(stack, `regulator-${purpose}`, '--key', bearer[purpose].id);
  const prompt = await stack.script('a', { text: 'ok' });
  const strict = { 'x-juyong-policy': 'strict' };
  const asked = (who, content, headers) => at(stack, stack.door, bearer[who].key, content, {}, headers);
  const would = async (r) => (await until(async () => (await stack.log('--all', '--purpose', 'any', '--request', r.headers.get('x-request-id')))
    .find((e) => e.outcome !== 'running'), 'the record')).hits.map((h) => [h.action, h.observed]);
  for (const [content, usual, more] of [[`${words.flag} ${prompt}`, 'flag', 'block'], [`电话 13800138000 ${prompt}`, 'flag', 'mask']]) {
    for (const [headers, action] of [[{}, usual], [strict, more]]) {
      const r = await asked('observe', content, headers);
      assert.equal(r.json.choices[0].message.content, 'ok');
      assert.ok((await stack.stats()).last_body.includes(content.slice(0, 6)), 'as it came');
      assert.deepEqual(await would(r), [[action, action === 'flag' ? null : true]]);
      assert.equal((await asked('enforce', content, headers)).headers.get('x-juyong-action'), action);
    }
  }
  const picture = [{ role: 'user', content: [{ type: 'text', text: prompt }, { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } }] }];
  const seen = await asked('observe', picture, strict);
  assert.equal(seen.status, 200);
  assert.equal((await stack.log('--all', '--purpose', 'any', '--request', seen.headers.get('x-request-id')))[0].unjudged_media, true);
  assert.equal((await asked('enforce', picture, strict)).json.error.code, 'media_denied');
  assert.equal((await asked('observe', prompt, { 'x-juyong-policy': 'lax' })).status, 400);
});

test('by an end user whom a trusted front names', async () => {
  const stack = await start({ config: { trusted_proxies: ['127.0.0.1'] } });
  const prompt = await stack.script('a', { text: '好' });
  const as = (url, user, content) => at(stack, url, 'sk-client', content, {}, { 'x-juyong-end-user': user });
  await approved(stack, 'regulator-observe', '--end-user', 'inspector');
  const r = await as(stack.door, 'inspector', `${words.block} ${prompt}`);
  assert.equal(r.json.choices[0].message.content, '好');
  assert.equal((await stack.stats()).last_authorization, 'Bearer sk-client');
  assert.equal((await as(stack.door, 'somebody', prompt)).status, 401);
  await until(async () => (await as(stack.url, 'inspector', prompt)).status === 403, 'he is served elsewhere');
  assert.equal((await as(stack.url, 'somebody', prompt)).status, 200);
});

test('a daily allowance, exact over connections, restarts and days; and an end', async () => {
  const stack = await start({ clock: true, config: { trusted_proxies: ['127.0.0.1'] } });
  const prompt = await stack.script('a', { text: '好' });
  const as = () => at(stack, stack.door, 'sk-client', prompt, {}, { 'x-juyong-end-user': 'inspector' });
  await approved(stack, 'regulator-enforce', '--end-user', 'inspector', '--daily', '5');
  const all = await Promise.all(Array.from({ length: 12 }, as));
  assert.equal(all.filter((r) => r.status === 200).length, 5);
  const over = all.filter((r) => r.status !== 200);
  assert.ok(over.every((r) => r.status === 403 && r.json.error.code === 'reviewer_spent'));
  await stack.gateway.stop();
  await stack.startGateway();
  assert.equal((await as()).status, 403, 'a restart forgets nothing');
  await stack.clock.set(24 * 3600);
  assert.equal((await as()).status, 200, 'a new day');
  await stack.clock.set(31 * 24 * 3600);
  assert.equal((await as()).status, 401, 'behind the last day');
});

test('bad input is told, and a changed file serves nobody', async () => {
  const stack = await start({ config: { trusted_proxies: ['127.0.0.1'] } });
  const prompt = await stack.script('a', { text: '好' });
  const user = ['--end-user', 'u', '--case', 'c', '--author', 'a'];
  const cases = [
    [['--purpose', 'bypass', '--expires', day(1), ...user], /--purpose is regulator-enforce or/],
    [['--purpose', 'regulator-observe', ...user], /--expires is needed/],
    [['--purpose', 'regulator-observe', '--expires', '2020-01-01', ...user], /--expires must be a day from today on/],
    [['--purpose', 'regulator-observe', '--expires', '2999-01-01', ...user], /within 400 days/],
    [['--purpose', 'regulator-observe', '--expires', day(1), '--daily', '0', ...user], /--daily is a number/],
    [['--purpose', 'regulator-observe', '--expires', day(1), '--end-user', 'u'], /--case is needed/],
    [['--purpose', 'regulator-observe', '--expires', day(1), '--case', 'c'], /bound to what/],
    [['--purpose', 'regulator-observe', '--expires', day(1), '--case', 'c', '--key', 'key-0'], /no key has that id/],
  ];
  for (const [args, want] of cases) {
    const r = await reviewer(stack, 'create', ...args);
    assert.notEqual(r.code, 0, args.join(' '));
    assert.match(r.stderr, want);
  }
  assert.equal((await reviewer(stack, 'list')).stdout, '');
  const as = () => at(stack, stack.door, 'sk-client', prompt, {}, { 'x-juyong-end-user': 'u' });
  await approved(stack, 'regulator-enforce', '--end-user', 'u');
  assert.equal((await as()).status, 200);
  const file = path.join(stack.dir, 'state', 'reviewers.jsonl');
  const good = await readFile(file, 'utf8');
  await writeFile(file, good.replace('regulator-enforce', 'regulator-observe'));
  assert.equal((await as()).status, 401);
  assert.match((await reviewer(stack, 'list')).stderr, /reviewers.jsonl:1: this line was changed/);
  assert.equal((await reviewer(stack, 'revoke', 'rv-1', '--author', 'a')).code, 1);
  await writeFile(file, good);
  assert.equal((await as()).status, 200);
  await appendFile(file, '{"n":3,"act":"rev'); // the power went
  assert.equal((await as()).status, 200);
  assert.equal((await reviewer(stack, 'revoke', 'rv-1', '--author', 'a')).code, 0);
  assert.equal((await as()).status, 401);
});
