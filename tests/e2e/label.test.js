// Labels of AI-generated text: once, where the app wants it, and nowhere that a program reads.
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { collect, random, run, Stack, until, words } from './harness.js';
import { ask, client, majors } from './clients.js';

const zh = '（本内容由人工智能生成）';
const en = '(AI-generated content)';
const both = `${zh} ${en}`;
const code = '91440300TEST';

const row = async (stack, r) => until(async () =>
  (await stack.log('--all', '--request', r.headers.get('x-request-id'))).find((e) => e.outcome !== 'running'), 'the record');

// Both forms of one script's answer: the texts of its choices.
async function answers(stack, name, more = {}) {
  const whole = await stack.chat(name, more);
  const streamed = await stack.chat(name, { stream: true, ...more });
  assert.equal(whole.status, 200, whole.text);
  assert.ok(streamed.done, streamed.text);
  return {
    whole, streamed,
    texts: [whole.json.choices.map((c) => c.message.content), streamed.choices.map((c) => c.content)],
  };
}

const start = (policy, more = {}) => Stack.start({ config: { policy, service: { provider_code: code }, ...more } });

describe('label: ui', () => {
  let stack;
  before(async () => { stack = await start({}); });
  after(() => stack?.stop());

  test('alters no byte, says so in headers and on record', async () => {
    const body = JSON.stringify({ id: 'x', object: 'chat.completion', created: 1, model: 'demo', choices: [{ index: 0, message: { role: 'assistant', content: '你好' }, finish_reason: 'stop' }] });
    const whole = await stack.chat(await stack.script('body', { body }));
    assert.equal(whole.text, body);
    const events = [JSON.stringify({ id: 'x', model: 'demo', choices: [{ index: 0, delta: { content: '你好' } }] }),
      JSON.stringify({ id: 'x', model: 'demo', choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] })];
    const streamed = await stack.chat(await stack.script('events', { events }), { stream: true });
    assert.deepEqual(streamed.payloads, [...events, '[DONE]']);
    for (const r of [whole, streamed]) {
      const id = r.headers.get('x-request-id');
      assert.equal(r.headers.get('x-aigc-label'), '1');
      assert.equal(r.headers.get('x-aigc-content-producer'), code);
      assert.equal(r.headers.get('x-aigc-produce-id'), id);
      const reserved = r.headers.get('x-aigc-reserved-code1');
      assert.match(reserved, /^[0-9a-f]{64}$/);
      assert.equal((await run(['label', 'verify', '-c', stack.conf, id, reserved])).code, 0);
      assert.equal((await run(['label', 'verify', '-c', stack.conf, `${id}0`, reserved])).code, 1);
      assert.equal((await row(stack, r)).label, 'ui');
    }
  });

  test('a refusal is ours, not a model\'s', async () => {
    for (const stream of [false, true]) {
      const r = await stack.chat(`说 ${words.block} 吧`, { stream });
      assert.equal(r.headers.get('x-aigc-label'), null);
      assert.equal((await row(stack, r)).label ?? null, null);
    }
  });

  test('check tells that the app attests it', async () => {
    const r = await run(['check', '-c', stack.conf]);
    assert.match(r.stdout, /label of app default: ui: by this the app attests/);
  });
});

