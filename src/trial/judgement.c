#include "trial/judgement.h"

#include "base/clock.h"
#include "scan/scanner.h"

#include <errno.h>

struct judging {
    const struct judgement *j;
    struct span text;
    judgement_fn fn;
    void *ctx;
    int64_t now;
    enum action action; /* the heaviest */
    int failed;         /* what fn gave */
};

static struct finding describe(const struct judging *g, const struct channel *channel,
                               const struct hit *hit)
{
    const struct judgement *j = g->j;
    struct finding f = {
        .text = g->text,
        .hit = *hit,
        .derived = channel->derived,
        .rule = ruleset_rule(j->rules, hit->rule),
        .app = j->app->name,
        .action = policy_decide(j->policy, hit->rule, j->direction, g->now),
    };
    f.reason = policy_reason(j->app, f.rule, j->direction, g->now);
    return f;
}

static void tell(struct judging *g, const struct finding *f)
{
    int r = g->failed ? 0 : g->fn(g->ctx, f);
    g->failed = r < 0 ? r : g->failed;
}

static int on_hit(void *ctx, struct channel *channel, const struct hit *hit)
{
    struct judging *g = ctx;
    struct finding f = describe(g, channel, hit);
    if (f.action > g->action)
        g->action = f.action;
    tell(g, &f);
    return 0;
}

static void on_saved(void *ctx, const struct channel *channel, const struct saved *saved)
{
    struct judging *g = ctx;
    struct finding f = describe(g, channel, &saved->hit);
    f.saved = saved;
    tell(g, &f);
}

int judgement_make(const struct judgement *j, struct span text, judgement_fn fn, void *ctx,
                   enum action *ret_action)
{
    struct judging g = {.j = j, .text = text, .fn = fn, .ctx = ctx, .now = clock_wall_s()};
    struct scanner *scanner =
        scanner_new(ruleset_matchset(j->rules), j->direction, true, on_hit, &g);
    if (!scanner)
        return -ENOMEM;
    if (j->saved)
        scanner_tell_saved(scanner, on_saved, &g);
    struct text_item item = {.text = text, .field = FIELD_CONTENT};
    struct piece piece;
    int r = scanner_feed(scanner, &item, &piece);
    if (r == 0)
        r = scanner_finish(scanner, -1);
    scanner_free(scanner);
    *ret_action = g.action;
    return r == 0 ? g.failed : r;
}
