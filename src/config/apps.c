/* `policy:` and `apps:`: an app's policy is the global one with what the app says instead. */
#include "config/keys.h"

#include "base/clock.h"
#include "base/day.h"

#define APPS_MAX 1024
#define ROWS_MAX 256
#define TEXT_MAX 2048 /* bytes of a sentence for users */

/*
 * A1, A1-a, attack-injection, pii-*, *: an id of a risk, its group, or the beginning of ids; or the
 * id of a rule, which has a slash.
 */
bool is_risk_name(struct span name)
{
    if (name.len == 0 || name.len > 64)
        return false;
    size_t slash = span_find(name, SPAN_LIT("/"));
    if (slash < name.len)
        return slash > 0 && slash + 1 < name.len;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        bool last = i + 1 == name.len;
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '-' || c == '_' || (c == '*' && last)))
            return false;
    }
    return true;
}

static enum action read_action(struct reader *r, const struct yaml_node *node)
{
    struct span text = reader_text(r, node);
    enum action action = text.data ? action_from(text) : ACTION_DEFAULT;
    if (text.data && span_eq(text, SPAN_LIT("ask")))
        return ACTION_ASK;
    if (text.data && action == ACTION_DEFAULT)
        reader_error(r, node->at, "'%.*s' is no action: allow, flag, ask, mask, answer or block",
                     SPAN_ARG(text));
    return action;
}

static void read_row(struct reader *r, const struct yaml_node *node, struct config_action *row)
{
    *row = (struct config_action){.prompt = ACTION_DEFAULT,
                                  .completion = ACTION_DEFAULT,
                                  .origin = r->origin,
                                  .at = node->key_at};
    row->at.file = reader_keep(r, node->key_at.file);
    row->risk = reader_keep(r, node->key);
    if (!is_risk_name(node->key))
        reader_error(r, node->key_at,
                     "'%.*s' is not the name of a risk, a group or a prefix*, nor a rule's id",
                     SPAN_ARG(node->key));
    if (node->kind == YAML_SCALAR) {
        row->prompt = row->completion = read_action(r, node);
        return;
    }
    if (node->kind != YAML_MAP || node->count == 0) {
        reader_error(r, node->at, "expected an action or {prompt: ACTION, completion: ACTION}");
        return;
    }
    for (const struct yaml_node *n = node->first; n; n = n->next) {
        if (span_eq(n->key, SPAN_LIT("prompt")))
            row->prompt = read_action(r, n);
        else if (span_eq(n->key, SPAN_LIT("completion")))
            row->completion = read_action(r, n);
        else
            reader_error(r, n->key_at, "unknown key '%.*s'; there are prompt and completion",
                         SPAN_ARG(n->key));
    }
}

void read_actions(struct reader *r, const struct schema_key *key, const struct yaml_node *node,
                  void *base)
{
    struct config_policy *policy = base;
    if (node->kind != YAML_MAP || node->count > ROWS_MAX) {
        reader_error(r, node->at, "'actions' must be a map with at most %d risks", ROWS_MAX);
        return;
    }
    size_t count = node->count + policy->action_count;
    struct config_action *rows = count ? reader_alloc(r, count, sizeof(*rows)) : NULL;
    if (!rows)
        return;
    size_t i = 0;
    for (const struct yaml_node *n = node->first; n; n = n->next)
        read_row(r, n, &rows[i++]);
    /* The rows of lower rank stay behind the new ones. */
    memcpy(rows + i, policy->actions, policy->action_count * sizeof(*rows));
    policy->actions = rows;
    policy->action_count = count;
}

static int64_t read_day(struct reader *r, const struct yaml_node *node)
{
    struct span text = reader_text(r, node);
    int64_t end = 0;
    if (text.data && !day_end(text, &end))
        reader_error(r, node->at, "'%.*s' is no date such as 2026-12-31", SPAN_ARG(text));
    else if (text.data && end <= clock_wall_s())
        reader_warn(r, node->at, "ended on %.*s", SPAN_ARG(text));
    return end;
}

