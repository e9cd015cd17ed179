/*
 * Gathers the records of one exchange from the month files and folds them into one row.
 */
#pragma once

#include "audit/files.h"
#include "audit/query.h"
#include "db/db.h"

#define ROW_RECORDS_MAX  256 /* records of one exchange that are folded; more are left out */
#define ROW_KEPT_MAX     16
#define ROW_HITS_MAX     256
#define ROW_OPINIONS_MAX 64

/* One month as a reader opens it. */
struct row_month {
    struct db *l0, *l1;
    struct db_stmt *by_request, *by_seq, *texts;
};

/* A record of the exchange with the columns that searches look at. */
struct row_record {
    uint64_t seq, time_us;
    int weight;
    unsigned month; /* index into the caller's months */
    bool damaged;
    struct entry entry;
};

struct row {
    struct arena arena;
    struct row_record records[ROW_RECORDS_MAX];
    size_t count;
    struct query_hit hits[ROW_HITS_MAX];
    size_t hit_count;
    struct query_hit kept[ROW_KEPT_MAX];
    size_t kept_count;
    struct entry_opinion opinions[ROW_OPINIONS_MAX];
    size_t opinion_count;
};

/* -ENOENT when the month has no record file. A missing text file is no error. */
int row_month_open(struct span dir, files_month month, struct row_month *ret_month);
void row_month_close(struct row_month *m);

void row_clear(struct row *r);
/* Adds the records of that request, or the one record when `request` is empty, from one month. */
int row_gather(struct row *r, struct row_month *m, unsigned month, struct span request,
               uint64_t seq);
/* Orders by number. */
void row_sort(struct row *r);
/* Folds what was gathered, reading texts from the months that it came from. */
int row_fold(struct row *r, struct row_month *const *months, struct query_row *ret_row);
