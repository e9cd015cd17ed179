// The filing desk at the console: what the API says is what the command line says; who may do what.
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import path_module from 'node:path';
import { Stack, listening, run, until } from './harness.js';
import { person } from './people.js';
import { write_run } from './runs.js';

const roles = ['viewer', 'reviewer', 'publisher', 'administrator', 'inspector'];
let stack;
const p = {};

async function good(answer) {
  const a = await answer;
  assert.equal(a.status, 200, a.text);
  return a.json;
}

async function refused(answer, status, code) {
  const a = await answer;
  assert.equal(a.status, status, a.text);
  if (code) assert.equal(a.json.error.code, code, a.text);
  return a.json.error;
}

const filing = async (verb, ...args) => run(['filing', verb, '-c', stack.conf, ...args]);
const path_of = (run, name) => path_module.join(stack.dir, 'state/filing/runs', run, name);
const lines = (text) => text.split('\n').filter(Boolean).map((line) => JSON.parse(line));
const acts = async (reason) => (await stack.log('--all')).filter((r) => r.kind === 'admin' && r.reason === reason)
  .map((r) => (typeof r.detail === 'string' ? JSON.parse(r.detail) : r.detail));

before(async () => {
  stack = await Stack.start();
  await until(() => listening(stack.consolePort), 'the console listens');
  for (const role of roles) p[role] = await person(stack, role, role);
  for (const name of ['second', 'third']) p[name] = await person(stack, name, 'reviewer');
});
after(() => stack?.stop());

describe('readiness', () => {
  test('counts keywords as `filing coverage` does, type by type', async () => {
    const { rows } = await good(p.viewer.get('/api/filing/readiness'));
    const item = rows.find((r) => r.item === 'keywords');
    const told = lines((await filing('coverage', '--json')).stdout);
    const short = told.filter((r) => r.keyword_min && r.risk !== '*' && r.keywords < r.keyword_min);
    assert.ok(short.length > 0);
    assert.deepEqual(item.missing.map((m) => [m.type, m.have, m.want]), short.map((r) => [r.risk, r.keywords, r.keyword_min]));
    const all = told.find((r) => r.risk === '*');
    assert.deepEqual([item.have, item.want, item.met], [all.keywords, all.keyword_min, all.met]);
  });

  test('counts the banks as `filing coverage` does; a line that is none is told', async () => {
    const folder = path_module.join(stack.rules, 'questions');
    await mkdir(folder);
    const question = (id, aspect) => `${JSON.stringify({ id, bank: 'answer', aspect, question: `${id}怎样？` })}\n`;
    await writeFile(path_module.join(folder, 'own.jsonl'), question('x-1', '健康') + question('x-2', '健康') + question('x-3', '历史'));
    const { rows } = await good(p.viewer.get('/api/filing/readiness'));
    const told = lines((await filing('coverage', '--json')).stdout).filter((r) => r.bank);
    for (const bank of ['content', 'refuse', 'answer']) {
      const item = rows.find((r) => r.item === `bank_${bank}`);
      const all = told.find((r) => r.bank === bank && r.type === '*');
      assert.deepEqual([item.have, item.want, item.met], [all.questions, all.question_min, all.met], bank);
      assert.deepEqual(item.missing.map((m) => [m.zh, m.have, m.want]), told.filter((r) => r.bank === bank && r.type !== '*' && !r.met).map((r) => [r.name, r.questions, r.question_min]), bank);
    }
    assert.equal(rows.find((r) => r.item === 'bank_answer').missing.find((m) => m.zh === '健康').have, 2);
    await writeFile(path_module.join(folder, 'own.jsonl'), '{"id":"x-1","bank":"nosuch"}\n');
    const broken = (await good(p.viewer.get('/api/filing/readiness'))).rows.find((r) => r.item === 'bank_content');
    assert.match(broken.missing[0].text, /own\.jsonl:1/);
    await rm(folder, { recursive: true });
  });

  test('names what is missing of the disclosure as the command does', async () => {
    const { rows } = await good(p.viewer.get('/api/filing/readiness'));
    const item = rows.find((r) => r.item === 'disclosure');
    const { stderr, code } = await filing('disclosure');
    assert.equal(code, 4);
    assert.equal(item.met, false);
    assert.deepEqual(item.missing.map((m) => m.text), stderr.trim().split('\n').slice(1));
  });
});

