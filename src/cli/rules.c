/* `juyong rules`: what the library holds, and whether it does what its authors meant. */
#include "cli/rulecmd.h"
#include "cli/setup.h"
#include "json/walk.h"

#include <argp.h>
#include <stdlib.h>

struct options {
    const char *file, *verb, *risk;
    bool json;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;
    switch (key) {
    case 'c':
        o->file = arg;
        return 0;
    case 'r':
        o->risk = arg;
        return 0;
    case 'j':
        o->json = true;
        return 0;
    case ARGP_KEY_ARG:
        if (o->verb)
            argp_error(state, "unexpected argument '%s'", arg);
        o->verb = arg;
        return 0;
    case ARGP_KEY_END:
        if (!o->verb)
            argp_error(state, "list, stats or lint?");
        else if (strcmp(o->verb, "list") && strcmp(o->verb, "stats") && strcmp(o->verb, "lint"))
            argp_error(state, "'%s' is none of list, stats, lint", o->verb);
        else if (!o->file)
            argp_error(state, "-c FILE is needed");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* Is the risk asked for: by id, by group, or because none was named? */
static bool wanted(const struct options *o, const struct risk *risk)
{
    struct span name = span_str(o->risk);
    return !o->risk || span_eq(name, risk->id) || span_eq(name, risk->group);
}

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

static int list(const struct ruleset *rules, const struct options *o)
{
    struct buf out = BUF_INIT(1u << 20);
    bool written = true;
    for (size_t i = 0; i < ruleset_count(rules) && written; i++) {
        const struct rule *r = ruleset_rule(rules, (uint32_t)i);
        if (!wanted(o, r->risk))
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
            setup_json(&out, "source", r->from);
            setup_json(&out, "file", r->file);
            buf_printf(&out, ",\"line\":%u", r->line);
            print_reach(&out, r);
            buf_append(&out, SPAN_LIT("}\n"));
        } else {
            buf_printf(&out, "%.*s\t%s\t%s\t%.*s\t%.*s", SPAN_ARG(r->id),
                       direction_name(r->direction), action_name(r->action), SPAN_ARG(r->source),
                       SPAN_ARG(r->file));
            if (r->line)
                buf_printf(&out, ":%u", r->line);
            buf_append_char(&out, '\n');
        }
        written = setup_write(stdout, &out);
    }
    buf_deinit(&out);
    return written ? CLI_GOOD : CLI_BAD;
}

static int stats(const struct ruleset *rules, const struct options *o)
{
    struct buf out = BUF_INIT(1u << 20);
    for (size_t i = 0; i < ruleset_risk_count(rules); i++) {
        const struct risk *risk = ruleset_risk(rules, i);
        if (!wanted(o, risk))
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

static int lint(const struct ruleset *rules)
{
    struct buf messages = BUF_INIT(16u << 20);
    size_t samples = 0;
    int r = ruleset_lint(rules, &messages, &samples);
    setup_print_messages(stderr, &messages);
    buf_deinit(&messages);
    if (r < 0)
        fprintf(stderr, "juyong rules: %s\n", strerror(-r));
    else
        printf("%zu samples judged, %d disappoint\n", samples, r);
    return r == 0 ? CLI_GOOD : CLI_BAD;
}

int cli_rules(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"config", 'c', "FILE", 0, "The configuration with rules_dir", 0},
        {"risk", 'r', "ID", 0, "list, stats: only this risk or group", 0},
        {"json", 'j', NULL, 0, "One JSON object a line", 0},
        {0},
    };
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .args_doc = "list|stats|lint",
        .doc = "Look into the rule library: its rules, its numbers, its samples.\n"
               "查看规则库：列出规则、统计数量、运行样例。",
    };
    static char name[] = "juyong rules";
    struct options o = {0};
    argv[0] = name;
    argp_err_exit_status = CLI_USAGE;
    if (argp_parse(&argp, argc, argv, 0, NULL, &o) != 0)
        return CLI_USAGE;
    struct setup s;
    int r = setup_load(span_str(o.file), true, &s);
    if (r)
        return r;
    if (strcmp(o.verb, "list") == 0)
        r = list(s.rules, &o);
    else if (strcmp(o.verb, "stats") == 0)
        r = stats(s.rules, &o);
    else
        r = lint(s.rules);
    setup_deinit(&s);
    return r;
}
