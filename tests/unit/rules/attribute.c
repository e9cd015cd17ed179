/* What a rule says about itself: how far it is seen, for whom it counts, until when. */
#include "folder.h"

#define ASKED                                                                                      \
    "pinyin, initials, homophone, shape, split, reversed, leet, inserted, vertical, acrostic"

#define NOR_TIME "and no time such as 2026-12-31T15:04+08:00\n"

static void test_keyword(void **state)
{
    write_file("r/keywords/A1-a.txt", "#!see=pinyin\n"
                                      "#!apps=shop,blog\n"
                                      "#!expires=2999-12-31\n"
                                      "词语甲\n"
                                      "词语乙\tsee=homophone , leet\tapps= wiki \t"
                                      "expires=2996-02-29\n"
                                      "词语丙\tsee=none\n");
    struct ruleset *s = expect_load("");
    const struct rule *r = ruleset_rule(s, 0);
    assert_int_equal(r->asked, LAYER_PINYIN);
    assert_int_equal(r->app_count, 2);
    assert_span(r->apps[0], SPAN_LIT("shop"));
    assert_span(r->apps[1], SPAN_LIT("blog"));
    assert_true(r->expires == 32503651200); /* date -d '3000-01-01 00:00 +0800' +%s */
    r = ruleset_rule(s, 1);
    assert_int_equal(r->asked, LAYER_HOMOPHONE | LAYER_LEET);
    assert_int_equal(r->app_count, 1);
    assert_span(r->apps[0], SPAN_LIT("wiki"));
    assert_true(r->expires == 32382604800); /* date -d '2996-03-01 00:00 +0800' +%s */
    assert_int_equal(ruleset_rule(s, 2)->asked, 0);
    ruleset_unref(s);
    write_file("r/keywords/A1-a.txt", "词语甲\n");
    s = expect_load("");
    assert_int_equal(ruleset_rule(s, 0)->asked, 0);
    assert_int_equal(ruleset_rule(s, 0)->app_count, 0);
    assert_int_equal(ruleset_rule(s, 0)->expires, 0);
    ruleset_unref(s);
}

static void test_all_layers(void **state)
{
    for (unsigned i = 0; i < LAYER_COUNT; i++) {
        char text[64];
        snprintf(text, sizeof(text), "词语甲\tsee=%s\n", layer_name(i));
        write_file("r/keywords/A1-a.txt", text);
        if (LAYERS_ASKED >> i & 1) {
            struct ruleset *s = expect_load("");
            assert_int_equal(ruleset_rule(s, 0)->asked, UINT32_C(1) << i);
            ruleset_unref(s);
        } else {
            char message[256];
            snprintf(message, sizeof(message),
                     "r/keywords/A1-a.txt:1:9: '%s' is always seen through; a rule may ask "
                     "for: " ASKED "\n",
                     layer_name(i));
            expect_refused(message);
        }
    }
}

static void test_expired(void **state)
{
    write_file("r/keywords/A1-a.txt", "词语甲\texpires=2001-01-31\n词语乙\n");
    struct ruleset *s = expect_load("r/keywords/A1-a.txt:1:13: warning: expired on 2001-01-31\n");
    /* Loaded all the same: that it no longer counts is for the policy to say. */
    assert_int_equal(ruleset_count(s), 2);
    assert_true(ruleset_rule(s, 0)->expires == 980956800); /* 2001-02-01 00:00 +0800 */
    ruleset_unref(s);
    /* A file's default is one warning, however many words follow. */
    write_file("r/keywords/A1-a.txt", "#!expires=2001-01-31\n词语甲\n词语乙\n");
    ruleset_unref(expect_load("r/keywords/A1-a.txt:1:11: warning: expired on 2001-01-31\n"));
}

static void test_errors(void **state)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"词语\tsee=pinyin,homofone\n", "r/keywords/A1-a.txt:1:15: no layer is called 'homofone'; "
                                        "did you mean 'homophone'? There are: " ASKED "\n"},
        {"词语\tsee=everything\n",
         "r/keywords/A1-a.txt:1:8: no layer is called 'everything'; there are: " ASKED "\n"},
        {"词语\tsee=pinyin,\n",
         "r/keywords/A1-a.txt:1:15: no layer is called ''; there are: " ASKED "\n"},
        {"词语\tapps=a,,b\n", "r/keywords/A1-a.txt:1:11: the name of an app has 1 to 64 bytes\n"},
        {"词语\texpires=2026-02-29\n",
         "r/keywords/A1-a.txt:1:12: '2026-02-29' is no date such as 2026-12-31 " NOR_TIME},
        {"词语\texpires=2026-13-01\n",
         "r/keywords/A1-a.txt:1:12: '2026-13-01' is no date such as 2026-12-31 " NOR_TIME},
        {"词语\texpires=2026-00-10\n",
         "r/keywords/A1-a.txt:1:12: '2026-00-10' is no date such as 2026-12-31 " NOR_TIME},
        {"词语\texpires=2026-1-1\n",
         "r/keywords/A1-a.txt:1:12: '2026-1-1' is no date such as 2026-12-31 " NOR_TIME},
        {"词语\texpires=2026-12-3l\n",
         "r/keywords/A1-a.txt:1:12: '2026-12-3l' is no date such as 2026-12-31 " NOR_TIME},
        {"词语\texpires=soon\n",
         "r/keywords/A1-a.txt:1:12: 'soon' is no date such as 2026-12-31 " NOR_TIME},
        {"#!exprires=2999-01-01\n词语\n",
         "r/keywords/A1-a.txt:1:3: unknown key 'exprires'; did you mean 'expires'?\n"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        write_file("r/keywords/A1-a.txt", cases[i].text);
        expect_refused(cases[i].message);
    }
    /* An innocent phrase is innocent for everybody and for good. */
    write_file("r/keywords/A1-a.txt", "词语\n");
    write_file("r/allow/x.txt", "好词语\texpires=2999-01-01\n");
    expect_refused("r/allow/x.txt:1:5: unknown key 'expires'\n");
}

