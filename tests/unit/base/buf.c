#include "../unit.h"

#include "base/buf.h"

#include <errno.h>
#include <stdlib.h>

static void ceiling_is_an_error_and_changes_nothing(void **state)
{
    struct buf b = BUF_INIT(4);
    assert_int_equal(buf_append(&b, SPAN_LIT("abcd")), 0);
    assert_int_equal(buf_append(&b, SPAN_LIT("e")), -EMSGSIZE);
    assert_span(buf_span(&b), SPAN_LIT("abcd"));
    assert_string_equal(buf_cstr(&b), "abcd");
    buf_deinit(&b);
    assert_int_equal(b.max, 4);
}

static void formats_numbers_and_takes(void **state)
{
    struct buf b = BUF_INIT(1000);
    assert_int_equal(buf_append_u64(&b, 0), 0);
    assert_int_equal(buf_append_u64(&b, UINT64_MAX), 0);
    assert_int_equal(buf_printf(&b, "%s", "x"), 0);
    assert_span(buf_span(&b), SPAN_LIT("018446744073709551615x"));
    buf_consume(&b, 20);
    assert_span(buf_span(&b), SPAN_LIT("5x"));
    for (int i = 0; i < 300; i++)
        assert_int_equal(buf_append_char(&b, 'y'), 0);
    size_t len;
    char *text = buf_take(&b, &len);
    assert_int_equal(len, 302);
    assert_int_equal(text[302], 0);
    assert_int_equal(b.len, 0);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ceiling_is_an_error_and_changes_nothing),
        cmocka_unit_test(formats_numbers_and_takes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
