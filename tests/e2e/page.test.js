// The console's page in a browser, against a stand-in that plays the API with 100,000 records, partly
// hostile (console-standin.js). The gateway itself is under console.test.js and at the end of this file.
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { faults, go, launch, log_in, open, settled } from './browser.js';
import { roles, start } from './console-standin.js';
import { hostile } from './console-world.js';
import { dictionary } from '../../src/console/page/dictionary.js';

const folder = path.resolve(import.meta.dirname, '../../src/console/page');
const pages = {
  viewer: ['overview', 'log', 'log?group=1', 'summary', 'rules', 'rules/coverage', 'rules/try', 'rules/draft', 'rules/versions', 'rules/urgent', 'users', 'apps', 'tickets', 'incidents', 'self'],
};
pages.reviewer = [...pages.viewer, 'review', 'review?view=single'];
pages.publisher = pages.viewer;
pages.administrator = [...pages.viewer, 'accounts'];
pages.inspector = [...pages.viewer, 'acts'];

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
    for (const name of await readdir(folder)) {
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
      for (const [locale, theme] of [['zh-CN', 'light'], ['en-GB', 'dark'], ...(role === 'reviewer' ? [['zh-CN', 'dark'], ['en-GB', 'light']] : [])]) {
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
    for (const name of ['review', 'acts', 'accounts']) {
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
