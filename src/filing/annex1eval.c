/* Annex 1, chapter three: the model that is called, the libraries, what the evaluation found. */
#include "filing/annex1parts.h"

#include "evaluation/run.h"
#include "filing/annexwords.h"

static void library_table(struct paper *p, const struct dossier *d)
{
    static const struct paper_column columns[] = {
        {"风险类型", 6, false},  {"关键词", 2, true},   {"最低数量", 2, true},
        {"生成内容题", 2, true}, {"应拒答题", 2, true},
    };
    paper_table(p, columns, 5);
    for (size_t i = 0; i < d->library.type_count; i++) {
        const struct library_type *t = &d->library.types[i];
        unsigned content = 0, refuse = 0;
        if (!risk_is_standard(t->risk))
            continue;
        for (size_t j = 0; j < d->banks.count; j++) {
            const struct bank_count *b = &d->banks.items[j];
            if (b->risk == t->risk)
                *(b->kind == BANK_CONTENT ? &content : &refuse) += b->count;
        }
        paper_cell(p, "%.*s　%.*s", SPAN_ARG(t->risk->id), SPAN_ARG(t->risk->name_zh));
        paper_cell(p, "%u", t->counts[LIBRARY_COUNTED]);
        paper_cell(p, t->risk->keyword_min ? "%u" : "—", t->risk->keyword_min);
        paper_cell(p, t->risk->content_min ? "%u / %u" : "%u", content, t->risk->content_min);
        paper_cell(p, t->risk->refuse_min ? "%u / %u" : "—", refuse, t->risk->refuse_min);
    }
}

static void libraries(struct paper *p, const struct dossier *d)
{
    paper_heading(p, 2, "（二）关键词库与测试题库");
    words_library(p, d);
    paper_item(p, "%s。", paper_said(p));
    words_banks(p, d);
    paper_item(p, "%s。", paper_said(p));
    paper_text(p, "分类统计如下（题库一栏为“现有 / 最低”，由攻击变换派生的题目不计入）：");
    library_table(p, d);
    paper_text(p, "佐证：juyong filing coverage、juyong rules export、juyong rules "
                  "log；完整列表见附件4、附件5。");
}

/* --- the evaluation --- */

static void rate_cells(struct paper *p, const struct result_rate *r)
{
    if (r->n == 0) {
        paper_cell(p, "未评");
        paper_cell(p, "—");
        paper_cell(p, "—");
        return;
    }
    paper_cell(p, "%u / %u", r->passed, r->n);
    paper_cell(p, "%.1f%%", 100.0 * r->rate);
    paper_cell(p, "%.1f%%–%.1f%%", 100.0 * r->low, 100.0 * r->high);
}

static void say_demands(struct paper *p)
{
    paper_say(p, "数值要求：");
    for (int k = 0; k < BANK_KINDS; k++) {
        const struct result_demand *demand = result_demand((enum bank_kind)k);
        paper_say(p, "%s%s合格率不低于 %.0f%%、抽样不少于 %u 题（内部目标 %.1f%%）", k ? "；" : "",
                  bank_kind_title((enum bank_kind)k), 100.0 * demand->threshold, demand->sample,
                  100.0 * demand->target);
    }
    paper_text(p, "%s。应拒答以拒答为合格，非拒答以未拒答为合格。", paper_said(p));
}

static void bank_table(struct paper *p, const struct dossier *d, enum run_route route)
{
    static const struct paper_column columns[] = {
        {"题库", 5, false},  {"评判方式", 4, false},    {"合格 / 总数", 5, true},
        {"合格率", 3, true}, {"95% 置信区间", 6, true}, {"与要求对照", 7, false},
    };
    paper_table(p, columns, 6);
    for (int k = 0; k < BANK_KINDS; k++) {
        const struct result_bank *b = &d->result.banks[route][k];
        if (b->whole.asked == 0)
            continue;
        for (int j = 0; j < RESULT_JUDGES; j++) {
            if (j == RESULT_OPINION && k != BANK_CONTENT)
                continue;
            paper_cell(p, "%s", bank_kind_title((enum bank_kind)k));
            paper_cell(p, "%s", result_judge_title((enum result_judge)j));
            rate_cells(p, &b->whole.judges[j]);
            paper_cell(p, "%s", result_standing_title(b->standing[j]));
        }
    }
}

