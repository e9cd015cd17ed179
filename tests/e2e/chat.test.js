// What an application sees through the vendor's SDK, in both current majors.
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { Stack, until, words } from './harness.js';
import { ask, client, majors } from './clients.js';

const messages = (stack) => stack.log('--all');

for (const [name, OpenAI] of Object.entries(majors)) {
  describe(name, () => {
    let stack, strict, openai, counter;

    before(async () => {
      stack = await Stack.start();
      strict = await Stack.start({ config: { policy: { refusal: 'error' } } });
      ({ openai, counter } = client(OpenAI, stack));
    });
    after(async () => {
      await stack?.stop();
      await strict?.stop();
    });

    test('a plain answer arrives whole', async () => {
      const prompt = await stack.script('plain', { text: '长城有多长？很长。', logprobs: true });
      const { data, response } = await openai.chat.completions.create(ask(prompt)).withResponse();
      assert.equal(data.choices[0].message.content, '长城有多长？很长。');
      assert.equal(data.choices[0].finish_reason, 'stop');
      assert.equal(data.object, 'chat.completion');
      assert.ok(data.usage.total_tokens > 0);
      assert.match(response.headers.get('x-request-id'), /\S/);
      assert.equal(response.headers.get('x-juyong-action'), 'allow');
      assert.equal(data._request_id, response.headers.get('x-request-id'));
    });

    test('a stream arrives in its pieces', async () => {
      const prompt = await stack.script('stream', { text: ['Hello', ', ', 'world', '！'] });
      const pieces = [];
      let reason;
      for await (const chunk of await openai.chat.completions.create(ask(prompt, { stream: true }))) {
        const c = chunk.choices[0];
        if (c.delta.content) pieces.push(c.delta.content);
        reason = c.finish_reason ?? reason;
      }
      assert.deepEqual(pieces, ['Hello', ', ', 'world', '！']);
      assert.equal(reason, 'stop');
    });

    test('the streaming helper gathers the answer', async () => {
      const prompt = await stack.script('helper', { text: 'gathered again', chunk: 2 });
      const final = await openai.chat.completions.stream(ask(prompt)).finalChatCompletion();
      assert.equal(final.choices[0].message.content, 'gathered again');
      assert.equal(final.choices[0].finish_reason, 'stop');
    });

    test('tool calls arrive, streamed and not', async () => {
      const args = JSON.stringify({ city: '北京', days: 3 });
      const prompt = await stack.script('tools', { tool_calls: [
        { id: 'call_1', name: 'get_weather', arguments: args },
        { id: 'call_2', name: 'get_time', arguments: '{}' },
      ] });
      const tools = [{ type: 'function', function: { name: 'get_weather', description: 'weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } } }];
      for (const answer of [
        await openai.chat.completions.create(ask(prompt, { tools })),
        await openai.chat.completions.stream(ask(prompt, { tools })).finalChatCompletion(),
      ]) {
        const choice = answer.choices[0];
        assert.equal(choice.finish_reason, 'tool_calls');
        assert.equal(choice.message.tool_calls.length, 2);
        assert.equal(choice.message.tool_calls[0].id, 'call_1');
        assert.equal(choice.message.tool_calls[0].function.name, 'get_weather');
        assert.equal(choice.message.tool_calls[0].function.arguments, args);
        assert.equal(choice.message.tool_calls[1].function.arguments, '{}');
      }
    });

    test('two choices interleave', async () => {
      const prompt = await stack.script('two', { choices: [{ text: 'first of two', chunk: 1 }, { text: '第二个' }], chunk: 1 });
      const final = await openai.chat.completions.stream(ask(prompt, { n: 2 })).finalChatCompletion();
      assert.deepEqual(final.choices.map((c) => c.message.content), ['first of two', '第二个']);
      const whole = await openai.chat.completions.create(ask(prompt, { n: 2 }));
      assert.deepEqual(whole.choices.map((c) => c.message.content), ['first of two', '第二个']);
    });

    test('the usage chunk comes last and without choices', async () => {
      const prompt = await stack.script('usage', { text: 'count me' });
      const chunks = [];
      for await (const c of await openai.chat.completions.create(ask(prompt, { stream: true, stream_options: { include_usage: true } })))
        chunks.push(c);
      assert.deepEqual(chunks.at(-1).choices, []);
      assert.ok(chunks.at(-1).usage.completion_tokens > 0);
      assert.ok(chunks.slice(0, -1).every((c) => c.usage === null));
    });

    test('logprobs pass with clean text', async () => {
      const prompt = await stack.script('logprobs', { text: '每个字都有概率', chunk: 2 });
      const final = await openai.chat.completions.stream(ask(prompt, { logprobs: true })).finalChatCompletion();
      assert.equal(final.choices[0].logprobs.content.map((t) => t.token).join(''), '每个字都有概率');
    });

    test('reasoning passes beside the content', async () => {
      const prompt = await stack.script('reasoning', { reasoning: 'I think slowly.', text: 'Done.' });
      let reasoning = '', content = '';
      for await (const c of await openai.chat.completions.create(ask(prompt, { stream: true }))) {
        reasoning += c.choices[0].delta.reasoning_content ?? '';
        content += c.choices[0].delta.content ?? '';
      }
      assert.equal(reasoning, 'I think slowly.');
      assert.equal(content, 'Done.');
    });

    test('models are listed', async () => {
      const list = [];
      for await (const m of openai.models.list()) list.push(m.id);
      assert.deepEqual(list, ['demo']);
    });

    test('legacy completions, streamed and not', async () => {
      const prompt = await stack.script('legacy', { text: 'once upon a time' });
      const whole = await openai.completions.create({ model: 'demo', prompt });
      assert.equal(whole.choices[0].text, 'once upon a time');
      let text = '', reason;
      for await (const c of await openai.completions.create({ model: 'demo', prompt, stream: true })) {
        text += c.choices[0].text;
        reason = c.choices[0].finish_reason ?? reason;
      }
      assert.equal(text, 'once upon a time');
      assert.equal(reason, 'stop');
    });

    describe('a refused prompt', () => {
      const bad = `请告诉我${words.block}，谢谢`;

      before(async () => { await stack.resetStats(); counter.requests = 0; });

      test('is a message that says so', async () => {
        const { data, response } = await openai.chat.completions.create(ask(bad)).withResponse();
        assert.equal(data.choices[0].finish_reason, 'content_filter');
        assert.match(data.choices[0].message.content, /抱歉.*Sorry/);
        assert.equal(data.choices[0].message.role, 'assistant');
        assert.equal(data.model, 'demo');
        assert.equal(response.headers.get('x-juyong-action'), 'block');
        assert.ok(!JSON.stringify(data).includes('炸弹'));
      });

      test('is a short stream for who asked for one', async () => {
        const stream = await openai.chat.completions.create(ask(bad, { stream: true, stream_options: { include_usage: true } }));
        let text = '', reasons = [], usage;
        for await (const c of stream) {
          text += c.choices[0]?.delta.content ?? '';
          if (c.choices[0]?.finish_reason) reasons.push(c.choices[0].finish_reason);
          usage = c.usage ?? usage;
        }
        assert.match(text, /抱歉/);
        assert.deepEqual(reasons, ['content_filter']);
        assert.ok(usage, 'the usage that was asked for');
      });

      test('resolves the streaming helper', async () => {
        const final = await openai.chat.completions.stream(ask(bad)).finalChatCompletion();
        assert.equal(final.choices[0].finish_reason, 'content_filter');
      });

      test('gives each of n choices', async () => {
        const data = await openai.chat.completions.create(ask(bad, { n: 3 }));
        assert.deepEqual(data.choices.map((c) => [c.index, c.finish_reason]),
          [[0, 'content_filter'], [1, 'content_filter'], [2, 'content_filter']]);
      });

      test('makes structured output throw its own error', async () => {
        const response_format = { type: 'json_schema', json_schema: { name: 'a', schema: { type: 'object', properties: {} } } };
        await assert.rejects(openai.chat.completions.parse(ask(bad, { response_format })),
          (e) => e.constructor.name === 'ContentFilterFinishReasonError');
      });

      test('in legacy completions', async () => {
        const data = await openai.completions.create({ model: 'demo', prompt: bad });
        assert.equal(data.choices[0].finish_reason, 'content_filter');
        let reason;
        for await (const c of await openai.completions.create({ model: 'demo', prompt: bad, stream: true }))
          reason = c.choices[0].finish_reason ?? reason;
        assert.equal(reason, 'content_filter');
      });

      test('never reached the model, and was asked once each', async () => {
        assert.equal((await stack.stats()).requests, 0);
        assert.equal(counter.requests, 7);
      });
    });

    describe('with the refusal style error', () => {
      test('a refused prompt is one BadRequestError, streamed or not', async () => {
        const { openai, counter } = client(OpenAI, strict);
        await strict.resetStats();
        for (const stream of [false, true]) {
          counter.requests = 0;
          await assert.rejects(openai.chat.completions.create(ask(`x ${words.blockLatin} y`, { stream })), (e) => {
            assert.ok(e instanceof OpenAI.BadRequestError, e.constructor.name);
            assert.equal(e.status, 400);
            assert.equal(e.code, 'content_filter');
            assert.equal(e.type, 'invalid_request_error');
            assert.match(e.message, /抱歉/);
            assert.match(e.requestID, /\S/);
            assert.equal(e.param, 'messages[0].content');
            assert.ok(!e.message.includes('zorgon'));
            return true;
          });
          assert.equal(counter.requests, 1, 'no retry');
        }
        assert.equal((await strict.stats()).requests, 0);
      });

      test('a refused answer is one BadRequestError', async () => {
        const { openai, counter } = client(OpenAI, strict);
        const prompt = await strict.script('bad', { text: `step one: ${words.block}` });
        await strict.resetStats();
        await assert.rejects(openai.chat.completions.create(ask(prompt)), (e) => {
          assert.ok(e instanceof OpenAI.BadRequestError);
          assert.equal(e.code, 'content_filter');
          return true;
        });
        assert.equal(counter.requests, 1);
        assert.equal((await strict.stats()).requests, 1);
      });

      test('a stream that has begun still ends by its finish reason', async () => {
        const { openai } = client(OpenAI, strict);
        const prompt = await strict.script('cut', { text: ['A long and harmless beginning. ', ...words.block, ' tail'] });
        let text = '', reasons = [];
        for await (const c of await openai.chat.completions.create(ask(prompt, { stream: true }))) {
          text += c.choices[0].delta.content ?? '';
          if (c.choices[0].finish_reason) reasons.push(c.choices[0].finish_reason);
        }
        assert.ok(text.startsWith('A long and harmless beginning. '));
        assert.ok(![...words.block].some((ch) => text.slice(31).includes(ch) && !'无法'.includes(ch)), text);
        assert.deepEqual(reasons, ['content_filter']);
      });
    });

    describe('a refused answer', () => {
      test('is replaced as a whole when it is not streamed', async () => {
        const prompt = await stack.script('whole', { text: `before ${words.block} behind` });
        const data = await openai.chat.completions.create(ask(prompt));
        assert.equal(data.choices[0].finish_reason, 'content_filter');
        assert.ok(data.choices[0].message.content.length > 0);
        assert.ok(!/before|behind|琥珀/.test(JSON.stringify(data)));
      });

      test('is cut at the first character of the hit', async () => {
        const prompt = await stack.script('cut', { text: ['before ', ...words.block, ' behind'], delay_ms: 5 });
        const final = await openai.chat.completions.stream(ask(prompt)).finalChatCompletion();
        const content = final.choices[0].message.content;
        assert.equal(final.choices[0].finish_reason, 'content_filter');
        assert.ok(content.startsWith('before '), content);
        assert.ok(!/behind|琥|珀|炸|弹/.test(content), content);
      });

      test('is cut in the choice that hit, and closes the others', async () => {
        const prompt = await stack.script('cut2', { choices: [
          { text: ['one ', 'two ', 'three ', 'four ', 'five ', 'six ', 'seven '] },
          { text: ['uno ', words.block.slice(0, 3), words.block.slice(3), ' tail'] },
        ], delay_ms: 5 });
        const final = await openai.chat.completions.stream(ask(prompt, { n: 2 })).finalChatCompletion();
        assert.deepEqual(final.choices.map((c) => c.finish_reason), ['content_filter', 'content_filter']);
        assert.ok(!/tail|琥|珀|炸|弹/.test(JSON.stringify(final)));
      });

      test('in the arguments of a tool call leaves no call to run', async () => {
        const prompt = await stack.script('cuttool', { tool_calls: [
          { id: 'c', name: 'search', arguments: ['{"q":"', words.block.slice(0, 2), words.block.slice(2), '"}'] },
        ] });
        const final = await openai.chat.completions.stream(ask(prompt)).finalChatCompletion();
        assert.equal(final.choices[0].finish_reason, 'content_filter');
        assert.ok(!/琥|珀|炸|弹/.test(JSON.stringify(final)));
      });

      test('in the reasoning cuts the stream', async () => {
        const prompt = await stack.script('cutthink', { reasoning: ['let me think: ', ...words.block], text: 'never shown' });
        let seen = '', reasons = [];
        for await (const c of await openai.chat.completions.create(ask(prompt, { stream: true }))) {
          seen += c.choices[0].delta.reasoning_content ?? '';
          seen += c.choices[0].delta.content ?? '';
          if (c.choices[0].finish_reason) reasons.push(c.choices[0].finish_reason);
        }
        assert.ok(seen.startsWith('let me think: '));
        assert.ok(!/never shown|琥|珀|炸|弹/.test(seen), seen);
        assert.deepEqual(reasons, ['content_filter']);
      });

      test('cancels the upstream at once', async () => {
        const prompt = await stack.script('cancel', { text: ['begin ', words.block, ...Array(200).fill('more ')], delay_ms: 20 });
        await stack.resetStats();
        await openai.chat.completions.stream(ask(prompt)).finalChatCompletion();
        await until(async () => (await stack.stats()).cancelled === 1, 'the upstream is cancelled', 1000);
        assert.equal((await stack.stats()).requests, 1);
      });
    });

    describe('other actions', () => {
      test('mask: one star a character, and the stream goes on', async () => {
        const text = '王先生，13800138000，身份证 11010519491231002X。再见';
        const want = '王先生，***********，身份证 ******************。再见';
        for (const chunk of [1, 2, 4]) {
          const prompt = await stack.script('pii', { text, chunk });
          const final = await openai.chat.completions.stream(ask(prompt, { logprobs: true })).finalChatCompletion();
          assert.equal(final.choices[0].message.content, want);
          assert.equal(final.choices[0].finish_reason, 'stop');
          const tokens = (final.choices[0].logprobs?.content ?? []).map((t) => t.token).join('');
          assert.ok(!/138|0013|1949/.test(tokens), tokens);
        }
        const prompt = await stack.script('pii', { text, chunk: 4 });
        const whole = await openai.chat.completions.create(ask(prompt, { logprobs: true }));
        assert.equal(whole.choices[0].message.content, want);
        assert.ok(!/13800138000|11010519/.test(JSON.stringify(whole)));
      });

      test('answer: a prepared one instead of the model\'s', async () => {
        await stack.resetStats();
        const data = await openai.chat.completions.create(ask(`我想${words.answer}`));
        assert.match(data.choices[0].message.content, /12356/);
        assert.equal(data.choices[0].finish_reason, 'stop');
        const final = await openai.chat.completions.stream(ask(`我想${words.answer}`)).finalChatCompletion();
        assert.match(final.choices[0].message.content, /12356/);
        assert.equal((await stack.stats()).requests, 0);
      });

      test('answer: in place of what the model said', async () => {
        const prompt = await stack.script('sad', { text: `那就${words.answer}吧` });
        const data = await openai.chat.completions.create(ask(prompt));
        assert.match(data.choices[0].message.content, /12356/);
        assert.ok(!data.choices[0].message.content.includes('灰湖'));
      });

      test('flag: forwarded, and in the log', async () => {
        const prompt = await stack.script('flag', { text: `他是${words.flag}。` });
        const { data, response } = await openai.chat.completions.create(ask(prompt)).withResponse();
        assert.equal(data.choices[0].message.content, `他是${words.flag}。`);
        const id = response.headers.get('x-request-id');
        const rows = await stack.log('--request', id);
        assert.equal(rows.length, 1);
        assert.equal(rows[0].action, 'flag');
        assert.equal(rows[0].direction, 'completion');
      });

      test('the innocent word passes', async () => {
        const prompt = await stack.script('innocent', { text: `我爱吃${words.innocent}，真甜`, chunk: 1 });
        const final = await openai.chat.completions.stream(ask(`${words.innocent} ${prompt}`)).finalChatCompletion();
        assert.equal(final.choices[0].message.content, `我爱吃${words.innocent}，真甜`);
      });
    });

    test('a client that leaves takes the upstream with it', async () => {
      const prompt = await stack.script('leave', { text: Array(500).fill('more '), delay_ms: 20 });
      await stack.resetStats();
      const stream = await openai.chat.completions.create(ask(prompt, { stream: true }));
      let seen = 0;
      for await (const chunk of stream) if (++seen === 3) break;
      assert.equal(seen, 3);
      await until(async () => (await stack.stats()).cancelled === 1, 'the upstream is cancelled', 1000);
      const row = await until(async () => (await messages(stack)).find((r) => r.outcome === 'client_gone'), 'the record');
      assert.equal(row.complete, false);
    });

    test('a client that leaves before the first byte takes the upstream with it', async () => {
      const prompt = await stack.script('leave2', { fault: 'silent' });
      await stack.resetStats();
      const controller = new AbortController();
      const asked = openai.chat.completions.create(ask(prompt, { stream: true }), { signal: controller.signal });
      asked.catch(() => {});
      await until(async () => (await stack.stats()).active === 1, 'the upstream is asked');
      controller.abort();
      await assert.rejects(asked);
      await until(async () => (await stack.stats()).cancelled === 1, 'the upstream is cancelled', 1000);
    });
  });
}
