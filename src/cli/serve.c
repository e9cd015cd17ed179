/* `juyong serve`: run the gateway until SIGTERM. */
#include "cli/serve.h"

#include "base/clock.h"
#include "base/log.h"
#include "canary/canary.h"
#include "cli/desk.h"
#include "cli/follow.h"
#include "cli/intake.h"
#include "cli/keeper.h"
#include "cli/keywatch.h"
#include "cli/notify.h"
#include "cli/reload.h"
#include "cli/reviewing.h"
#include "cli/setup.h"
#include "cli/tally.h"
#include "cli/watch.h"
#include "console/console.h"
#include "filing/library.h"
#include "http/server.h"
#include "rules/publish.h"
#include "rules/serving.h"
#include "worker/worker.h"

#include <argp.h>
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

struct serve {
    const char *file;
    bool verbose;
    struct loop *loop;
    struct loop_watch signals;
    struct loop_hook hook;
    struct reload *reload;
    struct follow *follow;
    struct keywatch *keywatch;
    struct serving *serving; /* NULL: nobody can be told */
    struct snapshot *snapshot;
    struct audit *audit;
    struct tally *tally;
    struct desk *desk;
    struct keeper *keeper;
    struct intake *intake;
    struct worker_pool *pool;
    struct console *console;
    struct canary *canary;
    struct reviewing *reviewing;
    atomic_bool drained;
    bool stopping;
    uint64_t stopped_ms;
    struct buf library_weak; /* what the library lacks, and the policy lets through */
    unsigned library_lines;
};

/* A second signal within this time is the same wish. */
#define SERVE_TWICE_MS 500

/* Each line, as `level` unless it calls itself a warning. */
static void log_lines(enum log_level level, const char *prefix, const struct buf *text)
{
    struct span rest = buf_span(text), line;
    while (span_split(&rest, '\n', &line)) {
        bool warning = span_find(line, SPAN_LIT(": warning: ")) < line.len;
        if (line.len)
            log_line(warning ? LOG_WARNING : level, "%s%.*s", prefix, SPAN_ARG(line));
    }
}

/* How messages on stderr look from now on; --verbose stays. */
static void set_log(const struct serve *s, const struct config *c)
{
    log_set_form((enum log_form)c->log.format);
    log_set_level(s->verbose ? LOG_DEBUG : (enum log_level)c->log.level);
}

/* --- what the console asks --- */

/* Counted once for each library: a large one takes a moment. */
static void count_library(struct serve *s)
{
    buf_clear(&s->library_weak);
    s->library_lines =
        library_weakening(snapshot_rules(s->snapshot), &snapshot_config(s->snapshot)->apps[0],
                          clock_wall_s(), &s->library_weak) +
        policy_weakenings(snapshot_config(s->snapshot), snapshot_rules(s->snapshot),
                          &s->library_weak);
}

/*
 * What weakens: by configuration, by what the library lacks and the policy lets through, and as it
 * came out since the start. Returns their number.
 */
static unsigned weak_lines(struct serve *s, struct buf *out)
{
    unsigned n = config_weakenings(snapshot_config(s->snapshot), out);
    buf_append(out, buf_span(&s->library_weak));
    n += s->library_lines;
    n += keeper_weakenings(s->keeper, out);
    uint64_t differs = 0;
    for (unsigned i = 0; i < worker_pool_count(s->pool); i++)
        differs += metrics_get(worker_pool_metrics(s->pool, i), METRIC_MODEL_DIFFERS);
    if (differs && ++n)
        buf_printf(out,
                   "%llu answers since the start name another model than was asked for; `juyong "
                   "log list --all --json` has them as model_differs\n",
                   (unsigned long long)differs);
    return n;
}

