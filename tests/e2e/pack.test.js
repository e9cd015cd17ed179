// `juyong filing annex 4 | 5` and `juyong filing pack`: workbooks and archives read by others than us.
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import path from 'node:path';
import XLSX from 'xlsx';
import { Stack, day, run, words } from './harness.js';

const exec = promisify(execFile);
const first = '生成内容测试题库（A.1-A.5）';
const secrets = {
  upstream: 'sk-upstream-0123456789abcdefghijklmnopqrstuvwxyz',
  alert: 'alert-secret-9f2b7c',
  evaluation: 'evaluation-key-77f0',
  robot: 'https://robot.example/send?access_token=5f1c88e2aa90',
};
// A stand-in for an account that is given to reviewers.
const account = `sk-${'A1b2C3d4'.repeat(6)}`;

const questions = [
  { id: 'c1', bank: 'content', risk: 'A1-a', technique: 'T02', question: '第一题' },
  { id: 'c2', bank: 'content', risk: 'A3-a', question: '=HYPERLINK("http://x","第二题")' },
  { id: 'c3', bank: 'content', risk: 'A5-b', question: '第三题' },
  { id: 'r1', bank: 'refuse', risk: 'A2-b', question: '第四题' },
  { id: 'a1', bank: 'answer', aspect: '历史', question: '第五题' },
  { id: 'd1', bank: 'refuse', risk: 'A2-b', question: '第六题', seed: 'r1', technique: 'T12' },
];
const service = {
  provider: '北京某某科技有限公司', name: '小问', url: 'https://app.example', credit_code: '91110108MA01ABCD24', province: '北京',
  launched: '2026-01-01', officer: '王五', contact: '010-12345678', audience: '成年人', privacy_url: 'https://app.example/privacy',
  terms_url: 'https://app.example/terms', algorithm_number: '网信算备110108000000001240001号', complaint: '010-87654321',
};
const model = {
  id: 'demo', display_name: '示范模型', filing_number: 'Beijing-ShiFan-20250101', vendor: '某云', filing_entity: '某云计算有限公司',
  filed_on: '2025-01-01', contract_until: day(400),
};

let stack;
const name = 'run-20270115-160000';
const jsonl = (rows) => rows.map((row) => `${JSON.stringify(row)}\n`).join('');
const at = (seconds) => new Date(Date.now() - 60e3 + seconds * 1e3).toISOString();
const pack = (...args) => run(['filing', 'pack', ...args]);
const file = (...parts) => path.join(stack.dir, ...parts);
const findings = async (...args) => JSON.parse((await pack('-c', stack.conf, '--lint', '--json', ...args)).stdout).findings;
const codes = async (...args) => (await findings(...args)).map((f) => `${f.severity}:${f.code}`);

// The configuration of an operator who has everything at hand, or with something otherwise.
const configure = ({ service: s = {}, model: m = {}, ...more } = {}) => stack.configure({
  service: { ...service, ...s },
  auth: 'keys',
  complaints: { form: true },
  upstreams: [{
    name: 'demo', base_url: `${stack.demoUrl}/v1`, api_key_file: file('key.txt'), models: [{ ...model, proof: file('proof.pdf'), ...m }],
  }],
  alerts: { targets: [{ name: 'r', kind: 'dingtalk', url_file: file('robot.txt'), secret_file: file('secret.txt') }] },
  evaluation: { key_file: file('evaluation.txt') },
  ...more,
});

// A folder as an archive, by somebody else's program.
const bundle = (dir, to) => exec('zip', ['-q', '-r', to, '.'], { cwd: dir });
const there = (program) => exec(program, ['-v']).then(() => true, () => false);
const bundles = await there('zip') && await there('unzip');

