/*
 * The working copy as the console changes it: one line more or less in two files of its own, which
 * people may edit as well. What comes into force is decided by publishing (rules/publish.h).
 */
#pragma once

#include "rules/ruleset.h"

#define DRAFT_PHRASES_FILE "allow/console.txt"
#define DRAFT_WORDS_FILE   "keywords/console.txt"
#define DRAFT_TEXT_MAX     256 /* bytes of a word or phrase */
#define DRAFT_WHY_MAX      400

struct draft_change {
    struct span state_dir, rules_dir;
    bool phrase;      /* an allow phrase; else a keyword */
    bool remove;      /* takes such a line out again */
    struct span text; /* as a line can hold it: printable, no tab, no blanks around, no '#' first */
    struct span risk; /* of a keyword: an id */
    struct span why;  /* one line; of a change with `remove` nothing */
    struct span author;
    /* Last, when it is known to be good: puts it on another record under the rule's id. Negative,
     * with a message appended: it is not done. May be NULL. */
    int (*before)(void *ctx, struct span rule, struct buf *messages);
    void *ctx;
    struct rule_report report; /* RULE_REPORT_INIT; the caller's */
};

#define DRAFT_SAME 1

/*
 * Checks the whole library with the change in it, then writes the file, durably. 0 with the id of
 * the rule; DRAFT_SAME: the library has it already (or, with `remove`, these files don't), and a
 * message says where; -EINVAL: it is refused, with messages; -errno with a message.
 */
int draft_apply(struct draft_change *d, char ret_rule[RULE_ID_SIZE]);
/* Can a line hold that text? */
bool draft_is_text(struct span text, size_t max);
