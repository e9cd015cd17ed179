/* How many questions count towards the standard's minima. */
#include "question/banksaying.h"

#include <errno.h>
#include <stdlib.h>

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
    struct sayings said;
    *ret = (struct bank_counts){.wanted = {st->content_min, st->refuse_min, st->answer_min}};
    int r = sayings_read(b, SPAN_NULL, &said);
    if (r == 0)
        r = list_items(b, rules, ret);
    for (size_t i = 0; i < said.count && r == 0; i++) {
        struct bank_count *c = find(ret, said.list[i].question);
        c->count += !said.list[i].repeats;
        c->repeated += said.list[i].repeats;
        ret->totals[c->kind] += !said.list[i].repeats;
    }
    for (size_t i = 0; i < bank_count(b) && r == 0; i++)
        if (bank_at(b, i)->seed.len)
            find(ret, bank_at(b, i))->derived++;
    sayings_free(&said);
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
