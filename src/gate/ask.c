/*
 * The request: judged whole, then refused, answered, or handed to the upstream.
 */
#include "gate/exchange.h"

#include "base/clock.h"
#include "gate/admit.h"
#include "gate/label.h"
#include "gate/original.h"
#include "gate/sample.h"
#include "gate/shadow.h"
#include "gate/strike.h"

#include <errno.h>
#include <stdlib.h>

/* Bytes of an upstream's answer that wait for us before the transfer pauses. */
#define ASK_BUFFER 65536

bool exchange_allows(const struct config_app *app, struct span model)
{
    for (size_t i = 0; i < app->model_count; i++)
        if (span_eq(app->models[i], model))
            return true;
    return app->model_count == 0;
}

static void send_refusal(struct exchange *x)
{
    if (record_failed(x)) {
        exchange_fail(x, CAUSE_AUDIT_UNAVAILABLE, OUTCOME_INTERNAL);
        return;
    }
    x->state = EXCHANGE_ENDING;
    if (reply_refusal(x, x->prompt) < 0)
        http_request_abort(x->client);
}

/* The end user may not ask now, whatever the prompt says. */
static void turn_away(struct exchange *x, enum cause cause)
{
    strike_refuse(x, cause);
    exchange_await(x, send_refusal);
}

void ask_refuse(struct exchange *x)
{
    exchange_drop_fetch(x);
    record_notes(x)->status =
        x->who.app->policy.refusal == REFUSAL_ERROR && x->prompt->action != ACTION_ANSWER
            ? cause_status(CAUSE_CONTENT_FILTER)
            : 200;
    struct span reason = x->prompt->history.only_old ? SPAN_LIT(AUDIT_OLD_OFFENCE)
                                                     : span_str(cause_code(CAUSE_CONTENT_FILTER));
    enum cause cause = strike_act(x, reason);
    if (cause != CAUSE_CONTENT_FILTER) {
        turn_away(x, cause);
        return;
    }
    record_close(x, OUTCOME_REFUSED, reason);
    exchange_await(x, send_refusal);
}

/* The upstream speaks: bits only, the step looks. */
static void fetch_event(void *ctx, unsigned events)
{
    struct exchange *x = ctx;
    x->fetch_events |= events;
    exchange_post(x);
}

/* The client's own provider key, in whichever header it came. With auth: keys none goes on. */
static size_t pass_credentials(const struct exchange *x, struct http_header *h)
{
    static const char *const names[] = {"Authorization", "x-api-key", "api-key", "x-goog-api-key"};
    size_t n = 0;
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        struct span value = http_request_header(x->client, names[i]);
        if (value.len)
            h[n++] = (struct http_header){span_str(names[i]), value};
    }
    return n;
}

static int compose_headers(struct exchange *x, struct http_header *h, size_t max, size_t *ret_count)
{
    const struct config_upstream *u = x->upstream;
    const struct gate_stand_in *stand_in = x->gate->options.stand_in;
    size_t n = 0;
    h[n++] = (struct http_header){SPAN_LIT("Content-Type"), SPAN_LIT("application/json")};
    h[n++] =
        (struct http_header){SPAN_LIT("Accept"), x->asked.stream ? SPAN_LIT("text/event-stream")
                                                                 : SPAN_LIT("application/json")};
    h[n++] = (struct http_header){SPAN_LIT("Accept-Encoding"), SPAN_LIT("identity")};
    h[n++] = (struct http_header){SPAN_LIT("User-Agent"), SPAN_LIT("juyong/" JUYONG_VERSION)};
    h[n++] = (struct http_header){SPAN_LIT("x-request-id"), record_request_id(x)};
    if (stand_in) { /* nothing of the provider's concerns it */
        h[n++] = (struct http_header){SPAN_LIT(GATE_PROBE_HEADER), stand_in->token};
        *ret_count = n;
        return 0;
    }
    n += trace_headers(x, h + n);
    if (u->api_key.len) {
        struct span key = arena_printf(&x->arena, "Bearer %.*s", SPAN_ARG(u->api_key));
        if (!key.data)
            return -ENOMEM;
        h[n++] = (struct http_header){SPAN_LIT("Authorization"), key};
    } else if (exchange_config(x)->auth == AUTH_PASSTHROUGH && x->who.key_id.len == 0) {
        n += pass_credentials(x, h + n);
    }
    for (size_t i = 0; i < u->header_count; i++) {
        if (n == max)
            return -E2BIG;
        h[n++] = (struct http_header){u->headers[i].name, u->headers[i].value};
    }
    *ret_count = n;
    return 0;
}

