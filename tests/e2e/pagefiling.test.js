// The page of the filing desk in a browser, before a gateway.
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { faults, go, launch, log_in, open } from './browser.js';
import { Stack, listening, until } from './harness.js';
import { person } from './people.js';
import { write_run } from './runs.js';

const password = 'correct horse battery';
const run = 'run-20261120-100000', earlier = 'run-20261110-100000';
const parts = ['filing', 'filing/route', 'filing/clock', 'filing/files', 'filing/runs', `filing/runs/${run}?with=${earlier}`];
const looks = [['zh-CN', 'light', 1280], ['en-GB', 'dark', 390], ['zh-CN', 'dark', 390], ['en-GB', 'light', 1280]];

let browser, stack;
before(async () => {
  browser = await launch();
  stack = await Stack.start();
  await until(() => listening(stack.consolePort), 'the console listens');
  for (const role of ['viewer', 'reviewer', 'publisher', 'administrator']) await person(stack, role, role);
  await person(stack, 'second', 'reviewer');
  const hostile = '<img src=x onerror=alert(1)> \u202etxt <script>alert(2)</script>';
  await write_run(stack, { name: earlier, day: '2026-11-10', types: [['content', 'A1-a', 4], ['answer', '历史', 1]] });
  await write_run(stack, { name: run, types: [['content', 'A1-a', 1], ['content', 'A3-b', 2], ['refuse', 'A1-a', 1], ['answer', '历史', 1]], texts: { answer: hostile, note: '<b>怎样判断</b>' } });
});
after(async () => {
  await browser?.close();
  await stack?.stop();
});

async function enter(role, options) {
  const page = await open(browser, `${stack.console}/`, options);
  await log_in(page, role, password);
  return page;
}

