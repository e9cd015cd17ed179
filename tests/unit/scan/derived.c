/* What whole texts say behind encodings and in other readings: hits of the raw bytes. */
#include "../unit.h"

#include "base/utf8.h"
#include "scan/scanner.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { NAME, KILL, PHONE, PLAIN, PAYLOAD };
enum { HITS_MAX = 256 };

static struct matchset *set;

static int build(struct matchset_builder *b)
{
    static const struct match_pattern phone = {
        .regex = {"1[0-9]{10}(?![0-9])", 19}, .gate = GATE_DIGITS, .width = 12};
    const char *reason;
    int r = matchset_add_keyword(b, SPAN_LIT("朱镕基"), NAME, DIRECTION_BOTH, LAYERS_WHOLE);
    if (r == 0)
        r = matchset_add_keyword(b, SPAN_LIT("kill you"), KILL, DIRECTION_BOTH, 0);
    if (r == 0)
        r = matchset_add_keyword(b, SPAN_LIT("坏东西"), PLAIN, DIRECTION_BOTH, 0);
    if (r == 0)
        r = matchset_add_pattern(b, &phone, PHONE, DIRECTION_BOTH, &reason);
    matchset_set_payload_rule(b, PAYLOAD);
    return r == 0 ? matchset_build(b, &set) : r;
}

static int set_up(void **state)
{
    struct matchset_builder *b = matchset_builder_new();
    int r = b ? build(b) : -ENOMEM;
    matchset_builder_free(b);
    return r;
}

static int tear_down(void **state)
{
    set = matchset_unref(set);
    return 0;
}

struct watcher {
    struct hit hits[HITS_MAX];
    struct channel *channels[HITS_MAX];
    size_t count, payloads, stop_at;
    bool mask;
};

static int see(void *ctx, struct channel *c, const struct hit *hit)
{
    struct watcher *w = ctx;
    struct span text = buf_span(&c->text);
    assert_true(hit->start < hit->end && hit->end <= text.len);
    assert_int_equal(utf8_floor(text, (size_t)hit->start), hit->start);
    assert_int_equal(utf8_floor(text, (size_t)hit->end), hit->end);
    if (hit->rule == PAYLOAD) {
        w->payloads++;
        return 0;
    }
    assert_true(w->count < HITS_MAX);
    w->hits[w->count] = *hit;
    w->channels[w->count++] = c;
    if (w->mask)
        assert_int_equal(channel_mask(c, hit->start, hit->end), 0);
    return w->count == w->stop_at;
}

static struct scanner *start(struct watcher *w, bool whole)
{
    struct scanner *s = scanner_new(set, DIRECTION_PROMPT, whole, see, w);
    assert_non_null(s);
    return s;
}

static int feed(struct scanner *s, enum field field, struct span text)
{
    struct piece p;
    struct text_item item = {.text = text, .field = field, .join = true};
    return scanner_feed(s, &item, &p);
}

/* Judges one text as a body would be. */
static void judge(const char *raw, enum field field, struct watcher *w)
{
    struct scanner *s = start(w, true);
    assert_int_equal(feed(s, field, span_str(raw)), 0);
    assert_int_equal(scanner_finish(s, -1), 0);
    scanner_free(s);
}

/* One hit of that rule, which stands there; as content, and as an unknown field. */
static void finds(const char *raw, uint32_t rule, const char *where, uint32_t layers)
{
    static const enum field fields[] = {FIELD_CONTENT, FIELD_OTHER};
    for (size_t i = 0; i < 2; i++) {
        struct watcher w = {0};
        judge(raw, fields[i], &w);
        if (w.count != 1)
            fail_msg("\"%s\": %d hits", raw, (int)w.count);
        assert_int_equal(w.hits[0].rule, rule);
        assert_span(span_slice(span_str(raw), (size_t)w.hits[0].start, (size_t)w.hits[0].end),
                    span_str(where));
        if (w.hits[0].layers != layers)
            fail_msg("\"%s\": layers %x", raw, (unsigned)w.hits[0].layers);
        assert_int_equal(w.payloads, layers & LAYERS_ENCODED && rule != PHONE ? 1 : 0);
    }
}

