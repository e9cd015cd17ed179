/*
 * Workbooks: xl/workbook.xml names the sheets, its relationships say where they and the shared
 * strings are; src/sheet/worksheet.c reads one sheet. Everything that is not a cell's value
 * (styles, formulas, pictures, macros) is left where it is. No part is looked for outside the
 * archive.
 */
#include "sheet/xlsx.h"

#include <errno.h>
#include <stdlib.h>

#define UNPACKED_MAX (256u << 20)
#define SHEETS_MAX   256

/* ---- parts ---- */

struct part {
    struct xml *xml;
    struct buf *why;
};

static int feed_part(void *ctx, struct span piece)
{
    struct part *p = ctx;
    return xml_feed(p->xml, piece, false, p->why);
}

/* Reads one part; 1 when there is none of that name. */
static int read_part(struct book *b, struct span name, const struct xml_ops *ops)
{
    struct buf why = BUF_INIT(4096);
    struct part part = {.xml = xml_new(ops, b), .why = &why};
    if (!part.xml)
        return -ENOMEM;
    b->part = name;
    int e = zip_read(&b->zip, name, feed_part, &part, &why);
    if (e == 0)
        e = xml_feed(part.xml, SPAN_LIT(""), true, &why);
    if (e == -EINVAL && why.len)
        reading_fail(b->reading, 0, "%.*s: %.*s", SPAN_ARG(name), SPAN_ARG(buf_span(&why)));
    xml_free(part.xml);
    buf_deinit(&why);
    return e;
}

static int ignore_end(void *ctx, struct span name)
{
    return 0;
}

static int ignore_text(void *ctx, struct span text)
{
    return 0;
}

/* ---- the workbook and its relationships ---- */

static int begin_workbook(void *ctx, struct span name, const char *const *attributes)
{
    struct book *b = ctx;
    if (!span_eq(name, SPAN_LIT("sheet")))
        return 0;
    if (b->sheet_count == SHEETS_MAX)
        return reading_fail(b->reading, 0, "more than %d sheets", SHEETS_MAX);
    struct book_sheet *s = &b->sheets[b->sheet_count];
    struct span title = xml_attribute(attributes, "name"), id = xml_attribute(attributes, "id");
    if (!title.data || !id.data)
        return reading_fail(b->reading, 0, "a sheet without a name or a place");
    s->name = reading_keep(b->reading, title);
    s->id = reading_keep(b->reading, id);
    s->part = SPAN_NULL;
    b->sheet_count++;
    return s->name.data && s->id.data ? 0 : -ENOMEM;
}

/* Where a relationship of xl/workbook.xml points to. */
static struct span part_name(struct book *b, struct span target)
{
    if (target.data && target.len && target.data[0] == '/')
        return reading_keep(b->reading, span_slice(target, 1, target.len));
    return arena_printf(&b->reading->table->arena, "xl/%.*s", SPAN_ARG(target));
}

static bool ends_with(struct span s, struct span end)
{
    return s.len >= end.len && span_eq(span_slice(s, s.len - end.len, s.len), end);
}

static int begin_relationship(void *ctx, struct span name, const char *const *attributes)
{
    struct book *b = ctx;
    struct span id = xml_attribute(attributes, "Id"), type = xml_attribute(attributes, "Type");
    struct span target = xml_attribute(attributes, "Target");
    if (!span_eq(name, SPAN_LIT("Relationship")) || !id.data || !type.data || !target.data ||
        span_eq_nocase(xml_attribute(attributes, "TargetMode"), SPAN_LIT("External")))
        return 0;
    struct span *part = NULL;
    if (ends_with(type, SPAN_LIT("/sharedStrings")))
        part = &b->strings_part;
    for (size_t i = 0; i < b->sheet_count && ends_with(type, SPAN_LIT("/worksheet")); i++)
        if (span_eq(b->sheets[i].id, id))
            part = &b->sheets[i].part;
    if (!part)
        return 0;
    *part = part_name(b, target);
    return part->data ? 0 : -ENOMEM;
}

/* ---- the shared strings ---- */

