#include "trial/trial.h"

#include "audit/query.h"
#include "base/clock.h"
#include "base/utf8.h"
#include "policy/policy.h"
#include "scan/scanner.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FOLDED_MAX (4u << 20)

/* One library with the policy of each app over it. */
struct side {
    const struct ruleset *rules;
    struct policy **policies; /* by app */
};

struct trial {
    const struct config *config;
    size_t app; /* the usual one */
    struct side sides[2];
    trial_fn fn;
    void *ctx;
    struct trial_counts sums;
    struct buf wanted, folded; /* of trial_look_for(); of the text that is searched */
    int64_t now;
};

static int side_init(struct side *s, const struct config *c, const struct ruleset *rules)
{
    s->rules = rules;
    s->policies = calloc(c->app_count, sizeof(*s->policies));
    if (!s->policies)
        return -ENOMEM;
    for (size_t i = 0; i < c->app_count; i++)
        if (policy_new(&c->apps[i], rules, &s->policies[i]) < 0)
            return -ENOMEM;
    return 0;
}

int trial_new(const struct config *c, const struct config_app *app, const struct ruleset *before,
              const struct ruleset *after, trial_fn fn, void *ctx, struct trial **ret_trial)
{
    struct trial *t = calloc(1, sizeof(*t));
    if (!t)
        return -ENOMEM;
    *t = (struct trial){
        .config = c, .app = (size_t)(app - c->apps), .fn = fn, .ctx = ctx, .now = clock_wall_s()};
    buf_init(&t->wanted, FOLDED_MAX);
    buf_init(&t->folded, FOLDED_MAX);
    if (side_init(&t->sides[0], c, before) < 0 || side_init(&t->sides[1], c, after) < 0) {
        trial_free(t);
        return -ENOMEM;
    }
    *ret_trial = t;
    return 0;
}

void trial_free(struct trial *t)
{
    for (size_t s = 0; t && s < 2; s++) {
        for (size_t i = 0; t->sides[s].policies && i < t->config->app_count; i++)
            policy_free(t->sides[s].policies[i]);
        free(t->sides[s].policies);
    }
    if (t) {
        buf_deinit(&t->wanted);
        buf_deinit(&t->folded);
    }
    free(t);
}

/* ---- one text ---- */

struct judging {
    const struct trial *trial;
    const struct side *side;
    const struct policy *policy;
    enum direction direction;
    struct trial_effect effect;
};

static int on_hit(void *ctx, struct channel *channel, const struct hit *hit)
{
    struct judging *j = ctx;
    const struct rule *rule = ruleset_rule(j->side->rules, hit->rule);
    enum action action = policy_decide(j->policy, hit->rule, j->direction, j->trial->now);
    if (action > j->effect.action)
        j->effect = (struct trial_effect){action, rule};
    return 0;
}

static bool same_rule(const struct rule *a, const struct rule *b)
{
    return (!a && !b) || (a && b && span_eq(a->id, b->id));
}

static int compare(struct trial *t, size_t app, const struct trial_change *text)
{
    struct trial_change change = *text;
    struct trial_effect *effects[] = {&change.before, &change.after};
    for (size_t s = 0; s < 2; s++) {
        struct judging j = {t, &t->sides[s], t->sides[s].policies[app], text->direction, {0}};
        int r = scanner_judge(ruleset_matchset(t->sides[s].rules), text->direction, text->text,
                              on_hit, &j);
        if (r == -ENOMEM)
            return r;
        if (r < 0) {
            t->sums.failed++;
            return 0;
        }
        *effects[s] = j.effect;
    }
    enum action a = change.before.action, b = change.after.action;
    t->sums.texts++;
    t->sums.before[a]++;
    t->sums.after[b]++;
    t->sums.heavier += b > a;
    t->sums.lighter += b < a;
    t->sums.moved += a == b && !same_rule(change.before.rule, change.after.rule);
    if (a != b && t->fn)
        t->fn(t->ctx, &change);
    return 0;
}

int trial_text(struct trial *t, const struct trial_change *text)
{
    return compare(t, t->app, text);
}

struct trial_counts trial_take_counts(struct trial *t)
{
    struct trial_counts sums = t->sums;
    t->sums = (struct trial_counts){0};
    return sums;
}

/* ---- the log ---- */

static size_t app_of(const struct trial *t, struct span name)
{
    const struct config_app *app = name.len ? config_find_app(t->config, name) : NULL;
    return app ? (size_t)(app - t->config->apps) : t->app;
}

static bool holds(struct trial *t, struct span text)
{
    if (t->wanted.len == 0)
        return false;
    buf_clear(&t->folded);
    if (match_fold(text, &t->folded) < 0)
        return false;
    struct span folded = buf_span(&t->folded);
    return span_find(folded, buf_span(&t->wanted)) < folded.len;
}

