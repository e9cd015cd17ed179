/*
 * Passes over text in which no word of a trie begins, many times faster than a lane reads it. It
 * may stop in vain, it never passes the start of a word.
 *
 * What its filter knows of the words: of those that begin with Han characters the first three
 * symbols, as one bit each (s2) of a 32-bit mask found by the first two (s0, s1); of those that
 * begin with letters or digits the first four of them. A character said again is read once. Where
 * the filter says yes, the trie is walked along the text as far as that is plain; only what is not,
 * and what ends a word, is left to a lane.
 */
#pragma once

#include "match/trie.h"

/* What a character of the BMP is: a symbol of the trie, or one of these. */
enum {
    SKIP_STOP = 0,       /* a lane must read it */
    SKIP_WORD = 0xFFFD,  /* in the filter: any letter, digit or gap that means something */
    SKIP_OTHER = 0xFFFE, /* a Han character of no word */
    SKIP_PASS = 0xFFFF,  /* a separator */
};

struct skip {
    const struct trie *trie;
    uint16_t *bmp;    /* [65536] */
    uint32_t *filter; /* masks by skip_pair() */
    uint64_t *heads;  /* bits by skip_head() */
    uint8_t *flags;   /* [trie->symbols], SKIP_MIXED and SKIP_LONELY */
    unsigned filter_shift, head_shift;
    bool latin;            /* some word begins with a letter or digit */
    uint8_t ascii[128];    /* SKIP_ASCII_* */
    uint16_t symbols[128]; /* of the trie, of ASCII letters and digits */
};

enum { SKIP_ASCII_STOP, SKIP_ASCII_PASS, SKIP_ASCII_ODD, SKIP_ASCII_LETTER, SKIP_ASCII_DIGIT };

enum {
    SKIP_MIXED = 1,  /* a word goes on with a letter, digit or gap behind this first symbol */
    SKIP_LONELY = 2, /* a word has no other symbol */
};

#define SKIP_REPEAT   (1u << 30) /* a word begins with these two and says one of them twice */
#define SKIP_TWO      (1u << 31) /* these two are a word */
#define SKIP_HEAD_MAX 4

/* The words must be sorted as the trie's builder leaves them. 0, -ENOMEM. */
int skip_build(struct skip *s, const struct trie *t, const struct trie_word *words, size_t count);
void skip_deinit(struct skip *s);
size_t skip_bytes(const struct skip *s);

/* Where to read on. */
struct skip_end {
    size_t from;  /* a lane must read from here */
    size_t until; /* up to here it was looked at: not worth another try before */
};

/*
 * Looks through `text`. `inside` is the kind of a letter or digit right before it (SYMBOL_NONE for
 * none). Linear. Chosen at run time between skip_portable() and what the processor can do.
 */
struct skip_end skip_scan(const struct skip *s, struct span text, unsigned inside);
struct skip_end skip_portable(const struct skip *s, struct span text, unsigned inside);

static inline uint32_t skip_pair(const struct skip *s, uint32_t a, uint32_t b)
{
    return (a * 0x9E3779B1u + b * 0x85EBCA77u) >> s->filter_shift;
}

/* The bit of the third symbol, 0 to 29. */
static inline unsigned skip_third(uint32_t c)
{
    return (unsigned)((uint16_t)(c * 0x9E37u) * 30u >> 16);
}

static inline uint32_t skip_head(const struct skip *s, uint32_t letters, unsigned count)
{
    return (letters * 0x9E3779B1u + count * 0x85EBCA77u) >> s->head_shift;
}
