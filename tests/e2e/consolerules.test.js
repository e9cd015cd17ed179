// The rules at the console: what is in force, trying out, from a false positive to a phrase that is
// live, versions, urgent words, two persons, and what each role may not.
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { chmod, mkdir, readFile, readdir, stat, unlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Stack, listening, run, until, words } from './harness.js';
import { person } from './people.js';

const blocked = (r) => r.headers.get('x-juyong-action') === 'block';
const action = (r) => r.headers.get('x-juyong-action');
const roles = ['viewer', 'reviewer', 'publisher', 'administrator', 'inspector'];

async function begin(options) {
  const s = await Stack.start(options);
  await until(() => listening(s.consolePort), 'the console listens');
  return s;
}

async function good(answer) {
  const a = await answer;
  assert.equal(a.status, 200, a.text);
  return a.json;
}

async function refused(answer, status, code) {
  const a = await answer;
  assert.equal(a.status, status, a.text);
  assert.ok(a.json.error.message);
  if (code) assert.equal(a.json.error.code, code, a.text);
  return a.json.error;
}

const command = async (stack, ...args) => {
  const r = await run(['rules', args[0], '-c', stack.conf, '--json', ...args.slice(1)]);
  r.json = r.stdout.split('\n').filter(Boolean).map((line) => JSON.parse(line));
  return r;
};

const acts = async (stack) => (await stack.log('--all')).filter((r) => r.kind === 'admin')
  .map((r) => ({ act: r.reason, ...(typeof r.detail === 'string' ? JSON.parse(r.detail) : r.detail) }));

