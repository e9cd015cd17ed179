/*
 * Second opinions in the hold, against a scripted guard: whatever it does, and whenever, no text
 * that waits for it goes out before it has passed it, and what it objects to ends the answer.
 */
#include "../opinion/guard.h"
#include "bed.h"

#include "gate/exchange.h"

#define SEED 20261126
#define BAD  "紫色暗号"

static struct bed bed;
static struct guard guard;
static struct buf events, wire;
static struct bed_client client;

/* Objects to a question whose last text holds the word. */
static const char *judge(struct span question)
{
    return span_find(question, SPAN_LIT(BAD)) < question.len ? GUARD_BAD : GUARD_SAFE;
}

static const char *timeouts; /* of the upstream; NULL: the bed's */
static const char *limits, *mode;

static void configure(const char *row, const char *more)
{
    char yaml[2048];
    snprintf(
        yaml, sizeof(yaml),
        "%s"
        "opinions:\n"
        "  - { name: guard, kind: webhook, url: \"http://127.0.0.1:%u/judge\", timeout: 300ms, "
        "cache: 0%s }\n"
        "limits: { drain_timeout: 300ms%s }\n"
        "policy:\n"
        "%s"
        "  language: en\n"
        "  opinions:\n"
        "    - { from: guard, %s }\n",
        timeouts ? timeouts : "", guard.port, more, limits, mode, row);
    struct snapshot *s = bed_load(&bed, yaml);
    gate_reload(bed.gate, s);
    snapshot_unref(s);
}

static int setup(void **state)
{
    bed_open(&bed, "", true);
    guard_open(&guard, bed.loop);
    guard.judge = judge;
    timeouts = NULL;
    limits = mode = "";
    events = wire = BUF_INIT(64u << 20);
    return 0;
}

static int setup_shadow(void **state)
{
    setup(state);
    mode = "  mode: shadow\n  until: 2999-12-31\n";
    return 0;
}

static int teardown(void **state)
{
    guard_close(&guard);
    bed_close(&bed);
    buf_deinit(&events);
    buf_deinit(&wire);
    return 0;
}

#define STREAM "\"stream\":true"

static void delta(const char *text)
{
    bed_delta(&events, 0, "content", span_str(text));
}

static void finish(void)
{
    bed_finish(&events, 0, "stop");
    bed_event(&events, "[DONE]");
}

static void answer_stream(void)
{
    buf_clear(&wire);
    bed_stream(&wire, buf_span(&events));
    bed.script = (struct bed_script){.bytes = buf_span(&wire)};
}

static void ask(const char *text, const char *more)
{
    char question[512];
    snprintf(question, sizeof(question), "%s", bed_question(text, more));
    bed_ask(&bed, &client, question);
}

static bool got(const char *text)
{
    return span_find(buf_span(&client.side.in), span_str(text)) < client.side.in.len;
}

static bool is_asked(struct bed *b)
{
    return guard.asked >= *(size_t *)b->until_ctx;
}

static void until_asked(size_t n)
{
    assert_true(bed_run(&bed, is_asked, &n, 5000));
}

static bool is_left_upstream(struct bed *b)
{
    for (size_t i = 0; i < BED_PEERS; i++)
        if (b->peers[i].bed && !b->peers[i].ended)
            return false;
    return b->peer_count > 0;
}

static bool is_sent_upstream(struct bed *b)
{
    return b->peer_count > 0 && b->peers[0].sent == b->script.bytes.len;
}

static void the_answer_waits_for_the_prompts_verdict(void **state)
{
    configure("direction: prompt, timeout: 10s", "");
    for (int refused = 0; refused < 2; refused++) {
        buf_clear(&events);
        delta("今天天气很好，");
        delta("真的。");
        finish();
        answer_stream();
        guard.held = true;
        size_t before = guard.asked;
        ask(refused ? "有" BAD "吗" : "你好", STREAM);
        until_asked(before + 1);
        bed.peers[0].sent = refused ? 0 : bed.peers[0].sent;
        bed_wait(&bed, 100);
        assert_int_equal(client.side.in.len, 0); /* not even its head */
        guard_go(&guard);
        bed_answer(&bed, &client);
        assert_int_equal(bed_status(&client), 200);
        assert_int_equal(got("今天天气"), !refused);
        assert_int_equal(got("content_filter"), refused);
        assert_true(got("data: [DONE]"));
        assert_span(span_slice(span_str(bed_record(&bed)), 0, refused ? 13 : 14),
                    refused ? SPAN_LIT("block refused") : SPAN_LIT("allow complete"));
        bed_leave(&client);
    }
}

