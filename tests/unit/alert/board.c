/* When something begins and ends, and who is told of it when. Time is what the test says. */
#include "world.h"

#include <stdio.h>

#define S 1000000ull
#define M (60 * S)
#define H (60 * M)

#define ONE_TARGET "  targets: [{name: t, url: \"https://robot.example.com/x?k=1\"%s}]\n"

static struct board *board;
static struct board_reading now;
static uint64_t t_us;
static uint64_t total;

static uint64_t intercepted(void *ctx, struct span risk)
{
    return span_eq(risk, SPAN_LIT("A1")) ? total : 0;
}

static void open_board(const char *alerts, const char *target)
{
    char text[2048];
    int n = snprintf(text, sizeof(text), ONE_TARGET, target);
    snprintf(text + n, sizeof(text) - (size_t)n, "%s", alerts);
    struct config *c = configured(text);
    board = board_new(c);
    config_unref(c);
    assert_non_null(board);
    now = (struct board_reading){.intercepted = intercepted, .disk_percent = 10};
    t_us = TEN_US;
    total = 0;
}

static int close_board(void **state)
{
    board_free(board);
    board = NULL;
    return 0;
}

static unsigned look_after(uint64_t us)
{
    t_us += us;
    return board_look(board, &now, t_us);
}

/* What the target is told now, and takes or not: "event:kind" with commas. */
static const char *told(bool taken)
{
    static char text[512];
    struct board_item items[BOARD_ITEMS];
    size_t n = board_plan(board, 0, t_us, items), len = 0;
    text[0] = '\0';
    for (size_t i = 0; i < n; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s:%s", i ? "," : "",
                                board_event_name(items[i].event), board_kind_name(items[i].kind));
    if (n)
        board_told(board, SPAN_LIT("t"), items, n, taken, t_us);
    return text;
}

static void one_message_when_it_begins_and_one_when_it_ends(void **state)
{
    open_board("", "");
    assert_int_equal(look_after(0), 0);
    assert_string_equal(told(true), "");
    now.log_failed = true;
    assert_int_equal(look_after(5 * S), 1);
    assert_string_equal(told(true), "firing:log_failed");
    for (int i = 0; i < 20; i++) {
        assert_int_equal(look_after(5 * S), 0);
        assert_string_equal(told(true), "");
    }
    now.log_failed = false;
    assert_int_equal(look_after(5 * S), 0); /* it may come back */
    assert_int_equal(look_after(119 * S), 0);
    assert_int_equal(look_after(1 * S), 1);
    assert_string_equal(told(true), "resolved:log_failed");
    assert_int_equal(look_after(5 * S), 0);
    assert_string_equal(told(true), "");
    assert_int_equal(board->recent_count, 2);
    assert_int_equal(board->recent[1].sent, 1);
    assert_int_equal(board->recent[2].item.event, BOARD_OVER);
}

static void what_flickers_is_told_once(void **state)
{
    open_board("", "");
    for (int i = 0; i < 100; i++) {
        now.canary_missed = i % 2 ? 0 : 3;
        look_after(30 * S);
        assert_string_equal(told(true), i ? "" : "firing:canary");
    }
    assert_int_equal(board->recent_count, 1);
}

static void a_disk_is_better_only_well_below_the_threshold(void **state)
{
    open_board("  disk_percent: 80\n  calm: 0\n", "");
    static const struct {
        unsigned percent;
        const char *told;
    } steps[] = {{79, ""}, {80, "firing:disk"},   {79, ""}, {78, ""}, {80, ""},
                 {95, ""}, {77, "resolved:disk"}, {79, ""}};
    for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
        now.disk_percent = steps[i].percent;
        look_after(5 * S);
        assert_string_equal(told(true), steps[i].told);
    }
    assert_int_equal(board->recent[2].item.value, 95); /* the worst of it */
}

