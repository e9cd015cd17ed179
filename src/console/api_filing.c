/* The filing desk at the console: what a filing needs, what there is of it, and what is missing. */
#include "console/areas.h"
#include "console/rulework.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "evaluation/result.h"
#include "filing/calendar.h"
#include "filing/disclosure.h"
#include "filing/library.h"
#include "question/bank.h"
#include "json/walk.h"

#include <errno.h>
#include <stdio.h>

#define MISSING_MAX ((size_t)1 << 20)

/* One item of readiness while its parts are written. */
struct item {
    struct buf *out;
    unsigned missing;
    struct span run; /* the evaluation that it is about; or empty */
};

/* {"item":NAME,"have":H,"want":W,"missing":[ … */
static void begin(struct item *i, struct buf *out, const char *name, unsigned have, unsigned want)
{
    *i = (struct item){.out = out};
    if (out->len && out->data[out->len - 1] == '}')
        buf_append_char(out, ',');
    buf_printf(out, "{\"item\":\"%s\",\"have\":%u,\"want\":%u,\"missing\":[", name, have, want);
}

static void miss_type(struct item *i, struct span type, struct span zh, struct span en,
                      unsigned have, unsigned want)
{
    buf_append(i->out, i->missing++ ? SPAN_LIT(",{") : SPAN_LIT("{"));
    json_member(i->out, "type", type);
    json_member(i->out, "zh", zh);
    json_member(i->out, "en", en);
    buf_printf(i->out, ",\"have\":%u,\"want\":%u}", have, want);
}

/* Each line that a room below says. */
static void miss_lines(struct item *i, struct span lines)
{
    struct span line;
    while (span_split(&lines, '\n', &line)) {
        if (line.len == 0)
            continue;
        buf_append(i->out, i->missing++ ? SPAN_LIT(",{") : SPAN_LIT("{"));
        json_member(i->out, "text", line);
        buf_append_char(i->out, '}');
    }
}

static int end(struct item *i, bool met)
{
    buf_append_char(i->out, ']');
    if (i->run.len)
        json_member(i->out, "run", i->run);
    return buf_printf(i->out, ",\"met\":%s}", met ? "true" : "false");
}

/* The keyword library against the standard's minima, by the policy that `filing coverage`
 * counts by. */
static int put_keywords(const struct api *api, struct buf *out)
{
    struct library l;
    struct item i;
    int r = library_read(api->rules, config_filing_app(api->config), clock_wall_s(), &l);
    if (r < 0)
        return r;
    begin(&i, out, "keywords", l.total, ruleset_standard(api->rules)->keyword_min);
    for (size_t t = 0; t < l.type_count; t++) {
        const struct library_type *type = &l.types[t];
        unsigned have = type->counts[LIBRARY_COUNTED];
        if (have < type->risk->keyword_min)
            miss_type(&i, type->risk->id, type->risk->name_zh, type->risk->name_en, have,
                      type->risk->keyword_min);
    }
    r = end(&i, library_is_sufficient(&l));
    library_free(&l);
    return r;
}

/* One bank: the standard's types or aspects, and how many there are in all. */
static int put_bank(const struct bank_counts *c, enum bank_kind kind, struct span complaints,
                    struct buf *out)
{
    char name[32];
    struct item i;
    snprintf(name, sizeof(name), "bank_%s", bank_kind_name(kind));
    begin(&i, out, name, c->totals[kind], c->wanted[kind]);
    miss_lines(&i, complaints);
    bool met = c->totals[kind] >= c->wanted[kind] && complaints.len == 0;
    for (size_t t = 0; t < c->count; t++) {
        const struct bank_count *n = &c->items[t];
        if (n->kind != kind || n->count >= n->wanted)
            continue;
        met = false;
        miss_type(&i, n->risk ? n->risk->id : SPAN_LIT(""),
                  n->risk ? n->risk->name_zh : n->aspect->zh,
                  n->risk ? n->risk->name_en : n->aspect->en, n->count, n->wanted);
    }
    return end(&i, met);
}

