#include "match/skipwalk.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

void skip_deinit(struct skip *s)
{
    free(s->bmp);
    free(s->filter);
    free(s->fourths);
    free(s->heads);
    free(s->doubles);
    *s = (struct skip){0};
}

size_t skip_bytes(const struct skip *s)
{
    return SKIP_BMP * sizeof(*s->bmp) + (1ull << (32 - s->filter_shift)) * sizeof(*s->filter) +
           (1ull << (32 - s->fourth_shift)) * sizeof(*s->fourths) +
           (1ull << (32 - s->head_shift)) * sizeof(*s->heads) +
           (s->trie->symbols / 64 + 1) * sizeof(*s->doubles);
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
    unsigned kind = t->kinds[w->symbols[0]], n = 0, i = 0;
    uint64_t head = 0;
    uint32_t last = 0;
    s->latin = true;
    for (; i < w->count && t->kinds[w->symbols[i]] == kind; i++) {
        uint32_t key = w->keys[i];
        if (key >= 0x80)
            return; /* only a lane reads words with other letters */
        if (n == SKIP_HEAD_MAX || (key == last && kind == SYMBOL_LETTER))
            continue;
        head |= (uint64_t)key << 8 * n++;
        last = key;
    }
    while (i < w->count && t->kinds[w->symbols[i]] == SYMBOL_SPACE)
        i++;
    uint32_t hash = skip_head(head), bits = skip_short(hash);
    if (i < w->count)
        bits = skip_next(t->kinds[w->symbols[i]] == SYMBOL_HAN ? SKIP_OTHER : w->keys[i]);
    s->heads[hash >> s->head_shift] |= bits;
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
    if (n == 1) { /* more than once, as one character is no keyword */
        s->doubles[seen[0] / 64] |= 1ull << seen[0] % 64;
        return;
    }
    uint32_t hash = skip_hash(seen[0], seen[1]), *mask = &s->filter[skip_pair(s, hash)];
    if (n == 2 || seen[1] == SKIP_WORD || repeats) {
        *mask |= repeats && seen[1] != SKIP_WORD ? skip_twice(hash) : skip_short(hash);
        s->fourths[hash >> s->fourth_shift] |= skip_short(hash);
        return;
    }
    *mask |= skip_next(seen[2]);
    uint32_t triple = skip_triple(seen[0], seen[1], seen[2]), fourth = SKIP_WORD;
    unsigned i = 3;
    while (i < w->count && w->symbols[i] == seen[2])
        i++;
    if (i < w->count && t->kinds[w->symbols[i]] == SYMBOL_HAN)
        fourth = w->symbols[i];
    bool over = i == w->count || seen[2] == SKIP_WORD;
    s->fourths[triple >> s->fourth_shift] |= over ? skip_short(triple) : skip_next(fourth);
}

static unsigned gap_class(uint32_t entry)
{
    return entry >> POINT_GAP_SHIFT & GAP_ODD ? SKIP_ASCII_ODD : SKIP_ASCII_PASS;
}

static uint16_t bmp_entry(const struct trie *t, uint32_t cp)
{
    uint32_t entry = trie_point(t, cp);
    /* Three bytes for what takes less are no text. */
    if (entry & POINT_EXPANDS || (cp >= 0xD800 && cp <= 0xDFFF) || cp < 0x800)
        return SKIP_STOP;
    switch (entry >> POINT_CLASS_SHIFT & 7) {
    case FOLD_HAN: {
        uint32_t symbol = entry & POINT_SYMBOL;
        return symbol ? (uint16_t)symbol : SKIP_OTHER;
    }
    case FOLD_SEPARATOR:
    case FOLD_BLANK:
        return gap_class(entry) == SKIP_ASCII_ODD ? SKIP_ODD : SKIP_PASS;
    default:
        return SKIP_STOP;
    }
}

