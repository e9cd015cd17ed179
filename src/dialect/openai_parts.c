/* What messages are made of, in requests, answers and events alike. */
#include "dialect/openai.h"

#include "base/utf8.h"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

static int read_part_text(struct openai_reader *r)
{
    if (r->item.token != JSON_STRING && r->item.token != JSON_NULL)
        return openai_bad(r, "The text of a content part must be a string.");
    if (r->stream && r->joined[FIELD_CONTENT])
        return openai_bad(r, "An event must not hold two texts of one message.");
    if (r->stream && r->item.text.len > 0)
        r->joined[FIELD_CONTENT] = true;
    return openai_text(r, FIELD_CONTENT, 0);
}

static int read_url(struct openai_reader *r)
{
    static const struct openai_member members[] = {
        {SPAN_LIT("url"), openai_media},
        {SPAN_LIT("detail"), openai_constant},
    };
    if (r->item.token == JSON_OBJECT)
        return openai_object(r, members, COUNT(members));
    return openai_media(r);
}

static int read_input_audio(struct openai_reader *r)
{
    static const struct openai_member members[] = {
        {SPAN_LIT("data"), openai_base64},
        {SPAN_LIT("format"), openai_constant},
    };
    return r->item.token == JSON_OBJECT ? openai_object(r, members, COUNT(members))
                                        : openai_base64(r);
}

static int read_file(struct openai_reader *r)
{
    static const struct openai_member members[] = {
        {SPAN_LIT("file_data"), openai_base64},
        {SPAN_LIT("file_id"), openai_media}, /* a file that we can't see */
    };
    return r->item.token == JSON_OBJECT ? openai_object(r, members, COUNT(members))
                                        : openai_media(r);
}

static int read_part(struct openai_reader *r)
{
    static const struct openai_member members[] = {
        {SPAN_LIT("type"), openai_constant},         {SPAN_LIT("text"), read_part_text},
        {SPAN_LIT("refusal"), read_part_text},       {SPAN_LIT("image_url"), read_url},
        {SPAN_LIT("video_url"), read_url},           {SPAN_LIT("audio_url"), read_url},
        {SPAN_LIT("input_audio"), read_input_audio}, {SPAN_LIT("file"), read_file},
    };
    if (r->item.token != JSON_OBJECT)
        return openai_bad(r, "A content part must be an object.");
    return openai_object(r, members, COUNT(members));
}

int openai_content(struct openai_reader *r)
{
    switch (r->item.token) {
    case JSON_NULL:
        return 0;
    case JSON_STRING:
        return openai_text(r, FIELD_CONTENT, 0);
    case JSON_ARRAY:
        if (r->stream)
            r->joined[FIELD_CONTENT] = false;
        return openai_array(r, read_part);
    default:
        return openai_bad(r, "Content must be a string, a list of parts or null.");
    }
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* The unit of a \uXXXX at `at`, or -1. */
static int unit_at(struct span s, size_t at)
{
    if (s.len < at + 6 || s.data[at] != '\\' || s.data[at + 1] != 'u')
        return -1;
    int unit = 0;
    for (size_t i = at + 2; i < at + 6; i++) {
        int digit = hex_digit(s.data[i]);
        if (digit < 0)
            return -1;
        unit = unit << 4 | digit;
    }
    return unit;
}

/*
 * Undoes the escapes of a text that may or may not be JSON: what is no escape stays. So it also
 * shows what a half-written call, or one for a lenient parser, says.
 */
static int unescape(struct span s, struct buf *out)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    buf_clear(out);
    int rc = 0;
    for (size_t at = 0; at < s.len && rc == 0;) {
        const char *p = memchr(s.data + at, '\\', s.len - at);
        size_t end = p ? (size_t)(p - s.data) : s.len;
        rc = buf_append(out, span_slice(s, at, end));
        at = end;
        if (rc < 0 || at == s.len)
            break;
        int unit = unit_at(s, at);
        const char *plain = at + 1 < s.len && s.data[at + 1] ? strchr(from, s.data[at + 1]) : NULL;
        if (unit >= 0) {
            uint32_t cp = (uint32_t)unit;
            at += 6;
            int low = unit >= 0xD800 && unit <= 0xDBFF ? unit_at(s, at) : -1;
            if (low >= 0xDC00 && low <= 0xDFFF) {
                cp = 0x10000 + ((cp - 0xD800) << 10) + (uint32_t)(low - 0xDC00);
                at += 6;
            }
            char bytes[4];
            rc = buf_append(out, span_from(bytes, utf8_encode(cp, bytes)));
        } else {
            rc = buf_append_char(out, plain ? to[plain - from] : '\\');
            at += plain ? 2 : 1;
        }
    }
    return rc;
}

/*
 * Arguments are JSON within a string. They are judged as they stand; and where they hold escapes of
 * their own, which could hide a word, once more without them: all their keys and strings in one
 * text. In events the pieces are cut anywhere, and the scanner undoes escapes over them.
 */
static int give_arguments(struct openai_reader *r, uint32_t part)
{
    if (r->item.token != JSON_STRING)
        return openai_fixed(r);
    int rc = openai_give(r, FIELD_ARGUMENTS, part, false, false);
    struct span s = r->item.text;
    if (rc != 0 || r->stream || s.len == 0 || !memchr(s.data, '\\', s.len))
        return rc;
    rc = unescape(s, &r->second);
    if (rc < 0)
        return rc;
    char path[256 + 16];
    struct span where = json_walk_where(r->w), mark = SPAN_LIT("(decoded)");
    memcpy(path, where.data, where.len);
    memcpy(path + where.len, mark.data, mark.len);
    struct text_item item = {
        .text = buf_span(&r->second),
        .raw = r->item.raw,
        .path = span_from(path, where.len + mark.len),
        .role = r->role,
        .field = FIELD_OTHER,
        .choice = r->choice,
    };
    return r->fn(r->ctx, &item);
}

