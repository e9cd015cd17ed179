#include "sheet/reader.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <sys/stat.h>

static const char *const format_names[TABLE_FORMATS] = {
    [TABLE_ANY] = "any", [TABLE_TEXT] = "text",   [TABLE_CSV] = "csv",
    [TABLE_TSV] = "tsv", [TABLE_JSONL] = "jsonl", [TABLE_XLSX] = "xlsx",
};

const char *table_format_name(enum table_format format)
{
    return format_names[format];
}

enum table_format table_format_from(struct span name)
{
    for (size_t i = TABLE_TEXT; i < TABLE_FORMATS; i++)
        if (span_eq(name, span_str(format_names[i])))
            return (enum table_format)i;
    return TABLE_ANY;
}

const char *table_encoding_name(enum table_encoding encoding)
{
    static const char *const names[] = {"UTF-8", "UTF-16", "GB18030"};
    return names[encoding];
}

/* ---- a row in the making ---- */

int reading_fail(struct reading *r, size_t line, const char *fmt, ...)
{
    if (line)
        buf_printf(r->error, "%.*s:%zu: ", SPAN_ARG(r->table->file), line);
    else
        buf_printf(r->error, "%.*s: ", SPAN_ARG(r->table->file));
    va_list ap;
    va_start(ap, fmt);
    buf_vprintf(r->error, fmt, ap);
    va_end(ap);
    buf_append_char(r->error, '\n');
    return -EINVAL;
}

int reading_cell(struct reading *r, size_t line, struct span cell)
{
    if (r->count == TABLE_COLUMNS_MAX)
        return reading_fail(r, line, "more than %d columns", TABLE_COLUMNS_MAX);
    r->cells[r->count++] = cell;
    return 0;
}

int reading_row(struct reading *r, size_t line)
{
    struct table *t = r->table;
    if (t->count == TABLE_ROWS_MAX)
        return reading_fail(r, line, "more than %d rows", TABLE_ROWS_MAX);
    if (t->count == t->cap) {
        size_t cap = t->cap ? 2 * t->cap : 64;
        struct table_row *rows = reallocarray(t->rows, cap, sizeof(*rows));
        if (!rows)
            return -ENOMEM;
        t->rows = rows;
        t->cap = cap;
    }
    struct span *cells = arena_alloc(&t->arena, r->count * sizeof(*cells));
    if (!cells)
        return -ENOMEM;
    memcpy(cells, r->cells, r->count * sizeof(*cells));
    t->rows[t->count++] = (struct table_row){
        .cells = cells,
        .count = (uint32_t)r->count,
        .line = (uint32_t)line,
        .sheet = (uint32_t)(t->sheet_count - 1),
    };
    r->count = 0;
    return 0;
}

int reading_sheet(struct reading *r, struct span name)
{
    struct table *t = r->table;
    struct span *sheets = reallocarray(t->sheets, t->sheet_count + 1, sizeof(*sheets));
    if (!sheets)
        return -ENOMEM;
    t->sheets = sheets;
    sheets[t->sheet_count] = reading_keep(r, name);
    if (!sheets[t->sheet_count].data)
        return -ENOMEM;
    t->sheet_count++;
    return 0;
}

struct span reading_keep(struct reading *r, struct span s)
{
    return arena_copy(&r->table->arena, s);
}

/* ---- which format ---- */

static bool ends_in(struct span file, const char *ending)
{
    struct span e = span_str(ending);
    return file.len > e.len && span_eq_nocase(span_slice(file, file.len - e.len, file.len), e);
}

static enum table_format format_by_name(struct span file)
{
    static const struct {
        const char *ending;
        enum table_format format;
    } endings[] = {
        {".csv", TABLE_CSV},     {".tsv", TABLE_TSV},    {".tab", TABLE_TSV},
        {".jsonl", TABLE_JSONL}, {".json", TABLE_JSONL}, {".ndjson", TABLE_JSONL},
    };
    for (size_t i = 0; i < sizeof(endings) / sizeof(*endings); i++)
        if (ends_in(file, endings[i].ending))
            return endings[i].format;
    return TABLE_ANY;
}

/* A file of an unknown name: objects, or columns set apart by tabs, else a row a line. */
static enum table_format format_by_look(struct span text)
{
    struct span line;
    while (span_split(&text, '\n', &line)) {
        struct span trimmed = span_trim(line);
        if (trimmed.len == 0 || trimmed.data[0] == '#')
            continue;
        if (trimmed.data[0] == '{')
            return TABLE_JSONL;
        return memchr(trimmed.data, '\t', trimmed.len) ? TABLE_TSV : TABLE_TEXT;
    }
    return TABLE_TEXT;
}

