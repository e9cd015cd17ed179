#include "match/lane.h"

#include <errno.h>
#include <stdlib.h>

/* Characters of an HTML tag that items wait for. */
#define TAG_MAX 64
/* A tag that has just ended. */
#define TAG_ENDED UINT8_MAX

void lane_init(struct lane *l, const struct trie *t)
{
    *l = (struct lane){.trie = t, .items = l->own, .cap = LANE_INLINE};
}

void lane_deinit(struct lane *l)
{
    if (l->items != l->own)
        free(l->items);
    l->items = l->own;
    l->count = 0;
}

/* The next items, while they are being made. Large, and written before it is read. */
#define UNINITIALIZED __attribute__((uninitialized))

struct next {
    struct lane_item items[LANE_ITEMS];
    unsigned count;
};

/* What makes two readings of one place different from here on. */
#define ITEM_AHEAD                                                                                 \
    (ITEM_OPEN | ITEM_JOINED | ITEM_APART | ITEM_SPELLED | ITEM_BROKEN | ITEM_DOUBTFUL |           \
     ITEM_EVIDENT | ITEM_GENUINE | ITEM_LOOKALIKE)

static bool alike(const struct lane_item *a, const struct lane_item *b)
{
    return a->place == b->place && a->gap == b->gap && a->tag == b->tag &&
           (a->flags & ITEM_AHEAD) == (b->flags & ITEM_AHEAD);
}

static void next_add(struct next *n, const struct lane_item *item, struct moment *m)
{
    for (unsigned i = 0; i < n->count; i++) {
        if (!alike(&n->items[i], item))
            continue;
        if (item->start > n->items[i].start)
            n->items[i] = *item;
        return;
    }
    if (n->count == LANE_ITEMS)
        moment_fail(m, -EOVERFLOW, item->start);
    else
        n->items[n->count++] = *item;
}

/* Takes over what was made. */
static void next_take(struct lane *l, const struct next *n, struct moment *m)
{
    if (n->count > l->cap) {
        unsigned cap = n->count > 16 ? LANE_ITEMS : 16;
        struct lane_item *items = malloc(cap * sizeof(*items));
        if (!items) {
            for (unsigned i = 0; i < n->count; i++)
                moment_fail(m, -ENOMEM, n->items[i].start);
            return;
        }
        if (l->items != l->own)
            free(l->items);
        l->items = items;
        l->cap = (uint16_t)cap;
    } else if (n->count == 0 && l->items != l->own) {
        free(l->items);
        l->items = l->own;
        l->cap = LANE_INLINE;
    }
    memcpy(l->items, n->items, n->count * sizeof(*n->items));
    l->count = (uint16_t)n->count;
}

static void found_add(const struct lane *l, const struct lane_item *item, const struct output *o,
                      uint64_t to, struct moment *m)
{
    if (!lane_counts(item, o->ref) || ((o->ref & OUTPUT_ALLOW) && (item->flags & ITEM_JOINED)))
        return;
    /* Through a lens only what is written differently: the rest the plain reading finds. */
    enum lens lens = l->trie->lens;
    bool plain = lens == LENS_INSERTED ? !(item->layers & LAYER_INSERTED) : o->print == item->print;
    if (lens != LENS_PLAIN && !(o->ref & OUTPUT_ALLOW) && plain)
        return;
    if (m->count == m->cap) {
        uint32_t cap = m->cap ? 2 * m->cap : 8;
        struct found *found = realloc(m->found, cap * sizeof(*found));
        if (!found) {
            moment_fail(m, -ENOMEM, item->start);
            return;
        }
        m->found = found;
        m->cap = cap;
    }
    m->found[m->count++] = (struct found){.start = item->start,
                                          .end = item->start + item->span,
                                          .from = to - (uint32_t)((uint32_t)to - item->seen),
                                          .to = to,
                                          .ref = o->ref,
                                          .place = item->place,
                                          .layers = item->layers | o->layers | lens_layer(lens),
                                          .length = item->length,
                                          .lane = (uint8_t)lens};
}

static bool long_enough(const struct lane_item *item)
{
    return !(item->flags & (ITEM_SPELLED | ITEM_BROKEN)) || item->length >= TRIE_SPELLED_MIN;
}

