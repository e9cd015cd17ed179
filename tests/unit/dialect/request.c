#include "items.h"

#include "dialect/splice.h"

#include <errno.h>

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

#define CHAT(members) "{\"model\":\"m\"," members "}"
#define MODEL         "other! model=m\n"
#define USER(content) CHAT("\"messages\":[{\"role\":\"user\",\"content\":" content "}]")

struct request_case {
    const char *body;
    const char *lines; /* NULL: refused with `code` */
    const char *code;
};

static const struct request_case chat[] = {
    {USER("\"hi\""), MODEL "content user messages[0].content=hi\n"},
    {USER("null"), MODEL},
    {USER("\"\""), MODEL},
    {CHAT("\"messages\":[]"), MODEL},
    {USER("\"\\u6bd2\\ud83d\\ude00\""), MODEL "content user messages[0].content=毒😀\n"},
    /* Roles behind the content; contents joined over messages and parts. */
    {CHAT("\"messages\":[{\"content\":\"a\",\"role\":\"system\"},"
          "{\"content\":[{\"type\":\"text\",\"text\":\"b\"},{\"text\":\"c\",\"type\":\"text\"}],"
          "\"name\":\"Bob\",\"r\\u006fle\":\"\\u0075ser\"}]"),
     MODEL "content system messages[0].content=a\n"
           "content+ user messages[1].content[0].text=b\n"
           "content+ user messages[1].content[1].text=c\n"
           "other! user messages[1].name=Bob\n"},
    /* A tool loop: reasoning sent back, arguments twice where they hold escapes. */
    {CHAT("\"messages\":[{\"role\":\"assistant\",\"content\":null,\"reasoning_content\":\"r\","
          "\"tool_calls\":[{\"id\":\"call_1\",\"type\":\"function\",\"function\":{\"name\":\"f\","
          "\"arguments\":\"{\\\"q\\\":\\\"\\\\u6bd2\\\\n\\\"}\"}},{\"id\":\"a b\",\"type\":"
          "\"custom\",\"custom\":{\"name\":\"g\",\"input\":\"free\"}}]},"
          "{\"role\":\"tool\",\"tool_call_id\":\"call_1\",\"content\":\"t\"},"
          "{\"role\":\"function\",\"name\":\"f\",\"content\":\"u\"}]"),
     MODEL
     "reasoning assistant messages[0].reasoning_content=r\n"
     "other! assistant messages[0].tool_calls[0].function.name=f\n"
     "arguments! assistant messages[0].tool_calls[0].function.arguments={\"q\":\"\\u6bd2\\n\"}\n"
     "other! assistant messages[0].tool_calls[0].function.arguments(decoded)={\"q\":\"毒\n\"}\n"
     "other! assistant messages[0].tool_calls[1].id=a b\n"
     "other! assistant messages[0].tool_calls[1].custom.name=g\n"
     "arguments+! assistant messages[0].tool_calls[1].custom.input=free\n"
     "other tool messages[1].tool_call_id=call_1\n"
     "content tool messages[1].content=t\n"
     "other! tool messages[2].name=f\n"
     "content+ tool messages[2].content=u\n"},
    {CHAT("\"messages\":[{\"role\":\"assistant\",\"function_call\":{\"name\":\"f\",\"arguments\":"
          "\"\\\\u6bd2 \\\\x \\\\\"},\"refusal\":\"no\",\"encrypted_content\":\"QUJD\"}]"),
     MODEL "other! assistant messages[0].function_call.name=f\n"
           "arguments! assistant messages[0].function_call.arguments=\\u6bd2 \\x \\\n"
           "other! assistant messages[0].function_call.arguments(decoded)=毒 \\x \\\n"
           "refusal assistant messages[0].refusal=no\n"},
    /* Tools and unknown fields: all strings and all keys that are no words of the protocol. */
    {CHAT("\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"description\":\"d\","
          "\"parameters\":{\"type\":\"object\",\"properties\":{\"Content\":{\"enum\":[\"x\",1]}}}}}"
          "],"
          "\"messages\":[{\"role\":\"user\",\"content\":\"c\",\"zz\":{\"k\":[\"v\",{\"w\":\"y\"}]}}"
          "],"
          "\"metadata\":{\"Role\":\"m\"},\"stop\":[\"s\"],\"logit_bias\":{\"50256\":-100},"
          "\"user\":\"u1\",\"prediction\":{\"type\":\"content\",\"content\":\"p\"}"),
     MODEL "other! tools[0].type=function\n"
           "other! tools[0].function.name=f\n"
           "other! tools[0].function.description=d\n"
           "other! tools[0].function.parameters.type=object\n"
           "other! tools[0].function.parameters.properties.Content=Content\n"
           "other! tools[0].function.parameters.properties.Content.enum[0]=x\n"
           "content user messages[0].content=c\n"
           "other! user messages[0].zz=zz\n"
           "other! user messages[0].zz.k=k\n"
           "other user messages[0].zz.k[0]=v\n"
           "other! user messages[0].zz.k[1].w=w\n"
           "other user messages[0].zz.k[1].w=y\n"
           "other! metadata.Role=Role\n"
           "other metadata.Role=m\n"
           "other stop[0]=s\n"
           "other! logit_bias.50256=50256\n"
           "other user=u1\n"
           "other! assistant prediction.type=content\n"
           "content+ assistant prediction.content=p\n"},
    /* Images, sound and files. */
    {USER("[{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:image/png;base64,QUJD\","
          "\"detail\":\"high\"}}]"),
     MODEL},
    {USER("[{\"type\":\"image_url\",\"image_url\":{\"url\":\"https://x/"
          "毒.png\",\"detail\":\"?\"}}]"),
     MODEL "other! user messages[0].content[0].image_url.url=https://x/毒.png\n"
           "other! user messages[0].content[0].image_url.detail=?\n"},
    {USER("[{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:text/plain,a b\"}}]"),
     MODEL "other! user messages[0].content[0].image_url.url=data:text/plain,a b\n"},
    {USER("[{\"type\":\"image_url\",\"image_url\":\"data:image/png;base64,毒\"}]"),
     MODEL "other! user messages[0].content[0].image_url=data:image/png;base64,毒\n"},
    {USER("[{\"type\":\"input_audio\",\"input_audio\":{\"data\":\"QUJD\",\"format\":\"wav\"}},"
          "{\"type\":\"file\",\"file\":{\"file_data\":\"data:application/pdf;base64,QQ==\","
          "\"filename\":\"f.pdf\"}},{\"type\":\"file\",\"file\":{\"file_id\":\"file-1\"}}]"),
     MODEL "other user messages[0].content[1].file.filename=f.pdf\n"
           "other! user messages[0].content[2].file.file_id=file-1\n"},
    {CHAT("\"messages\":[],\"x\":\"DATA:image/png;BASE64,QUJD\""), MODEL "other! x=x\n"},
    /* Wrong types and missing members. */
    {"[]", NULL, "bad_request"},
    {"{}", NULL, "bad_request"},
    {"{\"messages\":[]}", NULL, "bad_request"},
    {"{\"model\":\"m\"}", NULL, "bad_request"},
    {"{\"model\":\"\",\"messages\":[]}", NULL, "bad_request"},
    {"{\"model\":1,\"messages\":[]}", NULL, "bad_request"},
    {"{\"model\":\"m\",\"messages\":{}}", NULL, "bad_request"},
    {CHAT("\"messages\":[\"x\"]"), NULL, "bad_request"},
    {CHAT("\"messages\":[{\"content\":\"x\"}]"), NULL, "bad_request"},
    {CHAT("\"messages\":[{\"role\":\"root\",\"content\":\"x\"}]"), NULL, "bad_request"},
    {CHAT("\"messages\":[{\"role\":\"User\",\"content\":\"x\"}]"), NULL, "bad_request"},
    {CHAT("\"messages\":[{\"role\":7,\"content\":\"x\"}]"), NULL, "bad_request"},
    {USER("7"), NULL, "bad_request"},
    {USER("{}"), NULL, "bad_request"},
    {USER("[\"x\"]"), NULL, "bad_request"},
    {USER("[{\"type\":\"text\",\"text\":{\"value\":\"x\"}}]"), NULL, "bad_request"},
    {CHAT("\"messages\":[],\"stream\":\"true\""), NULL, "bad_request"},
    {CHAT("\"messages\":[],\"stream\":1"), NULL, "bad_request"},
    {CHAT("\"messages\":[],\"n\":0"), NULL, "bad_request"},
    {CHAT("\"messages\":[],\"n\":-1"), NULL, "bad_request"},
    {CHAT("\"messages\":[],\"n\":1.0"), NULL, "bad_request"},
    {CHAT("\"messages\":[],\"n\":1e1"), NULL, "bad_request"},
    {CHAT("\"messages\":[],\"n\":\"2\""), NULL, "bad_request"},
    {CHAT("\"messages\":[],\"n\":true"), NULL, "bad_request"},
    {CHAT("\"messages\":[],\"n\":33"), NULL, "bad_request"},
    {CHAT("\"messages\":[],\"n\":18446744073709551617"), NULL, "bad_request"},
    {CHAT("\"messages\":[],\"stream_options\":{\"include_usage\":1}"), NULL, "bad_request"},
    {CHAT("\"messages\":[],\"stream_options\":true"), NULL, "bad_request"},
    {CHAT("\"messages\":[],\"user\":7"), NULL, "bad_request"},
    {CHAT("\"messages\":[{\"role\":\"assistant\",\"tool_calls\":{}}]"), NULL, "bad_request"},
    {CHAT("\"messages\":[{\"role\":\"assistant\",\"tool_calls\":[1]}]"), NULL, "bad_request"},
    /* What the walk refuses, by its own names. */
    {"", NULL, "invalid_json"},
    {"{\"model\":\"m\",\"messages\":[]} {}", NULL, "trailing_data"},
    {CHAT("\"messages\":[],\"Messages\":[]"), NULL, "suspicious_key"},
    {CHAT("\"messages\":[{\"role\":\"user\",\"content\":\"a\",\"content\":\"b\"}]"), NULL,
     "duplicate_key"},
    {USER("[{\"type\":\"text\",\"Text\":\"x\"}]"), NULL, "suspicious_key"},
    {USER("\"\\ud800\""), NULL, "lone_surrogate"},
    {USER("\"\\u0000\""), NULL, "nul_character"},
};

