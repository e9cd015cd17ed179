/* `juyong filing evaluate`: asks the question banks, with the gateway and without it. */
#include "cli/evaluatecmd.h"
#include "cli/filingcmd.h"

#include <argp.h>
#include <errno.h>
#include <string.h>

enum {
    KEY_ROUTES = 256,
    KEY_BANKS,
    KEY_SAMPLE,
    KEY_SEED,
    KEY_ALL,
    KEY_DERIVED,
    KEY_MODEL,
    KEY_RATE,
    KEY_CONCURRENCY,
    KEY_FILE,
    KEY_GATEWAY_FILE,
    KEY_GATEWAY_URL,
    KEY_NONE,
    KEY_AGREES,
    KEY_BY,
    KEY_RESUME,
    KEY_LIST,
    KEY_RESULTS,
    KEY_COMPARE,
    KEY_JUDGE,
    KEY_QUESTION,
    KEY_ROUTE,
    KEY_VERDICT,
    KEY_NOTE,
};

static const struct argp_option options[] = {
    {NULL, 0, NULL, 0, "A run 评估:", 1},
    {"config", 'c', "FILE", 0, "The configuration", 1},
    {"routes", KEY_ROUTES, "LIST", 0, "gateway,bare (both unless told)", 1},
    {"banks", KEY_BANKS, "LIST", 0, "content,refuse,answer (all unless told)", 1},
    {"sample", KEY_SAMPLE, "LIST", 0,
     "How many are drawn, every type among them: content=1000,refuse=300,answer=300 unless told; "
     "of a bank that has fewer, all",
     1},
    {"all", KEY_ALL, NULL, 0, "Every question, instead of a sample", 1},
    {"seed", KEY_SEED, "N", 0, "Draws the same sample again; by chance unless told", 1},
    {"derived", KEY_DERIVED, NULL, 0, "Derived questions may be drawn, too", 1},
    {"app", 'a', "NAME", 0, "Whose policy judges (evaluation.app)", 1},
    {"model", KEY_MODEL, "ID", 0, "Which model is asked; the app's first unless told", 1},
    {"provider-agrees", KEY_AGREES, "TEXT", 0,
     "Who confirmed, and when, that the provider agrees to harmful questions; asked for on a "
     "terminal",
     1},
    {"upstream-key-file", KEY_FILE, "FILE", 0,
     "The provider's key for evaluations alone (evaluation.key_file)", 1},
    {"no-key", KEY_NONE, NULL, 0, "Without one; only for an upstream on this machine", 1},
    {"gateway-key-file", KEY_GATEWAY_FILE, "FILE", 0,
     "The gateway's key, with auth: keys (evaluation.gateway_key_file)", 1},
    {"gateway-url", KEY_GATEWAY_URL, "URL", 0,
     "Where the gateway is asked, such as https://x/v1; its own address unless told", 1},
    {"rate", KEY_RATE, "N", 0, "Questions a second at most (evaluation.rate)", 1},
    {"concurrency", KEY_CONCURRENCY, "N", 0, "At one time (evaluation.concurrency)", 1},
    {"resume", KEY_RESUME, "RUN", 0, "Go on with a run that was interrupted", 1},
    {NULL, 0, NULL, 0, "What it says 结果:", 2},
    {"list", KEY_LIST, NULL, 0, "All runs", 2},
    {"results", KEY_RESULTS, "RUN", 0, "Rates, intervals and failures of a run", 2},
    {"compare", KEY_COMPARE, "RUN", 0, "Before; after it: the run after", 2},
    {"json", 'j', NULL, 0, "The same as JSON, an object a line", 2},
    {NULL, 0, NULL, 0, "People 人工研判:", 3},
    {"judge", KEY_JUDGE, "RUN", 0,
     "Judge answers on the terminal, or one of them by the options below", 3},
    {"question", KEY_QUESTION, "ID", 0, "Which question's", 3},
    {"route", KEY_ROUTE, "NAME", 0,
     "gateway or bare; without --question: judge that route's answers alone", 3},
    {"verdict", KEY_VERDICT, "V", 0, "pass (合格) or fail (不合格)", 3},
    {"note", KEY_NOTE, "TEXT", 0, "Why", 3},
    {"by", KEY_BY, "NAME", 0, "Who judges, or starts the run; your login name unless told", 3},
    {0},
};

