#include "gate/exchange.h"

#include "audit/strikes.h"
#include "base/clock.h"
#include "gate/enduser.h"
#include "gate/label.h"
#include "gate/original.h"
#include "gate/sample.h"

#include <errno.h>
#include <stdio.h>

struct record {
    struct audit_subject subject;
    struct record_notes notes;
    char request_id[GATE_ID_SIZE];
    unsigned waiting;
    struct strike_entry strike; /* of the end user, carried by the next event if `has_strike` */
    bool has_strike;
    bool failed, closed;
    bool rejected; /* refused unread: on record as blocked, and counted as that */
};

int record_new(struct exchange *x)
{
    struct gate *g = x->gate;
    struct record *r = arena_alloc(&x->arena, sizeof(*r));
    if (!r)
        return -ENOMEM;
    x->record = r;
    r->notes.received_us = clock_wall_us();
    r->notes.start_us = clock_mono_us();
    r->subject.request_id = gate_request_id(g, r->request_id);
    return 0;
}

void record_free(struct record *r)
{
    /* lives in the arena */
}

/* An account without an end user is one of its own: what is remembered of it is nobody else's. */
static int describe_review(struct exchange *x, struct audit_subject *s)
{
    const struct purpose *p = &x->purpose;
    if (p->review == REVIEWER_NONE)
        return 0;
    s->purpose = reviewer_purpose_name(p->review);
    s->reviewer = span_str(p->reviewer);
    if (s->end_user.len)
        return 0;
    char *hash = arena_alloc(&x->arena, 65);
    struct span id = arena_printf(&x->arena, "reviewer %s", p->reviewer);
    if (!hash || !id.data)
        return -ENOMEM;
    access_hash_end_user(snapshot_access(x->snapshot), x->gate->hasher, id, hash);
    s->end_user = span_str(hash);
    return s->end_user.len ? 0 : -ENOMEM;
}

int record_subject(struct exchange *x)
{
    struct record *r = x->record;
    struct audit_subject *s = &r->subject;
    int e = enduser_describe(x, s);
    trace_read(x);
    s->trace_id = x->trace ? tracecontext_id(x->trace) : SPAN_NULL;
    s->app = x->who.app->name;
    s->key_id = x->who.key_id;
    s->model = x->asked.model;
    s->upstream = x->upstream ? x->upstream->name : SPAN_NULL;
    s->filing_number = x->model ? x->model->filing_number : SPAN_NULL;
    s->route = span_str(x->dialect->route);
    s->ruleset = ruleset_version(snapshot_rules(x->snapshot));
    s->mode = span_str(config_mode_name(x->purpose.mode));
    if (e == 0)
        e = describe_review(x, s);
    s->stream = x->asked.stream;
    return e;
}

static int submit(struct exchange *x, struct audit_event *e)
{
    struct record *r = x->record;
    if (!x->gate->audit)
        return 0;
    e->subject = &r->subject;
    if (r->has_strike && e->kind != AUDIT_CLOSE) {
        int64_t until;
        enum strike_state state = strike_state_at(&r->strike, clock_wall_s(), &until);
        e->strike = &r->strike;
        e->user_state = span_str(state == STRIKE_CLEAR ? "" : strike_state_name(state));
        e->strikes = r->strike.consecutive;
        e->strikes_today = strike_today(&r->strike, clock_wall_s());
        r->has_strike = false;
    }
    int rc = audit_submit(x->gate->audit, x->gate->port, x->id, e);
    if (rc < 0) {
        r->failed = true;
        return rc;
    }
    if (e->kind != AUDIT_OPEN)
        r->waiting++;
    return 0;
}

static void fill(struct exchange *x, struct audit_event *e)
{
    const struct record_notes *n = &x->record->notes;
    e->action = record_action(x);
    e->model_answered = n->model_answered;
    e->upstream_request_id = n->upstream_request_id;
    e->finish_reason = n->finish_reason;
    e->provider_refusal = n->provider_refusal;
    e->model_differs = n->model_differs;
    e->status = n->status;
    e->upstream_status = n->upstream_status;
    e->received_us = n->received_us;
    e->held_us = n->held_us;
    uint64_t now = clock_mono_us();
    e->total_us = now - n->start_us;
    if (n->asked_us)
        e->upstream_us = (n->upstream_end_us ? n->upstream_end_us : now) - n->asked_us;
    if (n->first_byte_us)
        e->first_byte_us = n->first_byte_us - n->start_us;
    if (x->prompt) {
        e->judge_us += x->prompt->judge_us;
        e->prompt_bytes = judge_bytes(x->prompt);
    }
    if (x->completion) {
        e->judge_us += x->completion->judge_us;
        e->completion_bytes = judge_bytes(x->completion);
    }
    e->unjudged_media = n->unjudged_media;
    opinion_tell(x, e);
}

int record_open(struct exchange *x)
{
    struct audit_event e = {.kind = AUDIT_OPEN};
    fill(x, &e);
    return submit(x, &e);
}

int record_rejection(struct exchange *x, struct span reason)
{
    struct audit_event e = {.kind = AUDIT_ACT, .reason = reason};
    fill(x, &e);
    e.action = ACTION_BLOCK;
    x->record->rejected = true;
    return submit(x, &e);
}

