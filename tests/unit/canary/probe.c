/* What a probe says, and which of all that may come of it is a miss. */
#include "../unit.h"

#include "canary/probe.h"

#define MODEL SPAN_LIT("m\"1")
#define WORD  "琥珀\"x"

static void test_request(void **state)
{
    struct buf out = BUF_INIT(65536);
    struct probe p = {.direction = DIRECTION_PROMPT, .word = SPAN_LIT(WORD), .need = ACTION_BLOCK};
    assert_int_equal(probe_write_request(&p, MODEL, &out), 0);
    assert_span(buf_span(&out), SPAN_LIT("{\"model\":\"m\\\"1\",\"messages\":[{\"role\":\"user\","
                                         "\"content\":\"琥珀\\\"x\"}]}"));
    buf_clear(&out);
    p.direction = DIRECTION_COMPLETION;
    p.stream = true;
    assert_int_equal(probe_write_request(&p, MODEL, &out), 0);
    assert_int_equal(span_find(buf_span(&out), SPAN_LIT("琥珀")), out.len); /* the model says it */
    assert_true(span_find(buf_span(&out), SPAN_LIT("\"stream\":true")) < out.len);
    buf_deinit(&out);
}

/* A character an event, so that no event has two of the word's. */
static void test_streamed_answer(void **state)
{
    struct buf out = BUF_INIT(65536);
    struct probe p = {.direction = DIRECTION_COMPLETION,
                      .stream = true,
                      .word = SPAN_LIT(WORD),
                      .need = ACTION_BLOCK};
    assert_int_equal(probe_write_answer(&p, MODEL, &out), 0);
    struct span text = buf_span(&out);
    assert_int_equal(span_find(text, SPAN_LIT("琥珀")), text.len);
    static const char *const parts[] = {"\"琥\"", "\"珀\"",   "\"\\\"\"", "\"x\"",
                                        "天气",   "\"stop\"", "[DONE]"};
    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
        size_t at = span_find(text, span_str(parts[i]));
        if (at == text.len)
            fail_msg("%s is missing, or out of order", parts[i]);
        text = span_slice(text, at, text.len);
    }
    buf_deinit(&out);
}

struct verdict {
    const char *name;
    struct probe probe;
    struct probe_seen seen;
    const char *wrong; /* NULL: as it must be */
};

#define PASSES                                                                                     \
    SPAN_LIT("{\"choices\":[{\"message\":{\"role\":\"assistant\",\"content\":\"早上好，"       \
             "很高兴见到您。\"}}]}")
#define REFUSAL                                                                                    \
    SPAN_LIT("{\"choices\":[{\"message\":{\"content\":\"抱歉\"},\"finish_reason\":"              \
             "\"content_filter\"}]}")
#define ERROR(code) SPAN_LIT("{\"error\":{\"message\":\"no\",\"code\":\"" code "\"}}")
#define EVENT(text) "data: {\"choices\":[{\"delta\":{\"content\":\"" text "\"}}]}\n\n"
#define SAID(need_)                                                                                \
    {                                                                                              \
        .direction = DIRECTION_PROMPT, .word = SPAN_LIT(WORD), .need = (need_)                     \
    }
#define ANSWERED(need_, stream_)                                                                   \
    {                                                                                              \
        .direction = DIRECTION_COMPLETION, .stream = (stream_), .word = SPAN_LIT(WORD),            \
        .need = (need_)                                                                            \
    }
#define BODY SPAN_LIT("{\"content\":\"琥珀\\\"x\"}")

