/* Walks the trie where the filter of match/skip.h says that a word may begin. */
#include "match/skipwalk.h"

/*
 * A walk along the text from the beginning of a word: the places that its readings have come to.
 * `doubt`: a letter said twice was read as one, which counts only if something else shows that it
 * is a disguise (see lane.c).
 */
struct walk {
    uint32_t place[4];
    bool doubt[4];
    unsigned count;
    uint32_t symbol; /* the last one */
    unsigned kind;   /* and its kind */
    unsigned said;   /* how often in a row */
    unsigned char raw;
    bool evident;
    /* The letters since a Han character or gap stand apart. Those that a word begins with, too, are
     * told by another way: see struct chain. */
    bool apart;
};

static struct walk walk_from(uint32_t place, uint32_t symbol, unsigned kind, unsigned char raw)
{
    return (struct walk){.place = {place},
                         .count = place != PLACE_NONE,
                         .symbol = symbol,
                         .kind = kind,
                         .said = 1,
                         .raw = raw,
                         .apart = kind == SYMBOL_HAN};
}

static bool walk_ends(const struct trie *t, const struct walk *w)
{
    for (unsigned i = 0; i < w->count; i++)
        if (trie_ends(t, w->place[i]) && (!w->doubt[i] || w->evident))
            return true;
    return false;
}

/* The symbol right behind itself. False when there are more readings than a walk keeps. */
static bool walk_again(const struct trie *t, struct walk *w, unsigned char raw)
{
    unsigned count = w->count;
    w->said++;
    w->evident |= w->kind == SYMBOL_LETTER && (w->said > 2 || raw != w->raw);
    for (unsigned i = 0; i < count; i++) {
        uint32_t to = trie_step(t, w->place[i], w->symbol);
        bool doubt = w->doubt[i];
        w->doubt[i] |= w->kind == SYMBOL_LETTER;
        if (to == PLACE_NONE)
            continue;
        if (w->count == 4)
            return false;
        w->doubt[w->count] = doubt;
        w->place[w->count++] = to;
    }
    return true;
}

static void walk_step(const struct trie *t, struct walk *w, uint32_t symbol)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < w->count; i++) {
        uint32_t to = trie_step(t, w->place[i], symbol);
        if (to == PLACE_NONE)
            continue;
        w->place[kept] = to;
        w->doubt[kept++] = w->doubt[i];
    }
    w->count = kept;
}

static bool walk_goes(const struct trie *t, const struct walk *w, uint32_t symbol)
{
    for (unsigned i = 0; i < w->count; i++)
        if (trie_step(t, w->place[i], symbol) != PLACE_NONE)
            return true;
    return false;
}

/* May it become an allow phrase? */
static bool walk_allows(const struct trie *t, const struct walk *w)
{
    for (unsigned i = 0; i < w->count; i++)
        if (trie_grows(t, w->place[i], w->kind, 1, GROWTH_ANY) & WHO_ALLOW)
            return true;
    return false;
}

/* The character at `at`: its length, or 0 when only a lane can read it. */
static unsigned plain_at(const struct skip *s, const unsigned char *p, size_t n, size_t at,
                         uint32_t *ret_symbol, unsigned *ret_kind, unsigned *ret_gap)
{
    uint32_t entry;
    *ret_kind = SYMBOL_NONE;
    if (p[at] < 0x80) {
        if (s->ascii[p[at]] == SKIP_ASCII_STOP)
            return 0;
        entry = trie_point(s->trie, p[at]);
        *ret_symbol = s->symbols[p[at]];
        if (s->ascii[p[at]] >= SKIP_ASCII_LETTER)
            *ret_kind = s->ascii[p[at]] == SKIP_ASCII_LETTER ? SYMBOL_LETTER : SYMBOL_DIGIT;
    } else {
        uint32_t v = is_three(p + at, n - at) ? bmp_at(s, p + at) : SKIP_STOP;
        if (v == SKIP_STOP)
            return 0;
        entry =
            trie_point(s->trie, (p[at] & 15u) << 12 | (p[at + 1] & 63u) << 6 | (p[at + 2] & 63u));
        *ret_symbol = v < s->trie->symbols ? v : 0;
        *ret_kind = v >= SKIP_ODD ? SYMBOL_NONE : SYMBOL_HAN;
    }
    *ret_gap = entry >> POINT_GAP_SHIFT & (GAP_BLANK | GAP_JOINER | GAP_MARK | GAP_ODD);
    return p[at] < 0x80 ? 1 : 3;
}

/*
 * Can a word end there if the text is read on from `at`? False is certain; where only a lane can
 * tell, or the text is over, the answer is true.
 */
