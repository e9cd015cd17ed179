/*
 * The keywords and allow phrases of one reading (match/lens.h), as a trie over the keys of
 * match/symbol.h. Compact, so that it stays in the caches: a node that several words share is one
 * word of 8 bytes in a hash table by (parent, symbol); what only one word has left is a run of
 * 16-bit symbols in a common pool, a tail.
 *
 * A place in the trie is a number: of a node (its slot), or PLACE_TAIL and an offset into the pool,
 * where the next symbol of that word stands, or 0 and then its output when the word is over.
 */
#pragma once

#include "match/lens.h"
#include "match/symbol.h"

#define PLACE_NONE UINT32_MAX
#define PLACE_TAIL 0x80000000u

/* Who may still get something from a place; bits. Directions as in terms.h. */
enum {
    WHO_PROMPT = DIRECTION_PROMPT,
    WHO_COMPLETION = DIRECTION_COMPLETION,
    WHO_ALLOW = 4, /* an allow phrase */
    WHO_SLOT = 8,  /* a slot of a near rule */
};

/* What may follow the last symbol, by the gap that has come since. */
enum growth {
    GROWTH_ANY,  /* no separator yet */
    GROWTH_OPEN, /* no mark, and the gap may go on */
    GROWTH_FULL, /* no mark, and one more separator would part */
    GROWTH_MARK, /* with a mark */
    GROWTH_WORD, /* any gap, when letters may stand apart: spelled out or broken */
    GROWTH_COUNT
};

/*
 * What a complete word means: a rule or word of slots (match/near.h) in the low 24 bits,
 * directions, flags; or OUTPUT_LIST and where in `outputs` several of them or one with more to it
 * begin.
 */
#define OUTPUT_RULE_MAX        0xFFFFFFu
#define OUTPUT_DIRECTION_SHIFT 24
#define OUTPUT_ALLOW           (1u << 26)
#define OUTPUT_LOOKALIKE       (1u << 27)
#define OUTPUT_SLOT            (1u << 28)
#define OUTPUT_LAST            (1u << 29)
#define OUTPUT_LIST            (1u << 31)

struct output {
    uint32_t ref;    /* never OUTPUT_LIST */
    uint32_t layers; /* LAYER_* that finding this spelling means */
    uint32_t print;  /* trie_print() of the keyword itself; only where a lens changes symbols */
};

static inline unsigned output_who(uint32_t ref)
{
    return ref & OUTPUT_ALLOW  ? WHO_ALLOW
           : ref & OUTPUT_SLOT ? WHO_SLOT
                               : ref >> OUTPUT_DIRECTION_SHIFT & 3;
}

/* A slot word that may be completed from a node. */
struct trie_slot {
    uint32_t node, slot;
    uint8_t least[GROWTH_COUNT]; /* characters until then; 0: not that way */
};

/* Entries of the code point table. */
#define POINT_SYMBOL      0xFFFFu
#define POINT_CLASS_SHIFT 16 /* enum fold_class, 3 bits */
#define POINT_KIND_SHIFT  19 /* enum symbol_kind, 2 bits */
#define POINT_EXPANDS     (1u << 21)
#define POINT_GAP_SHIFT   20         /* GAP_BLANK.. in bits 24 to 27 */
#define POINT_LAYER_SHIFT 24         /* of symbols: five LAYER_* bits, packed */
#define POINT_FIRST       (1u << 29) /* some word begins with it */

/* LAYER_CASE, _WIDTH, _TRADITIONAL, _MARK and _LOOKALIKE in five bits, and back. */
static inline uint32_t point_pack(uint32_t layers)
{
    return (layers & 7u) | (layers & LAYER_MARK ? 8u : 0u) | (layers & LAYER_LOOKALIKE ? 16u : 0u);
}
static inline uint32_t point_layers(uint32_t entry)
{
    uint32_t packed = entry >> POINT_LAYER_SHIFT & 31;
    return (packed & 7u) | (packed & 8u ? LAYER_MARK : 0u) | (packed & 16u ? LAYER_LOOKALIKE : 0u);
}
_Static_assert(LAYER_CASE == 1 && LAYER_WIDTH == 2 && LAYER_TRADITIONAL == 4, "as they are");

struct trie {
    enum lens lens;
    uint64_t *nodes;   /* [slots], 0 where free */
    uint16_t *tails;   /* the pool */
    uint32_t *first;   /* [symbols]: place of the one-symbol prefix or PLACE_NONE */
    uint32_t *grows;   /* [symbols]: trie_grows() of that place, four bits by enum growth */
    uint8_t *kinds;    /* [symbols], enum symbol_kind */
    uint64_t *bigrams; /* bits by trie_bigram(): some word begins with these two */
    struct output *outputs;
    uint32_t *ends; /* [2 * end_count]: nodes where words end, rising, each with its output */
    struct trie_slot *near;
    uint16_t *index; /* code point pages, as in text/fold.h */
    uint32_t (*pages)[1 << FOLD_PAGE_BITS];
    size_t slots, node_count, tail_count, symbols, output_count, end_count, near_count, page_count;
    unsigned bigram_shift;
    uint16_t space; /* the symbol of KEY_SPACE, 0 when no word has one */
    bool allows;    /* there are allow phrases */
};

struct trie_word {
    const uint32_t *keys; /* as the lens shows them */
    uint16_t *symbols;    /* the same as symbols of the trie, by its builder */
    uint32_t ref;         /* one output without OUTPUT_LAST */
    uint32_t layers, print;
    uint8_t count;
};

/*
 * Sorts the words, which may repeat, and sets their `symbols`; *ret_symbols is what to free when
 * they are needed no more. 0, -ENOMEM, -EOVERFLOW (more than the places can number). O(n log n) in
 * the number of symbols.
 */
