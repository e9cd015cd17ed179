#include "folder.h"

#include "rules/validate.h"

static void test_keywords(void **state)
{
    write_file("r/keywords/A1-a.txt",
               "\xef\xbb\xbf# a comment\r\n"
               "#!why=The file's reason\r\n"
               "#!direction=prompt\r\n"
               "\r\n"
               "禁语之一\r\n"
               "  forbidden phrase \taction=flag\tdirection=both\t"
               "why=Its own\tsource=imported: a list\tmiss=nothing here\r\n");
    write_file("r/keywords/A1-b.txt", "禁语之一");
    write_file("r/allow/x.txt", "# phrases\n禁语之一二三\twhy=because\n");
    struct ruleset *s = expect_load("");
    assert_int_equal(ruleset_count(s), 3);
    const struct rule *r = ruleset_rule(s, 0);
    assert_span(r->source, SPAN_LIT("禁语之一"));
    assert_span(r->why, SPAN_LIT("The file's reason"));
    assert_span(r->risk->id, SPAN_LIT("A1-a"));
    assert_span(r->file, SPAN_LIT("r/keywords/A1-a.txt"));
    assert_int_equal(r->line, 5);
    assert_int_equal(r->direction, DIRECTION_PROMPT);
    assert_int_equal(r->action, ACTION_DEFAULT);
    assert_int_equal(r->kind, RULE_KEYWORD);
    assert_int_equal(r->id.len, 5 + 8);
    assert_true(span_starts(r->id, SPAN_LIT("A1-a/")));
    const struct rule *other = ruleset_rule(s, 1);
    assert_span(other->source, SPAN_LIT("forbidden phrase"));
    assert_span(other->why, SPAN_LIT("Its own"));
    assert_span(other->from, SPAN_LIT("imported: a list"));
    assert_int_equal(other->action, ACTION_FLAG);
    assert_int_equal(other->direction, DIRECTION_BOTH);
    /* The same word of another risk has the same digits behind another name. */
    const struct rule *twin = ruleset_rule(s, 2);
    assert_span(twin->risk->name_zh, SPAN_LIT("乙"));
    assert_span(span_slice(twin->id, 5, 13), span_slice(r->id, 5, 13));

    assert_int_equal(judge(s, "说一句禁语之一。", DIRECTION_PROMPT), 0);
    assert_int_equal(judge(s, "说一句禁语之一。", DIRECTION_COMPLETION), 2);
    assert_int_equal(judge(s, "禁语之一二三", DIRECTION_PROMPT), UINT32_MAX);
    assert_int_equal(judge(s, "a Forbidden  phrase", DIRECTION_COMPLETION), 1);

    struct lint_report report;
    struct buf messages = BUF_INIT(4096);
    assert_int_equal(ruleset_lint(s, &messages, &report), 0);
    assert_int_equal(report.disappoint, 0);
    assert_int_equal(report.samples, 4);
    buf_deinit(&messages);
    assert_ptr_equal(ruleset_ref(s), s);
    assert_null(ruleset_unref(s));
    assert_null(ruleset_unref(s));
    assert_null(ruleset_unref(NULL));
}

static void test_identity_survives_spelling(void **state)
{
    write_file("r/keywords/A1-a.txt", "Forbidden Phrase\n");
    struct ruleset *a = expect_load("");
    write_file("r/keywords/A1-a.txt", "# moved\n\nＦＯＲＢＩＤＤＥＮ phrase\n");
    struct ruleset *b = expect_load("");
    assert_span(ruleset_rule(a, 0)->id, ruleset_rule(b, 0)->id);
    assert_false(span_eq(ruleset_version(a), ruleset_version(b)));
    ruleset_unref(a);
    ruleset_unref(b);
}

static void test_version(void **state)
{
    write_file("r/keywords/A1-a.txt", "禁语之一\n");
    struct ruleset *a = expect_load("");
    assert_int_equal(ruleset_version(a).len, 17);
    assert_true(span_starts(ruleset_version(a), SPAN_LIT("auto-")));
    write_file("r/README.md", "not part of it");
    struct ruleset *same = expect_load("");
    assert_span(ruleset_version(a), ruleset_version(same));
    /* The same bytes in another file are another library. */
    unlink("r/keywords/A1-a.txt");
    write_file("r/keywords/A1-b.txt", "禁语之一\n");
    struct ruleset *other = expect_load("");
    assert_false(span_eq(ruleset_version(a), ruleset_version(other)));
    ruleset_unref(a);
    ruleset_unref(same);
    ruleset_unref(other);
}

