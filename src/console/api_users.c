/* End users: what is counted of them, and what is decided about them. */
#include "console/actrow.h"
#include "console/areas.h"
#include "console/logrow.h"

#include "access/access.h"
#include "audit/person.h"
#include "audit/rowjson.h"
#include "audit/verdict.h"
#include "base/clock.h"
#include "base/codec.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#define LIMIT       50
#define LIMIT_MAX   500
#define SHOWN       50 /* acts, and interceptions, of one user */
#define BUDGET_US   700000
#define FIND_US     5000000
#define REASON_MAX  1000
#define ID_MAX      1000
#define SECONDS_MAX ((int64_t)36500 * 86400)

/* ---- what is counted ---- */

static void put_time(const char *name, int64_t s, struct buf *out)
{
    if (s == 0 || s == STRIKE_FOREVER)
        rowjson_put(out, ",\"%s\":%s", name, s ? "null" : "0");
    else
        rowjson_put(out, ",\"%s\":%lld", name, (long long)s * 1000000);
}

/* The members of an entry, behind a comma. */
static void put_entry(const struct strike_entry *e, int64_t now, struct buf *out)
{
    int64_t until;
    enum strike_state state = strike_state_at(e, now, &until);
    rowjson_put(out, ",\"app\":");
    rowjson_string(out, strike_entry_app(e));
    rowjson_put(out, ",\"state\":\"%s\"", strike_state_name(state));
    put_time("until_us", until, out);
    rowjson_put(out,
                ",\"for_ever\":%s,\"consecutive\":%u,\"today\":%u,\"total\":%u,\"appealed\":%s,"
                "\"by_hand\":%s",
                until == STRIKE_FOREVER ? "true" : "false", e->consecutive, strike_today(e, now),
                e->total, e->flags & STRIKE_APPEALED ? "true" : "false",
                e->flags & STRIKE_BY_HAND ? "true" : "false");
    put_time("last_us", e->last, out);
}

static void put_hash(const struct strike_entry *e, struct buf *out)
{
    char hash[65];
    codec_hex(span_from((const char *)e->end_user, sizeof(e->end_user)), hash);
    rowjson_put(out, "{\"end_user\":\"%s\"", hash);
}

/*
 * Entries that are wanted, copied while nobody can change them: and nobody can count either. So of
 * millions no more are kept than a page needs.
 */
struct gathering {
    struct span app, state;
    const unsigned char *user;  /* NULL: any */
    struct strike_entry before; /* only those behind it in the list; last 0: all */
    int64_t now;
    struct strike_entry *list;
    size_t count, cap, most; /* most: that are needed, the first ones; 0: all */
    bool failed;
};

/* The list's order: what changed last is first. */
static int compare(const void *a, const void *b)
{
    const struct strike_entry *x = a, *y = b;
    if (x->last != y->last)
        return x->last < y->last ? 1 : -1;
    int c = memcmp(x->end_user, y->end_user, sizeof(x->end_user));
    return c ? c : memcmp(x->app, y->app, sizeof(x->app));
}

static void gather(void *ctx, const struct strike_entry *e)
{
    struct gathering *g = ctx;
    bool his = !g->user || memcmp(g->user, e->end_user, sizeof(e->end_user)) == 0;
    if (!his || (g->app.len && !span_eq(g->app, strike_entry_app(e))) ||
        (!g->user && !verdict_lists(e, g->state, g->now)) ||
        (g->before.last && compare(e, &g->before) <= 0))
        return;
    if (g->most && g->count == 2 * g->most) {
        qsort(g->list, g->count, sizeof(*g->list), compare);
        g->count = g->most;
    }
    if (g->count == g->cap) {
        size_t cap = g->cap ? g->cap * 2 : 64;
        struct strike_entry *list = reallocarray(g->list, cap, sizeof(*list));
        g->failed = g->failed || !list;
        if (!list)
            return;
        g->list = list;
        g->cap = cap;
    }
    g->list[g->count++] = *e;
}

/* 0 or -ENOMEM. The list is the caller's to free. */
static int gather_all(const struct api *api, struct gathering *g)
{
    struct strikes *t = api->audit ? audit_strikes(api->audit) : NULL;
    if (!t)
        return 0;
    strikes_lock(t);
    strikes_each(t, gather, g);
    strikes_unlock(t);
    if (g->count)
        qsort(g->list, g->count, sizeof(*g->list), compare);
    return g->failed ? -ENOMEM : 0;
}

