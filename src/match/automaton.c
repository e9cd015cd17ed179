#include "match/automaton.h"

#include "base/cleanup.h"

#include <errno.h>
#include <stdlib.h>

#define SLOT_FREE   UINT32_MAX
#define SLOTS_MAX   (POINT_SYMBOL / 2)
#define PLACE_TRIES 64 /* free slots tried in vain before the search begins further up */

/* A node while the trie is built, in breadth-first order; its children stand side by side. */
struct draft {
    uint32_t first_child, children;
    uint32_t key, parent;
    uint32_t low, high; /* its words among the sorted ones */
    uint32_t slot, base;
    uint8_t depth;
    uint8_t mask; /* bit per GROW_*: whose outputs are in its subtree */
};

struct builder {
    struct automaton *a;
    struct automaton_word *words;
    size_t word_count;
    uint32_t *symbols; /* by code point: symbol of the inner form; KEY_SPACE included */
    size_t symbol_count;
    struct draft *drafts;
    size_t draft_count;
    uint32_t *next_free, *prev_free; /* ring of free slots through slot 0 */
    uint8_t *base_used;
    size_t free_cap;
    uint32_t top;            /* the largest base */
    uint32_t fan_out, start; /* where to look for room for rows with so many children */
};

static int word_compare(const void *x, const void *y)
{
    const struct automaton_word *a = x, *b = y;
    for (unsigned i = 0; i < a->count && i < b->count; i++)
        if (a->keys[i] != b->keys[i])
            return a->keys[i] < b->keys[i] ? -1 : 1;
    if (a->count != b->count)
        return a->count < b->count ? -1 : 1;
    if ((a->flags ^ b->flags) & OUTPUT_ALLOW)
        return a->flags & OUTPUT_ALLOW ? -1 : 1;
    if (a->rule != b->rule)
        return a->rule < b->rule ? -1 : 1;
    return (a->flags > b->flags) - (a->flags < b->flags);
}

struct frequency {
    uint32_t cp, count;
};

static int frequency_compare(const void *x, const void *y)
{
    const struct frequency *a = x, *b = y;
    if (a->count != b->count)
        return a->count > b->count ? -1 : 1;
    return a->cp < b->cp ? -1 : 1;
}

/* Frequent keys get small symbols: rows of the double array then overlap better. */
static int number_symbols(struct builder *b)
{
    cleanup(cleanup_free) struct frequency *fs = calloc(0x110000, sizeof(*fs));
    if (!fs)
        return -ENOMEM;
    for (size_t i = 0; i < b->word_count; i++)
        for (unsigned j = 0; j < b->words[i].count; j++)
            fs[b->words[i].keys[j] & ~KEY_INITIAL].count++;
    for (uint32_t cp = 0; cp < 0x110000; cp++)
        fs[cp].cp = cp;
    size_t used = 0;
    for (uint32_t cp = 0; cp < 0x110000; cp++)
        if (fs[cp].count)
            fs[used++] = fs[cp];
    qsort(fs, used, sizeof(*fs), frequency_compare);
    uint32_t next = 1;
    for (size_t i = 0; i < used; i++) {
        b->symbols[fs[i].cp] = next;
        next += fold_entry_class(fold_entry(fs[i].cp)) == FOLD_WORD ? 2 : 1;
    }
    b->symbol_count = next;
    b->a->space = b->symbols[KEY_SPACE];
    return 0;
}

static uint32_t key_symbol(const struct builder *b, uint32_t key)
{
    return b->symbols[key & ~KEY_INITIAL] + !!(key & KEY_INITIAL);
}

static uint8_t word_mask(const struct automaton_word *w)
{
    return w->flags & OUTPUT_ALLOW ? 1u << GROW_ALLOW : w->direction & 3u;
}

static int draft_trie(struct builder *b)
{
    size_t cap = 1;
    for (size_t i = 0; i < b->word_count; i++)
        cap += b->words[i].count;
    if (cap > SLOTS_MAX)
        return -EOVERFLOW;
    b->drafts = calloc(cap, sizeof(*b->drafts));
    if (!b->drafts)
        return -ENOMEM;
    b->drafts[0] = (struct draft){.high = (uint32_t)b->word_count};
    b->draft_count = 1;
    for (size_t n = 0; n < b->draft_count; n++) {
        struct draft *d = &b->drafts[n];
        d->first_child = (uint32_t)b->draft_count;
        uint32_t i = d->low;
        while (i < d->high && b->words[i].count == d->depth)
            i++;
        while (i < d->high) {
            uint32_t key = b->words[i].keys[d->depth], low = i;
            while (i < d->high && b->words[i].keys[d->depth] == key)
                i++;
            b->drafts[b->draft_count++] = (struct draft){
                .key = key, .parent = (uint32_t)n, .low = low, .high = i, .depth = d->depth + 1};
            d->children++;
        }
    }
    for (size_t n = b->draft_count; n-- > 0;) {
        struct draft *d = &b->drafts[n];
        for (uint32_t i = d->low; i < d->high && b->words[i].count == d->depth; i++)
            d->mask |= word_mask(&b->words[i]);
        if (n)
            b->drafts[d->parent].mask |= d->mask;
    }
    return 0;
}

