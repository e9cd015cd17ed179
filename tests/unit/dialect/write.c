#include "items.h"

#include "dialect/sse.h"
#include "json/value.h"

#include <errno.h>

static const struct dialect_refusal refusal = {
    .text = SPAN_LIT("抱歉\"\n\\"),
    .request_id = SPAN_LIT("01J"),
    .model = SPAN_LIT("qwen\"x"),
    .code = SPAN_LIT("content_filter"),
    .type = SPAN_LIT("invalid_request_error"),
    .param = SPAN_LIT("messages[0].content"),
    .choices = 2,
    .include_usage = true,
    .created = 1732450000,
};

#define TEXT "\"抱歉\\\"\\n\\\\\""

static void expect(struct buf *out, int rc, const char *want)
{
    assert_int_equal(rc, 0);
    assert_span(buf_span(out), span_str(want));
    buf_deinit(out);
}

static void bodies_are_as_clients_want_them(void **state)
{
    const struct dialect *chat = &dialect_openai_chat, *text = &dialect_openai_completions;
    struct buf out = BUF_INIT(65536);
    expect(&out, chat->write_error(&refusal, &out),
           "{\"error\":{\"message\":" TEXT ",\"type\":\"invalid_request_error\","
           "\"param\":\"messages[0].content\",\"code\":\"content_filter\"}}");
    expect(&out, chat->write_error(&(struct dialect_refusal){.text = SPAN_LIT("x")}, &out),
           "{\"error\":{\"message\":\"x\",\"type\":\"invalid_request_error\",\"param\":null,"
           "\"code\":null}}");
    struct dialect_refusal one = refusal;
    one.choices = 1;
    expect(&out, chat->write_refusal(&one, &out),
           "{\"id\":\"chatcmpl-01J\",\"object\":\"chat.completion\",\"created\":1732450000,"
           "\"model\":\"qwen\\\"x\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\","
           "\"content\":" TEXT ",\"refusal\":null},\"logprobs\":null,"
           "\"finish_reason\":\"content_filter\"}],"
           "\"usage\":{\"prompt_tokens\":0,\"completion_tokens\":0,\"total_tokens\":0}}");
    one.answer = true;
    expect(&out, text->write_refusal(&one, &out),
           "{\"id\":\"cmpl-01J\",\"object\":\"text_completion\",\"created\":1732450000,"
           "\"model\":\"qwen\\\"x\",\"choices\":[{\"index\":0,\"text\":" TEXT ",\"logprobs\":null,"
           "\"finish_reason\":\"stop\"}],"
           "\"usage\":{\"prompt_tokens\":0,\"completion_tokens\":0,\"total_tokens\":0}}");
    struct buf small = BUF_INIT(100);
    assert_int_equal(buf_append(&small, SPAN_LIT("kept")), 0);
    assert_int_equal(chat->write_refusal(&one, &small), -EMSGSIZE);
    assert_span(buf_span(&small), SPAN_LIT("kept"));
    buf_deinit(&small);
}

#define CHUNK(id, choice, usage)                                                                   \
    "data: {\"id\":\"" id "\",\"object\":\"chat.completion.chunk\",\"created\":1732450000,"        \
    "\"model\":\"qwen\\\"x\",\"choices\":[" choice "]" usage "}\n\n"
#define USAGE ",\"usage\":{\"prompt_tokens\":0,\"completion_tokens\":0,\"total_tokens\":0}"
#define SAYS(i)                                                                                    \
    "{\"index\":" #i ",\"delta\":{\"role\":\"assistant\",\"content\":" TEXT "},\"logprobs\":null," \
    "\"finish_reason\":null}"
#define ENDS(i, reason)                                                                            \
    "{\"index\":" #i ",\"delta\":{},\"logprobs\":null,\"finish_reason\":\"" reason "\"}"

