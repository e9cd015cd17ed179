#include "access/consent.h"

#include "access/keyfile.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/utf8.h"
#include "crypto/sha256.h"
#include "json/value.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_NAME      "consents.jsonl"
#define TEXT_MAX       512        /* bytes of a field */
#define LINE_MAX_BYTES (8u << 10) /* as long as it gets when every byte is escaped, and more */
/*
 * A file that is larger is not read: every worker would hold it whole. What is left of it when no
 * consent is taken any more is for withdrawals.
 */
#define FILE_MAX  ((size_t)256 << 20)
#define GIVEN_MAX (FILE_MAX / 4 * 3)

static int path_of(struct span state_dir, char ret_path[PATH_MAX])
{
    int n = snprintf(ret_path, PATH_MAX, "%.*s/" FILE_NAME, SPAN_ARG(state_dir));
    return n > 0 && n < PATH_MAX ? 0 : -ENAMETOOLONG;
}

/* --- lines --- */

static bool is_line(struct span s, size_t min)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.data[i] < 0x20 || s.data[i] == 0x7f)
            return false;
    return s.len >= min && s.len <= TEXT_MAX && utf8_check(s) == s.len;
}

static bool is_hash(struct span s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!((s.data[i] >= '0' && s.data[i] <= '9') || (s.data[i] >= 'a' && s.data[i] <= 'f')))
            return false;
    return s.len == 64;
}

static bool is_sound(const struct consent *c)
{
    return is_line(c->app, 1) && is_hash(c->end_user) && is_line(c->agreement, c->given ? 1 : 0) &&
           is_line(c->author, 0);
}

static int write_line(struct buf *out, const struct consent *c)
{
    struct json_value *o = value_object();
    int r = value_set(o, SPAN_LIT("time_us"), value_integer((int64_t)c->time_us));
    if (r == 0)
        r = value_set(o, SPAN_LIT("act"),
                      value_string(c->given ? SPAN_LIT("consent") : SPAN_LIT("withdraw")));
    if (r == 0)
        r = value_set(o, SPAN_LIT("app"), value_string(c->app));
    if (r == 0)
        r = value_set(o, SPAN_LIT("end_user"), value_string(c->end_user));
    if (r == 0)
        r = value_set(o, SPAN_LIT("agreement"), value_string(c->agreement));
    if (r == 0)
        r = value_set(o, SPAN_LIT("author"), value_string(c->author));
    if (r == 0)
        r = value_dump(o, out);
    value_free(o);
    return r < 0 ? r : buf_append_char(out, '\n');
}

/* The texts are the value's. */
static bool read_line(const struct json_value *v, struct consent *ret)
{
    struct span act;
    int64_t time_us;
    *ret = (struct consent){0};
    if (!value_get_integer(value_get(v, SPAN_LIT("time_us")), &time_us) || time_us <= 0 ||
        !value_get_string(value_get(v, SPAN_LIT("act")), &act) ||
        !value_get_string(value_get(v, SPAN_LIT("app")), &ret->app) ||
        !value_get_string(value_get(v, SPAN_LIT("end_user")), &ret->end_user) ||
        !value_get_string(value_get(v, SPAN_LIT("agreement")), &ret->agreement) ||
        !value_get_string(value_get(v, SPAN_LIT("author")), &ret->author))
        return false;
    ret->time_us = (uint64_t)time_us;
    ret->given = span_eq(act, SPAN_LIT("consent"));
    return (ret->given || span_eq(act, SPAN_LIT("withdraw"))) && is_sound(ret);
}

/* The whole lines of a text; *ret_used: bytes up to the last line feed. */
static int each_line(struct span text, consent_fn fn, void *ctx, size_t *ret_used, size_t *ret_line)
{
    *ret_used = 0;
    for (;;) {
        struct span rest = span_slice(text, *ret_used, text.len);
        size_t end = span_find(rest, SPAN_LIT("\n"));
        if (end == rest.len)
            return 0;
        ++*ret_line;
        struct json_value *v = value_parse(span_slice(rest, 0, end), NULL);
        struct consent c;
        int r = v && read_line(v, &c) ? fn(ctx, &c) : -EBADMSG;
        value_free(v);
        if (r != 0)
            return r;
        *ret_used += end + 1;
    }
}

