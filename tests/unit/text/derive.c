/* What a text says when it is decoded or read another way, and where each part of that stands. */
#include "../unit.h"

#include "base/utf8.h"
#include "text/derive.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* --- what comes out --- */

struct told {
    struct span raw, want;
    uint32_t layers; /* of the text that was wanted */
    size_t texts, bytes;
    bool seen;
    int answer;
    char last[64];
};

static bool is_boundary(struct span s, size_t at)
{
    return at == s.len || ((unsigned char)s.data[at] & 0xC0) != 0x80;
}

/* Each character has a place, within the raw text, at its boundaries, behind the one before. */
static void check_map(struct span raw, const struct derived *d)
{
    size_t last_start = 0, last_end = 0;
    for (size_t i = 0; i < d->text.len;) {
        uint32_t cp, layers;
        size_t start = 0, end = 0;
        int n = utf8_decode(span_slice(d->text, i, d->text.len), true, &cp);
        assert_true(n > 0);
        if (derive_locate(d, i, i + (size_t)n, &start, &end, &layers)) {
            assert_true(start < end && end <= raw.len);
            assert_true(is_boundary(raw, start) && is_boundary(raw, end));
            assert_int_equal(layers & ~d->layers & LAYERS_WHOLE, 0);
            if (!(layers & (LAYER_REVERSED | LAYER_VERTICAL)))
                assert_true(start >= last_start && end >= last_end);
            last_start = layers & (LAYER_REVERSED | LAYER_VERTICAL) ? 0 : start;
            last_end = layers & (LAYER_REVERSED | LAYER_VERTICAL) ? 0 : end;
        }
        i += (size_t)n;
    }
}

static int see(void *ctx, const struct derived *d)
{
    struct told *t = ctx;
    check_map(t->raw, d);
    t->texts++;
    t->bytes += d->text.len;
    snprintf(t->last, sizeof(t->last), "%.*s", SPAN_ARG(d->text));
    if (span_eq(d->text, t->want)) {
        t->seen = true;
        t->layers = d->layers;
        for (const struct derived *from = d->from; from; from = from->from)
            t->layers |= from->layers;
    }
    return t->answer;
}

static void says(const char *raw, const char *want, uint32_t layers)
{
    struct told t = {.raw = span_str(raw), .want = span_str(want)};
    assert_int_equal(derive_decoded(t.raw, see, &t), 0);
    if (!t.seen)
        fail_msg("\"%s\" does not say \"%s\" but \"%s\"", raw, want, t.last);
    if (t.layers != layers)
        fail_msg("\"%s\": layers %x, want %x", raw, (unsigned)t.layers, (unsigned)layers);
}

static void says_nothing(const char *raw)
{
    struct told t = {.raw = span_str(raw)};
    assert_int_equal(derive_decoded(t.raw, see, &t), 0);
    if (t.texts)
        fail_msg("\"%s\" says \"%s\"", raw, t.last);
}

