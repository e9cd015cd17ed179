/*
 * What changes the rules in force: each act under the store's lock, with its author and reason in
 * the journal, complete or without effect. And how a gateway finds what is in force.
 *
 * Live urgent words (rules/urgent.h) are part of every version that is made here, unless its
 * library has the word itself.
 */
#pragma once

#include "rules/diff.h"
#include "rules/urgent.h"
#include "rules/vault.h"

struct publish {
    struct span state_dir, rules_dir;
    struct span author; /* as given; needed */
    struct span login;  /* who the system says it is */
    struct span reason;
    /*
     * Fit for the configuration? Appends what isn't to *messages and returns the number of errors.
     * May be NULL.
     */
    int (*check)(void *ctx, const struct ruleset *set, struct buf *messages);
    void *ctx;
    /*
     * Last, when nothing stands in the act's way any more: puts it on another record. Negative,
     * with a message appended: it is not done. May be NULL.
     */
    int (*before)(void *ctx, const struct journal_entry *e, struct buf *messages);
    void *before_ctx;
    struct rule_report
        report;      /* RULE_REPORT_INIT; messages and warnings of any kind; the caller's */
    vault_step step; /* for tests; with `step_ctx`; may be NULL */
    void *step_ctx;
};

/* What came of it. */
struct publish_done {
    char version[RULE_DIGEST_SIZE];
    char previous[RULE_DIGEST_SIZE]; /* "" when nothing was published before */
    bool first;                      /* from now on only published versions are served */
    bool compared;                   /* `diff` holds */
    struct rule_diff diff;
    unsigned urgent; /* words carried over */
};

/* Each returns 0; PUBLISH_SAME: that is in force already, nothing was done; -EINVAL or another
 * -errno with messages in p->report. */
#define PUBLISH_SAME 1

/*
 * What came of it as one JSON object, as commands print it and the console gives it: version,
 * sha256, previous, state ("in force", "proposed", "same"), added, removed, changed, files, and
 * `gateway` unless it is NULL. 0, -ENOMEM, -EMSGSIZE.
 */
int publish_write(const struct publish_done *done, int result, bool proposed, const char *gateway,
                  struct buf *out);

/* The working copy; `propose`: not before publish_approve() by another author. */
int publish_library(struct publish *p, bool propose, struct publish_done *ret_done);
int publish_approve(struct publish *p, struct span proposal, struct publish_done *ret_done);
/* A version that was in force before; empty: the library before the one in force. */
int publish_rollback(struct publish *p, struct span version, struct publish_done *ret_done);
/*
 * One word more, of that risk, until `expires` (Unix seconds, whole minutes). With nothing
 * published the version in force is what a gateway took last, else the working copy.
 */
int publish_urgent(struct publish *p, struct span word, struct span risk, int64_t expires,
                   struct publish_done *ret_done);
/* Takes a live one back; `risk` may be empty when there is one of that word only. */
int publish_withdraw(struct publish *p, struct span word, struct span risk,
                     struct publish_done *ret_done);
/* The second person's word on it. Changes nothing in force. */
int publish_confirm(struct publish *p, struct span word, struct span risk);
/* Notes that a version was filed; empty: the one in force. */
int publish_filed(struct publish *p, struct span version, char ret_version[RULE_DIGEST_SIZE]);

/*
 * Loads what is in force, for serving: the published version, or, with nothing published, the
 * working copy, a copy of which is put into the store; with a canary. 0; -EINVAL or -errno with
 * messages.
 */
int publish_load(struct span state_dir, struct span rules_dir, struct rule_report *report,
                 struct ruleset **ret_set);
/* The same to look at; nothing is written. Without a published version: -ENOENT. */
int publish_peek(struct span state_dir, struct span rules_dir, struct rule_report *report,
                 struct ruleset **ret_set);

/* For reports: what is in force and what was filed last. */
struct publish_status {
    char in_force[RULE_DIGEST_SIZE]; /* "": nothing is published */
    char filed[RULE_DIGEST_SIZE];    /* "": never */
    int64_t filed_us;                /* wall clock */
};
/* 0, also when there is no vault; -EBADMSG or -errno, with messages. */
int publish_status(struct span state_dir, struct buf *messages, struct publish_status *ret_status);
