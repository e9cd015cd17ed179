/* The remembered offences: bounded, the oldest out, the same after any end of the process. */
#include "logdir.h"

#include "audit/offences.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

static struct offences *open_table(size_t max)
{
    struct offences *o = NULL;
    assert_int_equal(offences_open(span_str(dir), max, &o), 0);
    assert_non_null(o);
    return o;
}

static struct audit_offence offence(const struct offences *o, unsigned number)
{
    char text[24];
    struct audit_offence f = {.told = false};
    snprintf(text, sizeof(text), "text %u", number);
    struct audit_offence_key key = {.app = SPAN_LIT("default"),
                                    .end_user = SPAN_LIT("someone"),
                                    .role = SPAN_LIT("user"),
                                    .rule = SPAN_LIT("A1-a/12345678"),
                                    .text = span_str(text)};
    assert_int_equal(offences_code(o, &key, f.code), 0);
    return f;
}

static void add(struct offences *o, unsigned number, bool told)
{
    struct audit_offence f = offence(o, number);
    f.told = told;
    offences_add(o, span_from((const char *)&f, sizeof(f)), true);
}

static enum audit_memory recall(struct offences *o, unsigned number)
{
    struct audit_offence f = offence(o, number);
    return offences_find(o, f.code);
}

static void path_of(const char *name, char ret_path[128])
{
    snprintf(ret_path, 128, "%s/%s", dir, name);
}

static long size_of(const char *name)
{
    char path[128];
    struct stat st;
    path_of(name, path);
    return stat(path, &st) == 0 ? (long)st.st_size : -1;
}

/* Writes bytes into the table's file; from < 0: at its end. */
static void scribble(long from, struct span bytes)
{
    char path[128];
    path_of("offences.bin", path);
    int fd = open(path, O_WRONLY | (from < 0 ? O_APPEND : 0));
    assert_true(fd >= 0);
    if (from >= 0)
        assert_int_equal(lseek(fd, from, SEEK_SET), from);
    assert_int_equal(write(fd, bytes.data, bytes.len), bytes.len);
    close(fd);
}

/* Another byte than the one that is there: the keys are random, and so are the codes. */
static void flip(long at)
{
    char path[128], byte;
    path_of("offences.bin", path);
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &byte, 1, at), 1);
    close(fd);
    byte = (char)~byte;
    scribble(at, span_from(&byte, 1));
}

static void every_part_makes_another_code(void **state)
{
    struct offences *o = open_table(16);
    struct audit_offence_key base = {.app = SPAN_LIT("app"),
                                     .end_user = SPAN_LIT("user"),
                                     .role = SPAN_LIT("role"),
                                     .rule = SPAN_LIT("rule"),
                                     .text = SPAN_LIT("text")};
    unsigned char code[7][AUDIT_OFFENCE_SIZE];
    struct audit_offence_key keys[7] = {base, base, base, base, base, base, base};
    keys[1].app = SPAN_LIT("apq");
    keys[2].end_user = SPAN_LIT("uses");
    keys[3].role = SPAN_LIT("rolf");
    keys[4].rule = SPAN_LIT("ruld");
    keys[5].text = SPAN_LIT("texu");
    /* The same bytes in a row, parted elsewhere. */
    keys[6].app = SPAN_LIT("appu");
    keys[6].end_user = SPAN_LIT("ser");
    for (int i = 0; i < 7; i++) {
        assert_int_equal(offences_code(o, &keys[i], code[i]), 0);
        for (int k = 0; k < i; k++)
            assert_memory_not_equal(code[i], code[k], AUDIT_OFFENCE_SIZE);
    }
    unsigned char again[AUDIT_OFFENCE_SIZE];
    assert_int_equal(offences_code(o, &base, again), 0);
    assert_memory_equal(again, code[0], AUDIT_OFFENCE_SIZE);
    offences_close(o);
    /* Another key knows none of them. */
    char path[128];
    path_of("keys/offence.key", path);
    assert_int_equal(unlink(path), 0);
    o = open_table(16);
    assert_int_equal(offences_code(o, &base, again), 0);
    assert_memory_not_equal(again, code[0], AUDIT_OFFENCE_SIZE);
    offences_close(o);
}

