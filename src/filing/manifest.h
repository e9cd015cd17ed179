/*
 * The manifest of a pack: what is in the archive, each file with its size and SHA-256, what it was
 * made from and by whom; and the signature that stands beside it.
 *
 *   manifest.json   one JSON object
 *   manifest.sig    {"v":1,"public":"<64 hex>","sig":"<128 hex>"}: Ed25519 over
 *                   "juyong.pack.v1\0" and the bytes of manifest.json
 *
 * The key is state_dir/filing/pack.key (0600, 64 hex digits), made when it is first needed, its
 * public half beside it in pack.pub. That a pack was made is on record in the decision log with the
 * manifest's SHA-256 and the public key, so that the log's checkpoints pin both.
 */
#pragma once

#include "crypto/sha256.h"
#include "crypto/sign.h"
#include "filing/packfacts.h"
#include "json/value.h"

#define MANIFEST_NAME   "manifest.json"
#define MANIFEST_SIG    "manifest.sig"
#define MANIFEST_MAX    (16u << 20) /* bytes */
#define MANIFEST_DIGEST 65          /* 64 hex digits and NUL */

struct manifest_file {
    struct span name; /* in the archive */
    uint64_t size;
    char sha256[MANIFEST_DIGEST];
};

struct manifest {
    struct arena arena;                      /* holds the texts */
    int64_t made;                            /* Unix seconds */
    struct span by, software, configuration; /* configuration: SHA-256 of its file */
    bool forced;                             /* made although the linter found errors */
    unsigned errors, warnings;
    struct facts facts;
    struct manifest_file *files;
    size_t count, cap;
};
#define MANIFEST_INIT ((struct manifest){.arena = {.max = 16u << 20}, .facts = FACTS_INIT})
void manifest_deinit(struct manifest *m);

/* The name is copied. 0, -EEXIST for one that is there already, -ENOMEM, -EIO. */
int manifest_add(struct manifest *m, struct span name, struct span content);
/* The same out of a regular file. Or -errno. */
int manifest_add_fd(struct manifest *m, struct span name, int fd);
/* NULL when there is none of that name. */
const struct manifest_file *manifest_find(const struct manifest *m, struct span name);

/* 0, -EMSGSIZE, -ENOMEM. */
int manifest_write(const struct manifest *m, struct buf *out);
/* `m` begins as MANIFEST_INIT and is freed in any case. 0; -EBADMSG for what is no manifest, with a
 * reason in *why; -ENOMEM. */
int manifest_read(struct span text, struct manifest *m, struct buf *why);

/* Signs the text of a manifest by the installation's key. 0 or -errno. */
int manifest_sign(struct span state_dir, struct span text, struct buf *ret_signature);
/* The installation's public key as 64 hex digits. 0; -ENOENT: it has none yet; -errno. */
int manifest_public(struct span state_dir, char ret_key[MANIFEST_DIGEST]);
/*
 * Does the signature fit the text? Gives the public key that it names, which is to be compared with
 * one that is known. 0; -EBADMSG: it is none, or doesn't fit.
 */
int manifest_check(struct span text, struct span signature, char ret_key[MANIFEST_DIGEST]);

/* SHA-256 of a text as 64 hex digits and NUL. 0 or -EIO. */
int manifest_digest(struct span text, char ret_digest[MANIFEST_DIGEST]);
