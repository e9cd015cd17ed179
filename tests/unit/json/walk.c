#include "../unit.h"

#include "json/walk.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const known[] = {"content", "messages", "role", "skip", NULL};

/* Reads a text to its end; the error, and all items in one line a test can compare. */
static int walk_all(struct json_walk *w, struct span body, struct buf *out)
{
    static const char *const names[] = {"end", "{", "}", "[", "]", "k:", "s:", "n:", "T", "F", "N"};
    json_walk_reset(w, body);
    struct json_item item;
    for (;;) {
        int rc = json_walk_next(w, &item);
        if (rc) {
            /* An error stays. */
            assert_int_equal(json_walk_next(w, &item), rc);
            return rc;
        }
        if (item.token == JSON_END)
            return 0;
        if (!out)
            continue;
        if (out->len > 0)
            assert_int_equal(buf_append_char(out, ' '), 0);
        assert_int_equal(buf_append(out, span_str(names[item.token])), 0);
        if (item.token == JSON_NUMBER)
            assert_int_equal(buf_append(out, item.raw), 0);
        if (item.token == JSON_KEY || item.token == JSON_STRING)
            assert_int_equal(buf_append(out, item.text), 0);
    }
}

static struct json_walk *walker(bool surrogates)
{
    struct json_limits limits = JSON_LIMITS_DEFAULT;
    limits.lone_surrogates = surrogates;
    struct json_walk *w = json_walk_new(&limits, known);
    assert_non_null(w);
    return w;
}

static void right_texts_give_their_items(void **state)
{
    static const struct {
        const char *body, *items;
    } table[] = {
        {"null", "N"},
        {" [ true , false ] ", "[ T F ]"},
        {"{}", "{ }"},
        {"[]", "[ ]"},
        {"[[],{}]", "[ [ ] { } ]"},
        {"{\"a\":{\"b\":[1,-0.5e+3]},\"c\":\"\"}", "{ k:a { k:b [ n:1 n:-0.5e+3 ] } k:c s: }"},
        {"\"\\u6bd2\\ud83d\\ude00\\n\\/\\\"\\\\\"", "s:毒😀\n/\"\\"},
        {"\"0123456789abcdef\\t毒品0123456789\"", "s:0123456789abcdef\t毒品0123456789"},
        {"\"\\u0041\\u00e9\\uFFFF\"", "s:Aé\xEF\xBF\xBF"},
        {"{\"\":1}", "{ k: n:1 }"},
        {"[18446744073709551616,1e308,1E-400,0.0]",
         "[ n:18446744073709551616 n:1e308 n:1E-400 n:0.0 ]"},
        {"{\"Contents\":1,\"CON\":2,\"con tent s\":3,\"内容\":4}",
         "{ k:Contents n:1 k:CON n:2 k:con tent s n:3 k:内容 n:4 }"},
        {"[{\"a\":1},{\"a\":1}]", "[ { k:a n:1 } { k:a n:1 } ]"},
        {"{\"a\":{\"a\":{\"a\":1}},\"b\":2}", "{ k:a { k:a { k:a n:1 } } k:b n:2 }"},
        {"\"\x7f\xEF\xBB\xBF\"", "s:\x7f\xEF\xBB\xBF"},
    };
    struct json_walk *w = walker(false);
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        struct buf out = BUF_INIT(4096);
        assert_int_equal(walk_all(w, span_str(table[i].body), &out), 0);
        assert_span(buf_span(&out), span_str(table[i].items));
        buf_deinit(&out);
    }
    json_walk_free(w);
}

