/* Who one is: log in and out, password, second factor. */
#include "console/areas.h"
#include "console/guard.h"
#include "console/totp.h"

#include "base/clock.h"
#include "base/day.h"
#include "base/log.h"
#include "crypto/secret.h"

#include <errno.h>
#include <stdio.h>

/* Has he a second factor? */
static bool has_totp(const struct api *api, struct span name)
{
    struct account a = {0};
    bool has = accounts_find(api->guard->accounts, name, &a) && a.has_totp;
    secret_cleanse(&a, sizeof(a));
    return has;
}

/* What the page begins with: who one is, and where. */
static int write_session(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    char day[DAY_TEXT_SIZE], token[SESSION_TOKEN_SIZE];
    struct buf *out = &a->body;
    int r = guard_token(api->guard, q, token);
    if (r < 0)
        return r;
    day_format(clock_wall_s() + 1, day);
    if (q->user.len) {
        buf_append(out, SPAN_LIT("{\"user\":{"));
        api_member(out, "name", q->user);
        api_member(out, "role", staff_name(q->role));
        buf_append(out, SPAN_LIT(",\"may\":["));
        for (unsigned i = 0, n = 0; i < PERMISSIONS; i++)
            if (q->may & 1u << i)
                buf_printf(out, "%s\"%.*s\"", n++ ? "," : "", SPAN_ARG(permission_name(i)));
        buf_printf(out, "],\"totp\":%s}", has_totp(api, q->user) ? "true" : "false");
    } else {
        buf_append(out, SPAN_LIT("{\"user\":null"));
    }
    bool setup =
        api->guard->accounts ? accounts_count(api->guard->accounts) == 0 : !api->guard->damaged;
    api_member(out, "token", span_str(token));
    buf_printf(out, ",\"setup\":%s,\"front\":%s", setup ? "true" : "false",
               q->user.len && !q->session.len ? "true" : "false");
    api_member(out, "version", SPAN_LIT(JUYONG_VERSION));
    api_member(out, "node", api->config ? api->config->node : SPAN_LIT(""));
    buf_printf(out, ",\"now_us\":%llu", (unsigned long long)clock_wall_us());
    api_member(out, "day", span_str(day));
    secret_cleanse(token, sizeof(token));
    return buf_append_char(out, '}');
}

static int get_session(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    return write_session(api, q, a);
}

/* Set-Cookie; an empty id takes it away. */
static void set_cookie(const struct api *api, struct span id, struct api_answer *a)
{
    snprintf(a->cookie, sizeof(a->cookie), "%.*s=%.*s; Path=/; HttpOnly; SameSite=Strict%s%s",
             SPAN_ARG(guard_cookie_name(api->settings)), SPAN_ARG(id),
             guard_is_secure(api->settings) ? "; Secure" : "", id.len ? "" : "; Max-Age=0");
}

/* --- log in --- */

/* Who must see why the log fails has to get in: what can't be recorded is told on stderr. */
static void note(const struct api *api, const struct api_request *q, struct span reason)
{
    int r = api_record(api, q, reason, SPAN_LIT(""));
    if (r < 0)
        log_warning("console: %.*s is not on record: %s", SPAN_ARG(reason), strerror(-r));
}

/* What was typed as a name may be somebody's password: only names that are one are told. */
static void note_of(const struct api *api, const struct api_request *q, struct span reason,
                    const struct account *account)
{
    struct api_request his = *q;
    his.user = account ? span_str(account->name) : SPAN_LIT("");
    his.role = account ? account->role : STAFF_NONE;
    note(api, &his, reason);
}

struct attempt {
    struct span name, password, code;
    struct account account;
    bool known;
    uint64_t step; /* of the code */
};

enum verdict { RIGHT, WRONG, CODE_NEEDED };

