/* Compiles tries (match/trie.h). */
#include "match/trie.h"

#include "base/cleanup.h"

#include <errno.h>
#include <stdlib.h>

struct builder {
    struct trie *t;
    const struct variants *variants;
    struct trie_word *words;
    size_t count;
    uint16_t *by_key;                     /* [KEY_COUNT]: symbol of a key, 0 for none */
    uint16_t *all;                        /* symbols of all words */
    uint32_t path[MATCH_KEYWORD_MAX + 1]; /* nodes of the word in hand, by depth */
    size_t tail_cap, output_cap, end_cap, near_cap;
};

/* Words that are spelled alike, and what they share with those before and behind. */
struct group {
    size_t from, to;
    unsigned before, behind; /* common symbols */
};

static int compare_words(const void *x, const void *y)
{
    const struct trie_word *a = x, *b = y;
    unsigned n = a->count < b->count ? a->count : b->count;
    for (unsigned i = 0; i < n; i++)
        if (a->symbols[i] != b->symbols[i])
            return a->symbols[i] < b->symbols[i] ? -1 : 1;
    if (a->count != b->count)
        return a->count < b->count ? -1 : 1;
    /* Allow phrases first, then by rule, so that hits are told in that order. */
    bool allow_a = a->ref & OUTPUT_ALLOW, allow_b = b->ref & OUTPUT_ALLOW;
    if (allow_a != allow_b)
        return allow_a ? -1 : 1;
    uint32_t rule_a = a->ref & OUTPUT_RULE_MAX, rule_b = b->ref & OUTPUT_RULE_MAX;
    if (rule_a != rule_b)
        return rule_a < rule_b ? -1 : 1;
    if (a->layers != b->layers)
        return a->layers < b->layers ? -1 : 1;
    return (a->ref > b->ref) - (a->ref < b->ref);
}

struct frequency {
    uint32_t key, count;
};

static int compare_frequencies(const void *x, const void *y)
{
    const struct frequency *a = x, *b = y;
    if (a->count != b->count)
        return a->count > b->count ? -1 : 1;
    return a->key < b->key ? -1 : 1;
}

/* Numbers the keys, frequent ones first: what is asked for most stands together. */
static int number_symbols(struct builder *b)
{
    struct trie *t = b->t;
    cleanup(cleanup_free) uint32_t *counts = calloc(KEY_COUNT, sizeof(*counts));
    cleanup(cleanup_free) struct frequency *list = NULL;
    size_t used = 0, total = 0;
    if (!counts)
        return -ENOMEM;
    for (size_t i = 0; i < b->count; i++) {
        for (unsigned j = 0; j < b->words[i].count; j++)
            used += counts[b->words[i].keys[j]]++ == 0;
        total += b->words[i].count;
    }
    if (used >= POINT_SYMBOL)
        return -EOVERFLOW;
    t->symbols = used + 1;
    list = calloc(used + 1, sizeof(*list));
    b->by_key = calloc(KEY_COUNT, sizeof(*b->by_key));
    b->all = calloc(total + 1, sizeof(*b->all));
    t->kinds = calloc(t->symbols, sizeof(*t->kinds));
    t->first = malloc(t->symbols * sizeof(*t->first));
    t->grows = calloc(t->symbols, sizeof(*t->grows));
    if (!t->grows || !list || !b->by_key || !b->all || !t->kinds || !t->first)
        return -ENOMEM;
    memset(t->first, 0xFF, t->symbols * sizeof(*t->first));
    size_t n = 0;
    for (uint32_t key = 0; key < KEY_COUNT && n < used; key++)
        if (counts[key])
            list[n++] = (struct frequency){key, counts[key]};
    qsort(list, n, sizeof(*list), compare_frequencies);
    for (size_t i = 0; i < n; i++) {
        b->by_key[list[i].key] = (uint16_t)(i + 1);
        t->kinds[i + 1] =
            (uint8_t)(list[i].key == KEY_SPACE ? SYMBOL_SPACE : symbol_kind(list[i].key));
    }
    t->space = b->by_key[KEY_SPACE];
    uint16_t *symbols = b->all;
    for (size_t i = 0; i < b->count; i++) {
        b->words[i].symbols = symbols;
        for (unsigned j = 0; j < b->words[i].count; j++)
            *symbols++ = b->by_key[b->words[i].keys[j]];
    }
    return 0;
}

static unsigned common(const struct trie_word *a, const struct trie_word *b)
{
    unsigned n = 0;
    while (n < a->count && n < b->count && a->symbols[n] == b->symbols[n])
        n++;
    return n;
}

