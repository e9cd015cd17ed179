/*
 * A streamed answer on its way through the hold: events are cut from the upstream's bytes, their
 * texts judged, and each event goes on verbatim as soon as every character in it, and every event
 * before it, is clear.
 */
#include "gate/relay.h"

#include "base/clock.h"
#include "gate/label.h"
#include "gate/opinion.h"
#include "gate/original.h"
#include "gate/shadow.h"

#include <errno.h>
#include <stdlib.h>

#define RELAY_HIGH_WATER  262144 /* bytes the client has not taken: the upstream is paused */
#define RELAY_HEADERS_MS  10000  /* then the client gets its headers, come what may */
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
    if (x->completion) {
        original_begin(x, x->completion);
        stretch_begin(x);
    }
    r->out.max = c->limits.event_bytes * 2 + 64;
    unsigned n = x->asked.choices ? x->asked.choices : 1;
    r->expected = n >= RELAY_CHOICES_MAX ? UINT32_MAX : (1u << n) - 1;
    r->begin_ms = r->data_ms = r->write_ms = loop_now_ms(x->gate->loop);
    if (!r->sse || !r->stream || !x->completion)
        return -ENOMEM;
    metrics_add(x->purpose.metrics, METRIC_STREAMS, 1);
    relay_expired(x); /* arms the first deadline */
    return 0;
}

void relay_free(struct relay *r)
{
    if (!r)
        return;
    struct exchange *x = r->x;
    if (r->sse && r->stream && x->completion)
        metrics_add(x->purpose.metrics, METRIC_STREAMS, -1);
    hold_deinit(&r->hold);
    sse_reader_free(r->sse);
    if (r->stream)
        x->dialect->stream_free(r->stream);
    buf_deinit(&r->out);
    free(r->pieces);
    free(r);
}

/* --- from the upstream --- */

bool relay_is_call(const struct text_item *item)
{
    return item->field == FIELD_ARGUMENTS ||
           (item->field == FIELD_OTHER &&
            (span_find(item->path, SPAN_LIT(".tool_calls[")) < item->path.len ||
             span_find(item->path, SPAN_LIT(".function_call")) < item->path.len));
}

