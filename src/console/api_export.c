/* Rows of the log as a file; that it left is on record first. */
#include "console/areas.h"
#include "console/casework.h"
#include "console/filter.h"

#include "audit/rowjson.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "casebook/export.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LINE_MAX_BYTES (64u << 20)
#define AT_ONCE        2    /* of all clerks: others have something to do as well */
#define DISK_PERCENT   95   /* so full exports leave the disk, on which the log is, at most */
#define ROOM_ROWS      1024 /* between two looks at it */

static int put_line(FILE *f, const struct query_row *row, bool texts)
{
    struct buf line = BUF_INIT(LINE_MAX_BYTES);
    int r = rowjson_write(row, texts, &line);
    if (r == 0)
        r = buf_append_char(&line, '\n');
    if (r == 0 && fwrite(line.data, 1, line.len, f) != line.len)
        r = -EIO;
    buf_deinit(&line);
    return r;
}

/*
 * Rows until the end, a failure, or the client's leaving. A file that filled the disk would end the
 * log, and with it the service. `fd`: something on that disk.
 */
static int copy(const struct api *api, const struct api_request *q, const struct query_filter *f,
                struct export *e, FILE *out, int fd)
{
    size_t count = 0;
    struct query *log = NULL;
    const struct query_row *row;
    bool texts = q->may & MAY_READ;
    int r = query_open(api->log_dir, f, &log);
    while (r >= 0 && (r = query_next(log, &row)) == 1) {
        int w = api_gone(q) ? -EPIPE : count++ % ROOM_ROWS ? 0 : file_room(fd, DISK_PERCENT);
        if (w == 0)
            w = e ? export_row(e, row) : put_line(out, row, texts);
        r = w < 0 ? w : r;
    }
    query_close(log);
    return r == -ENOENT ? 0 : r;
}

/* CSV and JSON lines go straight into the unnamed file. */
static int write_text(const struct api *api, const struct api_request *q,
                      const struct query_filter *f, enum export_format format, int fd)
{
    FILE *out = fdopen(dup(fd), "w");
    struct export *e = NULL;
    struct export_options o = {
        .format = format, .out = out, .casebook = api->casebook, .texts = q->may & MAY_READ};
    int r = !out ? -errno : format == EXPORT_CSV ? export_new(&o, &e) : 0;
    if (r == 0)
        r = copy(api, q, f, e, out, fd);
    if (r == 0 && e)
        r = export_finish(e);
    export_free(e);
    if (out && fclose(out) != 0 && r == 0)
        r = -EIO;
    return r;
}

/* A workbook is written under a name; it is opened, and the name given away. */
static int write_sheet(const struct api *api, const struct api_request *q,
                       const struct query_filter *f, int *fd)
{
    char path[PATH_MAX], dir[PATH_MAX];
    struct export *e = NULL;
    bool placed = export_place(api->state_dir, q, path);
    struct export_options o = {.format = EXPORT_XLSX,
                               .path = span_str(path),
                               .casebook = api->casebook,
                               .texts = q->may & MAY_READ};
    if (!placed)
        return -ENAMETOOLONG;
    snprintf(dir, sizeof(dir), "%.*s", SPAN_ARG(api->state_dir));
    cleanup(cleanup_close) int disk = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int r = disk < 0 ? -errno : export_new(&o, &e);
    if (r == 0)
        r = copy(api, q, f, e, NULL, disk);
    if (r == 0)
        r = export_finish(e);
    export_free(e);
    if (r == 0) {
        *fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        r = *fd < 0 ? -errno : 0;
        unlink(path);
    }
    return r;
}

static int record(const struct api *api, const struct api_request *q, enum export_format format,
                  const struct query_filter *f, struct api_answer *a)
{
    struct casebook_answer done;
    struct buf what = BUF_INIT(CASEBOOK_TEXT_MAX);
    int r = export_describe(format, f, &what);
    struct casebook_act act = {.verb = CASEBOOK_EXPORT, .what = buf_span(&what)};
    if (r == 0)
        r = casework_do(api, q, &act, &done, a);
    buf_deinit(&what);
    return r;
}

static int write_file(const struct api *api, const struct api_request *q, enum export_format format,
                      const struct query_filter *f, int *ret_fd)
{
    int fd = -1, r;
    if (format == EXPORT_XLSX) {
        r = write_sheet(api, q, f, &fd);
    } else {
        fd = api_temporary(api);
        r = fd < 0 ? fd : write_text(api, q, f, format, fd);
    }
    if (r < 0 && fd >= 0)
        close(fd);
    else
        *ret_fd = fd;
    return r;
}

static int export(const struct api *api, const struct api_request *q, enum export_format format,
                  const struct query_filter *f, struct api_answer *a)
{
    static const char *const types[EXPORT_FORMATS] = {
        "text/csv; charset=utf-8", "application/x-ndjson",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"};
    int fd;
    int r = record(api, q, format, f, a);
    if (r != 0)
        return r < 0 ? r : 0;
    r = write_file(api, q, format, f, &fd);
    if (r == -ENOSPC)
        return api_error(a, 503, "disk_full",
                         "The gateway's disk has too little room; `juyong log export` can write "
                         "elsewhere.");
    if (r < 0)
        return r;
    a->file = fd;
    a->type = span_str(types[format]);
    snprintf(a->file_name, sizeof(a->file_name), "juyong-log.%s", export_format_name(format));
    return 0;
}

static int get_export(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    static atomic_uint running; /* in this process: they share its disk */
    enum export_format format = export_format_from(api_query(q, "format"));
    struct query_filter f;
    if (!casework_there(api, a) || !filter_read(q, &f, a))
        return 0;
    if (format == EXPORT_FORMATS)
        return api_error(a, 400, "bad_format", "A format is csv, jsonl or xlsx.");
    int r;
    if (atomic_fetch_add(&running, 1) < AT_ONCE) {
        r = export(api, q, format, &f, a);
    } else {
        a->retry_after_s = 60;
        r = api_error(a, 503, "busy", "Other exports are being written. Try again later.");
    }
    atomic_fetch_sub(&running, 1);
    return r;
}

const struct api_route api_export_routes[] = {
    {"GET", "/api/log/export", MAY_EXPORT, get_export},
    {NULL},
};
