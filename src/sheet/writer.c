#include "sheet/writer.h"

#include "base/cleanup.h"
#include "base/utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <xlsxwriter.h>

/* A character of a cell may take four bytes, and be written as an escape of seven. */
#define CELL_BYTES_MAX (SHEET_TEXT_MAX * 11u)

/* Rows whose texts break are as high as their longest one; Excel allows 409 points. */
#define WRAP_COLUMNS 32
#define WIDTH_USUAL  8.43
#define LINE_POINTS  15.0
#define LINES_MAX    27u

struct sheet_writer {
    lxw_workbook *book;
    lxw_worksheet *sheet; /* begun last */
    lxw_format *bold, *wrapped;
    double widths[WRAP_COLUMNS]; /* of the sheet begun last; 0: Excel's own */
    bool wraps;                  /* the sheet begun last */
    uint32_t row;                /* the next one of it */
    int error;
    struct buf reason;
    struct buf text; /* of one cell */
    char *path;
    char *dir;
    char *temp; /* where it is written; NULL when there is nothing to remove */
};

/* Keeps the first error and its reason. */
static int fail(struct sheet_writer *w, int error, const char *what)
{
    if (w->error < 0)
        return w->error;
    w->error = error;
    const char *sheet = w->sheet ? w->sheet->name : NULL;
    if (sheet)
        buf_printf(&w->reason, "%s: sheet %s, row %u: %s", w->path, sheet, (unsigned)w->row + 1,
                   what);
    else
        buf_printf(&w->reason, "%s: %s", w->path, what);
    return error;
}

static int error_of(lxw_error e)
{
    switch (e) {
    case LXW_NO_ERROR:
        return 0;
    case LXW_ERROR_MEMORY_MALLOC_FAILED:
        return -ENOMEM;
    case LXW_ERROR_MAX_STRING_LENGTH_EXCEEDED:
        return -EMSGSIZE;
    case LXW_ERROR_WORKSHEET_INDEX_OUT_OF_RANGE:
        return -E2BIG;
    case LXW_ERROR_PARAMETER_VALIDATION:
    case LXW_ERROR_SHEETNAME_LENGTH_EXCEEDED:
    case LXW_ERROR_INVALID_SHEETNAME_CHARACTER:
    case LXW_ERROR_SHEETNAME_START_END_APOSTROPHE:
    case LXW_ERROR_SHEETNAME_ALREADY_USED:
        return -EINVAL;
    default:
        return -EIO;
    }
}

static int fail_of(struct sheet_writer *w, lxw_error e)
{
    return e == LXW_NO_ERROR ? 0 : fail(w, error_of(e), lxw_strerror(e));
}

/* Makes sure that the file can be made before anything is written, and keeps its mode ordinary. */
static int make_temp(struct sheet_writer *w)
{
    int fd = open(w->temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0)
        return -errno;
    close(fd);
    return 0;
}

int sheet_writer_new(struct span path, int64_t created, struct sheet_writer **ret_writer)
{
    if (path.len == 0 || path.len > PATH_MAX - 32 || memchr(path.data, 0, path.len))
        return -ENAMETOOLONG;
    struct sheet_writer *w = calloc(1, sizeof(*w));
    if (!w)
        return -ENOMEM;
    w->reason = BUF_INIT(4096);
    w->text = BUF_INIT(CELL_BYTES_MAX + 1);
    w->path = strndup(path.data, path.len);
    const char *slash = w->path ? strrchr(w->path, '/') : NULL;
    w->dir = !slash             ? strdup(".")
             : slash == w->path ? strdup("/")
                                : strndup(w->path, (size_t)(slash - w->path));
    int r = -ENOMEM;
    if (!w->path || !w->dir || asprintf(&w->temp, "%s.%d.part", w->path, (int)getpid()) < 0) {
        w->temp = NULL;
        goto fail;
    }
    r = make_temp(w);
    if (r < 0) {
        free(w->temp);
        w->temp = NULL;
        goto fail;
    }
    r = -ENOMEM;
    lxw_workbook_options options = {.constant_memory = LXW_TRUE};
    w->book = workbook_new_opt(w->temp, &options);
    w->bold = w->book ? workbook_add_format(w->book) : NULL;
    w->wrapped = w->book ? workbook_add_format(w->book) : NULL;
    if (!w->bold || !w->wrapped)
        goto fail;
    format_set_bold(w->bold);
    format_set_text_wrap(w->wrapped);
    format_set_align(w->wrapped, LXW_ALIGN_VERTICAL_TOP);
    lxw_doc_properties properties = {.created = (time_t)created};
    if (created && workbook_set_properties(w->book, &properties) != LXW_NO_ERROR)
        goto fail;
    *ret_writer = w;
    return 0;
fail:
    sheet_writer_free(w);
    return r;
}