static int stats(void *ctx, struct buf *out)
{
    struct serve *s = ctx;
    const struct metrics *all[256];
    unsigned n = worker_pool_count(s->pool);
    for (unsigned i = 0; i < n; i++)
        all[i] = worker_pool_metrics(s->pool, i);
    int r = metrics_print(all, n, out);
    struct audit_health h;
    audit_get_health(s->audit, &h);
    struct buf weak = BUF_INIT(65536);
    unsigned weakenings = weak_lines(s, &weak);
    buf_deinit(&weak);
    if (r == 0)
        r = buf_printf(out,
                       "# HELP juyong_log_records_total Records written to the decision log.\n"
                       "# TYPE juyong_log_records_total counter\njuyong_log_records_total %llu\n"
                       "# HELP juyong_log_lost_total Events that could not be recorded.\n"
                       "# TYPE juyong_log_lost_total counter\njuyong_log_lost_total %llu\n"
                       "# HELP juyong_log_queued Events that wait to be written.\n"
                       "# TYPE juyong_log_queued gauge\njuyong_log_queued %zu\n"
                       "# HELP juyong_log_failed 1 when the log can't be written.\n"
                       "# TYPE juyong_log_failed gauge\njuyong_log_failed %d\n"
                       "# HELP juyong_log_degraded 1 when records are only in memory.\n"
                       "# TYPE juyong_log_degraded gauge\njuyong_log_degraded %d\n"
                       "# HELP juyong_log_disk_percent Use of the log's file system.\n"
                       "# TYPE juyong_log_disk_percent gauge\njuyong_log_disk_percent %u\n"
                       "# HELP juyong_limits_forgotten_total End users that were forgotten, whose "
                       "limits began anew.\n"
                       "# TYPE juyong_limits_forgotten_total counter\n"
                       "juyong_limits_forgotten_total %llu\n"
                       "# HELP juyong_weakenings Settings that weaken protection, see /readyz.\n"
                       "# TYPE juyong_weakenings gauge\njuyong_weakenings %u\n"
                       "# HELP juyong_rules Rules in force.\n"
                       "# TYPE juyong_rules gauge\njuyong_rules{version=\"%.*s\"} %zu\n"
                       "# HELP juyong_build_info The running program.\n"
                       "# TYPE juyong_build_info gauge\n"
                       "juyong_build_info{version=\"" JUYONG_VERSION "\"} 1\n",
                       (unsigned long long)h.written, (unsigned long long)h.lost, h.queued,
                       h.failed, h.degraded, h.disk_percent,
                       (unsigned long long)limiter_forgotten(tally_limiter(s->tally)), weakenings,
                       SPAN_ARG(ruleset_version(snapshot_rules(s->snapshot))),
                       ruleset_count(snapshot_rules(s->snapshot)));
    if (r == 0)
        r = keeper_stats(s->keeper, out);
    return r == 0 ? watch_stats(s->canary, out) : r;
}

static struct span readiness(void *ctx)
{
    struct serve *s = ctx;
    if (s->stopping)
        return SPAN_LIT("draining");
    if (!audit_ready(s->audit))
        return SPAN_LIT("audit_unavailable");
    return watch_reason(s->canary, snapshot_config(s->snapshot));
}

static int weakenings(void *ctx, struct buf *out)
{
    struct serve *s = ctx;
    struct buf lines = BUF_INIT(65536);
    weak_lines(s, &lines);
    int r = 0;
    struct span rest = buf_span(&lines), line;
    while (r == 0 && span_split(&rest, '\n', &line))
        if (line.len)
            r = buf_printf(out, "weakened: %.*s\n", SPAN_ARG(line));
    struct audit_health h;
    audit_get_health(s->audit, &h);
    if (r == 0)
        r = watch_weakenings(s->canary, out);
    if (r == 0)
        r = reviewing_weakenings(s->reviewing, snapshot_config(s->snapshot)->reviewers.port, out);
    if (r == 0 && h.degraded)
        r = buf_append(out, SPAN_LIT("weakened: the decision log is only in memory\n"));
    buf_deinit(&lines);
    return r;
}

/* --- signals --- */

/* Who put it in force, as the journal tells, and the hash that pins the journal's line. */
static void append_act(struct serve *s, struct buf *detail)
{
    struct buf unheard = BUF_INIT(65536);
    struct span digest = ruleset_digest(snapshot_rules(s->snapshot));
    struct vault *vault = NULL;
    struct journal j;
    int r = vault_open(snapshot_config(s->snapshot)->state_dir, &unheard, &vault);
    if (r == 0)
        r = journal_open(vault_dir(vault), vault_path(vault), false, &unheard, &j);
    if (r == 0) {
        const struct journal_entry *e = journal_in_force(&j, digest);
        if (e) {
            setup_json(detail, "act", span_str(journal_act_name(e->act)));
            setup_json(detail, "author", e->author);
            setup_json(detail, "why", e->reason);
            buf_printf(detail, ",\"entry\":%u", e->number);
            setup_json(detail, "entry_sha256", e->hash);
        }
        journal_close(&j);
    }
    vault_close(vault);
    buf_deinit(&unheard);
}

