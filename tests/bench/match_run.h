/* What bench-match measures, between the files that measure and the one that prints. */
#pragma once

#include "match/cursor.h"
#include "match_data.h"

#include <stdio.h>

enum engine {
    OURS,
    OURS_64, /* in chunks, asking after each what is clear */
    OURS_12,
    VECTOR,
    VECTOR_64, /* its stream mode */
    VECTOR_12,
    VECTOR_FOLDED,
    TEXTBOOK,
    ENGINE_COUNT
};

enum { TEXT_ZH, TEXT_DIRTY, TEXT_EN, TEXT_MIXED, TEXT_COUNT };
extern const char *const text_names[TEXT_COUNT];

#define ROUNDS_MAX 128
#define CHUNK      12
#define CHUNK_LONG 64

struct series {
    double ns[ROUNDS_MAX]; /* of processor time for the whole text */
    unsigned count;
};

struct cell {
    bool measured;
    size_t text_len;
    unsigned rounds;
    struct series times[ENGINE_COUNT];
    struct tally tallies[ENGINE_COUNT];
    double settled; /* the largest change of a median in the last rounds */
};

struct list_result {
    const char *name;
    struct words words;
    bool whole_words; /* Latin words, for English alone */
    struct cell cells[TEXT_COUNT];
    double add_s, build_s, vector_s, vector_stream_s, textbook_s;
    size_t bytes, state, vector_bytes, vector_stream_bytes, vector_state, textbook_bytes;
};

struct plan {
    double seconds; /* for measuring, all in all */
    size_t text_size;
    size_t vector_max, textbook_max; /* longer lists are not given to them */
    bool texts[TEXT_COUNT];
    unsigned cells;
};

double series_median(const struct series *s);
double series_best(const struct series *s);
/* MB/s of the median round; 0 when there is none. */
double cell_speed(const struct cell *cell, enum engine e);
double chunk_ns(const struct cell *cell, enum engine e, bool best);

/* Builds the list for each engine and runs them all over each text, round by round. */
void list_run(struct list_result *list, const struct corpus *corpus, const struct plan *plan);

/* A chunk of 12 bytes without and with fifty patterns: of ordinary and of plain Chinese. */
struct pattern_result {
    bool measured;
    unsigned patterns;
    const char *list;
    double without[2], with[2]; /* ns, medians */
    double settled;
};
void patterns_run(struct pattern_result *result, const struct list_result *list,
                  const struct corpus *corpus, const struct plan *plan);
/* Adds them under the rules from `rule` on; returns their number. */
unsigned add_patterns(struct matchset_builder *b, uint32_t rule);

void report_texts(const struct list_result *lists, unsigned count, const struct plan *plan);
void report_lists(const struct list_result *lists, unsigned count);
void report_goals(const struct list_result *lists, unsigned count, const struct pattern_result *p);
