/*
 * Compiled patterns: the only user of PCRE2. Its DFA matcher finds the longest match at one start
 * and tells when more text could change that, so that nothing depends on how the text was cut.
 */
#pragma once

#include "match/matchset.h"
#include "match/shape.h"

/* Characters before a match that its assertions may look at, and behind its width. */
#define PATTERN_CONTEXT_MAX 16
/* Large, and written before it is read: zeroing it at each try would cost more than the match. */
#define UNINITIALIZED __attribute__((uninitialized))

#define PATTERN_AHEAD_MAX 8

struct gates;

struct pattern {
    void *code;          /* pcre2_code */
    struct shape *shape; /* the same as a table, NULL when the regex is not plain */
    struct buf literal;
    match_validator validator;
    enum match_gate gate;
    unsigned width, least; /* characters of its longest and shortest match */
    uint32_t rule;
    uint8_t direction;
};

struct patterns {
    struct pattern *list;
    size_t count;
    size_t bytes;
    struct gates *gates[DIRECTION_BOTH + 1]; /* by direction, once ready; NULL for no patterns */
};

/* Literals are compared without regard to ASCII case; the regex has the last word. */
static inline uint32_t pattern_lower(uint32_t cp)
{
    return cp >= 'A' && cp <= 'Z' ? cp | 0x20 : cp;
}

/* As matchset_add_pattern(); *ret_reason is static or lives in `reason_buf`. */
int patterns_add(struct patterns *ps, const struct match_pattern *p, uint32_t rule,
                 enum direction direction, struct buf *reason_buf, const char **ret_reason);
/* All are added: makes what watches share. 0, -ENOMEM. */
int patterns_ready(struct patterns *ps);
size_t patterns_count(const struct patterns *ps, enum direction direction);
void patterns_deinit(struct patterns *ps);

/* What matchers need for themselves; one a cursor. */
struct pattern_scratch;
struct pattern_scratch *pattern_scratch_new(void);
void pattern_scratch_free(struct pattern_scratch *s);

/* The ends of the matches at one start, longest first; the shortest of many are left out. */
#define PATTERN_ENDS_MAX 8
struct pattern_ends {
    size_t at[PATTERN_ENDS_MAX];
    unsigned count;
};

/*
 * Tries the pattern at the byte `at` of `subject`, what is before it being context. With `open`
 * more text may follow. Returns 1 and where matches end; 0 for none; 2 when that depends on what
 * follows; -EOVERFLOW when the matcher gave up.
 */
int pattern_try(const struct pattern *p, struct pattern_scratch *s, struct span subject, size_t at,
                bool open, struct pattern_ends *ret_ends);
