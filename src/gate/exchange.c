#include "gate/exchange.h"

#include "base/clock.h"
#include "base/log.h"
#include "gate/admit.h"
#include "gate/sample.h"
#include "gate/shadow.h"

#include <errno.h>
#include <stdlib.h>

/* An exchange's small things: names, findings, headers. */
#define EXCHANGE_ARENA ((size_t)4 << 20)

const char *exchange_state_name(enum exchange_state s)
{
    static const char *const names[EXCHANGE_STATES] = {
        "reading", "recording", "asking", "gathering", "relaying", "weighing", "ending"};
    return names[s];
}

static void expired(struct loop_timer *t)
{
    struct exchange *x = list_entry(t, struct exchange, deadline);
    x->timed_out = true;
    exchange_post(x);
}

struct exchange *exchange_new(struct gate *g, struct http_request *r, const struct purpose *p)
{
    struct exchange *x = calloc(1, sizeof(*x));
    if (!x)
        return NULL;
    x->gate = g;
    x->client = r;
    x->purpose = *p;
    arena_init(&x->arena, EXCHANGE_ARENA);
    list_init(&x->link);
    loop_task_init(&x->task, exchange_step);
    loop_timer_init(g->loop, &x->deadline, expired);
    x->snapshot = snapshot_ref(g->snapshot);
    if (record_new(x) < 0 || gate_add(g, x) < 0) {
        snapshot_unref(x->snapshot);
        arena_deinit(&x->arena);
        free(x);
        return NULL;
    }
    return x;
}

void exchange_free(struct exchange *x)
{
    exchange_drop_fetch(x);
    admit_release(x);
    gate_remove(x->gate, x);
    loop_task_cancel(&x->task);
    loop_timer_cancel(&x->deadline);
    opinion_free(x->opinions);
    relay_free(x->relay);
    judge_free(x->prompt);
    judge_free(x->completion);
    record_free(x->record);
    kept_free(x->kept);
    sample_free(x->sample);
    buf_deinit(&x->body);
    buf_deinit(&x->answer);
    snapshot_unref(x->snapshot);
    arena_deinit(&x->arena);
    free(x);
}

void exchange_post(struct exchange *x)
{
    loop_task_post(x->gate->loop, &x->task);
}

void exchange_deadline(struct exchange *x, unsigned ms)
{
    x->timed_out = false;
    if (loop_timer_set(&x->deadline, loop_now_ms(x->gate->loop) + ms) < 0)
        expired(&x->deadline);
}

void exchange_drop_fetch(struct exchange *x)
{
    if (!x->fetch)
        return;
    http_fetch_free(x->fetch);
    x->fetch = NULL;
    x->fetch_events = 0;
}

void exchange_await(struct exchange *x, void (*fn)(struct exchange *x))
{
    if (record_waiting(x) == 0) {
        fn(x);
        return;
    }
    x->state = EXCHANGE_RECORDING;
    x->after = fn;
    exchange_deadline(x, EXCHANGE_RECORD_MS);
}

static void send_failure(struct exchange *x, enum cause cause)
{
    x->state = EXCHANGE_ENDING;
    loop_timer_cancel(&x->deadline);
    int r = cause == CAUSE_PROVIDER_REFUSED ? reply_provider_refusal(x)
                                            : reply_error(x, cause, SPAN_NULL, SPAN_NULL);
    if (r < 0)
        http_request_abort(x->client);
    exchange_drop_fetch(x);
}

void exchange_fail(struct exchange *x, enum cause cause, enum outcome outcome)
{
    int upstream = record_notes(x)->upstream_status;
    record_notes(x)->status =
        cause == CAUSE_PROVIDER_REFUSED ? reply_provider_status(x) : cause_status(cause);
    if (cause != CAUSE_AUDIT_UNAVAILABLE)
        record_close(x, outcome, span_str(cause_code(cause)));
    if (upstream >= 400)
        log_debug("upstream %.*s answered %d", SPAN_ARG(x->upstream->name), upstream);
    /* An error shows nothing of the model's: it need not wait for its record. */
    send_failure(x, cause);
}

