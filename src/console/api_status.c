/* How the gateway is, and the names that every page needs; the log's verification. */
#include "console/areas.h"
#include "console/verifier.h"

#include "audit/rowjson.h"
#include "casebook/casebook.h"

#include <errno.h>
#include <inttypes.h>

#define LINES_MAX ((size_t)1 << 20)

/* What only the loop's thread can tell. */
struct asked {
    const struct api *api;
    struct span reason;
    struct buf lines, state;
    int result;
};

static void ask(void *arg)
{
    struct asked *s = arg;
    const struct console_ops *ops = s->api->ops;
    s->reason = ops->readiness(s->api->ops_ctx); /* literals */
    s->result = ops->weakenings(s->api->ops_ctx, &s->lines);
    if (s->result == 0 && ops->state)
        s->result = ops->state(s->api->ops_ctx, &s->state);
}

static void put_weakenings(struct span lines, struct buf *out)
{
    static const struct span begin = SPAN_LIT("weakened: ");
    struct span line;
    bool first = true;
    rowjson_put(out, ",\"weakenings\":[");
    while (span_split(&lines, '\n', &line)) {
        if (span_starts(line, begin))
            line = span_slice(line, begin.len, line.len);
        if (line.len == 0)
            continue;
        rowjson_put(out, first ? "" : ",");
        rowjson_string(out, line);
        first = false;
    }
    rowjson_put(out, "]");
}

static void put_verify(const struct verifier_report *v, struct buf *out)
{
    rowjson_put(out, "{\"state\":\"%s\",\"records\":%" PRIu64 ",\"at_us\":%" PRIu64 ",\"finding\":",
                verifier_state_name(v->state), v->records, v->at_us);
    rowjson_string(out, span_str(v->finding));
    rowjson_put(out, "}");
}

static void put_log(const struct api *api, struct buf *out)
{
    struct audit_health h = {0};
    struct verifier_report v;
    if (api->audit)
        audit_get_health(api->audit, &h);
    verifier_get(api->verifier, &v);
    rowjson_put(out,
                ",\"log\":{\"failed\":%s,\"degraded\":%s,\"disk_percent\":%u,\"written\":%" PRIu64
                ",\"lost\":%" PRIu64 ",\"queued\":%zu,\"last_seq\":%" PRIu64 ",\"verify\":",
                h.failed ? "true" : "false", h.degraded ? "true" : "false", h.disk_percent,
                h.written, h.lost, h.queued, h.last_seq);
    put_verify(&v, out);
    rowjson_put(out, "}");
}

static void put_names(const struct api *api, struct buf *out)
{
    const struct config *c = api->config;
    bool first = true;
    rowjson_put(out, ",\"apps\":[");
    for (size_t i = 0; i < c->app_count; i++) {
        rowjson_put(out, i ? "," : "");
        rowjson_string(out, c->apps[i].name);
    }
    rowjson_put(out, "],\"models\":[");
    for (size_t i = 0; i < c->upstream_count; i++)
        for (size_t k = 0; k < c->upstreams[i].model_count; k++) {
            rowjson_put(out, first ? "" : ",");
            rowjson_string(out, c->upstreams[i].models[k].id);
            first = false;
        }
    rowjson_put(out, "],\"risks\":[");
    for (size_t i = 0; i < ruleset_risk_count(api->rules); i++) {
        const struct risk *risk = ruleset_risk(api->rules, i);
        rowjson_put(out, i ? ",{\"id\":" : "{\"id\":");
        rowjson_string(out, risk->id);
        rowjson_put(out, ",\"zh\":");
        rowjson_string(out, risk->name_zh);
        rowjson_put(out, ",\"en\":");
        rowjson_string(out, risk->name_en);
        rowjson_put(out, "}");
    }
    rowjson_put(out, "]");
}

static int get_status(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    struct asked s = {.api = api, .lines = BUF_INIT(LINES_MAX), .state = BUF_INIT(LINES_MAX)};
    int r = api_on_loop(api, ask, &s);
    if (r == 0)
        r = s.result;
    if (r == 0) {
        rowjson_put(&a->body, "{\"ready\":%s,\"reason\":", s.reason.len ? "false" : "true");
        rowjson_string(&a->body, s.reason);
        put_weakenings(buf_span(&s.lines), &a->body);
        put_log(api, &a->body);
        if (s.state.len)
            rowjson_put(&a->body, ",%.*s", SPAN_ARG(buf_span(&s.state)));
        put_names(api, &a->body);
        rowjson_put(&a->body, "}");
        r = a->body.max ? 0 : -ENOMEM;
    }
    buf_deinit(&s.lines);
    buf_deinit(&s.state);
    return r;
}

static int post_verify(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    struct verifier_report v;
    verifier_get(api->verifier, &v);
    if (v.state != VERIFIER_RUNNING) {
        int r = api_record(api, q, SPAN_LIT("verify"), SPAN_NULL);
        if (r < 0)
            return api_error(a, 503, "not_recorded", "It can't be recorded, so it is not begun.");
        r = verifier_begin(api->verifier, api->log_dir);
        if (r < 0)
            return r;
        verifier_get(api->verifier, &v);
    }
    put_verify(&v, &a->body);
    return a->body.max ? 0 : -ENOMEM;
}

const struct api_route api_status_routes[] = {
    {"GET", "/api/status", MAY_SEE, get_status},
    {"POST", "/api/log/verify", MAY_SEE, post_verify},
    {NULL},
};
