/* `juyong scan`: what would be done about this text? Nothing is sent or recorded. */
#include "base/utf8.h"
#include "cli/rulecmd.h"
#include "cli/setup.h"
#include "trial/judgement.h"

#include <argp.h>
#include <errno.h>
#include <stdlib.h>

#define INPUT_MAX  (64u << 20) /* bytes of text */
#define OUTPUT_MAX (1u << 30)  /* bytes printed for one text */

struct options {
    const char *file, *text, *app;
    enum direction direction;
    bool json, explain, lines, published;
};

struct scan {
    const struct options *options;
    struct setup setup;
    const struct config_app *app;
    struct policy *policy;
    struct looks looks;
    struct span text;
    struct buf out, saved; /* what is printed of its hits, and of those that don't count */
    enum action action;    /* heaviest of the text */
    size_t hits;           /* of the text */
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
    case 'p':
        o->published = true;
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

static int on_finding(void *ctx, const struct finding *f)
{
    struct scan *s = ctx;
    struct buf *out = f->saved ? &s->saved : &s->out;
    s->hits += !f->saved;
    if (s->options->json) {
        if (out->len)
            buf_append_char(out, ',');
        finding_json(out, f, s->options->explain);
    } else if (s->options->explain) {
        finding_explain(out, f, &s->looks);
    } else {
        finding_line(out, f);
    }
    return buf_reserve(out, 1);
}

static int judge(struct scan *s)
{
    struct judgement j = {.rules = s->setup.rules,
                          .app = s->app,
                          .policy = s->policy,
                          .direction = s->options->direction,
                          .saved = s->options->explain};
    return judgement_make(&j, s->text, on_finding, s, &s->action);
}

static void write_out(const struct buf *text)
{
    if (text->len)
        fwrite(text->data, 1, text->len, stdout);
}

static void print_json(const struct scan *s, size_t line)
{
    printf("{");
    if (line)
        printf("\"line\":%zu,", line);
    printf("\"action\":\"%s\",\"hits\":[", action_name(s->action));
    write_out(&s->out);
    if (s->options->explain) {
        printf("],\"saved\":[");
        write_out(&s->saved);
    }
    printf("]}\n");
}

static void print_plain(const struct scan *s, size_t line)
{
    char on[16], off[16];
    setup_colour(stdout, s->action >= ACTION_MASK ? "31;1" : "33;1", on);
    setup_colour(stdout, "0", off);
    if (line && !s->hits && !s->saved.len)
        return; /* of many lines only those that have something to tell */
    if (line)
        printf("line %zu: ", line);
    printf("%s%s%s\n", s->hits ? on : "", action_name(s->action), s->hits ? off : "");
    write_out(&s->out);
    if (s->saved.len)
        printf("saved by an allow phrase:\n");
    write_out(&s->saved);
    if (line && s->options->explain)
        printf("\n");
}

/* Judges and prints one text; `line` 0 without --lines. 0 or -errno. */
static int scan_text(struct scan *s, struct span text, size_t line)
{
    s->text = text;
    s->action = ACTION_ALLOW;
    s->hits = 0;
    buf_clear(&s->out);
    buf_clear(&s->saved);
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
    if (s->options->json)
        print_json(s, line);
    else
        print_plain(s, line);
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
    s->app = config_find_app(s->setup.config, span_str(o->app));
    if (!s->app) {
        fprintf(stderr, "juyong scan: no app is called '%s'\n", o->app);
        return CLI_BAD;
    }
    if (policy_new(s->app, s->setup.rules, &s->policy) < 0)
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
        {"explain", 'e', NULL, 0,
         "What stands where, seen through which disguise, by which rule "
         "and why; and what an allow phrase saved",
         0},
        {"published", 'p', NULL, 0, "By the version in force, not by the working copy", 0},
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
    struct scan s = {.options = &o, .out = BUF_INIT(OUTPUT_MAX), .saved = BUF_INIT(OUTPUT_MAX)};
    setup_colour(stdout, "7", s.looks.mark);
    setup_colour(stdout, "2", s.looks.dim);
    setup_colour(stdout, "0", s.looks.off);
    int r = o.published ? setup_load_published(span_str(o.file), &s.setup)
                        : setup_load(span_str(o.file), true, &s.setup);
    if (r)
        return r;
    r = run(&s, &o);
    buf_deinit(&s.out);
    buf_deinit(&s.saved);
    setup_deinit(&s.setup);
    return r;
}
