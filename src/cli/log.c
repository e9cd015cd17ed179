#include "cli/log.h"

#include "audit/query.h"
#include "audit/verify.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "cli/keep.h"
#include "cli/logbook.h"
#include "cli/logfilter.h"
#include "cli/logview.h"
#include "cli/setup.h"
#include "config/config.h"

#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>

#define FOLLOW_US 300000

enum { EXIT_OK = 0, EXIT_BAD = 1, EXIT_USAGE = 2 };

enum {
    OPT_DIR = 256,
    OPT_JSON,
    OPT_CHECKPOINTS,
    OPT_KEY,
    OPT_ORIGINAL,
};

struct options {
    const char *config, *dir;
    bool json;
    struct logfilter filter;
    struct verify_options verify;
    const char *request, *reason; /* show's argument; why it shows original texts */
    bool original;
    bool wants_request, filters; /* of the command */
};

static error_t parse_common(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        if (o->filters)
            state->child_inputs[0] = &o->filter;
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
    case OPT_ORIGINAL:
        o->original = true;
        break;
    case 'm':
        o->reason = arg;
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

static const struct argp_child filter_child[] = {{&logfilter_argp, 0, NULL, 0}, {0}};

static const struct argp_option common_options[] = {COMMON_OPTIONS, {0}};
static const struct argp_option show_options[] = {
    {"original", OPT_ORIGINAL, NULL, 0,
     "Instead, the judged texts as they were said; that they are shown goes on record (原文)", 1},
    {"reason", 'm', "TEXT", 0, "Why; needed with --original (查看原因)", 1},
    COMMON_OPTIONS,
    {0},
};
static const struct argp_option verify_options[] = {
    {"checkpoints", OPT_CHECKPOINTS, "FILE", 0,
     "Checkpoints that were exported, instead of those beside the log (异地保存的检查点)", 1},
    {"key", OPT_KEY, "FILE", 0, "Public key of the checkpoints, likewise (检查点公钥)", 1},
    COMMON_OPTIONS,
    {0},
};

/* ---- which log ---- */

/* The log's directory into ret_dir. False: a message was printed. */
static bool find_dir(struct options *o, char ret_dir[PATH_MAX])
{
    if (o->dir && o->filter.query.keep) {
        fprintf(stderr, "juyong log: --review needs -c: reviews are not in the log\n");
        return false;
    }
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
        good = logfilter_settle(&o->filter, config, SPAN_LIT("log list"));
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
    long r = print_rows(dir, &o->filter.query, &v, o->json ? logview_json : logview_row);
    return r < 0 ? complain(dir, (int)r) : EXIT_OK;
}

static int run_show(const struct options *o, const char *dir)
{
    if (o->original)
        return keep_reveal(o->config, dir, o->request, o->reason, o->json);
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
    struct query_filter f = o->filter.query;
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
    printf("original texts: %" PRIu64 " match their commitment, %" PRIu64 " removed", r->originals,
           r->originals_absent);
    if (r->originals_closed)
        printf(", %" PRIu64 " not looked into without their key", r->originals_closed);
    putchar('\n');
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
           ",\"originals\":%" PRIu64 ",\"originals_removed\":%" PRIu64
           ",\"originals_closed\":%" PRIu64 ",\"checkpoints\":%" PRIu64
           ",\"checkpoint_size\":%" PRIu64 ",\"gaps\":%" PRIu64 ",\"lost\":%" PRIu64
           ",\"seconds\":%.3f",
           r == 0 ? "true" : "false", report.files, report.records, report.first_seq,
           report.last_seq, report.texts, report.texts_absent, report.originals,
           report.originals_absent, report.originals_closed, report.checkpoints,
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
     show_options, NULL},
    {"follow", run_follow, "", "Print exchanges as they are recorded.\n实时显示新的记录。",
     common_options, filter_child},
    {"verify", run_verify, "",
     "Check that no record was changed, removed or added; names the first that was.\n"
     "校验日志是否被改动，并指出第一条有问题的记录。",
     verify_options, NULL},
};
#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

/* Those that read their own command line. */
static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
} others[] = {
    {"review", log_review},
    {"queue", log_queue},
    {"summary", log_summary},
    {"export", log_export},
};

static int print_usage(FILE *out)
{
    fputs("Usage: juyong log COMMAND -c FILE [OPTION...]\n"
          "Reads and reviews the decision log. 查询、复核与校验审核日志。\n\n"
          "  list               interceptions, newest first (拦截记录)\n"
          "  show REQUEST_ID    one exchange in full (单次请求的完整记录)\n"
          "  follow             new ones as they come (实时跟踪)\n"
          "  review ID...       say whether interceptions were right (人工复核)\n"
          "  queue              what is to be reviewed (待复核队列)\n"
          "  summary            what a day's reviews came to, and sign it off (每日汇总)\n"
          "  export             rows as CSV, JSON lines or XLSX (导出)\n"
          "  verify             find any change to the log (校验完整性)\n"
          "  prune              remove what is older than audit.retention says (按期限清理)\n"
          "  hold               keep texts from retention and deletion (法律保全)\n"
          "  backup DIR         copy the whole log while it is written (在线备份)\n"
          "  restore DIR        put a backup in place, verified (恢复备份)\n\n"
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
    logfilter_end(&o.filter);
    return fflush(stdout) == 0 || errno == EPIPE ? r : EXIT_BAD;
}

int cli_log(int argc, char **argv)
{
    if (argc < 2)
        return print_usage(stderr);
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-?") == 0 ||
        strcmp(argv[1], "help") == 0)
        return print_usage(stdout);
    keep_command keep = keep_find(argv[1]);
    if (keep)
        return keep(argc - 1, argv + 1);
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return run_command(&commands[i], argc - 1, argv + 1);
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
        if (strcmp(argv[1], others[i].name) == 0)
            return others[i].run(argc - 1, argv + 1);
    fprintf(stderr, "juyong log: there is no command '");
    logview_text(stderr, span_str(argv[1]));
    fprintf(stderr, "'\n");
    return print_usage(stderr);
}
