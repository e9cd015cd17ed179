#include "cli/desk.h"

#include "audit/forget.h"
#include "audit/strikes.h"
#include "base/clock.h"
#include "base/codec.h"
#include "cli/keep.h"
#include "cli/setup.h"
#include "json/value.h"

#include <errno.h>
#include <poll.h>

#define RECORD_MS  30000
#define APPS_MAX   64 /* of one end user that one act is about */
#define DETAIL_MAX 8192

static const char *const verbs[DESK_VERBS] = {"lookup", "lift",    "suspend",  "appeal", "deny",
                                              "delete", "account", "casebook", "reveal", "prune",
                                              "hold",   "release", "backup"};

/* The reasons of the admin records; README.md of audit/ lists them. */
static const char *const codes[DESK_VERBS] = {
    "user_lookup",        "user_lift",   "user_suspend", "user_appeal",
    "user_appeal_denied", "user_delete", "account",      ""};

bool desk_folder(struct span state_dir, const char *name, char ret_path[PATH_MAX])
{
    int n =
        snprintf(ret_path, PATH_MAX, "%.*s/desk%s%s", SPAN_ARG(state_dir), *name ? "/" : "", name);
    return n > 0 && n < PATH_MAX;
}

/* --- acts and answers as text --- */

int desk_casebook(const struct config *c, struct audit *a, struct casebook **ret_casebook)
{
    struct casebook_options o = {
        .state_dir = c->state_dir,
        .log_dir = c->audit.dir,
        .audit = a,
        .share = c->reviews.share,
        .second = c->reviews.second,
        .due_us = (uint64_t)c->complaints.due_ms * 1000,
    };
    return casebook_open(&o, ret_casebook);
}

int desk_write_act(const struct desk_act *act, struct buf *out)
{
    int r = buf_append_char(out, '{');
    setup_json(out, "verb", span_str(verbs[act->verb]));
    setup_json(out, "app", act->app);
    setup_json(out, "end_user", act->end_user);
    setup_json(out, "what", act->what);
    setup_json(out, "account", act->account);
    setup_json(out, "reason", act->reason);
    setup_json(out, "author", act->author);
    setup_json(out, "login", act->login);
    return r < 0 ? r
                 : buf_printf(out, ",\"seconds\":%lld,\"since_us\":%lld,\"until_us\":%lld}\n",
                              (long long)act->seconds, (long long)act->since_us,
                              (long long)act->until_us);
}

static bool read_text(const struct json_value *v, const char *key, struct arena *arena,
                      struct span *ret)
{
    struct span text;
    if (!value_get_string(value_get(v, span_str(key)), &text))
        return false;
    *ret = arena_copy(arena, text);
    return ret->data != NULL;
}

/* Acts of an older command have none. */
static bool read_time(const struct json_value *v, struct span key, int64_t *ret)
{
    const struct json_value *time = value_get(v, key);
    return !time || (value_get_integer(time, ret) && *ret >= 0);
}

/* Of an end user or of an account, never of both; an act of the casebook has its own. */
static bool has_subject(const struct desk_act *a)
{
    unsigned char bytes[32];
    if (a->verb >= DESK_REVEAL)
        return a->account.len == 0 &&
               (a->end_user.len == 0 || codec_unhex(a->end_user, bytes, sizeof(bytes)));
    if (a->verb == DESK_ACCOUNT)
        return a->account.len && a->end_user.len == 0;
    if (a->verb == DESK_CASEBOOK)
        return a->account.len == 0 && a->end_user.len == 0;
    return a->account.len == 0 && codec_unhex(a->end_user, bytes, sizeof(bytes));
}

int desk_read_act(struct span text, struct arena *arena, struct desk_act *ret_act)
{
    struct desk_act a = {.verb = DESK_VERBS};
    struct json_value *v = value_parse(text, NULL);
    struct span verb;
    if (v && value_get_string(value_get(v, SPAN_LIT("verb")), &verb))
        for (a.verb = 0; a.verb < DESK_VERBS && !span_eq(verb, span_str(verbs[a.verb])); a.verb++)
            ;
    bool good =
        a.verb < DESK_VERBS && read_text(v, "app", arena, &a.app) &&
        read_text(v, "end_user", arena, &a.end_user) && read_text(v, "what", arena, &a.what) &&
        (!value_get(v, SPAN_LIT("account")) || read_text(v, "account", arena, &a.account)) &&
        read_text(v, "reason", arena, &a.reason) && read_text(v, "author", arena, &a.author) &&
        read_text(v, "login", arena, &a.login) &&
        value_get_integer(value_get(v, SPAN_LIT("seconds")), &a.seconds) && a.seconds >= 0 &&
        read_time(v, SPAN_LIT("since_us"), &a.since_us) &&
        read_time(v, SPAN_LIT("until_us"), &a.until_us) && has_subject(&a) &&
        (a.verb != DESK_SUSPEND || a.app.len);
    value_free(v);
    *ret_act = a;
    return good ? 0 : -EBADMSG;
}