static void test_repetition(void **state)
{
    write_file("r/keywords/A1-a.txt", "词语甲\tapps=shop\tmiss=无\n"
                                      "词语乙\n"
                                      "词-语甲\thit=词语甲\n"
                                      "词语丙\thit=词语丙丙\n"
                                      "词语乙\twhy=twice\n");
    struct ruleset *s = expect_load(
        "r/keywords/A1-a.txt:3:1: warning: '词-语甲' is the same as '词语甲' on line 1, "
        "whose attributes hold\n"
        "r/keywords/A1-a.txt:5:1: warning: '词语乙' is the same as '词语乙' on line 2\n");
    assert_int_equal(ruleset_count(s), 3);
    assert_span(ruleset_rule(s, 2)->source, SPAN_LIT("词语丙"));
    assert_int_equal(judge(s, "说词语丙", DIRECTION_PROMPT), 2);
    /* The samples of what is kept still belong to it: its own word, the miss; the word; the hit. */
    struct lint_report report;
    struct buf messages = BUF_INIT(4096);
    assert_int_equal(ruleset_lint(s, &messages, &report), 0);
    assert_int_equal(report.disappoint, 0);
    assert_int_equal(report.samples, 4);
    buf_deinit(&messages);
    ruleset_unref(s);
}

static void test_blank_before_an_attribute(void **state)
{
    write_file("r/keywords/A1-a.txt", "词语甲 see=pinyin\n"
                                      "a word of =\n"
                                      "词语乙\tsee=pinyin\n"
                                      "if x = see why=not\twhy=of code\n");
    ruleset_unref(expect_load("r/keywords/A1-a.txt:1:5: warning: 'see=' is read as part of the "
                              "word: put a tab before an attribute\n"
                              "r/keywords/A1-a.txt:4:12: warning: 'why=' is read as part of the "
                              "word: put a tab before an attribute\n"));
}

static void test_pattern(void **state)
{
#define PATTERN(more)                                                                              \
    "patterns: [{id: pii-phone/x, risk: pii-phone, regex: '1', gate: digits, width: 1, why: w,\n"  \
    "            hit: ['1'], miss: [x],\n            " more "}]\n"
    write_file("r/patterns/p.yaml", PATTERN("apps: [shop, blog], expires: 2999-12-31"));
    struct ruleset *s = expect_load("");
    const struct rule *r = ruleset_rule(s, 0);
    assert_int_equal(r->asked, 0);
    assert_int_equal(r->app_count, 2);
    assert_span(r->apps[1], SPAN_LIT("blog"));
    assert_true(r->expires == 32503651200);
    ruleset_unref(s);
    write_file("r/patterns/p.yaml", PATTERN("expires: '2001-01-31'"));
    ruleset_unref(expect_load("r/patterns/p.yaml:3:22: warning: expired on 2001-01-31\n"));
    write_file("r/patterns/p.yaml", PATTERN("expires: '2026-02-29'"));
    expect_refused("r/patterns/p.yaml:3:22: '2026-02-29' is no date such as 2026-12-31 " NOR_TIME);
    write_file("r/patterns/p.yaml", PATTERN("apps: [a, '']"));
    expect_refused("r/patterns/p.yaml:3:23: the name of an app has 1 to 64 bytes\n");
    write_file("r/patterns/p.yaml", PATTERN("apps: shop"));
    expect_refused("r/patterns/p.yaml:3:19: 'apps' must be a list of texts\n");
    write_file("r/patterns/p.yaml", PATTERN("see: [pinyin]"));
    expect_refused("r/patterns/p.yaml:3:13: unknown key 'see'\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(test_keyword),
        EACH(test_all_layers),
        EACH(test_expired),
        EACH(test_errors),
        EACH(test_repetition),
        EACH(test_pattern),
        EACH(test_blank_before_an_attribute),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
