/*
 * The pack: one archive with all that is handed in. Made in three steps, so that what is found
 * wrong can be shown before anything is written, and what is written is on record before it is:
 *
 *   pack_new()    gathers every part, and has the linter look at them
 *   pack_seal()   makes the manifest and signs it
 *   pack_write()  writes the archive
 *
 * Workbooks and documents are made in a folder of their own below state_dir/filing, which
 * pack_free() removes.
 */
#pragma once

#include "filing/manifest.h"
#include "filing/packlint.h"

struct pack_options {
    const struct dossier *dossier;
    struct span by; /* who makes it */
    struct span software;
    const struct span *attachments; /* files of the operator's own */
    size_t attachment_count;
    bool papers; /* false: no archive will be written, the papers alone are looked at */
};

struct pack;

/*
 * 0; -EINVAL with a reason in *messages for an attachment that can't be taken or holds a secret;
 * -ENOMEM, -errno with a message.
 */
int pack_new(const struct pack_options *o, struct buf *messages, struct pack **ret_pack);
/* Accepts NULL. */
void pack_free(struct pack *p);
/* What the linter found. */
const struct lint *pack_lint(const struct pack *p);

/* `forced`: somebody wants it although there are errors; the manifest says so. 0 or -errno. */
int pack_seal(struct pack *p, bool forced);
/* Of the sealed one: the manifest's SHA-256 and the public key, 64 hex digits each. */
const char *pack_digest(const struct pack *p);
const char *pack_key(const struct pack *p);
const struct manifest *pack_manifest(const struct pack *p);
/* Whole or not at all, 0600. 0, or a negative error with its reason in *ret_error. */
int pack_write(struct pack *p, struct span path, struct buf *ret_error);

/* ---- packverify.c ---- */

struct pack_report {
    struct manifest manifest;
    char digest[MANIFEST_DIGEST]; /* of the manifest */
    char key[MANIFEST_DIGEST];    /* by which it is signed; "" when no signature fits */
    unsigned differences;
};
/*
 * Reads an archive and compares every file with the manifest, and the manifest with its signature.
 * `known_key`: 64 hex digits; empty: the signature's own key is believed. Appends a line for each
 * thing that differs. 0, with the number of differences in the report, which is freed by
 * manifest_deinit(&r->manifest) in any case; -EINVAL with a reason for what is no pack; -errno.
 */
int pack_verify(struct span path, struct span known_key, struct buf *lines,
                struct pack_report *ret_report);
