/*
 * HTTP/1.1 server over libmicrohttpd within our loop. It knows nothing of exchanges: it gathers a
 * request, refuses doubtful framing, tells its owner by event bits, and writes what it is given.
 *
 * Framing: libmicrohttpd 0.9.75 parses leniently, so everything its handler can see is checked
 * again in the first call (http/framing.c); what it hides (chunk extensions, bare LF inside chunks)
 * is documented in DESIGN and pinned by tests.
 *
 * Streams: once libmicrohttpd has sent the response head and its reader has nothing to give, the
 * connection is suspended and stays so: chunks are written straight to the socket, one send per
 * loop turn, and only the end goes through the library again. Resuming for each chunk walks the
 * list of all suspended connections, which at 5,000 slow streams costs more than everything else
 * together.
 */
#pragma once

#include "base/buf.h"
#include "base/loop.h"

#include <stdint.h>

struct http_server;
struct http_request;

struct http_header {
    struct span name, value;
};

enum http_event {
    HTTP_BODY = 1 << 0,      /* the request is whole: http_request_body() */
    HTTP_TOO_LARGE = 1 << 1, /* the body passed its ceiling and was not kept */
    HTTP_TRAILERS = 1 << 2,  /* with HTTP_BODY: the request carried trailers */
    HTTP_GONE = 1 << 3,      /* the client left, or was too slow; nothing can be sent any more */
    HTTP_DRAINED = 1 << 4, /* the client took what was pending, where that was more than its socket
                              took at once or more than 64 KiB; see http_stream_pending() */
    HTTP_DONE = 1 << 5,    /* the response is over and the request released by the server */
};

/* Why a request is refused although nobody but the server has looked at it. */
enum http_refusal {
    HTTP_REFUSED_FRAMING,     /* where it ends, or what its head says, is in doubt: 400 */
    HTTP_REFUSED_EXPECTATION, /* 417 */
    HTTP_REFUSED_HEADERS,     /* too many: 431 */
    HTTP_REFUSED_BODY,        /* it says that it is larger than admit() allowed: 413 */
    HTTP_REFUSED_MEMORY,      /* 503 */
    HTTP_REFUSED_UNSEEN,      /* by the library, which has answered by itself */
};

struct http_server_ops {
    /*
     * The head is read and sound. Decide at once: answer with http_request_reply() (the connection
     * is closed, the body never read), or return the ceiling for the body in bytes. Must not block,
     * and may not use the loop's other objects: it runs inside the library's callback.
     */
    size_t (*admit)(void *ctx, struct http_request *r);
    /*
     * Something happened (bits). May be called inside the library's callbacks: store and post a
     * task, nothing else. After HTTP_DONE there is no further event.
     */
    void (*event)(void *ctx, struct http_request *r, unsigned events);
    /*
     * A request is refused before its body was read: answer it with http_request_reply(), or leave
     * it to the server, which then does so in a few words. `r` is NULL with HTTP_REFUSED_UNSEEN; it
     * has an owner if admit() gave it one. `detail` is a word for whoever debugs the client. As
     * with admit(), nothing may block. May be NULL.
     */
    void (*refused)(void *ctx, struct http_request *r, enum http_refusal why, struct span detail);
    /*
     * With `proxied`: is that address (numeric text) a proxy, so that its connections must begin
     * with a PROXY header, version 1 or 2? Others' must not. Asked once a connection.
     */
    bool (*is_proxy)(void *ctx, struct span address);
};

