/* Logs that earlier versions wrote: they are read, verified and gone on with. */
#include "logdir.h"

#include "audit/forget.h"
#include "audit/prune.h"
#include "audit/query.h"
#include "audit/reveal.h"
#include "audit/verify.h"
#include "base/clock.h"

#include <string.h>

#define ANNA "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define DAY  UINT64_C(86400000000)

/* Version 1, as its program had it. */
static const char l0_v1[] =
    "CREATE TABLE record (seq INTEGER PRIMARY KEY, time INTEGER NOT NULL, request TEXT NOT NULL,"
    " weight INTEGER NOT NULL, body TEXT NOT NULL, hash BLOB NOT NULL);"
    "CREATE INDEX record_time ON record (time);"
    "CREATE INDEX record_request ON record (request) WHERE request <> '';"
    "CREATE INDEX record_weight ON record (seq) WHERE weight > 0;"
    "CREATE TABLE head (id INTEGER PRIMARY KEY CHECK (id = 1), first INTEGER NOT NULL,"
    " anchor BLOB NOT NULL, seq INTEGER NOT NULL, hash BLOB NOT NULL);"
    "PRAGMA user_version = 1;"
    "INSERT INTO record SELECT seq, time, request, weight, body, hash FROM new.record;"
    "INSERT INTO head SELECT id, first, anchor, seq, hash FROM new.head";
static const char l1_v1[] =
    "CREATE TABLE text (seq INTEGER NOT NULL, at INTEGER NOT NULL, salt BLOB NOT NULL,"
    " path TEXT NOT NULL, text TEXT NOT NULL, context TEXT NOT NULL, start INTEGER NOT NULL,"
    " end INTEGER NOT NULL, folded TEXT NOT NULL, PRIMARY KEY (seq, at)) WITHOUT ROWID;"
    "PRAGMA user_version = 1;"
    "INSERT INTO text SELECT seq, at, salt, path, text, context, start, end, folded FROM new.text";

/* The month's file as version 1 would have left it: its records are the same to the byte. */
static void make_old(int tier, const char *sql)
{
    char path[192], moved[200], attach[256];
    struct db *db = NULL;
    struct db_options o = {.create = true};
    month_path(tier, path);
    snprintf(moved, sizeof(moved), "%s.new", path);
    assert_int_equal(rename(path, moved), 0);
    assert_int_equal(db_open(span_str(path), &o, &db), 0);
    snprintf(attach, sizeof(attach), "ATTACH '%s' AS new", moved);
    assert_int_equal(db_exec(db, attach), 0);
    assert_int_equal(db_exec(db, sql), 0);
    db_close(db);
    snprintf(attach, sizeof(attach), "rm %s*", moved);
    assert_int_equal(system(attach), 0);
}

static void write_old_log(void)
{
    char path[192];
    struct audit *a = open_log(AUDIT_REQUIRED); /* keeps no original texts, as version 1 */
    for (int i = 0; i < 20; i++) {
        struct audit_subject subject = subject_example;
        subject.end_user = SPAN_LIT(ANNA);
        struct audit_event e = {.kind = AUDIT_ACT,
                                .subject = &subject,
                                .hits = &hit_example,
                                .hit_count = 1,
                                .action = ACTION_BLOCK};
        assert_int_equal(audit_submit(a, NULL, 1, &e), 0);
    }
    audit_close(a);
    make_old(0, l0_v1);
    make_old(1, l1_v1);
    month_path(2, path);
    assert_int_equal(unlink(path), 0);
    snprintf(path, sizeof(path), "rm -f %s/keys/text.key %s/?x-*", dir, dir);
    assert_int_equal(system(path), 0);
}

static struct audit *open_new(void)
{
    struct audit *a = NULL;
    struct audit_options o = {.dir = span_str(dir), .originals = 65536, .index = true};
    assert_int_equal(audit_open(&o, &a), 0);
    return a;
}

static void intercept(struct audit *a)
{
    struct audit_original original = {
        .direction = DIRECTION_PROMPT, .text = SPAN_LIT("as it was said"), .hits = 1};
    struct audit_subject subject = subject_example;
    subject.request_id = SPAN_LIT("new-1");
    struct audit_event e = {.kind = AUDIT_ACT,
                            .subject = &subject,
                            .hits = &hit_example,
                            .hit_count = 1,
                            .action = ACTION_BLOCK,
                            .originals = &original,
                            .original_count = 1};
    struct audit_port *port;
    struct audit_done done;
    assert_int_equal(audit_port_open(a, &port), 0);
    assert_int_equal(audit_submit(a, port, 1, &e), 0);
    collect(port, &done, 1);
    assert_int_equal(done.status, 0);
    audit_port_close(port);
}

