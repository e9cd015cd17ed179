/*
 * Time. Deadlines and durations use the monotonic clock; records and people the wall clock.
 */
#pragma once

#include "base/span.h"

#include <stddef.h>
#include <stdint.h>

/* Monotonic, microseconds since an arbitrary start. */
uint64_t clock_mono_us(void);
static inline uint64_t clock_mono_ms(void)
{
    return clock_mono_us() / 1000;
}
/* Wall clock, microseconds since 1970-01-01 UTC. */
uint64_t clock_wall_us(void);
/* The same in seconds. */
static inline int64_t clock_wall_s(void)
{
    return (int64_t)(clock_wall_us() / 1000000);
}

#define CLOCK_TEXT_SIZE 32
/* Writes RFC 3339 with milliseconds in UTC, such as 2026-11-24T10:03:00.123Z, NUL-terminated. */
void clock_format(uint64_t wall_us, char ret_text[CLOCK_TEXT_SIZE]);
/* Reads what clock_format() writes, and nothing else. */
bool clock_read(struct span text, uint64_t *ret_wall_us);
