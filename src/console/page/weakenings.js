// What weakens protection, in the reader's language: the gateway tells it in English, in these sentences.
// One that is newer than the page is shown as it came.
import { current, named } from './words.js';

const told = [
  [/^rules: (\d+) of (\d+) types have fewer keywords than the standard asks for; (\d+) of (\d+) in all$/, (m) => `词库：${m[2]} 类中有 ${m[1]} 类的关键词少于标准要求；共 ${m[3]} 个，应有 ${m[4]} 个`],
  [/^rules: (\d+) keywords, (\d+) short of the (\d+) that the standard asks for$/, (m) => `词库：共 ${m[1]} 个关键词，比标准要求的 ${m[3]} 个少 ${m[2]} 个`],
  [/^rules: the library could not be counted$/, () => '词库：关键词数无法统计'],
  [/^app (.+): (observe|shadow) mode, nothing is blocked or masked up to (.+)$/, (m) => `应用 ${m[1]}：${named('mode', m[2])}模式，到 ${m[3]} 为止不拦截也不遮盖`],
  [/^app (.+): (.+) is only observed up to (.+)$/, (m) => `应用 ${m[1]}：${m[2]} 只观察，到 ${m[3]} 为止`],
  [/^app (.+): media parts pass unjudged$/, (m) => `应用 ${m[1]}：图片、音频等不经审核即放行`],
  [/^app (.+): in (answers|prompts) (.+?)(?: and (\d+) more types are| is) let through or only flagged$/, (m) => `应用 ${m[1]}：${m[2] === 'answers' ? '回答' : '提问'}中的 ${m[3]}${m[4] ? ` 等 ${Number(m[4]) + 1} 类` : ''}放行或只标记`],
  [/^model (.+): no filing number$/, (m) => `模型 ${m[1]}：没有备案号`],
  [/^strikes: end users whose prompts are intercepted are never suspended$/, () => '违规计数：提问被拦截的终端用户不会被暂停'],
  [/^reviewers: (.+) port (\d+) can be reached by strangers, without TLS/, (m) => `监管测试：${m[1]} 端口 ${m[2]} 外部可达且没有 TLS；应只在 127.0.0.1 或内网监听，前置代理`],
  [/^reviewers: for (\d+) of (\d+) accounts nothing is blocked or masked$/, (m) => `监管测试：${m[2]} 个账号中有 ${m[1]} 个不拦截也不遮盖`],
  [/^canary: a miss doesn't make the gateway unready$/, () => '自检：漏拦时网关仍算就绪'],
  [/^canary: (.+)$/, (m) => `自检：${m[1]}`],
  [/^audit: exchanges go on for a while when the log can't be written$/, () => '日志：写不进时服务还会继续一段时间'],
  [/^audit: checkpoints don't reach (.+) since (\d+) min: (.+)$/, (m) => `日志：检查点已有 ${m[2]} 分钟未送达 ${m[1]}（${m[3]}）`],
  [/^the decision log is only in memory$/, () => '日志目前只在内存中'],
  [/^(\d+) answers since the start name another model than was asked for/, (m) => `启动以来有 ${m[1]} 个回答出自与所请求不同的模型（juyong log list --all --json 中的 model_differs）`],
];

export function weakening(text) {
  if (current() !== 'zh') return text;
  for (const [sentence, say] of told) {
    const m = sentence.exec(text);
    if (m) return say(m);
  }
  return text;
}
