/* The inside of a struct casebook, for the files of this room. */
#pragma once

#include "casebook/casebook.h"
#include "db/db.h"

#include <limits.h>
#include <pthread.h>
#include <sys/types.h>

#define BOOK_DAY_US (86400ull * 1000000)

struct casebook {
    pthread_mutex_t write_lock, read_lock;
    struct db *db, *reader; /* each under its lock; reader may be NULL with nothing there yet */
    struct audit *audit;
    struct audit_port *port;
    uint64_t queued; /* events sent through the port */
    unsigned share, second;
    uint64_t due_us, refreshed_ms;
    bool unsettled; /* an act is pending: on record perhaps, not carried out */
    bool awaiting;  /* whether it is on record is not known yet: its completion is still to come */
    bool failed;    /* the file can't be trusted until a restart */
    unsigned wait_ms;
    uint64_t sample_us;
    dev_t device; /* the file that was opened */
    ino_t inode;
    char log_dir[PATH_MAX], path[PATH_MAX];
};

/* ---- statements: db.c with fewer words ---- */

/*
 * Prepares; each letter of `types` is one argument: i an int64_t, s a struct span. NULL parameters:
 * the empty span is stored as an empty text.
 */
int book_prepare(struct db *db, const char *sql, struct db_stmt **ret, const char *types, ...);
/* The same, run to its end. 0 or negative. */
int book_run(struct db *db, const char *sql, const char *types, ...);
/* The first column of the first row; -ENOENT without one. */
int book_int(struct db *db, const char *sql, int64_t *ret, const char *types, ...);

/* "key":"text" and "key":number, with a comma unless at an object's begin. After a failure nothing
 * can be appended to `out` any more, so that the last append tells. */
void book_json(struct buf *out, const char *key, struct span text);
void book_json_int(struct buf *out, const char *key, int64_t value);
void book_json_bool(struct buf *out, const char *key, bool value);
void book_json_text(struct buf *out, struct span text); /* without a key */
/* Empty: null. */
void book_json_null(struct buf *out, const char *key, struct span text);

/*
 * What a write to the database came to, which is given back: after a failed sync, or with pages
 * that are no longer what they were, nothing more is written. Under the write lock.
 */
int book_wrote(struct casebook *c, int r);
/* 0, or -EIO when it has failed or its file was deleted or replaced. Likewise. */
int book_check(struct casebook *c);
/* Moves the write-ahead log into the file when it has grown. */
void book_tidy(struct casebook *c);

/* ---- perform.c ---- */

/* Acts that were left between record and database: done, or dropped. Under the write lock. */
int book_settle(struct casebook *c);

/* ---- items.c: what of the log can be reviewed ---- */

/* Is the request known, or does the log have it? 1, 0, negative. Under the write lock. */
int items_ensure(struct casebook *c, struct span request_id);
/*
 * Ids of a sample, into the arena; -E2BIG past CASEBOOK_SAMPLE_MAX, -ETIME when looking for them
 * took too long. Likewise.
 */
int items_sample(struct casebook *c, const struct casebook_act *act, struct arena *arena,
                 struct span **ret_ids, size_t *ret_count);

/* ---- apply.c ---- */

/* Carries the act out, within a transaction. It was checked; done twice it does no harm. */
int apply_act(struct db *db, const struct casebook_act *act, int64_t row, uint64_t at_us,
              uint64_t due_us);

/* ---- act.c ---- */

/* The record's reason. */
const char *act_code(enum casebook_verb v);
/* What can be told without looking anywhere: 0, or -EINVAL with the reason. */
int act_check(const struct casebook_act *act, struct casebook_answer *ret);
