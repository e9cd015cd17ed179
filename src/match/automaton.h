/*
 * An Aho-Corasick automaton (Aho and Corasick 1975) over the keys of match/symbol.h, its
 * transitions in a double array (Aoe 1989). Keywords and allow phrases are in it together.
 *
 * A node's number is its slot in the array; the root is 0. Keys are renumbered densely: 0 stands
 * for every key of no keyword, an initial letter follows its inner form.
 */
#pragma once

#include "match/symbol.h"

#define NODE_ROOT 0u

struct node {
    uint32_t base; /* the child by symbol s is slot base + s, if that slot's row is base */
    uint32_t row;  /* base of the parent; no two nodes with children have the same */
    uint32_t fail; /* the longest proper suffix that is a node */
    uint32_t out;  /* the longest suffix (itself included) with outputs; 0: none */
};

/* What may follow a node's last symbol, by the run of separators that has come since. */
enum growth {
    GROWTH_ANY,        /* no separator yet */
    GROWTH_BLANK,      /* blanks only, and the run may go on */
    GROWTH_BLANK_FULL, /* blanks only, and one more would part */
    GROWTH_MIXED,      /* a separator that is not blank */
    GROWTH_COUNT
};
/* For whom: directions 1 and 2 less one, and allow phrases. */
enum { GROW_PROMPT, GROW_COMPLETION, GROW_ALLOW, GROW_COUNT };

struct node_info {
    /*
     * The exact hold: the number of symbols of the longest suffix with which something longer can
     * still match. (Not looked at: that digits alone can no longer make a word of look-alikes
     * genuine.) An allow phrase that is complete but for a word boundary counts under
     * GROWTH_ANY.
     */
    uint8_t hold[GROW_COUNT][GROWTH_COUNT];
    uint8_t depth;
    uint32_t first; /* its outputs, where it has any */
};

enum { OUTPUT_ALLOW = 1, OUTPUT_LOOKALIKE = 2, OUTPUT_LAST = 4 };
/* Allow phrases first, then by rule; the last of a node is marked. */
struct output {
    uint32_t rule;
    uint8_t direction; /* bits */
    uint8_t flags;
};

/*
 * Entries of the code point table: symbol, class, and what a hit must know of the code point: the
 * layers that its folding means, packed, and whether it is a letter.
 */
#define POINT_SYMBOL      0x3FFFFFu
#define POINT_CLASS_SHIFT 22
#define POINT_EXPANDS     0x2000000u
#define POINT_KIND_SHIFT  26
#define KIND_LETTER       0x20u

/* LAYER_CASE, _WIDTH, _TRADITIONAL, _MARK and _LOOKALIKE in five bits, and back. */
#define KIND_LOOKALIKE 0x10u
static inline uint32_t kind_pack(uint32_t layers)
{
    return (layers & 7u) | (layers & LAYER_MARK ? 8u : 0u) |
           (layers & LAYER_LOOKALIKE ? KIND_LOOKALIKE : 0u);
}
static inline uint32_t kind_layers(uint32_t kind)
{
    return (kind & 7u) | (kind & 8u ? LAYER_MARK : 0u) |
           (kind & KIND_LOOKALIKE ? LAYER_LOOKALIKE : 0u);
}
_Static_assert(LAYER_CASE == 1 && LAYER_WIDTH == 2 && LAYER_TRADITIONAL == 4, "as they are");

struct automaton {
    struct node *nodes;
    struct node_info *infos;
    struct output *outputs;
    uint16_t *index; /* code point pages, as in text/fold.h */
    uint32_t (*pages)[1 << FOLD_PAGE_BITS];
    size_t slots, node_count, output_count, page_count;
    uint32_t space; /* the symbol of KEY_SPACE, 0 when no keyword has one */
    unsigned longest;
    bool allows;
};

struct automaton_word {
    const uint32_t *keys;
    uint32_t rule;
    uint8_t count, direction, flags;
};

/* Sorts the words. 0, -ENOMEM, -EOVERFLOW. */
int automaton_build(struct automaton *a, struct automaton_word *words, size_t count);
void automaton_deinit(struct automaton *a);
size_t automaton_bytes(const struct automaton *a);

static inline uint32_t automaton_point(const struct automaton *a, uint32_t cp)
{
    return a->pages[a->index[cp >> FOLD_PAGE_BITS]][cp & ((1u << FOLD_PAGE_BITS) - 1)];
}

/* `symbol` must not be 0. Amortised O(1). */
static inline uint32_t automaton_next(const struct automaton *a, uint32_t node, uint32_t symbol)
{
    for (;;) {
        uint32_t base = a->nodes[node].base, to = base + symbol;
        if (a->nodes[to].row == base)
            return to;
        if (node == NODE_ROOT)
            return NODE_ROOT;
        node = a->nodes[node].fail;
    }
}
