/*
 * A streamed answer on its way through the hold: events are cut from the upstream's bytes, their
 * texts judged, and each event goes on verbatim as soon as every character in it, and every event
 * before it, is clear.
 */
#include "gate/relay.h"

#include "base/clock.h"
#include "gate/shadow.h"

#include <errno.h>
#include <stdlib.h>

#define RELAY_HIGH_WATER  262144 /* bytes the client has not taken: the upstream is paused */
#define RELAY_HEADERS_MS  10000  /* then the client gets its headers, come what may */
#define RELAY_LINGER_MS   2000
#define RELAY_CHOICES_MAX 32

int relay_new(struct exchange *x)
{
    const struct config *c = exchange_config(x);
    struct relay *r = calloc(1, sizeof(*r));
    if (!r)
        return -ENOMEM;
    x->relay = r;
    r->x = x;
    r->sse = sse_reader_new(c->limits.event_bytes);
    r->stream = x->dialect->stream_new();
    x->completion =
        judge_new(&x->arena, snapshot_rules(x->snapshot), snapshot_policy(x->snapshot, x->who.app),
                  exchange_observes(x), DIRECTION_COMPLETION, false, true);
    hold_init(&r->hold, c->limits.hold_bytes);
    r->out.max = c->limits.event_bytes * 2 + 64;
    unsigned n = x->asked.choices ? x->asked.choices : 1;
    r->expected = n >= RELAY_CHOICES_MAX ? UINT32_MAX : (1u << n) - 1;
    r->begin_ms = r->data_ms = r->write_ms = loop_now_ms(x->gate->loop);
    if (!r->sse || !r->stream || !x->completion)
        return -ENOMEM;
    metrics_add(x->gate->metrics, METRIC_STREAMS, 1);
    relay_expired(x); /* arms the first deadline */
    return 0;
}

void relay_free(struct relay *r)
{
    if (!r)
        return;
    struct exchange *x = r->x;
    if (r->sse && r->stream && x->completion)
        metrics_add(x->gate->metrics, METRIC_STREAMS, -1);
    hold_deinit(&r->hold);
    sse_reader_free(r->sse);
    if (r->stream)
        x->dialect->stream_free(r->stream);
    buf_deinit(&r->out);
    free(r->pieces);
    free(r);
}

/* --- endings --- */

/* From here on the stream waits for its record, and not for ever. */
static void wait_for_log(struct exchange *x)
{
    x->relay->log_ms = loop_now_ms(x->gate->loop);
    exchange_deadline(x, EXCHANGE_RECORD_MS);
}

static void await(struct exchange *x, void (*fn)(struct exchange *x))
{
    if (record_waiting(x) == 0) {
        fn(x);
        return;
    }
    x->relay->after = fn;
    wait_for_log(x);
}

static void finish_client(struct exchange *x)
{
    x->state = EXCHANGE_ENDING;
    loop_timer_cancel(&x->deadline);
    http_stream_end(x->client);
}

/* The record can't be made: the client must not see an end that was never written down. */
static bool unrecorded(struct exchange *x)
{
    if (!record_failed(x))
        return false;
    if (x->relay->started) {
        x->state = EXCHANGE_ENDING;
        http_request_abort(x->client);
    } else {
        exchange_fail(x, CAUSE_AUDIT_UNAVAILABLE, OUTCOME_INTERNAL);
    }
    exchange_drop_fetch(x);
    return true;
}

static void masks_are_recorded(struct exchange *x)
{
    for (struct channel *c = scanner_channels(x->completion->scanner); c; c = channel_next(c))
        channel_masks_recorded(c);
}

/*
 * Does the cut stand in a frame that is held? Not where an unknown string's first part has passed:
 * then nothing that came since may.
 */
static bool cut_is_held(const struct relay *r)
{
    list_for_each (e, &r->hold.frames) {
        const struct frame *f = list_entry(e, struct frame, link);
        if (!hold_clear(f->pieces, f->piece_count))
            return true;
    }
    return false;
}

