#include "../unit.h"

#include "base/day.h"

static void test_day(void **state)
{
    int64_t end;
    char text[DAY_TEXT_SIZE];
    /* Midnight in China is 16:00 UTC of the day before. */
    assert_true(day_end(SPAN_LIT("1970-01-01"), &end));
    assert_int_equal(end, 16 * 3600);
    assert_true(day_end(SPAN_LIT("2026-12-31"), &end));
    assert_int_equal(end, 1798732800);
    day_format(end, text);
    assert_string_equal(text, "2026-12-31");
    day_format(end + 1, text);
    assert_string_equal(text, "2027-01-01");
    day_format(end - 86399, text);
    assert_string_equal(text, "2026-12-31");
    assert_true(day_end(SPAN_LIT("2028-02-29"), &end));
    static const char *const bad[] = {"",           "2026-2-1",   "2026-02-30", "2026-13-01",
                                      "2026-00-10", "1969-12-31", "2026/12/31", "2026-12-3x",
                                      "20261231  ", "2026-12-31T"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        if (day_end(span_str(bad[i]), &end))
            fail_msg("%s", bad[i]);
}

static void test_minute(void **state)
{
    int64_t at;
    char text[DAY_TEXT_SIZE];
    static const struct {
        const char *text;
        int64_t at;
    } good[] = {
        {"1970-01-01T00:00Z", 0},
        {"1970-01-01T08:00+08:00", 0},
        {"1969-12-31T16:00-08:00", -1}, /* no year before 1970 */
        {"1970-01-01T00:01-00:30", 31 * 60},
        {"2026-12-31T15:04+08:00", 1798700640},
        {"2026-12-31T23:59Z", 1798761540},
    };
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        assert_int_equal(day_minute(span_str(good[i].text), &at), good[i].at >= 0);
        if (good[i].at >= 0)
            assert_int_equal(at, good[i].at);
    }
    static const char *const bad[] = {
        "2026-12-31",
        "2026-12-31T15:04",
        "2026-12-31T24:00Z",
        "2026-12-31T15:60Z",
        "2026-12-31 15:04Z",
        "2026-12-31T15:04+8:00",
        "2026-12-31T15:04+15:00",
        "2026-12-31T15:04+0860",
        "2026-12-31T15:04+08:60",
        "2026-02-29T15:04Z",
        "2026-12-31T15:04Zz",
        "2026-12-31T1x:04Z",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        if (day_minute(span_str(bad[i]), &at))
            fail_msg("%s", bad[i]);
    assert_true(day_end(SPAN_LIT("2026-12-31"), &at));
    assert_true(day_is_end(at));
    assert_false(day_is_end(at + 60));
    day_format_minute(1798700640, text);
    assert_string_equal(text, "2026-12-31T15:04+08:00");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_day), cmocka_unit_test(test_minute)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
