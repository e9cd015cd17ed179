/* Answers, whole and in events: one reader for both, because they differ only in `delta`. */
#include "dialect/openai.h"

#include "dialect/words.h"

#include <stdlib.h>

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

static int read_nothing(struct openai_reader *r)
{
    return r->item.token == JSON_NUMBER ? 0 : openai_opaque(r);
}

static int read_message(struct openai_reader *r)
{
    static const struct openai_member members[] = {
        {SPAN_LIT("content"), openai_content},
        {SPAN_LIT("role"), openai_constant},
        {SPAN_LIT("reasoning_content"), openai_reasoning_content},
        {SPAN_LIT("reasoning"), openai_reasoning},
        {SPAN_LIT("reasoning_details"), openai_reasoning_details},
        {SPAN_LIT("refusal"), openai_refusal},
        {SPAN_LIT("tool_calls"), openai_tool_calls},
        {SPAN_LIT("function_call"), openai_function_call},
        {SPAN_LIT("audio"), openai_audio},
        {SPAN_LIT("encrypted_content"), openai_noise},
    };
    if (r->item.token != JSON_OBJECT)
        return openai_opaque(r);
    return openai_object(r, members, COUNT(members));
}

/* Where an answer has both, clients show either: two texts, kept apart. */
static int read_other_message(struct openai_reader *r)
{
    uint32_t before = r->part_base;
    r->part_base += PART_MESSAGE;
    int rc = read_message(r);
    r->part_base = before;
    return rc;
}

static int read_own_message(struct openai_reader *r)
{
    return r->stream ? read_other_message(r) : read_message(r);
}

static int read_delta(struct openai_reader *r)
{
    return r->stream ? read_message(r) : read_other_message(r);
}

static int read_text(struct openai_reader *r)
{
    if (r->item.token != JSON_STRING && r->item.token != JSON_NULL)
        return openai_bad(r, "The text of a choice must be a string.");
    uint32_t part = r->text_choice ? 0 : PART_TEXT;
    if (r->item.token == JSON_NULL)
        return 0;
    return openai_give(r, FIELD_CONTENT, part, false, true);
}

static int read_finish_reason(struct openai_reader *r)
{
    if (r->item.token != JSON_STRING)
        return openai_opaque(r);
    if (r->item.text.len == 0)
        return 0;
    r->event->finished |= 1u << r->choice;
    r->event->finish_reason = r->item.raw;
    if (openai_refusing_reason(r->item.text))
        openai_refused(r, "finish_reason", r->item.raw);
    return openai_constant(r);
}

/* What stands behind a gateway's or server's own finish reason. */
static int read_stop_reason(struct openai_reader *r)
{
    if (r->item.token == JSON_STRING && openai_refusing_reason(r->item.text))
        openai_refused(r, "stop_reason", r->item.raw);
    return openai_constant(r);
}

/* Qianfan's verdict: 0 and 1 may go on, 2 to 4 stop, hide, withdraw. */
static int read_flag(struct openai_reader *r)
{
    uint64_t flag;
    if (r->item.token == JSON_NUMBER && openai_number(r->item.raw, 1000, &flag) && flag >= 2)
        openai_refused(r, "flag", r->item.raw);
    return openai_opaque(r);
}

/* Ark's: a word where something was hit. */
static int read_hit_type(struct openai_reader *r)
{
    if (r->item.token == JSON_STRING && r->item.text.len > 0)
        openai_refused(r, "moderation_hit_type", r->item.raw);
    return openai_opaque(r);
}

/* MiniMax's. */
static int read_input_sensitive(struct openai_reader *r)
{
    if (r->item.token == JSON_TRUE)
        openai_refused(r, "input_sensitive", r->item.raw);
    return openai_opaque(r);
}

static int read_output_sensitive(struct openai_reader *r)
{
    if (r->item.token == JSON_TRUE)
        openai_refused(r, "output_sensitive", r->item.raw);
    return openai_opaque(r);
}

/* In Azure's results. */
static int read_filtered(struct openai_reader *r)
{
    if (r->item.token == JSON_TRUE)
        openai_refused(r, "content_filter_results", r->item.raw);
    return openai_opaque(r);
}