static bool next_group(const struct builder *b, struct group *g)
{
    if (g->to == b->count)
        return false;
    g->from = g->to;
    const struct trie_word *w = &b->words[g->from];
    g->before = g->from ? common(&b->words[g->from - 1], w) : 0;
    for (g->to = g->from + 1; g->to < b->count; g->to++) {
        g->behind = common(w, &b->words[g->to]);
        if (g->behind < w->count || b->words[g->to].count > w->count)
            return true;
    }
    g->behind = 0;
    return true;
}

/* How deep a group's nodes are shared with others. */
static unsigned group_shared(const struct group *g)
{
    return g->before > g->behind ? g->before : g->behind;
}

/* Finds out how large everything becomes. */
static int measure(struct builder *b)
{
    struct trie *t = b->t;
    size_t bigrams = 0;
    for (struct group g = {0}; next_group(b, &g);) {
        const struct trie_word *w = &b->words[g.from];
        unsigned shared = group_shared(&g);
        t->node_count += g.behind > g.before ? g.behind - g.before : 0;
        if (shared < w->count) {
            t->node_count++;
            b->tail_cap += w->count - shared - 1 + 3;
        } else {
            b->end_cap++;
        }
        bigrams += w->count > 1 && g.before < 2;
        b->output_cap += g.to - g.from;
        for (size_t i = g.from; i < g.to; i++)
            b->near_cap += b->words[i].ref & OUTPUT_SLOT ? shared : 0;
    }
    t->slots = t->node_count + t->node_count * 2 / 5 + 8;
    if (t->slots >= NODE_ROOT || b->tail_cap >= 1u << 25)
        return -EOVERFLOW;
    unsigned bits = 10;
    while (bits < 23 && 1ull << bits < 16 * bigrams)
        bits++;
    t->bigram_shift = 32 - bits;
    t->nodes = calloc(t->slots, sizeof(*t->nodes));
    t->tails = calloc(b->tail_cap + 1, sizeof(*t->tails));
    t->bigrams = calloc((1ull << bits) / 64, sizeof(*t->bigrams));
    t->outputs = calloc(b->output_cap + 1, sizeof(*t->outputs));
    t->ends = calloc(b->end_cap + 1, 2 * sizeof(*t->ends));
    t->near = calloc(b->near_cap + 1, sizeof(*t->near));
    return t->nodes && t->tails && t->bigrams && t->outputs && t->ends && t->near ? 0 : -ENOMEM;
}

static uint32_t add_node(struct trie *t, uint32_t parent, uint16_t symbol, uint64_t load)
{
    uint64_t key = trie_key(parent, symbol);
    size_t slot = trie_home(t, key);
    while (t->nodes[slot])
        slot = slot + 1 == t->slots ? 0 : slot + 1;
    t->nodes[slot] = key | load;
    return (uint32_t)slot;
}

/* What the group's words mean, as one reference. */
static uint32_t add_outputs(struct builder *b, const struct group *g, unsigned *ret_who)
{
    struct trie *t = b->t;
    size_t first = t->output_count;
    *ret_who = 0;
    for (size_t i = g->from; i < g->to; i++) {
        const struct trie_word *w = &b->words[i];
        struct output *last = t->output_count > first ? &t->outputs[t->output_count - 1] : NULL;
        uint32_t same = ~(3u << OUTPUT_DIRECTION_SHIFT);
        *ret_who |= output_who(w->ref);
        if (last && (last->ref & same) == (w->ref & same) && last->layers == w->layers) {
            last->ref |= w->ref; /* the same word twice for one rule */
            continue;
        }
        t->outputs[t->output_count++] = (struct output){w->ref, w->layers, w->print};
    }
    struct output *only = &t->outputs[first];
    if (t->output_count == first + 1 && t->lens == LENS_PLAIN && !only->layers) {
        t->output_count = first; /* it needs no list */
        return only->ref;
    }
    t->outputs[t->output_count - 1].ref |= OUTPUT_LAST;
    return OUTPUT_LIST | (uint32_t)first;
}

static uint64_t growth_bits(unsigned growths, unsigned who)
{
    uint64_t bits = 0;
    for (unsigned how = 0; how < GROWTH_COUNT; how++)
        if (growths >> how & 1)
            bits |= (uint64_t)who << (NODE_LOAD_SHIFT + 4 * how);
    return bits;
}

static unsigned characters_from(const struct trie *t, const struct trie_word *w, unsigned from)
{
    unsigned n = 0;
    for (unsigned i = from; i < w->count; i++)
        n += t->kinds[w->symbols[i]] != SYMBOL_SPACE;
    return n;
}

/* See trie_letters(). */
static bool has_letters(const struct builder *b, const struct group *g, unsigned from)
{
    const struct trie_word *w = &b->words[g->from];
    for (unsigned i = from; i < w->count; i++)
        if (b->t->kinds[w->symbols[i]] == SYMBOL_LETTER)
            return true;
    for (size_t i = g->from; i < g->to; i++)
        if (b->words[i].ref & OUTPUT_LOOKALIKE)
            return true;
    return false;
}

