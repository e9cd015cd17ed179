/* Trace Context: what counts as one, and what of it goes on. */
#include "../unit.h"

#include "http/tracecontext.h"

#include <stdio.h>

#define TRACE "4bf92f3577b34da6a3ce929d0e0e4736"
#define GOOD  "00-" TRACE "-00f067aa0ba902b7-01"

static bool read_parent(const char *text, struct tracecontext *t)
{
    return tracecontext_read(span_str(text), SPAN_NULL, t);
}

static void a_traceparent_stays_as_it_is(void **state)
{
    static const char *const good[] = {GOOD, "00-" TRACE "-00f067aa0ba902b7-00",
                                       "00-" TRACE "-00f067aa0ba902b7-ff"};
    for (size_t i = 0; i < 3; i++) {
        struct tracecontext t;
        assert_true(read_parent(good[i], &t));
        assert_string_equal(t.parent, good[i]);
        assert_span(tracecontext_id(&t), SPAN_LIT(TRACE));
        assert_int_equal(t.state.len, 0);
    }
}

static void a_later_version_becomes_the_one_we_know(void **state)
{
    static const char *const later[] = {"01-" TRACE "-00f067aa0ba902b7-09",
                                        "cc-" TRACE "-00f067aa0ba902b7-01-what-the-future-brings",
                                        "fe-" TRACE "-00f067aa0ba902b7-ff-"};
    struct tracecontext t;
    for (size_t i = 0; i < 3; i++) {
        assert_true(read_parent(later[i], &t));
        assert_string_equal(t.parent, GOOD);
    }
    assert_true(read_parent("01-" TRACE "-00f067aa0ba902b7-02", &t));
    assert_string_equal(t.parent, "00-" TRACE "-00f067aa0ba902b7-00");
}

static void anything_else_is_none(void **state)
{
    static const char *const bad[] = {
        "",
        "00",
        "00-" TRACE "-00f067aa0ba902b7-0",
        GOOD " ",
        " " GOOD,
        GOOD "-",
        GOOD "-more",
        "01-" TRACE "-00f067aa0ba902b7-01.more",
        "ff-" TRACE "-00f067aa0ba902b7-01",
        "0x-" TRACE "-00f067aa0ba902b7-01",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-" TRACE "-0000000000000000-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "00_" TRACE "-00f067aa0ba902b7-01",
        "00-" TRACE "_00f067aa0ba902b7-01",
        "00-" TRACE "-00f067aa0ba902b7_01",
        "00-" TRACE "-00f067aa0ba902b7-0g",
        "00-" TRACE "-00f067aa0ba902b7-01,00-" TRACE "-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e473\n-00f067aa0ba902b7-01",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        struct tracecontext t;
        assert_false(tracecontext_read(span_str(bad[i]), SPAN_LIT("a=b"), &t));
        assert_int_equal(t.state.len, 0);
    }
}

static bool passes(const char *text)
{
    struct tracecontext t;
    assert_true(tracecontext_read(SPAN_LIT(GOOD), span_str(text), &t));
    assert_true(t.state.len == 0 || t.state.len == strlen(text));
    return t.state.len > 0;
}

static void a_tracestate_goes_on_when_it_is_one(void **state)
{
    static const char *const good[] = {"a=b",
                                       "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE",
                                       "fw529a3039@dt=FfAz, a=b",
                                       "1a@b=x",
                                       "a=b,,c=d",
                                       "a_-*/0=!~ x",
                                       " a=b ,c=d"};
    static const char *const bad[] = {"",
                                      ",",
                                      "a",
                                      "=b",
                                      "a=",
                                      "A=b",
                                      "1a=b",
                                      "a@=b",
                                      "@a=b",
                                      "a@1=b",
                                      "a=b=c",
                                      "a=b,a=c",
                                      "a=\x7f",
                                      "a=\xc3\xa9",
                                      "a=b\r\nX: y",
                                      "a b=c",
                                      "a@abcdefghijklmno=1"};
    for (size_t i = 0; i < 7; i++)
        if (!passes(good[i]))
            fail_msg("%s", good[i]);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        if (passes(bad[i]))
            fail_msg("%s", bad[i]);
}

static void a_tracestate_has_a_ceiling(void **state)
{
    char text[1024] = "";
    size_t at = 0;
    for (int i = 0; i < 32; i++)
        at += (size_t)snprintf(text + at, sizeof(text) - at, "%sk%d=v", i ? "," : "", i);
    assert_true(passes(text));
    snprintf(text + at, sizeof(text) - at, ",k32=v");
    assert_false(passes(text));
    /* 253 + 1 + 256 and a comma between: 512 with the second member, one more is too much. */
    memset(text, 'v', sizeof(text));
    memcpy(text, "a=", 2);
    memcpy(text + 258, ",b=", 3);
    text[512] = '\0';
    assert_true(passes(text));
    text[512] = 'v';
    text[513] = '\0';
    assert_false(passes(text));
}

static void a_trace_that_begins_here_is_a_sound_one(void **state)
{
    unsigned char random[24];
    struct tracecontext t, again;
    for (unsigned i = 0; i < 24; i++)
        random[i] = (unsigned char)(i * 37);
    tracecontext_begin(random, &t);
    assert_true(read_parent(t.parent, &again));
    assert_string_equal(again.parent, t.parent);
    memset(random, 0, sizeof(random));
    tracecontext_begin(random, &t);
    assert_true(read_parent(t.parent, &again));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_traceparent_stays_as_it_is),
        cmocka_unit_test(a_later_version_becomes_the_one_we_know),
        cmocka_unit_test(anything_else_is_none),
        cmocka_unit_test(a_tracestate_goes_on_when_it_is_one),
        cmocka_unit_test(a_tracestate_has_a_ceiling),
        cmocka_unit_test(a_trace_that_begins_here_is_a_sound_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