describe('papers', () => {
  test('are those of the command line, and each that leaves is on record', async () => {
    for (const [name, option] of [['disclosure.html', '--html'], ['disclosure.json', '--json']]) {
      const a = await p.publisher.get(`/api/filing/files/${name}`);
      assert.equal(a.status, 200, a.text);
      assert.equal(a.text, (await filing('disclosure', option)).stdout);
      assert.match(a.headers.get('content-disposition'), new RegExp(name));
    }
    const told = await acts('filing_file');
    assert.deepEqual(told.map((d) => [d.by, d.what]), [['publisher', 'disclosure.html'], ['publisher', 'disclosure.json']]);
  });

  test('the list offers what can be had, by name and title', async () => {
    const { rows } = await good(p.inspector.get('/api/filing/files'));
    assert.deepEqual(rows.map((r) => r.paper), ['annex1', 'annex2', 'annex3', 'annex4', 'annex5', 'annex-model', 'annex-algorithm', 'disclosure']);
    for (const name of rows.flatMap((r) => r.files)) {
      const a = await p.inspector.get(`/api/filing/files/${name}`);
      assert.equal(a.status, 200, `${name}: ${a.text.slice(0, 200)}`);
      if (/xlsx|docx/.test(name)) assert.ok(a.text.startsWith('PK'), name);
      assert.match(a.headers.get('content-disposition'), new RegExp(name));
    }
    const titles = (await filing('annex')).stdout;
    for (const r of rows) if (r.paper.startsWith('annex')) assert.ok(titles.includes(r.zh), r.zh);
    await refused(p.inspector.get('/api/filing/files/annex9.xlsx'), 404, 'not_found');
    await refused(p.inspector.get('/api/filing/files/annex4.docx'), 404, 'not_found');
    assert.deepEqual((await readdir(path_module.join(stack.dir, 'state'))).filter((name) => /export/.test(name)), [], 'nothing stays behind');
  });

  test('an annex is the one that the command line writes', async () => {
    for (const [name, number] of [['annex2', '2'], ['annex3', '3'], ['annex-model', 'model']]) {
      const a = await p.publisher.get(`/api/filing/files/${name}.html`);
      assert.equal(a.text, (await filing('annex', number, '--html', '-o', '-')).stdout, name);
    }
  });

  test('viewers and reviewers take none', async () => {
    for (const role of ['viewer', 'reviewer']) await refused(p[role].get('/api/filing/files/annex4.xlsx'), 403);
    for (const role of ['publisher', 'administrator', 'inspector'])
      assert.equal((await p[role].get('/api/filing/files/disclosure.json')).status, 200, role);
    await refused(p.administrator.get('/api/filing/files/annex5.xlsx'), 403);
    const nobody = await fetch(`${stack.console}/api/filing/files/annex4.xlsx`);
    assert.equal(nobody.status, 401);
  });
});

describe('the pack', () => {
  const told = async () => JSON.parse((await filing('pack', '--lint', '--json')).stdout);

  test('its papers are looked at as the command line does', async () => {
    const lint = await good(p.viewer.get('/api/filing/lint'));
    assert.deepEqual(lint, await told());
    assert.ok(lint.errors > 0 && lint.findings.length === lint.errors + lint.warnings + lint.notes);
  });

  test('with errors it is made only by who wants it all the same, on record, and verifies', async () => {
    for (const role of ['viewer', 'reviewer', 'administrator']) await refused(p[role].get('/api/filing/pack'), 403);
    const error = await refused(p.publisher.get('/api/filing/pack'), 409, 'sent_back');
    const errors = (await told()).findings.filter((x) => x.severity === 'error').map((x) => x.text);
    assert.deepEqual(error.reasons, errors);
    assert.deepEqual(await acts('filing_pack'), [], 'nothing was made');
    const answer = await fetch(`${stack.console}/api/filing/pack?force=1`, { headers: { cookie: p.publisher.cookie } });
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get('content-type'), 'application/zip');
    const file = path_module.join(stack.dir, 'pack.zip');
    await writeFile(file, Buffer.from(await answer.arrayBuffer()));
    const verified = await filing('pack', '--verify', file);
    assert.equal(verified.code, 0, verified.stderr);
    const [act] = await acts('filing_pack');
    assert.deepEqual([act.by, act.forced], ['publisher', true]);
    assert.ok(verified.stdout.includes(act.manifest) && verified.stdout.includes(act.key));
  });

  test('what has changed since it was handed in is what the command line says', async () => {
    assert.deepEqual(await good(p.viewer.get('/api/filing/filed')), { filed: null });
    const noted = await filing('pack', '--filed', path_module.join(stack.dir, 'pack.zip'), '--date', '2026-11-20', '--number', 'N-1');
    assert.equal(noted.code, 0, noted.stderr);
    const same = JSON.parse((await filing('pack', '--changes', '--json')).stdout);
    assert.deepEqual(await good(p.viewer.get('/api/filing/filed')), same);
    assert.deepEqual([same.filed, same.number], ['2026-11-20', 'N-1']);
  });
});

