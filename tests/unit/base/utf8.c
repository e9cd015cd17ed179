#include "../unit.h"

#include "base/utf8.h"

static void every_code_point_goes_both_ways(void **state)
{
    for (uint32_t cp = 0; cp <= 0x10FFFF; cp++) {
        char bytes[4];
        size_t n = utf8_encode(cp, bytes);
        uint32_t back = 0;
        bool surrogate = cp >= 0xD800 && cp <= 0xDFFF;
        assert_int_equal(utf8_decode(span_from(bytes, n), true, &back), n);
        assert_int_equal(back, cp);
        assert_int_equal(utf8_decode(span_from(bytes, n), false, &back), surrogate ? -1 : (int)n);
        for (size_t cut = 1; cut < n; cut++)
            assert_int_equal(utf8_decode(span_from(bytes, cut), true, &back), 0);
    }
}

static void bad_bytes_are_found_where_they_are(void **state)
{
    static const struct span bad[] = {
        SPAN_LIT("\xC0\xAF"),         SPAN_LIT("\xE0\x80\xAF"), SPAN_LIT("\xED\xA0\x80"),
        SPAN_LIT("\xF4\x90\x80\x80"), SPAN_LIT("\x80"),         SPAN_LIT("\xFF"),
        SPAN_LIT("\xE6\xAF"),
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        char text[32] = "0123456789";
        memcpy(text + 10, bad[i].data, bad[i].len);
        assert_int_equal(utf8_check(span_from(text, 10 + bad[i].len)), 10);
    }
    struct span good = SPAN_LIT("毒品 and ✓ 12345678");
    assert_int_equal(utf8_check(good), good.len);
    assert_int_equal(utf8_count(good), 17);
    assert_int_equal(utf8_floor(good, 4), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_point_goes_both_ways),
        cmocka_unit_test(bad_bytes_are_found_where_they_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
