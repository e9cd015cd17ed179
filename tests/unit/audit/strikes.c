/* Strikes: what they lead to, on which day, and that the table is bounded and outlives the process.
 */
#include "logdir.h"

#include "audit/strikes.h"
#include "base/codec.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>

/* 2026-11-26 12:00 in China */
#define NOON INT64_C(1795665600)
#define HOUR 3600
#define DAY  (24 * HOUR)

static const struct strike_rules usual = {
    .consecutive = 3, .per_day = 5, .limit_per_day = 4, .suspend_s = DAY, .limit_s = HOUR};

static struct strike_entry entry_of(unsigned number)
{
    struct strike_entry e;
    char hex[65];
    unsigned char bytes[32] = {0};
    for (int i = 0; i < 4; i++)
        bytes[i] = (unsigned char)(number >> 8 * i);
    codec_hex(span_from((const char *)bytes, sizeof(bytes)), hex);
    assert_true(strike_entry_init(&e, SPAN_LIT("default"), span_str(hex)));
    return e;
}

static enum strike_state state(const struct strike_entry *e, int64_t now)
{
    int64_t until;
    return strike_state_at(e, now, &until);
}

static void names_are_checked(void **state_)
{
    struct strike_entry e;
    static const char digits[] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    char name[STRIKE_APP_SIZE + 1];
    memset(name, 'n', sizeof(name));
    assert_true(strike_entry_init(&e, SPAN_LIT("app"), span_str(digits)));
    assert_span(strike_entry_app(&e), SPAN_LIT("app"));
    assert_true(strike_entry_init(&e, span_from(name, STRIKE_APP_SIZE), span_str(digits)));
    assert_span(strike_entry_app(&e), span_from(name, STRIKE_APP_SIZE));
    assert_false(strike_entry_init(&e, span_from(name, sizeof(name)), span_str(digits)));
    assert_false(strike_entry_init(&e, SPAN_NULL, span_str(digits)));
    assert_false(strike_entry_init(&e, SPAN_LIT("app"), SPAN_LIT("anna")));
}

static void a_row_suspends(void **state_)
{
    struct strike_entry e = entry_of(1);
    int64_t until;
    assert_int_equal(state(&e, NOON), STRIKE_CLEAR);
    strike_count(&e, &usual, NOON);
    strike_count(&e, &usual, NOON + 1);
    assert_int_equal(state(&e, NOON + 1), STRIKE_WARN);
    /* A prompt in between begins the row anew, and leaves the day's number. */
    assert_true(strike_pass(&e, NOON + 2));
    assert_false(strike_pass(&e, NOON + 2));
    assert_int_equal(state(&e, NOON + 2), STRIKE_WARN);
    assert_int_equal(strike_today(&e, NOON + 2), 2);
    struct strike_entry row = entry_of(2);
    for (int i = 0; i < 3; i++)
        strike_count(&row, &usual, NOON + i);
    assert_int_equal(strike_state_at(&row, NOON + 2, &until), STRIKE_SUSPEND);
    assert_int_equal(until, NOON + 2 + DAY);
    assert_int_equal(state(&row, until - 1), STRIKE_SUSPEND);
    /* It is served: neither the row nor the day before counts on. */
    assert_int_equal(strike_state_at(&row, NOON + 2 + DAY, &until), STRIKE_CLEAR);
    assert_int_equal(until, 0);
    strike_count(&row, &usual, NOON + 3 + DAY);
    assert_int_equal(row.consecutive, 1);
    assert_int_equal(state(&row, NOON + 3 + DAY), STRIKE_WARN);
    assert_int_equal(row.total, 4);
}

static void a_row_may_pass_midnight(void **state_)
{
    struct strike_entry e = entry_of(1);
    strike_count(&e, &usual, NOON + 11 * HOUR);
    strike_count(&e, &usual, NOON + 11 * HOUR + 3599);
    assert_int_equal(strike_today(&e, NOON + 11 * HOUR + 3599), 2);
    assert_int_equal(strike_today(&e, NOON + 12 * HOUR), 0);
    strike_count(&e, &usual, NOON + 12 * HOUR);
    assert_int_equal(strike_today(&e, NOON + 12 * HOUR), 1);
    assert_int_equal(state(&e, NOON + 12 * HOUR), STRIKE_SUSPEND);
}

