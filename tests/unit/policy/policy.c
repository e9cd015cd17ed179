#include "../unit.h"

#include "policy/policy.h"

/* A rule set of our own behind the functions of rules/ruleset.h that the policy uses. */
static const struct risk risks[] = {
    {.id = SPAN_LIT("A1-a"), .group = SPAN_LIT("A1")},
    {.id = SPAN_LIT("A1-b"), .group = SPAN_LIT("A1")},
    {.id = SPAN_LIT("attack-leak"), .group = SPAN_LIT("attack")},
    {.id = SPAN_LIT("pii-phone"), .group = SPAN_LIT("pii")},
    {.id = SPAN_LIT("other"), .group = SPAN_LIT("other")},
};
static const struct span two_apps[] = {SPAN_LIT("shop"), SPAN_LIT("blog")};
enum {
    A1A,
    A1B,
    LEAK,
    PHONE,
    OTHER,
    A1A_FLAG,
    PHONE_BLOCK,
    NEAR_PHONE,
    NEAR_MASK,
    SHOP,
    ENDS,
    ENDS_LATER,
    LAST,
    RULES
};
static const struct rule rules[RULES] = {
    [A1A] = {.risk = &risks[0], .action = ACTION_DEFAULT},
    [A1B] = {.risk = &risks[1], .action = ACTION_DEFAULT},
    [LEAK] = {.risk = &risks[2], .action = ACTION_DEFAULT},
    [PHONE] = {.risk = &risks[3], .action = ACTION_DEFAULT},
    [OTHER] = {.risk = &risks[4], .action = ACTION_DEFAULT},
    [A1A_FLAG] = {.risk = &risks[0], .action = ACTION_FLAG},
    [PHONE_BLOCK] = {.risk = &risks[3], .action = ACTION_BLOCK},
    [NEAR_PHONE] = {.risk = &risks[3], .action = ACTION_DEFAULT, .kind = RULE_NEAR},
    [NEAR_MASK] = {.risk = &risks[0], .action = ACTION_MASK, .kind = RULE_NEAR},
    [SHOP] = {.risk = &risks[0], .action = ACTION_DEFAULT, .apps = two_apps, .app_count = 2},
    [ENDS] = {.risk = &risks[0], .action = ACTION_DEFAULT, .expires = 1000},
    [ENDS_LATER] = {.risk = &risks[3], .action = ACTION_MASK, .expires = 2000},
    [LAST] = {.risk = &risks[3], .action = ACTION_DEFAULT},
};

/* Other rules, for one test. */
static const struct rule *doubtful;
static size_t doubtful_count;

size_t ruleset_count(const struct ruleset *s)
{
    return doubtful ? doubtful_count : RULES;
}

const struct rule *ruleset_rule(const struct ruleset *s, uint32_t index)
{
    return doubtful ? &doubtful[index] : &rules[index];
}

size_t ruleset_risk_count(const struct ruleset *s)
{
    return sizeof(risks) / sizeof(*risks);
}

const struct risk *ruleset_risk(const struct ruleset *s, size_t index)
{
    return &risks[index];
}

/* The rows of every configuration, as config.c builds them in. */
#define BUILT_IN                                                                                   \
    {.risk = SPAN_LIT("A1"), .prompt = ACTION_BLOCK, .completion = ACTION_BLOCK},                  \
        {.risk = SPAN_LIT("attack-*"), .prompt = ACTION_BLOCK, .completion = ACTION_FLAG},         \
    {                                                                                              \
        .risk = SPAN_LIT("pii-*"), .prompt = ACTION_FLAG, .completion = ACTION_MASK                \
    }
#define COUNT(rows) (sizeof(rows) / sizeof(*(rows)))

static void expect(struct config_action *rows, size_t count, uint32_t rule, enum action prompt,
                   enum action completion)
{
    struct config_app app = {.name = SPAN_LIT("default"),
                             .policy = {.actions = rows, .action_count = count}};
    struct policy *p = NULL;
    assert_int_equal(policy_new(&app, NULL, &p), 0);
    assert_int_equal(policy_decide(p, rule, DIRECTION_PROMPT, 0), prompt);
    assert_int_equal(policy_decide(p, rule, DIRECTION_COMPLETION, 0), completion);
    policy_free(p);
}

