/*
 * The configuration as one immutable, counted snapshot. Read from YAML by one table of keys
 * (config/schema.c) that also feeds `juyong check` and its messages; unknown keys are errors.
 */
#pragma once

#include "base/buf.h"
#include "config/console.h"
#include "config/label.h"
#include "config/network.h"
#include "terms/terms.h"
#include "yaml/place.h"

enum refusal_style {
    REFUSAL_MESSAGE, /* 200, a text, finish_reason content_filter */
    REFUSAL_ERROR,   /* 400, nested error object, code content_filter */
};

/* In order of weakness; only for a time is one weaker than enforce. */
enum config_mode {
    MODE_ENFORCE,
    MODE_OBSERVE, /* judged and recorded as by enforce, but nothing is refused, masked or cut */
    MODE_SHADOW,  /* judged beside: nothing is altered, nor waits for the judgement */
    MODE_COUNT,
};

enum opinion_kind {
    OPINION_MODERATIONS, /* OpenAI's POST /v1/moderations */
    OPINION_QWEN3GUARD,  /* a guard model behind a chat API */
    OPINION_LLAMAGUARD,
    OPINION_WEBHOOK, /* the operator's own, see opinion/README.md */
};

/* How much of an answer waits for a second opinion. */
enum release {
    RELEASE_EXACT,    /* nothing: a late objection ends the answer and takes back what was shown */
    RELEASE_SENTENCE, /* each sentence for its own */
    RELEASE_WHOLE,    /* all of it for the last one */
};

/* How much of a prompt is asked about. */
enum asking_scope {
    ASK_CONVERSATION, /* all that the model will read */
    ASK_LAST,         /* the last question */
};

enum asking_when {
    ASK_ALWAYS,
    ASK_FLAGGED, /* when a rule of the action `ask` hits */
    ASK_SAMPLED, /* of a share of all exchanges */
};

enum language { LANGUAGE_ZH, LANGUAGE_EN, LANGUAGE_BOTH };

enum auth_mode { AUTH_PASSTHROUGH, AUTH_KEYS };

struct config_model {
    struct span id, display_name, filing_number; /* filing_number empty: unfiled */
    struct span *answers_as;                     /* names by which it may answer; NAME or PREFIX* */
    size_t answers_as_count;
    /* For a filing; each may be empty. Days are YYYY-MM-DD, `proof` is a file's path. */
    struct span vendor, filing_entity, filed_on, proof, contract_until;
};

struct config_header {
    struct span name, value;
};

struct config_upstream {
    struct span name, dialect; /* dialect: openai */
    struct span base_url;      /* ends in /v1 without slash */
    struct span api_key;       /* content of api_key_file; empty: none. A secret: never printed */
    struct config_header *headers;
    size_t header_count;
    struct config_model *models;
    size_t model_count;
    unsigned connect_ms, first_byte_ms, gap_ms, total_ms; /* deadlines of one exchange */
};

/* Who wrote a row of a policy; a later one outranks an earlier one. */
enum config_origin {
    ORIGIN_BUILT_IN, /* what holds when nothing is written */
    ORIGIN_GLOBAL,   /* `policy:` */
    ORIGIN_APP,      /* `apps[].policy:` */
};

/*
 * One row of a policy: which risks (an id, a group such as A1, or a prefix such as attack-*), or
 * which rule (its id, with its slash).
 */
struct config_action {
    struct span risk;
    enum action prompt, completion; /* ACTION_DEFAULT: not said here */
    enum config_origin origin;
    struct place at; /* where it was written; file empty for built-in rows */
};

/* What of somebody's categories is which risk here. */
struct config_category {
    struct span name, risk;
    struct place at;
};

/* Somebody who can be asked for a second opinion. */
struct config_opinion {
    struct span name;
    unsigned kind; /* enum opinion_kind */
    struct span url, model;
    struct span api_key; /* content of a file; empty: none. A secret: never printed */
    struct span secret;  /* signs what a webhook is asked; likewise */
    struct span risk;    /* of categories that `categories` does not name */
    struct config_category *categories;
    size_t category_count;
    unsigned timeout_ms, connect_ms;
    unsigned concurrency, queue; /* questions at one time, and waiting, per worker */
    size_t cache;                /* answers kept, per worker */
    unsigned cache_ms;           /* and how long */
    size_t text_bytes;           /* of one question */
    unsigned pieces;             /* questions that one text to be judged may become */
    struct place at;
};