static int read_format(struct reading *r, struct span bytes)
{
    struct table *t = r->table;
    if (t->format == TABLE_XLSX)
        return xlsx_read(r, bytes);
    int e = encoding_read(r, bytes);
    if (e == 0)
        e = reading_sheet(r, SPAN_LIT(""));
    if (e < 0)
        return e;
    if (t->format == TABLE_ANY)
        t->format = format_by_look(buf_span(&t->text));
    switch (t->format) {
    case TABLE_CSV:
        return csv_read(r, 0);
    case TABLE_TSV:
        return csv_read(r, '\t');
    case TABLE_JSONL:
        return jsonl_read(r);
    default:
        return text_read(r);
    }
}

int table_read(struct span bytes, struct span file, enum table_format format,
               struct table *ret_table, struct buf *error)
{
    struct table *t = ret_table;
    *t = TABLE_INIT;
    struct reading *r = calloc(1, sizeof(*r));
    if (!r)
        return -ENOMEM;
    *r = (struct reading){.table = t, .error = error};
    t->file = file;
    t->file = reading_keep(r, file);
    if (!t->file.data) {
        free(r);
        return -ENOMEM;
    }
    bool zip = span_starts(bytes, SPAN_LIT("PK\3\4"));
    t->format = format;
    if (format == TABLE_ANY)
        t->format = zip || ends_in(file, ".xlsx") ? TABLE_XLSX : format_by_name(file);
    int e;
    if (bytes.len > TABLE_FILE_MAX)
        e = reading_fail(r, 0, "larger than %u MiB", TABLE_FILE_MAX >> 20);
    else if (span_starts(bytes, SPAN_LIT("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")))
        e = reading_fail(r, 0,
                         "an old (.xls) or encrypted workbook: save it as .xlsx without a "
                         "password, or as CSV");
    else if (zip && t->format != TABLE_XLSX)
        e = reading_fail(r, 0, "a zip archive or a workbook, not %s", table_format_name(t->format));
    else
        e = read_format(r, bytes);
    /* The arena's ceiling is one of the file's, not of the machine's. */
    if (e == -ENOMEM && (t->arena.used > TABLE_BYTES_MAX / 2 || t->text.len > TABLE_BYTES_MAX / 2))
        e = reading_fail(r, 0, "holds more than %u MiB", TABLE_BYTES_MAX >> 20);
    free(r);
    return e;
}

/* ---- files ---- */

static int read_file(int fd, size_t size, struct buf *bytes)
{
    /* One more than there should be, to see that there is not. */
    int e = buf_reserve(bytes, size + 1);
    while (e == 0) {
        if (bytes->len == bytes->cap)
            e = buf_reserve(bytes, 1);
        if (e < 0)
            return e;
        ssize_t n = read(fd, bytes->data + bytes->len, bytes->cap - bytes->len);
        if (n == 0)
            return 0;
        if (n > 0)
            bytes->len += (size_t)n;
        else if (errno != EINTR)
            return -errno;
    }
    return e;
}

static int open_file(struct span path, struct buf *bytes)
{
    char name[PATH_MAX];
    if (path.len >= sizeof(name) || memchr(path.data, 0, path.len))
        return -ENAMETOOLONG;
    memcpy(name, path.data, path.len);
    name[path.len] = '\0';
    cleanup(cleanup_close) int fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0)
        return -errno;
    if (S_ISDIR(st.st_mode))
        return -EISDIR;
    if (!S_ISREG(st.st_mode))
        return -EINVAL;
    if (st.st_size > TABLE_FILE_MAX)
        return -EMSGSIZE;
    return read_file(fd, (size_t)st.st_size, bytes);
}

int table_load(struct span path, enum table_format format, struct table *ret_table,
               struct buf *error)
{
    struct buf bytes = BUF_INIT(TABLE_FILE_MAX + 1);
    int e = open_file(path, &bytes);
    *ret_table = TABLE_INIT;
    if (e == 0) {
        e = table_read(buf_span(&bytes), path, format, ret_table, error);
    } else if (e != -ENOMEM) {
        if (e == -EMSGSIZE)
            buf_printf(error, "%.*s: larger than %u MiB\n", SPAN_ARG(path), TABLE_FILE_MAX >> 20);
        else
            buf_printf(error, "%.*s: can't be read: %s\n", SPAN_ARG(path),
                       e == -EINVAL ? "not a regular file" : strerror(-e));
        e = -EINVAL;
    }
    buf_deinit(&bytes);
    return e;
}

void table_deinit(struct table *t)
{
    free(t->rows);
    free(t->sheets);
    buf_deinit(&t->text);
    arena_deinit(&t->arena);
    *t = TABLE_INIT;
}

void table_place(const struct table *t, const struct table_row *row, struct buf *out)
{
    if (t->format == TABLE_XLSX)
        buf_printf(out, "%.*s: sheet %.*s, row %u", SPAN_ARG(t->file),
                   SPAN_ARG(t->sheets[row->sheet]), row->line);
    else
        buf_printf(out, "%.*s:%u", SPAN_ARG(t->file), row->line);
}
