/* What an exchange does besides text: the record before the end, departures, drain, reload. */
#include "bed.h"

#include "gate/exchange.h"

static struct bed bed;
static struct buf events, wire;
static struct bed_client client;

static int setup(void **state)
{
    bed_open(&bed, *state ? *state : "", true);
    events = wire = BUF_INIT(64u << 20);
    return 0;
}

static int teardown(void **state)
{
    bed_close(&bed);
    buf_deinit(&events);
    buf_deinit(&wire);
    return 0;
}

#define STREAM   "\"stream\":true"
#define DELTA(t) bed_delta(&events, 0, "content", SPAN_LIT(t))

/* The upstream answers with what stands in `events`; it waits behind the first `hold` bytes of it.
 */
static void answer_stream(size_t hold, enum bed_end end)
{
    bed_stream(&wire, buf_span(&events));
    bed.script = (struct bed_script){
        .bytes = buf_span(&wire), .hold_at = hold ? wire.len - events.len + hold : 0, .end = end};
}

static bool has_text(struct bed *b)
{
    return span_find(buf_span(&client.side.in), span_str(b->until_ctx)) < client.side.in.len;
}

static void until_text(const char *text)
{
    if (!bed_run(&bed, has_text, (void *)(uintptr_t)text, 5000))
        fail_msg("\"%s\" never came", text);
}

static bool got(const char *text)
{
    bed.until_ctx = (void *)(uintptr_t)text;
    return has_text(&bed);
}

static bool is_closed_upstream(struct bed *b)
{
    for (size_t i = 0; i < BED_PEERS; i++)
        if (b->peers[i].bed && !b->peers[i].ended)
            return false;
    return b->peer_count > 0;
}

static bool is_asked(struct bed *b)
{
    return b->peer_count > 0 && b->peers[(b->peer_count - 1) % BED_PEERS].asked;
}

static bool is_idle(struct bed *b)
{
    return metrics_get(&b->metrics, METRIC_ACTIVE) == 0;
}

static bool is_held_back(struct bed *b)
{
    return b->held_back;
}

static void check_record(const char *want)
{
    const char *have = "";
    for (int i = 0; i < 200; i++) {
        have = bed_record(&bed);
        if (strncmp(have, want, strlen(want)) == 0)
            return;
        bed_wait(&bed, 10); /* the newest may still be on its way */
    }
    fail_msg("the record is \"%s\", not \"%s\"", have, want);
}

/* --- a log that is slow: another program holds its file --- */

static void test_terminal_waits(void **state)
{
    DELTA("早先的话");
    size_t hold = events.len;
    bed_finish(&events, 0, "stop");
    bed_event(&events, "{\"choices\":[],\"usage\":{\"total_tokens\":3}}");
    bed_event(&events, "[DONE]");
    answer_stream(hold, BED_CLOSE);
    bed_ask(&bed, &client, bed_question("你好", STREAM));
    until_text("早先的话");
    bed_lock_log(&bed);
    bed_go_on(&bed);
    bed_wait(&bed, 300);
    assert_false(got("\"stop\""));
    assert_false(got("total_tokens"));
    assert_false(got("[DONE]"));
    assert_false(client.side.ended);
    bed_unlock_log();
    bed_answer(&bed, &client);
    assert_true(bed_whole(&client));
    assert_true(got("\"stop\"") && got("total_tokens") && got("[DONE]"));
    check_record("allow complete  200 complete");
    bed_leave(&client);
}

static void test_mask_waits(void **state)
{
    DELTA("早先的话");
    size_t hold = events.len;
    DELTA("暗号" BED_MASK "以后");
    bed_finish(&events, 0, "stop");
    bed_event(&events, "[DONE]");
    answer_stream(hold, BED_CLOSE);
    bed_ask(&bed, &client, bed_question("你好", STREAM));
    until_text("早先的话");
    bed_lock_log(&bed);
    bed_go_on(&bed);
    bed_wait(&bed, 300);
    assert_false(got("****"));
    assert_false(got("以后"));
    bed_unlock_log();
    bed_answer(&bed, &client);
    assert_true(got("暗号****以后"));
    check_record("mask complete  200 complete");
    bed_leave(&client);
}

