#include "audit/query.h"

#include "audit/index.h"
#include "audit/row.h"
#include "audit/sieve.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#define MEMBER_SIZE 96
#define PAGE        256 /* candidates looked up at once; no statement stays open between pages */

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
    struct candidate page[PAGE];
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

static struct span dir_of(const struct query *q)
{
    return span_str(q->dir);
}

static bool is_backwards(const struct query *q)
{
    return !q->f.oldest_first && !q->f.follow;
}

/* ---- the state of the writer ---- */

bool query_is_written(struct span dir)
{
    char path[PATH_MAX];
    if (!files_join(dir, "lock", path))
        return false;
    /* A write lock can only be asked about through a descriptor for writing. */
    int fd cleanup(cleanup_close) = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    return fd >= 0 && fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

/* The run that the newest record belongs to, if its process is still there. */
static int find_live_run(struct query *q)
{
    q->live_run[0] = '\0';
    if (!query_is_written(dir_of(q)))
        return 0;
    for (size_t n = q->files.count; n > 0; n--) {
        struct row_month m;
        struct db_stmt *s = NULL;
        struct entry e;
        int r = row_month_open(dir_of(q), q->files.months[n - 1], &m);
        if (r == -ENOENT)
            continue;
        if (r < 0)
            return r;
        r = db_prepare(m.l0, SPAN_LIT("SELECT body FROM record ORDER BY seq DESC LIMIT 1"), &s);
        if (r == 0)
            r = db_step(s);
        bool found = false;
        if (r == 1) {
            row_clear(&q->row);
            r = entry_parse(db_column_text(s, 0), &q->row.arena, &e);
            if (r == 0 && e.run.len < sizeof(q->live_run)) {
                memcpy(q->live_run, e.run.data, e.run.len);
                q->live_run[e.run.len] = '\0';
            }
            found = true;
        }
        db_finalize(s);
        row_month_close(&m);
        if (r < 0 && !found)
            return r;
        if (found)
            break;
    }
    return 0;
}

/* ---- months ---- */

static int64_t clamp(uint64_t value)
{
    return value > INT64_MAX ? INT64_MAX : (int64_t)value;
}

static void close_months(struct query *q)
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
        r = index_open_read(dir_of(q), INDEX_ROWS, q->files.months[month_index(q)], q->months[1].l0,
                            &ix, &end);
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
        r = sieve_open(dir_of(q), q->files.months[month_index(q)], q->months[1].l0, &q->f,
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
        int r = row_month_open(dir_of(q), q->files.months[index + i - 1], &q->months[i]);
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
    close_months(q);
    q->at = behind ? q->files.count : q->at + 1;
}

/* ---- pages ---- */

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
    return r < 0
               ? r
               : buf_printf(sql, " ORDER BY seq%s LIMIT %d", is_backwards(q) ? " DESC" : "", PAGE);
}

static bool is_act(const struct query *q, const struct row_record *rec)
{
    return q->f.acts && span_eq(rec->entry.kind, SPAN_LIT("admin")) &&
           span_eq(rec->entry.end_user, q->f.end_user);
}

static bool is_admin(const struct row_record *rec)
{
    return span_eq(rec->entry.kind, SPAN_LIT("admin")) || span_eq(rec->entry.kind, SPAN_LIT("gap"));
}

/* Does the record itself satisfy what the pages ask? A text is searched in records that have one.
 */
static bool is_candidate(const struct query *q, const struct row_record *rec)
{
    bool wanted = q->f.admin ? is_admin(rec) : q->f.all || rec->weight > 0 || is_act(q, rec);
    return wanted && span_starts(rec->entry.end_user, q->f.end_user_begins) &&
           (!q->f.since_us || rec->time_us >= q->f.since_us) &&
           (!q->f.until_us || rec->time_us < q->f.until_us) && rec->seq > q->f.after_seq &&
           (!q->f.upto_seq || rec->seq <= q->f.upto_seq);
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
    *ret_done = q->page_count < PAGE;
    return r < 0 ? r : 0;
}

static int read_sieve(struct query *q, bool *ret_done)
{
    const struct segment *g = &q->segments[q->segment];
    uint64_t seqs[PAGE];
    size_t count = 0;
    struct db_stmt *s = NULL;
    int r = sieve_page(q->sieve, &q->last, seqs, PAGE, &count, ret_done);
    if (r == 0)
        r = db_prepare(q->months[1].l0, SPAN_LIT("SELECT request FROM record WHERE seq = ?1"), &s);
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
    /* Beyond the bounds of this query there is nothing to look for. */
    *ret_done |= is_backwards(q) ? q->last <= g->low : q->last >= g->high;
    return r < 0 ? r : 0;
}

