#include "filing/annexwords.h"

#include "base/clock.h"
#include "policy/policy.h"

#include <stdlib.h>

void words_duration(struct paper *p, uint64_t ms)
{
    static const struct {
        uint64_t ms;
        const char *name;
    } units[] = {{86400000, "天"}, {3600000, "小时"}, {60000, "分钟"}, {1000, "秒"}, {1, "毫秒"}};
    size_t u = 0;
    while (u + 1 < sizeof(units) / sizeof(*units) && (ms < units[u].ms || ms % units[u].ms))
        u++;
    if (u == 0 && ms / units[u].ms < 3) /* 24 小时 is what people say */
        u = 1;
    paper_say(p, "%llu %s", (unsigned long long)(ms / units[u].ms), units[u].name);
}

void words_time(struct paper *p, uint64_t us)
{
    char text[CLOCK_TEXT_SIZE];
    if (us == 0) {
        paper_say(p, PAPER_PENDING);
        return;
    }
    clock_format(us + 8 * 3600000000ull, text);
    paper_say(p, "%.10s %.5s", text, text + 11);
}

void words_mode(struct paper *p, const struct dossier *d)
{
    char day[DAY_TEXT_SIZE];
    enum config_mode mode = config_mode_at(d->policy, d->o.now);
    if (mode == MODE_ENFORCE) {
        paper_say(p, "当前为强制模式（enforce）：命中即按处置方式执行");
        return;
    }
    day_format(d->policy->until, day);
    paper_say(
        p, "当前为%s模式（%s），截至 %s：只判定和记录，不拦截、不打码，不能作为正式服务的安全措施",
        mode == MODE_OBSERVE ? "观察" : "旁路", config_mode_name(mode), day);
}

/* --- input and output --- */

/* What follows a hit of the keywords that count, by their number. */
static void say_actions(struct paper *p, const struct dossier *d, enum direction direction)
{
    unsigned counts[ACTION_COUNT] = {0}, all = 0;
    for (size_t i = 0; i < d->library.count; i++) {
        const struct library_entry *e = &d->library.entries[i];
        enum action a = direction == DIRECTION_PROMPT ? e->prompt : e->completion;
        if (e->class == LIBRARY_COUNTED && a > ACTION_ALLOW && a < ACTION_COUNT) {
            counts[a]++;
            all++;
        }
    }
    if (all == 0) {
        paper_say(p, "没有计入达标数量的关键词在此方向生效");
        return;
    }
    paper_say(p, "计入达标数量的关键词中（按类计，一词属多类的各计一次），");
    for (int a = ACTION_COUNT - 1, first = 1; a > ACTION_ALLOW; a--)
        if (counts[a]) {
            paper_say(p, "%s命中即%s的 %u 个", first ? "" : "、",
                      library_action_name((enum action)a), counts[a]);
            first = 0;
        }
}

void words_input(struct paper *p, const struct dossier *d)
{
    paper_say(
        p,
        "每次请求的全部输入（系统提示、历史轮次、工具结果、附带文本）在转发模型之前由规则库检查；"
        "对大小写、全角、繁体与异体、不可见字符、形似字母、分隔符、跨消息拼接、编码等变形一并识别"
        "；");
    say_actions(p, d, DIRECTION_PROMPT);
    paper_say(p, "。图片、音频等媒体内容%s。",
              d->policy->allow_media ? "未经判定放行并记录（配置 media: allow）" : "一律拒绝");
    words_mode(p, d);
    paper_say(p, "。");
}

void words_output(struct paper *p, const struct dossier *d)
{
    paper_say(
        p,
        "模型的回答（含思考过程、工具调用参数）逐段检查；流式输出先扣留再放行，命中内容不会发出，"
        "并以提示语结束该回答；");
    say_actions(p, d, DIRECTION_COMPLETION);
    paper_say(p, "。工具调用参数%s。",
              d->policy->tool_calls_exact ? "逐段检查后放行" : "整体检查后放行");
    if (d->policy->retraction.url.len)
        paper_say(p, "二次审核事后异议的内容，另向应用服务器发出撤回通知。");
}

static void say_threshold(struct paper *p, const char *action, unsigned percent, bool *first)
{
    if (percent == 0)
        return;
    paper_say(p, "%s%s自 %u%%", *first ? "（" : "、", action, percent);
    *first = false;
}

static void say_asking(struct paper *p, const struct config_asking *a)
{
    static const char *const when[] = {"每次", "规则要求时", "抽样"};
    bool prompt = config_asks(a, DIRECTION_PROMPT),
         completion = config_asks(a, DIRECTION_COMPLETION);
    bool first = true;
    paper_say(p, "%.*s：%s送审%s", SPAN_ARG(a->from), a->when < 3 ? when[a->when] : "",
              prompt && completion ? "输入与输出"
              : prompt             ? "输入"
                                   : "输出");
    if (a->when == ASK_SAMPLED)
        paper_say(p, " %u%%", a->share);
    say_threshold(p, "标记", a->flag, &first);
    say_threshold(p, "代答", a->answer, &first);
    say_threshold(p, "拦截", a->block, &first);
    paper_say(p, "%s，无法取得意见时%s", first ? "" : "）",
              a->closed ? "按未通过处理" : "以本地规则为准");
}

