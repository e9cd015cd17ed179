/* `juyong rules list`: every rule, with what people need to know about it. */
#include "cli/rules.h"
#include "json/walk.h"

/* How far the rule is seen, for whom, until when: each only where it says so. */
static void print_reach(struct buf *out, const struct rule *r)
{
    const char *before = ",\"see\":[\"";
    for (unsigned i = 0; i < LAYER_COUNT; i++) {
        if (!(r->asked >> i & 1))
            continue;
        buf_printf(out, "%s%s", before, layer_name(i));
        before = "\",\"";
    }
    if (r->asked)
        buf_append(out, SPAN_LIT("\"]"));
    for (size_t i = 0; i < r->app_count; i++) {
        buf_append(out, i ? SPAN_LIT("\",\"") : SPAN_LIT(",\"apps\":[\""));
        json_escape(out, r->apps[i]);
    }
    if (r->app_count)
        buf_append(out, SPAN_LIT("\"]"));
    if (r->expires) {
        char day[RULE_DAY_SIZE];
        rule_last_day(r, day);
        setup_json(out, "expires", span_str(day));
    }
}

static int print(const struct ruleset *rules, const struct rules_common *o)
{
    struct buf out = BUF_INIT(1u << 20);
    bool written = true;
    for (size_t i = 0; i < ruleset_count(rules) && written; i++) {
        const struct rule *r = ruleset_rule(rules, (uint32_t)i);
        if (!rules_wanted(o, r->risk))
            continue;
        buf_clear(&out);
        if (o->json) {
            buf_append_char(&out, '{');
            setup_json(&out, "id", r->id);
            setup_json(&out, "risk", r->risk->id);
            setup_json(&out, "kind", span_str(rule_kind_name(r->kind)));
            setup_json(&out, "direction", span_str(direction_name(r->direction)));
            setup_json(&out, "action", span_str(action_name(r->action)));
            setup_json(&out, "text", r->source);
            setup_json(&out, "why", r->why);
            setup_json(&out, "origin", span_str(rule_origin_name(r->origin)));
            setup_json(&out, "source", r->from);
            if (r->quarantine.len)
                setup_json(&out, "quarantine", r->quarantine);
            if (r->forced.len)
                setup_json(&out, "forced", r->forced);
            setup_json(&out, "file", r->file);
            buf_printf(&out, ",\"line\":%u", r->line);
            print_reach(&out, r);
            buf_append(&out, SPAN_LIT("}\n"));
        } else {
            buf_printf(&out, "%.*s\t%s\t%s\t%.*s\t%.*s", SPAN_ARG(r->id),
                       direction_name(r->direction),
                       r->quarantine.len ? "quarantine" : action_name(r->action),
                       SPAN_ARG(r->source), SPAN_ARG(r->file));
            if (r->line)
                buf_printf(&out, ":%u", r->line);
            buf_append_char(&out, '\n');
        }
        written = setup_write(stdout, &out);
    }
    buf_deinit(&out);
    return written ? CLI_GOOD : CLI_BAD;
}

int rules_list(int argc, char **argv)
{
    struct rules_common o;
    struct setup s;
    int r = rules_parse(argc, argv, &rules_risk_argp,
                        "List every rule of the library.\n列出全部规则。", &o);
    if (r == 0)
        r = rules_load(&o, &s);
    if (r)
        return r;
    r = print(s.rules, &o);
    setup_deinit(&s);
    return r;
}
