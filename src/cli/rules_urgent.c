/* `juyong rules urgent`: a word that can't wait, by one person, for some time. */
#include "cli/rules_urgent.h"

#include "base/clock.h"
#include "base/day.h"

#define HOUR      3600
#define DAY       (24 * HOUR)
#define DAYS_SEEN 30

enum verb { ADD, LIST, APPROVE, WITHDRAW };

struct options {
    struct rules_act act;
    enum verb verb;
    bool has_verb;
    const char *word, *risk, *expires, *days;
};

static bool find_verb(const char *arg, enum verb *ret)
{
    static const char *const names[] = {"add", "list", "approve", "withdraw"};
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        if (strcmp(arg, names[i]) != 0)
            continue;
        *ret = (enum verb)i;
        return true;
    }
    return false;
}

static void check_end(const struct options *o, struct argp_state *state)
{
    if (o->verb == LIST && o->word)
        argp_error(state, "unexpected argument '%s'", o->word);
    if (o->verb != LIST && !o->word)
        argp_error(state, "which word?");
    if (o->verb == ADD && !o->risk)
        argp_error(state, "--risk is needed");
    if (o->verb == ADD && !o->expires)
        argp_error(state, "--expires is needed, such as 72h");
    if (o->verb != ADD && o->expires)
        argp_error(state, "--expires is for a new word: withdraw it, and say it anew");
    if (o->verb != LIST && o->days)
        argp_error(state, "--days is for list");
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &o->act;
        return 0;
    case 'r':
        o->risk = arg;
        return 0;
    case 'e':
        o->expires = arg;
        return 0;
    case 'd':
        o->days = arg;
        return 0;
    case ARGP_KEY_ARG:
        if (!o->word && !o->has_verb && find_verb(arg, &o->verb))
            o->has_verb = true;
        else if (!o->word)
            o->word = arg;
        else
            argp_error(state, "unexpected argument '%s'", arg);
        return 0;
    case ARGP_KEY_END:
        check_end(o, state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* 90m, 72h, 7d: seconds; false for anything else, and for more than 30 days. */
static bool read_time(struct span text, int64_t *ret_seconds)
{
    unsigned long long n;
    if (text.len < 2 || !span_to_u64(span_slice(text, 0, text.len - 1), &n) || n == 0 ||
        n > URGENT_LONGEST_S)
        return false;
    char unit = text.data[text.len - 1];
    int64_t of = unit == 'm' ? 60 : unit == 'h' ? HOUR : unit == 'd' ? DAY : 0;
    *ret_seconds = (int64_t)n * of;
    return of && *ret_seconds <= URGENT_LONGEST_S;
}

/* What a line of a keyword file can hold as a word. */
static bool is_word(struct span word)
{
    if (!rules_is_line("the word", word, URGENT_WORD_MAX))
        return false;
    if (urgent_is_word(word))
        return true;
    fprintf(stderr, "juyong rules: a word doesn't begin with #, and has no tabs and no blanks "
                    "around\n");
    return false;
}

static int add(struct options *o, struct publish *p)
{
    int64_t seconds;
    struct publish_done done;
    if (!read_time(span_str(o->expires), &seconds)) {
        fprintf(stderr, "juyong rules: --expires takes a time such as 90m, 72h or 7d, at most "
                        "30d\n");
        return CLI_USAGE;
    }
    int64_t end = urgent_end(clock_wall_s(), seconds);
    o->act.fitness.alone = span_str(o->word);
    int r = publish_urgent(p, span_str(o->word), span_str(o->risk), end, &done);
    r = rules_act_tell(&o->act, p, r, &done, false);
    if (r == CLI_GOOD && !o->act.common.json) {
        char text[DAY_TEXT_SIZE];
        day_format_minute(end, text);
        printf("'%s' counts until %s; somebody else approves it: juyong rules urgent approve -c %s "
               "'%s'\n",
               o->word, text, o->act.common.file, o->word);
    }
    return r;
}

static int approve(struct options *o, struct publish *p)
{
    int r = publish_confirm(p, span_str(o->word), span_str(o->risk));
    setup_print_messages(stderr, &p->report.text);
    if (r == 0 && !o->act.common.json)
        printf("'%s' is approved; it ends when it was to end\n", o->word);
    else if (r == 0)
        printf("{\"state\":\"approved\"}\n");
    return r < 0 || fflush(stdout) != 0 ? CLI_BAD : CLI_GOOD;
}

static int withdraw(struct options *o, struct publish *p)
{
    struct publish_done done;
    o->act.fitness.untested = true;
    int r = publish_withdraw(p, span_str(o->word), span_str(o->risk), &done);
    return rules_act_tell(&o->act, p, r, &done, false);
}

static int list(struct options *o)
{
    unsigned long long days = DAYS_SEEN;
    struct setup s;
    if (o->days && (!span_to_u64(span_str(o->days), &days) || days == 0 || days > 3660)) {
        fprintf(stderr, "juyong rules: --days takes a number from 1 to 3660\n");
        return CLI_USAGE;
    }
    int r = setup_load(span_str(o->act.common.file), false, &s);
    if (r)
        return r;
    r = rules_urgent_list(s.config, o->act.common.json, (unsigned)days);
    setup_deinit(&s);
    return r;
}

static int run(struct options *o)
{
    struct publish p;
    if (o->verb == LIST)
        return list(o);
    if (!is_word(span_str(o->word)))
        return CLI_USAGE;
    int r = rules_act_begin(&o->act, o->verb == ADD, &p);
    if (r)
        return r;
    r = o->verb == ADD ? add(o, &p) : o->verb == APPROVE ? approve(o, &p) : withdraw(o, &p);
    rules_act_end(&o->act, &p);
    return r;
}

int rules_urgent(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"risk", 'r', "ID", 0, "The risk type that the word is of", 0},
        {"expires", 'e', "TIME", 0, "How long it counts: 90m, 72h, 7d; at most 30d", 0},
        {"days", 'd', "N", 0, "list: how far back in the log it looks (30)", 0},
        {0},
    };
    const struct argp_child children[] = {{&rules_act_argp, 0, NULL, 0}, {0}};
    const struct argp argp = {
        .options = options,
        .parser = parse,
        .args_doc = "[add] WORD\nlist\napprove WORD\nwithdraw WORD",
        .doc = "Put one word in force at once, by one person, for some time: the version in force "
               "and the word. Somebody else approves it afterwards. It stays in what is published "
               "meanwhile until its time is over, it is withdrawn, or the library has it.\n"
               "紧急词：一人即可下达，立即生效，到期自动失效，事后由另一人批准。\v"
               "list shows each word's state, how many requests it hit since, and how many it "
               "would have hit in the log before.",
        .children = children};
    struct options o = {.verb = ADD};
    if (argp_parse(&argp, argc, argv, 0, NULL, &o) != 0)
        return CLI_USAGE;
    return run(&o);
}