static int start_fetch(struct exchange *x)
{
    struct http_header headers[64];
    size_t count;
    struct buf url = BUF_INIT(4096);
    int r = compose_headers(x, headers, 64, &count);
    if (r == 0)
        r = buf_append(&url, x->gate->options.stand_in ? x->gate->options.stand_in->url
                                                       : x->upstream->base_url);
    if (r == 0)
        r = buf_append(&url, span_str(x->dialect->upstream_path));
    if (r == 0) {
        struct http_fetch_options o = {
            .method = SPAN_LIT("POST"),
            .url = buf_span(&url),
            .headers = headers,
            .header_count = count,
            .body = x->body.len ? buf_span(&x->body) : http_request_body(x->client),
            .connect_ms = x->upstream->connect_ms,
            .buffer_max = ASK_BUFFER,
            .event = fetch_event,
            .ctx = x,
        };
        r = http_fetch_start(x->gate->client, &o, &x->fetch);
    }
    buf_deinit(&url);
    return r;
}

static void ask(struct exchange *x)
{
    int recorded = strike_open(x);
    if (label_begin(x) < 0) {
        exchange_fail(x, CAUSE_OVERLOADED, OUTCOME_INTERNAL);
        return;
    }
    if (!exchange_shadows(x) && (record_failed(x) || recorded < 0)) {
        exchange_fail(x, CAUSE_AUDIT_UNAVAILABLE, OUTCOME_INTERNAL);
        return;
    }
    if (x->prompt) {
        sample_prompt(x);
        judge_close(x->prompt);
    }
    int r = opinion_begin(x);
    if (r != 0) {
        x->state = EXCHANGE_ASKING;
        if (r < 0)
            exchange_fail(x, CAUSE_OVERLOADED, OUTCOME_INTERNAL);
        else
            opinion_step(x);
        return;
    }
    record_notes(x)->asked_us = clock_mono_us();
    x->state = EXCHANGE_ASKING;
    r = start_fetch(x);
    if (r < 0)
        exchange_fail(x, CAUSE_INTERNAL, OUTCOME_INTERNAL);
    else
        exchange_deadline(x, x->upstream->first_byte_ms);
}

/* A second walk for the places of what was found. */
static int revisit(struct exchange *x, struct span body, struct judge_walk *w)
{
    struct dialect_request again;
    struct dialect_error error;
    struct arena scratch;
    arena_init(&scratch, 64u << 20);
    int r =
        x->dialect->read_request(x->gate->walk, body, &scratch, &again, &error, judge_revisit, w);
    arena_deinit(&scratch);
    return r;
}

/* What is forwarded in the body's place: with its masks, and with notices for old offences. */
static int rewrite(struct exchange *x, struct span body)
{
    struct judge *j = x->prompt;
    struct judge_walk w = {.judge = j, .body = body};
    bool strip = exchange_config(x)->end_users.remove && x->asked.end_user.len;
    w.max = (j->masked ? judge_splices(j) : 0) + history_splices(&j->history) +
            (strip ? DIALECT_IDENTITY_MAX : 0);
    if (w.max == 0)
        return 0;
    w.splices = calloc(w.max, sizeof(*w.splices));
    if (!w.splices)
        return -ENOMEM;
    int r = j->masked ? revisit(x, body, &w) : 0;
    if (r == 0)
        r = history_rewrite(x, body, w.splices, w.max, &w.count);
    if (r == 0 && strip)
        r = x->dialect->strip_identity(x->gate->walk, body, w.splices, w.max, &w.count);
    if (r == 0) {
        splice_sort(w.splices, w.count);
        w.count = splice_outermost(w.splices, w.count);
        x->body.max = admit_body_max(exchange_config(x), x->who.app) * 2;
        r = splice_apply(body, w.splices, w.count, &x->body);
    }
    free(w.splices);
    return r;
}

/* The causes, other than content, for which a well-formed request is refused. */
static enum cause check(struct exchange *x, struct span *ret_path)
{
    const struct config *c = exchange_config(x);
    x->model = config_find_model(c, x->asked.model, &x->upstream);
    if (!x->model || !exchange_allows(x->who.app, x->asked.model)) {
        *ret_path = SPAN_LIT("model");
        return CAUSE_MODEL_NOT_ALLOWED;
    }
    if (x->asked.choices > c->limits.choices) {
        *ret_path = SPAN_LIT("n");
        return CAUSE_BAD_REQUEST;
    }
    if (x->asked.media && !purpose_allows_media(x) && !exchange_shadows(x)) {
        *ret_path = x->asked.media_path;
        return CAUSE_MEDIA_DENIED;
    }
    record_notes(x)->unjudged_media = x->asked.media;
    return CAUSE_NONE;
}