/* The item is a complete word that ends with character `to`. */
static void complete(const struct lane *l, const struct lane_item *word, uint64_t to,
                     struct moment *m)
{
    struct lane_item item = *word;
    uint32_t ref;
    if (!lane_convinces(l, &item))
        return;
    if (item.kind == SYMBOL_LETTER)
        lane_settle_repeat(l, &item);
    if (!long_enough(&item))
        return;
    if (!trie_output(l->trie, item.place, &ref))
        return;
    if (!(ref & OUTPUT_LIST)) {
        found_add(l, &item, &(struct output){.ref = ref}, to, m);
        return;
    }
    const struct output *o = &l->trie->outputs[ref & ~OUTPUT_LIST];
    for (;; o++) {
        found_add(l, &item, o, to, m);
        if (o->ref & OUTPUT_LAST)
            return;
    }
}

struct symbol {
    const struct fold_point *point;
    uint32_t entry, cp; /* folded */
    uint16_t symbol;
    uint8_t kind;
};

/* The item went on to `place` with the symbol. */
static void arrive(const struct lane *l, const struct lane_item *from, uint32_t place,
                   unsigned keys, unsigned flags, const struct symbol *s, struct next *next,
                   struct moment *m)
{
    struct lane_item item = *from;
    bool again = from->gap == 0 && l->adjacent && from->symbol == s->symbol;
    if (!again || s->kind != SYMBOL_LETTER)
        lane_settle_repeat(l, &item);
    uint64_t span = s->point->end - item.start;
    if (span > UINT32_MAX)
        return; /* nobody reads over four gigabytes of nothing */
    bool single = (from->gap & GAP_RUN) == 1 && (l->bare || (keys == 2 && l->plain));
    item.span = (uint32_t)span;
    item.place = place;
    item.layers |= point_layers(s->entry) | l->gap_layers |
                   ((from->gap & GAP_RUN) && !single ? LAYER_SEPARATOR : 0u);
    item.print = trie_print(item.print, s->cp);
    item.symbol = s->symbol;
    item.kind = s->kind;
    item.gap = 0;
    item.length += (uint8_t)keys;
    item.flags = (uint16_t)((item.flags & ~(ITEM_FIRST | ITEM_OPEN)) | flags);
    if (keys == 2 || s->kind == SYMBOL_HAN) /* the next letters are another word's */
        item.flags = (uint16_t)((item.flags & ~ITEM_SPELLED) | ITEM_APART);
    if (s->kind == SYMBOL_LETTER)
        item.flags |= s->entry & 16u << POINT_LAYER_SHIFT ? ITEM_LOOKALIKE : ITEM_GENUINE;
    if (trie_ends(l->trie, place)) {
        if (kind_is_word(s->kind))
            item.flags |= long_enough(&item) ? ITEM_OPEN : 0;
        else
            complete(l, &item, m->now, m);
    }
    if ((item.flags & ITEM_OPEN) || trie_goes_on(l->trie, place))
        next_add(next, &item, m);
}

static void advance(const struct lane *l, const struct lane_item *item, const struct symbol *s,
                    struct next *next, struct moment *m)
{
    const struct trie *t = l->trie;
    bool words = kind_is_word(item->kind) && kind_is_word(s->kind), gap = item->gap & GAP_RUN;
    unsigned flags = 0;
    if (symbol_space(item->kind, s->kind, item->gap)) {
        uint32_t space = t->space ? trie_step(t, item->place, t->space) : PLACE_NONE;
        uint32_t to = space == PLACE_NONE ? PLACE_NONE : trie_step(t, space, s->symbol);
        if (to != PLACE_NONE)
            arrive(l, item, to, 2, 0, s, next, m);
        if (!words)
            return;
        if (!(item->gap & (GAP_BLANK | GAP_JOINER | GAP_MARK)))
            flags = ITEM_BROKEN;
        else if (item->flags & ITEM_APART)
            flags = ITEM_SPELLED;
        else
            return;
    } else if (words && !gap && (item->flags & ITEM_SPELLED)) {
        return; /* spelled out, then to the end */
    }
    if ((item->flags & ITEM_FIRST) && !trie_begins(t, item->symbol, s->symbol))
        return;
    uint32_t to = trie_step(t, item->place, s->symbol);
    if (to == PLACE_NONE)
        return;
    struct lane_item from = *item;
    if (words && !gap)
        from.flags &= (uint16_t)~ITEM_APART;
    arrive(l, &from, to, 1, flags, s, next, m);
}

