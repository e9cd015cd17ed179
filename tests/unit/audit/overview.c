/* Sums over time and groups of alike, held against what was written. */
#include "logdir.h"

#include "audit/groups.h"
#include "audit/index.h"
#include "audit/indexer.h"
#include "audit/overview.h"
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

static void on_rule(void *ctx, struct span rule, uint64_t count)
{
    buf_printf(ctx, "%.*s %llu;", SPAN_ARG(rule), (unsigned long long)count);
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
    /* Each once, though there are sums of hours and of days; reviewers' tests aside. */
    buf_clear(&b);
    assert_int_equal(overview_rules(span_str(dir), at_us - 7200000000u, on_rule, &b), 0);
    assert_has(&b, "A1-a/12345678 3;");
    assert_has(&b, "A1-a/other 1;");
    buf_clear(&b);
    assert_int_equal(overview_rules(span_str(dir), at_us + 7200000000u, on_rule, &b), 0);
    assert_int_equal(b.len, 0);
    assert_int_equal(overview_rules(SPAN_LIT("/nowhere"), 0, on_rule, &b), 0);
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

static size_t count_groups(const struct groups_options *o, struct buf *b)
{
    size_t n = 0;
    buf_clear(b);
    assert_int_equal(groups_write(span_str(dir), o, b), 0);
    for (struct span rest = buf_span(b);; n++) {
        size_t at = span_find(rest, SPAN_LIT("{\"rule\":"));
        if (at == rest.len)
            return n;
        rest = span_slice(rest, at + 1, rest.len);
    }
}

static void one_hit(const char *request, const char *rule, enum direction direction,
                    enum action action, const char *context)
{
    struct audit_subject s = subject_example;
    struct audit_hit hit = hit_example;
    s.request_id = span_str(request);
    hit.rule = span_str(rule);
    hit.direction = direction;
    hit.action = action;
    hit.context = hit.text = span_str(context);
    hit.context_start = hit.context_end = 0;
    struct audit_event e = {
        .kind = AUDIT_ACT, .subject = &s, .hits = &hit, .hit_count = 1, .action = action};
    write_event(&e);
}

/* Width, case, spacing and punctuation make no difference; rule, direction, action and words do. */
static void keeps_apart_what_differs(void **state)
{
    struct buf b = BUF_INIT(1u << 22);
    struct groups_options o = {.texts = true};
    assert_int_equal(store_open(span_str(dir), SPAN_LIT("0123456789abcdef"), SPAN_LIT("n"), &store),
                     0);
    at_us = clock_wall_us();
    one_hit("a1", "A1-a/1", DIRECTION_PROMPT, ACTION_BLOCK, "Buy now, 天地玄黄!");
    one_hit("a2", "A1-a/1", DIRECTION_PROMPT, ACTION_BLOCK, "ＢＵＹ　ＮＯＷ 天.地.玄.黄");
    one_hit("a3", "A1-a/1", DIRECTION_PROMPT, ACTION_BLOCK, "buy-now 天地玄黄？？");
    assert_int_equal(count_groups(&o, &b), 1);
    assert_has(&b, "\"requests\":[\"a3\",\"a2\",\"a1\"]");
    assert_has(&b, "\"context\":\"buy-now 天地玄黄？？\"");
    assert_lacks(&b, "\"open\"");
    one_hit("b1", "A1-a/2", DIRECTION_PROMPT, ACTION_BLOCK, "buy now 天地玄黄");
    one_hit("b2", "A1-a/1", DIRECTION_COMPLETION, ACTION_BLOCK, "buy now 天地玄黄");
    one_hit("b3", "A1-a/1", DIRECTION_PROMPT, ACTION_FLAG, "buy now 天地玄黄");
    one_hit("b4", "A1-a/1", DIRECTION_PROMPT, ACTION_BLOCK, "buy now 天地玄");
    assert_int_equal(count_groups(&o, &b), 5);
    o.filter.direction = DIRECTION_COMPLETION;
    assert_int_equal(count_groups(&o, &b), 1);
    assert_has(&b, "\"count\":1,");
    o.filter = (struct query_filter){.text = SPAN_LIT("天地玄黄"), .actions = 1u << ACTION_BLOCK};
    assert_int_equal(count_groups(&o, &b), 2 + 1);
    store_close(store);
    buf_deinit(&b);
}

/* More alike than are told one by one: all are counted. */
static void counts_more_than_it_tells(void **state)
{
    struct buf b = BUF_INIT(1u << 22);
    struct groups_options o = {0};
    char request[24];
    assert_int_equal(store_open(span_str(dir), SPAN_LIT("0123456789abcdef"), SPAN_LIT("n"), &store),
                     0);
    at_us = clock_wall_us();
    for (int i = 0; i < GROUPS_REQUESTS_MAX + 3; i++) {
        snprintf(request, sizeof(request), "q%04d", i);
        one_hit(request, "A1-a/1", DIRECTION_PROMPT, ACTION_BLOCK, "x");
    }
    for (int i = 0; i < GROUPS_MAX + 2; i++) {
        snprintf(request, sizeof(request), "rule/%d", i);
        one_hit(request, request, DIRECTION_PROMPT, ACTION_BLOCK, "x");
    }
    store_close(store);
    assert_int_equal(count_groups(&o, &b), GROUPS_MAX);
    assert_has(&b, "\"complete\":false");
    assert_has(&b, "{\"groups\":[{\"rule\":\"A1-a/1\"");
    assert_has(&b, "\"count\":503,");
    assert_has(&b, "\"q0502\",\"q0501\"");
    assert_lacks(&b, "\"q0002\"");
    assert_has(&b, "\"q0003\"");
    buf_deinit(&b);
}

int main(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, make_dir, remove_dir)
    const struct CMUnitTest tests[] = {
        CASE(sums_up),
        CASE(groups_what_is_alike),
        CASE(keeps_apart_what_differs),
        CASE(counts_more_than_it_tells),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
