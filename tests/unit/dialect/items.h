/* What the dialect tests share: texts as lines that a table can hold. */
#pragma once

#include "../unit.h"

#include "base/utf8.h"
#include "dialect/dialect.h"

#include <stdlib.h>

struct items {
    struct span body;
    struct buf lines;
};

/*
 * "field[@choice][#part][+][!] [role ]path=text\n": + continues the one before, ! can't be masked.
 */
static inline int items_add(void *ctx, const struct text_item *item)
{
    struct items *i = ctx;
    /* The raw span always lies within the body, and a maskable one decodes to the text. */
    if (item->raw.data)
        assert_true(item->raw.data >= i->body.data &&
                    item->raw.data + item->raw.len <= i->body.data + i->body.len);
    if (item->maskable)
        assert_int_equal(json_raw_offset(item->raw, item->text.len), item->raw.len);
    assert_true(item->text.len > 0);
    int rc = buf_printf(&i->lines, "%s", field_name(item->field));
    if (rc == 0 && item->choice > 0)
        rc = buf_printf(&i->lines, "@%u", item->choice);
    if (rc == 0 && item->part > 0)
        rc = buf_printf(&i->lines, "#%u", item->part);
    if (rc == 0)
        rc = buf_printf(&i->lines, "%s%s %s%s%.*s=", item->join ? "+" : "",
                        item->maskable ? "" : "!", role_name(item->role), item->role ? " " : "",
                        SPAN_ARG(item->path));
    if (rc == 0)
        rc = buf_append(&i->lines, item->text);
    if (rc == 0)
        rc = buf_append_char(&i->lines, '\n');
    assert_int_equal(rc, 0);
    return 0;
}

static inline struct items items_of(struct span body)
{
    return (struct items){.body = body, .lines = BUF_INIT(1 << 24)};
}