/* --- writing --- */

/* Where the last whole line ends. */
static int whole_lines(int fd, off_t size, off_t *ret_end)
{
    while (size > 0) {
        char c;
        ssize_t n = pread(fd, &c, 1, size - 1);
        if (n < 0)
            return -errno;
        if (n == 1 && c == '\n')
            break;
        size--;
    }
    *ret_end = size;
    return 0;
}

static int append(int fd, struct span line, bool given, bool *ret_first)
{
    struct stat st;
    off_t end = 0;
    while (flock(fd, LOCK_EX) < 0)
        if (errno != EINTR)
            return -errno;
    if (fstat(fd, &st) < 0)
        return -errno;
    if (st.st_size > (off_t)(given ? GIVEN_MAX : FILE_MAX - LINE_MAX_BYTES))
        return -EFBIG;
    int r = whole_lines(fd, st.st_size, &end);
    *ret_first = end == 0;
    if (r == 0 && end != st.st_size && ftruncate(fd, end) < 0)
        r = -errno;
    for (size_t at = 0; r == 0 && at < line.len;) {
        ssize_t n = pwrite(fd, line.data + at, line.len - at, end + (off_t)at);
        if (n < 0 && errno != EINTR)
            r = -errno;
        at += n > 0 ? (size_t)n : 0;
    }
    if (r == 0 && fsync(fd) < 0)
        r = -errno;
    return r;
}

int consent_append(struct span state_dir, const struct consent *c)
{
    char path[PATH_MAX];
    bool first = false;
    struct consent now = *c;
    if (now.time_us == 0)
        now.time_us = clock_wall_us();
    if (!is_sound(&now))
        return -EINVAL;
    int r = path_of(state_dir, path);
    if (r < 0)
        return r;
    struct buf line = BUF_INIT(LINE_MAX_BYTES);
    r = write_line(&line, &now);
    cleanup(cleanup_close) int fd =
        r < 0 ? -1 : open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (r == 0)
        r = fd < 0 ? -errno : append(fd, buf_span(&line), now.given, &first);
    if (r == 0 && first)
        r = keyfile_sync_dir(state_dir);
    buf_deinit(&line);
    return r;
}

