#include "gate/strike.h"

#include "audit/strikes.h"
#include "base/clock.h"

#include <time.h>

#define CHINA_SECONDS (8 * 3600)

struct strike {
    struct strike_entry entry; /* as last seen */
    enum cause cause;          /* that holds the user; CAUSE_NONE */
    enum cause told;           /* whose sentence the refusal says, or says besides */
    int64_t until;             /* in that sentence */
    int64_t wait;              /* of a held user: seconds */
    unsigned row;              /* strikes in a row before this prompt was let through */
};

/* NULL: nothing counts in this exchange. */
static struct strikes *table_of(const struct exchange *x)
{
    if (!exchange_config(x)->strikes.enabled || x->purpose.mode != MODE_ENFORCE ||
        x->purpose.uncounted || record_end_user(x).len == 0 || !x->gate->audit)
        return NULL;
    return audit_strikes(x->gate->audit);
}

static struct strike *state_of(struct exchange *x)
{
    if (!x->strike)
        x->strike = arena_alloc(&x->arena, sizeof(*x->strike));
    return x->strike;
}

/* Under the table's lock. False when the user can't be counted. */
static bool look(struct exchange *x, struct strikes *t, struct strike_entry *ret)
{
    bool named = strike_entry_init(ret, x->who.app->name, record_end_user(x));
    if (named)
        strikes_find(t, ret);
    return named;
}

static void hold(struct exchange *x, struct strike *s, enum cause cause, int64_t until,
                 int64_t wait)
{
    s->cause = s->told = cause;
    s->until = until;
    s->wait = wait;
    x->prompt->action = ACTION_BLOCK;
}

enum cause strike_hold(struct exchange *x)
{
    struct strikes *t = table_of(x);
    struct strike *s = t ? state_of(x) : NULL;
    int64_t now = clock_wall_s(), until = 0, wait;
    if (!s)
        return CAUSE_NONE;
    int64_t pace = (exchange_config(x)->strikes.pace_ms + 999) / 1000;
    strikes_lock(t);
    enum strike_state state =
        look(x, t, &s->entry) ? strike_state_at(&s->entry, now, &until) : STRIKE_CLEAR;
    if (state == STRIKE_SUSPEND)
        hold(x, s, CAUSE_USER_SUSPENDED, until, until - now);
    else if (state == STRIKE_LIMIT && !x->prompt->refused &&
             (wait = strikes_take_turn(t, &s->entry, pace, now)) > 0)
        hold(x, s, CAUSE_USER_LIMITED, until, wait < until - now ? wait : until - now);
    strikes_unlock(t);
    return s->cause;
}

/* Only what the user has just said, and what was refused for it. */
static bool counts(const struct exchange *x)
{
    const struct judge *j = x->prompt;
    return j->history.said && (j->action != ACTION_ANSWER || exchange_config(x)->strikes.answers);
}

static struct strike_rules rules_of(const struct exchange *x)
{
    const struct config *c = exchange_config(x);
    return (struct strike_rules){
        .consecutive = c->strikes.consecutive,
        .per_day = c->strikes.per_day,
        .limit_consecutive = c->strikes.limit_consecutive,
        .limit_per_day = c->strikes.limit_per_day,
        .suspend_s = c->strikes.suspend_ms / 1000,
        .limit_s = c->strikes.limit_ms / 1000,
    };
}

/* Puts the change, queues the event that carries it, and takes it back when that failed. */
static int put(struct exchange *x, struct strikes *t, const struct strike_entry *e,
               const struct strike_entry *old, int (*queue)(struct exchange *x, struct span reason),
               struct span reason)
{
    strikes_put(t, e);
    record_strike(x, e);
    int r = queue(x, reason);
    if (r < 0)
        strikes_put(t, old);
    return r;
}

static int queue_act(struct exchange *x, struct span reason)
{
    return record_act(x, x->prompt, reason);
}

static int queue_open(struct exchange *x, struct span reason)
{
    return record_open(x);
}

enum cause strike_act(struct exchange *x, struct span reason)
{
    struct strikes *t = counts(x) ? table_of(x) : NULL;
    struct strike *s = t ? state_of(x) : NULL;
    struct strike_entry e;
    if (!s) {
        record_act(x, x->prompt, reason);
        return CAUSE_CONTENT_FILTER;
    }
    static const enum cause says[STRIKE_STATES] = {
        [STRIKE_WARN] = CAUSE_USER_WARNED,
        [STRIKE_LIMIT] = CAUSE_USER_LIMITED,
        [STRIKE_SUSPEND] = CAUSE_USER_SUSPENDED,
    };
    struct strike_rules rules = rules_of(x);
    int64_t now = clock_wall_s(), until;
    strikes_lock(t);
    bool named = look(x, t, &e);
    if (named && strike_state_at(&e, now, &until) == STRIKE_SUSPEND) {
        strikes_unlock(t);
        hold(x, s, CAUSE_USER_SUSPENDED, until, until - now);
        return CAUSE_USER_SUSPENDED;
    }
    if (named) {
        struct strike_entry old = e;
        if (e.consecutive < s->row) /* it was let through at first */
            e.consecutive = s->row;
        strike_count(&e, &rules, now);
        if (put(x, t, &e, &old, queue_act, reason) == 0) {
            s->told = says[strike_state_at(&e, now, &s->until)];
            metrics_add(x->purpose.metrics, METRIC_STRIKES, 1);
        }
    }
    strikes_unlock(t);
    if (!named)
        record_act(x, x->prompt, reason);
    return CAUSE_CONTENT_FILTER;
}

