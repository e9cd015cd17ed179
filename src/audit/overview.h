/*
 * What went on in a span of time, from the roll-ups of the index files (audit/index.h): production
 * alone, reviewers' tests left out.
 */
#pragma once

#include "base/buf.h"

#include <stdint.h>

struct overview_filter {
    /* Wall clock; `until` 0: to now. `since` is rounded down: for up to two days to 10 minutes, for
     * up to 62 to the hour, else to a day of China; for rules, risks and held times to the hour or,
     * beyond two weeks, to the day. What began before `until` is told whole. */
    uint64_t since_us, until_us;
    struct span app; /* empty: all */
};

/*
 * Appends the members of GET /api/overview's object, without its braces and without `reviews`:
 *
 *   step_us, buckets:[{at_us,requests,allow,flag,mask,answer,block,held_us}] (none where nothing
 *   was), risks:[{risk,flag,mask,answer,block}] by hits, apps:[{app,requests,allow…block}],
 *   models:[{model,requests,allow…block}], rules:[{rule,risk,count}] the 50 first,
 *   held:{p50_us,p95_us} of what was held at all, complete (the index has all of that time)
 *
 * held_us of a bucket is the sum over its requests. 0; -ENOENT: no log; -errno. O(roll-ups).
 */
int overview_write(struct span dir, const struct overview_filter *f, struct buf *out);

/*
 * How often each rule hit since then, rounded down to the hour: `fn` is told a part of a rule's
 * number for each month. 0, also without a log or where the index is still being made; -errno.
 * O(roll-ups).
 */
typedef void (*overview_rule_fn)(void *ctx, struct span rule, uint64_t count);
int overview_rules(struct span dir, uint64_t since_us, overview_rule_fn fn, void *ctx);
