/*
 * An answer that is not streamed: read whole, judged whole, then forwarded as it is, masked, or
 * replaced.
 */
#include "gate/exchange.h"

#include "base/clock.h"
#include "gate/label.h"
#include "gate/original.h"
#include "gate/shadow.h"

#include <errno.h>
#include <stdlib.h>

static void send_answer(struct exchange *x)
{
    if (record_failed(x)) {
        exchange_fail(x, CAUSE_AUDIT_UNAVAILABLE, OUTCOME_INTERNAL);
        return;
    }
    x->state = EXCHANGE_ENDING;
    int r;
    if (x->completion->refused) {
        r = reply_refusal(x, x->completion);
    } else {
        if (record_notes(x)->status == 200)
            label_generated(x);
        r = reply_json(x, record_notes(x)->status, record_action(x), buf_span(&x->answer));
    }
    if (r < 0)
        http_request_abort(x->client);
    exchange_drop_fetch(x);
}

/* A second walk for the places of what was found, for masks, and for labels of a good answer. */
static int revisit(struct exchange *x, bool good)
{
    struct judge *j = x->completion;
    size_t labels = good && !j->refused ? label_room(x) : 0;
    if (j->finding_count == 0 && labels == 0)
        return 0;
    struct dialect_event again;
    struct dialect_error error;
    struct span body = buf_span(&x->answer);
    struct judge_walk w = {.judge = j, .body = body};
    bool mask = j->masked && !j->refused;
    struct arena scratch;
    arena_init(&scratch, 64u << 20);
    struct buf changed = BUF_INIT(exchange_config(x)->limits.answer_bytes * 2);
    /* The text is changed, so what spells it once more goes too. */
    w.max = (mask ? judge_splices(j) + 4 * 32 : 0) + labels;
    w.splices = w.max ? calloc(w.max, sizeof(*w.splices)) : NULL;
    int r = w.max && !w.splices ? -ENOMEM : 0;
    if (r == 0)
        r = x->dialect->read_answer(x->gate->walk, body, &scratch, &again, &error, judge_revisit,
                                    &w);
    if (r == 0 && mask)
        r = x->dialect->strip_event(x->gate->walk, body, false, w.splices, w.max, &w.count);
    if (r == 0 && labels)
        r = label_whole(x, body, w.splices, w.max, &w.count);
    if (r == 0 && w.max) {
        splice_sort(w.splices, w.count);
        w.count = splice_outermost(w.splices, w.count);
        r = splice_apply(body, w.splices, w.count, &changed);
    }
    if (r == 0 && w.max) {
        buf_deinit(&x->answer);
        x->answer = changed;
    } else {
        buf_deinit(&changed);
    }
    free(w.splices);
    arena_deinit(&scratch);
    return r;
}

/* A text_item_fn. */
static int see_item(void *ctx, const struct text_item *item)
{
    struct exchange *x = ctx;
    int r = label_feed(x, item);
    return r < 0 ? r : judge_item(x->completion, item);
}

static int judge(struct exchange *x, struct dialect_event *ret_event)
{
    struct dialect_error error = {0};
    x->completion =
        judge_new(&x->arena, snapshot_rules(x->snapshot), snapshot_policy(x->snapshot, x->who.app),
                  exchange_observes(x), DIRECTION_COMPLETION, true, false);
    if (!x->completion)
        return -ENOMEM;
    original_begin(x, x->completion);
    uint64_t before = clock_mono_us();
    int r = x->dialect->read_answer(x->gate->walk, buf_span(&x->answer), &x->arena, ret_event,
                                    &error, see_item, x);
    if (r == 0)
        r = judge_finish(x->completion, -1);
    /* Its spans are lent by the answer, which a mask replaces. */
    if (r == 0)
        provider_note(x, ret_event);
    if (r == 0)
        r = revisit(x, record_notes(x)->upstream_status == 200 && ret_event->kind == EVENT_TEXT);
    x->completion->judge_us += clock_mono_us() - before;
    return r;
}

