/* Workbooks of other programs, put together here part by part, and those of our own writer. */
#include "tables.h"

#include "sheet/writer.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SPREADSHEET "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
#define RELATIONS   "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
#define WORKBOOK(sheets)                                                                           \
    "<workbook xmlns=\"" SPREADSHEET "\" xmlns:r=\"" RELATIONS "\"><sheets>" sheets                \
    "</sheets></workbook>"
#define ONE_SHEET WORKBOOK("<sheet name=\"词\" sheetId=\"1\" r:id=\"rId1\"/>")
#define RELS(more)                                                                                 \
    "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">"       \
    "<Relationship Id=\"rId1\" Type=\"" RELATIONS                                                  \
    "/worksheet\" Target=\"worksheets/a.xml\"/>" more "</Relationships>"
#define STRINGS_REL                                                                                \
    "<Relationship Id=\"rId9\" Type=\"" RELATIONS "/sharedStrings\" Target=\"/xl/s.xml\"/>"
#define SHEET(rows)                                                                                \
    "<worksheet xmlns=\"" SPREADSHEET "\"><sheetData>" rows "</sheetData></worksheet>"

struct member {
    const char *name, *text;
};

/* At most 64 KiB, packed. */
static struct buf zip(const struct member *members, size_t count)
{
    struct buf b = BUF_INIT(1u << 16);
    assert_int_equal(buf_reserve(&b, 1u << 16), 0);
    struct archive *a = archive_write_new();
    assert_int_equal(archive_write_set_format_zip(a), ARCHIVE_OK);
    assert_int_equal(archive_write_open_memory(a, b.data, b.cap, &b.len), ARCHIVE_OK);
    for (size_t i = 0; i < count; i++) {
        struct archive_entry *e = archive_entry_new();
        size_t len = strlen(members[i].text);
        archive_entry_set_pathname(e, members[i].name);
        archive_entry_set_size(e, (la_int64_t)len);
        archive_entry_set_filetype(e, AE_IFREG);
        archive_entry_set_perm(e, 0644);
        assert_int_equal(archive_write_header(a, e), ARCHIVE_OK);
        assert_int_equal(archive_write_data(a, members[i].text, len), len);
        archive_entry_free(e);
    }
    assert_int_equal(archive_write_close(a), ARCHIVE_OK);
    archive_write_free(a);
    return b;
}

static void check_parts(const struct member *members, size_t count, struct span want)
{
    struct buf b = zip(members, count);
    check_table(buf_span(&b), "b.xlsx", TABLE_ANY, want);
    buf_deinit(&b);
}

/* A workbook of one sheet, with or without shared strings. */
static void check_sheet(const char *sheet, const char *strings, struct span want)
{
    const struct member members[] = {
        {"xl/worksheets/a.xml", sheet},
        {"xl/workbook.xml", ONE_SHEET},
        {"xl/_rels/workbook.xml.rels", strings ? RELS(STRINGS_REL) : RELS("")},
        {"xl/s.xml", strings ? strings : ""},
    };
    check_parts(members, strings ? 4 : 3, want);
}
#define CHECK_ROWS(rows, want) check_sheet(SHEET(rows), NULL, SPAN_LIT(want))

static void reads_every_kind_of_cell(void **state)
{
    CHECK_ROWS(
        "<row r=\"2\"><c r=\"A2\" t=\"inlineStr\"><is><t>一</t></is></c>"
        "<c r=\"C2\"><v>12</v></c></row>"
        "<row><c t=\"str\"><f>A1&amp;\"x\"</f><v>结果</v></c><c t=\"b\"><v>1</v></c>"
        "<c t=\"b\"><v>0</v></c><c t=\"d\"><v>2026-01-02</v></c></row>"
        "<row r=\"7\"/><row r=\"9\"><c r=\"A9\" s=\"1\"/><c r=\"B9\" t=\"n\"><v>0.5</v></c></row>",
        "[词]\n2: 一||12\n3: 结果|TRUE|FALSE|2026-01-02\n9: |0.5\n");
    CHECK_ROWS("<row><c><v>1.3800138E+10</v></c><c><v>-0</v></c><c><v>1E+300</v></c></row>",
               "[词]\n1: 13800138000|0|1E+300\n");
    check_sheet(
        SHEET("<row><c t=\"s\"><v>1</v></c><c t=\"s\"><v>0</v></c><c t=\"s\"><v>2</v></c></row>"),
        "<sst xmlns=\"" SPREADSHEET "\"><si><t xml:space=\"preserve\"> 零 </t></si>"
        "<si><r><rPr><b/></rPr><t>一</t></r><r><t>二</t></r><rPh><t>yi er</t></rPh></si>"
        "<si><t>a_x000A_b_x005F_x0041_</t></si></sst>",
        SPAN_LIT("[词]\n1: 一二| 零 |a\nb_x0041_\n"));
}

