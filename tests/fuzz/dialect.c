/*
 * Requests, answers and events of the OpenAI dialects: no body breaks the readers, every text lies
 * where it says and in the message that it says, and masks, cuts and strips leave JSON of the same
 * structure. The first byte says
 * which reader.
 */
#include "dialect/dialect.h"
#include "dialect/splice.h"

#include <stdlib.h>

#define SPLICES 256

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool condition)
{
    if (!condition)
        abort();
}

struct change {
    struct span body;
    struct splice list[SPLICES];
    size_t count;
    bool cut;
    const struct dialect_turn *turns; /* on the second walk */
    size_t turn_count, turn;          /* the highest number on the first */
};

static int change_item(void *ctx, const struct text_item *item)
{
    struct change *c = ctx;
    expect(item->text.len > 0);
    expect(item->path.len <= 256 + 16);
    expect(item->role < ROLE_COUNT && item->field < FIELD_COUNT && item->choice < 32);
    c->turn = item->turn > c->turn ? item->turn : c->turn;
    if (!item->maskable)
        return 0;
    expect(item->raw.data >= c->body.data &&
           item->raw.data + item->raw.len <= c->body.data + c->body.len);
    expect(json_raw_offset(item->raw, item->text.len) == item->raw.len);
    size_t at = item->text.len / 2;
    while (at > 0 && ((unsigned char)item->text.data[at] & 0xC0) == 0x80)
        at--;
    int rc = c->cut ? splice_cut(c->body, item, at, c->list, SPLICES, &c->count)
                    : splice_mask(c->body, item, at, item->text.len, c->list, SPLICES, &c->count);
    expect(rc == 0 || c->count > SPLICES - 64 || item->text.len > 64 * 256);
    return 0;
}

static void same_structure(struct span x, struct span y)
{
    struct json_walk *a = json_walk_new(NULL, NULL), *b = json_walk_new(NULL, NULL);
    expect(a && b);
    expect(json_walk_tune(a, NULL, true) == 0 && json_walk_tune(b, NULL, true) == 0);
    json_walk_reset(a, x);
    json_walk_reset(b, y);
    struct json_item i, j;
    do {
        expect(json_walk_next(a, &i) == 0);
        expect(json_walk_next(b, &j) == 0);
        expect(i.token == j.token);
    } while (i.token != JSON_END);
    json_walk_free(a);
    json_walk_free(b);
}

static int ignore_item(void *ctx, const struct text_item *item)
{
    return 0;
}

static int find_item(void *ctx, const struct text_item *item)
{
    const struct change *c = ctx;
    expect(item->turn <= c->turn_count);
    if (item->raw.len == 0)
        return 0;
    size_t at = (size_t)(item->raw.data - c->body.data);
    for (size_t i = 0; i < c->turn_count; i++) {
        bool within = at >= c->turns[i].from && at + item->raw.len <= c->turns[i].to;
        expect(within == (item->turn == i + 1));
    }
    return 0;
}

/* Every message is one value of the list: with a word in place of each the body is still JSON. */
static void check_turns(const struct dialect *d, struct json_walk *w, struct arena *arena,
                        struct change *c)
{
    struct buf turns = BUF_INIT(1 << 24), out = BUF_INIT(1 << 24);
    struct dialect_request request;
    struct dialect_error error;
    expect(d->read_turns(w, c->body, &turns) == 0);
    c->turns = (const struct dialect_turn *)(const void *)turns.data;
    c->turn_count = turns.len / sizeof(struct dialect_turn);
    expect(c->turn <= c->turn_count);
    if (c->turn_count <= SPLICES) {
        for (size_t i = 0; i < c->turn_count; i++) {
            expect(c->turns[i].role != ROLE_NONE);
            c->list[i] = (struct splice){c->turns[i].from, c->turns[i].to,
                                         SPAN_LIT("{\"role\":\"user\",\"content\":\"x\"}")};
        }
        expect(d->read_request(w, c->body, arena, &request, &error, find_item, c) == 0);
        expect(splice_apply(c->body, c->list, c->turn_count, &out) == 0);
        expect(d->read_request(w, buf_span(&out), arena, &request, &error, ignore_item, NULL) == 0);
    }
    buf_deinit(&turns);
    buf_deinit(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    const struct dialect *d = data[0] & 1 ? &dialect_openai_chat : &dialect_openai_completions;
    unsigned reader = data[0] >> 1 & 3;
    struct change c = {.body = span_from((const char *)data + 1, size - 1),
                       .cut = data[0] >> 3 & 1};
    struct json_walk *w = json_walk_new(NULL, NULL);
    expect(w != NULL);
    struct arena arena;
    arena_init(&arena, 1 << 20);
    struct dialect_error error = {0};
    struct dialect_request request;
    struct dialect_event event;
    struct dialect_stream *s = d->stream_new();
    expect(s != NULL);
    int rc = reader == 0   ? d->read_request(w, c.body, &arena, &request, &error, change_item, &c)
             : reader == 1 ? d->read_answer(w, c.body, &arena, &event, &error, change_item, &c)
                           : d->read_event(s, w, c.body, &event, &error, change_item, &c);
    if (rc != 0) {
        expect(rc < 0 && error.code && error.message);
    } else {
        struct buf out = BUF_INIT(1 << 24);
        if (c.count > 0) {
            expect(splice_apply(c.body, c.list, c.count, &out) == 0);
            same_structure(c.body, buf_span(&out));
        }
        c.count = 0;
        if (reader == 0 && d->read_turns)
            check_turns(d, w, &arena, &c);
        if (reader != 0 && event.kind != EVENT_DONE &&
            d->strip_event(w, c.body, c.cut, c.list, SPLICES, &c.count) == 0) {
            buf_clear(&out);
            expect(splice_apply(c.body, c.list, c.count, &out) == 0);
            struct dialect_event again;
            expect(d->read_answer(w, buf_span(&out), &arena, &again, &error, ignore_item, NULL) ==
                   0);
            expect(again.finished == (c.cut ? 0 : event.finished));
        }
        buf_clear(&out);
        struct dialect_refusal r = {.text = SPAN_LIT("x"), .request_id = SPAN_LIT("1")};
        expect(d->write_cut(s, &r, ~0u, &out) == 0);
        buf_deinit(&out);
    }
    d->stream_free(s);
    arena_deinit(&arena);
    json_walk_free(w);
    return 0;
}
