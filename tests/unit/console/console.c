/* The operator's listener as a monitoring system sees it: over a raw socket. */
#include "../unit.h"

#include "console/console.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

struct fixture {
    struct loop *loop;
    struct console *console;
    struct loop_timer limit;
    struct loop_hook hook;
    pthread_t client;
    const char *request;
    char answer[16384];
    size_t len;
    volatile bool done;
    struct span reason;
    int stats_error;
};

static int stats(void *ctx, struct buf *out)
{
    struct fixture *f = ctx;
    return f->stats_error ? f->stats_error : buf_append(out, SPAN_LIT("juyong_test 1\n"));
}

static struct span readiness(void *ctx)
{
    return ((struct fixture *)ctx)->reason;
}

static int weakenings(void *ctx, struct buf *out)
{
    return buf_append(out, SPAN_LIT("weakened: by a test\n"));
}

static const struct console_ops ops = {stats, readiness, weakenings};

static void too_slow(struct loop_timer *t)
{
    loop_stop(t->loop); /* the answer is then missing */
}

static void check_done(struct loop_hook *h)
{
    struct fixture *f = list_entry(h, struct fixture, hook);
    if (__atomic_load_n(&f->done, __ATOMIC_ACQUIRE))
        loop_stop(f->loop);
}

static int set_up(void **state)
{
    static struct fixture f;
    f = (struct fixture){.loop = loop_new()};
    *state = &f;
    if (!f.loop)
        return -1;
    loop_timer_init(f.loop, &f.limit, too_slow);
    loop_hook_add(f.loop, &f.hook, check_done);
    struct console_options o = {
        .loop = f.loop, .host = SPAN_LIT("127.0.0.1"), .ops = &ops, .ctx = &f};
    return console_new(&o, &f.console);
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    console_free(f->console);
    loop_free(f->loop);
    return 0;
}

static void *ask(void *arg)
{
    struct fixture *f = arg;
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons(console_port(f->console)),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct timeval limit = {.tv_sec = 8};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    size_t len = strlen(f->request);
    ssize_t n = 0;
    if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0 &&
        send(fd, f->request, len, MSG_NOSIGNAL) == (ssize_t)len)
        while (f->len < sizeof(f->answer) - 1 &&
               (n = recv(fd, f->answer + f->len, sizeof(f->answer) - 1 - f->len, 0)) > 0)
            f->len += (size_t)n;
    close(fd);
    __atomic_store_n(&f->done, true, __ATOMIC_RELEASE);
    loop_wake(f->loop);
    return NULL;
}

/* Sends the request and gathers what comes until the connection is closed. */
static void exchange(struct fixture *f, const char *request)
{
    f->request = request;
    f->len = 0;
    memset(f->answer, 0, sizeof(f->answer));
    f->done = false;
    assert_int_equal(loop_timer_set(&f->limit, loop_now_ms(f->loop) + 10000), 0);
    assert_int_equal(pthread_create(&f->client, NULL, ask, f), 0);
    assert_int_equal(loop_run(f->loop), 0);
    pthread_join(f->client, NULL);
    loop_timer_cancel(&f->limit);
}

static void expect(struct fixture *f, const char *request, const char *status, const char *body)
{
    exchange(f, request);
    char head[64];
    int n = snprintf(head, sizeof(head), "HTTP/1.1 %s", status);
    const char *got = strstr(f->answer, "\r\n\r\n");
    if (strncmp(f->answer, head, (size_t)n) != 0 || !got || strcmp(got + 4, body) != 0)
        fail_msg("%s gave:\n%s", request, f->answer);
    assert_non_null(strstr(f->answer, "\r\nX-Content-Type-Options: nosniff\r\n"));
    assert_non_null(strstr(f->answer, "\r\nCache-Control: no-store\r\n"));
}

#define REQUEST(line)  line " HTTP/1.1\r\nHost: x\r\n\r\n"
#define BROWSER(lines) lines "\r\nHost: localhost:9\r\nConnection: close\r\n\r\n"

static void three_pages_are_served(void **state)
{
    struct fixture *f = *state;
    expect(f, REQUEST("GET /healthz"), "200", "ok\n");
    expect(f, REQUEST("GET /readyz"), "200", "ready\nweakened: by a test\n");
    f->reason = SPAN_LIT("audit_unavailable");
    expect(f, REQUEST("GET /readyz"), "503", "not ready: audit_unavailable\nweakened: by a test\n");
    expect(f, REQUEST("GET /healthz"), "200", "ok\n"); /* alive all the same */
    expect(f, REQUEST("GET /metrics?a=b"), "200", "juyong_test 1\n");
    assert_non_null(strstr(f->answer, "\r\nContent-Type: text/plain; version=0.0.4"));
}

static void nothing_else_is(void **state)
{
    struct fixture *f = *state;
    static const char *const requests[] = {
        BROWSER("GET /nothing.js HTTP/1.1"),    BROWSER("GET /metrics/ HTTP/1.1"),
        BROWSER("GET /v1/models HTTP/1.1"),     BROWSER("GET //healthz HTTP/1.1"),
        BROWSER("GET /HEALTHZ HTTP/1.1"),       BROWSER("GET /p/0/index.html HTTP/1.1"),
        BROWSER("GET /../etc/passwd HTTP/1.1"), BROWSER("GET /api/nothing HTTP/1.1"),
        BROWSER("GET /api/session/ HTTP/1.1")};
    for (size_t i = 0; i < sizeof(requests) / sizeof(*requests); i++)
        expect(f, requests[i], "404",
               "{\"error\":{\"code\":\"not_found\",\"message\":\"There is nothing of that "
               "name.\"}}");
}

