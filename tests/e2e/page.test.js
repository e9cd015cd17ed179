// The console's page in a browser, against a stand-in that plays the API with 100,000 records, partly
// hostile (console-standin.js). The gateway itself is under console.test.js and at the end of this file.
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { faults, go, launch, log_in, open, settled } from './browser.js';
import { roles, start } from './console-standin.js';
import { hostile } from './console-world.js';
import { until } from './harness.js';
import { dictionary } from '../../src/console/page/dictionary.js';

const folder = path.resolve(import.meta.dirname, '../../src/console/page');
const pages = {
  viewer: ['overview', 'log', 'log?group=1', 'summary', 'rules', 'rules/coverage', 'rules/try', 'rules/draft', 'rules/versions', 'rules/urgent', 'users', 'apps', 'incidents', 'filing', 'filing/files', 'self'],
};
pages.publisher = [...pages.viewer, 'tickets'];
pages.reviewer = [...pages.publisher, 'review', 'review?view=single'];
pages.administrator = [...pages.viewer, 'accounts'];
pages.inspector = [...pages.publisher, 'acts'];

let browser, stand, base;
before(async () => {
  browser = await launch();
  stand = await start({ rows: 100000 });
  base = `http://127.0.0.1:${stand.port}/`;
});
after(async () => {
  await browser?.close();
  await stand?.close();
});

// A stand-in of its own, for tests that change what it knows.
async function with_own(options, run) {
  const own = await start(options);
  try {
    await run(own, `http://127.0.0.1:${own.port}/`);
  } finally {
    await own.close();
  }
}

