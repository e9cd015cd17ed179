/* Verdicts, the queue, samples, the day's summary and signature. */
#include "console/areas.h"
#include "console/casework.h"

#include "audit/rowjson.h"
#include "base/clock.h"
#include "casebook/suggest.h"

#include <errno.h>

#define ARENA_MAX (1u << 20)

static bool read_verdict(const struct api_request *q, struct casebook_act *act,
                         struct api_answer *a)
{
    struct span text;
    if (!api_body_text(q, "verdict", 0, 32, &text, a))
        return false;
    for (enum casebook_verdict v = VERDICT_CORRECT; v < VERDICT_COUNT; v++)
        if (span_eq(text, span_str(casebook_verdict_name(v))))
            act->verdict = v;
    if (!act->verdict)
        api_error(a, 400, "bad_verdict", "A verdict is correct, false_positive or unsure.");
    return act->verdict != VERDICT_NONE;
}

static int put_done(struct api_answer *a, const char *key, const struct casebook_answer *done)
{
    return buf_printf(&a->body, "{\"%s\":%zu,\"skipped\":%zu}", key, done->done, done->skipped);
}

/* Carries out an act about the body's requests; `key` names how many in the answer. */
static int act_on_requests(const struct api *api, const struct api_request *q,
                           struct casebook_act *act, const char *key, struct api_answer *a)
{
    struct casebook_answer done;
    struct arena arena;
    int r = 1;
    arena_init(&arena, ARENA_MAX);
    if (casework_there(api, a) && casework_requests(q, &arena, act, a))
        r = casework_do(api, q, act, &done, a);
    arena_deinit(&arena);
    return r == 0 ? put_done(a, key, &done) : r < 0 ? r : 0;
}

static int post_review(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    struct casebook_act act = {.verb = CASEBOOK_REVIEW};
    if (!read_verdict(q, &act, a) || !api_body_text(q, "note", 0, CASEBOOK_TEXT_MAX, &act.note, a))
        return 0;
    value_get_boolean(value_get(q->body, SPAN_LIT("second")), &act.second);
    return act_on_requests(api, q, &act, "done", a);
}

static int post_assign(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    struct casebook_act act = {.verb = CASEBOOK_ASSIGN};
    if (!api_body_text(q, "to", 1, CASEBOOK_NAME_MAX, &act.to, a))
        return 0;
    return act_on_requests(api, q, &act, "done", a);
}

/* Actions are a list of names, or one text with commas. */
static bool read_actions(const struct api_request *q, struct casebook_act *act,
                         struct api_answer *a)
{
    const struct json_value *list = value_get(q->body, SPAN_LIT("actions"));
    struct span text = SPAN_NULL, name;
    bool good = true;
    if (value_get_string(list, &text)) {
        while (good && span_split(&text, ',', &name))
            if ((good = action_from(span_trim(name)) >= 0))
                act->actions |= 1u << action_from(span_trim(name));
    } else {
        for (size_t i = 0; good && i < value_count(list); i++)
            if ((good = value_get_string(value_at(list, i), &name) && action_from(name) >= 0))
                act->actions |= 1u << action_from(name);
    }
    if (!good)
        api_error(a, 400, "bad_actions", "Actions are allow, flag, mask, answer and block.");
    return good;
}

static int post_sample(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    struct casebook_act act = {.verb = CASEBOOK_SAMPLE};
    int64_t since = 0, until = (int64_t)clock_wall_us(), percent = 0;
    value_get_integer(value_get(q->body, SPAN_LIT("since")), &since);
    value_get_integer(value_get(q->body, SPAN_LIT("until")), &until);
    value_get_integer(value_get(q->body, SPAN_LIT("percent")), &percent);
    if (since < 0 || until < 0 || percent < 1 || percent > 100)
        return api_error(a, 400, "bad_sample", "A sample has since, until and percent (1 to 100).");
    act.since_us = (uint64_t)since;
    act.until_us = (uint64_t)until;
    act.percent = (unsigned)percent;
    return read_actions(q, &act, a) ? act_on_requests(api, q, &act, "added", a) : 0;
}

static int post_signoff(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    struct casebook_act act = {.verb = CASEBOOK_SIGNOFF};
    if (!api_body_text(q, "day", 1, 16, &act.day, a) ||
        !api_body_text(q, "note", 0, CASEBOOK_TEXT_MAX, &act.note, a))
        return 0;
    return act_on_requests(api, q, &act, "done", a);
}

static int get_summary(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    if (!casework_there(api, a))
        return 0;
    int r = casebook_refresh(api->casebook);
    if (r == 0)
        r = casebook_summary(api->casebook, api_query(q, "day"), &a->body);
    return r < 0 ? casework_failed(r, a) : r;
}

/* ---- the queue ---- */

struct listing {
    const struct api *api;
    const struct api_request *q;
    struct buf *out;
    size_t count, limit;
    uint64_t last;
    bool more;
};

/* Its month's file was removed. */
static int put_gone(struct buf *out, const struct casebook_due *d)
{
    buf_printf(out, "{\"seq\":%llu", (unsigned long long)d->seq);
    api_member(out, "request_id", d->request_id);
    api_member(out, "action", d->action);
    api_member(out, "risk", d->risk);
    api_member(out, "rule", d->rule);
    return buf_append_char(out, '}');
}

