#include "demo/plan.h"

#include "base/codec.h"
#include "demo/shape.h"

#include <errno.h>
#include <stdlib.h>

#define PLAN_BYTES_MAX ((size_t)512 << 20)

enum fault {
    FAULT_NONE,
    FAULT_TRUNCATE,
    FAULT_STALL,
    FAULT_SILENT,
    FAULT_TYPE,
    FAULT_GZIP,
    FAULT_NO_DONE,
    FAULT_NO_FINISH,
    FAULT_ERROR_EVENT,
};

static const struct {
    struct span name;
    enum fault fault;
} faults[] = {
    {SPAN_LIT("truncate"), FAULT_TRUNCATE},
    {SPAN_LIT("reset"), FAULT_TRUNCATE},
    {SPAN_LIT("stall"), FAULT_STALL},
    {SPAN_LIT("silent"), FAULT_SILENT},
    {SPAN_LIT("type"), FAULT_TYPE},
    {SPAN_LIT("gzip"), FAULT_GZIP},
    {SPAN_LIT("no_done"), FAULT_NO_DONE},
    {SPAN_LIT("no_finish"), FAULT_NO_FINISH},
    {SPAN_LIT("error_event"), FAULT_ERROR_EVENT},
};

/* The script's fields that concern the whole answer. */
struct settings {
    enum fault fault;
    int64_t after; /* events before the fault; -1: half of them */
    int64_t delay_ms, first_delay_ms, chunk, split_bytes;
    bool done, cumulative;
};

void plan_deinit(struct plan *p)
{
    buf_deinit(&p->content_type);
    buf_deinit(&p->bytes);
    for (size_t i = 0; i < p->header_count; i++) {
        buf_deinit(&p->headers[i].name);
        buf_deinit(&p->headers[i].value);
    }
    p->header_count = 0;
    free(p->pieces);
    p->pieces = NULL;
}

static void keep(struct plan *p, int rc)
{
    if (p->error == 0 && rc < 0)
        p->error = rc;
}

static void append(struct plan *p, struct span s)
{
    if (p->error == 0)
        keep(p, buf_append(&p->bytes, s));
}

/* What was appended since the last piece becomes one. */
static void close_piece(struct plan *p, unsigned delay_ms)
{
    size_t from = p->piece_count ? p->pieces[p->piece_count - 1].end : 0;
    if (p->error < 0 || p->bytes.len == from)
        return;
    if (p->piece_count == p->piece_room) {
        size_t room = p->piece_room ? 2 * p->piece_room : 64;
        struct plan_piece *pieces = reallocarray(p->pieces, room, sizeof(*pieces));
        if (!pieces) {
            p->error = -ENOMEM;
            return;
        }
        p->pieces = pieces;
        p->piece_room = room;
    }
    p->pieces[p->piece_count++] = (struct plan_piece){p->bytes.len, delay_ms};
}

static void event(struct plan *p, struct span payload, unsigned delay_ms)
{
    append(p, SPAN_LIT("data: "));
    append(p, payload);
    append(p, SPAN_LIT("\n\n"));
    close_piece(p, delay_ms);
}

static void content_type(struct plan *p, struct span type)
{
    buf_clear(&p->content_type);
    keep(p, buf_append(&p->content_type, type));
}

static int take_fault(struct settings *s, const struct json_value *script)
{
    struct span name;
    s->after = -1;
    value_get_integer(value_get(script, SPAN_LIT("after")), &s->after);
    if (!value_get_string(value_get(script, SPAN_LIT("fault")), &name))
        return 0;
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        if (span_eq(name, faults[i].name)) {
            s->fault = faults[i].fault;
            return 0;
        }
    }
    return -EINVAL;
}

static int take_settings(struct settings *s, const struct json_value *script, struct plan_pace pace)
{
    *s = (struct settings){.chunk = pace.chunk, .delay_ms = pace.delay_ms, .done = true};
    value_get_integer(value_get(script, SPAN_LIT("chunk")), &s->chunk);
    value_get_integer(value_get(script, SPAN_LIT("delay_ms")), &s->delay_ms);
    s->first_delay_ms = s->delay_ms;
    value_get_integer(value_get(script, SPAN_LIT("first_delay_ms")), &s->first_delay_ms);
    value_get_integer(value_get(script, SPAN_LIT("split_bytes")), &s->split_bytes);
    value_get_boolean(value_get(script, SPAN_LIT("done")), &s->done);
    value_get_boolean(value_get(script, SPAN_LIT("cumulative")), &s->cumulative);
    if (s->chunk < 0 || s->chunk > 1000000 || s->delay_ms < 0 || s->delay_ms > 600000 ||
        s->first_delay_ms < 0 || s->first_delay_ms > 600000 || s->split_bytes < 0 ||
        s->split_bytes > 1 << 30)
        return -EINVAL;
    return take_fault(s, script);
}