static void interceptions_count_in_the_last_minute(void **state)
{
    open_board("  interceptions: [{risk: A1, per_minute: 10}]\n  calm: 0\n", "");
    total = 1000; /* before the first look: not of this minute */
    look_after(0);
    for (int i = 0; i < 60; i++) { /* 9 in each minute */
        total += i % 20 == 0 ? 3 : 0;
        assert_int_equal(look_after(1 * S), 0);
    }
    total += 12;
    assert_int_equal(look_after(1 * S), 1);
    assert_string_equal(told(true), "firing:interceptions");
    assert_true(board->conditions[0].value >= 10);
    assert_int_equal(look_after(59 * S), 0); /* it stays in the window */
    assert_int_equal(look_after(2 * S), 1);
    assert_string_equal(told(true), "resolved:interceptions");
    /* As slow as one a minute, for an hour: never in one window. */
    for (int i = 0; i < 60; i++) {
        total++;
        assert_int_equal(look_after(60 * S), 0);
    }
    /* Looked at more often than once a second: the window is still a minute. */
    for (int i = 0; i < 1000; i++) {
        total += i % 100 == 0;
        look_after(S / 10);
    }
    assert_in_range(board->conditions[0].value, 6, 7);
}

static void what_lasts_is_told_again(void **state)
{
    open_board("  remind: 1h\n", "");
    now.log_degraded = true;
    look_after(0);
    assert_string_equal(told(true), "firing:log_degraded");
    look_after(59 * M);
    assert_string_equal(told(true), "");
    look_after(1 * M);
    assert_string_equal(told(true), "reminder:log_degraded");
    look_after(59 * M);
    assert_string_equal(told(true), "");
    assert_int_equal(board->recent[1].sent, 1); /* a reminder is no news */
    close_board(NULL);
    open_board("  remind: 0\n", "");
    now.log_degraded = true;
    look_after(0);
    assert_string_equal(told(true), "firing:log_degraded");
    look_after(100 * H);
    assert_string_equal(told(true), "");
}

static void what_is_overdue_is_told_with_its_name(void **state)
{
    open_board("", "");
    now.overdue = SPAN_LIT("公示信息 display\n变更报备 changes\n");
    assert_int_equal(look_after(0), 1);
    assert_int_equal(board->recent[1].item.value, 2);
    assert_string_equal(board->recent[1].item.detail, "公示信息 display");
    assert_string_equal(told(true), "firing:filing");
    now.overdue = SPAN_LIT("变更报备 changes\n");
    look_after(1 * M);
    assert_string_equal(told(true), "changed:filing");
    close_board(NULL);
    open_board("  filing: false\n", "");
    assert_int_equal(look_after(0), 0);
}

static void a_message_that_is_not_taken_is_told_later(void **state)
{
    open_board("", "");
    now.canary_missed = 1;
    look_after(0);
    assert_string_equal(told(false), "firing:canary");
    look_after(1 * M);
    assert_string_equal(told(true), "");
    look_after(4 * M);
    assert_string_equal(told(false), "firing:canary");
    now.canary_missed = 0; /* over before anybody was told */
    look_after(1 * M);
    look_after(2 * M);
    look_after(5 * M);
    assert_string_equal(told(true), "past:canary");
    assert_string_equal(told(true), "");
    assert_int_equal(board->targets[0].sent, 1);
    assert_int_equal(board->targets[0].failed, 2);
    assert_int_equal(board->recent[1].failed, 2);
}

static void one_message_at_a_time(void **state)
{
    struct board_item items[BOARD_ITEMS], none[BOARD_ITEMS];
    open_board("", "");
    now.canary_missed = 1;
    now.log_failed = true;
    look_after(0);
    assert_int_equal(board_plan(board, 0, t_us, items), 2);
    board->targets[0].busy = true;
    assert_int_equal(board_plan(board, 0, t_us, none), 0);
    now.disk_percent = 99;
    look_after(5 * S);
    board_told(board, SPAN_LIT("t"), items, 2, true, t_us);
    assert_string_equal(told(true), "firing:disk"); /* what came meanwhile */
}