describe('words', () => {
  test('every word has two languages, and every one that is asked for is there', async () => {
    let source = '';
    for (const name of await readdir(folder)) if (name.endsWith('.js') && name !== 'dictionary.js') source += await readFile(path.join(folder, name), 'utf8');
    for (const [key, pair] of Object.entries(dictionary)) {
      assert.equal(pair.length, 2, key);
      assert.ok(pair[0] && pair[1], key);
      const holes = (text) => [...text.matchAll(/\{(\w+)\}/g)].map((m) => m[1]).sort().join();
      assert.equal(holes(pair[0]), holes(pair[1]), `${key} leaves the same to fill in`);
    }
    for (const [, key] of source.matchAll(/\bt\(\s*'([a-z0-9_.]+)'/g)) assert.ok(key in dictionary, `t('${key}')`);
    for (const [, key] of source.matchAll(/say: '(key_\w+)'/g)) assert.ok(key in dictionary, key);
  });

  test('nothing of the page writes markup from strings or styles from attributes', async () => {
    for (const name of (await readdir(folder)).filter((n) => n !== 'README.md')) {
      const text = await readFile(path.join(folder, name), 'utf8');
      assert.doesNotMatch(text, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|DOMParser|createContextualFragment|\.srcdoc/, name);
      if (name.endsWith('.html')) assert.doesNotMatch(text, /<script>|<style|\sstyle=|\son\w+=/, name);
      assert.doesNotMatch(text.replaceAll('http://www.w3.org/2000/svg', ''), /https?:\/\//, `${name} names no other place`);
    }
  });
});

describe('coming in', () => {
  test('a wrong password is told, the right one opens the overview', async () => {
    const page = await open(browser, base, { allowed: [/401/] });
    await page.fill('input[name=name]', 'reviewer-1');
    await page.fill('input[name=password]', 'guess');
    await page.click('form button[type=submit]');
    await page.waitForSelector('p.wrong:not([hidden])');
    assert.equal(await page.inputValue('input[name=name]'), 'reviewer-1');
    await log_in(page, 'reviewer-1');
    assert.equal(await page.textContent('h1'), '总览');
    await page.guard();
  });

  test('with a second factor the code is asked for, and only then', () => with_own({ rows: 50 }, async (own, at) => {
    own.code = '123456';
    const page = await open(browser, at, { allowed: [/401/] });
    assert.equal(await page.isVisible('input[name=code]'), false);
    await page.fill('input[name=name]', 'viewer-1');
    await page.fill('input[name=password]', 'secret');
    await page.keyboard.press('Enter');
    await page.waitForSelector('input[name=code]:visible');
    await page.fill('input[name=code]', '123 456');
    await page.keyboard.press('Enter');
    await page.waitForSelector('aside.side', { state: 'attached' });
    await page.guard();
  }));

  test('without accounts the page tells how to make the first administrator', () => with_own({ rows: 1 }, async (own, at) => {
    own.setup = true;
    const page = await open(browser, at, { locale: 'en-GB' });
    await page.waitForSelector('pre.command');
    assert.match(await page.textContent('pre.command'), /juyong account add .*--role administrator/);
    assert.deepEqual(await faults(page), []);
    await page.guard();
  }));

  test('a session that ends asks for the login, and nothing typed is lost', async () => {
    const page = await open(browser, base, { allowed: [/401/] });
    await log_in(page, 'reviewer-1');
    await go(page, '#/incidents');
    await page.click('main .head button.main');
    await page.fill('dialog input[name=title]', '未完成的标题');
    await page.fill('dialog textarea[name=what]', '写到一半的经过');
    stand.sessions.clear();
    await page.click('dialog button[type=submit]');
    await page.waitForSelector('dialog input[name=password]');
    await page.fill('dialog input[name=password]', 'secret');
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => !document.querySelector('dialog'));
    assert.equal(stand.world.incidents[0].title, '未完成的标题');
    assert.equal(stand.world.incidents[0].what, '写到一半的经过');
    await page.guard();
  });

  test('language and theme are the browser’s until somebody chooses, and then theirs', async () => {
    const page = await open(browser, base, { locale: 'en-GB', theme: 'dark' });
    await log_in(page, 'viewer-1');
    assert.equal(await page.getAttribute('html', 'lang'), 'en');
    assert.equal(await page.getAttribute('html', 'data-theme'), 'dark');
    await page.click('text=中文');
    await page.click('text=浅色');
    await page.reload();
    await settled(page);
    assert.equal(await page.getAttribute('html', 'lang'), 'zh-CN');
    assert.equal(await page.getAttribute('html', 'data-theme'), 'light');
    assert.equal(await page.textContent('h1'), '总览');
    await page.guard();
  });
});

describe('every page', () => {
  for (const role of roles)
    test(`as ${role}, in both languages: drawn, accessible, without an error`, async () => {
      for (const [locale, theme] of [['zh-CN', 'light'], ['en-GB', 'dark']]) {
        const page = await open(browser, base, { locale, theme });
        await log_in(page, `${role}-1`);
        const links = await page.$$eval('aside.side nav a', (all) => all.map((a) => a.dataset.page));
        assert.deepEqual(links.filter((id) => !pages[role].some((p) => p.split(/[?/]/)[0] === id)), [], 'the menu offers what the role may see');
        for (const name of pages[role]) {
          await go(page, `#/${name}`);
          const text = await page.textContent('main');
          assert.doesNotMatch(text, /⟦|undefined|\[object|NaN/, `${name}: ${text.slice(0, 300)}`);
          assert.equal(await page.$('main .trouble'), null, `${name} shows no failure`);
          assert.deepEqual(await faults(page), [], `${name} ${locale} ${theme}`);
        }
        await page.guard();
      }
    });

  test('what a role may not see is neither offered nor shown', async () => {
    const page = await open(browser, base);
    await log_in(page, 'viewer-1');
    for (const name of ['review', 'acts', 'accounts', 'tickets']) {
      assert.equal(await page.$(`aside.side a[data-page=${name}]`), null);
      await go(page, `#/${name}`);
      assert.match(await page.textContent('main'), /角色不能/);
    }
    await go(page, '#/log');
    assert.equal(await page.$('mark'), null, 'a viewer sees no texts');
    await page.click('table.log tbody button');
    await page.waitForSelector('.drawer .tab-panel');
    assert.equal(await page.$('.drawer [data-verdict], .drawer [data-reveal]'), null);
    await page.guard();
  });

  test('fits a phone: no page is wider than the screen', async () => {
    const page = await open(browser, base, { width: 390, height: 844 });
    await log_in(page, 'reviewer-1');
    for (const name of pages.reviewer) {
      await go(page, `#/${name}`);
      const over = await page.evaluate(() => document.scrollingElement.scrollWidth - innerWidth);
      assert.ok(over <= 0, `${name} is ${over} px too wide`);
    }
    await page.click('header.topbar button');
    await page.click('aside.side a[data-page=tickets]');
    await settled(page);
    assert.equal(await page.textContent('h1'), '投诉');
    assert.deepEqual(await faults(page), []);
    await page.guard();
  });

  test('a failure is told, with a button that tries again', () => with_own({ rows: 50 }, async (own, at) => {
    const page = await open(browser, at, { allowed: [/500|503/] });
    await log_in(page, 'reviewer-1');
    own.fail = (method, name) => (name === 'users' ? 503 : name === 'log' ? 500 : 0);
    for (const name of ['users', 'log']) {
      await go(page, `#/${name}`);
      await page.waitForSelector('.trouble button');
    }
    own.fail = null;
    await page.click('.trouble button');
    await page.waitForSelector('table.log tbody tr');
    await page.guard();
  }));
});

describe('hostile content', () => {
  test('stays text everywhere, with what hides or turns it around made visible', async () => {
    const page = await open(browser, base);
    await log_in(page, 'reviewer-1');
    await go(page, '#/log');
    for (let i = 0; i < 25; i++) await page.keyboard.press('j');
    const whole = () => page.evaluate(() => document.body.textContent);
    await page.keyboard.press('Enter');
    await page.waitForSelector('.drawer .tab-panel');
    for (let i = 0; i < 15; i++) {
      for (const tab of ['prompt', 'answer', 'conversation', 'raw', 'overview']) await page.click(`#tab-${tab}`);
      await page.keyboard.press('j');
      await page.waitForTimeout(40);
    }
    for (const name of ['tickets', 'incidents', 'rules', 'rules/versions', 'rules/urgent', 'apps', 'users']) {
      await go(page, `#/${name}`);
      const opener = await page.$('main table button.link');
      if (opener) {
        await opener.click();
        await page.waitForSelector('dialog');
        await page.waitForTimeout(80);
        await page.keyboard.press('Escape');
      }
    }
    await go(page, '#/tickets');
    const seen = await whole();
    assert.ok(seen.includes(hostile.script), 'the script is there to read');
    assert.ok(seen.includes('RLO') && seen.includes('ZWSP'), 'marks stand for what cannot be seen');
    assert.doesNotMatch(seen, /[\u202a-\u202e\u2066-\u2069\u200b]/u);
    assert.equal(await page.evaluate(() => document.querySelectorAll('script:not([src]), main img, svg, iframe, object, style, [style]:not(canvas), a[href^="javascript"]').length), 0);
    await page.guard();
  });

  test('a text in the address stays a text', async () => {
    const page = await open(browser, base);
    await log_in(page, 'reviewer-1');
    await go(page, `#/log?text=${encodeURIComponent(hostile.script)}&rule=${encodeURIComponent(hostile.attribute)}&action=${encodeURIComponent(hostile.script)}&t=x`);
    await page.waitForSelector('main .empty, table.log');
    assert.equal(await page.inputValue('[data-search]'), hostile.script);
    await go(page, `#/${encodeURIComponent(hostile.script)}/%E0%A4%A`);
    await page.guard();
  });
});

describe('the table of interceptions', () => {
  const places = (page) => page.$$eval('table.log tbody tr', (all) => all.slice(0, 30).map((tr) => [tr.dataset.id, Math.round(tr.getBoundingClientRect().top)]));

  test('nothing moves when new rows arrive, in the list or in the drawer, until somebody asks', () => with_own({ rows: 300 }, async (own, at) => {
    const page = await open(browser, at);
    await log_in(page, 'reviewer-1');
    await go(page, '#/log');
    await page.click('table.log tbody tr:nth-child(5)');
    await page.waitForSelector('.drawer .tab-panel');
    const before = await places(page);
    const drawn = await page.textContent('.drawer');
    own.world.add_fresh(7);
    await page.waitForSelector('button.news:not([hidden])');
    assert.match(await page.textContent('button.news'), /7/);
    assert.deepEqual(await places(page), before);
    assert.equal(await page.textContent('.drawer'), drawn);
    own.world.add_fresh(2);
    await page.waitForFunction(() => document.querySelector('button.news').textContent.includes('9'));
    assert.deepEqual(await places(page), before);
    await page.keyboard.press('Escape');
    await page.keyboard.press('n');
    const now = await places(page);
    assert.deepEqual(now.slice(0, 9).map(([id]) => id), Array.from({ length: 9 }, (_, i) => `fresh-${8 - i}`));
    assert.equal(now[9][0], before[0][0]);
    await page.guard();
  }));

  test('filters stand in the address: a shared link, "back" and a reload show the same', async () => {
    const page = await open(browser, base);
    await log_in(page, 'reviewer-1');
    await go(page, '#/log');
    await page.selectOption('#by-t', '30d');
    await settled(page);
    await page.click('details.filters summary');
    await page.selectOption('#by-action', 'block');
    await settled(page);
    await page.selectOption('#by-risk', 'A1-f');
    await settled(page);
    await page.fill('[data-search]', '山洞');
    await page.press('[data-search]', 'Enter');
    await settled(page);
    await page.waitForSelector('table.log tbody tr');
    const shown = () => page.$$eval('table.log tbody tr', (all) => all.slice(0, 20).map((tr) => tr.dataset.id));
    const rows = await shown();
    const url = page.url();
    for (const part of ['t=30d', 'action=block', 'risk=A1-f', 'text=']) assert.ok(url.includes(part), `${part} in ${url}`);
    const asked = stand.calls.filter((c) => c.path === 'log').at(-1).query;
    assert.equal(asked.action, 'block');
    assert.equal(asked.text, '山洞');
    await page.click('table.log tbody tr:nth-child(2)');
    await page.waitForSelector('.drawer .tab-panel');
    await page.click('#tab-timings');
    assert.match(page.url(), /open=.*tab=timings/);
    await page.reload();
    await settled(page);
    await page.waitForSelector('.drawer #tab-timings[aria-selected=true]');
    assert.deepEqual(await shown(), rows);
    assert.equal(await page.inputValue('#by-action'), 'block');
    await page.goto(url.replace('action=block', 'action=flag'));
    await settled(page);
    assert.equal(await page.inputValue('#by-action'), 'flag');
    await page.goBack();
    await settled(page);
    assert.equal(await page.inputValue('#by-action'), 'block');
    await page.guard();
  });

  test('"back" takes a filter off again and closes the drawer', async () => {
    const page = await open(browser, base);
    await log_in(page, 'reviewer-1');
    await go(page, '#/log');
    await page.selectOption('#by-t', '30d');
    await settled(page);
    await page.click('table.log tbody tr:nth-child(3)');
    await page.waitForSelector('.drawer .tab-panel');
    await page.goBack();
    await page.waitForFunction(() => !document.querySelector('.drawer:not([hidden])'));
    assert.equal(await page.inputValue('#by-t'), '30d');
    await page.goBack();
    await page.waitForFunction(() => document.querySelector('#by-t')?.value === '7d');
    await page.guard();
  });

  test('100,000 records: walked by pages, only what was asked for is in the page', async () => {
    const page = await open(browser, base);
    await log_in(page, 'reviewer-1');
    await go(page, '#/log?t=ever');
    assert.equal(await page.$$eval('table.log tbody tr', (all) => all.length), 60);
    for (let i = 0; i < 6; i++) {
      const n = await page.$$eval('table.log tbody tr', (all) => all.length);
      await page.evaluate(() => scrollTo(0, document.scrollingElement.scrollHeight));
      await page.waitForFunction((was) => document.querySelectorAll('table.log tbody tr').length > was, n);
    }
    const ids = await page.$$eval('table.log tbody tr', (all) => all.map((tr) => tr.dataset.id));
    assert.equal(new Set(ids).size, ids.length, 'no row twice');
    assert.deepEqual(ids.slice(0, 300), Array.from({ length: 309 }, (_, i) => stand.world.row(i)).filter((r) => !r.purpose).slice(0, 300).map((r) => r.request_id));
    // A rare thing: the gateway ran out of time, said so, and the page goes on with "older".
    await go(page, `#/log?t=ever&request_id=${stand.world.id(60001)}`);
    for (let i = 0; i < 8 && !(await page.$('table.log tbody tr')); i++) {
      await page.evaluate(() => document.querySelector('.more button:not([hidden])')?.click());
      await page.waitForTimeout(150);
    }
    assert.equal(await page.$$eval('table.log tbody tr', (all) => all.length), 1);
    await page.guard();
  });

  test('by keyboard alone: choose, open, walk, judge, look at the original, close', () => with_own({ rows: 200 }, async (own, at) => {
    const page = await open(browser, at);
    await log_in(page, 'reviewer-1');
    await page.keyboard.press('l');
    await page.waitForSelector('table.log tbody tr');
    const id = (n) => page.$eval(`table.log tbody tr:nth-child(${n})`, (tr) => tr.dataset.id);
    const open_id = () => new URL(page.url().replace('#/log', '')).searchParams.get('open');
    const first = await id(1);
    const second = await id(2);
    await page.keyboard.press('j');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('k');
    await page.keyboard.press('Enter');
    await page.waitForSelector('.drawer .verdicts');
    assert.equal(open_id(), first);
    await page.keyboard.press('c');
    await page.waitForFunction((x) => location.hash.includes(x), second);
    assert.equal(own.world.reviews.get(first).at(-1).verdict, 'correct');
    await page.waitForFunction((x) => document.querySelector('.drawer .drawer-bar .mono')?.textContent === x, second);
    await page.keyboard.press('o');
    await page.keyboard.type('投诉核实');
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => !document.querySelector('dialog'));
    assert.ok(own.calls.some((c) => c.path.endsWith('/reveal') && c.body.reason === '投诉核实'));
    await page.click(`#tab-${own.world.find(second).direction === 'prompt' ? 'prompt' : 'answer'}`);
    assert.equal(await page.$eval('.tab-panel .quote mark', (m) => m.textContent), own.world.find(second).text);
    await page.keyboard.press('Escape');
    await page.waitForSelector('.drawer', { state: 'hidden' });
    await page.keyboard.press('/');
    assert.equal(await page.evaluate(() => document.activeElement.id), 'by-text');
    await page.keyboard.press('Escape');
    await page.keyboard.press('?');
    await page.waitForSelector('dialog dl.keys');
    assert.deepEqual(await faults(page), []);
    await page.keyboard.press('Escape');
    await page.guard();
  }));

  test('the columns that somebody chose are there the next time', async () => {
    const page = await open(browser, base, { locale: 'en-GB' });
    await log_in(page, 'viewer-1');
    await go(page, '#/log');
    await page.click('text=Columns');
    await page.check('dialog >> text=Held');
    await page.uncheck('dialog >> text=App');
    await page.click('dialog button[type=submit]');
    const titles = () => page.$$eval('table.log th', (all) => all.map((th) => th.textContent));
    const now = await titles();
    assert.ok(now.includes('Held') && !now.includes('App'));
    await page.reload();
    await settled(page);
    await page.waitForSelector('table.log');
    assert.deepEqual(await titles(), now);
    await page.guard();
  });
});

describe('review', () => {
  // What a day's work costs: the figures stand in src/console/page/README.md.
  test('500 interceptions, judged by groups: one key a group', (t) => with_own({ rows: 500, variety: 0.4 }, async (own, at) => {
    const page = await open(browser, at);
    await log_in(page, 'reviewer-1');
    let keys = 0;
    const press = async (key) => { keys++; await page.keyboard.press(key); };
    await press('r');
    await page.waitForSelector('.group.chosen');
    const shown = await page.$$eval('.group', (all) => all.length);
    for (let n = 0; n < shown; n++) {
      const text = await page.textContent('.group.chosen');
      const done = await page.$$eval('.group.done', (all) => all.length);
      await press(text.includes('大麻烦') ? 'f' : 'c');
      await page.waitForFunction((was) => document.querySelectorAll('.group.done').length > was || document.querySelector('main .empty'), done);
    }
    await page.waitForSelector('main .empty');
    const wanted = Array.from({ length: 500 }, (_, i) => own.world.row(i)).filter((r) => !r.purpose);
    assert.deepEqual(wanted.filter((r) => !r.review).map((r) => r.request_id), [], 'every one is judged');
    assert.ok(wanted.some((r) => r.review === 'false_positive'));
    assert.ok(keys <= 500, `${keys} keys`);
    t.diagnostic(`${wanted.length} interceptions in ${shown} groups: ${keys} key strokes`);
    await page.guard();
  }));

  test('one by one: a key each, and on to the next, over the ends of pages', (t) => with_own({ rows: 130 }, async (own, at) => {
    const page = await open(browser, at);
    await log_in(page, 'reviewer-1');
    await go(page, '#/review?view=single');
    await page.waitForSelector('.pane .verdicts');
    let keys = 0;
    for (let n = 0; n < 126; n++) {
      const id = await page.textContent('.pane .drawer-bar .mono');
      await page.keyboard.press(n % 9 === 8 ? 'u' : 'c');
      keys++;
      if (n < 125) await page.waitForFunction((was) => document.querySelector('.pane .verdicts') && document.querySelector('.pane .drawer-bar .mono')?.textContent !== was, id);
    }
    assert.ok(own.world.reviews.size >= 125, `${own.world.reviews.size} judged`);
    t.diagnostic(`${own.world.reviews.size} interceptions one by one: ${keys} key strokes`);
    await page.guard();
  }));

  test('a false positive becomes an allow phrase: proposed, tried on logged traffic, in the draft', () => with_own({ rows: 200 }, async (own, at) => {
    const page = await open(browser, at);
    await log_in(page, 'reviewer-1');
    const row = Array.from({ length: 200 }, (_, i) => own.world.row(i)).find((r) => r.text === '大麻' && r.context.startsWith('这下'));
    await go(page, `#/log?open=${row.request_id}`);
    await page.waitForSelector('.drawer .verdicts');
    await page.keyboard.press('f');
    await page.waitForSelector('.drawer [data-verdict=false_positive][aria-pressed=true]');
    await page.keyboard.press('a');
    await page.waitForSelector('dialog input[name=text]');
    assert.match(await page.inputValue('dialog input[name=text]'), /大麻烦/);
    await page.waitForSelector('dialog .small-tiles');
    await page.fill('dialog input[name=text]', '大麻烦');
    await page.keyboard.press('Enter');
    await until(() => own.calls.some((c) => c.path === 'rules/try-log' && c.body.draft.text === '大麻烦'), 'it is tried');
    await page.waitForFunction(() => document.querySelector('dialog .hint')?.textContent.includes('89,100 次放行'));
    assert.match(await page.textContent('dialog .small-tiles'), /12,034.*41/s, 'looked at, set free');
    assert.deepEqual(await faults(page), []);
    await page.click('dialog button.main');
    await page.waitForSelector('dialog a[href="#/rules/draft"]');
    assert.deepEqual(own.calls.filter((c) => c.path === 'rules/draft' && c.method === 'POST').map((c) => [c.body.kind, c.body.text]), [['allow', '大麻烦']]);
    assert.equal(await page.$('dialog >> text=发布'), null, 'a reviewer does not publish');
    await page.click('dialog a[href="#/rules/draft"]');
    await page.waitForSelector('.diff-line.added');
    assert.equal(await page.$('main button.main'), null);
    await page.guard();

    const publisher = await open(browser, at, { locale: 'en-GB' });
    await log_in(publisher, 'publisher-1');
    await go(publisher, '#/rules/draft');
    await publisher.click('main button.main');
    await publisher.keyboard.type('false positive of the week');
    await publisher.keyboard.press('Enter');
    await publisher.waitForFunction(() => !document.querySelector('.diff-line'));
    assert.equal(own.calls.find((c) => c.path === 'rules/publish').body.reason, 'false positive of the week');
    await publisher.guard();
  }));

  test('note, second review, sampling, assignment, sign-off', () => with_own({ rows: 120 }, async (own, at) => {
    const page = await open(browser, at);
    await log_in(page, 'reviewer-1');
    await go(page, '#/review?view=single');
    await page.waitForSelector('.pane .verdicts');
    const id = await page.textContent('.pane .drawer-bar .mono');
    await page.keyboard.press('w');
    await page.selectOption('dialog select[name=verdict]', 'unsure');
    await page.fill('dialog textarea', hostile.script);
    await page.check('dialog input[name=second]');
    await page.click('dialog button.main');
    await page.waitForFunction(() => !document.querySelector('dialog'));
    assert.deepEqual({ ...own.world.reviews.get(id)[0], at_us: 0 }, { verdict: 'unsure', note: hostile.script, second: true, reviewer: 'reviewer-1', at_us: 0 });
    await page.waitForFunction((x) => document.querySelector('.pane .notes')?.textContent.includes(x), hostile.script);
    await page.click('main .head >> text=抽样');
    await page.fill('dialog input[name=percent]', '10');
    await page.click('dialog button.main');
    await page.waitForFunction(() => !document.querySelector('dialog'));
    assert.equal(own.calls.find((c) => c.path === 'reviews/sample').body.percent, 10);
    await page.waitForSelector('.queue li:nth-child(3) input');
    await page.check('.queue li:nth-child(3) input');
    await page.click('main .head button:text-is("分配")');
    await page.fill('dialog input[name=to]', 'reviewer-2');
    await page.click('dialog button.main');
    await page.waitForFunction(() => !document.querySelector('dialog'));
    const assigned = own.calls.find((c) => c.path === 'reviews/assign').body;
    assert.equal(assigned.to, 'reviewer-2');
    assert.equal(assigned.requests.length, 1);
    await go(page, '#/summary?day=2026-11-25');
    await page.click('main .panel button');
    await page.fill('dialog textarea', '已全部复核');
    await page.click('dialog button.main');
    await page.waitForFunction(() => document.querySelector('main .notes')?.textContent.includes('已全部复核'));
    assert.equal(own.calls.find((c) => c.path === 'reviews/signoff').body.day, '2026-11-25');
    await page.guard();
  }));

  test('a verdict that could not be saved is told and leaves the exchange open', () => with_own({ rows: 60 }, async (own, at) => {
    const page = await open(browser, at, { allowed: [/503/] });
    await log_in(page, 'reviewer-1');
    await go(page, '#/review?view=single');
    await page.waitForSelector('.pane .verdicts');
    own.fail = (method, name) => (method === 'POST' && name === 'reviews' ? 503 : 0);
    const id = await page.textContent('.pane .drawer-bar .mono');
    await page.keyboard.press('c');
    await page.waitForSelector('.toast.bad');
    assert.equal(await page.textContent('.pane .drawer-bar .mono'), id);
    assert.equal(await page.$('.queue li.done'), null);
    await page.guard();
  }));
});

describe('what else is done here', () => {
  test('a group of interceptions becomes an incident, with a report', () => with_own({ rows: 200 }, async (own, at) => {
    const page = await open(browser, at);
    await log_in(page, 'reviewer-1');
    await go(page, '#/log?group=1');
    await page.click('.group:first-child >> text=转为事件');
    await page.waitForSelector('dialog input[name=title]');
    assert.deepEqual(await faults(page), []);
    await page.fill('dialog textarea[name=measures]', '已下达紧急词');
    await page.click('dialog button.main');
    await page.waitForFunction(() => location.hash === '#/incidents' && document.querySelector('main table'));
    assert.ok(own.world.incidents[0].requests.length > 10);
    assert.equal(own.world.incidents[0].measures, '已下达紧急词');
    await page.click('main table button.link');
    await page.click('dialog >> text=报告草稿');
    await page.waitForSelector('dialog pre.raw');
    await page.guard();
  }));

  test('a key is shown once, may be copied, and is gone then', () => with_own({ rows: 10 }, async (own, at) => {
    const page = await open(browser, at);
    await log_in(page, 'administrator-1');
    await go(page, '#/apps');
    await page.click('main button.main');
    await page.fill('dialog input[name=alias]', '测试');
    await page.click('dialog button[type=submit]');
    await page.waitForSelector('dialog pre.command');
    assert.equal(await page.textContent('dialog pre.command'), 'jy-0123456789abcdef0123456789abcdef');
    await page.click('dialog >> text=复制密钥');
    await page.waitForSelector('.toast');
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), 'jy-0123456789abcdef0123456789abcdef');
    await page.click('dialog button.main');
    await page.waitForFunction(() => !document.body.textContent.includes('jy-0123'));
    await page.click('main table >> text=吊销 >> nth=0');
    await page.click('dialog button.main');
    await page.waitForFunction(() => !document.querySelector('dialog'));
    assert.ok(own.world.keys.find((k) => k.id === 'key-new').revoked);
    await page.guard();
  }));

  test('a user is suspended and lifted with a reason; a complaint is answered; a word is urgent; accounts change', () => with_own({ rows: 100 }, async (own, at) => {
    const page = await open(browser, at);
    await log_in(page, 'reviewer-1');
    await go(page, '#/users');
    await page.click('main table button.link');
    await page.click('dialog >> text=解除 >> nth=0');
    await page.click('dialog button[type=submit]');
    await page.waitForSelector('dialog .wrong:not([hidden])');
    await page.fill('dialog input[name=reason]', '申诉成立');
    await page.click('dialog button[type=submit]');
    await page.waitForFunction(() => !document.querySelector('dialog'));
    assert.deepEqual(own.calls.find((c) => c.method === 'POST' && c.path.startsWith('users/')).body, { act: 'lift', app: own.world.user(0).app, reason: '申诉成立' });
    await go(page, '#/tickets');
    await page.click('main table button.link');
    await page.selectOption('dialog select[name=state]', 'answered');
    await page.fill('dialog textarea', '已答复用户');
    await page.click('dialog button[type=submit]');
    await page.waitForFunction(() => !document.querySelector('dialog'));
    assert.equal(own.world.tickets[0].state, 'answered');
    await page.guard();

    const publisher = await open(browser, at, { locale: 'en-GB' });
    await log_in(publisher, 'publisher-1');
    await go(publisher, '#/rules/urgent');
    await publisher.click('main button.main');
    await publisher.fill('dialog input[name=word]', '新词');
    await publisher.fill('dialog input[name=reason]', 'order 5');
    await publisher.click('dialog button[type=submit]');
    await publisher.waitForFunction(() => !document.querySelector('dialog'));
    assert.equal(own.world.urgent[0].word, '新词');
    await publisher.guard();

    const chief = await open(browser, at);
    await log_in(chief, 'administrator-1');
    await go(chief, '#/accounts');
    await chief.click('main button.main');
    await chief.fill('dialog input[name=name]', 'reviewer-9');
    await chief.fill('dialog input[name=password]', 'long enough now');
    await chief.click('dialog button[type=submit]');
    await chief.waitForFunction(() => document.querySelector('main table').textContent.includes('reviewer-9'));
    await chief.guard();
  }));

  test('the overview shows what alerts last, what was, and who was told', async () => {
    const page = await open(browser, base, { locale: 'en-GB' });
    await log_in(page, 'viewer-1');
    const panel = page.locator('section.panel', { has: page.locator('h2', { hasText: /^Alerts$/ }) });
    await panel.locator('table').waitFor();
    const lasting = await panel.locator('ul.states li').allTextContents();
    assert.equal(lasting.length, 2);
    assert.match(lasting[0], /^A1 interceptions a minute.*critical.*37 \(threshold 10\) since /);
    assert.equal(await panel.locator('tbody tr').count(), 5, 'the newest');
    assert.match(await panel.locator('tbody tr').nth(1).textContent(), /changed A1 interceptions a minute.*1 told · 1 failed/);
    assert.deepEqual(await faults(page), []);
    await page.guard();
  });

  test('a text is tried, with what it was seen through', async () => {
    const page = await open(browser, base);
    await log_in(page, 'viewer-1');
    await go(page, '#/rules/try');
    await page.fill('textarea', '有人卖😀银·杏代號');
    await page.click('form button[type=submit]');
    await page.waitForSelector('.quote mark');
    assert.equal(await page.textContent('.quote mark'), '银·杏代號', 'bytes of UTF-8 become places in the text');
    assert.match(await page.textContent('.hit'), /繁体异体/);
    await page.guard();
  });
});
