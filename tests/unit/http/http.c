/* Server and client against each other within one loop. */
#include "../unit.h"

#include "http/client.h"
#include "http/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct fixture {
    struct loop *loop;
    struct http_server *server;
    struct http_client *client;
    struct http_request *request;
    struct http_fetch *fetch;
    struct loop_task server_task, client_task;
    struct loop_timer tick, limit;
    unsigned server_events, client_events;
    unsigned chunks_left;
    bool stream, gone, tell_peer;
    bool is_proxy; /* what the server is told of every address */
    char asked[46];
    struct buf seen;
    int status;
};

static size_t admit(void *ctx, struct http_request *r)
{
    struct fixture *f = ctx;
    f->request = r;
    return 1000;
}

static void server_event(void *ctx, struct http_request *r, unsigned events)
{
    struct fixture *f = ctx;
    f->server_events |= events;
    loop_task_post(f->loop, &f->server_task);
}

static void tick(struct loop_timer *t)
{
    struct fixture *f = list_entry(t, struct fixture, tick);
    if (f->chunks_left == 0) {
        http_stream_end(f->request);
        return;
    }
    char text[32];
    int n = snprintf(text, sizeof(text), "[%u]", f->chunks_left--);
    assert_int_equal(http_stream_write(f->request, span_from(text, (size_t)n)), 0);
    loop_timer_set(&f->tick, loop_now_ms(f->loop) + 1);
}

static void serve(struct loop_task *t)
{
    struct fixture *f = list_entry(t, struct fixture, server_task);
    unsigned events = f->server_events;
    f->server_events = 0;
    if (events & HTTP_BODY) {
        if (f->stream) {
            assert_int_equal(http_stream_start(f->request, 200, NULL, 0), 0);
            loop_timer_set(&f->tick, loop_now_ms(f->loop) + 1);
        } else if (f->tell_peer) {
            char text[128];
            uint16_t port;
            struct span peer = http_request_peer(f->request, &port);
            int n = snprintf(text, sizeof(text), "<%.*s|%u|%.*s>", SPAN_ARG(peer), port,
                             SPAN_ARG(http_request_body(f->request)));
            assert_int_equal(
                http_request_reply(f->request, 200, NULL, 0, span_from(text, (size_t)n), false), 0);
        } else {
            struct http_header h = {SPAN_LIT("X-Test"), SPAN_LIT("yes")};
            assert_int_equal(
                http_request_reply(f->request, 201, &h, 1, http_request_body(f->request), false),
                0);
        }
    }
    if (events & HTTP_GONE) {
        f->gone = true;
        http_request_abort(f->request);
    }
    if (events & HTTP_DONE) {
        http_request_release(f->request);
        f->request = NULL;
        if (f->gone)
            loop_stop(f->loop);
    }
}

static void client_event(void *ctx, unsigned events)
{
    struct fixture *f = ctx;
    f->client_events |= events;
    loop_task_post(f->loop, &f->client_task);
}

static void receive(struct loop_task *t)
{
    struct fixture *f = list_entry(t, struct fixture, client_task);
    struct span data = http_fetch_data(f->fetch);
    assert_int_equal(buf_append(&f->seen, data), 0);
    http_fetch_consume(f->fetch, data.len);
    if (f->client_events & HTTP_FETCH_END) {
        f->status = http_fetch_status(f->fetch);
        assert_int_equal(http_fetch_result(f->fetch), HTTP_FETCH_OK);
        http_fetch_free(f->fetch);
        f->fetch = NULL;
        loop_stop(f->loop);
    }
}

static void too_long(struct loop_timer *t)
{
    fail_msg("the exchange does not end");
}

static bool is_proxy(void *ctx, struct span address)
{
    struct fixture *f = ctx;
    snprintf(f->asked, sizeof(f->asked), "%.*s", SPAN_ARG(address));
    return f->is_proxy;
}

