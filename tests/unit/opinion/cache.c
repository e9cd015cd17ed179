/* Answers are found again by their question, for a time, and no more of them than told. */
#include "../unit.h"

#include "opinion/cache.h"

#include <stdio.h>

static struct config_opinion source = {
    .kind = OPINION_WEBHOOK, .url = SPAN_LIT("http://x/"), .cache = 3, .cache_ms = 1000};

static bool get(struct opinion_cache *c, const struct opinion_question *q, uint64_t now,
                struct opinion_verdict *v)
{
    unsigned char key[OPINION_KEY_SIZE];
    assert_int_equal(opinion_cache_key(c, &source, q, key), 0);
    return opinion_cache_get(c, &source, key, now, v);
}

static void put(struct opinion_cache *c, const struct opinion_question *q, uint64_t now,
                unsigned percent)
{
    unsigned char key[OPINION_KEY_SIZE];
    struct opinion_verdict v = {.count = percent > 0};
    v.scores[0] = (struct opinion_score){"bad", percent};
    assert_int_equal(opinion_cache_key(c, &source, q, key), 0);
    opinion_cache_put(c, &source, key, now, &v);
}

static struct opinion_question question(const char *text)
{
    return (struct opinion_question){.direction = DIRECTION_PROMPT, .text = span_str(text)};
}

static void finds_what_was_said(void **state)
{
    struct opinion_cache *c = opinion_cache_new();
    struct opinion_question a = question("a"), b = question("b");
    struct opinion_verdict v;
    assert_false(get(c, &a, 0, &v));
    put(c, &a, 100, 70);
    put(c, &b, 100, 0);
    assert_true(get(c, &a, 1099, &v));
    assert_int_equal(v.count, 1);
    assert_int_equal(v.scores[0].percent, 70);
    assert_string_equal(v.scores[0].category, "bad");
    assert_true(get(c, &b, 100, &v));
    assert_int_equal(v.count, 0);
    put(c, &a, 200, 10); /* said anew */
    assert_true(get(c, &a, 1150, &v));
    assert_int_equal(v.scores[0].percent, 10);
    assert_int_equal(opinion_cache_count(c), 2);
    opinion_cache_free(c);
}

static void all_that_matters_is_in_the_key(void **state)
{
    struct opinion_cache *c = opinion_cache_new();
    static const struct opinion_turn said = {true, SPAN_LIT("c")}, asked = {false, SPAN_LIT("c")};
    struct opinion_question q = question("ab"), other = q;
    struct opinion_verdict v;
    put(c, &q, 0, 70);
    other.direction = DIRECTION_COMPLETION;
    assert_false(get(c, &other, 0, &v));
    other = q;
    other.prompt = SPAN_LIT("p");
    assert_false(get(c, &other, 0, &v));
    /* Where one part ends and the next begins counts, too. */
    other.prompt = SPAN_LIT("a");
    other.text = SPAN_LIT("b");
    assert_false(get(c, &other, 0, &v));
    /* And who says it, and what was said before, by whom. */
    other = q;
    other.role = ROLE_ASSISTANT;
    assert_false(get(c, &other, 0, &v));
    other = q;
    other.turns = &said;
    other.turn_count = 1;
    assert_false(get(c, &other, 0, &v));
    put(c, &other, 0, 70);
    other.turns = &asked;
    assert_false(get(c, &other, 0, &v));
    struct config_opinion before = source;
    source.model = SPAN_LIT("m");
    assert_false(get(c, &q, 0, &v));
    source = before;
    source.kind = OPINION_MODERATIONS;
    assert_false(get(c, &q, 0, &v));
    source = before;
    assert_true(get(c, &q, 0, &v));
    opinion_cache_free(c);
}

static void the_oldest_give_way(void **state)
{
    struct opinion_cache *c = opinion_cache_new();
    struct opinion_verdict v;
    char text[8];
    for (int i = 0; i < 20; i++) {
        snprintf(text, sizeof(text), "%d", i);
        struct opinion_question q = question(text);
        put(c, &q, 0, 1);
        assert_true(opinion_cache_count(c) <= 3);
    }
    struct opinion_question first = question("16"), kept = question("17");
    assert_false(get(c, &first, 0, &v));
    assert_true(get(c, &kept, 0, &v));
    /* Too old is forgotten when it is asked for. */
    assert_false(get(c, &kept, 1000, &v));
    assert_int_equal(opinion_cache_count(c), 2);
    source.cache = 0;
    struct opinion_question none = question("none");
    put(c, &none, 0, 1);
    assert_int_equal(opinion_cache_count(c), 2);
    source.cache = 3;
    opinion_cache_free(c);
    opinion_cache_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_was_said),
        cmocka_unit_test(all_that_matters_is_in_the_key),
        cmocka_unit_test(the_oldest_give_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
