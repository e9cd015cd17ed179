#include "match/skip.h"

#include <errno.h>
#include <stdlib.h>

void skip_deinit(struct skip *s)
{
    free(s->bmp);
    free(s->filter);
    free(s->heads);
    free(s->flags);
    *s = (struct skip){0};
}

size_t skip_bytes(const struct skip *s)
{
    return 0x10000 * sizeof(*s->bmp) + (1ull << (32 - s->filter_shift)) * sizeof(*s->filter) +
           (1ull << (32 - s->head_shift)) / 8 + s->trie->symbols;
}

/* The symbols of a word as they are looked at here: repeats once, all but Han as SKIP_WORD. */
static unsigned look(const struct trie *t, const struct trie_word *w, uint32_t ret[3],
                     bool *ret_repeats)
{
    unsigned n = 0;
    *ret_repeats = false;
    for (unsigned i = 0; i < w->count && n < 3; i++) {
        bool han = t->kinds[w->symbols[i]] == SYMBOL_HAN;
        uint32_t symbol = han ? w->symbols[i] : SKIP_WORD;
        if (n && ret[n - 1] == symbol)
            *ret_repeats |= han;
        else
            ret[n++] = symbol;
    }
    return n;
}

static void add_head(struct skip *s, const struct trie *t, const struct trie_word *w)
{
    unsigned kind = t->kinds[w->symbols[0]], n = 0;
    uint32_t head = 0, last = 0;
    unsigned i = 0;
    for (; i < w->count && t->kinds[w->symbols[i]] == kind && n < SKIP_HEAD_MAX; i++) {
        uint32_t key = w->keys[i];
        if (key >= 0x80)
            return; /* only a lane reads words with other letters */
        if (key == last && kind == SYMBOL_LETTER)
            continue;
        head = head << 8 | key;
        last = key;
        n++;
    }
    uint32_t bit = skip_head(s, head, n);
    s->heads[bit / 64] |= 1ull << bit % 64;
    s->latin = true;
}

static void add_word(struct skip *s, const struct trie *t, const struct trie_word *w)
{
    uint32_t seen[3] = {0};
    bool repeats;
    if (t->kinds[w->symbols[0]] != SYMBOL_HAN) {
        add_head(s, t, w);
        return;
    }
    unsigned n = look(t, w, seen, &repeats);
    if (n == 1) {
        s->flags[seen[0]] |= SKIP_LONELY;
        return;
    }
    uint32_t *mask = &s->filter[skip_pair(s, seen[0], seen[1])];
    if (seen[1] == SKIP_WORD)
        s->flags[seen[0]] |= SKIP_MIXED;
    else if (repeats)
        *mask |= SKIP_REPEAT;
    else if (n == 2)
        *mask |= SKIP_TWO;
    else
        *mask |= 1u << skip_third(seen[2]);
}

static uint16_t bmp_entry(const struct skip *s, const struct trie *t, uint32_t cp)
{
    uint32_t entry = trie_point(t, cp);
    if (entry & POINT_EXPANDS || (cp >= 0xD800 && cp <= 0xDFFF))
        return SKIP_STOP;
    switch (entry >> POINT_CLASS_SHIFT & 7) {
    case FOLD_HAN: {
        uint32_t symbol = entry & POINT_SYMBOL;
        if (s->flags[symbol] & SKIP_LONELY)
            return SKIP_STOP;
        return symbol ? (uint16_t)symbol : SKIP_OTHER;
    }
    case FOLD_SEPARATOR:
    case FOLD_BLANK:
        return SKIP_PASS;
    default:
        return SKIP_STOP;
    }
}

