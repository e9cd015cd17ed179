/* The spellings of one keyword while they are thought of. For this room alone. */
#pragma once

#include "base/buf.h"
#include "text/fold.h"
#include "text/kinship.h"
#include "text/pinyin.h"
#include "text/variants.h"

/* Longer keywords are refused by the match set (MATCH_KEYWORD_MAX). */
#define SPELLING_GLYPHS_MAX 64
/* Thought of, for one layer; the best of all layers are told. */
#define SPELLING_LAYER_MAX VARIANTS_SPELLINGS_MAX
#define SPELLING_SLOTS     2048
#define SPELLING_COST_MAX  5

/*
 * One character of the folded keyword, read as the automaton reads it (match/symbol.h): separators
 * that leave no key are gone, the others are one blank or one hyphen.
 */
struct glyph {
    uint32_t cp;
    enum fold_class class;
    unsigned readings; /* 0: not read, stays as it is */
    uint16_t syllables[PINYIN_READINGS_MAX];
    const struct split *splits;
    size_t split_count;
};

enum how_kind {
    HOW_ASIS,
    HOW_PINYIN,
    HOW_INITIAL, /* its first letter */
    HOW_ONSET,   /* its first letter, or zh, ch, sh */
    HOW_SPLIT,
    HOW_NUMERAL,
};

/* How one glyph is written in a spelling; `which` of its readings, splits or numeral styles. */
struct how {
    uint8_t kind, which;
};

struct spelling {
    size_t at, len; /* in spellings.text */
    uint32_t layer;
    unsigned cost; /* how far from the keyword, up to SPELLING_COST_MAX */
};

struct spellings {
    struct glyph glyphs[SPELLING_GLYPHS_MAX];
    unsigned count;
    uint8_t han[SPELLING_GLYPHS_MAX]; /* the glyphs that have readings */
    unsigned han_count;

    struct buf text;
    struct spelling list[5 * SPELLING_LAYER_MAX];
    unsigned list_count;
    uint16_t slots[SPELLING_SLOTS]; /* 1 + index into list, by hash */
    uint32_t layer;                 /* that is thought about */
    unsigned layer_count;           /* of that layer so far */
    struct span self;               /* the keyword itself, in text */
};

/* Begins with the folded keyword. 0, -EMSGSIZE when it is too long, -EILSEQ, -ENOMEM. */
int spellings_read(struct spellings *s, const struct variants *v, struct span word);
void spellings_layer(struct spellings *s, uint32_t layer);
/*
 * Writes the glyphs as told; `spaced`, bit i: a blank in front of glyph i where letters meet. Where
 * a v stands for a dotted u, both letters are tried. Returns 0, also when that spelling is known,
 * is the word itself or one too many; -ENOMEM.
 */
int spellings_add(struct spellings *s, const struct how *how, uint64_t spaced, unsigned cost);
/* Whether these letters are an everyday word, a name of something, or one syllable of pinyin. */
bool spelling_reads_otherwise(struct span letters);

/* The layers' own thoughts, one after the other. 0, -ENOMEM. */
int spellings_numerals(struct spellings *s);
int spellings_pinyin(struct spellings *s);
int spellings_initials(struct spellings *s);
int spellings_split(struct spellings *s);
int spellings_reversed(struct spellings *s);
