/*
 * Text behind one more level of JSON escapes, such as a tool call's arguments: JSON within a JSON
 * string, often with all but ASCII escaped. Works on pieces that are cut anywhere, and on text that
 * is no JSON at all: what is no escape stays as it is.
 */
#pragma once

#include "base/buf.h"

struct json_unescape {
    char held[12]; /* an escape, or a pair of them, that has begun */
    size_t len;
};

#define JSON_UNESCAPE_INIT ((struct json_unescape){.len = 0})

/*
 * Appends what the piece says; the begin of an escape at its end waits for the next piece. Decoded
 * text is never longer than its source, and of a piece nothing is held but its last 11 bytes.
 * NUL is left out, halves of pairs are given as WTF-8. 0, -EMSGSIZE, -ENOMEM, after which the rest
 * of the piece is lost.
 */
int json_unescape_feed(struct json_unescape *u, struct span piece, struct buf *out);
/* The end: what was held is no escape. Ready for another text. */
int json_unescape_finish(struct json_unescape *u, struct buf *out);
