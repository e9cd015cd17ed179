/* The index: made, carried on, made anew, emptied; always the same for the same log. */
#include "madeup.h"

#include "audit/forget.h"
#include "audit/grams.h"
#include "audit/index.h"
#include "base/clock.h"

#include <signal.h>
#include <sys/wait.h>

/* All that a file's tables hold, as text. */
static void dump(struct buf *out)
{
    static const char *const tables[] = {"interception", "hit",  "who",    "block",
                                         "roll",         "held", "caught", "state"};
    struct files *files = malloc(sizeof(*files));
    assert_non_null(files);
    assert_int_equal(files_list(span_str(dir), 0, files), 0);
    for (size_t m = 0; m < files->count; m++) {
        char path[PATH_MAX], sql[256];
        struct db *db = NULL;
        struct db_options o = {.readonly = true};
        assert_true(index_path(span_str(dir), INDEX_ROWS, files->months[m], path));
        assert_int_equal(db_open(span_str(path), &o, &db), 0);
        for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++) {
            struct db_stmt *s = NULL;
            snprintf(sql, sizeof(sql), "SELECT * FROM %s ORDER BY 1, 2, 3", tables[t]);
            if (strcmp(tables[t], "who") == 0 || strcmp(tables[t], "state") == 0)
                snprintf(sql, sizeof(sql), "SELECT *, 0, 0 FROM %s ORDER BY 1, 2, 3", tables[t]);
            assert_int_equal(db_prepare(db, span_str(sql), &s), 0);
            while (db_step(s) == 1) {
                for (int c = 0; c < 4; c++)
                    assert_int_equal(buf_printf(out, "%.*s ", SPAN_ARG(db_column_text(s, c))), 0);
                assert_int_equal(buf_append_char(out, '\n'), 0);
            }
            db_finalize(s);
        }
        db_close(db);
    }
    free(files);
}

static void grows_into_what_is_made_at_once(void **state)
{
    struct buf grown = BUF_INIT(1u << 24), made = BUF_INIT(1u << 24);
    begin(77, 2 * HOUR_US);
    struct store *s = open_store();
    for (unsigned i = 0; i < 40; i++) {
        write_random(s, 100 * i, 1 + below(8));
        if (below(3))
            assert_int_equal(indexer_run(span_str(dir)), 0);
    }
    assert_int_equal(indexer_run(span_str(dir)), 0);
    store_close(s);
    dump(&grown);
    remove_index();
    assert_int_equal(indexer_run(span_str(dir)), 0);
    dump(&made);
    assert_true(made.len > 10000);
    assert_same(&grown, &made);
    buf_deinit(&grown);
    buf_deinit(&made);
}

/* Killed at any moment it goes on from what it had committed. */
static void survives_kill(void **state)
{
    struct buf killed = BUF_INIT(1u << 24), made = BUF_INIT(1u << 24);
    begin(5, 2 * HOUR_US);
    struct store *s = open_store();
    write_random(s, 0, 3000);
    store_close(s);
    for (int round = 0; round < 8; round++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            indexer_run(span_str(dir));
            _exit(0);
        }
        usleep(1000u * (unsigned)(5 + 15 * round));
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, NULL, 0), child);
    }
    assert_int_equal(indexer_run(span_str(dir)), 0);
    dump(&killed);
    remove_index();
    assert_int_equal(indexer_run(span_str(dir)), 0);
    dump(&made);
    assert_same(&killed, &made);
    buf_deinit(&killed);
    buf_deinit(&made);
}

