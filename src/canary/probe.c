#include "canary/probe.h"

#include "base/utf8.h"
#include "json/walk.h"

#define GREETING "早上好"
#define REPLY    "早上好，很高兴见到您。"
#define LEAD     "早上好， "
#define TAIL     " 今天天气很好"

#define CONTENT_MAX 65536

static bool contains(struct span text, struct span part)
{
    return part.len > 0 && span_find(text, part) < text.len;
}

int probe_write_request(const struct probe *p, struct span model, struct buf *out)
{
    bool said = p->word.len && p->direction == DIRECTION_PROMPT;
    int r = buf_append(out, SPAN_LIT("{\"model\":\""));
    if (r == 0)
        r = json_escape(out, model);
    if (r == 0)
        r = buf_append(out, SPAN_LIT("\",\"messages\":[{\"role\":\"user\",\"content\":\""));
    if (r == 0)
        r = json_escape(out, said ? p->word : SPAN_LIT(GREETING));
    if (r == 0)
        r = buf_append(out, p->stream ? SPAN_LIT("\"}],\"stream\":true}") : SPAN_LIT("\"}]}"));
    return r;
}

static int write_event(struct buf *out, struct span model, struct span content)
{
    int r =
        buf_append(out, SPAN_LIT("data: {\"id\":\"canary\",\"object\":\"chat.completion.chunk\","
                                 "\"created\":0,\"model\":\""));
    if (r == 0)
        r = json_escape(out, model);
    if (r == 0)
        r = buf_append(out, SPAN_LIT("\",\"choices\":[{\"index\":0,\"delta\":{"));
    if (r == 0 && content.len)
        r = buf_append(out, SPAN_LIT("\"content\":\""));
    if (r == 0)
        r = json_escape(out, content);
    if (r == 0)
        r = buf_append(out, content.len
                                ? SPAN_LIT("\"},\"finish_reason\":null}]}\n\n")
                                : SPAN_LIT("},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n"));
    return r;
}

/* A character an event: the hardest that a stream can be split. */
static int write_stream(const struct probe *p, struct span model, struct span said, struct buf *out)
{
    int r = write_event(out, model, said.len ? SPAN_LIT(LEAD) : SPAN_LIT(REPLY));
    while (r == 0 && said.len) {
        uint32_t cp;
        int n = utf8_decode(said, false, &cp);
        size_t length = n > 0 ? (size_t)n : said.len;
        r = write_event(out, model, span_slice(said, 0, length));
        said = span_slice(said, length, said.len);
        if (r == 0 && said.len == 0)
            r = write_event(out, model, SPAN_LIT(TAIL));
    }
    return r < 0 ? r : write_event(out, model, SPAN_NULL);
}

int probe_write_answer(const struct probe *p, struct span model, struct buf *out)
{
    struct span said = p->direction == DIRECTION_COMPLETION ? p->word : SPAN_NULL;
    if (p->stream)
        return write_stream(p, model, said, out);
    int r =
        buf_append(out, SPAN_LIT("{\"id\":\"canary\",\"object\":\"chat.completion\",\"created\":"
                                 "0,\"model\":\""));
    if (r == 0)
        r = json_escape(out, model);
    if (r == 0)
        r = buf_append(out, SPAN_LIT("\",\"choices\":[{\"index\":0,\"message\":{\"role\":"
                                     "\"assistant\",\"content\":\""));
    if (r == 0)
        r = json_escape(out, said.len ? said : SPAN_LIT(REPLY));
    if (r == 0)
        r = buf_append(out, SPAN_LIT("\"},\"finish_reason\":\"stop\"}]}"));
    return r;
}

/* What the client would show: all contents of the body in order. */
static void collect(struct span body, struct buf *out)
{
    static const struct span key = SPAN_LIT("\"content\":");
    char text[4096];
    for (size_t at; (at = span_find(body, key)) < body.len;) {
        body = span_slice(body, at + key.len, body.len);
        if (body.len == 0 || body.data[0] != '"')
            continue;
        size_t end = 1;
        while (end < body.len && body.data[end] != '"')
            end += body.data[end] == '\\' ? 2 : 1;
        if (end >= body.len)
            return;
        buf_append(out, json_unquote(span_slice(body, 0, end + 1), text, sizeof(text)));
        body = span_slice(body, end + 1, body.len);
    }
}

static const char *check_prompt(const struct probe *p, const struct probe_seen *seen)
{
    struct buf escaped = BUF_INIT(CONTENT_MAX);
    bool reached = json_escape(&escaped, p->word) < 0 ||
                   (seen->asked && contains(seen->asked_body, buf_span(&escaped)));
    buf_deinit(&escaped);
    if (p->need > ACTION_FLAG && reached)
        return "it reached the model";
    if (p->need >= ACTION_ANSWER && seen->asked)
        return "the model was asked";
    return seen->action < p->need ? "less was done than the policy says" : NULL;
}

static const char *check_answer(const struct probe *p, const struct probe_seen *seen,
                                struct span shown)
{
    if (!seen->asked)
        return "the route does not reach the model";
    if (p->need > ACTION_FLAG && contains(shown, p->word))
        return "it was delivered";
    if (p->need >= ACTION_ANSWER && contains(shown, SPAN_LIT(TAIL)))
        return "what stands behind it was delivered";
    /* A stream's header may have gone out before the word came. */
    return !p->stream && seen->action < p->need ? "less was done than the policy says" : NULL;
}

const char *probe_check(const struct probe *p, const struct probe_seen *seen)
{
    if (seen->status == 0)
        return "no answer came";
    /* Any other refusal says nothing about interception. */
    if (seen->status != 200 &&
        !(seen->status == 400 && contains(seen->body, SPAN_LIT("\"content_filter\""))))
        return "the route fails";
    struct buf shown = BUF_INIT(CONTENT_MAX);
    collect(seen->body, &shown);
    const char *wrong;
    if (p->word.len == 0)
        wrong = seen->asked && seen->action <= ACTION_FLAG &&
                        contains(buf_span(&shown), SPAN_LIT(REPLY))
                    ? NULL
                    : "an innocent text does not go through";
    else if (p->direction == DIRECTION_PROMPT)
        wrong = check_prompt(p, seen);
    else
        wrong = check_answer(p, seen, buf_span(&shown));
    buf_deinit(&shown);
    return wrong;
}
