/* What an item is worth, and what it may still become. */
#include "match/lane.h"

bool lane_counts(const struct lane_item *item, uint32_t ref)
{
    /* A word wholly of look-alikes is of another script, and a keyword wholly of them does not
     * mean the Latin word. */
    bool any = item->flags & ITEM_LOOKALIKE;
    return ref & OUTPUT_LOOKALIKE ? any : (item->flags & ITEM_GENUINE) || !any;
}

void lane_settle_repeat(const struct lane *l, struct lane_item *item)
{
    if (!(item->flags & ITEM_REPEAT))
        return;
    item->layers |= LAYER_REPEAT;
    item->flags &= (uint16_t)~ITEM_REPEAT;
    if (item->kind == SYMBOL_LETTER)
        item->flags |= l->run >= 3 || l->mixed ? ITEM_EVIDENT : ITEM_DOUBTFUL;
}

bool lane_convinces(const struct lane *l, const struct lane_item *word)
{
    struct lane_item item = *word;
    lane_settle_repeat(l, &item);
    return (item.flags & (ITEM_DOUBTFUL | ITEM_EVIDENT)) != ITEM_DOUBTFUL;
}

/* Whether letters may go on behind the gap as if there were none. */
static bool may_spell(const struct lane_item *item, enum growth how)
{
    return how != GROWTH_ANY && kind_is_word(item->kind) &&
           ((item->flags & ITEM_APART) || !(item->gap & (GAP_BLANK | GAP_JOINER | GAP_MARK)));
}

/* Is the repeat of a letter a disguise, or may it become one as the last letter goes on? */
static bool may_convince(const struct lane_item *item)
{
    return (item->flags & (ITEM_DOUBTFUL | ITEM_EVIDENT)) != ITEM_DOUBTFUL ||
           (item->kind == SYMBOL_LETTER && item->gap == 0);
}

unsigned lane_grows(const struct lane *l, const struct lane_item *item)
{
    enum growth how = lane_growth(item);
    unsigned who = trie_grows(l->trie, item->place, item->kind, item->length, how);
    if (may_spell(item, how))
        who |= trie_grows(l->trie, item->place, item->kind, item->length, GROWTH_WORD);
    /* Look-alikes alone mean another word, and a letter said twice nothing, unless a letter is
     * still to come that tells otherwise. */
    if ((item->flags & (ITEM_LOOKALIKE | ITEM_GENUINE)) == ITEM_LOOKALIKE || !may_convince(item))
        who &= trie_letters(l->trie, item->place);
    return item->flags & ITEM_JOINED ? who & ~(unsigned)WHO_ALLOW : who;
}

static bool open_allow(const struct lane *l, const struct lane_item *item)
{
    uint32_t ref;
    if ((item->flags & (ITEM_OPEN | ITEM_JOINED)) != ITEM_OPEN ||
        !trie_output(l->trie, item->place, &ref))
        return false;
    /* Allow phrases stand first. */
    ref = ref & OUTPUT_LIST ? l->trie->outputs[ref & ~OUTPUT_LIST].ref : ref;
    return (ref & OUTPUT_ALLOW) && lane_counts(item, ref);
}

bool lane_may_allow(const struct lane *l, uint64_t start)
{
    for (unsigned i = 0; i < l->count; i++) {
        const struct lane_item *item = &l->items[i];
        if (item->start <= start &&
            ((lane_grows(l, item) & WHO_ALLOW) || (open_allow(l, item) && may_convince(item))))
            return true;
    }
    return false;
}

/* Does the phrase come to count wherever the word does, were it to end here or behind the last
 * letter said again? Said twice it makes doubtful what nothing has made evident. */
static bool convinces_with(const struct lane *l, const struct lane_item *phrase,
                           const struct lane_item *word)
{
    struct lane_item p = *phrase, w = *word;
    lane_settle_repeat(l, &p);
    lane_settle_repeat(l, &w);
    if (lane_convinces(l, &w) && !lane_convinces(l, &p))
        return false;
    return word->kind != SYMBOL_LETTER || word->gap != 0 || !(w.flags & ITEM_EVIDENT) ||
           (p.flags & ITEM_EVIDENT);
}

/*
 * Of a phrase's readings that end alike the last to begin counts. Is there one that begins later,
 * or may there be, as the last letter is said again?
 */
static bool outdone(const struct lane *l, const struct lane_item *phrase)
{
    for (unsigned i = 0; i < l->count; i++) {
        uint32_t place = l->items[i].place;
        if (l->items[i].start <= phrase->start)
            continue;
        while (place != PLACE_NONE && place != phrase->place && l->symbol)
            place = trie_step(l->trie, place, l->symbol);
        if (place == phrase->place)
            return true;
    }
    return false;
}

bool lane_covers(const struct lane *l, const struct lane_item *item)
{
    for (unsigned i = 0; i < l->count; i++)
        if (l->items[i].start <= item->start && l->items[i].length > item->length &&
            open_allow(l, &l->items[i]) && convinces_with(l, &l->items[i], item) &&
            !outdone(l, &l->items[i]))
            return true;
    return false;
}
