#include "demo/ask.h"

#include "json/value.h"

#include <errno.h>

#define ASK_TEXT_MAX ((size_t)16 << 20)

void ask_deinit(struct ask *a)
{
    buf_deinit(&a->model);
    buf_deinit(&a->text);
}

/* A string, or an array of parts of which the texts count. */
static int take_text(struct buf *out, const struct json_value *content)
{
    struct span text;
    buf_clear(out);
    if (value_get_string(content, &text))
        return buf_append(out, text);
    for (size_t i = 0; i < value_count(content) && value_is_array(content); i++) {
        const struct json_value *part = value_at(content, i);
        if (!value_get_string(part, &text) &&
            !value_get_string(value_get(part, SPAN_LIT("text")), &text))
            continue;
        int rc = buf_append(out, text);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int take_last_user(struct buf *out, const struct json_value *messages)
{
    for (size_t i = value_count(messages); i-- > 0;) {
        const struct json_value *m = value_at(messages, i);
        struct span role;
        if (value_get_string(value_get(m, SPAN_LIT("role")), &role) &&
            span_eq(role, SPAN_LIT("user")))
            return take_text(out, value_get(m, SPAN_LIT("content")));
    }
    return 0;
}

static bool is_true(const struct json_value *v)
{
    bool value = false;
    return value_get_boolean(v, &value) && value;
}

static int take_fields(struct ask *a, const struct json_value *body)
{
    struct span model = SPAN_LIT("demo");
    value_get_string(value_get(body, SPAN_LIT("model")), &model);
    int rc = buf_append(&a->model, model);
    if (rc < 0)
        return rc;
    int64_t n = 1;
    value_get_integer(value_get(body, SPAN_LIT("n")), &n);
    if (n < 1 || n > ASK_CHOICES_MAX)
        return -EINVAL;
    a->choices = (unsigned)n;
    a->stream = is_true(value_get(body, SPAN_LIT("stream")));
    a->include_usage =
        is_true(value_get(value_get(body, SPAN_LIT("stream_options")), SPAN_LIT("include_usage")));
    const struct json_value *logprobs = value_get(body, SPAN_LIT("logprobs"));
    int64_t count;
    a->logprobs = is_true(logprobs) || value_get_integer(logprobs, &count);
    if (!a->chat)
        return take_text(&a->text, value_get(body, SPAN_LIT("prompt")));
    const struct json_value *messages = value_get(body, SPAN_LIT("messages"));
    if (!value_is_array(messages))
        return -EINVAL;
    return take_last_user(&a->text, messages);
}

int ask_read(struct ask *ret_ask, bool chat, struct span body)
{
    *ret_ask = (struct ask){
        .chat = chat,
        .choices = 1,
        .model = BUF_INIT(1024),
        .text = BUF_INIT(ASK_TEXT_MAX),
    };
    struct json_value *v = value_parse(body, NULL);
    int rc = value_is_object(v) ? take_fields(ret_ask, v) : -EINVAL;
    value_free(v);
    if (rc < 0)
        ask_deinit(ret_ask);
    return rc == -EMSGSIZE ? -EINVAL : rc;
}
