#include "match/gates.h"

#include "text/fold.h"

#include <stdlib.h>

const struct gate_mark gate_marks[GATE_MARKS] = {{GATE_AT, '@'}, {GATE_COLON, ':'}, {GATE_WORD, 0}};

static bool is_hex(uint32_t cp)
{
    return is_digit(cp) || (cp | 0x20) - 'a' < 6;
}

static bool is_letter(uint32_t cp)
{
    return (cp | 0x20) - 'a' < 26;
}

unsigned gate_run(const struct gate_mark *m, uint64_t local, gate_back_fn back, const void *text)
{
    if (m->gate == GATE_AT)
        return local < GATE_RUN_MAX ? (unsigned)local : GATE_RUN_MAX;
    /* A number of an IPv6 address, or what a country or kind is called; not the end of a longer
     * word. */
    unsigned n = 0;
    while (n < local && n < 5 &&
           (m->gate == GATE_COLON ? is_hex(back(text, n)) : is_letter(back(text, n))))
        n++;
    return n == 5 || (n < local && is_alnum(back(text, n))) ? 0 : n;
}

unsigned gates_run(const struct gates *g, uint64_t local, gate_back_fn back, const void *text)
{
    unsigned longest = 0;
    for (size_t i = 0; i < GATE_MARKS && local; i++) {
        if (!g->kind_count[gate_marks[i].gate])
            continue;
        unsigned n = gate_run(&gate_marks[i], local, back, text);
        longest = n > longest ? n : longest;
    }
    return longest;
}

/* Everyday and financial forms, traditional ones, and those of telephone talk. */
int numeral_digit(uint32_t cp)
{
    switch (cp) {
    case U'〇':
    case U'零':
    case U'○':
        return 0;
    case U'一':
    case U'壹':
    case U'幺':
    case U'壱':
    case U'弌':
        return 1;
    case U'二':
    case U'贰':
    case U'两':
    case U'貳':
    case U'兩':
    case U'弐':
    case U'弍':
        return 2;
    case U'三':
    case U'叁':
    case U'叄':
    case U'弎':
        return 3;
    case U'四':
    case U'肆':
        return 4;
    case U'五':
    case U'伍':
        return 5;
    case U'六':
    case U'陆':
    case U'陸':
        return 6;
    case U'七':
    case U'柒':
        return 7;
    case U'八':
    case U'捌':
        return 8;
    case U'九':
    case U'玖':
        return 9;
    default:
        return -1;
    }
}

static void make_loud(struct gates *g, uint32_t cp)
{
    if (cp <= 0xFFFF)
        g->loud[cp / 8] |= (uint8_t)(1u << cp % 8);
}

static int key_compare(const void *a, const void *b)
{
    const struct gate_key *x = a, *y = b;
    for (unsigned i = 0; i < GATE_KEY_MAX; i++)
        if (x->cp[i] != y->cp[i])
            return x->cp[i] < y->cp[i] ? -1 : 1;
    return x->pattern < y->pattern ? -1 : x->pattern > y->pattern;
}

static void key_add(struct gates *g, uint32_t pattern)
{
    struct gate_key *key = &g->keys[g->key_count++];
    struct span literal = buf_span(&g->list[pattern].literal);
    *key = (struct gate_key){.pattern = pattern};
    for (unsigned n = 0; n < GATE_KEY_MAX && literal.len; n++) {
        uint32_t cp;
        int len = utf8_decode(literal, false, &cp);
        if (len <= 0)
            break;
        key->cp[n] = cp = pattern_lower(cp);
        g->at_place[n][cp / 64 % 4] |= UINT64_C(1) << cp % 64;
        literal = span_slice(literal, (size_t)len, literal.len);
    }
    uint32_t first = key->cp[0], next = key->cp[1];
    for (uint32_t cp = 0; cp < 128 && first < 128; cp++)
        if (!next || pattern_lower(cp) == next)
            g->second[first][cp / 64] |= UINT64_C(1) << cp % 64;
    make_loud(g, first);
    if (first - 'a' < 26)
        make_loud(g, first & ~0x20u);
    if (first - '!' < 94)
        make_loud(g, first + 0xFEE0);
}

