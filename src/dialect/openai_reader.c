#include "dialect/openai.h"

#include "base/utf8.h"
#include "dialect/words.h"

#include <errno.h>

/* Keys that are read for what they mean: none may be imitated. */
static const char *const known_keys[] = {
    "arguments",
    "audio",
    "base_resp",
    "best_of",
    "bytes",
    "choices",
    "code",
    "content",
    "content_filter",
    "content_filter_offsets",
    "content_filter_results",
    "created",
    "custom",
    "data",
    "delta",
    "encrypted_content",
    "error",
    "error_code",
    "file",
    "file_data",
    "file_id",
    "finish_reason",
    "flag",
    "function",
    "function_call",
    "id",
    "image_url",
    "include_usage",
    "index",
    "input",
    "input_audio",
    "input_sensitive",
    "logprobs",
    "message",
    "messages",
    "model",
    "moderation",
    "moderation_hit_type",
    "n",
    "name",
    "obfuscation",
    "object",
    "output_sensitive",
    "prediction",
    "prompt",
    "prompt_filter_results",
    "reasoning",
    "reasoning_content",
    "reasoning_details",
    "refusal",
    "response_format",
    "role",
    "safety_identifier",
    "stream",
    "stream_options",
    "suffix",
    "summary",
    "system_fingerprint",
    "text",
    "token",
    "tokens",
    "tool_calls",
    "top_logprobs",
    "transcript",
    "type",
    "url",
    "usage",
    "user",
    "video_url",
    NULL,
};

static int keep_path(struct openai_reader *r)
{
    struct span path = json_walk_where(r->w);
    r->error->path = SPAN_NULL;
    if (r->stream) {
        size_t len = path.len < sizeof(r->stream->path) ? path.len : sizeof(r->stream->path);
        memcpy(r->stream->path, path.data, len);
        r->error->path = span_from(r->stream->path, len);
    } else if (r->arena) {
        r->error->path = arena_copy(r->arena, path);
        if (!r->error->path.data) {
            r->error->path = SPAN_NULL;
            return -ENOMEM;
        }
    }
    return 0;
}

int openai_fail(struct openai_reader *r, const char *code, const char *message)
{
    *r->error =
        (struct dialect_error){.code = code, .message = message, .offset = json_walk_offset(r->w)};
    return keep_path(r) < 0 ? -ENOMEM : -EINVAL;
}

int openai_bad(struct openai_reader *r, const char *message)
{
    return openai_fail(r, r->request ? "bad_request" : "bad_response", message);
}

int openai_next(struct openai_reader *r)
{
    int rc = json_walk_next(r->w, &r->item);
    if (rc == 0)
        return 0;
    enum json_error json = (enum json_error)rc;
    rc = openai_fail(r, json_error_code(json), "The body is not acceptable JSON.");
    r->error->json = json;
    return json == JSON_MEMORY ? -ENOMEM : rc;
}

void openai_reader_deinit(struct openai_reader *r)
{
    buf_deinit(&r->second);
    buf_deinit(&r->tokens);
    buf_deinit(&r->spelt);
    buf_deinit(&r->token);
    buf_deinit(&r->bytes);
}

static int read_root(struct openai_reader *r, const struct openai_member *members, size_t count)
{
    /* What is copied of a body for judging is never longer than the body. */
    size_t ceiling = r->body.len + 16;
    buf_init(&r->second, ceiling);
    buf_init(&r->tokens, ceiling);
    buf_init(&r->spelt, ceiling);
    buf_init(&r->token, ceiling);
    buf_init(&r->bytes, ceiling);
    r->maskable = true;
    *r->error = (struct dialect_error){0};
    /* A model that stops within an emoji sends half a pair; no client does. */
    if (json_walk_tune(r->w, known_keys, r->request == NULL) < 0) {
        *r->error = (struct dialect_error){
            .json = JSON_MEMORY, .code = json_error_code(JSON_MEMORY), .message = "Out of memory."};
        return -ENOMEM;
    }
    json_walk_reset(r->w, r->body);
    int rc = openai_next(r);
    if (rc != 0)
        return rc;
    if (r->item.token != JSON_OBJECT)
        return openai_bad(r, "The body must be a JSON object.");
    rc = openai_object(r, members, count);
    return rc != 0 ? rc : openai_next(r); /* nothing may follow */
}

