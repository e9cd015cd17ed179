/* What counts in a filing, and what doesn't. */
#include "fixture.h"

static const struct library_entry *find(const struct library *l, const char *word, const char *risk)
{
    for (size_t i = 0; i < l->count; i++)
        if (span_eq(l->entries[i].rule->source, span_str(word)) &&
            span_eq(l->entries[i].rule->risk->id, span_str(risk)))
            return &l->entries[i];
    fail_msg("no %s", word);
    return NULL;
}

static void test_classes(void **state)
{
    struct library l;
    assert_int_equal(library_read(rules, &config->apps[0], NOW, &l), 0);
    static const struct {
        const char *word, *risk;
        enum library_class class;
    } want[] = {
        {"坏词语", "A1-a", LIBRARY_COUNTED},       {"坏词语", "A1-b", LIBRARY_COUNTED},
        {"很坏的坏词语", "A1-a", LIBRARY_DERIVED}, {"可疑词语", "A1-a", LIBRARY_FLAGGED},
        {"旧的词语", "A1-b", LIBRARY_EXPIRED},     {"店里的词", "A1-b", LIBRARY_SCOPED},
        {"观察的词", "A1-b", LIBRARY_OBSERVED},    {"信息", "A1-b", LIBRARY_QUARANTINED},
        {"另一个坏词", "A1-b", LIBRARY_COUNTED},   {"只管回答的词", "A1-b", LIBRARY_COUNTED},
        {"忽略指令吧", "attack-x", LIBRARY_AXIS},  {"abc[0-9]", "A2-a", LIBRARY_PATTERN},
    };
    for (size_t i = 0; i < sizeof(want) / sizeof(*want); i++)
        if (find(&l, want[i].word, want[i].risk)->class != want[i].class)
            fail_msg("%s", want[i].word);
    assert_span(find(&l, "很坏的坏词语", "A1-a")->by->source, SPAN_LIT("坏词语"));
    assert_int_equal(find(&l, "只管回答的词", "A1-b")->prompt, ACTION_ALLOW);
    assert_int_equal(find(&l, "只管回答的词", "A1-b")->completion, ACTION_BLOCK);
    /* 坏词语 (in two types), the quoted one, 另一个坏词, 只管回答的词. */
    assert_int_equal(l.total, 4);
    assert_int_equal(l.repeated, 1);
    assert_true(find(&l, "坏词语", "A1-b")->repeats);
    assert_int_equal(l.types[0].counts[LIBRARY_COUNTED], 2);
    assert_int_equal(l.types[0].repeated, 1);
    assert_int_equal(l.types[1].counts[LIBRARY_COUNTED], 3);
    assert_int_equal(l.types[2].counts[LIBRARY_NEAR], 1);
    assert_int_equal(l.types[2].counts[LIBRARY_PATTERN], 1);
    assert_int_equal(l.asked, 2);
    assert_int_equal(l.met, 2);
    assert_true(library_is_sufficient(&l));
    library_free(&l);
}

/* Who observes everything intercepts nothing. */
static void test_observe_all(void **state)
{
    struct config_app app = config->apps[0];
    struct library l;
    app.policy.mode = MODE_OBSERVE;
    app.policy.until = NOW + 1;
    assert_int_equal(library_read(rules, &app, NOW, &l), 0);
    assert_int_equal(l.total, 0);
    assert_int_equal(l.met, 0);
    assert_false(library_is_sufficient(&l));
    library_free(&l);
}

static void test_titles(void **state)
{
    struct buf out = BUF_INIT(4096);
    const struct risk *a1b = ruleset_find_risk(rules, SPAN_LIT("A1-b"));
    assert_int_equal(risk_group_title(a1b, &out), 0);
    assert_span(buf_span(&out), SPAN_LIT("A.1 包含违反社会主义核心价值观的内容"));
    buf_clear(&out);
    assert_int_equal(risk_title(a1b, &out), 0);
    assert_span(buf_span(&out), SPAN_LIT("b) 乙类"));
    buf_clear(&out);
    const struct risk *own = ruleset_find_risk(rules, SPAN_LIT("attack-x"));
    assert_int_equal(risk_group_title(own, &out), 0);
    assert_int_equal(risk_title(own, &out), 0);
    assert_int_equal(out.len, 0);
    buf_deinit(&out);
}

static int begin(void **state)
{
    if (set_up(state) < 0)
        return -1;
    load();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_classes),
        cmocka_unit_test(test_observe_all),
        cmocka_unit_test(test_titles),
    };
    return cmocka_run_group_tests(tests, begin, tear_down);
}