struct http_server_options {
    struct span host;     /* numeric address */
    uint16_t port;        /* 0: any free one */
    bool shared_port;     /* several servers of this process take turns on it (SO_REUSEPORT) */
    unsigned connections; /* ceiling */
    unsigned per_ip;      /* ceiling of one address; 0: none */
    unsigned header_ms, body_ms, idle_ms, write_ms; /* absolute deadlines */
    /*
     * One place is always free: when the last is taken, the oldest connection without a whole
     * request makes room. So idle ones keep nobody out, before their deadline either.
     */
    bool yielding;
    bool proxied; /* connections of proxies begin with a PROXY header, see is_proxy() */
    /* PEM: HTTPS, from TLS 1.2 on; empty: plain. Such a server sends whole answers only. */
    struct span certificate, key;
    /* The server whose listener is taken over: it accepts nothing from now on, what it has goes on.
     */
    struct http_server *heir_of;
    /* Sent with what is refused before its owner sees it; static. */
    const struct http_header *refusal_headers;
    size_t refusal_header_count; /* at most 16 */
    bool lenient; /* for the stand-in model: no framing checks beyond the library's */
};

/* Starts to listen. 0 or -errno (-EADDRINUSE …). */
int http_server_new(struct loop *l, const struct http_server_options *o,
                    const struct http_server_ops *ops, void *ctx, struct http_server **ret_server);
/* Can one listen there? 0 or -errno. Sockets that share a port would not notice another program's.
 */
int http_server_probe(const struct http_server_options *o);
/* Stops accepting; running requests go on. */
void http_server_quiesce(struct http_server *s);
/* Aborts what is left and frees. Every request must have been released by its owner before. */
void http_server_free(struct http_server *s);
uint16_t http_server_port(const struct http_server *s);
size_t http_server_connections(const struct http_server *s);

/* --- a request; spans live as long as the request --- */

void http_request_set_owner(struct http_request *r, void *owner);
void *http_request_owner(const struct http_request *r);
struct span http_request_method(const struct http_request *r);
/* Path as sent, without the query. */
struct span http_request_path(const struct http_request *r);
/* What is behind the first '?', as sent; empty if there is none. */
struct span http_request_query(const struct http_request *r);
/* The value of a header that must not be repeated, matched without case; empty if absent. */
struct span http_request_header(const struct http_request *r, const char *name);
/* How often a header was sent. O(headers). */
unsigned http_request_header_count(const struct http_request *r, const char *name);
/*
 * The first header whose name begins so (lower case) and that is there more than once; empty: none.
 * Of more than 16 such headers it is the last.
 */
struct span http_request_repeated(const struct http_request *r, struct span prefix);
struct span http_request_body(const struct http_request *r);
/* Frees the body early. */
void http_request_drop_body(struct http_request *r);
/*
 * Numeric address and port of the peer: of the client that a PROXY header names; empty and 0 where
 * such a header says that nobody knows.
 */
struct span http_request_peer(const struct http_request *r, uint16_t *ret_port);
/* Has the client left? */
bool http_request_gone(const struct http_request *r);
/* The owner has no further use for it: no more events. */
void http_request_release(struct http_request *r);

/* Sends a whole response. The body is copied; `close` ends the connection afterwards. 0, -ENOMEM.
 */
int http_request_reply(struct http_request *r, int status, const struct http_header *headers,
                       size_t count, struct span body, bool close);
/*
 * Sends a file from its beginning, `size` bytes of it. The descriptor is the server's from now on,
 * also on failure. The deadline grows with the size. 0, -ENOMEM.
 */
int http_request_reply_file(struct http_request *r, int status, const struct http_header *headers,
                            size_t count, int fd, uint64_t size);
/*
 * Begins a chunked response; the body follows by http_stream_write(). 0, -ENOMEM; -EOPNOTSUPP with
 * TLS, for streams are written past the library.
 */
int http_stream_start(struct http_request *r, int status, const struct http_header *headers,
                      size_t count);
/* Appends to what the client is to take; sent in this loop turn. 0, -ENOMEM, -EMSGSIZE. */
int http_stream_write(struct http_request *r, struct span bytes);
/* Bytes not yet taken by the client's socket. */
size_t http_stream_pending(const struct http_request *r);
/* The body is over; what is pending still goes out. */
void http_stream_end(struct http_request *r);
/* Ends the connection without the body's proper end, so that the client sees that it is cut off. */
void http_request_abort(struct http_request *r);
