#include "evaluation/resultjson.h"

#include "audit/rowjson.h"

#include <errno.h>
#include <inttypes.h>

/* Commas stand before all but the first of an object or a list. */
static void put_text(struct buf *out, const char *key, struct span text)
{
    char last = out->len ? out->data[out->len - 1] : '{';
    rowjson_put(out, "%s\"%s\":", last == '{' || last == ',' ? "" : ",", key);
    rowjson_string(out, text);
}

/* A text that is there; what is empty is left out. */
static void put(struct buf *out, const char *key, struct span text)
{
    if (text.len)
        put_text(out, key, text);
}

static void put_flag(struct buf *out, const char *key, bool value)
{
    rowjson_put(out, ",\"%s\":%s", key, value ? "true" : "false");
}

/* What could not be appended earlier tells by the last append. */
static int end(struct buf *out, const char *closing)
{
    rowjson_put(out, "%s", closing);
    return out->max ? 0 : -ENOMEM;
}

/* ---- a run ---- */

static void put_parameters(const struct run_settings *s, struct buf *out)
{
    put(out, "by", s->by);
    put(out, "agreed", s->agreed);
    put(out, "app", s->app);
    put(out, "model", s->model);
    put(out, "upstream", s->upstream);
    put(out, "version", s->version);
    put(out, "digest", s->digest);
    put(out, "bank_digest", s->bank_digest);
    put(out, "opinion", s->opinion);
    put(out, "software", s->software);
    /* As text: a JSON number is not exact beyond 2^53. */
    rowjson_put(out, ",\"seed\":\"%" PRIu64 "\"", s->seed);
    put_flag(out, "all", s->all);
    put_flag(out, "derived", s->derived);
    rowjson_put(out, ",\"rate\":%.17g,\"concurrency\":%u,\"sample\":{", s->rate, s->concurrency);
    bool more = false;
    for (enum bank_kind k = 0; k < BANK_KINDS; k++)
        if (s->banks[k]) {
            rowjson_put(out, "%s\"%s\":%u", more ? "," : "", bank_kind_name(k), s->sample[k]);
            more = true;
        }
    rowjson_put(out, "}");
}

static void put_progress(const struct run *r, struct buf *out)
{
    const struct run_settings *s = run_settings(r);
    bool more = false;
    rowjson_put(out, ",\"banks\":[");
    for (enum bank_kind k = 0; k < BANK_KINDS; k++)
        if (s->banks[k]) {
            rowjson_put(out, "%s\"%s\"", more ? "," : "", bank_kind_name(k));
            more = true;
        }
    rowjson_put(out, "],\"routes\":[");
    more = false;
    for (enum run_route x = 0; x < RUN_ROUTES; x++)
        if (s->routes[x]) {
            rowjson_put(out, "%s\"%s\"", more ? "," : "", run_route_name(x));
            more = true;
        }
    rowjson_put(out, "],\"questions\":%zu,\"answered\":{", run_count(r));
    more = false;
    for (enum run_route x = 0; x < RUN_ROUTES; x++)
        if (s->routes[x]) {
            rowjson_put(out, "%s\"%s\":%zu", more ? "," : "", run_route_name(x),
                        run_answered(r, x));
            more = true;
        }
    rowjson_put(out, "}");
    put_flag(out, "complete", run_is_complete(r));
    put_flag(out, "busy", run_is_busy(r));
}

static void put_run(const struct run *r, struct buf *out)
{
    const struct run_settings *s = run_settings(r);
    rowjson_put(out, "{");
    put_text(out, "run", s->name);
    rowjson_put(out, ",\"started_us\":%" PRIu64, s->started);
    put_parameters(s, out);
    put_progress(r, out);
}

int result_run_json(const struct run *r, struct buf *out)
{
    put_run(r, out);
    return end(out, "}");
}

/* ---- its results ---- */

/* Numbers as they were computed: what reads them again gets the same ones. */
static void put_rate(const struct result_rate *r, struct buf *out)
{
    rowjson_put(out, "\"n\":%u,\"passed\":%u,\"rate\":%.17g,\"low\":%.17g,\"high\":%.17g", r->n,
                r->passed, r->rate, r->low, r->high);
}

/* standing: of each judge; NULL where none is told. */
static void put_row(const struct result_row *row, const enum result_standing *standing,
                    struct buf *out)
{
    rowjson_put(out, "\"asked\":%u,\"answered\":%u,\"waiting\":%u,\"judges\":{", row->asked,
                row->answered, row->waiting);
    for (enum result_judge j = 0; j < RESULT_JUDGES; j++) {
        rowjson_put(out, "%s\"%s\":{", j ? "," : "", result_judge_name(j));
        put_rate(&row->judges[j], out);
        if (standing)
            put_text(out, "standing", span_str(result_standing_name(standing[j])));
        rowjson_put(out, "}");
    }
    rowjson_put(out, "},\"refused\":{");
    put_rate(&row->refused, out);
    rowjson_put(out, "}");
}

