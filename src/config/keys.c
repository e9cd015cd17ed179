/* The tables of keys. What a row can't say by itself is in upstream.c and policy.c of this room. */
#include "config/keys.h"

#include <limits.h>

#define AT(type, field) .offset = offsetof(type, field)

#define KiB    1024ull
#define MiB    (1024 * KiB)
#define GiB    (1024 * MiB)
#define SECOND 1000ull
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)

static const char *const choices_auth[] = {"passthrough", "keys", NULL};
static const char *const choices_dialect[] = {"openai", NULL};
static const char *const choices_refusal[] = {"message", "error", NULL};
static const char *const choices_language[] = {"zh", "en", "both", NULL};
static const char *const choices_label[] = {"ui", "prefix", "suffix", "user-requested-none", NULL};
static const char *const choices_media[] = {"deny", "allow", NULL};
static const char *const choices_tool_calls[] = {"whole", "exact", NULL};
static const char *const choices_history[] = {"notice", "refuse", NULL};
static const char *const choices_mode[] = {"enforce", "observe", "shadow", NULL};

static const struct schema_key keys_timeouts[] = {
    {"connect", SCHEMA_DURATION, "5s", "until the connection stands, TLS included",
     AT(struct config_upstream, connect_ms), .min = 10, .max = 5 * MINUTE},
    {"first_byte", SCHEMA_DURATION, "120s", "from the request until the answer's first byte",
     AT(struct config_upstream, first_byte_ms), .min = 10, .max = HOUR},
    {"gap", SCHEMA_DURATION, "30s", "between two bytes of an answer",
     AT(struct config_upstream, gap_ms), .min = 10, .max = HOUR},
    {"total", SCHEMA_DURATION, "15min", "a whole exchange", AT(struct config_upstream, total_ms),
     .min = 10, .max = 24 * HOUR},
    {NULL},
};

static const struct schema_key keys_model[] = {
    {"id", SCHEMA_TEXT, NULL, "the name that apps ask for", AT(struct config_model, id), .min = 1,
     .max = 256, .required = true},
    {"display_name", SCHEMA_TEXT, "", "the name that users read",
     AT(struct config_model, display_name), .max = 256},
    {"filing_number", SCHEMA_TEXT, "",
     "the model's filing number (备案号); without it the model is refused unless allow_unfiled",
     AT(struct config_model, filing_number), .max = 256},
    {"vendor", SCHEMA_TEXT, "", "whose service is called", AT(struct config_model, vendor),
     .max = 256},
    {"filing_entity", SCHEMA_TEXT, "", "who filed the model, as the authority published it",
     AT(struct config_model, filing_entity), .max = 256},
    {"filed_on", SCHEMA_TEXT, "", "the day its filing was published (YYYY-MM-DD)",
     AT(struct config_model, filed_on), .max = 32, .read = read_past_day},
    {"proof", SCHEMA_TEXT, "",
     "a file that proves the call: the contract, or what the console shows",
     AT(struct config_model, proof), .max = 1000, .read = read_proof},
    {"contract_until", SCHEMA_TEXT, "", "the contract's last day (YYYY-MM-DD)",
     AT(struct config_model, contract_until), .max = 32, .read = read_last_day},
    {"answers_as", SCHEMA_TEXTS, NULL,
     "other names by which the provider says that this model answered: a name or a prefix*; any "
     "further one is recorded, counted and warned of",
     AT(struct config_model, answers_as),
     .offset2 = offsetof(struct config_model, answers_as_count)},
    {NULL},
};

