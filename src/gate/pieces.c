/*
 * Whole texts as they are asked about, in as many pieces as it takes; answers that are not
 * streamed.
 */
#include "gate/opinion.h"

#include "base/utf8.h"

#include <errno.h>

int pieces_put(struct exchange *x, unsigned inquiry, struct span text, struct span path,
               enum role role)
{
    const struct inquiry *in = &x->opinions->inquiries[inquiry];
    size_t max = in->source->text_bytes;
    int r = 0;
    size_t from = 0;
    for (unsigned i = 0; r == 0 && from < text.len; i++) {
        size_t to = from + max < text.len ? utf8_floor(text, from + max) : text.len;
        struct question about = {
            .from = from, .to = to, .role = role, .path = path, .text = span_slice(text, from, to)};
        struct opinion_question q = {.direction = in->direction, .text = about.text};
        if (in->direction == DIRECTION_COMPLETION)
            q.prompt = opinion_context(x, in);
        if (i < OPINION_PIECES) {
            r = opinion_inquire(x, inquiry, &q, &about);
        } else { /* nobody asks so much: then it is not judged */
            struct question *late = question_new(x, inquiry, &about);
            if (!late)
                return -ENOMEM;
            late->answer = (struct opinion_answer){.failure = OPINION_TOO_LONG};
            opinion_settle(x, late);
            break;
        }
        /* What stands across the end of one piece is whole in the next. */
        from = to < text.len ? utf8_floor(text, to - max / 10) : to;
    }
    return r;
}

/* --- an answer that is not streamed --- */

struct answer {
    struct buf texts[32]; /* by choice */
};

static int see_answer(void *ctx, const struct text_item *item)
{
    struct answer *a = ctx;
    if (item->field == FIELD_OTHER || item->field == FIELD_LOGPROBS || item->text.len == 0)
        return 0;
    if (item->choice >= sizeof(a->texts) / sizeof(*a->texts))
        return -EPROTO;
    struct buf *text = &a->texts[item->choice];
    text->max = SIZE_MAX / 4; /* the answer has its ceiling */
    int r = text->len ? buf_append_char(text, '\n') : 0;
    return r < 0 ? r : buf_append(text, item->text);
}

int opinion_answer(struct exchange *x)
{
    struct opinions *o = x->opinions;
    struct answer a = {0};
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
                                    see_answer, &a);
    arena_deinit(&scratch);
    for (unsigned c = 0; r == 0 && c < sizeof(a.texts) / sizeof(*a.texts); c++) {
        struct span path = arena_printf(&x->arena, "choices[%u]", c);
        for (unsigned i = 0; r == 0 && a.texts[c].len && i < o->count; i++)
            if (o->inquiries[i].active && o->inquiries[i].direction == DIRECTION_COMPLETION)
                r = pieces_put(x, i, buf_span(&a.texts[c]), path, ROLE_ASSISTANT);
    }
    for (unsigned c = 0; c < sizeof(a.texts) / sizeof(*a.texts); c++)
        buf_deinit(&a.texts[c]);
    return r;
}