static void marked_runs_are_decoded(void **state)
{
    says("请问\\u6731\\u9555这个", "请问朱镕这个", LAYER_ESCAPE);
    says("朱\\u9555", "朱镕", LAYER_ESCAPE);
    says("\\\\\\\\u6731", "朱", LAYER_ESCAPE);
    says("\\u005cu6731", "朱", LAYER_ESCAPE);
    says("\\ud83d\\ude00!", "😀!", LAYER_ESCAPE);
    says("\\u{6731}\\U00009555\\x{57fa}", "朱镕基", LAYER_ESCAPE);
    says("%u6731%u9555", "朱镕", LAYER_ESCAPE);
    says("U+6731 U+9555, u+57FA!", "朱镕基!", LAYER_ESCAPE);
    says("u6731u9555u57fa", "朱镕基", LAYER_ESCAPE);
    says("\\346\\234\\261镕", "朱镕", LAYER_ESCAPE);
    says("朱\\n镕\\t基", "朱\n镕\t基", LAYER_SEPARATOR);
    says("&#x6731;&#26417&#X9555;", "朱朱镕", LAYER_ENTITY);
    says("&#x0000006731;", "朱", LAYER_ENTITY);
    says("a&lt;b&gt;", "a<b>", LAYER_ENTITY);
    says("%E6%9C%B1%e9%95%95x", "朱镕x", LAYER_PERCENT);
    says("a%20b", "a b", LAYER_PERCENT);
    says("=E6=9C=B1=E9=95=\n=95", "朱镕", LAYER_PERCENT);
    says("\\xE6\\x9c\\xB1", "朱", LAYER_HEX);
    /* What is no character stays, and what follows is decoded. */
    says("%E6%9C%E6%9C%B1%FF", "%E6%9C朱%FF", LAYER_PERCENT);
    /* Tag characters, and bytes in variation selectors. */
    says("a\U000E006B\U000E0069\U000E006C\U000E006C", "akill", LAYER_INVISIBLE);
    says("x\U000E01D6\U000E018C\U000E01A1", "x朱", LAYER_INVISIBLE);
}

static void blobs_that_are_text_are_decoded(void **state)
{
    /* 朱镕基 is e69cb1 e99595 e59fba, and 5pyx6ZWV5Z+6 in base64. */
    says("请问5pyx6ZWV5Z+6吗", "请问朱镕基吗", LAYER_BASE64);
    says("5pyx6ZWV5Z-6", "朱镕基", LAYER_BASE64);
    says("a2lsbCB5b3U=", "kill you", LAYER_BASE64);
    says("a2lsbCB5b3U", "kill you", LAYER_BASE64);
    says("a2lsbA==", "kill", LAYER_BASE64);
    says("5pyx\n6ZWV\r\n5Z+6", "朱镕基", LAYER_BASE64);
    says("\"5pyx\" + \"6ZWV\" + '5Z+6'", "\"朱镕基'", LAYER_BASE64);
    says("5pyx 6ZWV 5Z+6", "朱镕基", LAYER_BASE64);
    says("5pyx, 6ZWV.5Z+6", "朱镕基", LAYER_BASE64);
    says("decode5pyx6ZWV5Z+6", "de^朱镕基", LAYER_BASE64); /* "code" is read with it */
    says("https://x.com/5pyx6ZWV5Z+6", "https://x.com/朱镕基", LAYER_BASE64);
    says("5pyx6ZWV5Z+6x5pyx6ZWV5Z+6", "朱镕基x朱镕基", LAYER_BASE64);
    says("NXB5eDZaV1Y1Wis2", "朱镕基", LAYER_BASE64);       /* twice */
    says("MWdVlfpXhk4xZ1WV", "朱镕基了朱镕", LAYER_BASE64); /* UTF-16 */
    says("awBpAGwAbAAgAHkAbwB1AA==", "kill you", LAYER_BASE64);
}

static void hex_that_is_text_is_decoded(void **state)
{
    says("e69cb1e99595e59fba", "朱镕基", LAYER_HEX);
    says("0xe69cb1e99595", "0x朱镕", LAYER_HEX);
    says("E6 9C B1 E9 95 95", "朱镕", LAYER_HEX);
    says("hex: 0xE6, 0x9C, 0xB1, 0xE9,0x95,0x95.", "hex: 朱镕.", LAYER_HEX);
    says("E6-9C-B1-E9-95-95", "朱镕", LAYER_HEX);
    says("6b 69 6c 6c", "kill", LAYER_HEX);
    says("E6|9C|B1|E9|95|95/E5_9F.BA", "朱镕基", LAYER_HEX);
    says("6b696c6c20796f75", "kill you", LAYER_HEX);
    says("67319555 57fa4e86 6731", "朱镕基了朱", LAYER_HEX); /* UTF-16 */
}

