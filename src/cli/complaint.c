/* `juyong complaint`: what people complained about, and what they were answered. */
#include "cli/book.h"
#include "cli/rulecmd.h"
#include "cli/setup.h"

#include <errno.h>

enum { KEY_STATE = 2048, KEY_NOTE, KEY_TO };

struct options {
    struct book_command book;
    const char *verb;
    struct casebook_act act;
    unsigned long long limit;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;
    unsigned long long n;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &o->book;
        return 0;
    case KEY_STATE:
        o->act.state = span_str(arg);
        return 0;
    case KEY_NOTE:
        o->act.note = span_str(arg);
        return 0;
    case KEY_TO:
        o->act.to = span_str(arg);
        return 0;
    case 'n':
        if (!span_to_u64(span_str(arg), &o->limit) || !o->limit)
            argp_error(state, "'%s' is no number of rows", arg);
        return 0;
    case ARGP_KEY_ARG:
        if (!o->verb)
            o->verb = arg;
        else if (o->act.number || !span_to_u64(span_str(arg), &n) || !n || n > INT64_MAX)
            argp_error(state, "'%s' is no ticket's number", arg);
        else
            o->act.number = (int64_t)n;
        return 0;
    case ARGP_KEY_END:
        if (!o->verb ||
            (strcmp(o->verb, "list") && strcmp(o->verb, "show") && strcmp(o->verb, "answer")))
            argp_error(state, "list, show or answer?");
        if (strcmp(o->verb, "list") != 0 && !o->act.number)
            argp_error(state, "which ticket?");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static bool is_true(const struct json_value *v, const char *key)
{
    bool value = false;
    value_get_boolean(value_get(v, span_str(key)), &value);
    return value;
}

static void print_line(const struct json_value *v)
{
    char at[24], due[24];
    book_time(member_number(v, "at_us"), at);
    book_time(member_number(v, "due_us"), due);
    printf("%4lld  %s  %-8s due %s%s  %s  ", (long long)member_number(v, "id"), at,
           member_text(v, "state").data, due, is_true(v, "overdue") ? " OVERDUE" : "",
           member_text(v, "kind").data);
    struct span text = member_text(v, "text");
    book_print(span_slice(text, 0, text.len < 240 ? text.len : 240));
    putchar('\n');
}

static void print_whole(const struct json_value *v)
{
    static const char *const keys[] = {"text", "contact", "request_id", "to"};
    const struct json_value *notes = value_get(v, SPAN_LIT("notes"));
    print_line(v);
    for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
        if (!member_text(v, keys[i]).len)
            continue;
        printf("%-12s ", keys[i]);
        book_print(member_text(v, keys[i]));
        putchar('\n');
    }
    for (size_t i = 0; i < value_count(notes); i++) {
        const struct json_value *n = value_at(notes, i);
        char at[24];
        book_time(member_number(n, "at_us"), at);
        printf("  %s  ", at);
        book_print(member_text(n, "who"));
        printf("  %s  ", member_text(n, "state").data);
        book_print(member_text(n, "text"));
        putchar('\n');
    }
}

static int show(struct options *o)
{
    struct casebook *c = NULL;
    struct buf out = BUF_INIT(64u << 20);
    struct casebook_page page = {.state = o->act.state, .limit = o->limit ? (size_t)o->limit : 50};
    bool all = strcmp(o->verb, "list") == 0;
    int r = book_open(&o->book, &c);
    if (r != CLI_GOOD)
        return r;
    if (!all)
        buf_append_char(&out, '[');
    int e = all ? casebook_tickets(c, &page, &out) : casebook_ticket(c, o->act.number, &out);
    if (!all)
        buf_append_char(&out, ']');
    casebook_close(c);
    r = e < 0 ? book_failed(&o->book, e)
              : book_each(&o->book, buf_span(&out), all ? print_line : print_whole);
    buf_deinit(&out);
    return r;
}

static int answer(struct options *o)
{
    struct desk_answer answer;
    o->act.verb = CASEBOOK_TICKET;
    if (!o->act.state.len && !o->act.to.len)
        o->act.state = SPAN_LIT("answered");
    int r = book_act(&o->book, &o->act, &answer);
    if (r == CLI_GOOD)
        printf(o->book.json ? "{\"id\":%lld}\n" : "ticket %lld: noted\n", (long long)o->act.number);
    return r;
}

int cli_complaint(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"state", KEY_STATE, "STATE", 0,
         "list: only those; answer: the new one (answered): open, working, answered, closed", 1},
        {"note", KEY_NOTE, "TEXT", 0, "answer: what was answered or done (处理说明)", 1},
        {"to", KEY_TO, "NAME", 0, "answer: who is to see to it (转交)", 1},
        {"limit", 'n', "N", 0, "list: at most N, the newest; 50 unless told", 1},
        {0},
    };
    static const struct argp_child children[] = {{&book_argp, 0, NULL, 0}, {0}};
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .args_doc = "list\nshow NUMBER\nanswer NUMBER",
        .doc = "Complaints of the public: tickets with the day by which they are to be answered.\n"
               "公众投诉举报：工单、时限与处理结果。\v"
               "Complaints come by POST /v1/complaints and by the page /complaints of the public "
               "listener (complaints.form). An answer is noted here; how it reaches the person is "
               "up to who answers. Each act goes on record, without its text.",
        .children = children,
    };
    static char name[] = "juyong complaint";
    struct options o = {.book = {.name = name}};
    argv[0] = name;
    argp_err_exit_status = CLI_USAGE;
    if (argp_parse(&argp, argc, argv, 0, NULL, &o) != 0)
        return CLI_USAGE;
    int r = book_load(&o.book);
    if (r == CLI_GOOD)
        r = strcmp(o.verb, "answer") == 0 ? answer(&o) : show(&o);
    book_unload(&o.book);
    return r;
}
