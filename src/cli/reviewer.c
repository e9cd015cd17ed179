/* `juyong reviewer`: test accounts for the authority that reviews a filing. */
#include "access/access.h"
#include "access/reviewers.h"
#include "base/clock.h"
#include "base/codec.h"
#include "base/day.h"
#include "cli/rulecmd.h"
#include "cli/setup.h"

#include <argp.h>
#include <errno.h>
#include <stdlib.h>

#define LINE_BYTES_MAX 256
#define DAILY_DEFAULT  "2000"
#define DAILY_MAX      100000
/* A filing takes months, not years. */
#define DAYS_MAX 400

enum { KEY_PURPOSE = 256, KEY_KEY, KEY_USER, KEY_CASE, KEY_EXPIRES, KEY_DAILY, KEY_JSON };

struct options {
    const char *file, *verb, *id, *purpose, *key, *user, *filing, *expires, *daily, *author,
        *reason;
    bool json;
    char login[256];
    struct setup setup;
};

static bool is_line(const char *what, const char *text)
{
    return setup_is_line("reviewer", what, span_str(text ? text : ""), LINE_BYTES_MAX);
}

static int act_done(struct options *o, struct buf *messages, int r)
{
    setup_print_messages(stderr, messages);
    buf_deinit(messages);
    return r == 0 ? CLI_GOOD : CLI_BAD;
}

static struct reviewer_act act_of(const struct options *o, struct buf *messages)
{
    return (struct reviewer_act){
        .state_dir = o->setup.config->state_dir,
        .author = span_trim(span_str(o->author ? o->author : o->login)),
        .login = span_str(o->login),
        .why = span_trim(span_str(o->reason)),
        .messages = messages,
    };
}

/* ---- create ---- */

struct wanted_key {
    const char *id;
    bool there, usable;
};

static void see_key(void *ctx, const struct access_key *key)
{
    struct wanted_key *w = ctx;
    if (!span_eq(key->id, span_str(w->id)))
        return;
    w->there = true;
    w->usable = !key->revoked && !key->expired;
}

static bool find_key(const struct options *o)
{
    struct wanted_key w = {.id = o->key};
    int r = access_key_list(o->setup.config->state_dir, see_key, &w);
    if (r == 0 && w.usable)
        return true;
    fprintf(stderr, "juyong reviewer: %s\n",
            r < 0     ? strerror(-r)
            : w.there ? "that key is no longer in force"
                      : "no key has that id: see `juyong key list`, `juyong key create`");
    return false;
}

static bool find_user(const struct options *o, char ret_hash[65])
{
    struct buf messages = BUF_INIT(1u << 16);
    struct access *access = NULL;
    ret_hash[0] = '\0';
    if (o->setup.config->trusted_proxy_count == 0) {
        fputs("juyong reviewer: --end-user needs trusted_proxies: nobody else's word names him\n",
              stderr);
        return false;
    }
    if (access_load(o->setup.config, &messages, &access) == 0)
        access_hash_end_user(access, NULL, span_str(o->user), ret_hash);
    else
        setup_print_messages(stderr, &messages);
    buf_deinit(&messages);
    access_unref(access);
    return ret_hash[0] != '\0';
}

static bool read_terms(const struct options *o, struct reviewer *w)
{
    unsigned long long daily;
    int64_t now = clock_wall_s();
    w->purpose = reviewer_purpose_from(span_str(o->purpose ? o->purpose : ""));
    if (w->purpose == REVIEWER_NONE)
        fputs("juyong reviewer: --purpose is regulator-enforce or regulator-observe\n", stderr);
    else if (!o->expires || !day_end(span_str(o->expires), &w->expires))
        fputs("juyong reviewer: --expires is needed, the last day of the filing's case, such as "
              "2026-12-31\n",
              stderr);
    else if (w->expires <= now || w->expires > now + (int64_t)DAYS_MAX * 86400)
        fprintf(stderr, "juyong reviewer: --expires must be a day from today on, within %d days\n",
                DAYS_MAX);
    else if (!span_to_u64(span_str(o->daily ? o->daily : DAILY_DEFAULT), &daily) || daily == 0 ||
             daily > DAILY_MAX)
        fprintf(stderr, "juyong reviewer: --daily is a number of requests from 1 to %d\n",
                DAILY_MAX);
    else {
        w->daily = (unsigned)daily;
        return true;
    }
    return false;
}