static void the_key_is_the_owners_alone(void **state)
{
    char path[128];
    struct stat st;
    umask(0);
    offences_close(open_table(16));
    umask(077);
    path_of("keys/offence.key", path);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(st.st_size, 65);
    path_of("offences.bin", path);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    /* A key that is no key is not replaced: it may be restored. */
    path_of("keys/offence.key", path);
    assert_int_equal(truncate(path, 10), 0);
    struct offences *o = NULL;
    assert_int_equal(offences_open(span_str(dir), 16, &o), -EBADMSG);
    assert_int_equal(size_of("keys/offence.key"), 10);
}

static void one_process_at_a_time(void **state)
{
    struct offences *o = open_table(16), *second = NULL;
    assert_int_equal(offences_open(span_str(dir), 16, &second), -EBUSY);
    offences_close(o);
    offences_close(open_table(16));
}

static void remembers_over_restarts(void **state)
{
    struct offences *o = open_table(64);
    assert_int_equal(recall(o, 1), AUDIT_UNKNOWN);
    add(o, 1, false);
    add(o, 2, false);
    assert_int_equal(recall(o, 1), AUDIT_REMEMBERED);
    add(o, 2, true);
    add(o, 2, false); /* what was told stays told */
    assert_int_equal(recall(o, 2), AUDIT_TOLD);
    assert_int_equal(offences_sync(o), 0);
    assert_int_equal(offences_count(o), 2);
    /* As kill -9 leaves it: no more is written at the end. */
    long size = size_of("offences.bin");
    assert_int_equal(size, 16 + 3 * 32);
    offences_close(o);
    assert_int_equal(size_of("offences.bin"), size);
    for (int round = 0; round < 3; round++) {
        o = open_table(64);
        assert_int_equal(offences_count(o), 2);
        assert_int_equal(recall(o, 1), AUDIT_REMEMBERED);
        assert_int_equal(recall(o, 2), AUDIT_TOLD);
        assert_int_equal(recall(o, 3), AUDIT_UNKNOWN);
        add(o, 1, false); /* no news, nothing to write */
        assert_int_equal(offences_sync(o), 0);
        offences_close(o);
        assert_int_equal(size_of("offences.bin"), size);
    }
}

static void the_oldest_gives_way(void **state)
{
    struct offences *o = open_table(16);
    for (unsigned i = 0; i < 20; i++)
        add(o, i, false);
    assert_int_equal(offences_sync(o), 0);
    for (int round = 0; round < 2; round++) {
        assert_int_equal(offences_count(o), 16);
        for (unsigned i = 0; i < 20; i++)
            assert_int_equal(recall(o, i), i < 4 ? AUDIT_UNKNOWN : AUDIT_REMEMBERED);
        offences_close(o);
        o = open_table(16);
    }
    /* A smaller table keeps the newest. */
    offences_close(o);
    o = open_table(4);
    for (unsigned i = 0; i < 20; i++)
        assert_int_equal(recall(o, i), i < 16 ? AUDIT_UNKNOWN : AUDIT_REMEMBERED);
    offences_close(o);
}

/* Against a plain list, with numbers that come again. */
static void a_table_is_a_list_of_the_newest(void **state)
{
    enum { MAX = 24, STEPS = 4000, RANGE = 60 };
    struct offences *o = open_table(MAX);
    struct {
        unsigned number;
        bool told;
    } list[MAX];
    size_t count = 0;
    unsigned seed = 7;
    for (int step = 0; step < STEPS; step++) {
        seed = seed * 1103515245u + 12345u;
        unsigned number = (seed >> 16) % RANGE;
        bool told = (seed >> 8) % 5 == 0;
        size_t at = 0;
        while (at < count && list[at].number != number)
            at++;
        if (at < count) {
            list[at].told = list[at].told || told;
        } else {
            if (count == MAX) {
                memmove(list, list + 1, (MAX - 1) * sizeof(list[0]));
                count--;
            }
            list[count].number = number;
            list[count++].told = told;
        }
        add(o, number, told);
        if (step % 10 == 0)
            assert_int_equal(offences_sync(o), 0);
        if (step % 500 == 499) {
            assert_int_equal(offences_sync(o), 0);
            offences_close(o);
            o = open_table(MAX);
        }
    }
    assert_int_equal(offences_count(o), count);
    for (unsigned n = 0; n < RANGE; n++) {
        enum audit_memory want = AUDIT_UNKNOWN;
        for (size_t i = 0; i < count; i++)
            if (list[i].number == n)
                want = list[i].told ? AUDIT_TOLD : AUDIT_REMEMBERED;
        assert_int_equal(recall(o, n), want);
    }
    offences_close(o);
}