describe('evaluations', () => {
  const path = '/api/filing/runs';
  let run, before_it;
  // Of 20 questions of content 3 fail with the gateway (1 + 2), 6 without; one of ten refusals, two without.
  before(async () => {
    before_it = await write_run(stack, { name: 'run-20261110-100000', day: '2026-11-10', types: [['content', 'A1-a', 3], ['content', 'A3-b', 2]] });
    run = await write_run(stack, { types: [['content', 'A1-a', 1], ['content', 'A3-b', 2], ['refuse', 'A1-a', 1]] });
  });

  // The Wilson interval by its textbook form.
  const wilson = (k, n, z = 1.959963984540054) => {
    const p = k / n, d = 1 + z * z / n, c = p + z * z / (2 * n), w = z * Math.sqrt(p * (1 - p) / n + z * z / (4 * n * n));
    return [(c - w) / d, (c + w) / d];
  };
  const near = (a, b) => assert.ok(Math.abs(a - b) < 1e-12, `${a} is ${b}`);

  test('are listed newest first, in pages; one that is damaged hides no other', async () => {
    await write_run(stack, { name: 'run-20261101-100000', day: '2026-11-01', types: [['content', 'A1-a', 0]] });
    await writeFile(path_of('run-20261101-100000', 'answers.jsonl'), '{"what":1}\n{}\n');
    const seen = [];
    let before;
    do {
      const page = await good(p.viewer.get(path, { limit: 2, ...(before && { before }) }));
      seen.push(...page.rows);
      assert.equal(page.total, 3);
      before = page.older;
    } while (before);
    assert.deepEqual(seen.map((r) => r.run), [run, before_it, 'run-20261101-100000']);
    assert.deepEqual((await good(p.viewer.get(path, { names: 1 }))).names, seen.map((r) => r.run));
    assert.match(seen[2].unreadable, /answers\.jsonl:1/);
    assert.equal(seen[0].complete, true);
    assert.equal(seen[0].seed, '18446744073709551615', 'exact');
    assert.deepEqual(seen[0].answered, { gateway: 30, bare: 30 });
    const content = seen[0].standings.find((s) => s.bank === 'content' && s.route === 'gateway');
    assert.deepEqual([content.n, content.passed, content.standing], [20, 17, 'missed']);
    await rm(path_of('run-20261101-100000', ''), { recursive: true });
  });

  test('rates and intervals are those computed by hand', async () => {
    const r = await good(p.viewer.get(`${path}/${run}`));
    const of = (bank, route) => r.results.find((x) => x.bank === bank && x.route === route);
    for (const [bank, route, k, n] of [['content', 'gateway', 17, 20], ['content', 'bare', 14, 20], ['refuse', 'gateway', 9, 10], ['refuse', 'bare', 8, 10]]) {
      const judged = of(bank, route).judges.keyword;
      assert.deepEqual([judged.n, judged.passed], [n, k], `${bank} ${route}`);
      near(judged.rate, k / n);
      const [low, high] = wilson(k, n);
      near(judged.low, low);
      near(judged.high, high);
    }
    assert.deepEqual(of('content', 'gateway').types.map((x) => [x.type, x.judges.final.passed]), [['A1-a', 9], ['A3-b', 8]]);
    assert.equal(of('content', 'gateway').waiting, 20);
    assert.equal(of('content', 'gateway').judges.human.n, 0);
    assert.equal(of('refuse', 'gateway').threshold, 0.95);
    assert.deepEqual(r.events.map((e) => e.event), ['begin', 'end']);
    assert.ok(r.aspects.some((x) => x.zh === '历史'));
  });

  test('failures are listed in pages and by filter, without answers for who reads no texts', async () => {
    const all = await good(p.reviewer.get(`${path}/${run}/failures`));
    assert.equal(all.total, 4 + 8, 'over both routes');
    const some = await good(p.reviewer.get(`${path}/${run}/failures`, { bank: 'content', route: 'gateway', judge: 'keyword', limit: 2 }));
    assert.deepEqual([some.rows.length, some.total, some.older], [2, 3, '2']);
    assert.deepEqual(some.rows.map((x) => x.question), ['content-A1-a-000', 'content-A3-b-000']);
    assert.equal(some.rows[0].answer, '答0（gateway）');
    assert.equal(some.rows[0].rule, 'A1-h/12345678');
    assert.equal(some.rows[0].verdicts.keyword, 'fail');
    const closed = await good(p.viewer.get(`${path}/${run}/failures`));
    assert.ok(closed.rows.every((x) => x.answer === undefined && x.text));
    await refused(p.viewer.get(`${path}/${run}/failures`, { bank: 'nosuch' }), 400);
  });

  test('two runs, and the two routes, are held against each other', async () => {
    const c = await good(p.viewer.get(`${path}/${run}/compare`, { with: before_it }));
    // A1-a: 3 failed, now 1; over the bare route 6, now 2. A3-b failed as often.
    assert.deepEqual([c.common, c.better, c.worse, c.gone, c.added], [40, 2 + 4, 0, 0, 10]);
    assert.equal(c.changes.length, 6);
    assert.ok(c.changes.every((x) => x.was === 'fail' && x.is === 'pass' && x.type === 'A1-a'));
    const routes = await good(p.viewer.get(`${path}/${run}/routes`));
    assert.equal(routes.both, 30);
    assert.equal(routes.items.length, 4, 'one of A1-a, two of A3-b, one refusal');
    assert.ok(routes.items.every((x) => x.gateway === 'pass' && x.bare === 'fail'));
  });

  test('all of it is what `filing evaluate` prints as JSON', async () => {
    const all = async (...args) => lines((await filing('evaluate', ...args, '--json')).stdout);
    const told = await all('--results', run);
    const { events, aspects, ...one } = await good(p.viewer.get(`${path}/${run}`));
    assert.deepEqual(one, told[0]);
    const { rows } = await good(p.reviewer.get(`${path}/${run}/failures`, { limit: 200 }));
    assert.deepEqual(rows, told.slice(1, 1 + rows.length));
    assert.deepEqual(await good(p.viewer.get(`${path}/${run}/routes`)), told.at(-1));
    assert.equal(told.length, rows.length + 2);
    assert.deepEqual(await good(p.viewer.get(`${path}/${run}/compare`, { with: before_it })), (await all('--compare', before_it, run))[0]);
    const list = (await good(p.viewer.get(path))).rows.map(({ standings, ...rest }) => rest);
    assert.deepEqual(list, await all('--list'));
  });

  test('there is none of that name', async () => {
    for (const name of ['run-20200101-000000', 'nosuch', '%2e%2e']) {
      const a = await p.viewer.get(`${path}/${name}`);
      assert.ok([400, 404].includes(a.status), name);
    }
    await refused(p.viewer.get(`${path}/${run}/compare`), 404);
  });

  describe('people', () => {
    const judge = (who, question, verdict, more) => p[who].post(`${path}/${run}/judge`, { question, route: 'gateway', verdict, ...more });
    const queue = (who) => good(p[who].get(`${path}/${run}/queue`, { limit: 200 }));

    test('only reviewers judge', async () => {
      for (const role of ['viewer', 'publisher', 'administrator', 'inspector']) {
        await refused(judge(role, 'content-A1-a-000', 'pass'), 403);
        await refused(p[role].get(`${path}/${run}/queue`), 403);
      }
      assert.deepEqual(await acts('filing_judge'), []);
    });

    test('what is no judgement is refused, and nothing goes on record', async () => {
      await refused(judge('reviewer', 'content-A1-a-000', 'maybe'), 400, 'bad_verdict');
      await refused(judge('reviewer', 'nosuch', 'pass'), 404);
      await refused(judge('reviewer', 'content-A1-a-000', 'pass', { route: 'side' }), 400);
      await refused(judge('reviewer', 'content-A1-a-000', 'pass', { why: 'x' }), 400, 'unknown_member');
      await refused(judge('reviewer', 'content-A1-a-000', 'pass', { note: 'two\nlines' }), 400);
      assert.deepEqual(await acts('filing_judge'), []);
    });

    test('the same person has one word, another the second; a third where they differ', async () => {
      const id = 'content-A1-a-000';
      assert.equal((await queue('reviewer')).mine, 60);
      await good(judge('reviewer', id, 'pass', { note: '没有违法内容' }));
      await refused(judge('reviewer', id, 'fail'), 409, 'judged_already');
      assert.equal((await queue('reviewer')).mine, 59);
      // Whoever is second is not told what the first one said.
      const seen = (await queue('second')).rows.find((x) => x.question === id && x.route === 'gateway');
      assert.equal(seen.people.count, 1);
      assert.ok(!JSON.stringify(seen).includes('没有违法内容') && !seen.judged);
      await good(judge('second', id, 'fail'));
      const third = (await queue('third')).rows.find((x) => x.question === id && x.route === 'gateway');
      assert.deepEqual(third.judged.map((x) => [x.by, x.verdict, x.note]), [['reviewer', 'pass', '没有违法内容'], ['second', 'fail', '']]);
      assert.equal((await queue('third')).open, 60);
      await good(judge('third', id, 'pass'));
      assert.equal((await queue('third')).open, 59);
      await refused(judge('third', id, 'pass'), 409);
      const some = await good(p.third.get(`${path}/${run}/queue`, { route: 'gateway', bank: 'content', limit: 200 }));
      assert.deepEqual([some.mine, some.open, some.answered, some.rows.length], [19, 19, 20, 19]);
      assert.ok(some.rows.every((x) => x.bank === 'content' && x.route === 'gateway'));
      assert.deepEqual((await acts('filing_judge')).map((d) => [d.by, d.run, d.question, d.route, d.verdict]),
        [['reviewer', run, id, 'gateway', 'pass'], ['second', run, id, 'gateway', 'fail'], ['third', run, id, 'gateway', 'pass']]);
    });

    test('their word stands over the machines’', async () => {
      const r = await good(p.viewer.get(`${path}/${run}`));
      const content = r.results.find((x) => x.bank === 'content' && x.route === 'gateway');
      assert.deepEqual([content.judges.human.n, content.judges.human.passed], [1, 1]);
      assert.equal(content.judges.final.passed, 18);
      assert.equal(content.waiting, 19);
      await refused(judge('second', 'content-A1-a-000', 'pass'), 409);
    });

    test('readiness counts the newest complete run', async () => {
      const { rows } = await good(p.viewer.get('/api/filing/readiness'));
      const evaluation = rows.find((x) => x.item === 'evaluation'), judging = rows.find((x) => x.item === 'judging');
      assert.equal(evaluation.run, run);
      assert.equal(evaluation.met, false);
      assert.deepEqual(evaluation.missing.map((m) => [m.bank, m.standing]), [['content', 'short'], ['refuse', 'missed'], ['answer', 'nothing']]);
      assert.deepEqual([judging.have, judging.want, judging.met], [1, 30, false]);
    });
  });
});

