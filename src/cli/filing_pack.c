/* `juyong filing pack`: everything that is handed in, in one archive; its checks and its memory. */
#include "cli/filingpack.h"

#include "cli/filingcmd.h"
#include "cli/filingdossier.h"
#include "cli/logfilter.h"

#include <argp.h>
#include <errno.h>
#include <string.h>

enum {
    KEY_RUN = 1024,
    KEY_SINCE,
    KEY_UNTIL,
    KEY_FORCE,
    KEY_LINT,
    KEY_VERIFY,
    KEY_KEY,
    KEY_FILED,
    KEY_DATE,
    KEY_NUMBER,
    KEY_CHANGES,
    KEY_JSON,
    KEY_ATTACH,
};

static void attach(struct filingpack *o, struct argp_state *state, const char *file)
{
    if (o->attached_count == FILINGPACK_ATTACHED_MAX)
        argp_error(state, "at most %d attachments", FILINGPACK_ATTACHED_MAX);
    o->attached[o->attached_count++] = span_str(file);
}

static void check(const struct filingpack *o, struct argp_state *state)
{
    int acts =
        (o->output != NULL) + o->lint + (o->verify != NULL) + (o->filed != NULL) + o->changes;
    if (acts != 1)
        argp_error(state, "one of -o FILE, --lint, --verify FILE, --filed FILE, --changes");
    if (!o->file && !o->verify)
        argp_error(state, "-c FILE is needed");
    if (o->filed && !o->date)
        argp_error(state, "--date is needed: when was it handed in?");
    if (!o->filed && (o->date || o->number))
        argp_error(state, "--date and --number belong to --filed");
    if (o->key && !o->verify)
        argp_error(state, "--key belongs to --verify");
    if (o->force && !o->output)
        argp_error(state, "--force belongs to -o FILE");
    if (o->attached_count && !o->output && !o->lint)
        argp_error(state, "--attach belongs to -o FILE or --lint");
    if (o->until_us && o->since_us >= o->until_us)
        argp_error(state, "--since is not before --until");
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct filingpack *o = state->input;
    const char **const texts[] = {
        [KEY_RUN - KEY_RUN] = &o->run,   [KEY_VERIFY - KEY_RUN] = &o->verify,
        [KEY_KEY - KEY_RUN] = &o->key,   [KEY_FILED - KEY_RUN] = &o->filed,
        [KEY_DATE - KEY_RUN] = &o->date, [KEY_NUMBER - KEY_RUN] = &o->number,
        [KEY_ATTACH - KEY_RUN] = NULL,
    };
    if (key >= KEY_RUN && key <= KEY_ATTACH && texts[key - KEY_RUN]) {
        *texts[key - KEY_RUN] = arg;
        return 0;
    }
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
    case KEY_SINCE:
    case KEY_UNTIL:
        if (!logfilter_time(arg, key == KEY_SINCE ? &o->since_us : &o->until_us))
            argp_error(state, "'%s' is no time such as 2026-11-24 or 30d", arg);
        return 0;
    case KEY_FORCE:
        o->force = true;
        return 0;
    case KEY_LINT:
        o->lint = true;
        return 0;
    case KEY_CHANGES:
        o->changes = true;
        return 0;
    case KEY_JSON:
        o->json = true;
        return 0;
    case KEY_ATTACH:
        attach(o, state, arg);
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "unexpected argument '%s'; an attachment needs --attach", arg);
        return EINVAL;
    case ARGP_KEY_END:
        check(o, state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int filingpack_gather(const struct filingpack *o, const struct setup *s, struct dossier *ret)
{
    struct filingdossier f = {.command = "pack",
                              .app = o->app,
                              .run = o->run,
                              .since_us = o->since_us,
                              .until_us = o->until_us,
                              .verify = o->output != NULL};
    return filingdossier_gather(&f, s, ret);
}

/* ---- what the linter found ---- */

static bool print_lint(const struct lint *l, bool json)
{
    struct buf out = BUF_INIT(16u << 20);
    int r;
    if (json) {
        r = buf_printf(&out, "{\"errors\":%u,\"warnings\":%u,\"notes\":%u,\"findings\":",
                       l->totals[LINT_ERROR], l->totals[LINT_WARNING], l->totals[LINT_NOTE]);
        if (r == 0)
            r = lint_json(l, &out);
        if (r == 0)
            r = buf_append(&out, SPAN_LIT("}\n"));
    } else {
        r = lint_text(l, &out);
        if (r == 0)
            r = buf_printf(&out, "%u errors, %u warnings, %u notes 错误、警告、提示\n",
                           l->totals[LINT_ERROR], l->totals[LINT_WARNING], l->totals[LINT_NOTE]);
    }
    bool written = r == 0 && setup_write(stdout, &out);
    buf_deinit(&out);
    return written;
}

/* ---- the archive ---- */

static int record(const struct filingpack *o, const struct config *c, const struct pack *p)
{
    char why[256];
    const char *base = strrchr(o->output, '/');
    snprintf(why, sizeof(why), "manifest %s, key %s%s", pack_digest(p), pack_key(p),
             pack_manifest(p)->forced ? ", forced" : "");
    return filing_record(c, "pack", span_str(base ? base + 1 : o->output), span_str(why));
}

static int write_pack(const struct filingpack *o, const struct config *c, struct pack *p)
{
    struct buf error = BUF_INIT(65536);
    int r = pack_seal(p, o->force);
    if (r < 0)
        fprintf(stderr, "juyong filing pack: it can't be sealed: %s\n", strerror(-r));
    if (r == 0)
        r = record(o, c, p);
    if (r == 0) {
        r = pack_write(p, span_str(o->output), &error);
        if (r < 0)
            fprintf(stderr, "juyong filing pack: %s\n", buf_cstr(&error));
    }
    buf_deinit(&error);
    if (r < 0)
        return CLI_BAD;
    fprintf(stderr,
            "%s: %zu files, a draft to be checked 草稿，须核对\n"
            "manifest sha256 %s\nsigned by %s\n",
            o->output, pack_manifest(p)->count, pack_digest(p), pack_key(p));
    return CLI_GOOD;
}

static int make(const struct filingpack *o, const struct config *c, const struct dossier *d)
{
    char login[256];
    setup_login(login, sizeof(login));
    struct buf messages = BUF_INIT(1u << 20);
    struct pack_options options = {
        .dossier = d,
        .by = span_str(login),
        .software = SPAN_LIT(JUYONG_VERSION),
        .attachments = o->attached,
        .attachment_count = o->attached_count,
        .papers = o->output != NULL,
    };
    struct pack *p = NULL;
    int r = pack_new(&options, &messages, &p);
    setup_print_messages(stderr, &messages);
    buf_deinit(&messages);
    if (r < 0) {
        fprintf(stderr, "juyong filing pack: nothing was packed: %s\n", strerror(-r));
        return CLI_BAD;
    }
    unsigned errors = pack_lint(p)->totals[LINT_ERROR];
    bool printed = print_lint(pack_lint(p), o->json);
    if (!printed)
        r = CLI_BAD;
    else if (o->lint)
        r = errors ? CLI_UNMET : CLI_GOOD;
    else if (errors && !o->force) {
        fprintf(stderr, "juyong filing pack: it would be sent back: nothing was packed; --force "
                        "packs it all the same, and the manifest says so\n");
        r = CLI_UNMET;
    } else {
        r = write_pack(o, c, p);
    }
    pack_free(p);
    return r;
}

static int load_and_do(const struct filingpack *o)
{
    struct setup s;
    struct dossier d;
    int r = setup_load_published(span_str(o->file), &s);
    if (r)
        return r;
    r = filingpack_gather(o, &s, &d);
    if (r == 0)
        r = o->changes ? filingpack_changes(o, &d) : make(o, s.config, &d);
    dossier_free(&d);
    setup_deinit(&s);
    return r;
}

int filing_pack(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"config", 'c', "FILE", 0, "The configuration", 0},
        {"output", 'o', "FILE", 0, "Make the archive", 1},
        {"lint", KEY_LINT, NULL, 0, "Only look whether the papers agree; exit 4 on errors", 1},
        {"verify", KEY_VERIFY, "FILE", 0,
         "Hold an archive against its manifest and signature; exit 1 when anything differs. With "
         "-c it must be signed by this installation",
         1},
        {"filed", KEY_FILED, "FILE", 0, "Remember that this archive was handed in", 1},
        {"changes", KEY_CHANGES, NULL, 0,
         "What has changed since the archive that was handed in last, and what must be reported; "
         "exit 4 when something must",
         1},
        {"app", 'a', "NAME", 0, "Whose policy is described; evaluation.app unless told", 2},
        {"run", KEY_RUN, "RUN", 0, "Which evaluation; the newest complete one unless told", 2},
        {"attach", KEY_ATTACH, "FILE", 0,
         "Something of your own: contract, proof, licence; as often as needed", 2},
        {"since", KEY_SINCE, "TIME", 0, "What the log counted from then on; 30 days unless told",
         2},
        {"until", KEY_UNTIL, "TIME", 0, "And up to then; now unless told", 2},
        {"force", KEY_FORCE, NULL, 0, "Pack in spite of errors; the manifest says so", 2},
        {"key", KEY_KEY, "FILE", 0, "For --verify: the public key that must have signed", 2},
        {"date", KEY_DATE, "DAY", 0, "For --filed: when it was handed in (YYYY-MM-DD)", 2},
        {"number", KEY_NUMBER, "TEXT", 0, "For --filed: the number that was given for it", 2},
        {"json", KEY_JSON, NULL, 0, "Findings or changes as one JSON object", 2},
        {0},
    };
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .doc = "Pack everything that is handed in, with a signed manifest, after looking whether "
               "the papers agree. Keys and test accounts' secrets are never in it.\n"
               "检查各材料是否一致，并将全部备案材料打包、附签名清单；密钥与测试账号密码不在其中。",
    };
    struct filingpack o = {0};
    if (argp_parse(&argp, argc, argv, 0, NULL, &o) != 0)
        return CLI_USAGE;
    return o.verify ? filingpack_verify(&o) : o.filed ? filingpack_note(&o) : load_and_do(&o);
}
