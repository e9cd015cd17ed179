// The page of the filing desk in a browser, before a gateway.
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { faults, go, launch, log_in, open } from './browser.js';
import { Stack, listening, until } from './harness.js';
import { person } from './people.js';

const password = 'correct horse battery';
const parts = ['filing', 'filing/files'];
const looks = [['zh-CN', 'light', 1280], ['en-GB', 'dark', 390], ['zh-CN', 'dark', 390], ['en-GB', 'light', 1280]];

let browser, stack;
before(async () => {
  browser = await launch();
  stack = await Stack.start();
  await until(() => listening(stack.consolePort), 'the console listens');
  for (const role of ['viewer', 'reviewer', 'publisher', 'administrator']) await person(stack, role, role);
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
        for (const d of await page.$$('main details:not([open]) > summary')) await d.click();
        const text = await page.textContent('main');
        assert.doesNotMatch(text, /⟦|undefined|\[object|NaN/, `${name}: ${text.slice(0, 300)}`);
        assert.equal(await page.$('main .trouble'), null, name);
        assert.ok(await page.evaluate(() => document.scrollingElement.scrollWidth <= innerWidth), `${name} fits`);
        assert.deepEqual(await faults(page), [], name);
      }
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
    assert.equal(await viewer.$('[data-file]'), null);
    assert.ok(await viewer.$('main .hint'));
    await viewer.guard();
  });
});
