/* What near rules hit: words of every slot, within so many characters, in one text. */
#include "folder.h"

#define NEAR(more)                                                                                 \
    "near:\n"                                                                                      \
    "  - id: A1-a/near-x\n"                                                                        \
    "    risk: A1-a\n"                                                                             \
    "    within: 12\n"                                                                             \
    "    slots: [[怎么, 如何, how to], [制作, 自制, make], [红墨水, ink]]\n"            \
    "    why: w\n"                                                                                 \
    "    hit: [怎么制作红墨水]\n"                                                           \
    "    miss: [红墨水的历史]\n" more

static void expect(const struct ruleset *s, const char *text, bool hit)
{
    if ((judge(s, text, DIRECTION_PROMPT) == 0) != hit)
        fail_msg("'%s' should %s", text, hit ? "hit" : "not hit");
}

static void test_hits(void **state)
{
    write_file("r/near/n.yaml", NEAR(""));
    struct ruleset *s = expect_load("");
    expect(s, "怎么制作红墨水", true);
    expect(s, "红墨水，自制的话如何？", true);
    expect(s, "请问如何在家里自制一瓶红墨水", true);
    expect(s, "如何make ink", true);
    expect(s, "如何make inks", false);
    expect(s, "怎么制作墨水", false);
    expect(s, "制作红墨水", false);
    /* From the first character of the first word to the last of the last: 12 and 13. */
    expect(s, "怎么一二三四五制作红墨水", true);
    expect(s, "怎么一二三四五六制作红墨水", false);
    struct buf messages = BUF_INIT(4096);
    struct lint_report report;
    assert_int_equal(ruleset_lint(s, &messages, &report), 0);
    assert_int_equal(report.disappoint, 0);
    assert_int_equal(report.samples, 2);
    buf_deinit(&messages);
    ruleset_unref(s);
}

static void test_ordered(void **state)
{
    write_file("r/near/n.yaml", NEAR("    ordered: true\n"));
    struct ruleset *s = expect_load("");
    expect(s, "怎么制作红墨水", true);
    expect(s, "红墨水怎么制作", false);
    ruleset_unref(s);
}

static void test_lint(void **state)
{
    write_file("r/near/n.yaml", "near:\n"
                                "  - {id: A1-a/near-x, risk: A1-a, within: 9, why: w,\n"
                                "     slots: [[怎么], [红墨水]], hit: [红墨水],\n"
                                "     miss: [怎么买红墨水]}\n");
    struct ruleset *s = expect_load("");
    struct buf messages = BUF_INIT(4096);
    struct lint_report report;
    assert_int_equal(ruleset_lint(s, &messages, &report), 0);
    assert_int_equal(report.disappoint, 2);
    assert_span(buf_span(&messages),
                SPAN_LIT("r/near/n.yaml:3:34: A1-a/near-x misses its sample '红墨水'\n"
                         "r/near/n.yaml:4:13: A1-a/near-x hits, but should not hit, its sample "
                         "'怎么买红墨水'\n"));
    buf_deinit(&messages);
    ruleset_unref(s);
}

/* A slot's word stands as little alone as a keyword does. */
static void test_single_character(void **state)
{
    write_file("r/near/n.yaml", "near:\n"
                                "  - {id: A1-a/near-x, risk: A1-a, within: 9, why: w,\n"
                                "     slots: [[怎么], [墨]], hit: [怎么墨], miss: [墨]}\n");
    expect_refused("r/near/n.yaml:3:21: '墨' is a single character, which never stands alone\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(test_hits),
        EACH(test_ordered),
        EACH(test_lint),
        EACH(test_single_character),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
