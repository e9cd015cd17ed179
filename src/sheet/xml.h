/*
 * XML as workbooks are made of, through expat: elements and attributes by their local names, no
 * document type and so no entities of its own. Private to this room.
 */
#pragma once

#include "base/buf.h"

#define XML_DEPTH_MAX 64

struct xml;

/* The handlers return 0, or an error that stops the reading and is returned by xml_feed(). */
struct xml_ops {
    /* attributes: pairs of name and value, for xml_attribute(). */
    int (*begin)(void *ctx, struct span name, const char *const *attributes);
    int (*end)(void *ctx, struct span name);
    int (*text)(void *ctx, struct span text);
};

struct xml *xml_new(const struct xml_ops *ops, void *ctx);
void xml_free(struct xml *x);
/*
 * Reads the next piece; `last` when no other follows. 0; a handler's error; -EINVAL with the reason
 * appended to *why; -ENOMEM.
 */
int xml_feed(struct xml *x, struct span piece, bool last, struct buf *why);
/* An attribute's value by local name; NULL data when there is none. */
struct span xml_attribute(const char *const *attributes, const char *name);
