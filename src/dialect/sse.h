/*
 * Server-sent events (WHATWG HTML, "Server-sent events", stream interpretation): bytes in any
 * pieces in, events out. Sans-I/O; never reads past what it was given; one event is held at most,
 * up to its ceiling.
 */
#pragma once

#include "base/buf.h"

struct sse_event {
    struct span type; /* empty: message */
    struct span data; /* data lines joined by LF */
    struct span id;   /* of this event's own lines only; empty when it had none */
};

struct sse_reader;

/* NULL when memory is out. `event_max`: bytes of one event's lines. */
struct sse_reader *sse_reader_new(size_t event_max);
void sse_reader_free(struct sse_reader *r);

/* Nonzero stops and is returned. Spans are lent for the call. */
typedef int (*sse_event_fn)(void *ctx, const struct sse_event *event);

/*
 * Feeds bytes. 0; fn's answer, after which the rest of `bytes` is not read; -EMSGSIZE when an event
 * passes its ceiling; -EILSEQ on NUL or bytes that are not UTF-8; -ENOMEM.
 * Splits over calls never change the events.
 */
int sse_reader_feed(struct sse_reader *r, struct span bytes, sse_event_fn fn, void *ctx);
/* The stream ended: an event without its blank line is given too (clients deliver it). */
int sse_reader_finish(struct sse_reader *r, sse_event_fn fn, void *ctx);

/* Writes one event in the one form that we send: "data: …" lines and a blank line. */
int sse_write(struct buf *out, struct span type, struct span data);