/* One category of Azure's filter results. */
static int read_filter_category(struct openai_reader *r)
{
    static const struct openai_member members[] = {
        {SPAN_LIT("filtered"), read_filtered},
        {SPAN_LIT("severity"), openai_constant},
    };
    if (r->item.token != JSON_OBJECT)
        return openai_opaque(r);
    return openai_object(r, members, COUNT(members));
}

/* Any category: unknown names are texts, and their keys may be like ours. */
static int read_filter_members(struct openai_reader *r)
{
    json_walk_opaque(r->w);
    for (;;) {
        int rc = openai_next(r);
        if (rc != 0 || r->item.token == JSON_OBJECT_END)
            return rc;
        if (!word_category(r->item.text))
            rc = openai_give(r, FIELD_OTHER, 0, false, false);
        if (rc == 0)
            rc = openai_next(r);
        if (rc == 0)
            rc = read_filter_category(r);
        if (rc != 0)
            return rc;
    }
}

static int read_filter_results(struct openai_reader *r)
{
    if (r->item.token != JSON_OBJECT)
        return openai_opaque(r);
    bool before = r->moderation;
    r->moderation = true;
    int rc = read_filter_members(r);
    r->moderation = before;
    return rc;
}

static int read_choice(struct openai_reader *r)
{
    static const struct openai_member members[] = {
        {SPAN_LIT("index"), read_nothing},
        {SPAN_LIT("delta"), read_delta},
        {SPAN_LIT("logprobs"), openai_logprobs},
        {SPAN_LIT("finish_reason"), read_finish_reason},
        {SPAN_LIT("message"), read_own_message},
        {SPAN_LIT("text"), read_text},
        {SPAN_LIT("stop_reason"), read_stop_reason},
        {SPAN_LIT("native_finish_reason"), read_stop_reason},
        {SPAN_LIT("content_filter_results"), read_filter_results},
        {SPAN_LIT("flag"), read_flag},
        {SPAN_LIT("moderation_hit_type"), read_hit_type},
    };
    if (r->item.token != JSON_OBJECT)
        return openai_bad(r, "A choice must be an object.");
    uint64_t index;
    if (!openai_index(r, OPENAI_CHOICES_MAX - 1, r->place++, &index))
        return openai_bad(r, "The index of a choice must be a number below 32.");
    if (r->choices_seen & 1u << index)
        return openai_bad(r, "A choice comes twice.");
    r->choices_seen |= 1u << index;
    r->choice = (uint32_t)index;
    r->role = ROLE_ASSISTANT;
    memset(r->joined, 0, sizeof(r->joined));
    int rc = openai_object(r, members, COUNT(members));
    r->role = ROLE_NONE;
    r->choice = 0;
    return rc;
}

static int read_choices(struct openai_reader *r)
{
    if (r->item.token == JSON_NULL)
        return 0;
    if (r->item.token != JSON_ARRAY)
        return openai_bad(r, "choices must be a list.");
    return openai_array(r, read_choice);
}

static int read_id(struct openai_reader *r)
{
    if (r->item.token == JSON_STRING) {
        r->event->id = r->item.raw;
        struct dialect_stream *s = r->stream;
        if (s && s->id_len == 0 && r->item.text.len < sizeof(s->id)) {
            memcpy(s->id, r->item.text.data, r->item.text.len);
            s->id_len = r->item.text.len;
        }
    }
    return openai_ident(r);
}

/*
 * In a stream the model's name is judged once, not with every event. It is given behind all other
 * texts of its event, so that these have the same numbers however often the event is read.
 */
static int read_model(struct openai_reader *r)
{
    struct dialect_stream *s = r->stream;
    if (r->item.token != JSON_STRING)
        return openai_fixed(r);
    r->event->model = r->item.raw;
    bool lent = r->item.text.data != r->item.raw.data; /* would not last until the end */
    if (!s || lent || r->item.text.len > sizeof(s->model))
        return openai_fixed(r);
    struct span before = span_from(s->model, s->model_len);
    if (s->model_len > 0)
        return span_eq(r->item.text, before) ? 0 : openai_fixed(r);
    r->model = r->item;
    return 0;
}