int trial_look_for(struct trial *t, struct span words)
{
    buf_clear(&t->wanted);
    return match_fold(words, &t->wanted) == -ENOMEM ? -ENOMEM : 0;
}

/* What became of one request's texts. */
struct seen {
    size_t texts;
    bool holds;
};

static int read_text(struct trial *t, const struct query_row *row, const struct query_hit *h,
                     struct span said, struct seen *seen)
{
    bool prompt = span_eq(h->entry->direction, SPAN_LIT("prompt"));
    struct trial_change text = {.where = row->entry.request_id,
                                .time_us = row->entry.time,
                                .direction = prompt ? DIRECTION_PROMPT : DIRECTION_COMPLETION,
                                .text = said,
                                .row = row};
    seen->texts++;
    seen->holds = seen->holds || holds(t, said);
    return compare(t, app_of(t, row->entry.app), &text);
}

static int read_texts(struct trial *t, const struct query_row *row, struct seen *seen)
{
    int r = 0;
    for (size_t i = 0; i < row->hit_count && r == 0; i++) {
        const struct query_hit *h = &row->hits[i];
        /* Several matches often share their surroundings: told once. */
        bool again =
            i > 0 && row->hits[i - 1].has_text && span_eq(row->hits[i - 1].context, h->context);
        if (h->has_text && !again)
            r = read_text(t, row, h, h->context, seen);
    }
    for (size_t i = 0; i < row->kept_count && r == 0; i++)
        if (row->kept[i].has_text)
            r = read_text(t, row, &row->kept[i], row->kept[i].text, seen);
    return r;
}

static int read_row(struct trial *t, const struct query_row *row, struct trial_log *log)
{
    struct seen seen = {0};
    size_t heavier = t->sums.heavier, lighter = t->sums.lighter;
    if (!row->entry.request_id.len)
        return 0; /* an operator's act */
    int r = read_texts(t, row, &seen);
    if (r < 0)
        return r;
    bool more = t->sums.heavier > heavier, less = t->sums.lighter > lighter;
    log->requests++;
    log->without += seen.texts == 0;
    log->holding += seen.holds;
    log->changed += more || less;
    log->heavier += more;
    log->lighter += less && !more;
    log->reached_us = row->entry.time;
    return 0;
}

int trial_logged(struct trial *t, const struct trial_window *w, struct trial_log *ret_log)
{
    struct query_filter f = {.since_us = w->since_us,
                             .all = w->which != TRIAL_CAUGHT,
                             .actions = w->which == TRIAL_ALLOWED ? 1u << ACTION_ALLOW : 0,
                             .oldest_first = w->which == TRIAL_ALL,
                             .budget_us = w->budget_us};
    struct query *q = NULL;
    const struct query_row *row;
    *ret_log = (struct trial_log){.complete = true};
    int r = query_open(t->config->audit.dir, &f, &q);
    while (r >= 0 && (r = query_next(q, &row)) == 1) {
        int e = w->stop && atomic_load(w->stop) ? -ECANCELED : read_row(t, row, ret_log);
        if (e < 0) {
            r = e;
            break;
        }
    }
    if (r == 0)
        ret_log->complete = query_is_complete(q);
    query_close(q);
    return r == -ENOENT ? 0 : r;
}

/* ---- files ---- */

int trial_file(struct trial *t, struct span path, enum direction direction, size_t *ret_line)
{
    char name[4096], where[4200], *line = NULL;
    size_t cap = 0;
    int r = 0;
    *ret_line = 0;
    if (path.len >= sizeof(name))
        return -ENAMETOOLONG;
    memcpy(name, path.data, path.len);
    name[path.len] = '\0';
    FILE *f = strcmp(name, "-") ? fopen(name, "re") : stdin;
    if (!f)
        return -errno;
    errno = 0;
    for (ssize_t n; r == 0 && (n = getline(&line, &cap, f)) >= 0;) {
        struct span text = span_trim(span_from(line, (size_t)n));
        ++*ret_line;
        if (text.len == 0)
            continue;
        if (utf8_check(text) < text.len) {
            r = -EILSEQ;
            break;
        }
        snprintf(where, sizeof(where), "%s:%zu", name, *ret_line);
        struct trial_change change = {
            .where = span_str(where), .direction = direction, .text = text};
        r = trial_text(t, &change);
    }
    if (r == 0 && ferror(f)) {
        r = errno ? -errno : -EIO;
        *ret_line = 0;
    }
    free(line);
    if (f != stdin)
        fclose(f);
    return r;
}