/* Besides what opens: what the view shows as something else, or doesn't show. */
static void gates_listen(struct gates *g)
{
    bool digits = g->kind_count[GATE_DIGITS], words = g->kind_count[GATE_WORD];
    for (uint32_t cp = 0; cp <= 0xFFFF; cp++) {
        uint32_t entry = fold_entry(cp), ascii = cp - 0xFEE0;
        enum fold_class class = fold_entry_class(entry);
        bool wide = ascii - '!' < 94, other = fold_entry_layers(entry) & LAYER_WIDTH;
        bool number = ((digits || words) && is_digit(cp)) || (digits && numeral_digit(cp) >= 0);
        if (number || class == FOLD_INVISIBLE || class == FOLD_MARK ||
            (cp >= 0xD800 && cp <= 0xDFFF) || (wide ? gate_local(ascii) : other))
            make_loud(g, cp);
        /* Loud not only as the beginning of a literal. */
        if (cp < 128 && (number || class == FOLD_INVISIBLE))
            g->second[cp][0] = g->second[cp][1] = UINT64_MAX;
    }
    for (size_t i = 0; i < GATE_MARKS; i++) {
        if (!g->kind_count[gate_marks[i].gate] || !gate_marks[i].cp)
            continue;
        g->second[gate_marks[i].cp][0] = g->second[gate_marks[i].cp][1] = UINT64_MAX;
        make_loud(g, gate_marks[i].cp);
        make_loud(g, gate_marks[i].cp + 0xFEE0);
    }
}

struct gates *gates_new(const struct pattern *list, size_t count, enum direction direction)
{
    struct gates *g = calloc(1, sizeof(*g));
    if (!g)
        return NULL;
    g->list = list;
    g->count = count;
    g->keys = calloc(count + 1, sizeof(*g->keys));
    bool whole = g->keys;
    for (int kind = 0; kind < GATE_COUNT; kind++) {
        g->by_kind[kind] = calloc(count + 1, sizeof(*g->by_kind[kind]));
        whole &= g->by_kind[kind] != NULL;
    }
    if (!whole) {
        gates_free(g);
        return NULL;
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct pattern *p = &list[i];
        if (!(p->direction & direction))
            continue;
        if (p->gate == GATE_LITERAL)
            key_add(g, i);
        else
            g->by_kind[p->gate][g->kind_count[p->gate]++] = i;
        if (p->gate == GATE_DIGITS && p->width > g->digits_width)
            g->digits_width = p->width;
    }
    qsort(g->keys, g->key_count, sizeof(*g->keys), key_compare);
    gates_listen(g);
    for (uint32_t cp = 'a'; cp <= 'z'; cp++)
        memcpy(g->second[cp & ~0x20u], g->second[cp], sizeof(g->second[cp]));
    /* One that matters whatever comes behind it has all bits set. */
    for (uint32_t cp = 0; cp < 128; cp++)
        if (gates_loud(g, cp) && (g->second[cp][0] != UINT64_MAX || g->second[cp][1] != UINT64_MAX))
            g->begins[cp / 64] |= UINT64_C(1) << cp % 64;
    return g;
}

void gates_free(struct gates *g)
{
    if (!g)
        return;
    free(g->keys);
    for (int kind = 0; kind < GATE_COUNT; kind++)
        free(g->by_kind[kind]);
    free(g);
}

size_t gates_bytes(const struct gates *g)
{
    return sizeof(*g) + (g->count + 1) * (sizeof(*g->keys) + GATE_COUNT * sizeof(uint32_t));
}

