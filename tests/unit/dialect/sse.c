#include "../unit.h"

#include "dialect/sse.h"

#include <errno.h>
#include <stdlib.h>

/* Events as one text: type, data and id of each. */
static int note(void *ctx, const struct sse_event *event)
{
    struct buf *out = ctx;
    return buf_printf(out, "<%.*s|%.*s|%.*s>", SPAN_ARG(event->type), SPAN_ARG(event->data),
                      SPAN_ARG(event->id));
}

/* Feeds the bytes in pieces that are gone, and overwritten, after each call. */
static int feed_pieces(struct sse_reader *r, struct span bytes, const size_t *cuts, size_t count,
                       struct buf *out)
{
    size_t from = 0;
    for (size_t i = 0; i <= count; i++) {
        size_t to = i < count ? cuts[i] : bytes.len;
        char *copy = malloc(to - from + 1);
        assert_non_null(copy);
        if (to > from)
            memcpy(copy, bytes.data + from, to - from);
        int rc = sse_reader_feed(r, span_from(copy, to - from), note, out);
        memset(copy, 'X', to - from);
        free(copy);
        if (rc != 0)
            return rc;
        from = to;
    }
    return sse_reader_finish(r, note, out);
}

static const struct {
    struct span bytes;
    const char *events;
    int rc;
} table[] = {
    {SPAN_LIT("data: a\n\n"), "<|a|>", 0},
    {SPAN_LIT("data:a\n\ndata:  b\n\n"), "<|a|><| b|>", 0},
    {SPAN_LIT("event: x\r\ndata: 1\r\ndata: 2\r\nid: 7\r\n\r\n"), "<x|1\n2|7>", 0},
    {SPAN_LIT("data: 1\rdata: 2\r\rdata: 3\r\r"), "<|1\n2|><|3|>", 0},
    {SPAN_LIT("data: 1\r\n\rdata: 2\n\r\n"), "<|1|><|2|>", 0},
    {SPAN_LIT(": hello\n\n:\n\ndata: x\n\n"), "<|x|>", 0},
    {SPAN_LIT("event: ping\n\ndata: x\n\n"), "<|x|>", 0},
    {SPAN_LIT("event: a\nevent: bc\ndata: x\n\ndata: y\n\n"), "<bc|x|><|y|>", 0},
    {SPAN_LIT("id: 1\ndata: x\n\ndata: y\n\n"), "<|x|1><|y|>", 0},
    {SPAN_LIT("data\n\n"), "<||>", 0},
    {SPAN_LIT("data\ndata\n\ndata:\n\n"), "<|\n|><||>", 0},
    {SPAN_LIT("data: a: b\nretry: 1000\nwhat: ever\nnothing\n\n"), "<|a: b|>", 0},
    {SPAN_LIT("\xEF\xBB\xBF"
              "data: x\n\n\xEF\xBB\xBF"
              "data: y\n\n"),
     "<|x|>", 0},
    {SPAN_LIT("data: {\ndata:  \"a\": 1\ndata: }\n\n"), "<|{\n \"a\": 1\n}|>", 0},
    {SPAN_LIT("data: no blank line"), "<|no blank line|>", 0},
    {SPAN_LIT("data: no blank line\n"), "<|no blank line|>", 0},
    {SPAN_LIT("data: a\n\n\n\n\ndata: b\n\n\n"), "<|a|><|b|>", 0},
    {SPAN_LIT("DATA: a\n data: b\ndata : c\n\ndata: d\n\n"), "<|d|>", 0},
    {SPAN_LIT("data: 毒😀\xE2\x80\xA8\n\n"), "<|毒😀\xE2\x80\xA8|>", 0},
    {SPAN_LIT("data: [DONE]\n\n"), "<|[DONE]|>", 0},
    {SPAN_LIT(""), "", 0},
    {SPAN_LIT("\n\n\r\n"), "", 0},
    {SPAN_LIT("data: ok\n\ndata: \xE6\xAF\n\n"), "<|ok|>", -EILSEQ},
    {SPAN_LIT("data: ok\n\ndata: a\0b\n\n"), "<|ok|>", -EILSEQ},
    {SPAN_LIT(": \xFF\n"), "", -EILSEQ},
    {SPAN_LIT("data: \xE6\xAF"), "", -EILSEQ},
};

static void events_are_read_whatever_the_splits(void **state)
{
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        size_t len = table[i].bytes.len;
        for (size_t a = 0; a <= len; a++)
            for (size_t b = a; b <= len; b++) {
                size_t cuts[2] = {a, b};
                struct sse_reader *r = sse_reader_new(1000);
                assert_non_null(r);
                struct buf out = BUF_INIT(4096);
                assert_int_equal(feed_pieces(r, table[i].bytes, cuts, 2, &out), table[i].rc);
                assert_span(buf_span(&out), span_str(table[i].events));
                buf_deinit(&out);
                sse_reader_free(r);
            }
    }
}