static void wrong_texts_are_refused_by_name(void **state)
{
    static const struct {
        struct span body;
        enum json_error error;
        size_t offset;
    } table[] = {
        {SPAN_LIT(""), JSON_SYNTAX, 0},
        {SPAN_LIT("  "), JSON_SYNTAX, 2},
        {SPAN_LIT("{} {}"), JSON_TRAILING_DATA, 3},
        {SPAN_LIT("1 2"), JSON_TRAILING_DATA, 2},
        {SPAN_LIT("[1,]"), JSON_SYNTAX, 3},
        {SPAN_LIT("[,1]"), JSON_SYNTAX, 1},
        {SPAN_LIT("[1 2]"), JSON_SYNTAX, 3},
        {SPAN_LIT("{\"a\":1,}"), JSON_SYNTAX, 7},
        {SPAN_LIT("{\"a\" 1}"), JSON_SYNTAX, 5},
        {SPAN_LIT("{a:1}"), JSON_SYNTAX, 1},
        {SPAN_LIT("{1:1}"), JSON_SYNTAX, 1},
        {SPAN_LIT("['a']"), JSON_SYNTAX, 1},
        {SPAN_LIT("[1}"), JSON_SYNTAX, 2},
        {SPAN_LIT("{\"a\":]"), JSON_SYNTAX, 5},
        {SPAN_LIT("[1"), JSON_SYNTAX, 2},
        {SPAN_LIT("nul"), JSON_SYNTAX, 3},
        {SPAN_LIT("nulL"), JSON_SYNTAX, 3},
        {SPAN_LIT("NaN"), JSON_SYNTAX, 0},
        {SPAN_LIT("01"), JSON_SYNTAX, 1},
        {SPAN_LIT("-"), JSON_SYNTAX, 1},
        {SPAN_LIT("+1"), JSON_SYNTAX, 0},
        {SPAN_LIT("1."), JSON_SYNTAX, 2},
        {SPAN_LIT(".5"), JSON_SYNTAX, 0},
        {SPAN_LIT("1e"), JSON_SYNTAX, 2},
        {SPAN_LIT("1e+"), JSON_SYNTAX, 3},
        {SPAN_LIT("1e999"), JSON_NUMBER_RANGE, 0},
        {SPAN_LIT("[1e99999999999999999999999999]"), JSON_NUMBER_RANGE, 1},
        {SPAN_LIT("// c\n1"), JSON_SYNTAX, 0},
        {SPAN_LIT("\"abc"), JSON_SYNTAX, 4},
        {SPAN_LIT("\"a\nb\""), JSON_SYNTAX, 2},
        {SPAN_LIT("\"\\x\""), JSON_SYNTAX, 1},
        {SPAN_LIT("\"\\u12\""), JSON_SYNTAX, 1},
        {SPAN_LIT("\"\\u12g4\""), JSON_SYNTAX, 1},
        {SPAN_LIT("\"\\"), JSON_SYNTAX, 1},
        {SPAN_LIT("\"\\u0000\""), JSON_NUL, 1},
        {SPAN_LIT("\"a\0\""), JSON_NUL, 2},
        {SPAN_LIT("[1]\0"), JSON_NUL, 3},
        {SPAN_LIT("\0"), JSON_NUL, 0},
        {SPAN_LIT("\xEF\xBB\xBF{}"), JSON_BOM, 0},
        {SPAN_LIT("{}\xFF"), JSON_INVALID_UTF8, 2},
        {SPAN_LIT("\"\xC0\xAF\""), JSON_INVALID_UTF8, 1},
        {SPAN_LIT("\"\xED\xA0\x80\""), JSON_INVALID_UTF8, 1},
        {SPAN_LIT("\"\xF4\x90\x80\x80\""), JSON_INVALID_UTF8, 1},
        {SPAN_LIT("\"01234567\xE6\xAF\""), JSON_INVALID_UTF8, 9},
        {SPAN_LIT("\"\\ud800\""), JSON_LONE_SURROGATE, 1},
        {SPAN_LIT("\"\\udc00\\ud800\""), JSON_LONE_SURROGATE, 1},
        {SPAN_LIT("\"\\ud83dx\""), JSON_LONE_SURROGATE, 1},
        {SPAN_LIT("{\"a\":1,\"a\":2}"), JSON_DUPLICATE_KEY, 7},
        {SPAN_LIT("{\"c\":1,\"\\u0063\":2}"), JSON_DUPLICATE_KEY, 7},
        {SPAN_LIT("{\"\\u0063\":1,\"b\":{\"\\u0063\":2},\"c\":2}"), JSON_DUPLICATE_KEY, 29},
        {SPAN_LIT("{\"Content\":1}"), JSON_SUSPICIOUS_KEY, 1},
        {SPAN_LIT("{\"x\":[{\"CONTENT\":1}]}"), JSON_SUSPICIOUS_KEY, 7},
        {SPAN_LIT("{\"messages \":1}"), JSON_SUSPICIOUS_KEY, 1},
        {SPAN_LIT("{\"me\u200bssages\":1}"), JSON_SUSPICIOUS_KEY, 1},
        {SPAN_LIT("{\"mes\u017fages\":1}"), JSON_SUSPICIOUS_KEY, 1},
        {SPAN_LIT("{\"s\u212aip\":1}"), JSON_SUSPICIOUS_KEY, 1},
        {SPAN_LIT("{\"s\\u212aip\":1}"), JSON_SUSPICIOUS_KEY, 1},
        {SPAN_LIT("{\"\\u0052ole\":1}"), JSON_SUSPICIOUS_KEY, 1},
        {SPAN_LIT("{\"ｒole\":1}"), JSON_SUSPICIOUS_KEY, 1},
        {SPAN_LIT("{\"role\\t\":1}"), JSON_SUSPICIOUS_KEY, 1},
    };
    struct json_walk *w = walker(false);
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        int rc = walk_all(w, table[i].body, NULL);
        if (rc != (int)table[i].error || json_walk_offset(w) != table[i].offset)
            fail_msg("%.*s: got %s at %zu", SPAN_ARG(table[i].body),
                     json_error_code((enum json_error)rc), json_walk_offset(w));
    }
    json_walk_free(w);
}

