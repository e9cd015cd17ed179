/* Turns, deadlines, failures and withdrawals, against a scripted guard in the same loop. */
#include "guard.h"

#include "opinion/desk.h"
#include "opinion/sign.h"

#include "base/codec.h"
#include "crypto/hmac.h"

#include <stdio.h>
#include <stdlib.h>

#define ASKS 16

struct fixture {
    struct loop *loop;
    struct http_client *client;
    struct opinion_desk *desk;
    struct guard guard;
    struct config_opinion source;
    char url[64];
    struct loop_timer limit;
    bool late;
    size_t told, wanted;
    struct told {
        struct fixture *fixture;
        struct opinion_ask *ask;
        struct opinion_answer answer;
        bool there;
        size_t order;
    } asks[ASKS];
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    http_client_setup();
    f->loop = loop_new();
    assert_int_equal(http_client_new(f->loop, 16, &f->client), 0);
    assert_int_equal(opinion_desk_new(f->loop, f->client, &f->desk), 0);
    guard_open(&f->guard, f->loop);
    snprintf(f->url, sizeof(f->url), "http://127.0.0.1:%u/judge", f->guard.port);
    f->source = (struct config_opinion){.name = SPAN_LIT("guard"),
                                        .kind = OPINION_WEBHOOK,
                                        .url = span_str(f->url),
                                        .timeout_ms = 2000,
                                        .connect_ms = 1000,
                                        .concurrency = 2,
                                        .queue = 2,
                                        .cache = 10,
                                        .cache_ms = 60000};
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    opinion_desk_free(f->desk);
    http_client_free(f->client);
    guard_close(&f->guard);
    loop_timer_cancel(&f->limit);
    loop_free(f->loop);
    http_client_teardown();
    free(f);
    return 0;
}

static void told(void *ctx, const struct opinion_answer *answer)
{
    struct told *t = ctx;
    struct fixture *f = t->fixture;
    assert_false(t->there); /* once */
    t->there = true;
    t->ask = NULL;
    t->answer = *answer;
    t->order = ++f->told;
    if (f->told == f->wanted)
        loop_stop(f->loop);
}

static void limit(struct loop_timer *t)
{
    struct fixture *f = list_entry(t, struct fixture, limit);
    f->late = true;
    loop_stop(f->loop);
}

/* Runs until so many have been told, or for that long. */
static bool run(struct fixture *f, size_t wanted, unsigned ms)
{
    f->wanted = wanted;
    f->late = false;
    if (f->told >= wanted && wanted)
        return true;
    loop_timer_init(f->loop, &f->limit, limit);
    loop_timer_set(&f->limit, loop_now_ms(f->loop) + ms);
    loop_run(f->loop);
    loop_timer_cancel(&f->limit);
    return !f->late;
}

static int ask(struct fixture *f, size_t n, const char *text, unsigned ms)
{
    struct opinion_question q = {.direction = DIRECTION_PROMPT, .text = span_str(text)};
    struct told *t = &f->asks[n];
    *t = (struct told){.fixture = f};
    return opinion_ask(f->desk, &f->source, &q, ms, told, t, &t->ask, &t->answer);
}

static void answers_and_remembers(void **state)
{
    struct fixture *f = *state;
    f->guard.answer = GUARD_BAD;
    assert_int_equal(ask(f, 0, "a", 2000), 0);
    assert_false(f->asks[0].there); /* never within the call */
    assert_true(run(f, 1, 5000));
    assert_int_equal(f->asks[0].answer.failure, OPINION_SAID);
    assert_false(f->asks[0].answer.cached);
    assert_int_equal(f->asks[0].answer.verdict.count, 1);
    assert_string_equal(f->asks[0].answer.verdict.scores[0].category, "bad");
    assert_int_equal(ask(f, 1, "a", 2000), 1);
    assert_true(f->asks[1].answer.cached);
    assert_int_equal(f->asks[1].answer.verdict.scores[0].percent, 90);
    assert_int_equal(f->guard.asked, 1);
}

static void failures_have_names_and_are_not_remembered(void **state)
{
    struct fixture *f = *state;
    static const struct {
        int status;
        const char *answer;
        enum opinion_failure want;
    } rows[] = {
        {200, "no", OPINION_MALFORMED},    {200, "{}", OPINION_MALFORMED},
        {200, "", OPINION_MALFORMED},      {500, GUARD_SAFE, OPINION_STATUS},
        {204, "", OPINION_STATUS},         {429, GUARD_SAFE, OPINION_STATUS},
        {302, GUARD_SAFE, OPINION_STATUS}, {200, NULL, OPINION_MALFORMED},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        f->guard.status = rows[i].status;
        f->guard.answer = rows[i].answer;
        assert_int_equal(ask(f, i, "the same", 2000), 0);
        assert_true(run(f, i + 1, 5000));
        if (f->asks[i].answer.failure != rows[i].want)
            fail_msg("row %zu: %s", i, opinion_failure_name(f->asks[i].answer.failure));
        assert_int_equal(f->asks[i].answer.verdict.count, 0);
    }
}

static void nobody_there(void **state)
{
    struct fixture *f = *state;
    guard_close(&f->guard);
    assert_int_equal(ask(f, 0, "a", 2000), 0);
    assert_true(run(f, 1, 5000));
    assert_int_equal(f->asks[0].answer.failure, OPINION_CONNECT);
}

static void a_deadline_includes_the_wait_for_a_turn(void **state)
{
    struct fixture *f = *state;
    f->guard.held = true;
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(ask(f, i, "abc" + i, i == 2 ? 100 : 5000), 0);
    assert_true(run(f, 1, 5000));
    assert_true(f->asks[2].there);
    assert_int_equal(f->asks[2].answer.failure, OPINION_TIMEOUT);
    assert_int_equal(f->guard.asked, 2); /* it never had a turn */
    guard_go(&f->guard);
    assert_true(run(f, 3, 5000));
    assert_int_equal(f->asks[0].answer.failure, OPINION_SAID);
}

