/* A record of what somebody did, as the API tells it. Private to this room. */
#pragma once

#include "audit/query.h"
#include "json/value.h"

/* What the record's detail says of who did it: an account, or whom the command line was told. */
struct actrow {
    struct json_value *detail; /* NULL: none that can be read */
    struct span who;           /* empty: the gateway itself */
    struct span why;
};
/* To be released by actrow_deinit(); spans point into it. */
void actrow_read(const struct query_row *row, struct actrow *ret);
void actrow_deinit(struct actrow *a);
/* Appends {seq,time_us,act,who,reason,app,end_user,detail} behind a comma unless it is first, as
 * rowjson_put() does. `detail` is the text as it stands in the record, or null; it says more than
 * who did what, such as from where: with `whole` alone. */
void actrow_put(const struct query_row *row, const struct actrow *act, bool first, bool whole,
                struct buf *out);
