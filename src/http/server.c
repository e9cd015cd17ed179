#include "http/connection.h"

#include "base/log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * Bytes of a request's head and of what the library buffers of a response, kept as long as the
 * connection: heads of some 7,000 bytes are taken, larger ones get 431.
 */
#define SERVER_POOL 8192

/* --- connections --- */

void connection_gone(struct http_connection *c)
{
    if (c->gone)
        return;
    c->gone = true;
    if (c->request && c->request->admitted)
        request_tell(c->request, HTTP_GONE);
}

static void connection_event(struct loop_watch *w, uint32_t events)
{
    struct http_connection *c = list_entry(w, struct http_connection, watch);
    if (events & EPOLLOUT && c->request)
        stream_writable(c->request);
    /* A client that closes and one that only ends its sending side look alike here; the SDKs close.
     */
    if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        connection_gone(c);
}

static void connection_expired(struct loop_timer *t)
{
    struct http_connection *c = list_entry(t, struct http_connection, deadline);
    c->expired = true;
    /* Only shut down, never close: the descriptor is the library's. It will read the end. */
    shutdown(c->watch.fd, SHUT_RDWR);
    connection_gone(c);
}

/* Has sent no request that is whole: who works for it, or reads its answer, is let be. */
static bool is_idle(const struct http_connection *c)
{
    return !c->expired && (!c->request || !c->request->admitted ||
                           (c->request->phase == REQUEST_UPLOAD && !c->request->response));
}

static void make_room(struct http_server *s, const struct http_connection *newest)
{
    list_for_each (e, &s->connections) {
        struct http_connection *c = list_entry(e, struct http_connection, link);
        if (c != newest && is_idle(c)) {
            connection_expired(&c->deadline);
            return;
        }
    }
}

void connection_deadline(struct http_connection *c, unsigned ms)
{
    if (ms == 0)
        loop_timer_cancel(&c->deadline);
    else if (loop_timer_set(&c->deadline, loop_now_ms(c->server->loop) + ms) < 0)
        connection_expired(&c->deadline); /* without a deadline nobody may stay */
}

void connection_watch_write(struct http_connection *c, bool on)
{
    if (c->watch_write == on)
        return;
    c->watch_write = on;
    loop_watch_change(c->server->loop, &c->watch,
                      EPOLLRDHUP | EPOLLET | (on ? (uint32_t)EPOLLOUT : 0));
}

static void read_peer(struct http_connection *c, struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    struct http_server *s = c->server;
    enum proxyhead_whose whose;
    bool told = accept_whose(s, c->watch.fd, &whose);
    /* Somebody behind the proxy that it can't name is not the proxy. */
    if (told && whose == PROXYHEAD_UNKNOWN)
        return;
    if (info && info->client_addr)
        accept_name(info->client_addr, c->peer, &c->peer_port);
    /* Nor is anybody whose header we don't know any more: rather nobody than whom all trust. */
    if (!told && s->options.proxied && s->ops.is_proxy(s->ctx, span_str(c->peer))) {
        c->peer[0] = '\0';
        c->peer_port = 0;
    }
}

static void connection_open(struct http_server *s, struct MHD_Connection *mhd,
                            void **socket_context)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct http_connection *c = calloc(1, sizeof(*c));
    *socket_context = c;
    if (!c)
        return; /* every request on it is refused */
    c->server = s;
    c->watch = (struct loop_watch){.fd = info->connect_fd, .fn = connection_event};
    loop_timer_init(s->loop, &c->deadline, connection_expired);
    list_append(&s->connections, &c->link);
    s->connection_count++;
    read_peer(c, mhd);
    int on = 1;
    setsockopt(c->watch.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (loop_watch_add(s->loop, &c->watch, EPOLLRDHUP | EPOLLET) < 0)
        connection_expired(&c->deadline);
    else
        connection_deadline(c, s->options.header_ms);
    if (s->options.yielding && s->connection_count >= s->options.connections)
        make_room(s, c);
}

static void connection_closed(struct http_connection *c)
{
    /* With a place free again the library listens, the next time that it is asked. */
    if (c->server->connection_count >= c->server->options.connections)
        c->server->run_again = true;
    if (c->request)
        request_over(c->request);
    loop_watch_remove(c->server->loop, &c->watch);
    loop_timer_cancel(&c->deadline);
    list_remove(&c->link);
    c->server->connection_count--;
    free(c);
}

