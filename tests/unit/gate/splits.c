/*
 * However the upstream splits its stream: splits of its bytes over reads give identical bytes at
 * the client, splits of its text over events give identical texts and an identical outcome.
 */
#include "bed.h"
#include "texts.h"

#include "base/utf8.h"
#include "json/walk.h"

/* Ways to distribute texts over events, and ways to distribute the bytes of each over reads. */
#define STYLES      4
#define BYTE_SPLITS 3
#define CUTS_MAX    65536

#define NOTICE   "抱歉，我无法回答这个问题。 Sorry, I can't help with that."
#define FILTERED "finish@0=content_filter\ndone\n"
#define STOPPED  "finish@0=stop\ndone\n"

enum kind {
    PART_NONE,
    PART_ROLE,
    PART_CONTENT,
    PART_REASONING,
    PART_REFUSAL,
    PART_ARGUMENTS,
    PART_LOGPROBS, /* content with its logprobs */
    PART_RAW,      /* events as they stand */
};

struct part {
    enum kind kind;
    const char *text;
    unsigned choice;
};

static const struct stream_case {
    const char *name;
    struct part parts[6];
    const char *want;
    const char *never;  /* code points that must not reach the client in any form */
    const char *finish; /* NULL: stop */
    bool verbatim;      /* the client gets exactly what the upstream sent */
    bool usage, whole;  /* usage chunk asked for; the parts bring their own end */
    unsigned choices;
} cases[] = {
    {.name = "clean",
     .parts = {{PART_ROLE}, {PART_CONTENT, "你好，world!\n\"a\\b\" 😀 e\xcc\x81 z"}},
     .want = "content@0=你好，world!\n\"a\\b\" 😀 e\xcc\x81 z\n" STOPPED,
     .verbatim = true},
    {.name = "keyword at the start",
     .parts = {{PART_CONTENT, "琥珀炸弹配方之后"}},
     .want = "content@0=" NOTICE "\n" FILTERED,
     .never = "琥珀炸弹配方之后"},
    {.name = "keyword at the start, behind the role",
     .parts = {{PART_ROLE}, {PART_CONTENT, "琥珀炸弹配方之后"}},
     .want = "content@0=\n\n" NOTICE "\n" FILTERED,
     .never = "琥珀炸弹配方之后"},
    {.name = "keyword in the middle",
     .parts = {{PART_ROLE}, {PART_CONTENT, "前文，zorgon acid recipe 后文"}},
     .want = "content@0=前文，\n\n" NOTICE "\n" FILTERED,
     .never = "后"},
    {.name = "keyword at the end",
     .parts = {{PART_CONTENT, "安全地zorgon acid recipe"}},
     .want = "content@0=安全地\n\n" NOTICE "\n" FILTERED},
    {.name = "disguised keyword",
     .parts = {{PART_CONTENT, "说ｏｋ琥*珀 炸弹\xe2\x80\x8b配方吧"}},
     .want = "content@0=说ｏｋ\n\n" NOTICE "\n" FILTERED,
     .never = "琥珀炸弹配方吧"},
    {.name = "beginnings of keywords that come to nothing",
     .parts = {{PART_CONTENT, "琥珀，琥珀炸弹，zorgon acid, zorg 琥 "}},
     .want = "content@0=琥珀，琥珀炸弹，zorgon acid, zorg 琥 \n" STOPPED,
     .verbatim = true},
    {.name = "longer innocent phrase",
     .parts = {{PART_CONTENT, "甲琥珀炸弹配方糖乙，琥珀炸弹配方糖"}},
     .want = "content@0=甲琥珀炸弹配方糖乙，琥珀炸弹配方糖\n" STOPPED,
     .verbatim = true},
    {.name = "its shorter keyword",
     .parts = {{PART_CONTENT, "甲琥珀炸弹配方糖，买琥珀炸弹配方"}},
     .want = "content@0=甲琥珀炸弹配方糖，买\n\n" NOTICE "\n" FILTERED},
    {.name = "number masked",
     .parts = {{PART_ROLE}, {PART_CONTENT, "电话138-0013-8000，谢谢"}},
     .want = "content@0=电话*************，谢谢\n" STOPPED,
     .never = "138"},
    {.name = "number and address masked at the end",
     .parts = {{PART_CONTENT, "写 a.b@example.com 或打13800138000"}},
     .want = "content@0=写 *************** 或打***********\n" STOPPED,
     .never = "138@"},
    {.name = "mask, then keyword",
     .parts = {{PART_CONTENT, "打13800138000再zorgon acid recipe了"}},
     .want = "content@0=打***********再\n\n" NOTICE "\n" FILTERED,
     .never = "138了"},
    {.name = "two choices",
     .parts = {{PART_CONTENT, "甲乙丙丁，打13912345678吧"}, {PART_CONTENT, "子丑寅卯", 1}},
     .want = "content@0=甲乙丙丁，打***********吧\ncontent@1=子丑寅卯\n"
             "finish@0=stop\nfinish@1=stop\ndone\n",
     .choices = 2,
     .never = "139"},
    {.name = "keyword in the reasoning",
     .parts = {{PART_REASONING, "想想琥珀炸弹配方吧"}, {PART_CONTENT, "好的"}},
     .want = "content@0=\n\n" NOTICE "\nreasoning@0=想想\n" FILTERED,
     .never = "琥珀炸弹配方吧好的"},
    {.name = "reasoning, then a masked answer",
     .parts = {{PART_REASONING, "想想"}, {PART_CONTENT, "打13800138000"}},
     .want = "content@0=打***********\nreasoning@0=想想\n" STOPPED,
     .never = "138"},
    {.name = "keyword in the refusal",
     .parts = {{PART_REFUSAL, "不谈琥珀炸弹配方"}},
     .want = "content@0=\n\n" NOTICE "\nrefusal@0=不谈\n" FILTERED,
     .never = "琥珀炸弹配方"},
    {.name = "tool call",
     .parts = {{PART_ARGUMENTS, "{\"q\":\"caf\\u00e9 \\\"x\\\" 琥珀炸弹配方糖\",\"n\":1}"}},
     .want = "arguments@0={\"q\":\"caf\\u00e9 \\\"x\\\" 琥珀炸弹配方糖\",\"n\":1}\n"
             "finish@0=tool_calls\ndone\n",
     .finish = "tool_calls",
     .verbatim = true},
    {.name = "keyword in a tool call",
     .parts = {{PART_ARGUMENTS, "{\"q\":\"说琥珀炸弹配方\"}"}},
     .want = "content@0=" NOTICE "\n" FILTERED,
     .finish = "tool_calls",
     .never = "q琥珀炸弹配方"},
    {.name = "keyword behind a tool call's escapes",
     .parts = {{PART_ROLE},
               {PART_ARGUMENTS, "{\"q\":\"\\u7425\\u73c0\\u70b8\\u5f39\\u914d\\u65b9\"}"}},
     .want = "content@0=\n\n" NOTICE "\n" FILTERED,
     .finish = "tool_calls",
     .never = "q琥"},
    {.name = "text, then a number in a tool call",
     .parts = {{PART_CONTENT, "稍等"}, {PART_ARGUMENTS, "{\"tel\":\"13800138000\"}"}},
     .want = "content@0=稍等\n\n" NOTICE "\n" FILTERED,
     .finish = "tool_calls",
     .never = "138"},
    {.name = "logprobs, clean",
     .parts = {{PART_LOGPROBS, "你好world琥珀炸弹配方糖"}},
     .want = "content@0=你好world琥珀炸弹配方糖\n" STOPPED,
     .verbatim = true},
    {.name = "logprobs, keyword",
     .parts = {{PART_LOGPROBS, "听好琥珀炸弹配方"}},
     .want = "content@0=听好\n\n" NOTICE "\n" FILTERED,
     .never = "琥珀炸弹配方"},
    {.name = "usage",
     .parts = {{PART_ROLE}, {PART_CONTENT, "好琥珀炸弹配方糖"}},
     .want = "content@0=好琥珀炸弹配方糖\n" STOPPED,
     .usage = true,
     .verbatim = true},
    {.name = "halves of a surrogate pair",
     .parts = {{PART_RAW, "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":"
                          "\"a\\ud83d\"},\"finish_reason\":null}]}\n\n"
                          "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":"
                          "\"\\ude00b\"},\"finish_reason\":null}]}\n\n"}},
     .want = NULL,
     .verbatim = true},
    {.name = "everything in one event",
     .parts = {{PART_RAW,
                "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":7,\"model\":"
                "\"demo\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\","
                "\"reasoning_content\":\"嗯\",\"content\":\"打13800138000\"},\"logprobs\":null,"
                "\"finish_reason\":\"stop\"}],\"usage\":{\"total_tokens\":3}}\n\n"
                "data: [DONE]\n\n"}},
     .want = "content@0=打***********\nreasoning@0=嗯\n" STOPPED,
     .whole = true,
     .never = "138"},
    {.name = "other line ends, comments, fields",
     .parts = {{PART_RAW,
                "\xef\xbb\xbf: hello\r\n\r\nevent: message\r\nid: 1\r\ndata:{\"id\":\"c\","
                "\"choices\":[{\"index\":0,\r\ndata: \"delta\":{\"content\":\"好琥珀炸弹配方\"},"
                "\"finish_reason\":null}]}\r\n\r\nretry: 5\r\r"
                "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":"
                "\"糖\"},\"finish_reason\":\"stop\"}]}\r\rdata: [DONE]\n"}},
     .want = "content@0=好琥珀炸弹配方糖\n" STOPPED,
     .whole = true},
    {.name = "a choice is cut when another is finished",
     .parts = {{PART_RAW, "data: "
                          "{\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"甲\"},"
                          "\"finish_reason\":null},{\"index\":1,\"delta\":{\"content\":\"乙\"},"
                          "\"finish_reason\":null}]}\n\ndata: "
                          "{\"id\":\"c\",\"choices\":[{\"index\":1,\"delta\":{},\"finish_reason\":"
                          "\"stop\"}]}\n\ndata: "
                          "{\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":"
                          "\"说琥珀炸弹配方\"},\"finish_reason\":null}]}\n\ndata: "
                          "{\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":"
                          "\"stop\"}]}\n\ndata: [DONE]\n\n"}},
     .want = "content@0=甲说\n\n" NOTICE "\ncontent@1=乙\nfinish@1=stop\n" FILTERED,
     .never = "琥珀炸弹配方",
     .choices = 2,
     .whole = true},
    {.name = "both choices masked in one event",
     .parts = {{PART_RAW, "data: "
                          "{\"id\":\"c\",\"choices\":[{\"index\":1,\"delta\":{\"content\":"
                          "\"打13800138000\"},\"finish_reason\":null},{\"index\":0,\"delta\":{"
                          "\"content\":\"打13912345678\"},\"finish_reason\":null}]}\n\ndata: "
                          "{\"id\":\"c\",\"choices\":[{\"index\":1,\"delta\":{},\"finish_reason\":"
                          "\"stop\"}]}\n\ndata: "
                          "{\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":"
                          "\"stop\"}]}\n\ndata: [DONE]\n\n"}},
     .want =
         "content@0=打***********\ncontent@1=打***********\nfinish@1=stop\nfinish@0=stop\ndone\n",
     .never = "138",
     .choices = 2,
     .whole = true},
    {.name = "usage behind a cut",
     .parts = {{PART_RAW,
                "data: "
                "{\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"好琥珀炸弹配方\"}"
                ",\"finish_reason\":null}]}\n\ndata: "
                "{\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}"
                "\n\ndata: {\"id\":\"c\",\"choices\":[],\"usage\":{\"total_tokens\":3}}\n\ndata: "
                "[DONE]\n\n"}},
     .want = "content@0=好\n\n" NOTICE "\n" FILTERED,
     .never = "琥珀炸弹配方",
     .usage = true,
     .whole = true},
    {.name = "transcript masked",
     .parts = {{PART_RAW, "data: "
                          "{\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"audio\":{\"id\":"
                          "\"a\",\"transcript\":\"打138\"}},\"finish_reason\":null}]}\n\ndata: "
                          "{\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"audio\":{\"id\":"
                          "\"a\",\"transcript\":\"00138000\"}},\"finish_reason\":null}]}\n\ndata: "
                          "{\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":"
                          "\"stop\"}]}\n\ndata: [DONE]\n\n"}},
     .want = "audio@0=打***********\n" STOPPED,
     .never = "138",
     .whole = true},
    {.name = "parts of content",
     .parts = {{PART_RAW,
                "data: "
                "{\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":[{\"type\":"
                "\"text\",\"text\":\"好琥珀\"}]},\"finish_reason\":null}]}\n\ndata: "
                "{\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":[{\"type\":"
                "\"text\",\"text\":\"炸弹配方\"}]},\"finish_reason\":null}]}\n\ndata: "
                "{\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}"
                "\n\ndata: [DONE]\n\n"}},
     .want = "content@0=好\n\n" NOTICE "\n" FILTERED,
     .never = "琥珀炸弹配方",
     .whole = true},
    {.name = "a function call",
     .parts =
         {{PART_RAW,
           "data: "
           "{\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"function_call\":{\"name\":\"f\","
           "\"arguments\":\"{\\\"q\\\":\\\"琥珀\"}},\"finish_reason\":null}]}\n\ndata: "
           "{\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"function_call\":{\"arguments\":"
           "\"炸弹配方\\\"}\"}},\"finish_reason\":null}]}\n\ndata: "
           "{\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"function_"
           "call\"}]}\n\ndata: [DONE]\n\n"}},
     .want = "content@0=" NOTICE "\n" FILTERED,
     .never = "琥珀炸弹配方",
     .whole = true},
    {.name = "two calls that take turns",
     .parts = {{PART_RAW,
                "data: "
                "{\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,"
                "\"id\":\"t\",\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"a\\\":\\\"琥珀\"}},"
                "{\"index\":1,\"id\":\"u\",\"function\":{\"name\":\"g\",\"arguments\":\"{\\\"b\\\":"
                "1\"}}]},\"finish_reason\":null}]}\n\ndata: "
                "{\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,"
                "\"function\":{\"arguments\":\"炸弹配方\\\"}\"}},{\"index\":1,\"function\":{"
                "\"arguments\":\"}\"}}]},\"finish_reason\":null}]}\n\ndata: "
                "{\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"tool_"
                "calls\"}]}\n\ndata: [DONE]\n\n"}},
     .want = "content@0=" NOTICE "\n" FILTERED,
     .never = "琥珀炸弹配方",
     .whole = true},
    {.name = "logprobs in other pieces than the text",
     .parts = {{PART_RAW, "data: "
                          "{\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":"
                          "\"好琥珀\"},\"logprobs\":{\"content\":[{\"token\":\"好琥\",\"logprob\":-"
                          "1,\"bytes\":null,\"top_logprobs\":[{\"token\":\"炸弹配方\",\"logprob\":-"
                          "2}]}]},\"finish_reason\":null}]}\n\ndata: "
                          "{\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"糕\"},"
                          "\"logprobs\":{\"content\":[{\"token\":\"珀糕\",\"logprob\":-1,\"bytes\":"
                          "null,\"top_logprobs\":[]}]},\"finish_reason\":null}]}\n\ndata: "
                          "{\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":"
                          "\"stop\"}]}\n\ndata: [DONE]\n\n"}},
     .want = "content@0=好琥珀糕\n" STOPPED,
     .verbatim = true,
     .whole = true},
    {.name = "reasoning details",
     .parts = {{PART_RAW, "data: "
                          "{\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"reasoning\":"
                          "\"想琥珀\",\"reasoning_details\":[{\"type\":\"reasoning.text\",\"text\":"
                          "\"想琥珀\"}]},\"finish_reason\":null}]}\n\ndata: "
                          "{\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"reasoning\":"
                          "\"炸弹配方\",\"reasoning_details\":[{\"type\":\"reasoning.text\","
                          "\"text\":\"炸弹配方\"}]},\"finish_reason\":null}]}\n\ndata: "
                          "{\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":"
                          "\"stop\"}]}\n\ndata: [DONE]\n\n"}},
     .want = "content@0=\n\n" NOTICE "\nreasoning@0=想\nreasoning@0=想\n" FILTERED,
     .never = "琥珀炸弹配方",
     .whole = true},
    {.name = "text with the finish, then counts",
     .parts =
         {{PART_RAW,
           "data: "
           "{\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"打13800138000\"},"
           "\"finish_reason\":\"stop\"}]}\n\ndata: "
           "{\"id\":\"c\",\"choices\":[],\"usage\":{\"total_tokens\":3}}\n\ndata: [DONE]\n\n"}},
     .want = "content@0=打***********\n" STOPPED,
     .never = "138",
     .whole = true},
    {.name = "empty texts and null",
     .parts = {{PART_RAW,
                "data: "
                "{\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":null},\"finish_"
                "reason\":null}]}\n\ndata: "
                "{\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"\"},\"finish_"
                "reason\":null}]}\n\ndata: "
                "{\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"好\"},\"finish_"
                "reason\":null}]}\n\ndata: {\"id\":\"c\",\"choices\":[]}\n\ndata: "
                "{\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}"
                "\n\ndata: [DONE]\n\n"}},
     .want = "content@0=好\n" STOPPED,
     .verbatim = true,
     .whole = true},
    {.name = "a mark of invisible characters",
     .parts = {{PART_RAW, "data: "
                          "{\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":"
                          "\"好琥\\u200b\"},\"finish_reason\":null}]}\n\ndata: "
                          "{\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":"
                          "\"\\u2060珀\\ufe0f\"},\"finish_reason\":null}]}\n\ndata: "
                          "{\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":"
                          "\"炸弹配\"},\"finish_reason\":null}]}\n\ndata: "
                          "{\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"方\"},"
                          "\"finish_reason\":null}]}\n\ndata: "
                          "{\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":"
                          "\"stop\"}]}\n\ndata: [DONE]\n\n"}},
     .want = "content@0=好\n\n" NOTICE "\n" FILTERED,
     .never = "琥珀炸弹配方",
     .whole = true},
};

/* --- a stream of a case, in one of its styles --- */

struct builder {
    struct buf out;
    uint64_t seed;
    unsigned style; /* 0: each text in one event; 1: each code point in one; else by chance */
    bool escape;    /* texts are ASCII */
    bool begun;     /* the tool call has its name */
};

static void add(struct builder *b, const char *text)
{
    assert_int_equal(buf_append(&b->out, span_str(text)), 0);
}

static void add_escaped(struct builder *b, struct span text)
{
    if (!b->escape || random_next(&b->seed) % 2) {
        assert_int_equal(json_escape(&b->out, text), 0);
        return;
    }
    while (text.len) {
        uint32_t c;
        size_t n = (size_t)utf8_decode(text, false, &c);
        assert_true(n > 0);
        int rc = c < 0x10000 ? buf_printf(&b->out, "\\u%04x", c)
                             : buf_printf(&b->out, "\\u%04X\\u%04x", 0xD800 + ((c - 0x10000) >> 10),
                                          0xDC00 + ((c - 0x10000) & 0x3FF));
        assert_int_equal(rc, 0);
        text = span_slice(text, n, text.len);
    }
}

static void add_delta(struct builder *b, const struct part *p, struct span text)
{
    static const char *const names[] = {
        [PART_CONTENT] = "content",
        [PART_REASONING] = "reasoning_content",
        [PART_REFUSAL] = "refusal",
        [PART_LOGPROBS] = "content",
    };
    if (p->kind == PART_ROLE) {
        add(b, "\"role\":\"assistant\",\"content\":\"\"}");
    } else if (p->kind == PART_ARGUMENTS) {
        add(b, b->begun ? "\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\""
                        : "\"tool_calls\":[{\"index\":0,\"id\":\"t1\",\"type\":\"function\","
                          "\"function\":{\"name\":\"f\",\"arguments\":\"");
        b->begun = true;
        add_escaped(b, text);
        add(b, "\"}}]}");
    } else {
        assert_int_equal(buf_printf(&b->out, "\"%s\":\"", names[p->kind]), 0);
        add_escaped(b, text);
        add(b, "\"}");
    }
    if (p->kind != PART_LOGPROBS)
        return;
    add(b, ",\"logprobs\":{\"content\":[{\"token\":\"");
    add_escaped(b, text);
    add(b, "\",\"logprob\":-0.5,\"bytes\":[");
    for (size_t i = 0; i < text.len; i++)
        assert_int_equal(
            buf_printf(&b->out, i ? ",%u" : "%u", (unsigned)(unsigned char)text.data[i]), 0);
    add(b, "],\"top_logprobs\":[]}],\"refusal\":null}");
}

static void add_event(struct builder *b, const struct part *p, struct span text, const char *finish)
{
    assert_int_equal(buf_printf(&b->out,
                                "data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\","
                                "\"created\":7,\"model\":\"demo\",\"choices\":[{\"index\":%u,"
                                "\"delta\":{",
                                p->choice),
                     0);
    if (p->kind == PART_NONE)
        add(b, "}");
    else
        add_delta(b, p, text);
    if (finish)
        assert_int_equal(buf_printf(&b->out, ",\"finish_reason\":\"%s\"}]}\n\n", finish), 0);
    else
        add(b, ",\"finish_reason\":null}]}\n\n");
}

/* How much of the text the next event takes. */
static size_t take(struct builder *b, struct span text)
{
    uint32_t c;
    size_t n = 0;
    size_t left = b->style == 0 ? SIZE_MAX : b->style == 1 ? 1 : 1 + random_next(&b->seed) % 5;
    while (n < text.len && left--)
        n += (size_t)utf8_decode(span_slice(text, n, text.len), false, &c);
    return n;
}

static void build(struct builder *b, const struct stream_case *c)
{
    const char *finish = c->finish ? c->finish : "stop";
    bool same_event = b->style == 2; /* the finish comes with the last text */
    size_t count = 0;
    struct span rest[6];
    while (count < 6 && c->parts[count].kind != PART_NONE) {
        rest[count] = c->parts[count].text ? span_str(c->parts[count].text) : SPAN_NULL;
        count++;
    }
    for (size_t i = 0; i < count;) {
        const struct part *p = &c->parts[i];
        if (p->kind == PART_RAW) {
            assert_int_equal(buf_append(&b->out, rest[i++]), 0);
            continue;
        }
        /* Choices take turns. */
        if (c->choices && i + 1 < count && rest[i + 1].len &&
            (rest[i].len == 0 || random_next(&b->seed) % 2)) {
            size_t n = take(b, rest[i + 1]);
            add_event(b, p + 1, span_slice(rest[i + 1], 0, n), NULL);
            rest[i + 1] = span_slice(rest[i + 1], n, rest[i + 1].len);
            continue;
        }
        size_t n = take(b, rest[i]);
        bool last = n == rest[i].len && i + 1 == count && !c->choices;
        if (rest[i].len || p->kind == PART_ROLE)
            add_event(b, p, span_slice(rest[i], 0, n), last && same_event ? finish : NULL);
        rest[i] = span_slice(rest[i], n, rest[i].len);
        if (rest[i].len == 0 && !(c->choices && i + 1 < count && rest[i + 1].len))
            i++;
    }
    if (c->whole)
        return;
    for (unsigned i = 0; i < (c->choices ? c->choices : 1); i++)
        if (!same_event || c->choices || c->parts[0].kind == PART_RAW)
            add_event(b, &(struct part){.choice = i}, SPAN_NULL, finish);
    if (c->usage)
        add(b, "data: {\"id\":\"c1\",\"choices\":[],\"usage\":{\"prompt_tokens\":1,"
               "\"completion_tokens\":2,\"total_tokens\":3}}\n\n");
    add(b, "data: [DONE]\n\n");
}

/* --- the properties --- */

struct script {
    struct span body;
    size_t cut_count;
    enum bed_end end;
};

static size_t cuts[CUTS_MAX];

static int by_place(const void *a, const void *b)
{
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return x < y ? -1 : x > y;
}

/* The first way is every byte for itself, where the stream is short. */
static void split_bytes(struct script *s, unsigned way, uint64_t *seed)
{
    if (way == 0 && s->body.len < 1500) {
        s->cut_count = s->body.len - 1;
        for (size_t i = 0; i < s->cut_count; i++)
            cuts[i] = i + 1;
        return;
    }
    s->cut_count = 1 + random_next(seed) % 24;
    for (size_t i = 0; i < s->cut_count; i++)
        cuts[i] = random_next(seed) % s->body.len;
    qsort(cuts, s->cut_count, sizeof(*cuts), by_place);
}

/* Asks for an answer to case c that comes as these bytes; the whole body. */
static struct buf ask(struct bed *b, const struct stream_case *c, const struct script *s)
{
    struct buf wire = BUF_INIT(1 << 20);
    char more[96];
    bed_stream(&wire, s->body);
    size_t head = wire.len - s->body.len;
    for (size_t i = 0; i < s->cut_count; i++)
        cuts[i] += head;
    b->script = (struct bed_script){
        .bytes = buf_span(&wire), .cuts = cuts, .cut_count = s->cut_count, .end = s->end};
    snprintf(more, sizeof(more), "\"stream\":true,\"n\":%u%s", c->choices ? c->choices : 1,
             c->usage ? ",\"stream_options\":{\"include_usage\":true}" : "");
    struct bed_client client;
    bed_ask(b, &client, bed_question("hi", more));
    bed_answer(b, &client);
    struct buf body = bed_body(&client);
    if (bed_status(&client) != 200 || !bed_whole(&client))
        fail_msg("%s: status %d: %.*s", c->name, bed_status(&client), SPAN_ARG(buf_span(&body)));
    bed_leave(&client);
    buf_deinit(&wire);
    return body;
}

static void must_not_have(struct span body, const char *part)
{
    if (span_find(body, span_str(part)) < body.len)
        fail_msg("'%s' in: %.*s", part, SPAN_ARG(body));
}

static void never_seen(struct span body, const char *text)
{
    struct span rest = span_str(text);
    while (rest.len) {
        uint32_t c;
        char form[16];
        size_t n = (size_t)utf8_decode(rest, false, &c);
        if (c >= 0x80) {
            snprintf(form, sizeof(form), "%.*s", (int)n, rest.data);
            must_not_have(body, form);
            snprintf(form, sizeof(form), "\\u%04x", c);
            must_not_have(body, form);
            rest = span_slice(rest, n, rest.len);
            continue;
        }
        for (n = 0; n < rest.len && (unsigned char)rest.data[n] < 0x80; n++)
            ;
        snprintf(form, sizeof(form), "%.*s", (int)n, rest.data);
        if (n > 1)
            must_not_have(body, form);
        rest = span_slice(rest, n, rest.len);
    }
}

/* --- with labels --- */

#define LABEL "（本内容由人工智能生成）"

static size_t count(struct span text, const char *part)
{
    size_t n = 0;
    for (;; n++) {
        size_t at = span_find(text, span_str(part));
        if (at == text.len)
            return n;
        text = span_slice(text, at + 1, text.len);
    }
}

/* The same texts in every style and split, each answer labelled once. */
static void check_labels(struct bed *bed, const struct stream_case *c, uint64_t *seed)
{
    struct buf want = BUF_INIT(1 << 20);
    for (unsigned style = 0; style < (c->parts[0].kind == PART_RAW ? 1 : STYLES); style++) {
        struct builder b = {.out = BUF_INIT(1 << 20),
                            .seed = random_next(seed),
                            .style = style,
                            .escape = style == 3};
        build(&b, c);
        for (unsigned way = 0; way < 2; way++) {
            struct script s = {.body = buf_span(&b.out)};
            split_bytes(&s, way, seed);
            struct buf body = ask(bed, c, &s);
            struct span got = texts_read(buf_span(&body));
            unsigned most = c->choices ? c->choices : 1;
            if (want.len == 0)
                assert_int_equal(buf_append(&want, got), 0);
            if (!span_eq(got, buf_span(&want)) || count(got, LABEL) > most)
                fail_msg("%s, style %u: got\n%.*swant\n%.*s", c->name, style, SPAN_ARG(got),
                         SPAN_ARG(buf_span(&want)));
            if (c->never) /* in its texts: the code of a label may have any digits */
                never_seen(got, c->never);
            buf_deinit(&body);
        }
        buf_deinit(&b.out);
    }
    buf_deinit(&want);
}

static void check_style(struct bed *bed, const struct stream_case *c, unsigned style, bool observe,
                        uint64_t *seed)
{
    struct builder b = {
        .out = BUF_INIT(1 << 20), .seed = random_next(seed), .style = style, .escape = style == 3};
    build(&b, c);
    struct script s = {.body = buf_span(&b.out)};
    struct buf first = ask(bed, c, &s);
    struct span got = texts_read(buf_span(&first));
    if (observe && c->parts[0].kind != PART_RAW)
        assert_span(buf_span(&first), s.body);
    if (!observe && c->want && !span_eq(got, span_str(c->want)))
        fail_msg("%s, style %u: got\n%.*swant\n%sof\n%.*sas\n%.*s", c->name, style, SPAN_ARG(got),
                 c->want, SPAN_ARG(s.body), SPAN_ARG(buf_span(&first)));
    if (c->verbatim)
        assert_span(buf_span(&first), s.body);
    if (c->never && !observe)
        never_seen(buf_span(&first), c->never);
    make_plain(&first);
    for (unsigned way = 0; way < BYTE_SPLITS; way++) {
        split_bytes(&s, way, seed);
        struct buf again = ask(bed, c, &s);
        make_plain(&again);
        if (!span_eq(buf_span(&again), buf_span(&first)))
            fail_msg("%s, style %u, way %u: got\n%.*swant\n%.*s", c->name, style, way,
                     SPAN_ARG(buf_span(&again)), SPAN_ARG(buf_span(&first)));
        buf_deinit(&again);
    }
    buf_deinit(&first);
    buf_deinit(&b.out);
}

static void run_cases(bool with_log, bool observe, unsigned styles)
{
    static struct bed bed;
    uint64_t seed = 0x6A7579306E67;
    bed_open(&bed, observe ? "policy: { mode: observe, until: 2999-12-31 }\n" : "", with_log);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        for (unsigned style = 0; style < styles; style++)
            if (style == 0 || cases[i].parts[0].kind != PART_RAW)
                check_style(&bed, &cases[i], style, observe, &seed);
    bed_close(&bed);
}

static void test_splits(void **state)
{
    run_cases(true, false, STYLES);
}

/* Without a log everything else is the same. */
static void test_splits_unrecorded(void **state)
{
    run_cases(false, false, 1);
}

/* Who only observes alters nothing. */
static void test_splits_observed(void **state)
{
    run_cases(true, true, 2);
}

static void run_labels(const char *yaml)
{
    static struct bed bed;
    uint64_t seed = 0x6C6162656C;
    bed_open(&bed, yaml, true);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        check_labels(&bed, &cases[i], &seed);
    bed_close(&bed);
}

static void test_splits_labelled(void **state)
{
    run_labels("policy: { label: suffix, language: zh }\n");
    run_labels("policy: { label: prefix, language: zh }\nlabels: { body: true }\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_splits),
        cmocka_unit_test(test_splits_unrecorded),
        cmocka_unit_test(test_splits_observed),
        cmocka_unit_test(test_splits_labelled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
