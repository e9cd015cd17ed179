/* Workbooks as they come to stand on disk; tests/unit/sheet/xlsx.c reads back what they hold. */
#include "../unit.h"

#include "base/cleanup.h"
#include "sheet/writer.h"
#include "sheet/zipread.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64], path[128];

static int make_dir(void **state)
{
    strcpy(dir, "/tmp/juyong-sheet-XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    snprintf(path, sizeof(path), "%s/book.xlsx", dir);
    return 0;
}

static int remove_dir(void **state)
{
    char command[96];
    snprintf(command, sizeof(command), "rm -rf %s", dir);
    return system(command);
}

static size_t files_in_dir(void)
{
    size_t n = 0;
    DIR *d = opendir(dir);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));)
        n += e->d_name[0] != '.';
    closedir(d);
    return n;
}

static struct buf read_file(void)
{
    struct buf b = BUF_INIT(1u << 20);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    assert_int_equal(buf_reserve(&b, 1u << 20), 0);
    b.len = fread(b.data, 1, b.cap, f);
    fclose(f);
    return b;
}

static struct sheet_writer *begin(void)
{
    static const struct sheet_column columns[] = {{SPAN_LIT("词"), 20}, {SPAN_LIT("n"), 0}};
    struct sheet_writer *w = NULL;
    assert_int_equal(sheet_writer_new(span_str(path), 1700000000, &w), 0);
    assert_int_equal(sheet_writer_add(w, SPAN_LIT("一"), columns, 2), 0);
    return w;
}

static int add_text(struct sheet_writer *w, struct span text)
{
    struct sheet_cell cell = SHEET_TEXT(text);
    return sheet_writer_row(w, &cell, 1);
}

static void stands_there_when_finished(void **state)
{
    struct buf first = BUF_INIT(0);
    for (int i = 0; i < 2; i++) {
        struct sheet_writer *w = begin();
        struct sheet_cell cells[] = {SHEET_TEXT(SPAN_LIT("a")), SHEET_NUMBER(3)};
        assert_int_equal(sheet_writer_row(w, cells, 2), 0);
        assert_int_equal(sheet_writer_finish(w, NULL), 0);
        assert_int_equal(files_in_dir(), 1);
        struct buf why = BUF_INIT(1024);
        assert_int_equal(sheet_writer_finish(w, &why), -EINVAL);
        assert_true(span_find(buf_span(&why), SPAN_LIT("finished already")) < why.len);
        buf_deinit(&why);
        sheet_writer_free(w);
        struct buf now = read_file();
        assert_true(span_starts(buf_span(&now), SPAN_LIT("PK\3\4")));
        if (i == 0)
            first = now;
        else
            assert_true(span_eq(buf_span(&first), buf_span(&now))); /* the date is given */
        if (i == 1)
            buf_deinit(&now);
    }
    buf_deinit(&first);
    struct stat st;
    mode_t mask = umask(0);
    umask(mask);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0666 & ~mask);
}

static void leaves_what_was_there_when_not(void **state)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs("before", f);
    fclose(f);
    struct sheet_writer *w = begin();
    assert_int_equal(add_text(w, SPAN_LIT("a")), 0);
    sheet_writer_free(w);
    sheet_writer_free(NULL);

    w = begin();
    assert_int_equal(add_text(w, SPAN_LIT("\xff")), -EILSEQ);
    assert_int_equal(add_text(w, SPAN_LIT("good")), -EILSEQ); /* sticks */
    struct buf why = BUF_INIT(1024);
    assert_int_equal(sheet_writer_finish(w, &why), -EILSEQ);
    struct span said = buf_span(&why);
    assert_true(span_find(said, SPAN_LIT("book.xlsx: sheet 一, row 2: a text")) < said.len);
    buf_deinit(&why);
    sheet_writer_free(w);

    struct buf now = read_file();
    assert_span(buf_span(&now), SPAN_LIT("before"));
    buf_deinit(&now);
    assert_int_equal(files_in_dir(), 1);
}