static int send_until_cut(struct exchange *x)
{
    struct relay *r = x->relay;
    int rc = 0;
    if (!cut_is_held(r))
        return 0;
    for (struct frame *f; rc == 0 && (f = hold_first(&r->hold)); hold_drop(&r->hold)) {
        if (!hold_clear(f->pieces, f->piece_count)) {
            if (relay_can_cut(f))
                rc = relay_send_cut(x, f);
            break;
        }
        if (!(f->gates & HOLD_TOOL)) /* a tool call whose rest will never come is never begun */
            rc = relay_send_frame(x, f);
    }
    return rc;
}

/*
 * May our own events repeat the stream's id and model? Not when the hit stands outside the answer's
 * text: it may be in them.
 */
static bool names_are_clean(const struct exchange *x)
{
    for (struct channel *c = scanner_channels(x->completion->scanner); c; c = channel_next(c))
        if (c->field == FIELD_OTHER && c->cut != UINT64_MAX)
            return false;
    return true;
}

static void cut_recorded(struct exchange *x)
{
    struct relay *r = x->relay;
    if (unrecorded(x))
        return;
    masks_are_recorded(x);
    if (!r->started && !relay_has_text(r)) {
        x->state = EXCHANGE_ENDING;
        loop_timer_cancel(&x->deadline);
        if (reply_refusal(x, x->completion) < 0)
            http_request_abort(x->client);
        return;
    }
    struct dialect_refusal d;
    reply_describe(x, x->completion, &d);
    if (x->who.app->policy.refusal == REFUSAL_ERROR && !d.answer)
        d.text = SPAN_NULL;
    if (d.text.len) /* a paragraph of its own behind what was shown */
        d.text = arena_printf(&x->arena, "\n\n%.*s", SPAN_ARG(d.text));
    d.answer = false; /* part of the model's own answer was shown: it was cut, not replaced */
    int rc = send_until_cut(x);
    if (rc == 0)
        rc = x->dialect->write_cut(names_are_clean(x) ? r->stream : NULL, &d,
                                   r->expected & ~r->emitted, &r->out);
    if (rc == 0)
        rc = relay_send_out(x);
    if (rc < 0)
        http_request_abort(x->client);
    finish_client(x);
}

static void cut(struct exchange *x)
{
    struct relay *r = x->relay;
    exchange_drop_fetch(x);
    r->over = true;
    judge_finish(x->completion, -1);
    record_notes(x)->status = 200;
    record_notes(x)->upstream_end_us = clock_mono_us();
    record_act(x, x->completion, span_str(cause_code(CAUSE_CONTENT_FILTER)));
    record_close(x, OUTCOME_CUT, span_str(cause_code(CAUSE_CONTENT_FILTER)));
    await(x, cut_recorded);
}

/* The provider refused behind what was shown: the stream ends as one that we cut. */
static int write_provider_end(struct exchange *x, struct dialect_refusal *d)
{
    struct relay *r = x->relay;
    if (x->who.app->policy.refusal == REFUSAL_ERROR || (x->asked.json_mode && x->asked.stream))
        d->text = SPAN_NULL;
    if (d->text.len)
        d->text = arena_printf(&x->arena, "\n\n%.*s", SPAN_ARG(d->text));
    return x->dialect->write_cut(r->stream, d, r->expected & ~r->emitted, &r->out);
}

static void failure_recorded(struct exchange *x)
{
    struct relay *r = x->relay;
    if (unrecorded(x))
        return;
    masks_are_recorded(x);
    int rc = 0;
    for (struct frame *f; rc == 0 && (f = hold_first(&r->hold)) &&
                          hold_clear(f->pieces, f->piece_count) && !(f->gates & HOLD_TOOL);
         hold_drop(&r->hold))
        rc = relay_send_frame(x, f);
    struct dialect_refusal d;
    reply_describe(x, NULL, &d);
    d.text = policy_text(&x->who.app->policy, r->failure);
    d.code = span_str(cause_code(r->failure));
    d.type = span_str(cause_type(r->failure));
    /* An error event invites a retry, and the provider would refuse again. */
    if (rc == 0 && r->failure == CAUSE_PROVIDER_REFUSED)
        rc = write_provider_end(x, &d);
    else if (rc == 0)
        rc = x->dialect->write_stream_error(r->stream, &d, &r->out);
    if (rc == 0)
        rc = relay_send_out(x);
    if (rc < 0)
        http_request_abort(x->client);
    finish_client(x);
}

