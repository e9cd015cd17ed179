/* Roll-ups: what the overview tells of any span of time is what was written in it. */
#include "madeup.h"

#include "audit/overview.h"
#include "audit/rollup.h"

/* The span of time that is asked about, in seconds, and how finely it is told. */
struct asked {
    int64_t since, until, step, fine, hits;
    struct span app;
};

static int64_t floor_to(int64_t s, int64_t step)
{
    int64_t shift = step == 86400 ? 28800 : 0; /* days of China */
    return s - (s + shift) % step;
}

static void ask(struct asked *a, uint64_t since_us, uint64_t until_us)
{
    a->until = (int64_t)((until_us + 999999) / 1000000);
    a->since = floor_to((int64_t)(since_us / 1000000), 600);
    int64_t span = a->until - a->since;
    bool week = span <= 14 * 86400 + 3600;
    a->step = span <= 2 * 86400 + 3600 ? 600 : week ? 3600 : span <= 62 * 86400 ? 14400 : 86400;
    a->fine = a->step == 14400 ? 3600 : a->step;
    a->hits = week ? 3600 : 86400;
}

static bool is_asked(const struct asked *a, const struct counted *c)
{
    int64_t step = c->hit ? a->hits : a->fine;
    int64_t at = floor_to((int64_t)(c->time_us / 1000000), step);
    return !c->test && at >= floor_to(a->since, step) && at < a->until &&
           (a->app.len == 0 || span_eq(a->app, c->app));
}

struct sums {
    uint64_t requests, actions[ACTION_COUNT], held_us;
};

static void add(struct sums *s, const struct counted *c)
{
    s->requests++;
    s->actions[c->action]++;
    s->held_us += c->held_us;
}

static void assert_has(const struct buf *b, const struct buf *part)
{
    if (span_find(buf_span(b), buf_span(part)) == b->len)
        fail_msg("no %.*s in %.*s", SPAN_ARG(buf_span(part)), SPAN_ARG(buf_span(b)));
}

static size_t occurrences(const struct buf *b, const char *part)
{
    struct span rest = buf_span(b);
    size_t n = 0;
    for (;; n++) {
        size_t at = span_find(rest, span_str(part));
        if (at == rest.len)
            return n;
        rest = span_slice(rest, at + 1, rest.len);
    }
}

static void write_sums(struct buf *out, const struct sums *s)
{
    assert_int_equal(buf_printf(out,
                                ",\"requests\":%llu,\"allow\":%llu,\"flag\":%llu,\"mask\":%llu,"
                                "\"answer\":%llu,\"block\":%llu",
                                (unsigned long long)s->requests,
                                (unsigned long long)s->actions[ACTION_ALLOW],
                                (unsigned long long)s->actions[ACTION_FLAG],
                                (unsigned long long)s->actions[ACTION_MASK],
                                (unsigned long long)s->actions[ACTION_ANSWER],
                                (unsigned long long)s->actions[ACTION_BLOCK]),
                     0);
}

static int64_t bucket_of(const struct asked *a, const struct counted *c)
{
    return floor_to((int64_t)(c->time_us / 1000000), a->step);
}

static void check_buckets(const struct asked *a, const struct buf *got)
{
    struct buf want = BUF_INIT(1024);
    size_t buckets = 0;
    for (size_t i = 0; i < counted_count; i++) {
        struct sums s = {0};
        bool first = true;
        if (counted[i].hit || !is_asked(a, &counted[i]))
            continue;
        int64_t at = bucket_of(a, &counted[i]);
        for (size_t k = 0; k < counted_count; k++) {
            const struct counted *c = &counted[k];
            if (c->hit || !is_asked(a, c) || bucket_of(a, c) != at)
                continue;
            first &= k >= i;
            add(&s, c);
        }
        if (!first)
            continue;
        buckets++;
        buf_clear(&want);
        assert_int_equal(buf_printf(&want, "{\"at_us\":%lld", (long long)at * 1000000), 0);
        write_sums(&want, &s);
        assert_int_equal(buf_printf(&want, ",\"held_us\":%llu}", (unsigned long long)s.held_us), 0);
        assert_has(got, &want);
    }
    assert_int_equal(occurrences(got, "\"at_us\":"), buckets);
    buf_deinit(&want);
}

