/* Every way of tampering that needs no key must be found, and named with its record. */
#include "logdir.h"

#include "audit/head.h"
#include "audit/verify.h"

#include <unistd.h>

#define RECORDS 60 /* events between log_open and log_close */

static int verify(struct verify_report *report)
{
    struct verify_options o = {.dir = span_str(dir)};
    return verify_run(&o, report);
}

static void write_some(void)
{
    struct audit *a = open_log(AUDIT_REQUIRED);
    for (int i = 0; i < RECORDS / 3; i++) {
        char request[32];
        snprintf(request, sizeof(request), "req-%d", i);
        assert_int_equal(submit(a, NULL, 1, AUDIT_OPEN, request), 0);
        assert_int_equal(submit(a, NULL, 1, AUDIT_ACT, request), 0);
        assert_int_equal(submit(a, NULL, 1, AUDIT_CLOSE, request), 0);
    }
    audit_close(a);
}

static void passes_a_whole_log(void **state)
{
    struct verify_report r;
    assert_int_equal(verify(&r), -ENOENT);
    write_some();
    write_some();
    assert_int_equal(verify(&r), 0);
    assert_int_equal(r.records, 2 * (RECORDS + 2));
    assert_int_equal(r.first_seq, 1);
    assert_int_equal(r.last_seq, 2 * (RECORDS + 2));
    assert_int_equal(r.texts, 2 * RECORDS / 3);
    assert_int_equal(r.texts_absent, 0);
    assert_int_equal(r.checkpoints, 2);
    assert_int_equal(r.checkpoint_size, r.last_seq);
    assert_string_equal(r.file, "");
    /* A text that was deleted with its salt leaves the chain whole. */
    tamper(1, "DELETE FROM text WHERE seq = 3");
    assert_int_equal(verify(&r), 0);
    assert_int_equal(r.texts_absent, 1);
    /* The whole tier must be announced. */
    char path[192];
    month_path(1, path);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(verify(&r), 1);
    assert_non_null(strstr(r.what, "no record says"));
    assert_int_equal(r.texts, 0);
    assert_int_equal(r.texts_absent, 2 * RECORDS / 3);
}

static void works_while_the_log_is_written(void **state)
{
    struct audit *a = open_log(AUDIT_REQUIRED);
    struct audit_port *port;
    struct audit_done done;
    struct verify_report r;
    assert_int_equal(audit_port_open(a, &port), 0);
    for (int i = 0; i < 50; i++) {
        assert_int_equal(submit(a, port, 1, AUDIT_ACT, "req"), 0);
        if (i % 10 == 9)
            assert_int_equal(verify(&r), 0);
        collect(port, &done, 1);
        assert_int_equal(done.status, 0);
    }
    assert_int_equal(verify(&r), 0);
    assert_int_equal(r.last_seq, 51);
    audit_port_close(port);
    audit_close(a);
}

