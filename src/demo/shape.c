#include "demo/shape.h"

#include "base/utf8.h"
#include "json/walk.h"

/* A writer that remembers its first failure, so that the shapes below read as what they write. */
struct out {
    struct buf *buf;
    int error;
};

static void raw(struct out *o, struct span s)
{
    if (o->error == 0)
        o->error = buf_append(o->buf, s);
}

static void lit(struct out *o, const char *s)
{
    raw(o, span_str(s));
}

static void number(struct out *o, uint64_t n)
{
    if (o->error == 0)
        o->error = buf_append_u64(o->buf, n);
}

static void inside(struct out *o, struct span s)
{
    if (o->error == 0)
        o->error = json_escape(o->buf, s);
}

static void text(struct out *o, struct span s)
{
    lit(o, "\"");
    inside(o, s);
    lit(o, "\"");
}

static bool grows(const struct delta *d, unsigned choice, enum delta_kind kind, unsigned tool)
{
    return d->choice == choice && d->kind == kind && d->tool == tool;
}

/* The text of one channel over steps 0 to `end`, as a JSON string. */
static void joined(struct out *o, const struct delta_list *l, size_t end, unsigned choice,
                   enum delta_kind kind, unsigned tool)
{
    lit(o, "\"");
    for (size_t i = 0; i < end; i++)
        if (grows(&l->items[i], choice, kind, tool))
            inside(o, l->items[i].text);
    lit(o, "\"");
}

static bool has(const struct delta_list *l, unsigned choice, enum delta_kind kind)
{
    for (size_t i = 0; i < l->count; i++)
        if (l->items[i].choice == choice && l->items[i].kind == kind)
            return true;
    return false;
}

static void token(struct out *o, struct span s)
{
    lit(o, "\"token\":");
    text(o, s);
    lit(o, ",\"logprob\":-0.25,\"bytes\":[");
    for (size_t i = 0; i < s.len; i++) {
        if (i)
            lit(o, ",");
        number(o, (unsigned char)s.data[i]);
    }
    lit(o, "]");
}

/* The tokens of steps from..end of a choice's content, one a step. */
static void logprobs(struct out *o, const struct shape *s, const struct delta_list *l, size_t from,
                     size_t end, unsigned choice)
{
    bool first = true;
    lit(o, s->ask->chat ? "{\"content\":[" : "{\"tokens\":[");
    for (size_t i = from; i < end; i++) {
        const struct delta *d = &l->items[i];
        if (!grows(d, choice, DELTA_CONTENT, 0))
            continue;
        if (!first)
            lit(o, ",");
        first = false;
        if (!s->ask->chat) {
            text(o, d->text);
            continue;
        }
        lit(o, "{");
        token(o, d->text);
        lit(o, ",\"top_logprobs\":[{");
        token(o, d->text);
        lit(o, "}]}");
    }
    lit(o, s->ask->chat ? "],\"refusal\":null}" : "]}");
}

static void head(struct out *o, const struct shape *s, const char *object)
{
    lit(o, s->ask->chat ? "{\"id\":\"chatcmpl-demo-" : "{\"id\":\"cmpl-demo-");
    number(o, s->serial);
    lit(o, "\",\"object\":\"");
    lit(o, object);
    lit(o, "\",\"created\":");
    number(o, s->now);
    lit(o, ",\"model\":");
    text(o, s->model);
}

static void usage(struct out *o, const struct shape *s, const struct delta_list *l)
{
    uint64_t prompt = utf8_count(buf_span(&s->ask->text)), answer = 0;
    for (size_t i = 0; i < l->count; i++)
        answer += l->items[i].kind != DELTA_FINISH ? utf8_count(l->items[i].text) : 0;
    lit(o, "\"usage\":{\"prompt_tokens\":");
    number(o, prompt);
    lit(o, ",\"completion_tokens\":");
    number(o, answer);
    lit(o, ",\"total_tokens\":");
    number(o, prompt + answer);
    lit(o, "}");
}

static void tool_delta(struct out *o, const struct delta *d, const struct shape *s,
                       const struct delta_list *l, size_t i)
{
    lit(o, "\"tool_calls\":[{\"index\":");
    number(o, d->tool);
    if (d->kind == DELTA_TOOL) {
        lit(o, ",\"id\":");
        text(o, d->id);
        lit(o, ",\"type\":\"function\",\"function\":{\"name\":");
        text(o, d->name);
        lit(o, ",\"arguments\":\"\"}}]");
        return;
    }
    lit(o, ",\"function\":{\"arguments\":");
    if (s->cumulative)
        joined(o, l, i + 1, d->choice, d->kind, d->tool);
    else
        text(o, d->text);
    lit(o, "}}]");
}

