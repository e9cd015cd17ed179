#include "demo/delta.h"

#include "base/utf8.h"

#include <errno.h>
#include <stdlib.h>

void delta_list_deinit(struct delta_list *l)
{
    free(l->items);
    *l = (struct delta_list){0};
}

static int add(struct delta_list *l, struct delta d)
{
    if (l->count == l->room) {
        size_t room = l->room ? 2 * l->room : 64;
        struct delta *items = reallocarray(l->items, room, sizeof(*items));
        if (!items)
            return -ENOMEM;
        l->items = items;
        l->room = room;
    }
    l->items[l->count++] = d;
    return 0;
}

/* The length of the first `chunk` code points of s. */
static size_t chunk_length(struct span s, unsigned chunk)
{
    size_t at = 0;
    for (unsigned i = 0; at < s.len && (i < chunk || chunk == 0); i++) {
        uint32_t cp;
        int n = utf8_decode(span_slice(s, at, s.len), false, &cp);
        at += n > 0 ? (size_t)n : 1;
    }
    return at;
}

static int add_text(struct delta_list *l, struct delta d, const struct json_value *v,
                    unsigned chunk)
{
    struct span text;
    if (value_get_string(v, &text)) {
        while (text.len) {
            size_t n = chunk_length(text, chunk);
            d.text = span_slice(text, 0, n);
            text = span_slice(text, n, text.len);
            int rc = add(l, d);
            if (rc < 0)
                return rc;
        }
        return 0;
    }
    for (size_t i = 0; i < value_count(v); i++) {
        if (!value_get_string(value_at(v, i), &d.text))
            return -EINVAL;
        int rc = add(l, d);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int add_tools(struct delta_list *l, unsigned choice, const struct json_value *calls,
                     unsigned chunk)
{
    for (size_t i = 0; i < value_count(calls); i++) {
        const struct json_value *call = value_at(calls, i);
        struct delta d = {
            .kind = DELTA_TOOL,
            .choice = choice,
            .tool = (unsigned)i,
            .id = SPAN_LIT("call_demo"),
        };
        value_get_string(value_get(call, SPAN_LIT("id")), &d.id);
        if (!value_get_string(value_get(call, SPAN_LIT("name")), &d.name))
            return -EINVAL;
        int rc = add(l, d);
        if (rc < 0)
            return rc;
        d.kind = DELTA_ARGUMENTS;
        rc = add_text(l, d, value_get(call, SPAN_LIT("arguments")), chunk);
        if (rc < 0)
            return rc;
    }
    return 0;
}

int delta_list_add(struct delta_list *l, unsigned choice, const struct json_value *script,
                   unsigned chunk)
{
    static const struct {
        struct span key;
        enum delta_kind kind;
    } texts[] = {
        {SPAN_LIT("reasoning"), DELTA_REASONING},
        {SPAN_LIT("refusal"), DELTA_REFUSAL},
        {SPAN_LIT("text"), DELTA_CONTENT},
    };
    int rc = add(l, (struct delta){.kind = DELTA_ROLE, .choice = choice});
    for (size_t i = 0; rc == 0 && i < sizeof(texts) / sizeof(texts[0]); i++)
        rc = add_text(l, (struct delta){.kind = texts[i].kind, .choice = choice},
                      value_get(script, texts[i].key), chunk);
    const struct json_value *calls = value_get(script, SPAN_LIT("tool_calls"));
    if (rc == 0)
        rc = add_tools(l, choice, calls, chunk);
    if (rc < 0)
        return rc;
    struct delta finish = {
        .kind = DELTA_FINISH,
        .choice = choice,
        .text = value_count(calls) ? SPAN_LIT("tool_calls") : SPAN_LIT("stop"),
    };
    value_get_string(value_get(script, SPAN_LIT("finish_reason")), &finish.text);
    return add(l, finish);
}

int delta_list_interleave(struct delta_list *l, unsigned choices)
{
    struct delta_list out = {0};
    size_t *at = calloc(choices, sizeof(*at));
    if (!at)
        return -ENOMEM;
    while (out.count < l->count) {
        for (unsigned c = 0; c < choices; c++) {
            while (at[c] < l->count && l->items[at[c]].choice != c)
                at[c]++;
            if (at[c] == l->count)
                continue;
            if (add(&out, l->items[at[c]++]) < 0) {
                free(at);
                delta_list_deinit(&out);
                return -ENOMEM;
            }
        }
    }
    free(at);
    free(l->items);
    *l = out;
    return 0;
}
