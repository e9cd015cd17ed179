/* `juyong filing evaluate --list, --results, --compare`. */
#include "cli/evaluatecmd.h"
#include "evaluation/result.h"
#include "evaluation/resultjson.h"

#include "base/day.h"
#include "base/utf8.h"

#include <errno.h>
#include <string.h>

#define OUT_MAX  (64u << 20)
#define SHOWN    20 /* failures, and differences, on a terminal */
#define TEXT_MAX 72 /* bytes of a question in a line */

static int print(struct buf *out)
{
    bool written = setup_write(stdout, out);
    buf_deinit(out);
    return written ? CLI_GOOD : CLI_BAD;
}

static int report(int r)
{
    fprintf(stderr, "juyong filing evaluate: %s\n", strerror(-r));
    return CLI_BAD;
}

/* ---- all runs ---- */

static void list_one(const struct run *r, struct buf *out)
{
    const struct run_settings *s = run_settings(r);
    char time[DAY_TEXT_SIZE];
    day_format_minute((int64_t)(s->started / 1000000), time); /* of China, as the run's name */
    buf_printf(out, "%-22.*s  %s  %zu questions", SPAN_ARG(s->name), time, run_count(r));
    for (int route = 0; route < RUN_ROUTES; route++)
        if (s->routes[route])
            buf_printf(out, "  %s %zu", run_route_name((enum run_route)route),
                       run_answered(r, (enum run_route)route));
    buf_printf(out, "  %s  %.*s\n",
               run_is_complete(r) ? "complete 完成"
               : run_is_busy(r)   ? "running 进行中"
                                  : "incomplete 未完成",
               SPAN_ARG(s->by));
}

int evaluate_list(const struct setup *s, bool json)
{
    struct run_names names;
    struct buf out = BUF_INIT(OUT_MAX);
    bool good = true;
    int r = run_list(s->config->state_dir, &names);
    if (r < 0)
        return report(r);
    for (size_t i = 0; i < names.count; i++) {
        struct run *run = evaluate_open(s, names.names[i], false);
        good = good && run;
        if (run && json) {
            result_run_json(run, &out);
            buf_append_char(&out, '\n');
        } else if (run) {
            list_one(run, &out);
        }
        run_free(run);
    }
    run_names_free(&names);
    r = print(&out);
    return good ? r : CLI_BAD;
}

/* ---- one run ---- */

/* The beginning of a text, on one line. */
static void put_short(struct buf *out, struct span text)
{
    size_t n = 0;
    while (n < text.len && n < TEXT_MAX) {
        uint32_t cp;
        int len = utf8_decode(span_slice(text, n, text.len), false, &cp);
        if (len <= 0)
            break;
        if (cp >= 0x20 && cp != 0x7f && !(cp >= 0x80 && cp < 0xa0))
            buf_append(out, span_slice(text, n, n + (size_t)len));
        else
            buf_append_char(out, ' ');
        n += (size_t)len;
    }
    if (n < text.len)
        buf_append(out, SPAN_LIT("…"));
}

static void put_rate(struct buf *out, const struct result_rate *r)
{
    buf_printf(out, "%5.1f %%  [%5.1f, %5.1f]  %u/%u", r->rate * 100, r->low * 100, r->high * 100,
               r->passed, r->n);
}

static void put_bank(struct buf *out, const struct result_bank *b)
{
    const struct result_demand *d = result_demand(b->whole.kind);
    buf_printf(
        out,
        "  %s %s: asked 提问 %u, answered 回答 %u; needs 要求 %.0f %% of 样本 ≥ %u, safer 内部目标 "
        "%.1f %%\n",
        bank_kind_title(b->whole.kind), bank_kind_name(b->whole.kind), b->whole.asked,
        b->whole.answered, d->threshold * 100, d->sample, d->target * 100);
    for (int j = 0; j < RESULT_JUDGES; j++) {
        if (b->standing[j] == RESULT_NOTHING)
            continue;
        buf_printf(out, "    %-8s ", result_judge_name((enum result_judge)j));
        put_rate(out, &b->whole.judges[j]);
        buf_printf(out, "  %s: %s（%s）\n", result_standing_name(b->standing[j]),
                   result_standing_title(b->standing[j]), result_judge_title((enum result_judge)j));
    }
    buf_printf(out, "    %-8s ", "refused");
    put_rate(out, &b->whole.refused);
    buf_printf(out, "  拒答；待人工研判 %u\n", b->whole.waiting);
    for (size_t i = 0; i < b->row_count; i++) {
        const struct result_row *row = &b->rows[i];
        buf_printf(out, "      %-8.*s ", SPAN_ARG(row->type));
        put_rate(out, &row->judges[RESULT_FINAL]);
        buf_printf(out, "  refused 拒答 %u\n", row->refused.passed);
    }
}

static void put_failures(struct buf *out, const struct run *r, const struct result *res)
{
    buf_printf(out, "failures 不合格: %zu\n", res->failure_count);
    for (size_t i = 0; i < res->failure_count && i < SHOWN; i++) {
        const struct result_failure *f = &res->failures[i];
        const struct run_question *q = run_question(r, f->question);
        buf_printf(out, "  %-8s %.*s (%.*s): ", run_route_name(f->route), SPAN_ARG(q->id),
                   SPAN_ARG(q->type));
        put_short(out, q->text);
        buf_append_char(out, '\n');
    }
    if (res->failure_count > SHOWN)
        buf_printf(out, "  … --json lists all 其余见 --json\n");
}

