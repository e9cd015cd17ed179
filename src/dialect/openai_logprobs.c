/* Logprobs spell the answer again, token by token, and show what else might have been said. */
#include "dialect/openai.h"

#include "base/utf8.h"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

/* Appends what of the bytes is UTF-8. */
static int append_text(struct buf *out, struct span bytes)
{
    int rc = 0;
    for (size_t at = 0; at < bytes.len && rc == 0;) {
        struct span rest = span_slice(bytes, at, bytes.len);
        size_t good = utf8_check(rest);
        rc = buf_append(out, span_slice(rest, 0, good));
        at += good + 1;
    }
    return rc;
}

/* Gives what the bytes spell where it isn't what the token says. Uses r->second. */
static int give_spelling(struct openai_reader *r, const struct buf *tokens, const struct buf *bytes)
{
    if (bytes->len == 0 || span_eq(buf_span(tokens), buf_span(bytes)))
        return 0;
    buf_clear(&r->second);
    int rc = append_text(&r->second, buf_span(bytes));
    if (rc < 0)
        return rc;
    r->item.text = buf_span(&r->second);
    if (span_eq(r->item.text, buf_span(tokens)))
        return 0;
    /* It has no string of its own in the body: it can be seen, not masked. */
    return openai_give(r, FIELD_OTHER, 0, false, false);
}

/* Gathers an array of byte values; anything else is judged as what it is. */
static int gather_bytes(struct openai_reader *r, struct buf *out)
{
    if (r->item.token != JSON_ARRAY)
        return openai_opaque(r);
    for (;;) {
        int rc = openai_next(r);
        if (rc != 0 || r->item.token == JSON_ARRAY_END)
            return rc;
        uint64_t value;
        if (r->item.token == JSON_NUMBER && openai_number(r->item.raw, 255, &value))
            rc = buf_append_char(out, (char)value);
        else
            rc = openai_opaque(r);
        if (rc != 0)
            return rc;
    }
}

static int read_alternative_token(struct openai_reader *r)
{
    if (r->item.token != JSON_STRING)
        return openai_opaque(r);
    int rc = buf_append(&r->token, r->item.text);
    return rc < 0 ? rc : openai_give(r, FIELD_OTHER, 0, false, false);
}

static int read_alternative_bytes(struct openai_reader *r)
{
    return gather_bytes(r, &r->bytes);
}

static int read_alternative(struct openai_reader *r)
{
    static const struct openai_member members[] = {
        {SPAN_LIT("token"), read_alternative_token},
        {SPAN_LIT("bytes"), read_alternative_bytes},
    };
    if (r->item.token != JSON_OBJECT)
        return openai_opaque(r);
    buf_clear(&r->token);
    buf_clear(&r->bytes);
    int rc = openai_object(r, members, COUNT(members));
    return rc != 0 ? rc : give_spelling(r, &r->token, &r->bytes);
}

static int read_alternatives(struct openai_reader *r)
{
    return r->item.token == JSON_ARRAY ? openai_array(r, read_alternative) : openai_opaque(r);
}

static int read_token(struct openai_reader *r)
{
    if (r->item.token != JSON_STRING)
        return openai_opaque(r);
    int rc = buf_append(&r->tokens, r->item.text);
    if (rc < 0)
        return rc;
    bool join = r->joined[FIELD_LOGPROBS];
    r->joined[FIELD_LOGPROBS] = true;
    return openai_give(r, FIELD_LOGPROBS, r->part, join, false);
}

static int read_bytes(struct openai_reader *r)
{
    return gather_bytes(r, &r->spelt);
}

/* A token's characters may be cut over several tokens' bytes, so they are read as one text. */
static int read_entry(struct openai_reader *r)
{
    static const struct openai_member members[] = {
        {SPAN_LIT("token"), read_token},
        {SPAN_LIT("bytes"), read_bytes},
        {SPAN_LIT("top_logprobs"), read_alternatives},
    };
    if (r->item.token != JSON_OBJECT)
        return openai_opaque(r);
    size_t tokens = r->tokens.len, spelt = r->spelt.len;
    int rc = openai_object(r, members, COUNT(members));
    if (rc == 0 && r->spelt.len == spelt)
        rc = buf_append(&r->spelt, span_slice(buf_span(&r->tokens), tokens, r->tokens.len));
    return rc;
}

static int read_list(struct openai_reader *r, uint32_t part, int (*read)(struct openai_reader *r))
{
    if (r->item.token != JSON_ARRAY)
        return openai_opaque(r);
    r->part = part;
    r->joined[FIELD_LOGPROBS] = false;
    buf_clear(&r->tokens);
    buf_clear(&r->spelt);
    int rc = openai_array(r, read);
    return rc != 0 ? rc : give_spelling(r, &r->tokens, &r->spelt);
}

static int read_content(struct openai_reader *r)
{
    return read_list(r, 0, read_entry);
}

static int read_refusal(struct openai_reader *r)
{
    return read_list(r, PART_LOGPROBS_REFUSAL, read_entry);
}

/* Completions: strings alone. */
static int read_tokens(struct openai_reader *r)
{
    return read_list(r, PART_LOGPROBS_TOKENS, read_token);
}

int openai_logprobs(struct openai_reader *r)
{
    static const struct openai_member members[] = {
        {SPAN_LIT("content"), read_content},
        {SPAN_LIT("refusal"), read_refusal},
        {SPAN_LIT("tokens"), read_tokens},
    };
    if (r->item.token != JSON_OBJECT)
        return openai_opaque(r);
    return openai_object(r, members, COUNT(members));
}