static void test_keyword_errors(void **state)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"词语\twhy\n", "r/keywords/A1-a.txt:1:4: expected key=value, found 'why'\n"},
        {"词语\twhy=\n", "r/keywords/A1-a.txt:1:4: 'why' has no value\n"},
        {"词语\tactoin=flag\n",
         "r/keywords/A1-a.txt:1:4: unknown key 'actoin'; did you mean 'action'?\n"},
        {"词语\tzzzzzzzz=1\n", "r/keywords/A1-a.txt:1:4: unknown key 'zzzzzzzz'\n"},
        {"# x\n词语\taction=stop\n", "r/keywords/A1-a.txt:2:11: 'stop' is no action of a rule: "
                                     "flag, ask, mask, answer or block\n"},
        {"词语\taction=allow\n", "r/keywords/A1-a.txt:1:11: 'allow' is no action of a rule: "
                                 "flag, ask, mask, answer or block\n"},
        {"词语\tdirection=in\n", "r/keywords/A1-a.txt:1:14: 'in' is no direction: prompt, "
                                 "completion or both\n"},
        {"#!direction=x\n词语\n", "r/keywords/A1-a.txt:1:13: 'x' is no direction: prompt, "
                                  "completion or both\n"},
        {"#!hit=x\n词语\n", "r/keywords/A1-a.txt:1:3: unknown key 'hit'\n"},
        {"词语\n#!why=x\n", "r/keywords/A1-a.txt:2:1: defaults must stand before the first word\n"},
        {"  麻\n", "r/keywords/A1-a.txt:1:3: '麻' is a single character, which never stands "
                   "alone\n"},
        {"…\n", "r/keywords/A1-a.txt:1:1: nothing of '…' is left to match\n"},
        {"一二三四五六七八九十一二三四五六七八九十一二三四五六七八九十一二三四五六七八九十一二三四"
         "五六七八九十一二三四五六七八九十一二三四五\n",
         "r/keywords/A1-a.txt:1:1: longer than 64 characters\n"},
        {"词语\n词\xff\n", "r/keywords/A1-a.txt:2:2: not UTF-8\n"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        write_file("r/keywords/A1-a.txt", cases[i].text);
        expect_refused(cases[i].message);
    }
    write_bytes("r/keywords/A1-a.txt", SPAN_LIT("词语\n词\0\n"));
    expect_refused("r/keywords/A1-a.txt:2:2: a NUL byte\n");
}

static void test_repetition_is_a_warning(void **state)
{
    write_file("r/keywords/A1-a.txt", "Bad phrase\n另一词\nＢａｄ　phrase\nbad phrase\n");
    struct ruleset *s = expect_load(
        "r/keywords/A1-a.txt:3:1: warning: 'Ｂａｄ　phrase' is the same as 'Bad phrase' on line 1\n"
        "r/keywords/A1-a.txt:4:1: warning: 'bad phrase' is the same as 'Bad phrase' on line 1\n");
    assert_int_equal(ruleset_count(s), 2);
    ruleset_unref(s);
}

static void test_warnings_leave_room_for_errors(void **state)
{
    struct buf text = BUF_INIT(1u << 20);
    for (unsigned i = 0; i < 5000; i++)
        buf_append(&text, SPAN_LIT("a repeated phrase\n"));
    buf_append(&text, SPAN_LIT("…\n"));
    write_bytes("r/keywords/A1-a.txt", buf_span(&text));
    struct rule_report report = RULE_REPORT_INIT;
    struct ruleset *s = NULL;
    assert_int_equal(ruleset_load(SPAN_LIT("r"), &report, &s), -EINVAL);
    assert_int_equal(report.warnings, 4999);
    assert_int_equal(report.errors, 1);
    struct span told = buf_span(&report.text), end;
    end = SPAN_LIT("r/keywords/A1-a.txt:5001:1: nothing of '…' is left to match\n"
                   "r: warning: 4899 more warnings\n");
    assert_true(told.len > end.len);
    assert_span(span_slice(told, told.len - end.len, told.len), end);
    buf_deinit(&report.text);
    buf_deinit(&text);
}

