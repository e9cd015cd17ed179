#include "gate/admit.h"

#include "base/clock.h"

#include <errno.h>

#define POLICY_HEADER "x-juyong-policy"
/* Bytes of text to a token where nobody counts: close for Chinese and for English alike. */
#define TOKEN_BYTES 4
/* SDKs wait as they are told up to a minute; for longer they make up a shorter time of their own.
 */
#define WAIT_OBEYED_MS 60000

struct allowance {
    struct limit_app *app;
    struct limit_hold hold;
    struct limit_verdict verdict;
    char text[192]; /* of headers' values: eight, each of at most 20 digits and three letters */
};

static struct access_credentials credentials_of(const struct http_request *r)
{
    return (struct access_credentials){
        .authorization = http_request_header(r, "Authorization"),
        .x_api_key = http_request_header(r, "x-api-key"),
        .api_key = http_request_header(r, "api-key"),
        .x_goog_api_key = http_request_header(r, "x-goog-api-key"),
    };
}

/* As the request asks for; admit_check() refuses what is no such word. */
static void be_strict(const struct config *c, const struct http_request *r,
                      struct access_identity *who)
{
    if (http_request_header(r, POLICY_HEADER).len)
        who->app = config_strict(c, who->app);
}

bool admit_identify_key(struct gate *g, struct http_request *r,
                        struct access_identity *ret_identity)
{
    const struct config *c = snapshot_config(g->snapshot);
    struct access_credentials credentials = credentials_of(r);
    if (!access_identify_key(snapshot_access(g->snapshot), g->hasher, c, &credentials,
                             clock_wall_us(), ret_identity))
        return false;
    be_strict(c, r, ret_identity);
    return true;
}

bool admit_identify(struct gate *g, struct http_request *r, struct access_identity *ret_identity)
{
    const struct config *c = snapshot_config(g->snapshot);
    struct access_credentials credentials = credentials_of(r);
    if (!access_identify(snapshot_access(g->snapshot), g->hasher, c, &credentials, clock_wall_us(),
                         ret_identity))
        return false;
    be_strict(c, r, ret_identity);
    return true;
}

/* What the header says other than strict would be ignored, by a client that relies on it. */
static bool is_policy_known(const struct exchange *x)
{
    struct span asked = http_request_header(x->client, POLICY_HEADER);
    return asked.len == 0 || span_eq_nocase(span_trim(asked), SPAN_LIT("strict"));
}

enum cause admit_check(struct exchange *x, struct span *ret_path)
{
    uint16_t port;
    struct span peer = http_request_peer(x->client, &port);
    struct span client = http_request_header(x->client, "X-Juyong-Client-IP");
    if (!exchange_probes(x) && !x->purpose.uncounted &&
        !access_admits(exchange_config(x), x->who.app, peer, client))
        return CAUSE_ADDRESS;
    if (!is_policy_known(x)) {
        *ret_path = SPAN_LIT(POLICY_HEADER);
        return CAUSE_BAD_REQUEST;
    }
    return CAUSE_NONE;
}

size_t admit_body_max(const struct config *c, const struct config_app *app)
{
    return app->limits.body_bytes ? app->limits.body_bytes : c->limits.body_bytes;
}

/* --- limits --- */

static bool is_limited(const struct config_app_limits *l)
{
    return config_has_rates(&l->app) || config_has_rates(&l->key) || config_has_rates(&l->end_user);
}

int admit_new(struct exchange *x)
{
    const struct config *c = exchange_config(x);
    struct limit_app *app = x->gate->limit_apps[config_app_index(c, x->who.app)];
    if (!app || !x->dialect || x->purpose.uncounted || !is_limited(&x->who.app->limits))
        return 0;
    x->allowance = arena_alloc(&x->arena, sizeof(*x->allowance));
    if (!x->allowance)
        return -ENOMEM;
    *x->allowance = (struct allowance){.app = app};
    return 0;
}

static struct limit_time now(const struct exchange *x)
{
    return (struct limit_time){loop_now_ms(x->gate->loop), clock_wall_s()};
}

static size_t tokens_of(uint64_t bytes)
{
    return (size_t)((bytes + TOKEN_BYTES - 1) / TOKEN_BYTES);
}

static size_t prompt_estimate(const struct exchange *x)
{
    return tokens_of(x->prompt ? judge_bytes(x->prompt) : http_request_body(x->client).len);
}

/* Answers that it is too much. */
static void refuse(struct exchange *x)
{
    static const char *const scopes[LIMIT_SCOPES] = {"app", "key", "end_user"};
    const struct limit_verdict *v = &x->allowance->verdict;
    enum cause cause = v->kind == LIMIT_MEMORY ? CAUSE_OVERLOADED : CAUSE_RATE_LIMIT;
    struct span scope = span_str(scopes[v->scope]);
    metrics_add(x->purpose.metrics, METRIC_REJECTED_LIMIT, 1);
    if (v->first) {
        ask_reject(x, cause, SPAN_NULL, scope);
        return;
    }
    x->state = EXCHANGE_ENDING;
    if (reply_error(x, cause, SPAN_NULL, scope) < 0)
        http_request_abort(x->client);
}