for (const mode of ['suffix', 'prefix']) {
  describe(`label: ${mode}`, () => {
    let stack;
    const labelled = (text, label = both) => (mode === 'suffix' ? `${text}\n\n${label}` : `${label}\n\n${text}`);
    before(async () => { stack = await start({ label: mode }); });
    after(() => stack?.stop());

    test('once, streamed and not, however the stream is split', async () => {
      const text = '长城很长，"引号"与\\反斜杠\n第二行 emoji 🎉 结束。';
      for (const chunk of [1, 2, 3, 7, 1000]) {
        const { texts, whole, streamed } = await answers(stack, await stack.script('plain', { text, chunk }));
        assert.deepEqual(texts, [[labelled(text)], [labelled(text)]]);
        assert.deepEqual(streamed.choices[0].finish, ['stop']);
        for (const r of [whole, streamed]) assert.equal((await row(stack, r)).label, mode);
      }
      const next = random(7);
      const points = [...text];
      for (let i = 0; i < 12; i++) {
        const pieces = [];
        for (let at = 0; at < points.length;) {
          const n = 1 + Math.floor(next() * 5);
          pieces.push(points.slice(at, at + n).join(''));
          at += n;
        }
        const split = await stack.script('split', { text: pieces, split_bytes: 1 + Math.floor(next() * 40) });
        const r = await stack.chat(split, { stream: true });
        assert.equal(r.choices[0].content, labelled(text));
      }
    });

    test('blanks before the text don\'t change the text with the splits', async () => {
      const seen = new Set();
      for (const text of [['\n\n  好的'], ['\n', '\n  ', '好', '的'], ['', '\n\n  ', '好的']]) {
        const r = await stack.chat(await stack.script('blank', { text }), { stream: true });
        seen.add(r.choices[0].content);
      }
      assert.deepEqual([...seen], [mode === 'suffix' ? `\n\n  好的\n\n${both}` : `\n\n  ${both}\n\n好的`]);
    });

    test('the text and the finish reason in one event', async () => {
      const events = [JSON.stringify({ id: 'x', model: 'demo', choices: [{ index: 0, delta: { role: 'assistant', content: '一次' }, finish_reason: 'length' }] })];
      const r = await stack.chat(await stack.script('once', { events }), { stream: true });
      assert.equal(r.choices[0].content, labelled('一次'));
      assert.equal(r.chunks.length, 1, 'no event of its own is needed');
      assert.deepEqual(r.choices[0].finish, ['length']);
    });

    test('each of n choices', async () => {
      const name = await stack.script('two', { choices: [{ text: '第一个回答', chunk: 1 }, { text: 'second answer', chunk: 2 }, { tool_calls: [{ id: 'c', name: 'f', arguments: '{}' }] }] });
      const { texts } = await answers(stack, name, { n: 3 });
      const want = [labelled('第一个回答'), labelled('second answer')];
      assert.deepEqual(texts[0].slice(0, 2), want);
      assert.deepEqual(texts[1].slice(0, 2), want);
      assert.ok(!texts[0][2] && !texts[1][2]);
    });

    test('never where a program reads: JSON mode, tool calls, code, JSON', async () => {
      const json = '{"answer": "好"}';
      const tool = { tool_calls: [{ id: 'c1', name: 'get', arguments: json }] };
      const tools = [{ type: 'function', function: { name: 'get', parameters: {} } }];
      const python = '```python\nprint("hi")\n```\n';
      for (const [name, script, more, why, text] of [
        ['json', { text: json }, { response_format: { type: 'json_object' } }, 'none:json', json],
        ['tool', tool, {}, 'none:tools', null],
        ['bare-tool', { tool_calls: [{ id: 'c1', name: 'get', arguments: '' }] }, {}, 'none:tools', null],
        ['said-tool', { text: '我来查一下。', ...tool }, { tools }, 'none:tools', '我来查一下。'],
        ['code', { text: python, chunk: 1 }, {}, 'none:code', python],
        ['bare', { text: ` ${json}\n`, chunk: 2 }, {}, 'none:code', ` ${json}\n`],
        ['empty', { text: '' }, {}, null, ''],
      ]) {
        const { texts, whole, streamed } = await answers(stack, await stack.script(name, script), more);
        for (const t of texts) assert.equal(t[0] || '', text || '', name);
        for (const r of [whole, streamed]) assert.equal((await row(stack, r)).label ?? null, why, name);
        if (name.endsWith('tool') && name !== 'bare-tool') {
          assert.equal(whole.json.choices[0].message.tool_calls[0].function.arguments, json);
          assert.equal(streamed.choices[0].tools[0].arguments, json);
        }
      }
    });

    test('text before a call that was not announced', async () => {
      const name = await stack.script('unasked', { text: '我来查一下。', chunk: 2, tool_calls: [{ id: 'c1', name: 'get', arguments: '{}' }] });
      const { texts, whole, streamed } = await answers(stack, name);
      assert.equal(texts[0][0], '我来查一下。');
      assert.equal((await row(stack, whole)).label, 'none:tools');
      // A stream could not know: what went out stays, and the record says so.
      assert.equal(texts[1][0], mode === 'suffix' ? '我来查一下。' : labelled('我来查一下。'));
      assert.equal((await row(stack, streamed)).label, mode === 'suffix' ? 'none:tools' : 'prefix');
      for (const r of [whole.json.choices[0].message.tool_calls[0].function, streamed.choices[0].tools[0]])
        assert.equal(r.arguments, '{}');
    });

    test('a chat that offers tools is labelled where none is called', async () => {
      const tools = [{ type: 'function', function: { name: 'get', parameters: {} } }];
      const { texts, streamed } = await answers(stack, await stack.script('offered', { text: '不用查。', chunk: 1 }), { tools });
      assert.deepEqual(texts, [[`不用查。\n\n${both}`], [`不用查。\n\n${both}`]], 'behind it: a call might have followed');
      assert.equal((await row(stack, streamed)).label, 'suffix');
    });

    test('what is no statement of the model\'s does not keep ours away', async () => {
      for (const own of ['本文由人工撰写，而非AI生成', 'Not generated by AI.', '<!-- 本内容由AI生成 -->', '\u200b~~AI生成~~']) {
        const text = `答案是四十二。\n\n${own}`;
        const { texts, whole } = await answers(stack, await stack.script('denied', { text, chunk: 2 }));
        assert.deepEqual(texts, [[labelled(text)], [labelled(text)]], own);
        assert.equal((await row(stack, whole)).label, mode);
      }
    });

    test('code with prose around it is labelled behind it', async () => {
      const text = '```js\n1\n```\n这样就行了。';
      const { texts } = await answers(stack, await stack.script('mixed', { text, chunk: 3 }));
      assert.deepEqual(texts, [[`${text}\n\n${both}`], [`${text}\n\n${both}`]]);
    });

    test('a label of the model\'s own is left alone, and ours not added', async () => {
      for (const own of ['（以上内容由AI生成，仅供参考）', '*This response was generated by ChatGPT, an AI assistant.*', '【人工智能合成】', 'AI生成']) {
        const text = `答案是四十二。\n\n${own}`;
        const { texts, whole } = await answers(stack, await stack.script('own', { text, chunk: 2 }));
        if (mode === 'suffix') {
          assert.deepEqual(texts, [[text], [text]], own);
          assert.equal((await row(stack, whole)).label, 'none:own');
        }
      }
      const front = `${zh}\n\n答案是四十二。`;
      const { texts } = await answers(stack, await stack.script('front', { text: front, chunk: 1 }));
      assert.deepEqual(texts, [[front], [front]]);
    });

    test('an answer about labels is no label', async () => {
      const text = 'AI生成的内容需要添加标识。';
      const { texts } = await answers(stack, await stack.script('about', { text }));
      assert.deepEqual(texts, [[labelled(text)], [labelled(text)]]);
    });

    test('a masked answer is labelled, too', async () => {
      const text = `代号是${words.mask}。`;
      const { texts } = await answers(stack, await stack.script('mask', { text, chunk: 2 }));
      assert.deepEqual(texts[0], texts[1]);
      assert.equal(texts[0][0], labelled(`代号是${'*'.repeat([...words.mask].length)}。`));
    });

    test('a cut answer is labelled on what was shown', async () => {
      const r = await stack.chat(await stack.script('cut', { text: ['前面是好的。', '然后', words.block, '后面'] }), { stream: true });
      assert.deepEqual(r.choices[0].finish, ['content_filter']);
      const shown = mode === 'suffix' ? `前面是好的。然后\n\n${both}\n\n` : `${both}\n\n前面是好的。然后\n\n`;
      assert.ok(r.choices[0].content.startsWith(shown), r.choices[0].content);
      assert.equal(r.choices[0].content.split(zh).length, 2, 'once');
      assert.equal((await row(stack, r)).label, mode);
      // Nothing shown, nothing to label.
      const none = await stack.chat(await stack.script('all', { text: words.block }), { stream: true });
      assert.ok(!none.text.includes(zh));
      assert.equal((await row(stack, none)).label ?? null, null);
    });

    test('a stream that breaks off is labelled before its error', async () => {
      const r = await stack.chat(await stack.script('broken', { text: ['前半段。', '后半段。'], fault: 'error_event' }), { stream: true });
      assert.ok(r.error);
      assert.equal(r.choices[0].content.split(zh).length, 2, r.text);
    });

    test('the text API as well, but no gap in a text', async () => {
      const name = await stack.script('text', { text: '补全的内容', chunk: 1 });
      for (const stream of [false, true]) {
        const r = await stack.post('/v1/completions', { model: 'demo', prompt: name, stream });
        const text = stream
          ? collect(r.text.split('\n\n').filter((e) => e.startsWith('data: {')).map((e) => JSON.parse(e.slice(6))))[0].content
          : JSON.parse(r.text).choices[0].text;
        assert.equal(text, labelled('补全的内容'));
        const gap = await stack.post('/v1/completions', { model: 'demo', prompt: name, suffix: 'return x;', stream });
        assert.ok(!gap.text.includes(zh));
      }
    });

    test('coming back as history it is not doubled, and goes on as it came', async () => {
      const history = [{ role: 'user', content: '问一' }, { role: 'assistant', content: labelled('答一') },
        { role: 'user', content: await stack.script('again', { text: '答二' }) }];
      await stack.resetStats();
      const r = await stack.chat(history, { stream: true });
      assert.equal(r.choices[0].content, labelled('答二'));
      const sent = JSON.parse((await stack.stats()).last_body);
      assert.deepEqual(sent.messages, history);
    });

    for (const [name, OpenAI] of Object.entries(majors)) {
      test(`${name} reads it`, async () => {
        const { openai } = client(OpenAI, stack);
        const prompt = await stack.script('sdk', { text: '一个回答', chunk: 1 });
        const final = await openai.chat.completions.stream(ask(prompt, { n: 2, stream_options: { include_usage: true } })).finalChatCompletion();
        assert.deepEqual(final.choices.map((c) => c.message.content), [labelled('一个回答'), labelled('一个回答')]);
        assert.ok(final.usage.total_tokens > 0);
        const { data, response } = await openai.chat.completions.create(ask(prompt)).withResponse();
        assert.equal(data.choices[0].message.content, labelled('一个回答'));
        assert.equal(response.headers.get('x-aigc-produce-id'), data._request_id);
        const args = JSON.stringify({ city: '北京' });
        const tools = await stack.script('sdktools', { tool_calls: [{ id: 'c1', name: 'get', arguments: args }] });
        const called = await openai.chat.completions.stream(ask(tools)).finalChatCompletion();
        assert.equal(called.choices[0].message.tool_calls[0].function.arguments, args);
        assert.ok(!called.choices[0].message.content);
      });
    }
  });
}

