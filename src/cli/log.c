#include "cli/log.h"

#include "audit/query.h"
#include "audit/verify.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "cli/desk.h"
#include "cli/logview.h"
#include "cli/person.h"
#include "cli/setup.h"
#include "config/config.h"

#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#define FOLLOW_US 300000

enum { EXIT_OK = 0, EXIT_BAD = 1, EXIT_USAGE = 2 };

enum {
    OPT_DIR = 256,
    OPT_JSON,
    OPT_SINCE,
    OPT_UNTIL,
    OPT_ACTION,
    OPT_RISK,
    OPT_RULE,
    OPT_APP,
    OPT_DIRECTION,
    OPT_END_USER,
    OPT_MODEL,
    OPT_REQUEST,
    OPT_TEXT,
    OPT_PURPOSE,
    OPT_ALL,
    OPT_OLDEST,
    OPT_CHECKPOINTS,
    OPT_KEY,
};

struct options {
    const char *config, *dir;
    bool json;
    struct query_filter filter;
    struct verify_options verify;
    const char *request;         /* show's argument */
    bool wants_request, filters; /* of the command */
    char end_user[65];           /* the filter's id as the record names it */
};

/* ---- words into values ---- */

/* "10m", "2h", "3d", "45s": that long before now. */
static bool parse_ago(struct span text, uint64_t now_us, uint64_t *ret_us)
{
    static const struct {
        char unit;
        uint64_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}};
    unsigned long long n;
    if (text.len < 2 || !span_to_u64(span_slice(text, 0, text.len - 1), &n) || n > 1000000)
        return false;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (text.data[text.len - 1] != units[i].unit)
            continue;
        uint64_t ago = n * units[i].seconds * 1000000u;
        *ret_us = ago < now_us ? now_us - ago : 1;
        return true;
    }
    return false;
}

/* A date, or a time as RFC 3339 has it; without a zone it is the machine's. */
static bool parse_time(const char *text, uint64_t *ret_us)
{
    struct tm tm = {.tm_isdst = -1};
    if (parse_ago(span_str(text), clock_wall_us(), ret_us))
        return true;
    const char *rest = strptime(text, "%Y-%m-%d", &tm);
    if (rest && (*rest == 'T' || *rest == 't' || *rest == ' ')) {
        const char *clock = rest + 1;
        rest = strptime(clock, "%H:%M:%S", &tm);
        if (!rest)
            rest = strptime(clock, "%H:%M", &tm);
        if (rest && *rest == '.')
            for (rest++; *rest >= '0' && *rest <= '9'; rest++)
                ;
    }
    if (!rest)
        return false;
    time_t t;
    char sign = *rest;
    int hours, minutes, used = 0;
    if (sign == '\0') {
        t = mktime(&tm);
    } else if ((sign == 'Z' || sign == 'z') && rest[1] == '\0') {
        t = timegm(&tm);
    } else if ((sign == '+' || sign == '-') &&
               sscanf(rest + 1, "%2d:%2d%n", &hours, &minutes, &used) == 2 &&
               rest[1 + used] == '\0') {
        t = timegm(&tm);
        t += (sign == '+' ? -1 : 1) * (hours * 3600 + minutes * 60);
    } else {
        return false;
    }
    if (t <= 0)
        return false;
    *ret_us = (uint64_t)t * 1000000u;
    return true;
}

/* One action: that and everything heavier. Several: exactly those. */
static bool parse_actions(const char *text, struct query_filter *f)
{
    struct span rest = span_str(text), name;
    unsigned named = 0, count = 0;
    while (span_split(&rest, ',', &name)) {
        enum action a = action_from(span_trim(name));
        if (a < 0)
            return false;
        named |= 1u << a;
        count++;
    }
    if (count == 0)
        return false;
    unsigned all = (1u << ACTION_COUNT) - 1;
    f->actions = count == 1 ? all & ~(named - 1) : named;
    f->all |= f->actions & 1u << ACTION_ALLOW;
    return true;
}