/* The client left: stop paying for an answer nobody reads, and say so in the record. */
static void abandon(struct exchange *x)
{
    exchange_drop_fetch(x);
    loop_timer_cancel(&x->deadline);
    if (x->state > EXCHANGE_READING || x->prompt) {
        if (x->completion)
            record_act(x, x->completion, SPAN_NULL);
        record_close(x, OUTCOME_CLIENT_GONE, SPAN_LIT("client_gone"));
    }
    x->state = EXCHANGE_ENDING;
    http_request_abort(x->client);
}

static void begin_gathering(struct exchange *x)
{
    buf_init(&x->answer, exchange_config(x)->limits.answer_bytes);
    x->state = EXCHANGE_GATHERING;
    exchange_deadline(x, x->upstream->total_ms);
}

/* The answer's head is here: what kind of answer is it, and can it be judged? */
static void answer_begins(struct exchange *x)
{
    struct record_notes *n = record_notes(x);
    n->upstream_status = http_fetch_status(x->fetch);
    n->upstream_request_id = arena_copy(&x->arena, http_fetch_header(x->fetch, "x-request-id"));
    if (n->upstream_request_id.len == 0)
        n->upstream_request_id = arena_copy(&x->arena, http_fetch_header(x->fetch, "request-id"));
    struct span type = http_fetch_header(x->fetch, "content-type");
    struct span encoding = http_fetch_header(x->fetch, "content-encoding");
    bool ok = n->upstream_status == 200;
    if (http_fetch_malformed(x->fetch) ||
        (!ok && (n->upstream_status < 400 || n->upstream_status > 599)))
        exchange_fail(x, CAUSE_UPSTREAM_PROTOCOL, OUTCOME_UPSTREAM);
    else if (encoding.len && !span_eq_nocase(encoding, SPAN_LIT("identity")))
        exchange_fail(x, CAUSE_UPSTREAM_ENCODING, OUTCOME_UPSTREAM);
    else if (!ok || !x->asked.stream) {
        if (ok && !gate_is_type(type, SPAN_LIT("application/json"))) {
            exchange_fail(x, CAUSE_UPSTREAM_TYPE, OUTCOME_UPSTREAM);
            return;
        }
        begin_gathering(x);
    } else if (gate_is_type(type, SPAN_LIT("application/json")) && !exchange_shadows(x)) {
        begin_gathering(x); /* a failure under the wrong status, or nothing of use */
    } else if (!gate_is_type(type, SPAN_LIT("text/event-stream"))) {
        exchange_fail(x, CAUSE_UPSTREAM_TYPE, OUTCOME_UPSTREAM);
    } else if (relay_new(x) < 0) {
        exchange_fail(x, CAUSE_OVERLOADED, OUTCOME_INTERNAL);
    } else {
        x->state = EXCHANGE_RELAYING;
    }
}

static void asking(struct exchange *x, unsigned events)
{
    if (events & HTTP_FETCH_HEAD) {
        if (http_fetch_sent(x->fetch)) {
            http_request_drop_body(x->client);
            buf_deinit(&x->body);
        }
        answer_begins(x);
        return;
    }
    if (!(events & HTTP_FETCH_END))
        return;
    switch (http_fetch_result(x->fetch)) {
    case HTTP_FETCH_OK: /* a head without a body */
        answer_begins(x);
        break;
    case HTTP_FETCH_TIMEOUT:
        exchange_fail(x, CAUSE_UPSTREAM_TIMEOUT, OUTCOME_TIMEOUT);
        break;
    case HTTP_FETCH_PROTOCOL:
        exchange_fail(x, CAUSE_UPSTREAM_PROTOCOL, OUTCOME_UPSTREAM);
        break;
    default:
        exchange_fail(x, CAUSE_UPSTREAM_FAILED, OUTCOME_UPSTREAM);
    }
}

