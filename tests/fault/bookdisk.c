/* The casebook on a disk that fails, and with a log that waits: what was told stands, nothing else.
 */
#include "../unit/audit/logdir.h"

#include "audit/verify.h"
#include "base/clock.h"
#include "casebook/casebook.h"
#include "faults.h"

#include <sys/stat.h>

static struct audit *a;
static struct casebook *c;
static char state_dir[128];

static void open_book(void)
{
    struct casebook_options o = {.state_dir = span_str(state_dir),
                                 .log_dir = span_str(dir),
                                 .audit = a,
                                 .share = 100,
                                 .wait_ms = 300,
                                 .due_us = 86400ull * 1000000};
    assert_int_equal(casebook_open(&o, &c), 0);
}

static int setup(void **state)
{
    fault_clear();
    if (make_dir(state) < 0)
        return -1;
    a = open_log(AUDIT_REQUIRED);
    snprintf(state_dir, sizeof(state_dir), "%s/state", dir);
    mkdir(state_dir, 0700);
    open_book();
    struct audit_port *port;
    struct audit_done done;
    assert_int_equal(audit_port_open(a, &port), 0);
    for (int i = 0; i < 4; i++) {
        char id[8];
        snprintf(id, sizeof(id), "r%d", i);
        assert_int_equal(submit(a, port, 1, AUDIT_ACT, id), 0);
        collect(port, &done, 1);
    }
    audit_port_close(port);
    return 0;
}

static int teardown(void **state)
{
    fault_clear();
    casebook_close(c);
    audit_close(a);
    struct verify_options v = {.dir = span_str(dir)};
    struct verify_report report;
    int r = verify_run(&v, &report);
    return remove_dir(state) ? -1 : r;
}

static int review(const char *id)
{
    struct span ids[] = {span_str(id)};
    struct casebook_act act = {.verb = CASEBOOK_REVIEW,
                               .author = SPAN_LIT("Li"),
                               .verdict = VERDICT_CORRECT,
                               .requests = ids,
                               .request_count = 1};
    struct casebook_answer answer;
    int r = casebook_do(c, &act, &answer);
    assert_true((r == 0) == (answer.error[0] == '\0'));
    return r;
}

static bool is_reviewed(const char *id)
{
    struct casebook_review found;
    assert_int_equal(casebook_find_review(c, span_str(id), &found), 0);
    return found.verdict == VERDICT_CORRECT;
}

/* Records of reviews, which are admin records with that id. */
static unsigned records_of(const char *id)
{
    char sql[160];
    snprintf(sql, sizeof(sql),
             "SELECT count(*) FROM record WHERE body LIKE '%%\"review\"%%' AND instr(body,"
             " '\\\"ids\\\":\\\"%s\\\"')",
             id);
    return (unsigned)strtoul(peek(0, sql).data, NULL, 10);
}

static bool takes_records(void)
{
    struct audit_port *port;
    struct audit_done done;
    assert_int_equal(audit_port_open(a, &port), 0);
    assert_int_equal(submit(a, port, 1, AUDIT_ACT, "more"), 0);
    collect(port, &done, 1);
    audit_port_close(port);
    return done.status == 0 && audit_ready(a);
}

static void restart(void)
{
    casebook_close(c);
    audit_close(a);
    a = open_log(AUDIT_REQUIRED);
    open_book();
}

static void without_room_nothing_is_decided_until_there_is(void **state)
{
    static const int errors[] = {ENOSPC, EDQUOT};
    for (size_t i = 0; i < 2; i++) {
        char id[8];
        snprintf(id, sizeof(id), "r%zu", i);
        fault_within("/casebook.db");
        fault_set(FAULT_WRITE, 1, UINT32_MAX, errors[i]);
        assert_true(review(id) < 0);
        assert_true(takes_records());
        assert_int_equal(records_of(id), 0);
        fault_clear();
        assert_false(is_reviewed(id));
        assert_int_equal(review(id), 0);
        assert_true(is_reviewed(id));
    }
}

/* Each write and each sync of an act in turn: it stands or it does not, and a second sync is not
 * tried. */
