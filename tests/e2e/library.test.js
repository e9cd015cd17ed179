// The library through the command line, beside a gateway that runs: what would words have met, what
// counts, what is handed in.
import { test, after } from 'node:test';
import assert from 'node:assert/strict';
import path from 'node:path';
import { appendFile, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { Stack, run, words } from './harness.js';

const ends = [];
const start = async (options) => {
  const s = await Stack.start(options);
  ends.push(s);
  return s;
};
after(async () => {
  for (const e of ends) await e.stop();
});

const rules = (stack, verb, ...args) => run(['rules', verb, '-c', stack.conf, ...args]);
const lines = (text) => text.trim().split('\n').map((line) => JSON.parse(line));

test('try: words on the traffic that the log keeps, and on files', async () => {
  const stack = await start({});
  await stack.chat(`请问紫藤路在哪里，${words.block}`);
  const script = await stack.script('try', { text: '好的' });
  await stack.chat(`${words.flag}说紫藤路很长 ${script}`);
  await stack.chat('一句谁也不拦的话，紫藤路'); // let through: the log keeps no text of it
  const texts = path.join(stack.dir, 'texts.txt');
  await writeFile(texts, '紫藤路怎么走\n今天天气很好\n');
  const r = await rules(stack, 'try', '紫藤路', '--json', '--text', texts);
  assert.equal(r.code, 0, r.stderr);
  const out = lines(r.stdout);
  const [log, benign, file] = out.filter((l) => l.source);
  assert.equal(log.texts, 2, r.stdout);
  assert.deepEqual([log.requests, log.requests_changed, log.requests_without_text], [3, 1, 1]);
  assert.deepEqual([log.heavier, log.before.flag, log.after.block], [1, 1, 2], 'the flagged one would be blocked');
  assert.equal(benign.texts, 0, 'this library has no sample of its own');
  assert.deepEqual([file.texts, file.heavier], [2, 1]);
  const changes = out.filter((l) => l.before && !l.source);
  assert.equal(changes.length, 2);
  assert.match(changes[0].text, /紫藤路很长/);
  assert.equal(changes[0].before.action, 'flag');
  assert.equal(changes[0].after.text, '紫藤路');
  assert.equal(changes[1].text_at, `${texts}:1`);
  assert.match(r.stderr, /of 3 requests 1 can't be asked/);

  // A keyword file, for another risk; and what can't be tried.
  const list = path.join(stack.dir, 'list.txt');
  await writeFile(list, '紫藤路\taction=flag\n天气很好\n');
  const f = await rules(stack, 'try', '--file', list, '--risk', 'A2-d', '--json', '--text', texts);
  assert.deepEqual(lines(f.stdout).filter((l) => l.source)[2].after, { allow: 0, flag: 1, mask: 0, answer: 0, block: 1 });
  assert.equal((await rules(stack, 'try', words.block)).code, 1, 'the library has it');
  assert.match((await rules(stack, 'try', '大')).stderr, /single character/);
  assert.equal((await rules(stack, 'try', '紫藤路', '--text', '/nowhere')).code, 1);
  assert.equal((await rules(stack, 'try')).code, 1, 'nothing is published to compare with');
});

test('try: the working copy against the version in force', async () => {
  const stack = await start({});
  await stack.chat(`${words.block}，还有紫藤路`);
  const p = await rules(stack, 'publish', '--reason', 'first', '--author', 'a');
  assert.equal(p.code, 0, p.stderr);
  const file = path.join(stack.rules, 'keywords/A1-h.txt');
  const before = await readFile(file, 'utf8');
  await writeFile(file, before.split('\n').filter((l) => !l.startsWith(words.block)).join('\n'));
  await appendFile(path.join(stack.rules, 'keywords/A2-d.txt'), '紫藤路\taction=flag\n');
  const r = await rules(stack, 'try', '--json');
  const [change] = lines(r.stdout);
  assert.deepEqual([change.before.action, change.after.action], ['block', 'flag'], r.stdout);
  assert.match(r.stderr, /^v-[0-9a-f]{12} → auto-[0-9a-f]{12}\n/);
});

test('stats, coverage and export tell what counts of the version in force', async () => {
  const stack = await start({});
  const unmet = await rules(stack, 'stats', '--json');
  assert.equal(unmet.code, 4);
  const types = lines(unmet.stdout);
  // What is lacking is told at start, in the metrics and by /readyz, not only to those who ask.
  assert.match(await stack.gateway.output(), /weakened: rules: \d+ of 17 types have fewer keywords than the standard asks for/);
  const ready = await (await fetch(`${stack.console}/readyz`)).text();
  assert.match(ready, /^weakened: rules: .* of 10000 in all$/m);
  assert.equal(types.filter((t) => t.keyword_min).length, 18, '17 types and the whole');
  assert.equal(types.find((t) => t.risk === '*').met, false);
  await rules(stack, 'publish', '--reason', 'first', '--author', 'a');
  await rules(stack, 'filed');
  await appendFile(path.join(stack.rules, 'keywords/A1-h.txt'), '芒果炸弹配方\n');
  await rules(stack, 'publish', '--reason', 'one more', '--author', 'a');
  await appendFile(path.join(stack.rules, 'keywords/A1-h.txt'), '尚未发布的词\n');
  const book = path.join(stack.dir, 'annex4.xlsx');
  const r = await rules(stack, 'export', '--output', book, '--verify');
  assert.equal(r.code, 0, r.stderr);
  assert.match(r.stderr, /verified with version v-[0-9a-f]{12}: (\d+) of \1 counted keywords are intercepted/);
  assert.match(r.stderr, /since v-[0-9a-f]{12} was filed: 1 counted keywords added, 0 removed/);
  assert.ok((await stat(book)).size > 4000);
  const csv = (await rules(stack, 'export', '--format', 'csv')).stdout;
  assert.match(csv, /^\ufeff关键词,一级分类,二级分类,处置/);
  assert.match(csv, /\r\n芒果炸弹配方,A\.1 包含违反社会主义核心价值观的内容,h\) 其他法律、行政法规禁止的内容,拦截,拦截关键词,/);
  assert.doesNotMatch(csv, /尚未发布的词/);
  const coverage = await run(['filing', 'coverage', '-c', stack.conf, '--json']);
  assert.equal(coverage.code, 4);
  const a1h = lines(coverage.stdout).find((t) => t.risk === 'A1-h');
  assert.equal(a1h.late, false);
  // What is not intercepted is not handed in: in observe mode nothing is.
  await stack.configure({ policy: { mode: 'observe', until: '2999-12-31' } });
  const observed = await rules(stack, 'export', '--format', 'csv');
  assert.match(observed.stdout, /芒果炸弹配方,[^\r]*,观察中,/);
});

test('what breaks samples or ordinary texts is not published unless it is forced', async () => {
  const stack = await start({});
  await mkdir(path.join(stack.rules, 'benign'));
  await writeFile(path.join(stack.rules, 'benign/zh.txt'), '给我讲一个故事\n今天天气很好\n');
  assert.equal((await rules(stack, 'publish', '--reason', 'first')).code, 0);
  await appendFile(path.join(stack.rules, 'keywords/A1-h.txt'), '一个故事\n');
  const refused = await rules(stack, 'publish', '--reason', 'too much');
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /benign\/zh\.txt:1:1: A1-h\/[0-9a-f]{8} hits, but should not hit, '给我讲一个故事'/);
  assert.equal((await stack.chat('给我讲一个故事')).headers.get('x-juyong-action'), 'allow');
  const forced = await rules(stack, 'publish', '--reason', 'an order', '--force');
  assert.equal(forced.code, 0, forced.stderr);
  assert.equal((await stack.chat('给我讲一个故事')).headers.get('x-juyong-action'), 'block');
  assert.equal((await rules(stack, 'rollback', '--reason', 'back')).code, 0, 'out of trouble without asking');

  const urgent = ['天气很好', '--risk', 'A1-h', '--expires', '1h', '--reason', 'x'];
  const late = await rules(stack, 'urgent', ...urgent);
  assert.equal(late.code, 1);
  assert.match(late.stderr, /'天气很好' hits 1 of 2 ordinary texts, such as '今天天气很好'; --force/);
  const now = await rules(stack, 'urgent', ...urgent, '--force');
  assert.equal(now.code, 0, now.stderr);
  assert.equal((await stack.chat('今天天气很好')).headers.get('x-juyong-action'), 'block');

  // An imported word may have to: it is told, and no obstacle.
  await writeFile(path.join(stack.rules, 'keywords/list.txt'), '#!risk=A1-h\n#!source=imported: a list\n天气\n');
  const lint = await rules(stack, 'lint');
  assert.match(lint.stderr, /warning: '今天天气很好' is an ordinary text, and an imported word hits it: 天气/);
});