/* A row of `policy.opinions`: who is asked about which risk, when, and what follows. */
struct config_asking {
    struct span from, risk;
    const struct config_opinion *source;
    unsigned direction;           /* enum direction less 1 */
    unsigned when;                /* enum asking_when */
    unsigned share;               /* percent, for ASK_SAMPLED */
    unsigned asks;                /* enum asking_scope */
    unsigned flag, answer, block; /* percent from which on it is that action; 0: never */
    unsigned release;             /* enum release */
    unsigned timeout_ms;          /* 0: the source's */
    bool closed; /* what fails counts as unjudged and is refused; else local rules stand */
    struct place at;
};
#define CONFIG_ASKINGS_MAX 32 /* rows of one policy, so that bits can name them */

/* Where the app is told that an answer was taken back. */
struct config_retraction {
    struct span url, secret; /* url empty: nowhere */
    unsigned tries, timeout_ms;
};

/* What is only observed for a while: hits of these rules are recorded and never interfere. */
struct config_observe {
    struct span risk; /* as in config_action */
    int64_t until;    /* Unix seconds from which it is enforced */
    enum config_origin origin;
    struct place at;
};

/* What the gateway says in place of its own sentence, by the code of the cause. */
struct config_text {
    struct span code, text;
    enum config_origin origin;
    struct place at;
};

struct config_policy {
    struct config_action
        *actions; /* the app's rows, then the global ones, then the built-in ones */
    size_t action_count;
    enum refusal_style refusal;
    enum language language;
    enum label_mode label;
    bool allow_media;      /* media parts pass, recorded as unjudged; else they are denied */
    bool tool_calls_exact; /* release tool arguments as they clear; else only whole (default) */
    bool refuse_history; /* an old offence among earlier turns refuses; else a notice replaces it */
    enum config_mode mode; /* as written; config_mode_at() is what holds */
    int64_t until; /* Unix seconds from which a weaker mode than enforce ends; 0 with enforce */
    struct config_observe *observes; /* the app's, then the global ones */
    size_t observe_count;
    struct config_text *texts; /* the app's, then the global ones */
    size_t text_count;
    struct config_asking *askings; /* the app's own list in place of the global one */
    size_t asking_count;
    struct config_retraction retraction;
};

/* The mode at that time (Unix seconds): when its last day is over, everything is enforced. */
static inline enum config_mode config_mode_at(const struct config_policy *p, int64_t now)
{
    return now < p->until ? p->mode : MODE_ENFORCE;
}

/* Does the row speak of that direction? */
static inline bool config_asks(const struct config_asking *a, enum direction d)
{
    return (a->direction + 1) & d;
}

/* Is everything of that app only observed at that time, beside the traffic or in it? */
static inline bool config_observes(const struct config_policy *p, int64_t now)
{
    return config_mode_at(p, now) != MODE_ENFORCE;
}
static inline const char *config_mode_name(enum config_mode m)
{
    static const char *const names[MODE_COUNT] = {"enforce", "observe", "shadow"};
    return names[m];
}

/* What one subject may ask for; 0: no limit. Days are China's. */
struct config_rates {
    size_t minute_requests, day_requests, minute_tokens, day_tokens;
    size_t concurrent; /* exchanges at once */
};

struct config_app_limits {
    struct config_rates app, key, end_user; /* the whole app, each key, each end user */
    size_t end_users;                       /* that are told apart */
    size_t body_bytes;                      /* of a request; 0: as limits.body */
};

struct config_app {
    struct span name;
    struct config_policy policy; /* already merged over the global one */
    struct span *models;         /* ids allowed; none: all */
    size_t model_count;
    struct network *addresses; /* from which it may ask; none: all */
    size_t address_count;
    struct config_app_limits limits;
};

