/* What of the wall clock's time a log has seen pass. */
#pragma once

#include "base/span.h"

#include <stdint.h>

/*
 * The present as far as records bear witness to it: now_us, less by each stretch of more than a day
 * without a record, between two month files or behind the last. A clock that stands years ahead
 * makes nothing old thereby; a gateway that was off for a month keeps its records a month longer.
 * 0, -ENOENT: there is no log; as db/db.h. O(months).
 */
int witness_clock(struct span dir, uint64_t now_us, uint64_t *ret_us);
