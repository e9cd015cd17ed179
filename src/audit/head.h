/*
 * The end of the chain: reads it from the files at start, and refuses a log whose end does not fit.
 */
#pragma once

#include "audit/files.h"
#include "crypto/sha256.h"
#include "db/db.h"

#define HEAD_BUSY_MS 1000

struct head {
    uint64_t seq;                    /* of the last record; 0: none yet */
    unsigned char hash[SHA256_SIZE]; /* its hash; zeros: none yet */
};

/*
 * Finds the newest month file that was ever used, adopts its head, checks its last records, its
 * link to the file before and the last signed checkpoint. *ret_newest is the newest file of all, 0
 * when there is none. 0 or -errno, logged.
 */
int head_find(struct span dir, struct sha256 *digest, struct head *ret_head,
              files_month *ret_newest);
/* The head row of an open file. 0 or -errno, logged. */
int head_read(struct db *db, const char *path, struct head *ret_head);
/* The hash of a record behind `previous`. 0 or -EIO. */
int head_chain(struct sha256 *digest, const unsigned char previous[SHA256_SIZE], struct span body,
               unsigned char ret_hash[SHA256_SIZE]);
/* A file that was created but never given its tables: a crash in between. */
int head_is_blank(struct db *db, bool *ret_blank);
/* 0, or -EPROTO and -EBADMSG with a line that says why. */
int head_check_version(struct db *db, const char *path);
/* Brings a file of that tier up to the present tables. 0 or as db/db.h. O(1). */
int head_upgrade(struct db *db, int tier, const char *path);
