/* `juyong label`: who asked for answers without a label, and whether a label is ours. */
#include "access/access.h"
#include "access/consent.h"
#include "base/clock.h"
#include "cli/rulecmd.h"
#include "cli/setup.h"
#include "crypto/secret.h"

#include <argp.h>
#include <errno.h>
#include <stdlib.h>

struct options {
    const char *file, *verb, *app, *end_user, *agreement, *author;
    const char *id, *code; /* verify */
    bool json;
};

static bool is_verb(const char *s)
{
    return !strcmp(s, "consent") || !strcmp(s, "withdraw") || !strcmp(s, "list") ||
           !strcmp(s, "verify");
}

static void check(const struct options *o, struct argp_state *state)
{
    if (!o->verb)
        argp_error(state, "consent, withdraw, list or verify?");
    else if (!is_verb(o->verb))
        argp_error(state, "'%s' is none of consent, withdraw, list, verify", o->verb);
    else if (!o->file)
        argp_error(state, "-c FILE is needed");
    else if ((!strcmp(o->verb, "consent") || !strcmp(o->verb, "withdraw")) && !o->end_user)
        argp_error(state, "--end-user is needed");
    else if (!strcmp(o->verb, "consent") && !o->agreement)
        argp_error(state, "--agreement is needed: what did the end user agree to?");
    else if (o->agreement && strcmp(o->verb, "consent") != 0)
        argp_error(state, "--agreement is for consent");
    else if (!strcmp(o->verb, "verify") && !o->code)
        argp_error(state, "which label? its ProduceID and its ReservedCode1");
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;
    switch (key) {
    case 'c':
        o->file = arg;
        return 0;
    case 'a':
        o->app = arg;
        return 0;
    case 'u':
        o->end_user = arg;
        return 0;
    case 'g':
        o->agreement = arg;
        return 0;
    case 'A':
        o->author = arg;
        return 0;
    case 'j':
        o->json = true;
        return 0;
    case ARGP_KEY_ARG:
        if (!o->verb)
            o->verb = arg;
        else if (!strcmp(o->verb, "verify") && !o->id)
            o->id = arg;
        else if (!strcmp(o->verb, "verify") && !o->code)
            o->code = arg;
        else
            argp_error(state, "unexpected argument '%s'", arg);
        return 0;
    case ARGP_KEY_END:
        check(o, state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int failed(const struct config *c, int r, size_t line)
{
    fprintf(stderr, "juyong label: ");
    if (r == -EBADMSG)
        fprintf(stderr, "%.*s/consents.jsonl:%zu: no line of consents\n", SPAN_ARG(c->state_dir),
                line);
    else
        fprintf(stderr, "the consents below %.*s can't be used: %s\n", SPAN_ARG(c->state_dir),
                r == -EINVAL ? "a text is empty, too long or not one line" : strerror(-r));
    return CLI_BAD;
}

/* The end user as records name him; false after a message. */
static bool hash_user(const struct access *a, const struct options *o, char ret_hex[65])
{
    access_hash_end_user(a, NULL, span_str(o->end_user), ret_hex);
    if (!ret_hex[0])
        fprintf(stderr, "juyong label: the end user's id can't be hashed\n");
    return ret_hex[0] != '\0';
}

static int put(const struct config *c, const struct access *a, const struct options *o)
{
    char user[65];
    const struct config_app *app = config_find_app(c, span_str(o->app));
    bool given = !strcmp(o->verb, "consent");
    if (!app) {
        fprintf(stderr, "juyong label: no app of the configuration is called '%s'\n", o->app);
        return CLI_BAD;
    }
    if (!hash_user(a, o, user))
        return CLI_BAD;
    struct consent consent = {.given = given,
                              .app = app->name,
                              .end_user = span_str(user),
                              .agreement = span_str(o->agreement ? o->agreement : ""),
                              .author = span_str(o->author ? o->author : "")};
    int r = consent_append(c->state_dir, &consent);
    if (r < 0)
        return failed(c, r, 0);
    if (given && app->policy.label != LABEL_REQUESTED)
        fprintf(stderr,
                "juyong label: warning: the app %s has label: %s, so this changes nothing\n",
                o->app, label_mode_name(app->policy.label));
    fprintf(
        stderr,
        given ? "Noted. Answers to this end user carry no visible label from now on; keep "
                "consents.jsonl and the log for at least six months.\n"
                "已记录。请将 consents.jsonl 与日志至少保存六个月。\n"
              : "Noted. Answers to this end user carry the label again.\n已记录，恢复添加标识。\n");
    return CLI_GOOD;
}

struct listing {
    const struct options *o;
    struct span user; /* only this one; empty: all */
    bool narrow_app;
};

static int print_consent(void *ctx, const struct consent *c)
{
    const struct listing *l = ctx;
    char time[CLOCK_TEXT_SIZE];
    if (l->user.len && !span_eq(c->end_user, l->user))
        return 0;
    if (l->narrow_app && !span_eq(c->app, span_str(l->o->app)))
        return 0;
    clock_format(c->time_us, time);
    if (!l->o->json) {
        printf("%s  %-8s  %.*s  %.*s…  %.*s%s%.*s\n", time, c->given ? "consent" : "withdraw",
               SPAN_ARG(c->app), 12, c->end_user.data, SPAN_ARG(c->agreement),
               c->author.len ? "  by " : "", SPAN_ARG(c->author));
        return 0;
    }
    struct buf out = BUF_INIT(16384);
    buf_append_char(&out, '{');
    setup_json(&out, "time", span_str(time));
    setup_json(&out, "act", c->given ? SPAN_LIT("consent") : SPAN_LIT("withdraw"));
    setup_json(&out, "app", c->app);
    setup_json(&out, "end_user", c->end_user);
    setup_json(&out, "agreement", c->agreement);
    setup_json(&out, "author", c->author);
    buf_append(&out, SPAN_LIT("}\n"));
    setup_write(stdout, &out);
    buf_deinit(&out);
    return 0;
}

static int list(const struct config *c, const struct access *a, const struct options *o,
                bool narrow_app)
{
    char user[65] = "";
    size_t line;
    if (o->end_user && !hash_user(a, o, user))
        return CLI_BAD;
    struct listing l = {.o = o, .user = span_str(user), .narrow_app = narrow_app};
    int r = consent_each(c->state_dir, print_consent, &l, &line);
    return r < 0 ? failed(c, r, line) : CLI_GOOD;
}

static int verify(const struct config *c, const struct access *a, const struct options *o)
{
    char code[ACCESS_LABEL_CODE_SIZE];
    struct span id = span_str(o->id);
    access_label_code(a, NULL, c->service.provider_code, id, code);
    if (!code[0] || !secret_equal(span_str(code), span_str(o->code))) {
        fprintf(stderr, "juyong label: that label was not made here, or it was altered.\n"
                        "该标识不是本网关生成的，或已被改动。\n");
        return CLI_BAD;
    }
    printf("The label is ours: `juyong log show -c %s %s` has the exchange.\n标识属实。\n", o->file,
           o->id);
    return CLI_GOOD;
}

int cli_label(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"config", 'c', "FILE", 0, "The configuration", 0},
        {"app", 'a', "NAME", 0, "Of which app (consent, withdraw: default; list: all)", 0},
        {"end-user", 'u', "ID", 0, "As the app names the end user to the gateway", 0},
        {"agreement", 'g', "TEXT", 0, "consent: what was agreed to, such as a version and a date",
         0},
        {"author", 'A', "NAME", 0, "Who writes it down", 0},
        {"json", 'j', NULL, 0, "list: one JSON object a line", 0},
        {0},
    };
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .args_doc = "consent|withdraw|list\nverify PRODUCE-ID RESERVED-CODE1",
        .doc = "Note which end users asked for answers without a label (label: "
               "user-requested-none), a running gateway knows it within seconds; and tell whether "
               "a machine's label is ours.\n"
               "登记要求不添加标识的终端用户（运行中的网关数秒内生效）；校验内容标识是否由本网关生"
               "成。",
    };
    static char name[] = "juyong label";
    struct options o = {0};
    argv[0] = name;
    argp_err_exit_status = CLI_USAGE;
    if (argp_parse(&argp, argc, argv, 0, NULL, &o) != 0)
        return CLI_USAGE;
    bool narrow_app = o.app != NULL;
    if (!o.app)
        o.app = "default";
    struct setup s;
    int r = setup_load(span_str(o.file), false, &s);
    if (r)
        return r;
    struct access *a = NULL;
    struct buf messages = BUF_INIT(65536);
    r = access_load(s.config, &messages, &a);
    if (r < 0)
        setup_print_messages(stderr, &messages);
    buf_deinit(&messages);
    if (r < 0)
        r = CLI_BAD;
    else if (!strcmp(o.verb, "list"))
        r = list(s.config, a, &o, narrow_app);
    else if (!strcmp(o.verb, "verify"))
        r = verify(s.config, a, &o);
    else
        r = put(s.config, a, &o);
    access_unref(a);
    setup_deinit(&s);
    return r;
}
