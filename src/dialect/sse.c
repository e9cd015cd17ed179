#include "dialect/sse.h"

#include "base/utf8.h"

#include <errno.h>
#include <stdlib.h>

#define KEEP_BYTES 65536 /* a larger buffer is given back after its event */

/* A field of the event so far: lent by the bytes being fed, or copied from earlier ones. */
struct part {
    struct span lent;
    struct buf own;
    bool given;
};

struct sse_reader {
    size_t event_max;
    struct buf line; /* an unfinished line of earlier calls */
    struct part type, data, id;
    bool skip_lf; /* the last byte was a CR that ended a line */
    bool begun;   /* behind the first line, and the byte order mark with it */
};

struct sse_reader *sse_reader_new(size_t event_max)
{
    struct sse_reader *r = calloc(1, sizeof(*r));
    if (!r)
        return NULL;
    r->event_max = event_max;
    buf_init(&r->line, event_max);
    buf_init(&r->type.own, event_max);
    buf_init(&r->data.own, event_max);
    buf_init(&r->id.own, event_max);
    return r;
}

void sse_reader_free(struct sse_reader *r)
{
    if (!r)
        return;
    buf_deinit(&r->line);
    buf_deinit(&r->type.own);
    buf_deinit(&r->data.own);
    buf_deinit(&r->id.own);
    free(r);
}

static struct span part_span(const struct part *p)
{
    return p->lent.data ? p->lent : buf_span(&p->own);
}

static void part_clear(struct part *p)
{
    p->lent = SPAN_NULL;
    p->given = false;
    buf_clear(&p->own);
    if (p->own.cap > KEEP_BYTES)
        buf_deinit(&p->own);
}

/* Copies what is lent, because the bytes are about to go or something is to be added. */
static int part_keep(struct part *p)
{
    if (!p->lent.data)
        return 0;
    struct span s = p->lent;
    p->lent = SPAN_NULL;
    buf_clear(&p->own);
    return buf_append(&p->own, s);
}

static int part_set(struct part *p, struct span value, bool lent)
{
    part_clear(p);
    p->given = true;
    if (!lent)
        return buf_append(&p->own, value);
    p->lent = value;
    return 0;
}

/* One more data line, joined with LF. */
static int part_add_line(struct part *p, struct span value, bool lent)
{
    if (!p->given)
        return part_set(p, value, lent);
    int rc = part_keep(p);
    if (rc == 0)
        rc = buf_append_char(&p->own, '\n');
    return rc < 0 ? rc : buf_append(&p->own, value);
}

static void event_clear(struct sse_reader *r)
{
    part_clear(&r->type);
    part_clear(&r->data);
    part_clear(&r->id);
}

static int event_give(struct sse_reader *r, sse_event_fn fn, void *ctx)
{
    int rc = 0;
    if (r->data.given) {
        struct sse_event event = {part_span(&r->type), part_span(&r->data), part_span(&r->id)};
        rc = fn(ctx, &event);
    }
    event_clear(r);
    return rc;
}

/* A whole line without its end. `lent`: its bytes stay until the end of the call. */
static int line_read(struct sse_reader *r, struct span line, bool lent, sse_event_fn fn, void *ctx)
{
    if (line.len > r->event_max)
        return -EMSGSIZE;
    if (utf8_check(line) < line.len || (line.len > 0 && memchr(line.data, '\0', line.len)))
        return -EILSEQ;
    if (!r->begun && span_starts(line, SPAN_LIT("\xEF\xBB\xBF")))
        line = span_slice(line, 3, line.len);
    r->begun = true;
    if (line.len == 0)
        return event_give(r, fn, ctx);
    const char *colon = memchr(line.data, ':', line.len);
    size_t name_len = colon ? (size_t)(colon - line.data) : line.len;
    struct span name = span_slice(line, 0, name_len);
    struct span value = span_slice(line, colon ? name_len + 1 : name_len, line.len);
    if (value.len > 0 && value.data[0] == ' ')
        value = span_slice(value, 1, value.len);
    int rc = 0;
    if (span_eq(name, SPAN_LIT("data")))
        rc = part_add_line(&r->data, value, lent);
    else if (span_eq(name, SPAN_LIT("event")))
        rc = part_set(&r->type, value, lent);
    else if (span_eq(name, SPAN_LIT("id")))
        rc = part_set(&r->id, value, lent);
    /* Comments, retry and unknown fields mean nothing to us. */
    if (rc < 0)
        return rc;
    size_t held = part_span(&r->data).len + part_span(&r->type).len + part_span(&r->id).len;
    return held > r->event_max ? -EMSGSIZE : 0;
}

