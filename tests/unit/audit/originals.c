/* L2: original texts are sealed, come back as they were, and nowhere else. */
#include "logdir.h"

#include "audit/reveal.h"
#include "audit/verify.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define SECRET "call 13912345678 and ask for the bad word there"

static struct audit *open_with(size_t originals)
{
    struct audit *a = NULL;
    struct audit_options o = {.dir = span_str(dir), .node = SPAN_LIT("n"), .originals = originals};
    assert_int_equal(audit_open(&o, &a), 0);
    assert_int_equal(audit_originals(a), originals);
    return a;
}

static void submit_one(struct audit *a, const char *request, enum audit_kind kind,
                       const struct audit_original *o, size_t count)
{
    struct audit_subject subject = subject_example;
    subject.request_id = span_str(request);
    struct audit_hit hit = hit_example;
    hit.start = 33;
    hit.end = 41;
    struct audit_event e = {.kind = kind,
                            .subject = &subject,
                            .hits = &hit,
                            .hit_count = kind == AUDIT_ACT,
                            .action = ACTION_BLOCK,
                            .originals = o,
                            .original_count = count};
    struct audit_port *port;
    struct audit_done done;
    assert_int_equal(audit_port_open(a, &port), 0);
    assert_int_equal(audit_submit(a, port, 1, &e), 0);
    collect(port, &done, 1);
    assert_int_equal(done.status, 0);
    audit_port_close(port);
}

static const struct audit_original secret = {
    .direction = DIRECTION_PROMPT,
    .role = ROLE_USER,
    .path = SPAN_LIT("messages[0].content"),
    .text = SPAN_LIT(SECRET),
    .hits = 1,
};

/* Does any file of the log but the keys hold these bytes? */
static bool is_on_disk(const char *text)
{
    char command[256];
    snprintf(command, sizeof(command), "grep -rqaF '%s' %s", text, dir);
    return system(command) == 0;
}

static void comes_back_as_it_was(void **state)
{
    struct arena arena;
    struct originals got;
    struct audit *a = open_with(65536);
    struct audit_original two[2] = {secret, secret};
    two[1].direction = DIRECTION_COMPLETION;
    two[1].role = ROLE_ASSISTANT;
    two[1].path = SPAN_LIT("choices[0].content");
    two[1].text = SPAN_LIT("an answer, ");
    two[1].from = 7;
    two[1].hits = 0;
    two[1].cut_before = true;
    submit_one(a, "req-1", AUDIT_ACT, two, 2);
    struct audit_original rest = two[1];
    rest.text = SPAN_LIT("and its rest");
    rest.from = 7 + two[1].text.len;
    rest.cut_before = false;
    rest.cut_after = true;
    submit_one(a, "req-1", AUDIT_CLOSE, &rest, 1);
    submit_one(a, "req-2", AUDIT_ACT, NULL, 0);
    arena_init(&arena, ORIGINALS_ARENA);
    assert_int_equal(originals_read(span_str(dir), SPAN_LIT("req-1"), &arena, &got), 0);
    assert_int_equal(got.count, 2);
    assert_int_equal(got.absent, 0);
    assert_span(got.list[0].text, SPAN_LIT(SECRET));
    assert_span(got.list[0].direction, SPAN_LIT("prompt"));
    assert_span(got.list[0].role, SPAN_LIT("user"));
    assert_span(got.list[0].path, SPAN_LIT("messages[0].content"));
    assert_int_equal(got.list[0].hit_count, 1);
    assert_span(span_slice(got.list[0].text, got.list[0].hits[0].start, got.list[0].hits[0].end),
                SPAN_LIT("bad word"));
    assert_span(got.list[0].hits[0].rule, SPAN_LIT("A1-a/12345678"));
    assert_span(got.list[1].text, SPAN_LIT("an answer, and its rest"));
    assert_true(got.list[1].cut_before && got.list[1].cut_after);
    assert_int_equal(originals_read(span_str(dir), SPAN_LIT("req-2"), &arena, &got), 0);
    assert_int_equal(got.count + got.absent, 0);
    assert_int_equal(originals_read(span_str(dir), SPAN_LIT("req-3"), &arena, &got), -ENOENT);
    arena_deinit(&arena);
    audit_close(a);
    assert_false(is_on_disk("13912345678"));
    struct verify_report v;
    struct verify_options o = {.dir = span_str(dir)};
    assert_int_equal(verify_run(&o, &v), 0);
    assert_int_equal(v.originals, 3);
    assert_int_equal(v.originals_absent + v.originals_closed, 0);
}

static void keeps_none_where_it_is_switched_off(void **state)
{
    struct arena arena;
    struct originals got;
    struct audit *a = open_with(0);
    submit_one(a, "req-1", AUDIT_ACT, &secret, 1);
    audit_close(a);
    assert_int_equal(peek(2, "SELECT 'n' || count(*) FROM original").data[1], '0');
    assert_true(
        span_find(peek(0, "SELECT group_concat(body) FROM record"), SPAN_LIT("originals")) ==
        peek(0, "SELECT group_concat(body) FROM record").len);
    arena_init(&arena, ORIGINALS_ARENA);
    assert_int_equal(originals_read(span_str(dir), SPAN_LIT("req-1"), &arena, &got), 0);
    assert_int_equal(got.count + got.absent, 0);
    arena_deinit(&arena);
}