static void test_allow_errors(void **state)
{
    write_file("r/keywords/A1-a.txt", "词语\n");
    write_file("r/allow/x.txt", "好词\n\n…\n");
    expect_refused("r/allow/x.txt:3:1: nothing of '…' is left to match\n");
    write_file("r/allow/x.txt", "好词\tbad\n");
    expect_refused("r/allow/x.txt:1:4: expected key=value, found 'bad'\n");
}

static void test_files(void **state)
{
    expect_refused("r: there is no rule in it\n");
    write_file("r/keywords/B9.txt", "词语\n");
    expect_refused("r/keywords/B9.txt:1:1: of which risk? The file is called as none, and the line "
                   "has no 'risk='\n");
    unlink("r/keywords/B9.txt");
    write_file("r/keywords/A1-a.txt", "词语\n");
    write_file("r/keywords/A1-b.csv", "词语\n");
    write_file("r/keywords/.hidden", "词语\n");
    mkdir("r/new", 0700);
    ruleset_unref(expect_load("r: warning: 'new' is not read by this version\n"
                              "r/keywords: warning: 'A1-b.csv' is not read: no .txt file\n"));
    unlink("r/risks.yaml");
    expect_refused("r/risks.yaml: can't be read: No such file or directory\n"
                   "r: warning: 'new' is not read by this version\n");

    struct rule_report report = RULE_REPORT_INIT;
    struct ruleset *s = NULL;
    assert_int_equal(ruleset_load(SPAN_LIT("nowhere"), &report, &s), -ENOENT);
    assert_span(buf_span(&report.text),
                SPAN_LIT("nowhere: can't be read: No such file or directory\n"));
    buf_deinit(&report.text);
}

static void test_risks_errors(void **state)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"risks: []\n", "r/risks.yaml:1:1: the key 'groups' is missing\n"
                        "r/risks.yaml:1:8: 'risks' must be a list with at least one entry\n"},
        {"groups: [{id: A1, zh: a, en: b}]\nrisks: [{id: x, group: A2, zh: a, en: b}]\n",
         "r/risks.yaml:2:24: no group is called 'A2'\n"},
        {"groups: [{id: A1, zh: a, en: b}]\nrisks: [{id: x/y, group: A1, zh: a, en: b}]\n",
         "r/risks.yaml:2:9: an id has letters, digits and hyphens only\n"},
        {"groups: [{id: A1, zh: a, en: b}]\n"
         "risks: [{id: x, group: A1, zh: a, en: b},\n"
         "        {id: x, group: A1, zh: a, en: b}]\n",
         "r/risks.yaml:3:9: two risks are called 'x'\n"},
        {"groups: [{id: A1, zh: a, en: b}]\nrisks: [{id: x, grup: A1, zh: a, en: b}]\n",
         "r/risks.yaml:2:17: unknown key 'grup'; did you mean 'group'?\n"
         "r/risks.yaml:2:9: the key 'group' is missing\n"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        write_file("r/risks.yaml", cases[i].text);
        expect_refused(cases[i].message);
    }
}

#define PATTERN(id, regex, more)                                                                   \
    "patterns:\n"                                                                                  \
    "  - id: " id "\n"                                                                             \
    "    risk: pii-phone\n"                                                                        \
    "    regex: '" regex "'\n"                                                                     \
    "    why: w\n"                                                                                 \
    "    hit: ['13800138000']\n"                                                                   \
    "    miss: ['x']\n" more