int consent_each(struct span state_dir, consent_fn fn, void *ctx, size_t *ret_line)
{
    char path[PATH_MAX];
    size_t used;
    *ret_line = 0;
    int r = path_of(state_dir, path);
    if (r < 0)
        return r;
    cleanup(cleanup_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return errno == ENOENT ? 0 : -errno;
    struct buf text = BUF_INIT(FILE_MAX);
    r = file_read(fd, 0, &text);
    if (r == 0)
        r = each_line(buf_span(&text), fn, ctx, &used, ret_line);
    buf_deinit(&text);
    return r;
}

/* --- who has one --- */

struct slot {
    unsigned char code[16]; /* zeros: free */
    bool given;
};

struct consents {
    char path[PATH_MAX];
    struct slot *slots;
    size_t count, room; /* room: a power of 2, or 0 */
    ino_t file;
    off_t size, read; /* as it was last; up to where it was read */
    struct timespec changed;
    size_t lines;
    int error; /* of the last refresh */
};

static bool code_of(struct span app, struct span end_user, unsigned char ret[16])
{
    char text[TEXT_MAX + 1 + 64];
    unsigned char digest[SHA256_SIZE];
    if (app.len > TEXT_MAX || end_user.len != 64)
        return false;
    memcpy(text, end_user.data, 64);
    memcpy(text + 64, app.data, app.len);
    if (sha256_once(span_from(text, 64 + app.len), digest) < 0)
        return false;
    memcpy(ret, digest, 16);
    ret[0] |= 1; /* never all zeros */
    return true;
}

static struct slot *slot_of(struct slot *slots, size_t room, const unsigned char code[16])
{
    uint64_t at;
    memcpy(&at, code + 1, sizeof(at));
    for (at &= room - 1; slots[at].code[0]; at = (at + 1) & (room - 1))
        if (memcmp(slots[at].code, code, 16) == 0)
            break;
    return &slots[at];
}

static int grow(struct consents *c)
{
    size_t room = c->room ? c->room * 2 : 64;
    struct slot *slots = calloc(room, sizeof(*slots));
    if (!slots)
        return -ENOMEM;
    for (size_t i = 0; i < c->room; i++)
        if (c->slots[i].code[0])
            *slot_of(slots, room, c->slots[i].code) = c->slots[i];
    free(c->slots);
    c->slots = slots;
    c->room = room;
    return 0;
}

static int take_consent(void *ctx, const struct consent *consent)
{
    struct consents *c = ctx;
    unsigned char code[16];
    if (c->count * 2 >= c->room) {
        int r = grow(c);
        if (r < 0)
            return r;
    }
    if (!code_of(consent->app, consent->end_user, code))
        return -EIO;
    struct slot *s = slot_of(c->slots, c->room, code);
    c->count += !s->code[0];
    memcpy(s->code, code, 16);
    s->given = consent->given;
    return 0;
}

static void forget(struct consents *c)
{
    free(c->slots);
    c->slots = NULL;
    c->count = c->room = c->lines = 0;
    c->read = c->size = 0;
}

struct consents *consents_new(struct span state_dir)
{
    struct consents *c = calloc(1, sizeof(*c));
    if (c && path_of(state_dir, c->path) < 0) {
        free(c);
        return NULL;
    }
    return c;
}

void consents_free(struct consents *c)
{
    if (!c)
        return;
    forget(c);
    free(c);
}

static int read_more(struct consents *c, const struct stat *st)
{
    size_t used;
    cleanup(cleanup_close) int fd = open(c->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return -errno;
    struct buf text = BUF_INIT(FILE_MAX);
    int r = st->st_size > (off_t)FILE_MAX ? -EFBIG : file_read(fd, c->read, &text);
    if (r == 0)
        r = each_line(buf_span(&text), take_consent, c, &used, &c->lines);
    if (r == 0)
        c->read += (off_t)used;
    buf_deinit(&text);
    return r;
}

int consents_refresh(struct consents *c)
{
    struct stat st;
    if (stat(c->path, &st) < 0) {
        int r = errno == ENOENT ? 0 : -errno;
        forget(c);
        return c->error = r;
    }
    /* What a damaged file says does not get better by being read again; what else failed may. */
    bool known = c->error == 0 || c->error == -EBADMSG || c->error == -EFBIG;
    if (known && st.st_ino == c->file && st.st_size == c->size &&
        st.st_mtim.tv_sec == c->changed.tv_sec && st.st_mtim.tv_nsec == c->changed.tv_nsec)
        return c->error;
    if (c->error || st.st_ino != c->file || st.st_size < c->size)
        forget(c);
    int r = read_more(c, &st);
    if (r < 0) {
        if (r != c->error)
            log_error("%s:%zu: %s; until it is mended everyone gets a label", c->path, c->lines,
                      r == -EBADMSG ? "no line of consents" : strerror(-r));
        forget(c);
    }
    c->file = st.st_ino;
    c->size = st.st_size;
    c->changed = st.st_mtim;
    return c->error = r;
}

bool consents_has(const struct consents *c, struct span app, struct span end_user)
{
    unsigned char code[16];
    if (c->room == 0 || !code_of(app, end_user, code))
        return false;
    const struct slot *s = slot_of(c->slots, c->room, code);
    return s->code[0] && s->given;
}
