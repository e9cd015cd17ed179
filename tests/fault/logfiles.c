/* The files of the log and of its index as they can be found: locked, damaged, newer, gone,
 * replaced. */
#include "../unit/audit/logdir.h"

#include "audit/indexer.h"
#include "audit/query.h"
#include "audit/verify.h"
#include "base/clock.h"
#include "faults.h"

#include <sys/stat.h>
#include <unistd.h>

static int setup(void **state)
{
    fault_clear();
    return make_dir(state);
}

static int teardown(void **state)
{
    fault_clear();
    return remove_dir(state);
}

static int try_open(bool index, struct audit **ret)
{
    struct audit_options o = {
        .dir = span_str(dir), .node = SPAN_LIT("node-1"), .originals = 4096, .index = index};
    *ret = NULL;
    return audit_open(&o, ret);
}

static struct audit *open_all(bool index)
{
    struct audit *a;
    assert_int_equal(try_open(index, &a), 0);
    return a;
}

/* An interception with its text and its original text. */
static int intercept(struct audit *a, struct audit_port *port, const char *request)
{
    struct audit_subject subject = subject_example;
    struct audit_hit hit = hit_example;
    subject.request_id = span_str(request);
    hit.start = 33;
    hit.end = 41;
    struct audit_original original = {.direction = DIRECTION_PROMPT,
                                      .role = ROLE_USER,
                                      .path = SPAN_LIT("messages[0].content"),
                                      .text =
                                          SPAN_LIT("call me and then ask for the bad word there"),
                                      .hits = 1};
    struct audit_event e = {.kind = AUDIT_ACT,
                            .subject = &subject,
                            .hits = &hit,
                            .hit_count = 1,
                            .action = ACTION_BLOCK,
                            .originals = &original,
                            .original_count = 1};
    return audit_submit(a, port, 1, &e);
}

static int intercept_and_wait(struct audit *a, struct audit_port *port, const char *request)
{
    struct audit_done done;
    int r = intercept(a, port, request);
    if (r == 0)
        collect(port, &done, 1);
    return r < 0 ? r : done.status;
}

static struct verify_report check_whole(void)
{
    struct verify_options o = {.dir = span_str(dir)};
    struct verify_report r;
    if (verify_run(&o, &r) != 0)
        fail_msg("%s record %llu: %s", r.file, (unsigned long long)r.seq, r.what);
    assert_int_equal(r.texts_absent + r.originals_absent, 0);
    return r;
}

static unsigned count_requests(const char *request)
{
    char sql[96];
    snprintf(sql, sizeof(sql), "SELECT count(*) FROM record WHERE request = '%s'", request);
    return (unsigned)strtoul(peek(0, sql).data, NULL, 10);
}

static void wait_ready(const struct audit *a, bool ready)
{
    uint64_t until = clock_mono_ms() + 10000;
    while (audit_ready(a) != ready) {
        assert_true(clock_mono_ms() < until);
        usleep(5000);
    }
}

/* What no room in a file of each tier leads to, and what a failed sync of it. */
static void every_tier_heals_or_stops(void **state)
{
    static const char *const files[] = {"/l0-", "/l1-", "/l2-"};
    static const int errors[] = {ENOSPC, EDQUOT, EFBIG};
    for (int tier = 0; tier < 3; tier++) {
        struct audit *a = open_all(false);
        struct audit_port *port;
        assert_int_equal(audit_port_open(a, &port), 0);
        assert_int_equal(intercept_and_wait(a, port, "before"), 0);
        fault_within(files[tier]);
        fault_set(FAULT_WRITE, 1, UINT32_MAX, errors[tier]);
        assert_int_equal(intercept_and_wait(a, port, "lost"), -errors[tier]);
        assert_false(audit_ready(a));
        fault_clear();
        wait_ready(a, true);
        assert_int_equal(intercept_and_wait(a, port, "after"), 0);
        fault_within(files[tier]);
        fault_set(FAULT_SYNC, 1, 1, EIO);
        assert_int_equal(intercept_and_wait(a, port, "during"), -EIO);
        assert_int_equal(intercept_and_wait(a, port, "never"), -EIO);
        assert_int_equal(fault_failures(), 1);
        fault_clear();
        struct audit_health h;
        audit_get_health(a, &h);
        assert_true(h.failed);
        audit_port_close(port);
        audit_close(a);
        a = open_all(false);
        audit_close(a);
        struct verify_report r = check_whole();
        assert_int_equal(r.lost, 1);
        assert_int_equal(r.gaps, 1);
        assert_int_equal(count_requests("before") + count_requests("after"), 2);
        assert_int_equal(count_requests("lost") + count_requests("never"), 0);
        remove_dir(NULL);
        make_dir(NULL);
    }
}