static int read_page(struct query *q)
{
    const struct segment *g = &q->segments[q->segment];
    bool done = true;
    q->page_count = q->page_next = 0;
    buf_clear(&q->requests);
    /* The candidates' spans point into it. */
    int r = buf_reserve(&q->requests, PAGE * 1024);
    bool any = is_backwards(q) ? q->last > g->low : q->last < g->high;
    if (r == 0 && any)
        r = g->sieved ? read_sieve(q, &done) : read_log(q, &done);
    q->segment_done = done;
    if (r == 0 && done && any)
        q->last = is_backwards(q) ? g->low : g->high;
    return r;
}

/* ---- rows ---- */

/* Of the records of an exchange that a listing meets, one is chosen to stand for all. */
static bool is_chosen(const struct query *q, uint64_t seq)
{
    const struct row *r = &q->row;
    if (q->f.follow) {
        const struct row_record *first = NULL, *close = NULL;
        for (size_t i = 0; i < r->count; i++) {
            const struct row_record *rec = &r->records[i];
            if (!first && span_eq(rec->entry.kind, SPAN_LIT("act")))
                first = rec;
            if (!close && !span_eq(rec->entry.kind, SPAN_LIT("open")))
                close = rec;
        }
        const struct row_record *chosen = first ? first : close;
        return chosen && chosen->seq == seq;
    }
    for (size_t i = r->count; i > 0; i--)
        if (is_candidate(q, &r->records[i - 1]))
            return r->records[i - 1].seq == seq;
    return false;
}

static bool is_of(const struct query_hit *h, const struct entry *e)
{
    return h->entry >= e->hits && h->entry < e->hits + e->hit_count;
}

static bool has_text(const struct query *q, const struct entry *e)
{
    for (size_t i = 0; i < q->out.hit_count; i++)
        if (is_of(&q->out.hits[i], e) && query_text_fits(&q->f, &q->out.hits[i]))
            return true;
    for (size_t i = 0; i < q->out.kept_count; i++)
        if (is_of(&q->out.kept[i], e) && query_text_fits(&q->f, &q->out.kept[i]))
            return true;
    return false;
}

/* The same where a text is searched for, for the index finds records by their own texts: the last
 * that has it. The row has been folded. */
static bool is_chosen_by_text(const struct query *q, uint64_t seq)
{
    for (size_t i = q->row.count; i > 0; i--) {
        const struct row_record *rec = &q->row.records[i - 1];
        if (is_candidate(q, rec) && rec->entry.hit_count && has_text(q, &rec->entry))
            return rec->seq == seq;
    }
    return false;
}

/* 1: q->out is a row to give; 0: not this one. */
static int try_candidate(struct query *q, const struct candidate *c)
{
    struct row_month *const months[] = {&q->months[0], &q->months[1], &q->months[2]};
    row_clear(&q->row);
    for (unsigned i = 0; i < 3; i++) {
        if (!months[i]->l0 || (c->request.len == 0 && i != 1))
            continue;
        int r = row_gather(&q->row, months[i], i, c->request, c->seq);
        if (r < 0)
            return r;
    }
    if (q->row.count == 0)
        return 0;
    row_sort(&q->row);
    bool by_text = q->f.text.len && !q->f.follow;
    if (!by_text && !is_chosen(q, c->seq))
        return 0;
    int r = row_fold(&q->row, months, &q->out);
    if (r < 0)
        return r;
    if (q->out.state == QUERY_INTERRUPTED && q->live_run[0] &&
        span_eq(q->out.entry.run, span_str(q->live_run)))
        q->out.state = QUERY_RUNNING;
    if ((by_text && !is_chosen_by_text(q, c->seq)) || !query_fits(&q->f, &q->out))
        return 0;
    if (!q->f.keep)
        return 1;
    return q->out.entry.request_id.len ? q->f.keep(q->f.keep_ctx, q->out.entry.request_id) : 0;
}

/* What was looked at last is behind us. */
static bool is_out_of_time(struct query *q)
{
    q->cut = q->deadline_us && clock_mono_us() >= q->deadline_us;
    return q->cut;
}

