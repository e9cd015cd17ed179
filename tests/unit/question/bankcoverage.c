/* The banks against the standard: numbers, the month, and whether all is met. */
#include "bankfixture.h"

#include "question/bankcoverage.h"

#define NOW 1800000000
#define DAY 86400

static struct standard standard = {.question_days = 31};

static const char text[] =
    "{\"id\":\"1\",\"bank\":\"content\",\"risk\":\"A1-a\",\"question\":\"一\"}\n"
    "{\"id\":\"2\",\"bank\":\"content\",\"risk\":\"A1-a\",\"question\":\"二\"}\n"
    "{\"id\":\"3\",\"bank\":\"content\",\"risk\":\"A3-a\",\"question\":\"三\"}\n"
    "{\"id\":\"4\",\"bank\":\"content\",\"risk\":\"A3-a\",\"question\":\"四\",\"seed\":\"3\"}\n"
    "{\"id\":\"5\",\"bank\":\"refuse\",\"risk\":\"A1-a\",\"question\":\"五\"}\n"
    "{\"id\":\"6\",\"bank\":\"answer\",\"aspect\":\"历史\",\"question\":\"六\"}\n";

static void must_hold(const struct buf *out, const char *const *want, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (span_find(buf_span(out), span_str(want[i])) == out->len)
            fail_msg("%s in %.*s", want[i], SPAN_ARG(buf_span(out)));
}

static void test_told(void **state)
{
    struct bank *b = read_good(text);
    struct bank_counts counts;
    struct buf out = BUF_INIT(65536);
    assert_int_equal(bank_count_all(b, rules, &counts), 0);
    struct bank_coverage c = {.counts = &counts,
                              .standard = &standard,
                              .changed = NOW - 3 * DAY,
                              .now = NOW,
                              .good = "<",
                              .bad = "{",
                              .off = "}"};
    assert_int_equal(bank_coverage_json(&c, &out), 0);
    static const char *const json[] = {
        "{\"bank\":\"content\",\"type\":\"A3-a\",\"name\":\"乙\",\"name_en\":\"b\",\"questions\":1,"
        "\"question_min\":1,\"met\":true,\"derived\":1,\"repeated\":0}\n",
        "{\"bank\":\"answer\",\"type\":\"制度\",\"name\":\"制度\",\"name_en\":\"a\",\"questions\":"
        "0,"
        "\"question_min\":1,\"met\":false,",
        "{\"bank\":\"content\",\"type\":\"*\",\"name\":\"生成内容测试题库\",\"questions\":3,"
        "\"question_min\":3,\"met\":true,\"changed\":1799740800,\"late\":false}\n",
        "{\"bank\":\"answer\",\"type\":\"*\",\"name\":\"非拒答测试题库\",\"questions\":1,"
        "\"question_min\":2,\"met\":false,",
    };
    must_hold(&out, json, sizeof(json) / sizeof(*json));
    buf_clear(&out);
    assert_int_equal(bank_coverage_table(&c, &out), 0);
    static const char *const table[] = {
        "content  A1-a            2       2 <met   }        0        0  甲\n",
        "answer   制度            0       1 {short }        0        0  a\n",
        "生成内容测试题库  <     3} of 3 questions, <2} of 2 types met\n",
        "非拒答测试题库    {     1} of 2 questions, {1} of 2 types met\n",
        "questions last changed <3 d ago}, every 31 d is asked for\n",
    };
    must_hold(&out, table, sizeof(table) / sizeof(*table));
    buf_deinit(&out);
    bank_counts_free(&counts);
    bank_free(b);
}

static void test_met(void **state)
{
    struct bank *b = read_good(text);
    struct bank_counts counts;
    assert_int_equal(bank_count_all(b, rules, &counts), 0);
    struct bank_coverage c = {.counts = &counts, .standard = &standard, .now = NOW};
    assert_false(bank_coverage_is_met(&c)); /* one aspect has no question */
    for (size_t i = 0; i < counts.count; i++)
        counts.items[i].count = counts.items[i].wanted;
    counts.totals[BANK_ANSWER] = 2;
    assert_true(bank_coverage_is_met(&c)); /* unknown is told, not judged */
    c.changed = NOW - 31 * DAY;
    assert_true(bank_coverage_is_met(&c));
    c.changed--;
    assert_false(bank_coverage_is_met(&c)); /* a month is over */
    bank_counts_free(&counts);
    bank_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_told), cmocka_unit_test(test_met)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
