/*
 * What the parts of verify.c share: verify.c goes through files and records, verifymarks.c through
 * the signed checkpoints, verifytexts.c through the texts that records commit to. Functions give 0,
 * 1 after verify_wrong(), or -errno.
 */
#pragma once

#include "audit/announced.h"
#include "audit/entry.h"
#include "audit/reveal.h"
#include "audit/verify.h"
#include "base/buf.h"
#include "crypto/sha256.h"
#include "db/db.h"

#include <limits.h>

#define HASH_SIZE SHA256_SIZE

/* One line of the checkpoints file whose signature was good. */
struct mark {
    uint64_t size, line;
    unsigned char head[HASH_SIZE];
};

struct verify {
    const struct verify_options *o;
    struct verify_report *report;
    struct sha256 *digest;
    struct arena arena;
    unsigned char hash[HASH_SIZE]; /* of the last record */
    uint64_t seq;
    bool begun; /* some file has been read */
    struct mark *marks;
    size_t mark_count, mark_next;
    struct db *text_db, *original_db; /* L1 and L2 of the current month, NULL when they are gone */
    struct db_stmt *texts, *originals;
    int texts_row, originals_row; /* 1: the statement stands on a row */
    struct textkeys keys;
    struct buf plain;
    bool misses_texts, misses_originals; /* of this month, that records commit to */
    struct announced announced;
};

/* Notes what is wrong, gives 1. */
int verify_wrong(struct verify *v, uint64_t seq, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* A name within the directory. */
int verify_path(struct span dir, const char *name, char ret_path[PATH_MAX]);

/*
 * Was the file begun and never used, by who was killed meanwhile? Then it says as much as none.
 * False also where that can't be told.
 */
bool verify_blank(struct db *db);

/* Reads the checkpoints, all of whose lines have to be signed. */
int verifymarks_read(struct verify *v);
/* Do the checkpoints at the current record speak of this very chain? */
int verifymarks_check(struct verify *v);

/* Opens what is left of a month's texts, by the name of its record file. */
int verifytexts_open(struct verify *v, const char *name);
/* The texts of one record, which come in the order of records. */
int verifytexts_check(struct verify *v, const struct entry *e);
/* After the last record: a text file that is gone has to be announced. */
int verifytexts_end(struct verify *v, const char *name);
void verifytexts_close(struct verify *v);
