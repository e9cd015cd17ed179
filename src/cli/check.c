/* `juyong check`: is this configuration, with these rules, fit to serve? */
#include "base/clock.h"
#include "cli/banks.h"
#include "cli/rulecmd.h"
#include "cli/setup.h"
#include "filing/library.h"
#include "policy/label.h"
#include "policy/policy.h"
#include "rules/publish.h"

#include <argp.h>
#include <errno.h>
#include <stdlib.h>

struct options {
    const char *file;
    bool manual;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;
    switch (key) {
    case 'c':
        o->file = arg;
        return 0;
    case 'o':
        o->manual = true;
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "unexpected argument '%s'", arg);
        return EINVAL;
    case ARGP_KEY_END:
        if (!o->file && !o->manual)
            argp_error(state, "-c FILE is needed");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int print_manual(void)
{
    struct buf out = BUF_INIT(1u << 20);
    int r = config_print_options(&out);
    bool written = r == 0 && setup_write(stdout, &out);
    buf_deinit(&out);
    return written ? CLI_GOOD : CLI_BAD;
}

/* As `rules stats` counts them: keywords that intercept. */
static void print_risks(struct buf *out, const struct library *l)
{
    for (size_t i = 0; i < l->type_count; i++) {
        const struct risk *risk = l->types[i].risk;
        const unsigned *n = l->types[i].counts;
        unsigned keywords = n[LIBRARY_COUNTED] + n[LIBRARY_AXIS];
        if (keywords + n[LIBRARY_FLAGGED] + n[LIBRARY_PATTERN] + n[LIBRARY_NEAR] +
                risk->keyword_min ==
            0)
            continue;
        buf_printf(out, "  %-16.*s %5u keywords", SPAN_ARG(risk->id), keywords);
        if (risk->keyword_min)
            buf_printf(out, " of %u", risk->keyword_min);
        if (n[LIBRARY_FLAGGED])
            buf_printf(out, ", %u only flagged", n[LIBRARY_FLAGGED]);
        if (n[LIBRARY_PATTERN])
            buf_printf(out, ", %u patterns", n[LIBRARY_PATTERN]);
        if (n[LIBRARY_NEAR])
            buf_printf(out, ", %u near rules", n[LIBRARY_NEAR]);
        buf_printf(out, "  %.*s\n", SPAN_ARG(risk->name_zh));
    }
}

static size_t count_expired(const struct ruleset *rules)
{
    size_t expired = 0;
    int64_t now = clock_wall_s();
    for (size_t i = 0; i < ruleset_count(rules); i++) {
        int64_t at = ruleset_rule(rules, (uint32_t)i)->expires;
        expired += at && at <= now;
    }
    return expired;
}

/* What only the one who checks wants to know: it is no mistake. */
static void print_doubts(const struct setup *s)
{
    struct buf messages = BUF_INIT(1u << 20);
    policy_doubts(s->config, s->rules, &messages);
    setup_print_messages(stderr, &messages);
    buf_deinit(&messages);
}

/* Of a version's messages those about the store: what the rules say of themselves is known. */
static void print_store_messages(const struct buf *messages)
{
    struct span rest = buf_span(messages), line;
    struct buf out = BUF_INIT(65536);
    while (span_split(&rest, '\n', &line))
        if (span_find(line, SPAN_LIT("/current: ")) < line.len)
            buf_printf(&out, "%.*s\n", SPAN_ARG(line));
    setup_print_messages(stderr, &out);
    buf_deinit(&out);
}

/* What is served, and whether it is what was checked. */
static void print_published(struct buf *out, const struct setup *s)
{
    const struct config *c = s->config;
    struct rule_report report = RULE_REPORT_INIT;
    struct ruleset *published = NULL;
    int r = publish_peek(c->state_dir, c->rules_dir, &report, &published);
    if (r == -ENOENT) {
        if (c->rules.two_person)
            buf_printf(out,
                       "rules: nothing is published yet: until then SIGHUP alone puts a change "
                       "of %.*s in force\n",
                       SPAN_ARG(c->rules_dir));
    } else if (r < 0) {
        setup_print_messages(stderr, &report.text);
        buf_append(out, SPAN_LIT("rules: what is published can't be read\n"));
    } else if (rule_diff_files(published, s->rules)) {
        buf_printf(out,
                   "rules: %.*s is in force, and the working copy differs: see `juyong rules "
                   "diff`, then `juyong rules publish`\n",
                   SPAN_ARG(ruleset_version(published)));
    } else {
        buf_printf(out, "rules: %.*s is in force, and the working copy is the same\n",
                   SPAN_ARG(ruleset_version(published)));
    }
    if (r == 0)
        print_store_messages(&report.text);
    ruleset_unref(published);
    buf_deinit(&report.text);
}

/* The law wants a label on what AI wrote: who sees to it? */
static void print_labels(struct buf *out, const struct config *c)
{
    char room[LABEL_WORDS_MAX];
    for (size_t i = 0; i < c->app_count; i++) {
        const struct config_app *a = &c->apps[i];
        struct span words = label_words(c, a->policy.language, room);
        buf_printf(out, "label of app %.*s: %s: ", SPAN_ARG(a->name),
                   label_mode_name(a->policy.label));
        if (a->policy.label == LABEL_UI)
            buf_append(out, SPAN_LIT("by this the app attests that its interface always shows a "
                                     "hint with AI and 生成; answers stay as they are\n"));
        else
            buf_printf(out, "%.*s%s\n", SPAN_ARG(words),
                       a->policy.label == LABEL_REQUESTED
                           ? ", unless the end user's consent is on record (juyong label)"
                           : "");
    }
}

static int print_summary(const struct setup *s)
{
    const struct config *c = s->config;
    struct buf out = BUF_INIT(1u << 20), weak = BUF_INIT(1u << 16);
    struct matchset_stats stats;
    matchset_get_stats(ruleset_matchset(s->rules), &stats);
    buf_printf(&out, "%.*s is good: %zu upstreams, %zu apps\n", SPAN_ARG(c->file),
               c->upstream_count, c->app_count);
    buf_printf(&out, "rules %.*s: %zu rules, ", SPAN_ARG(ruleset_version(s->rules)),
               ruleset_count(s->rules));
    size_t expired = count_expired(s->rules);
    if (expired)
        buf_printf(&out, "%zu of them expired, ", expired);
    buf_printf(&out, "%zu allow phrases, %zu KiB compiled\n", stats.allows, stats.bytes >> 10);
    print_published(&out, s);
    struct library library;
    int64_t now = clock_wall_s();
    if (library_read(s->rules, &c->apps[0], now, &library) == 0) {
        print_risks(&out, &library);
        library_free(&library);
    }
    print_labels(&out, c);
    config_weakenings(c, &weak);
    library_weakening(s->rules, &c->apps[0], now, &weak);
    policy_weakenings(c, s->rules, &weak);
    struct span rest = buf_span(&weak), line;
    while (span_split(&rest, '\n', &line))
        if (line.len)
            buf_printf(&out, "weaker: %.*s\n", SPAN_ARG(line));
    bool written = setup_write(stdout, &out);
    buf_deinit(&out);
    buf_deinit(&weak);
    return written ? CLI_GOOD : CLI_BAD;
}

int cli_check(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"config", 'c', "FILE", 0, "The configuration to check", 0},
        {"options", 'o', NULL, 0, "Print every key of the configuration with its meaning", 0},
        {0},
    };
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .doc =
            "Validate configuration and rules; exit 1 on any error. The rules are the working "
            "copy, rules_dir; it is told when what is published differs.\n"
            "校验配置与规则目录，有错误时逐条列出并以 1 退出；规则目录与已发布版本不同时予以提示。",
    };
    static char name[] = "juyong check";
    struct options o = {0};
    argv[0] = name;
    argp_err_exit_status = CLI_USAGE;
    if (argp_parse(&argp, argc, argv, 0, NULL, &o) != 0)
        return CLI_USAGE;
    if (o.manual)
        return print_manual();
    struct setup s;
    int r = setup_load(span_str(o.file), true, &s);
    if (r)
        return r;
    print_doubts(&s);
    r = banks_check(&s);
    if (r == CLI_GOOD)
        r = print_summary(&s);
    setup_deinit(&s);
    return r;
}