describe('a label in history', () => {
  test('is no offence, though a rule forbids its words', async () => {
    const stack = await start({ label: 'suffix', language: 'zh' }, { labels: { zh: `（AI生成，${words.blockLatin}）` } });
    try {
      const label = `（AI生成，${words.blockLatin}）`;
      const prompt = await stack.script('next', { text: '好的' });
      const ask1 = (answer) => stack.chat([{ role: 'user', content: '问' }, { role: 'assistant', content: answer }, { role: 'user', content: prompt }]);
      const fine = await ask1(`答\n\n${label}`);
      assert.equal(fine.json.choices[0].finish_reason, 'stop');
      assert.equal(fine.json.choices[0].message.content, `好的\n\n${label}`);
      assert.equal((await row(stack, fine)).action, 'allow');
      // The words themselves, and words beside the label, are judged as ever.
      assert.equal((await ask1(`答 ${words.blockLatin} 完`)).json.choices[0].finish_reason, 'content_filter');
      assert.equal((await ask1(`${words.block}\n\n${label}`)).json.choices[0].finish_reason, 'content_filter');
      assert.equal((await stack.chat(`问\n\n${label}`)).json.choices[0].finish_reason, 'content_filter', 'of a user it is none');
    } finally {
      await stack.stop();
    }
  });
});