static void innocent_words_say_nothing(void **state)
{
    static const char *const texts[] = {
        "",
        "今天天气不错。",
        "internationalization of characterization",
        "JavaScript and an iPhone at 2024-12-25 12:34:56, 192.168.100.200",
        "13800138000, 110101199003074578, 6222021234567890123",
        "3f2504e0-4f89-11d3-9a0c-0305e82c3301",
        "d41d8cd98f00b204e9800998ecf8427e",
        "a & b && c; 50% of 100%, x = 20; y=30",
        "C:\\Windows\\System32",
        "x\\",
        "&#;&#x;&#0;&#xD800;&#1114112;&unknown;&",
        "%zz%2",
        "\\u12\\x1\\U123\\u{}\\u{110000}",
        "\\ud800",
        "u1234",
        "U+",
        "\u202A左到右\u202C",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        says_nothing(texts[i]);
}

static void overrides_are_read_as_shown(void **state)
{
    const uint32_t layers = LAYER_REVERSED | LAYER_INVISIBLE;
    says("请\u202E基镕朱\u202C吗", "请朱镕基\u202C吗", layers);
    says("\u2067基镕朱\u2069吗", "朱镕基\u2069吗", layers);
    says("\u202E基镕朱\n吗", "朱镕基\n吗", layers);
    says("\u202E基镕朱", "朱镕基", layers);
    /* What an embedding within it closes is not its own end. */
    says("\u202E基\u202A镕\u202C朱\u202C吗", "朱\u202C镕\u202A基\u202C吗", layers);
    says("\u202E%BA%9F%E5\u202C", "5E%F9%AB%\u202C", layers);
}

/* --- rounds, windows, ceilings --- */

static void what_was_decoded_is_decoded_again(void **state)
{
    says("%25E6%259C%25B1", "朱", LAYER_PERCENT);
    says("&amp;amp;#x6731;", "朱", LAYER_ENTITY);
    says("JUU2JTlDJUIx", "朱", LAYER_BASE64 | LAYER_PERCENT);
    says("%2525252541", "%41", LAYER_PERCENT); /* four rounds and no more */
}

static struct span repeat(char *out, const char *unit, size_t count, struct span then)
{
    size_t len = strlen(unit), at = 0;
    for (size_t i = 0; i < count; i++, at += len)
        memcpy(out + at, unit, len);
    memcpy(out + at, then.data, then.len);
    return span_from(out, at + then.len);
}

static void far_text_is_left_out(void **state)
{
    static char bytes[100000];
    struct told t = {.raw = repeat(bytes, "文字", 5000, SPAN_LIT("%E6%9C%B1"))};
    assert_int_equal(derive_decoded(t.raw, see, &t), 0);
    assert_int_equal(t.texts, 1);
    assert_true(t.bytes > DERIVE_CONTEXT - 4 && t.bytes <= DERIVE_CONTEXT + 4);
    /* Two that are far from each other are two windows, two that are near are one. */
    struct span far = repeat(bytes + 50000, "%41文", 1, repeat(bytes, "字", 3000, SPAN_LIT("%42")));
    t = (struct told){.raw = far};
    assert_int_equal(derive_decoded(t.raw, see, &t), 0);
    assert_int_equal(t.texts, 2);
    assert_true(t.bytes < 2 * DERIVE_CONTEXT + 16);
    struct span near =
        repeat(bytes + 50000, "%41文", 1, repeat(bytes, "字", 1000, SPAN_LIT("%42")));
    t = (struct told){.raw = near};
    assert_int_equal(derive_decoded(t.raw, see, &t), 0);
    assert_int_equal(t.texts, 1);
}

static void the_ceilings_hold(void **state)
{
    static const char *const units[] = {
        "%41",       "&amp;amp;amp;amp;lt;",
        "\\\\u0041", "5pyx6ZWV5Z+6",
        "E6 9C B1 ", "67319555",
        "a1\n",      "\u202E甲",
        "文\n",      "\U000E0041",
        "U+41 ",     "一二，",
    };
    static char bytes[1u << 20];
    for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
        struct told t = {.raw = repeat(bytes, units[i], 1000, SPAN_LIT("."))};
        assert_int_equal(derive_decoded(t.raw, see, &t), 0);
        assert_true(t.bytes <= DERIVE_ROUNDS_MAX * (t.raw.len + t.raw.len / 8));
        t.bytes = 0;
        assert_int_equal(derive_readings(t.raw, LAYERS_WHOLE, see, &t), 0);
        assert_true(t.bytes <= 5 * t.raw.len);
    }
}