/* A bank that can't be read is one that can't be handed in: its lines are what is missing. */
static int put_banks(const struct api *api, struct buf *out)
{
    struct buf messages = BUF_INIT(MISSING_MAX);
    struct bank *b = NULL;
    struct bank_counts counts = {0};
    int r = bank_read(api->config->rules_dir, api->rules, &messages, &b);
    bool unread = r < 0 && r != -ENOMEM;
    if (unread)
        r = bank_read_text(SPAN_LIT(""), SPAN_LIT(""), api->rules, &messages, &b);
    if (r == 0)
        r = bank_count_all(b, api->rules, &counts);
    for (enum bank_kind k = 0; r == 0 && k < BANK_KINDS; k++)
        r = put_bank(&counts, k, unread ? buf_span(&messages) : SPAN_LIT(""), out);
    bank_counts_free(&counts);
    bank_free(b);
    buf_deinit(&messages);
    return r;
}

static int put_disclosure(const struct api *api, struct buf *out)
{
    struct disclosure d = {.config = api->config};
    struct buf lines = BUF_INIT(MISSING_MAX);
    struct item i;
    unsigned missing = disclosure_missing(&d, &lines);
    begin(&i, out, "disclosure", 0, 0);
    miss_lines(&i, buf_span(&lines));
    buf_deinit(&lines);
    return end(&i, missing == 0);
}

/* ---- the newest evaluation that is complete ---- */

/* 0 with NULL when there is none; one that can't be read is passed over. -ENOMEM, -errno. */
static int find_run(const struct api *api, struct run **ret)
{
    struct run_names names;
    int r = run_list(api->state_dir, &names);
    *ret = NULL;
    if (r < 0)
        return r;
    for (size_t i = 0; r == 0 && i < names.count && !*ret; i++) {
        struct buf messages = BUF_INIT(65536);
        struct run *run = NULL;
        int opened = run_open(api->state_dir, span_str(names.names[i]), false, &messages, &run);
        if (opened == 0 && run_is_complete(run))
            *ret = take(run);
        r = opened == -ENOMEM ? opened : 0;
        run_free(run);
        buf_deinit(&messages);
    }
    run_names_free(&names);
    return r;
}

/* A bank that does not reach what is asked of it, with the gateway. `b` NULL: not evaluated. */
static void miss_standing(struct item *i, enum bank_kind kind, const struct result_bank *b)
{
    enum result_standing standing = b ? b->standing[RESULT_FINAL] : RESULT_NOTHING;
    const struct result_rate *rate = b ? &b->whole.judges[RESULT_FINAL] : NULL;
    buf_append(i->out, i->missing++ ? SPAN_LIT(",{") : SPAN_LIT("{"));
    json_member(i->out, "bank", span_str(bank_kind_name(kind)));
    json_member(i->out, "standing", span_str(result_standing_name(standing)));
    buf_printf(i->out, ",\"n\":%u,\"passed\":%u,\"rate\":%.17g,\"want\":%u}", rate ? rate->n : 0,
               rate ? rate->passed : 0, rate ? rate->rate : 0.0, result_demand(kind)->sample);
}

static int put_standings(const struct result *result, struct span run, struct buf *out)
{
    struct item i;
    unsigned have = 0;
    for (enum bank_kind k = 0; result && k < BANK_KINDS; k++)
        have += result->banks[RUN_GATEWAY][k].standing[RESULT_FINAL] >= RESULT_MET;
    begin(&i, out, "evaluation", have, BANK_KINDS);
    i.run = run;
    for (enum bank_kind k = 0; k < BANK_KINDS; k++) {
        const struct result_bank *b = result ? &result->banks[RUN_GATEWAY][k] : NULL;
        if (!b || b->standing[RESULT_FINAL] < RESULT_MET)
            miss_standing(&i, k, b);
    }
    return end(&i, have == BANK_KINDS);
}

/* How many of its answers, with the gateway, people have decided about. */
static int put_judging(const struct result *result, struct span run, struct buf *out)
{
    struct item i;
    unsigned answered = 0, waiting = 0;
    for (enum bank_kind k = 0; result && k < BANK_KINDS; k++) {
        answered += result->banks[RUN_GATEWAY][k].whole.answered;
        waiting += result->banks[RUN_GATEWAY][k].whole.waiting;
    }
    begin(&i, out, "judging", answered - waiting, answered);
    i.run = run;
    return end(&i, answered && waiting == 0);
}

