/* What the readers of the formats share. Private to this room. */
#pragma once

#include "sheet/table.h"

/* A row in the making, and where errors are told. */
struct reading {
    struct table *table;
    struct buf *error;
    struct span cells[TABLE_COLUMNS_MAX];
    size_t count;
};

/* Tells an error at a line (0: of the whole file); -EINVAL. */
int reading_fail(struct reading *r, size_t line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Adds the cell to the row in the making. 0, -EINVAL with a message. */
int reading_cell(struct reading *r, size_t line, struct span cell);
/* Adds the row in the making to the table and begins the next. 0, -EINVAL, -ENOMEM. */
int reading_row(struct reading *r, size_t line);
/* Begins a sheet. 0, -ENOMEM. */
int reading_sheet(struct reading *r, struct span name);
/* A copy with the table's lifetime; NULL data when the ceiling is reached or memory is out. */
struct span reading_keep(struct reading *r, struct span s);

/* Gives the bytes as UTF-8 in table->text. 0, -EINVAL with a message, -ENOMEM. */
int encoding_read(struct reading *r, struct span bytes);

/* Each reads table->text (xlsx_read: the bytes) into rows. */
int text_read(struct reading *r);
/* sep: the separator, or 0 for the one that the first line has most of. */
int csv_read(struct reading *r, char sep);
int jsonl_read(struct reading *r);
int xlsx_read(struct reading *r, struct span bytes);
