#include "../unit.h"

#include "base/utf8.h"
#include "policy/policy.h"

static void test_table_is_whole(void **state)
{
    for (int i = 1; i < CAUSE_COUNT; i++) {
        enum cause c = (enum cause)i;
        assert_true(strlen(cause_code(c)) > 2);
        int status = cause_status(c);
        /* Stock SDKs repeat a request on these; 5xx only where a repetition may help. */
        assert_true(status != 408 && status != 409);
        assert_true(status != 429 || c == CAUSE_RATE_LIMIT); /* that one they shall repeat */
        assert_true(status >= 400 && status < 600);
        struct span zh = cause_text(c, LANGUAGE_ZH), en = cause_text(c, LANGUAGE_EN);
        struct span both = cause_text(c, LANGUAGE_BOTH);
        assert_true(zh.len > 0 && en.len > 0);
        assert_int_equal(both.len, zh.len + 1 + en.len);
        assert_true(span_starts(both, zh));
        assert_int_equal(utf8_check(both), both.len);
        for (int j = 1; j < i; j++)
            assert_string_not_equal(cause_code(c), cause_code((enum cause)j));
    }
}

static void test_content(void **state)
{
    assert_string_equal(cause_code(CAUSE_CONTENT_FILTER), "content_filter");
    assert_int_equal(cause_status(CAUSE_CONTENT_FILTER), 400);
    assert_string_equal(cause_type(CAUSE_CONTENT_FILTER), "invalid_request_error");
    assert_span(cause_text(CAUSE_CONTENT_FILTER, LANGUAGE_ZH),
                SPAN_LIT("抱歉，我无法回答这个问题。"));
    assert_span(cause_text(CAUSE_CONTENT_FILTER, LANGUAGE_BOTH),
                SPAN_LIT("抱歉，我无法回答这个问题。 Sorry, I can't help with that."));
    assert_string_equal(cause_type(CAUSE_UNAUTHORIZED), "authentication_error");
    assert_string_equal(cause_type(CAUSE_AUDIT_UNAVAILABLE), "server_error");
    assert_int_equal(cause_status(CAUSE_AUDIT_UNAVAILABLE), 503);
    assert_string_equal(cause_code(CAUSE_AUDIT_UNAVAILABLE), "audit_unavailable");
    assert_int_equal(cause_text(CAUSE_NONE, LANGUAGE_BOTH).len, 0);
}

static void test_texts(void **state)
{
    struct config_text texts[] = {
        {.code = SPAN_LIT("content_filter"), .text = SPAN_LIT("本店不谈这个。")},
        {.code = SPAN_LIT("content_filter"), .text = SPAN_LIT("the global one")},
        {.code = SPAN_LIT("rate_limit_exceeded"), .text = SPAN_LIT("Slow down.")},
    };
    struct config_policy p = {.language = LANGUAGE_ZH, .texts = texts, .text_count = 3};
    assert_span(policy_text(&p, CAUSE_CONTENT_FILTER), SPAN_LIT("本店不谈这个。"));
    assert_span(policy_text(&p, CAUSE_RATE_LIMIT), SPAN_LIT("Slow down."));
    assert_span(policy_text(&p, CAUSE_TIMEOUT), SPAN_LIT("请求处理超时。"));
    assert_string_equal(cause_type(CAUSE_RATE_LIMIT), "rate_limit_error");
    assert_string_equal(cause_type(CAUSE_ADDRESS), "permission_error");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table_is_whole),
        cmocka_unit_test(test_content),
        cmocka_unit_test(test_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
