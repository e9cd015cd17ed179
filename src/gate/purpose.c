#include "gate/purpose.h"

#include "base/clock.h"
#include "crypto/secret.h"
#include "gate/admit.h"
#include "gate/enduser.h"
#include "gate/exchange.h"

#include <stdlib.h>

/* Whose route a probe of the canary takes. */
static bool identify_probe(const struct gate *g, const struct http_request *r,
                           struct access_identity *ret_who)
{
    const struct config *c = snapshot_config(g->snapshot);
    struct span text = http_request_header(r, GATE_PROBE_HEADER), token;
    unsigned long long app;
    if (!span_split(&text, ':', &token) || !secret_equal(token, g->options.stand_in->token) ||
        !span_to_u64(text, &app) || app >= c->app_count)
        return false;
    *ret_who = (struct access_identity){.app = &c->apps[app]};
    return true;
}

/* The HMAC of the end user whom a trusted front names; empty where none does. False: no memory. */
static bool named_user(struct gate *g, const struct http_request *r, char room[65],
                       struct span *ret_user)
{
    struct span user = enduser_named(snapshot_config(g->snapshot), r);
    room[0] = '\0';
    if (user.len)
        access_hash_end_user(snapshot_access(g->snapshot), g->hasher, user, room);
    *ret_user = span_str(room);
    return user.len == 0 || ret_user->len > 0;
}

static enum cause identify_app(struct gate *g, struct http_request *r,
                               struct access_identity *ret_who)
{
    char room[65];
    struct span user;
    if (!admit_identify(g, r, ret_who))
        return CAUSE_UNAUTHORIZED;
    struct reviewers *accounts = g->options.reviewers;
    if (!accounts || !reviewers_any(accounts)) /* nearly always: a user's HMAC costs something */
        return CAUSE_NONE;
    if (!named_user(g, r, room, &user))
        return CAUSE_OVERLOADED;
    return reviewers_bound(accounts, ret_who->key_id, user, clock_wall_s())
               ? CAUSE_REVIEWER_ELSEWHERE
               : CAUSE_NONE;
}

/* By his key, or as the end user of an app whose trusted front names him. */
static enum cause identify_reviewer(struct gate *g, struct http_request *r, bool counts,
                                    struct access_identity *ret_who,
                                    struct reviewer_grant *ret_grant)
{
    char room[65];
    struct span user = SPAN_NULL;
    enum reviewer_verdict verdict = REVIEWER_UNKNOWN;
    int64_t now = clock_wall_s();
    if (admit_identify_key(g, r, ret_who))
        verdict =
            reviewers_admit(g->options.reviewers, ret_who->key_id, user, !counts, now, ret_grant);
    if (verdict == REVIEWER_UNKNOWN && admit_identify(g, r, ret_who)) {
        if (!named_user(g, r, room, &user))
            return CAUSE_OVERLOADED;
        if (user.len)
            verdict =
                reviewers_admit(g->options.reviewers, SPAN_NULL, user, !counts, now, ret_grant);
    }
    return verdict == REVIEWER_SERVED  ? CAUSE_NONE
           : verdict == REVIEWER_SPENT ? CAUSE_REVIEWER_SPENT
                                       : CAUSE_UNAUTHORIZED;
}

enum cause purpose_identify(const struct door *d, struct http_request *r, bool counts,
                            struct access_identity *ret_who, struct purpose *ret_purpose)
{
    struct gate *g = d->gate;
    struct reviewer_grant grant = {0};
    enum cause cause;
    if (g->options.stand_in)
        cause = identify_probe(g, r, ret_who) ? CAUSE_NONE : CAUSE_UNAUTHORIZED;
    else if (d->reviewers)
        cause = identify_reviewer(g, r, counts, ret_who, &grant);
    else
        cause = identify_app(g, r, ret_who);
    *ret_purpose = (struct purpose){
        .review = grant.purpose,
        .uncounted = d->reviewers,
        .metrics = d->reviewers ? &g->aside : g->metrics,
    };
    memcpy(ret_purpose->reviewer, grant.id, sizeof(grant.id));
    if (cause == CAUSE_NONE)
        ret_purpose->mode = grant.purpose == REVIEWER_ENFORCE ? MODE_ENFORCE
                            : grant.purpose == REVIEWER_OBSERVE
                                ? MODE_OBSERVE
                                : config_mode_at(&ret_who->app->policy, clock_wall_s());
    return cause;
}

bool purpose_allows_media(const struct exchange *x)
{
    const struct config *c = exchange_config(x);
    /* Whoever tests what is let through isn't refused for having asked for a stricter judgement. */
    const struct config_app *app = x->purpose.review == REVIEWER_OBSERVE
                                       ? &c->apps[config_app_index(c, x->who.app)]
                                       : x->who.app;
    return app->policy.allow_media;
}

void purpose_keep(struct exchange *x, enum direction direction, struct span text)
{
    if (x->purpose.review == REVIEWER_NONE)
        return;
    if (!x->kept) {
        x->kept = calloc(1, sizeof(*x->kept));
        if (!x->kept)
            return; /* nothing kept tells nothing false */
        buf_init(&x->kept->prompt, AUDIT_KEPT_MAX);
        buf_init(&x->kept->answer, AUDIT_KEPT_MAX);
    }
    struct buf *b = direction == DIRECTION_PROMPT ? &x->kept->prompt : &x->kept->answer;
    size_t room = b->max - b->len;
    if (b->len && room > 0 && buf_append_char(b, '\n') == 0)
        room--;
    buf_append(b, text.len > room ? span_slice(text, 0, room) : text);
}

void kept_free(struct kept *k)
{
    if (!k)
        return;
    buf_deinit(&k->prompt);
    buf_deinit(&k->answer);
    free(k);
}
