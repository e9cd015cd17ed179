#include "audit/querying.h"

#include "audit/index.h"

#include <errno.h>
#include <stdio.h>

#define MEMBER_SIZE 96

static bool is_backwards(const struct query *q)
{
    return !q->f.oldest_first && !q->f.follow;
}

/* ---- months ---- */

static int64_t clamp(uint64_t value)
{
    return value > INT64_MAX ? INT64_MAX : (int64_t)value;
}

void querypages_close(struct query *q)
{
    for (size_t i = 0; i < 3; i++)
        row_month_close(&q->months[i]);
    sieve_close(q->sieve);
    q->sieve = NULL;
    q->open = false;
}

static size_t month_index(const struct query *q)
{
    return is_backwards(q) ? q->files.count - 1 - q->at : q->at;
}

/*
 * The first record of the open month that is not older than the filter asks for, by the index over
 * times: the pages then need not look at older ones. Clock steps do no harm, for records behind it
 * are still compared one by one.
 */
static int find_floor(struct query *q, uint64_t *ret_floor)
{
    struct db_stmt *s = NULL;
    *ret_floor = 0;
    if (q->f.since_us == 0)
        return 0;
    int r = db_prepare(q->months[1].l0,
                       SPAN_LIT("SELECT ifnull(min(seq), 9223372036854775807) FROM record INDEXED"
                                " BY record_time WHERE time >= ?1"),
                       &s);
    if (r < 0)
        return r;
    db_bind_int(s, 1, clamp(q->f.since_us));
    r = db_step(s);
    if (r == 1)
        *ret_floor = (uint64_t)db_column_int(s, 0);
    db_finalize(s);
    return r < 0 ? r : 0;
}

static void add_segment(struct query *q, bool sieved, uint64_t low, uint64_t high)
{
    q->segments[q->segment_count++] = (struct segment){sieved, low, high};
}

/* Between which records the span of time lies, by the index's table of times. */
static int add_bounded(struct query *q)
{
    struct db *ix = NULL;
    uint64_t end = 0, from = 0, to = 0, floor = 0;
    int r = -ENOENT;
    if (q->f.since_us || q->f.until_us)
        r = index_open_read(span_str(q->dir), INDEX_ROWS, q->files.months[month_index(q)],
                            q->months[1].l0, &ix, &end);
    if (r == 0) {
        r = sieve_bounds(ix, end, q->f.since_us, q->f.until_us, &from, &to);
        add_segment(q, false, from, to < end ? to : end);
        add_segment(q, false, end + 1, INT64_MAX);
    } else if (r == -ENOENT) {
        r = find_floor(q, &floor);
        add_segment(q, false, floor, INT64_MAX);
    }
    db_close(ix);
    return r;
}

/* How the open month is read: what the index speaks of through it, what is behind it from the log.
 */
static int plan_month(struct query *q)
{
    q->segment_count = q->segment = 0;
    int r = 0;
    if (!q->f.follow && q->f.request_id.len == 0 && !q->f.acts) /* it knows no acts */
        r = sieve_open(span_str(q->dir), q->files.months[month_index(q)], q->months[1].l0, &q->f,
                       is_backwards(q), &q->sieve);
    if (r < 0)
        return r;
    if (q->sieve) {
        add_segment(q, true, 0, sieve_end(q->sieve));
        add_segment(q, false, sieve_end(q->sieve) + 1, INT64_MAX);
    } else {
        r = add_bounded(q);
    }
    if (is_backwards(q) && q->segment_count == 2) {
        struct segment first = q->segments[0];
        q->segments[0] = q->segments[1];
        q->segments[1] = first;
    }
    return r;
}

/* Within the month, the segment and what the filter allows; `last` is behind the first record to be
 * read. */
static void begin_segment(struct query *q)
{
    struct segment *g = &q->segments[q->segment];
    if (g->low < q->first_seq)
        g->low = q->first_seq;
    if (g->high > q->last_seq)
        g->high = q->last_seq;
    if (g->low <= q->f.after_seq)
        g->low = q->f.after_seq + 1;
    if (q->f.upto_seq && g->high > q->f.upto_seq)
        g->high = q->f.upto_seq;
    if (q->f.before_seq && g->high >= q->f.before_seq)
        g->high = q->f.before_seq - 1;
    q->last = is_backwards(q) ? g->high + 1 : g->low - 1;
}

/* Which records the open month has. -ENOENT: none. */
static int find_extent(struct query *q)
{
    struct db_stmt *s = NULL;
    int r = db_prepare(q->months[1].l0,
                       SPAN_LIT("SELECT (SELECT min(seq) FROM record), (SELECT max(seq) FROM"
                                " record)"),
                       &s);
    if (r == 0)
        r = db_step(s);
    if (r == 1) {
        q->first_seq = (uint64_t)db_column_int(s, 0);
        q->last_seq = (uint64_t)db_column_int(s, 1);
        r = q->first_seq ? 0 : -ENOENT;
    }
    db_finalize(s);
    return r;
}

