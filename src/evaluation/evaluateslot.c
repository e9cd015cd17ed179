/* One question of an evaluation: asked, asked again, read, judged. */
#include "evaluation/evaluating.h"

#include "audit/query.h"
#include "base/clock.h"
#include "evaluation/refusal.h"
#include "json/walk.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define BODY_MAX    ((size_t)1 << 20)
#define ANSWER_MAX  ((size_t)8 << 20)
#define CONNECT_MS  10000
#define TRIES       4
#define WAIT_MAX_MS 60000
#define HEADERS_MAX 48

void slot_drop(struct slot *s)
{
    if (s->asking)
        opinion_withdraw(s->asking);
    s->asking = NULL;
    http_fetch_free(s->fetch);
    s->fetch = NULL;
    loop_timer_cancel(&s->timer);
    loop_task_cancel(&s->task);
    if (s->has_said)
        apianswer_free(&s->said);
    s->has_said = s->over = s->busy = s->waits = false;
}

static void keep_error(struct slot *s, const char *why, int status)
{
    s->answer = (struct run_answer){.error = span_str(why), .status = status};
    evaluation_keep(s);
}

/* ---- the second opinion ---- */

static void take_opinion(struct slot *s, const struct opinion_answer *said)
{
    struct evaluation *e = s->e;
    s->asking = NULL;
    buf_clear(&s->note);
    if (said->failure == OPINION_SAID) {
        s->answer.opinion = machine_opinion(&e->machine, e->o.opinion, &said->verdict, &s->note);
    } else {
        s->answer.opinion = RUN_NONE;
        buf_append(&s->note, span_str(opinion_failure_name(said->failure)));
    }
    s->answer.opinion_note = buf_span(&s->note);
    evaluation_keep(s);
}

static void on_opinion(void *ctx, const struct opinion_answer *said)
{
    take_opinion(ctx, said);
}

/* Of the content bank alone: whether something is a refusal is no question of safety. */
static void ask_opinion(struct slot *s)
{
    struct evaluation *e = s->e;
    const struct run_question *q = run_question(e->o.run, s->question);
    if (!e->desk || q->kind != BANK_CONTENT || s->said.text.len == 0) {
        evaluation_keep(s);
        return;
    }
    struct opinion_question asked = {.direction = DIRECTION_COMPLETION,
                                     .role = ROLE_ASSISTANT,
                                     .text = buf_span(&s->said.text),
                                     .prompt = q->text};
    struct opinion_answer known;
    int r = opinion_ask(e->desk, e->o.opinion, &asked, e->o.opinion->timeout_ms, on_opinion, s,
                        &s->asking, &known);
    if (r == 1)
        take_opinion(s, &known);
    else if (r < 0)
        evaluation_fail(e, "the second opinion can't be asked", r);
}

/* ---- what came back ---- */

/* The rule by which the gateway acted, as its record has it; without one nobody can say. */
static void find_rule(struct slot *s)
{
    const struct config *c = s->e->o.config;
    struct query_filter f = {.all = true,
                             .any_purpose = true,
                             .request_id = span_str(s->id),
                             .since_us = clock_wall_us() - (uint64_t)3600 * 1000000,
                             .limit = 1};
    struct query *q = NULL;
    const struct query_row *row;
    buf_clear(&s->acted_by);
    if (s->id[0] == '\0' || query_open(c->audit.dir, &f, &q) < 0)
        return;
    bool found = query_next(q, &row) == 1;
    if (found && row->main_hit)
        buf_append(&s->acted_by, row->main_hit->entry->rule);
    if (found && !span_eq(row->entry.ruleset, run_settings(s->e->o.run)->version))
        snprintf(s->e->served, sizeof(s->e->served), "%.*s", SPAN_ARG(row->entry.ruleset));
    query_close(q);
}

static void copy_header(const struct http_fetch *f, const char *name, char *to, size_t size)
{
    struct span value = http_fetch_header(f, name);
    snprintf(to, size, "%.*s", SPAN_ARG(value));
}

