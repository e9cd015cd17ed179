/*
 * What the log itself says of what is no longer there: `log verify` collects it on its way through
 * the records and compares it with what it missed.
 */
#pragma once

#include "audit/entry.h"
#include "crypto/sha256.h"

struct announced_file {
    char name[24];
    uint64_t last;
    unsigned char hash[SHA256_SIZE];
};
/* A file that was missed: of a month whose records end, or begin behind, `seq`. */
struct missed_file {
    char name[24];
    uint64_t seq;
    bool has_hash; /* of records: the hash at its end, where the next one begins */
    unsigned char hash[SHA256_SIZE];
};
struct announced {
    struct announced_file *files;
    size_t file_count;
    struct missed_file *missed;
    size_t missed_count;
    uint64_t *holds; /* their numbers; 0: released */
    size_t hold_count;
};

/* Takes what a record says of removed files and of holds. 0, -ENOMEM. */
int announced_add(struct announced *a, const struct entry *e);
/* Notes that a file is not there. 0, -ENOMEM. */
int announced_miss(struct announced *a, const char *name, uint64_t seq,
                   const unsigned char *hash_or_null);
/* The first missed file that no record speaks of; NULL when there is none. */
const struct missed_file *announced_check(const struct announced *a);
void announced_deinit(struct announced *a);