static const struct schema_key keys_upstream[] = {
    {"name", SCHEMA_TEXT, NULL, "a name for records and metrics", AT(struct config_upstream, name),
     .min = 1, .max = 64, .required = true},
    {"base_url", SCHEMA_OTHER, NULL,
     "where the provider's API begins; what follows /v1 is appended",
     AT(struct config_upstream, base_url), .read = read_base_url, .form = "http(s) URL",
     .required = true},
    {"dialect", SCHEMA_WORD, "openai", "the API that the provider speaks",
     AT(struct config_upstream, dialect), .choices = choices_dialect},
    {"api_key_file", SCHEMA_OTHER, NULL,
     "a file with the provider's key on one line; needed with auth: keys",
     AT(struct config_upstream, api_key), .read = read_api_key_file, .form = "file name"},
    {"headers", SCHEMA_OTHER, NULL,
     "fixed request headers, such as a provider's own inspection switch",
     AT(struct config_upstream, headers), .read = read_headers, .form = "map of name: value"},
    {"timeouts", SCHEMA_MAP, NULL, "deadlines of one exchange", .keys = keys_timeouts},
    {"models", SCHEMA_LIST, NULL, "the models that may be asked for; any other is refused",
     AT(struct config_upstream, models), .offset2 = offsetof(struct config_upstream, model_count),
     .keys = keys_model, .entry_size = sizeof(struct config_model), .required = true},
    {NULL},
};

const struct schema_key schema_policy[] = {
    {"mode", SCHEMA_CHOICE, "enforce",
     "observe judges and records, but never interferes; shadow judges beside the traffic, which "
     "waits for nothing; both need 'until' and are shown as a weakening",
     AT(struct config_policy, mode), .choices = choices_mode},
    {"until", SCHEMA_OTHER, NULL,
     "the last day (China time) of mode: observe or shadow; behind it everything is enforced",
     AT(struct config_policy, until), .read = read_until, .form = "day such as 2026-12-31"},
    {"observe", SCHEMA_OTHER, NULL,
     "risks or rules that are judged and recorded and don't interfere, up to a last day; shown as "
     "a weakening",
     AT(struct config_policy, observes), .read = read_observes,
     .form = "map of risk or rule: day such as 2026-12-31"},
    {"refusal", SCHEMA_CHOICE, "message",
     "message: a normal answer with finish_reason content_filter; error: status 400 and an error",
     AT(struct config_policy, refusal), .choices = choices_refusal},
    {"language", SCHEMA_CHOICE, "both", "of refusals", AT(struct config_policy, language),
     .choices = choices_language},
    {"texts", SCHEMA_OTHER, NULL,
     "sentences in place of the gateway's own, by the code of the error: content_filter, "
     "rate_limit_exceeded, model_not_allowed and so on",
     AT(struct config_policy, texts), .read = read_sentences, .form = "map of code: sentence"},
    {"label", SCHEMA_CHOICE, "ui",
     "how answers say that AI made them. ui: the app attests that its interface always shows a "
     "hint, and no byte is altered; prefix, suffix: the answer itself says so; "
     "user-requested-none: as suffix, but not for end users with a consent (juyong label)",
     AT(struct config_policy, label), .choices = choices_label},
    {"media", SCHEMA_SWITCH, "deny",
     "image, audio and file parts can't be judged: refused, or let through and recorded so",
     AT(struct config_policy, allow_media), .choices = choices_media},
    {"tool_calls", SCHEMA_SWITCH, "whole",
     "streamed tool arguments: released when all are judged, or as they clear",
     AT(struct config_policy, tool_calls_exact), .choices = choices_tool_calls},
    {"history", SCHEMA_SWITCH, "notice",
     "an earlier turn that was refused before: a notice goes to the model in place of it and of "
     "the "
     "answer to it, or the request is refused again",
     AT(struct config_policy, refuse_history), .choices = choices_history},
    {"actions", SCHEMA_OTHER, NULL,
     "what a hit does, by risk: an id (A1-a), a group (A1), a prefix (pii-*), or * for all; or by "
     "the id of one rule",
     AT(struct config_policy, actions), .read = read_actions,
     .form =
         "map of risk or rule: ACTION or {prompt: ACTION, completion: ACTION}; an ACTION is allow, "
         "flag, ask (flag, and ask for a second opinion), mask, answer or block"},
    {"opinions", SCHEMA_LIST, NULL,
     "who is asked for a second opinion, when, and what follows; an app's list replaces the global "
     "one",
     AT(struct config_policy, askings), .offset2 = offsetof(struct config_policy, asking_count),
     .keys = schema_asking, .entry_size = sizeof(struct config_asking), .read = read_askings},
    {"retraction", SCHEMA_MAP, NULL,
     "where the app is told that an answer was taken back after text of it was shown",
     .keys = schema_retraction},
    {NULL},
};

