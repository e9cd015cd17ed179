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
enum { A1A, A1B, LEAK, PHONE, OTHER, A1A_FLAG, PHONE_BLOCK, RULES };
static const struct rule rules[RULES] = {
    [A1A] = {.risk = &risks[0], .action = ACTION_DEFAULT},
    [A1B] = {.risk = &risks[1], .action = ACTION_DEFAULT},
    [LEAK] = {.risk = &risks[2], .action = ACTION_DEFAULT},
    [PHONE] = {.risk = &risks[3], .action = ACTION_DEFAULT},
    [OTHER] = {.risk = &risks[4], .action = ACTION_DEFAULT},
    [A1A_FLAG] = {.risk = &risks[0], .action = ACTION_FLAG},
    [PHONE_BLOCK] = {.risk = &risks[3], .action = ACTION_BLOCK},
};

size_t ruleset_count(const struct ruleset *s)
{
    return RULES;
}

const struct rule *ruleset_rule(const struct ruleset *s, uint32_t index)
{
    return &rules[index];
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
    struct config_policy config = {.actions = rows, .action_count = count};
    struct policy *p = NULL;
    assert_int_equal(policy_new(&config, NULL, &p), 0);
    assert_int_equal(policy_decide(p, rule, DIRECTION_PROMPT), prompt);
    assert_int_equal(policy_decide(p, rule, DIRECTION_COMPLETION), completion);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_built_in), cmocka_unit_test(test_closest_row),
        cmocka_unit_test(test_origins),  cmocka_unit_test(test_rules_own_action),
        cmocka_unit_test(test_check),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
