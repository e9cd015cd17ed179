#include "cli/desk.h"

#include "audit/act.h"
#include "audit/forget.h"
#include "audit/verdict.h"
#include "base/codec.h"
#include "cli/keep.h"
#include "cli/setup.h"
#include "json/value.h"

#include <errno.h>

#define DETAIL_MAX 8192

static const char *const verbs[DESK_VERBS] = {"lookup", "lift",    "suspend",  "appeal", "deny",
                                              "delete", "account", "casebook", "reveal", "prune",
                                              "hold",   "release", "backup",   "key",    "filing"};

/* The reasons of the admin records; README.md of audit/ lists them. verdict_code() has others. */
static const char *const codes[DESK_VERBS] = {
    [DESK_LOOKUP] = "user_lookup", [DESK_DELETE] = "user_delete", [DESK_ACCOUNT] = "account"};

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
    if (a->verb == DESK_KEY || a->verb == DESK_FILING)
        return a->account.len && a->what.len && a->end_user.len == 0;
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
    const struct desk_act *act;
    struct desk_answer *answer;
};

/* Who does it, what and why, and `more` members. */
static int write_detail(const struct desk_act *act, struct span more, struct buf *out)
{
    int r = buf_append_char(out, '{');
    if (act->verb == DESK_KEY)
        setup_json(out, "key", act->account);
    else if (act->verb == DESK_FILING)
        setup_json(out, "of", act->account);
    else if (act->what.len)
        setup_json(out, "what", act->what);
    if (act->account.len && act->verb != DESK_KEY && act->verb != DESK_FILING)
        setup_json(out, "account", act->account);
    setup_json(out, "author", act->author);
    setup_json(out, "login", act->login);
    if (act->reason.len)
        setup_json(out, act->verb == DESK_KEY ? "old" : "why", act->reason);
    if (r == 0)
        r = buf_append(out, more);
    return r < 0 ? r : buf_append_char(out, '}');
}

/* Until it is on record. */
static int record(struct work *w, struct span code, struct span more)
{
    struct buf detail = BUF_INIT(DETAIL_MAX);
    struct audit_subject subject = {.app = w->act->app, .end_user = w->act->end_user};
    int r = write_detail(w->act, more, &detail);
    struct audit_event event = {
        .kind = AUDIT_ADMIN, .subject = &subject, .reason = code, .detail = buf_span(&detail)};
    if (r == 0)
        r = act_record(w->audit, &event, NULL);
    buf_deinit(&detail);
    return r;
}

static const enum verdict verdicts[DESK_VERBS] = {[DESK_LIFT] = USER_LIFT,
                                                  [DESK_SUSPEND] = USER_SUSPEND,
                                                  [DESK_APPEAL] = USER_APPEAL,
                                                  [DESK_DENY] = USER_DENY};

static int decide(struct work *w)
{
    struct buf detail = BUF_INIT(DETAIL_MAX);
    size_t entries = 0;
    int r = write_detail(w->act, SPAN_NULL, &detail);
    struct verdict_act act = {.verdict = verdicts[w->act->verb],
                              .app = w->act->app,
                              .end_user = w->act->end_user,
                              .seconds = w->act->seconds,
                              .detail = buf_span(&detail)};
    if (r == 0)
        r = verdict_run(w->audit, &act, &entries);
    w->answer->entries = (int64_t)entries;
    buf_deinit(&detail);
    return r;
}

/* The record's code is the room's name and what was done there: key_rotate, filing_evaluate. */
static int record_done(struct work *w, const char *room)
{
    char code[64];
    int n = snprintf(code, sizeof(code), "%s_%.*s", room, SPAN_ARG(w->act->what));
    return n > 0 && n < (int)sizeof(code) ? record(w, span_from(code, (size_t)n), SPAN_NULL)
                                          : -EINVAL;
}

/* What a log that can't be written keeps in memory would bring texts back when it is written. */
static int check_written(const struct audit *a)
{
    struct audit_health h;
    audit_get_health(a, &h);
    return h.degraded ? -EIO : 0;
}

/* The wish is on record before it is granted, and what was done after it. */
static int forget(struct work *w, struct span log_dir)
{
    struct forget_result done = {0};
    struct buf more = BUF_INIT(1024);
    int r = record(w, span_str(codes[DESK_DELETE]), SPAN_NULL);
    if (r == 0)
        r = check_written(w->audit);
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
        told = record(w, SPAN_LIT("user_deleted"), buf_span(&more));
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
    if (act->verb >= DESK_REVEAL && act->verb < DESK_KEY) {
        keep_carry_out(hands->audit, act, ret_answer);
        return;
    }
    int r;
    if (act->verb == DESK_CASEBOOK)
        r = keep_book(hands->casebook, act, ret_answer);
    else if (act->verb == DESK_LOOKUP || act->verb == DESK_ACCOUNT)
        r = record(&w, span_str(codes[act->verb]), SPAN_NULL);
    else if (act->verb == DESK_KEY)
        r = record_done(&w, "key");
    else if (act->verb == DESK_FILING)
        r = record_done(&w, "filing");
    else if (act->verb == DESK_DELETE)
        r = forget(&w, hands->log_dir);
    else
        r = decide(&w);
    if (r < 0)
        snprintf(ret_answer->error, sizeof(ret_answer->error), "%s",
                 r == -EIO || r == -EAGAIN ? "the log can't be written now" : strerror(-r));
}
