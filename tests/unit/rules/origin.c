/* Where a rule comes from, and whether it counts: source, risk, quarantine, forced. */
#include "folder.h"

static const struct rule *find(const struct ruleset *s, const char *word)
{
    for (uint32_t i = 0; i < ruleset_count(s); i++)
        if (span_eq(ruleset_rule(s, i)->source, span_str(word)))
            return ruleset_rule(s, i);
    fail_msg("no rule for %s", word);
    return NULL;
}

static void test_source(void **state)
{
    write_file("r/keywords/A1-a.txt", "#!source=law: 某法第一条\n甲词语\n乙词语\tsource=imported: "
                                      "五月的表\n丙词语\tsource=own\n");
    write_file("r/keywords/A1-b.txt", "丁词语\n");
    struct ruleset *s = expect_load("");
    assert_int_equal(find(s, "甲词语")->origin, RULE_LAW);
    assert_span(find(s, "甲词语")->from, SPAN_LIT("law: 某法第一条"));
    assert_int_equal(find(s, "乙词语")->origin, RULE_IMPORTED);
    assert_int_equal(find(s, "丙词语")->origin, RULE_OWN);
    assert_int_equal(find(s, "丁词语")->origin, RULE_OWN);
    ruleset_unref(s);
    write_file("r/keywords/A1-b.txt", "丁词语\tsource=somewhere\n");
    expect_refused("r/keywords/A1-b.txt:1:12: a source begins with own, imported or law, such as "
                   "'imported: the list of May', found 'somewhere'\n");
}

/* One file may hold words of several risks: that of an import. */
static void test_risk(void **state)
{
    write_file("r/keywords/list.txt", "甲词语\trisk=A1-a\n乙词语\trisk=A1-b\n");
    struct ruleset *s = expect_load("");
    assert_span(find(s, "乙词语")->risk->id, SPAN_LIT("A1-b"));
    assert_true(judge(s, "有甲词语", DIRECTION_PROMPT) != UINT32_MAX);
    ruleset_unref(s);
    write_file("r/keywords/list.txt", "#!risk=A1-b\n甲词语\trisk=A1-a\n乙词语\n");
    s = expect_load("");
    assert_span(find(s, "乙词语")->risk->id, SPAN_LIT("A1-b"));
    assert_span(find(s, "甲词语")->risk->id, SPAN_LIT("A1-a"));
    ruleset_unref(s);
    static const struct {
        const char *text, *want;
    } bad[] = {
        {"甲词语\n乙词语\n",
         "r/keywords/list.txt:1:1: of which risk? The file is called as none, and "
         "the line has no 'risk='\n"},
        {"甲词语\trisk=Z9\n", "r/keywords/list.txt:1:10: no risk is called 'Z9'\n"},
        {"甲词语\trisk=A1-a\tquarantine=x\tforced=y\n",
         "r/keywords/list.txt:1:1: either quarantined or forced\n"},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        write_file("r/keywords/list.txt", bad[i].text);
        expect_refused(bad[i].want);
    }
    unlink("r/keywords/list.txt");
    write_file("r/keywords/A1-a.txt", "甲词语\trisk=A1-b\n");
    expect_refused("r/keywords/A1-a.txt:1:10: this file's words are of A1-a, as its name says\n");
}

static void test_quarantine(void **state)
{
    write_file("r/keywords/A1-a.txt", "好词语\n");
    write_file("r/keywords/list.txt",
               "#!risk=A1-a\n#!source=imported: a list\n"
               "信息\tquarantine=an everyday word\n一个词\tforced=asked for\n坏词语\n");
    struct ruleset *s = expect_load("");
    assert_span(find(s, "信息")->quarantine, SPAN_LIT("an everyday word"));
    assert_span(find(s, "一个词")->forced, SPAN_LIT("asked for"));
    assert_int_equal(judge(s, "有信息", DIRECTION_BOTH), UINT32_MAX);
    assert_true(judge(s, "有一个词", DIRECTION_BOTH) != UINT32_MAX);
    struct rule_counts n = ruleset_count_risk(s, find(s, "信息")->risk);
    assert_int_equal(n.keywords, 3);
    assert_int_equal(n.quarantined, 1);
    assert_int_equal(n.repeated, 0);
    struct buf messages = BUF_INIT(4096);
    struct lint_report report;
    assert_int_equal(ruleset_lint(s, &messages, &report), 0);
    assert_int_equal(report.disappoint, 0); /* it need not hit itself */
    buf_deinit(&messages);
    ruleset_unref(s);
}

/* What a person wrote counts, although a list that was read before it has the word in quarantine.
 */
static void test_quarantine_yields(void **state)
{
    write_file("r/keywords/A1-a-list.txt", "#!risk=A1-a\n坏词语\tquarantine=everyday\n");
    write_file("r/keywords/A1-a.txt", "坏词语\n");
    struct ruleset *s =
        expect_load("r/keywords/A1-a-list.txt:2:1: warning: '坏词语' is the same as "
                    "'坏词语' on line 1 of r/keywords/A1-a.txt, whose attributes hold\n");
    assert_int_equal(ruleset_count(s), 1);
    assert_int_equal(find(s, "坏词语")->quarantine.len, 0);
    assert_int_equal(ruleset_count_risk(s, find(s, "坏词语")->risk).repeated, 1);
    assert_true(judge(s, "有坏词语", DIRECTION_PROMPT) != UINT32_MAX);
    ruleset_unref(s);
}

static void test_standard(void **state)
{
    write_file(
        "r/risks.yaml",
        "standard: {name: GB/T 1, zh: 标准, keyword_min: 100, content_min: 20, refuse_min: 5,\n"
        "           answer_min: 6}\n"
        "aspects: [{zh: 历史, en: History, answer_min: 3}]\n"
        "groups: [{id: A1, zh: 一, en: one}]\n"
        "risks: [{id: A1-a, group: A1, zh: 甲, en: a, keyword_min: 9, content_min: 8,\n"
        "         refuse_min: 7}]\n");
    write_file("r/keywords/A1-a.txt", "坏词语\n");
    struct ruleset *s = expect_load("");
    const struct standard *st = ruleset_standard(s);
    assert_span(st->name, SPAN_LIT("GB/T 1"));
    assert_int_equal(st->keyword_min, 100);
    assert_int_equal(st->keyword_days, 7);
    assert_int_equal(st->question_days, 31);
    assert_int_equal(ruleset_aspect_count(s), 1);
    assert_span(ruleset_aspect(s, 0)->en, SPAN_LIT("History"));
    assert_int_equal(ruleset_risk(s, 0)->content_min, 8);
    assert_int_equal(ruleset_risk(s, 0)->refuse_min, 7);
    ruleset_unref(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(test_source),   EACH(test_risk), EACH(test_quarantine), EACH(test_quarantine_yields),
        EACH(test_standard),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
