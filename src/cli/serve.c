/* `juyong serve`: run the gateway until SIGTERM. */
#include "cli/serve.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "cli/alarm.h"
#include "cli/announce.h"
#include "cli/desk.h"
#include "cli/follow.h"
#include "cli/intake.h"
#include "cli/keywatch.h"
#include "cli/notify.h"
#include "cli/reload.h"
#include "cli/setup.h"
#include "cli/status.h"
#include "cli/watch.h"
#include "http/server.h"

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
    struct desk *desk;
    struct intake *intake;
    struct alarm *alarm;
    struct console *console;
    struct status now; /* the parts that the console tells of, owned here */
    struct announce announce;
    atomic_bool drained;
    uint64_t stopped_ms;
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

/* --- signals --- */

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
    return s->now.snapshot;
}

/* Rules of one store and a log in another would be no gateway's state. */
static bool moved(const struct serve *s, const struct snapshot *next)
{
    return !span_eq(snapshot_config(s->now.snapshot)->state_dir, snapshot_config(next)->state_dir);
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
        config_restart_needed(snapshot_config(s->now.snapshot), snapshot_config(next), messages);
    log_lines(result < 0 ? LOG_ERROR : LOG_WARNING, "reload: ", messages);
    if (result < 0) {
        log_error("reload failed: what was in force stays in force");
        announce_refusal(&s->announce, s->now.snapshot, messages);
        if (s->follow)
            follow_retry(s->follow);
        return;
    }
    access_carry(snapshot_access(next), snapshot_access(s->now.snapshot));
    bool rules_only = snapshot_config(s->now.snapshot) == snapshot_config(next);
    set_log(s, snapshot_config(next));
    if (s->console)
        console_reload(s->console, next);
    if (snapshot_rules(s->now.snapshot) == snapshot_rules(next)) {
        worker_pool_reload(s->now.pool, next);
        snapshot_unref(s->now.snapshot);
        s->now.snapshot = next;
        alarm_reload(s->alarm);
        filingclock_reload(s->now.filing, next);
        log_info("reloaded: %zu keys are in force", access_key_count(snapshot_access(next)));
        return;
    }
    worker_pool_reload(s->now.pool, next);
    snapshot_unref(s->now.snapshot);
    s->now.snapshot = next;
    status_count_library(&s->now);
    announce_rules(&s->announce, next, rules_only ? SPAN_LIT("publish") : SPAN_LIT("reload"));
    canary_reload(s->now.canary, next);
    alarm_reload(s->alarm);
    filingclock_reload(s->now.filing, next);
    log_info("reloaded: rules %.*s, %zu rules", SPAN_ARG(ruleset_version(snapshot_rules(next))),
             ruleset_count(snapshot_rules(next)));
}

static void stop(struct serve *s)
{
    /* Supervisors and timeout(1) may signal both the program and its group: one request, told
     * twice. */
    if (s->now.stopping && clock_mono_ms() - s->stopped_ms < SERVE_TWICE_MS)
        return;
    if (s->now.stopping) {
        log_warning("stopped a second time: leaving at once");
        _exit(1);
    }
    s->now.stopping = true;
    s->stopped_ms = clock_mono_ms();
    log_info("draining: no new requests, running ones may finish");
    notify_send("STOPPING=1");
    reload_stop(s->reload);
    canary_stop(s->now.canary);
    worker_pool_drain(s->now.pool);
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
    if (atomic_load(&s->drained) && canary_stopped(s->now.canary))
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
    if (r == 0 && buf_cstr(&dir) && (r = file_make_dir(dir.data, 0700)) < 0)
        complain("can't create", c->state_dir, 0, r);
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
    int e = audit_open(&o, &s->now.audit); /* tells what is wrong itself */
    s->announce.audit = s->now.audit;
    return e;
}

static int open_tally(struct serve *s, const struct config *c)
{
    struct buf messages = BUF_INIT(65536);
    s->now.tally = tally_new(s->loop, c->state_dir, &messages);
    log_lines(LOG_WARNING, "", &messages);
    buf_deinit(&messages);
    return s->now.tally ? 0 : -ENOMEM;
}

static int start_workers(struct serve *s, const struct config *c)
{
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    struct worker_pool_options o = {
        .count = c->workers ? c->workers
                 : cpus > 0 ? (unsigned)cpus
                            : 1,
        .audit = s->now.audit,
        .limiter = tally_limiter(s->now.tally),
        .reviewers = reviewing_accounts(s->now.reviewing),
        .complaints = intake_taker(s->intake),
        .snapshot = s->now.snapshot,
        .drained = drained,
        .ctx = s,
    };
    if (o.count > 256)
        o.count = 256;
    raise_descriptors(c, o.count);
    struct http_server_options probe = {.host = c->listen_host, .port = c->listen_port};
    int r = http_server_probe(&probe);
    if (r == 0)
        r = worker_pool_new(&o, &s->now.pool);
    return r < 0 ? complain("can't listen on", c->listen_host, c->listen_port, r) : 0;
}

static int start_console(struct serve *s, const struct config *c)
{
    if (c->console.port == 0)
        return 0;
    struct console_options o = {
        .loop = s->loop,
        .host = c->console.host,
        .port = c->console.port,
        .snapshot = s->now.snapshot,
        .audit = s->now.audit,
        .casebook = intake_casebook(s->intake),
        .verifier = alarm_verifier(s->alarm),
        .ops = &status_console,
        .ctx = &s->now,
    };
    int r = console_new(&o, &s->console);
    return r < 0 ? complain("can't listen on", c->console.host, c->console.port, r) : 0;
}

