/* `juyong filing questions import`: question banks as others keep them. */
#include "cli/questions.h"

#include "base/file.h"
#include "question/bankimport.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OUT_MAX BANK_FILE_MAX
#define LISTED  20 /* rows of each fate, unless all are asked for */

struct options {
    struct questions_common common;
    const char *input, *sheet, *output;
    bool dry, replace, verbose;
    char path[PATH_MAX];
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &o->common;
        return 0;
    case 's':
        o->sheet = arg;
        return 0;
    case 'o':
        o->output = arg;
        return 0;
    case 'd':
        o->dry = true;
        return 0;
    case 'R':
        o->replace = true;
        return 0;
    case 'v':
        o->verbose = true;
        return 0;
    case ARGP_KEY_ARG:
        if (o->input)
            argp_error(state, "one FILE at a time");
        o->input = arg;
        return 0;
    case ARGP_KEY_END:
        if (!o->input)
            argp_error(state, "FILE is needed");
        if (o->common.kinds & (o->common.kinds - 1))
            argp_error(state, "one --bank at a time");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* ---- the report ---- */

static void json_sheet(const struct bankimport_sheet *s, struct buf *out)
{
    buf_append_char(out, '{');
    setup_json(out, "sheet", s->name);
    if (s->kind != BANK_KINDS)
        setup_json(out, "bank", span_str(bank_kind_name(s->kind)));
    buf_printf(out, ",\"read\":%s,\"rows\":%zu", s->why.len || !s->header ? "false" : "true",
               s->rows);
    if (s->why.len)
        setup_json(out, "why", s->why);
    else
        buf_printf(out, ",\"header\":%u,\"before\":%zu,\"inherited\":%zu", s->header, s->before,
                   s->inherited);
    if (s->columns.len)
        setup_json(out, "columns", s->columns);
    buf_append(out, SPAN_LIT("}\n"));
}

static void json_row(const struct bankimport *im, const struct bankimport_row *n, struct buf *out)
{
    struct buf at = BUF_INIT(65536);
    table_place(bankimport_table(im), n->row, &at);
    buf_append_char(out, '{');
    setup_json(out, "at", buf_span(&at));
    setup_json(out, "fate", span_str(bankimport_fate_name(n->fate)));
    setup_json(out, "why", n->why);
    buf_append(out, SPAN_LIT("}\n"));
    buf_deinit(&at);
}

static void json_report(const struct options *o, const struct bankimport *im, struct buf *out)
{
    for (size_t i = 0; i < bankimport_sheet_count(im); i++)
        json_sheet(bankimport_sheet_at(im, i), out);
    for (size_t i = 0; i < bankimport_row_count(im); i++)
        if (bankimport_row_at(im, i)->fate != BANKIMPORT_TAKEN)
            json_row(im, bankimport_row_at(im, i), out);
    size_t taken = bankimport_count(im, BANKIMPORT_TAKEN);
    buf_append_char(out, '{');
    setup_json(out, "file", span_str(o->path));
    buf_printf(out, ",\"written\":%s,\"taken\":%zu,\"repeated\":%zu,\"refused\":%zu}\n",
               o->dry || !taken ? "false" : "true", taken,
               bankimport_count(im, BANKIMPORT_REPEATED), bankimport_count(im, BANKIMPORT_REFUSED));
}

static void print_sheet(const struct bankimport_sheet *s, struct buf *out)
{
    if (s->name.len)
        buf_printf(out, "sheet %.*s: ", SPAN_ARG(s->name));
    if (s->why.len)
        buf_printf(out, "not read, %zu rows · 未读取: %.*s\n", s->rows, SPAN_ARG(s->why));
    else if (!s->header)
        buf_append(out, SPAN_LIT("empty · 空表\n"));
    else {
        buf_printf(out, "%s, titles in row %u, %zu rows",
                   s->kind == BANK_KINDS ? "bank by column" : bank_kind_title(s->kind), s->header,
                   s->rows);
        if (s->before)
            buf_printf(out, ", %zu before the titles left out", s->before);
        if (s->inherited)
            buf_printf(out, ", %zu of the class of the row above (merged cells)", s->inherited);
        buf_printf(out, "\n  %.*s\n", SPAN_ARG(s->columns));
    }
}

static void print_rows(const struct options *o, const struct bankimport *im,
                       enum bankimport_fate fate, const char *title, struct buf *out)
{
    size_t count = bankimport_count(im, fate), told = 0;
    if (count)
        buf_printf(out, "%7zu %s\n", count, title);
    for (size_t i = 0; i < bankimport_row_count(im) && (o->verbose || told < LISTED); i++) {
        const struct bankimport_row *n = bankimport_row_at(im, i);
        if (n->fate != fate)
            continue;
        buf_append(out, SPAN_LIT("    "));
        table_place(bankimport_table(im), n->row, out);
        buf_printf(out, ": %.*s\n", SPAN_ARG(n->why));
        told++;
    }
    if (told < count)
        buf_printf(out, "    ... %zu more: --verbose or --json lists all\n", count - told);
}

static void text_report(const struct options *o, const struct bankimport *im, struct buf *out)
{
    size_t taken = bankimport_count(im, BANKIMPORT_TAKEN);
    for (size_t i = 0; i < bankimport_sheet_count(im); i++)
        print_sheet(bankimport_sheet_at(im, i), out);
    print_rows(o, im, BANKIMPORT_REPEATED, "there already, left out · 重复，未导入", out);
    print_rows(o, im, BANKIMPORT_REFUSED, "refused, left out · 有误，未导入", out);
    buf_printf(out, "%7zu imported · 导入\n", taken);
    if (!taken)
        buf_append(out, SPAN_LIT("nothing is written\n"));
    else
        buf_printf(out, "%s%s\n",
                   o->dry ? "nothing is written; it would be " : "written: ", o->path);
}

/* ---- the file ---- */

/* False after a message. */
static bool name_output(struct options *o, const struct setup *s)
{
    char name[80];
    int n;
    bankimport_name(span_str(o->input), name);
    if (o->output)
        n = snprintf(o->path, sizeof(o->path), "%s", o->output);
    else
        n = snprintf(o->path, sizeof(o->path), "%.*s/" BANK_FOLDER "/%s.jsonl",
                     SPAN_ARG(s->config->rules_dir), name);
    if (n >= (int)sizeof(o->path) - 8) {
        fprintf(stderr, "juyong filing questions import: the file's name is too long\n");
        return false;
    }
    if (!banks_is_target(s, "juyong filing questions import", o->path))
        return false;
    if (o->replace || o->dry || access(o->path, F_OK) != 0)
        return true;
    fprintf(stderr,
            "juyong filing questions import: %s is there already: --replace, or another name by "
            "-o\n",
            o->path);
    return false;
}

static int make_folder(const struct options *o, const struct setup *s)
{
    char folder[PATH_MAX];
    if (o->output)
        return 0;
    if (snprintf(folder, sizeof(folder), "%.*s/" BANK_FOLDER, SPAN_ARG(s->config->rules_dir)) >=
        (int)sizeof(folder))
        return -ENAMETOOLONG;
    return file_make_dir(folder, 0755);
}

/* Only what reads back as a bank is written: whole, or not at all. */
static int write_bank(const struct options *o, const struct setup *s, const struct bankimport *im)
{
    struct buf out = BUF_INIT(OUT_MAX), messages = BUF_INIT(1u << 20);
    struct bank *read_back = NULL;
    int r = bankimport_write(im, &out);
    if (r == 0)
        r = bank_read_text(buf_span(&out), span_str(o->path), s->rules, &messages, &read_back);
    bank_free(read_back);
    if (r == 0)
        r = make_folder(o, s);
    if (r == 0)
        r = banks_write(o->path, buf_span(&out));
    setup_print_messages(stderr, &messages);
    if (r < 0)
        fprintf(stderr, "juyong filing questions import: %s: %s\n", o->path,
                r == -EMSGSIZE ? "more than 64 MiB would be written: import it in parts"
                               : strerror(-r));
    buf_deinit(&out);
    buf_deinit(&messages);
    return r;
}

/* The file of the bank that is going to be replaced, as the bank's places name it; else empty. */
static struct span find_replaced(const struct options *o, const struct bank *b)
{
    struct stat st;
    if (!o->replace || stat(o->path, &st) < 0)
        return SPAN_LIT("");
    struct span file = SPAN_LIT("");
    for (size_t i = 0; i < bank_count(b); i++) {
        if (bank_at(b, i)->place.file.data == file.data)
            continue; /* one text names all of a file */
        file = bank_at(b, i)->place.file;
        if (banks_is_file(file, &st))
            return file;
    }
    return SPAN_LIT("");
}

static int import(struct options *o, const struct setup *s, const struct bank *b)
{
    struct buf messages = BUF_INIT(1u << 20), out = BUF_INIT(1u << 30);
    struct bankimport *im = NULL;
    struct bankimport_request q = {
        .path = span_str(o->input),
        .sheet = span_str(o->sheet),
        .kind = o->common.kinds ? (enum bank_kind)__builtin_ctz(o->common.kinds) : BANK_KINDS,
        .type = span_str(o->common.risk),
        .rules = s->rules,
        .bank = b,
        .replaced = find_replaced(o, b),
    };
    int r = bankimport_open(&q, &messages, &im);
    setup_print_messages(stderr, &messages);
    buf_deinit(&messages);
    if (r < 0) {
        if (r != -EINVAL)
            fprintf(stderr, "juyong filing questions import: %s\n", strerror(-r));
        return CLI_BAD;
    }
    size_t taken = bankimport_count(im, BANKIMPORT_TAKEN);
    if (taken && !o->dry)
        r = write_bank(o, s, im);
    if (r == 0 && o->common.json)
        json_report(o, im, &out);
    else if (r == 0)
        text_report(o, im, &out);
    bool written = r == 0 && setup_show(stdout, &out);
    bool vain = !taken && bankimport_count(im, BANKIMPORT_REFUSED);
    buf_deinit(&out);
    bankimport_free(im);
    return written && !vain ? CLI_GOOD : CLI_BAD;
}

int questions_import(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"sheet", 's', "NAME", 0, "The only sheet of a workbook to read", 0},
        {"output", 'o', "FILE", 0, "Where to write; rules/questions/imported-….jsonl unless told",
         0},
        {"replace", 'R', NULL, 0, "Replace such a file that is there", 0},
        {"dry-run", 'd', NULL, 0, "Report, and write nothing", 0},
        {"verbose", 'v', NULL, 0, "List every row that is left out", 0},
        {0},
    };
    static const struct argp_child children[] = {{&questions_argp, 0, NULL, 0}, {0}};
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .args_doc = "FILE",
        .children = children,
        .doc =
            "Import a question bank in the layout of annex 5: XLSX, CSV, TSV or JSON lines, with "
            "columns such as 测试题, 一级分类, 二级分类; answers and judgements are left out. "
            "Sheets are known by their names (生成内容测试题库, 应拒答, 非拒答), or --bank says "
            "which; --risk is the type of rows that name none.\n"
            "导入附件5格式的测试题集；按表名或 --bank 判断题库，重复与有误的行逐条报告。",
    };
    struct options o = {0};
    struct setup s;
    struct bank *b = NULL;
    if (argp_parse(&argp, argc, argv, 0, NULL, &o) != 0)
        return CLI_USAGE;
    int r = questions_load(&o.common, &s, &b);
    if (r)
        return r;
    r = name_output(&o, &s) ? import(&o, &s, b) : CLI_BAD;
    bank_free(b);
    setup_deinit(&s);
    return r;
}
