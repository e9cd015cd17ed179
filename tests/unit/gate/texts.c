#include "texts.h"

#include "dialect/dialect.h"
#include "dialect/sse.h"

#define TEXTS_MAX 32

struct reading {
    struct json_walk *walk;
    struct dialect_stream *stream;
    size_t count;
    struct {
        enum field field;
        uint32_t choice, part;
        struct buf text;
    } texts[TEXTS_MAX];
    struct buf ends;
};

static int see_text(void *ctx, const struct text_item *item)
{
    struct reading *d = ctx;
    if (item->field == FIELD_OTHER || item->field == FIELD_LOGPROBS)
        return 0;
    size_t i = 0;
    while (i < d->count && (d->texts[i].field != item->field ||
                            d->texts[i].choice != item->choice || d->texts[i].part != item->part))
        i++;
    assert_true(i < TEXTS_MAX);
    if (i == d->count) {
        d->count++;
        d->texts[i].field = item->field;
        d->texts[i].choice = item->choice;
        d->texts[i].part = item->part;
        d->texts[i].text = BUF_INIT(SIZE_MAX);
    }
    assert_int_equal(buf_append(&d->texts[i].text, item->text), 0);
    return 0;
}

static int see_event(void *ctx, const struct sse_event *e)
{
    struct reading *d = ctx;
    struct dialect_event event = {0};
    struct dialect_error error = {0};
    if (dialect_openai_chat.read_event(d->stream, d->walk, e->data, &event, &error, see_text, d))
        fail_msg("not an event: %.*s", SPAN_ARG(e->data));
    int rc = 0;
    if (event.kind == EVENT_DONE)
        rc = buf_printf(&d->ends, "done\n");
    if (event.kind == EVENT_ERROR) {
        struct span code =
            span_slice(e->data, span_find(e->data, SPAN_LIT("\"code\":\"")) + 8, e->data.len);
        rc = buf_printf(&d->ends, "error=%.*s\n", (int)span_find(code, SPAN_LIT("\"")), code.data);
    }
    for (unsigned i = 0; rc == 0 && event.finished >> i; i++)
        if (event.finished >> i & 1)
            rc = buf_printf(&d->ends, "finish@%u=%.*s\n", i, SPAN_ARG(event.finish_reason));
    assert_int_equal(rc, 0);
    return 0;
}

struct span texts_read(struct span body)
{
    static char lines[65536];
    struct buf out = BUF_INIT(sizeof(lines));
    struct json_limits limits = JSON_LIMITS_DEFAULT;
    struct reading d = {.ends = BUF_INIT(65536)};
    d.walk = json_walk_new(&limits, NULL);
    d.stream = dialect_openai_chat.stream_new();
    struct sse_reader *sse = sse_reader_new(1 << 20);
    assert_int_equal(sse_reader_feed(sse, body, see_event, &d), 0);
    assert_int_equal(sse_reader_finish(sse, see_event, &d), 0);
    for (uint32_t choice = 0; choice < 32; choice++)
        for (int field = 0; field < FIELD_COUNT; field++)
            for (size_t i = 0; i < d.count; i++)
                if (d.texts[i].choice == choice && d.texts[i].field == (enum field)field)
                    assert_int_equal(buf_printf(&out, "%s@%u=%.*s\n", field_name((enum field)field),
                                                choice, SPAN_ARG(buf_span(&d.texts[i].text))),
                                     0);
    assert_int_equal(buf_append(&out, buf_span(&d.ends)), 0);
    for (size_t i = 0; i < d.count; i++)
        buf_deinit(&d.texts[i].text);
    buf_deinit(&d.ends);
    sse_reader_free(sse);
    dialect_openai_chat.stream_free(d.stream);
    json_walk_free(d.walk);
    struct span text = span_from(lines, out.len);
    memcpy(lines, out.data, out.len);
    buf_deinit(&out);
    return text;
}

void make_plain(struct buf *b)
{
    static const struct span marks[] = {SPAN_LIT("req_"), SPAN_LIT("\"created\":")};
    struct buf out = BUF_INIT(b->max);
    struct span rest = buf_span(b);
    while (rest.len) {
        size_t at = rest.len, skip = 0;
        for (size_t i = 0; i < 2; i++) {
            size_t found = span_find(rest, marks[i]);
            if (found < at) {
                at = found;
                skip = marks[i].len;
            }
        }
        assert_int_equal(buf_append(&out, span_slice(rest, 0, at + skip)), 0);
        rest = span_slice(rest, at + skip, rest.len);
        while (skip && rest.len && strchr("0123456789abcdef", rest.data[0]))
            rest = span_slice(rest, 1, rest.len);
    }
    buf_deinit(b);
    *b = out;
}