/* LAST.HASH.APP: where a page ended. Users whose count changes meanwhile come first again. */
static bool read_position(struct span text, struct strike_entry *ret)
{
    struct span last, hash;
    unsigned long long s;
    if (!span_split(&text, '.', &last) || !span_to_u64(last, &s) || s == 0 || s > INT64_MAX ||
        !span_split(&text, '.', &hash) || !strike_entry_init(ret, text, hash))
        return false;
    ret->last = (int64_t)s;
    return true;
}

static void put_position(const struct strike_entry *e, struct buf *out)
{
    char hash[65];
    struct buf text = BUF_INIT(512);
    codec_hex(span_from((const char *)e->end_user, sizeof(e->end_user)), hash);
    buf_printf(&text, "%lld.%s.%.*s", (long long)e->last, hash, SPAN_ARG(strike_entry_app(e)));
    rowjson_string(out, buf_span(&text));
    buf_deinit(&text);
}

static int get_users(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    struct gathering g = {
        .app = api_query(q, "app"), .state = api_query(q, "state"), .now = clock_wall_s()};
    uint64_t limit = LIMIT;
    if (!api_query_u64(q, "limit", 1, LIMIT_MAX, &limit, a))
        return 0;
    g.most = (size_t)limit + 1; /* one more tells whether there are older ones */
    if (!verdict_knows_state(g.state))
        return api_error(a, 400, "bad_parameter",
                         "'state' is clear, warn, limit, suspend or appealed");
    struct span before = api_query(q, "before");
    if (before.len && !read_position(before, &g.before))
        return api_error(a, 400, "bad_parameter", "'before' is not what 'older' said");
    int r = gather_all(api, &g);
    size_t n = g.count < limit ? g.count : (size_t)limit;
    rowjson_put(&a->body, "{\"rows\":[");
    for (size_t i = 0; i < n; i++) {
        rowjson_put(&a->body, i ? "," : "");
        put_hash(&g.list[i], &a->body);
        put_entry(&g.list[i], g.now, &a->body);
        rowjson_put(&a->body, "}");
    }
    rowjson_put(&a->body, "],\"older\":");
    if (n && n < g.count)
        put_position(&g.list[n - 1], &a->body);
    else
        rowjson_put(&a->body, "null");
    rowjson_put(&a->body, "}");
    free(g.list);
    return r < 0 ? r : a->body.max ? 0 : -ENOMEM;
}

/* ---- one user ---- */

/* The hash of the path in its one form; false: api_error() has filled the answer. */
static bool read_hash(const struct api_request *q, unsigned char bytes[32], char ret_hex[65],
                      struct api_answer *a)
{
    if (codec_unhex(q->parts[0], bytes, 32)) {
        codec_hex(span_from((const char *)bytes, 32), ret_hex);
        return true;
    }
    api_error(a, 404, "not_found", "An end user is 64 hex digits, as records have them.");
    return false;
}

struct found {
    struct buf acts, log, app; /* `app`: of the newest row */
    size_t act_count, log_count;
};

static int take_row(const struct api *api, const struct api_request *q, const struct query_row *row,
                    struct found *f)
{
    int r = 0;
    if (f->app.len == 0)
        buf_append(&f->app, row->entry.app);
    r = logrow_write(api, q, row, f->log_count == 0, &f->log);
    f->log_count += r == 0;
    return r == -EMSGSIZE ? 0 : r;
}

static int take_act(const struct api_request *q, const struct query_row *row, struct found *f)
{
    struct actrow act;
    /* Looks at somebody say nothing of that person. */
    if (span_eq(row->entry.reason, SPAN_LIT("user_lookup")))
        return 0;
    actrow_read(row, &act);
    actrow_put(row, &act, f->act_count++ == 0, q->may & MAY_ACTS, &f->acts);
    actrow_deinit(&act);
    return f->acts.max ? 0 : -ENOMEM;
}

