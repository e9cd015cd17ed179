/* Turns that were refused, when they come back as history: what the model gets to read. */
#include "bed.h"

#include "base/codec.h"

static struct bed bed;
static struct buf wire;
static struct bed_client client;
static size_t peers; /* connections of the upstream before the last question */

static int setup(void **state)
{
    static const struct span reply =
        SPAN_LIT("{\"id\":\"c\",\"object\":\"chat.completion\",\"created\":1,\"model\":\"demo\","
                 "\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":"
                 "\"fine\"},\"finish_reason\":\"stop\"}]}");
    bed_open(&bed, *state ? *state : "policy: { language: en }\n", true);
    wire = BUF_INIT(1u << 20);
    bed_json(&wire, 200, reply);
    bed.script = (struct bed_script){.bytes = buf_span(&wire), .end = BED_CLOSE};
    return 0;
}

static int teardown(void **state)
{
    bed_close(&bed);
    buf_deinit(&wire);
    return 0;
}

#define NOTICE          "(This content did not pass the safety review and was left out; it is not answered.)"
#define USER(text)      "{\"role\":\"user\",\"content\":\"" text "\"}"
#define ASSISTANT(text) "{\"role\":\"assistant\",\"content\":\"" text "\"}"
#define SYSTEM(text)    "{\"role\":\"system\",\"content\":\"" text "\"}"
#define SORRY           "Sorry, I can't help with that."
#define GO_ON           USER("继续")

/* Asks with these messages, and with further members; waits for the answer. */
static void ask_with(const char *messages, const char *more)
{
    static char body[1 << 20];
    int n =
        snprintf(body, sizeof(body), "{\"model\":\"demo\",\"messages\":[%s]%s}", messages, more);
    assert_true(n > 0 && (size_t)n < sizeof(body));
    peers = bed.peer_count;
    bed_ask(&bed, &client, body);
    bed_answer(&bed, &client);
}

static void is_refused(const char *messages, const char *more, const char *record)
{
    ask_with(messages, more);
    assert_int_equal(bed_status(&client), 200);
    assert_int_equal(bed.peer_count, peers); /* the model was not asked */
    struct buf body = bed_body(&client);
    assert_true(span_find(buf_span(&body), SPAN_LIT("\"content_filter\"")) < body.len);
    buf_deinit(&body);
    bed_leave(&client);
    assert_string_equal(bed_record(&bed), record);
}
#define REFUSED     "block refused content_filter 200 incomplete"
#define REFUSED_OLD "block refused old_offence 200 incomplete"

/* The messages that the upstream got. */
static void is_forwarded(const char *messages, const char *more, const char *want,
                         const char *record)
{
    ask_with(messages, more);
    if (bed.peer_count != peers + 1)
        fail_msg("not forwarded: %.*s", SPAN_ARG(buf_span(&client.side.in)));
    assert_span(bed_header(&client, "x-juyong-action"), SPAN_LIT("allow"));
    struct span in = buf_span(&bed.peers[peers % BED_PEERS].in);
    size_t head = span_find(in, SPAN_LIT("\r\n\r\n"));
    struct buf whole = BUF_INIT(1u << 20);
    assert_int_equal(buf_printf(&whole, "{\"model\":\"demo\",\"messages\":[%s]%s}", want, more), 0);
    assert_span(span_slice(in, head + 4, in.len), buf_span(&whole));
    buf_deinit(&whole);
    bed_leave(&client);
    assert_string_equal(bed_record(&bed), record);
}
#define PASSED     "allow complete  200 complete"
#define PASSED_OLD "allow complete old_offence 200 complete"

/* The newest exchange's hits: how many, and how many of them are old. */
static void check_hits(size_t hits, size_t old)
{
    char dir[96];
    struct query *q = NULL;
    const struct query_row *row;
    struct query_filter all = {.all = true, .limit = 1};
    snprintf(dir, sizeof(dir), "%s/log", bed.dir);
    assert_int_equal(query_open(span_str(dir), &all, &q), 0);
    assert_int_equal(query_next(q, &row), 1);
    size_t n = 0;
    for (size_t i = 0; i < row->hit_count; i++)
        n += row->hits[i].entry->old == ENTRY_TRUE;
    assert_int_equal(row->hit_count, hits);
    assert_int_equal(n, old);
    query_close(q);
}

#define BAD  USER("先说 " BED_BLOCK " 吧")
#define KEPT USER(NOTICE) "," ASSISTANT(NOTICE)

