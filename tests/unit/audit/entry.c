/* What the writer writes, the reader reads; what it would not write, the reader refuses. */
#include "../unit.h"

#include "audit/entry.h"
#include "audit/record.h"
#include "base/utf8.h"

#include <errno.h>
#include <stdio.h>

static uint64_t seed = 7;

/* A text of up to 40 characters from all that a header or a model name may carry. */
static struct span random_text(char *into)
{
    static const char *const parts[] = {
        "a",  "Z",    "0", "\"", "\\",           "\n", "\x01",         "\x7f",
        "居", "\xff", "é", ".",  "\xf0\x9f\x98", "😀",  "\xed\xa0\x80", "/"};
    size_t n = random_next(&seed) % 40, len = 0;
    for (size_t i = 0; i < n; i++) {
        const char *p = parts[random_next(&seed) % (sizeof(parts) / sizeof(parts[0]))];
        memcpy(into + len, p, strlen(p));
        len += strlen(p);
    }
    return span_from(into, len);
}

static uint64_t random_number(void)
{
    return random_next(&seed) >> (random_next(&seed) % 64);
}

static void reads_what_is_written(void **state)
{
    struct arena arena;
    arena_init(&arena, 1u << 22);
    for (int round = 0; round < 3000; round++) {
        char texts[43][256];
        size_t t = 0;
#define TEXT random_text(texts[t++])
        struct audit_subject subject = {
            .request_id = TEXT,
            .app = TEXT,
            .key_id = TEXT,
            .end_user = TEXT,
            .client_ip = TEXT,
            .device = TEXT,
            .session = TEXT,
            .trace_id = TEXT,
            .model = TEXT,
            .upstream = TEXT,
            .filing_number = TEXT,
            .route = TEXT,
            .ruleset = TEXT,
            .mode = TEXT,
            .purpose = round % 4 ? SPAN_NULL : TEXT,
            .reviewer = round % 4 ? SPAN_NULL : TEXT,
            .client_port = (uint16_t)random_number(),
            .stream = round & 1,
        };
        struct audit_hit hits[3];
        for (int i = 0; i < 3; i++)
            hits[i] = (struct audit_hit){
                .direction = round & 2 ? DIRECTION_PROMPT : DIRECTION_COMPLETION,
                .role = (enum role)(random_next(&seed) % ROLE_COUNT),
                .action = (enum action)(random_next(&seed) % ACTION_COUNT),
                .path = TEXT,
                .risk = TEXT,
                .layers = (uint32_t)random_next(&seed) % 512,
                .start = random_number(),
                .end = random_number(),
                .old = random_next(&seed) % 2,
                .kept = random_next(&seed) % 2,
            };
        struct audit_opinion opinions[20];
        for (int i = 0; i < 20; i++)
            opinions[i] = (struct audit_opinion){
                .by = SPAN_LIT("guard"),
                .direction = round & 2 ? DIRECTION_PROMPT : DIRECTION_COMPLETION,
                .percent = (unsigned)i,
                .risk = i % 3 ? SPAN_LIT("A1-a") : SPAN_NULL,
                .action = (enum action)(random_next(&seed) % ACTION_COUNT),
                .observed = i & 1,
                .cached = i & 2,
                .times = (unsigned)i,
                .us = random_number(),
            };
        opinions[0].said = TEXT;
        opinions[1].failed = TEXT;
        struct audit_event e = {
            .opinions = opinions,
            .opinion_count = random_next(&seed) % 20,
            .kind = (enum audit_kind)(random_next(&seed) % 4),
            .subject = &subject,
            .hits = hits,
            .hit_count = random_next(&seed) % 4,
            .action = (enum action)(random_next(&seed) % ACTION_COUNT),
            .outcome = (enum outcome)(random_next(&seed) % OUTCOME_COUNT),
            .reason = round % 5 ? TEXT : SPAN_LIT(AUDIT_OLD_OFFENCE),
            .detail = TEXT,
            .provider_refusal = round % 3 ? SPAN_NULL : TEXT,
            .model_differs = round & 16,
            .label = TEXT,
            .retracted = round & 32,
            .status = (int)(random_next(&seed) % 600),
            .received_us = random_number(),
            .total_us = random_number(),
            .complete = round & 4,
            .unjudged_media = round & 8,
            .user_state = round % 7 ? SPAN_NULL : TEXT,
            .strikes = round % 5,
            .strikes_today = round % 3,
        };
        struct record_head head = {
            .seq = (uint64_t)round + 1,
            .wall_us = random_number() | 1,
            .mono_us = random_number(),
            .run = SPAN_LIT("0123456789abcdef"),
            .node = SPAN_LIT("node"),
            .kind = e.kind,
        };
        size_t commits[RECORD_HITS_MAX];
        struct buf body = BUF_INIT(1u << 20);
        struct entry entry;
        assert_int_equal(record_write_head(&body, &head), 0);
        assert_int_equal(record_write_event(&body, &e, &(struct record_originals){0}, commits), 0);
        if (entry_parse(buf_span(&body), &arena, &entry) != 0)
            fail_msg("refused: %.*s", SPAN_ARG(buf_span(&body)));
        assert_int_equal(entry.seq, head.seq);
        assert_int_equal(entry.time, head.wall_us);
        assert_span(entry.kind, span_str(record_kind_name(e.kind)));
        assert_int_equal(entry.received, e.received_us);
        assert_int_equal(entry.hit_count, e.hit_count);
        assert_int_equal(entry_weight(&entry), record_weight(&e));
        for (size_t i = 0; i < e.hit_count; i++) {
            assert_int_equal(entry.hits[i].start, hits[i].start);
            assert_int_equal(entry.hits[i].old, hits[i].old ? ENTRY_TRUE : ENTRY_ABSENT);
            assert_int_equal(entry.hits[i].kept, hits[i].kept ? ENTRY_TRUE : ENTRY_ABSENT);
            assert_span(entry.hits[i].role, span_str(role_name(hits[i].role)));
        }
        size_t told = e.opinion_count < ENTRY_OPINIONS_MAX ? e.opinion_count : ENTRY_OPINIONS_MAX;
        assert_int_equal(entry.opinion_count, told);
        assert_int_equal(entry.opinions_left_out, e.opinion_count - told);
        for (size_t i = 0; i < told; i++) {
            assert_span(entry.opinions[i].by, opinions[i].by);
            assert_int_equal(entry.opinions[i].score, opinions[i].percent);
            assert_int_equal(entry.opinions[i].times, opinions[i].times > 1 ? i : 0);
            assert_int_equal(entry.opinions[i].us, opinions[i].us);
            assert_int_equal(entry.opinions[i].cached, i & 2 ? ENTRY_TRUE : ENTRY_ABSENT);
        }
        if (e.kind != AUDIT_CLOSE && subject.app.len <= RECORD_FIELD_MAX &&
            utf8_check(subject.app) == subject.app.len)
            assert_span(entry.app, subject.app);
        /* No prefix and no continuation is a record. */
        for (int i = 0; i < 5; i++) {
            struct span part = span_slice(buf_span(&body), 0, random_next(&seed) % body.len);
            assert_int_equal(entry_parse(part, &arena, &entry), -EBADMSG);
        }
        assert_int_equal(buf_append_char(&body, ' '), 0);
        assert_int_equal(entry_parse(buf_span(&body), &arena, &entry), -EBADMSG);
        buf_deinit(&body);
        arena_deinit(&arena);
    }
}

