#include "audit/export.h"

#include "audit/files.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define CHUNK_MAX    65536
#define LINE_MAX_LEN FILES_LINE_MAX
#define PAUSE_MAX_MS 60000
#define SYSLOG_NOTE  "<85>juyong: checkpoint " /* authpriv, notice */
#define POSITIONS    "exported.tsv"

struct sink {
    struct export_sink to;
    struct buf lines; /* being carried */
    off_t offset;
    bool busy;
    uint64_t retry_ms;
    unsigned pause_ms;
    char id[17];                 /* of the whole destination, in the list of positions */
    struct export_health health; /* under the lock */
};

struct export
{
    char dir[PATH_MAX], syslog[108];
    int (*post)(void *ctx, size_t sink, struct span lines);
    void *ctx;
    uint64_t now_ms; /* of the last step */
    pthread_mutex_t lock;
    size_t count;
    struct sink sinks[];
};

/* ---- where each stands ---- */

/* A URL may hold a secret: positions and messages have its host. */
static void name_sink(struct sink *s)
{
    struct span url = s->to.url;
    size_t at = span_find(url, SPAN_LIT("://"));
    struct span host = at < url.len ? span_slice(url, at + 3, url.len) : url;
    host = span_slice(host, 0, span_find(host, SPAN_LIT("/")));
    size_t user = span_find(host, SPAN_LIT("@"));
    if (user < host.len)
        host = span_slice(host, user + 1, host.len);
    if (s->to.syslog)
        snprintf(s->health.name, sizeof(s->health.name), "syslog");
    else if (url.len)
        snprintf(s->health.name, sizeof(s->health.name), "url:%.*s", SPAN_ARG(host));
    else
        snprintf(s->health.name, sizeof(s->health.name), "file:%.*s", SPAN_ARG(s->to.file));
}

/* Names are cut, and URLs of one host share one: what tells sinks apart is all of it. FNV-1a. */
static void identify_sink(struct sink *s)
{
    struct span to = s->to.url.len ? s->to.url : s->to.file;
    uint64_t hash = 0xcbf29ce484222325u ^ (s->to.syslog ? 1 : s->to.url.len ? 2 : 3);
    for (size_t i = 0; i < to.len; i++)
        hash = (hash ^ (unsigned char)to.data[i]) * 0x100000001b3u;
    snprintf(s->id, sizeof(s->id), "%016" PRIx64, hash);
}

static void read_positions(struct export *e)
{
    char path[PATH_MAX], line[256], id[17];
    long long offset;
    if (!files_join(span_str(e->dir), POSITIONS, path))
        return;
    FILE *f = fopen(path, "re");
    if (!f)
        return; /* a new sink gets all there is */
    while (fgets(line, sizeof(line), f)) {
        line[strcspn(line, "\n")] = '\0';
        if (sscanf(line, "%lld\t%*[^\t]\t%16[0-9a-f]", &offset, id) != 2 || offset < 0)
            continue;
        for (size_t i = 0; i < e->count; i++)
            if (strcmp(e->sinks[i].id, id) == 0)
                e->sinks[i].offset = (off_t)offset;
    }
    fclose(f);
}

static void write_positions(struct export *e)
{
    char path[PATH_MAX];
    struct buf text = BUF_INIT(65536);
    int r = files_join(span_str(e->dir), POSITIONS, path) ? 0 : -ENAMETOOLONG;
    for (size_t i = 0; r == 0 && i < e->count; i++)
        r = buf_printf(&text, "%lld\t%s\t%s\n", (long long)e->sinks[i].offset,
                       e->sinks[i].health.name, e->sinks[i].id);
    if (r == 0)
        r = files_replace(path, buf_span(&text), 0600);
    if (r < 0) /* then lines are sent twice after a restart, which does no harm */
        log_warning("audit: %s/" POSITIONS ": %s", e->dir, strerror(-r));
    buf_deinit(&text);
}

int export_open(const struct export_options *o, struct export **ret_export)
{
    struct export *e = calloc(1, sizeof(*e) + o->sink_count * sizeof(e->sinks[0]));
    if (!e)
        return -ENOMEM;
    struct span syslog = o->syslog_path.len ? o->syslog_path : SPAN_LIT("/dev/log");
    if (o->dir.len >= sizeof(e->dir) || syslog.len >= sizeof(e->syslog)) {
        free(e);
        return -ENAMETOOLONG;
    }
    memcpy(e->dir, o->dir.data, o->dir.len);
    memcpy(e->syslog, syslog.data, syslog.len);
    e->post = o->post;
    e->ctx = o->ctx;
    e->count = o->sink_count;
    pthread_mutex_init(&e->lock, NULL);
    for (size_t i = 0; i < e->count; i++) {
        e->sinks[i].to = o->sinks[i];
        e->sinks[i].lines = BUF_INIT(CHUNK_MAX + 1);
        name_sink(&e->sinks[i]);
        identify_sink(&e->sinks[i]);
    }
    read_positions(e);
    *ret_export = e;
    return 0;
}

void export_close(struct export *e)
{
    if (!e)
        return;
    for (size_t i = 0; i < e->count; i++)
        buf_deinit(&e->sinks[i].lines);
    pthread_mutex_destroy(&e->lock);
    free(e);
}

/* ---- carrying ---- */

