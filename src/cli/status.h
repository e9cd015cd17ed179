/*
 * How a running gateway is: what its console tells at /metrics and /readyz, and what weakens it.
 */
#pragma once

#include "alert/alert.h"
#include "canary/canary.h"
#include "cli/filingclock.h"
#include "cli/keeper.h"
#include "cli/reload.h"
#include "cli/reviewing.h"
#include "cli/tally.h"
#include "console/console.h"
#include "worker/worker.h"

/* What it is told from, borrowed; all is set once the gateway serves. */
struct status {
    struct snapshot *snapshot; /* in force */
    struct audit *audit;
    struct tally *tally;
    struct worker_pool *pool;
    struct canary *canary;
    struct reviewing *reviewing;
    struct keeper *keeper;
    struct filingclock *filing;
    struct alerts *alerts;
    bool stopping;
    struct buf library_weak; /* what the library lacks, and the policy lets through */
    unsigned library_lines;
    struct {
        unsigned met, asked, total, needed; /* as library_read() counts */
        unsigned days;                      /* how often it is to be brought up to date */
        bool sufficient;
        int64_t since_us; /* in force; 0: unknown */
    } library;
    struct reload *reload;
};

/* Counted once for each library, when its snapshot comes into force: a large one takes a moment. */
void status_count_library(struct status *s);
/*
 * What weakens, a line each: by configuration, by what the library lacks and the policy lets
 * through, and as it came out since the start. Returns their number.
 */
unsigned status_weak_lines(struct status *s, struct buf *out);
/* For the console; its context is the struct status. */
extern const struct console_ops status_console;