/* Every choice is finished, recorded and sent: the end mark, whether the upstream sent one or not.
 */
static void end_complete(struct exchange *x)
{
    if (relay_send_payload(x, SPAN_LIT("[DONE]")) < 0)
        http_request_abort(x->client);
    if (x->fetch) /* its own end may still be on the way: the connection is worth keeping */
        http_fetch_linger(x->fetch, RELAY_LINGER_MS);
    x->fetch = NULL;
    finish_client(x);
}

/* The stream can't be completed: what is clear goes out, then an error, never an end. */
static void fail(struct exchange *x, enum cause cause, enum outcome outcome)
{
    struct relay *r = x->relay;
    exchange_drop_fetch(x);
    r->over = true;
    if (r->after)
        return; /* already ending */
    if (r->sealed && list_empty(&r->hold.frames)) {
        /* complete, on record and sent: what came behind it does not matter */
        end_complete(x);
        return;
    }
    record_act(x, x->completion, SPAN_NULL);
    if (!r->started && !relay_has_text(r)) {
        exchange_fail(x, cause, outcome);
        return;
    }
    r->failure = cause;
    record_notes(x)->status = 200;
    record_close(x, outcome, span_str(cause_code(cause)));
    await(x, failure_recorded);
}

/* --- from the upstream --- */

static int see_item(void *ctx, const struct text_item *item)
{
    struct relay *r = ctx;
    struct piece p;
    if (r->terminal && item->field != FIELD_OTHER &&
        (item->choice >= RELAY_CHOICES_MAX || !(r->finished >> item->choice & 1)))
        return -EPROTO; /* a choice that begins when all are finished */
    int rc = judge_piece(r->x->completion, item, &p);
    if (rc < 0)
        return rc;
    if (rc > 0)
        r->decisive = true; /* the rest of the event is judged all the same */
    if (item->choice < RELAY_CHOICES_MAX)
        r->expected |= 1u << item->choice;
    if (item->field != FIELD_OTHER && item->choice < RELAY_CHOICES_MAX)
        r->seen |= 1u << item->choice;
    if (item->field == FIELD_ARGUMENTS ||
        (item->field == FIELD_OTHER &&
         (span_find(item->path, SPAN_LIT(".tool_calls[")) < item->path.len ||
          span_find(item->path, SPAN_LIT(".function_call")) < item->path.len)))
        r->tools |= item->choice < RELAY_CHOICES_MAX ? 1u << item->choice : 0;
    if (!p.channel)
        return 0;
    if (r->piece_count == r->piece_cap) {
        size_t cap = r->piece_cap ? r->piece_cap * 2 : 4;
        struct piece *pieces = realloc(r->pieces, cap * sizeof(*pieces));
        if (!pieces)
            return -ENOMEM;
        r->pieces = pieces;
        r->piece_cap = cap;
    }
    r->pieces[r->piece_count++] = p;
    return 0;
}

int relay_finish_choices(struct exchange *x, uint32_t bits)
{
    struct relay *r = x->relay;
    for (unsigned i = 0; bits >> i; i++) {
        if (!(bits >> i & 1) || r->finished >> i & 1)
            continue;
        int rc = judge_finish(x->completion, i);
        if (rc < 0)
            return rc;
        if (rc > 0)
            r->decisive = true;
    }
    r->finished |= bits;
    return 0;
}

/* An event that only tells of a failure shows no text. */
static int see_nothing(void *ctx, const struct text_item *item)
{
    return 0;
}

