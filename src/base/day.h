/*
 * Days as operators write them, 2026-12-31, in China's time (UTC+8, no summer time): rules and
 * exceptions hold to the end of a day.
 */
#pragma once

#include "base/span.h"

#include <stdint.h>

#define DAY_TEXT_SIZE 24

/* YYYY-MM-DD of the calendar, from 1970 on: *ret is the second after it (Unix seconds). */
bool day_end(struct span text, int64_t *ret);
/* The day that ends at that second, or holds the second before it; NUL-terminated. */
void day_format(int64_t end, char ret_text[DAY_TEXT_SIZE]);
