/*
 * How the keyword engine reads folded text: as symbols with gaps between them.
 *   - a symbol is a Han character, a letter or a digit
 *   - a gap is a run of separators: blanks, joiners (- _ . ' / and the like), marks (the
 * punctuation of sentences) and odd ones (all other symbols, emoji, markup). Invisible characters
 * and combining marks leave no gap
 *
 * A gap means nothing between Han characters. Between a Han character and a letter or digit only
 * one with a mark means something, between letters or digits every gap: there it is a KEY_SPACE.
 * A gap of more than SYMBOL_RUN_MAX separators parts what stands on both sides.
 */
#pragma once

#include "base/buf.h"
#include "match/matchset.h"
#include "text/fold.h"

#define KEY_SPACE      0x20u
#define KEY_COUNT      0x200000u /* code points, and what text/variants.h puts above them */
#define SYMBOL_RUN_MAX 8

enum symbol_kind { SYMBOL_NONE, SYMBOL_HAN, SYMBOL_LETTER, SYMBOL_DIGIT, SYMBOL_SPACE };

/* A gap in a byte: its length, at most SYMBOL_RUN_MAX, and what was in it. */
enum {
    GAP_RUN = 15,
    GAP_BLANK = 16,
    GAP_JOINER = 32,
    GAP_MARK = 64,
    GAP_ODD = 128,
};

/* Of a folded code point of class FOLD_HAN or FOLD_WORD, or a number of text/variants.h. */
static inline enum symbol_kind symbol_kind(uint32_t cp)
{
    if (cp - '0' <= 9)
        return SYMBOL_DIGIT;
    if (cp > 0x10FFFF || fold_entry_class(fold_entry(cp)) == FOLD_HAN)
        return SYMBOL_HAN;
    return SYMBOL_LETTER;
}

/* Which GAP_* a folded separator or blank is. */
unsigned symbol_gap(uint32_t cp, enum fold_class class);

static inline bool kind_is_word(unsigned kind)
{
    return kind >= SYMBOL_LETTER;
}

/* Whether the gap between two symbols is a KEY_SPACE. */
static inline bool symbol_space(unsigned before, unsigned after, unsigned gap)
{
    if (!(gap & GAP_RUN) || before == SYMBOL_NONE)
        return false;
    bool left = kind_is_word(before), right = kind_is_word(after);
    return left && right ? true : left != right && (gap & GAP_MARK);
}

/* A keyword as keys: folded code points, and KEY_SPACE. */
struct symbols {
    uint32_t keys[MATCH_KEYWORD_MAX];
    unsigned count;
    bool lookalike; /* holds letters, and all of them are look-alikes */
    bool han;       /* holds a Han character */
    bool word;      /* holds a letter or digit */
};

/* 0; positive MATCH_EMPTY, MATCH_TOO_LONG; -EILSEQ. */
int symbols_read(struct span word, struct symbols *ret_symbols);
