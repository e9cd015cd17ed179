/*
 * Annex 2, 模型服务协议与隐私政策要点: the clauses that the running settings imply, so that what is
 * promised is what is done. A lawyer writes the agreement.
 */
#include "filing/annex.h"

#include "filing/annexwords.h"
#include "paper/paper.h"

static void say_to(struct paper *p, const struct dossier *d,
                   void (*words)(struct paper *p, const struct dossier *d), const char *before)
{
    words(p, d);
    paper_text(p, "%s%s。", before, paper_said(p));
}

static void agreement(struct paper *p, const struct dossier *d)
{
    struct span name = paper_known(d->config->service.name);
    paper_heading(p, 1, "第一部分　服务协议要点");
    paper_heading(p, 2, "1. 服务说明");
    paper_text(
        p, "%.*s由%.*s提供，使用者与其注册的账号据本协议享有权利、承担义务。适用人群与用途：%.*s。",
        SPAN_ARG(name), SPAN_ARG(paper_known(d->config->service.provider)),
        SPAN_ARG(paper_known(d->config->service.audience)));
    paper_text(p, "回答由人工智能生成，所用模型及备案号如下，并在服务页面公示：");
    annex_models(p, d);
    paper_text(
        p,
        "生成内容可能不准确、不完整，不构成医疗、法律、投资等专业意见；其他局限性：" PAPER_PENDING
        "。");
    paper_heading(p, 2, "2. 使用规则");
    paper_text(
        p,
        "使用者不得利用本服务制作、复制、传播法律、行政法规禁止的内容，不得以诱导、伪装、编码等方式"
        "规避安全措施，不得删除、篡改、隐匿生成内容标识。");
    paper_text(p, "输入和生成内容均经自动检查。命中时可能不予回答、以固定内容代答、遮盖部分文字，或"
                  "在生成途中停止。");
    paper_heading(p, 2, "3. 违规处置");
    say_to(p, d, words_strikes, "");
    paper_text(p, "暂停服务前后均告知原因；使用者可通过投诉渠道申诉，复核属误判的，恢复服务。");
    paper_heading(p, 2, "4. 生成内容标识");
    say_to(p, d, words_label, "");
    if (d->policy->label == LABEL_REQUESTED)
        paper_text(p, "使用者要求提供不含显式标识的内容的，须另行声明承担标识义务，本服务留存声明与"
                      "日志不少于六个月。");
    paper_heading(p, 2, "5. 投诉举报");
    paper_say(p, "渠道：%.*s；自收到之日起 ", SPAN_ARG(paper_known(d->config->service.complaint)));
    words_duration(p, d->config->complaints.due_ms);
    paper_say(p, "内答复");
    paper_text(p, "%s。处理流程在服务页面公开。", paper_said(p));
    paper_heading(p, 2, "6. 未成年人");
    paper_text(p, "是否允许未成年人使用、年龄核验、监护人同意与防沉迷安排：" PAPER_PENDING
                  "（网关不识别年龄，须由应用实现）。");
    paper_heading(p, 2, "7. 协议的变更、终止与责任");
    paper_text(p, PAPER_PENDING "（由法务拟定）。");
}

static void kept(struct paper *p, const struct dossier *d)
{
    static const struct paper_column columns[] = {
        {"信息", 6, false}, {"目的", 5, false}, {"保存期限", 4, false}, {"形式", 5, false}};
    const struct config *c = d->config;
    paper_table(p, columns, 4);
    paper_cell(
        p, "请求的元数据：时间、应用、终端用户标识、客户端地址与端口、设备、所用模型、处置结果");
    paper_cell(p, "依法留存网络日志、追溯安全事件");
    paper_cell(p, "%u 天", c->audit.retention.records);
    paper_cell(p, "终端用户标识为密钥散列");
    paper_cell(p, "被拦截内容及其上下文");
    paper_cell(p, "人工复核、申诉与投诉处理");
    paper_cell(p, "%u 天", c->audit.retention.texts);
    paper_cell(p, "个人信息打码后保存");
    if (c->audit.originals) {
        paper_cell(p, "被拦截内容的原文");
        paper_cell(p, "依法配合调查、核实争议");
        paper_cell(p, "%u 天", c->audit.retention.originals);
        paper_cell(p, "加密保存，查看留痕");
    }
    if (c->audit.samples.percent) {
        paper_cell(p, "放行内容的抽样（%u%%）", c->audit.samples.percent);
        paper_cell(p, "%.*s", SPAN_ARG(paper_known(c->audit.samples.purpose)));
        paper_cell(p, "%u 天", c->audit.samples.days);
        paper_cell(p, "个人信息打码后保存");
    }
    paper_cell(p, "投诉内容与联系方式");
    paper_cell(p, "处理投诉举报");
    paper_cell(p, PAPER_PENDING);
    paper_cell(p, "明文，仅处理人员可见");
}