/* Interceptions, or what people decided; the index knows both by person. */
static int read_rows(const struct api *api, const struct api_request *q, struct span hash,
                     bool acts, struct found *f)
{
    struct query_filter filter = {
        .end_user = hash, .app = api_query(q, "app"), .admin = acts, .budget_us = BUDGET_US};
    struct query *log = NULL;
    const struct query_row *row;
    int r = query_open(api->log_dir, &filter, &log);
    while (r >= 0 && (acts ? f->act_count : f->log_count) < SHOWN && !api_gone(q) &&
           (r = query_next(log, &row)) == 1)
        r = acts ? take_act(q, row, f) : take_row(api, q, row, f);
    query_close(log);
    return r == -ENOENT || r > 0 ? 0 : r;
}

/* The entry that a page is about: of the app that was asked for, else what weighs most. */
static const struct strike_entry *main_entry(const struct gathering *g)
{
    const struct strike_entry *best = NULL;
    int64_t until;
    for (size_t i = 0; i < g->count; i++)
        if (!best ||
            strike_state_at(&g->list[i], g->now, &until) > strike_state_at(best, g->now, &until))
            best = &g->list[i];
    return best;
}

static void put_user(const struct api *api, const struct gathering *g, const char *hash,
                     const struct found *f, struct buf *out)
{
    const struct strike_entry *e = main_entry(g);
    struct strike_entry none = {0};
    struct span app = g->app.len   ? g->app
                      : f->app.len ? buf_span(&f->app)
                                   : api->config->apps[0].name;
    if (!e && strike_entry_init(&none, app, span_str(hash)))
        e = &none;
    rowjson_put(out, "{\"end_user\":\"%s\"", hash);
    if (e)
        put_entry(e, g->now, out);
    rowjson_put(out, ",\"apps\":[");
    for (size_t i = 0; i < g->count; i++) {
        rowjson_put(out, i ? "," : "");
        put_hash(&g->list[i], out);
        put_entry(&g->list[i], g->now, out);
        rowjson_put(out, "}");
    }
    rowjson_put(out, "],\"acts\":[%.*s],\"log\":[%.*s]}", SPAN_ARG(buf_span(&f->acts)),
                SPAN_ARG(buf_span(&f->log)));
}

static int get_user(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    unsigned char bytes[32];
    char hash[65];
    struct gathering g = {.app = api_query(q, "app"), .user = bytes, .now = clock_wall_s()};
    struct found f = {BUF_INIT(4u << 20), BUF_INIT(LOGROW_MAX), BUF_INIT(512), 0, 0};
    if (!read_hash(q, bytes, hash, a))
        return 0;
    if (api_record_of(api, q, SPAN_LIT("user_lookup"), g.app, span_str(hash),
                      SPAN_LIT("\"what\":\"show\"")) < 0)
        return api_error(a, 503, "not_recorded",
                         "That a person's records are looked at can't be recorded.");
    int r = gather_all(api, &g);
    if (r == 0)
        r = read_rows(api, q, span_str(hash), false, &f);
    if (r == 0)
        r = read_rows(api, q, span_str(hash), true, &f);
    if (r == 0)
        put_user(api, &g, hash, &f, &a->body);
    free(g.list);
    buf_deinit(&f.acts);
    buf_deinit(&f.log);
    buf_deinit(&f.app);
    return r < 0 ? r : a->body.max ? 0 : -ENOMEM;
}

static int post_find(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    struct person_found found;
    struct span id;
    char hash[65];
    if (!api_body_text(q, "id", 1, ID_MAX, &id, a))
        return 0;
    access_hash_end_user(snapshot_access(api->snapshot), NULL, id, hash);
    struct person_search s = {.id = id,
                              .hash = span_str(hash),
                              .log_dir = api->log_dir,
                              .strikes = api->audit ? audit_strikes(api->audit) : NULL,
                              .flags = PERSON_IN_LOG,
                              .budget_us = FIND_US};
    int r = person_find(&s, &found);
    if (r == -ENOENT)
        return api_error(a, 404, "not_found",
                         "Nobody known has that id, nor a hash that begins so.");
    if (r == -EEXIST)
        return api_error(a, 409, "several", "That may be more than one: give the whole hash.");
    if (r == -ETIMEDOUT)
        return api_error(a, 422, "too_many_records",
                         "The log is too large to be searched by the beginning of a hash: give the "
                         "whole one, or the id.");
    if (r < 0)
        return r;
    if (api_record_of(api, q, SPAN_LIT("user_lookup"), SPAN_NULL, span_str(found.hash),
                      SPAN_LIT("\"what\":\"find\"")) < 0)
        return api_error(a, 503, "not_recorded", "That a person is looked up can't be recorded.");
    return buf_printf(&a->body, "{\"end_user\":\"%s\"}", found.hash);
}