static int slots_grow(struct builder *b, size_t want)
{
    struct automaton *a = b->a;
    if (want <= b->free_cap)
        return 0;
    size_t cap = b->free_cap * 2 > want ? b->free_cap * 2 : want;
    if (cap > SLOTS_MAX * 4u)
        return -EOVERFLOW;
    struct node *nodes = realloc(a->nodes, cap * sizeof(*nodes));
    if (!nodes)
        return -ENOMEM;
    a->nodes = nodes;
    uint32_t *next = realloc(b->next_free, cap * sizeof(*next));
    if (!next)
        return -ENOMEM;
    b->next_free = next;
    uint32_t *prev = realloc(b->prev_free, cap * sizeof(*prev));
    if (!prev)
        return -ENOMEM;
    b->prev_free = prev;
    uint8_t *used = realloc(b->base_used, cap);
    if (!used)
        return -ENOMEM;
    b->base_used = used;
    memset(used + b->free_cap, 0, cap - b->free_cap);
    if (b->free_cap == 0)
        next[0] = prev[0] = 0;
    for (size_t i = b->free_cap; i < cap; i++) {
        nodes[i] = (struct node){.row = SLOT_FREE};
        if (i == 0)
            continue;
        next[i] = 0;
        prev[i] = prev[0];
        next[prev[0]] = (uint32_t)i;
        prev[0] = (uint32_t)i;
    }
    b->free_cap = cap;
    return 0;
}

static bool row_fits(const struct builder *b, const struct draft *d, uint32_t base)
{
    for (uint32_t c = 0; c < d->children; c++)
        if (b->a->nodes[base + key_symbol(b, b->drafts[d->first_child + c].key)].row != SLOT_FREE)
            return false;
    return true;
}

static int place_children(struct builder *b, struct draft *d)
{
    struct automaton *a = b->a;
    uint32_t low = UINT32_MAX;
    for (uint32_t c = 0; c < d->children; c++) {
        uint32_t s = key_symbol(b, b->drafts[d->first_child + c].key);
        low = s < low ? s : low;
    }
    uint32_t base = 0;
    unsigned tries = 0;
    if (d->children != b->fan_out) {
        b->fan_out = d->children;
        b->start = b->next_free[0];
    }
    for (uint32_t f = b->start;; f = b->next_free[f]) {
        if (f == 0 || b->next_free[f] == 0) {
            int r = slots_grow(b, 2 * b->free_cap);
            if (r < 0)
                return r;
            f = f ? f : b->next_free[0];
        }
        if (f > low && !b->base_used[f - low]) { /* base 0 is the leaves' */
            int r = slots_grow(b, f - low + b->symbol_count + 1);
            if (r < 0)
                return r;
            base = f - low;
            if (row_fits(b, d, base))
                break;
        }
        /* What is too crowded for one row is so for others with as many children. */
        if (++tries == PLACE_TRIES)
            b->start = f;
    }
    d->base = base;
    b->base_used[base] = 1;
    b->top = base > b->top ? base : b->top;
    for (uint32_t c = 0; c < d->children; c++) {
        struct draft *child = &b->drafts[d->first_child + c];
        uint32_t slot = base + key_symbol(b, child->key);
        child->slot = slot;
        a->nodes[slot].row = base;
        if (slot == b->start)
            b->start = b->next_free[slot];
        b->next_free[b->prev_free[slot]] = b->next_free[slot];
        b->prev_free[b->next_free[slot]] = b->prev_free[slot];
        if (slot >= a->slots)
            a->slots = slot + 1;
    }
    return 0;
}

/* Rows with many children first, while there is room for them. */
struct order {
    uint32_t draft, children;
};

static int order_compare(const void *x, const void *y)
{
    const struct order *a = x, *b = y;
    if (a->children != b->children)
        return a->children > b->children ? -1 : 1;
    return a->draft < b->draft ? -1 : 1;
}

