/*
 * What the keyword engine is measured against: Vectorscan (where it is installed), alone and behind
 * a folding pass, and an Aho-Corasick as the textbook has it. All read the same list.
 */
#pragma once

#include "rows.h"

struct words {
    struct span *list;
    size_t count, cap;
};

struct tally {
    uint64_t hits;
    uint64_t sum;  /* of their offsets, so that nobody can leave them out */
    uint64_t held; /* bytes not clear at the ends of chunks, summed */
};

/* Processor time of this thread, nanoseconds. */
uint64_t thread_ns(void);

/* Version, or NULL when the build has none. */
const char *vector_version(void);
struct vector;
/* Literals for whole texts, or for a stream. NULL when it can't. */
struct vector *vector_new(const struct words *words, bool stream);
void vector_free(struct vector *v);
size_t vector_bytes(const struct vector *v);
size_t vector_state_bytes(const struct vector *v);
void vector_scan(struct vector *v, struct span text, struct tally *tally);
void vector_stream(struct vector *v, struct span text, size_t chunk, struct tally *tally);

/*
 * The pass that a user of a byte matcher must add to see through width, case, traditional forms and
 * look-alikes: folds each code point and leaves invisible ones and marks out, noting for each byte
 * where it came from. Separators stay: what is transparent only between Han characters needs more.
 */
struct folded {
    char *bytes;
    uint32_t *map;
    size_t len, cap;
};
void folded_init(struct folded *f, size_t text_len);
void folded_deinit(struct folded *f);
void folded_read(struct folded *f, struct span text);
/* The pass, then Vectorscan on what it gave; hits have the original offsets. */
void vector_scan_folded(struct vector *v, struct folded *f, struct span text, struct tally *tally);

/* Aho and Corasick 1975 over code points: goto (one hash table), fail, output. */
struct textbook;
struct textbook *textbook_new(const struct words *words);
void textbook_free(struct textbook *t);
size_t textbook_bytes(const struct textbook *t);
void textbook_scan(const struct textbook *t, struct span text, struct tally *tally);
/* Counts the hits of each word, words.count numbers. */
void textbook_count(const struct textbook *t, struct span text, uint32_t *counts);