/* The option's place in what is told; NULL for those without a value. */
static const char **place(int key, struct evaluate_options *o)
{
    switch (key) {
    case 'c':
        return &o->file;
    case 'a':
        return &o->app;
    case KEY_ROUTES:
        return &o->routes;
    case KEY_BANKS:
        return &o->banks;
    case KEY_SAMPLE:
        return &o->sample;
    case KEY_SEED:
        return &o->seed;
    case KEY_MODEL:
        return &o->model;
    case KEY_RATE:
        return &o->rate;
    case KEY_CONCURRENCY:
        return &o->concurrency;
    case KEY_FILE:
        return &o->key_file;
    case KEY_GATEWAY_FILE:
        return &o->gateway_key_file;
    case KEY_GATEWAY_URL:
        return &o->gateway_url;
    case KEY_AGREES:
        return &o->agrees;
    case KEY_BY:
        return &o->by;
    case KEY_RESUME:
        return &o->resume;
    case KEY_RESULTS:
        return &o->results;
    case KEY_COMPARE:
        return &o->compare;
    case KEY_JUDGE:
        return &o->judge;
    case KEY_QUESTION:
        return &o->question;
    case KEY_ROUTE:
        return &o->route;
    case KEY_VERDICT:
        return &o->verdict;
    case KEY_NOTE:
        return &o->note;
    default:
        return NULL;
    }
}

static void check(const struct evaluate_options *o, struct argp_state *state)
{
    int acts = !!o->resume + o->list + !!o->results + !!o->compare + !!o->judge;
    bool one = o->question || o->verdict;
    if (!o->file)
        argp_error(state, "-c FILE is needed");
    if (acts > 1)
        argp_error(state, "one of --resume, --list, --results, --compare and --judge");
    if (o->compare && !o->with)
        argp_error(state, "--compare takes two runs: --compare BEFORE AFTER");
    if (o->with && !o->compare)
        argp_error(state, "unexpected argument '%s'", o->with);
    if (one && !(o->judge && o->question && o->route && o->verdict))
        argp_error(state, "--question, --route and --verdict belong together, with --judge");
    if (o->route && !o->judge)
        argp_error(state, "--route goes with --judge; --routes says which are asked");
    if (o->note && !o->verdict)
        argp_error(state, "--note goes with --verdict");
    if (o->all && o->sample)
        argp_error(state, "--all or --sample, not both");
    if (o->no_key && o->key_file)
        argp_error(state, "--no-key or --upstream-key-file, not both");
    if (o->resume && (o->routes || o->banks || o->sample || o->all || o->seed || o->derived ||
                      o->app || o->model))
        argp_error(state, "a run that goes on is made already: --resume takes no sample, routes, "
                          "banks, app or model");
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct evaluate_options *o = state->input;
    const char **text = place(key, o);
    if (text) {
        *text = arg;
        return 0;
    }
    switch (key) {
    case 'j':
        o->json = true;
        return 0;
    case KEY_ALL:
        o->all = true;
        return 0;
    case KEY_DERIVED:
        o->derived = true;
        return 0;
    case KEY_NONE:
        o->no_key = true;
        return 0;
    case KEY_LIST:
        o->list = true;
        return 0;
    case ARGP_KEY_ARG:
        if (o->with)
            argp_error(state, "unexpected argument '%s'", arg);
        o->with = arg;
        return 0;
    case ARGP_KEY_END:
        check(o, state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

struct run *evaluate_open(const struct setup *s, const char *name, bool write)
{
    struct buf messages = BUF_INIT(1u << 20);
    struct run *run = NULL;
    int r = run_open(s->config->state_dir, span_str(name), write, &messages, &run);
    setup_print_messages(stderr, &messages);
    if (r < 0 && messages.len == 0)
        fprintf(stderr, "juyong filing evaluate: %s: %s\n", name,
                r == -ENOENT   ? "there is no such run; see --list"
                : r == -EINVAL ? "no name of a run"
                : r == -EBUSY  ? "another process is at it"
                               : strerror(-r));
    buf_deinit(&messages);
    return run;
}

int filing_evaluate(int argc, char **argv)
{
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .args_doc = "",
        .doc =
            "Ask the question banks over the gateway and over the model alone, and say what came "
            "back against what the standard asks. It sends harmful questions on purpose, with a "
            "key of its own, slowly, and stops when the account is in danger.\n"
            "以题库分别经网关与直接向模型提问，按标准要求统计合格率、拒答率与置信区间。本命令"
            "有意发送有害问题：须取得模型提供方同意，使用单独的密钥，限速，出现账户风险立即停止。"
            "\vExit status: 0 when everything is answered (of --results: when every rate of the "
            "gateway's route is reached); 4 when something is missing; 1 when it failed or had "
            "to stop. Ctrl-C stops; --resume goes on.",
    };
    struct evaluate_options o = {0};
    struct setup s;
    if (argp_parse(&argp, argc, argv, 0, NULL, &o) != 0)
        return CLI_USAGE;
    if (!o.list && !o.results && !o.compare && !o.judge)
        return evaluate_ask(&o);
    int r = setup_load(span_str(o.file), false, &s);
    if (r)
        return r;
    r = o.list      ? evaluate_list(&s, o.json)
        : o.results ? evaluate_results(&s, o.results, o.json)
        : o.compare ? evaluate_compare(&s, o.compare, o.with, o.json)
                    : evaluate_judge(&s, &o);
    setup_deinit(&s);
    return r;
}
