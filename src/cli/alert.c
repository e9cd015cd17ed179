/* `juyong alert test`: does a message about an alert arrive? */
#include "alert/alert.h"
#include "cli/rulecmd.h"
#include "cli/setup.h"
#include "http/courier.h"

#include <argp.h>
#include <errno.h>
#include <string.h>

struct options {
    const char *verb, *file, *target;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;
    switch (key) {
    case 'c':
        o->file = arg;
        return 0;
    case 't':
        o->target = arg;
        return 0;
    case ARGP_KEY_ARG:
        if (o->verb || strcmp(arg, "test") != 0)
            argp_error(state, "unexpected argument '%s'", arg);
        o->verb = arg;
        return 0;
    case ARGP_KEY_END:
        if (!o->verb)
            argp_error(state, "what is to be done? test");
        if (!o->file)
            argp_error(state, "-c FILE is needed");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static void told(void *ctx, const struct config_alert_target *t, bool taken)
{
    unsigned *failed = ctx;
    *failed += !taken;
    printf("%.*s (%.*s): %s\n", SPAN_ARG(t->name), SPAN_ARG(courier_host(t->url)),
           taken ? "taken" : "not taken");
}

int cli_alert(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"config", 'c', "FILE", 0, "The configuration", 0},
        {"target", 't', "NAME", 0, "Only this one of alerts.targets", 0},
        {0},
    };
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .args_doc = "test",
        .doc = "Send a test message to each target of the configuration's `alerts`, at any hour, "
               "and tell who took it; exit 1 when somebody didn't.\n"
               "向配置中的每个告警目标发送一条测试消息，并报告是否送达；有未送达的以 1 退出。",
    };
    static char name[] = "juyong alert";
    struct options o = {0};
    struct setup s;
    unsigned failed = 0;
    argv[0] = name;
    argp_err_exit_status = CLI_USAGE;
    if (argp_parse(&argp, argc, argv, 0, NULL, &o) != 0)
        return CLI_USAGE;
    int r = setup_load(span_str(o.file), false, &s);
    if (r)
        return r;
    int asked = alerts_test(s.config, span_str(o.target), told, &failed);
    if (asked < 0)
        fprintf(stderr, "juyong alert: %s\n", strerror(-asked));
    else if (asked == 0)
        fprintf(stderr, o.target ? "juyong alert: 'alerts' has no target of that name\n"
                                 : "juyong alert: 'alerts' has no targets\n");
    setup_deinit(&s);
    return asked > 0 && failed == 0 ? CLI_GOOD : CLI_BAD;
}
