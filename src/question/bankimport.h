/*
 * Question banks as others keep them (annex 5: 评估测试题集): a workbook with sheets
 * 生成内容测试题库, 应拒答, 非拒答, or CSV, TSV, JSON lines, whose columns are found by their
 * titles. What can't be taken is told with its place; nothing is left out silently, and nothing is
 * written here.
 */
#pragma once

#include "question/bank.h"
#include "sheet/table.h"

struct bankimport_request {
    struct span path;
    struct span sheet;   /* the only one to read; empty: all */
    enum bank_kind kind; /* of all rows; BANK_KINDS: by the sheet's name, or a column */
    struct span type;    /* of rows that name none: a risk or an aspect; may be empty */
    const struct ruleset *rules;
    const struct bank *bank; /* what is there already */
    struct span
        replaced; /* a file of it, as its places name it, that is as good as gone; or empty */
};

enum bankimport_fate {
    BANKIMPORT_TAKEN,
    BANKIMPORT_REPEATED,
    BANKIMPORT_REFUSED,
    BANKIMPORT_FATES
};
/* "taken", "repeated", "refused". */
const char *bankimport_fate_name(enum bankimport_fate f);

struct bankimport_row {
    const struct table_row *row;
    enum bankimport_fate fate;
    struct span why;    /* of what wasn't taken */
    struct question is; /* of what was */
};

struct bankimport_sheet {
    struct span name;
    enum bank_kind kind; /* BANK_KINDS: by a column, or unknown */
    struct span why;     /* it was not read; empty: it was */
    uint32_t header;     /* line of the titles */
    size_t rows;         /* behind it, those that hold anything */
    size_t before;       /* in front of it: a heading */
    size_t inherited;    /* took their type from the row above, as merged cells look */
    struct span columns; /* which column was taken for what, a line of text */
};

struct bankimport;

/*
 * Reads and judges all rows. 0; -EINVAL with a message when the file can't be read, has no such
 * sheet, or no sheet of it could be read; -ENOMEM. O(n log n).
 */
int bankimport_open(const struct bankimport_request *q, struct buf *messages,
                    struct bankimport **ret);
void bankimport_free(struct bankimport *im);
const struct table *bankimport_table(const struct bankimport *im);
size_t bankimport_sheet_count(const struct bankimport *im);
const struct bankimport_sheet *bankimport_sheet_at(const struct bankimport *im, size_t index);
size_t bankimport_count(const struct bankimport *im, enum bankimport_fate fate);
size_t bankimport_row_count(const struct bankimport *im);
const struct bankimport_row *bankimport_row_at(const struct bankimport *im, size_t index);
/* Appends the rows that were taken as lines of a bank. 0, -EMSGSIZE, -ENOMEM. */
int bankimport_write(const struct bankimport *im, struct buf *out);
/* "imported-NAME" after the file's name, or, where that has no ASCII letter or digit, its digest.
 */
void bankimport_name(struct span path, char ret_name[80]);
