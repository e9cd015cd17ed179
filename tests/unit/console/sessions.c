/* Sessions and the brake on guessing, with a clock of the test's own. */
#include "../unit.h"

#include "console/sessions.h"
#include "console/throttle.h"

#include <stdio.h>

#define MINUTE 60000u
#define HOUR   (60 * MINUTE)

static struct sessions *s;

static int set_up(void **state)
{
    s = sessions_new();
    if (s)
        sessions_set_times(s, 30 * MINUTE, 12 * HOUR);
    return s ? 0 : -1;
}

static int tear_down(void **state)
{
    sessions_free(s);
    return 0;
}

static struct account named(const char *name)
{
    struct account a = {.role = STAFF_VIEWER, .epoch = 77};
    snprintf(a.name, sizeof(a.name), "%s", name);
    return a;
}

static void a_session_is_found_by_its_id(void **state)
{
    struct account a = named("root");
    char one[SESSION_ID_SIZE], two[SESSION_ID_SIZE];
    struct session got;
    assert_int_equal(sessions_begin(s, &a, 0, one), 0);
    assert_int_equal(sessions_begin(s, &a, 0, two), 0);
    assert_string_not_equal(one, two);
    assert_int_equal(strlen(one), 64);
    assert_true(sessions_find(s, span_str(one), 1, true, &got));
    assert_string_equal(got.name, "root");
    assert_int_equal(got.epoch, 77);
    assert_int_equal(strlen(got.token), 32);
    char token[SESSION_TOKEN_SIZE];
    memcpy(token, got.token, sizeof(token));
    assert_true(sessions_find(s, span_str(two), 1, true, &got));
    assert_string_not_equal(token, got.token);
    /* Not by a part of it, another, or none. */
    one[10] ^= 1;
    assert_false(sessions_find(s, span_str(one), 1, true, &got));
    one[10] ^= 1;
    assert_false(sessions_find(s, span_from(one, 63), 1, true, &got));
    assert_false(sessions_find(s, SPAN_LIT(""), 1, true, &got));
    sessions_end(s, span_str(one));
    assert_false(sessions_find(s, span_str(one), 1, true, &got));
    assert_true(sessions_find(s, span_str(two), 1, true, &got));
}

static void a_session_ends_by_itself(void **state)
{
    struct account a = named("root");
    char id[SESSION_ID_SIZE];
    struct session got;
    assert_int_equal(sessions_begin(s, &a, 0, id), 0);
    assert_true(sessions_find(s, span_str(id), 30 * MINUTE - 1, true, &got));
    assert_false(sessions_find(s, span_str(id), 60 * MINUTE, true, &got)); /* idle for too long */
    assert_false(sessions_find(s, span_str(id), 30 * MINUTE, true, &got)); /* and gone for good */
    assert_int_equal(sessions_begin(s, &a, 0, id), 0);
    for (uint64_t t = 0; t < 12 * HOUR; t += 20 * MINUTE)
        assert_true(sessions_find(s, span_str(id), t, true, &got));
    assert_false(sessions_find(s, span_str(id), 12 * HOUR, true, &got)); /* however busy */
    assert_int_equal(sessions_begin(s, &a, 12 * HOUR, id), 0);
    /* Looked at without being used it goes on to its end. */
    assert_true(sessions_find(s, span_str(id), 12 * HOUR + 29 * MINUTE, false, &got));
    assert_false(sessions_find(s, span_str(id), 12 * HOUR + 30 * MINUTE, false, &got));
    assert_int_equal(sessions_begin(s, &a, 12 * HOUR, id), 0);
    sessions_set_times(s, MINUTE, HOUR);
    assert_false(sessions_find(s, span_str(id), 12 * HOUR + MINUTE, true, &got));
}

static void there_are_only_so_many(void **state)
{
    struct account a = named("root"), b;
    char first[SESSION_ID_SIZE], id[SESSION_ID_SIZE], name[32];
    struct session got;
    assert_int_equal(sessions_begin(s, &a, 0, first), 0);
    for (unsigned i = 1; i < SESSIONS_EACH; i++)
        assert_int_equal(sessions_begin(s, &a, i, id), 0);
    assert_true(sessions_find(s, span_str(first), 100, true, &got));
    assert_int_equal(sessions_begin(s, &a, 101, id), 0);
    assert_true(
        sessions_find(s, span_str(first), 102, true, &got)); /* the longest unused one went */
    for (unsigned i = 0; i < SESSIONS_MAX + 10; i++) {
        snprintf(name, sizeof(name), "n%u", i);
        b = named(name);
        assert_int_equal(sessions_begin(s, &b, 200 + i, id), 0);
        assert_true(sessions_find(s, span_str(id), 200 + i, true, &got));
    }
    assert_false(sessions_find(s, span_str(first), 2000, true, &got));
}

