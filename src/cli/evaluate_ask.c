/* `juyong filing evaluate`: a new run, or one that goes on. */
#include "cli/coverage.h"
#include "cli/evaluatecmd.h"
#include "cli/filingcmd.h"
#include "evaluation/evaluate.h"
#include "evaluation/machine.h"
#include "evaluation/sample.h"
#include "http/client.h"

#include "access/keyfile.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "config/value.h"
#include "crypto/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>

#define KEY_MAX    4096
#define URL_MAX    2048
#define TIMEOUT_MS 300000
#define RETRY_MS   1000
#define AGREED_MAX 500

struct asking {
    const struct evaluate_options *o;
    struct setup setup;
    struct bank *bank;
    const struct question **sample;
    size_t sample_count;
    const struct config_app *app;
    const struct config_upstream *upstream;
    const struct config_opinion *opinion;
    struct run_settings settings;
    struct buf key, gateway_key, agreed;
    char urls[RUN_ROUTES][URL_MAX], login[256], version[RULE_VERSION_SIZE];
    struct run *run;
    size_t told; /* progress in steps of 5 % */
};

static int complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
static int complain(const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    fputs("juyong filing evaluate: ", stderr);
    vfprintf(stderr, format, ap);
    fputc('\n', stderr);
    va_end(ap);
    return CLI_BAD;
}

/* ---- keys ---- */

/* One line, and nothing else. */
static int read_key(const char *name, struct buf *ret_key)
{
    struct stat st;
    cleanup(cleanup_close) int fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return complain("%s: %s", name, fd < 0 ? strerror(errno) : "no regular file");
    if (file_read(fd, 0, ret_key) < 0)
        return complain("%s: it can't be read, or is no key", name);
    struct span key = span_trim(buf_span(ret_key));
    bool good = key.len > 0;
    for (size_t i = 0; good && i < key.len; i++)
        good = key.data[i] > 0x20 && key.data[i] < 0x7f;
    if (!good)
        return complain("%s must hold one line with the key and nothing else", name);
    if (st.st_mode & S_IROTH)
        fprintf(stderr, "%s: warning: it can be read by everyone on this machine; chmod 600 it\n",
                name);
    buf_consume(ret_key, (size_t)(key.data - ret_key->data));
    ret_key->len = key.len;
    return 0;
}

/* The host of a base URL, without its port and brackets. */
static struct span host_of(struct span url)
{
    size_t at = span_find(url, SPAN_LIT("://"));
    struct span rest = at < url.len ? span_slice(url, at + 3, url.len) : url;
    rest = span_slice(rest, 0, span_find(rest, SPAN_LIT("/")));
    if (rest.len && rest.data[0] == '[')
        return span_slice(rest, 1, span_find(rest, SPAN_LIT("]")));
    return span_slice(rest, 0, span_find(rest, SPAN_LIT(":")));
}

static bool is_here(struct span url)
{
    struct span host = host_of(url);
    return value_is_loopback(host) || span_eq(host, SPAN_LIT("localhost"));
}

/* Names under which providers take keys besides Authorization. */
static bool is_credential(struct span header)
{
    static const char *const names[] = {"api-key", "x-api-key", "x-goog-api-key", "x-auth-token",
                                        "apikey",  "cookie",    "token",          "x-token"};
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (span_eq_nocase(header, span_str(names[i])))
            return true;
    return false;
}

/* The service's key must not go along in a header, either. */
static int check_headers(const struct config_upstream *u)
{
    for (size_t i = 0; i < u->header_count; i++)
        if (is_credential(u->headers[i].name))
            return complain("the header %.*s of the upstream %.*s holds the service's key, and "
                            "would be sent: the evaluation needs another one, as Bearer\n"
                            "上游请求头中含线上服务的密钥，评估不得使用。",
                            SPAN_ARG(u->headers[i].name), SPAN_ARG(u->name));
    return 0;
}