/* An item meets the next symbol of the text. */
static void meet(const struct lane *l, const struct lane_item *old, const struct symbol *s,
                 struct next *next, struct moment *m)
{
    struct lane_item item = *old;
    bool adjacent = item.gap == 0 && l->adjacent;
    bool again = adjacent && s->symbol && s->symbol == item.symbol && s->kind != SYMBOL_DIGIT;
    if (item.flags & ITEM_OPEN) {
        if (!adjacent || s->kind != item.kind) {
            complete(l, &item, m->before, m);
            item.flags &= (uint16_t)~ITEM_OPEN;
        } else if (!again) {
            item.flags &= (uint16_t)~ITEM_OPEN;
        }
    }
    if (!s->symbol)
        return;
    if (again && !(s->kind == SYMBOL_HAN && (item.flags & ITEM_FIRST))) {
        struct lane_item same = item;
        same.flags |= ITEM_REPEAT;
        if (item.flags & ITEM_OPEN)
            same.span = (uint32_t)(s->point->end - item.start);
        next_add(next, &same, m);
    }
    item.flags &= (uint16_t)~ITEM_OPEN;
    if (trie_goes_on(l->trie, item.place))
        advance(l, &item, s, next, m);
}

static struct lane_item first_item(const struct lane *l, const struct symbol *s,
                                   const struct moment *m)
{
    struct lane_item item = {
        .start = s->point->start,
        .span = (uint32_t)(s->point->end - s->point->start),
        .place = l->trie->first[s->symbol],
        .layers = point_layers(s->entry),
        .print = trie_print(0, s->cp),
        .seen = (uint32_t)m->before,
        .symbol = s->symbol,
        .kind = s->kind,
        .flags = ITEM_FIRST | ITEM_APART,
        .length = 1,
    };
    if (s->kind == SYMBOL_LETTER)
        item.flags |= s->entry & 16u << POINT_LAYER_SHIFT ? ITEM_LOOKALIKE : ITEM_GENUINE;
    if (kind_is_word(s->kind) && trie_ends(l->trie, item.place))
        item.flags |= ITEM_OPEN;
    return item;
}

struct lane_item lane_lone_item(const struct lane *l, bool pair)
{
    const struct lane_lone *lone = &l->lone;
    uint32_t target = fold_entry(lone->cp) & FOLD_TARGET;
    if (pair)
        return (struct lane_item){.start = lone->before,
                                  .span = (uint32_t)(lone->start + 3 - lone->before),
                                  .place = lone->pair,
                                  .layers = lone->layers,
                                  .print = lone->print,
                                  .seen = lone->before_seen,
                                  .symbol = lone->symbol,
                                  .flags = ITEM_APART,
                                  .kind = SYMBOL_HAN,
                                  .length = lone->length};
    return (struct lane_item){.start = lone->start,
                              .span = 3,
                              .place = l->trie->first[lone->symbol],
                              .layers = point_layers(trie_point(l->trie, lone->cp)),
                              .print = trie_print(0, target ? target : lone->cp),
                              .seen = lone->seen,
                              .symbol = lone->symbol,
                              .flags = ITEM_FIRST | ITEM_APART,
                              .kind = SYMBOL_HAN,
                              .gap = lone->gap,
                              .length = 1};
}

void lane_sleep(struct lane *l)
{
    const struct lane_item *item = l->items;
    if (l->count != 1 || item->flags != (ITEM_FIRST | ITEM_APART) || item->kind != SYMBOL_HAN ||
        item->tag || item->symbol != l->symbol || l->gap_layers ||
        (item->layers & (LAYER_MARKUP | LAYER_JOIN)) || l->bare)
        return;
    l->lone = (struct lane_lone){.start = item->start,
                                 .cp = l->cp,
                                 .seen = item->seen,
                                 .symbol = item->symbol,
                                 .pair = PLACE_NONE,
                                 .gap = item->gap,
                                 .on = true};
    l->count = 0;
}

void lane_wake(struct lane *l)
{
    if (!l->lone.on)
        return;
    l->lone.on = false;
    l->count = 0;
    if (l->lone.pair != PLACE_NONE)
        l->items[l->count++] = lane_lone_item(l, true);
    if (l->lone.symbol && l->trie->first[l->lone.symbol] != PLACE_NONE)
        l->items[l->count++] = lane_lone_item(l, false);
    l->frozen = 0;
    l->symbol = l->lone.symbol;
    l->cp = l->lone.cp;
    l->kind = SYMBOL_HAN;
    l->run = 1;
    l->mixed = l->plain = l->bare = false;
    l->adjacent = l->lone.gap == 0;
    l->gap_layers = 0;
}

