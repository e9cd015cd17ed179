/* What messages are made of, in requests, answers and events alike. */
#include "dialect/openai.h"

#include "json/unescape.h"

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

/*
 * Arguments are JSON within a string. They are judged as they stand; and where they hold escapes of
 * their own, which could hide a word, once more without them: all their keys and strings in one
 * text. In events the pieces are cut anywhere: there the scanner undoes the escapes over them, with
 * json/unescape.h too.
 */
static int give_arguments(struct openai_reader *r, uint32_t part)
{
    if (r->item.token != JSON_STRING)
        return openai_fixed(r);
    /* Whole calls follow each other in one channel: there may be very many of them. */
    bool join = !r->stream && r->joined[FIELD_ARGUMENTS];
    r->joined[FIELD_ARGUMENTS] = true;
    int rc = openai_give(r, FIELD_ARGUMENTS, r->stream ? part : 0, join, false);
    struct span s = r->item.text;
    if (rc != 0 || r->stream || s.len == 0 || !memchr(s.data, '\\', s.len))
        return rc;
    struct json_unescape u = JSON_UNESCAPE_INIT;
    buf_clear(&r->second);
    rc = json_unescape_feed(&u, s, &r->second);
    if (rc == 0)
        rc = json_unescape_finish(&u, &r->second);
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
        .turn = r->turn,
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
    if (!openai_index(r, r->stream ? OPENAI_PARTS_MAX - 1 : UINT32_MAX - 1, *next, &index))
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
    int rc = r->request ? 0 : element_begin(r, &r->elements);
    return rc != 0 ? rc : openai_object(r, members, COUNT(members));
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