#define TEXT(prompt) "{\"model\":\"m\",\"prompt\":" prompt "}"

static const struct request_case completions[] = {
    {TEXT("\"a\""), MODEL "content user prompt=a\n"},
    {TEXT("[\"a\",\"b\"]"), MODEL "content user prompt[0]=a\ncontent#1 user prompt[1]=b\n"},
    {"{\"model\":\"m\",\"prompt\":\"a\",\"suffix\":\"b\",\"echo\":true,\"best_of\":2}",
     MODEL "content user prompt=a\ncontent+ user suffix=b\n"},
    {TEXT("[15496,995]"), NULL, "unjudgeable"},
    {TEXT("[[15496],[995]]"), NULL, "unjudgeable"},
    {TEXT("7"), NULL, "unjudgeable"},
    {TEXT("[]"), NULL, "bad_request"},
    {TEXT("null"), NULL, "bad_request"},
    {TEXT("[\"a\",null]"), NULL, "bad_request"},
    {TEXT("{}"), NULL, "bad_request"},
    {"{\"model\":\"m\"}", NULL, "bad_request"},
    {"{\"model\":\"m\",\"prompt\":\"a\",\"suffix\":7}", NULL, "bad_request"},
    {"{\"model\":\"m\",\"prompt\":\"a\",\"best_of\":1.5}", NULL, "bad_request"},
    {"{\"model\":\"m\",\"prompt\":[\"a\",\"b\",\"c\"],\"n\":11}", NULL, "bad_request"},
};