/* Is it one with which the service runs? */
static int check_own(const struct config *c, const char *file, struct span key)
{
    for (size_t i = 0; i < c->upstream_count; i++)
        if (span_eq(c->upstreams[i].api_key, key))
            return complain("%s holds the key of the upstream %.*s, with which the service runs: "
                            "the evaluation needs another one\n"
                            "评估密钥不得与线上服务密钥相同。",
                            file, SPAN_ARG(c->upstreams[i].name));
    for (size_t i = 0; i < c->opinion_count; i++)
        if (span_eq(c->opinions[i].api_key, key))
            return complain("%s holds the key of the second opinion %.*s, with which the service "
                            "runs: the evaluation needs another one\n"
                            "评估密钥不得与线上服务密钥相同。",
                            file, SPAN_ARG(c->opinions[i].name));
    return 0;
}

/*
 * A provider may close a key over what it is asked here, and with it a service in operation: the
 * key must be another one than any of those.
 */
static int take_own_key(struct asking *a)
{
    const struct config *c = a->setup.config;
    const char *name = a->o->key_file;
    char path[1024];
    if (a->o->no_key) {
        if (!is_here(a->upstream->base_url))
            return complain("--no-key is for an upstream on this machine, and %.*s is none: a "
                            "provider is asked with a key of the evaluation's own",
                            SPAN_ARG(a->upstream->base_url));
        return 0;
    }
    if (!name && c->evaluation.key_file.len) {
        snprintf(path, sizeof(path), "%.*s", SPAN_ARG(c->evaluation.key_file));
        name = path;
    }
    if (!name)
        return complain("an evaluation asks the provider harmful questions, so it needs a key of "
                        "its own, which the provider may close without the service: "
                        "--upstream-key-file or evaluation.key_file (for a stand-in on this "
                        "machine --no-key)\n评估须使用单独的上游密钥，不得使用线上服务的密钥。");
    int r = read_key(name, &a->key);
    if (r == 0)
        r = check_own(c, name, buf_span(&a->key));
    if (r == 0 && a->settings.routes[RUN_BARE])
        r = check_headers(a->upstream);
    return r;
}

/* The app that the key belongs to answers; another one's policy would judge. What is no key of this
 * gateway's may be one of that at --gateway-url. */
static int check_gateway_key(const struct asking *a, const char *name)
{
    unsigned char digest[SHA256_SIZE];
    struct buf messages = BUF_INIT(4096);
    struct keyfile f;
    int r = keyfile_read(a->setup.config->state_dir, &messages, &f);
    buf_deinit(&messages);
    if (r < 0)
        return r == -ENOMEM ? complain("out of memory") : 0;
    if (keyfile_digest(&f, buf_span(&a->gateway_key), digest) < 0)
        f.count = 0;
    for (size_t i = 0; r == 0 && i < f.count; i++)
        if (memcmp(f.keys[i].digest, digest, sizeof(digest)) == 0 &&
            !span_eq(f.keys[i].app, a->app->name))
            r = complain("%s holds a key of the app %.*s, which would answer, and the policy of "
                         "the app %.*s would judge: --app %.*s, or evaluation.app\n"
                         "网关密钥属于应用 %.*s，与评估的应用 %.*s 不一致。",
                         name, SPAN_ARG(f.keys[i].app), SPAN_ARG(a->app->name),
                         SPAN_ARG(f.keys[i].app), SPAN_ARG(f.keys[i].app), SPAN_ARG(a->app->name));
    keyfile_deinit(&f);
    return r;
}

