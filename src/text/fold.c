#include "text/fold.h"

#include <errno.h>

unsigned fold_code_point(uint32_t cp, uint32_t ret_cps[FOLD_EXPANSION_MAX])
{
    uint32_t entry = fold_entry(cp);
    if (entry & FOLD_EXPANDS) {
        const uint32_t *form = fold_expansions + (entry & FOLD_TARGET);
        memcpy(ret_cps, form + 1, form[0] * sizeof(*form));
        return form[0];
    }
    ret_cps[0] = entry & FOLD_TARGET ? entry & FOLD_TARGET : cp;
    return 1;
}

/* Hands out the first n bytes of the tail. */
static int tail_take(struct fold_reader *r, unsigned n, uint32_t cp, struct fold_point *ret_point)
{
    *ret_point = (struct fold_point){.start = r->pos, .end = r->pos + n, .cp = cp};
    r->pos += n;
    r->tail_len -= (uint8_t)n;
    memmove(r->tail, r->tail + n, r->tail_len);
    return 1;
}

/*
 * Tries to read a code point from the tail. 0 when it needs more bytes, which it can only do while
 * it has fewer than six.
 */
static int tail_read(struct fold_reader *r, struct fold_point *ret_point)
{
    struct span tail = span_from((const char *)r->tail, r->tail_len);
    uint32_t cp, low;
    int n = utf8_decode(tail, true, &cp);
    if (n < 0)
        return -EILSEQ;
    if (n == 0)
        return 0;
    if (cp < 0xD800 || cp > 0xDBFF)
        return tail_take(r, (unsigned)n, cp, ret_point);
    if (tail.len == 3)
        return 0;
    /* Only ED B0..BF goes on as the low half. */
    bool half = r->tail[3] == 0xED && (tail.len == 4 || (r->tail[4] & 0xF0) == 0xB0);
    if (half && tail.len < 6 && utf8_decode(span_slice(tail, 3, tail.len), true, &low) == 0)
        return 0;
    if (half && tail.len >= 6 && utf8_decode(span_slice(tail, 3, 6), true, &low) == 3)
        return tail_take(r, 6, 0x10000 + ((cp & 0x3FF) << 10) + (low & 0x3FF), ret_point);
    return tail_take(r, 3, cp, ret_point);
}

int fold_reader_slow(struct fold_reader *r, struct span *rest, struct fold_point *ret_point)
{
    uint32_t cp;
    if (r->tail_len == 0 && rest->len) {
        int n = utf8_decode(*rest, true, &cp);
        if (n < 0)
            return -EILSEQ;
        if (n > 0 && (cp < 0xD800 || cp > 0xDBFF)) {
            *ret_point = (struct fold_point){.start = r->pos, .end = r->pos + (size_t)n, .cp = cp};
            r->pos += (size_t)n;
            *rest = span_slice(*rest, (size_t)n, rest->len);
            return 1;
        }
    }
    for (;;) {
        int got = r->tail_len ? tail_read(r, ret_point) : 0;
        if (got)
            return got;
        if (rest->len == 0)
            return 0;
        r->tail[r->tail_len++] = (unsigned char)rest->data[0];
        *rest = span_slice(*rest, 1, rest->len);
    }
}

int fold_reader_end(struct fold_reader *r, struct fold_point *ret_point)
{
    if (r->tail_len == 0)
        return 0;
    uint32_t cp;
    int n = utf8_decode(span_from((const char *)r->tail, r->tail_len), true, &cp);
    return n <= 0 ? -EILSEQ : tail_take(r, (unsigned)n, cp, ret_point);
}
