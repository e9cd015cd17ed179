/*
 * What an exchange adds to the metrics with labels. Reviewers' tests and the canary's probes are no
 * statistics of the service; a model that nobody configured is a client's text and no label.
 */
#include "gate/exchange.h"

#include "base/series.h"

static bool is_measured(const struct exchange *x)
{
    return x->purpose.metrics == x->gate->metrics && !exchange_probes(x);
}

static bool is_first(const struct audit_hit *hits, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (span_eq(hits[i].risk, hits[at].risk) && hits[i].direction == hits[at].direction &&
            hits[i].action == hits[at].action && hits[i].observed == hits[at].observed &&
            hits[i].old == hits[at].old)
            return false;
    return true;
}

void measure_findings(struct exchange *x, const struct audit_hit *hits, size_t count)
{
    if (!is_measured(x))
        return;
    for (size_t i = 0; i < count; i++) {
        const struct audit_hit *h = &hits[i];
        if (h->old || h->kept || !is_first(hits, i))
            continue;
        struct span labels[] = {
            x->who.app->name,
            h->risk,
            span_str(direction_name(h->direction)),
            h->observed ? SPAN_LIT("observed") : span_str(action_name(h->action)),
        };
        series_count(x->purpose.metrics, SERIES_INTERCEPTIONS, labels, 1);
    }
}

/* Why the upstream's part went wrong, if it did. */
static struct span error_of(enum outcome outcome)
{
    bool failed =
        outcome == OUTCOME_UPSTREAM || outcome == OUTCOME_TRUNCATED || outcome == OUTCOME_TIMEOUT;
    return failed ? span_str(outcome_name(outcome)) : SPAN_LIT("");
}

static void measure_model(struct exchange *x, const struct audit_event *e)
{
    struct metrics *m = x->purpose.metrics;
    const struct dialect_tokens *tokens = &record_notes(x)->tokens;
    bool chat = span_eq(span_str(x->dialect->route), SPAN_LIT("/v1/chat/completions"));
    struct span labels[SERIES_LABELS_MAX] = {
        chat ? SPAN_LIT("chat") : SPAN_LIT("text_completion"),
        x->upstream->name,
        x->model->id,
    };
    if (tokens->known) {
        labels[3] = SPAN_LIT("input");
        series_observe(m, SERIES_TOKENS, labels, tokens->prompt);
        labels[3] = SPAN_LIT("output");
        series_observe(m, SERIES_TOKENS, labels, tokens->completion);
    }
    labels[3] = error_of(e->outcome);
    if (e->upstream_us)
        series_observe(m, SERIES_OPERATION, labels, e->upstream_us);
    series_observe(m, SERIES_REQUEST, labels, e->total_us);
    if (e->first_byte_us && x->asked.stream && e->outcome == OUTCOME_COMPLETE)
        series_observe(m, SERIES_FIRST_TOKEN, labels, e->first_byte_us);
}

void measure_close(struct exchange *x, const struct audit_event *e)
{
    if (!is_measured(x))
        return;
    struct span labels[] = {x->who.app->name, span_str(action_name(e->action))};
    series_count(x->purpose.metrics, SERIES_APP_EXCHANGES, labels, 1);
    if (e->judge_us)
        series_observe(x->purpose.metrics, SERIES_JUDGE, NULL, e->judge_us);
    if (x->relay)
        series_observe(x->purpose.metrics, SERIES_HELD, NULL, e->held_us);
    if (x->model && x->upstream && e->outcome != OUTCOME_REJECTED)
        measure_model(x, e);
}