static void test_built_in(void **state)
{
    struct config_action rows[] = {BUILT_IN};
    expect(rows, COUNT(rows), A1A, ACTION_BLOCK, ACTION_BLOCK);
    expect(rows, COUNT(rows), LEAK, ACTION_BLOCK, ACTION_FLAG);
    expect(rows, COUNT(rows), PHONE, ACTION_FLAG, ACTION_MASK);
    expect(rows, COUNT(rows), OTHER, ACTION_BLOCK, ACTION_BLOCK);
    expect(rows, COUNT(rows), A1A_FLAG, ACTION_FLAG, ACTION_FLAG);
    expect(rows, COUNT(rows), PHONE_BLOCK, ACTION_BLOCK, ACTION_BLOCK);
    expect(rows, COUNT(rows), RULES, ACTION_BLOCK, ACTION_BLOCK);
    expect(NULL, 0, A1A, ACTION_BLOCK, ACTION_BLOCK);
}

static void test_closest_row(void **state)
{
    struct config_action rows[] = {
        {SPAN_LIT("*"), ACTION_ALLOW, ACTION_ALLOW, ORIGIN_GLOBAL},
        {SPAN_LIT("A*"), ACTION_FLAG, ACTION_FLAG, ORIGIN_GLOBAL},
        {SPAN_LIT("A1-a"), ACTION_ANSWER, ACTION_DEFAULT, ORIGIN_GLOBAL},
        {SPAN_LIT("A1"), ACTION_MASK, ACTION_MASK, ORIGIN_GLOBAL},
        BUILT_IN,
    };
    expect(rows, COUNT(rows), A1A, ACTION_ANSWER, ACTION_MASK);
    expect(rows, COUNT(rows), A1B, ACTION_MASK, ACTION_MASK);
    expect(rows, COUNT(rows), PHONE, ACTION_ALLOW, ACTION_ALLOW);
    rows[3].risk = SPAN_LIT("none");
    expect(rows, COUNT(rows), A1B, ACTION_FLAG, ACTION_FLAG); /* the longer prefix */
}

static void test_origins(void **state)
{
    struct config_action rows[] = {
        {SPAN_LIT("A1"), ACTION_DEFAULT, ACTION_FLAG, ORIGIN_APP},
        {SPAN_LIT("A1-a"), ACTION_ANSWER, ACTION_ANSWER, ORIGIN_GLOBAL},
        {SPAN_LIT("pii-*"), ACTION_BLOCK, ACTION_DEFAULT, ORIGIN_GLOBAL},
        BUILT_IN,
    };
    /* The app's group outranks the global id, in the direction that it speaks for. */
    expect(rows, COUNT(rows), A1A, ACTION_ANSWER, ACTION_FLAG);
    expect(rows, COUNT(rows), A1B, ACTION_BLOCK, ACTION_FLAG);
    expect(rows, COUNT(rows), PHONE, ACTION_BLOCK, ACTION_MASK);
}

static void test_rules_own_action(void **state)
{
    struct config_action rows[] = {
        {SPAN_LIT("A1"), ACTION_BLOCK, ACTION_BLOCK, ORIGIN_APP},
        {SPAN_LIT("A1-a"), ACTION_BLOCK, ACTION_BLOCK, ORIGIN_GLOBAL},
        BUILT_IN,
    };
    expect(rows, COUNT(rows), A1A_FLAG, ACTION_FLAG, ACTION_FLAG);
    rows[0].risk = SPAN_LIT("A1-a"); /* the app, by id */
    expect(rows, COUNT(rows), A1A_FLAG, ACTION_BLOCK, ACTION_BLOCK);
    rows[0].completion = ACTION_DEFAULT;
    expect(rows, COUNT(rows), A1A_FLAG, ACTION_BLOCK, ACTION_FLAG);
}

static void test_near_never_masks(void **state)
{
    struct config_action rows[] = {BUILT_IN};
    expect(rows, COUNT(rows), PHONE, ACTION_FLAG, ACTION_MASK);
    expect(rows, COUNT(rows), NEAR_PHONE, ACTION_FLAG, ACTION_BLOCK);
    expect(rows, COUNT(rows), NEAR_MASK, ACTION_BLOCK, ACTION_BLOCK);
}