int desk_write_answer(const struct desk_answer *answer, struct buf *out)
{
    int r = buf_append_char(out, '{');
    setup_json(out, "error", span_str(answer->error));
    return r < 0 ? r
                 : buf_printf(out,
                              ",\"entries\":%lld,\"records\":%lld,\"texts\":%lld,"
                              "\"number\":%lld,\"originals\":%lld,\"held\":%lld,"
                              "\"left_in_wal\":%s}\n",
                              (long long)answer->entries, (long long)answer->records,
                              (long long)answer->texts, (long long)answer->number,
                              (long long)answer->originals, (long long)answer->held,
                              answer->left_in_wal ? "true" : "false");
}

int desk_read_answer(struct span text, struct desk_answer *ret_answer)
{
    struct desk_answer a = {0};
    struct json_value *v = value_parse(text, NULL);
    struct span error;
    bool good = value_get_string(value_get(v, SPAN_LIT("error")), &error) &&
                value_get_integer(value_get(v, SPAN_LIT("entries")), &a.entries) &&
                value_get_integer(value_get(v, SPAN_LIT("records")), &a.records) &&
                value_get_integer(value_get(v, SPAN_LIT("texts")), &a.texts) &&
                value_get_integer(value_get(v, SPAN_LIT("number")), &a.number) &&
                value_get_integer(value_get(v, SPAN_LIT("originals")), &a.originals) &&
                value_get_integer(value_get(v, SPAN_LIT("held")), &a.held) &&
                value_get_boolean(value_get(v, SPAN_LIT("left_in_wal")), &a.left_in_wal);
    if (good)
        snprintf(a.error, sizeof(a.error), "%.*s", SPAN_ARG(error));
    value_free(v);
    *ret_answer = a;
    return good ? 0 : -EBADMSG;
}

/* --- carrying out --- */

struct work {
    struct audit *audit;
    struct audit_port *port;
    const struct desk_act *act;
    struct desk_answer *answer;
    uint64_t queued; /* the number of the last event */
};

/*
 * Until the event that was queued last is on record. 0 or -errno. An earlier one's late completion,
 * which nobody waited for any more, says nothing about it.
 */
static int await(struct work *w)
{
    struct pollfd p = {.fd = audit_port_fd(w->port), .events = POLLIN};
    uint64_t end = clock_mono_ms() + RECORD_MS;
    struct audit_done done;
    for (;;) {
        if (audit_port_collect(w->port, &done, 1) > 0) {
            if (done.exchange == w->queued)
                return done.status;
            continue;
        }
        uint64_t now = clock_mono_ms();
        if (now >= end)
            return -ETIMEDOUT;
        if (poll(&p, 1, (int)(end - now)) < 0 && errno != EINTR)
            return -errno;
    }
}

/* Queues the act's record: of that app's user, with his strikes from now on or NULL. */
static int queue(struct work *w, struct span code, struct span app, const struct strike_entry *e,
                 struct span more)
{
    const struct desk_act *act = w->act;
    struct buf detail = BUF_INIT(DETAIL_MAX);
    struct audit_subject subject = {.app = app, .end_user = act->end_user};
    int r = buf_append_char(&detail, '{');
    if (act->what.len)
        setup_json(&detail, "what", act->what);
    if (act->account.len)
        setup_json(&detail, "account", act->account);
    setup_json(&detail, "author", act->author);
    setup_json(&detail, "login", act->login);
    if (act->reason.len)
        setup_json(&detail, "why", act->reason);
    if (r == 0)
        r = buf_append(&detail, more);
    if (r == 0)
        r = buf_append_char(&detail, '}');
    struct audit_event event = {.kind = AUDIT_ADMIN,
                                .subject = &subject,
                                .reason = code,
                                .detail = buf_span(&detail),
                                .strike = e};
    if (e) {
        int64_t until, now = clock_wall_s();
        enum strike_state state = strike_state_at(e, now, &until);
        event.user_state = span_str(state == STRIKE_CLEAR ? "" : strike_state_name(state));
        event.strikes = e->consecutive;
        event.strikes_today = strike_today(e, now);
    }
    if (r == 0)
        r = audit_submit(w->audit, w->port, ++w->queued, &event);
    buf_deinit(&detail);
    return r;
}

struct search {
    const struct desk_act *act;
    struct strike_entry wanted, found[APPS_MAX];
    size_t count;
};

static void look_at(void *ctx, const struct strike_entry *e)
{
    struct search *s = ctx;
    bool his = memcmp(e->end_user, s->wanted.end_user, sizeof(e->end_user)) == 0 &&
               (s->act->app.len == 0 || span_eq(s->act->app, strike_entry_app(e)));
    if (his && s->count < APPS_MAX)
        s->found[s->count++] = *e;
}

static void change(const struct desk_act *act, struct strike_entry *e, int64_t now)
{
    if (act->verb == DESK_LIFT)
        strike_lift(e, now);
    else if (act->verb == DESK_SUSPEND)
        strike_suspend(e, now,
                       act->seconds && act->seconds < STRIKE_FOREVER - now ? now + act->seconds
                                                                           : STRIKE_FOREVER);
    else
        strike_appeal(e, now, act->verb == DESK_APPEAL);
}

