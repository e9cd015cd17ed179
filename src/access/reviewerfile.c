#include "access/reviewerfile.h"

#include "access/keyfile.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/codec.h"
#include "base/file.h"
#include "crypto/sha256.h"
#include "json/value.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>

#define FILE_NAME      "reviewers.jsonl"
#define FILE_BYTES_MAX (4u << 20)
#define HASH_MARK      ",\"hash\":\""

struct span reviewer_purpose_name(enum reviewer_purpose p)
{
    return p == REVIEWER_ENFORCE   ? SPAN_LIT("regulator-enforce")
           : p == REVIEWER_OBSERVE ? SPAN_LIT("regulator-observe")
                                   : SPAN_LIT("");
}

enum reviewer_purpose reviewer_purpose_from(struct span name)
{
    for (int p = REVIEWER_ENFORCE; p < REVIEWER_PURPOSES; p++)
        if (span_eq(name, reviewer_purpose_name((enum reviewer_purpose)p)))
            return (enum reviewer_purpose)p;
    return REVIEWER_NONE;
}

const char *reviewer_state_name(enum reviewer_state s)
{
    static const char *const names[] = {"proposed", "in force", "expired", "revoked"};
    return names[s];
}

enum reviewer_state reviewer_state_at(const struct reviewer *r, int64_t now)
{
    return r->revoked_us         ? REVIEWER_REVOKED
           : now >= r->expires   ? REVIEWER_EXPIRED
           : r->approver.len > 0 ? REVIEWER_IN_FORCE
                                 : REVIEWER_PROPOSED;
}

/* --- reading --- */

static struct reviewer *find(struct reviewerfile *f, struct span id)
{
    for (size_t i = 0; i < f->count; i++)
        if (span_eq(span_str(f->list[i].id), id))
            return &f->list[i];
    return NULL;
}

static struct span text_of(struct reviewerfile *f, const struct json_value *v, const char *key)
{
    struct span text = SPAN_NULL;
    value_get_string(value_get(v, span_str(key)), &text);
    return text.len ? arena_copy(&f->arena, text) : SPAN_LIT("");
}

static int64_t number_of(const struct json_value *v, const char *key)
{
    int64_t n = 0;
    value_get_integer(value_get(v, span_str(key)), &n);
    return n;
}

static bool take_proposal(struct reviewerfile *f, const struct json_value *v, struct span id)
{
    struct reviewer r = {
        .purpose = reviewer_purpose_from(text_of(f, v, "purpose")),
        .key = text_of(f, v, "key"),
        .end_user = text_of(f, v, "end_user"),
        .filing = text_of(f, v, "filing"),
        .daily = (unsigned)number_of(v, "daily"),
        .expires = number_of(v, "expires"),
        .author = text_of(f, v, "author"),
        .why = text_of(f, v, "reason"),
        .created_us = number_of(v, "time"),
    };
    if (f->count == REVIEWERS_MAX || id.len >= REVIEWER_ID_SIZE || find(f, id) ||
        r.purpose == REVIEWER_NONE || (r.key.len > 0) == (r.end_user.len > 0) || r.daily == 0)
        return false;
    memcpy(r.id, id.data, id.len);
    f->list[f->count++] = r;
    return true;
}

static bool take_act(struct reviewerfile *f, const struct json_value *v)
{
    struct span act = text_of(f, v, "act"), id = text_of(f, v, "id");
    if (number_of(v, "n") != (int64_t)f->lines + 1 || id.len == 0 ||
        !span_eq(text_of(f, v, "prev"), span_str(f->head)))
        return false;
    struct reviewer *r = find(f, id);
    if (span_eq(act, SPAN_LIT("propose")))
        return take_proposal(f, v, id);
    struct span author = text_of(f, v, "author");
    if (!r || r->revoked_us || author.len == 0)
        return false;
    if (span_eq(act, SPAN_LIT("approve"))) {
        /* Whoever wrote such a line by hand is not two persons. */
        if (r->approver.len || span_eq_nocase(author, r->author))
            return false;
        r->approver = author;
        r->approved_us = number_of(v, "time");
        return true;
    }
    r->revoker = author;
    r->revoked_us = number_of(v, "time");
    return span_eq(act, SPAN_LIT("revoke")) && r->revoked_us > 0;
}

/* One line, without its end. */
static bool take_line(struct reviewerfile *f, struct span line)
{
    size_t at = span_find(line, SPAN_LIT(HASH_MARK));
    unsigned char digest[SHA256_SIZE];
    char hex[65];
    struct span tail = span_slice(line, at, line.len);
    size_t mark = sizeof(HASH_MARK) - 1;
    if (tail.len != mark + 64 + 2 ||
        !span_eq(span_slice(tail, mark + 64, tail.len), SPAN_LIT("\"}")) ||
        sha256_once(span_slice(line, 0, at), digest) < 0)
        return false;
    codec_hex(span_from((const char *)digest, sizeof(digest)), hex);
    if (!span_eq(span_str(hex), span_slice(tail, mark, mark + 64)))
        return false;
    struct json_value *v = value_parse(line, NULL);
    bool good = v && take_act(f, v);
    value_free(v);
    if (!good)
        return false;
    memcpy(f->head, hex, sizeof(hex));
    f->lines++;
    return true;
}

