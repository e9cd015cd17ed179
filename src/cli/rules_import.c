/* `juyong rules import` and `force`: other people's lists, judged word by word. */
#include "rules/import.h"

#include "audit/query.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "cli/rules.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#define LISTED       10    /* of each kind, unless all are asked for */
#define TRAFFIC_ROWS 10000 /* of the log, the newest */
#define MANY         256   /* uses of one option */

struct options {
    struct rules_common common;
    struct import_request request;
    struct span forced[MANY], benign[MANY];
    size_t benign_count;
    const char *why;
    bool dry, verbose;
};

static const char *const column_names[IMPORT_COLUMNS] = {"word", "category", "group", "action",
                                                         "note"};

static void set_column(struct options *o, char *arg, struct argp_state *state)
{
    struct span value = span_str(arg), key;
    if (span_split(&value, '=', &key) && value.len)
        for (int c = 0; c < IMPORT_COLUMNS; c++)
            if (span_eq(key, span_str(column_names[c]))) {
                o->request.columns[c] = value;
                return;
            }
    argp_error(state, "--column word|category|group|action|note=NAME or NUMBER");
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &o->common;
        o->request.forced = o->forced;
        return 0;
    case 'n':
        o->request.list = span_str(arg);
        return 0;
    case 'm':
        o->request.map = span_str(arg);
        return 0;
    case 'k':
        set_column(o, arg, state);
        return 0;
    case 't':
        o->request.format = table_format_from(span_str(arg));
        if (o->request.format == TABLE_ANY)
            argp_error(state, "--format is text, csv, tsv, jsonl or xlsx");
        return 0;
    case 's':
        o->request.sheet = span_str(arg);
        return 0;
    case 'b':
        if (o->benign_count == MANY)
            argp_error(state, "too many --benign");
        o->benign[o->benign_count++] = span_str(arg);
        return 0;
    case 'f':
        if (o->request.forced_count == MANY)
            argp_error(state, "too many --force");
        o->forced[o->request.forced_count++] = span_str(arg);
        return 0;
    case 'd':
        o->dry = true;
        return 0;
    case 'v':
        o->verbose = true;
        return 0;
    case ARGP_KEY_ARG:
        if (o->request.file.len)
            argp_error(state, "only one FILE");
        o->request.file = span_str(arg);
        return 0;
    case ARGP_KEY_END:
        if (!o->request.file.len)
            argp_error(state, "FILE is needed");
        if (!o->request.list.len)
            argp_error(state, "--name LIST is needed");
        if (o->common.risk && o->request.map.len)
            argp_error(state, "either --risk or --map");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* ---- the log ---- */

/* What was flagged went through: everyday traffic. What was refused tells nothing. */
static int add_row(struct import *im, const struct query_row *row)
{
    int r = 0;
    for (size_t i = 0; i < row->hit_count && r == 0; i++)
        if (row->hits[i].has_text && row->hits[i].context.len)
            r = import_add_traffic(im, row->hits[i].context);
    return r;
}

/* A log that is not there, or can't be read, is no reason against an import. */
static int add_traffic(struct import *im, struct span state_dir)
{
    char dir[PATH_MAX];
    struct query *q = NULL;
    const struct query_row *row;
    struct query_filter f = {.limit = TRAFFIC_ROWS, .actions = 1u << ACTION_FLAG};
    if (snprintf(dir, sizeof(dir), "%.*s/log", SPAN_ARG(state_dir)) >= (int)sizeof(dir))
        return 0;
    int r = query_open(span_str(dir), &f, &q), e = 0;
    while (e == 0 && r >= 0 && (r = query_next(q, &row)) == 1)
        e = add_row(im, row);
    query_close(q);
    if (r < 0 && r != -ENOENT)
        fprintf(stderr, "juyong rules import: the log in %s is not considered: %s\n", dir,
                strerror(-r));
    return e;
}

/* ---- the report ---- */

static void place_of(const struct import *im, const struct import_word *w, struct buf *out)
{
    const struct table *t = import_table(im);
    table_place(t, &t->rows[w->row], out);
}

static void json_word(const struct import *im, const struct import_word *w, struct buf *out)
{
    struct buf place = BUF_INIT(1u << 16);
    place_of(im, w, &place);
    buf_append_char(out, '{');
    setup_json(out, "word", w->word);
    setup_json(out, "at", buf_span(&place));
    if (w->risk)
        setup_json(out, "risk", w->risk->id);
    setup_json(out, "fate", span_str(import_fate_name(w->fate)));
    if (w->reason) {
        setup_json(out, "reason", span_str(import_reason_name(w->reason)));
        setup_json(out, "why", w->why);
    }
    if (w->shadow.len)
        setup_json(out, "shadow", w->shadow);
    buf_append(out, SPAN_LIT("}\n"));
    buf_deinit(&place);
}

static void json_report(const struct import *im, bool dry, struct buf *out)
{
    const struct import_counts *n = import_get_counts(im);
    for (size_t i = 0; i < import_count(im); i++) {
        const struct import_word *w = import_get(im, i);
        if (w->fate != IMPORT_KEPT || w->shadow.len)
            json_word(im, w, out);
    }
    buf_append_char(out, '{');
    setup_json(out, "file", import_path(im));
    setup_json(out, "encoding", span_str(table_encoding_name(import_table(im)->encoding)));
    setup_json(out, "format", span_str(table_format_name(import_table(im)->format)));
    buf_printf(out, ",\"written\":%s,\"rows\":%zu,\"skipped\":%zu,\"categories\":%zu",
               dry ? "false" : "true", n->rows, n->skipped, n->categories);
    for (int f = 0; f < IMPORT_FATES; f++)
        buf_printf(out, ",\"%s\":%zu", import_fate_name(f), n->fates[f]);
    buf_append(out, SPAN_LIT(",\"reasons\":{"));
    for (int i = IMPORT_SINGLE; i < IMPORT_REASONS; i++)
        buf_printf(out, "%s\"%s\":%zu", i > IMPORT_SINGLE ? "," : "", import_reason_name(i),
                   n->reasons[i]);
    buf_printf(out, "},\"shadowed\":%zu,\"samples\":%zu}\n", n->shadowed, n->samples);
}

/* One heading of the report, and which words stand under it. */
struct section {
    const char *title, *title_zh;
    enum import_fate fate;
    enum import_reason reason; /* of the quarantined */
    bool shadow;
};

static bool belongs(const struct section *s, const struct import_word *w)
{
    if (s->shadow)
        return w->shadow.len > 0;
    return w->fate == s->fate && (s->fate != IMPORT_QUARANTINED || w->reason == s->reason);
}

static void section_word(const struct import *im, const struct section *s,
                         const struct import_word *w, struct buf *out)
{
    struct buf line = BUF_INIT(1u << 16);
    place_of(im, w, &line);
    buf_printf(&line, ": %.*s", SPAN_ARG(w->word));
    if (s->shadow)
        buf_printf(&line, ": within it already hits %.*s", SPAN_ARG(w->shadow));
    else if (w->why.len)
        buf_printf(&line, ": %.*s", SPAN_ARG(w->why));
    buf_append(out, SPAN_LIT("    "));
    for (size_t i = 0; i < line.len; i++) {
        bool control = (unsigned char)line.data[i] < ' ' || line.data[i] == 0x7F;
        buf_append_char(out, control ? ' ' : line.data[i]);
    }
    buf_append_char(out, '\n');
    buf_deinit(&line);
}

static void print_section(const struct import *im, const struct section *s, size_t count,
                          bool verbose, struct buf *out)
{
    if (count == 0)
        return;
    buf_printf(out, "%7zu %s · %s\n", count, s->title, s->title_zh);
    size_t told = 0;
    for (size_t i = 0; i < import_count(im) && (verbose || told < LISTED); i++) {
        const struct import_word *w = import_get(im, i);
        if (!belongs(s, w))
            continue;
        section_word(im, s, w, out);
        told++;
    }
    if (told < count)
        buf_printf(out, "    ... %zu more: --verbose or --json lists all\n", count - told);
}

static void text_report(const struct import *im, const struct options *o, struct buf *out)
{
    static const struct section sections[] = {
        {"repeated in the file, left out", "文件内重复，未导入", IMPORT_REPEATED, 0, false},
        {"in the library already, left out", "词库已有，未导入", IMPORT_KNOWN, 0, false},
        {"empty, left out", "空，未导入", IMPORT_EMPTY, 0, false},
        {"too long, left out", "过长，未导入", IMPORT_TOO_LONG, 0, false},
        {"quarantined: one character", "单字，隔离", IMPORT_QUARANTINED, IMPORT_SINGLE, false},
        {"quarantined: short", "过短，隔离", IMPORT_QUARANTINED, IMPORT_SHORT, false},
        {"quarantined: everyday words", "常用词，隔离", IMPORT_QUARANTINED, IMPORT_COMMON, false},
        {"quarantined: hit the library's ordinary texts", "命中自带的正常文本，隔离",
         IMPORT_QUARANTINED, IMPORT_BENIGN, false},
        {"quarantined: hit your ordinary texts", "命中您的正常文本，隔离", IMPORT_QUARANTINED,
         IMPORT_SAMPLE, false},
        {"quarantined: hit traffic that was let through", "命中已放行的流量，隔离",
         IMPORT_QUARANTINED, IMPORT_TRAFFIC, false},
        {"forced", "人工确认生效", IMPORT_FORCED, 0, false},
        {"add nothing to a shorter word, imported all the same", "已被更短的词覆盖，仍导入",
         IMPORT_KEPT, 0, true},
    };
    const struct import_counts *n = import_get_counts(im);
    buf_printf(out, "%7zu rows read (%s, %s), %zu skipped · 读取行数\n", n->rows,
               table_format_name(import_table(im)->format),
               table_encoding_name(import_table(im)->encoding), n->skipped);
    for (size_t i = 0; i < sizeof(sections) / sizeof(*sections); i++) {
        const struct section *s = &sections[i];
        size_t count = s->shadow                       ? n->shadowed
                       : s->fate == IMPORT_QUARANTINED ? n->reasons[s->reason]
                                                       : n->fates[s->fate];
        print_section(im, s, count, o->verbose, out);
    }
    buf_printf(out, "%7zu imported, %zu of them count; judged by %zu ordinary texts · 导入并生效\n",
               n->fates[IMPORT_KEPT] + n->fates[IMPORT_FORCED] + n->fates[IMPORT_QUARANTINED],
               n->fates[IMPORT_KEPT] + n->fates[IMPORT_FORCED], n->samples);
    buf_printf(out, "%s%.*s\n", o->dry ? "nothing is written; it would be " : "written: ",
               SPAN_ARG(import_path(im)));
}

/* ---- the commands ---- */

static int import(struct options *o, const struct config *config, struct buf *messages)
{
    char day[DAY_TEXT_SIZE];
    struct import *im = NULL;
    day_format(clock_wall_s() + 1, day);
    o->request.dir = config->rules_dir;
    o->request.day = span_str(day);
    o->request.risk = span_str(o->common.risk);
    int r = import_open(&o->request, &im, messages);
    for (size_t i = 0; i < o->benign_count && r == 0; i++)
        r = import_add_sample(im, o->benign[i], messages);
    if (r == 0)
        r = add_traffic(im, config->state_dir);
    if (r == 0)
        r = import_judge(im, messages);
    if (r == 0)
        r = import_write(im, o->dry, messages);
    if (r == 0) {
        struct buf out = BUF_INIT(1u << 30);
        if (o->common.json)
            json_report(im, o->dry, &out);
        else
            text_report(im, o, &out);
        r = setup_write(stdout, &out) ? 0 : -EIO;
        buf_deinit(&out);
    }
    if (im)
        import_free(im);
    return r;
}

static int finish(int r, const struct buf *messages)
{
    setup_print_messages(stderr, messages);
    if (r < 0 && messages->len == 0)
        fprintf(stderr, "juyong rules: %s\n", strerror(-r));
    return r < 0 ? CLI_BAD : CLI_GOOD;
}

int rules_import(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"name", 'n', "LIST", 0, "The list's name: it becomes keywords/LIST.txt", 0},
        {"map", 'm', "FILE", 0,
         "Which risk each category is: categories: {...: A1-f}, default:", 0},
        {"column", 'k', "KEY=NAME", 0,
         "Which column is the word, category, group, action or note: its header, its number, or "
         "none",
         0},
        {"format", 't', "FORMAT", 0, "text, csv, tsv, jsonl or xlsx; else as the file looks", 0},
        {"sheet", 's', "NAME", 0, "The only sheet of a workbook to read", 0},
        {"benign", 'b', "FILE", 0,
         "Your ordinary texts, one a line or row: a word that hits one is quarantined", 0},
        {"force", 'f', "WORD", 0, "Let this word count, everyday word or not", 0},
        {"dry-run", 'd', NULL, 0, "Report, and write nothing", 0},
        {"verbose", 'v', NULL, 0, "List every word that is left out, quarantined or shadowed", 0},
        {0},
    };
    static const struct argp_child children[] = {{&rules_risk_argp, 0, NULL, 0}, {0}};
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .args_doc = "FILE",
        .children = children,
        .doc = "Import a list of words: plain text, CSV, TSV, JSON lines or XLSX.\n"
               "导入词表：纯文本、CSV、TSV、JSON Lines 或 Excel。",
    };
    struct options *o = calloc(1, sizeof(*o));
    struct setup s;
    int r = o && argp_parse(&argp, argc, argv, 0, NULL, o) == 0 ? 0 : CLI_USAGE;
    if (r == 0)
        r = setup_load(span_str(o->common.file), false, &s);
    if (r == 0) {
        struct buf messages = BUF_INIT(4u << 20);
        r = finish(import(o, s.config, &messages), &messages);
        buf_deinit(&messages);
        setup_deinit(&s);
    }
    free(o);
    return r;
}

