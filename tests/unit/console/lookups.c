/* A look that is on record needs no second record for a while: his own, at that person, alone. */
#include "../unit.h"

#include "console/lookups.h"

#include <stdio.h>

#define HALF_HOUR (30u * 60000)

static void test_a_look_is_his_own(void **state)
{
    struct lookups *l = lookups_new();
    assert_non_null(l);
    assert_false(lookups_has(l, SPAN_LIT("li"), SPAN_LIT("ab"), SPAN_LIT(""), 1000));
    lookups_note(l, SPAN_LIT("li"), SPAN_LIT("ab"), SPAN_LIT(""), 1000);
    assert_true(lookups_has(l, SPAN_LIT("li"), SPAN_LIT("ab"), SPAN_LIT(""), 1000));
    assert_true(lookups_has(l, SPAN_LIT("li"), SPAN_LIT("ab"), SPAN_LIT(""), 999 + HALF_HOUR));
    assert_false(lookups_has(l, SPAN_LIT("li"), SPAN_LIT("ab"), SPAN_LIT(""), 1000 + HALF_HOUR));
    assert_false(lookups_has(l, SPAN_LIT("ina"), SPAN_LIT("ab"), SPAN_LIT(""), 1000));
    assert_false(lookups_has(l, SPAN_LIT("li"), SPAN_LIT("ac"), SPAN_LIT(""), 1000));
    assert_false(lookups_has(l, SPAN_LIT("li"), SPAN_LIT("ab"), SPAN_LIT("shop"), 1000));
    assert_false(lookups_has(l, SPAN_LIT("lia"), SPAN_LIT("b"), SPAN_LIT(""), 1000));
    /* Noted again it holds from then on. */
    lookups_note(l, SPAN_LIT("li"), SPAN_LIT("ab"), SPAN_LIT(""), 5000);
    assert_true(lookups_has(l, SPAN_LIT("li"), SPAN_LIT("ab"), SPAN_LIT(""), 1000 + HALF_HOUR));
    lookups_free(l);
}

static void test_the_oldest_are_forgotten(void **state)
{
    struct lookups *l = lookups_new();
    char name[16];
    for (int i = 0; i < 257; i++) {
        int n = snprintf(name, sizeof(name), "%d", i);
        lookups_note(l, SPAN_LIT("li"), span_from(name, (size_t)n), SPAN_LIT(""), 1);
    }
    assert_false(lookups_has(l, SPAN_LIT("li"), SPAN_LIT("0"), SPAN_LIT(""), 1));
    assert_true(lookups_has(l, SPAN_LIT("li"), SPAN_LIT("1"), SPAN_LIT(""), 1));
    assert_true(lookups_has(l, SPAN_LIT("li"), SPAN_LIT("256"), SPAN_LIT(""), 1));
    lookups_free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_look_is_his_own),
        cmocka_unit_test(test_the_oldest_are_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
