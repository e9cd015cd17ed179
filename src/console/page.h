/* The files of the page, made part of the program by pagegen.c. */
#pragma once

#include "base/span.h"

struct page_file {
    struct span name; /* "app.js" */
    const char *type; /* Content-Type */
    const char *tag;  /* ETag, with its quotes */
    const unsigned char *data;
    size_t len;
};

/* pagegen.c writes these. */
extern const struct page_file page_files[]; /* ends with a NULL type */
extern const char page_version[];           /* changes with any of them */

/*
 * The file of a path: "/" is index.html, "/NAME" that file, "/p/VERSION/NAME" the same, which may
 * be kept for ever (*ret_immutable). NULL when there is none.
 */
const struct page_file *page_find(struct span path, bool *ret_immutable);