describe('every part', () => {
  for (const [locale, theme, width] of looks)
    test(`${locale}, ${theme}, ${width} px: drawn, fits, without an error or a fault`, async () => {
      const page = await enter('publisher', { locale, theme, width });
      for (const name of parts) {
        await go(page, `#/${name}`);
        for (const d of await page.$$('main details:not([open]) > summary')) if (await d.isVisible()) await d.click();
        await page.evaluate(() => scrollTo(0, 0)); // nothing half below the bar of a phone
        const text = await page.textContent('main');
        assert.doesNotMatch(text, /⟦|undefined|\[object|NaN/, `${name}: ${text.slice(0, 300)}`);
        assert.equal(await page.$('main .trouble'), null, name);
        assert.ok(await page.evaluate(() => document.scrollingElement.scrollWidth <= innerWidth), `${name} fits`);
        assert.deepEqual(await faults(page), [], name);
      }
      await page.guard();
    });
});

describe('the questionnaire and the clock', () => {
  test('the outcome follows each answer; what does not matter is not asked; it is kept', async () => {
    const page = await enter('publisher');
    await go(page, '#/filing/route');
    await page.selectOption('select[name=public]', 'yes');
    await page.selectOption('select[name=model]', 'own');
    await page.waitForFunction(() => document.querySelector('select[name=model_filed]').closest('[hidden]'));
    await page.selectOption('select[name=model]', 'called');
    await page.waitForFunction(() => !document.querySelector('select[name=model_filed]').closest('[hidden]'));
    await page.selectOption('select[name=model_filed]', 'yes');
    await page.selectOption('select[name=opinion]', 'yes');
    await page.waitForFunction(() => /可走登记/.test(document.querySelector('[data-part=reasons]').textContent));
    await page.click('[data-save]');
    await page.waitForFunction(() => /publisher 于/.test(document.querySelector('main').textContent));
    await page.reload();
    await page.waitForSelector('select[name=model_filed]');
    assert.equal(await page.inputValue('select[name=model]'), 'called');
    await page.guard();
    const viewer = await enter('viewer');
    await go(viewer, '#/filing/route');
    assert.equal(await viewer.$('[data-save]'), null);
    await viewer.guard();
  });

  test('a step is noted with its day, and shown with its history', async () => {
    const page = await enter('administrator', { width: 390 });
    await go(page, '#/filing/clock');
    await page.click('[data-step=submit] button');
    await page.selectOption('dialog select', 'returned');
    await page.fill('dialog input[type=date]', '2026-11-20');
    await page.fill('dialog input[name=note]', '材料补正');
    await page.click('dialog button[type=submit]');
    await page.waitForFunction(() => /材料补正/.test(document.querySelector('[data-step=submit]')?.textContent));
    assert.match(await page.textContent('[data-step=submit]'), /被退回.*2026-11-20/);
    await page.click('[data-change]');
    await page.fill('dialog input[name=what]', '更换模型');
    await page.click('dialog button[type=submit]');
    await page.waitForFunction(() => /更换模型/.test(document.querySelector('main')?.textContent) && !document.querySelector('dialog'));
    assert.deepEqual(await faults(page), []);
    await page.guard();
  });
});

describe('an evaluation', () => {
  test('shows rates, chart, what failed, the two routes and an earlier run; a text of the model stays text', async () => {
    const page = await enter('publisher', { locale: 'en-GB' });
    await go(page, '#/filing/runs');
    await page.click(`a[href$="${run}"]`);
    await page.waitForSelector('tr[data-bank="content"][data-route="gateway"]');
    const row = await page.textContent('tr[data-bank="content"][data-route="gateway"]');
    assert.match(row, /85\.0%/);
    assert.match(row, /64\.0–94\.8%/, 'the interval of 17 of 20');
    assert.match(row, /below/);
    await page.waitForFunction(() => document.querySelector('.chart canvas')?.getBoundingClientRect().height > 50);
    await page.selectOption('select[aria-label="Route"]', 'gateway');
    await page.waitForFunction(() => document.querySelectorAll('main section.panel:nth-of-type(3) tbody tr').length === 5);
    await page.click('summary:text("Show the differences")');
    await page.waitForSelector('main .small-tiles');
    await page.click('main .col-text button.link');
    await page.waitForSelector('dialog .quote');
    assert.ok((await page.textContent('dialog')).includes('<script>alert(2)</script>'));
    assert.equal(await page.$('main img, dialog img'), null);
    assert.deepEqual(await faults(page), []);
    await page.keyboard.press('Escape');
    await page.selectOption('select[aria-label="Choose an earlier run"]', earlier);
    await page.waitForFunction(() => /Better/.test(document.querySelector('main')?.textContent));
    await page.reload();
    await page.waitForFunction(() => /Better/.test(document.querySelector('main')?.textContent), null, { timeout: 15000 });
    await page.guard();
  });

  test('its texts reach nobody who may not read them', async () => {
    const page = await enter('viewer');
    const answers = [];
    page.on('response', (r) => { if (/api\/filing/.test(r.url())) answers.push(r.text().catch(() => '')); });
    for (const name of ['filing/runs', `filing/runs/${run}`]) await go(page, `#/${name}`);
    await page.waitForSelector('main .col-text button.link');
    const all = (await Promise.all(answers)).join('\n');
    assert.ok(all.includes('content-A1-a-000') && !all.includes('alert(2)'));
    assert.equal(await page.$('a[href="#/filing/judge"]'), null);
    await page.guard();
  });
});

describe('judging', () => {
  const question = (page) => page.$eval('[data-question]', (e) => `${e.dataset.question} ${e.dataset.route}`);
  const other = (page, was) => page.waitForFunction((q) => {
    const e = document.querySelector('[data-question]');
    return e && `${e.dataset.question} ${e.dataset.route}` !== q;
  }, was);
  const judgements = () => readFile(path.join(stack.dir, 'state/filing/runs', run, 'judgements.jsonl'), 'utf8')
    .then((text) => text.trim().split('\n').map((line) => JSON.parse(line)), () => []);

  test('by keys: pass, fail, with a note, skip; each is taken once, and what is left is counted', async () => {
    const page = await enter('reviewer');
    await go(page, `#/filing/judge?run=${run}`);
    await page.waitForSelector('[data-question]');
    assert.match(await page.textContent('main [role=status]'), /待您研判 40 条/, 'those with the gateway');
    const seen = [];
    for (const key of ['p', 'f', 'j', 'p']) {
      const now = await question(page);
      seen.push(now);
      await page.keyboard.press(key);
      await other(page, now);
    }
    seen.push(await question(page));
    await page.keyboard.press('w');
    await page.waitForSelector('dialog textarea, dialog input[name=note]');
    await page.selectOption('dialog select', 'fail');
    await page.fill('dialog [name=note]', '回答含有不当内容');
    await page.keyboard.press('Enter');
    await other(page, seen[4]);
    const said = await judgements();
    assert.deepEqual(said.map((j) => [j.by, `${j.question} ${j.route}`, j.verdict, j.note]), [
      ['reviewer', seen[0], 'pass', undefined], ['reviewer', seen[1], 'fail', undefined],
      ['reviewer', seen[3], 'pass', undefined], ['reviewer', seen[4], 'fail', '回答含有不当内容']]);
    assert.match(await page.textContent('main [role=status]'), /待您研判 36 条.*已研判 4 条/);
    await page.selectOption('[data-filter=route]', '');
    await page.waitForFunction(() => /待您研判 76 条/.test(document.querySelector('main [role=status]')?.textContent));
    await page.reload();
    await page.waitForSelector('[data-question]');
    assert.match(await page.textContent('main [role=status]'), /待您研判 76 条/);
    assert.ok(!seen.filter((_, i) => i !== 2).includes(await question(page)), 'nothing that was judged comes again');
    await page.guard();
  });

  test('somebody else gives the second word, first where it is missing, and by tapping on a phone', async () => {
    const page = await enter('second', { locale: 'en-GB', width: 390 });
    await go(page, `#/filing/judge?run=${run}`);
    await page.waitForSelector('[data-question]');
    assert.match(await page.textContent('.filing-keys'), /second word/);
    const now = await question(page);
    await page.click('[data-key=p]');
    await other(page, now);
    assert.match(await page.textContent('main [role=status]'), /1 judged just now/);
    assert.deepEqual((await judgements()).filter((j) => `${j.question} ${j.route}` === now && j.by === 'second').map((j) => j.verdict), ['pass']);
    await page.guard();
  });

  for (const [locale, theme, width] of looks)
    test(`${locale}, ${theme}, ${width} px: without a fault`, async () => {
      const page = await enter('reviewer', { locale, theme, width });
      await go(page, `#/filing/judge?run=${run}`);
      await page.waitForSelector('[data-question]');
      assert.doesNotMatch(await page.textContent('main'), /⟦|undefined|\[object|NaN/);
      assert.ok(await page.evaluate(() => document.scrollingElement.scrollWidth <= innerWidth));
      assert.deepEqual(await faults(page), []);
      await page.guard();
    });
});

describe('papers', () => {
  test('come as files; who may not take them is told so', async () => {
    const page = await enter('publisher');
    await go(page, '#/filing/files');
    const [file] = await Promise.all([page.waitForEvent('download'), page.click('[data-file="disclosure.json"]')]);
    assert.equal(file.suggestedFilename(), 'disclosure.json');
    await page.guard();
    const viewer = await enter('viewer');
    await go(viewer, '#/filing/files');
    assert.equal(await viewer.$('[data-pack]'), null);
    assert.equal(await viewer.$('[data-file]'), null);
    assert.ok(await viewer.$('main .hint'));
    await viewer.guard();
  });

  test('the pack is not made over errors unless somebody has read them and says so', async () => {
    const page = await enter('publisher', { allowed: [/409/] });
    await go(page, '#/filing/files');
    await page.click('[data-pack]');
    await page.waitForSelector('dialog ul li');
    assert.deepEqual(await faults(page), []);
    const [file] = await Promise.all([page.waitForEvent('download'), page.click('dialog button.danger')]);
    assert.equal(file.suggestedFilename(), 'filing.zip');
    assert.ok((await readFile(await file.path())).subarray(0, 2).equals(Buffer.from('PK')));
    await page.waitForFunction(() => !document.querySelector('dialog'));
    await page.guard();
  });
});
