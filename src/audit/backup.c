#include "audit/backup.h"

#include "audit/act.h"
#include "audit/files.h"
#include "audit/query.h"
#include "audit/writer.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/codec.h"
#include "base/file.h"
#include "db/db.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define MANIFEST "backup.json"
#define RESTORED "restored.json"

static const char *const secret_keys[] = {"keys/checkpoint.key", "keys/text.key"};

/* ---- files ---- */

static int make_dir(const char *path)
{
    return mkdir(path, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

/* 0 when the directory has nothing in it but itself. */
static int check_empty(const char *path)
{
    DIR *d = opendir(path);
    int r = 0;
    if (!d)
        return -errno;
    for (struct dirent *e; r == 0 && (e = readdir(d));)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            r = -ENOTEMPTY;
    closedir(d);
    return r;
}

static int copy_bytes(int from, int to)
{
    char piece[65536];
    ssize_t n;
    int r = 0;
    while (r == 0 && (n = read(from, piece, sizeof(piece))) != 0) {
        if (n < 0 && errno != EINTR)
            r = -errno;
        else if (n > 0)
            r = file_write(to, span_from(piece, (size_t)n));
    }
    explicit_bzero(piece, sizeof(piece)); /* it may have been a key */
    return r == 0 && fsync(to) < 0 ? -errno : r;
}

/* A file of that name from one directory to the other; 0 also when there is none. */
static int copy_file(struct span from, struct span to, const char *name, uint64_t *files)
{
    char source[PATH_MAX], target[PATH_MAX];
    if (!files_join(from, name, source) || !files_join(to, name, target))
        return -ENAMETOOLONG;
    int in cleanup(cleanup_close) = open(source, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (in < 0)
        return errno == ENOENT ? 0 : -errno;
    int out cleanup(cleanup_close) =
        open(target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (out < 0)
        return -errno;
    int r = copy_bytes(in, out);
    *files += r == 0;
    return r;
}

static int sync_all(struct span dir)
{
    char path[PATH_MAX];
    int r = files_join(dir, "keys", path) ? files_sync_dir(path) : -ENAMETOOLONG;
    if (r == 0 || r == -ENOENT)
        r = files_join(dir, "", path) ? files_sync_dir(path) : -ENAMETOOLONG;
    return r;
}

/* ---- the copy ---- */

/* As it stands at one moment, whatever is written meanwhile. */
static int copy_tier(const struct backup_options *o, struct span dir, int tier, files_month month,
                     uint64_t *files)
{
    char source[PATH_MAX], target[PATH_MAX];
    struct db_options reads = {.readonly = true, .busy_ms = 5000};
    struct db *db = NULL;
    if (!files_path(dir, tier, month, source) || !files_path(o->into, tier, month, target))
        return -ENAMETOOLONG;
    int r = db_open(span_str(source), &reads, &db);
    if (r == 0)
        r = db_copy(db, span_str(target));
    db_close(db);
    *files += r == 0;
    return r == -ENOENT ? 0 : r;
}

static int copy_keys(const struct backup_options *o, struct span dir, uint64_t *files)
{
    char path[PATH_MAX];
    int r = files_join(o->into, "keys", path) ? make_dir(path) : -ENAMETOOLONG;
    if (r == 0)
        r = copy_file(dir, o->into, "keys/checkpoint.pub", files);
    for (size_t i = 0; r == 0 && o->keys && i < sizeof(secret_keys) / sizeof(*secret_keys); i++)
        r = copy_file(dir, o->into, secret_keys[i], files);
    return r;
}

/*
 * Checkpoints speak of no more than the records that are copied after them, and each record has the
 * texts that are copied after it.
 */
static int copy_all(const struct backup_options *o, struct span dir, struct backup_report *n)
{
    struct files *files cleanup(cleanup_free) = malloc(sizeof(*files));
    int r = files ? copy_file(dir, o->into, "checkpoints.jsonl", &n->files) : -ENOMEM;
    if (r == 0)
        r = copy_file(dir, o->into, "holds.tsv", &n->files);
    if (r == 0)
        r = files_list(dir, 0, files);
    for (int tier = 0; tier < FILES_TIERS; tier++)
        for (size_t i = 0; r == 0 && i < files->count; i++)
            r = copy_tier(o, dir, tier, files->months[i], &n->files);
    return r == 0 ? copy_keys(o, dir, &n->files) : r;
}

static int write_manifest(const struct backup_options *o, const struct backup_report *n)
{
    char path[PATH_MAX], text[160];
    int len = snprintf(text, sizeof(text),
                       "{\"v\":1,\"time\":%" PRIu64 ",\"files\":%" PRIu64 ",\"last\":%" PRIu64
                       ",\"keys\":%s}\n",
                       clock_wall_us(), n->files, n->last_seq, o->keys ? "true" : "false");
    int r = sync_all(o->into);
    if (r == 0)
        r = files_join(o->into, MANIFEST, path)
                ? files_replace(path, span_from(text, (size_t)len), 0600)
                : -ENAMETOOLONG;
    return r == 0 ? sync_all(o->into) : r;
}

int backup_run(struct audit *a, const struct backup_options *o, struct backup_report *ret_report)
{
    char path[PATH_MAX];
    struct buf detail = BUF_INIT(4096);
    *ret_report = (struct backup_report){0};
    int r = files_join(o->into, "", path) ? make_dir(path) : -ENAMETOOLONG;
    if (r == 0)
        r = check_empty(path);
    if (r == 0)
        r = buf_printf(&detail, "{\"keys\":%s%s%.*s}", o->keys ? "true" : "false",
                       o->who.len ? "," : "", SPAN_ARG(o->who));
    pthread_mutex_lock(&a->upkeep);
    if (r == 0)
        r = act_note(a, SPAN_LIT("backup"), buf_span(&detail), NULL);
    if (r == 0)
        r = copy_all(o, store_dir(a->store), ret_report);
    pthread_mutex_unlock(&a->upkeep);
    if (r == 0)
        r = query_last_seq(o->into, &ret_report->last_seq);
    if (r == 0)
        r = write_manifest(o, ret_report);
    buf_deinit(&detail);
    return r;
}

/* ---- the way back ---- */

static int check_target(struct span dir)
{
    struct files *files cleanup(cleanup_free) = malloc(sizeof(*files));
    if (!files)
        return -ENOMEM;
    int r = query_is_written(dir) ? -EEXIST : files_list(dir, 0, files);
    if (r == -ENOENT)
        return 0;
    return r == 0 && files->count ? -EEXIST : r;
}

static int check_source(struct span from, struct verify_report *ret_report)
{
    char path[PATH_MAX];
    struct verify_options o = {.dir = from};
    if (!files_join(from, MANIFEST, path))
        return -ENAMETOOLONG;
    if (access(path, R_OK) < 0)
        return -errno;
    return verify_run(&o, ret_report);
}

/* With another key the old checkpoints would be nobody's. */
static int restore_keys(struct span from, struct span dir, uint64_t *files)
{
    char path[PATH_MAX], has[PATH_MAX];
    if (!files_join(dir, "keys", path) || !files_join(dir, secret_keys[0], has))
        return -ENAMETOOLONG;
    if (access(has, F_OK) == 0)
        return 0;
    int r = make_dir(path);
    for (size_t i = 0; r == 0 && i < sizeof(secret_keys) / sizeof(*secret_keys); i++)
        r = copy_file(from, dir, secret_keys[i], files);
    if (r == 0)
        r = copy_file(from, dir, "keys/checkpoint.pub", files);
    return r;
}

static bool has_keys(struct span dir)
{
    char path[PATH_MAX];
    return files_join(dir, secret_keys[0], path) && access(path, F_OK) == 0;
}

static int mark(struct span dir, const struct verify_report *v)
{
    char path[PATH_MAX], text[160];
    int len = snprintf(text, sizeof(text), "{\"time\":%" PRIu64 ",\"last\":%" PRIu64 "}",
                       clock_wall_us(), v->last_seq);
    return files_join(dir, RESTORED, path) ? files_replace(path, span_from(text, (size_t)len), 0600)
                                           : -ENAMETOOLONG;
}

static int restore_files(struct span from, struct span dir, uint64_t *copied)
{
    struct files *files cleanup(cleanup_free) = malloc(sizeof(*files));
    int r = files ? 0 : -ENOMEM;
    for (int tier = FILES_TIERS - 1; r == 0 && tier >= 0; tier--) {
        r = files_list(from, tier, files);
        for (size_t i = 0; r == 0 && i < files->count; i++) {
            char path[PATH_MAX];
            if (!files_path(SPAN_LIT("."), tier, files->months[i], path))
                return -ENAMETOOLONG;
            r = copy_file(from, dir, path + 2, copied);
        }
    }
    return r;
}

int backup_restore(struct span from, struct span dir, struct verify_report *ret_report)
{
    char path[PATH_MAX];
    uint64_t copied = 0;
    int r = check_target(dir);
    if (r == 0 && !has_keys(from) && !has_keys(dir))
        r = -ENOKEY;
    if (r == 0)
        r = check_source(from, ret_report);
    if (r != 0)
        return r;
    if (!files_join(dir, "", path))
        return -ENAMETOOLONG;
    r = make_dir(path);
    if (r == 0)
        r = mark(dir, ret_report); /* first: no restored log may begin without its record */
    if (r == 0)
        r = restore_keys(from, dir, &copied);
    if (r == 0)
        r = copy_file(from, dir, "holds.tsv", &copied);
    if (r == 0)
        r = copy_file(from, dir, "checkpoints.jsonl", &copied);
    if (r == 0)
        r = restore_files(from, dir, &copied);
    return r == 0 ? sync_all(dir) : r;
}

int backup_note_restored(struct audit *a, struct span dir)
{
    char path[PATH_MAX], text[161];
    if (!files_join(dir, RESTORED, path))
        return -ENAMETOOLONG;
    int fd cleanup(cleanup_close) = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return errno == ENOENT ? 0 : -errno;
    ssize_t n = read(fd, text, sizeof(text) - 1);
    if (n < 0)
        return -errno;
    int r = act_note(a, SPAN_LIT("restore"), span_from(text, (size_t)n), NULL);
    if (r == 0 && unlink(path) < 0)
        r = -errno;
    return r;
}
