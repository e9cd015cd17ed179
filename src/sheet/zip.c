#include "sheet/zip.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>

static int damaged(struct archive *a, struct buf *why)
{
    const char *said = archive_error_string(a);
    buf_printf(why, "a damaged archive: %s", said ? said : "no reason is known");
    return -EINVAL;
}

static int unpack(struct zip *z, struct archive *a, zip_piece_fn fn, void *ctx, struct buf *why)
{
    char piece[16384];
    for (;;) {
        la_ssize_t n = archive_read_data(a, piece, sizeof(piece));
        if (n == ARCHIVE_RETRY)
            continue;
        if (n < 0)
            return damaged(a, why);
        if (n == 0)
            return 0;
        if ((size_t)n > z->budget) {
            buf_printf(why, "unpacks to too much");
            return -EINVAL;
        }
        z->budget -= (size_t)n;
        int e = fn(ctx, span_from(piece, (size_t)n));
        if (e)
            return e;
    }
}

/* Walks all members, so that two of one name are seen: readers differ in which they take. */
static int find(struct zip *z, struct archive *a, struct span name, zip_piece_fn fn, void *ctx,
                struct buf *why)
{
    int found = 1;
    for (unsigned i = 0;; i++) {
        struct archive_entry *entry;
        int e = archive_read_next_header(a, &entry);
        if (e == ARCHIVE_EOF)
            return found;
        if (e != ARCHIVE_OK && e != ARCHIVE_WARN)
            return damaged(a, why);
        if (i == ZIP_MEMBERS_MAX) {
            buf_printf(why, "more than %d members", ZIP_MEMBERS_MAX);
            return -EINVAL;
        }
        /* NULL when it is not ASCII and the locale can't say it: none that we look for. */
        if (!span_eq_nocase(span_str(archive_entry_pathname(entry)), name))
            continue;
        if (found == 0) {
            buf_printf(why, "two members are called %.*s", SPAN_ARG(name));
            return -EINVAL;
        }
        if (archive_entry_is_encrypted(entry)) {
            buf_printf(why, "it is encrypted: save it without a password");
            return -EINVAL;
        }
        found = unpack(z, a, fn, ctx, why);
        if (found)
            return found;
    }
}

int zip_read(struct zip *z, struct span name, zip_piece_fn fn, void *ctx, struct buf *why)
{
    struct archive *a = archive_read_new();
    if (!a)
        return -ENOMEM;
    int e;
    if (archive_read_support_format_zip_seekable(a) != ARCHIVE_OK ||
        archive_read_open_memory(a, z->bytes.data, z->bytes.len) != ARCHIVE_OK)
        e = damaged(a, why);
    else
        e = find(z, a, name, fn, ctx, why);
    archive_read_free(a);
    return e;
}