static int put_evaluation(const struct api *api, struct buf *out)
{
    struct run *run;
    struct result result;
    int r = find_run(api, &run);
    if (r < 0)
        return r;
    if (run && (r = result_make(run, &result)) < 0) {
        run_free(run);
        return r;
    }
    struct span name = run ? run_settings(run)->name : SPAN_LIT("");
    r = put_standings(run ? &result : NULL, name, out);
    if (r == 0)
        r = put_judging(run ? &result : NULL, name, out);
    if (run)
        result_free(&result);
    run_free(run);
    return r;
}

/* ---- the desk ---- */

/* Which filing it is: by the answers that were kept. */
static int put_route(const struct progress *p, struct buf *out)
{
    struct item i;
    unsigned asked = 0, answered = 0;
    for (enum route_key k = 0; k < ROUTE_KEYS; k++)
        if (route_is_asked(&p->answers, k)) {
            asked++;
            answered += p->answered && p->answers.chosen[k] != ROUTE_UNANSWERED;
        }
    begin(&i, out, "route", answered, asked);
    return end(&i, p->answered && route_is_complete(&p->answers));
}

static int put_steps(const struct progress *p, struct buf *out)
{
    struct item i;
    unsigned done = 0;
    for (unsigned s = 0; s < PROGRESS_STEPS; s++) {
        const struct progress_note *n = progress_step(p, s);
        done += n && n->state == STEP_DONE;
    }
    begin(&i, out, "steps", done, PROGRESS_STEPS);
    return end(&i, done == PROGRESS_STEPS);
}

/* What is overdue now. */
static int put_dues(const struct api *api, const struct progress *p, struct buf *out)
{
    struct buf unheard = BUF_INIT(65536);
    struct calendar_facts facts;
    struct calendar c;
    struct item i;
    int64_t now = clock_wall_s();
    calendar_gather(api->config, api->rules, now, p, &unheard, &facts);
    calendar_judge(&facts, now, &c);
    buf_deinit(&unheard);
    begin(&i, out, "clock", 0, 0);
    for (enum calendar_item_id id = 0; id < CALENDAR_ITEMS; id++) {
        if (c.items[id].state != CALENDAR_OVERDUE)
            continue;
        buf_append(out, i.missing++ ? SPAN_LIT(",{") : SPAN_LIT("{"));
        json_member(out, "due", span_str(calendar_item_name(id)));
        json_member(out, "name_zh", span_str(calendar_item_zh(id)));
        json_member(out, "name_en", span_str(calendar_item_en(id)));
        json_member(out, "note_zh", span_str(c.items[id].zh));
        json_member(out, "note_en", span_str(c.items[id].en));
        buf_append_char(out, '}');
    }
    return end(&i, i.missing == 0);
}

/* A desk that can't be read has nothing noted; the clock's own page says why. */
static int put_desk(const struct api *api, struct buf *out)
{
    struct buf unheard = BUF_INIT(65536);
    struct progress p;
    int r = progress_read(api->state_dir, &unheard, &p);
    buf_deinit(&unheard);
    if (r == -ENOMEM)
        return r;
    if (r < 0)
        p = (struct progress){0};
    if (!p.answered)
        route_begin(&p.answers);
    r = put_route(&p, out);
    if (r == 0)
        r = put_steps(&p, out);
    if (r == 0)
        r = put_dues(api, &p, out);
    progress_free(&p);
    return r;
}

static int get_readiness(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    if (!rulework_there(api, a))
        return 0;
    int r = buf_append(&a->body, SPAN_LIT("{\"rows\":["));
    if (r == 0)
        r = put_desk(api, &a->body);
    if (r == 0)
        r = put_keywords(api, &a->body);
    if (r == 0)
        r = put_banks(api, &a->body);
    if (r == 0)
        r = put_evaluation(api, &a->body);
    if (r == 0)
        r = put_disclosure(api, &a->body);
    return r < 0 ? r : buf_append(&a->body, SPAN_LIT("]}"));
}

const struct api_route api_filing_routes[] = {
    {"GET", "/api/filing/readiness", MAY_SEE, get_readiness},
    {NULL},
};
