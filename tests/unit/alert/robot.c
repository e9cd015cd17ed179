/*
 * The robots' formats. The codes were computed apart from this program, with Python's hmac and
 * base64, as the vendors' pages say: DingTalk HMAC-SHA-256(secret, "ms\nsecret"), Feishu
 * HMAC-SHA-256("s\nsecret", "").
 */
#include "world.h"

#include "alert/robot.h"

#define NOW_US 1795789800123456ull

static const struct board_item test = {.event = BOARD_TEST};

static void expect_url(const struct config_alert_target *t, const char *want)
{
    struct buf url = BUF_INIT(4096);
    assert_int_equal(robot_url(t, NOW_US, &url), 0);
    assert_span(buf_span(&url), span_str(want));
    buf_deinit(&url);
}

static void expect_body(const struct config_alert_target *t, const char *want)
{
    struct buf body = BUF_INIT(65536);
    assert_int_equal(robot_body(t, &test, 1, SPAN_LIT("n1"), NOW_US, &body), 0);
    assert_span(buf_span(&body), span_str(want));
    buf_deinit(&body);
}

#define TEXT "居庸告警 n1 2026-11-27 22:30\\n测试：这是一条测试消息，收到即表示告警通道可用。"

static void dingtalk_signs_its_url(void **state)
{
    struct config_alert_target t = {
        .kind = ALERT_DINGTALK,
        .url = SPAN_LIT("https://oapi.dingtalk.com/robot/send?access_token=abc"),
    };
    expect_url(&t, "https://oapi.dingtalk.com/robot/send?access_token=abc");
    t.secret = SPAN_LIT("SEC8"); /* whose code has all three characters that are escaped */
    expect_url(&t, "https://oapi.dingtalk.com/robot/send?access_token=abc&timestamp=1795789800123&"
                   "sign=%2FP2TSyo7mgVsXpmraj%2BksROStPAUzFMhy6jGSmEnrkw%3D");
    t.secret = SPAN_LIT("SECdemo0123456789");
    t.url = SPAN_LIT("https://proxy.example.com/ding");
    expect_url(&t, "https://proxy.example.com/ding?timestamp=1795789800123&"
                   "sign=lkQsHhEtcCCavwaRX4DbexgZTBFNLyySrXwbaTjFPFg%3D");
    expect_body(&t, "{\"msgtype\":\"text\",\"text\":{\"content\":\"" TEXT "\"}}");
}

static void wecom_signs_nothing(void **state)
{
    struct config_alert_target t = {
        .kind = ALERT_WECOM,
        .secret = SPAN_LIT("unused"),
        .url = SPAN_LIT("https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=k"),
    };
    expect_url(&t, "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=k");
    expect_body(&t, "{\"msgtype\":\"text\",\"text\":{\"content\":\"" TEXT "\"}}");
}

static void feishu_signs_in_its_body(void **state)
{
    struct config_alert_target t = {
        .kind = ALERT_FEISHU,
        .url = SPAN_LIT("https://open.feishu.cn/open-apis/bot/v2/hook/h"),
    };
    expect_url(&t, "https://open.feishu.cn/open-apis/bot/v2/hook/h");
    expect_body(&t, "{\"msg_type\":\"text\",\"content\":{\"text\":\"" TEXT "\"}}");
    t.secret = SPAN_LIT("feishu-secret");
    expect_url(&t, "https://open.feishu.cn/open-apis/bot/v2/hook/h");
    expect_body(&t,
                "{\"timestamp\":\"1795789800\",\"sign\":\"ss6V+IJpQGQFqF8NfxwGTi7RxTq5nnQkPtonIl"
                "836Yk=\",\"msg_type\":\"text\",\"content\":{\"text\":\"" TEXT "\"}}");
}

static void an_own_service_gets_json(void **state)
{
    struct config_alert_target t = {
        .kind = ALERT_JSON, .url = SPAN_LIT("https://a.example.com"), .secret = SPAN_LIT("s")};
    expect_url(&t, "https://a.example.com");
    expect_body(&t, "{\"type\":\"alert\",\"node\":\"n1\",\"time\":1795789800,\"text\":\"" TEXT
                    "\",\"alerts\":[{\"event\":\"test\"}]}");
}

static void answers_of_200_may_be_refusals(void **state)
{
    static const struct {
        unsigned kind;
        const char *answer, *why; /* NULL: taken */
    } cases[] = {
        {ALERT_DINGTALK, "{\"errcode\":0,\"errmsg\":\"ok\"}", NULL},
        {ALERT_DINGTALK, "{\"errcode\":310000,\"errmsg\":\"sign not match\"}",
         "errcode 310000: sign not match"},
        {ALERT_DINGTALK, "{\"code\":0}", "an answer that is not a robot's"},
        {ALERT_DINGTALK, "{\"errcode\":\"0\"}", "an answer that is not a robot's"},
        {ALERT_WECOM, "{\"errcode\":0,\"errmsg\":\"ok\"}", NULL},
        {ALERT_WECOM, "{\"errcode\":45009,\"errmsg\":\"api freq out of limit\"}",
         "errcode 45009: api freq out of limit"},
        {ALERT_WECOM, "{\"errcode\":93000}", "errcode 93000: "},
        {ALERT_WECOM, "<html>log in to this network</html>", "an answer that is not a robot's"},
        {ALERT_WECOM, "", "an answer that is not a robot's"},
        {ALERT_FEISHU, "{\"StatusCode\":0,\"StatusMessage\":\"success\",\"code\":0,\"data\":{}}",
         NULL},
        {ALERT_FEISHU, "{\"StatusCode\":0,\"StatusMessage\":\"success\"}", NULL},
        {ALERT_FEISHU, "{\"code\":19021,\"msg\":\"sign match fail\",\"data\":{}}",
         "code 19021: sign match fail"},
        {ALERT_FEISHU, "[0]", "an answer that is not a robot's"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char why[COURIER_WHY_SIZE] = "";
        bool taken = robot_judge(cases[i].kind)(span_str(cases[i].answer), why);
        assert_int_equal(taken, cases[i].why == NULL);
        if (cases[i].why)
            assert_string_equal(why, cases[i].why);
    }
    assert_null(robot_judge(ALERT_JSON));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dingtalk_signs_its_url),
        cmocka_unit_test(wecom_signs_nothing),
        cmocka_unit_test(feishu_signs_in_its_body),
        cmocka_unit_test(an_own_service_gets_json),
        cmocka_unit_test(answers_of_200_may_be_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