struct config_limits {
    size_t body_bytes;     /* request body, 2 MiB */
    size_t answer_bytes;   /* unstreamed answer, 4 MiB */
    size_t stream_bytes;   /* one stream in all, 64 MiB */
    size_t event_bytes;    /* one SSE event, 1 MiB */
    size_t hold_bytes;     /* held frames of one exchange, 1 MiB */
    size_t json_nodes;     /* 100,000 */
    unsigned header_ms;    /* absolute deadline for a request's header, 10 s */
    unsigned body_ms;      /* for its body, 60 s */
    unsigned idle_ms;      /* keep-alive, 30 s */
    unsigned drain_ms;     /* running exchanges at SIGTERM, 30 s */
    unsigned write_ms;     /* a client that takes nothing, 60 s */
    unsigned keepalive_ms; /* SSE comment while a stream waits, 15 s; 0 never */
    unsigned connections;  /* per worker */
    unsigned per_ip;       /* connections of one address */
    unsigned choices;      /* largest n, 8 */
};

/* What is done with a client's trace context (W3C): traceparent and tracestate. */
enum trace_mode {
    TRACE_PASS,  /* goes on as it came, and is on record */
    TRACE_START, /* and a request without one begins a trace */
    TRACE_OFF,   /* neither */
};

/* Whose word is the `user` of a request's body? */
enum user_field {
    USER_FIELD_AUTO,    /* that of trusted_proxies alone, if any are listed; else anyone's */
    USER_FIELD_ANYONE,  /* apps call directly and are believed */
    USER_FIELD_TRUSTED, /* that of trusted_proxies alone */
    USER_FIELD_IGNORE,
};

/* Where signed checkpoints go besides: one of file, syslog, url. */
struct config_export {
    struct span file, url, key; /* key: a bearer token for the url, or empty */
    bool syslog;
};

enum alert_kind { ALERT_DINGTALK, ALERT_WECOM, ALERT_FEISHU, ALERT_JSON };

/* Who is told when something is wrong. */
struct config_alert_target {
    struct span name;
    unsigned kind;                 /* enum alert_kind */
    struct span url, secret;       /* secrets both: a robot's address is its password */
    unsigned language;             /* LANGUAGE_ZH or LANGUAGE_EN */
    unsigned quiet_from, quiet_to; /* minutes of China's day; equal: no quiet time */
    bool quiet_all;                /* what is critical waits, too */
};

/* So many interceptions in a minute are an alert. */
struct config_alert_rate {
    struct span risk; /* an id, a group, a prefix*, or * */
    unsigned per_minute;
    bool critical;
    struct place at;
};
#define CONFIG_ALERT_RATES_MAX 32
#define CONFIG_HOLIDAYS_MAX    256

struct config {
    struct span file; /* where it was read from */
    struct span listen_host;
    uint16_t listen_port;
    struct config_console console;
    struct span state_dir, rules_dir;
    struct {
        bool two_person; /* publishing only proposes; somebody else puts it in force */
    } rules;
    unsigned workers; /* 0: one per processor */
    enum auth_mode auth;
    bool allow_unfiled;
    enum trace_mode trace_context;
    struct config_upstream *upstreams;
    size_t upstream_count;
    struct config_opinion *opinions;
    size_t opinion_count;
    struct config_policy policy; /* the global one */
    struct config_app *apps;     /* apps[0] is `default` */
    struct config_app *strict;   /* the same apps as a request may ask for them, see below */
    size_t app_count;
    struct config_limits limits;
    struct {
        enum audit_mode mode;
        struct span dir; /* default: state_dir/log */
        size_t queue_records, queue_bytes, text_max;
        size_t offences;  /* that are remembered */
        size_t originals; /* bytes of original text kept of one event; 0: none */
        struct {
            unsigned records, texts, originals; /* days */
        } retention;
        struct {
            unsigned percent, days;
            struct span purpose;
        } samples; /* of allowed exchanges */
        struct config_export *exports;
        size_t export_count;
    } audit;
    struct {
        struct span host; /* where reviewers' test accounts are served */
        uint16_t port;    /* 0: nowhere */
    } reviewers;
    struct {
        unsigned every_ms;              /* from the end of one run to the next */
        bool ready;                     /* while it misses, the gateway is not ready */
        struct config_retraction alarm; /* who is told of a miss, and of its end */
    } canary;
    struct network *trusted_proxies; /* addresses or networks, CIDR */
    size_t trusted_proxy_count;
    bool proxy_protocol; /* their connections begin with a PROXY header */
    struct {
        enum user_field field;
        bool remove; /* keep the fields that name the end user from the upstream */
    } end_users;
    struct {
        bool enabled;
        unsigned consecutive, per_day; /* strikes that suspend; 0: never */
        unsigned limit_consecutive, limit_per_day;
        unsigned suspend_ms, limit_ms, pace_ms;
        bool answers; /* a prepared answer is a strike, too */
        size_t users; /* that are remembered */
    } strikes;
    struct {
        unsigned share, second; /* percent of the interceptions that people look at, and twice */
    } reviews;
    struct {
        bool form; /* the public listener takes them */
        unsigned due_ms, per_hour, all_per_hour;
    } complaints;
    struct {
        struct span provider, name, url, credit_code, province, launched, officer, contact;
        struct span audience, privacy_url, terms_url;
        struct span launch_number, algorithm_number, provider_code, complaint;
        struct span *holidays, *workdays; /* days; at most CONFIG_HOLIDAYS_MAX each */
        size_t holiday_count, workday_count;
    } service;
    struct {
        struct span key_file, gateway_key_file; /* names; read by `juyong filing evaluate` alone */
        struct span app;
        unsigned rate, concurrency; /* questions a second, and at one time */
    } evaluation;
    struct {
        struct span zh, en; /* the visible text; an app's is in its policy's language */
        bool body;          /* bodies carry the machine's label, too; else headers alone */
    } labels;
    struct {
        struct config_alert_target *targets;
        size_t target_count;
        struct config_alert_rate *rates;
        size_t rate_count;
        bool log, canary, verify, weakened, filing;
        unsigned disk_percent, library_days; /* 0: never */
        unsigned remind_ms, calm_ms, every_ms, verify_every_ms;
        unsigned tries, timeout_ms; /* of a message, of each try */
    } alerts;
    struct {
        unsigned format, level; /* enum log_form, enum log_level */
    } log;
    struct span node; /* name of this machine in records; host name unless told */
};