static void test_cut_waits(void **state)
{
    DELTA("早先的话");
    size_t hold = events.len;
    DELTA("又说" BED_BLOCK "后话");
    answer_stream(hold, BED_STAY);
    bed_ask(&bed, &client, bed_question("你好", STREAM));
    until_text("早先的话");
    bed_lock_log(&bed);
    bed_go_on(&bed);
    assert_true(bed_run(&bed, is_closed_upstream, NULL, 5000)); /* no more is paid for */
    bed_wait(&bed, 200);
    assert_false(got("content_filter") || got("又说"));
    bed_unlock_log();
    bed_answer(&bed, &client);
    assert_true(got("又说") && got("content_filter") && got("[DONE]"));
    assert_false(got("后话"));
    check_record("block cut content_filter 200");
    bed_leave(&client);
}

static void test_refusal_waits(void **state)
{
    bed.script = (struct bed_script){.bytes = SPAN_LIT("H"), .end = BED_STAY};
    bed_ask(&bed, &client, bed_question("你好", "")); /* the log's file is there */
    bed_wait(&bed, 50);
    bed_leave(&client);
    assert_true(bed_run(&bed, is_idle, NULL, 5000));
    check_record("allow client_gone");
    bed_lock_log(&bed);
    bed_ask(&bed, &client, bed_question(BED_BLOCK, ""));
    bed_wait(&bed, 200);
    assert_int_equal(client.side.in.len, 0);
    bed_unlock_log();
    bed_answer(&bed, &client);
    assert_int_equal(bed_status(&client), 200);
    assert_span(bed_header(&client, "x-juyong-action"), SPAN_LIT("block"));
    check_record("block refused content_filter 200");
    bed_leave(&client);
}

/* --- more hits than one record has room for --- */

static void test_many_masks(void **state)
{
    for (int i = 0; i < 200; i++)
        DELTA("打" BED_PHONE "，");
    bed_finish(&events, 0, "stop");
    bed_event(&events, "[DONE]");
    answer_stream(0, BED_CLOSE);
    bed_ask(&bed, &client, bed_question("你好", STREAM));
    bed_answer(&bed, &client);
    assert_true(bed_whole(&client) && got("[DONE]"));
    assert_false(got(BED_PHONE));
    check_record("mask complete");
    uint64_t left;
    assert_true(bed_records(&bed, &left) >= 200 + 2); /* none was masked without a record */
    bed_leave(&client);
}

static void test_many_masks_whole(void **state)
{
    struct buf body = BUF_INIT(1u << 20);
    assert_int_equal(
        buf_append(&body, SPAN_LIT("{\"choices\":[{\"index\":0,\"message\":{\"content\":\"")), 0);
    for (int i = 0; i < 100; i++)
        assert_int_equal(buf_append(&body, SPAN_LIT("打" BED_PHONE "，")), 0);
    assert_int_equal(buf_append(&body, SPAN_LIT("\"},\"finish_reason\":\"stop\"}]}")), 0);
    bed_json(&wire, 200, buf_span(&body));
    bed.script = (struct bed_script){.bytes = buf_span(&wire)};
    bed_ask(&bed, &client, bed_question("你好", ""));
    bed_answer(&bed, &client);
    assert_int_equal(bed_status(&client), 200);
    assert_false(got(BED_PHONE));
    check_record("mask complete");
    uint64_t left;
    assert_int_equal(bed_records(&bed, &left), 3);
    assert_int_equal(left, 100 - JUDGE_FINDINGS_MAX);
    buf_deinit(&body);
    bed_leave(&client);
}

/* --- the client leaves --- */

