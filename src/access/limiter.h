/*
 * How much apps, their keys and their end users have asked for, and may still: requests and tokens
 * in a minute and a day, exchanges at once. One for the whole process: all workers count in it,
 * under one lock an app, so that limits are exact to the request whoever serves it.
 *
 * A minute is the 60 s from the first request that counts on: whoever keeps to the limit in every
 * minute is never refused, and no 60 s see more than twice the limit. A day is China's.
 *
 * Tokens are known when an answer is over. A request is counted with an estimate of its prompt
 * while it runs, and with what it was then; so answers that were under way when the limit was
 * reached still go over it. A first request of a minute or day is let through whatever its size.
 */
#pragma once

#include "config/config.h"

struct limiter;
struct limit_app; /* one app's counts; lives as long as the limits, over every reload */

struct limiter *limiter_new(void);
/* No hold may be left. Accepts NULL. */
void limiter_free(struct limiter *l);
/* The counts of that app, made when there are none. Any thread. NULL when memory is out. */
struct limit_app *limiter_app(struct limiter *l, struct span name);
/* End users that were forgotten to make room for others. Any thread. */
uint64_t limiter_forgotten(const struct limiter *l);

struct limit_time {
    uint64_t mono_ms;
    int64_t wall_s;
};

enum limit_scope { LIMIT_APP, LIMIT_KEY, LIMIT_END_USER, LIMIT_SCOPES };
enum limit_kind { LIMIT_NONE, LIMIT_REQUESTS, LIMIT_TOKENS, LIMIT_CONCURRENT, LIMIT_MEMORY };

/* What is left of the limit that is closest to being reached. */
struct limit_gauge {
    size_t limit; /* 0: there is none */
    size_t remaining;
    uint64_t reset_ms; /* until it is whole again */
};

struct limit_verdict {
    enum limit_kind kind; /* LIMIT_NONE: let through */
    enum limit_scope scope;
    bool day;         /* of a day, not of a minute */
    bool first;       /* nobody was told of this subject's limit in the last minute */
    uint64_t wait_ms; /* until it is worth another try */
    struct limit_gauge requests, tokens;
};

struct limit_ask {
    const struct config_app_limits *limits;
    struct span key, end_user; /* borrowed; at most 64 bytes count */
    size_t tokens;             /* estimate of the prompt */
    struct limit_time now;
};

/* What a running exchange holds. All zero: nothing. */
struct limit_hold {
    struct limit_app *app;
    struct limit_counter *counters[LIMIT_SCOPES]; /* NULL: not counted */
    uint64_t minutes[LIMIT_SCOPES];               /* and days: in which it was counted */
    int64_t days[LIMIT_SCOPES];
    size_t tokens;
};

/*
 * Counts a request, in all scopes or in none; with `hold` NULL it is only asked whether it would
 * be. O(1), some 100 ns. True: *hold must be given to limiter_release(). *ret_verdict tells either
 * way.
 */
bool limiter_acquire(struct limit_app *app, const struct limit_ask *ask, struct limit_hold *hold,
                     struct limit_verdict *ret_verdict);
/* The exchange is over and took that many tokens. A second call changes nothing. */
void limiter_release(struct limit_hold *hold, size_t tokens, struct limit_time now);

/*
 * Counts of the day that survive a restart: state_dir/limits, replaced whole. Only those that a
 * limit of a day asks for; of very many end users (64 MiB) the rest begin anew. limiter_save() does
 * nothing when nothing was counted since the last one. 0 or -errno.
 */
int limiter_save(struct limiter *l, struct span state_dir, int64_t wall_s);
/*
 * Before the first request. What can't be read begins anew, with a message; 0, or -ENOMEM.
 */
int limiter_restore(struct limiter *l, struct span state_dir, int64_t wall_s, struct buf *messages);