static void a_text_goes_on_with_the_stream(void **state)
{
    struct buf out = BUF_INIT(65536);
    struct dialect_refusal r = refusal;
    r.include_usage = false;
    expect(&out, dialect_openai_chat.write_text(NULL, &r, 1, &out),
           CHUNK("chatcmpl-01J", SAYS(1), ""));
    struct json_limits limits = JSON_LIMITS_DEFAULT;
    struct json_walk *walk = json_walk_new(&limits, NULL);
    struct dialect_stream *s = dialect_openai_chat.stream_new();
    struct dialect_event event;
    struct dialect_error error;
    struct items items = items_of(SPAN_LIT("{\"id\":\"theirs\",\"created\":1732450000,\"model\":"
                                           "\"qwen\\\"x\",\"choices\":[{\"index\":0}]}"));
    assert_int_equal(
        dialect_openai_chat.read_event(s, walk, items.body, &event, &error, items_add, &items), 0);
    expect(&out, dialect_openai_chat.write_text(s, &r, 0, &out),
           CHUNK("theirs",
                 "{\"index\":0,\"delta\":{\"content\":" TEXT "},\"logprobs\":null,"
                 "\"finish_reason\":null}",
                 ""));
    expect(&out, dialect_openai_completions.write_text(NULL, &r, 0, &out),
           "data: {\"id\":\"cmpl-01J\",\"object\":\"text_completion\",\"created\":1732450000,"
           "\"model\":\"qwen\\\"x\",\"choices\":[{\"index\":0,\"text\":" TEXT
           ",\"logprobs\":null,\"finish_reason\":null}]}\n\n");
    dialect_openai_chat.stream_free(s);
    json_walk_free(walk);
    buf_deinit(&items.lines);
}

static void a_refused_stream_is_a_whole_stream(void **state)
{
    struct buf out = BUF_INIT(65536);
    expect(&out, dialect_openai_chat.write_refusal_stream(&refusal, &out),
           CHUNK("chatcmpl-01J", SAYS(0), ",\"usage\":null")
               CHUNK("chatcmpl-01J", SAYS(1), ",\"usage\":null")
                   CHUNK("chatcmpl-01J", ENDS(0, "content_filter"), ",\"usage\":null")
                       CHUNK("chatcmpl-01J", ENDS(1, "content_filter"), ",\"usage\":null")
                           CHUNK("chatcmpl-01J", "", USAGE) "data: [DONE]\n\n");
    struct dialect_refusal plain = refusal;
    plain.choices = 0;
    plain.include_usage = false;
    plain.answer = true;
    expect(&out, dialect_openai_chat.write_refusal_stream(&plain, &out),
           CHUNK("chatcmpl-01J", SAYS(0), "")
               CHUNK("chatcmpl-01J", ENDS(0, "stop"), "") "data: [DONE]\n\n");
    plain.text = SPAN_LIT("x");
    expect(&out, dialect_openai_completions.write_refusal_stream(&plain, &out),
           "data: {\"id\":\"cmpl-01J\",\"object\":\"text_completion\",\"created\":1732450000,"
           "\"model\":\"qwen\\\"x\",\"choices\":[{\"index\":0,\"text\":\"x\",\"logprobs\":null,"
           "\"finish_reason\":null}]}\n\n"
           "data: {\"id\":\"cmpl-01J\",\"object\":\"text_completion\",\"created\":1732450000,"
           "\"model\":\"qwen\\\"x\",\"choices\":[{\"index\":0,\"text\":\"\",\"logprobs\":null,"
           "\"finish_reason\":\"stop\"}]}\n\n"
           "data: [DONE]\n\n");
}

static int count_item(void *ctx, const struct text_item *item)
{
    return 0;
}