static void check_requests(const struct dialect *d, const struct request_case *table, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct span body = span_str(table[i].body);
        struct items items = items_of(body);
        struct arena arena;
        arena_init(&arena, 1 << 20);
        struct dialect_request request;
        struct dialect_error error;
        int rc = d->read_request(walker, body, &arena, &request, &error, items_add, &items);
        if (table[i].lines) {
            if (rc != 0)
                fail_msg("%s: %s: %s", table[i].body, error.code, error.message);
            assert_span(buf_span(&items.lines), span_str(table[i].lines));
            assert_span(request.model, SPAN_LIT("m"));
        } else {
            assert_int_equal(rc, -EINVAL);
            assert_span(span_str(error.code), span_str(table[i].code));
            assert_non_null(error.message);
        }
        arena_deinit(&arena);
        buf_deinit(&items.lines);
    }
}

static void every_string_of_a_request_is_given(void **state)
{
    check_requests(&dialect_openai_chat, chat, sizeof(chat) / sizeof(*chat));
    check_requests(&dialect_openai_completions, completions,
                   sizeof(completions) / sizeof(*completions));
}

static struct dialect_request read_ok(const struct dialect *d, struct arena *arena,
                                      const char *body)
{
    struct items items = items_of(span_str(body));
    struct dialect_request request;
    struct dialect_error error;
    int rc = d->read_request(walker, span_str(body), arena, &request, &error, items_add, &items);
    if (rc != 0)
        fail_msg("%s: %s", body, error.message);
    buf_deinit(&items.lines);
    return request;
}

