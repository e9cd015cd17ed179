// A browser for tests of the console's page, with a guard: an error in its console, a dialog that a text
// opened, or a request to anywhere but the page's own server fails the test.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export const launch = () => chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  // As root there is no sandbox to be had; nothing but our own page is opened.
  args: process.getuid() === 0 ? ['--no-sandbox'] : [],
});

// A page of its own, guarded. `allowed`: console errors that the test means to cause.
export async function open(browser, base, { locale = 'zh-CN', theme = 'light', width = 1280, height = 860, allowed = [] } = {}) {
  const context = await browser.newContext({ locale, viewport: { width, height }, colorScheme: theme, permissions: ['clipboard-read', 'clipboard-write'] });
  const page = await context.newPage();
  page.setDefaultTimeout(15000);
  const wrongs = [];
  page.on('console', (m) => { if (m.type() === 'error' && !allowed.some((x) => x.test(m.text()))) wrongs.push(`console: ${m.text()}`); });
  page.on('pageerror', (e) => wrongs.push(`error: ${e.message}`));
  page.on('dialog', (d) => { wrongs.push(`dialog: ${d.message()}`); d.dismiss(); });
  page.on('request', (r) => { if (!r.url().startsWith(base) && !r.url().startsWith('data:')) wrongs.push(`request: ${r.url()}`); });
  page.guard = async () => {
    assert.deepEqual(wrongs, []);
    await context.close();
  };
  await page.goto(base);
  return page;
}

export async function log_in(page, name, password = 'secret') {
  await page.fill('input[name=name]', name);
  await page.fill('input[name=password]', password);
  await page.click('form button[type=submit]');
  await page.waitForSelector('aside.side', { state: 'attached' });
  await settled(page);
}

// Until nothing is being read any more.
export const settled = (page) => page.waitForFunction(() => !document.querySelector('.loading, main [aria-busy="true"]') && document.querySelector('main h1, main .empty'));

export async function go(page, hash) {
  await page.evaluate((to) => { location.hash = to; }, hash);
  await page.waitForTimeout(60);
  await settled(page);
}

// Accessibility faults that count as serious or critical, as lines.
export async function faults(page) {
  await page.evaluate(axe);
  const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'], runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] }));
  return found.violations.filter((v) => ['serious', 'critical'].includes(v.impact))
    .flatMap((v) => v.nodes.map((n) => `${v.id}: ${n.target} ${n.failureSummary.split('\n').slice(1).join(' ')}`));
}
