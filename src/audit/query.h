/*
 * Reads the log: the records of one exchange folded into one row, filtered, newest or oldest
 * first. Has its own read-only connections and holds none of them open between rows, so that a
 * reader who takes his time keeps nothing from the writer. Works while the gateway runs. Uses the
 * index files (audit/index.h) where they are, and reads the log itself where they are not or do not
 * speak yet; what is found is the same.
 */
#pragma once

#include "audit/entry.h"
#include "terms/terms.h"

struct query;

/* Empty spans and zeros ask for nothing. Spans are borrowed until query_close(). */
struct query_filter {
    uint64_t since_us, until_us; /* wall clock; half open */
    bool all;                    /* also plain allows and operators' acts; else interceptions */
    unsigned actions;            /* bits 1 << enum action; 0: any */
    struct span risk;            /* an id or the beginning of one, such as A1 */
    struct span rule, app, end_user, model, request_id, session, trace_id, client_ip;
    struct span end_user_begins; /* likewise, the beginning of one; not to follow with */
    /* Besides interceptions operators' acts about `end_user`; not to follow with. */
    bool acts;
    bool admin; /* operators' acts and the log's own records alone, whoever they are about */
    enum direction direction; /* 0: any */
    struct span text;         /* occurs in a matched text, its context or folded form; ASCII case
                                 does not matter */
    struct span purpose;      /* of reviewers' tests: this one; empty: production alone */
    bool any_purpose;         /* both */
    size_t limit;             /* rows; 0: all */
    bool oldest_first;
    /* Follow: oldest first; each exchange once, as soon as it is of interest: at its first
     * interception, or at its end. */
    bool follow;
    uint64_t after_seq; /* only what came after this record */
    uint64_t upto_seq;  /* as the log stood with this record; 0: as it stands now */
    /* Newest first only: from before this record on (query_position()); 0: from the newest. With
     * the same upto_seq on all pages each exchange is on one of them. */
    uint64_t before_seq;
    uint64_t budget_us; /* the time after which query_next() ends with what it has; 0: any */
    /* Asked last, of a row that fits else: 1 takes it, 0 leaves it out, negative ends the query.
     * Without a request id it is not asked, and the row is left out. */
    int (*keep)(void *ctx, struct span request_id);
    void *keep_ctx;
};

/* One hit and, where L1 still has it, its text. */
struct query_hit {
    const struct entry_hit *entry;
    bool has_text;
    struct span path, text, context, folded;
    size_t start, end; /* of the match in the context, bytes */
};

enum query_state {
    QUERY_DONE,        /* closed, or nothing that has an end */
    QUERY_RUNNING,     /* open, and the gateway that wrote it still runs */
    QUERY_INTERRUPTED, /* open, and that gateway is gone */
};

/* Borrowed until the next call. */
struct query_row {
    struct entry entry; /* of the first record, completed by the later ones; kind of the first */
    uint64_t last_seq;
    unsigned record_count;
    bool damaged; /* a record could not be read; see `juyong log verify` */
    enum query_state state;
    const struct query_hit *hits;
    size_t hit_count;
    const struct query_hit *kept; /* texts that were kept whole */
    size_t kept_count;
    const struct entry_opinion *opinions; /* of all its records */
    size_t opinion_count;
    const struct query_hit *main_hit; /* of the heaviest action, the first of them, old ones last;
                                          or NULL */
};

/* 0, -ENOENT when there is no log, or -errno. */
int query_open(struct span dir, const struct query_filter *f, struct query **ret_query);
/* 1 and a row, 0 at the end, or negative. */
int query_next(struct query *q, const struct query_row **ret_row);
void query_close(struct query *q);
/* After query_next() gave 0: was everything looked at, or did the time run out? */
bool query_is_complete(const struct query *q);
/* Where to go on behind the last row, or behind what was looked at: for before_seq. */
uint64_t query_position(const struct query *q);
/* Does a row satisfy what the filter asks of its content? The bounds by record are not looked at.
 * O(texts). */
bool query_fits(const struct query_filter *f, const struct query_row *row);
/* Does what the filter searches for occur in the texts of this hit? */
bool query_text_fits(const struct query_filter *f, const struct query_hit *h);

/* Does a process hold the log, to write it? Asked without taking it. */
bool query_is_written(struct span dir);
/* The number of the newest record, for following. 0, -ENOENT, or -errno. */
int query_last_seq(struct span dir, uint64_t *ret_seq);
