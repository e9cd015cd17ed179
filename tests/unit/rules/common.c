/* Which words are everyday ones. */
#include "../unit.h"

#include "rules/common.h"

static struct common *c;

static int unpack(void **state)
{
    c = common_new();
    return c ? 0 : -1;
}

static int release(void **state)
{
    common_free(c);
    common_free(NULL);
    return 0;
}

static bool is_everyday(const char *word)
{
    struct common_rate rate;
    return common_word(c, span_str(word), &rate) && common_is_everyday(&rate);
}

static void knows_everyday_words(void **state)
{
    static const char *const words[] = {"一个", "信息", "学生", "手机", "公司", "时间", "人民",
                                        "我们", "可以", "问题", "北京", "音乐", "的"};
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
        if (!is_everyday(words[i]))
            fail_msg("%s is no everyday word", words[i]);
}

static void knows_words_that_mean_harm(void **state)
{
    static const char *const words[] = {"海洛因", "冰毒", "炸药", "毒品", "嫖娼",   "卖淫",
                                        "贩毒",   "淫秽", "大麻", "雷管", "摇头丸", "办证"};
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
        if (is_everyday(words[i]))
            fail_msg("%s is an everyday word", words[i]);
    /* Characters alone don't tell. */
    assert_true(is_everyday("病毒"));
    assert_true(is_everyday("子弹"));
}

static void knows_what_stands_in_or_across_words(void **state)
{
    struct common_rate rate;
    assert_true(common_word(c, SPAN_LIT("我们的"), &rate));
    assert_true(rate.across > 5);
    assert_true(is_everyday("是中国"));
    assert_true(common_word(c, SPAN_LIT("共和"), &rate)); /* of 共和国 too */
    double part = rate.within;
    assert_true(common_word(c, SPAN_LIT("共和国"), &rate));
    assert_true(part > rate.within);
    assert_true(common_word(c, SPAN_LIT("龘龘"), &rate));
    assert_true(rate.within == 0 && rate.across == 0);
    assert_false(common_is_everyday(&rate));
}

static void reads_words_as_they_are_matched(void **state)
{
    struct common_rate plain, other;
    assert_true(common_word(c, SPAN_LIT("学生"), &plain));
    static const char *const ways[] = {"學生", "学 生", "学\xe2\x80\x8b生", "【学】生"};
    for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
        assert_true(common_word(c, span_str(ways[i]), &other));
        assert_true(other.within == plain.within && other.across == plain.across);
    }
    static const char *const others[] = {"",    "abc", "3P", "学生abc", "…", "一二三四五六七八九",
                                         "\xff"};
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
        assert_false(common_word(c, span_str(others[i]), &other));
    assert_true(common_word(c, SPAN_LIT("全国人民代表大会"), &other)); /* eight letters */
    assert_true(other.within > 1);
}

static void knows_everyday_english(void **state)
{
    assert_true(common_is_english(c, SPAN_LIT("this")));
    assert_true(common_is_english(c, SPAN_LIT("zone")));
    assert_true(common_is_english(c, SPAN_LIT("government")));
    static const char *const others[] = {
        "", "thi", "This", "thiss", "qwzx", "this is", "heroin", "averyveryverylongwordindeed"};
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
        assert_false(common_is_english(c, span_str(others[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_everyday_words),
        cmocka_unit_test(knows_words_that_mean_harm),
        cmocka_unit_test(knows_what_stands_in_or_across_words),
        cmocka_unit_test(knows_everyday_english),
        cmocka_unit_test(reads_words_as_they_are_matched),
    };
    return cmocka_run_group_tests(tests, unpack, release);
}
