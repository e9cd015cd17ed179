#include "audit/grams.h"

#include "base/utf8.h"

#include <errno.h>
#include <stdlib.h>

#define BITS      21 /* of one character in a key */
#define QUERY_MAX 48 /* grams asked for; fewer only find more */

/* The character at the start, folded; a byte that is none gets a number behind all code points. */
static uint32_t next_char(struct span *s, bool *ret_valid)
{
    uint32_t cp;
    int n = utf8_decode(*s, false, &cp);
    *ret_valid = n > 0;
    if (n <= 0) {
        cp = 0x110000u + (unsigned char)s->data[0];
        n = 1;
    }
    *s = span_slice(*s, (size_t)n, s->len);
    return cp >= 'A' && cp <= 'Z' ? cp + 32 : cp;
}

static bool is_latin(uint32_t cp)
{
    return (cp >= 'a' && cp <= 'z') || (cp >= '0' && cp <= '9');
}

/* Characters in a key count from 1, so that keys of one, two and three differ. */
static uint64_t key_of(uint32_t a, uint32_t b, uint32_t c)
{
    return (uint64_t)a << (2 * BITS) | (uint64_t)b << BITS | c;
}

static int put(struct grams *g, uint64_t key)
{
    if (g->count == g->room) {
        size_t room = g->room ? 2 * g->room : 512;
        uint64_t *keys = realloc(g->keys, room * sizeof(*keys));
        if (!keys)
            return -ENOMEM;
        g->keys = keys;
        g->room = room;
    }
    g->keys[g->count++] = key;
    return 0;
}

int grams_add(struct grams *g, struct span text)
{
    uint32_t before = 0, last = 0; /* one more than the characters before; 0: none */
    bool valid;
    int r = 0;
    while (r == 0 && text.len) {
        uint32_t cp = next_char(&text, &valid) + 1;
        if (cp > 0x80)
            r = put(g, key_of(0, 0, cp));
        if (r == 0 && last)
            r = put(g, key_of(0, last, cp));
        if (r == 0 && before && is_latin(before - 1) && is_latin(last - 1) && is_latin(cp - 1))
            r = put(g, key_of(before, last, cp));
        before = last;
        last = cp;
    }
    return r;
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Four letters or digits a character. */
static int write_key(struct buf *out, uint64_t key)
{
    static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";
    char word[12];
    size_t len = 0;
    for (int i = 2; i >= 0; i--) {
        uint32_t c = (uint32_t)(key >> (i * BITS)) & ((1u << BITS) - 1);
        if (c == 0)
            continue;
        for (size_t k = 4; k > 0; k--, c /= 36)
            word[len + k - 1] = digits[c % 36];
        len += 4;
    }
    return buf_append(out, span_from(word, len));
}

int grams_write(struct grams *g, struct buf *out)
{
    int r = 0;
    if (g->count)
        qsort(g->keys, g->count, sizeof(*g->keys), compare);
    for (size_t i = 0; r == 0 && i < g->count; i++) {
        if (i && g->keys[i] == g->keys[i - 1])
            continue;
        r = write_key(out, g->keys[i]);
        if (r == 0)
            r = buf_append_char(out, ' ');
    }
    return r;
}

void grams_clear(struct grams *g)
{
    g->count = 0;
}

void grams_deinit(struct grams *g)
{
    free(g->keys);
    *g = (struct grams){0};
}

static int ask(struct buf *out, uint64_t key)
{
    int r = out->len ? buf_append(out, SPAN_LIT(" AND \"")) : buf_append(out, SPAN_LIT("\""));
    if (r == 0)
        r = write_key(out, key);
    return r < 0 ? r : buf_append_char(out, '"');
}

int grams_query(struct span needle, struct buf *out)
{
    uint32_t cps[QUERY_MAX];
    size_t n = 0;
    int r = 0;
    while (needle.len && n < QUERY_MAX) {
        bool valid;
        cps[n++] = next_char(&needle, &valid) + 1;
        if (!valid)
            return 0;
    }
    if (n == 1 && cps[0] > 0x80)
        return ask(out, key_of(0, 0, cps[0]));
    bool told = false; /* the pair is part of the triple before */
    for (size_t i = 0; r == 0 && i + 1 < n; i++) {
        bool triple = i + 2 < n && is_latin(cps[i] - 1) && is_latin(cps[i + 1] - 1) &&
                      is_latin(cps[i + 2] - 1);
        if (triple)
            r = ask(out, key_of(cps[i], cps[i + 1], cps[i + 2]));
        else if (!told)
            r = ask(out, key_of(0, cps[i], cps[i + 1]));
        told = triple;
    }
    return r;
}
