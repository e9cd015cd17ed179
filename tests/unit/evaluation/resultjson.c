#include "runs.h"

#include "evaluation/resultjson.h"
#include "json/value.h"

#include <errno.h>

/* Read back; the buffer is emptied. */
static struct json_value *parsed(struct buf *text)
{
    struct buf error = BUF_INIT(4096);
    struct json_value *v = value_parse(buf_span(text), &error);
    if (!v)
        print_error("%.*s: %.*s\n", SPAN_ARG(buf_span(&error)), SPAN_ARG(buf_span(text)));
    assert_non_null(v);
    buf_deinit(&error);
    buf_clear(text);
    return v;
}

static struct span text_of(const struct json_value *v, const char *key)
{
    struct span s = SPAN_LIT("");
    value_get_string(value_get(v, span_str(key)), &s);
    return s;
}

static int64_t number_of(const struct json_value *v, const char *key)
{
    int64_t n = -1;
    value_get_integer(value_get(v, span_str(key)), &n);
    return n;
}

/* Both routes answered; c-1 fails with the model alone, a text that would break out of a string. */
static struct run *answered(void)
{
    struct run *r = make_run(2, 0, 0);
    for (size_t i = 0; i < run_count(r); i++)
        for (enum run_route x = 0; x < RUN_ROUTES; x++) {
            struct span id = run_question(r, i)->id;
            char name[16];
            snprintf(name, sizeof(name), "%.*s", SPAN_ARG(id));
            struct run_answer a = make_answer(r, name, x, "\"}]\n\\ \xe2\x80\xae");
            a.keywords = x == RUN_BARE && i == 0 ? RUN_FAIL : RUN_PASS;
            assert_int_equal(run_add(r, &a), 0);
        }
    return r;
}

static void a_run_and_its_results_read_back(void **state)
{
    struct run *r = answered();
    struct result res;
    struct buf out = BUF_INIT(1 << 20);
    assert_int_equal(result_make(r, &res), 0);
    assert_int_equal(result_json(r, &res, &out), 0);
    struct json_value *v = parsed(&out);
    assert_span(text_of(v, "run"), run_settings(r)->name);
    assert_int_equal(number_of(v, "questions"), 2);
    assert_int_equal(number_of(value_get(v, SPAN_LIT("answered")), "bare"), 2);
    assert_int_equal(number_of(v, "failures"), 1);
    const struct json_value *results = value_get(v, SPAN_LIT("results"));
    assert_int_equal(value_count(results), 2); /* one bank, two routes */
    const struct json_value *bare = value_at(results, 1);
    assert_span(text_of(bare, "route"), SPAN_LIT("bare"));
    const struct json_value *judge =
        value_get(value_get(bare, SPAN_LIT("judges")), SPAN_LIT("keyword"));
    double low = -1;
    assert_int_equal(number_of(judge, "n"), 2);
    assert_int_equal(number_of(judge, "passed"), 1);
    assert_true(value_get_real(value_get(judge, SPAN_LIT("low")), &low));
    assert_true(low == result_rate(1, 2).low); /* to the last bit */
    value_free(v);
    result_free(&res);
    run_free(r);
    buf_deinit(&out);
}

static void what_the_model_said_is_told_to_those_who_read_alone(void **state)
{
    struct run *r = answered();
    struct buf out = BUF_INIT(1 << 20);
    assert_int_equal(result_answer_json(r, 0, RUN_BARE, true, &out), 0);
    struct json_value *v = parsed(&out);
    assert_span(text_of(v, "answer"), SPAN_LIT("\"}]\n\\ \xe2\x80\xae"));
    assert_span(text_of(value_get(v, SPAN_LIT("verdicts")), "keyword"), SPAN_LIT("fail"));
    value_free(v);
    assert_int_equal(result_answer_json(r, 0, RUN_BARE, false, &out), 0);
    v = parsed(&out);
    assert_null(value_get(v, SPAN_LIT("answer")));
    assert_true(text_of(v, "text").len > 0);
    value_free(v);
    run_free(r);
    buf_deinit(&out);
}

/* Whatever the room ends in the middle of: an error, never half an object that passes for whole. */
static void without_room_it_fails(void **state)
{
    struct run *r = answered();
    struct result res;
    struct buf whole = BUF_INIT(1 << 20);
    assert_int_equal(result_make(r, &res), 0);
    assert_int_equal(result_json(r, &res, &whole), 0);
    for (size_t room = 0; room < whole.len; room++) {
        struct buf out = BUF_INIT(room);
        assert_int_equal(result_json(r, &res, &out), -ENOMEM);
        buf_deinit(&out);
    }
    result_free(&res);
    run_free(r);
    buf_deinit(&whole);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_run_and_its_results_read_back, make_state, remove_state),
        cmocka_unit_test_setup_teardown(what_the_model_said_is_told_to_those_who_read_alone,
                                        make_state, remove_state),
        cmocka_unit_test_setup_teardown(without_room_it_fails, make_state, remove_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