static void test_leave_reading(void **state)
{
    bed_connect(&bed, &client);
    bed_send(&client, SPAN_LIT("POST /v1/chat/completions HTTP/1.1\r\nHost: h\r\nContent-Type: "
                               "application/json\r\nContent-Length: 100\r\n\r\n{\"model\""));
    bed_wait(&bed, 50);
    assert_int_equal(metrics_get(&bed.metrics, METRIC_ACTIVE), 1);
    bed_leave(&client);
    assert_true(bed_run(&bed, is_idle, NULL, 2000));
    assert_int_equal(bed.peer_count, 0);
}

static void test_leave_recording(void **state)
{
    test_leave_reading(state);
    DELTA("x");
    answer_stream(0, BED_CLOSE);
    bed_ask(&bed, &client, bed_question("你好", STREAM));
    bed_answer(&bed, &client);
    bed_leave(&client);
    bed_lock_log(&bed);
    bed_ask(&bed, &client, bed_question(BED_BLOCK, ""));
    bed_wait(&bed, 100);
    assert_int_equal(metrics_get(&bed.metrics, METRIC_ACTIVE), 1);
    bed_leave(&client);
    assert_true(bed_run(&bed, is_idle, NULL, 2000));
    bed_unlock_log();
    check_record("block refused content_filter"); /* its close was on the way already */
}

static void leave_and_check(void)
{
    bed_leave(&client);
    assert_true(bed_run(&bed, is_closed_upstream, NULL, 1000));
    assert_true(bed_run(&bed, is_idle, NULL, 1000));
    check_record("allow client_gone client_gone");
    assert_int_equal(metrics_get(&bed.metrics, METRIC_OUTCOME_CLIENT_GONE), 1);
}

static void test_leave_asking(void **state)
{
    bed.script = (struct bed_script){.bytes = SPAN_LIT("H"), .end = BED_STAY};
    bed_ask(&bed, &client, bed_question("你好", STREAM));
    assert_true(bed_run(&bed, is_asked, NULL, 5000));
    bed_wait(&bed, 20);
    leave_and_check();
}

static void test_leave_gathering(void **state)
{
    bed_json(&wire, 200, SPAN_LIT("{\"choices\":[]}"));
    bed.script = (struct bed_script){.bytes = buf_span(&wire), .hold_at = wire.len - 5};
    bed_ask(&bed, &client, bed_question("你好", ""));
    assert_true(bed_run(&bed, is_held_back, NULL, 5000));
    bed_wait(&bed, 20);
    leave_and_check();
}

static void test_leave_relaying(void **state)
{
    DELTA("早先的话");
    answer_stream(0, BED_STAY);
    bed_ask(&bed, &client, bed_question("你好", STREAM));
    until_text("早先的话");
    leave_and_check();
}

static void test_leave_holding(void **state)
{
    DELTA("琥珀炸弹"); /* nothing was sent yet, not even a head */
    answer_stream(0, BED_STAY);
    bed_ask(&bed, &client, bed_question("你好", STREAM));
    assert_true(bed_run(&bed, is_asked, NULL, 5000));
    bed_wait(&bed, 50);
    assert_int_equal(client.side.in.len, 0);
    leave_and_check();
}

/* --- drain --- */

static void on_drained(void *ctx)
{
    ((struct bed *)ctx)->drained = true;
}

static bool is_drained(struct bed *b)
{
    return b->drained;
}

static void drain_and_check(void)
{
    gate_drain(bed.gate, on_drained, &bed);
    assert_true(bed_run(&bed, is_drained, NULL, 5000));
    assert_int_equal(metrics_get(&bed.metrics, METRIC_ACTIVE), 0);
}

static void test_drain_finishes(void **state)
{
    DELTA("早先的话");
    size_t hold = events.len;
    bed_finish(&events, 0, "stop");
    bed_event(&events, "[DONE]");
    answer_stream(hold, BED_CLOSE);
    bed_ask(&bed, &client, bed_question("你好", STREAM));
    until_text("早先的话");
    gate_drain(bed.gate, on_drained, &bed);
    bed_wait(&bed, 50);
    assert_false(bed.drained);
    bed_go_on(&bed);
    assert_true(bed_run(&bed, is_drained, NULL, 5000));
    bed_answer(&bed, &client);
    assert_true(bed_whole(&client) && got("[DONE]"));
    check_record("allow complete");
    bed_leave(&client);
}

