/*
 * A change of the library that nobody has made yet: words, or phrases that save what stands in
 * them, in a file that is nowhere but in memory.
 */
#pragma once

#include "rules/ruleset.h"

enum tried_kind { TRIED_WORDS, TRIED_PHRASES };

/* The file that messages name, below the library's folder. */
#define TRIED_WORDS_FILE   "keywords/being-tried.txt"
#define TRIED_PHRASES_FILE "allow/being-tried.txt"

/* Begins such a file; `risk` is what its words are of, of phrases nothing. */
int tried_begin(enum tried_kind kind, struct span risk, struct buf *out);
/* One word more. 0; -EINVAL: a line of a file can't hold it; -ENOMEM, -EMSGSIZE. */
int tried_add(struct span word, struct buf *out);
/* The library in rules_dir with that file in it. As ruleset_load(). */
int tried_load(struct span rules_dir, enum tried_kind kind, struct span file,
               struct rule_report *report, struct ruleset **ret_set);
/* Is the rule one of the words that are tried? */
bool tried_is_rule(const struct rule *rule);
