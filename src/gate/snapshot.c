#include "gate/snapshot.h"

#include "rules/publish.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

struct snapshot {
    atomic_uint refs;
    struct config *config;
    struct ruleset *rules;
    struct access *access;
    struct policy **policies; /* by the app's place in the configuration */
};

static int build_policies(struct snapshot *s)
{
    s->policies = calloc(s->config->app_count, sizeof(struct policy *));
    if (!s->policies)
        return -ENOMEM;
    for (size_t i = 0; i < s->config->app_count; i++) {
        int r = policy_new(&s->config->apps[i], s->rules, &s->policies[i]);
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

int snapshot_renew(const struct snapshot *old, struct buf *messages, struct snapshot **ret_snapshot)
{
    struct snapshot *s = new_snapshot();
    if (!s)
        return -ENOMEM;
    s->config = config_ref(old->config);
    s->access = access_ref(old->access);
    int r = load_rules(s, messages);
    if (r == 0)
        r = build_policies(s);
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
    if (s->policies)
        for (size_t i = 0; i < s->config->app_count; i++)
            policy_free(s->policies[i]);
    free(s->policies);
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
    return s->policies[app - s->config->apps];
}
