/*
 * Memory with the lifetime of one exchange: allocate by bumping, free all at once. The arena names
 * its ceiling at birth; past it, and when memory is out, allocations return NULL.
 */
#pragma once

#include "base/span.h"

struct arena_block;

struct arena {
    struct arena_block *blocks;
    size_t used; /* bytes handed out */
    size_t max;  /* ceiling, bytes */
};

void arena_init(struct arena *a, size_t ceiling);
void arena_deinit(struct arena *a);
/* Zeroed, aligned for any type. Owned by the arena. */
void *arena_alloc(struct arena *a, size_t size);
/* A copy, NUL-terminated behind its length; data is NULL when memory is out. */
struct span arena_copy(struct arena *a, struct span s);
struct span arena_printf(struct arena *a, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