/* Whoever holds a lock on a file of any tier makes events wait, and nothing else. */
static void a_foreign_lock_costs_nothing(void **state)
{
    for (int tier = 0; tier < 3; tier++) {
        struct audit *a = NULL;
        struct audit_options o = {.dir = span_str(dir), .originals = 4096, .queue_records = 40};
        struct audit_port *port;
        struct audit_done done[64];
        char path[192];
        struct db *other = NULL;
        struct db_options writer = {.busy_ms = 1000};
        assert_int_equal(audit_open(&o, &a), 0);
        assert_int_equal(audit_port_open(a, &port), 0);
        assert_int_equal(intercept_and_wait(a, port, "before"), 0);
        month_path(tier, path);
        assert_int_equal(db_open(span_str(path), &writer, &other), 0);
        assert_int_equal(db_begin(other), 0);
        int taken = 0, r = 0;
        while (taken < 64 && (r = intercept(a, port, "waits")) == 0)
            taken++;
        /* Bounded: and the exchanges that run have a quarter of the room for themselves. */
        assert_int_equal(r, -EAGAIN);
        assert_int_equal(taken, 40);
        assert_false(audit_ready(a));
        usleep(1500000);
        assert_int_equal(audit_port_collect(port, done, 64), 0);
        db_rollback(other);
        db_close(other);
        collect(port, done, (size_t)taken);
        for (int i = 0; i < taken; i++)
            assert_int_equal(done[i].status, 0);
        wait_ready(a, true);
        assert_int_equal(intercept_and_wait(a, port, "after"), 0);
        struct audit_health h;
        audit_get_health(a, &h);
        assert_false(h.failed || h.degraded);
        audit_port_close(port);
        audit_close(a);
        struct verify_report report = check_whole();
        assert_int_equal(report.lost, 1);
        assert_int_equal(count_requests("waits"), 40);
        remove_dir(NULL);
        make_dir(NULL);
    }
}

static void write_log(void)
{
    struct audit *a = open_all(false);
    struct audit_port *port;
    assert_int_equal(audit_port_open(a, &port), 0);
    for (int i = 0; i < 10; i++)
        assert_int_equal(intercept_and_wait(a, port, "req"), 0);
    audit_port_close(port);
    audit_close(a);
}

static void in_dir(const char *command)
{
    char text[600];
    snprintf(text, sizeof(text),
             "cd %s && f=$(ls l0-*.db) && l1=$(ls l1-*.db) && l2=$(ls l2-*.db) && %s", dir,
             command);
    assert_int_equal(system(text), 0);
}

