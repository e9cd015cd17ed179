/* Any bytes as plain text, CSV or TSV, in whichever encoding they look like. */
#include "base/utf8.h"
#include "sheet/table.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum table_format formats[] = {TABLE_ANY, TABLE_TEXT, TABLE_CSV, TABLE_TSV};
    struct table t;
    struct buf why = BUF_INIT(1u << 16);
    if (size == 0)
        return 0;
    struct span bytes = span_from((const char *)data + 1, size - 1);
    int e = table_read(bytes, SPAN_LIT("fuzz"), formats[data[0] % 4], &t, &why);
    if (e < 0 && why.len == 0)
        abort(); /* refused without a reason */
    for (size_t i = 0; e == 0 && i < t.count; i++)
        for (uint32_t c = 0; c < t.rows[i].count; c++) {
            struct span cell = t.rows[i].cells[c];
            if (utf8_check(cell) != cell.len || (cell.len && memchr(cell.data, 0, cell.len)))
                abort();
        }
    table_deinit(&t);
    buf_deinit(&why);
    return 0;
}
