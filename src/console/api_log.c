/* The log as the page reads it: rows, groups, one exchange, the overview. */
#include "console/areas.h"
#include "console/filter.h"
#include "console/logrow.h"
#include "console/lookups.h"

#include "audit/groups.h"
#include "audit/overview.h"
#include "audit/query.h"
#include "audit/records.h"
#include "audit/rowjson.h"
#include "base/clock.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#define LIMIT        50
#define LIMIT_MAX    500
#define BUDGET_US    700000  /* of a page; a filter that finds little ends with what it has */
#define GROUPS_US    3000000 /* they look at all rows */
#define CONVERSATION 50

/* ---- reviews ---- */

static int is_open(void *ctx, struct span request_id)
{
    struct casebook_wish w = {.casebook = ctx};
    return casebook_is_wanted(&w, request_id);
}

/* The parameter `review`. False: the answer says why not. */
static bool read_wish(const struct api *api, const struct api_request *q, struct casebook_wish *w,
                      struct query_filter *f, struct api_answer *a)
{
    struct span name = api_query(q, "review");
    *w = (struct casebook_wish){.casebook = api->casebook};
    if (name.len == 0)
        return true;
    if (!casebook_read_wish(name, &w->verdict)) {
        api_error(a, 400, "bad_parameter", "'review' is open, correct, false_positive or unsure");
        return false;
    }
    f->keep = casebook_is_wanted;
    f->keep_ctx = w;
    return true;
}

/* ---- rows ---- */

/* A position is where a page ended, and as of which record the list is read. */
static bool read_position(const struct api_request *q, struct query_filter *f)
{
    struct span text = api_query(q, "before"), seq;
    unsigned long long before, upto;
    if (text.len == 0)
        return true;
    if (!span_split(&text, '.', &seq) || !span_to_u64(seq, &before) || !span_to_u64(text, &upto) ||
        before == 0 || upto == 0)
        return false;
    f->before_seq = before;
    f->upto_seq = upto;
    return true;
}

/*
 * Who looks for one person's records is on record, once a list, as at the command line. Any
 * position may be made up: a page is a later one only for who was noted for the first. True, or
 * false with the answer filled.
 */
static bool record_lookup(const struct api *api, const struct api_request *q,
                          const struct query_filter *f, struct api_answer *a)
{
    bool later = f->before_seq || f->after_seq;
    if (f->end_user.len == 0 ||
        (later && lookups_has(api->lookups, q->user, f->end_user, f->app, clock_mono_ms())))
        return true;
    int r = api_record_of(api, q, SPAN_LIT("user_lookup"), f->app, f->end_user,
                          SPAN_LIT("\"what\":\"log\""));
    if (r == 0)
        lookups_note(api->lookups, q->user, f->end_user, f->app, clock_mono_ms());
    else
        api_error(a, 503, "not_recorded",
                  "That a person's records are looked at can't be recorded.");
    return r == 0;
}

static int write_rows(const struct api *api, const struct api_request *q,
                      const struct query_filter *f, struct api_answer *a, bool *ret_complete,
                      uint64_t *ret_older)
{
    struct query *log = NULL;
    const struct query_row *row;
    size_t count = 0;
    bool full = false;
    int r = query_open(api->log_dir, f, &log);
    while (r >= 0 && !full && (r = query_next(log, &row)) == 1) {
        r = logrow_write(api, q, row, count == 0, &a->body);
        if (r == -EMSGSIZE) { /* the row is the next page's first, unless no page can hold it */
            full = true;
            *ret_older = query_position(log) + (count > 0);
            r = 0;
        }
        count++;
        if (api_gone(q))
            break;
    }
    if (r >= 0 && log) {
        *ret_complete = query_is_complete(log);
        if (!full && (count == f->limit || !*ret_complete))
            *ret_older = query_position(log);
    }
    query_close(log);
    return r == -ENOENT ? 0 : r;
}

static int get_log(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    struct query_filter f;
    struct casebook_wish wish;
    uint64_t limit = LIMIT, newest = 0, older = 0;
    bool complete = true;
    if (!filter_read(q, &f, a) || !read_wish(api, q, &wish, &f, a) ||
        !api_query_u64(q, "limit", 1, LIMIT_MAX, &limit, a) ||
        !api_query_u64(q, "after", 0, INT64_MAX, &f.after_seq, a))
        return 0;
    if (!read_position(q, &f))
        return api_error(a, 400, "bad_parameter", "'before' is not what 'older' said");
    f.limit = (size_t)limit;
    f.budget_us = BUDGET_US;
    int r = query_last_seq(api->log_dir, &newest);
    if (r < 0 && r != -ENOENT)
        return r;
    if (f.upto_seq == 0)
        f.upto_seq = newest;
    if (!record_lookup(api, q, &f, a))
        return 0;
    rowjson_put(&a->body, "{\"rows\":[");
    r = write_rows(api, q, &f, a, &complete, &older);
    if (r < 0)
        return r;
    rowjson_put(&a->body, "],\"older\":");
    if (older)
        rowjson_put(&a->body, "\"%" PRIu64 ".%" PRIu64 "\"", older, f.upto_seq);
    else
        rowjson_put(&a->body, "null");
    return buf_printf(&a->body, ",\"newest_seq\":%" PRIu64 ",\"complete\":%s}", newest,
                      complete ? "true" : "false");
}