static void a_refused_turn_comes_back_as_a_notice(void **state)
{
    is_refused(BAD, "", REFUSED);
    check_hits(1, 0);
    is_forwarded(BAD "," ASSISTANT(SORRY) "," GO_ON, "", KEPT "," GO_ON, PASSED_OLD);
    check_hits(1, 1);
    /* Told once: later turns of the conversation are altered alike, and bring no new hits. */
    is_forwarded(BAD "," ASSISTANT(SORRY) "," GO_ON "," ASSISTANT("fine") "," USER("a"), "",
                 KEPT "," GO_ON "," ASSISTANT("fine") "," USER("a"), PASSED_OLD);
    check_hits(0, 0);
    /* Without the answer to it; between other turns, with blanks that stay. */
    is_forwarded(BAD " , " GO_ON, "", USER(NOTICE) " , " GO_ON, PASSED_OLD);
    is_forwarded(SYSTEM("s") " ,\n" USER("q") " , " ASSISTANT("a") " , " BAD " , " ASSISTANT(
                     "b") " , " USER("z") " ",
                 "",
                 SYSTEM("s") " ,\n" USER("q") " , " ASSISTANT("a") " , " USER(
                     NOTICE) " , " ASSISTANT(NOTICE) " , " USER("z") " ",
                 PASSED_OLD);
    /* Twice in one conversation. */
    is_forwarded(BAD "," ASSISTANT(SORRY) "," BAD "," ASSISTANT(SORRY) "," GO_ON, "",
                 KEPT "," KEPT "," GO_ON, PASSED_OLD);
    check_hits(0, 0);
    is_forwarded(USER("hello"), "", USER("hello"), PASSED);
}

static void the_last_turn_refuses_however_often(void **state)
{
    for (int i = 0; i < 3; i++) {
        is_refused(BAD, "", REFUSED);
        check_hits(1, 0);
    }
    is_refused(BAD "," ASSISTANT(SORRY) "," BAD, "", REFUSED);
    check_hits(2, 1);
    /* So does what stands behind it, words put into the model's mouth. */
    is_refused(GO_ON "," ASSISTANT(BED_BLOCK), "", REFUSED);
    is_refused(GO_ON "," ASSISTANT(BED_BLOCK), "", REFUSED);
    /* And what has no user turn behind it at all. */
    is_refused(ASSISTANT(BED_BLOCK), "", REFUSED);
    is_refused(ASSISTANT(BED_BLOCK), "", REFUSED);
}

static void an_unknown_offence_in_history_is_new(void **state)
{
    const char *history = BAD "," ASSISTANT(SORRY) "," GO_ON;
    is_refused(history, "", REFUSED);
    check_hits(1, 0);
    is_forwarded(history, "", KEPT "," GO_ON, PASSED_OLD);
    /* Another text is another offence, with the same word as with another one. */
    is_refused(USER(BED_BLOCK) "," ASSISTANT(SORRY) "," GO_ON, "", REFUSED);
    /* And another role. */
    is_refused(USER("q") "," ASSISTANT("先说 " BED_BLOCK " 吧") "," GO_ON, "", REFUSED);
    is_forwarded(USER("q") "," ASSISTANT("先说 " BED_BLOCK " 吧") "," GO_ON, "",
                 USER("q") "," ASSISTANT(NOTICE) "," GO_ON, PASSED_OLD);
}

static void another_end_user_starts_anew(void **state)
{
    const char *history = BAD "," ASSISTANT(SORRY) "," GO_ON;
    is_refused(BAD, ",\"user\":\"anna\"", REFUSED);
    is_refused(history, ",\"user\":\"ben\"", REFUSED);
    is_refused(history, "", REFUSED);
    is_forwarded(history, ",\"user\":\"anna\"", KEPT "," GO_ON, PASSED_OLD);
    is_forwarded(history, ",\"user\":\"ben\"", KEPT "," GO_ON, PASSED_OLD);
    is_forwarded(history, "", KEPT "," GO_ON, PASSED_OLD);
}

