/* The lines of a run's files, and how they get to the disk. */
#include "evaluation/runfile.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "json/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

/* What failed once fails to the end, so that nobody takes a torn line for a whole one. */
static void put(struct buf *out, struct span text)
{
    if (buf_append(out, text) < 0)
        out->max = 0;
}

static void put_key(struct buf *out, const char *key)
{
    if (out->len && out->data[out->len - 1] != '{')
        put(out, SPAN_LIT(","));
    put(out, SPAN_LIT("\""));
    put(out, span_str(key));
    put(out, SPAN_LIT("\":"));
}

static void put_text(struct buf *out, const char *key, struct span text)
{
    put_key(out, key);
    put(out, SPAN_LIT("\""));
    if (json_escape(out, text) < 0)
        out->max = 0;
    put(out, SPAN_LIT("\""));
}

/* Nothing where there is nothing to say. */
static void put_some(struct buf *out, const char *key, struct span text)
{
    if (text.len)
        put_text(out, key, text);
}

static void put_number(struct buf *out, const char *key, double value)
{
    char digits[48];
    int n = snprintf(digits, sizeof(digits), "%.6g", value);
    put_key(out, key);
    put(out, span_from(digits, (size_t)n));
}

static void put_int(struct buf *out, const char *key, uint64_t value)
{
    char digits[24];
    int n = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)value);
    put_key(out, key);
    put(out, span_from(digits, (size_t)n));
}

static void put_bool(struct buf *out, const char *key, bool value)
{
    put_key(out, key);
    put(out, value ? SPAN_LIT("true") : SPAN_LIT("false"));
}

static void put_time(struct buf *out, const char *key, uint64_t wall_us)
{
    char text[CLOCK_TEXT_SIZE];
    clock_format(wall_us, text);
    put_text(out, key, span_str(text));
}

static int put_end(struct buf *out)
{
    put(out, SPAN_LIT("}\n"));
    return out->max ? 0 : -ENOMEM;
}

int runfile_write_settings(const struct run_settings *s, struct buf *out)
{
    put(out, SPAN_LIT("{"));
    put_text(out, "run", s->name);
    put_time(out, "started", s->started);
    put_text(out, "by", s->by);
    put_text(out, "agreed", s->agreed);
    put_text(out, "app", s->app);
    put_text(out, "model", s->model);
    put_text(out, "upstream", s->upstream);
    put_text(out, "rules", s->version);
    put_text(out, "rules_sha256", s->digest);
    put_text(out, "bank_sha256", s->bank_digest);
    put_text(out, "opinion", s->opinion);
    put_text(out, "software", s->software);
    /* As text: a JSON number is not exact beyond 2^53. */
    char seed[24];
    snprintf(seed, sizeof(seed), "%llu", (unsigned long long)s->seed);
    put_text(out, "seed", span_str(seed));
    put_bool(out, "all", s->all);
    put_bool(out, "derived", s->derived);
    put_key(out, "sample");
    put(out, SPAN_LIT("{"));
    for (int k = 0; k < BANK_KINDS; k++)
        if (s->banks[k])
            put_int(out, bank_kind_name((enum bank_kind)k), s->sample[k]);
    put(out, SPAN_LIT("}"));
    put_key(out, "routes");
    put(out, SPAN_LIT("["));
    for (int route = 0, n = 0; route < RUN_ROUTES; route++)
        if (s->routes[route]) {
            put(out, n++ ? SPAN_LIT(",\"") : SPAN_LIT("\""));
            put(out, span_str(run_route_name((enum run_route)route)));
            put(out, SPAN_LIT("\""));
        }
    put(out, SPAN_LIT("]"));
    put_number(out, "rate", s->rate);
    put_int(out, "concurrency", s->concurrency);
    return put_end(out);
}

