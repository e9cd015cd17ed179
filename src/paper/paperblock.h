/* What a paper consists of, for the files that give it a form. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "paper/paper.h"

enum block_kind {
    BLOCK_STAMP,
    BLOCK_HEADING,
    BLOCK_TEXT,
    BLOCK_ITEM,
    BLOCK_NOTE,
    BLOCK_PAIR,
    BLOCK_SIGN,
    BLOCK_BREAK,
    BLOCK_TABLE,
    BLOCK_NODE,
};

struct block_cell {
    struct span text;
    struct block_cell *next;
};

struct block {
    enum block_kind kind;
    unsigned level;               /* BLOCK_HEADING */
    struct span key, text, aside; /* key: BLOCK_PAIR, BLOCK_SIGN, BLOCK_NODE */
    struct paper_column columns[PAPER_COLUMNS_MAX];
    size_t column_count;
    struct block_cell *cells, *last;
    size_t cell_count;
    struct block *next;
};

struct paper {
    struct arena arena;
    struct span title;
    struct block *blocks, *last;
    struct buf draft; /* what is being said */
    int error;
};

/* Does it begin, or go on with, blocks of a kind that are shown as one? */
static inline bool block_begins(const struct block *before, const struct block *b)
{
    return !before || before->kind != b->kind;
}
static inline bool block_ends(const struct block *b)
{
    return !b->next || b->next->kind != b->kind;
}

/* Does the table of two columns that begins here fit on a page, for certain? */
bool block_is_short(const struct block *first);
/* The sum of the columns' weights, at least 1. */
unsigned block_weights(const struct block *table);

/*
 * Appends as it stands. After a failure nothing can be appended to `out` any more, so that the last
 * append tells.
 */
void markup_put(struct buf *out, const char *text);
void markup_printf(struct buf *out, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Appends text so that it is data in HTML and in XML alike, '\n' as it is; likewise. */
void markup_text(struct buf *out, struct span text);
/*
 * Cuts the next part off *rest: a line break ('\n' alone), PAPER_PENDING alone, or text up to one
 * of them. False when nothing is left.
 */
bool markup_part(struct span *rest, struct span *ret_part);
