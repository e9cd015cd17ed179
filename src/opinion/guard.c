/*
 * Guard models behind an OpenAI chat API, as vLLM and llama.cpp serve them: the model's own chat
 * template makes the instruction around the messages, so these are sent bare. Two ways of answering
 * are known:
 *
 *   Qwen3Guard-Gen   Safety: Safe | Unsafe | Controversial
 *                    Categories: None | one or more, with commas between
 *                    Refusal: Yes | No           of answers; not needed here
 *   Llama Guard      safe
 *                    unsafe, and on the next line S1,S10
 *
 * A model's text is no protocol: whatever else it says is an error.
 */
#include "opinion/adapter.h"

#include "json/value.h"

#include <errno.h>

static int write_message(struct buf *out, bool assistant, struct span text)
{
    int r = opinion_text(out,
                         assistant ? SPAN_LIT("{\"role\":\"assistant\",\"content\":")
                                   : SPAN_LIT("{\"role\":\"user\",\"content\":"),
                         text);
    return r < 0 ? r : buf_append_char(out, '}');
}

static int write(const struct config_opinion *source, const struct opinion_question *q,
                 struct buf *out)
{
    bool assistant = q->direction == DIRECTION_COMPLETION || q->role == ROLE_ASSISTANT;
    int r = opinion_text(out, SPAN_LIT("{\"model\":"), source->model);
    if (r == 0)
        r = buf_append(out, SPAN_LIT(",\"messages\":["));
    for (size_t i = 0; r == 0 && i < q->turn_count; i++) {
        r = write_message(out, q->turns[i].assistant, q->turns[i].text);
        if (r == 0)
            r = buf_append_char(out, ',');
    }
    /* Nobody asked. The models' templates want somebody to, and Llama Guard's the sides in turns.
     */
    if (r == 0 && assistant && q->turn_count == 0) {
        r = write_message(out, false, SPAN_LIT(""));
        if (r == 0)
            r = buf_append_char(out, ',');
    }
    if (r == 0)
        r = write_message(out, assistant, q->text);
    return r < 0 ? r
                 : buf_append(out, SPAN_LIT("],\"stream\":false,\"temperature\":0,"
                                            "\"max_tokens\":128}"));
}

/* Says how sure. */
#define UNSAFE        1.0
#define CONTROVERSIAL 0.5

static int add_list(struct opinion_verdict *v, struct span list, double score)
{
    struct span name;
    size_t before = v->count;
    while (span_split(&list, ',', &name)) {
        name = span_trim(name);
        int r = name.len ? opinion_add(v, name, score) : -EBADMSG;
        if (r < 0)
            return r;
    }
    return v->count > before ? 0 : -EBADMSG;
}

/* The line that begins with `key`; there must be one of them. */
static bool find_line(struct span text, struct span key, struct span *ret_value)
{
    struct span line;
    unsigned found = 0;
    while (span_split(&text, '\n', &line)) {
        line = span_trim(line);
        if (!span_starts(line, key))
            continue;
        *ret_value = span_trim(span_slice(line, key.len, line.len));
        found++;
    }
    return found == 1;
}

static int read_qwen3guard(struct span text, struct opinion_verdict *v)
{
    struct span safety, categories;
    if (!find_line(text, SPAN_LIT("Safety:"), &safety) ||
        !find_line(text, SPAN_LIT("Categories:"), &categories))
        return -EBADMSG;
    bool none = span_eq(categories, SPAN_LIT("None"));
    if (span_eq(safety, SPAN_LIT("Safe")))
        return none ? 0 : -EBADMSG;
    bool unsafe = span_eq(safety, SPAN_LIT("Unsafe"));
    if (!unsafe && !span_eq(safety, SPAN_LIT("Controversial")))
        return -EBADMSG;
    double score = unsafe ? UNSAFE : CONTROVERSIAL;
    return none ? opinion_add(v, safety, score) : add_list(v, categories, score);
}

static int read_llamaguard(struct span text, struct opinion_verdict *v)
{
    struct span first, second = SPAN_NULL;
    text = span_trim(text);
    if (!span_split(&text, '\n', &first))
        return -EBADMSG;
    first = span_trim(first);
    text = span_trim(text);
    if (span_eq(first, SPAN_LIT("safe")))
        return text.len ? -EBADMSG : 0;
    if (!span_eq(first, SPAN_LIT("unsafe")))
        return -EBADMSG;
    if (!span_split(&text, '\n', &second))
        return opinion_add(v, first, UNSAFE);
    return span_trim(text).len ? -EBADMSG : add_list(v, second, UNSAFE);
}

static int read_chat(struct span body, struct opinion_verdict *ret_verdict,
                     int (*read_text)(struct span text, struct opinion_verdict *v))
{
    *ret_verdict = (struct opinion_verdict){0};
    struct json_value *answer = value_parse(body, NULL);
    const struct json_value *choices = value_get(answer, SPAN_LIT("choices"));
    const struct json_value *choice =
        value_is_array(choices) && value_count(choices) == 1 ? value_at(choices, 0) : NULL;
    struct span text, finish;
    int r = -EBADMSG;
    /* Cut off by its ceiling of tokens, it may have had more to say. */
    if (value_get_string(value_get(choice, SPAN_LIT("finish_reason")), &finish) &&
        span_eq(finish, SPAN_LIT("stop")) &&
        value_get_string(value_get(value_get(choice, SPAN_LIT("message")), SPAN_LIT("content")),
                         &text))
        r = read_text(text, ret_verdict);
    value_free(answer);
    return r;
}

static int read_chat_qwen3guard(struct span body, struct opinion_verdict *ret_verdict)
{
    return read_chat(body, ret_verdict, read_qwen3guard);
}

static int read_chat_llamaguard(struct span body, struct opinion_verdict *ret_verdict)
{
    return read_chat(body, ret_verdict, read_llamaguard);
}

const struct opinion_adapter opinion_qwen3guard = {true, write, read_chat_qwen3guard};
const struct opinion_adapter opinion_llamaguard = {true, write, read_chat_llamaguard};