/* Tells the nodes that the group shares what may come behind them. */
static void mark_path(struct builder *b, const struct group *g, unsigned shared, unsigned who)
{
    struct trie *t = b->t;
    const struct trie_word *w = &b->words[g->from];
    for (unsigned depth = 1; depth <= shared && depth < w->count; depth++) {
        unsigned kind = t->kinds[w->symbols[depth - 1]], next = t->kinds[w->symbols[depth]];
        unsigned then = depth + 1u < w->count ? t->kinds[w->symbols[depth + 1]] : SYMBOL_NONE;
        unsigned growths = trie_growths(kind, next, then, w->count >= TRIE_SPELLED_MIN);
        t->nodes[b->path[depth]] |= growth_bits(growths, who);
        if (has_letters(b, g, depth))
            t->nodes[b->path[depth]] |= (uint64_t)who << NODE_LETTER_SHIFT;
        for (size_t i = g->from; i < g->to; i++) {
            if (!(b->words[i].ref & OUTPUT_SLOT))
                continue;
            struct trie_slot *s = &t->near[t->near_count++];
            *s = (struct trie_slot){.node = b->path[depth],
                                    .slot = b->words[i].ref & OUTPUT_RULE_MAX};
            for (unsigned how = 0; how < GROWTH_COUNT; how++)
                if (growths >> how & 1)
                    s->least[how] = (uint8_t)characters_from(t, w, depth);
        }
    }
}

static int compare_slots(const void *x, const void *y)
{
    const struct trie_slot *a = x, *b = y;
    if (a->node != b->node)
        return a->node < b->node ? -1 : 1;
    return (a->slot > b->slot) - (a->slot < b->slot);
}

static void merge_slots(struct trie *t)
{
    size_t kept = 0;
    qsort(t->near, t->near_count, sizeof(*t->near), compare_slots);
    for (size_t i = 0; i < t->near_count; i++) {
        struct trie_slot *last = kept ? &t->near[kept - 1] : NULL, *s = &t->near[i];
        if (!last || compare_slots(last, s) != 0) {
            t->near[kept++] = *s;
            continue;
        }
        for (unsigned how = 0; how < GROWTH_COUNT; how++)
            if (s->least[how] && (!last->least[how] || s->least[how] < last->least[how]))
                last->least[how] = s->least[how];
    }
    t->near_count = kept;
}

static int compare_ends(const void *x, const void *y)
{
    const uint32_t *a = x, *b = y;
    return (*a > *b) - (*a < *b);
}

static void add_tail(struct trie *t, const struct trie_word *w, unsigned from, uint32_t ref)
{
    for (unsigned i = from; i < w->count; i++)
        t->tails[t->tail_count++] = w->symbols[i];
    t->tails[t->tail_count++] = 0;
    t->tails[t->tail_count++] = (uint16_t)ref;
    t->tails[t->tail_count++] = (uint16_t)(ref >> 16);
}

static void add_group(struct builder *b, const struct group *g)
{
    struct trie *t = b->t;
    const struct trie_word *w = &b->words[g->from];
    unsigned shared = group_shared(g), who;
    uint32_t ref = add_outputs(b, g, &who);
    b->path[0] = NODE_ROOT;
    for (unsigned depth = g->before; depth < g->behind; depth++) {
        b->path[depth + 1] = add_node(t, b->path[depth], w->symbols[depth], 0);
        if (depth == 0)
            t->first[w->symbols[0]] = b->path[1];
    }
    if (shared == w->count) {
        t->nodes[b->path[shared]] |= NODE_END;
        t->ends[2 * t->end_count] = b->path[shared];
        t->ends[2 * t->end_count++ + 1] = ref;
    } else {
        uint64_t load = NODE_TAIL | (uint64_t)t->tail_count << NODE_LOAD_SHIFT;
        if (shared == 0)
            t->first[w->symbols[0]] = PLACE_TAIL | (uint32_t)t->tail_count;
        add_node(t, b->path[shared], w->symbols[shared], load);
        add_tail(t, w, shared + 1, ref);
    }
    mark_path(b, g, shared, who);
    if (w->count > 1) {
        uint32_t bit = trie_bigram(t, w->symbols[0], w->symbols[1]);
        t->bigrams[bit / 64] |= 1ull << bit % 64;
    }
    t->allows |= (who & WHO_ALLOW) != 0;
}

