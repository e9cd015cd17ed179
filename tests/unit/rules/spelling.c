/*
 * What a rule asks for reaches the match set: its layers, the tables of variants/, and a near
 * rule's width in letters, digits and Han characters.
 */
#include "folder.h"

#define NEAR(more)                                                                                 \
    "near: [{id: A1-a/near-x, risk: A1-a, within: 12, slots: [[怎么], [红墨水]], why: w,\n"   \
    "        hit: [怎么红墨水], miss: [墨水]" more "}]\n"

static void expect(const struct ruleset *s, const char *text, bool hit)
{
    if ((judge(s, text, DIRECTION_PROMPT) == 0) != hit)
        fail_msg("'%s' should %s", text, hit ? "hit" : "not hit");
}

static void test_near(void **state)
{
    write_file("r/near/n.yaml", NEAR(""));
    struct ruleset *s = expect_load("");
    expect(s, "怎么hongmoshui", false);
    ruleset_unref(s);
    write_file("r/near/n.yaml", NEAR(", see: [pinyin]"));
    s = expect_load("");
    expect(s, "怎么hongmoshui", true);
    assert_int_equal(matchset_asked(ruleset_matchset(s), 0), LAYER_PINYIN);
    ruleset_unref(s);
}

/* What folding takes away doesn't count: blanks must not carry a rule's words apart. */
static void test_width(void **state)
{
    write_file("r/near/n.yaml", NEAR(""));
    struct ruleset *s = expect_load("");
    expect(s, "怎么一二三四五六七红墨水", true);
    expect(s, "怎么一二三四五六七八红墨水", false);
    expect(s, "怎 么 一 二 三 四 五 六 七 红 墨 水", true);
    expect(s, "怎么………………红·墨·水", true);
    ruleset_unref(s);
}

static void test_keyword(void **state)
{
    write_file("r/keywords/A1-a.txt", "红墨水\tsee=pinyin\n白墨水\n");
    struct ruleset *s = expect_load("");
    assert_int_equal(judge(s, "一瓶 hong mo shui", DIRECTION_PROMPT), 0);
    assert_int_equal(judge(s, "一瓶 bai mo shui", DIRECTION_PROMPT), UINT32_MAX);
    assert_int_equal(matchset_asked(ruleset_matchset(s), 0), LAYER_PINYIN);
    assert_int_equal(matchset_asked(ruleset_matchset(s), 1), 0);
    ruleset_unref(s);
}

static void test_variants(void **state)
{
    write_file("r/variants/split.txt", "墨\t黑土\n");
    write_file("r/variants/shape.txt", "己已巳\n");
    write_file("r/keywords/A1-a.txt", "红墨水\tsee=split\n知己坏话\tsee=shape\n");
    struct ruleset *s = expect_load("");
    assert_int_equal(judge(s, "一瓶红黑土水", DIRECTION_PROMPT), 0);
    assert_int_equal(judge(s, "说知已坏话", DIRECTION_PROMPT), 1);
    ruleset_unref(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(test_near),
        EACH(test_width),
        EACH(test_keyword),
        EACH(test_variants),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
