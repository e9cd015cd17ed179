/* `juyong rules stats`: how many rules each risk type has. */
#include "cli/rules.h"

static int print(const struct ruleset *rules, const struct rules_common *o)
{
    struct buf out = BUF_INIT(1u << 20);
    for (size_t i = 0; i < ruleset_risk_count(rules); i++) {
        const struct risk *risk = ruleset_risk(rules, i);
        if (!rules_wanted(o, risk))
            continue;
        struct rule_counts n = ruleset_count_risk(rules, risk);
        if (o->json) {
            struct buf line = BUF_INIT(8192);
            buf_append_char(&line, '{');
            setup_json(&line, "risk", risk->id);
            setup_json(&line, "group", risk->group);
            setup_json(&line, "name", risk->name_zh);
            setup_json(&line, "name_en", risk->name_en);
            buf_printf(&line, ",\"keywords\":%u,\"keyword_min\":%u,\"patterns\":%u,\"near\":%u}\n",
                       n.keywords, risk->keyword_min, n.patterns, n.near);
            buf_append(&out, buf_span(&line));
            buf_deinit(&line);
        } else {
            buf_printf(&out, "%-16.*s %5u keywords (minimum %3u) %3u patterns %3u near  %.*s\n",
                       SPAN_ARG(risk->id), n.keywords, risk->keyword_min, n.patterns, n.near,
                       SPAN_ARG(risk->name_zh));
        }
    }
    bool written = setup_write(stdout, &out);
    buf_deinit(&out);
    return written ? CLI_GOOD : CLI_BAD;
}

int rules_stats(int argc, char **argv)
{
    struct rules_common o;
    struct setup s;
    int r = rules_parse(argc, argv, &rules_risk_argp,
                        "Count the rules of each risk type.\n按风险类型统计规则。", &o);
    if (r == 0)
        r = setup_load(span_str(o.file), true, &s);
    if (r)
        return r;
    r = print(s.rules, &o);
    setup_deinit(&s);
    return r;
}