static void limits_hold(void **state)
{
    struct json_walk *w = json_walk_new(&(struct json_limits){.nodes = 10}, NULL);
    assert_non_null(w);
    assert_int_equal(walk_all(w, SPAN_LIT("[1,2,3,4,5,6,7,8,9]"), NULL), 0);
    assert_int_equal(walk_all(w, SPAN_LIT("[1,2,3,4,5,6,7,8,9,0]"), NULL), JSON_TOO_MANY_NODES);
    json_walk_free(w);
    w = walker(false);
    char text[2 * (JSON_DEPTH_MAX + 1)];
    for (int depth = JSON_DEPTH_MAX; depth <= JSON_DEPTH_MAX + 1; depth++) {
        memset(text, '[', (size_t)depth);
        memset(text + depth, ']', (size_t)depth);
        assert_int_equal(walk_all(w, span_from(text, 2 * (size_t)depth), NULL),
                         depth > JSON_DEPTH_MAX ? JSON_TOO_DEEP : 0);
    }
    char number[101];
    memset(number, '7', sizeof(number));
    assert_int_equal(walk_all(w, span_from(number, 100), NULL), 0);
    assert_int_equal(walk_all(w, span_from(number, 101), NULL), JSON_NUMBER_RANGE);
    json_walk_free(w);
}

static void halves_of_pairs_are_given_on_where_asked(void **state)
{
    struct json_walk *w = walker(true);
    struct buf out = BUF_INIT(4096);
    assert_int_equal(walk_all(w, SPAN_LIT("[\"\\ud83d\",\"\\ude00\",\"\\ud83d\\ude00\"]"), &out),
                     0);
    assert_span(buf_span(&out), SPAN_LIT("[ s:\xED\xA0\xBD s:\xED\xB8\x80 s:😀 ]"));
    /* As raw bytes they are not UTF-8, whoever asks. */
    assert_int_equal(walk_all(w, SPAN_LIT("\"\xED\xA0\xBD\""), NULL), JSON_INVALID_UTF8);
    assert_int_equal(json_walk_tune(w, NULL, false), 0);
    assert_int_equal(walk_all(w, SPAN_LIT("\"\\ud83d\""), NULL), JSON_LONE_SURROGATE);
    assert_int_equal(walk_all(w, SPAN_LIT("{\"Role\":1}"), NULL), 0);
    buf_deinit(&out);
    json_walk_free(w);
}

