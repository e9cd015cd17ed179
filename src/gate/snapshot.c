#include "gate/snapshot.h"

#include "rules/publish.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

/* Of one configuration and one set of rules; shared while both stay. */
struct policies {
    atomic_uint refs;
    size_t count;         /* apps */
    struct policy *all[]; /* by the app's place in the configuration, then the strict ones */
};

struct snapshot {
    atomic_uint refs;
    struct config *config;
    struct ruleset *rules;
    struct access *access;
    struct policies *policies;
};

static struct policies *policies_unref(struct policies *p)
{
    if (!p || atomic_fetch_sub_explicit(&p->refs, 1, memory_order_acq_rel) > 1)
        return NULL;
    for (size_t i = 0; i < 2 * p->count; i++) /* the strict ones borrow: only pointers */
        policy_free(p->all[i]);
    free(p);
    return NULL;
}

static int build_policies(struct snapshot *s)
{
    size_t count = s->config->app_count;
    struct policies *p = calloc(1, sizeof(*p) + 2 * count * sizeof(*p->all));
    if (!p)
        return -ENOMEM;
    atomic_init(&p->refs, 1);
    p->count = count;
    s->policies = p;
    for (size_t i = 0; i < count; i++) {
        int r = policy_new(&s->config->apps[i], s->rules, &p->all[i]);
        if (r == 0)
            r = policy_new_strict(p->all[i], &p->all[count + i]);
        if (r < 0)
            return r;
    }
    return 0;
}

static struct snapshot *new_snapshot(void)
{
    struct snapshot *s = calloc(1, sizeof(*s));
    if (s)
        atomic_init(&s->refs, 1);
    return s;
}

/* The rules in force, checked against the configuration that is there. */
static int load_rules(struct snapshot *s, struct buf *messages)
{
    struct rule_report report = RULE_REPORT_INIT;
    int r = publish_load(s->config->state_dir, s->config->rules_dir, &report, &s->rules);
    buf_append(messages, buf_span(&report.text));
    buf_deinit(&report.text);
    if (r == 0 && policy_check(s->config, s->rules, messages) > 0)
        r = -EINVAL;
    if (r == 0)
        policy_doubts(s->config, s->rules, messages);
    return r;
}

int snapshot_load(struct span config_file, struct buf *messages, struct snapshot **ret_snapshot)
{
    struct snapshot *s = new_snapshot();
    if (!s)
        return -ENOMEM;
    int r = config_load(config_file, messages, &s->config);
    if (r == 0)
        r = load_rules(s, messages);
    if (r == 0)
        r = access_load(s->config, messages, &s->access);
    if (r == 0)
        r = build_policies(s);
    if (r < 0) {
        snapshot_unref(s);
        return r;
    }
    *ret_snapshot = s;
    return 0;
}

int snapshot_renew(const struct snapshot *old, unsigned parts, struct buf *messages,
                   struct snapshot **ret_snapshot)
{
    struct snapshot *s = new_snapshot();
    if (!s)
        return -ENOMEM;
    int r = 0;
    s->config = config_ref(old->config);
    if (parts & SNAPSHOT_KEYS)
        r = access_load(s->config, messages, &s->access);
    else
        s->access = access_ref(old->access);
    if (r == 0 && parts & SNAPSHOT_RULES) {
        r = load_rules(s, messages);
        if (r == 0)
            r = build_policies(s);
    } else if (r == 0) {
        s->rules = ruleset_ref(old->rules);
        s->policies = old->policies;
        atomic_fetch_add_explicit(&s->policies->refs, 1, memory_order_relaxed);
    }
    if (r < 0) {
        snapshot_unref(s);
        return r;
    }
    *ret_snapshot = s;
    return 0;
}

struct snapshot *snapshot_ref(struct snapshot *s)
{
    atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
    return s;
}

struct snapshot *snapshot_unref(struct snapshot *s)
{
    if (!s || atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) > 1)
        return NULL;
    policies_unref(s->policies);
    access_unref(s->access);
    ruleset_unref(s->rules);
    config_unref(s->config);
    free(s);
    return NULL;
}

const struct config *snapshot_config(const struct snapshot *s)
{
    return s->config;
}

const struct ruleset *snapshot_rules(const struct snapshot *s)
{
    return s->rules;
}

const struct access *snapshot_access(const struct snapshot *s)
{
    return s->access;
}

const struct policy *snapshot_policy(const struct snapshot *s, const struct config_app *app)
{
    const struct config *c = s->config;
    bool strict = app >= c->strict && app < c->strict + c->app_count;
    return strict ? s->policies->all[c->app_count + (size_t)(app - c->strict)]
                  : s->policies->all[app - c->apps];
}
