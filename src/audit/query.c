#include "audit/querying.h"

#include "base/cleanup.h"
#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

static struct span dir_of(const struct query *q)
{
    return span_str(q->dir);
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
        if (querypages_is_candidate(q, &r->records[i - 1]))
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
        if (querypages_is_candidate(q, rec) && rec->entry.hit_count && has_text(q, &rec->entry))
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
            r = querypages_advance(q);
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
    q->requests = BUF_INIT(QUERY_PAGE * 1024);
    int r = files_list(dir, 0, &q->files);
    if (r == 0 && q->files.count == 0)
        r = -ENOENT;
    if (r == 0)
        r = find_live_run(q);
    /* An exchange stands where its last record is: one that goes on while we read would never be
     * met, neither there nor where it stood. */
    if (r == 0 && !f->follow && !f->upto_seq)
        r = query_last_seq(dir, &q->f.upto_seq);
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
    querypages_close(q);
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