/* The offset of the next CR or LF, or s.len. */
static size_t line_end(struct span s)
{
    const char *lf = memchr(s.data, '\n', s.len);
    size_t n = lf ? (size_t)(lf - s.data) : s.len;
    const char *cr = memchr(s.data, '\r', n);
    return cr ? (size_t)(cr - s.data) : n;
}

/* The line that began in an earlier call ends within this one, or goes on. */
static int line_finish(struct sse_reader *r, struct span piece, bool ended, sse_event_fn fn,
                       void *ctx)
{
    int rc = buf_append(&r->line, piece);
    if (rc < 0 || !ended)
        return rc;
    rc = line_read(r, buf_span(&r->line), false, fn, ctx);
    buf_clear(&r->line);
    if (r->line.cap > KEEP_BYTES)
        buf_deinit(&r->line);
    return rc;
}

static int parts_keep(struct sse_reader *r)
{
    int rc = part_keep(&r->type);
    if (rc == 0)
        rc = part_keep(&r->data);
    return rc < 0 ? rc : part_keep(&r->id);
}

int sse_reader_feed(struct sse_reader *r, struct span bytes, sse_event_fn fn, void *ctx)
{
    while (bytes.len > 0) {
        if (r->skip_lf) {
            r->skip_lf = false;
            if (bytes.data[0] == '\n') {
                bytes = span_slice(bytes, 1, bytes.len);
                continue;
            }
        }
        size_t end = line_end(bytes);
        bool ended = end < bytes.len;
        struct span line = span_slice(bytes, 0, end);
        if (ended)
            r->skip_lf = bytes.data[end] == '\r';
        bytes = span_slice(bytes, ended ? end + 1 : end, bytes.len);
        int rc;
        if (ended && r->line.len == 0)
            rc = line_read(r, line, true, fn, ctx);
        else
            rc = line_finish(r, line, ended, fn, ctx);
        if (rc != 0) {
            /* Whatever is still lent goes with the caller's bytes. */
            int kept = parts_keep(r);
            return rc > 0 && kept < 0 ? kept : rc;
        }
    }
    return parts_keep(r);
}

int sse_reader_finish(struct sse_reader *r, sse_event_fn fn, void *ctx)
{
    if (r->line.len > 0) {
        int rc = line_finish(r, SPAN_NULL, true, fn, ctx);
        if (rc != 0)
            return rc;
    }
    return event_give(r, fn, ctx);
}

int sse_write(struct buf *out, struct span type, struct span data)
{
    if (type.len > 0) {
        if (line_end(type) < type.len)
            return -EINVAL;
        int rc = buf_append(out, SPAN_LIT("event: "));
        if (rc == 0)
            rc = buf_append(out, type);
        if (rc == 0)
            rc = buf_append_char(out, '\n');
        if (rc < 0)
            return rc;
    }
    for (bool more = true; more;) {
        size_t end = data.len > 0 ? line_end(data) : 0;
        more = end < data.len;
        int rc = buf_append(out, SPAN_LIT("data: "));
        if (rc == 0)
            rc = buf_append(out, span_slice(data, 0, end));
        if (rc == 0)
            rc = buf_append_char(out, '\n');
        if (rc < 0)
            return rc;
        if (more) {
            bool crlf = data.data[end] == '\r' && end + 1 < data.len && data.data[end + 1] == '\n';
            data = span_slice(data, end + (crlf ? 2 : 1), data.len);
        }
    }
    return buf_append_char(out, '\n');
}
