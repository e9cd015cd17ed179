/*
 * What a running gateway serves, told through the store: state_dir/rules/serving, replaced at each
 * change, while its writer holds a lock on serving.lock. So a command that publishes can wait for
 * it, and never waits for one that is gone.
 */
#pragma once

#include "rules/ruleset.h"

struct serving; /* the gateway's side */

/* 0; -EBUSY: another one runs on this vault; -errno. */
int serving_open(struct span state_dir, struct serving **ret_serving);
/* Accepts NULL. Removes what was told. */
void serving_close(struct serving *s);
/*
 * Serves that set. `refused` (empty: none) is the digest of a version that could not be taken, and
 * why. 0 or -errno.
 */
int serving_tell(struct serving *s, const struct ruleset *set, struct span refused,
                 struct span why);

struct serving_state {
    bool running; /* a gateway holds the lock; else nothing below counts */
    int pid;
    char version[RULE_VERSION_SIZE]; /* as in its records */
    char digest[RULE_DIGEST_SIZE];   /* "": it has told nothing yet */
    char refused[RULE_DIGEST_SIZE];  /* "": none */
    char why[512];
};
/* O(1). Where there is no store, nothing runs. */
void serving_look(struct span state_dir, struct serving_state *ret_state);
/* Does a gateway serve that digest as a published version? */
bool serving_serves(const struct serving_state *st, struct span digest);
/* Looks until a gateway serves or refuses that digest, none runs, or the time is over. */
void serving_wait(struct span state_dir, struct span digest, unsigned wait_ms,
                  struct serving_state *ret_state);
/* In a word how a gateway stands to it: "none" runs, it "serves", it "refused", it is "late". */
const char *serving_word(const struct serving_state *st, struct span digest);
