#include "match/cursor.h"

#include "match/set.h"
#include "match/watch.h"

#include <errno.h>
#include <stdlib.h>

/*
 * Symbols are numbered from the start of the text, counting only those that were part of some match
 * when they were read: whatever is not can't be in a match that is reported later. The last ones
 * are kept in rings of a power of two.
 *
 *     settled            undecided                          next
 *     ───────┬───────────────────────────────┬───────────────┬──────
 *            allow_from                      hold            count
 *
 * A hit is decided when its word boundary is known and no allow phrase that could cover it is
 * still growing, that is, when it begins before allow_from: the first symbol of the longest allow
 * phrase that is growing. That number never falls, so nothing needs to be remembered of a hit but
 * the node at its last symbol.
 */
struct cursor {
    const struct automaton *automaton;
    struct watch *watch; /* for patterns, NULL when none counts for this direction */
    uint8_t direction;   /* bits */
    uint8_t last;        /* class of the last symbol or SYMBOL_NONE */
    uint8_t run;         /* separators since, at most SYMBOL_RUN_MAX */
    bool blank;          /* the run is all blank */
    bool plain;          /* the run is one U+0020 */
    bool open;           /* the last symbol is of a word whose end is not known yet */
    bool waiting;        /* there may be hits from allow_from on that are undecided */
    uint8_t gap;         /* GAP_* bits between the last symbol and the next */
    uint32_t node;
    uint64_t count;      /* number of the next symbol */
    uint64_t allow_from; /* valid while waiting */
    uint64_t join_at;    /* number of the first symbol behind the last join */
    uint64_t covered;    /* number behind the last symbol that a complete allow phrase covers */
    uint64_t pos;        /* end of the last code point read */
    struct fold_reader reader;
    cursor_hit_fn fn;
    void *ctx;
    uint32_t mask;   /* ring size less one */
    uint32_t *heads; /* ring: the node with the outputs that end at this symbol, 0 when none */
    /*
     * Ring: twice the number of symbols from here to the end of the complete allow phrase that goes
     * furthest, plus one if it began before: a hit from here is covered when that is more than
     * twice its length.
     */
    uint8_t *covers;
    uint64_t ring[]; /* packed symbols */
};

/* A packed symbol: raw start (below 256 TiB), raw length, KIND_* bits, GAP_* bits before it. */
#define PACK_START      0xFFFFFFFFFFFFu
#define PACK_LEN_SHIFT  48
#define PACK_KIND_SHIFT 51
#define PACK_GAP_SHIFT  57

/* LAYER_* bits in four. */
enum { GAP_INVISIBLE = 1, GAP_MARK = 2, GAP_SEPARATOR = 4, GAP_JOIN = 8 };

static uint32_t gap_layers(uint64_t packed)
{
    unsigned g = packed >> PACK_GAP_SHIFT & 15;
    return (g & GAP_INVISIBLE ? LAYER_INVISIBLE : 0u) | (g & GAP_MARK ? LAYER_MARK : 0u) |
           (g & GAP_SEPARATOR ? LAYER_SEPARATOR : 0u) | (g & GAP_JOIN ? LAYER_JOIN : 0u);
}

static struct cursor *create(const struct matchset *set, enum direction direction, bool patterns)
{
    const struct automaton *a = &set->automaton;
    /*
     * A hit within an allow phrase that only waited for its word to end is decided after the next
     * symbol and a space before it came.
     */
    uint32_t ring = 4;
    while (ring < a->longest + 2)
        ring *= 2;
    size_t heads = a->allows ? ring : 0;
    struct cursor *c =
        calloc(1, sizeof(*c) + ring * sizeof(*c->ring) + heads * (sizeof(*c->heads) + 1));
    if (!c)
        return NULL;
    c->automaton = a;
    c->direction = (uint8_t)direction;
    c->last = SYMBOL_NONE;
    c->mask = ring - 1;
    if (patterns && patterns_count(&set->patterns, direction)) {
        c->watch = watch_new(&set->patterns, direction);
        if (!c->watch) {
            free(c);
            return NULL;
        }
    }
    if (heads) {
        c->heads = (uint32_t *)(void *)(c->ring + ring);
        c->covers = (uint8_t *)(c->heads + ring);
    }
    return c;
}

