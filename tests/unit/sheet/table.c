/* Plain text, CSV, TSV and JSON lines, in every encoding; what can't be read is told with its line.
 */
#include "tables.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHECK(bytes, file, want)      check_table(SPAN_LIT(bytes), file, TABLE_ANY, SPAN_LIT(want))
#define CHECK_AS(format, bytes, want) check_table(SPAN_LIT(bytes), "f", format, SPAN_LIT(want))

static void reads_lines(void **state)
{
    CHECK("", "a.txt", "");
    CHECK("一\n二", "a.txt", "1: 一\n2: 二\n");
    CHECK("一\r\n\r\n二\r\n", "a.txt", "1: 一\n2: \n3: 二\n");
    CHECK("一\r二\r", "a.txt", "1: 一\n2: 二\n");
    CHECK("a,b;\"c\n", "a.txt", "1: a,b;\"c\n");
    CHECK("\xef\xbb\xbf一\n", "list", "1: 一\n");
}

static void reads_separated_columns(void **state)
{
    CHECK("a,b\nc,d\n", "a.csv", "1: a|b\n2: c|d\n");
    CHECK("a,b\r\nc,d", "a.CSV", "1: a|b\n2: c|d\n");
    CHECK("a;b\n1,5;2\n", "a.csv", "1: a|b\n2: 1,5|2\n");
    CHECK("a\tb,c\nd\te\n", "a.csv", "1: a|b,c\n2: d|e\n");
    CHECK("词\n\na;b\n", "a.csv", "1: 词\n2: \n3: a|b\n"); /* the first line that has any */
    CHECK("a,\n,b\n,\n", "a.csv", "1: a|\n2: |b\n3: |\n");
    CHECK("sep=|\r\na|b\n", "a.csv", "2: a|b\n");
    CHECK("a,b\tc\n", "a.tsv", "1: a,b|c\n");
    CHECK("词\t类\n一\t二\n", "a.txt", "1: 词|类\n2: 一|二\n"); /* by its look */
    CHECK_AS(TABLE_TEXT, "词\t类\n", "1: 词\t类\n");
    CHECK_AS(TABLE_CSV, "a,b\n", "1: a|b\n");
}

static void reads_quoted_cells(void **state)
{
    CHECK("\"a,b\",c\n", "a.csv", "1: a,b|c\n");
    CHECK("\"a\"\"b\",\"\"\n", "a.csv", "1: a\"b|\n");
    CHECK("\"a\nb\",c\r\nd,\"e\r\n\r\nf\"\ng,h\n", "a.csv", "1: a\nb|c\n3: d|e\r\n\r\nf\n6: g|h\n");
    CHECK("a\"b,c\"\n", "a.csv", "1: a\"b|c\"\n");
    CHECK("\"a;b;c\",d\n", "a.csv", "1: a;b;c|d\n");
    CHECK("a,\"b\"", "a.csv", "1: a|b\n");
}

static void tells_where_quoting_is_wrong(void **state)
{
    CHECK("a,b\n\"c\" d,e\n", "a.csv",
          "a.csv:2: text behind the closing quotation mark of a cell; a mark within a cell is "
          "written twice\n");
    CHECK("a,b\nc,\"d\ne\n", "a.csv", "a.csv:2: a quotation mark opens a cell that never ends\n");
}

static void reads_json_lines(void **state)
{
    CHECK("{\"word\":\"一\",\"n\":1}\n\n{\"n\":null,\"word\":\"二\",\"x\":[1,\"a\"]}\n{}\n",
          "a.jsonl", "1: word|n|x\n1: 一|1\n3: 二||[1,\"a\"]\n4: \n");
    CHECK("\"一\"\n\"\\u4e8c\"\n", "a.json", "1: 一\n2: 二\n");
    CHECK("{\"a\":true,\"b\":1.5}", "unnamed", "1: a|b\n1: true|1.5\n");
    struct table t;
    struct buf why = BUF_INIT(64);
    assert_int_equal(table_read(SPAN_LIT("{\"a\":1}"), SPAN_LIT("x"), TABLE_ANY, &t, &why), 0);
    assert_true(t.titled);
    assert_int_equal(t.format, TABLE_JSONL);
    table_deinit(&t);
    assert_int_equal(table_read(SPAN_LIT("\"a\""), SPAN_LIT("x"), TABLE_JSONL, &t, &why), 0);
    assert_false(t.titled);
    table_deinit(&t);
}