static void a_refused_prompt_leaves_the_upstream(void **state)
{
    configure("direction: prompt", "");
    delta("甲");
    delta("乙");
    finish();
    answer_stream();
    bed.script.hold_at = wire.len - 40; /* it would go on */
    bed.script.end = BED_STAY;
    guard.delay_ms = 50;
    ask("有" BAD "吗", STREAM);
    bed_answer(&bed, &client);
    assert_true(got("content_filter"));
    assert_false(got("甲"));
    assert_true(bed_run(&bed, is_left_upstream, NULL, 5000));
    bed_leave(&client);
}

static void even_a_hit_in_the_answer_waits(void **state)
{
    configure("direction: prompt", "");
    delta("先说几句，");
    delta(BED_BLOCK);
    finish();
    answer_stream();
    guard.held = true;
    ask("有" BAD "吗", STREAM);
    until_asked(1);
    assert_true(bed_run(&bed, is_sent_upstream, NULL, 5000));
    bed_wait(&bed, 50);
    assert_int_equal(client.side.in.len, 0);
    guard_go(&guard);
    bed_answer(&bed, &client);
    assert_false(got("先说几句"));
    assert_span(span_slice(span_str(bed_record(&bed)), 0, 13), SPAN_LIT("block refused"));
    bed_leave(&client);
}

/* So does an upstream that fails meanwhile: what it said is not shown for that. */
static void even_a_failure_shows_nothing(void **state)
{
    configure("direction: prompt", "");
    delta("先说几句，");
    answer_stream(); /* no end */
    guard.held = true;
    ask("有" BAD "吗", STREAM);
    until_asked(1);
    bed_answer(&bed, &client);
    assert_int_equal(bed_status(&client), 502);
    assert_false(got("先说几句"));
    assert_int_equal(guard.left, 1);
    bed_leave(&client);
}

static const char *mute_for_prompts(struct span question)
{
    bool prompt = span_find(question, SPAN_LIT("\"direction\":\"prompt\"")) < question.len;
    return prompt ? NULL : GUARD_SAFE;
}

/* The answer to a prompt that nobody has judged is not shown, though its own text has passed. */
static void an_unjudged_prompt_shows_nothing(void **state)
{
    static const char *const rows[] = {"direction: prompt, fallback: closed", "fallback: closed"};
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        size_t before = guard.asked;
        configure(rows[i], "");
        guard.judge = mute_for_prompts;
        guard.held = i == 0; /* it hangs; or it breaks off late, */
        guard.delay_ms = 200;
        buf_clear(&events);
        delta("第一句。");
        delta("第二句。");
        answer_stream();
        bed.script.hold_at = span_find(buf_span(&wire), SPAN_LIT("\r\n\r\n")) + 4;
        bed.script.end = BED_STAY; /* nothing but the prompt's verdict ends it */
        ask("你好", STREAM);
        until_asked(before + 1);
        guard.delay_ms = 0; /* when the sentences have passed */
        bed_go_on(&bed);
        bed_answer(&bed, &client);
        assert_int_equal(guard.asked, before + (i == 0 ? 1 : 3));
        assert_false(got("第一句"));
        assert_false(got("第二句"));
        assert_int_equal(bed_status(&client), 503);
        assert_true(got("judge_unavailable"));
        bed_leave(&client);
    }
}

