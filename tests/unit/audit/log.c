/* The writer: what is acknowledged is in the file, in order, chained; what can't be is told. */
#include "logdir.h"

#include "base/codec.h"
#include "crypto/sha256.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

static void acknowledges_what_is_written(void **state)
{
    struct audit *a = open_log(AUDIT_REQUIRED);
    struct audit_port *port;
    struct audit_done done[3];
    assert_int_equal(audit_port_open(a, &port), 0);
    assert_true(audit_ready(a));
    assert_int_equal(audit_port_collect(port, done, 3), 0);
    assert_int_equal(submit(a, port, 7, AUDIT_OPEN, "req-1"), 0);
    assert_int_equal(submit(a, port, 7, AUDIT_ACT, "req-1"), 0);
    assert_int_equal(submit(a, port, 7, AUDIT_CLOSE, "req-1"), 0);
    collect(port, done, 3);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(done[i].exchange, 7);
        assert_int_equal(done[i].kind, AUDIT_OPEN + i);
        assert_int_equal(done[i].status, 0);
        assert_int_equal(done[i].seq, 2 + i); /* behind log_open */
    }
    /* Readable while the log runs. */
    assert_span(peek(0, "SELECT count(*) FROM record WHERE request = 'req-1'"), SPAN_LIT("3"));
    struct span body = peek(0, "SELECT body FROM record WHERE seq = 3");
    assert_true(span_starts(body, SPAN_LIT("{\"v\":1,\"seq\":3,\"time\":")));
    const char *const want[] = {
        "\"node\":\"node-1\",\"kind\":\"act\",\"request_id\":\"req-1\",\"app\":\"default\"",
        "\"client_port\":4242",
        "\"stream\":true,\"action\":\"block\",\"status\":200",
        "\"hits\":[{\"direction\":\"prompt\",\"role\":\"user\",\"path\":\"messages[0].content\","
        "\"risk\":\"A1-a\",\"rule\":\"A1-a/12345678\",\"action\":\"block\","
        "\"layers\":\"case,separator\",\"start\":10,\"end\":18,\"commit\":\"",
    };
    for (size_t i = 0; i < 4; i++)
        if (span_find(body, span_str(want[i])) == body.len)
            fail_msg("%s not in %.*s", want[i], SPAN_ARG(body));
    /* No text in L0; all of it in L1. */
    assert_int_equal(span_find(body, SPAN_LIT("bad word")), body.len);
    assert_int_equal(span_find(body, SPAN_LIT("commit\":\"0000")), body.len);
    assert_span(peek(1, "SELECT text || '|' || context || '|' || folded || '|' || start || '|' ||"
                        " end FROM text WHERE seq = 3 AND at = 0"),
                SPAN_LIT("bad word|here is a bad word to be seen|badword|10|18"));
    struct audit_health h;
    audit_get_health(a, &h);
    assert_false(h.failed || h.degraded);
    assert_int_equal(h.last_seq, 4);
    assert_int_equal(h.written, 4);
    assert_int_equal(h.queued, 0);
    assert_in_range(h.disk_percent, 1, 100);
    audit_close(a);
    audit_port_close(port);
    assert_span(peek(0, "SELECT group_concat(seq) FROM record WHERE request = ''"),
                SPAN_LIT("1,5"));
}

static void chains_over_restarts(void **state)
{
    for (int round = 0; round < 3; round++) {
        struct audit *a = open_log(AUDIT_REQUIRED);
        assert_int_equal(submit(a, NULL, 1, AUDIT_ACT, "req"), 0);
        audit_close(a);
    }
    char path[192];
    struct db *db;
    struct db_stmt *s;
    struct db_options o = {.readonly = true};
    month_path(0, path);
    assert_int_equal(db_open(span_str(path), &o, &db), 0);
    assert_int_equal(
        db_prepare(db, SPAN_LIT("SELECT seq, body, hash FROM record ORDER BY seq"), &s), 0);
    unsigned char hash[SHA256_SIZE] = {0};
    struct sha256 *h = sha256_new();
    int n = 0;
    while (db_step(s) == 1) {
        assert_int_equal(db_column_int(s, 0), ++n);
        sha256_begin(h);
        sha256_add(h, SPAN_LIT("juyong.record.v1\0"));
        sha256_add(h, span_from((const char *)hash, sizeof(hash)));
        sha256_add(h, db_column_text(s, 1));
        sha256_end(h, hash);
        assert_memory_equal(hash, db_column_blob(s, 2).data, sizeof(hash));
    }
    assert_int_equal(n, 9);
    sha256_free(h);
    db_finalize(s);
    db_close(db);
}

