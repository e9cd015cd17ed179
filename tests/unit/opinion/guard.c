#include "guard.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static void side_close(struct guard_side *s)
{
    if (!s->open)
        return;
    s->open = false;
    loop_timer_cancel(&s->due);
    loop_watch_remove(s->guard->loop, &s->watch);
    close(s->watch.fd);
    buf_deinit(&s->in);
}

static bool is_whole(struct span in, struct span *ret_body)
{
    size_t head = span_find(in, SPAN_LIT("\r\n\r\n"));
    size_t at = span_find(in, SPAN_LIT("Content-Length: "));
    unsigned long long length = 0;
    if (head == in.len || at > head)
        return false;
    struct span line = span_slice(in, at + 16, in.len);
    span_to_u64(span_slice(line, 0, span_find(line, SPAN_LIT("\r"))), &length);
    *ret_body = span_slice(in, head + 4, in.len);
    return ret_body->len >= length;
}

static void answer(struct guard_side *s)
{
    struct guard *g = s->guard;
    struct span body = SPAN_NULL;
    char text[65536];
    assert_true(is_whole(buf_span(&s->in), &body));
    const char *said = g->judge ? g->judge(body) : g->answer;
    s->answered = true;
    g->answered++;
    if (said) {
        int n = snprintf(text, sizeof(text),
                         "HTTP/1.1 %d X\r\nContent-Type: application/json\r\n"
                         "Content-Length: %zu\r\nConnection: close\r\n\r\n%s",
                         g->status, strlen(said), said);
        assert_int_equal(send(s->watch.fd, text, (size_t)n, MSG_NOSIGNAL), n);
    }
    side_close(s);
}

static void work(struct guard *g, int more)
{
    if (g->busy)
        *g->busy += more;
}

static void due(struct loop_timer *t)
{
    struct guard_side *s = list_entry(t, struct guard_side, due);
    struct guard *g = s->guard;
    work(g, 1);
    answer(s);
    work(g, -1);
}

static void side_turn(struct guard_side *s)
{
    struct guard *g = s->guard;
    for (;;) {
        assert_int_equal(buf_reserve(&s->in, 65536), 0);
        ssize_t n = recv(s->watch.fd, s->in.data + s->in.len, 65536, 0);
        if (n > 0) {
            s->in.len += (size_t)n;
            continue;
        }
        if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
            g->left += s->asked && !s->answered;
            side_close(s);
            return;
        }
        break;
    }
    struct span body;
    if (s->asked || !is_whole(buf_span(&s->in), &body))
        return;
    s->asked = true;
    g->asked++;
    size_t now = g->asked - g->answered - g->left;
    g->most = now > g->most ? now : g->most;
    buf_clear(&g->last);
    assert_int_equal(buf_append(&g->last, buf_span(&s->in)), 0);
    if (g->held)
        return;
    if (g->delay_ms)
        assert_int_equal(loop_timer_set(&s->due, loop_now_ms(g->loop) + g->delay_ms), 0);
    else
        answer(s);
}

static void side_event(struct loop_watch *w, uint32_t events)
{
    struct guard_side *s = list_entry(w, struct guard_side, watch);
    struct guard *g = s->guard;
    work(g, 1);
    side_turn(s);
    work(g, -1);
}

static void accept_side(struct guard *g)
{
    int fd = accept4(g->listener.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return;
    struct guard_side *s = &g->sides[g->count++ % GUARD_SIDES];
    side_close(s);
    *s = (struct guard_side){.guard = g, .in = BUF_INIT(1u << 20), .open = true};
    s->watch = (struct loop_watch){.fd = fd, .fn = side_event};
    loop_timer_init(g->loop, &s->due, due);
    assert_int_equal(loop_watch_add(g->loop, &s->watch, EPOLLIN), 0);
}

static void accepted(struct loop_watch *w, uint32_t events)
{
    struct guard *g = list_entry(w, struct guard, listener);
    work(g, 1);
    accept_side(g);
    work(g, -1);
}

void guard_open(struct guard *g, struct loop *l)
{
    *g = (struct guard){.loop = l, .status = 200, .answer = GUARD_SAFE, .last = BUF_INIT(1u << 20)};
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(a);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, len), 0);
    assert_int_equal(listen(fd, 64), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    g->port = ntohs(a.sin_port);
    g->listener = (struct loop_watch){.fd = fd, .fn = accepted};
    assert_int_equal(loop_watch_add(l, &g->listener, EPOLLIN), 0);
}

void guard_close(struct guard *g)
{
    for (size_t i = 0; i < GUARD_SIDES; i++)
        side_close(&g->sides[i]);
    if (g->listener.fd >= 0) {
        loop_watch_remove(g->loop, &g->listener);
        close(g->listener.fd);
        g->listener.fd = -1;
    }
    buf_deinit(&g->last);
}

void guard_go(struct guard *g)
{
    g->held = false;
    for (size_t i = 0; i < GUARD_SIDES; i++)
        if (g->sides[i].open && g->sides[i].asked)
            answer(&g->sides[i]);
}