static void notify_connection(void *cls, struct MHD_Connection *mhd, void **socket_context,
                              enum MHD_ConnectionNotificationCode code)
{
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        connection_open(cls, mhd, socket_context);
    else if (*socket_context)
        connection_closed(*socket_context);
}

/* The target of a request is known, the headers are not yet read. */
static void *notify_target(void *cls, const char *uri, struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct http_connection *c = info ? info->socket_context : NULL;
    if (!c)
        return NULL;
    if (c->request) /* its head was refused by the library, which never told */
        request_over(c->request);
    connection_deadline(c, c->server->options.header_ms);
    return request_new(c, mhd, span_str(uri));
}

static void notify_completed(void *cls, struct MHD_Connection *mhd, void **state,
                             enum MHD_RequestTerminationCode code)
{
    struct http_request *r = *state;
    if (!r)
        return;
    struct http_connection *c = r->connection;
    *state = NULL;
    request_over(r);
    if (c)
        connection_deadline(c, c->server->options.idle_ms + c->server->options.header_ms);
}

/* The path is matched as sent: no decoding, so that "%2f" stays what it is. */
static size_t keep_escapes(void *cls, struct MHD_Connection *mhd, char *text)
{
    return strlen(text);
}

void server_refused(struct http_server *s, struct http_request *r, enum http_refusal why,
                    struct span detail)
{
    if (s->ops.refused)
        s->ops.refused(s->ctx, r, why, detail);
}

static void library_message(void *cls, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));
static void library_message(void *cls, const char *fmt, va_list ap)
{
    struct http_server *s = cls;
    server_refused(s, NULL, HTTP_REFUSED_UNSEEN, SPAN_NULL);
    if (log_get_level() > LOG_DEBUG)
        return;
    char text[256];
    vsnprintf(text, sizeof(text), fmt, ap);
    log_debug("http: %s", text);
}

/* --- the library within our loop --- */

static void library_ready(struct loop_watch *w, uint32_t events)
{
    struct http_server *s = list_entry(w, struct http_server, watch);
    s->run_again = true; /* runs in the hook, once a turn */
}

static void library_run(struct loop_hook *h)
{
    struct http_server *s = list_entry(h, struct http_server, hook);
    /* Bounded: the wire must not keep the timers and tasks of this turn waiting for ever. */
    for (int i = 0; i < 16 && s->run_again; i++) {
        s->run_again = false;
        MHD_run(s->daemon);
        MHD_UNSIGNED_LONG_LONG timeout;
        if (MHD_get_timeout(s->daemon, &timeout) == MHD_YES && timeout == 0)
            s->run_again = true;
    }
    if (s->run_again)
        loop_wake(s->loop);
}

