/* What lint finds: samples that disappoint, and what can never do anything. */
#include "folder.h"

static struct lint_report lint(struct ruleset *s, struct buf *messages)
{
    struct lint_report report;
    buf_clear(messages);
    assert_int_equal(ruleset_lint(s, messages, &report), 0);
    ruleset_unref(s);
    return report;
}

static void test_file_misses(void **state)
{
    struct buf messages = BUF_INIT(65536);
    write_file("r/keywords/A1-a.txt", "#!miss=一句平常的话\n#!miss=坏词语典\n坏词语\n另一个\n");
    write_file("r/keywords/A1-b.txt", "平常的话\n");
    struct lint_report report = lint(expect_load(""), &messages);
    assert_int_equal(report.samples, 5); /* three words, two misses of the first file */
    assert_int_equal(report.disappoint, 1);
    assert_true(span_starts(buf_span(&messages), SPAN_LIT("r/keywords/A1-a.txt:2:8: A1-a/")));
    assert_true(span_find(buf_span(&messages), SPAN_LIT("hits, but should not hit, '坏词语典'")) <
                messages.len);
    buf_deinit(&messages);
}

/* An ordinary text may be listed for review and lose a phone number, no more. */
static void test_ordinary_texts(void **state)
{
    struct buf messages = BUF_INIT(65536);
    mkdir("r/benign", 0700);
    write_file("r/keywords/A1-a.txt", "可疑的话\taction=flag\n坏词语\n");
    write_file("r/keywords/pii-phone.txt", "电话号码\n");
    write_file("r/benign/zh.txt", "# ours\n说了可疑的话\n我的电话号码\n坏词语在这里\n\n没有什么\n");
    struct ruleset *s = expect_load("");
    struct place at;
    assert_int_equal(ruleset_benign_count(s), 4);
    assert_span(ruleset_benign(s, 3, &at), SPAN_LIT("没有什么"));
    assert_int_equal(at.line, 6);
    struct lint_report report = lint(s, &messages);
    assert_int_equal(report.samples, 3 + 4);
    assert_int_equal(report.disappoint, 1);
    assert_true(span_starts(buf_span(&messages), SPAN_LIT("r/benign/zh.txt:4:1: A1-a/")));
    buf_deinit(&messages);
}

static void test_does_nothing(void **state)
{
    struct buf messages = BUF_INIT(65536);
    write_file("r/keywords/A1-a.txt",
               "坏词语\n很坏的坏词语啊\n别的坏词语\taction=flag\n旧词语\texpires=2020-01-01\n");
    write_file("r/keywords/A1-b.txt", "坏词语的邻居\n");
    write_file("r/near/A1-a.yaml",
               "near: [{id: A1-a/near, risk: A1-a, why: w, within: 9, slots: [[怎么], [炸弹]],\n"
               "        hit: [怎么炸弹], miss: [炸弹]}]\n");
    write_file("r/allow/x.txt", "坏词语典\n炸弹人\n毫无关系\n");
    write_file("r/allow/y.txt", "#!why=For lists\n#!for=imports\n也无关系\n");
    write_file("r/allow/z.txt", "还是无关\tfor=imports\twhy=likewise\n");
    struct lint_report report =
        lint(expect_load("r/keywords/A1-a.txt:4:13: warning: expired on 2020-01-01\n"), &messages);
    assert_int_equal(report.disappoint, 0);
    assert_int_equal(report.doubts, 3);
    static const char *const want[] = {
        "r/keywords/A1-a.txt:2:1: warning: '很坏的坏词语啊' adds nothing: within it already hits "
        "坏词语\n",
        "r/keywords/A1-a.txt:4:1: warning: 'A1-a/",
        "' can never hit: it has expired\n",
        "r/allow/x.txt:3:1: warning: '毫无关系' saves nothing: no rule hits within it\n",
    };
    for (size_t i = 0; i < sizeof(want) / sizeof(*want); i++)
        if (span_find(buf_span(&messages), span_str(want[i])) == messages.len)
            fail_msg("%s in %s", want[i], buf_cstr(&messages));
    buf_deinit(&messages);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(test_file_misses),
        EACH(test_ordinary_texts),
        EACH(test_does_nothing),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