static void quiet_times_are_chinas_and_may_cross_midnight(void **state)
{
    struct config_alert_target night = {.quiet_from = 22 * 60, .quiet_to = 8 * 60},
                               noon = {.quiet_from = 12 * 60, .quiet_to = 13 * 60 + 30}, none = {0};
    static const struct {
        const char *time;
        unsigned hour, minute;
        bool night, noon;
    } cases[] = {
        {"21:59", 21, 59, false, false}, {"22:00", 22, 0, true, false},
        {"00:00", 0, 0, true, false},    {"07:59", 7, 59, true, false},
        {"08:00", 8, 0, false, false},   {"12:00", 12, 0, false, true},
        {"13:29", 13, 29, false, true},  {"13:30", 13, 30, false, false},
    };
    int64_t midnight = (int64_t)(TEN_US / S) - 10 * 3600;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        int64_t at = midnight + cases[i].hour * 3600 + cases[i].minute * 60;
        assert_int_equal(board_quiet(&night, at), cases[i].night);
        assert_int_equal(board_quiet(&noon, at), cases[i].noon);
        assert_false(board_quiet(&none, at));
    }
}

static void quiet_times_hold_back_all_but_what_is_critical(void **state)
{
    open_board("  disk_percent: 80\n  calm: 0\n", ", quiet: \"22:00-08:00\"");
    now.disk_percent = 90;
    now.canary_missed = 1;
    look_after(13 * H); /* 23:00 */
    assert_string_equal(told(true), "firing:canary");
    look_after(8 * H + 59 * M);
    assert_string_equal(told(true), "reminder:canary");
    look_after(1 * M); /* 08:00: it lasts */
    assert_string_equal(told(true), "firing:disk");
    now.disk_percent = 10;
    look_after(1 * M);
    assert_string_equal(told(true), "resolved:disk");
    /* Three times in one night. */
    look_after(16 * H);
    for (int i = 0; i < 6; i++) {
        now.disk_percent = i % 2 ? 10 : 90;
        look_after(5 * M);
    }
    now.canary_missed = 0;
    look_after(1 * M);
    told(true);
    look_after(7 * H + 59 * M); /* the next morning */
    struct board_item items[BOARD_ITEMS];
    assert_int_equal(board_plan(board, 0, t_us, items), 1);
    assert_int_equal(items[0].event, BOARD_HAPPENED);
    assert_int_equal(items[0].kind, BOARD_DISK);
    assert_int_equal(items[0].times, 3);
    assert_int_equal(items[0].value, 90);
}

static void critical_ones_wait_too_where_that_is_wanted(void **state)
{
    open_board("", ", quiet: \"22:00-08:00\", quiet_critical: hold");
    now.log_failed = true;
    look_after(13 * H);
    assert_string_equal(told(true), "");
    look_after(9 * H);
    assert_string_equal(told(true), "firing:log_failed");
}

static void a_new_weakening_is_told_and_the_last_one_resolves(void **state)
{
    open_board("  calm: 0\n", "");
    now.weakened = SPAN_LIT("app a: observe mode\n");
    look_after(0);
    assert_string_equal(told(true), "firing:weakened");
    assert_string_equal(board->recent[1].item.detail, "app a: observe mode");
    look_after(1 * S);
    assert_string_equal(told(true), "");
    now.weakened = SPAN_LIT("app a: observe mode\nmodel m: no filing number\n");
    look_after(1 * S);
    assert_string_equal(told(true), "changed:weakened");
    now.weakened = SPAN_LIT("");
    look_after(1 * S);
    assert_string_equal(told(true), "resolved:weakened");
}