int openai_read_root(struct openai_reader *r, const struct openai_member *members, size_t count)
{
    int rc = read_root(r, members, count);
    if (rc < 0 && !r->error->code)
        *r->error = (struct dialect_error){.code = json_error_code(JSON_MEMORY),
                                           .message = "Out of memory."};
    return rc;
}

/*
 * Reads a value as a table says. A table's function that expects a scalar may leave an object or
 * array as it is: then all within is text.
 */
static int read_value(struct openai_reader *r, int (*read)(struct openai_reader *r))
{
    int rc = read(r);
    if (rc == 0 && (r->item.token == JSON_OBJECT || r->item.token == JSON_ARRAY))
        rc = openai_opaque(r);
    return rc;
}

static bool is_word(const struct openai_reader *r, struct span key)
{
    return word_known(key) || (r->moderation && word_category(key));
}

int openai_object(struct openai_reader *r, const struct openai_member *members, size_t count)
{
    for (;;) {
        int rc = openai_next(r);
        if (rc != 0)
            return rc;
        if (r->item.token == JSON_OBJECT_END)
            return 0;
        const struct openai_member *known = NULL;
        for (size_t i = 0; i < count && !known; i++)
            if (span_eq(members[i].key, r->item.text))
                known = &members[i];
        if (!known && !is_word(r, r->item.text))
            rc = openai_give(r, FIELD_OTHER, 0, false, false);
        if (rc == 0)
            rc = openai_next(r);
        if (rc == 0)
            rc = read_value(r, known ? known->read : openai_opaque);
        if (rc != 0)
            return rc;
    }
}

int openai_array(struct openai_reader *r, int (*read)(struct openai_reader *r))
{
    for (;;) {
        int rc = openai_next(r);
        if (rc != 0)
            return rc;
        if (r->item.token == JSON_ARRAY_END)
            return 0;
        rc = read_value(r, read);
        if (rc != 0)
            return rc;
    }
}

int openai_give(struct openai_reader *r, enum field field, uint32_t part, bool join, bool maskable)
{
    if (r->item.text.len == 0)
        return 0;
    struct text_item item = {
        .text = r->item.text,
        .raw = r->item.raw,
        .path = json_walk_where(r->w),
        .role = r->role,
        .field = field,
        .choice = r->choice,
        .turn = r->turn,
        .part = part + r->part_base,
        .join = join,
        .maskable = maskable,
    };
    return r->fn(r->ctx, &item);
}

/* A string that stands for itself, or an image and the like within a data: address. */
static int give_other(struct openai_reader *r)
{
    struct span s = r->item.text;
    if (s.len > 5 && span_eq_nocase(span_slice(s, 0, 5), SPAN_LIT("data:")))
        return openai_media(r);
    return openai_give(r, FIELD_OTHER, 0, false, r->maskable);
}

int openai_opaque(struct openai_reader *r)
{
    if (r->item.token == JSON_STRING)
        return give_other(r);
    if (r->item.token != JSON_OBJECT && r->item.token != JSON_ARRAY)
        return 0;
    json_walk_opaque(r->w);
    unsigned depth = r->item.depth;
    for (;;) {
        int rc = openai_next(r);
        if (rc == 0 && r->item.token == JSON_KEY && !is_word(r, r->item.text))
            rc = openai_give(r, FIELD_OTHER, 0, false, false);
        else if (rc == 0 && r->item.token == JSON_STRING)
            rc = give_other(r);
        if (rc != 0)
            return rc;
        /* Only the container's own end comes back to its depth. */
        if (r->item.depth == depth)
            return 0;
    }
}

