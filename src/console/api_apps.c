/* Apps, as the configuration has them, and the keys that they bear. */
#include "console/areas.h"

#include "access/access.h"
#include "audit/rowjson.h"
#include "base/clock.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>

#define ALIAS_MAX   256
#define SECOND      1000000ull
#define SECONDS_MAX ((int64_t)36500 * 86400)
/* How long the gateway may take to go by keys that are on disk already. */
#define FORCE_MS 5000
#define LOOK_MS  2

/* ---- apps ---- */

static void put_limit(const char *name, size_t value, bool *first, struct buf *out)
{
    if (value == 0)
        return;
    rowjson_put(out, "%s\"%s\":%zu", *first ? "" : ",", name, value);
    *first = false;
}

static void put_rates(const struct config_rates *r, bool *first, struct buf *out)
{
    put_limit("requests_per_minute", r->minute_requests, first, out);
    put_limit("requests_per_day", r->day_requests, first, out);
    put_limit("tokens_per_minute", r->minute_tokens, first, out);
    put_limit("tokens_per_day", r->day_tokens, first, out);
    put_limit("concurrent", r->concurrent, first, out);
}

static void put_of_each(const char *name, const struct config_rates *r, bool *first,
                        struct buf *out)
{
    bool none = true;
    if (!config_has_rates(r))
        return;
    rowjson_put(out, "%s\"%s\":{", *first ? "" : ",", name);
    put_rates(r, &none, out);
    rowjson_put(out, "}");
    *first = false;
}

static void put_app(const struct config_app *app, struct buf *out)
{
    int64_t now = clock_wall_s();
    const struct config_policy *p = &app->policy;
    enum config_mode mode = config_mode_at(p, now);
    bool first = true;
    rowjson_put(out, "{\"name\":");
    rowjson_string(out, app->name);
    rowjson_put(out, ",\"mode\":\"%s\",\"until_us\":%" PRId64 ",\"models\":[",
                config_mode_name(mode),
                mode == MODE_ENFORCE || p->until == INT64_MAX ? 0 : p->until * 1000000);
    for (size_t i = 0; i < app->model_count; i++) {
        rowjson_put(out, i ? "," : "");
        rowjson_string(out, app->models[i]);
    }
    rowjson_put(out, "],\"limits\":{");
    put_rates(&app->limits.app, &first, out);
    put_limit("body", app->limits.body_bytes, &first, out);
    put_of_each("key", &app->limits.key, &first, out);
    put_of_each("end_user", &app->limits.end_user, &first, out);
    rowjson_put(out, "},\"label\":\"%s\",\"refusal\":\"%s\",\"addresses\":%zu}",
                label_mode_name(p->label), p->refusal == REFUSAL_ERROR ? "error" : "message",
                app->address_count);
}

static int get_apps(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    rowjson_put(&a->body, "[");
    for (size_t i = 0; i < api->config->app_count; i++) {
        rowjson_put(&a->body, i ? "," : "");
        put_app(&api->config->apps[i], &a->body);
    }
    rowjson_put(&a->body, "]");
    return a->body.max ? 0 : -ENOMEM;
}

/* ---- keys ---- */

struct listing {
    const struct api *api;
    struct buf *out;
    bool first;
};

/* Times of the key file; absent ones, and what is none, are 0. */
static void put_time(const char *name, struct span text, struct buf *out)
{
    uint64_t us = 0;
    if (text.len == 0 || !clock_read(text, &us))
        us = 0;
    rowjson_put(out, ",\"%s\":%" PRIu64, name, us);
}

