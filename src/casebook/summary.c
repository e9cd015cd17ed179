/* A day of reviews in figures. */
#include "casebook/book.h"

#include <errno.h>

#define DAY " i.at_us>=?1 AND i.at_us<?2 "

struct span_of_time {
    int64_t begin, end;
};

/* A list of objects: columns named by `keys`; types as those of book_prepare(). */
static int list(struct casebook *c, struct buf *out, const char *sql, const struct span_of_time *t,
                const char *const *keys, const char *types)
{
    struct db_stmt *s = NULL;
    int r = book_prepare(c->reader, sql, &s, "ii", t->begin, t->end);
    if (buf_append_char(out, '[') < 0)
        r = -ENOMEM;
    for (bool first = true; r == 0 && (r = db_step(s)) == 1; first = false) {
        buf_append(out, first ? SPAN_LIT("{") : SPAN_LIT(",{"));
        for (int i = 0; types[i]; i++)
            if (types[i] == 's')
                book_json(out, keys[i], db_column_text(s, i));
            else
                book_json_int(out, keys[i], db_column_int(s, i));
        r = buf_append_char(out, '}');
    }
    db_finalize(s);
    return r < 0 ? r : buf_append_char(out, ']');
}

/* One row of numbers as members. */
static int numbers(struct casebook *c, struct buf *out, const char *sql,
                   const struct span_of_time *t, const char *const *keys, int n)
{
    struct db_stmt *s = NULL;
    int r = book_prepare(c->reader, sql, &s, "ii", t->begin, t->end);
    if (r == 0)
        r = db_step(s);
    for (int i = 0; r == 1 && i < n; i++)
        book_json_int(out, keys[i], db_column_int(s, i));
    db_finalize(s);
    return r < 0 ? r : 0;
}

static const char totals[] =
    "SELECT count(*) FILTER (WHERE i.caught), count(a.slot),"
    " count(*) FILTER (WHERE a.verdict=1), count(*) FILTER (WHERE a.verdict=2),"
    " count(*) FILTER (WHERE a.verdict=3), count(*) FILTER (WHERE i.why<>0 AND a.slot IS NULL)"
    " FROM item i LEFT JOIN review a ON a.request_id=i.request_id AND a.slot=1 WHERE" DAY;

static const char *const second_keys[] = {"agreed", "differed", "open"};
static const char second[] =
    "SELECT count(*) FILTER (WHERE b.verdict=a.verdict),"
    " count(*) FILTER (WHERE b.verdict<>a.verdict),"
    " count(*) FILTER (WHERE i.second<>0 AND b.slot IS NULL)"
    " FROM item i JOIN review a ON a.request_id=i.request_id AND a.slot=1"
    " LEFT JOIN review b ON b.request_id=i.request_id AND b.slot=2 WHERE" DAY;

static const char *const reviewer_keys[] = {"reviewer", "reviewed",       "second",
                                            "correct",  "false_positive", "unsure"};
static const char by_reviewer[] =
    "SELECT a.reviewer, count(*) FILTER (WHERE a.slot=1), count(*) FILTER (WHERE a.slot=2),"
    " count(*) FILTER (WHERE a.verdict=1), count(*) FILTER (WHERE a.verdict=2),"
    " count(*) FILTER (WHERE a.verdict=3)"
    " FROM item i JOIN review a ON a.request_id=i.request_id WHERE" DAY
    "GROUP BY a.reviewer ORDER BY 2 DESC, 1";

static const char *const rule_keys[] = {"rule", "risk", "count", "reviewed", "false_positive"};
static const char by_rule[] =
    "SELECT i.rule, max(i.risk), count(*), count(a.slot), count(*) FILTER (WHERE a.verdict=2)"
    " FROM item i LEFT JOIN review a ON a.request_id=i.request_id AND a.slot=1 WHERE" DAY
    "AND i.caught AND i.rule<>'' GROUP BY i.rule ORDER BY 5 DESC, 3 DESC, 1 LIMIT 500";

static const char *const difference_keys[] = {"request_id", "reviewer", "verdict",
                                              "second_reviewer", "second_verdict"};
