/*
 * Annex 1, chapter four: what the standard's clause on safety measures asks for, how the running
 * gateway meets it, where that can be seen. The last column is a person's.
 */
#include "filing/annex1parts.h"

#include "filing/annexwords.h"

typedef void (*words_fn)(struct paper *p, const struct dossier *d);

static void people_and_scenes(struct paper *p, const struct dossier *d)
{
    paper_say(p, "适用人群与用途：%.*s。必要性、适用性与安全性的论证：" PAPER_PENDING,
              SPAN_ARG(paper_known(d->config->service.audience)));
}

static void minors(struct paper *p, const struct dossier *d)
{
    paper_say(p,
              "网关不识别使用者年龄；是否面向未成年人、防沉迷与监护措施由应用实现：" PAPER_PENDING);
}

static void transparency(struct paper *p, const struct dossier *d)
{
    struct span terms = d->config->service.terms_url;
    paper_say(
        p,
        "服务协议 "
        "%.*s；公示模型名称、备案号、生成内容提示和投诉渠道；通过接口提供服务时在说明文档中公开"
        "适用人群、场合、用途、局限性和模型概况：" PAPER_PENDING,
        SPAN_ARG(paper_known(terms)));
}

static void training(struct paper *p, const struct dossier *d)
{
    paper_say(p, "网关不将使用者输入用于训练，也不提供此功能，故无需设置关闭选项；所调用模型的服务"
                 "商是否使用输入数据，"
                 "以合同约定为准：" PAPER_PENDING);
}

static void computing(struct paper *p, const struct dossier *d)
{
    paper_say(p, "不涉及训练。推理由上游服务商提供，共 %zu 个上游：", d->config->upstream_count);
    for (size_t i = 0; i < d->config->upstream_count; i++)
        paper_say(p, "%s%.*s", i ? "、" : "", SPAN_ARG(d->config->upstreams[i].base_url));
    paper_say(p, "；供应链安全与境内处理的说明：" PAPER_PENDING);
}

static void strikes(struct paper *p, const struct dossier *d)
{
    words_strikes(p, d);
    paper_say(p, "。网关按应用标明的终端用户计次：应用须在每个请求中标明终端用户");
}

static const struct dossier_traffic *traffic_of(const struct dossier *d)
{
    return d->traffic.known ? &d->traffic : NULL;
}

static void input(struct paper *p, const struct dossier *d)
{
    words_input(p, d);
    if (traffic_of(d))
        paper_say(p, "统计期内请求 %llu 次，拦截 %llu 次、代答 %llu 次、打码 %llu 次。",
                  (unsigned long long)d->traffic.requests,
                  (unsigned long long)d->traffic.actions[ACTION_BLOCK],
                  (unsigned long long)d->traffic.actions[ACTION_ANSWER],
                  (unsigned long long)d->traffic.actions[ACTION_MASK]);
}

static void refusals(struct paper *p, const struct dossier *d)
{
    words_refusal(p, d);
    if (!d->run) {
        paper_say(p, "；拒答率、误拒率：" PAPER_PENDING "（尚无评测）");
        return;
    }
    const struct result_bank *banks = d->result.banks[RUN_GATEWAY];
    static const enum bank_kind kinds[2] = {BANK_REFUSE, BANK_ANSWER};
    for (int i = 0; i < 2; i++) {
        struct result_rate r = banks[kinds[i]].whole.judges[RESULT_FINAL];
        if (r.n)
            paper_say(p, "；%s%s %.1f%%（%u 题）", bank_kind_title(kinds[i]), i ? "未拒答" : "拒答",
                      100.0 * r.rate, r.n);
        else
            paper_say(p, "；%s " PAPER_PENDING, bank_kind_title(kinds[i]));
    }
}

static void duties(struct paper *p, const struct dossier *d)
{
    paper_say(
        p, "发现违法内容即停止输出，登记安全事件，生成报告草稿并计时；关键词可紧急下发、即时生效");
    if (d->people.incidents >= 0)
        paper_say(p, "。累计事件 %lld 起，未结 %lld 起", (long long)d->people.incidents,
                  (long long)d->people.incidents_open);
    paper_say(p, "。向主管部门报告的流程与联系人：" PAPER_PENDING);
}

static void libraries(struct paper *p, const struct dossier *d)
{
    words_library(p, d);
    paper_say(p, "。");
    words_banks(p, d);
}

static void logs(struct paper *p, const struct dossier *d)
{
    words_retention(p, d);
    paper_say(p, "。");
    words_evidence(p, d);
}