static void sentences_wait_for_their_verdict(void **state)
{
    configure("direction: completion", "");
    delta("第一句。");
    delta("第二句还没有");
    finish();
    answer_stream();
    guard.held = true;
    ask("你好", STREAM);
    until_asked(1);
    assert_true(bed_run(&bed, is_sent_upstream, NULL, 5000));
    bed_wait(&bed, 50);
    assert_false(got("第一句"));
    guard_go(&guard);
    bed_answer(&bed, &client);
    assert_true(got("第一句"));
    assert_true(got("第二句还没有"));
    assert_int_equal(guard.asked, 2);
    assert_span(span_slice(span_str(bed_record(&bed)), 0, 14), SPAN_LIT("allow complete"));
    bed_leave(&client);
}

/*
 * A whole answer may be asked about in pieces; not one of them goes out before the last is judged,
 * also when that is the one that is objected to.
 */
static void a_whole_answer_is_not_shown_by_the_piece(void **state)
{
    configure("direction: completion, release: whole, timeout: 10s", ", text: 256B");
    for (int bad = 0; bad < 2; bad++) {
        size_t before = guard.asked;
        buf_clear(&events);
        for (int i = 0; i < 40; i++)
            delta("这是一句平常的话。");
        delta(bad ? "有" BAD "。" : "完了。");
        finish();
        answer_stream();
        bed.script.hold_at = wire.len - 400; /* the end is not there yet */
        ask("你好", STREAM);
        until_asked(before + 2);
        bed_wait(&bed, 100);
        assert_false(got("平常"));
        bed_go_on(&bed);
        bed_answer(&bed, &client);
        assert_int_equal(got("平常"), !bad);
        assert_int_equal(got("完了"), !bad);
        assert_int_equal(got("content_filter"), bad);
        assert_false(got("retract"));
        bed_leave(&client);
    }
}

/* Held up to the hold's ceiling, and what is longer ends without a word of it. */
static void a_whole_answer_that_is_too_long_is_not_shown(void **state)
{
    limits = ", hold: 4KiB";
    configure("direction: completion, release: whole, timeout: 10s", "");
    for (int i = 0; i < 100; i++)
        delta("这是一句平常的话。");
    finish();
    answer_stream();
    ask("你好", STREAM);
    bed_answer(&bed, &client);
    assert_true(got("hold_overflow"));
    assert_false(got("平常"));
    bed_leave(&client);
}

/* What stands where one of the pieces ends is whole in the next. */
static void pieces_of_an_answer_overlap(void **state)
{
    configure("direction: completion, release: whole, timeout: 10s", ", text: 256B");
    for (size_t lead = 244; lead < 260; lead += 3) { /* the word is 12 bytes */
        char text[600];
        memset(text, 'a', sizeof(text));
        memcpy(text + lead, BAD, strlen(BAD));
        text[sizeof(text) - 1] = '\0';
        buf_clear(&events);
        delta(text);
        finish();
        answer_stream();
        ask("你好", STREAM);
        bed_answer(&bed, &client);
        if (got("aaaa"))
            fail_msg("behind %zu bytes", lead);
        bed_leave(&client);
    }
}

static void what_is_no_answer_leaves_it_to_the_rules(void **state)
{
    static const struct {
        const char *answer;
        int status;
        bool held, down;
    } rows[] = {{"{", 200}, {"", 200}, {GUARD_SAFE, 503}, {NULL}, {.held = true}, {.down = true}};
    for (int closed = 0; closed < 2; closed++) {
        for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
            if (rows[i].down && guard.listener.fd >= 0 && closed)
                guard_close(&guard);
            configure(closed ? "fallback: closed, timeout: 100ms" : "timeout: 100ms", "");
            guard.judge = NULL;
            guard.answer = rows[i].answer;
            guard.status = rows[i].status ? rows[i].status : 200;
            guard.held = rows[i].held;
            buf_clear(&events);
            delta("好的" BAD "。");
            finish();
            answer_stream();
            ask("有" BAD "吗", STREAM);
            bed_answer(&bed, &client);
            if (rows[i].down && !closed) {
                bed_leave(&client);
                continue; /* once is enough, it does not come back */
            }
            if (closed)
                assert_int_equal(bed_status(&client), 503);
            assert_int_equal(got("好的"), !closed);
            assert_int_equal(got("judge_unavailable"), closed);
            assert_span(span_slice(span_str(bed_record(&bed)), 0, 5),
                        closed ? SPAN_LIT("allow") : SPAN_LIT("allow"));
            bed_leave(&client);
        }
    }
}

