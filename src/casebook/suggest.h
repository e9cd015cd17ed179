/*
 * Of a false positive: the phrase that, allowed, would have saved it.
 */
#pragma once

#include "base/buf.h"
#include "terms/terms.h"

#define SUGGEST_FILE "allow/being-tried.txt"

/* An interception as the log tells it. Spans are borrowed. */
struct suggest_hit {
    struct span context; /* with its surroundings */
    size_t start, end;   /* of the match in it, bytes */
    struct span rule;    /* its id */
    enum direction direction;
};

/*
 * The shortest run of whole words around the match, at least two characters longer than it, with
 * which among its allowed phrases the library in rules_dir does not hit there any more. 0 and the
 * phrase appended; -ENOENT: there is none (nothing but the match is kept, the rule needs no single
 * place, or it has gone); -EINVAL: the library can't be read; -ENOMEM. Loads the library up to
 * four times: for a thread that may wait.
 */
int casebook_suggest(struct span rules_dir, const struct suggest_hit *hit, struct buf *ret_phrase);