static error_t parse_filter(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;
    struct query_filter *f = &o->filter;
    unsigned long long n;
    switch (key) {
    case OPT_SINCE:
    case OPT_UNTIL:
        if (!parse_time(arg, key == OPT_SINCE ? &f->since_us : &f->until_us))
            argp_error(state, "'%s' is no time: 2026-11-24, 2026-11-24T10:00:00Z, 10m, 2h, 3d",
                       arg);
        break;
    case OPT_ACTION:
        if (!parse_actions(arg, f))
            argp_error(state, "'%s' is no action: allow, flag, mask, answer, block", arg);
        break;
    case OPT_RISK:
        f->risk = span_str(arg);
        break;
    case OPT_RULE:
        f->rule = span_str(arg);
        break;
    case OPT_APP:
        f->app = span_str(arg);
        break;
    case OPT_DIRECTION:
        if (strcmp(arg, "prompt") == 0)
            f->direction = DIRECTION_PROMPT;
        else if (strcmp(arg, "completion") == 0)
            f->direction = DIRECTION_COMPLETION;
        else
            argp_error(state, "'%s' is no direction: prompt, completion", arg);
        break;
    case OPT_END_USER:
        f->end_user = span_str(arg);
        break;
    case OPT_MODEL:
        f->model = span_str(arg);
        break;
    case OPT_REQUEST:
        f->request_id = span_str(arg);
        f->any_purpose = true;
        break;
    case OPT_PURPOSE:
        f->any_purpose = strcmp(arg, "any") == 0;
        f->purpose = span_str(f->any_purpose ? "" : arg);
        f->all = true; /* what a reviewer was let through is of interest, too */
        if (!f->any_purpose && strcmp(arg, "regulator-enforce") != 0 &&
            strcmp(arg, "regulator-observe") != 0)
            argp_error(state, "'%s' is no purpose: regulator-enforce, regulator-observe, any", arg);
        break;
    case OPT_TEXT:
        f->text = span_str(arg);
        break;
    case 'n':
        if (!span_to_u64(span_str(arg), &n) || n == 0)
            argp_error(state, "'%s' is no number of rows", arg);
        f->limit = (size_t)n;
        break;
    case OPT_ALL:
        f->all = true;
        break;
    case OPT_OLDEST:
        f->oldest_first = true;
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static error_t parse_common(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        if (o->filters)
            state->child_inputs[0] = o;
        break;
    case 'c':
        o->config = arg;
        break;
    case OPT_DIR:
        o->dir = arg;
        break;
    case OPT_JSON:
        o->json = true;
        break;
    case OPT_CHECKPOINTS:
        o->verify.checkpoints = span_str(arg);
        break;
    case OPT_KEY:
        o->verify.public_key = span_str(arg);
        break;
    case ARGP_KEY_ARG:
        if (!o->wants_request || o->request)
            argp_error(state, "too many arguments: '%s'", arg);
        o->request = arg;
        break;
    case ARGP_KEY_END:
        if (!o->config && !o->dir)
            argp_error(state, "say which log: -c FILE (the gateway's configuration) or --dir DIR");
        if (o->wants_request && !o->request)
            argp_error(state, "say which request: the x-request-id of its answer");
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

#define COMMON_OPTIONS                                                                             \
    {"config", 'c', "FILE", 0, "The gateway's configuration, which names the log (配置文件)", 10}, \
        {"dir", OPT_DIR, "DIR", 0, "The log's directory, instead (日志目录)", 10},                 \
    {                                                                                              \
        "json", OPT_JSON, NULL, 0, "One JSON object a line (每行一个 JSON)", 10                    \
    }

static const struct argp_option filter_options[] = {
    {"since", OPT_SINCE, "TIME", 0, "From then on: 2026-11-24, RFC 3339, or 10m, 2h, 3d ago", 1},
    {"until", OPT_UNTIL, "TIME", 0, "Before then", 1},
    {"action", OPT_ACTION, "ACTION[,...]", 0,
     "One action: that and heavier ones; several: exactly those (allow flag mask answer block)", 1},
    {"risk", OPT_RISK, "RISK", 0, "A risk type or the beginning of one, such as A1", 1},
    {"rule", OPT_RULE, "ID", 0, "One rule", 1},
    {"app", OPT_APP, "NAME", 0, "One app", 1},
    {"direction", OPT_DIRECTION, "prompt|completion", 0, "Towards the model or from it", 1},
    {"end-user", OPT_END_USER, "ID", 0,
     "One end user, by the app's id (with -c) or by the record's HMAC of it", 1},
    {"model", OPT_MODEL, "ID", 0, "One model, as asked or as answered", 1},
    {"request", OPT_REQUEST, "ID", 0, "One exchange", 1},
    {"text", OPT_TEXT, "TEXT", 0, "Occurs in a match, its context or its folded form", 1},
    {"purpose", OPT_PURPOSE, "PURPOSE", 0,
     "Reviewers' tests, which are left out else: regulator-enforce, regulator-observe; or any", 1},
    {"all", OPT_ALL, NULL, 0, "Also what was allowed, and operators' acts", 1},
    {"oldest-first", OPT_OLDEST, NULL, 0, "In the order of time", 1},
    {"limit", 'n', "N", 0, "At most N rows", 1},
    {0},
};
static const struct argp filter_argp = {.options = filter_options, .parser = parse_filter};
static const struct argp_child filter_child[] = {{&filter_argp, 0, NULL, 0}, {0}};

static const struct argp_option common_options[] = {COMMON_OPTIONS, {0}};
static const struct argp_option verify_options[] = {
    {"checkpoints", OPT_CHECKPOINTS, "FILE", 0,
     "Checkpoints that were exported, instead of those beside the log (异地保存的检查点)", 1},
    {"key", OPT_KEY, "FILE", 0, "Public key of the checkpoints, likewise (检查点公钥)", 1},
    COMMON_OPTIONS,
    {0},
};

/* ---- which log ---- */

/* The record knows end users only by an HMAC: an id that is not one yet becomes one. */
static bool hash_end_user(struct options *o, const struct config *c)
{
    struct span id = o->filter.end_user;
    if (id.len == 0)
        return true;
    if (!person_find("juyong log", c, c->audit.dir, id, PERSON_IN_LOG | PERSON_OR_ID, o->end_user))
        return false;
    o->filter.end_user = span_str(o->end_user);
    return true;
}

/* Who looks at a person's records is on record, too; a copy of a log (--dir) can't tell. */
static bool record_lookup(const struct options *o, const struct config *config)
{
    char login[256];
    uint64_t seq;
    setup_login(login, sizeof(login));
    struct desk_act act = {.verb = DESK_LOOKUP,
                           .app = o->filter.app,
                           .end_user = o->filter.end_user,
                           .what = SPAN_LIT("log list"),
                           .author = span_str(login),
                           .login = span_str(login)};
    struct desk_answer answer = {0};
    if (query_last_seq(config->audit.dir, &seq) < 0)
        return true; /* none at all: the reading tells */
    int r = desk_ask(config, &act, DESK_WAIT_MS, &answer);
    if (r == 0 && answer.error[0] == '\0')
        return true;
    fprintf(stderr, "juyong log: that a person's records are looked at can't be recorded: %s\n",
            r < 0 ? strerror(-r) : answer.error);
    return false;
}

/* The log's directory into ret_dir. False: a message was printed. */
static bool find_dir(struct options *o, char ret_dir[PATH_MAX])
{
    if (o->dir) {
        if (snprintf(ret_dir, PATH_MAX, "%s", o->dir) < PATH_MAX)
            return true;
        fprintf(stderr, "juyong log: the directory's name is too long\n");
        return false;
    }
    struct buf messages = BUF_INIT(1u << 20);
    struct config *config = NULL;
    int r = config_load(span_str(o->config), &messages, &config);
    bool good = r == 0 && config->audit.dir.len < PATH_MAX;
    if (good) {
        memcpy(ret_dir, config->audit.dir.data, config->audit.dir.len);
        ret_dir[config->audit.dir.len] = '\0';
        good =
            hash_end_user(o, config) && (o->filter.end_user.len == 0 || record_lookup(o, config));
    } else {
        fwrite(messages.data, 1, messages.len, stderr);
        if (messages.len == 0)
            fprintf(stderr, "juyong log: %s: %s\n", o->config, strerror(r < 0 ? -r : ENAMETOOLONG));
    }
    config_unref(config);
    buf_deinit(&messages);
    return good;
}

static int complain(const char *dir, int r)
{
    if (r == -ENOENT)
        fprintf(stderr, "juyong log: there is no log in %s yet\n", dir);
    else if (r == -EPROTO)
        fprintf(stderr, "juyong log: %s was written by a newer juyong\n", dir);
    else if (r == -EBADMSG)
        fprintf(stderr, "juyong log: %s is damaged; `juyong log verify` tells more\n", dir);
    else
        fprintf(stderr, "juyong log: %s: %s\n", dir, strerror(-r));
    return EXIT_BAD;
}

/* ---- the subcommands ---- */

/* Prints all rows of a query. The number of rows, or negative. */
static long print_rows(const char *dir, const struct query_filter *f, const struct logview *v,
                       void (*print)(const struct logview *, const struct query_row *))
{
    struct query *q = NULL;
    const struct query_row *row;
    long count = 0;
    int r = query_open(span_str(dir), f, &q);
    while (r >= 0 && (r = query_next(q, &row)) == 1) {
        print(v, row);
        count++;
        /* Whoever read has left: head, less, a closed terminal. */
        if (ferror(v->out))
            break;
    }
    query_close(q);
    return r < 0 ? r : count;
}

static int run_list(const struct options *o, const char *dir)
{
    struct logview v;
    logview_init(&v);
    if (!o->json)
        logview_head(&v);
    long r = print_rows(dir, &o->filter, &v, o->json ? logview_json : logview_row);
    return r < 0 ? complain(dir, (int)r) : EXIT_OK;
}

static int run_show(const struct options *o, const char *dir)
{
    struct logview v;
    logview_init(&v);
    struct query_filter f = {
        .request_id = span_str(o->request), .all = true, .any_purpose = true, .limit = 1};
    long r = print_rows(dir, &f, &v, o->json ? logview_json : logview_show);
    if (r < 0)
        return complain(dir, (int)r);
    if (r == 0) {
        fputs("juyong log: no exchange ", stderr);
        logview_text(stderr, span_str(o->request));
        fputs(" is in the log\n", stderr);
        return EXIT_BAD;
    }
    return EXIT_OK;
}

static int run_follow(const struct options *o, const char *dir)
{
    struct logview v;
    struct query_filter f = o->filter;
    uint64_t seen = 0;
    logview_init(&v);
    int r = query_last_seq(span_str(dir), &seen);
    if (r < 0 && r != -ENOENT)
        return complain(dir, r);
    if (!o->json)
        logview_head(&v);
    fflush(v.out);
    f.follow = true;
    size_t left = f.limit;
    while (!ferror(v.out)) {
        uint64_t last = seen;
        r = query_last_seq(span_str(dir), &last);
        if (r == 0 && last > seen) {
            f.after_seq = seen;
            f.upto_seq = last;
            f.limit = left;
            long n = print_rows(dir, &f, &v, o->json ? logview_json : logview_row);
            if (n < 0)
                return complain(dir, (int)n);
            seen = last;
            fflush(v.out);
            if (left && (left -= (size_t)n) == 0)
                break;
        } else if (r < 0 && r != -ENOENT) {
            return complain(dir, r);
        }
        usleep(FOLLOW_US);
    }
    return EXIT_OK;
}

static void print_report(const struct verify_report *r, bool whole, double seconds)
{
    if (whole)
        printf("whole: records %" PRIu64 " to %" PRIu64 " in %" PRIu64 " file%s\n", r->first_seq,
               r->last_seq, r->files, r->files == 1 ? "" : "s");
    else if (r->seq)
        printf("NOT WHOLE: %s, record %" PRIu64 ": %s\n", r->file, r->seq, r->what);
    else
        printf("NOT WHOLE: %s: %s\n", r->file, r->what);
    if (!whole)
        printf("up to there: %" PRIu64 " records\n", r->records);
    printf("texts: %" PRIu64 " match their commitment, %" PRIu64 " removed\n", r->texts,
           r->texts_absent);
    if (r->checkpoints)
        printf("checkpoints: %" PRIu64 " good, the last one at record %" PRIu64 "\n",
               r->checkpoints, r->checkpoint_size);
    else
        printf("checkpoints: none\n");
    if (r->gaps)
        printf("gaps: %" PRIu64 ", %" PRIu64 " records lost\n", r->gaps, r->lost);
    if (whole && r->first_seq > 1)
        printf("records before %" PRIu64 " were removed with their files\n", r->first_seq);
    printf("%.2f s, %.0f records/s\n", seconds, seconds > 0 ? (double)r->records / seconds : 0);
}

static int run_verify(const struct options *o, const char *dir)
{
    struct verify_options options = o->verify;
    struct verify_report report;
    options.dir = span_str(dir);
    uint64_t begin = clock_mono_us();
    int r = verify_run(&options, &report);
    double seconds = (double)(clock_mono_us() - begin) / 1e6;
    if (r < 0)
        return complain(dir, r);
    if (!o->json) {
        print_report(&report, r == 0, seconds);
        return r == 0 ? EXIT_OK : EXIT_BAD;
    }
    printf("{\"whole\":%s,\"files\":%" PRIu64 ",\"records\":%" PRIu64 ",\"first_seq\":%" PRIu64
           ",\"last_seq\":%" PRIu64 ",\"texts\":%" PRIu64 ",\"texts_removed\":%" PRIu64
           ",\"checkpoints\":%" PRIu64 ",\"checkpoint_size\":%" PRIu64 ",\"gaps\":%" PRIu64
           ",\"lost\":%" PRIu64 ",\"seconds\":%.3f",
           r == 0 ? "true" : "false", report.files, report.records, report.first_seq,
           report.last_seq, report.texts, report.texts_absent, report.checkpoints,
           report.checkpoint_size, report.gaps, report.lost, seconds);
    if (r == 1) {
        fputs(",\"file\":", stdout);
        logview_string(stdout, span_str(report.file));
        printf(",\"seq\":%" PRIu64 ",\"what\":", report.seq);
        logview_string(stdout, span_str(report.what));
    }
    fputs("}\n", stdout);
    return r == 0 ? EXIT_OK : EXIT_BAD;
}

static const struct command {
    const char *name;
    int (*run)(const struct options *o, const char *dir);
    const char *args, *doc;
    const struct argp_option *options;
    const struct argp_child *children;
} commands[] = {
    {"list", run_list, "",
     "List exchanges, interceptions only unless told otherwise.\n"
     "列出拦截记录（--all 列出全部）。",
     common_options, filter_child},
    {"show", run_show, "REQUEST_ID",
     "Show everything that is known of one exchange.\n"
     "显示一次请求的完整记录。",
     common_options, NULL},
    {"follow", run_follow, "", "Print exchanges as they are recorded.\n实时显示新的记录。",
     common_options, filter_child},
    {"verify", run_verify, "",
     "Check that no record was changed, removed or added; names the first that was.\n"
     "校验日志是否被改动，并指出第一条有问题的记录。",
     verify_options, NULL},
};
#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

static int print_usage(FILE *out)
{
    fputs("Usage: juyong log COMMAND -c FILE [OPTION...]\n"
          "Reads the decision log. 查询与校验审核日志。\n\n"
          "  list               interceptions, newest first (拦截记录)\n"
          "  show REQUEST_ID    one exchange in full (单次请求的完整记录)\n"
          "  follow             new ones as they come (实时跟踪)\n"
          "  verify             find any change to the log (校验完整性)\n\n"
          "`juyong log COMMAND --help` lists the options of a command.\n",
          out);
    return out == stdout ? EXIT_OK : EXIT_USAGE;
}

static int run_command(const struct command *c, int argc, char **argv)
{
    struct options o = {.wants_request = c->run == run_show, .filters = c->children != NULL};
    struct argp argp = {
        .options = c->options,
        .parser = parse_common,
        .args_doc = c->args,
        .doc = c->doc,
        .children = c->children,
    };
    char dir[PATH_MAX], name[64];
    /* argp takes the program's name for its messages from argv[0]. */
    snprintf(name, sizeof(name), "juyong log %s", c->name);
    argv[0] = name;
    argp_err_exit_status = EXIT_USAGE;
    if (argp_parse(&argp, argc, argv, 0, NULL, &o) != 0)
        return EXIT_USAGE;
    if (!find_dir(&o, dir))
        return EXIT_BAD;
    /* A reader that leaves early ends us as an error of writing, not as a death. */
    signal(SIGPIPE, SIG_IGN);
    int r = c->run(&o, dir);
    return fflush(stdout) == 0 || errno == EPIPE ? r : EXIT_BAD;
}

int cli_log(int argc, char **argv)
{
    if (argc < 2)
        return print_usage(stderr);
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-?") == 0 ||
        strcmp(argv[1], "help") == 0)
        return print_usage(stdout);
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return run_command(&commands[i], argc - 1, argv + 1);
    fprintf(stderr, "juyong log: there is no command '");
    logview_text(stderr, span_str(argv[1]));
    fprintf(stderr, "'\n");
    return print_usage(stderr);
}
