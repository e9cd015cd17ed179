/* `juyong log queue` and `juyong log summary`: what is to be reviewed, and what a day came to. */
#include "base/clock.h"
#include "cli/book.h"
#include "cli/logbook.h"
#include "cli/logfilter.h"
#include "cli/setup.h"

#include <errno.h>

enum {
    KEY_MINE = 2048,
    KEY_DAY,
    KEY_ASSIGN,
    KEY_SAMPLE,
    KEY_SINCE,
    KEY_UNTIL,
    KEY_ACTION,
    KEY_SIGN,
    KEY_NOTE
};

struct options {
    struct book_command book;
    bool mine, sign;
    const char *day, *assign;
    struct span ids[CASEBOOK_REQUESTS_MAX];
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
    case KEY_MINE:
        o->mine = true;
        return 0;
    case KEY_DAY:
        o->day = arg;
        return 0;
    case KEY_ASSIGN:
        o->act.to = span_str(arg);
        return 0;
    case KEY_SAMPLE:
        if (!span_to_u64(span_str(arg), &n) || n < 1 || n > 100)
            argp_error(state, "--sample takes percent, from 1 to 100");
        o->act.percent = (unsigned)n;
        return 0;
    case KEY_SINCE:
    case KEY_UNTIL:
        if (!logfilter_time(arg, key == KEY_SINCE ? &o->act.since_us : &o->act.until_us))
            argp_error(state, "'%s' is no time: 2026-11-24, 2026-11-24T10:00:00Z, 10m, 2h, 3d",
                       arg);
        return 0;
    case KEY_ACTION:
        if (action_from(span_str(arg)) < 0)
            argp_error(state, "'%s' is no action: allow, flag, mask, answer, block", arg);
        o->act.actions |= 1u << action_from(span_str(arg));
        return 0;
    case KEY_SIGN:
        o->sign = true;
        return 0;
    case KEY_NOTE:
        o->act.note = span_str(arg);
        return 0;
    case 'n':
        if (!span_to_u64(span_str(arg), &o->limit) || !o->limit)
            argp_error(state, "'%s' is no number of rows", arg);
        return 0;
    case ARGP_KEY_ARG:
        if (o->act.request_count == CASEBOOK_REQUESTS_MAX)
            argp_error(state, "at most %d requests at once", CASEBOOK_REQUESTS_MAX);
        o->ids[o->act.request_count++] = span_str(arg);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* ---- the queue ---- */

static const char *why_of(unsigned why)
{
    return why & WHY_SECOND     ? "second"
           : why & WHY_ASSIGNED ? "assigned"
           : why & WHY_SAMPLE   ? "sample"
                                : "policy";
}

static int print_due(void *ctx, const struct casebook_due *d)
{
    const struct options *o = ctx;
    char time[CLOCK_TEXT_SIZE];
    clock_format(d->time_us, time);
    if (!o->book.json) {
        printf("%.19s  %-8s %-6s %-10s ", time, why_of(d->why), d->action.data, d->risk.data);
        book_print(d->request_id);
        printf("  ");
        book_print(d->rule);
        if (d->assigned.len) {
            printf("  → ");
            book_print(d->assigned);
        }
        putchar('\n');
        return 0;
    }
    struct buf out = BUF_INIT(16384);
    buf_append_char(&out, '{');
    setup_json(&out, "request_id", d->request_id);
    setup_json(&out, "time", span_str(time));
    setup_json(&out, "action", d->action);
    setup_json(&out, "risk", d->risk);
    setup_json(&out, "rule", d->rule);
    setup_json(&out, "app", d->app);
    setup_json(&out, "direction", d->direction);
    setup_json(&out, "why", span_str(why_of(d->why)));
    setup_json(&out, "assigned", d->assigned);
    setup_json(&out, "first_reviewer", d->first_reviewer);
    buf_append(&out, SPAN_LIT("}\n"));
    setup_write(stdout, &out);
    buf_deinit(&out);
    return ferror(stdout) ? 1 : 0;
}

static int list(struct options *o)
{
    struct casebook *c = NULL;
    struct casebook_counts counts;
    int r = book_open(&o->book, &c);
    if (r != CLI_GOOD)
        return r;
    struct casebook_queue q = {
        .who = span_str(o->book.author ? o->book.author : o->book.login),
        .mine = o->mine,
        .day = span_str(o->day ? o->day : ""),
        .limit = o->limit ? (size_t)o->limit : 50,
    };
    r = casebook_each_due(c, &q, print_due, o, &counts);
    casebook_close(c);
    if (r == -EINVAL)
        fprintf(stderr, "%s: --day takes a day such as 2026-11-26\n", o->book.name);
    if (r < 0)
        return r == -EINVAL ? CLI_USAGE : book_failed(&o->book, r);
    if (!o->book.json)
        printf("%llu open, %llu of them yours\n", (unsigned long long)counts.open,
               (unsigned long long)counts.mine);
    return CLI_GOOD;
}

static int decide(struct options *o)
{
    struct desk_answer answer;
    o->act.verb = o->act.to.len ? CASEBOOK_ASSIGN : CASEBOOK_SAMPLE;
    o->act.requests = o->ids;
    if (o->act.percent && !o->act.until_us)
        o->act.until_us = clock_wall_us();
    int r = book_act(&o->book, &o->act, &answer);
    if (r == CLI_GOOD)
        printf(o->book.json     ? "{\"added\":%lld}\n"
               : o->act.percent ? "%lld drawn into the queue\n"
                                : "%lld assigned\n",
               (long long)answer.entries);
    return r;
}

static int run_queue(struct options *o)
{
    bool assign = o->act.to.len > 0, sample = o->act.percent > 0;
    if ((assign && sample) || assign != (o->act.request_count > 0)) {
        fprintf(stderr, "%s: --assign NAME with request ids, or --sample PERCENT --since TIME\n",
                o->book.name);
        return CLI_USAGE;
    }
    return assign || sample ? decide(o) : list(o);
}

static int run_command(struct options *o, const struct argp *argp, char *name, int argc,
                       char **argv, int (*run)(struct options *o))
{
    o->book.name = name;
    argv[0] = name;
    argp_err_exit_status = CLI_USAGE;
    if (argp_parse(argp, argc, argv, 0, NULL, o) != 0)
        return CLI_USAGE;
    int r = book_load(&o->book);
    if (r == CLI_GOOD)
        r = run(o);
    book_unload(&o->book);
    return r;
}

static const struct argp_child children[] = {{&book_argp, 0, NULL, 0}, {0}};

int log_queue(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"mine", KEY_MINE, NULL, 0, "Only what is assigned to me (分配给我的)", 1},
        {"day", KEY_DAY, "DAY", 0, "Only of that day, China time (某日)", 1},
        {"limit", 'n', "N", 0, "At most N rows; 50 unless told", 1},
        {"assign", KEY_ASSIGN, "NAME", 0, "Give the requests that are named to somebody (分配)", 2},
        {"sample", KEY_SAMPLE, "PERCENT", 0, "Draw a sample into the queue (抽样)", 3},
        {"since", KEY_SINCE, "TIME", 0, "of what came from then on", 3},
        {"until", KEY_UNTIL, "TIME", 0, "and before then; now unless told", 3},
        {"action", KEY_ACTION, "ACTION", 0, "of these actions; interceptions unless told", 3},
        {0},
    };
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .args_doc = "\n--assign NAME REQUEST_ID...\n--sample PERCENT --since TIME",
        .doc = "What is to be reviewed, and why; give it to somebody, or draw a sample.\n"
               "待复核队列、分配与抽样。",
        .children = children,
    };
    static char name[] = "juyong log queue";
    struct options o = {0};
    return run_command(&o, &argp, name, argc, argv, run_queue);
}

