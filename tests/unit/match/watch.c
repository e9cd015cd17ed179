/* The watch for patterns alone: passing over quiet text, its size, its memory. */
#include "probe.h"

#include "match/set.h"
#include "match/vigil.h"
#include "match/watch.h"

#include <errno.h>

#define LIT(s)                                                                                     \
    {                                                                                              \
        "" s, sizeof(s) - 1                                                                        \
    }

static const struct match_pattern patterns[] = {
    {.regex = LIT("(?<![0-9])1[3-9][0-9]{3,5}(?![0-9])"), .gate = GATE_DIGITS, .width = 7},
    {.regex = LIT("[0-9]{4}"), .gate = GATE_DIGITS, .width = 4},
    {.regex = LIT("[a-z0-9.]{1,20}@[a-z]{1,5}\\.cn"), .gate = GATE_AT, .width = 29},
    {.regex = LIT("(?<![0-9a-z:])[0-9a-f]{1,4}:[0-9a-f:]{2,9}(?![0-9a-f:])"),
     .gate = GATE_COLON,
     .width = 14},
    {.regex = LIT("(?i)(?<![a-z])sk-[a-z0-9]{4,20}"),
     .gate = GATE_LITERAL,
     .literal = LIT("sk-"),
     .width = 23},
    {.regex = LIT("(?<=我的)密码[是:]\\w{2,6}"),
     .gate = GATE_LITERAL,
     .literal = LIT("密码"),
     .width = 9},
    {.regex = LIT("三[a-z]"), .gate = GATE_LITERAL, .literal = LIT("三"), .width = 2},
    {.regex = LIT("[A-Z]{2}[0-9]{2}(?: ?[0-9A-Z]{4}){1,3}(?![0-9A-Z])"),
     .gate = GATE_WORD,
     .width = 19},
    {.regex = LIT("eyJ[a-z]{2}"), .gate = GATE_LITERAL, .literal = LIT("EyJhb"), .width = 5},
};
enum { PATTERNS = sizeof(patterns) / sizeof(*patterns) };

static struct matchset *set_of(unsigned from, unsigned to)
{
    struct matchset_builder *b = matchset_builder_new();
    const char *reason = NULL;
    for (unsigned i = from; i < to; i++)
        if (matchset_add_pattern(b, &patterns[i], i, DIRECTION_BOTH, &reason) != 0)
            fail_msg("pattern %u: %s", i, reason);
    return probe_set(b);
}

/* After each character: how many hits there were, and what was clear. */
struct trace {
    struct probe probe;
    uint64_t clear[2048];
    size_t hits[2048];
};

static void trace_point(struct watch *w, struct trace *t, const struct fold_point *point)
{
    assert_int_equal(watch_point(w, point, probe_hit, &t->probe), 0);
}

static void trace_note(const struct watch *w, struct trace *t, uint64_t at)
{
    uint64_t clear = watch_clear(w);
    t->clear[at] = clear < at ? clear : at;
    assert_true(t->clear[at] >= t->probe.clear);
    t->probe.clear = t->clear[at];
    t->hits[at] = t->probe.count;
}

/* With a seed, passes over what is quiet, in pieces, or only some of it. */
static void trace_run(const struct matchset *set, struct span text, uint64_t *seed, struct trace *t)
{
    struct watch *w = watch_new(&set->patterns, DIRECTION_PROMPT);
    memset(t, 0, sizeof(*t));
    for (size_t at = 0; at < text.len;) {
        struct span rest = span_slice(text, at, text.len);
        if (seed) {
            size_t most = 1 + random_next(seed) % 40;
            rest = span_slice(rest, 0, most < rest.len ? most : rest.len);
            size_t n = watch_quiet(w, rest);
            n = random_next(seed) % 4 ? n : utf8_floor(span_slice(rest, 0, n), n / 2);
            watch_passed(w, span_slice(rest, 0, n), at);
            at += n;
            if (n)
                trace_note(w, t, at);
            rest = span_slice(text, at, text.len);
        }
        uint32_t cp;
        if (!rest.len)
            break;
        int n = utf8_decode(rest, false, &cp);
        assert_true(n > 0);
        struct fold_point point = {.start = at, .end = at + (size_t)n, .cp = cp};
        trace_point(w, t, &point);
        at += (size_t)n;
        trace_note(w, t, at);
    }
    assert_int_equal(watch_end(w, probe_hit, &t->probe), 0);
    watch_free(w);
}

static const char *const tokens[] = {
    "1",
    "3",
    "2024",
    "138",
    " ",
    "-",
    "@",
    "a",
    ".",
    "b.cn",
    "我的",
    "密码",
    "sk-",
    "sk-abcd",
    "S",
    "１",
    "三",
    "一二",
    "〇",
    "八",
    "个",
    "\u200B",
    "fe80::1",
    ":",
    "：",
    "，",
    "ｓ",
    "…",
    "é",
    "e\u0301",
    "😀",
    "𝟏𝟑𝟖",
    "eyJhb",
    "eyjhbxx",
    "K",
    "The quick brown ",
    "普通的一句话",
    "两",
    "零",
    "—",
    "ab:cd:ef",
    "\n",
    "skskssk",
    "DE89 3704",
    "GB",
    "WEST",
};
enum { TOKENS = sizeof(tokens) / sizeof(*tokens) };

static size_t random_text(char *bytes, uint64_t *seed, unsigned most)
{
    size_t len = 0;
    unsigned from = (unsigned)(random_next(seed) % TOKENS), kinds = 2 + random_next(seed) % TOKENS;
    for (size_t n = 1 + random_next(seed) % most; n; n--) {
        const char *t = tokens[(from + random_next(seed) % kinds) % TOKENS];
        memcpy(bytes + len, t, strlen(t));
        len += strlen(t);
    }
    return len;
}