/* A log that does not fit is refused at the start; what it says stays as it is. */
static void what_does_not_fit_is_refused(void **state)
{
    static const struct {
        const char *command;
        int error;
    } cases[] = {
        {"printf XXXX | dd of=$f conv=notrunc status=none", -EBADMSG},
        {"printf XXXX | dd of=$l1 conv=notrunc status=none", -EBADMSG},
        {"printf XXXX | dd of=$l2 conv=notrunc status=none", -EBADMSG},
        {"yes garbage | dd of=$f bs=4096 seek=1 count=3 conv=notrunc status=none", -EBADMSG},
        {"truncate -s 4096 $f", -EBADMSG},
        {"a newer version", -EPROTO},
        {"mv $f elsewhere && ln -s elsewhere $f", 0},
        {"mv $l1 elsewhere && ln -s elsewhere $l1", 0},
        {"mv $l2 elsewhere && ln -s elsewhere $l2", 0},
        {"rm $f && mkdir $f", 0},
        {"rm $f", -EBADMSG},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct audit *a;
        write_log();
        if (cases[i].error == -EPROTO)
            tamper(0, "PRAGMA user_version = 9");
        else
            in_dir(cases[i].command);
        int r = try_open(false, &a);
        if (r == 0 || (cases[i].error && r != cases[i].error))
            fail_msg("%s: %d", cases[i].command, r);
        remove_dir(NULL);
        make_dir(NULL);
    }
}

/* Pages at random: refused, or written to without a fall; never a log that verifies and lost
 * something. */
static void damaged_pages_crash_nothing(void **state)
{
    uint64_t seed = 20261127;
    char path[192];
    write_log();
    for (int tier = 0; tier < 3; tier++) {
        month_path(tier, path);
        char keep[200];
        snprintf(keep, sizeof(keep), "cp -r %s %s.kept", dir, dir);
        assert_int_equal(system(keep), 0);
        for (int i = 0; i < 60; i++) {
            struct verify_report r;
            struct verify_options v = {.dir = span_str(dir)};
            struct audit *a;
            FILE *f = fopen(path, "r+");
            assert_non_null(f);
            fseek(f, 0, SEEK_END);
            long pages = ftell(f) / 4096, page = (long)(random_next(&seed) % (uint64_t)pages);
            fseek(f, page * 4096 + (long)(random_next(&seed) % 3840), SEEK_SET);
            for (int k = 0; k < 256; k++)
                fputc((int)(random_next(&seed) & 255), f);
            fclose(f);
            if (try_open(false, &a) == 0) {
                int put = intercept(a, NULL, "more"); /* its own first record may have failed */
                assert_true(put == 0 || put == -EIO);
                audit_close(a);
            }
            if (verify_run(&v, &r) == 0)
                assert_true(r.records >= 12);
            snprintf(keep, sizeof(keep), "rm -rf %s && cp -r %s.kept %s", dir, dir, dir);
            assert_int_equal(system(keep), 0);
        }
        snprintf(keep, sizeof(keep), "rm -rf %s.kept", dir);
        assert_int_equal(system(keep), 0);
    }
}

static void a_file_that_is_replaced_while_in_use_stops_the_log(void **state)
{
    static const char *const commands[] = {
        "rm $f",
        "rm $l1",
        "rm $l2",
        "cp $f new && mv new $f",
        "mv $f elsewhere && ln -s elsewhere $f",
        "mv $l2 elsewhere && ln -s elsewhere $l2",
    };
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        struct audit *a = open_all(false);
        struct audit_port *port;
        assert_int_equal(audit_port_open(a, &port), 0);
        assert_int_equal(intercept_and_wait(a, port, "req"), 0);
        in_dir(commands[i]);
        wait_ready(a, false);
        assert_int_equal(intercept_and_wait(a, port, "req"), -EIO);
        audit_port_close(port);
        audit_close(a);
        remove_dir(NULL);
        make_dir(NULL);
    }
}

/* ---- the index: derived, and nobody's obstacle ---- */

static unsigned find(const char *text)
{
    struct query_filter f = {.text = span_str(text)};
    struct query *q = NULL;
    const struct query_row *row;
    unsigned found = 0;
    int r = query_open(span_str(dir), &f, &q);
    while (r >= 0 && (r = query_next(q, &row)) == 1)
        found++;
    assert_int_equal(r, 0);
    query_close(q);
    return found;
}