/* Unchecked on purpose: a test may want a malformed one. */
static int add_header(struct plan *p, struct span name, struct span value)
{
    if (p->header_count == sizeof(p->headers) / sizeof(p->headers[0]))
        return -EINVAL;
    struct plan_header *h = &p->headers[p->header_count++];
    *h = (struct plan_header){BUF_INIT(1024), BUF_INIT(1024)};
    int rc = buf_append(&h->name, name);
    return rc < 0 ? rc : buf_append(&h->value, value);
}

static int take_header(void *ctx, struct span key, const struct json_value *value)
{
    struct span text;
    return value_get_string(value, &text) ? add_header(ctx, key, text) : -EINVAL;
}

/* Makes the steps of all choices. */
static int make_deltas(struct delta_list *l, const struct ask *a, const struct json_value *script,
                       unsigned chunk)
{
    const struct json_value *choices = value_get(script, SPAN_LIT("choices"));
    unsigned count = value_count(choices) ? (unsigned)value_count(choices) : a->choices;
    for (unsigned c = 0; c < count; c++) {
        int rc = delta_list_add(l, c, value_count(choices) ? value_at(choices, c) : script, chunk);
        if (rc < 0)
            return rc;
    }
    return delta_list_interleave(l, count);
}

static void render_stream(struct plan *p, const struct shape *shape, const struct delta_list *l,
                          const struct settings *s)
{
    struct buf payload = BUF_INIT(PLAN_BYTES_MAX);
    for (size_t i = 0; i < l->count && p->error == 0; i++) {
        if (s->fault == FAULT_NO_FINISH && l->items[i].kind == DELTA_FINISH)
            continue;
        buf_clear(&payload);
        keep(p, shape_event(shape, l, i, &payload));
        event(p, buf_span(&payload), (unsigned)(i ? s->delay_ms : s->first_delay_ms));
    }
    if (shape->ask->include_usage) {
        buf_clear(&payload);
        keep(p, shape_usage_event(shape, l, &payload));
        event(p, buf_span(&payload), 0);
    }
    if (s->done && s->fault != FAULT_NO_DONE)
        event(p, SPAN_LIT("[DONE]"), 0);
    buf_deinit(&payload);
}

/* `events`: payloads exactly as told; the script closes its stream itself. */
static void render_events(struct plan *p, const struct json_value *events, const struct settings *s)
{
    for (size_t i = 0; i < value_count(events); i++) {
        struct span payload;
        if (!value_get_string(value_at(events, i), &payload)) {
            keep(p, -EINVAL);
            return;
        }
        event(p, payload, (unsigned)(i ? s->delay_ms : s->first_delay_ms));
    }
}

static void render_error(struct plan *p)
{
    content_type(p, SPAN_LIT("application/json"));
    if (p->error == 0)
        keep(p, buf_printf(&p->bytes,
                           "{\"error\":{\"message\":\"The demo was told to answer %d.\","
                           "\"type\":\"server_error\",\"param\":null,\"code\":\"demo_error\"}}",
                           p->status));
    close_piece(p, 0);
}

/* Gives the body that the script asks for, before any fault. */
static void render_body(struct plan *p, const struct ask *a, const struct json_value *script,
                        const struct settings *s, uint64_t serial, uint64_t now)
{
    struct span text;
    if (value_get_string(value_get(script, SPAN_LIT("raw")), &text)) {
        if (p->error == 0)
            keep(p, codec_unbase64(&p->bytes, text));
        close_piece(p, (unsigned)s->first_delay_ms);
        return;
    }
    if (value_get_string(value_get(script, SPAN_LIT("body")), &text)) {
        content_type(p, SPAN_LIT("application/json"));
        append(p, text);
        close_piece(p, (unsigned)s->first_delay_ms);
        return;
    }
    if (value_is_array(value_get(script, SPAN_LIT("events")))) {
        content_type(p, SPAN_LIT("text/event-stream; charset=utf-8"));
        render_events(p, value_get(script, SPAN_LIT("events")), s);
        return;
    }
    if (p->status != 200) {
        render_error(p);
        return;
    }
    struct shape shape = {
        .ask = a,
        .model = buf_span(&a->model),
        .serial = serial,
        .now = now,
        .logprobs = a->logprobs,
        .cumulative = s->cumulative,
    };
    struct delta_list l = {0};
    value_get_string(value_get(script, SPAN_LIT("model")), &shape.model);
    keep(p, make_deltas(&l, a, script, (unsigned)s->chunk));
    if (p->error == 0 && a->stream) {
        render_stream(p, &shape, &l, s);
    } else if (p->error == 0) {
        keep(p, shape_whole(&shape, &l, &p->bytes));
        close_piece(p, (unsigned)s->first_delay_ms);
    }
    delta_list_deinit(&l);
}

/* Cuts the plan behind its first `count` pieces. */
static void keep_pieces(struct plan *p, size_t count)
{
    if (count >= p->piece_count)
        return;
    p->piece_count = count;
    p->bytes.len = count ? p->pieces[count - 1].end : 0;
}

