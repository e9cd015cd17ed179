#include "gate/opinion.h"

#include "base/clock.h"
#include "base/utf8.h"
#include "gate/relay.h"
#include "gate/shadow.h"

#include <errno.h>
#include <stdlib.h>

/* Text of a question that its record may need. */
#define QUESTION_TEXT 1024

/* --- whom to ask --- */

/* A number that nobody outside can foresee; it need not be secret. */
static unsigned draw(const struct exchange *x, size_t row)
{
    uint64_t n = (x->gate->boot ^ x->id) + row * 0x9E3779B97F4A7C15u;
    n ^= n >> 30;
    n *= 0xBF58476D1CE4E5B9u;
    n ^= n >> 27;
    n *= 0x94D049BB133111EBu;
    return (unsigned)((n ^ n >> 31) % 100);
}

struct opinions *opinions_new(struct exchange *x)
{
    const struct config_policy *p = &x->who.app->policy;
    struct opinions *o = calloc(1, sizeof(*o));
    if (o)
        o->inquiries = calloc(2 * p->asking_count, sizeof(*o->inquiries));
    if (!o || !o->inquiries) {
        free(o);
        return NULL;
    }
    list_init(&o->questions);
    list_init(&o->stretches);
    o->prompt.max = o->utterances.max = SIZE_MAX / 4; /* at most what the body holds */
    for (size_t i = 0; i < p->asking_count; i++)
        if (p->askings[i].when == ASK_SAMPLED && draw(x, i) < p->askings[i].share)
            o->sampled |= UINT32_C(1) << i;
    return o;
}

static struct inquiry *inquiry_of(struct opinions *o, const struct config_opinion *source,
                                  enum direction direction)
{
    for (unsigned i = 0; i < o->count; i++)
        if (o->inquiries[i].source == source && o->inquiries[i].direction == direction)
            return &o->inquiries[i];
    struct inquiry *in = &o->inquiries[o->count++];
    *in = (struct inquiry){
        .source = source, .direction = direction, .timeout_ms = source->timeout_ms};
    list_init(&in->errands);
    return in;
}

/* Which rows have somebody asked now, in that direction; `asks`: those that rules have triggered.
 */
void opinion_activate(struct exchange *x, enum direction direction, uint32_t asks)
{
    struct opinions *o = x->opinions;
    const struct config_policy *p = &x->who.app->policy;
    for (size_t i = 0; i < p->asking_count; i++) {
        const struct config_asking *a = &p->askings[i];
        if (!config_asks(a, direction))
            continue;
        struct inquiry *in = inquiry_of(o, a->source, direction);
        bool now = a->when == ASK_ALWAYS || ((a->when == ASK_SAMPLED ? o->sampled : asks) >> i & 1);
        if (!now || in->rows >> i & 1)
            continue;
        in->rows |= UINT32_C(1) << i;
        in->closed = in->closed || a->closed;
        in->active = true;
        in->conversation = in->conversation || a->asks == ASK_CONVERSATION;
        if (a->release > in->release)
            in->release = a->release;
        if (a->timeout_ms && (!in->patient || a->timeout_ms < in->timeout_ms)) {
            in->timeout_ms = a->timeout_ms;
            in->patient = true;
        }
    }
}

/* --- questions --- */

struct question *question_new(struct exchange *x, unsigned inquiry, const struct question *about)
{
    size_t len = about->text.len < QUESTION_TEXT ? about->text.len : QUESTION_TEXT;
    len = utf8_floor(about->text, len);
    struct question *q = malloc(sizeof(*q) + len);
    if (!q)
        return NULL;
    *q = *about;
    q->x = x;
    q->inquiry = inquiry;
    q->ask = NULL;
    q->since_us = loop_now_us(x->gate->loop);
    if (len)
        memcpy(q->kept, about->text.data, len);
    q->text = span_from(q->kept, len);
    list_append(&x->opinions->questions, &q->link);
    return q;
}

void question_drop(struct question *q)
{
    struct inquiry *in = &q->x->opinions->inquiries[q->inquiry];
    in->busy -= q->piece;
    list_remove(&q->link);
    opinion_withdraw(q->ask);
    free(q);
}

static void answered(void *ctx, const struct opinion_answer *answer)
{
    struct question *q = ctx;
    q->ask = NULL;
    q->answer = *answer;
    exchange_post(q->x);
}