int strike_open(struct exchange *x)
{
    struct strike *s = x->strike;
    struct strikes *t = s && s->entry.consecutive ? table_of(x) : NULL;
    struct strike_entry e;
    if (!t)
        return record_open(x);
    strikes_lock(t);
    struct strike_entry old = {0};
    bool ends = look(x, t, &e);
    if (ends) {
        old = e;
        ends = strike_pass(&e, clock_wall_s());
    }
    s->row = old.consecutive;
    int r = ends ? put(x, t, &e, &old, queue_open, SPAN_NULL) : record_open(x);
    strikes_unlock(t);
    return r;
}

void strike_refuse(struct exchange *x, enum cause cause)
{
    struct span code = span_str(cause_code(cause));
    unsigned before = record_waiting(x);
    record_notes(x)->status =
        x->who.app->policy.refusal == REFUSAL_ERROR ? cause_status(cause) : 200;
    /* With what was found in it, if something was. */
    record_act(x, x->prompt, code);
    if (record_waiting(x) == before && !record_failed(x))
        record_rejection(x, code);
    record_close(x, OUTCOME_REFUSED, code);
    metrics_add(x->purpose.metrics, METRIC_SUSPENDED, 1);
}

enum cause strike_cause(const struct exchange *x)
{
    return x->strike && x->strike->cause != CAUSE_NONE ? x->strike->cause : CAUSE_CONTENT_FILTER;
}

uint64_t strike_wait_s(const struct exchange *x)
{
    const struct strike *s = x->strike;
    bool held = s && s->cause != CAUSE_NONE && s->until != STRIKE_FOREVER;
    return held && s->wait > 0 ? (uint64_t)s->wait : 0;
}

/* --- words --- */

/* In minutes, upwards: who comes when he is told to is not to be turned away. */

static struct span time_text(struct exchange *x, int64_t until)
{
    enum language l = x->who.app->policy.language;
    if (until == STRIKE_FOREVER)
        return l == LANGUAGE_ZH   ? SPAN_LIT("另行通知")
               : l == LANGUAGE_EN ? SPAN_LIT("further notice")
                                  : SPAN_LIT("另行通知 (further notice)");
    char text[64] = "";
    time_t local = (time_t)((until + 59) / 60 * 60 + CHINA_SECONDS);
    struct tm tm;
    if (gmtime_r(&local, &tm))
        strftime(text, sizeof(text), "%Y-%m-%d %H:%M (UTC+8)", &tm);
    return arena_copy(&x->arena, span_str(text));
}

/* `before`, and behind it the text with every {until} replaced; empty when memory is out. */
static struct span fill_in(struct exchange *x, struct span before, struct span text, int64_t until)
{
    static const struct span mark = SPAN_LIT("{until}");
    struct buf b = BUF_INIT(65536);
    struct span when = time_text(x, until);
    bool parted = x->who.app->policy.language != LANGUAGE_ZH;
    int r = buf_append(&b, before);
    if (r == 0 && before.len && parted)
        r = buf_append_char(&b, ' ');
    while (r == 0 && text.len) {
        size_t at = span_find(text, mark);
        r = buf_append(&b, span_slice(text, 0, at));
        if (r == 0 && at < text.len) /* a warning has no end */
            r = buf_append(&b, until ? when : mark);
        text = span_slice(text, at < text.len ? at + mark.len : at, text.len);
    }
    struct span filled = r == 0 ? arena_copy(&x->arena, buf_span(&b)) : SPAN_NULL;
    buf_deinit(&b);
    return filled;
}

void strike_describe(struct exchange *x, struct dialect_refusal *d)
{
    const struct strike *s = x->strike;
    if (!s || s->told == CAUSE_NONE)
        return;
    bool held = s->cause != CAUSE_NONE;
    if (held) {
        d->code = span_str(cause_code(s->cause));
        d->type = span_str(cause_type(s->cause));
        d->param = SPAN_NULL;
        d->answer = false;
    }
    /* Prose would break a stream that was to be JSON; an answer that helps is not to threaten. */
    if (d->text.len == 0 || d->answer)
        return;
    struct span text = policy_text(&x->who.app->policy, s->told);
    struct span filled = fill_in(x, held ? SPAN_NULL : d->text, text, s->until);
    if (filled.len)
        d->text = filled;
}
