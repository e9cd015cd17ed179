#include "console/logrow.h"

#include "audit/rowjson.h"

#include <errno.h>

int logrow_verdict(struct casebook *c, struct span request_id, enum casebook_verdict *ret)
{
    struct casebook_review review = {0};
    int r = c && request_id.len ? casebook_find_review(c, request_id, &review) : 0;
    *ret = review.verdict;
    return r == -ENOENT ? 0 : r;
}

int logrow_write(const struct api *api, const struct api_request *q, const struct query_row *row,
                 bool first, struct buf *out)
{
    struct buf line = BUF_INIT(LOGROW_MAX);
    enum casebook_verdict verdict;
    bool texts = q->may & MAY_READ;
    int r = logrow_verdict(api->casebook, row->entry.request_id, &verdict);
    if (r == 0)
        r = rowjson_write(row, texts, &line);
    if (r == 0) {
        line.len--; /* its closing brace */
        rowjson_put(&line, ",\"review\":%s%s%s}", verdict ? "\"" : "",
                    verdict ? casebook_verdict_name(verdict) : "null", verdict ? "\"" : "");
        /* Room for the end of what surrounds it. */
        size_t need = line.len + 1024;
        r = line.max == 0 || need > out->max || out->len > out->max - need ? -EMSGSIZE : 0;
    }
    if (r == 0 && !first)
        r = buf_append_char(out, ',');
    if (r == 0)
        r = buf_append(out, buf_span(&line));
    buf_deinit(&line);
    return r;
}