static int place_all(struct builder *b)
{
    cleanup(cleanup_free) struct order *order = calloc(b->draft_count, sizeof(*order));
    if (!order)
        return -ENOMEM;
    for (size_t n = 0; n < b->draft_count; n++)
        order[n] = (struct order){(uint32_t)n, b->drafts[n].children};
    qsort(order, b->draft_count, sizeof(*order), order_compare);
    int r = slots_grow(b, b->symbol_count + 2);
    if (r < 0)
        return r;
    b->a->nodes[NODE_ROOT].row = SLOT_FREE - 1;
    b->a->slots = 1;
    for (size_t i = 0; i < b->draft_count && order[i].children; i++) {
        r = place_children(b, &b->drafts[order[i].draft]);
        if (r < 0)
            return r;
    }
    /* So long that base + symbol always lies within. */
    size_t slots = b->top + b->symbol_count + 1;
    r = slots_grow(b, slots);
    if (r < 0)
        return r;
    b->a->slots = slots;
    struct node *nodes = realloc(b->a->nodes, slots * sizeof(*nodes));
    if (nodes)
        b->a->nodes = nodes;
    for (size_t n = 0; n < b->draft_count; n++)
        b->a->nodes[b->drafts[n].slot].base = b->drafts[n].base;
    return 0;
}

static int link_nodes(struct builder *b)
{
    struct automaton *a = b->a;
    a->infos = calloc(a->slots, sizeof(*a->infos));
    a->outputs = calloc(b->word_count + 1, sizeof(*a->outputs));
    if (!a->infos || !a->outputs)
        return -ENOMEM;
    for (size_t n = 1; n < b->draft_count; n++) {
        struct draft *d = &b->drafts[n];
        struct node *node = &a->nodes[d->slot];
        uint32_t parent = b->drafts[d->parent].slot;
        if (parent != NODE_ROOT)
            node->fail = automaton_next(a, a->nodes[parent].fail, key_symbol(b, d->key));
        node->out = a->nodes[node->fail].out;
        a->infos[d->slot].depth = d->depth;
        uint32_t i = d->low;
        for (; i < d->high && b->words[i].count == d->depth; i++) {
            const struct automaton_word *w = &b->words[i];
            struct output *last = &a->outputs[a->output_count - 1];
            if (node->out != d->slot) {
                a->infos[d->slot].first = (uint32_t)a->output_count;
            } else if (last->rule == w->rule && last->flags == w->flags) {
                last->direction |= w->direction; /* the same word twice for one rule */
                continue;
            }
            node->out = d->slot;
            a->outputs[a->output_count++] = (struct output){w->rule, w->direction, w->flags};
        }
        if (node->out == d->slot)
            a->outputs[a->output_count - 1].flags |= OUTPUT_LAST;
    }
    return 0;
}

static bool key_word(uint32_t key)
{
    return key != KEY_SPACE && fold_entry_class(fold_entry(key & ~KEY_INITIAL)) == FOLD_WORD;
}

/* Whether a child lets the text go on for `who`, with what separators. See enum growth. */
static void draft_growth(const struct builder *b, const struct draft *d, unsigned who,
                         bool ret_grows[GROWTH_COUNT])
{
    bool word = d->depth && key_word(d->key);
    for (uint32_t c = 0; c < d->children; c++) {
        const struct draft *child = &b->drafts[d->first_child + c];
        if (!(child->mask >> who & 1))
            continue;
        ret_grows[GROWTH_ANY] = true;
        if (child->key == KEY_SPACE) {
            ret_grows[GROWTH_BLANK] = ret_grows[GROWTH_MIXED] = true;
            for (uint32_t g = 0; word && g < child->children; g++) {
                const struct draft *beyond = &b->drafts[child->first_child + g];
                if (key_word(beyond->key) && (beyond->mask >> who & 1))
                    ret_grows[GROWTH_BLANK_FULL] = true;
            }
        } else if (!key_word(child->key)) {
            ret_grows[GROWTH_BLANK] = ret_grows[GROWTH_BLANK_FULL] = true;
            ret_grows[GROWTH_MIXED] |= !word;
        } else if (!word) {
            ret_grows[GROWTH_BLANK] = ret_grows[GROWTH_BLANK_FULL] = true;
        }
    }
}