static enum verdict judge(struct attempt *t)
{
    const struct account *a = t->known ? &t->account : NULL;
    if (!account_check_password(a, t->password) || t->account.disabled)
        return WRONG;
    if (!a->has_totp)
        return RIGHT;
    if (t->code.len == 0)
        return CODE_NEEDED;
    return otp_check(span_from((const char *)a->totp, sizeof(a->totp)), t->code, clock_wall_s(),
                     a->totp_step, &t->step)
               ? RIGHT
               : WRONG;
}

/* The account may have changed while the password was looked at; a code works once. */
static int note_login(void *ctx, struct account *list, size_t *count)
{
    struct attempt *t = ctx;
    for (size_t i = 0; i < *count; i++) {
        struct account *a = &list[i];
        if (strcmp(a->name, t->account.name) != 0)
            continue;
        if (a->disabled || a->epoch != t->account.epoch || (a->has_totp && t->step <= a->totp_step))
            return -EAGAIN;
        a->last_login_us = clock_wall_us();
        if (a->has_totp)
            a->totp_step = t->step;
        return 0;
    }
    return -EAGAIN;
}

static int refuse_login(const struct api *api, const struct api_request *q, const struct attempt *t,
                        struct api_answer *a)
{
    bool limited = throttle_failed(api->guard->throttle, t->name, q->client_ip, clock_mono_ms());
    note_of(api, q, SPAN_LIT("login_failed"), t->known ? &t->account : NULL);
    if (limited)
        note_of(api, q, SPAN_LIT("login_limited"), t->known ? &t->account : NULL);
    return api_error(a, 401, "wrong", "Name, password or code is wrong.");
}

static int begin_session(const struct api *api, const struct api_request *q,
                         const struct account *account, struct api_answer *a)
{
    char id[SESSION_ID_SIZE];
    struct api_request his = *q;
    if (q->session.len) /* whoever planted it has nothing of it */
        sessions_end(api->guard->sessions, q->session);
    int r = sessions_begin(api->guard->sessions, account, clock_mono_ms(), id);
    if (r < 0)
        return r;
    his.user = span_str(account->name);
    his.role = account->role;
    his.may = staff_may(account->role);
    his.session = span_from(id, SESSION_ID_SIZE - 1);
    set_cookie(api, his.session, a);
    r = write_session(api, &his, a);
    secret_cleanse(id, sizeof(id));
    return r;
}

static int try_login(const struct api *api, const struct api_request *q, struct attempt *t,
                     struct api_answer *a)
{
    struct guard *g = api->guard;
    unsigned wait = throttle_wait(g->throttle, t->name, q->client_ip, clock_mono_ms());
    if (wait) {
        a->retry_after_s = wait;
        return api_error(a, 429, "too_often", "Too many wrong tries. Wait %u seconds.", wait);
    }
    t->known = g->accounts && accounts_find(g->accounts, t->name, &t->account);
    enum verdict v = judge(t);
    if (v == CODE_NEEDED)
        return api_error(a, 401, "code_needed", "A code of the authenticator app is needed.");
    if (v == WRONG)
        return refuse_login(api, q, t, a);
    int r = accounts_edit(g->accounts, note_login, t);
    if (r == -EAGAIN)
        return refuse_login(api, q, t, a);
    if (r < 0 && t->account.has_totp)
        return r; /* a code whose use can't be noted would work again */
    if (r < 0)
        log_warning("console: the login's time can't be noted: %s", strerror(-r));
    throttle_good(g->throttle, t->name, q->client_ip);
    note_of(api, q, SPAN_LIT("login"), &t->account);
    return begin_session(api, q, &t->account, a);
}

static int post_login(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    struct attempt t = {0};
    /* By a name of any length the same happens as by an unknown one. */
    if (!api_body_text(q, "name", 0, 4096, &t.name, a) ||
        !api_body_text(q, "password", 0, 1u << 16, &t.password, a) ||
        !api_body_text(q, "code", 0, 64, &t.code, a))
        return 0;
    int r = try_login(api, q, &t, a);
    secret_cleanse(&t.account, sizeof(t.account));
    return r;
}