static void the_file_stays_in_proportion(void **state)
{
    struct offences *o = open_table(16);
    for (unsigned i = 0; i < 5000; i++) {
        add(o, i, false);
        assert_int_equal(offences_sync(o), 0);
        assert_in_range(size_of("offences.bin"), 16, 16 + (2 * 16 + 1024 + 2) * 32);
    }
    assert_int_equal(recall(o, 4983), AUDIT_UNKNOWN);
    assert_int_equal(recall(o, 4984), AUDIT_REMEMBERED);
    offences_close(o);
    /* Read once more it holds what the table holds. */
    offences_close(open_table(16));
    assert_int_equal(size_of("offences.bin"), 16 + 16 * 32);
}

static void a_torn_end_is_cut_off(void **state)
{
    struct offences *o = open_table(64);
    for (unsigned i = 0; i < 5; i++)
        add(o, i, false);
    assert_int_equal(offences_sync(o), 0);
    offences_close(o);
    long whole = size_of("offences.bin");
    char path[128];
    path_of("offences.bin", path);
    for (long cut = 1; cut < 32; cut++) {
        assert_int_equal(truncate(path, whole - cut), 0);
        o = open_table(64);
        assert_int_equal(offences_count(o), 4);
        assert_int_equal(recall(o, 3), AUDIT_REMEMBERED);
        assert_int_equal(recall(o, 4), AUDIT_UNKNOWN);
        add(o, 4, false); /* behind a whole entry, not within one */
        assert_int_equal(offences_sync(o), 0);
        offences_close(o);
        assert_int_equal(size_of("offences.bin"), whole);
        assert_int_equal(size_of("offences.bad"), -1); /* that is no damage */
    }
    /* Nor is a file that was only just made. */
    for (long size = 0; size < 16; size++) {
        assert_int_equal(truncate(path, size), 0);
        o = open_table(64);
        assert_int_equal(offences_count(o), 0);
        offences_close(o);
        assert_int_equal(size_of("offences.bin"), 16);
    }
}

static void damage_loses_what_is_damaged_only(void **state)
{
    struct offences *o = open_table(64);
    for (unsigned i = 0; i < 5; i++)
        add(o, i, false);
    assert_int_equal(offences_sync(o), 0);
    offences_close(o);
    long whole = size_of("offences.bin");
    flip(16 + 2 * 32 + 3);
    o = open_table(64);
    assert_int_equal(offences_count(o), 4);
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(recall(o, i), i == 2 ? AUDIT_UNKNOWN : AUDIT_REMEMBERED);
    offences_close(o);
    assert_int_equal(size_of("offences.bad"), whole); /* as it was found */
    assert_int_equal(size_of("offences.bin"), whole - 32);
    /* "Told" can't be written in by hand either: it is sealed, too. */
    scribble(16 + 20, SPAN_LIT("\x01"));
    o = open_table(64);
    assert_int_equal(recall(o, 0), AUDIT_UNKNOWN);
    assert_int_equal(offences_count(o), 3);
    offences_close(o);
    /* Something else altogether. */
    scribble(0, SPAN_LIT("SQLite format 3"));
    o = open_table(64);
    assert_int_equal(offences_count(o), 0);
    offences_close(o);
    assert_int_equal(size_of("offences.bad"), 16 + 3 * 32);
}