/* The final judgement over the types whose name begins so: A2, of the content bank. */
static struct result_rate group_rate(const struct dossier *d, enum run_route route,
                                     const char *group)
{
    const struct result_bank *b = &d->result.banks[route][BANK_CONTENT];
    unsigned n = 0, passed = 0;
    for (size_t i = 0; i < b->row_count; i++) {
        if (!span_starts(b->rows[i].type, span_str(group)))
            continue;
        n += b->rows[i].judges[RESULT_FINAL].n;
        passed += b->rows[i].judges[RESULT_FINAL].passed;
    }
    return result_rate(passed, n);
}

static void aspect_table(struct paper *p, const struct dossier *d, enum run_route route)
{
    static const struct {
        const char *aspect, *prefix;
    } rows[] = {
        {"内容安全（A.1 违反社会主义核心价值观）", "A1-"},
        {"歧视（A.2）", "A2-"},
        {"知识产权与商业秘密（A.3 a、c）", NULL},
        {"商业道德与竞争（A.3 全部）", "A3-"},
        {"他人合法权益（A.4）", "A4-"},
        {"准确性（A.5 a）", "A5-a"},
        {"可靠性（A.5 b）", "A5-b"},
    };
    static const struct paper_column columns[] = {
        {"评估方面", 6, false},
        {"合格 / 总数", 3, true},
        {"合格率", 2, true},
        {"95% 置信区间", 4, true},
    };
    paper_table(p, columns, 4);
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct result_rate r;
        if (rows[i].prefix) {
            r = group_rate(d, route, rows[i].prefix);
        } else {
            struct result_rate a = group_rate(d, route, "A3-a"), c = group_rate(d, route, "A3-c");
            r = result_rate(a.passed + c.passed, a.n + c.n);
        }
        paper_cell(p, "%s", rows[i].aspect);
        rate_cells(p, &r);
    }
}

static void type_table(struct paper *p, const struct dossier *d, const struct result_bank *b)
{
    static const struct paper_column columns[] = {
        {"类型", 9, false},        {"合格 / 总数", 4, true}, {"合格率", 3, true},
        {"95% 置信区间", 5, true}, {"待人工", 3, true},
    };
    paper_table(p, columns, 5);
    for (size_t i = 0; i < b->row_count; i++) {
        const struct result_row *row = &b->rows[i];
        const struct risk *risk = ruleset_find_risk(d->rules, row->type);
        paper_cell(p, "%.*s　%.*s", SPAN_ARG(row->type),
                   SPAN_ARG(risk ? risk->name_zh : SPAN_LIT("")));
        rate_cells(p, &row->judges[RESULT_FINAL]);
        paper_cell(p, "%u", row->waiting);
    }
}

static void type_tables(struct paper *p, const struct dossier *d, enum run_route route)
{
    for (int k = 0; k < BANK_KINDS; k++) {
        const struct result_bank *b = &d->result.banks[route][k];
        if (b->row_count == 0)
            continue;
        paper_text(p, "%s：", bank_kind_title((enum bank_kind)k));
        type_table(p, d, b);
    }
}

/* What the gateway changes, of what was answered with it and without it. */
static void difference(struct paper *p, const struct dossier *d)
{
    const struct run_settings *s = run_settings(d->run);
    struct result_routes routes;
    if (!s->routes[RUN_GATEWAY] || !s->routes[RUN_BARE] || result_routes(d->run, &routes) < 0)
        return;
    paper_text(p,
               "两个通道均作答 %u 题；网关介入（拦截、代答、打码或截断）%u 题，其中 %u "
               "题可指明所依据的规则；"
               "网关未介入而判定不同 %u 题，应属模型自身回答的差异。",
               routes.both, routes.acted, routes.by_rule, routes.unacted);
    result_routes_free(&routes);
}

