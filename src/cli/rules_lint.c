/* `juyong rules lint`: does the library do what its authors meant? */
#include "cli/banks.h"
#include "cli/rules.h"
#include "policy/policy.h"

#include <errno.h>

struct options {
    struct rules_common common;
    bool strict;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &o->common;
        return 0;
    case 's':
        o->strict = true;
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "unexpected argument '%s'", arg);
        return EINVAL;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int judge(const struct setup *s, bool strict)
{
    struct buf messages = BUF_INIT(16u << 20);
    struct lint_report report;
    int r = ruleset_lint(s->rules, &messages, &report);
    /* And what is in vain with this configuration: apps that it doesn't have, layers of streams. */
    if (r == 0)
        report.doubts += policy_doubts(s->config, s->rules, &messages);
    setup_print_messages(stderr, &messages);
    buf_deinit(&messages);
    if (r < 0) {
        fprintf(stderr, "juyong rules lint: %s\n", strerror(-r));
        return CLI_BAD;
    }
    printf("%zu samples judged, %zu disappoint; %zu rules and phrases do nothing\n", report.samples,
           report.disappoint, report.doubts);
    return report.disappoint || (strict && report.doubts) ? CLI_BAD : CLI_GOOD;
}

int rules_lint(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"strict", 's', NULL, 0, "Exit 1 on rules and allow phrases that do nothing, too", 0},
        {0},
    };
    static const struct argp_child children[] = {{&rules_look_argp, 0, NULL, 0}, {0}};
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .children = children,
        .doc = "Judge the samples of every rule and the ordinary texts of benign/, and tell what "
               "can never do anything: rules that have expired, that are for apps which aren't "
               "there or repeat others, allow phrases that save nothing.\n"
               "运行每条规则的样例与日常文本样本，并列出不起作用的规则和例外短语。",
    };
    struct options o = {0};
    struct setup s;
    if (argp_parse(&argp, argc, argv, 0, NULL, &o) != 0)
        return CLI_USAGE;
    int r = rules_load(&o.common, &s);
    if (r)
        return r;
    r = judge(&s, o.strict);
    if (banks_check(&s) != CLI_GOOD)
        r = CLI_BAD;
    setup_deinit(&s);
    return r;
}