/* The row as the log has it, with why it is there; one that has gone from the log is as it was. */
static int put_due(void *ctx, const struct casebook_due *d)
{
    struct listing *l = ctx;
    const char *why = d->why & WHY_SECOND     ? "second"
                      : d->why & WHY_ASSIGNED ? "assigned"
                      : d->why & WHY_SAMPLE   ? "sample"
                                              : "policy";
    struct query_filter f = {
        .request_id = d->request_id, .all = true, .any_purpose = true, .limit = 1};
    struct query *q = NULL;
    const struct query_row *row;
    if (l->count == l->limit || api_gone(l->q)) {
        l->more = true;
        return 1;
    }
    if (l->count++)
        buf_append_char(l->out, ',');
    l->last = d->seq;
    int r = query_open(l->api->log_dir, &f, &q);
    if (r == 0 && (r = query_next(q, &row)) == 1)
        r = rowjson_write(row, l->q->may & MAY_READ, l->out);
    else if (r == 0 || r == -ENOENT)
        r = put_gone(l->out, d);
    query_close(q);
    if (r < 0)
        return r;
    l->out->len--; /* the closing brace: more members follow */
    api_member(l->out, "why", span_str(why));
    api_member(l->out, "assigned", d->assigned);
    api_member(l->out, "first_reviewer", d->first_reviewer);
    return buf_append_char(l->out, '}');
}

static int get_queue(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    struct casebook_counts counts = {0};
    struct casebook_queue ask = {.who = q->user, .day = api_query(q, "day")};
    struct span mine = api_query(q, "mine");
    uint64_t limit = 50;
    if (!casework_there(api, a) || !api_query_u64(q, "before", 0, INT64_MAX, &ask.before, a) ||
        !api_query_u64(q, "limit", 1, 500, &limit, a))
        return 0;
    ask.mine = mine.len && !span_eq(mine, SPAN_LIT("0")) && !span_eq(mine, SPAN_LIT("false"));
    ask.limit = (size_t)limit + 1; /* one more tells whether there are older ones */
    struct listing l = {.api = api, .q = q, .out = &a->body, .limit = (size_t)limit};
    int r = casebook_refresh(api->casebook);
    buf_append(&a->body, SPAN_LIT("{\"rows\":["));
    if (r == 0)
        r = casebook_each_due(api->casebook, &ask, put_due, &l, &counts);
    if (r < 0)
        return casework_failed(r, a);
    buf_append(&a->body, SPAN_LIT("],\"older\":"));
    if (l.more)
        buf_printf(&a->body, "\"%llu\"", (unsigned long long)l.last);
    else
        buf_append(&a->body, SPAN_LIT("null"));
    return buf_printf(&a->body, ",\"open\":%llu,\"mine\":%llu}", (unsigned long long)counts.open,
                      (unsigned long long)counts.mine);
}

/* ---- what would have saved it ---- */

static int get_suggestion(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    struct query_filter f = {
        .request_id = q->parts[0], .all = true, .any_purpose = true, .limit = 1};
    struct query *log = NULL;
    const struct query_row *row = NULL;
    struct buf phrase = BUF_INIT(1024);
    int r = query_open(api->log_dir, &f, &log);
    if (r == 0)
        r = query_next(log, &row);
    const struct query_hit *h = r == 1 ? row->main_hit : NULL;
    int found = -ENOENT;
    if (h && h->has_text) {
        bool prompt = span_eq(h->entry->direction, SPAN_LIT("prompt"));
        struct suggest_hit hit = {.context = h->context,
                                  .start = h->start,
                                  .end = h->end,
                                  .rule = h->entry->rule,
                                  .direction = prompt ? DIRECTION_PROMPT : DIRECTION_COMPLETION};
        found = casebook_suggest(api->config->rules_dir, &hit, &phrase);
    }
    if (r < 0 && r != -ENOENT) {
        query_close(log);
        return r;
    }
    if (!h) {
        query_close(log);
        return api_error(a, 404, "not_found", "The log has no hit of such a request.");
    }
    buf_append_char(&a->body, '{');
    api_member(&a->body, "rule", h->entry->rule);
    if (found == 0)
        api_member(&a->body, "phrase", buf_span(&phrase));
    else
        buf_append(&a->body, SPAN_LIT(",\"phrase\":null"));
    query_close(log);
    buf_deinit(&phrase);
    return buf_append_char(&a->body, '}');
}

const struct api_route api_review_routes[] = {
    {"POST", "/api/reviews", MAY_REVIEW, post_review},
    {"GET", "/api/reviews/queue", MAY_REVIEW, get_queue},
    {"GET", "/api/reviews/suggest/{id}", MAY_REVIEW, get_suggestion},
    {"POST", "/api/reviews/assign", MAY_REVIEW, post_assign},
    {"POST", "/api/reviews/sample", MAY_REVIEW, post_sample},
    {"GET", "/api/reviews/summary", MAY_SEE, get_summary},
    {"POST", "/api/reviews/signoff", MAY_REVIEW, post_signoff},
    {NULL},
};
