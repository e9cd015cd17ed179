/*
 * Memory that runs out: the n-th allocation fails, once and with all that follow, for every n. For
 * a program linked with --wrap of malloc, calloc, realloc and reallocarray (see meson.build).
 */
#pragma once

#include "unit.h"

#include <errno.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *p, size_t size);
void *__real_reallocarray(void *p, size_t count, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *p, size_t size);
void *__wrap_reallocarray(void *p, size_t count, size_t size);

static bool armed, all; /* all: every one from there on fails */
static unsigned calls, fail_from, failures;

static bool fails(void)
{
    if (!armed || ++calls < fail_from || (!all && calls > fail_from))
        return false;
    failures++;
    errno = ENOMEM;
    return true;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *p, size_t size)
{
    return fails() ? NULL : __real_realloc(p, size);
}

void *__wrap_reallocarray(void *p, size_t count, size_t size)
{
    return fails() ? NULL : __real_reallocarray(p, count, size);
}

/*
 * Runs `act` with every single allocation failing. It gives what its whole result is, more than 0,
 * or an error: anything between is a fault, as is an error without a failure.
 */
static void exhaust(const char *what, int (*act)(void))
{
    armed = false;
    int want = act();
    if (want <= 0)
        fail_msg("%s: %d", what, want);
    for (int mode = 0; mode < 2; mode++) {
        all = mode;
        failures = 1;
        for (fail_from = 1; failures; fail_from++) {
            failures = calls = 0;
            armed = true;
            int got = act();
            armed = false;
            if (got >= 0 && got != want)
                fail_msg("%s, allocation %u: %d instead of %d", what, fail_from, got, want);
            if (got < 0 && !failures)
                fail_msg("%s, allocation %u: %d without a failure", what, fail_from, got);
        }
        assert_true(fail_from > 2); /* it was tried at all */
    }
}
