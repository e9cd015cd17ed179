/* Cells that a spreadsheet would take for formulas, and tables as other programs read them. */
#include "../audit/logdir.h"

#include "casebook/export.h"

#include <limits.h>
#include <sys/stat.h>

static void cell(const char *text, const char *want)
{
    struct buf out = BUF_INIT(4096);
    assert_int_equal(export_csv_cell(&out, span_str(text)), 0);
    assert_span(buf_span(&out), span_str(want));
    buf_deinit(&out);
}

static void what_begins_a_formula_becomes_text(void **state)
{
    cell("plain 居庸", "plain 居庸");
    cell("", "");
    cell("a=b", "a=b");
    cell("=1+1", "\"'=1+1\"");
    cell("+86", "\"'+86\"");
    cell("-5", "\"'-5\"");
    cell("@SUM(A1)", "\"'@SUM(A1)\"");
    cell("\t=1", "\"'\t=1\"");
    cell("\r=1", "\"'\r=1\"");
    cell("\n=1", "\"'\n=1\"");
    cell("＝1", "\"'＝1\"");
    cell("＋1", "\"'＋1\"");
    cell("－1", "\"'－1\"");
    cell("＠x", "\"'＠x\"");
    cell(" =1", "\"' =1\"");
    cell("\xef\xbb\xbf\xe3\x80\x80\xc2\xa0=1", "\"'\xef\xbb\xbf\xe3\x80\x80\xc2\xa0=1\"");
    cell(" a=1", " a=1");
    cell("a;=1", "\"a;=1\""); /* some take it for a comma */
    cell("a\t=1", "\"a\t=1\"");
    cell("a,b", "\"a,b\"");
    cell("a\"b", "\"a\"\"b\"");
    cell("\"", "\"\"\"\"");
    cell("=\"x\"", "\"'=\"\"x\"\"\"");
    cell("a\nb", "\"a\nb\"");
    /* What does not fit leaves an error, no half cell that passes for a whole one. */
    struct buf small = BUF_INIT(3);
    assert_int_equal(export_csv_cell(&small, SPAN_LIT("a,b")), -EMSGSIZE);
    buf_deinit(&small);
}

static void write_log(const char *text)
{
    struct audit *a = open_log(AUDIT_REQUIRED);
    struct audit_hit hit = hit_example;
    hit.text = hit.context = span_str(text);
    hit.context_start = 0;
    hit.context_end = 1;
    struct audit_event e = {.kind = AUDIT_ACT,
                            .subject = &subject_example,
                            .hits = &hit,
                            .hit_count = 1,
                            .action = ACTION_BLOCK};
    assert_int_equal(audit_submit(a, NULL, 1, &e), 0);
    audit_close(a);
}

static int export(const struct export_options *o)
{
    struct query_filter f = {0};
    struct export *e = NULL;
    struct query *q = NULL;
    const struct query_row *row;
    int r = export_new(o, &e);
    assert_int_equal(query_open(span_str(dir), &f, &q), 0);
    while (r == 0 && query_next(q, &row) == 1)
        r = export_row(e, row);
    if (r == 0)
        r = export_finish(e);
    query_close(q);
    export_free(e);
    return r;
}

static void texts_are_there_when_they_may_be(void **state)
{
    write_log("=cmd, \"秘密\"");
    for (int texts = 0; texts < 2; texts++) {
        char *data = NULL;
        size_t size = 0;
        FILE *f = open_memstream(&data, &size);
        struct export_options o = {.format = EXPORT_CSV, .out = f, .texts = texts};
        assert_int_equal(export(&o), 0);
        fclose(f);
        struct span all = span_from(data, size);
        assert_true(span_starts(all, SPAN_LIT("\xef\xbb\xbfseq,time,")));
        assert_true((span_find(all, SPAN_LIT("秘密")) < all.len) == texts);
        assert_true(span_find(all, SPAN_LIT(",req-1,default,")) < all.len);
        assert_true(!texts || span_find(all, SPAN_LIT(",\"'=cmd, \"\"秘密\"\"\",")) < all.len);
        free(data);
    }
}

