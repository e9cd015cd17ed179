/* `juyong rules stats`: how many rules each risk type has, against what the standard asks for. */
#include "cli/coverage.h"
#include "cli/rules.h"

static bool wanted(void *ctx, const struct risk *risk)
{
    return rules_wanted(ctx, risk);
}

int rules_stats(int argc, char **argv)
{
    struct rules_common o;
    struct setup s;
    int r =
        rules_parse(argc, argv, &rules_risk_argp,
                    "Count the rules of each risk type against the standard's minima; exit 4 "
                    "when one is not met.\n按风险类型统计规则并与标准要求对照；未达到要求时以 4 "
                    "退出。",
                    &o);
    if (r == 0)
        r = rules_load(&o, &s);
    if (r)
        return r;
    struct coverage_options c = {.json = o.json, .wanted = o.risk ? wanted : NULL, .ctx = &o};
    r = coverage_print(&s, &c);
    setup_deinit(&s);
    return r;
}