static void tells_which_line_is_no_json(void **state)
{
    CHECK("{\"a\":1}\n{\"a\":1,}\n", "a.jsonl",
          "a.jsonl:2: not JSON: column 8: string or '}' expected near '}'\n");
    CHECK("{\"a\":1,\"a\":2}\n", "a.jsonl",
          "a.jsonl:1: not JSON: column 10: duplicate object key near '\"a\"'\n");
    CHECK("[\"a\",\"b\"]\n", "a.json",
          "a.json:1: neither an object nor a string: give one word or object a line, not a list\n");
    CHECK("7\n", "a.jsonl", "a.jsonl:1: neither an object nor a string\n");
    CHECK("\"a\"\n{}\n", "a.jsonl", "a.jsonl:2: an object among strings\n");
    CHECK("{}\n\"a\"\n", "a.jsonl", "a.jsonl:2: a string among objects\n");
    CHECK("{\"a\":\"\\u0000\"}\n", "a.jsonl",
          "a.jsonl:1: not JSON: column 13: \\u0000 is not allowed without "
          "JSON_ALLOW_NUL near '\"\\u0000\"'\n");
}

static void reads_every_encoding(void **state)
{
    static const struct {
        struct span bytes;
        enum table_encoding want;
    } cases[] = {
        {SPAN_LIT("词,类\n"), TABLE_UTF8},
        {SPAN_LIT("\xef\xbb\xbf词,类\n"), TABLE_UTF8},
        {SPAN_LIT("\xff\xfe\xcd\x8b,\0{|\n\0"), TABLE_UTF16},
        {SPAN_LIT("\xfe\xff\x8b\xcd\0,|{\0\n"), TABLE_UTF16},
        {SPAN_LIT("\xb4\xca,\xc0\xe0\n"), TABLE_GB18030},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct table t;
        struct buf why = BUF_INIT(256);
        check_table(cases[i].bytes, "a.csv", TABLE_ANY, SPAN_LIT("1: 词|类\n"));
        assert_int_equal(table_read(cases[i].bytes, SPAN_LIT("a.csv"), TABLE_ANY, &t, &why), 0);
        assert_int_equal(t.encoding, cases[i].want);
        table_deinit(&t);
    }
    /* Four bytes: 㐀, and 😀 beyond the first plane. */
    CHECK("\x81\x39\xee\x39\n\x94\x39\xfc\x36\n", "a.txt", "1: 㐀\n2: 😀\n");
    CHECK("\xff\xfe\x3d\xd8\x00\xde", "a.txt", "1: 😀\n");
    assert_string_equal(table_encoding_name(TABLE_GB18030), "GB18030");
}

static void tells_which_line_is_no_text(void **state)
{
    CHECK("一\n二三四五六\n\xff七\n", "a.txt", "a.txt:3: byte 0xff is in no character of UTF-8\n");
    CHECK("\xef\xbb\xbf"
          "a\n\xb4\xca\n",
          "a.txt", "a.txt:2: byte 0xb4 is in no character of UTF-8\n");
    CHECK("\xb4\xca\n\xb4\xca\n\xb4\xff\n", "a.txt",
          "a.txt:3: byte 0xb4 is in no character of UTF-8, nor of GB18030\n");
    CHECK("\xb4\xca\xc0\xe0\xb4", "a.txt",
          "a.txt:1: byte 0xb4 is in no character of UTF-8, nor of GB18030\n");
    CHECK("\xff\xfe\x61\0\n\0\x3d\xd8\x61\0", "a.txt",
          "a.txt:2: byte 0x3d is in no character of UTF-16\n");
    CHECK("\xff\xfe\x61", "a.txt", "a.txt:1: byte 0x61 is in no character of UTF-16\n");
    CHECK("a\nb\0c\n", "a.txt",
          "a.txt:2: a NUL byte: this is no text, or UTF-16 without its byte order mark\n");
}

