/*
 * The counts behind the limits of apps, kept over restarts: read at the start, saved now and then
 * and at the end. A crash costs the counts of the last ten seconds.
 */
#pragma once

#include "access/limiter.h"
#include "base/loop.h"

struct tally;

/* NULL when memory is out. What can't be read begins anew, with a message. */
struct tally *tally_new(struct loop *loop, struct span state_dir, struct buf *messages);
/* Lives as long as the tally. */
struct limiter *tally_limiter(const struct tally *t);
/* Saves a last time. No request may be under way; before the loop is freed. Accepts NULL. */
void tally_free(struct tally *t);
