/* Metrics with labels: what is counted, what is printed, and that their number is bounded. */
#include "../unit.h"

#include "base/series.h"

#include <stdio.h>
#include <stdlib.h>

static bool has_line(const struct buf *text, const char *line)
{
    struct span rest = buf_span(text), got;
    while (span_split(&rest, '\n', &got))
        if (span_eq(got, span_str(line)))
            return true;
    return false;
}

#define assert_line(text, line)                                                                    \
    do {                                                                                           \
        if (!has_line(text, line))                                                                 \
            fail_msg("no line '%s' in:\n%.*s", line, SPAN_ARG(buf_span(text)));                    \
    } while (0)

static void count_of(struct metrics *m, const char *app, const char *risk, uint64_t n)
{
    struct span labels[] = {span_str(app), span_str(risk), SPAN_LIT("prompt"), SPAN_LIT("block")};
    series_count(m, SERIES_INTERCEPTIONS, labels, n);
}

static char a1[] = "A1", a3[] = "A3", any[] = "";

static bool is_group(void *ctx, const struct span *labels)
{
    return span_starts(labels[1], span_str(ctx));
}

static void counters_are_summed_over_workers(void **state)
{
    static struct metrics a, b;
    const struct metrics *all[] = {&a, &b};
    struct buf out = BUF_INIT(1u << 20);
    count_of(&a, "shop", "A1-a", 2);
    count_of(&b, "shop", "A1-a", 3);
    count_of(&b, "shop", "A2-a", 7);
    count_of(&a, "default", "A1-b", 1);
    assert_int_equal(series_print(all, 2, &out), 0);
    assert_line(&out, "# TYPE juyong_interceptions_total counter");
    assert_line(&out, "juyong_interceptions_total{app=\"shop\",risk=\"A1-a\",direction=\"prompt\","
                      "action=\"block\"} 5");
    assert_line(&out, "juyong_interceptions_total{app=\"shop\",risk=\"A2-a\",direction=\"prompt\","
                      "action=\"block\"} 7");
    assert_int_equal(series_sum(all, 2, SERIES_INTERCEPTIONS, is_group, a1), 6);
    assert_int_equal(series_sum(all, 2, SERIES_INTERCEPTIONS, is_group, a3), 0);
    assert_int_equal(series_sum(all, 2, SERIES_APP_EXCHANGES, is_group, any), 0);
    buf_deinit(&out);
    series_free(&a);
    series_free(&b);
    assert_int_equal(series_sum(all, 2, SERIES_INTERCEPTIONS, is_group, a1), 0);
}

static void histograms_are_cumulative(void **state)
{
    static struct metrics a, b;
    const struct metrics *all[] = {&a, &b};
    struct buf out = BUF_INIT(1u << 20);
    series_observe(&a, SERIES_HELD, NULL, 1000); /* on a boundary: within it */
    series_observe(&b, SERIES_HELD, NULL, 1001);
    series_observe(&b, SERIES_HELD, NULL, 60000000);
    assert_int_equal(series_print(all, 2, &out), 0);
    assert_line(&out, "# TYPE juyong_held_seconds histogram");
    assert_line(&out, "juyong_held_seconds_bucket{le=\"0.001\"} 1");
    assert_line(&out, "juyong_held_seconds_bucket{le=\"0.005\"} 2");
    assert_line(&out, "juyong_held_seconds_bucket{le=\"10\"} 2");
    assert_line(&out, "juyong_held_seconds_bucket{le=\"+Inf\"} 3");
    assert_line(&out, "juyong_held_seconds_sum 60.002001");
    assert_line(&out, "juyong_held_seconds_count 3");
    struct span labels[] = {SPAN_LIT("chat"), SPAN_LIT("p"), SPAN_LIT("m"), SPAN_LIT("")};
    series_observe(&a, SERIES_OPERATION, labels, 15000);
    labels[3] = SPAN_LIT("input");
    series_observe(&a, SERIES_TOKENS, labels, 67108865);
    buf_clear(&out);
    assert_int_equal(series_print(all, 2, &out), 0);
#define MODEL "gen_ai_operation_name=\"chat\",gen_ai_provider_name=\"p\",gen_ai_request_model=\"m\""
    assert_line(&out, "gen_ai_client_operation_duration_seconds_bucket{" MODEL ",le=\"0.02\"} 1");
    assert_line(&out, "gen_ai_client_operation_duration_seconds_sum{" MODEL "} 0.015000");
    assert_line(&out, "gen_ai_client_token_usage_bucket{" MODEL
                      ",gen_ai_token_type=\"input\",le=\"67108864\"} 0");
    assert_line(&out, "gen_ai_client_token_usage_count{" MODEL ",gen_ai_token_type=\"input\"} 1");
    buf_deinit(&out);
    series_free(&a);
    series_free(&b);
}

static void labels_are_escaped_and_bounded(void **state)
{
    static struct metrics m;
    const struct metrics *all[] = {&m};
    struct buf out = BUF_INIT(64u << 20);
    char name[200];
    count_of(&m, "a\"b\\c\nd", "居庸", 1);
    memset(name, 'x', sizeof(name));
    memcpy(name + 94, "关", 4); /* would be cut within the character */
    count_of(&m, name, "long", 1);
    assert_int_equal(series_print(all, 1, &out), 0);
    assert_line(&out, "juyong_interceptions_total{app=\"a\\\"b\\\\c\\nd\",risk=\"居庸\","
                      "direction=\"prompt\",action=\"block\"} 1");
    char want[300];
    snprintf(want, sizeof(want),
             "juyong_interceptions_total{app=\"%.94s\",risk=\"long\",direction=\"prompt\","
             "action=\"block\"} 1",
             name);
    assert_line(&out, want);
    for (unsigned i = 0; i < 3 * SERIES_MAX; i++) {
        snprintf(name, sizeof(name), "app-%u", i);
        count_of(&m, name, "A1-a", 1);
    }
    buf_clear(&out);
    assert_int_equal(series_print(all, 1, &out), 0);
    snprintf(want, sizeof(want),
             "juyong_interceptions_total{app=\"other\",risk=\"other\",direction=\"other\","
             "action=\"other\"} %u",
             3 * SERIES_MAX - (SERIES_MAX - 2));
    assert_line(&out, want);
    buf_deinit(&out);
    out = BUF_INIT(100);
    assert_true(series_print(all, 1, &out) < 0); /* too small a buffer is told */
    buf_deinit(&out);
    series_free(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counters_are_summed_over_workers),
        cmocka_unit_test(histograms_are_cumulative),
        cmocka_unit_test(labels_are_escaped_and_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