static void a_finding_and_an_old_library_are_told(void **state)
{
    open_board("  library_days: 7\n  calm: 0\n", "");
    now.library_s = (int64_t)(TEN_US / S);
    look_after(7 * 24 * H - S);
    assert_string_equal(told(true), "");
    look_after(1 * S);
    assert_string_equal(told(true), "firing:library");
    now.library_s = (int64_t)(t_us / S);
    now.finding = SPAN_LIT("record 7: its hash differs");
    look_after(1 * S);
    assert_string_equal(told(true), "resolved:library,firing:verify");
}

static void a_reload_keeps_what_lasts_and_who_was_told(void **state)
{
    open_board("  disk_percent: 80\n", "");
    now.disk_percent = 90;
    now.log_failed = true;
    look_after(0);
    assert_string_equal(told(true), "firing:log_failed,firing:disk");
    struct config *c = configured(
        "  disk_percent: 85\n  log: false\n  interceptions: [{risk: A1, per_minute: 3}]\n"
        "  targets: [{name: other, url: \"https://o.example.com\"}, {name: t, url: "
        "\"https://x.example.com\"}]\n");
    board_configure(board, c);
    config_unref(c);
    look_after(5 * S);
    struct board_item items[BOARD_ITEMS];
    assert_int_equal(board->target_count, 2);
    assert_int_equal(board_plan(board, 1, t_us, items), 0); /* t knows */
    assert_int_equal(board_plan(board, 0, t_us, items), 1); /* the new one doesn't */
    assert_int_equal(items[0].kind, BOARD_DISK);
    assert_int_equal(items[0].threshold, 85);
    assert_int_equal(board->targets[1].sent, 1);
    /* A message to a target that is gone, about what is no longer watched, does no harm. */
    items[0].kind = BOARD_LOG_FAILED;
    board_told(board, SPAN_LIT("gone"), items, 1, true, t_us);
}

static void a_row_covers_ids_groups_and_prefixes(void **state)
{
    static const struct {
        const char *row, *risk;
        bool covers;
    } cases[] = {
        {"*", "A1-a", true},      {"A1", "A1-a", true},
        {"A1", "A1", true},       {"A1", "A10-a", false},
        {"A1-a", "A1-b", false},  {"pii-*", "pii-phone", true},
        {"pii-*", "A1-a", false}, {"attack-*", "attack-jailbreak", true},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        assert_int_equal(board_covers(span_str(cases[i].row), span_str(cases[i].risk)),
                         cases[i].covers);
}

static void the_list_of_recent_ones_wraps(void **state)
{
    open_board("  calm: 0\n", "");
    for (int i = 0; i < 3 * BOARD_RECENT; i++) {
        now.canary_missed = i % 2 ? 0 : 1;
        look_after(5 * S);
        told(true);
    }
    assert_int_equal(board->recent_count, 3 * BOARD_RECENT);
    for (size_t i = 0; i < BOARD_RECENT; i++)
        assert_int_equal(board->recent[i].sent, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, close_board)
    const struct CMUnitTest tests[] = {
        TEST(one_message_when_it_begins_and_one_when_it_ends),
        TEST(what_flickers_is_told_once),
        TEST(a_disk_is_better_only_well_below_the_threshold),
        TEST(interceptions_count_in_the_last_minute),
        TEST(what_is_overdue_is_told_with_its_name),
        TEST(what_lasts_is_told_again),
        TEST(a_message_that_is_not_taken_is_told_later),
        TEST(one_message_at_a_time),
        TEST(quiet_times_are_chinas_and_may_cross_midnight),
        TEST(quiet_times_hold_back_all_but_what_is_critical),
        TEST(critical_ones_wait_too_where_that_is_wanted),
        TEST(a_new_weakening_is_told_and_the_last_one_resolves),
        TEST(a_finding_and_an_old_library_are_told),
        TEST(a_reload_keeps_what_lasts_and_who_was_told),
        TEST(a_row_covers_ids_groups_and_prefixes),
        TEST(the_list_of_recent_ones_wraps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
