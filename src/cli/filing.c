/* `juyong filing`: what a filing needs, out of the gateway that runs. */
#include "cli/coverage.h"
#include "cli/rulecmd.h"

#include <argp.h>
#include <errno.h>
#include <string.h>

struct options {
    const char *file, *app;
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
    case 'j':
        o->json = true;
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "unexpected argument '%s'", arg);
        return EINVAL;
    case ARGP_KEY_END:
        if (!o->file)
            argp_error(state, "-c FILE is needed");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int coverage(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"config", 'c', "FILE", 0, "The configuration", 0},
        {"app", 'a', "NAME", 0, "Whose policy says what intercepts; default unless told", 0},
        {"json", 'j', NULL, 0, "One JSON object a line", 0},
        {0},
    };
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .doc = "Hold the keyword library against the standard's minima; exit 4 when one is not "
               "met.\n对照标准检查关键词库的数量与更新；未达到要求时以 4 退出。",
    };
    struct options o = {0};
    struct setup s;
    if (argp_parse(&argp, argc, argv, 0, NULL, &o) != 0)
        return CLI_USAGE;
    int r = setup_load_published(span_str(o.file), &s);
    if (r)
        return r;
    r = coverage_print(&s, &(struct coverage_options){.app = o.app, .json = o.json});
    setup_deinit(&s);
    return r;
}

static void help(FILE *to)
{
    fputs("Usage: juyong filing VERB [OPTION...]\n"
          "What a filing needs, out of the gateway that runs.\n"
          "由运行中的网关生成备案所需材料。\n\n"
          "  coverage   the keyword library against the standard's minima      关键词库达标情况\n"
          "\n'juyong filing VERB --help' tells more.\n",
          to);
}

int cli_filing(int argc, char **argv)
{
    if (argc >= 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "help"))) {
        help(stdout);
        return CLI_GOOD;
    }
    if (argc >= 2 && !strcmp(argv[1], "coverage")) {
        static char name[] = "juyong filing coverage";
        argv[1] = name;
        argp_err_exit_status = CLI_USAGE;
        return coverage(argc - 1, argv + 1);
    }
    if (argc >= 2)
        fprintf(stderr, "juyong filing: unknown verb '%s'\n\n", argv[1]);
    help(stderr);
    return CLI_USAGE;
}
