/* `juyong key`: the keys that apps bear with auth: keys. */
#include "access/access.h"
#include "base/clock.h"
#include "base/day.h"
#include "cli/desk.h"
#include "cli/rulecmd.h"
#include "cli/setup.h"

#include <argp.h>
#include <errno.h>
#include <stdlib.h>

#define SECOND 1000000ull
#define DAY    (86400 * SECOND)
#define TIMES  "90s, 30m, 72h, 90d, a last day such as 2026-12-31, or never"

struct options {
    const char *file, *verb, *id, *app, *alias, *expires, *overlap;
    bool json;
};

static bool has_verb(const struct options *o, const char *verb)
{
    return o->verb && strcmp(o->verb, verb) == 0;
}

static void check_end(const struct options *o, struct argp_state *state)
{
    bool create = has_verb(o, "create"), rotate = has_verb(o, "rotate");
    if (!o->verb)
        argp_error(state, "create, list, rotate or revoke?");
    else if (!create && !rotate && !has_verb(o, "list") && !has_verb(o, "revoke"))
        argp_error(state, "'%s' is none of create, list, rotate, revoke", o->verb);
    else if (!o->file)
        argp_error(state, "-c FILE is needed");
    else if ((rotate || has_verb(o, "revoke")) && !o->id)
        argp_error(state, "which key? `juyong key list` shows their ids");
    else if (o->expires && !create && !rotate)
        argp_error(state, "--expires is for create and rotate");
    else if (*o->alias && !create)
        argp_error(state, "--alias is for create: a rotated key keeps its own");
    else if (o->overlap && !rotate)
        argp_error(state, "--overlap is for rotate");
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
    case 'n':
        o->alias = arg;
        return 0;
    case 'e':
        o->expires = arg;
        return 0;
    case 'o':
        o->overlap = arg;
        return 0;
    case 'j':
        o->json = true;
        return 0;
    case ARGP_KEY_ARG:
        if (!o->verb)
            o->verb = arg;
        else if (!o->id && (has_verb(o, "revoke") || has_verb(o, "rotate")))
            o->id = arg;
        else
            argp_error(state, "unexpected argument '%s'", arg);
        return 0;
    case ARGP_KEY_END:
        check_end(o, state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* A time from now on, or the end of a day in China, as microseconds of the wall clock. */
static bool read_end(const char *arg, uint64_t *ret_us)
{
    struct span text = span_str(arg);
    unsigned long long n;
    int64_t end;
    if (span_eq(text, SPAN_LIT("never"))) {
        *ret_us = ACCESS_NEVER;
        return true;
    }
    if (day_end(text, &end)) {
        *ret_us = (uint64_t)end * SECOND;
        return true;
    }
    if (span_eq(text, SPAN_LIT("0"))) {
        *ret_us = clock_wall_us();
        return true;
    }
    if (text.len < 2 || !span_to_u64(span_slice(text, 0, text.len - 1), &n) || n > 100000000)
        return false;
    char unit = text.data[text.len - 1];
    uint64_t of = unit == 's'   ? SECOND
                  : unit == 'm' ? 60 * SECOND
                  : unit == 'h' ? 3600 * SECOND
                  : unit == 'd' ? DAY
                                : 0;
    *ret_us = clock_wall_us() + n * of;
    return of && n * of <= 36600 * DAY;
}

static bool read_option(const char *name, const char *arg, uint64_t *ret_us)
{
    if (!arg || read_end(arg, ret_us))
        return true;
    fprintf(stderr, "juyong key: %s takes " TIMES "\n", name);
    return false;
}

static int failed(const struct config *c, int r)
{
    fprintf(stderr, "juyong key: the keys below %.*s can't be used: %s\n", SPAN_ARG(c->state_dir),
            r == -EINVAL   ? "keys.json is damaged, or a name is not allowed"
            : r == -ENOSPC ? "there are too many"
            : r == -ESTALE ? "it has expired or was revoked; create another one"
                           : strerror(-r));
    return CLI_BAD;
}

/* What is to be done with a key goes on record first. */
struct record {
    const struct config *config;
    const char *verb;
    bool told; /* why not */
};

static int record(void *ctx, const struct access_key *key, const struct access_key *old)
{
    struct record *w = ctx;
    char login[256];
    struct desk_answer answer = {0};
    setup_login(login, sizeof(login));
    struct desk_act act = {.verb = DESK_KEY,
                           .app = key->app,
                           .what = span_str(w->verb),
                           .account = key->id,
                           .reason = old ? old->id : SPAN_LIT(""),
                           .author = span_str(login),
                           .login = span_str(login)};
    int r = desk_ask(w->config, &act, DESK_WAIT_MS, &answer);
    if (r == 0 && answer.error[0] == '\0')
        return 0;
    w->told = true;
    fprintf(stderr, "juyong key: it can't be recorded, so it is not done: %s\n",
            r == 0            ? answer.error
            : r == -ETIMEDOUT ? "the running gateway did not take it"
            : r == -EACCES    ? "the state is not yours: run this as its owner"
                              : strerror(-r));
    return -EIO;
}

/* The one time that a key is shown. */
static void show(const struct options *o, struct span app, const struct buf *id,
                 const struct buf *key)
{
    if (!o->json) {
        printf("%.*s\n", SPAN_ARG(buf_span(key)));
        fflush(stdout);
        fprintf(stderr,
                "%.*s for the app %.*s. The key is shown only now; a running gateway knows it at "
                "once.\n密钥只显示这一次，请妥善保存；运行中的网关随即生效。\n",
                SPAN_ARG(buf_span(id)), SPAN_ARG(app));
        return;
    }
    struct buf out = BUF_INIT(8192);
    buf_append_char(&out, '{');
    setup_json(&out, "id", buf_span(id));
    setup_json(&out, "app", app);
    setup_json(&out, "key", buf_span(key));
    buf_append(&out, SPAN_LIT("}\n"));
    setup_write(stdout, &out);
    explicit_bzero(out.data, out.len);
    buf_deinit(&out);
}

static int create(const struct config *c, const struct options *o)
{
    struct span app = span_str(o->app);
    if (!config_find_app(c, app)) {
        fprintf(stderr, "juyong key: no app of the configuration is called '%s'\n", o->app);
        return CLI_BAD;
    }
    if (c->auth != AUTH_KEYS)
        fprintf(stderr, "juyong key: warning: keys are not asked for with auth: passthrough\n");
    struct buf key = BUF_INIT(256), id = BUF_INIT(256);
    uint64_t expires = ACCESS_NEVER;
    if (!read_option("--expires", o->expires, &expires))
        return CLI_USAGE;
    struct record told = {c, "create", false};
    struct access_witness witness = {record, &told};
    int r = access_key_create(c->state_dir, app, span_str(o->alias), expires, &witness, &key, &id);
    if (r == 0)
        show(o, app, &id, &key);
    if (key.data)
        explicit_bzero(key.data, key.len);
    buf_deinit(&key);
    buf_deinit(&id);
    return told.told ? CLI_BAD : r < 0 ? failed(c, r) : CLI_GOOD;
}

static int no_such_key(const struct options *o)
{
    fprintf(stderr, "juyong key: there is no key '%s'\n", o->id);
    return CLI_BAD;
}

struct wanted {
    struct span id;
    struct buf app;
};

static void find_app(void *ctx, const struct access_key *k)
{
    struct wanted *f = ctx;
    if (span_eq(k->id, f->id))
        buf_append(&f->app, k->app);
}

static int rotate(const struct config *c, const struct options *o)
{
    struct wanted found = {span_str(o->id), BUF_INIT(256)};
    struct buf key = BUF_INIT(256), id = BUF_INIT(256);
    uint64_t expires = ACCESS_AS_BEFORE, until = clock_wall_us() + DAY;
    if (!read_option("--expires", o->expires, &expires) ||
        !read_option("--overlap", o->overlap, &until))
        return CLI_USAGE;
    struct record told = {c, "rotate", false};
    struct access_witness witness = {record, &told};
    int r = access_key_rotate(c->state_dir, span_str(o->id), until, expires, &witness, &key, &id);
    if (r == 0)
        r = access_key_list(c->state_dir, find_app, &found);
    if (r == 0)
        show(o, buf_span(&found.app), &id, &key);
    if (key.data)
        explicit_bzero(key.data, key.len);
    buf_deinit(&key);
    buf_deinit(&id);
    buf_deinit(&found.app);
    return told.told ? CLI_BAD : r == -ENOENT ? no_such_key(o) : r < 0 ? failed(c, r) : CLI_GOOD;
}

static void print_key(void *ctx, const struct access_key *k)
{
    const struct options *o = ctx;
    if (!o->json) {
        printf("%.*s  …%.*s  %.*s  %s  %.*s%s%.*s", SPAN_ARG(k->id), SPAN_ARG(k->last4),
               SPAN_ARG(k->created),
               k->revoked   ? "revoked "
               : k->expired ? "expired "
                            : "in force",
               SPAN_ARG(k->app), k->alias.len ? "  " : "", SPAN_ARG(k->alias));
        if (k->expires.len && !k->revoked)
            printf("  %s %.*s", k->expired ? "since" : "until", SPAN_ARG(k->expires));
        putchar('\n');
        return;
    }
    struct buf out = BUF_INIT(8192);
    buf_append_char(&out, '{');
    setup_json(&out, "id", k->id);
    setup_json(&out, "last4", k->last4);
    setup_json(&out, "created", k->created);
    buf_printf(&out, ",\"revoked\":%s,\"expired\":%s", k->revoked ? "true" : "false",
               k->expired ? "true" : "false");
    setup_json(&out, "expires", k->expires);
    setup_json(&out, "line", k->line);
    setup_json(&out, "app", k->app);
    setup_json(&out, "alias", k->alias);
    buf_append(&out, SPAN_LIT("}\n"));
    setup_write(stdout, &out);
    buf_deinit(&out);
}

static int revoke(const struct config *c, const struct options *o)
{
    struct record told = {c, "revoke", false};
    struct access_witness witness = {record, &told};
    int r = access_key_revoke(c->state_dir, span_str(o->id), &witness);
    if (r < 0)
        return told.told ? CLI_BAD : r == -ENOENT ? no_such_key(o) : failed(c, r);
    fprintf(stderr, "%s is revoked; a running gateway refuses it at once.\n", o->id);
    return CLI_GOOD;
}

int cli_key(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"config", 'c', "FILE", 0, "The configuration", 0},
        {"app", 'a', "NAME", 0, "create: for which app (default)", 0},
        {"alias", 'n', "TEXT", 0, "create: a name to tell it by", 0},
        {"expires", 'e', "TIME", 0, "create, rotate: when it ends by itself: " TIMES, 0},
        {"overlap", 'o', "TIME", 0,
         "rotate: how long the old key still opens (24h); 0: it is closed at once", 0},
        {"json", 'j', NULL, 0, "One JSON object a key", 0},
        {0},
    };
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .args_doc = "create|list|rotate|revoke [ID]",
        .doc = "Create, list, rotate and revoke the keys of apps. A running gateway knows of it at "
               "once; it is on record before it is "
               "done.\n管理应用密钥：创建、列出、轮换、吊销，运行中的网关随即生效。",
    };
    static char name[] = "juyong key";
    struct options o = {.app = "default", .alias = ""};
    argv[0] = name;
    argp_err_exit_status = CLI_USAGE;
    if (argp_parse(&argp, argc, argv, 0, NULL, &o) != 0)
        return CLI_USAGE;
    struct setup s;
    int r = setup_load(span_str(o.file), false, &s);
    if (r)
        return r;
    if (strcmp(o.verb, "create") == 0) {
        r = create(s.config, &o);
    } else if (strcmp(o.verb, "revoke") == 0) {
        r = revoke(s.config, &o);
    } else if (has_verb(&o, "rotate")) {
        r = rotate(s.config, &o);
    } else {
        r = access_key_list(s.config->state_dir, print_key, &o);
        r = r < 0 ? failed(s.config, r) : CLI_GOOD;
    }
    setup_deinit(&s);
    return r;
}
