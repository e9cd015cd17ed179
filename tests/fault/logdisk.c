/* The log on a disk that fails: what was acknowledged stays, what was lost is told. */
#include "../unit/audit/logdir.h"

#include "audit/verify.h"
#include "base/clock.h"
#include "faults.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static int setup(void **state)
{
    fault_clear();
    return make_dir(state);
}

static int teardown(void **state)
{
    fault_clear();
    umount2(dir, MNT_DETACH);
    return remove_dir(state);
}

static struct verify_report verify_whole(void)
{
    struct verify_options o = {.dir = span_str(dir)};
    struct verify_report r;
    int got = verify_run(&o, &r);
    if (got != 0)
        fail_msg("verify gave %d: %s record %llu: %s", got, r.file, (unsigned long long)r.seq,
                 r.what);
    return r;
}

/* Waits until the log is (not) ready, at most 10 s. */
static void wait_ready(const struct audit *a, bool ready)
{
    uint64_t until = clock_mono_ms() + 10000;
    while (audit_ready(a) != ready) {
        assert_true(clock_mono_ms() < until);
        usleep(5000);
    }
}

static int submit_and_wait(struct audit *a, struct audit_port *port, const char *request)
{
    struct audit_done done;
    int r = submit(a, port, 1, AUDIT_ACT, request);
    if (r < 0)
        return r;
    collect(port, &done, 1);
    return done.status;
}

static void stops_when_a_sync_fails(void **state)
{
    struct audit *a = open_log(AUDIT_REQUIRED);
    struct audit_port *port;
    struct audit_health h;
    assert_int_equal(audit_port_open(a, &port), 0);
    assert_int_equal(submit_and_wait(a, port, "before"), 0);
    fault_set(FAULT_SYNC, 1, 1, EIO);
    assert_int_equal(submit_and_wait(a, port, "during"), -EIO);
    assert_int_equal(fault_failures(), 1);
    /* The next sync would succeed, and prove nothing: the log stays down. */
    assert_false(audit_ready(a));
    assert_int_equal(submit(a, port, 1, AUDIT_ACT, "after"), -EIO);
    usleep(1200000);
    assert_false(audit_ready(a));
    audit_get_health(a, &h);
    assert_true(h.failed);
    audit_port_close(port);
    audit_close(a);
    /* A restart checks the files and goes on. */
    a = open_log(AUDIT_REQUIRED);
    assert_true(audit_ready(a));
    audit_close(a);
    verify_whole();
    assert_span(peek(0, "SELECT count(*) FROM record WHERE request = 'before'"), SPAN_LIT("1"));
}

static void heals_when_there_is_room_again(void **state)
{
    struct audit *a = open_log(AUDIT_REQUIRED);
    struct audit_port *port;
    struct audit_health h;
    assert_int_equal(audit_port_open(a, &port), 0);
    assert_int_equal(submit_and_wait(a, port, "before"), 0);
    fault_set(FAULT_WRITE, 1, UINT32_MAX, ENOSPC);
    assert_int_equal(submit_and_wait(a, port, "lost-1"), -ENOSPC);
    assert_false(audit_ready(a));
    assert_int_equal(submit_and_wait(a, port, "lost-2"), -ENOSPC);
    usleep(1200000);
    audit_get_health(a, &h);
    assert_false(h.failed);
    assert_true(h.degraded);
    assert_int_equal(h.lost, 2);
    fault_clear();
    wait_ready(a, true);
    assert_int_equal(submit_and_wait(a, port, "after"), 0);
    audit_port_close(port);
    audit_close(a);
    struct verify_report r = verify_whole();
    assert_int_equal(r.gaps, 1);
    assert_int_equal(r.lost, 2);
    assert_span(
        peek(0, "SELECT group_concat(request) FROM (SELECT request FROM record WHERE request <>"
                " '' ORDER BY seq)"),
        SPAN_LIT("before,after"));
    assert_span(peek(0, "SELECT json_extract(body, '$.reason') FROM record WHERE body LIKE"
                        " '%\"kind\":\"gap\"%'"),
                SPAN_LIT("no_space"));
}