static void test_pattern(void **state)
{
    write_file("r/patterns/p.yaml",
               PATTERN("pii-phone/x", "(?<![0-9])1[3-9][0-9]{9}(?![0-9])",
                       "    gate: digits\n    width: 11\n    validator: phone\n"
                       "    direction: completion\n    action: block\n"));
    struct ruleset *s = expect_load("");
    assert_int_equal(ruleset_count(s), 1);
    const struct rule *r = ruleset_rule(s, 0);
    assert_int_equal(r->kind, RULE_PATTERN);
    assert_span(r->id, SPAN_LIT("pii-phone/x"));
    assert_int_equal(r->line, 2);
    assert_int_equal(r->direction, DIRECTION_COMPLETION);
    assert_int_equal(r->action, ACTION_BLOCK);
    assert_int_equal(judge(s, "打 13800138000 吧", DIRECTION_COMPLETION), 0);
    assert_int_equal(judge(s, "打 13800138000 吧", DIRECTION_PROMPT), UINT32_MAX);
    assert_int_equal(judge(s, "打 15400138000 吧", DIRECTION_COMPLETION), UINT32_MAX);
    struct lint_report report;
    struct buf messages = BUF_INIT(4096);
    assert_int_equal(ruleset_lint(s, &messages, &report), 0);
    assert_int_equal(report.disappoint, 0);
    assert_int_equal(report.samples, 2);
    buf_deinit(&messages);
    ruleset_unref(s);
}

static void test_pattern_errors(void **state)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {PATTERN("pii-phone/x", "1", "    gate: digits\n"),
         "r/patterns/p.yaml:2:5: the key 'width' is missing\n"},
        {PATTERN("pii-phone/x", "1", "    gate: all\n    width: 5\n"),
         "r/patterns/p.yaml:8:11: 'gate' must be one of: digits, at, literal, colon, word\n"},
        {PATTERN("pii-phone/x", "1", "    gate: digits\n    width: 513\n"),
         "r/patterns/p.yaml:9:12: 'width' must be between 1 and 512\n"},
        {PATTERN("phone/x", "1", "    gate: digits\n    width: 5\n"),
         "r/patterns/p.yaml:2:9: the id must begin with 'pii-phone/'\n"},
        {PATTERN("pii-phone/x", "1", "    gate: digits\n    width: 5\n    validator: zip\n"),
         "r/patterns/p.yaml:10:16: 'zip' is no validator: " VALIDATOR_NAMES "\n"},
        {PATTERN("pii-phone/x", "1[0-9]+", "    gate: digits\n    width: 5\n"),
         "r/patterns/p.yaml:4:12: not usable as a pattern: this repeat has no end; write {0,n} or "
         "{1,n} (character 7 of the regex)\n"},
        {PATTERN("pii-phone/x", "1[0-9]{5}", "    gate: digits\n    width: 5\n"),
         "r/patterns/p.yaml:4:12: not usable as a pattern: its width is too small: a match may "
         "have "
         "6 characters, more than 5\n"},
        {PATTERN("pii-phone/x", "1?", "    gate: digits\n    width: 5\n"),
         "r/patterns/p.yaml:4:12: not usable as a pattern: can match the empty text\n"},
        {PATTERN("pii-phone/x", "1(?=[0-9]{9})", "    gate: digits\n    width: 5\n"),
         "r/patterns/p.yaml:4:12: not usable as a pattern: looks ahead 9 characters, more than "
         "8\n"},
        {PATTERN("pii-phone/x", "(?<=a{17})1", "    gate: digits\n    width: 5\n"),
         "r/patterns/p.yaml:4:12: not usable as a pattern: looks behind further than 16 "
         "characters\n"},
        {PATTERN("pii-phone/x", "1", "    gate: literal\n    width: 5\n"),
         "r/patterns/p.yaml:2:5: 'literal' goes with gate: literal, and only with it\n"},
        {"patterns: [{id: q/x, risk: q, regex: a, gate: at, width: 1, why: w, hit: [a], miss: []}]",
         "r/patterns/p.yaml:1:28: no risk is called 'q'\n"
         "r/patterns/p.yaml:1:12: a rule needs samples: at least one hit and one miss\n"},
        {"patterns: {", "r/patterns/p.yaml:1:12: "},
    };
    write_file("r/keywords/A1-a.txt", "词语\n");
    for (size_t i = 0; i + 1 < sizeof(cases) / sizeof(*cases); i++) {
        write_file("r/patterns/p.yaml", cases[i].text);
        expect_refused(cases[i].message);
    }
    /* What the expression library says about its own errors is its own. */
    write_file("r/patterns/p.yaml",
               PATTERN("pii-phone/x", "(1", "    gate: digits\n    width: 5\n"));
    struct rule_report report = RULE_REPORT_INIT;
    struct ruleset *s = NULL;
    assert_int_equal(ruleset_load(SPAN_LIT("r"), &report, &s), -EINVAL);
    assert_true(span_starts(buf_span(&report.text),
                            SPAN_LIT("r/patterns/p.yaml:4:12: not usable as a pattern: ")));
    buf_deinit(&report.text);
    write_file("r/patterns/p.yaml",
               PATTERN("pii-phone/x", "1", "    gate: digits\n    width: 5\n"));
    write_file("r/patterns/q.yaml",
               PATTERN("pii-phone/x", "1", "    gate: digits\n    width: 5\n"));
    expect_refused("r/patterns/q.yaml:2:9: two rules are called 'pii-phone/x'\n");
    unlink("r/patterns/q.yaml");
    write_file("r/patterns/p.yaml",
               PATTERN("pii-phone/0123abcd", "1", "    gate: digits\n    width: 5\n"));
    expect_refused("r/patterns/p.yaml:2:9: 8 or 16 hex digits are the id of a keyword\n");
}

