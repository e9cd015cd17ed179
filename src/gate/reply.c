#include "gate/exchange.h"

#include "base/clock.h"
#include "gate/admit.h"
#include "gate/label.h"
#include "gate/strike.h"

static struct http_header *put(struct http_header *h, const char *name, struct span value)
{
    *h = (struct http_header){span_str(name), value};
    return h + 1;
}

/* What every answer carries. */
static size_t common_headers(struct exchange *x, struct http_header *h, enum action action,
                             struct span type)
{
    struct http_header *first = h;
    h = put(h, "Content-Type", type);
    h = put(h, "x-request-id", record_request_id(x));
    h = put(h, "x-juyong-action", span_str(action_name(action)));
    h += label_headers(x, h);
    return (size_t)(h - first);
}

/* Numbers with units, such as 60, 1.5, 6m0s or 2026-11-24T10:00:00Z: nothing that could be a text.
 */
static bool is_quantity(struct span value)
{
    if (value.len == 0 || value.len > 40 || value.data[0] < '0' || value.data[0] > '9')
        return false;
    for (size_t i = 0; i < value.len; i++)
        if (!strchr("0123456789.:-+smhdTZ", value.data[i]) || !value.data[i])
            return false;
    return true;
}

/* Of the upstream's headers only those that tell clients when to come back. */
static bool is_wanted(const struct http_header *h)
{
    static const char *const names[] = {
        "retry-after",
        "retry-after-ms",
        "x-ratelimit-limit-requests",
        "x-ratelimit-limit-tokens",
        "x-ratelimit-remaining-requests",
        "x-ratelimit-remaining-tokens",
        "x-ratelimit-reset-requests",
        "x-ratelimit-reset-tokens",
    };
    if (span_eq(h->name, SPAN_LIT("x-should-retry")))
        return span_eq(h->value, SPAN_LIT("true")) || span_eq(h->value, SPAN_LIT("false"));
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (span_eq(h->name, span_str(names[i])))
            return is_quantity(h->value);
    return false;
}

/* Where our own limits are told, the upstream's would contradict them. */
static size_t limit_headers(struct exchange *x, struct http_header *h, size_t max)
{
    size_t own = admit_headers(x, h, max);
    uint64_t wait = strike_wait_s(x);
    if (wait && own < max) { /* nothing passed the limits: they say nothing of when */
        struct span text = arena_printf(&x->arena, "%llu", (unsigned long long)wait);
        if (text.data)
            h[own++] = (struct http_header){SPAN_LIT("retry-after"), text};
    }
    size_t n = own;
    struct http_header kept;
    for (size_t i = 0; x->fetch && n < max && http_fetch_header_at(x->fetch, i, &kept); i++) {
        bool told = false;
        for (size_t j = 0; j < own; j++)
            told = told || span_eq(h[j].name, kept.name);
        if (is_wanted(&kept) && !told)
            h[n++] = kept;
    }
    return n;
}

static int send_json(struct exchange *x, int status, enum action action, struct span body,
                     bool close)
{
    struct http_header headers[REPLY_HEADERS];
    size_t n = common_headers(x, headers, action, SPAN_LIT("application/json"));
    n += limit_headers(x, headers + n, REPLY_HEADERS - n);
    record_notes(x)->first_byte_us = clock_mono_us();
    return http_request_reply(x->client, status, headers, n, body, close || x->draining);
}

int reply_json(struct exchange *x, int status, enum action action, struct span body)
{
    return send_json(x, status, action, body, false);
}

int reply_stream(struct exchange *x, enum action action)
{
    struct http_header headers[REPLY_HEADERS];
    size_t n = common_headers(x, headers, action, SPAN_LIT("text/event-stream; charset=utf-8"));
    n = (size_t)(put(headers + n, "Cache-Control", SPAN_LIT("no-cache")) - headers);
    n = (size_t)(put(headers + n, "X-Accel-Buffering", SPAN_LIT("no")) - headers);
    n += limit_headers(x, headers + n, REPLY_HEADERS - n);
    record_notes(x)->status = 200;
    record_notes(x)->first_byte_us = clock_mono_us();
    return http_stream_start(x->client, 200, headers, n);
}

void reply_describe(struct exchange *x, const struct judge *j, struct dialect_refusal *ret)
{
    const struct config_policy *p = &x->who.app->policy;
    *ret = (struct dialect_refusal){
        .text = policy_text(p, CAUSE_CONTENT_FILTER),
        .request_id = record_request_id(x),
        .model = x->asked.model,
        .code = span_str(cause_code(CAUSE_CONTENT_FILTER)),
        .type = span_str(cause_type(CAUSE_CONTENT_FILTER)),
        .choices = x->asked.choices ? x->asked.choices : 1,
        .include_usage = x->asked.include_usage,
        .created = clock_wall_us() / 1000000,
    };
    /* Prose where a stream was to be JSON breaks SDKs before they see the finish reason. */
    if (x->asked.json_mode && x->asked.stream)
        ret->text = SPAN_NULL;
    if (!j || !j->refused)
        return;
    const struct finding *f = &j->findings[j->decisive];
    if (j->direction == DIRECTION_PROMPT)
        ret->param = f->record.path;
    if (j->action == ACTION_ANSWER) {
        struct span answer = ruleset_answer(j->rules, f->risk, p->language);
        if (answer.len) {
            ret->text = answer;
            ret->answer = true;
        }
    }
}