static void write_file(const char *name, const char *text, const char *mode)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    FILE *f = fopen(path, mode);
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

/* A line behind is the newest key; older ones still open what they wrapped. */
static void rotates_its_key(void **state)
{
    static const char next[] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n";
    struct arena arena;
    struct originals got;
    struct audit *a = open_with(65536);
    submit_one(a, "req-1", AUDIT_ACT, &secret, 1);
    audit_close(a);
    write_file("keys/text.key", next, "a");
    a = open_with(65536);
    submit_one(a, "req-2", AUDIT_ACT, &secret, 1);
    audit_close(a);
    assert_span(peek(2, "SELECT 'n' || count(DISTINCT key) FROM original"), SPAN_LIT("n2"));
    arena_init(&arena, ORIGINALS_ARENA);
    assert_int_equal(originals_read(span_str(dir), SPAN_LIT("req-1"), &arena, &got), 0);
    assert_int_equal(originals_read(span_str(dir), SPAN_LIT("req-2"), &arena, &got), 0);
    /* Without the old key what it wrapped is closed for good, and said to be. */
    write_file("keys/text.key", next, "w");
    assert_int_equal(originals_read(span_str(dir), SPAN_LIT("req-1"), &arena, &got), -ENOKEY);
    assert_int_equal(originals_read(span_str(dir), SPAN_LIT("req-2"), &arena, &got), 0);
    struct verify_report v;
    struct verify_options o = {.dir = span_str(dir)};
    assert_int_equal(verify_run(&o, &v), 0);
    assert_int_equal(v.originals, 1);
    assert_int_equal(v.originals_closed, 1);
    arena_deinit(&arena);
    write_file("keys/text.key", "no key\n", "w");
    struct audit_options bad = {.dir = span_str(dir), .originals = 65536};
    assert_int_equal(audit_open(&bad, &a), -EBADMSG);
}

static void finds_tampering(void **state)
{
    static const struct {
        const char *sql, *what;
    } cases[] = {
        {"UPDATE original SET sealed = zeroblob(length(sealed)) WHERE seq = 2", "sealed"},
        {"UPDATE original SET wrapped = zeroblob(60) WHERE seq = 2", "sealed"},
        {"UPDATE original SET sealed = substr(sealed, 1, 40) WHERE seq = 2", "sealed"},
        {"UPDATE original SET sealed = (SELECT sealed FROM original WHERE seq = 3), wrapped ="
         " (SELECT wrapped FROM original WHERE seq = 3) WHERE seq = 2",
         "commitment"},
        {"INSERT INTO original SELECT 1, key, wrapped, sealed FROM original WHERE seq = 2",
         "no record commits to"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct arena arena;
        struct originals got;
        struct verify_report v;
        struct verify_options o = {.dir = span_str(dir)};
        struct audit *a = open_with(65536);
        submit_one(a, "req-1", AUDIT_ACT, &secret, 1);
        submit_one(a, "req-2", AUDIT_ACT, &secret, 1);
        audit_close(a);
        tamper(2, cases[i].sql);
        arena_init(&arena, ORIGINALS_ARENA);
        if (i < 4)
            assert_int_equal(originals_read(span_str(dir), SPAN_LIT("req-1"), &arena, &got),
                             -EBADMSG);
        arena_deinit(&arena);
        if (verify_run(&o, &v) != 1 || v.seq != (i < 4 ? 2 : 1) || !strstr(v.what, cases[i].what))
            fail_msg("%s: record %llu: %s", cases[i].sql, (unsigned long long)v.seq, v.what);
        remove_dir(NULL);
        make_dir(NULL);
    }
}

static void tells_what_was_deleted(void **state)
{
    struct arena arena;
    struct originals got;
    struct verify_report v;
    struct verify_options o = {.dir = span_str(dir)};
    struct audit *a = open_with(65536);
    submit_one(a, "req-1", AUDIT_ACT, &secret, 1);
    audit_close(a);
    tamper(2, "DELETE FROM original");
    arena_init(&arena, ORIGINALS_ARENA);
    assert_int_equal(originals_read(span_str(dir), SPAN_LIT("req-1"), &arena, &got), 0);
    assert_int_equal(got.count, 0);
    assert_int_equal(got.absent, 1);
    arena_deinit(&arena);
    assert_int_equal(verify_run(&o, &v), 0);
    assert_int_equal(v.originals_absent, 1);
}

int main(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, make_dir, remove_dir)
    const struct CMUnitTest tests[] = {
        CASE(comes_back_as_it_was),   CASE(keeps_none_where_it_is_switched_off),
        CASE(rotates_its_key),        CASE(finds_tampering),
        CASE(tells_what_was_deleted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
