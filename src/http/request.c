#include "http/connection.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* What is at least read of a body that is too large, to be forgotten. */
#define REQUEST_UNREAD ((size_t)1 << 20)

struct http_request *request_new(struct http_connection *c, struct MHD_Connection *mhd,
                                 struct span target)
{
    struct http_request *r = calloc(1, sizeof(*r));
    if (!r)
        return NULL;
    r->server = c->server;
    r->connection = c;
    r->mhd = mhd;
    r->out.max = r->wire.max = HTTP_PENDING_MAX;
    r->target.max = SIZE_MAX / 2;
    loop_task_init(&r->flush, stream_flush);
    if (buf_append(&r->target, target) < 0) {
        free(r);
        return NULL;
    }
    r->path_len = target.len;
    const char *query = target.len ? memchr(r->target.data, '?', target.len) : NULL;
    if (query)
        r->path_len = (size_t)(query - r->target.data);
    c->request = r;
    return r;
}

void request_free(struct http_request *r)
{
    loop_task_cancel(&r->flush);
    if (r->response)
        MHD_destroy_response(r->response);
    buf_deinit(&r->body);
    buf_deinit(&r->target);
    buf_deinit(&r->out);
    buf_deinit(&r->wire);
    free(r);
}

void request_over(struct http_request *r)
{
    bool gone = !r->ended && r->phase != REQUEST_REPLY;
    r->connection->request = NULL;
    if (r->connection->watch_write)
        connection_watch_write(r->connection, false);
    r->connection = NULL;
    r->mhd = NULL;
    r->phase = REQUEST_OVER;
    loop_task_cancel(&r->flush);
    if (r->admitted && !r->released) {
        request_tell(r, HTTP_DONE | (gone ? HTTP_GONE : 0));
        return;
    }
    request_free(r);
}

void request_tell(struct http_request *r, unsigned events)
{
    if (!r->released)
        r->server->ops.event(r->server->ctx, r, events);
}

void request_suspend(struct http_request *r)
{
    r->suspended = true;
    MHD_suspend_connection(r->mhd);
}

void request_resume(struct http_request *r)
{
    if (!r->suspended || !r->mhd)
        return;
    r->suspended = false;
    MHD_resume_connection(r->mhd);
    r->server->run_again = true;
}

static enum MHD_Result queue(struct http_request *r)
{
    if (r->close)
        MHD_add_response_header(r->response, MHD_HTTP_HEADER_CONNECTION, "close");
    return MHD_queue_response(r->mhd, (unsigned)r->status, r->response);
}

/* Refuses within the library's callback what never becomes a request. */
static enum MHD_Result refuse(struct http_request *r, enum http_refusal why, const char *detail)
{
    static const struct {
        int status;
        const char *code;
    } rows[] = {
        [HTTP_REFUSED_FRAMING] = {400, "bad_framing"},
        [HTTP_REFUSED_EXPECTATION] = {417, "expectation_failed"},
        [HTTP_REFUSED_HEADERS] = {431, "headers_too_large"},
        [HTTP_REFUSED_BODY] = {413, "body_too_large"},
        [HTTP_REFUSED_MEMORY] = {503, "overloaded"},
    };
    char body[256];
    server_refused(r->server, r, why, span_str(detail));
    if (r->response)
        return queue(r);
    int n = snprintf(body, sizeof(body),
                     "{\"error\":{\"message\":\"The request is refused (%s).\",\"type\":"
                     "\"invalid_request_error\",\"param\":null,\"code\":\"%s\"}}",
                     detail, rows[why].code);
    struct http_header headers[17] = {{SPAN_LIT("Content-Type"), SPAN_LIT("application/json")}};
    const struct http_server_options *o = &r->server->options;
    size_t count = 1;
    for (size_t i = 0; i < o->refusal_header_count && i < 16; i++)
        headers[count++] = o->refusal_headers[i];
    if (http_request_reply(r, rows[why].status, headers, count, span_from(body, (size_t)n), true) <
        0)
        return MHD_NO;
    return queue(r);
}

