/*
 * The log at a size: what writing costs, what the index costs and takes, how long pages, searches,
 * the overview, a start and a verification take. Prints, asserts nothing.
 *
 *   bench-log [RECORDS [PERCENT_INTERCEPTED [DIRECTORY [DAYS]]]]     100000, 2, /tmp
 *
 * The records are spread as 100 million over 183 days are, or over so many days.
 * JUYONG_BENCH_KEEP=1 keeps the directory.
 */
#include "base/log.h"
#include "audit/audit.h"
#include "audit/fill.h"
#include "audit/groups.h"
#include "audit/overview.h"
#include "audit/query.h"
#include "audit/store.h"
#include "audit/verify.h"
#include "base/clock.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define GROUP     64      /* records a commit, as under load */
#define STEP_US   158112u /* 183 days by 100 million */
#define USERS     20000
#define RULES     400
#define HAN_FROM  0x4e00
#define HAN_COUNT 2500

static uint64_t seed = 1;
static char dir[256];
static uint64_t begin_us, now_us, step_us = STEP_US;

static unsigned below(unsigned n)
{
    seed ^= seed >> 12;
    seed ^= seed << 25;
    seed ^= seed >> 27;
    return (unsigned)((seed * 0x2545F4914F6CDD1Du >> 33) % n);
}