/* Scheme and host: what stands behind them may be a secret. */
static struct span host_of(struct span url)
{
    size_t from = span_find(url, SPAN_LIT("://"));
    from = from < url.len ? from + 3 : 0;
    while (from < url.len && url.data[from] != '/' && url.data[from] != '?')
        from++;
    return span_slice(url, 0, from);
}

static void recipients(struct paper *p, const struct dossier *d)
{
    for (size_t i = 0; i < d->model_count; i++) {
        const struct config_model *m = d->models[i].model;
        paper_item(p, "%.*s（模型 %.*s）：为生成回答，接收使用者输入与对话历史；%s。",
                   SPAN_ARG(paper_known(m->vendor)), SPAN_ARG(dossier_model_name(m)),
                   d->config->end_users.remove ? "不接收终端用户标识"
                                               : "应用所填的终端用户字段一并转发");
    }
    for (size_t i = 0; i < d->policy->asking_count; i++) {
        const struct config_asking *a = &d->policy->askings[i];
        bool first = true;
        for (size_t j = 0; j < i; j++)
            first = first && d->policy->askings[j].source != a->source;
        if (first)
            paper_item(p,
                       "二次审核方 "
                       "%.*s（%.*s）：为判断内容是否违法，接收待审核的文本，不接收终端用户标识。",
                       SPAN_ARG(a->from), SPAN_ARG(host_of(a->source->url)));
    }
    if (d->policy->asking_count == 0)
        paper_item(p, "未使用第三方二次审核。");
    paper_item(p, "主管部门：依法要求时提供。");
    paper_text(p, "上述接收方的处理目的、方式与合同约束（个人信息保护法第二十一条、第二十三条），以"
                  "及是否均在境内处理：" PAPER_PENDING "。");
}

static void privacy(struct paper *p, const struct dossier *d)
{
    paper_heading(p, 1, "第二部分　隐私政策要点");
    paper_heading(p, 2, "1. 收集、保存的信息");
    kept(p, d);
    paper_text(p, "到期自动删除；法律、行政法规另有规定或依法保全的除外。");
    paper_heading(p, 2, "2. 保护措施");
    say_to(p, d, words_privacy, "");
    paper_text(
        p, "日志文件仅网关的运行账户可读；记录前后以散列相连，改动可被发现；查看原文、导出、按人查"
           "询均须说明理由并留痕。");
    paper_heading(p, 2, "3. 提供给谁");
    recipients(p, d);
    paper_heading(p, 2, "4. 不用于训练");
    paper_text(p, "使用者的输入与生成内容不用于训练模型，本服务不提供也无需关闭此类选项。所调用模型"
                  "服务商的相应承诺：" PAPER_PENDING "（据合同填写）。");
    paper_heading(p, 2, "5. 使用者的权利");
    paper_text(p,
               "使用者可通过投诉渠道或账号页面要求查阅、复制、更正、删除其信息，注销账号，撤回同意"
               "；答复期限：" PAPER_PENDING "。删除文本后，记录中的散列与元数据按法定期限留存。");
    paper_heading(p, 2, "6. 联系方式");
    paper_text(p, "%.*s，%.*s。", SPAN_ARG(paper_known(d->config->service.provider)),
               SPAN_ARG(paper_known(d->config->service.contact)));
}

void annex2_fill(struct paper *p, const struct dossier *d)
{
    paper_note(p, "本文件列出由网关现行设置推出的条款要点，供法务据以起草正式文本；修改设置后须重新"
                  "生成并同步修改已公布的协议。");
    paper_pair(p, "现行服务协议", "%.*s", SPAN_ARG(paper_known(d->config->service.terms_url)));
    paper_pair(p, "现行隐私政策", "%.*s", SPAN_ARG(paper_known(d->config->service.privacy_url)));
    agreement(p, d);
    privacy(p, d);
}
