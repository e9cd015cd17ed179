/*
 * Retention: removes whole month files, and rows of the text tiers that are older than their days,
 * beside the writer. What is removed is announced first, in a `prune` record that names each file
 * with its last record's number and hash, so that `log verify` tells it from a theft; rows are told
 * by a `pruned` record. What is held (holds.h) stays, with the files in which it is.
 */
#pragma once

#include "audit/audit.h"

#define PRUNE_RECORD_DAYS_MIN 183
#define PRUNE_FILES_MAX       128 /* of one run; what is more goes with the next */

struct prune_options {
    struct span dir;
    unsigned records, texts, originals, samples; /* days */
    uint64_t now_us;                             /* wall clock */
    uint64_t witnessed_us; /* by which record files are old (witness.h); 0: now_us */
    struct span who;       /* members of a JSON object, for the record; may be empty */
};
struct prune_file {
    char name[24];
    uint64_t first, last; /* records of its month */
    unsigned char hash[32];
};
struct prune_report {
    struct prune_file files[PRUNE_FILES_MAX];
    size_t file_count;
    uint64_t texts, originals, samples; /* rows within files that stay */
    uint64_t held;                      /* rows and files that a hold keeps */
    bool left_in_wal;                   /* a reader was in the way; the next run cleans up */
};

/*
 * What would be removed now; reads only. 0, -EINVAL: records for less than PRUNE_RECORD_DAYS_MIN;
 * -EBADMSG: the list of holds is damaged; as db/db.h. O(texts that are too old).
 */
int prune_plan(const struct prune_options *o, struct prune_report *ret_report);
/* Removes it. For who holds the log, from a thread that may wait. As prune_plan(), act_record(). */
int prune_run(struct audit *a, const struct prune_options *o, struct prune_report *ret_report);
