#include "question/banksaying.h"

#include "match/matchset.h"

#include <errno.h>
#include <stdlib.h>

#define FOLDED_BYTES_MAX (512u << 20)

static int compare_keys(enum bank_kind a_kind, struct span a, enum bank_kind b_kind, struct span b)
{
    int c = (a_kind > b_kind) - (a_kind < b_kind);
    return c ? c : span_compare(a, b);
}

static int compare(const void *a, const void *b)
{
    const struct saying *x = a, *y = b;
    int c = compare_keys(x->question->kind, x->folded, y->question->kind, y->folded);
    return c ? c : (x->question > y->question) - (x->question < y->question);
}

int sayings_fold(struct span text, struct buf *room)
{
    buf_clear(room);
    int r = match_fold(text, room);
    return r == 0 && room->len == 0 ? buf_append(room, text) : r;
}

int sayings_read(const struct bank *b, struct span except, struct sayings *ret)
{
    struct buf room = BUF_INIT(SAYINGS_FOLDED_MAX);
    *ret = (struct sayings){.list = reallocarray(NULL, bank_count(b) + 1, sizeof(*ret->list))};
    arena_init(&ret->arena, FOLDED_BYTES_MAX);
    int r = ret->list ? 0 : -ENOMEM;
    for (size_t i = 0; i < bank_count(b) && r == 0; i++) {
        const struct question *q = bank_at(b, i);
        if (q->seed.len || (except.len && span_eq(q->place.file, except)))
            continue;
        r = sayings_fold(q->text, &room);
        struct saying s = {.question = q};
        if (r == 0)
            s.folded = arena_copy(&ret->arena, buf_span(&room));
        if (r == 0 && !s.folded.data)
            r = -ENOMEM;
        if (r == 0)
            ret->list[ret->count++] = s;
    }
    buf_deinit(&room);
    if (r == 0 && ret->count)
        qsort(ret->list, ret->count, sizeof(*ret->list), compare);
    for (size_t i = 1; i < ret->count; i++) {
        struct saying *s = &ret->list[i];
        s->repeats = s->question->kind == s[-1].question->kind && span_eq(s->folded, s[-1].folded);
    }
    return r;
}

void sayings_free(struct sayings *s)
{
    free(s->list);
    arena_deinit(&s->arena);
}

const struct question *sayings_find(const struct sayings *s, enum bank_kind kind,
                                    struct span folded)
{
    size_t low = 0, high = s->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct saying *at = &s->list[middle];
        if (compare_keys(at->question->kind, at->folded, kind, folded) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    const struct saying *at = &s->list[low];
    return low < s->count && compare_keys(at->question->kind, at->folded, kind, folded) == 0
               ? at->question
               : NULL;
}