static double cpu_us(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e6 +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

/* ---- writing ---- */

/* Chinese of common and less common characters. */
static struct span make_text(char *into, unsigned chars)
{
    size_t len = 0;
    for (unsigned i = 0; i < chars; i++) {
        unsigned c = HAN_FROM + (below(3) ? below(300) : below(HAN_COUNT));
        into[len++] = (char)(0xe0 | c >> 12);
        into[len++] = (char)(0x80 | (c >> 6 & 0x3f));
        into[len++] = (char)(0x80 | (c & 0x3f));
    }
    return span_from(into, len);
}

static void put(struct store *s, const struct audit_event *e)
{
    struct item *i;
    uint64_t seq;
    if (item_new(e, 0, NULL, (struct item_limits){.text_max = 512}, &i) < 0)
        exit(1);
    i->wall_us = now_us;
    if (store_put(s, i, &seq) < 0) {
        fprintf(stderr, "bench-log: %.*s\n", SPAN_ARG(store_message(s)));
        exit(1);
    }
    item_unref(i);
    now_us += step_us;
}

struct one {
    char request[40], user[65], session[24], ip[24], rule[24];
    char context[512 * 3];
    struct audit_subject s;
    struct audit_hit hit;
};

static void make_one(struct one *o, uint64_t number)
{
    static const char *const apps[] = {"default", "shop", "bank", "school"};
    static const char *const models[] = {"qwen-plus", "deepseek-chat", "doubao-pro"};
    static const char *const risks[] = {"A1-a", "A1-b", "A2-a", "A3-c", "pii-phone"};
    unsigned user = below(USERS), rule = below(below(2) ? 20 : RULES);
    snprintf(o->request, sizeof(o->request), "req_%012" PRIx64 "%04x", number + (1u << 30),
             below(65536));
    snprintf(o->user, sizeof(o->user), "%08x%056d", user * 2654435761u, 0);
    snprintf(o->session, sizeof(o->session), "s%u-%u", user, below(40));
    snprintf(o->ip, sizeof(o->ip), "10.%u.%u.%u", user % 7, user / 250 % 250, user % 250);
    snprintf(o->rule, sizeof(o->rule), "%s/%08x", risks[rule % 5], rule * 2654435761u);
    o->s = (struct audit_subject){
        .request_id = span_str(o->request),
        .app = span_str(apps[below(4)]),
        .key_id = SPAN_LIT("key_0123"),
        .end_user = span_str(o->user),
        .client_ip = span_str(o->ip),
        .client_port = 54321,
        .session = span_str(o->session),
        .model = span_str(models[below(3)]),
        .upstream = SPAN_LIT("bailian"),
        .filing_number = SPAN_LIT("Zhejiang-TongYiQianWen-20230901"),
        .route = SPAN_LIT("/v1/chat/completions"),
        .ruleset = SPAN_LIT("auto-0123456789abcdef"),
        .mode = SPAN_LIT("enforce"),
        .stream = true,
    };
    struct span context = make_text(o->context, 120);
    o->hit = (struct audit_hit){
        .direction = below(4) ? DIRECTION_PROMPT : DIRECTION_COMPLETION,
        .role = ROLE_USER,
        .action = (enum action)(1 + below(4)),
        .path = SPAN_LIT("messages[0].content"),
        .risk = span_str(risks[rule % 5]),
        .rule = span_str(o->rule),
        .text = span_slice(context, 180, 192),
        .context = context,
        .context_start = 180,
        .context_end = 192,
        .folded = span_slice(context, 180, 192),
        .layers = LAYER_CASE,
        .start = 180,
        .end = 192,
    };
}

/* Writes the exchange's records: two, with an act in place of the open where it was intercepted. */
static void write_one(struct store *s, struct one *o, bool caught)
{
    struct audit_event e = {
        .kind = caught ? AUDIT_ACT : AUDIT_OPEN,
        .subject = &o->s,
        .hits = &o->hit,
        .hit_count = caught,
        .action = caught ? o->hit.action : ACTION_ALLOW,
        .received_us = now_us,
        .judge_us = 123,
        .prompt_bytes = 2048,
    };
    put(s, &e);
    e = (struct audit_event){
        .kind = AUDIT_CLOSE,
        .subject = &o->s,
        .action = caught ? o->hit.action : ACTION_ALLOW,
        .outcome = OUTCOME_COMPLETE,
        .model_answered = SPAN_LIT("qwen-plus-2025-04-28"),
        .finish_reason = SPAN_LIT("stop"),
        .status = 200,
        .received_us = now_us,
        .judge_us = 123,
        .held_us = below(4) ? 0 : 500 + below(50000),
        .upstream_us = 1234567,
        .total_us = 2345678,
        .prompt_bytes = 2048,
        .completion_bytes = 4096,
        .complete = true,
    };
    put(s, &e);
}

static void write_log(uint64_t records, unsigned percent)
{
    struct store *s;
    static struct one o;
    double make_us = 0;
    if (store_open(span_str(dir), SPAN_LIT("0123456789abcdef"), SPAN_LIT("node-1"), &s) < 0)
        exit(1);
    begin_us = now_us = clock_wall_us();
    double cpu = cpu_us();
    uint64_t t = clock_mono_us(), caught = 0, done = 0, syncs = 0;
    while (done < records) {
        if (store_begin(s, now_us) < 0)
            exit(1);
        for (unsigned i = 0; i < GROUP / 2; i++, done += 2) {
            bool hit = below(100) < percent;
            double m = cpu_us();
            make_one(&o, done);
            make_us += cpu_us() - m;
            caught += hit;
            write_one(s, &o, hit);
        }
        if (store_commit(s) < 0 || store_tidy(s) < 0)
            exit(1);
        syncs++;
    }
    cpu = cpu_us() - cpu - make_us;
    double took = (double)(clock_mono_us() - t) / 1e6;
    store_close(s);
    printf("%" PRIu64 " records, %" PRIu64 " interceptions, %.1f days of load\n", done, caught,
           (double)(now_us - begin_us) / 86400e6);
    printf("write: %.0f records/s in groups of %d, %.2f us CPU an exchange (2 records), synced\n",
           (double)done / took, GROUP, 2 * cpu / (double)done);
}

/* ---- files ---- */

static uint64_t bytes_of(const char *pattern)
{
    char command[512];
    uint64_t bytes = 0;
    snprintf(command, sizeof(command), "cat %s/%s 2>/dev/null | wc -c", dir, pattern);
    FILE *f = popen(command, "r");
    if (f && fscanf(f, "%" SCNu64, &bytes) != 1)
        bytes = 0;
    if (f)
        pclose(f);
    return bytes;
}

/* All months by one filler, as the indexer does; what it cost. */
static double fill_all(bool text, const struct files *files, double *ret_took_s)
{
    double cpu = cpu_us();
    uint64_t t = clock_mono_us();
    for (size_t i = 0; i < files->count; i++) {
        struct fill_rows *rows = NULL;
        struct fill_text *texts = NULL;
        int r = text ? fill_text_open(span_str(dir), files->months[i], &texts)
                     : fill_rows_open(span_str(dir), files->months[i], &rows);
        if (r == 0)
            while ((r = text ? fill_text_step(texts, 200) : fill_rows_step(rows, 2000)) == 1)
                ;
        if (r < 0 && r != -ENOENT)
            exit(1);
        fill_rows_close(rows);
        fill_text_close(texts);
    }
    *ret_took_s = (double)(clock_mono_us() - t) / 1e6;
    return cpu_us() - cpu;
}

static void make_index(uint64_t records)
{
    static struct files files;
    double n = (double)records, took[2], cpu[2];
    if (files_list(span_str(dir), 0, &files) < 0)
        exit(1);
    for (int text = 0; text < 2; text++)
        cpu[text] = fill_all(text, &files, &took[text]);
    printf("index of rows: %.0f records/s, %.2f us CPU a record, off the commit path\n",
           n / took[0], cpu[0] / n);
    printf("index of texts: %.2f s, %.2f us CPU a record\n", took[1], cpu[1] / n);
    printf("bytes a record: l0 %.0f, l1 %.0f, ix %.0f, tx %.0f\n", (double)bytes_of("l0-*.db") / n,
           (double)bytes_of("l1-*.db") / n, (double)bytes_of("ix-*.db") / n,
           (double)bytes_of("tx-*.db") / n);
}

/* ---- reading ---- */

/* The best and the worst of some runs, for the machine is shared; and the least of a processor. */
struct timing {
    double best, worst, cpu;
    uint64_t since;
    double cpu_since;
};

static void begin(struct timing *t)
{
    t->since = clock_mono_us();
    t->cpu_since = cpu_us();
}

static void note(struct timing *t)
{
    double ms = (double)(clock_mono_us() - t->since) / 1000, cpu = (cpu_us() - t->cpu_since) / 1000;
    if (t->worst == 0 || ms < t->best)
        t->best = ms;
    if (t->worst == 0 || cpu < t->cpu)
        t->cpu = cpu;
    if (ms > t->worst)
        t->worst = ms;
}

static void ask(const char *what, const struct query_filter *f)
{
    struct timing t = {0};
    size_t rows = 0;
    bool complete = true;
    for (int run = 0; run < 5; run++) {
        struct query *q;
        const struct query_row *row;
        begin(&t);
        rows = 0;
        if (query_open(span_str(dir), f, &q) < 0)
            exit(1);
        while (query_next(q, &row) == 1)
            rows++;
        complete = query_is_complete(q);
        query_close(q);
        note(&t);
    }
    printf("  %-38s %4zu rows %8.1f ms, at worst %8.1f, CPU %8.1f%s\n", what, rows, t.best, t.worst,
           t.cpu, complete ? "" : ", cut short");
}

static void read_pages(void)
{
    char user[65], sample[8], pair[8];
    uint64_t half = begin_us + (now_us - begin_us) / 2;
    snprintf(user, sizeof(user), "%08x%056d", 77 * 2654435761u, 0);
    unsigned c = HAN_FROM + 20, d = HAN_FROM + 30, e = HAN_FROM + 2000;
    const unsigned codes[] = {c, d, e};
    char *const into[] = {sample, sample + 3, pair};
    for (int i = 0; i < 3; i++) {
        into[i][0] = (char)(0xe0 | codes[i] >> 12);
        into[i][1] = (char)(0x80 | (codes[i] >> 6 & 0x3f));
        into[i][2] = (char)(0x80 | (codes[i] & 0x3f));
    }
    memcpy(pair + 3, sample, 3);
    const struct {
        const char *what;
        struct query_filter f;
    } all[] = {
        {"newest page", {0}},
        {"newest page, all events", {.all = true}},
        {"from the middle", {.until_us = half}},
        {"app and action", {.app = SPAN_LIT("bank"), .actions = 1u << ACTION_MASK}},
        {"risk and direction", {.risk = SPAN_LIT("A3"), .direction = DIRECTION_COMPLETION}},
        {"a rule that is rare", {.rule = SPAN_LIT("A1-a/00000000"), .risk = SPAN_LIT("A1")}},
        {"a rule that there is not", {.rule = SPAN_LIT("none/0")}},
        {"an end user", {.end_user = span_str(user)}},
        {"an end user, all events", {.end_user = span_str(user), .all = true}},
        {"a session, all events", {.session = SPAN_LIT("s77-7"), .all = true}},
        {"a client's address", {.client_ip = SPAN_LIT("10.0.0.77")}},
        {"an app that there is not", {.app = SPAN_LIT("none")}},
        {"a word of two characters, common", {.text = span_from(sample, 6)}},
        {"a word of two characters, rare", {.text = span_from(pair, 6)}},
        {"a single character", {.text = span_from(pair, 3)}},
        {"a text that there is not", {.text = SPAN_LIT("居庸关外")}},
        {"a text in an app", {.text = span_from(sample, 6), .app = SPAN_LIT("school")}},
    };
    printf("pages of 50, best of 5:\n");
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        struct query_filter f = all[i].f;
        f.limit = 50;
        ask(all[i].what, &f);
    }
}