static int make(void **state, bool proxied, unsigned deadline_ms, unsigned connections)
{
    struct fixture *f = calloc(1, sizeof(*f));
    static const struct http_server_ops ops = {admit, server_event, NULL, is_proxy};
    struct http_server_options o = {.proxied = proxied,
                                    .host = SPAN_LIT("127.0.0.1"),
                                    .connections = connections,
                                    .yielding = connections < 100,
                                    .header_ms = deadline_ms,
                                    .body_ms = deadline_ms,
                                    .idle_ms = proxied ? 60000 : 1000,
                                    .write_ms = 1000};
    f->loop = loop_new();
    f->seen.max = 100000;
    loop_task_init(&f->server_task, serve);
    loop_task_init(&f->client_task, receive);
    loop_timer_init(f->loop, &f->tick, tick);
    loop_timer_init(f->loop, &f->limit, too_long);
    loop_timer_set(&f->limit, loop_now_ms(f->loop) + 30000);
    assert_int_equal(http_server_new(f->loop, &o, &ops, f, &f->server), 0);
    assert_int_equal(http_client_new(f->loop, 10, &f->client), 0);
    *state = f;
    return 0;
}

static int setup(void **state)
{
    return make(state, false, 300, 100);
}

static int make_proxied(void **state, unsigned deadline_ms)
{
    int r = make(state, true, deadline_ms, 100);
    struct fixture *f = *state;
    f->is_proxy = f->tell_peer = true;
    return r;
}

/* No deadline may pass while a busy machine sends byte by byte. */
static int setup_proxied(void **state)
{
    return make_proxied(state, 60000);
}

static int setup_narrow(void **state)
{
    return make(state, false, 60000, 4);
}

static int setup_proxied_hasty(void **state)
{
    return make_proxied(state, 300);
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    loop_timer_cancel(&f->tick);
    loop_timer_cancel(&f->limit);
    http_client_free(f->client);
    http_server_free(f->server);
    loop_task_cancel(&f->server_task);
    buf_deinit(&f->seen);
    loop_free(f->loop);
    free(f);
    return 0;
}

static void ask(struct fixture *f, struct span body)
{
    char url[64];
    int n = snprintf(url, sizeof(url), "http://127.0.0.1:%u/x", http_server_port(f->server));
    struct http_fetch_options o = {.method = SPAN_LIT("POST"),
                                   .url = span_from(url, (size_t)n),
                                   .body = body,
                                   .connect_ms = 1000,
                                   .buffer_max = 64,
                                   .event = client_event,
                                   .ctx = f};
    assert_int_equal(http_fetch_start(f->client, &o, &f->fetch), 0);
    assert_int_equal(loop_run(f->loop), 0);
}

static void whole_answers_come_whole(void **state)
{
    struct fixture *f = *state;
    ask(f, SPAN_LIT("hello"));
    assert_int_equal(f->status, 201);
    assert_span(buf_span(&f->seen), SPAN_LIT("hello"));
}

static void a_body_past_its_ceiling_is_refused(void **state)
{
    struct fixture *f = *state;
    static char big[2000];
    memset(big, 'x', sizeof(big));
    ask(f, span_from(big, sizeof(big)));
    assert_int_equal(f->status, 413);
}

static void streams_are_written_chunk_by_chunk(void **state)
{
    struct fixture *f = *state;
    f->stream = true;
    f->chunks_left = 50;
    ask(f, SPAN_LIT("hello"));
    assert_int_equal(f->status, 200);
    struct buf want = BUF_INIT(10000);
    for (unsigned i = 50; i; i--)
        assert_int_equal(buf_printf(&want, "[%u]", i), 0);
    assert_span(buf_span(&f->seen), buf_span(&want));
    buf_deinit(&want);
    /* The connection is sound after a stream: the next request uses it. */
    assert_int_equal(http_server_connections(f->server), 1);
    f->stream = false;
    buf_clear(&f->seen);
    f->client_events = 0;
    ask(f, SPAN_LIT("again"));
    assert_span(buf_span(&f->seen), SPAN_LIT("again"));
    assert_int_equal(http_server_connections(f->server), 1);
}

static int raw_send(struct fixture *f, struct span text)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons(http_server_port(f->server)),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    assert_int_equal(send(fd, text.data, text.len, 0), (ssize_t)text.len);
    return fd;
}

static int raw_connect(struct fixture *f, const char *text)
{
    return raw_send(f, span_str(text));
}

static int hang_up_fd;
static void hang_up(struct loop_timer *t)
{
    close(hang_up_fd);
}

static void a_client_that_leaves_a_stream_is_noticed(void **state)
{
    struct fixture *f = *state;
    f->stream = true;
    f->chunks_left = 100000;
    hang_up_fd = raw_connect(f, "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi");
    struct loop_timer t;
    loop_timer_init(f->loop, &t, hang_up);
    loop_timer_set(&t, loop_now_ms(f->loop) + 50);
    assert_int_equal(loop_run(f->loop), 0);
    assert_true(f->gone);
    assert_null(f->request);
    loop_timer_cancel(&f->tick);
}

