/*
 * How often a run of Han characters occurs in ordinary Chinese, estimated from a dictionary with
 * the frequency of each word (jieba's; wordgen.c): as a word or within one, and across words that
 * stand side by side, where a name cut short or two syllables often do. Tells an everyday word of
 * an imported list from a keyword.
 *
 * Words stand side by side here as if by chance. What grammar or topic brings together is therefore
 * underestimated, and a sample of ordinary texts (rules/benign/) has to find it.
 */
#pragma once

#include "base/span.h"

/* Longer runs are no everyday words. */
#define COMMON_LETTERS_MAX 8
/*
 * From so many occurrences in a million words a word is an everyday one. Measured on public lists
 * and ordinary prompts: below, most of what is left means harm, or is hit by no prompt.
 */
#define COMMON_EVERYDAY 0.2
#define COMMON_SIDE     0.1 /* likewise, of those across words */
/* Likewise, of a word that means harm wherever it stands: only the commonest are everyday. */
#define COMMON_GRAVE 20.0

struct common;

/* Unpacks the table, some ten megabytes and milliseconds. NULL when memory is out. */
struct common *common_new(void);
/* Accepts NULL. */
void common_free(struct common *c);

struct common_rate {
    double within; /* occurrences as a word or within one, in a million words */
    double across; /* occurrences across words that stand side by side, likewise */
    bool grave;    /* it has a character that means harm, or is one of such words */
};
/*
 * False when the word is not a run of 1 to COMMON_LETTERS_MAX Han characters, besides what folding
 * takes away. O(letters squared).
 */
bool common_word(const struct common *c, struct span word, struct common_rate *ret_rate);
/* Is it an everyday word? */
bool common_is_everyday(const struct common_rate *rate);
/* Is it an everyday English word, in lower case, of four letters and more? */
bool common_is_english(const struct common *c, struct span word);

/* Those words, a blank behind each. */
extern const char common_english[];

/* ---- the table, written at build time ---- */

/*
 * Words in the order of their letters, each: a byte with the number of letters shared with the word
 * before (2 bits, high), the number of letters that follow less one (2 bits; 3: the next byte has
 * it), and the octave of its frequency (4 bits); then those letters, two bytes each, low first.
 */
extern const unsigned char common_table[];
extern const size_t common_table_size;
extern const double common_total; /* frequencies of all words of the dictionary */
/* Frequency of the lowest octave. Rarer words are not in the table. */
#define COMMON_RAREST 12