static int start_canary(struct serve *s)
{
    struct canary_options o = {
        .loop = s->loop, .snapshot = s->now.snapshot, .told = watch_told, .ctx = s->now.audit};
    int r = canary_new(&o, &s->now.canary);
    if (r < 0)
        log_error("the canary can't be started: %s", strerror(-r));
    return r;
}

static int start_filing(struct serve *s)
{
    int r = filingclock_open(s->now.snapshot, &s->now.filing);
    if (r < 0)
        log_error("the filing's calendar can't be started: %s", strerror(-r));
    return r;
}

static int start_alarm(struct serve *s)
{
    int r = alarm_open(s->loop, &s->now, &s->alarm);
    s->now.alerts = alarm_alerts(s->alarm);
    if (r < 0)
        log_error("alerts can't be started: %s", strerror(-r));
    return r;
}

static void greet(struct serve *s)
{
    const struct config *c = snapshot_config(s->now.snapshot);
    const struct ruleset *rules = snapshot_rules(s->now.snapshot);
    struct buf weak = BUF_INIT(65536);
    log_info("juyong " JUYONG_VERSION ": http://%.*s:%u/v1, %u workers, %zu rules (%.*s)",
             SPAN_ARG(c->listen_host), worker_pool_port(s->now.pool),
             worker_pool_count(s->now.pool), ruleset_count(rules),
             SPAN_ARG(ruleset_version(rules)));
    if (s->console)
        log_info("console: http%s://%.*s:%u (/healthz /readyz /metrics)",
                 c->console.certificate.len ? "s" : "", SPAN_ARG(c->console.host),
                 console_port(s->console));
    status_count_library(&s->now);
    status_weak_lines(&s->now, &weak);
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
    s->now.reload = s->reload;
    return s->reload ? 0 : -ENOMEM;
}

/* Nothing that is published meanwhile is missed: what is served is compared with the store. */
static int follow_store(struct serve *s)
{
    const struct ruleset *rules = snapshot_rules(s->now.snapshot);
    struct span state_dir = snapshot_config(s->now.snapshot)->state_dir;
    bool published = span_starts(ruleset_version(rules), SPAN_LIT("v-"));
    int r = serving_open(state_dir, &s->announce.serving);
    if (r < 0)
        log_warning("%.*s/rules: commands that publish won't wait for this gateway: %s",
                    SPAN_ARG(state_dir),
                    r == -EBUSY ? "another one runs on the same store" : strerror(-r));
    s->follow = follow_new(s->loop, state_dir, published ? ruleset_digest(rules) : SPAN_LIT(""),
                           publication, s);
    s->keywatch =
        keywatch_new(s->loop, state_dir, snapshot_access(s->now.snapshot), keys_changed, s);
    if (!s->follow || !s->keywatch)
        return -ENOMEM;
    announce_rules(&s->announce, s->now.snapshot, SPAN_LIT("start"));
    return 0;
}

static int serve(struct serve *s)
{
    struct buf messages = BUF_INIT(4u << 20);
    umask(077); /* loading may write */
    int r = snapshot_load(span_str(s->file), &messages, &s->now.snapshot);
    if (r == 0)
        set_log(s, snapshot_config(s->now.snapshot));
    if (log_get_form() == LOG_JSON)
        log_lines(LOG_WARNING, "", &messages);
    else
        setup_print_messages(stderr, &messages);
    buf_deinit(&messages);
    if (r < 0)
        return r;
    const struct config *c = snapshot_config(s->now.snapshot);
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
        r = intake_open(s->now.audit, c, &s->intake);
    if (r == 0)
        r = desk_open(s->now.audit, intake_casebook(s->intake), c, &s->desk);
    if (r == 0)
        r = keeper_open(s->now.audit, s->now.snapshot, &s->now.keeper);
    if (r == 0)
        r = reviewing_open(s->loop, s->now.audit, c->state_dir, &s->now.reviewing);
    if (r == 0)
        r = start_workers(s, c);
    if (r < 0)
        return r;
    loop_hook_add(s->loop, &s->hook, check_drained);
    r = follow_store(s);
    if (r == 0)
        r = start_canary(s);
    if (r == 0)
        r = start_alarm(s);
    if (r == 0)
        r = start_filing(s);
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
    struct serve s = {.signals.fd = -1, .now.library_weak = BUF_INIT(4096)};
    if (argp_parse(&argp, argc, argv, 0, NULL, &s) != 0)
        return CLI_USAGE;
    int r = serve(&s);
    follow_free(s.follow);
    keywatch_free(s.keywatch);
    serving_close(s.announce.serving);
    reload_free(s.reload);
    console_free(s.console);
    filingclock_close(s.now.filing);
    alarm_close(s.alarm);
    canary_free(s.now.canary);
    worker_pool_free(s.now.pool);
    reviewing_close(s.now.reviewing);
    tally_free(s.now.tally);
    desk_close(s.desk);
    keeper_stop(s.now.keeper);
    intake_close(s.intake);
    audit_close(s.now.audit);
    keeper_free(s.now.keeper); /* behind the log's last checkpoint */
    if (s.signals.fd >= 0 && s.loop)
        loop_watch_remove(s.loop, &s.signals);
    loop_free(s.loop);
    if (s.signals.fd >= 0)
        close(s.signals.fd);
    snapshot_unref(s.now.snapshot);
    buf_deinit(&s.now.library_weak);
    if (r == 0)
        log_info("stopped");
    return r < 0 ? CLI_BAD : CLI_GOOD;
}