int sheet_writer_restrict(struct sheet_writer *w)
{
    return chmod(w->temp, 0600) < 0 ? -errno : 0;
}

/* What Excel would read back as an escaped character, _xHHHH_, must not come from a text. */
static bool looks_escaped(struct span s)
{
    if (s.len < 7 || s.data[0] != '_' || s.data[1] != 'x' || s.data[6] != '_')
        return false;
    for (size_t i = 2; i < 6; i++)
        if (!strchr("0123456789abcdefABCDEF", s.data[i]))
            return false;
    return true;
}

/* NUL-terminated in w->text, NULL after an error. */
static const char *text_of(struct sheet_writer *w, struct span s)
{
    size_t characters = 0;
    buf_clear(&w->text);
    for (size_t i = 0; i < s.len; characters++) {
        struct span rest = span_slice(s, i, s.len);
        uint32_t cp;
        int n = utf8_decode(rest, false, &cp);
        if (n <= 0 || cp == 0 || cp == 0xFFFE || cp == 0xFFFF) {
            fail(w, -EILSEQ, "a text that is not UTF-8, or has what no workbook can hold");
            return NULL;
        }
        if (characters == SHEET_TEXT_MAX) {
            fail_of(w, LXW_ERROR_MAX_STRING_LENGTH_EXCEEDED);
            return NULL;
        }
        if ((looks_escaped(rest) && buf_append(&w->text, SPAN_LIT("_x005F")) < 0) ||
            buf_append(&w->text, span_slice(rest, 0, (size_t)n)) < 0)
            goto memory;
        i += (size_t)n;
    }
    const char *text = buf_cstr(&w->text);
    if (text)
        return text;
memory:
    fail_of(w, LXW_ERROR_MEMORY_MALLOC_FAILED);
    return NULL;
}

static int add_header(struct sheet_writer *w, const struct sheet_column *columns, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *title = text_of(w, columns[i].title);
        lxw_col_t at = (lxw_col_t)i;
        if (!title)
            return w->error;
        if (i < WRAP_COLUMNS)
            w->widths[i] = columns[i].width > 0 ? columns[i].width : WIDTH_USUAL;
        lxw_error e = worksheet_write_string(w->sheet, 0, at, title, w->bold);
        if (e == LXW_NO_ERROR && columns[i].width > 0)
            e = worksheet_set_column(w->sheet, at, at, columns[i].width, NULL);
        if (e != LXW_NO_ERROR)
            return fail_of(w, e);
    }
    worksheet_freeze_panes(w->sheet, 1, 0);
    w->row = 1;
    return 0;
}

int sheet_writer_wrap(struct sheet_writer *w)
{
    if (w->error < 0)
        return w->error;
    if (!w->sheet)
        return fail(w, -EINVAL, "a sheet is wrapped when it is there");
    w->wraps = true;
    worksheet_set_landscape(w->sheet);
    worksheet_set_paper(w->sheet, 9); /* A4 */
    worksheet_fit_to_pages(w->sheet, 1, 0);
    worksheet_repeat_rows(w->sheet, 0, 0);
    return 0;
}

int sheet_writer_add(struct sheet_writer *w, struct span name, const struct sheet_column *columns,
                     size_t count)
{
    if (w->error < 0)
        return w->error;
    w->sheet = NULL;
    w->row = 0;
    w->wraps = false;
    const char *text = text_of(w, name);
    if (!text)
        return w->error;
    if (!w->book || name.len == 0 || count > LXW_COL_MAX)
        return fail(w, -EINVAL,
                    "a sheet needs an unfinished workbook, a name, and not that many "
                    "columns");
    lxw_error e = workbook_validate_sheet_name(w->book, text);
    if (e != LXW_NO_ERROR)
        return fail_of(w, e);
    w->sheet = workbook_add_worksheet(w->book, text);
    if (!w->sheet)
        return fail_of(w, LXW_ERROR_MEMORY_MALLOC_FAILED);
    return add_header(w, columns, count);
}

