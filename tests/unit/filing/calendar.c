/* What is due when: working days, China's days, boundaries, and nothing claimed that is unknown. */
#include "../unit.h"

#include "filing/calendar.h"
#include "json/value.h"

#define DAY CALENDAR_DAY_SECONDS

static int64_t end_of(const char *day)
{
    int64_t end;
    assert_true(day_end(span_str(day), &end));
    return end;
}

static void expect_day(int64_t end, const char *day)
{
    char text[DAY_TEXT_SIZE];
    assert_true(day_is_end(end));
    day_format(end, text);
    assert_string_equal(text, day);
}

static void working_days_leave_out_weekends(void **state)
{
    struct calendar_facts f = {0};
    /* From a Monday, a Friday, a Saturday, a Sunday; over a leap day and over a year's end. */
    expect_day(calendar_working_days(&f, end_of("2026-11-23"), 10), "2026-12-07");
    expect_day(calendar_working_days(&f, end_of("2026-11-27"), 10), "2026-12-11");
    expect_day(calendar_working_days(&f, end_of("2026-11-28"), 10), "2026-12-11");
    expect_day(calendar_working_days(&f, end_of("2026-11-29"), 10), "2026-12-11");
    expect_day(calendar_working_days(&f, end_of("2028-02-28"), 1), "2028-02-29");
    expect_day(calendar_working_days(&f, end_of("2028-02-29"), 10), "2028-03-14");
    expect_day(calendar_working_days(&f, end_of("2027-02-26"), 1), "2027-03-01");
    expect_day(calendar_working_days(&f, end_of("2026-12-28"), 10), "2027-01-11");
    expect_day(calendar_working_days(&f, end_of("1970-01-01"), 1), "1970-01-02");
    assert_int_equal(calendar_working_days(&f, end_of("2026-11-28"), 0), end_of("2026-11-28"));
}

static void holidays_that_are_told_count(void **state)
{
    /* The National Day's week, and the Saturday on which people work for it. */
    static const char *const days[] = {"2026-10-01", "2026-10-02", "2026-10-05", "2026-10-06",
                                       "2026-10-07"};
    struct calendar_facts f = {
        .holiday_count = 5, .workdays = {end_of("2026-10-10")}, .workday_count = 1};
    for (unsigned i = 0; i < 5; i++)
        f.holidays[i] = end_of(days[i]);
    expect_day(calendar_working_days(&f, end_of("2026-09-30"), 1), "2026-10-08");
    expect_day(calendar_working_days(&f, end_of("2026-09-30"), 3), "2026-10-10");
    expect_day(calendar_working_days(&f, end_of("2026-09-30"), 4), "2026-10-12");
}

/* A service that has everything, at a Wednesday noon in China. */
static struct calendar_facts good(int64_t *ret_now)
{
    *ret_now = end_of("2026-11-25") - DAY / 2;
    return (struct calendar_facts){
        .library_changed = *ret_now - DAY,
        .library_days = 7,
        .bank_days = 31,
        .bank_changed = *ret_now - DAY,
        .retention_days = 366,
        .log_since = *ret_now - 200 * DAY,
        .launched = end_of("2026-01-05"),
        .algorithm_numbered = true,
        .evaluated = *ret_now - DAY,
        .contract_until = end_of("2027-12-31"),
        .book_known = true,
    };
}

static const struct calendar_item *judge(const struct calendar_facts *f, int64_t now,
                                         enum calendar_item_id id)
{
    static struct calendar c;
    calendar_judge(f, now, &c);
    return &c.items[id];
}

static void a_good_service_has_nothing_due(void **state)
{
    int64_t now;
    struct calendar c;
    struct calendar_facts f = good(&now);
    calendar_judge(&f, now, &c);
    assert_int_equal(calendar_overdue(&c), 0);
    for (unsigned i = 0; i < CALENDAR_ITEMS; i++)
        if (c.items[i].state != CALENDAR_GOOD)
            fail_msg("%s is %s", calendar_item_name(i), calendar_state_name(c.items[i].state));
}

static void nothing_known_is_unknown_not_overdue(void **state)
{
    struct calendar_facts f = {.library_days = 7, .bank_days = 31, .retention_days = 366};
    struct calendar c;
    calendar_judge(&f, end_of("2026-11-25"), &c);
    assert_int_equal(calendar_overdue(&c), 0);
    static const enum calendar_item_id unknown[] = {
        CALENDAR_LIBRARY,   CALENDAR_BANKS,      CALENDAR_RETENTION,  CALENDAR_ALGORITHM,
        CALENDAR_CONTRACTS, CALENDAR_EVALUATION, CALENDAR_COMPLAINTS, CALENDAR_INCIDENTS};
    for (unsigned i = 0; i < sizeof(unknown) / sizeof(*unknown); i++) {
        assert_int_equal(c.items[unknown[i]].state, CALENDAR_UNKNOWN);
        assert_int_equal(c.items[unknown[i]].due, 0);
    }
    /* A standard that asks for no rhythm. */
    f.library_days = 0;
    assert_int_equal(judge(&f, 1, CALENDAR_LIBRARY)->state, CALENDAR_OFF);
}