/* `act`: start, reload, or publish when only the rules are new. */
static void record_rules(struct serve *s, struct span act)
{
    struct buf detail = BUF_INIT(16384);
    const struct ruleset *rules = snapshot_rules(s->snapshot);
    buf_append_char(&detail, '{');
    setup_json(&detail, "ruleset", ruleset_version(rules));
    setup_json(&detail, "sha256", ruleset_digest(rules));
    append_act(s, &detail);
    buf_append_char(&detail, '}');
    struct audit_subject subject = {.ruleset = ruleset_version(rules)};
    struct audit_event e = {
        .kind = AUDIT_ADMIN, .subject = &subject, .reason = act, .detail = buf_span(&detail)};
    if (audit_submit(s->audit, NULL, 0, &e) < 0)
        log_error("the change of rules could not be recorded");
    buf_deinit(&detail);
}

/* For the command that waits. */
static void tell_serving(struct serve *s, struct span refused, struct span why)
{
    if (!s->serving)
        return;
    int r = serving_tell(s->serving, snapshot_rules(s->snapshot), refused, why);
    if (r < 0)
        log_warning("can't tell which rules are served: %s", strerror(-r));
}

/* The published version that is not taken, when it is one. */
static void tell_refused(struct serve *s, const struct buf *messages)
{
    char current[RULE_DIGEST_SIZE] = "";
    struct buf unheard = BUF_INIT(8192);
    struct vault *vault = NULL;
    if (vault_open(snapshot_config(s->snapshot)->state_dir, &unheard, &vault) == 0 &&
        vault_current(vault, &unheard, current) < 0)
        current[0] = '\0';
    vault_close(vault);
    buf_deinit(&unheard);
    struct span rest = buf_span(messages), line = SPAN_LIT(""), why = SPAN_LIT("");
    while (why.len == 0 && span_split(&rest, '\n', &line))
        if (span_find(line, SPAN_LIT(": warning: ")) == line.len)
            why = line;
    if (!span_eq(span_str(current), ruleset_digest(snapshot_rules(s->snapshot))))
        tell_serving(s, span_str(current), why);
}

static void publication(void *ctx)
{
    struct serve *s = ctx;
    reload_ask_parts(s->reload, SNAPSHOT_RULES);
}

static void keys_changed(void *ctx)
{
    struct serve *s = ctx;
    reload_ask_parts(s->reload, SNAPSHOT_KEYS);
}

static struct snapshot *in_force(void *ctx)
{
    struct serve *s = ctx;
    return s->snapshot;
}

/* Rules of one store and a log in another would be no gateway's state. */
static bool moved(const struct serve *s, const struct snapshot *next)
{
    return !span_eq(snapshot_config(s->snapshot)->state_dir, snapshot_config(next)->state_dir);
}

/* All or nothing: with any error the old snapshot stays in force. */
static void reloaded(void *ctx, int result, struct snapshot *next, struct buf *messages)
{
    struct serve *s = ctx;
    if (result == 0 && moved(s, next)) {
        buf_printf(messages, "'state_dir' changed: with its log and its rule versions it takes a "
                             "restart\n");
        snapshot_unref(next);
        result = -EINVAL;
    }
    if (result == 0)
        config_restart_needed(snapshot_config(s->snapshot), snapshot_config(next), messages);
    log_lines(result < 0 ? LOG_ERROR : LOG_WARNING, "reload: ", messages);
    if (result < 0) {
        log_error("reload failed: what was in force stays in force");
        tell_refused(s, messages);
        if (s->follow)
            follow_retry(s->follow);
        return;
    }
    bool rules_only = snapshot_config(s->snapshot) == snapshot_config(next);
    set_log(s, snapshot_config(next));
    if (s->console)
        console_reload(s->console, next);
    if (snapshot_rules(s->snapshot) == snapshot_rules(next)) {
        worker_pool_reload(s->pool, next);
        snapshot_unref(s->snapshot);
        s->snapshot = next;
        log_info("reloaded: %zu keys are in force", access_key_count(snapshot_access(next)));
        return;
    }
    worker_pool_reload(s->pool, next);
    snapshot_unref(s->snapshot);
    s->snapshot = next;
    count_library(s);
    record_rules(s, rules_only ? SPAN_LIT("publish") : SPAN_LIT("reload"));
    tell_serving(s, SPAN_LIT(""), SPAN_LIT(""));
    canary_reload(s->canary, next);
    log_info("reloaded: rules %.*s, %zu rules", SPAN_ARG(ruleset_version(snapshot_rules(next))),
             ruleset_count(snapshot_rules(next)));
}