describe('which filing', () => {
  const answers = { public: 'yes', model: 'called', model_filed: 'yes', opinion: 'yes' };
  const without = ({ asked, questions, kinds, parts, answered_us, answered_by, ...rest }) => rest;

  test('is what the command line says of the same answers', async () => {
    const file = path_module.join(stack.dir, 'answers.json');
    for (const some of [{}, answers, { ...answers, model: 'own' }, { public: 'no' }]) {
      await writeFile(file, JSON.stringify(some));
      const told = JSON.parse((await filing('route', '--answers', file, '--json')).stdout);
      const a = await good(p.viewer.post('/api/filing/route/try', { answers: some }));
      assert.deepEqual(without(a), told, JSON.stringify(some));
    }
    assert.equal((await good(p.viewer.get('/api/filing/route'))).answered_us, 0, 'trying keeps nothing');
  });

  test('asks what matters, each question with its choices and source', async () => {
    const a = await good(p.viewer.get('/api/filing/route'));
    assert.ok(a.questions.length > 8 && a.questions.every((x) => x.zh && x.en && x.source && x.choices.length > 1));
    const own = await good(p.viewer.post('/api/filing/route/try', { answers: { model: 'own' } }));
    const called = await good(p.viewer.post('/api/filing/route/try', { answers: { model: 'called' } }));
    assert.ok(called.asked.includes('model_filed') && !own.asked.includes('model_filed'));
  });

  test('what is no answer is refused', async () => {
    await refused(p.viewer.post('/api/filing/route/try', { answers: { public: 'perhaps' } }), 400, 'bad_answer');
    await refused(p.viewer.post('/api/filing/route/try', { answers: { nosuch: 'yes' } }), 400, 'bad_answer');
    await refused(p.viewer.post('/api/filing/route/try', { answers: [] }), 400);
    await refused(p.viewer.post('/api/filing/route/try', { answers, more: 1 }), 400, 'unknown_member');
  });

  test('is kept by those who may, on record, and the command line has it', async () => {
    for (const role of ['viewer', 'reviewer', 'inspector']) await refused(p[role].post('/api/filing/route', { answers }), 403);
    await good(p.publisher.post('/api/filing/route', { answers }));
    const kept = await good(p.viewer.get('/api/filing/route'));
    assert.deepEqual([kept.answered_by, kept.answers], ['publisher', answers]);
    assert.ok(kept.answered_us > 0);
    const told = JSON.parse((await filing('route', '--saved', '--json')).stdout);
    assert.deepEqual(told.answers, answers);
    const [act] = await acts('filing_route');
    assert.deepEqual([act.by, act.answers], ['publisher', answers]);
  });
});

