/* Trying out: one text with every reason, and a change of the rules on what was logged. */
#include "console/areas.h"
#include "console/rulework.h"

#include "audit/files.h"
#include "audit/rowjson.h"
#include "base/clock.h"
#include "rules/draft.h"
#include "trial/judgement.h"
#include "trial/trial.h"
#include "trial/tried.h"
#include "json/walk.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#define TEXT_MAX    ((size_t)256 << 10)
#define FOUND_MAX   500 /* findings that are told; more are counted */
#define FOUND_BYTES ((size_t)4 << 20)
#define DAY_US      (24ull * 3600 * 1000000)
#define DAYS        30
#define CAUGHT_US   3000000 /* for what was intercepted or flagged */
#define ALLOWED_US  1500000 /* for samples of what was let through */
#define SAMPLES_MAX 20

static bool read_direction(const struct api_request *q, enum direction *ret, struct api_answer *a)
{
    struct span text;
    if (!rulework_line(q->body, "direction", 0, 16, &text, a))
        return false;
    *ret = span_eq(text, SPAN_LIT("completion")) ? DIRECTION_COMPLETION : DIRECTION_PROMPT;
    if (text.len == 0 || *ret == DIRECTION_COMPLETION || span_eq(text, SPAN_LIT("prompt")))
        return true;
    api_error(a, 400, "bad_parameter", "'direction' is prompt or completion");
    return false;
}

/* ---- one text ---- */

struct told {
    struct buf hits, saved;
    size_t untold, count;
};

static int on_finding(void *ctx, const struct finding *f)
{
    struct told *t = ctx;
    struct buf *out = f->saved ? &t->saved : &t->hits;
    if (t->count == FOUND_MAX || t->hits.len + t->saved.len > FOUND_BYTES / 2) {
        t->untold++;
        return 0;
    }
    t->count++;
    if (out->len)
        buf_append_char(out, ',');
    finding_json(out, f, true);
    return buf_reserve(out, 1);
}

static int judge(const struct api *api, const struct judgement *j, struct span text,
                 struct api_answer *a)
{
    struct told t = {.hits = BUF_INIT(2 * FOUND_BYTES), .saved = BUF_INIT(2 * FOUND_BYTES)};
    enum action action;
    int r = judgement_make(j, text, on_finding, &t, &action);
    if (r == 0) {
        buf_append_char(&a->body, '{');
        json_member(&a->body, "action", span_str(action_name(action)));
        json_member(&a->body, "version", ruleset_version(j->rules));
        buf_append(&a->body, SPAN_LIT(",\"hits\":["));
        buf_append(&a->body, buf_span(&t.hits));
        buf_append(&a->body, SPAN_LIT("],\"saved\":["));
        buf_append(&a->body, buf_span(&t.saved));
        r = buf_printf(&a->body, "],\"untold\":%zu}", t.untold);
    } else if (r != -ENOMEM) {
        r = api_error(a, 422, "unjudgeable", "The text can't be judged: %s", strerror(-r));
    }
    buf_deinit(&t.hits);
    buf_deinit(&t.saved);
    return r;
}

/* By the working copy, which must be a library. */
static int judge_by_draft(const struct api *api, struct judgement *j, struct span text,
                          struct api_answer *a)
{
    struct rule_report report = RULE_REPORT_INIT;
    struct ruleset *set = NULL;
    struct policy *policy = NULL;
    int r = ruleset_load(api->config->rules_dir, &report, &set);
    if (r < 0) {
        r = rulework_failed(a, r, false, buf_span(&report.text));
    } else {
        r = policy_new(j->app, set, &policy);
        j->rules = set;
        j->policy = policy;
        if (r == 0)
            r = judge(api, j, text, a);
    }
    policy_free(policy);
    ruleset_unref(set);
    buf_deinit(&report.text);
    return r;
}

