/* POST /v1/chat/completions. */
#include "dialect/openai.h"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

/* The role was read ahead, because it may come behind the content. */
static int role_begin(struct openai_reader *r)
{
    r->role = openai_role(r->w);
    r->turn = ++r->turns;
    return r->role != ROLE_NONE
               ? 0
               : openai_bad(r,
                            "A message needs a role: system, developer, user, assistant or tool.");
}

static int read_role(struct openai_reader *r)
{
    return 0;
}

static int read_message(struct openai_reader *r)
{
    static const struct openai_member members[] = {
        {SPAN_LIT("role"), read_role},
        {SPAN_LIT("content"), openai_content},
        {SPAN_LIT("tool_calls"), openai_tool_calls},
        {SPAN_LIT("reasoning_content"), openai_reasoning_content},
        {SPAN_LIT("reasoning"), openai_reasoning},
        {SPAN_LIT("reasoning_details"), openai_reasoning_details},
        {SPAN_LIT("refusal"), openai_refusal},
        {SPAN_LIT("function_call"), openai_function_call},
        {SPAN_LIT("audio"), openai_audio},
        {SPAN_LIT("name"), openai_fixed},
        {SPAN_LIT("encrypted_content"), openai_noise},
    };
    if (r->item.token != JSON_OBJECT)
        return openai_bad(r, "A message must be an object.");
    int rc = role_begin(r);
    return rc != 0 ? rc : openai_object(r, members, COUNT(members));
}

static int read_messages(struct openai_reader *r)
{
    if (r->item.token != JSON_ARRAY)
        return openai_bad(r, "messages must be a list.");
    r->has_texts = true;
    int rc = openai_array(r, read_message);
    r->role = ROLE_NONE;
    r->turn = 0;
    return rc;
}

/* What the client expects the answer to be. */
static int read_prediction(struct openai_reader *r)
{
    static const struct openai_member members[] = {
        {SPAN_LIT("type"), openai_constant},
        {SPAN_LIT("content"), openai_content},
    };
    if (r->item.token == JSON_NULL)
        return 0;
    if (r->item.token != JSON_OBJECT)
        return openai_bad(r, "prediction must be an object.");
    r->role = ROLE_ASSISTANT;
    int rc = openai_object(r, members, COUNT(members));
    r->role = ROLE_NONE;
    return rc;
}

static int read_request(struct json_walk *w, struct span body, struct arena *arena,
                        struct dialect_request *ret, struct dialect_error *ret_error,
                        text_item_fn fn, void *ctx)
{
    static const struct openai_member members[] = {
        {SPAN_LIT("model"), openai_request_model},
        {SPAN_LIT("messages"), read_messages},
        {SPAN_LIT("stream"), openai_request_stream},
        {SPAN_LIT("stream_options"), openai_request_stream_options},
        {SPAN_LIT("n"), openai_request_n},
        {SPAN_LIT("user"), openai_request_user},
        {SPAN_LIT("safety_identifier"), openai_request_safety_identifier},
        {SPAN_LIT("response_format"), openai_request_response_format},
        {SPAN_LIT("prediction"), read_prediction},
        {SPAN_LIT("tools"), openai_request_tools},
        {SPAN_LIT("tool_choice"), openai_fixed},
        {SPAN_LIT("functions"), openai_request_tools},
        {SPAN_LIT("function_call"), openai_fixed},
    };
    return openai_read_request(members, COUNT(members), w, body, arena, ret, ret_error, fn, ctx);
}

static int read_answer(struct json_walk *w, struct span body, struct arena *arena,
                       struct dialect_event *ret_event, struct dialect_error *ret_error,
                       text_item_fn fn, void *ctx)
{
    return openai_read_answer(false, w, body, arena, ret_event, ret_error, fn, ctx);
}

static int read_event(struct dialect_stream *s, struct json_walk *w, struct span payload,
                      struct dialect_event *ret_event, struct dialect_error *ret_error,
                      text_item_fn fn, void *ctx)
{
    return openai_read_event(false, s, w, payload, ret_event, ret_error, fn, ctx);
}

static int write_refusal(const struct dialect_refusal *r, struct buf *out)
{
    return openai_write_refusal(false, r, out);
}

static int write_refusal_stream(const struct dialect_refusal *r, struct buf *out)
{
    return openai_write_refusal_stream(false, r, out);
}

static int write_cut(struct dialect_stream *s, const struct dialect_refusal *r,
                     uint32_t open_choices, struct buf *out)
{
    return openai_write_cut(false, s, r, open_choices, out);
}

static int write_text(struct dialect_stream *s, const struct dialect_refusal *r, unsigned choice,
                      struct buf *out)
{
    return openai_write_text(false, s, r, choice, out);
}

const struct dialect dialect_openai_chat = {
    .name = "openai",
    .route = "/v1/chat/completions",
    .upstream_path = "/chat/completions",
    .read_request = read_request,
    .read_turns = openai_read_turns,
    .write_turn = openai_write_turn,
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
