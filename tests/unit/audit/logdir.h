/* What the tests of the log share: a directory of their own, an exchange to write, waiting. */
#pragma once

#include "../unit.h"

#include "audit/audit.h"
#include "base/log.h"
#include "db/db.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char dir[64];

static inline int make_dir(void **state)
{
    /* In memory where that can be had: the tests are about what is synced, not how fast. */
    snprintf(dir, sizeof(dir), "%s/juyong-log-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    log_set_level(LOG_ERROR + 1);
    return mkdtemp(dir) ? 0 : -1;
}

static inline int remove_dir(void **state)
{
    char command[96];
    snprintf(command, sizeof(command), "rm -rf %s", dir);
    return system(command);
}

static inline struct audit *open_log(enum audit_mode mode)
{
    struct audit *a = NULL;
    struct audit_options o = {.dir = span_str(dir), .node = SPAN_LIT("node-1"), .mode = mode};
    assert_int_equal(audit_open(&o, &a), 0);
    assert_non_null(a);
    return a;
}

static const struct audit_subject subject_example = {
    .request_id = SPAN_LIT("req-1"),
    .app = SPAN_LIT("default"),
    .end_user = SPAN_LIT("0123456789abcdef"),
    .client_ip = SPAN_LIT("127.0.0.1"),
    .client_port = 4242,
    .model = SPAN_LIT("demo"),
    .upstream = SPAN_LIT("demo"),
    .filing_number = SPAN_LIT("Beijing-Demo-20250101"),
    .route = SPAN_LIT("/v1/chat/completions"),
    .ruleset = SPAN_LIT("auto-1"),
    .mode = SPAN_LIT("enforce"),
    .stream = true,
};

static const struct audit_hit hit_example = {
    .direction = DIRECTION_PROMPT,
    .role = ROLE_USER,
    .action = ACTION_BLOCK,
    .path = SPAN_LIT("messages[0].content"),
    .risk = SPAN_LIT("A1-a"),
    .rule = SPAN_LIT("A1-a/12345678"),
    .text = SPAN_LIT("bad word"),
    .context = SPAN_LIT("here is a bad word to be seen"),
    .context_start = 10,
    .context_end = 18,
    .folded = SPAN_LIT("badword"),
    .layers = LAYER_CASE | LAYER_SEPARATOR,
    .start = 10,
    .end = 18,
};

/* Submits one event of that request; hits go with AUDIT_ACT only. */
static inline int submit(struct audit *a, struct audit_port *port, uint64_t exchange,
                         enum audit_kind kind, const char *request)
{
    struct audit_subject subject = subject_example;
    subject.request_id = span_str(request);
    struct audit_event e = {
        .kind = kind,
        .subject = &subject,
        .hits = &hit_example,
        .hit_count = kind == AUDIT_ACT,
        .action = kind == AUDIT_ACT ? ACTION_BLOCK : ACTION_ALLOW,
        .outcome = OUTCOME_COMPLETE,
        .status = kind == AUDIT_OPEN ? 0 : 200,
        .total_us = kind == AUDIT_CLOSE ? 1234 : 0,
        .complete = kind == AUDIT_CLOSE,
    };
    return audit_submit(a, port, exchange, &e);
}

/* Collects exactly n completions, at most 10 s each. */
static inline void collect(struct audit_port *port, struct audit_done *ret_done, size_t n)
{
    for (size_t have = 0; have < n;) {
        struct pollfd p = {.fd = audit_port_fd(port), .events = POLLIN};
        assert_int_equal(poll(&p, 1, 10000), 1);
        have += audit_port_collect(port, ret_done + have, n - have);
    }
}

/* The one file of that tier, as long as the month does not turn during the test. */
static inline void month_path(int tier, char ret_path[192])
{
    char command[128];
    snprintf(command, sizeof(command), "ls %s/l%d-*.db | tail -n 1", dir, tier);
    FILE *f = popen(command, "r");
    assert_non_null(f);
    assert_non_null(fgets(ret_path, 192, f));
    pclose(f);
    ret_path[strcspn(ret_path, "\n")] = '\0';
}

/* Runs SQL on a tier's file behind the log's back. */
static inline void tamper(int tier, const char *sql)
{
    char path[192];
    struct db *db = NULL;
    struct db_options o = {.busy_ms = 1000};
    month_path(tier, path);
    assert_int_equal(db_open(span_str(path), &o, &db), 0);
    assert_int_equal(db_exec(db, sql), 0);
    db_close(db);
}

/* One value of a tier's file as text, in a static buffer. */
static inline struct span peek(int tier, const char *sql)
{
    static char text[8192];
    char path[192];
    struct db *db = NULL;
    struct db_stmt *s = NULL;
    struct db_options o = {.readonly = true, .busy_ms = 1000};
    month_path(tier, path);
    assert_int_equal(db_open(span_str(path), &o, &db), 0);
    assert_int_equal(db_prepare(db, span_str(sql), &s), 0);
    assert_int_equal(db_step(s), 1);
    struct span got = db_column_text(s, 0);
    assert_true(got.len < sizeof(text));
    if (got.len)
        memcpy(text, got.data, got.len);
    size_t len = got.len;
    db_finalize(s);
    db_close(db);
    return span_from(text, len);
}
