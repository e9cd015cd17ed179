/*
 * Any bytes as a workbook. The checksums of a zip archive hide the XML from a fuzzer, so that an
 * input that begins with a '<' is a sheet's XML, which is put into an archive without compression.
 */
#include "sheet/table.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char workbook[] = "<workbook><sheets><sheet name='a' id='1'/></sheets></workbook>";
static const char relations[] = "<a><Relationship Id='1' Type='/worksheet' Target='s'/>"
                                "<Relationship Id='2' Type='/sharedStrings' Target='t'/></a>";
static const char strings[] = "<sst><si><t>a</t></si><si><t>b_x0041_</t></si></sst>";

static void add(struct archive *a, const char *name, struct span text)
{
    struct archive_entry *e = archive_entry_new();
    archive_entry_set_pathname(e, name);
    archive_entry_set_size(e, (la_int64_t)text.len);
    archive_entry_set_filetype(e, AE_IFREG);
    archive_write_header(a, e);
    archive_write_data(a, text.data, text.len);
    archive_entry_free(e);
}

/* The archive's bytes, which the caller frees. */
static struct buf wrap(struct span sheet)
{
    struct buf b = BUF_INIT(sheet.len + 16384);
    struct archive *a = archive_write_new();
    if (buf_reserve(&b, b.max) < 0 || !a || archive_write_set_format_zip(a) != ARCHIVE_OK ||
        archive_write_zip_set_compression_store(a) != ARCHIVE_OK ||
        archive_write_open_memory(a, b.data, b.cap, &b.len) != ARCHIVE_OK)
        abort();
    add(a, "xl/workbook.xml", span_str(workbook));
    add(a, "xl/_rels/workbook.xml.rels", span_str(relations));
    add(a, "xl/t", span_str(strings));
    add(a, "xl/s", sheet);
    archive_write_close(a);
    archive_write_free(a);
    return b;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct table t;
    struct buf why = BUF_INIT(1u << 16);
    struct span bytes = span_from((const char *)data, size);
    struct buf wrapped = BUF_INIT(0);
    if (size && data[0] == '<') {
        wrapped = wrap(bytes);
        bytes = buf_span(&wrapped);
    }
    int e = table_read(bytes, SPAN_LIT("fuzz"), TABLE_XLSX, &t, &why);
    if (e < 0 && why.len == 0)
        abort();
    for (size_t i = 1; e == 0 && i < t.count; i++)
        if (t.rows[i].sheet == t.rows[i - 1].sheet && t.rows[i].line <= t.rows[i - 1].line)
            abort();
    table_deinit(&t);
    buf_deinit(&why);
    buf_deinit(&wrapped);
    return 0;
}