static void test_lint(void **state)
{
    write_file("r/keywords/A1-a.txt", "坏词语\tmiss=这是坏词语\n好词语\n");
    write_file("r/allow/x.txt", "好词语啊\n");
    write_file("r/keywords/A1-b.txt", "词语二号\thit=没有\n");
    struct ruleset *s = expect_load("");
    struct lint_report report;
    struct buf messages = BUF_INIT(4096);
    assert_int_equal(ruleset_lint(s, &messages, &report), 0);
    assert_int_equal(report.disappoint, 2);
    assert_int_equal(report.samples, 4);
    char want[512];
    snprintf(want, sizeof(want),
             "r/keywords/A1-a.txt:1:1: %.*s hits, but should not hit, its sample '这是坏词语'\n"
             "r/keywords/A1-b.txt:1:1: %.*s misses its sample '没有'\n",
             SPAN_ARG(ruleset_rule(s, 0)->id), SPAN_ARG(ruleset_rule(s, 2)->id));
    assert_span(buf_span(&messages), span_str(want));
    buf_deinit(&messages);
    ruleset_unref(s);
}

static void test_answers(void **state)
{
    write_file("r/keywords/A1-a.txt", "词语\n");
    struct ruleset *s = expect_load("");
    const struct risk *a = ruleset_find_risk(s, SPAN_LIT("A1-a"));
    assert_int_equal(ruleset_answer(s, a, LANGUAGE_ZH).len, 0);
    ruleset_unref(s);
    write_file("r/answers/a.yaml", "answers:\n"
                                   "  - {risk: '*', zh: 全, en: all}\n"
                                   "  - {risk: A1, zh: 组, en: group}\n"
                                   "  - {risk: A1-a, zh: 己, en: own}\n");
    s = expect_load("");
    assert_span(ruleset_answer(s, ruleset_find_risk(s, SPAN_LIT("A1-a")), LANGUAGE_ZH),
                SPAN_LIT("己"));
    assert_span(ruleset_answer(s, ruleset_find_risk(s, SPAN_LIT("A1-b")), LANGUAGE_EN),
                SPAN_LIT("group"));
    assert_span(ruleset_answer(s, ruleset_find_risk(s, SPAN_LIT("pii-phone")), LANGUAGE_BOTH),
                SPAN_LIT("全\nall"));
    ruleset_unref(s);
    write_file("r/answers/a.yaml", "answers: [{risk: A9, zh: a, en: b}]\n");
    expect_refused("r/answers/a.yaml:1:11: no risk or group is called 'A9'\n");
    write_file("r/answers/a.yaml",
               "answers: [{risk: A1, zh: a, en: b}, {risk: A1, zh: a, en: b}]\n");
    expect_refused("r/answers/a.yaml:1:37: two answers are for 'A1'\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(test_keywords),
        EACH(test_identity_survives_spelling),
        EACH(test_version),
        EACH(test_keyword_errors),
        EACH(test_repetition_is_a_warning),
        EACH(test_warnings_leave_room_for_errors),
        EACH(test_allow_errors),
        EACH(test_files),
        EACH(test_risks_errors),
        EACH(test_pattern),
        EACH(test_pattern_errors),
        EACH(test_lint),
        EACH(test_answers),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