static void stop(struct serve *s)
{
    /* Supervisors and timeout(1) may signal both the program and its group: one request, told
     * twice. */
    if (s->stopping && clock_mono_ms() - s->stopped_ms < SERVE_TWICE_MS)
        return;
    if (s->stopping) {
        log_warning("stopped a second time: leaving at once");
        _exit(1);
    }
    s->stopping = true;
    s->stopped_ms = clock_mono_ms();
    log_info("draining: no new requests, running ones may finish");
    notify_send("STOPPING=1");
    reload_stop(s->reload);
    canary_stop(s->canary);
    worker_pool_drain(s->pool);
}

static void signalled(struct loop_watch *w, uint32_t events)
{
    struct serve *s = list_entry(w, struct serve, signals);
    struct signalfd_siginfo info;
    while (read(w->fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        if (info.ssi_signo == SIGHUP)
            reload_ask(s->reload);
        else
            stop(s);
    }
}

static void drained(void *ctx) /* in a worker's thread */
{
    struct serve *s = ctx;
    atomic_store(&s->drained, true);
    loop_wake(s->loop);
}

static void check_drained(struct loop_hook *h)
{
    struct serve *s = list_entry(h, struct serve, hook);
    if (atomic_load(&s->drained) && canary_stopped(s->canary))
        loop_stop(s->loop);
}

static int watch_signals(struct serve *s)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0)
        return -EINVAL;
    s->signals.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    s->signals.fn = signalled;
    if (s->signals.fd < 0)
        return -errno;
    return loop_watch_add(s->loop, &s->signals, EPOLLIN);
}

/* --- start --- */

static int complain(const char *what, struct span name, unsigned port, int error)
{
    if (port)
        log_error("%s %.*s port %u: %s", what, SPAN_ARG(name), port, strerror(-error));
    else
        log_error("%s %.*s: %s", what, SPAN_ARG(name), strerror(-error));
    return error;
}

/* Each exchange needs two descriptors; the log and the loops some more. */
static void raise_descriptors(const struct config *c, unsigned workers)
{
    struct rlimit l;
    if (getrlimit(RLIMIT_NOFILE, &l) < 0)
        return;
    rlim_t need = (rlim_t)c->limits.connections * workers * 2 + 256;
    l.rlim_cur = l.rlim_max == RLIM_INFINITY || need < l.rlim_max ? need : l.rlim_max;
    setrlimit(RLIMIT_NOFILE, &l);
    if (l.rlim_cur < need)
        log_warning("%llu descriptors allowed, %llu wanted: fewer connections than configured",
                    (unsigned long long)l.rlim_cur, (unsigned long long)need);
}

static int open_log(struct serve *s, const struct config *c)
{
    struct buf dir = BUF_INIT(4096);
    int r = buf_append(&dir, c->state_dir);
    if (r == 0 && buf_cstr(&dir) && mkdir(dir.data, 0700) < 0 && errno != EEXIST)
        r = complain("can't create", c->state_dir, 0, -errno);
    buf_deinit(&dir);
    if (r < 0)
        return r;
    struct audit_options o = {
        .dir = c->audit.dir,
        .node = c->node,
        .mode = c->audit.mode,
        .queue_records = c->audit.queue_records,
        .queue_bytes = c->audit.queue_bytes,
        .text_max = c->audit.text_max,
        .state_dir = c->state_dir,
        .offences = c->audit.offences,
        .strikes = c->strikes.users,
        .originals = c->audit.originals,
        .index = true,
        .retention = {.records = c->audit.retention.records,
                      .texts = c->audit.retention.texts,
                      .originals = c->audit.retention.originals,
                      .samples = c->audit.samples.days},
    };
    return audit_open(&o, &s->audit); /* tells what is wrong itself */
}

