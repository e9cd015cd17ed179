/*
 * Memory runs out: the n-th allocation of the gateway's thread fails, for every n that an exchange
 * has, once alone and once with all that follow for a while. Whatever then happens to the exchange,
 * nothing unjudged is seen, everything comes to an end, nothing leaks (AddressSanitizer's build
 * tells), and the next exchange is served.
 *
 * Linked with --wrap: the calls of our own code fail, those of the libraries don't.
 */
#include "bed.h"
#include "guard.h"

#include <errno.h>
#include <execinfo.h>
#include <pthread.h>

static pthread_t gateway;
static bool armed;
static unsigned calls, fail_from, fail_count, failures;
static void *stack[24]; /* of the first call that failed */
static int stack_depth;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *p, size_t size);

static bool fails(void)
{
    if (!armed || bed_busy || !pthread_equal(pthread_self(), gateway))
        return false;
    unsigned n = ++calls;
    if (n < fail_from || n - fail_from >= fail_count)
        return false;
    if (failures++ == 0)
        stack_depth = backtrace(stack, 24);
    errno = ENOMEM;
    return true;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *p, size_t size)
{
    return fails() ? NULL : __real_realloc(p, size);
}

#define HEAD "HTTP/1.1 200 OK\r\nContent-Type: "
#define EVENT(delta, finish)                                                                       \
    "data: {\"id\":\"c\",\"model\":\"demo\",\"choices\":[{\"index\":0,\"delta\":{" delta           \
    "},\"finish_reason\":" finish "}]}\n\n"
#define TEXT(t) EVENT("\"content\":\"" t "\"", "null")
#define END     EVENT("", "\"stop\"") "data: [DONE]\n\n"
#define ANSWER(t)                                                                                  \
    HEAD "application/json\r\nConnection: close\r\n\r\n{\"choices\":[{\"index\":0,\"message\":{"   \
         "\"content\":\"" t "\"},\"finish_reason\":\"stop\"}]}"
#define STREAM HEAD "text/event-stream\r\nConnection: close\r\n\r\n"

static const struct exchange_case {
    const char *name, *prompt, *more, *wire;
    const char *whole; /* in every response that says that it is complete */
    const char *never[3];
} cases[] = {
    {"answer", "你好", "", ANSWER("早先的话"), "早先的话", {NULL}},
    {"masked answer", "你好", "", ANSWER("早先" BED_PHONE "后"), "早先***********后", {BED_PHONE}},
    {"refused answer",
     "你好",
     "",
     ANSWER("早先" BED_BLOCK "后话"),
     NULL,
     {BED_BLOCK, "早先", "后话"}},
    {"stream",
     "你好",
     "\"stream\":true",
     STREAM TEXT("早先的话") TEXT("琥珀") TEXT("色") END,
     "\"色\"",
     {NULL}},
    {"masked stream",
     "你好",
     "\"stream\":true",
     STREAM TEXT("早先138") TEXT("12345678后") TEXT("银杏") TEXT("代号完") END,
     "**后",
     {"138\"", "12345678", "代号"}},
    {"cut stream",
     "你好",
     "\"stream\":true",
     STREAM TEXT("早先的话") TEXT("琥珀炸") TEXT("弹配方后话") END,
     NULL,
     {"琥珀", "后话", "\"stop\""}},
    {"tool call",
     "你好",
     "\"stream\":true",
     STREAM TEXT("早先") EVENT("\"tool_calls\":[{\"index\":0,\"function\":{\"name\":\"f\","
                               "\"arguments\":\"{\\\"a\\\":\\\"b\\\"}\"}}]",
                               "null") END,
     "tool_calls",
     {NULL}},
    {"refused prompt", "说说" BED_BLOCK, "", ANSWER("x"), NULL, {BED_BLOCK, "\"x\""}},
    {"refused prompt, streamed",
     "说说" BED_BLOCK,
     "\"stream\":true",
     ANSWER("x"),
     NULL,
     {BED_BLOCK, "\"x\""}},
    {"masked prompt", "暗号" BED_MASK, "", ANSWER("x"), NULL, {NULL}},
};

/* Words that only the guard minds; who can't ask him refuses. */
#define BAD "紫色暗号"
static const struct exchange_case opinion_cases[] = {
    {"answer by opinion", "你好", "", ANSWER("早先的话"), "早先的话", {NULL}},
    {"refused answer by opinion",
     "你好",
     "",
     ANSWER("早先。" BAD "后话"),
     NULL,
     {BAD, "早先", "后话"}},
    {"stream by opinion",
     "你好",
     "\"stream\":true",
     STREAM TEXT("早先。") TEXT("的话。") TEXT("色") END,
     "\"色\"",
     {NULL}},
    {"cut stream by opinion",
     "你好",
     "\"stream\":true",
     STREAM TEXT("早先。的话") TEXT("紫色") TEXT("暗号后话。") TEXT("再说。") END,
     NULL,
     {"紫色", "后话", "\"stop\""}},
    {"refused prompt by opinion", "说说" BAD, "", ANSWER("早先"), NULL, {BAD, "早先"}},
    {"refused prompt by opinion, streamed",
     "说说" BAD,
     "\"stream\":true",
     STREAM TEXT("早先。") TEXT("的话。") END,
     NULL,
     {BAD, "早先", "的话"}},
};

static struct bed bed;
static struct guard guard;