/* CRC-32 of ISO 3309, as RFC 1952 section 8 has it, bit by bit: a demo need not be fast. */
static uint32_t crc32_of(struct span s)
{
    uint32_t crc = 0xFFFFFFFFu;
    for (size_t i = 0; i < s.len; i++) {
        crc ^= (unsigned char)s.data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320u : 0);
    }
    return ~crc;
}

static void append_le(struct plan *p, uint32_t value, int bytes)
{
    for (int i = 0; i < bytes; i++) {
        char c = (char)(value >> 8 * i);
        append(p, span_from(&c, 1));
    }
}

/* Wraps the whole body as gzip of stored blocks (RFC 1951 section 3.2.4), unasked. */
static void wrap_gzip(struct plan *p)
{
    struct buf plain = p->bytes;
    p->bytes = BUF_INIT(PLAN_BYTES_MAX);
    p->piece_count = 0;
    append(p, SPAN_LIT("\x1f\x8b\x08\0\0\0\0\0\0\xff"));
    size_t at = 0;
    do {
        size_t n = plain.len - at < 65535 ? plain.len - at : 65535;
        append_le(p, at + n == plain.len, 1);
        append_le(p, (uint32_t)n, 2);
        append_le(p, ~(uint32_t)n, 2);
        append(p, span_from(plain.data + at, n));
        at += n;
    } while (at < plain.len);
    append_le(p, crc32_of(buf_span(&plain)), 4);
    append_le(p, (uint32_t)plain.len, 4);
    close_piece(p, 0);
    keep(p, add_header(p, SPAN_LIT("Content-Encoding"), SPAN_LIT("gzip")));
    buf_deinit(&plain);
}

static void apply_fault(struct plan *p, const struct settings *s)
{
    size_t after = s->after >= 0 ? (size_t)s->after : p->piece_count / 2;
    switch (s->fault) {
    case FAULT_NONE:
    case FAULT_NO_DONE:
    case FAULT_NO_FINISH:
        break;
    case FAULT_TRUNCATE:
        keep_pieces(p, after);
        p->end = PLAN_ABORT;
        break;
    case FAULT_STALL:
        keep_pieces(p, after);
        p->end = PLAN_STALL;
        break;
    case FAULT_SILENT:
        p->end = PLAN_SILENT;
        break;
    case FAULT_TYPE:
        content_type(p, SPAN_LIT("text/html"));
        keep_pieces(p, 0);
        append(p, SPAN_LIT("<html><body>Wrong door.</body></html>"));
        close_piece(p, 0);
        break;
    case FAULT_GZIP:
        if (p->error == 0)
            wrap_gzip(p);
        break;
    case FAULT_ERROR_EVENT:
        keep_pieces(p, after);
        event(p,
              SPAN_LIT("{\"error\":{\"message\":\"The demo was told to fail.\","
                       "\"type\":\"server_error\",\"param\":null,\"code\":\"demo_error\"}}"),
              0);
        break;
    }
}

/* Cuts every piece into writes of at most `bytes`; the delay stays before the first of each. */
static void split_pieces(struct plan *p, size_t bytes)
{
    struct plan_piece *old = p->pieces;
    size_t count = p->piece_count, total = p->bytes.len, from = 0;
    p->pieces = NULL;
    p->piece_count = p->piece_room = 0;
    for (size_t i = 0; i < count; i++) {
        for (size_t at = from; at < old[i].end && p->error == 0; at += bytes) {
            p->bytes.len = old[i].end - at < bytes ? old[i].end : at + bytes;
            close_piece(p, at == from ? old[i].delay_ms : 0);
        }
        from = old[i].end;
    }
    p->bytes.len = total;
    free(old);
}

int plan_render(struct plan *ret_plan, const struct ask *a, const struct json_value *script,
                struct plan_pace pace, uint64_t serial, uint64_t now)
{
    struct plan *p = ret_plan;
    struct settings s;
    int64_t status = 200;
    struct span type;
    *p = (struct plan){
        .bytes = BUF_INIT(PLAN_BYTES_MAX),
        .content_type = BUF_INIT(1024),
    };
    value_get_integer(value_get(script, SPAN_LIT("status")), &status);
    if (status < 200 || status > 599)
        return p->error = -EINVAL;
    p->status = (int)status;
    keep(p, take_settings(&s, script, pace));
    content_type(p, a->stream ? SPAN_LIT("text/event-stream; charset=utf-8")
                              : SPAN_LIT("application/json"));
    keep(p, value_each(value_get(script, SPAN_LIT("headers")), take_header, p));
    if (p->error == 0)
        render_body(p, a, script, &s, serial, now);
    if (p->error == 0)
        apply_fault(p, &s);
    if (value_get_string(value_get(script, SPAN_LIT("content_type")), &type))
        content_type(p, type);
    p->whole = p->end == PLAN_COMPLETE && p->piece_count <= 1 && s.split_bytes == 0 &&
               !span_starts(buf_span(&p->content_type), SPAN_LIT("text/event-stream"));
    if (p->error == 0 && s.split_bytes)
        split_pieces(p, (size_t)s.split_bytes);
    return p->error;
}
