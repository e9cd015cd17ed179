/*
 * kill -9 at random moments: a child writes interceptions with texts and original texts, exchanges
 * and operators' acts, with the indexer beside, and reports each record that was acknowledged; the
 * parent kills it, then looks whether every one of them is in the log with its texts, the log is
 * whole and the index can be brought up to it.
 *
 *   test-log-kill [ROUNDS [SEED]]     100 rounds unless told; each takes some 30 ms
 */
#include "audit/audit.h"
#include "audit/indexer.h"
#include "audit/verify.h"
#include "base/clock.h"
#include "base/log.h"
#include "db/db.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORKERS 2
#define WINDOW  64
/* Then the next one begins. */
#define ROUNDS_OF_A_LOG 100

struct report {
    uint64_t seq, request;
    uint32_t act;
};

static char dir[64];
static int report_fd;
static uint64_t seed = 20261124;

static uint64_t next_random(void)
{
    seed ^= seed >> 12;
    seed ^= seed << 25;
    seed ^= seed >> 27;
    return seed * 0x2545F4914F6CDD1Du;
}

static void fail(const char *what)
{
    printf("not ok - %s\n", what);
    exit(1);
}

static int submit_one(struct audit *a, struct audit_port *port, uint64_t request)
{
    char name[24];
    int n = snprintf(name, sizeof(name), "%016" PRIx64, request);
    struct audit_subject subject = {.request_id = span_from(name, (size_t)n),
                                    .app = SPAN_LIT("default"),
                                    .model = SPAN_LIT("demo")};
    struct audit_hit hit = {.direction = DIRECTION_PROMPT,
                            .action = ACTION_BLOCK,
                            .risk = SPAN_LIT("A1-a"),
                            .rule = SPAN_LIT("A1-a/1"),
                            .text = subject.request_id,
                            .context = subject.request_id,
                            .context_end = (size_t)n};
    bool act = request % 3 == 0;
    struct audit_original original = {.direction = DIRECTION_PROMPT,
                                      .path = SPAN_LIT("messages[0].content"),
                                      .text = subject.request_id,
                                      .hits = 1};
    struct audit_event admin = {.kind = AUDIT_ADMIN,
                                .subject = &subject,
                                .reason = SPAN_LIT("key_create"),
                                .detail = SPAN_LIT("{\"author\":\"Li\"}")};
    if (request % 7 == 1)
        return audit_submit(a, port, request, &admin);
    struct audit_event e = {.kind = act ? AUDIT_ACT : AUDIT_OPEN,
                            .originals = &original,
                            .original_count = act,
                            .subject = &subject,
                            .hits = &hit,
                            .hit_count = act,
                            .action = act ? ACTION_BLOCK : ACTION_ALLOW};
    return audit_submit(a, port, request, &e);
}

static void *work(void *arg)
{
    struct audit *a = arg;
    struct audit_port *port;
    struct audit_done done[WINDOW];
    static atomic_uint next_worker;
    uint64_t request = ((uint64_t)getpid() << 32) + ((uint64_t)next_worker++ << 28);
    unsigned open = 0;
    if (audit_port_open(a, &port) < 0)
        _exit(1);
    for (;;) {
        while (open < WINDOW && submit_one(a, port, request) == 0) {
            request++;
            open++;
        }
        struct pollfd p = {.fd = audit_port_fd(port), .events = POLLIN};
        poll(&p, 1, 1000);
        size_t n = audit_port_collect(port, done, WINDOW);
        struct report reports[WINDOW];
        for (size_t i = 0; i < n; i++) {
            if (done[i].status != 0)
                _exit(1);
            reports[i] = (struct report){done[i].seq, done[i].exchange, done[i].kind == AUDIT_ACT};
        }
        open -= (unsigned)n;
        /* At most 1,536 bytes, less than PIPE_BUF: whole or not at all. */
        if (n && write(report_fd, reports, n * sizeof(reports[0])) < 0)
            _exit(1);
    }
}

static void run_child(void)
{
    struct audit_options o = {.dir = span_from(dir, strlen(dir)),
                              .node = SPAN_LIT("node"),
                              .originals = 4096,
                              .index = true};
    struct audit *a;
    pthread_t threads[WORKERS];
    if (audit_open(&o, &a) < 0)
        _exit(1);
    for (int i = 0; i < WORKERS; i++)
        if (pthread_create(&threads[i], NULL, work, a) != 0)
            _exit(1);
    pause();
    _exit(1);
}

static struct db *open_newest(const char *pattern)
{
    char path[128] = "", newest[32] = "";
    DIR *d = opendir(dir);
    struct dirent *e;
    while (d && (e = readdir(d)))
        if (strncmp(e->d_name, pattern, 3) == 0 && strcmp(strrchr(e->d_name, '.'), ".db") == 0 &&
            strcmp(e->d_name, newest) > 0)
            snprintf(newest, sizeof(newest), "%.30s", e->d_name);
    closedir(d);
    snprintf(path, sizeof(path), "%s/%s", dir, newest);
    struct db *db = NULL;
    struct db_options o = {.readonly = true, .busy_ms = 5000};
    if (db_open(span_from(path, strlen(path)), &o, &db) < 0)
        fail("a file can't be opened");
    return db;
}

