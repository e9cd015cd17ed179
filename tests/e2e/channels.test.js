// A forbidden word in any channel of an answer, in any split: no character of it is anywhere in the
// bytes that reach the client, neither in a string nor spelled as bytes.
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { Stack, words } from './harness.js';

const bad = `开头${words.block}结尾`;
// The notice shown in place of the rest has none of these.
const forbidden = /[琥珀炸弹配方]|结尾/;

const channels = {
  content: (text) => ({ text }),
  reasoning: (text) => ({ reasoning: text, text: 'fine' }),
  refusal: (text) => ({ refusal: text }),
  'tool arguments': (text) => ({ tool_calls: [{ id: 'c', name: 'f', arguments: Array.isArray(text) ? ['{"q":"', ...text, '"}'] : `{"q":"${text}"}` }] }),
  'escaped tool arguments': (text) => ({ tool_calls: [{ id: 'c', name: 'f', arguments: `{"q":"${[...[].concat(text).join('')].map((c) => `\\u${c.codePointAt(0).toString(16)}`).join('')}"}` }] }),
  'a tool\'s name': (text) => ({ tool_calls: [{ id: 'c', name: [].concat(text).join(''), arguments: '{}' }] }),
  'the second choice': (text) => ({ choices: [{ text: 'one, two, three, four' }, { text }] }),
};

// Every string of a JSON value, decoded, and every array of numbers as the UTF-8 it spells.
function* strings(v) {
  if (typeof v === 'string') {
    yield v;
    // Arguments are JSON within JSON.
    if (v.includes('\\u')) yield v.replace(/\\u([0-9a-f]{4})/g, (_, h) => String.fromCharCode(parseInt(h, 16)));
  }
  if (Array.isArray(v) && v.length && v.every((n) => Number.isInteger(n))) yield Buffer.from(v).toString();
  if (v && typeof v === 'object') for (const [k, inner] of Object.entries(v)) { yield k; yield* strings(inner); }
}

describe('no channel leaks', () => {
  let stack;
  before(async () => { stack = await Stack.start(); });
  after(() => stack?.stop());

  for (const [name, script] of Object.entries(channels)) {
    for (const logprobs of [false, true]) {
      test(`${name}${logprobs ? ' with logprobs' : ''}`, async () => {
        for (const text of [bad, [...bad], [bad.slice(0, 4), bad.slice(4, 7), bad.slice(7)], [bad.slice(0, 2), bad.slice(2)]]) {
          for (const delay_ms of [0, 3]) {
            const prompt = await stack.script('channel', { ...script(text), chunk: 0, delay_ms });
            const n = name === 'the second choice' ? 2 : 1;
            for (const stream of [true, false]) {
              const r = await stack.chat(prompt, { stream, logprobs, top_logprobs: logprobs ? 1 : undefined, n });
              const where = `${JSON.stringify(text)} stream ${stream}: ${r.text}`;
              assert.equal(r.status, 200, where);
              const values = stream ? r.chunks : [r.json];
              for (const s of strings(values)) assert.doesNotMatch(s, forbidden, where);
              const reasons = stream ? r.choices.map((c) => c.finish) : r.json.choices.map((c) => [c.finish_reason]);
              for (const [i, reason] of reasons.entries())
                assert.ok(reason.length === 1 && (reason[0] === 'content_filter' || (n === 2 && i === 0)), where);
            }
          }
        }
      });
    }
  }
});
