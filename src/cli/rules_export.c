/* `juyong rules export`: the catalogue of intercepted keywords, and the proof that they are. */
#include "base/clock.h"
#include "cli/coverage.h"
#include "cli/rules.h"
#include "filing/filed.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct options {
    struct rules_common common;
    const char *output, *format, *app;
    bool verify;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &o->common;
        return 0;
    case 'o':
        o->output = arg;
        return 0;
    case 'f':
        o->format = arg;
        return 0;
    case 'a':
        o->app = arg;
        return 0;
    case 'v':
        o->verify = true;
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "unexpected argument '%s'", arg);
        return EINVAL;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* By name, else by the file's ending. False after a message. */
static bool choose_format(const struct options *o, enum keywordlist_format *ret)
{
    static const struct {
        const char *name;
        enum keywordlist_format format;
    } formats[] = {
        {"xlsx", KEYWORDLIST_XLSX}, {"csv", KEYWORDLIST_CSV}, {"jsonl", KEYWORDLIST_JSONL}};
    const char *dot = o->output ? strrchr(o->output, '.') : NULL;
    const char *name = o->format ? o->format : dot ? dot + 1 : "";
    for (size_t i = 0; i < 3; i++) {
        if (strcmp(name, formats[i].name) != 0)
            continue;
        *ret = formats[i].format;
        if (*ret != KEYWORDLIST_XLSX || o->output)
            return true;
        fputs("juyong rules export: a workbook needs a file: --output annex4.xlsx\n", stderr);
        return false;
    }
    fprintf(stderr,
            "juyong rules export: which format? --format xlsx, csv or jsonl, or a file that ends "
            "in one of them\n");
    return false;
}

static int verify(const struct library *l, const struct config_app *app, int64_t now)
{
    struct buf misses = BUF_INIT(16u << 20);
    int n = keywordlist_verify(l, app, now, &misses);
    setup_print_messages(stderr, &misses);
    buf_deinit(&misses);
    if (n < 0) {
        fprintf(stderr, "juyong rules export: not verified: %s\n", strerror(-n));
        return CLI_BAD;
    }
    unsigned sent = l->total + l->repeated;
    fprintf(stderr, "verified with version %.*s: %u of %u counted keywords are intercepted\n",
            SPAN_ARG(ruleset_version(l->rules)), sent - (unsigned)n, sent);
    return n ? CLI_BAD : CLI_GOOD;
}

static int write_list(const struct options *o, const struct setup *s, const struct library *l,
                      const struct filed *filed, enum keywordlist_format format, int64_t now)
{
    struct buf error = BUF_INIT(65536);
    struct keywordlist k = {
        .library = l,
        .version = ruleset_version(s->rules),
        .digest = ruleset_digest(s->rules),
        .filed = &filed->list,
        .provider = s->config->service.provider,
        .now = now,
    };
    struct span path = o->output ? span_str(o->output) : SPAN_LIT("");
    int r = keywordlist_write(&k, format, path, &error);
    if (r < 0)
        fprintf(stderr, "juyong rules export: %s\n", buf_cstr(&error));
    else if (o->output)
        fprintf(stderr, "%s: %u keywords that count, of %zu rules\n", o->output, l->total,
                l->count);
    buf_deinit(&error);
    return r < 0 ? CLI_BAD : CLI_GOOD;
}

/* The version in force and the one that the authority has. */
static int compare(const struct setup *s, const struct library *l, const struct config_app *app,
                   int64_t now, struct filed *ret)
{
    struct buf messages = BUF_INIT(65536);
    int r = filed_read(s->config->state_dir, l, app, now, &messages, ret);
    setup_print_messages(stderr, &messages);
    buf_deinit(&messages);
    if (r < 0)
        fprintf(stderr, "juyong rules export: the version filed last can't be read: %s\n",
                strerror(-r));
    else if (ret->list.version.len == 0)
        fprintf(stderr, "no version was noted as filed yet (juyong rules filed)\n");
    else
        fprintf(stderr, "since %.*s was filed: %zu counted keywords added, %zu removed\n",
                SPAN_ARG(ret->list.version), ret->list.added_count, ret->list.removed_count);
    return r < 0 ? CLI_BAD : CLI_GOOD;
}

static int export(const struct options *o, const struct setup *s)
{
    enum keywordlist_format format = KEYWORDLIST_XLSX;
    bool writes = o->output || o->format;
    const struct config_app *app = coverage_app(s, o->app);
    struct library library;
    if (!app || (writes && !choose_format(o, &format)))
        return app ? CLI_USAGE : CLI_BAD;
    int64_t now = clock_wall_s();
    int r = library_read(s->rules, app, now, &library);
    if (r < 0) {
        fprintf(stderr, "juyong rules export: %s\n", strerror(-r));
        return CLI_BAD;
    }
    r = CLI_GOOD;
    if (o->verify)
        r = verify(&library, app, now);
    /* What is not proven is not handed in. */
    struct filed filed = {0};
    if (r == CLI_GOOD)
        r = compare(s, &library, app, now, &filed);
    if (r == CLI_GOOD && writes)
        r = write_list(o, s, &library, &filed, format, now);
    filed_free(&filed);
    library_free(&library);
    return r;
}

int rules_export(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"output", 'o', "FILE", 0, "Where to; CSV and JSON lines go to stdout without it", 0},
        {"format", 'f', "FORMAT", 0, "xlsx, csv or jsonl; else as the file's name ends", 0},
        {"app", 'a', "NAME", 0, "Whose policy says what intercepts; default unless told", 0},
        {"verify", 'v', NULL, 0,
         "Send each counted keyword through the engine first; nothing is written when one passes",
         0},
        {0},
    };
    static const struct argp_child children[] = {{&rules_common_argp, 0, NULL, 0}, {0}};
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .children = children,
        .doc = "Write the catalogue of intercepted keywords (annex 4): what counts on the first "
               "sheet, everything else on sheets of its own.\n"
               "导出拦截关键词列表（附件4）：计入数量的词在第一张表，其余各列一表。",
    };
    struct options o = {0};
    struct setup s;
    if (argp_parse(&argp, argc, argv, 0, NULL, &o) != 0)
        return CLI_USAGE;
    if (!o.output && !o.format && !o.verify) {
        fputs("juyong rules export: --output FILE, --format FORMAT or --verify\n", stderr);
        return CLI_USAGE;
    }
    int r = setup_load_published(span_str(o.common.file), &s);
    if (r)
        return r;
    r = export(&o, &s);
    setup_deinit(&s);
    return r;
}