static int listen_on(const struct http_server_options *o, uint16_t *ret_port)
{
    struct sockaddr_storage a = {0};
    socklen_t len;
    char host[64];
    if (o->host.len >= sizeof(host))
        return -EINVAL;
    memcpy(host, o->host.data, o->host.len);
    host[o->host.len] = '\0';
    struct sockaddr_in *v4 = (struct sockaddr_in *)&a;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&a;
    if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(o->port);
        len = sizeof(*v4);
    } else if (inet_pton(AF_INET6, host, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(o->port);
        len = sizeof(*v6);
    } else {
        return -EINVAL;
    }
    int fd = socket(a.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (o->shared_port)
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
    if (bind(fd, (struct sockaddr *)&a, len) < 0 || listen(fd, 1024) < 0 ||
        getsockname(fd, (struct sockaddr *)&a, &len) < 0) {
        int r = -errno;
        close(fd);
        return r;
    }
    *ret_port = ntohs(a.ss_family == AF_INET ? v4->sin_port : v6->sin6_port);
    return fd;
}

int http_server_probe(const struct http_server_options *o)
{
    struct http_server_options alone = *o;
    alone.shared_port = false;
    uint16_t port;
    int fd = listen_on(&alone, &port);
    if (fd < 0)
        return fd;
    close(fd);
    return 0;
}

static int inherit(const struct http_server *from, uint16_t *ret_port)
{
    int fd = from->listener < 0 ? -1 : fcntl(from->listener, F_DUPFD_CLOEXEC, 0);
    *ret_port = from->port;
    return fd < 0 ? -errno : fd;
}

/* The library wants the texts with an end, and looks at them while it starts. */
static struct MHD_Daemon *start_daemon(struct http_server *s)
{
    const struct http_server_options *o = &s->options;
    bool tls = o->certificate.len > 0;
    char *certificate = tls ? strndup(o->certificate.data, o->certificate.len) : NULL;
    char *key = tls ? strndup(o->key.data, o->key.len) : NULL;
    unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG |
                     (o->proxied ? MHD_USE_NO_LISTEN_SOCKET : 0) | (tls ? MHD_USE_TLS : 0);
    static char versions[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";
    struct MHD_OptionItem more[8] = {{MHD_OPTION_END, 0, NULL}};
    size_t count = 0;
    if (!o->proxied)
        more[count++] = (struct MHD_OptionItem){MHD_OPTION_LISTEN_SOCKET, s->listener, NULL};
    if (tls) {
        more[count++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_CERT, 0, certificate};
        more[count++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_KEY, 0, key};
        more[count++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_PRIORITIES, 0, versions};
    }
    more[count] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
    struct MHD_Daemon *d = NULL;
    if (!tls || (certificate && key))
        d = MHD_start_daemon(
            flags, 0, NULL, NULL, request_handle, s, MHD_OPTION_EXTERNAL_LOGGER, library_message, s,
            MHD_OPTION_ARRAY, more, MHD_OPTION_CONNECTION_LIMIT, o->connections,
            MHD_OPTION_PER_IP_CONNECTION_LIMIT, o->per_ip, MHD_OPTION_CONNECTION_TIMEOUT,
            (o->idle_ms + 999) / 1000, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)SERVER_POOL,
            MHD_OPTION_NOTIFY_COMPLETED, notify_completed, NULL, MHD_OPTION_NOTIFY_CONNECTION,
            notify_connection, s, MHD_OPTION_URI_LOG_CALLBACK, notify_target, s,
            MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL, MHD_OPTION_STRICT_FOR_CLIENT, 1,
            MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_END);
    if (key)
        explicit_bzero(key, strlen(key));
    free(key);
    free(certificate);
    return d;
}

int http_server_new(struct loop *l, const struct http_server_options *o,
                    const struct http_server_ops *ops, void *ctx, struct http_server **ret_server)
{
    struct http_server *s = calloc(1, sizeof(*s));
    if (!s)
        return -ENOMEM;
    s->loop = l;
    s->ops = *ops;
    s->ctx = ctx;
    s->options = *o;
    list_init(&s->connections);
    list_init(&s->arrivals);
    list_init(&s->handed);
    list_init(&s->hook.link);
    s->listener = o->heir_of ? inherit(o->heir_of, &s->port) : listen_on(o, &s->port);
    if (s->listener < 0) {
        int r = s->listener;
        free(s);
        return r;
    }
    s->daemon = start_daemon(s);
    if (!s->daemon) {
        close(s->listener);
        free(s);
        return -EIO;
    }
    s->tls = o->certificate.len > 0;
    s->options.certificate = s->options.key = SPAN_NULL; /* whose texts were lent for the start */
    if (o->heir_of)
        http_server_quiesce(o->heir_of);
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    s->watch = (struct loop_watch){.fd = info->epoll_fd, .fn = library_ready};
    int r = loop_watch_add(l, &s->watch, EPOLLIN);
    if (r == 0 && o->proxied) {
        r = accept_begin(s);
        if (r < 0) {
            loop_watch_remove(l, &s->watch);
            close(s->listener);
        }
    }
    if (r < 0) {
        MHD_stop_daemon(s->daemon);
        free(s);
        return r;
    }
    loop_hook_add(l, &s->hook, library_run);
    *ret_server = s;
    return 0;
}

void http_server_quiesce(struct http_server *s)
{
    if (s->options.proxied)
        accept_end(s);
    if (s->listener < 0)
        return;
    MHD_socket fd = MHD_quiesce_daemon(s->daemon);
    if (fd != MHD_INVALID_SOCKET)
        close(fd);
    s->listener = -1;
}

void http_server_free(struct http_server *s)
{
    if (!s)
        return;
    if (s->options.proxied)
        accept_end(s);
    /* The library aborts the process when it is stopped with a suspended connection. */
    list_for_each (e, &s->connections) {
        struct http_connection *c = list_entry(e, struct http_connection, link);
        if (c->request)
            http_request_abort(c->request);
    }
    for (int i = 0; i < 8; i++)
        MHD_run(s->daemon);
    loop_hook_remove(&s->hook);
    loop_watch_remove(s->loop, &s->watch);
    MHD_stop_daemon(s->daemon);
    free(s);
}

uint16_t http_server_port(const struct http_server *s)
{
    return s->port;
}

size_t http_server_connections(const struct http_server *s)
{
    return s->connection_count;
}
