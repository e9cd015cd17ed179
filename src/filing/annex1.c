/* Annex 1, 安全自评估报告: its frame, what the log counted, what is known to be weak. */
#include "filing/annex1parts.h"

#include "filing/annexwords.h"

static void overview(struct paper *p, const struct dossier *d)
{
    const struct standard *s = ruleset_standard(d->rules);
    paper_heading(p, 1, "一、评估概况");
    paper_heading(p, 2, "（一）服务基本情况");
    annex_subject(p, d);
    paper_heading(p, 2, "（二）评估依据");
    paper_item(p, "《生成式人工智能服务管理暂行办法》");
    paper_item(p, "%.*s《%.*s》（沿用 TC260-003-2024《生成式人工智能服务安全基本要求》的结构）",
               SPAN_ARG(paper_known(s->name)), SPAN_ARG(paper_known(s->name_zh)));
    paper_item(p, "《人工智能生成合成内容标识办法》、GB 45438-2025");
    paper_item(p, "《互联网信息服务算法推荐管理规定》《互联网信息服务深度合成管理规定》");
    paper_heading(p, 2, "（三）评估范围与方法");
    paper_text(
        p,
        "本服务通过接口调用第三方已备案的大模型，不自行训练模型。应用的全部请求与回答经由内容安全网"
        "关"
        "（居庸）转发，网关在输入侧和输出侧逐条检查并记录。本报告中的数据由运行中的网关直接统计，"
        "“佐证”一栏给出可复核的命令或页面；网关无法得知的事项标注“" PAPER_PENDING
        "”，由本单位补充。");
    paper_say(p, "数据统计期：");
    words_time(p, d->o.since_us);
    paper_say(p, " 至 ");
    words_time(p, d->o.until_us);
    paper_say(p, "（北京时间）。");
    paper_text(p, "%s", paper_said(p));
    paper_text(p, "评估人员、评估起止日期、参与部门：" PAPER_PENDING "。");
    paper_note(p, "核对提示：条款表述据公开资料概括，提交前请对照标准正式文本逐条核对；"
                  "“评估结论”由评估人填写，网关不作符合性判断。");
}

static void corpus(struct paper *p, const struct dossier *d)
{
    paper_heading(p, 1, "二、语料安全评估");
    paper_text(p, "不涉及。理由：本服务仅通过接口调用已备案的第三方大模型，未开展预训练、优化训练、"
                  "微调或蒸馏，"
                  "不采集、不标注训练语料；网关不将使用者的输入和模型的回答用于训练，也不向任何训练"
                  "环节转发日志。");
    paper_text(p,
               "所调用模型的语料来源安全、语料内容安全、语料标注安全由其备案主体在模型备案中评估，"
               "佐证见《调用已备案模型情况说明》及服务商公示信息。");
    paper_note(
        p,
        "如本单位另有微调、检索增强语料库（RAG）或提示词语料，本章不适用“不涉及”，须按标准第 5 章"
        "补充评估：" PAPER_PENDING "。");
}

/* --- what the log counted --- */

static void traffic_table(struct paper *p, const struct dossier_traffic *t)
{
    static const struct paper_column columns[] = {
        {"请求总数", 1, true}, {"放行", 1, true}, {"标记", 1, true},
        {"打码", 1, true},     {"代答", 1, true}, {"拦截", 1, true},
    };
    paper_table(p, columns, 6);
    paper_cell(p, "%llu", (unsigned long long)t->requests);
    for (int a = 0; a < ACTION_COUNT; a++)
        paper_cell(p, "%llu", (unsigned long long)t->actions[a]);
}

static void risk_table(struct paper *p, const struct dossier *d)
{
    static const struct paper_column columns[] = {
        {"风险类型", 6, false}, {"标记", 1, true}, {"打码", 1, true},
        {"代答", 1, true},      {"拦截", 1, true},
    };
    const struct dossier_traffic *t = &d->traffic;
    if (t->risk_count == 0) {
        paper_text(p, "统计期内没有命中记录。");
        return;
    }
    paper_table(p, columns, 5);
    for (size_t i = 0; i < t->risk_count; i++) {
        const struct risk *risk = ruleset_find_risk(d->rules, span_str(t->risks[i].risk));
        paper_cell(p, "%s　%.*s", t->risks[i].risk, SPAN_ARG(risk ? risk->name_zh : SPAN_LIT("")));
        for (int a = ACTION_FLAG; a < ACTION_COUNT; a++)
            paper_cell(p, "%llu", (unsigned long long)t->risks[i].actions[a]);
    }
}

static void operation(struct paper *p, const struct dossier *d)
{
    const struct dossier_traffic *t = &d->traffic;
    paper_heading(p, 1, "五、运行情况");
    paper_heading(p, 2, "（一）请求与处置");
    if (!t->known) {
        paper_text(p, "日志中尚无可统计的请求：" PAPER_PENDING "。");
        paper_heading(p, 2, "（二）按风险类型");
        paper_text(p, PAPER_PENDING "。");
    } else {
        traffic_table(p, t);
        if (!t->complete)
            paper_note(p, "日志索引尚未覆盖整个统计期，上表可能偏小；请稍后重新生成。");
        paper_heading(p, 2, "（二）按风险类型");
        risk_table(p, d);
        paper_text(
            p, "佐证：juyong log list --json、控制台“概览”。监管测试账号的请求不计入上述数据。");
    }
    paper_heading(p, 2, "（三）人工复核、投诉与安全事件");
    words_reviews(p, d);
    paper_item(p, "%s。", paper_said(p));
    words_complaints(p, d);
    paper_item(p, "%s。", paper_said(p));
    if (d->people.incidents < 0)
        paper_item(p, "安全事件：" PAPER_PENDING "。");
    else
        paper_item(p, "安全事件：累计 %lld 起，未结 %lld 起。", (long long)d->people.incidents,
                   (long long)d->people.incidents_open);
    words_accounts(p, d);
    paper_item(p, "%s。", paper_said(p));
}

