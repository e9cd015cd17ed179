/* Words that can't wait for the next publication, as the journal tells their story. */
#pragma once

#include "rules/journal.h"

/* What is needed for longer belongs into the library. */
#define URGENT_LONGEST_S (30 * 86400)
#define URGENT_WORD_MAX  512 /* bytes */

/* What a line of a keyword file can hold as a word. */
bool urgent_is_word(struct span word);
/* When a word that is given now, for so many seconds, ends: never before it was asked to. */
int64_t urgent_end(int64_t now, int64_t seconds);

enum urgent_state {
    URGENT_AWAITING,  /* live, approved by nobody yet */
    URGENT_APPROVED,  /* live */
    URGENT_WITHDRAWN, /* taken back */
    URGENT_REPLACED,  /* the same word was given once more, with another end */
    URGENT_EXPIRED,
};
const char *urgent_state_name(enum urgent_state s);
static inline bool urgent_is_live(enum urgent_state s)
{
    return s == URGENT_AWAITING || s == URGENT_APPROVED;
}

struct urgent_word {
    const struct journal_entry *given;
    const struct journal_entry *confirmed; /* or NULL */
    const struct journal_entry *ended;     /* withdrawn or given once more; or NULL */
    enum urgent_state state;
};

/* All of them, oldest first; free(*ret_words). 0 or -ENOMEM. `now` in Unix seconds. */
int urgent_list(const struct journal *j, int64_t now, struct urgent_word **ret_words,
                size_t *ret_count);
/*
 * The live one of that word, spelled the same; `risk` empty: of any. 0; -ENOENT; -ENOTUNIQ: of
 * several risks.
 */
int urgent_find(const struct urgent_word *words, size_t count, struct span word, struct span risk,
                const struct urgent_word **ret_word);
/* Its line of URGENT_FILE; the first one begins the file. 0, -ENOMEM, -EMSGSIZE. */
int urgent_write(struct buf *file, const struct journal_entry *given);
/* Is it such a word, and not one of the library? */
bool urgent_is_rule(const struct rule *rule);
