#include "audit/query.h"

#include "audit/row.h"
#include "base/buf.h"
#include "base/cleanup.h"

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

struct query {
    char dir[PATH_MAX];
    struct query_filter f;
    struct files files;
    size_t at; /* the month that is read: index into files, in the direction of reading */
    struct row_month months[3]; /* before, current, after: an exchange may pass midnight */
    bool open;
    struct candidate page[PAGE];
    size_t page_count, page_next;
    struct buf requests;
    uint64_t last; /* the last candidate's number, where the next page goes on */
    bool month_done;
    uint64_t floor; /* records of the month before it are too old */
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
    q->open = false;
}

static size_t month_index(const struct query *q)
{
    return is_backwards(q) ? q->files.count - 1 - q->at : q->at;
}

/*
 * The first record of the open month that is not older than the filter asks for, by the index over
 * times: the pages then need not look at older ones. Clock steps do no harm, for records behind it
 * are still compared one by one. 0 where nothing is asked.
 */
static int find_floor(struct query *q)
{
    struct db_stmt *s = NULL;
    q->floor = 0;
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
        q->floor = (uint64_t)db_column_int(s, 0);
    db_finalize(s);
    return r < 0 ? r : 0;
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
    q->open = true;
    q->month_done = false;
    int r = find_floor(q);
    if (r < 0)
        return r;
    q->last = is_backwards(q) ? INT64_MAX : q->f.follow ? q->f.after_seq : 0;
    return 0;
}

