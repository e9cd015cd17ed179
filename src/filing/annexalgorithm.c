/*
 * 算法备案填报稿: what the filing system asks for of a generating and synthesising algorithm, with
 * the process as it runs here.
 */
#include "filing/annex.h"

#include "filing/annexwords.h"
#include "paper/paper.h"

#include <stdio.h>

/* --- the process, node by node, out of the settings --- */

struct node {
    const char *name, *parameters;
    struct span does, aside;
};
#define NODES_MAX 16

struct process {
    struct node nodes[NODES_MAX];
    size_t count;
};

static void add(struct process *s, const char *name, struct span does, struct span aside,
                const char *parameters)
{
    if (s->count < NODES_MAX)
        s->nodes[s->count++] = (struct node){name, parameters, does, aside};
}

static const char *said_by(struct paper *p, const struct dossier *d,
                           void (*words)(struct paper *p, const struct dossier *d))
{
    words(p, d);
    return paper_said(p);
}

static void add_entry(struct process *s, struct paper *p, const struct dossier *d)
{
    const struct config *c = d->config;
    paper_say(p, "auth: %s；请求体上限 %zu KiB", c->auth == AUTH_KEYS ? "keys" : "passthrough",
              c->limits.body_bytes / 1024);
    const char *parameters = paper_said(p);
    add(s, "接入与鉴权",
        c->auth == AUTH_KEYS ? SPAN_LIT("校验应用密钥、来源地址、频次与模型是否在登记清单内")
                             : SPAN_LIT("校验请求格式、频次与模型是否在登记清单内；密钥透传"),
        SPAN_LIT("不合规范：拒绝"), parameters);
    bool strikes = c->strikes.enabled && (c->strikes.consecutive || c->strikes.per_day);
    if (!strikes)
        return;
    paper_say(p, "连续 %u 次 / 当日 %u 次，暂停 ", c->strikes.consecutive, c->strikes.per_day);
    words_duration(p, c->strikes.suspend_ms);
    parameters = paper_said(p);
    add(s, "使用者状态", SPAN_LIT("被暂停或限速的终端用户不予受理"), SPAN_LIT("暂停服务：告知原因"),
        parameters);
}

static bool asks(const struct dossier *d, enum direction direction)
{
    for (size_t i = 0; i < d->policy->asking_count; i++)
        if (config_asks(&d->policy->askings[i], direction))
            return true;
    return false;
}

static void add_input(struct process *s, struct paper *p, const struct dossier *d)
{
    paper_say(p, "规则 %zu 条，版本 %.*s；模式 %s", ruleset_count(d->rules),
              SPAN_ARG(ruleset_version(d->rules)),
              config_mode_name(config_mode_at(d->policy, d->o.now)));
    const char *parameters = paper_said(p);
    add(s, "输入检查（规则库）",
        SPAN_LIT("还原变形与编码，检查全部轮次；放行、标记、打码、代答或拦截"),
        SPAN_LIT("拦截、代答：不调用模型，计入违规次数"), parameters);
    if (!asks(d, DIRECTION_PROMPT))
        return;
    words_opinions_of(p, d, DIRECTION_PROMPT);
    add(s, "输入二次审核", SPAN_LIT("送第三方审核或自建护栏模型，按阈值处置"),
        SPAN_LIT("超过阈值：拦截或代答"), paper_said(p));
}

static void add_model(struct process *s, struct paper *p, const struct dossier *d)
{
    for (size_t i = 0; i < d->model_count; i++)
        paper_say(p, "%s%.*s（%.*s）", i ? "；" : "", SPAN_ARG(d->models[i].model->id),
                  SPAN_ARG(paper_known(d->models[i].model->filing_number)));
    const char *parameters = paper_said(p);
    add(s, "调用已备案大模型", SPAN_LIT("经接口调用第三方已备案模型生成文本；本服务不训练模型"),
        SPAN_LIT("上游失败或自行拒答：如实返回并记录"), parameters);
}

static void add_output(struct process *s, struct paper *p, const struct dossier *d)
{
    paper_say(p, "流式扣留上限 %zu KiB；工具调用参数%s检查", d->config->limits.hold_bytes / 1024,
              d->policy->tool_calls_exact ? "逐段" : "整体");
    const char *parameters = paper_said(p);
    add(s, "输出检查（规则库）", SPAN_LIT("逐段检查回答、思考过程与工具调用参数，先扣留后放行"),
        SPAN_LIT("命中：停止传输，给出提示语"), parameters);
    if (!asks(d, DIRECTION_COMPLETION))
        return;
    words_opinions_of(p, d, DIRECTION_COMPLETION);
    add(s, "输出二次审核", SPAN_LIT("按句或整段等待审核意见；事后异议的撤回"),
        SPAN_LIT("超过阈值：截断或撤回"), paper_said(p));
}

