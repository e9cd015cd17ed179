// The promise that the gateway stands on: however an upstream splits its stream, the client sees the
// same text and the same outcome, and not one character of a forbidden match. A seeded sample of
// texts × splits × refusal styles.
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { Stack, quick, random, soak, words } from './harness.js';

const b = words.block;
const spaced = [...b].join('\u200b');

// [text, what the client sees before a cut, cut?]; without a cut the last part must be exact.
const texts = [
  ['没有什么不好的，😀 一切正常。', '没有什么不好的，😀 一切正常。', false],
  [`前言。${b}后话。`, '前言。', true],
  [`${b}`, '', true],
  [`琥珀很美，琥珀炸酱面也好吃，${b}`, '琥珀很美，琥珀炸酱面也好吃，', true],
  [`琥珀琥珀炸弹琥珀炸弹配${b}`, '琥珀琥珀炸弹琥珀炸弹配', true],
  [`我爱吃${words.innocent}。`, `我爱吃${words.innocent}。`, false],
  [`${words.innocent}和${b}不同`, `${words.innocent}和`, true],
  [`😀😀${b}`, '😀😀', true],
  [`zero width: ${spaced}!`, 'zero width: ', true],
  ['Full width: ＺＯＲＧＯＮ ＡＣＩＤ ＲＥＣＩＰＥ!', 'Full width: ', true],
  ['The ZORGON Acid Recipe.', 'The ', true],
  ['The zorgon acid recipes are a zorgon acid', 'The zorgon acid recipes are a zorgon acid', false],
  [`${words.mask}是甲`, '****是甲', false],
  ['电话 13800138000，完', '电话 ***********，完', false],
  ['号码 1380013800 不全', '号码 1380013800 不全', false],
  ['身份证11010519491231002X', '身份证******************', false],
  ['"引号"\\反斜\n换行\t制表 <b>&amp;', '"引号"\\反斜\n换行\t制表 <b>&amp;', false],
];

const chunk = (content) => JSON.stringify({
  id: 'c', object: 'chat.completion.chunk', created: 1, model: 'demo',
  choices: [{ index: 0, delta: { content }, finish_reason: null }],
});
const stop = JSON.stringify({
  id: 'c', object: 'chat.completion.chunk', created: 1, model: 'demo',
  choices: [{ index: 0, delta: {}, finish_reason: 'stop' }],
});

// Cuts at UTF-16 units, so that a pair of surrogates may be spread over two events: JSON.stringify
// then writes each half as an escape, as some upstreams do.
function units(text, sizes) {
  const parts = [];
  for (let at = 0, i = 0; at < text.length; i++) {
    const n = sizes(i);
    parts.push(text.slice(at, at + n));
    at += n;
  }
  return parts;
}

const splits = {
  'one event': (t) => [t],
  'code points': (t) => [...t],
  'units': (t) => units(t, () => 1),
  'pairs of units': (t) => units(t, () => 2),
  'threes': (t) => units(t, () => 3),
  'sevens': (t) => units(t, () => 7),
  'empty events between': (t) => [...t].flatMap((c) => [c, '']),
  'at random': (t, r) => units(t, () => 1 + Math.floor(r() * 6)),
  'all but the last': (t) => [t.slice(0, -1), t.slice(-1)],
};
// Bytes a write: the events themselves are torn anywhere.
const writes = [0, 1, 2, 5, 13, 64];

describe('splits', () => {
  let message, error;
  before(async () => {
    message = await Stack.start();
    error = await Stack.start({ config: { policy: { refusal: 'error' } } });
  });
  after(async () => {
    await message?.stop();
    await error?.stop();
  });

  const all = [];
  for (const [t] of texts.entries())
    for (const split of Object.keys(splits))
      for (const bytes of writes)
        for (const style of ['message', 'error'])
          all.push({ t, split, bytes, style });
  const r = random(20260101);
  const sample = all.map((cell) => [r(), cell]).sort((x, y) => x[0] - y[0]).map(([, cell]) => cell)
    .slice(0, soak ? all.length : quick ? 80 : 300);

  for (const [t, [text, want, cut]] of texts.entries()) {
    const cells = sample.filter((cell) => cell.t === t);
    test(`${JSON.stringify(text)} in ${cells.length} splits`, async () => {
      for (const { split, bytes, style } of cells) {
        const where = `${split}, ${bytes} bytes a write, style ${style}`;
        const stack = style === 'error' ? error : message;
        const parts = splits[split](text, random(t + bytes));
        const prompt = await stack.script('split', {
          events: [chunk('').replace('"content":""', '"role":"assistant","content":""'), ...parts.map(chunk), stop, '[DONE]'],
          split_bytes: bytes, delay_ms: 0,
        });
        const got = await stack.chat(prompt, { stream: true });
        assert.equal(got.status, 200, where);
        assert.ok(got.done, where);
        const choice = got.choices[0];
        assert.deepEqual(choice.finish, [cut ? 'content_filter' : 'stop'], where);
        assert.equal(withoutNotice(choice.content), want, where);
        const [row] = await stack.log('--all', '--request', got.headers.get('x-request-id'));
        assert.equal(row.action, cut ? 'block' : want.includes('*') ? 'mask' : 'allow', where);
      }
    });
  }
});

// What is shown in place of the rest, which the splits can't change either.
function withoutNotice(content) {
  const at = content.indexOf('抱歉，我无法');
  return at < 0 ? content : content.slice(0, at).replace(/\n+$/, '');
}
