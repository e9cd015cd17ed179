#include "../unit.h"

#include <errno.h>

#include "demo/plan.h"
#include "demo/script.h"

#define CHAT(user, more)                                                                           \
    "{\"model\":\"demo\",\"messages\":[{\"role\":\"system\",\"content\":\"demo:cut\"},"            \
    "{\"role\":\"user\",\"content\":" user "}]" more "}"

static struct script_store *store;

static int make_store(void **state)
{
    store = script_store_new();
    return store ? 0 : -1;
}

static int free_store(void **state)
{
    script_store_free(store);
    return 0;
}

/* Asks with a body and gives the plan; the caller frees it. */
static int ask_plan(struct plan *p, bool chat, struct span body)
{
    struct ask a;
    struct json_value *made;
    assert_int_equal(ask_read(&a, chat, body), 0);
    const struct json_value *script = script_choose(store, buf_span(&a.text), &made);
    assert_non_null(script);
    int rc = plan_render(p, &a, script, (struct plan_pace){3, 30}, 7, 1700000000);
    value_free(made);
    ask_deinit(&a);
    return rc;
}

static void plan_of(struct plan *p, const char *body)
{
    assert_int_equal(ask_plan(p, true, span_str(body)), 0);
}

static bool contains(const struct plan *p, const char *text)
{
    return span_find(buf_span(&p->bytes), span_str(text)) < p->bytes.len;
}

static void an_ordinary_answer_is_whole(void **state)
{
    struct plan p;
    plan_of(&p, CHAT("\"demo:hello\"", ""));
    assert_true(p.whole);
    assert_int_equal(p.status, 200);
    assert_span(buf_span(&p.content_type), SPAN_LIT("application/json"));
    struct json_value *v = value_parse(buf_span(&p.bytes), NULL);
    struct span content;
    const struct json_value *choice = value_at(value_get(v, SPAN_LIT("choices")), 0);
    assert_true(value_get_string(
        value_get(value_get(choice, SPAN_LIT("message")), SPAN_LIT("content")), &content));
    assert_true(span_starts(content, SPAN_LIT("居庸关")));
    value_free(v);
    plan_deinit(&p);
}

static void the_friendly_answer_speaks_the_prompts_language(void **state)
{
    struct plan p;
    plan_of(&p, CHAT("\"Good morning\"", ""));
    assert_true(contains(&p, "You said: \\\"Good morning\\\""));
    plan_deinit(&p);
    plan_of(&p, CHAT("[{\"type\":\"text\",\"text\":\"早\"},{\"type\":\"text\",\"text\":\"上好\"}]",
                     ""));
    assert_true(contains(&p, "“早上好”"));
    plan_deinit(&p);
}

/* A stream's text is that of the unstreamed answer, whatever the size of its pieces. */
static void a_stream_says_what_the_whole_answer_says(void **state)
{
    for (int chunk = 0; chunk < 6; chunk++) {
        struct buf body = BUF_INIT(4096), said = BUF_INIT(4096);
        struct plan p;
        assert_int_equal(buf_printf(&body,
                                    CHAT("\"{\\\"demo\\\":{\\\"text\\\":\\\"一个安全的字\\\","
                                         "\\\"chunk\\\":%d}}\"",
                                         ",\"stream\":true"),
                                    chunk),
                         0);
        assert_int_equal(ask_plan(&p, true, buf_span(&body)), 0);
        assert_false(p.whole);
        struct span rest = buf_span(&p.bytes), line;
        while (span_split(&rest, '\n', &line)) {
            if (!span_starts(line, SPAN_LIT("data: {")))
                continue;
            struct json_value *v = value_parse(span_slice(line, 6, line.len), NULL);
            struct span content;
            assert_non_null(v);
            const struct json_value *choice = value_at(value_get(v, SPAN_LIT("choices")), 0);
            if (value_get_string(
                    value_get(value_get(choice, SPAN_LIT("delta")), SPAN_LIT("content")), &content))
                assert_int_equal(buf_append(&said, content), 0);
            value_free(v);
        }
        assert_span(buf_span(&said), SPAN_LIT("一个安全的字"));
        assert_true(contains(&p, "\"finish_reason\":\"stop\""));
        assert_true(contains(&p, "data: [DONE]\n\n"));
        /* role, text, finish, [DONE] */
        assert_int_equal(p.piece_count, 3 + (chunk ? (6 + chunk - 1) / chunk : 1));
        assert_int_equal(p.pieces[0].delay_ms, 30);
        assert_int_equal(p.pieces[p.piece_count - 1].end, p.bytes.len);
        buf_deinit(&body);
        buf_deinit(&said);
        plan_deinit(&p);
    }
}

