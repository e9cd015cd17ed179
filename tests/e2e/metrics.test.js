// /metrics as Prometheus reads it: its form, as strict as promtool's checks, and what it counts.
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { Stack, words } from './harness.js';

const name = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
// Units that are no base units, and abbreviations of units, as promtool complains of.
const odd = /(milli|micro|nano|kilo|mega)?(minutes|hours|days|bits)$|(milli|micro|nano)seconds|_(s|ms|us|ns|sec|b|kb|mb|gb)$/;

// The labels of `a="b",c="d"` as a map; throws where they are not well-formed.
function labelsOf(text) {
  const labels = new Map();
  let rest = text;
  while (rest) {
    const m = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)/.exec(rest);
    assert.ok(m, `labels: ${text}`);
    assert.ok(!labels.has(m[1]), `${m[1]} twice: ${text}`);
    labels.set(m[1], m[2]);
    rest = rest.slice(m[0].length);
  }
  return labels;
}

// Each family: help, type, samples that stand together; histograms whose buckets add up.
export function readMetrics(text) {
  assert.ok(text.endsWith('\n'));
  const families = new Map();
  const seen = new Set();
  let family;
  for (const line of text.slice(0, -1).split('\n')) {
    const help = /^# HELP (\S+) (.+)$/.exec(line);
    const type = /^# TYPE (\S+) (counter|gauge|histogram)$/.exec(line);
    if (help) {
      assert.match(help[1], name);
      assert.ok(!families.has(help[1]), `two families ${help[1]}`);
      family = { name: help[1], help: help[2], samples: [] };
      families.set(help[1], family);
      continue;
    }
    if (type) {
      assert.equal(type[1], family?.name, 'TYPE follows its HELP');
      assert.equal(family.type, undefined);
      family.type = type[2];
      continue;
    }
    const sample = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (-?\d+(?:\.\d+)?|\+Inf)$/.exec(line);
    assert.ok(sample, `no sample: ${line}`);
    assert.ok(family?.type, `a sample without a family: ${line}`);
    const suffix = sample[1].slice(family.name.length);
    assert.ok(sample[1].startsWith(family.name) &&
      (family.type === 'histogram' ? ['_bucket', '_sum', '_count'] : ['']).includes(suffix), line);
    const key = `${sample[1]}{${sample[2] ?? ''}}`;
    assert.ok(!seen.has(key), `twice: ${key}`);
    seen.add(key);
    assert.ok(!sample[3].startsWith('-') || family.type === 'gauge', line);
    family.samples.push({ suffix, labels: labelsOf(sample[2] ?? ''), value: Number(sample[3]) });
  }
  for (const f of families.values()) {
    assert.equal(f.name.endsWith('_total'), f.type === 'counter', `${f.name} is a ${f.type}`);
    assert.doesNotMatch(f.name.replace(/_total$/, ''), odd, f.name);
    assert.ok(f.samples.length, `${f.name} says nothing`);
    if (f.type === 'histogram') checkHistogram(f);
  }
  return families;
}

function checkHistogram(f) {
  const rows = new Map();
  for (const s of f.samples) {
    const labels = [...s.labels].filter(([k]) => k !== 'le').map(([k, v]) => `${k}=${v}`).join();
    if (!rows.has(labels)) rows.set(labels, { buckets: [] });
    const row = rows.get(labels);
    if (s.suffix === '_bucket') row.buckets.push([s.labels.get('le'), s.value]);
    else row[s.suffix] = s.value;
  }
  for (const [labels, row] of rows) {
    const bounds = row.buckets.map(([le]) => (le === '+Inf' ? Infinity : Number(le)));
    assert.deepEqual(bounds, [...bounds].sort((a, b) => a - b), `${f.name}{${labels}}`);
    assert.equal(bounds.at(-1), Infinity);
    for (let i = 1; i < row.buckets.length; i++)
      assert.ok(row.buckets[i][1] >= row.buckets[i - 1][1], 'buckets are cumulative');
    assert.equal(row._count, row.buckets.at(-1)[1]);
    assert.ok(row._sum >= 0);
  }
}