describe('the library', () => {
  let stack;
  const p = {};
  before(async () => {
    stack = await begin();
    for (const role of roles) p[role] = await person(stack, role, role);
  });
  after(() => stack?.stop());

  test('is listed in pages, and each rule once', async () => {
    const listed = (await command(stack, 'list')).json;
    const seen = [];
    let before;
    do {
      const page = await good(p.viewer.get('/api/rules', { limit: 7, ...(before && { before }) }));
      assert.ok(page.rows.length <= 7);
      if (page.older) assert.equal(page.rows.length, 7);
      seen.push(...page.rows);
      assert.equal(page.total, listed.length + 1, 'the rules and one allow phrase');
      before = page.older;
    } while (before);
    assert.deepEqual(seen.filter((r) => r.kind !== 'allow').map((r) => r.id), listed.map((r) => r.id));
    assert.deepEqual(seen.filter((r) => r.kind === 'allow').map((r) => r.text), [words.innocent]);
    assert.ok(!seen.some((r) => r.id.includes('canary')));
  });

  test('is filtered by kind, risk, state and text, however that is spelled', async () => {
    const list = async (params) => (await good(p.viewer.get('/api/rules', params))).rows;
    assert.ok((await list({ kind: 'pattern' })).every((r) => r.kind === 'pattern'));
    assert.ok((await list({ risk: 'A1' })).every((r) => r.risk.startsWith('A1-')));
    assert.deepEqual((await list({ q: words.block })).map((r) => r.text).sort(), [words.block, words.innocent].sort());
    assert.deepEqual((await list({ q: 'ＺＯＲＧＯＮ Acid' })).map((r) => r.text), [words.blockLatin]);
    assert.deepEqual(await list({ state: 'quarantined' }), []);
    const [rule] = await list({ q: words.block, kind: 'keyword' });
    assert.equal(rule.risk, 'A1-h');
    assert.equal(rule.state, 'active');
    assert.equal(rule.effect.prompt, 'block');
    assert.equal(rule.action, null);
    assert.match(rule.file, /A1-h\.txt$/);
    await refused(p.viewer.get('/api/rules', { kind: 'poem' }), 400, 'bad_parameter');
    await refused(p.viewer.get('/api/rules', { limit: 501 }), 400, 'bad_parameter');
    await refused(p.viewer.get('/api/rules', { before: 'x' }), 400, 'bad_parameter');
    await refused(p.viewer.get('/api/rules', { before: '3.v-000000000000' }), 409, 'changed');
  });

  test('one rule is asked for by its id, whatever stands in that', async () => {
    for (let i = 0; i < 3; i++) await stack.chat(words.block);
    const [{ id }] = (await good(p.viewer.get('/api/rules', { q: words.block, kind: 'keyword' }))).rows;
    assert.match(id, /^A1-h\/[0-9a-f]{8}$/);
    const rule = await until(async () => {
      const r = await good(p.viewer.get('/api/rules/rule', { id }));
      return r.count_7d >= 3 && r;
    }, 'the hit is counted');
    assert.equal(rule.count_7d, 3);
    assert.equal(rule.text, words.block);
    assert.equal(rule.false_positive_7d, 0);
    for (const bad of ['../../etc/passwd', '<img src=x onerror=alert(1)>', 'A1-h/', '', 'A1-canary/phrase', '%00', 'x'.repeat(3000)])
      assert.ok([400, 404].includes((await p.viewer.get('/api/rules/rule', { id: bad })).status), bad);
    assert.equal((await p.viewer.get(`/api/rules/${encodeURIComponent(id)}`)).status, 404);
  });

  test('is counted against the standard as the command counts it', async () => {
    const told = await good(p.viewer.get('/api/rules/coverage'));
    const printed = (await command(stack, 'stats')).json;
    const plain = (rows) => rows.map(({ changed, ...row }) => row); // the moment, while nothing is published
    assert.deepEqual(plain(told), plain(printed));
    assert.equal(told.at(-1).risk, '*');
  });

  test('a text is tried with every reason, as the command does', async () => {
    const text = `他问${words.block}，又问${words.innocent}`;
    const told = await good(p.viewer.post('/api/rules/try', { text, direction: 'prompt' }));
    const scan = JSON.parse((await run(['scan', '-c', stack.conf, '--json', '--explain', text])).stdout);
    assert.equal(told.action, 'block');
    assert.deepEqual({ action: told.action, hits: told.hits, saved: told.saved }, scan);
    assert.equal(told.saved[0].phrase.text, words.innocent);
    assert.equal((await good(p.viewer.post('/api/rules/try', { text: '天气' }))).action, 'allow');
    const many = await good(p.viewer.post('/api/rules/try', { text: `${words.block} `.repeat(3000) }));
    assert.equal(many.hits.length, 500);
    assert.equal(many.untold, 2500);
  });

  test('what makes no sense is refused, and says why', async () => {
    const t = (body) => p.publisher.post('/api/rules/try', body);
    await refused(t({}), 400);
    await refused(t({ text: 7 }), 400);
    await refused(t({ text: 'x', direction: 'up' }), 400);
    await refused(t({ text: 'x', draft: 'yes' }), 400);
    await refused(t({ text: 'x', drafts: true }), 400, 'unknown_member');
    await refused(t({ text: 'x', app: 'nobody' }), 404);
    await refused(t([]), 400);
    await refused(t({ text: 'x'.repeat(300000) }), 400);
    // Refused by its length, before all of it was sent.
    const large = await t({ text: 'x'.repeat(2 << 20) }).then((r) => r.status, (e) => e.cause?.code);
    assert.ok([413, 'EPIPE', 'ECONNRESET'].includes(large), `${large}`);
    for (const draft of [undefined, 'x', [], { kind: 'poem', text: 'x' }, { kind: 'keyword', text: '新词' }, { kind: 'allow', text: '' },
      { kind: 'allow', text: 'a\nb' }, { kind: 'allow', text: '#x' }, { kind: 'allow', text: { x: 1 } }, { kind: 'allow', text: 'x'.repeat(257) }, { kind: 'keyword', text: '新词', risk: '<b>' }])
      assert.ok([400, 422].includes((await p.publisher.post('/api/rules/try-log', { draft })).status), JSON.stringify(draft));
    await refused(p.publisher.post('/api/rules/try-log', { draft: { kind: 'allow', text: '新词' }, since: -1 }), 400);
    for (const body of [{ kind: 'allow', text: 'x y' }, { kind: 'allow', text: 'x', why: 'a\nb' }, { kind: 'allow', text: 'x', why: '' }, { kind: 'keyword', text: '新词', why: 'x' }, { kind: 'answer', text: 'x', why: 'x' }, { kind: 'allow', text: 'x', why: 'y', file: '/etc/passwd' }])
      await refused(p.publisher.post('/api/rules/draft', body), 400);
    const bad = await refused(p.publisher.post('/api/rules/draft', { kind: 'keyword', text: '新词', risk: 'A9-z', why: 'x' }), 422, 'refused');
    assert.match(bad.reasons.join('\n'), /no risk is called 'A9-z'/);
    await refused(p.publisher.post('/api/rules/draft', { kind: 'keyword', text: '词', risk: 'A1-h', why: 'x' }), 422, 'refused');
    await refused(p.publisher.post('/api/rules/publish', {}), 400);
    await refused(p.publisher.post('/api/rules/publish', { reason: 'two\nlines' }), 400);
    await refused(p.publisher.post('/api/rules/publish', { reason: 'x', force: 1 }), 400);
    await refused(p.publisher.post('/api/rules/rollback', { reason: 'x', version: '../../x' }), 422);
    await refused(p.publisher.post('/api/rules/approve', { proposal: 'v-000000000000' }), 422);
    for (const body of [{ word: '急词甲', risk: 'A1-h', reason: 'x' }, { word: '急词甲', risk: 'A1-h', reason: 'x', expires_s: '60' }, { word: '急词甲', risk: 'A1-h', reason: 'x', expires_s: 59 }, { word: '急词甲', risk: 'A1-h', reason: 'x', expires_s: 31 * 86400 }, { word: '#急词', risk: 'A1-h', reason: 'x', expires_s: 600 }])
      await refused(p.publisher.post('/api/rules/urgent', body), 400);
    await refused(p.publisher.post('/api/rules/urgent', { word: '急词甲', risk: 'A9-z', reason: 'x', expires_s: 600 }), 422);
    await refused(p.publisher.post('/api/rules/urgent/withdraw', { word: '没有的词' }), 422);
    await refused(p.publisher.post('/api/rules/urgent/confirm', { word: '没有的词' }), 422);
    await refused(p.viewer.get('/api/rules/versions/v-000000000000/diff'), 404);
    await refused(p.viewer.get('/api/rules/versions/%3Cb%3E/diff'), 404);
    assert.deepEqual((await acts(stack)).filter((r) => r.act.startsWith('rules_')), [], 'nothing of it is on record as done');
  });

  test('no role does what it may not', async () => {
    const posts = { try: ['viewer', 'reviewer', 'publisher', 'administrator', 'inspector'], 'try-log': ['reviewer', 'publisher'], draft: ['reviewer', 'publisher'] };
    for (const act of ['publish', 'approve', 'rollback', 'urgent', 'urgent/withdraw', 'urgent/confirm']) posts[act] = ['publisher'];
    for (const [act, may] of Object.entries(posts))
      for (const role of roles) {
        const r = await p[role].post(`/api/rules/${act}`, { nonsense: 1 });
        assert.equal(r.status, may.includes(role) ? 400 : 403, `${act} as ${role}: ${r.text}`);
      }
    for (const route of ['', '/coverage', '/draft', '/versions', '/urgent'])
      for (const role of roles) await good(p[role].get(`/api/rules${route}`));
    assert.equal((await fetch(`${stack.console}/api/rules`)).status, 401);
  });
});