/* Objects of every size around the change from comparing to hashing. */
static void many_keys_are_all_told_apart(void **state)
{
    struct json_walk *w = walker(false);
    struct buf body = BUF_INIT(1 << 22);
    for (unsigned n = 1; n < 3000; n = n < 70 ? n + 1 : n * 2) {
        for (int twice = -1; twice < (int)n; twice += twice < 0 ? 1 : (int)n / 3 + 1) {
            buf_clear(&body);
            assert_int_equal(buf_append_char(&body, '{'), 0);
            for (unsigned i = 0; i < n; i++)
                assert_int_equal(
                    buf_printf(&body, "%s\"%sk%u\":{\"k0\":0},", "", i % 3 ? "" : "\\u006b", i), 0);
            if (twice >= 0)
                assert_int_equal(buf_printf(&body, "\"%sk%d\":0}", twice % 3 ? "" : "k", twice), 0);
            else
                assert_int_equal(buf_append(&body, SPAN_LIT("\"z\":0}")), 0);
            assert_int_equal(walk_all(w, buf_span(&body), NULL),
                             twice >= 0 ? JSON_DUPLICATE_KEY : 0);
        }
    }
    buf_deinit(&body);
    json_walk_free(w);
}

static void paths_and_skips(void **state)
{
    static const struct span body = SPAN_LIT(
        "{\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":\"a\"},{\"text\":\"b\"}]},7],"
        "\"a.b \\n内😀\":[[],[1]]}");
    struct json_walk *w = walker(false);
    json_walk_reset(w, body);
    struct buf paths = BUF_INIT(8192);
    struct json_item item;
    do {
        assert_int_equal(json_walk_next(w, &item), 0);
        if (item.token == JSON_STRING || item.token == JSON_NUMBER ||
            item.token == JSON_ARRAY_END) {
            assert_int_equal(json_walk_path(w, &paths), 0);
            assert_int_equal(buf_append_char(&paths, '|'), 0);
        }
    } while (item.token != JSON_END);
    assert_span(buf_span(&paths),
                SPAN_LIT("messages[0].role|messages[0].content[0].text|messages[0].content[1].text|"
                         "messages[0].content|messages[1]|messages|"
                         "a\\u002eb\\u0020\\n\\u5185\\ud83d\\ude00[0]|"
                         "a\\u002eb\\u0020\\n\\u5185\\ud83d\\ude00[1][0]|"
                         "a\\u002eb\\u0020\\n\\u5185\\ud83d\\ude00[1]|"
                         "a\\u002eb\\u0020\\n\\u5185\\ud83d\\ude00|"));
    json_walk_reset(w, body);
    assert_int_equal(json_walk_next(w, &item), 0);
    assert_int_equal(json_walk_next(w, &item), 0);
    assert_int_equal(json_walk_skip(w), 0); /* behind a key: its value */
    assert_int_equal(json_walk_next(w, &item), 0);
    assert_int_equal(item.token, JSON_KEY);
    assert_int_equal(json_walk_next(w, &item), 0);
    assert_int_equal(item.token, JSON_ARRAY);
    assert_int_equal(json_walk_skip(w), 0);
    assert_int_equal(json_walk_next(w, &item), 0);
    assert_int_equal(item.token, JSON_OBJECT_END);
    assert_int_equal(item.depth, 0);
    /* What is skipped is checked all the same. */
    json_walk_reset(w, SPAN_LIT("[[{\"Role\":1}]]"));
    assert_int_equal(json_walk_next(w, &item), 0);
    assert_int_equal(json_walk_skip(w), JSON_SUSPICIOUS_KEY);
    buf_deinit(&paths);
    json_walk_free(w);
}

static void long_paths_are_clipped(void **state)
{
    struct json_walk *w = walker(false);
    struct buf body = BUF_INIT(65536);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(buf_append(&body, SPAN_LIT("{\"")), 0);
        for (int j = 0; j <= i * 6; j++)
            assert_int_equal(buf_append(&body, span_str(i % 2 ? "ab" : "内")), 0);
        assert_int_equal(buf_append(&body, SPAN_LIT("\":")), 0);
    }
    json_walk_reset(w, buf_span(&body));
    struct json_item item;
    struct span path = SPAN_NULL;
    while (json_walk_next(w, &item) == 0) {
        path = json_walk_where(w);
        assert_true(path.len <= 256);
    }
    assert_span(span_slice(path, path.len - 3, path.len), SPAN_LIT("..."));
    buf_deinit(&body);
    json_walk_free(w);
}