static void spools_in_degraded_mode(void **state)
{
    struct audit *a = NULL;
    struct audit_options o = {.dir = span_str(dir), .mode = AUDIT_DEGRADED, .queue_records = 40};
    struct audit_port *port;
    assert_int_equal(audit_open(&o, &a), 0);
    assert_int_equal(audit_port_open(a, &port), 0);
    assert_int_equal(submit_and_wait(a, port, "before"), 0);
    fault_set(FAULT_WRITE, 1, UINT32_MAX, ENOSPC);
    int spooled = 0, r;
    while ((r = submit_and_wait(a, port, "spooled")) == 0)
        spooled++;
    assert_int_equal(r, -EAGAIN);
    assert_int_equal(spooled, 40);
    assert_false(audit_ready(a));
    fault_clear();
    wait_ready(a, true);
    assert_int_equal(submit_and_wait(a, port, "after"), 0);
    audit_port_close(port);
    audit_close(a);
    struct verify_report report = verify_whole();
    assert_int_equal(report.gaps, 1);
    assert_int_equal(report.lost, 1);
    assert_span(peek(0, "SELECT count(*) FROM record WHERE request = 'spooled'"), SPAN_LIT("40"));
    assert_span(peek(1, "SELECT count(*) FROM text"), SPAN_LIT("42"));
}

/*
 * Each write, then each sync, of a short life of the log fails once, with room gone and with an I/O
 * error: whatever was acknowledged must be there afterwards, and the chain whole.
 */
static void survives_any_single_failure(void **state)
{
    static const struct {
        enum fault_call call;
        int error;
        unsigned step;
    } kinds[] = {{FAULT_WRITE, EIO, 3}, {FAULT_WRITE, ENOSPC, 3}, {FAULT_SYNC, EIO, 1}};
    unsigned failed = 0;
    for (size_t k = 0; k < 3; k++) {
        for (unsigned n = 1; n < 400; n += kinds[k].step) {
            struct audit_options o = {.dir = span_str(dir)};
            struct audit *a = NULL;
            struct audit_port *port;
            uint64_t acknowledged[20];
            size_t count = 0;
            fault_clear();
            fault_set(kinds[k].call, n, 1, kinds[k].error);
            if (audit_open(&o, &a) == 0) {
                assert_int_equal(audit_port_open(a, &port), 0);
                for (int i = 0; i < 6; i++) {
                    struct audit_done done;
                    if (submit(a, port, 1, i % 2 ? AUDIT_ACT : AUDIT_OPEN, "req") < 0)
                        continue;
                    collect(port, &done, 1);
                    if (done.status == 0)
                        acknowledged[count++] = done.seq;
                }
                audit_port_close(port);
                audit_close(a);
            }
            unsigned hit = fault_failures(), calls = fault_calls(kinds[k].call);
            fault_clear();
            failed += hit;
            a = NULL;
            assert_int_equal(audit_open(&o, &a), 0);
            audit_close(a);
            struct verify_report r = verify_whole();
            assert_int_equal(r.texts_absent, 0);
            for (size_t i = 0; i < count; i++) {
                char sql[96];
                snprintf(sql, sizeof(sql),
                         "SELECT count(*) FROM record WHERE request = 'req' AND seq = %llu",
                         (unsigned long long)acknowledged[i]);
                assert_span(peek(0, sql), SPAN_LIT("1"));
            }
            remove_dir(NULL);
            make_dir(NULL);
            if (calls < n)
                break;
        }
    }
    assert_true(failed > 20);
}

/* Against a real limit, in a child: file sizes that may not grow. */
static void keeps_what_a_size_limit_allows(void **state)
{
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct rlimit limit = {300000, 300000};
        struct audit_options o = {.dir = span_str(dir)};
        struct audit *a;
        struct audit_port *port;
        struct audit_done done;
        uint64_t acknowledged = 0;
        int status = 0;
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &limit);
        if (audit_open(&o, &a) < 0 || audit_port_open(a, &port) < 0)
            _exit(1);
        for (int i = 0; i < 2000 && status == 0; i++) {
            struct pollfd p = {.fd = audit_port_fd(port), .events = POLLIN};
            if (submit(a, port, 1, AUDIT_ACT, "req") < 0)
                break;
            poll(&p, 1, 10000);
            if (audit_port_collect(port, &done, 1) != 1)
                _exit(2);
            status = done.status;
            acknowledged += status == 0;
        }
        bool ready = audit_ready(a);
        ssize_t n = write(fds[1], &acknowledged, sizeof(acknowledged));
        _exit(n == sizeof(acknowledged) && !ready && (status == -EFBIG || status == -ENOSPC) ? 0
                                                                                             : 3);
    }
    uint64_t acknowledged = 0;
    int status = 0;
    assert_int_equal(read(fds[0], &acknowledged, sizeof(acknowledged)), sizeof(acknowledged));
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_true(acknowledged > 5);
    struct audit *a = open_log(AUDIT_REQUIRED);
    audit_close(a);
    verify_whole();
    char want[24];
    snprintf(want, sizeof(want), "%llu", (unsigned long long)acknowledged);
    assert_span(peek(0, "SELECT count(*) FROM record WHERE request = 'req'"), span_str(want));
}

