/* OpenAI's POST /v1/moderations, and whoever answers in its form. */
#include "opinion/adapter.h"

#include "json/value.h"

#include <errno.h>

static int write(const struct config_opinion *source, const struct opinion_question *q,
                 struct buf *out)
{
    int r = 0;
    if (source->model.len)
        r = opinion_text(out, SPAN_LIT("{\"model\":"), source->model);
    if (r == 0)
        r = opinion_text(out, source->model.len ? SPAN_LIT(",\"input\":") : SPAN_LIT("{\"input\":"),
                         q->text);
    return r < 0 ? r : buf_append_char(out, '}');
}

struct reading {
    struct opinion_verdict *verdict;
    const struct json_value *scores; /* or NULL */
    size_t flags;                    /* categories that are true */
};

static int read_category(void *ctx, struct span key, const struct json_value *value)
{
    struct reading *r = ctx;
    const struct json_value *said = value_get(r->scores, key);
    bool flagged = false;
    double score;
    /* Some categories are null for the models that don't know them. */
    if (!value_get_boolean(value, &flagged) && !value_is_null(value))
        return -EBADMSG;
    r->flags += flagged;
    if (!value_get_real(said, &score)) {
        if (said && !value_is_null(said))
            return -EBADMSG;
        score = 0;
    }
    /* Its own threshold is passed, whatever number that is: the objection stands. */
    return opinion_add(r->verdict, key, flagged && score >= 0 && score <= 1 ? 1 : score);
}

/* Nobody answers about categories that he doesn't list; if he does, they count. */
static int read_rest(void *ctx, struct span key, const struct json_value *value)
{
    struct reading *r = ctx;
    for (size_t i = 0; i < r->verdict->count; i++)
        if (span_eq(span_str(r->verdict->scores[i].category), key))
            return 0;
    double score;
    if (value_is_null(value))
        return 0;
    return value_get_real(value, &score) ? opinion_add(r->verdict, key, score) : -EBADMSG;
}

static int read_result(const struct json_value *result, struct opinion_verdict *v)
{
    const struct json_value *categories = value_get(result, SPAN_LIT("categories"));
    struct reading reading = {.verdict = v,
                              .scores = value_get(result, SPAN_LIT("category_scores"))};
    bool flagged;
    if (!value_get_boolean(value_get(result, SPAN_LIT("flagged")), &flagged) ||
        !value_is_object(categories) || (reading.scores && !value_is_object(reading.scores)))
        return -EBADMSG;
    int r = value_each(categories, read_category, &reading);
    if (r == 0 && reading.scores)
        r = value_each(reading.scores, read_rest, &reading);
    /* It objects and doesn't say why. */
    if (r == 0 && flagged && reading.flags == 0)
        r = opinion_add(v, SPAN_LIT("flagged"), 1);
    return r;
}

static int read(struct span body, struct opinion_verdict *ret_verdict)
{
    *ret_verdict = (struct opinion_verdict){0};
    struct json_value *answer = value_parse(body, NULL);
    const struct json_value *results = value_get(answer, SPAN_LIT("results"));
    /* One text was asked about: any other number of answers is not ours. */
    int r = value_count(results) == 1 && value_is_array(results)
                ? read_result(value_at(results, 0), ret_verdict)
                : -EBADMSG;
    value_free(answer);
    return r;
}

const struct opinion_adapter opinion_moderations = {false, write, read};
