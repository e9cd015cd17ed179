/* The members of a request that name its end user, for keeping them from the upstream. */
#include "dialect/openai.h"
#include "dialect/splice.h"

#include <errno.h>

static bool names_the_end_user(const struct json_item *key)
{
    return key->depth == 1 && (span_eq(key->text, SPAN_LIT("user")) ||
                               span_eq(key->text, SPAN_LIT("safety_identifier")));
}

/* The root's members one by one: a member goes with the comma that parts it from what stays. */
int openai_strip_identity(struct json_walk *w, struct span body, struct splice *list, size_t max,
                          size_t *count)
{
    size_t before = *count;
    size_t kept_end = 0; /* where the last member that stays ends; 0: none yet */
    size_t from = 0, to; /* what goes, while no member that stays came before it */
    bool goes = false;
    if (json_walk_tune(w, NULL, true) < 0)
        return -ENOMEM;
    json_walk_reset(w, body);
    for (;;) {
        struct json_item item;
        struct span raw;
        enum json_token token;
        int rc = json_walk_next(w, &item);
        if (rc == 0 && item.token == JSON_END)
            return 0;
        if (rc == 0 && item.token != JSON_KEY)
            continue;
        size_t key_at = rc == 0 ? json_walk_offset(w) : 0;
        bool names = rc == 0 && names_the_end_user(&item);
        if (rc == 0 && goes && !names) {
            rc = splice_add(body, span_slice(body, from, key_at), SPAN_NULL, list, max, count);
            goes = false;
        }
        if (rc == 0)
            rc = openai_value_range(w, body, &raw, &token);
        if (rc == 0 && !names)
            kept_end = (size_t)(raw.data - body.data) + raw.len;
        if (rc == 0 && names && kept_end == 0) {
            from = goes ? from : key_at;
            goes = true;
        }
        if (rc == 0 && names && kept_end) {
            to = (size_t)(raw.data - body.data) + raw.len;
            rc = splice_add(body, span_slice(body, kept_end, to), SPAN_NULL, list, max, count);
            kept_end = to;
        }
        if (rc != 0) {
            *count = before;
            return rc == -ENOSPC ? rc : -EINVAL;
        }
    }
}
