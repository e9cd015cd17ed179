/* What each adapter writes and reads. What is not exactly an answer is never a safe one. */
#include "../unit.h"

#include "opinion/adapter.h"
#include "json/value.h"

#include <errno.h>

static void expect(const struct opinion_adapter *a, const char *body, const char *category,
                   unsigned percent)
{
    struct opinion_verdict v;
    int r = a->read(span_str(body), &v);
    if (r != 0)
        fail_msg("%d for %s", r, body);
    if (!category) {
        if (v.count)
            fail_msg("%s %u for %s", v.scores[0].category, v.scores[0].percent, body);
        return;
    }
    for (size_t i = 0; i < v.count; i++)
        if (strcmp(v.scores[i].category, category) == 0) {
            assert_int_equal(v.scores[i].percent, percent);
            return;
        }
    fail_msg("no %s for %s", category, body);
}

static void expect_malformed(const struct opinion_adapter *a, const char *body)
{
    struct opinion_verdict v;
    int r = a->read(span_str(body), &v);
    if (r != -EBADMSG)
        fail_msg("%d for %s", r, body);
}

/* Of any adapter. */
static const char *const nothing[] = {
    "",      " ",        "null", "true",     "safe",   "[]",
    "{}",    "\"safe\"", "0",    "{\"a\":1", "<html>", "{\"error\":{\"message\":\"overloaded\"}}",
    "{} {}", "\xff\xfe",
};

static void nothing_is_safe(void **state)
{
    const struct opinion_adapter *const all[] = {&opinion_moderations, &opinion_qwen3guard,
                                                 &opinion_llamaguard, &opinion_webhook};
    for (size_t i = 0; i < 4; i++)
        for (size_t j = 0; j < sizeof(nothing) / sizeof(*nothing); j++)
            expect_malformed(all[i], nothing[j]);
}

#define RESULT(inside) "{\"id\":\"modr-1\",\"model\":\"m\",\"results\":[{" inside "}]}"

