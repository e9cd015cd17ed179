/* The configuration as others may see it, and the guard against what they may not. */
#include "filing/packevidence.h"

#include "json/value.h"

#include <errno.h>

#define SECRET_MIN 8  /* bytes: a shorter one is found anywhere */
#define KEY_MIN    32 /* characters behind "sk-": ours have 43 */

/* ---- what may be told ---- */

struct member {
    const char *key;
    struct json_value *value;
};

/* Takes the values over in any case. */
static struct json_value *object_of(const struct member *members, size_t count)
{
    struct json_value *o = value_object();
    int r = o ? 0 : -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        if (r < 0)
            value_free(members[i].value);
        else
            r = value_set(o, span_str(members[i].key), members[i].value);
    }
    if (r == 0)
        return o;
    value_free(o);
    return NULL;
}
#define OBJECT(members) object_of(members, sizeof(members) / sizeof(*(members)))

static struct json_value *text(struct span s)
{
    return value_string(s);
}

static struct json_value *name(const char *s)
{
    return value_string(span_str(s));
}

static struct json_value *number(uint64_t n)
{
    return value_integer((int64_t)n);
}

/* Scheme and host: a path or a query may be a password. */
static struct json_value *host_of(struct span url)
{
    size_t scheme = span_find(url, SPAN_LIT("://"));
    size_t begin = scheme < url.len ? scheme + 3 : 0, end = begin;
    for (; end < url.len && url.data[end] != '/' && url.data[end] != '?' && url.data[end] != '#';
         end++)
        if (url.data[end] == '@')
            return value_string(SPAN_LIT("…"));
    return value_string(span_slice(url, 0, end));
}

/* Appends to a list, and forgets the list when that fails. */
static struct json_value *push(struct json_value *list, struct json_value *value)
{
    if (list && value_append(list, value) == 0)
        return list;
    if (!list)
        value_free(value);
    value_free(list);
    return NULL;
}

static struct json_value *model_of(const struct config_model *m)
{
    const struct member members[] = {
        {"id", text(m->id)},
        {"display_name", text(m->display_name)},
        {"filing_number", text(m->filing_number)},
        {"vendor", text(m->vendor)},
        {"filing_entity", text(m->filing_entity)},
        {"filed_on", text(m->filed_on)},
        {"contract_until", text(m->contract_until)},
    };
    return OBJECT(members);
}

static struct json_value *upstreams_of(const struct config *c)
{
    struct json_value *list = value_array();
    for (size_t u = 0; u < c->upstream_count; u++) {
        const struct config_upstream *up = &c->upstreams[u];
        struct json_value *models = value_array();
        for (size_t m = 0; m < up->model_count; m++)
            models = push(models, model_of(&up->models[m]));
        const struct member members[] = {
            {"name", text(up->name)},
            {"host", host_of(up->base_url)},
            {"models", models},
        };
        list = push(list, OBJECT(members));
    }
    return list;
}

static struct json_value *actions_of(const struct config_policy *p)
{
    static const char *const origins[] = {"built in", "global", "app"};
    struct json_value *list = value_array();
    for (size_t i = 0; i < p->action_count; i++) {
        const struct config_action *a = &p->actions[i];
        const struct member members[] = {
            {"risk", text(a->risk)},
            {"prompt", name(action_name(a->prompt))},
            {"completion", name(action_name(a->completion))},
            {"from", name(origins[a->origin])},
        };
        list = push(list, OBJECT(members));
    }
    return list;
}

static struct json_value *askings_of(const struct config_policy *p)
{
    struct json_value *list = value_array();
    for (size_t i = 0; i < p->asking_count; i++) {
        const struct config_asking *a = &p->askings[i];
        const struct member members[] = {
            {"from", text(a->from)},
            {"risk", text(a->risk)},
            {"share", number(a->share)},
            {"flag", number(a->flag)},
            {"answer", number(a->answer)},
            {"block", number(a->block)},
            {"closed", value_boolean(a->closed)},
        };
        list = push(list, OBJECT(members));
    }
    return list;
}

static struct json_value *apps_of(const struct config *c)
{
    struct json_value *list = value_array();
    for (size_t i = 0; i < c->app_count; i++) {
        const struct config_app *a = &c->apps[i];
        struct json_value *models = value_array();
        for (size_t m = 0; m < a->model_count; m++)
            models = push(models, text(a->models[m]));
        const struct member members[] = {
            {"name", text(a->name)},
            {"models", models},
            {"mode", name(config_mode_name(a->policy.mode))},
            {"mode_until", value_integer(a->policy.until)},
            {"label", name(label_mode_name(a->policy.label))},
            {"allow_media", value_boolean(a->policy.allow_media)},
            {"observed", number(a->policy.observe_count)},
            {"actions", actions_of(&a->policy)},
            {"opinions", askings_of(&a->policy)},
        };
        list = push(list, OBJECT(members));
    }
    return list;
}

static struct json_value *service_of(const struct config *c)
{
    const struct member members[] = {
        {"provider", text(c->service.provider)},
        {"name", text(c->service.name)},
        {"url", text(c->service.url)},
        {"credit_code", text(c->service.credit_code)},
        {"province", text(c->service.province)},
        {"launched", text(c->service.launched)},
        {"officer", text(c->service.officer)},
        {"contact", text(c->service.contact)},
        {"audience", text(c->service.audience)},
        {"privacy_url", text(c->service.privacy_url)},
        {"terms_url", text(c->service.terms_url)},
        {"launch_number", text(c->service.launch_number)},
        {"algorithm_number", text(c->service.algorithm_number)},
        {"provider_code", text(c->service.provider_code)},
        {"complaint", text(c->service.complaint)},
    };
    return OBJECT(members);
}