static void rhythms_end_to_the_second(void **state)
{
    int64_t now, changed = end_of("2026-11-18") - 3600;
    struct calendar_facts f = good(&now);
    f.library_changed = f.bank_changed = f.evaluated = changed;
    assert_int_equal(judge(&f, changed + 5 * DAY - 1, CALENDAR_LIBRARY)->state, CALENDAR_GOOD);
    assert_int_equal(judge(&f, changed + 5 * DAY, CALENDAR_LIBRARY)->state, CALENDAR_SOON);
    assert_int_equal(judge(&f, changed + 7 * DAY - 1, CALENDAR_LIBRARY)->state, CALENDAR_SOON);
    assert_int_equal(judge(&f, changed + 7 * DAY, CALENDAR_LIBRARY)->state, CALENDAR_OVERDUE);
    assert_int_equal(judge(&f, changed, CALENDAR_LIBRARY)->due, changed + 7 * DAY);
    assert_int_equal(judge(&f, changed + 31 * DAY - 1, CALENDAR_BANKS)->state, CALENDAR_SOON);
    assert_int_equal(judge(&f, changed + 31 * DAY, CALENDAR_BANKS)->state, CALENDAR_OVERDUE);
    assert_int_equal(judge(&f, changed + 31 * DAY - 1, CALENDAR_EVALUATION)->state, CALENDAR_SOON);
    assert_int_equal(judge(&f, changed + 31 * DAY, CALENDAR_EVALUATION)->state, CALENDAR_OVERDUE);
}

static void the_algorithm_is_due_at_the_end_of_a_day_of_china(void **state)
{
    int64_t now;
    struct calendar_facts f = good(&now);
    f.algorithm_numbered = false;
    f.launched = end_of("2026-11-10"); /* ten working days: until the 24th */
    int64_t due = end_of("2026-11-24");
    assert_int_equal(due % DAY, 16 * 3600); /* midnight there, 16:00 UTC */
    assert_int_equal(judge(&f, now, CALENDAR_ALGORITHM)->due, due);
    assert_int_equal(judge(&f, due - 1, CALENDAR_ALGORITHM)->state, CALENDAR_SOON);
    assert_int_equal(judge(&f, due, CALENDAR_ALGORITHM)->state, CALENDAR_OVERDUE);
    assert_int_equal(judge(&f, end_of("2026-11-10"), CALENDAR_ALGORITHM)->state, CALENDAR_GOOD);
    assert_non_null(strstr(judge(&f, due, CALENDAR_ALGORITHM)->zh, "未知法定节假日"));
    f.algorithm_submitted = end_of("2026-11-20");
    assert_int_equal(judge(&f, due, CALENDAR_ALGORITHM)->state, CALENDAR_GOOD);
    assert_non_null(strstr(judge(&f, due, CALENDAR_ALGORITHM)->zh, "2026-11-20"));
    f.algorithm_submitted = 0;
    f.algorithm_off = true;
    assert_int_equal(judge(&f, due, CALENDAR_ALGORITHM)->state, CALENDAR_OFF);
}

static void other_items(void **state)
{
    int64_t now;
    struct calendar_facts f = good(&now);
    f.changes_open = 2;
    f.change_from = end_of("2026-11-10");
    assert_int_equal(judge(&f, end_of("2026-11-24") - 1, CALENDAR_CHANGES)->state, CALENDAR_SOON);
    assert_int_equal(judge(&f, end_of("2026-11-24"), CALENDAR_CHANGES)->state, CALENDAR_OVERDUE);
    assert_int_equal(judge(&f, now, CALENDAR_CHANGES)->count, 2);

    f.display_missing = 3;
    assert_int_equal(judge(&f, now, CALENDAR_DISPLAY)->state, CALENDAR_SOON);
    f.display_due = true;
    assert_int_equal(judge(&f, now, CALENDAR_DISPLAY)->state, CALENDAR_OVERDUE);

    f.contract_until = now + 30 * DAY + 1;
    assert_int_equal(judge(&f, now, CALENDAR_CONTRACTS)->state, CALENDAR_GOOD);
    f.contract_until = now;
    assert_int_equal(judge(&f, now, CALENDAR_CONTRACTS)->state, CALENDAR_OVERDUE);

    f.complaints_open = 2;
    f.complaint_due = now + 2 * DAY;
    assert_int_equal(judge(&f, now, CALENDAR_COMPLAINTS)->state, CALENDAR_GOOD);
    f.complaints_overdue = 1;
    assert_int_equal(judge(&f, now, CALENDAR_COMPLAINTS)->state, CALENDAR_OVERDUE);
    assert_int_equal(judge(&f, now, CALENDAR_COMPLAINTS)->count, 1);

    f.incidents_open = 1;
    assert_int_equal(judge(&f, now, CALENDAR_INCIDENTS)->state, CALENDAR_SOON);
}