static void reads_moderations(void **state)
{
    const struct opinion_adapter *a = &opinion_moderations;
    expect(a, RESULT("\"flagged\":false,\"categories\":{}"), NULL, 0);
    expect(a,
           RESULT("\"flagged\":true,\"categories\":{\"violence\":true,\"hate\":false},"
                  "\"category_scores\":{\"violence\":0.873,\"hate\":1.5e-7}"),
           "violence", 100);
    /* An objection stands, however low its score; where there is none the score counts. */
    expect(a,
           RESULT("\"flagged\":true,\"categories\":{\"sexual/minors\":true},"
                  "\"category_scores\":{\"sexual/minors\":0.004}"),
           "sexual/minors", 100);
    expect(a,
           RESULT("\"flagged\":true,\"categories\":{\"violence\":true,\"hate\":false},"
                  "\"category_scores\":{\"violence\":0,\"hate\":0.02}"),
           "violence", 100);
    expect(a,
           RESULT("\"flagged\":false,\"categories\":{\"hate\":false},"
                  "\"category_scores\":{\"hate\":0.31}"),
           "hate", 31);
    expect(a, RESULT("\"flagged\":true,\"categories\":{\"sexual\":true}"), "sexual", 100);
    expect(a, RESULT("\"flagged\":true,\"categories\":{\"illicit\":null}"), "flagged", 100);
    expect(a, RESULT("\"flagged\":true,\"categories\":{}"), "flagged", 100);
    /* Scores of categories that are not listed. */
    expect(a, RESULT("\"flagged\":false,\"categories\":{},\"category_scores\":{\"new\":1}"), "new",
           100);
    expect(a, RESULT("\"flagged\":false,\"categories\":{},\"category_scores\":{\"new\":0.001}"),
           NULL, 0);
    static const char *const bad[] = {
        "{\"results\":[]}",
        "{\"results\":{}}",
        "{\"results\":[null]}",
        "{\"results\":[{\"flagged\":false,\"categories\":{}},{\"flagged\":false,\"categories\":{}}"
        "]}",
        RESULT("\"flagged\":false"),
        RESULT("\"categories\":{}"),
        RESULT("\"flagged\":\"false\",\"categories\":{}"),
        RESULT("\"flagged\":null,\"categories\":{}"),
        RESULT("\"flagged\":false,\"flagged\":true,\"categories\":{}"),
        RESULT("\"flagged\":false,\"categories\":[]"),
        RESULT("\"flagged\":false,\"categories\":{\"hate\":0}"),
        RESULT("\"flagged\":true,\"categories\":{\"a\":true},\"category_scores\":{\"a\":1.01}"),
        RESULT("\"flagged\":true,\"categories\":{\"a\":true},\"category_scores\":{\"a\":-1}"),
        RESULT("\"flagged\":false,\"categories\":{\"hate\":\"no\"}"),
        RESULT("\"flagged\":false,\"categories\":{},\"category_scores\":[]"),
        RESULT("\"flagged\":false,\"categories\":{},\"category_scores\":{\"a\":1.01}"),
        RESULT("\"flagged\":false,\"categories\":{},\"category_scores\":{\"a\":-0.01}"),
        RESULT("\"flagged\":false,\"categories\":{},\"category_scores\":{\"a\":\"0\"}"),
        RESULT("\"flagged\":false,\"categories\":{\"a\":false},\"category_scores\":{\"a\":false}"),
        RESULT("\"flagged\":false,\"categories\":{},\"category_scores\":{\"\":1}"),
        RESULT("\"flagged\":false,\"categories\":{},\"category_scores\":"
               "{\"a name that is longer than any category has ever been given\":1}"),
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        expect_malformed(a, bad[i]);
}

static void too_many_categories_are_no_answer(void **state)
{
    struct buf b = BUF_INIT(65536);
    for (int count = OPINION_SCORES_MAX; count <= OPINION_SCORES_MAX + 1; count++) {
        struct opinion_verdict v;
        buf_clear(&b);
        buf_append(&b, SPAN_LIT("{\"flagged\":true,\"categories\":{"));
        for (int i = 0; i < count; i++)
            buf_printf(&b, "%s\"c%d\":0.5", i ? "," : "", i);
        buf_append(&b, SPAN_LIT("}}"));
        assert_int_equal(opinion_webhook.read(buf_span(&b), &v),
                         count > OPINION_SCORES_MAX ? -EBADMSG : 0);
    }
    buf_deinit(&b);
}

#define CHAT(text)                                                                                 \
    "{\"object\":\"chat.completion\",\"choices\":[{\"index\":0,\"message\":{\"role\":"             \
    "\"assistant\",\"content\":\"" text "\"},\"finish_reason\":\"stop\"}]}"

static void reads_qwen3guard(void **state)
{
    const struct opinion_adapter *a = &opinion_qwen3guard;
    expect(a, CHAT("Safety: Safe\\nCategories: None"), NULL, 0);
    expect(a, CHAT("Safety: Safe\\nCategories: None\\nRefusal: No"), NULL, 0);
    expect(a, CHAT("\\nSafety:  Safe \\r\\nCategories: None\\n\\n"), NULL, 0);
    expect(a, CHAT("Safety: Unsafe\\nCategories: Violent"), "Violent", 100);
    expect(a, CHAT("Safety: Controversial\\nCategories: Politically Sensitive Topics"),
           "Politically Sensitive Topics", 50);
    expect(a, CHAT("Safety: Unsafe\\nCategories: Violent, Suicide & Self-Harm\\nRefusal: Yes"),
           "Suicide & Self-Harm", 100);
    expect(a, CHAT("Safety: Unsafe\\nCategories: None"), "Unsafe", 100);
    static const char *const bad[] = {
        CHAT(""),
        CHAT("Safe"),
        CHAT("Safety: Safe"),
        CHAT("Categories: None"),
        CHAT("Safety: safe\\nCategories: None"),
        CHAT("Safety: Safe\\nCategories: Violent"),
        CHAT("Safety: Safe\\nSafety: Unsafe\\nCategories: None"),
        CHAT("Safety: Unsafe\\nCategories:"),
        CHAT("Safety: Unsafe\\nCategories: Violent,,"),
        CHAT("Safety: Unknown\\nCategories: None"),
        CHAT("I can't say. Safety: Safe Categories: None"),
        "{\"choices\":[{\"message\":{\"content\":\"Safety: Safe\\nCategories: None\"},"
        "\"finish_reason\":\"length\"}]}",
        "{\"choices\":[{\"message\":{\"content\":\"Safety: Safe\\nCategories: None\"}}]}",
        "{\"choices\":[{\"message\":{\"content\":null},\"finish_reason\":\"stop\"}]}",
        "{\"choices\":[{\"finish_reason\":\"stop\"}]}",
        "{\"choices\":[]}",
        "{\"choices\":{\"message\":1}}",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        expect_malformed(a, bad[i]);
}

static void reads_llamaguard(void **state)
{
    const struct opinion_adapter *a = &opinion_llamaguard;
    expect(a, CHAT("safe"), NULL, 0);
    expect(a, CHAT("\\n\\nsafe\\n"), NULL, 0);
    expect(a, CHAT("\\n\\nunsafe\\nS1,S10"), "S10", 100);
    expect(a, CHAT("unsafe\\nS1, S10 "), "S1", 100);
    expect(a, CHAT("unsafe"), "unsafe", 100);
    static const char *const bad[] = {
        CHAT(""),         CHAT("Safe"),         CHAT("safe\\nS1"),          CHAT("safe unsafe"),
        CHAT("not safe"), CHAT("unsafe\\nS1,"), CHAT("unsafe\\nS1\\nmore"), CHAT("unsafe S1"),
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        expect_malformed(a, bad[i]);
}

static void reads_webhook(void **state)
{
    const struct opinion_adapter *a = &opinion_webhook;
    expect(a, "{\"flagged\":false}", NULL, 0);
    expect(a, "{\"flagged\":true}", "flagged", 100);
    expect(a, "{\"flagged\":true,\"categories\":{\"涉政\":0.505}}", "涉政", 51);
    expect(a, "{\"flagged\":false,\"categories\":{\"x\":1}}", "x", 100);
    static const char *const bad[] = {
        "{\"flagged\":1}",
        "{\"flagged\":\"no\"}",
        "{\"flagged\":false,\"categories\":[]}",
        "{\"flagged\":false,\"categories\":{\"x\":2}}",
        "{\"flagged\":false,\"categories\":{\"x\":true}}",
        "{\"categories\":{}}",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        expect_malformed(a, bad[i]);
}

static void writes_questions(void **state)
{
    static const struct {
        unsigned kind;
        enum direction direction;
        const char *want;
    } rows[] = {
        {OPINION_MODERATIONS, DIRECTION_PROMPT, "{\"model\":\"m\",\"input\":\"a \\\"b\\\"\"}"},
        {OPINION_QWEN3GUARD, DIRECTION_PROMPT,
         "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"a \\\"b\\\"\"}],"
         "\"stream\":false,\"temperature\":0,\"max_tokens\":128}"},
        {OPINION_LLAMAGUARD, DIRECTION_COMPLETION,
         "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"why?\"},{\"role\":"
         "\"assistant\",\"content\":\"a \\\"b\\\"\"}],\"stream\":false,\"temperature\":0,"
         "\"max_tokens\":128}"},
        {OPINION_WEBHOOK, DIRECTION_COMPLETION,
         "{\"direction\":\"completion\",\"role\":\"assistant\",\"text\":\"a "
         "\\\"b\\\"\",\"prompt\":\"why?\",\"model\":"
         "\"m\"}"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct config_opinion source = {.kind = rows[i].kind, .model = SPAN_LIT("m")};
        struct opinion_turn asked = {false, SPAN_LIT("why?")};
        bool answer = rows[i].direction == DIRECTION_COMPLETION;
        struct opinion_question q = {.direction = rows[i].direction,
                                     .role = answer ? ROLE_ASSISTANT : ROLE_USER,
                                     .turns = &asked,
                                     .turn_count = answer && opinion_adapter(&source)->converses,
                                     .text = SPAN_LIT("a \"b\""),
                                     .prompt = SPAN_LIT("why?")};
        struct buf out = BUF_INIT(4096);
        assert_int_equal(opinion_adapter(&source)->write(&source, &q, &out), 0);
        assert_span(buf_span(&out), span_str(rows[i].want));
        buf_deinit(&out);
    }
}

/* A conversation goes to those who take one, in turns; a text that nobody asked for behind none. */
static void writes_conversations(void **state)
{
    static const struct opinion_turn before[] = {
        {false, SPAN_LIT("one")}, {true, SPAN_LIT("two")}, {false, SPAN_LIT("three")}};
    static const struct {
        size_t turns;
        enum role role;
        const char *want;
    } rows[] = {
        {3, ROLE_ASSISTANT,
         "[{\"role\":\"user\",\"content\":\"one\"},{\"role\":\"assistant\",\"content\":\"two\"},"
         "{\"role\":\"user\",\"content\":\"three\"},{\"role\":\"assistant\",\"content\":\"now\"}]"},
        {2, ROLE_TOOL,
         "[{\"role\":\"user\",\"content\":\"one\"},{\"role\":\"assistant\",\"content\":\"two\"},"
         "{\"role\":\"user\",\"content\":\"now\"}]"},
        {0, ROLE_ASSISTANT,
         "[{\"role\":\"user\",\"content\":\"\"},{\"role\":\"assistant\",\"content\":\"now\"}]"},
        {0, ROLE_SYSTEM, "[{\"role\":\"user\",\"content\":\"now\"}]"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct config_opinion source = {.kind = OPINION_LLAMAGUARD, .model = SPAN_LIT("m")};
        struct opinion_question q = {.direction = DIRECTION_PROMPT,
                                     .role = rows[i].role,
                                     .text = SPAN_LIT("now"),
                                     .turns = before,
                                     .turn_count = rows[i].turns};
        struct buf out = BUF_INIT(4096);
        assert_int_equal(opinion_adapter(&source)->write(&source, &q, &out), 0);
        assert_true(span_find(buf_span(&out), span_str(rows[i].want)) < out.len);
        buf_deinit(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_safe),
        cmocka_unit_test(reads_moderations),
        cmocka_unit_test(too_many_categories_are_no_answer),
        cmocka_unit_test(reads_qwen3guard),
        cmocka_unit_test(reads_llamaguard),
        cmocka_unit_test(reads_webhook),
        cmocka_unit_test(writes_questions),
        cmocka_unit_test(writes_conversations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
