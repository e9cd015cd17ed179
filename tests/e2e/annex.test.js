// The annexes of a filing: made beside a running gateway, their figures are those of the other commands and of
// the requests that were sent; LibreOffice, where it is installed, reads the documents.
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { mkdir, readFile, readdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { Stack, run, until, words } from './harness.js';
import { person } from './people.js';

const has = (name) => {
  try { return Boolean(execFileSync('sh', ['-c', `command -v ${name}`])); } catch { return false; }
};
const office = has('soffice') && has('pdftotext');
const lines = (text) => text.split('\n').filter(Boolean).map((l) => JSON.parse(l));

let stack;
const annex = (...args) => run(['filing', 'annex', '-c', stack.conf, ...args], { cwd: stack.dir });
const html = async (name, ...args) => {
  const r = await annex(name, '--html', '-o', '-', ...args);
  assert.equal(r.code, 0, r.stderr);
  return r.stdout;
};
const plain = (s) => s.replace(/<[^>]*>/g, '').replace(/&lt;/g, '<').replace(/&gt;/g, '>').replace(/&quot;/g, '"').replace(/&#39;/g, "'").replace(/&amp;/g, '&');
// Every table as rows of cells, the header first.
const tables = (text) => [...text.matchAll(/<table[^>]*>.*?<\/table>/gs)].map(([t]) => [...t.matchAll(/<tr>(.*?)<\/tr>/gs)]
  .map(([, row]) => [...row.matchAll(/<t[hd][^>]*>(.*?)<\/t[hd]>/gs)].map(([, cell]) => plain(cell))));
const table = (text, ...header) => tables(text).find(([h]) => header.every((c, i) => h[i] === c));
const pair = (text, key) => tables(text).flat().find((r) => r.length === 2 && r[0] === key)?.[1];

before(async () => {
  stack = await Stack.start({
    config: {
      complaints: { form: true, due: '3d' },
      policy: { label: 'suffix' },
      service: {
        provider: '某某<b>科技</b>有限公司', name: '示例助手', complaint: '400-000-0000',
        credit_code: '91110000MA0000000H', provider_code: '91110000MA0000000H', audience: '面向成年公众的问答',
      },
    },
  });
  for (const prompt of ['hello', '你好', '今天天气怎么样', `我喜欢${words.flag}`]) await stack.chat(prompt);
  for (let i = 0; i < 3; i++) await stack.chat(`${words.block} ${i}`);
  await stack.chat(words.answer);
  const r = await stack.post('/v1/complaints', { kind: 'content', text: '不实', contact: 'a@example.com' });
  assert.equal(r.status, 200, r.text);
  // The sums are made beside the traffic.
  await until(async () => table(await html('1'), '请求总数')?.[1][0] === '8', 'all requests are counted', 30000);
});
after(() => stack?.stop());

describe('figures', () => {
  test('annex 1 counts the requests that were sent, by what was done', async () => {
    const text = await html('1');
    assert.deepEqual(table(text, '请求总数'), [['请求总数', '放行', '标记', '打码', '代答', '拦截'], ['8', '3', '1', '0', '1', '3']]);
    const risks = table(text, '风险类型', '标记').slice(1);
    assert.equal(risks.reduce((n, r) => n + Number(r[4]), 0), 3);
    assert.match(text, /累计投诉 1 件，处理中 1 件，逾期 0 件/);
    assert.match(text, /自收到之日起 3 天内答复/);
    assert.match(text, /生成本文件时已校验全部记录，未发现改动/);
  });

  test('and agrees with the console and the log', async () => {
    const p = await person(stack, 'looks', 'viewer');
    const seen = (await p.get('/api/overview', { since: String((Date.now() - 30 * 86400e3) * 1000) })).json;
    const sum = (key) => String(seen.buckets.reduce((n, b) => n + b[key], 0));
    const text = await html('1');
    assert.deepEqual(table(text, '请求总数')[1], ['requests', 'allow', 'flag', 'mask', 'answer', 'block'].map(sum));
    assert.deepEqual(table(text, '风险类型', '标记').slice(1).map((r) => [r[0].split('　')[0], ...r.slice(1)]),
      seen.risks.map((r) => [r.risk, ...['flag', 'mask', 'answer', 'block'].map((k) => String(r[k]))]));
    const blocked = (await stack.log()).filter((r) => r.action === 'block');
    assert.equal(table(text, '请求总数')[1][5], String(blocked.length));
    assert.match(text, new RegExp(`统计期内拦截 ${seen.reviews.interceptions} 件，已复核 ${seen.reviews.done} 件`));
  });

  test('the libraries are those of `filing coverage`', async () => {
    const told = lines((await run(['filing', 'coverage', '-c', stack.conf, '--json'])).stdout).filter((r) => r.risk);
    const rows = table(await html('1'), '风险类型', '关键词').slice(1);
    assert.equal(rows.length, 31);
    for (const [type, count, least] of rows) {
      const r = told.find((t) => t.risk === type.split('　')[0]);
      assert.equal(count, String(r.keywords), type);
      assert.equal(least, r.keyword_min ? String(r.keyword_min) : '—', type);
    }
  });

  test('a time before there was traffic has none', async () => {
    const text = await html('1', '--since', '2020-01-01', '--until', '2020-02-01');
    assert.deepEqual(table(text, '请求总数')[1], ['0', '0', '0', '0', '0', '0']);
    assert.match(text, /统计期内没有命中记录/);
  });
});

describe('words', () => {
  test('all papers name the same service, as data, and are drafts', async () => {
    for (const name of ['1', '2', '3', 'model', 'algorithm']) {
      const text = await html(name);
      assert.match(text, /草稿：由网关自动生成/, name);
      assert.ok(text.includes('某某&lt;b&gt;科技&lt;/b&gt;有限公司'), name);
      assert.ok(text.includes('Test-Demo-20250101'), name);
      assert.ok(text.includes('<mark>待补充</mark>'), name);
      assert.doesNotMatch(text, /<script|https?:\/\/(?!www\.w3\.org)[^<"]*\.(js|css)/, name);
    }
    assert.equal(pair(await html('1'), '统一社会信用代码'), '91110000MA0000000H');
    assert.equal(pair(await html('1'), '联系方式'), '待补充');
  });

  test('conclusions are left to people', async () => {
    const clauses = table(await html('1'), '条款').slice(1);
    assert.ok(clauses.length >= 15);
    for (const c of clauses) {
      assert.equal(c.length, 5);
      assert.ok(c[2].length > 0 && c[3].length > 0, c[0]);
      assert.equal(c[4], '', c[0]);
    }
    assert.match(clauses.find((c) => c[0] === '7 g)-4')[2], /连续 3 次或当日累计 5 次，暂停服务 24 小时/);
  });

  test('settings that weaken are told', async () => {
    const weak = (text) => text.slice(text.indexOf('六、残余风险'), text.indexOf('七、总体结论'));
    assert.doesNotMatch(weak(await html('1')), /媒体内容未经判定放行/);
    await stack.configure({ policy: { media: 'allow' }, strikes: { enabled: false } });
    try {
      const text = await html('1');
      assert.match(weak(text), /媒体内容未经判定放行。（网关原文：app default: media parts pass unjudged）/);
      assert.match(weak(text), /未启用对违规使用者的暂停服务/);
      const nodes = table(await html('algorithm'), '序号').map((r) => r[1]);
      assert.ok(!nodes.includes('使用者状态'));
      assert.ok(nodes.includes('输入检查（规则库）'));
    } finally {
      await stack.configure();
    }
    assert.ok(table(await html('algorithm'), '序号').map((r) => r[1]).includes('使用者状态'));
  });
});

describe('files', () => {
  test('are named, whole, the owner\'s alone, and the same for the same facts', async () => {
    const first = await annex('3');
    assert.equal(first.code, 0, first.stderr);
    const file = path.join(stack.dir, 'annex3.docx');
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    const was = await readFile(file);
    assert.equal((await annex('3', '-o', 'again.docx')).code, 0);
    assert.deepEqual(await readFile(path.join(stack.dir, 'again.docx')), was);
    assert.equal((await annex('3', '-o', 'again.html')).code, 0);
    assert.match(await readFile(path.join(stack.dir, 'again.html'), 'utf8'), /^<!doctype html>/);
  });

  test('what can\'t be done is said, and leaves what was there', async () => {
    const kept = path.join(stack.dir, 'kept.docx');
    await writeFile(kept, 'old');
    const missing = await annex('1', '--run', 'run-20200101-000000', '-o', 'kept.docx');
    assert.equal(missing.code, 1);
    assert.match(missing.stderr, /no such run: run-20200101-000000/);
    assert.equal(await readFile(kept, 'utf8'), 'old');
    const nowhere = await annex('1', '-o', 'nowhere/a.docx');
    assert.equal(nowhere.code, 1);
    assert.match(nowhere.stderr, /nowhere\/a\.docx: No such file or directory/);
    for (const [args, why] of [[['9'], /there is no annex '9'/], [['1', '--html', '--docx'], /not both/], [['1', '-o', '-'], /only --html/],
      [['1', '--since', 'soon'], /'soon' is no time/], [['1', '--since', '2026-02-01', '--until', '2026-01-01'], /not before/]]) {
      const r = await annex(...args);
      assert.equal(r.code, 2, args.join(' '));
      assert.match(r.stderr, why);
    }
    assert.deepEqual((await readdir(stack.dir)).filter((n) => n.endsWith('.part')), []);
  });

  test('the list names them', async () => {
    const r = await run(['filing', 'annex']);
    assert.equal(r.code, 0);
    for (const title of ['安全自评估报告', '模型服务协议', '语料标注规则', '调用已备案模型情况说明', '算法备案'])
      assert.match(r.stdout, new RegExp(title));
  });
});

describe('another reader', { skip: office ? false : 'soffice and pdftotext are not installed' }, () => {
  test('opens the documents and finds the same in them', async () => {
    const names = { 1: 'annex1', 2: 'annex2', 3: 'annex3', model: 'annex-model', algorithm: 'annex-algorithm' };
    for (const name of Object.keys(names)) assert.equal((await annex(name)).code, 0, name);
    await promisify(execFile)('soffice', [`-env:UserInstallation=file://${stack.dir}/office`, '--headless', '--convert-to', 'pdf',
      '--outdir', stack.dir, ...Object.values(names).map((n) => path.join(stack.dir, `${n}.docx`))], { timeout: 180000 });
    const read = async (name) => (await promisify(execFile)('pdftotext', ['-layout', path.join(stack.dir, `${name}.pdf`), '-'])).stdout;
    for (const name of Object.values(names)) {
      const text = (await read(name)).replace(/\s+/g, '');
      assert.ok(text.includes('草稿：由网关自动生成'), name);
      assert.ok(text.includes('某某<b>科技</b>有限公司'), name);
      assert.match(text, /第1页\/共\d+页/, name);
    }
    const one = await read('annex1');
    const counted = one.split('\n').findIndex((l) => /请求总数\s+放行\s+标记\s+打码\s+代答\s+拦截/.test(l));
    assert.ok(counted > 0, one);
    assert.match(one.split('\n').slice(counted + 1).find((l) => l.trim()), /^\s*8\s+3\s+1\s+0\s+1\s+3\s*$/);
    const process = (await read('annex-algorithm')).replace(/\s+/g, '');
    assert.ok(process.includes('1.接入与鉴权') && process.includes('8.人工复核与改进'));
  });
});

describe('an evaluation', () => {
  const judges = { keyword: 0, opinion: 1, human: 2, final: 3 };
  const percent = (x) => `${(100 * x).toFixed(1)}%`;
  let told;

  before(async () => {
    const folder = path.join(stack.rules, 'questions');
    await mkdir(folder, { recursive: true });
    const good = await stack.script('good', { text: '端午节是中国的传统节日。' });
    const bad = await stack.script('bad', { text: `先说说${words.block}吧` });
    const no = await stack.script('no', { text: '抱歉，我无法提供这方面的帮助。' });
    const all = [['content', 'risk', 'A1-h', good], ['content', 'risk', 'A2-d', bad], ['content', 'risk', 'A2-d', good],
      ['refuse', 'risk', 'A1-h', no], ['refuse', 'risk', 'A1-h', good], ['answer', 'aspect', '历史', good]];
    await writeFile(path.join(folder, 'all.jsonl'), all.map(([bank, key, type, says], i) =>
      `${JSON.stringify({ id: `${bank}-${i}`, bank, [key]: type, question: `问 ${i} ${says}` })}\n`).join(''));
    const r = await run(['filing', 'evaluate', '-c', stack.conf, '--no-key', '--provider-agrees', '某人, 2026-11-20', '--all', '--rate', '100']);
    assert.ok([0, 4].includes(r.code), r.stderr);
    const name = /run-\d{8}-\d{6}/.exec(r.stdout)[0];
    [told] = lines((await run(['filing', 'evaluate', '-c', stack.conf, '--results', name, '--json'])).stdout);
    assert.equal(told.run, name);
  });

  test('stands in annex 1 with the figures of its own command', async () => {
    const text = await html('1');
    assert.equal(pair(text, '评测编号'), told.run);
    const shown = tables(text).filter(([h]) => h[0] === '题库' && h[1] === '评判方式');
    assert.equal(shown.length, 2);
    for (const [i, route] of ['gateway', 'bare'].entries()) {
      const want = told.results.filter((b) => b.route === route).flatMap((b) => Object.keys(judges)
        .filter((j) => j !== 'opinion' || b.bank === 'content').map((j) => b.judges[j])
        .map((j) => (j.n ? [`${j.passed} / ${j.n}`, percent(j.rate), `${percent(j.low)}–${percent(j.high)}`] : ['未评', '—', '—'])));
      assert.deepEqual(shown[i].slice(1).map((r) => r.slice(2, 5)), want, route);
    }
    // By hand: without the gateway one of three answers holds a word of ours, with it none.
    assert.deepEqual(shown.map((t) => t[1][2]), ['3 / 3', '2 / 3']);
    assert.match(text, new RegExp(`不合格回答 ${told.failures} 条`));
    assert.match(text, /两个通道均作答 6 题；网关介入（拦截、代答、打码或截断）1 题，其中 1 题可指明所依据的规则/);
    assert.doesNotMatch(text, /没有已完成的评测/);
    assert.match(text, /；应拒答测试题库拒答 [\d.]+%（\d+ 题）；非拒答测试题库未拒答 [\d.]+%（\d+ 题）/);
  });
});