struct cursor *cursor_new(const struct matchset *set, enum direction direction)
{
    return create(set, direction, true);
}

struct cursor *cursor_new_keywords(const struct matchset *set, enum direction direction)
{
    return create(set, direction, false);
}

void cursor_free(struct cursor *c)
{
    if (c)
        watch_free(c->watch);
    free(c);
}

void cursor_tell_saved(struct cursor *c, cursor_hit_fn fn, void *ctx)
{
}

static uint64_t symbol_start(const struct cursor *c, uint64_t number)
{
    return c->ring[number & c->mask] & PACK_START;
}

static enum growth cursor_growth(const struct cursor *c)
{
    if (c->run == 0)
        return GROWTH_ANY;
    if (!c->blank)
        return GROWTH_MIXED;
    return c->run < SYMBOL_RUN_MAX ? GROWTH_BLANK : GROWTH_BLANK_FULL;
}

/* The first symbol of the longest allow phrase that is growing, or count when none is. */
static uint64_t cursor_allow_from(const struct cursor *c)
{
    const struct automaton *a = c->automaton;
    enum growth growth = cursor_growth(c);
    uint32_t node = c->node;
    unsigned hold = a->infos[node].hold[GROW_ALLOW][growth];
    /* One that began before a join is none; a shorter one may be behind it. */
    while (hold && c->count - hold < c->join_at) {
        while (a->infos[node].depth > hold)
            node = a->nodes[node].fail;
        node = a->nodes[node].fail;
        hold = a->infos[node].hold[GROW_ALLOW][growth];
    }
    return c->count - hold;
}

/* Whether a complete allow phrase longer than the hit [start, end) covers it. */
static bool hit_covered(const struct cursor *c, uint64_t start, uint64_t end)
{
    return c->covered >= end && c->covers[start & c->mask] > 2 * (end - start);
}

/* Notes the longest complete allow phrase that ends with the last symbol, and begins at `start`. */
static void cover_note(struct cursor *c, uint64_t start)
{
    c->covered = c->count;
    for (uint64_t s = start; s < c->count; s++) {
        uint8_t reach = (uint8_t)(2 * (c->count - s) + (s > start));
        if (reach > c->covers[s & c->mask])
            c->covers[s & c->mask] = reach;
    }
}

/*
 * Whether the hit counts by its letters: a word wholly of look-alikes is of another script, and a
 * keyword wholly of them does not mean the Latin word.
 */
static bool hit_genuine(const struct cursor *c, uint64_t start, uint64_t end, bool lookalike)
{
    bool any = false, genuine = false;
    for (uint64_t s = start; s < end; s++) {
        uint64_t packed = c->ring[s & c->mask];
        unsigned kind = packed >> PACK_KIND_SHIFT;
        any |= kind & KIND_LOOKALIKE;
        genuine |= (kind & (KIND_LETTER | KIND_LOOKALIKE)) == KIND_LETTER;
    }
    return lookalike ? any : genuine || !any;
}

static int hit_report(struct cursor *c, uint64_t start, uint64_t end, uint32_t rule)
{
    struct hit hit = {.start = symbol_start(c, start), .rule = rule};
    for (uint64_t s = start; s < end; s++) {
        uint64_t packed = c->ring[s & c->mask];
        hit.layers |=
            kind_layers(packed >> PACK_KIND_SHIFT & 31) | (s > start ? gap_layers(packed) : 0);
    }
    uint64_t last = c->ring[(end - 1) & c->mask];
    hit.end = (last & PACK_START) + (last >> PACK_LEN_SHIFT & 7);
    return c->fn(c->ctx, &hit);
}

/* The hits of one node with outputs that end before symbol `end`. */
static int node_report(struct cursor *c, uint32_t node, uint64_t end)
{
    const struct automaton *a = c->automaton;
    uint64_t start = end - a->infos[node].depth;
    if (hit_covered(c, start, end))
        return 0;
    const struct output *out = &a->outputs[a->infos[node].first];
    for (;; out++) {
        if (!(out->flags & OUTPUT_ALLOW) && (out->direction & c->direction) &&
            hit_genuine(c, start, end, out->flags & OUTPUT_LOOKALIKE)) {
            int r = hit_report(c, start, end, out->rule);
            if (r)
                return r;
        }
        if (out->flags & OUTPUT_LAST)
            return 0;
    }
}

