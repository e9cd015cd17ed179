/* What the evaluation says, and whether it is one of what is so now. */
#include "filing/packlint.h"

#include "base/day.h"

#include <string.h>

#define DAY_US UINT64_C(86400000000)

/* By which names may the model answer? NAME or PREFIX*. */
static bool answers_as(const struct config_model *m, struct span name)
{
    if (span_eq(name, m->id))
        return true;
    for (size_t i = 0; i < m->answers_as_count; i++) {
        struct span as = m->answers_as[i];
        bool open = as.len && as.data[as.len - 1] == '*';
        if (open ? span_starts(name, span_slice(as, 0, as.len - 1)) : span_eq(name, as))
            return true;
    }
    return false;
}

static int check_model(const struct lint_question *q, struct lint *l)
{
    const struct run *run = q->dossier->run;
    const struct run_settings *s = run_settings(run);
    const struct config_model *m = config_find_model(q->dossier->config, s->model, NULL);
    if (!m)
        return lint_add(l, LINT_ERROR, "run-model", "评估 %.*s 测的是模型 %.*s，现在的配置里没有它",
                        SPAN_ARG(s->name), SPAN_ARG(s->model));
    unsigned others = 0;
    struct span other = SPAN_NULL;
    for (size_t i = 0; i < run_count(run); i++)
        for (unsigned route = 0; route < RUN_ROUTES; route++) {
            const struct run_answer *a = run_answer(run, i, route);
            if (!a || a->error.len || a->model.len == 0 || answers_as(m, a->model))
                continue;
            others++;
            other = a->model;
        }
    if (others)
        return lint_add(l, LINT_ERROR, "run-model",
                        "评估中有 %u 个回答自称来自另一模型（如 %.*s），与 %.*s 不一致", others,
                        SPAN_ARG(other), SPAN_ARG(m->id));
    return 0;
}

static int check_versions(const struct lint_question *q, struct lint *l)
{
    const struct run_settings *s = run_settings(q->dossier->run);
    int r = 0;
    if (!span_eq(s->digest, ruleset_digest(q->dossier->rules)))
        r = lint_add(l, LINT_WARNING, "run-library",
                     "评估时的规则库为 %.*s，现在是 %.*s：评估不代表现在的规则",
                     SPAN_ARG(s->version), SPAN_ARG(ruleset_version(q->dossier->rules)));
    if (r == 0 && q->dossier->bank &&
        !span_eq(s->bank_digest, span_str(bank_digest(q->dossier->bank))))
        r = lint_add(l, LINT_WARNING, "run-bank", "题库在评估之后有改动：附件5中有题目没有回答");
    if (r == 0 && s->app.len && !span_eq(s->app, q->dossier->app->name))
        r = lint_add(l, LINT_WARNING, "run-app", "评估按应用 %.*s 的策略进行，而材料按应用 %.*s",
                     SPAN_ARG(s->app), SPAN_ARG(q->dossier->app->name));
    return r;
}

static int check_age(const struct lint_question *q, struct lint *l)
{
    const struct run_settings *s = run_settings(q->dossier->run);
    unsigned days = ruleset_standard(q->dossier->rules)->question_days;
    uint64_t now = (uint64_t)q->dossier->o.now * 1000000;
    if (!days || now < s->started || now - s->started <= days * DAY_US)
        return 0;
    char day[DAY_TEXT_SIZE];
    day_format((int64_t)(s->started / 1000000) + 1, day);
    return lint_add(l, LINT_WARNING, "run-old", "评估是 %s 做的，已超过 %u 天", day, days);
}

static int check_course(const struct lint_question *q, struct lint *l)
{
    const struct run *run = q->dossier->run;
    const struct run_settings *s = run_settings(run);
    int r = 0;
    if (!run_is_complete(run))
        r = lint_add(l, LINT_ERROR, "run-incomplete", "评估 %.*s 没有做完", SPAN_ARG(s->name));
    if (r == 0 && !s->routes[RUN_GATEWAY])
        r = lint_add(l, LINT_ERROR, "run-route", "评估没有经过网关（%s）",
                     run_route_title(RUN_GATEWAY));
    if (r == 0 && !s->routes[RUN_BARE])
        r = lint_add(l, LINT_NOTE, "run-route", "评估没有包括%s的通道，审核可能会问到",
                     run_route_title(RUN_BARE));
    return r;
}

/* A judge's rate of one bank against what is asked. */
static int check_judge(const struct result_bank *b, enum result_judge judge, struct lint *l)
{
    const struct result_demand *demand = result_demand(b->whole.kind);
    const struct result_rate *rate = &b->whole.judges[judge];
    const char *bank = bank_kind_title(b->whole.kind), *by = result_judge_title(judge);
    int r = 0;
    if (rate->n == 0 && judge == RESULT_HUMAN)
        return lint_add(l, LINT_ERROR, "unjudged", "%s没有一题经人工研判", bank);
    if (rate->n == 0)
        return 0;
    if (b->standing[judge] == RESULT_MISSED)
        r = lint_add(l, LINT_ERROR, "rate", "%s（%s）：%u 题中 %u 题合格，低于 %.0f%%", bank, by,
                     rate->n, rate->passed, demand->threshold * 100);
    else if (rate->low < demand->threshold)
        r = lint_add(l, LINT_NOTE, "margin",
                     "%s（%s）达到 %.0f%%，但 95%% 区间下限不到：复测可能不过", bank, by,
                     demand->threshold * 100);
    if (r == 0 && rate->n < demand->sample)
        r = lint_add(l, LINT_ERROR, "sample", "%s（%s）只判了 %u 题，少于要求的 %u 题", bank, by,
                     rate->n, demand->sample);
    return r;
}

static int check_bank(const struct result_bank *b, struct lint *l)
{
    static const enum result_judge judges[] = {RESULT_KEYWORD, RESULT_OPINION, RESULT_HUMAN};
    if (b->whole.asked == 0)
        return lint_add(l, LINT_ERROR, "bank-unasked", "评估没有测%s",
                        bank_kind_title(b->whole.kind));
    int r = 0;
    for (size_t i = 0; i < sizeof(judges) / sizeof(*judges) && r == 0; i++)
        r = check_judge(b, judges[i], l);
    if (r == 0 && b->whole.waiting && b->whole.judges[RESULT_HUMAN].n)
        r = lint_add(l, LINT_ERROR, "unjudged", "%s有 %u 题待人工研判",
                     bank_kind_title(b->whole.kind), b->whole.waiting);
    return r;
}

int lint_evaluation(const struct lint_question *q, struct lint *l)
{
    const struct dossier *d = q->dossier;
    int (*const rules[])(const struct lint_question *,
                         struct lint *) = {check_model, check_versions, check_age, check_course};
    int r = 0;
    if (!d->run)
        return lint_add(l, LINT_ERROR, "run-missing",
                        "还没有评估：附件5没有回答和研判结果（juyong filing evaluate）");
    for (size_t i = 0; i < sizeof(rules) / sizeof(*rules) && r == 0; i++)
        r = rules[i](q, l);
    unsigned route = run_settings(d->run)->routes[RUN_GATEWAY] ? RUN_GATEWAY : RUN_BARE;
    for (unsigned k = 0; k < BANK_KINDS && r == 0; k++)
        r = check_bank(&d->result.banks[route][k], l);
    return r;
}
