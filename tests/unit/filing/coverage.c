/* The library against the standard: numbers, dates, and what the exit code says. */
#include "fixture.h"

#include "filing/coverage.h"

static struct library library;

static int64_t changed(void *ctx, const struct risk *risk)
{
    int64_t days = span_eq(risk->id, SPAN_LIT("A1-a")) ? *(int64_t *)ctx : 1;
    return span_starts(risk->id, SPAN_LIT("A1")) ? NOW - days * 86400 : 0;
}

static void test_json(void **state)
{
    int64_t days = 8;
    struct buf out = BUF_INIT(65536);
    struct coverage c = {.library = &library,
                         .version = SPAN_LIT("v-1"),
                         .now = NOW,
                         .changed = changed,
                         .ctx = &days};
    assert_int_equal(coverage_json(&c, &out), 0);
    static const char *const want[] = {
        "{\"risk\":\"A1-a\",\"group\":\"A1\",\"name\":\"甲类\",\"name_en\":\"kind a\","
        "\"keywords\":2,\"keyword_min\":2,\"met\":true,\"flagged\":1,\"quarantined\":0,"
        "\"derived\":1,\"observed\":0,\"scoped\":0,\"expired\":0,\"repeated\":1,\"near\":0,"
        "\"patterns\":0,\"changed\":1799308800,\"late\":true}\n",
        "\"observed\":1,\"scoped\":1,\"expired\":1,\"repeated\":0",
        "{\"risk\":\"*\",\"version\":\"v-1\",\"standard\":\"GB/T 45654-2025\",\"keywords\":4,"
        "\"keyword_min\":4,\"types\":2,\"types_met\":2,\"met\":false}\n",
    };
    for (size_t i = 0; i < sizeof(want) / sizeof(*want); i++)
        if (span_find(buf_span(&out), span_str(want[i])) == out.len)
            fail_msg("%s in %s", want[i], buf_cstr(&out));
    buf_deinit(&out);
}

static void test_met(void **state)
{
    int64_t days = 7;
    struct coverage c = {.library = &library, .now = NOW, .changed = changed, .ctx = &days};
    assert_true(coverage_is_met(&c));
    days = 8; /* a week is over */
    assert_false(coverage_is_met(&c));
    c.changed = NULL;
    assert_true(coverage_is_met(&c)); /* unknown is told, not judged */
    library.types[0].counts[LIBRARY_COUNTED]--;
    library.met--;
    assert_false(coverage_is_met(&c));
    library.types[0].counts[LIBRARY_COUNTED]++;
    library.met++;
}

static bool only_a2(void *ctx, const struct risk *risk)
{
    return span_eq(risk->group, SPAN_LIT("A2"));
}

static void test_table(void **state)
{
    int64_t days = 8;
    struct buf out = BUF_INIT(65536);
    struct coverage c = {.library = &library,
                         .version = SPAN_LIT("v-1"),
                         .now = NOW,
                         .changed = changed,
                         .ctx = &days,
                         .good = "<",
                         .bad = "{",
                         .off = "}"};
    assert_int_equal(coverage_table(&c, &out), 0);
    static const char *const want[] = {"rules v-1\n",
                                       "{late  }",
                                       "<met   }",
                                       "8 d ago",
                                       "1 d ago",
                                       "GB/T 45654-2025 asks for 4 keywords in all: <4}",
                                       "each of 2 types: <2 met}"};
    for (size_t i = 0; i < sizeof(want) / sizeof(*want); i++)
        if (span_find(buf_span(&out), span_str(want[i])) == out.len)
            fail_msg("%s in %s", want[i], buf_cstr(&out));
    buf_clear(&out);
    c.wanted = only_a2;
    assert_int_equal(coverage_table(&c, &out), 0);
    assert_int_equal(span_find(buf_span(&out), SPAN_LIT("A1-a")), out.len);
    assert_true(span_find(buf_span(&out), SPAN_LIT("A2-a")) < out.len);
    buf_deinit(&out);
}

static int begin(void **state)
{
    if (set_up(state) < 0)
        return -1;
    load();
    return library_read(rules, &config->apps[0], NOW, &library);
}

static int end(void **state)
{
    library_free(&library);
    return tear_down(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_met),
        cmocka_unit_test(test_table),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
