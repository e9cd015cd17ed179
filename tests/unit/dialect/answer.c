#include "items.h"

#include "dialect/splice.h"

#include <errno.h>
#include <stdio.h>

static struct json_walk *walker;

static int walker_make(void **state)
{
    walker = json_walk_new(NULL, NULL);
    return walker ? 0 : -1;
}

static int walker_free(void **state)
{
    json_walk_free(walker);
    return 0;
}

#define HEAD  "{\"id\":\"c-1\",\"object\":\"chat.completion\",\"created\":1,\"model\":\"m\","
#define MODEL "other! model=m\n"

struct answer_case {
    const char *body;
    const char *lines; /* NULL: refused with `code` */
    uint32_t finished;
    bool usage, filter, media, error, labelled;
    const char *where; /* FIELD:WORD by which the provider refused, where that is tested */
    const char *code;
};

/* Both as a whole body and as an event, whichever `delta` or `message` says. */
static const struct answer_case answers[] = {
    {.body = HEAD "\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"a\","
                  "\"refusal\":null},\"logprobs\":null,\"finish_reason\":\"stop\"}],"
                  "\"usage\":{\"prompt_tokens\":1,\"total_tokens\":2}}",
     .lines = MODEL "content assistant choices[0].message.content=a\n",
     .finished = 1,
     .usage = true},
    /* The index behind the text; two choices in any order. */
    {.body = HEAD "\"choices\":[{\"message\":{\"content\":\"b\",\"reasoning_content\":\"r\"},"
                  "\"finish_reason\":\"length\",\"index\":1},{\"index\":0,\"message\":{\"refusal\":"
                  "\"no\",\"audio\":{\"id\":\"x\",\"data\":\"QUJD\",\"transcript\":\"t\"},"
                  "\"annotations\":[{\"type\":\"url_citation\",\"url_citation\":{\"title\":\"T\","
                  "\"url\":\"U\"}}]},\"finish_reason\":\"odd\"}]}",
     .lines = MODEL "content@1 assistant choices[0].message.content=b\n"
                    "reasoning@1 assistant choices[0].message.reasoning_content=r\n"
                    "refusal assistant choices[1].message.refusal=no\n"
                    "audio assistant choices[1].message.audio.transcript=t\n"
                    "other assistant choices[1].message.annotations[0].type=url_citation\n"
                    "other assistant choices[1].message.annotations[0].url_citation.title=T\n"
                    "other assistant choices[1].message.annotations[0].url_citation.url=U\n"
                    "other! assistant choices[1].finish_reason=odd\n",
     .finished = 3,
     .media = true},
    {.body = HEAD "\"choices\":[{\"index\":0,\"message\":{\"tool_calls\":[{\"id\":\"t\",\"type\":"
                  "\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"a\\\":1}\"}},"
                  "{\"id\":\"u\",\"function\":{\"name\":\"g\",\"arguments\":{\"k\":\"v\"}}}],"
                  "\"function_call\":{\"name\":\"h\",\"arguments\":\"z\"}},"
                  "\"finish_reason\":\"tool_calls\"}]}",
     .lines = MODEL
     "other! assistant choices[0].message.tool_calls[0].function.name=f\n"
     "arguments! assistant choices[0].message.tool_calls[0].function.arguments={\"a\":1}\n"
     "other! assistant choices[0].message.tool_calls[1].function.name=g\n"
     "other! assistant choices[0].message.tool_calls[1].function.arguments.k=k\n"
     "other! assistant choices[0].message.tool_calls[1].function.arguments.k=v\n"
     "other! assistant choices[0].message.function_call.name=h\n"
     "arguments+! assistant choices[0].message.function_call.arguments=z\n",
     .finished = 1},
    /* Content in parts, as some servers send it. */
    {.body = HEAD "\"choices\":[{\"message\":{\"content\":[{\"type\":\"text\",\"text\":\"a\"},"
                  "{\"type\":\"text\",\"text\":\"b\"}]}}]}",
     .lines = MODEL "content assistant choices[0].message.content[0].text=a\n"
                    "content+ assistant choices[0].message.content[1].text=b\n"},
    /* Logprobs: tokens joined, alternatives alone, bytes where they say something else. */
    {.body =
         HEAD "\"choices\":[{\"index\":0,\"message\":{},\"logprobs\":{\"content\":["
              "{\"token\":\"ab\",\"logprob\":-1,\"bytes\":[97,98],\"top_logprobs\":["
              "{\"token\":\"x\",\"bytes\":[120]},{\"bytes\":[230,175,146],\"token\":\"?\"}]},"
              "{\"token\":\"c\",\"bytes\":null}],"
              "\"refusal\":[{\"token\":\"\\\\xe6\",\"bytes\":[230]},{\"token\":\"\\\\xaf\\\\x92\","
              "\"bytes\":[175,146]}]}}]}",
     .lines = MODEL "logprobs! assistant choices[0].logprobs.content[0].token=ab\n"
                    "other! assistant choices[0].logprobs.content[0].top_logprobs[0].token=x\n"
                    "other! assistant choices[0].logprobs.content[0].top_logprobs[1].token=?\n"
                    "other! assistant choices[0].logprobs.content[0].top_logprobs[1]=毒\n"
                    "logprobs+! assistant choices[0].logprobs.content[1].token=c\n"
                    "logprobs#1! assistant choices[0].logprobs.refusal[0].token=\\xe6\n"
                    "logprobs#1+! assistant choices[0].logprobs.refusal[1].token=\\xaf\\x92\n"
                    "other! assistant choices[0].logprobs.refusal=毒\n"},
    /* What providers add. */
    {.body = HEAD "\"choices\":[{\"index\":0,\"message\":{\"content\":\"x\"},\"finish_reason\":"
                  "\"sensitive\"}]}",
     .lines = MODEL "content assistant choices[0].message.content=x\n",
     .finished = 1,
     .filter = true},
    {.body = HEAD "\"choices\":[{\"finish_reason\":\"content_filter\"}]}",
     .lines = MODEL,
     .finished = 1,
     .filter = true},
    {.body = HEAD "\"choices\":[{\"flag\":0,\"ban_round\":0}]}",
     .lines = MODEL "other! assistant choices[0].ban_round=ban_round\n"},
    {.body = HEAD "\"choices\":[{\"flag\":3}]}", .lines = MODEL, .filter = true, .where = "flag:3"},
    {.body = HEAD "\"choices\":[{\"native_finish_reason\":\"SAFETY\"}]}",
     .lines = MODEL "other! assistant choices[0].native_finish_reason=SAFETY\n",
     .filter = true,
     .where = "stop_reason:SAFETY"},
    {.body = HEAD "\"choices\":[{\"finish_reason\":\"sensitive\",\"flag\":4}]}",
     .lines = MODEL,
     .finished = 1,
     .filter = true,
     .where = "finish_reason:sensitive"},
    {.body = HEAD "\"choices\":[{\"moderation_hit_type\":\"violence\"}]}",
     .lines = MODEL "other assistant choices[0].moderation_hit_type=violence\n",
     .filter = true},
    {.body =
         HEAD "\"choices\":[{\"content_filter_results\":{\"hate\":{\"filtered\":true,"
              "\"severity\":\"high\"}}}],\"prompt_filter_results\":[{\"prompt_index\":0,"
              "\"content_filter_results\":{\"hate\":{\"filtered\":false,\"severity\":\"safe\"}}}]}",
     .lines = MODEL,
     .filter = true},
    {.body =
         HEAD "\"choices\":[{\"content_filter_results\":{\"sexual\":{\"filtered\":false,\"detail\":"
              "\"d\"},\"毒\":{\"severity\":\"grave\"}}}],\"moderation\":{\"output\":{\"results\":[{"
              "\"categories\":{\"violence\":false,\"odd\":true}}]}},\"note\":{\"violence\":1}}",
     .lines = MODEL "other assistant choices[0].content_filter_results.sexual.detail=d\n"
                    "other! assistant choices[0].content_filter_results.\\u6bd2=毒\n"
                    "other! assistant choices[0].content_filter_results.\\u6bd2.severity=grave\n"
                    "other! moderation.output.results[0].categories.odd=odd\n"
                    "other! note=note\nother! note.violence=violence\n"},
    {.body = HEAD "\"choices\":[],\"output_sensitive\":true}", .lines = MODEL, .filter = true},
    {.body = HEAD "\"choices\":[],\"content_filter\":[{\"role\":\"user\",\"level\":0}]}",
     .lines = MODEL "other content_filter[0].role=user\nother! content_filter[0].level=level\n",
     .filter = true},
    {.body = HEAD "\"choices\":[],\"AIGC\":{\"Label\":\"1\"}}",
     .lines = MODEL "other! AIGC.Label=Label\nother AIGC.Label=1\n",
     .labelled = true},
    {.body = HEAD "\"choices\":[],\"usage\":{\"total_tokens\":3}}", .lines = MODEL, .usage = true},
    {.body = HEAD "\"choices\":[{\"delta\":{}}],\"usage\":{\"total_tokens\":3}}", .lines = MODEL},
    {.body = HEAD "\"choices\":[],\"note\":{\"毒\":[\"y\"]},\"obfuscation\":\"abc+/=\"}",
     .lines = MODEL "other! note=note\nother! note.\\u6bd2=毒\nother note.\\u6bd2[0]=y\n"},
    {.body =
         "{\"id\":\"not an id\",\"object\":\"毒 品\",\"created\":\"x y\",\"system_fingerprint\":"
         "\"? ?\",\"obfuscation\":\"? ?\",\"service_tier\":\"gold\"}",
     .lines = "other! id=not an id\nother! object=毒 品\nother! created=x y\n"
              "other! system_fingerprint=? ?\nother! obfuscation=? ?\nother! service_tier=gold\n"},
    /* Failures within a 200. */
    {.body = "{\"error\":{\"message\":\"busy\",\"code\":\"1301\"}}",
     .lines = "other error.message=busy\nother error.code=1301\n",
     .filter = true,
     .where = "error:1301",
     .error = true},
    {.body = "{\"error\":null,\"choices\":[]}", .lines = ""},
    {.body = "{\"error\":\"no\"}", .lines = "other error=no\n", .error = true},
    {.body = "{\"code\":10013,\"message\":\"blocked\"}",
     .lines = "other message=blocked\n",
     .filter = true,
     .where = "error:10013",
     .error = true},
    /* The same code in another provider's place is another thing. */
    {.body = "{\"error\":{\"code\":10013}}", .lines = "", .error = true},
    {.body = "{\"code\":1301}", .lines = "", .error = true},
    {.body = "{\"error\":{\"type\":\"content_filter\"}}",
     .lines = "other error.type=content_filter\n",
     .filter = true,
     .where = "error:content_filter",
     .error = true},
    {.body = "{\"code\":\"DataInspectionFailed\"}",
     .lines = "other code=DataInspectionFailed\n",
     .filter = true,
     .where = "error:DataInspectionFailed",
     .error = true},
    {.body = "{\"error\":{\"code\":\"InputTextSensitiveContentDetected.x\"}}",
     .lines = "other error.code=InputTextSensitiveContentDetected.x\n",
     .filter = true,
     .where = "error:InputTextSensitiveContentDetected.x",
     .error = true},
    {.body = "{\"error\":\"content_filter\"}",
     .lines = "other error=content_filter\n",
     .filter = true,
     .where = "error:content_filter",
     .error = true},
    {.body = "{\"error\":{\"code\":\"rate_limit_exceeded\"}}",
     .lines = "other error.code=rate_limit_exceeded\n",
     .error = true},
    {.body = "{\"code\":0,\"message\":\"Success\",\"choices\":[]}",
     .lines = "other message=Success\n"},
    {.body = "{\"code\":200,\"choices\":[]}", .lines = ""},
    {.body = "{\"code\":\"InvalidKey\"}", .lines = "other code=InvalidKey\n", .error = true},
    {.body = "{\"code\":\"Success\",\"choices\":[{\"index\":0}]}", .lines = "other code=Success\n"},
    {.body = "{\"error_code\":17,\"error_msg\":\"quota\"}",
     .lines = "other error_msg=quota\n",
     .error = true},
    {.body = "{\"base_resp\":{\"status_code\":1004,\"status_msg\":\"key\"}}",
     .lines = "other base_resp.status_msg=key\n",
     .error = true},
    {.body = "{\"base_resp\":{\"status_code\":1027}}",
     .lines = "",
     .filter = true,
     .where = "error:1027",
     .error = true},
    {.body = "{\"base_resp\":{\"status_code\":0}}", .lines = ""},
    /* What can't be judged. */
    {.body = "[]", .code = "bad_response"},
    {.body = "\"x\"", .code = "bad_response"},
    {.body = "{\"choices\":{}}", .code = "bad_response"},
    {.body = "{\"choices\":[7]}", .code = "bad_response"},
    {.body = "{\"choices\":[{\"index\":0},{\"index\":0}]}", .code = "bad_response"},
    {.body = "{\"choices\":[{\"index\":1},{}]}", .code = "bad_response"},
    {.body = "{\"choices\":[{\"index\":32}]}", .code = "bad_response"},
    {.body = "{\"choices\":[{\"index\":\"0\"}]}", .code = "bad_response"},
    {.body = "{\"choices\":[{\"message\":{\"content\":7}}]}", .code = "bad_response"},
    {.body = "{\"choices\":[{\"message\":{\"content\":{\"t\":\"x\"}}}]}", .code = "bad_response"},
    {.body = "{\"choices\":[{\"message\":{\"Content\":\"x\"}}]}", .code = "suspicious_key"},
    {.body = "{\"choices\":[{\"message\":{\"tool_calls\":[{\"index\":1},{\"index\":0}]}}]}",
     .code = "bad_response"},
    {.body = "{\"choices\":[{\"text\":{}}]}", .code = "bad_response"},
    {.body = "{\"choices\":[", .code = "invalid_json"},
};

