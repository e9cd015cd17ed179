/* `juyong user`: one end user's strikes, records and wishes. Every look at a person is recorded. */
#include "audit/query.h"
#include "audit/verdict.h"
#include "base/clock.h"
#include "base/codec.h"
#include "base/day.h"
#include "cli/desk.h"
#include "cli/logview.h"
#include "cli/person.h"
#include "cli/rulecmd.h"
#include "cli/setup.h"
#include "config/value.h"
#include "json/value.h"

#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#define LINE_MAX_BYTES 1000
#define SHOWN          10 /* decisions that `show` lists */

enum { KEY_FOR = 256, KEY_DENY, KEY_STATE, KEY_JSON, KEY_WAIT, KEY_ALL, KEY_ID };

struct options {
    const char *file, *verb, *id, *app, *author, *reason, *time, *state;
    bool json, deny, all, as_id;
    unsigned wait_ms;
    char login[256], end_user[65];
    struct setup setup;
};

struct verb {
    const char *name;
    int (*run)(struct options *o);
    bool wants_id, wants_reason;
    bool in_log; /* also about whom strikes don't know */
};
static const struct verb *find_verb(const char *name);

/* What a command would not read is a misunderstanding. */
static void check_options(const struct options *o, struct argp_state *state)
{
    const struct {
        const char *option, *verb;
        bool given;
    } only[] = {
        {"--for", "suspend", o->time},
        {"--deny", "appeal", o->deny},
        {"--state", "list", o->state},
        {"--all", "show", o->all},
    };
    for (size_t i = 0; i < sizeof(only) / sizeof(*only); i++)
        if (only[i].given && strcmp(o->verb, only[i].verb) != 0)
            argp_error(state, "%s is for %s", only[i].option, only[i].verb);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;
    uint64_t wait;
    switch (key) {
    case KEY_WAIT:
        if (!value_read_duration(span_str(arg), &wait) || wait > 3600000)
            argp_error(state, "--wait takes a time such as 500ms, 10s or 2min");
        o->wait_ms = (unsigned)wait;
        return 0;
    case 'c':
        o->file = arg;
        return 0;
    case 'p':
        o->app = arg;
        return 0;
    case 'a':
        o->author = arg;
        return 0;
    case 'm':
        o->reason = arg;
        return 0;
    case KEY_FOR:
        o->time = arg;
        return 0;
    case KEY_ALL:
        o->all = true;
        return 0;
    case KEY_ID:
        o->as_id = true;
        return 0;
    case KEY_DENY:
        o->deny = true;
        return 0;
    case KEY_STATE:
        o->state = arg;
        return 0;
    case KEY_JSON:
        o->json = true;
        return 0;
    case ARGP_KEY_ARG:
        if (!o->verb)
            o->verb = arg;
        else if (!o->id)
            o->id = arg;
        else
            argp_error(state, "unexpected argument '%s'", arg);
        return 0;
    case ARGP_KEY_END:
        if (!o->verb || !find_verb(o->verb))
            argp_error(state, "list, show, lift, suspend, appeal, export or delete?");
        else if (!o->file)
            argp_error(state, "-c FILE is needed");
        else if (find_verb(o->verb)->wants_id && !o->id)
            argp_error(state,
                       "which end user? The id that the app gives him, or the record's hash");
        else if (!find_verb(o->verb)->wants_id && o->id)
            argp_error(state, "unexpected argument '%s'", o->id);
        else
            check_options(o, state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static bool is_line(const char *what, const char *text, size_t max)
{
    return setup_is_line("user", what, span_str(text ? text : ""), max);
}

/* ---- who ---- */

static bool find_user(struct options *o, bool in_log)
{
    const struct config *c = o->setup.config;
    return person_ask("juyong user", c, c->audit.dir, span_str(o->id),
                      (o->as_id ? PERSON_AS_ID : 0) | (in_log ? PERSON_IN_LOG : 0), o->end_user);
}

static struct desk_act act_of(const struct options *o, enum desk_verb verb)
{
    return (struct desk_act){
        .verb = verb,
        .app = span_str(o->app ? o->app : ""),
        .end_user = span_str(o->end_user),
        .reason = span_str(o->reason ? o->reason : ""),
        .author = span_str(o->author ? o->author : o->login),
        .login = span_str(o->login),
    };
}

/* Has it done and on record; an exit code, with a message if it is not 0. */
static int have_done(const struct options *o, const struct desk_act *act, struct desk_answer *ret)
{
    int r = desk_ask(o->setup.config, act, o->wait_ms, ret);
    if (r == 0 && ret->error[0] == '\0')
        return CLI_GOOD;
    if (r == 0)
        fprintf(stderr, "juyong user: %s\n", ret->error);
    else if (r == -ETIMEDOUT)
        fprintf(stderr, "juyong user: the running gateway did not take it; nothing was done\n");
    else if (r == -EINPROGRESS)
        fprintf(stderr, "juyong user: it was begun and is not done yet; a gateway that starts "
                        "finishes it. `juyong log list --all` tells\n");
    else if (r == -EACCES)
        fprintf(stderr,
                "juyong user: no gateway runs, and %.*s is not yours: run this as its "
                "owner\n",
                SPAN_ARG(o->setup.config->state_dir));
    else
        fprintf(stderr, "juyong user: it can't be recorded, so it is not done: %s\n", strerror(-r));
    return CLI_BAD;
}

static int record_lookup(const struct options *o, const char *what)
{
    struct desk_act act = act_of(o, DESK_LOOKUP);
    struct desk_answer answer;
    act.what = span_str(what);
    return have_done(o, &act, &answer);
}

/* ---- what is known ---- */

struct view {
    const struct options *o;
    int64_t now;
    unsigned shown;
    unsigned char wanted[32];
    bool one; /* only `wanted` */
};

static void time_of(int64_t s, char ret[CLOCK_TEXT_SIZE])
{
    ret[0] = '\0';
    if (s == STRIKE_FOREVER)
        snprintf(ret, CLOCK_TEXT_SIZE, "forever");
    else if (s > 0)
        clock_format((uint64_t)s * 1000000u, ret);
}

static void print_json(const struct view *v, const struct strike_entry *e, const char *hash,
                       enum strike_state state, const char *until)
{
    char last[CLOCK_TEXT_SIZE];
    struct buf out = BUF_INIT(8192);
    time_of(e->last, last);
    buf_append_char(&out, '{');
    setup_json(&out, "end_user", span_str(hash));
    setup_json(&out, "app", strike_entry_app(e));
    setup_json(&out, "state", span_str(strike_state_name(state)));
    setup_json(&out, "until", span_str(until));
    buf_printf(&out, ",\"consecutive\":%u,\"today\":%u,\"total\":%u,\"appealed\":%s,\"by_hand\":%s",
               e->consecutive, strike_today(e, v->now), e->total,
               e->flags & STRIKE_APPEALED ? "true" : "false",
               e->flags & STRIKE_BY_HAND ? "true" : "false");
    setup_json(&out, "last", span_str(last));
    buf_append(&out, SPAN_LIT("}\n"));
    setup_write(stdout, &out);
    buf_deinit(&out);
}

static void print_entry(void *ctx, const struct strike_entry *e)
{
    struct view *v = ctx;
    const struct options *o = v->o;
    char hash[65], until[CLOCK_TEXT_SIZE];
    int64_t end;
    enum strike_state state = strike_state_at(e, v->now, &end);
    if ((v->one && memcmp(e->end_user, v->wanted, sizeof(v->wanted)) != 0) ||
        (!v->one && !verdict_lists(e, span_str(o->state ? o->state : ""), v->now)) ||
        (o->app && !span_eq(strike_entry_app(e), span_str(o->app))))
        return;
    v->shown++;
    codec_hex(span_from((const char *)e->end_user, sizeof(e->end_user)), hash);
    time_of(end, until);
    if (o->json) {
        print_json(v, e, hash, state, until);
        return;
    }
    printf("%s  %-7s  %u in a row, %u today, %u in all  ", hash, strike_state_name(state),
           e->consecutive, strike_today(e, v->now), e->total);
    logview_text(stdout, strike_entry_app(e));
    if (until[0])
        printf("  until %s", until);
    printf("%s%s\n", e->flags & STRIKE_BY_HAND ? "  by hand" : "",
           e->flags & STRIKE_APPEALED ? "  appealed" : "");
}

/* As the gateway wrote it last, whether it runs or not. */
static int print_strikes(const struct options *o, struct view *v)
{
    struct strikes *t = NULL;
    int r = strikes_open(o->setup.config->state_dir, o->setup.config->strikes.users, true, &t);
    if (r == 0) {
        strikes_lock(t);
        strikes_each(t, print_entry, v);
        strikes_unlock(t);
    }
    strikes_close(t);
    return r < 0 && r != -ENOENT ? CLI_BAD : CLI_GOOD;
}

static int run_list(struct options *o)
{
    struct view v = {.o = o, .now = clock_wall_s()};
    if (o->state && (!*o->state || !verdict_knows_state(span_str(o->state)))) {
        fprintf(stderr, "juyong user: a state is one of warn, limit, suspend, clear, appealed\n");
        return CLI_USAGE;
    }
    return print_strikes(o, &v);
}

/* Looks at him are left out: their number says nothing of him. */
static bool is_decision(const struct query_row *row)
{
    return !span_eq(row->entry.reason, SPAN_LIT("user_lookup"));
}

/* What people decide is told whole: by whom, and why. */
static void print_act(const struct logview *view, const struct query_row *row)
{
    const struct entry *e = &row->entry;
    struct json_value *detail = value_parse(e->detail, NULL);
    struct span author, why;
    char when[CLOCK_TEXT_SIZE];
    clock_format(e->time, when);
    when[10] = ' ';
    fprintf(view->out, "%.19s  ", when);
    logview_text(view->out, e->reason);
    if (e->app.len) {
        fputs("  ", view->out);
        logview_text(view->out, e->app);
    }
    if (value_get_string(value_get(detail, SPAN_LIT("author")), &author)) {
        fputs("  by ", view->out);
        logview_text(view->out, author);
    }
    if (value_get_string(value_get(detail, SPAN_LIT("why")), &why)) {
        fputs(": ", view->out);
        logview_text(view->out, why);
    }
    fputc('\n', view->out);
    value_free(detail);
}

/* What was decided about the user by rules and by people, newest first; to export: everything. */
static int print_rows(const struct options *o, bool everything)
{
    struct logview view;
    struct query *q = NULL;
    const struct query_row *row;
    struct query_filter f = {
        .end_user = span_str(o->end_user),
        .app = span_str(o->app ? o->app : ""),
        .all = everything,
        .acts = !everything,
        .any_purpose = everything,
        .oldest_first = everything,
    };
    size_t left = everything || o->all ? SIZE_MAX : SHOWN;
    logview_init(&view);
    int r = query_open(o->setup.config->audit.dir, &f, &q);
    while (r >= 0 && left > 0 && (r = query_next(q, &row)) == 1 && !ferror(view.out)) {
        if (!everything && !is_decision(row))
            continue;
        if (!o->json && !everything && span_eq(row->entry.kind, SPAN_LIT("admin")))
            print_act(&view, row);
        else
            (o->json || everything ? logview_json : logview_row)(&view, row);
        left--;
    }
    query_close(q);
    if (r < 0 && r != -ENOENT)
        fprintf(stderr, "juyong user: the log can't be read: %s\n", strerror(-r));
    return r < 0 && r != -ENOENT ? CLI_BAD : CLI_GOOD;
}

static int run_show(struct options *o)
{
    struct view v = {.o = o, .now = clock_wall_s(), .one = true};
    codec_unhex(span_str(o->end_user), v.wanted, sizeof(v.wanted));
    int r = record_lookup(o, "show");
    if (r == CLI_GOOD)
        r = print_strikes(o, &v);
    if (r == CLI_GOOD && v.shown == 0 && !o->json)
        printf("%s  clear, nothing is counted\n", o->end_user);
    return r == CLI_GOOD ? print_rows(o, false) : r;
}

static int run_export(struct options *o)
{
    int r = record_lookup(o, "export");
    return r == CLI_GOOD ? print_rows(o, true) : r;
}

/* ---- what is decided ---- */

static int tell_changed(const struct options *o, const struct desk_answer *a, const char *what)
{
    if (a->entries == 0) {
        fprintf(stderr, "juyong user: nothing is counted for %s%s%s\n", o->end_user,
                o->app ? " in the app " : "", o->app ? o->app : "");
        return CLI_BAD;
    }
    if (o->json)
        printf("{\"end_user\":\"%s\",\"act\":\"%s\",\"entries\":%" PRId64 "}\n", o->end_user,
               o->verb, a->entries);
    else
        printf("%s: %s\n", o->end_user, what);
    return CLI_GOOD;
}

static int decide(struct options *o, const struct desk_act *act, const char *what)
{
    struct desk_answer answer;
    int r = have_done(o, act, &answer);
    return r == CLI_GOOD ? tell_changed(o, &answer, what) : r;
}

static int run_lift(struct options *o)
{
    struct desk_act act = act_of(o, DESK_LIFT);
    return decide(o, &act, "lifted: nothing counts any more, at once");
}

/* "7d" besides what configurations know. */
static bool read_time(const char *text, int64_t *ret_s)
{
    struct span s = span_str(text);
    unsigned long long days;
    uint64_t ms;
    if (s.len > 1 && s.data[s.len - 1] == 'd' && span_to_u64(span_slice(s, 0, s.len - 1), &days) &&
        days > 0 && days <= 36500)
        *ret_s = (int64_t)days * 86400;
    else if (value_read_duration(s, &ms) && ms >= 1000)
        *ret_s = (int64_t)(ms / 1000);
    else
        return false;
    return true;
}

static int run_suspend(struct options *o)
{
    if (!o->app)
        o->app = "default";
    if (!config_find_app(o->setup.config, span_str(o->app))) {
        fprintf(stderr, "juyong user: no app of the configuration is called '%s'\n", o->app);
        return CLI_BAD;
    }
    struct desk_act act = act_of(o, DESK_SUSPEND);
    act.seconds = o->setup.config->strikes.suspend_ms / 1000;
    if (o->time && strcmp(o->time, "forever") == 0) {
        act.seconds = 0;
    } else if (o->time && !read_time(o->time, &act.seconds)) {
        fprintf(stderr, "juyong user: --for takes a time such as 90min, 24h or 7d, or forever\n");
        return CLI_USAGE;
    }
    if (!o->setup.config->strikes.enabled)
        fprintf(stderr, "juyong user: warning: strikes.enabled is false: it has no effect\n");
    return decide(o, &act, "suspended, at once");
}

static int run_appeal(struct options *o)
{
    struct desk_act act = act_of(o, o->deny ? DESK_DENY : DESK_APPEAL);
    return decide(o, &act,
                  o->deny ? "the appeal is denied; what holds the user goes on holding"
                          : "the appeal is on record; `juyong user lift` grants it");
}

static int run_delete(struct options *o)
{
    struct desk_act act = act_of(o, DESK_DELETE);
    struct desk_answer a;
    int r = have_done(o, &act, &a);
    if (r != CLI_GOOD)
        return r;
    if (o->json)
        printf("{\"end_user\":\"%s\",\"act\":\"delete\",\"records\":%" PRId64 ",\"texts\":%" PRId64
               ",\"originals\":%" PRId64 ",\"held\":%" PRId64 ",\"left_in_wal\":%s}\n",
               o->end_user, a.records, a.texts, a.originals, a.held,
               a.left_in_wal ? "true" : "false");
    else
        printf("%s: %" PRId64 " texts of %" PRId64
               " records are removed; the records stay, without "
               "text\n",
               o->end_user, a.texts + a.originals, a.records);
    if (a.held && !o->json)
        printf("%" PRId64 " records keep their texts: they are on hold, see `juyong log hold "
               "list`\n",
               a.held);
    if (a.left_in_wal)
        fprintf(stderr, "juyong user: a reader of the log was in the way: copies stay in its "
                        "write-ahead file until that is next emptied; run this again\n");
    return CLI_GOOD;
}

static const struct verb verbs[] = {
    {"list", run_list, false, false, false},   {"show", run_show, true, false, true},
    {"lift", run_lift, true, true, false},     {"suspend", run_suspend, true, true, true},
    {"appeal", run_appeal, true, true, false}, {"export", run_export, true, false, true},
    {"delete", run_delete, true, true, true},
};

static const struct verb *find_verb(const char *name)
{
    for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++)
        if (strcmp(verbs[i].name, name) == 0)
            return &verbs[i];
    return NULL;
}

static int run(struct options *o)
{
    const struct verb *v = find_verb(o->verb);
    setup_login(o->login, sizeof(o->login));
    if ((v->wants_reason && !is_line("--reason", o->reason, LINE_MAX_BYTES)) ||
        (!v->wants_reason && o->reason && !is_line("--reason", o->reason, LINE_MAX_BYTES)) ||
        (o->author && !is_line("--author", o->author, 256)) ||
        (v->wants_id && !is_line("the end user's id", o->id, LINE_MAX_BYTES)))
        return CLI_USAGE;
    int r = setup_load(span_str(o->file), false, &o->setup);
    if (r)
        return r;
    r = v->wants_id && !find_user(o, v->in_log) ? CLI_BAD : v->run(o);
    setup_deinit(&o->setup);
    return fflush(stdout) == 0 || errno == EPIPE ? r : CLI_BAD;
}

int cli_user(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"config", 'c', "FILE", 0, "The configuration", 0},
        {"app", 'p', "NAME", 0, "Only that app's; suspend: of which app (default)", 0},
        {"reason", 'm', "TEXT", 0, "Why; kept for good. lift, suspend, appeal and delete need it",
         0},
        {"author", 'a', "NAME", 0, "Who decides it; your login name unless told", 0},
        {"for", KEY_FOR, "TIME", 0, "suspend: 90min, 24h, 7d, forever (strikes.suspend_for)", 0},
        {"deny", KEY_DENY, NULL, 0, "appeal: it is denied", 0},
        {"all", KEY_ALL, NULL, 0, "show: every decision about the user, not the newest 10", 0},
        {"id", KEY_ID, NULL, 0, "ID is the app's id, though it looks like a hash", 0},
        {"state", KEY_STATE, "STATE", 0, "list: warn, limit, suspend, clear or appealed", 0},
        {"wait", KEY_WAIT, "TIME", 0, "How long a running gateway may take to take it (10s)", 0},
        {"json", KEY_JSON, NULL, 0, "One JSON object a line", 0},
        {0},
    };
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .args_doc = "list\nshow|lift|suspend|appeal|export|delete ID",
        .doc =
            "End users: their strikes, what is decided about them, and their privacy.\n"
            "终端用户：违规计数、解除、暂停、申诉，以及个人信息的导出与删除。\v"
            "ID is the id that the app gives, the hash by which records know it, or the beginning "
            "of "
            "that hash (8 digits or more), as tables print it, if it is one user's alone. show "
            "tells what is counted, then what rules and people decided, the newest first. What is "
            "decided holds at once, with a gateway running or not, and is in the log, as is "
            "every look at a person (`juyong log list --all`). delete removes the kept texts of "
            "this user's records; the records themselves stay, so that the log still verifies.",
    };
    static char name[] = "juyong user";
    struct options o = {.wait_ms = DESK_WAIT_MS};
    argv[0] = name;
    argp_err_exit_status = CLI_USAGE;
    if (argp_parse(&argp, argc, argv, 0, NULL, &o) != 0)
        return CLI_USAGE;
    return run(&o);
}