/* As the first version wrote it, byte for byte: it must be read for good. */
static void a_file_of_old_is_read(void **state)
{
    static const char key[] = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n",
                      file[] = "juyong.offence1\n"
                               "\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11"
                               "\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11"
                               "\x00\x00\x00\x00\xfa\x68\xec\xe5\xbb\xf0\x8d\xe0"
                               "\x22\x22\x22\x22\x22\x22\x22\x22\x22\x22"
                               "\x22\x22\x22\x22\x22\x22\x22\x22\x22\x22"
                               "\x01\x00\x00\x00\xce\x96\xa8\x93\x04\x71\x8f\xeb";
    const struct {
        const char *name, *bytes;
        size_t len;
    } files[] = {{"keys/offence.key", key, sizeof(key) - 1},
                 {"offences.bin", file, sizeof(file) - 1}};
    char path[128];
    path_of("keys", path);
    assert_int_equal(mkdir(path, 0700), 0);
    for (size_t i = 0; i < 2; i++) {
        path_of(files[i].name, path);
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        assert_true(fd >= 0);
        assert_int_equal(write(fd, files[i].bytes, files[i].len), files[i].len);
        close(fd);
    }
    struct offences *o = open_table(16);
    unsigned char code[AUDIT_OFFENCE_SIZE];
    assert_int_equal(offences_count(o), 2);
    memset(code, 0x11, sizeof(code));
    assert_int_equal(offences_find(o, code), AUDIT_REMEMBERED);
    memset(code, 0x22, sizeof(code));
    assert_int_equal(offences_find(o, code), AUDIT_TOLD);
    offences_close(o);
    assert_int_equal(size_of("offences.bin"), (long)sizeof(file) - 1);
    assert_int_equal(size_of("offences.bad"), -1);
}

static void what_could_not_be_written_is_written_later(void **state)
{
    char path[128], away[128];
    struct offences *o = open_table(64);
    add(o, 1, false);
    assert_int_equal(offences_sync(o), 0);
    /* Told while the log was out of order: in memory only. */
    struct audit_offence f = offence(o, 2);
    offences_add(o, span_from((const char *)&f, sizeof(f)), false);
    assert_int_equal(recall(o, 2), AUDIT_REMEMBERED);
    assert_int_equal(size_of("offences.bin"), 16 + 32);
    /* No new file can be made here. */
    path_of("offences.bin.new", path);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_true(offences_sync(o) < 0);
    assert_int_equal(recall(o, 2), AUDIT_REMEMBERED);
    add(o, 3, false);
    assert_true(offences_sync(o) < 0);
    path_of("elsewhere", away);
    assert_int_equal(rename(path, away), 0);
    assert_int_equal(offences_sync(o), 0);
    offences_close(o);
    o = open_table(64);
    for (unsigned i = 1; i < 4; i++)
        assert_int_equal(recall(o, i), AUDIT_REMEMBERED);
    offences_close(o);
}

/* --- with the log around it --- */

static struct audit *open_log_with_offences(enum audit_mode mode)
{
    struct audit *a = NULL;
    struct audit_options o = {
        .dir = span_str(dir), .mode = mode, .state_dir = span_str(dir), .offences = 64};
    assert_int_equal(audit_open(&o, &a), 0);
    return a;
}

static void code_of(const struct audit *a, const char *text, unsigned char *ret_code)
{
    struct audit_offence_key key = {.rule = SPAN_LIT("rule"), .text = span_str(text)};
    assert_int_equal(audit_offence_code(a, &key, ret_code), 0);
}

static void submit_offences(struct audit *a, struct audit_port *port,
                            const struct audit_offence *list, size_t count)
{
    struct audit_event e = {.kind = AUDIT_ACT,
                            .subject = &subject_example,
                            .action = ACTION_BLOCK,
                            .offences = list,
                            .offence_count = count};
    struct audit_done done;
    assert_int_equal(audit_submit(a, port, 1, &e), 0);
    collect(port, &done, 1);
    assert_int_equal(done.status, 0);
}

/* When the worker learns that its record is durable, all workers know the offence, and the file. */
static void known_when_the_record_is_acknowledged(void **state)
{
    struct audit *a = open_log_with_offences(AUDIT_REQUIRED);
    struct audit_port *port;
    struct audit_offence list[3] = {0};
    assert_int_equal(audit_port_open(a, &port), 0);
    code_of(a, "one", list[0].code);
    code_of(a, "two", list[1].code);
    code_of(a, "three", list[2].code);
    assert_int_equal(audit_recall(a, list[0].code), AUDIT_UNKNOWN);
    submit_offences(a, port, list, 2);
    assert_int_equal(audit_recall(a, list[0].code), AUDIT_REMEMBERED);
    assert_int_equal(audit_recall(a, list[1].code), AUDIT_REMEMBERED);
    assert_int_equal(audit_recall(a, list[2].code), AUDIT_UNKNOWN);
    assert_int_equal(size_of("offences.bin"), 16 + 2 * 32);
    list[1].told = true;
    submit_offences(a, port, list + 1, 1);
    assert_int_equal(audit_recall(a, list[1].code), AUDIT_TOLD);
    audit_close(a);
    audit_port_close(port);
    a = open_log_with_offences(AUDIT_REQUIRED);
    assert_int_equal(audit_recall(a, list[0].code), AUDIT_REMEMBERED);
    assert_int_equal(audit_recall(a, list[1].code), AUDIT_TOLD);
    audit_close(a);
}

