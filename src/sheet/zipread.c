#include "sheet/zipread.h"

#include "base/utf8.h"
#include "sheet/zip.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <locale.h>
#include <sys/stat.h>
#include <unistd.h>

struct reading {
    struct archive *archive;
    const struct zipread_ops *ops;
    void *ctx;
    size_t budget;
    struct buf *why;
};

static int damaged(struct reading *r)
{
    const char *said = archive_error_string(r->archive);
    buf_printf(r->why, "a damaged archive: %s", said ? said : "no reason is known");
    return -EINVAL;
}

static int refuse(struct reading *r, const char *reason)
{
    buf_append(r->why, span_str(reason));
    return -EINVAL;
}

static int unpack(struct reading *r)
{
    char piece[65536];
    for (;;) {
        la_ssize_t n = archive_read_data(r->archive, piece, sizeof(piece));
        if (n == ARCHIVE_RETRY)
            continue;
        if (n < 0)
            return damaged(r);
        if (n == 0)
            return 0;
        if ((size_t)n > r->budget)
            return refuse(r, "unpacks to too much");
        r->budget -= (size_t)n;
        int e = r->ops->piece(r->ctx, span_from(piece, (size_t)n));
        if (e)
            return e;
    }
}

static int read_member(struct reading *r, struct archive_entry *entry)
{
    struct span name = span_str(archive_entry_pathname(entry));
    if (archive_entry_filetype(entry) == AE_IFDIR)
        return 0;
    if (archive_entry_is_encrypted(entry))
        return refuse(r, "it is encrypted");
    int e = r->ops->begin(r->ctx, utf8_check(name) == name.len ? name : SPAN_LIT(""));
    if (e == 0)
        e = unpack(r);
    return e ? e : r->ops->end(r->ctx);
}

static int each(struct reading *r)
{
    for (unsigned i = 0;; i++) {
        struct archive_entry *entry;
        int e = archive_read_next_header(r->archive, &entry);
        if (e == ARCHIVE_EOF)
            return 0;
        if (e != ARCHIVE_OK && e != ARCHIVE_WARN)
            return damaged(r);
        if (i == ZIP_MEMBERS_MAX)
            return refuse(r, "too many members");
        e = read_member(r, entry);
        if (e)
            return e;
    }
}

int zipread_each(int fd, size_t budget, const struct zipread_ops *ops, void *ctx, struct buf *why)
{
    struct reading r = {.ops = ops, .ctx = ctx, .budget = budget, .why = why};
    /* libarchive gives names in the locale's charset alone, and ours says nothing of UTF-8. */
    locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    locale_t before = utf8 ? uselocale(utf8) : (locale_t)0;
    int e = -ENOMEM;
    r.archive = archive_read_new();
    if (r.archive && lseek(fd, 0, SEEK_SET) < 0)
        e = -errno;
    else if (r.archive && (archive_read_support_format_zip_seekable(r.archive) != ARCHIVE_OK ||
                           archive_read_open_fd(r.archive, fd, 65536) != ARCHIVE_OK))
        e = damaged(&r);
    else if (r.archive)
        e = each(&r);
    archive_read_free(r.archive);
    if (utf8) {
        uselocale(before);
        freelocale(utf8);
    }
    return e;
}
