/* Annex 3, 语料标注规则: a pure caller of filed models has none. */
#include "filing/annex.h"

#include "paper/paper.h"

void annex3_fill(struct paper *p, const struct dossier *d)
{
    paper_pair(p, "是否涉及", "不涉及");
    paper_pair(p, "服务名称", "%.*s", SPAN_ARG(paper_known(d->config->service.name)));
    paper_pair(p, "服务提供者", "%.*s", SPAN_ARG(paper_known(d->config->service.provider)));
    paper_heading(p, 1, "一、不涉及的理由");
    paper_item(p, "本服务仅通过接口调用第三方已备案的大模型，不自行训练模型，不对所调用模型进行优化"
                  "训练、微调或蒸馏，"
                  "因此没有语料标注活动，未组建标注团队，也未委托第三方标注。");
    paper_item(p, "所调用模型的语料标注规则由其备案主体在模型备案时提交，见下表。");
    paper_item(p, "网关对模型的输入和输出只做检查、处置与记录；人工复核的结论用于改进关键词库和策略"
                  "，不用于训练模型。");
    paper_heading(p, 1, "二、所调用的模型");
    annex_models(p, d);
    paper_heading(p, 1, "三、与标注相近、但不属于语料标注的工作");
    paper_item(p, "拦截记录的人工复核（正确、误拦、存疑）：依据见《内容安全管理制度》，记录见 "
                  "juyong log summary。");
    paper_item(p, "评测回答的人工评判（合格、不合格）：评判要点随题库逐题给出，两人评判不一致时由第"
                  "三人决定。");
    paper_note(p, "如后续对模型进行微调，或以人工标注的数据训练分类模型，本附件不再适用“不涉及”，"
                  "须补充标注规则、标注人员培训与抽检记录。");
    paper_sign(p, "填报人（签字）");
}