/*
 * Decides what can be decided. `fresh` is the node whose outputs, ending at the last symbol, have
 * just become effective, or 0. Reports by start, longer first.
 */
static int cursor_settle(struct cursor *c, uint32_t fresh)
{
    const struct automaton *a = c->automaton;
    if (!a->allows) {
        for (uint32_t n = fresh; n; n = a->nodes[a->nodes[n].fail].out) {
            int r = node_report(c, n, c->count);
            if (r)
                return r;
        }
        return 0;
    }
    uint64_t to = cursor_allow_from(c), from = c->waiting ? c->allow_from : to;
    c->allow_from = to;
    c->waiting |= fresh;
    for (uint32_t n = fresh; n; n = a->nodes[a->nodes[n].fail].out) {
        if (c->count - a->infos[n].depth >= from)
            break;
        int r = node_report(c, n, c->count);
        if (r)
            return r;
    }
    for (uint64_t s = from; s < to; s++) {
        for (uint64_t end = c->count; end > s; end--) {
            uint32_t n = c->heads[(end - 1) & c->mask];
            while (n && a->infos[n].depth > end - s)
                n = a->nodes[a->nodes[n].fail].out;
            if (n && a->infos[n].depth == end - s) {
                int r = node_report(c, n, end);
                if (r)
                    return r;
            }
        }
    }
    c->waiting = to < c->count;
    return 0;
}

/* The outputs at the last symbol are effective: notes its allow phrases, decides the rest. */
static int cursor_outputs(struct cursor *c)
{
    const struct automaton *a = c->automaton;
    uint32_t fresh = a->nodes[c->node].out;
    if (!fresh)
        return c->waiting ? cursor_settle(c, 0) : 0;
    if (a->allows) {
        c->heads[(c->count - 1) & c->mask] = fresh;
        for (uint32_t n = fresh; n; n = a->nodes[a->nodes[n].fail].out) {
            uint64_t start = c->count - a->infos[n].depth;
            if ((a->outputs[a->infos[n].first].flags & OUTPUT_ALLOW) && start >= c->join_at) {
                cover_note(c, start);
                break;
            }
        }
    }
    return cursor_settle(c, fresh);
}

static void ring_push(struct cursor *c, uint64_t packed)
{
    uint32_t at = c->count++ & c->mask;
    c->ring[at] = packed;
    if (c->heads) {
        c->heads[at] = 0;
        c->covers[at] = 0;
    }
}

/* Nothing that has been read can grow any more. */
static int cursor_part(struct cursor *c)
{
    c->node = NODE_ROOT;
    c->last = SYMBOL_NONE;
    return c->waiting ? cursor_settle(c, 0) : 0;
}

/* The word that the last symbol belongs to ends here. */
static int cursor_word_end(struct cursor *c)
{
    if (!c->open)
        return 0;
    c->open = false;
    return cursor_outputs(c);
}

static int cursor_separator(struct cursor *c, const struct fold_point *point, bool blank,
                            bool whole)
{
    c->gap |= GAP_SEPARATOR;
    if (c->last == SYMBOL_NONE) {
        c->run = 1;
        c->pos = whole ? point->end : c->pos;
        return 0;
    }
    bool full = c->run == SYMBOL_RUN_MAX;
    if (!full) {
        c->blank = (c->run == 0 || c->blank) && blank;
        c->plain = c->run == 0 && point->cp == ' ';
        c->run++;
    }
    int r = 0;
    if (c->open)
        r = cursor_word_end(c);
    else if (full)
        r = cursor_part(c);
    else if (c->waiting)
        r = cursor_settle(c, 0);
    if (r == 0 && whole)
        c->pos = point->end;
    return r;
}

/* Within a word that is in no match: no keyword begins there. */
static bool cursor_deaf(const struct cursor *c)
{
    return c->node == NODE_ROOT && c->last == FOLD_WORD && c->run == 0 && !c->waiting;
}

