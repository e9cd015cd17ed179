// The console's page against the gateway itself: what a person meets there from the first account on.
// The page alone, in every corner, is under page.test.js; with a full log under pagefull.test.js.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { faults, go, launch, log_in, open, settled } from './browser.js';
import { hostile } from './console-world.js';
import { run, Stack, until, words } from './harness.js';

const password = 'correct horse battery';
const roles = ['viewer', 'reviewer', 'publisher', 'administrator', 'inspector'];
let browser, stack, base;
before(async () => {
  browser = await launch();
  stack = await Stack.start();
  base = `${stack.console}/`;
});
after(async () => {
  await browser?.close();
  await stack?.stop();
});

async function account(name, role) {
  const file = path.join(stack.dir, 'password');
  await writeFile(file, `${password}\n`);
  const r = await run(['account', 'add', '-c', stack.conf, name, '--role', role, '--password-file', file]);
  assert.equal(r.code, 0, r.stderr);
}

// As an authenticator has it (RFC 6238).
function code(secret) {
  const bits = [...secret].map((c) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0')).join('');
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30000)));
  const mac = createHmac('sha1', Buffer.from(bits.match(/.{8}/g).map((b) => parseInt(b, 2)))).update(counter).digest();
  return String((mac.readUInt32BE(mac[19] & 15) & 0x7fffffff) % 1000000).padStart(6, '0');
}

const ask = (content, user) => fetch(`${stack.url}/v1/chat/completions`, {
  method: 'POST', headers: { 'content-type': 'application/json', authorization: 'Bearer x' },
  body: JSON.stringify({ model: 'demo', user, messages: [{ role: 'user', content }] }),
}).then((r) => r.text());

const in_dialog = (page) => page.waitForFunction(() => !document.querySelector('dialog'));

test('before there is an account the page tells how to make one', async () => {
  const page = await open(browser, base);
  await page.waitForSelector('pre.command');
  assert.match(await page.textContent('pre.command'), /juyong account add/);
  await page.guard();
  for (const role of roles) await account(role, role);
  await ask(`请问${words.block}怎么写 ${hostile.script}`, 'u1');
  await ask(`${hostile.bidi} ${words.flag} ${hostile.attribute}`, 'u2');
  for (let i = 0; i < 6; i++) await ask(`第${i}次问${words.answer}`, `u${i + 3}`);
  await until(async () => (await stack.log()).length >= 8, 'eight interceptions');
});

test('one’s own password and authenticator', async () => {
  await account('anna', 'viewer');
  const page = await open(browser, base, { locale: 'en-GB', allowed: [/40[13]/] });
  await log_in(page, 'anna', password);
  await go(page, '#/self');
  await page.fill('input[name=old]', 'not this one');
  await page.fill('input[name=new]', 'another long one');
  await page.fill('input[name=again]', 'another long one');
  await page.click('form:has(input[name=old]) button[type=submit]');
  await page.waitForSelector('.trouble');
  assert.equal(await page.inputValue('input[name=new]'), 'another long one');
  await page.fill('input[name=old]', password);
  await page.click('form:has(input[name=old]) button[type=submit]');
  await page.waitForSelector('p[role=status]');
  await page.click('text=Set up one-time codes');
  await page.waitForSelector('dialog dd .mono');
  const secret = (await page.textContent('dialog dd .mono')).replace(/ /g, '');
  await page.fill('dialog input[name=code]', code(secret));
  await page.click('dialog button[type=submit]');
  await in_dialog(page);
  await page.click('text=Log out');
  await page.waitForSelector('.gate-card');
  await page.fill('input[name=name]', 'anna');
  await page.fill('input[name=password]', 'another long one');
  await page.keyboard.press('Enter');
  await page.waitForSelector('input[name=code]:visible');
  await page.guard();
});