static void add_end(struct process *s, struct paper *p, const struct dossier *d)
{
    paper_say(p, "label: %s；labels.body: %s", label_mode_name(d->policy->label),
              d->config->labels.body ? "true" : "false");
    const char *label = paper_said(p);
    add(s, "生成内容标识", SPAN_LIT("加显式标识（按配置）与隐式标识，写明制作者编码和内容编号"),
        SPAN_LIT(""), label);
    paper_say(p, "元数据 %u 天，打码文本 %u 天；写入失败时%s", d->config->audit.retention.records,
              d->config->audit.retention.texts,
              d->config->audit.mode == AUDIT_REQUIRED ? "停止受理" : "短时受理");
    const char *log = paper_said(p);
    add(s, "日志", SPAN_LIT("每次请求留痕，散列相连并签名；拦截生效前先落盘"), SPAN_LIT(""), log);
    paper_say(p, "复核 %u%%，二次复核 %u%%；投诉答复 ", d->config->reviews.share,
              d->config->reviews.second);
    words_duration(p, d->config->complaints.due_ms);
    const char *review = paper_said(p);
    add(s, "人工复核与改进", SPAN_LIT("复核拦截记录、处理投诉与申诉，更新规则库并再次评测"),
        SPAN_LIT(""), review);
}

static void process_of(struct process *s, struct paper *p, const struct dossier *d)
{
    *s = (struct process){.count = 0};
    add_entry(s, p, d);
    add_input(s, p, d);
    add_model(s, p, d);
    add_output(s, p, d);
    add_end(s, p, d);
}

static void show_process(struct paper *p, const struct dossier *d)
{
    static const struct paper_column columns[] = {
        {"序号", 3, true},  {"节点", 5, false},     {"处理", 9, false},
        {"分支", 6, false}, {"现行参数", 8, false},
    };
    struct process s;
    process_of(&s, p, d);
    paper_heading(p, 2, "（三）算法流程图");
    paper_text(p, "由运行中的配置生成，自上而下；右侧为离开主流程的分支。");
    for (size_t i = 0; i < s.count; i++) {
        char name[128];
        snprintf(name, sizeof(name), "%zu. %s", i + 1, s.nodes[i].name);
        paper_node(p, name, s.nodes[i].does, s.nodes[i].aside);
    }
    paper_heading(p, 2, "（四）节点说明");
    paper_table(p, columns, 5);
    for (size_t i = 0; i < s.count; i++) {
        paper_cell(p, "%zu", i + 1);
        paper_cell(p, "%s", s.nodes[i].name);
        paper_cell(p, "%.*s", SPAN_ARG(s.nodes[i].does));
        paper_cell(p, "%.*s", SPAN_ARG(s.nodes[i].aside.len ? s.nodes[i].aside : SPAN_LIT("—")));
        paper_cell(p, "%s", s.nodes[i].parameters);
    }
}

/* --- the chapters --- */

static void basics(struct paper *p, const struct dossier *d)
{
    paper_heading(p, 1, "一、主体与产品信息");
    annex_subject(p, d);
    paper_note(p,
               "主体名称、服务名称、备案号须与公示页面、服务协议、ICP 备案主体及其他附件完全一致；"
               "服务器部署地点与 IP：" PAPER_PENDING "。");
    paper_heading(p, 1, "二、算法信息");
    paper_heading(p, 2, "（一）算法基本信息");
    paper_pair(p, "算法名称", PAPER_PENDING "（建议：服务名称 + 智能对话生成算法）");
    paper_pair(p, "算法类型", "生成合成类（深度合成服务提供者）");
    paper_pair(p, "应用领域", PAPER_PENDING);
    paper_pair(p, "应用场景", "%.*s", SPAN_ARG(paper_known(d->config->service.audience)));
    paper_pair(p, "输入模态 / 格式", "文本 / 接口 JSON（UTF-8）%s",
               d->policy->allow_media ? "；图片、音频等媒体放行" : "；图片、音频等媒体拒绝");
    paper_pair(p, "输出模态 / 格式", "文本 / 接口 JSON 或事件流（SSE）");
    paper_pair(p, "算法备案号", "%.*s", SPAN_ARG(paper_known(d->config->service.algorithm_number)));
    paper_heading(p, 2, "（二）数据与模型");
    paper_text(p, "数据：本服务不训练模型，不涉及训练数据；使用者输入仅用于当次生成与安全检查。");
    paper_text(p,
               "模型：调用第三方已备案大模型，清单如下，合同与证明见《调用已备案模型情况说明》。");
    annex_models(p, d);
}

