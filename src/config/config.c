#include "config/config.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/day.h"
#include "config/keys.h"
#include "config/network.h"
#include "config/value.h"

#include <errno.h>
#include <stdatomic.h>

/* A snapshot holds at most what its files hold, plus tables. */
#define CONFIG_BYTES_MAX (64u << 20)

struct snapshot {
    struct config config; /* first, so that the public pointer is this one */
    struct arena arena;
    _Atomic unsigned refs;
};

static struct snapshot *snapshot_of(struct config *c)
{
    return (struct snapshot *)c;
}

/* What holds for risks that no policy names. */
static const struct config_action built_in_actions[] = {
    {SPAN_LIT("A1"), ACTION_BLOCK, ACTION_BLOCK},
    {SPAN_LIT("A2"), ACTION_BLOCK, ACTION_BLOCK},
    {SPAN_LIT("A3"), ACTION_BLOCK, ACTION_BLOCK},
    {SPAN_LIT("A4"), ACTION_BLOCK, ACTION_BLOCK},
    {SPAN_LIT("A5"), ACTION_BLOCK, ACTION_BLOCK},
    {SPAN_LIT("attack-*"), ACTION_BLOCK, ACTION_FLAG},
    {SPAN_LIT("pii-*"), ACTION_FLAG, ACTION_MASK},
};
#define BUILT_IN_COUNT (sizeof(built_in_actions) / sizeof(*built_in_actions))

void read_reviewers(struct reader *r, const struct schema_key *key, const struct yaml_node *node,
                    void *base)
{
    const struct config *c = base;
    if ((c->reviewers.port == c->listen_port && span_eq(c->reviewers.host, c->listen_host)) ||
        (c->reviewers.port == c->console.port && span_eq(c->reviewers.host, c->console.host)))
        reader_error(r, node->at,
                     "reviewers need another address than 'listen' and 'console.listen'");
}

bool read_networks(struct reader *r, const struct schema_key *key, const struct yaml_node *node,
                   struct network **ret_networks, size_t *ret_count)
{
    if (node->kind != YAML_LIST) {
        reader_error(r, node->at, "'%s' must be a list of addresses or networks", key->name);
        return false;
    }
    struct network *networks = node->count ? reader_alloc(r, node->count, sizeof(*networks)) : NULL;
    if (node->count && !networks)
        return false;
    size_t i = 0;
    for (const struct yaml_node *n = node->first; n; n = n->next, i++) {
        struct span text = reader_text(r, n);
        if (text.data && !network_read(text, &networks[i]))
            reader_error(r, n->at, "'%.*s' is neither an address nor a network such as 10.0.0.0/8",
                         SPAN_ARG(text));
    }
    *ret_networks = networks;
    *ret_count = node->count;
    return true;
}

void read_proxies(struct reader *r, const struct schema_key *key, const struct yaml_node *node,
                  void *base)
{
    struct config *c = base;
    unsigned before = r->errors;
    if (!read_networks(r, key, node, &c->trusted_proxies, &c->trusted_proxy_count) ||
        r->errors != before)
        return;
    const struct network *network = c->trusted_proxies;
    for (const struct yaml_node *n = node->first; n; n = n->next, network++)
        if (network->bits == 0 || (network->bits == 96 && n->text.data[0] == '0'))
            reader_warn(r, n->at, "every client may then name itself as it likes");
}

/* Behind trusted_proxies in the table, so that they are known. */
void read_proxy_protocol(struct reader *r, const struct schema_key *key,
                         const struct yaml_node *node, void *base)
{
    const struct config *c = base;
    if (c->proxy_protocol && c->trusted_proxy_count == 0)
        reader_error(r, node->at,
                     "'proxy_protocol' needs 'trusted_proxies': whose connections "
                     "begin with a PROXY header?");
}

/* Behind apps in the table: papers of another app than was meant would be filed. */
void read_evaluation_app(struct reader *r, const struct schema_key *key,
                         const struct yaml_node *node, void *base)
{
    const struct config *c = base;
    if (!span_eq(c->evaluation.app, SPAN_LIT("default")) && !config_find_app(c, c->evaluation.app))
        reader_error(r, node->at, "there is no app '%.*s' under apps", SPAN_ARG(c->evaluation.app));
}