static void a_secret_waits_in_its_session(void **state)
{
    struct account a = named("root");
    char id[SESSION_ID_SIZE];
    unsigned char secret[OTP_SECRET_SIZE] = "12345678901234567890";
    struct session got;
    assert_int_equal(sessions_begin(s, &a, 0, id), 0);
    sessions_keep_secret(s, span_str(id), secret);
    assert_true(sessions_find(s, span_str(id), 1, true, &got) && got.has_secret);
    assert_memory_equal(got.secret, secret, sizeof(secret));
    sessions_keep_secret(s, span_str(id), NULL);
    assert_true(sessions_find(s, span_str(id), 1, true, &got) && !got.has_secret);
}

static void guesses_get_dearer(void **state)
{
    struct throttle *t = throttle_new();
    struct span name = SPAN_LIT("root"), here = SPAN_LIT("10.0.0.1"), there = SPAN_LIT("10.0.0.2");
    uint64_t now = 1000, began = 0;
    unsigned tries = 0, longest = 0;
    /* Ten thousand guesses from one address take months. */
    while (tries < 10000) {
        unsigned wait = throttle_wait(t, name, here, now);
        longest = wait > longest ? wait : longest;
        now += wait * (uint64_t)1000;
        assert_int_equal(throttle_wait(t, name, here, now), 0);
        began += throttle_failed(t, name, here, now);
        tries++;
    }
    assert_true(now > (uint64_t)9000 * 900 * 1000);
    assert_int_equal(longest, 900);
    assert_true(began >= 1 && began <= 3); /* told when it begins, not each time */
    assert_true(throttle_wait(t, name, here, now) > 60);
    /* The owner, elsewhere, hardly waits; others at the same address do, too. */
    assert_true(throttle_wait(t, name, there, now) <= 30);
    assert_true(throttle_wait(t, SPAN_LIT("anna"), here, now) > 60);
    assert_int_equal(throttle_wait(t, SPAN_LIT("anna"), there, now), 0);
    /* An hour later all is forgotten. */
    now += 2 * HOUR;
    assert_int_equal(throttle_wait(t, name, here, now), 0);
    throttle_free(t);
}

static void a_few_slips_cost_nothing(void **state)
{
    struct throttle *t = throttle_new();
    struct span name = SPAN_LIT("root"), here = SPAN_LIT("10.0.0.1");
    for (int i = 0; i < 5; i++) {
        assert_int_equal(throttle_wait(t, name, here, 1000), 0);
        assert_false(throttle_failed(t, name, here, 1000));
    }
    assert_int_equal(throttle_wait(t, name, here, 1000), 0);
    assert_true(throttle_failed(t, name, here, 1000));
    assert_int_equal(throttle_wait(t, name, here, 1000), 1);
    throttle_good(t, name, here);
    assert_int_equal(throttle_wait(t, name, here, 1000), 0);
    throttle_free(t);
}

static void neighbours_share_a_network_only_in_ipv6(void **state)
{
    struct throttle *t = throttle_new();
    char name[32];
    for (int i = 0; i < 30; i++) {
        snprintf(name, sizeof(name), "n%d", i);
        throttle_failed(t, span_str(name), SPAN_LIT("2001:db8::1"), 1000);
    }
    assert_true(throttle_wait(t, SPAN_LIT("x"), SPAN_LIT("2001:db8::ffff:2"), 1000) > 0);
    assert_int_equal(throttle_wait(t, SPAN_LIT("x"), SPAN_LIT("2001:db8:0:1::1"), 1000), 0);
    assert_int_equal(throttle_wait(t, SPAN_LIT("x"), SPAN_LIT("10.0.0.1"), 1000), 0);
    /* All come from there when a front is on this machine: names alone are counted then. */
    for (int i = 0; i < 30; i++) {
        snprintf(name, sizeof(name), "n%d", i);
        throttle_failed(t, span_str(name), SPAN_LIT("127.0.0.1"), 1000);
    }
    assert_int_equal(throttle_wait(t, SPAN_LIT("x"), SPAN_LIT("127.0.0.1"), 1000), 0);
    /* Full of strangers it still works. */
    for (int i = 0; i < 5000; i++) {
        char ip[32];
        snprintf(ip, sizeof(ip), "10.1.%d.%d", i >> 8, i & 255);
        throttle_failed(t, SPAN_LIT("y"), span_str(ip), 2000);
    }
    assert_true(throttle_wait(t, SPAN_LIT("y"), SPAN_LIT("10.9.9.9"), 2000) <= 30);
    throttle_free(t);
}

int main(void)
{
#define SESSION_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        SESSION_TEST(a_session_is_found_by_its_id),
        SESSION_TEST(a_session_ends_by_itself),
        SESSION_TEST(there_are_only_so_many),
        SESSION_TEST(a_secret_waits_in_its_session),
        cmocka_unit_test(guesses_get_dearer),
        cmocka_unit_test(a_few_slips_cost_nothing),
        cmocka_unit_test(neighbours_share_a_network_only_in_ipv6),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
