/*
 * The threads: one worker = one thread = one loop = one gate, share-nothing. What they are told
 * from outside (a new snapshot, drain) travels through a mailbox and a wake-up.
 */
#pragma once

#include "gate/gate.h"

struct complaint_taker;
struct worker_pool;

struct worker_pool_options {
    unsigned count;
    struct audit *audit;
    struct limiter *limiter;                  /* NULL: nothing is limited */
    struct reviewers *reviewers;              /* NULL: nobody is one */
    const struct complaint_taker *complaints; /* outlives the pool; NULL: none are taken */
    struct snapshot *snapshot;
    /* Called from the last worker's thread when every one has drained. */
    void (*drained)(void *ctx);
    void *ctx;
};

/* Starts the workers; all of them listen when it returns. 0 or -errno, message logged. */
int worker_pool_new(const struct worker_pool_options *o, struct worker_pool **ret_pool);
/* New exchanges of every worker use this snapshot. Any thread. Takes references. */
void worker_pool_reload(struct worker_pool *p, struct snapshot *s);
/* Has every worker taken what worker_pool_reload() was told last? Any thread. */
bool worker_pool_settled(struct worker_pool *p);
/* Begins to drain. Any thread. */
void worker_pool_drain(struct worker_pool *p);
/* Joins the threads; they must have drained. Accepts NULL. */
void worker_pool_free(struct worker_pool *p);
/* The port, for configurations that leave it to the system. */
uint16_t worker_pool_port(const struct worker_pool *p);
unsigned worker_pool_count(const struct worker_pool *p);
const struct metrics *worker_pool_metrics(const struct worker_pool *p, unsigned index);
