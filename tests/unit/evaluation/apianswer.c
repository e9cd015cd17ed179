#include "../unit.h"

#include "evaluation/apianswer.h"

static const struct {
    int status;
    const char *body;
    enum apianswer_kind kind;
    const char *text, *finish, *why;
} known[] = {
    {200,
     "{\"model\":\"m\",\"choices\":[{\"finish_reason\":\"stop\",\"message\":{\"content\":\"好\"}}]"
     "}",
     APIANSWER_TEXT, "好", "stop", ""},
    {200,
     "\n\n{\"choices\":[{\"message\":{\"content\":[{\"type\":\"text\",\"text\":\"a\"},{\"text\":"
     "\"b\"}]}}]}",
     APIANSWER_TEXT, "ab", "", ""},
    {200, "{\"choices\":[{\"finish_reason\":\"content_filter\",\"message\":{\"content\":null}}]}",
     APIANSWER_TEXT, "", "content_filter", ""},
    /* Filters that refuse by an error, wherever they say so. */
    {400, "{\"error\":{\"code\":\"content_filter\",\"message\":\"不便回答\"}}", APIANSWER_TEXT,
     "不便回答", "content_filter", ""},
    {400, "{\"error\":{\"type\":\"content_filter\",\"message\":\"high risk\"}}", APIANSWER_TEXT,
     "high risk", "content_filter", ""},
    {400, "{\"code\":\"DataInspectionFailed\",\"message\":\"x\"}", APIANSWER_TEXT, "x",
     "content_filter", ""},
    {400, "{\"error\":{\"code\":\"InputTextSensitiveContentDetected\",\"message\":\"x\"}}",
     APIANSWER_TEXT, "x", "content_filter", ""},
    {400, "{\"error\":{\"code\":\"1301\",\"message\":\"x\"}}", APIANSWER_TEXT, "x",
     "content_filter", ""},
    {200, "{\"code\":10013,\"message\":\"x\"}", APIANSWER_TEXT, "x", "content_filter", ""},
    {200, "{\"base_resp\":{\"status_code\":1026,\"status_msg\":\"input sensitive\"}}",
     APIANSWER_TEXT, "", "content_filter", ""},
    /* The account. */
    {401, "{\"error\":{\"code\":\"content_filter\"}}", APIANSWER_ACCOUNT, "", "",
     "HTTP 401, content_filter"},
    {401, "", APIANSWER_ACCOUNT, "", "", "HTTP 401"},
    {402, "{\"error\":{\"message\":\"Insufficient Balance\"}}", APIANSWER_ACCOUNT, "", "",
     "HTTP 402, insufficient balance"},
    {403, "<html>", APIANSWER_ACCOUNT, "", "", "HTTP 403"},
    {429, "{\"error\":{\"code\":\"insufficient_quota\"}}", APIANSWER_ACCOUNT, "", "",
     "HTTP 429, insufficient_quota"},
    {429, "{\"error\":{\"type\":\"exceeded_current_quota_error\",\"message\":\"m\"}}",
     APIANSWER_ACCOUNT, "", "", "HTTP 429, exceeded_current_quota_error"},
    {400, "{\"error\":{\"code\":\"Arrearage\",\"message\":\"m\"}}", APIANSWER_ACCOUNT, "", "",
     "HTTP 400, arrearage"},
    {400, "{\"error\":{\"code\":\"AccountOverdueError\"}}", APIANSWER_ACCOUNT, "", "",
     "HTTP 400, accountoverdueerror"},
    {429, "{\"error\":{\"code\":\"1113\",\"message\":\"您的账户已欠费\"}}", APIANSWER_ACCOUNT, "",
     "", "HTTP 429, 1113"},
    {400, "{\"error\":{\"message\":\"该账号因违规已被封禁\"}}", APIANSWER_ACCOUNT, "", "",
     "HTTP 400, 该账号因违规已被封禁"},
    {200, "{\"error_code\":17,\"error_msg\":\"Open api daily request limit reached\"}",
     APIANSWER_ACCOUNT, "", "", "HTTP 200, 17"},
    {200,
     "{\"Response\":{\"Error\":{\"Code\":\"FailedOperation.AccountArrearage\",\"Message\":\"m\"}}}",
     APIANSWER_ACCOUNT, "", "", "HTTP 200, failedoperation.accountarrearage"},
    {400, "{\"ResponseMetadata\":{\"Error\":{\"Code\":\"AccountOverdueError\",\"Message\":\"m\"}}}",
     APIANSWER_ACCOUNT, "", "", "HTTP 400, accountoverdueerror"},
    {200, "{\"code\":500,\"msg\":\"您的账户已欠费\",\"success\":false}", APIANSWER_ACCOUNT, "", "",
     "HTTP 200, 500"},
    {400, "[{\"error\":{\"code\":400,\"message\":\"m\",\"status\":\"x\"}}]", APIANSWER_BAD, "", "",
     "HTTP 400, 400"},
    {400, "[{\"error\":{\"message\":\"account suspended\"}}]", APIANSWER_ACCOUNT, "", "",
     "HTTP 400, account suspended"},
    /* What goes to a terminal stays on its line. */
    {404, "{\"error\":{\"code\":\"a\\u001b[2J\\r\\n\\u009bb\\u007f\"}}", APIANSWER_BAD, "", "",
     "HTTP 404, a [2j    b "},
    /* Later. */
    {429, "{\"error\":{\"code\":\"rate_limit_exceeded\"}}", APIANSWER_LATER, "", "",
     "HTTP 429, rate_limit_exceeded"},
    {503, "busy", APIANSWER_LATER, "", "", "HTTP 503"},
    {500, "{\"error\":{\"message\":\"m\"}}", APIANSWER_LATER, "", "", "HTTP 500"},
    /* Neither. */
    {404, "{\"error\":{\"code\":\"model_not_found\"}}", APIANSWER_BAD, "", "",
     "HTTP 404, model_not_found"},
    {200, "{\"error\":{\"message\":\"m\"}}", APIANSWER_BAD, "", "", "HTTP 200"},
    {200, "<html>", APIANSWER_BAD, "", "", "HTTP 200, no answer of a chat API"},
    {200, "{\"choices\":[]}", APIANSWER_BAD, "", "", "HTTP 200, no answer of a chat API"},
    {302, "{\"choices\":[{}]}", APIANSWER_BAD, "", "", "HTTP 302"},
};

