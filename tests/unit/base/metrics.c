/* The text that Prometheus reads. */
#include "../unit.h"

#include "base/metrics.h"

static void assert_line(struct span text, const char *line)
{
    struct span rest = text, got;
    while (span_split(&rest, '\n', &got))
        if (span_eq(got, span_str(line)))
            return;
    fail_msg("no line '%s' in:\n%.*s", line, SPAN_ARG(text));
}

static void workers_are_summed(void **state)
{
    static struct metrics a, b;
    const struct metrics *all[] = {&a, &b};
    struct buf out = BUF_INIT(1u << 16);
    metrics_add(&a, METRIC_REQUESTS, 3);
    metrics_add(&b, METRIC_REQUESTS, 4);
    metrics_add(&b, METRIC_ACTION_BLOCK, 1);
    metrics_add(&a, METRIC_ACTIVE, 2);
    metrics_add(&a, METRIC_ACTIVE, -1);
    assert_int_equal(metrics_get(&a, METRIC_ACTIVE), 1);
    assert_int_equal(metrics_print(all, 2, &out), 0);
    struct span text = buf_span(&out);
    assert_line(text, "# TYPE juyong_requests_total counter");
    assert_line(text, "juyong_requests_total 7");
    assert_line(text, "juyong_actions_total{action=\"block\"} 1");
    assert_line(text, "juyong_actions_total{action=\"allow\"} 0");
    assert_line(text, "# TYPE juyong_active_exchanges gauge");
    assert_line(text, "juyong_active_exchanges 1");
    buf_deinit(&out);
}

/* Each family has one HELP and one TYPE, right before its samples, which stand together. */
static void families_are_well_formed(void **state)
{
    static struct metrics m;
    const struct metrics *all[] = {&m};
    struct buf out = BUF_INIT(1u << 16);
    assert_int_equal(metrics_print(all, 1, &out), 0);
    struct span rest = buf_span(&out), line, family = SPAN_NULL, seen[METRIC_COUNT];
    size_t samples = 0, families = 0;
    while (span_split(&rest, '\n', &line)) {
        if (span_starts(line, SPAN_LIT("# HELP "))) {
            struct span words = span_slice(line, 7, line.len), type;
            assert_true(span_split(&words, ' ', &family));
            assert_true(words.len > 5);
            for (size_t i = 0; i < families; i++)
                assert_false(span_eq(seen[i], family));
            seen[families++] = family;
            assert_true(span_split(&rest, '\n', &type));
            assert_true(span_starts(type, SPAN_LIT("# TYPE ")));
            words = span_slice(type, 7, type.len);
            assert_true(span_starts(words, family));
            bool total = span_find(family, SPAN_LIT("_total")) < family.len;
            assert_span(span_slice(words, family.len, words.len),
                        total ? SPAN_LIT(" counter") : SPAN_LIT(" gauge"));
            continue;
        }
        if (line.len == 0 && rest.data == NULL)
            break; /* behind the last line */
        assert_true(family.len && span_starts(line, family));
        char next = line.data[family.len];
        assert_true(next == ' ' || next == '{');
        assert_span(span_slice(line, line.len - 2, line.len), SPAN_LIT(" 0"));
        samples++;
    }
    assert_int_equal(samples, METRIC_COUNT);
    buf_deinit(&out);
    out = BUF_INIT(100);
    assert_true(metrics_print(all, 1, &out) < 0); /* too small a buffer is told */
    buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(workers_are_summed),
        cmocka_unit_test(families_are_well_formed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
