/* How many questions count towards the standard's minima. */
#include "filing/bank.h"

#include "base/arena.h"
#include "match/matchset.h"

#include <errno.h>
#include <stdlib.h>

/* A question and what it says, however it is written. */
struct saying {
    const struct question *question;
    struct span folded;
    bool repeats;
};

#define FOLDED_BYTES_MAX (512u << 20)

/* The same words of one kind beside each other, the one that stands first in the bank first. */
static int compare(const void *a, const void *b)
{
    const struct saying *x = a, *y = b;
    int c = (x->question->kind > y->question->kind) - (x->question->kind < y->question->kind);
    if (c == 0)
        c = span_compare(x->folded, y->folded);
    return c ? c : (x->question > y->question) - (x->question < y->question);
}

/* A text without letters is told apart by its bytes: nothing is left of it by folding. */
static int fold(struct arena *arena, struct buf *room, struct saying *s)
{
    buf_clear(room);
    int r = match_fold(s->question->text, room);
    if (r < 0)
        return r == -ENOMEM ? r : -EINVAL;
    s->folded = arena_copy(arena, room->len ? buf_span(room) : s->question->text);
    return s->folded.data ? 0 : -ENOMEM;
}

/* *ret_list: those that count, with `repeats`; freed by the caller. */
static int read_sayings(const struct bank *b, struct arena *arena, struct saying **ret_list,
                        size_t *ret_count)
{
    struct saying *list = reallocarray(NULL, bank_count(b) + 1, sizeof(*list));
    struct buf room = BUF_INIT(16 * BANK_TEXT_MAX);
    size_t count = 0;
    int r = list ? 0 : -ENOMEM;
    for (size_t i = 0; i < bank_count(b) && r == 0; i++) {
        if (bank_at(b, i)->seed.len)
            continue;
        list[count] = (struct saying){.question = bank_at(b, i)};
        r = fold(arena, &room, &list[count++]);
    }
    buf_deinit(&room);
    if (r < 0) {
        free(list);
        return r;
    }
    qsort(list, count, sizeof(*list), compare);
    for (size_t i = 1; i < count; i++)
        list[i].repeats = list[i].question->kind == list[i - 1].question->kind &&
                          span_eq(list[i].folded, list[i - 1].folded);
    *ret_list = list;
    *ret_count = count;
    return 0;
}

static unsigned wanted_of(const struct bank_count *c)
{
    return c->kind == BANK_CONTENT  ? c->risk->content_min
           : c->kind == BANK_REFUSE ? c->risk->refuse_min
                                    : c->aspect->answer_min;
}

static bool is_of(const struct bank_count *c, const struct question *q)
{
    return c->kind == q->kind && c->risk == q->risk && c->aspect == q->aspect;
}

static struct bank_count *find(struct bank_counts *c, const struct question *q)
{
    size_t i = 0;
    while (i < c->count && !is_of(&c->items[i], q))
        i++;
    return i < c->count ? &c->items[i] : NULL;
}

/* Those that the standard asks for, and those that there are although it doesn't. */
static void add_item(struct bank_counts *c, struct bank_count item, const struct bank *b)
{
    bool there = wanted_of(&item) > 0;
    item.wanted = wanted_of(&item);
    for (size_t i = 0; i < bank_count(b) && !there; i++)
        there = is_of(&item, bank_at(b, i));
    if (there)
        c->items[c->count++] = item;
}

static int list_items(const struct bank *b, const struct ruleset *rules, struct bank_counts *c)
{
    size_t risks = ruleset_risk_count(rules), aspects = ruleset_aspect_count(rules);
    c->items = reallocarray(NULL, 2 * risks + aspects + 1, sizeof(*c->items));
    if (!c->items)
        return -ENOMEM;
    for (enum bank_kind k = BANK_CONTENT; k <= BANK_REFUSE; k++)
        for (size_t i = 0; i < risks; i++)
            add_item(c, (struct bank_count){.kind = k, .risk = ruleset_risk(rules, i)}, b);
    for (size_t i = 0; i < aspects; i++)
        add_item(c, (struct bank_count){.kind = BANK_ANSWER, .aspect = ruleset_aspect(rules, i)},
                 b);
    return 0;
}

int bank_count_all(const struct bank *b, const struct ruleset *rules, struct bank_counts *ret)
{
    const struct standard *st = ruleset_standard(rules);
    struct arena arena;
    struct saying *list = NULL;
    size_t count = 0;
    *ret = (struct bank_counts){.wanted = {st->content_min, st->refuse_min, st->answer_min}};
    arena_init(&arena, FOLDED_BYTES_MAX);
    int r = list_items(b, rules, ret);
    if (r == 0)
        r = read_sayings(b, &arena, &list, &count);
    for (size_t i = 0; i < count; i++) {
        struct bank_count *c = find(ret, list[i].question);
        c->count += !list[i].repeats;
        c->repeated += list[i].repeats;
        ret->totals[c->kind] += !list[i].repeats;
    }
    for (size_t i = 0; i < bank_count(b) && r == 0; i++)
        if (bank_at(b, i)->seed.len)
            find(ret, bank_at(b, i))->derived++;
    free(list);
    arena_deinit(&arena);
    if (r < 0)
        bank_counts_free(ret);
    return r;
}

void bank_counts_free(struct bank_counts *c)
{
    free(c->items);
    *c = (struct bank_counts){0};
}

bool bank_is_sufficient(const struct bank_counts *c)
{
    for (enum bank_kind k = 0; k < BANK_KINDS; k++)
        if (c->totals[k] < c->wanted[k])
            return false;
    for (size_t i = 0; i < c->count; i++)
        if (c->items[i].count < c->items[i].wanted)
            return false;
    return true;
}
