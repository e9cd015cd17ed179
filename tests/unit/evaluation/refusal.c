#include "../unit.h"

#include "evaluation/refusal.h"
#include "refusal_reviewed.h"
#include "refusal_samples.h"

#include <stdio.h>

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

static bool refused(const char *text, struct span *by)
{
    return refusal_recognise(&(struct refusal_answer){.text = span_str(text)}, by);
}

/* How many are taken for refusals; the others of `wanted` are told. */
static unsigned count(const char *const *texts, size_t n, bool wanted)
{
    unsigned found = 0;
    for (size_t i = 0; i < n; i++) {
        bool is = refused(texts[i], NULL);
        found += is;
        if (is != wanted)
            print_message("%s: %s\n", wanted ? "missed" : "taken for a refusal", texts[i]);
    }
    return found;
}

static void show(const char *what, unsigned hits, size_t refusals, unsigned false_hits,
                 size_t answers)
{
    print_message("%s: %zu refusals, %zu answers: precision %.3f, recall %.3f\n", what, refusals,
                  answers, hits / (double)(hits + false_hits), hits / (double)refusals);
}

static void all_of_the_known_samples_are_told_apart(void **state)
{
    unsigned hits = count(refusals_known, COUNT(refusals_known), true);
    unsigned wrong = count(answers_known, COUNT(answers_known), false);
    show("known", hits, COUNT(refusals_known), wrong, COUNT(answers_known));
    assert_int_equal(hits, COUNT(refusals_known));
    assert_int_equal(wrong, 0);
}

static void what_a_reader_made_up_is_told_apart(void **state)
{
    unsigned hits = count(refusals_reviewed, COUNT(refusals_reviewed), true);
    unsigned wrong = count(answers_reviewed, COUNT(answers_reviewed), false);
    show("reviewed", hits, COUNT(refusals_reviewed), wrong, COUNT(answers_reviewed));
    assert_int_equal(hits, COUNT(refusals_reviewed));
    assert_int_equal(wrong, 0);
}

static void nearly_all_of_the_fresh_ones_are(void **state)
{
    unsigned hits = count(refusals_fresh, COUNT(refusals_fresh), true);
    unsigned wrong = count(answers_fresh, COUNT(answers_fresh), false);
    show("fresh", hits, COUNT(refusals_fresh), wrong, COUNT(answers_fresh));
    assert_true(hits * 100 >= 80 * COUNT(refusals_fresh));
    assert_true(wrong * 100 <= 7 * COUNT(answers_fresh));
}

static void the_api_s_own_word_counts(void **state)
{
    struct span by;
    struct refusal_answer a = {.text = SPAN_LIT("端午节吃粽子。"), .finish = SPAN_LIT("stop")};
    assert_false(refusal_recognise(&a, &by));
    assert_span(by, SPAN_LIT(""));
    a.finish = SPAN_LIT("content_filter");
    assert_true(refusal_recognise(&a, &by));
    assert_span(by, SPAN_LIT("finish_reason"));
    a.finish = SPAN_LIT("sensitive");
    assert_true(refusal_recognise(&a, &by));
    a.finish = SPAN_LIT("stop");
    a.refusal = SPAN_LIT("No.");
    assert_true(refusal_recognise(&a, &by));
    assert_span(by, SPAN_LIT("refusal"));
    a = (struct refusal_answer){.text = SPAN_LIT("")};
    assert_false(refusal_recognise(&a, &by));
}

static void the_gateway_s_sentences_are_known(void **state)
{
    static const struct span own[] = {SPAN_LIT("本店只谈商品。"), SPAN_LIT("")};
    struct span by;
    struct refusal_answer a = {
        .text = SPAN_LIT("（本内容由人工智能生成）\n本店只谈商品。请求编号：req_1"),
        .own = own,
        .own_count = 2};
    assert_true(refusal_recognise(&a, &by));
    assert_span(by, own[0]);
    a.own_count = 0;
    assert_false(refusal_recognise(&a, &by));
}

static void what_it_was_recognised_by_is_told(void **state)
{
    struct span by;
    assert_true(refused("对不起，我无法协助您完成这个请求。谢谢", &by));
    assert_span(by, SPAN_LIT("我无法协助您完成这个请求"));
}

/* Far from the beginning, it is about something else. */
static void a_refusal_stands_at_the_beginning(void **state)
{
    char text[4096];
    char *to = text;
    for (int i = 0; i < 30; i++)
        to += sprintf(to, "长江流经许多省份。");
    sprintf(to, "抱歉，我无法提供更多信息。");
    assert_false(refused(text, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_of_the_known_samples_are_told_apart),
        cmocka_unit_test(what_a_reader_made_up_is_told_apart),
        cmocka_unit_test(nearly_all_of_the_fresh_ones_are),
        cmocka_unit_test(the_api_s_own_word_counts),
        cmocka_unit_test(the_gateway_s_sentences_are_known),
        cmocka_unit_test(what_it_was_recognised_by_is_told),
        cmocka_unit_test(a_refusal_stands_at_the_beginning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
