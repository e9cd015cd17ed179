#include "match/trie.h"

#include <stdlib.h>

void trie_deinit(struct trie *t)
{
    free(t->nodes);
    free(t->tails);
    free(t->first);
    free(t->grows);
    free(t->kinds);
    free(t->bigrams);
    free(t->outputs);
    free(t->ends);
    free(t->near);
    free(t->index);
    free(t->pages);
    *t = (struct trie){0};
}

size_t trie_bytes(const struct trie *t)
{
    size_t bigrams = t->bigram_shift ? (1ull << (32 - t->bigram_shift)) / 8 : 0;
    return t->slots * sizeof(*t->nodes) + t->tail_count * sizeof(*t->tails) +
           t->symbols * (sizeof(*t->first) + sizeof(*t->grows) + sizeof(*t->kinds)) + bigrams +
           t->output_count * sizeof(*t->outputs) + t->end_count * 2 * sizeof(*t->ends) +
           t->near_count * sizeof(*t->near) + (0x110000 >> FOLD_PAGE_BITS) * sizeof(*t->index) +
           t->page_count * sizeof(*t->pages);
}

bool trie_output(const struct trie *t, uint32_t place, uint32_t *ret_ref)
{
    if (place & PLACE_TAIL) {
        const uint16_t *tail = t->tails + (place & ~PLACE_TAIL);
        *ret_ref = (uint32_t)tail[1] | (uint32_t)tail[2] << 16;
        return tail[0] == 0;
    }
    if (!(t->nodes[place] & NODE_END))
        return false;
    size_t low = 0, high = t->end_count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (t->ends[2 * middle] <= place)
            low = middle;
        else
            high = middle;
    }
    *ret_ref = t->ends[2 * low + 1];
    return true;
}

static unsigned ref_who(const struct trie *t, uint32_t ref)
{
    if (!(ref & OUTPUT_LIST))
        return output_who(ref);
    unsigned who = 0;
    for (const struct output *o = &t->outputs[ref & ~OUTPUT_LIST];; o++) {
        who |= output_who(o->ref);
        if (o->ref & OUTPUT_LAST)
            return who;
    }
}

/* How the word in the pool goes on from `tail`: bits by enum growth. */
static unsigned tail_growths(const struct trie *t, const uint16_t *tail, unsigned kind,
                             unsigned length)
{
    bool long_enough = length + 1 + (tail[1] != 0) >= TRIE_SPELLED_MIN;
    return trie_growths(kind, t->kinds[tail[0]], tail[1] ? t->kinds[tail[1]] : SYMBOL_NONE,
                        long_enough);
}

unsigned trie_grows(const struct trie *t, uint32_t place, unsigned kind, unsigned length,
                    enum growth how)
{
    if (!(place & PLACE_TAIL))
        return (unsigned)(t->nodes[place] >> (NODE_LOAD_SHIFT + 4 * how)) & 15;
    const uint16_t *tail = t->tails + (place & ~PLACE_TAIL);
    if (!tail[0] || !(tail_growths(t, tail, kind, length) >> how & 1))
        return 0;
    while (*tail)
        tail++;
    return ref_who(t, (uint32_t)tail[1] | (uint32_t)tail[2] << 16);
}

static bool ref_lookalike(const struct trie *t, uint32_t ref)
{
    if (!(ref & OUTPUT_LIST))
        return ref & OUTPUT_LOOKALIKE;
    const struct output *o = &t->outputs[ref & ~OUTPUT_LIST];
    while (!(o->ref & (OUTPUT_LOOKALIKE | OUTPUT_LAST)))
        o++;
    return o->ref & OUTPUT_LOOKALIKE;
}

unsigned trie_letters(const struct trie *t, uint32_t place)
{
    if (!(place & PLACE_TAIL))
        return (unsigned)(t->nodes[place] >> NODE_LETTER_SHIFT);
    const uint16_t *tail = t->tails + (place & ~PLACE_TAIL);
    bool letters = false;
    for (; *tail; tail++)
        letters |= t->kinds[*tail] == SYMBOL_LETTER;
    uint32_t ref = (uint32_t)tail[1] | (uint32_t)tail[2] << 16;
    return letters || ref_lookalike(t, ref) ? ref_who(t, ref) : 0;
}

static bool slots_of(const struct trie *t, uint32_t ref, unsigned least, trie_slot_fn fn, void *ctx)
{
    if (!(ref & OUTPUT_LIST))
        return (ref & OUTPUT_SLOT) && fn(ctx, ref & OUTPUT_RULE_MAX, least);
    for (const struct output *o = &t->outputs[ref & ~OUTPUT_LIST];; o++) {
        if ((o->ref & OUTPUT_SLOT) && fn(ctx, o->ref & OUTPUT_RULE_MAX, least))
            return true;
        if (o->ref & OUTPUT_LAST)
            return false;
    }
}

bool trie_slots(const struct trie *t, uint32_t place, unsigned kind, unsigned length,
                enum growth how, trie_slot_fn fn, void *ctx)
{
    if (place & PLACE_TAIL) {
        const uint16_t *tail = t->tails + (place & ~PLACE_TAIL);
        unsigned least = 0;
        if (!tail[0] || !(tail_growths(t, tail, kind, length) >> how & 1))
            return false;
        for (; *tail; tail++)
            least += t->kinds[*tail] != SYMBOL_SPACE;
        return slots_of(t, (uint32_t)tail[1] | (uint32_t)tail[2] << 16, least, fn, ctx);
    }
    size_t low = 0, high = t->near_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (t->near[middle].node < place)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < t->near_count && t->near[low].node == place; low++)
        if (t->near[low].least[how] && fn(ctx, t->near[low].slot, t->near[low].least[how]))
            return true;
    return false;
}