static int see_item(void *ctx, const struct text_item *item)
{
    struct relay *r = ctx;
    struct piece p;
    if (r->terminal && item->field != FIELD_OTHER &&
        (item->choice >= RELAY_CHOICES_MAX || !(r->finished >> item->choice & 1)))
        return -EPROTO; /* a choice that begins when all are finished */
    int rc = label_feed(r->x, item);
    if (rc == 0)
        rc = judge_piece(r->x->completion, item, &p);
    if (rc < 0)
        return rc;
    if (rc > 0)
        r->decisive = true; /* the rest of the event is judged all the same */
    if (item->choice < RELAY_CHOICES_MAX)
        r->expected |= 1u << item->choice;
    if (item->field != FIELD_OTHER && item->choice < RELAY_CHOICES_MAX)
        r->seen |= 1u << item->choice;
    if (relay_is_call(item))
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
    if (!gates && !r->decisive && !opinion_holds(x) && list_empty(&r->hold.frames) &&
        hold_clear(r->pieces, r->piece_count) && !relay_masked(r->pieces, r->piece_count))
        return relay_send_event(x, payload, r->pieces, r->piece_count, e->finished);
    struct frame *f;
    int rc = hold_push(&r->hold, payload, r->pieces, r->piece_count, &f);
    if (rc < 0)
        return rc;
    metrics_add(x->purpose.metrics, METRIC_HELD_EVENTS, 1);
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
    metrics_add(x->purpose.metrics, METRIC_EVENTS, 1);
    purpose_keep(x, DIRECTION_COMPLETION, sse->data);
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
    if (e.media && !purpose_allows_media(x)) {
        r->failure = CAUSE_MEDIA_DENIED;
        return 1;
    }
    if (e.media)
        record_notes(x)->unjudged_media = true;
    if (e.finished)
        rc = relay_finish_choices(x, e.finished);
    if (rc == 0 && !late)
        rc = stretch_read(x);
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

/* May the end not be sent yet? Nor where an opinion failed within this very step. */
static bool weighs(const struct exchange *x)
{
    return opinion_waits(x) || (x->opinions && x->opinions->refused);
}

/* Sends what is clear. The terminal frame first waits for the record's close. */
static int release(struct exchange *x)
{
    struct relay *r = x->relay;
    if (record_waiting(x) == 0 && !record_failed(x))
        relay_masks_recorded(x);
    if (opinion_holds(x))
        return 0;
    for (struct frame *f; (f = hold_first(&r->hold)); hold_drop(&r->hold)) {
        if (f->gates & HOLD_TOOL || !hold_clear(f->pieces, f->piece_count))
            return 0;
        if (f->gates & HOLD_CLOSE) {
            if (weighs(x))
                return 0;
            if (!record_closed(x)) {
                record_notes(x)->status = 200;
                record_act(x, x->completion, SPAN_NULL);
                record_close(x, OUTCOME_COMPLETE, SPAN_NULL);
                relay_wait_for_log(x);
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
    if (relay_unrecorded(x))
        return;
    int rc = 0;
    for (struct frame *f; rc == 0 && (f = hold_first(&x->relay->hold)); hold_drop(&x->relay->hold))
        rc = relay_send_frame(x, f);
    if (rc < 0)
        http_request_abort(x->client);
    relay_end_complete(x);
}

/*
 * Some providers ignore n: fewer choices came than were asked for, all that came are finished, and
 * the end mark says that this is all. Then the end mark is what waits for the record.
 */
static bool fewer_choices(const struct relay *r)
{
    return r->done && r->finished && !(r->seen & ~r->finished);
}

/*
 * A hit or an objection: the answer ends. What stands before it is still judged by all who are
 * asked, and the prompt may yet be refused; then nothing of it goes out at all.
 */
static void end_here(struct exchange *x)
{
    x->relay->decisive = x->relay->over = true;
    exchange_drop_fetch(x);
    if (!opinion_waits(x))
        relay_cut(x);
}

/* The end mark came before all choices did: what came is all, once everybody has judged it. */
static void end_with_fewer(struct exchange *x)
{
    struct relay *r = x->relay;
    r->weighing = weighs(x);
    if (r->weighing)
        return;
    record_notes(x)->status = 200;
    record_act(x, x->completion, SPAN_NULL);
    record_close(x, OUTCOME_COMPLETE, SPAN_NULL);
    hold_open(&r->hold, HOLD_TOOL, UINT32_MAX);
    relay_await(x, fewer_recorded);
}

/* The upstream has said all it will say. */
static void upstream_over(struct exchange *x)
{
    struct relay *r = x->relay;
    r->over = true;
    record_notes(x)->upstream_end_us = clock_mono_us();
    if (r->terminal)
        return;
    int rc = judge_finish(x->completion, -1);
    if (rc == 0)
        rc = stretch_read(x);
    if (rc > 0 || r->decisive)
        end_here(x);
    else if (rc == 0 && fewer_choices(r))
        end_with_fewer(x);
    else
        relay_fail(x, rc < 0 ? cause_of(rc) : CAUSE_UPSTREAM_TRUNCATED, OUTCOME_TRUNCATED);
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
    /* The answer waits for the prompt's verdict alone: what is not here yet can't help it. */
    pause = pause || (opinion_holds(x) && r->hold.bytes > r->hold.max / 2);
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
    if (relay_unrecorded(x))
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
    int asked = rc >= 0 ? stretch_read(x) : 0;
    rc = asked < 0 ? asked : rc;
    if (r->decisive) {
        end_here(x);
        return;
    }
    if (rc >= 0)
        rc = release(x);
    if (rc < 0) {
        if (rc == -EIO && record_failed(x))
            relay_unrecorded(x);
        else
            relay_fail(x, cause_of(rc), rc == -ENOMEM ? OUTCOME_INTERNAL : OUTCOME_UPSTREAM);
        return;
    }
    if (r->failure) {
        relay_fail(x, r->failure,
                   r->failure == CAUSE_MEDIA_DENIED ? OUTCOME_CUT : OUTCOME_UPSTREAM);
        return;
    }
    if (r->weighing) {
        end_with_fewer(x);
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
        relay_end_complete(x);
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
        relay_fail(x, CAUSE_DRAINING, OUTCOME_INTERNAL);
        return;
    }
    if (!r->over && !logging &&
        (now - r->data_ms >= u->gap_ms || now - r->begin_ms >= u->total_ms)) {
        relay_fail(x, CAUSE_UPSTREAM_TIMEOUT, OUTCOME_TIMEOUT);
        return;
    }
    bool weighing = r->over && !logging && !record_closed(x);
    if (weighing && now - r->begin_ms >= u->total_ms) {
        relay_fail(x, CAUSE_JUDGE_FAILED, OUTCOME_REJECTED);
        return;
    }
    uint64_t next = r->begin_ms + u->total_ms;
    if (!r->over && r->data_ms + u->gap_ms < next)
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