static void refuses_what_no_cell_can_hold(void **state)
{
    static char much[SHEET_TEXT_MAX + 1];
    memset(much, 'x', sizeof(much));
    const struct {
        struct sheet_cell cell;
        int want;
    } cases[] = {
        {SHEET_TEXT(SPAN_LIT("a\0b")), -EILSEQ},
        {SHEET_TEXT(SPAN_LIT("\xef\xbf\xbf")), -EILSEQ},
        {SHEET_TEXT(SPAN_LIT("\xed\xa0\x80")), -EILSEQ},
        {SHEET_TEXT(SPAN_LIT("\xe4\xb8")), -EILSEQ},
        {SHEET_NUMBER(NAN), -EINVAL},
        {SHEET_NUMBER(INFINITY), -EINVAL},
        {SHEET_TEXT(span_from(much, SHEET_TEXT_MAX + 1)), -EMSGSIZE},
        {SHEET_TEXT(span_from(much, SHEET_TEXT_MAX)), 0},
        {SHEET_TEXT(SPAN_LIT("")), 0},
        {SHEET_TEXT(SPAN_LIT("\x01\x1f\t\r\n\xf0\x9f\x98\x80")), 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sheet_writer *w = begin();
        assert_int_equal(sheet_writer_row(w, &cases[i].cell, 1), cases[i].want);
        sheet_writer_free(w);
    }
    struct sheet_writer *w = NULL;
    assert_int_equal(sheet_writer_new(span_str(path), 0, &w), 0);
    assert_int_equal(add_text(w, SPAN_LIT("a")), -EINVAL); /* no sheet */
    sheet_writer_free(w);
    assert_int_equal(sheet_writer_new(span_str(path), 0, &w), 0);
    assert_int_equal(sheet_writer_finish(w, NULL), -EINVAL); /* no sheet either */
    sheet_writer_free(w);
    assert_int_equal(files_in_dir(), 0);
}

static void names_its_sheets_as_excel_allows(void **state)
{
    const struct {
        struct span name;
        int want;
    } cases[] = {
        {SPAN_LIT("二"), 0},
        {SPAN_LIT("1234567890123456789012345678901"), 0},
        {SPAN_LIT("12345678901234567890123456789012"), -EINVAL},
        {SPAN_LIT("a/b"), -EINVAL},
        {SPAN_LIT("'a"), -EINVAL},
        {SPAN_LIT("一"), -EINVAL}, /* taken */
        {SPAN_LIT(""), -EINVAL},
        {SPAN_LIT("\xff"), -EILSEQ},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sheet_writer *w = begin();
        assert_int_equal(sheet_writer_add(w, cases[i].name, NULL, 0), cases[i].want);
        sheet_writer_free(w);
    }
}

static void ends_a_sheet_where_excel_does(void **state)
{
    struct sheet_writer *w = begin();
    for (unsigned i = 1; i < SHEET_ROWS_MAX; i++)
        assert_int_equal(sheet_writer_row(w, NULL, 0), 0);
    assert_int_equal(add_text(w, SPAN_LIT("one more")), -E2BIG);
    sheet_writer_free(w);
}

static void tells_where_no_file_can_be(void **state)
{
    struct sheet_writer *w = NULL;
    char name[160];
    snprintf(name, sizeof(name), "%s/none/book.xlsx", dir);
    assert_int_equal(sheet_writer_new(span_str(name), 0, &w), -ENOENT);
    assert_int_equal(sheet_writer_new(SPAN_LIT(""), 0, &w), -ENAMETOOLONG);
    assert_int_equal(sheet_writer_new(SPAN_LIT("a\0b"), 0, &w), -ENAMETOOLONG);
    assert_null(w);
    /* A folder of that name is in the way when it is to be renamed. */
    assert_int_equal(mkdir(path, 0700), 0);
    w = begin();
    struct buf why = BUF_INIT(1024);
    assert_int_equal(sheet_writer_finish(w, &why), -EISDIR);
    assert_true(span_find(buf_span(&why), SPAN_LIT("directory")) < why.len);
    buf_deinit(&why);
    sheet_writer_free(w);
    assert_int_equal(files_in_dir(), 1);
}

/* ---- what it looks like ---- */

static struct buf xml;

static int on_begin(void *ctx, struct span name)
{
    return 0;
}

static int on_piece(void *ctx, struct span piece)
{
    return buf_append(&xml, piece);
}

static int on_end(void *ctx)
{
    return 0;
}

static bool has(const char *text)
{
    return span_find(buf_span(&xml), span_str(text)) < xml.len;
}

static void breaks_long_texts_where_told(void **state)
{
    static const struct zipread_ops ops = {on_begin, on_piece, on_end};
    for (int wraps = 0; wraps < 2; wraps++) {
        struct sheet_writer *w = begin();
        /* 44 units in a column of 20, and a line of its own. */
        struct sheet_cell cells[] = {
            SHEET_TEXT(SPAN_LIT("一二三四五六七八九十一二三四五六七八九十 abc\nd")),
            SHEET_NUMBER(1)};
        if (wraps)
            assert_int_equal(sheet_writer_wrap(w), 0);
        assert_int_equal(sheet_writer_row(w, cells, 2), 0);
        assert_int_equal(sheet_writer_finish(w, NULL), 0);
        sheet_writer_free(w);
        struct buf why = BUF_INIT(4096);
        xml = BUF_INIT(1u << 20);
        int fd = open(path, O_RDONLY);
        assert_int_equal(zipread_each(fd, 1u << 20, &ops, NULL, &why), 0);
        close(fd);
        assert_int_equal(has("orientation=\"landscape\""), wraps);
        assert_int_equal(has("fitToHeight=\"0\""), wraps);
        assert_int_equal(has("_xlnm.Print_Titles"), wraps);
        assert_int_equal(has("<c r=\"A2\" s="), wraps);
        assert_int_equal(has("ht=\"60\" customHeight=\"1\""), wraps);
        buf_deinit(&xml);
        buf_deinit(&why);
    }
    struct sheet_writer *w = NULL;
    assert_int_equal(sheet_writer_new(span_str(path), 1700000000, &w), 0);
    assert_int_equal(sheet_writer_wrap(w), -EINVAL);
    sheet_writer_free(w);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, make_dir, remove_dir)
    const struct CMUnitTest tests[] = {
        TEST(stands_there_when_finished),    TEST(leaves_what_was_there_when_not),
        TEST(refuses_what_no_cell_can_hold), TEST(names_its_sheets_as_excel_allows),
        TEST(ends_a_sheet_where_excel_does), TEST(tells_where_no_file_can_be),
        TEST(breaks_long_texts_where_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