/* A Han character, letter or digit. */
static int cursor_symbol(struct cursor *c, const struct fold_point *point, uint32_t entry,
                         unsigned class, bool whole)
{
    const struct automaton *a = c->automaton;
    uint32_t symbol = entry & POINT_SYMBOL;
    int r;
    if (class == FOLD_WORD && cursor_deaf(c)) {
        c->gap = 0;
        c->pos = whole ? point->end : c->pos;
        return 0;
    }
    if (c->open) {
        if (class != FOLD_WORD) {
            r = cursor_word_end(c);
            if (r)
                return r;
        }
        c->open = false;
    }
    if (whole)
        c->pos = point->end;
    if (!symbol) {
        c->node = NODE_ROOT;
    } else {
        if (c->node != NODE_ROOT && symbol_space(c->last, class, c->run, c->blank)) {
            c->node = a->space ? automaton_next(a, c->node, a->space) : NODE_ROOT;
            if (c->node != NODE_ROOT)
                ring_push(c, (c->pos & PACK_START));
            if (c->plain)
                c->gap &= (uint8_t)~GAP_SEPARATOR;
        }
        symbol += symbol_initial(c->last, class, c->run);
        c->node = automaton_next(a, c->node, symbol);
    }
    c->run = 0;
    c->last = (uint8_t) class;
    if (c->node == NODE_ROOT) {
        c->gap = 0;
        return c->waiting ? cursor_settle(c, 0) : 0;
    }
    uint64_t len = point->end - point->start;
    ring_push(c, (point->start & PACK_START) | len << PACK_LEN_SHIFT |
                     (uint64_t)(entry >> POINT_KIND_SHIFT) << PACK_KIND_SHIFT |
                     (uint64_t)c->gap << PACK_GAP_SHIFT);
    c->gap = 0;
    if (class == FOLD_WORD) {
        c->open = true;
        return c->waiting ? cursor_settle(c, 0) : 0;
    }
    return cursor_outputs(c);
}

static int cursor_character(struct cursor *c, const struct fold_point *point, uint32_t entry,
                            bool whole)
{
    unsigned class = entry >> POINT_CLASS_SHIFT & 7;
    switch (class) {
    case FOLD_HAN:
    case FOLD_WORD:
        return cursor_symbol(c, point, entry, class, whole);
    case FOLD_SEPARATOR:
    case FOLD_BLANK:
        return cursor_separator(c, point, class == FOLD_BLANK, whole);
    default:
        c->gap |= class == FOLD_MARK ? GAP_MARK : GAP_INVISIBLE;
        if (whole)
            c->pos = point->end;
        return 0;
    }
}

static int cursor_keywords(struct cursor *c, const struct fold_point *point)
{
    const struct automaton *a = c->automaton;
    uint32_t entry = automaton_point(a, point->cp);
    if (!(entry & POINT_EXPANDS))
        return cursor_character(c, point, entry, true);
    uint32_t cps[FOLD_EXPANSION_MAX];
    uint32_t kind = kind_pack(fold_entry_layers(fold_entry(point->cp))) << POINT_KIND_SHIFT;
    unsigned n = fold_code_point(point->cp, cps);
    for (unsigned i = 0; i < n; i++) {
        int r = cursor_character(c, point, automaton_point(a, cps[i]) | kind, i + 1 == n);
        if (r)
            return r;
    }
    return 0;
}

static int cursor_point(struct cursor *c, const struct fold_point *point)
{
    int r = cursor_keywords(c, point);
    return r == 0 && c->watch ? watch_point(c->watch, point, c->fn, c->ctx) : r;
}

/* The rest of such a word, as far as it is ASCII: most of English. */
static void cursor_skip(struct cursor *c, struct span *text)
{
    size_t n = 0;
    while (n < text->len && (unsigned char)text->data[n] < 0x80 &&
           fold_entry_class(fold_entry((unsigned char)text->data[n])) == FOLD_WORD)
        n++;
    *text = span_slice(*text, n, text->len);
    c->reader.pos += n;
    c->pos = c->reader.pos;
    c->gap = n ? 0 : c->gap;
}

int cursor_feed(struct cursor *c, struct span text, cursor_hit_fn fn, void *ctx)
{
    struct fold_point point;
    int got;
    c->fn = fn;
    c->ctx = ctx;
    while ((got = fold_reader_next(&c->reader, &text, &point)) > 0) {
        int r = cursor_point(c, &point);
        if (r)
            return r;
        if (point.cp < 0x80 && !c->watch && cursor_deaf(c))
            cursor_skip(c, &text);
    }
    return got;
}

