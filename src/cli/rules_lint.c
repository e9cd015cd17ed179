/* `juyong rules lint`: does the library do what its authors meant? */
#include "cli/rules.h"

static int judge(const struct ruleset *rules)
{
    struct buf messages = BUF_INIT(16u << 20);
    struct lint_report report;
    int r = ruleset_lint(rules, &messages, &report);
    setup_print_messages(stderr, &messages);
    buf_deinit(&messages);
    if (r < 0)
        fprintf(stderr, "juyong rules: %s\n", strerror(-r));
    else
        printf("%zu samples judged, %zu disappoint; %zu rules and phrases do nothing\n",
               report.samples, report.disappoint, report.doubts);
    return r == 0 && report.disappoint == 0 ? CLI_GOOD : CLI_BAD;
}

int rules_lint(int argc, char **argv)
{
    struct rules_common o;
    struct setup s;
    int r = rules_parse(argc, argv, &rules_look_argp,
                        "Judge the samples of every rule.\n运行每条规则自带的样例。", &o);
    if (r == 0)
        r = rules_load(&o, &s);
    if (r)
        return r;
    r = judge(s.rules);
    setup_deinit(&s);
    return r;
}
