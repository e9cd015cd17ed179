/* A paper as WordprocessingML (ECMA-376), by the styles of paperparts.c. */
#include "paper/paperblock.h"
#include "paper/paperparts.h"

#include "base/cleanup.h"
#include "sheet/zipwrite.h"

#include <errno.h>
#include <stdio.h>

#define DOCUMENT_MAX (128u << 20)
#define TEXT_WIDTH   9070 /* between the margins, in twentieths of a point */

#define XML  "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n"
#define OOX  "http://schemas.openxmlformats.org/"
#define WORD " xmlns:w=\"" OOX "wordprocessingml/2006/main\""

static void put_run(struct buf *out, const char *properties, struct span text)
{
    markup_printf(out, "<w:r>%s<w:t xml:space=\"preserve\">", properties);
    markup_text(out, text);
    markup_put(out, "</w:t></w:r>");
}

static void put_text(struct buf *out, struct span text)
{
    struct span part;
    while (markup_part(&text, &part)) {
        if (span_eq(part, SPAN_LIT("\n")))
            markup_put(out, "<w:r><w:br/></w:r>");
        else if (span_eq(part, SPAN_LIT(PAPER_PENDING)))
            put_run(out, "<w:rPr><w:highlight w:val=\"yellow\"/></w:rPr>", part);
        else
            put_run(out, "", part);
    }
}

/* `more`: further properties, behind the style. */
static void put_paragraph(struct buf *out, const char *style, const char *more, struct span text)
{
    markup_printf(out, "<w:p><w:pPr><w:pStyle w:val=\"%s\"/>%s</w:pPr>", style, more);
    put_text(out, text);
    markup_put(out, "</w:p>\n");
}

/* --- tables --- */

static void begin_table(struct buf *out, const unsigned *widths, size_t count, bool borders)
{
    static const char *const sides[] = {"top", "left", "bottom", "right", "insideH", "insideV"};
    markup_printf(out,
                  "<w:tbl><w:tblPr><w:tblW w:w=\"%d\" w:type=\"dxa\"/><w:jc w:val=\"center\"/>",
                  TEXT_WIDTH);
    if (borders) {
        markup_put(out, "<w:tblBorders>");
        for (size_t i = 0; i < sizeof(sides) / sizeof(*sides); i++)
            markup_printf(out,
                          "<w:%s w:val=\"single\" w:sz=\"4\" w:space=\"0\" w:color=\"444444\"/>",
                          sides[i]);
        markup_put(out, "</w:tblBorders>");
    }
    markup_put(out, "<w:tblLayout w:type=\"fixed\"/></w:tblPr><w:tblGrid>");
    for (size_t i = 0; i < count; i++)
        markup_printf(out, "<w:gridCol w:w=\"%u\"/>", widths[i]);
    markup_put(out, "</w:tblGrid>\n");
}

/* Word and LibreOffice join two tables that follow each other. */
static void end_table(struct buf *out)
{
    markup_put(out, "</w:tbl>\n<w:p><w:pPr><w:spacing w:line=\"160\" w:lineRule=\"exact\"/></w:pPr>"
                    "</w:p>\n");
}

struct cell {
    unsigned width;
    bool head, right, stay; /* stay: on the page of the next row */
};

static void put_cell(struct buf *out, struct cell c, struct span text)
{
    char more[64];
    snprintf(more, sizeof(more), "%s%s", c.stay ? "<w:keepNext/>" : "",
             c.right ? "<w:jc w:val=\"right\"/>" : "");
    markup_printf(out, "<w:tc><w:tcPr><w:tcW w:w=\"%u\" w:type=\"dxa\"/>%s</w:tcPr>", c.width,
                  c.head ? "<w:shd w:val=\"clear\" w:color=\"auto\" w:fill=\"EEF0F3\"/>" : "");
    put_paragraph(out, c.head ? "CellHead" : "Cell", more, text);
    markup_put(out, "</w:tc>");
}

static const char row_begin[] = "<w:tr><w:trPr><w:cantSplit/></w:trPr>";

static void put_table(struct buf *out, const struct block *b)
{
    unsigned widths[PAPER_COLUMNS_MAX];
    for (size_t i = 0; i < b->column_count; i++)
        widths[i] = TEXT_WIDTH * b->columns[i].weight / block_weights(b);
    begin_table(out, widths, b->column_count, true);
    markup_put(out, "<w:tr><w:trPr><w:cantSplit/><w:tblHeader/></w:trPr>");
    for (size_t i = 0; i < b->column_count; i++)
        put_cell(out, (struct cell){widths[i], true, b->columns[i].number, true},
                 span_str(b->columns[i].title));
    markup_put(out, "</w:tr>\n");
    size_t column = 0;
    for (const struct block_cell *c = b->cells; c || column; c = c ? c->next : NULL) {
        if (column == 0)
            markup_put(out, row_begin);
        put_cell(out, (struct cell){widths[column], false, b->columns[column].number, false},
                 c ? c->text : SPAN_LIT(""));
        column = (column + 1) % b->column_count;
        if (column == 0)
            markup_put(out, "</w:tr>\n");
    }
    end_table(out);
}