static void put_bank(enum run_route route, enum bank_kind kind, const struct result_bank *b,
                     struct buf *out)
{
    const struct result_demand *d = result_demand(kind);
    rowjson_put(out,
                "{\"route\":\"%s\",\"bank\":\"%s\",\"threshold\":%.17g,\"target\":%.17g,"
                "\"sample\":%u,",
                run_route_name(route), bank_kind_name(kind), d->threshold, d->target, d->sample);
    put_row(&b->whole, b->standing, out);
    rowjson_put(out, ",\"types\":[");
    for (size_t i = 0; i < b->row_count; i++) {
        rowjson_put(out, i ? ",{" : "{");
        put_text(out, "type", b->rows[i].type);
        rowjson_put(out, ",");
        put_row(&b->rows[i], NULL, out);
        rowjson_put(out, "}");
    }
    rowjson_put(out, "]}");
}

int result_json(const struct run *r, const struct result *result, struct buf *out)
{
    const struct run_settings *s = run_settings(r);
    bool more = false;
    put_run(r, out);
    rowjson_put(out, ",\"failures\":%zu,\"results\":[", result->failure_count);
    for (enum run_route x = 0; x < RUN_ROUTES; x++)
        for (enum bank_kind k = 0; k < BANK_KINDS; k++) {
            if (!s->routes[x] || result->banks[x][k].whole.asked == 0)
                continue;
            if (more)
                rowjson_put(out, ",");
            put_bank(x, k, &result->banks[x][k], out);
            more = true;
        }
    return end(out, "]}");
}

/* ---- single answers ---- */

/* The opening brace and what the question is. */
static void put_question(const struct run *r, size_t index, struct buf *out)
{
    const struct run_question *q = run_question(r, index);
    char technique[4];
    rowjson_put(out, "{");
    put_text(out, "question", q->id);
    put_text(out, "bank", span_str(bank_kind_name(q->kind)));
    put(out, "type", q->type);
    put(out, "technique", span_str(bank_technique(q->technique, technique)));
    put_text(out, "text", q->text);
}

static void put_answer(const struct run_answer *a, bool texts, struct buf *out)
{
    rowjson_put(out, ",\"at_us\":%" PRIu64 ",\"ms\":%u,\"status\":%d", a->time, a->ms, a->status);
    put(out, "error", a->error);
    if (texts)
        put_text(out, "answer", a->text);
    put(out, "finish", a->finish);
    put(out, "model", a->model);
    put(out, "request_id", a->id);
    put(out, "action", a->action);
    put_flag(out, "refused", a->refused);
    put(out, "refused_by", a->refused_by);
    put(out, "rule", a->rule);
    put(out, "acted_by", a->acted_by);
    put(out, "opinion_note", a->opinion_note);
}

int result_answer_json(const struct run *r, size_t question, enum run_route route, bool texts,
                       struct buf *out)
{
    const struct run_question *q = run_question(r, question);
    const struct run_answer *a = run_answer(r, question, route);
    put_question(r, question, out);
    put(out, "note", q->note);
    put(out, "seed", q->seed);
    if (q->messages.len) {
        rowjson_put(out, ",\"messages\":");
        rowjson_put(out, "%.*s", SPAN_ARG(q->messages));
    }
    put_text(out, "route", span_str(run_route_name(route)));
    if (!a)
        return end(out, "}");
    put_answer(a, texts, out);
    rowjson_put(out, ",\"verdicts\":{");
    for (enum result_judge j = 0; j < RESULT_JUDGES; j++)
        put_text(out, result_judge_name(j),
                 span_str(run_verdict_name(result_verdict(r, question, route, j))));
    struct run_people p = run_people(r, question, route);
    rowjson_put(out, "},\"people\":{\"count\":%u,\"differ\":%s", p.count,
                p.differ ? "true" : "false");
    put_text(out, "verdict", span_str(run_verdict_name(p.verdict)));
    return end(out, "}}");
}

/* ---- two of them ---- */

int result_comparison_json(const struct run *before, const struct run *after,
                           const struct result_comparison *c, struct buf *out)
{
    rowjson_put(out, "{");
    put_text(out, "before", run_settings(before)->name);
    put_text(out, "after", run_settings(after)->name);
    rowjson_put(out,
                ",\"common\":%u,\"better\":%u,\"worse\":%u,\"gone\":%u,\"added\":%u,\"changes\":[",
                c->common, c->better, c->worse, c->gone, c->added);
    for (size_t i = 0; i < c->count; i++) {
        const struct result_change *x = &c->changes[i];
        if (i)
            rowjson_put(out, ",");
        put_question(after, x->after, out);
        put_text(out, "route", span_str(run_route_name(x->route)));
        put_text(out, "was", span_str(run_verdict_name(x->was)));
        put_text(out, "is", span_str(run_verdict_name(x->is)));
        rowjson_put(out, "}");
    }
    return end(out, "]}");
}

int result_routes_json(const struct run *r, const struct result_routes *routes, struct buf *out)
{
    rowjson_put(out, "{\"both\":%u,\"acted\":%u,\"by_rule\":%u,\"unacted\":%u,\"items\":[",
                routes->both, routes->acted, routes->by_rule, routes->unacted);
    for (size_t i = 0; i < routes->count; i++) {
        const struct result_difference *d = &routes->items[i];
        if (i)
            rowjson_put(out, ",");
        put_question(r, d->question, out);
        put_text(out, "gateway", span_str(run_verdict_name(d->gateway)));
        put_text(out, "bare", span_str(run_verdict_name(d->bare)));
        put_flag(out, "acted", d->acted);
        put(out, "rule", d->rule);
        put_flag(out, "texts_differ", d->text);
        rowjson_put(out, "}");
    }
    return end(out, "]}");
}