static void chat_delta(struct out *o, const struct shape *s, const struct delta_list *l, size_t i)
{
    static const char *const keys[] = {
        [DELTA_REASONING] = "\"reasoning_content\":",
        [DELTA_REFUSAL] = "\"refusal\":",
        [DELTA_CONTENT] = "\"content\":",
    };
    const struct delta *d = &l->items[i];
    switch (d->kind) {
    case DELTA_ROLE:
        lit(o, "\"role\":\"assistant\",\"content\":\"\"");
        break;
    case DELTA_REASONING:
    case DELTA_REFUSAL:
    case DELTA_CONTENT:
        lit(o, keys[d->kind]);
        if (s->cumulative)
            joined(o, l, i + 1, d->choice, d->kind, 0);
        else
            text(o, d->text);
        break;
    case DELTA_TOOL:
    case DELTA_ARGUMENTS:
        tool_delta(o, d, s, l, i);
        break;
    case DELTA_FINISH:
        break;
    }
}

int shape_event(const struct shape *s, const struct delta_list *l, size_t i, struct buf *out)
{
    struct out o = {out, 0};
    const struct delta *d = &l->items[i];
    head(&o, s, s->ask->chat ? "chat.completion.chunk" : "text_completion");
    lit(&o, ",\"choices\":[{\"index\":");
    number(&o, d->choice);
    if (s->ask->chat) {
        lit(&o, ",\"delta\":{");
        chat_delta(&o, s, l, i);
        lit(&o, "}");
    } else {
        lit(&o, ",\"text\":");
        text(&o, d->kind == DELTA_CONTENT ? d->text : SPAN_NULL);
    }
    lit(&o, ",\"logprobs\":");
    if (s->logprobs && d->kind == DELTA_CONTENT)
        logprobs(&o, s, l, i, i + 1, d->choice);
    else
        lit(&o, "null");
    lit(&o, ",\"finish_reason\":");
    if (d->kind == DELTA_FINISH)
        text(&o, d->text);
    else
        lit(&o, "null");
    lit(&o, s->ask->include_usage ? "}],\"usage\":null}" : "}]}");
    return o.error;
}

int shape_usage_event(const struct shape *s, const struct delta_list *l, struct buf *out)
{
    struct out o = {out, 0};
    head(&o, s, s->ask->chat ? "chat.completion.chunk" : "text_completion");
    lit(&o, ",\"choices\":[],");
    usage(&o, s, l);
    lit(&o, "}");
    return o.error;
}

static void message(struct out *o, const struct delta_list *l, unsigned c)
{
    lit(o, "\"message\":{\"role\":\"assistant\",\"content\":");
    if (has(l, c, DELTA_CONTENT))
        joined(o, l, l->count, c, DELTA_CONTENT, 0);
    else
        lit(o, "null");
    if (has(l, c, DELTA_REASONING)) {
        lit(o, ",\"reasoning_content\":");
        joined(o, l, l->count, c, DELTA_REASONING, 0);
    }
    lit(o, ",\"refusal\":");
    if (has(l, c, DELTA_REFUSAL))
        joined(o, l, l->count, c, DELTA_REFUSAL, 0);
    else
        lit(o, "null");
    bool first = true;
    for (size_t i = 0; i < l->count; i++) {
        const struct delta *d = &l->items[i];
        if (d->choice != c || d->kind != DELTA_TOOL)
            continue;
        lit(o, first ? ",\"tool_calls\":[{\"id\":" : ",{\"id\":");
        first = false;
        text(o, d->id);
        lit(o, ",\"type\":\"function\",\"function\":{\"name\":");
        text(o, d->name);
        lit(o, ",\"arguments\":");
        joined(o, l, l->count, c, DELTA_ARGUMENTS, d->tool);
        lit(o, "}}");
    }
    lit(o, first ? "}" : "]}");
}

static const struct delta *finish_of(const struct delta_list *l, unsigned c)
{
    for (size_t i = 0; i < l->count; i++)
        if (l->items[i].choice == c && l->items[i].kind == DELTA_FINISH)
            return &l->items[i];
    return NULL;
}

/* By index, although a shorter choice finished first. */
int shape_whole(const struct shape *s, const struct delta_list *l, struct buf *out)
{
    struct out o = {out, 0};
    head(&o, s, s->ask->chat ? "chat.completion" : "text_completion");
    lit(&o, ",\"choices\":[");
    const struct delta *d;
    for (unsigned c = 0; (d = finish_of(l, c)); c++) {
        lit(&o, c ? ",{\"index\":" : "{\"index\":");
        number(&o, c);
        lit(&o, ",");
        if (s->ask->chat) {
            message(&o, l, c);
        } else {
            lit(&o, "\"text\":");
            joined(&o, l, l->count, c, DELTA_CONTENT, 0);
        }
        lit(&o, ",\"logprobs\":");
        if (s->logprobs)
            logprobs(&o, s, l, 0, l->count, c);
        else
            lit(&o, "null");
        lit(&o, ",\"finish_reason\":");
        text(&o, d->text);
        lit(&o, "}");
    }
    lit(&o, "],");
    usage(&o, s, l);
    lit(&o, "}");
    return o.error;
}
