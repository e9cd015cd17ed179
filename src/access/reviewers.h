/*
 * Reviewers' test accounts. The authority that reviews a filing may ask for two: one that meets the
 * service as its users do, and one that meets it without the gateway's interference, so that the
 * model itself can be judged. Each is bound to a key or to an end user whom a trusted front names,
 * is made by two persons, ends on a day, and has a number of requests a day.
 *
 * state_dir/reviewers.jsonl tells what was done, one JSON object a line, append-only, each line
 * carrying the hash of the one before. The hash of a line is the SHA-256 of its bytes before
 * `,"hash":"`. A last line without its end is none.
 */
#pragma once

#include "base/buf.h"

#include <stdint.h>

enum reviewer_purpose {
    REVIEWER_NONE,    /* production */
    REVIEWER_ENFORCE, /* everything is enforced, whatever the app's mode */
    REVIEWER_OBSERVE, /* judged and recorded, and nothing is refused, masked or cut */
    REVIEWER_PURPOSES,
};
/* "regulator-enforce", "regulator-observe"; empty for none. */
struct span reviewer_purpose_name(enum reviewer_purpose p);
enum reviewer_purpose reviewer_purpose_from(struct span name);

enum reviewer_state {
    REVIEWER_PROPOSED, /* waits for the second person: in force nowhere */
    REVIEWER_IN_FORCE,
    REVIEWER_EXPIRED,
    REVIEWER_REVOKED,
};
const char *reviewer_state_name(enum reviewer_state s);

#define REVIEWER_ID_SIZE 16

struct reviewer {
    char id[REVIEWER_ID_SIZE]; /* rv-1, rv-2, ... */
    enum reviewer_purpose purpose;
    struct span key;         /* id of a key; or empty */
    struct span end_user;    /* HMAC, 64 hex digits; or empty */
    struct span filing;      /* the case that it is for */
    unsigned daily;          /* requests */
    int64_t expires;         /* Unix seconds */
    int64_t revoked_us;      /* wall clock; 0: it isn't */
    struct span author, why; /* who proposed it */
    int64_t created_us;
    struct span approver; /* empty: nobody yet */
    int64_t approved_us;
    struct span revoker;
};
enum reviewer_state reviewer_state_at(const struct reviewer *r, int64_t now);

#define REVIEWERS_MAX 256

/* --- for commands: each under the file's lock, durable when it returns --- */

struct reviewer_act {
    struct span state_dir;
    struct span author, login, why;
    struct buf *messages; /* gets one line that says why not */
};
/* What is to be made: purpose, key or end_user, filing, daily, expires. 0; -EINVAL or -errno. */
int reviewers_propose(const struct reviewer_act *a, const struct reviewer *wanted,
                      char ret_id[REVIEWER_ID_SIZE]);
/* By somebody else than who proposed it. */
int reviewers_approve(const struct reviewer_act *a, struct span id);
/* At once, by one person, in any state but revoked. */
int reviewers_revoke(const struct reviewer_act *a, struct span id);

/* --- for the gateway and for lists --- */

struct reviewers;

/* A file that is not there holds none. 0; -EBADMSG when it was changed; -errno; with messages. */
int reviewers_open(struct span state_dir, struct buf *messages, struct reviewers **ret_reviewers);
void reviewers_close(struct reviewers *r);
/*
 * Takes over what was written since. 1: it did; 0: nothing new; negative as reviewers_open(), after
 * which no account is in force until the file can be read again. Any thread.
 */
int reviewers_refresh(struct reviewers *r);
/* The accounts, oldest first, until it returns nonzero. Under the lock: short. */
int reviewers_each(struct reviewers *r, int (*fn)(void *ctx, const struct reviewer *account),
                   void *ctx);
/* How many are in force, and the hash of the last line ("" for none). */
struct reviewers_summary {
    unsigned enforce, observe, lines;
    char head[65];
};
void reviewers_summary(struct reviewers *r, int64_t now, struct reviewers_summary *ret_summary);

/*
 * Is that key, or that end user (HMAC), an account's, so that it is served at the reviewers'
 * address alone? A key for good, once it was approved; an end user while his account is in force.
 * Either may be empty. Any thread; O(1) while there is no account, else O(accounts).
 */
bool reviewers_bound(struct reviewers *r, struct span key, struct span end_user, int64_t now);

/* Is there any account at all, in whatever state? O(1), without a lock. */
bool reviewers_any(const struct reviewers *r);

enum reviewer_verdict {
    REVIEWER_UNKNOWN, /* no account, or none that is in force */
    REVIEWER_SERVED,
    REVIEWER_SPENT, /* as often as it may today */
};
struct reviewer_grant {
    enum reviewer_purpose purpose;
    char id[REVIEWER_ID_SIZE];
};
/*
 * Counts one request, unless `free`, of who bears that key or is that end user. Exact over threads;
 * counts outlive the process (state_dir/reviewers.day). Days are China's. Any thread.
 */
enum reviewer_verdict reviewers_admit(struct reviewers *r, struct span key, struct span end_user,
                                      bool free, int64_t now, struct reviewer_grant *ret_grant);
