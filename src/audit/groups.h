/*
 * Interceptions that are alike: the same rule, risk and action in the same surroundings as a reader
 * who does not care for case, spacing and punctuation would see them.
 */
#pragma once

#include "audit/query.h"
#include "base/buf.h"

#define GROUPS_ROWS_MAX     20000 /* rows that are looked at */
#define GROUPS_REQUESTS_MAX 500   /* told of one group */
#define GROUPS_MAX          500   /* told, those with the most rows first */

struct groups_options {
    struct query_filter filter; /* its limit and order are set here */
    bool texts;                 /* tell contexts */
    /* Is it still to be judged? 1, 0, negative ends it all. NULL: nothing is told of it. */
    int (*is_open)(void *ctx, struct span request_id);
    void *ctx;
};

/*
 * Appends {"groups":[{rule,risk,action,direction,context,text,count,first_us,last_us,requests,
 * open}], "complete":…}. `context` and `text` are the newest row's. 0, -ENOENT: no log; -errno.
 */
int groups_write(struct span dir, const struct groups_options *o, struct buf *out);
