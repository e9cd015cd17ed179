/*
 * HTTP/1.1 client over libcurl's multi socket interface within our loop. Connections to upstreams
 * are pooled. Callbacks of the library only store bytes and tell the owner by event bits; handles
 * are added and removed from the owner's step, never inside a callback.
 */
#pragma once

#include "base/buf.h"
#include "base/loop.h"
#include "http/server.h" /* struct http_header */

#include <stdint.h>

struct http_client;
struct http_fetch;

enum http_fetch_event {
    HTTP_FETCH_HEAD = 1 << 0, /* status and headers are known */
    HTTP_FETCH_DATA = 1 << 1, /* http_fetch_data() has grown */
    HTTP_FETCH_END = 1 << 2,  /* over: http_fetch_result() */
};

enum http_fetch_result {
    HTTP_FETCH_OK,        /* the body's end was seen, as far as its framing shows one */
    HTTP_FETCH_TRUNCATED, /* the connection broke within the response */
    HTTP_FETCH_CONNECT,   /* no connection, no TLS, no such host */
    HTTP_FETCH_TIMEOUT,   /* connecting took too long */
    HTTP_FETCH_PROTOCOL,  /* not HTTP, or too much of it */
    HTTP_FETCH_MEMORY,
};

struct http_fetch_options {
    struct span method; /* GET or POST */
    struct span url;
    const struct http_header *headers; /* copied */
    size_t header_count;
    struct span body; /* borrowed until http_fetch_sent() or the end */
    unsigned connect_ms;
    size_t buffer_max; /* received bytes the owner has not consumed; past it the transfer pauses */
    /* Called within the library: store and post a task, nothing else. */
    void (*event)(void *ctx, unsigned events);
    void *ctx;
};

/* Once per process, before any thread; and at its end. */
void http_client_setup(void);
void http_client_teardown(void);
/* `connections`: ceiling of pooled upstream connections. 0 or -errno. */
int http_client_new(struct loop *l, unsigned connections, struct http_client **ret_client);
/* All fetches must have been freed. */
void http_client_free(struct http_client *c);

/* Begins a transfer. 0, -ENOMEM, -EINVAL. */
int http_fetch_start(struct http_client *c, const struct http_fetch_options *o,
                     struct http_fetch **ret_fetch);
/* Cancels it if it is still running (its connection is closed) and frees it. Not within a callback.
 */
void http_fetch_free(struct http_fetch *f);

/*
 * The answer is read as far as it matters: lets its end pass unseen, so that the connection can be
 * used again, and frees the fetch then, or after `ms` or 64 KiB of further body at most. The owner
 * is told nothing more.
 */
void http_fetch_linger(struct http_fetch *f, unsigned ms);

int http_fetch_status(const struct http_fetch *f);
/* A response header of those kept (content-type, content-encoding, retry-after, x-request-id,
 * request-id, x-should-retry, retry-after-ms, x-ratelimit-*, x-juyong-action); empty if absent.
 * `name` in lower case. */
struct span http_fetch_header(const struct http_fetch *f, const char *name);
/* The kept header at `index`, or false past the last. */
bool http_fetch_header_at(const struct http_fetch *f, size_t index, struct http_header *ret_header);
/* Has the head a fault that makes its body doubtful (two lengths, control characters)? */
bool http_fetch_malformed(const struct http_fetch *f);
/* Has the whole request body been sent, so that it may be freed? */
bool http_fetch_sent(const struct http_fetch *f);
struct span http_fetch_data(const struct http_fetch *f);
/* Takes n bytes off the front; a paused transfer goes on. */
void http_fetch_consume(struct http_fetch *f, size_t n);
/* Holds back the transfer, or lets it go on. */
void http_fetch_pause(struct http_fetch *f, bool pause);
/* Is it over, so that http_fetch_result() counts and no more data comes? */
bool http_fetch_over(const struct http_fetch *f);
enum http_fetch_result http_fetch_result(const struct http_fetch *f);
