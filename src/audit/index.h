/*
 * Files beside a month's records that only help to find them, made from the log by the indexer
 * (audit/indexer.h) and made anew whenever they are missing or do not fit:
 *
 *   ix-2026-11.db   interceptions by what is filtered for, roll-ups, times: no text
 *   tx-2026-11.db   the grams of the texts in L1 (audit/grams.h), from which much of a text can be
 *                   put together again: it goes when the month's L1 file goes
 *
 * Both say up to which record they speak and its hash; what is behind it is read from the log.
 */
#pragma once

#include "audit/files.h"
#include "db/db.h"

enum index_file {
    INDEX_ROWS, /* ix */
    INDEX_TEXT, /* tx */
};

/* False when the path is too long. */
bool index_path(struct span dir, enum index_file file, files_month month, char ret_path[PATH_MAX]);

/*
 * For privacy deletion, after texts were removed from the month's L1 file and that was committed:
 * empties the month's text index, overwrites the room that it took and empties its write-ahead
 * log. The indexer fills it from what L1 still has. 0, also when there is none; -EBUSY: a reader
 * kept old pages in the write-ahead log, try again; or another error of db/db.h. Linear in the
 * file's size; waits at most 5 s for others.
 */
int index_forget(struct span dir, files_month month);
/*
 * Says, before texts of the month are removed, that its text index is not to be trusted any more:
 * nobody reads or fills it until index_forget() has emptied it, and after a crash in between it is
 * removed when it is opened. 0, also when there is none; as index_forget().
 */
int index_condemn(struct span dir, files_month month);
/* Ends what an earlier removal began and could not end: empties what was condemned, and the
 * write-ahead log that a reader held. As index_forget(). */
int index_settle(struct span dir, files_month month);
/* For retention: removes the file with what SQLite keeps beside it. 0, also when there is none, or
 * -errno. A running indexer notices, and makes it anew if the month is still there. */
int index_remove(struct span dir, enum index_file file, files_month month);

/* Removes index files whose month has no records any more, and text indexes whose month has no
 * texts. 0 or -errno. */
int index_sweep(struct span dir);

/*
 * Opens to write, creates what is missing, and begins anew when the file is of another version,
 * damaged, or does not fit the record file that `l0` has open. *ret_seq: the last record that it
 * speaks of, 0 when of none. 0 or an error of db/db.h.
 */
int index_open(struct span dir, enum index_file file, files_month month, struct db *l0,
               struct db **ret_db, uint64_t *ret_seq);
/* Opens to read. -ENOENT: there is none, or none that fits. */
int index_open_read(struct span dir, enum index_file file, files_month month, struct db *l0,
                    struct db **ret_db, uint64_t *ret_seq);
/* Within a transaction: it now speaks up to this record. */
int index_mark(struct db *db, struct db *l0, uint64_t seq);

/* What stands for a value in columns that are only compared: never 0 but for the empty one. */
int64_t index_code(char kind, struct span value);
#define INDEX_APP     'a'
#define INDEX_MODEL   'm'
#define INDEX_USER    'u'
#define INDEX_SESSION 's'
#define INDEX_IP      'i'
#define INDEX_PURPOSE 'p'
#define INDEX_KIND    'k' /* of INDEX_ADMIN: operators' acts and the log's own records */
#define INDEX_ADMIN   SPAN_LIT("admin")

/* Records a row of the table of times stands for. */
#define INDEX_BLOCK 4096
/* Records whose people stand together in the table of people. Over a whole month they would be
 * written all over the file, a page for each record; so it is a few hundred pages for thousands. */
#define INDEX_CHUNK 65536
