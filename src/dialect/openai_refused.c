/*
 * Providers filter, too, and say so in many ways: a finish reason, a flag beside the text, the code
 * of an error. What they said is told to the gate, which puts it on record beside what we did.
 */
#include "dialect/openai.h"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

/* Words are kept as they stand: only such as an API would use, so that no text gets into records.
 */
#define WORD_MAX 64

static bool is_word(struct span s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.data[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '_' || c == '-' || c == '.'))
            return false;
    }
    return s.len > 0 && s.len <= WORD_MAX;
}

static struct span unquoted(struct span raw)
{
    bool quoted = raw.len >= 2 && raw.data[0] == '"';
    return quoted ? span_slice(raw, 1, raw.len - 1) : raw;
}

void openai_refused(struct openai_reader *r, const char *where, struct span word)
{
    struct dialect_event *e = r->event;
    word = unquoted(word);
    if (!e->upstream_filter) {
        e->filter_where = where;
        e->filter_word = is_word(word) ? word : SPAN_NULL;
    }
    e->upstream_filter = true;
}

static bool is_listed(struct span word, const struct span *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (span_eq(word, list[i]))
            return true;
    return false;
}

/* OpenAI's and Azure's, GLM's and Hunyuan's; those of gateways that pass on Anthropic's, Google's
 * and Bedrock's. */
bool openai_refusing_reason(struct span word)
{
    static const struct span words[] = {
        SPAN_LIT("content_filter"), SPAN_LIT("sensitive"),
        SPAN_LIT("refusal"),        SPAN_LIT("SAFETY"),
        SPAN_LIT("safety"),         SPAN_LIT("PROHIBITED_CONTENT"),
        SPAN_LIT("BLOCKLIST"),      SPAN_LIT("SPII"),
        SPAN_LIT("IMAGE_SAFETY"),   SPAN_LIT("guardrail_intervened"),
        SPAN_LIT("RECITATION"),
    };
    return is_listed(word, words, COUNT(words));
}

/* In `code` or `type` of an error object, or as the code of a flat error. */
static bool is_refusing_code(struct span word)
{
    static const struct span words[] = {
        SPAN_LIT("content_filter"), /* Azure, Qianfan; Kimi: as the type */
        SPAN_LIT("content_policy_violation"),
        SPAN_LIT("moderation_blocked"),
        SPAN_LIT("invalid_prompt"),
        SPAN_LIT("bio_policy"),
        SPAN_LIT("misalignment_policy_violation"),
        SPAN_LIT("image_content_policy_violation"),
        SPAN_LIT("ResponsibleAIPolicyViolation"),
        SPAN_LIT("DataInspectionFailed"), /* DashScope, and its compatible mode */
        SPAN_LIT("data_inspection_failed"),
        SPAN_LIT("sensitive"),
        SPAN_LIT("1301"), /* GLM: sensitive input or output */
    };
    static const struct span ark =
        SPAN_LIT("SensitiveContentDetected"); /* with more on both ends */
    return is_listed(word, words, COUNT(words)) || span_find(word, ark) < word.len;
}

void openai_refused_error(struct openai_reader *r)
{
    if (r->item.token == JSON_STRING) {
        if (is_refusing_code(r->item.text))
            openai_refused(r, "error", r->item.raw);
        return;
    }
    if (r->item.token != JSON_OBJECT)
        return;
    static const struct span keys[] = {SPAN_LIT("code"), SPAN_LIT("type")};
    for (size_t i = 0; i < COUNT(keys); i++) {
        struct span word = unquoted(json_walk_peek(r->w, keys[i]));
        if (is_refusing_code(word)) {
            openai_refused(r, "error", word);
            return;
        }
    }
}

void openai_refused_code(struct openai_reader *r)
{
    /* Spark: the input was blocked, the output, the conversation tends to it, the input again. */
    static const struct span numbers[] = {SPAN_LIT("10013"), SPAN_LIT("10014"), SPAN_LIT("10019"),
                                          SPAN_LIT("10021")};
    struct span word = r->item.raw;
    if (r->item.token == JSON_NUMBER ? is_listed(word, numbers, COUNT(numbers))
                                     : r->item.token == JSON_STRING && is_refusing_code(word))
        openai_refused(r, "error", word);
}

void openai_refused_status(struct openai_reader *r, struct span status)
{
    /* MiniMax: sensitive input, sensitive output. */
    static const struct span numbers[] = {SPAN_LIT("1026"), SPAN_LIT("1027")};
    if (is_listed(unquoted(status), numbers, COUNT(numbers)))
        openai_refused(r, "error", status);
}
