/* `juyong filing status`: what is due when, and where the steps stand; notes both, too. */
#include "cli/filingcmd.h"
#include "cli/filingpack.h"

#include "base/clock.h"
#include "cli/setup.h"
#include "filing/calendar.h"

#include <argp.h>
#include <errno.h>

#define TEXT_MAX (8u << 20)

enum { KEY_STEP = 2048, KEY_STATE, KEY_DATE, KEY_NOTE, KEY_CHANGE, KEY_REPORTED };

struct options {
    const char *file, *author, *step, *state, *date, *note, *change, *reported;
    bool json;
    /* read from them */
    unsigned step_index;
    enum progress_state state_value;
    unsigned long long number;
    char today[DAY_TEXT_SIZE];
};

/* By number, or by name. */
static bool read_step(const char *text, unsigned *ret)
{
    unsigned long long n;
    if (span_to_u64(span_str(text), &n)) {
        *ret = (unsigned)n - 1;
        return n >= 1 && n <= PROGRESS_STEPS;
    }
    for (*ret = 0; *ret < PROGRESS_TRACKS; ++*ret)
        if (strcmp(text, progress_step_name(*ret)) == 0)
            return true;
    return false;
}

static void check(struct options *o, struct argp_state *state)
{
    int64_t end;
    if (!o->file)
        argp_error(state, "-c FILE is needed");
    if (!!o->step + !!o->change + !!o->reported > 1)
        argp_error(state, "--step, --change or --reported, one at a time");
    if (!o->step != !o->state)
        argp_error(state, "--step and --state go together");
    if (o->step && !read_step(o->step, &o->step_index))
        argp_error(state,
                   "'%s' is no step: 1 to 7, form, write, assess, submit, local, central, number, "
                   "algorithm",
                   o->step);
    if (o->state && (o->state_value = progress_state_from(span_str(o->state))) == STEP_STATES)
        argp_error(state, "'%s' is no state: open, doing, done, returned", o->state);
    if (o->note && !o->step)
        argp_error(state, "--note goes with --step");
    if (o->date && !o->step && !o->change && !o->reported)
        argp_error(state, "--date goes with --step, --change or --reported");
    if (o->date && !day_end(span_str(o->date), &end))
        argp_error(state, "'%s' is no day: YYYY-MM-DD", o->date);
    if (o->reported &&
        (!span_to_u64(span_str(o->reported), &o->number) || !o->number || o->number > INT64_MAX))
        argp_error(state, "'%s' is no number of a change", o->reported);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;
    const char **texts[] = {&o->step, &o->state, &o->date, &o->note, &o->change, &o->reported};
    if (key >= KEY_STEP && key <= KEY_REPORTED) {
        *texts[key - KEY_STEP] = arg;
        return 0;
    }
    switch (key) {
    case 'c':
        o->file = arg;
        return 0;
    case 'a':
        o->author = arg;
        return 0;
    case 'j':
        o->json = true;
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "unexpected argument '%s'", arg);
        return EINVAL;
    case ARGP_KEY_END:
        check(o, state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option argp_options[] = {
    {"config", 'c', "FILE", 0, "The configuration", 0},
    {"json", 'j', NULL, 0, "One JSON object", 0},
    {"step", KEY_STEP, "STEP", 0,
     "Note a step: 1 to 7, its name, or 'algorithm' for the algorithm filing", 1},
    {"state", KEY_STATE, "STATE", 0, "open, doing, done or returned", 1},
    {"note", KEY_NOTE, "TEXT", 0, "What there is to say", 1},
    {"change", KEY_CHANGE, "TEXT", 0, "Note a change that must be reported", 1},
    {"reported", KEY_REPORTED, "NUMBER", 0, "That change was reported", 1},
    {"date", KEY_DATE, "YYYY-MM-DD", 0, "When it was so; today unless told", 1},
    {"author", 'a', "NAME", 0, "Who notes it; your login name unless told", 1},
    {0},
};
static const struct argp argp = {
    .options = argp_options,
    .parser = parse,
    .doc = "What of the filing is due when, and where its steps stand. With --step, --change or "
           "--reported it notes that, for good and on record in the decision log.\n"
           "备案日程：关键词库与题库更新、公示、日志留存、十个工作日等期限，以及七个步骤的状态；"
           "--step 等用于登记。\v"
           "Exit status 4: something is overdue. Working days are Monday to Friday: public "
           "holidays are known as far as service.holidays and service.workdays tell them.",
};

/* ---- noting ---- */

/* Nothing is put on record that could not be kept: a damaged file stops it first. */
static int check_file(const struct config *c, const struct options *o)
{
    struct progress p;
    struct buf messages = BUF_INIT(65536);
    int r = progress_read(c->state_dir, &messages, &p);
    setup_print_messages(stderr, &messages);
    buf_deinit(&messages);
    if (r < 0)
        return CLI_BAD;
    const char *bad = NULL;
    if (o->reported && o->number > p.change_count)
        bad = "no change of that number was noted";
    else if (o->reported && p.changes[o->number - 1].reported.len)
        bad = "that change was reported already";
    else if (o->reported && !progress_may_report(&p.changes[o->number - 1], span_str(o->today)))
        bad = "that change was made on a later day";
    if (bad)
        fprintf(stderr, "juyong filing status: %s\n", bad);
    progress_free(&p);
    return bad ? CLI_BAD : CLI_GOOD;
}

static int record(const struct options *o, const struct config *c)
{
    char of[64];
    struct buf why = BUF_INIT(8192);
    const char *act = o->step ? "step" : o->change ? "change" : "reported";
    int r = 0;
    if (o->step) {
        snprintf(of, sizeof(of), "%s", progress_step_name(o->step_index));
        r = buf_printf(&why, "%s %s%s%s", o->state, o->today, o->note ? ": " : "",
                       o->note ? o->note : "");
    } else if (o->change) {
        snprintf(of, sizeof(of), "%s", o->today);
        r = buf_append(&why, span_str(o->change));
    } else {
        snprintf(of, sizeof(of), "%llu", o->number);
        r = buf_append(&why, span_str(o->today));
    }
    if (r == 0)
        r = filing_record(c, act, span_str(of), buf_span(&why));
    buf_deinit(&why);
    return r;
}

static int keep(const struct options *o, const struct config *c, struct span author,
                struct buf *messages, int64_t *ret_number)
{
    struct span note = span_str(o->note ? o->note : ""), day = span_str(o->today);
    int64_t now = clock_wall_s();
    *ret_number = (int64_t)o->number;
    if (o->step)
        return progress_note(c->state_dir,
                             &(struct progress_note){.step = o->step_index,
                                                     .state = o->state_value,
                                                     .date = day,
                                                     .note = note,
                                                     .author = author,
                                                     .at = now},
                             messages);
    if (o->change)
        return progress_add_change(
            c->state_dir,
            &(struct progress_change){
                .date = day, .what = span_str(o->change), .author = author, .at = now},
            messages, ret_number);
    return progress_report_change(c->state_dir, (int64_t)o->number, day, author, messages);
}

static void confirm(const struct options *o, int64_t number)
{
    if (o->step)
        printf("%s %s: %s %s\n", progress_step_zh(o->step_index), progress_step_en(o->step_index),
               progress_state_zh(o->state_value), o->today);
    else if (o->change)
        printf("变更 change %lld: 已登记 noted %s\n", (long long)number, o->today);
    else
        printf("变更 change %lld: 已报备 reported %s\n", (long long)number, o->today);
}

/* What is over can't be of a later day; a step may begin, and a change come, then. */
static bool is_to_come(const struct options *o)
{
    bool over = o->reported || (o->step && o->state_value >= STEP_DONE);
    return o->date && over && !progress_has_begun(span_str(o->date), clock_wall_s());
}

static int note(struct options *o, const struct config *c)
{
    char login[256];
    struct buf messages = BUF_INIT(65536);
    int64_t number;
    setup_login(login, sizeof(login));
    struct span author = span_trim(span_str(o->author ? o->author : login));
    if (!setup_is_line("filing", "--author", author, PROGRESS_NAME_MAX) ||
        (o->note && !setup_is_line("filing", "--note", span_str(o->note), PROGRESS_NOTE_MAX)) ||
        (o->change && !setup_is_line("filing", "--change", span_str(o->change), PROGRESS_NOTE_MAX)))
        return CLI_USAGE;
    day_format(clock_wall_s() + 1, o->today); /* the day that holds this second */
    if (o->date)
        snprintf(o->today, sizeof(o->today), "%s", o->date);
    if (is_to_come(o)) {
        fprintf(stderr, "juyong filing status: --date %s is a day to come\n", o->date);
        return CLI_USAGE;
    }
    if (check_file(c, o) != CLI_GOOD || record(o, c) < 0)
        return CLI_BAD;
    int r = keep(o, c, author, &messages, &number);
    setup_print_messages(stderr, &messages);
    if (r < 0 && messages.len == 0)
        fprintf(stderr, "juyong filing status: not noted: %s\n", strerror(-r));
    buf_deinit(&messages);
    if (r == 0)
        confirm(o, number);
    return r < 0 ? CLI_BAD : CLI_GOOD;
}

/* ---- telling ---- */

static int tell(const struct options *o, const struct setup *s)
{
    struct progress p;
    struct calendar_facts facts;
    struct calendar calendar;
    struct buf messages = BUF_INIT(1u << 20), out = BUF_INIT(TEXT_MAX);
    int64_t now = clock_wall_s();
    int r = progress_read(s->config->state_dir, &messages, &p);
    if (r == 0) {
        calendar_gather(s->config, s->rules, now, &p, &messages, &facts);
        calendar_judge(&facts, now, &calendar);
        r = o->json ? calendar_json(&calendar, &p, &out) : calendar_text(&calendar, &p, &out);
        if (r == 0 && o->json)
            out.len--; /* the object's end, behind what follows */
        if (r == 0)
            r = filingpack_status(s, o->json, &messages, &out);
        if (r == 0 && o->json)
            r = buf_append(&out, SPAN_LIT("}\n"));
        progress_free(&p);
    }
    setup_print_messages(stderr, &messages);
    if (r < 0 && messages.len == 0)
        fprintf(stderr, "juyong filing status: %s\n", strerror(-r));
    bool written = r == 0 && setup_show(stdout, &out);
    buf_deinit(&messages);
    buf_deinit(&out);
    return !written ? CLI_BAD : calendar_overdue(&calendar) ? CLI_UNMET : CLI_GOOD;
}

int filing_status(int argc, char **argv)
{
    struct options o = {0};
    struct setup s;
    if (argp_parse(&argp, argc, argv, 0, NULL, &o) != 0)
        return CLI_USAGE;
    bool noting = o.step || o.change || o.reported;
    int r = noting ? setup_load(span_str(o.file), false, &s)
                   : setup_load_published(span_str(o.file), &s);
    if (r != CLI_GOOD)
        return r;
    r = noting ? note(&o, s.config) : tell(&o, &s);
    setup_deinit(&s);
    return r;
}