static int post_logout(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    sessions_end(api->guard->sessions, q->session);
    set_cookie(api, SPAN_LIT(""), a);
    note(api, q, SPAN_LIT("logout"));
    return buf_append(&a->body, SPAN_LIT("{}"));
}

/* --- his own account --- */

/*
 * Is it still he? By his password, with the same limits as a login's: a session that was left open
 * must not do to guess it. True, or false with the answer filled.
 */
static bool prove(const struct api *api, const struct api_request *q, const char *member,
                  struct account *ret_account, struct api_answer *a)
{
    struct guard *g = api->guard;
    struct span password;
    if (!q->session.len) {
        api_error(a, 409, "front", "The front before the console keeps the passwords.");
        return false;
    }
    if (!api_body_text(q, member, 0, 1u << 16, &password, a))
        return false;
    unsigned wait = throttle_wait(g->throttle, q->user, q->client_ip, clock_mono_ms());
    if (wait) {
        a->retry_after_s = wait;
        api_error(a, 429, "too_often", "Too many wrong tries. Wait %u seconds.", wait);
        return false;
    }
    if (accounts_find(g->accounts, q->user, ret_account) &&
        account_check_password(ret_account, password)) {
        throttle_good(g->throttle, q->user, q->client_ip);
        return true;
    }
    throttle_failed(g->throttle, q->user, q->client_ip, clock_mono_ms());
    note(api, q, SPAN_LIT("password_wrong"));
    api_error(a, 403, "wrong", "The password is wrong.");
    return false;
}

struct renewal {
    struct account new;
    uint64_t epoch; /* that of what was looked at: nobody has changed it since */
};

/* Replaces what concerns him alone. -EAGAIN when somebody was faster. */
static int put_back(void *ctx, struct account *list, size_t *count)
{
    const struct account *new = &((const struct renewal *)ctx)->new;
    for (size_t i = 0; i < *count; i++) {
        struct account *a = &list[i];
        if (strcmp(a->name, new->name) != 0)
            continue;
        if (a->epoch != ((const struct renewal *)ctx)->epoch)
            return -EAGAIN;
        a->cost = new->cost;
        memcpy(a->salt, new->salt, sizeof(new->salt));
        memcpy(a->hash, new->hash, sizeof(new->hash));
        memcpy(a->totp, new->totp, sizeof(new->totp));
        a->has_totp = new->has_totp;
        a->totp_step = new->totp_step;
        a->epoch = new->epoch;
        return 0;
    }
    return -EAGAIN;
}

/* Writes it, and begins another session where the old ones are over by it. */
static int renew(const struct api *api, const struct api_request *q, struct renewal *w,
                 bool session, struct api_answer *a)
{
    int r = accounts_edit(api->guard->accounts, put_back, w);
    if (r == -EAGAIN)
        return api_error(a, 409, "changed", "Somebody has just changed this account.");
    if (r < 0)
        return r;
    return session ? begin_session(api, q, &w->new, a) : buf_append(&a->body, SPAN_LIT("{}"));
}

static int post_password(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    struct renewal w = {0};
    struct span new;
    const char *fault;
    int r = 0;
    if (!api_body_text(q, "new", 0, 1u << 16, &new, a)) {
        /* told */
    } else if ((fault = account_password_fault(q->user, new))) {
        r = api_error(a, 422, "bad_password", "%s", fault);
    } else if (prove(api, q, "old", &w.new, a)) {
        w.epoch = w.new.epoch;
        r = api_record(api, q, SPAN_LIT("account_password"), SPAN_LIT(""));
        if (r == 0)
            r = account_set_password(&w.new, new);
        if (r == 0)
            r = renew(api, q, &w, true, a); /* all others of his are over */
    }
    secret_cleanse(&w, sizeof(w));
    return r;
}

/* --- second factor --- */

