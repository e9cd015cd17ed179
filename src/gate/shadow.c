#include "gate/shadow.h"

#include "base/clock.h"
#include "gate/original.h"
#include "gate/relay.h"

#include <errno.h>

#define SHADOW_LINGER_MS 2000

static struct span unjudged(void)
{
    return SPAN_LIT("unjudged");
}

/* --- second opinions: asked for beside the traffic, and heard to the end after it --- */

bool shadow_listen(struct exchange *x)
{
    bool asked = x->opinions && !record_closed(x);
    if (asked && (opinion_hear(x) < 0 || (x->relay && stretch_read(x) < 0)))
        record_notes(x)->unjudged = true;
    if (!x->late.pending)
        return false;
    if (asked && opinion_waits(x) && !x->gate->cutting)
        return true;
    x->late.pending = false;
    if (x->completion)
        record_act(x, x->completion, SPAN_NULL);
    record_close(x, x->late.outcome, x->late.reason);
    return false;
}

/* The traffic is over, and its record is closed as soon as nothing is waited for. */
static void close_record(struct exchange *x, enum outcome outcome, struct span reason)
{
    x->late = (struct shadow_close){.pending = true, .outcome = outcome, .reason = reason};
    shadow_listen(x);
}

void shadow_judge_request(struct exchange *x)
{
    struct judge *j =
        judge_new(&x->arena, snapshot_rules(x->snapshot), snapshot_policy(x->snapshot, x->who.app),
                  true, DIRECTION_PROMPT, true, false);
    x->prompt = j;
    if (j) {
        j->labels = exchange_config(x);
        original_begin(x, j);
    } else {
        record_notes(x)->unjudged = true;
        return;
    }
    struct dialect_request again;
    struct dialect_error error = {0};
    struct arena scratch;
    struct span body = http_request_body(x->client);
    struct judge_walk w = {.judge = j, .body = body};
    uint64_t before = clock_mono_us();
    arena_init(&scratch, 64u << 20);
    int r = x->dialect->read_request(x->gate->walk, body, &scratch, &again, &error, judge_item, j);
    if (r == 0)
        r = judge_finish(j, -1);
    if (r == 0 && j->finding_count)
        r = x->dialect->read_request(x->gate->walk, body, &scratch, &again, &error, judge_revisit,
                                     &w);
    arena_deinit(&scratch);
    j->judge_us += clock_mono_us() - before;
    if (r == 0)
        r = opinion_recall(x, body);
    if (r < 0)
        record_notes(x)->unjudged = true;
    record_act(x, j, SPAN_NULL);
    judge_close(j);
    if (r == 0 && opinion_begin(x) < 0)
        record_notes(x)->unjudged = true;
}

void shadow_answer(struct exchange *x, int r, bool media)
{
    struct record_notes *n = record_notes(x);
    struct judge *j = x->completion;
    n->status = n->upstream_status;
    n->unjudged = n->unjudged || r < 0;
    n->unjudged_media = n->unjudged_media || media;
    x->state = EXCHANGE_ENDING;
    if (reply_json(x, n->status, record_action(x), buf_span(&x->answer)) < 0)
        http_request_abort(x->client);
    if (j)
        record_act(x, j, SPAN_NULL);
    if (j && r == 0 && n->status < 400 && opinion_answer(x) < 0)
        n->unjudged = true;
    close_record(x, n->status >= 400 ? OUTCOME_UPSTREAM : OUTCOME_COMPLETE,
                 n->status >= 400 ? span_str(cause_code(CAUSE_UPSTREAM_FAILED))
                 : n->unjudged    ? unjudged()
                                  : SPAN_NULL);
    exchange_drop_fetch(x);
}

/* --- streams --- */

/* A text_item_fn that judges, or, once judging has failed, only lets the walk go on. */
static int judge_text(void *ctx, const struct text_item *item)
{
    struct exchange *x = ctx;
    struct piece unused;
    int r = record_notes(x)->unjudged ? 0 : judge_piece(x->completion, item, &unused);
    if (r < 0)
        record_notes(x)->unjudged = true;
    return 0;
}

