/*
 * What people decide about an end user: lift, suspend, take an appeal, deny it. The command and the
 * console have it carried out here, by the process that holds the log.
 */
#pragma once

#include "audit/strikes.h"

enum verdict {
    USER_LIFT, /* nothing counts any more */
    USER_SUSPEND,
    USER_APPEAL, /* the user has appealed */
    USER_DENY,   /* the appeal; what holds the user goes on holding */
    USER_VERDICTS,
};
/* lift, suspend, appeal, deny. */
const char *verdict_name(enum verdict v);
/* USER_VERDICTS when it is none. */
enum verdict verdict_from(struct span name);
/* The reason of its records: user_lift and so on. */
const char *verdict_code(enum verdict v);

struct verdict_act {
    enum verdict verdict;
    struct span app;      /* empty: all that count something of the user; never for USER_SUSPEND */
    struct span end_user; /* the HMAC, 64 hex digits */
    int64_t seconds;      /* USER_SUSPEND: for how long; 0: for good */
    struct span detail;   /* of the records: who, why; a JSON object */
};

/*
 * Holds for the next prompt of any worker once it returns, and is on record. *ret_entries: of how
 * many apps the user's entry changed; 0: nothing is counted. 0; -EINVAL: no such user can be;
 * -ENOENT: this log remembers no strikes; as act_record(). O(users).
 */
int verdict_run(struct audit *a, const struct verdict_act *act, size_t *ret_entries);

/*
 * Does a list of users want the entry? `state` is a state's name, or "appealed"; empty: all that
 * something follows from.
 */
bool verdict_lists(const struct strike_entry *e, struct span state, int64_t now);
/* Can it be asked for in verdict_lists()? */
bool verdict_knows_state(struct span state);