static int post_totp_begin(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    unsigned char secret[OTP_SECRET_SIZE];
    char text[TOTP_TEXT_SIZE];
    struct buf uri = BUF_INIT(2048);
    if (!q->session.len)
        return api_error(a, 409, "front", "The front before the console sees to that.");
    /* Another in its place would be the old one's removal, which takes the password. */
    if (has_totp(api, q->user))
        return api_error(a, 409, "there_already", "There is a second factor; remove it first.");
    int r = secret_random(secret, sizeof(secret));
    if (r == 0)
        r = totp_uri(&uri, q->user, api->config ? api->config->node : SPAN_LIT(""), secret);
    if (r == 0) {
        sessions_keep_secret(api->guard->sessions, q->session, secret);
        totp_text(secret, text);
        buf_append_char(&a->body, '{');
        api_member(&a->body, "secret", span_str(text));
        api_member(&a->body, "uri", buf_span(&uri));
        r = buf_append_char(&a->body, '}');
    }
    secret_cleanse(secret, sizeof(secret));
    secret_cleanse(text, sizeof(text));
    buf_deinit(&uri);
    return r;
}

static int confirm_totp(const struct api *api, const struct api_request *q, const struct session *s,
                        struct renewal *w, struct span code, struct api_answer *a)
{
    uint64_t step;
    if (!s->has_secret || !accounts_find(api->guard->accounts, q->user, &w->new))
        return api_error(a, 409, "not_begun", "No second factor is being set up.");
    if (w->new.has_totp)
        return api_error(a, 409, "there_already", "There is a second factor; remove it first.");
    if (!otp_check(span_from((const char *)s->secret, sizeof(s->secret)), code, clock_wall_s(), 0,
                   &step))
        return api_error(a, 422, "wrong", "The code is wrong. Is the clock of the device right?");
    int r = api_record(api, q, SPAN_LIT("account_totp"), SPAN_LIT("\"totp\":true"));
    w->epoch = w->new.epoch;
    memcpy(w->new.totp, s->secret, sizeof(s->secret));
    w->new.has_totp = true;
    w->new.totp_step = step;
    if (r == 0)
        r = renew(api, q, w, false, a);
    sessions_keep_secret(api->guard->sessions, q->session, NULL);
    return r;
}

static int post_totp_confirm(const struct api *api, const struct api_request *q,
                             struct api_answer *a)
{
    struct session s = {0};
    struct renewal w = {0};
    struct span code;
    if (!api_body_text(q, "code", 0, 64, &code, a))
        return 0;
    sessions_find(api->guard->sessions, q->session, clock_mono_ms(), false, &s);
    int r = confirm_totp(api, q, &s, &w, code, a);
    secret_cleanse(&w, sizeof(w));
    secret_cleanse(&s, sizeof(s));
    return r;
}

static int post_totp_remove(const struct api *api, const struct api_request *q,
                            struct api_answer *a)
{
    struct renewal w = {0};
    int r = 0;
    if (prove(api, q, "password", &w.new, a)) {
        w.epoch = w.new.epoch;
        r = api_record(api, q, SPAN_LIT("account_totp"), SPAN_LIT("\"totp\":false"));
        w.new.has_totp = false;
        memset(w.new.totp, 0, sizeof(w.new.totp));
        if (r == 0)
            r = renew(api, q, &w, false, a);
    }
    secret_cleanse(&w, sizeof(w));
    return r;
}

const struct api_route api_session_routes[] = {
    {"GET", "/api/session", 0, get_session},
    {"POST", "/api/login", 0, post_login},
    {"POST", "/api/logout", MAY_COME, post_logout},
    {"POST", "/api/password", MAY_COME, post_password},
    {"POST", "/api/totp/begin", MAY_COME, post_totp_begin},
    {"POST", "/api/totp/confirm", MAY_COME, post_totp_confirm},
    {"POST", "/api/totp/remove", MAY_COME, post_totp_remove},
    {NULL},
};