/* A real full file system, where the test may mount one. */
static void survives_a_full_file_system(void **state)
{
    if (mount("none", dir, "tmpfs", 0, "size=2m,mode=0700") < 0) {
        print_message("no permission to mount a file system: left out\n");
        skip();
    }
    struct audit *a = open_log(AUDIT_REQUIRED);
    struct audit_port *port;
    struct audit_health h;
    int r = 0;
    assert_int_equal(audit_port_open(a, &port), 0);
    for (int i = 0; i < 5000 && r == 0; i++)
        r = submit_and_wait(a, port, "req");
    assert_int_equal(r, -ENOSPC);
    assert_false(audit_ready(a));
    audit_get_health(a, &h);
    assert_false(h.failed);
    assert_int_equal(mount("none", dir, "tmpfs", MS_REMOUNT, "size=8m,mode=0700"), 0);
    wait_ready(a, true);
    assert_int_equal(submit_and_wait(a, port, "after"), 0);
    audit_port_close(port);
    audit_close(a);
    struct verify_report report = verify_whole();
    assert_int_equal(report.gaps, 1);
    assert_int_equal(umount(dir), 0);
}

static void notices_a_deleted_file(void **state)
{
    struct audit *a = open_log(AUDIT_REQUIRED);
    struct audit_port *port;
    char path[192];
    assert_int_equal(audit_port_open(a, &port), 0);
    assert_int_equal(submit_and_wait(a, port, "req"), 0);
    month_path(0, path);
    assert_int_equal(unlink(path), 0);
    wait_ready(a, false);
    audit_port_close(port);
    audit_close(a);
}

/* The worst power cut: whatever was not synced is gone. What was acknowledged is not. */
static void survives_power_cuts(void **state)
{
    char shadow[128], cut[128], command[200], whole_dir[64];
    snprintf(shadow, sizeof(shadow), "%s/shadow", dir);
    snprintf(cut, sizeof(cut), "%s/cut", dir);
    snprintf(command, sizeof(command), "mkdir %s", shadow);
    assert_int_equal(system(command), 0);
    fault_shadow(dir, shadow);
    struct audit *a = open_log(AUDIT_REQUIRED);
    struct audit_port *port;
    uint64_t seed = 7, acknowledged = 0;
    assert_int_equal(audit_port_open(a, &port), 0);
    /* The key was synced within its own directory. */
    snprintf(command, sizeof(command), "cp -r %s/keys %s/", dir, shadow);
    assert_int_equal(system(command), 0);
    memcpy(whole_dir, dir, sizeof(whole_dir));
    for (int i = 0; i < 60; i++) {
        struct audit_done done[40];
        size_t sent = 1 + random_next(&seed) % 40, wait = 1 + random_next(&seed) % sent;
        for (size_t n = 0; n < sent; n++)
            assert_int_equal(
                submit(a, port, 1, random_next(&seed) % 3 ? AUDIT_OPEN : AUDIT_ACT, "req"), 0);
        collect(port, done, wait);
        for (size_t n = 0; n < wait; n++) {
            assert_int_equal(done[n].status, 0);
            acknowledged = done[n].seq;
        }
        /* Other records of this round are being written right now. */
        fault_cut_power(cut);
        memcpy(dir + strlen(dir), "/cut", 5);
        char want[24];
        snprintf(want, sizeof(want), "%llu", (unsigned long long)acknowledged);
        struct verify_report r = verify_whole();
        assert_true(r.last_seq >= acknowledged);
        assert_int_equal(r.texts_absent, 0);
        struct audit *again = open_log(AUDIT_REQUIRED);
        audit_close(again);
        verify_whole();
        memcpy(dir, whole_dir, sizeof(dir));
        if (sent > wait)
            collect(port, done, sent - wait);
    }
    assert_true(acknowledged > 500);
    audit_port_close(port);
    audit_close(a);
}

