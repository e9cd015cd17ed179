/* `juyong key`: the keys that apps bear with auth: keys. */
#include "access/access.h"
#include "cli/rulecmd.h"
#include "cli/setup.h"

#include <argp.h>
#include <errno.h>
#include <stdlib.h>

struct options {
    const char *file, *verb, *id, *app, *alias;
    bool json;
};

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
    case 'j':
        o->json = true;
        return 0;
    case ARGP_KEY_ARG:
        if (!o->verb)
            o->verb = arg;
        else if (!o->id && strcmp(o->verb, "revoke") == 0)
            o->id = arg;
        else
            argp_error(state, "unexpected argument '%s'", arg);
        return 0;
    case ARGP_KEY_END:
        if (!o->verb)
            argp_error(state, "create, list or revoke?");
        else if (strcmp(o->verb, "create") && strcmp(o->verb, "list") && strcmp(o->verb, "revoke"))
            argp_error(state, "'%s' is none of create, list, revoke", o->verb);
        else if (!o->file)
            argp_error(state, "-c FILE is needed");
        else if (strcmp(o->verb, "revoke") == 0 && !o->id)
            argp_error(state, "which key? `juyong key list` shows their ids");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int failed(const struct config *c, int r)
{
    fprintf(stderr, "juyong key: the keys below %.*s can't be used: %s\n", SPAN_ARG(c->state_dir),
            r == -EINVAL   ? "keys.json is damaged, or a name is not allowed"
            : r == -ENOSPC ? "there are too many"
                           : strerror(-r));
    return CLI_BAD;
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
    int r = access_key_create(c->state_dir, app, span_str(o->alias), &key, &id);
    if (r == 0 && o->json) {
        struct buf out = BUF_INIT(8192);
        buf_append_char(&out, '{');
        setup_json(&out, "id", buf_span(&id));
        setup_json(&out, "app", app);
        setup_json(&out, "key", buf_span(&key));
        buf_append(&out, SPAN_LIT("}\n"));
        setup_write(stdout, &out);
        explicit_bzero(out.data, out.len);
        buf_deinit(&out);
    } else if (r == 0) {
        printf("%.*s\n", SPAN_ARG(buf_span(&key)));
        fflush(stdout);
        fprintf(stderr,
                "%.*s for the app %s. The key is shown only now; SIGHUP makes a running "
                "gateway know it.\n密钥只显示这一次，请妥善保存。\n",
                SPAN_ARG(buf_span(&id)), o->app);
    }
    if (key.data)
        explicit_bzero(key.data, key.len);
    buf_deinit(&key);
    buf_deinit(&id);
    return r < 0 ? failed(c, r) : CLI_GOOD;
}

static void print_key(void *ctx, struct span id, struct span app, struct span alias,
                      struct span last4, struct span created, bool revoked)
{
    const struct options *o = ctx;
    if (!o->json) {
        printf("%.*s  …%.*s  %.*s  %s  %.*s%s%.*s\n", SPAN_ARG(id), SPAN_ARG(last4),
               SPAN_ARG(created), revoked ? "revoked " : "in force", SPAN_ARG(app),
               alias.len ? "  " : "", SPAN_ARG(alias));
        return;
    }
    struct buf out = BUF_INIT(8192);
    buf_append_char(&out, '{');
    setup_json(&out, "id", id);
    setup_json(&out, "last4", last4);
    setup_json(&out, "created", created);
    buf_printf(&out, ",\"revoked\":%s", revoked ? "true" : "false");
    setup_json(&out, "app", app);
    setup_json(&out, "alias", alias);
    buf_append(&out, SPAN_LIT("}\n"));
    setup_write(stdout, &out);
    buf_deinit(&out);
}

static int revoke(const struct config *c, const struct options *o)
{
    int r = access_key_revoke(c->state_dir, span_str(o->id));
    if (r == -ENOENT) {
        fprintf(stderr, "juyong key: there is no key '%s'\n", o->id);
        return CLI_BAD;
    }
    if (r < 0)
        return failed(c, r);
    fprintf(stderr, "%s is revoked; SIGHUP makes a running gateway know it.\n", o->id);
    return CLI_GOOD;
}

int cli_key(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"config", 'c', "FILE", 0, "The configuration", 0},
        {"app", 'a', "NAME", 0, "create: for which app (default)", 0},
        {"alias", 'n', "TEXT", 0, "create: a name to tell it by", 0},
        {"json", 'j', NULL, 0, "One JSON object a key", 0},
        {0},
    };
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .args_doc = "create|list|revoke [ID]",
        .doc = "Create, list and revoke the keys of apps.\n管理应用密钥：创建、列出、吊销。",
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
    } else {
        r = access_key_list(s.config->state_dir, print_key, &o);
        r = r < 0 ? failed(s.config, r) : CLI_GOOD;
    }
    setup_deinit(&s);
    return r;
}
