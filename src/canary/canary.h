/*
 * The canary: proves, again and again, that what is in force intercepts. Known phrases go through
 * each app's route in both directions, through a gate of its own that differs from the workers' in
 * two things only: its upstreams are a stand-in on this machine, and nothing that it does enters
 * the log or the statistics. It shares their snapshot: the very rules, policies and configuration.
 *
 * What goes through: an innocent text, which must pass; the phrase of the rule that the loader made
 * up (rules/canary.c), in a prompt, an answer, and an answer that is streamed a character an event;
 * and keywords of the library in force, drawn anew for each run.
 *
 * Runs on one loop, a probe at a time.
 */
#pragma once

#include "base/loop.h"
#include "gate/snapshot.h"

struct canary;

/* What a run came to. Lent for the call. */
struct canary_report {
    bool passed;
    bool recovered;                  /* passed, and the run before had missed */
    const struct snapshot *snapshot; /* what was proven */
    unsigned apps, probes, missed;
    struct span words;  /* ids of the keywords that were drawn, with commas */
    struct span misses; /* one line each: app, model, direction, what was wrong */
};

struct canary_options {
    struct loop *loop;
    struct snapshot *snapshot; /* a reference is taken */
    /* A run has ended; canary_status() says the same. May be NULL. */
    void (*told)(void *ctx, const struct canary_report *report);
    void *ctx;
};

/* Begins the first run. 0 or -errno. */
int canary_new(const struct canary_options *o, struct canary **ret_canary);
/* Something new is in force: a run of it begins, in place of one that is under way. */
void canary_reload(struct canary *c, struct snapshot *s);

enum canary_state {
    CANARY_PENDING, /* no run has ended yet */
    CANARY_PASSED,  /* the last one */
    CANARY_MISSED,
};
struct canary_status {
    enum canary_state state;
    uint64_t runs, missed_runs, probes; /* since the start */
    uint64_t at_us;                     /* wall clock of the end of the last run; 0: none yet */
    unsigned last_probes, last_missed;  /* of that run */
    struct span misses;                 /* of the last run; lent until the next ends */
};
void canary_get_status(const struct canary *c, struct canary_status *ret_status);

/* Begins to end; nothing is told any more. */
void canary_stop(struct canary *c);
/* May it be freed? Some turns of the loop after canary_stop(). NULL: yes. */
bool canary_stopped(const struct canary *c);
void canary_free(struct canary *c);