static void every_string_of_an_answer_is_given(void **state)
{
    for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++) {
        const struct answer_case *c = &answers[i];
        struct span body = span_str(c->body);
        struct items items = items_of(body);
        struct arena arena;
        arena_init(&arena, 1 << 20);
        struct dialect_event event;
        struct dialect_error error;
        int rc = dialect_openai_chat.read_answer(walker, body, &arena, &event, &error, items_add,
                                                 &items);
        if (c->lines) {
            if (rc != 0)
                fail_msg("%s: %s %s", c->body, error.code, error.message);
            assert_span(buf_span(&items.lines), span_str(c->lines));
            assert_int_equal(event.finished, c->finished);
            assert_int_equal(event.usage, c->usage);
            assert_int_equal(event.upstream_filter, c->filter);
            if (c->where) {
                char where[128];
                snprintf(where, sizeof(where), "%s:%.*s", event.filter_where,
                         SPAN_ARG(event.filter_word));
                assert_string_equal(where, c->where);
            }
            assert_int_equal(event.media, c->media);
            assert_int_equal(event.labelled, c->labelled);
            assert_int_equal(event.kind, c->error ? EVENT_ERROR : EVENT_TEXT);
        } else {
            assert_int_equal(rc, -EINVAL);
            assert_span(span_str(error.code), span_str(c->code));
        }
        arena_deinit(&arena);
        buf_deinit(&items.lines);
    }
}