int runfile_write_question(const struct run_question *q, struct buf *out)
{
    put(out, SPAN_LIT("{"));
    put_text(out, "id", q->id);
    put_text(out, "bank", span_str(bank_kind_name(q->kind)));
    put_text(out, "type", q->type);
    if (q->technique)
        put_int(out, "technique", q->technique);
    put_text(out, "question", q->text);
    put_some(out, "note", q->note);
    put_some(out, "seed", q->seed);
    if (q->messages.len) {
        put_key(out, "messages");
        put(out, q->messages);
    }
    return put_end(out);
}

int runfile_write_answer(const struct run *r, const struct run_answer *a, struct buf *out)
{
    put(out, SPAN_LIT("{"));
    put_text(out, "question", r->questions[a->question].id);
    put_text(out, "route", span_str(run_route_name(a->route)));
    put_time(out, "time", a->time);
    put_int(out, "ms", a->ms);
    put_int(out, "status", (uint64_t)(a->status > 0 ? a->status : 0));
    if (a->error.len) {
        put_text(out, "error", a->error);
        return put_end(out);
    }
    put_text(out, "text", a->text);
    put_some(out, "finish", a->finish);
    put_some(out, "model", a->model);
    put_some(out, "id", a->id);
    put_some(out, "action", a->action);
    put_bool(out, "refused", a->refused);
    put_some(out, "refused_by", a->refused_by);
    put_text(out, "keywords", span_str(run_verdict_name(a->keywords)));
    put_some(out, "rule", a->rule);
    put_some(out, "acted_by", a->acted_by);
    put_text(out, "opinion", span_str(run_verdict_name(a->opinion)));
    put_some(out, "opinion_note", a->opinion_note);
    return put_end(out);
}

int runfile_write_judgement(struct span question, const struct run_judgement *j, struct buf *out)
{
    put(out, SPAN_LIT("{"));
    put_text(out, "question", question);
    put_text(out, "route", span_str(run_route_name(j->route)));
    put_time(out, "time", j->time);
    put_text(out, "by", j->by);
    put_text(out, "verdict", span_str(run_verdict_name(j->verdict)));
    put_some(out, "note", j->note);
    return put_end(out);
}

int runfile_write_event(const struct run_event *e, struct buf *out)
{
    put(out, SPAN_LIT("{"));
    put_time(out, "time", e->time);
    put_text(out, "event", e->name);
    put_text(out, "by", e->by);
    put_some(out, "note", e->note);
    return put_end(out);
}

/* ---- files ---- */

static bool path_of(const char *dir, const char *name, char ret_path[PATH_MAX])
{
    int n = snprintf(ret_path, PATH_MAX, "%s/%s", dir, name);
    return n > 0 && n < PATH_MAX;
}

int runfile_append_to(const char *dir, const char *name, off_t whole)
{
    char path[PATH_MAX];
    struct stat st;
    if (!path_of(dir, name, path))
        return -ENAMETOOLONG;
    int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return -errno;
    if (whole >= 0 && (fstat(fd, &st) < 0 || (st.st_size > whole && ftruncate(fd, whole) < 0))) {
        int error = -errno;
        close(fd);
        return error;
    }
    return fd;
}

int runfile_append(int fd, struct span line)
{
    off_t before = lseek(fd, 0, SEEK_END);
    if (before < 0)
        return -errno;
    if ((size_t)before + line.len > RUN_FILE_MAX)
        return -EFBIG; /* nobody could read it any more */
    int r = file_write(fd, line);
    if (r == 0 && fdatasync(fd) < 0)
        r = -errno;
    if (r < 0 && ftruncate(fd, before) < 0)
        return r; /* a torn line, which the next reader cuts off */
    return r;
}

int runfile_lock(const char *dir, const char *name, bool wait)
{
    char path[PATH_MAX];
    if (!path_of(dir, name, path))
        return -ENAMETOOLONG;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return -errno;
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int r;
    do
        r = fcntl(fd, wait ? F_OFD_SETLKW : F_OFD_SETLK, &lock);
    while (r < 0 && errno == EINTR);
    if (r < 0) {
        r = errno == EAGAIN || errno == EACCES ? -EBUSY : -errno;
        close(fd);
        return r;
    }
    return fd;
}