static int run_create(struct options *o)
{
    char hash[65], id[REVIEWER_ID_SIZE];
    struct reviewer w = {.filing = span_trim(span_str(o->filing ? o->filing : ""))};
    if (!o->key == !o->user) {
        fputs("juyong reviewer: bound to what? --key ID or --end-user ID\n", stderr);
        return CLI_USAGE;
    }
    if (!is_line("--case", o->filing) || !read_terms(o, &w))
        return CLI_USAGE;
    if (o->key ? !find_key(o) : !find_user(o, hash))
        return CLI_BAD;
    if (o->key)
        w.key = span_str(o->key);
    else
        w.end_user = span_str(hash);
    struct buf messages = BUF_INIT(1u << 16);
    struct reviewer_act a = act_of(o, &messages);
    int r = reviewers_propose(&a, &w, id);
    if (r == 0)
        printf("%s is proposed. Somebody else puts it in force: juyong reviewer approve %s -c %s\n",
               id, id, o->file);
    if (r == 0 && o->setup.config->reviewers.port == 0)
        fputs("juyong reviewer: warning: without `reviewers: { listen: … }` it is served nowhere\n",
              stderr);
    return act_done(o, &messages, r);
}

static int run_approve(struct options *o)
{
    struct buf messages = BUF_INIT(1u << 16);
    struct reviewer_act a = act_of(o, &messages);
    int r = reviewers_approve(&a, span_str(o->id));
    if (r == 0)
        printf("%s is in force\n", o->id);
    return act_done(o, &messages, r);
}

static int run_revoke(struct options *o)
{
    struct buf messages = BUF_INIT(1u << 16);
    struct reviewer_act a = act_of(o, &messages);
    int r = reviewers_revoke(&a, span_str(o->id));
    if (r == 0)
        printf("%s is revoked\n", o->id);
    return act_done(o, &messages, r);
}

/* ---- list ---- */

struct listing {
    const struct options *o;
    int64_t now;
};

static void print_json(const struct reviewer *r, enum reviewer_state state)
{
    char last[DAY_TEXT_SIZE];
    struct buf b = BUF_INIT(1u << 16);
    day_format(r->expires, last);
    buf_append_char(&b, '{');
    setup_json(&b, "id", span_str(r->id));
    setup_json(&b, "purpose", reviewer_purpose_name(r->purpose));
    setup_json(&b, "state", span_str(reviewer_state_name(state)));
    setup_json(&b, "key_id", r->key);
    setup_json(&b, "end_user", r->end_user);
    setup_json(&b, "case", r->filing);
    buf_printf(&b, ",\"daily\":%u", r->daily);
    setup_json(&b, "expires", span_str(last));
    setup_json(&b, "author", r->author);
    setup_json(&b, "reason", r->why);
    setup_json(&b, "approver", r->approver);
    setup_json(&b, "revoker", r->revoker);
    buf_append(&b, SPAN_LIT("}\n"));
    setup_write(stdout, &b);
    buf_deinit(&b);
}

static int print_account(void *ctx, const struct reviewer *r)
{
    const struct listing *l = ctx;
    enum reviewer_state state = reviewer_state_at(r, l->now);
    char last[DAY_TEXT_SIZE], red[16], off[16];
    if (l->o->json) {
        print_json(r, state);
        return 0;
    }
    /* What is let through uninspected is seen from afar. */
    bool alarming = state == REVIEWER_IN_FORCE && r->purpose == REVIEWER_OBSERVE;
    setup_colour(stdout, alarming ? "31;1" : "31", red);
    setup_colour(stdout, "0", off);
    day_format(r->expires, last);
    printf("%-7s %s%-18.*s%s %-9s %s  %6u a day  %s %.*s  %.*s (%.*s", r->id, red,
           SPAN_ARG(reviewer_purpose_name(r->purpose)), off, reviewer_state_name(state), last,
           r->daily, r->key.len ? "key" : "end user",
           (int)(r->key.len             ? r->key.len
                 : r->end_user.len < 12 ? r->end_user.len
                                        : 12),
           r->key.len ? r->key.data : r->end_user.data, SPAN_ARG(r->filing), SPAN_ARG(r->author));
    if (r->approver.len)
        printf(", approved by %.*s", SPAN_ARG(r->approver));
    if (r->revoker.len)
        printf(", revoked by %.*s", SPAN_ARG(r->revoker));
    puts(")");
    return 0;
}

