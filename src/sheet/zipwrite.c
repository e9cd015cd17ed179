#include "sheet/zipwrite.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/utf8.h"
#include "sheet/zip.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAMES_MAX (ZIP_MEMBERS_MAX * 256u) /* bytes of all names */

struct zipwrite {
    struct archive *archive; /* NULL when it is finished */
    int fd;                  /* of the file at `temp` */
    unsigned members;
    struct buf names; /* of the members, each with a NUL behind it */
    int error;
    struct buf reason;
    char *path;
    char *temp; /* where it is written; NULL when there is nothing to remove */
};

/* Keeps the first error and its reason. */
static int fail(struct zipwrite *w, int error, struct span member, const char *what)
{
    if (w->error < 0)
        return w->error;
    w->error = error;
    if (member.len > 0)
        buf_printf(&w->reason, "%s: %.*s: %s", w->path, SPAN_ARG(member), what);
    else
        buf_printf(&w->reason, "%s: %s", w->path, what);
    return error;
}

/*
 * Takes what libarchive gives. To it nothing ever fails: it would forget its memory of the member
 * that is being written. The caller looks at w->error.
 */
static la_ssize_t take_bytes(struct archive *a, void *ctx, const void *bytes, size_t size)
{
    struct zipwrite *w = ctx;
    int r = w->error < 0 ? 0 : file_write(w->fd, span_from(bytes, size));
    if (r < 0)
        fail(w, r, SPAN_LIT(""), strerror(-r));
    return (la_ssize_t)size;
}

/* What libarchive says. */
static int fail_archive(struct zipwrite *w, struct span member)
{
    int e = archive_errno(w->archive);
    const char *said = archive_error_string(w->archive);
    return fail(w, e > 0 ? -e : -EIO, member, said ? said : "no reason is known");
}

static bool begin(struct zipwrite *w)
{
    w->archive = archive_write_new();
    return w->archive && archive_write_set_format_zip(w->archive) == ARCHIVE_OK &&
           archive_write_set_options(w->archive, "zip:compression=deflate,zip:hdrcharset=UTF-8") ==
               ARCHIVE_OK &&
           archive_write_set_bytes_in_last_block(w->archive, 1) == ARCHIVE_OK &&
           archive_write_open(w->archive, w, NULL, take_bytes, NULL) == ARCHIVE_OK;
}

