/* Clients in a closed loop: a connection sends its next request when the last answer is whole. */
#include "proxy.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define TIMES     200001 /* microseconds; the last one is "or more" */
#define LINE_ROOM 512
#define RAMP      1500 /* slow streams begun a second */

enum body { HEAD, LENGTH, SIZE, DATA, DATA_END, TRAILER };

struct client {
    int fd;
    enum body state;
    bool seen, ok;
    size_t left; /* of the body or chunk */
    uint64_t sent;
    size_t line_len; /* of the head's or the event's line */
    char line[LINE_ROOM];
};

static struct client *clients;
static const struct proxy_load *options;
static bool streaming, slow, measuring;
static char request[2048];
static size_t request_len;
static char *user_digits; /* within the request: each connection is another end user */
static uint32_t times[TIMES];
static uint64_t time_count, answers, events, errors, first_seen;
static int ep;

static void note_time(uint64_t ns)
{
    uint64_t us = ns / 1000;
    times[us < TIMES ? us : TIMES - 1]++;
    time_count++;
}

static uint64_t percentile(unsigned percent)
{
    uint64_t want = time_count * percent / 100, seen = 0;
    for (size_t i = 0; i < TIMES; i++)
        if ((seen += times[i]) > want)
            return i;
    return 0;
}

static void ask(struct client *c)
{
    c->state = HEAD;
    c->seen = c->ok = false;
    c->line_len = c->left = 0;
    c->sent = proxy_now();
    size_t user = (size_t)(c - clients);
    for (size_t i = 4; i-- > 0; user /= 10)
        user_digits[i] = (char)('0' + user % 10);
    if (send(c->fd, request, request_len, MSG_NOSIGNAL) != (ssize_t)request_len)
        proxy_die("send");
}

static void join(struct client *c)
{
    c->fd = proxy_connect(options->port);
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
    if (epoll_ctl(ep, EPOLL_CTL_ADD, c->fd, &e) < 0)
        proxy_die("epoll");
    ask(c);
}

static void fault(struct client *c)
{
    errors++;
    close(c->fd);
    if (errors > 1000) {
        errno = 0;
        proxy_die("too many errors");
    }
    join(c);
}

static void whole(struct client *c, uint64_t now)
{
    if (!c->ok)
        errors++;
    if (measuring) {
        answers++;
        if (!streaming)
            note_time(now - c->sent);
    }
    ask(c);
}

/* A line of the body of a stream. */
static void event_line(struct client *c, uint64_t now)
{
    if (c->line_len < 7 || memcmp(c->line, "data: {", 7) != 0)
        return;
    if (!c->seen) {
        c->seen = true;
        first_seen++;
        if (measuring && !slow)
            note_time(now - c->sent);
    }
    if (!measuring)
        return;
    events++;
    if (!slow)
        return;
    c->line[c->line_len < LINE_ROOM ? c->line_len : LINE_ROOM - 1] = '\0';
    const char *created = strstr(c->line, "\"created\":1");
    if (created)
        note_time(now - strtoull(created + 11, NULL, 10));
}

/* Adds to the line; true when it is whole, with *ret_used behind its end. */
static bool take_line(struct client *c, const char *data, size_t len, size_t *ret_used)
{
    const char *end = memchr(data, '\n', len);
    size_t n = end ? (size_t)(end - data) : len;
    size_t room = LINE_ROOM - 1 - c->line_len;
    memcpy(c->line + c->line_len, data, n < room ? n : room);
    c->line_len += n < room ? n : room;
    *ret_used = end ? n + 1 : n;
    return end != NULL;
}

static void head_line(struct client *c)
{
    while (c->line_len && c->line[c->line_len - 1] == '\r')
        c->line_len--;
    c->line[c->line_len] = '\0';
    if (strncmp(c->line, "HTTP/1.1 ", 9) == 0)
        c->ok = strncmp(c->line + 9, "200", 3) == 0;
    else if (strncasecmp(c->line, "content-length:", 15) == 0)
        c->left = (size_t)atoll(c->line + 15);
    else if (c->line_len == 0)
        c->state = c->left ? LENGTH : SIZE;
    c->line_len = 0;
}

/* A chunk's bytes never share the line buffer with the framing around them: events end at chunk
 * ends or go on in the next chunk, so the framing is read by hand. */
static void feed(struct client *c, const char *data, size_t len, uint64_t now)
{
    for (size_t i = 0, used; i < len; i += used) {
        size_t rest = len - i;
        switch (c->state) {
        case HEAD:
            if (take_line(c, data + i, rest, &used))
                head_line(c);
            break;
        case LENGTH:
            used = rest < c->left ? rest : c->left;
            c->left -= used;
            if (c->left == 0) {
                whole(c, now);
                return;
            }
            break;
        case SIZE: {
            char h = data[i];
            used = 1;
            if (h >= '0' && h <= '9')
                c->left = c->left * 16 + (size_t)(h - '0');
            else if ((h | 32) >= 'a' && (h | 32) <= 'f')
                c->left = c->left * 16 + (size_t)((h | 32) - 'a' + 10);
            else if (h == '\n')
                c->state = c->left ? DATA : TRAILER;
            break;
        }
        case DATA:
            if (take_line(c, data + i, rest < c->left ? rest : c->left, &used)) {
                event_line(c, now);
                c->line_len = 0;
            }
            c->left -= used;
            if (c->left == 0)
                c->state = DATA_END;
            break;
        case DATA_END:
            used = 1;
            if (data[i] == '\n')
                c->state = SIZE;
            break;
        case TRAILER:
            used = 1;
            if (data[i] == '\n') {
                whole(c, now);
                return;
            }
            break;
        default:
            return;
        }
    }
}