static void test_apps(void **state)
{
    struct config_action rows[] = {BUILT_IN};
    static const struct {
        struct span name;
        enum action action;
    } cases[] = {
        {SPAN_LIT("shop"), ACTION_BLOCK},
        {SPAN_LIT("blog"), ACTION_BLOCK},
        {SPAN_LIT("default"), ACTION_ALLOW},
        {SPAN_LIT("sho"), ACTION_ALLOW},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct config_app app = {.name = cases[i].name,
                                 .policy = {.actions = rows, .action_count = COUNT(rows)}};
        struct policy *p = NULL;
        assert_int_equal(policy_new(&app, NULL, &p), 0);
        assert_int_equal(policy_decide(p, SHOP, DIRECTION_PROMPT, 0), cases[i].action);
        assert_int_equal(policy_decide(p, SHOP, DIRECTION_COMPLETION, 0), cases[i].action);
        /* What stands beside it is for all. */
        assert_int_equal(policy_decide(p, A1A_FLAG, DIRECTION_PROMPT, 0), ACTION_FLAG);
        assert_int_equal(policy_decide(p, ENDS, DIRECTION_PROMPT, 0), ACTION_BLOCK);
        policy_free(p);
    }
}

static void test_expiry(void **state)
{
    struct config_action rows[] = {BUILT_IN};
    struct config_app app = {.policy = {.actions = rows, .action_count = COUNT(rows)}};
    struct policy *p = NULL;
    assert_int_equal(policy_new(&app, NULL, &p), 0);
    assert_int_equal(policy_decide(p, ENDS, DIRECTION_PROMPT, 999), ACTION_BLOCK);
    assert_int_equal(policy_decide(p, ENDS, DIRECTION_PROMPT, 1000), ACTION_ALLOW);
    assert_int_equal(policy_decide(p, ENDS, DIRECTION_COMPLETION, INT64_MAX), ACTION_ALLOW);
    assert_int_equal(policy_decide(p, ENDS_LATER, DIRECTION_COMPLETION, 1000), ACTION_MASK);
    assert_int_equal(policy_decide(p, ENDS_LATER, DIRECTION_COMPLETION, 2000), ACTION_ALLOW);
    assert_int_equal(policy_decide(p, LAST, DIRECTION_COMPLETION, INT64_MAX), ACTION_MASK);
    assert_int_equal(policy_decide(p, A1A, DIRECTION_PROMPT, INT64_MAX), ACTION_BLOCK);
    policy_free(p);
    policy_free(NULL);
}

/* A request may ask for stricter: what is flagged interferes, nothing is only observed. */
static void test_strict(void **state)
{
    struct config_action rows[] = {
        {SPAN_LIT("A1-b"), ACTION_ALLOW, ACTION_ANSWER, ORIGIN_APP},
        BUILT_IN,
    };
    struct config_observe observes[] = {{.risk = SPAN_LIT("A1-a"), .until = 100}};
    struct config_app app = {.policy = {.actions = rows,
                                        .action_count = COUNT(rows),
                                        .observes = observes,
                                        .observe_count = 1}};
    struct policy *p = NULL, *s = NULL;
    assert_int_equal(policy_new(&app, NULL, &p), 0);
    assert_int_equal(policy_new_strict(p, &s), 0);
    static const struct {
        uint32_t rule;
        enum action prompt, completion, strict_prompt, strict_completion;
    } cases[] = {
        {A1A, ACTION_BLOCK, ACTION_BLOCK, ACTION_BLOCK, ACTION_BLOCK},
        {A1A_FLAG, ACTION_FLAG, ACTION_FLAG, ACTION_BLOCK, ACTION_BLOCK},
        {PHONE, ACTION_FLAG, ACTION_MASK, ACTION_MASK, ACTION_MASK},
        {NEAR_PHONE, ACTION_FLAG, ACTION_BLOCK, ACTION_BLOCK, ACTION_BLOCK},
        {A1B, ACTION_ALLOW, ACTION_ANSWER, ACTION_ALLOW, ACTION_ANSWER},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint32_t r = cases[i].rule;
        assert_int_equal(policy_decide(p, r, DIRECTION_PROMPT, 0), cases[i].prompt);
        assert_int_equal(policy_decide(p, r, DIRECTION_COMPLETION, 0), cases[i].completion);
        assert_int_equal(policy_decide(s, r, DIRECTION_PROMPT, 0), cases[i].strict_prompt);
        assert_int_equal(policy_decide(s, r, DIRECTION_COMPLETION, 0), cases[i].strict_completion);
        for (enum direction d = DIRECTION_PROMPT; d <= DIRECTION_COMPLETION; d++)
            assert_true(policy_decide(s, r, d, 0) >= policy_decide(p, r, d, 0));
    }
    assert_true(policy_observes(p, A1A, 50));
    assert_false(policy_observes(s, A1A, 50));
    assert_int_equal(policy_decide(s, ENDS, DIRECTION_PROMPT, 1000), ACTION_ALLOW);
    policy_free(s);
    policy_free(p);
}