static void compute_holds(struct builder *b)
{
    struct automaton *a = b->a;
    for (size_t n = 1; n < b->draft_count; n++) {
        const struct draft *d = &b->drafts[n];
        const struct node *node = &a->nodes[d->slot];
        struct node_info *info = &a->infos[d->slot];
        for (unsigned who = 0; who < GROW_COUNT; who++) {
            bool grows[GROWTH_COUNT] = {false};
            draft_growth(b, d, who, grows);
            if (who == GROW_ALLOW && key_word(d->key) && node->out == d->slot &&
                a->outputs[info->first].flags & OUTPUT_ALLOW)
                grows[GROWTH_ANY] = true;
            for (unsigned g = 0; g < GROWTH_COUNT; g++)
                info->hold[who][g] = grows[g] ? d->depth : a->infos[node->fail].hold[who][g];
        }
    }
}

static int map_points(struct builder *b)
{
    enum { PAGE = 1 << FOLD_PAGE_BITS, PAGES = 0x110000 / PAGE, BUCKETS = 4096 };
    struct automaton *a = b->a;
    cleanup(cleanup_free) uint32_t *buckets = calloc(BUCKETS, sizeof(*buckets));
    cleanup(cleanup_free) uint32_t *next = calloc(PAGES + 1, sizeof(*next));
    a->index = calloc(PAGES, sizeof(*a->index));
    a->pages = calloc(PAGES, sizeof(*a->pages));
    if (!buckets || !next || !a->index || !a->pages)
        return -ENOMEM;
    for (uint32_t p = 0; p < PAGES; p++) {
        uint32_t *page = a->pages[a->page_count];
        uint64_t hash = 0;
        for (uint32_t i = 0; i < PAGE; i++) {
            uint32_t cp = p * PAGE + i, entry = fold_entry(cp);
            uint32_t target = entry & FOLD_TARGET ? entry & FOLD_TARGET : cp;
            enum fold_class class = fold_entry_class(entry);
            bool symbol = class == FOLD_HAN || class == FOLD_WORD;
            page[i] = (uint32_t) class << POINT_CLASS_SHIFT;
            if (entry & FOLD_EXPANDS)
                page[i] |= POINT_EXPANDS;
            else if (symbol)
                page[i] |= b->symbols[target] | (kind_pack(fold_entry_layers(entry)) |
                                                 (symbol_letter(target) ? KIND_LETTER : 0))
                                                    << POINT_KIND_SHIFT;
            hash = (hash ^ page[i]) * 0x9E3779B97F4A7C15u;
            hash ^= hash >> 29;
        }
        /* Pages seen before are shared; bucket entries are page numbers plus one. */
        uint32_t *bucket = &buckets[hash % BUCKETS], same = *bucket;
        while (same && memcmp(a->pages[same - 1], page, sizeof(*a->pages)) != 0)
            same = next[same];
        if (!same) {
            same = (uint32_t)++a->page_count;
            next[same] = *bucket;
            *bucket = same;
        }
        a->index[p] = (uint16_t)(same - 1);
    }
    void *pages = realloc(a->pages, a->page_count * sizeof(*a->pages));
    if (pages)
        a->pages = pages;
    return 0;
}

static int build_all(struct builder *b)
{
    b->symbols = calloc(0x110000, sizeof(*b->symbols));
    if (!b->symbols)
        return -ENOMEM;
    int r = number_symbols(b);
    if (r == 0)
        r = draft_trie(b);
    if (r == 0)
        r = place_all(b);
    if (r == 0)
        r = link_nodes(b);
    if (r == 0) {
        compute_holds(b);
        r = map_points(b);
    }
    return r;
}

int automaton_build(struct automaton *a, struct automaton_word *words, size_t count)
{
    struct builder b = {.a = a, .words = words, .word_count = count};
    *a = (struct automaton){0};
    for (size_t i = 0; i < count; i++) {
        a->allows |= words[i].flags & OUTPUT_ALLOW;
        a->longest = words[i].count > a->longest ? words[i].count : a->longest;
    }
    if (count)
        qsort(words, count, sizeof(*words), word_compare);
    int r = build_all(&b);
    a->node_count = b.draft_count;
    free(b.symbols);
    free(b.drafts);
    free(b.next_free);
    free(b.prev_free);
    free(b.base_used);
    if (r < 0)
        automaton_deinit(a);
    return r;
}

void automaton_deinit(struct automaton *a)
{
    free(a->nodes);
    free(a->infos);
    free(a->outputs);
    free(a->index);
    free(a->pages);
    *a = (struct automaton){0};
}

size_t automaton_bytes(const struct automaton *a)
{
    return a->slots * (sizeof(*a->nodes) + sizeof(*a->infos)) +
           a->output_count * sizeof(*a->outputs) +
           (0x110000 >> FOLD_PAGE_BITS) * sizeof(*a->index) + a->page_count * sizeof(*a->pages);
}
