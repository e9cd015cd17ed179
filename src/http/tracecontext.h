/*
 * W3C Trace Context: the two headers by which a request says to which trace it belongs. Read
 * strictly, for they go on to somebody else and into records: what is not exactly of the
 * specification's form counts as absent.
 */
#pragma once

#include "base/span.h"

#include <stdbool.h>

#define TRACECONTEXT_SIZE      55  /* bytes of a traceparent of version 00 */
#define TRACECONTEXT_STATE_MAX 512 /* bytes of a tracestate that go on */

struct tracecontext {
    char parent[TRACECONTEXT_SIZE + 1]; /* 00-TRACE_ID-PARENT_ID-FLAGS */
    struct span state;                  /* as it came, borrowed from the header; or empty */
};

/*
 * Reads both headers; `state` may be empty. False when `parent` is no traceparent, and then
 * `state` means nothing either. One of a later version is rewritten as version 00 with the one flag
 * that 00 knows, as the specification wants; one of version 00 stays as it is. A tracestate that is
 * not well-formed, or longer than is passed on, is left out. O(length).
 */
bool tracecontext_read(struct span parent, struct span state, struct tracecontext *ret);
/* Begins a trace of these random bytes, of which the first 16 name it; sampled. */
void tracecontext_begin(const unsigned char random[24], struct tracecontext *ret);
/* The 32 digits that name the trace. Borrowed. */
static inline struct span tracecontext_id(const struct tracecontext *t)
{
    return span_from(t->parent + 3, 32);
}
