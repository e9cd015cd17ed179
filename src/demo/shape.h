/* OpenAI's answer objects, written from steps. Functions append to `out`: 0, -EMSGSIZE, -ENOMEM. */
#pragma once

#include "demo/ask.h"
#include "demo/delta.h"

struct shape {
    const struct ask *ask;
    struct span model;    /* as the answer names it */
    uint64_t serial, now; /* now: seconds */
    bool logprobs;
    bool cumulative; /* each step repeats the text so far, as some upstreams do */
};

/* The payload of the event that step `i` of the list makes. O(i) when cumulative. */
int shape_event(const struct shape *s, const struct delta_list *l, size_t i, struct buf *out);
/* The event with usage and without choices. */
int shape_usage_event(const struct shape *s, const struct delta_list *l, struct buf *out);
/* The whole answer, not streamed. */
int shape_whole(const struct shape *s, const struct delta_list *l, struct buf *out);
