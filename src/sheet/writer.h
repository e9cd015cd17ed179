/*
 * A workbook (XLSX), written sheet by sheet and row by row; a row is on disk as soon as the next
 * one begins, so that a million of them take no memory. The file appears under its name only when
 * it is complete: sheet_writer_finish() syncs and renames it, anything else leaves what was there.
 *
 * The first error sticks: every later call returns it, and sheet_writer_finish() tells the reason.
 */
#pragma once

#include "base/buf.h"

#include <stdint.h>

#define SHEET_TEXT_MAX 32767   /* characters in a cell, Excel's own limit */
#define SHEET_ROWS_MAX 1048576 /* in a sheet, the header among them */

struct sheet_writer;

struct sheet_column {
    struct span title;
    double width; /* in characters of the standard font; 0 for Excel's own */
};

struct sheet_cell {
    struct span text; /* never read as a formula, a number or a link */
    double number;
    bool is_number;
};
#define SHEET_TEXT(span_)    ((struct sheet_cell){.text = (span_)})
#define SHEET_NUMBER(value_) ((struct sheet_cell){.number = (double)(value_), .is_number = true})

/*
 * Begins a workbook that is to stand at `path`. created: Unix seconds that it shows as its date, so
 * that the same content gives the same bytes; 0 for now. 0, -ENAMETOOLONG, -ENOMEM, -errno when no
 * file can be made there.
 */
int sheet_writer_new(struct span path, int64_t created, struct sheet_writer **ret_writer);
/* The file is its owner's alone, whatever the umask; before the first row. 0 or -errno. */
int sheet_writer_restrict(struct sheet_writer *w);
/*
 * Begins the next sheet with a bold header row that stays in view. A name has 1 to 31 characters,
 * none of []:*?/\, no apostrophe at either end, and is the only one of its kind in the workbook,
 * case aside; -EINVAL otherwise.
 */
int sheet_writer_add(struct sheet_writer *w, struct span name, const struct sheet_column *columns,
                     size_t count);
/*
 * The sheet begun last, before its rows, is one that is read and printed: long texts break into
 * lines, and pages are as wide as its columns, each with the header. 0 or -EINVAL.
 */
int sheet_writer_wrap(struct sheet_writer *w);
/*
 * Adds a row to the sheet begun last. -EINVAL without one, or for a number that is none; -EILSEQ
 * for a text that is not UTF-8 or holds what XML can't (NUL, U+FFFE, U+FFFF); -EMSGSIZE for a text
 * longer than SHEET_TEXT_MAX; -E2BIG past SHEET_ROWS_MAX.
 */
int sheet_writer_row(struct sheet_writer *w, const struct sheet_cell *cells, size_t count);
/*
 * Completes the file, or tells in *ret_error (which may be NULL) why there is none. A writer takes
 * nothing more afterwards but its end. 0, or the first error.
 */
int sheet_writer_finish(struct sheet_writer *w, struct buf *ret_error);
/* Accepts NULL. What was not finished leaves no file behind. */
struct sheet_writer *sheet_writer_free(struct sheet_writer *w);
static inline void cleanup_sheet_writer(struct sheet_writer **w)
{
    sheet_writer_free(*w);
}