static void the_day_is_chinas(void **state_)
{
    struct strike_entry e = entry_of(1);
    /* Midnight there is 16:00 UTC. */
    int64_t midnight = NOON + 12 * HOUR;
    assert_int_equal(midnight % DAY, 16 * HOUR);
    for (int i = 0; i < 4; i++) {
        strike_count(&e, &usual, midnight - 4 + i);
        strike_pass(&e, midnight - 4 + i);
    }
    assert_int_equal(state(&e, midnight - 1), STRIKE_LIMIT);
    struct strike_entry other = e;
    strike_count(&e, &usual, midnight - 1);
    assert_int_equal(state(&e, midnight - 1), STRIKE_SUSPEND);
    strike_count(&other, &usual, midnight);
    assert_int_equal(other.today, 1);
    assert_int_equal(state(&other, midnight), STRIKE_LIMIT); /* still, and for its hour */
    assert_int_equal(state(&other, midnight - 1 + HOUR), STRIKE_WARN);
    /* A clock that goes back gives nothing back. */
    strike_count(&other, &usual, midnight - 1);
    assert_int_equal(strike_today(&other, midnight - 1), 2);
}

static void numbers_of_zero_lead_to_nothing(void **state_)
{
    static const struct strike_rules none = {.suspend_s = DAY, .limit_s = DAY};
    struct strike_entry e = entry_of(1);
    for (int i = 0; i < 100; i++)
        strike_count(&e, &none, NOON);
    assert_int_equal(state(&e, NOON), STRIKE_WARN);
    assert_int_equal(e.today, 100);
}

static void operators_decide(void **state_)
{
    struct strike_entry e = entry_of(1);
    int64_t until;
    for (int i = 0; i < 3; i++)
        strike_count(&e, &usual, NOON);
    strike_appeal(&e, NOON, true);
    assert_true(e.flags & STRIKE_APPEALED);
    assert_int_equal(state(&e, NOON), STRIKE_SUSPEND);
    strike_appeal(&e, NOON, false);
    assert_false(e.flags & STRIKE_APPEALED);
    strike_lift(&e, NOON + 1);
    assert_int_equal(state(&e, NOON + 1), STRIKE_CLEAR);
    assert_int_equal(strike_today(&e, NOON + 1), 0);
    assert_int_equal(e.total, 3);
    strike_suspend(&e, NOON + 2, STRIKE_FOREVER);
    assert_int_equal(strike_state_at(&e, NOON + 1000 * (int64_t)DAY, &until), STRIKE_SUSPEND);
    assert_true(until == STRIKE_FOREVER && e.flags & STRIKE_BY_HAND);
    strike_lift(&e, NOON + 3);
    assert_int_equal(state(&e, NOON + 3), STRIKE_CLEAR);
}

/* --- the table --- */

static struct strikes *open_table(size_t max)
{
    struct strikes *t = NULL;
    assert_int_equal(strikes_open(span_str(dir), max, false, &t), 0);
    return t;
}

static struct span bytes_of(const struct strike_entry *e)
{
    return span_from((const char *)e, sizeof(*e));
}

/* One strike, on record. */
static struct strike_entry strike(struct strikes *t, unsigned number)
{
    struct strike_entry e = entry_of(number);
    strikes_lock(t);
    strikes_find(t, &e);
    strike_count(&e, &usual, NOON);
    strikes_put(t, &e);
    strikes_unlock(t);
    strikes_save(t, bytes_of(&e));
    assert_int_equal(strikes_sync(t), 0);
    return e;
}

static unsigned count_of(struct strikes *t, unsigned number)
{
    struct strike_entry e = entry_of(number);
    strikes_lock(t);
    bool known = strikes_find(t, &e);
    strikes_unlock(t);
    return known ? e.total : 0;
}

static void path_of(const char *name, char ret_path[128])
{
    snprintf(ret_path, 128, "%s/%s", dir, name);
}

static long size_of(const char *name)
{
    char path[128];
    struct stat st;
    path_of(name, path);
    return stat(path, &st) == 0 ? (long)st.st_size : -1;
}

static void scribble(long from, struct span bytes)
{
    char path[128];
    path_of("strikes.bin", path);
    int fd = open(path, O_WRONLY | (from < 0 ? O_APPEND : 0));
    assert_true(fd >= 0);
    if (from >= 0)
        assert_int_equal(lseek(fd, from, SEEK_SET), from);
    assert_int_equal(write(fd, bytes.data, bytes.len), bytes.len);
    close(fd);
}

static void strikes_outlive_the_process(void **state_)
{
    struct strikes *t = open_table(16);
    strike(t, 1);
    strike(t, 1);
    strike(t, 2);
    struct strikes *second = NULL;
    assert_int_equal(strikes_open(span_str(dir), 16, false, &second), -EBUSY);
    /* Who only looks is not in the way, and sees what is on record. */
    assert_int_equal(strikes_open(span_str(dir), 16, true, &second), 0);
    assert_int_equal(count_of(second, 1), 2);
    strikes_close(second);
    strikes_close(t);
    for (int i = 0; i < 3; i++) {
        t = open_table(16);
        assert_int_equal(count_of(t, 1), 2);
        assert_int_equal(count_of(t, 2), 1);
        assert_int_equal(count_of(t, 3), 0);
        strikes_close(t);
    }
}