static void random_streams_survive_random_splits(void **state)
{
    static const char *const pieces[] = {"data: x\n",
                                         "data:毒品\r\n",
                                         "event: e\r",
                                         "id: 1\n",
                                         ":c\n",
                                         "\n",
                                         "\r\n",
                                         "\r",
                                         "data\n",
                                         "x",
                                         "data: \xF0\x9F\x98\x80\n"};
    uint64_t seed = 4711;
    for (int round = 0; round < 3000; round++) {
        struct buf text = BUF_INIT(4096), whole = BUF_INIT(65536), split = BUF_INIT(65536);
        for (uint64_t n = random_next(&seed) >> 32; n % 20; n--)
            assert_int_equal(
                buf_append(
                    &text,
                    span_str(
                        pieces[(random_next(&seed) >> 32) % (sizeof(pieces) / sizeof(*pieces))])),
                0);
        struct sse_reader *r = sse_reader_new(10000);
        assert_non_null(r);
        int rc = feed_pieces(r, buf_span(&text), NULL, 0, &whole);
        sse_reader_free(r);
        size_t cuts[4096], count = 0;
        for (size_t at = 0; at < text.len; at++)
            if ((random_next(&seed) >> 60) < (unsigned)(round % 16))
                cuts[count++] = at;
        r = sse_reader_new(10000);
        assert_non_null(r);
        assert_int_equal(feed_pieces(r, buf_span(&text), cuts, count, &split), rc);
        assert_span(buf_span(&split), buf_span(&whole));
        sse_reader_free(r);
        buf_deinit(&text);
        buf_deinit(&whole);
        buf_deinit(&split);
    }
}

static void an_event_has_a_ceiling(void **state)
{
    /* One line, many lines, a comment: each in one read and byte by byte. */
    static const char *const pieces[] = {"data: 0123456789", "data: 01234567\n", ":0123456789",
                                         "event: 0123456789"};
    for (size_t i = 0; i < sizeof(pieces) / sizeof(*pieces); i++)
        for (int split = 0; split < 2; split++) {
            struct buf text = BUF_INIT(65536), out = BUF_INIT(65536);
            for (int j = 0; j < 200; j++)
                assert_int_equal(buf_append(&text, span_str(pieces[i])), 0);
            size_t cuts[8192], count = 0;
            for (size_t at = 1; split && at < text.len; at++)
                cuts[count++] = at;
            struct sse_reader *r = sse_reader_new(1000);
            assert_non_null(r);
            assert_int_equal(feed_pieces(r, buf_span(&text), cuts, count, &out), -EMSGSIZE);
            assert_int_equal(out.len, 0);
            sse_reader_free(r);
            buf_deinit(&text);
            buf_deinit(&out);
        }
    /* Comments between events are not held, so they may go on for ever. */
    struct sse_reader *r = sse_reader_new(100);
    assert_non_null(r);
    struct buf out = BUF_INIT(64);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(sse_reader_feed(r, SPAN_LIT(": keep-alive\n"), note, &out), 0);
    assert_int_equal(sse_reader_feed(r, SPAN_LIT("data: x\n\n"), note, &out), 0);
    assert_span(buf_span(&out), SPAN_LIT("<|x|>"));
    sse_reader_free(r);
    buf_deinit(&out);
}

static int stop(void *ctx, const struct sse_event *event)
{
    ++*(unsigned *)ctx;
    return 7;
}

static void the_callback_can_stop(void **state)
{
    struct sse_reader *r = sse_reader_new(1000);
    assert_non_null(r);
    unsigned seen = 0;
    assert_int_equal(sse_reader_feed(r, SPAN_LIT("data: a\n\ndata: b\n\n"), stop, &seen), 7);
    assert_int_equal(seen, 1);
    assert_int_equal(sse_reader_feed(r, SPAN_LIT("data: c"), stop, &seen), 0);
    assert_int_equal(sse_reader_finish(r, stop, &seen), 7);
    assert_int_equal(seen, 2);
    sse_reader_free(r);
}

/* Whole events in one read are given without a copy. */
static int is_within(void *ctx, const struct sse_event *event)
{
    const struct span *bytes = ctx;
    return event->data.data >= bytes->data && event->data.data < bytes->data + bytes->len ? 0 : 1;
}

static void whole_events_are_not_copied(void **state)
{
    struct span bytes = SPAN_LIT("event: e\ndata: abc\n\ndata: def\n\n");
    struct sse_reader *r = sse_reader_new(1000);
    assert_non_null(r);
    assert_int_equal(sse_reader_feed(r, bytes, is_within, &bytes), 0);
    sse_reader_free(r);
}

static void what_is_written_reads_the_same(void **state)
{
    static const struct {
        struct span type, data;
        const char *bytes;
    } written[] = {
        {SPAN_NULL, SPAN_LIT("[DONE]"), "data: [DONE]\n\n"},
        {SPAN_LIT("error"), SPAN_LIT("{}"), "event: error\ndata: {}\n\n"},
        {SPAN_NULL, SPAN_LIT("a\nb\r\nc\rd"), "data: a\ndata: b\ndata: c\ndata: d\n\n"},
        {SPAN_NULL, SPAN_LIT(" x\n"), "data:  x\ndata: \n\n"},
        {SPAN_NULL, SPAN_NULL, "data: \n\n"},
    };
    for (size_t i = 0; i < sizeof(written) / sizeof(*written); i++) {
        struct buf out = BUF_INIT(256);
        assert_int_equal(sse_write(&out, written[i].type, written[i].data), 0);
        assert_span(buf_span(&out), span_str(written[i].bytes));
        buf_deinit(&out);
    }
    struct buf out = BUF_INIT(256);
    assert_int_equal(sse_write(&out, SPAN_LIT("a\ndata: forged"), SPAN_LIT("x")), -EINVAL);
    assert_int_equal(out.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_are_read_whatever_the_splits),
        cmocka_unit_test(random_streams_survive_random_splits),
        cmocka_unit_test(an_event_has_a_ceiling),
        cmocka_unit_test(the_callback_can_stop),
        cmocka_unit_test(whole_events_are_not_copied),
        cmocka_unit_test(what_is_written_reads_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
