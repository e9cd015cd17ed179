/*
 * What the gateway does to keep its log, beside everything else, on a thread of its own: prunes it
 * daily, and carries checkpoints to their second place.
 */
#pragma once

#include "audit/audit.h"
#include "base/buf.h"
#include "gate/snapshot.h"

struct keeper;

/* The log is borrowed. 0 or -errno, logged. */
int keeper_open(struct audit *a, struct snapshot *s, struct keeper **ret_keeper);
/* Stops the thread; the log may be closed then. Accepts NULL. */
void keeper_stop(struct keeper *k);
/* Carries the last checkpoint to files and the system's log, and frees. Accepts NULL. */
void keeper_free(struct keeper *k);

/* A line for each place that checkpoints don't reach; returns their number. Any thread. */
unsigned keeper_weakenings(struct keeper *k, struct buf *out);
/* In the text format of Prometheus. 0 or as buf_append(). Any thread. */
int keeper_stats(struct keeper *k, struct buf *out);