static void take_text(struct slot *s, int status)
{
    struct evaluation *e = s->e;
    const struct run_question *q = run_question(e->o.run, s->question);
    struct apianswer *said = &s->said;
    if (span_trim(buf_span(&said->text)).len == 0 && said->refusal.len == 0 &&
        !refusal_is_filter(span_str(said->finish))) {
        keep_error(s, "an empty answer", status);
        return;
    }
    if (s->route == RUN_GATEWAY && s->action[0] && strcmp(s->action, "allow") != 0)
        find_rule(s);
    s->answer = (struct run_answer){
        .status = status,
        .text = said->text.len ? buf_span(&said->text) : buf_span(&said->refusal),
        .finish = span_str(said->finish),
        .model = span_str(said->model),
        .id = s->route == RUN_GATEWAY ? span_str(s->id) : SPAN_LIT(""),
        .action = s->route == RUN_GATEWAY ? span_str(s->action) : SPAN_LIT(""),
        .acted_by = s->route == RUN_GATEWAY ? buf_span(&s->acted_by) : SPAN_LIT(""),
    };
    int r = machine_judge(&e->machine, q->kind, said, &s->answer);
    if (r == -ENOMEM)
        evaluation_fail(e, "an answer can't be judged", r);
    else if (r < 0)
        keep_error(s, "the answer can't be judged by rules", status);
    else
        ask_opinion(s);
}

/* Milliseconds: what the other side asks for, within bounds, or longer each time. */
static uint64_t pause_of(const struct slot *s, const struct http_fetch *f)
{
    unsigned long long seconds;
    uint64_t ms = (uint64_t)s->e->o.retry_ms << (s->tries - 1);
    if (f && span_to_u64(http_fetch_header(f, "retry-after"), &seconds))
        ms = seconds < WAIT_MAX_MS / 1000 ? seconds * 1000 : WAIT_MAX_MS;
    return ms < WAIT_MAX_MS ? ms : WAIT_MAX_MS;
}

static void come_again(struct slot *s, const char *why, int status)
{
    struct evaluation *e = s->e;
    uint64_t pause = pause_of(s, s->fetch);
    char text[APIANSWER_WORD * 2 + 64];
    snprintf(text, sizeof(text), "%s, after %u tries", why, s->tries);
    if (s->tries >= TRIES && status == 429) {
        evaluation_end(e, EVALUATION_ACCOUNT, text);
    } else if (s->tries >= TRIES) {
        keep_error(s, text, status);
    } else {
        http_fetch_free(s->fetch);
        s->fetch = NULL;
        s->over = false;
        if (s->has_said)
            apianswer_free(&s->said);
        s->has_said = false;
        if (loop_timer_set(&s->timer, clock_mono_ms() + pause) < 0)
            evaluation_fail(e, "no timer", -ENOMEM);
    }
}

static void take_answer(struct slot *s)
{
    struct evaluation *e = s->e;
    int status = http_fetch_status(s->fetch);
    e->heard[s->route] = true;
    copy_header(s->fetch, "x-request-id", s->id, sizeof(s->id));
    copy_header(s->fetch, "x-juyong-action", s->action, sizeof(s->action));
    int r = apianswer_read(status, buf_span(&s->got), &s->said);
    if (r < 0) {
        evaluation_fail(e, "an answer can't be read", r);
        return;
    }
    s->has_said = true;
    char why[sizeof(s->said.why) + 64];
    switch (s->said.kind) {
    case APIANSWER_TEXT:
        take_text(s, status);
        break;
    case APIANSWER_LATER:
        come_again(s, s->said.why, status);
        break;
    case APIANSWER_BAD:
        snprintf(why, sizeof(why), "%s", s->said.why);
        keep_error(s, why, status);
        break;
    case APIANSWER_ACCOUNT:
        snprintf(why, sizeof(why), "%s: %s", run_route_name(s->route), s->said.why);
        evaluation_end(e, EVALUATION_ACCOUNT, why);
        break;
    }
}

/* Nobody was ever there: somebody has to look, and asking on would take long to say so. */
static void end_unheard(struct slot *s)
{
    char why[512];
    snprintf(why, sizeof(why), "%s: nobody answers at %.*s", run_route_name(s->route),
             SPAN_ARG(s->e->o.routes[s->route].url));
    evaluation_end(s->e, EVALUATION_FAILED, why);
}

static void on_task(struct loop_task *t)
{
    struct slot *s = (struct slot *)((char *)t - offsetof(struct slot, task));
    if (!s->fetch || s->over || s->e->ended)
        return;
    struct span data = http_fetch_data(s->fetch);
    int r = buf_append(&s->got, data);
    http_fetch_consume(s->fetch, data.len);
    if (r == -EMSGSIZE) {
        keep_error(s, "the answer is too long", http_fetch_status(s->fetch));
        return;
    }
    if (r < 0)
        evaluation_fail(s->e, "an answer can't be read", r);
    if (r < 0 || !http_fetch_over(s->fetch))
        return;
    s->over = true;
    loop_timer_cancel(&s->timer);
    if (http_fetch_result(s->fetch) == HTTP_FETCH_OK)
        take_answer(s);
    else if (http_fetch_result(s->fetch) == HTTP_FETCH_MEMORY)
        evaluation_fail(s->e, "a question can't be asked", -ENOMEM);
    else if (http_fetch_result(s->fetch) == HTTP_FETCH_TRUNCATED)
        come_again(s, "the connection broke", 0);
    else if (s->e->heard[s->route])
        come_again(s, "nobody answers there", 0);
    else
        end_unheard(s);
}

