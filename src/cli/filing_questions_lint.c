/* `juyong filing questions lint`: are the banks fit to be handed in? */
#include "cli/coverage.h"
#include "cli/questions.h"
#include "question/banklint.h"

#include <errno.h>
#include <string.h>

struct options {
    struct questions_common common;
    const char *app;
    bool strict;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &o->common;
        return 0;
    case 'a':
        o->app = arg;
        return 0;
    case 's':
        o->strict = true;
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "unexpected argument '%s'", arg);
        return EINVAL;
    case ARGP_KEY_END:
        if (o->common.kinds || o->common.risk)
            argp_error(state, "all banks are looked at, for questions of one are held against "
                              "the others");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int report(const struct options *o, const struct bank_lint *n)
{
    size_t bad = n->blocked + n->opposed + n->orphaned, doubts = n->repeated + n->near + n->empty;
    if (o->common.json)
        printf("{\"judged\":%zu,\"blocked\":%zu,\"opposed\":%zu,\"orphaned\":%zu,\"repeated\":%zu,"
               "\"near\":%zu,\"empty\":%zu}\n",
               n->judged, n->blocked, n->opposed, n->orphaned, n->repeated, n->near, n->empty);
    else
        printf("%zu of %zu questions that must be answered are stopped by our own rules · "
               "误拦截\n%zu are to be refused and answered both · 题库矛盾\n%zu are derived of "
               "nothing that fits · 派生来源不符\n%zu repeat another, %zu nearly · 重复、近似\n"
               "%zu types have no question · 空类别\n",
               n->blocked, n->judged, n->opposed, n->orphaned, n->repeated, n->near, n->empty);
    return bad || (o->strict && doubts) ? CLI_BAD : CLI_GOOD;
}

static int lint(const struct options *o, const struct setup *s, const struct bank *b)
{
    struct buf messages = BUF_INIT(16u << 20);
    struct bank_lint n;
    const struct config_app *app = coverage_app(s, o->app);
    if (!app)
        return CLI_BAD;
    int r =
        bank_lint(&(struct bank_linting){.bank = b, .rules = s->rules, .app = app}, &messages, &n);
    setup_print_messages(stderr, &messages);
    buf_deinit(&messages);
    if (r < 0)
        fprintf(stderr, "juyong filing questions lint: %s\n", strerror(-r));
    return r < 0 ? CLI_BAD : report(o, &n);
}

int questions_lint(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"app", 'a', "NAME", 0, "Whose policy says what is stopped; default unless told", 0},
        {"strict", 's', NULL, 0, "Exit 1 on repeats and empty types, too", 0},
        {0},
    };
    static const struct argp_child children[] = {{&questions_argp, 0, NULL, 0}, {0}};
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .children = children,
        .doc = "Judge each question that must be answered by our own rules, as a prompt; look for "
               "questions that repeat others or nearly do, that one bank refuses and another "
               "answers, for derived ones without their seed, for types without a question. Exit 1 "
               "when one is stopped, opposed or without its seed.\n"
               "用自有规则试判非拒答题（检查误拦截），并检查重复、近似、矛盾与空类别。",
    };
    struct options o = {0};
    struct setup s;
    struct bank *b = NULL;
    if (argp_parse(&argp, argc, argv, 0, NULL, &o) != 0)
        return CLI_USAGE;
    int r = questions_load(&o.common, &s, &b);
    if (r)
        return r;
    r = lint(&o, &s, b);
    bank_free(b);
    setup_deinit(&s);
    return r;
}