static void sum_up(void)
{
    struct timing over = {0}, groups = {0};
    for (int run = 0; run < 3; run++) {
        struct buf b = BUF_INIT(64u << 20);
        struct overview_filter f = {.until_us = now_us};
        begin(&over);
        if (overview_write(span_str(dir), &f, &b) < 0)
            printf("no overview\n");
        note(&over);
        buf_clear(&b);
        struct groups_options o = {.filter = {.since_us = now_us - 86400000000u}};
        begin(&groups);
        if (groups_write(span_str(dir), &o, &b) < 0)
            printf("no groups\n");
        note(&groups);
        buf_deinit(&b);
    }
    printf(
        "overview of everything: %.1f ms, at worst %.1f, CPU %.1f; groups of the last day: %.1f ms,"
        " at worst %.1f, CPU %.1f\n",
        over.best, over.worst, over.cpu, groups.best, groups.worst, groups.cpu);
}

static void start(void)
{
    struct audit *a;
    struct audit_options o = {.dir = span_str(dir), .node = SPAN_LIT("node-1"), .index = true};
    uint64_t t = clock_mono_us();
    if (audit_open(&o, &a) < 0)
        exit(1);
    printf("start: %.1f ms\n", (double)(clock_mono_us() - t) / 1000);
    audit_close(a);
}

