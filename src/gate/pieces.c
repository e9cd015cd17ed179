/*
 * Whole texts as they are asked about, in as many pieces as it takes: so many of them at one time,
 * in order. Answers that are not streamed.
 */
#include "gate/opinion.h"

#include "base/utf8.h"

#include <errno.h>
#include <stdlib.h>

/* A piece that is still to be asked about. */
struct errand {
    struct list link;
    struct span text; /* the whole of it; stays as long as the opinions */
    size_t from, to;
    size_t utterance;
    struct span path;
    enum role role;
};

int pieces_add(struct exchange *x, unsigned inquiry, size_t utterance, struct span text,
               struct span path, enum role role)
{
    struct inquiry *in = &x->opinions->inquiries[inquiry];
    size_t max = in->source->text_bytes;
    for (size_t from = 0; from < text.len;) {
        size_t to = from + max < text.len ? utf8_floor(text, from + max) : text.len;
        struct errand *e = malloc(sizeof(*e));
        if (!e)
            return -ENOMEM;
        *e = (struct errand){.text = text,
                             .from = from,
                             .to = to,
                             .utterance = utterance,
                             .path = path,
                             .role = role};
        list_append(&in->errands, &e->link);
        in->waiting++;
        /* What stands across the end of one piece is whole in the next. */
        from = to < text.len ? utf8_floor(text, to - max / 10) : to;
    }
    return 0;
}

static struct errand *take(struct inquiry *in)
{
    struct errand *e = list_entry(in->errands.next, struct errand, link);
    list_remove(&e->link);
    in->waiting--;
    return e;
}

void pieces_drop(struct inquiry *in)
{
    while (in->waiting)
        free(take(in));
}

int pieces_bound(struct exchange *x, unsigned inquiry)
{
    struct inquiry *in = &x->opinions->inquiries[inquiry];
    if (in->waiting <= in->source->pieces)
        return 0;
    const struct errand *first = list_entry(in->errands.next, struct errand, link);
    struct question about = {.piece = false,
                             .utterance = first->utterance,
                             .role = first->role,
                             .path = first->path,
                             .text = span_slice(first->text, first->from, first->to)};
    struct question *q = question_new(x, inquiry, &about);
    if (!q)
        return -ENOMEM;
    /* What was said last is what the model answers to. */
    while (in->waiting > in->source->pieces)
        free(take(in));
    q->answer = (struct opinion_answer){.failure = OPINION_TOO_LONG};
    opinion_settle(x, q);
    return 0;
}

static int ask(struct exchange *x, unsigned inquiry, const struct errand *e)
{
    struct inquiry *in = &x->opinions->inquiries[inquiry];
    struct opinion_turn turns[OPINION_TURNS_MAX];
    struct question about = {.piece = true,
                             .utterance = e->utterance,
                             .from = e->from,
                             .to = e->to,
                             .role = e->role,
                             .path = e->path,
                             .text = span_slice(e->text, e->from, e->to)};
    struct opinion_question q = {.direction = in->direction, .role = e->role, .text = about.text};
    conversation_context(x, in, e->utterance, turns, &q);
    in->busy++;
    int r = opinion_inquire(x, inquiry, &q, &about);
    if (r < 0)
        in->busy--;
    return r;
}

int pieces_go_on(struct exchange *x)
{
    struct opinions *o = x->opinions;
    int r = 0;
    for (unsigned i = 0; i < o->count; i++) {
        struct inquiry *in = &o->inquiries[i];
        while (r == 0 && in->waiting && in->busy < in->source->concurrency && in->active &&
               !o->refused && !x->prompt->refused) {
            struct errand *e = take(in);
            r = ask(x, i, e);
            free(e);
        }
        if (r < 0 || !in->active || o->refused || x->prompt->refused)
            pieces_drop(in); /* decided, or left to the local rules */
    }
    return r;
}

/* --- an answer that is not streamed --- */

/* A text_item_fn. */
static int see_answer(void *ctx, const struct text_item *item)
{
    struct opinions *o = ctx;
    if (item->field == FIELD_OTHER || item->field == FIELD_LOGPROBS || item->text.len == 0)
        return 0;
    if (item->choice >= OPINION_CHOICES)
        return -EPROTO;
    struct buf *text = &o->answers[item->choice];
    text->max = SIZE_MAX / 4; /* the answer has its ceiling */
    int r = text->len ? buf_append_char(text, '\n') : 0;
    return r < 0 ? r : buf_append(text, item->text);
}

static int put(struct exchange *x, unsigned inquiry)
{
    struct opinions *o = x->opinions;
    int r = 0;
    for (unsigned c = 0; r == 0 && c < OPINION_CHOICES; c++)
        if (o->answers[c].len)
            r = pieces_add(x, inquiry, CONVERSATION_ANSWER, buf_span(&o->answers[c]),
                           arena_printf(&x->arena, "choices[%u]", c), ROLE_ASSISTANT);
    return r == 0 ? pieces_bound(x, inquiry) : r;
}

int opinion_answer(struct exchange *x)
{
    struct opinions *o = x->opinions;
    if (!o)
        return 0;
    opinion_activate(x, DIRECTION_COMPLETION, x->completion->asks);
    bool any = false;
    for (unsigned i = 0; i < o->count; i++)
        any = any || (o->inquiries[i].active && o->inquiries[i].direction == DIRECTION_COMPLETION);
    if (!any)
        return 0;
    struct dialect_event again;
    struct dialect_error error;
    struct arena scratch;
    arena_init(&scratch, 64u << 20);
    int r = x->dialect->read_answer(x->gate->walk, buf_span(&x->answer), &scratch, &again, &error,
                                    see_answer, o);
    arena_deinit(&scratch);
    for (unsigned i = 0; r == 0 && i < o->count; i++)
        if (o->inquiries[i].active && o->inquiries[i].direction == DIRECTION_COMPLETION)
            r = put(x, i);
    return r == 0 ? pieces_go_on(x) : r;
}
