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

/* '+' or '-', the phrase, and where it stands. */
typedef void (*rule_phrase_fn)(void *ctx, char kind, struct span phrase, struct place at);
/* Allow phrases that only one of them has, in the order of their bytes. As rule_diff() else. */
int rule_diff_phrases(const struct ruleset *old, const struct ruleset *new, rule_phrase_fn fn,
                      void *ctx);

/* What of the rule is another: names such as "direction"; "definition" where nothing else is. */
#define RULE_DIFF_NAMES 12
size_t rule_diff_names(const struct rule *a, const struct rule *b,
                       const char *ret_names[RULE_DIFF_NAMES]);
/* One line of what rule_diff() and rule_diff_phrases() tell. 0, -ENOMEM, -EMSGSIZE. */
int rule_diff_line(struct buf *out, char kind, const struct rule *old, const struct rule *new,
                   struct span path);
int rule_diff_phrase_line(struct buf *out, char kind, struct span phrase, struct place at);