/*
 * Reads and checks a file. 0 and a snapshot; -EINVAL with one "file:line:column: message" a line
 * appended to *messages; -errno when the file can't be read (message too). What is doubtful but
 * allowed is a message "file:line:column: warning: …", on success as well.
 */
int config_load(struct span file, struct buf *messages, struct config **ret_config);
/* The same from a text that messages call `file`. */
int config_read(struct span text, struct span file, struct buf *messages,
                struct config **ret_config);
struct config *config_ref(struct config *c);
struct config *config_unref(struct config *c);

/* Does a name in a policy mean one rule, not risks? */
static inline bool config_names_rule(struct span name)
{
    return memchr(name.data, '/', name.len) != NULL;
}

/* The source of second opinions of that name, or NULL. */
const struct config_opinion *config_find_opinion(const struct config *c, struct span name);
/* The model of that id and its upstream, or NULL. O(models). */
const struct config_model *config_find_model(const struct config *c, struct span id,
                                             const struct config_upstream **ret_upstream);
const struct config_app *config_find_app(const struct config *c, struct span name);
/* Whose policy papers and figures of a filing describe: evaluation.app. Never NULL. O(apps). */
const struct config_app *config_filing_app(const struct config *c);

/*
 * The app as a request makes it stricter (x-juyong-policy: strict): nothing is only observed, media
 * are denied, tool calls are released whole, and what would be flagged interferes
 * (policy_new_strict()). O(1).
 */
const struct config_app *config_strict(const struct config *c, const struct config_app *app);

/* The place of an app, or of a strict one, among config's apps. */
static inline size_t config_app_index(const struct config *c, const struct config_app *app)
{
    bool strict = app >= c->strict && app < c->strict + c->app_count;
    return (size_t)(app - (strict ? c->strict : c->apps));
}
/* Is anything limited? */
static inline bool config_has_rates(const struct config_rates *r)
{
    return r->minute_requests || r->day_requests || r->minute_tokens || r->day_tokens ||
           r->concurrent;
}

/*
 * What of the snapshot makes the gateway weaker than it could be (observe mode, unfiled models, …):
 * one line each, for start-up, `check` and the console's banner. Returns their number.
 */
unsigned config_weakenings(const struct config *c, struct buf *out);
/*
 * Which keys differ between the two that a reload can't change: one message a line. Returns their
 * number; the old values stay in force for these.
 */
unsigned config_restart_needed(const struct config *old, const struct config *new,
                               struct buf *messages);
/* The manual: every key with its type, default, range and meaning. 0, -EMSGSIZE, -ENOMEM. */
int config_print_options(struct buf *out);
