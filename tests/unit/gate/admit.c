/* Before a request is judged: who may ask, how strictly, and how much; and when a place is free. */
#include "bed.h"

#include "access/access.h"

static struct bed bed;
static struct buf events, wire;
static struct bed_client client, other;

static int setup(void **state)
{
    bed_open(&bed, *state ? *state : "", true);
    events = wire = BUF_INIT(1u << 20);
    return 0;
}

static int teardown(void **state)
{
    bed_close(&bed);
    buf_deinit(&events);
    buf_deinit(&wire);
    return 0;
}

static void answer_json(const char *body)
{
    buf_clear(&wire);
    bed_json(&wire, 200, span_str(body));
    bed.script = (struct bed_script){.bytes = buf_span(&wire), .end = BED_CLOSE};
}

#define FINE                                                                                       \
    "{\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"好\"},"         \
    "\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":30,\"completion_tokens\":12}}"

static int ask(const char *text, const char *more)
{
    bed_ask(&bed, &client, bed_question(text, more));
    bed_answer(&bed, &client);
    return bed_status(&client);
}

static void expect(const char *name, const char *value)
{
    assert_span(bed_header(&client, name), span_str(value));
}

/* The newest may still be on its way. */
static void expect_record(const char *want)
{
    const char *have = bed_record(&bed);
    for (int i = 0; i < 200 && strcmp(have, want) != 0; i++) {
        bed_wait(&bed, 10);
        have = bed_record(&bed);
    }
    assert_string_equal(have, want);
}

static size_t records(void)
{
    uint64_t left;
    bed_wait(&bed, 100);
    return bed_records(&bed, &left);
}

static const char one_a_day[] = "apps: [{ name: default, limits: { requests_per_day: 1 } }]\n";

static void test_too_many(void **state)
{
    answer_json(FINE);
    assert_int_equal(ask("你好", ""), 200);
    expect("x-ratelimit-limit-requests", "1");
    expect("x-ratelimit-remaining-requests", "0");
    bed_leave(&client);
    uint64_t counted = metrics_get(&bed.metrics, METRIC_REJECTED_LIMIT);
    assert_int_equal(ask("你好", ""), 429);
    expect("x-juyong-action", "block");
    expect("x-ratelimit-remaining-requests", "0");
    assert_true(bed_header(&client, "retry-after").len > 0);
    struct buf body = bed_body(&client);
    assert_true(
        span_find(buf_span(&body), SPAN_LIT("\"param\":\"app\",\"code\":\"rate_limit_exceeded\"")) <
        body.len);
    buf_deinit(&body);
    bed_leave(&client);
    expect_record("block rejected rate_limit_exceeded 429 incomplete");
    size_t before = records();
    /* The next ones are counted, and change nothing in the log. */
    for (int i = 0; i < 3; i++) {
        assert_int_equal(ask(BED_BLOCK, ""), 429); /* nor judged */
        bed_leave(&client);
    }
    assert_int_equal(metrics_get(&bed.metrics, METRIC_REJECTED_LIMIT), counted + 4);
    assert_int_equal(records(), before);
    expect_record("block rejected rate_limit_exceeded 429 incomplete");
}

static const char one_at_once[] =
    "apps: [{ name: default, limits: { concurrent: 1, tokens_per_day: 1000 } }]\n";

static bool is_held_back(struct bed *b)
{
    return b->held_back;
}

static void test_place(void **state)
{
    bed_delta(&events, 0, "content", SPAN_LIT("早先的话"));
    size_t hold = events.len;
    bed_finish(&events, 0, "stop");
    bed_event(&events,
              "{\"choices\":[],\"usage\":{\"prompt_tokens\":30,\"completion_tokens\":12}}");
    bed_event(&events, "[DONE]");
    bed_stream(&wire, buf_span(&events));
    bed.script = (struct bed_script){
        .bytes = buf_span(&wire), .hold_at = wire.len - events.len + hold, .end = BED_CLOSE};
    bed_ask(&bed, &other, bed_question("你好", "\"stream\":true"));
    assert_true(bed_run(&bed, is_held_back, NULL, 5000));
    assert_int_equal(ask("你好", ""), 429);
    expect("retry-after", "1");
    expect("retry-after-ms", "1000");
    assert_int_equal(bed_header(&client, "x-should-retry").len, 0);
    bed_leave(&client);
    bed_go_on(&bed);
    bed_answer(&bed, &other);
    assert_true(bed_whole(&other));
    /* The first answer's end is seen, so the place is free; and what it took is known. */
    answer_json(FINE);
    assert_int_equal(ask("你好", ""), 200);
    expect("x-ratelimit-limit-tokens", "1000");
    expect("x-ratelimit-remaining-tokens", "955"); /* 42, and the estimate of the prompt: three */
    bed_leave(&other);
    bed_leave(&client);
    /* A refusal takes nothing, and its place is free as well. */
    for (int i = 0; i < 3; i++) {
        assert_int_equal(ask(BED_BLOCK, ""), 200);
        bed_leave(&client);
    }
    assert_int_equal(ask("你好", ""), 200);
    expect("x-ratelimit-remaining-tokens", "913");
    bed_leave(&client);
    /* So is that of one who leaves before his answer. */
    bed.script.end = BED_STAY;
    bed.script.hold_at = 1;
    bed_ask(&bed, &other, bed_question("你好", ""));
    bed.held_back = false;
    assert_true(bed_run(&bed, is_held_back, NULL, 5000));
    assert_int_equal(ask("你好", ""), 429);
    bed_leave(&client);
    bed_leave(&other);
    bed_wait(&bed, 100);
    answer_json(FINE);
    assert_int_equal(ask("你好", ""), 200);
    bed_leave(&client);
}

static const char not_from_here[] = "apps: [{ name: default, addresses: ['2001:db8::/32'] }]\n";

static void test_address(void **state)
{
    answer_json(FINE);
    assert_int_equal(ask("你好", ""), 403);
    bed_leave(&client);
    expect_record("block rejected address_not_allowed 403 incomplete");
    assert_int_equal(bed.peer_count, 0);
}

static bool hash_fails;
void __real_access_hash_end_user(const struct access *a, struct access_hasher *h, struct span id,
                                 char ret_hex[65]);
void __wrap_access_hash_end_user(const struct access *a, struct access_hasher *h, struct span id,
                                 char ret_hex[65]);

void __wrap_access_hash_end_user(const struct access *a, struct access_hasher *h, struct span id,
                                 char ret_hex[65])
{
    ret_hex[0] = '\0';
    if (!hash_fails)
        __real_access_hash_end_user(a, h, id, ret_hex);
}

/* Nobody gets rid of his name, and what hangs on it, because memory is out. */
static void test_no_memory_for_a_name(void **state)
{
    answer_json(FINE);
    hash_fails = true;
    assert_int_equal(ask("你好", "\"user\":\"anna\""), 503);
    bed_leave(&client);
    assert_int_equal(bed.peer_count, 0);
    assert_int_equal(ask("你好", ""), 200);
    bed_leave(&client);
    hash_fails = false;
    answer_json(FINE);
    assert_int_equal(ask("你好", "\"user\":\"anna\""), 200);
    bed_leave(&client);
}

int main(void)
{
#define TEST(name, yaml)                                                                           \
    cmocka_unit_test_prestate_setup_teardown(name, setup, teardown, (void *)yaml)
    const struct CMUnitTest tests[] = {
        TEST(test_too_many, one_a_day),
        TEST(test_place, one_at_once),
        TEST(test_address, not_from_here),
        TEST(test_no_memory_for_a_name, NULL),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
