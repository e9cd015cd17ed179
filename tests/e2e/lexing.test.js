// Bodies that two JSON parsers might read differently, that can't be judged, or that ask for what is
// not allowed: each refused by its own name, without asking the model.
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { Stack, words } from './harness.js';

const m = '"messages":[{"role":"user","content":"hi"}]';
const user = (content) => `{"model":"demo","messages":[{"role":"user","content":${content}}]}`;

const refused = {
  'an empty body': ['', 400, 'invalid_json'],
  'blanks': ['   ', 400, 'invalid_json'],
  'not JSON': ['hello', 400, 'invalid_json'],
  'an array': ['[]', 400, 'bad_request'],
  'a duplicate key': [`{"model":"demo",${m},"model":"x"}`, 400, 'duplicate_key'],
  'a duplicate key by escape': [`{"model":"demo",${m},"mod\\u0065l":"x"}`, 400, 'duplicate_key'],
  'a duplicate content': ['{"model":"demo","messages":[{"role":"user","content":"ok","content":"bad"}]}', 400, 'duplicate_key'],
  'a case twin': ['{"model":"demo","messages":[{"role":"user","content":"ok","Content":"bad"}]}', 400, 'suspicious_key'],
  'a case twin alone': ['{"model":"demo","Messages":[]}', 400, 'suspicious_key'],
  'a twin by long s': ['{"model":"demo","me\u017f\u017fages":[]}', 400, 'suspicious_key'],
  'a key with a blank': ['{"model":"demo","messages ":[]}', 400, 'suspicious_key'],
  'a byte order mark': [`\ufeff{"model":"demo",${m}}`, 400, 'byte_order_mark'],
  'UTF-16': [Buffer.from(`{"model":"demo",${m}}`, 'utf16le'), 400, null],
  'trailing data': [`{"model":"demo",${m}} {}`, 400, 'trailing_data'],
  'a comment': [`{"model":"demo",/* */${m}}`, 400, 'invalid_json'],
  'single quotes': ["{'model':'demo'}", 400, 'invalid_json'],
  'NaN': [`{"model":"demo","temperature":NaN,${m}}`, 400, 'invalid_json'],
  'a lone surrogate': [user('"\\ud800"'), 400, 'lone_surrogate'],
  'an escaped NUL': [user('"a\\u0000b"'), 400, 'nul_character'],
  'an overlong form': [Buffer.concat([Buffer.from('{"model":"demo","messages":[{"role":"user","content":"'), Buffer.from([0xc0, 0xaf]), Buffer.from('"}]}')]), 400, 'invalid_utf8'],
  'a raw surrogate': [Buffer.concat([Buffer.from('{"model":"demo","messages":[{"role":"user","content":"'), Buffer.from([0xed, 0xa0, 0x80]), Buffer.from('"}]}')]), 400, 'invalid_utf8'],
  'depth 65': [`{"model":"demo",${m},"x":${'['.repeat(65)}${']'.repeat(65)}}`, 400, 'too_deep'],
  'too many nodes': [`{"model":"demo",${m},"x":[${Array(110000).fill('0').join(',')}]}`, null, 'too_many_nodes'],
  'stream as a string': [`{"model":"demo","stream":"true",${m}}`, 400, 'bad_request'],
  'stream as a number': [`{"model":"demo","stream":1,${m}}`, 400, 'bad_request'],
  'n as a string': [`{"model":"demo","n":"2",${m}}`, 400, 'bad_request'],
  'n below one': [`{"model":"demo","n":0,${m}}`, 400, 'bad_request'],
  'n past the ceiling': [`{"model":"demo","n":99,${m}}`, 400, 'bad_request'],
  'no model': [`{${m}}`, null, null],
  'a model that is not listed': [`{"model":"gpt-99",${m}}`, 404, 'model_not_allowed'],
  'an image': [user('[{"type":"text","text":"what is this"},{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo="}}]'), 400, 'media_denied'],
  'audio': [user('[{"type":"input_audio","input_audio":{"data":"UklGRg==","format":"wav"}}]'), 400, 'media_denied'],
};

