/* Privacy deletion: which texts go, which stay, and that the log verifies afterwards. */
#include "logdir.h"

#include "audit/forget.h"
#include "audit/verify.h"

#include <dirent.h>

#define ANNA "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define BEN  "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static void write_some(struct audit *a, const char *user, const char *app, const char *context,
                       unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct audit_subject subject = subject_example;
        struct audit_hit hits[2] = {hit_example, hit_example};
        char id[32];
        snprintf(id, sizeof(id), "req-%.2s-%s-%u", user, app, i);
        subject.request_id = span_str(id);
        subject.end_user = span_str(user);
        subject.app = span_str(app);
        hits[0].context = hits[1].context = span_str(context);
        hits[0].context_start = hits[1].context_start = 0;
        hits[0].context_end = hits[1].context_end = 1;
        struct audit_event e = {.kind = AUDIT_ACT,
                                .subject = &subject,
                                .action = ACTION_BLOCK,
                                .reason = SPAN_LIT("content_filter"),
                                .hits = hits,
                                .hit_count = 2};
        assert_int_equal(audit_submit(a, NULL, 0, &e), 0);
    }
}

/* In how many of the log's files do these bytes stand? */
static unsigned files_with(const char *bytes)
{
    DIR *d = opendir(dir);
    struct dirent *e;
    unsigned count = 0;
    assert_non_null(d);
    while ((e = readdir(d))) {
        char path[400], piece[1 << 16];
        struct buf all = BUF_INIT(64u << 20);
        snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
        FILE *f = fopen(path, "r");
        size_t n;
        while (f && (n = fread(piece, 1, sizeof(piece), f)) > 0)
            assert_int_equal(buf_append(&all, span_from(piece, n)), 0);
        if (f)
            fclose(f);
        count += span_find(buf_span(&all), span_str(bytes)) < all.len;
        buf_deinit(&all);
    }
    closedir(d);
    return count;
}

static void one_persons_texts_go(void **state)
{
    struct audit *a = open_log(AUDIT_REQUIRED);
    write_some(a, ANNA, "one", "said by anna to one", 300); /* more than a page */
    write_some(a, BEN, "one", "said by ben, \"end_user\":\"" ANNA "\" and all", 10);
    write_some(a, ANNA, "two", "said by anna to two", 5);
    audit_close(a);
    assert_true(files_with("said by anna to one") > 0);

    struct forget_result r = {0};
    assert_int_equal(forget_run(span_str(dir), SPAN_LIT("one"), SPAN_LIT(ANNA), &r), 0);
    assert_int_equal(r.records, 300);
    assert_int_equal(r.texts, 600);
    assert_false(r.left_in_wal);
    assert_int_equal(files_with("said by anna to one"), 0);
    assert_true(files_with("said by anna to two") > 0);
    assert_true(files_with("said by ben") > 0);

    assert_int_equal(forget_run(span_str(dir), SPAN_NULL, SPAN_LIT(ANNA), &r), 0);
    assert_int_equal(r.records, 5); /* the others have none any more */
    assert_int_equal(r.texts, 10);
    assert_int_equal(files_with("said by anna"), 0);
    assert_true(files_with("said by ben") > 0);

    struct verify_options o = {.dir = span_str(dir)};
    struct verify_report report;
    assert_int_equal(verify_run(&o, &report), 0);
    assert_int_equal(report.texts_absent, 610);
    assert_int_equal(report.texts, 20);
}

static void beside_the_writer(void **state)
{
    struct audit *a = open_log(AUDIT_REQUIRED);
    struct forget_result r = {0};
    for (int round = 0; round < 5; round++) {
        write_some(a, ANNA, "one", "said by anna", 20);
        write_some(a, BEN, "one", "said by ben", 20);
        assert_int_equal(forget_run(span_str(dir), SPAN_NULL, SPAN_LIT(ANNA), &r), 0);
    }
    audit_close(a);
    assert_int_equal(forget_run(span_str(dir), SPAN_NULL, SPAN_LIT(ANNA), &r), 0);
    assert_int_equal(files_with("said by anna"), 0);
    struct verify_options o = {.dir = span_str(dir)};
    struct verify_report report;
    assert_int_equal(verify_run(&o, &report), 0);
    assert_int_equal(report.texts, 200);
    assert_int_equal(report.gaps, 0);
}

static void nothing_to_do(void **state)
{
    struct forget_result r = {0};
    assert_int_equal(forget_run(span_str(dir), SPAN_NULL, SPAN_LIT(ANNA), &r), 0);
    assert_int_equal(r.records, 0);
    struct audit *a = open_log(AUDIT_REQUIRED);
    audit_close(a);
    assert_int_equal(forget_run(span_str(dir), SPAN_NULL, SPAN_LIT(ANNA), &r), 0);
    assert_int_equal(r.records, 0);
    assert_int_equal(forget_run(span_str(dir), SPAN_NULL, SPAN_LIT("anna"), &r), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_persons_texts_go, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(beside_the_writer, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(nothing_to_do, make_dir, remove_dir),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
