/* Complete words, and when they are certain. */
#include "match/reading.h"

#include <errno.h>
#include <stdlib.h>

static const struct lane *lane_of(const struct cursor *c, const struct found *f)
{
    unsigned i = 0;
    while (c->set->lenses[i] != f->lane)
        i++;
    return &c->lane[i];
}

static bool found_counts(const struct cursor *c, const struct found *f)
{
    return !(f->ref & OUTPUT_ALLOW) &&
           ((f->ref & OUTPUT_SLOT) || (f->ref >> OUTPUT_DIRECTION_SHIFT & c->direction));
}

/*
 * Of one word's readings that end alike the last to begin counts; of equal ones the first. The same
 * holds for an allow phrase in each lane: it covers within its lane alone.
 */
static bool outdone(const struct found *list, size_t count, size_t i)
{
    const struct found *f = &list[i];
    for (size_t j = 0; j < count; j++) {
        bool same =
            j != i && list[j].ref == f->ref && list[j].end == f->end &&
            (!(f->ref & OUTPUT_ALLOW) || (list[j].place == f->place && list[j].lane == f->lane));
        if (same && (list[j].start > f->start || (list[j].start == f->start && j < i)))
            return true;
    }
    return false;
}

/* Marks what the complete allow phrase covers; what is covered is no slot's word any more. */
static void cover(const struct found *allow, struct found *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct found *f = &list[i];
        if (!(f->ref & OUTPUT_ALLOW) && f->lane == allow->lane && f->start >= allow->start &&
            f->end <= allow->end && f->length < allow->length) {
            if (!f->covered || f->to - f->from < allow->end - allow->start) {
                f->from = allow->start;
                f->to = allow->end;
            }
            f->covered = true;
        }
    }
}

static void wait(struct cursor *c, const struct found *f, unsigned moment)
{
    if (c->waiting_count == c->waiting_cap) {
        uint32_t cap = c->waiting_cap ? 2 * c->waiting_cap : 8;
        struct found *list = realloc(c->waiting, cap * sizeof(*list));
        if (!list) {
            moment_fail(&c->moment, -ENOMEM, f->start);
            return;
        }
        c->waiting = list;
        c->waiting_cap = cap;
    }
    c->waiting[c->waiting_count] = *f;
    c->waiting[c->waiting_count++].moment = (uint8_t)moment;
}

static int compare_found(const void *x, const void *y)
{
    const struct found *a = x, *b = y;
    if (a->start != b->start)
        return a->start < b->start ? -1 : 1;
    if (a->end != b->end)
        return a->end > b->end ? -1 : 1;
    if (a->ref != b->ref)
        return a->ref < b->ref ? -1 : 1;
    return (a->lane > b->lane) - (a->lane < b->lane);
}

/* Of words of one slot that end alike, too, the last to begin counts; of equal ones the last. */
static bool slot_outdone(const struct cursor *c, const struct found *f, const struct found *end,
                         uint32_t slot)
{
    for (const struct found *g = f + 1; g < end; g++)
        if (g->end == f->end && g->moment == f->moment && (g->ref & OUTPUT_SLOT) &&
            near_stands(&c->set->near, g->ref & OUTPUT_RULE_MAX, slot))
            return true;
    return false;
}

/* The word stands in slots: each may complete its rule. Behind it those told in the same moment. */
static int tell_slots(struct cursor *c, const struct found *f, const struct found *last,
                      struct hit *hit)
{
    const struct near_place *end, *p = near_places(&c->set->near, hit->rule, &end);
    uint32_t told = UINT32_MAX; /* a word in two slots of a rule completes it once */
    for (; p < end; p++) {
        if (f + 1 < last && slot_outdone(c, f, last, p->slot))
            continue;
        int r = near_see(c->near, p->slot, f->from, f->to, c->direction);
        if (r < 0)
            moment_fail(&c->moment, r, f->start);
        if (r > 0 && told == c->set->near.slot_rules[p->slot])
            r = 0;
        if (r > 0) {
            told = c->set->near.slot_rules[p->slot];
            hit->rule = near_rule_of(&c->set->near, p->slot);
            r = c->receiver->fn(c->receiver->ctx, hit);
        }
        if (r)
            return r;
    }
    return 0;
}