/* Who can't even be asked has failed at once, while the event that asks is being read. */
static void no_turn_and_closed_ends_the_stream(void **state)
{
    configure("direction: completion, fallback: closed, timeout: 10s",
              ", concurrency: 1, queue: 0");
    for (int i = 0; i < 5; i++) /* more failures than patience: that opens nothing */
        delta("第一句。");
    finish();
    answer_stream();
    bed.script.end = BED_STAY; /* nothing more wakes the exchange */
    guard.held = true;
    ask("你好", STREAM);
    bed_answer(&bed, &client);
    assert_int_equal(bed_status(&client), 503);
    assert_true(got("judge_unavailable"));
    assert_false(got("第一句"));
    bed_leave(&client);
}

/* Nor does it matter that the end is read in the same turn: fewer choices than were asked for. */
static void no_turn_and_closed_is_no_end_either(void **state)
{
    static struct bed_client other;
    configure("direction: completion, fallback: closed, timeout: 10s",
              ", concurrency: 1, queue: 0");
    delta("第一句。");
    answer_stream();
    bed.script.end = BED_STAY;
    guard.held = true;
    bed_ask(&bed, &other, bed_question("你好", STREAM)); /* takes the only turn */
    until_asked(1);
    buf_clear(&events);
    delta("没有句号");
    finish();
    answer_stream();
    ask("你好", "\"n\":2," STREAM);
    bed_answer(&bed, &client);
    assert_false(got("没有句号"));
    assert_int_equal(bed_status(&client), 503);
    assert_true(got("judge_unavailable"));
    bed_leave(&client);
    bed_leave(&other);
}

/* An answer that is over waits for opinions no longer than an exchange may take. */
static void an_ended_stream_does_not_wait_for_ever(void **state)
{
    timeouts = "    timeouts: { connect: 2s, first_byte: 5s, gap: 50ms, total: 500ms }\n";
    configure("direction: completion, timeout: 5min", "");
    for (int hit = 0; hit < 2; hit++) {
        buf_clear(&events);
        delta("第一句。");
        if (hit)
            delta(BED_BLOCK);
        finish();
        answer_stream();
        guard.held = true;
        ask("你好", STREAM);
        bed_answer(&bed, &client);
        assert_int_equal(bed_status(&client), 503);
        assert_true(got("judge_unavailable"));
        assert_false(got("第一句"));
        bed_leave(&client);
    }
}

/* What stands where one piece of a long prompt ends is whole in the next. */
static void pieces_of_a_prompt_overlap(void **state)
{
    configure("direction: prompt", ", text: 1KiB");
    delta("好的");
    finish();
    for (size_t lead = 1008; lead < 1025; lead += 4) { /* the word is 12 bytes */
        char question[1500];
        memset(question, 'a', sizeof(question));
        memcpy(question + lead, BAD, strlen(BAD));
        question[sizeof(question) - 1] = '\0';
        answer_stream();
        bed_ask(&bed, &client, bed_question(question, STREAM));
        bed_answer(&bed, &client);
        if (got("好的"))
            fail_msg("behind %zu bytes", lead);
        bed_leave(&client);
    }
}

static void a_client_that_leaves_takes_its_questions_along(void **state)
{
    configure("release: sentence, timeout: 10s", "");
    delta("第一句。");
    finish();
    answer_stream();
    guard.held = true;
    ask("你好", STREAM);
    until_asked(1);
    bed_leave(&client);
    bed_wait(&bed, 100);
    assert_int_equal(metrics_get(&bed.metrics, METRIC_ACTIVE), 0);
    assert_int_equal(guard.left, 1);
    guard_go(&guard); /* nobody is there for it any more */
    bed_wait(&bed, 50);
    assert_span(span_slice(span_str(bed_record(&bed)), 0, 17), SPAN_LIT("allow client_gone"));
    /* And while sentences are asked about. */
    guard.held = false;
    configure("direction: completion, timeout: 10s", "");
    buf_clear(&events);
    for (int i = 0; i < 30; i++)
        delta("一句。");
    finish();
    answer_stream();
    guard.delay_ms = 5;
    ask("你好", STREAM);
    until_asked(3);
    bed_leave(&client);
    bed_wait(&bed, 100);
    assert_int_equal(metrics_get(&bed.metrics, METRIC_ACTIVE), 0);
}

