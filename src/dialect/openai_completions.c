/* POST /v1/completions: one text to complete, or several. */
#include "dialect/openai.h"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

static int read_prompt_element(struct openai_reader *r)
{
    if (r->item.token == JSON_NUMBER || r->item.token == JSON_ARRAY)
        return openai_fail(r, "unjudgeable", "A prompt of token ids can't be judged: send text.");
    if (r->item.token != JSON_STRING)
        return openai_bad(r, "A prompt must be a string or a list of strings.");
    if (r->prompts == OPENAI_CHOICES_MAX)
        return openai_bad(r, "At most 32 answers can be asked for at once.");
    /* Each is completed on its own, so none continues the one before. */
    uint32_t part = r->prompts++;
    return openai_give(r, FIELD_CONTENT, part, false, true);
}

static int read_prompt(struct openai_reader *r)
{
    r->role = ROLE_USER;
    r->has_texts = true;
    int rc =
        r->item.token == JSON_ARRAY ? openai_array(r, read_prompt_element) : read_prompt_element(r);
    if (rc == 0 && r->prompts == 0)
        rc = openai_bad(r, "A prompt must be a string or a list of strings.");
    r->role = ROLE_NONE;
    return rc;
}

/* The text behind the gap that is to be filled. */
static int read_suffix(struct openai_reader *r)
{
    if (r->item.token != JSON_STRING && r->item.token != JSON_NULL)
        return openai_bad(r, "suffix must be a string.");
    r->role = ROLE_USER;
    r->request->infill = r->item.token == JSON_STRING && r->item.text.len > 0;
    int rc =
        r->item.token == JSON_STRING ? openai_give(r, FIELD_CONTENT, 0, r->has_texts, true) : 0;
    r->role = ROLE_NONE;
    return rc;
}

static int read_best_of(struct openai_reader *r)
{
    uint64_t n;
    if (r->item.token != JSON_NULL &&
        (r->item.token != JSON_NUMBER || !openai_number(r->item.raw, 1000, &n) || n == 0))
        return openai_bad(r, "best_of must be a whole number above 0.");
    return 0;
}

static int read_request(struct json_walk *w, struct span body, struct arena *arena,
                        struct dialect_request *ret, struct dialect_error *ret_error,
                        text_item_fn fn, void *ctx)
{
    static const struct openai_member members[] = {
        {SPAN_LIT("model"), openai_request_model},
        {SPAN_LIT("prompt"), read_prompt},
        {SPAN_LIT("suffix"), read_suffix},
        {SPAN_LIT("stream"), openai_request_stream},
        {SPAN_LIT("stream_options"), openai_request_stream_options},
        {SPAN_LIT("n"), openai_request_n},
        {SPAN_LIT("best_of"), read_best_of},
        {SPAN_LIT("user"), openai_request_user},
        {SPAN_LIT("safety_identifier"), openai_request_safety_identifier},
        {SPAN_LIT("response_format"), openai_request_response_format},
    };
    return openai_read_request(members, COUNT(members), w, body, arena, ret, ret_error, fn, ctx);
}

static int read_answer(struct json_walk *w, struct span body, struct arena *arena,
                       struct dialect_event *ret_event, struct dialect_error *ret_error,
                       text_item_fn fn, void *ctx)
{
    return openai_read_answer(true, w, body, arena, ret_event, ret_error, fn, ctx);
}

static int read_event(struct dialect_stream *s, struct json_walk *w, struct span payload,
                      struct dialect_event *ret_event, struct dialect_error *ret_error,
                      text_item_fn fn, void *ctx)
{
    return openai_read_event(true, s, w, payload, ret_event, ret_error, fn, ctx);
}

static int write_refusal(const struct dialect_refusal *r, struct buf *out)
{
    return openai_write_refusal(true, r, out);
}

static int write_refusal_stream(const struct dialect_refusal *r, struct buf *out)
{
    return openai_write_refusal_stream(true, r, out);
}

static int write_cut(struct dialect_stream *s, const struct dialect_refusal *r,
                     uint32_t open_choices, struct buf *out)
{
    return openai_write_cut(true, s, r, open_choices, out);
}

static int write_text(struct dialect_stream *s, const struct dialect_refusal *r, unsigned choice,
                      struct buf *out)
{
    return openai_write_text(true, s, r, choice, out);
}

const struct dialect dialect_openai_completions = {
    .name = "openai",
    .route = "/v1/completions",
    .upstream_path = "/completions",
    .read_request = read_request,
    .strip_identity = openai_strip_identity,
    .read_answer = read_answer,
    .stream_new = openai_stream_new,
    .stream_free = openai_stream_free,
    .read_event = read_event,
    .strip_event = openai_strip_event,
    .write_error = openai_write_error,
    .write_refusal = write_refusal,
    .write_refusal_stream = write_refusal_stream,
    .write_cut = write_cut,
    .write_text = write_text,
    .write_stream_error = openai_write_stream_error,
};