/* The stream's failure, and whether it is the provider's own filter that speaks. */
static int take_failure(struct relay *r, struct span data)
{
    struct exchange *x = r->x;
    struct dialect_event e = {0};
    struct dialect_error error = {0};
    int rc = x->dialect->read_event(r->stream, x->gate->walk, data, &e, &error, see_nothing, NULL);
    r->failure = CAUSE_UPSTREAM_FAILED;
    if (rc == 0) {
        e.kind = EVENT_ERROR;
        provider_note(x, &e);
        if (provider_refused(&e))
            r->failure = CAUSE_PROVIDER_REFUSED;
    }
    return 1;
}

static int pass_event(struct exchange *x, struct span payload, const struct dialect_event *e)
{
    struct relay *r = x->relay;
    uint32_t gates = 0;
    if (r->tools & ~r->finished && !x->who.app->policy.tool_calls_exact)
        gates |= HOLD_TOOL;
    /* A hit may have become certain with this very event: then no call is begun. */
    if (e->finished && !r->decisive && !x->who.app->policy.tool_calls_exact)
        hold_open(&r->hold, HOLD_TOOL, r->finished);
    if (!r->terminal && e->finished && (r->finished & r->expected) == r->expected)
        gates |= HOLD_CLOSE;
    if (!gates && !r->decisive && list_empty(&r->hold.frames) &&
        hold_clear(r->pieces, r->piece_count) && !relay_masked(r->pieces, r->piece_count)) {
        r->emitted |= e->finished;
        return relay_send_payload(x, payload);
    }
    struct frame *f;
    int rc = hold_push(&r->hold, payload, r->pieces, r->piece_count, &f);
    if (rc < 0)
        return rc;
    metrics_add(x->gate->metrics, METRIC_HELD_EVENTS, 1);
    if (gates & HOLD_CLOSE)
        r->terminal = true;
    f->gates = gates;
    f->choices = r->tools;
    f->finished = e->finished;
    f->since_us = loop_now_us(x->gate->loop);
    return 0;
}

static int take_event(struct relay *r, const struct sse_event *sse, bool late)
{
    struct exchange *x = r->x;
    struct dialect_event e = {0};
    struct dialect_error error = {0};
    metrics_add(x->gate->metrics, METRIC_EVENTS, 1);
    r->piece_count = 0;
    r->tools = 0;
    x->completion->item = 0;
    if (sse->data.len == 0 && sse->type.len == 0)
        return 0; /* a heartbeat of some servers; clients would choke on it */
    if (span_eq(sse->type, SPAN_LIT("error"))) /* whatever its data is */
        return take_failure(r, sse->data);
    int rc = x->dialect->read_event(r->stream, x->gate->walk, sse->data, &e, &error, see_item, r);
    if (rc < 0)
        return rc;
    if (e.kind == EVENT_DONE) {
        r->done = true;
        return 1;
    }
    provider_note(x, &e);
    if (e.kind == EVENT_ERROR) {
        r->failure = provider_refused(&e) ? CAUSE_PROVIDER_REFUSED : CAUSE_UPSTREAM_FAILED;
        return 1;
    }
    if (e.media && !x->who.app->policy.allow_media) {
        r->failure = CAUSE_MEDIA_DENIED;
        return 1;
    }
    if (e.media)
        record_notes(x)->unjudged_media = true;
    if (e.finished)
        rc = relay_finish_choices(x, e.finished);
    if (rc == 0 && !(late && r->decisive))
        rc = pass_event(x, sse->data, &e);
    if (rc < 0)
        return rc;
    if (!r->decisive && x->completion->unrecorded)
        record_act(x, x->completion, SPAN_NULL);
    return r->decisive ? 1 : 0;
}

/*
 * Behind the terminal event come counts, if anything. What else comes there does not go on, and
 * does not change the end of an answer that is complete: else the answer would depend on what was
 * read when its record was written.
 */
static int see_event(void *ctx, const struct sse_event *sse)
{
    struct relay *r = ctx;
    bool late = r->terminal;
    int rc = take_event(r, sse, late);
    if (!late || (rc == 0 && !r->decisive))
        return rc;
    if (r->x->completion->unrecorded)
        record_act(r->x, r->x->completion, SPAN_NULL);
    r->decisive = false;
    r->failure = CAUSE_NONE;
    r->done = true;
    return 1;
}

