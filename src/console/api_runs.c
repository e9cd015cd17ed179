/*
 * Evaluations: what was run, what came of it, what people still have to judge. Everything said
 * about a run is written by evaluation/resultjson.c, as the command line says it.
 */
#include "console/areas.h"
#include "console/rulework.h"

#include "audit/rowjson.h"
#include "evaluation/resultjson.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGES_MAX ((size_t)65536)
#define RUNS_LIMIT   10
#define RUNS_MAX     50 /* each is read whole */
#define ROWS_LIMIT   50
#define ROWS_MAX     200

/* Opens it to be read. 0; 1: api_error() has filled the answer; negative. */
static int open_run(const struct api *api, struct span name, struct run **ret_run,
                    struct api_answer *a)
{
    struct buf messages = BUF_INIT(MESSAGES_MAX);
    int r = run_open(api->state_dir, name, false, &messages, ret_run);
    int told = 0;
    if (r == -ENOENT || (r == -EINVAL && messages.len == 0))
        told = api_error(a, 404, "not_found", "There is no such run.");
    else if (r == -EINVAL)
        told = rulework_refuse(a, 422, "unreadable", buf_span(&messages));
    buf_deinit(&messages);
    return r == 0 ? 0 : r == -ENOENT || r == -EINVAL ? (told < 0 ? told : 1) : r;
}

static int whole(const struct api_answer *a)
{
    return a->body.max ? 0 : -ENOMEM;
}

/* An object that is open again: further members follow. */
static void reopen(struct buf *out)
{
    if (out->len)
        out->len--;
}

static void put_older(struct buf *out, bool more, size_t next)
{
    if (more)
        rowjson_put(out, ",\"older\":\"%zu\"", next);
    else
        rowjson_put(out, ",\"older\":null");
}

/* ---- the list ---- */

/* What stands of each bank over each route, by the last word: {"route","bank",…,"standing"}. */
static void put_standings(const struct run *r, const struct result *result, struct buf *out)
{
    bool more = false;
    rowjson_put(out, ",\"standings\":[");
    for (enum run_route x = 0; x < RUN_ROUTES; x++)
        for (enum bank_kind k = 0; k < BANK_KINDS; k++) {
            const struct result_bank *b = &result->banks[x][k];
            const struct result_rate *rate = &b->whole.judges[RESULT_FINAL];
            if (!run_settings(r)->routes[x] || b->whole.asked == 0)
                continue;
            rowjson_put(out,
                        "%s{\"route\":\"%s\",\"bank\":\"%s\",\"n\":%u,\"passed\":%u,"
                        "\"rate\":%.17g,\"waiting\":%u,\"standing\":\"%s\"}",
                        more ? "," : "", run_route_name(x), bank_kind_name(k), rate->n,
                        rate->passed, rate->rate, b->whole.waiting,
                        result_standing_name(b->standing[RESULT_FINAL]));
            more = true;
        }
    rowjson_put(out, "]}");
}

/* One that can't be read is told, and doesn't hide the others. */
static int put_listed(const struct api *api, struct span name, struct buf *out)
{
    struct buf messages = BUF_INIT(MESSAGES_MAX);
    struct run *r = NULL;
    struct result result;
    int opened = run_open(api->state_dir, name, false, &messages, &r);
    if (opened == -ENOMEM)
        return opened;
    if (opened < 0) {
        rowjson_put(out, "{\"run\":");
        rowjson_string(out, name);
        rowjson_put(out, ",\"unreadable\":");
        rowjson_string(out, messages.len ? buf_span(&messages) : span_str(strerror(-opened)));
        rowjson_put(out, "}");
    } else if ((opened = result_make(r, &result)) == 0) {
        opened = result_run_json(r, out);
        reopen(out);
        put_standings(r, &result, out);
        result_free(&result);
    }
    run_free(r);
    buf_deinit(&messages);
    return opened == -ENOMEM || out->max == 0 ? -ENOMEM : 0;
}

/* Names alone, for who chooses one: none is opened. */
static int tell_names(const struct run_names *names, struct api_answer *a)
{
    rowjson_put(&a->body, "{\"names\":[");
    for (size_t i = 0; i < names->count; i++)
        rowjson_put(&a->body, "%s\"%s\"", i ? "," : "", names->names[i]);
    rowjson_put(&a->body, "]}");
    return whole(a);
}

