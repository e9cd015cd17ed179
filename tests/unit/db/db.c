#include "../unit.h"

#include "base/cleanup.h"
#include "db/db.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[64], path[128];

static int make_dir(void **state)
{
    strcpy(dir, "/tmp/juyong-db-XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    snprintf(path, sizeof(path), "%s/one.db", dir);
    return 0;
}

static int remove_dir(void **state)
{
    char command[96];
    snprintf(command, sizeof(command), "rm -rf %s", dir);
    return system(command);
}

static struct db *open_db(bool readonly)
{
    struct db *db = NULL;
    struct db_options o = {.readonly = readonly, .create = !readonly, .busy_ms = 50};
    assert_int_equal(db_open(span_str(path), &o, &db), 0);
    return db;
}

static void creates_private_files(void **state)
{
    mode_t before = umask(0);
    struct db *db = open_db(false);
    assert_int_equal(db_exec(db, "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT, c BLOB)"), 0);
    umask(before);
    const char *const tails[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < 3; i++) {
        char name[160];
        struct stat st;
        snprintf(name, sizeof(name), "%s%s", path, tails[i]);
        assert_int_equal(stat(name, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0600);
    }
    db_close(db);
    db_close(NULL);
}

static void binds_and_reads_back(void **state)
{
    struct db *db = open_db(false);
    assert_int_equal(db_exec(db, "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT, c BLOB)"), 0);
    struct db_stmt *put, *get;
    assert_int_equal(db_prepare(db, SPAN_LIT("INSERT INTO t VALUES (?1, ?2, ?3)"), &put), 0);
    assert_int_equal(db_prepare(db, SPAN_LIT("SELECT a, b, c FROM t ORDER BY a"), &get), 0);
    assert_int_equal(db_begin(db), 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(db_bind_int(put, 1, i - 1), 0);
        assert_int_equal(db_bind_text(put, 2, i ? SPAN_LIT("居庸") : SPAN_NULL), 0);
        assert_int_equal(db_bind_blob(put, 3, span_from("a\0b", (size_t)i)), 0);
        assert_int_equal(db_run(put), 0);
        assert_int_equal(db_changes(db), 1);
    }
    assert_int_equal(db_commit(db), 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(db_step(get), 1);
        assert_int_equal(db_column_int(get, 0), i - 1);
        assert_span(db_column_text(get, 1), i ? SPAN_LIT("居庸") : SPAN_LIT(""));
        assert_span(db_column_blob(get, 2), span_from("a\0b", (size_t)i));
    }
    assert_int_equal(db_step(get), 0);
    db_reset(get);
    /* A taken key is refused, and the rest of the transaction can go on or back. */
    assert_int_equal(db_begin(db), 0);
    assert_int_equal(db_bind_int(put, 1, 0), 0);
    assert_int_equal(db_run(put), -EEXIST);
    assert_int_equal(db_bind_int(put, 1, 9), 0);
    assert_int_equal(db_run(put), 0);
    db_rollback(db);
    db_rollback(db);
    int rows = 0;
    while (db_step(get) == 1)
        rows++;
    assert_int_equal(rows, 3);
    db_finalize(put);
    db_finalize(get);
    db_finalize(NULL);
    db_close(db);
}

static void keeps_version_and_settings(void **state)
{
    struct db *db = open_db(false);
    int version = -1;
    assert_int_equal(db_get_version(db, &version), 0);
    assert_int_equal(version, 0);
    assert_int_equal(db_set_version(db, 7), 0);
    db_close(db);
    db = open_db(false);
    assert_int_equal(db_get_version(db, &version), 0);
    assert_int_equal(version, 7);
    struct db_stmt *s;
    assert_int_equal(db_prepare(db, SPAN_LIT("PRAGMA synchronous"), &s), 0);
    assert_int_equal(db_step(s), 1);
    assert_int_equal(db_column_int(s, 0), 2);
    db_finalize(s);
    assert_int_equal(db_prepare(db, SPAN_LIT("SELECT load_extension('x')"), &s), 0);
    assert_true(db_step(s) < 0);
    db_finalize(s);
    assert_true(db_exec(db, "this is no SQL") == -EINVAL);
    assert_true(db_message(db).len > 0);
    assert_int_equal(db_prepare(db, SPAN_LIT(""), &s), -EINVAL);
    db_close(db);
}

static void checkpoints_when_told(void **state)
{
    struct db *db = open_db(false), *reader;
    assert_int_equal(db_exec(db, "CREATE TABLE t (a TEXT)"), 0);
    for (int i = 0; i < 50; i++)
        assert_int_equal(db_exec(db, "INSERT INTO t VALUES (zeroblob(4000))"), 0);
    assert_true(db_wal_pages(db) > 50);
    /* A reader in the middle keeps pages from moving, without being waited for. */
    reader = open_db(true);
    struct db_stmt *s;
    assert_int_equal(db_prepare(reader, SPAN_LIT("SELECT a FROM t"), &s), 0);
    assert_int_equal(db_step(s), 1);
    assert_int_equal(db_exec(db, "INSERT INTO t VALUES ('more')"), 0);
    assert_int_equal(db_checkpoint(db), 0);
    assert_true(db_wal_pages(db) > 0);
    assert_int_equal(db_exec(reader, "INSERT INTO t VALUES ('no')"), -EROFS);
    db_finalize(s);
    db_close(reader);
    assert_int_equal(db_checkpoint(db), 0);
    assert_int_equal(db_wal_pages(db), 0);
    assert_int_equal(db_check(db), 0);
    db_close(db);
}

static void names_what_is_wrong(void **state)
{
    struct db *db = NULL, *other;
    struct db_options read = {.readonly = true};
    assert_int_equal(db_open(span_str(path), &read, &db), -ENOENT);
    assert_int_equal(db_open(SPAN_LIT(""), &read, &db), -EINVAL);
    assert_int_equal(db_open(SPAN_LIT("a\0b"), &read, &db), -EINVAL);
    assert_null(db);

    db = open_db(false);
    assert_int_equal(db_exec(db, "CREATE TABLE t (a TEXT)"), 0);
    assert_int_equal(db_begin(db), 0);
    other = open_db(false);
    assert_int_equal(db_begin(other), -EBUSY);
    db_rollback(db);
    assert_int_equal(db_begin(other), 0);
    db_close(other);
    db_close(db);

    FILE *f = fopen(path, "w");
    assert_non_null(f);
    for (int i = 0; i < 1000; i++)
        fputs("this is not a database ", f);
    fclose(f);
    struct db_options write = {.create = true};
    assert_int_equal(db_open(span_str(path), &write, &db), -EBADMSG);

    /* A link in the place of the file is refused. */
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink("/tmp/elsewhere", path), 0);
    assert_int_equal(db_open(span_str(path), &write, &db), -ELOOP);
}

static void interrupts(void **state)
{
    struct db *db = open_db(false);
    struct db_stmt *s;
    assert_int_equal(db_prepare(db,
                                SPAN_LIT("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 "
                                         "FROM n) SELECT i FROM n"),
                                &s),
                     0);
    assert_int_equal(db_step(s), 1);
    db_interrupt(db);
    assert_int_equal(db_step(s), -EINTR);
    db_finalize(s);
    db_close(db);
}

/* In a child, because the limit can't be lifted again: committed rows stay, the rest fails. */
static void survives_a_full_disk(void **state)
{
    struct db *db = open_db(false);
    assert_int_equal(db_exec(db, "CREATE TABLE t (a TEXT)"), 0);
    db_close(db);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        signal(SIGXFSZ, SIG_IGN);
        struct rlimit limit = {200000, 200000};
        setrlimit(RLIMIT_FSIZE, &limit);
        struct db_options o = {.create = true};
        if (db_open(span_str(path), &o, &db) < 0)
            _exit(100);
        int n = 0, r = 0;
        for (; n < 1000; n++) {
            r = db_begin(db);
            if (r == 0)
                r = db_exec(db, "INSERT INTO t VALUES (zeroblob(4000))");
            if (r == 0)
                r = db_commit(db);
            else
                db_rollback(db);
            if (r < 0)
                break;
        }
        _exit(r == -EFBIG || r == -ENOSPC ? n : 200);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    int n = WEXITSTATUS(status);
    assert_in_range(n, 1, 99);
    db = open_db(false);
    struct db_stmt *s;
    assert_int_equal(db_prepare(db, SPAN_LIT("SELECT count(*) FROM t"), &s), 0);
    assert_int_equal(db_step(s), 1);
    assert_int_equal(db_column_int(s, 0), n);
    db_finalize(s);
    db_close(db);
}

static void *empty_wal(void *arg)
{
    int *ret = arg;
    struct db *db = open_db(false);
    *ret = db_empty_wal(db);
    db_close(db);
    return NULL;
}

/* Whoever waits for a reader keeps no writer out meanwhile. */
static void empties_beside_writers(void **state)
{
    pthread_t thread;
    struct db_stmt *s = NULL;
    struct stat st;
    char wal[160];
    int result = 0;
    struct db *db = open_db(false);
    assert_int_equal(db_exec(db, "CREATE TABLE t (a); INSERT INTO t VALUES (1); INSERT INTO t"
                                 " VALUES (2)"),
                     0);
    struct db *reader = open_db(true);
    assert_int_equal(db_prepare(reader, SPAN_LIT("SELECT a FROM t"), &s), 0);
    assert_int_equal(db_step(s), 1);
    assert_int_equal(pthread_create(&thread, NULL, empty_wal, &result), 0);
    for (int i = 0; i < 30; i++) {
        usleep(20000);
        assert_int_equal(db_exec(db, "INSERT INTO t VALUES (3)"), 0);
    }
    pthread_join(thread, NULL);
    assert_int_equal(result, -EBUSY);
    db_finalize(s);
    assert_int_equal(db_empty_wal(db), 0);
    snprintf(wal, sizeof(wal), "%s-wal", path);
    assert_int_equal(stat(wal, &st), 0);
    assert_int_equal(st.st_size, 0);
    db_close(reader);
    db_close(db);
}

/* Another program opens the file and is done with it. */
static void pass_by(void)
{
    int status = -1;
    pid_t pid = fork();
    if (pid == 0) {
        execl("/proc/self/exe", "db", path, (char *)NULL);
        _exit(127);
    }
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* A second connection of the process comes and goes: the first one's locks stay, so that nobody
 * else takes the write-ahead log away from it. */
static void keeps_its_locks(void **state)
{
    struct stat before, after;
    char wal[160];
    struct db *db = open_db(false);
    assert_int_equal(db_exec(db, "CREATE TABLE t (a); INSERT INTO t VALUES (1)"), 0);
    snprintf(wal, sizeof(wal), "%s-wal", path);
    assert_int_equal(stat(wal, &before), 0);
    db_close(open_db(false));
    pass_by();
    assert_int_equal(stat(wal, &after), 0);
    assert_int_equal(before.st_ino, after.st_ino);
    assert_int_equal(db_exec(db, "INSERT INTO t VALUES (2)"), 0);
    db_close(db);
}

static int come_and_go(const char *name)
{
    struct db *db = NULL;
    struct db_options o = {.create = true, .busy_ms = 5000};
    if (db_open(span_str(name), &o, &db) < 0)
        return 1;
    int r = db_exec(db, "SELECT * FROM t");
    db_close(db);
    return r < 0;
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return come_and_go(argv[1]);
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, make_dir, remove_dir)
    const struct CMUnitTest tests[] = {
        CASE(creates_private_files), CASE(binds_and_reads_back),   CASE(keeps_version_and_settings),
        CASE(checkpoints_when_told), CASE(names_what_is_wrong),    CASE(interrupts),
        CASE(survives_a_full_disk),  CASE(empties_beside_writers), CASE(keeps_its_locks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
