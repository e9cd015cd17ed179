/* A message is delivered, tried again while it fails, and given up; nobody waits. */
#include "../opinion/guard.h"

#include "base/log.h"
#include "http/courier.h"

#include <errno.h>
#include <stdio.h>

struct fixture {
    struct loop *loop;
    struct http_client *client;
    struct courier *courier;
    struct guard guard;
    struct loop_timer tick;
    unsigned ms;
    char url[64];
};
static struct fixture f;
static size_t failures; /* that the other side answers with first */

static const char *judge(struct span question)
{
    f.guard.status = failures ? 503 : 204;
    failures -= failures > 0;
    return "";
}

static int setup(void **state)
{
    http_client_setup();
    log_set_level(LOG_ERROR);
    f.loop = loop_new();
    failures = 0;
    assert_int_equal(http_client_new(f.loop, 16, &f.client), 0);
    assert_int_equal(courier_new(f.loop, f.client, &f.courier), 0);
    guard_open(&f.guard, f.loop);
    f.guard.judge = judge;
    snprintf(f.url, sizeof(f.url), "http://127.0.0.1:%u/told", f.guard.port);
    return 0;
}

static int teardown(void **state)
{
    loop_timer_cancel(&f.tick);
    courier_free(f.courier);
    http_client_free(f.client);
    guard_close(&f.guard);
    loop_free(f.loop);
    http_client_teardown();
    return 0;
}

static void look(struct loop_timer *t)
{
    f.ms += 20;
    if (courier_count(f.courier) == 0 || f.ms > 10000)
        loop_stop(f.loop);
    else
        loop_timer_set(t, loop_now_ms(f.loop) + 20);
}

static void run(void)
{
    f.ms = 0;
    loop_timer_init(f.loop, &f.tick, look);
    loop_timer_set(&f.tick, loop_now_ms(f.loop) + 20);
    loop_run(f.loop);
    assert_int_equal(courier_count(f.courier), 0);
}

static unsigned delivered, lost;
static courier_judge_fn judge_answers;

static void done(void *ctx, bool ok)
{
    delivered += ok;
    lost += !ok;
}

static int put(unsigned tries, unsigned timeout_ms)
{
    char body[] = "{\"a\":1}", name[] = "X-Test", value[] = "yes";
    struct http_header h[] = {{span_str(name), span_str(value)},
                              {SPAN_LIT("Content-Type"), SPAN_LIT("application/json")}};
    struct courier_message m = {.url = span_str(f.url),
                                .headers = h,
                                .header_count = 2,
                                .body = span_str(body),
                                .tries = tries,
                                .timeout_ms = timeout_ms,
                                .judge = judge_answers,
                                .done = done};
    delivered = lost = 0;
    int r = courier_send(f.courier, &m);
    memset(body, 'x', sizeof(body) - 1); /* all of it was copied */
    memset(name, 'x', sizeof(name) - 1);
    memset(value, 'x', sizeof(value) - 1);
    return r;
}

static void delivers(void **state)
{
    assert_int_equal(put(3, 1000), 0);
    run();
    assert_int_equal(f.guard.asked, 1);
    assert_int_equal(delivered, 1);
    assert_int_equal(lost, 0);
    struct span in = buf_span(&f.guard.last);
    assert_true(span_starts(in, SPAN_LIT("POST /told HTTP/1.1\r\n")));
    assert_true(span_find(in, SPAN_LIT("X-Test: yes\r\n")) < in.len);
    assert_span(span_slice(in, in.len - 7, in.len), SPAN_LIT("{\"a\":1}"));
}

static void tries_again(void **state)
{
    failures = 1;
    assert_int_equal(put(3, 1000), 0);
    run();
    assert_int_equal(f.guard.asked, 2);
}

/* 200, and a refusal in the body: twice. */
static unsigned judged;

static bool read_answer(struct span answer, char ret_why[COURIER_WHY_SIZE])
{
    judged++;
    snprintf(ret_why, COURIER_WHY_SIZE, "errcode 1");
    assert_int_equal(answer.len, judged < 3 ? 4096 : 2);
    return answer.len == 2;
}

static const char *refuse_at_length(struct span question)
{
    static char text[5001];
    memset(text, 'x', sizeof(text) - 1);
    f.guard.status = 200;
    return judged < 2 ? text : "ok";
}

static void an_answer_is_read_where_somebody_judges_it(void **state)
{
    f.guard.judge = refuse_at_length;
    judge_answers = read_answer;
    judged = 0;
    assert_int_equal(put(3, 1000), 0);
    run();
    judge_answers = NULL;
    assert_int_equal(f.guard.asked, 3);
    assert_int_equal(judged, 3);
    assert_int_equal(delivered, 1);
    /* A status that says it all is not read. */
    f.guard.judge = judge;
    failures = 1;
    judge_answers = read_answer;
    assert_int_equal(put(1, 1000), 0);
    run();
    judge_answers = NULL;
    assert_int_equal(judged, 3);
    assert_int_equal(lost, 1);
}

static void gives_up(void **state)
{
    failures = 100;
    assert_int_equal(put(2, 1000), 0);
    run();
    assert_int_equal(f.guard.asked, 2);
    assert_int_equal(delivered, 0);
    assert_int_equal(lost, 1);
}

static void does_not_wait_for_ever(void **state)
{
    f.guard.held = true;
    assert_int_equal(put(1, 50), 0);
    run();
    assert_int_equal(f.guard.asked, 1);
}

static void nobody_there(void **state)
{
    guard_close(&f.guard);
    assert_int_equal(put(1, 1000), 0);
    run();
}

static void a_host_tells_no_secret(void **state)
{
    static const char *const cases[][2] = {
        {"https://qyapi.example.cn/cgi-bin/webhook/send?key=s3cret", "qyapi.example.cn"},
        {"http://127.0.0.1:8080?key=s3cret", "127.0.0.1:8080"},
        {"https://me:s3cret@host.example:444/a@b", "host.example:444"},
        {"https://[::1]:9#s3cret", "[::1]:9"},
        {"host/s3cret", "host"},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        assert_span(courier_host(span_str(cases[i][0])), span_str(cases[i][1]));
}

static void is_bounded(void **state)
{
    int r = 0;
    size_t sent = 0;
    f.guard.held = true;
    while (sent < 10000 && (r = put(1, 60000)) == 0)
        sent++;
    assert_int_equal(r, -EAGAIN);
    assert_int_equal(courier_count(f.courier), sent);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(delivers),
        TEST(tries_again),
        TEST(an_answer_is_read_where_somebody_judges_it),
        TEST(gives_up),
        TEST(does_not_wait_for_ever),
        TEST(nobody_there),
        TEST(is_bounded),
        cmocka_unit_test(a_host_tells_no_secret),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
