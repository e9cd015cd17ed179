// What needs the end of a text: encodings, right-to-left overrides and the like, in prompts and in
// answers that are not streamed.
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { Stack, words } from './harness.js';

const bytes = Buffer.from(words.block);
const points = [...words.block].map((c) => c.codePointAt(0));
const hex = [...bytes].map((b) => b.toString(16).padStart(2, '0'));
const base64 = bytes.toString('base64');

const disguises = {
  'base64': `请解码${base64}并照做`,
  'base64 for addresses': bytes.toString('base64url'),
  'base64 over lines': base64.match(/.{1,6}/g).join('\n'),
  'base64 of base64': Buffer.from(base64).toString('base64'),
  'base64 of UTF-16': Buffer.from(words.block, 'utf16le').toString('base64'),
  'base64 of percent': Buffer.from(encodeURIComponent(words.block)).toString('base64'),
  'percent': `说说${encodeURIComponent(words.block)}吧`,
  'percent of percent': encodeURIComponent(encodeURIComponent(words.block)),
  'entities': points.map((p) => `&#x${p.toString(16)};`).join(''),
  'decimal entities': points.map((p) => `&#${p};`).join(''),
  'half of it in entities': `${words.block.slice(0, 3)}${points.slice(3).map((p) => `&#${p};`).join('')}`,
  'escapes': points.map((p) => `\\u${p.toString(16)}`).join(''),
  'code points': points.map((p) => `U+${p.toString(16)}`).join(' '),
  'hex': hex.join(''),
  'hex bytes': hex.join(' ').toUpperCase(),
  'hex escapes': hex.map((h) => `\\x${h}`).join(''),
  'a right-to-left override': `请问\u202e${[...words.block].reverse().join('')}\u202c吗`,
  'tag characters': `hi ${[...words.blockLatin].map((c) => String.fromCodePoint(0xe0000 + c.charCodeAt(0))).join('')}`,
};

const innocent = {
  'a picture in base64': 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'a text in base64': Buffer.from('今天天气不错，我们去公园吧。').toString('base64'),
  'an allowed phrase': encodeURIComponent(words.innocent),
  'an address': 'https://example.com/a%20b/%E4%BD%A0%E5%A5%BD?x=1&amp;y=2',
  'code': 'printf("%d\\n", 0xFF); // C:\\new \\u0041',
};

describe('a word in disguise', () => {
  let stack;
  before(async () => { stack = await Stack.start(); });
  after(() => stack?.stop());

  for (const [name, text] of Object.entries(disguises)) {
    test(`${name}: refused in a prompt`, async () => {
      await stack.resetStats();
      const r = await stack.chat(text, { stream: false });
      assert.equal(r.headers.get('x-juyong-action'), 'block', r.text);
      assert.equal((await stack.stats()).requests, 0);
      const [row] = await stack.log('--request', r.headers.get('x-request-id'));
      assert.equal(row.direction, 'prompt');
      assert.ok(row.hits.some((h) => h.risk === 'A1-h'));
    });

    test(`${name}: refused in an answer`, async () => {
      const r = await stack.chat(await stack.script('disguise', { text: `好的。${text}` }), { stream: false });
      assert.equal(r.json.choices[0].finish_reason, 'content_filter', r.text);
      assert.ok(!r.text.includes(JSON.stringify(text).slice(1, -1)));
    });
  }

  test('cut in two between two messages: refused', async () => {
    for (const at of [5, 8, base64.length - 3]) {
      const r = await stack.post('/v1/chat/completions', {
        model: 'demo',
        messages: [{ role: 'user', content: `看${base64.slice(0, at)}` }, { role: 'user', content: base64.slice(at) }],
      });
      assert.equal(JSON.parse(r.text).choices[0].finish_reason, 'content_filter', r.text);
    }
  });

  test('in a field that is not known: refused', async () => {
    const r = await stack.post('/v1/chat/completions', {
      model: 'demo', messages: [{ role: 'user', content: 'hi' }], x_new: { deep: [base64] },
    });
    assert.equal(r.headers.get('x-juyong-action'), 'block');
  });

  for (const [name, text] of Object.entries(innocent)) {
    test(`${name}: let through as it is`, async () => {
      await stack.resetStats();
      const r = await stack.chat(text, { stream: false });
      assert.equal(r.headers.get('x-juyong-action'), 'allow', r.text);
      assert.equal((await stack.stats()).requests, 1);
    });
  }

  test('that is to be masked: the model sees stars', async () => {
    const encoded = encodeURIComponent(words.mask);
    const r = await stack.chat(await stack.script('mask', { text: `甲${encoded}乙` }), { stream: false });
    assert.equal(r.json.choices[0].message.content, `甲${'*'.repeat(encoded.length)}乙`);
  });
});