#define RATE(name, standard, help, who, field)                                                     \
    {                                                                                              \
        name, SCHEMA_COUNT, standard, help, AT(struct config_app, limits.who.field),               \
            .max = 1000000000000                                                                   \
    }
#define RATES(who)                                                                                 \
    RATE("requests_per_minute", "0", "in the 60 s from the first one on; 0: any number", who,      \
         minute_requests),                                                                         \
        RATE("requests_per_day", "0", "in a day of China", who, day_requests),                     \
        RATE("tokens_per_minute", "0",                                                             \
             "of prompts and answers, as the upstream counts them, else estimated", who,           \
             minute_tokens),                                                                       \
        RATE("tokens_per_day", "0", "in a day of China", who, day_tokens),                         \
        RATE("concurrent", "0", "exchanges at once", who, concurrent)

static const struct schema_key keys_key_rates[] = {RATES(key), {NULL}};
static const struct schema_key keys_end_user_rates[] = {RATES(end_user), {NULL}};

static const struct schema_key keys_app_limits[] = {
    RATES(app),
    {"body", SCHEMA_SIZE, NULL, "a request's body; limits.body unless told",
     AT(struct config_app, limits.body_bytes), .min = KiB, .max = 64 * MiB},
    {"key", SCHEMA_MAP, NULL, "of each key (auth: keys)", .keys = keys_key_rates},
    {"end_user", SCHEMA_MAP, NULL,
     "of each end user; requests that name none share one user's limits",
     .keys = keys_end_user_rates},
    {"end_users", SCHEMA_COUNT, "65536",
     "end users whose use is remembered, some 200 bytes each; beyond that whoever was away longest "
     "is forgotten and begins anew",
     AT(struct config_app, limits.end_users), .min = 16, .max = 16777216},
    {NULL},
};

const struct schema_key schema_app[] = {
    {"name", SCHEMA_TEXT, NULL, "as in `juyong key create`; default is the app of everyone else",
     AT(struct config_app, name), .min = 1, .max = 64, .required = true},
    {"models", SCHEMA_TEXTS, NULL, "the models it may ask for; all unless told",
     AT(struct config_app, models), .offset2 = offsetof(struct config_app, model_count)},
    {"addresses", SCHEMA_OTHER, NULL,
     "addresses or networks from which it may ask; all unless told. Through a trusted proxy "
     "the client that it names must be listed, or the proxy by its own address, not by a network",
     AT(struct config_app, addresses), .read = read_addresses, .form = "list of CIDR"},
    {"limits", SCHEMA_MAP, NULL, "how much it may ask for", .keys = keys_app_limits},
    {"policy", SCHEMA_OTHER, NULL, "where it differs from the global policy",
     AT(struct config_app, policy), .read = read_policy, .form = "map as policy, or a file name"},
    {NULL},
};

