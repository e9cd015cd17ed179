/*
 * What the gateway itself says, in forms that were measured with the vendors' SDKs: the error
 * object is nested, or clients lose its code; a stream is a stream, never a plain body; a cut is a
 * finish reason, because an error event invites a retry of what was blocked; a failure is an error
 * event without finish reason and end mark, because everything else reads like a complete answer.
 */
#include "dialect/openai.h"

/* Appends until something fails; then nothing more, and all of it is taken back. */
struct writer {
    struct buf *out;
    size_t begin;
    int rc;
};

static struct writer writer_begin(struct buf *out)
{
    return (struct writer){.out = out, .begin = out->len};
}

static int writer_end(struct writer *w)
{
    if (w->rc < 0)
        w->out->len = w->begin;
    return w->rc;
}

static void put(struct writer *w, struct span s)
{
    if (w->rc == 0)
        w->rc = buf_append(w->out, s);
}

static void put_number(struct writer *w, uint64_t value)
{
    if (w->rc == 0)
        w->rc = buf_append_u64(w->out, value);
}

/* A string with its quotes. */
static void put_string(struct writer *w, struct span s)
{
    put(w, SPAN_LIT("\""));
    if (w->rc == 0)
        w->rc = json_escape(w->out, s);
    put(w, SPAN_LIT("\""));
}

/* What every object of an answer repeats. */
struct head {
    bool completions;
    bool stream;
    bool usage; /* asked for: null until the last object */
    struct span prefix, id, model;
    uint64_t created;
};

static struct head head_of(bool completions, const struct dialect_refusal *r)
{
    return (struct head){
        .completions = completions,
        .usage = r->include_usage,
        .prefix = completions ? SPAN_LIT("cmpl-") : SPAN_LIT("chatcmpl-"),
        .id = r->request_id,
        .model = r->model,
        .created = r->created,
    };
}

static void put_head(struct writer *w, const struct head *h)
{
    put(w, SPAN_LIT("{\"id\":\""));
    put(w, h->prefix);
    if (w->rc == 0)
        w->rc = json_escape(w->out, h->id);
    put(w, h->completions ? SPAN_LIT("\",\"object\":\"text_completion")
           : h->stream    ? SPAN_LIT("\",\"object\":\"chat.completion.chunk")
                          : SPAN_LIT("\",\"object\":\"chat.completion"));
    put(w, SPAN_LIT("\",\"created\":"));
    put_number(w, h->created);
    put(w, SPAN_LIT(",\"model\":"));
    put_string(w, h->model);
    put(w, SPAN_LIT(",\"choices\":["));
}

static const struct span no_usage =
    SPAN_LIT("{\"prompt_tokens\":0,\"completion_tokens\":0,\"total_tokens\":0}");

static struct span finish_reason(const struct dialect_refusal *r)
{
    return r->answer ? SPAN_LIT("stop") : SPAN_LIT("content_filter");
}

static unsigned choice_count(const struct dialect_refusal *r)
{
    return r->choices < 1 ? 1 : r->choices > OPENAI_CHOICES_MAX ? OPENAI_CHOICES_MAX : r->choices;
}

int openai_write_error(const struct dialect_refusal *r, struct buf *out)
{
    struct writer w = writer_begin(out);
    put(&w, SPAN_LIT("{\"error\":{\"message\":"));
    put_string(&w, r->text);
    put(&w, SPAN_LIT(",\"type\":"));
    put_string(&w, r->type.len > 0 ? r->type : SPAN_LIT("invalid_request_error"));
    put(&w, SPAN_LIT(",\"param\":"));
    if (r->param.len > 0)
        put_string(&w, r->param);
    else
        put(&w, SPAN_LIT("null"));
    put(&w, SPAN_LIT(",\"code\":"));
    if (r->code.len > 0)
        put_string(&w, r->code);
    else
        put(&w, SPAN_LIT("null"));
    put(&w, SPAN_LIT("}}"));
    return writer_end(&w);
}

int openai_write_refusal(bool completions, const struct dialect_refusal *r, struct buf *out)
{
    struct writer w = writer_begin(out);
    struct head head = head_of(completions, r);
    put_head(&w, &head);
    for (unsigned i = 0; i < choice_count(r); i++) {
        put(&w, i > 0 ? SPAN_LIT(",{\"index\":") : SPAN_LIT("{\"index\":"));
        put_number(&w, i);
        put(&w, completions ? SPAN_LIT(",\"text\":")
                            : SPAN_LIT(",\"message\":{\"role\":\"assistant\",\"content\":"));
        put_string(&w, r->text);
        put(&w, completions ? SPAN_LIT(",\"logprobs\":null,\"finish_reason\":")
                            : SPAN_LIT(",\"refusal\":null},\"logprobs\":null,\"finish_reason\":"));
        put_string(&w, finish_reason(r));
        put(&w, SPAN_LIT("}"));
    }
    put(&w, SPAN_LIT("],\"usage\":"));
    put(&w, no_usage);
    put(&w, SPAN_LIT("}"));
    return writer_end(&w);
}

/* One event with one choice: a text, or the end when reason is given. `first`: names the role. It
 * lacks its last brace. */