static void answers_are_told_apart(void **state)
{
    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
        struct apianswer a;
        assert_int_equal(apianswer_read(known[i].status, span_str(known[i].body), &a), 0);
        if (a.kind != known[i].kind)
            fail_msg("%s: kind %d", known[i].body, a.kind);
        assert_span(buf_span(&a.text), span_str(known[i].text));
        assert_string_equal(a.finish, known[i].finish);
        assert_string_equal(a.why, known[i].why);
        apianswer_free(&a);
    }
}

static void names_and_the_refusal_field_are_read(void **state)
{
    struct apianswer a;
    assert_int_equal(
        apianswer_read(200,
                       SPAN_LIT("{\"model\":\"demo-2\",\"code\":0,\"choices\":[{\"finish_reason\":"
                                "\"stop\",\"message\":{\"content\":null,\"refusal\":\"No.\"}}]}"),
                       &a),
        0);
    assert_int_equal(a.kind, APIANSWER_TEXT);
    assert_string_equal(a.model, "demo-2");
    assert_span(buf_span(&a.refusal), SPAN_LIT("No."));
    apianswer_free(&a);
}

static void nothing_moves_the_cursor(void **state)
{
    struct apianswer a;
    assert_int_equal(
        apianswer_read(
            402, SPAN_LIT("{\"error\":{\"message\":\"a\\u001b[2J\\nb\\u009bc\\u007f\"}}"), &a),
        0);
    assert_string_equal(a.why, "HTTP 402, a [2j b  c ");
    apianswer_free(&a);
}

/* A long code is cut between two characters. */
static void a_long_name_is_cut(void **state)
{
    struct apianswer a;
    struct buf body = BUF_INIT(4096);
    buf_append(&body, SPAN_LIT("{\"choices\":[{\"finish_reason\":\"x"));
    for (int i = 0; i < 100; i++)
        buf_append(&body, SPAN_LIT("长"));
    buf_append(&body, SPAN_LIT("\"}]}"));
    assert_int_equal(apianswer_read(200, buf_span(&body), &a), 0);
    assert_int_equal(strlen(a.finish), 1 + 42 * 3);
    apianswer_free(&a);
    buf_deinit(&body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_told_apart),
        cmocka_unit_test(names_and_the_refusal_field_are_read),
        cmocka_unit_test(nothing_moves_the_cursor),
        cmocka_unit_test(a_long_name_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
