/* How closely a row of a policy names a risk. Private to this room. */
#pragma once

#include "policy/policy.h"

/* Not at all, by prefix, by group, by id. */
enum closeness { APART, BY_PREFIX, BY_GROUP, BY_ID };

/* *ret_length: of the row's name, so that the longer of two prefixes wins. */
enum closeness policy_closeness(struct span row, const struct risk *risk, size_t *ret_length);
