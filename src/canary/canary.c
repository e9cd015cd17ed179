#include "canary/canary.h"

#include "base/clock.h"
#include "base/codec.h"
#include "base/log.h"
#include "canary/probe.h"
#include "canary/standin.h"
#include "crypto/secret.h"
#include "gate/gate.h"
#include "http/client.h"
#include "opinion/notice.h"
#include "json/walk.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define TOKEN_BYTES   16
#define PROBE_MS      10000
#define AGAIN_MS      10000 /* behind a miss, so that it passes again soon after it is mended */
#define WORDS_MAX     8     /* for one app */
#define WORDS_ALL     256   /* for one run, unless there are more apps */
#define TRIES         64    /* to draw one word that can be sent */
#define ANSWER_MAX    65536
#define MISSES_MAX    16384
#define WORD_LIST_MAX 8192

/* What goes through for each app, in this order; then its words, each in both directions. */
enum { STEP_INNOCENT, STEP_PROMPT, STEP_ANSWER, STEP_STREAM, STEP_WORDS };

struct canary {
    struct canary_options options;
    struct loop *loop;
    struct snapshot *snapshot;
    struct gate *gate;
    struct metrics metrics; /* nobody reads them */
    struct standin *standin;
    struct http_client *client;
    struct courier *courier;
    char token[2 * TOKEN_BYTES + 1], standin_url[64], gate_url[64];
    struct gate_stand_in stand_in;
    bool stopping, drained;
    /* the run */
    bool running;
    size_t app;
    unsigned step, apps, probes, missed, attempt;
    uint32_t words[WORDS_MAX];
    unsigned word_count;
    const struct config_model *model;
    struct buf word_list, misses;
    /* the probe */
    struct probe probe;
    struct span rule;
    struct buf request, answer;
    struct http_fetch *fetch;
    unsigned fetch_events;
    struct loop_task task;
    struct loop_timer deadline, next;
    bool expired;
    /* what was found */
    enum canary_state state;
    uint64_t runs, missed_runs, all_probes;
    uint64_t ended_us; /* the last run */
    unsigned last_probes, last_missed;
    struct buf found; /* the last run's misses */
};

static void go_on(struct canary *c);

static const struct config *config_of(const struct canary *c)
{
    return snapshot_config(c->snapshot);
}

static const struct config_app *app_of(const struct canary *c)
{
    return &config_of(c)->apps[c->app];
}

/* --- what is drawn --- */

static size_t draw(size_t count)
{
    uint64_t n = 0;
    secret_random(&n, sizeof(n)); /* on failure the first one: still a probe */
    return (size_t)(n % count);
}

static bool may_use(const struct config_app *app, struct span model)
{
    for (size_t i = 0; i < app->model_count; i++)
        if (span_eq(app->models[i], model))
            return true;
    return app->model_count == 0;
}

/* One of the models that the app may ask for, or NULL. */
static const struct config_model *draw_model(const struct canary *c)
{
    const struct config *config = config_of(c);
    const struct config_model *drawn = NULL;
    size_t seen = 0;
    for (size_t u = 0; u < config->upstream_count; u++)
        for (size_t m = 0; m < config->upstreams[u].model_count; m++) {
            const struct config_model *model = &config->upstreams[u].models[m];
            if (may_use(app_of(c), model->id) && draw(++seen) == 0)
                drawn = model;
        }
    return drawn;
}

/* What is done about that rule's hits, as the answer can show it. */
static enum action need_of(const struct canary *c, uint32_t rule, enum direction direction)
{
    const struct policy *policy = snapshot_policy(c->snapshot, app_of(c));
    int64_t now = clock_wall_s();
    enum action a = policy_decide(policy, rule, direction, now);
    bool observed = config_observes(&app_of(c)->policy, now) || policy_observes(policy, rule, now);
    return observed && a > ACTION_FLAG ? ACTION_FLAG : a;
}

static bool can_be_sent(const struct canary *c, uint32_t index)
{
    const struct rule *rule = ruleset_rule(snapshot_rules(c->snapshot), index);
    return rule->kind == RULE_KEYWORD && rule->quarantine.len == 0 &&
           ((rule->direction & DIRECTION_PROMPT &&
             need_of(c, index, DIRECTION_PROMPT) > ACTION_ALLOW) ||
            (rule->direction & DIRECTION_COMPLETION &&
             need_of(c, index, DIRECTION_COMPLETION) > ACTION_ALLOW)) &&
           ruleset_is_excepted(snapshot_rules(c->snapshot), rule->source) == 0;
}

