/* `juyong log export`: rows of the log as a file for others; that it left is on record. */
#include "base/buf.h"
#include "casebook/export.h"
#include "cli/book.h"
#include "cli/logbook.h"
#include "cli/logfilter.h"
#include "cli/logview.h"
#include "cli/setup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEY_FORMAT = 2048, KEY_OUT };

struct options {
    struct book_command book;
    struct logfilter filter;
    enum export_format format;
    const char *out;
    char part[PATH_MAX]; /* the file until it is whole */
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &o->book;
        state->child_inputs[1] = &o->filter;
        return 0;
    case KEY_FORMAT:
        o->format = export_format_from(span_str(arg));
        if (o->format == EXPORT_FORMATS)
            argp_error(state, "'%s' is no format: csv, jsonl, xlsx", arg);
        return 0;
    case KEY_OUT:
        o->out = arg;
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "unexpected argument '%s'", arg);
        return EINVAL;
    case ARGP_KEY_END:
        if (o->format == EXPORT_FORMATS)
            argp_error(state, "--format csv, jsonl or xlsx?");
        if (o->format == EXPORT_XLSX && !o->out)
            argp_error(state, "a workbook needs --out FILE");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int record(struct options *o)
{
    struct desk_answer answer;
    struct buf what = BUF_INIT(CASEBOOK_TEXT_MAX);
    int r = export_describe(o->format, &o->filter.query, &what);
    struct casebook_act act = {.verb = CASEBOOK_EXPORT, .what = buf_span(&what)};
    r = r < 0 ? book_failed(&o->book, r) : book_act(&o->book, &act, &answer);
    buf_deinit(&what);
    return r;
}

/* Beside the file, for the owner alone; under its name only when it is whole. */
static FILE *open_out(struct options *o)
{
    if (!o->out)
        return stdout;
    int n = snprintf(o->part, sizeof(o->part), "%s.part", o->out);
    int fd = n > 0 && n < PATH_MAX
                 ? open(o->part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600)
                 : -1;
    FILE *f = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (!f && fd >= 0)
        close(fd);
    return f;
}

static int close_out(struct options *o, FILE *f, int r)
{
    if (r == 0 && (fflush(f) != 0 || ferror(f)))
        r = -EIO;
    if (!o->out)
        return r;
    if (r == 0 && fsync(fileno(f)) < 0)
        r = -errno;
    fclose(f);
    if (r == 0 && rename(o->part, o->out) < 0)
        r = -errno;
    if (r < 0)
        unlink(o->part);
    return r;
}

/* All rows by way of the exporter, or as JSON lines just as `log list --json` prints them. */
static int copy(struct options *o, struct casebook *book, FILE *f, unsigned long long *ret_rows)
{
    struct export_options eo = {
        .format = o->format, .out = f, .path = span_str(o->out), .casebook = book, .texts = true};
    struct logview view = {.out = f};
    struct export *e = NULL;
    struct query *q = NULL;
    const struct query_row *row;
    int r = o->format == EXPORT_JSONL ? 0 : export_new(&eo, &e);
    if (r == 0)
        r = query_open(o->book.config->audit.dir, &o->filter.query, &q);
    while (r >= 0 && (r = query_next(q, &row)) == 1) {
        int w = 0;
        if (e)
            w = export_row(e, row);
        else
            logview_json(&view, row);
        if (!e && ferror(f))
            w = -EIO;
        r = w < 0 ? w : r;
        ++*ret_rows;
    }
    query_close(q);
    if (r == -ENOENT) /* no log yet: an empty table */
        r = 0;
    if (r == 0 && e)
        r = export_finish(e);
    export_free(e);
    return r;
}

static int export_rows(struct options *o)
{
    struct casebook *book = NULL;
    unsigned long long rows = 0;
    bool settled = logfilter_settle(&o->filter, o->book.config, SPAN_LIT("log export"));
    int r = settled ? record(o) : CLI_BAD;
    if (r == CLI_GOOD)
        r = book_open(&o->book, &book);
    if (r != CLI_GOOD)
        return r;
    bool file = o->format != EXPORT_XLSX;
    FILE *f = file ? open_out(o) : NULL;
    int e = file && !f ? -errno : copy(o, book, f, &rows);
    if (f)
        e = close_out(o, f, e);
    casebook_close(book);
    if (e < 0) {
        fprintf(stderr, "%s: %s: %s\n", o->book.name, o->out ? o->out : "stdout", strerror(-e));
        return CLI_BAD;
    }
    if (o->out)
        fprintf(stderr, "%llu rows in %s\n", rows, o->out);
    return CLI_GOOD;
}

static int run(struct options *o)
{
    int r = export_rows(o);
    logfilter_end(&o->filter);
    return r;
}

int log_export(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"format", KEY_FORMAT, "FORMAT", 0, "csv, jsonl or xlsx (导出格式)", 1},
        {"out", KEY_OUT, "FILE", 0, "Into that file instead of stdout (输出文件)", 1},
        {0},
    };
    static const struct argp_child children[] = {
        {&book_argp, 0, NULL, 0}, {&logfilter_argp, 0, "Which rows:", 2}, {0}};
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .doc = "Hand out rows of the log; that it was done is a record of the log. Cells that a "
               "spreadsheet would take for a formula are made text; JSON lines are those of "
               "`juyong log list --json`.\n导出日志（操作写入日志；表格单元格防公式注入）。",
        .children = children,
    };
    static char name[] = "juyong log export";
    struct options o = {.book = {.name = name}, .format = EXPORT_FORMATS};
    argv[0] = name;
    argp_err_exit_status = CLI_USAGE;
    if (argp_parse(&argp, argc, argv, 0, NULL, &o) != 0)
        return CLI_USAGE;
    int r = book_load(&o.book);
    if (r == CLI_GOOD)
        r = run(&o);
    book_unload(&o.book);
    return r;
}
