/*
 * Strikes: intercepted prompts, counted per end user of an app, and what follows from their number.
 * One table for all workers, bounded, and one file that it is read from at start.
 *
 * Counting and recording are one step, so that the order of counts is the order of records: lock,
 * look, change a copy, put it, submit the event that carries it, unlock; put the old one back when
 * the event could not be submitted. The log's writer makes the change durable with that event.
 */
#pragma once

#include "audit/audit.h"

struct strikes;

enum strike_state {
    STRIKE_CLEAR,
    STRIKE_WARN,    /* refusals say what is coming */
    STRIKE_LIMIT,   /* one prompt now and then */
    STRIKE_SUSPEND, /* none */
    STRIKE_STATES,
};
const char *strike_state_name(enum strike_state s);

/* Numbers of 0 never lead to anything. Durations are seconds. */
struct strike_rules {
    unsigned consecutive, per_day;             /* from which a user is suspended */
    unsigned limit_consecutive, limit_per_day; /* from which a user is limited */
    int64_t suspend_s, limit_s;
};

#define STRIKE_APP_SIZE 64
#define STRIKE_FOREVER  INT64_MAX
#define STRIKE_APPEALED (1u << 0) /* the user has appealed, nobody has decided yet */
#define STRIKE_BY_HAND  (1u << 1) /* an operator suspended the user */

/* What is known of one end user, as in the file: no padding. Times are Unix seconds. */
struct strike_entry {
    unsigned char end_user[32];             /* the HMAC */
    char app[STRIKE_APP_SIZE];              /* its name, filled up with zeros */
    int64_t suspended_until, limited_until; /* 0: not */
    int64_t last;                           /* strike or act of an operator */
    int32_t day;                            /* of China, since 1970, that `today` is about */
    uint32_t today, consecutive, total;     /* strikes */
    uint32_t flags;
    uint32_t zero;
};

/* A new entry for that user, `end_user` being 64 hex digits. False: it is none, or the app's name
 * is too long. */
bool strike_entry_init(struct strike_entry *e, struct span app, struct span end_user);
struct span strike_entry_app(const struct strike_entry *e);

/* --- what happens to an entry; the entry is changed and nothing else --- */

/* One prompt more was intercepted. */
void strike_count(struct strike_entry *e, const struct strike_rules *rules, int64_t now);
/* A prompt was let through. True when that changes something. */
bool strike_pass(struct strike_entry *e, int64_t now);
/* An operator clears it: nothing counts any more. */
void strike_lift(struct strike_entry *e, int64_t now);
void strike_suspend(struct strike_entry *e, int64_t now, int64_t until);
void strike_appeal(struct strike_entry *e, int64_t now, bool open);
/* The state at that time and, where it ends by itself, when; 0 else. */
enum strike_state strike_state_at(const struct strike_entry *e, int64_t now, int64_t *ret_until);
/* Strikes on that day. */
unsigned strike_today(const struct strike_entry *e, int64_t now);

/* --- the table --- */

/*
 * Reads state_dir/strikes.bin under the key state_dir/keys/strike.key; both are made when they are
 * absent. A torn end is cut off; a damaged file is put aside as strikes.bin.bad and what is whole
 * in it kept, with a warning. `readonly` takes no lock and changes nothing: for who only looks. 0
 * or -errno, message logged: -EBUSY when another process has them, -ENOENT (readonly). O(entries).
 */
int strikes_open(struct span state_dir, size_t max, bool readonly, struct strikes **ret_strikes);
/* Accepts NULL. */
void strikes_close(struct strikes *t);

/* Any thread. Held for the length of a submission. */
void strikes_lock(struct strikes *t);
void strikes_unlock(struct strikes *t);
/*
 * Under the lock: copies what is known of that user into *e, whose names are set. False: nothing
 * is. O(1).
 */
bool strikes_find(const struct strikes *t, struct strike_entry *e);
/* Under the lock: what is known from now on. The longest unchanged give way, the suspended last. */
void strikes_put(struct strikes *t, const struct strike_entry *e);
/*
 * Under the lock: may a limited user's prompt go on, one in `pace_s` seconds? 0 takes the turn,
 * which no restart remembers; else the seconds until it is his.
 */
int64_t strikes_take_turn(struct strikes *t, const struct strike_entry *e, int64_t pace_s,
                          int64_t now);
/* Under the lock, each entry, the longest unchanged first. */
void strikes_each(const struct strikes *t, void (*fn)(void *ctx, const struct strike_entry *e),
                  void *ctx);

/* --- the writer's thread --- */

/* That event is on record: strikes_sync() will write the entry. Unaligned. */
void strikes_save(struct strikes *t, struct span entry);
/* That event never will be: what was last saved of this user counts again. */
void strikes_revert(struct strikes *t, struct span entry);
/* 0 or -errno, message logged: then it is in memory, and the next call writes the file anew. */
int strikes_sync(struct strikes *t);
