#include "dialect/splice.h"

#include "base/utf8.h"

#include <errno.h>
#include <stdlib.h>

#define STARS 256

static const char stars[] = "****************************************************************"
                            "****************************************************************"
                            "****************************************************************"
                            "****************************************************************";
_Static_assert(sizeof(stars) == STARS + 1, "as many as one splice may need");

int splice_apply(struct span body, const struct splice *splices, size_t count, struct buf *out)
{
    size_t at = 0, len = body.len;
    for (size_t i = 0; i < count; i++) {
        const struct splice *s = &splices[i];
        if (s->from < at || s->to < s->from || s->to > body.len)
            return -EINVAL;
        at = s->to;
        len += s->with.len;
    }
    /* An upper bound; a body near the ceiling may pass it here and not in the end. */
    if (buf_reserve(out, len) == -ENOMEM)
        return -ENOMEM;
    size_t before = out->len;
    at = 0;
    int rc = 0;
    for (size_t i = 0; i < count && rc == 0; i++) {
        rc = buf_append(out, span_slice(body, at, splices[i].from));
        if (rc == 0)
            rc = buf_append(out, splices[i].with);
        at = splices[i].to;
    }
    if (rc == 0)
        rc = buf_append(out, span_slice(body, at, body.len));
    if (rc < 0)
        out->len = before;
    return rc;
}

int splice_add(struct span body, struct span raw, struct span with, struct splice *list, size_t max,
               size_t *count)
{
    if (!raw.data || raw.data < body.data || raw.data + raw.len > body.data + body.len)
        return -EINVAL;
    if (*count >= max)
        return -ENOSPC;
    size_t from = (size_t)(raw.data - body.data);
    list[(*count)++] = (struct splice){from, from + raw.len, with};
    return 0;
}

int splice_mask(struct span body, const struct text_item *item, size_t from, size_t to,
                struct splice *list, size_t max, size_t *count)
{
    if (!item->maskable || from > to || to > item->text.len)
        return -EINVAL;
    size_t before = *count;
    while (from < to) {
        size_t n = 0, end = from;
        while (end < to && n < STARS) {
            uint32_t cp;
            int len = utf8_decode(span_slice(item->text, end, item->text.len), true, &cp);
            end += len > 0 ? (size_t)len : 1;
            n++;
        }
        size_t raw_from = json_raw_offset(item->raw, from),
               raw_to = json_raw_offset(item->raw, end);
        int rc = splice_add(body, span_slice(item->raw, raw_from, raw_to), span_from(stars, n),
                            list, max, count);
        if (rc < 0) {
            *count = before;
            return rc;
        }
        from = end;
    }
    return 0;
}

int splice_cut(struct span body, const struct text_item *item, size_t at, struct splice *list,
               size_t max, size_t *count)
{
    if (at > item->text.len)
        return -EINVAL;
    struct span tail = span_slice(item->raw, json_raw_offset(item->raw, at), item->raw.len);
    return splice_add(body, tail, SPAN_NULL, list, max, count);
}

static int by_place(const void *a, const void *b)
{
    const struct splice *x = a, *y = b;
    return x->from != y->from ? (x->from > y->from) - (x->from < y->from)
                              : (x->to > y->to) - (x->to < y->to);
}

void splice_sort(struct splice *list, size_t count)
{
    if (count > 1)
        qsort(list, count, sizeof(*list), by_place);
}

size_t splice_outermost(struct splice *list, size_t count)
{
    size_t out = 0;
    for (size_t i = 0; i < count; i++)
        if (out == 0 || list[i].from >= list[out - 1].to)
            list[out++] = list[i];
    return out;
}
