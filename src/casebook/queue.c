/* The queue, and what was said of one request. */
#include "casebook/book.h"

#include <errno.h>
#include <stdio.h>

/* Waits for a first look, or, drawn for it, for a second one. Only the second depends on who asks.
 */
#define WAITS                                                                                      \
    "(i.why<>0 AND a.slot IS NULL OR a.slot IS NOT NULL AND i.second<>0 AND b.slot IS NULL"        \
    " AND a.reviewer<>?1)"
#define FROM                                                                                       \
    " FROM item i LEFT JOIN review a ON a.request_id=i.request_id AND a.slot=1"                    \
    " LEFT JOIN review b ON b.request_id=i.request_id AND b.slot=2 WHERE " WAITS

static int count(struct casebook *c, const struct casebook_queue *q, struct casebook_counts *ret)
{
    int64_t open = 0, mine = 0;
    int r = book_int(c->reader, "SELECT count(*)" FROM, &open, "s", q->who);
    if (r == 0)
        r = book_int(c->reader, "SELECT count(*)" FROM " AND i.assigned=?1 AND ?1<>''", &mine, "s",
                     q->who);
    *ret = (struct casebook_counts){(uint64_t)open, (uint64_t)mine};
    return r;
}

static int give(struct db_stmt *s, casebook_due_fn fn, void *ctx)
{
    struct span first = db_column_text(s, 8);
    struct casebook_due due = {
        .request_id = db_column_text(s, 0),
        .seq = (uint64_t)db_column_int(s, 1),
        .time_us = (uint64_t)db_column_int(s, 2),
        .action = db_column_text(s, 3),
        .risk = db_column_text(s, 4),
        .rule = db_column_text(s, 5),
        .app = db_column_text(s, 6),
        .direction = db_column_text(s, 7),
        .first_reviewer = first,
        .assigned = db_column_text(s, 9),
        .why = first.len ? WHY_SECOND : (unsigned)db_column_int(s, 10),
    };
    return fn(ctx, &due);
}

int casebook_each_due(struct casebook *c, const struct casebook_queue *q, casebook_due_fn fn,
                      void *ctx, struct casebook_counts *ret_counts)
{
    uint64_t begin = 0, end = INT64_MAX;
    struct db_stmt *s = NULL;
    if (q->day.len && !casebook_day(q->day, &begin, &end))
        return -EINVAL;
    pthread_mutex_lock(&c->read_lock);
    int r = ret_counts ? count(c, q, ret_counts) : 0;
    if (r == 0)
        r = book_prepare(c->reader,
                         "SELECT i.request_id,i.seq,i.at_us,i.action,i.risk,i.rule,i.app,"
                         "i.direction,coalesce(a.reviewer,''),i.assigned,i.why" FROM
                         " AND i.seq<?2 AND i.at_us>=?3 AND i.at_us<?4"
                         " AND (?5=0 OR i.assigned=?1 AND ?1<>'') ORDER BY i.seq DESC LIMIT ?6",
                         &s, "siiiii", q->who, q->before ? (int64_t)q->before : INT64_MAX,
                         (int64_t)begin, (int64_t)end, (int64_t)q->mine,
                         q->limit ? (int64_t)q->limit : INT64_MAX);
    while (r == 0 && (r = db_step(s)) == 1)
        r = give(s, fn, ctx);
    db_finalize(s);
    pthread_mutex_unlock(&c->read_lock);
    return r;
}

int casebook_find_review(struct casebook *c, struct span request_id,
                         struct casebook_review *ret_review)
{
    struct db_stmt *s = NULL;
    *ret_review = (struct casebook_review){0};
    pthread_mutex_lock(&c->read_lock);
    int r =
        book_prepare(c->reader, "SELECT slot,verdict,reviewer,at_us FROM review WHERE request_id=?",
                     &s, "s", request_id);
    while (r == 0 && (r = db_step(s)) == 1) {
        int64_t v = db_column_int(s, 1);
        enum casebook_verdict verdict = v > 0 && v < VERDICT_COUNT ? (enum casebook_verdict)v : 0;
        bool first = db_column_int(s, 0) == 1;
        *(first ? &ret_review->verdict : &ret_review->second) = verdict;
        snprintf(first ? ret_review->reviewer : ret_review->second_reviewer, CASEBOOK_NAME_MAX + 1,
                 "%.*s", SPAN_ARG(db_column_text(s, 2)));
        if (first)
            ret_review->at_us = (uint64_t)db_column_int(s, 3);
        r = 0;
    }
    db_finalize(s);
    pthread_mutex_unlock(&c->read_lock);
    return r;
}

bool casebook_read_wish(struct span name, enum casebook_verdict *ret_verdict)
{
    *ret_verdict = VERDICT_NONE;
    for (int v = VERDICT_NONE + 1; v < VERDICT_COUNT; v++)
        if (span_eq(name, span_str(casebook_verdict_name((enum casebook_verdict)v))))
            *ret_verdict = (enum casebook_verdict)v;
    return *ret_verdict != VERDICT_NONE || span_eq(name, SPAN_LIT("open"));
}

int casebook_is_wanted(void *wish, struct span request_id)
{
    const struct casebook_wish *w = wish;
    struct casebook_review review = {0};
    int r =
        w->casebook && request_id.len ? casebook_find_review(w->casebook, request_id, &review) : 0;
    return r < 0 && r != -ENOENT ? r : review.verdict == w->verdict;
}

static int write_reviews(struct casebook *c, struct span request_id, bool notes, struct buf *out)
{
    struct db_stmt *s = NULL;
    pthread_mutex_lock(&c->read_lock);
    int r = book_prepare(c->reader,
                         "SELECT reviewer,verdict,note,at_us,slot,0,act FROM review WHERE "
                         "request_id=?1 UNION ALL SELECT reviewer,verdict,note,at_us,slot,1,act "
                         "FROM review_before WHERE request_id=?1 ORDER BY 4 DESC, 7 DESC",
                         &s, "s", request_id);
    buf_append_char(out, '[');
    for (bool first = true; r == 0 && (r = db_step(s)) == 1; first = false) {
        int64_t v = db_column_int(s, 1);
        buf_append(out, first ? SPAN_LIT("{") : SPAN_LIT(",{"));
        book_json(out, "reviewer", db_column_text(s, 0));
        book_json(out, "verdict",
                  span_str(v > 0 && v < VERDICT_COUNT ? casebook_verdict_name(v) : ""));
        if (notes)
            book_json(out, "note", db_column_text(s, 2));
        book_json_int(out, "at_us", db_column_int(s, 3));
        book_json_bool(out, "second", db_column_int(s, 4) == 2);
        book_json_bool(out, "replaced", db_column_int(s, 5));
        r = buf_append_char(out, '}');
    }
    db_finalize(s);
    pthread_mutex_unlock(&c->read_lock);
    return r < 0 ? r : buf_append_char(out, ']');
}

int casebook_reviews(struct casebook *c, struct span request_id, struct buf *out)
{
    return write_reviews(c, request_id, true, out);
}

int casebook_verdicts(struct casebook *c, struct span request_id, struct buf *out)
{
    return write_reviews(c, request_id, false, out);
}
