/*
 * Private to the room: what server.c, request.c and stream.c share. A connection has at most one
 * request at a time.
 */
#pragma once

#include "http/framing.h"
#include "http/proxyhead.h"
#include "http/server.h"

#include <microhttpd.h>

#define HTTP_PENDING_MAX                                                                           \
    ((size_t)256 << 20) /* a ceiling of last resort; owners pause far earlier */

struct http_server {
    struct loop *loop;
    struct MHD_Daemon *daemon;
    struct http_server_ops ops;
    void *ctx;
    struct http_server_options options;
    struct loop_watch watch; /* the library's epoll descriptor */
    struct loop_hook hook;
    bool tls;
    bool run_again; /* something was resumed: the library's epoll does not tell */
    int listener;
    uint16_t port;
    struct list connections;
    size_t connection_count;
    /* accept.c, where connections of proxies begin with a header of their own */
    struct loop_watch accepting;
    struct loop_timer accept_again;
    struct list arrivals; /* whose header is not whole yet */
    struct list handed;   /* that the library is just being given */
    size_t arrival_count;
};

struct http_connection {
    struct list link;
    struct http_server *server;
    struct loop_watch watch; /* the socket: departure, and room to write */
    bool watch_write;
    struct loop_timer deadline;
    struct http_request *request;
    bool expired, gone;
    char peer[46];
    uint16_t peer_port;
};

#define HTTP_PENDING_MUCH ((size_t)64 << 10)

/* A file may take as long as the slowest client that is borne: so many bytes a millisecond. */
#define HTTP_FILE_BYTES_MS 32
#define HTTP_FILE_MS_MAX   7200000u

enum request_phase {
    REQUEST_HEAD,    /* the target is known, headers are being read */
    REQUEST_UPLOAD,  /* admitted, the body is being read */
    REQUEST_WAITING, /* whole and suspended; the owner works */
    REQUEST_REPLY,   /* the library sends a whole response */
    REQUEST_STREAM,  /* the library sends a response head; the reader will be asked */
    REQUEST_DIRECT,  /* the library is suspended within the body; we write */
    REQUEST_ENDING,  /* the library is to send the body's end */
    REQUEST_OVER,
};

struct http_request {
    struct http_server *server;
    struct http_connection *connection; /* NULL once it is over */
    struct MHD_Connection *mhd;
    enum request_phase phase;
    void *owner;
    bool admitted, suspended, released, too_large, trailers, aborted, ended, close, chunked;
    bool much;        /* so much was pending that the owner may wait to hear that it is gone */
    unsigned more_ms; /* beyond write_ms, for a large answer */
    size_t body_max, unread_max;
    struct buf body;
    struct span method; /* the library's, lives as long as the request */
    struct buf target;  /* path with query as sent */
    size_t path_len;
    struct MHD_Response *response;
    int status;
    struct buf out;  /* written by the owner, not yet framed */
    struct buf wire; /* framed bytes that the socket did not take */
    struct loop_task flush;
};

/* request.c */
struct http_request *request_new(struct http_connection *c, struct MHD_Connection *mhd,
                                 struct span target);
void request_free(struct http_request *r);
/* The library is done with it, or the connection died before it was admitted. */
void request_over(struct http_request *r);
void request_tell(struct http_request *r, unsigned events);
void request_suspend(struct http_request *r);
void request_resume(struct http_request *r);
enum MHD_Result request_handle(void *cls, struct MHD_Connection *mhd, const char *url,
                               const char *method, const char *version, const char *data,
                               size_t *data_size, void **state);

/* stream.c */
struct MHD_Response *stream_response(struct http_request *r);
void stream_flush(struct loop_task *t);
/* The socket has room again. */
void stream_writable(struct http_request *r);

/* accept.c */
int accept_begin(struct http_server *s);
/* Closes the listener and what waits for its header. Twice does no harm. */
void accept_end(struct http_server *s);
/* Of a connection that the library is just being given: what its PROXY header said. */
bool accept_whose(struct http_server *s, int fd, enum proxyhead_whose *ret);
/* Numeric text and port; empty and 0 for what is neither IPv4 nor IPv6. */
void accept_name(const struct sockaddr *a, char ret_text[46], uint16_t *ret_port);

/* server.c */
/* Tells the owner; `r` may be NULL. */
void server_refused(struct http_server *s, struct http_request *r, enum http_refusal why,
                    struct span detail);
/* Moves the connection's absolute deadline; 0 takes it away. */
void connection_deadline(struct http_connection *c, unsigned ms);
void connection_watch_write(struct http_connection *c, bool on);
/* The client left or must leave: no byte can be sent any more. */
void connection_gone(struct http_connection *c);
