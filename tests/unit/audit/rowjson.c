/* A row as programs read it: every field on every line, nothing that a terminal would act on. */
#include "../unit.h"

#include "audit/rowjson.h"

#include <errno.h>
#include <string.h>

static struct entry_hit hit = {
    .direction = SPAN_LIT("prompt"),
    .role = SPAN_LIT("user"),
    .risk = SPAN_LIT("A1-a"),
    .rule = SPAN_LIT("A1-a/12345678"),
    .action = SPAN_LIT("block"),
    .layers = SPAN_LIT("case,separator"),
    .commit = SPAN_LIT("00ff"),
};

static struct query_hit hits[] = {{
    .entry = &hit,
    .has_text = true,
    .path = SPAN_LIT("messages[0].content"),
    .text = SPAN_LIT("secret word"),
    .context = SPAN_LIT("a secret word here"),
    .folded = SPAN_LIT("secretword"),
}};

static struct entry_hit kept_hit = {.direction = SPAN_LIT("completion"), .commit = SPAN_LIT("11")};
static struct query_hit kept[] = {
    {.entry = &kept_hit, .has_text = true, .text = SPAN_LIT("whole secret")}};
static struct entry_opinion opinions[] = {
    {.by = SPAN_LIT("guard"), .direction = SPAN_LIT("prompt"), .said = SPAN_LIT("safe"), .us = 12},
    {.by = SPAN_LIT("guard"), .failed = SPAN_LIT("timeout"), .times = 3},
};

static struct query_row full_row(void)
{
    return (struct query_row){
        .entry = {.seq = 7,
                  .time = 1764172800000000,
                  .kind = SPAN_LIT("act"),
                  .request_id = SPAN_LIT("r1"),
                  .app = SPAN_LIT("shop"),
                  .action = SPAN_LIT("block"),
                  .outcome = SPAN_LIT("cut"),
                  .held_us = 99,
                  .complete = ENTRY_FALSE,
                  .stream = ENTRY_TRUE},
        .last_seq = 9,
        .hits = hits,
        .hit_count = 1,
        .kept = kept,
        .kept_count = 1,
        .opinions = opinions,
        .opinion_count = 2,
        .main_hit = hits,
    };
}

static void write_row(const struct query_row *row, bool texts, struct buf *b)
{
    buf_clear(b);
    assert_int_equal(rowjson_write(row, texts, b), 0);
}

static bool has(const struct buf *b, const char *part)
{
    return span_find(buf_span(b), span_str(part)) < b->len;
}

/* The keys of the object itself, one after the other. */
static void keys_of(const struct buf *b, struct buf *out)
{
    int depth = 0;
    buf_clear(out);
    for (size_t i = 0; i < b->len; i++) {
        char c = b->data[i];
        if (c == '"') {
            size_t from = ++i;
            while (b->data[i] != '"')
                i += b->data[i] == '\\' ? 2 : 1;
            if (depth == 1 && b->data[i + 1] == ':') {
                assert_int_equal(buf_append(out, span_from(b->data + from, i - from)), 0);
                assert_int_equal(buf_append_char(out, ' '), 0);
            }
        }
        depth += (c == '{' || c == '[') - (c == '}' || c == ']');
    }
    assert_int_equal(depth, 0);
}

static void gives_every_field_always(void **state)
{
    struct buf b = BUF_INIT(1u << 16), full = BUF_INIT(1u << 16), empty = BUF_INIT(1u << 16);
    struct query_row row = full_row(), nothing = {.state = QUERY_DONE};
    write_row(&row, true, &b);
    keys_of(&b, &full);
    assert_true(has(&b, "\"seq\":7,\"time\":\""));
    assert_true(has(&b, "\"kind\":\"exchange\",\"request_id\":\"r1\""));
    assert_true(has(&b, "\"held_us\":99,"));
    assert_true(has(&b, "\"complete\":false"));
    assert_true(has(&b, "\"stream\":true"));
    assert_true(has(&b, "\"layers\":[\"case\",\"separator\"],\"old\":false"));
    assert_true(has(&b, "\"hits\":[{\"number\":1,\"action\":\"block\","));
    assert_true(has(&b, "\"kept\":[{\"direction\":\"completion\",\"text\":\"whole secret\","
                        "\"commitment\":\"11\"}]"));
    assert_true(
        has(&b, "\"opinions\":[{\"by\":\"guard\",\"direction\":\"prompt\",\"said\":\"safe\""));
    assert_true(has(&b, "\"failed\":\"timeout\",\"cached\":null,\"times\":3,\"us\":null}]}"));
    write_row(&nothing, true, &b);
    keys_of(&b, &empty);
    assert_span(buf_span(&empty), buf_span(&full));
    assert_true(has(&b, "\"app\":null") && has(&b, "\"held_us\":null") &&
                has(&b, "\"stream\":null") && has(&b, "\"rule\":null") && has(&b, "\"old\":null"));
    assert_false(has(&b, "damaged"));
    nothing.damaged = true;
    write_row(&nothing, true, &b);
    assert_true(has(&b, "\"damaged\":true"));
    nothing.entry.kind = SPAN_LIT("admin");
    write_row(&nothing, true, &b);
    assert_true(has(&b, "\"kind\":\"admin\""));
    buf_deinit(&b);
    buf_deinit(&full);
    buf_deinit(&empty);
}

