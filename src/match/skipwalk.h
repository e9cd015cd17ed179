/* What the ways of scanning share (match/skip.h). */
#pragma once

#include "match/skip.h"

/* The scan's memory of what may be the beginning of a word. */
struct chain {
    uint32_t two, one;     /* the last two Han symbols since a letter or digit, 0 for none */
    uint32_t mask;         /* the filter's for them */
    size_t two_at, one_at; /* where they begin; of a repeat, the first of them */
    size_t single;         /* where a lone letter stood, SIZE_MAX for none */
};

struct scan {
    const struct skip *skip;
    const unsigned char *p;
    size_t n, at;
    struct chain chain;
};

/*
 * Begins a scan: passes the rest of a run of letters or digits that began before the text. False
 * when a lane must read what comes behind it.
 */
bool scan_begin(struct scan *scan, const struct skip *s, struct span text, unsigned inside);
/* Passes one character or run of letters. False where a lane must read on, at *ret_end. */
bool scan_step(struct scan *scan, struct skip_end *ret_end);
/* The end of a scan that stops at `at`. */
struct skip_end scan_end(const struct scan *scan);

/*
 * Does a word begin where the filter says so? `hint`: HINT_THIRD for one with the chain's two
 * symbols and then `v`, HINT_SHORT for one with the last symbol and then `v`, HINT_TWICE for one
 * that says one of these twice. Where it is none with the first of the two, the chain forgets that.
 */
enum { HINT_THIRD = 1, HINT_SHORT = 2, HINT_TWICE = 4 };
bool scan_confirms(const struct scan *scan, struct chain *c, uint32_t v, unsigned hint);
/* Or with the chain's last symbol, which is a doubled one and was said again? */
bool scan_confirms_twice(const struct scan *scan);
/* Or with the run of letters or digits at `at`, whose head the filter knows? */
bool scan_confirms_head(const struct scan *scan, size_t at);
/* Or with the lone letter before the one that stands alone here? */
bool scan_confirms_spelled(const struct scan *scan);

static inline uint32_t bmp_at(const struct skip *s, const unsigned char *p)
{
    return s->bmp[(p[0] & 15u) << 12 | (p[1] & 63u) << 6 | (p[2] & 63u)];
}

static inline bool is_three(const unsigned char *p, size_t n)
{
    return n >= 3 && p[0] >= 0xE0 && p[0] < 0xF0 && (p[1] & 0xC0) == 0x80 && (p[2] & 0xC0) == 0x80;
}