static bool ask_limiter(struct exchange *x, const struct limit_ask *ask, struct limit_hold *hold)
{
    if (limiter_acquire(x->allowance->app, ask, hold, &x->allowance->verdict))
        return true;
    refuse(x);
    return false;
}

bool admit_peek(struct exchange *x)
{
    if (!x->allowance)
        return true;
    struct config_app_limits known = x->who.app->limits;
    known.end_user = (struct config_rates){0}; /* the body may name him */
    struct limit_ask ask = {.limits = &known, .key = x->who.key_line, .now = now(x)};
    return ask_limiter(x, &ask, NULL);
}

bool admit_acquire(struct exchange *x)
{
    if (!x->allowance)
        return true;
    struct limit_ask ask = {.limits = &x->who.app->limits,
                            .key = x->who.key_line,
                            .end_user = record_end_user(x),
                            .tokens = prompt_estimate(x),
                            .now = now(x)};
    return ask_limiter(x, &ask, &x->allowance->hold);
}

/* As the upstream counted, or as the texts are long; nothing where it did nothing. */
static size_t tokens_taken(struct exchange *x)
{
    const struct record_notes *n = record_notes(x);
    if (n->tokens.known)
        return (size_t)(n->tokens.prompt + n->tokens.completion);
    if (!n->asked_us || n->upstream_status >= 400)
        return 0;
    return prompt_estimate(x) + tokens_of(x->completion ? judge_bytes(x->completion) : 0);
}

void admit_release(struct exchange *x)
{
    if (x->allowance && x->allowance->hold.app)
        limiter_release(&x->allowance->hold, tokens_taken(x), now(x));
}

/* Headers that are being written, as long as there is room. */
struct writer {
    struct http_header *h;
    size_t max, count;
    char *text, *end; /* where values may go: every answer carries some, so no printf */
};

static void put_digits(struct writer *w, uint64_t value)
{
    char digits[20];
    size_t at = sizeof(digits);
    do
        digits[--at] = (char)('0' + value % 10);
    while (value /= 10);
    for (; at < sizeof(digits) && w->text < w->end; at++)
        *w->text++ = digits[at];
}

static void put_unit(struct writer *w, uint64_t value, const char *unit)
{
    put_digits(w, value);
    while (*unit && w->text < w->end)
        *w->text++ = *unit++;
}

static void put(struct writer *w, const char *name, const char *value, const char *end)
{
    if (w->count < w->max)
        w->h[w->count++] =
            (struct http_header){span_str(name), span_from(value, (size_t)(end - value))};
}

static void put_number(struct writer *w, const char *name, uint64_t value)
{
    const char *begin = w->text;
    put_digits(w, value);
    put(w, name, begin, w->text);
}

/* As OpenAI writes it: 1ms, 12s, 6m0s, 13h5m0s. */
static void put_duration(struct writer *w, const char *name, uint64_t ms)
{
    const char *begin = w->text;
    uint64_t s = (ms + 999) / 1000;
    if (ms < 1000) {
        put_unit(w, ms, "ms");
    } else {
        if (s >= 3600)
            put_unit(w, s / 3600, "h");
        if (s >= 60)
            put_unit(w, s / 60 % 60, "m");
        put_unit(w, s % 60, "s");
    }
    put(w, name, begin, w->text);
}

size_t admit_headers(struct exchange *x, struct http_header *h, size_t max)
{
    static const char no[] = "false";
    struct allowance *a = x->allowance;
    if (!a)
        return 0;
    struct writer w = {.h = h, .max = max, .text = a->text, .end = a->text + sizeof(a->text)};
    const struct limit_verdict *v = &a->verdict;
    if (v->requests.limit) {
        put_number(&w, "x-ratelimit-limit-requests", v->requests.limit);
        put_number(&w, "x-ratelimit-remaining-requests", v->requests.remaining);
        put_duration(&w, "x-ratelimit-reset-requests", v->requests.reset_ms);
    }
    if (v->tokens.limit) {
        put_number(&w, "x-ratelimit-limit-tokens", v->tokens.limit);
        put_number(&w, "x-ratelimit-remaining-tokens", v->tokens.remaining);
        put_duration(&w, "x-ratelimit-reset-tokens", v->tokens.reset_ms);
    }
    if (v->kind == LIMIT_NONE)
        return w.count;
    put_number(&w, "retry-after", (v->wait_ms + 999) / 1000);
    if (v->wait_ms <= WAIT_OBEYED_MS)
        put_number(&w, "retry-after-ms",
                   v->wait_ms < WAIT_OBEYED_MS ? v->wait_ms : WAIT_OBEYED_MS - 1);
    else
        put(&w, "x-should-retry", no, no + sizeof(no) - 1);
    return w.count;
}