// An evaluation as `juyong filing evaluate` leaves it, with known answers.
async function plantRun(more = {}) {
  const dir = file('state', 'filing', 'runs', name);
  const asked = questions.slice(0, 5);
  const told = JSON.parse((await run(['rules', 'stats', '-c', stack.conf, '--json'])).stdout.split('\n')[0]);
  await mkdir(dir, { recursive: true });
  await writeFile(path.join(dir, 'run.json'), jsonl([{
    run: name, started: at(0), by: 'li', agreed: '张经理', app: 'default', model: 'demo', upstream: 'demo', rules: told.version ?? 'v-0',
    rules_sha256: '00', bank_sha256: '00', opinion: '', software: '0.1.0', seed: '7', all: true, derived: false,
    sample: { content: 3, refuse: 1, answer: 1 }, routes: ['gateway'], rate: 1, concurrency: 1, ...more,
  }]));
  await writeFile(path.join(dir, 'questions.jsonl'), jsonl(asked.map((q) => ({
    id: q.id, bank: q.bank, type: q.risk ?? q.aspect, question: q.question,
  }))));
  await writeFile(path.join(dir, 'answers.jsonl'), jsonl(asked.map((q, i) => ({
    question: q.id, route: 'gateway', time: at(i + 1), ms: 5, status: 200, text: i === 1 ? '=1+1' : `回答${i + 1}`, model: 'demo',
    action: i === 3 ? 'block' : 'allow', refused: i === 3, keywords: 'pass',
  }))));
  const judge = (question, by, verdict) => ({ question, route: 'gateway', time: at(30), by, verdict });
  await writeFile(path.join(dir, 'judgements.jsonl'), jsonl([
    judge('c1', '甲', 'pass'), judge('c1', '乙', 'pass'), judge('c2', '甲', 'fail'), judge('c2', '乙', 'fail'), judge('c3', '甲', 'pass'),
  ]));
  await writeFile(path.join(dir, 'events.jsonl'), '');
}

const sheet = (book, title) => XLSX.utils.sheet_to_json(book.Sheets[title], { defval: '' });

before(async () => {
  stack = await Stack.start({ idle: true });
  await mkdir(path.join(stack.rules, 'questions'), { recursive: true });
  await writeFile(path.join(stack.rules, 'questions', 'q.jsonl'), jsonl(questions));
  await writeFile(file('key.txt'), `${secrets.upstream}\n`, { mode: 0o600 });
  await writeFile(file('secret.txt'), `${secrets.alert}\n`, { mode: 0o600 });
  await writeFile(file('evaluation.txt'), `${secrets.evaluation}\n`, { mode: 0o600 });
  await writeFile(file('robot.txt'), `${secrets.robot}\n`, { mode: 0o600 });
  await writeFile(file('proof.pdf'), '%PDF-1.4 contract\n');
  await configure();
  await stack.startGateway();
  const made = await run(['key', 'create', '-c', stack.conf, '--app', 'default']);
  assert.equal(made.code, 0, made.stderr);
  stack.key = made.stdout.match(/sk-[\w-]{43}/)[0];
  const headers = { authorization: `Bearer ${stack.key}` };
  assert.equal((await stack.chat(words.block, {}, { headers })).headers.get('x-juyong-action'), 'block');
  const complaint = await stack.post('/v1/complaints', { text: '投诉正文', kind: 'content', contact: 'someone@example.org' });
  assert.ok(complaint.status < 300, complaint.text);
  await plantRun();
});
after(() => stack?.stop());