static int post_try(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    static const char *const names[] = {"text", "direction", "draft", "app", NULL};
    struct judgement j = {.rules = api->rules, .saved = true};
    struct span text, app;
    bool draft;
    if (!rulework_there(api, a) || !rulework_only(q, names, a) ||
        !api_body_text(q, "text", 1, TEXT_MAX, &text, a) ||
        !rulework_line(q->body, "app", 0, 64, &app, a) || !rulework_flag(q, "draft", &draft, a) ||
        !read_direction(q, &j.direction, a))
        return 0;
    j.app = app.len ? config_find_app(api->config, app) : &api->config->apps[0];
    if (!j.app)
        return api_error(a, 404, "not_found", "There is no app of that name.");
    if (draft)
        return judge_by_draft(api, &j, text, a);
    j.policy = snapshot_policy(api->snapshot, j.app);
    return judge(api, &j, text, a);
}

/* ---- the log ---- */

struct experiment {
    const struct api *api;
    const struct api_request *q;
    enum tried_kind kind;
    struct span text, risk;
    uint64_t since_us;
    struct buf samples;
    size_t sample_count;
    uint64_t last_seq; /* of the sample before, for a request is told once */
};

static bool read_draft(const struct api_request *q, struct experiment *x, struct api_answer *a)
{
    const struct json_value *draft = value_get(q->body, SPAN_LIT("draft"));
    struct span kind = SPAN_LIT("");
    if (!value_is_object(draft)) {
        api_error(a, 400, "bad_parameter", "'draft' is an object with kind, text and risk");
        return false;
    }
    if (!rulework_line(draft, "kind", 1, 16, &kind, a) ||
        !rulework_line(draft, "text", 1, DRAFT_TEXT_MAX, &x->text, a) ||
        !rulework_line(draft, "risk", 0, 32, &x->risk, a))
        return false;
    x->kind = span_eq(kind, SPAN_LIT("allow")) ? TRIED_PHRASES : TRIED_WORDS;
    if (x->kind == TRIED_WORDS && !span_eq(kind, SPAN_LIT("keyword"))) {
        api_error(a, 400, "bad_kind", "A kind is allow or keyword.");
    } else if (x->kind == TRIED_WORDS && x->risk.len == 0) {
        api_error(a, 400, "risk_needed", "A keyword needs its risk, such as A1-h.");
    } else if (!draft_is_text(x->text, DRAFT_TEXT_MAX)) {
        api_error(a, 400, "bad_text",
                  "A word or phrase is one line without tabs that doesn't begin with #.");
    } else {
        return true;
    }
    return false;
}

static void on_change(void *ctx, const struct trial_change *c)
{
    struct experiment *x = ctx;
    struct buf row = BUF_INIT(1u << 20);
    if (!c->row || x->sample_count == SAMPLES_MAX || c->row->entry.seq == x->last_seq)
        return;
    x->last_seq = c->row->entry.seq;
    if (rowjson_write(c->row, x->q->may & MAY_READ, &row) == 0) {
        row.len--; /* its closing brace */
        json_member(&row, "now", span_str(action_name(c->after.action)));
        buf_append_char(&row, '}');
        if (x->sample_count++)
            buf_append_char(&x->samples, ',');
        buf_append(&x->samples, buf_span(&row));
    }
    buf_deinit(&row);
}

/* The first month whose texts are kept, when records go back further; else 0. */
static files_month texts_from(const struct api *api, uint64_t since_us)
{
    struct files *records = calloc(2, sizeof(*records)), *texts = records ? records + 1 : NULL;
    files_month from = 0;
    if (records && files_list(api->log_dir, 0, records) == 0 &&
        files_list(api->log_dir, 1, texts) == 0 && records->count) {
        files_month first = records->months[0], asked = files_month_of(since_us);
        first = first > asked ? first : asked;
        from = texts->count == 0          ? records->months[records->count - 1] + 1
               : texts->months[0] > first ? texts->months[0]
                                          : 0;
    }
    free(records);
    return from;
}

static void put_back_to(struct buf *out, const char *key, const struct trial_log *log)
{
    if (!log->complete)
        buf_printf(out, ",\"%s\":%" PRIu64, key, log->reached_us);
}

