/* `alerts:`: who is told of what, and when. */
#include "config/keys.h"

#include <stdio.h>

#define AT(type, field) .offset = offsetof(type, field)

#define SECOND  1000ull
#define MINUTE  (60 * SECOND)
#define HOUR    (60 * MINUTE)
#define TARGETS 8

static const char *const choices_kind[] = {"dingtalk", "wecom", "feishu", "json", NULL};
static const char *const choices_language[] = {"zh", "en", NULL};
static const char *const choices_critical[] = {"pass", "hold", NULL};

/* hh:mm at the front of a text of at least five bytes. */
static bool read_minute(struct span text, unsigned *ret_minute)
{
    for (size_t i = 0; i < 5; i++)
        if (i == 2 ? text.data[i] != ':' : text.data[i] < '0' || text.data[i] > '9')
            return false;
    unsigned hour = (unsigned)((text.data[0] - '0') * 10 + text.data[1] - '0');
    unsigned minute = (unsigned)((text.data[3] - '0') * 10 + text.data[4] - '0');
    *ret_minute = hour * 60 + minute;
    return hour < 24 && minute < 60;
}

static void read_quiet(struct reader *r, const struct schema_key *key, const struct yaml_node *node,
                       void *base)
{
    struct config_alert_target *t = base;
    struct span text = reader_text(r, node);
    if (!text.data)
        return;
    if (text.len != 11 || text.data[5] != '-' || !read_minute(text, &t->quiet_from) ||
        !read_minute(span_slice(text, 6, 11), &t->quiet_to) || t->quiet_from == t->quiet_to)
        reader_error(r, node->at, "'quiet' is a daily span such as \"22:00-08:00\" (China time)");
}

static void check_alert_risk(struct reader *r, const struct schema_key *key,
                             const struct yaml_node *node, void *base)
{
    struct span risk = ((const struct config_alert_rate *)base)->risk;
    if (!is_risk_name(risk) || config_names_rule(risk))
        reader_error(r, node->at, "'%.*s' is not the name of a risk, a group or a prefix*",
                     SPAN_ARG(risk));
}

static const struct schema_key keys_target[] = {
    {"name", SCHEMA_TEXT, NULL, "a name for metrics and messages",
     AT(struct config_alert_target, name), .min = 1, .max = 32, .required = true},
    {"kind", SCHEMA_CHOICE, "json",
     "a group robot of DingTalk (钉钉), WeCom (企业微信) or Feishu (飞书), or a service of your "
     "own that takes JSON",
     AT(struct config_alert_target, kind), .choices = choices_kind},
    {"url", SCHEMA_OTHER, NULL, "is told by POST", AT(struct config_alert_target, url),
     .read = read_whole_url, .form = "http(s) URL"},
    {"url_file", SCHEMA_OTHER, NULL,
     "a file with the URL on one line in place of 'url': a robot's address is its password",
     AT(struct config_alert_target, url), .read = read_url_file, .form = "file name"},
    {"secret_file", SCHEMA_OTHER, NULL,
     "a file with the secret that signs: DingTalk's 加签, Feishu's 签名校验, X-Juyong-Signature of "
     "json; WeCom has none",
     AT(struct config_alert_target, secret), .read = read_api_key_file, .form = "file name"},
    {"language", SCHEMA_CHOICE, "zh", "of the texts", AT(struct config_alert_target, language),
     .choices = choices_language},
    {"quiet", SCHEMA_OTHER, NULL,
     "a daily span, China time, in which nothing is told but what is critical; what lasts, or "
     "happened meanwhile, is told when it is over",
     .read = read_quiet, .form = "hh:mm-hh:mm"},
    {"quiet_critical", SCHEMA_SWITCH, "pass", "whether critical alerts are told in that span",
     AT(struct config_alert_target, quiet_all), .choices = choices_critical},
    {NULL},
};

static const struct schema_key keys_rate[] = {
    {"risk", SCHEMA_TEXT, "*", "of which risks: an id (A1-a), a group (A1), a prefix (pii-*), or *",
     AT(struct config_alert_rate, risk), .min = 1, .max = 64, .read = check_alert_risk},
    {"per_minute", SCHEMA_NUMBER, NULL, "from how many in a minute on",
     AT(struct config_alert_rate, per_minute), .min = 1, .max = 1000000, .required = true},
    {"critical", SCHEMA_BOOL, "false", "whether it is told in quiet times, too",
     AT(struct config_alert_rate, critical)},
    {NULL},
};