/* ---- the summary ---- */

static void print_reviewer(const struct json_value *v)
{
    printf("  ");
    book_print(member_text(v, "reviewer"));
    printf(": %lld reviewed, %lld as second, %lld correct, %lld false positive, %lld unsure\n",
           (long long)member_number(v, "reviewed"), (long long)member_number(v, "second"),
           (long long)member_number(v, "correct"), (long long)member_number(v, "false_positive"),
           (long long)member_number(v, "unsure"));
}

static void print_rule(const struct json_value *v)
{
    int64_t reviewed = member_number(v, "reviewed"), wrong = member_number(v, "false_positive");
    printf("  ");
    book_print(member_text(v, "rule"));
    printf(": %lld, %lld reviewed, %lld false positive", (long long)member_number(v, "count"),
           (long long)reviewed, (long long)wrong);
    if (reviewed)
        printf(" (%lld%%)", (long long)(wrong * 100 / reviewed));
    putchar('\n');
}

static void print_difference(const struct json_value *v)
{
    printf("  ");
    book_print(member_text(v, "request_id"));
    printf(": ");
    book_print(member_text(v, "reviewer"));
    printf(" %s, ", member_text(v, "verdict").data);
    book_print(member_text(v, "second_reviewer"));
    printf(" %s\n", member_text(v, "second_verdict").data);
}

