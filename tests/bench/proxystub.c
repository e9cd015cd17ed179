/*
 * A stand-in for a model's API, cheap enough not to be what is measured. The request's own numbers
 * say what is wanted: "max_tokens" events, "seed" milliseconds between two of them. Each event goes
 * out in a write of its own, as model servers do it.
 */
#include "proxy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define SLOT_NS 100000u /* the wheel of slow streams: a slot is 0.1 ms */
#define SLOTS   8192u
#define IN_MAX  8192

struct peer {
    struct peer *prev, *next; /* on the wheel, or among those that send at full speed */
    int fd;
    bool listed, blocked;
    unsigned left, delay_ms;
    size_t in_len;
    char *in;
    char out[640]; /* what the socket did not take */
    size_t out_len;
};

static struct peer wheel[SLOTS], fast;
static uint64_t turned; /* slots up to here have been looked at */
static size_t waiting;
static unsigned started;
static int ep;
static char answer[1024];
static size_t answer_len;

static void unlist(struct peer *p)
{
    if (!p->listed)
        return;
    p->prev->next = p->next;
    p->next->prev = p->prev;
    p->listed = false;
    waiting--;
}

static void list_behind(struct peer *at, struct peer *p)
{
    unlist(p);
    p->prev = at->prev;
    p->next = at;
    at->prev->next = p;
    at->prev = p;
    p->listed = true;
    waiting++;
}

static void drop(struct peer *p)
{
    unlist(p);
    close(p->fd);
    free(p->in);
    free(p);
}

/* False when the peer is gone. */
static bool put(struct peer *p, const char *data, size_t len)
{
    ssize_t n = p->out_len ? 0 : send(p->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN)
        return false;
    size_t done = n > 0 ? (size_t)n : 0;
    if (done < len) {
        if (len - done > sizeof(p->out) - p->out_len)
            return false;
        memcpy(p->out + p->out_len, data + done, len - done);
        p->out_len += len - done;
        struct epoll_event e = {.events = EPOLLIN | EPOLLOUT, .data.ptr = p};
        epoll_ctl(ep, EPOLL_CTL_MOD, p->fd, &e);
        p->blocked = true;
        unlist(p);
    }
    return true;
}

/* --- events: made once, only the time is written anew --- */

#define TEXTS 8
static char events[2][TEXTS][PROXY_EVENT + 16];
static size_t event_len, stamp_at;

static void compose_events(void)
{
    static const char *const texts[TEXTS] = {"今天天气", "我们一起", "看书喝茶", "慢慢走路",
                                             "在公园里", "吃了苹果", "写完作业", "回到家中"};
    const char *fill = "fp_8f3b2c7d5e1a4096b8c7d6e5f4a3b2c1d0e9f8a7b6c5d4e3f2a1b0c9d8e7f6a5b4c3";
    for (int i = 0; i < 2 * TEXTS; i++) {
        char body[512];
        int n = 0;
        for (int width = 1; n < PROXY_EVENT; width += PROXY_EVENT - n)
            n = snprintf(
                body, sizeof(body),
                "data: {\"id\":\"9f4c2d71-6b0e-4b7b\",\"object\":\"chat.completion.chunk\","
                "\"created\":1000000000000000000,\"model\":\"bench\",\"system_fingerprint\":"
                "\"%.*s\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"%s\"},"
                "\"finish_reason\":%s}]}\n\n",
                width, fill, texts[i % TEXTS], i < TEXTS ? "null" : "\"stop\"");
        char *to = events[i / TEXTS][i % TEXTS];
        event_len = (size_t)sprintf(to, "%x\r\n%.*s\r\n", PROXY_EVENT, PROXY_EVENT, body);
        stamp_at = (size_t)(strstr(to, "\"created\":1") + 11 - to);
    }
}

/* One HTTP chunk. */
static size_t event(char *to, bool last)
{
    static unsigned turn;
    memcpy(to, events[last][turn++ % TEXTS], event_len);
    uint64_t now = proxy_now();
    for (char *digit = to + stamp_at + 17; digit >= to + stamp_at; digit--, now /= 10)
        *digit = (char)('0' + now % 10);
    return event_len;
}