/* The whole lines behind the sink's place, CHUNK_MAX bytes at most. */
static int read_lines(struct export *e, struct sink *s)
{
    char path[PATH_MAX];
    struct stat st;
    buf_clear(&s->lines);
    if (!files_join(span_str(e->dir), "checkpoints.jsonl", path))
        return -ENAMETOOLONG;
    int fd cleanup(cleanup_close) = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return errno == ENOENT ? 0 : -errno;
    if (fstat(fd, &st) < 0)
        return -errno;
    /* Shorter than what was sent: put back older. All of it goes again, and who verifies with what
     * was exported sees two stories. */
    if (s->offset > st.st_size)
        s->offset = 0;
    int r = buf_reserve(&s->lines, CHUNK_MAX);
    if (r < 0)
        return r;
    ssize_t n = pread(fd, s->lines.data, CHUNK_MAX, s->offset);
    if (n < 0)
        return -errno;
    while (n > 0 && s->lines.data[n - 1] != '\n')
        n--;
    s->lines.len = (size_t)n;
    return 0;
}

static int to_file(struct sink *s, size_t *ret_done)
{
    char path[PATH_MAX];
    if (s->to.file.len >= sizeof(path))
        return -ENAMETOOLONG;
    memcpy(path, s->to.file.data, s->to.file.len);
    path[s->to.file.len] = '\0';
    int fd cleanup(cleanup_close) = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    int r = files_mend_line(fd);
    if (r == 0)
        r = file_write(fd, buf_span(&s->lines));
    if (r == 0 && fdatasync(fd) < 0)
        r = -errno;
    *ret_done = r == 0 ? s->lines.len : 0;
    return r;
}

static int to_syslog(const struct export *e, struct sink *s, size_t *ret_done)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    struct span rest = buf_span(&s->lines), line;
    memcpy(to.sun_path, e->syslog, sizeof(to.sun_path));
    int fd cleanup(cleanup_close) = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&to, sizeof(to)) < 0)
        return -errno;
    while (rest.len && span_split(&rest, '\n', &line)) {
        char text[LINE_MAX_LEN + 64];
        int n = snprintf(text, sizeof(text), SYSLOG_NOTE "%.*s", SPAN_ARG(line));
        if (send(fd, text, (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1, MSG_NOSIGNAL) <
            0)
            return -errno;
        *ret_done += line.len + 1;
    }
    return 0;
}

static uint64_t count_lines(struct span text)
{
    uint64_t n = 0;
    for (size_t i = 0; i < text.len; i++)
        n += text.data[i] == '\n';
    return n;
}

static void tell(struct export *e, struct sink *s, uint64_t waiting, uint64_t wall_us)
{
    pthread_mutex_lock(&e->lock);
    s->health.waiting = waiting;
    if (waiting == 0)
        s->health.since_us = 0;
    else if (s->health.since_us == 0)
        s->health.since_us = wall_us;
    pthread_mutex_unlock(&e->lock);
}

static void advance(struct export *e, struct sink *s, size_t done)
{
    if (done == 0)
        return;
    s->offset += (off_t)done;
    write_positions(e);
}

static void settle(struct export *e, struct sink *s, int r, int status, uint64_t mono_ms)
{
    bool failed_before = s->pause_ms > 0;
    if (r == 0)
        s->pause_ms = 0;
    else
        s->pause_ms = s->pause_ms == 0                 ? 1000
                      : s->pause_ms < PAUSE_MAX_MS / 2 ? s->pause_ms * 2
                                                       : PAUSE_MAX_MS;
    s->retry_ms = mono_ms + s->pause_ms;
    pthread_mutex_lock(&e->lock);
    s->health.why[0] = '\0';
    if (r < 0 && status)
        snprintf(s->health.why, sizeof(s->health.why), "status %d", status);
    else if (r < 0)
        snprintf(s->health.why, sizeof(s->health.why), "%s", strerror(-r));
    pthread_mutex_unlock(&e->lock);
    if (r < 0 && !failed_before)
        log_warning("audit: checkpoints can't be exported to %s: %s", s->health.name,
                    s->health.why);
    else if (r == 0 && failed_before)
        log_info("audit: checkpoints are exported to %s again", s->health.name);
}

static void step(struct export *e, size_t index, uint64_t mono_ms, uint64_t wall_us)
{
    struct sink *s = &e->sinks[index];
    size_t done = 0;
    if (s->busy)
        return;
    int r = read_lines(e, s);
    uint64_t waiting = count_lines(buf_span(&s->lines));
    tell(e, s, waiting, wall_us);
    if ((r == 0 && waiting == 0) || mono_ms < s->retry_ms)
        return;
    if (r == 0 && s->to.url.len) {
        s->busy = true;
        r = e->post(e->ctx, index, buf_span(&s->lines));
        if (r == 0)
            return;
        s->busy = false;
    } else if (r == 0) {
        r = s->to.syslog ? to_syslog(e, s, &done) : to_file(s, &done);
    }
    advance(e, s, done);
    settle(e, s, r, 0, mono_ms);
    if (r == 0)
        tell(e, s, 0, wall_us);
}

void export_step(struct export *e, uint64_t mono_ms, uint64_t wall_us)
{
    e->now_ms = mono_ms;
    for (size_t i = 0; i < e->count; i++)
        step(e, i, mono_ms, wall_us);
}

void export_posted(struct export *e, size_t sink, int result, int status)
{
    struct sink *s = &e->sinks[sink];
    s->busy = false;
    if (result == 0)
        advance(e, s, s->lines.len);
    settle(e, s, result, status, e->now_ms);
}

void export_get_health(struct export *e, size_t sink, struct export_health *ret_health)
{
    pthread_mutex_lock(&e->lock);
    *ret_health = e->sinks[sink].health;
    pthread_mutex_unlock(&e->lock);
}