static enum MHD_Result handle_head(struct http_request *r, const char *method, const char *version)
{
    struct http_server *s = r->server;
    r->method = span_str(method);
    r->chunked = strcmp(version, "HTTP/1.1") == 0;
    struct framing f = framing_check(r->mhd, r->method, r->target.len, span_str(version));
    if (!s->options.lenient) {
        if (f.fault)
            return refuse(r, f.too_many ? HTTP_REFUSED_HEADERS : HTTP_REFUSED_FRAMING, f.fault);
        if (f.bad_expectation)
            return refuse(r, HTTP_REFUSED_EXPECTATION, "expect");
    }
    r->admitted = true;
    r->phase = REQUEST_UPLOAD;
    r->body_max = s->ops.admit(s->ctx, r);
    if (r->response)
        return queue(r);
    if (f.length > r->body_max)
        return refuse(r, HTTP_REFUSED_BODY, "content_length");
    r->body.max = r->body_max;
    r->unread_max = r->body_max > REQUEST_UNREAD ? r->body_max : REQUEST_UNREAD;
    if (f.length && buf_reserve(&r->body, f.length) < 0)
        return refuse(r, HTTP_REFUSED_MEMORY, "memory");
    connection_deadline(r->connection, s->options.body_ms);
    return MHD_YES;
}

static enum MHD_Result see_footer(void *cls, enum MHD_ValueKind kind, const char *key,
                                  const char *value)
{
    ((struct http_request *)cls)->trailers = true;
    return MHD_NO;
}

static enum MHD_Result handle_whole(struct http_request *r)
{
    MHD_get_connection_values(r->mhd, MHD_FOOTER_KIND, see_footer, r);
    r->phase = REQUEST_WAITING;
    connection_deadline(r->connection, 0); /* from here on the owner has deadlines of its own */
    request_suspend(r);
    unsigned events = r->too_large  ? HTTP_TOO_LARGE
                      : r->trailers ? HTTP_BODY | HTTP_TRAILERS
                                    : HTTP_BODY;
    /* Who left before there was a request to tell it to, is told of now. */
    request_tell(r, r->connection->gone ? events | HTTP_GONE : events);
    return MHD_YES;
}

enum MHD_Result request_handle(void *cls, struct MHD_Connection *mhd, const char *url,
                               const char *method, const char *version, const char *data,
                               size_t *data_size, void **state)
{
    struct http_request *r = *state;
    if (!r || r->aborted)
        return MHD_NO;
    if (r->phase == REQUEST_HEAD)
        return handle_head(r, method, version);
    if (*data_size) {
        /* Past the ceiling the rest is read and forgotten, within bounds: a client that is still
         * sending would not read an answer, and try again. */
        if (!r->too_large && buf_append(&r->body, span_from(data, *data_size)) < 0) {
            r->too_large = true;
            buf_deinit(&r->body);
            r->body.len = 0;
        }
        if (r->too_large) {
            if (r->unread_max < *data_size)
                return MHD_NO;
            r->unread_max -= *data_size;
        }
        *data_size = 0;
        return MHD_YES;
    }
    if (r->phase == REQUEST_UPLOAD)
        return handle_whole(r);
    if (r->response) {
        connection_deadline(r->connection, r->server->options.write_ms + r->more_ms);
        return queue(r);
    }
    return MHD_YES;
}

/* --- what owners call --- */

void http_request_set_owner(struct http_request *r, void *owner)
{
    r->owner = owner;
}

void *http_request_owner(const struct http_request *r)
{
    return r->owner;
}

struct span http_request_method(const struct http_request *r)
{
    return r->method;
}

struct span http_request_path(const struct http_request *r)
{
    return span_from(r->target.data, r->path_len);
}

struct span http_request_query(const struct http_request *r)
{
    struct span all = buf_span(&r->target);
    return r->path_len < all.len ? span_slice(all, r->path_len + 1, all.len) : SPAN_LIT("");
}

struct span http_request_header(const struct http_request *r, const char *name)
{
    return r->mhd ? span_str(MHD_lookup_connection_value(r->mhd, MHD_HEADER_KIND, name))
                  : SPAN_NULL;
}

struct header_count {
    struct span name;
    unsigned count;
};

static enum MHD_Result count_header(void *cls, enum MHD_ValueKind kind, const char *key,
                                    const char *value)
{
    struct header_count *c = cls;
    c->count += span_eq_nocase(span_str(key), c->name);
    return MHD_YES;
}

unsigned http_request_header_count(const struct http_request *r, const char *name)
{
    struct header_count c = {span_str(name), 0};
    if (r->mhd)
        MHD_get_connection_values(r->mhd, MHD_HEADER_KIND, count_header, &c);
    return c.count;
}

#define NAMES_MAX 16

struct names {
    struct span prefix, repeated;
    struct span seen[NAMES_MAX];
    size_t count;
};