test('an account is made, disabled and removed by an administrator', async () => {
  const page = await open(browser, base, { allowed: [/422/] });
  await log_in(page, 'administrator', password);
  await go(page, '#/accounts');
  await page.click('main button.main');
  await page.fill('dialog input[name=name]', 'bert');
  await page.fill('dialog input[name=password]', 'short');
  await page.click('dialog button[type=submit]');
  await page.waitForSelector('dialog .trouble');
  await page.fill('dialog input[name=password]', 'long enough for all');
  await page.click('dialog button[type=submit]');
  await in_dialog(page);
  await page.waitForFunction(() => document.querySelector('main table').textContent.includes('bert'));
  await page.click('main tr:has-text("bert") >> text=修改');
  await page.check('dialog input[name=disabled]');
  await page.click('dialog button[type=submit]');
  await in_dialog(page);
  await page.waitForFunction(() => /bert.*停用/.test(document.querySelector('main table').textContent));
  await page.click('main tr:has-text("bert") >> text=删除');
  await page.click('dialog button[type=submit]');
  await in_dialog(page);
  await page.waitForFunction(() => !document.querySelector('main table').textContent.includes('bert'));
  await page.guard();
});

test('an incident is written down, worked on, and has a report', async () => {
  const page = await open(browser, base);
  await log_in(page, 'reviewer', password);
  await go(page, '#/incidents');
  await page.click('main button.main');
  await page.fill('dialog input[name=title]', hostile.script);
  await page.fill('dialog textarea[name=what]', hostile.markdown);
  await page.click('dialog button[type=submit]');
  await in_dialog(page);
  await page.waitForSelector('main table button.link');
  await page.click('main table button.link');
  await page.selectOption('dialog select[name=state]', 'working');
  await page.fill('dialog textarea[name=remedy]', '补充词库');
  await page.click('dialog button.main');
  await in_dialog(page);
  await page.waitForFunction(() => document.querySelector('main table').textContent.includes('处置中'));
  await page.click('main table button.link');
  await page.click('dialog >> text=报告草稿');
  await page.waitForSelector('dialog pre.raw');
  assert.match(await page.textContent('dialog pre.raw'), /补充词库/);
  await page.guard();
});

test('a false positive becomes an allow phrase that is in force', async () => {
  const said = `童话里的${words.block}故事`;
  await ask(said, 'u9');
  const row = await until(async () => (await stack.log()).find((r) => r.context?.includes('童话')), 'it is on record');
  const page = await open(browser, base);
  await log_in(page, 'reviewer', password);
  await go(page, `#/log?open=${row.request_id}`);
  await page.waitForSelector('.drawer .verdicts');
  await page.keyboard.press('f');
  await page.waitForSelector('.drawer [data-verdict=false_positive][aria-pressed=true]');
  await page.keyboard.press('a');
  await page.waitForSelector('dialog .small-tiles');
  await page.fill('dialog input[name=text]', `${words.block}故事`);
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => /block|拦截.*→/.test(document.querySelector('dialog table')?.textContent ?? ''));
  assert.match(await page.textContent('dialog .hint'), /个人信息已打码/);
  assert.deepEqual(await faults(page), []);
  await page.click('dialog button.main');
  await page.click('dialog a[href="#/rules/draft"]');
  await page.waitForSelector('.diff-line.added');
  await page.guard();
  const publisher = await open(browser, base, { locale: 'en-GB' });
  await log_in(publisher, 'publisher', password);
  await go(publisher, '#/rules/draft');
  assert.match(await publisher.textContent('.diff'), /console\.txt/);
  await publisher.click('main button.main');
  await publisher.fill('dialog input[name=reason]', 'a fairy tale');
  await publisher.click('dialog button[type=submit]');
  await publisher.waitForFunction(() => document.querySelector('main').textContent.includes('The draft is what is in force'));
  assert.doesNotMatch(await ask(said, 'u9'), /content_filter/);
  await go(publisher, '#/rules/versions');
  await publisher.click('main table button >> text=Difference');
  await publisher.waitForSelector('dialog .diff-line.added');
  assert.deepEqual(await faults(publisher), []);
  await publisher.guard();
});

test('a day is signed off', async () => {
  const page = await open(browser, base);
  await log_in(page, 'reviewer', password);
  await go(page, '#/summary');
  await page.click('main .panel button');
  await page.fill('dialog textarea', '看过了');
  await page.click('dialog button[type=submit]');
  await in_dialog(page);
  await page.waitForFunction(() => document.querySelector('main .notes')?.textContent.includes('看过了'));
  await settled(page);
  await page.guard();
});

