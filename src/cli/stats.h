/*
 * What /metrics says, in the text format of Prometheus: the workers' metrics, and the state of what
 * they share. Documented in console/README.md.
 */
#pragma once

#include "access/limiter.h"
#include "alert/alert.h"
#include "canary/canary.h"
#include "cli/filingclock.h"
#include "cli/keeper.h"
#include "worker/worker.h"

struct stats_sources {
    const struct worker_pool *pool;
    const struct audit *audit;
    const struct limiter *limiter;
    struct keeper *keeper;
    struct filingclock *filing; /* NULL: none */
    const struct canary *canary;
    const struct alerts *alerts; /* NULL: none */
    const struct ruleset *rules;
    unsigned weakenings; /* settings that weaken protection */
};

/* The metrics of every worker; returns their number. O(workers). */
#define STATS_WORKERS 256
size_t stats_workers(const struct worker_pool *pool, const struct metrics *ret[STATS_WORKERS]);
/* 0, -EMSGSIZE, -ENOMEM. */
int stats_print(const struct stats_sources *from, struct buf *out);