static void keeps_texts_from_who_may_not_read(void **state)
{
    struct buf b = BUF_INIT(1u << 16);
    struct query_row row = full_row();
    write_row(&row, false, &b);
    assert_false(has(&b, "secret"));
    assert_false(has(&b, "messages"));
    assert_true(has(&b, "\"text\":null") && has(&b, "\"context\":null") &&
                has(&b, "\"folded\":null") && has(&b, "\"path\":null"));
    assert_true(has(&b, "\"rule\":\"A1-a/12345678\""));
    assert_true(has(&b, "\"commitment\":\"00ff\""));
    buf_deinit(&b);
}

static void tells_the_state(void **state)
{
    struct query_row row = full_row();
    assert_span(rowjson_state(&row), SPAN_LIT("cut"));
    row.state = QUERY_RUNNING;
    assert_span(rowjson_state(&row), SPAN_LIT("running"));
    row.state = QUERY_INTERRUPTED;
    assert_span(rowjson_state(&row), SPAN_LIT("interrupted"));
}

static void escapes_what_does_harm(void **state)
{
    static const struct {
        const char *text, *want;
    } all[] = {
        {"plain 你好", "\"plain 你好\""},
        {"\"quoted\\", "\"\\\"quoted\\\\\""},
        {"a\nb\x1b[31m\x7f", "\"a\\u000ab\\u001b[31m\\u007f\""},
        {"\xc2\x9b", "\"\\u009b\""},                        /* CSI in one character */
        {"a\xe2\x80\xae\x62", "\"a\\u202eb\""},             /* right to left from here */
        {"\xe2\x80\x8b\xef\xbb\xbf", "\"\\u200b\\ufeff\""}, /* nothing to be seen */
        {"\xf3\xa0\x81\x81", "\"\\udb40\\udc41\""},         /* a tag, beyond 16 bits */
        {"\xf0\x9f\x98\x80", "\"\xf0\x9f\x98\x80\""},
        {"a\xff\xc3", "\"a\\ufffd\\ufffd\""},
        {"\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\""}, /* half a pair */
        {"", "\"\""},
    };
    struct buf b = BUF_INIT(4096);
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        buf_clear(&b);
        rowjson_string(&b, span_str(all[i].text));
        assert_span(buf_span(&b), span_str(all[i].want));
    }
    buf_deinit(&b);
}

/* Wherever the room ends, nobody takes what there is for the whole. */
static void fails_when_there_is_no_room(void **state)
{
    struct buf whole = BUF_INIT(1u << 16);
    struct query_row row = full_row();
    write_row(&row, true, &whole);
    for (size_t room = 0; room < whole.len; room++) {
        struct buf b = BUF_INIT(room);
        assert_int_equal(rowjson_write(&row, true, &b), -ENOMEM);
        buf_deinit(&b);
    }
    struct buf b = BUF_INIT(whole.len);
    assert_int_equal(rowjson_write(&row, true, &b), 0);
    assert_span(buf_span(&b), buf_span(&whole));
    buf_deinit(&b);
    buf_deinit(&whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_every_field_always),
        cmocka_unit_test(keeps_texts_from_who_may_not_read),
        cmocka_unit_test(tells_the_state),
        cmocka_unit_test(escapes_what_does_harm),
        cmocka_unit_test(fails_when_there_is_no_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
