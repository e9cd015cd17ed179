/*
 * What the text index is made of: pairs of neighbouring characters, whatever the script, each
 * non-ASCII character alone, and triples within Latin words. SQLite's own trigrams find nothing for
 * two characters, and most Chinese keywords have two. A text that holds a needle holds all of the
 * needle's grams, so that the index never leaves out what a search through the texts would find;
 * what it gives too much, the reader of the row sorts out.
 */
#pragma once

#include "base/buf.h"

#include <stdint.h>

/* The grams of one document, gathered from several texts. */
struct grams {
    uint64_t *keys;
    size_t count, room;
};

/* Adds those of a text; ASCII case is folded, bytes that are no UTF-8 stand for themselves. 0 or
 * -ENOMEM. O(text). */
int grams_add(struct grams *g, struct span text);
/* Appends each gram once, as words with blanks between. 0, -ENOMEM, -EMSGSIZE. O(n log n). */
int grams_write(struct grams *g, struct buf *out);
/* Forgets what was gathered, keeps the memory. */
void grams_clear(struct grams *g);
void grams_deinit(struct grams *g);

/*
 * Appends what FTS5 has to be asked for a text; nothing when the index can't tell: a single ASCII
 * character, or bytes that are no UTF-8. 0, -ENOMEM, -EMSGSIZE.
 */
int grams_query(struct span needle, struct buf *out);
