/* Mode shadow: the traffic is what it would be without us, and the record tells what was seen. */
#include "bed.h"

#include "gate/exchange.h"

#define SHADOW "policy: { mode: shadow, until: 2999-12-31 }\n"

static struct bed bed;
static struct buf events, wire;
static struct bed_client client;

static int setup(void **state)
{
    bed_open(&bed, *state ? *state : SHADOW, true);
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

#define STREAM   "\"stream\":true"
#define DELTA(t) bed_delta(&events, 0, "content", SPAN_LIT(t))

static void answer(size_t hold, enum bed_end end)
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

static bool is_asked(struct bed *b)
{
    return b->peer_count > 0 && b->peers[(b->peer_count - 1) % BED_PEERS].asked;
}

static void check_record(const char *want)
{
    const char *have = "";
    for (int i = 0; i < 200; i++) {
        have = bed_record(&bed);
        if (strncmp(have, want, strlen(want)) == 0)
            return;
        bed_wait(&bed, 10);
    }
    fail_msg("the record is \"%s\", not \"%s\"", have, want);
}

/* The bytes of the events, as they came. */
static void check_verbatim(void)
{
    struct buf body = bed_body(&client);
    assert_true(span_eq(buf_span(&body), buf_span(&events)));
    buf_deinit(&body);
}

/* Half a keyword, which enforce and observe would hold, is there before the other half is. */
static void a_stream_waits_for_nothing(void **state)
{
    DELTA("早先的话琥珀");
    size_t hold = events.len;
    DELTA("炸弹配方和" BED_PHONE "后话");
    bed_finish(&events, 0, "stop");
    bed_event(&events, "{\"choices\":[],\"usage\":{\"total_tokens\":3}}");
    bed_event(&events, "[DONE]");
    answer(hold, BED_CLOSE);
    bed_ask(&bed, &client, bed_question(BED_BLOCK, STREAM));
    until_text("早先的话琥珀");
    bed_go_on(&bed);
    bed_answer(&bed, &client);
    assert_true(bed_whole(&client));
    check_verbatim();
    bed_leave(&client);
    check_record("flag complete  200 complete");
    uint64_t left;
    assert_true(bed_records(&bed, &left) >= 3); /* open, the prompt's act, the answer's, close */
}

/* Nor for the log, whose file another program holds. */
static void the_end_waits_for_no_record(void **state)
{
    DELTA("早先的话");
    size_t hold = events.len;
    bed_finish(&events, 0, "stop");
    bed_event(&events, "[DONE]");
    answer(hold, BED_CLOSE);
    bed_ask(&bed, &client, bed_question("你好", STREAM));
    until_text("早先的话");
    bed_lock_log(&bed);
    bed_go_on(&bed);
    until_text("[DONE]");
    bed_answer(&bed, &client);
    assert_true(bed_whole(&client));
    bed_unlock_log();
    bed_leave(&client);
    check_record("allow complete  200 complete");
}

static void what_no_json_is_goes_on(void **state)
{
    DELTA("前文");
    bed_event(&events,
              "{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"x\",\"content\":\"y\"}}]}");
    DELTA(BED_BLOCK);
    bed_finish(&events, 0, "stop");
    bed_event(&events, "[DONE]");
    answer(0, BED_CLOSE);
    bed_ask(&bed, &client, bed_question("你好", STREAM));
    bed_answer(&bed, &client);
    check_verbatim();
    bed_leave(&client);
    check_record("allow complete unjudged 200 ");
    assert_null(strstr(bed_record(&bed), "200 complete"));
}

static void a_broken_answer_stays_broken(void **state)
{
    DELTA("前文");
    answer(0, BED_RESET);
    bed_ask(&bed, &client, bed_question("你好", STREAM));
    bed_answer(&bed, &client);
    assert_false(bed_whole(&client));
    bed_leave(&client);
    check_record("allow truncated upstream_truncated");
}

static void an_answer_in_one_piece(void **state)
{
    static const char body[] = "{\"id\":\"1\",\"object\":\"chat.completion\",\"model\":\"demo\","
                               "\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\","
                               "\"content\":\"" BED_BLOCK BED_PHONE "\"},"
                               "\"finish_reason\":\"stop\"}]}";
    bed_json(&wire, 200, span_str(body));
    bed.script = (struct bed_script){.bytes = buf_span(&wire), .end = BED_CLOSE};
    bed_ask(&bed, &client, bed_question(BED_ANSWER, "\"n\":1"));
    bed_answer(&bed, &client);
    assert_int_equal(bed_status(&client), 200);
    struct buf got = bed_body(&client);
    assert_true(span_eq(buf_span(&got), span_str(body)));
    buf_deinit(&got);
    bed_leave(&client);
    check_record("flag complete  200 complete");
}

/* The prompt too goes on as it is, media included. */
static void a_request_goes_on_as_it_is(void **state)
{
    static const char body[] =
        "{\"model\":\"demo\",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\","
        "\"text\":\"" BED_BLOCK "\"},{\"type\":\"image_url\",\"image_url\":{\"url\":"
        "\"data:image/png;base64,AAAA\"}}]}]}";
    bed_json(&wire, 200, SPAN_LIT("{\"choices\":[]}"));
    bed.script = (struct bed_script){.bytes = buf_span(&wire), .end = BED_CLOSE};
    bed_ask(&bed, &client, body);
    assert_true(bed_run(&bed, is_asked, NULL, 5000));
    bed_answer(&bed, &client);
    struct span in = buf_span(&bed.peers[0].in);
    assert_true(span_find(in, span_str(body)) < in.len);
    bed_leave(&client);
    check_record("flag complete  200 ");
    assert_null(strstr(bed_record(&bed), "200 complete")); /* the image was not judged */
}

static void no_route_is_no_route(void **state)
{
    bed_ask(&bed, &client, "{\"model\":\"demo\",\"model\":\"x\",\"messages\":[]}");
    bed_answer(&bed, &client);
    assert_int_equal(bed_status(&client), 400);
    assert_int_equal(bed.peer_count, 0);
    bed_leave(&client);
    check_record("block rejected duplicate_key");
}

static void behind_its_last_day_it_enforces(void **state)
{
    bed_ask(&bed, &client, bed_question(BED_BLOCK, STREAM));
    bed_answer(&bed, &client);
    assert_int_equal(bed.peer_count, 0);
    bed_leave(&client);
    check_record("block refused");
}

int main(void)
{
#define ENDED   (void *)(uintptr_t) "policy: { mode: shadow, until: 2020-01-01 }\n"
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_stream_waits_for_nothing),
        TEST(the_end_waits_for_no_record),
        TEST(what_no_json_is_goes_on),
        TEST(a_broken_answer_stays_broken),
        TEST(an_answer_in_one_piece),
        TEST(a_request_goes_on_as_it_is),
        TEST(no_route_is_no_route),
        cmocka_unit_test_prestate_setup_teardown(behind_its_last_day_it_enforces, setup, teardown,
                                                 ENDED),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
