#include "audit/holds.h"

#include "audit/act.h"
#include "audit/files.h"
#include "audit/writer.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "db/db.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FILE_NAME    "holds.tsv"
#define FILE_MAX     ((size_t)HOLDS_MAX * 2048)
#define ARENA_MAX    ((size_t)16 << 20)
#define COLUMNS      8
#define DETAIL_MAX   4096
#define COLUMN_SIZE  256
#define ENTRY_MEMORY ((size_t)1 << 20)
#define SLACK_US     60000000u /* by which clocks may have been set between list and record */

/* ---- the list ---- */

static int read_file(struct span dir, struct buf *out)
{
    char path[PATH_MAX];
    if (!files_join(dir, FILE_NAME, path))
        return -ENAMETOOLONG;
    int fd cleanup(cleanup_close) = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return errno == ENOENT ? 0 : -errno;
    for (;;) {
        int r = buf_reserve(out, 4096);
        if (r < 0)
            return r;
        ssize_t n = read(fd, out->data + out->len, 4096);
        if (n <= 0)
            return n < 0 ? -errno : 0;
        out->len += (size_t)n;
    }
}

static bool read_number(struct span s, uint64_t *ret)
{
    unsigned long long value;
    bool good = span_to_u64(s, &value);
    *ret = good ? value : 0;
    return good;
}

static bool read_line(struct span line, struct hold *h)
{
    struct span column[COLUMNS];
    size_t n = 0;
    for (size_t at = 0, from = 0; at <= line.len; at++) {
        if (at < line.len && line.data[at] != '\t')
            continue;
        if (n == COLUMNS)
            return false;
        column[n++] = span_slice(line, from, at);
        from = at + 1;
    }
    if (n != COLUMNS || !read_number(column[0], &h->number) ||
        !read_number(column[1], &h->made_us) || !read_number(column[2], &h->since_us) ||
        !read_number(column[3], &h->until_us))
        return false;
    h->request_id = column[4];
    h->app = column[5];
    h->end_user = column[6];
    h->why = column[7];
    return true;
}

int holds_load(struct span dir, struct arena *arena, struct holds *ret_holds)
{
    struct buf file = BUF_INIT(FILE_MAX);
    struct span line;
    *ret_holds = (struct holds){0};
    int r = read_file(dir, &file);
    struct span text = r == 0 ? arena_copy(arena, buf_span(&file)) : SPAN_NULL;
    buf_deinit(&file);
    if (r < 0)
        return r == -EMSGSIZE ? -EBADMSG : r;
    ret_holds->list = arena_alloc(arena, HOLDS_MAX * sizeof(*ret_holds->list));
    if (!text.data || !ret_holds->list)
        return -ENOMEM;
    while (span_split(&text, '\n', &line)) {
        if (line.len == 0)
            continue;
        if (ret_holds->count == HOLDS_MAX || !read_line(line, &ret_holds->list[ret_holds->count]))
            return -EBADMSG;
        ret_holds->count++;
    }
    return 0;
}

static bool fits(const struct hold *h, const struct entry *e)
{
    return e->seq == h->number ||
           ((h->request_id.len == 0 || span_eq(h->request_id, e->request_id)) &&
            (h->app.len == 0 || span_eq(h->app, e->app)) &&
            (h->end_user.len == 0 || span_eq(h->end_user, e->end_user)) && e->time >= h->since_us &&
            (h->until_us == 0 || e->time < h->until_us));
}

bool holds_cover(const struct holds *h, const struct entry *e)
{
    for (size_t i = 0; i < h->count; i++)
        if (fits(&h->list[i], e))
            return true;
    return false;
}

bool holds_may_cover(const struct holds *h, uint64_t first_seq, uint64_t last_seq, uint64_t from_us,
                     uint64_t to_us)
{
    for (size_t i = 0; i < h->count; i++) {
        const struct hold *one = &h->list[i];
        if (one->number >= first_seq && one->number <= last_seq)
            return true;
        if (one->since_us < to_us && (one->until_us == 0 || one->until_us > from_us))
            return true;
    }
    return false;
}

/* ---- changes ---- */

/* A column holds no tabs and no line ends. */
static int put_column(struct buf *out, struct span s, char end)
{
    s = record_clip(s, COLUMN_SIZE);
    int r = buf_append(out, s);
    for (size_t i = out->len - (r == 0 ? s.len : 0); i < out->len; i++)
        if ((unsigned char)out->data[i] < 0x20 || out->data[i] == 0x7f)
            out->data[i] = ' ';
    return r < 0 ? r : buf_append_char(out, end);
}

static int put_line(struct buf *out, const struct hold *h)
{
    int r = buf_printf(out, "%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t", h->number,
                       h->made_us, h->since_us, h->until_us);
    if (r == 0)
        r = put_column(out, h->request_id, '\t');
    if (r == 0)
        r = put_column(out, h->app, '\t');
    if (r == 0)
        r = put_column(out, h->end_user, '\t');
    return r < 0 ? r : put_column(out, h->why, '\n');
}

