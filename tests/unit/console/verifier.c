/* The verification that somebody at the console asks for: one at a time, and broken off at the end.
 */
#include "../unit.h"

#include "audit/act.h"
#include "base/log.h"
#include "console/verifier.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char dir[64];

static int make_dir(void **state)
{
    snprintf(dir, sizeof(dir), "%s/juyong-verifier-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    log_set_level(LOG_ERROR + 1);
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
    char command[96];
    snprintf(command, sizeof(command), "rm -rf %s", dir);
    return system(command);
}

static void wait_for(struct verifier *v, struct verifier_report *ret)
{
    do {
        poll(NULL, 0, 1);
        verifier_get(v, ret);
    } while (ret->state == VERIFIER_RUNNING);
}

static void tells_what_it_found(void **state)
{
    struct audit *a = NULL;
    struct audit_options o = {.dir = span_str(dir)};
    struct verifier_report r;
    char command[256];
    assert_int_equal(audit_open(&o, &a), 0);
    struct verifier *v = verifier_new(a);
    assert_non_null(v);
    verifier_get(v, &r);
    assert_int_equal(r.state, VERIFIER_NEVER);
    assert_int_equal(act_note(a, SPAN_LIT("test"), SPAN_LIT("{}"), NULL), 0);
    assert_int_equal(verifier_begin(v, span_str(dir)), 0);
    wait_for(v, &r);
    assert_int_equal(r.state, VERIFIER_OK);
    assert_true(r.records >= 2 && r.at_us > 0);
    assert_string_equal(r.finding, "");

    /* A log whose checkpoints are gone but for a line that is none. */
    snprintf(command, sizeof(command), "echo nonsense > %s/checkpoints.jsonl", dir);
    assert_int_equal(system(command), 0);
    assert_int_equal(verifier_begin(v, span_str(dir)), 0);
    wait_for(v, &r);
    assert_int_equal(r.state, VERIFIER_BAD);
    assert_true(span_starts(span_str(r.finding), SPAN_LIT("checkpoints.jsonl")));

    assert_int_equal(verifier_begin(v, SPAN_LIT("/nowhere/at/all")), 0);
    wait_for(v, &r);
    assert_int_equal(r.state, VERIFIER_FAILED);
    assert_true(r.finding[0] != '\0');
    verifier_free(v);
    audit_close(a);
}

static void ends_with_its_owner(void **state)
{
    struct audit *a = NULL;
    struct audit_options o = {.dir = span_str(dir)};
    assert_int_equal(audit_open(&o, &a), 0);
    for (int i = 0; i < 20; i++) {
        struct verifier *v = verifier_new(a);
        assert_int_equal(verifier_begin(v, span_str(dir)), 0);
        int again = verifier_begin(v, span_str(dir));
        assert_true(again == 0 || again == 1);
        verifier_free(v);
    }
    verifier_free(NULL);
    audit_close(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(tells_what_it_found, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(ends_with_its_owner, make_dir, remove_dir),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