static void draw_words(struct canary *c)
{
    const struct ruleset *rules = snapshot_rules(c->snapshot);
    size_t apps = config_of(c)->app_count, count = ruleset_count(rules);
    size_t wanted = WORDS_ALL / apps < 1 ? 1 : WORDS_ALL / apps;
    c->word_count = 0;
    for (size_t i = 0; i < TRIES * WORDS_MAX && c->word_count < WORDS_MAX && c->word_count < wanted;
         i++) {
        uint32_t index = (uint32_t)draw(count);
        bool twice = false;
        for (unsigned k = 0; k < c->word_count; k++)
            twice = twice || c->words[k] == index;
        if (twice || !can_be_sent(c, index))
            continue;
        c->words[c->word_count++] = index;
        struct span id = ruleset_rule(rules, index)->id;
        if (span_find(buf_span(&c->word_list), id) == c->word_list.len)
            buf_printf(&c->word_list, "%s%.*s", c->word_list.len ? "," : "", SPAN_ARG(id));
    }
}

/* --- one probe --- */

/* Makes the step's probe; false when there is nothing to send. */
static bool choose(struct canary *c)
{
    uint32_t index = UINT32_MAX;
    const struct rule *rule = ruleset_canary(snapshot_rules(c->snapshot), &index);
    enum direction direction = c->step == STEP_PROMPT || (c->step >= STEP_WORDS && c->step % 2 == 0)
                                   ? DIRECTION_PROMPT
                                   : DIRECTION_COMPLETION;
    c->probe = (struct probe){.direction = direction, .stream = c->step == STEP_STREAM};
    c->rule = SPAN_LIT("an innocent text");
    if (c->step == STEP_INNOCENT)
        return true;
    if (c->step >= STEP_WORDS) {
        index = c->words[(c->step - STEP_WORDS) / 2];
        rule = ruleset_rule(snapshot_rules(c->snapshot), index);
        c->probe.need = need_of(c, index, direction);
        if (!(rule->direction & direction) || c->probe.need == ACTION_ALLOW)
            return false;
        c->probe.stream = c->probe.need > ACTION_FLAG && draw(2) == 0;
        c->rule = rule->id;
    } else {
        /* Intercepted at all: an operator may prefer masks to refusals, but not nothing. */
        bool observed =
            config_observes(&app_of(c)->policy, clock_wall_s()) ||
            policy_observes(snapshot_policy(c->snapshot, app_of(c)), index, clock_wall_s());
        c->probe.need = observed ? ACTION_FLAG : ACTION_MASK;
        c->rule = SPAN_LIT("the canary's phrase");
    }
    c->probe.word = rule ? rule->source : SPAN_LIT("?");
    return true;
}

static void fetch_event(void *ctx, unsigned events)
{
    struct canary *c = ctx;
    c->fetch_events |= events;
    loop_task_post(c->loop, &c->task);
}

static int send_probe(struct canary *c)
{
    char name[64];
    snprintf(name, sizeof(name), "%s:%zu", c->token, c->app);
    struct http_header headers[] = {
        {SPAN_LIT("Content-Type"), SPAN_LIT("application/json")},
        {SPAN_LIT(GATE_PROBE_HEADER), span_str(name)},
    };
    buf_clear(&c->request);
    buf_clear(&c->answer);
    int r = probe_write_request(&c->probe, c->model->id, &c->request);
    if (r == 0)
        r = probe_write_answer(&c->probe, c->model->id, &c->answer);
    if (r < 0)
        return r;
    standin_expect(c->standin, buf_span(&c->answer), c->probe.stream);
    struct http_fetch_options o = {
        .method = SPAN_LIT("POST"),
        .url = span_str(c->gate_url),
        .headers = headers,
        .header_count = 2,
        .body = buf_span(&c->request),
        .connect_ms = PROBE_MS,
        .buffer_max = ANSWER_MAX,
        .event = fetch_event,
        .ctx = c,
    };
    c->expired = false;
    c->fetch_events = 0;
    r = http_fetch_start(c->client, &o, &c->fetch);
    if (r == 0)
        r = loop_timer_set(&c->deadline, loop_now_ms(c->loop) + PROBE_MS);
    return r;
}

static void drop_fetch(struct canary *c)
{
    loop_timer_cancel(&c->deadline);
    if (c->fetch)
        http_fetch_free(c->fetch);
    c->fetch = NULL;
    c->fetch_events = 0;
}

static void note_miss(struct canary *c, const char *wrong)
{
    bool word = c->probe.word.len > 0;
    c->missed++;
    buf_printf(&c->misses, "app %.*s, model %.*s, %s%s: %.*s%s%s\n", SPAN_ARG(app_of(c)->name),
               SPAN_ARG(c->model->id), direction_name(c->probe.direction),
               c->probe.stream ? " (streamed)" : "", SPAN_ARG(c->rule),
               word ? " is not intercepted: " : ": ", wrong);
}