/* The first key that is not before these characters, 0 standing for whatever comes first. */
static size_t key_find(const struct gates *g, const uint32_t *cp, unsigned n)
{
    struct gate_key want = {.pattern = 0};
    for (unsigned i = 0; i < n; i++)
        want.cp[i] = cp[i];
    size_t low = 0, high = g->key_count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (key_compare(&g->keys[mid], &want) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static bool at_place(const struct gates *g, unsigned n, uint32_t cp)
{
    return g->at_place[n][cp / 64 % 4] >> cp % 64 & 1;
}

struct gate_keys gates_complete(const struct gates *g, const uint32_t *cp, unsigned n)
{
    if (!at_place(g, n - 1, cp[n - 1]) || !at_place(g, 0, cp[0]))
        return (struct gate_keys){NULL, 0};
    size_t from = key_find(g, cp, n), to = from;
    for (; to < g->key_count; to++) {
        const struct gate_key *k = &g->keys[to];
        bool same = n == GATE_KEY_MAX || k->cp[n] == 0;
        for (unsigned i = 0; i < n; i++)
            same &= k->cp[i] == cp[i];
        if (!same)
            break;
    }
    return (struct gate_keys){g->keys + from, to - from};
}

/* Whether a key goes on behind these characters. */
static bool key_goes_on(const struct gates *g, const uint32_t *cp, unsigned n)
{
    for (size_t i = key_find(g, cp, n); i < g->key_count; i++) {
        const struct gate_key *k = &g->keys[i];
        for (unsigned c = 0; c < n; c++)
            if (k->cp[c] != cp[c])
                return false;
        if (k->cp[n])
            return true;
    }
    return false;
}

unsigned gates_prefix(const struct gates *g, uint32_t before, uint32_t last)
{
    if (at_place(g, 1, last) && at_place(g, 0, before) &&
        key_goes_on(g, (uint32_t[]){before, last}, 2))
        return 2;
    return at_place(g, 0, last) && key_goes_on(g, &last, 1);
}

/*
 * The text begins with a numeral: the length of the run, as far as no literal begins in it; 0 when
 * it may be part of a number.
 */
static size_t quiet_numerals(const struct gates *g, struct span text)
{
    size_t at = 0;
    uint32_t cp;
    for (unsigned n = 0;; n++) {
        size_t len = gates_next(span_slice(text, at, text.len), &cp);
        bool separator = len && (cp == ' ' || cp == '-');
        if (!len || separator || numeral_digit(cp) < 0 || at_place(g, 0, cp))
            return n < GATE_NUMERALS_MIN && !separator ? at : 0;
        at += len;
    }
}

/* The text begins with what may be a literal's first character. */
static bool quiet_literal(const struct gates *g, struct span text)
{
    uint32_t cps[GATE_KEY_MAX];
    for (unsigned n = 0; n < GATE_KEY_MAX; n++) {
        size_t len = gates_next(text, &cps[n]);
        if (!len)
            return true;
        cps[n] = pattern_lower(cps[n]);
        if (gates_complete(g, cps, n + 1).count)
            return false;
        text = span_slice(text, len, text.len);
    }
    return true;
}

/* Bytes of a loud character, and what belongs to it, that open nothing all the same, or 0. */
static size_t quiet_loud(const struct gates *g, struct span text, uint32_t before, uint32_t cp,
                         size_t len)
{
    uint32_t ascii = cp - 0xFF01 < 94 ? cp - 0xFEE0 : cp;
    bool mark = false, literal = at_place(g, 0, pattern_lower(ascii));
    for (size_t i = 0; i < GATE_MARKS; i++)
        mark |= gate_marks[i].cp && ascii == gate_marks[i].cp && g->kind_count[gate_marks[i].gate];
    if (mark)
        return !literal && before && !gate_local(before) ? len : 0;
    if (g->kind_count[GATE_DIGITS] && numeral_digit(cp) >= 0)
        return quiet_numerals(g, text);
    if (!literal || is_digit(cp) || fold_entry_class(fold_entry(cp)) == FOLD_INVISIBLE ||
        fold_entry_class(fold_entry(cp)) == FOLD_MARK ||
        (fold_entry_layers(fold_entry(cp)) & LAYER_WIDTH))
        return 0;
    return quiet_literal(g, text) ? len : 0;
}

/* Whether an ASCII character needs a closer look because of what comes behind it, if anything. */
static inline bool ascii_matters(const struct gates *g, unsigned char cp, unsigned char next)
{
    return gates_loud(g, cp) && gates_goes_on(g, cp, next);
}

/* Most of most texts: skips what is not loud, from `at` on. `before` is the last character. */
static size_t skip_plain(const struct gates *g, struct span text, size_t at, uint32_t *before)
{
    const unsigned char *p = (const unsigned char *)text.data;
    while (text.len - at >= 3) {
        unsigned char lead = p[at];
        uint32_t cp = lead;
        if (lead < 0x80) {
            if (ascii_matters(g, lead, p[at + 1]))
                break;
            at++;
        } else {
            /* A lead byte less E1 of 0 to 14, ED aside, and two trail bytes. */
            if ((unsigned char)(lead - 0xE1) > 14 || lead == 0xED ||
                ((p[at + 1] & 0xC0) | (p[at + 2] & 0xC0) >> 2) != 0xA0)
                break;
            cp = (lead & 0x0Fu) << 12 | (p[at + 1] & 0x3Fu) << 6 | (p[at + 2] & 0x3Fu);
            if (gates_loud(g, cp))
                break;
            at += 3;
        }
        *before = cp;
    }
    return at;
}

size_t gates_quiet(const struct gates *g, struct span text)
{
    uint32_t before = 0, cp;
    size_t at = 0;
    while ((at = skip_plain(g, text, at, &before)) < text.len) {
        struct span rest = span_slice(text, at, text.len);
        size_t len = gates_next(rest, &cp);
        if (len && gates_loud(g, cp))
            len = quiet_loud(g, rest, before, cp, len);
        if (!len)
            break;
        at += len;
        before = cp;
    }
    return at;
}
