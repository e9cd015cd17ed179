/*
 * Connections that we accept ourselves, because some of them begin with a PROXY header: it is read
 * and taken away before the library sees the first byte of a request.
 *
 * Who may send one is known by the address, never guessed from the bytes: a proxy must, everyone
 * else's connection goes to the library as it is, which answers a PROXY line with 400.
 */
#include "http/connection.h"

#include "base/log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define ACCEPT_TURN     64  /* connections taken in one turn of the loop */
#define ACCEPT_PAUSE_MS 100 /* out of descriptors or places */

struct arrival {
    struct list link;
    struct http_server *server;
    struct loop_watch watch;
    struct loop_timer deadline;
    struct sockaddr_storage peer;
    socklen_t peer_len;
    struct proxyhead head; /* once it was handed over */
};

void accept_name(const struct sockaddr *a, char ret_text[46], uint16_t *ret_port)
{
    ret_text[0] = '\0';
    *ret_port = 0;
    if (a->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)a;
        inet_ntop(AF_INET, &v4->sin_addr, ret_text, 46);
        *ret_port = ntohs(v4->sin_port);
    } else if (a->sa_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)a;
        inet_ntop(AF_INET6, &v6->sin6_addr, ret_text, 46);
        *ret_port = ntohs(v6->sin6_port);
    }
}

/* Takes it out of our hands; the descriptor stays open. */
static void detach(struct arrival *a)
{
    loop_watch_remove(a->server->loop, &a->watch);
    loop_timer_cancel(&a->deadline);
    list_remove(&a->link);
    a->server->arrival_count--;
}

static void drop(struct arrival *a, const char *why)
{
    char name[46];
    uint16_t port;
    detach(a);
    close(a->watch.fd);
    if (why) {
        accept_name((const struct sockaddr *)&a->peer, name, &port);
        log_debug("http: PROXY header from %s: %s", name, why);
        server_refused(a->server, NULL, HTTP_REFUSED_UNSEEN, SPAN_NULL);
    }
    free(a);
}

/* The library closes the descriptor if it can't take it. */
static void hand_over(struct http_server *s, int fd, const struct sockaddr *a, socklen_t len)
{
    if (MHD_add_connection(s->daemon, fd, a, len) != MHD_YES)
        log_debug("http: a connection could not be taken: %s", strerror(errno));
    s->run_again = true; /* what came with it is read in this turn */
}

static void greet(struct arrival *a, size_t head_len)
{
    struct http_server *s = a->server;
    char head[PROXYHEAD_MAX];
    int fd = a->watch.fd;
    /* It was looked at before, so it is there in one piece. */
    if (recv(fd, head, head_len, 0) != (ssize_t)head_len) {
        drop(a, "it could not be read");
        return;
    }
    detach(a);
    bool told = a->head.whose == PROXYHEAD_CLIENT;
    list_append(&s->handed, &a->link);
    hand_over(s, fd, (struct sockaddr *)(told ? &a->head.client : &a->peer),
              told ? a->head.client_len : a->peer_len);
    /* Usually taken by accept_whose() already: what is left was refused by the library. */
    list_for_each_safe (e, next, &s->handed) {
        struct arrival *left = list_entry(e, struct arrival, link);
        list_remove(&left->link);
        free(left);
    }
}

bool accept_whose(struct http_server *s, int fd, enum proxyhead_whose *ret)
{
    list_for_each (e, &s->handed) {
        struct arrival *a = list_entry(e, struct arrival, link);
        if (a->watch.fd == fd) {
            *ret = a->head.whose;
            return true;
        }
    }
    return false;
}

static void arrival_event(struct loop_watch *w, uint32_t events)
{
    struct arrival *a = list_entry(w, struct arrival, watch);
    char bytes[PROXYHEAD_MAX];
    ssize_t n = recv(w->fd, bytes, sizeof(bytes), MSG_PEEK | MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        drop(a, n < 0 ? strerror(errno) : NULL); /* closed without a word: a probe of the port */
        return;
    }
    int r = proxyhead_parse(span_from(bytes, (size_t)n), &a->head);
    if (r > 0)
        greet(a, (size_t)r);
    else if (r < 0)
        drop(a, "it is none, or not a sound one");
    else if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        drop(a, "it is not whole");
}

static void arrival_late(struct loop_timer *t)
{
    drop(list_entry(t, struct arrival, deadline), "it took too long");
}

/* Waits for the header. The descriptor is ours. */
static void await_head(struct http_server *s, int fd, const struct sockaddr_storage *peer,
                       socklen_t len)
{
    struct arrival *a = calloc(1, sizeof(*a));
    if (!a) {
        close(fd);
        return;
    }
    a->server = s;
    a->peer = *peer;
    a->peer_len = len;
    a->watch = (struct loop_watch){.fd = fd, .fn = arrival_event};
    loop_timer_init(s->loop, &a->deadline, arrival_late);
    list_append(&s->arrivals, &a->link);
    s->arrival_count++;
    /* Edges: looking at bytes without taking them would otherwise wake us for ever. */
    if (loop_watch_add(s->loop, &a->watch, EPOLLIN | EPOLLRDHUP | EPOLLET) < 0 ||
        loop_timer_set(&a->deadline, loop_now_ms(s->loop) + s->options.header_ms) < 0)
        drop(a, "no memory");
}

static void pause_accepting(struct http_server *s)
{
    loop_watch_remove(s->loop, &s->accepting);
    loop_timer_set(&s->accept_again, loop_now_ms(s->loop) + ACCEPT_PAUSE_MS);
}

static void accept_some(struct loop_watch *w, uint32_t events)
{
    struct http_server *s = list_entry(w, struct http_server, accepting);
    for (int i = 0; i < ACCEPT_TURN; i++) {
        struct sockaddr_storage peer;
        socklen_t len = sizeof(peer);
        char name[46];
        uint16_t port;
        if (s->connection_count + s->arrival_count >= s->options.connections) {
            pause_accepting(s);
            return;
        }
        int fd = accept4(w->fd, (struct sockaddr *)&peer, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
            continue;
        if (fd < 0) {
            if (errno != EAGAIN)
                pause_accepting(s);
            return;
        }
        accept_name((struct sockaddr *)&peer, name, &port);
        if (s->ops.is_proxy(s->ctx, span_str(name)))
            await_head(s, fd, &peer, len);
        else
            hand_over(s, fd, (struct sockaddr *)&peer, len);
    }
}

static void accept_again(struct loop_timer *t)
{
    struct http_server *s = list_entry(t, struct http_server, accept_again);
    if (s->listener >= 0 && loop_watch_add(s->loop, &s->accepting, EPOLLIN) < 0)
        loop_timer_set(t, loop_now_ms(s->loop) + ACCEPT_PAUSE_MS);
}

int accept_begin(struct http_server *s)
{
    s->accepting = (struct loop_watch){.fd = s->listener, .fn = accept_some};
    loop_timer_init(s->loop, &s->accept_again, accept_again);
    return loop_watch_add(s->loop, &s->accepting, EPOLLIN);
}

void accept_end(struct http_server *s)
{
    loop_timer_cancel(&s->accept_again);
    if (s->listener >= 0) {
        loop_watch_remove(s->loop, &s->accepting);
        close(s->listener);
        s->listener = -1;
    }
    list_for_each_safe (e, next, &s->arrivals)
        drop(list_entry(e, struct arrival, link), NULL);
}
