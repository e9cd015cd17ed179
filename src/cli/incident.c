/* `juyong incident`: what happened, what was done about it, and the draft of its report. */
#include "cli/book.h"
#include "cli/logfilter.h"
#include "cli/rulecmd.h"
#include "cli/setup.h"

#include <errno.h>

enum {
    KEY_TITLE = 2048,
    KEY_WHAT,
    KEY_IMPACT,
    KEY_MEASURES,
    KEY_REMEDY,
    KEY_RESPONSIBLE,
    KEY_NOTE,
    KEY_STATE,
    KEY_AT,
    KEY_REQUEST,
};

struct options {
    struct book_command book;
    const char *verb;
    struct span ids[CASEBOOK_REQUESTS_MAX];
    struct casebook_act act;
    unsigned long long limit;
};

static bool is_verb(const char *s)
{
    static const char *const verbs[] = {"add", "list", "show", "change", "report"};
    for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++)
        if (strcmp(verbs[i], s) == 0)
            return true;
    return false;
}

static void check(struct options *o, struct argp_state *state)
{
    if (!o->verb || !is_verb(o->verb))
        argp_error(state, "add, list, show, change or report?");
    bool one = strcmp(o->verb, "add") != 0 && strcmp(o->verb, "list") != 0;
    if (one && !o->act.number)
        argp_error(state, "which incident?");
    if (!strcmp(o->verb, "add") && (!o->act.title.len || !o->act.what.len))
        argp_error(state, "--title and --what are needed");
}

static void add_request(struct options *o, struct argp_state *state, const char *id)
{
    if (o->act.request_count == CASEBOOK_REQUESTS_MAX)
        argp_error(state, "at most %d requests at once", CASEBOOK_REQUESTS_MAX);
    o->ids[o->act.request_count++] = span_str(id);
}