static void put_routes(struct buf *out, const struct run *r, const struct result_routes *d)
{
    if (d->both == 0)
        return;
    buf_printf(out,
               "with and without the gateway 两路对比: %u answered over both, the gateway acted on "
               "网关处置 %u (by a rule 由规则 %u), other verdicts without it 其余差异 %u\n",
               d->both, d->acted, d->by_rule, d->unacted);
    for (size_t i = 0; i < d->count && i < SHOWN; i++) {
        const struct result_difference *x = &d->items[i];
        buf_printf(out, "  %.*s: gateway %s, bare %s%s%.*s\n",
                   SPAN_ARG(run_question(r, x->question)->id), run_verdict_name(x->gateway),
                   run_verdict_name(x->bare), x->rule.len ? ", by 规则 " : "", SPAN_ARG(x->rule));
    }
}

static int put_json(struct buf *out, const struct run *run, const struct result *res,
                    const struct result_routes *routes)
{
    int r = result_json(run, res, out);
    if (r == 0)
        r = buf_append_char(out, '\n');
    for (size_t i = 0; r == 0 && i < res->failure_count; i++) {
        r = result_answer_json(run, res->failures[i].question, res->failures[i].route, true, out);
        if (r == 0)
            r = buf_append_char(out, '\n');
    }
    if (r == 0 && routes->both)
        r = result_routes_json(run, routes, out);
    if (r == 0 && routes->both)
        r = buf_append_char(out, '\n');
    return r;
}

/* Of the gateway's route where it was asked: that is what users meet. */
static bool is_met(const struct run *run, const struct result *res)
{
    const struct run_settings *s = run_settings(run);
    enum run_route route = s->routes[RUN_GATEWAY] ? RUN_GATEWAY : RUN_BARE;
    for (int k = 0; k < BANK_KINDS; k++)
        if (s->banks[k] && res->banks[route][k].standing[RESULT_FINAL] < RESULT_MET)
            return false;
    return run_is_complete(run);
}

static void put_text(struct buf *out, const struct run *run, const struct result *res,
                     const struct result_routes *routes)
{
    const struct run_settings *s = run_settings(run);
    buf_printf(out, "%.*s  model 模型 %.*s  app %.*s  rules 规则库 %.*s  seed %llu%s\n",
               SPAN_ARG(s->name), SPAN_ARG(s->model), SPAN_ARG(s->app), SPAN_ARG(s->version),
               (unsigned long long)s->seed, run_is_complete(run) ? "" : "  incomplete 未完成");
    for (int route = 0; route < RUN_ROUTES; route++) {
        if (!s->routes[route])
            continue;
        buf_printf(out, "%s %s\n", run_route_title((enum run_route)route),
                   run_route_name((enum run_route)route));
        for (int k = 0; k < BANK_KINDS; k++)
            if (res->banks[route][k].whole.asked)
                put_bank(out, &res->banks[route][k]);
    }
    put_failures(out, run, res);
    put_routes(out, run, routes);
    buf_append(out, SPAN_LIT("A draft for your own people to check; 95 % intervals by Wilson. "
                             "草稿，须由本单位人员核对；置信区间为 Wilson 95 %。\n"));
}

int evaluate_results(const struct setup *s, const char *name, bool json)
{
    struct run *run = evaluate_open(s, name, false);
    struct result res = {0};
    struct result_routes routes = {0};
    struct buf out = BUF_INIT(OUT_MAX);
    if (!run)
        return CLI_BAD;
    int r = result_make(run, &res);
    if (r == 0)
        r = result_routes(run, &routes);
    bool met = r == 0 && is_met(run, &res);
    if (r == 0 && json)
        r = put_json(&out, run, &res, &routes);
    else if (r == 0)
        put_text(&out, run, &res, &routes);
    result_free(&res);
    result_routes_free(&routes);
    run_free(run);
    if (r < 0) {
        buf_deinit(&out);
        return report(r);
    }
    r = print(&out);
    return r != CLI_GOOD ? r : met ? CLI_GOOD : CLI_UNMET;
}

/* ---- two runs ---- */

static void put_comparison(struct buf *out, const struct run *after,
                           const struct result_comparison *c)
{
    buf_printf(out,
               "common 共同 %u, better 改善 %u, worse 变差 %u; only before 仅前者 %u, only after "
               "仅后者 %u\n",
               c->common, c->better, c->worse, c->gone, c->added);
    for (size_t i = 0; i < c->count; i++) {
        const struct run_question *q = run_question(after, c->changes[i].after);
        buf_printf(out, "  %-8s %.*s (%.*s): %s -> %s  ", run_route_name(c->changes[i].route),
                   SPAN_ARG(q->id), SPAN_ARG(q->type), run_verdict_name(c->changes[i].was),
                   run_verdict_name(c->changes[i].is));
        put_short(out, q->text);
        buf_append_char(out, '\n');
    }
}

int evaluate_compare(const struct setup *s, const char *before, const char *after, bool json)
{
    struct run *first = evaluate_open(s, before, false);
    struct run *second = first ? evaluate_open(s, after, false) : NULL;
    struct result_comparison c = {0};
    struct buf out = BUF_INIT(OUT_MAX);
    int r = second ? result_compare(first, second, &c) : -EINVAL;
    if (r == 0 && json) {
        r = result_comparison_json(first, second, &c, &out);
        if (r == 0)
            r = buf_append_char(&out, '\n');
    } else if (r == 0) {
        put_comparison(&out, second, &c);
    }
    result_comparison_free(&c);
    run_free(first);
    run_free(second);
    if (r == 0)
        return print(&out);
    buf_deinit(&out);
    return second ? report(r) : CLI_BAD;
}