static void verify(void)
{
    struct verify_options o = {.dir = span_str(dir)};
    struct verify_report r;
    uint64_t t = clock_mono_us();
    double cpu = cpu_us();
    int got = verify_run(&o, &r);
    double s = (double)(clock_mono_us() - t) / 1e6;
    cpu = cpu_us() - cpu;
    printf("verify: %s, %" PRIu64 " records and %" PRIu64
           " texts in %.2f s, %.0f records/s, %.2f us CPU a record\n",
           got == 0 ? "whole" : r.what, r.records, r.texts, s, (double)r.records / s,
           cpu / (double)r.records);
}

int main(int argc, char **argv)
{
    uint64_t records = argc > 1 ? strtoull(argv[1], NULL, 10) : 100000;
    unsigned percent = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 2;
    if (argc > 4 && records)
        step_us = strtoull(argv[4], NULL, 10) * 86400000000u / records;
    char command[300];
    setvbuf(stdout, NULL, _IOLBF, 0);
    snprintf(dir, sizeof(dir), "%s/juyong-bench-XXXXXX", argc > 3 ? argv[3] : "/tmp");
    if (!mkdtemp(dir))
        return 1;
    log_set_level(LOG_ERROR);
    write_log(records, percent);
    make_index(records);
    read_pages();
    sum_up();
    start();
    verify();
    if (getenv("JUYONG_BENCH_KEEP")) {
        printf("kept: %s\n", dir);
        return 0;
    }
    snprintf(command, sizeof(command), "rm -rf %s", dir);
    return system(command) != 0;
}