static void what_the_gateway_must_know_is_returned(void **state)
{
    struct arena arena;
    arena_init(&arena, 1 << 20);
    struct dialect_request r = read_ok(
        &dialect_openai_chat, &arena,
        CHAT("\"messages\":[],\"stream\":true,\"stream_options\":{\"include_usage\":true},\"n\":3,"
             "\"user\":\"\\u7528户\",\"response_format\":{\"json_schema\":{},\"type\":\"json_"
             "schema\"}"));
    assert_true(r.stream);
    assert_true(r.include_usage);
    assert_true(r.json_mode);
    assert_false(r.media);
    assert_int_equal(r.choices, 3);
    assert_span(r.end_user, SPAN_LIT("用户"));
    r = read_ok(&dialect_openai_chat, &arena,
                CHAT("\"messages\":[],\"stream\":null,\"n\":null,\"stream_options\":null,"
                     "\"user\":null,\"response_format\":{\"type\":\"text\"}"));
    assert_false(r.stream);
    assert_false(r.include_usage);
    assert_false(r.json_mode);
    assert_int_equal(r.choices, 1);
    assert_int_equal(r.end_user.len, 0);
    r = read_ok(&dialect_openai_chat, &arena, CHAT("\"messages\":[],\"safety_identifier\":\"s\""));
    assert_span(r.end_user, SPAN_LIT("s"));
    r = read_ok(&dialect_openai_chat, &arena,
                CHAT("\"messages\":[],\"user\":\"u\",\"safety_identifier\":\"s\""));
    assert_span(r.end_user, SPAN_LIT("u"));
    r = read_ok(&dialect_openai_chat, &arena,
                CHAT("\"messages\":[],\"safety_identifier\":\"s\",\"user\":\"u\""));
    assert_span(r.end_user, SPAN_LIT("u"));
    r = read_ok(&dialect_openai_completions, &arena,
                "{\"model\":\"m\",\"prompt\":[\"a\",\"b\"],\"n\":4}");
    assert_int_equal(r.choices, 8);
    static const struct {
        const char *body, *path;
    } media[] = {
        {USER("[{\"type\":\"image_url\",\"image_url\":{\"url\":\"https://x/\"}}]"),
         "messages[0].content[0].image_url.url"},
        {USER("[{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:image/png;base64,QQ==\"}}]"),
         "messages[0].content[0].image_url.url"},
        {USER("[{\"type\":\"text\",\"text\":\"a\"},{\"type\":\"input_audio\",\"input_audio\":"
              "{\"data\":\"QQ==\"}}]"),
         "messages[0].content[1].input_audio.data"},
        {USER("[{\"type\":\"file\",\"file\":{\"file_id\":\"f\"}}]"),
         "messages[0].content[0].file.file_id"},
        {USER("[{\"type\":\"video_url\",\"video_url\":{\"url\":\"x\"}}]"),
         "messages[0].content[0].video_url.url"},
        {USER("[{\"type\":\"picture\",\"picture\":{\"src\":\"data:image/png;base64,QQ==\"}}]"),
         "messages[0].content[0].picture.src"},
        {CHAT("\"messages\":[{\"role\":\"assistant\",\"audio\":{\"id\":\"audio_1\"}}]"),
         "messages[0].audio.id"},
    };
    for (size_t i = 0; i < sizeof(media) / sizeof(*media); i++) {
        r = read_ok(&dialect_openai_chat, &arena, media[i].body);
        assert_true(r.media);
        assert_span(r.media_path, span_str(media[i].path));
    }
    arena_deinit(&arena);
}

