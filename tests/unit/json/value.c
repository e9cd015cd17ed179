#include "../unit.h"

#include "json/value.h"

#include <errno.h>

static void what_is_built_is_read_back(void **state)
{
    struct json_value *o = value_object(), *a = value_array();
    assert_non_null(o);
    assert_non_null(a);
    assert_int_equal(value_append(a, value_integer(-7)), 0);
    assert_int_equal(value_append(a, value_null()), 0);
    assert_int_equal(value_append(a, value_real(0.5)), 0);
    assert_int_equal(value_set(o, SPAN_LIT("z"), value_string(SPAN_LIT("毒\n"))), 0);
    assert_int_equal(value_set(o, SPAN_LIT("a"), a), 0);
    assert_int_equal(value_set(o, SPAN_LIT("b"), value_boolean(true)), 0);
    assert_int_equal(value_set(o, SPAN_LIT("x"), value_string(SPAN_LIT("\xFF"))), -ENOMEM);
    struct buf out = BUF_INIT(256);
    assert_int_equal(value_dump(o, &out), 0);
    assert_span(buf_span(&out), SPAN_LIT("{\"z\":\"毒\\n\",\"a\":[-7,null,0.5],\"b\":true}"));
    value_free(o);

    o = value_parse(buf_span(&out), NULL);
    assert_non_null(o);
    assert_true(value_is_object(o));
    assert_int_equal(value_count(o), 3);
    struct span text;
    int64_t integer;
    double real;
    bool yes;
    assert_true(value_get_string(value_get(o, SPAN_LIT("z")), &text));
    assert_span(text, SPAN_LIT("毒\n"));
    const struct json_value *list = value_get(o, SPAN_LIT("a"));
    assert_true(value_is_array(list));
    assert_int_equal(value_count(list), 3);
    assert_true(value_get_integer(value_at(list, 0), &integer));
    assert_int_equal(integer, -7);
    assert_true(value_is_null(value_at(list, 1)));
    assert_true(value_get_real(value_at(list, 2), &real));
    assert_true(real == 0.5);
    assert_true(value_get_boolean(value_get(o, SPAN_LIT("b")), &yes));
    assert_true(yes);
    assert_null(value_at(list, 3));
    assert_null(value_get(o, SPAN_LIT("none")));
    assert_false(value_get_string(NULL, &text));
    assert_false(value_get_integer(list, &integer));
    value_free(o);
    buf_deinit(&out);
}

static int stop_at_b(void *ctx, struct span key, const struct json_value *value)
{
    unsigned *seen = ctx;
    ++*seen;
    return span_eq(key, SPAN_LIT("b")) ? 42 : 0;
}

static void members_come_in_order(void **state)
{
    struct json_value *o = value_parse(SPAN_LIT("{\"a\":1,\"b\":2,\"c\":3}"), NULL);
    assert_non_null(o);
    unsigned seen = 0;
    assert_int_equal(value_each(o, stop_at_b, &seen), 42);
    assert_int_equal(seen, 2);
    value_free(o);
}

static void wrong_texts_are_refused(void **state)
{
    static const char *const wrong[] = {"", "{", "{\"a\":1,\"a\":2}", "1 2", "\"\\u0000\"", "[1,]"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        struct buf error = BUF_INIT(256);
        assert_null(value_parse(span_str(wrong[i]), &error));
        assert_true(span_starts(buf_span(&error), SPAN_LIT("line ")));
        buf_deinit(&error);
    }
    struct json_value *v = value_string(SPAN_LIT("0123456789"));
    assert_non_null(v);
    struct buf small = BUF_INIT(6);
    assert_int_equal(buf_append(&small, SPAN_LIT("x")), 0);
    assert_int_equal(value_dump(v, &small), -EMSGSIZE);
    assert_span(buf_span(&small), SPAN_LIT("x"));
    buf_deinit(&small);
    value_free(v);
    value_free(NULL);
    /* Wherever the room ends, in a key too: all of it, or nothing. */
    v = value_parse(SPAN_LIT("{\"a long key\":1,\"b\":[2,\"x\"]}"), NULL);
    for (size_t room = 1; room < 29; room++) {
        struct buf out = BUF_INIT(room);
        assert_int_equal(value_dump(v, &out), room < 28 ? -EMSGSIZE : 0);
        assert_int_equal(out.len, room < 28 ? 0 : 28);
        buf_deinit(&out);
    }
    value_free(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_built_is_read_back),
        cmocka_unit_test(members_come_in_order),
        cmocka_unit_test(wrong_texts_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