static void after_an_io_error_nothing_is_decided_until_restart(void **state)
{
    for (unsigned call = FAULT_WRITE; call <= FAULT_SYNC; call++)
        for (unsigned n = 1; n < 12; n++) {
            fault_within("/casebook.db");
            fault_set((enum fault_call)call, n, 1, EIO);
            int first = review("r0");
            bool hit = fault_failures() > 0;
            if (hit) {
                assert_int_equal(review("r1"), -EIO);
                assert_int_equal(fault_failures(), 1);
            }
            assert_true(takes_records());
            fault_clear();
            restart();
            if (first == 0)
                assert_true(is_reviewed("r0"));
            assert_int_equal(is_reviewed("r0"), records_of("r0") > 0);
            if (hit)
                assert_false(is_reviewed("r1"));
            if (first == 0 && !hit)
                break;
        }
}

static void a_foreign_lock_is_waited_for_and_told(void **state)
{
    char path[160];
    struct db *other = NULL;
    struct db_options o = {.busy_ms = 1000};
    snprintf(path, sizeof(path), "%s/casebook.db", state_dir);
    assert_int_equal(db_open(span_str(path), &o, &other), 0);
    assert_int_equal(db_begin(other), 0);
    assert_true(review("r0") < 0);
    assert_true(takes_records());
    db_rollback(other);
    db_close(other);
    assert_int_equal(records_of("r0"), 0);
    assert_int_equal(review("r0"), 0);
    assert_true(is_reviewed("r0"));
}

/* The log's file is locked by somebody else for longer than an act waits. */
static void what_waits_for_the_log_is_not_forgotten(void **state)
{
    char path[192];
    struct db *other = NULL;
    struct db_options o = {.busy_ms = 1000};
    month_path(0, path);
    assert_int_equal(db_open(span_str(path), &o, &other), 0);
    assert_int_equal(db_begin(other), 0);
    assert_int_equal(review("r0"), -EINPROGRESS);
    assert_int_equal(review("r1"), -EAGAIN);
    assert_false(is_reviewed("r0"));
    db_rollback(other);
    db_close(other);
    int r = 0;
    for (int i = 0; i < 100 && (r = review("r2")) == -EAGAIN; i++)
        usleep(20000);
    assert_int_equal(r, 0);
    /* What the log says was decided is decided. */
    assert_true(is_reviewed("r0") && is_reviewed("r2"));
    assert_false(is_reviewed("r1"));
    assert_int_equal(records_of("r0"), 1);
}

static void gone(const char *command)
{
    char text[512];
    snprintf(text, sizeof(text), "cd %s && %s", state_dir, command);
    assert_int_equal(review("r0"), 0);
    assert_int_equal(system(text), 0);
    assert_int_equal(review("r1"), -EIO);
    assert_int_equal(review("r2"), -EIO);
    assert_true(takes_records());
    assert_int_equal(records_of("r1") + records_of("r2"), 0);
}

static void a_deleted_file_takes_no_acts(void **state)
{
    gone("rm casebook.db");
    restart();
    assert_int_equal(review("r1"), 0);
}

static void a_replaced_file_takes_no_acts(void **state)
{
    gone("cp casebook.db new && mv new casebook.db");
}

static void a_link_takes_no_acts(void **state)
{
    char path[160];
    gone("mv casebook.db old && ln -s old casebook.db");
    casebook_close(c);
    struct casebook_options o = {
        .state_dir = span_str(state_dir), .log_dir = span_str(dir), .audit = a};
    c = NULL;
    assert_true(casebook_open(&o, &c) < 0);
    snprintf(path, sizeof(path), "%s/casebook.db", state_dir);
    assert_int_equal(unlink(path), 0);
    open_book();
}

int main(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(without_room_nothing_is_decided_until_there_is),
        CASE(after_an_io_error_nothing_is_decided_until_restart),
        CASE(a_foreign_lock_is_waited_for_and_told),
        CASE(what_waits_for_the_log_is_not_forgotten),
        CASE(a_deleted_file_takes_no_acts),
        CASE(a_replaced_file_takes_no_acts),
        CASE(a_link_takes_no_acts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
