/* What people did here and at the command line, and what the gateway noted itself. */
#include "console/actrow.h"
#include "console/areas.h"

#include "audit/rowjson.h"

#include <errno.h>
#include <inttypes.h>

#define LIMIT     50
#define LIMIT_MAX 500
#define BUDGET_US 1000000
#define ROOM      65536 /* for the end of the answer, and of a row */

struct wanted {
    struct span act, who;
};

/* A canary that catches everything says so every few minutes: only to who asks for it. */
static bool is_wanted(const struct wanted *w, const struct query_row *row, const struct actrow *act)
{
    struct span reason = row->entry.reason;
    if (w->act.len ? !span_eq(reason, w->act) : span_eq(reason, SPAN_LIT("canary")))
        return false;
    return w->who.len == 0 || span_eq(act->who, w->who);
}

static int write_acts(const struct api *api, const struct api_request *q,
                      const struct query_filter *f, uint64_t limit, struct buf *out,
                      uint64_t *ret_older, bool *ret_complete)
{
    struct wanted w = {api_query(q, "act"), api_query(q, "who")};
    struct query *log = NULL;
    const struct query_row *row;
    uint64_t count = 0;
    int r = query_open(api->log_dir, f, &log);
    while (r >= 0 && count < limit && out->len + ROOM < API_BODY_MAX && !api_gone(q) &&
           (r = query_next(log, &row)) == 1) {
        struct actrow act;
        actrow_read(row, &act);
        if (is_wanted(&w, row, &act))
            actrow_put(row, &act, count++ == 0, true, out);
        actrow_deinit(&act);
    }
    if (r >= 0 && log) {
        *ret_complete = query_is_complete(log);
        if (r == 1 || !*ret_complete)
            *ret_older = query_position(log);
    }
    query_close(log);
    return r == -ENOENT || r > 0 ? 0 : r;
}

static int get_acts(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    struct query_filter f = {.admin = true, .any_purpose = true, .budget_us = BUDGET_US};
    uint64_t limit = LIMIT, older = 0;
    bool complete = true;
    if (!api_query_u64(q, "since", 0, INT64_MAX, &f.since_us, a) ||
        !api_query_u64(q, "until", 0, INT64_MAX, &f.until_us, a) ||
        !api_query_u64(q, "limit", 1, LIMIT_MAX, &limit, a) ||
        !api_query_u64(q, "before", 1, INT64_MAX, &f.before_seq, a))
        return 0;
    rowjson_put(&a->body, "{\"rows\":[");
    int r = write_acts(api, q, &f, limit, &a->body, &older, &complete);
    if (r < 0)
        return r;
    rowjson_put(&a->body, "],\"older\":");
    if (older)
        rowjson_put(&a->body, "\"%" PRIu64 "\"", older);
    else
        rowjson_put(&a->body, "null");
    rowjson_put(&a->body, ",\"complete\":%s}", complete ? "true" : "false");
    return a->body.max ? 0 : -ENOMEM;
}

const struct api_route api_acts_routes[] = {
    {"GET", "/api/acts", MAY_ACTS, get_acts},
    {NULL},
};