static int pass(void *ctx, const struct sse_event *sse)
{
    struct relay *r = ctx;
    struct exchange *x = r->x;
    struct dialect_event e = {0};
    struct dialect_error error = {0};
    metrics_add(x->purpose.metrics, METRIC_EVENTS, 1);
    if (sse->data.len == 0 && sse->type.len == 0)
        return 0;
    x->completion->item = 0;
    int rc = x->dialect->read_event(r->stream, x->gate->walk, sse->data, &e, &error, judge_text, x);
    if (rc == 0 && e.kind == EVENT_DONE) {
        r->done = true;
        return 1;
    }
    record_notes(x)->unjudged = record_notes(x)->unjudged || rc < 0;
    record_notes(x)->unjudged_media = record_notes(x)->unjudged_media || e.media;
    if (rc == 0)
        provider_note(x, &e);
    if (e.kind == EVENT_ERROR || span_eq(sse->type, SPAN_LIT("error")))
        r->failure = CAUSE_UPSTREAM_FAILED;
    if (rc == 0 && e.finished && !record_notes(x)->unjudged &&
        relay_finish_choices(x, e.finished) < 0)
        record_notes(x)->unjudged = true;
    rc = sse_write(&r->out, sse->type, sse->data);
    if (rc == 0)
        rc = relay_send_out(x);
    record_act(x, x->completion, SPAN_NULL);
    if (stretch_read(x) < 0)
        record_notes(x)->unjudged = true;
    return rc;
}

/* The upstream has said all it will say: so has the client's stream, in the same way. */
static void end(struct exchange *x)
{
    struct relay *r = x->relay;
    struct record_notes *n = record_notes(x);
    bool whole = r->done || (x->fetch && http_fetch_result(x->fetch) == HTTP_FETCH_OK);
    enum outcome outcome = r->failure ? OUTCOME_UPSTREAM
                           : whole    ? OUTCOME_COMPLETE
                                      : OUTCOME_TRUNCATED;
    r->over = true;
    n->status = 200;
    n->upstream_end_us = clock_mono_us();
    if (!n->unjudged && judge_finish(x->completion, -1) < 0)
        n->unjudged = true;
    record_act(x, x->completion, SPAN_NULL);
    close_record(x, outcome,
                 r->failure    ? span_str(cause_code(r->failure))
                 : !whole      ? span_str(cause_code(CAUSE_UPSTREAM_TRUNCATED))
                 : n->unjudged ? unjudged()
                               : SPAN_NULL);
    if (r->done && relay_send_payload(x, SPAN_LIT("[DONE]")) < 0)
        whole = false;
    if (r->done && x->fetch) {
        http_fetch_linger(x->fetch, SHADOW_LINGER_MS);
        x->fetch = NULL;
    }
    exchange_drop_fetch(x);
    x->state = EXCHANGE_ENDING;
    loop_timer_cancel(&x->deadline);
    if (whole)
        http_stream_end(x->client);
    else
        http_request_abort(x->client);
}

void shadow_step(struct exchange *x, unsigned events)
{
    struct relay *r = x->relay;
    int rc = relay_start(x);
    if (rc == 0 && !r->over && x->fetch)
        rc = relay_read_upstream(x, pass);
    bool ended = events & HTTP_FETCH_END && x->fetch && http_fetch_data(x->fetch).len == 0;
    if (rc == 0 && ended && !r->done && sse_reader_finish(r->sse, pass, r) == -ENOMEM)
        rc = -ENOMEM;
    if (rc < 0 || r->done || ended) {
        if (rc < 0) /* no event stream, or too much of it: it breaks off here */
            exchange_drop_fetch(x);
        end(x);
        return;
    }
    if (events & HTTP_FETCH_END) { /* the rest first */
        x->fetch_events |= HTTP_FETCH_END;
        exchange_post(x);
    }
    relay_pause_or_go_on(x);
}