static int take_gateway_key(struct asking *a)
{
    const struct config *c = a->setup.config;
    const char *name = a->o->gateway_key_file;
    char path[1024];
    if (!name && c->evaluation.gateway_key_file.len) {
        snprintf(path, sizeof(path), "%.*s", SPAN_ARG(c->evaluation.gateway_key_file));
        name = path;
    }
    if (c->auth != AUTH_KEYS) { /* passthrough: the provider's key goes through */
        int r = a->settings.routes[RUN_BARE] ? 0 : take_own_key(a);
        return r ? r : buf_append(&a->gateway_key, buf_span(&a->key)) < 0 ? CLI_BAD : 0;
    }
    if (!name)
        return complain("with auth: keys the gateway is asked with one of its keys: "
                        "--gateway-key-file or evaluation.gateway_key_file; `juyong key create "
                        "--app %.*s` makes one",
                        SPAN_ARG(a->app->name));
    fprintf(stderr,
            "Note: what the gateway lets through goes on to the provider with the service's own "
            "key (auth: keys).\n注意：经网关放行的问题将使用线上服务的密钥发往模型提供方。\n");
    int r = read_key(name, &a->gateway_key);
    return r ? r : check_gateway_key(a, name);
}

/* ---- what is asked, and where ---- */

static int write_urls(struct asking *a)
{
    const struct config *c = a->setup.config;
    struct span host = c->listen_host;
    int n;
    if (span_eq(host, SPAN_LIT("0.0.0.0")) || host.len == 0)
        host = SPAN_LIT("127.0.0.1");
    if (span_eq(host, SPAN_LIT("::")))
        host = SPAN_LIT("::1");
    bool v6 = memchr(host.data, ':', host.len) != NULL;
    if (a->o->gateway_url)
        n = snprintf(a->urls[RUN_GATEWAY], URL_MAX, "%s/chat/completions", a->o->gateway_url);
    else
        n = snprintf(a->urls[RUN_GATEWAY], URL_MAX, "http://%s%.*s%s:%u/v1/chat/completions",
                     v6 ? "[" : "", SPAN_ARG(host), v6 ? "]" : "", (unsigned)c->listen_port);
    int m = snprintf(a->urls[RUN_BARE], URL_MAX, "%.*s/chat/completions",
                     SPAN_ARG(a->upstream->base_url));
    return n < 0 || n >= URL_MAX || m < 0 || m >= URL_MAX ? complain("an address is too long") : 0;
}

static bool may_use(const struct config_app *app, struct span model)
{
    for (size_t i = 0; i < app->model_count; i++)
        if (span_eq(app->models[i], model))
            return true;
    return app->model_count == 0;
}

static int find_model(struct asking *a, struct span wanted)
{
    const struct config *c = a->setup.config;
    for (size_t u = 0; u < c->upstream_count; u++)
        for (size_t m = 0; m < c->upstreams[u].model_count; m++) {
            struct span id = c->upstreams[u].models[m].id;
            if (wanted.len ? !span_eq(id, wanted) : !may_use(a->app, id))
                continue;
            a->upstream = &c->upstreams[u];
            a->settings.model = id;
            a->settings.upstream = a->upstream->name;
            if (!may_use(a->app, id))
                return complain("the app %.*s may not ask for %.*s", SPAN_ARG(a->app->name),
                                SPAN_ARG(id));
            return 0;
        }
    return complain("no upstream has the model '%.*s'", SPAN_ARG(wanted));
}

/* A list such as gateway,bare: `set` marks each; false for a name that is none. */
static bool read_names(const char *list, bool *marks, int count, int (*find)(struct span name))
{
    struct span rest = span_str(list), name;
    while (span_split(&rest, ',', &name)) {
        int at = find(span_trim(name));
        if (at >= count)
            return false;
        marks[at] = true;
    }
    return *list != '\0';
}

static int find_route(struct span name)
{
    return (int)run_route_from(name);
}

static int find_bank(struct span name)
{
    return (int)bank_kind_from(name);
}

/* content=1000,refuse=300 */
static bool read_sample(const char *list, unsigned counts[BANK_KINDS])
{
    struct span rest = span_str(list), part;
    while (span_split(&rest, ',', &part)) {
        size_t at = span_find(part, SPAN_LIT("="));
        unsigned long long n;
        if (at == part.len)
            return false;
        enum bank_kind kind = bank_kind_from(span_trim(span_slice(part, 0, at)));
        if (kind == BANK_KINDS || !span_to_u64(span_trim(span_slice(part, at + 1, part.len)), &n) ||
            n > 1000000)
            return false;
        counts[kind] = (unsigned)n;
    }
    return true;
}

