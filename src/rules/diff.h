/* What changes from one version of the library to another, rule by rule. */
#pragma once

#include "rules/ruleset.h"

struct rule_diff {
    unsigned added, removed, changed; /* rules, by id */
    unsigned files; /* allow phrases, answers, variants and the like: files that differ */
};

/*
 * '+', '-' or '~' with the old rule (NULL for '+'), the new one (NULL for '-'), and an empty path;
 * or with both NULL and the path of another file.
 */
typedef void (*rule_diff_fn)(void *ctx, char kind, const struct rule *old, const struct rule *new,
                             struct span path);

/*
 * Compares `old` (NULL: an empty library) with `new`: rules in the order of their ids, then files.
 * `fn` may be NULL. 0 or -ENOMEM. O(n log n).
 */
int rule_diff(const struct ruleset *old, const struct ruleset *new, rule_diff_fn fn, void *ctx,
              struct rule_diff *ret_diff);
/* Did somebody change the library's files since, urgent words aside? O(files). */
bool rule_diff_files(const struct ruleset *old, const struct ruleset *new);
