/*
 * Sums over closed exchanges, gathered in memory and added to an index file's tables once a batch.
 */
#pragma once

#include "audit/entry.h"
#include "audit/known.h"
#include "audit/names.h"

#define ROLLUP_SUMS   512
#define ROLLUP_STEP_S 600  /* of requests over time */
#define ROLLUP_HOUR_S 3600 /* of held times and of rules */

struct rollup_sum {
    enum { ROLLUP_REQUESTS, ROLLUP_HELD } table;
    int64_t key[5], n, us;
};

struct rollup {
    struct db_stmt *requests, *held, *caught;
    struct rollup_sum sums[ROLLUP_SUMS];
    size_t count;
};

int rollup_open(struct rollup *r, struct db *db);
void rollup_close(struct rollup *r);
/* An exchange ended. 0 or negative. */
int rollup_add_close(struct rollup *r, struct names *n, const struct known *k,
                     const struct entry *e);
/* Something was caught: each rule of the record once, and each risk once. 0 or negative. */
int rollup_add_act(struct rollup *r, struct names *n, const struct known *k, const struct entry *e);
/* Before the commit. */
int rollup_flush(struct rollup *r);
/* After a rollback. */
void rollup_reset(struct rollup *r);

/* Classes of durations: four to each doubling. */
unsigned rollup_class(uint64_t us);
/* The shortest duration of a class. */
uint64_t rollup_class_from(unsigned class);