static void check_event(const struct dialect *d, struct dialect_stream *s, const char *payload,
                        const char *lines, struct dialect_event *ret_event)
{
    struct items items = items_of(span_str(payload));
    struct dialect_error error;
    int rc = d->read_event(s, walker, span_str(payload), ret_event, &error, items_add, &items);
    if (!lines) {
        assert_int_equal(rc, -EINVAL);
    } else {
        if (rc != 0)
            fail_msg("%s: %s %s", payload, error.code, error.message);
        assert_span(buf_span(&items.lines), span_str(lines));
    }
    buf_deinit(&items.lines);
}

static void events_are_taken_apart(void **state)
{
    const struct dialect *d = &dialect_openai_chat;
    struct dialect_stream *s = d->stream_new();
    assert_non_null(s);
    struct dialect_event e;
    check_event(d, s,
                HEAD
                "\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},"
                "\"logprobs\":null,\"finish_reason\":null}],\"usage\":null}",
                MODEL, &e);
    assert_int_equal(e.kind, EVENT_TEXT);
    assert_span(e.id, SPAN_LIT("c-1"));
    assert_span(e.model, SPAN_LIT("m"));
    assert_int_equal(e.finished, 0);
    /* The model was judged with the first event. Halves of pairs go on as they are. */
    check_event(d, s, HEAD "\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\\ud83d\"}}]}",
                "content assistant choices[0].delta.content=a\xED\xA0\xBD\n", &e);
    check_event(d, s, HEAD "\"choices\":[{\"delta\":{\"content\":\"\\ude00b\"},\"index\":1}]}",
                "content@1 assistant choices[0].delta.content=\xED\xB8\x80"
                "b\n",
                &e);
    check_event(d, s, "{\"model\":\"other\",\"choices\":[]}", "other! model=other\n", &e);
    /* What would be one channel twice is two. */
    check_event(d, s,
                HEAD
                "\"choices\":[{\"index\":0,\"delta\":{\"reasoning_content\":\"r\",\"reasoning\":"
                "\"r\",\"reasoning_details\":[{\"type\":\"reasoning.text\",\"text\":\"r\"}]},"
                "\"message\":{\"content\":\"whole\"},\"text\":\"t\"}]}",
                "reasoning assistant choices[0].delta.reasoning_content=r\n"
                "reasoning#1 assistant choices[0].delta.reasoning=r\n"
                "other! assistant choices[0].delta.reasoning_details[0].type=reasoning.text\n"
                "reasoning#256 assistant choices[0].delta.reasoning_details[0].text=r\n"
                "content#16777216 assistant choices[0].message.content=whole\n"
                "content#1 assistant choices[0].text=t\n",
                &e);
    /* Tool calls by their own index, early or late. */
    check_event(d, s,
                HEAD
                "\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":2,\"id\":\"x\","
                "\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"\"}},"
                "{\"function\":{\"arguments\":\"\\\\u6b\"},\"index\":5}]}}]}",
                "other! assistant choices[0].delta.tool_calls[0].function.name=f\n"
                "arguments#2! assistant choices[0].delta.tool_calls[0].function.arguments={\"\n"
                "arguments#5! assistant choices[0].delta.tool_calls[1].function.arguments=\\u6b\n",
                &e);
    check_event(
        d, s,
        "{\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":2},{\"index\":2}]}}]}",
        NULL, &e);
    check_event(
        d, s,
        "{\"choices\":[{\"index\":0,\"delta\":{\"content\":[{\"type\":\"text\",\"text\":\"a\"},"
        "{\"type\":\"text\",\"text\":\"b\"}]}}]}",
        NULL, &e);
    check_event(d, s,
                HEAD
                "\"choices\":[{\"index\":0,\"delta\":{\"content\":[{\"type\":\"text\",\"text\":"
                "\"a\"}]},\"finish_reason\":\"st\\u006fp\"},{\"index\":31,\"delta\":{},"
                "\"finish_reason\":\"length\"}],\"usage\":{\"total_tokens\":1}}",
                "content assistant choices[0].delta.content[0].text=a\n", &e);
    assert_int_equal(e.finished, 0x80000001u);
    assert_true(e.usage);
    check_event(d, s, "[DONE]", "", &e);
    assert_int_equal(e.kind, EVENT_DONE);
    check_event(d, s, "[DONE] ", NULL, &e);
    check_event(d, s, "{\"error\":{\"message\":\"m\"}}", "other error.message=m\n", &e);
    assert_int_equal(e.kind, EVENT_ERROR);
    d->stream_free(s);
}

