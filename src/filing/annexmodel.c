/* 调用已备案模型情况说明: which models, by whom filed, how they are called, and what is not done.
 */
#include "filing/annex.h"

#include "filing/annexwords.h"
#include "paper/paper.h"

/* Of a file, without where it stands on this machine. */
static struct span name_of(struct span path)
{
    const char *slash = path.len ? memrchr(path.data, '/', path.len) : NULL;
    return slash ? span_slice(path, (size_t)(slash - path.data) + 1, path.len) : path;
}

static void one_model(struct paper *p, const struct dossier *d, const struct dossier_model *it,
                      size_t number)
{
    const struct config_model *m = it->model;
    paper_heading(p, 2, "%zu. %.*s", number, SPAN_ARG(dossier_model_name(m)));
#define ROW(title, value) paper_pair(p, title, "%.*s", SPAN_ARG(paper_known(value)))
    ROW("模型名称（公示）", m->display_name);
    ROW("调用名", m->id);
    ROW("服务商", m->vendor);
    ROW("备案主体", m->filing_entity);
    ROW("备案号", m->filing_number);
    ROW("备案公示日期", m->filed_on);
    ROW("接口地址", it->upstream->base_url);
    paper_pair(p, "调用方式", "%s 接口（%.*s 兼容），%s",
               span_starts(it->upstream->base_url, SPAN_LIT("https://")) ? "HTTPS"
                                                                         : "HTTP（未加密）",
               SPAN_ARG(it->upstream->dialect),
               d->config->auth == AUTH_KEYS ? "服务商密钥由网关保管，应用不接触"
                                            : "密钥由应用随请求提供，网关透传");
    ROW("合同或开通证明", name_of(m->proof));
    ROW("合同截止日期", m->contract_until);
#undef ROW
    if (m->answers_as_count) {
        for (size_t i = 0; i < m->answers_as_count; i++)
            paper_say(p, "%s%.*s", i ? "、" : "", SPAN_ARG(m->answers_as[i]));
        paper_pair(p, "回答中的其他名称", "%s", paper_said(p));
    }
}

static void way(struct paper *p, const struct dossier *d)
{
    paper_heading(p, 1, "三、调用链路");
    paper_node(p, "应用（本服务）",
               SPAN_LIT("使用者经应用提问；应用以自己的密钥请求网关，并标明终端用户"),
               SPAN_LIT(""));
    paper_node(
        p, "内容安全网关（居庸）",
        SPAN_LIT("校验身份与模型是否登记备案号；检查输入；决定放行、打码、代答或拦截；写日志"),
        SPAN_LIT("拦截或代答：不转发模型"));
    paper_node(p, "已备案大模型的接口", SPAN_LIT("由服务商在其环境中推理，返回回答（流式或整体）"),
               SPAN_LIT(""));
    paper_node(p, "内容安全网关（居庸）",
               SPAN_LIT("逐段检查回答；放行、打码或截断；加标识；写日志"),
               SPAN_LIT("命中：停止传输，以提示语结束"));
    paper_node(p, "应用展示", SPAN_LIT("显示回答、模型名称与备案号、生成内容提示、投诉入口"),
               SPAN_LIT(""));
    paper_text(
        p,
        "未登记的模型一律不转发%"
        "s；每条日志记录所调用的模型、备案号与上游，回答方自报的模型名称与请求不符时记录并告警。",
        d->config->allow_unfiled ? "（但当前配置允许调用无备案号的模型，须在提交前改正）" : "");
}

void annexmodel_fill(struct paper *p, const struct dossier *d)
{
    paper_heading(p, 1, "一、服务主体");
    annex_subject(p, d);
    paper_heading(p, 1, "二、所调用的已备案模型");
    annex_models(p, d);
    for (size_t i = 0; i < d->model_count; i++)
        one_model(p, d, &d->models[i], i + 1);
    paper_note(
        p,
        "备案号、备案主体请与网信部门公告逐字核对；证明材料（合同、控制台截图、服务商公示）附后。");
    way(p, d);
    paper_heading(p, 1, "四、承诺事项（由法定代表人确认）");
    paper_item(
        p,
        "仅通过接口直接调用上述已备案模型，不进行预训练、优化训练、微调或蒸馏，不改动模型参数。");
    paper_item(p, "不将使用者输入、模型回答和网关日志用于训练任何模型，也不提供给服务商以外的第三方"
                  "用于训练。");
    paper_item(p, "更换、增加模型，或模型备案状态变化时，及时更新登记并按要求报告。");
    paper_item(p, "系统提示词、检索增强（RAG）等附加内容的使用情况：" PAPER_PENDING
                  "（是否视为直接调用，以属地网信部门意见为准）。");
    paper_sign(p, "法定代表人（签字、盖章）");
}