describe('the machine\'s label in the body', () => {
  test('once, with the record\'s id, and not where one is', async () => {
    const stack = await start({}, { labels: { body: true } });
    try {
      const { whole, streamed } = await answers(stack, await stack.script('m', { text: '你好', chunk: 1 }), { n: 2 });
      const check = (aigc, r) => {
        assert.deepEqual(Object.keys(aigc), ['Label', 'ContentProducer', 'ProduceID', 'ReservedCode1']);
        assert.equal(aigc.Label, '1');
        assert.equal(aigc.ContentProducer, code);
        assert.equal(aigc.ProduceID, r.headers.get('x-request-id'));
        assert.equal(aigc.ReservedCode1, r.headers.get('x-aigc-reserved-code1'));
        for (const v of Object.values(aigc)) assert.match(v, /^[\x21-\x7e]+$/);
      };
      check(whole.json.aigc, whole);
      const marked = streamed.chunks.filter((c) => c.aigc);
      assert.equal(marked.length, 1);
      check(marked[0].aigc, streamed);
      assert.equal(whole.json.choices[0].message.content, '你好', 'no visible one');
      const body = JSON.stringify({ id: 'x', model: 'demo', AIGC: { Label: '1', ContentProducer: 'them' }, choices: [{ index: 0, message: { role: 'assistant', content: '好' }, finish_reason: 'stop' }] });
      assert.equal((await stack.chat(await stack.script('theirs', { body }))).text, body);
    } finally {
      await stack.stop();
    }
  });
});

