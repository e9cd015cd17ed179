// Stacks with auth: keys and a key for each app that the configuration names.
import assert from 'node:assert/strict';
import { chmod, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Stack, run } from './harness.js';

const ends = [];
export function stopLater(what) {
  ends.push(what);
}
// Ends all of them, and only then tells what went wrong: what is left running would keep the test's
// process alive for ever.
export async function stopAll() {
  const errors = [];
  for (const e of ends.splice(0).reverse()) await e.stop().catch((error) => errors.push(error));
  if (errors.length) throw errors[0];
}

export const models = ['demo', 'small', 'large'].map((id) => ({ id, filing_number: `F-${id}` }));

// stack.keys[app] is the app's key. The options are those of Stack.start() but for config.
export async function start(config, options = {}) {
  const stack = await Stack.start(options);
  stopLater(stack);
  const provider = path.join(stack.dir, 'provider.key');
  await writeFile(provider, 'sk-provider-secret\n');
  await chmod(provider, 0o600);
  await stack.gateway.stop();
  await stack.configure({
    auth: 'keys',
    upstreams: [{ name: 'demo', base_url: `${options.upstream ?? stack.demoUrl}/v1`, api_key_file: provider, models }],
    ...config,
  });
  stack.keys = {};
  for (const app of config.apps) stack.keys[app.name] = (await create(stack, '--app', app.name)).key;
  await stack.startGateway();
  return stack;
}

export async function key(stack, ...args) {
  const r = await run(['key', ...args, '-c', stack.conf, '--json']);
  assert.equal(r.code, 0, r.stderr);
  return r.stdout.split('\n').filter(Boolean).map((l) => JSON.parse(l));
}
export const create = async (stack, ...args) => (await key(stack, 'create', ...args))[0];

// Options of stack.chat() and fetch().
export const as = (k, more = {}) => ({ headers: { authorization: `Bearer ${k}`, ...more } });
