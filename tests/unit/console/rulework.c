/* Bodies of the API of the rules are read strictly, and refusals have their reasons. */
#include "../unit.h"

#include "console/rulework.h"

#include <errno.h>

static struct api_answer fresh_answer(void)
{
    return (struct api_answer){.body = BUF_INIT(65536)};
}

/* Ends it: the error's code, or "" for none. */
static void expect_error(struct api_answer *a, int status, const char *code)
{
    struct json_value *v = a->body.len ? value_parse(buf_span(&a->body), NULL) : NULL;
    struct span told = SPAN_LIT("");
    value_get_string(value_get(value_get(v, SPAN_LIT("error")), SPAN_LIT("code")), &told);
    assert_span(told, span_str(code));
    assert_int_equal(a->status, status);
    value_free(v);
    buf_deinit(&a->body);
}

static void names_are_those_that_are_known(void **state)
{
    static const char *const names[] = {"reason", "force", NULL};
    static const struct {
        const char *body;
        bool good;
    } cases[] = {{"{}", true},
                 {"{\"force\":1}", true},
                 {"{\"reason\":1,\"force\":2}", true},
                 {"{\"forced\":true}", false},
                 {"{\"reason\":\"x\",\"\":1}", false},
                 {"{\"Reason\":\"x\"}", false}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct json_value *body = value_parse(span_str(cases[i].body), NULL);
        struct api_request q = {.body = body};
        struct api_answer a = fresh_answer();
        assert_int_equal(rulework_only(&q, names, &a), cases[i].good);
        expect_error(&a, cases[i].good ? 0 : 400, cases[i].good ? "" : "unknown_member");
        value_free(body);
    }
}

static void a_line_is_one_line(void **state)
{
    static const struct {
        const char *body;
        const char *want; /* NULL: refused */
    } cases[] = {
        {"{\"x\":\"ab\"}", "ab"},    {"{\"x\":\"  ab \\n\"}", "ab"}, {"{}", NULL},
        {"{\"x\":null}", NULL},      {"{\"x\":\"\"}", NULL},         {"{\"x\":\"   \"}", NULL},
        {"{\"x\":\"a\\nb\"}", NULL}, {"{\"x\":\"a\\tb\"}", NULL},    {"{\"x\":\"abcde\"}", NULL},
        {"{\"x\":7}", NULL},         {"{\"x\":[\"a\"]}", NULL},      {"{\"x\":{}}", NULL}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct json_value *body = value_parse(span_str(cases[i].body), NULL);
        struct api_answer a = fresh_answer();
        struct span text;
        bool good = rulework_line(body, "x", 1, 4, &text, &a);
        assert_int_equal(good, cases[i].want != NULL);
        if (good)
            assert_span(text, span_str(cases[i].want));
        expect_error(&a, good ? 0 : 400, good ? "" : "bad_parameter");
        value_free(body);
    }
}

static void numbers_and_flags_are_of_their_type(void **state)
{
    static const struct {
        const char *body;
        bool number, flag;
    } cases[] = {{"{}", true, true},
                 {"{\"n\":5,\"f\":true}", true, true},
                 {"{\"n\":null,\"f\":null}", true, true},
                 {"{\"n\":0,\"f\":1}", false, false},
                 {"{\"n\":11,\"f\":\"true\"}", false, false},
                 {"{\"n\":\"5\",\"f\":[]}", false, false},
                 {"{\"n\":5.5,\"f\":0}", false, false},
                 {"{\"n\":true,\"f\":{}}", false, false}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct json_value *body = value_parse(span_str(cases[i].body), NULL);
        struct api_request q = {.body = body};
        struct api_answer a = fresh_answer();
        int64_t n = 3;
        bool f;
        assert_int_equal(rulework_number(body, "n", 1, 10, &n, &a), cases[i].number);
        assert_true(n == 3 || n == 5);
        assert_int_equal(rulework_flag(&q, "f", &f, &a), cases[i].flag);
        buf_deinit(&a.body);
        value_free(body);
    }
}

static void a_refusal_tells_each_reason(void **state)
{
    struct api_answer a = fresh_answer();
    assert_int_equal(rulework_refuse(&a, 422, "refused",
                                     SPAN_LIT("r/a.txt:1: <b>\"x\"</b>\nr/a.txt:2: y\n\n"
                                              "r/a.txt:3: warning: z\n")),
                     0);
    struct json_value *v = value_parse(buf_span(&a.body), NULL);
    const struct json_value *error = value_get(v, SPAN_LIT("error"));
    const struct json_value *reasons = value_get(error, SPAN_LIT("reasons"));
    struct span text;
    assert_int_equal(value_count(reasons), 3);
    assert_true(value_get_string(value_at(reasons, 0), &text));
    assert_span(text, SPAN_LIT("r/a.txt:1: <b>\"x\"</b>"));
    /* What weighs is the last that is no warning. */
    assert_true(value_get_string(value_get(error, SPAN_LIT("message")), &text));
    assert_span(text, SPAN_LIT("r/a.txt:2: y"));
    value_free(v);
    expect_error(&a, 422, "refused");
}

static void errors_below_have_their_status(void **state)
{
    static const struct {
        int error, status;
        const char *code;
    } cases[] = {{-EINVAL, 422, "refused"},     {-EBUSY, 409, "busy"},
                 {-EROFS, 503, "not_writable"}, {-EACCES, 503, "not_writable"},
                 {-EBADMSG, 503, "damaged"},    {-ENOSPC, 503, "failed"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct api_answer a = fresh_answer();
        assert_int_equal(rulework_failed(&a, cases[i].error, false, SPAN_LIT("")), 0);
        expect_error(&a, cases[i].status, cases[i].code);
    }
    struct api_answer a = fresh_answer();
    assert_int_equal(rulework_failed(&a, -EIO, true, SPAN_LIT("x")), 0);
    expect_error(&a, 503, "not_recorded");
    a = fresh_answer();
    assert_int_equal(rulework_failed(&a, -ENOMEM, false, SPAN_LIT("")), -ENOMEM);
    buf_deinit(&a.body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_those_that_are_known),
        cmocka_unit_test(a_line_is_one_line),
        cmocka_unit_test(numbers_and_flags_are_of_their_type),
        cmocka_unit_test(a_refusal_tells_each_reason),
        cmocka_unit_test(errors_below_have_their_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
