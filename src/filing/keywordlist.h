/*
 * The catalogue of intercepted keywords (拦截关键词列表, annex 4 of a filing): what counts on the
 * first sheet, and all that doesn't on sheets of its own, each with what is done about it (处置).
 */
#pragma once

#include "filing/library.h"

enum keywordlist_format { KEYWORDLIST_XLSX, KEYWORDLIST_CSV, KEYWORDLIST_JSONL };

/* What has changed since a version that was filed. */
struct keywordlist_filed {
    struct span version;                              /* empty: none was filed */
    int64_t time;                                     /* Unix seconds */
    const struct rule *const *added, *const *removed; /* keywords counted now, or then */
    size_t added_count, removed_count;
};

struct keywordlist {
    const struct library *library;
    struct span version;                   /* of the library, as records name it */
    struct span digest;                    /* 64 hex digits of its SHA-256; may be empty */
    struct span provider;                  /* who files; may be empty */
    int64_t now;                           /* Unix seconds: the date of the file */
    const struct keywordlist_filed *filed; /* NULL: not compared */
};

/*
 * Writes a workbook to `path`, or the same rows as CSV (UTF-8 with a byte order mark, for Excel) or
 * JSON lines, there or, where it is empty, to stdout. 0; a negative error with its reason in
 * *ret_error.
 */
int keywordlist_write(const struct keywordlist *k, enum keywordlist_format format, struct span path,
                      struct buf *ret_error);

/*
 * Sends each counted keyword through the whole engine, as a prompt and as an answer of its own, and
 * appends one line to *ret_misses for each that is not intercepted in any direction. Their number,
 * or -ENOMEM.
 */
int keywordlist_verify(const struct library *l, const struct config_app *app, int64_t now,
                       struct buf *ret_misses);
