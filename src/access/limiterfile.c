/*
 * state_dir/limits: a line that names the format, then one line a subject:
 *
 *   DAY REQUESTS TOKENS SCOPE NAME APP
 *
 * SCOPE is a, k or u; NAME a key's id or an end user's keyed hash, - for none; the app's name goes
 * to the end of the line.
 */
#include "access/limiterfile.h"

#include "access/keyfile.h"
#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#define FORMAT    "juyong limits 1"
#define BYTES_MAX ((size_t)64 << 20)
#define SLICE     256 /* buckets that are looked at before others may count on */

static const char scopes[LIMIT_SCOPES] = {'a', 'k', 'u'};

static int write_one(struct buf *out, const struct limit_app *app, enum limit_scope scope,
                     struct span name, const struct limit_counter *c, int64_t day)
{
    if (c->day != day || (c->day_requests == 0 && c->day_tokens == 0))
        return 0;
    return buf_printf(out, "%lld %zu %zu %c %.*s %s\n", (long long)c->day, c->day_requests,
                      c->day_tokens, scopes[scope], SPAN_ARG(name.len ? name : SPAN_LIT("-")),
                      app->name);
}

/* Slice by slice, so that nobody waits for long; begun again when the table grew meanwhile. */
static int write_subjects(struct buf *out, struct limit_app *app, enum limit_scope scope,
                          int64_t day)
{
    struct subjects *s = scope == LIMIT_KEY ? &app->keys : &app->end_users;
    size_t begin = out->len, mask = 0;
    int r = 0;
    for (size_t at = 0; r == 0 && at <= mask;) {
        pthread_mutex_lock(&app->lock);
        if (s->mask != mask) {
            mask = s->mask;
            at = 0;
            out->len = begin;
        }
        size_t end = at + SLICE;
        for (; r == 0 && s->buckets && at < end && at <= mask; at++)
            for (const struct subject *e = s->buckets[at]; r == 0 && e; e = e->next)
                r = write_one(out, app, scope, span_from(e->name, e->name_len), &e->counter, day);
        if (!s->buckets)
            at = end;
        pthread_mutex_unlock(&app->lock);
    }
    return r;
}

static int write_app(struct buf *out, struct limit_app *app, int64_t day)
{
    pthread_mutex_lock(&app->lock);
    struct limit_counter all = app->all;
    bool days[LIMIT_SCOPES];
    memcpy(days, app->days, sizeof(days));
    pthread_mutex_unlock(&app->lock);
    int r = days[LIMIT_APP] ? write_one(out, app, LIMIT_APP, SPAN_NULL, &all, day) : 0;
    if (r == 0 && days[LIMIT_KEY])
        r = write_subjects(out, app, LIMIT_KEY, day);
    if (r == 0 && days[LIMIT_END_USER])
        r = write_subjects(out, app, LIMIT_END_USER, day);
    return r;
}

int limiter_save(struct limiter *l, struct span state_dir, int64_t wall_s)
{
    if (!atomic_exchange(&l->changed, false))
        return 0;
    struct buf out = BUF_INIT(BYTES_MAX);
    int r = buf_append(&out, SPAN_LIT(FORMAT "\n"));
    size_t empty = out.len;
    pthread_mutex_lock(&l->lock);
    struct limit_app *first = l->apps; /* apps are only ever put before it */
    pthread_mutex_unlock(&l->lock);
    for (struct limit_app *a = first; r == 0 && a; a = a->next)
        r = write_app(&out, a, limit_day(wall_s));
    if (r == -EMSGSIZE) /* the rest begins anew */
        r = 0;
    if (r == 0 && (out.len > empty || l->saved)) {
        r = keyfile_replace(state_dir, "limits", buf_span(&out));
        l->saved = true;
    }
    buf_deinit(&out);
    if (r < 0)
        atomic_store(&l->changed, true);
    return r;
}

struct line {
    unsigned long long day, requests, tokens;
    enum limit_scope scope;
    struct span name, app;
};

static bool read_line(struct span text, struct line *ret)
{
    struct span part[5];
    for (size_t i = 0; i < 5; i++)
        if (!span_split(&text, ' ', &part[i]))
            return false;
    if (!span_to_u64(part[0], &ret->day) || !span_to_u64(part[1], &ret->requests) ||
        !span_to_u64(part[2], &ret->tokens) || part[3].len != 1 || part[4].len == 0 ||
        part[4].len > SUBJECT_NAME_MAX || text.len == 0 || text.len > SUBJECT_NAME_MAX ||
        ret->day > INT32_MAX || ret->requests > SIZE_MAX / 4 || ret->tokens > SIZE_MAX / 4)
        return false;
    const char *scope = memchr(scopes, part[3].data[0], sizeof(scopes));
    if (!scope)
        return false;
    ret->scope = (enum limit_scope)(scope - scopes);
    ret->name = span_eq(part[4], SPAN_LIT("-")) ? SPAN_LIT("") : part[4];
    ret->app = text;
    return true;
}

static int restore_one(struct limiter *l, const struct line *line)
{
    struct limit_app *app = limiter_app(l, line->app);
    if (!app)
        return -ENOMEM;
    struct limit_counter *c = &app->all;
    if (line->scope != LIMIT_APP) {
        struct subjects *s = line->scope == LIMIT_KEY ? &app->keys : &app->end_users;
        struct subject *e = subjects_get(s, line->name, SIZE_MAX);
        if (!e)
            return -ENOMEM;
        c = &e->counter;
    }
    app->days[line->scope] = true;
    c->day = (int64_t)line->day;
    c->day_requests = (size_t)line->requests;
    c->day_tokens = (size_t)line->tokens;
    return 0;
}

int limiter_read(struct limiter *l, struct span text, struct place at, int64_t wall_s,
                 struct buf *messages)
{
    struct span line;
    unsigned bad = 0;
    int r = 0;
    at.line = 1;
    if (!span_split(&text, '\n', &line) || !span_eq(line, SPAN_LIT(FORMAT))) {
        place_printf(messages, at, "warning: not the counts of this version; limits begin anew");
        return 0;
    }
    while (r == 0 && span_split(&text, '\n', &line)) {
        struct line one;
        at.line++;
        if (line.len == 0)
            continue;
        if (!read_line(line, &one)) {
            if (bad++ == 0)
                place_printf(messages, at, "warning: a damaged line; its subject begins anew");
        } else if ((int64_t)one.day == limit_day(wall_s)) {
            r = restore_one(l, &one);
        }
    }
    return r;
}

int limiter_restore(struct limiter *l, struct span state_dir, int64_t wall_s, struct buf *messages)
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof(path), "%.*s/limits", SPAN_ARG(state_dir));
    if (n < 0 || n >= (int)sizeof(path))
        return 0;
    struct place at = {.file = span_str(path)};
    cleanup(cleanup_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 && errno == ENOENT)
        return 0;
    struct buf text = BUF_INIT(BYTES_MAX + 1);
    ssize_t got = fd < 0 ? -1 : 1;
    while (got > 0 && text.len <= BYTES_MAX) {
        if (buf_reserve(&text, 65536 < text.max - text.len ? 65536 : text.max - text.len) < 0)
            break;
        got = read(fd, text.data + text.len, text.cap - text.len);
        if (got > 0)
            text.len += (size_t)got;
    }
    int r = 0;
    if (got < 0)
        place_printf(messages, at, "warning: can't be read, limits begin anew: %s",
                     strerror(errno));
    else
        r = limiter_read(l, buf_span(&text), at, wall_s, messages);
    l->saved = true; /* what is out of date is replaced */
    buf_deinit(&text);
    return r;
}