static void meet_all(struct lane *l, const struct symbol *s, bool starts, struct moment *m)
{
    struct next next UNINITIALIZED;
    next.count = 0;
    for (unsigned i = 0; i < l->count; i++) {
        if (l->items[i].tag)
            next_add(&next, &l->items[i], m);
        else
            meet(l, &l->items[i], s, &next, m);
    }
    if (starts) {
        struct lane_item first = first_item(l, s, m);
        if (s->kind == SYMBOL_HAN && trie_ends(l->trie, first.place))
            complete(l, &first, m->now, m);
        next_add(&next, &first, m);
    }
    next_take(l, &next, m);
}

/* Most symbols come behind one that began a word of two others: nothing goes on. */
static bool goes_nowhere(const struct lane *l, const struct symbol *s)
{
    const struct lane_item *item = l->items;
    return l->count == 0 || (l->count == 1 && item->flags == (ITEM_FIRST | ITEM_APART) &&
                             item->gap == 0 && !item->tag && item->symbol != s->symbol &&
                             !trie_begins(l->trie, item->symbol, s->symbol));
}

static void lane_symbol(struct lane *l, const struct symbol *s, struct moment *m)
{
    bool again = l->adjacent && s->symbol && l->symbol == s->symbol;
    bool inside = l->adjacent && kind_is_word(s->kind) && l->kind == s->kind;
    bool starts = s->symbol && (s->entry & POINT_FIRST) && !inside;
    if (!goes_nowhere(l, s)) {
        meet_all(l, s, starts, m);
    } else {
        l->count = starts;
        if (starts) {
            l->items[0] = first_item(l, s, m);
            if (s->kind == SYMBOL_HAN && trie_ends(l->trie, l->items[0].place))
                complete(l, &l->items[0], m->now, m);
        }
    }
    if (again) {
        l->mixed |= l->cp != s->point->cp;
        l->run += l->run < 3;
    } else {
        l->run = 1;
        l->mixed = false;
    }
    l->symbol = s->symbol;
    l->cp = s->point->cp;
    l->kind = s->kind;
    l->adjacent = true;
    l->gap_layers = 0;
}

static void lane_separator(struct lane *l, uint32_t cp, unsigned gap, struct moment *m)
{
    l->plain = l->adjacent && cp == ' ';
    l->bare = false;
    if (l->count) {
        struct next next UNINITIALIZED;
        next.count = 0;
        for (unsigned i = 0; i < l->count; i++) {
            struct lane_item item = l->items[i];
            unsigned run = item.gap & GAP_RUN;
            if (item.tag) {
                next_add(&next, &item, m);
                continue;
            }
            if (item.flags & ITEM_OPEN)
                complete(l, &item, m->before, m);
            item.flags &= (uint16_t)~ITEM_OPEN;
            if (run == SYMBOL_RUN_MAX || !trie_goes_on(l->trie, item.place))
                continue;
            lane_settle_repeat(l, &item);
            if (cp == '<') {
                item.tag = 1;
                next_add(&next, &item, m);
                item.tag = 0;
                l->frozen = 1;
            }
            item.gap = (uint8_t)((item.gap & ~GAP_RUN) | gap | (run + 1));
            next_add(&next, &item, m);
        }
        next_take(l, &next, m);
    }
    l->adjacent = false;
}

void lane_reset(struct lane *l)
{
    l->count = l->frozen = 0;
    l->adjacent = false;
    l->kind = SYMBOL_NONE;
    l->symbol = 0;
    l->gap_layers = 0;
}

static bool opens_tag(uint32_t cp)
{
    return (cp | 0x20) - 'a' < 26 || cp == '/' || cp == '!';
}

/* Those that wait for the end of a tag read one more character of it. */
static void lane_tag(struct lane *l, uint32_t cp)
{
    unsigned kept = 0;
    l->frozen = 0;
    for (unsigned i = 0; i < l->count; i++) {
        struct lane_item item = l->items[i];
        if (item.tag) {
            if (item.tag > TAG_MAX || cp == '<' || (item.tag == 1 && !opens_tag(cp)))
                continue;
            item.tag = cp == '>' ? TAG_ENDED : (uint8_t)(item.tag + 1);
            l->frozen = 1;
        }
        l->items[kept++] = item;
    }
    l->count = (uint16_t)kept;
}