static const struct verdict verdicts[] = {
    {"innocent", {0}, {true, BODY, 200, ACTION_ALLOW, PASSES}, NULL},
    {"innocent, refused",
     {0},
     {false, {0}, 200, ACTION_BLOCK, REFUSAL},
     "an innocent text does not go through"},
    {"innocent, altered",
     {0},
     {true, BODY, 200, ACTION_MASK, PASSES},
     "an innocent text does not go through"},
    {"innocent, another's answer",
     {0},
     {true, BODY, 200, ACTION_ALLOW, REFUSAL},
     "an innocent text does not go through"},
    {"nothing came", SAID(ACTION_BLOCK), {0}, "no answer came"},
    {"refused", SAID(ACTION_BLOCK), {false, {0}, 200, ACTION_BLOCK, REFUSAL}, NULL},
    {"refused with an error",
     SAID(ACTION_BLOCK),
     {false, {0}, 400, ACTION_BLOCK, ERROR("content_filter")},
     NULL},
    {"another error",
     SAID(ACTION_BLOCK),
     {false, {0}, 400, ACTION_BLOCK, ERROR("bad_json")},
     "the route fails"},
    {"overloaded",
     SAID(ACTION_BLOCK),
     {false, {0}, 503, ACTION_BLOCK, ERROR("overloaded")},
     "the route fails"},
    {"passed on",
     SAID(ACTION_BLOCK),
     {true, BODY, 200, ACTION_ALLOW, PASSES},
     "it reached the model"},
    {"passed on, and then refused",
     SAID(ACTION_BLOCK),
     {true, BODY, 200, ACTION_BLOCK, REFUSAL},
     "it reached the model"},
    {"only masked",
     SAID(ACTION_BLOCK),
     {true, SPAN_LIT("{\"content\":\"****\"}"), 200, ACTION_MASK, PASSES},
     "the model was asked"},
    {"masked",
     SAID(ACTION_MASK),
     {true, SPAN_LIT("{\"content\":\"****\"}"), 200, ACTION_MASK, PASSES},
     NULL},
    {"not even flagged",
     SAID(ACTION_FLAG),
     {true, BODY, 200, ACTION_ALLOW, PASSES},
     "less was done than the policy says"},
    {"flagged", SAID(ACTION_FLAG), {true, BODY, 200, ACTION_FLAG, PASSES}, NULL},
    {"answered instead of blocked",
     SAID(ACTION_BLOCK),
     {false, {0}, 200, ACTION_ANSWER, REFUSAL},
     "less was done than the policy says"},
    {"answer blocked",
     ANSWERED(ACTION_BLOCK, false),
     {true, BODY, 200, ACTION_BLOCK, REFUSAL},
     NULL},
    {"answer delivered",
     ANSWERED(ACTION_BLOCK, false),
     {true, BODY, 200, ACTION_ALLOW, SPAN_LIT("{\"content\":\"琥珀\\\"x\"}")},
     "it was delivered"},
    {"never asked",
     ANSWERED(ACTION_BLOCK, false),
     {false, {0}, 200, ACTION_BLOCK, REFUSAL},
     "the route does not reach the model"},
    {"stream cut",
     ANSWERED(ACTION_BLOCK, true),
     {true, BODY, 200, ACTION_ALLOW, SPAN_LIT(EVENT("早上好， ") EVENT("抱歉"))},
     NULL},
    {"stream delivered in pieces",
     ANSWERED(ACTION_BLOCK, true),
     {true, BODY, 200, ACTION_ALLOW, SPAN_LIT(EVENT("琥") EVENT("珀") EVENT("\\\"") EVENT("x"))},
     "it was delivered"},
    {"stream goes on behind it",
     ANSWERED(ACTION_BLOCK, true),
     {true, BODY, 200, ACTION_ALLOW, SPAN_LIT(EVENT("早上好， ") EVENT(" 今天天气很好"))},
     "what stands behind it was delivered"},
    {"stream masked",
     ANSWERED(ACTION_MASK, true),
     {true, BODY, 200, ACTION_ALLOW, SPAN_LIT(EVENT("****") EVENT(" 今天天气很好"))},
     NULL},
    {"answer not flagged",
     ANSWERED(ACTION_FLAG, false),
     {true, BODY, 200, ACTION_ALLOW, PASSES},
     "less was done than the policy says"},
};

static void test_verdicts(void **state)
{
    for (size_t i = 0; i < sizeof(verdicts) / sizeof(*verdicts); i++) {
        const struct verdict *v = &verdicts[i];
        const char *wrong = probe_check(&v->probe, &v->seen);
        if (!span_eq(span_str(wrong), span_str(v->wrong)))
            fail_msg("%s: \"%s\", not \"%s\"", v->name, wrong ? wrong : "",
                     v->wrong ? v->wrong : "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request),
        cmocka_unit_test(test_streamed_answer),
        cmocka_unit_test(test_verdicts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
