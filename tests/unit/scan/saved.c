/* What is told for explaining: hits that an allow phrase saved, and what a derived text reads. */
#include "fixture.h"

#define SAVED_MAX 16

struct notes {
    struct saved saved[SAVED_MAX];
    char texts[SAVED_MAX][64]; /* of the phrase, as it reads */
    size_t count;
};

static void copy(char *to, struct span text)
{
    assert_true(text.len < 64);
    memcpy(to, text.data, text.len);
    to[text.len] = '\0';
}

static void note(void *ctx, const struct channel *c, const struct saved *saved)
{
    struct notes *n = ctx;
    const struct derived_part *part = c->derived;
    assert_true(n->count < SAVED_MAX);
    copy(n->texts[n->count], part ? span_slice(part->text, part->from, part->to)
                                  : channel_text(c, saved->from, saved->to));
    n->saved[n->count++] = *saved;
}

static void judge(const char *const *items, enum field field, struct watcher *w, struct notes *n)
{
    struct scanner *s = new_scanner(w, true);
    scanner_tell_saved(s, note, n);
    for (size_t i = 0; items[i]; i++) {
        struct piece p;
        struct text_item item = {.text = span_str(items[i]), .field = field, .join = i > 0};
        assert_int_equal(scanner_feed(s, &item, &p), 0);
    }
    assert_int_equal(scanner_finish(s, -1), 0);
    scanner_free(s);
}

static void check(const struct notes *n, size_t i, uint64_t start, uint64_t end, uint64_t from,
                  uint64_t to, const char *text)
{
    assert_true(i < n->count);
    assert_int_equal(n->saved[i].hit.start, start);
    assert_int_equal(n->saved[i].hit.end, end);
    assert_int_equal(n->saved[i].hit.rule, 4);
    assert_int_equal(n->saved[i].from, from);
    assert_int_equal(n->saved[i].to, to);
    assert_string_equal(n->texts[i], text);
}

static void saved_hits_are_told(void **state)
{
    static const enum field fields[] = {FIELD_CONTENT, FIELD_OTHER};
    for (size_t f = 0; f < 2; f++) {
        const char *const items[] = {"惹大-麻烦了，大麻", "也是大麻烦", NULL};
        struct watcher w = {0};
        struct notes n = {0};
        judge(items, fields[f], &w, &n);
        assert_int_equal(w.count, 1);
        assert_int_equal(w.hits[0].hit.start, 19);
        assert_int_equal(n.count, 2);
        check(&n, 0, 3, 10, 3, 13, "大-麻烦");
        assert_int_equal(n.saved[0].hit.layers, LAYER_SEPARATOR);
        /* Strings of unknown fields are texts of their own. */
        uint64_t base = fields[f] == FIELD_CONTENT ? 25 : 0;
        check(&n, 1, base + 6, base + 12, base + 6, base + 15, "大麻烦");
    }
}

static void saved_hits_behind_encodings_are_told_once(void **state)
{
    /* 大麻烦 plain, then in base64, then half of it as an HTML character reference. */
    const char *const items[] = {"大麻烦 5aSn6bq754Om 大&#40635;烦", NULL};
    struct watcher w = {0};
    struct notes n = {0};
    judge(items, FIELD_CONTENT, &w, &n);
    assert_int_equal(w.count, 0);
    assert_int_equal(n.count, 3);
    check(&n, 0, 0, 6, 0, 9, "大麻烦");
    check(&n, 1, 10, 18, 10, 22, "大麻烦");
    assert_int_equal(n.saved[1].hit.layers, LAYER_BASE64);
    check(&n, 2, 23, 34, 23, 37, "大麻烦");
    assert_int_equal(n.saved[2].hit.layers, LAYER_ENTITY);
}

static char read_as[64];

static void note_derived(struct watcher *w, struct channel *c, const struct hit *hit)
{
    const struct derived_part *part = c->derived;
    copy(read_as, part ? span_slice(part->text, part->start, part->end) : SPAN_LIT("plain"));
}

static void a_hit_tells_how_it_reads(void **state)
{
    static const char *const texts[][2] = {
        {"大麻", "plain"},
        {"买5aSn6bq7吗", "大麻"},
        {"大%E9%BA%BB", "大麻"},
        {"\\u5927-\\u9ebb", "大-麻"},
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        const char *const items[] = {texts[i][0], NULL};
        struct watcher w = {.check = note_derived};
        struct notes n = {0};
        judge(items, FIELD_CONTENT, &w, &n);
        assert_int_equal(w.count, 1);
        assert_string_equal(read_as, texts[i][1]);
        assert_int_equal(n.count, 0);
    }
}

static void streams_tell_nothing(void **state)
{
    struct watcher w = {0};
    struct notes n = {0};
    struct scanner *s = new_scanner(&w, false);
    scanner_tell_saved(s, note, &n);
    assert_int_equal(feed(s, FIELD_CONTENT, 0, SPAN_LIT("大麻烦"), NULL), 0);
    assert_int_equal(feed(s, FIELD_OTHER, 0, SPAN_LIT("大麻烦"), NULL), 0);
    assert_int_equal(scanner_finish(s, -1), 0);
    assert_int_equal(w.count + n.count, 0);
    scanner_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(saved_hits_are_told),
        cmocka_unit_test(saved_hits_behind_encodings_are_told_once),
        cmocka_unit_test(a_hit_tells_how_it_reads),
        cmocka_unit_test(streams_tell_nothing),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