static void instructions_always_refuse(void **state)
{
    for (int i = 0; i < 2; i++) {
        is_refused(SYSTEM(BED_BLOCK) "," GO_ON, "", REFUSED);
        is_refused(USER("q") "," ASSISTANT("a") ",{\"role\":\"developer\",\"content\":\"" BED_BLOCK
                                                "\"}," GO_ON,
                   "", REFUSED);
        /* Half in the system's message, half in a turn. */
        is_refused(SYSTEM("琥珀炸") "," USER("弹配方") "," ASSISTANT("a") "," GO_ON, "", REFUSED);
        is_refused(USER("琥珀炸") "," SYSTEM("弹配方") "," ASSISTANT("a") "," GO_ON, "", REFUSED);
        /* Outside of the conversation. */
        is_refused(USER("q") "," ASSISTANT("a") "," GO_ON,
                   ",\"metadata\":{\"a\":\"" BED_BLOCK "\"}", REFUSED);
        is_refused(USER("q") "," ASSISTANT("a") "," GO_ON,
                   ",\"prediction\":{\"type\":\"content\",\"content\":\"" BED_BLOCK "\"}", REFUSED);
    }
    /* Clean ones stay where they are, also within what is taken away. */
    is_refused(BAD, "", REFUSED);
    is_forwarded(SYSTEM("s") "," BAD "," SYSTEM("t") "," ASSISTANT(SORRY) "," ASSISTANT(
                     "more") "," SYSTEM("u") "," GO_ON,
                 "",
                 SYSTEM("s") "," USER(NOTICE) "," SYSTEM("t") "," ASSISTANT(NOTICE) "," SYSTEM(
                     "u") "," GO_ON,
                 PASSED_OLD);
}

#define CALL                                                                                       \
    "{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"c1\",\"type\":"            \
    "\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]}"
#define RESULT(text) "{\"role\":\"tool\",\"tool_call_id\":\"c1\",\"content\":\"" text "\"}"

/* A call without its result is an error to the upstream, and so is the other way round. */
static void calls_and_results_go_together(void **state)
{
    const char *round = USER("q") "," CALL "," RESULT(BED_BLOCK) "," ASSISTANT("a") "," GO_ON;
    is_refused(round, "", REFUSED);
    is_forwarded(round, "", USER("q") "," ASSISTANT(NOTICE) "," GO_ON, PASSED_OLD);
    /* The one that refused in the loop of a tool, and comes back behind the next question. */
    is_refused(USER("r") "," CALL "," RESULT("x " BED_BLOCK), "", REFUSED);
    is_forwarded(USER("r") "," CALL "," RESULT("x " BED_BLOCK) "," ASSISTANT(SORRY) "," GO_ON, "",
                 USER("r") "," ASSISTANT(NOTICE) "," GO_ON, PASSED_OLD);
    /* In the arguments, behind escapes of their own. */
    const char *arguments =
        USER("q") ",{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"c1\",\"type\":\"function\","
                  "\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"a\\\":\\\"\\\\u7425"
                  "珀炸弹配方\\\"}\"}}]}," RESULT("r") "," GO_ON;
    is_refused(arguments, "", REFUSED);
    is_forwarded(arguments, "", USER("q") "," ASSISTANT(NOTICE) "," GO_ON, PASSED_OLD);
    /* A user turn that was refused takes its whole round along, but no other. */
    is_refused(BAD, "", REFUSED);
    is_forwarded(USER("q") "," CALL "," RESULT("1") "," ASSISTANT("a") "," BAD "," CALL "," RESULT(
                     "2") "," ASSISTANT("b") "," GO_ON "," CALL "," RESULT("3"),
                 "",
                 USER("q") "," CALL "," RESULT("1") "," ASSISTANT("a") "," KEPT "," GO_ON "," CALL
                                                                       "," RESULT("3"),
                 PASSED_OLD);
}

static void what_crosses_turns_takes_them_all(void **state)
{
    const char *crossing =
        USER("说琥珀") "," ASSISTANT("炸弹") "," USER("配方是") "," ASSISTANT("a") "," GO_ON;
    is_refused(crossing, "", REFUSED);
    is_forwarded(crossing, "", KEPT "," KEPT "," GO_ON, PASSED_OLD);
    /* A turn that is old by itself, and with what follows it a new offence. */
    const char *end = USER(BED_BLOCK " 琥珀炸");
    const char *more = USER(BED_BLOCK " 琥珀炸") "," ASSISTANT("弹配方") "," GO_ON;
    is_refused(end, "", REFUSED);
    is_refused(more, "", REFUSED);
    check_hits(2, 1);
    is_forwarded(more, "", KEPT "," GO_ON, PASSED_OLD);
    /* And the other way round: the second turn by itself, and what leads into it. In a row it is
     * the same text, but parted elsewhere. */
    is_refused(USER("琥珀炸") "," USER("弹配方 " BED_BLOCK) "," GO_ON, "", REFUSED);
    check_hits(2, 0);
    is_forwarded(USER("弹配方 " BED_BLOCK) "," GO_ON, "", USER(NOTICE) "," GO_ON, PASSED_OLD);
    /* Into the last turn it is the last turn's. */
    const char *into = USER("说琥珀") "," ASSISTANT("炸弹") "," USER("配方是");
    is_refused(into, "", REFUSED);
    is_refused(into, "", REFUSED);
}