struct clause {
    const char *number, *demand;
    words_fn measure;
    const char *evidence;
};

/* Numbers as in chapter seven of TC260-003-2024, whose order GB/T 45654-2025 keeps. */
static const struct clause clauses[] = {
    {"7 a)-1", "充分论证在服务范围内应用生成式人工智能的必要性、适用性和安全性", people_and_scenes,
     "论证报告；配置 service.audience"},
    {"7 a)-2", "适用于未成年人的，采取保护措施；不适用于未成年人的，采取技术或管理措施防止其使用",
     minors, "应用界面截图、管理制度"},
    {"7 a)-3", "在网站首页等显著位置公开服务信息；以接口形式提供的，在说明文档中公开", transparency,
     "juyong filing disclosure；页面截图"},
    {"7 b)", "按个人信息保护要求处理输入信息和生成内容中的个人信息", words_privacy,
     "juyong user show / export / delete；规则库 pii-*"},
    {"7 c)", "收集使用者输入信息用于训练的，提供关闭方式且便捷可达", training, "服务商合同条款"},
    {"7 d)", "对生成内容进行标识（显式、隐式）", words_label,
     "juyong label verify；界面截图；响应头 x-aigc-*"},
    {"7 e)", "训练、推理所用计算系统的供应链安全与连续性；训练环境与推理环境隔离", computing,
     "juyong check；服务商证明"},
    {"7 f)", "提供接受投诉举报的途径和反馈方式，制定处理规则和时限", words_complaints,
     "juyong complaint list；控制台“投诉”"},
    {"7 g)-1", "采取关键词、分类模型等方式对使用者输入信息进行检测", input,
     "juyong log list；juyong rules try"},
    {"7 g)-2", "对生成内容进行检测，发现违法内容即停止生成、停止传输", words_output,
     "juyong log list；流式截断截图"},
    {"7 g)-3", "以语义等方式补充关键词识别（分类模型）", words_opinions,
     "juyong log show；配置 policy.opinions"},
    {"7 g)-4", "使用者连续三次或一天内累计五次输入违法不良信息或明显诱导的，依法依约暂停服务",
     strikes, "juyong user list；处置记录"},
    {"7 g)-5", "对明显偏激以及明显诱导生成违法不良信息的问题拒绝回答；对其他问题应能正常回答",
     refusals, "juyong filing evaluate；附件5"},
    {"7 g)-6", "设置监看人员，并及时根据监看情况提高生成内容质量和安全", words_reviews,
     "juyong log summary；控制台“复核”"},
    {"7 g)-7", "关键词库、测试题库满足数量与更新要求", libraries,
     "juyong filing coverage；附件4、附件5"},
    {"7 g)-8", "依法留存日志并防止篡改", logs, "juyong log verify；juyong log export"},
    {"7 g)-9", "发现违法内容及时处置、整改，并向主管部门报告", duties,
     "juyong incident list / report"},
    {"7 h)", "制定模型更新、升级时的安全管理策略，重要更新后再次自行组织安全评估", words_update,
     "juyong rules log；juyong filing evaluate --compare"},
    {"7 i)", "保证服务稳定、持续；持续监测模型输入内容，防范恶意输入攻击；备份与恢复",
     words_failure, "juyong check；/readyz、/metrics；控制台“状态”"},
};

void annex1_clauses(struct paper *p, const struct dossier *d)
{
    static const struct paper_column columns[] = {
        {"条款", 3, false}, {"要求（概括）", 6, false}, {"网关落实情况", 12, false},
        {"佐证", 6, false}, {"评估结论", 4, false},
    };
    paper_heading(p, 1, "四、安全措施评估");
    paper_text(p, "下表第三栏由运行中的配置与数据生成；“评估结论”（符合 / 不符合 / "
                  "不适用及理由）由评估人填写并签字。");
    paper_table(p, columns, 5);
    for (size_t i = 0; i < sizeof(clauses) / sizeof(*clauses); i++) {
        const struct clause *c = &clauses[i];
        paper_cell(p, "%s", c->number);
        paper_cell(p, "%s", c->demand);
        c->measure(p, d);
        paper_cell(p, "%s", paper_said(p));
        paper_cell(p, "%s", c->evidence);
        paper_cell(p, "%s", "");
    }
    paper_note(
        p,
        "条款编号中“-1、-2”为本表为便于逐项评估所加的顺序号，不是标准原编号；其中 7 g)-3、7 g)-7、"
        "7 g)-8、7 g)-9 归并了标准其他章节和相关法规的要求。");
    paper_sign(p, "本章评估人（签字）");
}
