/* A paper as HTML: one page that prints well on A4, with a diagram as SVG. */
#include "paper/paperblock.h"

#include "base/utf8.h"

#include <errno.h>

/* Songti for texts and Heiti for headings, as official papers are set, by the names that systems
 * know. */
static const char style[] =
    "@page{size:A4;margin:24mm 24mm 22mm;@bottom-center{content:\"第 \" counter(page) \" 页 / 共 "
    "\" "
    "counter(pages) \" 页\";font-size:9pt;color:#555}}\n"
    "*{box-sizing:border-box;-webkit-print-color-adjust:exact;print-color-adjust:exact}\n"
    "body{font:12pt/1.75 \"SimSun\",\"宋体\",\"Songti SC\",\"Noto Serif CJK SC\",\"Source Han "
    "Serif "
    "SC\",serif;color:#111;background:#fff;max-width:182mm;margin:0 auto;padding:12mm 10mm}\n"
    "h1,h2,h3,h4,th,.stamp,.node{font-family:\"SimHei\",\"黑体\",\"Heiti SC\",\"Noto Sans CJK "
    "SC\",\"Source Han Sans SC\",sans-serif}\n"
    "h1{font-size:22pt;line-height:1.4;text-align:center;margin:6mm 0 4mm}\n"
    "h2{font-size:16pt;margin:9mm 0 3mm}h3{font-size:14pt;margin:6mm 0 "
    "2mm}h4{font-size:12pt;margin:4mm 0 1mm}\n"
    "h2,h3,h4{break-after:avoid;line-height:1.4}\n"
    "p{margin:0 0 2mm;text-indent:2em;text-align:justify;overflow-wrap:anywhere}\n"
    ".stamp{text-indent:0;text-align:center;font-size:10.5pt;color:#444;margin:0 0 1mm}\n"
    ".stamp:first-of-type{color:#a00}\n"
    "ul{margin:0 0 2mm;padding-left:2.2em}li{margin:0 0 1mm;overflow-wrap:anywhere}\n"
    "aside{border:1px solid #b98;background:#fdf6ee;font-size:10.5pt;line-height:1.6;padding:2mm "
    "3mm;margin:3mm 0;break-inside:avoid;overflow-wrap:anywhere}\n"
    "table{border-collapse:collapse;width:calc(100% - "
    "1px);table-layout:fixed;font-size:10.5pt;line-height:1.5;"
    "margin:2mm 0 4mm}\n"
    "th,td{border:1px solid #444;padding:1.2mm "
    "2mm;vertical-align:top;text-align:left;overflow-wrap:"
    "anywhere}\n"
    "th{background:#eef0f3;font-weight:600}thead{display:table-header-group}tr{break-inside:avoid}"
    "\n"
    "td.n,th.n{text-align:right}\n"
    ".short{break-inside:avoid}mark{background:#ffe58a;color:inherit;white-space:nowrap}\n"
    ".sign{text-indent:0;margin:8mm 0 0}.sign span{display:inline-block;border-bottom:1px solid "
    "#444;min-width:38mm}\n"
    ".break{break-before:page}\n"
    "svg{display:block;width:100%;height:auto;max-height:235mm;margin:3mm "
    "auto;break-inside:avoid}\n"
    "@media print{body{max-width:none;padding:0}}\n";

static void put_text(struct buf *out, struct span text)
{
    struct span part;
    while (markup_part(&text, &part)) {
        if (span_eq(part, SPAN_LIT("\n"))) {
            markup_put(out, "<br>");
        } else if (span_eq(part, SPAN_LIT(PAPER_PENDING))) {
            markup_put(out, "<mark>" PAPER_PENDING "</mark>");
        } else {
            markup_text(out, part);
        }
    }
}

static void put_element(struct buf *out, const char *begin, struct span text, const char *end)
{
    markup_put(out, begin);
    put_text(out, text);
    markup_put(out, end);
}

