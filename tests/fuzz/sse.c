/*
 * Any bytes in any pieces give the events of the bytes in one piece, and what was read, written in
 * our form, reads the same again. The first byte seeds the splits.
 */
#include "dialect/sse.h"

#include <stdlib.h>

#define EVENT_MAX 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool condition)
{
    if (!condition)
        abort();
}

static void add_length(struct buf *out, struct span s)
{
    uint64_t len = s.len;
    expect(buf_append(out, span_from((const char *)&len, sizeof(len))) == 0);
    expect(buf_append(out, s) == 0);
}

struct record {
    struct buf events;  /* type, data and id of each, with their lengths */
    struct buf rewrite; /* type and data in our form */
    struct buf plain;   /* type and data, to compare with */
};

static int note(void *ctx, const struct sse_event *event)
{
    struct record *r = ctx;
    add_length(&r->events, event->type);
    add_length(&r->events, event->data);
    add_length(&r->events, event->id);
    add_length(&r->plain, event->type);
    add_length(&r->plain, event->data);
    expect(sse_write(&r->rewrite, event->type, event->data) == 0);
    return 0;
}

static int read_all(struct span bytes, uint32_t splits, struct record *r)
{
    *r = (struct record){BUF_INIT(1 << 24), BUF_INIT(1 << 24), BUF_INIT(1 << 24)};
    struct sse_reader *reader = sse_reader_new(EVENT_MAX);
    expect(reader != NULL);
    int rc = 0;
    for (size_t at = 0; at < bytes.len && rc == 0;) {
        splits = splits * 1664525 + 1013904223; /* Numerical Recipes' generator */
        size_t len = 1 + (splits >> 16) % 7;
        if (len > bytes.len - at)
            len = bytes.len - at;
        /* A copy that is gone afterwards: nothing may stay lent. */
        char *piece = malloc(len);
        expect(piece != NULL);
        memcpy(piece, bytes.data + at, len);
        rc = sse_reader_feed(reader, span_from(piece, len), note, r);
        free(piece);
        at += len;
    }
    if (rc == 0)
        rc = sse_reader_finish(reader, note, r);
    sse_reader_free(reader);
    return rc;
}

static void record_deinit(struct record *r)
{
    buf_deinit(&r->events);
    buf_deinit(&r->rewrite);
    buf_deinit(&r->plain);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    struct span bytes = span_from((const char *)data + 1, size - 1);
    struct record whole, split, again;
    struct sse_reader *reader = sse_reader_new(EVENT_MAX);
    expect(reader != NULL);
    whole = (struct record){BUF_INIT(1 << 24), BUF_INIT(1 << 24), BUF_INIT(1 << 24)};
    int rc = sse_reader_feed(reader, bytes, note, &whole);
    if (rc == 0)
        rc = sse_reader_finish(reader, note, &whole);
    sse_reader_free(reader);
    expect(read_all(bytes, (uint32_t)data[0] + 1, &split) == rc);
    expect(span_eq(buf_span(&whole.events), buf_span(&split.events)));
    expect(read_all(buf_span(&whole.rewrite), 12345, &again) == 0);
    expect(span_eq(buf_span(&whole.plain), buf_span(&again.plain)));
    record_deinit(&whole);
    record_deinit(&split);
    record_deinit(&again);
    return 0;
}
