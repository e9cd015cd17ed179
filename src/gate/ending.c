/*
 * How a stream ends: cut, failed, or complete; each waits for its record.
 */
#include "gate/relay.h"

#include "base/clock.h"
#include "gate/label.h"
#include "gate/strike.h"

#define RELAY_LINGER_MS 2000

/* From here on the stream waits for its record, and not for ever. */
void relay_wait_for_log(struct exchange *x)
{
    x->relay->log_ms = loop_now_ms(x->gate->loop);
    exchange_deadline(x, EXCHANGE_RECORD_MS);
}

void relay_await(struct exchange *x, void (*fn)(struct exchange *x))
{
    if (record_waiting(x) == 0) {
        fn(x);
        return;
    }
    x->relay->after = fn;
    relay_wait_for_log(x);
}

static void finish_client(struct exchange *x)
{
    x->state = EXCHANGE_ENDING;
    loop_timer_cancel(&x->deadline);
    http_stream_end(x->client);
}

/* The record can't be made: the client must not see an end that was never written down. */
bool relay_unrecorded(struct exchange *x)
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

void relay_masks_recorded(struct exchange *x)
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

/* Where its text will be clear to once the masks are on record, as they are when the end goes out.
 */
static uint64_t clear_when_recorded(const struct channel *c)
{
    struct channel later = *c;
    channel_masks_recorded(&later);
    return channel_clear(&later);
}

/* Will send_until_cut() show text? */
static bool shows_more(const struct relay *r)
{
    bool shows = false;
    list_for_each (e, &r->hold.frames) {
        const struct frame *f = list_entry(e, struct frame, link);
        bool text = false, cut = false, whole = f->gates & HOLD_TOOL;
        for (size_t i = 0; i < f->piece_count; i++) {
            const struct piece *p = &f->pieces[i];
            uint64_t clear = p->channel ? clear_when_recorded(p->channel) : UINT64_MAX;
            bool readable = relay_is_text(p, 1);
            text = text || (readable && clear > p->start);
            cut = cut || p->end > clear;
            whole = whole || (p->end > clear && !readable);
        }
        shows = shows || (text && !whole);
        if (cut)
            return shows;
    }
    return false; /* the cut is not held: nothing more goes out */
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
    const struct judge *j = x->prompt->refused ? x->prompt : x->completion;
    if (relay_unrecorded(x))
        return;
    relay_masks_recorded(x);
    if (!r->started && !relay_has_text(r)) {
        x->state = EXCHANGE_ENDING;
        loop_timer_cancel(&x->deadline);
        if (reply_refusal(x, j) < 0)
            http_request_abort(x->client);
        return;
    }
    struct dialect_refusal d;
    reply_describe(x, j, &d);
    struct span replacement =
        d.text.len ? d.text : policy_text(&x->who.app->policy, CAUSE_CONTENT_FILTER);
    if (x->who.app->policy.refusal == REFUSAL_ERROR && !d.answer)
        d.text = SPAN_NULL;
    if (d.text.len) /* a paragraph of its own behind what was shown */
        d.text = arena_printf(&x->arena, "\n\n%.*s", SPAN_ARG(d.text));
    d.answer = false; /* part of the model's own answer was shown: it was cut, not replaced */
    int rc = send_until_cut(x);
    if (rc == 0 && record_notes(x)->retracted) {
        d.replacement = replacement;
        retract_tell(x, replacement);
    }
    if (rc == 0)
        rc = label_write_cut(x, r->expected & ~r->emitted, names_are_clean(x), &r->out);
    if (rc == 0)
        rc = x->dialect->write_cut(names_are_clean(x) ? r->stream : NULL, &d,
                                   r->expected & ~r->emitted, &r->out);
    if (rc == 0)
        rc = relay_send_out(x);
    if (rc < 0)
        http_request_abort(x->client);
    finish_client(x);
}

void relay_cut(struct exchange *x)
{
    struct relay *r = x->relay;
    exchange_drop_fetch(x);
    r->over = true;
    judge_finish(x->completion, -1);
    record_notes(x)->status = 200;
    record_notes(x)->upstream_end_us = clock_mono_us();
    /* A rule's hit was never shown; what somebody objects to later may have been, and what stands
     * before the cut will be. */
    record_notes(x)->retracted = opinion_objected(x) && (r->shown || shows_more(r));
    record_act(x, x->completion, span_str(cause_code(CAUSE_CONTENT_FILTER)));
    record_close(x, OUTCOME_CUT, span_str(cause_code(CAUSE_CONTENT_FILTER)));
    relay_await(x, cut_recorded);
}

static void drop_frames(struct exchange *x)
{
    while (hold_first(&x->relay->hold))
        hold_drop(&x->relay->hold);
}

bool relay_withhold(struct exchange *x)
{
    struct relay *r = x->relay;
    exchange_drop_fetch(x);
    drop_frames(x);
    if (!r->started)
        return false;
    r->over = true;
    record_notes(x)->status = 200;
    /* Another prompt may have suspended the user meanwhile: this one is on record all the same. */
    if (strike_act(x, span_str(cause_code(CAUSE_CONTENT_FILTER))) != CAUSE_CONTENT_FILTER)
        record_act(x, x->prompt, span_str(cause_code(CAUSE_CONTENT_FILTER)));
    record_close(x, OUTCOME_REFUSED, span_str(cause_code(CAUSE_CONTENT_FILTER)));
    relay_await(x, cut_recorded);
    return true;
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
    if (relay_unrecorded(x))
        return;
    relay_masks_recorded(x);
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
    if (rc == 0)
        rc = label_write_cut(x, r->expected & ~r->emitted, true, &r->out);
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
void relay_end_complete(struct exchange *x)
{
    if (relay_send_payload(x, SPAN_LIT("[DONE]")) < 0)
        http_request_abort(x->client);
    if (x->fetch) /* its own end may still be on the way: the connection is worth keeping */
        http_fetch_linger(x->fetch, RELAY_LINGER_MS);
    x->fetch = NULL;
    finish_client(x);
}

/* The stream can't be completed: what is clear goes out, then an error, never an end. */
void relay_fail(struct exchange *x, enum cause cause, enum outcome outcome)
{
    struct relay *r = x->relay;
    exchange_drop_fetch(x);
    r->over = true;
    if (r->after)
        return; /* already ending */
    if (r->sealed && list_empty(&r->hold.frames)) {
        /* complete, on record and sent: what came behind it does not matter */
        relay_end_complete(x);
        return;
    }
    if (opinion_holds(x))
        drop_frames(x); /* nobody has said that the prompt may be answered */
    record_act(x, x->completion, SPAN_NULL);
    if (!r->started && !relay_has_text(r)) {
        exchange_fail(x, cause, outcome);
        return;
    }
    r->failure = cause;
    record_notes(x)->status = 200;
    record_close(x, outcome, span_str(cause_code(cause)));
    relay_await(x, failure_recorded);
}
