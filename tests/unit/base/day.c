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

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_day)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
