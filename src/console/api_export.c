/* Rows of the log as a file; that it left is on record first. */
#include "console/areas.h"
#include "console/casework.h"
#include "console/filter.h"

#include "audit/rowjson.h"
#include "casebook/export.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LINE_MAX_BYTES (64u << 20)

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

/* Rows until the end, a failure, or the client's leaving. */
static int copy(const struct api *api, const struct api_request *q, const struct query_filter *f,
                struct export *e, FILE *out)
{
    struct query *log = NULL;
    const struct query_row *row;
    bool texts = q->may & MAY_READ;
    int r = query_open(api->log_dir, f, &log);
    while (r >= 0 && (r = query_next(log, &row)) == 1) {
        int w = api_gone(q) ? -EPIPE : e ? export_row(e, row) : put_line(out, row, texts);
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
        r = copy(api, q, f, e, out);
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
    char path[PATH_MAX];
    struct export *e = NULL;
    bool placed = export_place(api->state_dir, q, path);
    struct export_options o = {.format = EXPORT_XLSX,
                               .path = span_str(path),
                               .casebook = api->casebook,
                               .texts = q->may & MAY_READ};
    int r = placed ? export_new(&o, &e) : -ENAMETOOLONG;
    if (r == 0)
        r = copy(api, q, f, e, NULL);
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

static int get_export(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    static const char *const types[EXPORT_FORMATS] = {
        "text/csv; charset=utf-8", "application/x-ndjson",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"};
    enum export_format format = export_format_from(api_query(q, "format"));
    struct query_filter f;
    if (!casework_there(api, a) || !filter_read(q, &f, a))
        return 0;
    if (format == EXPORT_FORMATS)
        return api_error(a, 400, "bad_format", "A format is csv, jsonl or xlsx.");
    int r = record(api, q, format, &f, a);
    if (r != 0)
        return r < 0 ? r : 0;
    int fd = -1;
    if (format != EXPORT_XLSX) {
        fd = api_temporary(api);
        r = fd < 0 ? fd : write_text(api, q, &f, format, fd);
    } else {
        r = write_sheet(api, q, &f, &fd);
    }
    if (r < 0) {
        if (fd >= 0)
            close(fd);
        return r;
    }
    a->file = fd;
    a->type = span_str(types[format]);
    snprintf(a->file_name, sizeof(a->file_name), "juyong-log.%s", export_format_name(format));
    return 0;
}

const struct api_route api_export_routes[] = {
    {"GET", "/api/log/export", MAY_EXPORT, get_export},
    {NULL},
};
