/*
 * A copy of the whole log while it is written, and the way back. A backup is a directory of files
 * like the log's own, without index, and `backup.json`, which is written last: without it the copy
 * is not whole.
 */
#pragma once

#include "audit/verify.h"

struct audit;

struct backup_options {
    struct span into; /* absolute; must not be there, or be empty */
    bool keys;        /* also the secret ones: sealed texts can then be read from the copy alone */
    struct span who;  /* members of a JSON object, for the record; may be empty */
};
struct backup_report {
    uint64_t files, last_seq;
};

/*
 * Puts a `backup` record on record and copies what there is by then. For who holds the log, from a
 * thread that may wait; the writer goes on, while pruning and holds wait. 0; -ENOTEMPTY; -ENOSPC
 * and others: what was copied is left without its backup.json. O(log).
 */
int backup_run(struct audit *a, const struct backup_options *o, struct backup_report *ret_report);

/*
 * Copies a backup to where no log is yet. Verifies it first: 1 and the report of what is wrong. The
 * next opening of the log records `restore`. 0; -EEXIST: there is a log, or its directory is in
 * use; -ENOENT: that is no whole backup; -ENOKEY: neither it nor `dir` has keys/checkpoint.key;
 * -errno.
 */
int backup_restore(struct span from, struct span dir, struct verify_report *ret_report);
/* At the log's opening: puts a restoration on record that is not there yet. 0 or as act_record().
 */
int backup_note_restored(struct audit *a, struct span dir);