static int tell(struct cursor *c, const struct found *f, const struct found *last)
{
    struct hit hit = {
        .start = f->start, .end = f->end, .rule = f->ref & OUTPUT_RULE_MAX, .layers = f->layers};
    if (f->ref & OUTPUT_SLOT)
        return tell_slots(c, f, last, &hit);
    return c->receiver->fn(c->receiver->ctx, &hit);
}

/* Tells what is certain, in order. */
static int tell_all(struct cursor *c, struct found *list, size_t count)
{
    if (count > 1)
        qsort(list, count, sizeof(*list), compare_found);
    for (size_t i = 0; i < count; i++) {
        int r = tell(c, &list[i], list + count);
        if (r)
            return r;
    }
    return 0;
}

static void tell_saved(struct cursor *c, const struct found *f)
{
    if (!c->saved)
        return;
    bool slot = (f->ref & OUTPUT_SLOT) != 0;
    uint32_t rule = f->ref & OUTPUT_RULE_MAX;
    if (slot) {
        const struct near_place *end; /* of the rules that it is a word of, the first */
        rule = near_rule_of(&c->set->near, near_places(&c->set->near, rule, &end)->slot);
    }
    struct saved saved = {
        .hit = {f->start, f->end, rule, f->layers},
        .slot = slot,
        .from = f->from,
        .to = f->to,
    };
    c->saved->fn(c->saved->ctx, &saved);
}

/* Must it wait, with `slots`: other slots wait before it? */
static bool must_wait(const struct cursor *c, const struct found *f, bool slots)
{
    return c->set->allows &&
           ((slots && (f->ref & OUTPUT_SLOT)) || lane_may_allow(lane_of(c, f), f->start));
}

/* Sorts out the complete words of this moment and those that waited. */
static int settle(struct cursor *c)
{
    struct moment *m = &c->moment;
    uint32_t certain = 0, kept = 0;
    bool slots = false;
    if (c->set->allows) {
        for (size_t i = 0; i < m->count; i++) {
            if (!(m->found[i].ref & OUTPUT_ALLOW) || outdone(m->found, m->count, i))
                continue;
            cover(&m->found[i], m->found, m->count);
            cover(&m->found[i], c->waiting, c->waiting_count);
        }
    }
    uint32_t fresh = m->count;
    for (uint32_t i = 0; i < fresh; i++) {
        struct found f = m->found[i];
        if (!found_counts(c, &f) || (fresh > 1 && outdone(m->found, fresh, i)))
            continue;
        if (f.covered)
            tell_saved(c, &f);
        else
            wait(c, &f,
                 m->number); /* the others are asked all the same: all that is lost must be noted */
    }
    m->count = 0;
    m->number++;
    if (m->error)
        return m->error;
    if (c->waiting_count > m->cap) {
        struct found *found = realloc(m->found, c->waiting_cap * sizeof(*found));
        if (!found)
            return -ENOMEM;
        m->found = found;
        m->cap = c->waiting_cap;
    }
    for (size_t i = 0; i < c->waiting_count; i++) {
        struct found f = c->waiting[i];
        if (f.covered) {
            tell_saved(c, &f);
        } else if (must_wait(c, &f, slots)) {
            slots |= (f.ref & OUTPUT_SLOT) != 0;
            c->waiting[kept++] = f;
        } else {
            m->found[certain++] = f;
        }
    }
    c->waiting_count = kept;
    return tell_all(c, m->found, certain);
}

/* Behind each moment: 0, what a hit's receiver answered, or an error. */
int cursor_settle(struct cursor *c)
{
    struct moment *m = &c->moment;
    if (m->error)
        return m->error;
    return m->count || c->waiting_count ? settle(c) : 0;
}