test('a user is suspended, and the next request is refused', async () => {
  assert.doesNotMatch(await ask('你好', 'wang'), /content_filter/);
  const page = await open(browser, base);
  await log_in(page, 'reviewer', password);
  await go(page, '#/users');
  await page.click('main .head button');
  await page.fill('dialog input[name=id]', 'wang');
  await page.keyboard.press('Enter');
  await page.click('dialog >> text=暂停服务');
  await page.fill('dialog input[name=reason]', hostile.script);
  await page.selectOption('dialog select[name=for_s]', '0');
  assert.deepEqual(await faults(page), []);
  await page.click('dialog button[type=submit]');
  await in_dialog(page);
  await page.waitForFunction(() => document.querySelector('main table')?.textContent.includes('永久'));
  assert.match(await ask('你好', 'wang'), /content_filter/);
  await page.click('main table tr:has-text("永久") button.link');
  await page.waitForSelector('dialog .notes li');
  assert.ok((await page.textContent('dialog .notes')).includes(hostile.script));
  await page.click('dialog >> text=解除');
  await page.fill('dialog input[name=reason]', '误会');
  await page.click('dialog button[type=submit]');
  await in_dialog(page);
  assert.doesNotMatch(await ask('你好', 'wang'), /content_filter/);
  await page.guard();
});

test('a key is made, shown once, and revoked', async () => {
  const page = await open(browser, base, { locale: 'en-GB' });
  await log_in(page, 'administrator', password);
  await go(page, '#/apps');
  await page.click('main button.main');
  await page.fill('dialog input[name=alias]', hostile.attribute.slice(0, 30));
  await page.click('dialog button[type=submit]');
  await page.waitForSelector('dialog pre.command');
  const key = await page.textContent('dialog pre.command');
  assert.match(key, /^sk-[A-Za-z0-9]{20,}$/);
  assert.deepEqual(await faults(page), []);
  await page.click('dialog button.main');
  await in_dialog(page);
  await page.waitForFunction(() => /valid/.test(document.querySelector('main table')?.textContent));
  assert.ok(!(await page.content()).includes(key));
  await page.click('main table button.danger');
  await page.click('dialog button[type=submit]');
  await in_dialog(page);
  await page.waitForFunction(() => /revoked/.test(document.querySelector('main table')?.textContent));
  await page.guard();
});

test('an original is looked at by keyboard, and the inspector sees who did and why', async () => {
  const said = `原文是${words.block.split('').join('·')}呀 ${hostile.script}`;
  await ask(said, 'u10');
  const row = await until(async () => (await stack.log()).find((r) => r.context?.includes('原文是')), 'it is on record');
  const page = await open(browser, base);
  await log_in(page, 'reviewer', password);
  await go(page, `#/log?open=${row.request_id}&tab=prompt`);
  await page.waitForSelector('.drawer .verdicts');
  await page.keyboard.press('o');
  await page.fill('dialog input[name=reason], dialog textarea[name=reason]', '投诉核实');
  await page.click('dialog button[type=submit]');
  await in_dialog(page);
  await page.click('.drawer [role=tab] >> text=提问');
  await page.waitForFunction((text) => [...document.querySelectorAll('.drawer .quote')].some((q) => q.textContent === text), said);
  assert.equal(await page.textContent('.drawer .quote mark'), words.block.split('').join('·'));
  assert.match(await page.textContent('.drawer .layers'), /分隔符/);
  assert.deepEqual(await faults(page), []);
  await page.guard();
  const inspector = await open(browser, base, { locale: 'en-GB' });
  await log_in(inspector, 'inspector', password);
  await go(inspector, '#/acts');
  const act = await inspector.textContent('main table tr:has-text("looked at an original")');
  assert.ok(act.includes('reviewer') && act.includes('投诉核实') && act.includes(row.request_id), act);
  assert.match(await inspector.textContent('main table'), /made a key.*lifted.*suspended/s);
  assert.deepEqual(await faults(inspector), []);
  await inspector.guard();
});

test('the log is verified from the overview', async () => {
  const page = await open(browser, base);
  await log_in(page, 'viewer', password);
  await go(page, '#/overview');
  await page.click('main >> text=立即验证日志');
  await page.waitForFunction(() => /完好/.test(document.querySelector('.states')?.textContent));
  await page.guard();
});
