/* `juyong rules try`: what a word, a file or the working copy would have done, before it does. */
#include "base/clock.h"
#include "base/codec.h"
#include "cli/coverage.h"
#include "cli/logview.h"
#include "cli/rules.h"
#include "cli/rules_act.h"
#include "policy/policy.h"
#include "rules/publish.h"
#include "trial/trial.h"
#include "trial/tried.h"
#include "json/walk.h"

#include <errno.h>
#include <stdlib.h>

#define DAY_US       (24ull * 3600 * 1000000)
#define WORDS_MAX    256
#define FILES_MAX    64
#define CHANGES_TOLD 20 /* of each source, without --all */

struct options {
    struct rules_common common;
    const char *words[WORDS_MAX], *texts[FILES_MAX];
    size_t word_count, text_count;
    const char *list, *risk, *app;
    enum direction direction;
    unsigned days;
    bool all, allow; /* the words are phrases that save what stands in them */
};

struct view {
    const struct options *o;
    struct buf out;
    size_t told, untold;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;
    char *end;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &o->common;
        return 0;
    case 'f':
        o->list = arg;
        return 0;
    case 'r':
        o->risk = arg;
        return 0;
    case 'a':
        o->app = arg;
        return 0;
    case 'A':
        o->all = true;
        return 0;
    case 'w':
        if (o->word_count == WORDS_MAX)
            argp_error(state, "at most %d phrases", WORDS_MAX);
        if (o->word_count && !o->allow)
            argp_error(state, "phrases that are allowed, or words");
        o->allow = true;
        o->words[o->word_count++] = arg;
        return 0;
    case 't':
        if (o->text_count == FILES_MAX)
            argp_error(state, "at most %d files of texts", FILES_MAX);
        o->texts[o->text_count++] = arg;
        return 0;
    case 'D':
        if (!strcmp(arg, "prompt"))
            o->direction = DIRECTION_PROMPT;
        else if (!strcmp(arg, "completion"))
            o->direction = DIRECTION_COMPLETION;
        else
            argp_error(state, "--direction prompt or completion");
        return 0;
    case 'd':
        o->days = (unsigned)strtoul(arg, &end, 10);
        if (*end || !*arg || o->days == 0 || o->days > 3660)
            argp_error(state, "--days: a number from 1 to 3660");
        return 0;
    case ARGP_KEY_ARG:
        if (o->word_count == WORDS_MAX)
            argp_error(state, "at most %d words; put more into a file", WORDS_MAX);
        if (o->allow)
            argp_error(state, "phrases that are allowed, or words");
        o->words[o->word_count++] = arg;
        return 0;
    case ARGP_KEY_END:
        if (o->word_count && o->list)
            argp_error(state, "words, or a file of them");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* ---- what is tried ---- */

/* A file out of the words; of keywords the risk says what is done about them. */
static int list_words(const struct options *o, enum tried_kind kind, const char *risk,
                      struct buf *out)
{
    int r = tried_begin(kind, span_str(risk), out);
    for (size_t i = 0; i < o->word_count && r == 0; i++)
        r = rules_is_line("the word", span_str(o->words[i]), 512)
                ? tried_add(span_str(o->words[i]), out)
                : -EINVAL;
    return r;
}

/* One line before the file's own: lines may say otherwise. */
static int read_list(const char *path, const char *risk, struct buf *out)
{
    char piece[65536];
    FILE *f = fopen(path, "re");
    int r = f ? buf_printf(out, "#!risk=%s\n", risk) : -errno;
    for (size_t n; r == 0 && (n = fread(piece, 1, sizeof(piece), f)) > 0;)
        r = buf_append(out, span_from(piece, n));
    if (r == 0 && ferror(f))
        r = -EIO;
    if (f)
        fclose(f);
    return r;
}

/* As told, or as the file is called, else A1-h. */
static void find_risk(const struct options *o, const struct setup *s, char *ret_risk, size_t size)
{
    if (o->risk) {
        snprintf(ret_risk, size, "%s", o->risk);
    } else if (o->list) {
        const char *slash = strrchr(o->list, '/'), *name = slash ? slash + 1 : o->list;
        struct span stem = span_from(name, strcspn(name, "."));
        if (ruleset_find_risk(s->rules, stem))
            snprintf(ret_risk, size, "%.*s", SPAN_ARG(stem));
    }
}

/* Messages name the file that was given, and its lines. That words are there already is no news. */
static void print_messages(const struct options *o, const struct buf *messages)
{
    struct buf out = BUF_INIT(4u << 20);
    struct span rest = buf_span(messages), line;
    while (span_split(&rest, '\n', &line)) {
        size_t at = span_find(line, SPAN_LIT(TRIED_WORDS_FILE ":"));
        if (span_find(line, SPAN_LIT(" is the same as ")) < line.len)
            continue;
        if (at == line.len) {
            buf_printf(&out, "%.*s\n", SPAN_ARG(line));
            continue;
        }
        struct span number = span_slice(line, at + strlen(TRIED_WORDS_FILE ":"), line.len);
        unsigned long n = strtoul(number.data, NULL, 10);
        size_t digits = span_find(number, SPAN_LIT(":"));
        buf_printf(&out, "%s:%lu%.*s\n", o->list ? o->list : "word", n ? n - 1 : 0,
                   SPAN_ARG(span_slice(number, digits, number.len)));
    }
    setup_print_messages(stderr, &out);
    buf_deinit(&out);
}

/* The working copy with what is tried in it. 0 or CLI_BAD after messages. */
static int load_after(const struct options *o, const struct setup *s, struct ruleset **ret_set)
{
    struct rule_report report = RULE_REPORT_INIT;
    struct buf text = BUF_INIT(64u << 20);
    enum tried_kind kind = o->allow ? TRIED_PHRASES : TRIED_WORDS;
    char risk[64] = "A1-h";
    find_risk(o, s, risk, sizeof(risk));
    int r = o->list ? read_list(o->list, risk, &text) : list_words(o, kind, risk, &text);
    if (r < 0)
        fprintf(stderr, "juyong rules try: %s: %s\n", o->list ? o->list : "words", strerror(-r));
    if (r == 0) {
        r = tried_load(s->config->rules_dir, kind, buf_span(&text), &report, ret_set);
        print_messages(o, &report.text);
    }
    buf_deinit(&report.text);
    buf_deinit(&text);
    return r < 0 ? CLI_BAD : CLI_GOOD;
}

/* ---- what is told ---- */

static void print_effect(struct buf *out, const struct trial_effect *e)
{
    buf_append(out, span_str(action_name(e->action)));
    if (e->rule)
        buf_printf(out, " (%.*s %.*s)", SPAN_ARG(e->rule->id), SPAN_ARG(e->rule->source));
}

static void print_change(struct view *v, const struct trial_change *c)
{
    char when[CLOCK_TEXT_SIZE] = "";
    if (c->time_us)
        clock_format(c->time_us, when);
    printf("  %.*s%s%.19s  %s  ", SPAN_ARG(c->where), c->time_us ? "  " : "", when,
           direction_name(c->direction));
    buf_clear(&v->out);
    print_effect(&v->out, &c->before);
    buf_append(&v->out, SPAN_LIT(" → "));
    print_effect(&v->out, &c->after);
    logview_text(stdout, buf_span(&v->out));
    printf("\n    ");
    logview_text(stdout, span_slice(c->text, 0, c->text.len < 600 ? c->text.len : 600));
    printf("\n");
}

static void json_effect(struct buf *out, const char *key, const struct trial_effect *e)
{
    buf_printf(out, ",\"%s\":{", key);
    setup_json(out, "action", span_str(action_name(e->action)));
    if (e->rule) {
        setup_json(out, "rule", e->rule->id);
        setup_json(out, "text", e->rule->source);
    }
    buf_append_char(out, '}');
}

static void on_change(void *ctx, const struct trial_change *c)
{
    struct view *v = ctx;
    if (!v->o->all && v->told >= CHANGES_TOLD) {
        v->untold++;
        return;
    }
    v->told++;
    if (!v->o->common.json) {
        print_change(v, c);
        return;
    }
    buf_clear(&v->out);
    buf_append_char(&v->out, '{');
    setup_json(&v->out, c->time_us ? "request_id" : "text_at", c->where);
    setup_json(&v->out, "direction", span_str(direction_name(c->direction)));
    json_effect(&v->out, "before", &c->before);
    json_effect(&v->out, "after", &c->after);
    setup_json(&v->out, "text", c->text);
    buf_append(&v->out, SPAN_LIT("}\n"));
    setup_write(stdout, &v->out);
}

/* `log` for what the log says besides; NULL for files. */
static void print_counts(struct view *v, const char *what, const struct trial_counts *n,
                         const struct trial_log *log)
{
    if (v->o->common.json) {
        printf("{\"source\":\"");
        buf_clear(&v->out);
        json_escape(&v->out, span_str(what));
        setup_write(stdout, &v->out);
        printf("\",\"texts\":%zu,\"heavier\":%zu,\"lighter\":%zu,\"by_another_rule\":%zu,"
               "\"unjudged\":%zu",
               n->texts, n->heavier, n->lighter, n->moved, n->failed);
        for (int side = 0; side < 2; side++) {
            printf(",\"%s\":{", side ? "after" : "before");
            for (int a = 0; a < ACTION_COUNT; a++)
                printf("%s\"%s\":%zu", a ? "," : "", action_name((enum action)a),
                       (side ? n->after : n->before)[a]);
            printf("}");
        }
        if (log)
            printf(",\"requests\":%zu,\"requests_changed\":%zu,\"requests_without_text\":%zu",
                   log->requests, log->changed, log->without);
        printf("}\n");
    } else {
        if (v->untold)
            printf("  and %zu more; --all tells them\n", v->untold);
        printf("%s: %zu texts, %zu would meet more, %zu less", what, n->texts, n->heavier,
               n->lighter);
        for (int a = ACTION_FLAG; a < ACTION_COUNT; a++)
            if (n->before[a] || n->after[a])
                printf(" · %s %zu → %zu", action_name((enum action)a), n->before[a], n->after[a]);
        if (n->failed)
            printf(" · %zu can't be judged", n->failed);
        printf("\n");
    }
    v->told = v->untold = 0;
}

/* ---- the run ---- */

static int try_log(struct trial *t, struct view *v)
{
    struct trial_log log;
    char what[64];
    uint64_t now = clock_wall_us(), span = v->o->days * DAY_US;
    struct trial_window window = {.since_us = now > span ? now - span : 0};
    int r = trial_logged(t, &window, &log);
    if (r < 0) {
        fprintf(stderr, "juyong rules try: the log can't be read: %s\n", strerror(-r));
        return CLI_BAD;
    }
    struct trial_counts n = trial_take_counts(t);
    snprintf(what, sizeof(what), "the log of %u days", v->o->days);
    print_counts(v, what, &n, &log);
    if (!v->o->common.json)
        printf("that is %zu of %zu requests\n", log.changed, log.requests);
    if (log.without)
        fprintf(stderr,
                "of %zu requests %zu can't be asked: the log keeps text of what was intercepted or "
                "flagged, only around the match, and of samples\n",
                log.requests, log.without);
    return CLI_GOOD;
}

static int try_benign(struct trial *t, struct view *v, const struct ruleset *rules)
{
    char where[4200];
    for (size_t i = 0; i < ruleset_benign_count(rules); i++) {
        struct place at;
        struct span text = ruleset_benign(rules, i, &at);
        snprintf(where, sizeof(where), "%.*s:%u", (int)(at.file.len < 4096 ? at.file.len : 4096),
                 at.file.data, at.line);
        struct trial_change change = {
            .where = span_str(where), .direction = v->o->direction, .text = text};
        if (trial_text(t, &change) < 0)
            return CLI_BAD;
    }
    struct trial_counts n = trial_take_counts(t);
    print_counts(v, "the ordinary texts of benign/", &n, NULL);
    return CLI_GOOD;
}

static int try_files(struct trial *t, struct view *v)
{
    int result = CLI_GOOD;
    for (size_t i = 0; i < v->o->text_count; i++) {
        size_t line;
        int r = trial_file(t, span_str(v->o->texts[i]), v->o->direction, &line);
        struct trial_counts n = trial_take_counts(t);
        if (r == -EILSEQ)
            fprintf(stderr, "%s:%zu: not UTF-8\n", v->o->texts[i], line);
        else if (r < 0)
            fprintf(stderr, "%s: %s\n", v->o->texts[i], strerror(-r));
        result = r < 0 ? CLI_BAD : result;
        print_counts(v, v->o->texts[i], &n, NULL);
    }
    return result;
}

static int run(const struct options *o, const struct setup *s, const struct ruleset *before,
               const struct ruleset *after)
{
    struct trial *t = NULL;
    struct view v = {.o = o, .out = BUF_INIT(1u << 20)};
    const struct config_app *app = coverage_app(s, o->app);
    if (!app)
        return CLI_BAD;
    int r = trial_new(s->config, app, before, after, on_change, &v, &t);
    if (r < 0) {
        fprintf(stderr, "juyong rules try: %s\n", strerror(-r));
        return CLI_BAD;
    }
    fprintf(stderr, "%.*s → %.*s\n", SPAN_ARG(ruleset_version(before)),
            SPAN_ARG(ruleset_version(after)));
    r = try_log(t, &v);
    int benign = try_benign(t, &v, after), files = try_files(t, &v);
    trial_free(t);
    buf_deinit(&v.out);
    return r ? r : benign ? benign : files;
}

/* The words against the working copy without them. */
static int try_words(const struct options *o, const struct setup *s)
{
    struct ruleset *after = NULL;
    int r = load_after(o, s, &after);
    size_t tried = 0;
    for (uint32_t i = 0; r == 0 && !o->allow && i < ruleset_count(after); i++)
        tried += tried_is_rule(ruleset_rule(after, i));
    if (r == 0 && !o->allow && tried == 0) {
        fputs("juyong rules try: the library has all of these words\n", stderr);
        r = CLI_BAD;
    }
    if (r == 0)
        r = run(o, s, s->rules, after);
    ruleset_unref(after);
    return r;
}

/* What is being edited against what is in force. */
static int try_working_copy(const struct options *o, const struct setup *s)
{
    struct rule_report report = RULE_REPORT_INIT;
    struct ruleset *before = NULL;
    int r = publish_peek(s->config->state_dir, s->config->rules_dir, &report, &before);
    if (r == -ENOENT)
        fputs("juyong rules try: nothing is published to compare with; try a word or a file\n",
              stderr);
    else if (r < 0)
        setup_print_messages(stderr, &report.text);
    buf_deinit(&report.text);
    if (r < 0)
        return CLI_BAD;
    r = run(o, s, before, s->rules);
    ruleset_unref(before);
    return r;
}

int rules_try(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"allow", 'w', "PHRASE", 0, "A phrase that would save what stands in it; may be repeated",
         0},
        {"file", 'f', "KEYWORDS", 0, "A keyword file to try, in place of words", 0},
        {"risk", 'r', "ID", 0, "The risk type of what is tried; A1-h unless told", 0},
        {"text", 't', "FILE", 0, "Besides, each line of this file is a text; - for stdin", 0},
        {"days", 'd', "N", 0, "The log of how many days; 30 unless told", 0},
        {"direction", 'D', "D", 0, "prompt (default) or completion, for texts of files", 0},
        {"app", 'a', "NAME", 0, "Whose policy decides where the log names none", 0},
        {"all", 'A', NULL, 0, "Tell every text that would be met otherwise", 0},
        {0},
    };
    static const struct argp_child children[] = {{&rules_common_argp, 0, NULL, 0}, {0}};
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .children = children,
        .args_doc = "[WORD...]",
        .doc = "Try words, a keyword file, or the library as it is being edited on logged traffic, "
               "on the ordinary texts of benign/ and on any file, before it is published: what "
               "would have been met, and what changes against the version in force.\n"
               "发布前试用：词条、词表文件或编辑中的规则库，对照日志、日常文本和任意文本文件。",
    };
    struct options o = {.days = 30, .direction = DIRECTION_PROMPT};
    struct setup s;
    if (argp_parse(&argp, argc, argv, 0, NULL, &o) != 0)
        return CLI_USAGE;
    int r = setup_load(span_str(o.common.file), true, &s);
    if (r)
        return r;
    r = o.word_count || o.list ? try_words(&o, &s) : try_working_copy(&o, &s);
    setup_deinit(&s);
    return r;
}