static int stop_at_second(void *ctx, const struct text_item *item)
{
    return ++*(int *)ctx == 2 ? 99 : 0;
}

static void the_callback_can_stop(void **state)
{
    struct arena arena;
    arena_init(&arena, 1 << 20);
    struct dialect_request request;
    struct dialect_error error;
    int seen = 0;
    struct span body = SPAN_LIT(CHAT("\"messages\":[{\"role\":\"user\",\"content\":\"a\"},"
                                     "{\"role\":\"user\",\"content\":\"b\"}]"));
    assert_int_equal(dialect_openai_chat.read_request(walker, body, &arena, &request, &error,
                                                      stop_at_second, &seen),
                     99);
    assert_int_equal(seen, 2);
    arena_deinit(&arena);
}

static void errors_tell_their_place(void **state)
{
    static const struct {
        const char *body;
        enum json_error json;
        const char *path;
        size_t offset;
    } table[] = {
        {"{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":7}]}", JSON_OK,
         "messages[0].content", 50},
        {"{\"model\":\"m\",\"messages\":[{\"Role\":\"user\"}]}", JSON_OK, "messages[0]", 25},
        {"{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"Role\":\"user\"}]}",
         JSON_SUSPICIOUS_KEY, "messages[0].Role", 40},
        {"{\"model\":\"m\"}", JSON_OK, "", 13},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        struct arena arena;
        arena_init(&arena, 1 << 20);
        struct dialect_request request;
        struct dialect_error error;
        struct span body = span_str(table[i].body);
        struct items items = items_of(body);
        assert_int_equal(dialect_openai_chat.read_request(walker, body, &arena, &request, &error,
                                                          items_add, &items),
                         -EINVAL);
        assert_int_equal(error.json, table[i].json);
        assert_span(error.path, span_str(table[i].path));
        assert_int_equal(error.offset, table[i].offset);
        buf_deinit(&items.lines);
        arena_deinit(&arena);
    }
}

static int note_turn(void *ctx, const struct text_item *item)
{
    struct buf *turns = ctx;
    return buf_printf(turns, "%u", item->turn);
}

/* Messages as wholes: each text says which one it is in. */
static void messages_are_told_as_wholes(void **state)
{
    static const char text[] =
        "{\"x\":[{\"role\":\"user\",\"content\":\"no\"}], \"messages\" : [ {\"role\":\"user\","
        "\"content\":\"a\"} ,{\"content\":[{\"text\":\"}]\"},{\"text\":\"c\"}],\"role\":"
        "\"assist\\u0061nt\"},{\"role\":\"function\",\"name\":\"f!\",\"content\":\"\"},"
        "{\"role\":\"assistant\",\"content\":null,\"messages\":[{\"role\":\"user\"}]}],"
        "\"model\":\"m\"}";
    const struct span body = span_str(text);
    static const struct {
        enum role role;
        const char *text;
    } want[] = {
        {ROLE_USER, "{\"role\":\"user\",\"content\":\"a\"}"},
        {ROLE_ASSISTANT, "{\"content\":[{\"text\":\"}]\"},{\"text\":\"c\"}],\"role\":"
                         "\"assist\\u0061nt\"}"},
        {ROLE_TOOL, "{\"role\":\"function\",\"name\":\"f!\",\"content\":\"\"}"},
        {ROLE_ASSISTANT, "{\"role\":\"assistant\",\"content\":null,\"messages\":[{\"role\":"
                         "\"user\"}]}"},
    };
    struct arena arena;
    arena_init(&arena, 1 << 20);
    struct dialect_request request;
    struct dialect_error error;
    struct buf turns = BUF_INIT(4096), numbers = BUF_INIT(4096);
    assert_int_equal(dialect_openai_chat.read_request(walker, body, &arena, &request, &error,
                                                      note_turn, &numbers),
                     0);
    assert_span(buf_span(&numbers), SPAN_LIT("000122340"));
    assert_int_equal(dialect_openai_chat.read_turns(walker, body, &turns), 0);
    assert_int_equal(turns.len, 4 * sizeof(struct dialect_turn));
    const struct dialect_turn *t = (const struct dialect_turn *)(const void *)turns.data;
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(t[i].role, want[i].role);
        assert_span(span_slice(body, t[i].from, t[i].to), span_str(want[i].text));
    }
    buf_deinit(&turns);
    buf_deinit(&numbers);
    arena_deinit(&arena);
    /* What is written in their place. */
    struct buf out = BUF_INIT(4096);
    assert_int_equal(dialect_openai_chat.write_turn(ROLE_TOOL, SPAN_LIT("a \"b\"\n"), &out), 0);
    assert_span(buf_span(&out), SPAN_LIT("{\"role\":\"tool\",\"content\":\"a \\\"b\\\"\\n\"}"));
    buf_deinit(&out);
    assert_true(!dialect_openai_completions.read_turns && !dialect_openai_completions.write_turn);
}