static void stop_loop(struct loop_timer *t)
{
    loop_stop(t->loop);
}

/* Sends text on a fresh connection, runs the loop for ms, gives back what the server answered. */
static void converse(struct fixture *f, const char *text, unsigned ms, char *ret, size_t size,
                     bool *ret_closed)
{
    int fd = raw_connect(f, text);
    struct loop_timer t;
    loop_timer_init(f->loop, &t, stop_loop);
    loop_timer_set(&t, loop_now_ms(f->loop) + ms);
    assert_int_equal(loop_run(f->loop), 0);
    ssize_t n, got = 0;
    *ret_closed = false;
    while ((n = recv(fd, ret + got, size - 1 - (size_t)got, MSG_DONTWAIT)) > 0)
        got += n;
    *ret_closed = n == 0;
    ret[got] = '\0';
    close(fd);
}

static void doubtful_framing_is_refused_and_closed(void **state)
{
    static const char *const bad[] = {
        "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: "
        "chunked\r\n\r\n0\r\n\r\n",
        "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nhi",
        "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nhi!",
        "POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        "POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        "POST /x HTTP/1.1\r\nHost: x\r\nX Y: z\r\nContent-Length: 2\r\n\r\nhi",
        "POST /x HTTP/1.1\r\nHost: x\r\nA: b\rC: d\r\nContent-Length: 2\r\n\r\nhi",
        "POST /x HTTP/1.1\r\nHost: x\r\nHost: y\r\nContent-Length: 2\r\n\r\nhi",
        "POST /x HTTP/1.1\nHost: x\nContent-Length: 2\n\nhi",
        "POST /x HTTP/1.1\r\nHost: x\r\nAuthoriza: Bearer evil\r\n tion\r\nContent-Length: "
        "2\r\n\r\nhi",
        "POST /x HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        char answer[4096];
        bool closed;
        converse(f, bad[i], 30, answer, sizeof(answer), &closed);
        if (strncmp(answer, "HTTP/1.", 7) || !strstr(answer, " 400 ") || !closed || f->request)
            fail_msg("case %zu: %s", i, answer);
    }
}

static void slow_heads_and_bodies_meet_their_deadline(void **state)
{
    struct fixture *f = *state;
    char answer[4096];
    bool closed;
    converse(f, "POST /x HTTP/1.1\r\nHost: x\r\n", 600, answer, sizeof(answer), &closed);
    assert_true(closed);
    converse(f, "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhi", 600, answer,
             sizeof(answer), &closed);
    assert_true(closed);
}

/* --- connections that begin with a PROXY header --- */

#define REQUEST "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi"
#define V2      "\r\n\r\n\0\r\nQUIT\n"

/* Sends `text` in pieces of `step` bytes, one a turn of a millisecond. */
struct drip {
    struct loop_timer timer;
    struct span left;
    size_t step;
    int fd;
};

static void drip(struct loop_timer *t)
{
    struct drip *d = list_entry(t, struct drip, timer);
    size_t n = d->left.len < d->step ? d->left.len : d->step;
    if (n == 0 || send(d->fd, d->left.data, n, MSG_NOSIGNAL) != (ssize_t)n)
        return; /* all is sent, or the server has closed */
    d->left = span_slice(d->left, n, d->left.len);
    loop_timer_set(t, loop_now_ms(t->loop) + 1);
}

/* What came back, until the answer is whole or the server has closed. */
struct heard {
    struct loop *loop;
    struct loop_watch watch;
    char *text;
    size_t len;
    bool closed;
};

static void hear(struct loop_watch *w, uint32_t events)
{
    struct heard *h = list_entry(w, struct heard, watch);
    ssize_t n = recv(w->fd, h->text + h->len, 4095 - h->len, MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN)
        return;
    h->len += n > 0 ? (size_t)n : 0;
    h->text[h->len] = '\0';
    h->closed = n <= 0;
    if (h->closed || strstr(h->text, "|hi>"))
        loop_stop(h->loop);
}

/*
 * What the server answers to a connection of its own, all of it or up to where it closes. The
 * fixture's limit ends the wait for what never comes.
 */