static int path_of(struct span dir, const char *name, char ret_path[PATH_MAX])
{
    int n = snprintf(ret_path, PATH_MAX, "%.*s/%s", SPAN_ARG(dir), name);
    return n > 0 && n < PATH_MAX ? 0 : -ENAMETOOLONG;
}

static int read_all(const char *path, struct buf *out)
{
    cleanup(cleanup_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return errno == ENOENT ? 0 : -errno;
    return file_read(fd, 0, out);
}

int reviewerfile_read(struct span state_dir, struct buf *messages, struct reviewerfile *ret_file)
{
    struct reviewerfile f = {0};
    struct buf text = BUF_INIT(FILE_BYTES_MAX);
    char path[PATH_MAX];
    arena_init(&f.arena, 16u << 20);
    f.list = arena_alloc(&f.arena, REVIEWERS_MAX * sizeof(*f.list));
    int r = f.list ? path_of(state_dir, FILE_NAME, path) : -ENOMEM;
    if (r == 0)
        r = read_all(path, &text);
    struct span rest = buf_span(&text);
    for (size_t end; r == 0 && (end = span_find(rest, SPAN_LIT("\n"))) < rest.len;) {
        if (!take_line(&f, span_slice(rest, 0, end))) {
            buf_printf(messages, "%s:%u: this line was changed, or one before it\n", path,
                       f.lines + 1);
            r = -EBADMSG;
        }
        f.length += end + 1;
        rest = span_slice(rest, end + 1, rest.len);
    }
    if (r < 0 && r != -EBADMSG)
        buf_printf(messages, "%.*s/" FILE_NAME ": %s\n", SPAN_ARG(state_dir), strerror(-r));
    buf_deinit(&text);
    if (r < 0)
        reviewerfile_deinit(&f);
    else
        *ret_file = f;
    return r;
}

void reviewerfile_deinit(struct reviewerfile *f)
{
    arena_deinit(&f->arena);
}

/* --- writing --- */

static int open_locked(struct span state_dir)
{
    char path[PATH_MAX];
    int r = path_of(state_dir, FILE_NAME, path);
    if (r < 0)
        return r;
    cleanup(cleanup_close) int fd =
        open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_APPEND, 0600);
    if (fd < 0)
        return -errno;
    while (flock(fd, LOCK_EX) < 0)
        if (errno != EINTR)
            return -errno;
    int taken = fd;
    fd = -1;
    return taken;
}

static int append(int fd, struct span state_dir, const struct reviewerfile *f, struct json_value *v)
{
    struct buf line = BUF_INIT(16384);
    unsigned char digest[SHA256_SIZE];
    char hex[65];
    int r = value_dump(v, &line);
    if (r == 0) {
        line.len--; /* the closing brace */
        r = sha256_once(buf_span(&line), digest);
    }
    if (r == 0) {
        codec_hex(span_from((const char *)digest, sizeof(digest)), hex);
        r = buf_printf(&line, HASH_MARK "%s\"}\n", hex);
    }
    /* What a power cut left of an unfinished line. */
    if (r == 0 && ftruncate(fd, (off_t)f->length) < 0)
        r = -errno;
    if (r == 0 && write(fd, line.data, line.len) != (ssize_t)line.len)
        r = -EIO;
    if (r == 0 && fsync(fd) < 0)
        r = -errno;
    if (r == 0 && f->length == 0)
        r = keyfile_sync_dir(state_dir);
    buf_deinit(&line);
    return r;
}

static struct json_value *begin_line(const struct reviewer_act *a, const struct reviewerfile *f,
                                     const char *act, struct span id)
{
    struct json_value *v = value_object();
    int r = v ? 0 : -ENOMEM;
    if (r == 0)
        r = value_set(v, SPAN_LIT("n"), value_integer(f->lines + 1));
    if (r == 0)
        r = value_set(v, SPAN_LIT("time"), value_integer((int64_t)clock_wall_us()));
    if (r == 0)
        r = value_set(v, SPAN_LIT("act"), value_string(span_str(act)));
    if (r == 0)
        r = value_set(v, SPAN_LIT("id"), value_string(id));
    if (r == 0)
        r = value_set(v, SPAN_LIT("author"), value_string(a->author));
    if (r == 0)
        r = value_set(v, SPAN_LIT("login"), value_string(a->login));
    if (r == 0)
        r = value_set(v, SPAN_LIT("reason"), value_string(a->why));
    if (r == 0)
        r = value_set(v, SPAN_LIT("prev"), value_string(span_str(f->head)));
    if (r == 0)
        return v;
    value_free(v);
    return NULL;
}