static uint8_t ascii_entry(const struct trie *t, uint32_t cp)
{
    uint32_t entry = trie_point(t, cp), kind = entry >> POINT_KIND_SHIFT & 3;
    switch (entry >> POINT_CLASS_SHIFT & 7) {
    case FOLD_WORD:
        /* A lens may make letters of what is none: then words are not runs of ASCII letters. */
        if (kind == SYMBOL_LETTER && (cp | 0x20) - 'a' < 26)
            return SKIP_ASCII_LETTER;
        return kind == SYMBOL_DIGIT ? SKIP_ASCII_DIGIT : SKIP_ASCII_STOP;
    case FOLD_SEPARATOR:
    case FOLD_BLANK:
        if (cp == '<')
            return SKIP_ASCII_STOP;
        return entry >> POINT_GAP_SHIFT & GAP_ODD ? SKIP_ASCII_ODD : SKIP_ASCII_PASS;
    default:
        return SKIP_ASCII_STOP;
    }
}

int skip_build(struct skip *s, const struct trie *t, const struct trie_word *words, size_t count)
{
    size_t pairs = 0, heads = 0;
    for (size_t i = 0; i < count; i++) {
        heads += t->kinds[words[i].symbols[0]] != SYMBOL_HAN;
        pairs += i == 0 || words[i].count < 2 || words[i - 1].count < 2 ||
                 memcmp(words[i].symbols, words[i - 1].symbols, 2 * sizeof(uint16_t)) != 0;
    }
    unsigned bits = 10;
    while (bits < 18 && 1ull << bits < 2 * pairs)
        bits++;
    unsigned head_bits = 10;
    while (head_bits < 19 && 1ull << head_bits < 16 * heads)
        head_bits++;
    *s = (struct skip){.trie = t, .filter_shift = 32 - bits, .head_shift = 32 - head_bits};
    s->flags = calloc(t->symbols + 1, sizeof(*s->flags));
    s->bmp = malloc(0x10000 * sizeof(*s->bmp));
    s->filter = calloc(1ull << bits, sizeof(*s->filter));
    s->heads = calloc((1ull << head_bits) / 64, sizeof(*s->heads));
    if (!s->flags || !s->bmp || !s->filter || !s->heads) {
        skip_deinit(s);
        return -ENOMEM;
    }
    for (size_t i = 0; i < count; i++)
        add_word(s, t, &words[i]);
    for (uint32_t cp = 0; cp < 0x10000; cp++)
        s->bmp[cp] = bmp_entry(s, t, cp);
    for (uint32_t cp = 0; cp < 128; cp++) {
        s->ascii[cp] = ascii_entry(t, cp);
        s->symbols[cp] = (uint16_t)(trie_point(t, cp) & POINT_SYMBOL);
    }
    return 0;
}

/* The scan's memory of what may be the beginning of a word. */
struct chain {
    uint32_t two, one;     /* the last two symbols, 0 for none */
    uint32_t mask;         /* the filter's for them */
    size_t two_at, one_at; /* where they begin */
    size_t single;         /* where a lone letter stood, SIZE_MAX for none */
    bool gap;              /* separators since the last symbol */
    /* Said again across a gap: that is no repeat, and a word may begin with any of them. */
    bool two_gapped, one_gapped;
};

/* The start of what must be read once more when the scan ends at `at`. */
static size_t chain_start(const struct chain *c, size_t at)
{
    size_t from = c->two ? c->two_at : c->one ? c->one_at : at;
    return c->single < from ? c->single : from;
}

static uint32_t bmp_at(const struct skip *s, const unsigned char *p)
{
    return s->bmp[(p[0] & 15u) << 12 | (p[1] & 63u) << 6 | (p[2] & 63u)];
}

static bool is_three(const unsigned char *p, size_t n)
{
    return n >= 3 && p[0] >= 0xE0 && p[0] < 0xF0 && (p[1] & 0xC0) == 0x80 && (p[2] & 0xC0) == 0x80;
}

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
};