/* Judged by all who are asked: what goes out is decided. */
static void weighed(struct exchange *x)
{
    struct record_notes *n = record_notes(x);
    int status = n->upstream_status;
    struct judge *j = x->completion;
    enum outcome outcome = j->refused      ? OUTCOME_CUT
                           : status >= 400 ? OUTCOME_UPSTREAM
                                           : OUTCOME_COMPLETE;
    n->status = !j->refused ? status
                : x->who.app->policy.refusal == REFUSAL_ERROR && j->action != ACTION_ANSWER
                    ? cause_status(CAUSE_CONTENT_FILTER)
                    : 200;
    bool theirs = status >= 400 && n->provider_refusal.len > 0;
    struct span reason = j->refused      ? span_str(cause_code(CAUSE_CONTENT_FILTER))
                         : theirs        ? span_str(cause_code(CAUSE_PROVIDER_REFUSED))
                         : status >= 400 ? span_str(cause_code(CAUSE_UPSTREAM_FAILED))
                                         : SPAN_NULL;
    record_act(x, j, reason);
    record_close(x, outcome, reason);
    exchange_await(x, send_answer);
}

static void answered(struct exchange *x)
{
    struct record_notes *n = record_notes(x);
    int status = n->upstream_status;
    struct dialect_event event = {0};
    purpose_keep(x, DIRECTION_COMPLETION, buf_span(&x->answer));
    int r = judge(x, &event);
    if (r < 0 && status >= 400) {
        /* An error page that is no JSON of the dialect's: nothing of it goes on. */
        exchange_fail(x, CAUSE_UPSTREAM_FAILED, OUTCOME_UPSTREAM);
        return;
    }
    if (exchange_shadows(x)) {
        shadow_answer(x, r, event.media);
        return;
    }
    if (r < 0) {
        exchange_fail(x,
                      r == -ENOMEM      ? CAUSE_OVERLOADED
                      : r == -EOVERFLOW ? CAUSE_JUDGE_FAILED
                                        : CAUSE_UPSTREAM_PROTOCOL,
                      OUTCOME_UPSTREAM);
        return;
    }
    /* With any other status clients would try again, up to three times. */
    if (provider_refused(&event) && (status < 400 || status > 403)) {
        exchange_fail(x, CAUSE_PROVIDER_REFUSED, OUTCOME_UPSTREAM);
        return;
    }
    if (x->asked.stream && status == 200) { /* a body is lost on clients that wait for events */
        exchange_fail(x, CAUSE_UPSTREAM_TYPE, OUTCOME_UPSTREAM);
        return;
    }
    if (event.kind == EVENT_ERROR && status == 200) {
        exchange_fail(x, CAUSE_UPSTREAM_FAILED, OUTCOME_UPSTREAM);
        return;
    }
    if (event.media && !purpose_allows_media(x)) {
        exchange_fail(x, CAUSE_MEDIA_DENIED, OUTCOME_CUT);
        return;
    }
    if (event.media)
        n->unjudged_media = true;
    if (!x->completion->refused) {
        r = opinion_answer(x);
        if (r < 0) {
            exchange_fail(x, CAUSE_OVERLOADED, OUTCOME_INTERNAL);
            return;
        }
        if (opinion_step(x))
            return;
    }
    opinion_await(x, weighed);
}

void gather_step(struct exchange *x, unsigned events)
{
    struct span data = http_fetch_data(x->fetch);
    if (data.len) {
        int r = buf_append(&x->answer, data);
        if (r < 0) {
            exchange_fail(x, r == -ENOMEM ? CAUSE_OVERLOADED : CAUSE_UPSTREAM_PROTOCOL,
                          OUTCOME_UPSTREAM);
            return;
        }
        http_fetch_consume(x->fetch, data.len);
        events |= x->fetch_events; /* consuming may have brought more */
        x->fetch_events = 0;
        if (http_fetch_data(x->fetch).len) {
            x->fetch_events |= events | HTTP_FETCH_DATA;
            exchange_post(x);
            return;
        }
    }
    if (!(events & HTTP_FETCH_END))
        return;
    record_notes(x)->upstream_end_us = clock_mono_us();
    if (http_fetch_result(x->fetch) == HTTP_FETCH_OK)
        answered(x);
    else
        exchange_fail(x, CAUSE_UPSTREAM_TRUNCATED, OUTCOME_TRUNCATED);
}