/* By app, or by model. */
static void check_names(const struct asked *a, const struct buf *got, const char *key,
                        const char *const *names, size_t count)
{
    struct buf want = BUF_INIT(1024);
    size_t lines = 0;
    for (size_t n = 0; n <= count; n++) { /* and those of whom it is not known */
        struct span name = n < count ? span_str(names[n]) : SPAN_LIT("");
        struct sums s = {0};
        for (size_t i = 0; i < counted_count; i++) {
            const struct counted *c = &counted[i];
            if (!c->hit && is_asked(a, c) && span_eq(key[0] == 'a' ? c->app : c->model, name))
                add(&s, c);
        }
        if (s.requests == 0)
            continue;
        lines++;
        buf_clear(&want);
        assert_int_equal(buf_printf(&want, "{\"%s\":\"%.*s\"", key, SPAN_ARG(name)), 0);
        write_sums(&want, &s);
        assert_has(got, &want);
    }
    buf_clear(&want);
    assert_int_equal(buf_printf(&want, "{\"%s\":", key), 0);
    assert_int_equal(buf_append_char(&want, '\0'), 0);
    assert_int_equal(occurrences(got, want.data), lines);
    buf_deinit(&want);
}

/* An exchange's risk counts once a record, by the heaviest that was done. */
static void check_risks(const struct asked *a, const struct buf *got)
{
    struct buf want = BUF_INIT(1024);
    for (size_t n = 0; n < 3; n++) {
        struct span risk = span_str(risks[n]);
        uint64_t actions[ACTION_COUNT] = {0};
        unsigned record = 0;
        for (size_t i = 0; i < counted_count; i++) {
            const struct counted *c = &counted[i];
            if (!c->hit || !is_asked(a, c) || !span_eq(c->risk, risk) || c->record == record)
                continue;
            record = c->record;
            enum action heaviest = ACTION_ALLOW;
            for (size_t k = i; k < counted_count && counted[k].record == record; k++)
                if (span_eq(counted[k].risk, risk) && counted[k].action > heaviest)
                    heaviest = counted[k].action;
            actions[heaviest]++;
        }
        if (actions[1] + actions[2] + actions[3] + actions[4] == 0)
            continue;
        buf_clear(&want);
        assert_int_equal(buf_printf(&want,
                                    "{\"risk\":\"%.*s\",\"flag\":%llu,\"mask\":%llu,"
                                    "\"answer\":%llu,\"block\":%llu}",
                                    SPAN_ARG(risk), (unsigned long long)actions[ACTION_FLAG],
                                    (unsigned long long)actions[ACTION_MASK],
                                    (unsigned long long)actions[ACTION_ANSWER],
                                    (unsigned long long)actions[ACTION_BLOCK]),
                         0);
        assert_has(got, &want);
    }
    buf_deinit(&want);
}

static bool is_told_before(size_t at)
{
    const struct counted *c = &counted[at];
    for (size_t i = at; i > 0 && counted[i - 1].record == c->record; i--) {
        const struct counted *o = &counted[i - 1];
        if (span_eq(o->rule, c->rule) && span_eq(o->risk, c->risk) &&
            o->direction == c->direction && o->action == c->action)
            return true;
    }
    return false;
}

static void check_rules(const struct asked *a, const struct buf *got)
{
    struct buf want = BUF_INIT(1024);
    size_t lines = 0;
    for (size_t n = 0; n < 12; n++) {
        struct span rule = span_str(rules[n % 4]), risk = span_str(risks[n / 4]);
        uint64_t count = 0;
        for (size_t i = 0; i < counted_count; i++)
            count += counted[i].hit && is_asked(a, &counted[i]) && span_eq(counted[i].rule, rule) &&
                     span_eq(counted[i].risk, risk) && !is_told_before(i);
        if (count == 0)
            continue;
        lines++;
        buf_clear(&want);
        assert_int_equal(buf_printf(&want, "{\"rule\":\"%.*s\",\"risk\":\"%.*s\",\"count\":%llu}",
                                    SPAN_ARG(rule), SPAN_ARG(risk), (unsigned long long)count),
                         0);
        assert_has(got, &want);
    }
    assert_int_equal(occurrences(got, "{\"rule\":"), lines);
    buf_deinit(&want);
}