static void choices_interleave_and_usage_ends(void **state)
{
    struct plan p;
    plan_of(&p, CHAT("\"{\\\"demo\\\":{\\\"choices\\\":[{\\\"text\\\":[\\\"a\\\",\\\"b\\\"]},"
                     "{\\\"text\\\":[\\\"c\\\"]}]}}\"",
                     ",\"stream\":true,\"n\":2,\"stream_options\":{\"include_usage\":true}"));
    struct span all = buf_span(&p.bytes);
    size_t a = span_find(all, SPAN_LIT("\"content\":\"a\"")),
           b = span_find(all, SPAN_LIT("\"content\":\"b\"")),
           c = span_find(all, SPAN_LIT("\"content\":\"c\"")),
           u = span_find(all, SPAN_LIT("\"choices\":[],\"usage\":{"));
    assert_true(a < c && c < b && b < u && u < all.len);
    plan_deinit(&p);
    plan_of(&p, CHAT("\"{\\\"demo\\\":{\\\"choices\\\":[{\\\"text\\\":[\\\"a\\\",\\\"b\\\"]},"
                     "{\\\"text\\\":[\\\"c\\\"]}]}}\"",
                     ""));
    all = buf_span(&p.bytes);
    assert_true(span_find(all, SPAN_LIT("\"index\":0")) < span_find(all, SPAN_LIT("\"index\":1")));
    plan_deinit(&p);
}

static void tools_reasoning_and_logprobs_have_their_places(void **state)
{
    struct plan p;
    plan_of(&p, CHAT("\"demo:tool\"", ",\"stream\":true"));
    assert_true(contains(&p, "\"tool_calls\":[{\"index\":0,\"id\":\"call_demo_1\""));
    assert_true(contains(&p, "\"finish_reason\":\"tool_calls\""));
    plan_deinit(&p);
    plan_of(&p, CHAT("\"demo:think\"", ",\"logprobs\":true"));
    assert_true(contains(&p, "\"reasoning_content\":\"The user"));
    assert_true(contains(&p, "\"bytes\":[228,189,160"));
    plan_deinit(&p);
    assert_int_equal(ask_plan(&p, false, SPAN_LIT("{\"prompt\":\"demo:hello\",\"stream\":true}")),
                     0);
    assert_true(contains(&p, "\"object\":\"text_completion\""));
    plan_deinit(&p);
}