static void intervention(struct paper *p, const struct dossier *d)
{
    paper_heading(p, 2, "（五）干预策略");
    static const struct {
        const char *name;
        void (*words)(struct paper *p, const struct dossier *d);
    } rows[] = {
        {"输入审核", words_input},   {"输出审核", words_output},  {"二次审核", words_opinions},
        {"拒答方式", words_refusal}, {"违规处置", words_strikes}, {"关键词库", words_library},
        {"人工审核", words_reviews},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        paper_pair(p, rows[i].name, "%s", said_by(p, d, rows[i].words));
    paper_heading(p, 2, "（六）结果标识");
    paper_text(p, "%s。显式标识与隐式标识截图：" PAPER_PENDING "。", said_by(p, d, words_label));
}

static void publication(struct paper *p, const struct dossier *d)
{
    struct span name = paper_known(d->config->service.name);
    paper_heading(p, 1, "三、拟公示内容");
    paper_pair(p, "算法名称", PAPER_PENDING);
    paper_pair(p, "基本原理",
               "使用者输入文本后，经内容安全检查，调用已备案的大语言模型生成回答；模型依据上下文逐"
               "词预测生成文本。"
               "回答经内容安全检查和标识后展示。");
    paper_pair(p, "运行机制",
               "接收输入 → 身份与频次校验 → 输入安全检查 → 调用模型生成 → 输出安全检查 → "
               "生成内容标识 → 展示；"
               "检查不通过时拒绝回答或停止输出。拦截记录经人工复核，用于改进检查规则。");
    paper_pair(p, "应用场景", "%.*s：%.*s", SPAN_ARG(name),
               SPAN_ARG(paper_known(d->config->service.audience)));
    paper_pair(p, "目的意图", "为使用者提供文本问答与写作辅助。具体表述：" PAPER_PENDING);
    paper_pair(p, "公示情况（选填）", "%.*s", SPAN_ARG(paper_known(d->config->service.url)));
}

static void risks(struct paper *p, const struct dossier *d)
{
    static const struct paper_column columns[] = {
        {"风险", 3, false}, {"表现", 6, false}, {"防控（现行）", 9, false}};
    paper_heading(p, 1, "四、风险研判");
    paper_table(p, columns, 3);
    paper_cell(p, "算法滥用");
    paper_cell(p, "用于批量生成虚假信息、冒充真人、规避标识");
    paper_cell(p, "%s", said_by(p, d, words_strikes));
    paper_cell(p, "算法漏洞");
    paper_cell(p, "提示注入、角色扮演、编码与变形、多轮拆分等诱导模型输出违法内容");
    paper_cell(p, "%s", said_by(p, d, words_input));
    paper_cell(p, "恶意利用");
    paper_cell(p, "高频调用、攻击服务、套取个人信息或系统提示");
    paper_cell(p, "%s", said_by(p, d, words_privacy));
    paper_cell(p, "内容失实");
    paper_cell(p, "回答不准确、误导使用者");
    paper_cell(p, "%s", said_by(p, d, words_label));
    paper_cell(p, "其他");
    paper_cell(p, PAPER_PENDING);
    paper_cell(p, PAPER_PENDING);
}

static void controls(struct paper *p, const struct dossier *d)
{
    static const struct {
        const char *name;
        void (*words)(struct paper *p, const struct dossier *d);
    } rows[] = {
        {"使用者权益保护（投诉与申诉）", words_complaints},
        {"内容生态治理", words_library},
        {"人工审核", words_reviews},
        {"模型安全保障", words_update},
        {"数据安全防护", words_retention},
        {"日志与防篡改", words_evidence},
        {"服务稳定", words_failure},
    };
    paper_heading(p, 1, "五、风险防控");
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        paper_pair(p, rows[i].name, "%s", said_by(p, d, rows[i].words));
    paper_heading(p, 2, "须附的截图");
    paper_item(p, "拦截：输入被拒绝、输出被截断各一例（控制台“记录”与应用界面）。");
    paper_item(p, "标识：应用界面的显式标识；响应头中的隐式标识。");
    paper_item(p, "公示：模型名称与备案号、算法备案号及链接、投诉入口所在页面。");
    paper_item(p, "人工审核：复核队列与每日签署页面。");
    paper_item(p, "管理制度：算法安全责任人任命文件、内容安全管理制度、应急预案。");
}

void annexalgorithm_fill(struct paper *p, const struct dossier *d)
{
    basics(p, d);
    show_process(p, d);
    intervention(p, d);
    publication(p, d);
    risks(p, d);
    controls(p, d);
    paper_heading(p, 1, "六、自评估结论");
    paper_text(p, "由算法安全负责人填写：" PAPER_PENDING "。");
    paper_note(p, "时限提示：提供服务之日起十个工作日内备案；变更之日起十个工作日内变更；终止服务之"
                  "日起二十个工作日内注销"
                  "（《互联网信息服务算法推荐管理规定》第二十四条）。");
    paper_sign(p, "算法安全负责人（签字）");
}
