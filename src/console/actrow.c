#include "console/actrow.h"

#include "audit/rowjson.h"

#include <inttypes.h>

void actrow_read(const struct query_row *row, struct actrow *ret)
{
    *ret = (struct actrow){0};
    if (row->entry.detail.len)
        ret->detail = value_parse(row->entry.detail, NULL);
    if (!value_get_string(value_get(ret->detail, SPAN_LIT("by")), &ret->who))
        value_get_string(value_get(ret->detail, SPAN_LIT("author")), &ret->who);
    if (!value_get_string(value_get(ret->detail, SPAN_LIT("why")), &ret->why))
        value_get_string(value_get(ret->detail, SPAN_LIT("reason")), &ret->why);
}

void actrow_deinit(struct actrow *a)
{
    value_free(a->detail);
    *a = (struct actrow){0};
}

static void put_text(const char *name, struct span text, struct buf *out)
{
    rowjson_put(out, ",\"%s\":", name);
    if (text.len)
        rowjson_string(out, text);
    else
        rowjson_put(out, "null");
}

void actrow_put(const struct query_row *row, const struct actrow *act, bool first, bool whole,
                struct buf *out)
{
    const struct entry *e = &row->entry;
    rowjson_put(out, "%s{\"seq\":%" PRIu64 ",\"time_us\":%" PRIu64, first ? "" : ",", e->seq,
                e->time);
    put_text("act", e->reason.len ? e->reason : e->kind, out);
    put_text("who", act->who, out);
    put_text("reason", act->why, out);
    put_text("app", e->app, out);
    put_text("end_user", e->end_user, out);
    if (whole)
        put_text("detail", e->detail, out);
    rowjson_put(out, "}");
}