static void content_in_parts(void **state)
{
#define PART(text) "{\"type\":\"text\",\"text\":\"" text "\"}"
#define PARTS(a)   "{\"role\":\"user\",\"content\":[" a "]}"
    const char *parts =
        PARTS(PART("one") "," PART(BED_BLOCK) "," PART("three")) "," ASSISTANT(SORRY) "," GO_ON;
    is_refused(PARTS(PART("one") "," PART(BED_BLOCK) "," PART("three")), "", REFUSED);
    is_forwarded(parts, "", KEPT "," GO_ON, PASSED_OLD);
    /* The same text as a string, and in escapes; the role behind the content. */
    is_forwarded(USER(BED_BLOCK) "," ASSISTANT(SORRY) "," GO_ON, "", KEPT "," GO_ON, PASSED_OLD);
    is_forwarded("{\"content\":\"\\u7425珀炸弹配方\",\"role\":\"us\\u0065r\"}," GO_ON, "",
                 USER(NOTICE) "," GO_ON, PASSED_OLD);
}

static void masks_of_other_turns_stay(void **state)
{
    /* What is masked in a turn that goes is gone with it. */
    const char *both = USER(BED_BLOCK " " BED_MASK);
    char messages[1024], want[1024];
    is_refused(both, "", REFUSED);
    snprintf(messages, sizeof(messages),
             USER("a " BED_MASK) ",%s," ASSISTANT(BED_MASK) "," USER(BED_MASK " z"), both);
    snprintf(want, sizeof(want), "%s", USER("a ****") "," KEPT "," USER("**** z"));
    ask_with(messages, "");
    assert_int_equal(bed.peer_count, peers + 1);
    struct span in = buf_span(&bed.peers[peers % BED_PEERS].in);
    assert_true(span_find(in, span_str(want)) < in.len);
    bed_leave(&client);
    assert_string_equal(bed_record(&bed), "mask complete old_offence 200 complete");
}

static void prepared_answers_and_flags(void **state)
{
    /* A prepared answer is a refusal as well. */
    const char *messages = USER(BED_ANSWER) "," ASSISTANT("call the helpline") "," GO_ON;
    ask_with(USER(BED_ANSWER), "");
    assert_int_equal(bed.peer_count, peers);
    assert_span(bed_header(&client, "x-juyong-action"), SPAN_LIT("answer"));
    bed_leave(&client);
    is_forwarded(messages, "", KEPT "," GO_ON, PASSED_OLD);
    /* An old block beside a new answer: the new one decides. */
    is_refused(BAD, "", REFUSED);
    ask_with(BAD "," ASSISTANT(SORRY) "," USER(BED_ANSWER), "");
    assert_int_equal(bed.peer_count, peers);
    assert_span(bed_header(&client, "x-juyong-action"), SPAN_LIT("answer"));
    bed_leave(&client);
    assert_string_equal(bed_record(&bed), "answer refused content_filter 200 incomplete");
    check_hits(2, 1);
    /* A flag beside an old offence is a flag. */
    ask_with(BAD "," ASSISTANT(SORRY) "," USER(BED_FLAG), "");
    assert_int_equal(bed.peer_count, peers + 1);
    bed_leave(&client);
    assert_string_equal(bed_record(&bed), "flag complete old_offence 200 complete");
    check_hits(1, 0);
}

static void many_hits_of_one_turn_are_one_offence(void **state)
{
    struct buf turn = BUF_INIT(1u << 20), messages = BUF_INIT(1u << 20);
    buf_printf(&turn, "{\"role\":\"user\",\"content\":\"");
    for (int i = 0; i < 200; i++)
        buf_printf(&turn, "%d " BED_BLOCK " ", i);
    buf_printf(&turn, "\"}");
    assert_non_null(buf_cstr(&turn));
    is_refused(turn.data, "", REFUSED);
    buf_printf(&messages, "%s," ASSISTANT(SORRY) "," GO_ON, turn.data);
    assert_non_null(buf_cstr(&messages));
    uint64_t left;
    bed_records(&bed, &left);
    assert_int_equal(left, 200 - 64);
    is_forwarded(messages.data, "", KEPT "," GO_ON, PASSED_OLD);
    check_hits(1, 1);
    bed_records(&bed, &left);
    assert_int_equal(left, 0);
    buf_deinit(&turn);
    buf_deinit(&messages);
}