static struct policy_reason reason_of(const struct config_app *app, uint32_t rule, int64_t now)
{
    return policy_reason(app, &rules[rule], DIRECTION_COMPLETION, now);
}

static void test_reasons(void **state)
{
    struct config_action rows[] = {
        {SPAN_LIT("A1-b"), ACTION_DEFAULT, ACTION_FLAG, ORIGIN_APP},
        BUILT_IN,
    };
    struct config_app app = {.name = SPAN_LIT("default"),
                             .policy = {.actions = rows, .action_count = COUNT(rows)}};
    assert_ptr_equal(reason_of(&app, A1B, 0).row, &rows[0]);
    assert_ptr_equal(policy_reason(&app, &rules[A1B], DIRECTION_PROMPT, 0).row, &rows[1]);
    assert_int_equal(reason_of(&app, PHONE, 0).by, REASON_ROW);
    assert_false(reason_of(&app, PHONE, 0).near);
    assert_ptr_equal(reason_of(&app, NEAR_PHONE, 0).row, &rows[3]);
    assert_true(reason_of(&app, NEAR_PHONE, 0).near);
    assert_int_equal(reason_of(&app, NEAR_MASK, 0).by, REASON_RULE);
    assert_true(reason_of(&app, NEAR_MASK, 0).near);
    assert_int_equal(reason_of(&app, A1A_FLAG, 0).by, REASON_RULE);
    assert_null(reason_of(&app, A1A_FLAG, 0).row);
    assert_int_equal(reason_of(&app, OTHER, 0).by, REASON_NO_ROW);
    assert_int_equal(reason_of(&app, SHOP, 0).by, REASON_OTHER_APP);
    assert_int_equal(reason_of(&app, ENDS, 999).by, REASON_ROW);
    assert_int_equal(reason_of(&app, ENDS, 1000).by, REASON_EXPIRED);
}

/* Rows that name one rule: above the rule's own action, the app's above all. */
static void test_rule_rows(void **state)
{
    static const struct rule list[] = {
        {.id = SPAN_LIT("A1-a/x"), .risk = &risks[0], .action = ACTION_DEFAULT},
        {.id = SPAN_LIT("A1-a/y"), .risk = &risks[0], .action = ACTION_DEFAULT},
        {.id = SPAN_LIT("A1-a/z"), .risk = &risks[0], .action = ACTION_FLAG},
        {.id = SPAN_LIT("A1-a/w"), .risk = &risks[0], .action = ACTION_DEFAULT},
    };
    doubtful = list;
    doubtful_count = COUNT(list);
    struct config_action global[] = {
        {SPAN_LIT("A1-a/y"), ACTION_ANSWER, ACTION_DEFAULT, ORIGIN_GLOBAL},
        {SPAN_LIT("A1-a/z"), ACTION_MASK, ACTION_MASK, ORIGIN_GLOBAL},
        BUILT_IN,
    };
    expect(global, COUNT(global), 0, ACTION_BLOCK, ACTION_BLOCK);
    expect(global, COUNT(global), 1, ACTION_ANSWER, ACTION_BLOCK);
    expect(global, COUNT(global), 2, ACTION_MASK, ACTION_MASK);
    expect(global, COUNT(global), 3, ACTION_BLOCK, ACTION_BLOCK);
    struct config_action app[] = {
        {SPAN_LIT("A1-a/z"), ACTION_BLOCK, ACTION_BLOCK, ORIGIN_APP},
        {SPAN_LIT("A1"), ACTION_FLAG, ACTION_FLAG, ORIGIN_APP},
        global[0],
        global[1],
        BUILT_IN,
    };
    expect(app, COUNT(app), 0, ACTION_FLAG, ACTION_FLAG);
    expect(app, COUNT(app), 1, ACTION_ANSWER, ACTION_FLAG);
    expect(app, COUNT(app), 2, ACTION_BLOCK, ACTION_BLOCK);
    struct config_action exact[] = {
        {SPAN_LIT("A1-a"), ACTION_FLAG, ACTION_FLAG, ORIGIN_APP},
        global[0],
        BUILT_IN,
    };
    expect(exact, COUNT(exact), 1, ACTION_FLAG, ACTION_FLAG);
    doubtful = NULL;
}