static int read_pace(struct asking *a)
{
    const struct config *c = a->setup.config;
    struct run_settings *s = &a->settings;
    unsigned long long n = c->evaluation.concurrency;
    char *end = NULL;
    s->rate = a->o->rate ? strtod(a->o->rate, &end) : c->evaluation.rate;
    if ((end && *end) || !isfinite(s->rate) || s->rate < RUN_RATE_MIN || s->rate > RUN_RATE_MAX)
        return complain("--rate takes a number of questions a second, such as 2 or 0.5");
    if (a->o->concurrency && !span_to_u64(span_str(a->o->concurrency), &n))
        n = 0;
    if (n < 1 || n > EVALUATION_SLOTS)
        return complain("--concurrency takes 1 to %d", EVALUATION_SLOTS);
    s->concurrency = (unsigned)n;
    return 0;
}

static int read_choices(struct asking *a)
{
    const struct evaluate_options *o = a->o;
    struct run_settings *s = &a->settings;
    unsigned long long seed = 0;
    for (int k = 0; k < BANK_KINDS; k++) {
        s->sample[k] = k == BANK_CONTENT ? 1000 : 300;
        s->banks[k] = !o->banks;
    }
    s->routes[RUN_GATEWAY] = s->routes[RUN_BARE] = !o->routes;
    s->all = o->all;
    s->derived = o->derived;
    if (o->routes && !read_names(o->routes, s->routes, RUN_ROUTES, find_route))
        return complain("--routes takes gateway, bare or both, with a comma");
    if (o->banks && !read_names(o->banks, s->banks, BANK_KINDS, find_bank))
        return complain("--banks takes content, refuse and answer, with commas");
    if (o->sample && !read_sample(o->sample, s->sample))
        return complain("--sample takes a list such as content=1000,refuse=300,answer=300");
    if (o->seed ? !span_to_u64(span_str(o->seed), &seed) : secret_random(&seed, sizeof(seed)) < 0)
        return complain("--seed takes a number");
    s->seed = o->seed ? seed : seed & 0xFFFFFFFFu; /* one that people can copy */
    return 0;
}

static int draw(struct asking *a)
{
    struct buf messages = BUF_INIT(4u << 20);
    int r = bank_read(a->setup.config->rules_dir, a->setup.rules, &messages, &a->bank);
    setup_print_messages(stderr, &messages);
    buf_deinit(&messages);
    if (r < 0)
        return CLI_BAD;
    struct sample_options o = {
        .all = a->settings.all, .derived = a->settings.derived, .seed = a->settings.seed};
    memcpy(o.banks, a->settings.banks, sizeof(o.banks));
    memcpy(o.wanted, a->settings.sample, sizeof(o.wanted));
    r = sample_draw(a->bank, &o, &a->sample, &a->sample_count);
    if (r < 0)
        return complain("%s", strerror(-r));
    if (a->sample_count == 0)
        return complain("there is no question to ask in %.*s/" BANK_FOLDER,
                        SPAN_ARG(a->setup.config->rules_dir));
    a->settings.bank_digest = span_str(bank_digest(a->bank));
    return 0;
}

/* ---- the provider's consent ---- */