/* Reads the file under its lock, has fn judge and complete the line, and appends it. */
static int act(const struct reviewer_act *a, const char *name, struct span id,
               int (*fn)(const struct reviewer_act *a, struct reviewerfile *f, struct span id,
                         const void *more, struct json_value *line),
               const void *more)
{
    cleanup(cleanup_close) int fd = open_locked(a->state_dir);
    if (fd < 0) {
        buf_printf(a->messages, "%.*s/" FILE_NAME ": %s\n", SPAN_ARG(a->state_dir), strerror(-fd));
        return fd;
    }
    struct reviewerfile f;
    char fresh[REVIEWER_ID_SIZE];
    int r = reviewerfile_read(a->state_dir, a->messages, &f);
    if (r < 0)
        return r;
    if (id.len == 0) {
        snprintf(fresh, sizeof(fresh), "rv-%zu", f.count + 1);
        id = span_str(fresh);
    }
    struct json_value *line = begin_line(a, &f, name, id);
    r = line ? fn(a, &f, id, more, line) : -ENOMEM;
    if (r == 0) {
        r = append(fd, a->state_dir, &f, line);
        if (r < 0)
            buf_printf(a->messages, "%.*s/" FILE_NAME ": %s\n", SPAN_ARG(a->state_dir),
                       strerror(-r));
    }
    value_free(line);
    reviewerfile_deinit(&f);
    return r;
}

struct proposal {
    const struct reviewer *wanted;
    char *ret_id;
};

static int check_proposal(const struct reviewer_act *a, struct reviewerfile *f, struct span id,
                          const void *more, struct json_value *line)
{
    const struct proposal *p = more;
    const struct reviewer *w = p->wanted;
    int64_t now = clock_wall_s();
    if (f->count == REVIEWERS_MAX) {
        buf_printf(a->messages, "there are %d accounts already\n", REVIEWERS_MAX);
        return -EINVAL;
    }
    for (size_t i = 0; i < f->count; i++) {
        const struct reviewer *o = &f->list[i];
        enum reviewer_state s = reviewer_state_at(o, now);
        bool same = w->key.len ? span_eq(o->key, w->key) : span_eq(o->end_user, w->end_user);
        if (!same || s == REVIEWER_EXPIRED || s == REVIEWER_REVOKED)
            continue;
        buf_printf(a->messages, "%s is bound to that already\n", o->id);
        return -EINVAL;
    }
    int r = value_set(line, SPAN_LIT("purpose"), value_string(reviewer_purpose_name(w->purpose)));
    if (r == 0 && w->key.len)
        r = value_set(line, SPAN_LIT("key"), value_string(w->key));
    if (r == 0 && w->end_user.len)
        r = value_set(line, SPAN_LIT("end_user"), value_string(w->end_user));
    if (r == 0)
        r = value_set(line, SPAN_LIT("filing"), value_string(w->filing));
    if (r == 0)
        r = value_set(line, SPAN_LIT("daily"), value_integer(w->daily));
    if (r == 0)
        r = value_set(line, SPAN_LIT("expires"), value_integer(w->expires));
    snprintf(p->ret_id, REVIEWER_ID_SIZE, "%.*s", SPAN_ARG(id));
    return r;
}

int reviewers_propose(const struct reviewer_act *a, const struct reviewer *wanted,
                      char ret_id[REVIEWER_ID_SIZE])
{
    struct proposal p = {wanted, ret_id};
    return act(a, "propose", SPAN_NULL, check_proposal, &p);
}

static const struct reviewer *find_open(const struct reviewer_act *a, struct reviewerfile *f,
                                        struct span id)
{
    const struct reviewer *r = find(f, id);
    if (!r)
        buf_printf(a->messages, "no account is called '%.*s'\n", SPAN_ARG(id));
    else if (r->revoked_us)
        buf_printf(a->messages, "%s was revoked by %.*s\n", r->id, SPAN_ARG(r->revoker));
    return r && !r->revoked_us ? r : NULL;
}

static int check_approval(const struct reviewer_act *a, struct reviewerfile *f, struct span id,
                          const void *more, struct json_value *line)
{
    const struct reviewer *r = find_open(a, f, id);
    if (!r)
        return -EINVAL;
    if (r->approver.len)
        buf_printf(a->messages, "%s was approved by %.*s\n", r->id, SPAN_ARG(r->approver));
    else if (span_eq_nocase(a->author, r->author))
        buf_printf(a->messages, "%s was proposed by %.*s: somebody else must approve it\n", r->id,
                   SPAN_ARG(r->author));
    else if (clock_wall_s() >= r->expires)
        buf_printf(a->messages, "%s has expired\n", r->id);
    else
        return 0;
    return -EINVAL;
}

int reviewers_approve(const struct reviewer_act *a, struct span id)
{
    return act(a, "approve", id, check_approval, NULL);
}

static int check_revocation(const struct reviewer_act *a, struct reviewerfile *f, struct span id,
                            const void *more, struct json_value *line)
{
    return find_open(a, f, id) ? 0 : -EINVAL;
}

int reviewers_revoke(const struct reviewer_act *a, struct span id)
{
    return act(a, "revoke", id, check_revocation, NULL);
}