static int get_groups(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    struct groups_options o = {.texts = q->may & MAY_READ,
                               .is_open = api->casebook ? is_open : NULL,
                               .ctx = api->casebook};
    struct casebook_wish wish;
    if (!filter_read(q, &o.filter, a) || !read_wish(api, q, &wish, &o.filter, a))
        return 0;
    o.filter.budget_us = GROUPS_US;
    if (!record_lookup(api, q, &o.filter, a))
        return 0;
    int r = groups_write(api->log_dir, &o, &a->body);
    if (r != -ENOENT)
        return r;
    buf_clear(&a->body);
    return buf_append(&a->body, SPAN_LIT("{\"groups\":[],\"complete\":true}"));
}

/* ---- one exchange ---- */

/* Exchanges of the same app and session, the newest of them, in the order of time. */
static int write_conversation(const struct api *api, const struct api_request *q, struct span app,
                              struct span session, struct buf *out)
{
    struct query_filter f = {.app = app,
                             .session = session,
                             .all = true,
                             .any_purpose = true,
                             .limit = CONVERSATION,
                             .budget_us = BUDGET_US};
    struct buf rows[CONVERSATION];
    struct query *log = NULL;
    const struct query_row *row;
    size_t n = 0;
    int r = session.len ? query_open(api->log_dir, &f, &log) : 0;
    while (r >= 0 && log && (r = query_next(log, &row)) == 1) {
        rows[n] = BUF_INIT(LOGROW_MAX);
        r = logrow_write(api, q, row, true, &rows[n]);
        if (r == -EMSGSIZE)
            r = 0;
        n++;
    }
    query_close(log);
    rowjson_put(out, "[");
    bool first = true;
    for (size_t i = n; i > 0; i--) {
        bool fits = rows[i - 1].len && rows[i - 1].len < out->max - out->len - 1024;
        if (r == 0 && fits) {
            rowjson_put(out, first ? "" : ",");
            r = buf_append(out, buf_span(&rows[i - 1]));
            first = false;
        }
        buf_deinit(&rows[i - 1]);
    }
    rowjson_put(out, "]");
    return r;
}

/* The members beside the row's own. */
static int write_surroundings(const struct api *api, const struct api_request *q, struct span id,
                              struct span app, struct span session, struct buf *out)
{
    rowjson_put(out, ",\"records\":");
    int r = records_write(api->log_dir, id, out);
    rowjson_put(out, ",\"reviews\":");
    if (r == 0 && api->casebook)
        r = q->may & MAY_READ ? casebook_reviews(api->casebook, id, out)
                              : casebook_verdicts(api->casebook, id, out);
    else
        rowjson_put(out, "[]");
    rowjson_put(out, ",\"conversation\":");
    if (r == 0)
        r = write_conversation(api, q, app, session, out);
    return r < 0 ? r : buf_append_char(out, '}');
}

static int get_exchange(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    struct query_filter f = {
        .request_id = q->parts[0], .all = true, .any_purpose = true, .limit = 1};
    struct query *log = NULL;
    const struct query_row *row;
    int r = query_open(api->log_dir, &f, &log);
    if (r == 0)
        r = query_next(log, &row);
    if (r == 1) {
        /* The row and its spans are gone with the query: what is still needed is copied. */
        struct arena names;
        arena_init(&names, 65536);
        struct span app = arena_copy(&names, row->entry.app);
        struct span session = arena_copy(&names, row->entry.session);
        r = logrow_write(api, q, row, true, &a->body);
        query_close(log);
        log = NULL;
        if (r == 0)
            a->body.len--;
        if (r == 0)
            r = write_surroundings(api, q, q->parts[0], app, session, &a->body);
        arena_deinit(&names);
    } else if (r == 0 || r == -ENOENT) {
        r = api_error(a, 404, "not_found", "There is no such exchange in the log.");
    }
    query_close(log);
    return r;
}

/* ---- the overview ---- */

static int get_overview(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    struct overview_filter f = {.app = api_query(q, "app")};
    if (!api_query_u64(q, "since", 0, INT64_MAX, &f.since_us, a) ||
        !api_query_u64(q, "until", 0, INT64_MAX, &f.until_us, a))
        return 0;
    rowjson_put(&a->body, "{");
    int r = overview_write(api->log_dir, &f, &a->body);
    if (r < 0 && r != -ENOENT)
        return r;
    if (r == -ENOENT)
        rowjson_put(&a->body, "\"step_us\":600000000,\"buckets\":[],\"risks\":[],\"apps\":[],"
                              "\"models\":[],\"rules\":[],\"held\":{},\"complete\":true");
    rowjson_put(&a->body, ",\"reviews\":");
    r = api->casebook ? casebook_refresh(api->casebook) : 0;
    if (r == 0 && api->casebook)
        r = casebook_totals(api->casebook, f.since_us, f.until_us ? f.until_us : INT64_MAX,
                            &a->body);
    else if (r == 0)
        rowjson_put(&a->body, "null");
    return r < 0 ? r : buf_append_char(&a->body, '}');
}

const struct api_route api_log_routes[] = {
    {"GET", "/api/log", MAY_SEE, get_log},
    {"GET", "/api/log/groups", MAY_SEE, get_groups},
    {"GET", "/api/log/{id}", MAY_SEE, get_exchange},
    {"GET", "/api/overview", MAY_SEE, get_overview},
    {NULL},
};