static uint8_t ascii_entry(const struct trie *t, uint32_t cp)
{
    uint32_t entry = trie_point(t, cp), kind = entry >> POINT_KIND_SHIFT & 3;
    switch (entry >> POINT_CLASS_SHIFT & 7) {
    case FOLD_WORD:
        /* A lens may make letters of what is none, or of other letters: then words are not runs of
         * ASCII letters that the filter knows. */
        if (kind == SYMBOL_LETTER && (cp | 0x20) - 'a' < 26 &&
            lens_key(t->lens, NULL, cp | 0x20) == (cp | 0x20))
            return SKIP_ASCII_LETTER;
        return kind == SYMBOL_DIGIT ? SKIP_ASCII_DIGIT : SKIP_ASCII_STOP;
    case FOLD_SEPARATOR:
    case FOLD_BLANK:
        if (cp == '<')
            return SKIP_ASCII_STOP;
        return (uint8_t)gap_class(entry);
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
    while (bits < 15 && 1ull << bits < 2 * pairs)
        bits++;
    unsigned head_bits = 10;
    while (head_bits < 14 && 1ull << head_bits < 2 * heads)
        head_bits++;
    unsigned fourth_bits = 10;
    while (fourth_bits < 15 && 1ull << fourth_bits < count)
        fourth_bits++;
    *s = (struct skip){.trie = t,
                       .filter_shift = 32 - bits,
                       .fourth_shift = 32 - fourth_bits,
                       .head_shift = 32 - head_bits};
    s->doubles = calloc(t->symbols / 64 + 1, sizeof(*s->doubles));
    s->bmp = calloc(SKIP_BMP, sizeof(*s->bmp));
    s->filter = calloc(1ull << bits, sizeof(*s->filter));
    s->fourths = calloc(1ull << fourth_bits, sizeof(*s->fourths));
    s->heads = calloc(1ull << head_bits, sizeof(*s->heads));
    if (!s->doubles || !s->bmp || !s->filter || !s->fourths || !s->heads) {
        skip_deinit(s);
        return -ENOMEM;
    }
    for (size_t i = 0; i < count; i++)
        add_word(s, t, &words[i]);
    for (uint32_t cp = 0; cp < 0x10000; cp++)
        s->bmp[cp] = bmp_entry(t, cp);
    for (uint32_t cp = 0; cp < 128; cp++) {
        s->ascii[cp] = ascii_entry(t, cp);
        s->symbols[cp] = (uint16_t)(trie_point(t, cp) & POINT_SYMBOL);
    }
    return 0;
}

/* What stands at a place outside of ASCII letters and digits, and its length. */
static unsigned class_at(const struct skip *s, const unsigned char *p, size_t n, size_t at,
                         unsigned *ret_len)
{
    const struct trie *t = s->trie;
    uint32_t cp;
    *ret_len = 1;
    if (p[at] < 0x80)
        return s->ascii[p[at]];
    if (is_three(p + at, n - at)) {
        uint32_t v = bmp_at(s, p + at);
        *ret_len = 3;
        return v == SKIP_STOP   ? SKIP_ASCII_STOP
               : v == SKIP_PASS ? SKIP_ASCII_PASS
               : v == SKIP_ODD  ? SKIP_ASCII_ODD
                                : SKIP_HAN;
    }
    int len = utf8_decode(span_from((const char *)p + at, n - at), false, &cp);
    uint32_t entry = len > 0 ? trie_point(t, cp) : POINT_EXPANDS;
    unsigned class = entry >> POINT_CLASS_SHIFT & 7;
    if ((entry & POINT_EXPANDS) || (class != FOLD_SEPARATOR && class != FOLD_BLANK))
        return SKIP_ASCII_STOP;
    *ret_len = (unsigned)len;
    return gap_class(entry);
}

/* What follows a run of letters or digits must not belong to the same word. */
static bool word_ends(const struct skip *s, const unsigned char *p, size_t n, size_t at)
{
    if (p[at] < 0x80 && s->ascii[p[at]] == SKIP_ASCII_PASS)
        return true;
    unsigned len, class = class_at(s, p, n, at, &len);
    if (class >= SKIP_ASCII_LETTER)
        return true;
    while (class == SKIP_ASCII_ODD) {
        at += len;
        if (at == n)
            return false;
        class = class_at(s, p, n, at, &len);
    }
    return class == SKIP_ASCII_PASS || class == SKIP_HAN;
}

/* The key, for skip_knows_head(), of what follows a run of letters or digits. */
static uint32_t next_key(const struct skip *s, const unsigned char *p, size_t n, size_t at)
{
    unsigned len, class = SKIP_ASCII_PASS;
    for (; at < n; at += len) {
        class = class_at(s, p, n, at, &len);
        if (class != SKIP_ASCII_PASS && class != SKIP_ASCII_ODD)
            break;
    }
    if (at == n || class == SKIP_ASCII_STOP)
        return 0;
    return class == SKIP_HAN ? SKIP_OTHER : class == SKIP_ASCII_LETTER ? p[at] | 0x20u : p[at];
}

/* A run of ASCII letters or digits; *ret_end is behind it. False where a lane must read it. */
static inline bool scan_word(struct scan *scan, size_t *ret_end)
{
    const struct skip *s = scan->skip;
    const unsigned char *p = scan->p;
    size_t n = scan->n, i = scan->at;
    unsigned class = s->ascii[p[i]], count = 0;
    uint64_t head = 0;
    uint32_t last = 0;
    for (; i < n && p[i] < 0x80 && s->ascii[p[i]] == class && count < SKIP_HEAD_MAX; i++) {
        uint32_t key = class == SKIP_ASCII_LETTER ? p[i] | 0x20u : p[i];
        if (key == last && class == SKIP_ASCII_LETTER)
            continue;
        head |= (uint64_t)key << 8 * count++;
        last = key;
    }
    while (i < n && p[i] < 0x80 && s->ascii[p[i]] == class)
        i++;
    *ret_end = i;
    if (i == n)
        return false;
    if (!s->latin)
        return true;
    if (s->heads[skip_head(head) >> s->head_shift] &&
        skip_knows_head(s, head, next_key(s, p, n, i)) && scan_confirms_head(scan, scan->at))
        return false;
    if (count == 1) { /* words may be spelled out */
        if (scan->chain.single != SIZE_MAX && scan_confirms_spelled(scan))
            return false;
        scan->chain.single = scan->at;
    } else {
        scan->chain.single = SIZE_MAX;
    }
    return word_ends(s, p, n, i);
}

struct skip_end scan_end(const struct scan *scan)
{
    const struct chain *c = &scan->chain;
    size_t from = c->two ? c->two_at : c->one ? c->one_at : scan->at;
    return (struct skip_end){c->single < from ? c->single : from, scan->at};
}

/* May a word that begins with the chain's two symbols and `v` go on as the text does? */
static bool goes_on(const struct scan *scan, const struct chain *c, uint32_t v)
{
    size_t next = scan->at + 3;
    if (!is_three(scan->p + next, scan->n - next))
        return true;
    uint32_t symbol = bmp_at(scan->skip, scan->p + next);
    return symbol == SKIP_STOP || symbol == v || symbol >= SKIP_ODD ||
           skip_goes_on(scan->skip, skip_triple(c->two, c->one, v), symbol);
}

/* Are the chain's last symbol and `v` certainly said once each? */
static bool once(const struct scan *scan, const struct chain *c, uint32_t v)
{
    size_t next = scan->at + 3;
    if (scan->at != c->one_at + 3 || !is_three(scan->p + next, scan->n - next))
        return false;
    uint32_t symbol = bmp_at(scan->skip, scan->p + next);
    return symbol != SKIP_STOP && symbol != v && symbol < SKIP_ODD;
}

bool scan_step(struct scan *scan, struct skip_end *ret_end)
{
    const struct skip *s = scan->skip;
    struct chain *c = &scan->chain;
    const unsigned char *p = scan->p + scan->at;
    uint32_t v = SKIP_WORD, mask = 0;
    unsigned hint = 0;
    bool three = is_three(p, scan->n - scan->at);
    if (three) {
        v = bmp_at(s, p);
        if (v == SKIP_STOP || (v == c->one && skip_doubles(s, v) && scan_confirms_twice(scan)))
            goto stop;
        if (v >= SKIP_ODD || v == c->one) {
            scan->at += 3;
            return true;
        }
    } else {
        unsigned len = 1, class = s->ascii[*p & 127];
        if (*p >= 0x80)
            class = class_at(s, scan->p, scan->n, scan->at, &len);
        if (class == SKIP_ASCII_STOP)
            goto stop;
        if (class < SKIP_ASCII_LETTER) {
            scan->at += len;
            return true;
        }
    }
    if (c->one) {
        uint32_t hash = skip_hash(c->one, v);
        mask = s->filter[skip_pair(s, hash)];
        uint32_t brief = skip_short(hash), third = skip_next(v);
        uint32_t twice = skip_twice(hash);
        hint = ((mask & twice) == twice ? HINT_TWICE : 0) |
               ((mask & brief) == brief && skip_is_short(s, hash) ? HINT_SHORT : 0) |
               ((c->mask & third) == third ? HINT_THIRD : 0);
    }
    if ((hint & HINT_TWICE) && three && once(scan, c, v))
        hint &= ~HINT_TWICE;
    if ((hint & HINT_THIRD) && three && !goes_on(scan, c, v))
        hint &= ~HINT_THIRD;
    if (hint && scan_confirms(scan, c, v, hint))
        goto stop;
    if (three) {
        c->two = c->one;
        c->two_at = c->one_at;
        c->one = v;
        c->one_at = scan->at;
        c->mask = mask;
        c->single = SIZE_MAX;
        scan->at += 3;
        return true;
    }
    c->one = c->two = c->mask = 0;
    size_t end, single = c->single;
    if (!scan_word(scan, &end)) {
        *ret_end = (struct skip_end){single < scan->at ? single : scan->at, end};
        return false;
    }
    scan->at = end;
    return true;
stop:
    *ret_end = scan_end(scan);
    return false;
}

bool scan_begin(struct scan *scan, const struct skip *s, struct span text, unsigned inside)
{
    *scan = (struct scan){s, (const unsigned char *)text.data, text.len, 0, {.single = SIZE_MAX}};
    unsigned within = inside == SYMBOL_LETTER  ? SKIP_ASCII_LETTER
                      : inside == SYMBOL_DIGIT ? SKIP_ASCII_DIGIT
                                               : SKIP_ASCII_STOP;
    size_t i = 0;
    if (!within)
        return true;
    while (i < scan->n && scan->p[i] < 0x80 && s->ascii[scan->p[i]] == within)
        i++;
    if (i == scan->n || !word_ends(s, scan->p, scan->n, i))
        return false;
    scan->at = i;
    return true;
}

/* The Han characters and separators of three bytes to which the filter says no: what most text is
 * made of, with all that is needed in registers. The rest is for scan_step(). */
static void scan_han(struct scan *scan)
{
    const struct skip *s = scan->skip;
    const unsigned char *p = scan->p;
    size_t n = scan->n, at = scan->at, one_at = scan->chain.one_at, two_at = scan->chain.two_at;
    uint32_t one = scan->chain.one, two = scan->chain.two, before = scan->chain.mask;
    bool any = false;
    for (; is_three(p + at, n - at); at += 3) {
        uint32_t v = bmp_at(s, p + at);
        if (v >= SKIP_ODD)
            continue;
        if (v == SKIP_STOP || v == one)
            break;
        uint32_t hash = skip_hash(one, v), mask = s->filter[skip_pair(s, hash)];
        uint32_t brief = mask >> (hash & 31) & mask >> (hash >> 8 & 31);
        uint32_t twice = mask >> ((hash & 31) ^ 16) & mask >> ((hash >> 8 & 31) ^ 16);
        uint32_t third = skip_next(v);
        if (one && (((brief | twice) & 1) || (before & third) == third))
            break;
        two = one;
        two_at = one_at;
        one = v;
        one_at = at;
        before = two ? mask : 0;
        any = true;
    }
    scan->at = at;
    if (any)
        scan->chain = (struct chain){two, one, before, two_at, one_at, SIZE_MAX};
}

struct skip_end skip_portable(const struct skip *s, struct span text, unsigned inside)
{
    struct scan scan;
    struct skip_end end;
    if (!scan_begin(&scan, s, text, inside))
        return (struct skip_end){0};
    while (scan_han(&scan), scan.at < scan.n)
        if (!scan_step(&scan, &end))
            return end;
    return scan_end(&scan);
}

static _Atomic(skip_scan_fn) chosen;

void skip_force(skip_scan_fn scan)
{
    atomic_store_explicit(&chosen, scan, memory_order_relaxed);
}

struct skip_end skip_scan(const struct skip *s, struct span text, unsigned inside)
{
    skip_scan_fn scan = atomic_load_explicit(&chosen, memory_order_relaxed);
    if (!scan) { /* each thread that comes here finds the same */
        scan = skip_vector();
        scan = scan ? scan : skip_portable;
        skip_force(scan);
    }
    return scan(s, text, inside);
}
