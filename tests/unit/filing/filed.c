/* Against the version that was filed, and when each type last changed. */
#include "fixture.h"

#include "filing/changes.h"
#include "filing/filed.h"
#include "rules/publish.h"

static void publish(void)
{
    struct publish p = {.state_dir = SPAN_LIT("state"),
                        .rules_dir = SPAN_LIT("r"),
                        .author = SPAN_LIT("a"),
                        .reason = SPAN_LIT("why"),
                        .report = RULE_REPORT_INIT};
    struct publish_done done;
    if (publish_library(&p, false, &done) != 0)
        fail_msg("%s", buf_cstr(&p.report.text));
    buf_deinit(&p.report.text);
}

static void file_version(void)
{
    struct publish p = {.state_dir = SPAN_LIT("state"),
                        .rules_dir = SPAN_LIT("r"),
                        .author = SPAN_LIT("a"),
                        .report = RULE_REPORT_INIT};
    char version[RULE_DIGEST_SIZE];
    assert_int_equal(publish_filed(&p, SPAN_LIT(""), version), 0);
    buf_deinit(&p.report.text);
}

static struct ruleset *load_working(void)
{
    struct rule_report report = RULE_REPORT_INIT;
    struct ruleset *s = NULL;
    assert_int_equal(ruleset_load(SPAN_LIT("r"), &report, &s), 0);
    buf_deinit(&report.text);
    return s;
}

static void compare(const struct ruleset *now, struct library *l, struct filed *f)
{
    struct buf messages = BUF_INIT(4096);
    assert_int_equal(library_read(now, &config->apps[0], NOW, l), 0);
    if (filed_read(SPAN_LIT("state"), l, &config->apps[0], NOW, &messages, f) != 0)
        fail_msg("%s", buf_cstr(&messages));
    buf_deinit(&messages);
}

static int64_t changed(const struct ruleset *now, const char *risk, int64_t clock)
{
    struct buf messages = BUF_INIT(4096);
    struct changes c;
    if (changes_read(SPAN_LIT("state"), now, clock, &messages, &c) != 0)
        fail_msg("%s", buf_cstr(&messages));
    int64_t at = changes_at(&c, ruleset_find_risk(now, span_str(risk)));
    changes_free(&c);
    buf_deinit(&messages);
    return at;
}

static void test_filed_and_changed(void **state)
{
    struct library l;
    struct filed f;
    compare(rules, &l, &f); /* nothing was ever published */
    assert_int_equal(f.list.version.len, 0);
    filed_free(&f);
    library_free(&l);
    assert_int_equal(changed(rules, "A1-a", NOW), 0);

    publish();
    file_version();
    usleep(1100000); /* the journal tells seconds apart */
    write_text("r/keywords/A1-b.txt", "坏词语\n全新的坏词\n");
    publish();
    struct ruleset *now = load_working();
    compare(now, &l, &f);
    assert_true(span_starts(f.list.version, SPAN_LIT("v-")));
    assert_int_equal(f.list.added_count, 1);
    assert_span(f.list.added[0]->source, SPAN_LIT("全新的坏词"));
    assert_int_equal(f.list.removed_count, 0); /* what went had not counted */
    filed_free(&f);
    library_free(&l);
    int64_t first = changed(now, "A1-a", NOW), second = changed(now, "A1-b", NOW);
    assert_true(first > 0 && second > first && second < NOW);
    ruleset_unref(now);

    /* What is being edited has changed now, and only its type. */
    write_text("r/keywords/attack-x.txt", "忽略指令啊\n");
    now = load_working();
    assert_int_equal(changed(now, "attack-x", NOW), NOW);
    assert_int_equal(changed(now, "A1-b", NOW), second);
    assert_int_equal(changed(now, "A1-a", NOW), first);
    ruleset_unref(now);
}

static int begin(void **state)
{
    if (set_up(state) < 0)
        return -1;
    mkdir("state", 0700);
    load();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_filed_and_changed)};
    return cmocka_run_group_tests(tests, begin, tear_down);
}
