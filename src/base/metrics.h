/*
 * Counters and gauges of one worker: written by its thread alone, read by any. One table
 * (base/metrics.c) names them for Prometheus.
 */
#pragma once

#include "base/buf.h"

#include <stdatomic.h>
#include <stdint.h>

enum metric {
    METRIC_REQUESTS,     /* exchanges begun */
    METRIC_ACTION_ALLOW, /* exchanges by their final action, in the order of enum action */
    METRIC_ACTION_FLAG,
    METRIC_ACTION_MASK,
    METRIC_ACTION_ANSWER,
    METRIC_ACTION_BLOCK,
    METRIC_OUTCOME_COMPLETE, /* exchanges by outcome, in the order of enum outcome */
    METRIC_OUTCOME_REFUSED,
    METRIC_OUTCOME_CUT,
    METRIC_OUTCOME_REJECTED,
    METRIC_OUTCOME_UPSTREAM,
    METRIC_OUTCOME_TRUNCATED,
    METRIC_OUTCOME_CLIENT_GONE,
    METRIC_OUTCOME_TIMEOUT,
    METRIC_OUTCOME_INTERNAL,
    METRIC_REJECTED_FRAMING, /* refused before an exchange began */
    METRIC_REJECTED_AUTH,
    METRIC_REJECTED_ROUTE,
    METRIC_REJECTED_LIMIT, /* too much was asked for */
    METRIC_EVENTS,         /* stream events read from upstreams */
    METRIC_BYTES_PROMPT,   /* judged text */
    METRIC_BYTES_COMPLETION,
    METRIC_HELD_EVENTS,             /* events that could not be forwarded at once */
    METRIC_ACTIVE,                  /* gauge: exchanges in flight */
    METRIC_STREAMS,                 /* gauge: of those, streams being relayed */
    METRIC_HISTORY,                 /* requests forwarded with notices in place of old offences */
    METRIC_MODEL_DIFFERS,           /* answers that name another model than was asked for */
    METRIC_PROVIDER_REFUSED_ANSWER, /* the provider's own filter, in an answer */
    METRIC_PROVIDER_REFUSED_ERROR,  /* and as an error */
    METRIC_STRIKES,                 /* intercepted prompts that counted for an end user */
    METRIC_SUSPENDED,          /* requests refused because their end user is limited or suspended */
    METRIC_OPINIONS,           /* second opinions that were given or failed */
    METRIC_OPINIONS_TOO_LONG,  /* texts that were not, or not wholly, asked about */
    METRIC_OPINIONS_FAILED,    /* of those, without a usable answer */
    METRIC_RETRACTIONS,        /* answers taken back after text was shown */
    METRIC_RETRACTIONS_TOLD,   /* of those, the messages that the app's service took */
    METRIC_RETRACTIONS_UNTOLD, /* and those that were given up */
    METRIC_RELOADS,
    METRIC_COUNT,
};

struct series; /* base/series.h: those with labels */

struct metrics {
    _Atomic uint64_t values[METRIC_COUNT];
    _Atomic(struct series *) series; /* NULL until the first */
};

static inline void metrics_add(struct metrics *m, enum metric which, int64_t n)
{
    /* One writer: a plain load and store is enough, and cheaper than a locked add. */
    uint64_t v = atomic_load_explicit(&m->values[which], memory_order_relaxed);
    atomic_store_explicit(&m->values[which], v + (uint64_t)n, memory_order_relaxed);
}

static inline uint64_t metrics_get(const struct metrics *m, enum metric which)
{
    return atomic_load_explicit(&m->values[which], memory_order_relaxed);
}

/* Appends the sum over `count` workers in Prometheus' text format. 0, -EMSGSIZE, -ENOMEM. */
int metrics_print(const struct metrics *const *all, size_t count, struct buf *out);