/* An index of another log, a damaged one, one that somebody removes: made anew. */
static void begins_anew_where_it_does_not_fit(void **state)
{
    char path[PATH_MAX];
    struct buf want = BUF_INIT(1u << 20), got = BUF_INIT(1u << 20);
    struct query_filter f = {.end_user = SPAN_LIT("u1"), .any_purpose = true};
    begin(9, 2 * HOUR_US);
    struct store *s = open_store();
    write_random(s, 0, 60);
    store_close(s);
    list(&f, &want);
    assert_true(want.len > 20);
    for (int i = 0; i < 3; i++) {
        struct files files;
        assert_int_equal(indexer_run(span_str(dir)), 0);
        assert_int_equal(files_list(span_str(dir), 0, &files), 0);
        assert_true(index_path(span_str(dir), INDEX_ROWS, files.months[0], path));
        struct db *db = NULL;
        struct db_options o = {0};
        if (i < 2) {
            assert_int_equal(db_open(span_str(path), &o, &db), 0);
            assert_int_equal(db_exec(db, i == 0 ? "DELETE FROM interception; UPDATE state SET"
                                                  " hash = zeroblob(32)"
                                                : "DROP TABLE hit; DROP TABLE interception"),
                             0);
            db_close(db);
        } else {
            FILE *file = fopen(path, "r+");
            assert_non_null(file);
            for (int k = 0; k < 3000; k++)
                fputs("rubbish", file);
            fclose(file);
        }
        buf_clear(&got);
        list(&f, &got);
        assert_same(&got, &want);
        if (i == 0) {
            assert_int_equal(indexer_run(span_str(dir)), 0);
            buf_clear(&got);
            list(&f, &got);
            assert_same(&got, &want);
        }
        remove_index();
    }
    buf_deinit(&want);
    buf_deinit(&got);
}

/* The bytes of whole grams, as they stand in the file. */
static bool holds(const char *name, const char *bytes)
{
    char command[256];
    snprintf(command, sizeof(command), "cat %s/%s* | grep -aq '%s'", dir, name, bytes);
    return system(command) == 0;
}

static void forgets(void **state)
{
    struct buf gram = BUF_INIT(64);
    begin(4, 2 * HOUR_US);
    struct store *s = open_store();
    struct audit_hit hit = hit_example;
    hit.context = hit.text = SPAN_LIT("鑫淼");
    hit.context_start = hit.context_end = 0;
    struct audit_event e = {.kind = AUDIT_ACT,
                            .subject = &subject_example,
                            .hits = &hit,
                            .hit_count = 1,
                            .action = ACTION_BLOCK};
    write_event(s, &e);
    store_close(s);
    assert_int_equal(indexer_run(span_str(dir)), 0);
    /* FTS5 keeps words that follow each other as their ends: the last character of the pair. */
    assert_int_equal(grams_query(SPAN_LIT("淼"), &gram), 0);
    gram.data[gram.len - 1] = '\0';
    assert_true(holds("tx-", gram.data + 1));
    struct query_filter f = {.text = SPAN_LIT("鑫淼")};
    struct buf found = BUF_INIT(1024);
    list(&f, &found);
    assert_span(buf_span(&found), SPAN_LIT("req-1/1 \n"));
    struct files files;
    assert_int_equal(files_list(span_str(dir), 0, &files), 0);
    tamper(1, "DELETE FROM text");
    for (size_t i = 0; i < files.count; i++)
        assert_int_equal(index_forget(span_str(dir), files.months[i]), 0);
    assert_false(holds("tx-", gram.data + 1));
    assert_int_equal(indexer_run(span_str(dir)), 0);
    assert_false(holds("tx-", gram.data + 1));
    buf_clear(&found);
    list(&f, &found);
    assert_span(buf_span(&found), SPAN_LIT("\n"));
    for (size_t i = 0; i < files.count; i++)
        assert_int_equal(index_remove(span_str(dir), INDEX_TEXT, files.months[i]), 0);
    assert_int_equal(index_forget(span_str(dir), files.months[0]), 0);
    buf_deinit(&found);
    buf_deinit(&gram);
}

#define ANNA "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

/* A text of hers, indexed; its gram as it stands in the file. */
static files_month index_a_text(struct buf *ret_gram)
{
    struct audit_subject anna = subject_example;
    struct audit_hit hit = hit_example;
    struct files files;
    begin(4, 2 * HOUR_US);
    struct store *s = open_store();
    anna.end_user = SPAN_LIT(ANNA);
    hit.context = hit.text = SPAN_LIT("鑫淼");
    hit.context_start = hit.context_end = 0;
    struct audit_event e = {
        .kind = AUDIT_ACT, .subject = &anna, .hits = &hit, .hit_count = 1, .action = ACTION_BLOCK};
    write_event(s, &e);
    store_close(s);
    assert_int_equal(indexer_run(span_str(dir)), 0);
    assert_int_equal(grams_query(SPAN_LIT("淼"), ret_gram), 0);
    ret_gram->data[ret_gram->len - 1] = '\0';
    assert_true(holds("tx-", ret_gram->data + 1));
    assert_int_equal(files_list(span_str(dir), 0, &files), 0);
    return files.months[files.count - 1];
}