static const struct schema_key keys_limits[] = {
    {"body", SCHEMA_SIZE, "2MiB", "a request's body", AT(struct config, limits.body_bytes),
     .min = KiB, .max = 64 * MiB},
    {"answer", SCHEMA_SIZE, "4MiB", "an answer that is not streamed",
     AT(struct config, limits.answer_bytes), .min = KiB, .max = 256 * MiB},
    {"stream", SCHEMA_SIZE, "64MiB", "one stream in all", AT(struct config, limits.stream_bytes),
     .min = KiB, .max = 4 * GiB},
    {"event", SCHEMA_SIZE, "1MiB", "one event of a stream", AT(struct config, limits.event_bytes),
     .min = KiB, .max = 64 * MiB},
    {"hold", SCHEMA_SIZE, "1MiB", "what may be held of one stream",
     AT(struct config, limits.hold_bytes), .min = 4 * KiB, .max = 64 * MiB},
    {"json_nodes", SCHEMA_COUNT, "100000", "values and keys of one JSON text",
     AT(struct config, limits.json_nodes), .min = 100, .max = 10000000},
    {"header_timeout", SCHEMA_DURATION, "10s", "until a request's header is complete",
     AT(struct config, limits.header_ms), .min = 100, .max = 10 * MINUTE},
    {"body_timeout", SCHEMA_DURATION, "60s", "until its body is complete",
     AT(struct config, limits.body_ms), .min = 100, .max = HOUR},
    {"idle_timeout", SCHEMA_DURATION, "30s", "a connection between two requests",
     AT(struct config, limits.idle_ms), .min = 100, .max = HOUR},
    {"write_timeout", SCHEMA_DURATION, "60s", "a client that takes nothing",
     AT(struct config, limits.write_ms), .min = 100, .max = HOUR},
    {"drain_timeout", SCHEMA_DURATION, "30s", "running exchanges at SIGTERM",
     AT(struct config, limits.drain_ms), .max = HOUR},
    {"keepalive", SCHEMA_DURATION, "15s",
     "a comment line while a stream waits, so that proxies in between stay calm; 0: never",
     AT(struct config, limits.keepalive_ms), .max = HOUR},
    {"connections", SCHEMA_NUMBER, "10000", "of clients, per worker",
     AT(struct config, limits.connections), .min = 1, .max = 1000000, .restart = true},
    {"connections_per_ip", SCHEMA_NUMBER, "256", "of one client address, per worker",
     AT(struct config, limits.per_ip), .min = 1, .max = 1000000, .restart = true},
    {"choices", SCHEMA_NUMBER, "8", "largest n of a request", AT(struct config, limits.choices),
     .min = 1, .max = 128},
    {NULL},
};

static const struct schema_key keys_rules[] = {
    {"two_person", SCHEMA_BOOL, "false",
     "`juyong rules publish` only proposes; `juyong rules approve` by another author puts it in "
     "force",
     AT(struct config, rules.two_person)},
    {NULL},
};

static const struct schema_key keys_reviewers[] = {
    {"listen", SCHEMA_ADDRESS, NULL,
     "where `juyong reviewer` accounts are served, and nobody else; they are served nowhere else; "
     "an "
     "address that strangers can reach is shown as a weakening",
     AT(struct config, reviewers.host), .offset2 = offsetof(struct config, reviewers.port),
     .read = read_reviewers, .required = true, .restart = true},
    {NULL},
};

static const struct schema_key keys_alarm[] = {
    {"url", SCHEMA_OTHER, NULL, "is told by POST", AT(struct config, canary.alarm.url),
     .read = read_base_url, .form = "http(s) URL", .required = true},
    {"secret_file", SCHEMA_OTHER, NULL,
     "a file with the secret that signs what is told (X-Juyong-Signature)",
     AT(struct config, canary.alarm.secret), .read = read_api_key_file, .form = "file name"},
    {"tries", SCHEMA_NUMBER, "5", "how often it is tried, after 1, 2, 4, … seconds",
     AT(struct config, canary.alarm.tries), .min = 1, .max = 10},
    {"timeout", SCHEMA_DURATION, "5s", "for each", AT(struct config, canary.alarm.timeout_ms),
     .min = 100, .max = MINUTE},
    {NULL},
};

static const struct schema_key keys_canary[] = {
    {"every", SCHEMA_DURATION, "5min",
     "known phrases go through each app's route in both directions, against a stand-in and never "
     "the "
     "provider: at start, after each publication and reload, and this often",
     AT(struct config, canary.every_ms), .min = SECOND, .max = 24 * HOUR},
    {"ready", SCHEMA_BOOL, "true",
     "while one of them is not intercepted, /readyz fails; false only alarms, and is shown as a "
     "weakening",
     AT(struct config, canary.ready)},
    {"alarm", SCHEMA_MAP, NULL, "whom to tell of a miss, and of its end", .keys = keys_alarm},
    {NULL},
};

