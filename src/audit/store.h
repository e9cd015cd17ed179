/*
 * The month files as the writer sees them: opens and checks them, numbers and chains records,
 * keeps the texts of L1 and L2 beside them. Belongs to the writer's thread.
 */
#pragma once

#include "audit/files.h"
#include "audit/item.h"

struct store;

/*
 * Locks and opens the log in `dir`, creating what is not there. Refuses, with a line that says why:
 * a directory in use, a file that is missing, corrupt or of a newer version, a chain whose last
 * records do not fit. 0 or -errno.
 */
int store_open(struct span dir, struct span run, struct span node, struct store **ret_store);
void store_close(struct store *s);

/*
 * One group of records: begin, put..., commit. L2 and L1 are committed before L0, so that a
 * commitment never points to a text that a crash took; a text without its record is removed at the
 * next opening. After any error: store_rollback(), and the group counts as not written.
 */
int store_begin(struct store *s, uint64_t wall_us);
/* Numbers, salts, chains and inserts; *ret_seq is valid once store_commit() has succeeded. */
int store_put(struct store *s, struct item *i, uint64_t *ret_seq);
int store_put_gap(struct store *s, uint64_t lost, uint64_t from_us, uint64_t until_us,
                  struct span reason, uint64_t now_wall_us, uint64_t now_mono_us);
int store_commit(struct store *s);
void store_rollback(struct store *s);

/* Moves the write-ahead log into the files when it has grown. 0 or negative as in db/db.h. */
int store_tidy(struct store *s);
/* Are the files still those that were opened? 0, or -ESTALE when one was deleted or replaced. */
int store_check_place(struct store *s);
/* The last committed record: its number and hash. */
uint64_t store_head(const struct store *s, unsigned char ret_hash[RECORD_HASH_SIZE]);
struct span store_dir(const struct store *s);
/* What SQLite said last; for a log line. */
struct span store_message(const struct store *s);
