#include "match/near.h"

#include <errno.h>
#include <stdlib.h>

static int grow(void **list, uint32_t *cap, uint32_t need, size_t size)
{
    if (need <= *cap)
        return 0;
    uint32_t wider = 2 * need > 8 ? 2 * need : 8;
    void *bigger = reallocarray(*list, wider, size);
    if (!bigger)
        return -ENOMEM;
    *list = bigger;
    *cap = wider;
    return 0;
}

int near_rules_add(struct near_rules *n, const struct match_near *near, uint32_t rule,
                   enum direction direction, uint32_t *ret_near)
{
    if (grow((void **)&n->rules, &n->cap, n->count + 1, sizeof(*n->rules)) < 0 ||
        grow((void **)&n->slot_rules, &n->slot_cap, n->slot_count + near->slots,
             sizeof(*n->slot_rules)) < 0)
        return -ENOMEM;
    n->rules[n->count] = (struct near_rule){.rule = rule,
                                            .first_slot = (uint32_t)n->slot_count,
                                            .slots = (uint8_t)near->slots,
                                            .direction = (uint8_t)direction,
                                            .within = (uint16_t)near->within,
                                            .ordered = near->ordered};
    for (unsigned i = 0; i < near->slots; i++)
        n->slot_rules[n->slot_count++] = (uint32_t)n->count;
    *ret_near = (uint32_t)n->count++;
    return 0;
}

void near_rules_deinit(struct near_rules *n)
{
    free(n->rules);
    free(n->slot_rules);
    *n = (struct near_rules){0};
}

struct near *near_new(const struct near_rules *rules)
{
    struct near *n = calloc(1, sizeof(*n));
    if (n)
        n->rules = rules;
    return n;
}

void near_free(struct near *n)
{
    if (n)
        free(n->seen);
    free(n);
}

size_t near_bytes(const struct near *n)
{
    return sizeof(*n) + n->cap * sizeof(*n->seen);
}

void near_clear(struct near *n)
{
    n->count = 0;
}

static struct near_seen *find(const struct near *n, uint32_t slot)
{
    for (size_t i = 0; i < n->count; i++)
        if (n->seen[i].slot == slot)
            return &n->seen[i];
    return NULL;
}

/* The stretch that a rule's slots take up. */
struct window {
    uint64_t from, to;
};

/* The latest word of the slot that does not overlap with from..to, nor, if ordered, comes behind.
 */
static const struct near_word *find_apart(const struct near *n, uint32_t slot, bool ordered,
                                          uint64_t from, uint64_t to)
{
    const struct near_seen *seen = find(n, slot);
    for (uint32_t i = 0; seen && i < seen->count; i++)
        if (seen->words[i].to <= from || (!ordered && seen->words[i].from >= to))
            return &seen->words[i];
    return NULL;
}

/*
 * The window with a word of the slot at from..to; false when another slot is missing. Words that
 * overlap are not two: so a word that has begun can't become part of a rule because of one that
 * ends later.
 */
static bool window_of(const struct near *n, const struct near_rule *r, uint32_t slot, uint64_t from,
                      uint64_t to, struct window *ret)
{
    *ret = (struct window){from, to};
    if (r->ordered) {
        if (slot == r->first_slot)
            return true;
        const struct near_word *before = find_apart(n, slot - 1, true, from, to);
        if (!before)
            return false;
        ret->from = before->chain;
        return true;
    }
    for (uint32_t other = r->first_slot; other < r->first_slot + r->slots; other++) {
        if (other == slot)
            continue;
        const struct near_word *word = find_apart(n, other, false, from, to);
        if (!word)
            return false;
        ret->from = word->from < ret->from ? word->from : ret->from;
        ret->to = word->to > ret->to ? word->to : ret->to;
    }
    return true;
}

static bool completes(const struct near_rule *r, uint32_t slot, const struct window *w,
                      enum direction direction)
{
    bool last = !r->ordered || slot == r->first_slot + r->slots - 1u;
    return last && (r->direction & direction) && w->to - w->from <= r->within;
}

bool near_would(const struct near *n, uint32_t slot, uint64_t from, uint64_t to,
                enum direction direction)
{
    const struct near_rule *r = &n->rules->rules[n->rules->slot_rules[slot]];
    struct window w;
    return n->count && window_of(n, r, slot, from, to, &w) && completes(r, slot, &w, direction);
}

/* What can complete nothing any more makes room. */
static void forget(struct near *n, uint64_t now)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < n->count; i++) {
        const struct near_rule *r = &n->rules->rules[n->rules->slot_rules[n->seen[i].slot]];
        uint64_t since = 0;
        for (uint32_t k = 0; k < n->seen[i].count; k++) {
            const struct near_word *word = &n->seen[i].words[k];
            uint64_t from = r->ordered ? word->chain : word->from;
            since = from > since ? from : since;
        }
        if (now <= since || now - since <= r->within)
            n->seen[kept++] = n->seen[i];
    }
    n->count = kept;
}

int near_see(struct near *n, uint32_t slot, uint64_t from, uint64_t to, enum direction direction)
{
    const struct near_rule *r = &n->rules->rules[n->rules->slot_rules[slot]];
    struct window w;
    forget(n, to);
    bool whole = window_of(n, r, slot, from, to, &w);
    bool complete = whole && completes(r, slot, &w, direction);
    if (r->ordered && !whole)
        return 0;
    struct near_seen *seen = find(n, slot);
    if (!seen) {
        if (grow((void **)&n->seen, &n->cap, n->count + 1, sizeof(*n->seen)) < 0)
            return -ENOMEM;
        seen = &n->seen[n->count++];
        *seen = (struct near_seen){.slot = slot};
    }
    seen->words[1] = seen->words[0];
    seen->words[0] = (struct near_word){from, to, r->ordered ? w.from : from};
    seen->count = seen->count ? 2 : 1;
    return complete;
}