static void test_observed(void **state)
{
    static const struct rule list[] = {
        {.id = SPAN_LIT("A1-a/x"), .risk = &risks[0], .action = ACTION_DEFAULT},
        {.id = SPAN_LIT("A1-a/y"), .risk = &risks[0], .action = ACTION_DEFAULT, .expires = 150},
        {.id = SPAN_LIT("A1-b/z"), .risk = &risks[1], .action = ACTION_DEFAULT},
    };
    doubtful = list;
    doubtful_count = COUNT(list);
    struct config_action rows[] = {BUILT_IN};
    struct config_observe observes[] = {
        {.risk = SPAN_LIT("A1-a"), .until = 100},
        {.risk = SPAN_LIT("A1-a/y"), .until = 200},
    };
    struct config_app app = {.policy = {.actions = rows,
                                        .action_count = COUNT(rows),
                                        .observes = observes,
                                        .observe_count = COUNT(observes)}};
    struct policy *p = NULL;
    assert_int_equal(policy_new(&app, NULL, &p), 0);
    assert_true(policy_observes(p, 0, 99));
    assert_false(policy_observes(p, 0, 100));
    assert_true(policy_observes(p, 1, 199));
    assert_false(policy_observes(p, 1, 200));
    assert_false(policy_observes(p, 2, 0));
    assert_false(policy_observes(p, 3, 0)); /* of another set: nobody may profit */
    /* What would be done is told all the while. */
    assert_int_equal(policy_decide(p, 0, DIRECTION_PROMPT, 50), ACTION_BLOCK);
    assert_int_equal(policy_decide(p, 1, DIRECTION_PROMPT, 149), ACTION_BLOCK);
    assert_int_equal(policy_decide(p, 1, DIRECTION_PROMPT, 150), ACTION_ALLOW);
    assert_int_equal(policy_decide(p, 0, DIRECTION_PROMPT, 1000000), ACTION_BLOCK);
    assert_int_equal(policy_reason(&app, &list[0], DIRECTION_PROMPT, 50).observed, 100);
    assert_int_equal(policy_reason(&app, &list[0], DIRECTION_PROMPT, 100).observed, 0);
    policy_free(p);
    doubtful = NULL;
}

static void test_weakenings(void **state)
{
    struct config_action rows[] = {BUILT_IN};
    struct config_action open[] = {{SPAN_LIT("*"), ACTION_ALLOW, ACTION_DEFAULT, ORIGIN_APP},
                                   {SPAN_LIT("A1-b"), ACTION_DEFAULT, ACTION_FLAG, ORIGIN_APP},
                                   BUILT_IN};
    struct config_app apps[] = {
        {.name = SPAN_LIT("default"), .policy = {.actions = rows, .action_count = COUNT(rows)}},
        {.name = SPAN_LIT("lax"), .policy = {.actions = open, .action_count = COUNT(open)}},
    };
    struct config config = {.apps = apps, .app_count = 2};
    struct buf out = BUF_INIT(4096);
    assert_int_equal(policy_weakenings(&config, NULL, &out), 2);
    assert_span(buf_span(&out),
                SPAN_LIT("app lax: in prompts A1-a and 1 more types are let through or only "
                         "flagged\napp lax: in answers A1-b is let through or only flagged\n"));
    buf_deinit(&out);
}

static void test_check(void **state)
{
    struct config_action global[] = {
        {SPAN_LIT("A1-z"), ACTION_FLAG, ACTION_FLAG, ORIGIN_GLOBAL, {SPAN_LIT("c.yaml"), 3, 5}},
        {SPAN_LIT("pii-*"), ACTION_FLAG, ACTION_FLAG, ORIGIN_GLOBAL, {SPAN_LIT("c.yaml"), 4, 5}},
        {SPAN_LIT("A5"), ACTION_FLAG, ACTION_FLAG, ORIGIN_BUILT_IN},
    };
    struct config_action own[] = {
        {SPAN_LIT("pix-*"), ACTION_FLAG, ACTION_FLAG, ORIGIN_APP, {SPAN_LIT("p.yaml"), 1, 2}},
        global[0],
    };
    struct config_app apps[] = {
        {.name = SPAN_LIT("default"), .policy = {.actions = global, .action_count = 3}},
        {.name = SPAN_LIT("a"), .policy = {.actions = own, .action_count = 2}},
    };
    struct config config = {.policy = apps[0].policy, .apps = apps, .app_count = 2};
    struct buf messages = BUF_INIT(4096);
    assert_int_equal(policy_check(&config, NULL, &messages), 2);
    assert_span(buf_span(&messages),
                SPAN_LIT("c.yaml:3:5: no risk of the rules is called 'A1-z'\n"
                         "p.yaml:1:2: no risk of the rules is called 'pix-*'\n"));
    buf_deinit(&messages);
}