/* Gives the name that read_model() kept, and remembers it. */
static int give_model(struct openai_reader *r)
{
    if (r->model.token != JSON_STRING)
        return 0;
    struct dialect_stream *s = r->stream;
    memcpy(s->model, r->model.text.data, r->model.text.len);
    s->model_len = r->model.text.len;
    struct text_item item = {.text = r->model.text, .raw = r->model.raw, .path = SPAN_LIT("model")};
    return item.text.len > 0 ? r->fn(r->ctx, &item) : 0;
}

static int read_created(struct openai_reader *r)
{
    uint64_t created;
    if (r->stream && r->item.token == JSON_NUMBER &&
        openai_number(r->item.raw, UINT64_MAX, &created))
        r->stream->created = created;
    /* Not judged, unless it is something else than a time. */
    return openai_ident(r);
}

#define TOKENS_MAX 1000000000 /* of one answer: what says more is not believed */

static bool count_of(const struct openai_reader *r, const char *key, uint64_t *ret_count)
{
    return openai_number(json_walk_peek(r->w, span_str(key)), TOKENS_MAX, ret_count);
}

static int read_usage(struct openai_reader *r)
{
    if (r->item.token != JSON_OBJECT)
        return openai_opaque(r);
    struct dialect_tokens t = {0};
    r->has_usage = true;
    t.known = count_of(r, "prompt_tokens", &t.prompt);
    t.known = count_of(r, "completion_tokens", &t.completion) || t.known;
    if (!t.known)
        t.known = count_of(r, "total_tokens", &t.completion);
    if (t.known)
        r->event->tokens = t;
    return openai_opaque(r);
}

static int read_error(struct openai_reader *r)
{
    if (r->item.token == JSON_OBJECT || r->item.token == JSON_TRUE ||
        (r->item.token == JSON_STRING && r->item.text.len > 0))
        r->event->kind = EVENT_ERROR;
    openai_refused_error(r);
    return openai_opaque(r);
}

/* A status beside or in place of an answer: 0 and 200 are well. */
static bool is_failure(struct span raw)
{
    return !span_eq(raw, SPAN_LIT("0")) && !span_eq(raw, SPAN_LIT("200")) &&
           !span_eq(raw, SPAN_LIT("\"0\"")) && !span_eq(raw, SPAN_LIT("\"200\"")) &&
           !span_eq(raw, SPAN_LIT("\"\"")) && !span_eq(raw, SPAN_LIT("null")) && raw.len > 0;
}

static int read_code(struct openai_reader *r)
{
    if (r->item.token == JSON_NUMBER && is_failure(r->item.raw))
        r->event->kind = EVENT_ERROR;
    /* A word may mean success, too: it decides only where there is no answer. */
    if (r->item.token == JSON_STRING && r->item.text.len > 0)
        r->word_code =
            !span_eq(r->item.text, SPAN_LIT("0")) && !span_eq(r->item.text, SPAN_LIT("200"));
    openai_refused_code(r);
    return openai_opaque(r);
}

static int read_base_resp(struct openai_reader *r)
{
    if (r->item.token == JSON_OBJECT) {
        struct span status = json_walk_peek(r->w, SPAN_LIT("status_code"));
        if (is_failure(status))
            r->event->kind = EVENT_ERROR;
        openai_refused_status(r, status);
    }
    return openai_opaque(r);
}

/* Azure: one entry a prompt, each with results of its own. */
static int read_prompt_filter(struct openai_reader *r)
{
    static const struct openai_member members[] = {
        {SPAN_LIT("prompt_index"), read_nothing},
        {SPAN_LIT("content_filter_results"), read_filter_results},
    };
    return r->item.token == JSON_OBJECT ? openai_object(r, members, COUNT(members))
                                        : openai_opaque(r);
}

static int read_prompt_filters(struct openai_reader *r)
{
    return r->item.token == JSON_ARRAY ? openai_array(r, read_prompt_filter) : openai_opaque(r);
}

/* GLM: level 0 is the most severe of 0 to 3. */
static int read_level_entry(struct openai_reader *r)
{
    if (r->item.token == JSON_OBJECT &&
        span_eq(json_walk_peek(r->w, SPAN_LIT("level")), SPAN_LIT("0")))
        openai_refused(r, "content_filter", SPAN_LIT("0"));
    return openai_opaque(r);
}

static int read_levels(struct openai_reader *r)
{
    return r->item.token == JSON_ARRAY ? openai_array(r, read_level_entry) : openai_opaque(r);
}

