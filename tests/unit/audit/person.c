/* Whom somebody means, and whom a list of users shows. */
#include "logdir.h"

#include "audit/person.h"
#include "audit/verdict.h"

#define NOON INT64_C(1795665600)
#define ANNA "aaaaaaaa11111111aaaaaaaa11111111aaaaaaaa11111111aaaaaaaa11111111"
#define BEN  "aaaaaaaa22222222aaaaaaaa22222222aaaaaaaa22222222aaaaaaaa22222222"
#define ID   "cccccccc33333333cccccccc33333333cccccccc33333333cccccccc33333333"

static struct strikes *table_of(const char *const *hashes)
{
    struct strikes *t = NULL;
    assert_int_equal(strikes_open(span_str(dir), 64, false, &t), 0);
    for (; *hashes; hashes++) {
        struct strike_entry e;
        assert_true(strike_entry_init(&e, SPAN_LIT("default"), span_str(*hashes)));
        strikes_lock(t);
        strikes_put(t, &e);
        strikes_unlock(t);
    }
    return t;
}

static void a_person_is_meant_by_id_hash_or_its_beginning(void **state)
{
    struct strikes *t = table_of((const char *const[]){ANNA, BEN, ID, NULL});
    const struct {
        const char *id, *hash, *found;
        unsigned flags;
        int result;
    } cases[] = {
        {ANNA, "", ANNA, 0, 0}, /* a whole hash takes no key */
        {"AAAAAAAA11111111aaaaaaaa11111111aaaaaaaa11111111aaaaaaaa11111111", "", ANNA, 0, 0},
        {"anna", "", "", 0, -EINVAL},
        {"anna", ID, ID, 0, 0},
        {ANNA, ID, ID, PERSON_AS_ID, 0},
        {"aaaaaaaa1", ID, "", 0, -EEXIST}, /* as a beginning, and as an id that is known */
        {"aaaaaaaa1", BEN, "", 0, -EEXIST},
        {"aaaaaaaa", ANNA, "", 0, -EEXIST},
        {"aaaaaaaa111111…", "0000", "", 0, -EINVAL},
        {"aaaaaaa", ID, ID, 0, 0}, /* too short for a beginning */
        {"bbbbbbbb", "dddddddd44444444dddddddd44444444dddddddd44444444dddddddd44444444", "", 0,
         -ENOENT},
        {"bbbbbbbb", ID, ID, 0, 0},
        {"bbbbbbbb", "dddddddd44444444dddddddd44444444dddddddd44444444dddddddd44444444",
         "dddddddd44444444dddddddd44444444dddddddd44444444dddddddd44444444", PERSON_OR_ID, 0},
        {"aaaaaaaa1…", "dddddddd44444444dddddddd44444444dddddddd44444444dddddddd44444444", ANNA, 0,
         0},
        {"aaaaaaaa2...", "dddddddd44444444dddddddd44444444dddddddd44444444dddddddd44444444", BEN, 0,
         0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct person_found found;
        struct person_search s = {.id = span_str(cases[i].id),
                                  .hash = span_str(cases[i].hash),
                                  .strikes = t,
                                  .flags = cases[i].flags};
        int r = person_find(&s, &found);
        if (r != cases[i].result || (r == 0 && strcmp(found.hash, cases[i].found) != 0))
            fail_msg("case %zu: %d, %s", i, r, found.hash);
    }
    strikes_close(t);
}

static void a_list_shows_from_whom_something_follows(void **state)
{
    struct strike_entry clear, suspended, appealed;
    assert_true(strike_entry_init(&clear, SPAN_LIT("a"), SPAN_LIT(ANNA)));
    suspended = appealed = clear;
    strike_suspend(&suspended, NOON, NOON + 60);
    strike_appeal(&appealed, NOON, true);
    assert_false(verdict_lists(&clear, SPAN_NULL, NOON));
    assert_true(verdict_lists(&clear, SPAN_LIT("clear"), NOON));
    assert_true(verdict_lists(&suspended, SPAN_NULL, NOON));
    assert_true(verdict_lists(&suspended, SPAN_LIT("suspend"), NOON));
    assert_false(verdict_lists(&suspended, SPAN_LIT("suspend"), NOON + 61));
    assert_false(verdict_lists(&suspended, SPAN_LIT("appealed"), NOON));
    /* Who appealed waits for an answer, though nothing holds any more. */
    assert_true(verdict_lists(&appealed, SPAN_NULL, NOON));
    assert_true(verdict_lists(&appealed, SPAN_LIT("appealed"), NOON));
    assert_true(verdict_knows_state(SPAN_LIT("appealed")) && verdict_knows_state(SPAN_NULL));
    assert_false(verdict_knows_state(SPAN_LIT("dead")));
    for (int v = 0; v < USER_VERDICTS; v++)
        assert_int_equal(verdict_from(span_str(verdict_name((enum verdict)v))), v);
    assert_int_equal(verdict_from(SPAN_LIT("forgive")), USER_VERDICTS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_person_is_meant_by_id_hash_or_its_beginning, make_dir,
                                        remove_dir),
        cmocka_unit_test(a_list_shows_from_whom_something_follows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