/* A rewritten event is read again: its texts must have the numbers that they had at first. */
static void reading_again_numbers_the_same(void **state)
{
    static const char first[] = "{\"model\":\"m\",\"x\":\"y\",\"choices\":[{\"delta\":{\"content\":"
                                "\"a\"}}]}";
    static const char escaped[] = "{\"model\":\"\\u006d\\u006e\",\"choices\":[]}";
    const struct dialect *d = &dialect_openai_chat;
    struct dialect_stream *s = d->stream_new();
    assert_non_null(s);
    struct dialect_event e;
    check_event(d, s, escaped, "other! model=mn\n", &e);
    check_event(d, s, escaped, "other! model=mn\n", &e);
    check_event(d, s, first,
                "other! x=x\nother x=y\ncontent assistant choices[0].delta.content=a\n"
                "other! model=m\n",
                &e);
    check_event(d, s, first,
                "other! x=x\nother x=y\ncontent assistant choices[0].delta.content=a\n", &e);
    check_event(d, s, "{\"model\":\"n\",\"choices\":[]}", "other! model=n\n", &e);
    check_event(d, s, "{\"model\":\"n\",\"choices\":[]}", "other! model=n\n", &e);
    d->stream_free(s);
}

static void completions_have_texts(void **state)
{
    const struct dialect *d = &dialect_openai_completions;
    struct dialect_stream *s = d->stream_new();
    assert_non_null(s);
    struct dialect_event e;
    static const char payload[] =
        "{\"object\":\"text_completion\",\"choices\":[{\"text\":\"t\",\"index\":1,\"logprobs\":{"
        "\"tokens\":[\"t\",\"u\"],\"token_logprobs\":[-1,-2],\"top_logprobs\":[{\"毒\":-1}],"
        "\"text_offset\":[0,1]},\"finish_reason\":\"stop\"}]}";
    static const char lines[] =
        "content@1 assistant choices[0].text=t\n"
        "logprobs@1#2! assistant choices[0].logprobs.tokens[0]=t\n"
        "logprobs@1#2+! assistant choices[0].logprobs.tokens[1]=u\n"
        "other@1! assistant choices[0].logprobs.top_logprobs[0].\\u6bd2=毒\n";
    check_event(d, s, payload, lines, &e);
    assert_int_equal(e.finished, 2);
    d->stream_free(s);
    struct arena arena;
    arena_init(&arena, 1 << 20);
    struct items items = items_of(span_str(payload));
    struct dialect_error error;
    assert_int_equal(
        d->read_answer(walker, span_str(payload), &arena, &e, &error, items_add, &items), 0);
    assert_span(buf_span(&items.lines), span_str(lines));
    buf_deinit(&items.lines);
    arena_deinit(&arena);
}

