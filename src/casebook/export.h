/*
 * Rows of the log as a table for other programs: CSV (RFC 4180, UTF-8 with a mark, so that Excel
 * reads it) and XLSX. One line an exchange, its heaviest hit, what was decided about it. Rows are
 * written as they come; any number of them takes the same memory.
 */
#pragma once

#include "audit/query.h"
#include "casebook/casebook.h"

#include <limits.h>
#include <stdio.h>

enum export_format { EXPORT_CSV, EXPORT_JSONL, EXPORT_XLSX, EXPORT_FORMATS };

/* csv, jsonl, xlsx; EXPORT_FORMATS for anything else. */
enum export_format export_format_from(struct span name);
const char *export_format_name(enum export_format f);

struct export_options {
    enum export_format format; /* not EXPORT_JSONL: rows are JSON already */
    FILE *out;                 /* of CSV; borrowed */
    struct span path;          /* of XLSX: where it is to stand */
    struct casebook *casebook; /* for the columns of reviews; may be NULL */
    bool texts;                /* matched words and their surroundings, too */
};

struct export;
/* 0 or -errno. */
int export_new(const struct export_options *o, struct export **ret_export);
/* 0; -EIO: the stream or the file failed; -ENOMEM. Also for operators' acts. */
int export_row(struct export *e, const struct query_row *row);
/* Completes the file. 0, or the first error. */
int export_finish(struct export *e);
/* Accepts NULL. What was not finished leaves no XLSX behind. */
void export_free(struct export *e);

/* A name in `dir` for a workbook that is handed out and then removed; `token` tells those of one
 * process apart. False when it is too long. */
bool export_place(struct span dir, const void *token, char ret_path[PATH_MAX]);
/* Removes what a crash left of such files; at the start of the process that makes them. */
void export_sweep(struct span dir);

/*
 * Appends one cell of CSV. What a spreadsheet would take for a formula (it begins with = + - @, one
 * of their full-width forms, a tab or a line's end) gets an apostrophe before it, so that it is
 * text. 0, -EMSGSIZE, -ENOMEM.
 */
int export_csv_cell(struct buf *out, struct span text);

/* What the filter asks for, for the record of an export: never the text that is searched. */
int export_describe(enum export_format format, const struct query_filter *f, struct buf *out);