static void gives_each_row_the_value_of_merged_cells(void **state)
{
    check_sheet("<worksheet xmlns=\"" SPREADSHEET "\"><sheetData>"
                "<row><c t=\"str\"><v>a</v></c><c t=\"str\"><v>类</v></c></row>"
                "<row><c t=\"str\"><v>b</v></c></row><row><c t=\"str\"><v>c</v></c></row>"
                "<row><c t=\"str\"><v>d</v></c><c t=\"str\"><v>别</v></c></row></sheetData>"
                "<mergeCells><mergeCell ref=\"B1:B3\"/><mergeCell ref=\"E5:E9\"/></mergeCells>"
                "</worksheet>",
                NULL, SPAN_LIT("[词]\n1: a|类\n2: b|类\n3: c|类\n4: d|别\n"));
}

static void reads_all_sheets_with_cells(void **state)
{
    const struct member members[] = {
        {"[Content_Types].xml", "<Types/>"},
        {"XL/Workbook.xml",
         WORKBOOK("<sheet name=\"甲\" r:id=\"rId2\"/><sheet name=\"图\" r:id=\"rId3\"/>"
                  "<sheet name=\"空\" r:id=\"rId4\"/><sheet name=\"乙\" r:id=\"rId1\"/>")},
        {"xl/_rels/workbook.xml.rels", RELS("<Relationship Id=\"rId2\" Type=\"" RELATIONS
                                            "/worksheet\" Target=\"worksheets/b.xml\"/>"
                                            "<Relationship Id=\"rId3\" Type=\"" RELATIONS
                                            "/chartsheet\" Target=\"chartsheets/c.xml\"/>"
                                            "<Relationship Id=\"rId4\" Type=\"" RELATIONS
                                            "/worksheet\" Target=\"worksheets/d.xml\"/>")},
        {"xl/worksheets/a.xml", SHEET("<row><c><v>2</v></c></row>")},
        {"xl/worksheets/b.xml", SHEET("<row><c><v>1</v></c></row>")},
        {"xl/worksheets/d.xml", SHEET("")},
    };
    check_parts(members, 6, SPAN_LIT("[甲]\n1: 1\n[乙]\n1: 2\n"));
}

static void tells_what_is_wrong_with_a_sheet(void **state)
{
#define WRONG(rows, message) CHECK_ROWS(rows, "b.xlsx: sheet 词, row " message "\n")
    WRONG("<row r=\"5\"/><row r=\"5\"/>", "5: rows that are out of order, or too many");
    WRONG("<row r=\"1048577\"/>", "0: rows that are out of order, or too many");
    WRONG("<row r=\"x\"/>", "0: a row whose number is none");
    WRONG("<row><row/></row>", "1: a row within a row");
    WRONG("<c><v>1</v></c>", "0: a cell outside a row");
    WRONG("<row><c><c/></c></row>", "1: a cell outside a row");
    WRONG("<row><c r=\"B1\"/><c r=\"B1\"/></row>", "1: a cell that is out of order");
    WRONG("<row><c r=\"A2\"/></row>", "1: a cell that is out of order");
    WRONG("<row><c r=\"XFE1\"/></row>", "1: a cell that is out of order");
    WRONG("<row><c t=\"q\"/></row>", "1: a cell of an unknown type");
    WRONG("<row><c t=\"s\"><v>0</v></c></row>", "1: a cell whose shared string is not there");
    WRONG("<row><c t=\"e\"><v>#N/A</v></c></row>",
          "1: a cell shows an error such as #N/A instead of a value");
    WRONG("<row><c r=\"IW1\"><v>1</v></c></row>", "1: too many columns");
    CHECK_ROWS("<row><c r=\"IW1\"/><c r=\"IX1\" s=\"2\"/></row>", ""); /* styled only */
    WRONG("<mergeCell ref=\"A2:A1\"/>", "0: merged cells whose place is none");
    WRONG("<mergeCell/>", "0: merged cells whose place is none");
    WRONG("<mergeCell ref=\"A1:A5\"/><mergeCell ref=\"A3:A4\"/>", "0: merged cells that overlap");
}