#define WORD(of) "CASE " of " WHEN 1 THEN 'correct' WHEN 2 THEN 'false_positive' ELSE 'unsure' END"
static const char differences[] =
    "SELECT i.request_id, a.reviewer, " WORD("a.verdict") ", b.reviewer, " WORD(
        "b.verdict") " FROM item i"
                     " JOIN review a ON a.request_id=i.request_id AND a.slot=1"
                     " JOIN review b ON b.request_id=i.request_id AND b.slot=2"
                     " WHERE" DAY "AND a.verdict<>b.verdict ORDER BY i.seq LIMIT 500";

static int put_signed(struct casebook *c, struct span day, struct buf *out)
{
    struct db_stmt *s = NULL;
    int r = book_prepare(c->reader, "SELECT who,at_us,note FROM signoff WHERE day=? ORDER BY at_us",
                         &s, "s", day);
    buf_append(out, SPAN_LIT(",\"signed\":["));
    for (bool first = true; r == 0 && (r = db_step(s)) == 1; first = false) {
        buf_append(out, first ? SPAN_LIT("{") : SPAN_LIT(",{"));
        book_json(out, "who", db_column_text(s, 0));
        book_json_int(out, "at_us", db_column_int(s, 1));
        book_json(out, "note", db_column_text(s, 2));
        r = buf_append_char(out, '}');
    }
    db_finalize(s);
    return r < 0 ? r : buf_append_char(out, ']');
}

static int summarize(struct casebook *c, const struct span_of_time *t, struct span day,
                     struct buf *out)
{
    static const char *const keys[] = {"interceptions",  "reviewed", "correct",
                                       "false_positive", "unsure",   "open"};
    buf_append_char(out, '{');
    book_json(out, "day", day);
    int r = numbers(c, out, totals, t, keys, 6);
    buf_append(out, SPAN_LIT(",\"second\":{"));
    if (r == 0)
        r = numbers(c, out, second, t, second_keys, 3);
    buf_append(out, SPAN_LIT("},\"by_reviewer\":"));
    if (r == 0)
        r = list(c, out, by_reviewer, t, reviewer_keys, "siiiii");
    buf_append(out, SPAN_LIT(",\"by_rule\":"));
    if (r == 0)
        r = list(c, out, by_rule, t, rule_keys, "ssiii");
    buf_append(out, SPAN_LIT(",\"differences\":"));
    if (r == 0)
        r = list(c, out, differences, t, difference_keys, "sssss");
    if (r == 0)
        r = put_signed(c, day, out);
    return r < 0 ? r : buf_append_char(out, '}');
}

int casebook_summary(struct casebook *c, struct span day, struct buf *out)
{
    uint64_t begin, end;
    char text[16];
    if (!casebook_day(day, &begin, &end))
        return -EINVAL;
    casebook_day_text(begin, text);
    struct span_of_time t = {(int64_t)begin, (int64_t)end};
    pthread_mutex_lock(&c->read_lock);
    int r = summarize(c, &t, span_str(text), out);
    pthread_mutex_unlock(&c->read_lock);
    return r;
}

int casebook_totals(struct casebook *c, uint64_t since_us, uint64_t until_us, struct buf *out)
{
    static const char *const keys[] = {"interceptions",  "done",   "correct",
                                       "false_positive", "unsure", "open"};
    struct span_of_time t = {(int64_t)since_us, until_us ? (int64_t)until_us : INT64_MAX};
    pthread_mutex_lock(&c->read_lock);
    buf_append_char(out, '{');
    int r = numbers(c, out, totals, &t, keys, 6);
    pthread_mutex_unlock(&c->read_lock);
    return r < 0 ? r : buf_append_char(out, '}');
}

int casebook_by_rule(struct casebook *c, uint64_t since_us, struct buf *out)
{
    struct span_of_time t = {(int64_t)since_us, INT64_MAX};
    pthread_mutex_lock(&c->read_lock);
    int r = list(c, out, by_rule, &t, rule_keys, "ssiii");
    pthread_mutex_unlock(&c->read_lock);
    return r;
}