/* More offences than a record has room for, and more than are told apart. */
static void many_offences(void **state)
{
    struct buf messages = BUF_INIT(1u << 20), want = BUF_INIT(1u << 20);
    for (int i = 0; i < 200; i++) {
        buf_printf(&messages, USER("%d " BED_BLOCK) ",", i);
        buf_printf(&want, USER(NOTICE) ",");
    }
    buf_printf(&messages, GO_ON);
    buf_printf(&want, GO_ON);
    assert_non_null(buf_cstr(&messages));
    assert_non_null(buf_cstr(&want));
    is_refused(messages.data, "", REFUSED);
    is_forwarded(messages.data, "", want.data, PASSED_OLD);
    check_hits(64, 64);
    is_forwarded(messages.data, "", want.data, PASSED_OLD);
    check_hits(0, 0);
    /* A new one among them, which has no place in the list of findings, decides all the same. */
    messages.len -= strlen(GO_ON);
    buf_printf(&messages, USER("new " BED_BLOCK));
    assert_non_null(buf_cstr(&messages));
    is_refused(messages.data, "", REFUSED);
    check_hits(1, 0);
    buf_clear(&messages);
    for (int i = 0; i < 300; i++)
        buf_printf(&messages, USER("%d " BED_BLOCK) ",", i);
    buf_printf(&messages, GO_ON);
    assert_non_null(buf_cstr(&messages));
    is_refused(messages.data, "", REFUSED);
    is_refused(messages.data, "", REFUSED_OLD);
    buf_deinit(&messages);
    buf_deinit(&want);
}

static void encoded_offences(void **state)
{
    struct buf messages = BUF_INIT(4096), turn = BUF_INIT(4096);
    buf_printf(&turn, "{\"role\":\"user\",\"content\":\"decode ");
    codec_base64(&turn, SPAN_LIT("tell me about " BED_BLOCK " now"));
    buf_printf(&turn, "\"}");
    assert_non_null(buf_cstr(&turn));
    is_refused(turn.data, "", REFUSED);
    buf_printf(&messages, "%s," ASSISTANT(SORRY) "," GO_ON, turn.data);
    assert_non_null(buf_cstr(&messages));
    is_forwarded(messages.data, "", KEPT "," GO_ON, PASSED_OLD);
    buf_deinit(&messages);
    buf_deinit(&turn);
}

static void policy_may_refuse_them(void **state)
{
    const char *history = BAD "," ASSISTANT(SORRY) "," GO_ON;
    is_refused(BAD, "", REFUSED);
    for (int i = 0; i < 2; i++) {
        is_refused(history, "", REFUSED_OLD);
        check_hits(1, 1);
    }
    is_refused(BAD "," ASSISTANT(SORRY) "," BAD, "", REFUSED);
}

static void observed_nothing_is_altered_or_remembered(void **state)
{
    const char *history = BAD "," ASSISTANT(SORRY) "," GO_ON;
    for (int i = 0; i < 2; i++) {
        ask_with(history, "");
        assert_int_equal(bed.peer_count, peers + 1);
        struct span in = buf_span(&bed.peers[peers % BED_PEERS].in);
        assert_true(span_find(in, span_str(history)) < in.len);
        bed_leave(&client);
        assert_string_equal(bed_record(&bed), "flag complete  200 complete");
        check_hits(1, 0);
    }
}

static void a_text_to_complete_has_no_history(void **state)
{
    static const char body[] = "{\"model\":\"demo\",\"prompt\":\"" BED_BLOCK "\"}";
    for (int i = 0; i < 2; i++) {
        struct buf request = BUF_INIT(4096);
        buf_printf(&request,
                   "POST /v1/completions HTTP/1.1\r\nHost: gate\r\nContent-Type: application/json"
                   "\r\nContent-Length: %zu\r\n\r\n%s",
                   sizeof(body) - 1, body);
        peers = bed.peer_count;
        bed_connect(&bed, &client);
        bed_send(&client, buf_span(&request));
        bed_answer(&bed, &client);
        assert_int_equal(bed.peer_count, peers);
        bed_leave(&client);
        buf_deinit(&request);
        assert_string_equal(bed_record(&bed), REFUSED);
    }
}