static struct walk walk_from(uint32_t place, uint32_t symbol, unsigned kind, unsigned char raw)
{
    return (struct walk){.place = {place},
                         .count = place != PLACE_NONE,
                         .symbol = symbol,
                         .kind = kind,
                         .said = 1,
                         .raw = raw};
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
        *ret_kind = v == SKIP_PASS ? SYMBOL_NONE : SYMBOL_HAN;
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
        bool words = kind_is_word(w.kind) && kind_is_word(kind);
        if (run && words && !(gap & (GAP_BLANK | GAP_JOINER | GAP_MARK)))
            return true;
        if (!symbol)
            return false;
        if (!run && symbol == w.symbol && kind != SYMBOL_DIGIT) {
            if (!walk_again(t, &w, raw))
                return true;
            continue;
        }
        if (symbol_space(w.kind, kind, run ? gap | 1 : 0)) {
            if (!t->space)
                return false;
            walk_step(t, &w, t->space);
        }
        walk_step(t, &w, symbol);
        w.symbol = symbol;
        w.kind = kind;
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

/* May a word begin with the Han character, whose text is read on from `at`? */
static bool may_begin(const struct skip *s, const unsigned char *p, size_t n, size_t at,
                      uint32_t first)
{
    uint32_t place = first_place(s->trie, first);
    return place != PLACE_NONE && may_end(s, p, n, at, walk_from(place, first, SYMBOL_HAN, 0));
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

/* A run of ASCII letters or digits from `at`; *ret_end is behind it. False where a lane must read
 * it. */
static bool scan_word(const struct skip *s, const unsigned char *p, size_t n, size_t at,
                      struct chain *c, size_t *ret_end)
{
    unsigned class = s->ascii[p[at]], count = 0;
    uint32_t head = 0, last = 0;
    size_t i = at;
    for (; i < n && p[i] < 0x80 && s->ascii[p[i]] == class && count < SKIP_HEAD_MAX; i++) {
        uint32_t key = class == SKIP_ASCII_LETTER ? p[i] | 0x20u : p[i];
        if (key == last && class == SKIP_ASCII_LETTER)
            continue;
        head = head << 8 | key;
        last = key;
        count++;
    }
    while (i < n && p[i] < 0x80 && s->ascii[p[i]] == class)
        i++;
    *ret_end = i;
    if (i == n)
        return false;
    uint32_t bit = skip_head(s, head, count);
    if (s->heads[bit / 64] >> bit % 64 & 1) {
        uint32_t symbol = s->symbols[p[at]];
        unsigned kind = class == SKIP_ASCII_LETTER ? SYMBOL_LETTER : SYMBOL_DIGIT;
        uint32_t place = first_place(s->trie, symbol);
        if (place != PLACE_NONE && may_end(s, p, n, at + 1, walk_from(place, symbol, kind, p[at])))
            return false;
    }
    if (!s->latin)
        return true;
    if (i == at + 1) { /* words may be spelled out */
        if (c->single != SIZE_MAX)
            return false;
        c->single = at;
    } else {
        c->single = SIZE_MAX;
    }
    size_t odd = i;
    while (odd < n && p[odd] < 0x80 && s->ascii[p[odd]] == SKIP_ASCII_ODD)
        odd++;
    bool more = odd < n && p[odd] < 0x80 && s->ascii[p[odd]] >= SKIP_ASCII_LETTER;
    return odd == i || (!more && odd < n);
}

/* Beyond ASCII and outside of three bytes: only separators may be passed. */
static bool scan_other(const struct skip *s, const unsigned char *p, size_t n, size_t *at)
{
    uint32_t cp;
    int len = utf8_decode(span_from((const char *)p + *at, n - *at), false, &cp);
    if (len <= 0)
        return false;
    uint32_t entry = trie_point(s->trie, cp);
    unsigned class = entry >> POINT_CLASS_SHIFT & 7;
    if ((entry & POINT_EXPANDS) || (class != FOLD_SEPARATOR && class != FOLD_BLANK))
        return false;
    *at += (size_t)len;
    return true;
}

/* Whether a word certainly ends before what is at `at`: only a lane knows of odd letters. */
static bool word_ends(const struct skip *s, const unsigned char *p, size_t n, size_t at)
{
    size_t beyond = at;
    /* Controls don't show, and a lens may make a letter of a symbol. */
    if (p[at] < 0x80)
        return s->ascii[p[at]] != SKIP_ASCII_STOP || p[at] == '<';
    if (is_three(p + at, n - at))
        return bmp_at(s, p + at) != SKIP_STOP;
    return scan_other(s, p, n, &beyond);
}

struct skip_end skip_portable(const struct skip *s, struct span text, unsigned inside)
{
    const unsigned char *p = (const unsigned char *)text.data;
    size_t n = text.len, i = 0;
    struct chain c = {.single = SIZE_MAX};
    unsigned within = inside == SYMBOL_LETTER  ? SKIP_ASCII_LETTER
                      : inside == SYMBOL_DIGIT ? SKIP_ASCII_DIGIT
                                               : SKIP_ASCII_STOP;
    while (within && i < n && p[i] < 0x80 && s->ascii[p[i]] == within)
        i++;
    if (within && (i == n || !word_ends(s, p, n, i)))
        return (struct skip_end){0, i};
    while (i < n) {
        unsigned char b = p[i];
        if (is_three(p + i, n - i)) {
            uint32_t v = bmp_at(s, p + i);
            if (v == SKIP_PASS || (v == c.one && v != SKIP_STOP)) {
                c.one_gapped |= v == c.one && c.gap;
                c.gap = v == SKIP_PASS;
                i += 3;
                continue;
            }
            if (v == SKIP_STOP)
                break;
            uint32_t mask = s->filter[skip_pair(s, c.one, v)];
            if ((c.mask >> skip_third(v) & 1) && begins_so(s->trie, c.two, c.one, v) &&
                (c.two_gapped || c.one_gapped || may_begin(s, p, n, c.two_at + 3, c.two)))
                break;
            if ((mask & SKIP_TWO) && begins_so(s->trie, c.one, v, 0))
                break;
            if ((mask & SKIP_REPEAT) && begins_twice(s->trie, c.one, v) &&
                (c.one_gapped || may_begin(s, p, n, c.one_at + 3, c.one)))
                break;
            c.two = c.one;
            c.two_at = c.one_at;
            c.one = v;
            c.one_at = i;
            c.mask = mask;
            c.two_gapped = c.one_gapped;
            c.one_gapped = c.gap = false;
            c.single = SIZE_MAX;
            i += 3;
        } else if (b < 0x80) {
            unsigned class = s->ascii[b];
            if (class == SKIP_ASCII_PASS || class == SKIP_ASCII_ODD) {
                c.gap = true;
                i++;
                continue;
            }
            if (class == SKIP_ASCII_STOP)
                break;
            if ((c.mask >> skip_third(SKIP_WORD) & 1) &&
                (c.two_gapped || c.one_gapped || may_begin(s, p, n, c.two_at + 3, c.two)))
                break;
            if (c.one && c.one < s->trie->symbols && (s->flags[c.one] & SKIP_MIXED) &&
                (c.one_gapped || may_begin(s, p, n, c.one_at + 3, c.one)))
                break;
            c.one = c.two = c.mask = 0;
            c.one_gapped = c.two_gapped = c.gap = false;
            size_t end, single = c.single;
            if (!scan_word(s, p, n, i, &c, &end) || !word_ends(s, p, n, end))
                return (struct skip_end){single < i ? single : i, end};
            i = end;
        } else if (!scan_other(s, p, n, &i)) {
            break;
        } else {
            c.gap = true;
        }
    }
    return (struct skip_end){chain_start(&c, i), i};
}

struct skip_end skip_scan(const struct skip *s, struct span text, unsigned inside)
{
    return skip_portable(s, text, inside);
}
