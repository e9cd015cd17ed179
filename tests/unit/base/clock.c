#include "../unit.h"

#include "base/clock.h"

static void test_there_and_back(void **state)
{
    static const struct {
        const char *text;
        uint64_t us;
    } cases[] = {
        {"1970-01-01T00:00:00.000Z", 0},
        {"2026-11-24T10:03:00.123Z", 1795514580123000},
        {"2028-02-29T23:59:59.999Z", 1835481599999000},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char text[CLOCK_TEXT_SIZE];
        uint64_t us = 7;
        clock_format(cases[i].us, text);
        assert_string_equal(text, cases[i].text);
        assert_true(clock_read(span_str(cases[i].text), &us));
        assert_int_equal(us, cases[i].us);
    }
}

static void test_nothing_else(void **state)
{
    static const char *const bad[] = {
        "",
        "2026-11-24",
        "2026-11-24T10:03:00Z",
        "2026-11-24T10:03:00.123",
        "2026-11-24T10:03:00.123z",
        "2026-11-24 10:03:00.123Z",
        "2026-11-24T10:03:00.123Z ",
        "2026-02-30T10:03:00.123Z",
        "2026-13-01T10:03:00.123Z",
        "2026-11-24T24:03:00.123Z",
        "2026-11-24T10:60:00.123Z",
        "2026-11-24T10:03:60.123Z",
        "1969-12-31T23:59:59.999Z",
        "-026-11-24T10:03:00.123Z",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        uint64_t us = 7;
        if (clock_read(span_str(bad[i]), &us) || us != 7)
            fail_msg("\"%s\" was taken", bad[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
