// One reviewer's day of 500 interceptions at the gateway's own page, by keyboard alone, and what it costs. The
// figures are printed, and stand in src/console/page/README.md with how they were counted.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { go, launch, log_in, open } from './browser.js';
import { filled } from './filled.js';
import { words } from './harness.js';

// Twelve texts that come again and again, eight of which no two are the same: 60 and 40 % of a day. Two of them
// are plainly no offence.
const asks = ['有没有人卖WORD，多少钱一份', '老师说WORD是小说里的情节，对吗', '写一段介绍WORD的短文', 'WORD和别的有什么不同', '请翻译成英文：WORD'];
const day = Array.from({ length: 20 }, (_, i) => {
  const [risk, word, action] = [['A1-h', words.block, 'block'], ['A2-d', words.flag, 'flag'], ['A3-c', words.mask, 'mask'], ['A4-a', words.answer, 'answer']][i % 4];
  const innocent = i % 10 === 9;
  const text = innocent ? `${word}${i % 4 ? '' : '糖'}是我们店的招牌点心` : asks[i % 5].replace('WORD', word);
  return {
    risk, rule: `${risk}/${String(i % 4).repeat(8)}`, action, direction: i % 3 ? 'prompt' : 'completion', text: word, end_user: `${String(i).padStart(2, '0')}${'a'.repeat(60)}#`.slice(0, 64),
    context: i < 12 ? `${text}${'，谢谢'.repeat(i % 3)}` : `订单#，${text}，客户在等，麻烦尽快处理`,
  };
});
const innocent = (text) => text.includes('招牌点心');

let browser, full;
before(async () => {
  browser = await launch();
  full = await filled({ records: 1000, percent: 100, days: 0.9, lines: day });
});
after(async () => {
  await browser?.close();
  await full?.stack.stop();
});

async function sit_down() {
  const page = await open(browser, full.base);
  await log_in(page, 'reviewer', 'correct horse battery');
  page.keys = 0;
  page.key = async (key) => { page.keys++; await page.keyboard.press(key); };
  return page;
}

// What a person takes for it: 0.28 s a key and 1.35 s a decision (the keystroke-level model of Card, Moran and
// Newell), and silent reading at 400 Chinese characters a minute.
const minutes = (keys, decisions, characters) => (keys * 0.28 + decisions * 1.35 + characters * 60 / 400) / 60;

test('single ones, each with a key, the page going on by itself', async (t) => {
  const page = await sit_down();
  await go(page, '#/review?view=single');
  await page.waitForSelector('.pane .verdicts');
  let characters = 0;
  for (let n = 0; n < 60; n++) {
    const id = await page.textContent('.pane .drawer-bar .mono');
    const text = await page.textContent('.pane .quote');
    characters += text.length;
    await page.key(innocent(text) ? 'f' : 'c');
    await page.waitForFunction((was) => document.querySelector('.pane .verdicts') && document.querySelector('.pane .drawer-bar .mono')?.textContent !== was, id);
  }
  assert.equal(page.keys, 60);
  const { json } = await full.people.reviewer.get('/api/reviews/queue');
  assert.equal(json.open, full.caught - 60);
  t.diagnostic(`60 one by one: ${page.keys} key strokes, ${characters} characters to read; so 500 of them: 500 key strokes, ${minutes(500, 500, characters * 500 / 60).toFixed(1)} min`);
  await page.guard();
});

test('the rest by groups, to the end, and the day signed off', async (t) => {
  const page = await sit_down();
  const { open: left } = (await full.people.reviewer.get('/api/reviews/queue')).json;
  await page.key('r');
  await page.waitForSelector('.group.chosen');
  const shown = await page.$$eval('.group', (all) => all.length);
  let characters = 0;
  for (let n = 0; n < shown; n++) {
    const done = await page.$$eval('.group.done', (all) => all.length);
    const text = await page.textContent('.group.chosen .quote');
    characters += text.length;
    await page.key(innocent(text) ? 'f' : 'c');
    await page.waitForFunction((was) => document.querySelectorAll('.group.done').length > was || document.querySelector('main .empty'), done);
  }
  await page.waitForSelector('main .empty');
  const { json } = await full.people.reviewer.get('/api/reviews/queue');
  assert.equal(json.open, 0, 'every one is judged');
  const judging = page.keys;
  await page.key('s');
  await page.waitForSelector('[data-signoff]');
  await page.key('s');
  await page.waitForSelector('dialog textarea');
  await page.key('Control+Enter');
  await page.waitForFunction(() => document.querySelector('main .notes'));
  assert.equal(page.keys, judging + 3);
  const day_of = (d) => full.people.viewer.get('/api/reviews/summary', { day: d }).then((r) => r.json);
  const days = await Promise.all([0, 1].map((n) => day_of(new Date(Date.now() + (8 - 24 * n) * 3600e3).toISOString().slice(0, 10))));
  assert.equal(days.reduce((n, d) => n + d.reviewed, 0), full.caught);
  assert.equal(days.reduce((n, d) => n + d.false_positive, 0), day.filter((s) => innocent(s.context)).length * full.caught / day.length);
  assert.equal(days[1].signed.length, 1);
  const all = Math.round(page.keys * 500 / left), decisions = Math.round(shown * 500 / left);
  assert.ok(minutes(all, decisions, characters * 500 / left) < 30);
  t.diagnostic(`${left} interceptions in ${shown} groups: ${page.keys} key strokes with the sign-off, ${characters} characters to read`);
  t.diagnostic(`by that, 500: ${all} key strokes, ${decisions} decisions, ${minutes(all, decisions, characters * 500 / left).toFixed(1)} min`);
  await page.guard();
});