static int run_list(struct options *o)
{
    struct buf messages = BUF_INIT(1u << 16);
    struct reviewers *all = NULL;
    struct listing l = {o, clock_wall_s()};
    int r = reviewers_open(o->setup.config->state_dir, &messages, &all);
    if (r == 0)
        r = reviewers_each(all, print_account, &l);
    reviewers_close(all);
    return act_done(o, &messages, r);
}

/* ---- the command ---- */

static const struct verb {
    const char *name;
    int (*run)(struct options *o);
    bool wants_id, wants_reason;
} verbs[] = {
    {"create", run_create, false, true},
    {"approve", run_approve, true, true},
    {"list", run_list, false, false},
    {"revoke", run_revoke, true, true},
};

static const struct verb *find_verb(const char *name)
{
    for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++)
        if (strcmp(verbs[i].name, name) == 0)
            return &verbs[i];
    return NULL;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;
    const char **const texts[] = {&o->purpose, &o->key,     &o->user,
                                  &o->filing,  &o->expires, &o->daily};
    switch (key) {
    case KEY_PURPOSE:
    case KEY_KEY:
    case KEY_USER:
    case KEY_CASE:
    case KEY_EXPIRES:
    case KEY_DAILY:
        *texts[key - KEY_PURPOSE] = arg;
        return 0;
    case KEY_JSON:
        o->json = true;
        return 0;
    case 'c':
        o->file = arg;
        return 0;
    case 'a':
        o->author = arg;
        return 0;
    case 'm':
        o->reason = arg;
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
            argp_error(state, "create, approve, list or revoke?");
        else if (!o->file)
            argp_error(state, "-c FILE is needed");
        else if (find_verb(o->verb)->wants_id != (o->id != NULL))
            argp_error(state, o->id ? "unexpected argument '%s'" : "which account?%s",
                       o->id ? o->id : "");
        else if (strcmp(o->verb, "create") != 0 &&
                 (o->purpose || o->key || o->user || o->filing || o->expires || o->daily))
            argp_error(state, "%s is for create: what is proposed is approved as it is, or revoked",
                       o->purpose   ? "--purpose"
                       : o->key     ? "--key"
                       : o->user    ? "--end-user"
                       : o->filing  ? "--case"
                       : o->expires ? "--expires"
                                    : "--daily");
        else if (o->json && strcmp(o->verb, "list") != 0)
            argp_error(state, "--json is for list");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int cli_reviewer(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"config", 'c', "FILE", 0, "Configuration", 0},
        {"purpose", KEY_PURPOSE, "PURPOSE", 0, "regulator-enforce or regulator-observe", 1},
        {"key", KEY_KEY, "ID", 0, "Bound to that key (`juyong key list`)", 1},
        {"end-user", KEY_USER, "ID", 0, "Or to that end user of a trusted front", 1},
        {"case", KEY_CASE, "TEXT", 0, "The filing's case that it is for", 1},
        {"expires", KEY_EXPIRES, "DAY", 0, "Its last day, such as 2026-12-31; needed", 1},
        {"daily", KEY_DAILY, "N", 0, "Requests a day; " DAILY_DEFAULT " unless told", 1},
        {"author", 'a', "NAME", 0, "Who decides it; your login name unless told", 2},
        {"reason", 'm', "TEXT", 0, "Why; needed but for list", 2},
        {"json", KEY_JSON, NULL, 0, "list: one JSON object a line", 3},
        {0},
    };
    static const struct argp argp = {
        options,
        parse,
        "create|approve ID|list|revoke ID",
        "Test accounts for the authority that reviews a filing, with the gateway's interference "
        "(regulator-enforce) or without it (regulator-observe), served at `reviewers.listen` "
        "alone.\n监管测试账号：附加或不附加审核策略，仅在专用地址提供服务。\v"
        "Two persons make one: who creates it proposes it, somebody else approves it. One person "
        "revokes it, at once. Whoever lets such a key out of his hands lets others ask "
        "uninspected: keep it apart. Exit status: 0 done, 1 refused, 2 usage.",
        NULL,
        NULL,
        NULL,
    };
    struct options o = {0};
    if (argp_parse(&argp, argc, argv, 0, NULL, &o) != 0)
        return CLI_USAGE;
    const struct verb *verb = find_verb(o.verb);
    setup_login(o.login, sizeof(o.login));
    if ((verb->wants_reason && !is_line("--reason", o.reason)) ||
        (o.author && !is_line("--author", o.author)))
        return CLI_USAGE;
    int r = setup_load(span_str(o.file), false, &o.setup);
    if (r == 0)
        r = verb->run(&o);
    setup_deinit(&o.setup);
    return r;
}