static bool may_end(const struct skip *s, const unsigned char *p, size_t n, size_t at,
                    struct walk w)
{
    const struct trie *t = s->trie;
    unsigned gap = 0, run = 0;
    while (w.count) {
        uint32_t symbol;
        unsigned kind, bits, len = at < n ? plain_at(s, p, n, at, &symbol, &kind, &bits) : 0;
        if (!len)
            return true;
        unsigned char raw = p[at];
        at += len;
        if ((run || w.kind == SYMBOL_HAN || kind != w.kind) && walk_ends(t, &w))
            return true;
        if (kind == SYMBOL_NONE) {
            if (++run > SYMBOL_RUN_MAX)
                return false;
            gap |= bits;
            continue;
        }
        if (!symbol)
            return false;
        bool words = kind_is_word(w.kind) && kind_is_word(kind);
        bool broken = !(gap & (GAP_BLANK | GAP_JOINER | GAP_MARK));
        if (run && words && (broken || w.apart) && walk_goes(t, &w, symbol))
            return true; /* broken up, or spelled out */
        if (!run && symbol == w.symbol && kind != SYMBOL_DIGIT) {
            if (!walk_again(t, &w, raw))
                return true;
            continue;
        }
        w.apart = run || !words;
        if (symbol_space(w.kind, kind, run ? gap | 1 : 0)) {
            if (!t->space)
                return false;
            walk_step(t, &w, t->space);
        }
        walk_step(t, &w, symbol);
        w.symbol = symbol;
        w.kind = kind;
        /* While a phrase grows, hits wait for it, even if nothing comes of it. */
        if (t->allows && walk_allows(t, &w))
            return true;
        w.said = 1;
        w.raw = raw;
        gap = run = 0;
    }
    return false;
}

static uint32_t first_place(const struct trie *t, uint32_t symbol)
{
    return symbol < t->symbols ? t->first[symbol] : PLACE_NONE;
}

/* Said more often in a row than this, a character is left to a lane. */
#define TWICE_MAX 8

/*
 * May a word begin with the Han character at `at`, or, if that is said again and again, with one of
 * the others?
 */
static bool begins_at(const struct skip *s, const unsigned char *p, size_t n, size_t at,
                      uint32_t first)
{
    uint32_t place = first_place(s->trie, first);
    if (place == PLACE_NONE)
        return false;
    for (unsigned twice = 0; twice < TWICE_MAX; twice++) {
        uint32_t symbol = 0;
        unsigned kind, gap, len = 3;
        if (may_end(s, p, n, at + 3, walk_from(place, first, SYMBOL_HAN, 0)))
            return true;
        do {
            at += len;
            len = at < n ? plain_at(s, p, n, at, &symbol, &kind, &gap) : 0;
            if (!len)
                return true;
        } while (kind == SYMBOL_NONE);
        if (kind != SYMBOL_HAN || symbol != first)
            return false;
    }
    return true;
}

/* Is there a word that begins with the three symbols, for which the filter may have erred? */
static bool begins_so(const struct trie *t, uint32_t first, uint32_t second, uint32_t third)
{
    uint32_t place = first_place(t, first);
    if (place == PLACE_NONE || second >= t->symbols || third >= t->symbols)
        return false;
    place = trie_step(t, place, second);
    return place != PLACE_NONE &&
           (third ? trie_step(t, place, third) != PLACE_NONE : trie_ends(t, place));
}

/* Or with two of which one is said twice? */
static bool begins_twice(const struct trie *t, uint32_t first, uint32_t second)
{
    uint32_t place = first_place(t, first);
    if (place == PLACE_NONE || second >= t->symbols)
        return false;
    if (trie_step(t, place, first) != PLACE_NONE)
        return true;
    place = trie_step(t, place, second);
    return place != PLACE_NONE && trie_step(t, place, second) != PLACE_NONE;
}

bool scan_confirms(const struct scan *scan, struct chain *c, uint32_t v, unsigned hint)
{
    const struct skip *s = scan->skip;
    if ((hint & HINT_THIRD) && (v == SKIP_WORD || begins_so(s->trie, c->two, c->one, v)) &&
        begins_at(s, scan->p, scan->n, c->two_at, c->two))
        return true;
    bool begins =
        (hint & HINT_SHORT) && (v == SKIP_WORD ? begins_at(s, scan->p, scan->n, c->one_at, c->one)
                                               : begins_so(s->trie, c->one, v, 0));
    if (!begins && (hint & HINT_TWICE))
        begins =
            begins_twice(s->trie, c->one, v) && begins_at(s, scan->p, scan->n, c->one_at, c->one);
    if (begins)
        c->two = 0;
    return begins;
}

bool scan_confirms_twice(const struct scan *scan)
{
    const struct chain *c = &scan->chain;
    return begins_at(scan->skip, scan->p, scan->n, c->one_at, c->one);
}

bool scan_confirms_head(const struct scan *scan, size_t at)
{
    const struct skip *s = scan->skip;
    unsigned char b = scan->p[at];
    unsigned kind = s->ascii[b] == SKIP_ASCII_LETTER ? SYMBOL_LETTER : SYMBOL_DIGIT;
    uint32_t place = first_place(s->trie, s->symbols[b]);
    return place != PLACE_NONE &&
           may_end(s, scan->p, scan->n, at + 1, walk_from(place, s->symbols[b], kind, b));
}

bool scan_confirms_spelled(const struct scan *scan)
{
    const struct skip *s = scan->skip;
    uint32_t next = s->symbols[scan->p[scan->at]];
    uint32_t place = first_place(s->trie, s->symbols[scan->p[scan->chain.single]]);
    return next && place != PLACE_NONE && trie_step(s->trie, place, next) != PLACE_NONE;
}