/* --- what is read of the measured processes --- */

static double cpu_seconds(void)
{
    double sum = 0;
    for (unsigned i = 0; i < options->pid_count; i++) {
        char path[64], text[1024];
        snprintf(path, sizeof(path), "/proc/%u/stat", options->pids[i]);
        FILE *f = fopen(path, "r");
        unsigned long long user, sys;
        if (!f || !fgets(text, sizeof(text), f) || !strrchr(text, ')') ||
            sscanf(strrchr(text, ')') + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu",
                   &user, &sys) != 2)
            proxy_die(path);
        fclose(f);
        sum += (double)(user + sys) / (double)sysconf(_SC_CLK_TCK);
    }
    return sum;
}

static double pss_kb(void)
{
    double sum = 0;
    for (unsigned i = 0; i < options->pid_count; i++) {
        char path[64], text[256];
        snprintf(path, sizeof(path), "/proc/%u/smaps_rollup", options->pids[i]);
        FILE *f = fopen(path, "r");
        double kb;
        while (f && fgets(text, sizeof(text), f))
            if (sscanf(text, "Pss: %lf", &kb) == 1)
                sum += kb;
        if (f)
            fclose(f);
    }
    return sum;
}

/* What a trusted front says of the person behind a request. */
#define TRACE                                                                                      \
    "X-Juyong-End-User: user-20261126-0042\r\nX-Juyong-Client-IP: 203.0.113.9\r\n"                 \
    "X-Juyong-Client-Port: 4711\r\nX-Juyong-Device: phone-7\r\nX-Juyong-Session: s-0815\r\n"

static void compose_request(unsigned tokens, unsigned delay_ms, bool traced)
{
    const char *key = getenv("BENCH_KEY");
    char body[768];
    int n = snprintf(
        body, sizeof(body),
        "{\"model\":\"bench\",\"messages\":[{\"role\":\"system\",\"content\":\"You are a helpful "
        "assistant. 你是一个乐于助人的助手。\"},{\"role\":\"user\",\"content\":\"周末想带孩子去公园"
        "，请推荐三个适合散步和看书的地方，并说说怎么去。\"}],\"stream\":%s,\"max_tokens\":%u,"
        "\"seed\":%u,\"temperature\":0.7,\"user\":\"user-0000\"}",
        streaming ? "true" : "false", tokens, delay_ms);
    request_len =
        (size_t)snprintf(request, sizeof(request),
                         "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                         "Authorization: Bearer %s\r\nAccept: */*\r\n"
                         "%sContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
                         key ? key : "sk-bench", traced ? TRACE : "", n, body);
    user_digits = strstr(request, "user-0000") + 5;
}

static void wait_and_read(int timeout_ms)
{
    static char room[65536];
    struct epoll_event got[256];
    int n = epoll_wait(ep, got, 256, timeout_ms);
    for (int i = 0; i < n; i++) {
        struct client *c = got[i].data.ptr;
        ssize_t len = recv(c->fd, room, sizeof(room), 0);
        if (len > 0)
            feed(c, room, (size_t)len, proxy_now());
        else if (len == 0 || errno != EAGAIN)
            fault(c);
    }
}

static void run_until(uint64_t end)
{
    for (uint64_t now; (now = proxy_now()) < end;)
        wait_and_read((int)((end - now) / 1000000) + 1);
}

/* Begins every slow stream and waits until each has shown an event. */
static void ramp(void)
{
    uint64_t begin = proxy_now();
    unsigned joined = 0;
    while (first_seen < options->connections) {
        uint64_t now = proxy_now();
        if (now - begin > 60000000000u) {
            errno = ETIMEDOUT;
            proxy_die("streams do not begin");
        }
        while (joined < options->connections && joined < (now - begin) / 1000 * RAMP / 1000000 + 1)
            join(&clients[joined++]);
        wait_and_read(1);
    }
}

int proxy_load_run(const struct proxy_load *o)
{
    options = o;
    slow = strcmp(o->mode, "slow") == 0;
    bool first = strcmp(o->mode, "first") == 0;
    streaming = slow || first || strcmp(o->mode, "full") == 0;
    compose_request(slow    ? 100000
                    : first ? 2
                            : 200,
                    slow ? 500 : 0, strcmp(o->mode, "traced") == 0);
    clients = calloc(o->connections, sizeof(*clients));
    ep = epoll_create1(EPOLL_CLOEXEC);
    if (!clients || ep < 0)
        proxy_die("setup");
    double idle = pss_kb();
    if (slow) {
        ramp();
    } else {
        for (unsigned i = 0; i < o->connections; i++)
            join(&clients[i]);
    }
    run_until(proxy_now() + (slow ? 2000000000u : 300000000u));
    double cpu = cpu_seconds();
    uint64_t begin = proxy_now();
    measuring = true;
    run_until(begin + (uint64_t)o->seconds_tenths * 100000000u);
    measuring = false;
    double seconds = (double)(proxy_now() - begin) / 1e9;
    cpu = cpu_seconds() - cpu;
    double pss = pss_kb();
    uint64_t units = streaming && !first ? events : answers;
    printf("rate=%.0f cpu_us=%.2f busy=%.0f p50=%llu p99=%llu errors=%llu", (double)units / seconds,
           units ? cpu * 1e6 / (double)units : 0.0, cpu * 100 / seconds,
           (unsigned long long)percentile(50), (unsigned long long)percentile(99),
           (unsigned long long)errors);
    if (slow)
        printf(" pss_mb=%.1f kb_stream=%.1f", pss / 1024, (pss - idle) / o->connections);
    putchar('\n');
    return 0;
}