static void refuses_other_forms(void **state)
{
    static const struct {
        const char *body;
        int want;
    } cases[] = {
        {"{\"v\":1,\"seq\":1,\"time\":2,\"kind\":\"open\"}", 0},
        {"{\"v\":1,\"seq\":1,\"time\":2,\"kind\":\"open\",\"app\":\"\\u000a\\\"\"}", 0},
        {"{\"v\":2,\"seq\":1,\"anything\":[]}", -EPROTO},
        {"{\"v\":1,\"time\":2,\"seq\":1,\"kind\":\"open\"}", -EBADMSG},
        {"{\"v\":1,\"seq\":1,\"seq\":1,\"time\":2,\"kind\":\"open\"}", -EBADMSG},
        {"{\"v\":1, \"seq\":1,\"time\":2,\"kind\":\"open\"}", -EBADMSG},
        {"{\"v\":1,\"seq\":01,\"time\":2,\"kind\":\"open\"}", -EBADMSG},
        {"{\"v\":1,\"seq\":0,\"time\":2,\"kind\":\"open\"}", -EBADMSG},
        {"{\"v\":1,\"seq\":-1,\"time\":2,\"kind\":\"open\"}", -EBADMSG},
        {"{\"v\":1,\"seq\":18446744073709551616,\"time\":2,\"kind\":\"open\"}", -EBADMSG},
        {"{\"v\":1,\"seq\":1,\"time\":2}", -EBADMSG},
        {"{\"v\":1,\"seq\":1,\"time\":2,\"kind\":\"open\",\"app\":\"\"}", -EBADMSG},
        {"{\"v\":1,\"seq\":1,\"time\":2,\"kind\":\"open\",\"app\":\"\\n\"}", -EBADMSG},
        {"{\"v\":1,\"seq\":1,\"time\":2,\"kind\":\"open\",\"app\":\"\\u0041\"}", -EBADMSG},
        {"{\"v\":1,\"seq\":1,\"time\":2,\"kind\":\"open\",\"app\":\"\\u000A\"}", -EBADMSG},
        {"{\"v\":1,\"seq\":1,\"time\":2,\"kind\":\"open\",\"app\":\"\xff\"}", -EBADMSG},
        {"{\"v\":1,\"seq\":1,\"time\":2,\"kind\":\"open\",\"stream\":false}", -EBADMSG},
        {"{\"v\":1,\"seq\":1,\"time\":2,\"kind\":\"open\",\"colour\":\"red\"}", -EBADMSG},
        {"{\"v\":1,\"seq\":1,\"time\":2,\"kind\":\"act\",\"hits\":[]}", -EBADMSG},
        {"{\"v\":1,\"seq\":1,\"time\":2,\"kind\":\"act\",\"hits\":[{\"risk\":\"A1\"}]}", -EBADMSG},
        {"{\"v\":1,\"seq\":1,\"time\":2,\"kind\":\"act\",\"opinions\":[{\"by\":\"g\",\"us\":5}]}",
         0},
        {"{\"v\":1,\"seq\":1,\"time\":2,\"kind\":\"act\",\"opinions\":[]}", -EBADMSG},
        {"{\"v\":1,\"seq\":1,\"time\":2,\"kind\":\"act\",\"opinions\":[{\"us\":5}]}", -EBADMSG},
        {"{\"v\":1,\"seq\":1,\"time\":2,\"kind\":\"act\",\"opinions\":[{\"by\":\"g\",\"times\":1}]"
         "}",
         -EBADMSG},
        {"{\"v\":1,\"seq\":1,\"time\":2,\"kind\":\"act\",\"opinions\":[{\"us\":5,\"by\":\"g\"}]}",
         -EBADMSG},
        {"{}", -EBADMSG},
        {"", -EBADMSG},
    };
    struct arena arena;
    arena_init(&arena, 4096);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct entry e;
        int r = entry_parse(span_str(cases[i].body), &arena, &e);
        if (r != cases[i].want)
            fail_msg("%s gave %d", cases[i].body, r);
        if (i == 1)
            assert_span(e.app, SPAN_LIT("\n\""));
    }
    arena_deinit(&arena);
}

static void overlays_later_records(void **state)
{
    struct entry e = {.seq = 1, .app = SPAN_LIT("one"), .status = 0, .run = SPAN_LIT("a")};
    struct entry later = {.seq = 2,
                          .status = 200,
                          .run = SPAN_LIT("b"),
                          .outcome = SPAN_LIT("complete"),
                          .complete = ENTRY_FALSE};
    entry_overlay(&e, &later);
    assert_int_equal(e.seq, 1);
    assert_span(e.run, SPAN_LIT("a"));
    assert_span(e.app, SPAN_LIT("one"));
    assert_int_equal(e.status, 200);
    assert_span(e.outcome, SPAN_LIT("complete"));
    assert_int_equal(e.complete, ENTRY_FALSE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_is_written),
        cmocka_unit_test(refuses_other_forms),
        cmocka_unit_test(overlays_later_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