/* Sends what is clear. The terminal frame first waits for the record's close. */
static int release(struct exchange *x)
{
    struct relay *r = x->relay;
    if (record_waiting(x) == 0 && !record_failed(x))
        masks_are_recorded(x);
    for (struct frame *f; (f = hold_first(&r->hold)); hold_drop(&r->hold)) {
        if (f->gates & HOLD_TOOL || !hold_clear(f->pieces, f->piece_count))
            return 0;
        if (f->gates & HOLD_CLOSE) {
            if (!record_closed(x)) {
                record_notes(x)->status = 200;
                record_act(x, x->completion, SPAN_NULL);
                record_close(x, OUTCOME_COMPLETE, SPAN_NULL);
                wait_for_log(x);
            }
            if (record_waiting(x) > 0)
                return 0;
            if (record_failed(x))
                return -EIO;
            r->sealed = true;
        }
        int rc = relay_send_frame(x, f);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static enum cause cause_of(int error)
{
    switch (error) {
    case -ENOMEM:
        return CAUSE_OVERLOADED;
    case -EMSGSIZE:
        return CAUSE_HOLD_OVERFLOW;
    case -EOVERFLOW:
        return CAUSE_JUDGE_FAILED;
    default:
        return CAUSE_UPSTREAM_PROTOCOL;
    }
}

static void fewer_recorded(struct exchange *x)
{
    if (unrecorded(x))
        return;
    int rc = 0;
    for (struct frame *f; rc == 0 && (f = hold_first(&x->relay->hold)); hold_drop(&x->relay->hold))
        rc = relay_send_frame(x, f);
    if (rc < 0)
        http_request_abort(x->client);
    end_complete(x);
}

/*
 * Some providers ignore n: fewer choices came than were asked for, all that came are finished, and
 * the end mark says that this is all. Then the end mark is what waits for the record.
 */
static bool fewer_choices(const struct relay *r)
{
    return r->done && r->finished && !(r->seen & ~r->finished);
}

/* The upstream has said all it will say. */
static void upstream_over(struct exchange *x)
{
    struct relay *r = x->relay;
    r->over = true;
    record_notes(x)->upstream_end_us = clock_mono_us();
    if (!r->terminal) {
        int rc = judge_finish(x->completion, -1);
        if (rc > 0) {
            cut(x);
        } else if (rc == 0 && fewer_choices(r)) {
            record_notes(x)->status = 200;
            record_act(x, x->completion, SPAN_NULL);
            record_close(x, OUTCOME_COMPLETE, SPAN_NULL);
            hold_open(&r->hold, HOLD_TOOL, UINT32_MAX);
            await(x, fewer_recorded);
        } else
            fail(x, rc < 0 ? cause_of(rc) : CAUSE_UPSTREAM_TRUNCATED, OUTCOME_TRUNCATED);
    }
}

int relay_read_upstream(struct exchange *x, sse_event_fn fn)
{
    struct relay *r = x->relay;
    struct span data = http_fetch_data(x->fetch);
    if (data.len == 0)
        return 0;
    r->data_ms = loop_now_ms(x->gate->loop);
    r->bytes += data.len;
    if (r->bytes > exchange_config(x)->limits.stream_bytes)
        return -EMSGSIZE;
    uint64_t before = clock_mono_us();
    int rc = sse_reader_feed(r->sse, data, fn, r);
    x->completion->judge_us += clock_mono_us() - before;
    http_fetch_consume(x->fetch, data.len);
    return rc;
}

void relay_pause_or_go_on(struct exchange *x)
{
    struct relay *r = x->relay;
    if (!x->fetch)
        return;
    bool pause = r->started && http_stream_pending(x->client) > RELAY_HIGH_WATER;
    if (pause != r->paused) {
        r->paused = pause;
        http_fetch_pause(x->fetch, pause);
    }
}

void relay_step(struct exchange *x, unsigned events, unsigned client_events)
{
    struct relay *r = x->relay;
    if (r->after) {
        if (record_waiting(x) == 0) {
            void (*after)(struct exchange *) = r->after;
            r->after = NULL;
            after(x);
        }
        return;
    }
    if (exchange_shadows(x)) {
        shadow_step(x, events);
        return;
    }
    if (unrecorded(x))
        return;
    int rc = 0;
    if (!r->over && x->fetch) {
        rc = relay_read_upstream(x, see_event);
        if (rc < 0 && r->terminal) { /* see see_event() */
            r->done = true;
            rc = 0;
        }
        if (rc == 0 && events & HTTP_FETCH_END && http_fetch_data(x->fetch).len == 0) {
            rc = sse_reader_finish(r->sse, see_event, r);
            if (rc < 0 && rc != -ENOMEM) /* half an event: it broke off there */
                rc = 0;
        }
    }
    if (r->decisive) {
        cut(x);
        return;
    }
    if (rc >= 0)
        rc = release(x);
    if (rc < 0) {
        if (rc == -EIO && record_failed(x))
            unrecorded(x);
        else
            fail(x, cause_of(rc), rc == -ENOMEM ? OUTCOME_INTERNAL : OUTCOME_UPSTREAM);
        return;
    }
    if (r->failure) {
        fail(x, r->failure, r->failure == CAUSE_MEDIA_DENIED ? OUTCOME_CUT : OUTCOME_UPSTREAM);
        return;
    }
    if (!r->over && (r->done || (events & HTTP_FETCH_END && http_fetch_data(x->fetch).len == 0))) {
        upstream_over(x);
        if (r->after || x->state != EXCHANGE_RELAYING)
            return;
    } else if (events & HTTP_FETCH_END && !r->over) {
        x->fetch_events |= HTTP_FETCH_END; /* the rest first */
        exchange_post(x);
    }
    if (r->over && r->sealed && list_empty(&r->hold.frames)) {
        end_complete(x);
        return;
    }
    relay_pause_or_go_on(x);
}

void relay_expired(struct exchange *x)
{
    struct relay *r = x->relay;
    const struct config_upstream *u = x->upstream;
    const struct config *c = exchange_config(x);
    uint64_t now = loop_now_ms(x->gate->loop);
    bool logging = record_waiting(x) > 0 && (r->after || record_closed(x));
    if (r->paused)
        r->data_ms = now; /* we are the ones who wait */
    if (logging && (x->gate->cutting || now - r->log_ms >= EXCHANGE_RECORD_MS)) {
        record_give_up(x); /* the step that follows finds that it failed */
        return;
    }
    if (x->gate->cutting) {
        fail(x, CAUSE_DRAINING, OUTCOME_INTERNAL);
        return;
    }
    if (!r->over && !logging &&
        (now - r->data_ms >= u->gap_ms || now - r->begin_ms >= u->total_ms)) {
        fail(x, CAUSE_UPSTREAM_TIMEOUT, OUTCOME_TIMEOUT);
        return;
    }
    uint64_t next = r->begin_ms + u->total_ms;
    if (r->data_ms + u->gap_ms < next)
        next = r->data_ms + u->gap_ms;
    if (logging)
        next = r->log_ms + EXCHANGE_RECORD_MS;
    if (!r->started) {
        if (now - r->begin_ms >= RELAY_HEADERS_MS)
            relay_start(x);
        else if (r->begin_ms + RELAY_HEADERS_MS < next)
            next = r->begin_ms + RELAY_HEADERS_MS;
    }
    if (c->limits.keepalive_ms) {
        if (r->started && now - r->write_ms >= c->limits.keepalive_ms) {
            /* A comment alone: no id, no field, so that no client takes it for an event. */
            if (buf_append(&r->out, SPAN_LIT(": keep-alive\n\n")) == 0)
                relay_send_out(x);
        }
        /* Nobody moves this timer when the stream starts: it looks again by itself. */
        uint64_t due = (r->started ? r->write_ms : now) + c->limits.keepalive_ms;
        if (due < next)
            next = due;
    }
    exchange_deadline(x, next > now ? (unsigned)(next - now) : 1);
}
