#include "config/label.h"

#include "config/keys.h"

static bool is_alnum(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool is_ai(struct span two, bool any_case)
{
    return any_case ? span_eq_nocase(two, SPAN_LIT("AI")) : span_eq(two, SPAN_LIT("AI"));
}

bool label_names_ai(struct span text, bool any_case)
{
    if (span_find(text, SPAN_LIT("人工智能")) < text.len)
        return true;
    for (size_t i = 0; i + 2 <= text.len; i++)
        if (is_ai(span_slice(text, i, i + 2), any_case) &&
            (i == 0 || !is_alnum(text.data[i - 1])) &&
            (i + 2 == text.len || !is_alnum(text.data[i + 2])))
            return true;
    return false;
}

bool label_names_generation(struct span text)
{
    static const struct span english = SPAN_LIT("generated");
    if (span_find(text, SPAN_LIT("生成")) < text.len ||
        span_find(text, SPAN_LIT("合成")) < text.len)
        return true;
    for (size_t i = 0; i + english.len <= text.len; i++)
        if (span_eq_nocase(span_slice(text, i, i + english.len), english))
            return true;
    return false;
}

bool label_is_plain(struct span value)
{
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.data[i];
        if (c < 0x21 || c > 0x7e || c == '"' || c == '\\')
            return false;
    }
    return true;
}

void read_label_text(struct reader *r, const struct schema_key *key, const struct yaml_node *node,
                     void *base)
{
    const struct span *text = (const struct span *)(const void *)((char *)base + key->offset);
    bool ai = label_names_ai(*text, false), generation = label_names_generation(*text);
    if (!ai)
        reader_error(r, node->at, "the label must name AI: 人工智能, or AI as a word of its own");
    if (!generation)
        reader_error(r, node->at, "the label must name generation: 生成, 合成 or generated");
}

void read_provider_code(struct reader *r, const struct schema_key *key,
                        const struct yaml_node *node, void *base)
{
    const struct config *c = base;
    if (!label_is_plain(c->service.provider_code))
        reader_error(r, node->at,
                     "'provider_code' must be printable ASCII without blanks, quotes and "
                     "backslashes: it is a code, not a name");
}