static void who_only_looks_makes_nothing(void **state_)
{
    struct strikes *t = NULL;
    assert_int_equal(strikes_open(span_str(dir), 16, true, &t), -ENOENT);
    assert_int_equal(size_of("strikes.bin"), -1);
    assert_int_equal(size_of("keys/strike.key"), -1);
}

static void a_torn_end_is_cut_off(void **state_)
{
    struct strikes *t = open_table(16);
    strike(t, 1);
    long whole = size_of("strikes.bin");
    strike(t, 2);
    strikes_close(t);
    char path[128];
    path_of("strikes.bin", path);
    for (long cut = whole + 1; cut < whole + 160; cut += 31) {
        assert_int_equal(truncate(path, cut), 0);
        t = open_table(16);
        assert_int_equal(count_of(t, 1), 1);
        assert_int_equal(count_of(t, 2), 0);
        assert_int_equal(size_of("strikes.bin"), whole);
        assert_int_equal(size_of("strikes.bin.bad"), -1);
        strike(t, 2);
        strikes_close(t);
    }
    assert_int_equal(truncate(path, 5), 0);
    t = open_table(16);
    assert_int_equal(count_of(t, 1), 0);
    strike(t, 1);
    strikes_close(t);
}

static void damage_costs_what_it_hit(void **state_)
{
    struct strikes *t = open_table(16);
    for (unsigned i = 1; i <= 3; i++)
        strike(t, i);
    long one = (size_of("strikes.bin") - 16) / 3;
    strikes_close(t);
    /* Nobody forges an entry: a number less, and the seal says so. */
    scribble(16 + one + 32 + STRIKE_APP_SIZE + 28, SPAN_LIT("\0"));
    t = open_table(16);
    assert_int_equal(count_of(t, 1), 1);
    assert_int_equal(count_of(t, 2), 0);
    assert_int_equal(count_of(t, 3), 1);
    assert_true(size_of("strikes.bin.bad") > 0);
    strikes_close(t);
    scribble(0, SPAN_LIT("something else\n\n"));
    t = open_table(16);
    assert_int_equal(count_of(t, 1), 0);
    strike(t, 1);
    strikes_close(t);
    /* Another key knows none of them. */
    char path[128];
    path_of("keys/strike.key", path);
    assert_int_equal(unlink(path), 0);
    t = open_table(16);
    assert_int_equal(count_of(t, 1), 0);
    strikes_close(t);
}

static void the_table_is_bounded(void **state_)
{
    struct strikes *t = open_table(16);
    for (int i = 0; i < 3; i++)
        strike(t, 1000); /* suspended: the last to go */
    for (unsigned i = 0; i < 100; i++)
        strike(t, i);
    strike(t, 86); /* changed: not the next to go */
    for (unsigned i = 200; i < 210; i++)
        strike(t, i);
    for (int round = 0; round < 2; round++) {
        assert_int_equal(count_of(t, 1000), 3);
        assert_int_equal(count_of(t, 84), 0);
        assert_int_equal(count_of(t, 86), 2);
        assert_int_equal(count_of(t, 87), 0);
        for (unsigned i = 200; i < 210; i++)
            assert_int_equal(count_of(t, i), 1);
        strikes_close(t);
        t = open_table(16);
    }
    /* When all are suspended the longest suspended goes. */
    for (unsigned i = 0; i < 20; i++)
        for (int k = 0; k < 3; k++)
            strike(t, 2000 + i);
    assert_int_equal(count_of(t, 1000), 0);
    assert_int_equal(count_of(t, 2003), 0);
    assert_int_equal(count_of(t, 2004), 3);
    assert_int_equal(count_of(t, 2019), 3);
    strikes_close(t);
}

static void the_file_stays_in_proportion(void **state_)
{
    struct strikes *t = open_table(16);
    long largest = 0;
    for (unsigned i = 0; i < 3000; i++) {
        struct strike_entry e = entry_of(i % 8);
        strikes_lock(t);
        strikes_find(t, &e);
        e.total++;
        strikes_put(t, &e);
        strikes_unlock(t);
        strikes_save(t, bytes_of(&e));
        if (i % 16 == 15)
            assert_int_equal(strikes_sync(t), 0);
        long size = size_of("strikes.bin");
        largest = size > largest ? size : largest;
    }
    assert_int_equal(strikes_sync(t), 0);
    assert_true(largest < 200 * (2 * 16 + 1024 + 64));
    strikes_close(t);
    t = open_table(16);
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(count_of(t, i), 375);
    strikes_close(t);
}