static int get_runs(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    struct run_names names;
    uint64_t limit = RUNS_LIMIT, from = 0;
    if (!api_query_u64(q, "limit", 1, RUNS_MAX, &limit, a) ||
        !api_query_u64(q, "before", 0, SIZE_MAX, &from, a))
        return 0;
    int r = run_list(api->state_dir, &names);
    if (r < 0)
        return r;
    if (api_has(q, "names")) {
        r = tell_names(&names, a);
        run_names_free(&names);
        return r;
    }
    size_t end = from < names.count ? from + limit : names.count;
    if (end > names.count)
        end = names.count;
    rowjson_put(&a->body, "{\"rows\":[");
    for (size_t i = from; r == 0 && i < end && !api_gone(q); i++) {
        rowjson_put(&a->body, i > from ? "," : "");
        r = put_listed(api, span_str(names.names[i]), &a->body);
    }
    rowjson_put(&a->body, "],\"total\":%zu", names.count);
    put_older(&a->body, end < names.count, end);
    rowjson_put(&a->body, "}");
    run_names_free(&names);
    return r < 0 ? r : whole(a);
}

/* ---- one ---- */

static void put_events(const struct run *r, struct buf *out)
{
    rowjson_put(out, ",\"events\":[");
    for (size_t i = 0; i < run_event_count(r); i++) {
        const struct run_event *e = run_event(r, i);
        rowjson_put(out, "%s{\"at_us\":%" PRIu64 ",\"event\":", i ? "," : "", e->time);
        rowjson_string(out, e->name);
        rowjson_put(out, ",\"by\":");
        rowjson_string(out, e->by);
        rowjson_put(out, ",\"note\":");
        rowjson_string(out, e->note);
        rowjson_put(out, "}");
    }
    rowjson_put(out, "]");
}

/* The aspects' names in both languages: a run knows the Chinese ones. */
static void put_aspects(const struct ruleset *rules, struct buf *out)
{
    rowjson_put(out, ",\"aspects\":[");
    for (size_t i = 0; rules && i < ruleset_aspect_count(rules); i++) {
        const struct aspect *x = ruleset_aspect(rules, i);
        rowjson_put(out, "%s{\"zh\":", i ? "," : "");
        rowjson_string(out, x->zh);
        rowjson_put(out, ",\"en\":");
        rowjson_string(out, x->en);
        rowjson_put(out, "}");
    }
    rowjson_put(out, "]");
}

static int get_run(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    struct run *run;
    struct result result;
    int r = open_run(api, q->parts[0], &run, a);
    if (r != 0)
        return r < 0 ? r : 0;
    r = result_make(run, &result);
    if (r == 0) {
        r = result_json(run, &result, &a->body);
        result_free(&result);
        reopen(&a->body);
        put_events(run, &a->body);
        put_aspects(api->rules, &a->body);
        rowjson_put(&a->body, "}");
    }
    run_free(run);
    return r < 0 ? r : whole(a);
}

/* ---- what failed ---- */

/* Which answers are wanted; what isn't named is not asked about. */
struct wish {
    enum run_route route; /* RUN_ROUTES: any */
    enum bank_kind kind;  /* BANK_KINDS: any */
    struct span type;
    enum result_judge judge; /* that fails it; RESULT_JUDGES: any */
};

static bool read_wish(const struct api_request *q, struct wish *w, struct api_answer *a)
{
    struct span route = api_query(q, "route"), bank = api_query(q, "bank"),
                judge = api_query(q, "judge");
    w->route = route.len ? run_route_from(route) : RUN_ROUTES;
    w->kind = bank.len ? bank_kind_from(bank) : BANK_KINDS;
    w->type = api_query(q, "type");
    w->judge = 0;
    while (w->judge < RESULT_JUDGES && !span_eq(judge, span_str(result_judge_name(w->judge))))
        w->judge++;
    if ((route.len && w->route == RUN_ROUTES) || (bank.len && w->kind == BANK_KINDS) ||
        (judge.len && w->judge == RESULT_JUDGES))
        api_error(a, 400, "bad_parameter", "There is no such route, bank or judge.");
    return a->status < 400;
}

static bool is_asked(const struct run *r, size_t question, enum run_route route,
                     const struct wish *w)
{
    const struct run_question *q = run_question(r, question);
    return (w->route == RUN_ROUTES || w->route == route) &&
           (w->kind == BANK_KINDS || w->kind == q->kind) &&
           (w->type.len == 0 || span_eq(w->type, q->type));
}

static bool is_wanted(const struct run *r, const struct result_failure *f, const struct wish *w)
{
    return is_asked(r, f->question, f->route, w) &&
           (w->judge == RESULT_JUDGES || f->judges[w->judge] == RUN_FAIL);
}

static int put_failures(const struct run *run, const struct result *result, const struct wish *w,
                        size_t from, size_t limit, bool texts, struct buf *out)
{
    size_t seen = 0, written = 0;
    int r = 0;
    rowjson_put(out, "{\"rows\":[");
    for (size_t i = 0; r == 0 && i < result->failure_count; i++) {
        const struct result_failure *f = &result->failures[i];
        if (!is_wanted(run, f, w) || seen++ < from || written == limit)
            continue;
        rowjson_put(out, written++ ? "," : "");
        r = result_answer_json(run, f->question, f->route, texts, out);
    }
    rowjson_put(out, "],\"total\":%zu", seen);
    put_older(out, from + written < seen, from + written);
    rowjson_put(out, "}");
    return r;
}

