/* The rule that nobody writes. */
#include "folder.h"

static void test_built_in(void **state)
{
    write_file("r/risks.yaml", "groups: [{id: attack, zh: 攻, en: attack}]\n"
                               "risks:\n"
                               "  - {id: attack-leak, group: attack, zh: 甲, en: a}\n"
                               "  - {id: attack-encoding, group: attack, zh: 乙, en: b}\n");
    write_file("r/keywords/attack-leak.txt", "词语\n");
    struct ruleset *s = expect_load("");
    assert_int_equal(ruleset_count(s), 2);
    const struct rule *r = ruleset_rule(s, 1);
    assert_span(r->id, SPAN_LIT("attack-encoding/payload"));
    assert_span(r->risk->id, SPAN_LIT("attack-encoding"));
    assert_int_equal(r->kind, RULE_PAYLOAD);
    assert_string_equal(rule_kind_name(r->kind), "payload");
    assert_int_equal(r->action, ACTION_DEFAULT);
    assert_int_equal(r->direction, DIRECTION_BOTH);
    assert_span(r->why, SPAN_LIT("a payload that decodes to something forbidden"));
    struct rule_counts n = ruleset_count_risk(s, r->risk);
    assert_int_equal(n.keywords + n.patterns + n.near, 0);
    assert_int_equal(ruleset_count_risk(s, ruleset_risk(s, 0)).keywords, 1);
    struct lint_report report;
    struct buf messages = BUF_INIT(4096);
    assert_int_equal(ruleset_lint(s, &messages, &report), 0);
    assert_int_equal(report.disappoint, 0);
    assert_int_equal(report.samples, 1);
    buf_deinit(&messages);
    ruleset_unref(s);

    write_file("r/patterns/p.yaml",
               "patterns: [{id: attack-encoding/payload, risk: attack-encoding, regex: '1',\n"
               "            gate: digits, width: 1, why: w, hit: ['1'], miss: [x]}]\n");
    expect_refused("r/patterns/p.yaml:1:17: 'attack-encoding/payload' is built in\n");
    unlink("r/patterns/p.yaml");
    /* It alone is no library. */
    unlink("r/keywords/attack-leak.txt");
    expect_refused("r: there is no rule in it\n");
}

static void test_without_its_risk(void **state)
{
    write_file("r/keywords/A1-a.txt", "词语\n");
    struct ruleset *s = expect_load("");
    assert_int_equal(ruleset_count(s), 1);
    ruleset_unref(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {EACH(test_built_in), EACH(test_without_its_risk)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