static void parse_argument(struct options *o, struct argp_state *state, const char *arg)
{
    unsigned long long n;
    if (!o->verb)
        o->verb = arg;
    else if (!strcmp(o->verb, "add"))
        add_request(o, state, arg);
    else if (!o->act.number && span_to_u64(span_str(arg), &n) && n && n <= INT64_MAX)
        o->act.number = (int64_t)n;
    else if (!strcmp(o->verb, "change") && o->act.number)
        add_request(o, state, arg);
    else
        argp_error(state, "'%s' is no incident's number", arg);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;
    struct span *texts[] = {&o->act.title,  &o->act.what,        &o->act.impact, &o->act.measures,
                            &o->act.remedy, &o->act.responsible, &o->act.note,   &o->act.state};
    if (key >= KEY_TITLE && key <= KEY_STATE) {
        *texts[key - KEY_TITLE] = span_str(arg);
        return 0;
    }
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &o->book;
        return 0;
    case KEY_AT:
        if (!logfilter_time(arg, &o->act.at_us))
            argp_error(state, "'%s' is no time: 2026-11-24, 2026-11-24T10:00:00Z, 10m, 2h", arg);
        return 0;
    case 'n':
        if (!span_to_u64(span_str(arg), &o->limit) || !o->limit)
            argp_error(state, "'%s' is no number of rows", arg);
        return 0;
    case ARGP_KEY_ARG:
        parse_argument(o, state, arg);
        return 0;
    case ARGP_KEY_END:
        check(o, state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static void print_line(const struct json_value *v)
{
    char at[24];
    book_time(member_number(v, "at_us"), at);
    printf("%4lld  %s  %-8s %lld requests  ", (long long)member_number(v, "id"), at,
           member_text(v, "state").data, (long long)member_number(v, "request_count"));
    book_print(member_text(v, "title"));
    putchar('\n');
}

/* As one would read it to a person on the telephone. */
static void print_clock(const struct json_value *v)
{
    const struct json_value *clock = value_get(v, SPAN_LIT("clock"));
    for (size_t i = 0; i < value_count(clock); i++) {
        char due[24];
        book_time(member_number(value_at(clock, i), "due_us"), due);
        printf("  %lld h: %s (to be verified 待核实)\n",
               (long long)member_number(value_at(clock, i), "hours"), due);
    }
}

static int list(struct options *o)
{
    struct casebook *c = NULL;
    struct buf out = BUF_INIT(64u << 20);
    struct casebook_page page = {.state = o->act.state, .limit = o->limit ? (size_t)o->limit : 50};
    int r = book_open(&o->book, &c);
    if (r != CLI_GOOD)
        return r;
    int e = casebook_incidents(c, &page, &out);
    casebook_close(c);
    r = e < 0 ? book_failed(&o->book, e) : book_each(&o->book, buf_span(&out), print_line);
    buf_deinit(&out);
    return r;
}

/* One of them: its report, with the clock; or all of it as JSON. */
static int show(struct options *o)
{
    struct casebook *c = NULL;
    struct buf out = BUF_INIT(8u << 20), report = BUF_INIT(8u << 20);
    bool draft = strcmp(o->verb, "report") == 0;
    int r = book_open(&o->book, &c);
    if (r != CLI_GOOD)
        return r;
    int e = casebook_incident(c, o->act.number, &out);
    if (e == 0)
        e = casebook_report(c, o->act.number, &report);
    casebook_close(c);
    struct json_value *v = e == 0 ? value_parse(buf_span(&out), NULL) : NULL;
    if (e < 0) {
        r = book_failed(&o->book, e);
    } else if (draft) {
        setup_write(stdout, &report);
    } else if (o->book.json) {
        buf_append_char(&out, '\n');
        setup_write(stdout, &out);
    } else if (v) {
        struct span rest = buf_span(&report), line;
        print_line(v);
        print_clock(v);
        while (span_split(&rest, '\n', &line)) {
            book_print(line);
            putchar('\n');
        }
    }
    value_free(v);
    buf_deinit(&out);
    buf_deinit(&report);
    return r;
}

static int change(struct options *o)
{
    struct desk_answer answer;
    o->act.verb = strcmp(o->verb, "add") == 0 ? CASEBOOK_OPENING : CASEBOOK_INCIDENT;
    o->act.requests = o->ids;
    int r = book_act(&o->book, &o->act, &answer);
    if (r == CLI_GOOD)
        printf(o->book.json ? "{\"id\":%lld}\n" : "incident %lld: noted\n",
               (long long)answer.number);
    if (r == CLI_GOOD && answer.records)
        fprintf(stderr, "%s: the log has not %lld of these requests\n", o->book.name,
                (long long)answer.records);
    return r;
}

int cli_incident(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"title", KEY_TITLE, "TEXT", 0, "One line (标题)", 1},
        {"what", KEY_WHAT, "TEXT", 0, "What was seen (现象)", 1},
        {"impact", KEY_IMPACT, "TEXT", 0, "Whom and what it concerned (影响)", 1},
        {"measures", KEY_MEASURES, "TEXT", 0, "What was done (处置)", 1},
        {"remedy", KEY_REMEDY, "TEXT", 0, "So that it does not happen again (整改)", 1},
        {"responsible", KEY_RESPONSIBLE, "TEXT", 0, "Who answers for it (责任人)", 1},
        {"note", KEY_NOTE, "TEXT", 0, "A step of the course of things (处置经过)", 1},
        {"state", KEY_STATE, "STATE", 0, "open, working, reported or closed; list: only those", 1},
        {"at", KEY_AT, "TIME", 0, "When it happened or was found; now unless told", 1},
        {"limit", 'n', "N", 0, "list: at most N, the newest; 50 unless told", 1},
        {0},
    };
    static const struct argp_child children[] = {{&book_argp, 0, NULL, 0}, {0}};
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .args_doc = "add [REQUEST_ID...]\nlist\nshow|report NUMBER\nchange NUMBER [REQUEST_ID...]",
        .doc = "Incidents: what happened, what was done, which requests belong to it, and the "
               "draft of the report, in which what nobody has said yet is 待补充.\n"
               "安全事件：登记、处置、关联记录与报告草稿。",
        .children = children,
    };
    static char name[] = "juyong incident";
    struct options o = {.book = {.name = name}};
    argv[0] = name;
    argp_err_exit_status = CLI_USAGE;
    if (argp_parse(&argp, argc, argv, 0, NULL, &o) != 0)
        return CLI_USAGE;
    int r = book_load(&o.book);
    if (r == CLI_GOOD)
        r = !strcmp(o.verb, "list")                               ? list(&o)
            : !strcmp(o.verb, "add") || !strcmp(o.verb, "change") ? change(&o)
                                                                  : show(&o);
    book_unload(&o.book);
    return r;
}