/* `whole`: the table is kept on one page. */
static void put_pair(struct buf *out, const struct block *before, const struct block *b, bool whole)
{
    bool stays = whole && !block_ends(b);
    static const unsigned widths[2] = {2360, TEXT_WIDTH - 2360};
    if (block_begins(before, b))
        begin_table(out, widths, 2, true);
    markup_put(out, row_begin);
    put_cell(out, (struct cell){widths[0], true, false, stays}, b->key);
    put_cell(out, (struct cell){widths[1], false, false, stays}, b->text);
    markup_put(out, "</w:tr>\n");
    if (block_ends(b))
        end_table(out);
}

/* --- the diagram: a table whose nodes have frames and whose arrows have none --- */

#define FRAME(side, colour, kind)                                                                  \
    "<w:" side " w:val=\"" kind "\" w:sz=\"6\" w:space=\"0\" w:color=\"" colour "\"/>"
#define FRAMES(colour, kind)                                                                       \
    "<w:tcBorders>" FRAME("top", colour, kind) FRAME("left", colour, kind)                         \
        FRAME("bottom", colour, kind) FRAME("right", colour, kind) "</w:tcBorders>"

static const unsigned node_widths[3] = {5570, 500, 3000};

static void begin_cell(struct buf *out, unsigned width, const char *frame, const char *fill)
{
    markup_printf(out, "<w:tc><w:tcPr><w:tcW w:w=\"%u\" w:type=\"dxa\"/>%s", width, frame);
    if (*fill)
        markup_printf(out, "<w:shd w:val=\"clear\" w:color=\"auto\" w:fill=\"%s\"/>", fill);
    markup_put(out, "<w:vAlign w:val=\"center\"/></w:tcPr>");
}

static void put_node(struct buf *out, const struct block *before, const struct block *b)
{
    if (block_begins(before, b))
        begin_table(out, node_widths, 3, false);
    markup_put(out, row_begin);
    begin_cell(out, node_widths[0], FRAMES("334455", "single"), "F4F6FA");
    put_paragraph(out, "CellHead", "<w:keepNext/>", b->key);
    put_paragraph(out, "Cell", "<w:keepNext/>", b->text);
    markup_put(out, "</w:tc>");
    begin_cell(out, node_widths[1], "", "");
    put_paragraph(out, "Arrow", "", b->aside.len ? SPAN_LIT("→") : SPAN_LIT(""));
    markup_put(out, "</w:tc>");
    begin_cell(out, node_widths[2], b->aside.len ? FRAMES("AA3333", "dashed") : "",
               b->aside.len ? "FFF5F3" : "");
    put_paragraph(out, "Cell", "", b->aside);
    markup_put(out, "</w:tc></w:tr>\n");
    if (block_ends(b)) {
        end_table(out);
        return;
    }
    markup_put(out, row_begin);
    for (size_t i = 0; i < 3; i++) {
        begin_cell(out, node_widths[i], "", "");
        put_paragraph(out, "Arrow", "", i ? SPAN_LIT("") : SPAN_LIT("↓"));
        markup_put(out, "</w:tc>");
    }
    markup_put(out, "</w:tr>\n");
}

/* --- blocks --- */

static void put_heading(struct buf *out, const struct block *b)
{
    char style[] = "Heading1";
    style[7] = (char)('0' + b->level);
    put_paragraph(out, style, "", b->text);
}

static void put_sign(struct buf *out, const struct block *b)
{
    static const char line[] = "<w:r><w:rPr><w:u w:val=\"single\"/></w:rPr><w:t "
                               "xml:space=\"preserve\">　　　　　　　　　　</w:t></w:r>";
    markup_put(out, "<w:p><w:pPr><w:pStyle w:val=\"Sign\"/></w:pPr>");
    put_text(out, b->key);
    put_text(out, SPAN_LIT("："));
    markup_put(out, line);
    put_text(out, SPAN_LIT("　日期："));
    markup_put(out, line);
    markup_put(out, "</w:p>\n");
}

/* What leads up to a table stays on its page. */
static const char *stay(const struct block *b)
{
    bool leads = b->next && (b->next->kind == BLOCK_TABLE || b->next->kind == BLOCK_PAIR ||
                             b->next->kind == BLOCK_NODE);
    return leads ? "<w:keepNext/>" : "";
}