static void test_doubts(void **state)
{
    static const struct span other[] = {SPAN_LIT("wiki")};
    struct config_app apps_there[] = {{.name = SPAN_LIT("default")}, {.name = SPAN_LIT("shop")}};
    struct config config = {.apps = apps_there, .app_count = 2, .rules_dir = SPAN_LIT("rules")};
    static const struct span file = SPAN_LIT("k.txt");
    struct rule list[] = {
        {.risk = &risks[0], .file = file, .line = 1, .column = 1, .apps = two_apps, .app_count = 2},
        {.risk = &risks[0], .file = file, .line = 2, .column = 1, .apps = two_apps, .app_count = 2},
        {.risk = &risks[0], .file = file, .line = 3, .column = 1, .asked = LAYER_VERTICAL},
        {.risk = &risks[0], .file = file, .line = 4, .column = 2, .asked = LAYER_ACROSTIC},
        {.risk = &risks[0], .file = file, .line = 5, .column = 1, .asked = LAYER_PINYIN},
        {.risk = &risks[0],
         .file = SPAN_LIT("l.txt"),
         .line = 6,
         .column = 1,
         .apps = other,
         .app_count = 1,
         .asked = LAYER_VERTICAL},
    };
    for (size_t i = 0; i < COUNT(list); i++)
        list[i].direction = i == 2 ? DIRECTION_PROMPT : DIRECTION_BOTH;
    struct buf messages = BUF_INIT(65536);
    doubtful = list;
    doubtful_count = COUNT(list);
    assert_int_equal(policy_doubts(&config, NULL, &messages), 4);
    assert_span(
        buf_span(&messages),
        SPAN_LIT("k.txt:1:1: warning: the configuration has no app blog\n"
                 "k.txt:4:2: warning: on streamed answers these layers do not run: vertical, "
                 "acrostic\n"
                 "l.txt:6:1: warning: the configuration has no app wiki\n"
                 "l.txt:6:1: warning: on streamed answers these layers do not run: vertical, "
                 "acrostic\n"));
    buf_clear(&messages);
    doubtful_count = 0;
    struct config_text texts[] = {
        {SPAN_LIT("user_suspended"),
         SPAN_LIT("{until} {Until}, {until}"),
         ORIGIN_GLOBAL,
         {SPAN_LIT("c"), 1, 1}},
        {SPAN_LIT("user_warned"), SPAN_LIT("bis {until} {"), ORIGIN_GLOBAL, {SPAN_LIT("c"), 2, 1}},
        {SPAN_LIT("content_filter"), SPAN_LIT("{app} no"), ORIGIN_APP, {SPAN_LIT("c"), 3, 1}},
    };
    config.policy.texts = texts;
    config.policy.text_count = 3;
    assert_int_equal(policy_doubts(&config, NULL, &messages), 2);
    assert_span(
        buf_span(&messages),
        SPAN_LIT("c:1:1: warning: '{Until}' in the text of user_suspended stays as it is: "
                 "{until}, in user_limited and user_suspended, is all that is filled in\n"
                 "c:2:1: warning: '{until}' in the text of user_warned stays as it is: "
                 "{until}, in user_limited and user_suspended, is all that is filled in\n"));
    config.policy.text_count = 0;
    buf_clear(&messages);
    /* Many of one kind are counted. */
    static struct rule many[60];
    static struct span own[60];
    for (size_t i = 0; i < 60; i++) {
        own[i] = SPAN_LIT("wiki");
        many[i] = (struct rule){
            .file = file, .line = (unsigned)i + 1, .column = 1, .apps = &own[i], .app_count = 1};
    }
    doubtful = many;
    doubtful_count = 60;
    assert_int_equal(policy_doubts(&config, NULL, &messages), 60);
    struct span end = SPAN_LIT("k.txt:50:1: warning: the configuration has no app wiki\n"
                               "rules: warning: 10 more rules like these\n");
    assert_true(messages.len > end.len);
    assert_span(span_slice(buf_span(&messages), messages.len - end.len, messages.len), end);
    doubtful = NULL;
    buf_deinit(&messages);
}

