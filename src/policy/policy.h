/*
 * From what was found, who asks and in which direction, to one action; and from what could not be
 * judged, to a refusal with a name.
 */
#pragma once

#include "config/config.h"
#include "rules/ruleset.h"

struct policy; /* actions of one app over one rule set, precomputed per risk and direction */

/*
 * Built at each reload for each app; both must outlive it. 0, -ENOMEM. Which of several says what a
 * rule's hit does, the first that speaks for the direction:
 *   1. a row of the app's own policy that names the rule by its id, then one that names its risk
 *      by its id (A1-a), then a global row that names the rule;
 *   2. the rule's own action: its author knows the word, such as a doubtful one that only flags;
 *   3. the app's other rows, then the global rows, then the built-in ones; within each the closest:
 *      id, then group (A1), then the longest prefix (pii-*, *);
 *   4. block, for a risk that nothing names.
 * A near rule never masks: it blocks where that says mask. A rule for other apps allows.
 */
int policy_new(const struct config_app *app, const struct ruleset *rules,
               struct policy **ret_policy);
/*
 * The same as a request makes it stricter: what is flagged is masked where it is personal data, and
 * blocked where it is something else; nothing is only observed. Borrows the other, which must
 * outlive it. 0, -ENOMEM.
 */
int policy_new_strict(const struct policy *base, struct policy **ret_policy);
void policy_free(struct policy *p);

/*
 * The action for a hit of that rule at that time (Unix seconds); ACTION_ALLOW when the rule is not
 * for this app or has expired. O(1), for a rule that expires O(log of those). In observe mode too:
 * what would be done.
 */
enum action policy_decide(const struct policy *p, uint32_t rule, enum direction direction,
                          int64_t now);

/*
 * Is a hit of that rule only observed at that time, by a row of `observe`? Recorded as what it
 * would do, it does not interfere. Mode observe of a whole app is not asked. As policy_decide() in
 * cost.
 */
bool policy_observes(const struct policy *p, uint32_t rule, int64_t now);

/*
 * Which rows of `opinions` (bits, by their place) a hit of that rule has ask: those that wait for
 * rules of the action `ask` and speak of its risk. O(1) for other rules.
 */
uint32_t policy_asks(const struct policy *p, uint32_t rule, enum direction direction);

/* One thing that was said in a second opinion. */
struct policy_said {
    const struct config_opinion *source;
    uint32_t rows; /* bits of those that had it asked */
    enum direction direction;
    struct span category;
    unsigned percent;
};
/*
 * What follows: allow, flag, answer or block, by the row that names the risk the closest. *ret_risk
 * is what the category means here. ACTION_ALLOW too where no row speaks of it. O(rows).
 */
enum action policy_opinion(const struct policy *p, const struct policy_said *said,
                           const struct risk **ret_risk);

/* Is that risk only observed at that time, by a row that names it or its group? O(rows). */
bool policy_observes_risk(const struct policy *p, const struct risk *risk, int64_t now);

/* What decided about a hit: for people who ask why. */
struct policy_reason {
    enum {
        REASON_ROW,       /* a row of the configuration, or a built-in one */
        REASON_RULE,      /* the rule's own action */
        REASON_NO_ROW,    /* no row names the risk */
        REASON_OTHER_APP, /* the rule counts for other apps only */
        REASON_EXPIRED,   /* the rule no longer counts */
    } by;
    const struct config_action *row; /* REASON_ROW; NULL else */
    bool near;                       /* it said mask, and a near rule blocks instead */
    int64_t observed;                /* it does not interfere before that second; 0: it does */
};
/* Why policy_decide() answers as it does. Searches the rows: not for each request. */
struct policy_reason policy_reason(const struct config_app *app, const struct rule *rule,
                                   enum direction direction, int64_t now);

/*
 * Checks that every risk the policy names exists. Appends messages; returns the number of errors.
 */
unsigned policy_check(const struct config *config, const struct ruleset *rules,
                      struct buf *messages);

/*
 * Types of the standard (A1 to A5) that an app lets through or only flags, whatever the rules say
 * of themselves: one line for each app and direction. Returns their number. O(apps x risks x rows).
 */
unsigned policy_weakenings(const struct config *config, const struct ruleset *rules,
                           struct buf *out);

/*
 * What the rules ask for in vain: apps that the configuration doesn't have, layers that can't run
 * on streamed answers. One warning a line, told once for what a file says in its defaults; returns
 * their number.
 */
unsigned policy_doubts(const struct config *config, const struct ruleset *rules,
                       struct buf *messages);

/*
 * Causes for which a request or answer is refused without a hit. One row each: code, HTTP status,
 * texts in both languages.
 */
enum cause {
    CAUSE_NONE,
    CAUSE_CONTENT_FILTER,
    CAUSE_USER_WARNED, /* only its text, behind that of content_filter: what is coming */
    CAUSE_USER_LIMITED,
    CAUSE_USER_SUSPENDED,
    CAUSE_PROVIDER_REFUSED, /* the provider's own filter, not ours; the same to clients */
    CAUSE_BAD_FRAMING,
    CAUSE_REPEATED_HEADER, /* of ours: which of them counts? */
    CAUSE_NOT_FOUND,
    CAUSE_METHOD,
    CAUSE_UNSUPPORTED_TYPE,
    CAUSE_UNSUPPORTED_ENCODING,
    CAUSE_EXPECTATION,
    CAUSE_TOO_LARGE,
    CAUSE_HEADERS_TOO_LARGE,
    CAUSE_UNAUTHORIZED,
    CAUSE_ADDRESS,            /* the app may not be asked from there */
    CAUSE_RATE_LIMIT,         /* the app, the key or the end user asks for too much */
    CAUSE_REVIEWER_ELSEWHERE, /* a reviewer's account is served at its own address */
    CAUSE_REVIEWER_SPENT,     /* it was used as often as it may be today */
    CAUSE_MODEL_NOT_ALLOWED,
    CAUSE_BAD_JSON,    /* the JSON reader's own code is the code */
    CAUSE_BAD_REQUEST, /* a known field of the wrong type */
    CAUSE_UNJUDGEABLE, /* token ids and the like */
    CAUSE_MEDIA_DENIED,
    CAUSE_JUDGE_FAILED,
    CAUSE_TOO_LONG_TO_JUDGE, /* a later try would be no shorter */
    CAUSE_AUDIT_UNAVAILABLE,
    CAUSE_OVERLOADED,
    CAUSE_DRAINING,
    CAUSE_UPSTREAM_FAILED,
    CAUSE_UPSTREAM_TIMEOUT,
    CAUSE_UPSTREAM_ENCODING,
    CAUSE_UPSTREAM_TYPE,
    CAUSE_UPSTREAM_PROTOCOL,
    CAUSE_UPSTREAM_TRUNCATED,
    CAUSE_HOLD_OVERFLOW,
    CAUSE_TIMEOUT,
    CAUSE_INTERNAL,
    CAUSE_COUNT,
};
const char *cause_code(enum cause c);
int cause_status(enum cause c);
/* A sentence for the person who reads the answer; LANGUAGE_BOTH gives Chinese, then English. */
struct span cause_text(enum cause c, enum language language);
/* The same as that policy words it, in its language. O(texts). */
struct span policy_text(const struct config_policy *policy, enum cause c);
/* What the model reads in place of a turn that is kept from it. */
struct span cause_notice(enum language language);
/* error.type of the OpenAI dialect for that status. */
const char *cause_type(enum cause c);