static void reading(struct exchange *x, unsigned events)
{
    bool too_large = events & HTTP_TOO_LARGE, trailers = events & HTTP_TRAILERS;
    if (!too_large && !(events & HTTP_BODY))
        return;
    struct span path = SPAN_NULL;
    enum cause refused = too_large  ? CAUSE_TOO_LARGE
                         : trailers ? CAUSE_BAD_FRAMING
                                    : admit_check(x, &path);
    if (!x->dialect) { /* the list of models: nothing to judge, nothing to record */
        if (refused != CAUSE_NONE) {
            ask_reject(x, refused, SPAN_NULL, path);
            return;
        }
        x->state = EXCHANGE_ENDING;
        if (reply_models(x) < 0)
            http_request_abort(x->client);
        return;
    }
    metrics_add(x->purpose.metrics, METRIC_REQUESTS, 1);
    if (refused != CAUSE_NONE)
        ask_reject(x, refused, SPAN_NULL, path);
    else
        ask_begin(x);
}

/* What a passed deadline means where no stream has begun. */
static void expire(struct exchange *x)
{
    if ((x->state == EXCHANGE_ASKING || x->state == EXCHANGE_GATHERING ||
         x->state == EXCHANGE_WEIGHING) &&
        x->gate->cutting)
        exchange_fail(x, CAUSE_DRAINING, OUTCOME_INTERNAL);
    else if (x->state == EXCHANGE_ASKING || x->state == EXCHANGE_GATHERING)
        exchange_fail(x, CAUSE_UPSTREAM_TIMEOUT, OUTCOME_TIMEOUT);
    else if (x->state == EXCHANGE_RECORDING)
        record_give_up(x); /* the step then goes on, and finds that it failed */
    else if (x->state == EXCHANGE_RELAYING)
        relay_expired(x);
}

static void step(struct exchange *x)
{
    unsigned client = x->client_events, fetch = x->fetch_events;
    x->client_events = x->fetch_events = 0;
    if (client & HTTP_GONE && x->state != EXCHANGE_ENDING) {
        abandon(x);
        return;
    }
    if (client & HTTP_GONE) {
        http_request_abort(x->client); /* an answer that nobody takes */
        return;
    }
    if (x->timed_out) {
        x->timed_out = false;
        expire(x);
        client &= ~(unsigned)HTTP_BODY;
    }
    if (opinion_step(x))
        return;
    enum exchange_state before;
    do {
        before = x->state;
        switch (x->state) {
        case EXCHANGE_READING:
            reading(x, client);
            break;
        case EXCHANGE_RECORDING:
            if (record_waiting(x) == 0) {
                void (*after)(struct exchange *) = x->after;
                x->after = NULL;
                after(x);
            }
            break;
        case EXCHANGE_ASKING:
            asking(x, fetch);
            break;
        case EXCHANGE_GATHERING:
            gather_step(x, fetch);
            break;
        case EXCHANGE_RELAYING:
            relay_step(x, fetch, client);
            break;
        case EXCHANGE_WEIGHING:
            if (!opinion_waits(x)) {
                void (*after)(struct exchange *) = x->after;
                x->after = NULL;
                after(x);
            }
            break;
        case EXCHANGE_ENDING:
        case EXCHANGE_STATES:
            break;
        }
        /* What came with the head is read in the same turn. */
    } while (x->state != before &&
             (x->state == EXCHANGE_GATHERING || x->state == EXCHANGE_RELAYING));
}

void exchange_step(struct loop_task *t)
{
    struct exchange *x = list_entry(t, struct exchange, task);
    log_set_request(record_request_id(x));
    if (x->client_events & HTTP_DONE) {
        x->client_events = 0;
        x->left = true;
        if (x->state != EXCHANGE_ENDING)
            abandon(x);
        admit_release(x);
    }
    if (x->left) {
        if (shadow_listen(x))
            return;
        http_request_release(x->client);
        exchange_free(x);
        log_set_request(SPAN_NULL);
        return;
    }
    step(x);
    /* Before the client can have the last byte: its next request must find room. */
    if (x->state == EXCHANGE_ENDING)
        admit_release(x);
    log_set_request(SPAN_NULL);
}