describe('label: user-requested-none', () => {
  let stack;
  before(async () => { stack = await start({ label: 'user-requested-none', language: 'zh' }); });
  after(() => stack?.stop());
  const label = (...args) => run(['label', ...args, '-c', stack.conf]);
  const ask1 = async (user) => {
    const r = await stack.chat(await stack.script('u', { text: '回答' }), user ? { user } : {});
    return { text: r.json.choices[0].message.content, label: (await row(stack, r)).label };
  };

  test('only for end users with a consent, until it is withdrawn', async () => {
    assert.deepEqual(await ask1('alice'), { text: `回答\n\n${zh}`, label: 'suffix' });
    assert.equal((await label('consent', '--end-user', 'alice')).code, 2, 'to what?');
    const given = await label('consent', '--end-user', 'alice', '--agreement', '用户协议 v2 第8条', '--author', 'ops');
    assert.equal(given.code, 0, given.stderr);
    await until(async () => (await ask1('alice')).label === 'none:consent', 'the gateway knows');
    assert.equal((await ask1('alice')).text, '回答');
    assert.equal((await ask1('bob')).label, 'suffix');
    assert.equal((await ask1(null)).label, 'suffix');
    assert.equal((await label('withdraw', '--end-user', 'alice')).code, 0);
    await until(async () => (await ask1('alice')).label === 'suffix', 'and that it is over');
    const lines = (await label('list', '--json')).stdout.trim().split('\n').map((l) => JSON.parse(l));
    assert.deepEqual(lines.map((l) => [l.act, l.app, l.agreement, l.author]), [['consent', 'default', '用户协议 v2 第8条', 'ops'], ['withdraw', 'default', '', '']]);
    const [record] = await stack.log('--all', '--end-user', 'alice', '-n', '1');
    assert.equal(lines[0].end_user, record.end_user, 'named as records name him');
    assert.equal((await label('list', '--end-user', 'bob')).stdout, '');
  });

  test('a damaged file labels everyone, and the commands say where', async () => {
    assert.equal((await label('consent', '--end-user', 'carol', '--agreement', 'v2')).code, 0);
    await until(async () => (await ask1('carol')).label === 'none:consent', 'the gateway knows');
    const file = path.join(stack.dir, 'state', 'consents.jsonl');
    const good = await readFile(file, 'utf8');
    await writeFile(file, `${good}{"act":"consent"}\n`);
    await until(async () => (await ask1('carol')).label === 'suffix', 'everyone is labelled');
    const bad = await label('list');
    assert.equal(bad.code, 1);
    assert.match(bad.stderr, /consents\.jsonl:4: no line of consents/);
    // A line that was only begun when the power went is cut off by the next one.
    await writeFile(file, `${good}{"act":"con`);
    assert.equal((await label('consent', '--end-user', 'dora', '--agreement', 'v2')).code, 0);
    await until(async () => (await ask1('carol')).label === 'none:consent', 'mended');
    assert.equal((await ask1('dora')).label, 'none:consent');
  });
});

describe('the configuration of labels', () => {
  test('a text without both elements is an error with its place', async () => {
    const stack = await start({});
    try {
      for (const [labels, message] of [
        [{ zh: 'AI助手' }, /the label must name generation/],
        [{ zh: '本内容自动生成' }, /the label must name AI/],
        [{ en: 'Generated by OPENAIR' }, /the label must name AI/],
        [{ en: 'made by AI' }, /the label must name generation/],
      ]) {
        await stack.configure({ labels });
        const r = await run(['check', '-c', stack.conf]);
        assert.equal(r.code, 1);
        assert.match(r.stderr, message);
        assert.match(r.stderr, /juyong\.yaml:\d+:\d+: /);
      }
      await stack.configure({ labels: { zh: '人工智能合成', en: 'AI-Generated' }, service: { provider_code: '某某科技' } });
      assert.match((await run(['check', '-c', stack.conf])).stderr, /'provider_code' must be printable ASCII/);
      await stack.configure({ labels: { zh: '人工智能合成', en: 'AI-Generated' } });
      assert.equal((await run(['check', '-c', stack.conf])).code, 0);
    } finally {
      await stack.stop();
    }
  });
});