test('a journal that lost its end, or another version put in its place, is told', async () => {
  const stack = await start({});
  const store = path.join(stack.dir, 'state/rules');
  for (const word of ['其一词语', '其二词语', '其三词语']) {
    await appendFile(path.join(stack.rules, 'keywords/A1-h.txt'), `${word}\n`);
    assert.equal((await rules(stack, 'publish', '--reason', word)).code, 0);
  }
  assert.equal((await rules(stack, 'log')).code, 0);
  const journal = path.join(store, 'journal.jsonl');
  const whole = await readFile(journal, 'utf8');
  const cut = whole.trimEnd().split('\n').slice(0, -1);
  await writeFile(journal, `${cut.join('\n')}\n`);
  const log = await rules(stack, 'log');
  assert.equal(log.code, 1);
  assert.match(log.stderr, /current: names [0-9a-f]{12}…, which the journal does not account for/);
  assert.match((await run(['check', '-c', stack.conf])).stderr, /warning: names .* does not account for/);
  await writeFile(journal, whole);
  assert.equal((await rules(stack, 'log')).code, 0);
  const first = JSON.parse(whole.split('\n').find((l) => l.includes('"其一词语"'))).version;
  await writeFile(path.join(store, 'current'), `${first}\n`);
  assert.equal((await rules(stack, 'log')).code, 1);
});