static void on_drained(void *ctx)
{
    bed.drained = true;
}

static bool is_drained(struct bed *b)
{
    return b->drained;
}

static void a_drain_does_not_wait_for_ever(void **state)
{
    configure("direction: completion, timeout: 5min", "");
    delta("第一句。");
    finish();
    answer_stream();
    guard.held = true;
    ask("你好", STREAM);
    until_asked(1);
    gate_drain(bed.gate, on_drained, NULL); /* cuts what is left */
    assert_true(bed_run(&bed, is_drained, NULL, 10000));
    assert_false(got("第一句"));
    assert_true(got("draining"));
    bed_wait(&bed, 50);
    assert_int_equal(guard.left, 1);
    bed_leave(&client);
}

/* Beside the traffic he is heard when the client has gone, yet not for longer than the gate runs.
 */
static void in_shadow_he_is_heard_to_the_end(void **state)
{
    for (int drains = 0; drains < 2; drains++) {
        configure("timeout: 5min", "");
        size_t before = guard.asked;
        buf_clear(&events);
        for (int i = 0; i < 9; i++)
            delta("一句。");
        delta("还有" BAD "。");
        finish();
        answer_stream();
        guard.held = true;
        ask("你好", STREAM);
        bed_answer(&bed, &client);
        assert_true(got(BAD));
        assert_true(got("data: [DONE]"));
        until_asked(before + 5); /* the prompt, and as many sentences as go at one time */
        bed_leave(&client);
        bed_wait(&bed, 100);
        assert_int_equal(metrics_get(&bed.metrics, METRIC_ACTIVE), 1);
        if (drains) {
            gate_drain(bed.gate, on_drained, NULL);
            assert_true(bed_run(&bed, is_drained, NULL, 10000));
        } else {
            guard_go(&guard);
            until_asked(before + 11);
            bed_wait(&bed, 100);
        }
        assert_int_equal(metrics_get(&bed.metrics, METRIC_ACTIVE), 0);
        assert_span(span_slice(span_str(bed_record(&bed)), 0, drains ? 14 : 13),
                    drains ? SPAN_LIT("allow complete") : SPAN_LIT("flag complete"));
    }
}

/* --- any split, any delay: the same answer --- */

static const char *slow_judge(struct span question)
{
    static uint64_t seed = SEED;
    guard.delay_ms = (unsigned)(random_next(&seed) % 4);
    return judge(question);
}

struct row {
    const char *text;
    const char *want; /* what comes through before the notice; all of it when nothing objects */
    bool cut;
};

