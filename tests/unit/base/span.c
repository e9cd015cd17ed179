#include "../unit.h"

#include "base/span.h"

static void splits_and_trims(void **state)
{
    struct span rest = SPAN_LIT("a,,b"), part;
    assert_true(span_split(&rest, ',', &part));
    assert_span(part, SPAN_LIT("a"));
    assert_true(span_split(&rest, ',', &part));
    assert_span(part, SPAN_LIT(""));
    assert_true(span_split(&rest, ',', &part));
    assert_span(part, SPAN_LIT("b"));
    assert_false(span_split(&rest, ',', &part));
    assert_span(span_trim(SPAN_LIT(" \tx y\r\n")), SPAN_LIT("x y"));
}

static void compares(void **state)
{
    assert_true(span_eq_nocase(SPAN_LIT("Content-Type"), SPAN_LIT("content-type")));
    assert_false(span_eq_nocase(SPAN_LIT("a"), SPAN_LIT("ab")));
    assert_true(span_compare(SPAN_LIT("a"), SPAN_LIT("ab")) < 0);
    assert_true(span_compare(SPAN_LIT("b"), SPAN_LIT("ab")) > 0);
    assert_int_equal(span_find(SPAN_LIT("hello"), SPAN_LIT("ll")), 2);
    assert_int_equal(span_find(SPAN_LIT("hello"), SPAN_LIT("x")), 5);
}

static void reads_numbers(void **state)
{
    unsigned long long v;
    assert_true(span_to_u64(SPAN_LIT("18446744073709551615"), &v));
    assert_true(v == UINT64_MAX);
    assert_false(span_to_u64(SPAN_LIT("18446744073709551616"), &v));
    assert_false(span_to_u64(SPAN_LIT(""), &v));
    assert_false(span_to_u64(SPAN_LIT("+1"), &v));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splits_and_trims),
        cmocka_unit_test(compares),
        cmocka_unit_test(reads_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