static struct json_value *retention_of(const struct config *c)
{
    const struct member members[] = {
        {"records_days", number(c->audit.retention.records)},
        {"texts_days", number(c->audit.retention.texts)},
        {"originals_days", number(c->audit.retention.originals)},
        {"samples_percent", number(c->audit.samples.percent)},
        {"samples_days", number(c->audit.samples.days)},
        {"checkpoints_elsewhere", number(c->audit.export_count)},
    };
    return OBJECT(members);
}

static struct json_value *strikes_of(const struct config *c)
{
    const struct member members[] = {
        {"enabled", value_boolean(c->strikes.enabled)},
        {"consecutive", number(c->strikes.consecutive)},
        {"per_day", number(c->strikes.per_day)},
        {"suspend_ms", number(c->strikes.suspend_ms)},
    };
    return OBJECT(members);
}

static struct json_value *people_of(const struct config *c)
{
    const struct member members[] = {
        {"reviewed_percent", number(c->reviews.share)},
        {"reviewed_twice_percent", number(c->reviews.second)},
        {"complaint_form", value_boolean(c->complaints.form)},
        {"complaint_due_ms", number(c->complaints.due_ms)},
        {"two_person_rules", value_boolean(c->rules.two_person)},
        {"alert_targets", number(c->alerts.target_count)},
        {"reviewer_accounts", value_boolean(c->reviewers.port != 0)},
    };
    return OBJECT(members);
}

static struct json_value *opinions_of(const struct config *c)
{
    struct json_value *list = value_array();
    for (size_t i = 0; i < c->opinion_count; i++) {
        const struct member members[] = {
            {"name", text(c->opinions[i].name)},
            {"host", host_of(c->opinions[i].url)},
            {"model", text(c->opinions[i].model)},
        };
        list = push(list, OBJECT(members));
    }
    return list;
}

int evidence_configuration(const struct config *c, struct buf *out)
{
    const struct member members[] = {
        {"note", name("Secrets, headers, addresses behind the host and file names are left out.")},
        {"service", service_of(c)},
        {"upstreams", upstreams_of(c)},
        {"opinions", opinions_of(c)},
        {"allow_unfiled", value_boolean(c->allow_unfiled)},
        {"auth", name(c->auth == AUTH_KEYS ? "keys" : "passthrough")},
        {"apps", apps_of(c)},
        {"retention", retention_of(c)},
        {"strikes", strikes_of(c)},
        {"people", people_of(c)},
    };
    struct json_value *o = OBJECT(members);
    int r = o ? value_dump(o, out) : -ENOMEM;
    value_free(o);
    return r < 0 ? r : buf_append_char(out, '\n');
}

/* ---- the guard ---- */

static bool holds(struct span in, struct span secret)
{
    secret = span_trim(secret);
    return secret.len >= SECRET_MIN && memmem(in.data, in.len, secret.data, secret.len);
}

static bool is_key_char(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' ||
           c == '_';
}

/* sk- and a long run of letters: an app's key, a test account's, or a provider's. */
static bool looks_like_key(struct span in)
{
    for (size_t at = 0; at + 3 < in.len;) {
        const char *found = memmem(in.data + at, in.len - at, "sk-", 3);
        if (!found)
            return false;
        size_t begin = (size_t)(found - in.data), end = begin + 3;
        while (end < in.len && is_key_char(in.data[end]))
            end++;
        if (end - begin - 3 >= KEY_MIN && (begin == 0 || !is_key_char(in.data[begin - 1])))
            return true;
        at = end;
    }
    return false;
}

/* Others, such as a content type, stand in many texts. */
static bool is_secret_header(struct span header)
{
    static const char *const words[] = {"auth", "key", "token", "secret", "cookie"};
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
        for (size_t at = 0; at + strlen(words[i]) <= header.len; at++)
            if (span_eq_nocase(span_slice(header, at, at + strlen(words[i])), span_str(words[i])))
                return true;
    return false;
}

static bool has_policy_secret(const struct config_policy *p, struct span in)
{
    return holds(in, p->retraction.secret);
}

bool evidence_looks_secret(struct span in)
{
    struct span pem = SPAN_LIT("PRIVATE KEY-----");
    return in.len && (looks_like_key(in) || memmem(in.data, in.len, pem.data, pem.len));
}

bool evidence_has_secret(const struct config *c, struct span in)
{
    if (in.len == 0)
        return false;
    bool found = holds(in, c->console.key) || holds(in, c->canary.alarm.secret) ||
                 has_policy_secret(&c->policy, in);
    for (size_t u = 0; u < c->upstream_count && !found; u++) {
        found = holds(in, c->upstreams[u].api_key);
        for (size_t h = 0; h < c->upstreams[u].header_count && !found; h++)
            found = is_secret_header(c->upstreams[u].headers[h].name) &&
                    holds(in, c->upstreams[u].headers[h].value);
    }
    for (size_t i = 0; i < c->opinion_count && !found; i++)
        found = holds(in, c->opinions[i].api_key) || holds(in, c->opinions[i].secret);
    for (size_t i = 0; i < c->app_count && !found; i++)
        found = has_policy_secret(&c->apps[i].policy, in);
    for (size_t i = 0; i < c->alerts.target_count && !found; i++)
        found = holds(in, c->alerts.targets[i].url) || holds(in, c->alerts.targets[i].secret);
    for (size_t i = 0; i < c->audit.export_count && !found; i++)
        found = holds(in, c->audit.exports[i].key);
    return found;
}
