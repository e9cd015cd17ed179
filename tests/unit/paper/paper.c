/* A paper in both forms: all that it holds is data, and the archive is one that readers take. */
#include "../unit.h"

#include "paper/paper.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <expat.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define HOSTILE "<script>alert(\"1\")&'</script>]]>\x01\xff"

static struct paper *make(void)
{
    static const struct paper_column columns[] = {{"条款", 1, false}, {"数量", 2, true}};
    struct paper *p = NULL;
    assert_int_equal(paper_new(SPAN_LIT("报告 " HOSTILE), &p), 0);
    paper_stamp(p, "草稿 %d", 7);
    paper_heading(p, 1, "一、%s", HOSTILE);
    paper_heading(p, 2, "（一）");
    paper_text(p, "第一行\n第二行：%s", PAPER_PENDING);
    paper_item(p, "甲");
    paper_item(p, "乙");
    paper_note(p, "注");
    paper_pair(p, "名称", "%s", HOSTILE);
    paper_pair(p, "编号", "%s", "");
    paper_table(p, columns, 2);
    paper_cell(p, "%s", HOSTILE);
    paper_cell(p, "12");
    paper_cell(p, "unfinished row");
    paper_node(p, "输入检查", SPAN_LIT("字" HOSTILE), SPAN_LIT("拦截"));
    paper_node(p, "模型", SPAN_LIT(""), SPAN_LIT(""));
    paper_sign(p, "签字");
    paper_break(p);
    return p;
}

static unsigned count(struct span text, const char *what)
{
    unsigned n = 0;
    for (size_t at; (at = span_find(text, span_str(what))) < text.len; n++)
        text = span_slice(text, at + 1, text.len);
    return n;
}

static void html_escapes_all(void **state)
{
    struct paper *p = make();
    struct buf out = BUF_INIT(1u << 20);
    assert_int_equal(paper_html(p, &out), 0);
    struct span html = buf_span(&out);
    assert_int_equal(count(html, "<script"), 0);
    assert_int_equal(count(html, "\x01"), 0);
    assert_int_equal(count(html, "\xff"), 0);
    /* title, heading 1, heading, pair, cell; the node's text is broken over lines */
    assert_int_equal(count(html, "&lt;script&gt;alert(&quot;1&quot;)&amp;&#39;&lt;/script&gt;]]&gt;"
                                 "\xef\xbf\xbd\xef\xbf\xbd"),
                     6);
    assert_int_equal(count(html, "第一行<br>第二行：<mark>待补充</mark>"), 1);
    assert_int_equal(count(html, "<ul>"), 1);
    assert_int_equal(count(html, "<li>"), 2);
    assert_int_equal(count(html, "<td class=\"n\">12</td></tr>"), 1);
    assert_int_equal(count(html, "<td>unfinished row</td><td></td></tr>"), 1);
    assert_int_equal(count(html, "<svg"), 1);
    assert_int_equal(count(html, "<rect"), 3);
    assert_int_equal(count(html, "<h3>（一）</h3>"), 1);
    assert_int_equal(count(html, "src="), 0);
    buf_deinit(&out);
    struct buf small = BUF_INIT(200);
    assert_int_equal(paper_html(p, &small), -EMSGSIZE);
    buf_deinit(&small);
    paper_free(p);
}

/* What a document says, as a reader of XML sees it. */
struct seen {
    struct buf text;
    unsigned rows, headers, cells, outline, highlights;
};

static void on_start(void *ctx, const XML_Char *name, const XML_Char **attributes)
{
    struct seen *s = ctx;
    s->rows += strcmp(name, "w:tr") == 0;
    s->cells += strcmp(name, "w:tc") == 0;
    s->headers += strcmp(name, "w:tblHeader") == 0;
    s->highlights += strcmp(name, "w:highlight") == 0;
    s->outline += strcmp(name, "w:outlineLvl") == 0;
}

static void on_text(void *ctx, const XML_Char *text, int len)
{
    struct seen *s = ctx;
    assert_int_equal(buf_append(&s->text, span_from(text, (size_t)len)), 0);
}

static void parse(struct span xml, struct seen *s)
{
    XML_Parser parser = XML_ParserCreate(NULL);
    XML_SetUserData(parser, s);
    XML_SetStartElementHandler(parser, on_start);
    XML_SetCharacterDataHandler(parser, on_text);
    if (XML_Parse(parser, xml.data, (int)xml.len, 1) != XML_STATUS_OK)
        fail_msg("%s in %.*s", XML_ErrorString(XML_GetErrorCode(parser)), SPAN_ARG(xml));
    XML_ParserFree(parser);
}

static void docx_is_well_formed(void **state)
{
    static const char *const names[] = {
        "[Content_Types].xml", "_rels/.rels",       "word/_rels/document.xml.rels",
        "word/styles.xml",     "word/settings.xml", "word/numbering.xml",
        "word/footer1.xml",    "word/document.xml", "word/header1.xml",
        "docProps/core.xml",
    };
    char path[] = "/tmp/juyong-paper-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    struct paper *p = make();
    struct buf why = BUF_INIT(1024);
    assert_int_equal(paper_docx(p, span_str(path), &why), 0);
    assert_int_equal(paper_docx(p, SPAN_LIT("/nonexistent/a.docx"), &why), -ENOENT);
    assert_span(buf_span(&why), SPAN_LIT("/nonexistent/a.docx: No such file or directory"));
    buf_deinit(&why);
    paper_free(p);

    struct archive *a = archive_read_new();
    archive_read_support_format_zip_seekable(a);
    assert_int_equal(archive_read_open_filename(a, path, 10240), ARCHIVE_OK);
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        struct archive_entry *e;
        char part[65536];
        struct seen s = {.text = BUF_INIT(65536)};
        assert_int_equal(archive_read_next_header(a, &e), ARCHIVE_OK);
        assert_string_equal(archive_entry_pathname(e), names[i]);
        la_ssize_t n = archive_read_data(a, part, sizeof(part));
        assert_true(n > 0 && n < (la_ssize_t)sizeof(part));
        parse(span_from(part, (size_t)n), &s);
        if (i == 3)
            assert_int_equal(s.outline, 3);
        if (i == 7) {
            assert_int_equal(s.rows, 2 + 3 + 3); /* pairs, table, nodes with their arrow */
            assert_int_equal(s.cells, 4 + 6 + 9);
            assert_int_equal(s.headers, 1);
            assert_int_equal(s.highlights, 1);
            assert_int_equal(count(buf_span(&s.text), "<script>alert(\"1\")&'</script>]]>"), 5);
            assert_int_equal(count(buf_span(&s.text), "签字："), 1);
        }
        buf_deinit(&s.text);
    }
    archive_read_free(a);
    unlink(path);
}

static void a_cell_without_a_table_is_an_error(void **state)
{
    struct paper *p = NULL;
    struct buf out = BUF_INIT(1u << 20);
    assert_int_equal(paper_new(SPAN_LIT("t"), &p), 0);
    paper_text(p, "x");
    paper_cell(p, "y");
    paper_text(p, "z");
    assert_int_equal(paper_html(p, &out), -EINVAL);
    assert_int_equal(out.len, 0);
    buf_deinit(&out);
    paper_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(html_escapes_all),
        cmocka_unit_test(docx_is_well_formed),
        cmocka_unit_test(a_cell_without_a_table_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