static const char *const choices_log_format[] = {"text", "json", NULL};
static const char *const choices_log_level[] = {"debug", "info", "warning", "error", NULL};

static const struct schema_key keys_log[] = {
    {"format", SCHEMA_CHOICE, "text",
     "text: a line for people; json: an object a line with time, level, message and, where it is "
     "about one exchange, request_id",
     AT(struct config, log.format), .choices = choices_log_format},
    {"level", SCHEMA_CHOICE, "info", "what is said: this and graver; --verbose says all",
     AT(struct config, log.level), .choices = choices_log_level},
    {NULL},
};

static const struct schema_key keys_labels[] = {
    {"zh", SCHEMA_TEXT, "（本内容由人工智能生成）",
     "the visible text in Chinese; it must name AI (人工智能 or AI) and generation (生成 or 合成)",
     AT(struct config, labels.zh), .min = 1, .max = LABEL_TEXT_MAX, .read = read_label_text},
    {"en", SCHEMA_TEXT, "(AI-generated content)",
     "the same in English; it must name AI and that something was generated",
     AT(struct config, labels.en), .min = 1, .max = LABEL_TEXT_MAX, .read = read_label_text},
    {"body", SCHEMA_BOOL, "false",
     "answers carry the machine's label as a member `aigc` too, which alters their bytes; headers "
     "carry it always",
     AT(struct config, labels.body)},
    {NULL},
};

/* The gateway itself needs none of it: the files are read by whoever runs the command. */
static const struct schema_key keys_evaluation[] = {
    {"key_file", SCHEMA_TEXT, "",
     "a file with a key of the provider's for evaluations alone, on one line; never that of "
     "upstreams[].api_key_file, which a provider may close over what is asked",
     AT(struct config, evaluation.key_file), .max = 1000},
    {"gateway_key_file", SCHEMA_TEXT, "",
     "a file with a key of the gateway's (juyong key create), needed with auth: keys",
     AT(struct config, evaluation.gateway_key_file), .max = 1000},
    {"app", SCHEMA_TEXT, "default",
     "whose policy judges, and is described by the papers of a filing; the gateway's key is this "
     "app's",
     AT(struct config, evaluation.app), .min = 1, .max = 64, .read = read_evaluation_app},
    {"rate", SCHEMA_NUMBER, "2", "questions a second at most, over both routes",
     AT(struct config, evaluation.rate), .min = 1, .max = 50},
    {"concurrency", SCHEMA_NUMBER, "2", "questions at one time",
     AT(struct config, evaluation.concurrency), .min = 1, .max = 16},
    {NULL},
};

static const char *const choices_trace[] = {"pass", "start", "off", NULL};