// Wherever a string of a request could be read by the model.
const bad = JSON.stringify(words.block);
const half = [JSON.stringify(words.block.slice(0, 3)), JSON.stringify(words.block.slice(3))];
const judged = {
  'a user message': user(bad),
  'a part': user(`[{"type":"text","text":${bad}}]`),
  'two parts joined': user(`[{"type":"text","text":${half[0]}},{"type":"text","text":${half[1]}}]`),
  'two messages joined': `{"model":"demo","messages":[{"role":"user","content":${half[0]}},{"role":"user","content":${half[1]}}]}`,
  'the system message': `{"model":"demo","messages":[{"role":"system","content":${bad}},{"role":"user","content":"hi"}]}`,
  'an earlier turn': `{"model":"demo","messages":[{"role":"user","content":${bad}},{"role":"assistant","content":"no"},{"role":"user","content":"hi"}]}`,
  'an assistant message': `{"model":"demo","messages":[{"role":"assistant","content":${bad}},{"role":"user","content":"hi"}]}`,
  'a tool result': `{"model":"demo","messages":[{"role":"tool","tool_call_id":"a","content":${bad}}]}`,
  'the arguments of a tool call': `{"model":"demo","messages":[{"role":"assistant","content":null,"tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":${JSON.stringify(JSON.stringify({ q: words.block }))}}}]}]}`,
  'a name': `{"model":"demo","messages":[{"role":"user","name":${bad},"content":"hi"}]}`,
  'the description of a tool': `{"model":"demo",${m},"tools":[{"type":"function","function":{"name":"f","description":${bad}}}]}`,
  'an enum of a schema': `{"model":"demo",${m},"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{"a":{"enum":[${bad}]}}}}}]}`,
  'a key of a schema': `{"model":"demo",${m},"tools":[{"type":"function","function":{"name":"f","parameters":{"properties":{${bad}:{}}}}}]}`,
  'a response format': `{"model":"demo",${m},"response_format":{"type":"json_schema","json_schema":{"name":"a","description":${bad},"schema":{}}}}`,
  'a stop sequence': `{"model":"demo",${m},"stop":[${bad}]}`,
  'the prediction': `{"model":"demo",${m},"prediction":{"type":"content","content":${bad}}}`,
  'metadata': `{"model":"demo",${m},"metadata":{"a":${bad}}}`,
  'the user field': `{"model":"demo",${m},"user":${bad}}`,
  'reasoning sent back': `{"model":"demo","messages":[{"role":"assistant","content":"a","reasoning_content":${bad}},{"role":"user","content":"hi"}]}`,
  'an unknown field': `{"model":"demo",${m},"x_new_field":{"deep":[${bad}]}}`,
  'escapes': user(`"${[...words.block].map((c) => `\\u${c.codePointAt(0).toString(16).padStart(4, '0')}`).join('')}"`),
  'full width and case': user('"ＺＯＲＧＯＮ Acid RECIPE"'),
  'zero width characters': user(JSON.stringify([...words.block].join('\u200b'))),
  'separators': user(JSON.stringify([...words.block].join('*'))),
};

describe('a body', () => {
  let stack;
  before(async () => { stack = await Stack.start(); });
  after(() => stack?.stop());

  for (const [name, [body, status, code]] of Object.entries(refused)) {
    test(`with ${name} is refused`, async () => {
      await stack.resetStats();
      const r = await stack.post('/v1/chat/completions', body);
      const error = JSON.parse(r.text).error;
      assert.ok(r.status >= 400 && r.status < 500, `${r.status}`);
      if (status) assert.equal(r.status, status, r.text);
      if (code) assert.equal(error.code, code, r.text);
      assert.ok(error.message && error.type);
      assert.match(r.headers.get('x-request-id'), /\S/);
      assert.equal((await stack.stats()).requests, 0);
    });
  }

  for (const [name, body] of Object.entries(judged)) {
    test(`with a forbidden word in ${name} is refused`, async () => {
      await stack.resetStats();
      // Each from another end user: what one was refused before is known, and becomes a notice.
      const named = body.includes('"user":"') ? body : body.replace('{', `{"user":"${name.replaceAll(' ', '-')}",`);
      const r = await stack.post('/v1/chat/completions', named);
      assert.equal(r.headers.get('x-juyong-action'), 'block', r.text);
      assert.equal(JSON.parse(r.text).choices[0].finish_reason, 'content_filter');
      assert.equal((await stack.stats()).requests, 0);
      const [row] = await stack.log('--request', r.headers.get('x-request-id'));
      assert.equal(row.direction, 'prompt');
      assert.equal(row.risk, 'A1-h');
    });
  }

  test('token ids can\'t be judged', async () => {
    for (const prompt of [[15496, 995], [[1, 2], [3]]]) {
      const r = await stack.post('/v1/completions', { model: 'demo', prompt });
      assert.equal(r.status, 400);
      assert.equal(JSON.parse(r.text).error.code, 'unjudgeable');
    }
  });

  test('of a legacy prompt array is judged item by item', async () => {
    const r = await stack.post('/v1/completions', { model: 'demo', prompt: ['fine', words.block] });
    assert.equal(r.headers.get('x-juyong-action'), 'block');
  });

  test('hostile in size is answered in no time', async () => {
    for (const body of [
      user(JSON.stringify('琥珀炸弹'.repeat(100000))),
      user(JSON.stringify('a'.repeat(1900000))),
      `{"model":"demo",${m},"x":"${'\\u0061'.repeat(300000)}"}`,
      `{"model":"demo",${m},"x":${'9'.repeat(1000000)}}`,
      '['.repeat(1000000),
    ]) {
      const from = Date.now();
      const r = await stack.post('/v1/chat/completions', body);
      assert.ok(r.status < 500, `${r.status} ${r.text.slice(0, 200)}`);
      assert.ok(Date.now() - from < (process.env.JUYONG_SLOW ? 10000 : 2000), `${Date.now() - from} ms`);
    }
  });
});
