/*
 * A file of entries of one size, each sealed by a key of the gateway's own, that is appended to and
 * now and then written anew. Read whole at start: a torn end is cut off, damage costs the entries
 * that it hit. Belongs to one thread. Private to the room.
 */
#pragma once

#include "base/buf.h"
#include "crypto/hmac.h"

#include <limits.h>

#define SEALED_KEY_SIZE  32
#define SEALED_MAX       16 /* bytes of the seal behind each entry, at most */
#define SEALED_MAGIC_LEN 16

struct sealed_options {
    struct span dir;
    const char *name;     /* of the file, such as strikes.bin */
    const char *aside;    /* where it is put when it is damaged */
    const char *key_name; /* below dir, such as keys/strike.key */
    struct span magic;    /* the file's first SEALED_MAGIC_LEN bytes */
    struct span domain;   /* what the seals are for; literal */
    size_t entry_size;    /* bytes, without the seal */
    size_t seal_size;     /* bytes of it, up to SEALED_MAX */
    bool readonly;        /* no lock is taken, nothing is created or mended */
    /* Each entry that is whole, in the file's order. */
    void (*entry)(void *ctx, const void *entry);
    void *ctx;
};

struct sealed {
    struct hmac *seal;
    unsigned char key[SEALED_KEY_SIZE]; /* its owner's, too, for codes of his own */
    struct span magic, domain;
    size_t entry_size, seal_size;
    int fd, lock_fd;
    char dir[PATH_MAX], path[PATH_MAX];
    size_t written;   /* entries in the file */
    bool stale;       /* the file lacks something: to be written anew */
    struct buf fresh; /* to be appended */
};

/*
 * Reads the file under its key; unless readonly, both are made when they are absent, and a damaged
 * file is put aside, with a warning; `stale` is then set. 0, -ENOENT (readonly), -EBUSY
 * when another process has it, -errno. On failure everything is released. O(entries).
 */
int sealed_open(const struct sealed_options *o, struct sealed *ret);
void sealed_close(struct sealed *s);
/* Keeps an entry for the next sync. 0, -ENOMEM, -EIO. */
int sealed_add(struct sealed *s, const void *entry);
/* Appends what was added and syncs. 0 or -errno: then `stale` is set and what was added forgotten.
 */
int sealed_sync(struct sealed *s);
/* `count` entries in a row, as a new file in place of the old one. 0 or -errno. */
int sealed_replace(struct sealed *s, const void *entries, size_t count);