/* What depends on several keys or on this machine. */
static void complete(struct reader *r)
{
    struct config *c = r->config;
    if (c->audit.dir.len == 0) {
        struct span dir = arena_printf(r->arena, "%.*s/log", SPAN_ARG(c->state_dir));
        r->memory_out = r->memory_out || !dir.data;
        c->audit.dir = dir;
    }
    if (c->node.len == 0) {
        char name[65] = "";
        if (gethostname(name, sizeof(name) - 1) < 0 || name[0] == '\0')
            memcpy(name, "localhost", sizeof("localhost"));
        c->node = reader_keep(r, span_str(name));
    }
    if (!c->apps) {
        c->apps = reader_alloc(r, 1, sizeof(*c->apps));
        if (c->apps) {
            c->apps[0] = (struct config_app){.name = SPAN_LIT("default"), .policy = c->policy};
            app_defaults(r, &c->apps[0]);
            c->app_count = 1;
        }
    }
}

/* Whatever a policy can say that weakens it is taken back here. */
static void make_strict(struct reader *r)
{
    struct config *c = r->config;
    c->strict = reader_alloc(r, c->app_count, sizeof(*c->strict));
    for (size_t i = 0; c->strict && i < c->app_count; i++) {
        struct config_policy *p = &c->strict[i].policy;
        c->strict[i] = c->apps[i];
        p->mode = MODE_ENFORCE;
        p->until = 0;
        p->observe_count = 0;
        p->allow_media = false;
        p->tool_calls_exact = false;
    }
}

static int read_doc(const struct yaml_doc *doc, struct span file, struct buf *messages,
                    struct config **ret_config)
{
    struct snapshot *s = calloc(1, sizeof(*s));
    struct config_action *rows = NULL;
    if (s) {
        arena_init(&s->arena, CONFIG_BYTES_MAX);
        atomic_init(&s->refs, 1);
        rows = arena_alloc(&s->arena, sizeof(built_in_actions));
    }
    if (!rows) {
        free(s);
        return -ENOMEM;
    }
    struct reader r = {
        .config = &s->config, .arena = &s->arena, .messages = messages, .origin = ORIGIN_GLOBAL};
    struct config *c = &s->config;
    memcpy(rows, built_in_actions, sizeof(built_in_actions));
    schema_defaults(&r, schema_policy, &c->policy);
    c->policy.actions = rows;
    c->policy.action_count = BUILT_IN_COUNT;
    c->file = reader_keep(&r, file);
    schema_defaults(&r, schema_root, c);
    schema_read(&r, schema_root, yaml_root(doc), c);
    if (r.errors == 0)
        complete(&r);
    if (r.errors == 0 && !r.memory_out)
        make_strict(&r);
    if (r.memory_out || r.errors) {
        config_unref(c);
        return r.memory_out ? -ENOMEM : -EINVAL;
    }
    *ret_config = c;
    return 0;
}

int config_read(struct span text, struct span file, struct buf *messages,
                struct config **ret_config)
{
    struct yaml_doc *doc = NULL;
    int r = yaml_read(text, file, messages, &doc);
    if (r == 0)
        r = read_doc(doc, file, messages, ret_config);
    yaml_free(doc);
    return r;
}

int config_load(struct span file, struct buf *messages, struct config **ret_config)
{
    struct yaml_doc *doc = NULL;
    int r = yaml_load(file, messages, &doc);
    if (r == 0)
        r = read_doc(doc, file, messages, ret_config);
    yaml_free(doc);
    return r;
}

struct config *config_ref(struct config *c)
{
    atomic_fetch_add_explicit(&snapshot_of(c)->refs, 1, memory_order_relaxed);
    return c;
}

static void forget(struct span secret)
{
    if (secret.len)
        explicit_bzero((char *)secret.data, secret.len);
}

struct config *config_unref(struct config *c)
{
    struct snapshot *s = snapshot_of(c);
    if (!c || atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1)
        return NULL;
    for (size_t i = 0; i < c->upstream_count; i++)
        forget(c->upstreams[i].api_key);
    for (size_t i = 0; i < c->opinion_count; i++) {
        forget(c->opinions[i].api_key);
        forget(c->opinions[i].secret);
    }
    forget(c->canary.alarm.secret);
    for (size_t i = 0; i < c->audit.export_count; i++)
        forget(c->audit.exports[i].key);
    for (size_t i = 0; i < c->alerts.target_count; i++) {
        forget(c->alerts.targets[i].url);
        forget(c->alerts.targets[i].secret);
    }
    forget(c->console.key);
    forget(c->policy.retraction.secret);
    for (size_t i = 0; i < c->app_count; i++)
        forget(c->apps[i].policy.retraction.secret);
    arena_deinit(&s->arena);
    free(s);
    return NULL;
}