static void routes_are_exact(void **state)
{
    assert_ptr_equal(dialect_find(SPAN_LIT("/v1/chat/completions")), &dialect_openai_chat);
    assert_ptr_equal(dialect_find(SPAN_LIT("/v1/completions")), &dialect_openai_completions);
    assert_null(dialect_find(SPAN_LIT("/v1/chat/completions/")));
    assert_null(dialect_find(SPAN_LIT("/V1/completions")));
    assert_null(dialect_find(SPAN_LIT("")));
}

static void names_of_end_users_are_taken_out(void **state)
{
    static const struct {
        struct span body, left;
    } cases[] = {
        {SPAN_LIT("{\"model\":\"m\",\"messages\":[]}"),
         SPAN_LIT("{\"model\":\"m\",\"messages\":[]}")},
        {SPAN_LIT("{\"user\":\"a\",\"model\":\"m\"}"), SPAN_LIT("{\"model\":\"m\"}")},
        {SPAN_LIT("{\"model\":\"m\" , \"user\" : null }"), SPAN_LIT("{\"model\":\"m\" }")},
        {SPAN_LIT("{ \"user\":\"a\" ,\n\"safety_identifier\":{\"user\":[1]}, \"model\":\"m\"}"),
         SPAN_LIT("{ \"model\":\"m\"}")},
        {SPAN_LIT(
             "{\"x\":{\"user\":1},\"user\":\"a\",\"safety_identifier\":7,\"y\":[{\"user\":2}]}"),
         SPAN_LIT("{\"x\":{\"user\":1},\"y\":[{\"user\":2}]}")},
        /* The key as it reads, not as it is spelled. */
        {SPAN_LIT("{\"model\":\"m\",\"u\\u0073er\":\"a\"}"), SPAN_LIT("{\"model\":\"m\"}")},
    };
    struct buf out = BUF_INIT(4096);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct splice list[DIALECT_IDENTITY_MAX];
        size_t count = 0;
        assert_int_equal(dialect_openai_chat.strip_identity(walker, cases[i].body, list,
                                                            DIALECT_IDENTITY_MAX, &count),
                         0);
        buf_clear(&out);
        assert_int_equal(splice_apply(cases[i].body, list, count, &out), 0);
        assert_span(buf_span(&out), cases[i].left);
    }
    buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_string_of_a_request_is_given),
        cmocka_unit_test(what_the_gateway_must_know_is_returned),
        cmocka_unit_test(the_callback_can_stop),
        cmocka_unit_test(errors_tell_their_place),
        cmocka_unit_test(messages_are_told_as_wholes),
        cmocka_unit_test(names_of_end_users_are_taken_out),
        cmocka_unit_test(routes_are_exact),
    };
    return cmocka_run_group_tests(tests, walker_make, walker_free);
}