const struct schema_key schema_alerts[] = {
    {"targets", SCHEMA_LIST, NULL, "who is told", AT(struct config, alerts.targets),
     .offset2 = offsetof(struct config, alerts.target_count), .keys = keys_target,
     .entry_size = sizeof(struct config_alert_target)},
    {"interceptions", SCHEMA_LIST, NULL,
     "many interceptions (masked, answered, blocked) in a minute, over all apps",
     AT(struct config, alerts.rates), .offset2 = offsetof(struct config, alerts.rate_count),
     .keys = keys_rate, .entry_size = sizeof(struct config_alert_rate)},
    {"log", SCHEMA_BOOL, "true",
     "the decision log can't be written, or is only in memory (critical)",
     AT(struct config, alerts.log)},
    {"disk_percent", SCHEMA_NUMBER, "85", "the log's file system is that full; 0: never",
     AT(struct config, alerts.disk_percent), .max = 99},
    {"canary", SCHEMA_BOOL, "true", "the canary was not intercepted (critical)",
     AT(struct config, alerts.canary)},
    {"library_days", SCHEMA_NUMBER, "7",
     "the rules in force did not change for so many days; 0: never",
     AT(struct config, alerts.library_days), .max = 365},
    {"verify", SCHEMA_BOOL, "true", "a verification of the log found something (critical)",
     AT(struct config, alerts.verify)},
    {"verify_every", SCHEMA_DURATION, "24h",
     "how often the gateway verifies its log, from its start on, at the lowest priority; the "
     "result "
     "goes on record; 0: only when somebody asks the console for it",
     AT(struct config, alerts.verify_every_ms), .max = 168 * HOUR},
    {"weakened", SCHEMA_BOOL, "true",
     "a setting weakens protection: a mode that only observes, a model without a filing number and "
     "so on, as /readyz tells them",
     AT(struct config, alerts.weakened)},
    {"filing", SCHEMA_BOOL, "true",
     "something of the filing is overdue, as juyong filing status tells it; the library has an "
     "alert of its own",
     AT(struct config, alerts.filing)},
    {"remind", SCHEMA_DURATION, "4h", "what lasts is told again this often; 0: never",
     AT(struct config, alerts.remind_ms), .max = 168 * HOUR},
    {"calm", SCHEMA_DURATION, "2min",
     "what was told is over when it stayed away for this long, so that nothing is told to and fro",
     AT(struct config, alerts.calm_ms), .max = 24 * HOUR},
    {"every", SCHEMA_DURATION, "5s", "how often is looked", AT(struct config, alerts.every_ms),
     .min = 100, .max = MINUTE},
    {"tries", SCHEMA_NUMBER, "8",
     "how often a message is tried, after 1, 2, 4, … seconds; then again every five minutes as "
     "long as there is something to tell",
     AT(struct config, alerts.tries), .min = 1, .max = 10},
    {"timeout", SCHEMA_DURATION, "5s", "for each", AT(struct config, alerts.timeout_ms), .min = 100,
     .max = MINUTE},
    {NULL},
};

static void check_target(struct reader *r, const struct config *c, size_t i,
                         const struct yaml_node *n)
{
    const struct config_alert_target *t = &c->alerts.targets[i];
    bool url = yaml_get(n, SPAN_LIT("url")), file = yaml_get(n, SPAN_LIT("url_file"));
    if (url == file)
        reader_error(r, n->at, "a target has either 'url' or 'url_file'");
    if (t->secret.len && t->kind == ALERT_WECOM)
        reader_warn(r, n->at, "'secret_file' is not used: WeCom's robots take no signature");
    if (t->quiet_all && t->quiet_from == t->quiet_to)
        reader_warn(r, n->at, "'quiet_critical' has no meaning without 'quiet'");
    for (size_t j = 0; j < i; j++)
        if (span_eq(c->alerts.targets[j].name, t->name))
            reader_error(r, n->at, "two targets have the name '%.*s'", SPAN_ARG(t->name));
}

/* What one row can't be checked for. */
void read_alerts(struct reader *r, const struct schema_key *key, const struct yaml_node *node,
                 void *base)
{
    const struct config *c = base;
    const struct yaml_node *targets = yaml_get(node, SPAN_LIT("targets"));
    const struct yaml_node *rates = yaml_get(node, SPAN_LIT("interceptions"));
    if (c->alerts.target_count > TARGETS)
        reader_error(r, targets->at, "more than %d targets", TARGETS);
    if (c->alerts.rate_count > CONFIG_ALERT_RATES_MAX)
        reader_error(r, rates->at, "more than %d rows of interceptions", CONFIG_ALERT_RATES_MAX);
    if (c->alerts.target_count == 0)
        reader_warn(r, node->at, "'alerts' has no 'targets': nobody is told");
    const struct yaml_node *n = targets ? targets->first : NULL;
    for (size_t i = 0; n && i < c->alerts.target_count; i++, n = n->next)
        check_target(r, c, i, n);
    n = rates ? rates->first : NULL;
    for (size_t i = 0; n && i < c->alerts.rate_count; i++, n = n->next) {
        c->alerts.rates[i].at = n->at;
        c->alerts.rates[i].at.file = reader_keep(r, n->at.file);
        for (size_t j = 0; j < i; j++)
            if (span_eq(c->alerts.rates[j].risk, c->alerts.rates[i].risk))
                reader_error(r, n->at, "two rows of interceptions are about '%.*s'",
                             SPAN_ARG(c->alerts.rates[i].risk));
    }
}