/* Risks that sources and rows name must be there. */
static void test_opinions_name_risks(void **state)
{
    struct config_category categories[] = {
        {.name = SPAN_LIT("x"), .risk = SPAN_LIT("A1-a"), .at = {SPAN_LIT("c"), 1, 1}},
        {.name = SPAN_LIT("y"), .risk = SPAN_LIT("gone"), .at = {SPAN_LIT("c"), 2, 1}},
    };
    struct config_opinion source = {.name = SPAN_LIT("guard"),
                                    .risk = SPAN_LIT("A1"),
                                    .categories = categories,
                                    .category_count = 2,
                                    .at = {SPAN_LIT("c"), 3, 1}};
    struct config_asking rows[] = {
        {.source = &source, .risk = SPAN_LIT("A1"), .at = {SPAN_LIT("c"), 4, 1}},
        {.source = &source, .risk = SPAN_LIT("B*"), .at = {SPAN_LIT("c"), 5, 1}},
    };
    struct config_app app = {.name = SPAN_LIT("default"),
                             .policy = {.askings = rows, .asking_count = COUNT(rows)}};
    struct config config = {.opinions = &source, .opinion_count = 1, .apps = &app, .app_count = 1};
    config.policy = app.policy; /* the app has the global rows: they are told once */
    struct buf messages = BUF_INIT(4096);
    assert_int_equal(policy_check(&config, NULL, &messages), 3);
    assert_span(buf_span(&messages), SPAN_LIT("c:3:1: no risk of the rules is called 'A1'\n"
                                              "c:2:1: no risk of the rules is called 'gone'\n"
                                              "c:5:1: no risk of the rules is called 'B*'\n"));
    buf_deinit(&messages);
}

static void test_alerts_name_risks(void **state)
{
    struct config_alert_rate rates[] = {
        {.risk = SPAN_LIT("*"), .per_minute = 1, .at = {SPAN_LIT("c"), 1, 1}},
        {.risk = SPAN_LIT("A1"), .per_minute = 1, .at = {SPAN_LIT("c"), 2, 1}},
        {.risk = SPAN_LIT("B1"), .per_minute = 1, .at = {SPAN_LIT("c"), 3, 1}},
    };
    struct config config = {.alerts = {.rates = rates, .rate_count = COUNT(rates)}};
    struct buf messages = BUF_INIT(4096);
    assert_int_equal(policy_check(&config, NULL, &messages), 1);
    assert_span(buf_span(&messages), SPAN_LIT("c:3:1: no risk of the rules is called 'B1'\n"));
    buf_deinit(&messages);
}