/* GB 45438, annex E. One label is enough, and whoever takes one away breaks the law. */
static int read_label(struct openai_reader *r)
{
    r->event->labelled = true;
    return openai_opaque(r);
}

static int read_root(struct openai_reader *r)
{
    static const struct openai_member members[] = {
        {SPAN_LIT("id"), read_id},
        {SPAN_LIT("object"), openai_ident},
        {SPAN_LIT("created"), read_created},
        {SPAN_LIT("model"), read_model},
        {SPAN_LIT("choices"), read_choices},
        {SPAN_LIT("usage"), read_usage},
        {SPAN_LIT("system_fingerprint"), openai_ident},
        {SPAN_LIT("obfuscation"), openai_noise},
        {SPAN_LIT("service_tier"), openai_constant},
        {SPAN_LIT("error"), read_error},
        {SPAN_LIT("code"), read_code},
        {SPAN_LIT("error_code"), read_code},
        {SPAN_LIT("base_resp"), read_base_resp},
        {SPAN_LIT("input_sensitive"), read_input_sensitive},
        {SPAN_LIT("output_sensitive"), read_output_sensitive},
        {SPAN_LIT("prompt_filter_results"), read_prompt_filters},
        {SPAN_LIT("moderation"), openai_moderation},
        {SPAN_LIT("content_filter"), read_levels},
        {SPAN_LIT("aigc"), read_label},
        {SPAN_LIT("AIGC"), read_label},
    };
    int rc = openai_read_root(r, members, COUNT(members));
    if (rc != 0)
        return rc;
    rc = give_model(r);
    if (rc != 0)
        return rc;
    struct dialect_event *e = r->event;
    if (r->word_code && r->choices_seen == 0)
        e->kind = EVENT_ERROR;
    /* Some send running counts with every event: only the last one is what was asked for. */
    e->usage = r->has_usage && (r->choices_seen == 0 || e->finished != 0);
    if (r->stream && r->choices_seen)
        r->stream->seen = true;
    return 0;
}

/* A raw span that outlives the walk: decoded if it holds escapes. */
static struct span keep_text(struct arena *arena, struct span raw)
{
    if (!raw.data || !memchr(raw.data, '\\', raw.len))
        return raw;
    char room[512];
    struct span text = json_unquote(span_from(raw.data - 1, raw.len + 2), room, sizeof(room));
    struct span copy = text.len > 0 ? arena_copy(arena, text) : SPAN_NULL;
    return copy.data ? copy : raw;
}

int openai_read_answer(bool completions, struct json_walk *w, struct span body, struct arena *arena,
                       struct dialect_event *ret_event, struct dialect_error *ret_error,
                       text_item_fn fn, void *ctx)
{
    *ret_event = (struct dialect_event){.kind = EVENT_TEXT};
    struct openai_reader r = {.w = w,
                              .body = body,
                              .arena = arena,
                              .event = ret_event,
                              .error = ret_error,
                              .fn = fn,
                              .ctx = ctx,
                              .text_choice = completions};
    int rc = read_root(&r);
    openai_reader_deinit(&r);
    ret_event->id = keep_text(arena, ret_event->id);
    ret_event->model = keep_text(arena, ret_event->model);
    ret_event->finish_reason = keep_text(arena, ret_event->finish_reason);
    return rc;
}

int openai_read_event(bool completions, struct dialect_stream *s, struct json_walk *w,
                      struct span payload, struct dialect_event *ret_event,
                      struct dialect_error *ret_error, text_item_fn fn, void *ctx)
{
    *ret_event = (struct dialect_event){.kind = EVENT_TEXT};
    if (span_eq(payload, SPAN_LIT("[DONE]"))) {
        ret_event->kind = EVENT_DONE;
        return 0;
    }
    struct openai_reader r = {.w = w,
                              .body = payload,
                              .stream = s,
                              .event = ret_event,
                              .error = ret_error,
                              .fn = fn,
                              .ctx = ctx,
                              .text_choice = completions};
    int rc = read_root(&r);
    openai_reader_deinit(&r);
    return rc;
}

struct dialect_stream *openai_stream_new(void)
{
    return calloc(1, sizeof(struct dialect_stream));
}

void openai_stream_free(struct dialect_stream *s)
{
    free(s);
}