static void turns_are_taken_in_order_and_bounded(void **state)
{
    struct fixture *f = *state;
    static const char *const texts[] = {"a", "b", "c", "d", "e"};
    f->guard.held = true;
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(ask(f, i, texts[i], 5000), 0);
    assert_int_equal(ask(f, 4, texts[4], 5000), 1); /* two at work, two waiting */
    assert_int_equal(f->asks[4].answer.failure, OPINION_OVERLOADED);
    run(f, 0, 100);
    assert_int_equal(f->guard.asked, 2);
    f->guard.held = false;
    guard_go(&f->guard);
    assert_true(run(f, 4, 5000));
    assert_int_equal(f->guard.most, 2);
    assert_int_equal(f->guard.asked, 4);
    assert_true(f->asks[2].order > f->asks[0].order || f->asks[2].order > f->asks[1].order);
    /* And again: nothing of the queue is left behind. */
    assert_int_equal(ask(f, 5, "f", 5000), 0);
    assert_true(run(f, 5, 5000));
}

static void what_is_withdrawn_is_told_to_nobody(void **state)
{
    struct fixture *f = *state;
    f->guard.held = true;
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(ask(f, i, "abcd" + i, 5000), 0);
    run(f, 0, 100);
    opinion_withdraw(f->asks[3].ask); /* waits */
    opinion_withdraw(f->asks[0].ask); /* at work: the next has its turn */
    run(f, 0, 100);
    assert_int_equal(f->guard.left, 1);
    assert_int_equal(f->guard.asked, 3);
    guard_go(&f->guard);
    assert_true(run(f, 2, 5000));
    assert_false(f->asks[0].there);
    assert_false(f->asks[3].there);
    opinion_withdraw(NULL);
}

/* The one before it is done and gone when it hears that it can't even be asked. */
static void a_turn_that_fails_keeps_its_window(void **state)
{
    struct fixture *f = *state;
    static char key[10000]; /* no header holds it: the turn comes and start() fails */
    memset(key, 'k', sizeof(key));
    struct config_opinion broken = f->source;
    broken.api_key = span_from(key, sizeof(key));
    f->source.concurrency = broken.concurrency = 1;
    f->guard.held = true;
    assert_int_equal(ask(f, 0, "a", 5000), 0);
    struct config_opinion good = f->source;
    f->source = broken;
    assert_int_equal(ask(f, 1, "b", 5000), 0);
    run(f, 0, 50);
    guard_go(&f->guard);
    assert_true(run(f, 2, 5000));
    assert_int_equal(f->asks[0].answer.failure, OPINION_SAID);
    assert_int_equal(f->asks[1].answer.failure, OPINION_OVERLOADED);
    /* Nor is one lost that is withdrawn between its turn and the bad news. */
    f->source = good;
    f->guard.held = true;
    assert_int_equal(ask(f, 2, "c", 5000), 0);
    f->source = broken;
    assert_int_equal(ask(f, 3, "d", 5000), 0);
    opinion_withdraw(f->asks[2].ask);
    opinion_withdraw(f->asks[3].ask);
    f->guard.held = false;
    guard_go(&f->guard);
    f->source = good;
    assert_int_equal(ask(f, 4, "e", 5000), 0);
    assert_true(run(f, 3, 5000));
    assert_int_equal(f->asks[4].answer.failure, OPINION_SAID);
}

static void a_webhook_is_asked_under_a_signature(void **state)
{
    struct fixture *f = *state;
    f->source.secret = SPAN_LIT("secret");
    f->source.api_key = SPAN_LIT("key-1");
    assert_int_equal(ask(f, 0, "signed", 2000), 0);
    assert_true(run(f, 1, 5000));
    struct span in = buf_span(&f->guard.last), line, stamp = SPAN_NULL, text = SPAN_NULL;
    bool bearer = false;
    size_t head = span_find(in, SPAN_LIT("\r\n\r\n"));
    struct span body = span_slice(in, head + 4, in.len);
    in = span_slice(in, 0, head);
    while (span_split(&in, '\n', &line)) {
        line = span_trim(line);
        if (span_starts(line, SPAN_LIT("X-Juyong-Timestamp: ")))
            stamp = span_slice(line, 20, line.len);
        if (span_starts(line, SPAN_LIT("X-Juyong-Signature: v1=")))
            text = span_slice(line, 23, line.len);
        bearer = bearer || span_eq(line, SPAN_LIT("Authorization: Bearer key-1"));
    }
    assert_true(bearer);
    struct buf signed_text = BUF_INIT(4096);
    unsigned char mac[HMAC_SIZE];
    char want[2 * HMAC_SIZE + 1];
    buf_append(&signed_text, stamp);
    buf_append(&signed_text, SPAN_LIT("."));
    buf_append(&signed_text, body);
    assert_int_equal(hmac_once(SPAN_LIT("secret"), buf_span(&signed_text), mac), 0);
    codec_hex(span_from((const char *)mac, sizeof(mac)), want);
    assert_span(text, span_str(want));
    buf_deinit(&signed_text);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(answers_and_remembers),
        TEST(failures_have_names_and_are_not_remembered),
        TEST(nobody_there),
        TEST(a_deadline_includes_the_wait_for_a_turn),
        TEST(turns_are_taken_in_order_and_bounded),
        TEST(what_is_withdrawn_is_told_to_nobody),
        TEST(a_turn_that_fails_keeps_its_window),
        TEST(a_webhook_is_asked_under_a_signature),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