static void tells_what_is_wrong_with_the_xml(void **state)
{
    CHECK_ROWS("<row>", "b.xlsx: xl/worksheets/a.xml: line 1: mismatched tag\n");
    check_sheet("<!DOCTYPE a [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><a>&e;</a>", NULL,
                SPAN_LIT("b.xlsx: xl/worksheets/a.xml: line 1: it has a document type "
                         "declaration\n"));
    check_sheet("<a>&e;</a>", NULL,
                SPAN_LIT("b.xlsx: xl/worksheets/a.xml: line 1: undefined entity\n"));
    check_sheet("", NULL, SPAN_LIT("b.xlsx: xl/worksheets/a.xml: line 1: no element found\n"));
    struct buf deep = BUF_INIT(1024);
    for (int i = 0; i < 65; i++)
        buf_append(&deep, SPAN_LIT("<a>"));
    check_sheet(buf_cstr(&deep), NULL,
                SPAN_LIT("b.xlsx: xl/worksheets/a.xml: line 1: elements are nested too deep\n"));
    buf_deinit(&deep);
}

static void tells_what_is_missing_from_a_workbook(void **state)
{
    const struct member other[] = {{"mimetype", "x"}};
    check_parts(other, 1, SPAN_LIT("b.xlsx: an archive without xl/workbook.xml is no workbook\n"));
    const struct member alone[] = {{"xl/workbook.xml", ONE_SHEET}};
    check_parts(alone, 1, SPAN_LIT("b.xlsx: a workbook that does not say where its sheets are\n"));
    const struct member no_sheet[] = {{"xl/workbook.xml", ONE_SHEET},
                                      {"xl/_rels/workbook.xml.rels", RELS("")}};
    check_parts(no_sheet, 2,
                SPAN_LIT("b.xlsx: sheet 词: xl/worksheets/a.xml is not in the archive\n"));
    const struct member no_strings[] = {{"xl/workbook.xml", ONE_SHEET},
                                        {"xl/_rels/workbook.xml.rels", RELS(STRINGS_REL)}};
    check_parts(no_strings, 2, SPAN_LIT("b.xlsx: xl/s.xml is not in the archive\n"));
    const struct member no_sheets[] = {{"xl/workbook.xml", WORKBOOK("")},
                                       {"xl/_rels/workbook.xml.rels", RELS("")}};
    check_parts(no_sheets, 2, SPAN_LIT("b.xlsx: a workbook without a sheet of cells\n"));
    const struct member unnamed[] = {{"xl/workbook.xml", WORKBOOK("<sheet r:id=\"a\"/>")}};
    check_parts(unnamed, 1, SPAN_LIT("b.xlsx: a sheet without a name or a place\n"));
    const struct member twice[] = {{"xl/workbook.xml", ONE_SHEET},
                                   {"xl/workbook.xml", WORKBOOK("")}};
    check_parts(twice, 2,
                SPAN_LIT("b.xlsx: xl/workbook.xml: two members are called xl/workbook.xml\n"));
}

static void survives_damage(void **state)
{
    const struct member members[] = {{"xl/workbook.xml", ONE_SHEET},
                                     {"xl/_rels/workbook.xml.rels", RELS("")},
                                     {"xl/worksheets/a.xml", SHEET("<row><c><v>1</v></c></row>")}};
    struct buf b = zip(members, 3);
    size_t refused = 0;
    for (size_t n = 0; n < b.len; n++) {
        /* The end is missing; a bit is wrong. */
        for (int k = 0; k < 2; k++) {
            struct table t;
            struct buf why = BUF_INIT(4096);
            b.data[n] ^= (char)(k << n % 8);
            int e = table_read(span_slice(buf_span(&b), 0, k ? b.len : n), SPAN_LIT("b.xlsx"),
                               TABLE_XLSX, &t, &why);
            b.data[n] ^= (char)(k << n % 8);
            assert_true(e == 0 || (e == -EINVAL && why.len));
            refused += e < 0;
            buf_deinit(&why);
            table_deinit(&t);
        }
    }
    assert_true(refused > b.len);
    buf_deinit(&b);
}