int record_act(struct exchange *x, struct judge *j, struct span reason)
{
    if (!j->unrecorded && !j->history.unrecorded) /* nearly always */
        return 0;
    struct audit_hit hits[JUDGE_FINDINGS_MAX];
    struct audit_offence offences[HISTORY_OFFENCES_MAX];
    struct originals_set originals;
    judge_describe(j);
    original_init(&originals, j);
    size_t count = 0;
    for (size_t i = 0; i < j->finding_count; i++)
        if (!j->findings[i].recorded) {
            original_add(&originals, j, &j->findings[i], count);
            hits[count++] = j->findings[i].record;
            j->findings[i].recorded = true;
        }
    size_t remembered = j->history.unrecorded ? history_remember(j, offences) : 0;
    bool nothing = count == 0 && !j->history.unrecorded;
    j->unrecorded = j->history.unrecorded = false;
    if (nothing)
        return 0;
    struct audit_event e = {.kind = AUDIT_ACT,
                            .hits = hits,
                            .hit_count = count,
                            .hits_left_out = j->finding_left,
                            .originals = originals.list,
                            .original_count = originals.count,
                            .reason = reason,
                            .offences = offences,
                            .offence_count = remembered};
    j->finding_left = 0;
    fill(x, &e);
    measure_findings(x, hits, count);
    return submit(x, &e);
}

void record_strike(struct exchange *x, const struct strike_entry *e)
{
    x->record->strike = *e;
    x->record->has_strike = true;
}

static struct audit_hit kept_text(enum direction direction, const struct buf *text)
{
    return (struct audit_hit){.direction = direction,
                              .role = direction == DIRECTION_PROMPT ? ROLE_USER : ROLE_ASSISTANT,
                              .action = ACTION_ALLOW,
                              .text = buf_span(text),
                              .kept = true};
}

/* What a reviewer asked, and what the model answered, both as they said it. */
static void record_kept(struct exchange *x)
{
    struct audit_hit hits[2];
    size_t count = 0;
    if (x->kept && x->kept->prompt.len)
        hits[count++] = kept_text(DIRECTION_PROMPT, &x->kept->prompt);
    if (x->kept && x->kept->answer.len)
        hits[count++] = kept_text(DIRECTION_COMPLETION, &x->kept->answer);
    struct audit_event e = {
        .kind = AUDIT_ACT, .hits = hits, .hit_count = count, .reason = SPAN_LIT("kept")};
    if (count == 0)
        return;
    fill(x, &e);
    submit(x, &e);
}

int record_sample(struct exchange *x, const struct audit_hit *hits, size_t count)
{
    struct audit_event e = {.kind = AUDIT_ACT,
                            .hits = hits,
                            .hit_count = count,
                            .sample = exchange_config(x)->audit.samples.purpose};
    fill(x, &e);
    return submit(x, &e);
}

int record_close(struct exchange *x, enum outcome outcome, struct span reason)
{
    struct record *r = x->record;
    if (r->closed)
        return 0;
    r->closed = true;
    record_kept(x);
    sample_close(x, outcome == OUTCOME_COMPLETE);
    opinion_stop(x);
    struct audit_event e = {.kind = AUDIT_CLOSE, .outcome = outcome, .reason = reason};
    fill(x, &e);
    /* Where nothing of a model's was shown there was nothing to label. */
    bool replaced =
        (x->completion && x->completion->refused && !x->relay) || (x->prompt && x->prompt->refused);
    e.label = x->completion && !replaced ? label_done(x) : SPAN_NULL;
    struct originals_set originals = {0};
    if (x->completion) {
        original_init(&originals, x->completion);
        original_add_rest(&originals, x->completion);
    }
    e.originals = originals.list;
    e.original_count = originals.count;
    e.retracted = r->notes.retracted;
    e.complete = outcome == OUTCOME_COMPLETE && !r->notes.unjudged_media && !r->notes.unjudged;
    struct audit_event counted = e;
    if (r->rejected)
        counted.action = ACTION_BLOCK;
    metrics_add(x->purpose.metrics, METRIC_ACTION_ALLOW + counted.action, 1);
    metrics_add(x->purpose.metrics, METRIC_OUTCOME_COMPLETE + outcome, 1);
    metrics_add(x->purpose.metrics, METRIC_BYTES_PROMPT, (int64_t)e.prompt_bytes);
    metrics_add(x->purpose.metrics, METRIC_BYTES_COMPLETION, (int64_t)e.completion_bytes);
    measure_close(x, &counted);
    return submit(x, &e);
}

void record_done(struct exchange *x, enum audit_kind kind, int status)
{
    struct record *r = x->record;
    if (kind == AUDIT_OPEN)
        return;
    if (r->waiting)
        r->waiting--;
    if (status < 0)
        r->failed = true;
    exchange_post(x);
}

void record_give_up(struct exchange *x)
{
    x->record->failed = true;
    x->record->waiting = 0;
}

unsigned record_waiting(const struct exchange *x)
{
    return x->record->waiting;
}

bool record_failed(const struct exchange *x)
{
    return x->record->failed;
}

bool record_closed(const struct exchange *x)
{
    return x->record->closed;
}

struct span record_request_id(const struct exchange *x)
{
    return x->record->subject.request_id;
}

struct span record_end_user(const struct exchange *x)
{
    return x->record->subject.end_user;
}

enum action record_action(const struct exchange *x)
{
    enum action a = x->prompt ? x->prompt->action : ACTION_ALLOW;
    if (x->completion && x->completion->action > a)
        a = x->completion->action;
    return a;
}

struct record_notes *record_notes(struct exchange *x)
{
    return &x->record->notes;
}