static void the_log_must_reach_back(void **state)
{
    int64_t now;
    struct calendar_facts f = good(&now);
    /* Online for longer than the log reaches. */
    f.log_since = now - 10 * DAY;
    assert_int_equal(judge(&f, now, CALENDAR_RETENTION)->state, CALENDAR_SOON);
    /* Online since then only. */
    f.launched = now - 9 * DAY;
    assert_int_equal(judge(&f, now, CALENDAR_RETENTION)->state, CALENDAR_GOOD);
    f.launched = 0;
    assert_int_equal(judge(&f, now, CALENDAR_RETENTION)->state, CALENDAR_GOOD);
    f.retention_days = 182;
    assert_int_equal(judge(&f, now, CALENDAR_RETENTION)->state, CALENDAR_OVERDUE);
}

static const struct json_value *item_of(const struct json_value *v, enum calendar_item_id id)
{
    return value_at(value_get(v, SPAN_LIT("items")), id);
}

static void json_and_metrics_say_the_same(void **state)
{
    int64_t now, n;
    struct span text;
    struct calendar c;
    struct calendar_facts f = good(&now);
    struct progress_note notes[] = {
        {.step = 3,
         .state = STEP_DOING,
         .date = SPAN_LIT("2026-11-01"),
         .note = SPAN_LIT("x \"y\""),
         .author = SPAN_LIT("a"),
         .at = 5},
        {.step = 3,
         .state = STEP_RETURNED,
         .date = SPAN_LIT("2026-11-02"),
         .note = SPAN_LIT(""),
         .author = SPAN_LIT("b"),
         .at = 6},
    };
    struct progress p = {.notes = notes, .note_count = 2};
    struct buf out = BUF_INIT(1u << 20);
    f.library_changed = now - 8 * DAY - 1;
    calendar_judge(&f, now, &c);
    assert_int_equal(calendar_json(&c, &p, &out), 0);
    struct json_value *v = value_parse(buf_span(&out), NULL);
    assert_true(value_get_integer(value_get(v, SPAN_LIT("overdue")), &n));
    assert_int_equal(n, 1);
    const struct json_value *library = item_of(v, CALENDAR_LIBRARY);
    assert_true(value_get_string(value_get(library, SPAN_LIT("state")), &text));
    assert_span(text, SPAN_LIT("overdue"));
    assert_true(value_get_integer(value_get(library, SPAN_LIT("days")), &n));
    assert_int_equal(n, -2); /* a day and a second ago */
    const struct json_value *step = value_at(value_get(v, SPAN_LIT("steps")), 3);
    assert_true(value_get_string(value_get(step, SPAN_LIT("state")), &text));
    assert_span(text, SPAN_LIT("returned"));
    assert_int_equal(value_count(value_get(step, SPAN_LIT("history"))), 2);
    value_free(v);

    buf_clear(&out);
    assert_int_equal(calendar_metrics(&c, &p, &out), 0);
    static const char *const wanted[] = {
        "juyong_filing_due_seconds{item=\"library\"} -86401\n",
        "juyong_filing_overdue{item=\"library\"} 1\n",
        "juyong_filing_overdue{item=\"banks\"} 0\n",
        "juyong_filing_step{step=\"4\",name=\"submit\"} 3\n",
        "juyong_filing_step{step=\"1\",name=\"form\"} 0\n",
    };
    for (unsigned i = 0; i < sizeof(wanted) / sizeof(*wanted); i++)
        assert_non_null(strstr(buf_cstr(&out), wanted[i]));
    buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(working_days_leave_out_weekends),
        cmocka_unit_test(holidays_that_are_told_count),
        cmocka_unit_test(a_good_service_has_nothing_due),
        cmocka_unit_test(nothing_known_is_unknown_not_overdue),
        cmocka_unit_test(rhythms_end_to_the_second),
        cmocka_unit_test(the_algorithm_is_due_at_the_end_of_a_day_of_china),
        cmocka_unit_test(other_items),
        cmocka_unit_test(the_log_must_reach_back),
        cmocka_unit_test(json_and_metrics_say_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