void words_opinions_of(struct paper *p, const struct dossier *d, enum direction direction)
{
    bool any = false;
    for (size_t i = 0; i < d->policy->asking_count; i++) {
        const struct config_asking *a = &d->policy->askings[i];
        if (!config_asks(a, direction))
            continue;
        paper_say(p, "%s", any ? "；" : "");
        say_asking(p, a);
        any = true;
    }
    if (!any)
        paper_say(p, "未配置二次审核：判定仅依据本地规则库");
}

void words_opinions(struct paper *p, const struct dossier *d)
{
    words_opinions_of(p, d, DIRECTION_BOTH);
}

void words_refusal(struct paper *p, const struct dossier *d)
{
    paper_say(p, "%s",
              d->policy->refusal == REFUSAL_MESSAGE
                  ? "以正常回答的形式给出固定拒答语，结束原因为 content_filter"
                  : "以错误码 400（content_filter）拒绝");
    paper_say(p, "；历史轮次中已被拒绝的内容再次出现时，%s",
              d->policy->refuse_history ? "整个请求拒绝" : "以说明替换该轮次后继续");
}

/* --- users --- */

static void say_limit(struct paper *p, unsigned consecutive, unsigned per_day)
{
    if (consecutive)
        paper_say(p, "连续 %u 次", consecutive);
    if (consecutive && per_day)
        paper_say(p, "或");
    if (per_day)
        paper_say(p, "当日累计 %u 次", per_day);
}

void words_strikes(struct paper *p, const struct dossier *d)
{
    const struct config *c = d->config;
    if (!c->strikes.enabled || (!c->strikes.consecutive && !c->strikes.per_day)) {
        paper_say(p, "未启用：终端用户的输入被拦截后不会被暂停服务");
        return;
    }
    paper_say(p, "同一终端用户的输入被拦截");
    say_limit(p, c->strikes.consecutive, c->strikes.per_day);
    paper_say(p, "，暂停服务 ");
    words_duration(p, c->strikes.suspend_ms);
    if (c->strikes.limit_consecutive || c->strikes.limit_per_day) {
        paper_say(p, "；");
        say_limit(p, c->strikes.limit_consecutive, c->strikes.limit_per_day);
        paper_say(p, "先行限速（每 ");
        words_duration(p, c->strikes.pace_ms);
        paper_say(p, "一次，持续 ");
        words_duration(p, c->strikes.limit_ms);
        paper_say(p, "）");
    }
    paper_say(p, "。以北京时间计日，每一步均有记录，用户可申诉，由人工解除");
}

void words_label(struct paper *p, const struct dossier *d)
{
    const struct config *c = d->config;
    static const char *const modes[LABEL_MODES] = {
        "显式标识由应用界面持续显示（配置 label: ui，由应用方保证，须附界面截图）",
        "显式标识加在回答开头",
        "显式标识加在回答末尾",
        "显式标识加在回答末尾；已书面要求不加标识并承担标识义务的用户除外，声明记录在案",
    };
    paper_say(p, "%s", modes[d->policy->label]);
    if (d->policy->label != LABEL_UI)
        paper_say(p, "，文字为“%.*s”", SPAN_ARG(c->labels.zh));
    paper_say(
        p,
        "；隐式标识随每个回答的响应头给出（x-aigc-label、内容制作者编码 %.*s、内容编号即请求编号、"
        "校验码）%s",
        SPAN_ARG(paper_known(c->service.provider_code)),
        c->labels.body ? "，并写入响应体 aigc 字段" : "");
    paper_say(p, "。JSON 模式、工具调用和纯代码的回答不加文字");
}

void words_privacy(struct paper *p, const struct dossier *d)
{
    paper_say(p, "回答中的个人信息（电话、证件号、银行卡号、邮箱等）%s；输入中的个人信息%s；",
              words_masks(d, DIRECTION_COMPLETION) ? "打码后输出" : "未配置打码",
              words_masks(d, DIRECTION_PROMPT) ? "打码后转发模型" : "标记或放行，不打码");
    paper_say(p, "终端用户标识在日志中以密钥散列保存，%s",
              d->config->end_users.remove ? "转发模型前移除"
                                          : "应用所填的用户字段随请求转发模型服务商");
    paper_say(p, "；日志文本打码保存，使用者可申请查阅、导出和删除");
}

bool words_masks(const struct dossier *d, enum direction direction)
{
    struct policy *policy = NULL;
    bool any = false;
    if (policy_new(d->app, d->rules, &policy) < 0)
        return false;
    for (size_t i = 0; i < ruleset_count(d->rules) && !any; i++) {
        const struct rule *r = ruleset_rule(d->rules, (uint32_t)i);
        any = span_starts(r->risk->id, SPAN_LIT("pii-")) &&
              policy_decide(policy, (uint32_t)i, direction, d->o.now) == ACTION_MASK;
    }
    policy_free(policy);
    return any;
}