const struct config_model *config_find_model(const struct config *c, struct span id,
                                             const struct config_upstream **ret_upstream)
{
    for (size_t i = 0; i < c->upstream_count; i++) {
        const struct config_upstream *u = &c->upstreams[i];
        for (size_t j = 0; j < u->model_count; j++) {
            if (!span_eq(u->models[j].id, id))
                continue;
            if (ret_upstream)
                *ret_upstream = u;
            return &u->models[j];
        }
    }
    return NULL;
}

const struct config_opinion *config_find_opinion(const struct config *c, struct span name)
{
    for (size_t i = 0; i < c->opinion_count; i++)
        if (span_eq(c->opinions[i].name, name))
            return &c->opinions[i];
    return NULL;
}

const struct config_app *config_find_app(const struct config *c, struct span name)
{
    for (size_t i = 0; i < c->app_count; i++)
        if (span_eq(c->apps[i].name, name))
            return &c->apps[i];
    return NULL;
}

const struct config_app *config_filing_app(const struct config *c)
{
    const struct config_app *app = config_find_app(c, c->evaluation.app);
    return app ? app : &c->apps[0];
}

const struct config_app *config_strict(const struct config *c, const struct config_app *app)
{
    bool strict = app >= c->strict && app < c->strict + c->app_count;
    return strict ? app : &c->strict[app - c->apps];
}

static unsigned weak_observing(const struct config_app *app, struct buf *out)
{
    const struct config_policy *p = &app->policy;
    int64_t now = clock_wall_s();
    char day[DAY_TEXT_SIZE];
    unsigned count = 0;
    enum config_mode mode = config_mode_at(p, now);
    if (mode != MODE_ENFORCE) {
        count++;
        day_format(p->until, day);
        buf_printf(out, "app %.*s: %s mode, nothing is blocked or masked up to %s\n",
                   SPAN_ARG(app->name), config_mode_name(mode), day);
    }
    for (size_t i = 0; i < p->observe_count; i++) {
        if (p->observes[i].until <= now)
            continue;
        count++;
        day_format(p->observes[i].until, day);
        buf_printf(out, "app %.*s: %.*s is only observed up to %s\n", SPAN_ARG(app->name),
                   SPAN_ARG(p->observes[i].risk), day);
    }
    return count;
}

unsigned config_weakenings(const struct config *c, struct buf *out)
{
    unsigned count = 0;
    for (size_t i = 0; i < c->app_count; i++) {
        const struct config_app *a = &c->apps[i];
        count += weak_observing(a, out);
        if (a->policy.allow_media && ++count)
            buf_printf(out, "app %.*s: media parts pass unjudged\n", SPAN_ARG(a->name));
    }
    for (size_t i = 0; i < c->upstream_count; i++) {
        const struct config_upstream *u = &c->upstreams[i];
        for (size_t j = 0; j < u->model_count; j++)
            if (u->models[j].filing_number.len == 0 && ++count)
                buf_printf(out, "model %.*s: no filing number\n", SPAN_ARG(u->models[j].id));
    }
    if (!(c->strikes.enabled && (c->strikes.consecutive || c->strikes.per_day)) && ++count)
        buf_printf(out, "strikes: end users whose prompts are intercepted are never suspended\n");
    if (c->reviewers.port && network_is_public(c->reviewers.host) && ++count)
        buf_printf(out,
                   "reviewers: %.*s port %u can be reached by strangers, without TLS: listen on "
                   "127.0.0.1 or in a private network, behind a proxy\n",
                   SPAN_ARG(c->reviewers.host), c->reviewers.port);
    if (!c->canary.ready && ++count)
        buf_printf(out, "canary: a miss doesn't make the gateway unready\n");
    if (c->audit.mode == AUDIT_DEGRADED && ++count)
        buf_printf(out, "audit: exchanges go on for a while when the log can't be written\n");
    return count;
}

unsigned config_restart_needed(const struct config *old, const struct config *new,
                               struct buf *messages)
{
    return schema_changed(schema_root, old, new, messages);
}
