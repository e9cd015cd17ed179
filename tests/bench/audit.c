/*
 * What the log costs: records a second and processor time with several workers that wait for each
 * exchange's records, bytes on disk, and how fast the whole is verified and listed. Prints, asserts
 * nothing.
 *
 *   bench-audit [SECONDS [WORKERS [EXCHANGES_AT_A_TIME [DIRECTORY]]]]     3, 2, 64, /tmp
 */
#include "audit/audit.h"
#include "audit/query.h"
#include "audit/verify.h"
#include "base/clock.h"
#include "base/log.h"

#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define WINDOW_MAX 4096

static atomic_bool stop;
static struct audit *the_log;
static unsigned window;

struct worker {
    unsigned id;
    uint64_t records, submit_ns, samples;
    uint64_t waits[1 << 16]; /* microseconds from submission to completion */
};

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int submit(struct worker *w, struct audit_port *port, uint64_t slot, uint64_t number,
                  enum audit_kind kind)
{
    static const char hex[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    char id[48];
    int n = snprintf(id, sizeof(id), "req_%012" PRIx64 "%04x", number, w->id);
    struct audit_subject s = {
        .request_id = span_from(id, (size_t)n),
        .app = SPAN_LIT("default"),
        .key_id = SPAN_LIT("key_0123"),
        .end_user = span_from(hex, 64),
        .client_ip = SPAN_LIT("192.168.100.200"),
        .client_port = 54321,
        .model = SPAN_LIT("qwen-plus"),
        .upstream = SPAN_LIT("bailian"),
        .filing_number = SPAN_LIT("Zhejiang-TongYiQianWen-20230901"),
        .route = SPAN_LIT("/v1/chat/completions"),
        .ruleset = SPAN_LIT("auto-0123456789abcdef"),
        .mode = SPAN_LIT("enforce"),
        .stream = true,
    };
    struct audit_hit hit = {
        .direction = DIRECTION_PROMPT,
        .role = ROLE_USER,
        .action = ACTION_BLOCK,
        .path = SPAN_LIT("messages[0].content"),
        .risk = SPAN_LIT("A1-a"),
        .rule = SPAN_LIT("A1-a/12345678"),
        .text = SPAN_LIT("a match"),
        .context = SPAN_LIT("some forty characters before a match and some forty behind it, about"),
        .context_start = 29,
        .context_end = 36,
        .folded = SPAN_LIT("amatch"),
        .layers = LAYER_CASE,
        .start = 29,
        .end = 36,
    };
    bool act = kind == AUDIT_ACT;
    struct audit_event e = {
        .kind = kind,
        .subject = &s,
        .hits = &hit,
        .hit_count = act,
        .action = act ? ACTION_BLOCK : ACTION_ALLOW,
        .outcome = OUTCOME_COMPLETE,
        .model_answered = kind == AUDIT_CLOSE ? SPAN_LIT("qwen-plus-2025-04-28") : SPAN_NULL,
        .finish_reason = kind == AUDIT_CLOSE ? SPAN_LIT("stop") : SPAN_NULL,
        .status = kind == AUDIT_CLOSE ? 200 : 0,
        .received_us = clock_wall_us(),
        .judge_us = 123,
        .upstream_us = kind == AUDIT_CLOSE ? 1234567 : 0,
        .total_us = kind == AUDIT_CLOSE ? 2345678 : 0,
        .prompt_bytes = 2048,
        .completion_bytes = kind == AUDIT_CLOSE ? 4096 : 0,
        .complete = true,
    };
    return audit_submit(the_log, port, slot, &e);
}

/* Each slot is an exchange: an open (or, one in a hundred, an act) and then its close. */
static void *work(void *arg)
{
    struct worker *w = arg;
    struct audit_port *port;
    static _Thread_local uint64_t began[WINDOW_MAX], numbers[WINDOW_MAX];
    struct audit_done done[256];
    uint64_t number = 0;
    if (audit_port_open(the_log, &port) < 0)
        return NULL;
    unsigned open = 0;
    for (uint64_t slot = 0; slot < window; slot++) {
        began[slot] = clock_mono_us();
        numbers[slot] = number++;
        open += submit(w, port, slot, numbers[slot], AUDIT_OPEN) == 0;
    }
    while (open) {
        struct pollfd p = {.fd = audit_port_fd(port), .events = POLLIN};
        poll(&p, 1, 1000);
        size_t n = audit_port_collect(port, done, 256);
        for (size_t i = 0; i < n; i++) {
            uint64_t slot = done[i].exchange, now = clock_mono_us();
            w->waits[w->samples++ % (1 << 16)] = now - began[slot];
            w->records++;
            open--;
            if (atomic_load(&stop))
                continue;
            began[slot] = now;
            uint64_t t = now_ns();
            enum audit_kind kind = done[i].kind == AUDIT_CLOSE
                                       ? (number % 100 == 0 ? AUDIT_ACT : AUDIT_OPEN)
                                       : AUDIT_CLOSE;
            if (kind != AUDIT_CLOSE)
                numbers[slot] = number++;
            open += submit(w, port, slot, numbers[slot], kind) == 0;
            w->submit_ns += now_ns() - t;
        }
    }
    audit_port_close(port);
    return NULL;
}

static double cpu_seconds(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void read_back(const char *dir)
{
    struct verify_options o = {.dir = span_from(dir, strlen(dir))};
    struct verify_report r;
    uint64_t t = clock_mono_us();
    int got = verify_run(&o, &r);
    double s = (double)(clock_mono_us() - t) / 1e6;
    printf("verify: %d, %" PRIu64 " records, %.2f s, %.0f records/s\n", got, r.records, s,
           (double)r.records / s);
    for (int all = 0; all < 2; all++) {
        struct query_filter f = {.all = all, .limit = 20000};
        struct query *q;
        const struct query_row *row;
        uint64_t rows = 0;
        t = clock_mono_us();
        if (query_open(o.dir, &f, &q) < 0)
            return;
        while (query_next(q, &row) == 1)
            rows++;
        query_close(q);
        s = (double)(clock_mono_us() - t) / 1e6;
        printf("list%s: %" PRIu64 " rows, %.3f s, %.1f us a row\n", all ? " --all" : "", rows, s,
               rows ? s * 1e6 / (double)rows : 0);
    }
}

int main(int argc, char **argv)
{
    unsigned seconds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 3;
    unsigned workers = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 2;
    window = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 64;
    char dir[256], command[300];
    static struct worker w[16];
    pthread_t threads[16];
    snprintf(dir, sizeof(dir), "%s/juyong-bench-XXXXXX", argc > 4 ? argv[4] : "/tmp");
    if (workers > 16 || window > WINDOW_MAX || !mkdtemp(dir))
        return 1;
    log_set_level(LOG_ERROR);
    struct audit_options o = {.dir = span_from(dir, strlen(dir)), .node = SPAN_LIT("node-1")};
    if (audit_open(&o, &the_log) < 0)
        return 1;
    double cpu = cpu_seconds();
    uint64_t t = clock_mono_us(), records = 0, ns = 0;
    for (unsigned i = 0; i < workers; i++) {
        w[i].id = i;
        w[i].records = w[i].submit_ns = w[i].samples = 0;
        pthread_create(&threads[i], NULL, work, &w[i]);
    }
    sleep(seconds);
    atomic_store(&stop, true);
    for (unsigned i = 0; i < workers; i++) {
        pthread_join(threads[i], NULL);
        records += w[i].records;
        ns += w[i].submit_ns;
    }
    double took = (double)(clock_mono_us() - t) / 1e6;
    cpu = cpu_seconds() - cpu;
    size_t kept = w[0].samples < (1 << 16) ? (size_t)w[0].samples : (1 << 16);
    qsort(w[0].waits, kept, sizeof(w[0].waits[0]), compare);
    printf(
        "%u workers with %u exchanges each: %.0f records/s, %.2f us CPU a record in all, %.2f us "
        "in submit\n",
        workers, window, (double)records / took, cpu * 1e6 / (double)records,
        (double)ns / 1000 / (double)records);
    printf("from submission to durable: median %" PRIu64 " us, 99 %% %" PRIu64 " us\n",
           kept ? w[0].waits[kept / 2] : 0, kept ? w[0].waits[kept * 99 / 100] : 0);
    audit_close(the_log);
    uint64_t bytes = 0;
    snprintf(command, sizeof(command), "du -sb %s | cut -f1", dir);
    FILE *f = popen(command, "r");
    if (f && fscanf(f, "%" SCNu64, &bytes) == 1)
        printf("%.0f bytes a record on disk\n", (double)bytes / (double)records);
    if (f)
        pclose(f);
    read_back(dir);
    snprintf(command, sizeof(command), "rm -rf %s", dir);
    return system(command) != 0;
}
