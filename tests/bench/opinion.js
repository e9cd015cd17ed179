// What a second opinion costs whoever waits for the first word: answers whose first token takes longer
// than the opinion, with and without one, in turns. Prints figures, asserts none.
//
//   node tests/bench/opinion.js [--rounds N] [--guard MS] [--first MS]
import { parseArgs } from 'node:util';
import { Guard } from '../e2e/guard.js';
import { Stack } from '../e2e/harness.js';

const { values } = parseArgs({ options: {
  rounds: { type: 'string', default: '60' }, guard: { type: 'string', default: '50' },
  first: { type: 'string', default: '120' },
} });
const rounds = Number(values.rounds), first = Number(values.first);

const guard = await Guard.start();
guard.delay = Number(values.guard);
const opinions = [{ name: 'guard', kind: 'webhook', url: `${guard.url}/judge`, cache: 0 }];
const rows = {
  'no opinion': undefined,
  'of the prompt': [{ from: 'guard', direction: 'prompt' }],
  'of prompt and answer, by sentence': [{ from: 'guard' }],
};

// Milliseconds to the first word and to the end, as a client sees them.
async function ask(stack, body) {
  const begin = performance.now();
  const r = await fetch(`${stack.url}/v1/chat/completions`, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body,
  });
  let word, text = '';
  for await (const part of r.body) {
    text += Buffer.from(part).toString();
    if (!word && /"content":"[^"]/.test(text)) word = performance.now() - begin;
  }
  if (!text.includes('[DONE]')) throw new Error(text);
  return [word, performance.now() - begin];
}

const quantile = (list, q) => [...list].sort((a, b) => a - b)[Math.min(list.length - 1, Math.floor(list.length * q))];

const targets = [];
for (const [name, policy] of Object.entries(rows)) {
  const config = policy ? { opinions, policy: { opinions: policy } } : {};
  const stack = await Stack.start({ config: { ...config, workers: 1 } });
  const script = await stack.script('bench', {
    text: ['你好，', '今天天气', '很好。', '我们去', '公园走走。'], delay_ms: 20, first_delay_ms: first,
  });
  const body = JSON.stringify({ model: 'demo', stream: true, messages: [{ role: 'user', content: script }] });
  targets.push({ name, stack, body, words: [], ends: [] });
}
try {
  for (let i = -5; i < rounds; i++) {
    for (const t of targets) {
      const [word, end] = await ask(t.stack, t.body);
      if (i < 0) continue; // to warm up
      t.words.push(word);
      t.ends.push(end);
    }
  }
  const [base] = targets;
  console.log(`a guard that takes ${guard.delay} ms, a first token that takes ${first} ms, ${rounds} rounds; ms`);
  console.log('| target | first word, median | p95 | more than without | end, median |');
  console.log('|---|---|---|---|---|');
  for (const t of targets) {
    const more = quantile(t.words, 0.5) - quantile(base.words, 0.5);
    console.log(`| ${t.name} | ${quantile(t.words, 0.5).toFixed(1)} | ${quantile(t.words, 0.95).toFixed(1)} | ${t === base ? '' : more.toFixed(1)} | ${quantile(t.ends, 0.5).toFixed(1)} |`);
  }
} finally {
  for (const t of targets) await t.stack.stop();
  await guard.stop();
}
