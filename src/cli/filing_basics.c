/* `juyong filing coverage` and `disclosure`: what configuration and library say by themselves. */
#include "cli/filingcmd.h"

#include "cli/banks.h"
#include "cli/coverage.h"
#include "cli/rulecmd.h"
#include "filing/disclosure.h"

#include <argp.h>
#include <errno.h>
#include <string.h>

struct options {
    const char *file, *app;
    bool json, html;
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
    case 'H':
        o->html = true;
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "unexpected argument '%s'", arg);
        return EINVAL;
    case ARGP_KEY_END:
        if (!o->file)
            argp_error(state, "-c FILE is needed");
        if (o->html && o->json)
            argp_error(state, "--html or --json, not both");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int filing_coverage(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"config", 'c', "FILE", 0, "The configuration", 0},
        {"app", 'a', "NAME", 0, "Whose policy says what intercepts; evaluation.app unless told", 0},
        {"json", 'j', NULL, 0, "One JSON object a line", 0},
        {0},
    };
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .doc = "Hold the keyword library and the question banks against the standard's minima; "
               "exit 4 when one is not met.\n"
               "对照标准检查关键词库与测试题库的数量与更新；未达到要求时以 4 退出。",
    };
    struct options o = {0};
    struct setup s;
    if (argp_parse(&argp, argc, argv, 0, NULL, &o) != 0)
        return CLI_USAGE;
    int r = setup_load_published(span_str(o.file), &s);
    if (r)
        return r;
    r = coverage_print(&s, &(struct coverage_options){.app = o.app, .json = o.json});
    if (r == CLI_GOOD || r == CLI_UNMET) {
        if (!o.json)
            puts("");
        int banks = banks_print_coverage(&s, o.json);
        r = banks == CLI_GOOD ? r : banks;
    }
    setup_deinit(&s);
    return r;
}

int filing_disclosure(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"config", 'c', "FILE", 0, "The configuration", 0},
        {"app", 'a', "NAME", 0, "Only the models that this app may ask for", 0},
        {"html", 'H', NULL, 0, "A section to put into a page", 0},
        {"json", 'j', NULL, 0, "One JSON object", 0},
        {0},
    };
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .doc = "Print what the service must show its users: model, filing number, launch number, "
               "algorithm number, complaints; exit 4 when something is missing from the "
               "configuration.\n输出须向用户公示的模型名称、备案号、上线编号等；配置中有缺项时以 4 "
               "退出，缺项写作“待补充”。",
    };
    struct options o = {0};
    struct setup s;
    if (argp_parse(&argp, argc, argv, 0, NULL, &o) != 0)
        return CLI_USAGE;
    int r = setup_load(span_str(o.file), false, &s);
    if (r)
        return r;
    const struct config_app *app = o.app ? coverage_app(&s, o.app) : NULL;
    struct disclosure d = {.config = s.config, .app = app};
    struct buf out = BUF_INIT(4u << 20), missing = BUF_INIT(1u << 20);
    bool written = (!o.app || app) && (o.html   ? disclosure_html(&d, &out)
                                       : o.json ? disclosure_json(&d, &out)
                                                : disclosure_text(&d, &out)) == 0;
    unsigned count = written ? disclosure_missing(&d, &missing) : 0;
    written = written && setup_write(stdout, &out);
    if (count)
        fprintf(stderr, "juyong filing: missing from the configuration 配置缺项:\n%.*s",
                SPAN_ARG(buf_span(&missing)));
    buf_deinit(&out);
    buf_deinit(&missing);
    setup_deinit(&s);
    return !written ? CLI_BAD : count ? CLI_UNMET : CLI_GOOD;
}