int reply_error(struct exchange *x, enum cause cause, struct span code, struct span path)
{
    struct dialect_refusal d = {
        .text = policy_text(&x->who.app->policy, cause),
        .request_id = record_request_id(x),
        .code = code.len ? code : span_str(cause_code(cause)),
        .type = span_str(cause_type(cause)),
        .param = path,
    };
    /* A failure of the upstream is not our decision. */
    enum action action =
        cause_status(cause) == 502 || cause_status(cause) == 504 ? record_action(x) : ACTION_BLOCK;
    struct buf body = BUF_INIT(16384);
    const struct dialect *dialect = x->dialect ? x->dialect : &dialect_openai_chat;
    int r = dialect->write_error(&d, &body);
    if (r == 0) {
        record_notes(x)->status = cause_status(cause);
        /* Where a body's end is in doubt, what follows it must not be taken for a request. */
        r = send_json(x, cause_status(cause), action, buf_span(&body),
                      cause == CAUSE_BAD_FRAMING || cause == CAUSE_TOO_LARGE);
    }
    buf_deinit(&body);
    return r;
}

static int send_refusal(struct exchange *x, const struct dialect_refusal *d, enum action action)
{
    struct buf body = BUF_INIT(1u << 20);
    int r;
    if (x->who.app->policy.refusal == REFUSAL_ERROR && !d->answer) {
        r = x->dialect->write_error(d, &body);
        if (r == 0)
            r = reply_json(x, cause_status(strike_cause(x)), action, buf_span(&body));
    } else if (x->asked.stream) {
        r = x->dialect->write_refusal_stream(d, &body);
        if (r == 0)
            r = reply_stream(x, action);
        if (r == 0)
            r = http_stream_write(x->client, buf_span(&body));
        if (r == 0)
            http_stream_end(x->client);
    } else {
        r = x->dialect->write_refusal(d, &body);
        if (r == 0)
            r = reply_json(x, 200, action, buf_span(&body));
    }
    buf_deinit(&body);
    return r;
}

int reply_refusal(struct exchange *x, const struct judge *j)
{
    struct dialect_refusal d;
    reply_describe(x, j, &d);
    if (j->direction == DIRECTION_PROMPT)
        strike_describe(x, &d);
    return send_refusal(x, &d, j->action);
}

int reply_provider_refusal(struct exchange *x)
{
    struct dialect_refusal d;
    reply_describe(x, NULL, &d);
    if (d.text.len)
        d.text = policy_text(&x->who.app->policy, CAUSE_PROVIDER_REFUSED);
    return send_refusal(x, &d, record_action(x));
}

int reply_provider_status(const struct exchange *x)
{
    return x->who.app->policy.refusal == REFUSAL_ERROR ? cause_status(CAUSE_PROVIDER_REFUSED) : 200;
}

int reply_models(struct exchange *x)
{
    const struct config *c = exchange_config(x);
    struct buf body = BUF_INIT(1u << 20);
    int r = buf_append(&body, SPAN_LIT("{\"object\":\"list\",\"data\":["));
    bool first = true;
    for (size_t u = 0; r == 0 && u < c->upstream_count; u++)
        for (size_t m = 0; r == 0 && m < c->upstreams[u].model_count; m++) {
            const struct config_model *model = &c->upstreams[u].models[m];
            if (!exchange_allows(x->who.app, model->id))
                continue;
            r = buf_append(&body, first ? SPAN_LIT("{\"id\":\"") : SPAN_LIT(",{\"id\":\""));
            if (r == 0)
                r = json_escape(&body, model->id);
            if (r == 0)
                r = buf_append(&body,
                               SPAN_LIT("\",\"object\":\"model\",\"created\":0,\"owned_by\":\""));
            if (r == 0)
                r = json_escape(&body, c->upstreams[u].name);
            if (r == 0)
                r = buf_append(&body, SPAN_LIT("\"}"));
            first = false;
        }
    if (r == 0)
        r = buf_append(&body, SPAN_LIT("]}"));
    if (r == 0)
        r = reply_json(x, 200, ACTION_ALLOW, buf_span(&body));
    buf_deinit(&body);
    return r;
}

void reply_rejection(struct gate *g, struct http_request *r, enum cause cause, struct span detail)
{
    char text[GATE_ID_SIZE];
    struct span id = gate_request_id(g, text);
    struct dialect_refusal d = {
        .text = cause_text(cause, LANGUAGE_BOTH),
        .request_id = id,
        .code = span_str(cause_code(cause)),
        .type = span_str(cause_type(cause)),
        .param = detail,
    };
    struct buf body = BUF_INIT(16384);
    struct http_header headers[] = {
        {SPAN_LIT("Content-Type"), SPAN_LIT("application/json")},
        {SPAN_LIT("x-request-id"), id},
        {SPAN_LIT("x-juyong-action"), SPAN_LIT("block")},
        {SPAN_LIT("Retry-After"), SPAN_LIT("1")},
    };
    size_t count = cause_status(cause) == 503 ? 4 : 3;
    /* Out of memory leaves the request without an answer; the server then ends the connection. */
    if (dialect_openai_chat.write_error(&d, &body) == 0)
        http_request_reply(r, cause_status(cause), headers, count, buf_span(&body), true);
    buf_deinit(&body);
}