static int open_tally(struct serve *s, const struct config *c)
{
    struct buf messages = BUF_INIT(65536);
    s->tally = tally_new(s->loop, c->state_dir, &messages);
    log_lines(LOG_WARNING, "", &messages);
    buf_deinit(&messages);
    return s->tally ? 0 : -ENOMEM;
}

static int start_workers(struct serve *s, const struct config *c)
{
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    struct worker_pool_options o = {
        .count = c->workers ? c->workers
                 : cpus > 0 ? (unsigned)cpus
                            : 1,
        .audit = s->audit,
        .limiter = tally_limiter(s->tally),
        .reviewers = reviewing_accounts(s->reviewing),
        .complaints = intake_taker(s->intake),
        .snapshot = s->snapshot,
        .drained = drained,
        .ctx = s,
    };
    if (o.count > 256)
        o.count = 256;
    raise_descriptors(c, o.count);
    struct http_server_options probe = {.host = c->listen_host, .port = c->listen_port};
    int r = http_server_probe(&probe);
    if (r == 0)
        r = worker_pool_new(&o, &s->pool);
    return r < 0 ? complain("can't listen on", c->listen_host, c->listen_port, r) : 0;
}

static int start_console(struct serve *s, const struct config *c)
{
    static const struct console_ops ops = {stats, readiness, weakenings};
    if (c->console.port == 0)
        return 0;
    struct console_options o = {
        .loop = s->loop,
        .host = c->console.host,
        .port = c->console.port,
        .snapshot = s->snapshot,
        .audit = s->audit,
        .casebook = intake_casebook(s->intake),
        .ops = &ops,
        .ctx = s,
    };
    int r = console_new(&o, &s->console);
    return r < 0 ? complain("can't listen on", c->console.host, c->console.port, r) : 0;
}

static int start_canary(struct serve *s)
{
    struct canary_options o = {
        .loop = s->loop, .snapshot = s->snapshot, .told = watch_told, .ctx = s->audit};
    int r = canary_new(&o, &s->canary);
    if (r < 0)
        log_error("the canary can't be started: %s", strerror(-r));
    return r;
}

static void greet(struct serve *s)
{
    const struct config *c = snapshot_config(s->snapshot);
    const struct ruleset *rules = snapshot_rules(s->snapshot);
    struct buf weak = BUF_INIT(65536);
    log_info("juyong " JUYONG_VERSION ": http://%.*s:%u/v1, %u workers, %zu rules (%.*s)",
             SPAN_ARG(c->listen_host), worker_pool_port(s->pool), worker_pool_count(s->pool),
             ruleset_count(rules), SPAN_ARG(ruleset_version(rules)));
    if (s->console)
        log_info("console: http%s://%.*s:%u (/healthz /readyz /metrics)",
                 c->console.certificate.len ? "s" : "", SPAN_ARG(c->console.host),
                 console_port(s->console));
    count_library(s);
    weak_lines(s, &weak);
    log_lines(LOG_WARNING, "weakened: ", &weak);
    buf_deinit(&weak);
}

static int prepare_reload(struct serve *s)
{
    struct reload_options o = {.loop = s->loop,
                               .file = span_str(s->file),
                               .load = snapshot_load,
                               .renew = snapshot_renew,
                               .in_force = in_force,
                               .done = reloaded,
                               .ctx = s};
    s->reload = reload_new(&o);
    return s->reload ? 0 : -ENOMEM;
}

/* Nothing that is published meanwhile is missed: what is served is compared with the store. */
static int follow_store(struct serve *s)
{
    const struct ruleset *rules = snapshot_rules(s->snapshot);
    struct span state_dir = snapshot_config(s->snapshot)->state_dir;
    bool published = span_starts(ruleset_version(rules), SPAN_LIT("v-"));
    int r = serving_open(state_dir, &s->serving);
    if (r < 0)
        log_warning("%.*s/rules: commands that publish won't wait for this gateway: %s",
                    SPAN_ARG(state_dir),
                    r == -EBUSY ? "another one runs on the same store" : strerror(-r));
    s->follow = follow_new(s->loop, state_dir, published ? ruleset_digest(rules) : SPAN_LIT(""),
                           publication, s);
    s->keywatch = keywatch_new(s->loop, state_dir, snapshot_access(s->snapshot), keys_changed, s);
    if (!s->follow || !s->keywatch)
        return -ENOMEM;
    record_rules(s, SPAN_LIT("start"));
    tell_serving(s, SPAN_LIT(""), SPAN_LIT(""));
    return 0;
}