static int get_failures(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    struct run *run;
    struct result result;
    struct wish w;
    uint64_t limit = ROWS_LIMIT, from = 0;
    if (!api_query_u64(q, "limit", 1, ROWS_MAX, &limit, a) ||
        !api_query_u64(q, "before", 0, SIZE_MAX, &from, a) || !read_wish(q, &w, a))
        return 0;
    int r = open_run(api, q->parts[0], &run, a);
    if (r != 0)
        return r < 0 ? r : 0;
    r = result_make(run, &result);
    if (r == 0) {
        r = put_failures(run, &result, &w, from, limit, q->may & MAY_READ, &a->body);
        result_free(&result);
    }
    run_free(run);
    return r < 0 ? r : whole(a);
}

/* ---- two runs, two routes ---- */

static int get_compare(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    struct run *before, *after = NULL;
    struct result_comparison c;
    int r = open_run(api, api_query(q, "with"), &before, a);
    if (r != 0)
        return r < 0 ? r : 0;
    r = open_run(api, q->parts[0], &after, a);
    if (r == 0 && (r = result_compare(before, after, &c)) == 0) {
        r = result_comparison_json(before, after, &c, &a->body);
        result_comparison_free(&c);
    }
    run_free(before);
    run_free(after);
    return r < 0 ? r : 0;
}

static int get_routes(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    struct run *run;
    struct result_routes routes;
    int r = open_run(api, q->parts[0], &run, a);
    if (r != 0)
        return r < 0 ? r : 0;
    r = result_routes(run, &routes);
    if (r == 0) {
        r = result_routes_json(run, &routes, &a->body);
        result_routes_free(&routes);
    }
    run_free(run);
    return r;
}

/* ---- people ---- */

/*
 * What others said of it: for who decides between two alone. Whoever judges as first or second is
 * to do so by himself.
 */
static void put_judged(const struct run *r, const struct run_waiting *w, struct buf *out)
{
    size_t written = 0;
    rowjson_put(out, ",\"judged\":[");
    for (size_t i = 0; i < run_judgement_count(r); i++) {
        const struct run_judgement *j = run_judgement(r, i);
        if (j->question != w->question || j->route != w->route)
            continue;
        rowjson_put(out, "%s{\"by\":", written++ ? "," : "");
        rowjson_string(out, j->by);
        rowjson_put(out, ",\"verdict\":\"%s\",\"at_us\":%" PRIu64 ",\"note\":",
                    run_verdict_name(j->verdict), j->time);
        rowjson_string(out, j->note);
        rowjson_put(out, "}");
    }
    rowjson_put(out, "]");
}

static int put_waiting(const struct run *run, const struct run_waiting *items, size_t count,
                       struct buf *out)
{
    int r = 0;
    rowjson_put(out, "{\"rows\":[");
    for (size_t i = 0; r == 0 && i < count; i++) {
        rowjson_put(out, i ? "," : "");
        r = result_answer_json(run, items[i].question, items[i].route, true, out);
        if (run_people(run, items[i].question, items[i].route).differ) {
            reopen(out);
            put_judged(run, &items[i], out);
            rowjson_put(out, "}");
        }
    }
    return r;
}

/* What of it is wanted moves to the front. Their number. */
static size_t keep_asked(const struct run *r, struct run_waiting *items, size_t count,
                         const struct wish *w)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (is_asked(r, items[i].question, items[i].route, w))
            items[kept++] = items[i];
    return kept;
}

/* How far all that is wanted is: answers, and of them those that people have not decided. */
static int put_counts(const struct run *run, const struct wish *w, size_t mine, struct buf *out)
{
    struct run_waiting *all = NULL;
    size_t open = 0, answered = 0;
    int r = run_queue(run, SPAN_LIT(""), &all, &open);
    if (r < 0)
        return r;
    open = keep_asked(run, all, open, w);
    free(all);
    for (size_t i = 0; i < run_count(run); i++)
        for (enum run_route x = 0; x < RUN_ROUTES; x++) {
            const struct run_answer *answer = run_answer(run, i, x);
            answered += answer && answer->error.len == 0 && is_asked(run, i, x, w);
        }
    rowjson_put(out, "],\"mine\":%zu,\"open\":%zu,\"answered\":%zu}", mine, open, answered);
    return 0;
}

