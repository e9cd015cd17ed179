/*
 * An operator's own service:
 *
 *   question   {"direction": "prompt" | "completion", "role": "user", "text": "…", "prompt": "…"}
 *   answer     {"flagged": true | false, "categories": {"name": 0.93, …}}
 *
 * `role` is whose text it is, `prompt` the context of an answer. `categories` may be left out; an
 * objection without any is one of the category "flagged". A score counts whatever `flagged` says.
 */
#include "opinion/adapter.h"

#include "json/value.h"

#include <errno.h>

static int write(const struct config_opinion *source, const struct opinion_question *q,
                 struct buf *out)
{
    int r = opinion_text(out, SPAN_LIT("{\"direction\":"), span_str(direction_name(q->direction)));
    if (r == 0 && q->role != ROLE_NONE)
        r = opinion_text(out, SPAN_LIT(",\"role\":"), span_str(role_name(q->role)));
    if (r == 0)
        r = opinion_text(out, SPAN_LIT(",\"text\":"), q->text);
    if (r == 0 && q->prompt.len)
        r = opinion_text(out, SPAN_LIT(",\"prompt\":"), q->prompt);
    if (r == 0 && source->model.len)
        r = opinion_text(out, SPAN_LIT(",\"model\":"), source->model);
    return r < 0 ? r : buf_append_char(out, '}');
}

static int read_category(void *ctx, struct span key, const struct json_value *value)
{
    double score;
    return value_get_real(value, &score) ? opinion_add(ctx, key, score) : -EBADMSG;
}

static int read(struct span body, struct opinion_verdict *ret_verdict)
{
    *ret_verdict = (struct opinion_verdict){0};
    struct json_value *answer = value_parse(body, NULL);
    const struct json_value *categories = value_get(answer, SPAN_LIT("categories"));
    bool flagged;
    int r = value_get_boolean(value_get(answer, SPAN_LIT("flagged")), &flagged) &&
                    (!categories || value_is_object(categories))
                ? 0
                : -EBADMSG;
    if (r == 0 && categories)
        r = value_each(categories, read_category, ret_verdict);
    if (r == 0 && flagged && ret_verdict->count == 0)
        r = opinion_add(ret_verdict, SPAN_LIT("flagged"), 1);
    value_free(answer);
    return r;
}

const struct opinion_adapter opinion_webhook = {false, write, read};
