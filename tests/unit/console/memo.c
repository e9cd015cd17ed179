/* What is kept between calls is given for its own key and time alone. */
#include "../unit.h"

#include "console/memo.h"

static void expect_kept(struct memo *m, const char *key, const char *want)
{
    struct buf out = BUF_INIT(64);
    assert_int_equal(memo_get(m, key, &out), want[0] != '\0');
    assert_span(buf_span(&out), span_str(want));
    buf_deinit(&out);
}

static void test_memo(void **state)
{
    struct memo m;
    memo_init(&m, 8);
    expect_kept(&m, "a", "");
    memo_put(&m, "a", SPAN_LIT("one"), 600000);
    expect_kept(&m, "a", "one");
    expect_kept(&m, "b", "");
    memo_put(&m, "b", SPAN_LIT("two"), 600000);
    expect_kept(&m, "a", "");
    expect_kept(&m, "b", "two");
    /* Its time is over. */
    memo_put(&m, "b", SPAN_LIT("two"), 0);
    expect_kept(&m, "b", "");
    /* What doesn't fit is made anew each time, and nothing older is given in its place. */
    memo_put(&m, "b", SPAN_LIT("nine bytes"), 600000);
    expect_kept(&m, "b", "");
    memo_deinit(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_memo)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
