/* How closely a row of a policy names a risk. Private to this room. */
#pragma once

#include "policy/policy.h"

/* Not at all, by prefix, by group, by id; the rule itself. */
enum closeness { APART, BY_PREFIX, BY_GROUP, BY_ID, BY_RULE };

/* The risk of that id, or NULL. O(risks). */
const struct risk *policy_find_risk(const struct ruleset *rules, struct span id);
/* Of a row that names no rule. *ret_length: of its name: the longer of two prefixes wins. */
enum closeness policy_closeness(struct span row, const struct risk *risk, size_t *ret_length);