/* What a source says of a category, to an action, by the row that names the risk the closest. */
static void test_opinions(void **state)
{
    static struct config_category categories[] = {{SPAN_LIT("Violent"), SPAN_LIT("A1-a")},
                                                  {SPAN_LIT("Leak"), SPAN_LIT("attack-leak")}};
    static const struct config_opinion guard = {.name = SPAN_LIT("guard"),
                                                .risk = SPAN_LIT("other"),
                                                .categories = categories,
                                                .category_count = 2},
                                       second = {.name = SPAN_LIT("second"),
                                                 .risk = SPAN_LIT("A1-b")};
    struct config_asking rows[] = {
        {.source = &guard, .risk = SPAN_LIT("*"), .direction = 2, .flag = 10, .block = 90},
        {.source = &guard, .risk = SPAN_LIT("A1"), .direction = 0, .answer = 50},
        {.source = &guard, .risk = SPAN_LIT("A1-a"), .direction = 2, .block = 30, .when = 1},
        {.source = &second, .risk = SPAN_LIT("*"), .direction = 2, .block = 1},
    };
    struct config_app app = {.name = SPAN_LIT("default"),
                             .policy = {.askings = rows, .asking_count = COUNT(rows)}};
    struct policy *p = NULL;
    assert_int_equal(policy_new(&app, NULL, &p), 0);
    static const struct {
        uint32_t rows;
        enum direction direction;
        const char *category;
        unsigned percent;
        enum action want;
        const char *risk;
    } cases[] = {
        {1, DIRECTION_PROMPT, "Violent", 9, ACTION_ALLOW, "A1-a"},
        {1, DIRECTION_PROMPT, "Violent", 10, ACTION_FLAG, "A1-a"},
        {1, DIRECTION_PROMPT, "Violent", 90, ACTION_BLOCK, "A1-a"},
        {1, DIRECTION_PROMPT, "violent", 90, ACTION_BLOCK, "other"},
        {3, DIRECTION_PROMPT, "Violent", 49, ACTION_ALLOW, "A1-a"},     /* the group's row */
        {3, DIRECTION_PROMPT, "Violent", 95, ACTION_ANSWER, "A1-a"},    /* alone counts */
        {3, DIRECTION_COMPLETION, "Violent", 95, ACTION_BLOCK, "A1-a"}, /* which is for prompts */
        {7, DIRECTION_PROMPT, "Violent", 30, ACTION_BLOCK, "A1-a"},
        {7, DIRECTION_PROMPT, "Leak", 30, ACTION_FLAG, "attack-leak"},
        {8, DIRECTION_PROMPT, "Violent", 100, ACTION_ALLOW, "A1-a"}, /* another's row */
        {0, DIRECTION_PROMPT, "Violent", 100, ACTION_ALLOW, "A1-a"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct risk *risk;
        struct policy_said said = {.source = &guard,
                                   .rows = cases[i].rows,
                                   .direction = cases[i].direction,
                                   .category = span_str(cases[i].category),
                                   .percent = cases[i].percent};
        enum action got = policy_opinion(p, &said, &risk);
        if (got != cases[i].want)
            fail_msg("case %zu: %s", i, action_name(got));
        assert_span(risk->id, span_str(cases[i].risk));
    }
    /* Only what a rule of the action ask hits has its rows ask. */
    assert_int_equal(policy_asks(p, A1A, DIRECTION_PROMPT), 0);
    assert_int_equal(policy_asks(p, RULES, DIRECTION_PROMPT), 0);
    policy_free(p);
    struct config_action actions[] = {
        {SPAN_LIT("A1-a"), ACTION_ASK, ACTION_BLOCK, ORIGIN_GLOBAL},
        {SPAN_LIT("A1-b"), ACTION_ASK, ACTION_ASK, ORIGIN_GLOBAL},
    };
    app.policy.actions = actions;
    app.policy.action_count = COUNT(actions);
    assert_int_equal(policy_new(&app, NULL, &p), 0);
    assert_int_equal(policy_decide(p, A1A, DIRECTION_PROMPT, 0), ACTION_FLAG);
    assert_int_equal(policy_asks(p, A1A, DIRECTION_PROMPT), 1 << 2);
    assert_int_equal(policy_asks(p, A1A, DIRECTION_COMPLETION), 0);
    assert_int_equal(policy_asks(p, A1B, DIRECTION_PROMPT), 0); /* no such row waits for it */
    assert_int_equal(policy_decide(p, A1B, DIRECTION_COMPLETION, 0), ACTION_FLAG);
    struct policy *strict;
    assert_int_equal(policy_new_strict(p, &strict), 0);
    const struct risk *risk;
    struct policy_said said = {&guard, 1, DIRECTION_PROMPT, SPAN_LIT("Leak"), 20};
    assert_int_equal(policy_opinion(strict, &said, &risk), ACTION_BLOCK);
    policy_free(strict);
    policy_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_opinions),
        cmocka_unit_test(test_opinions_name_risks),
        cmocka_unit_test(test_alerts_name_risks),
        cmocka_unit_test(test_built_in),
        cmocka_unit_test(test_closest_row),
        cmocka_unit_test(test_origins),
        cmocka_unit_test(test_rules_own_action),
        cmocka_unit_test(test_near_never_masks),
        cmocka_unit_test(test_apps),
        cmocka_unit_test(test_expiry),
        cmocka_unit_test(test_strict),
        cmocka_unit_test(test_reasons),
        cmocka_unit_test(test_rule_rows),
        cmocka_unit_test(test_observed),
        cmocka_unit_test(test_weakenings),
        cmocka_unit_test(test_check),
        cmocka_unit_test(test_doubts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