/* *whole: of the pairs that are being written. */
static void put_block(struct buf *out, const struct block *before, const struct block *b,
                      bool *whole)
{
    if (b->kind == BLOCK_PAIR && block_begins(before, b))
        *whole = block_is_short(b);
    switch (b->kind) {
    case BLOCK_STAMP:
        put_paragraph(out, "Stamp", block_ends(b) ? "<w:spacing w:after=\"240\"/>" : "", b->text);
        break;
    case BLOCK_HEADING:
        put_heading(out, b);
        break;
    case BLOCK_TEXT:
        put_paragraph(out, "BodyText", stay(b), b->text);
        break;
    case BLOCK_ITEM:
        put_paragraph(out, "ListBullet", "", b->text);
        break;
    case BLOCK_NOTE:
        put_paragraph(out, "Note", "", b->text);
        break;
    case BLOCK_PAIR:
        put_pair(out, before, b, *whole);
        break;
    case BLOCK_SIGN:
        put_sign(out, b);
        break;
    case BLOCK_BREAK:
        markup_put(out, "<w:p><w:r><w:br w:type=\"page\"/></w:r></w:p>\n");
        break;
    case BLOCK_TABLE:
        put_table(out, b);
        break;
    case BLOCK_NODE:
        put_node(out, before, b);
        break;
    }
}

static int write_document(const struct paper *p, struct buf *out)
{
    markup_put(out, XML "<w:document" WORD " xmlns:r=\"" OOX
                        "officeDocument/2006/relationships\"><w:body>\n");
    put_paragraph(out, "Title", "", p->title);
    const struct block *before = NULL;
    bool whole = false;
    for (const struct block *b = p->blocks; b; before = b, b = b->next)
        put_block(out, before, b, &whole);
    /* A4, 25 mm at the sides. */
    return buf_append(
        out, SPAN_LIT("<w:sectPr><w:headerReference w:type=\"default\" r:id=\"rId4\"/>"
                      "<w:footerReference w:type=\"default\" r:id=\"rId5\"/><w:pgSz w:w=\"11906\" "
                      "w:h=\"16838\"/><w:pgMar w:top=\"1440\" w:right=\"1418\" w:bottom=\"1304\" "
                      "w:left=\"1418\" w:header=\"720\" w:footer=\"680\" w:gutter=\"0\"/>"
                      "</w:sectPr></w:body></w:document>\n"));
}

static int write_header(const struct paper *p, struct buf *out)
{
    markup_put(out, XML "<w:hdr" WORD ">");
    put_paragraph(out, "Header", "", p->title);
    return buf_append(out, SPAN_LIT("</w:hdr>\n"));
}

/* Without a time: what did not change gives the same bytes. */
static int write_properties(const struct paper *p, struct buf *out)
{
    markup_put(out,
               XML "<cp:coreProperties xmlns:cp=\"" OOX "package/2006/metadata/core-properties\" "
                   "xmlns:dc=\"http://purl.org/dc/elements/1.1/\"><dc:title>");
    markup_text(out, p->title);
    return buf_append(out, SPAN_LIT("</dc:title><dc:language>zh-CN</dc:language>"
                                    "</cp:coreProperties>\n"));
}

static const struct {
    const char *name;
    int (*write)(const struct paper *p, struct buf *out);
} own_parts[] = {
    {"word/document.xml", write_document},
    {"word/header1.xml", write_header},
    {"docProps/core.xml", write_properties},
};

static int add_own(const struct paper *p, struct zipwrite *w)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < sizeof(own_parts) / sizeof(*own_parts); i++) {
        struct buf part = BUF_INIT(DOCUMENT_MAX);
        r = own_parts[i].write(p, &part);
        if (r == 0)
            r = zipwrite_add(w, span_str(own_parts[i].name), buf_span(&part));
        buf_deinit(&part);
    }
    return r;
}

int paper_docx(const struct paper *p, struct span path, struct buf *ret_error)
{
    cleanup(cleanup_zipwrite) struct zipwrite *w = NULL;
    int r = p->error ? p->error : zipwrite_new(path, &w);
    if (r < 0) {
        buf_printf(ret_error, "%.*s: %s", SPAN_ARG(path), strerror(-r));
        return r;
    }
    for (const struct paper_part *part = paper_parts; part->name; part++)
        zipwrite_add(w, span_str(part->name), span_str(part->content));
    r = add_own(p, w);
    if (r == 0)
        return zipwrite_finish(w, ret_error);
    buf_printf(ret_error, "%.*s: %s", SPAN_ARG(path), strerror(-r));
    return r;
}
