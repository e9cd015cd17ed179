/*
 * Metrics with labels, and histograms: written by one worker's thread, read by any. Labels are
 * names that an operator wrote (apps, models, upstreams) or that the program knows (risks,
 * actions), never a client's text, so their number is bounded; beyond SERIES_MAX of one worker the
 * rest is counted together, with "other" for each label.
 */
#pragma once

#include "base/metrics.h"

enum series_family {
    SERIES_INTERCEPTIONS, /* app, risk, direction, action: findings on record */
    SERIES_APP_EXCHANGES, /* app, action: exchanges by their final action */
    SERIES_JUDGE,         /* microseconds spent judging one exchange */
    SERIES_HELD,          /* the longest that an event of a stream was held, microseconds */
    SERIES_TOKENS,        /* operation, provider, model, token type: tokens of one exchange */
    SERIES_OPERATION,     /* operation, provider, model, error: microseconds until the upstream's
                             last byte */
    SERIES_REQUEST,       /* the same: microseconds until the client had its answer */
    SERIES_FIRST_TOKEN,   /* operation, provider, model: until the first byte of an answer */
    SERIES_FAMILIES,
};
#define SERIES_LABELS_MAX 4
#define SERIES_MAX        2048 /* of one worker */
#define SERIES_VALUE_MAX  96   /* bytes of a label's value; longer ones are cut */

/*
 * Counts `n` of that family; labels in the order above, as many as it has. Where memory is out
 * nothing is counted. O(length of the labels): some 200 ns, without a lock; see
 * tests/bench/metrics.c.
 */
void series_count(struct metrics *m, enum series_family f, const struct span *labels, uint64_t n);
/* The same for one value of a histogram. */
void series_observe(struct metrics *m, enum series_family f, const struct span *labels,
                    uint64_t value);
/* Appends all families, summed over the workers. 0, -EMSGSIZE, -ENOMEM. O(series · log). */
int series_print(const struct metrics *const *all, size_t count, struct buf *out);
/* The sum of the counters whose labels fit. */
uint64_t series_sum(const struct metrics *const *all, size_t count, enum series_family f,
                    bool (*fits)(void *ctx, const struct span *labels), void *ctx);
/* Frees what a worker's metrics hold; nobody may read them any more. */
void series_free(struct metrics *m);
/* A label's value as Prometheus wants it: backslash, quote and line feed escaped. */
int series_escape(struct buf *out, struct span value);
