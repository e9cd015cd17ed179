/*
 * What the parts of query.c share: querypages.c goes through months and gives candidates, a page at
 * a time; query.c makes rows of them.
 */
#pragma once

#include "audit/query.h"
#include "audit/row.h"
#include "audit/sieve.h"
#include "base/buf.h"

#define QUERY_PAGE 256 /* candidates looked up at once; no statement stays open between pages */

/* A record from which a row may be made. */
struct candidate {
    uint64_t seq;
    struct span request; /* in the page's buffer */
};

/* A part of a month, as it is read. */
struct segment {
    bool sieved;        /* by the index; else by the log itself */
    uint64_t low, high; /* records */
};

struct query {
    char dir[PATH_MAX];
    struct query_filter f;
    struct files files;
    size_t at; /* the month that is read: index into files, in the direction of reading */
    uint64_t first_seq, last_seq; /* of it */
    struct segment segments[2];
    size_t segment_count, segment;
    struct sieve *sieve;
    struct row_month months[3]; /* before, current, after: an exchange may pass midnight */
    bool open;
    struct candidate page[QUERY_PAGE];
    size_t page_count, page_next;
    struct buf requests;
    uint64_t last; /* where the next page goes on */
    bool segment_done;
    uint64_t position; /* up to where everything was looked at */
    uint64_t deadline_us;
    bool cut; /* the time ran out */
    size_t given;
    char live_run[64];
    struct row row;
    struct query_row out;
};

/*
 * Makes the next page, or moves on: to the next part of a month, to the next month. 0, with q->at
 * behind the last month when there is nothing left; or negative.
 */
int querypages_advance(struct query *q);
/* Does the record itself satisfy what the pages ask? */
bool querypages_is_candidate(const struct query *q, const struct row_record *rec);
void querypages_close(struct query *q);