static int by_size(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Within a class of durations, or at its end. */
static void check_held(const struct asked *a, const struct buf *got)
{
    static uint64_t held[8192];
    size_t n = 0;
    struct asked by_hour = *a;
    by_hour.fine = a->hits;
    for (size_t i = 0; i < counted_count; i++)
        if (!counted[i].hit && counted[i].held_us && is_asked(&by_hour, &counted[i]))
            held[n++] = counted[i].held_us;
    qsort(held, n, sizeof(held[0]), by_size);
    static const struct {
        const char *key;
        unsigned percent;
    } all[] = {{"\"p50_us\":", 50}, {"\"p95_us\":", 95}};
    for (size_t i = 0; i < 2; i++) {
        size_t at = span_find(buf_span(got), span_str(all[i].key)) + strlen(all[i].key);
        uint64_t told = strtoull(got->data + at, NULL, 10);
        uint64_t want = n ? held[(n * all[i].percent + 99) / 100 - 1] : 0;
        assert_true(told >= rollup_class_from(rollup_class(want)));
        assert_true(told <= rollup_class_from(rollup_class(want) + 1));
    }
}

static void check(uint64_t since_us, uint64_t until_us, struct span app)
{
    struct buf got = BUF_INIT(1u << 24);
    struct asked a = {.app = app};
    struct overview_filter f = {.since_us = since_us, .until_us = until_us, .app = app};
    char step[32];
    ask(&a, since_us, until_us);
    assert_int_equal(overview_write(span_str(dir), &f, &got), 0);
    snprintf(step, sizeof(step), "\"step_us\":%lld,", (long long)a.step * 1000000);
    assert_true(span_starts(buf_span(&got), span_str(step)));
    assert_int_equal(occurrences(&got, "\"complete\":true"), 1);
    check_buckets(&a, &got);
    check_names(&a, &got, "app", apps, 3);
    check_names(&a, &got, "model", models, 2);
    check_risks(&a, &got);
    check_rules(&a, &got);
    assert_int_equal(buf_append_char(&got, '\0'), 0);
    check_held(&a, &got);
    buf_deinit(&got);
}

static void sums_are_those_of_what_was_written(void **state)
{
    static const uint64_t steps_us[] = {HOUR_US / 6, HOUR_US, 6 * HOUR_US, 24 * HOUR_US};
    for (size_t round = 0; round < 4; round++) {
        begin(40 + round, steps_us[round]);
        uint64_t begin_us = now_us;
        struct store *s = open_store();
        for (unsigned i = 0; i < 8; i++) {
            write_random(s, 100 * i, 15);
            assert_int_equal(indexer_run(span_str(dir)), 0);
        }
        store_close(s);
        assert_true(counted_count > 200);
        check(begin_us - DAY_US, now_us + 1, SPAN_LIT(""));
        for (unsigned i = 0; i < 12; i++) {
            uint64_t whole = now_us - begin_us;
            uint64_t since = begin_us + random_next(&seed) % whole;
            uint64_t until = since + random_next(&seed) % (now_us - since + 1) + 1;
            check(since, until, below(2) ? pick(apps, 3) : SPAN_LIT(""));
        }
        remove_dir(NULL);
        make_dir(NULL);
    }
}

static void puts_durations_into_classes(void **state)
{
    uint64_t before = 0;
    for (unsigned c = 1; c < 160; c++) {
        uint64_t from = rollup_class_from(c);
        assert_true(from > before);
        assert_int_equal(rollup_class(from), c);
        assert_int_equal(rollup_class(from - 1), c - 1);
        before = from;
    }
}

static void days_begin_in_china(void **state)
{
    assert_int_equal(rollup_floor(1764172799, ROLLUP_DAY_S), 1764086400); /* 23:59:59 there */
    assert_int_equal(rollup_floor(1764172800, ROLLUP_DAY_S), 1764172800);
    assert_int_equal(rollup_floor(1764173999, ROLLUP_HOUR_S), 1764172800);
    assert_int_equal(rollup_floor(1764173999, ROLLUP_STEP_S), 1764173400);
}

int main(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, make_dir, remove_dir)
    const struct CMUnitTest tests[] = {
        CASE(sums_are_those_of_what_was_written),
        cmocka_unit_test(puts_durations_into_classes),
        cmocka_unit_test(days_begin_in_china),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