static void repetitions_are_stripped(void **state)
{
    static const struct {
        const char *payload, *want;
        bool finish;
    } table[] = {
        {"{\"choices\":[{\"finish_reason\":\"stop\",\"logprobs\":[]},{\"finish_reason\":null}],"
         "\"finish_reason\":\"x\"}",
         "{\"choices\":[{\"finish_reason\":null,\"logprobs\":null},{\"finish_reason\":null}],"
         "\"finish_reason\":\"x\"}",
         true},
        {"{\"choices\":[{\"index\":0,\"logprobs\":{\"content\":[{\"token\":\"a\"}]},\"x\":1},"
         "{\"logprobs\":null},{\"logprobs\" : [1] }],\"moderation\":\"x\"}",
         "{\"choices\":[{\"index\":0,\"logprobs\":null,\"x\":1},"
         "{\"logprobs\":null},{\"logprobs\" : null }],\"moderation\":null}"},
        {"{\"choices\":[{\"content_filter_offsets\":{\"start_offset\":1},\"delta\":{\"logprobs\":1}"
         "}],"
         "\"logprobs\":7}",
         "{\"choices\":[{\"content_filter_offsets\":null,\"delta\":{\"logprobs\":1}}],\"logprobs\":"
         "7}"},
        {"{\"a\":{\"choices\":[{\"logprobs\":1}]}}", "{\"a\":{\"choices\":[{\"logprobs\":1}]}}"},
    };
    struct buf out = BUF_INIT(4096);
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        struct splice list[4];
        size_t count = 0;
        struct span payload = span_str(table[i].payload);
        assert_int_equal(
            dialect_openai_chat.strip_event(walker, payload, table[i].finish, list, 4, &count), 0);
        buf_clear(&out);
        assert_int_equal(splice_apply(payload, list, count, &out), 0);
        assert_span(buf_span(&out), span_str(table[i].want));
        if (count > 0) {
            size_t none = 0;
            assert_int_equal(dialect_openai_chat.strip_event(walker, payload, table[i].finish, list,
                                                             count - 1, &none),
                             -ENOSPC);
            assert_int_equal(none, 0);
        }
    }
    size_t count = 0;
    struct splice list[1];
    assert_int_equal(dialect_openai_chat.strip_event(walker, SPAN_LIT("{"), false, list, 1, &count),
                     -EINVAL);
    buf_deinit(&out);
}