int trie_build(struct trie *t, enum lens lens, const struct variants *v, struct trie_word *words,
               size_t count, uint16_t **ret_symbols);
void trie_deinit(struct trie *t);
size_t trie_bytes(const struct trie *t);

/* A running fingerprint of folded code points, begun with 0. */
static inline uint32_t trie_print(uint32_t print, uint32_t cp)
{
    return (print ^ cp) * 0x9E3779B1u;
}

static inline uint32_t trie_point(const struct trie *t, uint32_t cp)
{
    return t->pages[t->index[cp >> FOLD_PAGE_BITS]][cp & ((1u << FOLD_PAGE_BITS) - 1)];
}

/*
 * A node: symbol 16 bits, parent 22, tail flag 1, then 25 bits: offset of the tail, or five growths
 * of four WHO_* bits, NODE_END, and WHO_* bits of trie_letters().
 */
#define NODE_PARENT_SHIFT 16
#define NODE_PARENT_MAX   0x3FFFFFu
#define NODE_ROOT         NODE_PARENT_MAX /* the parent of the first symbols */
#define NODE_KEY          0x3FFFFFFFFFu
#define NODE_TAIL         (1ull << 38)
#define NODE_LOAD_SHIFT   39
#define NODE_END          (1ull << 59) /* a word ends here */
#define NODE_LETTER_SHIFT 60

static inline uint64_t trie_key(uint32_t parent, uint32_t symbol)
{
    return (uint64_t)parent << NODE_PARENT_SHIFT | symbol;
}

static inline size_t trie_home(const struct trie *t, uint64_t key)
{
    uint64_t hash = (key * 0x9E3779B97F4A7C15u) >> 32;
    return (size_t)(hash * t->slots >> 32);
}

static inline uint32_t trie_bigram(const struct trie *t, uint32_t a, uint32_t b)
{
    return (a * 0x9E3779B1u + b * 0x85EBCA77u) >> t->bigram_shift;
}

static inline bool trie_begins(const struct trie *t, uint32_t a, uint32_t b)
{
    uint32_t bit = trie_bigram(t, a, b);
    return t->bigrams[bit / 64] >> bit % 64 & 1;
}

/* The place behind `symbol`, which must not be 0. O(1) on average. */
static inline uint32_t trie_step(const struct trie *t, uint32_t place, uint32_t symbol)
{
    if (place & PLACE_TAIL) {
        uint32_t at = place & ~PLACE_TAIL;
        return t->tails[at] == symbol ? place + 1 : PLACE_NONE;
    }
    uint64_t key = trie_key(place, symbol);
    for (size_t slot = trie_home(t, key);; slot = slot + 1 == t->slots ? 0 : slot + 1) {
        uint64_t node = t->nodes[slot];
        if ((node & NODE_KEY) == key)
            return node & NODE_TAIL ? PLACE_TAIL | (uint32_t)(node >> NODE_LOAD_SHIFT)
                                    : (uint32_t)slot;
        if (!node)
            return PLACE_NONE;
    }
}

/* The output of a word that ends at the place; false when none does. */
bool trie_output(const struct trie *t, uint32_t place, uint32_t *ret_ref);

static inline bool trie_ends(const struct trie *t, uint32_t place)
{
    return place & PLACE_TAIL ? !t->tails[place & ~PLACE_TAIL] : !!(t->nodes[place] & NODE_END);
}

/*
 * By enum growth, as bits: whether a word may go on with a symbol of kind `next` (`then`: the kind
 * behind a KEY_SPACE) after one of `kind`. `spell`: it is long enough to be spelled out.
 */
static inline unsigned trie_growths(unsigned kind, unsigned next, unsigned then, bool spell)
{
    bool left = kind_is_word(kind), right = kind_is_word(next == SYMBOL_SPACE ? then : next);
    if (next == SYMBOL_SPACE)
        return left && right
                   ? 1u << GROWTH_ANY | 1u << GROWTH_OPEN | 1u << GROWTH_FULL | 1u << GROWTH_MARK
                   : 1u << GROWTH_ANY | 1u << GROWTH_OPEN | 1u << GROWTH_MARK;
    if (left && right)
        return 1u << GROWTH_ANY | (spell ? 1u << GROWTH_WORD : 0u);
    return 1u << GROWTH_ANY | 1u << GROWTH_OPEN | 1u << GROWTH_FULL |
           (left == right ? 1u << GROWTH_MARK : 0u);
}

/* WHO_* bits of the words that go on from a place, `length` keys deep, behind one of `kind`. */
unsigned trie_grows(const struct trie *t, uint32_t place, unsigned kind, unsigned length,
                    enum growth how);

/* WHO_* bits of the words that go on with a letter somewhere, or are wholly of look-alikes. */
unsigned trie_letters(const struct trie *t, uint32_t place);

/* The same for a place whatever the gap: 0 when no word goes on. */
static inline unsigned trie_goes_on(const struct trie *t, uint32_t place)
{
    return place & PLACE_TAIL ? t->tails[place & ~PLACE_TAIL] != 0
                              : t->nodes[place] >> NODE_LOAD_SHIFT & 15;
}

/*
 * Calls fn for each slot word that may be completed from the place with that gap, and with how many
 * characters more at least. True as soon as fn answers true.
 */
typedef bool (*trie_slot_fn)(void *ctx, uint32_t slot, unsigned least);
bool trie_slots(const struct trie *t, uint32_t place, unsigned kind, unsigned length,
                enum growth how, trie_slot_fn fn, void *ctx);
/* Shortest word, in keys, that may be spelled out letter by letter. */
#define TRIE_SPELLED_MIN 3
