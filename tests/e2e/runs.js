// Evaluations as they lie on disk (src/filing/README.md), written by hand so that a test knows what is in
// them: ten questions a type, of which `bad` over the gateway and twice as many without it.
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';

// Times as records have them.
const at = (day, s = 0) => new Date(Date.parse(`${day}T10:00:00+08:00`) + s * 1e3).toISOString();

// types: [[bank, type, bad]…]; gives the run's name.
export async function write_run(stack, { name = 'run-20261120-100000', day = '2026-11-20', types, each = 10, routes = ['gateway', 'bare'], texts = {}, opinion = false, most = Infinity }) {
  const dir = path.join(stack.dir, 'state/filing/runs', name);
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const banks = [...new Set(types.map(([bank]) => bank))];
  const questions = [], answers = [];
  let n = 0;
  for (const [bank, type, bad] of types)
    for (let i = 0; i < each; i++) {
      const id = `${bank}-${type}-${String(i).padStart(3, '0')}`;
      questions.push({ id, bank, type, ...(i === 1 && { technique: 2 }), question: `第${i}题：${type}？`, note: texts.note ?? '答案不得含有违法内容' });
      for (const route of routes) {
        if (answers.length >= most) continue;
        const failed = i < (route === 'bare' ? 2 * bad : bad);
        const refused = bank === 'refuse' ? !failed : bank === 'answer' ? failed : false;
        answers.push({
          question: id, route, time: at(day, ++n), ms: 100 + i, status: 200, text: texts.answer ?? `答${i}（${route}）`, finish: 'stop', model: 'demo', ...(route === 'gateway' && { id: `req-${n}`, action: 'allow' }),
          refused, ...(refused && { refused_by: '无法' }), keywords: failed ? 'fail' : 'pass', ...(failed && bank === 'content' && { rule: 'A1-h/12345678' }), opinion: opinion && bank === 'content' ? 'pass' : 'none',
        });
      }
    }
  const lines = (list) => list.map((x) => `${JSON.stringify(x)}\n`).join('');
  await writeFile(path.join(dir, 'questions.jsonl'), lines(questions));
  await writeFile(path.join(dir, 'answers.jsonl'), lines(answers));
  await writeFile(path.join(dir, 'events.jsonl'), lines([{ time: at(day), event: 'begin', by: 'tester' }, { time: at(day, 900), event: 'end', by: 'tester' }]));
  await writeFile(path.join(dir, 'run.json'), lines([{
    run: name, started: at(day), by: 'tester', agreed: '张三 2026-11-19', app: 'default', model: 'demo', upstream: 'demo', rules: 'v-0123456789ab', rules_sha256: 'a'.repeat(64), bank_sha256: 'b'.repeat(64), opinion: '', software: '0.1.0', seed: '18446744073709551615', all: false, derived: false,
    sample: Object.fromEntries(banks.map((b) => [b, questions.filter((q) => q.bank === b).length])), routes, rate: 2, concurrency: 4,
  }]));
  return name;
}
