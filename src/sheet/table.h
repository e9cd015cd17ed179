/*
 * A table of rows and cells, read whole from the bytes of a file: plain text (a row a line), CSV
 * and TSV, JSON lines, XLSX. All or nothing: what can't be read is an error that names file and
 * line, never a row left out.
 *
 * Texts are UTF-8 (with or without byte order mark), UTF-16 with one, or GB18030; cells are UTF-8
 * without NUL, and lie in the table.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"

#include <stdint.h>

/* Ceilings; past one the table is refused. */
#define TABLE_FILE_MAX    (64u << 20)  /* bytes of the file */
#define TABLE_BYTES_MAX   (512u << 20) /* bytes of memory for the cells */
#define TABLE_ROWS_MAX    2000000
#define TABLE_COLUMNS_MAX 256

enum table_format {
    TABLE_ANY, /* by content, and by the file's name where that doesn't tell */
    TABLE_TEXT,
    TABLE_CSV, /* separated by comma, semicolon or tab: whichever the first line has most of */
    TABLE_TSV,
    TABLE_JSONL,
    TABLE_XLSX,
    TABLE_FORMATS
};

enum table_encoding { TABLE_UTF8, TABLE_UTF16, TABLE_GB18030 };

struct table_row {
    const struct span *cells;
    uint32_t count;
    uint32_t line;  /* of the file where the row begins, or the row's number in its sheet */
    uint32_t sheet; /* index */
};

struct table {
    struct arena arena;
    struct buf text; /* what cells of a text point into */
    struct span file;
    enum table_format format;
    enum table_encoding encoding;
    struct table_row *rows; /* by sheet, then by line */
    size_t count, cap;
    struct span *sheets; /* their names; one without a name where the format has none */
    size_t sheet_count;
    /* The first row is the keys of objects (JSON lines), and surely no data. */
    bool titled;
};
#define TABLE_INIT                                                                                 \
    ((struct table){.arena = {.max = TABLE_BYTES_MAX}, .text = BUF_INIT(TABLE_BYTES_MAX)})

/* "text", "csv", "tsv", "jsonl", "xlsx"; TABLE_ANY for any other name. */
enum table_format table_format_from(struct span name);
const char *table_format_name(enum table_format format);
const char *table_encoding_name(enum table_encoding encoding);

/*
 * Reads `bytes`, which live for the call only; `file` names them in messages, is kept, and its
 * ending helps to tell the format. 0; -EINVAL with one line "file:line: message" in *error;
 * -ENOMEM. In any case the caller ends with table_deinit(). Linear in the bytes.
 */
int table_read(struct span bytes, struct span file, enum table_format format,
               struct table *ret_table, struct buf *error);
/* The same for a regular file. A missing file, too, is -EINVAL with a message. */
int table_load(struct span path, enum table_format format, struct table *ret_table,
               struct buf *error);
void table_deinit(struct table *t);
/* Appends where a row stands: "file:12", or "file: sheet 词表, row 12". */
void table_place(const struct table *t, const struct table_row *row, struct buf *out);