static int write_list(struct span dir, const struct holds *h, uint64_t without,
                      const struct hold *more)
{
    char path[PATH_MAX];
    struct buf out = BUF_INIT(FILE_MAX);
    int r = 0;
    for (size_t i = 0; r == 0 && i < h->count; i++)
        if (without == 0 || h->list[i].number != without)
            r = put_line(&out, &h->list[i]);
    if (r == 0 && more)
        r = put_line(&out, more);
    if (r == 0)
        r = files_join(dir, FILE_NAME, path) ? files_replace(path, buf_span(&out), 0600)
                                             : -ENAMETOOLONG;
    if (r == 0 && files_join(dir, "", path))
        r = files_sync_dir(path);
    buf_deinit(&out);
    return r;
}

static int put_json(struct buf *out, const char *key, struct span value)
{
    struct buf column = BUF_INIT(COLUMN_SIZE + 1);
    if (value.len == 0)
        return 0;
    int r = put_column(&column, value, ' ');
    if (r == 0)
        r = buf_printf(out, "\"%s\":\"", key);
    for (size_t i = 0; r == 0 && i + 1 < column.len; i++) {
        if (column.data[i] == '"' || column.data[i] == '\\')
            r = buf_append_char(out, '\\');
        if (r == 0)
            r = buf_append_char(out, column.data[i]);
    }
    buf_deinit(&column);
    return r < 0 ? r : buf_append(out, SPAN_LIT("\","));
}

static int put_detail(struct buf *out, const struct hold *h, struct span who)
{
    int r = buf_append_char(out, '{');
    if (r == 0)
        r = put_json(out, "request", h->request_id);
    if (r == 0 && h->since_us)
        r = buf_printf(out, "\"since\":%" PRIu64 ",", h->since_us);
    if (r == 0 && h->until_us)
        r = buf_printf(out, "\"until\":%" PRIu64 ",", h->until_us);
    if (r == 0)
        r = buf_append(out, who);
    return r < 0 ? r : buf_append_char(out, '}');
}

/* ---- what a crash left between list and record ---- */

/* Looks at one record for the hold that is on no list: *ret_seq is the newest that was not
 * released.
 */
static int look_for_hold(struct span body, const struct holds *h, uint64_t *ret_seq)
{
    struct arena arena;
    struct entry e;
    char released[40];
    arena_init(&arena, ENTRY_MEMORY);
    int r = entry_parse(body, &arena, &e);
    bool admin = r == 0 && span_eq(e.kind, SPAN_LIT("admin"));
    bool hold = admin && span_eq(e.reason, SPAN_LIT("hold"));
    for (size_t i = 0; hold && i < h->count; i++)
        hold = h->list[i].number != e.seq;
    if (hold)
        *ret_seq = e.seq;
    snprintf(released, sizeof(released), "{\"hold\":%" PRIu64 ",", *ret_seq);
    if (admin && span_eq(e.reason, SPAN_LIT("hold_release")) &&
        span_starts(e.detail, span_str(released)))
        *ret_seq = 0;
    arena_deinit(&arena);
    return r;
}

static int find_unlisted(struct db *db, uint64_t since_us, const struct holds *h, uint64_t *ret_seq)
{
    struct db_stmt *s = NULL;
    int r = db_prepare(db, SPAN_LIT("SELECT body FROM record WHERE time >= ?1 ORDER BY seq"), &s);
    if (r < 0)
        return r == -EINVAL ? 0 : r; /* begun and never used: it has no tables yet */
    db_bind_int(s, 1, (int64_t)since_us);
    while ((r = db_step(s)) == 1)
        if ((r = look_for_hold(db_column_text(s, 0), h, ret_seq)) < 0)
            break;
    db_finalize(s);
    return r;
}

static int find_in_months(struct span dir, uint64_t since_us, const struct holds *h,
                          uint64_t *ret_seq)
{
    struct files *files cleanup(cleanup_free) = malloc(sizeof(*files));
    int r = files ? files_list(dir, 0, files) : -ENOMEM;
    *ret_seq = 0;
    /* The month may have turned since. */
    for (size_t n = r < 0 ? 0 : files->count; r == 0 && n > 0 && n + 2 > files->count; n--) {
        struct db_options o = {.readonly = true, .busy_ms = 5000};
        char path[PATH_MAX];
        struct db *db = NULL;
        uint64_t seq = 0;
        r = files_path(dir, 0, files->months[n - 1], path) ? db_open(span_str(path), &o, &db)
                                                           : -ENAMETOOLONG;
        if (r == 0)
            r = find_unlisted(db, since_us, h, &seq);
        db_close(db);
        if (*ret_seq == 0)
            *ret_seq = seq;
    }
    return r;
}