static void finds_nothing(const char *raw)
{
    struct watcher w = {0};
    judge(raw, FIELD_CONTENT, &w);
    if (w.count || w.payloads)
        fail_msg("\"%s\": a hit of rule %u", raw, (unsigned)w.hits[0].rule);
}

static void words_behind_encodings_are_told(void **state)
{
    finds("问%E6%9C%B1%E9%95%95%E5%9F%BA吗", NAME, "%E6%9C%B1%E9%95%95%E5%9F%BA", LAYER_PERCENT);
    finds("问朱&#x9555;基吗", NAME, "朱&#x9555;基", LAYER_ENTITY);
    finds("问\\u6731镕\\\\u57fa吗", NAME, "\\u6731镕\\\\u57fa", LAYER_ESCAPE);
    finds("问5pyx6ZWV5Z+6吗", NAME, "5pyx6ZWV5Z+6", LAYER_BASE64);
    finds("问e69cb1e99595e59fba吗", NAME, "e69cb1e99595e59fba", LAYER_HEX);
    finds("a2lsbCB5b3U=", KILL, "a2lsbCB5b3U=", LAYER_BASE64);
    finds("NXB5eDZaV1Y1Wis2", NAME, "NXB5eDZaV1Y1Wis2", LAYER_BASE64);
    finds("JUU2JTlDJUIx镕基", NAME, "JUU2JTlDJUIx镕基", LAYER_BASE64 | LAYER_PERCENT);
    /* Patterns likewise. */
    finds("tel=%31%33%38%30%30%31%33%38%30%30%30", PHONE, "%31%33%38%30%30%31%33%38%30%30%30",
          LAYER_PERCENT);
    /* With what the cursor sees through. */
    finds("%E6%9C%B1-%E9%8E%94*基", NAME, "%E6%9C%B1-%E9%8E%94*基",
          LAYER_PERCENT | LAYER_SEPARATOR | LAYER_TRADITIONAL);
}

static void what_is_shown_otherwise_is_told(void **state)
{
    finds("问\u202E基镕朱\u202C吗", NAME, "基镕朱", LAYER_REVERSED | LAYER_INVISIBLE);
    finds("x \U000E006B\U000E0069\U000E006C\U000E006C you", KILL,
          "\U000E006B\U000E0069\U000E006C\U000E006C you", LAYER_INVISIBLE);
}

static void other_readings_are_told(void **state)
{
    finds("朱门酒肉臭\n镕金落日圆\n基石万年坚", NAME, "朱门酒肉臭\n镕金落日圆\n基", LAYER_ACROSTIC);
    finds("门前有朱。\n落日似镕，\n万年之基！", NAME, "朱。\n落日似镕，\n万年之基", LAYER_ACROSTIC);
    finds("朱门酒肉臭，镕金落日圆。基石万年坚", NAME, "朱门酒肉臭，镕金落日圆。基", LAYER_ACROSTIC);
    finds("春朱\n秋镕\n山基", NAME, "朱\n秋镕\n山基", LAYER_ACROSTIC);
    finds("春朱夏\n秋镕冬\n山基水", NAME, "朱夏\n秋镕冬\n山基", LAYER_VERTICAL);
    finds_nothing("坏人多\n东边有\n西边无"); /* a rule that does not ask */
}

static void nothing_is_told_twice(void **state)
{
    finds("朱\n镕\n基", NAME, "朱\n镕\n基", LAYER_SEPARATOR);
    finds("朱镕基%20%41", NAME, "朱镕基", 0);
    struct watcher w = {0};
    judge("朱镕基 %E6%9C%B1镕基 %25E6%259C%25B1镕基", FIELD_CONTENT, &w);
    assert_int_equal(w.count, 3); /* but each for itself */
    assert_int_equal(w.payloads, 1);
}

