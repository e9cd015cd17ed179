/*
 * The subjects of one kind that an app's limits tell apart, by name: keys, or end users. Those that
 * run nothing are forgotten, longest away first, where there are too many. Private to this room;
 * whoever calls holds the app's lock.
 */
#pragma once

#include "base/list.h"
#include "base/span.h"

#include <stdbool.h>
#include <stdint.h>

#define SUBJECT_NAME_MAX 64

struct limit_counter {
    bool counting;      /* a minute is under way */
    bool told;          /* somebody was told of a limit, at told_ms */
    uint64_t minute_ms; /* its beginning */
    uint64_t told_ms;
    int64_t day; /* days since 1970 in China */
    size_t minute_requests, minute_tokens, day_requests, day_tokens;
    size_t running;
};

struct subject {
    struct limit_counter counter; /* first, so that it leads back */
    struct list link;             /* idle ones, longest away first */
    struct subject *next;         /* in its bucket */
    unsigned char name_len;
    char name[SUBJECT_NAME_MAX];
};

struct subjects {
    struct subject **buckets;
    size_t mask, count;
    struct list idle;
    uint64_t forgotten;
};

void subjects_init(struct subjects *s);
void subjects_deinit(struct subjects *s);
/*
 * The subject of that name; made when there is none, forgetting idle ones while there are `max`.
 * NULL when that many are running, or memory is out. O(1).
 */
struct subject *subjects_get(struct subjects *s, struct span name, size_t max);
/* The same without making one. */
struct subject *subjects_find(const struct subjects *s, struct span name);
/* It begins to run something, or has ended the last. */
void subjects_busy(struct subjects *s, struct subject *e);
void subjects_idle(struct subjects *s, struct subject *e);
