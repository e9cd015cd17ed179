// What the pages and conf/ show to be copied: `juyong check` accepts every bit of it.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { run } from './harness.js';

const root = path.resolve(import.meta.dirname, '../..');
const read = (name) => readFile(path.join(root, name), 'utf8');

let dir;
before(async () => {
  dir = await mkdtemp('/tmp/juyong-examples-');
  await mkdir(path.join(dir, 'etc'));
});
after(() => rm(dir, { recursive: true, force: true }));

// What a fragment does not say itself, in front of it.
const around = {
  listen: 'listen: 127.0.0.1:8080\n',
  state_dir: () => `state_dir: ${dir}/state\n`,
  rules_dir: () => `rules_dir: ${root}/rules\n`,
  upstreams: 'upstreams:\n  - name: u\n    base_url: https://api.example.com/v1\n'
    + '    api_key_file: /etc/juyong/provider.key\n'
    + '    models: [{ id: their-model, filing_number: Example-1 }, { id: demo, filing_number: Example-2 }]\n',
};

// A whole configuration with that text in it; files that it names are made.
async function check(name, text) {
  let whole = text;
  for (const [key, value] of Object.entries(around))
    if (!new RegExp(`^${key}:`, 'm').test(text))
      whole = (typeof value === 'function' ? value() : value) + whole;
  whole = whole.replace(/^rules_dir: rules$/m, around.rules_dir().trim())
    .replace(/^state_dir: state\b/m, around.state_dir().trim())
    .replaceAll('/etc/juyong/', `${dir}/etc/`);
  for (const [file] of whole.matchAll(/\S+\/etc\/[\w.-]+/g))
    await writeFile(file, file.endsWith('.url') ? 'https://robot.example.com/send?key=k\n' : 'secret-0123456789abcdef\n', { mode: 0o600 });
  const conf = path.join(dir, 'juyong.yaml');
  await writeFile(conf, whole);
  const r = await run(['check', '-c', conf], { cwd: root });
  assert.equal(r.code, 0, `${name}\n${r.stderr}\n${whole}`);
  assert.match(r.stdout, /is good/);
  return r;
}

for (const page of ['README.md', 'src/opinion/README.md', 'src/access/README.md', 'src/gate/README.md', 'src/alert/README.md', 'rules/README.md'])
  test(`the configurations of ${page}`, async () => {
    const blocks = [...(await read(page)).matchAll(/^```yaml\n([^]*?)^```$/gm)].map((m) => m[1])
      .filter((b) => /^(upstreams|auth|apps|policy|opinions|labels|strikes|reviewers|canary|trusted_proxies|limits|end_users|rules|alerts):/m.test(b));
    if (page === 'README.md') {
      const keys = blocks.flatMap((b) => [...b.matchAll(/^([a-z_]+):/gm)].map((m) => m[1]));
      for (const key of ['upstreams', 'auth', 'apps', 'trusted_proxies', 'end_users', 'strikes', 'opinions', 'labels', 'service', 'reviewers', 'canary', 'alerts'])
        assert.ok(keys.includes(key), `${key} has an example`);
    }
    for (const block of blocks) await check(page, block);
  });

test('the files under conf/', async () => {
  for (const name of await readdir(path.join(root, 'conf'))) {
    const text = await read(`conf/${name}`);
    if (name.startsWith('policy'))
      await check(name, `policy: ${root}/conf/${name}\n`);
    else
      await check(name, text);
  }
});

// Rows that stand behind "# " are read by whoever takes it away.
test('what is commented out under conf/', async () => {
  const rows = (text, keys) => text.split('\n\n').map((part) => part.split('\n'))
    .flatMap((lines) => {
      const from = lines.findIndex((l) => keys.some((k) => l.startsWith(`# ${k}:`)));
      return from < 0 ? [] : lines.slice(from).filter((l) => l.startsWith('# ')).map((l) => l.slice(2));
    }).join('\n');
  const own = rows(await read('conf/juyong.yaml'), ['policy', 'apps', 'service', 'alerts']);
  assert.match(own, /^apps:/m);
  await check('conf/juyong.yaml', `auth: keys\n${own}\n`);
  const policy = rows(await read('conf/policy-examples.yaml'), ['opinions']);
  assert.match(policy, /^retraction:/m);
  await check('conf/policy-examples.yaml', 'opinions:\n'
    + ['guard', 'vendor'].map((n) => `  - { name: ${n}, url: "https://guard.example.com/v1/moderations" }\n`).join('')
    + `policy:\n${policy.replace(/^/gm, '  ')}\n`);
});