static int confirm(struct asking *a)
{
    char line[AGREED_MAX + 2];
    struct span said;
    if (a->o->agrees) {
        said = span_trim(span_str(a->o->agrees));
    } else if (!isatty(STDIN_FILENO)) {
        return complain("has the provider agreed to be asked harmful questions? "
                        "--provider-agrees \"who confirmed it, when\"\n"
                        "须确认模型提供方同意本次评估：--provider-agrees \"确认人，日期\"");
    } else {
        fprintf(stderr,
                "This sends %zu questions, harmful ones among them, to %.*s (%.*s).\n"
                "将向模型提供方发送上述问题，其中包含有害内容。\n"
                "Who confirmed, and when, that the provider agrees? An empty line stops.\n"
                "请输入模型提供方的确认人与日期（留空则停止）：",
                a->sample_count ? a->sample_count : run_count(a->run), SPAN_ARG(a->upstream->name),
                SPAN_ARG(a->upstream->base_url));
        if (!fgets(line, sizeof(line), stdin))
            line[0] = '\0';
        said = span_trim(span_str(line));
        if (said.len == 0)
            return complain("nothing was asked");
    }
    if (!setup_is_line("filing evaluate", "--provider-agrees", said, AGREED_MAX))
        return CLI_USAGE;
    return buf_append(&a->agreed, said) < 0 ? CLI_BAD : 0;
}

/* ---- asking ---- */

static struct evaluation *running;

static void on_signal(int number)
{
    if (running)
        evaluation_interrupt(running);
}

static void print_left(uint64_t ms)
{
    unsigned long long s = (ms + 999) / 1000;
    if (s >= 3600)
        fprintf(stderr, "%llu h %llu min", s / 3600, s % 3600 / 60);
    else if (s >= 60)
        fprintf(stderr, "%llu min", (s + 59) / 60);
    else
        fprintf(stderr, "%llu s", s);
}

static void on_progress(void *ctx, const struct evaluation_progress *p)
{
    struct asking *a = ctx;
    bool terminal = isatty(STDERR_FILENO);
    size_t step = p->done * 20 / p->total;
    if (!terminal && step == a->told && p->done < p->total)
        return;
    a->told = step;
    fprintf(stderr, "%s%zu/%zu (%zu %%), %zu fail 不合格", terminal ? "\r\033[K" : "", p->done,
            p->total, p->done * 100 / p->total, p->failed);
    if (p->errors)
        fprintf(stderr, ", %zu without answer 无回答", p->errors);
    if (p->done < p->total && p->left_ms) {
        fputs(", left 剩余 ", stderr);
        print_left(p->left_ms);
    }
    if (!terminal || p->done == p->total)
        fputc('\n', stderr);
    fflush(stderr);
}

static int run_it(struct asking *a, enum evaluation_end *ret_end, struct buf *reason)
{
    struct evaluation_options o = {
        .run = a->run,
        .rules = a->setup.rules,
        .config = a->setup.config,
        .app = a->app,
        .opinion = a->opinion,
        .rate = a->settings.rate,
        .concurrency = a->settings.concurrency,
        .timeout_ms = a->upstream->total_ms < TIMEOUT_MS ? a->upstream->total_ms : TIMEOUT_MS,
        .retry_ms = RETRY_MS,
        .progress = on_progress,
        .ctx = a};
    o.routes[RUN_GATEWAY] = (struct evaluation_route){.url = span_str(a->urls[RUN_GATEWAY]),
                                                      .key = buf_span(&a->gateway_key)};
    o.routes[RUN_BARE] = (struct evaluation_route){.url = span_str(a->urls[RUN_BARE]),
                                                   .key = buf_span(&a->key),
                                                   .headers = a->upstream->headers,
                                                   .header_count = a->upstream->header_count};
    struct sigaction act = {.sa_handler = on_signal}, old_int, old_term;
    struct evaluation *e = NULL;
    int r = evaluation_new(&o, &e);
    if (r < 0)
        return complain("%s", strerror(-r));
    running = e;
    signal(SIGPIPE, SIG_IGN);
    sigaction(SIGINT, &act, &old_int);
    sigaction(SIGTERM, &act, &old_term);
    *ret_end = evaluation_run(e);
    sigaction(SIGINT, &old_int, NULL);
    sigaction(SIGTERM, &old_term, NULL);
    running = NULL;
    buf_append(reason, evaluation_reason(e));
    struct span served = evaluation_served(e);
    if (served.len)
        fprintf(stderr,
                "warning: the gateway goes by other rules (%.*s) than those that judge here "
                "(%.*s): publish or reload, and begin a new run\n"
                "注意：网关所用规则版本与本次评估不一致。\n",
                SPAN_ARG(served), SPAN_ARG(run_settings(a->run)->version));
    evaluation_free(e);
    return 0;
}