static void put_table(struct buf *out, const struct block *b)
{
    markup_put(out, "<table><colgroup>");
    for (size_t i = 0; i < b->column_count; i++)
        markup_printf(out, "<col style=\"width:%.1f%%\">",
                      100.0 * b->columns[i].weight / block_weights(b));
    markup_put(out, "</colgroup>\n<thead><tr>");
    for (size_t i = 0; i < b->column_count; i++)
        put_element(out,
                    b->columns[i].number ? "<th scope=\"col\" class=\"n\">" : "<th scope=\"col\">",
                    span_str(b->columns[i].title), "</th>");
    markup_put(out, "</tr></thead>\n<tbody>\n");
    size_t column = 0;
    for (const struct block_cell *c = b->cells; c; c = c->next) {
        if (column == 0)
            markup_put(out, "<tr>");
        put_element(out, b->columns[column].number ? "<td class=\"n\">" : "<td>", c->text, "</td>");
        column = (column + 1) % b->column_count;
        if (column == 0)
            markup_put(out, "</tr>\n");
    }
    for (; column && column < b->column_count; column++)
        markup_put(out, column + 1 == b->column_count ? "<td></td></tr>\n" : "<td></td>");
    markup_put(out, "</tbody></table>\n");
}

/* --- the diagram --- */

enum {
    NODE_X = 1,
    NODE_WIDTH = 430,
    ASIDE_X = 480,
    ASIDE_WIDTH = 219,
    WIDTH = 700,
    LINE = 17, /* height of one */
    GAP = 20,  /* between nodes, with the arrow */
    PAD = 6,
};

/* In halves of a Chinese character's width. */
static unsigned width_of(uint32_t cp)
{
    return cp < 0x2e80 ? 1 : 2;
}

/* As much of *rest as fits in so many halves; Latin words may be cut. */
static struct span take_line(struct span *rest, unsigned halves)
{
    size_t i = 0;
    unsigned used = 0;
    while (i < rest->len && rest->data[i] != '\n') {
        uint32_t cp;
        int n = utf8_decode(span_slice(*rest, i, rest->len), false, &cp);
        unsigned width = n > 0 ? width_of(cp) : 1;
        if (used + width > halves)
            break;
        used += width;
        i += n > 0 ? (size_t)n : 1;
    }
    struct span line = span_slice(*rest, 0, i);
    if (i < rest->len && rest->data[i] == '\n')
        i++;
    *rest = span_slice(*rest, i, rest->len);
    return line;
}

static unsigned count_lines(struct span text, unsigned halves)
{
    unsigned n = 0;
    for (; text.len; n++)
        take_line(&text, halves);
    return n;
}

#define NODE_HALVES  68 /* of a line at 12 px */
#define ASIDE_HALVES 34

static unsigned node_height(const struct block *b)
{
    unsigned node = 1 + count_lines(b->text, NODE_HALVES);
    unsigned aside = count_lines(b->aside, ASIDE_HALVES);
    return (node > aside ? node : aside) * LINE + 2 * PAD;
}

static void put_lines(struct buf *out, struct span text, unsigned halves, unsigned x, unsigned y)
{
    for (; text.len; y += LINE) {
        struct span line = take_line(&text, halves);
        markup_printf(out, "<text x=\"%u\" y=\"%u\" font-size=\"12\">", x, y);
        markup_text(out, line);
        markup_put(out, "</text>\n");
    }
}

static void put_node(struct buf *out, const struct block *b, unsigned y)
{
    unsigned height = node_height(b), middle = y + height / 2;
    markup_printf(
        out,
        "<rect x=\"%d\" y=\"%u\" width=\"%d\" height=\"%u\" rx=\"4\" fill=\"#f4f6fa\" "
        "stroke=\"#345\"/>\n<text x=\"%d\" y=\"%u\" font-size=\"13\" font-weight=\"600\">",
        NODE_X, y, NODE_WIDTH, height, NODE_X + 10, y + PAD + 13);
    markup_text(out, b->key);
    markup_put(out, "</text>\n");
    put_lines(out, b->text, NODE_HALVES, NODE_X + 10, y + PAD + 12 + LINE);
    if (!block_ends(b))
        markup_printf(out,
                      "<path d=\"M%d %uv%d\" stroke=\"#345\" fill=\"none\" "
                      "marker-end=\"url(#arrow)\"/>\n",
                      NODE_X + NODE_WIDTH / 2, y + height, GAP - 6);
    if (b->aside.len == 0)
        return;
    unsigned own = count_lines(b->aside, ASIDE_HALVES) * LINE + 2 * PAD;
    unsigned top = middle - own / 2;
    markup_printf(
        out,
        "<path d=\"M%d %uh%d\" stroke=\"#a33\" fill=\"none\" marker-end=\"url(#arrow)\"/>\n"
        "<rect x=\"%d\" y=\"%u\" width=\"%d\" height=\"%u\" rx=\"4\" fill=\"#fff5f3\" "
        "stroke=\"#a33\" stroke-dasharray=\"4 2\"/>\n",
        NODE_X + NODE_WIDTH, middle, ASIDE_X - NODE_X - NODE_WIDTH - 7, ASIDE_X, top, ASIDE_WIDTH,
        own);
    put_lines(out, b->aside, ASIDE_HALVES, ASIDE_X + 8, top + PAD + 12);
}