static void any_split_gives_the_same_answer(void **state)
{
    static const struct row rows[] = {
        {"第一句很好。第二句也好！第三句没有结尾", "第一句很好。第二句也好！第三句没有结尾", false},
        {"第一句很好。\\n第二句有" BAD "。第三句。", "第一句很好。\n", true},
        {BAD "在开头。第二句。", "", true},
        {"一。二。三。四。五。六。七。八。九。最后" BAD, "一。二。三。四。五。六。七。八。九。",
         true},
        {"English one. And " BAD " two. Three.", "English one. ", true},
        {"电话" BED_PHONE "。然后" BAD "。", "电话***********。", true},
        {"好的。" BED_BLOCK "。" BAD, "好的。", true},
    };
    uint64_t seed = SEED;
    configure("direction: completion, timeout: 10s", "");
    guard.judge = slow_judge;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        for (int round = 0; round < 12; round++) {
            struct span text = span_str(rows[i].text);
            struct buf piece = BUF_INIT(4096);
            size_t cuts[64], cut_count = 0;
            buf_clear(&events);
            while (text.len) {
                size_t n = 1 + random_next(&seed) % (round < 2 ? 200 : 9);
                n = n < text.len ? n : text.len;
                /* Not within a character, nor within an escape. */
                while (n < text.len &&
                       (((unsigned char)text.data[n] & 0xC0) == 0x80 || text.data[n - 1] == '\\'))
                    n++;
                buf_clear(&piece);
                buf_append(&piece, span_slice(text, 0, n));
                bed_delta(&events, 0, "content", buf_span(&piece));
                text = span_slice(text, n, text.len);
            }
            finish();
            answer_stream();
            for (size_t at = 0; at < wire.len && cut_count < 64;) {
                at += 1 + random_next(&seed) % 300;
                cuts[cut_count++] = at;
            }
            bed.script.cuts = cuts;
            bed.script.cut_count = cut_count;
            ask("你好", STREAM);
            bed_answer(&bed, &client);
            struct buf body = bed_body(&client);
            struct bed_reading r;
            bed_read(buf_span(&body), &r);
            struct span shown = buf_span(&r.text[0]), want = span_str(rows[i].want);
            if (rows[i].cut ? !span_starts(shown, want) : !span_eq(shown, want))
                fail_msg("row %zu, round %d: %.*s", i, round, SPAN_ARG(shown));
            if (rows[i].cut) {
                struct span rest = span_trim(span_slice(shown, want.len, shown.len));
                assert_span(rest, SPAN_LIT("Sorry, I can't help with that."));
            }
            assert_string_equal(r.finish[0], rows[i].cut ? "content_filter" : "stop");
            assert_int_equal(r.done, 1);
            assert_false(got(BAD));
            bed_reading_deinit(&r);
            buf_deinit(&body);
            buf_deinit(&piece);
            bed_leave(&client);
        }
    }
}

/* An answer that is not streamed waits in one piece. */
static void a_whole_answer_waits_too(void **state)
{
    configure("timeout: 10s", "");
    for (int bad = 0; bad < 2; bad++) {
        buf_clear(&wire);
        bed_json(
            &wire, 200,
            bad ? SPAN_LIT("{\"id\":\"c1\",\"object\":\"chat.completion\",\"choices\":[{"
                           "\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"有" BAD
                           "\"},\"finish_reason\":\"stop\"}]}")
                : SPAN_LIT("{\"id\":\"c1\",\"object\":\"chat.completion\",\"choices\":[{"
                           "\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"好\"},"
                           "\"finish_reason\":\"stop\"}]}"));
        bed.script = (struct bed_script){.bytes = buf_span(&wire)};
        guard.delay_ms = 30;
        ask("你好", "\"stream\":false");
        bed_answer(&bed, &client);
        assert_int_equal(got("\"好\""), !bad);
        assert_int_equal(got("content_filter"), bad);
        assert_false(got(BAD));
        assert_span(span_slice(span_str(bed_record(&bed)), 0, 5),
                    bad ? SPAN_LIT("block") : SPAN_LIT("allow"));
        bed_leave(&client);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(the_answer_waits_for_the_prompts_verdict),
        TEST(a_refused_prompt_leaves_the_upstream),
        TEST(even_a_hit_in_the_answer_waits),
        TEST(even_a_failure_shows_nothing),
        TEST(an_unjudged_prompt_shows_nothing),
        TEST(sentences_wait_for_their_verdict),
        TEST(a_whole_answer_is_not_shown_by_the_piece),
        TEST(a_whole_answer_that_is_too_long_is_not_shown),
        TEST(pieces_of_an_answer_overlap),
        TEST(what_is_no_answer_leaves_it_to_the_rules),
        TEST(no_turn_and_closed_ends_the_stream),
        TEST(no_turn_and_closed_is_no_end_either),
        TEST(an_ended_stream_does_not_wait_for_ever),
        TEST(pieces_of_a_prompt_overlap),
        TEST(a_client_that_leaves_takes_its_questions_along),
        TEST(a_drain_does_not_wait_for_ever),
        cmocka_unit_test_setup_teardown(in_shadow_he_is_heard_to_the_end, setup_shadow, teardown),
        TEST(any_split_gives_the_same_answer),
        TEST(a_whole_answer_waits_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