static void faults_do_what_their_names_say(void **state)
{
    struct plan p;
#define FAULT(f, stream) CHAT("\"{\\\"demo\\\":{\\\"text\\\":\\\"abc\\\"," f "}}\"", stream)
    plan_of(&p, FAULT("\\\"fault\\\":\\\"no_done\\\"", ",\"stream\":true"));
    assert_false(contains(&p, "[DONE]"));
    plan_deinit(&p);
    plan_of(&p, FAULT("\\\"fault\\\":\\\"truncate\\\",\\\"after\\\":2", ",\"stream\":true"));
    assert_int_equal(p.end, PLAN_ABORT);
    assert_int_equal(p.piece_count, 2);
    plan_deinit(&p);
    plan_of(&p, FAULT("\\\"fault\\\":\\\"gzip\\\"", ""));
    assert_true(span_starts(buf_span(&p.bytes), SPAN_LIT("\x1f\x8b")));
    assert_span(buf_span(&p.headers[0].name), SPAN_LIT("Content-Encoding"));
    plan_deinit(&p);
    plan_of(&p, FAULT("\\\"status\\\":503", ""));
    assert_int_equal(p.status, 503);
    assert_true(contains(&p, "{\"error\":{\"message\":"));
    plan_deinit(&p);
    plan_of(&p, FAULT("\\\"split_bytes\\\":1", ",\"stream\":true"));
    assert_int_equal(p.piece_count, p.bytes.len);
    plan_deinit(&p);
    struct span bad = SPAN_LIT(FAULT("\\\"fault\\\":\\\"no such\\\"", ""));
    assert_int_equal(ask_plan(&p, true, bad), -EINVAL);
    plan_deinit(&p);
}

static void raw_bytes_and_events_are_exact(void **state)
{
    struct plan p;
    plan_of(&p,
            CHAT("\"{\\\"demo\\\":{\\\"raw\\\":\\\"ZGF0YTogeA0NCg==\\\"}}\"", ",\"stream\":true"));
    assert_span(buf_span(&p.bytes), SPAN_LIT("data: x\r\r\n"));
    plan_deinit(&p);
    plan_of(
        &p,
        CHAT("\"{\\\"demo\\\":{\\\"events\\\":[\\\"{\\\\\\\"a\\\\\\\":1}\\\",\\\"[DONE]\\\"]}}\"",
             ""));
    assert_span(buf_span(&p.bytes), SPAN_LIT("data: {\"a\":1}\n\ndata: [DONE]\n\n"));
    assert_false(p.whole);
    plan_deinit(&p);
}

static void stored_scripts_are_found_and_forgotten(void **state)
{
    struct plan p;
    assert_int_equal(script_store_put(store, SPAN_LIT("t-1"), SPAN_LIT("{\"text\":\"one\"}")), 0);
    assert_int_equal(script_store_put(store, SPAN_LIT("t-1"), SPAN_LIT("{\"text\":\"two\"}")), 0);
    assert_int_equal(script_store_put(store, SPAN_LIT("hello"), SPAN_LIT("{}")), -EINVAL);
    assert_int_equal(script_store_put(store, SPAN_LIT("a/b"), SPAN_LIT("{}")), -EINVAL);
    assert_int_equal(script_store_put(store, SPAN_LIT("t-2"), SPAN_LIT("[]")), -EINVAL);
    plan_of(&p, CHAT("\"please demo:t-1.\"", ""));
    assert_true(contains(&p, "\"content\":\"two\""));
    plan_deinit(&p);
    script_store_clear(store);
    plan_of(&p, CHAT("\"please demo:t-1.\"", ""));
    assert_true(contains(&p, "There is no script \\\"t-1\\\""));
    plan_deinit(&p);
}

static void what_is_no_request_is_refused(void **state)
{
    static const char *const bodies[] = {
        "",
        "[]",
        "{}",
        "{\"messages\":1}",
        "{\"messages\":[],\"n\":0}",
        "{\"messages\":[],\"n\":33}",
    };
    struct ask a;
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
        assert_int_equal(ask_read(&a, true, span_str(bodies[i])), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_ordinary_answer_is_whole),
        cmocka_unit_test(the_friendly_answer_speaks_the_prompts_language),
        cmocka_unit_test(a_stream_says_what_the_whole_answer_says),
        cmocka_unit_test(choices_interleave_and_usage_ends),
        cmocka_unit_test(tools_reasoning_and_logprobs_have_their_places),
        cmocka_unit_test(faults_do_what_their_names_say),
        cmocka_unit_test(raw_bytes_and_events_are_exact),
        cmocka_unit_test(stored_scripts_are_found_and_forgotten),
        cmocka_unit_test(what_is_no_request_is_refused),
    };
    return cmocka_run_group_tests(tests, make_store, free_store);
}
