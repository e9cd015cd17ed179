/*
 * A pattern as a table: deterministic, one look-up a character. PCRE2 costs hundreds of nanoseconds
 * to start, and hostile texts can make every second character a start. Patterns of a plain kind
 * (ASCII literals and sets, groups, alternatives, greedy repeats, one set excluded before and one
 * behind) are therefore also compiled to this; all others stay with PCRE2 alone. Both give the same
 * answers at the same moments.
 */
#pragma once

#include "base/span.h"

#include <stdint.h>

struct shape {
    uint64_t before[2], after[2]; /* ASCII characters excluded before and behind a match */
    bool follows;                 /* `after` excludes something */
    uint16_t classes;             /* columns of a row; class 0 is in no set */
    uint16_t states;              /* 0 is dead, 1 the start */
    uint8_t class_of[128];
    uint16_t *next; /* [states * classes] */
    uint8_t *flags; /* [states], SHAPE_* */
};

enum {
    SHAPE_ACCEPTS = 1, /* a match may end here */
    SHAPE_GOES_ON = 2  /* a longer one is possible */
};

/*
 * Compiles a regex that PCRE2 has accepted. Returns 1 and a shape to free; 0 when it is not of the
 * plain kind or its table would be too large; -ENOMEM. Bounded: at most a few thousand states.
 */
int shape_new(struct span regex, struct shape **ret);
void shape_free(struct shape *s);
size_t shape_bytes(const struct shape *s);

static inline bool shape_has(const uint64_t set[2], uint32_t cp)
{
    return cp < 128 && set[cp / 64] >> cp % 64 & 1;
}

static inline uint16_t shape_step(const struct shape *s, uint16_t state, uint32_t cp)
{
    return s->next[state * s->classes + (cp < 128 ? s->class_of[cp] : 0)];
}
