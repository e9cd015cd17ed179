/* What must hold for any body, tried on random ones with jansson as the witness. */
#include "items.h"

#include "dialect/splice.h"
#include "dialect/words.h"
#include "json/value.h"

#include <stdio.h>

static uint64_t seed = 20261124;

static unsigned pick(unsigned n)
{
    return (unsigned)((random_next(&seed) >> 33) % n);
}

/* A string with its quotes. Pieces in every spelling that JSON has. */
static void random_string(struct buf *out, const char *kind)
{
    static const char *const pieces[] = {
        "a",       "Z ", "毒", "\\u6bd2", "\\ud83d\\ude00", "😀",   "\\n", "\\\"", "\\\\", "\\/",
        "\\u0001", "é",  "0",  "data:",   "\\uD83D\\uDE00", "\\t."};
    assert_int_equal(buf_printf(out, "\"%s", kind), 0);
    for (unsigned n = pick(6); n > 0; n--)
        assert_int_equal(buf_append(out, span_str(pieces[pick(sizeof(pieces) / sizeof(*pieces))])),
                         0);
    assert_int_equal(buf_append_char(out, '"'), 0);
}

/* A random value, made without recursion: a stack of what is still to close. */
static void random_value(struct buf *out)
{
    char stack[8];
    unsigned depth = 0, items = 0, serial = 0;
    bool first = true;
    do {
        bool closing = depth > 0 && (items > 60 || pick(4) == 0);
        if (closing) {
            assert_int_equal(buf_append_char(out, stack[--depth]), 0);
            first = false;
            continue;
        }
        items++;
        if (!first)
            assert_int_equal(buf_append_char(out, ','), 0);
        if (depth > 0 && stack[depth - 1] == '}') {
            /* A number makes each key its own. */
            char kind[16];
            (void)snprintf(kind, sizeof(kind), "k%u", serial++);
            random_string(out, kind);
            assert_int_equal(buf_append_char(out, ':'), 0);
        }
        first = false;
        unsigned what = pick(10);
        if (what < 4 && depth < sizeof(stack)) {
            stack[depth++] = what & 1 ? ']' : '}';
            assert_int_equal(buf_append_char(out, what & 1 ? '[' : '{'), 0);
            first = true;
        } else if (what < 8) {
            random_string(out, "");
        } else {
            assert_int_equal(buf_append(out, what == 8 ? SPAN_LIT("-1.5") : SPAN_LIT("null")), 0);
        }
    } while (depth > 0);
}

/* All texts that were given, one after the other behind a separator that no text holds. */
static int gather(void *ctx, const struct text_item *item)
{
    struct buf *out = ctx;
    assert_int_equal(buf_append(out, item->text), 0);
    assert_int_equal(buf_append_char(out, '\0'), 0);
    return 0;
}

static void must_be_there(const struct buf *given, struct span text)
{
    if (text.len == 0)
        return;
    bool found = false;
    for (struct span rest = buf_span(given), one; !found && span_split(&rest, '\0', &one);)
        found = span_eq(one, text);
    if (!found)
        fail_msg("\"%.*s\" was not given", SPAN_ARG(text));
}

struct search {
    const struct buf *given;
    const struct json_value *todo[4096];
    size_t count;
};

static int search_member(void *ctx, struct span key, const struct json_value *value)
{
    struct search *s = ctx;
    if (!word_known(key))
        must_be_there(s->given, key);
    s->todo[s->count++] = value;
    return 0;
}

static void all_must_be_there(const struct buf *given, struct span json)
{
    struct json_value *root = value_parse(json, NULL);
    assert_non_null(root);
    struct search s = {.given = given};
    s.todo[s.count++] = root;
    while (s.count > 0) {
        const struct json_value *v = s.todo[--s.count];
        struct span text;
        if (value_get_string(v, &text))
            must_be_there(given, text);
        if (value_is_object(v))
            assert_int_equal(value_each(v, search_member, &s), 0);
        for (size_t i = 0; value_is_array(v) && i < value_count(v); i++)
            s.todo[s.count++] = value_at(v, i);
    }
    value_free(root);
}

