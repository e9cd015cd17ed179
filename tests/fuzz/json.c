/*
 * The lexer against jansson: what it accepts jansson accepts, and both decode the same strings and
 * keys in the same order. It is stricter only where it says so, and laxer in one thing: numbers
 * that are no 64-bit integer.
 */
#include "json/value.h"
#include "json/walk.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool condition)
{
    if (!condition)
        abort();
}

/* The lexer's next key or string. */
static struct span next_text(struct json_walk *w)
{
    struct json_item item;
    do {
        expect(json_walk_next(w, &item) == 0);
        expect(item.token != JSON_END);
    } while (item.token != JSON_KEY && item.token != JSON_STRING);
    return item.text;
}

struct frame {
    const struct json_value *value;
    size_t at;
};

struct nth {
    size_t at;
    struct span key;
    const struct json_value *value;
};

static int find_nth(void *ctx, struct span key, const struct json_value *value)
{
    struct nth *n = ctx;
    if (n->at-- > 0)
        return 0;
    n->key = key;
    n->value = value;
    return 1;
}

/* jansson's keys and strings in the order of the text. */
static void compare(struct json_walk *w, const struct json_value *root)
{
    struct frame stack[JSON_DEPTH_MAX + 1];
    size_t depth = 0;
    stack[depth++] = (struct frame){root, 0};
    while (depth > 0) {
        struct frame *f = &stack[depth - 1];
        struct span text;
        if (value_get_string(f->value, &text))
            expect(span_eq(next_text(w), text));
        const struct json_value *child = NULL;
        if (value_is_array(f->value))
            child = value_at(f->value, f->at);
        if (value_is_object(f->value)) {
            struct nth n = {.at = f->at};
            if (value_each(f->value, find_nth, &n)) {
                expect(span_eq(next_text(w), n.key));
                child = n.value;
            }
        }
        f->at++;
        if (!child) {
            depth--;
            continue;
        }
        expect(depth <= JSON_DEPTH_MAX);
        stack[depth++] = (struct frame){child, 0};
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const known[] = {"role", "content", "messages", NULL};
    struct span body = span_from((const char *)data, size);
    struct json_walk *w =
        json_walk_new(&(struct json_limits){.nodes = 2000, .lone_surrogates = size % 2}, known);
    if (!w)
        return 0;
    json_walk_reset(w, body);
    bool big = false; /* a number that jansson refuses */
    struct json_item item;
    int rc;
    do {
        rc = json_walk_next(w, &item);
        struct span path = json_walk_where(w);
        expect(path.len <= 256);
        if (rc != 0)
            break;
        expect(item.depth <= JSON_DEPTH_MAX);
        expect(item.raw.len == 0 ||
               (item.raw.data >= body.data && item.raw.data + item.raw.len <= body.data + size));
        if (item.token == JSON_OBJECT)
            (void)json_walk_peek(w, SPAN_LIT("role"));
        if (item.token == JSON_NUMBER)
            big = big || item.raw.len > 17;
        if (item.token == JSON_STRING || item.token == JSON_KEY) {
            expect(json_raw_offset(item.raw, item.text.len) == item.raw.len);
            /* What is written reads the same. */
            struct buf out = BUF_INIT(8 * size + 16);
            expect(buf_append_char(&out, '"') == 0 && json_escape(&out, item.text) == 0 &&
                   buf_append_char(&out, '"') == 0);
            char *room = malloc(out.len);
            expect(room != NULL);
            expect(span_eq(json_unquote(buf_span(&out), room, out.len), item.text));
            free(room);
            buf_deinit(&out);
        }
    } while (item.token != JSON_END);
    expect(json_walk_offset(w) <= size);
    if (rc == 0) {
        struct json_value *v = value_parse(body, NULL);
        /* jansson wants a pair for each half, and numbers that it can hold. */
        expect(v || big || size % 2);
        if (v) {
            json_walk_reset(w, body);
            compare(w, v);
        }
        value_free(v);
    }
    /* Skipping the whole checks the same as walking it. */
    json_walk_reset(w, body);
    int skipped = json_walk_next(w, &item);
    if (skipped == 0)
        skipped = json_walk_skip(w);
    if (skipped == 0)
        skipped = json_walk_next(w, &item);
    expect(skipped == rc);
    json_walk_free(w);
    return 0;
}
