#include "audit/holds.h"

#include "audit/act.h"
#include "audit/files.h"
#include "audit/writer.h"
#include "base/cleanup.h"
#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#define FILE_NAME   "holds.tsv"
#define FILE_MAX    ((size_t)HOLDS_MAX * 2048)
#define ARENA_MAX   ((size_t)16 << 20)
#define COLUMNS     8
#define DETAIL_MAX  4096
#define COLUMN_SIZE 256

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
        if (h->list[i].number != without)
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

int holds_add(struct audit *a, const struct hold *h, struct span who, uint64_t *ret_number)
{
    struct span dir = store_dir(a->store);
    struct arena arena;
    struct holds holds;
    struct buf detail = BUF_INIT(DETAIL_MAX);
    struct hold made = *h;
    struct audit_subject subject = {.app = h->app, .end_user = h->end_user};
    if (!h->request_id.len && !h->app.len && !h->end_user.len && !h->since_us && !h->until_us)
        return -EINVAL;
    arena_init(&arena, ARENA_MAX);
    pthread_mutex_lock(&a->upkeep);
    int r = holds_load(dir, &arena, &holds);
    if (r == 0 && holds.count == HOLDS_MAX)
        r = -E2BIG;
    if (r == 0)
        r = put_detail(&detail, h, who);
    struct audit_event e = {.kind = AUDIT_ADMIN,
                            .subject = &subject,
                            .reason = SPAN_LIT("hold"),
                            .detail = buf_span(&detail)};
    if (r == 0)
        r = act_record(a, &e, &made.number);
    made.made_us = clock_wall_us();
    if (r == 0)
        r = write_list(dir, &holds, 0, &made);
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
    for (size_t i = 0; i < holds.count; i++)
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