static int read_arguments(struct openai_reader *r)
{
    return give_arguments(r, r->part);
}

static int read_custom_input(struct openai_reader *r)
{
    return give_arguments(r, r->part + PART_CUSTOM);
}

static int read_function(struct openai_reader *r)
{
    static const struct openai_member members[] = {
        {SPAN_LIT("arguments"), read_arguments},
        {SPAN_LIT("name"), openai_fixed},
    };
    return r->item.token == JSON_OBJECT ? openai_object(r, members, COUNT(members))
                                        : openai_fixed(r);
}

static int read_custom(struct openai_reader *r)
{
    static const struct openai_member members[] = {
        {SPAN_LIT("input"), read_custom_input},
        {SPAN_LIT("name"), openai_fixed},
    };
    return r->item.token == JSON_OBJECT ? openai_object(r, members, COUNT(members))
                                        : openai_fixed(r);
}

static int read_index(struct openai_reader *r)
{
    return 0; /* was read ahead; anything but a number was refused then */
}

/* Numbers an element by its own index, which may come late, or by its place. */
static int element_begin(struct openai_reader *r, uint32_t *next)
{
    uint64_t index;
    if (!openai_index(r, PART_TOOL_MAX - 1, *next, &index))
        return openai_bad(r, "The index must be a small number.");
    /* Rising: no index comes twice. In answers and events a second text would hide behind it. */
    if (index < *next)
        return openai_bad(r, "An index comes twice or out of order.");
    r->part = (uint32_t)index;
    *next = r->part + 1;
    return 0;
}

static int read_tool_call(struct openai_reader *r)
{
    static const struct openai_member members[] = {
        {SPAN_LIT("index"), read_index},     {SPAN_LIT("id"), openai_ident},
        {SPAN_LIT("type"), openai_constant}, {SPAN_LIT("function"), read_function},
        {SPAN_LIT("custom"), read_custom},
    };
    if (r->item.token != JSON_OBJECT)
        return openai_bad(r, "A tool call must be an object.");
    if (r->request) {
        r->part = r->calls++ % PART_TOOL_MAX;
    } else {
        int rc = element_begin(r, &r->elements);
        if (rc != 0)
            return rc;
    }
    return openai_object(r, members, COUNT(members));
}

int openai_tool_calls(struct openai_reader *r)
{
    if (r->item.token == JSON_NULL)
        return 0;
    if (r->item.token != JSON_ARRAY)
        return openai_bad(r, "Tool calls must be a list.");
    r->elements = 0;
    return openai_array(r, read_tool_call);
}

int openai_function_call(struct openai_reader *r)
{
    r->part = PART_FUNCTION_CALL;
    return read_function(r);
}

int openai_reasoning_content(struct openai_reader *r)
{
    return openai_text(r, FIELD_REASONING, 0);
}

/* In events only: there each of these is a text of its own that goes on in the next event. */
static uint32_t stream_part(const struct openai_reader *r, uint32_t part)
{
    return r->stream ? part : 0;
}

int openai_reasoning(struct openai_reader *r)
{
    return openai_text(r, FIELD_REASONING, stream_part(r, PART_REASONING));
}

static int read_detail_text(struct openai_reader *r)
{
    return openai_text(r, FIELD_REASONING, stream_part(r, PART_REASONING_DETAILS + 2 * r->part));
}

static int read_detail_summary(struct openai_reader *r)
{
    return openai_text(r, FIELD_REASONING,
                       stream_part(r, PART_REASONING_DETAILS + 2 * r->part + 1));
}

static int read_detail(struct openai_reader *r)
{
    static const struct openai_member members[] = {
        {SPAN_LIT("index"), read_index},      {SPAN_LIT("type"), openai_constant},
        {SPAN_LIT("text"), read_detail_text}, {SPAN_LIT("summary"), read_detail_summary},
        {SPAN_LIT("id"), openai_ident},
    };
    if (r->item.token != JSON_OBJECT)
        return openai_opaque(r);
    int rc = element_begin(r, &r->elements);
    return rc != 0 ? rc : openai_object(r, members, COUNT(members));
}

int openai_reasoning_details(struct openai_reader *r)
{
    if (r->item.token != JSON_ARRAY)
        return openai_opaque(r);
    r->elements = 0;
    return openai_array(r, read_detail);
}

int openai_refusal(struct openai_reader *r)
{
    return openai_text(r, FIELD_REFUSAL, 0);
}

static int read_transcript(struct openai_reader *r)
{
    return openai_text(r, FIELD_AUDIO, 0);
}

/* In a request the id names an earlier answer's sound, which we can't hear. */
static int read_audio_id(struct openai_reader *r)
{
    return r->request ? openai_media(r) : openai_ident(r);
}

int openai_audio(struct openai_reader *r)
{
    static const struct openai_member members[] = {
        {SPAN_LIT("id"), read_audio_id},
        {SPAN_LIT("data"), openai_base64},
        {SPAN_LIT("transcript"), read_transcript},
        {SPAN_LIT("expires_at"), openai_opaque},
    };
    return r->item.token == JSON_OBJECT ? openai_object(r, members, COUNT(members))
                                        : openai_opaque(r);
}
