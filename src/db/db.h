/*
 * SQLite behind a narrow door: one connection, its statements, spans in and out. A struct db and
 * its statements belong to one thread at a time; only db_interrupt() may come from another.
 *
 * Errors are negative: -ENOSPC, -EDQUOT, -EFBIG (no room: what was committed is intact, try again
 * later), -EBUSY (another connection holds the lock past the timeout), -EBADMSG (corrupt, or not a
 * database), -EROFS, -ENOENT, -ENOMEM, -EINTR (db_interrupt), -EEXIST (a constraint), -EINVAL (the
 * SQL, or a use that makes no sense), and -EIO for all else. After a failed fsync (always -EIO) the
 * connection must not be used for writing again: the kernel may have dropped what it could not
 * write, and a second fsync would lie.
 */
#pragma once

#include "base/span.h"

#include <stdint.h>

struct db;
struct db_stmt;

struct db_options {
    bool readonly;    /* the file must exist */
    bool create;      /* made with mode 0600 when it does not exist */
    unsigned busy_ms; /* how long to wait for another connection's lock */
};

/*
 * Opens with SQLite's defensive settings: WAL, synchronous=FULL, no extensions, no trust in the
 * file's schema, checkpoints only by db_checkpoint() (SQLite's own would swallow their errors).
 */
int db_open(struct span path, const struct db_options *o, struct db **ret_db);
/* Finalizes nothing: statements go first. Accepts NULL. */
void db_close(struct db *db);
/* What SQLite says of the last failure; borrowed until the next call on the connection. */
struct span db_message(const struct db *db);
/* Runs SQL statements that give no rows. */
int db_exec(struct db *db, const char *sql);
/* Stops what the connection is doing with -EINTR; any thread. */
void db_interrupt(struct db *db);

int db_begin(struct db *db);
/* On failure the transaction has been rolled back. */
int db_commit(struct db *db);
/* Harmless when no transaction is open. */
void db_rollback(struct db *db);

/* Pages in the write-ahead log after the last commit. */
unsigned db_wal_pages(const struct db *db);
/*
 * Moves what it can of the write-ahead log into the file and syncs it, without waiting for
 * readers. 0 also when a reader kept it from moving everything.
 */
int db_checkpoint(struct db *db);
/*
 * Moves all of it and cuts the file to nothing, so that no bytes are left in it. -EBUSY: a reader
 * was in the way for some five seconds. Writers are kept out for a moment at a time alone.
 */
int db_empty_wal(struct db *db);

/* The application's number for its schema, 0 in a new file. */
int db_get_version(struct db *db, int *ret_version);
int db_set_version(struct db *db, int version);
/* SQLite's own quick check of the file's structure: 0, or -EBADMSG. Linear in the file's size. */
int db_check(struct db *db);

/*
 * Writes what the connection sees now into a new file of that name (mode 0600), compact and synced,
 * while others go on writing. -EEXIST: it is there. O(file).
 */
int db_copy(struct db *db, struct span path);

int db_prepare(struct db *db, struct span sql, struct db_stmt **ret_stmt);
/* Accepts NULL. */
void db_finalize(struct db_stmt *s);
/* Parameters count from 1. Spans are borrowed until the next db_reset(). */
int db_bind_int(struct db_stmt *s, int at, int64_t value);
int db_bind_text(struct db_stmt *s, int at, struct span text);
int db_bind_blob(struct db_stmt *s, int at, struct span bytes);
/* 1: a row can be read; 0: done; else negative. */
int db_step(struct db_stmt *s);
/* Makes the statement ready for new parameters and another run. */
void db_reset(struct db_stmt *s);
/* Steps a statement that gives no rows, and resets it. 0 or negative. */
int db_run(struct db_stmt *s);
/* Columns count from 0; spans are borrowed until the next step or reset. NULL columns: 0, empty. */
int64_t db_column_int(struct db_stmt *s, int at);
struct span db_column_text(struct db_stmt *s, int at);
struct span db_column_blob(struct db_stmt *s, int at);
/* Rows that the last statement inserted, changed or deleted. */
int64_t db_changes(const struct db *db);
