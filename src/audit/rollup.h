/*
 * Sums over closed exchanges, gathered in memory and added to an index file's tables once a batch:
 * by short steps for what is near and long ones for what is far, so that half a year is summed up
 * as fast as a day.
 *
 *   roll     requests and held times, by 10 minutes, hour and day
 *   held     durations by their classes, by hour and day
 *   caught   hits, by hour and day; of a day's rules neither direction nor action are told
 */
#pragma once

#include "audit/entry.h"
#include "audit/known.h"
#include "audit/names.h"

#define ROLLUP_SUMS   512
#define ROLLUP_STEP_S 600
#define ROLLUP_HOUR_S 3600
#define ROLLUP_DAY_S  86400 /* of China */

struct rollup_sum {
    enum { ROLLUP_REQUESTS, ROLLUP_HELD } table;
    int64_t key[5], n, us; /* key[0]: the time, by the shortest step */
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

/* When the step began that a time is in: seconds. */
int64_t rollup_floor(int64_t time_s, int64_t step_s);

/* Classes of durations: four to each doubling. */
unsigned rollup_class(uint64_t us);
/* The shortest duration of a class. */
uint64_t rollup_class_from(unsigned class);