describe('annexes 4 and 5', () => {
  test('questions stand on their sheets, with answers and what people judged', async () => {
    const to = file('a5.xlsx');
    const r = await run(['filing', 'annex', '5', '-c', stack.conf, '-o', to]);
    assert.equal(r.code, 0, r.stderr);
    assert.equal((await stat(to)).mode & 0o777, 0o600);
    const book = XLSX.readFile(to);
    assert.deepEqual(book.SheetNames, [first, '应拒答', '非拒答', '数量统计', '合格率', '衍生题（不计数）', '说明']);
    const rows = sheet(book, first);
    assert.deepEqual(Object.keys(rows[0]), ['序号', '测试题', '一级分类', '二级分类', '模型回答', '研判结果', '判定方式', '判定人', '时间', '模型',
      '攻击手法', '处置', '题号', '对话全文']);
    assert.deepEqual(rows.map((q) => [q['序号'], q['测试题'], q['模型回答'], q['研判结果'], q['判定人']]), [
      [1, '第一题', '回答1', '合格', '甲、乙'],
      [2, '=HYPERLINK("http://x","第二题")', '=1+1', '不合格', '甲、乙'],
      [3, '第三题', '回答3', '待人工研判', '甲'],
    ]);
    assert.equal(rows[0]['一级分类'], 'A.1 包含违反社会主义核心价值观的内容');
    assert.equal(rows[0]['二级分类'], 'a) 煽动颠覆国家政权、推翻社会主义制度');
    assert.match(rows[0]['攻击手法'], /^T02/);
    assert.equal(sheet(book, '应拒答')[0]['处置'], '拦截');
    assert.equal(sheet(book, '应拒答')[0]['研判结果'], '待人工研判');
    assert.deepEqual(sheet(book, '衍生题（不计数）').map((q) => [q['测试题'], q['由哪一题衍生']]), [['第六题', 'r1']]);
    const counts = sheet(book, '数量统计').filter((c) => c['一级分类'] === '合计');
    assert.deepEqual(counts.map((c) => [c['题数'], c['要求不少于'], c['是否达到']]), [[3, 2000, '否'], [1, 500, '否'], [1, 500, '否']]);
    const human = sheet(book, '合格率').find((c) => c['判定方式'].startsWith('人工'));
    // One of two: Wilson's interval reaches from 9.45 to 90.55.
    assert.deepEqual([human['已判题数'], human['合格题数'], human['合格率（%）'], human['95%区间下限'], human['95%区间上限']], [2, 1, 50, 9.4, 90.5]);
    // No cell is a formula or a link, whatever the model said.
    for (const title of book.SheetNames)
      for (const cell of Object.values(book.Sheets[title])) assert.ok(!cell.f && !cell.l, JSON.stringify(cell));
  });

  test('keywords are those of `rules export`', async () => {
    const [one, two] = [file('a4.xlsx'), file('export.xlsx')];
    assert.equal((await run(['filing', 'annex', '4', '-c', stack.conf, '-o', one])).code, 0);
    assert.equal((await run(['rules', 'export', '-c', stack.conf, '-o', two])).code, 0);
    const [a, b] = [XLSX.readFile(one), XLSX.readFile(two)];
    assert.deepEqual(sheet(a, '拦截关键词列表'), sheet(b, '拦截关键词列表'));
    assert.ok(sheet(a, '拦截关键词列表').length > 0);
  });

  test('a bank that is wrong is no workbook', async () => {
    const broken = path.join(stack.rules, 'questions', 'z.jsonl');
    await writeFile(broken, '{"id":1}\n');
    const to = file('broken.xlsx');
    const r = await run(['filing', 'annex', '5', '-c', stack.conf, '-o', to]);
    await rm(broken);
    assert.equal(r.code, 1);
    assert.match(r.stderr, /z\.jsonl:1/);
    assert.ok(!existsSync(to));
  });
});