/* How many lines a text takes in a column: what is not Latin is twice as wide. */
static unsigned lines_of(struct span text, double width)
{
    unsigned lines = 1;
    double used = 0;
    for (size_t at = 0; at < text.len && lines < LINES_MAX;) {
        uint32_t cp = 0;
        int n = utf8_decode(span_slice(text, at, text.len), false, &cp);
        double units = cp >= 0x1100 ? 2 : 1;
        if (cp == '\n' || used + units > width) {
            lines++;
            used = 0;
        }
        used += cp == '\n' ? 0 : units;
        at += n > 0 ? (size_t)n : 1;
    }
    return lines;
}

/* Programs that open it do not all find the height themselves. */
static lxw_error set_height(struct sheet_writer *w, const struct sheet_cell *cells, size_t count)
{
    unsigned lines = 1;
    for (size_t i = 0; i < count && i < WRAP_COLUMNS; i++) {
        unsigned n = cells[i].is_number ? 1 : lines_of(cells[i].text, w->widths[i]);
        lines = n > lines ? n : lines;
    }
    return worksheet_set_row(w->sheet, w->row, lines * LINE_POINTS, NULL);
}

int sheet_writer_row(struct sheet_writer *w, const struct sheet_cell *cells, size_t count)
{
    if (w->error < 0)
        return w->error;
    if (!w->sheet)
        return fail(w, -EINVAL, "a row without a sheet");
    if (w->row >= SHEET_ROWS_MAX || count > LXW_COL_MAX)
        return fail_of(w, LXW_ERROR_WORKSHEET_INDEX_OUT_OF_RANGE);
    lxw_format *format = w->wraps ? w->wrapped : NULL;
    if (w->wraps) {
        lxw_error e = set_height(w, cells, count);
        if (e != LXW_NO_ERROR)
            return fail_of(w, e);
    }
    for (size_t i = 0; i < count; i++) {
        lxw_col_t at = (lxw_col_t)i;
        lxw_error e;
        if (cells[i].is_number) {
            if (!isfinite(cells[i].number))
                return fail(w, -EINVAL, "a number that is none");
            e = worksheet_write_number(w->sheet, w->row, at, cells[i].number, format);
        } else {
            const char *text = text_of(w, cells[i].text);
            if (!text)
                return w->error;
            e = worksheet_write_string(w->sheet, w->row, at, text, format);
        }
        if (e != LXW_NO_ERROR)
            return fail_of(w, e);
    }
    w->row++;
    return 0;
}

static int sync_path(const char *path, int flags)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | flags);
    if (fd < 0)
        return -errno;
    int r = fsync(fd) < 0 ? -errno : 0;
    close(fd);
    return r;
}

static int put_in_place(struct sheet_writer *w)
{
    int r = sync_path(w->temp, 0);
    if (r == 0 && rename(w->temp, w->path) < 0)
        r = -errno;
    if (r < 0)
        return fail(w, r, strerror(-r));
    free(w->temp);
    w->temp = NULL;
    r = sync_path(w->dir, O_DIRECTORY);
    return r < 0 ? fail(w, r, strerror(-r)) : 0;
}

int sheet_writer_finish(struct sheet_writer *w, struct buf *ret_error)
{
    if (w->error == 0 && !w->book)
        fail(w, -EINVAL, "the workbook is finished already");
    else if (w->error == 0 && w->book->num_sheets == 0)
        fail(w, -EINVAL, "a workbook without a sheet");
    w->sheet = NULL;
    if (w->error == 0) {
        lxw_error e = workbook_close(take(w->book)); /* frees it in any case */
        if (fail_of(w, e) == 0)
            put_in_place(w);
    }
    if (w->error < 0 && ret_error)
        buf_append(ret_error, buf_span(&w->reason));
    return w->error;
}

struct sheet_writer *sheet_writer_free(struct sheet_writer *w)
{
    if (!w)
        return NULL;
    if (w->book)
        lxw_workbook_free(w->book);
    if (w->temp)
        unlink(w->temp);
    buf_deinit(&w->reason);
    buf_deinit(&w->text);
    free(w->path);
    free(w->dir);
    free(w->temp);
    free(w);
    return NULL;
}