static void without_a_place_nothing_is_remembered(void **state)
{
    struct audit *a = open_log(AUDIT_REQUIRED);
    struct audit_offence_key key = {.text = SPAN_LIT("text")};
    struct audit_offence f = {0};
    assert_int_equal(audit_offence_code(a, &key, f.code), -ENOENT);
    struct audit_port *port;
    assert_int_equal(audit_port_open(a, &port), 0);
    submit_offences(a, port, &f, 1);
    assert_int_equal(audit_recall(a, f.code), AUDIT_UNKNOWN);
    audit_close(a);
    audit_port_close(port);
    assert_int_equal(size_of("offences.bin"), -1);
}

/* Several threads ask while the writer adds; for the thread sanitizer, too. */
static atomic_bool over;

static void *ask_all_the_time(void *arg)
{
    struct audit *a = arg;
    struct audit_offence f;
    unsigned known = 0;
    code_of(a, "0", f.code);
    while (!atomic_load(&over))
        known += audit_recall(a, f.code) != AUDIT_UNKNOWN;
    /* The last answer is the last state: it was added first and the table is large enough. */
    known += audit_recall(a, f.code) == AUDIT_REMEMBERED;
    return (void *)(uintptr_t)known;
}

static void many_may_ask(void **state)
{
    struct audit *a = open_log_with_offences(AUDIT_REQUIRED);
    struct audit_port *port;
    pthread_t threads[3];
    atomic_store(&over, false);
    assert_int_equal(audit_port_open(a, &port), 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask_all_the_time, a), 0);
    for (int i = 0; i < 60; i++) {
        char text[8];
        struct audit_offence f = {0};
        snprintf(text, sizeof(text), "%d", i);
        code_of(a, text, f.code);
        submit_offences(a, port, &f, 1);
    }
    atomic_store(&over, true);
    for (int i = 0; i < 3; i++) {
        void *known;
        pthread_join(threads[i], &known);
        assert_true((uintptr_t)known > 0);
    }
    audit_close(a);
    audit_port_close(port);
}

/* An act that tells of nothing but what was told before is no interception; readers agree. */
static void told_again_is_no_interception(void **state)
{
    struct audit *a = open_log(AUDIT_REQUIRED);
    struct audit_hit old = hit_example;
    old.old = true;
    struct audit_event e = {.kind = AUDIT_ACT,
                            .subject = &subject_example,
                            .hits = &old,
                            .hit_count = 1,
                            .action = ACTION_ALLOW,
                            .reason = SPAN_LIT(AUDIT_OLD_OFFENCE)};
    assert_int_equal(audit_submit(a, NULL, 1, &e), 0);
    e.hit_count = 0;
    assert_int_equal(audit_submit(a, NULL, 1, &e), 0);
    e.reason = SPAN_LIT("content_filter");
    assert_int_equal(audit_submit(a, NULL, 1, &e), 0);
    audit_close(a);
    assert_span(peek(0, "SELECT group_concat(weight) FROM record WHERE request = 'req-1'"),
                SPAN_LIT("1,0,1"));
    struct span body = peek(0, "SELECT body FROM record WHERE seq = 2");
    assert_true(span_find(body, SPAN_LIT("\"end\":18,\"old\":true,\"commit\":\"")) < body.len);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_dir, remove_dir)
    const struct CMUnitTest tests[] = {
        TEST(every_part_makes_another_code),
        TEST(the_key_is_the_owners_alone),
        TEST(one_process_at_a_time),
        TEST(remembers_over_restarts),
        TEST(the_oldest_gives_way),
        TEST(a_table_is_a_list_of_the_newest),
        TEST(the_file_stays_in_proportion),
        TEST(a_torn_end_is_cut_off),
        TEST(damage_loses_what_is_damaged_only),
        TEST(a_file_of_old_is_read),
        TEST(what_could_not_be_written_is_written_later),
        TEST(known_when_the_record_is_acknowledged),
        TEST(without_a_place_nothing_is_remembered),
        TEST(many_may_ask),
        TEST(told_again_is_no_interception),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