int zipwrite_new(struct span path, struct zipwrite **ret_writer)
{
    if (path.len == 0 || path.len > PATH_MAX - 32 || memchr(path.data, 0, path.len))
        return -ENAMETOOLONG;
    struct zipwrite *w = calloc(1, sizeof(*w));
    if (!w)
        return -ENOMEM;
    w->fd = -1;
    w->reason = BUF_INIT(8192);
    w->names = BUF_INIT(NAMES_MAX);
    int r = -ENOMEM;
    w->path = strndup(path.data, path.len);
    if (!w->path || asprintf(&w->temp, "%s.%d.part", w->path, (int)getpid()) < 0) {
        w->temp = NULL;
        goto fail;
    }
    w->fd = open(w->temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (w->fd < 0) {
        r = -errno;
        free(take(w->temp)); /* another's */
        goto fail;
    }
    if (!begin(w))
        goto fail;
    *ret_writer = w;
    return 0;
fail:
    zipwrite_free(w);
    return r;
}

static bool is_part(struct span s)
{
    return s.len > 0 && !span_eq(s, SPAN_LIT(".")) && !span_eq(s, SPAN_LIT(".."));
}

/* A name that stays below wherever the archive is unpacked. */
static bool is_name(struct span name)
{
    if (name.len == 0 || memchr(name.data, 0, name.len) || memchr(name.data, '\\', name.len) ||
        utf8_check(name) != name.len)
        return false;
    for (size_t from = 0;;) {
        const char *slash = memchr(name.data + from, '/', name.len - from);
        size_t to = slash ? (size_t)(slash - name.data) : name.len;
        if (!is_part(span_slice(name, from, to)))
            return false;
        if (!slash)
            return true;
        from = to + 1;
    }
}

static bool has_name(const struct zipwrite *w, struct span name)
{
    for (size_t at = 0; at < w->names.len;) {
        struct span there = span_str(w->names.data + at);
        if (span_eq_nocase(there, name)) /* where a reader doesn't tell them apart either */
            return true;
        at += there.len + 1;
    }
    return false;
}

static int begin_member(struct zipwrite *w, struct span name, off_t size)
{
    if (w->error < 0)
        return w->error;
    if (!w->archive)
        return fail(w, -EINVAL, SPAN_LIT(""), "the archive is finished already");
    if (!is_name(name))
        return fail(w, -EINVAL, name, "no name for a member");
    if (has_name(w, name))
        return fail(w, -EEXIST, name, "there already");
    if (w->members == ZIP_MEMBERS_MAX)
        return fail(w, -E2BIG, name, "too many members");
    size_t at = w->names.len;
    struct archive_entry *e = archive_entry_new();
    int r = e ? buf_append(&w->names, name) : -ENOMEM;
    if (r == 0)
        r = buf_append(&w->names, span_from("", 1));
    if (r < 0) {
        archive_entry_free(e);
        return fail(w, r, name, strerror(-r));
    }
    archive_entry_set_pathname_utf8(e, w->names.data + at);
    archive_entry_set_filetype(e, AE_IFREG);
    archive_entry_set_perm(e, 0644);
    archive_entry_set_size(e, size);
    int said = archive_write_header(w->archive, e);
    archive_entry_free(e);
    if (said != ARCHIVE_OK)
        return fail_archive(w, name);
    w->members++;
    return w->error;
}

static int write_piece(struct zipwrite *w, struct span name, struct span piece)
{
    while (piece.len > 0) {
        la_ssize_t n = archive_write_data(w->archive, piece.data, piece.len);
        if (n <= 0)
            return fail_archive(w, name);
        if (w->error < 0)
            return w->error;
        piece = span_slice(piece, (size_t)n, piece.len);
    }
    return 0;
}

static int end_member(struct zipwrite *w, struct span name)
{
    return archive_write_finish_entry(w->archive) == ARCHIVE_OK ? w->error : fail_archive(w, name);
}

int zipwrite_add(struct zipwrite *w, struct span name, struct span content)
{
    int r = begin_member(w, name, (off_t)content.len);
    if (r == 0)
        r = write_piece(w, name, content);
    return r == 0 ? end_member(w, name) : r;
}

int zipwrite_add_fd(struct zipwrite *w, struct span name, int fd)
{
    struct stat st;
    if (w->error < 0)
        return w->error;
    if (fstat(fd, &st) < 0)
        return fail(w, -errno, name, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return fail(w, -EINVAL, name, "not a regular file");
    int r = begin_member(w, name, st.st_size);
    char piece[16384];
    for (off_t at = 0; r == 0 && at < st.st_size;) {
        off_t left = st.st_size - at;
        size_t want = left < (off_t)sizeof(piece) ? (size_t)left : sizeof(piece);
        ssize_t n = pread(fd, piece, want, at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail(w, -errno, name, strerror(errno));
        if (n == 0)
            return fail(w, -ESTALE, name, "the file changed while it was read");
        r = write_piece(w, name, span_from(piece, (size_t)n));
        at += n;
    }
    return r == 0 ? end_member(w, name) : r;
}

static int sync_dir_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *dir = !slash ? strdup(".") : slash == path ? strdup("/") : strndup(path, slash - path);
    int fd = dir ? open(dir, O_RDONLY | O_CLOEXEC | O_DIRECTORY) : -1;
    int r = !dir ? -ENOMEM : fd < 0 ? -errno : fsync(fd) < 0 ? -errno : 0;
    if (fd >= 0)
        close(fd);
    free(dir);
    return r;
}

static int put_in_place(struct zipwrite *w)
{
    int r = fsync(w->fd) < 0 || rename(w->temp, w->path) < 0 ? -errno : 0;
    if (r < 0)
        return fail(w, r, SPAN_LIT(""), strerror(-r));
    free(take(w->temp));
    r = sync_dir_of(w->path);
    return r < 0 ? fail(w, r, SPAN_LIT(""), strerror(-r)) : 0;
}

int zipwrite_finish(struct zipwrite *w, struct buf *ret_error)
{
    if (w->error == 0 && !w->archive)
        fail(w, -EINVAL, SPAN_LIT(""), "the archive is finished already");
    if (w->error == 0) {
        if (archive_write_close(w->archive) != ARCHIVE_OK)
            fail_archive(w, SPAN_LIT(""));
        else if (w->error == 0)
            put_in_place(w);
        archive_write_free(take(w->archive));
    }
    if (w->error < 0 && ret_error)
        buf_append(ret_error, buf_span(&w->reason));
    return w->error;
}

struct zipwrite *zipwrite_free(struct zipwrite *w)
{
    if (!w)
        return NULL;
    if (w->archive)
        archive_write_free(w->archive);
    if (w->fd >= 0)
        close(w->fd);
    if (w->temp)
        unlink(w->temp);
    buf_deinit(&w->reason);
    buf_deinit(&w->names);
    free(w->path);
    free(w->temp);
    free(w);
    return NULL;
}