/* Tags have ended: a tag is one separator. */
static void lane_thaw(struct lane *l, struct moment *m)
{
    struct next next UNINITIALIZED;
    next.count = 0;
    l->frozen = 0;
    for (unsigned i = 0; i < l->count; i++) {
        struct lane_item item = l->items[i];
        if (item.tag == TAG_ENDED) {
            item.tag = 0;
            item.gap = (uint8_t)((item.gap | GAP_ODD) + 1);
            item.layers |= LAYER_MARKUP;
        }
        l->frozen |= item.tag != 0;
        next_add(&next, &item, m);
    }
    next_take(l, &next, m);
}

static void lane_character(struct lane *l, const struct fold_point *p, uint32_t entry, uint32_t cp,
                           struct moment *m)
{
    switch (entry >> POINT_CLASS_SHIFT & 7) {
    case FOLD_HAN:
    case FOLD_WORD:
        lane_symbol(l,
                    &(struct symbol){.point = p,
                                     .entry = entry,
                                     .cp = cp,
                                     .symbol = (uint16_t)(entry & POINT_SYMBOL),
                                     .kind = entry >> POINT_KIND_SHIFT & 3},
                    m);
        break;
    case FOLD_SEPARATOR:
    case FOLD_BLANK:
        if (l->trie->lens == LENS_INSERTED && fold_entry_class(fold_entry(cp)) == FOLD_WORD)
            l->gap_layers |= LAYER_INSERTED;
        lane_separator(l, p->cp,
                       entry >> POINT_GAP_SHIFT & (GAP_BLANK | GAP_JOINER | GAP_MARK | GAP_ODD), m);
        break;
    case FOLD_MARK:
        l->gap_layers |= LAYER_MARK;
        break;
    default:
        l->gap_layers |= LAYER_INVISIBLE;
    }
}

void lane_point(struct lane *l, const struct fold_point *p, struct moment *m)
{
    uint32_t entry = trie_point(l->trie, p->cp);
    bool frozen = l->frozen && (entry >> POINT_CLASS_SHIFT & 7) < FOLD_INVISIBLE;
    if (frozen)
        lane_tag(l, p->cp);
    if (!(entry & POINT_EXPANDS)) {
        uint32_t folded = fold_entry(p->cp) & FOLD_TARGET;
        lane_character(l, p, entry, folded ? folded : p->cp, m);
    } else {
        uint32_t cps[FOLD_EXPANSION_MAX];
        uint32_t layers = point_pack(fold_entry_layers(fold_entry(p->cp))) << POINT_LAYER_SHIFT;
        unsigned n = fold_code_point(p->cp, cps);
        for (unsigned i = 0; i < n; i++) {
            uint32_t e = trie_point(l->trie, cps[i]);
            bool symbol = (e >> POINT_CLASS_SHIFT & 7) <= FOLD_WORD;
            lane_character(l, p, symbol ? e | layers : e, cps[i], m);
        }
    }
    if (frozen && p->cp == '>')
        lane_thaw(l, m);
}

void lane_join(struct lane *l, struct moment *m)
{
    struct next next UNINITIALIZED;
    next.count = 0;
    for (unsigned i = 0; i < l->count; i++) {
        struct lane_item item = l->items[i];
        if (item.tag)
            continue;
        if (item.flags & ITEM_OPEN)
            complete(l, &item, m->before, m);
        if (!trie_goes_on(l->trie, item.place))
            continue;
        lane_settle_repeat(l, &item);
        item.flags = (uint16_t)((item.flags & ~ITEM_OPEN) | ITEM_JOINED);
        /* Like one blank, where there is none. */
        if (item.gap == 0)
            item.gap = GAP_BLANK | 1;
        next_add(&next, &item, m);
    }
    next_take(l, &next, m);
    l->frozen = 0;
    l->bare = l->adjacent;
    l->adjacent = l->plain = false;
    l->gap_layers |= LAYER_JOIN;
}

void lane_end(struct lane *l, struct moment *m)
{
    for (unsigned i = 0; i < l->count; i++)
        if (l->items[i].flags & ITEM_OPEN)
            complete(l, &l->items[i], m->before, m);
    l->count = l->frozen = 0;
    l->adjacent = false;
    l->kind = SYMBOL_NONE;
}
