/* What users are shown: complete, with 待补充 for what is missing, and nothing that breaks a page.
 */
#include "../unit.h"

#include "filing/disclosure.h"

static struct config *config;

static int set_up(void **state)
{
    static const char text[] =
        "upstreams:\n"
        "  - name: one\n    base_url: https://one.example/v1\n    models:\n"
        "      - {id: m-1, display_name: '通<义>', filing_number: ZheJiang-TongYi-20230901}\n"
        "      - {id: m-2}\n"
        "allow_unfiled: true\n"
        "service: {provider: 'A & B', algorithm_number: 网信算备330000000000001号, "
        "complaint: 'https://one.example/?a=\"1\"'}\n"
        "apps: [{name: narrow, models: [m-1]}]\n";
    struct buf messages = BUF_INIT(65536);
    int r = config_read(span_str(text), SPAN_LIT("c.yaml"), &messages, &config);
    buf_deinit(&messages);
    return r;
}

static int tear_down(void **state)
{
    config = config_unref(config);
    return 0;
}

static void text_says_what_is_missing(void **state)
{
    struct buf out = BUF_INIT(65536);
    assert_int_equal(disclosure_text(&(struct disclosure){.config = config}, &out), 0);
    assert_span(
        buf_span(&out),
        SPAN_LIT("所用模型 Model: 通<义>（备案号 filing number: ZheJiang-TongYi-20230901）\n"
                 "所用模型 Model: m-2（备案号 filing number: 待补充）\n"
                 "服务提供者 Provider: A & B\n"
                 "上线编号 Launch number: 待补充\n"
                 "算法备案号 Algorithm filing: 网信算备330000000000001号  "
                 "https://beian.cac.gov.cn/#/index\n"
                 "投诉举报 Complaints: https://one.example/?a=\"1\"\n"
                 "本服务的回答由人工智能生成，请注意甄别。\n"
                 "The answers of this service are AI-generated; please check what "
                 "matters.\n"));
    buf_deinit(&out);
}

static void html_is_escaped_and_linked(void **state)
{
    struct buf out = BUF_INIT(65536);
    struct disclosure d = {.config = config, .app = config_find_app(config, SPAN_LIT("narrow"))};
    assert_int_equal(disclosure_html(&d, &out), 0);
    static const char *const want[] = {
        "所用模型: 通&lt;义&gt;（备案号 ZheJiang-TongYi-20230901）</li>",
        "A &amp; B</li>",
        "<a href=\"https://beian.cac.gov.cn/#/index\" "
        "rel=\"noopener\">网信算备330000000000001号</a>",
        "<a href=\"https://one.example/?a=&quot;1&quot;\" rel=\"noopener\">",
        "上线编号: 待补充</li>",
    };
    for (size_t i = 0; i < sizeof(want) / sizeof(*want); i++)
        if (span_find(buf_span(&out), span_str(want[i])) == out.len)
            fail_msg("%s in %.*s", want[i], SPAN_ARG(buf_span(&out)));
    assert_true(span_find(buf_span(&out), SPAN_LIT("m-2")) == out.len); /* not that app's */
    buf_deinit(&out);
}

static void json_and_what_is_missing(void **state)
{
    struct buf out = BUF_INIT(65536), missing = BUF_INIT(65536);
    struct disclosure d = {.config = config};
    assert_int_equal(disclosure_json(&d, &out), 0);
    assert_true(span_starts(
        buf_span(&out),
        SPAN_LIT("{\"models\":[{\"id\":\"m-1\",\"display_name\":\"通<义>\",\"filing_number\":"
                 "\"ZheJiang-TongYi-20230901\"},{\"id\":\"m-2\",\"display_name\":\"m-2\","
                 "\"filing_number\":\"\"}],\"provider\":\"A & B\",\"launch_number\":\"\"")));
    assert_int_equal(disclosure_missing(&d, &missing), 3);
    assert_span(buf_span(&missing), SPAN_LIT("model m-2: filing_number\nmodel m-2: display_name\n"
                                             "service: launch_number\n"));
    buf_deinit(&missing);
    /* Every room that is too small is an error, and leaks nothing. */
    for (size_t max = 1; max < out.len; max += 7) {
        struct buf tight = BUF_INIT(max);
        assert_true(disclosure_json(&d, &tight) < 0);
        buf_deinit(&tight);
    }
    buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_says_what_is_missing),
        cmocka_unit_test(html_is_escaped_and_linked),
        cmocka_unit_test(json_and_what_is_missing),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