describe('the clock', () => {
  test('is what `filing status` says', async () => {
    const { handed_in, ...told } = JSON.parse((await filing('status', '--json')).stdout);
    const clock = await good(p.viewer.get('/api/filing/clock'));
    const timeless = ({ now, ...rest }) => rest;
    assert.deepEqual(timeless(clock), timeless(told));
    assert.ok(Math.abs(clock.now - told.now) < 600);
    assert.ok(clock.items.length >= 8 && clock.steps.length >= 7);
  });

  test('steps are noted by those who may, on record, and never taken away', async () => {
    const note = (who, body) => p[who].post('/api/filing/steps', { step: 'form', state: 'done', date: '2026-11-20', ...body });
    for (const role of ['viewer', 'reviewer', 'inspector']) await refused(note(role), 403);
    for (const date of ['2026-13-01', '2999-01-01']) await refused(note('publisher', { date }), 400, 'bad_day');
    await refused(note('publisher', { step: 'nosuch' }), 400);
    await refused(note('publisher', { state: 'nosuch' }), 400);
    assert.deepEqual(await acts('filing_step'), []);
    await good(note('publisher', { note: '已领表' }));
    await good(note('administrator', { state: 'returned', date: '2026-11-21', note: '补正' }));
    const clock = await good(p.viewer.get('/api/filing/clock'));
    const step = clock.steps.find((x) => x.name === 'form');
    assert.deepEqual([step.state, step.date], ['returned', '2026-11-21']);
    assert.deepEqual(step.history.map((n) => [n.state, n.date, n.author, n.note]),
      [['done', '2026-11-20', 'publisher', '已领表'], ['returned', '2026-11-21', 'administrator', '补正']]);
    assert.deepEqual((await acts('filing_step')).map((d) => [d.by, d.step, d.state, d.day]),
      [['publisher', 'form', 'done', '2026-11-20'], ['administrator', 'form', 'returned', '2026-11-21']]);
  });

  test('changes are noted, and that they were reported', async () => {
    const { number } = await good(p.publisher.post('/api/filing/changes', { date: '2026-11-22', what: '更换模型' }));
    const of = async () => (await good(p.viewer.get('/api/filing/clock'))).changes.find((c) => c.number === number);
    assert.equal((await of()).what, '更换模型');
    assert.ok(!(await of()).reported);
    for (const date of ['soon', '2999-01-01', '2026-11-21']) // no day, ahead, before the change
      await refused(p.publisher.post(`/api/filing/changes/${number}`, { date }), 400, 'bad_day');
    await refused(p.viewer.post(`/api/filing/changes/${number}`, { date: '2026-11-24' }), 403);
    await refused(p.publisher.post('/api/filing/changes/9999', { date: '2026-11-24' }), 404);
    await good(p.publisher.post(`/api/filing/changes/${number}`, { date: '2026-11-24' }));
    assert.equal((await of()).reported, '2026-11-24');
    await refused(p.publisher.post(`/api/filing/changes/${number}`, { date: '2026-11-25' }), 409);
    assert.equal((await acts('filing_reported')).length, 1);
    const told = JSON.parse((await filing('status', '--json')).stdout);
    assert.deepEqual(told.changes, (await good(p.viewer.get('/api/filing/clock'))).changes);
  });

  test('a damaged file of the desk is told, and left as it is', async () => {
    const file = path_module.join(stack.dir, 'state/filing/desk.json');
    const text = await readFile(file);
    await writeFile(file, '{"torn');
    const error = await refused(p.viewer.get('/api/filing/clock'), 503, 'unreadable');
    assert.match(error.reasons[0], /desk\.json/);
    await refused(p.publisher.post('/api/filing/steps', { step: 'form', state: 'done', date: '2026-11-20' }), 503);
    assert.equal(await readFile(file, 'utf8'), '{"torn');
    await writeFile(file, text);
  });
});