void ask_reject(struct exchange *x, enum cause cause, struct span code, struct span path)
{
    record_notes(x)->status = cause_status(cause);
    if (code.len == 0)
        code = span_str(cause_code(cause));
    if (x->dialect) { /* of the list of models nothing is on record */
        record_subject(x);
        record_rejection(x, code);
        record_close(x, OUTCOME_REJECTED, code);
    }
    x->state = EXCHANGE_ENDING;
    /* Nothing of the request was used: the answer need not wait for its record. */
    if (reply_error(x, cause, code, path) < 0)
        http_request_abort(x->client);
}

/* It could not be judged, or not be forwarded as it was judged. */
static void give_up(struct exchange *x, int error)
{
    record_rejection(x, span_str(cause_code(CAUSE_JUDGE_FAILED)));
    exchange_fail(x, error == -ENOMEM || error == -EMSGSIZE ? CAUSE_OVERLOADED : CAUSE_JUDGE_FAILED,
                  OUTCOME_REJECTED);
}

/* Of a request that is judged beside, at first only where it goes. A text_item_fn. */
static int skip_item(void *ctx, const struct text_item *item)
{
    return 0;
}

/* Reads the body, judged unless in shadow mode. Positive: refused already; negative: no memory. */
static int read_body(struct exchange *x, struct span body)
{
    struct dialect_error error = {0};
    bool judged = x->prompt != NULL;
    int r = x->dialect->read_request(x->gate->walk, body, &x->arena, &x->asked, &error,
                                     judged ? judge_item : skip_item, x->prompt);
    if (r == 0 && judged)
        r = judge_finish(x->prompt, -1);
    if (r == 0 && judged && x->prompt->finding_count)
        r = revisit(x, body, &(struct judge_walk){.judge = x->prompt, .body = body});
    if (r >= 0 || (error.json == JSON_OK && !error.code))
        return r;
    enum cause cause = error.json != JSON_OK                                    ? CAUSE_BAD_JSON
                       : span_eq(span_str(error.code), SPAN_LIT("unjudgeable")) ? CAUSE_UNJUDGEABLE
                                                                                : CAUSE_BAD_REQUEST;
    ask_reject(x, cause, span_str(error.json != JSON_OK ? json_error_code(error.json) : error.code),
               error.path);
    return 1;
}

void ask_begin(struct exchange *x)
{
    struct span body = http_request_body(x->client);
    bool shadow = exchange_shadows(x);
    purpose_keep(x, DIRECTION_PROMPT, body);
    sample_begin(x);
    if (!admit_peek(x))
        return;
    uint64_t before = clock_mono_us();
    if (!shadow)
        x->prompt = judge_new(&x->arena, snapshot_rules(x->snapshot),
                              snapshot_policy(x->snapshot, x->who.app), exchange_observes(x),
                              DIRECTION_PROMPT, true, false);
    if (x->prompt) {
        x->prompt->labels = exchange_config(x);
        original_begin(x, x->prompt);
    }
    if (!x->prompt && !shadow) {
        exchange_fail(x, CAUSE_OVERLOADED, OUTCOME_INTERNAL);
        return;
    }
    int r = read_body(x, body);
    if (x->prompt)
        x->prompt->judge_us += clock_mono_us() - before;
    if (r > 0)
        return;
    if (r < 0) {
        record_subject(x);
        give_up(x, r);
        return;
    }
    struct span path = SPAN_NULL;
    enum cause cause = check(x, &path);
    if (cause != CAUSE_NONE) {
        ask_reject(x, cause, SPAN_NULL, path);
        return;
    }
    r = record_subject(x);
    if (r < 0) {
        give_up(x, r);
        return;
    }
    if (shadow) {
        if (!admit_acquire(x))
            return;
        ask(x);
        if (x->state == EXCHANGE_ASKING)
            shadow_judge_request(x);
        return;
    }
    r = opinion_recall(x, body);
    if (r < 0) {
        give_up(x, r);
        return;
    }
    history_settle(x, body);
    r = opinion_omit(x, body);
    if (r < 0) {
        give_up(x, r);
        return;
    }
    cause = strike_hold(x);
    if (cause != CAUSE_NONE) {
        turn_away(x, cause);
        return;
    }
    if (!admit_acquire(x))
        return;
    if (x->prompt->refused) {
        ask_refuse(x);
        return;
    }
    r = rewrite(x, body);
    if (r < 0) {
        give_up(x, r);
        return;
    }
    /* A change must be on record before the altered request leaves; a flag need not be waited for.
     */
    bool changed = x->body.len > 0;
    record_act(x, x->prompt,
               x->prompt->history.off_count ? SPAN_LIT(AUDIT_OLD_OFFENCE) : SPAN_NULL);
    if (x->prompt->history.off_count)
        metrics_add(x->purpose.metrics, METRIC_HISTORY, 1);
    if (changed)
        exchange_await(x, ask);
    else
        ask(x);
}
