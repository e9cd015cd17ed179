/* `juyong filing questions derive`: wraps questions in the techniques of those who attack. */
#include "cli/questions.h"

#include "question/derive.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OUT_MAX BANK_FILE_MAX /* more could not be read back */
#define PER_MAX 8

struct options {
    struct questions_common common;
    const char *output;
    uint64_t seed;
    uint32_t techniques;
    unsigned per;
    bool seeded;
};

static uint32_t parse_techniques(struct argp_state *state, const char *arg)
{
    struct span rest = span_str(arg), name;
    uint32_t bits = 0;
    if (!strcmp(arg, "all"))
        return UINT32_MAX;
    while (span_split(&rest, ',', &name)) {
        unsigned long long n = 0;
        name = span_trim(name);
        if (name.len == 3 && name.data[0] == 'T' && span_to_u64(span_slice(name, 1, 3), &n) &&
            n >= 1 && n <= BANK_TECHNIQUES)
            bits |= UINT32_C(1) << n;
        else
            argp_error(state, "--technique is all, or of T01 to T%d with commas; not '%.*s'",
                       BANK_TECHNIQUES, SPAN_ARG(name));
    }
    return bits;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;
    unsigned long long n;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &o->common;
        return 0;
    case 's':
        if (!span_to_u64(span_str(arg), &n))
            argp_error(state, "--seed is a number");
        else
            o->seed = n;
        o->seeded = true;
        return 0;
    case 't':
        o->techniques = parse_techniques(state, arg);
        return 0;
    case 'p':
        if (!span_to_u64(span_str(arg), &n) || n < 1 || n > PER_MAX)
            argp_error(state, "--per is 1 to %d", PER_MAX);
        else
            o->per = (unsigned)n;
        return 0;
    case 'o':
        o->output = arg;
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "unexpected argument '%s'", arg);
        return EINVAL;
    case ARGP_KEY_END:
        if (!o->seeded || !o->techniques)
            argp_error(state, "--seed N and --technique LIST are needed");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* The techniques behind the options: argp frees what it is given. */
static char *help(int key, const char *text, void *input)
{
    struct buf out = BUF_INIT(65536);
    size_t len;
    if (key != ARGP_KEY_HELP_POST_DOC)
        return (char *)text;
    for (unsigned t = 1; t <= BANK_TECHNIQUES; t++) {
        const struct derive_technique *d = derive_technique_get(t);
        buf_printf(&out, "T%02u %s %s (%u way%s)%s%s\n", t, d->name, d->name_zh, d->shapes,
                   d->shapes > 1 ? "s" : "", d->limit ? ": " : "", d->limit ? d->limit : "");
    }
    buf_printf(&out,
               "\nOf the answer bank only the techniques that leave an ordinary question ordinary "
               "are made: T05, T06, T08, T15, T17, T19. What is derived stands beside its seed by "
               "\"seed\" and \"technique\", is never counted towards a minimum, and is the same "
               "for the same seed number, banks and library.");
    char *made = buf_take(&out, &len);
    buf_deinit(&out);
    return made;
}

/* ---- the work ---- */

static bool is_wanted(void *ctx, const struct question *q)
{
    return questions_wanted(ctx, q);
}

/*
 * May what is there be replaced? Only what was derived, too, can be made again; everything else is
 * somebody's work. False with a line on stderr.
 */
static bool may_replace(const struct options *o, const struct setup *s)
{
    struct buf messages = BUF_INIT(1u << 20);
    struct bank *there = NULL;
    if (!o->output || access(o->output, F_OK) != 0)
        return true;
    bool good = bank_read_file(span_str(o->output), s->rules, &messages, &there) == 0;
    for (size_t i = 0; good && i < bank_count(there); i++)
        good = bank_at(there, i)->seed.len > 0;
    if (!good)
        fprintf(stderr,
                "juyong filing questions derive: %s is there already, and is no file of derived "
                "questions: it is left as it is\n",
                o->output);
    bank_free(there);
    buf_deinit(&messages);
    return good;
}

/*
 * Is what was made a good bank, and does none of its ids stand in another file than the one that is
 * replaced? Prints what is wrong.
 */
