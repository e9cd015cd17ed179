/* What people and programs read. */
#include "world.h"

#include "alert/message.h"
#include "base/utf8.h"
#include "json/value.h"

#include <stdio.h>

#define NOW_US (TEN_US + 90 * 60000000ull) /* 11:30 in China */

static const struct board_item rate = {
    .kind = BOARD_RATE, .risk = "A1", .value = 37, .threshold = 10, .since_us = TEN_US};

static void expect(struct board_item item, unsigned language, const char *want)
{
    struct buf text = BUF_INIT(65536);
    assert_int_equal(message_text(&item, 1, language, SPAN_LIT("n1"), NOW_US, &text), 0);
    struct span got = buf_span(&text), head;
    assert_true(span_split(&got, '\n', &head));
    assert_span(head, language == LANGUAGE_EN
                          ? SPAN_LIT("居庸 Juyong n1, 2026-11-27 11:30 China time")
                          : SPAN_LIT("居庸告警 n1 2026-11-27 11:30"));
    assert_span(got, span_str(want));
    buf_deinit(&text);
}

static void each_event_has_its_words(void **state)
{
    struct board_item i = rate;
    expect(i, LANGUAGE_ZH, "告警：A1 拦截每分钟 37 次（阈值 10）");
    expect(i, LANGUAGE_EN, "ALERT: 37 interceptions of A1 in a minute (threshold 10)");
    i.critical = true;
    i.event = BOARD_LASTS;
    expect(i, LANGUAGE_ZH,
           "仍未恢复（严重）：A1 拦截每分钟 37 次（阈值 10），始于 2026-11-27 10:00");
    i.event = BOARD_OVER;
    i.ended_us = NOW_US;
    expect(i, LANGUAGE_ZH, "已恢复（严重）：A1 拦截每分钟 37 次（阈值 10），持续 90 分钟");
    expect(i, LANGUAGE_EN,
           "RESOLVED (critical): 37 interceptions of A1 in a minute (threshold 10), after 90 min");
    i.event = BOARD_HAPPENED;
    i.times = 2;
    expect(
        i, LANGUAGE_ZH,
        "补报（严重）：A1 拦截每分钟 37 次（阈值 10），曾发生 2 次，最近一次 2026-11-27 10:00 至 "
        "2026-11-27 11:30");
    expect((struct board_item){.event = BOARD_TEST}, LANGUAGE_ZH,
           "测试：这是一条测试消息，收到即表示告警通道可用。");
}

static void each_kind_has_its_words(void **state)
{
    struct board_item i = {.value = 9, .threshold = 7};
    i.kind = BOARD_LIBRARY;
    expect(i, LANGUAGE_ZH, "告警：规则库已 9 天未更新（应在 7 天内）");
    i.kind = BOARD_DISK;
    expect(i, LANGUAGE_EN, "ALERT: the log's disk is 9% full (threshold 7%)");
    i.kind = BOARD_RATE;
    snprintf(i.risk, sizeof(i.risk), "*");
    expect(i, LANGUAGE_ZH, "告警：拦截每分钟 9 次（阈值 7）");
    i.kind = BOARD_VERIFY;
    snprintf(i.detail, sizeof(i.detail), "record 7: its hash differs");
    expect(i, LANGUAGE_ZH, "告警：日志校验发现问题：record 7: its hash differs");
    for (i.kind = 0; i.kind < BOARD_KINDS; i.kind++) /* none is empty in either language */
        for (unsigned l = LANGUAGE_ZH; l <= LANGUAGE_EN; l++) {
            struct buf text = BUF_INIT(4096);
            assert_int_equal(message_text(&i, 1, l, SPAN_LIT("n"), NOW_US, &text), 0);
            assert_true(text.len > 45);
            buf_deinit(&text);
        }
}

static void a_long_text_is_cut_between_characters(void **state)
{
    struct board_item items[BOARD_ITEMS];
    for (size_t i = 0; i < BOARD_ITEMS; i++) {
        items[i] = (struct board_item){.kind = BOARD_WEAKENED, .value = 1};
        for (size_t j = 0; j + 3 < sizeof(items[i].detail); j += 3)
            memcpy(items[i].detail + j, "字", 3);
    }
    struct buf text = BUF_INIT(65536);
    assert_int_equal(message_text(items, BOARD_ITEMS, LANGUAGE_ZH, SPAN_LIT("n"), NOW_US, &text),
                     0);
    assert_in_range(text.len, MESSAGE_TEXT_MAX - 4, MESSAGE_TEXT_MAX);
    assert_int_equal(utf8_check(buf_span(&text)), text.len);
    assert_span(span_slice(buf_span(&text), text.len - 3, text.len), SPAN_LIT("…"));
    buf_deinit(&text);
}

static void json_tells_the_same(void **state)
{
    struct board_item items[2] = {rate, {.kind = BOARD_VERIFY, .critical = true, .value = 1}};
    struct buf out = BUF_INIT(65536);
    snprintf(items[1].detail, sizeof(items[1].detail), "a \"quoted\"\tfinding");
    assert_int_equal(message_json(items, 2, SPAN_LIT("te\nxt"), SPAN_LIT("n\"1"), NOW_US, &out), 0);
    assert_span(
        buf_span(&out),
        SPAN_LIT("{\"type\":\"alert\",\"node\":\"n\\\"1\",\"time\":1795750200,\"text\":\"te\\nxt\","
                 "\"alerts\":[{\"event\":\"firing\",\"what\":\"interceptions\",\"risk\":\"A1\","
                 "\"critical\":false,\"value\":37,\"threshold\":10,\"since_us\":1795744800000000,"
                 "\"ended_us\":null},{\"event\":\"firing\",\"what\":\"verify\",\"critical\":true,"
                 "\"value\":1,\"threshold\":0,\"since_us\":0,\"ended_us\":null,"
                 "\"detail\":\"a \\\"quoted\\\"\\tfinding\"}]}"));
    struct json_value *v = value_parse(buf_span(&out), NULL);
    assert_non_null(v);
    value_free(v);
    buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_event_has_its_words),
        cmocka_unit_test(each_kind_has_its_words),
        cmocka_unit_test(a_long_text_is_cut_between_characters),
        cmocka_unit_test(json_tells_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
