#include "http/connection.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/uio.h>

static void tell_drained(struct http_request *r)
{
    if (!r->much)
        return;
    r->much = false;
    request_tell(r, HTTP_DRAINED);
}

/* The library asks for the next bytes of a chunked body. */
static ssize_t read_stream(void *cls, uint64_t pos, char *room, size_t max)
{
    struct http_request *r = cls;
    if (r->aborted)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    if (r->out.len) {
        size_t n = r->out.len < max ? r->out.len : max;
        memcpy(room, r->out.data, n);
        buf_consume(&r->out, n);
        return (ssize_t)n;
    }
    if (r->ended)
        return MHD_CONTENT_READER_END_OF_STREAM;
    /* What the library had is on the wire: from here on we write ourselves. Returning 0 without
     * suspending would make its loop spin. */
    r->phase = REQUEST_DIRECT;
    connection_deadline(r->connection, 0);
    request_suspend(r);
    tell_drained(r);
    return 0;
}

struct MHD_Response *stream_response(struct http_request *r)
{
    /* The block serves only clients that can't take chunks, until we write ourselves. */
    return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 512, read_stream, r, NULL);
}

static void finish(struct http_request *r)
{
    r->phase = REQUEST_ENDING;
    connection_watch_write(r->connection, false);
    connection_deadline(r->connection, r->server->options.write_ms);
    request_resume(r);
}

/* Sends the framed rest. Returns true when nothing is left. */
static bool send_wire(struct http_request *r)
{
    while (r->wire.len) {
        ssize_t n =
            send(r->connection->watch.fd, r->wire.data, r->wire.len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0) {
            if (errno == EINTR)
                continue;
            if (errno != EAGAIN && errno != EWOULDBLOCK)
                connection_gone(r->connection);
            return false;
        }
        buf_consume(&r->wire, (size_t)n);
    }
    return true;
}

/* Sends everything the owner has written as one chunk (RFC 9112 section 7.1). */
static void send_out(struct http_request *r)
{
    char size[20];
    int head = r->chunked ? snprintf(size, sizeof(size), "%zx\r\n", r->out.len) : 0;
    struct iovec parts[3] = {
        {size, (size_t)head},
        {r->out.data, r->out.len},
        {(char *)(uintptr_t) "\r\n", r->chunked ? 2 : 0},
    };
    struct msghdr m = {.msg_iov = parts, .msg_iovlen = 3};
    ssize_t n;
    do
        n = sendmsg(r->connection->watch.fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    if (n < 0) {
        if (errno != EAGAIN && errno != EWOULDBLOCK) {
            connection_gone(r->connection);
            return;
        }
        n = 0;
    }
    size_t done = (size_t)n;
    for (int i = 0; i < 3; i++) {
        size_t skip = done < parts[i].iov_len ? done : parts[i].iov_len;
        done -= skip;
        if (buf_append(&r->wire,
                       span_from((char *)parts[i].iov_base + skip, parts[i].iov_len - skip)) < 0) {
            http_request_abort(r); /* half a chunk can't be taken back */
            return;
        }
    }
    buf_clear(&r->out);
}

static void flush(struct http_request *r)
{
    if (r->phase != REQUEST_DIRECT || r->connection->gone || r->aborted)
        return;
    bool drained = send_wire(r);
    if (drained && !r->connection->gone && r->out.len) {
        send_out(r);
        drained = r->wire.len == 0;
    }
    if (r->connection->gone || r->aborted)
        return;
    if (!drained) {
        if (!r->connection->watch_write)
            connection_deadline(r->connection, r->server->options.write_ms);
        connection_watch_write(r->connection, true);
        r->much = true;
        return;
    }
    if (r->connection->watch_write) {
        connection_watch_write(r->connection, false);
        connection_deadline(r->connection, 0);
    }
    tell_drained(r);
    if (r->ended)
        finish(r);
}

void stream_flush(struct loop_task *t)
{
    flush(list_entry(t, struct http_request, flush));
}

void stream_writable(struct http_request *r)
{
    if (r->phase == REQUEST_DIRECT && r->connection->watch_write) {
        /* Progress: the client has another write_ms for the next part. */
        connection_deadline(r->connection, r->server->options.write_ms);
        flush(r);
    }
}

int http_stream_write(struct http_request *r, struct span bytes)
{
    int rc = buf_append(&r->out, bytes);
    if (http_stream_pending(r) > HTTP_PENDING_MUCH)
        r->much = true;
    if (rc == 0 && r->phase == REQUEST_DIRECT)
        loop_task_post(r->server->loop, &r->flush);
    return rc;
}

size_t http_stream_pending(const struct http_request *r)
{
    return r->out.len + r->wire.len;
}

void http_stream_end(struct http_request *r)
{
    r->ended = true;
    if (r->phase == REQUEST_DIRECT)
        loop_task_post(r->server->loop, &r->flush);
}
