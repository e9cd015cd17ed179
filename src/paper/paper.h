/*
 * A document of headings, texts, lists, tables and places to sign, as filings consist of them, and
 * the two forms in which it is handed on: HTML to be printed and .docx to be edited. What stands in
 * it is data: everything is escaped, and whatever says 待补充 is marked so that nobody overlooks
 * it.
 *
 * The functions that add to a paper return nothing: the first failure (-ENOMEM) sticks, and the
 * forms return it. A text may hold '\n', which breaks the line. Bytes that are no UTF-8, and
 * controls, become U+FFFD.
 */
#pragma once

#include "base/buf.h"

#include <stdint.h>

/* For what nobody has told us. */
#define PAPER_PENDING "待补充"
/* The text, or PAPER_PENDING where it is empty; for "%.*s" by SPAN_ARG(). */
static inline struct span paper_known(struct span text)
{
    return text.len ? text : SPAN_LIT(PAPER_PENDING);
}

struct paper;

/* The title stands on the first page, and as a property of the file. 0 or -ENOMEM. */
int paper_new(struct span title, struct paper **ret_paper);
/* Accepts NULL. */
void paper_free(struct paper *p);
static inline void cleanup_paper(struct paper **p)
{
    paper_free(*p);
}
struct span paper_title(const struct paper *p);

/* A line below the title: what the document is and of when. */
void paper_stamp(struct paper *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* level: 1 to 3. */
void paper_heading(struct paper *p, unsigned level, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void paper_text(struct paper *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Of a list; those that follow each other are one. */
void paper_item(struct paper *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* For who checks the document; in a frame of its own. */
void paper_note(struct paper *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A row of a table of two columns; those that follow each other are one. */
void paper_pair(struct paper *p, const char *key, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* A place for a name, a signature and a date. */
void paper_sign(struct paper *p, const char *who);
/*
 * Puts a text together piece by piece; paper_said() gives it, with the paper's lifetime, and begins
 * anew; never NULL.
 */
void paper_say(struct paper *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
const char *paper_said(struct paper *p);
/* The next block begins on a new page. */
void paper_break(struct paper *p);

struct paper_column {
    const char *title; /* a literal */
    unsigned weight;   /* its part of the width */
    bool number;       /* aligned to the right */
};
#define PAPER_COLUMNS_MAX 8
/* A table whose header is repeated on each page. `columns` is copied; at most PAPER_COLUMNS_MAX. */
void paper_table(struct paper *p, const struct paper_column *columns, size_t count);
/* Its next cell, row by row; a last row may stay unfinished. */
void paper_cell(struct paper *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * A node of a diagram, from top to bottom; those that follow each other are one. `aside`: what
 * leaves the way here; empty: nothing.
 */
void paper_node(struct paper *p, const char *name, struct span text, struct span aside);

/* One page of HTML with its print style, without scripts and without anything from elsewhere. 0,
 * -EMSGSIZE, -ENOMEM. */
int paper_html(const struct paper *p, struct buf *out);
/*
 * A WordprocessingML document at `path`, written as sheet/zipwrite.h has it; the same paper gives
 * the same bytes. 0, or a negative error with its reason in *ret_error.
 */
int paper_docx(const struct paper *p, struct span path, struct buf *ret_error);
