#include "audit/records.h"

#include "audit/row.h"
#include "audit/rowjson.h"
#include "base/cleanup.h"

#include <errno.h>
#include <stdlib.h>

#define RECORDS_MAX  256
#define ENTRY_MEMORY ((size_t)1 << 20)

static int write_month(struct row_month *m, struct span request_id, struct buf *out, size_t *count)
{
    int r;
    db_bind_text(m->by_request, 1, request_id);
    while ((r = db_step(m->by_request)) == 1 && *count < RECORDS_MAX) {
        struct span body = db_column_text(m->by_request, 3);
        struct arena a;
        struct entry e;
        arena_init(&a, ENTRY_MEMORY);
        bool whole = entry_parse(body, &a, &e) == 0;
        arena_deinit(&a);
        rowjson_put(out, *count ? "," : "");
        if (whole)
            rowjson_put(out, "%.*s", SPAN_ARG(body));
        else
            rowjson_string(out, body);
        ++*count;
    }
    db_reset(m->by_request);
    return r < 0 ? r : 0;
}

int records_write(struct span dir, struct span request_id, struct buf *out)
{
    struct files *files cleanup(cleanup_free) = malloc(sizeof(*files));
    size_t count = 0;
    int r = files ? files_list(dir, 0, files) : -ENOMEM;
    rowjson_put(out, "[");
    for (size_t i = 0; r == 0 && i < files->count; i++) {
        struct row_month m;
        r = row_month_open(dir, files->months[i], &m);
        if (r == -ENOENT) {
            r = 0;
            continue;
        }
        if (r == 0)
            r = write_month(&m, request_id, out, &count);
        row_month_close(&m);
    }
    if (r < 0)
        return r;
    return count ? buf_append(out, SPAN_LIT("]")) : -ENOENT;
}