static void speak(struct fixture *f, struct span text, size_t step, char ret[4096],
                  bool *ret_closed)
{
    struct drip d = {.left = text, .step = step, .fd = raw_send(f, SPAN_NULL)};
    struct heard h = {.loop = f->loop, .watch = {.fd = d.fd, .fn = hear}, .text = ret};
    int on = 1;
    setsockopt(d.fd, IPPROTO_TCP, 1 /* TCP_NODELAY */, &on, sizeof(on));
    ret[0] = '\0';
    loop_timer_init(f->loop, &d.timer, drip);
    loop_timer_set(&d.timer, loop_now_ms(f->loop));
    assert_int_equal(loop_watch_add(f->loop, &h.watch, EPOLLIN), 0);
    assert_int_equal(loop_run(f->loop), 0);
    loop_watch_remove(f->loop, &h.watch);
    loop_timer_cancel(&d.timer);
    *ret_closed = h.closed;
    close(d.fd);
}

static void a_proxy_names_its_client(void **state)
{
    static const struct {
        struct span head;
        const char *peer;
    } cases[] = {
        {SPAN_LIT("PROXY TCP4 192.0.2.7 198.51.100.1 4711 80\r\n"), "<192.0.2.7|4711|hi>"},
        {SPAN_LIT("PROXY TCP6 2001:db8::7 2001:db8::1 65535 80\r\n"), "<2001:db8::7|65535|hi>"},
        {SPAN_LIT("PROXY UNKNOWN\r\n"), "<|0|hi>"},
        {SPAN_LIT("PROXY UNKNOWN ffff:: 1 2 3\r\n"), "<|0|hi>"},
        {SPAN_LIT(V2 "\x21\x11\0\x0c\xc0\0\2\7\xc6\x33\x64\1\x12\x67\0\x50"),
         "<192.0.2.7|4711|hi>"},
        {SPAN_LIT(V2 "\x21\0\0\0"), "<|0|hi>"},
    };
    struct fixture *f = *state;
    char answer[4096];
    bool closed;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        for (size_t step = 1; step < 200; step += 61) {
            struct buf b = BUF_INIT(4096);
            assert_int_equal(buf_append(&b, cases[i].head), 0);
            assert_int_equal(buf_append(&b, SPAN_LIT(REQUEST)), 0);
            speak(f, buf_span(&b), step, answer, &closed);
            if (!strstr(answer, cases[i].peer) || closed)
                fail_msg("case %zu in steps of %zu: %s", i, step, answer);
            buf_deinit(&b);
        }
    assert_string_equal(f->asked, "127.0.0.1");
}

static void the_proxys_own_connection_is_its_own(void **state)
{
    struct fixture *f = *state;
    char answer[4096];
    bool closed;
    speak(f, SPAN_LIT(V2 "\x20\0\0\0" REQUEST), 1000, answer, &closed);
    assert_non_null(strstr(answer, "<127.0.0.1|"));
    assert_null(strstr(answer, "|0|"));
}

static void what_no_proxy_sends_is_closed_without_a_word(void **state)
{
    static const struct span bad[] = {
        SPAN_LIT(REQUEST),
        SPAN_LIT("PROXY TCP4 192.0.2.7 198.51.100.1 4711 80\n" REQUEST),
        SPAN_LIT("PROXY TCP4 192.0.2.7 198.51.100.1 04711 80\r\n" REQUEST),
        SPAN_LIT("PROXY TCP4 2001:db8::7 198.51.100.1 4711 80\r\n" REQUEST),
        SPAN_LIT(V2 "\x31\x11\0\0" REQUEST),
        SPAN_LIT(V2 "\x21\x11\0\4aaaa" REQUEST),
        SPAN_LIT(V2 "\x21\x11\xff\xff" REQUEST),
    };
    struct fixture *f = *state;
    char answer[4096];
    bool closed;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        speak(f, bad[i], 1000, answer, &closed);
        if (answer[0] || !closed)
            fail_msg("case %zu: %s", i, answer);
    }
}

static void half_a_header_meets_its_deadline(void **state)
{
    struct fixture *f = *state;
    char answer[4096];
    bool closed;
    speak(f, SPAN_LIT("PROXY TCP4 192.0.2.7 "), 1000, answer, &closed);
    assert_true(closed && !answer[0]);
    while (http_server_connections(f->server)) { /* up to the fixture's limit */
        struct loop_timer t;
        loop_timer_init(f->loop, &t, stop_loop);
        loop_timer_set(&t, loop_now_ms(f->loop) + 5);
        assert_int_equal(loop_run(f->loop), 0);
    }
}

