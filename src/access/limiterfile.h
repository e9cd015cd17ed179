/*
 * What limiter.c counts and limiterfile.c keeps over a restart. Private to this room.
 */
#pragma once

#include "access/limiter.h"
#include "access/subject.h"

#include <pthread.h>
#include <stdatomic.h>

#define LIMIT_DAY_S   86400
#define LIMIT_CHINA_S (8 * 3600) /* ahead of UTC */

struct limit_app {
    struct limit_app *next;
    struct limiter *limiter;
    pthread_mutex_t lock;
    struct limit_counter all;
    struct subjects keys, end_users;
    bool days[LIMIT_SCOPES]; /* a limit of a day was asked about: worth saving */
    char name[65];
};

struct limiter {
    pthread_mutex_t lock; /* of the list */
    struct limit_app *apps;
    atomic_bool changed; /* since it was saved */
    bool saved;          /* there is a file */
};

/* Reads such a file's text: what limiter_restore() does with it. */
int limiter_read(struct limiter *l, struct span text, struct place at, int64_t wall_s,
                 struct buf *messages);

/* The day of China, since 1970. */
static inline int64_t limit_day(int64_t wall_s)
{
    return (wall_s + LIMIT_CHINA_S) / LIMIT_DAY_S;
}