static void an_answer_ends_it(void **state)
{
    struct told t = {.raw = SPAN_LIT("%2541"), .answer = 7};
    assert_int_equal(derive_decoded(t.raw, see, &t), 7);
    assert_int_equal(t.texts, 1);
    t = (struct told){.raw = SPAN_LIT("甲\n乙\n丙\n丁"), .answer = -ENOMEM};
    assert_int_equal(derive_readings(t.raw, LAYERS_WHOLE, see, &t), -ENOMEM);
    assert_int_equal(t.texts, 1);
}

/* --- places --- */

struct place {
    const char *part; /* of the derived text */
    size_t start, end;
    uint32_t layers;
    bool made, seen;
};

static int locate(void *ctx, const struct derived *d)
{
    struct place *p = ctx;
    struct span part = span_str(p->part);
    size_t at = span_find(d->text, part);
    if (at < d->text.len && !p->seen) {
        p->seen = true;
        p->made = derive_locate(d, at, at + part.len, &p->start, &p->end, &p->layers);
    }
    return 0;
}

static void stands(const char *raw, const char *part, const char *where)
{
    struct place p = {.part = part};
    assert_int_equal(derive_decoded(span_str(raw), locate, &p), 0);
    if (!p.seen)
        fail_msg("\"%s\" does not say \"%s\"", raw, part);
    if (!where) {
        assert_false(p.made);
        return;
    }
    assert_true(p.made);
    assert_span(span_slice(span_str(raw), p.start, p.end), span_str(where));
}

static void every_character_has_its_place(void **state)
{
    stands("请%E6%9C%B1吗", "朱", "%E6%9C%B1");
    stands("请%E6%9C%B1吗", "请", NULL); /* not made here */
    stands("请%E6%9C%B1吗", "请朱", "请%E6%9C%B1");
    stands("a&#x6731;镕b", "朱镕", "&#x6731;镕");
    stands("x5pyx6ZWV5Z+6", "镕", "6ZWV");
    stands("YWJjZGVmZ2hp", "d", "ZGVm"); /* the group that it comes from */
    stands("YWJjZGVmZ2hp", "cd", "YWJjZGVm");
    stands("e69cb1e99595e59fba", "镕", "e99595");
    stands("NXB5eDZaV1Y1Wis2", "朱",
           "NXB5eD"
           "Za");
    stands("\u202E基镕朱\u202C", "朱镕", "镕朱");
    stands("\u202E基镕朱\u202C", "基", "基");
}

/* --- other readings --- */

static void reads(const char *raw, uint32_t asked, const char *want)
{
    struct told t = {.raw = span_str(raw), .want = span_str(want)};
    assert_int_equal(derive_readings(t.raw, asked, see, &t), 0);
    if (!t.seen)
        fail_msg("\"%s\" is not read \"%s\"", raw, want);
    assert_int_equal(t.layers, asked);
}

static void reads_nothing(const char *raw, uint32_t asked)
{
    struct told t = {.raw = span_str(raw)};
    assert_int_equal(derive_readings(t.raw, asked, see, &t), 0);
    assert_int_equal(t.texts, 0);
}