static void what_is_not_on_record_does_not_count(void **state_)
{
    struct strikes *t = open_table(16);
    strike(t, 1);
    struct strike_entry e = entry_of(1), fresh = entry_of(2);
    strikes_lock(t);
    assert_true(strikes_find(t, &e));
    strike_count(&e, &usual, NOON);
    strikes_put(t, &e);
    strike_count(&fresh, &usual, NOON);
    strikes_put(t, &fresh);
    strikes_unlock(t);
    assert_int_equal(count_of(t, 1), 2);
    assert_int_equal(count_of(t, 2), 1);
    strikes_revert(t, bytes_of(&e));
    strikes_revert(t, bytes_of(&fresh));
    assert_int_equal(count_of(t, 1), 1);
    assert_int_equal(count_of(t, 2), 0);
    /* A change on its way is not written when the file is written anew for another's sake. */
    strikes_lock(t);
    strikes_put(t, &e);
    strikes_unlock(t);
    strikes_save(t, bytes_of(&fresh));
    for (unsigned i = 0; i < 1100; i++)
        strike(t, 3);
    strikes_close(t);
    t = open_table(16);
    assert_int_equal(count_of(t, 1), 1);
    strikes_close(t);
}

/* Two events of one user are under way; the earlier one fails, the later one is on record. */
static void what_is_on_record_counts_after_a_failure(void **state_)
{
    struct strikes *t = open_table(16);
    strike(t, 1);
    for (unsigned user = 1; user <= 2; user++) { /* the second was never heard of */
        struct strike_entry e[2] = {entry_of(user), entry_of(user)};
        unsigned before = count_of(t, user);
        strikes_lock(t);
        for (int i = 0; i < 2; i++) {
            strikes_find(t, &e[i]);
            strike_count(&e[i], &usual, NOON);
            strikes_put(t, &e[i]);
        }
        strikes_unlock(t);
        strikes_revert(t, bytes_of(&e[0]));
        assert_int_equal(count_of(t, user), before);
        strikes_save(t, bytes_of(&e[1]));
        assert_int_equal(count_of(t, user), before + 2);
    }
    strikes_close(t);
}

static void turns_come_at_a_pace(void **state_)
{
    struct strikes *t = open_table(16);
    struct strike_entry e = strike(t, 1), other = strike(t, 2);
    strikes_lock(t);
    assert_int_equal(strikes_take_turn(t, &e, 10, NOON), 0);
    assert_int_equal(strikes_take_turn(t, &e, 10, NOON), 10);
    assert_int_equal(strikes_take_turn(t, &e, 10, NOON + 9), 1);
    assert_int_equal(strikes_take_turn(t, &other, 10, NOON + 9), 0);
    assert_int_equal(strikes_take_turn(t, &e, 10, NOON + 10), 0);
    assert_int_equal(strikes_take_turn(t, &e, 10, NOON - 100), 0); /* the clock was set back */
    strikes_unlock(t);
    strikes_close(t);
}

#define THREADS 4
#define ROUNDS  5000

static void *count_many(void *table)
{
    struct strikes *t = table;
    for (int i = 0; i < ROUNDS; i++) {
        struct strike_entry e = entry_of((unsigned)i % 3);
        strikes_lock(t);
        strikes_find(t, &e);
        strike_count(&e, &(struct strike_rules){0}, NOON);
        strikes_put(t, &e);
        strikes_unlock(t);
    }
    return NULL;
}

static void counts_are_exact_over_threads(void **state_)
{
    struct strikes *t = open_table(16);
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count_many, t), 0);
    for (int i = 0; i < 200; i++) { /* the writer goes about its work */
        struct strike_entry e = entry_of(1);
        strikes_lock(t);
        bool known = strikes_find(t, &e);
        strikes_unlock(t);
        if (known)
            strikes_save(t, bytes_of(&e));
        assert_int_equal(strikes_sync(t), 0);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(count_of(t, 0) + count_of(t, 1) + count_of(t, 2), THREADS * ROUNDS);
    strikes_close(t);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_dir, remove_dir)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_checked),
        cmocka_unit_test(a_row_suspends),
        cmocka_unit_test(a_row_may_pass_midnight),
        cmocka_unit_test(the_day_is_chinas),
        cmocka_unit_test(numbers_of_zero_lead_to_nothing),
        cmocka_unit_test(operators_decide),
        TEST(strikes_outlive_the_process),
        TEST(who_only_looks_makes_nothing),
        TEST(a_torn_end_is_cut_off),
        TEST(damage_costs_what_it_hit),
        TEST(the_table_is_bounded),
        TEST(the_file_stays_in_proportion),
        TEST(what_is_not_on_record_does_not_count),
        TEST(what_is_on_record_counts_after_a_failure),
        TEST(turns_come_at_a_pace),
        TEST(counts_are_exact_over_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
