/* Which rules a running gateway serves, told to the decision log and to commands that publish. */
#pragma once

#include "audit/audit.h"
#include "gate/snapshot.h"
#include "rules/serving.h"

struct announce {
    struct audit *audit;
    struct serving *serving; /* NULL: nobody waits */
};

/*
 * These rules are served from now on: a record with who put them in force, and a word to the
 * command that waits. `act`: start, reload, or publish when only the rules are new.
 */
void announce_rules(const struct announce *a, const struct snapshot *s, struct span act);
/* Since when these rules are in force, as the journal tells, in microseconds of the wall clock; 0:
 * it doesn't. Reads the disk. */
int64_t announce_since(const struct snapshot *s);
/* `s` stays in force: the published version, if it is another, was not taken, and why. */
void announce_refusal(const struct announce *a, const struct snapshot *s,
                      const struct buf *messages);
