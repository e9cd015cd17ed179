/*
 * The log fails under the gateway: what can't be recorded is not served, and a stream that can't be
 * recorded ends without its end.
 */
#include "bed.h"
#include "faults.h"

#include <errno.h>
#include <unistd.h>

static struct bed bed;
static struct bed_client client;

static int setup(void **state)
{
    fault_clear();
    bed_open(&bed, *state ? *state : "", true);
    return 0;
}

static int teardown(void **state)
{
    bed_close(&bed);
    fault_clear();
    return 0;
}

#define HEAD "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: "
#define TEXT(t)                                                                                    \
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"" t                                 \
    "\"},\"finish_reason\":null}]}\n\n"
#define END                                                                                        \
    "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"              \
    "data: [DONE]\n\n"
#define EVENTS HEAD "text/event-stream\r\n\r\n"

static bool got(const char *text)
{
    struct span in = buf_span(&client.side.in);
    return span_find(in, span_str(text)) < in.len;
}

static bool has_text(struct bed *b)
{
    return got(b->until_ctx);
}

static void fail_log(void)
{
    fault_set(FAULT_SYNC, 1, 1000000, EIO);
}

/* Asks, and lets the log fail when the first text is there. */
static void fail_within(const char *first, const char *rest)
{
    static char wire[8192];
    snprintf(wire, sizeof(wire), "%s%s", first, rest);
    bed.script = (struct bed_script){.bytes = span_str(wire), .hold_at = strlen(first)};
    bed_ask(&bed, &client, bed_question("你好", "\"stream\":true"));
    assert_true(bed_run(&bed, has_text, (void *)(uintptr_t) "早先的话", 5000));
    /* The exchange's beginning is not waited for: on a busy machine it may still be on its way. */
    struct audit_health health;
    for (int i = 0; i < 5000; i++) {
        audit_get_health(bed.audit, &health);
        if (health.queued == 0)
            break;
        usleep(1000);
    }
    fail_log();
    bed_go_on(&bed);
    bed_answer(&bed, &client);
}

/* Nothing is served from then on. */
static void check_closed(void)
{
    bed_leave(&client);
    unsigned long asked = bed.peer_count;
    bed_ask(&bed, &client, bed_question("你好", ""));
    bed_answer(&bed, &client);
    assert_int_equal(bed_status(&client), 503);
    assert_true(got("audit_unavailable"));
    assert_int_equal(bed.peer_count, asked);
    bed_leave(&client);
}

static void test_end_of_stream(void **state)
{
    fail_within(EVENTS TEXT("早先的话"), TEXT("后来") END);
    assert_true(got("后来"));
    assert_false(got("\"stop\"") || got("[DONE]"));
    assert_false(bed_whole(&client)); /* no last chunk either: a client sees that it broke off */
    check_closed();
}

static void test_cut(void **state)
{
    fail_within(EVENTS TEXT("早先的话"), TEXT("又说" BED_BLOCK "后话") END);
    assert_false(got("content_filter") || got("[DONE]") || got("琥珀") || got("后话"));
    assert_false(bed_whole(&client));
    check_closed();
}

static void test_mask(void **state)
{
    fail_within(EVENTS TEXT("早先的话"), TEXT("打" BED_PHONE "吧") END);
    assert_false(got("***") || got(BED_PHONE) || got("\"stop\"") || got("[DONE]"));
    assert_false(bed_whole(&client));
    check_closed();
}

static void test_cut_before_anything(void **state)
{
    fail_log();
    bed.script = (struct bed_script){.bytes = SPAN_LIT(EVENTS TEXT(BED_BLOCK "后话") END)};
    bed_ask(&bed, &client, bed_question("你好", "\"stream\":true"));
    bed_answer(&bed, &client);
    assert_int_equal(bed_status(&client), 503);
    assert_true(got("audit_unavailable"));
    assert_false(got("琥珀") || got("content_filter"));
    check_closed();
}

static void test_answer(void **state)
{
    fail_log();
    bed.script = (struct bed_script){
        .bytes = SPAN_LIT(HEAD "application/json\r\n\r\n{\"choices\":[{\"index\":0,\"message\":{"
                               "\"content\":\"早先的话\"},\"finish_reason\":\"stop\"}]}")};
    bed_ask(&bed, &client, bed_question("你好", ""));
    bed_answer(&bed, &client);
    assert_int_equal(bed_status(&client), 503);
    assert_true(got("audit_unavailable"));
    assert_false(got("早先的话"));
    check_closed();
}

static void test_refusal(void **state)
{
    fail_log();
    bed_ask(&bed, &client, bed_question("说说" BED_BLOCK, ""));
    bed_answer(&bed, &client);
    assert_int_equal(bed_status(&client), 503);
    assert_true(got("audit_unavailable"));
    check_closed();
}

/* A masked prompt must not leave before its record. */
static void test_masked_prompt(void **state)
{
    fail_log();
    bed.script = (struct bed_script){.bytes = SPAN_LIT(HEAD "application/json\r\n\r\n{}")};
    bed_ask(&bed, &client, bed_question("暗号" BED_MASK, ""));
    bed_answer(&bed, &client);
    assert_int_equal(bed_status(&client), 503);
    assert_int_equal(bed.peer_count, 0);
    check_closed();
}

int main(void)
{
#define MASK (void *)(uintptr_t) "policy: { actions: { A3-c: mask } }\n"
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_end_of_stream),
        T(test_cut),
        T(test_mask),
        T(test_cut_before_anything),
        T(test_answer),
        T(test_refusal),
        cmocka_unit_test_prestate_setup_teardown(test_masked_prompt, setup, teardown, MASK),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