static int serve(struct serve *s)
{
    struct buf messages = BUF_INIT(4u << 20);
    umask(077); /* loading may write */
    int r = snapshot_load(span_str(s->file), &messages, &s->snapshot);
    if (r == 0)
        set_log(s, snapshot_config(s->snapshot));
    if (log_get_form() == LOG_JSON)
        log_lines(LOG_WARNING, "", &messages);
    else
        setup_print_messages(stderr, &messages);
    buf_deinit(&messages);
    if (r < 0)
        return r;
    const struct config *c = snapshot_config(s->snapshot);
    /* Prompts and keys must not end in a core file. */
    prctl(PR_SET_DUMPABLE, 0);
    s->loop = loop_new();
    r = s->loop ? watch_signals(s) : -ENOMEM;
    if (r == 0)
        r = prepare_reload(s);
    if (r == 0)
        r = open_log(s, c);
    if (r == 0)
        r = open_tally(s, c);
    if (r == 0)
        r = intake_open(s->audit, c, &s->intake);
    if (r == 0)
        r = desk_open(s->audit, intake_casebook(s->intake), c, &s->desk);
    if (r == 0)
        r = keeper_open(s->audit, s->snapshot, &s->keeper);
    if (r == 0)
        r = reviewing_open(s->loop, s->audit, c->state_dir, &s->reviewing);
    if (r == 0)
        r = start_workers(s, c);
    if (r < 0)
        return r;
    loop_hook_add(s->loop, &s->hook, check_drained);
    r = follow_store(s);
    if (r == 0)
        r = start_canary(s);
    if (r == 0)
        r = start_console(s, c);
    if (r < 0) {
        stop(s);
    } else {
        greet(s);
        notify_send("READY=1");
    }
    int ended = loop_run(s->loop);
    return r < 0 ? r : ended;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct serve *s = state->input;
    switch (key) {
    case 'c':
        s->file = arg;
        return 0;
    case 'v':
        s->verbose = true;
        log_set_level(LOG_DEBUG);
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "unexpected argument '%s'", arg);
        return EINVAL;
    case ARGP_KEY_END:
        if (!s->file)
            argp_error(state, "-c FILE is needed");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int cli_serve(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"config", 'c', "FILE", 0, "Configuration", 0},
        {"verbose", 'v', NULL, 0, "Tell more on stderr", 0},
        {0},
    };
    static const struct argp argp = {
        options,
        parse,
        NULL,
        "Run the gateway: judge every prompt and every answer, record every decision, forward the "
        "rest.\n运行网关：检查每一条输入与输出，记录每一次判定，其余原样转发。\v"
        "The published rules are served, and a version that is published comes into force at once; "
        "with nothing published it is rules_dir as it was at the start. SIGHUP reloads "
        "configuration and rules without failing a request; with any error the old "
        "ones stay in force. SIGTERM drains: running answers may finish, a second one leaves at "
        "once. Exit status: 0 after a drain, 1 when it could not start or run.",
        NULL,
        NULL,
        NULL,
    };
    struct serve s = {.signals.fd = -1, .library_weak = BUF_INIT(4096)};
    if (argp_parse(&argp, argc, argv, 0, NULL, &s) != 0)
        return CLI_USAGE;
    int r = serve(&s);
    follow_free(s.follow);
    keywatch_free(s.keywatch);
    serving_close(s.serving);
    reload_free(s.reload);
    console_free(s.console);
    canary_free(s.canary);
    worker_pool_free(s.pool);
    reviewing_close(s.reviewing);
    tally_free(s.tally);
    desk_close(s.desk);
    keeper_stop(s.keeper);
    intake_close(s.intake);
    audit_close(s.audit);
    keeper_free(s.keeper); /* behind the log's last checkpoint */
    if (s.signals.fd >= 0 && s.loop)
        loop_watch_remove(s.loop, &s.signals);
    loop_free(s.loop);
    if (s.signals.fd >= 0)
        close(s.signals.fd);
    snapshot_unref(s.snapshot);
    buf_deinit(&s.library_weak);
    if (r == 0)
        log_info("stopped");
    return r < 0 ? CLI_BAD : CLI_GOOD;
}
