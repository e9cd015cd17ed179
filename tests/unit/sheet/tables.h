/* Tables shown as text: "LINE: cell|cell" a row, with "[sheet]" before each sheet that has a name.
 */
#pragma once

#include "../unit.h"

#include "sheet/table.h"

#include <errno.h>

static inline void show_table(const struct table *t, struct buf *out)
{
    uint32_t sheet = UINT32_MAX;
    for (size_t i = 0; i < t->count; i++) {
        const struct table_row *r = &t->rows[i];
        if (r->sheet != sheet && t->sheets[r->sheet].len)
            buf_printf(out, "[%.*s]\n", SPAN_ARG(t->sheets[r->sheet]));
        sheet = r->sheet;
        buf_printf(out, "%u: ", r->line);
        for (uint32_t c = 0; c < r->count; c++)
            buf_printf(out, "%s%.*s", c ? "|" : "", SPAN_ARG(r->cells[c]));
        buf_append_char(out, '\n');
    }
}

/* Reads, and compares what was read or, where it can't be, the message. */
static inline void check_table(struct span bytes, const char *file, enum table_format format,
                               struct span want)
{
    struct table t;
    struct buf got = BUF_INIT(1u << 20);
    int e = table_read(bytes, span_str(file), format, &t, &got);
    if (e == 0) {
        assert_int_equal(got.len, 0);
        show_table(&t, &got);
    } else {
        assert_int_equal(e, -EINVAL);
    }
    assert_span(buf_span(&got), want);
    buf_deinit(&got);
    table_deinit(&t);
}
