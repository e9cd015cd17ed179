/*
 * Does the library meet the standard's minima? A table for people, and a line of JSON for each
 * type: for `juyong rules stats` and `juyong filing coverage`.
 */
#pragma once

#include "filing/library.h"

/* When a type's rules last changed; Unix seconds, 0: unknown. */
typedef int64_t (*coverage_changed)(void *ctx, const struct risk *risk);

struct coverage {
    const struct library *library;
    struct span version;
    int64_t now;
    coverage_changed changed; /* NULL: unknown of all */
    void *ctx;
    /* Only these; NULL: all. */
    bool (*wanted)(void *wanted_ctx, const struct risk *risk);
    void *wanted_ctx;
    const char *good, *bad, *off; /* colours; "" for none */
};

/* Appends the table, with its legend and totals. 0, -ENOMEM, -EMSGSIZE. */
int coverage_table(const struct coverage *c, struct buf *out);
/* Appends one object a type, and one for all with "risk":"*" unless `wanted` is set. */
int coverage_json(const struct coverage *c, struct buf *out);
/* Are the minima met, and each of the standard's types brought up to date in time where known? */
bool coverage_is_met(const struct coverage *c);

/* What is asked about a library as it is. */
struct coverage_question {
    const struct config *config;
    const struct ruleset *rules;
    const struct config_app *app;                       /* whose policy says what intercepts */
    bool json;                                          /* coverage_json(), else coverage_table() */
    bool (*wanted)(void *ctx, const struct risk *risk); /* NULL: all types */
    void *ctx;
    const char *good, *bad, *off; /* colours */
};
/*
 * Reads the journal for when types last changed, and appends the answer. 0 with whether all is met;
 * without a journal that can be read the rest is told all the same, with a message. -ENOMEM,
 * -EMSGSIZE. As changes_read() in cost.
 */
int coverage_tell(const struct coverage_question *q, struct buf *messages, struct buf *out,
                  bool *ret_met);
