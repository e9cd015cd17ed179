/* `juyong scan`: what would be done about this text? Nothing is sent or recorded. */
#include "base/clock.h"
#include "base/utf8.h"
#include "cli/rulecmd.h"
#include "cli/setup.h"
#include "policy/policy.h"
#include "scan/scanner.h"

#include <argp.h>
#include <errno.h>
#include <stdlib.h>

#define INPUT_MAX  (64u << 20) /* bytes of text */
#define OUTPUT_MAX (1u << 30)  /* bytes printed for one text */

struct options {
    const char *file, *text, *app;
    enum direction direction;
    bool json, explain, lines;
};

struct scan {
    const struct options *options;
    struct setup setup;
    struct policy *policy;
    struct span text;
    struct buf out;
    enum action action; /* heaviest of the text */
    size_t hits;        /* of the text */
    bool failed;        /* memory ran out */
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
    case 'd':
        if (strcmp(arg, "prompt") == 0)
            o->direction = DIRECTION_PROMPT;
        else if (strcmp(arg, "completion") == 0)
            o->direction = DIRECTION_COMPLETION;
        else
            argp_error(state, "--direction is prompt or completion");
        return 0;
    case 'j':
        o->json = true;
        return 0;
    case 'e':
        o->explain = true;
        return 0;
    case 'l':
        o->lines = true;
        return 0;
    case ARGP_KEY_ARG:
        if (o->text)
            argp_error(state, "only one TEXT; quote it");
        o->text = arg;
        return 0;
    case ARGP_KEY_END:
        if (!o->file)
            argp_error(state, "-c FILE is needed");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static void print_layers(struct buf *out, uint32_t layers, bool json)
{
    bool first = true;
    for (unsigned i = 0; i < LAYER_COUNT; i++) {
        if (!(layers >> i & 1))
            continue;
        buf_printf(out, json ? "%s\"%s\"" : "%s%s", first ? "" : ",", layer_name(i));
        first = false;
    }
}

static void print_json(struct scan *s, const struct hit *hit, const struct rule *rule,
                       enum action action)
{
    struct buf *out = &s->out, folded = BUF_INIT(1u << 16);
    struct span text = span_slice(s->text, (size_t)hit->start, (size_t)hit->end);
    match_fold(text, &folded);
    buf_append(out, s->hits ? SPAN_LIT(",{") : SPAN_LIT("{"));
    setup_json(out, "rule", rule->id);
    setup_json(out, "risk", rule->risk->id);
    setup_json(out, "action", span_str(action_name(action)));
    buf_printf(out, ",\"start\":%llu,\"end\":%llu", (unsigned long long)hit->start,
               (unsigned long long)hit->end);
    setup_json(out, "text", text);
    setup_json(out, "folded", buf_span(&folded));
    buf_append(out, SPAN_LIT(",\"layers\":["));
    print_layers(out, hit->layers, true);
    buf_append_char(out, ']');
    if (s->options->explain) {
        setup_json(out, "risk_name", rule->risk->name_zh);
        setup_json(out, "source", rule->source);
        setup_json(out, "why", rule->why);
        setup_json(out, "file", rule->file);
        buf_printf(out, ",\"line\":%u", rule->line);
    }
    if (buf_append_char(out, '}') < 0)
        s->failed = true;
    buf_deinit(&folded);
}

/* Characters that would move the cursor, hide or turn text around on a terminal. */
static bool is_unseen(uint32_t cp)
{
    return cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || (cp >= 0x200b && cp <= 0x200f) ||
           (cp >= 0x2028 && cp <= 0x202e) || (cp >= 0x2060 && cp <= 0x206f) || cp == 0xfeff ||
           cp == 0xad || cp == 0x61c || (cp >= 0xe0000 && cp <= 0xe007f);
}

/* Valid UTF-8 for people: what can't be seen is written as its number. */
static void print_text(struct buf *out, struct span text)
{
    while (text.len) {
        uint32_t cp;
        int n = utf8_decode(text, false, &cp);
        if (n <= 0)
            return;
        if (is_unseen(cp))
            buf_printf(out, "<U+%04X>", (unsigned)cp);
        else
            buf_append(out, span_slice(text, 0, (size_t)n));
        text = span_slice(text, (size_t)n, text.len);
    }
}

static void print_plain(struct scan *s, const struct hit *hit, const struct rule *rule,
                        enum action action)
{
    struct buf *out = &s->out;
    buf_printf(out, "  %-6s %.*s  %llu..%llu  ", action_name(action), SPAN_ARG(rule->id),
               (unsigned long long)hit->start, (unsigned long long)hit->end);
    print_text(out, span_slice(s->text, (size_t)hit->start, (size_t)hit->end));
    if (hit->layers) {
        buf_append(out, SPAN_LIT("  through "));
        print_layers(out, hit->layers, false);
    }
    buf_append_char(out, '\n');
    if (s->options->explain) {
        buf_printf(out, "         %.*s %.*s (%.*s)\n", SPAN_ARG(rule->risk->id),
                   SPAN_ARG(rule->risk->name_zh), SPAN_ARG(rule->risk->name_en));
        buf_printf(out, "         %s", rule_kind_name(rule->kind));
        if (rule->source.len)
            buf_printf(out, " '%.*s'", SPAN_ARG(rule->source));
        buf_printf(out, ", %.*s", SPAN_ARG(rule->file));
        if (rule->line)
            buf_printf(out, ":%u", rule->line);
        buf_printf(out, "%s%.*s\n", rule->why.len ? ": " : "", SPAN_ARG(rule->why));
    }
    if (buf_reserve(out, 1) < 0)
        s->failed = true;
}

static int on_hit(void *ctx, struct channel *channel, const struct hit *hit)
{
    struct scan *s = ctx;
    const struct rule *rule = ruleset_rule(s->setup.rules, hit->rule);
    enum action action = policy_decide(s->policy, hit->rule, s->options->direction, clock_wall_s());
    if (action > s->action)
        s->action = action;
    if (s->options->json)
        print_json(s, hit, rule, action);
    else
        print_plain(s, hit, rule, action);
    s->hits++;
    return 0;
}

static int judge(struct scan *s)
{
    /* As a body with one message: what needs the end of the text is seen too. */
    struct scanner *scanner =
        scanner_new(ruleset_matchset(s->setup.rules), s->options->direction, true, on_hit, s);
    if (!scanner)
        return -ENOMEM;
    struct text_item item = {.text = s->text, .field = FIELD_CONTENT};
    struct piece piece;
    int r = scanner_feed(scanner, &item, &piece);
    if (r == 0)
        r = scanner_finish(scanner, -1);
    scanner_free(scanner);
    return r == 0 && s->failed ? -ENOMEM : r;
}

/* Judges and prints one text; `line` 0 without --lines. 0 or -errno. */
static int scan_text(struct scan *s, struct span text, size_t line)
{
    s->text = text;
    s->action = ACTION_ALLOW;
    s->hits = 0;
    buf_clear(&s->out);
    size_t bad = utf8_check(text);
    if (bad < text.len) {
        if (line)
            fprintf(stderr, "juyong scan: line %zu: not UTF-8 at byte %zu\n", line, bad);
        else
            fprintf(stderr, "juyong scan: not UTF-8 at byte %zu\n", bad);
        return -EILSEQ;
    }
    int r = judge(s);
    if (r < 0) {
        fprintf(stderr, "juyong scan: the text can't be judged: %s\n", strerror(-r));
        return r;
    }
    char on[16], off[16];
    setup_colour(stdout, s->action >= ACTION_MASK ? "31;1" : "33;1", on);
    setup_colour(stdout, "0", off);
    if (s->options->json) {
        printf("{");
        if (line)
            printf("\"line\":%zu,", line);
        printf("\"action\":\"%s\",\"hits\":[", action_name(s->action));
    } else if (line && s->hits) {
        printf("line %zu: %s%s%s\n", line, on, action_name(s->action), off);
    } else if (!line) {
        printf("%s%s%s\n", s->hits ? on : "", action_name(s->action), s->hits ? off : "");
    }
    if (s->out.len)
        fwrite(s->out.data, 1, s->out.len, stdout);
    if (s->options->json)
        printf("]}\n");
    return 0;
}

static int scan_lines(struct scan *s, struct span input, bool *ret_heavy)
{
    size_t number = 0, counts[ACTION_COUNT] = {0};
    struct span line;
    int r = 0;
    while (span_split(&input, '\n', &line)) {
        number++;
        if (line.len && line.data[line.len - 1] == '\r')
            line.len--;
        int e = scan_text(s, line, number);
        if (e < 0) {
            r = e; /* the other lines are judged all the same */
            continue;
        }
        counts[s->action]++;
        *ret_heavy = *ret_heavy || s->action >= ACTION_MASK;
    }
    if (!s->options->json) {
        printf("%zu lines:", number);
        for (int a = 0; a < ACTION_COUNT; a++)
            printf(" %zu %s", counts[a], action_name((enum action)a));
        printf("\n");
    }
    return r;
}

static int read_input(struct buf *out)
{
    char piece[65536];
    size_t n;
    while ((n = fread(piece, 1, sizeof(piece), stdin)) > 0) {
        int r = buf_append(out, span_from(piece, n));
        if (r < 0) {
            fprintf(stderr, "juyong scan: more than %u MiB of input\n", INPUT_MAX >> 20);
            return r;
        }
    }
    if (ferror(stdin)) {
        fprintf(stderr, "juyong scan: standard input can't be read\n");
        return -EIO;
    }
    return 0;
}

static int run(struct scan *s, const struct options *o)
{
    const struct config_app *app = config_find_app(s->setup.config, span_str(o->app));
    if (!app) {
        fprintf(stderr, "juyong scan: no app is called '%s'\n", o->app);
        return CLI_BAD;
    }
    if (policy_new(app, s->setup.rules, &s->policy) < 0)
        return CLI_BAD;
    struct buf input = BUF_INIT(INPUT_MAX);
    bool heavy = false;
    int r = 0;
    struct span text = span_str(o->text);
    if (!o->text || strcmp(o->text, "-") == 0) {
        r = read_input(&input);
        text = buf_span(&input);
        /* The newline that ends a typed line is none of the text. */
        if (text.len && text.data[text.len - 1] == '\n')
            text.len--;
    }
    if (r == 0 && o->lines) {
        r = scan_lines(s, text, &heavy);
    } else if (r == 0) {
        r = scan_text(s, text, 0);
        heavy = r == 0 && s->action >= ACTION_MASK;
    }
    buf_deinit(&input);
    policy_free(s->policy);
    return r < 0 || fflush(stdout) != 0 ? CLI_BAD : heavy ? CLI_HIT : CLI_GOOD;
}

int cli_scan(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"config", 'c', "FILE", 0, "The configuration with rules and policy", 0},
        {"direction", 'd', "prompt|completion", 0, "Which way the text goes (prompt)", 0},
        {"app", 'a', "NAME", 0, "By whose policy (default)", 0},
        {"json", 'j', NULL, 0, "One JSON object a text", 0},
        {"explain", 'e', NULL, 0, "Which rule, why, and where it is written", 0},
        {"lines", 'l', NULL, 0, "Each line of the input is a text", 0},
        {0},
    };
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .args_doc = "[TEXT|-]",
        .doc = "Judge a text offline. Exit 0: allowed or flagged; 3: masked, answered or blocked; "
               "1: bad input; 2: usage.\n"
               "离线试判一段文本，不发送也不记录。",
    };
    static char name[] = "juyong scan";
    struct options o = {.direction = DIRECTION_PROMPT, .app = "default"};
    argv[0] = name;
    argp_err_exit_status = CLI_USAGE;
    if (argp_parse(&argp, argc, argv, 0, NULL, &o) != 0)
        return CLI_USAGE;
    struct scan s = {.options = &o, .out = BUF_INIT(OUTPUT_MAX)};
    int r = setup_load(span_str(o.file), true, &s.setup);
    if (r)
        return r;
    r = run(&s, &o);
    buf_deinit(&s.out);
    setup_deinit(&s.setup);
    return r;
}
