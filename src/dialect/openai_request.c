/* Members of a request that Chat Completions and Completions share. */
#include "dialect/openai.h"

#include <errno.h>

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

int openai_request_model(struct openai_reader *r)
{
    if (r->item.token != JSON_STRING || r->item.text.len == 0)
        return openai_bad(r, "The model must be a string.");
    r->request->model = arena_copy(r->arena, r->item.text);
    if (!r->request->model.data)
        return -ENOMEM;
    r->has_model = true;
    return openai_fixed(r);
}

/* true, false, or null for what it is without. */
static int read_boolean(struct openai_reader *r, bool *ret_value, const char *message)
{
    if (r->item.token == JSON_TRUE || r->item.token == JSON_FALSE)
        *ret_value = r->item.token == JSON_TRUE;
    else if (r->item.token != JSON_NULL)
        return openai_bad(r, message);
    return 0;
}

int openai_request_stream(struct openai_reader *r)
{
    return read_boolean(r, &r->request->stream, "stream must be true or false.");
}

static int read_include_usage(struct openai_reader *r)
{
    return read_boolean(r, &r->request->include_usage, "include_usage must be true or false.");
}

int openai_request_stream_options(struct openai_reader *r)
{
    static const struct openai_member members[] = {
        {SPAN_LIT("include_usage"), read_include_usage},
    };
    if (r->item.token == JSON_NULL)
        return 0;
    if (r->item.token != JSON_OBJECT)
        return openai_bad(r, "stream_options must be an object.");
    return openai_object(r, members, COUNT(members));
}

int openai_request_n(struct openai_reader *r)
{
    uint64_t n = 1;
    if (r->item.token != JSON_NULL &&
        (r->item.token != JSON_NUMBER || !openai_number(r->item.raw, OPENAI_CHOICES_MAX, &n) ||
         n == 0))
        return openai_bad(r, "n must be a whole number from 1 to 32.");
    r->request->choices = (unsigned)n;
    return 0;
}

int openai_request_user(struct openai_reader *r)
{
    if (r->item.token == JSON_NULL)
        return 0;
    if (r->item.token != JSON_STRING)
        return openai_bad(r, "user must be a string.");
    r->request->end_user = arena_copy(r->arena, r->item.text);
    return r->request->end_user.data ? openai_opaque(r) : -ENOMEM;
}

/* Newer clients name the end user here; `user` goes before. */
int openai_request_safety_identifier(struct openai_reader *r)
{
    if (r->item.token == JSON_STRING && r->request->end_user.len == 0) {
        r->request->end_user = arena_copy(r->arena, r->item.text);
        if (!r->request->end_user.data)
            return -ENOMEM;
    }
    return openai_opaque(r);
}

int openai_request_response_format(struct openai_reader *r)
{
    if (r->item.token == JSON_OBJECT) {
        char room[32];
        struct span type = json_unquote(json_walk_peek(r->w, SPAN_LIT("type")), room, sizeof(room));
        r->request->json_mode =
            span_eq(type, SPAN_LIT("json_object")) || span_eq(type, SPAN_LIT("json_schema"));
    }
    return openai_fixed(r);
}

int openai_request_tools(struct openai_reader *r)
{
    if (r->item.token != JSON_NULL)
        r->request->tools = true;
    return openai_fixed(r);
}

int openai_read_request(const struct openai_member *members, size_t count, struct json_walk *w,
                        struct span body, struct arena *arena, struct dialect_request *ret,
                        struct dialect_error *ret_error, text_item_fn fn, void *ctx)
{
    struct dialect_request request = {.choices = 1};
    struct openai_reader r = {.w = w,
                              .body = body,
                              .arena = arena,
                              .request = &request,
                              .error = ret_error,
                              .fn = fn,
                              .ctx = ctx};
    int rc = openai_read_root(&r, members, count);
    if (rc == 0 && !r.has_model)
        rc = openai_bad(&r, "The model is missing.");
    if (rc == 0 && !r.has_texts)
        rc = openai_bad(&r, "The messages or the prompt are missing.");
    if (rc == 0 && r.prompts > 1) {
        request.choices *= r.prompts;
        if (request.choices > OPENAI_CHOICES_MAX)
            rc = openai_bad(&r, "At most 32 answers can be asked for at once.");
    }
    openai_reader_deinit(&r);
    *ret = request;
    return rc;
}
