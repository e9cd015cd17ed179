/*
 * Other ways of writing a keyword that a rule may ask for (terms.h, LAYERS_ASKED). Two kinds:
 *   - spellings: the keyword written in other characters, each a word to be found by itself
 *     (pinyin, initials, split, reversed; Chinese numerals for digits, which are always on)
 *   - readings: characters taken for one another, wherever they stand (homophone, shape, leet)
 */
#pragma once

#include "base/span.h"

#include <stdint.h>

struct variants;

/* NULL when memory is out. Knows pinyin; the tables of rules/variants/ are added. */
struct variants *variants_new(void);
void variants_free(struct variants *v);
/* cp may be written as `parts`: 2 to 4 characters. 0, -ENOMEM, -EINVAL. */
int variants_add_split(struct variants *v, uint32_t cp, struct span parts);
/* Han characters that look alike, two or more. Groups that share one are joined. 0, -ENOMEM,
 * -EINVAL. */
int variants_add_shape(struct variants *v, struct span characters);
/* Further characters read alike, beside those of the same toneless syllable. As add_shape. */
int variants_add_sound(struct variants *v, struct span characters);

/* Spellings of one keyword at most; those that go furthest from it are left out first. */
#define VARIANTS_SPELLINGS_MAX 128
/* `layer` is the LAYER_* that the spelling means. What it answers other than 0 ends the walk. */
typedef int (*variants_spelling_fn)(void *ctx, struct span spelling, uint32_t layer);
/*
 * Tells each spelling of `word` for the layers in `asked` (bits); LAYER_NUMERAL is always asked
 * for. The word itself is none; spellings are folded, none comes twice, the nearest come first. A
 * word longer than the match set takes has none, and so has one with too few Han characters for
 * the layer. 0, the answer of fn, -ENOMEM, -EILSEQ.
 */
int variants_spellings(const struct variants *v, struct span word, uint32_t asked,
                       variants_spelling_fn fn, void *ctx);

/*
 * What stands for all characters that are read like cp, where cp is a folded code point
 * (text/fold.h): one of them, or a number above Unicode's (up to 0x1FFFFF); cp itself where nothing
 * is read like it. v may be NULL for what is built in.
 */
uint32_t variants_sound(const struct variants *v, uint32_t cp);
uint32_t variants_shape(const struct variants *v, uint32_t cp);
/* Folded letters, digits and symbols that stand for letters; others as they are. */
uint32_t variants_leet(uint32_t cp);