const value = (families, family, labels, suffix = '') => families.get(family)?.samples.find((s) =>
  s.suffix === suffix && Object.entries(labels).every(([k, v]) => s.labels.get(k) === v))?.value ?? 0;

describe('/metrics', () => {
  let stack;
  before(async () => { stack = await Stack.start(); });
  after(() => stack?.stop());

  const read = async () => readMetrics(await (await fetch(`${stack.console}/metrics`)).text());
  const model = { gen_ai_operation_name: 'chat', gen_ai_provider_name: 'demo', gen_ai_request_model: 'demo' };

  test('is well-formed before the first request and after many kinds of them', async () => {
    await read();
    await stack.chat('hi');
    await stack.chat(`看看${words.block}吧`);
    await stack.chat('hi', { model: 'nobody"s\\model\n' });
    await stack.chat(await stack.script('cut', { text: `开头${words.block}结尾`, chunk: 1 }), { stream: true });
    const families = await read();
    for (const f of families.values())
      for (const s of f.samples)
        for (const v of s.labels.values()) assert.ok(!v.includes('nobody'), 'a client names no label');
  });

  test('counts interceptions by app, risk, direction and action', async () => {
    const prompt = { app: 'default', risk: 'A1-h', direction: 'prompt', action: 'block' };
    const completion = { ...prompt, direction: 'completion' };
    const was = await read();
    await stack.chat(`看看${words.block}和${words.block}吧`);
    await stack.chat(await stack.script('cut', { text: `开头${words.block}结尾`, chunk: 1 }), { stream: true });
    const is = await read();
    const grown = (labels) => value(is, 'juyong_interceptions_total', labels) - value(was, 'juyong_interceptions_total', labels);
    assert.equal(grown(prompt), 1, 'once a record, however often it hits');
    assert.equal(grown(completion), 1);
    const blocked = (f) => value(f, 'juyong_app_exchanges_total', { app: 'default', action: 'block' });
    assert.equal(blocked(is) - blocked(was), 2);
  });

  test('counts what was refused unread as blocked, as the log has it', async () => {
    const was = await read();
    assert.equal((await stack.chat('hi', { messages: 'hi' })).status, 400);
    const is = await read();
    const grown = (name, labels) => value(is, name, labels) - value(was, name, labels);
    assert.equal(grown('juyong_actions_total', { action: 'allow' }), 0);
    assert.equal(grown('juyong_actions_total', { action: 'block' }), 1);
    assert.equal(grown('juyong_app_exchanges_total', { app: 'default', action: 'block' }), 1);
  });

  test('measures models by the names of the GenAI conventions', async () => {
    const was = await read();
    await stack.chat('hi', { stream: true, stream_options: { include_usage: true } });
    const is = await read();
    const grown = (family, labels) => value(is, family, labels, '_count') - value(was, family, labels, '_count');
    assert.equal(grown('gen_ai_client_operation_duration_seconds', model), 1);
    assert.equal(grown('gen_ai_server_request_duration_seconds', model), 1);
    assert.equal(grown('gen_ai_server_time_to_first_token_seconds', model), 1);
    assert.equal(grown('gen_ai_client_token_usage', { ...model, gen_ai_token_type: 'input' }), 1);
    assert.equal(grown('gen_ai_client_token_usage', { ...model, gen_ai_token_type: 'output' }), 1);
    assert.equal(grown('juyong_judge_seconds', {}), 1);
    assert.equal(grown('juyong_held_seconds', {}), 1);
  });

  test('says which error an upstream made', async () => {
    await stack.chat(await stack.script('down', { status: 503, body: '{}' }));
    const failed = (await read()).get('gen_ai_client_operation_duration_seconds').samples
      .find((s) => s.suffix === '_count' && s.labels.get('error_type'));
    assert.equal(failed.labels.get('error_type'), 'upstream_error');
    assert.equal(failed.value, 1);
  });
});
