/* near/<any>.yaml: what is read and what is refused. What near rules hit is tested in near.c. */
#include "folder.h"

#define NEAR(slots, more)                                                                          \
    "near:\n"                                                                                      \
    "  - id: A1-a/near-x\n"                                                                        \
    "    risk: A1-a\n"                                                                             \
    "    within: 12\n"                                                                             \
    "    slots: " slots "\n"                                                                       \
    "    why: w\n"                                                                                 \
    "    hit: [怎么做坏事]\n"                                                                 \
    "    miss: [好事]\n" more

static void test_read(void **state)
{
    write_file("r/near/n.yaml",
               NEAR("[[怎么, 如何], [做出, 制作], [坏事, 错事, 恶事, 祸事]]",
                    "    see: [pinyin, homophone]\n    direction: prompt\n    action: answer\n"
                    "    apps: [shop]\n    expires: 2999-12-31\n    source: own\n"
                    "    ordered: true\n"));
    struct ruleset *s = expect_load("");
    assert_int_equal(ruleset_count(s), 1);
    const struct rule *r = ruleset_rule(s, 0);
    assert_int_equal(r->kind, RULE_NEAR);
    assert_string_equal(rule_kind_name(r->kind), "near");
    assert_span(r->id, SPAN_LIT("A1-a/near-x"));
    assert_span(r->source, SPAN_LIT("怎么/如何 + 做出/制作 + 坏事/错事/恶事/…"));
    assert_span(r->why, SPAN_LIT("w"));
    assert_span(r->from, SPAN_LIT("own"));
    assert_span(r->file, SPAN_LIT("r/near/n.yaml"));
    assert_int_equal(r->line, 2);
    assert_int_equal(r->direction, DIRECTION_PROMPT);
    assert_int_equal(r->action, ACTION_ANSWER);
    assert_int_equal(r->asked, LAYER_PINYIN | LAYER_HOMOPHONE);
    assert_int_equal(r->app_count, 1);
    assert_true(r->expires > 0);
    struct rule_counts n = ruleset_count_risk(s, r->risk);
    assert_int_equal(n.near, 1);
    assert_int_equal(n.keywords + n.patterns, 0);
    ruleset_unref(s);
}

static void test_errors(void **state)
{
#define GOOD "[[怎么], [坏事]]"
    static const struct {
        const char *text, *message;
    } cases[] = {
        {NEAR(GOOD, "    action: mask\n"),
         "r/near/n.yaml:9:13: near rules never mask, for what is between their words is not "
         "theirs: flag, answer or block\n"},
        {NEAR(GOOD, "    action: allow\n"),
         "r/near/n.yaml:9:13: 'action' must be one of: default, flag, mask, answer, block, ask\n"},
        {NEAR(GOOD, "    ordered: maybe\n"),
         "r/near/n.yaml:9:14: 'ordered' must be true or false\n"},
        {NEAR(GOOD, "    see: [pinyin, width]\n"),
         "r/near/n.yaml:9:19: 'width' is always seen through; a rule may ask for: pinyin, "
         "initials, homophone, shape, split, reversed, leet, inserted, vertical, acrostic\n"},
        {NEAR(GOOD, "    exprires: 2026-12-31\n"),
         "r/near/n.yaml:9:5: unknown key 'exprires'; did you mean 'expires'?\n"},
        {NEAR("[[怎么]]", ""),
         "r/near/n.yaml:5:12: 'slots' must be a list of 2 to 4 lists of words\n"},
        {NEAR("[[怎么], [坏事], [丙丙], [丁丁], [戊戊]]", ""),
         "r/near/n.yaml:5:12: 'slots' must be a list of 2 to 4 lists of words\n"},
        {NEAR("坏事", ""), "r/near/n.yaml:5:12: 'slots' must be a list of 2 to 4 lists of words\n"},
        {NEAR("[[怎么], []]", ""), "r/near/n.yaml:5:19: a slot must be a list of 1 to 256 words\n"},
        {NEAR("[[怎么], 坏事]", ""),
         "r/near/n.yaml:5:19: a slot must be a list of 1 to 256 words\n"},
        {NEAR("[[怎么], [坏事, [x]]]", ""), "r/near/n.yaml:5:24: expected a text, found a list\n"},
        {NEAR("[[怎么], [坏事, …]]", ""), "r/near/n.yaml:5:24: nothing of '…' is left to match\n"},
        {"near:\n"
         "  - {id: A1-b/x, risk: A1-a, within: 1, slots: [[甲甲], [乙乙]], why: w, hit: [], miss: "
         "[a]}\n",
         "r/near/n.yaml:2:38: 'within' must be between 2 and 256\n"},
        {"near:\n"
         "  - {id: A1-b/x, risk: A1-a, within: 9, slots: [[甲甲], [乙乙]], why: w, hit: [], miss: "
         "[a]}\n",
         "r/near/n.yaml:2:10: the id must begin with 'A1-a/'\n"
         "r/near/n.yaml:2:5: a rule needs samples: at least one hit and one miss\n"},
        {"near: [{id: A1-a/x}]\n", "r/near/n.yaml:1:8: the key 'risk' is missing\n"
                                   "r/near/n.yaml:1:8: the key 'why' is missing\n"
                                   "r/near/n.yaml:1:8: the key 'hit' is missing\n"
                                   "r/near/n.yaml:1:8: the key 'miss' is missing\n"
                                   "r/near/n.yaml:1:8: the key 'within' is missing\n"
                                   "r/near/n.yaml:1:8: the key 'slots' is missing\n"},
    };
    write_file("r/keywords/A1-a.txt", "词语\n");
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        write_file("r/near/n.yaml", cases[i].text);
        expect_refused(cases[i].message);
    }
    /* A word for each slot too many. */
    struct buf text = BUF_INIT(65536);
    buf_append(&text, SPAN_LIT("near: [{id: A1-a/x, risk: A1-a, within: 9, why: w, hit: [a], "
                               "miss: [b],\n slots: [[甲甲], ["));
    for (unsigned i = 0; i < 257; i++)
        buf_printf(&text, "%sword%u", i ? "," : "", i);
    buf_append(&text, SPAN_LIT("]]}]\n"));
    write_bytes("r/near/n.yaml", buf_span(&text));
    expect_refused("r/near/n.yaml:2:16: a slot must be a list of 1 to 256 words\n");
    buf_deinit(&text);
}

static void test_names(void **state)
{
    write_file("r/near/n.yaml", NEAR(GOOD, ""));
    write_file("r/near/m.yaml", NEAR(GOOD, ""));
    expect_refused("r/near/n.yaml:2:9: two rules are called 'A1-a/near-x'\n");
    unlink("r/near/m.yaml");
    write_file("r/patterns/p.yaml",
               "patterns: [{id: A1-a/near-x, risk: A1-a, regex: '1', gate: digits, width: 1,\n"
               "            why: w, hit: ['1'], miss: [x]}]\n");
    expect_refused("r/patterns/p.yaml:1:17: two rules are called 'A1-a/near-x'\n");
}

static void test_version(void **state)
{
    write_file("r/keywords/A1-a.txt", "词语\n");
    struct ruleset *a = expect_load("");
    write_file("r/near/n.yaml", NEAR(GOOD, ""));
    struct ruleset *b = expect_load("");
    assert_false(span_eq(ruleset_version(a), ruleset_version(b)));
    ruleset_unref(a);
    ruleset_unref(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(test_read),
        EACH(test_errors),
        EACH(test_names),
        EACH(test_version),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
