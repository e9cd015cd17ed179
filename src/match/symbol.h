/*
 * What the keyword automaton reads. A folded text becomes a sequence of keys:
 *   - a Han character: its code point
 *   - a letter or digit: its code point, and KEY_INITIAL where a word begins with it. Keywords that
 *     begin with a letter begin with an initial one, so that the automaton by itself never enters a
 *     word in the middle
 *   - KEY_SPACE for a run of separators between two words, and for one that is not all blank
 *     between a word and a Han character
 * Separators between Han characters, and blanks between Han characters and words, leave no key;
 * invisible characters and combining marks never do. A run of more than SYMBOL_RUN_MAX separators
 * parts what stands on both sides.
 */
#pragma once

#include "base/buf.h"
#include "match/matchset.h"
#include "text/fold.h"

#define KEY_INITIAL    0x200000u
#define KEY_SPACE      0x20u
#define SYMBOL_RUN_MAX 8

/* The class before the first symbol and after a run too long. */
#define SYMBOL_NONE 0xFF

/* Whether a run of separators between two symbols becomes a KEY_SPACE. */
static inline bool symbol_space(unsigned before, unsigned after, unsigned run, bool blank)
{
    return run && ((before == FOLD_WORD && after == FOLD_WORD) || (before != after && !blank));
}

static inline bool symbol_initial(unsigned before, unsigned after, unsigned run)
{
    return after == FOLD_WORD && (before != FOLD_WORD || run);
}

/* Digits are no letters; what else folds to FOLD_WORD is taken for one. */
static inline bool symbol_letter(uint32_t cp)
{
    return cp - '0' > 9;
}

/* A keyword as keys. */
struct symbols {
    uint32_t keys[MATCH_KEYWORD_MAX];
    unsigned count;
    bool lookalike; /* holds letters, and all of them are look-alikes */
    bool han;       /* holds a Han character */
};

/* 0; positive MATCH_EMPTY, MATCH_TOO_LONG; -EILSEQ. */
int symbols_read(struct span word, struct symbols *ret_symbols);