static bool send_event(struct peer *p, bool first)
{
    char text[640];
    size_t len = 0;
    if (first)
        len = (size_t)snprintf(text, sizeof(text),
                               "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                               "Transfer-Encoding: chunked\r\n\r\n");
    bool last = p->left <= 1;
    len += event(text + len, last);
    if (last)
        len +=
            (size_t)snprintf(text + len, sizeof(text) - len, "e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n");
    if (p->left)
        p->left--;
    if (last)
        unlist(p);
    return put(p, text, len);
}

static void schedule(struct peer *p, uint64_t delay_ns)
{
    uint64_t slot = (proxy_now() + delay_ns) / SLOT_NS;
    list_behind(&wheel[slot % SLOTS], p);
}

static unsigned number(const char *body, const char *key)
{
    const char *at = strstr(body, key);
    return at ? (unsigned)atoi(at + strlen(key)) : 0;
}

/* Answers the request in p->in if it is whole. False when the peer is gone. */
static bool serve(struct peer *p)
{
    p->in[p->in_len] = '\0';
    char *body = strstr(p->in, "\r\n\r\n");
    if (!body)
        return p->in_len < IN_MAX;
    body += 4;
    char *length = strcasestr(p->in, "\r\ncontent-length:");
    size_t want = length && length < body ? (size_t)atoi(length + 17) : 0;
    if ((size_t)(p->in + p->in_len - body) < want)
        return p->in_len < IN_MAX;
    bool stream = strstr(body, "\"stream\":true") != NULL;
    p->left = number(body, "\"max_tokens\":");
    p->delay_ms = number(body, "\"seed\":");
    free(p->in); /* few bytes for a stream that only waits */
    p->in = NULL;
    p->in_len = 0;
    if (!stream)
        return put(p, answer, answer_len);
    if (!send_event(p, true))
        return false;
    if (p->left == 0)
        return true;
    if (p->delay_ms) /* phases spread evenly, whatever the arrivals were */
        schedule(p, (uint64_t)(++started * 7919u % (p->delay_ms * 10)) * SLOT_NS);
    else if (!p->blocked)
        list_behind(&fast, p);
    return true;
}

static bool readable(struct peer *p)
{
    if (!p->in && !(p->in = malloc(IN_MAX + 1)))
        return false;
    ssize_t n = recv(p->fd, p->in + p->in_len, IN_MAX - p->in_len, MSG_DONTWAIT);
    if (n == 0 || (n < 0 && errno != EAGAIN))
        return false;
    p->in_len += n > 0 ? (size_t)n : 0;
    return n < 0 || serve(p);
}

static bool writable(struct peer *p)
{
    ssize_t n = send(p->fd, p->out, p->out_len, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0)
        return errno == EAGAIN;
    memmove(p->out, p->out + n, p->out_len - (size_t)n);
    p->out_len -= (size_t)n;
    if (p->out_len)
        return true;
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = p};
    epoll_ctl(ep, EPOLL_CTL_MOD, p->fd, &e);
    p->blocked = false;
    if (p->left && p->delay_ms)
        schedule(p, (uint64_t)p->delay_ms * 1000000u);
    else if (p->left)
        list_behind(&fast, p);
    return true;
}

static void turn_wheel(void)
{
    uint64_t slot = proxy_now() / SLOT_NS;
    if (slot > turned + SLOTS)
        turned = slot - SLOTS;
    for (; turned <= slot; turned++) {
        struct peer *head = &wheel[turned % SLOTS];
        struct peer *p = head->next, *end = head->prev;
        while (p != head) { /* those that come back to this very slot are behind `end` */
            struct peer *next = p->next;
            bool stop = p == end, alive = send_event(p, false);
            if (!alive)
                drop(p);
            else if (p->left && !p->blocked)
                schedule(p, (uint64_t)p->delay_ms * 1000000u);
            if (stop)
                break;
            p = next;
        }
    }
}

static void send_fast(void)
{
    for (struct peer *p = fast.next, *next; p != &fast; p = next) {
        next = p->next;
        if (!send_event(p, false))
            drop(p);
    }
}

static void accept_all(int listener)
{
    for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
        int on = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        struct peer *p = calloc(1, sizeof(*p));
        if (!p)
            proxy_die("memory");
        p->fd = fd;
        struct epoll_event e = {.events = EPOLLIN, .data.ptr = p};
        if (epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e) < 0)
            proxy_die("epoll");
    }
}

static int listen_somewhere(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(a);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, len) < 0 || listen(fd, 4096) < 0 ||
        getsockname(fd, (struct sockaddr *)&a, &len) < 0)
        proxy_die("listen");
    printf("%u\n", ntohs(a.sin_port));
    fflush(stdout);
    return fd;
}

static void compose_answer(void)
{
    char body[PROXY_ANSWER + 1];
    int n = snprintf(body, sizeof(body),
                     "{\"id\":\"9f4c2d71-6b0e-4b7b\",\"object\":\"chat.completion\","
                     "\"created\":1700000000,\"model\":\"bench\",\"choices\":[{\"index\":0,"
                     "\"message\":{\"role\":\"assistant\",\"content\":\"");
    const char tail[] = "\"},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":48,"
                        "\"completion_tokens\":110,\"total_tokens\":158}}";
    const char *sentence = "今天天气很好，我们一起去公园里散步，看书，喝茶。";
    while ((size_t)n + strlen(sentence) + sizeof(tail) - 1 <= PROXY_ANSWER)
        n += sprintf(body + n, "%s", sentence);
    while ((size_t)n + sizeof(tail) - 1 < PROXY_ANSWER)
        body[n++] = ' ';
    memcpy(body + n, tail, sizeof(tail));
    answer_len = (size_t)snprintf(answer, sizeof(answer),
                                  "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                                  "Content-Length: %d\r\n\r\n%s",
                                  PROXY_ANSWER, body);
}

int proxy_stub(unsigned seconds)
{
    compose_answer();
    compose_events();
    for (unsigned i = 0; i < SLOTS; i++)
        wheel[i].prev = wheel[i].next = &wheel[i];
    fast.prev = fast.next = &fast;
    ep = epoll_create1(EPOLL_CLOEXEC);
    int listener = listen_somewhere();
    struct epoll_event e = {.events = EPOLLIN}, got[256];
    if (ep < 0 || epoll_ctl(ep, EPOLL_CTL_ADD, listener, &e) < 0)
        proxy_die("epoll");
    uint64_t end = proxy_now() + (uint64_t)seconds * 1000000000u;
    turned = proxy_now() / SLOT_NS;
    while (proxy_now() < end) {
        struct timespec wait = {.tv_nsec = fast.next != &fast ? 0
                                           : waiting          ? (long)SLOT_NS
                                                              : 500000000};
        int n = epoll_pwait2(ep, got, 256, &wait, NULL);
        for (int i = 0; i < n; i++) {
            struct peer *p = got[i].data.ptr;
            if (!p)
                accept_all(listener);
            else if ((got[i].events & EPOLLOUT && !writable(p)) ||
                     (got[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR) && !readable(p)))
                drop(p);
        }
        turn_wheel();
        send_fast();
    }
    return 0;
}