static void print_signed(const struct json_value *v)
{
    char time[24];
    book_time(member_number(v, "at_us"), time);
    printf("  %s  ", time);
    book_print(member_text(v, "who"));
    printf("  ");
    book_print(member_text(v, "note"));
    putchar('\n');
}

static void print_part(const struct json_value *day, const char *key, const char *title,
                       void (*fn)(const struct json_value *v))
{
    const struct json_value *list = value_get(day, span_str(key));
    size_t n = value_count(list);
    if (n)
        printf("%s\n", title);
    for (size_t i = 0; i < n && i < 20; i++)
        fn(value_at(list, i));
    if (n > 20)
        printf("  and %zu more, see --json\n", n - 20);
}

static void print_summary(const struct json_value *v)
{
    int64_t reviewed = member_number(v, "reviewed"), wrong = member_number(v, "false_positive");
    const struct json_value *second = value_get(v, SPAN_LIT("second"));
    printf("%s: %lld interceptions, %lld reviewed: %lld correct, %lld false positive",
           member_text(v, "day").data, (long long)member_number(v, "interceptions"),
           (long long)reviewed, (long long)member_number(v, "correct"), (long long)wrong);
    if (reviewed)
        printf(" (%lld%%)", (long long)(wrong * 100 / reviewed));
    printf(", %lld unsure; %lld open\nsecond looks: %lld agreed, %lld differed, %lld open\n",
           (long long)member_number(v, "unsure"), (long long)member_number(v, "open"),
           (long long)member_number(second, "agreed"), (long long)member_number(second, "differed"),
           (long long)member_number(second, "open"));
    print_part(v, "by_reviewer", "reviewers (复核人员):", print_reviewer);
    print_part(v, "by_rule", "rules (规则):", print_rule);
    print_part(v, "differences", "differences (分歧):", print_difference);
    print_part(v, "signed", "signed off (签发):", print_signed);
    if (value_count(value_get(v, SPAN_LIT("signed"))) == 0)
        printf("not signed off\n");
}

static int run_summary(struct options *o)
{
    struct casebook *c = NULL;
    struct desk_answer answer;
    struct buf out = BUF_INIT(4u << 20);
    char day[16];
    uint64_t begin, end;
    if (o->act.request_count || !casebook_day(span_str(o->day), &begin, &end)) {
        fprintf(stderr, "%s: --day takes a day such as 2026-11-26\n", o->book.name);
        return CLI_USAGE;
    }
    casebook_day_text(begin, day);
    o->act.verb = CASEBOOK_SIGNOFF;
    o->act.day = span_str(day);
    int r = o->sign ? book_act(&o->book, &o->act, &answer) : CLI_GOOD;
    if (r == CLI_GOOD)
        r = book_open(&o->book, &c);
    if (r != CLI_GOOD)
        return r;
    int e = casebook_summary(c, o->act.day, &out);
    casebook_close(c);
    struct json_value *v = e == 0 ? value_parse(buf_span(&out), NULL) : NULL;
    if (v && o->book.json) {
        buf_append_char(&out, '\n');
        setup_write(stdout, &out);
    } else if (v) {
        print_summary(v);
    }
    value_free(v);
    buf_deinit(&out);
    return e < 0 ? book_failed(&o->book, e) : CLI_GOOD;
}

int log_summary(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"day", KEY_DAY, "DAY", 0, "Of which day, China time; yesterday unless told", 1},
        {"sign-off", KEY_SIGN, NULL, 0, "Sign the day off, which goes on record (签发当日)", 1},
        {"note", KEY_NOTE, "TEXT", 0, "A remark to it (备注)", 1},
        {0},
    };
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .doc = "What a day's reviews came to: figures, false positives by rule, differences, who "
               "signed it off.\n每日复核汇总与签发。",
        .children = children,
    };
    static char name[] = "juyong log summary";
    struct options o = {0};
    return run_command(&o, &argp, name, argc, argv, run_summary);
}
