/* Sums over time and groups of alike, held against what was written. */
#include "logdir.h"

#include "audit/groups.h"
#include "audit/index.h"
#include "audit/indexer.h"
#include "audit/overview.h"
#include "audit/rollup.h"
#include "audit/store.h"
#include "base/clock.h"

static struct store *store;
static uint64_t at_us;

static void write_event(const struct audit_event *e)
{
    struct item *i = NULL;
    uint64_t seq;
    assert_int_equal(item_new(e, 0, NULL, (struct item_limits){.text_max = 512}, &i), 0);
    i->wall_us = at_us;
    assert_int_equal(store_begin(store, at_us), 0);
    assert_int_equal(store_put(store, i, &seq), 0);
    assert_int_equal(store_commit(store), 0);
    item_unref(i);
}

/* An exchange with hits of these rules of risk A1-a, or none. */
static void exchange(const char *request, const char *app, const char *purpose, enum action action,
                     const char *context, unsigned hit_count, uint64_t held_us)
{
    struct audit_subject s = subject_example;
    struct audit_hit hits[2] = {hit_example, hit_example};
    s.request_id = span_str(request);
    s.app = span_str(app);
    s.purpose = span_str(purpose);
    for (int i = 0; i < 2; i++) {
        hits[i].action = action;
        hits[i].context = hits[i].text = span_str(context);
        hits[i].context_start = hits[i].context_end = 0;
    }
    hits[1].rule = SPAN_LIT("A1-a/other");
    struct audit_event e = {.kind = AUDIT_OPEN, .subject = &s};
    write_event(&e);
    if (hit_count) {
        e = (struct audit_event){.kind = AUDIT_ACT,
                                 .subject = &s,
                                 .hits = hits,
                                 .hit_count = hit_count,
                                 .action = action};
        write_event(&e);
    }
    e = (struct audit_event){.kind = AUDIT_CLOSE,
                             .subject = &s,
                             .action = action,
                             .outcome = OUTCOME_COMPLETE,
                             .held_us = held_us};
    write_event(&e);
}

static void write_example(void)
{
    assert_int_equal(store_open(span_str(dir), SPAN_LIT("0123456789abcdef"), SPAN_LIT("n"), &store),
                     0);
    at_us = clock_wall_us() / 3600000000u * 3600000000u + 3600000000u;
    exchange("r1", "shop", "", ACTION_ALLOW, "", 0, 0);
    exchange("r2", "shop", "", ACTION_BLOCK, "Buy  NOW, cheap!", 2, 1000);
    at_us += 660000000; /* the next ten minutes */
    exchange("r3", "bank", "", ACTION_BLOCK, "buy now cheap", 1, 1000);
    exchange("r4", "bank", "regulator-observe", ACTION_BLOCK, "buy now cheap", 1, 1000);
    exchange("r5", "bank", "", ACTION_FLAG, "something else", 1, 100000);
    store_close(store);
}

static void assert_has(const struct buf *b, const char *part)
{
    if (span_find(buf_span(b), span_str(part)) == b->len)
        fail_msg("no %s in %.*s", part, SPAN_ARG(buf_span(b)));
}

static void assert_lacks(const struct buf *b, const char *part)
{
    if (span_find(buf_span(b), span_str(part)) != b->len)
        fail_msg("%s in %.*s", part, SPAN_ARG(buf_span(b)));
}

static void sums_up(void **state)
{
    struct buf b = BUF_INIT(1u << 20);
    write_example();
    struct overview_filter f = {.since_us = at_us - 7200000000u, .until_us = at_us + 60000000};
    assert_int_equal(overview_write(span_str(dir), &f, &b), 0);
    assert_has(&b, "\"buckets\":[]");
    assert_has(&b, "\"complete\":false");
    assert_int_equal(indexer_run(span_str(dir)), 0);
    buf_clear(&b);
    assert_int_equal(overview_write(span_str(dir), &f, &b), 0);
    assert_has(&b, "\"step_us\":600000000,");
    assert_has(&b, "\"requests\":2,\"allow\":1,\"flag\":0,\"mask\":0,\"answer\":0,\"block\":1,"
                   "\"held_us\":1000}");
    assert_has(&b, "\"requests\":2,\"allow\":0,\"flag\":1,\"mask\":0,\"answer\":0,\"block\":1,"
                   "\"held_us\":101000}");
    /* Two rules of one risk in one exchange: once for the risk. */
    assert_has(&b,
               "\"risks\":[{\"risk\":\"A1-a\",\"flag\":1,\"mask\":0,\"answer\":0,\"block\":2}]");
    assert_has(&b, "{\"rule\":\"A1-a/12345678\",\"risk\":\"A1-a\",\"count\":3}");
    assert_has(&b, "{\"rule\":\"A1-a/other\",\"risk\":\"A1-a\",\"count\":1}");
    assert_has(&b, "{\"app\":\"bank\",\"requests\":2,\"allow\":0,");
    assert_has(&b, "{\"app\":\"shop\",\"requests\":2,\"allow\":1,");
    assert_has(&b, "\"models\":[{\"model\":\"demo\",\"requests\":4,");
    assert_has(&b, "\"complete\":true");
    f.app = SPAN_LIT("shop");
    buf_clear(&b);
    assert_int_equal(overview_write(span_str(dir), &f, &b), 0);
    assert_has(&b, "\"block\":1}]");
    assert_lacks(&b, "bank");
    assert_lacks(&b, "101000");
    f = (struct overview_filter){.since_us = at_us, .until_us = at_us + 60000000};
    buf_clear(&b);
    assert_int_equal(overview_write(span_str(dir), &f, &b), 0);
    assert_lacks(&b, "\"app\":\"shop\"");
    buf_deinit(&b);
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

static int is_open(void *ctx, struct span request_id)
{
    return !span_eq(request_id, SPAN_LIT("r3"));
}

static void groups_what_is_alike(void **state)
{
    struct buf b = BUF_INIT(1u << 20);
    write_example();
    struct groups_options o = {.texts = true, .is_open = is_open};
    assert_int_equal(groups_write(span_str(dir), &o, &b), 0);
    assert_has(&b,
               "{\"groups\":[{\"rule\":\"A1-a/12345678\",\"risk\":\"A1-a\",\"action\":\"block\","
               "\"direction\":\"prompt\",\"context\":\"buy now cheap\"");
    assert_has(&b, "\"count\":2,");
    assert_has(&b, "\"open\":1,\"requests\":[\"r3\",\"r2\"]}");
    assert_has(&b, "\"context\":\"something else\"");
    assert_has(&b, "\"requests\":[\"r5\"]}],\"complete\":true}");
    o.texts = false;
    buf_clear(&b);
    assert_int_equal(groups_write(span_str(dir), &o, &b), 0);
    assert_lacks(&b, "buy");
    o.filter.any_purpose = true;
    buf_clear(&b);
    assert_int_equal(groups_write(span_str(dir), &o, &b), 0);
    assert_has(&b, "\"count\":3,");
    struct buf small = BUF_INIT(100);
    assert_true(groups_write(span_str(dir), &o, &small) < 0);
    buf_deinit(&small);
    buf_deinit(&b);
}

int main(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, make_dir, remove_dir)
    const struct CMUnitTest tests[] = {
        CASE(sums_up),
        CASE(groups_what_is_alike),
        cmocka_unit_test(puts_durations_into_classes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
