/*
 * A place in a file that a person wrote, and messages that name it: "file:line:column: message",
 * the form that editors and CI systems jump to.
 */
#pragma once

#include "base/buf.h"

struct place {
    struct span file;
    unsigned line,
        column; /* 1-based, columns in characters; 0: the whole file, or the whole line */
};

/*
 * Appends one message and a newline. Control characters that came in with an argument are written
 * as \xNN, so that a file can't forge lines or move the reader's cursor. 0, -EMSGSIZE, -ENOMEM.
 */
int place_printf(struct buf *out, struct place at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