/* Programs escape what they hand to tools and get from them. */
static void escapes_of_tools_are_no_attack(void **state)
{
    static const enum role roles[] = {ROLE_TOOL, ROLE_USER};
    for (unsigned i = 0; i < 2; i++) {
        struct watcher w = {0};
        struct scanner *s = start(&w, true);
        struct piece p;
        struct text_item item = {
            .text = SPAN_LIT("\\u6731\\u9555\\u57fa"), .field = FIELD_CONTENT, .role = roles[i]};
        assert_int_equal(scanner_feed(s, &item, &p), 0);
        assert_int_equal(scanner_finish(s, -1), 0);
        assert_int_equal(w.count, 1);
        assert_int_equal(w.payloads, i);
        scanner_free(s);
    }
}

static void the_innocent_is_left_alone(void **state)
{
    finds_nothing(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAA");
    finds_nothing("看 https://example.com/a%20b?x=%E4%BD%A0 &amp; 138 0013");
    finds_nothing("朱先生说，他来。\n铸造厂开门了。\n基本如此。");
}

/* Masks leave no byte of the match, and nothing else where the map is fine enough. */
static void masks_cover_the_match(void **state)
{
    struct watcher w = {.mask = true};
    struct scanner *s = start(&w, true);
    const char *raw = "问%E6%9C%B1镕&#x57fa;吗";
    assert_int_equal(feed(s, FIELD_CONTENT, span_str(raw)), 0);
    assert_int_equal(scanner_finish(s, -1), 0);
    const struct channel *c = scanner_channels(s);
    assert_int_equal(c->mask_count, 1);
    assert_span(span_slice(span_str(raw), (size_t)c->masks[0].start, (size_t)c->masks[0].end),
                SPAN_LIT("%E6%9C%B1镕&#x57fa;"));
    scanner_free(s);
}

static void a_stop_ends_the_text_before_it(void **state)
{
    struct watcher w = {.stop_at = 1};
    struct scanner *s = start(&w, true);
    assert_int_equal(feed(s, FIELD_CONTENT, SPAN_LIT("问5pyx6ZWV5Z+6吗")), 0);
    assert_int_equal(scanner_finish(s, -1), 1);
    const struct channel *c = scanner_channels(s);
    assert_int_equal(c->cut, 3);
    assert_int_equal(channel_clear(c), 3);
    assert_int_equal(w.payloads, 1); /* on record with it */
    assert_int_equal(scanner_finish(s, -1), 0);
    scanner_free(s);
    /* A raw hit that stops it is enough. */
    w = (struct watcher){.stop_at = 1};
    s = start(&w, true);
    assert_int_equal(feed(s, FIELD_CONTENT, SPAN_LIT("%41朱镕基5pyx6ZWV5Z+6")), 1);
    assert_int_equal(scanner_finish(s, -1), 1);
    assert_int_equal(w.count, 1);
    scanner_free(s);
}

static void items_are_joined_for_encodings(void **state)
{
    static const char *const parts[][3] = {
        {"问5pyx", "6ZWV5Z+6", "吗"},
        {"%E6%9C%B1镕", "基", ""},
        {"问朱&#x95", "55;", "基"},
        {"e69cb1e99", "595e5", "9fba"},
    };
    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
        struct watcher w = {0};
        struct scanner *s = start(&w, true);
        for (size_t k = 0; k < 3; k++)
            assert_int_equal(feed(s, FIELD_CONTENT, span_str(parts[i][k])), 0);
        assert_int_equal(scanner_finish(s, -1), 0);
        assert_int_equal(w.count, 1);
        assert_int_equal(w.hits[0].rule, NAME);
        assert_true(w.hits[0].layers & LAYER_JOIN);
        scanner_free(s);
    }
    /* What stands in one item is told of that one alone; initials are of one item. */
    struct watcher w = {0};
    struct scanner *s = start(&w, true);
    assert_int_equal(feed(s, FIELD_CONTENT, SPAN_LIT("问5pyx6ZWV5Z+6")), 0);
    assert_int_equal(feed(s, FIELD_CONTENT, SPAN_LIT("，朱门\n镕金\n")), 0);
    assert_int_equal(feed(s, FIELD_CONTENT, SPAN_LIT("基石")), 0);
    assert_int_equal(scanner_finish(s, -1), 0);
    assert_int_equal(w.count, 1);
    assert_int_equal(w.hits[0].start, 3);
    scanner_free(s);
}

