/*
 * What the provider says of itself beside the text: which model answered, how the answer ended, and
 * that it refused by its own filter. On record and counted beside what we decided.
 */
#include "gate/exchange.h"

#include "base/log.h"
#include "gate/label.h"
#include "json/walk.h"

/* Is that the model that was asked for, or one that the configuration says it answers as? */
static bool is_expected(const struct exchange *x, struct span answered)
{
    const struct config_model *m = x->model;
    if (span_eq(answered, x->asked.model))
        return true;
    for (size_t i = 0; i < m->answers_as_count; i++) {
        struct span name = m->answers_as[i];
        bool prefix = name.len > 0 && name.data[name.len - 1] == '*';
        if (prefix ? span_starts(answered, span_slice(name, 0, name.len - 1))
                   : span_eq(answered, name))
            return true;
    }
    return false;
}

/* The name as it is meant: some servers escape every slash. */
static struct span decoded(struct exchange *x, struct span raw)
{
    char quoted[600], room[600];
    if (!memchr(raw.data, '\\', raw.len) || raw.len + 2 > sizeof(quoted))
        return arena_copy(&x->arena, raw);
    quoted[0] = quoted[raw.len + 1] = '"';
    memcpy(quoted + 1, raw.data, raw.len);
    struct span text = json_unquote(span_from(quoted, raw.len + 2), room, sizeof(room));
    return arena_copy(&x->arena, text.len ? text : raw);
}

static void note_model(struct exchange *x, struct span model)
{
    struct record_notes *n = record_notes(x);
    n->model_answered = decoded(x, model);
    if (n->model_answered.len == 0 || is_expected(x, n->model_answered))
        return;
    n->model_differs = true;
    metrics_add(x->purpose.metrics, METRIC_MODEL_DIFFERS, 1);
    /* Each doubling, so that a log is not filled by one wrong name. */
    uint64_t count = metrics_get(x->purpose.metrics, METRIC_MODEL_DIFFERS);
    if ((count & (count - 1)) == 0)
        log_warning("upstream %.*s: %.*s was asked for and %.*s answered (%llu times so far); its "
                    "filing number is not known to apply",
                    SPAN_ARG(x->upstream->name), SPAN_ARG(x->asked.model),
                    SPAN_ARG(n->model_answered), (unsigned long long)count);
}

void provider_note(struct exchange *x, const struct dialect_event *e)
{
    struct record_notes *n = record_notes(x);
    label_note(x, e);
    /* The first word counts. */
    if (n->model_answered.len == 0 && e->model.len)
        note_model(x, e->model);
    if (e->tokens.known) /* of running counts the last */
        n->tokens = e->tokens;
    if (n->finish_reason.len == 0 && e->finish_reason.len)
        n->finish_reason = arena_copy(&x->arena, e->finish_reason);
    if (!e->upstream_filter || n->provider_refusal.len)
        return;
    n->provider_refusal = arena_printf(&x->arena, "%s%s%.*s", e->filter_where,
                                       e->filter_word.len ? ":" : "", SPAN_ARG(e->filter_word));
    metrics_add(
        x->purpose.metrics,
        e->kind == EVENT_ERROR ? METRIC_PROVIDER_REFUSED_ERROR : METRIC_PROVIDER_REFUSED_ANSWER, 1);
}

bool provider_refused(const struct dialect_event *e)
{
    return e->kind == EVENT_ERROR && e->upstream_filter;
}
