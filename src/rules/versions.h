/*
 * The history of the rules as people look at it: what each line of the journal came to, which
 * proposal waits for its second person, and the libraries that versions are.
 */
#pragma once

#include "rules/journal.h"
#include "rules/vault.h"

struct versions {
    struct vault *vault;
    struct journal journal;
    char current[RULE_DIGEST_SIZE];       /* in force; "" while nothing is published */
    int damage;                           /* of what says which one is in force; 0: none */
    const struct journal_entry *in_force; /* or NULL */
    struct span filed;                    /* the version that was filed last; may be empty */
};

/*
 * Opens the store below state_dir to look at it. 0, also where `current` is damaged, with a
 * message; -ENOENT: there is no store; -EBADMSG or -errno, with messages. Then versions_close().
 */
int versions_open(struct span state_dir, struct buf *messages, struct versions *ret_versions);
void versions_close(struct versions *v);

/* "in force", "was in force", "proposed", "approved", "interrupted", or "". */
const char *versions_state(const struct versions *v, const struct journal_entry *e);
/* As records call the version of an entry: v-…, auto-…, or "-" where it has none. */
void versions_name(const struct journal_entry *e, char ret_name[RULE_VERSION_SIZE]);
/* The newest proposal that somebody else could approve now; or NULL. */
const struct journal_entry *versions_proposal(const struct versions *v);
/* What a version took the place of, or a proposal would: its digest; empty: none that is known. */
struct span versions_before(const struct versions *v, struct span digest);

/*
 * Reads, without compiling it, the version of that name, the one in force ("published"), or the
 * folder as it is now ("working"); `vault` may be NULL. 0; -EINVAL, -ENOENT or -errno with a
 * message in the report.
 */
int versions_read(const struct vault *vault, struct span rules_dir, const char *name,
                  struct rule_report *report, struct ruleset **ret_set);
