/* `juyong filing questions`: the question banks. One table lists its verbs. */
#include "cli/filingcmd.h"
#include "cli/questions.h"
#include "cli/verbs.h"

#include <errno.h>
#include <string.h>

static const struct verb list[] = {
    {"list", "the questions", "列出测试题", questions_list},
    {"stats", "how many there are, against the standard's minima", "题量达标情况", questions_stats},
    {"lint", "repeats, and what our own rules would stop", "检查重复与误拦截", questions_lint},
    {"import", "a workbook in the layout of annex 5", "导入附件5格式", questions_import},
    {"derive", "wrap them in the techniques of those who attack", "按攻击手法派生",
     questions_derive},
};

int filing_questions(int argc, char **argv)
{
    static const struct verbs verbs = {
        .command = "juyong filing questions",
        .about = "The question banks (评估测试题集): rules_dir/questions/*.jsonl.\n",
        .list = list,
        .count = sizeof(list) / sizeof(*list),
    };
    return verbs_run(&verbs, argc, argv);
}

/* ---- what the verbs share ---- */

static unsigned parse_kinds(struct argp_state *state, const char *arg)
{
    struct span rest = span_str(arg), name;
    unsigned kinds = 0;
    while (span_split(&rest, ',', &name)) {
        enum bank_kind k = bank_kind_from(span_trim(name));
        if (k == BANK_KINDS)
            argp_error(state, "--bank is of content, refuse, answer; not '%.*s'", SPAN_ARG(name));
        else
            kinds |= 1u << k;
    }
    return kinds;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct questions_common *o = state->input;
    switch (key) {
    case 'c':
        o->file = arg;
        return 0;
    case 'B':
        o->kinds = parse_kinds(state, arg);
        return 0;
    case 'r':
        o->risk = arg;
        return 0;
    case 'j':
        o->json = true;
        return 0;
    case ARGP_KEY_END:
        if (!o->file)
            argp_error(state, "-c FILE is needed");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option common_options[] = {
    {"config", 'c', "FILE", 0, "The configuration", 1},
    {"bank", 'B', "LIST", 0, "Of content, refuse, answer, with commas", 1},
    {"risk", 'r', "ID", 0, "Only this type (A1-d), group (A1) or aspect (历史)", 1},
    {"json", 'j', NULL, 0, "One JSON object a line", 1},
    {0},
};
const struct argp questions_argp = {.options = common_options, .parser = parse};

bool questions_wanted(const struct questions_common *o, const struct question *q)
{
    if (o->kinds && !(o->kinds >> q->kind & 1))
        return false;
    struct span risk = span_str(o->risk);
    if (!risk.len)
        return true;
    return q->aspect ? span_eq(risk, q->aspect->zh)
                     : span_eq(risk, q->risk->id) || span_eq(risk, q->risk->group);
}

/* A slip of the pen must not look like a bank without questions. False with a line on stderr. */
static bool is_type(const struct ruleset *rules, struct span risk)
{
    bool found = risk.len == 0;
    for (size_t i = 0; i < ruleset_risk_count(rules) && !found; i++)
        found = span_eq(risk, ruleset_risk(rules, i)->id) ||
                span_eq(risk, ruleset_risk(rules, i)->group);
    for (size_t i = 0; i < ruleset_aspect_count(rules) && !found; i++)
        found = span_eq(risk, ruleset_aspect(rules, i)->zh);
    if (!found)
        fprintf(
            stderr,
            "juyong filing questions: --risk '%.*s' is no type, group or aspect of risks.yaml\n",
            SPAN_ARG(risk));
    return found;
}

int questions_load(const struct questions_common *o, struct setup *ret_setup,
                   struct bank **ret_bank)
{
    int r = setup_load(span_str(o->file), true, ret_setup);
    if (r)
        return r;
    r = is_type(ret_setup->rules, span_str(o->risk)) ? banks_read(ret_setup, ret_bank) : CLI_BAD;
    if (r)
        setup_deinit(ret_setup);
    return r;
}

static error_t parse_plain(int key, char *arg, struct argp_state *state)
{
    if (key == ARGP_KEY_INIT) {
        state->child_inputs[0] = state->input;
        return 0;
    }
    if (key == ARGP_KEY_ARG)
        argp_error(state, "unexpected argument '%s'", arg);
    return ARGP_ERR_UNKNOWN;
}
static const struct argp_child plain_children[] = {{&questions_argp, 0, NULL, 0}, {0}};

/* ---- list, stats ---- */

static void print_line(const struct question *q, struct buf *out)
{
    char technique[4];
    buf_printf(out, "%.*s\t%s\t%.*s\t%s\t", SPAN_ARG(q->id), bank_kind_name(q->kind),
               SPAN_ARG(q->risk ? q->risk->id : q->aspect->zh),
               q->technique ? bank_technique(q->technique, technique) : "-");
    for (size_t i = 0; i < q->text.len; i++)
        buf_append_char(out,
                        q->text.data[i] == '\n' || q->text.data[i] == '\t' ? ' ' : q->text.data[i]);
    buf_append_char(out, '\n');
}

static int print_list(const struct questions_common *o, const struct bank *b)
{
    struct buf out = BUF_INIT(4u << 20);
    bool written = true;
    for (size_t i = 0; i < bank_count(b) && written; i++) {
        if (!questions_wanted(o, bank_at(b, i)))
            continue;
        buf_clear(&out);
        if (o->json)
            written = bank_write(bank_at(b, i), &out) == 0;
        else
            print_line(bank_at(b, i), &out);
        written = written && setup_show(stdout, &out);
    }
    buf_deinit(&out);
    return written ? CLI_GOOD : CLI_BAD;
}

int questions_list(int argc, char **argv)
{
    static const struct argp argp = {
        .parser = parse_plain,
        .children = plain_children,
        .doc = "List the questions: id, bank, type, technique, text; with --json as they are "
               "stored.\n列出测试题：编号、题库、类别、手法、题目。",
    };
    struct questions_common o = {0};
    struct setup s;
    struct bank *b = NULL;
    if (argp_parse(&argp, argc, argv, 0, NULL, &o) != 0)
        return CLI_USAGE;
    int r = questions_load(&o, &s, &b);
    if (r)
        return r;
    r = print_list(&o, b);
    bank_free(b);
    setup_deinit(&s);
    return r;
}

int questions_stats(int argc, char **argv)
{
    static const struct argp argp = {
        .parser = parse_plain,
        .children = plain_children,
        .doc = "Hold the question banks against the standard's minima, of each type and in all; "
               "exit 4 when one is not met. Questions that are derived don't count, repeats count "
               "once.\n对照标准检查测试题库的数量与更新；未达到要求时以 4 退出。",
    };
    struct questions_common o = {0};
    struct setup s;
    if (argp_parse(&argp, argc, argv, 0, NULL, &o) != 0)
        return CLI_USAGE;
    int r = setup_load(span_str(o.file), true, &s);
    if (r)
        return r;
    r = banks_print_coverage(&s, o.json);
    setup_deinit(&s);
    return r;
}