static void count_files(int want)
{
    char command[192];
    int got = -1;
    snprintf(command, sizeof(command), "ls %s/l0-*.db %s/l1-*.db | wc -l", dir, dir);
    FILE *f = popen(command, "r");
    assert_non_null(f);
    assert_int_equal(fscanf(f, "%d", &got), 1);
    pclose(f);
    assert_int_equal(got, want);
}

static void follows_the_clock(void **state)
{
    struct audit *a = open_log(AUDIT_REQUIRED);
    struct audit_port *port;
    assert_int_equal(audit_port_open(a, &port), 0);
    assert_int_equal(submit_and_wait(a, port, "now"), 0);
    count_files(2);
    /* The month turns: new files, one chain. */
    fault_shift_clock(40ll * 86400 * 1000000);
    assert_int_equal(submit_and_wait(a, port, "next month"), 0);
    count_files(4);
    fault_shift_clock(80ll * 86400 * 1000000);
    assert_int_equal(submit_and_wait(a, port, "the month after"), 0);
    count_files(6);
    /* Never back to an older file, neither now nor after a restart. */
    fault_shift_clock(0);
    assert_int_equal(submit_and_wait(a, port, "back"), 0);
    usleep(1500000);
    audit_port_close(port);
    audit_close(a);
    a = open_log(AUDIT_REQUIRED);
    audit_close(a);
    count_files(6);
    struct verify_report r = verify_whole();
    assert_int_equal(r.files, 3);
    assert_span(peek(0, "SELECT request FROM record WHERE request <> '' ORDER BY seq DESC LIMIT 1"),
                SPAN_LIT("back"));
    /* The steps are on record: forward and back may fall into one look at the clock. */
    fault_shift_clock(0);
    a = open_log(AUDIT_REQUIRED);
    fault_shift_clock(-3600ll * 1000000);
    usleep(1500000);
    audit_close(a);
    assert_span(peek(0,
                     "SELECT CAST(round(json_extract(json_extract(body, '$.detail'), '$.step_us')"
                     " / 1e6) AS INTEGER) FROM record WHERE body LIKE '%clock_step%' ORDER BY"
                     " seq DESC LIMIT 1"),
                SPAN_LIT("-3600"));
    verify_whole();
}

static void warns_of_a_filling_disk(void **state)
{
    char path[96], line[512];
    snprintf(path, sizeof(path), "%s/stderr", dir);
    struct audit *a = open_log(AUDIT_REQUIRED);
    struct audit_health h;
    fflush(stderr);
    int before = dup(2), fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    assert_true(before >= 0 && fd >= 0);
    dup2(fd, 2);
    log_set_level(LOG_INFO);
    static const unsigned percents[] = {85, 85, 79, 91, 50};
    for (size_t i = 0; i < 5; i++) {
        fault_fill_disk(percents[i]);
        usleep(1100000);
        audit_get_health(a, &h);
        assert_int_equal(h.disk_percent, percents[i]);
    }
    log_set_level(LOG_ERROR + 1);
    dup2(before, 2);
    close(before);
    audit_close(a);
    /* 85: warning; 79: not yet clear of the alarm; 91: error; 50: over. */
    FILE *f = fdopen(fd, "r");
    rewind(f);
    int warnings = 0, errors = 0, cleared = 0;
    while (fgets(line, sizeof(line), f)) {
        warnings += strstr(line, "warning") && strstr(line, "85 % full");
        errors += strstr(line, "error") && strstr(line, "91 % full");
        cleared += strstr(line, "50 % full, below the alarm") != NULL;
    }
    fclose(f);
    assert_int_equal(warnings, 1);
    assert_int_equal(errors, 1);
    assert_int_equal(cleared, 1);
}

int main(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(stops_when_a_sync_fails),
        CASE(heals_when_there_is_room_again),
        CASE(spools_in_degraded_mode),
        CASE(survives_any_single_failure),
        CASE(keeps_what_a_size_limit_allows),
        CASE(survives_a_full_file_system),
        CASE(notices_a_deleted_file),
        CASE(survives_power_cuts),
        CASE(follows_the_clock),
        CASE(warns_of_a_filling_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
