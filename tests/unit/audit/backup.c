/* A copy while the log is written, and the way back. */
#include "logdir.h"

#include "audit/backup.h"
#include "audit/reveal.h"

#include <string.h>
#include <sys/stat.h>

#define WHO SPAN_LIT("\"author\":\"zhou\"")

static char copy[96];

static struct audit *open_at(const char *path)
{
    struct audit *a = NULL;
    struct audit_options o = {.dir = span_str(path), .originals = 65536};
    assert_int_equal(audit_open(&o, &a), 0);
    return a;
}

static void write_some(struct audit *a, unsigned count)
{
    struct audit_original original = {
        .direction = DIRECTION_PROMPT, .text = SPAN_LIT("what was said"), .hits = 1};
    struct audit_port *port;
    struct audit_done done;
    assert_int_equal(audit_port_open(a, &port), 0);
    for (unsigned i = 0; i < count; i++) {
        struct audit_event e = {.kind = AUDIT_ACT,
                                .subject = &subject_example,
                                .hits = &hit_example,
                                .hit_count = 1,
                                .action = ACTION_BLOCK,
                                .originals = &original,
                                .original_count = 1};
        assert_int_equal(audit_submit(a, port, 1, &e), 0);
        collect(port, &done, 1);
        assert_int_equal(done.status, 0);
    }
    audit_port_close(port);
}

/* With the test's directory as $D and the copy as $C. */
static void run(const char *what)
{
    char command[512];
    snprintf(command, sizeof(command), "D=%s; C=%s; %s", dir, copy, what);
    assert_int_equal(system(command), 0);
}

static int make_both(void **state)
{
    int r = make_dir(state);
    snprintf(copy, sizeof(copy), "%s/copy", dir);
    return r;
}

static void copies_and_restores(void **state)
{
    struct backup_options o = {.into = span_str(copy), .keys = true, .who = WHO};
    struct backup_report b;
    struct verify_report v;
    struct stat st;
    char log[96], path[192];
    snprintf(log, sizeof(log), "%s/log", dir);
    struct audit *a = open_at(log);
    write_some(a, 20);
    assert_int_equal(backup_run(a, &o, &b), 0);
    assert_int_equal(b.last_seq, 22); /* its own record is in it */
    write_some(a, 5);
    assert_int_equal(backup_run(a, &o, &b), -ENOTEMPTY);
    /* Not over a log. */
    assert_int_equal(backup_restore(span_str(copy), span_str(log), &v), -EEXIST);
    audit_close(a);
    struct verify_options whole = {.dir = span_str(copy)};
    assert_int_equal(verify_run(&whole, &v), 0);
    assert_int_equal(v.originals, 20);
    assert_int_equal(v.last_seq, 22);
    snprintf(path, sizeof(path), "%s/keys/text.key", copy);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(backup_restore(span_str(copy), span_str(log), &v), -EEXIST);
    run("mv $D/log $D/lost");
    assert_int_equal(backup_restore(span_str(copy), span_str(log), &v), 0);
    assert_int_equal(v.last_seq, 22);

    /* The next opening tells, once. */
    a = open_at(log);
    write_some(a, 1);
    audit_close(a);
    a = open_at(log);
    audit_close(a);
    whole.dir = span_str(log);
    assert_int_equal(verify_run(&whole, &v), 0);
    assert_int_equal(v.originals, 21);
    struct arena arena;
    struct originals got;
    arena_init(&arena, ORIGINALS_ARENA);
    assert_int_equal(originals_read(span_str(log), SPAN_LIT("req-1"), &arena, &got), 0);
    assert_int_equal(got.count, 1);
    arena_deinit(&arena);
    char kept[64];
    memcpy(kept, dir, sizeof(kept));
    snprintf(dir, sizeof(dir), "%.56s/log", kept);
    assert_span(peek(0, "SELECT group_concat(seq) FROM record WHERE body LIKE"
                        " '%\"reason\":\"restore\"%'"),
                SPAN_LIT("24"));
    memcpy(dir, kept, sizeof(kept));
    /* What is behind the backup is gone, and a checkpoint that left the machine tells. */
    char exported[96];
    snprintf(exported, sizeof(exported), "%s/lost/checkpoints.jsonl", dir);
    whole.checkpoints = span_str(exported);
    assert_int_equal(verify_run(&whole, &v), 1);
}

static void without_keys_it_needs_them(void **state)
{
    struct backup_options o = {.into = span_str(copy)};
    struct backup_report b;
    struct verify_report v;
    char log[96], restored[96];
    snprintf(log, sizeof(log), "%s/log", dir);
    snprintf(restored, sizeof(restored), "%s/new", dir);
    struct audit *a = open_at(log);
    write_some(a, 3);
    assert_int_equal(backup_run(a, &o, &b), 0);
    audit_close(a);
    run("test ! -e $C/keys/text.key && test ! -e $C/keys/checkpoint.key");
    struct verify_options whole = {.dir = span_str(copy)};
    assert_int_equal(verify_run(&whole, &v), 0);
    assert_int_equal(v.originals, 0);
    assert_int_equal(v.originals_closed, 3);
    assert_int_equal(backup_restore(span_str(copy), span_str(restored), &v), -ENOKEY);
    run("mkdir -m 700 $D/new && cp -r $D/log/keys $D/new/");
    assert_int_equal(backup_restore(span_str(copy), span_str(restored), &v), 0);
    audit_close(open_at(restored));
}

static void refuses_what_is_not_whole(void **state)
{
    struct backup_options o = {.into = span_str(copy), .keys = true};
    struct backup_report b;
    struct verify_report v = {0};
    char log[96], restored[96];
    snprintf(log, sizeof(log), "%s/log", dir);
    snprintf(restored, sizeof(restored), "%s/new", dir);
    struct audit *a = open_at(log);
    write_some(a, 3);
    assert_int_equal(backup_run(a, &o, &b), 0);
    audit_close(a);
    run("mv $C/backup.json $C/b");
    assert_int_equal(backup_restore(span_str(copy), span_str(restored), &v), -ENOENT);
    run("mv $C/b $C/backup.json && rm $C/l2-*.db");
    assert_int_equal(backup_restore(span_str(copy), span_str(restored), &v), 1);
    assert_non_null(strstr(v.what, "no record says"));
    run("test ! -e $D/new");
}

int main(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, make_both, remove_dir)
    const struct CMUnitTest tests[] = {
        CASE(copies_and_restores),
        CASE(without_keys_it_needs_them),
        CASE(refuses_what_is_not_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