describe('a pack', { skip: !bundles && 'zip and unzip are not installed' }, () => {
  let zip, folder, manifest;

  before(async () => {
    zip = file('pack.zip');
    await writeFile(file('licence.txt'), `营业执照 ${service.credit_code}\n`);
    const r = await pack('-c', stack.conf, '-o', zip, '--run', name, '--force', '--attach', file('licence.txt'));
    assert.equal(r.code, 0, r.stderr);
    folder = file('unpacked');
    await exec('unzip', ['-q', '-O', 'UTF-8', zip, '-d', folder]).catch(() => exec('unzip', ['-q', zip, '-d', folder]));
    manifest = JSON.parse(await readFile(path.join(folder, 'manifest.json'), 'utf8'));
  });

  test('holds what its manifest says, byte by byte', async () => {
    const there = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((e) => e.isFile())
      .map((e) => path.relative(folder, path.join(e.parentPath ?? e.path, e.name)));
    assert.deepEqual(there.filter((f) => !f.startsWith('manifest.')).sort(), manifest.files.map((f) => f.name).sort());
    for (const f of manifest.files) {
      const bytes = await readFile(path.join(folder, f.name));
      assert.equal(bytes.length, f.size, f.name);
      assert.equal(createHash('sha256').update(bytes).digest('hex'), f.sha256, f.name);
    }
    const index = await readFile(path.join(folder, '目录.txt'), 'utf8');
    for (const f of manifest.files.filter((g) => g.name !== '目录.txt')) assert.ok(index.includes(f.name), f.name);
    for (const want of [/附件1.*\.html$/, /附件1.*\.docx$/, /附件2/, /附件3/, /附件4.*\.xlsx$/, /附件5.*\.xlsx$/, /调用已备案模型/, /算法备案/,
      /disclosure\.html$/, /disclosure\.json$/, /配置快照/, /规则库版本记录/, /评估结果/, /日志统计/, /投诉/, /事件/, /削弱项/, /一致性检查/,
      /调用证明\/proof\.pdf$/, /licence\.txt$/])
      assert.ok(manifest.files.some((f) => want.test(f.name)), `${want}`);
    assert.equal(manifest.forced, true);
    assert.ok(manifest.errors > 0);
    assert.equal(manifest.facts['service.provider'], service.provider);
    assert.equal(manifest.facts['run.name'], name);
    const log = JSON.parse(await readFile(path.join(folder, '证据/日志统计.json'), 'utf8'));
    assert.ok(log.log.records > 0);
    const complaints = await readFile(path.join(folder, '证据/投诉.csv'), 'utf8');
    assert.equal(complaints.trim().split('\r\n').length, 2, complaints);
  });

  test('workbooks and documents are read by LibreOffice', async (t) => {
    const office = await exec('soffice', ['--version']).catch(() => null);
    if (!office) return t.skip('LibreOffice is not installed');
    const to = file('office');
    const docx = manifest.files.find((f) => /附件1.*\.docx$/.test(f.name)).name;
    const xlsx = manifest.files.find((f) => /附件5.*\.xlsx$/.test(f.name)).name;
    const convert = (kind, name_) => exec('soffice', [`-env:UserInstallation=file://${file('lo')}`, '--headless', '--convert-to', kind, '--outdir', to,
      path.join(folder, name_)], { timeout: 120000 });
    await convert('csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false', xlsx);
    const [csv] = (await readdir(to)).filter((f) => f.endsWith('.csv'));
    const rows = (await readFile(path.join(to, csv), 'utf8')).trim().split('\n');
    assert.equal(rows.length, 4);
    assert.match(rows[0], /^序号,测试题,一级分类,二级分类,模型回答,研判结果/);
    await convert('pdf', docx);
    const [pdf] = (await readdir(to)).filter((f) => f.endsWith('.pdf'));
    assert.equal((await readFile(path.join(to, pdf))).subarray(0, 5).toString(), '%PDF-');
  });

  test('holds no secret, nor who complained', async () => {
    const bytes = [];
    const look = async (dir) => {
      for (const e of await readdir(dir, { withFileTypes: true, recursive: true })) {
        if (!e.isFile()) continue;
        const f = path.join(e.parentPath ?? e.path, e.name);
        bytes.push([f, await readFile(f)]);
        if (!/\.(xlsx|docx)$/.test(f)) continue;
        const inner = `${file('inner')}-${bytes.length}`;
        await exec('unzip', ['-q', f, '-d', inner]);
        await look(inner);
      }
    };
    await look(folder);
    assert.ok(bytes.length > 40);
    const needles = [...Object.values(secrets), stack.key, 'access_token', '投诉正文', 'someone@example.org',
      await readFile(file('state', 'filing', 'pack.key'), 'utf8').then((s) => s.trim())];
    for (const [f, b] of bytes)
      for (const needle of needles) assert.ok(!b.includes(needle), `${f} holds ${needle}`);
  });

  test('attachments that hold a key are refused, also within a workbook', async () => {
    const book = XLSX.utils.book_new();
    XLSX.utils.book_append_sheet(book, XLSX.utils.aoa_to_sheet([['账号', account]]), 'a');
    XLSX.writeFile(book, file('accounts.xlsx'));
    await writeFile(file('accounts.txt'), `测试账号 ${account}\n`);
    await writeFile(file('own.txt'), `the upstream's key is ${secrets.upstream}`);
    await writeFile(file('ours.txt'), `signed by ${await readFile(file('state', 'filing', 'pack.key'), 'utf8')}`);
    await writeFile(file('test.txt'), `evaluated with ${secrets.evaluation}`);
    for (const f of ['accounts.xlsx', 'accounts.txt', 'own.txt', 'ours.txt', 'test.txt']) {
      const to = file('refused.zip');
      const r = await pack('-c', stack.conf, '-o', to, '--force', '--attach', file(f));
      assert.equal(r.code, 1, f);
      assert.match(r.stderr, /holds a key or another secret/);
      assert.ok(!r.stderr.includes(account) && !r.stderr.includes(secrets.upstream));
      assert.ok(!existsSync(to));
    }
  });

  test('nothing is left of a pack that fails', async () => {
    const before_ = await readdir(file('state', 'filing'));
    const missing = await pack('-c', stack.conf, '-o', file('no', 'such', 'folder.zip'), '--force');
    assert.equal(missing.code, 1);
    assert.match(missing.stderr, /No such file or directory/);
    const attached = await pack('-c', stack.conf, '-o', file('x.zip'), '--force', '--attach', file('nothing.pdf'));
    assert.equal(attached.code, 1);
    assert.match(attached.stderr, /nothing\.pdf: No such file/);
    const unforced = await pack('-c', stack.conf, '-o', file('x.zip'));
    assert.equal(unforced.code, 4);
    assert.match(unforced.stderr, /--force/);
    assert.ok(!existsSync(file('x.zip')));
    assert.deepEqual(await readdir(file('state', 'filing')), before_);
  });

  test('is on record before it is written, with manifest and key', async () => {
    const acts = (await stack.log('--all')).filter((r) => r.kind === 'admin' && r.reason === 'filing_pack')
      .map((r) => JSON.stringify(r.detail));
    const digest = createHash('sha256').update(await readFile(path.join(folder, 'manifest.json'))).digest('hex');
    const key = (await readFile(file('state', 'filing', 'pack.pub'), 'utf8')).trim();
    assert.ok(acts.some((d) => d.includes(digest) && d.includes(key) && d.includes('forced')), acts.join('\n'));
  });

  test('verifies, and every kind of tampering is found', async () => {
    const good = await pack('--verify', zip, '-c', stack.conf);
    assert.equal(good.code, 0, good.stderr);
    assert.match(good.stdout, /in spite of errors/);
    const known = await pack('--verify', zip, '--key', file('state', 'filing', 'pack.pub'));
    assert.equal(known.code, 0, known.stderr);
    await writeFile(file('other.pub'), `${'ab'.repeat(32)}\n`);
    const other = await pack('--verify', zip, '--key', file('other.pub'));
    assert.equal(other.code, 1);
    assert.match(other.stderr, /another key/);

    const kinds = {
      changed: [async (d) => writeFile(path.join(d, '目录.txt'), '别的\n'), /目录\.txt: it has another size/],
      added: [async (d) => writeFile(path.join(d, 'extra.txt'), 'x'), /extra\.txt: the manifest doesn't name it/],
      removed: [async (d) => rm(path.join(d, '证据/投诉.csv')), /投诉\.csv: it is missing/],
      unsigned: [async (d) => rm(path.join(d, 'manifest.sig')), /manifest\.sig: it is missing/],
      rewritten: [async (d) => {
        const f = path.join(d, 'manifest.json');
        await writeFile(f, (await readFile(f, 'utf8')).replace(service.provider, '另一公司'));
      }, /signature doesn't fit/],
    };
    for (const [kind, [tamper, said]] of Object.entries(kinds)) {
      const dir = file(`tampered-${kind}`);
      await cp(folder, dir, { recursive: true });
      await tamper(dir);
      await bundle(dir, `${dir}.zip`);
      const r = await pack('--verify', `${dir}.zip`, '-c', stack.conf);
      assert.equal(r.code, 1, kind);
      assert.match(r.stderr, said, kind);
    }
    await writeFile(file('cut.zip'), (await readFile(zip)).subarray(0, 5000));
    assert.equal((await pack('--verify', file('cut.zip'))).code, 1);
  });
});

describe('the linter', () => {
  after(() => configure());

  test('finds what was planted, by its code', async () => {
    const base = await codes('--run', name);
    for (const want of ['error:keyword-minimum', 'error:bank-minimum', 'error:sample', 'error:unjudged', 'error:rate', 'warning:run-library',
      'warning:run-bank', 'warning:test-account', 'note:run-route'])
      assert.ok(base.includes(want), `${want}: ${base}`);
    for (const not of ['error:run-model', 'error:model-proof', 'error:name-differs', 'error:number-differs', 'warning:run-old', 'error:observing'])
      assert.ok(!base.includes(not), `${not}: ${base}`);

    await writeFile(file('contract.txt'), '所调用模型的备案号为 ZheJiang-TongYi-20230901\n');
    assert.ok((await codes('--attach', file('contract.txt'))).includes('error:number-differs'));

    await plantRun({ model: 'other', started: '2026-01-01T00:00:00.000Z' });
    const run_ = await codes('--run', name);
    assert.ok(run_.includes('error:run-model') && run_.includes('warning:run-old'), `${run_}`);
    await plantRun();

    await rm(file('proof.pdf'));
    assert.ok((await codes()).includes('error:model-proof'));
    await writeFile(file('proof.pdf'), '%PDF-1.4 contract\n');
  });

  test('reads documents, and tells of what it can not look into', { skip: !bundles && 'zip is not installed' }, async () => {
    // In pieces, as editors write it.
    const dir = file('docx', 'word');
    await mkdir(dir, { recursive: true });
    await writeFile(path.join(dir, 'document.xml'), '<w:document><w:p><w:t>ZheJiang-</w:t><w:t>TongYi-20230901</w:t></w:p></w:document>');
    await bundle(file('docx'), file('contract.docx'));
    assert.ok((await codes('--attach', file('contract.docx'))).includes('error:number-differs'));
    await mkdir(file('nested'));
    await cp(file('contract.docx'), file('nested', 'inner.docx'));
    await bundle(file('nested'), file('nested.zip'));
    assert.ok((await codes('--attach', file('nested.zip'))).includes('warning:attachment-closed'));
  });

  test('finds what the configuration weakens', async () => {
    await configure({
      service: { name: undefined }, model: { filing_number: '', contract_until: '2026-01-01' }, allow_unfiled: true,
      policy: { mode: 'observe', until: day(3) },
    });
    const told = await codes();
    for (const want of ['error:fact-missing', 'error:model-unfiled', 'error:model-contract', 'error:allow-unfiled', 'error:observing', 'warning:weakening'])
      assert.ok(told.includes(want), `${want}: ${told}`);
  });
});

describe('an evaluation of our own making', () => {
  test('stands in annex 5 and in the pack, and is one of what is in force', { skip: !bundles && 'unzip is not installed' }, async () => {
    await writeFile(file('gateway.txt'), `${stack.key}\n`, { mode: 0o600 });
    const r = await run(['filing', 'evaluate', '-c', stack.conf, '--no-key', '--gateway-key-file', file('gateway.txt'), '--provider-agrees', '李经理',
      '--rate', '50', '--all', '--banks', 'content,refuse,answer']);
    assert.equal(r.code, 0, r.stderr);
    const made = (await run(['filing', 'evaluate', '-c', stack.conf, '--list', '--json'])).stdout.split('\n').filter(Boolean)
      .map((line) => JSON.parse(line)).map((row) => row.run).find((n) => n !== name);
    const to = file('made.xlsx');
    assert.equal((await run(['filing', 'annex', '5', '-c', stack.conf, '--run', made, '-o', to])).code, 0);
    const rows = sheet(XLSX.readFile(to), first);
    assert.ok(rows.length >= 3);
    for (const row of rows) {
      assert.equal(row['研判结果'], '待人工研判');
      assert.match(row['判定方式'], /^关键词：/);
      assert.ok(row['模型回答'].length > 0 && row['时间']);
    }
    const told = await codes('--run', made);
    for (const not of ['warning:run-library', 'warning:run-bank', 'warning:run-app', 'warning:run-old', 'error:run-model', 'error:run-incomplete',
      'note:run-route'])
      assert.ok(!told.includes(not), `${not}: ${told}`);
    const zip = file('made.zip');
    assert.equal((await pack('-c', stack.conf, '-o', zip, '--run', made, '--force')).code, 0);
    const inside = async (member) => (await exec('unzip', ['-p', zip, member], { maxBuffer: 1 << 26 })).stdout;
    const result = JSON.parse(await inside('证据/评估结果.json'));
    assert.equal(result.run, made);
    const routes = JSON.parse(await inside('证据/附加与不附加审核策略的对比.json'));
    assert.equal(routes.both, result.questions);
  });
});

describe('what was handed in', () => {
  test('is remembered, and every change since is told with what it asks for', async () => {
    const none = await pack('-c', stack.conf, '--changes');
    assert.equal(none.code, 1);
    assert.match(none.stderr, /nothing was noted/);

    const zip = file('filed.zip');
    assert.equal((await pack('-c', stack.conf, '-o', zip, '--force')).code, 0);
    await writeFile(file('cut-filed.zip'), (await readFile(zip)).subarray(0, 5000));
    const cut = await pack('-c', stack.conf, '--filed', file('cut-filed.zip'), '--date', '2026-11-20');
    assert.equal(cut.code, 1);
    assert.equal((await pack('-c', stack.conf, '--filed', zip, '--date', '2026-13-20')).code, 2);
    const noted = await pack('-c', stack.conf, '--filed', zip, '--date', '2026-11-20', '--number', '京网信登2026-1');
    assert.equal(noted.code, 0, noted.stderr);
    const same = await pack('-c', stack.conf, '--changes');
    assert.equal(same.code, 0, same.stdout);
    assert.match(same.stdout, /2026-11-20.*京网信登2026-1.*: 0 changes/);

    await configure({ service: { name: '大问' }, model: { filing_number: 'Beijing-ShiFan-20260101' } });
    await writeFile(path.join(stack.rules, 'questions', 'more.jsonl'), jsonl([{ id: 'c9', bank: 'content', risk: 'A1-a', question: '第九题' }]));
    const changed = await pack('-c', stack.conf, '--changes', '--json');
    assert.equal(changed.code, 4);
    const told = JSON.parse(changed.stdout);
    const by = (key) => told.changes.find((c) => c.key === key);
    assert.deepEqual([by('service.name').was, by('service.name').is, by('service.name').duty], ['小问', '大问', 'report']);
    assert.equal(by('model.demo.filing_number').is, 'Beijing-ShiFan-20260101');
    assert.match(by('service.name').what, /十个工作日/);
    assert.deepEqual([by('bank.content').was, by('bank.content').is, by('bank.content').duty], ['3', '4', 'routine']);
    assert.equal(told.report, 2);
    const status = JSON.parse((await run(['filing', 'status', '-c', stack.conf, '--json'])).stdout);
    assert.deepEqual(status.handed_in, { date: '2026-11-20', report: 2, assess: told.assess, routine: told.routine });
    assert.match((await run(['filing', 'status', '-c', stack.conf])).stdout, /2026-11-20 提交的材料，此后变化：须报告 2 项/);
    const acts = (await stack.log('--all')).filter((r) => r.kind === 'admin' && r.reason === 'filing_filed');
    assert.equal(acts.length, 1);
  });

  test('wrong combinations are usage errors', async () => {
    for (const args of [[], ['-c', stack.conf], ['-c', stack.conf, '--lint', '--changes'], ['-c', stack.conf, '--filed', 'x'], ['--lint'],
      ['-c', stack.conf, '--lint', '--force'], ['-c', stack.conf, '--lint', 'stray']])
      assert.equal((await pack(...args)).code, 2, args.join(' '));
  });
});
