/* What the calendar judges is what stands on disk; what is not there is unknown. */
#include "../evaluation/runs.h"
#include "fixture.h"

#include "filing/calendar.h"

static struct config *c;
static const char *called = "乙"; /* the model whose contract ends first */

static void configure(const char *more)
{
    char text[4096];
    struct buf messages = BUF_INIT(65536);
    snprintf(text, sizeof(text),
             "upstreams:\n"
             "  - name: u\n    base_url: 'https://x/v1'\n    models:\n"
             "      - {id: a, filing_number: F, contract_until: 2999-12-31}\n"
             "      - {id: b, display_name: %s, filing_number: F, contract_until: 2998-12-31}\n"
             "      - {id: c, filing_number: F}\n"
             "rules_dir: r\nstate_dir: %s\n%s",
             called, state_dir, more);
    config_unref(c);
    c = NULL;
    if (config_read(span_str(text), SPAN_LIT("c.yaml"), &messages, &c) != 0)
        fail_msg("%s", buf_cstr(&messages));
    buf_deinit(&messages);
}

static struct calendar_facts gather(const struct progress *p)
{
    struct calendar_facts f;
    struct buf messages = BUF_INIT(65536);
    calendar_gather(c, rules, NOW, p, &messages, &f);
    if (messages.len)
        fail_msg("%s", buf_cstr(&messages));
    buf_deinit(&messages);
    return f;
}

static void an_empty_state_is_unknown(void **state)
{
    struct progress p = {0};
    route_begin(&p.answers);
    configure("");
    struct calendar_facts f = gather(&p);
    assert_int_equal(f.library_changed, 0);
    assert_int_equal(f.bank_changed, 0);
    assert_int_equal(f.evaluated, 0);
    assert_int_equal(f.log_since, 0);
    assert_int_equal(f.launched, 0);
    assert_true(f.book_known); /* an empty one is made */
    assert_int_equal(f.complaints_open + f.incidents_open, 0);
    assert_false(f.algorithm_numbered);
    assert_false(f.algorithm_off);
    assert_true(f.display_missing > 0);
    assert_false(f.display_due);
}

static void configuration_and_notes_are_taken(void **state)
{
    struct progress_note notes[] = {
        {.step = PROGRESS_ALGORITHM, .state = STEP_DONE, .date = SPAN_LIT("2026-11-20")}};
    struct progress_change changes[] = {
        {.number = 1, .date = SPAN_LIT("2026-11-03"), .reported = SPAN_LIT("2026-11-04")},
        {.number = 2, .date = SPAN_LIT("2026-11-05"), .reported = SPAN_LIT("")},
        {.number = 3, .date = SPAN_LIT("2026-11-02"), .reported = SPAN_LIT("")}};
    struct progress p = {
        .notes = notes, .note_count = 1, .changes = changes, .change_count = 3, .answered = true};
    int64_t day;
    route_begin(&p.answers);
    route_set(&p.answers, SPAN_LIT("online_since"), SPAN_LIT("2026-10-01"));
    configure("service: { holidays: [2026-11-06], algorithm_number: N }\n");
    struct calendar_facts f = gather(&p);
    assert_true(day_end(SPAN_LIT("2998-12-31"), &day));
    assert_int_equal(f.contract_until, day);
    assert_string_equal(f.contract_model, "乙");
    assert_int_equal(f.contracts_untold, 1);
    assert_true(day_end(SPAN_LIT("2026-10-01"), &day)); /* as answered: not configured */
    assert_int_equal(f.launched, day);
    assert_true(f.display_due);
    assert_true(day_end(SPAN_LIT("2026-11-20"), &day));
    assert_int_equal(f.algorithm_submitted, day);
    assert_true(f.algorithm_numbered);
    assert_int_equal(f.changes_open, 2);
    assert_true(day_end(SPAN_LIT("2026-11-02"), &day));
    assert_int_equal(f.change_from, day);
    assert_int_equal(f.holiday_count, 1);
    route_set(&p.answers, SPAN_LIT("online"), SPAN_LIT("no")); /* after all */
    assert_int_equal(gather(&p).launched, 0);
    /* Not offered to the public: nothing to file. And the configuration's day is the one. */
    route_set(&p.answers, SPAN_LIT("public"), SPAN_LIT("no"));
    configure("service: { launched: 2026-09-01 }\n");
    f = gather(&p);
    assert_true(f.algorithm_off);
    assert_true(day_end(SPAN_LIT("2026-09-01"), &day));
    assert_int_equal(f.launched, day);
}

/* A name that must be cut stays a text. */
static void long_names_stay_text(void **state)
{
    struct progress p = {0};
    struct calendar calendar;
    struct buf out = BUF_INIT(1u << 20);
    char yaml[256] = "";
    route_begin(&p.answers);
    for (unsigned i = 0; i < 60; i++)
        strcat(yaml, "模");
    called = yaml;
    configure("");
    called = "乙";
    struct calendar_facts f = gather(&p);
    assert_true(strlen(f.contract_model) > 100);
    assert_int_equal(strlen(f.contract_model) % strlen("模"), 0);
    calendar_judge(&f, 1700000000, &calendar);
    assert_int_equal(calendar_json(&calendar, &p, &out), 0);
    buf_deinit(&out);
}

static void the_newest_evaluation_that_ended_counts(void **state)
{
    struct progress p = {0};
    route_begin(&p.answers);
    configure("");
    struct run *r = make_run(1, 0, 0);
    for (int route = 0; route < RUN_ROUTES; route++) {
        struct run_answer a = make_answer(r, "c-1", (enum run_route)route, "答");
        assert_int_equal(run_add(r, &a), 0);
    }
    assert_int_equal(gather(&p).evaluated, 0); /* complete, and not ended */
    assert_int_equal(run_note(r, SPAN_LIT("end"), SPAN_LIT("wang"), SPAN_LIT("")), 0);
    int64_t at = (int64_t)(run_event(r, run_event_count(r) - 1)->time / 1000000);
    run_free(r);
    assert_int_equal(gather(&p).evaluated, at);
    /* One that was begun later and stopped changes nothing. */
    r = make_run(2, 0, 0);
    assert_int_equal(run_note(r, SPAN_LIT("stop"), SPAN_LIT("wang"), SPAN_LIT("x")), 0);
    run_free(r);
    assert_int_equal(gather(&p).evaluated, at);
}

static int begin(void **state)
{
    int r = set_up(state);
    if (r == 0) {
        load();
        r = make_state(state);
    }
    return r;
}

static int end(void **state)
{
    config_unref(c);
    int r = remove_state(state);
    return tear_down(state) < 0 ? -1 : r;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_state_is_unknown),
        cmocka_unit_test(configuration_and_notes_are_taken),
        cmocka_unit_test(long_names_stay_text),
        cmocka_unit_test(the_newest_evaluation_that_ended_counts),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