/* What the upstream counted: what can't be true is not believed. */
static void tokens_are_counted_as_told(void **state)
{
    static const struct {
        const char *usage;
        bool known;
        uint64_t prompt, completion;
    } cases[] = {
        {"{\"prompt_tokens\":12,\"completion_tokens\":30,\"total_tokens\":42}", true, 12, 30},
        {"{\"completion_tokens\":30,\"prompt_tokens\":12}", true, 12, 30},
        {"{\"prompt_tokens\":12}", true, 12, 0},
        {"{\"total_tokens\":42}", true, 0, 42},
        {"{\"prompt_tokens\":0,\"completion_tokens\":0,\"total_tokens\":0}", true, 0, 0},
        {"{\"prompt_tokens\":-1,\"completion_tokens\":1.5,\"total_tokens\":\"9\"}", false, 0, 0},
        {"{\"prompt_tokens\":1e3,\"total_tokens\":1000000001}", false, 0, 0},
        {"{\"prompt_tokens\":1000000000}", true, 1000000000, 0},
        {"{\"details\":{\"prompt_tokens\":5}}", false, 0, 0},
        {"{}", false, 0, 0},
        {"null", false, 0, 0},
        {"[1]", false, 0, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char body[512];
        struct dialect_event e = {0};
        struct dialect_error error = {0};
        struct dialect_stream *stream = dialect_openai_chat.stream_new();
        snprintf(body, sizeof(body), "{\"choices\":[],\"usage\":%s}", cases[i].usage);
        struct items items = items_of(span_str(body));
        assert_int_equal(dialect_openai_chat.read_event(stream, walker, span_str(body), &e, &error,
                                                        items_add, &items),
                         0);
        buf_deinit(&items.lines);
        if (e.tokens.known != cases[i].known || e.tokens.prompt != cases[i].prompt ||
            e.tokens.completion != cases[i].completion)
            fail_msg("%s", cases[i].usage);
        dialect_openai_chat.stream_free(stream);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_string_of_an_answer_is_given),
        cmocka_unit_test(events_are_taken_apart),
        cmocka_unit_test(reading_again_numbers_the_same),
        cmocka_unit_test(completions_have_texts),
        cmocka_unit_test(repetitions_are_stripped),
        cmocka_unit_test(tokens_are_counted_as_told),
    };
    return cmocka_run_group_tests(tests, walker_make, walker_free);
}