static void refuses_what_only_looks_like_it(void **state)
{
    CHECK("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 and more", "a.xls",
          "a.xls: an old (.xls) or encrypted workbook: save it as .xlsx without a password, or as "
          "CSV\n");
    CHECK_AS(TABLE_CSV, "PK\3\4 and more", "f: a zip archive or a workbook, not csv\n");
}

static void keeps_its_ceilings(void **state)
{
    struct buf wide = BUF_INIT(1u << 20);
    for (int i = 0; i < TABLE_COLUMNS_MAX; i++)
        buf_append_char(&wide, ',');
    check_table(buf_span(&wide), "a.csv", TABLE_ANY, SPAN_LIT("a.csv:1: more than 256 columns\n"));
    buf_clear(&wide);
    buf_append(&wide, SPAN_LIT("{}\n{"));
    for (int i = 0; i <= TABLE_COLUMNS_MAX; i++)
        buf_printf(&wide, "%s\"k%d\":1", i ? "," : "", i);
    buf_append_char(&wide, '}');
    check_table(buf_span(&wide), "a.jsonl", TABLE_ANY,
                SPAN_LIT("a.jsonl:2: more than 256 different keys\n"));
    buf_deinit(&wide);

    struct buf high = BUF_INIT(4u << 20);
    for (int i = 0; i <= TABLE_ROWS_MAX; i++)
        buf_append_char(&high, '\n');
    check_table(buf_span(&high), "a.txt", TABLE_ANY,
                SPAN_LIT("a.txt:2000001: more than 2000000 rows\n"));
    buf_deinit(&high);

    char *much = calloc(1, TABLE_FILE_MAX + 1);
    assert_non_null(much);
    check_table(span_from(much, TABLE_FILE_MAX + 1), "a.txt", TABLE_ANY,
                SPAN_LIT("a.txt: larger than 64 MiB\n"));
    free(much);
}

static void check_load(struct span path, const char *want)
{
    struct table t;
    struct buf why = BUF_INIT(1024);
    assert_int_equal(table_load(path, TABLE_ANY, &t, &why), -EINVAL);
    if (span_find(buf_span(&why), span_str(want)) == why.len)
        fail_msg("got \"%.*s\", want \"%s\"", SPAN_ARG(buf_span(&why)), want);
    table_deinit(&t);
    buf_deinit(&why);
}

static void loads_regular_files(void **state)
{
    char dir[] = "/tmp/juyong-table-XXXXXX", path[64];
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/a.csv", dir);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs("a,b\n", f);
    fclose(f);
    struct table t;
    struct buf out = BUF_INIT(1024);
    assert_int_equal(table_load(span_str(path), TABLE_ANY, &t, &out), 0);
    show_table(&t, &out);
    assert_span(buf_span(&out), SPAN_LIT("1: a|b\n"));
    buf_clear(&out);
    table_place(&t, &t.rows[0], &out);
    assert_true(span_find(buf_span(&out), SPAN_LIT("/a.csv:1")) < out.len);
    buf_deinit(&out);
    table_deinit(&t);
    unlink(path);

    check_load(span_str(path), "can't be read: No such file");
    check_load(span_str(dir), "can't be read: Is a directory");
    check_load(SPAN_LIT("/tmp/a\0b"), "can't be read: File name too long");
    assert_int_equal(mkfifo(path, 0600), 0);
    check_load(span_str(path), "can't be read: not a regular file");
    unlink(path);
    rmdir(dir);
}

static void names_its_formats(void **state)
{
    for (int i = TABLE_TEXT; i < TABLE_FORMATS; i++)
        assert_int_equal(table_format_from(span_str(table_format_name(i))), i);
    assert_int_equal(table_format_from(SPAN_LIT("xls")), TABLE_ANY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_lines),
        cmocka_unit_test(reads_separated_columns),
        cmocka_unit_test(reads_quoted_cells),
        cmocka_unit_test(tells_where_quoting_is_wrong),
        cmocka_unit_test(reads_json_lines),
        cmocka_unit_test(tells_which_line_is_no_json),
        cmocka_unit_test(reads_every_encoding),
        cmocka_unit_test(tells_which_line_is_no_text),
        cmocka_unit_test(refuses_what_only_looks_like_it),
        cmocka_unit_test(keeps_its_ceilings),
        cmocka_unit_test(loads_regular_files),
        cmocka_unit_test(names_its_formats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