/* Opens the month and its neighbours; those may be missing. */
static int open_months(struct query *q)
{
    size_t index = month_index(q);
    for (size_t i = 0; i < 3; i++) {
        if (index + i < 1 || index + i - 1 >= q->files.count)
            continue;
        int r = row_month_open(span_str(q->dir), q->files.months[index + i - 1], &q->months[i]);
        if (r < 0 && (r != -ENOENT || i == 1))
            return r;
    }
    int r = find_extent(q);
    if (r == 0 && q->f.text.len && !q->f.follow && !q->months[1].l1)
        r = -ENOENT; /* its texts are gone */
    if (r == 0)
        r = plan_month(q);
    if (r < 0)
        return r;
    q->open = true;
    begin_segment(q);
    return 0;
}

/* On to the next segment or, behind the last one, the next month. */
static void next_segment(struct query *q)
{
    if (++q->segment < q->segment_count) {
        begin_segment(q);
        return;
    }
    bool behind = is_backwards(q) && q->first_seq <= q->f.after_seq;
    querypages_close(q);
    q->at = behind ? q->files.count : q->at + 1;
}

/* ---- pages ---- */

static bool is_act(const struct query *q, const struct row_record *rec)
{
    return q->f.acts && span_eq(rec->entry.kind, SPAN_LIT("admin")) &&
           span_eq(rec->entry.end_user, q->f.end_user);
}

static bool is_admin(const struct row_record *rec)
{
    return span_eq(rec->entry.kind, SPAN_LIT("admin")) || span_eq(rec->entry.kind, SPAN_LIT("gap"));
}

/* A text is searched in records that have one. */
bool querypages_is_candidate(const struct query *q, const struct row_record *rec)
{
    bool wanted = q->f.admin ? is_admin(rec) : q->f.all || rec->weight > 0 || is_act(q, rec);
    return wanted && span_starts(rec->entry.end_user, q->f.end_user_begins) &&
           (!q->f.since_us || rec->time_us >= q->f.since_us) &&
           (!q->f.until_us || rec->time_us < q->f.until_us) && rec->seq > q->f.after_seq &&
           (!q->f.upto_seq || rec->seq <= q->f.upto_seq);
}

static int write_condition(const struct query *q, struct buf *sql)
{
    int r = buf_append(sql, SPAN_LIT("SELECT seq, request FROM record WHERE seq >= ?1 AND"
                                     " seq <= ?5"));
    if (r == 0 && q->f.admin)
        r = buf_append(sql, SPAN_LIT(" AND request = ''"));
    else if (r == 0 && !q->f.all)
        r = buf_append(sql, q->f.acts ? SPAN_LIT(" AND (weight > 0 OR (request = '' AND"
                                                 " instr(body, ?7) > 0))")
                                      : SPAN_LIT(" AND weight > 0"));
    if (r == 0 && q->f.end_user_begins.len)
        r = buf_append(sql, SPAN_LIT(" AND instr(body, ?8) > 0"));
    if (r == 0 && q->f.since_us)
        r = buf_append(sql, SPAN_LIT(" AND time >= ?2"));
    if (r == 0 && q->f.until_us)
        r = buf_append(sql, SPAN_LIT(" AND time < ?3"));
    if (r == 0 && q->f.request_id.len)
        r = buf_append(sql, SPAN_LIT(" AND request = ?4 AND request <> ''"));
    return r < 0 ? r
                 : buf_printf(sql, " ORDER BY seq%s LIMIT %d", is_backwards(q) ? " DESC" : "",
                              QUERY_PAGE);
}

static int add_to_page(struct query *q, uint64_t seq, struct span request)
{
    struct candidate *c = &q->page[q->page_count];
    size_t from = q->requests.len;
    if (request.len > 1024)
        request.len = 1024;
    int r = buf_append(&q->requests, request);
    if (r < 0)
        return r;
    *c = (struct candidate){seq, span_slice(buf_span(&q->requests), from, q->requests.len)};
    q->page_count++;
    return 0;
}

/* The user as he stands in a record: hex digits, or their beginning. */
static struct span member_of(struct span end_user, char room[MEMBER_SIZE])
{
    int n = snprintf(room, MEMBER_SIZE, "\"end_user\":\"%.*s", SPAN_ARG(end_user));
    return span_from(room, n < MEMBER_SIZE ? (size_t)n : MEMBER_SIZE - 1);
}

