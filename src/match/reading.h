/* The inside of a cursor, for this room only. */
#pragma once

#include "match/cursor.h"
#include "match/lane.h"
#include "match/set.h"
#include "match/watch.h"

/*
 * A lane for each lens that rules ask for, a watch for patterns, and what they share: the reader,
 * and complete words that wait. A word waits while an allow phrase that could cover it is still
 * growing; a slot of a near rule besides behind other slots that wait, so that slots are seen in
 * the order of the text.
 */
struct cursor {
    const struct matchset *set;
    struct watch *watch;             /* for patterns, NULL when none counts for this direction */
    struct near *near;               /* NULL when there are no near rules */
    const struct receiver *receiver; /* while feeding */
    struct explainer *saved;         /* see cursor_tell_saved(), or NULL */
    struct found *waiting;
    struct fold_reader reader;
    uint64_t watched; /* offset up to which the watch has read */
    uint64_t tried;   /* offset before which skipping is not worth a try */
    struct moment moment;
    uint32_t waiting_count, waiting_cap;
    uint8_t direction; /* bits */
    uint8_t lanes;
    struct lane lane[]; /* [lanes] */
};

/* Who is told of hits. */
struct receiver {
    cursor_hit_fn fn;
    void *ctx;
};

struct explainer {
    cursor_saved_fn fn;
    void *ctx;
};

/*
 * Behind each moment of the text: sorts out the words that are complete, and tells what is certain.
 * 0, what a hit's receiver answered, or an error.
 */
int cursor_settle(struct cursor *c);
/*
 * Reads plain text on as long as no word goes beyond its second character: what the general way
 * would do, at a fraction of its cost. 0 or what a hit of a pattern was answered with.
 */
int cursor_quick(struct cursor *c, struct span *rest);