static void put_key(void *ctx, const struct access_key *k)
{
    struct listing *l = ctx;
    uint64_t used = access_key_used(snapshot_access(l->api->snapshot), k->id);
    rowjson_put(l->out, l->first ? "{\"id\":" : ",{\"id\":");
    rowjson_string(l->out, k->id);
    rowjson_put(l->out, ",\"app\":");
    rowjson_string(l->out, k->app);
    rowjson_put(l->out, ",\"alias\":");
    rowjson_string(l->out, k->alias);
    rowjson_put(l->out, ",\"last4\":");
    rowjson_string(l->out, k->last4);
    rowjson_put(l->out, ",\"line\":");
    rowjson_string(l->out, k->line);
    put_time("created_us", k->created, l->out);
    put_time("expires_us", k->expires, l->out);
    rowjson_put(l->out, ",\"revoked\":%s,\"expired\":%s", k->revoked ? "true" : "false",
                k->expired ? "true" : "false");
    if (used)
        rowjson_put(l->out, ",\"last_us\":%" PRIu64 "}", used);
    else
        rowjson_put(l->out, ",\"last_us\":null}");
    l->first = false;
}

static int get_keys(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    struct listing l = {api, &a->body, true};
    rowjson_put(&a->body, "[");
    int r = access_key_list(api->state_dir, put_key, &l);
    rowjson_put(&a->body, "]");
    return r < 0 ? r : a->body.max ? 0 : -ENOMEM;
}

/* What is to be done with a key goes on record first. */
struct record {
    const struct api *api;
    const struct api_request *q;
    const char *code;
    int64_t overlap_s; /* of a rotation */
    bool failed;
};

static int record(void *ctx, const struct access_key *key, const struct access_key *old)
{
    struct record *w = ctx;
    struct buf more = BUF_INIT(4096);
    api_member(&more, "key", key->id);
    if (key->alias.len)
        api_member(&more, "alias", key->alias);
    if (key->expires.len)
        api_member(&more, "expires", key->expires);
    if (old) {
        api_member(&more, "old", old->id);
        buf_printf(&more, ",\"overlap_s\":%" PRId64, w->overlap_s);
    }
    int r = api_record_of(w->api, w->q, span_str(w->code), key->app, SPAN_NULL, buf_span(&more));
    buf_deinit(&more);
    w->failed = r < 0;
    return r;
}

struct force {
    const struct api *api;
    bool renew, done;
};

static void look(void *arg)
{
    struct force *f = arg;
    const struct console_ops *ops = f->api->ops;
    if (f->renew && ops->renew_keys)
        ops->renew_keys(f->api->ops_ctx);
    f->renew = false;
    f->done = !ops->has_keys || ops->has_keys(f->api->ops_ctx);
}

/* Waits until every worker goes by the keys as they are now; false: that takes longer. */
static bool come_into_force(const struct api *api)
{
    struct force f = {.api = api, .renew = true};
    uint64_t end = clock_mono_ms() + FORCE_MS;
    while (api_on_loop(api, look, &f) == 0 && !f.done && clock_mono_ms() < end)
        poll(NULL, 0, LOOK_MS);
    return f.done;
}

/* 0: refused, the answer says why; 1: it is no refusal. */
static int refuse(int r, const struct record *w, struct api_answer *a)
{
    if (w->failed)
        return api_error(a, 503, "not_recorded", "It can't be recorded, so it is not done.");
    if (r == -ENOENT)
        return api_error(a, 404, "not_found", "There is no such key.");
    if (r == -ESTALE)
        return api_error(a, 409, "over", "It has expired or was revoked; create another one.");
    if (r == -ENOSPC)
        return api_error(a, 409, "too_many", "There are as many keys as there can be.");
    if (r == -EINVAL)
        return api_error(a, 400, "bad_parameter", "An alias is a line of text.");
    return 1;
}

/* The one time that a key is told. */
static int give(const struct api *api, struct span id, const struct buf *key, struct api_answer *a)
{
    bool in_force = come_into_force(api);
    rowjson_put(&a->body, "{\"id\":");
    rowjson_string(&a->body, id);
    if (key)
        rowjson_put(&a->body, ",\"key\":\"%.*s\"", SPAN_ARG(buf_span(key)));
    rowjson_put(&a->body, ",\"in_force\":%s}", in_force ? "true" : "false");
    return a->body.max ? 0 : -ENOMEM;
}

