#include "filing/annex.h"

#include "base/cleanup.h"
#include "paper/paper.h"

#include <errno.h>

static const struct annex annexes[] = {
    {"1", "附件1 安全自评估报告", "annex1", "safety self-assessment", annex1_fill},
    {"2", "附件2 模型服务协议与隐私政策要点", "annex2", "outline of terms and privacy policy",
     annex2_fill},
    {"3", "附件3 语料标注规则", "annex3", "labelling rules: not involved, and why", annex3_fill},
    {"model", "调用已备案模型情况说明", "annex-model", "which filed models are called, and how",
     annexmodel_fill},
    {"algorithm", "算法备案填报稿", "annex-algorithm", "what the algorithm filing asks for",
     annexalgorithm_fill},
};
#define ANNEXES (sizeof(annexes) / sizeof(*annexes))

const struct annex *annex_at(size_t index)
{
    return index < ANNEXES ? &annexes[index] : NULL;
}

const struct annex *annex_find(struct span name)
{
    for (size_t i = 0; i < ANNEXES; i++)
        if (span_eq(name, span_str(annexes[i].name)))
            return &annexes[i];
    return NULL;
}

static int make(const struct annex *a, const struct dossier *d, struct paper **ret_paper)
{
    int r = paper_new(span_str(a->title), ret_paper);
    if (r < 0)
        return r;
    annex_stamp(*ret_paper, d);
    a->fill(*ret_paper, d);
    return 0;
}

int annex_html(const struct annex *a, const struct dossier *d, struct buf *out)
{
    cleanup(cleanup_paper) struct paper *p = NULL;
    int r = make(a, d, &p);
    return r < 0 ? r : paper_html(p, out);
}

int annex_docx(const struct annex *a, const struct dossier *d, struct span path,
               struct buf *ret_error)
{
    cleanup(cleanup_paper) struct paper *p = NULL;
    int r = make(a, d, &p);
    if (r < 0)
        buf_printf(ret_error, "%.*s: out of memory", SPAN_ARG(path));
    return r < 0 ? r : paper_docx(p, path, ret_error);
}

void annex_stamp(struct paper *p, const struct dossier *d)
{
    char day[DOSSIER_DAY_SIZE];
    paper_stamp(p, "草稿：由网关自动生成，须由本单位人员逐项核对、补充后使用");
    paper_stamp(p, "%.*s　%.*s", SPAN_ARG(paper_known(d->config->service.provider)),
                SPAN_ARG(paper_known(d->config->service.name)));
    paper_stamp(p, "生成日期 %s　网关版本 %.*s", dossier_day(d->o.now, day),
                SPAN_ARG(d->o.software));
    paper_stamp(p, "规则库 %.*s　配置 %s（应用 %.*s）", SPAN_ARG(ruleset_version(d->rules)),
                *d->config_digest ? d->config_digest : PAPER_PENDING, SPAN_ARG(d->app->name));
}

void annex_subject(struct paper *p, const struct dossier *d)
{
    const struct config *c = d->config;
#define ROW(title, key) paper_pair(p, title, "%.*s", SPAN_ARG(paper_known(c->service.key)))
    ROW("服务提供者", provider);
    ROW("统一社会信用代码", credit_code);
    ROW("服务名称", name);
    ROW("访问地址", url);
    ROW("适用人群与用途", audience);
    ROW("属地网信部门", province);
    ROW("上线日期", launched);
    ROW("算法安全负责人", officer);
    ROW("联系方式", contact);
    ROW("投诉举报渠道", complaint);
    ROW("服务协议", terms_url);
    ROW("隐私政策", privacy_url);
    ROW("上线编号", launch_number);
    ROW("算法备案号", algorithm_number);
#undef ROW
}

void annex_models(struct paper *p, const struct dossier *d)
{
    static const struct paper_column columns[] = {
        {"模型名称", 4, false}, {"调用名", 4, false}, {"服务商", 3, false},
        {"备案主体", 4, false}, {"备案号", 6, false}, {"合同截止", 4, false},
    };
    paper_table(p, columns, 6);
    for (size_t i = 0; i < d->model_count; i++) {
        const struct config_model *m = d->models[i].model;
        paper_cell(p, "%.*s", SPAN_ARG(dossier_model_name(m)));
        paper_cell(p, "%.*s", SPAN_ARG(m->id));
        paper_cell(p, "%.*s", SPAN_ARG(paper_known(m->vendor)));
        paper_cell(p, "%.*s", SPAN_ARG(paper_known(m->filing_entity)));
        paper_cell(p, "%.*s", SPAN_ARG(paper_known(m->filing_number)));
        paper_cell(p, "%.*s", SPAN_ARG(paper_known(m->contract_until)));
    }
}
