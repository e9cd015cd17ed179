/*
 * The filters of `juyong log`: options of the command line into a struct query_filter.
 */
#pragma once

#include "audit/query.h"
#include "casebook/casebook.h"
#include "config/config.h"

#include <argp.h>

struct logfilter {
    struct query_filter query; /* spans point into argv, or to `end_user` */
    char end_user[65];         /* the id as the record names it */
    struct casebook_wish wish; /* with query.keep: by what reviewers said */
};

/* The child of a command's argp; its input is a struct logfilter. */
extern const struct argp logfilter_argp;

/* 2026-11-24, RFC 3339 (without a zone the machine's), or 10m, 2h, 3d ago. */
bool logfilter_time(const char *text, uint64_t *ret_us);
/*
 * Turns an end user's id into what records know him by, and puts on record that `what` looks at
 * him; opens the casebook where reviews are asked about. False: a message was printed.
 */
bool logfilter_settle(struct logfilter *f, const struct config *config, struct span what);
/* Closes what logfilter_settle() opened. */
void logfilter_end(struct logfilter *f);