static void a_second_header_is_no_request(void **state)
{
    struct fixture *f = *state;
    char answer[4096];
    bool closed;
    speak(f,
          SPAN_LIT("PROXY TCP4 192.0.2.7 198.51.100.1 1 2\r\n"
                   "PROXY TCP4 192.0.2.8 198.51.100.1 1 2\r\n" REQUEST),
          1000, answer, &closed);
    assert_null(strstr(answer, "hi>"));
    assert_true(closed);
}

static void nobody_else_may_send_a_header(void **state)
{
    struct fixture *f = *state;
    char answer[4096];
    bool closed;
    f->is_proxy = false;
    speak(f, SPAN_LIT("PROXY TCP4 192.0.2.7 198.51.100.1 1 2\r\n" REQUEST), 1000, answer, &closed);
    assert_null(strstr(answer, "hi>"));
    assert_true(closed);
    speak(f, SPAN_LIT(REQUEST), 1000, answer, &closed);
    assert_non_null(strstr(answer, "<127.0.0.1|"));
}

static void a_server_that_drains_takes_no_more(void **state)
{
    struct fixture *f = *state;
    char answer[4096];
    bool closed;
    int fd = raw_connect(f, "PROXY TCP4 ");
    struct loop_timer t;
    loop_timer_init(f->loop, &t, stop_loop);
    loop_timer_set(&t, loop_now_ms(f->loop) + 20);
    assert_int_equal(loop_run(f->loop), 0);
    http_server_quiesce(f->server);
    assert_true(recv(fd, answer, sizeof(answer), 0) <= 0);
    close(fd);
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons(http_server_port(f->server)),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    fd = socket(AF_INET, SOCK_STREAM, 0);
    closed = connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0;
    assert_true(closed);
    close(fd);
}

static int connect_to(struct fixture *f, struct span say)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons(http_server_port(f->server)),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    assert_int_equal(send(fd, say.data, say.len, MSG_NOSIGNAL), say.len);
    return fd;
}

/* Their deadline is a minute away: the oldest makes room for who has something to ask. */
static void idle_connections_keep_nobody_out(void **state)
{
    struct fixture *f = *state;
    static const struct span says[] = {SPAN_LIT(""), SPAN_LIT("POST /x HTTP/1.1\r\nHo")};
    int fds[9];
    char byte;
    for (int i = 0; i < 9; i++)
        fds[i] = connect_to(f, says[i % 2]);
    ask(f, SPAN_LIT("hello"));
    assert_int_equal(f->status, 201);
    assert_span(buf_span(&f->seen), SPAN_LIT("hello"));
    assert_true(recv(fds[0], &byte, 1, MSG_DONTWAIT) <= 0 && errno != EAGAIN);
    errno = 0;
    assert_true(recv(fds[8], &byte, 1, MSG_DONTWAIT) < 0);
    assert_int_equal(errno, EAGAIN);
    for (int i = 0; i < 9; i++)
        close(fds[i]);
}

#define PROXIED(test) cmocka_unit_test_setup_teardown(test, setup_proxied, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(whole_answers_come_whole, setup, teardown),
        cmocka_unit_test_setup_teardown(a_body_past_its_ceiling_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(streams_are_written_chunk_by_chunk, setup, teardown),
        cmocka_unit_test_setup_teardown(a_client_that_leaves_a_stream_is_noticed, setup, teardown),
        cmocka_unit_test_setup_teardown(doubtful_framing_is_refused_and_closed, setup, teardown),
        cmocka_unit_test_setup_teardown(slow_heads_and_bodies_meet_their_deadline, setup, teardown),
        cmocka_unit_test_setup_teardown(idle_connections_keep_nobody_out, setup_narrow, teardown),
        PROXIED(a_proxy_names_its_client),
        PROXIED(the_proxys_own_connection_is_its_own),
        PROXIED(what_no_proxy_sends_is_closed_without_a_word),
        cmocka_unit_test_setup_teardown(half_a_header_meets_its_deadline, setup_proxied_hasty,
                                        teardown),
        PROXIED(a_second_header_is_no_request),
        PROXIED(nobody_else_may_send_a_header),
        PROXIED(a_server_that_drains_takes_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