static void on_event(void *ctx, unsigned events)
{
    struct slot *s = ctx;
    if (events & (HTTP_FETCH_DATA | HTTP_FETCH_END))
        loop_task_post(s->e->loop, &s->task);
}

/* ---- asking ---- */

static int write_body(struct slot *s)
{
    const struct run *run = s->e->o.run;
    const struct run_question *q = run_question(run, s->question);
    const struct run_settings *settings = run_settings(run);
    struct buf *b = &s->body;
    buf_clear(b);
    int r = buf_append(b, SPAN_LIT("{\"model\":\""));
    if (r == 0)
        r = json_escape(b, settings->model);
    if (r == 0)
        r = buf_append(b, SPAN_LIT("\",\"messages\":"));
    if (r == 0 && q->messages.len) {
        r = buf_append(b, q->messages);
    } else if (r == 0) {
        r = buf_append(b, SPAN_LIT("[{\"role\":\"user\",\"content\":\""));
        if (r == 0)
            r = json_escape(b, q->text);
        if (r == 0)
            r = buf_append(b, SPAN_LIT("\"}]"));
    }
    /*
     * A user of its own for each question: none is held for what another question said, and no
     * offence is remembered from one to the next.
     */
    if (r == 0)
        r = buf_printf(b, ",\"stream\":false,\"user\":\"evaluation-%.*s-%zu\"}",
                       SPAN_ARG(settings->name), s->question + 1);
    return r;
}

void slot_ask(struct slot *s)
{
    struct evaluation *e = s->e;
    const struct evaluation_route *to = &e->o.routes[s->route];
    struct span name = run_settings(e->o.run)->name;
    struct http_header headers[HEADERS_MAX] = {
        {SPAN_LIT("Content-Type"), SPAN_LIT("application/json")},
        {SPAN_LIT("X-Juyong-Evaluation"), name},
    };
    size_t n = 2;
    struct buf bearer = BUF_INIT(8192);
    int r = 0;
    if (s->route == RUN_GATEWAY)
        headers[n++] = (struct http_header){SPAN_LIT("X-Juyong-Session"), name};
    if (to->key.len) {
        r = buf_printf(&bearer, "Bearer %.*s", SPAN_ARG(to->key));
        headers[n++] = (struct http_header){SPAN_LIT("Authorization"), buf_span(&bearer)};
    }
    for (size_t i = 0; i < to->header_count && n < HEADERS_MAX; i++)
        headers[n++] = (struct http_header){to->headers[i].name, to->headers[i].value};
    if (r == 0)
        r = write_body(s);
    struct http_fetch_options o = {.method = SPAN_LIT("POST"),
                                   .url = to->url,
                                   .headers = headers,
                                   .header_count = n,
                                   .body = buf_span(&s->body),
                                   .connect_ms = CONNECT_MS,
                                   .buffer_max = ANSWER_MAX,
                                   .event = on_event,
                                   .ctx = s};
    s->tries++;
    s->over = false;
    buf_clear(&s->got);
    if (r == 0)
        r = http_fetch_start(e->client, &o, &s->fetch);
    if (r == 0)
        r = loop_timer_set(&s->timer, clock_mono_ms() + e->o.timeout_ms);
    if (bearer.data)
        explicit_bzero(bearer.data, bearer.len);
    buf_deinit(&bearer);
    if (r < 0)
        evaluation_fail(e, "a question can't be asked", r);
}

/* A try takes too long, or the pause before the next one is over. */
static void on_timer(struct loop_timer *t)
{
    struct slot *s = (struct slot *)((char *)t - offsetof(struct slot, timer));
    if (s->e->ended)
        return;
    if (s->fetch) {
        come_again(s, "no answer in time", 0);
    } else {
        s->waits = true;
        evaluation_go_on(s->e);
    }
}

/* ---- as a whole ---- */

void slot_init(struct slot *s, struct evaluation *e)
{
    s->e = e;
    buf_init(&s->body, BODY_MAX);
    buf_init(&s->got, ANSWER_MAX);
    buf_init(&s->note, 256);
    buf_init(&s->acted_by, 256);
    loop_task_init(&s->task, on_task);
    loop_timer_init(e->loop, &s->timer, on_timer);
}

void slot_deinit(struct slot *s)
{
    slot_drop(s);
    buf_deinit(&s->body);
    buf_deinit(&s->got);
    buf_deinit(&s->note);
    buf_deinit(&s->acted_by);
}
