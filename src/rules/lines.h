/* Files of lines, read in place: where a part of a line stands, and whether all of it is text. */
#pragma once

#include "rules/loader.h"

struct line_reader {
    struct loader *loader;
    struct span file;
    struct span rest; /* behind the current line */
    struct span line; /* without its end */
    unsigned number;
};

/*
 * Ready for the first line of `text`. False, with a message, when a byte of it is no text: told
 * once, for it may be in every line of a file that is none.
 */
bool lines_begin(struct line_reader *r, struct loader *l, struct span text, struct span file);
/* The next line; false behind the last one. */
bool lines_next(struct line_reader *r);
/* Where a part of the current line stands, in characters. */
struct place lines_place(const struct line_reader *r, const char *part);