/* --- what is weak --- */

/* What the gateway says of itself in English begins or goes on with; and the same for a report. */
static const struct {
    const char *needle, *zh;
} weaknesses[] = {
    {"nothing is blocked or masked", "整个应用处于观察或旁路模式，不拦截、不打码"},
    {"is only observed", "部分风险类型或规则仅观察，不处置"},
    {"media parts pass unjudged", "图片、音频等媒体内容未经判定放行"},
    {"no filing number", "所调用模型没有登记备案号"},
    {"strikes:", "未启用对违规使用者的暂停服务"},
    {"can be reached by strangers", "监管测试通道可被外部访问且未加密"},
    {"doesn't make the gateway unready", "自检未拦截时服务不转为不可用"},
    {"exchanges go on for a while", "日志无法写入时短时间内仍受理请求"},
    {" short of the ", "关键词总数未达到标准的最低数量"},
    {"fewer keywords than the standard", "关键词库未达到标准的最低数量"},
};

static struct span weakness_of(struct span line)
{
    for (size_t i = 0; i < sizeof(weaknesses) / sizeof(*weaknesses); i++)
        if (span_find(line, span_str(weaknesses[i].needle)) < line.len)
            return span_str(weaknesses[i].zh);
    return SPAN_LIT("部分标准风险类型按策略放行或仅标记");
}

static unsigned weaknesses_of_settings(struct paper *p, const struct dossier *d)
{
    struct span rest = buf_span(&d->weak), line;
    unsigned n = 0;
    while (span_split(&rest, '\n', &line)) {
        if (line.len == 0)
            continue;
        struct span zh = weakness_of(line);
        paper_item(p, "%.*s。（网关原文：%.*s）", SPAN_ARG(zh), SPAN_ARG(line));
        n++;
    }
    return n;
}

static unsigned weaknesses_of_content(struct paper *p, const struct dossier *d)
{
    unsigned n = 0;
    if (!d->bank || !bank_is_sufficient(&d->banks)) {
        n++;
        paper_item(p, "测试题库未达到标准的最低数量。");
    }
    if (!d->run) {
        n++;
        paper_item(p, "没有已完成的评测，模型安全评估缺少数据。");
    }
    if (d->policy->asking_count == 0) {
        n++;
        paper_item(
            p,
            "未配置二次审核，语义层面的风险仅靠规则识别，对改写、隐喻、长上下文诱导的识别有限。");
    }
    if (d->config->audit.export_count == 0) {
        n++;
        paper_item(p, "日志检查点未送往主机以外保存，主机整体失陷时无法独立证明日志未被改动。");
    }
    if (d->log.known && d->log.verify != DOSSIER_WHOLE) {
        n++;
        paper_item(p, "日志完整性%s。",
                   d->log.verify == DOSSIER_DAMAGED ? "校验发现异常" : "尚未校验完毕");
    }
    if (d->people.complaints_overdue > 0) {
        n++;
        paper_item(p, "有 %lld 件投诉逾期未答复。", (long long)d->people.complaints_overdue);
    }
    if (d->people.incidents_open > 0) {
        n++;
        paper_item(p, "有 %lld 起安全事件未结。", (long long)d->people.incidents_open);
    }
    return n;
}

static void residue(struct paper *p, const struct dossier *d)
{
    paper_heading(p, 1, "六、残余风险与已知不足");
    paper_text(p, "以下由网关据实列出，供评估人判断并说明整改计划：");
    unsigned n = weaknesses_of_settings(p, d) + weaknesses_of_content(p, d);
    if (n == 0)
        paper_item(p, "网关未发现配置弱化项与数量缺口。");
    paper_item(p, "任何过滤机制均存在漏判与误判；生成内容的准确性、可靠性取决于所调用模型，网关不能"
                  "改善模型本身。");
    if (d->messages.len)
        paper_note(p, "生成本文件时未能读取的数据：\n%.*s",
                   SPAN_ARG(span_trim(buf_span(&d->messages))));
    paper_text(p, "整改计划、完成时限与责任人：" PAPER_PENDING "。");
}

static void conclusion(struct paper *p)
{
    paper_break(p);
    paper_heading(p, 1, "七、总体结论");
    paper_text(p, "本章由评估负责人填写，网关不作结论。");
    paper_pair(p, "各章评估结论", PAPER_PENDING "（符合 / 不符合 / 不适用，逐章说明）");
    paper_pair(p, "上线建议", PAPER_PENDING);
    paper_pair(p, "残余风险是否可接受", PAPER_PENDING);
    paper_pair(p, "风险预测与应急处置能力", PAPER_PENDING);
    paper_sign(p, "评估人（签字）");
    paper_sign(p, "评估负责人（签字）");
    paper_sign(p, "法定代表人（签字、盖章）");
}

void annex1_fill(struct paper *p, const struct dossier *d)
{
    overview(p, d);
    corpus(p, d);
    annex1_evaluation(p, d);
    annex1_clauses(p, d);
    operation(p, d);
    residue(p, d);
    conclusion(p);
}