/* A full disk is told, and no workbook stands there. */
static void what_fails_is_told(void **state)
{
    write_log("x");
    FILE *f = fopen("/dev/full", "w");
    assert_non_null(f);
    setbuf(f, NULL);
    struct export_options o = {.format = EXPORT_CSV, .out = f};
    assert_int_equal(export(&o), -EIO);
    fclose(f);
    o = (struct export_options){.format = EXPORT_XLSX, .path = SPAN_LIT("/nowhere/x.xlsx")};
    assert_true(export(&o) < 0);
    o = (struct export_options){.format = EXPORT_JSONL};
    assert_int_equal(export_new(&o, &(struct export *){NULL}), -EINVAL);
}

/* What a cell can't hold is replaced; the rest of the row stands. */
static void workbooks_take_any_text(void **state)
{
    char path[128];
    static char text[200000];
    memset(text, 'x', sizeof(text) - 1);
    memcpy(text, "=1 \x01\xef\xbf\xbf", 7);
    write_log(text);
    snprintf(path, sizeof(path), "%s/out.xlsx", dir);
    struct export_options o = {.format = EXPORT_XLSX, .path = span_str(path), .texts = true};
    assert_int_equal(export(&o), 0);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    assert_int_equal(fgetc(f), 'P');
    fclose(f);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600); /* as the other formats are */
}

/* What a crash left of a workbook goes at the next start, and nothing else does. */
static void leftovers_are_swept(void **state)
{
    static const char *const others[] = {"export.xlsx", "export.1.0xab.xlsx.bak", "export.1.csv",
                                         "my.export.1.0xab.xlsx", "export.1.0xab.xlsx.7.part2"};
    char path[PATH_MAX], part[PATH_MAX + 16], other[128];
    assert_true(export_place(span_str(dir), dir, path));
    snprintf(part, sizeof(part), "%s.77.part", path);
    fclose(fopen(path, "w"));
    fclose(fopen(part, "w"));
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
        snprintf(other, sizeof(other), "%s/%s", dir, others[i]);
        fclose(fopen(other, "w"));
    }
    export_sweep(span_str(dir));
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(access(part, F_OK), -1);
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
        snprintf(other, sizeof(other), "%s/%s", dir, others[i]);
        assert_int_equal(access(other, F_OK), 0);
    }
}

static int keep_none(void *ctx, struct span request_id)
{
    return 0;
}

static void searched_texts_are_not_in_the_description(void **state)
{
    struct buf out = BUF_INIT(4096);
    struct query_filter f = {.text = SPAN_LIT("秘密"),
                             .risk = SPAN_LIT("A1"),
                             .actions = 1u << ACTION_BLOCK,
                             .since_us = 1000000,
                             .direction = DIRECTION_PROMPT};
    assert_int_equal(export_describe(EXPORT_XLSX, &f, &out), 0);
    assert_span(buf_span(&out), SPAN_LIT("format=xlsx since=1970-01-01T00:00:01.000Z action=block "
                                         "risk=A1 direction=prompt text=(searched)"));
    /* All else that was asked for is, and no word passes for another. */
    buf_clear(&out);
    f = (struct query_filter){.app = SPAN_LIT("shop all risk=A2"),
                              .session = SPAN_LIT("s1"),
                              .trace_id = SPAN_LIT("t1"),
                              .client_ip = SPAN_LIT("10.0.0.1"),
                              .any_purpose = true,
                              .keep = keep_none};
    assert_int_equal(export_describe(EXPORT_CSV, &f, &out), 0);
    assert_span(buf_span(&out), SPAN_LIT("format=csv app=shop_all_risk=A2 session=s1 trace=t1 "
                                         "client_ip=10.0.0.1 purpose=any review=(asked)"));
    buf_deinit(&out);
    assert_int_equal(export_format_from(SPAN_LIT("jsonl")), EXPORT_JSONL);
    assert_int_equal(export_format_from(SPAN_LIT("pdf")), EXPORT_FORMATS);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_dir, remove_dir)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_begins_a_formula_becomes_text),
        TEST(texts_are_there_when_they_may_be),
        TEST(what_fails_is_told),
        TEST(workbooks_take_any_text),
        TEST(leftovers_are_swept),
        TEST(searched_texts_are_not_in_the_description),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