static void a_cut_repeats_the_stream(void **state)
{
    const struct dialect *d = &dialect_openai_chat;
    struct dialect_stream *s = d->stream_new();
    assert_non_null(s);
    struct buf out = BUF_INIT(65536);
    struct dialect_refusal quiet = refusal;
    quiet.text = SPAN_NULL;
    quiet.include_usage = false;
    /* Nothing seen yet: our own id. */
    expect(&out, d->write_cut(s, &quiet, 1, &out),
           CHUNK("chatcmpl-01J", ENDS(0, "content_filter"), "") "data: [DONE]\n\n");
    struct json_walk *w = json_walk_new(NULL, NULL);
    assert_non_null(w);
    struct dialect_event event;
    struct dialect_error error;
    assert_int_equal(
        d->read_event(s, w,
                      SPAN_LIT("{\"id\":\"up-\\u0022\",\"created\":7,\"model\":\"other\","
                               "\"choices\":[{\"index\":0,\"delta\":{}}]}"),
                      &event, &error, count_item, NULL),
        0);
    struct dialect_refusal loud = refusal;
    loud.text = SPAN_LIT("cut");
#define LIKE(choice, usage)                                                                        \
    "data: {\"id\":\"up-\\\"\",\"object\":\"chat.completion.chunk\",\"created\":7,"                \
    "\"model\":\"other\",\"choices\":[" choice "]" usage "}\n\n"
    expect(&out, d->write_cut(s, &loud, 0x80000001u, &out),
           LIKE("{\"index\":0,\"delta\":{\"content\":\"cut\"},\"logprobs\":null,"
                "\"finish_reason\":null}",
                ",\"usage\":null")
               LIKE("{\"index\":31,\"delta\":{\"content\":\"cut\"},\"logprobs\":null,"
                    "\"finish_reason\":null}",
                    ",\"usage\":null") LIKE(ENDS(0, "content_filter"), ",\"usage\":null")
                   LIKE(ENDS(31, "content_filter"), ",\"usage\":null")
                       LIKE("", USAGE) "data: [DONE]\n\n");
    expect(&out, d->write_cut(s, &quiet, 0, &out), "data: [DONE]\n\n");
    json_walk_free(w);
    d->stream_free(s);
}

static void a_failure_never_looks_complete(void **state)
{
    struct buf out = BUF_INIT(65536);
    struct dialect_refusal failure = {.text = SPAN_LIT("The upstream ended early."),
                                      .code = SPAN_LIT("upstream_truncated")};
    expect(
        &out, dialect_openai_chat.write_stream_error(NULL, &failure, &out),
        "data: {\"error\":{\"message\":\"The upstream ended early.\",\"type\":\"upstream_error\","
        "\"param\":null,\"code\":\"upstream_truncated\"}}\n\n");
}

static int parse_event(void *ctx, const struct sse_event *event)
{
    unsigned *events = ctx;
    ++*events;
    if (span_eq(event->data, SPAN_LIT("[DONE]")))
        return 0;
    struct json_value *v = value_parse(event->data, NULL);
    assert_non_null(v);
    assert_true(value_is_array(value_get(v, SPAN_LIT("choices"))) ||
                value_is_object(value_get(v, SPAN_LIT("error"))));
    value_free(v);
    return 0;
}

/* Whatever the texts hold, what is written can be read, and no text forges an event. */
static void hostile_texts_stay_texts(void **state)
{
    static const struct span texts[] = {
        SPAN_LIT("\n\ndata: [DONE]\n\n"),
        SPAN_LIT("\r\r\"}]}"),
        SPAN_LIT("\xFF\x01\x7F"),
        SPAN_LIT("\xE2\x80\xA8</script>"),
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        struct dialect_refusal r = {.text = texts[i],
                                    .request_id = texts[i],
                                    .model = texts[i],
                                    .code = texts[i],
                                    .type = texts[i],
                                    .param = texts[i],
                                    .choices = 3,
                                    .include_usage = true};
        const struct dialect *dialects[] = {&dialect_openai_chat, &dialect_openai_completions};
        for (size_t j = 0; j < 2; j++) {
            struct buf out = BUF_INIT(65536);
            assert_int_equal(dialects[j]->write_refusal_stream(&r, &out), 0);
            assert_int_equal(dialects[j]->write_cut(NULL, &r, 7, &out), 0);
            assert_int_equal(dialects[j]->write_stream_error(NULL, &r, &out), 0);
            struct sse_reader *reader = sse_reader_new(65536);
            assert_non_null(reader);
            unsigned events = 0;
            assert_int_equal(sse_reader_feed(reader, buf_span(&out), parse_event, &events), 0);
            assert_int_equal(events, 8 + 8 + 1);
            sse_reader_free(reader);
            buf_clear(&out);
            assert_int_equal(dialects[j]->write_refusal(&r, &out), 0);
            struct json_value *v = value_parse(buf_span(&out), NULL);
            assert_non_null(v);
            value_free(v);
            buf_deinit(&out);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies_are_as_clients_want_them),
        cmocka_unit_test(a_text_goes_on_with_the_stream),
        cmocka_unit_test(a_refused_stream_is_a_whole_stream),
        cmocka_unit_test(a_cut_repeats_the_stream),
        cmocka_unit_test(a_failure_never_looks_complete),
        cmocka_unit_test(hostile_texts_stay_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