static bool check(const struct options *o, const struct setup *s, const struct bank *b,
                  const struct buf *made)
{
    struct buf messages = BUF_INIT(1u << 20);
    struct bank *derived = NULL;
    struct stat st;
    bool there = o->output && stat(o->output, &st) == 0, good;
    good = bank_read_text(buf_span(made), span_str(o->output ? o->output : "derived"), s->rules,
                          &messages, &derived) == 0;
    for (size_t i = 0; good && o->output && i < bank_count(derived); i++) {
        const struct question *q = bank_at(derived, i), *other = bank_find(b, q->id);
        if (!other || (there && banks_is_file(other->place.file, &st)))
            continue;
        place_printf(&messages, other->place, "'%.*s' is there already: take -o of that file",
                     SPAN_ARG(q->id));
        good = false;
    }
    setup_print_messages(stderr, &messages);
    bank_free(derived);
    buf_deinit(&messages);
    return good;
}

static void report(const struct options *o, const struct derive_counts *n)
{
    size_t made = 0;
    for (unsigned t = 1; t <= BANK_TECHNIQUES; t++) {
        const struct derive_technique *d = derive_technique_get(t);
        made += n->made[t];
        if (!(o->techniques >> t & 1) || (n->made[t] == 0 && n->unfit[t] == 0))
            continue;
        fprintf(stderr, "%7zu T%02u %s %s", n->made[t], t, d->name, d->name_zh);
        if (n->unfit[t])
            fprintf(stderr,
                    "; %zu seeds that are conversations, that it would leave as they are, or make "
                    "too long",
                    n->unfit[t]);
        fputc('\n', stderr);
    }
    fprintf(stderr,
            "%7zu derived of %zu seeds; none of them counts towards a minimum · 派生题不计数\n",
            made, n->seeds);
}

static int write_out(const struct options *o, const struct buf *made)
{
    if (!o->output)
        return setup_write(stdout, made) ? CLI_GOOD : CLI_BAD;
    int r = banks_write(o->output, buf_span(made));
    if (r < 0)
        fprintf(stderr, "juyong filing questions derive: %s: %s\n", o->output, strerror(-r));
    return r < 0 ? CLI_BAD : CLI_GOOD;
}

static int derive(struct options *o, const struct setup *s, const struct bank *b)
{
    struct buf made = BUF_INIT(OUT_MAX);
    struct derive_counts counts;
    struct derivation d = {
        .bank = b,
        .rules = s->rules,
        .rules_dir = s->config->rules_dir,
        .seed = o->seed,
        .techniques = o->techniques,
        .per = o->per,
        .wanted = is_wanted,
        .ctx = &o->common,
    };
    if (o->output && !banks_is_target(s, "juyong filing questions derive", o->output))
        return CLI_BAD;
    if (!may_replace(o, s))
        return CLI_BAD;
    int r = derive_questions(&d, &made, &counts);
    if (r < 0)
        fprintf(stderr, "juyong filing questions derive: %s\n",
                r == -EMSGSIZE ? "more than 64 MiB would be made: ask for fewer" : strerror(-r));
    r = r == 0 && check(o, s, b, &made) ? write_out(o, &made) : CLI_BAD;
    if (r == CLI_GOOD)
        report(o, &counts);
    buf_deinit(&made);
    return r;
}

int questions_derive(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"seed", 's', "N", 0, "Which wraps are chosen: the same number, the same wraps", 0},
        {"technique", 't', "LIST", 0, "T01 to T28 with commas, or all", 0},
        {"per", 'p', "K", 0, "Of each question and technique at most so many; 1 unless told", 0},
        {"output", 'o', "FILE", 0,
         "The file to write, whole, such as rules/questions/derived.jsonl, where nothing or what "
         "was derived may be; else stdout",
         0},
        {0},
    };
    static const struct argp_child children[] = {{&questions_argp, 0, NULL, 0}, {0}};
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .children = children,
        .help_filter = help,
        .doc = "Wrap questions in the techniques by which testers try to get past a filter.\n"
               "按攻击手法 T01–T28 派生测试题，须给定种子数；派生题不计入达标数量。\v ",
    };
    struct options o = {.per = 1};
    struct setup s;
    struct bank *b = NULL;
    if (argp_parse(&argp, argc, argv, 0, NULL, &o) != 0)
        return CLI_USAGE;
    int r = questions_load(&o.common, &s, &b);
    if (r)
        return r;
    r = derive(&o, &s, b);
    bank_free(b);
    setup_deinit(&s);
    return r;
}