/* Who asks again, as he is told to, gets done what a reader was in the way of. */
static void forgets_behind_a_reader(void **state)
{
    struct buf gram = BUF_INIT(64);
    struct forget_result f;
    struct db *reader = NULL;
    struct db_stmt *reads = NULL;
    struct db_options o = {.readonly = true};
    char path[PATH_MAX];
    files_month month = index_a_text(&gram);
    assert_true(index_path(span_str(dir), INDEX_TEXT, month, path));
    assert_int_equal(db_open(span_str(path), &o, &reader), 0);
    assert_int_equal(db_prepare(reader, SPAN_LIT("SELECT seq FROM state"), &reads), 0);
    assert_int_equal(db_step(reads), 1);
    assert_int_equal(forget_run(span_str(dir), SPAN_NULL, SPAN_LIT(ANNA), &f), 0);
    assert_int_equal(f.texts, 1);
    assert_true(f.left_in_wal);
    db_reset(reads);
    assert_int_equal(forget_run(span_str(dir), SPAN_NULL, SPAN_LIT(ANNA), &f), 0);
    assert_false(f.left_in_wal);
    assert_false(holds("tx-", gram.data + 1));
    db_finalize(reads);
    db_close(reader);
    buf_deinit(&gram);
}

/* A crash behind the removal of the texts: the index that still has their words goes. */
static void forgets_after_a_crash(void **state)
{
    struct buf gram = BUF_INIT(64);
    struct forget_result f;
    for (int again = 0; again < 2; again++) {
        files_month month = index_a_text(&gram);
        assert_int_equal(index_condemn(span_str(dir), month), 0);
        tamper(1, "DELETE FROM text");
        if (again) {
            assert_int_equal(forget_run(span_str(dir), SPAN_NULL, SPAN_LIT(ANNA), &f), 0);
            assert_int_equal(f.texts, 0);
        } else {
            assert_int_equal(indexer_run(span_str(dir)), 0);
        }
        assert_false(holds("tx-", gram.data + 1));
        buf_clear(&gram);
        remove_dir(NULL);
        make_dir(NULL);
    }
    buf_deinit(&gram);
}

/* What was removed behind the indexer's back leaves no words behind. */
static void goes_with_what_it_speaks_of(void **state)
{
    char command[192];
    struct files files;
    begin(31, 2 * HOUR_US);
    struct store *s = open_store();
    write_random(s, 0, 150);
    store_close(s);
    assert_int_equal(indexer_run(span_str(dir)), 0);
    assert_int_equal(files_list(span_str(dir), 0, &files), 0);
    assert_true(files.count > 1);
    snprintf(command, sizeof(command), "rm %s/l[01]-%04d-%02d.db; rm %s/l1-*.db; ls %s/tx-*.db",
             dir, files.months[0] / 12, files.months[0] % 12 + 1, dir, dir);
    assert_int_equal(system(command), 0);
    assert_int_equal(indexer_run(span_str(dir)), 0);
    snprintf(command, sizeof(command), "! ls %s | grep -e '^tx-' -e '^ix-%04d-%02d'", dir,
             files.months[0] / 12, files.months[0] % 12 + 1);
    assert_int_equal(system(command), 0);
    char path[PATH_MAX];
    assert_true(index_path(span_str(dir), INDEX_ROWS, files.months[1], path));
    assert_int_equal(access(path, F_OK), 0);
}

static bool has_word(struct span words_of, struct span word)
{
    struct span w;
    while (span_split(&words_of, ' ', &w))
        if (span_eq(w, word))
            return true;
    return false;
}