/* As the gate does: change, queue the event that carries it, take it back if that failed. */
static int change_one(struct work *w, struct strikes *t, struct strike_entry *e)
{
    strikes_lock(t);
    bool known = strikes_find(t, e);
    struct strike_entry old = *e;
    change(w->act, e, clock_wall_s());
    strikes_put(t, e);
    int r = queue(w, span_str(codes[w->act->verb]), strike_entry_app(e), e, SPAN_NULL);
    if (r < 0 && known)
        strikes_put(t, &old);
    else if (r < 0) { /* as if nothing were known of him */
        strike_lift(&old, 0);
        strikes_put(t, &old);
    }
    strikes_unlock(t);
    return r < 0 ? r : await(w);
}

static int change_all(struct work *w)
{
    struct strikes *t = audit_strikes(w->audit);
    struct search s = {.act = w->act};
    int r = t ? 0 : -ENOENT;
    if (r == 0 && !strike_entry_init(&s.wanted, w->act->app.len ? w->act->app : SPAN_LIT("-"),
                                     w->act->end_user))
        r = -EINVAL;
    if (r == 0) {
        strikes_lock(t);
        strikes_each(t, look_at, &s);
        strikes_unlock(t);
    }
    if (r == 0 && s.count == 0 && w->act->verb == DESK_SUSPEND)
        s.found[s.count++] = s.wanted;
    for (size_t i = 0; r == 0 && i < s.count; i++) {
        r = change_one(w, t, &s.found[i]);
        w->answer->entries += r == 0;
    }
    return r;
}

/* The wish is on record before it is granted, and what was done after it. */
static int forget(struct work *w, struct span log_dir)
{
    struct forget_result done = {0};
    struct buf more = BUF_INIT(1024);
    int r = queue(w, span_str(codes[DESK_DELETE]), w->act->app, NULL, SPAN_NULL);
    if (r == 0)
        r = await(w);
    if (r == 0)
        r = forget_run(log_dir, w->act->app, w->act->end_user, &done);
    w->answer->records = (int64_t)done.records;
    w->answer->texts = (int64_t)done.texts;
    w->answer->originals = (int64_t)done.originals;
    w->answer->held = (int64_t)done.held;
    w->answer->left_in_wal = done.left_in_wal;
    int told = buf_printf(&more,
                          ",\"records\":%llu,\"texts\":%llu,\"originals\":%llu,\"held\":%llu,"
                          "\"complete\":%s",
                          (unsigned long long)done.records, (unsigned long long)done.texts,
                          (unsigned long long)done.originals, (unsigned long long)done.held,
                          r == 0 ? "true" : "false");
    if (told == 0)
        told = queue(w, SPAN_LIT("user_deleted"), w->act->app, NULL, buf_span(&more));
    if (told == 0)
        told = await(w);
    buf_deinit(&more);
    return r < 0 ? r : told;
}

/* The casebook keeps its own records. */
static int keep_book(struct casebook *book, const struct desk_act *act, struct desk_answer *ret)
{
    struct casebook_act wanted;
    struct casebook_answer done = {0};
    struct arena arena;
    arena_init(&arena, 16 * DESK_ACT_MAX);
    int r = book ? casebook_read_act(act->what, &arena, &wanted) : -ENOENT;
    if (r == 0)
        r = casebook_do(book, &wanted, &done);
    arena_deinit(&arena);
    snprintf(ret->error, sizeof(ret->error), "%s",
             !book                     ? "the casebook can't be opened"
             : r < 0 && !done.error[0] ? strerror(-r)
                                       : done.error);
    ret->entries = (int64_t)done.done;
    ret->records = (int64_t)done.skipped;
    ret->number = done.number;
    return 0;
}

void desk_carry_out(const struct desk_hands *hands, const struct desk_act *act,
                    struct desk_answer *ret_answer)
{
    *ret_answer = (struct desk_answer){0};
    struct work w = {.audit = hands->audit, .act = act, .answer = ret_answer};
    if (act->verb >= DESK_REVEAL) {
        keep_carry_out(hands->audit, act, ret_answer);
        return;
    }
    int r = act->verb == DESK_CASEBOOK ? keep_book(hands->casebook, act, ret_answer)
                                       : audit_port_open(hands->audit, &w.port);
    if (act->verb == DESK_CASEBOOK) {
        /* done */
    } else if (r == 0 && (act->verb == DESK_LOOKUP || act->verb == DESK_ACCOUNT)) {
        r = queue(&w, span_str(codes[act->verb]), act->app, NULL, SPAN_NULL);
        if (r == 0)
            r = await(&w);
    } else if (r == 0 && act->verb == DESK_DELETE) {
        r = forget(&w, hands->log_dir);
    } else if (r == 0) {
        r = change_all(&w);
    }
    if (w.port)
        audit_port_close(w.port);
    if (r < 0)
        snprintf(ret_answer->error, sizeof(ret_answer->error), "%s",
                 r == -EIO || r == -EAGAIN ? "the log can't be written now" : strerror(-r));
}