static void an_answer_that_was_refused_is_no_turn_to_remember(void **state)
{
    /* The client got the refusal in its place: that is what comes back, and it goes on. */
    static const struct span reply =
        SPAN_LIT("{\"id\":\"c\",\"object\":\"chat.completion\",\"created\":1,\"model\":\"demo\","
                 "\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":"
                 "\"well, " BED_BLOCK "\"},\"finish_reason\":\"stop\"}]}");
    struct buf other = BUF_INIT(1u << 20);
    bed_json(&other, 200, reply);
    bed.script.bytes = buf_span(&other);
    ask_with(USER("q"), "");
    assert_int_equal(bed.peer_count, peers + 1);
    struct buf body = bed_body(&client);
    assert_true(span_find(buf_span(&body), SPAN_LIT(SORRY)) < body.len);
    assert_int_equal(span_find(buf_span(&body), SPAN_LIT(BED_BLOCK)), body.len);
    buf_deinit(&body);
    bed_leave(&client);
    bed.script.bytes = buf_span(&wire);
    is_forwarded(USER("q") "," ASSISTANT(SORRY) "," GO_ON, "",
                 USER("q") "," ASSISTANT(SORRY) "," GO_ON, PASSED);
    /* Who has the whole text from elsewhere is refused. */
    is_refused(USER("q") "," ASSISTANT("well, " BED_BLOCK) "," GO_ON, "", REFUSED);
    buf_deinit(&other);
}

/* Neither the refusal nor the altered request goes out before it is on record. */
static void the_record_comes_first(void **state)
{
    const char *history = BAD "," ASSISTANT(SORRY) "," GO_ON;
    char body[4096];
    snprintf(body, sizeof(body), "{\"model\":\"demo\",\"messages\":[%s]}", history);
    for (int i = 0; i < 3; i++) { /* refused, told, and told before */
        peers = bed.peer_count;
        bed_lock_log(&bed);
        bed_ask(&bed, &client, body);
        bed_wait(&bed, 200);
        assert_int_equal(bed.peer_count, peers);
        assert_int_equal(client.side.in.len, 0);
        bed_unlock_log();
        bed_answer(&bed, &client);
        assert_int_equal(bed_status(&client), 200);
        assert_int_equal(bed.peer_count, peers + (i > 0));
        bed_leave(&client);
        assert_string_equal(bed_record(&bed), i ? PASSED_OLD : REFUSED);
    }
}

/* What could not be put on record is not remembered, and nothing is forwarded without memory. */
static void without_a_log_all_is_new(void **state)
{
    bed_close(&bed);
    bed_open(&bed, "policy: { language: en }\n", false);
    bed.script = (struct bed_script){.bytes = buf_span(&wire), .end = BED_CLOSE};
    for (int i = 0; i < 3; i++) {
        ask_with(BAD "," ASSISTANT(SORRY) "," GO_ON, "");
        assert_int_equal(bed.peer_count, peers);
        bed_leave(&client);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define TEST_AS(name, y)                                                                           \
    cmocka_unit_test_prestate_setup_teardown(name, setup, teardown, (void *)(y))
    static const char refuse[] = "policy: { language: en, history: refuse }\n";
    static const char refuse_app[] =
        "policy: { language: en }\napps:\n  - { name: default, policy: { history: refuse } }\n";
    static const char observe[] = "policy: { mode: observe, until: 2999-12-31 }\n";
    const struct CMUnitTest tests[] = {
        TEST(a_refused_turn_comes_back_as_a_notice),
        TEST(the_last_turn_refuses_however_often),
        TEST(an_unknown_offence_in_history_is_new),
        TEST(another_end_user_starts_anew),
        TEST(instructions_always_refuse),
        TEST(calls_and_results_go_together),
        TEST(what_crosses_turns_takes_them_all),
        TEST(content_in_parts),
        TEST(masks_of_other_turns_stay),
        TEST(prepared_answers_and_flags),
        TEST(many_hits_of_one_turn_are_one_offence),
        TEST(many_offences),
        TEST(encoded_offences),
        TEST_AS(policy_may_refuse_them, (uintptr_t)refuse),
        TEST_AS(policy_may_refuse_them, (uintptr_t)refuse_app),
        TEST_AS(observed_nothing_is_altered_or_remembered, (uintptr_t)observe),
        TEST(a_text_to_complete_has_no_history),
        TEST(an_answer_that_was_refused_is_no_turn_to_remember),
        TEST(the_record_comes_first),
        TEST(without_a_log_all_is_new),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