/* What ends at a join and at the end of the text alike. */
static int cursor_span_end(struct cursor *c)
{
    struct fold_point point;
    int got;
    while ((got = fold_reader_end(&c->reader, &point)) > 0) {
        int r = cursor_point(c, &point);
        if (r)
            return r;
    }
    return got;
}

int cursor_join(struct cursor *c, cursor_hit_fn fn, void *ctx)
{
    c->fn = fn;
    c->ctx = ctx;
    int r = cursor_span_end(c);
    if (r)
        return r;
    /* Like one blank, where there is none. */
    if (c->run == 0) {
        c->run = 1;
        c->blank = true;
        c->plain = false;
    }
    c->gap |= GAP_JOIN;
    r = cursor_word_end(c);
    if (r)
        return r;
    c->join_at = c->count;
    r = c->waiting ? cursor_settle(c, 0) : 0;
    return r == 0 && c->watch ? watch_end(c->watch, fn, ctx) : r;
}

int cursor_finish(struct cursor *c, cursor_hit_fn fn, void *ctx)
{
    c->fn = fn;
    c->ctx = ctx;
    int r = cursor_span_end(c);
    if (r == 0)
        r = cursor_word_end(c);
    if (r == 0)
        r = cursor_part(c);
    return r == 0 && c->watch ? watch_end(c->watch, fn, ctx) : r;
}

static bool node_counts(const struct cursor *c, uint32_t node, uint64_t end)
{
    const struct automaton *a = c->automaton;
    uint64_t start = end - a->infos[node].depth;
    if (hit_covered(c, start, end))
        return false;
    const struct output *out = &a->outputs[a->infos[node].first];
    for (;; out++) {
        if (!(out->flags & OUTPUT_ALLOW) && (out->direction & c->direction) &&
            hit_genuine(c, start, end, out->flags & OUTPUT_LOOKALIKE))
            return true;
        if (out->flags & OUTPUT_LAST)
            return false;
    }
}

/* The first symbol of a hit that is undecided, or count. */
static uint64_t cursor_undecided(const struct cursor *c)
{
    const struct automaton *a = c->automaton;
    uint64_t first = c->count;
    /* At the end of a word that may go on; an allow phrase there would end with the hit. */
    for (uint32_t n = c->open ? a->nodes[c->node].out : 0; n; n = a->nodes[a->nodes[n].fail].out) {
        uint64_t start = c->count - a->infos[n].depth;
        if (node_counts(c, n, c->count)) {
            first = start;
            break;
        }
        if ((a->outputs[a->infos[n].first].flags & OUTPUT_ALLOW) && start >= c->join_at)
            break;
    }
    for (uint64_t s = c->waiting ? c->allow_from : first; s < first; s++) {
        for (uint64_t end = c->count; end > s; end--) {
            uint32_t n = c->heads[(end - 1) & c->mask];
            while (n && a->infos[n].depth > end - s)
                n = a->nodes[a->nodes[n].fail].out;
            if (n && a->infos[n].depth == end - s && node_counts(c, n, end))
                return s;
        }
    }
    return first;
}

uint64_t cursor_clear(const struct cursor *c)
{
    const struct node_info *info = &c->automaton->infos[c->node];
    enum growth growth = cursor_growth(c);
    unsigned hold = c->direction & DIRECTION_PROMPT ? info->hold[GROW_PROMPT][growth] : 0;
    if ((c->direction & DIRECTION_COMPLETION) && info->hold[GROW_COMPLETION][growth] > hold)
        hold = info->hold[GROW_COMPLETION][growth];
    uint64_t first = c->count - hold;
    if (c->open || c->waiting) {
        uint64_t undecided = cursor_undecided(c);
        first = undecided < first ? undecided : first;
    }
    uint64_t clear = first == c->count ? c->pos : symbol_start(c, first);
    uint64_t watched = c->watch ? watch_clear(c->watch) : clear;
    clear = watched < clear ? watched : clear;
    return clear < c->pos ? clear : c->pos;
}
