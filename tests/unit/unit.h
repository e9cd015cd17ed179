/* What every unit test includes: cmocka in its one right order, and spans as arguments. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/span.h"

/* Equal bytes, with both shown when they are not. */
#define assert_span(got, want)                                                                     \
    do {                                                                                           \
        struct span got_ = (got), want_ = (want);                                                  \
        if (!span_eq(got_, want_))                                                                 \
            fail_msg("got \"%.*s\", want \"%.*s\"", SPAN_ARG(got_), SPAN_ARG(want_));              \
    } while (0)

/* A small, fast, seeded generator (xorshift64*, Vigna 2016): tests must be repeatable. */
static inline uint64_t random_next(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 0x2545F4914F6CDD1Du;
}