/* Every gram that is asked for is one of the text's, wherever the needle stands in it. */
static void grams_of_a_part_are_grams_of_the_whole(void **state)
{
    static const unsigned char bytes[] = {'a',  'B',  '9',  ' ',  '"',  0xe4, 0xbd, 0xa0,
                                          0xff, 0xc3, 0xa9, 0xf0, 0x9f, 0x98, 0x80};
    struct grams g = {0};
    struct buf document = BUF_INIT(1u << 20), query = BUF_INIT(1u << 16);
    seed = 8;
    for (int round = 0; round < 3000; round++) {
        char text[48];
        size_t len = 1 + below(sizeof(text));
        for (size_t i = 0; i < len; i++)
            text[i] = (char)bytes[below(sizeof(bytes))];
        if (round % 2)
            len = random_text(text, 3).len;
        size_t from = below((unsigned)len), to = from + 1 + below((unsigned)(len - from));
        buf_clear(&document);
        buf_clear(&query);
        grams_clear(&g);
        assert_int_equal(grams_add(&g, span_from(text, len)), 0);
        assert_int_equal(grams_write(&g, &document), 0);
        assert_int_equal(grams_query(span_from(text + from, to - from), &query), 0);
        struct span rest = buf_span(&query), part;
        while (span_split(&rest, ' ', &part))
            if (part.len > 4)
                assert_true(has_word(buf_span(&document), span_slice(part, 1, part.len - 1)));
    }
    buf_clear(&query);
    assert_int_equal(grams_query(SPAN_LIT("a"), &query), 0);
    assert_int_equal(query.len, 0);
    assert_int_equal(grams_query(SPAN_LIT("\xff\xfe"), &query), 0);
    assert_int_equal(query.len, 0);
    assert_int_equal(grams_query(SPAN_LIT("北"), &query), 0);
    assert_int_equal(query.len, 6);
    buf_deinit(&document);
    buf_deinit(&query);
    grams_deinit(&g);
}

/* Waits until the texts of the newest month are indexed up to that record. */
static void expect_indexed(uint64_t want)
{
    struct files files;
    uint64_t seq = 0;
    assert_int_equal(files_list(span_str(dir), 0, &files), 0);
    for (int tries = 0; tries < 3000 && seq < want; tries++) {
        char path[PATH_MAX];
        struct db *l0 = NULL, *ix = NULL;
        struct db_options o = {.readonly = true};
        assert_true(files_path(span_str(dir), 0, files.months[0], path));
        assert_int_equal(db_open(span_str(path), &o, &l0), 0);
        if (index_open_read(span_str(dir), INDEX_TEXT, files.months[0], l0, &ix, &seq) == 0)
            db_close(ix);
        db_close(l0);
        usleep(10000);
    }
    assert_int_equal(seq, want);
}

static void write_and_expect(struct audit *a)
{
    struct audit_port *port;
    struct audit_done done;
    assert_int_equal(audit_port_open(a, &port), 0);
    assert_int_equal(submit(a, port, 1, AUDIT_ACT, "one"), 0);
    collect(port, &done, 1);
    expect_indexed(done.seq);
    audit_port_close(port);
}

/* The thread: follows while the log is written, and needs nobody to tell it. */
static void follows(void **state)
{
    struct indexer *i = NULL;
    struct audit *a = open_log(AUDIT_REQUIRED);
    assert_int_equal(indexer_start(span_str(dir), &i), 0);
    write_and_expect(a);
    indexer_stop(i);
    audit_close(a);
}

/* What it can't read at one moment, such as a log in the making, it soon looks at again. */
static void tries_again(void **state)
{
    struct indexer *i = NULL;
    char path[PATH_MAX];
    assert_true(files_path(span_str(dir), 0, files_month_of(clock_wall_us()), path));
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    for (int n = 0; n < 1000; n++)
        fputs("no database", f);
    fclose(f);
    assert_int_equal(indexer_start(span_str(dir), &i), 0);
    usleep(200000);
    assert_int_equal(unlink(path), 0);
    struct audit *a = open_log(AUDIT_REQUIRED);
    write_and_expect(a);
    indexer_stop(i);
    audit_close(a);
}

int main(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, make_dir, remove_dir)
    const struct CMUnitTest tests[] = {
        CASE(grows_into_what_is_made_at_once),
        CASE(survives_kill),
        CASE(begins_anew_where_it_does_not_fit),
        CASE(forgets),
        CASE(forgets_behind_a_reader),
        CASE(forgets_after_a_crash),
        CASE(goes_with_what_it_speaks_of),
        cmocka_unit_test(grams_of_a_part_are_grams_of_the_whole),
        CASE(follows),
        CASE(tries_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
