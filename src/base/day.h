/*
 * Days as operators write them, 2026-12-31, in China's time (UTC+8, no summer time): rules and
 * exceptions hold to the end of a day, or to a minute.
 */
#pragma once

#include "base/span.h"

#include <stdint.h>

#define DAY_TEXT_SIZE 24

/* YYYY-MM-DD of the calendar, from 1970 on: *ret is the second after it (Unix seconds). */
bool day_end(struct span text, int64_t *ret);
/* YYYY-MM-DDThh:mm with +hh:mm, -hh:mm or Z behind: that second. */
bool day_minute(struct span text, int64_t *ret);
/* The day that ends at that second, or holds the second before it; NUL-terminated. */
void day_format(int64_t end, char ret_text[DAY_TEXT_SIZE]);
/* Does a day of China end there? */
bool day_is_end(int64_t unix_seconds);
/* A minute as day_minute() takes it: 2026-12-31T15:04+08:00. */
void day_format_minute(int64_t unix_seconds, char ret_text[DAY_TEXT_SIZE]);
