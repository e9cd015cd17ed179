/* Any bytes as JSON lines: what is read has a row of keys, and no row has more cells than that. */
#include "sheet/table.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct table t;
    struct buf why = BUF_INIT(1u << 16);
    struct span bytes = span_from((const char *)data, size);
    int e = table_read(bytes, SPAN_LIT("fuzz"), TABLE_JSONL, &t, &why);
    if (e < 0 && why.len == 0)
        abort();
    for (size_t i = 0; e == 0 && i < t.count; i++)
        if (t.rows[i].count > (t.titled ? t.rows[0].count : 1))
            abort();
    table_deinit(&t);
    buf_deinit(&why);
    return 0;
}
