/*
 * The rule library as a filing counts it: which keywords intercept by the policy of an app, and why
 * the others don't count. Reads, never changes.
 */
#pragma once

#include "policy/policy.h"
#include "rules/risktitle.h"
#include "rules/ruleset.h"

enum library_class {
    LIBRARY_COUNTED,     /* a distinct, active keyword of the standard's types that intercepts */
    LIBRARY_DERIVED,     /* contains a shorter one of the same type and effect */
    LIBRARY_FLAGGED,     /* flagged or let through by the policy */
    LIBRARY_OBSERVED,    /* only observed at present */
    LIBRARY_QUARANTINED, /* listed, and never hits */
    LIBRARY_SCOPED,      /* for some apps only */
    LIBRARY_EXPIRED,
    LIBRARY_AXIS, /* a keyword of attack-* or pii-*: no type of the standard */
    LIBRARY_NEAR,
    LIBRARY_PATTERN,
    LIBRARY_NONE, /* the built-in rule, which nobody wrote */
    LIBRARY_CLASSES,
};
/* In Chinese, as sheets and columns are called. */
const char *library_class_name(enum library_class c);

struct library_entry {
    const struct rule *rule;
    enum library_class class;
    enum action prompt, completion; /* by the policy */
    const struct rule *by;          /* LIBRARY_DERIVED: the shorter one */
    bool repeats;                   /* counted, and of another type too: once in the total */
};

/* What a type of risk has. */
struct library_type {
    const struct risk *risk;
    unsigned counts[LIBRARY_CLASSES];
    unsigned repeated; /* lines that repeat a keyword of the same type */
};

struct library {
    const struct ruleset *rules;
    struct library_entry *entries; /* by rule */
    size_t count;
    struct library_type *types; /* by risk */
    size_t type_count;
    unsigned total;      /* distinct keywords counted, over all types */
    unsigned repeated;   /* counted of more than one type, beyond the first */
    unsigned met, asked; /* types whose minimum is met, that have one */
};

/* Classes every rule, for the app's policy at `now` (Unix seconds). 0, -ENOMEM. O(n log n). */
int library_read(const struct ruleset *rules, const struct config_app *app, int64_t now,
                 struct library *ret_library);
void library_free(struct library *l);

/* Is every minimum of the standard met, of each type and in all? */
bool library_is_sufficient(const struct library *l);

/*
 * What of the standard's minima is not met, one line, empty when all are; for start-up, `check` and
 * the console. Returns the number of lines appended. As library_read() in cost.
 */
unsigned library_weakening(const struct ruleset *rules, const struct config_app *app, int64_t now,
                           struct buf *out);

/* The action that a class of words meets, in Chinese: 拦截, 打码, 代答, 标记, 放行. */
const char *library_action_name(enum action a);