static void say_end(const struct asking *a, enum evaluation_end end, struct span reason)
{
    static const char *const words[] = {"", "", "interrupted 已中断",
                                        "stopped: the account may be in danger 已停止：账户风险",
                                        "stopped 已停止"};
    struct span name = run_settings(a->run)->name;
    if (isatty(STDERR_FILENO))
        fputc('\n', stderr);
    if (end == EVALUATION_GAPS)
        fprintf(stderr, "some questions have no answer 部分题目无回答\n");
    else if (end != EVALUATION_COMPLETE)
        fprintf(stderr, "%s%s%.*s\n", words[end], end == EVALUATION_INTERRUPTED ? "" : ": ",
                end == EVALUATION_INTERRUPTED ? 0 : (int)reason.len, reason.data);
    if (end != EVALUATION_COMPLETE)
        fprintf(stderr, "go on with 继续评估: juyong filing evaluate -c %s --resume %.*s\n",
                a->o->file, SPAN_ARG(name));
}

/* From the record that it begins to the one that it ended. */
static int carry_out(struct asking *a, const char *event)
{
    const struct config *c = a->setup.config;
    struct span name = run_settings(a->run)->name, by = span_str(a->login);
    struct buf reason = BUF_INIT(1024), told = BUF_INIT(2048);
    enum evaluation_end end = EVALUATION_FAILED;
    static const char *const ends[] = {"complete", "gaps", "interrupted", "account", "failed"};
    printf("%.*s\n", SPAN_ARG(name));
    fflush(stdout);
    buf_printf(&told, "%s; the provider agrees: %.*s", event, SPAN_ARG(buf_span(&a->agreed)));
    int r = filing_record(c, "evaluate", name, buf_span(&told)) < 0 ? CLI_BAD : 0;
    if (r == 0 && run_note(a->run, span_str(event), by, buf_span(&told)) < 0)
        r = complain("the run can't be written");
    if (r == 0)
        r = run_it(a, &end, &reason);
    if (r == 0) {
        say_end(a, end, buf_span(&reason));
        run_note(a->run, end == EVALUATION_COMPLETE ? SPAN_LIT("end") : SPAN_LIT("stop"), by,
                 buf_span(&reason));
        buf_clear(&told);
        buf_printf(&told, "%s %.*s", ends[end], SPAN_ARG(buf_span(&reason)));
        filing_record(c, "evaluated", name, buf_span(&told));
        r = end == EVALUATION_COMPLETE                                ? CLI_GOOD
            : end == EVALUATION_GAPS || end == EVALUATION_INTERRUPTED ? CLI_UNMET
                                                                      : CLI_BAD;
    }
    buf_deinit(&reason);
    buf_deinit(&told);
    return r;
}

/* ---- a new one, or one that goes on ---- */

static int find_app(struct asking *a, struct span name)
{
    a->app = config_find_app(a->setup.config, name);
    if (!a->app)
        return complain("no app of the configuration is called '%.*s'", SPAN_ARG(name));
    a->settings.app = a->app->name;
    a->opinion = machine_source(a->setup.config, a->app);
    a->settings.opinion = a->opinion ? a->opinion->name : SPAN_LIT("");
    return 0;
}

static int take_keys(struct asking *a)
{
    int r = a->settings.routes[RUN_BARE] ? take_own_key(a) : 0;
    if (r == 0 && a->settings.routes[RUN_GATEWAY])
        r = take_gateway_key(a);
    return r;
}