static void names_what_was_done(void **state)
{
    static const struct {
        int tier;
        const char *sql;
        uint64_t seq;
        const char *what;
    } cases[] = {
        {0, "UPDATE record SET body = replace(body, 'default', 'defau1t') WHERE seq = 5", 5,
         "changed"},
        {0, "UPDATE record SET hash = zeroblob(32) WHERE seq = 6", 6, "changed"},
        {0, "DELETE FROM record WHERE seq = 7", 7, "missing"},
        {0, "DELETE FROM record WHERE seq = 1", 1, "missing"},
        {0,
         "UPDATE record SET seq = -8 WHERE seq = 8; UPDATE record SET seq = 8 WHERE seq = 9;"
         "UPDATE record SET seq = 9 WHERE seq = -8",
         8, "changed"},
        /* a record in another's place, twice the same */
        {0,
         "UPDATE record SET body = (SELECT body FROM record WHERE seq = 10), hash = (SELECT hash"
         " FROM record WHERE seq = 10) WHERE seq = 11",
         11, "changed"},
        {0,
         "INSERT INTO record SELECT 63, time, request, weight, body, hash FROM record WHERE seq ="
         " 62",
         63, "changed"},
        {0, "DELETE FROM record WHERE seq = 62", 62, "missing"},
        {0,
         "DELETE FROM record WHERE seq > 50; UPDATE head SET seq = 50, hash = (SELECT hash FROM"
         " record WHERE seq = 50)",
         51, "cut off"},
        {0, "DELETE FROM record", 1, "missing"},
        {0, "UPDATE head SET hash = anchor", 62, "last record"},
        {0, "UPDATE head SET anchor = hash", 1, "begin a chain"},
        {0, "DELETE FROM head", 0, "no head"},
        {0, "UPDATE record SET weight = 0 WHERE seq = 3", 3, "search columns"},
        {0, "UPDATE record SET request = '' WHERE seq = 3", 3, "search columns"},
        {0, "UPDATE record SET time = time - 1 WHERE seq = 3", 3, "search columns"},
        {0, "PRAGMA user_version = 3", 0, "newer"},
        {0, "DROP TABLE record", 0, "records' table"},
        {1, "UPDATE text SET text = 'good word' WHERE seq = 6", 6, "text 0 was changed"},
        {1, "UPDATE text SET context = context || '.' WHERE seq = 6", 6, "text 0 was changed"},
        {1, "UPDATE text SET path = 'messages[1].content' WHERE seq = 6", 6, "text 0 was changed"},
        {1, "UPDATE text SET salt = zeroblob(16) WHERE seq = 6", 6, "text 0 was changed"},
        {1, "UPDATE text SET start = 11 WHERE seq = 6", 6, "text 0 was changed"},
        {1,
         "INSERT INTO text SELECT 5, at, salt, path, text, context, start, end, folded, 0 FROM text"
         " WHERE seq = 6",
         5, "no record commits to"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct verify_report r;
        write_some();
        tamper(cases[i].tier, cases[i].sql);
        if (verify(&r) != 1)
            fail_msg("not found: %s", cases[i].sql);
        if (r.seq != cases[i].seq || !strstr(r.what, cases[i].what))
            fail_msg("%s: found record %llu %s", cases[i].sql, (unsigned long long)r.seq, r.what);
        remove_dir(NULL);
        make_dir(NULL);
    }
}

/* Computes all hashes of the month's file anew, as who can write the file but not sign. */
static void restamp(void)
{
    char path[192];
    struct db *db = NULL;
    struct db_stmt *s = NULL, *put = NULL;
    struct db_options o = {.busy_ms = 1000};
    struct sha256 *h = sha256_new();
    unsigned char hash[SHA256_SIZE] = {0};
    uint64_t seq = 0;
    month_path(0, path);
    assert_int_equal(db_open(span_str(path), &o, &db), 0);
    assert_int_equal(db_prepare(db,
                                SPAN_LIT("SELECT seq, body FROM record WHERE seq > ?1 ORDER BY"
                                         " seq LIMIT 1"),
                                &s),
                     0);
    assert_int_equal(db_prepare(db, SPAN_LIT("UPDATE record SET hash = ?2 WHERE seq = ?1"), &put),
                     0);
    for (;;) {
        db_bind_int(s, 1, (int64_t)seq);
        if (db_step(s) != 1)
            break;
        seq = (uint64_t)db_column_int(s, 0);
        assert_int_equal(head_chain(h, hash, db_column_text(s, 1), hash), 0);
        db_reset(s);
        db_bind_int(put, 1, (int64_t)seq);
        db_bind_blob(put, 2, span_from((const char *)hash, sizeof(hash)));
        assert_int_equal(db_run(put), 0);
    }
    db_finalize(s);
    db_finalize(put);
    assert_int_equal(db_exec(db, "UPDATE head SET seq = (SELECT max(seq) FROM record), hash ="
                                 " (SELECT hash FROM record ORDER BY seq DESC LIMIT 1)"),
                     0);
    db_close(db);
    sha256_free(h);
}

/* A chain that was computed anew behind a change: without the key no checkpoint fits it. */
static void finds_restamped_records(void **state)
{
    static const struct {
        const char *sql, *what;
        uint64_t seq; /* the first that differs */
    } cases[] = {
        {"UPDATE record SET body = replace(body, 'default', 'defau1t') WHERE seq = 5",
         "written anew", 62},
        {"DELETE FROM record WHERE seq = 20; UPDATE record SET seq = seq - 1, body ="
         " replace(body, '\"seq\":' || seq, '\"seq\":' || (seq - 1)) WHERE seq > 20",
         "cut off", 62},
        {"INSERT INTO record SELECT 63, time, request, weight, replace(body, '\"seq\":62',"
         " '\"seq\":63'), hash FROM record WHERE seq = 62",
         "", 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct verify_report r;
        write_some();
        tamper(1, "DELETE FROM text WHERE seq > 19"); /* whose numbers would tell as well */
        tamper(0, cases[i].sql);
        restamp();
        int got = verify(&r);
        /* Going on truthfully from what is there is what only a newer checkpoint could tell from
         * an addition: the last case is whole. */
        if (got != (cases[i].seq > 0) || (got && !strstr(r.what, cases[i].what)) ||
            (got && r.seq != cases[i].seq))
            fail_msg("%s: %d, record %llu %s", cases[i].sql, got, (unsigned long long)r.seq,
                     r.what);
        remove_dir(NULL);
        make_dir(NULL);
    }
}

/* The operator of the machine can restamp a whole chain, but not sign its checkpoints. */
static void finds_a_log_written_anew(void **state)
{
    char first[64], command[256];
    struct verify_report r;
    write_some();
    memcpy(first, dir, sizeof(first));
    assert_int_equal(make_dir(NULL), 0);
    write_some();
    snprintf(command, sizeof(command), "cp %s/l?-*.db %s/", dir, first);
    assert_int_equal(system(command), 0);
    remove_dir(NULL);
    memcpy(dir, first, sizeof(first));
    assert_int_equal(verify(&r), 1);
    assert_int_equal(r.seq, RECORDS + 2);
    assert_non_null(strstr(r.what, "written anew"));
}

/* What a kill at a month's begin leaves: files without tables. They say as much as none. */
static void knows_files_that_were_never_used(void **state)
{
    struct verify_report r;
    char command[256];
    write_some();
    snprintf(command, sizeof(command),
             "cd %s && for t in 0 1 2; do touch l$t-9999-12.db; done && rm l2-9999-12.db", dir);
    assert_int_equal(system(command), 0);
    assert_int_equal(verify(&r), 0);
    assert_int_equal(r.records, RECORDS + 2);
    /* But texts that records commit to are missed, whatever is in their place. */
    snprintf(command, sizeof(command), "cd %s && rm l?-9999-12.db && truncate -s 0 l1-*.db", dir);
    assert_int_equal(system(command), 0);
    assert_int_equal(verify(&r), 1);
    assert_non_null(strstr(r.what, "no record says"));
    /* And so are records. */
    snprintf(command, sizeof(command), "cd %s && truncate -s 0 l0-*.db", dir);
    assert_int_equal(system(command), 0);
    assert_int_equal(verify(&r), 1);
    assert_non_null(strstr(r.what, "cut off"));
    assert_int_equal(r.seq, 1);
}

static void checks_checkpoints(void **state)
{
    char path[128], other[128], command[320];
    struct verify_report r;
    write_some();
    write_some();
    snprintf(path, sizeof(path), "%s/checkpoints.jsonl", dir);
    snprintf(other, sizeof(other), "%s/exported", dir);
    snprintf(command, sizeof(command), "cp %s %s", path, other);
    assert_int_equal(system(command), 0);
    /* A torn last line counts for nothing. */
    FILE *f = fopen(path, "a");
    fputs("{\"v\":1,\"size\":9", f);
    fclose(f);
    assert_int_equal(verify(&r), 0);
    struct audit *a = open_log(AUDIT_REQUIRED);
    audit_close(a);
    assert_int_equal(verify(&r), 0);
    assert_int_equal(r.checkpoints, 3);
    /* An export that was interrupted sends lines again: each fits the chain, in whatever order. */
    snprintf(command, sizeof(command), "(cat %s; head -n 2 %s) > %s/again", path, path, dir);
    assert_int_equal(system(command), 0);
    snprintf(command, sizeof(command), "%s/again", dir);
    struct verify_options again = {.dir = span_str(dir), .checkpoints = span_str(command)};
    assert_int_equal(verify_run(&again, &r), 0);
    assert_int_equal(r.checkpoints, 5);
    assert_int_equal(r.checkpoint_size, r.last_seq);
    /* A changed line is no longer signed. */
    snprintf(command, sizeof(command), "sed -i '2s/\"size\":124/\"size\":123/' %s", path);
    assert_int_equal(system(command), 0);
    assert_int_equal(verify(&r), 1);
    assert_string_equal(r.file, "checkpoints.jsonl");
    assert_non_null(strstr(r.what, "line 2: not signed"));
    /* The copy that left the machine still speaks. */
    struct verify_options o = {.dir = span_str(dir), .checkpoints = span_str(other)};
    assert_int_equal(verify_run(&o, &r), 0);
    assert_int_equal(r.checkpoints, 2);
    snprintf(command, sizeof(command), "rm %s %s/keys/checkpoint.pub", path, dir);
    assert_int_equal(system(command), 0);
    assert_int_equal(verify_run(&o, &r), 1);
    assert_non_null(strstr(r.what, "public key"));
    assert_int_equal(verify(&r), 0);
    assert_int_equal(r.checkpoints, 0);
}

/* Renames this month's files to a month before, as if it had passed. */
static void age_files(int months)
{
    for (int tier = 0; tier < 3; tier++) {
        char path[192], older[192];
        int year, month;
        month_path(tier, path);
        assert_int_equal(sscanf(strrchr(path, '/') + 4, "%d-%d", &year, &month), 2);
        int at = year * 12 + month - 1 - months;
        snprintf(older, sizeof(older), "%s/l%d-%04d-%02d.db", dir, tier, at / 12, at % 12 + 1);
        assert_int_equal(rename(path, older), 0);
    }
}

static void links_months(void **state)
{
    struct verify_report r;
    for (int months = 3; months > 0; months--) {
        write_some();
        age_files(months);
    }
    write_some();
    assert_int_equal(verify(&r), 0);
    assert_int_equal(r.files, 4);
    assert_int_equal(r.last_seq, 4 * (RECORDS + 2));
    /* Neither the oldest may go missing, unless it is announced (retention.c), nor another. */
    char command[160];
    snprintf(command, sizeof(command), "rm $(ls %s/l0-*.db | head -n 1)", dir);
    assert_int_equal(system(command), 0);
    assert_int_equal(verify(&r), 1);
    assert_int_equal(r.seq, RECORDS + 2);
    assert_int_equal(r.first_seq, RECORDS + 3);
    snprintf(command, sizeof(command), "rm $(ls %s/l0-*.db | head -n 2 | tail -n 1)", dir);
    assert_int_equal(system(command), 0);
    assert_int_equal(verify(&r), 1);
    assert_non_null(strstr(r.what, "missing"));
    assert_int_equal(r.seq, 2 * (RECORDS + 2) + 1);
    struct audit *a = NULL;
    struct audit_options o = {.dir = span_str(dir)};
    assert_int_equal(audit_open(&o, &a), -EBADMSG);
}

/* Random single bytes of the file: found, refused, or without effect on what it says. */
static void survives_flipped_bytes(void **state)
{
    char path[192], copy[200], command[420];
    uint64_t seed = 20261124;
    write_some();
    month_path(0, path);
    snprintf(copy, sizeof(copy), "%s/copy", dir);
    snprintf(command, sizeof(command), "cp %s %s", path, copy);
    assert_int_equal(system(command), 0);
    int found = 0;
    for (int i = 0; i < 200; i++) {
        struct verify_report r;
        FILE *f = fopen(path, "r+");
        assert_non_null(f);
        fseek(f, 0, SEEK_END);
        long size = ftell(f), at = (long)(random_next(&seed) % (uint64_t)size);
        fseek(f, at, SEEK_SET);
        int c = fgetc(f);
        fseek(f, at, SEEK_SET);
        fputc(c ^ (1 << (random_next(&seed) % 8)), f);
        fclose(f);
        int got = verify(&r);
        if (got != 0)
            found++;
        /* Indexes and free space are not read: a log that passes says what it said. */
        else
            assert_int_equal(r.records, RECORDS + 2);
        f = fopen(path, "r+");
        fseek(f, at, SEEK_SET);
        fputc(c, f);
        fclose(f);
    }
    assert_true(found > 40);
    struct verify_report r;
    assert_int_equal(verify(&r), 0);
}

int main(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, make_dir, remove_dir)
    const struct CMUnitTest tests[] = {
        CASE(passes_a_whole_log),
        CASE(works_while_the_log_is_written),
        CASE(names_what_was_done),
        CASE(finds_a_log_written_anew),
        CASE(checks_checkpoints),
        CASE(links_months),
        CASE(survives_flipped_bytes),
        CASE(finds_restamped_records),
        CASE(knows_files_that_were_never_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