static void put_diagram(struct buf *out, const struct block *first)
{
    unsigned height = 2;
    for (const struct block *b = first; b; b = block_ends(b) ? NULL : b->next)
        height += node_height(b) + (block_ends(b) ? 0 : GAP);
    markup_printf(out,
                  "<svg class=\"node\" viewBox=\"0 0 %d %u\" role=\"img\" "
                  "xmlns=\"http://www.w3.org/2000/svg\">\n<defs><marker id=\"arrow\" "
                  "viewBox=\"0 0 8 8\" refX=\"2\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" "
                  "orient=\"auto\"><path d=\"M0 0L8 4L0 8z\" fill=\"#345\"/></marker></defs>\n",
                  WIDTH, height);
    unsigned y = 1;
    for (const struct block *b = first; b; b = block_ends(b) ? NULL : b->next) {
        put_node(out, b, y);
        y += node_height(b) + GAP;
    }
    markup_put(out, "</svg>\n");
}

/* --- blocks --- */

static void put_heading(struct buf *out, const struct block *b)
{
    markup_printf(out, "<h%u>", b->level + 1);
    put_text(out, b->text);
    markup_printf(out, "</h%u>\n", b->level + 1);
}

static void put_block(struct buf *out, const struct block *before, const struct block *b)
{
    switch (b->kind) {
    case BLOCK_STAMP:
        put_element(out, "<p class=\"stamp\">", b->text, "</p>\n");
        break;
    case BLOCK_HEADING:
        put_heading(out, b);
        break;
    case BLOCK_TEXT:
        put_element(out, "<p>", b->text, "</p>\n");
        break;
    case BLOCK_ITEM:
        markup_put(out, block_begins(before, b) ? "<ul>\n" : "");
        put_element(out, "<li>", b->text, "</li>\n");
        markup_put(out, block_ends(b) ? "</ul>\n" : "");
        break;
    case BLOCK_NOTE:
        put_element(out, "<aside>", b->text, "</aside>\n");
        break;
    case BLOCK_PAIR:
        if (block_begins(before, b))
            markup_printf(out, "<table%s><colgroup><col style=\"width:26%%\"><col></colgroup>\n",
                          block_is_short(b) ? " class=\"short\"" : "");
        put_element(out, "<tr><th scope=\"row\">", b->key, "</th>");
        put_element(out, "<td>", b->text, "</td></tr>\n");
        markup_put(out, block_ends(b) ? "</table>\n" : "");
        break;
    case BLOCK_SIGN:
        put_element(out, "<p class=\"sign\">", b->key,
                    "：<span>&nbsp;</span>　日期：<span>&nbsp;</span></p>\n");
        break;
    case BLOCK_BREAK:
        markup_put(out, "<div class=\"break\"></div>\n");
        break;
    case BLOCK_TABLE:
        put_table(out, b);
        break;
    case BLOCK_NODE:
        if (block_begins(before, b))
            put_diagram(out, b);
        break;
    }
}

int paper_html(const struct paper *p, struct buf *out)
{
    if (p->error)
        return p->error;
    markup_put(out,
               "<!doctype html>\n<html lang=\"zh-CN\">\n<head>\n<meta charset=\"utf-8\">\n<title>");
    markup_text(out, p->title);
    markup_put(out, "</title>\n<style>\n");
    markup_put(out, style);
    markup_put(out, "</style>\n</head>\n<body>\n<h1>");
    markup_text(out, p->title);
    markup_put(out, "</h1>\n");
    const struct block *before = NULL;
    for (const struct block *b = p->blocks; b; before = b, b = b->next)
        put_block(out, before, b);
    return buf_append(out, SPAN_LIT("</body>\n</html>\n"));
}