/* ---- what is decided ---- */

/* How long; false: api_error() has filled the answer. */
static bool read_seconds(const struct api *api, const struct api_request *q, int64_t *ret,
                         struct api_answer *a)
{
    const struct json_value *v = value_get(q->body, SPAN_LIT("for_s"));
    *ret = api->config->strikes.suspend_ms / 1000;
    if (!v || value_is_null(v) || (value_get_integer(v, ret) && *ret >= 0 && *ret <= SECONDS_MAX))
        return true;
    api_error(a, 400, "bad_parameter", "'for_s' is a number of seconds, 0 for good");
    return false;
}

static int write_detail(const struct api_request *q, struct span reason, struct buf *out)
{
    int r = buf_append_char(out, '{');
    api_member(out, "by", q->user);
    api_member(out, "role", staff_name(q->role));
    api_member(out, "ip", q->client_ip);
    api_member(out, "why", reason);
    return r < 0 ? r : buf_append_char(out, '}');
}

static int carry_out(const struct api *api, const struct verdict_act *act, struct api_answer *a)
{
    size_t entries = 0;
    int r = api->audit ? verdict_run(api->audit, act, &entries) : -EIO;
    if (r == -EIO || r == -EAGAIN || r == -ETIMEDOUT)
        return api_error(a, 503, "not_recorded", "The log can't be written now.");
    if (r == -ENOENT)
        return api_error(a, 409, "no_strikes", "This gateway counts nothing of end users.");
    if (r == -EINVAL)
        return api_error(a, 400, "bad_parameter", "There can be no such user.");
    if (r < 0)
        return r;
    if (entries == 0)
        return api_error(a, 404, "nothing_counted", "Nothing is counted for this user%s.",
                         act->app.len ? " in that app" : "");
    return buf_printf(&a->body, "{\"end_user\":\"%.*s\",\"act\":\"%s\",\"entries\":%zu}",
                      SPAN_ARG(act->end_user), verdict_name(act->verdict), entries);
}

static int post_user(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    unsigned char bytes[32];
    char hash[65];
    struct span name, reason;
    struct verdict_act act = {0};
    if (!read_hash(q, bytes, hash, a) || !api_body_text(q, "act", 1, 16, &name, a) ||
        !api_body_text(q, "app", 0, STRIKE_APP_SIZE, &act.app, a) ||
        !api_body_text(q, "reason", 1, REASON_MAX, &reason, a) ||
        !read_seconds(api, q, &act.seconds, a))
        return 0;
    act.end_user = span_str(hash);
    act.verdict = verdict_from(name);
    if (act.verdict == USER_VERDICTS)
        return api_error(a, 400, "bad_parameter", "'act' is lift, suspend, appeal or deny");
    if (span_trim(reason).len == 0)
        return api_error(a, 400, "bad_parameter", "Why? The reason goes on record.");
    if (act.verdict == USER_SUSPEND && !config_find_app(api->config, act.app))
        return api_error(a, 400, "no_such_app", "Which app's user? There is none of that name.");
    if (act.verdict == USER_SUSPEND && !api->config->strikes.enabled)
        return api_error(a, 422, "no_effect",
                         "strikes.enabled is false: a suspension would have no effect.");
    struct buf detail = BUF_INIT(8192);
    int r = write_detail(q, reason, &detail);
    act.detail = buf_span(&detail);
    if (r == 0)
        r = carry_out(api, &act, a);
    buf_deinit(&detail);
    return r;
}

const struct api_route api_users_routes[] = {
    {"GET", "/api/users", MAY_SEE, get_users},
    {"GET", "/api/users/{hash}", MAY_SEE, get_user},
    {"POST", "/api/users/find", MAY_USERS, post_find},
    {"POST", "/api/users/{hash}", MAY_USERS, post_user},
    {NULL},
};