static void initials_are_read(void **state)
{
    const uint32_t asked = LAYER_ACROSTIC;
    reads("朱门酒肉臭\n镕金落日圆\n基石万年坚", asked, "朱镕基");
    reads("1. 朱门\n（2）镕金\r\n\n三、“基石”\n④ 山", asked, "朱镕基山");
    reads("门前有朱，\n落日似镕。\n万年之基！", asked, "朱镕基"); /* the last ones */
    reads("朱门酒肉臭，镕金落日圆。基石万年坚", asked, "朱镕基");
    reads("Kind\n- is\n* like\n  light", asked, "Kill");
    reads("12 apples\n3 pears\n三个梨", asked, "13三"); /* no list marks */
    reads_nothing("朱门酒肉臭\n镕金落日圆", asked);
    reads_nothing("朱门酒肉臭，镕金落日圆", asked);
    reads_nothing("朱\n镕\n基", 0);
}

static void columns_are_read(void **state)
{
    const uint32_t asked = LAYER_VERTICAL;
    reads("春朱夏\n秋镕冬\n山基水", asked, "春秋山朱镕基夏冬水");
    reads("春朱夏\n秋镕冬\n山基水", asked, "夏冬水朱镕基春秋山");
    reads("朱一\n镕", asked, "朱镕"); /* what one line has alone is none */
    reads("朱\u200B一\n镕\u0301二", asked, "朱镕一二");
    reads("\n\n朱一\r\n镕二\n \n", asked, "朱镕一二");
    reads_nothing("朱一二三", asked);
    reads_nothing("朱\n\n镕", asked);
    char bytes[1024];
    struct span lines = repeat(bytes, "长", DERIVE_LINE_MAX + 1, SPAN_LIT("\n短\0"));
    reads_nothing(lines.data, asked);
}

/* --- any bytes --- */

static void any_text_has_a_map(void **state)
{
    static const char *const tokens[] = {
        "%E6",          "%9C",         "%B1", "&#x67",      "31;", "\\u67", "31",  "\\",
        "5pyx",         "6ZWV",        "\n",  " ",          "文",  "e6",    "9c",  "b1 ",
        "\u202E",       "\u202C",      "u",   "U+6731",     "=",   "0xE6",  "%25", "&amp;",
        "JUU",          "2JT",         "lDJ", "\U000E0041", "UIx", "，",    "67",  "ab",
        "\xED\xA0\xBD", "\xED\xB8\x80"};
    enum { TOKENS = sizeof(tokens) / sizeof(*tokens) };
    uint64_t seed = 5;
    size_t texts = 0;
    char bytes[512];
    for (int round = 0; round < 20000; round++) {
        size_t len = 0;
        for (unsigned n = 1 + (unsigned)(random_next(&seed) % 30); n; n--) {
            const char *token = tokens[random_next(&seed) % TOKENS];
            memcpy(bytes + len, token, strlen(token));
            len += strlen(token);
        }
        struct told t = {.raw = span_from(bytes, len)};
        assert_int_equal(derive_decoded(t.raw, see, &t), 0);
        assert_int_equal(derive_readings(t.raw, LAYERS_WHOLE, see, &t), 0);
        texts += t.texts;
    }
    assert_true(texts > 20000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(marked_runs_are_decoded),
        cmocka_unit_test(blobs_that_are_text_are_decoded),
        cmocka_unit_test(hex_that_is_text_is_decoded),
        cmocka_unit_test(innocent_words_say_nothing),
        cmocka_unit_test(overrides_are_read_as_shown),
        cmocka_unit_test(what_was_decoded_is_decoded_again),
        cmocka_unit_test(far_text_is_left_out),
        cmocka_unit_test(the_ceilings_hold),
        cmocka_unit_test(an_answer_ends_it),
        cmocka_unit_test(every_character_has_its_place),
        cmocka_unit_test(initials_are_read),
        cmocka_unit_test(columns_are_read),
        cmocka_unit_test(any_text_has_a_map),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