static enum MHD_Result see_name(void *cls, enum MHD_ValueKind kind, const char *key,
                                size_t key_size, const char *value, size_t value_size)
{
    struct names *n = cls;
    struct span name = span_from(key, key_size);
    if (name.len < n->prefix.len || !span_eq_nocase(span_slice(name, 0, n->prefix.len), n->prefix))
        return MHD_YES;
    bool twice = n->count == NAMES_MAX;
    for (size_t i = 0; i < n->count; i++)
        twice = twice || span_eq_nocase(n->seen[i], name);
    if (twice)
        n->repeated = name;
    else
        n->seen[n->count++] = name;
    return twice ? MHD_NO : MHD_YES;
}

struct span http_request_repeated(const struct http_request *r, struct span prefix)
{
    struct names n = {.prefix = prefix};
    if (r->mhd)
        MHD_get_connection_values_n(r->mhd, MHD_HEADER_KIND, see_name, &n);
    return n.repeated;
}

struct span http_request_body(const struct http_request *r)
{
    return buf_span(&r->body);
}

void http_request_drop_body(struct http_request *r)
{
    buf_deinit(&r->body);
}

struct span http_request_peer(const struct http_request *r, uint16_t *ret_port)
{
    if (ret_port)
        *ret_port = r->connection ? r->connection->peer_port : 0;
    return r->connection ? span_str(r->connection->peer) : SPAN_NULL;
}

bool http_request_gone(const struct http_request *r)
{
    return !r->connection || r->connection->gone;
}

void http_request_release(struct http_request *r)
{
    r->released = true;
    if (r->phase == REQUEST_OVER)
        request_free(r);
    else if (r->phase == REQUEST_WAITING && !r->response)
        http_request_abort(r);
}

static int add_headers(struct MHD_Response *response, const struct http_header *headers,
                       size_t count)
{
    char name[128], value[1024];
    for (size_t i = 0; i < count; i++) {
        if (headers[i].name.len >= sizeof(name) || headers[i].value.len >= sizeof(value))
            return -EINVAL;
        memcpy(name, headers[i].name.data, headers[i].name.len);
        name[headers[i].name.len] = '\0';
        memcpy(value, headers[i].value.data, headers[i].value.len);
        value[headers[i].value.len] = '\0';
        if (MHD_add_response_header(response, name, value) != MHD_YES)
            return -ENOMEM;
    }
    return 0;
}

static int respond(struct http_request *r, struct MHD_Response *response, int status,
                   const struct http_header *headers, size_t count)
{
    if (!response)
        return -ENOMEM;
    int rc = add_headers(response, headers, count);
    if (rc < 0) {
        MHD_destroy_response(response);
        return rc;
    }
    r->response = response;
    r->status = status;
    return 0;
}

/* What respond() was given is whole: it goes out. */
static void reply(struct http_request *r, bool close)
{
    r->close = close || r->phase == REQUEST_UPLOAD;
    if (r->phase == REQUEST_WAITING) {
        r->phase = REQUEST_REPLY;
        request_resume(r);
    } else {
        r->phase = REQUEST_REPLY;
    }
}

int http_request_reply(struct http_request *r, int status, const struct http_header *headers,
                       size_t count, struct span body, bool close)
{
    int rc = respond(r,
                     MHD_create_response_from_buffer(body.len, (void *)(uintptr_t)body.data,
                                                     MHD_RESPMEM_MUST_COPY),
                     status, headers, count);
    if (rc == 0)
        reply(r, close);
    return rc;
}

int http_request_reply_file(struct http_request *r, int status, const struct http_header *headers,
                            size_t count, int fd, uint64_t size)
{
    struct MHD_Response *response = MHD_create_response_from_fd64(size, fd);
    if (!response) {
        close(fd);
        return -ENOMEM;
    }
    int rc = respond(r, response, status, headers, count);
    if (rc == 0) {
        uint64_t more = size / HTTP_FILE_BYTES_MS;
        r->more_ms = more < HTTP_FILE_MS_MAX ? (unsigned)more : HTTP_FILE_MS_MAX;
        reply(r, false);
    }
    return rc;
}

int http_stream_start(struct http_request *r, int status, const struct http_header *headers,
                      size_t count)
{
    if (r->server->tls)
        return -EOPNOTSUPP;
    int rc = respond(r, stream_response(r), status, headers, count);
    if (rc < 0)
        return rc;
    r->phase = REQUEST_STREAM;
    request_resume(r);
    return 0;
}

void http_request_abort(struct http_request *r)
{
    if (r->phase == REQUEST_OVER || r->aborted)
        return;
    r->aborted = true;
    shutdown(r->connection->watch.fd, SHUT_RDWR);
    request_resume(r);
}