describe('a false positive', () => {
  let stack, reviewer, publisher;
  const sentence = `儿童读物里的${words.block}故事`;
  const phrase = `${words.block}故事`;
  before(async () => {
    stack = await begin();
    reviewer = await person(stack, 'rita', 'reviewer');
    publisher = await person(stack, 'paul', 'publisher');
  });
  after(() => stack?.stop());

  test('is answered by a phrase that is tried on what was logged, saying what could not be seen', async () => {
    for (let i = 0; i < 3; i++) assert.ok(blocked(await stack.chat(sentence)));
    assert.ok(blocked(await stack.chat(words.block)));
    assert.equal(action(await stack.chat('今天天气')), 'allow');
    await until(async () => (await stack.log('--all')).filter((r) => r.request_id).length >= 5, 'five exchanges');
    const draft = { kind: 'allow', text: phrase };
    const tried = await good(reviewer.post('/api/rules/try-log', { draft, since: (Date.now() - 86400e3) * 1000 }));
    assert.equal(tried.looked_at, 4);
    assert.equal(tried.hit, 3);
    assert.equal(tried.freed, 3);
    assert.equal(tried.caught, 0);
    assert.equal(tried.complete, true);
    assert.equal(tried.samples.length, 3);
    assert.equal(tried.samples[0].action, 'block');
    assert.equal(tried.samples[0].now, 'allow');
    assert.match(tried.samples[0].context, /儿童读物/);
    assert.equal(tried.unseen.allowed, 1);
    assert.equal(tried.unseen.allowed_without_text, 1);
    assert.equal(tried.unseen.sample_percent, 0);
    assert.equal(tried.unseen.without_text, 0);
    assert.ok(tried.unseen.text_days > 0);
    const all_time = await good(publisher.post('/api/rules/try-log', { draft, since: 0 }));
    assert.equal(all_time.freed, 3);
    const word = await good(reviewer.post('/api/rules/try-log', { draft: { kind: 'keyword', text: '儿童读物', risk: 'A4-a' } }));
    assert.equal(word.hit, 3);
    assert.equal(word.caught, 0, 'they are blocked already');
    assert.deepEqual(await acts(stack).then((all) => all.filter((x) => x.act.startsWith('rules_'))), []);
  });

  test('the phrase goes into the draft, and is in force with the very next request when it is published', async () => {
    assert.equal((await good(publisher.get('/api/rules/draft'))).differs, false);
    const added = await good(reviewer.post('/api/rules/draft', { kind: 'allow', text: phrase, why: 'a story' }));
    assert.match(added.rule, /^allow\/[0-9a-f]{16}$/);
    const file = path.join(stack.rules, added.file);
    assert.match(await readFile(file, 'utf8'), new RegExp(`^${phrase}\twhy=a story\tsource=own: rita$`, 'm'));
    assert.equal((await stat(file)).mode & 0o777, (await stat(path.join(stack.rules, 'allow'))).mode & 0o666);
    await refused(reviewer.post('/api/rules/draft', { kind: 'allow', text: phrase, why: 'again' }), 409, 'there_already');
    await refused(reviewer.post('/api/rules/draft', { kind: 'allow', text: words.innocent, why: 'again' }), 409, 'there_already');
    const draft = await good(publisher.get('/api/rules/draft'));
    assert.equal(draft.differs, true);
    assert.equal(draft.phrases, 1);
    assert.equal(draft.files, 1);
    assert.ok(draft.lines.some((l) => l.startsWith(`+ allow\t${phrase}\t`)), draft.lines.join('\n'));
    assert.deepEqual(draft.findings.filter((f) => f.severity === 'error'), []);
    // Not yet in force; by the draft it would be.
    assert.equal((await good(reviewer.post('/api/rules/try', { text: sentence }))).action, 'block');
    const by_draft = await good(reviewer.post('/api/rules/try', { text: sentence, draft: true }));
    assert.equal(by_draft.action, 'allow');
    assert.equal(by_draft.saved[0].phrase.text, phrase);
    assert.ok(blocked(await stack.chat(sentence)));
    const done = await good(publisher.post('/api/rules/publish', { reason: 'a story of a book' }));
    assert.equal(done.state, 'in force');
    assert.equal(done.gateway, 'serves');
    assert.equal(action(await stack.chat(sentence)), 'allow');
    assert.ok(blocked(await stack.chat(words.block)));
    assert.equal((await good(publisher.get('/api/rules/draft'))).differs, false);
    assert.equal((await good(publisher.post('/api/rules/publish', { reason: 'again' }))).state, 'same');
  });

  test('all of it is on record, the phrase by its id alone', async () => {
    const all = (await acts(stack)).filter((x) => x.act.startsWith('rules_'));
    assert.deepEqual(all.map((x) => [x.act, x.by]), [['rules_draft', 'rita'], ['rules_publish', 'paul']]);
    assert.match(all[0].rule, /^allow\//);
    assert.ok(!JSON.stringify(all).includes(phrase));
    assert.equal(all[1].reason, 'a story of a book');
    const [entry] = (await command(stack, 'log')).json;
    assert.equal(entry.author, 'paul');
    assert.equal(entry.login, 'console');
    assert.match(all[1].version, /^v-/);
    assert.equal(all[1].version, entry.version);
    assert.equal((await stack.verify()).code, 0);
  });

  test('a keyword of the draft is intercepted by the very next request, and freed by going back', async () => {
    const word = '螺钿暗语';
    assert.equal(action(await stack.chat(word)), 'allow');
    const added = await good(publisher.post('/api/rules/draft', { kind: 'keyword', text: word, risk: 'A1-h', why: 'new' }));
    assert.match(added.rule, /^A1-h\/[0-9a-f]{8}$/);
    const done = await good(publisher.post('/api/rules/publish', { reason: 'a new word' }));
    assert.equal(done.added, 1);
    assert.ok(blocked(await stack.chat(word)));
    const { rows } = await good(reviewer.get('/api/rules/versions'));
    assert.equal(rows[0].version, done.version);
    assert.equal(rows[0].current, true);
    assert.equal(rows[0].who, 'paul');
    assert.equal(rows.filter((v) => v.current).length, 1);
    assert.equal(rows.at(-1).act, 'auto');
    const diff = await good(reviewer.get(`/api/rules/versions/${done.version}/diff`));
    assert.equal(diff.against, rows[1].version);
    assert.equal(diff.lines.length, 1);
    assert.match(diff.lines[0], new RegExp(`^\\+ ${added.rule}\t.*${word}`));
    const first = await good(reviewer.get(`/api/rules/versions/${rows.at(-1).version}/diff`));
    assert.equal(first.against, null);
    const page = await good(reviewer.get('/api/rules/versions', { limit: 1 }));
    const next = await good(reviewer.get('/api/rules/versions', { limit: 1, before: page.older }));
    assert.equal(next.rows[0].version, rows[1].version);
    const back = await good(publisher.post('/api/rules/rollback', { version: rows[1].version, reason: 'blocks too much' }));
    assert.equal(back.gateway, 'serves');
    assert.equal(action(await stack.chat(word)), 'allow');
    assert.equal((await good(reviewer.get('/api/rules/versions'))).rows[0].act, 'rollback');
    // The draft still has it, until somebody takes it out.
    assert.equal((await good(publisher.get('/api/rules/draft'))).added, 1);
    await good(publisher.post('/api/rules/draft', { kind: 'keyword', text: word, risk: 'A1-h', remove: true }));
    await refused(publisher.post('/api/rules/draft', { kind: 'keyword', text: word, risk: 'A1-h', remove: true }), 409, 'not_there');
    assert.equal((await good(publisher.get('/api/rules/draft'))).differs, false);
  });

  test('what hits ordinary texts is not published unless it is forced, and a broken draft never', async () => {
    const benign = path.join(stack.rules, 'benign');
    await mkdir(benign, { recursive: true });
    await writeFile(path.join(benign, 'tests.txt'), '周末去郊外看桔梗花\n');
    await good(publisher.post('/api/rules/draft', { kind: 'keyword', text: '桔梗花', risk: 'A1-h', why: 'a mistake' }));
    const draft = await good(publisher.get('/api/rules/draft'));
    assert.ok(draft.findings.some((f) => f.severity === 'error' && /桔梗花/.test(f.text)), JSON.stringify(draft.findings));
    const no = await refused(publisher.post('/api/rules/publish', { reason: 'x' }), 422, 'refused');
    assert.ok(no.reasons.some((r) => /桔梗花/.test(r)));
    assert.equal(action(await stack.chat('桔梗花')), 'allow');
    assert.equal((await good(publisher.post('/api/rules/publish', { reason: 'x', force: true }))).state, 'in force');
    assert.ok(blocked(await stack.chat('桔梗花')));
    const file = path.join(stack.rules, 'keywords', 'console.txt');
    const text = await readFile(file, 'utf8');
    await writeFile(file, `${text}坏行\tfoo=bar\n`);
    const broken = await good(publisher.get('/api/rules/draft'));
    assert.equal(broken.broken, true);
    assert.ok(broken.findings.some((f) => f.severity === 'error' && /foo/.test(f.text)));
    await refused(publisher.post('/api/rules/publish', { reason: 'x', force: true }), 422);
    await refused(publisher.post('/api/rules/try', { text: 'x', draft: true }), 422);
    await refused(publisher.post('/api/rules/draft', { kind: 'allow', text: '另一短语', why: 'x' }), 422);
    await writeFile(file, text);
  });

  test('a library that the gateway may not write is said to be so', { skip: process.getuid() === 0 }, async () => {
    const folder = path.join(stack.rules, 'allow');
    await chmod(folder, 0o555);
    await refused(publisher.post('/api/rules/draft', { kind: 'allow', text: '某个短语', why: 'x' }), 503, 'not_writable');
    await chmod(folder, 0o755);
  });
});

describe('urgent words and two persons', () => {
  let stack, anna, bert, viewer;
  before(async () => {
    stack = await begin({ clock: true, config: { rules: { two_person: true } } });
    anna = await person(stack, 'anna', 'publisher');
    bert = await person(stack, 'bert', 'publisher');
    viewer = await person(stack, 'vera', 'viewer');
  });
  after(() => stack?.stop());

  test('an urgent word is live at once, by one person, and confirmed by another', async () => {
    const word = '砗磲密令';
    assert.equal(action(await stack.chat(word)), 'allow');
    const done = await good(anna.post('/api/rules/urgent', { word, risk: 'A1-h', expires_s: 3600, reason: 'spreads now' }));
    assert.equal(done.state, 'in force');
    assert.ok(blocked(await stack.chat(word)));
    let [row] = (await good(viewer.get('/api/rules/urgent'))).rows;
    assert.deepEqual([row.word, row.risk, row.state, row.who, row.reason], [word, 'A1-h', 'live', 'anna', 'spreads now']);
    assert.ok(row.expires_us > Date.now() * 1000 + 3500e6);
    await refused(anna.post('/api/rules/urgent/confirm', { id: row.id, word }), 422, 'refused');
    await good(bert.post('/api/rules/urgent/confirm', { id: row.id, word }));
    [row] = (await good(viewer.get('/api/rules/urgent'))).rows;
    assert.equal(row.state, 'confirmed');
    assert.equal(row.confirmed_by, 'bert');
    await refused(bert.post('/api/rules/urgent', { word: words.block, risk: 'A1-h', expires_s: 3600, reason: 'is there' }), 422);
    // The draft is not told to lack it.
    assert.equal((await good(anna.get('/api/rules/draft'))).differs, false);
    await good(bert.post('/api/rules/urgent/withdraw', { id: row.id, word, reason: 'over' }));
    assert.equal(action(await stack.chat(word)), 'allow');
    [row] = (await good(viewer.get('/api/rules/urgent'))).rows;
    assert.deepEqual([row.state, row.withdrawn_by], ['withdrawn', 'bert']);
    const all = (await acts(stack)).filter((x) => x.act.startsWith('rules_'));
    assert.deepEqual(all.map((x) => [x.act, x.by, x.word]), [['rules_urgent', 'anna', word], ['rules_confirm', 'bert', word], ['rules_withdraw', 'bert', word]]);
  });

  test('it ends by itself', async () => {
    const word = '珊瑚暗号';
    await good(anna.post('/api/rules/urgent', { word, risk: 'A1-h', expires_s: 600, reason: 'x' }));
    assert.ok(blocked(await stack.chat(word)));
    await stack.clock.set(700);
    assert.equal(action(await stack.chat(word)), 'allow');
    assert.equal((await good(viewer.get('/api/rules/urgent'))).rows.find((r) => r.word === word).state, 'expired');
    await stack.clock.set(0);
  });

  test('what one publishes another puts in force', async () => {
    const word = '玳瑁信号弹';
    await good(anna.post('/api/rules/draft', { kind: 'keyword', text: word, risk: 'A1-a', why: 'x' }));
    const p = await good(anna.post('/api/rules/publish', { reason: 'a proposal' }));
    assert.equal(p.state, 'proposed');
    assert.equal(p.proposal, p.version);
    assert.equal(action(await stack.chat(word)), 'allow');
    const draft = await good(viewer.get('/api/rules/draft'));
    assert.deepEqual([draft.proposal.id, draft.proposal.who, draft.proposal.reason], [p.version, 'anna', 'a proposal']);
    assert.equal(draft.two_person, true);
    const own = await refused(anna.post('/api/rules/approve', { proposal: p.proposal }), 422, 'refused');
    assert.match(own.message, /somebody else/);
    assert.equal(action(await stack.chat(word)), 'allow');
    assert.ok((await good(viewer.get(`/api/rules/versions/${p.version}/diff`))).lines[0].includes(word));
    const done = await good(bert.post('/api/rules/approve', { proposal: p.proposal }));
    assert.equal(done.state, 'in force');
    assert.ok(blocked(await stack.chat(word)));
    assert.equal((await good(viewer.get('/api/rules/draft'))).proposal, undefined);
    const [row] = (await good(viewer.get('/api/rules/versions'))).rows;
    assert.deepEqual([row.act, row.who, row.approved_by, row.current], ['approve', 'anna', 'bert', true]);
    await refused(bert.post('/api/rules/approve', { proposal: p.proposal }), 422);
    const all = (await acts(stack)).filter((x) => /rules_(propose|approve)/.test(x.act));
    assert.deepEqual(all.map((x) => [x.act, x.by]), [['rules_propose', 'anna'], ['rules_approve', 'bert']]);
  });
});

describe('what a trial can see', () => {
  let stack, reviewer;
  const long_ago = 40 * 86400;
  before(async () => {
    stack = await begin({ clock: true, config: { audit: { samples: { percent: 100, purpose: '质量抽查' } } } });
    reviewer = await person(stack, 'rita', 'reviewer');
  });
  after(() => stack?.stop());

  const try_word = (p, since = 0) => good(p.post('/api/rules/try-log', { draft: { kind: 'keyword', text: '夜光贝', risk: 'A1-h' }, since }));

  test('samples of what was let through are looked at, too', async () => {
    assert.equal(action(await stack.chat('海边有夜光贝吗')), 'allow');
    const tried = await until(async () => {
      const r = await try_word(reviewer);
      return r.looked_at === 1 && r;
    }, 'the sample is there');
    assert.deepEqual([tried.hit, tried.caught, tried.freed], [1, 1, 0]);
    assert.equal(tried.samples[0].action, 'allow');
    assert.equal(tried.samples[0].now, 'block');
    assert.equal(tried.unseen.allowed, 1);
    assert.equal(tried.unseen.allowed_without_text, 0);
    assert.equal(tried.unseen.sample_percent, 100);
    assert.equal(tried.unseen.texts_from, undefined);
  });

  test('months whose texts were pruned are named', async () => {
    assert.ok(blocked(await stack.chat(`${words.block}甲`)));
    const log = path.join(stack.dir, 'state', 'log');
    const months = async () => (await readdir(log)).filter((n) => /^l1-.*\.db$/.test(n));
    const [first] = await months();
    await stack.clock.set(long_ago);
    assert.ok(blocked(await stack.chat(`${words.block}乙`)));
    await until(async () => (await months()).length === 2, 'a new month has texts');
    await unlink(path.join(log, first));
    const [second] = await months();
    const later = await person(stack, 'ruth', 'reviewer');
    const tried = await until(async () => {
      const r = await try_word(later);
      return r.unseen.texts_from && r;
    }, 'the pruned month is noticed');
    assert.equal(`l1-${tried.unseen.texts_from}.db`, second);
    assert.equal(tried.unseen.without_text, 1);
    assert.equal(tried.unseen.allowed_without_text, 1);
    await stack.clock.set(0);
  });
});
