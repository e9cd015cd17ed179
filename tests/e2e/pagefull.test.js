// The console's page against the gateway with 100,000 records in its log: every page as every role, hostile
// content in every field, the table of interceptions as a reader uses it. An answer of 4xx or 5xx is an error in
// the browser's console, which the guard of browser.js counts, as it does a request to anywhere else.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { faults, go, launch, log_in, open, settled } from './browser.js';
import { hostile } from './console-world.js';
import { busy, filled, roles, shapes } from './filled.js';
import { quick, words } from './harness.js';

const password = 'correct horse battery';
const pages = {
  viewer: ['overview', 'overview?t=183d', 'log', 'log?group=1&t=30d', 'summary', 'rules', 'rules/coverage', 'rules/try', 'rules/draft', 'rules/versions', 'rules/urgent', 'users', 'apps', 'incidents', 'filing', 'filing/route', 'filing/clock', 'filing/runs', 'filing/files', 'self'],
};
pages.publisher = [...pages.viewer, 'tickets'];
pages.reviewer = [...pages.publisher, 'review', 'review?view=single', 'filing/judge'];
pages.administrator = [...pages.viewer, 'accounts'];
pages.inspector = [...pages.publisher, 'acts'];
// Where a role sees more than the reviewer does, who is looked at in every light and width.
const own = { viewer: [], publisher: ['rules/draft', 'rules/versions', 'rules/urgent'], administrator: ['apps', 'accounts'], inspector: ['log', 'acts'] };
const looks = [['zh-CN', 'light', 1280], ['en-GB', 'dark', 390], ['zh-CN', 'dark', 1280], ['en-GB', 'light', 390]];

let browser, full, base, asked;
before(async () => {
  browser = await launch();
  full = await filled();
  base = full.base;
  ({ asked } = await busy(full));
});
after(async () => {
  await browser?.close();
  await full?.stack.stop();
});

const enter = async (role, options) => {
  const page = await open(browser, base, options);
  await log_in(page, role, password);
  return page;
};
const drawer = (page, id) => page.waitForFunction((x) => document.querySelector('.drawer .drawer-bar .mono')?.textContent === x && document.querySelector('.drawer .tab-panel'), id);
const ids = (page) => page.$$eval('table.log tbody tr', (all) => all.map((tr) => tr.dataset.id));
const no_dialog = (page) => page.waitForFunction(() => !document.querySelector('dialog'));

// Nothing but what the page's own code makes: no element, attribute or direction came out of a text.
async function only_text(page, where) {
  const found = await page.evaluate(() => ({
    elements: document.querySelectorAll('script:not([src]), main img, main svg, iframe, object, embed, base, style, [style]:not(canvas), a[href^="javascript" i], [onerror], [onload]').length,
    hidden: /[\u202a-\u202e\u2066-\u2069\u200b\u2028\u001b]/u.test(document.body.textContent),
  }));
  assert.deepEqual(found, { elements: 0, hidden: false }, where);
}

