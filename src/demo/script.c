#include "demo/script.h"

#include "base/list.h"
#include "base/utf8.h"

#include <errno.h>
#include <stdlib.h>

struct stored {
    struct list link;
    bool builtin;
    char name[SCRIPT_NAME_MAX];
    size_t name_len;
    struct json_value *script;
};

struct script_store {
    struct list scripts;
};

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
}

static size_t name_length(struct span s)
{
    size_t n = 0;
    while (n < s.len && is_name_char(s.data[n]))
        n++;
    return n;
}

static struct stored *find(const struct script_store *s, struct span name)
{
    list_for_each (it, &s->scripts) {
        struct stored *e = list_entry(it, struct stored, link);
        if (span_eq(span_from(e->name, e->name_len), name))
            return e;
    }
    return NULL;
}

static int put(struct script_store *s, struct span name, struct span text, bool builtin)
{
    if (name.len == 0 || name.len > SCRIPT_NAME_MAX || name_length(name) != name.len)
        return -EINVAL;
    struct json_value *script = value_parse(text, NULL);
    if (!value_is_object(script)) {
        value_free(script);
        return -EINVAL;
    }
    struct stored *e = find(s, name);
    if (!e) {
        e = calloc(1, sizeof(*e));
        if (!e) {
            value_free(script);
            return -ENOMEM;
        }
        memcpy(e->name, name.data, name.len);
        e->name_len = name.len;
        e->builtin = builtin;
        list_append(&s->scripts, &e->link);
    }
    value_free(e->script);
    e->script = script;
    return 0;
}

static void drop(struct stored *e)
{
    list_remove(&e->link);
    value_free(e->script);
    free(e);
}

struct script_store *script_store_new(void)
{
    struct script_store *s = malloc(sizeof(*s));
    if (!s)
        return NULL;
    list_init(&s->scripts);
    for (const struct script_builtin *b = script_builtins; b->name.data; b++) {
        if (put(s, b->name, b->json, true) < 0) {
            script_store_free(s);
            return NULL;
        }
    }
    return s;
}

void script_store_free(struct script_store *s)
{
    if (!s)
        return;
    list_for_each_safe (it, next, &s->scripts)
        drop(list_entry(it, struct stored, link));
    free(s);
}

int script_store_put(struct script_store *s, struct span name, struct span text)
{
    struct stored *e = find(s, name);
    if (e && e->builtin)
        return -EINVAL;
    return put(s, name, text, false);
}

void script_store_clear(struct script_store *s)
{
    list_for_each_safe (it, next, &s->scripts) {
        struct stored *e = list_entry(it, struct stored, link);
        if (!e->builtin)
            drop(e);
    }
}

const struct json_value *script_store_find(const struct script_store *s, struct span name)
{
    const struct stored *e = find(s, name);
    return e ? e->script : NULL;
}

static bool has_han(struct span s)
{
    for (size_t at = 0; at < s.len;) {
        uint32_t cp;
        int n = utf8_decode(span_slice(s, at, s.len), false, &cp);
        if (n <= 0)
            return false;
        if (cp >= 0x4E00 && cp <= 0x9FFF)
            return true;
        at += (size_t)n;
    }
    return false;
}

/* The first code points of a message, on one line. */
static struct span beginning(struct span s, size_t code_points)
{
    s = span_trim(s);
    size_t at = 0;
    while (at < s.len && code_points > 0 && s.data[at] != '\n') {
        uint32_t cp;
        int n = utf8_decode(span_slice(s, at, s.len), false, &cp);
        if (n <= 0)
            break;
        at += (size_t)n;
        code_points--;
    }
    return span_slice(s, 0, at);
}

static struct json_value *text_script(struct buf *text)
{
    struct json_value *script = value_object();
    if (value_set(script, SPAN_LIT("text"), value_string(buf_span(text))) < 0) {
        value_free(script);
        script = NULL;
    }
    buf_deinit(text);
    return script;
}

static struct json_value *friendly(struct span message)
{
    struct buf text = BUF_INIT(4096);
    struct span part = beginning(message, 24);
    int rc;
    if (has_han(message))
        rc = buf_printf(&text,
                        "你好！我是居庸附带的演示模型，不会真的思考。你刚才说：“%.*s”。"
                        "今天天气不错，适合把每一个字都检查一遍再交给读者。",
                        SPAN_ARG(part));
    else
        rc = buf_printf(&text,
                        "Hello! I am the stand-in model that comes with Juyong, and I do not "
                        "really think. You said: \"%.*s\". It is a fine day to have every "
                        "word looked at before it is read.",
                        SPAN_ARG(part));
    if (rc < 0) {
        buf_deinit(&text);
        return NULL;
    }
    return text_script(&text);
}

static struct json_value *unknown(struct span name)
{
    struct buf text = BUF_INIT(4096);
    if (buf_printf(&text, "There is no script \"%.*s\". Built in are:", SPAN_ARG(name)) < 0)
        return NULL;
    for (const struct script_builtin *b = script_builtins; b->name.data; b++) {
        if (buf_printf(&text, " %.*s", SPAN_ARG(b->name)) < 0)
            break;
    }
    return text_script(&text);
}

/* The inside of a line {"demo": {…}}; NULL when the line is none, or is no JSON. */
static struct json_value *inline_script(struct span line)
{
    line = span_trim(line);
    if (!span_starts(line, SPAN_LIT("{\"demo\"")))
        return NULL;
    struct json_value *outer = value_parse(line, NULL);
    struct buf inner = BUF_INIT((size_t)16 << 20);
    struct json_value *script = NULL;
    if (value_is_object(value_get(outer, SPAN_LIT("demo"))) &&
        value_dump(value_get(outer, SPAN_LIT("demo")), &inner) == 0)
        script = value_parse(buf_span(&inner), NULL);
    buf_deinit(&inner);
    value_free(outer);
    return script;
}

const struct json_value *script_choose(const struct script_store *s, struct span message,
                                       struct json_value **ret_made)
{
    struct span rest = message, line;
    *ret_made = NULL;
    while (span_split(&rest, '\n', &line)) {
        *ret_made = inline_script(line);
        if (*ret_made)
            return *ret_made;
    }
    size_t at = span_find(message, SPAN_LIT("demo:"));
    if (at < message.len) {
        struct span name = span_slice(message, at + 5, message.len);
        name.len = name_length(name);
        const struct json_value *script = script_store_find(s, name);
        if (script)
            return script;
        *ret_made = unknown(span_slice(name, 0, name.len < 64 ? name.len : 64));
        return *ret_made;
    }
    *ret_made = friendly(message);
    return *ret_made;
}
