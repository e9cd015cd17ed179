/* How often rules hit of late, and how often reviewers called that wrong. */
#pragma once

#include "base/arena.h"
#include "console/api.h"

struct hits {
    struct arena arena;
    struct hit_count {
        struct span rule;
        uint64_t count, false_positive;
    } * list; /* sorted by rule */
    size_t count, cap;
};

#define HITS_DAYS 7

/* Of the last HITS_DAYS days, production alone. 0 or negative; then hits_deinit(). */
int hits_read(const struct api *api, struct hits *ret_hits);
void hits_deinit(struct hits *h);
/* Zeros for a rule that did not hit. O(log n). */
struct hit_count hits_of(const struct hits *h, struct span rule);
