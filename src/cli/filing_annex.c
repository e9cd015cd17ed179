/* `juyong filing annex`: one paper of the filing, made of what is in force and on record now. */
#include "cli/filingcmd.h"

#include "audit/files.h"
#include "cli/filingdossier.h"
#include "cli/logfilter.h"
#include "cli/setup.h"
#include "filing/annex.h"
#include "filing/workbook.h"

#include <argp.h>
#include <errno.h>
#include <string.h>

#define HTML_MAX (64u << 20)

enum { KEY_SINCE = 1024, KEY_UNTIL, KEY_HTML, KEY_DOCX, KEY_RUN };

struct options {
    const char *file, *app, *name, *output, *run;
    uint64_t since_us, until_us;
    bool html, docx;
};

/* Those that are workbooks. */
static const struct workbook {
    const char *name, *title, *file, *summary;
    /* 0 or negative, with its reason. */
    int (*write)(const struct dossier *d, struct span path, struct buf *ret_error);
} workbooks[] = {
    {"4", WORKBOOK_KEYWORDS, "annex4", "the keywords that are intercepted, a workbook",
     workbook_keywords},
    {"5", WORKBOOK_QUESTIONS, "annex5", "the questions, with answers and judgements, a workbook",
     workbook_questions},
    {NULL},
};

static const struct workbook *find_workbook(struct span name)
{
    for (const struct workbook *w = workbooks; w->name; w++)
        if (span_eq(name, span_str(w->name)))
            return w;
    return NULL;
}

static void list(void)
{
    for (size_t i = 0; annex_at(i); i++)
        printf("%-10s %-50s %s\n", annex_at(i)->name, annex_at(i)->summary, annex_at(i)->title);
    for (const struct workbook *w = workbooks; w->name; w++)
        printf("%-10s %-50s %s\n", w->name, w->summary, w->title);
}

static bool ends_with(const char *text, const char *ending)
{
    size_t n = strlen(text), m = strlen(ending);
    return n > m && strcmp(text + n - m, ending) == 0;
}

static void check(struct argp_state *state, struct options *o)
{
    if (!o->name)
        return;
    if (!o->file)
        argp_error(state, "-c FILE is needed");
    bool workbook = find_workbook(span_str(o->name));
    if (!workbook && !annex_find(span_str(o->name)))
        argp_error(state, "there is no annex '%s'; without a name the list is printed", o->name);
    if (o->html && o->docx)
        argp_error(state, "--html or --docx, not both");
    if (workbook && (o->html || o->docx))
        argp_error(state, "annex %s is a workbook: neither --html nor --docx", o->name);
    if (!o->html && !o->docx && o->output)
        o->html = ends_with(o->output, ".html") || ends_with(o->output, ".htm");
    if (o->output && !strcmp(o->output, "-") && !o->html)
        argp_error(state, "only --html goes to standard output");
    if (o->until_us && o->since_us >= o->until_us)
        argp_error(state, "--since is not before --until");
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;
    switch (key) {
    case 'c':
        o->file = arg;
        return 0;
    case 'a':
        o->app = arg;
        return 0;
    case 'o':
        o->output = arg;
        return 0;
    case KEY_HTML:
        o->html = true;
        return 0;
    case KEY_DOCX:
        o->docx = true;
        return 0;
    case KEY_RUN:
        o->run = arg;
        return 0;
    case KEY_SINCE:
    case KEY_UNTIL:
        if (!logfilter_time(arg, key == KEY_SINCE ? &o->since_us : &o->until_us))
            argp_error(state, "'%s' is no time such as 2026-11-24 or 30d", arg);
        return 0;
    case ARGP_KEY_ARG:
        if (o->name)
            argp_error(state, "one annex at a time");
        o->name = arg;
        return 0;
    case ARGP_KEY_END:
        check(state, o);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int write_html(const struct annex *a, const struct dossier *d, const char *path,
                      struct buf *error)
{
    struct buf out = BUF_INIT(HTML_MAX);
    int r = annex_html(a, d, &out);
    if (r == 0 && !strcmp(path, "-"))
        r = setup_write(stdout, &out) ? 0 : -EIO;
    else if (r == 0)
        r = files_replace(path, buf_span(&out), 0600);
    buf_deinit(&out);
    if (r < 0)
        buf_printf(error, "%s: %s", path, strerror(-r));
    return r;
}

static int write_annex(const struct options *o, const struct dossier *d)
{
    const struct workbook *w = find_workbook(span_str(o->name));
    const struct annex *a = annex_find(span_str(o->name));
    struct buf error = BUF_INIT(65536);
    char path[64];
    snprintf(path, sizeof(path), "%s.%s", w ? w->file : a->file,
             w         ? "xlsx"
             : o->html ? "html"
                       : "docx");
    const char *to = o->output ? o->output : path;
    int r = w         ? w->write(d, span_str(to), &error)
            : o->html ? write_html(a, d, to, &error)
                      : annex_docx(a, d, span_str(to), &error);
    if (r < 0)
        fprintf(stderr, "juyong filing annex: %.*s\n", SPAN_ARG(buf_span(&error)));
    else if (strcmp(to, "-") != 0)
        fprintf(stderr, "%s: a draft, to be checked 草稿，须核对\n", to);
    buf_deinit(&error);
    return r < 0 ? CLI_BAD : CLI_GOOD;
}

static int gather(const struct options *o, const struct setup *s)
{
    struct filingdossier f = {.command = "annex",
                              .app = o->app,
                              .run = o->run,
                              .since_us = o->since_us,
                              .until_us = o->until_us,
                              .verify = true};
    struct dossier d;
    int r = filingdossier_gather(&f, s, &d);
    if (r == 0)
        r = write_annex(o, &d);
    dossier_free(&d);
    return r;
}

int filing_annex(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"config", 'c', "FILE", 0, "The configuration", 0},
        {"app", 'a', "NAME", 0, "Whose policy is described; evaluation.app unless told", 0},
        {"html", KEY_HTML, NULL, 0, "A page to be printed", 0},
        {"docx", KEY_DOCX, NULL, 0, "A document to be edited (the default)", 0},
        {"output", 'o', "FILE", 0,
         "Where it goes; annex1.docx and the like unless told; - with --html", 0},
        {"since", KEY_SINCE, "TIME", 0, "What the log counted from then on; 30 days unless told",
         0},
        {"until", KEY_UNTIL, "TIME", 0, "And up to then; now unless told", 0},
        {"run", KEY_RUN, "RUN", 0, "Which evaluation; the newest complete one unless told", 0},
        {0},
    };
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .args_doc = "[NAME]",
        .doc =
            "Write an annex of the filing as a draft; without a name, list them. What nobody has "
            "told stands as 待补充; no conclusion is drawn.\n"
            "生成备案附件草稿；不带名称时列出全部。未知事项写作“待补充”，不作符合性结论。",
    };
    struct options o = {0};
    struct setup s;
    if (argp_parse(&argp, argc, argv, 0, NULL, &o) != 0)
        return CLI_USAGE;
    if (!o.name) {
        list();
        return CLI_GOOD;
    }
    int r = setup_load_published(span_str(o.file), &s);
    if (r)
        return r;
    r = gather(&o, &s);
    setup_deinit(&s);
    return r;
}