static void put_open_chunk(struct writer *w, const struct head *h, unsigned choice,
                           struct span text, bool first, struct span reason)
{
    put(w, SPAN_LIT("data: "));
    put_head(w, h);
    put(w, SPAN_LIT("{\"index\":"));
    put_number(w, choice);
    put(w, h->completions ? SPAN_LIT(",\"text\":") : SPAN_LIT(",\"delta\":{"));
    if (h->completions) {
        put_string(w, text);
    } else {
        if (first)
            put(w, SPAN_LIT("\"role\":\"assistant\","));
        if (reason.len == 0) {
            put(w, SPAN_LIT("\"content\":"));
            put_string(w, text);
        }
        put(w, SPAN_LIT("}"));
    }
    put(w, SPAN_LIT(",\"logprobs\":null,\"finish_reason\":"));
    if (reason.len > 0)
        put_string(w, reason);
    else
        put(w, SPAN_LIT("null"));
    put(w, SPAN_LIT("}]"));
    if (h->usage)
        put(w, SPAN_LIT(",\"usage\":null"));
}

static void put_chunk(struct writer *w, const struct head *h, unsigned choice, struct span text,
                      bool first, struct span reason)
{
    put_open_chunk(w, h, choice, text, first, reason);
    put(w, SPAN_LIT("}\n\n"));
}

/*
 * The end of an answer that was cut. SDKs hand on members that they don't know, so that an app that
 * knows ours takes back what it has shown; others see an ordinary end.
 */
static void put_cut(struct writer *w, const struct head *h, unsigned choice,
                    const struct dialect_refusal *r)
{
    put_open_chunk(w, h, choice, SPAN_NULL, false, SPAN_LIT("content_filter"));
    if (r->replacement.len) {
        put(w, SPAN_LIT(",\"juyong\":{\"retract\":true,\"replacement\":"));
        put_string(w, r->replacement);
        put(w, SPAN_LIT(",\"request_id\":"));
        put_string(w, r->request_id);
        put(w, SPAN_LIT("}"));
    }
    put(w, SPAN_LIT("}\n\n"));
}

/* The usage that was asked for, and the end mark. */
static void put_end(struct writer *w, const struct head *h)
{
    if (h->usage) {
        put(w, SPAN_LIT("data: "));
        put_head(w, h);
        put(w, SPAN_LIT("],\"usage\":"));
        put(w, no_usage);
        put(w, SPAN_LIT("}\n\n"));
    }
    put(w, SPAN_LIT("data: [DONE]\n\n"));
}

int openai_write_refusal_stream(bool completions, const struct dialect_refusal *r, struct buf *out)
{
    struct writer w = writer_begin(out);
    struct head head = head_of(completions, r);
    head.stream = true;
    for (unsigned i = 0; i < choice_count(r); i++)
        put_chunk(&w, &head, i, r->text, true, SPAN_NULL);
    for (unsigned i = 0; i < choice_count(r); i++)
        put_chunk(&w, &head, i, SPAN_NULL, false, finish_reason(r));
    put_end(&w, &head);
    return writer_end(&w);
}

/* The head of events that go on with a stream. */
static struct head head_within(bool completions, const struct dialect_stream *s,
                               const struct dialect_refusal *r)
{
    struct head head = head_of(completions, r);
    head.stream = true;
    if (s && s->id_len > 0) {
        head.prefix = SPAN_NULL;
        head.id = span_from(s->id, s->id_len);
    }
    if (s && s->model_len > 0)
        head.model = span_from(s->model, s->model_len);
    if (s && s->created > 0)
        head.created = s->created;
    return head;
}

int openai_write_text(bool completions, struct dialect_stream *s, const struct dialect_refusal *r,
                      unsigned choice, struct buf *out)
{
    struct writer w = writer_begin(out);
    struct head head = head_within(completions, s, r);
    put_chunk(&w, &head, choice, r->text, !s || !s->seen, SPAN_NULL);
    return writer_end(&w);
}

int openai_write_cut(bool completions, struct dialect_stream *s, const struct dialect_refusal *r,
                     uint32_t open_choices, struct buf *out)
{
    struct writer w = writer_begin(out);
    struct head head = head_within(completions, s, r);
    for (unsigned i = 0; i < OPENAI_CHOICES_MAX && r->text.len > 0; i++)
        if (open_choices & 1u << i)
            put_chunk(&w, &head, i, r->text, !s || !s->seen, SPAN_NULL);
    for (unsigned i = 0; i < OPENAI_CHOICES_MAX; i++)
        if (open_choices & 1u << i)
            put_cut(&w, &head, i, r);
    put_end(&w, &head);
    return writer_end(&w);
}

/*
 * SDKs throw at this event, after the text so far; without it openai-node takes the end of the
 * bytes for the end of the answer. Neither finish reason nor end mark follows: whoever misses the
 * error must at least not find a completion.
 */
int openai_write_stream_error(struct dialect_stream *s, const struct dialect_refusal *r,
                              struct buf *out)
{
    struct writer w = writer_begin(out);
    struct dialect_refusal error = *r;
    if (error.type.len == 0)
        error.type = SPAN_LIT("upstream_error");
    put(&w, SPAN_LIT("data: "));
    if (w.rc == 0)
        w.rc = openai_write_error(&error, out);
    put(&w, SPAN_LIT("\n\n"));
    return writer_end(&w);
}
