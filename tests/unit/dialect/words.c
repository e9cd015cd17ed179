#include "../unit.h"

#include "dialect/words.h"

/* Found by bisection: a word out of order would be missed. */
static void words_of_each_end_and_middle_are_found(void **state)
{
    static const char *const keys[] = {
        "$defs", "usage",    "id",          "type", "properties", "choices", "web_search_options",
        "voice", "logprobs", "tool_call_id"};
    for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
        assert_true(word_known(span_str(keys[i])));
    static const char *const constants[] = {"any",  "assistant",      "user", "stop",
                                            "safe", "content_filter", "wav",  "video_url"};
    for (size_t i = 0; i < sizeof(constants) / sizeof(*constants); i++)
        assert_true(word_constant(span_str(constants[i])));
    static const char *const categories[] = {"categories", "hate", "violence/graphic", "sexual"};
    for (size_t i = 0; i < sizeof(categories) / sizeof(*categories); i++)
        assert_true(word_category(span_str(categories[i])));
    static const char *const others[] = {"", "a", "Type", "types", "zz", "assistant ", "hate"};
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
        assert_false(word_known(span_str(others[i])));
        assert_false(word_constant(span_str(others[i])));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_of_each_end_and_middle_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