/* Gives the pending hold the number of its record, or drops it when there is none. */
static int settle(struct span dir, struct holds *h)
{
    uint64_t seq = 0;
    for (size_t i = 0; i < h->count; i++) {
        if (h->list[i].number != 0)
            continue;
        uint64_t since = h->list[i].made_us;
        int r = find_in_months(dir, since > SLACK_US ? since - SLACK_US : 0, h, &seq);
        if (r < 0)
            return r;
        h->list[i].number = seq;
        if (seq == 0)
            h->list[i] = h->list[--h->count];
        return write_list(dir, h, 0, NULL);
    }
    return 0;
}

int holds_settle(struct span dir)
{
    struct arena arena;
    struct holds holds;
    arena_init(&arena, ARENA_MAX);
    int r = holds_load(dir, &arena, &holds);
    if (r == 0)
        r = settle(dir, &holds);
    arena_deinit(&arena);
    return r;
}

/*
 * On the list first, without a number and in force at once, so that a crash leaves no record of a
 * hold that does not hold.
 */
static int make(struct audit *a, struct holds *holds, struct hold *h, struct span detail)
{
    struct span dir = store_dir(a->store);
    struct audit_subject subject = {.app = h->app, .end_user = h->end_user};
    struct audit_event e = {
        .kind = AUDIT_ADMIN, .subject = &subject, .reason = SPAN_LIT("hold"), .detail = detail};
    uint64_t number = 0;
    h->made_us = clock_wall_us();
    h->number = 0;
    int r = write_list(dir, holds, 0, h);
    if (r < 0)
        return r;
    r = act_record(a, &e, &number);
    if (r == -ETIMEDOUT) /* it may still come on record: settled by the next one */
        return r;
    h->number = number;
    int e2 = write_list(dir, holds, 0, r == 0 ? h : NULL);
    return r < 0 ? r : e2;
}

/*
 * The record of a hold that nobody waited for may still be on its way. Records are written in their
 * order: behind one more, it is there or never will be. -EAGAIN: that one can't be written now.
 */
static int await_pending(struct audit *a, const struct holds *h, struct span who)
{
    struct buf detail = BUF_INIT(DETAIL_MAX);
    bool pending = false;
    for (size_t i = 0; i < h->count; i++)
        pending = pending || h->list[i].number == 0;
    int r = pending ? buf_printf(&detail, "{%.*s}", SPAN_ARG(who)) : 0;
    if (r == 0 && pending)
        r = act_note(a, SPAN_LIT("hold_settle"), buf_span(&detail), NULL);
    buf_deinit(&detail);
    return r == -ETIMEDOUT ? -EAGAIN : r;
}

int holds_add(struct audit *a, const struct hold *h, struct span who, uint64_t *ret_number)
{
    struct span dir = store_dir(a->store);
    struct arena arena;
    struct holds holds;
    struct buf detail = BUF_INIT(DETAIL_MAX);
    struct hold made = *h;
    if (!h->request_id.len && !h->app.len && !h->end_user.len && !h->since_us && !h->until_us)
        return -EINVAL;
    if (h->until_us && h->since_us >= h->until_us)
        return -EINVAL; /* it would hold nothing */
    arena_init(&arena, ARENA_MAX);
    pthread_mutex_lock(&a->upkeep);
    int r = holds_load(dir, &arena, &holds);
    if (r == 0)
        r = await_pending(a, &holds, who);
    if (r == 0)
        r = settle(dir, &holds);
    if (r == 0 && holds.count == HOLDS_MAX)
        r = -E2BIG;
    if (r == 0)
        r = put_detail(&detail, h, who);
    if (r == 0)
        r = make(a, &holds, &made, buf_span(&detail));
    pthread_mutex_unlock(&a->upkeep);
    *ret_number = made.number;
    buf_deinit(&detail);
    arena_deinit(&arena);
    return r;
}

int holds_release(struct audit *a, uint64_t number, struct span who)
{
    struct span dir = store_dir(a->store);
    struct arena arena;
    struct holds holds;
    struct buf detail = BUF_INIT(DETAIL_MAX);
    arena_init(&arena, ARENA_MAX);
    pthread_mutex_lock(&a->upkeep);
    int r = holds_load(dir, &arena, &holds);
    bool found = false;
    for (size_t i = 0; number && i < holds.count; i++) /* 0 is what is not on record yet */
        found = found || holds.list[i].number == number;
    if (r == 0 && !found)
        r = -ENOENT;
    if (r == 0)
        r = buf_printf(&detail, "{\"hold\":%" PRIu64 ",%.*s}", number, SPAN_ARG(who));
    if (r == 0)
        r = act_note(a, SPAN_LIT("hold_release"), buf_span(&detail), NULL);
    if (r == 0)
        r = write_list(dir, &holds, number, NULL);
    pthread_mutex_unlock(&a->upkeep);
    buf_deinit(&detail);
    arena_deinit(&arena);
    return r;
}