static void a_foreign_name_is_told_nothing(void **state)
{
    struct fixture *f = *state;
    static const char *const requests[] = {REQUEST("GET /"), REQUEST("GET /nothing.js"),
                                           REQUEST("GET /api/session"),
                                           "POST /api/login HTTP/1.1\r\nHost: localhost.evil.com"
                                           "\r\nContent-Length: 0\r\n\r\n"};
    for (size_t i = 0; i < sizeof(requests) / sizeof(*requests); i++)
        expect(f, requests[i], "421",
               "{\"error\":{\"code\":\"wrong_host\",\"message\":\"This is not a name of this "
               "console; see console.hosts.\"}}");
}

static void the_page_is_served(void **state)
{
    struct fixture *f = *state;
    exchange(f, BROWSER("GET / HTTP/1.1"));
    assert_non_null(strstr(f->answer, "HTTP/1.1 200"));
    assert_non_null(strstr(f->answer, "\r\nContent-Type: text/html; charset=utf-8\r\n"));
    assert_non_null(strstr(f->answer, "\r\nContent-Security-Policy: default-src 'none'; "));
    assert_non_null(strstr(f->answer, "\r\nCache-Control: no-cache\r\n"));
    assert_null(strstr(f->answer, "{{page}}"));
    char etag[64], request[256];
    assert_int_equal(sscanf(strstr(f->answer, "ETag: "), "ETag: %63s", etag), 1);
    snprintf(request, sizeof(request), BROWSER("GET / HTTP/1.1\r\nIf-None-Match: %s"), etag);
    exchange(f, request);
    assert_non_null(strstr(f->answer, "HTTP/1.1 304"));
    exchange(f, BROWSER("POST / HTTP/1.1\r\nContent-Length: 2"));
    assert_non_null(strstr(f->answer, "HTTP/1.1 405"));
}

static void the_api_is_asked(void **state)
{
    struct fixture *f = *state;
    exchange(f, BROWSER("GET /api/session HTTP/1.1"));
    assert_non_null(strstr(f->answer, "HTTP/1.1 200"));
    assert_non_null(strstr(f->answer, "\r\nCache-Control: no-store\r\n"));
    assert_non_null(strstr(f->answer, "{\"user\":null,\"token\":\"\",\"setup\":true,"));
    static const struct {
        const char *request, *status, *code;
    } cases[] = {
        {BROWSER("GET /api/accounts HTTP/1.1"), "401", "no_session"},
        {BROWSER("GET /api/accounts?x=%zz HTTP/1.1"), "400", "bad_parameter"},
        {BROWSER("DELETE /api/session HTTP/1.1"), "405", "method_not_allowed"},
        {BROWSER("GET /api/session HTTP/1.1\r\nSec-Fetch-Site: cross-site"), "403", "wrong_origin"},
        {BROWSER("GET /api/session HTTP/1.1\r\nOrigin: https://evil.com"), "403", "wrong_origin"},
        {BROWSER("POST /api/login HTTP/1.1\r\nContent-Length: 2"), "415", "not_json"},
        {BROWSER("POST /api/accounts/%2e%2e HTTP/1.1\r\nContent-Length: 2"), "400", "bad_path"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char head[64], code[64];
        snprintf(head, sizeof(head), "HTTP/1.1 %s ", cases[i].status);
        snprintf(code, sizeof(code), "{\"error\":{\"code\":\"%s\",", cases[i].code);
        exchange(f, cases[i].request);
        if (strncmp(f->answer, head, strlen(head)) != 0 || !strstr(f->answer, code))
            fail_msg("%s gave:\n%s", cases[i].request, f->answer);
    }
}

static void other_methods_are_refused(void **state)
{
    struct fixture *f = *state;
    expect(f, "POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi", "405",
           "method not allowed\n");
    assert_non_null(strstr(f->answer, "\r\nAllow: GET\r\n")); /* RFC 9110, 15.5.6 */
    expect(f, REQUEST("DELETE /healthz"), "405", "method not allowed\n");
    expect(f, REQUEST("OPTIONS /healthz"), "405", "method not allowed\n");
}

/* When the figures can't be had the connection ends, and the console lives on. */
static void a_failure_ends_only_its_connection(void **state)
{
    struct fixture *f = *state;
    f->stats_error = -EMSGSIZE;
    exchange(f, REQUEST("GET /metrics"));
    assert_null(strstr(f->answer, "HTTP/1.1 200"));
    f->stats_error = 0;
    expect(f, REQUEST("GET /metrics"), "200", "juyong_test 1\n");
}

static void a_taken_port_is_told(void **state)
{
    struct fixture *f = *state;
    struct console *other = NULL;
    struct console_options o = {.loop = f->loop,
                                .host = SPAN_LIT("127.0.0.1"),
                                .port = console_port(f->console),
                                .ops = &ops,
                                .ctx = f};
    assert_int_equal(console_new(&o, &other), -EADDRINUSE);
    assert_null(other);
    o.host = SPAN_LIT("no address");
    o.port = 0;
    assert_int_equal(console_new(&o, &other), -EINVAL);
    console_free(NULL);
}

int main(void)
{
#define CONSOLE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CONSOLE_TEST(three_pages_are_served),    CONSOLE_TEST(nothing_else_is),
        CONSOLE_TEST(other_methods_are_refused), CONSOLE_TEST(a_failure_ends_only_its_connection),
        CONSOLE_TEST(a_taken_port_is_told),      CONSOLE_TEST(a_foreign_name_is_told_nothing),
        CONSOLE_TEST(the_page_is_served),        CONSOLE_TEST(the_api_is_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