static unsigned count_rows(void)
{
    struct query_filter f = {.all = true};
    struct query *q = NULL;
    const struct query_row *row;
    unsigned n = 0;
    int r;
    assert_int_equal(query_open(span_str(dir), &f, &q), 0);
    while ((r = query_next(q, &row)) == 1)
        n++;
    assert_int_equal(r, 0);
    query_close(q);
    return n;
}

static void version_1_is_read(void **state)
{
    struct verify_report v;
    struct verify_options o = {.dir = span_str(dir)};
    write_old_log();
    assert_int_equal(verify_run(&o, &v), 0);
    assert_int_equal(v.last_seq, 22);
    assert_int_equal(v.texts, 20);
    assert_int_equal(v.originals + v.originals_absent, 0);
    assert_true(count_rows() > 0);
    assert_span(peek(0, "SELECT 'v' || user_version FROM pragma_user_version"), SPAN_LIT("v1"));
}

static void version_1_is_gone_on_with(void **state)
{
    struct arena arena;
    struct originals got;
    struct verify_report v;
    struct verify_options o = {.dir = span_str(dir)};
    write_old_log();
    for (int life = 0; life < 2; life++) {
        struct audit *a = open_new();
        intercept(a);
        audit_close(a);
    }
    assert_int_equal(verify_run(&o, &v), 0);
    assert_int_equal(v.last_seq, 28);
    assert_int_equal(v.texts, 22);
    assert_int_equal(v.originals, 2);
    for (int tier = 0; tier < 3; tier++)
        assert_span(peek(tier, "SELECT 'v' || user_version FROM pragma_user_version"),
                    SPAN_LIT("v2"));
    arena_init(&arena, ORIGINALS_ARENA);
    assert_int_equal(originals_read(span_str(dir), SPAN_LIT("new-1"), &arena, &got), 0);
    assert_int_equal(got.count, 1);
    assert_int_equal(originals_read(span_str(dir), SPAN_LIT("req-1"), &arena, &got), 0);
    assert_int_equal(got.count + got.absent, 0);
    arena_deinit(&arena);
}

/* A month that is over is not written to any more, but texts are still taken out of it. */
static void older_months_stay_as_they_are(void **state)
{
    struct forget_result f;
    struct prune_report p;
    struct verify_report v;
    struct verify_options o = {.dir = span_str(dir)};
    struct prune_options days = {.dir = span_str(dir),
                                 .records = 183,
                                 .texts = 30,
                                 .originals = 30,
                                 .samples = 400,
                                 .now_us = clock_wall_us() + 50 * DAY};
    for (int round = 0; round < 2; round++) {
        write_old_log();
        for (int tier = 0; tier < 2; tier++) {
            char path[192], older[192];
            int year, month;
            month_path(tier, path);
            assert_int_equal(sscanf(strrchr(path, '/') + 4, "%d-%d", &year, &month), 2);
            int at = year * 12 + month - 2;
            snprintf(older, sizeof(older), "%s/l%d-%04d-%02d.db", dir, tier, at / 12, at % 12 + 1);
            assert_int_equal(rename(path, older), 0);
        }
        struct audit *a = open_new();
        intercept(a);
        if (round == 0) {
            assert_int_equal(forget_run(span_str(dir), SPAN_NULL, SPAN_LIT(ANNA), &f), 0);
            assert_int_equal(f.texts, 20);
        } else {
            assert_int_equal(prune_run(a, &days, &p), 0);
            assert_int_equal(p.texts, 21);
        }
        audit_close(a);
        assert_int_equal(verify_run(&o, &v), 0);
        assert_int_equal(v.files, 2);
        assert_int_equal(v.texts_absent, round == 0 ? 20 : 21);
        remove_dir(NULL);
        make_dir(NULL);
    }
}

int main(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, make_dir, remove_dir)
    const struct CMUnitTest tests[] = {
        CASE(version_1_is_read),
        CASE(version_1_is_gone_on_with),
        CASE(older_months_stay_as_they_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