static void refuses_a_second_process(void **state)
{
    struct audit *a = open_log(AUDIT_REQUIRED), *b = NULL;
    struct audit_options o = {.dir = span_str(dir)};
    assert_int_equal(audit_open(&o, &b), -EBUSY);
    assert_null(b);
    audit_close(a);
    assert_int_equal(audit_open(&o, &b), 0);
    audit_close(b);
    struct stat st;
    char path[192];
    month_path(0, path);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    audit_close(NULL);
}

static void refuses_bad_files(void **state)
{
    struct audit *a = open_log(AUDIT_REQUIRED);
    for (int i = 0; i < 20; i++)
        assert_int_equal(submit(a, NULL, 1, AUDIT_ACT, "req"), 0);
    audit_close(a);
    static const struct {
        const char *harm, *mend;
        int tier, want;
    } cases[] = {
        {"PRAGMA user_version=3", "PRAGMA user_version=2", 0, -EPROTO},
        {"PRAGMA user_version=3", "PRAGMA user_version=2", 1, -EPROTO},
        {"UPDATE head SET seq = seq - 1", "UPDATE head SET seq = seq + 1", 0, -EBADMSG},
        {"UPDATE record SET body = replace(body, 'default', 'defau1t') WHERE seq = 5",
         "UPDATE record SET body = replace(body, 'defau1t', 'default') WHERE seq = 5", 0, -EBADMSG},
        {"UPDATE record SET seq = 1000 WHERE seq = 9", "UPDATE record SET seq = 9 WHERE seq = 1000",
         0, -EBADMSG},
        {"ALTER TABLE head RENAME TO tail", "ALTER TABLE tail RENAME TO head", 0, -EINVAL},
    };
    struct audit_options o = {.dir = span_str(dir)};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        tamper(cases[i].tier, cases[i].harm);
        assert_int_equal(audit_open(&o, &a), cases[i].want);
        tamper(cases[i].tier, cases[i].mend);
        assert_int_equal(audit_open(&o, &a), 0);
        audit_close(a);
    }
    /* Gone altogether: the checkpoint remembers. */
    char path[192], aside[200];
    month_path(0, path);
    snprintf(aside, sizeof(aside), "%s.aside", path);
    assert_int_equal(rename(path, aside), 0);
    assert_int_equal(audit_open(&o, &a), -EBADMSG);
    unlink(path);
    FILE *f = fopen(path, "w");
    fputs("no database, whatever its name says, and long enough to have had a head", f);
    fclose(f);
    assert_int_equal(audit_open(&o, &a), -EBADMSG);
    assert_int_equal(rename(aside, path), 0);
    assert_int_equal(audit_open(&o, &a), 0);
    audit_close(a);
}

static void takes_hostile_fields(void **state)
{
    struct audit *a = open_log(AUDIT_REQUIRED);
    char big[5000];
    memset(big, 'x', sizeof(big));
    struct audit_subject subject = {
        .request_id = SPAN_LIT("req"),
        .app = SPAN_LIT("a\"b\\c\n\x01\x7f"),
        .device = SPAN_LIT("\xff\xc3(\xed\xa0\x80"),
        .session = span_from(big, sizeof(big)),
    };
    struct audit_hit hits[70];
    for (size_t i = 0; i < 70; i++)
        hits[i] = hit_example;
    hits[0].path = SPAN_LIT("tools[0].\xe5\x88\xb6.13800138000.ok-1");
    hits[0].context = span_from(big, sizeof(big));
    hits[0].context_start = 4990;
    hits[0].context_end = 9000;
    struct audit_event e = {.kind = AUDIT_ACT, .subject = &subject, .hits = hits, .hit_count = 70};
    assert_int_equal(audit_submit(a, NULL, 0, &e), 0);
    audit_close(a);
    assert_span(peek(0, "SELECT json_valid(body) FROM record WHERE seq = 2"), SPAN_LIT("1"));
    assert_span(peek(0, "SELECT json_extract(body, '$.app') FROM record WHERE seq = 2"),
                SPAN_LIT("a\"b\\c\n\x01\x7f"));
    assert_span(peek(0, "SELECT json_extract(body, '$.hits[0].path') FROM record WHERE seq = 2"),
                SPAN_LIT("tools[0].*.*.ok-1"));
    assert_span(peek(0, "SELECT length(json_extract(body, '$.session')) FROM record WHERE seq = 2"),
                SPAN_LIT("256"));
    assert_span(peek(0, "SELECT json_array_length(body, '$.hits') || ',' || json_extract(body,"
                        " '$.hits_left_out') FROM record WHERE seq = 2"),
                SPAN_LIT("64,6"));
    assert_span(peek(1, "SELECT count(*) FROM text"), SPAN_LIT("64"));
    assert_span(peek(1, "SELECT length(context) || ',' || start || ',' || end FROM text LIMIT 1"),
                SPAN_LIT("512,502,512"));
}

