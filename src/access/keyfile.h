/*
 * state_dir/keys.json: the keys that apps bear, as salted SHA-256. A key has 256 random bits, so a
 * plain digest can't be searched, and the salt keeps two installations from sharing digests.
 * Private to this room.
 */
#pragma once

#include "base/arena.h"
#include "crypto/sha256.h"
#include "yaml/place.h"

#define KEYFILE_SALT_SIZE 16
#define KEYFILE_KEYS_MAX  4096

struct keyfile_key {
    struct span id, app, alias, last4, created;
    struct span line;    /* the id of the first key that this one came from by rotation */
    struct span expires; /* when it ends by itself; empty: never */
    struct span revoked; /* when; empty: in force */
    uint64_t expires_us; /* wall clock; UINT64_MAX: never */
    unsigned char digest[SHA256_SIZE];
};

struct keyfile {
    struct arena arena;
    unsigned char salt[KEYFILE_SALT_SIZE];
    struct keyfile_key *keys;
    size_t count;
};

/*
 * Reads the file below state_dir. No file is an empty keyfile with a new salt. 0; -EINVAL when it
 * is damaged, with messages; -errno, -ENOMEM. On failure nothing needs to be freed.
 */
int keyfile_read(struct span state_dir, struct buf *messages, struct keyfile *ret_file);
void keyfile_deinit(struct keyfile *f);
/* SHA-256 over salt and key. 0 or -EIO. */
int keyfile_digest(const struct keyfile *f, struct span key, unsigned char ret_digest[SHA256_SIZE]);

/*
 * Writes a small file whole or not at all: a new file, synced, put in place of the old one, mode
 * 0600; the folder is created (0700) when it is absent. 0 or -errno.
 */
int keyfile_replace(struct span dir, const char *name, struct span content);
/* The same where there is none yet; -EEXIST: another process was first, whose file stays. */
int keyfile_create(struct span dir, const char *name, struct span content);
/* Makes the folder's entries durable, as a new file's own fsync() does not. 0 or -errno. */
int keyfile_sync_dir(struct span dir);