void read_until(struct reader *r, const struct schema_key *key, const struct yaml_node *node,
                void *base)
{
    struct config_policy *policy = base;
    policy->until = read_day(r, node);
}

/* A weakening that nobody ends is forgotten: each has its last day, its own or the global one. */
static void check_end(struct reader *r, const struct yaml_node *map,
                      const struct config_policy *policy)
{
    const struct yaml_node *mode = yaml_get(map, SPAN_LIT("mode"));
    if (policy->mode != MODE_ENFORCE && policy->until == 0)
        reader_error(r, mode ? mode->at : map->at,
                     "'mode: %s' needs its last day beside it, such as 'until: 2026-12-31'; behind "
                     "it everything is enforced again",
                     config_mode_name(policy->mode));
}

/* The whole policy, once its keys are read. */
static void read_keys_of(struct reader *r, const struct yaml_node *map,
                         struct config_policy *policy)
{
    unsigned before = r->errors;
    schema_read(r, schema_policy, map, policy);
    if (r->errors == before)
        check_end(r, map, policy);
}

void read_observes(struct reader *r, const struct schema_key *key, const struct yaml_node *node,
                   void *base)
{
    struct config_policy *policy = base;
    if (node->kind != YAML_MAP || node->count > ROWS_MAX) {
        reader_error(r, node->at,
                     "'observe' must be a map with at most %d risks or rules, each with its last "
                     "day",
                     ROWS_MAX);
        return;
    }
    size_t count = node->count + policy->observe_count;
    struct config_observe *rows = count ? reader_alloc(r, count, sizeof(*rows)) : NULL;
    if (!rows)
        return;
    size_t i = 0;
    for (const struct yaml_node *n = node->first; n; n = n->next, i++) {
        rows[i] = (struct config_observe){.risk = reader_keep(r, n->key),
                                          .until = read_day(r, n),
                                          .origin = r->origin,
                                          .at = n->key_at};
        rows[i].at.file = reader_keep(r, n->key_at.file);
        if (!is_risk_name(n->key))
            reader_error(r, n->key_at,
                         "'%.*s' is not the name of a risk, a group or a prefix*, nor a rule's id",
                         SPAN_ARG(n->key));
    }
    if (policy->observe_count)
        memcpy(rows + i, policy->observes, policy->observe_count * sizeof(*rows));
    policy->observes = rows;
    policy->observe_count = count;
}

void read_sentences(struct reader *r, const struct schema_key *key, const struct yaml_node *node,
                    void *base)
{
    struct config_policy *policy = base;
    if (node->kind != YAML_MAP || node->count > ROWS_MAX) {
        reader_error(r, node->at, "'texts' must be a map from codes to sentences");
        return;
    }
    size_t count = node->count + policy->text_count;
    struct config_text *rows = count ? reader_alloc(r, count, sizeof(*rows)) : NULL;
    if (!rows)
        return;
    size_t i = 0;
    for (const struct yaml_node *n = node->first; n; n = n->next, i++) {
        struct span text = reader_text(r, n);
        rows[i] = (struct config_text){.code = reader_keep(r, n->key),
                                       .text = reader_keep(r, text),
                                       .origin = r->origin,
                                       .at = n->key_at};
        rows[i].at.file = reader_keep(r, n->key_at.file);
        if (text.data && (text.len == 0 || text.len > TEXT_MAX))
            reader_error(r, n->at, "a sentence must have 1 to %d bytes", TEXT_MAX);
    }
    if (policy->text_count)
        memcpy(rows + i, policy->texts, policy->text_count * sizeof(*rows));
    policy->texts = rows;
    policy->text_count = count;
}

void read_policy(struct reader *r, const struct schema_key *key, const struct yaml_node *node,
                 void *base)
{
    void *policy = (char *)base + key->offset;
    if (node->kind == YAML_MAP) {
        read_keys_of(r, node, policy);
        return;
    }
    if (node->kind == YAML_LIST) {
        reader_error(r, node->at, "'policy' must be a map of keys, or the name of a file with it");
        return;
    }
    struct span path = reader_text(r, node);
    if (!path.data)
        return;
    struct yaml_doc *doc = NULL;
    int e = yaml_load(path, r->messages, &doc);
    if (e < 0) {
        reader_error(r, node->at, "the policy '%.*s' can't be used", SPAN_ARG(path));
        return;
    }
    read_keys_of(r, yaml_root(doc), policy);
    yaml_free(doc);
}