static uint32_t point_entry(const struct builder *b, uint32_t cp)
{
    enum lens lens = b->t->lens;
    uint32_t entry = fold_entry(cp), target = entry & FOLD_TARGET ? entry & FOLD_TARGET : cp;
    enum fold_class class = fold_entry_class(entry);
    if (entry & FOLD_EXPANDS)
        return POINT_EXPANDS;
    uint32_t key = lens_key(lens, b->variants, target);
    unsigned kind = SYMBOL_NONE;
    if (class == FOLD_HAN || class == FOLD_WORD)
        kind = key > 0x10FFFF ? SYMBOL_HAN : symbol_kind(key);
    else if (key != target) /* a symbol that stands for a letter */
        kind = symbol_kind(key);
    if (lens == LENS_INSERTED && kind_is_word(kind))
        return (uint32_t)FOLD_SEPARATOR << POINT_CLASS_SHIFT | (uint32_t)GAP_ODD << POINT_GAP_SHIFT;
    if (kind != SYMBOL_NONE) {
        uint32_t symbol = b->by_key[key];
        return symbol | (uint32_t)(kind == SYMBOL_HAN ? FOLD_HAN : FOLD_WORD) << POINT_CLASS_SHIFT |
               (uint32_t)kind << POINT_KIND_SHIFT |
               point_pack(fold_entry_layers(entry)) << POINT_LAYER_SHIFT |
               (b->t->first[symbol] != PLACE_NONE ? POINT_FIRST : 0);
    }
    uint32_t point = (uint32_t) class << POINT_CLASS_SHIFT;
    if (class == FOLD_SEPARATOR || class == FOLD_BLANK)
        point |= (uint32_t)symbol_gap(target, class) << POINT_GAP_SHIFT;
    return point;
}

/* Pages that are the same are kept once. */
static int map_points(struct builder *b)
{
    enum { PAGE = 1 << FOLD_PAGE_BITS, PAGES = 0x110000 / PAGE, BUCKETS = 4096 };
    struct trie *t = b->t;
    cleanup(cleanup_free) uint32_t *buckets = calloc(BUCKETS, sizeof(*buckets));
    cleanup(cleanup_free) uint32_t *next = calloc(PAGES + 1, sizeof(*next));
    t->index = calloc(PAGES, sizeof(*t->index));
    t->pages = calloc(PAGES, sizeof(*t->pages));
    if (!buckets || !next || !t->index || !t->pages)
        return -ENOMEM;
    for (uint32_t p = 0; p < PAGES; p++) {
        uint32_t *page = t->pages[t->page_count];
        uint64_t hash = 0;
        for (uint32_t i = 0; i < PAGE; i++) {
            page[i] = point_entry(b, p * PAGE + i);
            hash = (hash ^ page[i]) * 0x9E3779B97F4A7C15u;
            hash ^= hash >> 29;
        }
        uint32_t *bucket = &buckets[hash % BUCKETS], same = *bucket;
        while (same && memcmp(t->pages[same - 1], page, sizeof(*t->pages)) != 0)
            same = next[same];
        if (!same) {
            same = (uint32_t)++t->page_count;
            next[same] = *bucket;
            *bucket = same;
        }
        t->index[p] = (uint16_t)(same - 1);
    }
    void *pages = realloc(t->pages, t->page_count * sizeof(*t->pages));
    t->pages = pages ? pages : t->pages;
    return 0;
}

/* What is asked for at the end of nearly every piece of a stream. */
static void note_first_growths(struct trie *t)
{
    for (size_t symbol = 1; symbol < t->symbols; symbol++) {
        if (t->first[symbol] == PLACE_NONE)
            continue;
        for (unsigned how = 0; how < GROWTH_COUNT; how++)
            t->grows[symbol] |=
                trie_grows(t, t->first[symbol], t->kinds[symbol], 1, (enum growth)how) << 4 * how;
    }
}

static int build(struct builder *b)
{
    int r = number_symbols(b);
    if (r < 0)
        return r;
    if (b->count)
        qsort(b->words, b->count, sizeof(*b->words), compare_words);
    r = measure(b);
    if (r < 0)
        return r;
    for (struct group g = {0}; next_group(b, &g);)
        add_group(b, &g);
    merge_slots(b->t);
    note_first_growths(b->t);
    qsort(b->t->ends, b->t->end_count, 2 * sizeof(*b->t->ends), compare_ends);
    void *outputs = realloc(b->t->outputs, (b->t->output_count + 1) * sizeof(*b->t->outputs));
    b->t->outputs = outputs ? outputs : b->t->outputs;
    return map_points(b);
}

int trie_build(struct trie *t, enum lens lens, const struct variants *v, struct trie_word *words,
               size_t count, uint16_t **ret_symbols)
{
    struct builder b = {.t = t, .variants = v, .words = words, .count = count};
    *t = (struct trie){.lens = lens};
    int r = build(&b);
    free(b.by_key);
    if (r < 0) {
        free(b.all);
        trie_deinit(t);
        return r;
    }
    *ret_symbols = b.all;
    return 0;
}