int openai_fixed(struct openai_reader *r)
{
    bool before = r->maskable;
    r->maskable = false;
    int rc = openai_opaque(r);
    r->maskable = before;
    return rc;
}

int openai_moderation(struct openai_reader *r)
{
    bool before = r->moderation;
    r->moderation = true;
    int rc = openai_opaque(r);
    r->moderation = before;
    return rc;
}

/* Letters that identifiers, media types and Base64 are made of. */
static bool is_ident_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || c == ':' || c == '/' || c == '+' || c == '=' || c == ';';
}

static bool is_ident(struct span s, size_t max)
{
    if (s.len > max)
        return false;
    for (size_t i = 0; i < s.len; i++)
        if (!is_ident_byte(s.data[i]))
            return false;
    return true;
}

static bool is_base64(struct span s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.data[i];
        if (!is_ident_byte(c) && c != '\n' && c != '\r')
            return false;
        if (c == ':' || c == '.' || c == ';')
            return false;
    }
    return true;
}

int openai_ident(struct openai_reader *r)
{
    if (r->item.token == JSON_STRING && is_ident(r->item.text, 256))
        return 0;
    return openai_fixed(r);
}

int openai_noise(struct openai_reader *r)
{
    if (r->item.token == JSON_STRING && is_base64(r->item.text))
        return 0;
    return openai_fixed(r);
}

int openai_constant(struct openai_reader *r)
{
    if (r->item.token == JSON_STRING && word_constant(r->item.text))
        return 0;
    return openai_fixed(r);
}

static int mark_media(struct openai_reader *r)
{
    if (r->event)
        r->event->media = true;
    if (!r->request || r->request->media)
        return 0;
    r->request->media = true;
    r->request->media_path = arena_copy(r->arena, json_walk_where(r->w));
    return r->request->media_path.data ? 0 : -ENOMEM;
}

int openai_media(struct openai_reader *r)
{
    if (r->item.token == JSON_NULL)
        return 0;
    int rc = mark_media(r);
    if (rc != 0 || r->item.token != JSON_STRING)
        return rc != 0 ? rc : openai_fixed(r);
    struct span s = r->item.text;
    size_t comma = span_find(s, SPAN_LIT(","));
    struct span head = span_slice(s, 0, comma);
    static const struct span mark = SPAN_LIT(";base64");
    bool data = s.len > 5 && span_eq_nocase(span_slice(s, 0, 5), SPAN_LIT("data:"));
    if (data && comma < s.len && is_ident(head, 128) && head.len >= mark.len &&
        span_eq_nocase(span_slice(head, head.len - mark.len, head.len), mark) &&
        is_base64(span_slice(s, comma + 1, s.len)))
        return 0;
    /* An address, or a claim to be Base64 that isn't: text. */
    return openai_give(r, FIELD_OTHER, 0, false, false);
}

int openai_base64(struct openai_reader *r)
{
    if (r->item.token == JSON_STRING && is_base64(r->item.text))
        return mark_media(r);
    return openai_media(r);
}

bool openai_number(struct span raw, uint64_t max, uint64_t *ret_value)
{
    unsigned long long value;
    if (!span_to_u64(raw, &value) || value > max)
        return false;
    *ret_value = value;
    return true;
}

bool openai_index(struct openai_reader *r, uint64_t max, uint64_t otherwise, uint64_t *ret_index)
{
    struct span raw = json_walk_peek(r->w, SPAN_LIT("index"));
    if (raw.len == 0 || span_eq(raw, SPAN_LIT("null"))) {
        *ret_index = otherwise;
        return otherwise <= max;
    }
    return openai_number(raw, max, ret_index);
}

int openai_text(struct openai_reader *r, enum field field, uint32_t part)
{
    if (r->item.token != JSON_STRING)
        return openai_opaque(r);
    /* In events each text continues its channel: nothing stands between. */
    bool join = !r->stream && r->joined[field];
    if (r->item.text.len > 0)
        r->joined[field] = true;
    return openai_give(r, field, part, join, true);
}