const struct schema_key schema_root[] = {
    {"listen", SCHEMA_ADDRESS, "127.0.0.1:8080", "where apps connect",
     AT(struct config, listen_host), .offset2 = offsetof(struct config, listen_port),
     .restart = true},
    {"console", SCHEMA_MAP, NULL, "the operator's own listener", .keys = schema_console},
    {"state_dir", SCHEMA_TEXT, "state", "decision log, keys, rule versions",
     AT(struct config, state_dir), .min = 1, .max = 1024, .restart = true},
    {"rules_dir", SCHEMA_TEXT, "rules", "the working copy of the rules",
     AT(struct config, rules_dir), .min = 1, .max = 1024},
    {"rules", SCHEMA_MAP, NULL, "how versions of the rules come into force", .keys = keys_rules},
    {"workers", SCHEMA_NUMBER, "0", "threads; 0: one per processor", AT(struct config, workers),
     .max = 256, .restart = true},
    {"node", SCHEMA_TEXT, NULL, "name of this machine in records; its host name unless told",
     AT(struct config, node), .min = 1, .max = 64, .restart = true},
    {"auth", SCHEMA_CHOICE, "passthrough",
     "passthrough: the client's own provider key goes on; keys: those of `juyong key create`",
     AT(struct config, auth), .choices = choices_auth},
    {"allow_unfiled", SCHEMA_BOOL, "false", "models without a filing number; shown as a weakening",
     AT(struct config, allow_unfiled)},
    {"trace_context", SCHEMA_CHOICE, "pass",
     "a client's traceparent and tracestate (W3C Trace Context): pass: go on to the upstream as "
     "they "
     "came, and the trace is on record; start: and a request without them begins a trace; off: "
     "neither",
     AT(struct config, trace_context), .choices = choices_trace},
    {"upstreams", SCHEMA_LIST, NULL, "the providers of models", AT(struct config, upstreams),
     .offset2 = offsetof(struct config, upstream_count), .keys = keys_upstream,
     .entry_size = sizeof(struct config_upstream), .read = read_upstreams, .required = true},
    {"opinions", SCHEMA_LIST, NULL, "who can be asked for a second opinion",
     AT(struct config, opinions), .offset2 = offsetof(struct config, opinion_count),
     .keys = schema_opinion, .entry_size = sizeof(struct config_opinion), .read = read_opinions},
    {"policy", SCHEMA_OTHER, NULL, "what is done about hits, for all apps",
     AT(struct config, policy), .keys = schema_policy, .read = read_policy,
     .form = "map, or the name of a file with it"},
    {"trusted_proxies", SCHEMA_OTHER, NULL,
     "addresses or networks of front proxies: only they may name client address, end user, device "
     "and session (headers X-Juyong-Client-IP, -Client-Port, -End-User, -Device, -Session)",
     AT(struct config, trusted_proxies), .read = read_proxies, .form = "list of CIDR"},
    {"apps", SCHEMA_OTHER, NULL, "apps that differ from the rest", .keys = schema_app,
     .read = read_apps, .form = "list of maps"},
    {"limits", SCHEMA_MAP, NULL, "sizes, times and numbers", .keys = keys_limits},
    {"audit", SCHEMA_MAP, NULL, "the decision log", .keys = schema_audit, .read = read_audit},
    {"reviewers", SCHEMA_MAP, NULL,
     "test accounts for the authority that reviews a filing; without it there are none",
     .keys = keys_reviewers},
    {"canary", SCHEMA_MAP, NULL, "the proof that what is in force intercepts", .keys = keys_canary},
    {"proxy_protocol", SCHEMA_BOOL, "false",
     "connections of trusted_proxies begin with a PROXY header (version 1 or 2) that names the "
     "client; other connections may not",
     AT(struct config, proxy_protocol), .read = read_proxy_protocol, .restart = true},
    {"end_users", SCHEMA_MAP, NULL, "how the person behind a request is known",
     .keys = schema_end_users},
    {"strikes", SCHEMA_MAP, NULL,
     "what follows when an end user's prompts are intercepted again and again; without an end "
     "user's "
     "id nothing is counted",
     .keys = schema_strikes, .read = read_strikes},
    {"reviews", SCHEMA_MAP, NULL, "what of the interceptions people look at",
     .keys = schema_reviews},
    {"complaints", SCHEMA_MAP, NULL, "complaints of the public", .keys = schema_complaints},
    {"alerts", SCHEMA_MAP, NULL, "who is told when something is wrong", .keys = schema_alerts,
     .read = read_alerts},
    {"log", SCHEMA_MAP, NULL, "the gateway's own messages on stderr", .keys = keys_log},
    {"service", SCHEMA_MAP, NULL, "who offers the service to the public", .keys = schema_service},
    {"evaluation", SCHEMA_MAP, NULL, "how `juyong filing evaluate` asks the question banks",
     .keys = keys_evaluation},
    {"labels", SCHEMA_MAP, NULL,
     "labels of AI-generated text; policy.label says which app shows them", .keys = keys_labels},
    {NULL},
};