static void check_models(struct reader *r, const struct config_app *app,
                         const struct yaml_node *node)
{
    const struct yaml_node *list = yaml_get(node, SPAN_LIT("models"));
    const struct yaml_node *n = list ? list->first : NULL;
    for (size_t i = 0; i < app->model_count && n; i++, n = n->next)
        if (!config_find_model(r->config, app->models[i], NULL))
            reader_error(r, n->at, "no upstream lists the model '%.*s'", SPAN_ARG(app->models[i]));
}

void read_addresses(struct reader *r, const struct schema_key *key, const struct yaml_node *node,
                    void *base)
{
    struct config_app *app = base;
    if (read_networks(r, key, node, &app->addresses, &app->address_count) && node->count == 0)
        reader_error(r, node->at, "'addresses' names none; leave it out to allow all");
}

/* Behind trusted_proxies in the table, so that they are known. */
static void doubt_addresses(struct reader *r, const struct config *c, const struct config_app *app,
                            const struct yaml_node *node)
{
    const struct yaml_node *n = node ? node->first : NULL;
    for (size_t i = 0; n && i < app->address_count; i++, n = n->next)
        for (size_t k = 0; k < c->trusted_proxy_count; k++)
            if (app->addresses[i].bits == 128 &&
                network_contains(&c->trusted_proxies[k], app->addresses[i].address)) {
                reader_warn(r, n->at,
                            "app '%.*s': %.*s is a trusted proxy: whoever it speaks for may ask",
                            SPAN_ARG(app->name), SPAN_ARG(n->text));
                break;
            }
}

void app_defaults(struct reader *r, struct config_app *app)
{
    schema_defaults(r, schema_app, app);
}

void read_apps(struct reader *r, const struct schema_key *key, const struct yaml_node *node,
               void *base)
{
    struct config *c = base;
    if (node->kind != YAML_LIST || node->count > APPS_MAX) {
        reader_error(r, node->at, "'apps' must be a list of at most %d apps", APPS_MAX);
        return;
    }
    struct config_app *apps = reader_alloc(r, node->count + 1, sizeof(*apps));
    if (!apps)
        return;
    apps[0] = (struct config_app){.name = SPAN_LIT("default"), .policy = c->policy};
    app_defaults(r, &apps[0]);
    size_t count = 1;
    bool default_seen = false;
    for (const struct yaml_node *n = node->first; n; n = n->next) {
        struct config_app app = {.policy = c->policy};
        unsigned before = r->errors;
        app_defaults(r, &app);
        r->origin = ORIGIN_APP;
        schema_read(r, schema_app, n, &app);
        r->origin = ORIGIN_GLOBAL;
        if (r->errors != before)
            continue;
        check_models(r, &app, n);
        doubt_addresses(r, c, &app, yaml_get(n, SPAN_LIT("addresses")));
        const struct yaml_node *name = yaml_get(n, SPAN_LIT("name"));
        bool is_default = span_eq(app.name, SPAN_LIT("default"));
        bool twice = is_default && default_seen;
        for (size_t i = 1; i < count; i++)
            twice = twice || span_eq(apps[i].name, app.name);
        if (twice)
            reader_error(r, name->at, "two apps have the name '%.*s'", SPAN_ARG(app.name));
        if (!is_default && c->auth == AUTH_PASSTHROUGH)
            reader_warn(r, name->at,
                        "with auth: passthrough every request belongs to the app default");
        const struct yaml_node *limits = yaml_get(n, SPAN_LIT("limits"));
        if (limits && c->auth == AUTH_PASSTHROUGH && config_has_rates(&app.limits.key))
            reader_warn(r, limits->at, "limits of keys need auth: keys; without it there are none");
        default_seen = default_seen || is_default;
        apps[is_default ? 0 : count++] = app;
    }
    c->apps = apps;
    c->app_count = count;
}