/* 270 MiB of blanks pack to some two. */
static void refuses_what_unpacks_to_too_much(void **state)
{
    size_t len = 270u << 20;
    char *text = malloc(len + 1);
    assert_non_null(text);
    memset(text, ' ', len);
    text[len] = '\0';
    memcpy(text, "<a>", 3);
    struct buf b = BUF_INIT(4u << 20);
    assert_int_equal(buf_reserve(&b, 4u << 20), 0);
    struct archive *a = archive_write_new();
    archive_write_set_format_zip(a);
    archive_write_set_options(a, "zip:compression-level=1");
    assert_int_equal(archive_write_open_memory(a, b.data, b.cap, &b.len), ARCHIVE_OK);
    struct archive_entry *e = archive_entry_new();
    archive_entry_set_pathname(e, "xl/workbook.xml");
    archive_entry_set_size(e, (la_int64_t)len);
    archive_entry_set_filetype(e, AE_IFREG);
    assert_int_equal(archive_write_header(a, e), ARCHIVE_OK);
    archive_entry_free(e);
    archive_write_data(a, text, len);
    free(text);
    int closed = archive_write_close(a);
    archive_write_free(a);
    if (closed != ARCHIVE_OK || b.len == 0) {
        buf_deinit(&b);
        fail_msg("the archive did not fit");
    }
    check_table(buf_span(&b), "b.xlsx", TABLE_ANY,
                SPAN_LIT("b.xlsx: xl/workbook.xml: unpacks to too much\n"));
    buf_deinit(&b);
}

static void reads_back_what_the_writer_wrote(void **state)
{
    char path[] = "/tmp/juyong-book-XXXXXX.xlsx";
    int fd = mkstemps(path, 5);
    assert_true(fd >= 0);
    close(fd);
    static const struct sheet_column columns[] = {{SPAN_LIT("词"), 20}, {SPAN_LIT("数"), 0}};
    struct sheet_writer *w = NULL;
    assert_int_equal(sheet_writer_new(span_str(path), 0, &w), 0);
    static const struct span texts[] = {
        SPAN_LIT("=1+1"),    SPAN_LIT(" <&>\"' "),    SPAN_LIT("a\tb\nc"),
        SPAN_LIT("_x0041_"), SPAN_LIT("\x01\x1f"),    SPAN_LIT("😀 _x005F_"),
        SPAN_LIT("007"),     SPAN_LIT("https://a/b"), SPAN_LIT(""),
    };
    enum { TEXTS = sizeof(texts) / sizeof(*texts) };
    for (int sheet = 0; sheet < 2; sheet++) {
        assert_int_equal(sheet_writer_add(w, sheet ? SPAN_LIT("乙") : SPAN_LIT("甲"), columns, 2),
                         0);
        for (size_t i = 0; i < TEXTS; i++) {
            struct sheet_cell cells[] = {SHEET_TEXT(texts[i]), SHEET_NUMBER(i * 1000000)};
            assert_int_equal(sheet_writer_row(w, cells, 2), 0);
        }
    }
    assert_int_equal(sheet_writer_finish(w, NULL), 0);
    sheet_writer_free(w);

    struct table t;
    struct buf why = BUF_INIT(1024);
    int e = table_load(span_str(path), TABLE_ANY, &t, &why);
    unlink(path);
    assert_span(buf_span(&why), SPAN_LIT(""));
    assert_int_equal(e, 0);
    assert_int_equal(t.count, 2 * (TEXTS + 1));
    assert_span(t.sheets[1], SPAN_LIT("乙"));
    for (size_t i = 0; i < t.count; i++) {
        const struct table_row *r = &t.rows[i];
        size_t at = i % (TEXTS + 1);
        char number[32];
        snprintf(number, sizeof(number), "%zu", (at - 1) * 1000000);
        assert_int_equal(r->sheet, i / (TEXTS + 1));
        assert_int_equal(r->line, at + 1);
        assert_int_equal(r->count, 2);
        assert_span(r->cells[0], at ? texts[at - 1] : SPAN_LIT("词"));
        assert_span(r->cells[1], at ? span_str(number) : SPAN_LIT("数"));
    }
    table_place(&t, &t.rows[TEXTS + 1], &why);
    assert_true(span_find(buf_span(&why), SPAN_LIT(".xlsx: sheet 乙, row 1")) < why.len);
    buf_deinit(&why);
    table_deinit(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_kind_of_cell),
        cmocka_unit_test(gives_each_row_the_value_of_merged_cells),
        cmocka_unit_test(reads_all_sheets_with_cells),
        cmocka_unit_test(tells_what_is_wrong_with_a_sheet),
        cmocka_unit_test(tells_what_is_wrong_with_the_xml),
        cmocka_unit_test(tells_what_is_missing_from_a_workbook),
        cmocka_unit_test(survives_damage),
        cmocka_unit_test(refuses_what_unpacks_to_too_much),
        cmocka_unit_test(reads_back_what_the_writer_wrote),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