static int begin_new(struct asking *a)
{
    const struct config *c = a->setup.config;
    struct span app = a->o->app ? span_str(a->o->app) : c->evaluation.app;
    int r = find_app(a, app);
    if (r == 0)
        r = find_model(a, a->o->model ? span_str(a->o->model) : SPAN_NULL);
    if (r == 0)
        r = read_choices(a);
    if (r == 0)
        r = read_pace(a);
    if (r == 0)
        r = write_urls(a);
    if (r == 0)
        r = take_keys(a);
    if (r == 0)
        r = draw(a);
    if (r == 0)
        r = confirm(a);
    if (r)
        return r;
    a->settings.by = span_str(a->login);
    a->settings.agreed = buf_span(&a->agreed);
    a->settings.version = ruleset_version(a->setup.rules);
    a->settings.digest = ruleset_digest(a->setup.rules);
    a->settings.software = SPAN_LIT("juyong " JUYONG_VERSION);
    r = run_create(c->state_dir, &a->settings, a->sample, a->sample_count, &a->run);
    if (r < 0)
        return complain("%.*s/filing/runs: %s", SPAN_ARG(c->state_dir), strerror(-r));
    fprintf(stderr, "%zu questions 道题, seed %llu, rules %.*s\n", a->sample_count,
            (unsigned long long)a->settings.seed, SPAN_ARG(a->settings.version));
    return carry_out(a, "begin");
}

static int begin_again(struct asking *a)
{
    a->run = evaluate_open(&a->setup, a->o->resume, true);
    if (!a->run)
        return CLI_BAD;
    const struct run_settings *was = run_settings(a->run);
    if (run_is_complete(a->run))
        return complain("%s has all its answers; see --results %s", a->o->resume, a->o->resume);
    if (!span_eq(was->digest, ruleset_digest(a->setup.rules)))
        return complain("the rules have changed since %s began (%.*s then, %.*s now): its answers "
                        "would be judged by two libraries; publish or restore that one, or begin a "
                        "new run",
                        a->o->resume, SPAN_ARG(was->version),
                        SPAN_ARG(ruleset_version(a->setup.rules)));
    int r = find_app(a, was->app);
    if (r == 0)
        r = find_model(a, was->model);
    if (r)
        return r;
    memcpy(a->settings.routes, was->routes, sizeof(was->routes));
    r = read_pace(a);
    if (r == 0 && !a->o->rate && was->rate >= RUN_RATE_MIN)
        a->settings.rate = was->rate;
    if (r == 0 && !a->o->concurrency && was->concurrency)
        a->settings.concurrency = was->concurrency;
    if (r == 0)
        r = write_urls(a);
    if (r == 0)
        r = take_keys(a);
    if (r == 0 && !a->o->agrees) /* it was said when the run began */
        r = buf_append(&a->agreed, was->agreed) < 0 ? CLI_BAD : 0;
    else if (r == 0)
        r = confirm(a);
    return r ? r : carry_out(a, "resume");
}

int evaluate_ask(const struct evaluate_options *o)
{
    struct asking a = {.o = o,
                       .key = BUF_INIT(KEY_MAX),
                       .gateway_key = BUF_INIT(KEY_MAX),
                       .agreed = BUF_INIT(4096)};
    int r = setup_load_published(span_str(o->file), &a.setup);
    if (r)
        return r;
    setup_login(a.login, sizeof(a.login));
    if (o->by)
        snprintf(a.login, sizeof(a.login), "%s", o->by);
    if (!setup_is_line("filing evaluate", "--by", span_str(a.login), sizeof(a.login) - 1)) {
        setup_deinit(&a.setup);
        return CLI_USAGE;
    }
    http_client_setup();
    r = o->resume ? begin_again(&a) : begin_new(&a);
    http_client_teardown();
    run_free(a.run);
    free(a.sample);
    bank_free(a.bank);
    struct buf *secrets[] = {&a.key, &a.gateway_key};
    for (size_t i = 0; i < 2; i++) {
        if (secrets[i]->data)
            explicit_bzero(secrets[i]->data, secrets[i]->cap);
        buf_deinit(secrets[i]);
    }
    buf_deinit(&a.agreed);
    setup_deinit(&a.setup);
    return r;
}
