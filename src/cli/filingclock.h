/*
 * The filing's calendar in a running gateway, for /metrics: gathered on a thread of its own, when
 * somebody asks and what is known has grown old or a step was noted; judged at each asking.
 */
#pragma once

#include "base/buf.h"
#include "gate/snapshot.h"

struct filingclock;

/* 0 or -errno. */
int filingclock_open(struct snapshot *s, struct filingclock **ret_clock);
/* Another snapshot is in force. Accepts NULL. */
void filingclock_reload(struct filingclock *f, struct snapshot *s);
/* Waits for what is being gathered. Accepts NULL. */
void filingclock_close(struct filingclock *f);
/*
 * In the text format of Prometheus; nothing before it was gathered for the first time, which the
 * first call begins. Waits for no file but one stat(). 0 or as buf_append(). Accepts NULL.
 */
int filingclock_stats(struct filingclock *f, struct buf *out);
/*
 * Appends a line for each thing that is overdue, but for the library; likewise, except that it
 * begins no gathering within a minute of the start.
 */
void filingclock_overdue(struct filingclock *f, struct buf *out);