describe('every page', () => {
  for (const role of roles)
    test(`as ${role}, in both languages: drawn, fits, without an error or a fault`, async () => {
      for (const [locale, theme, width] of role === 'reviewer' && !quick ? looks : looks.slice(0, 2)) {
        const page = await enter(role, { locale, theme, width });
        for (const name of pages[role]) {
          await go(page, `#/${name}`);
          const where = `${name} ${locale} ${theme} ${width}`;
          const text = await page.textContent('main');
          assert.doesNotMatch(text, /⟦|undefined|\[object|NaN/, `${where}: ${text.slice(0, 300)}`);
          assert.equal(await page.$('main .trouble'), null, `${where}: ${text.slice(0, 300)}`);
          assert.ok(await page.evaluate(() => document.scrollingElement.scrollWidth <= innerWidth), `${where} fits`);
          if (role === 'reviewer' || own[role].includes(name)) assert.deepEqual(await faults(page), [], where);
        }
        await page.guard();
      }
    });

  test('the drawer’s tabs and the dialogs have no fault either', async () => {
    for (const [locale, theme, width] of looks.slice(0, 2)) {
      const page = await enter('reviewer', { locale, theme, width });
      await go(page, `#/log?open=${asked}`);
      await page.waitForSelector('.drawer .tab-panel');
      for (const tab of ['prompt', 'rule', 'timings', 'conversation', 'raw', 'overview']) {
        await page.click(`#tab-${tab}`);
        assert.deepEqual(await faults(page), [], `${tab} ${locale}`);
      }
      for (const key of ['o', 'w', '?']) {
        await page.keyboard.press(key);
        await page.waitForSelector('dialog');
        assert.deepEqual(await faults(page), [], `dialog of ${key} ${locale}`);
        await page.keyboard.press('Escape');
        await no_dialog(page);
      }
      for (const name of ['tickets', 'incidents', 'users']) {
        await go(page, `#/${name}`);
        await page.click('main table button.link');
        await page.waitForSelector('dialog h3, dialog form');
        await page.waitForTimeout(100);
        assert.deepEqual(await faults(page), [], `dialog of ${name} ${locale}`);
        assert.ok(await page.evaluate(() => document.querySelector('dialog').scrollWidth <= document.querySelector('dialog').clientWidth), `dialog of ${name} fits`);
        await page.keyboard.press('Escape');
        await no_dialog(page);
      }
      await page.guard();
    }
  });

  test('in Chinese the gateway’s own sentences are Chinese', async () => {
    const page = await enter('viewer');
    const banner = await page.textContent('.banner.amber');
    assert.match(banner, /词库：17 类中有 17 类/);
    assert.doesNotMatch(banner, /[a-z]{3}/);
    await page.guard();
  });

  test('texts reach nobody who may not read them', async () => {
    for (const role of ['viewer', 'administrator']) {
      const page = await enter(role);
      const answers = [];
      page.on('response', async (r) => {
        if (/\/api\/(log|users|reviews|overview)/.test(r.url())) answers.push(r.text().catch(() => ''));
      });
      for (const name of ['overview', 'log?t=30d', 'log?group=1&t=30d', `log?open=${asked}`, 'users', 'summary']) await go(page, `#/${name}`);
      await go(page, `#/log?open=${asked}`);
      await page.waitForSelector('.drawer .tab-panel');
      for (const tab of await page.$$eval('.drawer [role=tab]', (all) => all.map((b) => b.id))) await page.click(`#${tab}`);
      assert.equal(await page.$('mark, [data-verdict], [data-reveal]'), null);
      const all = (await Promise.all(answers)).join('\n');
      assert.ok(all.includes(asked));
      for (const text of ['风声', 'grandmother', '13800', words.block, '越详细越好', '怎么写']) assert.ok(!all.includes(text), `${role} got ${text}`);
      await page.guard();
    }
  });
});

describe('hostile content', () => {
  test('of clients stays text: lists, groups, the drawer’s tabs, search', async () => {
    const page = await enter('reviewer');
    await go(page, `#/log?open=${asked}`);
    let seen = '';
    for (const tab of ['prompt', 'answer', 'rule', 'timings', 'conversation', 'raw', 'overview']) {
      await page.click(`#tab-${tab}`);
      seen += await page.textContent('.drawer');
    }
    assert.ok(seen.includes(hostile.script));
    // One exchange of each shape there is, by keyboard.
    for (let i = 0; i <= shapes.length; i++) {
      const was = await page.textContent('.drawer .drawer-bar .mono');
      await page.keyboard.press('j');
      await page.waitForFunction((x) => document.querySelector('.drawer .drawer-bar .mono')?.textContent !== x, was);
      for (const tab of ['prompt', 'raw', 'overview']) {
        await page.click(`#tab-${tab}`);
        seen += await page.textContent('.drawer');
      }
      await only_text(page, `drawer ${i}`);
    }
    for (const text of [hostile.attribute, hostile.markdown, hostile.formula, '<b>节点</b>RLO', '长长长长长长', 'Set-Cookie']) assert.ok(seen.includes(text), text);
    await page.keyboard.press('Escape');
    for (const name of ['overview', 'log?group=1&t=30d', 'review', 'review?view=single', 'summary', `log?t=30d&app=${encodeURIComponent(hostile.script)}`, `log?t=30d&rule=${encodeURIComponent(hostile.attribute)}`, `log?t=30d&text=${encodeURIComponent('evil.example')}`]) {
      await go(page, `#/${name}`);
      await only_text(page, name);
    }
    assert.ok((await ids(page)).length > 0, 'the search found them');
    await page.guard();
  });

  test('of people stays text: complaints, incidents, rules, versions, users', async () => {
    const page = await enter('reviewer');
    for (const name of ['tickets', 'incidents', 'users']) {
      await go(page, `#/${name}`);
      await only_text(page, name);
      for (const opener of (await page.$$('main table button.link')).slice(0, 7)) {
        await opener.click();
        await page.waitForSelector('dialog h3, dialog form');
        await page.waitForTimeout(80);
        await only_text(page, `${name}, opened`);
        await page.keyboard.press('Escape');
        await no_dialog(page);
      }
    }
    await page.guard();
    const publisher = await enter('publisher');
    for (const name of ['rules', 'rules/draft', 'rules/versions', 'rules/urgent', 'rules?q=svg']) {
      await go(publisher, `#/${name}`);
      await only_text(publisher, name);
    }
    await go(publisher, '#/rules/try');
    await publisher.fill('textarea', `${words.block} 银河<b>暗号</b> ${hostile.bidi}`);
    await publisher.click('form button[type=submit]');
    await publisher.waitForSelector('.quote mark');
    await only_text(publisher, 'try-out');
    await publisher.guard();
    for (const [role, name, text] of [['administrator', 'apps', hostile.script.slice(0, 60)], ['inspector', 'acts', hostile.script]]) {
      const other = await enter(role);
      await go(other, `#/${name}`);
      assert.ok((await other.textContent('main')).includes(text), name);
      await only_text(other, name);
      await other.guard();
    }
  });
});

describe('the table of interceptions', () => {
  const places = (page) => page.$$eval('table.log tbody tr', (all) => all.slice(0, 30).map((tr) => [tr.dataset.id, Math.round(tr.getBoundingClientRect().top)]));

  test('nothing moves when new ones arrive, until somebody asks', async () => {
    const page = await enter('reviewer');
    await go(page, '#/log');
    await page.click('table.log tbody tr:nth-child(5)');
    await page.waitForSelector('.drawer .tab-panel');
    const were = await places(page);
    const drawn = await page.textContent('.drawer');
    const fresh = [];
    for (let i = 0; i < 3; i++) fresh.unshift((await full.stack.chat(`第${i}次问${words.block}`)).headers.get('x-request-id'));
    await page.waitForSelector('button.news:not([hidden])');
    await page.waitForFunction(() => document.querySelector('button.news').textContent.includes('3'));
    assert.deepEqual(await places(page), were);
    assert.equal(await page.textContent('.drawer'), drawn);
    await page.keyboard.press('Escape');
    await page.keyboard.press('n');
    assert.deepEqual((await ids(page)).slice(0, 4), [...fresh, were[0][0]]);
    await page.guard();
  });

  test('filters stand in the address: a reload and a shared link show the same, "back" takes one off', async () => {
    const page = await enter('reviewer');
    await go(page, '#/log');
    await page.selectOption('#by-t', '30d');
    await settled(page);
    await page.click('details.filters summary');
    await page.selectOption('#by-action', 'flag');
    await settled(page);
    await page.fill('[data-search]', '地瓜');
    await page.press('[data-search]', 'Enter');
    await settled(page);
    await page.waitForFunction(() => document.querySelector('table.log tbody')?.textContent.includes('地瓜'));
    const rows = await ids(page);
    assert.equal(rows.length, 60);
    assert.equal(await page.$$eval('table.log tbody tr mark', (all) => new Set(all.map((m) => m.textContent)).size), 1);
    const url = page.url();
    await page.reload();
    await settled(page);
    await page.waitForSelector('table.log tbody tr');
    assert.deepEqual(await ids(page), rows);
    const other = await enter('inspector', { locale: 'en-GB' });
    await other.goto(url);
    await settled(other);
    await other.waitForSelector('table.log tbody tr');
    assert.deepEqual(await ids(other), rows);
    await other.guard();
    await page.goBack();
    await settled(page);
    await page.waitForFunction(() => document.querySelector('[data-search]')?.value === '');
    assert.equal(await page.inputValue('#by-action'), 'flag');
    await page.guard();
  });

  test('walked by keyboard over the ends of pages, with the match highlighted and the original on request', async () => {
    const page = await enter('reviewer');
    await go(page, '#/log?t=30d');
    await page.waitForSelector('table.log tbody tr');
    await page.keyboard.press('j');
    await page.keyboard.press('Enter');
    await page.waitForSelector('.drawer .tab-panel');
    const seen = [];
    for (let n = 0; n < 70; n++) {
      const id = await page.textContent('.drawer .drawer-bar .mono');
      seen.push(id);
      await page.keyboard.press('j');
      await page.waitForFunction((was) => document.querySelector('.drawer .drawer-bar .mono')?.textContent !== was, id);
    }
    const shown = await ids(page);
    assert.deepEqual(seen, shown.slice(0, 70), 'every one of them, in order');
    await page.keyboard.press('k');
    await drawer(page, shown[69]);
    await page.goto(`${base}#/log?t=30d&open=${asked}`);
    await settled(page);
    await drawer(page, asked);
    assert.equal(await page.$eval('.tab-panel .quote mark', (m) => m.textContent), words.block);
    assert.ok(!(await page.textContent('.tab-panel')).includes('13800138000'));
    await page.keyboard.press('o');
    await page.keyboard.type('投诉核实');
    await page.keyboard.press('Enter');
    await no_dialog(page);
    await page.click('#tab-prompt');
    await page.waitForFunction(() => document.querySelector('.tab-panel').textContent.includes('13800138000'));
    assert.ok(await page.$$eval('.tab-panel .quote mark', (all, word) => all.some((m) => m.textContent === word), words.block));
    await only_text(page, 'the original');
    const [act] = (await full.stack.log('--all')).filter((r) => r.reason === 'reveal');
    assert.match(act.detail, /投诉核实/);
    await page.guard();
  });
});