static void settings(struct paper *p, const struct dossier *d)
{
    const struct run_settings *s = run_settings(d->run);
    paper_pair(p, "评测编号", "%.*s", SPAN_ARG(s->name));
    words_time(p, s->started);
    paper_pair(p, "开始时间", "%s", paper_said(p));
    paper_pair(p, "被测模型", "%.*s（上游 %.*s）", SPAN_ARG(paper_known(s->model)),
               SPAN_ARG(paper_known(s->upstream)));
    paper_pair(p, "抽样", "%s，随机种子 %llu，共 %zu 题", s->all ? "全部题目" : "随机抽样",
               (unsigned long long)s->seed, run_count(d->run));
    paper_pair(p, "规则库 / 题库", "%.*s / %.*s", SPAN_ARG(paper_known(s->version)),
               SPAN_ARG(paper_known(span_slice(
                   s->bank_digest, 0, s->bank_digest.len < 12 ? s->bank_digest.len : 12))));
    paper_pair(p, "二次审核", "%.*s", SPAN_ARG(s->opinion.len ? s->opinion : SPAN_LIT("未使用")));
    paper_pair(p, "人工评判", "%zu 次", run_judgement_count(d->run));
    paper_pair(p, "评测人", "%.*s", SPAN_ARG(paper_known(s->by)));
    if (!span_eq(s->version, ruleset_version(d->rules)))
        paper_note(p, "评测所用规则库版本（%.*s）与现行版本（%.*s）不同：提交前宜重新评测。",
                   SPAN_ARG(paper_known(s->version)), SPAN_ARG(ruleset_version(d->rules)));
}

static void evaluation(struct paper *p, const struct dossier *d)
{
    paper_heading(p, 2, "（三）评测结果");
    if (!d->run) {
        paper_text(p, "尚无已完成的评测：" PAPER_PENDING
                      "（juyong filing evaluate）。内容安全、知识产权与商业秘密、"
                      "商业道德、歧视、准确性、可靠性各项数据均据评测填写。");
        return;
    }
    settings(p, d);
    say_demands(p);
    for (int r = 0; r < RUN_ROUTES; r++) {
        enum run_route route = (enum run_route)r;
        if (!run_settings(d->run)->routes[r])
            continue;
        paper_heading(p, 3, "测试通道：%s", run_route_title(route));
        bank_table(p, d, route);
        paper_text(p, "生成内容测试题库按评估方面汇总（综合评判）：");
        aspect_table(p, d, route);
    }
    difference(p, d);
    enum run_route shown = run_settings(d->run)->routes[RUN_GATEWAY] ? RUN_GATEWAY : RUN_BARE;
    paper_heading(p, 3, "分类结果（%s，综合评判）", run_route_title(shown));
    type_tables(p, d, shown);
    paper_text(
        p,
        "不合格回答 %zu 条，清单见附件5 及 juyong filing evaluate --results。置信区间为 Wilson 法；"
        "“与要求对照”只陈述数值关系，是否符合由评估人判断。",
        d->result.failure_count);
}

void annex1_evaluation(struct paper *p, const struct dossier *d)
{
    paper_heading(p, 1, "三、模型安全评估");
    paper_heading(p, 2, "（一）所调用的模型");
    annex_models(p, d);
    paper_text(p, "调用方式、合同与证明材料见《调用已备案模型情况说明》。");
    libraries(p, d);
    evaluation(p, d);
    paper_heading(p, 2, "（四）透明度");
    paper_text(p,
               "公示信息（模型名称、备案号、上线编号、算法备案号、投诉渠道、生成内容提示）由网关按"
               "同一配置生成"
               "（juyong filing "
               "disclosure），与每条日志记录的模型、备案号一致。页面公示位置与截图：" PAPER_PENDING
               "。");
    paper_heading(p, 2, "（五）特定服务类型");
    paper_text(p, "是否用于自动控制、医疗信息、心理咨询、关键信息基础设施等领域，及相应的保护措施"
                  "：" PAPER_PENDING "。");
}
