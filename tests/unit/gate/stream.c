/*
 * The property that the product stands for: whatever the upstream does to its bytes, no character
 * of a forbidden match reaches the client, nor any text behind it, and the same answer always
 * becomes the same answer.
 */
#include "bed.h"

#include "json/value.h"

#include <ctype.h>

#define SEED 20260728

static struct bed bed;

static int setup(void **state)
{
    bed_open(&bed, "", true);
    return 0;
}

static int teardown(void **state)
{
    bed_close(&bed);
    return 0;
}

/* What one choice is told, and what a client may see of it. */
struct part {
    unsigned choice;
    const char *field, *text;
};

struct answer {
    const char *name;
    struct part parts[4];
    unsigned choices;
    const char *want[4]; /* content per choice; NULL: nothing is asked of it */
    const char *finish[4];
    const char *other;  /* reasoning, refusal, arguments */
    const char *never;  /* occurs in no byte that the client gets */
    const char *record; /* beginning of the record */
    bool refusal;       /* a notice follows, as it would a refusal: `want` is a prefix */
};

static const struct answer answers[] = {
    {.name = "plain",
     .parts = {{0, "content", "今天天气很好, \\u4f60\\u597d 😀 fine"}},
     .choices = 1,
     .want = {"今天天气很好, 你好 😀 fine"},
     .finish = {"stop"},
     .record = "allow complete  200 complete"},
    {.name = "cut",
     .parts = {{0, "content", "先说几句，然后" BED_BLOCK "以及后话"}},
     .choices = 1,
     .want = {"先说几句，然后"},
     .finish = {"content_filter"},
     .never = "以及后话",
     .record = "block cut content_filter 200",
     .refusal = true},
    {.name = "cut through separators and escapes",
     .parts = {{0, "content", "前文琥-珀 炸\\u5f39配.方后话"}},
     .choices = 1,
     .want = {"前文"},
     .finish = {"content_filter"},
     .never = "后话",
     .record = "block cut content_filter 200",
     .refusal = true},
    {.name = "allow phrase",
     .parts = {{0, "content", "甲" BED_ALLOW "乙"}},
     .choices = 1,
     .want = {"甲" BED_ALLOW "乙"},
     .finish = {"stop"},
     .record = "allow complete  200 complete"},
    {.name = "allow phrase, then the word",
     .parts = {{0, "content", "甲" BED_ALLOW "乙" BED_BLOCK "糕"}},
     .choices = 1,
     .want = {"甲" BED_ALLOW "乙"},
     .finish = {"content_filter"},
     .never = "糕",
     .record = "block cut",
     .refusal = true},
    {.name = "masks",
     .parts = {{0, "content", "电话" BED_PHONE "，暗号" BED_MASK "。完"}},
     .choices = 1,
     .want = {"电话***********，暗号****。完"},
     .finish = {"stop"},
     .never = BED_PHONE,
     .record = "mask complete"},
    {.name = "mask, then cut",
     .parts = {{0, "content", "电话" BED_PHONE "，" BED_BLOCK "后话"}},
     .choices = 1,
     .want = {"电话***********，"},
     .finish = {"content_filter"},
     .never = BED_PHONE,
     .record = "block cut",
     .refusal = true},
    {.name = "nothing before the cut",
     .parts = {{0, "content", BED_BLOCK "后话"}},
     .choices = 1,
     .want = {""},
     .finish = {"content_filter"},
     .never = "后话",
     .record = "block cut",
     .refusal = true},
    {.name = "unfinished word at the end",
     .parts = {{0, "content", "他说琥珀炸弹"}},
     .choices = 1,
     .want = {"他说琥珀炸弹"},
     .finish = {"stop"},
     .record = "allow complete"},
    {.name = "two choices",
     .parts = {{0, "content", "甲的回答有" BED_PHONE "。"}, {1, "content", "乙的回答琥珀"}},
     .choices = 2,
     .want = {"甲的回答有***********。", "乙的回答琥珀"},
     .finish = {"stop", "stop"},
     .never = BED_PHONE,
     .record = "mask complete"},
    {.name = "reasoning first",
     .parts = {{0, "reasoning_content", "想一想" BED_MASK "再说"}, {0, "content", "好的"}},
     .choices = 1,
     .want = {"好的"},
     .other = "想一想****再说",
     .finish = {"stop"},
     .never = BED_MASK,
     .record = "mask complete"},
    {.name = "cut within reasoning",
     .parts = {{0, "reasoning_content", "想" BED_BLOCK "再"}, {0, "content", "后话"}},
     .choices = 1,
     .want = {""},
     .other = "想",
     .finish = {"content_filter"},
     .never = "后话",
     .record = "block cut",
     .refusal = true},
    {.name = "latin",
     .parts = {{0, "content", "see the zorgon acid recipes and zorgon acid recipe now"}},
     .choices = 1,
     .want = {"see the zorgon acid recipes and "},
     .finish = {"content_filter"},
     .never = " now",
     .record = "block cut",
     .refusal = true},
};

/* Length of the next piece of JSON text: an escape stays whole. */
static size_t unit(const char *s)
{
    if (*s == '\\')
        return s[1] == 'u' ? 6 : 2;
    size_t n = 1;
    while (((unsigned char)s[n] & 0xC0) == 0x80)
        n++;
    return n;
}