/* The probe is over. */
static void conclude(struct canary *c)
{
    struct probe_seen seen = {0};
    seen.asked = standin_asked(c->standin, &seen.asked_body);
    if (c->fetch && !c->expired && http_fetch_result(c->fetch) == HTTP_FETCH_OK) {
        enum action a = action_from(http_fetch_header(c->fetch, "x-juyong-action"));
        seen.status = http_fetch_status(c->fetch);
        seen.action = a == ACTION_DEFAULT ? ACTION_ALLOW : a;
        seen.body = http_fetch_data(c->fetch);
    }
    const char *wrong = probe_check(&c->probe, &seen);
    drop_fetch(c);
    /* Once more, so that nobody is woken by a machine that was out of breath. */
    if (wrong && c->attempt++ == 0 && !c->stopping && send_probe(c) == 0)
        return;
    drop_fetch(c);
    c->attempt = 0;
    c->probes++;
    c->all_probes++;
    if (wrong)
        note_miss(c, wrong);
    c->step++;
    go_on(c);
}

static void step(struct loop_task *t)
{
    struct canary *c = list_entry(t, struct canary, task);
    if (c->fetch && (c->expired || c->fetch_events & HTTP_FETCH_END))
        conclude(c);
    else if (!c->fetch && c->running)
        go_on(c);
}

static void expire(struct loop_timer *t)
{
    struct canary *c = list_entry(t, struct canary, deadline);
    c->expired = true;
    loop_task_post(c->loop, &c->task);
}

/* --- whom to tell --- */

static int write_alarm(const struct canary *c, const struct canary_report *r, struct buf *out)
{
    int e = buf_append(out, r->passed ? SPAN_LIT("{\"event\":\"canary_recovered\",\"node\":\"")
                                      : SPAN_LIT("{\"event\":\"canary_missed\",\"node\":\""));
    if (e == 0)
        e = json_escape(out, config_of(c)->node);
    if (e == 0)
        e = buf_printf(out, "\",\"ruleset\":\"%.*s\",\"missed\":%u,\"misses\":\"",
                       SPAN_ARG(ruleset_version(snapshot_rules(c->snapshot))), r->missed);
    if (e == 0)
        e = json_escape(out, r->misses);
    return e < 0 ? e : buf_printf(out, "\",\"time\":%lld}", (long long)clock_wall_s());
}

static void alarm_somebody(struct canary *c, const struct canary_report *r)
{
    const struct config_retraction *to = &config_of(c)->canary.alarm;
    if (to->url.len == 0)
        return;
    struct buf body = BUF_INIT(4 * MISSES_MAX);
    int e = write_alarm(c, r, &body);
    if (e == 0)
        e = notice_send(c->courier, to, buf_span(&body), SPAN_LIT("the canary's alarm"), NULL,
                        NULL);
    if (e < 0)
        log_error("canary: %.*s could not be told: %s", SPAN_ARG(courier_host(to->url)),
                  strerror(-e));
    buf_deinit(&body);
}

/* --- a run --- */

static void begin(struct canary *c)
{
    drop_fetch(c);
    loop_timer_cancel(&c->next);
    c->running = true;
    c->app = 0;
    c->step = c->apps = c->probes = c->missed = c->attempt = 0;
    c->model = NULL;
    buf_clear(&c->word_list);
    buf_clear(&c->misses);
    loop_task_post(c->loop, &c->task);
}

static void finish(struct canary *c)
{
    c->running = false;
    c->runs++;
    c->ended_us = clock_wall_us();
    c->last_probes = c->probes;
    c->last_missed = c->missed;
    c->missed_runs += c->missed > 0;
    bool missed_before = c->state == CANARY_MISSED;
    c->state = c->missed ? CANARY_MISSED : CANARY_PASSED;
    struct buf before = c->found;
    c->found = c->misses;
    c->misses = before;
    struct canary_report report = {
        .passed = c->missed == 0,
        .recovered = c->missed == 0 && missed_before,
        .snapshot = c->snapshot,
        .apps = c->apps,
        .probes = c->probes,
        .missed = c->missed,
        .words = buf_span(&c->word_list),
        .misses = buf_span(&c->found),
    };
    unsigned wait = config_of(c)->canary.every_ms;
    if (c->missed && wait > AGAIN_MS)
        wait = AGAIN_MS;
    loop_timer_set(&c->next, loop_now_ms(c->loop) + wait);
    /* Nobody is told every ten seconds what he knows. */
    if (report.recovered || (c->missed && !span_eq(buf_span(&c->found), buf_span(&c->misses))))
        alarm_somebody(c, &report);
    if (c->options.told)
        c->options.told(c->options.ctx, &report);
}