/* Every acknowledged record is there, with its text. */
static void check(const struct report *reports, size_t count)
{
    struct db *l0 = open_newest("l0-"), *l1 = open_newest("l1-"), *l2 = open_newest("l2-");
    struct db_stmt *record, *text, *original;
    if (db_prepare(l0, SPAN_LIT("SELECT request FROM record WHERE seq = ?1"), &record) < 0 ||
        db_prepare(l1, SPAN_LIT("SELECT text FROM text WHERE seq = ?1 AND at = 0"), &text) < 0 ||
        db_prepare(l2, SPAN_LIT("SELECT 1 FROM original WHERE seq = ?1"), &original) < 0)
        fail("a file can't be read");
    for (size_t i = 0; i < count; i++) {
        char name[24];
        int n = snprintf(name, sizeof(name), "%016" PRIx64, reports[i].request);
        struct span want = span_from(name, (size_t)n);
        db_bind_int(record, 1, (int64_t)reports[i].seq);
        if (db_step(record) != 1 || !span_eq(db_column_text(record, 0), want))
            fail("an acknowledged record is lost");
        db_reset(record);
        if (!reports[i].act)
            continue;
        db_bind_int(text, 1, (int64_t)reports[i].seq);
        if (db_step(text) != 1 || !span_eq(db_column_text(text, 0), want))
            fail("the text of an acknowledged record is lost");
        db_reset(text);
        db_bind_int(original, 1, (int64_t)reports[i].seq);
        if (db_step(original) != 1)
            fail("the original text of an acknowledged record is lost");
        db_reset(original);
    }
    db_finalize(record);
    db_finalize(text);
    db_finalize(original);
    db_close(l0);
    db_close(l1);
    db_close(l2);
}

static size_t run_round(struct report *reports, size_t max)
{
    int fds[2], status;
    if (pipe(fds) < 0)
        fail("pipe");
    pid_t child = fork();
    if (child < 0)
        fail("fork");
    if (child == 0) {
        close(fds[0]);
        report_fd = fds[1];
        run_child();
    }
    close(fds[1]);
    uint64_t end = clock_mono_us() + 2000 + next_random() % 40000;
    size_t used = 0;
    bool killed = false;
    for (;;) {
        uint64_t now = clock_mono_us();
        if (!killed && now >= end) {
            kill(child, SIGKILL);
            killed = true;
        }
        struct pollfd p = {.fd = fds[0], .events = POLLIN};
        if (poll(&p, 1, killed ? -1 : (int)((end - now) / 1000)) <= 0)
            continue;
        ssize_t n = read(fds[0], (char *)reports + used, max * sizeof(*reports) - used);
        if (n <= 0)
            break;
        used += (size_t)n;
    }
    close(fds[0]);
    waitpid(child, &status, 0);
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
        fail("the writer ended by itself");
    return used / sizeof(*reports);
}

static void begin_log(void)
{
    snprintf(dir, sizeof(dir), "/tmp/juyong-kill-XXXXXX");
    if (!mkdtemp(dir))
        fail("setup");
}

/* It opens, and its index can be brought up to it. Gives how long opening took, microseconds. */
static uint64_t end_log(void)
{
    struct audit_options open = {.dir = span_from(dir, strlen(dir))};
    struct audit *a;
    char command[96];
    uint64_t begin = clock_mono_us();
    if (audit_open(&open, &a) < 0)
        fail("the log does not open");
    uint64_t took = clock_mono_us() - begin;
    audit_close(a);
    if (indexer_run(open.dir) < 0)
        fail("the index can't be brought up to the log");
    snprintf(command, sizeof(command), "rm -rf %s", dir);
    if (system(command) != 0)
        fail("cleaning up");
    return took;
}

int main(int argc, char **argv)
{
    unsigned rounds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 100;
    if (argc > 2)
        seed = strtoull(argv[2], NULL, 10) | 1;
    size_t max = 1u << 18;
    struct report *reports = malloc(max * sizeof(*reports));
    if (!reports)
        fail("setup");
    log_set_level(LOG_ERROR);
    uint64_t total = 0, here = 0;
    struct verify_report r = {0};
    begin_log();
    for (unsigned i = 0; i < rounds; i++) {
        /* Each round goes through all of the log: it must not grow for ever. */
        if (i && i % ROUNDS_OF_A_LOG == 0) {
            end_log();
            begin_log();
            here = 0;
        }
        struct verify_options o = {.dir = span_from(dir, strlen(dir))};
        size_t n = run_round(reports, max);
        if (n)
            check(reports, n);
        here += n;
        total += n;
        /* A child that was killed while it created the files leaves no log yet. */
        int got = verify_run(&o, &r);
        if (got == 1)
            printf("# %s record %" PRIu64 ": %s\n", r.file, r.seq, r.what);
        if (got == 1 || (got != 0 && here > 0))
            fail("the log is not whole");
        if (r.texts_absent || r.originals_absent || r.originals_closed)
            fail("a record has lost its text");
    }
    uint64_t took = end_log();
    free(reports);
    printf("ok - %u kills, %" PRIu64 " records acknowledged, 0 lost, %" PRIu64
           " in the last log, opened in %" PRIu64 " ms\n",
           rounds, total, r.last_seq, took / 1000);
    return 0;
}