int opinion_inquire(struct exchange *x, unsigned inquiry, const struct opinion_question *q,
                    const struct question *about)
{
    const struct inquiry *in = &x->opinions->inquiries[inquiry];
    struct question *new = question_new(x, inquiry, about);
    if (!new)
        return -ENOMEM;
    int r = opinion_ask(x->gate->desk, in->source, q, in->timeout_ms, answered, new, &new->ask,
                        &new->answer);
    if (r == 1)
        opinion_settle(x, new);
    return 0;
}

/* --- waiting --- */

static bool waits_for(const struct exchange *x, enum direction directions)
{
    if (!x->opinions)
        return false;
    list_for_each (e, &x->opinions->questions) {
        const struct question *q = list_entry(e, struct question, link);
        if (x->opinions->inquiries[q->inquiry].direction & directions)
            return true;
    }
    for (unsigned i = 0; i < x->opinions->count; i++)
        if (x->opinions->inquiries[i].waiting && x->opinions->inquiries[i].direction & directions)
            return true;
    return false;
}

bool opinion_holds(const struct exchange *x)
{
    return (x->opinions && x->opinions->unjudged) || waits_for(x, DIRECTION_PROMPT);
}

bool opinion_waits(const struct exchange *x)
{
    return waits_for(x, DIRECTION_BOTH);
}

bool opinion_objected(const struct exchange *x)
{
    return x->opinions && x->opinions->objected;
}

void opinion_await(struct exchange *x, void (*fn)(struct exchange *x))
{
    if (!opinion_waits(x)) {
        fn(x);
        return;
    }
    x->state = EXCHANGE_WEIGHING;
    x->after = fn;
}

int opinion_hear(struct exchange *x)
{
    list_for_each_safe (e, next, &x->opinions->questions) {
        struct question *q = list_entry(e, struct question, link);
        if (!q->ask)
            opinion_settle(x, q);
    }
    return pieces_go_on(x);
}

bool opinion_step(struct exchange *x)
{
    struct opinions *o = x->opinions;
    if (o && exchange_shadows(x)) {
        shadow_listen(x);
        return false;
    }
    bool asking = x->state == EXCHANGE_ASKING || x->state == EXCHANGE_GATHERING ||
                  x->state == EXCHANGE_RELAYING || x->state == EXCHANGE_WEIGHING;
    if (!o || !asking || record_closed(x))
        return false;
    if (opinion_hear(x) < 0) {
        o->refused = true;
        o->why = CAUSE_OVERLOADED;
    }
    if (x->prompt->refused) {
        if (x->state != EXCHANGE_RELAYING || !relay_withhold(x))
            ask_refuse(x);
        return true;
    }
    if (o->refused) {
        o->refused = false;
        if (x->state == EXCHANGE_RELAYING)
            relay_fail(x, o->why, OUTCOME_REJECTED);
        else
            exchange_fail(x, o->why, OUTCOME_REJECTED);
        return true;
    }
    return false;
}

void opinion_stop(struct exchange *x)
{
    struct opinions *o = x->opinions;
    if (!o)
        return;
    while (!list_empty(&o->questions)) {
        struct question *q = list_entry(o->questions.next, struct question, link);
        const struct inquiry *in = &o->inquiries[q->inquiry];
        enum opinion_failure f = q->ask ? OPINION_WITHDRAWN : q->answer.failure;
        struct audit_opinion said = {.by = in->source->name,
                                     .direction = in->direction,
                                     .times = 1,
                                     .failed =
                                         span_str(opinion_failure_name(f ? f : OPINION_WITHDRAWN)),
                                     .us = loop_now_us(x->gate->loop) - q->since_us};
        opinion_note(o, &said);
        question_drop(q);
    }
    for (unsigned i = 0; i < o->count; i++)
        pieces_drop(&o->inquiries[i]);
    /* What was said about the prompt while its answer was on the way. */
    if (x->prompt && x->prompt->unrecorded && record_notes(x)->asked_us)
        record_act(x, x->prompt, SPAN_NULL);
}

void opinion_free(struct opinions *o)
{
    if (!o)
        return;
    while (!list_empty(&o->questions))
        question_drop(list_entry(o->questions.next, struct question, link));
    while (!list_empty(&o->stretches))
        stretch_free(list_entry(o->stretches.next, struct stretch, link));
    for (unsigned i = 0; i < o->count; i++)
        pieces_drop(&o->inquiries[i]);
    for (size_t i = 0; i < OPINION_CHOICES; i++)
        buf_deinit(&o->answers[i]);
    buf_deinit(&o->prompt);
    buf_deinit(&o->utterances);
    free(o->inquiries);
    free(o);
}