static void test_drain_relaying(void **state)
{
    DELTA("早先的话琥珀");
    answer_stream(0, BED_STAY);
    bed_ask(&bed, &client, bed_question("你好", STREAM));
    bed_wait(&bed, 100);
    drain_and_check();
    bed_answer(&bed, &client);
    assert_true(got("\"error\"") && got("draining"));
    assert_false(got("\"stop\"") || got("[DONE]"));
    check_record("allow internal draining");
    bed_leave(&client);
}

static void test_drain_asking(void **state)
{
    bed.script = (struct bed_script){.bytes = SPAN_LIT("H"), .end = BED_STAY};
    bed_ask(&bed, &client, bed_question("你好", ""));
    assert_true(bed_run(&bed, is_asked, NULL, 5000));
    drain_and_check();
    bed_answer(&bed, &client);
    assert_true(bed_status(&client) >= 500);
    bed_leave(&client);
}

static void test_drain_gathering(void **state)
{
    bed_json(&wire, 200, SPAN_LIT("{\"choices\":[]}"));
    bed.script = (struct bed_script){.bytes = buf_span(&wire), .hold_at = wire.len - 5};
    bed_ask(&bed, &client, bed_question("你好", ""));
    assert_true(bed_run(&bed, is_held_back, NULL, 5000));
    drain_and_check();
    bed_answer(&bed, &client);
    assert_true(bed_status(&client) >= 500);
    bed_leave(&client);
}

static void test_drain_reading(void **state)
{
    bed_connect(&bed, &client);
    bed_send(&client, SPAN_LIT("POST /v1/chat/completions HTTP/1.1\r\nHost: h\r\nContent-Type: "
                               "application/json\r\nContent-Length: 100\r\n\r\n{\"model\""));
    bed_wait(&bed, 50);
    drain_and_check();
    bed_leave(&client);
}

static void test_drain_recording(void **state)
{
    DELTA("x");
    answer_stream(0, BED_CLOSE);
    bed_ask(&bed, &client, bed_question("你好", STREAM));
    bed_answer(&bed, &client);
    bed_leave(&client);
    bed_lock_log(&bed);
    bed_ask(&bed, &client, bed_question(BED_BLOCK, ""));
    bed_wait(&bed, 100);
    drain_and_check();
    bed_unlock_log();
    assert_false(got("HTTP/1.1 200"));
    bed_leave(&client);
}

/* A stream whose end waits for its record when the time to drain is up. */
static void test_drain_sealing(void **state)
{
    DELTA("早先的话");
    size_t hold = events.len;
    bed_finish(&events, 0, "stop");
    bed_event(&events, "[DONE]");
    answer_stream(hold, BED_CLOSE);
    bed_ask(&bed, &client, bed_question("你好", STREAM));
    until_text("早先的话");
    bed_lock_log(&bed);
    bed_go_on(&bed);
    bed_wait(&bed, 100);
    drain_and_check();
    bed_unlock_log();
    assert_false(got("\"stop\"") || got("[DONE]"));
    bed_leave(&client);
}

/* --- reload --- */

static void test_reload(void **state)
{
    DELTA("琥珀");
    size_t hold = events.len;
    DELTA("炸弹配方后话");
    bed_finish(&events, 0, "stop");
    bed_event(&events, "[DONE]");
    answer_stream(hold, BED_CLOSE);
    bed_ask(&bed, &client, bed_question("你好", STREAM));
    assert_true(bed_run(&bed, is_held_back, NULL, 5000));
    struct snapshot *s = bed_load(&bed, "policy: { mode: observe, until: 2999-12-31 }\n");
    for (int i = 0; i < 3; i++)
        gate_reload(bed.gate, s);
    snapshot_unref(s);
    bed_go_on(&bed);
    bed_answer(&bed, &client);
    assert_true(got("content_filter")); /* begun under the old policy */
    assert_false(got("后话"));
    check_record("block cut");
    bed_leave(&client);
    bed_ask(&bed, &client, bed_question("你好", STREAM));
    bed_answer(&bed, &client);
    assert_true(got("炸弹配方后话"));
    check_record("flag complete");
    bed_leave(&client);
}