static error_t parse_force(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &o->common;
        return 0;
    case 'l':
        o->request.list = span_str(arg);
        return 0;
    case 'y':
        o->why = arg;
        return 0;
    case ARGP_KEY_ARG:
        if (o->request.forced_count == MANY)
            argp_error(state, "too many words");
        o->forced[o->request.forced_count++] = span_str(arg);
        return 0;
    case ARGP_KEY_END:
        if (!o->request.forced_count || !o->request.list.len || !o->why || !*o->why)
            argp_error(state, "WORD, --list LIST and --reason TEXT are needed");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int rules_force(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"list", 'l', "LIST", 0, "The imported list that has the words", 0},
        {"reason", 'y', "TEXT", 0, "Why they count: it stands beside them", 0},
        {0},
    };
    static const struct argp_child children[] = {{&rules_common_argp, 0, NULL, 0}, {0}};
    static const struct argp argp = {
        .options = options,
        .parser = parse_force,
        .args_doc = "WORD...",
        .children = children,
        .doc = "Let quarantined words of an imported list count.\n让被隔离的词生效。",
    };
    struct options *o = calloc(1, sizeof(*o));
    struct setup s;
    int r = o && argp_parse(&argp, argc, argv, 0, NULL, o) == 0 ? 0 : CLI_USAGE;
    if (r == 0)
        r = setup_load(span_str(o->common.file), false, &s);
    if (r == 0) {
        struct buf messages = BUF_INIT(4u << 20);
        r = finish(import_force(s.config->rules_dir, o->request.list, o->forced,
                                o->request.forced_count, span_str(o->why), &messages),
                   &messages);
        buf_deinit(&messages);
        setup_deinit(&s);
    }
    free(o);
    return r;
}
