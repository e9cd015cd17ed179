/* What was handed in, on disk. */
#include "filing/packchanges.h"

#include "audit/files.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/codec.h"
#include "base/day.h"
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define NAME_SIZE   40
#define NAMES_TRIED 1000

void packfiled_free(struct packfiled *f)
{
    manifest_deinit(&f->manifest);
    arena_deinit(&f->arena);
    *f = PACKFILED_INIT;
}

static bool folder_of(struct span state_dir, const char *file, char ret_path[PATH_MAX])
{
    int n = snprintf(ret_path, PATH_MAX, "%.*s/filing%s", SPAN_ARG(state_dir), file);
    return n > 0 && n < PATH_MAX;
}

static int make_folder(struct span state_dir, char ret_path[PATH_MAX])
{
    if (!folder_of(state_dir, "", ret_path))
        return -ENAMETOOLONG;
    int r = file_make_dir(ret_path, 0700);
    if (r == 0 && !folder_of(state_dir, "/filed", ret_path))
        r = -ENAMETOOLONG;
    return r < 0 ? r : file_make_dir(ret_path, 0700);
}

/* ---- writing ---- */

static int write_text(const struct packfiled *f, struct buf *out)
{
    char noted[CLOCK_TEXT_SIZE];
    struct buf text = BUF_INIT(MANIFEST_MAX);
    clock_format((uint64_t)f->noted * 1000000, noted);
    struct json_value *o = value_object();
    int r = o ? manifest_write(&f->manifest, &text) : -ENOMEM;
    if (r == 0)
        r = value_set(o, SPAN_LIT("v"), value_integer(1));
    if (r == 0)
        r = value_set(o, SPAN_LIT("date"), value_string(f->date));
    if (r == 0)
        r = value_set(o, SPAN_LIT("number"), value_string(f->number));
    if (r == 0)
        r = value_set(o, SPAN_LIT("by"), value_string(f->by));
    if (r == 0)
        r = value_set(o, SPAN_LIT("noted"), value_string(span_str(noted)));
    if (r == 0)
        r = value_set(o, SPAN_LIT("pack"), value_string(span_str(f->digest)));
    if (r == 0)
        r = value_set(o, SPAN_LIT("manifest"), value_parse(buf_span(&text), NULL));
    if (r == 0)
        r = value_dump(o, out);
    value_free(o);
    buf_deinit(&text);
    return r < 0 ? r : buf_append_char(out, '\n');
}

/* A name of its own, in the order of time: what was noted before is never replaced. */
static int place_text(const char *dir, int64_t noted, struct span text)
{
    char beside[PATH_MAX], path[PATH_MAX], stamp[24];
    time_t t = (time_t)noted;
    struct tm tm;
    gmtime_r(&t, &tm);
    strftime(stamp, sizeof(stamp), "%Y%m%d-%H%M%S", &tm);
    int n = snprintf(beside, sizeof(beside), "%s/.new.%d", dir, (int)getpid());
    if (n < 0 || n >= (int)sizeof(beside))
        return -ENAMETOOLONG;
    int r = files_replace(beside, text, 0600);
    for (unsigned i = 0; r == 0; i++) {
        n = snprintf(path, sizeof(path), "%s/%s-%03u.json", dir, stamp, i);
        if (n < 0 || n >= (int)sizeof(path))
            r = -ENAMETOOLONG;
        else if (link(beside, path) == 0)
            break;
        else if (errno != EEXIST || i == NAMES_TRIED)
            r = -errno;
    }
    unlink(beside);
    return r < 0 ? r : files_sync_dir(dir);
}

int packfiled_note(struct span state_dir, const struct packfiled *f)
{
    struct buf text = BUF_INIT(2 * MANIFEST_MAX);
    char dir[PATH_MAX];
    int64_t end;
    if (!day_end(f->date, &end))
        return -EINVAL;
    int r = make_folder(state_dir, dir);
    if (r == 0)
        r = write_text(f, &text);
    if (r == 0)
        r = place_text(dir, f->noted, buf_span(&text));
    buf_deinit(&text);
    return r;
}

/* ---- reading ---- */

static int find_newest(const char *dir, char ret_name[NAME_SIZE])
{
    DIR *d = opendir(dir);
    if (!d)
        return -errno;
    ret_name[0] = '\0';
    for (struct dirent *e; (e = readdir(d));)
        if (e->d_name[0] != '.' && strlen(e->d_name) < NAME_SIZE && strcmp(e->d_name, ret_name) > 0)
            memcpy(ret_name, e->d_name, strlen(e->d_name) + 1);
    closedir(d);
    return ret_name[0] ? 0 : -ENOENT;
}

static int read_text(struct span text, struct packfiled *f, struct buf *why)
{
    struct span date, number, by, noted, digest;
    struct buf manifest = BUF_INIT(MANIFEST_MAX);
    struct json_value *v = value_parse(text, why);
    unsigned char bytes[SHA256_SIZE];
    uint64_t us;
    int64_t end;
    int r = 0;
    if (!v || !value_get_string(value_get(v, SPAN_LIT("date")), &date) || !day_end(date, &end) ||
        !value_get_string(value_get(v, SPAN_LIT("number")), &number) ||
        !value_get_string(value_get(v, SPAN_LIT("by")), &by) ||
        !value_get_string(value_get(v, SPAN_LIT("noted")), &noted) || !clock_read(noted, &us) ||
        !value_get_string(value_get(v, SPAN_LIT("pack")), &digest) ||
        !codec_unhex(digest, bytes, sizeof(bytes)) ||
        !value_is_object(value_get(v, SPAN_LIT("manifest"))))
        r = -EBADMSG;
    if (r == 0) {
        f->date = arena_copy(&f->arena, date);
        f->number = arena_copy(&f->arena, number);
        f->by = arena_copy(&f->arena, by);
        f->noted = (int64_t)(us / 1000000);
        codec_hex(span_from((const char *)bytes, sizeof(bytes)), f->digest);
        r = f->date.data && f->number.data && f->by.data ? 0 : -ENOMEM;
    }
    if (r == 0)
        r = value_dump(value_get(v, SPAN_LIT("manifest")), &manifest);
    if (r == 0)
        r = manifest_read(buf_span(&manifest), &f->manifest, why);
    buf_deinit(&manifest);
    value_free(v);
    return r;
}

int packfiled_read(struct span state_dir, struct packfiled *ret_filed, struct buf *messages)
{
    char path[PATH_MAX], name[NAME_SIZE];
    struct buf text = BUF_INIT(2 * MANIFEST_MAX), why = BUF_INIT(65536);
    if (!folder_of(state_dir, "/filed", path))
        return -ENAMETOOLONG;
    int r = find_newest(path, name);
    if (r < 0)
        return r;
    size_t n = strlen(path);
    if (n + 1 + strlen(name) >= sizeof(path))
        return -ENAMETOOLONG;
    path[n] = '/';
    memcpy(path + n + 1, name, strlen(name) + 1);
    int fd cleanup(cleanup_close) = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    r = fd < 0 ? -errno : file_read(fd, 0, &text);
    if (r == 0)
        r = read_text(buf_span(&text), ret_filed, &why);
    if (r == -EBADMSG)
        buf_printf(messages, "%s: it is damaged: %.*s\n", path, SPAN_ARG(buf_span(&why)));
    buf_deinit(&text);
    buf_deinit(&why);
    return r;
}