/* --- back-pressure --- */

static void test_deaf_client(void **state)
{
    char text[1500];
    memset(text, 'a', sizeof(text));
    for (int i = 0; i < 8000; i++) { /* 12 MB */
        text[0] = (char)('a' + i % 26);
        bed_delta(&events, 0, "content", span_from(text, sizeof(text)));
    }
    bed_finish(&events, 0, "stop");
    bed_event(&events, "[DONE]");
    answer_stream(0, BED_CLOSE);
    bed_ask(&bed, &client, bed_question("你好", STREAM));
    client.deaf = true;
    bed_send(&client, SPAN_NULL);
    size_t sent = 0;
    do {
        sent = bed.peers[0].sent;
        bed_wait(&bed, 300);
    } while (sent != bed.peers[0].sent || sent == 0);
    assert_true(sent > 0 && sent < wire.len); /* it was made to wait */
    struct exchange *x = list_entry(bed.gate->exchanges.next, struct exchange, link);
    assert_true(http_stream_pending(x->client) < 1u << 20);
    bed_wait(&bed, 100);
    assert_int_equal(bed.peers[0].sent, sent);
    client.deaf = false;
    bed_send(&client, SPAN_NULL);
    bed_answer(&bed, &client);
    struct buf body = bed_body(&client);
    assert_true(span_eq(buf_span(&body), buf_span(&events)));
    buf_deinit(&body);
    check_record("allow complete");
    bed_leave(&client);
}

/* A frame far past the high-water mark leaves at once; the stream goes on behind it. */
static void test_big_release(void **state)
{
    char text[6000];
    memset(text, 'a', sizeof(text));
    for (int i = 0; i < 100; i++) {
        struct buf e = BUF_INIT(1u << 20);
        assert_int_equal(buf_printf(&e,
                                    "{\"id\":\"c-1\",\"choices\":[{\"index\":0,\"delta\":{"
                                    "\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":"
                                    "\"%.*s\"}}]},\"finish_reason\":null}]}",
                                    (int)sizeof(text), text),
                         0);
        bed_event(&events, buf_cstr(&e));
        buf_deinit(&e);
    }
    bed_finish(&events, 0, "tool_calls");
    size_t hold = events.len;
    bed_delta(&events, 1, "content", SPAN_LIT("后面的话"));
    bed_finish(&events, 1, "stop");
    bed_event(&events, "[DONE]");
    answer_stream(hold, BED_CLOSE);
    bed_ask(&bed, &client, bed_question("你好", STREAM ",\"n\":2"));
    until_text("\"tool_calls\"}]}");
    bed_wait(&bed, 50);
    bed_go_on(&bed);
    bed_answer(&bed, &client);
    struct buf body = bed_body(&client);
    assert_true(span_eq(buf_span(&body), buf_span(&events)));
    buf_deinit(&body);
    bed_leave(&client);
}

int main(void)
{
#define QUICK (void *)(uintptr_t) "limits: { drain_timeout: 50ms }\n"
#define T(f)  cmocka_unit_test_setup_teardown(f, setup, teardown)
#define D(f)  cmocka_unit_test_prestate_setup_teardown(f, setup, teardown, QUICK)
    const struct CMUnitTest tests[] = {
        T(test_many_masks),      T(test_many_masks_whole), T(test_terminal_waits),
        T(test_mask_waits),      T(test_cut_waits),        T(test_refusal_waits),
        T(test_leave_reading),   T(test_leave_recording),  T(test_leave_asking),
        T(test_leave_gathering), T(test_leave_relaying),   T(test_leave_holding),
        T(test_drain_finishes),  D(test_drain_relaying),   D(test_drain_asking),
        D(test_drain_gathering), D(test_drain_reading),    D(test_drain_recording),
        D(test_drain_sealing),   T(test_reload),           T(test_deaf_client),
        T(test_big_release),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
