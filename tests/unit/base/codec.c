#include "../unit.h"

#include "base/codec.h"

#include <errno.h>

static void hex_goes_both_ways(void **state)
{
    char text[9];
    unsigned char back[4];
    codec_hex(SPAN_LIT("\x00\xff\x10z"), text);
    assert_string_equal(text, "00ff107a");
    assert_true(codec_unhex(SPAN_LIT("00FF107A"), back, 4));
    assert_memory_equal(back, "\x00\xff\x10z", 4);
    assert_false(codec_unhex(SPAN_LIT("00ff107g"), back, 4));
    assert_false(codec_unhex(SPAN_LIT("00ff10"), back, 4));
}

static void base64_goes_both_ways(void **state)
{
    uint64_t seed = 1;
    for (size_t n = 0; n < 50; n++) {
        char bytes[50];
        for (size_t i = 0; i < n; i++)
            bytes[i] = (char)random_next(&seed);
        struct buf text = BUF_INIT(100), back = BUF_INIT(100);
        assert_int_equal(codec_base64(&text, span_from(bytes, n)), 0);
        assert_int_equal(text.len, (n + 2) / 3 * 4);
        assert_int_equal(codec_unbase64(&back, buf_span(&text)), 0);
        assert_span(buf_span(&back), span_from(bytes, n));
        buf_deinit(&text);
        buf_deinit(&back);
    }
    struct buf b = BUF_INIT(10);
    assert_int_equal(codec_unbase64(&b, SPAN_LIT("a*==")), -EINVAL);
    assert_int_equal(codec_unbase64(&b, SPAN_LIT("a")), -EINVAL);
    assert_int_equal(codec_base64(&b, SPAN_LIT("0123456789")), -EMSGSIZE);
    buf_deinit(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hex_goes_both_ways),
        cmocka_unit_test(base64_goes_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