static int get_queue(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    struct run *run;
    struct run_waiting *items = NULL;
    struct wish w;
    size_t count = 0;
    uint64_t limit = ROWS_LIMIT;
    if (!api_query_u64(q, "limit", 1, ROWS_MAX, &limit, a) || !read_wish(q, &w, a))
        return 0;
    int r = open_run(api, q->parts[0], &run, a);
    if (r != 0)
        return r < 0 ? r : 0;
    r = run_queue(run, q->user, &items, &count);
    if (r == 0) {
        count = keep_asked(run, items, count, &w);
        r = put_waiting(run, items, count < limit ? count : limit, &a->body);
    }
    if (r == 0)
        r = put_counts(run, &w, count, &a->body);
    free(items);
    run_free(run);
    return r < 0 ? r : whole(a);
}

struct judging {
    struct span question, note;
    enum run_route route;
    enum run_verdict verdict;
};

static bool read_judging(const struct api_request *q, struct judging *j, struct api_answer *a)
{
    static const char *const names[] = {"question", "route", "verdict", "note", NULL};
    struct span route, verdict;
    if (!rulework_only(q, names, a) ||
        !rulework_line(q->body, "question", 1, BANK_ID_MAX, &j->question, a) ||
        !rulework_line(q->body, "route", 1, 16, &route, a) ||
        !rulework_line(q->body, "verdict", 1, 16, &verdict, a) ||
        !rulework_line(q->body, "note", 0, 2000, &j->note, a))
        return false;
    j->route = run_route_from(route);
    j->verdict = run_verdict_from(verdict);
    if (j->route == RUN_ROUTES || j->verdict == RUN_NONE)
        api_error(a, 400, "bad_verdict", "A route is gateway or bare, a verdict pass or fail.");
    return j->route < RUN_ROUTES && j->verdict != RUN_NONE;
}

/* What run_judge() said. To be returned. */
static int refuse_judging(int r, struct api_answer *a)
{
    switch (r) {
    case -ENOENT:
        return api_error(a, 404, "not_found", "There is no such answer.");
    case -EEXIST:
        return api_error(a, 409, "judged_already",
                         "You have judged it; the second word is somebody else's.");
    case -EALREADY:
        return api_error(a, 409, "too_late", "Others have decided it already.");
    case -EINVAL:
        return api_error(a, 400, "bad_parameter", "A note is one line of text.");
    default:
        return r;
    }
}

/* Would it be taken? As run_judge() sees it, so that nothing goes on record that isn't done. */
static int may_judge(const struct run *run, const struct judging *j, struct span who)
{
    size_t index = run_find(run, j->question);
    const struct run_answer *answer =
        index < run_count(run) ? run_answer(run, index, j->route) : NULL;
    if (!answer || answer->error.len)
        return -ENOENT;
    for (size_t i = 0; i < run_judgement_count(run); i++) {
        const struct run_judgement *x = run_judgement(run, i);
        if (x->question == index && x->route == j->route && span_eq(x->by, who))
            return -EEXIST;
    }
    return run_people(run, index, j->route).verdict == RUN_NONE ? 0 : -EALREADY;
}

static int record(const struct api *api, const struct api_request *q, const struct judging *j)
{
    struct buf more = BUF_INIT(8192);
    api_member(&more, "run", q->parts[0]);
    api_member(&more, "question", j->question);
    api_member(&more, "route", span_str(run_route_name(j->route)));
    api_member(&more, "verdict", span_str(run_verdict_name(j->verdict)));
    int r = api_record(api, q, SPAN_LIT("filing_judge"), buf_span(&more));
    buf_deinit(&more);
    return r;
}

static int post_judge(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    struct run *run;
    struct judging j;
    if (!read_judging(q, &j, a))
        return 0;
    int r = open_run(api, q->parts[0], &run, a);
    if (r != 0)
        return r < 0 ? r : 0;
    r = may_judge(run, &j, q->user);
    run_free(run);
    if (r < 0)
        return refuse_judging(r, a);
    if (record(api, q, &j) < 0)
        return api_error(a, 503, "not_recorded", "It can't be recorded, so it is not done.");
    r = run_judge(api->state_dir, q->parts[0], j.question, j.route, q->user, j.verdict, j.note);
    if (r < 0)
        return refuse_judging(r, a);
    return buf_append(&a->body, SPAN_LIT("{\"done\":1}"));
}

const struct api_route api_runs_routes[] = {
    {"GET", "/api/filing/runs", MAY_SEE, get_runs},
    {"GET", "/api/filing/runs/{run}", MAY_SEE, get_run},
    {"GET", "/api/filing/runs/{run}/failures", MAY_SEE, get_failures},
    {"GET", "/api/filing/runs/{run}/compare", MAY_SEE, get_compare},
    {"GET", "/api/filing/runs/{run}/routes", MAY_SEE, get_routes},
    {"GET", "/api/filing/runs/{run}/queue", MAY_REVIEW, get_queue},
    {"POST", "/api/filing/runs/{run}/judge", MAY_REVIEW, post_judge},
    {NULL},
};
