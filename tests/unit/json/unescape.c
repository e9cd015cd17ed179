#include "../unit.h"

#include "json/unescape.h"

static const struct {
    struct span text, want;
} table[] = {
    {SPAN_LIT(""), SPAN_LIT("")},
    {SPAN_LIT("plain 毒"), SPAN_LIT("plain 毒")},
    {SPAN_LIT("{\"q\":\"\\u6bd2\\u54C1\\n\"}"), SPAN_LIT("{\"q\":\"毒品\n\"}")},
    {SPAN_LIT("\\ud83d\\ude00"), SPAN_LIT("😀")},
    {SPAN_LIT("\\ud83d\\ude0"), SPAN_LIT("\xED\xA0\xBD\\ude0")},
    {SPAN_LIT("\\ud83d\\u6bd2"), SPAN_LIT("\xED\xA0\xBD毒")},
    {SPAN_LIT("\\ud83d\\ud83d\\ude00x"), SPAN_LIT("\xED\xA0\xBD😀x")},
    {SPAN_LIT("\\ud83d\\n"), SPAN_LIT("\xED\xA0\xBD\n")},
    {SPAN_LIT("\\\\u6bd2 \\\" \\/ \\b\\f\\r\\t"), SPAN_LIT("\\u6bd2 \" / \b\f\r\t")},
    {SPAN_LIT("C:\\x \\u12g4 \\"), SPAN_LIT("C:\\x \\u12g4 \\")},
    {SPAN_LIT("\\u\\u6bd2"), SPAN_LIT("\\u毒")},
    {SPAN_LIT("\\u12\\u6bd2"), SPAN_LIT("\\u12毒")},
    {SPAN_LIT("\\u0000a\\u00"), SPAN_LIT("a\\u00")},
    {SPAN_LIT("a\0\\\0b"), SPAN_LIT("a\0\\\0b")},
};

static void escapes_are_undone_whatever_the_splits(void **state)
{
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        struct span s = table[i].text;
        for (size_t a = 0; a <= s.len; a++)
            for (size_t b = a; b <= s.len; b++) {
                struct json_unescape u = JSON_UNESCAPE_INIT;
                struct buf out = BUF_INIT(4096);
                assert_int_equal(json_unescape_feed(&u, span_slice(s, 0, a), &out), 0);
                assert_int_equal(json_unescape_feed(&u, span_slice(s, a, b), &out), 0);
                assert_int_equal(json_unescape_feed(&u, span_slice(s, b, s.len), &out), 0);
                assert_int_equal(json_unescape_finish(&u, &out), 0);
                assert_span(buf_span(&out), table[i].want);
                buf_deinit(&out);
            }
        /* Byte by byte, and another text behind it. */
        struct json_unescape u = JSON_UNESCAPE_INIT;
        for (int round = 0; round < 2; round++) {
            struct buf out = BUF_INIT(4096);
            for (size_t at = 0; at < s.len; at++)
                assert_int_equal(json_unescape_feed(&u, span_slice(s, at, at + 1), &out), 0);
            assert_int_equal(json_unescape_finish(&u, &out), 0);
            assert_span(buf_span(&out), table[i].want);
            buf_deinit(&out);
        }
    }
}

static void random_texts_survive_random_splits(void **state)
{
    static const char *const pieces[] = {"\\", "u",       "d83d",    "de00", "6bd2", "\\u", "n",
                                         "毒", "\\ud83d", "\\ude00", "\"",   "0",    "x"};
    uint64_t seed = 99;
    for (int round = 0; round < 20000; round++) {
        struct buf text = BUF_INIT(1024), whole = BUF_INIT(1024), split = BUF_INIT(1024);
        for (uint64_t n = random_next(&seed) >> 33; n % 12; n--)
            assert_int_equal(
                buf_append(
                    &text,
                    span_str(
                        pieces[(random_next(&seed) >> 33) % (sizeof(pieces) / sizeof(*pieces))])),
                0);
        struct json_unescape u = JSON_UNESCAPE_INIT;
        assert_int_equal(json_unescape_feed(&u, buf_span(&text), &whole), 0);
        assert_true(u.len <= 11);
        assert_int_equal(json_unescape_finish(&u, &whole), 0);
        for (size_t at = 0; at < text.len;) {
            size_t n = 1 + (random_next(&seed) >> 33) % 5;
            n = n < text.len - at ? n : text.len - at;
            assert_int_equal(
                json_unescape_feed(&u, span_slice(buf_span(&text), at, at + n), &split), 0);
            at += n;
        }
        assert_int_equal(json_unescape_finish(&u, &split), 0);
        assert_span(buf_span(&split), buf_span(&whole));
        assert_true(whole.len <= text.len);
        buf_deinit(&text);
        buf_deinit(&whole);
        buf_deinit(&split);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(escapes_are_undone_whatever_the_splits),
        cmocka_unit_test(random_texts_survive_random_splits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