static int write_condition(const struct query *q, struct buf *sql)
{
    int r = buf_printf(sql, "SELECT seq, request FROM record WHERE seq %s ?1",
                       is_backwards(q) ? "<" : ">");
    if (r == 0 && !q->f.all)
        r = buf_append(sql, q->f.acts ? SPAN_LIT(" AND (weight > 0 OR (request = '' AND"
                                                 " instr(body, ?7) > 0))")
                                      : SPAN_LIT(" AND weight > 0"));
    if (r == 0 && q->f.end_user_begins.len)
        r = buf_append(sql, SPAN_LIT(" AND instr(body, ?8) > 0"));
    if (r == 0 && q->f.since_us)
        r = buf_append(sql, SPAN_LIT(" AND time >= ?2 AND seq >= ?6"));
    if (r == 0 && q->f.until_us)
        r = buf_append(sql, SPAN_LIT(" AND time < ?3"));
    if (r == 0 && q->f.upto_seq)
        r = buf_append(sql, SPAN_LIT(" AND seq <= ?5"));
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

/* Does the record itself satisfy what the page's SQL asks? */
static bool is_candidate(const struct query *q, const struct row_record *rec)
{
    return (q->f.all || rec->weight > 0 || is_act(q, rec)) &&
           span_starts(rec->entry.end_user, q->f.end_user_begins) &&
           (!q->f.since_us || rec->time_us >= q->f.since_us) &&
           (!q->f.until_us || rec->time_us < q->f.until_us) &&
           (!q->f.follow || rec->seq > q->f.after_seq) &&
           (!q->f.upto_seq || rec->seq <= q->f.upto_seq);
}

/* The user as he stands in a record: hex digits, or their beginning. */
static struct span member_of(struct span end_user, char room[MEMBER_SIZE])
{
    int n = snprintf(room, MEMBER_SIZE, "\"end_user\":\"%.*s", SPAN_ARG(end_user));
    return span_from(room, n < MEMBER_SIZE ? (size_t)n : MEMBER_SIZE - 1);
}

static int read_page(struct query *q)
{
    char acts[MEMBER_SIZE], begins[MEMBER_SIZE];
    struct buf sql = BUF_INIT(1024);
    struct db_stmt *s = NULL;
    q->page_count = q->page_next = 0;
    buf_clear(&q->requests);
    /* The spans below point into it. */
    int r = buf_reserve(&q->requests, PAGE * 1024);
    if (r == 0)
        r = write_condition(q, &sql);
    if (r == 0)
        r = db_prepare(q->months[1].l0, buf_span(&sql), &s);
    buf_deinit(&sql);
    if (r < 0)
        return r;
    db_bind_int(s, 1, clamp(q->last));
    if (q->f.since_us)
        db_bind_int(s, 2, clamp(q->f.since_us));
    if (q->f.since_us)
        db_bind_int(s, 6, clamp(q->floor));
    if (q->f.until_us)
        db_bind_int(s, 3, clamp(q->f.until_us));
    if (q->f.request_id.len)
        db_bind_text(s, 4, q->f.request_id);
    if (q->f.upto_seq)
        db_bind_int(s, 5, clamp(q->f.upto_seq));
    if (q->f.acts && !q->f.all)
        db_bind_text(s, 7, member_of(q->f.end_user, acts));
    if (q->f.end_user_begins.len)
        db_bind_text(s, 8, member_of(q->f.end_user_begins, begins));
    while ((r = db_step(s)) == 1) {
        struct candidate *c = &q->page[q->page_count++];
        struct span request = db_column_text(s, 1);
        if (request.len > 1024)
            request.len = 1024;
        c->seq = (uint64_t)db_column_int(s, 0);
        size_t from = q->requests.len;
        r = buf_append(&q->requests, request);
        if (r < 0)
            break;
        c->request = span_slice(buf_span(&q->requests), from, q->requests.len);
        q->last = c->seq;
    }
    db_finalize(s);
    q->month_done = q->page_count < PAGE;
    return r < 0 ? r : 0;
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

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static bool contains(struct span s, struct span needle)
{
    for (size_t at = 0; at + needle.len <= s.len; at++) {
        size_t n = 0;
        while (n < needle.len && lower(s.data[at + n]) == lower(needle.data[n]))
            n++;
        if (n == needle.len)
            return true;
    }
    return false;
}

static bool hit_fits(const struct query_filter *f, const struct query_hit *h)
{
    if (!span_starts(h->entry->risk, f->risk))
        return false;
    if (f->rule.len && !span_eq(h->entry->rule, f->rule))
        return false;
    if (f->direction && !span_eq(h->entry->direction, span_str(direction_name(f->direction))))
        return false;
    return f->text.len == 0 || contains(h->text, f->text) || contains(h->context, f->text) ||
           contains(h->folded, f->text);
}

static bool row_fits(const struct query *q)
{
    const struct query_filter *f = &q->f;
    const struct entry *e = &q->out.entry;
    if (f->actions) {
        enum action a = action_from(e->action);
        if (a < 0 || !(f->actions & (1u << a)))
            return false;
    }
    if (!f->any_purpose && !span_eq(e->purpose, f->purpose))
        return false;
    if ((f->app.len && !span_eq(e->app, f->app)) ||
        (f->end_user.len && !span_eq(e->end_user, f->end_user)) ||
        (f->model.len && !span_eq(e->model, f->model) && !span_eq(e->model_answered, f->model)) ||
        (f->request_id.len && !span_eq(e->request_id, f->request_id)))
        return false;
    if (f->risk.len == 0 && f->rule.len == 0 && f->direction == 0 && f->text.len == 0)
        return true;
    /* One hit has to satisfy all that is asked of hits. */
    for (size_t i = 0; i < q->out.hit_count; i++)
        if (hit_fits(f, &q->out.hits[i]))
            return true;
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
    if (!is_chosen(q, c->seq))
        return 0;
    int r = row_fold(&q->row, months, &q->out);
    if (r < 0)
        return r;
    if (q->out.state == QUERY_INTERRUPTED && q->live_run[0] &&
        span_eq(q->out.entry.run, span_str(q->live_run)))
        q->out.state = QUERY_RUNNING;
    return row_fits(q);
}

int query_next(struct query *q, const struct query_row **ret_row)
{
    while (q->f.limit == 0 || q->given < q->f.limit) {
        if (q->page_next < q->page_count) {
            int r = try_candidate(q, &q->page[q->page_next++]);
            if (r < 0)
                return r;
            if (r == 0)
                continue;
            q->given++;
            *ret_row = &q->out;
            return 1;
        }
        if (q->open && q->month_done) {
            close_months(q);
            q->at++;
        }
        if (q->at >= q->files.count)
            return 0;
        int r = q->open ? 0 : open_months(q);
        if (r == -ENOENT) {
            /* Begun and never used, or removed since the listing. */
            close_months(q);
            q->at++;
            continue;
        }
        if (r == 0)
            r = read_page(q);
        if (r < 0)
            return r;
    }
    return 0;
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
