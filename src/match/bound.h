/*
 * How much text a regex can take: read off the regex itself, since PCRE2 tells the shortest match
 * only. What can't be bounded is refused, so that the width of a pattern is a promise.
 */
#pragma once

#include "base/span.h"

struct bound {
    unsigned longest;   /* characters of the longest match */
    unsigned ahead;     /* how far behind a place within it look-aheads see */
    const char *reason; /* static, why there is none; NULL when all is well */
    size_t at;          /* byte of the regex that the reason is about */
};

/* Bounds a regex that PCRE2 has accepted. Larger than true at times, smaller never. */
struct bound bound_of(struct span regex);
