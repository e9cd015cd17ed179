/* Up to where a text may be forwarded. */
#include "match/reading.h"

struct would {
    const struct cursor *cursor;
    const struct lane_item *item;
};

static uint64_t item_from(const struct cursor *c, const struct lane_item *item)
{
    uint64_t now = c->moment.now;
    return now - (uint32_t)((uint32_t)now - item->seen);
}

/* Does another slot of one of the word's rules wait that ended before `from`? It is seen first. */
static bool slot_waits(const struct cursor *c, uint32_t word, uint64_t from)
{
    for (size_t i = 0; i < c->waiting_count; i++) {
        const struct found *f = &c->waiting[i];
        if ((f->ref & OUTPUT_SLOT) && f->to <= from &&
            near_rules_share(&c->set->near, f->ref & OUTPUT_RULE_MAX, word))
            return true;
    }
    return false;
}

/* Would a slot's word at from..to complete a rule? */
static bool slot_holds(const struct cursor *c, uint32_t word, uint64_t from, uint64_t to)
{
    const struct near_place *end, *p = near_places(&c->set->near, word, &end);
    for (; p < end && c->near->count; p++)
        if (near_would(c->near, p->slot, from, to, c->direction))
            return true;
    return slot_waits(c, word, from);
}

static bool would_complete(void *ctx, uint32_t word, unsigned least)
{
    const struct would *w = ctx;
    return slot_holds(w->cursor, word, item_from(w->cursor, w->item),
                      w->cursor->moment.now + least);
}

/* May the item become a slot that completes a near rule? */
static bool may_complete(const struct cursor *c, const struct lane *l, const struct lane_item *item)
{
    struct would w = {c, item};
    enum growth how = lane_growth(item);
    if (!c->near || (c->near->count == 0 && c->waiting_count == 0))
        return false;
    return trie_slots(l->trie, item->place, item->kind, item->length, how, would_complete, &w) ||
           (how != GROWTH_ANY && trie_slots(l->trie, item->place, item->kind, item->length,
                                            GROWTH_WORD, would_complete, &w));
}

/* Would the complete word count if it ended here? */
static bool open_counts(const struct cursor *c, const struct lane *l, const struct lane_item *item)
{
    uint32_t ref;
    if (!trie_output(l->trie, item->place, &ref))
        return false;
    if (!lane_convinces(l, item) && item->kind != SYMBOL_LETTER)
        return false; /* and no letter is left to say again */
    struct output one = {.ref = ref | OUTPUT_LAST};
    const struct output *o = ref & OUTPUT_LIST ? &l->trie->outputs[ref & ~OUTPUT_LIST] : &one;
    for (;; o++) {
        bool counts =
            o->ref & OUTPUT_SLOT
                ? would_complete(&(struct would){c, item}, o->ref & OUTPUT_RULE_MAX, 0)
                : !(o->ref & OUTPUT_ALLOW) && (o->ref >> OUTPUT_DIRECTION_SHIFT & c->direction);
        if (counts && lane_counts(item, o->ref) && !lane_covers(l, item))
            return true;
        if (o->ref & OUTPUT_LAST)
            return false;
    }
}

static bool item_holds(const struct cursor *c, const struct lane *l, const struct lane_item *item)
{
    unsigned who = lane_grows(l, item);
    if (who & c->direction)
        return true;
    if ((who & WHO_SLOT) && may_complete(c, l, item))
        return true;
    return (item->flags & ITEM_OPEN) && open_counts(c, l, item);
}

static uint64_t lone_clear(const struct cursor *c, const struct lane *l, uint64_t clear)
{
    const struct lane_lone *lone = &l->lone;
    enum growth how = gap_growth(lone->gap, 0);
    for (int pair = 1; pair >= 0; pair--) {
        uint64_t start = pair ? lone->before : lone->start;
        if (start >= clear || (pair && lone->pair == PLACE_NONE))
            continue;
        unsigned who = pair ? trie_grows(l->trie, lone->pair, SYMBOL_HAN, lone->length, how)
                            : l->trie->grows[lone->symbol] >> 4 * how & 15;
        if (who & c->direction)
            return start;
        if (who & WHO_SLOT) {
            struct lane_item item = lane_lone_item(l, pair);
            if (item_holds(c, l, &item))
                return start;
        }
    }
    return clear;
}

uint64_t cursor_clear(const struct cursor *c)
{
    uint64_t clear = c->reader.pos < c->moment.lost ? c->reader.pos : c->moment.lost;
    for (size_t i = 0; i < c->waiting_count; i++) {
        const struct found *f = &c->waiting[i];
        bool slot = f->ref & OUTPUT_SLOT;
        if (f->start < clear && (!slot || slot_holds(c, f->ref & OUTPUT_RULE_MAX, f->from, f->to)))
            clear = f->start;
    }
    for (unsigned i = 0; i < c->lanes; i++) {
        const struct lane *l = &c->lane[i];
        if (l->lone.on) {
            clear = lone_clear(c, l, clear);
            continue;
        }
        for (unsigned j = 0; j < l->count; j++)
            if (l->items[j].start < clear && item_holds(c, l, &l->items[j]))
                clear = l->items[j].start;
    }
    uint64_t watched = c->watch ? watch_clear(c->watch) : clear;
    return watched < clear ? watched : clear;
}