int book_begin_text(struct book *b, struct span name)
{
    if (span_eq(name, SPAN_LIT("rPh")))
        b->phonetic = true; /* how it is read aloud, beside the text itself */
    else if (span_eq(name, SPAN_LIT("t")))
        b->collecting = !b->phonetic;
    return 0;
}

void book_end_text(struct book *b, struct span name)
{
    if (span_eq(name, SPAN_LIT("rPh")))
        b->phonetic = false;
    else if (span_eq(name, SPAN_LIT("t")))
        b->collecting = false;
}

int book_text(void *ctx, struct span text)
{
    struct book *b = ctx;
    if (!b->collecting)
        return 0;
    int e = buf_append(&b->text, text);
    if (e == -EMSGSIZE)
        return reading_fail(b->reading, 0, "%.*s: a text of more than %u bytes", SPAN_ARG(b->part),
                            BOOK_TEXT_MAX);
    return e;
}

static int begin_string(void *ctx, struct span name, const char *const *attributes)
{
    struct book *b = ctx;
    if (span_eq(name, SPAN_LIT("si")))
        buf_clear(&b->text);
    return book_begin_text(b, name);
}

static int end_string(void *ctx, struct span name)
{
    struct book *b = ctx;
    book_end_text(b, name);
    if (!span_eq(name, SPAN_LIT("si")))
        return 0;
    if (b->string_count == b->string_cap) {
        size_t cap = b->string_cap ? 2 * b->string_cap : 256;
        struct span *strings = reallocarray(b->strings, cap, sizeof(*strings));
        if (!strings)
            return -ENOMEM;
        b->strings = strings;
        b->string_cap = cap;
    }
    struct span kept = book_keep_text(b);
    if (!kept.data)
        return -ENOMEM;
    b->strings[b->string_count++] = kept;
    return 0;
}

/* ---- all of it ---- */

static int read_sheet(struct book *b, const struct book_sheet *s)
{
    /* A chart or a dialog on a sheet of its own has no cells. */
    if (!s->part.data)
        return 0;
    int e = reading_sheet(b->reading, s->name);
    if (e < 0)
        return e;
    worksheet_begin(b);
    e = read_part(b, s->part, &worksheet_ops);
    if (e == 1)
        return reading_fail(b->reading, 0, "sheet %.*s: %.*s is not in the archive",
                            SPAN_ARG(s->name), SPAN_ARG(s->part));
    return e;
}

static int read_book(struct book *b)
{
    static const struct xml_ops workbook = {begin_workbook, ignore_end, ignore_text};
    static const struct xml_ops relationships = {begin_relationship, ignore_end, ignore_text};
    static const struct xml_ops strings = {begin_string, end_string, book_text};
    int e = read_part(b, SPAN_LIT("xl/workbook.xml"), &workbook);
    if (e == 1)
        return reading_fail(b->reading, 0, "an archive without xl/workbook.xml is no workbook");
    if (e == 0)
        e = read_part(b, SPAN_LIT("xl/_rels/workbook.xml.rels"), &relationships);
    if (e == 1)
        return reading_fail(b->reading, 0, "a workbook that does not say where its sheets are");
    if (e == 0 && b->strings_part.data)
        e = read_part(b, b->strings_part, &strings);
    if (e == 1)
        return reading_fail(b->reading, 0, "%.*s is not in the archive", SPAN_ARG(b->strings_part));
    for (size_t i = 0; i < b->sheet_count && e == 0; i++)
        e = read_sheet(b, &b->sheets[i]);
    if (e == 0 && b->reading->table->sheet_count == 0)
        return reading_fail(b->reading, 0, "a workbook without a sheet of cells");
    return e;
}

int xlsx_read(struct reading *r, struct span bytes)
{
    struct book *b = calloc(1, sizeof(*b));
    if (!b)
        return -ENOMEM;
    b->reading = r;
    b->zip = (struct zip){bytes, UNPACKED_MAX};
    b->text = BUF_INIT(BOOK_TEXT_MAX);
    b->sheets = calloc(SHEETS_MAX, sizeof(*b->sheets));
    int e = b->sheets ? read_book(b) : -ENOMEM;
    buf_deinit(&b->text);
    free(b->sheets);
    free(b->strings);
    free(b->merges);
    free(b);
    return e;
}
