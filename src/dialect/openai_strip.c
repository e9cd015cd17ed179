/* Takes away what repeats an event's text, or points into it. */
#include "dialect/openai.h"
#include "dialect/splice.h"

#include <errno.h>

int openai_value_range(struct json_walk *w, struct span payload, struct span *ret_raw,
                       enum json_token *ret_token)
{
    struct json_item item;
    int rc = json_walk_next(w, &item);
    if (rc != 0)
        return rc;
    size_t from = json_walk_offset(w);
    *ret_token = item.token;
    size_t to = (size_t)(item.raw.data - payload.data) + item.raw.len;
    if (item.token == JSON_STRING)
        to++; /* its closing quote */
    if (item.token == JSON_OBJECT || item.token == JSON_ARRAY) {
        rc = json_walk_skip(w);
        to = json_walk_offset(w) + 1;
    }
    *ret_raw = span_slice(payload, from, to);
    return rc;
}

static bool is_repetition(const struct json_item *key, bool in_choices, bool finish)
{
    if (finish && in_choices && key->depth == 3 && span_eq(key->text, SPAN_LIT("finish_reason")))
        return true;
    if (key->depth == 1)
        return span_eq(key->text, SPAN_LIT("moderation"));
    return in_choices && key->depth == 3 &&
           (span_eq(key->text, SPAN_LIT("logprobs")) ||
            span_eq(key->text, SPAN_LIT("content_filter_offsets")));
}

int openai_strip_event(struct json_walk *w, struct span payload, bool finish, struct splice *list,
                       size_t max, size_t *count)
{
    static const struct span nothing = SPAN_LIT("null");
    size_t before = *count;
    if (json_walk_tune(w, NULL, true) < 0)
        return -ENOMEM;
    json_walk_reset(w, payload);
    bool in_choices = false;
    for (;;) {
        struct json_item item;
        int rc = json_walk_next(w, &item);
        if (rc == 0 && item.token == JSON_END)
            return 0;
        if (rc == 0 && item.token == JSON_KEY) {
            if (item.depth == 1)
                in_choices = span_eq(item.text, SPAN_LIT("choices"));
            if (is_repetition(&item, in_choices, finish)) {
                struct span raw;
                enum json_token token;
                rc = openai_value_range(w, payload, &raw, &token);
                if (rc == 0 && token != JSON_NULL)
                    rc = splice_add(payload, raw, nothing, list, max, count);
            }
        }
        if (rc != 0) {
            *count = before;
            return rc == -ENOSPC ? rc : -EINVAL;
        }
    }
}
