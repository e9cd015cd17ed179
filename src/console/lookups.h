/*
 * Who looked at whose records of late. A list that goes on, or waits for news, asks again and
 * again: its first page is on record, the others need not be. Any thread.
 */
#pragma once

#include "base/span.h"

#include <stdbool.h>
#include <stdint.h>

struct lookups;

/* NULL when memory is out. */
struct lookups *lookups_new(void);
/* Accepts NULL. */
void lookups_free(struct lookups *l);
/*
 * Has that member of the staff been noted for that end user (any spelling is another one) and app
 * within the last half hour? Of more than 256 looks the oldest are forgotten. O(256).
 */
bool lookups_has(struct lookups *l, struct span who, struct span end_user, struct span app,
                 uint64_t now_ms);
/* The look is on record. */
void lookups_note(struct lookups *l, struct span who, struct span end_user, struct span app,
                  uint64_t now_ms);
