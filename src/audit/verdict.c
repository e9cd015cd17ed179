#include "audit/verdict.h"

#include "audit/act.h"
#include "base/clock.h"

#include <errno.h>

#define APPS_MAX 64 /* of one end user that one act is about */

static const char *const names[USER_VERDICTS] = {"lift", "suspend", "appeal", "deny"};
static const char *const codes[USER_VERDICTS] = {"user_lift", "user_suspend", "user_appeal",
                                                 "user_appeal_denied"};

const char *verdict_name(enum verdict v)
{
    return names[v];
}

const char *verdict_code(enum verdict v)
{
    return codes[v];
}

enum verdict verdict_from(struct span name)
{
    for (int v = 0; v < USER_VERDICTS; v++)
        if (span_eq(name, span_str(names[v])))
            return (enum verdict)v;
    return USER_VERDICTS;
}

struct work {
    struct audit *audit;
    struct audit_port *port;
    const struct verdict_act *act;
    struct strike_entry wanted, found[APPS_MAX];
    size_t count;
};

static void look_at(void *ctx, const struct strike_entry *e)
{
    struct work *w = ctx;
    bool his = memcmp(e->end_user, w->wanted.end_user, sizeof(e->end_user)) == 0 &&
               (w->act->app.len == 0 || span_eq(w->act->app, strike_entry_app(e)));
    if (his && w->count < APPS_MAX)
        w->found[w->count++] = *e;
}

static void change(const struct verdict_act *act, struct strike_entry *e, int64_t now)
{
    if (act->verdict == USER_LIFT)
        strike_lift(e, now);
    else if (act->verdict == USER_SUSPEND)
        strike_suspend(e, now,
                       act->seconds && act->seconds < STRIKE_FOREVER - now ? now + act->seconds
                                                                           : STRIKE_FOREVER);
    else
        strike_appeal(e, now, act->verdict == USER_APPEAL);
}

/* Queues the act's record: of that app's user, with his strikes from now on. */
static int queue(struct work *w, const struct strike_entry *e)
{
    int64_t until, now = clock_wall_s();
    enum strike_state state = strike_state_at(e, now, &until);
    struct audit_subject subject = {.app = strike_entry_app(e), .end_user = w->act->end_user};
    struct audit_event event = {
        .kind = AUDIT_ADMIN,
        .subject = &subject,
        .reason = span_str(codes[w->act->verdict]),
        .detail = w->act->detail,
        .strike = e,
        .user_state = span_str(state == STRIKE_CLEAR ? "" : strike_state_name(state)),
        .strikes = e->consecutive,
        .strikes_today = strike_today(e, now),
    };
    return audit_submit(w->audit, w->port, 1, &event);
}

/* As the gate does: change, queue the event that carries it, take it back if that failed. */
static int change_one(struct work *w, struct strikes *t, struct strike_entry *e)
{
    strikes_lock(t);
    bool known = strikes_find(t, e);
    struct strike_entry old = *e;
    change(w->act, e, clock_wall_s());
    strikes_put(t, e);
    int r = queue(w, e);
    if (r < 0 && known)
        strikes_put(t, &old);
    else if (r < 0) { /* as if nothing were known of him */
        strike_lift(&old, 0);
        strikes_put(t, &old);
    }
    strikes_unlock(t);
    return r < 0 ? r : act_await(w->port);
}

int verdict_run(struct audit *a, const struct verdict_act *act, size_t *ret_entries)
{
    struct work w = {.audit = a, .act = act};
    struct strikes *t = audit_strikes(a);
    *ret_entries = 0;
    if (!t)
        return -ENOENT;
    if (act->verdict == USER_SUSPEND && act->app.len == 0)
        return -EINVAL;
    if (!strike_entry_init(&w.wanted, act->app.len ? act->app : SPAN_LIT("-"), act->end_user))
        return -EINVAL;
    int r = audit_port_open(a, &w.port);
    if (r < 0)
        return r;
    strikes_lock(t);
    strikes_each(t, look_at, &w);
    strikes_unlock(t);
    if (w.count == 0 && act->verdict == USER_SUSPEND)
        w.found[w.count++] = w.wanted;
    for (size_t i = 0; r == 0 && i < w.count; i++) {
        r = change_one(&w, t, &w.found[i]);
        *ret_entries += r == 0;
    }
    audit_port_close(w.port);
    return r;
}

bool verdict_knows_state(struct span state)
{
    for (int s = 0; s < STRIKE_STATES; s++)
        if (span_eq(state, span_str(strike_state_name((enum strike_state)s))))
            return true;
    return state.len == 0 || span_eq(state, SPAN_LIT("appealed"));
}

bool verdict_lists(const struct strike_entry *e, struct span state, int64_t now)
{
    int64_t until;
    enum strike_state is = strike_state_at(e, now, &until);
    bool appealed = e->flags & STRIKE_APPEALED;
    if (state.len == 0)
        return is != STRIKE_CLEAR || appealed;
    if (span_eq(state, SPAN_LIT("appealed")))
        return appealed;
    return span_eq(state, span_str(strike_state_name(is)));
}