/* What can't be known, as numbers: the page says it in the reader's language. */
static int put_unseen(const struct experiment *x, const struct trial_log *caught,
                      const struct trial_log *allowed, size_t failed, struct buf *out)
{
    const struct config *c = x->api->config;
    files_month from = texts_from(x->api, x->since_us);
    buf_printf(out,
               ",\"unseen\":{\"without_text\":%zu,\"allowed\":%zu,\"allowed_without_text\":%zu,"
               "\"sample_percent\":%u,\"text_days\":%u,\"unjudged\":%zu,\"around_match\":true,"
               "\"masked\":true",
               caught->without, allowed->requests, allowed->without, c->audit.samples.percent,
               c->audit.retention.texts, failed);
    if (from)
        buf_printf(out, ",\"texts_from\":\"%04d-%02d\"", from / 12, from % 12 + 1);
    put_back_to(out, "back_to_us", caught);
    put_back_to(out, "allowed_back_to_us", allowed);
    return buf_append_char(out, '}');
}

static int look(struct experiment *x, struct trial *t, struct api_answer *a)
{
    struct trial_log caught, allowed;
    struct trial_window w = {
        .since_us = x->since_us, .which = TRIAL_CAUGHT, .budget_us = CAUGHT_US, .stop = x->q->gone};
    int r = trial_look_for(t, x->text);
    if (r == 0)
        r = trial_logged(t, &w, &caught);
    w.which = TRIAL_ALLOWED;
    w.budget_us = ALLOWED_US;
    if (r == 0)
        r = trial_logged(t, &w, &allowed);
    if (r < 0)
        return r;
    size_t failed = trial_take_counts(t).failed;
    buf_printf(&a->body,
               "{\"looked_at\":%zu,\"hit\":%zu,\"freed\":%zu,\"caught\":%zu,\"complete\":%s,"
               "\"samples\":[",
               caught.requests - caught.without + allowed.requests - allowed.without,
               caught.holding + allowed.holding, caught.lighter + allowed.lighter,
               caught.heavier + allowed.heavier,
               caught.complete && allowed.complete ? "true" : "false");
    buf_append(&a->body, buf_span(&x->samples));
    buf_append_char(&a->body, ']');
    r = put_unseen(x, &caught, &allowed, failed, &a->body);
    return r < 0 ? r : buf_append_char(&a->body, '}');
}

/* The working copy, and with the change in it. 0; 1: the answer says why not; negative. */
static int load(struct experiment *x, struct ruleset **ret_before, struct ruleset **ret_after,
                struct api_answer *a)
{
    struct rule_report report = RULE_REPORT_INIT;
    struct buf file = BUF_INIT(4096);
    struct span rules_dir = x->api->config->rules_dir;
    int r = ruleset_load(rules_dir, &report, ret_before);
    if (r == 0) {
        buf_clear(&report.text);
        r = tried_begin(x->kind, x->risk, &file);
    }
    if (r == 0)
        r = tried_add(x->text, &file);
    if (r == 0)
        r = tried_load(rules_dir, x->kind, buf_span(&file), &report, ret_after);
    int sent = r < 0 && r != -ENOMEM ? rulework_failed(a, r, false, buf_span(&report.text)) : 0;
    buf_deinit(&file);
    buf_deinit(&report.text);
    return r == -ENOMEM || sent < 0 ? -ENOMEM : r < 0;
}

static int post_try_log(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    static const char *const names[] = {"draft", "since", NULL};
    struct experiment x = {.api = api, .q = q, .samples = BUF_INIT(8u << 20)};
    struct ruleset *before = NULL, *after = NULL;
    struct trial *t = NULL;
    uint64_t now = clock_wall_us();
    int64_t since = now > DAYS * DAY_US ? (int64_t)(now - DAYS * DAY_US) : 0;
    if (!rulework_there(api, a) || !rulework_only(q, names, a) || !read_draft(q, &x, a) ||
        !rulework_number(q->body, "since", 0, INT64_MAX, &since, a))
        return 0;
    x.since_us = (uint64_t)since;
    int r = load(&x, &before, &after, a);
    if (r == 0) {
        r = trial_new(api->config, &api->config->apps[0], before, after, on_change, &x, &t);
        if (r == 0)
            r = look(&x, t, a);
        trial_free(t);
    }
    ruleset_unref(before);
    ruleset_unref(after);
    buf_deinit(&x.samples);
    return r < 0 ? r : 0;
}

const struct api_route api_try_routes[] = {
    {"POST", "/api/rules/try", MAY_SEE, post_try},
    {"POST", "/api/rules/try-log", MAY_PUBLISH | MAY_REVIEW, post_try_log},
    {NULL},
};