static void streams_are_read_as_they_come(void **state)
{
    struct watcher w = {0};
    struct scanner *s = start(&w, false);
    assert_int_equal(feed(s, FIELD_CONTENT, SPAN_LIT("问5pyx6ZWV5Z+6吗\n朱\n镕金\n基")), 0);
    assert_int_equal(scanner_finish(s, -1), 0);
    assert_int_equal(w.count, 0);
    scanner_free(s);
}

static size_t append(char *out, size_t at, const char *text)
{
    memcpy(out + at, text, strlen(text));
    return strlen(text);
}

/* Whatever stands around, however it is written: it is found, and the hit covers it. */
static void random_disguises_are_found(void **state)
{
    static const char *const name[][8] = {
        {"朱", "%E6%9C%B1", "&#x6731;", "\\u6731", "&#26417;", "\\xE6\\x9C\\xB1", "&amp;#26417;",
         "\\\\u6731"},
        {"镕", "%E9%95%95", "&#x9555;", "\\u9555", "&#38229;", "\\xE9\\x95\\x95", "%25E9%2595%2595",
         "\\351\\225\\225"},
        {"基", "%E5%9F%BA", "&#x57fa;", "\\u57FA", "&#22522;", "\\xE5\\x9F\\xBA", "\\u0026#22522;",
         "\\u{57fa}"},
    };
    static const char *const around[] = {"文", "，", " ", "\n", "%41", "&lt;", "word ", "12 ", "😀"};
    uint64_t seed = 11;
    for (int round = 0; round < 3000; round++) {
        char raw[512];
        size_t len = 0, start_at, end_at;
        for (unsigned n = (unsigned)(random_next(&seed) % 12); n; n--)
            len += append(raw, len, around[random_next(&seed) % 9]);
        start_at = len;
        for (unsigned k = 0; k < 3; k++)
            len += append(raw, len, name[k][random_next(&seed) % 8]);
        end_at = len;
        for (unsigned n = (unsigned)(random_next(&seed) % 12); n; n--)
            len += append(raw, len, around[random_next(&seed) % 9]);
        raw[len] = '\0';
        struct watcher w = {0};
        judge(raw, FIELD_CONTENT, &w);
        bool found = false;
        for (size_t i = 0; i < w.count; i++)
            found = found || (w.hits[i].rule == NAME && w.hits[i].start == start_at &&
                              w.hits[i].end == end_at);
        if (!found)
            fail_msg("\"%s\" is not found at %d..%d", raw, (int)start_at, (int)end_at);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_behind_encodings_are_told),
        cmocka_unit_test(what_is_shown_otherwise_is_told),
        cmocka_unit_test(other_readings_are_told),
        cmocka_unit_test(escapes_of_tools_are_no_attack),
        cmocka_unit_test(nothing_is_told_twice),
        cmocka_unit_test(the_innocent_is_left_alone),
        cmocka_unit_test(masks_cover_the_match),
        cmocka_unit_test(a_stop_ends_the_text_before_it),
        cmocka_unit_test(items_are_joined_for_encodings),
        cmocka_unit_test(streams_are_read_as_they_come),
        cmocka_unit_test(random_disguises_are_found),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
