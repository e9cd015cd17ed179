/* Phrases that would have saved a false positive: whole words, and proven by the library. */
#include "../rules/folder.h"

#include "casebook/suggest.h"

#include <string.h>

static int make_rules(void **state)
{
    if (set_up(state) != 0 || fresh(state) != 0)
        return -1;
    write_file("r/keywords/A1-a.txt", "大麻\n");
    return 0;
}

static int suggest(const char *context, const char *match, const char *rule, struct buf *out)
{
    const char *at = strstr(context, match);
    assert_non_null(at);
    struct suggest_hit hit = {.context = span_str(context),
                              .start = (size_t)(at - context),
                              .end = (size_t)(at - context) + strlen(match),
                              .rule = span_str(rule),
                              .direction = DIRECTION_PROMPT};
    buf_clear(out);
    return casebook_suggest(SPAN_LIT("r"), &hit, out);
}

#define MA "A1-a/68c7a9ed"

static void the_shortest_whole_words_are_offered(void **state)
{
    struct buf out = BUF_INIT(1024);
    assert_int_equal(suggest("研究了工业大麻种植的历史。", "大麻", MA, &out), 0);
    /* Two characters more, no half words, nothing beyond the sentence. */
    struct span got = buf_span(&out);
    assert_true(span_find(got, SPAN_LIT("大麻")) < got.len);
    assert_true(got.len >= strlen("大麻") + 2 * 3);
    if (!span_eq(got, SPAN_LIT("工业大麻")) && !span_eq(got, SPAN_LIT("大麻种植")))
        fail_msg("%.*s", SPAN_ARG(got));
    buf_deinit(&out);
}

static void where_nothing_helps_nothing_is_offered(void **state)
{
    struct buf out = BUF_INIT(1024);
    assert_int_equal(suggest("大麻", "大麻", MA, &out), -ENOENT);
    assert_int_equal(suggest("卖 大麻 。", "大麻", MA, &out), -ENOENT);
    assert_int_equal(suggest("电话138****0000大麻***", "大麻", MA, &out), -ENOENT);
    /* Another rule's hit, which the library does not have. */
    assert_int_equal(suggest("研究工业大麻种植", "大麻", "A1-a/ffffffff", &out), -ENOENT);
    /* The match is not where the log says, or cuts a character. */
    struct suggest_hit hit = {.context = SPAN_LIT("大麻"), .start = 3, .end = 9};
    assert_int_equal(casebook_suggest(SPAN_LIT("r"), &hit, &out), -ENOENT);
    assert_int_equal(out.len, 0);
    buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_shortest_whole_words_are_offered),
        cmocka_unit_test(where_nothing_helps_nothing_is_offered),
    };
    return cmocka_run_group_tests(tests, make_rules, tear_down);
}