/* Sends the next probe, or ends the run. */
static void go_on(struct canary *c)
{
    if (c->stopping)
        return;
    for (; c->app < config_of(c)->app_count; c->app++, c->step = 0, c->model = NULL) {
        if (!c->model) {
            c->model = draw_model(c);
            if (!c->model) /* it can't ask anything */
                continue;
            c->apps++;
            draw_words(c);
        }
        for (; c->step < STEP_WORDS + 2 * c->word_count; c->step++) {
            if (!choose(c))
                continue;
            if (send_probe(c) == 0)
                return;
            drop_fetch(c);
            c->probes++;
            note_miss(c, "it could not be sent");
        }
    }
    finish(c);
}

static void due(struct loop_timer *t)
{
    begin(list_entry(t, struct canary, next));
}

/* --- life --- */

static void gate_is_drained(void *ctx)
{
    struct canary *c = ctx;
    c->drained = true;
    loop_wake(c->loop);
}

static int open_all(struct canary *c)
{
    unsigned char random[TOKEN_BYTES];
    int r = secret_random(random, sizeof(random));
    if (r < 0)
        return r;
    codec_hex(span_from((const char *)random, sizeof(random)), c->token);
    r = standin_new(c->loop, span_str(c->token), &c->standin);
    if (r < 0)
        return r;
    snprintf(c->standin_url, sizeof(c->standin_url), "http://127.0.0.1:%u/v1",
             standin_port(c->standin));
    c->stand_in = (struct gate_stand_in){span_str(c->standin_url), span_str(c->token)};
    struct gate_options o = {
        .loop = c->loop,
        .metrics = &c->metrics,
        .snapshot = c->snapshot,
        .stand_in = &c->stand_in,
    };
    r = gate_new(&o, &c->gate);
    if (r < 0)
        return r;
    snprintf(c->gate_url, sizeof(c->gate_url), "http://127.0.0.1:%u/v1/chat/completions",
             gate_port(c->gate));
    r = http_client_new(c->loop, 4, &c->client);
    return r < 0 ? r : courier_new(c->loop, c->client, &c->courier);
}

int canary_new(const struct canary_options *o, struct canary **ret_canary)
{
    struct canary *c = calloc(1, sizeof(*c));
    if (!c)
        return -ENOMEM;
    *c = (struct canary){
        .options = *o,
        .loop = o->loop,
        .snapshot = snapshot_ref(o->snapshot),
        .word_list = BUF_INIT(WORD_LIST_MAX),
        .misses = BUF_INIT(MISSES_MAX),
        .found = BUF_INIT(MISSES_MAX),
        .request = BUF_INIT(ANSWER_MAX),
        .answer = BUF_INIT(1u << 20),
    };
    loop_task_init(&c->task, step);
    loop_timer_init(c->loop, &c->deadline, expire);
    loop_timer_init(c->loop, &c->next, due);
    int r = open_all(c);
    if (r < 0) {
        canary_free(c);
        return r;
    }
    begin(c);
    *ret_canary = c;
    return 0;
}

void canary_reload(struct canary *c, struct snapshot *s)
{
    if (c->stopping)
        return;
    drop_fetch(c);
    struct snapshot *old = c->snapshot;
    c->snapshot = snapshot_ref(s);
    gate_reload(c->gate, s);
    snapshot_unref(old);
    begin(c);
}

void canary_get_status(const struct canary *c, struct canary_status *ret_status)
{
    *ret_status = (struct canary_status){
        .state = c->state,
        .runs = c->runs,
        .missed_runs = c->missed_runs,
        .probes = c->all_probes,
        .at_us = c->ended_us,
        .last_probes = c->last_probes,
        .last_missed = c->last_missed,
        .misses = buf_span(&c->found),
    };
}

void canary_stop(struct canary *c)
{
    if (!c || c->stopping)
        return;
    c->stopping = true;
    c->running = false;
    loop_timer_cancel(&c->next);
    drop_fetch(c);
    gate_drain(c->gate, gate_is_drained, c);
}

bool canary_stopped(const struct canary *c)
{
    return !c || (c->drained && !standin_busy(c->standin));
}

void canary_free(struct canary *c)
{
    if (!c)
        return;
    loop_timer_cancel(&c->next);
    loop_timer_cancel(&c->deadline);
    loop_task_cancel(&c->task);
    if (c->fetch)
        http_fetch_free(c->fetch);
    courier_free(c->courier);
    http_client_free(c->client);
    gate_free(c->gate);
    standin_free(c->standin);
    snapshot_unref(c->snapshot);
    buf_deinit(&c->word_list);
    buf_deinit(&c->misses);
    buf_deinit(&c->found);
    buf_deinit(&c->request);
    buf_deinit(&c->answer);
    free(c);
}
