/*
 * The rule versions that were or are in force, below state_dir/rules:
 *
 *   versions/<digest>/   a full copy of the library's files, read-only, with MANIFEST, whose
 * SHA-256 is the digest; never changed, never deleted current              the digest in force;
 * absent while nothing is published journal.jsonl        who, when, why (rules/journal.h) serving
 * what a running gateway serves (rules/serving.h) lock                 held by the one who writes
 *
 * `current` is the truth. It is replaced last, in one rename, after all that it names is on the
 * disk: a crash at any moment leaves the old or the new version in force.
 */
#pragma once

#include "rules/ruleset.h"

struct vault;

/* Told between two steps of a change; for tests, which die there. */
typedef void (*vault_step)(void *ctx, const char *step);

/*
 * Opens the store below state_dir for reading. 0; -ENOENT when there is none; -errno, with a
 * message.
 */
int vault_open(struct span state_dir, struct buf *messages, struct vault **ret_vault);
/*
 * The same for writing: creates what is missing and waits some seconds for other writers. -EBUSY,
 * with a message, when they don't end.
 */
int vault_open_locked(struct span state_dir, struct buf *messages, struct vault **ret_vault);
/* Accepts NULL. */
void vault_close(struct vault *s);
void vault_on_step(struct vault *s, vault_step fn, void *ctx);
/* Tells the one who asked for it. */
void vault_tell_step(struct vault *s, const char *step);

int vault_dir(const struct vault *s); /* descriptor, borrowed */
struct span vault_path(const struct vault *s);

/*
 * The digest in force, or "" while nothing is published. 0; -ENOENT: there is no `current`, which
 * is right only in a store where nothing was ever published; -EBADMSG or -errno, with a message.
 */
int vault_current(const struct vault *s, struct buf *messages, char ret_digest[RULE_DIGEST_SIZE]);
/*
 * The stored version of that name: v-…, auto-…, or a digest or the first 8 digits of it and more.
 * 0; -ENOENT; -ENOTUNIQ.
 */
int vault_find(const struct vault *s, struct span name, char ret_digest[RULE_DIGEST_SIZE]);

/*
 * As ruleset_read() for a stored version: digest, dir and published are set here. A content that
 * isn't what the name says is refused; with replace_urgent it has no name yet, and whoever makes a
 * version of another one reads that one first.
 */
int vault_read(const struct vault *s, struct span digest, const struct ruleset_source *how,
               struct rule_report *report, struct ruleset **ret_set);
/*
 * Puts a version into the store, durably; one that is there already stays, unless it was damaged:
 * then it is set aside. `files` are all files of the set. 0 or -errno, with a message.
 */
int vault_put(struct vault *s, const struct ruleset *set, const struct rule_files *files,
              struct buf *messages);
/* Puts a stored version in force, durably; empty: none. 0 or -errno, with a message. */
int vault_switch(struct vault *s, struct span digest, struct buf *messages);
/* Writes a small file of the store in one step, `durable`: for good. 0 or -errno. */
int vault_replace(const struct vault *s, const char *name, struct span text, bool durable);

bool vault_is_digest(struct span text);
/* "v-" and the first 12 digits. */
void vault_name(struct span digest, char ret_name[RULE_VERSION_SIZE]);
