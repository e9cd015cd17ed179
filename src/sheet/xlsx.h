/* A workbook while it is read. Private to this room. */
#pragma once

#include "sheet/reader.h"
#include "sheet/xml.h"
#include "sheet/zip.h"

#define BOOK_TEXT_MAX (SHEET_CELL_CHARACTERS * 4u + 4096)
/* Excel's own limits. */
#define SHEET_CELL_CHARACTERS 32767
#define SHEET_ROW_LAST        1048576
#define SHEET_COLUMN_LAST     16384

struct book_sheet {
    struct span name, id, part;
};

/* Cells shown as one; only the first has a value. Rows from 1, columns from 0, both ends within. */
struct merge {
    uint32_t row, last_row, column, last_column;
};

enum cell_type { CELL_NUMBER, CELL_SHARED, CELL_INLINE, CELL_STRING, CELL_BOOLEAN, CELL_ERROR };

struct book {
    struct reading *reading;
    struct zip zip;
    struct span part; /* that is being read */
    struct book_sheet *sheets;
    size_t sheet_count;
    struct span strings_part;
    struct span *strings; /* shared */
    size_t string_count, string_cap;

    struct buf text; /* of the string or the cell being read */
    bool collecting, phonetic;

    size_t first_row; /* of the table, of the sheet being read */
    uint32_t row;     /* being read, or read last */
    uint32_t column;  /* the same */
    bool in_row, in_cell, any_cell;
    enum cell_type type;
    struct merge *merges;
    size_t merge_count, merge_cap;
};

/* Texts of <t>, within a shared string or a cell. */
int book_begin_text(struct book *b, struct span name);
void book_end_text(struct book *b, struct span name);
int book_text(void *ctx, struct span text);
/* What was collected, with _xHHHH_ resolved, in the table's memory. */
struct span book_keep_text(struct book *b);

/* One sheet's part. */
void worksheet_begin(struct book *b);
extern const struct xml_ops worksheet_ops;
