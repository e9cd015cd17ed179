#include "rules/vault.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "rules/loader.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <sys/stat.h>
#include <time.h>

#define LOCK_WAIT_MS 20000
#define LOCK_STEP_MS 10
#define STAGING      "staging" /* only ever used under the lock */

struct vault {
    int dir, lock;
    vault_step step;
    void *step_ctx;
    char path[PATH_MAX];
};

bool vault_is_digest(struct span text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!memchr("0123456789abcdef", text.data[i], 16))
            return false;
    return text.len == RULE_DIGEST_SIZE - 1;
}

void vault_name(struct span digest, char ret_name[RULE_VERSION_SIZE])
{
    snprintf(ret_name, RULE_VERSION_SIZE, "v-%.12s", digest.len ? digest.data : "");
}

static int fail(struct buf *messages, const char *path, const char *name, int error)
{
    buf_printf(messages, "%s%s%s: %s\n", path, name ? "/" : "", name ? name : "", strerror(-error));
    return error;
}

/* ---- opening ---- */

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    return remove(path);
}

/* What a writer that died left behind. */
static void remove_staging(const struct vault *s)
{
    char path[PATH_MAX + 16];
    snprintf(path, sizeof(path), "%s/" STAGING, s->path);
    nftw(path, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static int take_lock(struct vault *s, struct buf *messages)
{
    s->lock = openat(s->dir, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (s->lock < 0)
        return fail(messages, s->path, "lock", -errno);
    uint64_t end = clock_mono_ms() + LOCK_WAIT_MS;
    struct timespec pause = {.tv_nsec = LOCK_STEP_MS * 1000000};
    for (;;) {
        struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
        if (fcntl(s->lock, F_OFD_SETLK, &lock) == 0)
            return 0;
        if (errno != EAGAIN && errno != EACCES && errno != EINTR)
            return fail(messages, s->path, "lock", -errno);
        if (clock_mono_ms() > end) {
            buf_printf(messages, "%s/lock: another juyong is changing the rules and doesn't end\n",
                       s->path);
            return -EBUSY;
        }
        nanosleep(&pause, NULL);
    }
}

static int make_dirs(const struct vault *s, struct span state_dir, struct buf *messages)
{
    char path[PATH_MAX + 16];
    snprintf(path, sizeof(path), "%.*s", SPAN_ARG(state_dir));
    int r = file_make_dir(path, 0700);
    if (r < 0)
        return fail(messages, path, NULL, r);
    r = file_make_dir(s->path, 0700);
    if (r < 0)
        return fail(messages, s->path, NULL, r);
    snprintf(path, sizeof(path), "%s/versions", s->path);
    r = file_make_dir(path, 0700);
    return r < 0 ? fail(messages, path, NULL, r) : 0;
}

static int open_vault(struct span state_dir, bool write, struct buf *messages,
                      struct vault **ret_vault)
{
    struct vault *s = calloc(1, sizeof(*s));
    if (!s)
        return -ENOMEM;
    s->dir = s->lock = -1;
    int r = 0;
    if (snprintf(s->path, sizeof(s->path), "%.*s/rules", SPAN_ARG(state_dir)) >=
        (int)sizeof(s->path) - 128)
        r = -ENAMETOOLONG;
    else if (write)
        r = make_dirs(s, state_dir, messages);
    if (r == 0)
        s->dir = open(s->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (r == 0 && s->dir < 0)
        r = errno == ENOENT && !write ? -ENOENT : fail(messages, s->path, NULL, -errno);
    if (r == 0 && write)
        r = take_lock(s, messages);
    if (r < 0) {
        vault_close(s);
        return r;
    }
    if (write)
        remove_staging(s);
    *ret_vault = s;
    return 0;
}

int vault_open(struct span state_dir, struct buf *messages, struct vault **ret_vault)
{
    return open_vault(state_dir, false, messages, ret_vault);
}

int vault_open_locked(struct span state_dir, struct buf *messages, struct vault **ret_vault)
{
    return open_vault(state_dir, true, messages, ret_vault);
}

void vault_close(struct vault *s)
{
    if (!s)
        return;
    if (s->lock >= 0)
        close(s->lock);
    if (s->dir >= 0)
        close(s->dir);
    free(s);
}

void vault_on_step(struct vault *s, vault_step fn, void *ctx)
{
    s->step = fn;
    s->step_ctx = ctx;
}

void vault_tell_step(struct vault *s, const char *step)
{
    if (s->step)
        s->step(s->step_ctx, step);
}

int vault_dir(const struct vault *s)
{
    return s->dir;
}

struct span vault_path(const struct vault *s)
{
    return span_str(s->path);
}

/* ---- reading ---- */

int vault_current(const struct vault *s, struct buf *messages, char ret_digest[RULE_DIGEST_SIZE])
{
    char text[RULE_DIGEST_SIZE + 8];
    cleanup(cleanup_close) int fd = openat(s->dir, "current", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return errno == ENOENT ? -ENOENT : fail(messages, s->path, "current", -errno);
    ssize_t n = read(fd, text, sizeof(text));
    if (n < 0)
        return fail(messages, s->path, "current", -errno);
    struct span digest = span_trim(span_from(text, (size_t)n));
    ret_digest[0] = '\0';
    if (span_eq(digest, SPAN_LIT("-")))
        return 0;
    if (!vault_is_digest(digest)) {
        buf_printf(messages, "%s/current: names no version; `juyong rules rollback` mends it\n",
                   s->path);
        return -EBADMSG;
    }
    memcpy(ret_digest, digest.data, digest.len);
    ret_digest[digest.len] = '\0';
    return 0;
}

int vault_find(const struct vault *s, struct span name, char ret_digest[RULE_DIGEST_SIZE])
{
    if (span_starts(name, SPAN_LIT("v-")))
        name = span_slice(name, 2, name.len);
    else if (span_starts(name, SPAN_LIT("auto-")))
        name = span_slice(name, 5, name.len);
    if (name.len < 8 || name.len >= RULE_DIGEST_SIZE)
        return -ENOENT;
    int fd = openat(s->dir, "versions", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    if (!d) {
        int r = -errno;
        if (fd >= 0)
            close(fd);
        return r;
    }
    unsigned found = 0;
    for (struct dirent *e; (e = readdir(d));) {
        struct span entry = span_str(e->d_name);
        if (!vault_is_digest(entry) || !span_starts(entry, name))
            continue;
        memcpy(ret_digest, entry.data, RULE_DIGEST_SIZE);
        found++;
    }
    closedir(d);
    return found == 1 ? 0 : found ? -ENOTUNIQ : -ENOENT;
}

int vault_read(const struct vault *s, struct span digest, const struct ruleset_source *how,
               struct rule_report *report, struct ruleset **ret_set)
{
    char dir[PATH_MAX + 128];
    struct ruleset_source source = *how;
    if (!vault_is_digest(digest)) {
        buf_printf(&report->text, "%s: '%.*s' names no version\n", s->path, SPAN_ARG(digest));
        return -EINVAL;
    }
    snprintf(dir, sizeof(dir), "%s/versions/%.*s", s->path, SPAN_ARG(digest));
    source.dir = span_str(dir);
    source.published = true;
    /* With other urgent words it is another version, made of one that the caller has read. */
    if (!how->replace_urgent)
        source.digest = digest;
    return ruleset_read(&source, report, ret_set);
}

/* ---- writing ---- */

static int sync_dir(int dir, const char *name)
{
    cleanup(cleanup_close) int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

/* A new file with that content, on the disk before it returns unless not `durable`. */
static int write_new(int dir, const char *name, struct span text, mode_t mode, bool durable)
{
    cleanup(cleanup_close) int fd =
        openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return -errno;
    int r = file_write(fd, text);
    if (r < 0)
        return r;
    return fchmod(fd, mode) < 0 || (durable && fsync(fd) < 0) ? -errno : 0;
}

int vault_replace(const struct vault *s, const char *name, struct span text, bool durable)
{
    char temporary[64];
    snprintf(temporary, sizeof(temporary), "%s.new", name);
    int r = write_new(s->dir, temporary, text, 0600, durable);
    if (r == 0 && renameat(s->dir, temporary, s->dir, name) < 0)
        r = -errno;
    if (r == 0 && durable && fsync(s->dir) < 0)
        r = -errno;
    return r;
}

static int stage_file(int staging, const struct rule_file *f)
{
    char folder[NAME_MAX + 1];
    struct span path = span_str(f->relative);
    size_t slash = span_find(path, SPAN_LIT("/"));
    if (slash < path.len) {
        snprintf(folder, sizeof(folder), "%.*s", (int)slash, path.data);
        if (mkdirat(staging, folder, 0700) < 0 && errno != EEXIST)
            return -errno;
    }
    return write_new(staging, f->relative, buf_span(&f->text), 0400, true);
}

/* The folders of the version, and itself: their entries are on the disk as well. */
static int sync_folders(int staging, const struct rule_files *files)
{
    char folder[NAME_MAX + 1] = "", last[NAME_MAX + 1] = "";
    for (size_t i = 0; i < files->count; i++) {
        struct span path = span_str(files->list[i].relative);
        size_t slash = span_find(path, SPAN_LIT("/"));
        snprintf(folder, sizeof(folder), "%.*s", slash < path.len ? (int)slash : 0, path.data);
        if (folder[0] == '\0' || strcmp(folder, last) == 0)
            continue;
        int r = sync_dir(staging, folder);
        if (r < 0)
            return r;
        memcpy(last, folder, sizeof(last));
    }
    return sync_dir(staging, ".");
}

static int stage(struct vault *s, const struct ruleset *set, const struct rule_files *files)
{
    if (mkdirat(s->dir, STAGING, 0700) < 0)
        return -errno;
    cleanup(cleanup_close) int fd = openat(s->dir, STAGING, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int r = fd < 0 ? -errno : 0;
    for (size_t i = 0; i < files->count && r == 0; i++) {
        r = stage_file(fd, &files->list[i]);
        vault_tell_step(s, "file");
    }
    if (r == 0)
        r = write_new(fd, RULE_MANIFEST, ruleset_manifest(set), 0400, true);
    return r < 0 ? r : sync_folders(fd, files);
}

/* Whether that version is there and is what its name says. */
static bool is_whole(const struct vault *s, struct span digest)
{
    struct rule_report report = RULE_REPORT_INIT;
    struct ruleset_source how = {.uncompiled = true};
    struct ruleset *set = NULL;
    int r = vault_read(s, digest, &how, &report, &set);
    ruleset_unref(set);
    buf_deinit(&report.text);
    return r == 0;
}

static int set_aside(const struct vault *s, const char *path, struct buf *messages)
{
    char aside[PATH_MAX + 64];
    snprintf(aside, sizeof(aside), "%s.damaged-%llu", path, (unsigned long long)clock_wall_us());
    if (renameat(s->dir, path, s->dir, aside) < 0)
        return fail(messages, s->path, path, -errno);
    buf_printf(messages, "%s/%s: warning: was damaged; set aside as %s and written anew\n", s->path,
               path, aside);
    return 0;
}

int vault_put(struct vault *s, const struct ruleset *set, const struct rule_files *files,
              struct buf *messages)
{
    char path[PATH_MAX];
    struct stat st;
    snprintf(path, sizeof(path), "versions/%.*s", SPAN_ARG(ruleset_digest(set)));
    if (fstatat(s->dir, path, &st, AT_SYMLINK_NOFOLLOW) == 0) {
        if (is_whole(s, ruleset_digest(set)))
            return 0;
        int r = set_aside(s, path, messages);
        if (r < 0)
            return r;
    }
    int r = stage(s, set, files);
    vault_tell_step(s, "staged");
    if (r == 0 && renameat(s->dir, STAGING, s->dir, path) < 0)
        r = -errno;
    vault_tell_step(s, "stored");
    if (r == 0)
        r = sync_dir(s->dir, "versions");
    if (r == 0)
        r = fsync(s->dir) < 0 ? -errno : 0;
    if (r < 0) {
        remove_staging(s);
        return fail(messages, s->path, path, r);
    }
    return 0;
}

int vault_switch(struct vault *s, struct span digest, struct buf *messages)
{
    char text[RULE_DIGEST_SIZE + 1];
    snprintf(text, sizeof(text), "%.*s\n", SPAN_ARG(digest.len ? digest : SPAN_LIT("-")));
    int r = vault_replace(s, "current", span_str(text), true);
    vault_tell_step(s, "switched");
    return r < 0 ? fail(messages, s->path, "current", r) : 0;
}