#define wrong(...)                                                                                 \
    do {                                                                                           \
        armed = false;                                                                             \
        backtrace_symbols_fd(stack, stack_depth, 2);                                               \
        fail_msg(__VA_ARGS__);                                                                     \
    } while (0)

static int setup(void **state)
{
    gateway = pthread_self();
    bed_open(&bed, "policy: { actions: { A3-c: mask } }\n", true);
    return 0;
}

static int teardown(void **state)
{
    armed = false;
    bed_close(&bed);
    return 0;
}

static const char *judge(struct span question)
{
    struct span text = span_slice(question, span_find(question, SPAN_LIT("\"text\":")),
                                  span_find(question, SPAN_LIT("\"prompt\":")));
    return span_find(text, SPAN_LIT(BAD)) < text.len ? GUARD_BAD : GUARD_SAFE;
}

static int setup_opinions(void **state)
{
    char yaml[512];
    setup(state);
    guard_open(&guard, bed.loop);
    guard.busy = &bed_busy;
    guard.judge = judge;
    snprintf(yaml, sizeof(yaml),
             "opinions: [{ name: guard, kind: webhook, cache_time: 1ms, url: "
             "\"http://127.0.0.1:%u/\" }]\n"
             "policy: { opinions: [{ from: guard, fallback: closed }] }\n",
             guard.port);
    struct snapshot *s = bed_load(&bed, yaml);
    gate_reload(bed.gate, s);
    snapshot_unref(s);
    return 0;
}

static int teardown_opinions(void **state)
{
    armed = false;
    guard_close(&guard);
    return teardown(state);
}

static bool is_over(struct bed *b)
{
    struct bed_client *c = b->until_ctx;
    return c->side.ended || bed_whole(c);
}

static bool is_idle(struct bed *b)
{
    return metrics_get(&b->metrics, METRIC_ACTIVE) == 0;
}

/* One exchange; the body as far as it came. */
static struct buf run(const struct exchange_case *e, bool *ret_whole, int *ret_status)
{
    struct bed_client c;
    bed.script = (struct bed_script){.bytes = span_str(e->wire)};
    bed_busy++;
    bed_ask(&bed, &c, bed_question(e->prompt, e->more));
    bed_busy--;
    if (!bed_run(&bed, is_over, &c, 5000))
        wrong("%s: call %u: no end, after \"%.*s\"", e->name, fail_from,
              SPAN_ARG(buf_span(&c.side.in)));
    bed_busy++;
    *ret_whole = bed_whole(&c);
    *ret_status = bed_status(&c);
    struct buf body = bed_body(&c);
    bed_leave(&c);
    bed_busy--;
    if (!bed_run(&bed, is_idle, NULL, 5000))
        wrong("%s: call %u: the exchange does not end", e->name, fail_from);
    return body;
}

static void check(const struct exchange_case *e, struct span body, bool whole)
{
    for (int i = 0; i < 3; i++)
        if (e->never[i] && span_find(body, span_str(e->never[i])) < body.len)
            wrong("%s: call %u: \"%s\" in \"%.*s\"", e->name, fail_from, e->never[i],
                  SPAN_ARG(body));
    bool complete = whole && span_find(body, SPAN_LIT("\"stop\"")) < body.len;
    if (e->whole && complete && span_find(body, span_str(e->whole)) == body.len)
        wrong("%s: call %u: a part is called the whole: %.*s", e->name, fail_from, SPAN_ARG(body));
    bool done = span_find(body, SPAN_LIT("[DONE]")) < body.len;
    if (done && span_find(body, SPAN_LIT("\"finish_reason\":\"")) == body.len)
        wrong("%s: call %u: an end without a reason: %.*s", e->name, fail_from, SPAN_ARG(body));
}

static void sweep(const struct exchange_case *list, size_t list_count, unsigned count)
{
    for (size_t i = 0; i < list_count; i++) {
        const struct exchange_case *e = &list[i];
        unsigned n = 0;
        do {
            bool whole;
            int status;
            calls = failures = 0;
            fail_from = ++n;
            fail_count = count;
            armed = true;
            struct buf body = run(e, &whole, &status);
            armed = false;
            check(e, buf_span(&body), whole);
            buf_deinit(&body);
            if (n % 8 == 0 || failures == 0) { /* memory is back: served as ever */
                body = run(e, &whole, &status);
                assert_true(whole && status == 200);
                check(e, buf_span(&body), whole);
                buf_deinit(&body);
            }
            assert_true(n < 5000);
        } while (failures);
        assert_true(n > 20); /* it did count */
    }
}

#define COUNT(list) (sizeof(list) / sizeof(*(list)))

static void test_one(void **state)
{
    sweep(cases, COUNT(cases), 1);
}

static void test_several(void **state)
{
    sweep(cases, COUNT(cases), 6);
}

static void test_all(void **state)
{
    sweep(cases, COUNT(cases), 1000000);
}

static void test_opinions(void **state)
{
    static const unsigned counts[] = {1, 6, 1000000};
    for (size_t i = 0; i < COUNT(counts); i++)
        sweep(opinion_cases, COUNT(opinion_cases), counts[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_one, setup, teardown),
        cmocka_unit_test_setup_teardown(test_several, setup, teardown),
        cmocka_unit_test_setup_teardown(test_all, setup, teardown),
        cmocka_unit_test_setup_teardown(test_opinions, setup_opinions, teardown_opinions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
