/* `juyong log prune | hold | backup | restore`, and the texts of `show --original`. */
#include "cli/keep.h"

#include "access/access.h"
#include "audit/backup.h"
#include "audit/holds.h"
#include "audit/prune.h"
#include "audit/query.h"
#include "audit/reveal.h"
#include "audit/witness.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/codec.h"
#include "cli/logfilter.h"
#include "cli/logview.h"
#include "cli/setup.h"
#include "config/value.h"

#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
    KEY_DRY = 256,
    KEY_JSON,
    KEY_KEYS,
    KEY_REQUEST,
    KEY_USER,
    KEY_SINCE,
    KEY_UNTIL,
    KEY_WAIT,
};

struct options {
    const char *file, *verb, *argument, *request, *user, *app, *reason, *author;
    bool dry, json, keys, is_hold;
    uint64_t since_us, until_us;
    unsigned wait_ms;
    struct setup setup;
    char login[256], end_user[65];
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;
    uint64_t wait;
    switch (key) {
    case 'c':
        o->file = arg;
        return 0;
    case 'm':
        o->reason = arg;
        return 0;
    case 'a':
        o->author = arg;
        return 0;
    case 'p':
        o->app = arg;
        return 0;
    case KEY_DRY:
        o->dry = true;
        return 0;
    case KEY_JSON:
        o->json = true;
        return 0;
    case KEY_KEYS:
        o->keys = true;
        return 0;
    case KEY_REQUEST:
        o->request = arg;
        return 0;
    case KEY_USER:
        o->user = arg;
        return 0;
    case KEY_SINCE:
    case KEY_UNTIL:
        if (!logfilter_time(arg, key == KEY_SINCE ? &o->since_us : &o->until_us))
            argp_error(state, "'%s' is no time: 2026-11-24, 2026-11-24T10:00:00Z, 10m, 2h, 3d",
                       arg);
        return 0;
    case KEY_WAIT:
        if (!value_read_duration(span_str(arg), &wait) || wait > 3600000)
            argp_error(state, "--wait takes a time such as 500ms, 10s or 2min");
        o->wait_ms = (unsigned)wait;
        return 0;
    case ARGP_KEY_ARG:
        if (o->is_hold && !o->verb)
            o->verb = arg;
        else if (!o->argument)
            o->argument = arg;
        else
            argp_error(state, "too many arguments: '%s'", arg);
        return 0;
    case ARGP_KEY_END:
        if (!o->file)
            argp_error(state, "say which log: -c FILE, the gateway's configuration");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

#define OPTION_CONFIG                                                                              \
    {                                                                                              \
        "config", 'c', "FILE", 0, "The gateway's configuration, which names the log (配置文件)", 9 \
    }
#define OPTIONS_ACT                                                                                \
    {"reason", 'm', "TEXT", 0, "Why; goes on record (原因)", 2},                                   \
        {"author", 'a', "NAME", 0, "Who; the login unless told (操作人)", 2},                      \
    {                                                                                              \
        "wait", KEY_WAIT, "TIME", 0, "How long a running gateway has to begin: 10s unless told", 8 \
    }

static const struct argp_option prune_options[] = {
    {"dry-run", KEY_DRY, NULL, 0, "Only say what would go (只显示，不删除)", 1},
    OPTIONS_ACT,
    OPTION_CONFIG,
    {0},
};
static const struct argp_option hold_options[] = {
    {"request", KEY_REQUEST, "ID", 0, "One exchange", 1},
    {"end-user", KEY_USER, "ID", 0, "One end user, by the app's id or the record's HMAC of it", 1},
    {"app", 'p', "NAME", 0, "One app", 1},
    {"since", KEY_SINCE, "TIME", 0, "From then on: 2026-11-24, RFC 3339, or 10m, 2h, 3d ago", 1},
    {"until", KEY_UNTIL, "TIME", 0, "Before then", 1},
    {"json", KEY_JSON, NULL, 0, "One JSON object a line (每行一个 JSON)", 3},
    OPTIONS_ACT,
    OPTION_CONFIG,
    {0},
};
static const struct argp_option backup_options[] = {
    {"keys", KEY_KEYS, NULL, 0,
     "Also the secret keys: with them, who has the copy can read the original texts (含密钥)", 1},
    OPTIONS_ACT,
    OPTION_CONFIG,
    {0},
};
static const struct argp_option restore_options[] = {OPTION_CONFIG, {0}};

static int begin(struct options *o, const struct argp_option *options, const char *args,
                 const char *doc, int argc, char **argv)
{
    char name[64];
    struct argp argp = {.options = options, .parser = parse, .args_doc = args, .doc = doc};
    snprintf(name, sizeof(name), "juyong log %s", argv[0]);
    argv[0] = name;
    argp_err_exit_status = CLI_USAGE;
    if (o->wait_ms == 0)
        o->wait_ms = DESK_WAIT_MS;
    if (argp_parse(&argp, argc, argv, 0, NULL, o) != 0)
        return CLI_USAGE;
    setup_login(o->login, sizeof(o->login));
    return setup_load(span_str(o->file), false, &o->setup);
}

static int usage(const char *text)
{
    fprintf(stderr, "juyong log: %s\n", text);
    return CLI_USAGE;
}

static int complain(const char *what, int r)
{
    fprintf(stderr, "juyong log: %s: %s\n", what,
            r == -ENOENT        ? "there is no log yet"
            : r == -EACCES      ? "the log belongs to somebody else: run the command as its user"
            : r == -ETIMEDOUT   ? "the gateway is busy; nothing was done, try again"
            : r == -EINPROGRESS ? "the gateway is still at it; the record will tell when it is done"
                                : strerror(-r));
    return CLI_BAD;
}

/* Has the act carried out. 0, or an exit code after a message. */
static int carry_out(const struct options *o, struct desk_act *act, const char *what,
                     struct desk_answer *ret_answer)
{
    act->author = span_str(o->author ? o->author : o->login);
    act->login = span_str(o->login);
    act->reason = span_str(o->reason ? o->reason : "");
    *ret_answer = (struct desk_answer){0};
    int r = desk_ask(o->setup.config, act, o->wait_ms, ret_answer);
    if (r < 0)
        return complain(what, r);
    if (ret_answer->error[0] == '\0')
        return 0;
    fprintf(stderr, "juyong log: %s: %s\n", what, ret_answer->error);
    return CLI_BAD;
}

/* ---- prune ---- */

static int show_plan(const struct options *o)
{
    struct prune_report report;
    const struct config *c = o->setup.config;
    struct prune_options p = {.dir = c->audit.dir,
                              .records = c->audit.retention.records,
                              .texts = c->audit.retention.texts,
                              .originals = c->audit.retention.originals,
                              .samples = c->audit.samples.days,
                              .now_us = clock_wall_us()};
    int r = witness_clock(p.dir, p.now_us, &p.witnessed_us);
    if (r == 0)
        r = prune_plan(&p, &report);
    if (r < 0)
        return complain("prune", r);
    for (size_t i = 0; i < report.file_count; i++)
        printf("%s: records %" PRIu64 " to %" PRIu64 "\n", report.files[i].name,
               report.files[i].first, report.files[i].last);
    printf("would remove %zu files, and from others %" PRIu64 " texts, %" PRIu64
           " samples, %" PRIu64 " original texts; %" PRIu64 " are held\n",
           report.file_count, report.texts, report.samples, report.originals, report.held);
    return CLI_GOOD;
}

static int run_prune(int argc, char **argv)
{
    struct options o = {0};
    struct desk_act act = {.verb = DESK_PRUNE};
    struct desk_answer answer;
    int r = begin(&o, prune_options, "",
                  "Remove what audit.retention says is too old; the gateway does so daily.\n"
                  "按保存期限清理日志（网关每日自动执行）。",
                  argc, argv);
    if (r)
        return r;
    r = o.dry ? show_plan(&o) : carry_out(&o, &act, "prune", &answer);
    if (r == 0 && !o.dry)
        printf("removed %lld files, and from others %lld texts and %lld original texts%s\n",
               (long long)answer.entries, (long long)answer.texts, (long long)answer.records,
               answer.left_in_wal ? "; a reader was in the way, traces go with the next pruning"
                                  : "");
    setup_deinit(&o.setup);
    return r;
}

/* ---- holds ---- */

static bool settle_user(struct options *o, struct desk_act *act)
{
    unsigned char digest[32];
    struct buf messages = BUF_INIT(65536);
    struct access *access = NULL;
    act->end_user = span_str(o->user ? o->user : "");
    bool good = act->end_user.len == 0 || codec_unhex(act->end_user, digest, sizeof(digest));
    if (!good && access_load(o->setup.config, &messages, &access) == 0) {
        access_hash_end_user(access, NULL, act->end_user, o->end_user);
        act->end_user = span_str(o->end_user);
        good = act->end_user.len > 0;
    }
    setup_print_messages(stderr, &messages);
    access_unref(access);
    buf_deinit(&messages);
    return good;
}

static void print_time(uint64_t us, char ret_text[32])
{
    time_t s = (time_t)(us / 1000000u);
    struct tm tm;
    ret_text[0] = '-';
    ret_text[1] = '\0';
    if (us && localtime_r(&s, &tm))
        strftime(ret_text, 32, "%Y-%m-%d %H:%M:%S", &tm);
}

static void print_hold(const struct hold *h, bool json)
{
    char made[32], since[32], until[32];
    const struct {
        const char *name;
        struct span value;
    } texts[] = {
        {"request_id", h->request_id}, {"app", h->app}, {"end_user", h->end_user}, {"why", h->why}};
    print_time(h->made_us, made);
    print_time(h->since_us, since);
    print_time(h->until_us, until);
    if (json)
        printf("{\"hold\":%" PRIu64 ",\"made_us\":%" PRIu64 ",\"since_us\":%" PRIu64
               ",\"until_us\":%" PRIu64,
               h->number, h->made_us, h->since_us, h->until_us);
    else
        printf("%" PRIu64 "  %s", h->number, made);
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        if (texts[i].value.len == 0)
            continue;
        printf(json ? ",\"%s\":" : "  %s ", texts[i].name);
        if (json)
            logview_string(stdout, texts[i].value);
        else
            logview_text(stdout, texts[i].value);
    }
    if (!json && (h->since_us || h->until_us))
        printf("  from %s to %s", since, until);
    puts(json ? "}" : "");
}

static int list_holds(const struct options *o)
{
    struct arena arena;
    struct holds holds;
    arena_init(&arena, (size_t)16 << 20);
    int r = holds_load(o->setup.config->audit.dir, &arena, &holds);
    for (size_t i = 0; r == 0 && i < holds.count; i++)
        print_hold(&holds.list[i], o->json);
    arena_deinit(&arena);
    return r < 0 ? complain("hold list", r) : CLI_GOOD;
}

static int add_hold(struct options *o)
{
    struct desk_answer answer;
    struct desk_act act = {.verb = DESK_HOLD,
                           .app = span_str(o->app ? o->app : ""),
                           .what = span_str(o->request ? o->request : ""),
                           .since_us = (int64_t)o->since_us,
                           .until_us = (int64_t)o->until_us};
    if (!o->request && !o->user && !o->app && !o->since_us && !o->until_us)
        return usage("hold add: say what: --request, --end-user, --app, --since, --until");
    if (o->until_us && o->since_us >= o->until_us)
        return usage("hold add: --since is not before --until: it would hold nothing");
    if (!o->reason || !*o->reason)
        return usage("hold add: say why: --reason TEXT");
    if (!settle_user(o, &act))
        return CLI_BAD;
    int r = carry_out(o, &act, "hold add", &answer);
    if (r == 0)
        printf("hold %lld\n", (long long)answer.entries);
    return r;
}

static int release_hold(struct options *o)
{
    struct desk_answer answer;
    struct desk_act act = {.verb = DESK_RELEASE, .what = span_str(o->argument ? o->argument : "")};
    unsigned long long number;
    if (!span_to_u64(act.what, &number))
        return usage("hold release: say which: its number, as `hold list` has it");
    if (!o->reason || !*o->reason)
        return usage("hold release: say why: --reason TEXT");
    int r = carry_out(o, &act, "hold release", &answer);
    if (r == 0)
        printf("hold %llu is released\n", number);
    return r;
}

static int run_hold(int argc, char **argv)
{
    struct options o = {.is_hold = true};
    int r = begin(&o, hold_options, "add|list|release [NUMBER]",
                  "Keep texts from retention and privacy deletion until the hold is released.\n"
                  "法律保全：保全期间不清理、不删除。",
                  argc, argv);
    if (r)
        return r;
    if (o.verb && strcmp(o.verb, "list") == 0)
        r = list_holds(&o);
    else if (o.verb && strcmp(o.verb, "add") == 0)
        r = add_hold(&o);
    else if (o.verb && strcmp(o.verb, "release") == 0)
        r = release_hold(&o);
    else
        r = usage("hold: add, list or release");
    setup_deinit(&o.setup);
    return r;
}

/* ---- backup and restore ---- */

/* The gateway's working directory may be another one. */
static bool make_absolute(const char *path, char ret_path[PATH_MAX])
{
    char here[PATH_MAX];
    int n = path[0] == '/'               ? snprintf(ret_path, PATH_MAX, "%s", path)
            : getcwd(here, sizeof(here)) ? snprintf(ret_path, PATH_MAX, "%s/%s", here, path)
                                         : -1;
    return n > 0 && n < PATH_MAX;
}

static int run_backup(int argc, char **argv)
{
    struct options o = {0};
    struct desk_answer answer;
    char into[PATH_MAX];
    int r = begin(&o, backup_options, "DIR",
                  "Copy the whole log as it stands, while the gateway runs, into a new directory.\n"
                  "在线备份整个日志到新目录。",
                  argc, argv);
    if (r)
        return r;
    if (!o.argument || !make_absolute(o.argument, into)) {
        r = usage("backup: say where to: a directory that is not there yet, or empty");
    } else {
        struct desk_act act = {
            .verb = DESK_BACKUP, .what = span_str(into), .seconds = o.keys ? 1 : 0};
        r = carry_out(&o, &act, "backup", &answer);
        if (r == 0)
            printf("%lld files, up to record %lld; check it with `juyong log verify --dir %s`\n",
                   (long long)answer.entries, (long long)answer.records, into);
    }
    setup_deinit(&o.setup);
    return r;
}

static int restore(const struct options *o)
{
    struct verify_report v = {0};
    int r = backup_restore(span_str(o->argument), o->setup.config->audit.dir, &v);
    if (r == 0) {
        printf("restored: records %" PRIu64 " to %" PRIu64
               ", verified; the next start puts that on record\n",
               v.first_seq, v.last_seq);
        return CLI_GOOD;
    }
    if (r == 1)
        fprintf(stderr, "juyong log: the backup is not whole: %s, record %" PRIu64 ": %s\n", v.file,
                v.seq, v.what);
    else if (r == -EEXIST)
        fprintf(stderr,
                "juyong log: there is a log in %.*s: stop the gateway and move the whole "
                "directory away\n",
                SPAN_ARG(o->setup.config->audit.dir));
    else if (r == -ENOENT)
        fprintf(stderr, "juyong log: %s is no whole backup: it has no backup.json\n", o->argument);
    else if (r == -ENOKEY)
        fprintf(stderr, "juyong log: the backup has no keys: put the log's keys/ into %.*s first\n",
                SPAN_ARG(o->setup.config->audit.dir));
    else
        fprintf(stderr, "juyong log: restore: %s\n", strerror(-r));
    return CLI_BAD;
}

static int run_restore(int argc, char **argv)
{
    struct options o = {0};
    int r = begin(&o, restore_options, "DIR",
                  "Put a backup where there is no log, once it is verified.\n"
                  "校验并恢复备份。",
                  argc, argv);
    if (r)
        return r;
    r = o.argument ? restore(&o) : usage("restore: say from where: a backup's directory");
    setup_deinit(&o.setup);
    return r;
}

keep_command keep_find(const char *name)
{
    static const struct {
        const char *name;
        keep_command run;
    } commands[] = {
        {"prune", run_prune}, {"hold", run_hold}, {"backup", run_backup}, {"restore", run_restore}};
    for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
        if (strcmp(commands[i].name, name) == 0)
            return commands[i].run;
    return NULL;
}

/* ---- original texts ---- */

static void print_original(const struct original *t, bool json)
{
    if (!json) {
        printf("\n%.*s, %.*s%s%.*s%s%s\n", SPAN_ARG(t->direction), SPAN_ARG(t->role),
               t->role.len ? ", " : "", SPAN_ARG(t->path),
               t->cut_before ? ", without its beginning" : "",
               t->cut_after ? ", without its end" : "");
        for (size_t i = 0; i < t->hit_count; i++)
            printf("  bytes %zu to %zu: %.*s\n", t->hits[i].start, t->hits[i].end,
                   SPAN_ARG(t->hits[i].rule));
        fputs("  ", stdout);
        logview_text(stdout, t->text);
        putchar('\n');
        return;
    }
    fputs("{\"direction\":", stdout);
    logview_string(stdout, t->direction);
    fputs(",\"role\":", stdout);
    logview_string(stdout, t->role);
    fputs(",\"path\":", stdout);
    logview_string(stdout, t->path);
    fputs(",\"text\":", stdout);
    logview_string(stdout, t->text);
    printf(",\"cut_before\":%s,\"cut_after\":%s,\"hits\":[", t->cut_before ? "true" : "false",
           t->cut_after ? "true" : "false");
    for (size_t i = 0; i < t->hit_count; i++) {
        printf("%s{\"start\":%zu,\"end\":%zu,\"rule\":", i ? "," : "", t->hits[i].start,
               t->hits[i].end);
        logview_string(stdout, t->hits[i].rule);
        fputs(",\"layers\":", stdout);
        logview_string(stdout, t->hits[i].layers);
        putchar('}');
    }
    puts("]}");
}

static int print_originals(const char *dir, const char *request, bool json)
{
    struct arena arena;
    struct originals got = {0};
    arena_init(&arena, ORIGINALS_ARENA);
    int r = originals_read(span_str(dir), span_str(request), &arena, &got);
    for (size_t i = 0; r == 0 && i < got.count; i++)
        print_original(&got.list[i], json);
    if (r == 0 && got.absent)
        fprintf(stderr, "juyong log: %zu original texts have expired or were deleted\n",
                got.absent);
    if (r == 0 && got.count + got.absent == 0)
        fprintf(stderr, "juyong log: no original texts of that exchange were kept\n");
    if (r == -ENOENT)
        fprintf(stderr, "juyong log: no such exchange is in the log\n");
    else if (r == -ENOKEY)
        fprintf(stderr, "juyong log: the key of these texts is not in keys/text.key\n");
    else if (r == -EBADMSG)
        fprintf(stderr, "juyong log: the texts are not what was recorded; `juyong log verify` "
                        "tells more\n");
    else if (r < 0)
        fprintf(stderr, "juyong log: %s\n", strerror(-r));
    arena_deinit(&arena);
    return r < 0 ? CLI_BAD : CLI_GOOD;
}

int keep_reveal(const char *config, const char *dir, const char *request, const char *reason,
                bool json)
{
    struct options o = {.reason = reason, .wait_ms = DESK_WAIT_MS};
    struct desk_act act = {.verb = DESK_REVEAL, .what = span_str(request)};
    struct desk_answer answer;
    if (!reason || !*reason)
        return usage("--original: say why: --reason TEXT; it goes on record");
    if (!config)
        return usage("--original: the log that is read must be able to record it: -c FILE");
    setup_login(o.login, sizeof(o.login));
    int r = setup_load(span_str(config), false, &o.setup);
    if (r)
        return r;
    r = carry_out(&o, &act, "show --original", &answer);
    setup_deinit(&o.setup);
    return r ? r : print_originals(dir, request, json);
}