static void peeking_finds_members_ahead(void **state)
{
    static const struct {
        const char *body, *found;
    } table[] = {
        {"{\"role\":\"user\"}", "\"user\""},
        {"{\"content\":[{\"role\":\"no\"}],\"x\":{\"role\":1},\"role\" : \"user\" }", "\"user\""},
        {"{\"a\":\"role\",\"b\":\"\\\\\\\"\",\"r\\u006fle\":12 }", "12"},
        {"{\"a\":\"role\"}", ""},
        {"{\"role\":{}}", ""},
        {"{\"roles\":1,\"rol\":2}", ""},
        {"{\"a\":[\"role\",\"x\"],\"role\":null}", "null"},
        {"{\"role", ""},
        {"{\"role\":\"unended", "\"unended"},
        {"{\"role\":", ""},
        {"{\"\\", ""},
        {"{}", ""},
        {"{\"x\":\"\\\\\",\"role\":\"a\\\"b\"}", "\"a\\\"b\""},
    };
    struct json_walk *w = walker(false);
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        struct json_item item;
        json_walk_reset(w, span_str(table[i].body));
        assert_int_equal(json_walk_next(w, &item), 0);
        assert_span(json_walk_peek(w, SPAN_LIT("role")), span_str(table[i].found));
    }
    char room[8];
    assert_span(json_unquote(SPAN_LIT("\"a\\\"b\""), room, sizeof(room)), SPAN_LIT("a\"b"));
    assert_span(json_unquote(SPAN_LIT("\"unended"), room, sizeof(room)), SPAN_NULL);
    assert_span(json_unquote(SPAN_LIT("\"too long a text\""), room, sizeof(room)), SPAN_NULL);
    assert_span(json_unquote(SPAN_LIT("12"), room, sizeof(room)), SPAN_NULL);
    json_walk_free(w);
}

static void opaque_objects_choose_their_keys(void **state)
{
    static const struct span body =
        SPAN_LIT("{\"schema\":{\"Role\":{\"CONTENT\":1}},\"x\":{\"Role\":1}}");
    struct json_walk *w = walker(false);
    json_walk_reset(w, body);
    struct json_item item;
    for (int i = 0; i < 3; i++)
        assert_int_equal(json_walk_next(w, &item), 0);
    json_walk_opaque(w);
    assert_int_equal(json_walk_skip(w), 0);
    int rc = 0;
    for (int i = 0; i < 3 && rc == 0; i++)
        rc = json_walk_next(w, &item);
    assert_int_equal(rc, JSON_SUSPICIOUS_KEY);
    json_walk_free(w);
}

/* Keys of every length, with one byte changed at every place: only what folds back is a twin. */
static void twins_are_found_at_every_place(void **state)
{
    char key[24] = "abcdefghijklmnopqrstu";
    for (size_t len = 1; len <= 21; len++) {
        char *one = strndup(key, len);
        assert_non_null(one);
        const char *const keys[] = {one, NULL};
        struct json_walk *w = json_walk_new(NULL, keys);
        assert_non_null(w);
        for (size_t at = 0; at < len; at++)
            for (int c = 0x20; c < 0x80; c++) {
                if (c == '"' || c == '\\')
                    continue;
                char body[64], changed[24];
                memcpy(changed, key, len);
                changed[at] = (char)c;
                int n = snprintf(body, sizeof(body), "{\"%.*s\":1}", (int)len, changed);
                bool twin = c == key[at] - 32;
                assert_int_equal(walk_all(w, span_from(body, (size_t)n), NULL),
                                 twin ? JSON_SUSPICIOUS_KEY : 0);
                /* One blank more, of any kind. */
                n = snprintf(body, sizeof(body), "{\"%.*s%c%.*s\":1}", (int)at, key, c,
                             (int)(len - at), key + at);
                twin = c == ' ' || c == 0x7F;
                assert_int_equal(walk_all(w, span_from(body, (size_t)n), NULL),
                                 twin ? JSON_SUSPICIOUS_KEY : 0);
            }
        json_walk_free(w);
        free(one);
    }
}

