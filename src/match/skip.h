/*
 * Passes over text in which no word of a trie begins, many times faster than a lane reads it. It
 * may stop in vain, it never passes the start of a word.
 *
 * What its filter knows of the words that begin with Han characters: the third symbol, as two bits
 * of a 32-bit mask that the first two choose, and likewise the fourth behind the first three. Of
 * those that begin with letters or digits: what comes behind these, of which the first eight choose
 * the mask. A character said again is read once. Where the filter says yes, the trie is walked
 * along the text as far as that is plain; only what is not, and what ends a word, is left to a
 * lane.
 */
#pragma once

#include "match/trie.h"

/* What a character of the BMP is: a symbol of the trie, or one of these. */
enum {
    SKIP_STOP = 0,       /* a lane must read it */
    SKIP_WORD = 0xFFFC,  /* in the filter: any letter, digit or gap that means something */
    SKIP_OTHER = 0xFFFD, /* a Han character of no word */
    SKIP_ODD = 0xFFFE,   /* a separator with which letters may be broken up (GAP_ODD) */
    SKIP_PASS = 0xFFFF,  /* any other separator */
};

struct skip {
    const struct trie *trie;
    uint16_t *bmp;     /* [SKIP_BMP] */
    uint32_t *filter;  /* masks by skip_pair() */
    uint32_t *fourths; /* masks by skip_triple() */
    uint32_t *heads;   /* masks by skip_head() */
    uint64_t *doubles; /* bits by symbol: words that say nothing but one character begin so */
    unsigned filter_shift, fourth_shift, head_shift;
    bool latin;            /* some word begins with a letter or digit */
    uint8_t ascii[128];    /* SKIP_ASCII_* */
    uint16_t symbols[128]; /* of the trie, of ASCII letters and digits */
};

enum {
    SKIP_ASCII_STOP,
    SKIP_ASCII_PASS,
    SKIP_ASCII_ODD,
    SKIP_ASCII_LETTER,
    SKIP_ASCII_DIGIT,
    SKIP_HAN, /* not in ASCII */
};

/* Entries of the table of the BMP: one more, for readers of four bytes at a time. */
#define SKIP_BMP 0x10001u

#define SKIP_HEAD_MAX 8

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

/* For tests: each way of scanning by itself. NULL where the processor cannot do it. */
typedef struct skip_end (*skip_scan_fn)(const struct skip *s, struct span text, unsigned inside);
skip_scan_fn skip_vector(void);
/* What skip_scan() is from here on; NULL: the best one. */
void skip_force(skip_scan_fn scan);

/*
 * The hash of a pair of symbols: its highest bits choose a mask, others two bits of it that
 * tell of words that need no third symbol to begin: those of two, or with a letter as the second.
 */
static inline uint32_t skip_hash(uint32_t a, uint32_t b)
{
    return a * 0x9E3779B1u + b * 0x85EBCA77u;
}

static inline uint32_t skip_pair(const struct skip *s, uint32_t hash)
{
    return hash >> s->filter_shift;
}

/* What a mask that a hash chose has of words that need no further symbol. */
static inline uint32_t skip_short(uint32_t hash)
{
    return 1u << (hash & 31) | 1u << (hash >> 8 & 31);
}

/* Or of those that say one of two symbols twice. */
static inline uint32_t skip_twice(uint32_t hash)
{
    return 1u << ((hash & 31) ^ 16) | 1u << ((hash >> 8 & 31) ^ 16);
}

/* Or of those with a further symbol. */
static inline uint32_t skip_next(uint32_t symbol)
{
    uint32_t hash = (uint16_t)(symbol * 0x9E37u);
    return 1u << (hash >> 6 & 31) | 1u << (hash >> 11);
}

/* The same for the fourth symbol behind three; the other bit tells of those that need none. */
static inline uint32_t skip_triple(uint32_t a, uint32_t b, uint32_t c)
{
    return skip_hash(a, b) + c * 0xC2B2AE3Du;
}

/* May a word of which three symbols were read go on with `next`? */
static inline bool skip_goes_on(const struct skip *s, uint32_t triple, uint32_t next)
{
    uint32_t mask = s->fourths[triple >> s->fourth_shift];
    uint32_t further = skip_next(next), over = skip_short(triple);
    return (mask & further) == further || (mask & over) == over;
}

/* Is that a word without a third symbol? Asked again, as masks of frequent pairs are full. */
static inline bool skip_is_short(const struct skip *s, uint32_t hash)
{
    uint32_t bits = skip_short(hash);
    return (s->fourths[hash >> s->fourth_shift] & bits) == bits;
}

static inline bool skip_doubles(const struct skip *s, uint32_t symbol)
{
    return symbol < s->trie->symbols && s->doubles[symbol / 64] >> symbol % 64 & 1;
}

/* `letters`: the first in the lowest byte. */
static inline uint32_t skip_head(uint64_t letters)
{
    return (uint32_t)letters * 0x9E3779B1u + (uint32_t)(letters >> 32) * 0x85EBCA77u;
}

/* May a word begin with the head behind which `next` comes? That is a key, 0 if not known. */
static inline bool skip_knows_head(const struct skip *s, uint64_t letters, uint32_t next)
{
    uint32_t hash = skip_head(letters), mask = s->heads[hash >> s->head_shift];
    uint32_t over = skip_short(hash), further = skip_next(next);
    return next ? (mask & over) == over || (mask & further) == further : mask != 0;
}