static void the_index_never_stops_the_log(void **state)
{
    static const struct {
        const char *within, *command;
        enum fault_call call;
        int error;
    } cases[] = {
        {"/ix-", NULL, FAULT_WRITE, ENOSPC},
        {"/tx-", NULL, FAULT_WRITE, EDQUOT},
        {"/ix-", NULL, FAULT_WRITE, EIO},
        {"/tx-", NULL, FAULT_SYNC, EIO},
        {"/ix-", NULL, FAULT_SYNC, EIO},
        {NULL, "yes | dd of=$(ls ix-*.db) bs=4096 count=1 conv=notrunc status=none", 0, 0},
        {NULL, "yes | dd of=$(ls tx-*.db) bs=4096 count=2 seek=1 conv=notrunc status=none", 0, 0},
        {NULL, "rm ix-*.db", 0, 0},
        {NULL, "rm tx-*", 0, 0},
        {NULL, "x=$(ls ix-*.db) && mv $x elsewhere && ln -s elsewhere $x", 0, 0},
        {NULL, "x=$(ls tx-*.db) && rm $x* && ln -s /etc/passwd $x", 0, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct audit *a = open_all(true);
        struct audit_port *port;
        struct audit_health h;
        char request[16];
        assert_int_equal(audit_port_open(a, &port), 0);
        for (int n = 0; n < 5; n++) {
            snprintf(request, sizeof(request), "early-%d", n);
            assert_int_equal(intercept_and_wait(a, port, request), 0);
        }
        if (cases[i].within) {
            fault_within(cases[i].within);
            fault_set(cases[i].call, 1, UINT32_MAX, cases[i].error);
        }
        usleep(1200000); /* the indexer has looked */
        if (cases[i].command)
            in_dir(cases[i].command);
        for (int n = 0; n < 5; n++) {
            snprintf(request, sizeof(request), "late-%d", n);
            assert_int_equal(intercept_and_wait(a, port, request), 0);
        }
        assert_true(audit_ready(a));
        audit_get_health(a, &h);
        assert_false(h.failed || h.degraded);
        if (find("bad word") != 10)
            fail_msg("case %zu: %u found", i, find("bad word"));
        audit_port_close(port);
        audit_close(a);
        fault_clear();
        assert_int_equal(indexer_run(span_str(dir)), 0);
        assert_int_equal(find("bad word"), 10);
        check_whole();
        remove_dir(NULL);
        make_dir(NULL);
    }
}

static void a_locked_index_stops_nothing(void **state)
{
    struct audit *a = open_all(true);
    struct audit_port *port;
    char path[192] = "", command[128];
    struct db *other = NULL;
    struct db_options writer = {.busy_ms = 3000};
    assert_int_equal(audit_port_open(a, &port), 0);
    assert_int_equal(intercept_and_wait(a, port, "early"), 0);
    usleep(1200000);
    snprintf(command, sizeof(command), "ls %s/ix-*.db", dir);
    FILE *f = popen(command, "r");
    assert_non_null(fgets(path, sizeof(path), f));
    pclose(f);
    path[strcspn(path, "\n")] = '\0';
    assert_int_equal(db_open(span_str(path), &writer, &other), 0);
    assert_int_equal(db_begin(other), 0);
    for (int n = 0; n < 200; n++)
        assert_int_equal(intercept_and_wait(a, port, n % 2 ? "one" : "other"), 0);
    assert_true(audit_ready(a));
    assert_int_equal(find("bad word"), 3);
    db_rollback(other);
    db_close(other);
    audit_port_close(port);
    audit_close(a);
    assert_int_equal(indexer_run(span_str(dir)), 0);
    assert_int_equal(find("bad word"), 3);
}

int main(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(every_tier_heals_or_stops),
        CASE(a_foreign_lock_costs_nothing),
        CASE(what_does_not_fit_is_refused),
        CASE(damaged_pages_crash_nothing),
        CASE(a_file_that_is_replaced_while_in_use_stops_the_log),
        CASE(the_index_never_stops_the_log),
        CASE(a_locked_index_stops_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