/* The answer as events; `most`: characters an event, 0 for all in one. */
static void write_events(const struct answer *a, uint64_t *seed, size_t most, struct buf *out)
{
    for (size_t p = 0; p < 4 && a->parts[p].text; p++) {
        const char *text = a->parts[p].text;
        while (*text) {
            size_t n = 0, count = most ? 1 + random_next(seed) % most : SIZE_MAX;
            while (count-- && text[n])
                n += unit(text + n);
            bed_delta(out, a->parts[p].choice, a->parts[p].field, span_from(text, n));
            text += n;
        }
    }
    for (unsigned c = 0; c < a->choices; c++)
        bed_finish(out, c, "stop");
    bed_event(out, "[DONE]");
}

static void put_text(struct buf *b, struct span s)
{
    assert_int_equal(buf_append(b, s), 0);
}

/* What differs between two runs of one exchange by its nature: ids and times of ours. */
static void normalise(struct buf *b)
{
    struct buf out = BUF_INIT(b->max);
    struct span s = buf_span(b);
    while (s.len) {
        if (span_starts(s, SPAN_LIT("req_"))) {
            put_text(&out, SPAN_LIT("REQ"));
            s = span_slice(s, 4, s.len);
            while (s.len && isxdigit((unsigned char)s.data[0]))
                s = span_slice(s, 1, s.len);
        } else if (span_starts(s, SPAN_LIT("\"created\":"))) {
            put_text(&out, SPAN_LIT("\"created\":0"));
            s = span_slice(s, 10, s.len);
            while (s.len && s.data[0] >= '0' && s.data[0] <= '9')
                s = span_slice(s, 1, s.len);
        } else {
            put_text(&out, span_slice(s, 0, 1));
            s = span_slice(s, 1, s.len);
        }
    }
    buf_deinit(b);
    *b = out;
}

/* One exchange: `wire` in writes that end at `cuts`. The body, normalised. */
static struct buf run(struct span events, const size_t *cuts, size_t cut_count, unsigned choices)
{
    struct buf wire = BUF_INIT(1u << 20);
    char more[64];
    bed_stream(&wire, events);
    bed.script =
        (struct bed_script){.bytes = buf_span(&wire), .cuts = cuts, .cut_count = cut_count};
    struct bed_client c;
    snprintf(more, sizeof(more), "\"stream\":true,\"n\":%u", choices);
    bed_ask(&bed, &c, bed_question("你好", more));
    bed_answer(&bed, &c);
    assert_int_equal(bed_status(&c), 200);
    assert_true(bed_whole(&c));
    struct buf body = bed_body(&c);
    normalise(&body);
    bed_leave(&c);
    buf_deinit(&wire);
    return body;
}

static void check_reading(const struct answer *a, struct span body)
{
    struct bed_reading r;
    bed_read(body, &r);
    for (unsigned c = 0; c < a->choices; c++) {
        struct span got = buf_span(&r.text[c]), want = span_str(a->want[c]);
        if (a->refusal ? !span_starts(got, want) : !span_eq(got, want))
            fail_msg("%s: choice %u is \"%.*s\", not \"%s\"", a->name, c, SPAN_ARG(got),
                     a->want[c]);
        /* Behind the cut stands our notice alone, a paragraph of its own or the whole text. */
        if (a->refusal && want.len && !a->other)
            assert_true(span_starts(span_slice(got, want.len, got.len), SPAN_LIT("\n\n")));
        assert_string_equal(r.finish[c], a->finish[c]);
        assert_int_equal(r.finishes[c], 1);
    }
    if (a->other)
        assert_span(buf_span(&r.other), span_str(a->other));
    assert_int_equal(r.done, 1);
    assert_int_equal(r.after_done, 0);
    assert_int_equal(r.errors, 0);
    if (a->never && span_find(body, span_str(a->never)) < body.len)
        fail_msg("%s: \"%s\" went through", a->name, a->never);
    /* Not one character of the word, in any spelling: its characters occur nowhere else. */
    if (a->refusal && !strstr(a->name, "allow phrase"))
        for (const char *w = BED_BLOCK; *w; w += 3)
            assert_true(span_find(body, span_from(w, 3)) == body.len);
    bed_reading_deinit(&r);
}

/* Splits over reads: identical bytes. */
static void test_reads(void **state)
{
    uint64_t seed = SEED;
    for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++) {
        const struct answer *a = &answers[i];
        struct buf events = BUF_INIT(1u << 20);
        write_events(a, &seed, i % 2 ? 0 : 3, &events);
        struct buf whole = run(buf_span(&events), NULL, 0, a->choices);
        check_reading(a, buf_span(&whole));
        assert_memory_equal(bed_record(&bed), a->record, strlen(a->record));
        for (int round = 0; round < 6; round++) {
            size_t cuts[4096], count = 0, most = round == 0 ? 1 : 1 + random_next(&seed) % 97;
            for (size_t at = 0; count < 4096 && at < events.len + 80;) {
                at += 1 + random_next(&seed) % most;
                cuts[count++] = at;
            }
            struct buf split = run(buf_span(&events), cuts, count, a->choices);
            assert_span(buf_span(&split), buf_span(&whole));
            buf_deinit(&split);
        }
        buf_deinit(&whole);
        buf_deinit(&events);
    }
}

/* Splits over events: identical text, finish and outcome. */
static void test_events(void **state)
{
    uint64_t seed = SEED + 1;
    for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++) {
        const struct answer *a = &answers[i];
        for (int round = 0; round < 8; round++) {
            struct buf events = BUF_INIT(1u << 20);
            write_events(a, &seed, (size_t)round, &events);
            struct buf body = run(buf_span(&events), NULL, 0, a->choices);
            check_reading(a, buf_span(&body));
            assert_memory_equal(bed_record(&bed), a->record, strlen(a->record));
            buf_deinit(&body);
            buf_deinit(&events);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads),
        cmocka_unit_test(test_events),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