struct worker {
    struct audit *a;
    unsigned id, count;
    uint64_t acknowledged, last_seq;
    bool ordered;
};

static void *submit_many(void *arg)
{
    struct worker *w = arg;
    struct audit_port *port;
    struct audit_done done[64];
    unsigned sent = 0, got = 0;
    w->ordered = true;
    if (audit_port_open(w->a, &port) < 0)
        return NULL;
    while (got < w->count) {
        while (sent < w->count && sent - got < 200) {
            char request[32];
            snprintf(request, sizeof(request), "w%u-%u", w->id, sent);
            if (submit(w->a, port, sent, sent % 8 ? AUDIT_OPEN : AUDIT_ACT, request) < 0)
                break;
            sent++;
        }
        size_t n = audit_port_collect(port, done, 64);
        if (n == 0) {
            struct pollfd p = {.fd = audit_port_fd(port), .events = POLLIN};
            if (poll(&p, 1, 10000) != 1)
                break;
        }
        for (size_t i = 0; i < n; i++) {
            if (done[i].status == 0)
                w->acknowledged++;
            if (done[i].exchange != got + i || done[i].seq <= w->last_seq)
                w->ordered = false;
            w->last_seq = done[i].seq;
        }
        got += (unsigned)n;
    }
    audit_port_close(port);
    return NULL;
}

static void serves_several_workers(void **state)
{
    struct audit *a = open_log(AUDIT_REQUIRED);
    struct worker workers[4];
    pthread_t threads[4];
    for (unsigned i = 0; i < 4; i++) {
        workers[i] = (struct worker){.a = a, .id = i, .count = 1000};
        assert_int_equal(pthread_create(&threads[i], NULL, submit_many, &workers[i]), 0);
    }
    for (unsigned i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(workers[i].acknowledged, 1000);
        assert_true(workers[i].ordered);
    }
    audit_close(a);
    assert_span(peek(0, "SELECT count(*) || ',' || max(seq) FROM record"), SPAN_LIT("4002,4002"));
    assert_span(peek(1, "SELECT count(*) FROM text"), SPAN_LIT("500"));
}

static void tells_when_the_queue_is_full(void **state)
{
    struct audit *a = NULL;
    struct audit_options o = {.dir = span_str(dir), .queue_records = 16};
    assert_int_equal(audit_open(&o, &a), 0);
    /* Another program holds the file, so that the writer can't empty its queue. */
    char path[192];
    struct db *db = NULL;
    struct db_options plain = {.busy_ms = 1000};
    while (audit_ready(a) && access((month_path(0, path), path), F_OK) < 0)
        usleep(1000);
    assert_int_equal(db_open(span_str(path), &plain, &db), 0);
    assert_int_equal(db_begin(db), 0);
    int r = 0, queued = 0;
    while ((r = submit(a, NULL, 1, AUDIT_OPEN, "req")) == 0)
        queued++;
    assert_int_equal(r, -EAGAIN);
    assert_in_range(queued, 15, 17);
    assert_false(audit_ready(a));
    struct audit_health h;
    audit_get_health(a, &h);
    assert_false(h.failed);
    assert_int_equal(h.lost, 1);
    db_rollback(db);
    db_close(db);
    audit_close(a);
    assert_span(peek(0, "SELECT json_extract(body, '$.lost') || json_extract(body, '$.reason') FROM"
                        " record WHERE body LIKE '%\"kind\":\"gap\"%'"),
                SPAN_LIT("1queue_full"));
    char want[16];
    snprintf(want, sizeof(want), "%d", queued);
    assert_span(peek(0, "SELECT count(*) FROM record WHERE request = 'req'"), span_str(want));
}

static void outlives_its_ports(void **state)
{
    struct audit *a = open_log(AUDIT_REQUIRED);
    for (int i = 0; i < 100; i++) {
        struct audit_port *port;
        assert_int_equal(audit_port_open(a, &port), 0);
        for (int k = 0; k < 5; k++)
            assert_int_equal(submit(a, port, 1, AUDIT_OPEN, "req"), 0);
        struct audit_done done[2];
        (void)audit_port_collect(port, done, 2);
        audit_port_close(port);
    }
    audit_close(a);
    audit_port_close(NULL);
    assert_span(peek(0, "SELECT count(*) FROM record WHERE request = 'req'"), SPAN_LIT("500"));
}

int main(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, make_dir, remove_dir)
    const struct CMUnitTest tests[] = {
        CASE(acknowledges_what_is_written), CASE(chains_over_restarts),
        CASE(refuses_a_second_process),     CASE(refuses_bad_files),
        CASE(takes_hostile_fields),         CASE(serves_several_workers),
        CASE(tells_when_the_queue_is_full), CASE(outlives_its_ports),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