/* The law of watch_quiet(): passing over what it names changes nothing, then or later. */
static void passing_changes_nothing(void **state)
{
    static struct trace want, got;
    uint64_t seed = 5;
    size_t hits = 0;
    for (unsigned kind = 0; kind <= PATTERNS; kind++) {
        struct matchset *set = kind < PATTERNS ? set_of(kind, kind + 1) : set_of(0, PATTERNS);
        for (int round = 0; round < (kind < PATTERNS ? 1500 : 8000); round++) {
            char bytes[1024];
            struct span text = span_from(bytes, random_text(bytes, &seed, 30));
            trace_run(set, text, NULL, &want);
            trace_run(set, text, &seed, &got);
            probe_same(&got.probe, &want.probe, text);
            for (size_t i = 1; i <= text.len; i++)
                if (got.clear[i] && (got.clear[i] != want.clear[i] || got.hits[i] != want.hits[i]))
                    fail_msg("at %d: clear %d, not %d; %d hits, not %d, in \"%.*s\"", (int)i,
                             (int)got.clear[i], (int)want.clear[i], (int)got.hits[i],
                             (int)want.hits[i], SPAN_ARG(text));
            hits += want.probe.count;
        }
        matchset_unref(set);
    }
    assert_true(hits > 5000);
}

static size_t quiet(const struct matchset *set, struct span text)
{
    struct watch *w = watch_new(&set->patterns, DIRECTION_PROMPT);
    size_t n = watch_quiet(w, text);
    watch_free(w);
    return n;
}

static void quiet_text_is_passed(void **state)
{
    struct matchset *set = set_of(0, PATTERNS - 3);
    static const struct {
        const char *text;
        size_t quiet;
    } cases[] = {
        {"一句普通的话，标点也在内。", 39},
        {"The task was easy: ask me.", 17},
        {"三个苹果，一百三十八元", 33},
        {"他说：好", 12},
        {"二〇二四年", 0},
        {"共2024年", 3},
        {"a 一-", 2},
        {"写信给joe@b.cn", 12},
        {"risk free sk-", 10},
        {"我的密码", 6},
        {"\u200B", 0},
        {"好\xE5\xA5", 3},
        {"cafe: x", 4},
        {"数字１", 6},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        if (quiet(set, span_str(cases[i].text)) != cases[i].quiet)
            fail_msg("\"%s\": %d", cases[i].text, (int)quiet(set, span_str(cases[i].text)));
    matchset_unref(set);
    set = set_of(0, PATTERNS);
    assert_int_equal(quiet(set, SPAN_LIT("好\0")), 3); /* not in the view */
    matchset_unref(set);
}

static void feed(struct watch *w, const char *text, struct probe *p, uint64_t *at)
{
    for (struct span rest = span_str(text); rest.len;) {
        struct fold_point point = {.start = *at};
        int n = utf8_decode(rest, false, &point.cp);
        *at += (uint64_t)n;
        point.end = *at;
        assert_int_equal(watch_point(w, &point, probe_hit, p), 0);
        rest = span_slice(rest, (size_t)n, rest.len);
    }
}

static void a_quiet_watch_is_small(void **state)
{
    struct matchset *set = set_of(0, PATTERNS - 1);
    struct watch *w = watch_new(&set->patterns, DIRECTION_PROMPT);
    struct probe p = {0};
    uint64_t at = 0;
    assert_true(watch_bytes(w) <= 208);
    feed(w, "一句话 and some English text, an_address.without.end", &p, &at);
    assert_true(watch_bytes(w) <= 208);
    feed(w, "@", &p, &at);
    assert_true(watch_bytes(w) > 208);
    feed(w, " 我的电话是 138001 吗", &p, &at);
    assert_true(watch_bytes(w) <= 208);
    assert_int_equal(p.count, 2);
    /* However long a text goes on, a vigil holds no more than the widths ask for. */
    for (int i = 0; i < 3000; i++) {
        feed(w, "1-一2-三 ", &p, &at);
        p.count = 0;
        assert_true(watch_bytes(w) < 8192);
    }
    feed(w, "。", &p, &at);
    assert_true(watch_bytes(w) <= 208);
    watch_free(w);
    matchset_unref(set);
}

/* Texts made to open as many candidates as can be, or to be tried as often as can be. */
static void hostile_texts_end(void **state)
{
    static const char *const units[] = {
        "4-",  "1-",   "1 ",   "一二三四",    "一-",   "a@a.", "sk-",     "a@",
        "ab:", "3一 ", "密码", "我的密码是a", "sk-a1", "1１",  "e\u0301", "13800"};
    struct matchset *set = set_of(0, PATTERNS);
    for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
        struct watch *w = watch_new(&set->patterns, DIRECTION_PROMPT);
        struct probe p = {0};
        uint64_t at = 0;
        while (at < 60000) {
            feed(w, units[i], &p, &at);
            uint64_t clear = watch_clear(w);
            assert_true(clear == UINT64_MAX || at - clear < 200);
            p.count = 0;
        }
        assert_int_equal(watch_end(w, probe_hit, &p), 0);
        watch_free(w);
    }
    matchset_unref(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passing_changes_nothing),
        cmocka_unit_test(quiet_text_is_passed),
        cmocka_unit_test(a_quiet_watch_is_small),
        cmocka_unit_test(hostile_texts_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