/* A random text of pieces that need every kind of escape. */
static void random_text(uint64_t *seed, struct buf *out)
{
    static const char *const pieces[] = {"a",    "0123456789",   "\"",          "\\", "/",
                                         "\n",   "\x01",         "毒",          "😀",  "é",
                                         "\x7f", "\xE2\x80\xA8", "\xED\xA0\xBD"};
    buf_clear(out);
    for (uint64_t n = random_next(seed) >> 33; n % 16; n--)
        assert_int_equal(
            buf_append(
                out,
                span_str(pieces[(random_next(seed) >> 33) % (sizeof(pieces) / sizeof(*pieces))])),
            0);
}

static void escaping_and_reading_give_the_text_back(void **state)
{
    uint64_t seed = 20261124;
    struct json_walk *w = walker(true);
    struct buf text = BUF_INIT(4096), body = BUF_INIT(65536);
    for (int round = 0; round < 20000; round++) {
        random_text(&seed, &text);
        buf_clear(&body);
        assert_int_equal(buf_append_char(&body, '"'), 0);
        assert_int_equal(json_escape(&body, buf_span(&text)), 0);
        assert_int_equal(buf_append_char(&body, '"'), 0);
        json_walk_reset(w, buf_span(&body));
        struct json_item item;
        assert_int_equal(json_walk_next(w, &item), 0);
        assert_span(item.text, buf_span(&text));
        /* Each decoded offset maps into the raw text, in order, the ends to the ends. */
        assert_int_equal(json_raw_offset(item.raw, 0), 0);
        assert_int_equal(json_raw_offset(item.raw, item.text.len), item.raw.len);
        size_t before = 0;
        for (size_t at = 0; at <= item.text.len; at++) {
            size_t raw = json_raw_offset(item.raw, at);
            assert_true(raw >= before && raw <= item.raw.len);
            before = raw;
        }
    }
    struct buf wrong = BUF_INIT(64);
    assert_int_equal(json_escape(&wrong, SPAN_LIT("a\xFF"
                                                  "b\0c")),
                     0);
    assert_span(buf_span(&wrong), SPAN_LIT("a\\ufffdb\\u0000c"));
    buf_deinit(&wrong);
    buf_deinit(&text);
    buf_deinit(&body);
    json_walk_free(w);
}

static void raw_offsets_know_escapes(void **state)
{
    static const struct span raw = SPAN_LIT("a\\n\\u6bd2b\\ud83d\\ude00c");
    static const size_t want[] = {0, 1, 3, 3, 3, 9, 10, 10, 10, 10, 22, 23};
    for (size_t i = 0; i < sizeof(want) / sizeof(*want); i++)
        assert_int_equal(json_raw_offset(raw, i), want[i]);
}

/* Every beginning of a right text, and every text with one byte changed, ends in a verdict. */
static void damaged_texts_never_get_past(void **state)
{
    static const struct span body =
        SPAN_LIT("{\"a\":[1.5e3,\"x\\u6bd2\\ud83d\\ude00\",{\"b\":null}],\"毒\":true}");
    struct json_walk *w = walker(false);
    uint64_t seed = 7;
    for (size_t cut = 0; cut < body.len; cut++) {
        char *copy = malloc(cut + 1); /* exactly as long: a sanitizer sees a byte too far */
        assert_non_null(copy);
        memcpy(copy, body.data, cut);
        assert_int_not_equal(walk_all(w, span_from(copy, cut), NULL), 0);
        free(copy);
        char changed[128];
        memcpy(changed, body.data, body.len);
        for (int i = 0; i < 64; i++) {
            changed[cut] = (char)(random_next(&seed) >> 56);
            (void)walk_all(w, span_from(changed, body.len), NULL);
        }
    }
    json_walk_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(right_texts_give_their_items),
        cmocka_unit_test(wrong_texts_are_refused_by_name),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(halves_of_pairs_are_given_on_where_asked),
        cmocka_unit_test(many_keys_are_all_told_apart),
        cmocka_unit_test(paths_and_skips),
        cmocka_unit_test(long_paths_are_clipped),
        cmocka_unit_test(peeking_finds_members_ahead),
        cmocka_unit_test(opaque_objects_choose_their_keys),
        cmocka_unit_test(twins_are_found_at_every_place),
        cmocka_unit_test(escaping_and_reading_give_the_text_back),
        cmocka_unit_test(raw_offsets_know_escapes),
        cmocka_unit_test(damaged_texts_never_get_past),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