static void unknown_values_hide_nothing(void **state)
{
    static const char *const requests[] = {
        "{\"x\":%s,\"model\":\"m\",\"messages\":[]}",
        "{\"tools\":[%s],\"model\":\"m\",\"messages\":[]}",
        "{\"metadata\":{\"y\":%s},\"model\":\"m\",\"messages\":[]}",
        "{\"response_format\":%s,\"model\":\"m\",\"messages\":[]}",
        "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"name\":%s}]}",
        "{\"model\":\"m\",\"messages\":[{\"thing\":%s,\"role\":\"assistant\"}]}",
        "{\"model\":\"m\",\"messages\":[{\"role\":\"tool\",\"content\":[{\"x\":%s}]}]}",
        "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":%s}]}]}",
        "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":[{\"file\":{\"x\":%s}}]}]}",
        "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":[{\"image_url\":{\"url\":"
        "\"\","
        "\"detail\":%s}}]}]}",
        "{\"model\":\"m\",\"messages\":[{\"role\":\"assistant\",\"tool_calls\":[{\"function\":%s}]}"
        "]}",
        "{\"model\":\"m\",\"messages\":[{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"\","
        "\"function\":{\"name\":%s}}]}]}",
        "{\"model\":\"m\",\"messages\":[{\"role\":\"assistant\",\"tool_calls\":[{\"index\":[%s],"
        "\"id\":\"x\"}]}]}",
        "{\"model\":\"m\",\"messages\":[{\"role\":\"assistant\",\"audio\":[%s]}]}",
        "{\"model\":\"m\",\"messages\":[{\"role\":\"assistant\",\"encrypted_content\":[%s]}]}",
    };
    static const char *const answers[] = {
        "{\"x\":%s}",
        "{\"usage\":%s}",
        "{\"error\":%s}",
        "{\"moderation\":{\"x\":%s}}",
        "{\"choices\":[{\"x\":%s}]}",
        "{\"choices\":[{\"logprobs\":%s}]}",
        "{\"choices\":[{\"logprobs\":{\"content\":[{\"token\":%s}]}}]}",
        "{\"choices\":[{\"logprobs\":{\"content\":[{\"top_logprobs\":%s}]}}]}",
        "{\"choices\":[{\"message\":{\"x\":%s}}]}",
        "{\"choices\":[{\"delta\":{\"annotations\":%s}}]}",
        "{\"choices\":[{\"message\":{\"tool_calls\":[{\"function\":{\"arguments\":%s}}]}}]}",
        "{\"choices\":[{\"content_filter_results\":%s}]}",
        "{\"choices\":[{\"message\":{\"audio\":%s}}]}",
        "{\"choices\":[{\"message\":{\"reasoning_details\":%s}}]}",
        "{\"created\":[%s],\"id\":0}",
        "{\"model\":[%s]}",
        "{\"code\":{\"x\":%s}}",
        "{\"obfuscation\":[%s]}",
        "{\"base_resp\":%s}",
        "{\"prompt_filter_results\":%s}",
        "{\"content_filter\":[%s]}",
        "{\"choices\":[{\"index\":{\"x\":%s}}]}",
        "{\"choices\":[{\"flag\":%s,\"index\":1}]}",
        "{\"choices\":[{\"finish_reason\":%s}]}",
        "{\"choices\":[{\"moderation_hit_type\":%s}]}",
        "{\"choices\":[{\"logprobs\":{\"content\":[{\"bytes\":%s}]}}]}",
        "{\"choices\":[{\"logprobs\":{\"tokens\":%s}}]}",
        "{\"choices\":[{\"message\":{\"role\":%s}}]}",
        "{\"choices\":[{\"message\":{\"content\":%s}}]}",
        "{\"choices\":[{\"message\":{\"reasoning\":%s}}]}",
        "{\"choices\":[{\"message\":{\"tool_calls\":[{\"index\":{\"x\":%s},\"id\":\"\"}]}}]}",
        "{\"choices\":[{\"message\":{\"function_call\":%s}}]}",
    };
    const size_t request_count = sizeof(requests) / sizeof(*requests);
    const size_t count = request_count + sizeof(answers) / sizeof(*answers);
    struct json_walk *w = json_walk_new(NULL, NULL);
    assert_non_null(w);
    for (int round = 0; round < 6000; round++) {
        size_t which = (size_t)round % count;
        struct buf value = BUF_INIT(1 << 20), body = BUF_INIT(1 << 20), given = BUF_INIT(1 << 20);
        random_value(&value);
        assert_int_equal(buf_reserve(&value, 1), 0);
        value.data[value.len] = '\0';
        bool request = which < request_count;
        const char *form = request ? requests[which] : answers[which - request_count];
        const char *hole = strstr(form, "%s");
        assert_int_equal(buf_append(&body, span_from(form, (size_t)(hole - form))), 0);
        assert_int_equal(buf_append(&body, buf_span(&value)), 0);
        assert_int_equal(buf_append(&body, span_str(hole + 2)), 0);
        struct arena arena;
        arena_init(&arena, 1 << 20);
        struct dialect_error error;
        struct dialect_request r;
        struct dialect_event e;
        int rc = request ? dialect_openai_chat.read_request(w, buf_span(&body), &arena, &r, &error,
                                                            gather, &given)
                         : dialect_openai_chat.read_answer(w, buf_span(&body), &arena, &e, &error,
                                                           gather, &given);
        /* A known field of the wrong type may be refused; what passes was given whole. */
        if (rc == 0)
            all_must_be_there(&given, buf_span(&value));
        else
            assert_int_equal(error.json, JSON_OK);
        arena_deinit(&arena);
        buf_deinit(&value);
        buf_deinit(&body);
        buf_deinit(&given);
    }
    json_walk_free(w);
}

struct change {
    struct span body;
    struct splice list[64];
    size_t count;
    bool cut;
};

static int change_item(void *ctx, const struct text_item *item)
{
    struct change *c = ctx;
    if (!item->maskable || c->count >= 60)
        return 0;
    size_t from = utf8_floor(item->text, pick((unsigned)item->text.len + 1));
    size_t to = utf8_floor(item->text, from + pick((unsigned)(item->text.len - from) + 1));
    int rc = c->cut ? splice_cut(c->body, item, from, c->list, 64, &c->count)
                    : splice_mask(c->body, item, from, to, c->list, 64, &c->count);
    assert_int_equal(rc, 0);
    return 0;
}

/* Both texts have the same tokens but for what their strings say. */
static void same_structure(struct json_walk *a, struct json_walk *b, struct span x, struct span y)
{
    json_walk_reset(a, x);
    json_walk_reset(b, y);
    struct json_item i, j;
    do {
        assert_int_equal(json_walk_next(a, &i), 0);
        assert_int_equal(json_walk_next(b, &j), 0);
        assert_int_equal(i.token, j.token);
        if (i.token != JSON_STRING)
            assert_span(i.raw, j.raw);
        else
            assert_true(utf8_count(j.text) <= utf8_count(i.text));
    } while (i.token != JSON_END);
}

static void masks_and_cuts_keep_the_structure(void **state)
{
    struct json_walk *w = json_walk_new(NULL, NULL), *a = json_walk_new(NULL, NULL),
                     *b = json_walk_new(NULL, NULL);
    assert_true(w && a && b);
    for (int round = 0; round < 3000; round++) {
        struct buf body = BUF_INIT(1 << 20), out = BUF_INIT(1 << 20);
        assert_int_equal(buf_append(&body, SPAN_LIT("{\"choices\":[{\"message\":{\"content\":")),
                         0);
        random_string(&body, "");
        assert_int_equal(buf_append(&body, SPAN_LIT(",\"refusal\":")), 0);
        random_string(&body, "毒品 ");
        assert_int_equal(buf_append(&body, SPAN_LIT(",\"x\":")), 0);
        random_value(&body);
        assert_int_equal(buf_append(&body, SPAN_LIT("}}]}")), 0);
        struct arena arena;
        arena_init(&arena, 1 << 20);
        struct change c = {.body = buf_span(&body), .cut = round % 2};
        struct dialect_event e;
        struct dialect_error error;
        assert_int_equal(
            dialect_openai_chat.read_answer(w, c.body, &arena, &e, &error, change_item, &c), 0);
        assert_int_equal(splice_apply(c.body, c.list, c.count, &out), 0);
        same_structure(a, b, c.body, buf_span(&out));
        struct json_value *v = value_parse(buf_span(&out), NULL);
        assert_non_null(v);
        value_free(v);
        arena_deinit(&arena);
        buf_deinit(&body);
        buf_deinit(&out);
    }
    json_walk_free(w);
    json_walk_free(a);
    json_walk_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unknown_values_hide_nothing),
        cmocka_unit_test(masks_and_cuts_keep_the_structure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