/* A number of seconds of the body; false: api_error() has filled the answer. */
static bool read_seconds(const struct api_request *q, const char *name, int64_t min, int64_t *ret,
                         struct api_answer *a)
{
    const struct json_value *v = value_get(q->body, span_str(name));
    int64_t s;
    if (!v || value_is_null(v))
        return true;
    if (!value_get_integer(v, &s) || s < min || s > SECONDS_MAX) {
        api_error(a, 400, "bad_parameter", "'%s' is a number of seconds from %" PRId64, name, min);
        return false;
    }
    *ret = s;
    return true;
}

static void forget(struct buf *key)
{
    if (key->data)
        explicit_bzero(key->data, key->cap);
    buf_deinit(key);
}

static int post_keys(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    struct record told = {.api = api, .q = q, .code = "key_create"};
    struct access_witness witness = {record, &told};
    struct span app, alias;
    int64_t seconds = -1;
    if (!api_body_text(q, "app", 1, 256, &app, a) ||
        !api_body_text(q, "alias", 0, ALIAS_MAX, &alias, a) ||
        !read_seconds(q, "expires_s", 1, &seconds, a))
        return 0;
    if (!config_find_app(api->config, app))
        return api_error(a, 400, "no_such_app", "No app of the configuration is called that.");
    struct buf key = BUF_INIT(256), id = BUF_INIT(256);
    uint64_t expires = seconds < 0 ? ACCESS_NEVER : clock_wall_us() + (uint64_t)seconds * SECOND;
    int r = access_key_create(api->state_dir, app, alias, expires, &witness, &key, &id);
    if (r == 0)
        r = give(api, buf_span(&id), &key, a);
    else if (refuse(r, &told, a) == 0)
        r = 0;
    forget(&key);
    buf_deinit(&id);
    return r;
}

static int rotate(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    struct record told = {.api = api, .q = q, .code = "key_rotate", .overlap_s = 86400};
    struct access_witness witness = {record, &told};
    if (!read_seconds(q, "overlap_s", 0, &told.overlap_s, a))
        return 0;
    struct buf key = BUF_INIT(256), id = BUF_INIT(256);
    uint64_t until = clock_wall_us() + (uint64_t)told.overlap_s * SECOND;
    int r = access_key_rotate(api->state_dir, q->parts[0], until, ACCESS_AS_BEFORE, &witness, &key,
                              &id);
    if (r == 0)
        r = give(api, buf_span(&id), &key, a);
    else if (refuse(r, &told, a) == 0)
        r = 0;
    forget(&key);
    buf_deinit(&id);
    return r;
}

static int revoke(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    struct record told = {.api = api, .q = q, .code = "key_revoke"};
    struct access_witness witness = {record, &told};
    int r = access_key_revoke(api->state_dir, q->parts[0], &witness);
    if (r == 0)
        return give(api, q->parts[0], NULL, a);
    return refuse(r, &told, a) == 0 ? 0 : r;
}

static int post_key(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    struct span act;
    if (!api_body_text(q, "act", 1, 16, &act, a))
        return 0;
    if (span_eq(act, SPAN_LIT("revoke")))
        return revoke(api, q, a);
    if (span_eq(act, SPAN_LIT("rotate")))
        return rotate(api, q, a);
    return api_error(a, 400, "bad_parameter", "'act' is revoke or rotate");
}

const struct api_route api_apps_routes[] = {
    {"GET", "/api/apps", MAY_SEE, get_apps},
    {"GET", "/api/keys", MAY_APPS, get_keys},
    {"POST", "/api/keys", MAY_APPS, post_keys},
    {"POST", "/api/keys/{id}", MAY_APPS, post_key},
    {NULL},
};