/* Makes the next page, or moves on. 0, with nothing left when all months are behind us. */
static int advance(struct query *q)
{
    if (q->open && q->segment_done) {
        q->segment_done = false;
        next_segment(q);
        return 0;
    }
    int r = q->open ? 0 : open_months(q);
    if (r == -ENOENT) {
        /* Begun and never used, or removed since the listing. */
        close_months(q);
        q->at++;
        return 0;
    }
    if (r == 0)
        r = read_page(q);
    if (r == 0 && q->page_count == 0 && q->open && q->segments[q->segment].low <= q->last)
        q->position = q->last;
    return r;
}

int query_next(struct query *q, const struct query_row **ret_row)
{
    while (q->f.limit == 0 || q->given < q->f.limit) {
        int r;
        if (q->page_next < q->page_count) {
            const struct candidate *c = &q->page[q->page_next++];
            r = try_candidate(q, c);
            if (r < 0)
                return r;
            q->position = c->seq;
            if (r == 1) {
                q->given++;
                *ret_row = &q->out;
                return 1;
            }
        } else if (q->at >= q->files.count) {
            return 0;
        } else {
            r = advance(q);
            if (r < 0)
                return r;
        }
        if (is_out_of_time(q))
            return 0;
    }
    return 0;
}

bool query_is_complete(const struct query *q)
{
    return !q->cut;
}

uint64_t query_position(const struct query *q)
{
    return q->position;
}

/* What can only be found among interceptions need not be looked for among all. Samples have texts,
 * but no rules. */
static void narrow(struct query_filter *f)
{
    bool asks = f->risk.len || f->rule.len || (f->direction && !f->text.len);
    if (asks || (f->actions && !(f->actions & 1u << ACTION_ALLOW)))
        f->all = false;
}

/* Whole months that can't hold what is asked for are not opened. A month's file may hold records
 * of the hours around it, hence a month more on either side. */
static void skip_months(struct query *q)
{
    if (q->f.since_us == 0 && q->f.until_us == 0)
        return;
    files_month from = q->f.since_us ? files_month_of(q->f.since_us) - 1 : 0;
    size_t kept = 0;
    for (size_t i = 0; i < q->files.count; i++)
        if (q->files.months[i] >= from)
            q->files.months[kept++] = q->files.months[i];
    q->files.count = kept;
}

int query_open(struct span dir, const struct query_filter *f, struct query **ret_query)
{
    if (dir.len == 0 || dir.len >= PATH_MAX - 64 || memchr(dir.data, 0, dir.len))
        return -EINVAL;
    struct query *q = calloc(1, sizeof(*q));
    if (!q)
        return -ENOMEM;
    memcpy(q->dir, dir.data, dir.len);
    q->f = *f;
    narrow(&q->f);
    q->position = f->before_seq;
    if (f->budget_us)
        q->deadline_us = clock_mono_us() + f->budget_us;
    q->requests = BUF_INIT(PAGE * 1024);
    int r = files_list(dir, 0, &q->files);
    if (r == 0 && q->files.count == 0)
        r = -ENOENT;
    if (r == 0)
        r = find_live_run(q);
    if (r < 0) {
        query_close(q);
        return r;
    }
    skip_months(q);
    *ret_query = q;
    return 0;
}

void query_close(struct query *q)
{
    if (!q)
        return;
    close_months(q);
    row_clear(&q->row);
    buf_deinit(&q->requests);
    free(q);
}

int query_last_seq(struct span dir, uint64_t *ret_seq)
{
    struct files *files cleanup(cleanup_free) = malloc(sizeof(*files));
    if (!files)
        return -ENOMEM;
    int r = files_list(dir, 0, files);
    if (r < 0)
        return r;
    for (size_t n = files->count; n > 0; n--) {
        struct row_month m;
        struct db_stmt *s = NULL;
        r = row_month_open(dir, files->months[n - 1], &m);
        if (r == -ENOENT)
            continue;
        if (r < 0)
            return r;
        r = db_prepare(m.l0, SPAN_LIT("SELECT seq FROM head"), &s);
        if (r == 0)
            r = db_step(s);
        if (r == 1)
            *ret_seq = (uint64_t)db_column_int(s, 0);
        db_finalize(s);
        row_month_close(&m);
        return r == 1 ? 0 : r < 0 ? r : -EBADMSG;
    }
    return -ENOENT;
}