static int read_log(struct query *q, bool *ret_done)
{
    const struct segment *g = &q->segments[q->segment];
    char acts[MEMBER_SIZE], begins[MEMBER_SIZE];
    struct buf sql = BUF_INIT(1024);
    struct db_stmt *s = NULL;
    int r = write_condition(q, &sql);
    if (r == 0)
        r = db_prepare(q->months[1].l0, buf_span(&sql), &s);
    buf_deinit(&sql);
    if (r < 0)
        return r;
    db_bind_int(s, 1, clamp(is_backwards(q) ? g->low : q->last + 1));
    db_bind_int(s, 5, clamp(is_backwards(q) ? q->last - 1 : g->high));
    if (q->f.since_us)
        db_bind_int(s, 2, clamp(q->f.since_us));
    if (q->f.until_us)
        db_bind_int(s, 3, clamp(q->f.until_us));
    if (q->f.request_id.len)
        db_bind_text(s, 4, q->f.request_id);
    if (q->f.acts && !q->f.all && !q->f.admin)
        db_bind_text(s, 7, member_of(q->f.end_user, acts));
    if (q->f.end_user_begins.len)
        db_bind_text(s, 8, member_of(q->f.end_user_begins, begins));
    while ((r = db_step(s)) == 1) {
        q->last = (uint64_t)db_column_int(s, 0);
        r = add_to_page(q, q->last, db_column_text(s, 1));
        if (r < 0)
            break;
    }
    db_finalize(s);
    *ret_done = q->page_count < QUERY_PAGE;
    return r < 0 ? r : 0;
}

/* Adds those of the records that are within the segment. */
static int add_records(struct query *q, const uint64_t *seqs, size_t count)
{
    const struct segment *g = &q->segments[q->segment];
    struct db_stmt *s = NULL;
    int r = db_prepare(q->months[1].l0, SPAN_LIT("SELECT request FROM record WHERE seq = ?1"), &s);
    for (size_t i = 0; r >= 0 && i < count; i++) {
        if (seqs[i] < g->low || seqs[i] > g->high)
            continue;
        db_bind_int(s, 1, clamp(seqs[i]));
        r = db_step(s);
        if (r == 1)
            r = add_to_page(q, seqs[i], db_column_text(s, 0));
        db_reset(s);
    }
    db_finalize(s);
    return r < 0 ? r : 0;
}

static int read_sieve(struct query *q, bool *ret_done)
{
    const struct segment *g = &q->segments[q->segment];
    uint64_t seqs[QUERY_PAGE];
    size_t count = 0;
    int r = sieve_page(q->sieve, &q->last, seqs, QUERY_PAGE, &count, ret_done);
    if (r == 0)
        r = add_records(q, seqs, count);
    /* Beyond the bounds of this query there is nothing to look for. */
    *ret_done |= is_backwards(q) ? q->last <= g->low : q->last >= g->high;
    return r;
}

/* Records that have texts at all are few among all that there are. */
static int read_texts(struct query *q, bool *ret_done)
{
    const struct segment *g = &q->segments[q->segment];
    uint64_t seqs[QUERY_PAGE];
    size_t count = 0;
    struct db_stmt *s = NULL;
    int r = db_prepare(q->months[1].l1,
                       is_backwards(q)
                           ? SPAN_LIT("SELECT DISTINCT seq FROM text WHERE seq >= ?1 AND seq <= ?2"
                                      " ORDER BY seq DESC LIMIT ?3")
                           : SPAN_LIT("SELECT DISTINCT seq FROM text WHERE seq >= ?1 AND seq <= ?2"
                                      " ORDER BY seq LIMIT ?3"),
                       &s);
    if (r < 0)
        return r;
    db_bind_int(s, 1, clamp(is_backwards(q) ? g->low : q->last + 1));
    db_bind_int(s, 2, clamp(is_backwards(q) ? q->last - 1 : g->high));
    db_bind_int(s, 3, QUERY_PAGE);
    while ((r = db_step(s)) == 1)
        q->last = seqs[count++] = (uint64_t)db_column_int(s, 0);
    db_finalize(s);
    *ret_done = count < QUERY_PAGE;
    return r < 0 ? r : add_records(q, seqs, count);
}

static int read_page(struct query *q)
{
    const struct segment *g = &q->segments[q->segment];
    bool done = true;
    q->page_count = q->page_next = 0;
    buf_clear(&q->requests);
    /* The candidates' spans point into it. */
    int r = buf_reserve(&q->requests, QUERY_PAGE * 1024);
    bool any = is_backwards(q) ? q->last > g->low : q->last < g->high;
    if (r == 0 && any)
        r = g->sieved                                                   ? read_sieve(q, &done)
            : q->f.text.len && !q->f.follow && q->f.request_id.len == 0 ? read_texts(q, &done)
                                                                        : read_log(q, &done);
    q->segment_done = done;
    if (r == 0 && done && any)
        q->last = is_backwards(q) ? g->low : g->high;
    return r;
}

int querypages_advance(struct query *q)
{
    if (q->open && q->segment_done) {
        q->segment_done = false;
        next_segment(q);
        return 0;
    }
    int r = q->open ? 0 : open_months(q);
    if (r == -ENOENT) {
        /* Begun and never used, or removed since the listing. */
        querypages_close(q);
        q->at++;
        return 0;
    }
    if (r == 0)
        r = read_page(q);
    if (r == 0 && q->page_count == 0 && q->open && q->segments[q->segment].low <= q->last)
        q->position = q->last;
    return r;
}
