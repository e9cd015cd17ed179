/*
 * Sees through the ways in which one text is written: each code point's class and folded form from
 * a table that is made at build time (text/tablegen.c), and a reader that takes bytes in any
 * pieces.
 *
 * Folding knows no context: the fold of a text is that of its code points one after the other, so
 * where pieces are cut can't matter. It is idempotent, and no code point grows to more than
 * FOLD_EXPANSION_MAX.
 */
#pragma once

#include "base/span.h"
#include "base/utf8.h"
#include "terms/terms.h"

enum fold_class {
    FOLD_HAN,       /* Han characters */
    FOLD_WORD,      /* letters and digits of all other scripts */
    FOLD_SEPARATOR, /* punctuation, symbols, emoji, unassigned; half a surrogate pair */
    FOLD_BLANK,     /* white space */
    FOLD_INVISIBLE, /* zero-width, bidi, variation selectors, tags, controls */
    FOLD_MARK,      /* combining marks */
};

#define FOLD_EXPANSION_MAX 18
#define FOLD_PAGE_BITS     7
/*
 * An entry: target in the low 21 bits (0: the code point itself; with FOLD_EXPANDS: where in
 * fold_expansions its count and its code points stand), class, and LAYER_* bits of the folding.
 */
#define FOLD_TARGET      0x1FFFFFu
#define FOLD_CLASS_SHIFT 21
#define FOLD_LAYER_SHIFT 24
#define FOLD_LAYERS      (LAYER_CASE | LAYER_WIDTH | LAYER_TRADITIONAL | LAYER_MARK | LAYER_LOOKALIKE)
#define FOLD_EXPANDS     0x80000000u

extern const uint16_t fold_index[];
extern const uint32_t fold_pages[][1 << FOLD_PAGE_BITS];
extern const uint32_t fold_expansions[];

/* cp must be at most 0x10FFFF; surrogates are allowed. */
static inline uint32_t fold_entry(uint32_t cp)
{
    return fold_pages[fold_index[cp >> FOLD_PAGE_BITS]][cp & ((1u << FOLD_PAGE_BITS) - 1)];
}

static inline enum fold_class fold_entry_class(uint32_t entry)
{
    return (enum fold_class)(entry >> FOLD_CLASS_SHIFT & 7);
}

static inline uint32_t fold_entry_layers(uint32_t entry)
{
    return entry >> FOLD_LAYER_SHIFT & FOLD_LAYERS;
}

/* Writes the folded code points of cp, at least one; returns their number. */
unsigned fold_code_point(uint32_t cp, uint32_t ret_cps[FOLD_EXPANSION_MAX]);

/*
 * Joins the pieces of a text to code points. Halves of a surrogate pair, each as three bytes, make
 * one code point of six bytes.
 */
struct fold_reader {
    uint64_t pos;          /* bytes handed out as code points */
    unsigned char tail[8]; /* what the last piece left over */
    uint8_t tail_len;
};

/* A code point and its bytes [start, end) of the text. */
struct fold_point {
    uint64_t start, end;
    uint32_t cp;
};

/*
 * Takes the next code point off *rest. Returns 1; 0 when the rest went into the tail, waiting for
 * more; -EILSEQ, and *rest is of no use any more.
 */
int fold_reader_slow(struct fold_reader *r, struct span *rest, struct fold_point *ret_point);
/*
 * No more bytes follow: gives out a waiting half of a surrogate pair. Returns 1, 0 when nothing
 * waited, -EILSEQ when the text ends within a code point.
 */
int fold_reader_end(struct fold_reader *r, struct fold_point *ret_point);

static inline int fold_reader_next(struct fold_reader *r, struct span *rest,
                                   struct fold_point *ret_point)
{
    const unsigned char *p = (const unsigned char *)rest->data;
    size_t n;
    if (rest->len >= 3 && r->tail_len == 0) {
        if (p[0] < 0x80) {
            ret_point->cp = p[0];
            n = 1;
        } else if (p[0] > 0xE0 && p[0] < 0xED && (p[1] & 0xC0) == 0x80 && (p[2] & 0xC0) == 0x80) {
            ret_point->cp = (p[0] & 0x0Fu) << 12 | (p[1] & 0x3Fu) << 6 | (p[2] & 0x3Fu);
            n = 3;
        } else {
            return fold_reader_slow(r, rest, ret_point);
        }
        ret_point->start = r->pos;
        ret_point->end = r->pos += n;
        rest->data += n;
        rest->len -= n;
        return 1;
    }
    return fold_reader_slow(r, rest, ret_point);
}
