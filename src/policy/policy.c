#include "policy/closeness.h"

#include <errno.h>
#include <stdlib.h>

/* Few rules end; the others pay one bit for them. */
struct expiry {
    uint32_t rule;
    int64_t at; /* Unix seconds */
};

struct policy {
    size_t count;
    struct expiry *expiries; /* by rule */
    size_t expiry_count;
    unsigned char actions[]; /* per rule: the prompt's, then the completion's */
};
#define EXPIRES 0x80 /* beside an action: until when is among the expiries */

enum closeness policy_closeness(struct span row, const struct risk *risk, size_t *ret_length)
{
    *ret_length = row.len;
    if (row.len && row.data[row.len - 1] == '*')
        return span_starts(risk->id, span_slice(row, 0, row.len - 1)) ? BY_PREFIX : APART;
    return span_eq(row, risk->id) ? BY_ID : span_eq(row, risk->group) ? BY_GROUP : APART;
}

/*
 * The best row for a risk in one direction: of the highest origin first, then the closest, then the
 * longest prefix. NULL when none speaks.
 */
static const struct config_action *best_row(const struct config_policy *config,
                                            const struct risk *risk, enum direction direction,
                                            enum closeness *ret_closeness)
{
    const struct config_action *best = NULL;
    enum closeness best_closeness = APART;
    size_t best_length = 0;
    for (size_t i = 0; i < config->action_count; i++) {
        const struct config_action *row = &config->actions[i];
        enum action action = direction == DIRECTION_PROMPT ? row->prompt : row->completion;
        size_t length;
        enum closeness c = policy_closeness(row->risk, risk, &length);
        if (action == ACTION_DEFAULT || c == APART)
            continue;
        bool better = !best || row->origin > best->origin ||
                      (row->origin == best->origin &&
                       (c > best_closeness || (c == best_closeness && length > best_length)));
        if (!better)
            continue;
        best = row;
        best_closeness = c;
        best_length = length;
    }
    *ret_closeness = best_closeness;
    return best;
}

static enum action choose(const struct config_policy *config, const struct rule *rule,
                          enum direction direction, struct policy_reason *reason)
{
    enum closeness closeness;
    const struct config_action *row = best_row(config, rule->risk, direction, &closeness);
    bool exact = row && row->origin == ORIGIN_APP && closeness == BY_ID;
    if (rule->action != ACTION_DEFAULT && !exact) {
        reason->by = REASON_RULE;
        return rule->action;
    }
    /* A risk that nobody names, not even the built-in rows, is a risk all the same. */
    if (!row) {
        reason->by = REASON_NO_ROW;
        return ACTION_BLOCK;
    }
    reason->row = row;
    return direction == DIRECTION_PROMPT ? row->prompt : row->completion;
}

static enum action decide(const struct config_policy *config, const struct rule *rule,
                          enum direction direction, struct policy_reason *ret_reason)
{
    *ret_reason = (struct policy_reason){.by = REASON_ROW};
    enum action action = choose(config, rule, direction, ret_reason);
    /* What stands between the words of a near rule is not theirs, and some may be delivered. */
    ret_reason->near = action == ACTION_MASK && rule->kind == RULE_NEAR;
    return ret_reason->near ? ACTION_BLOCK : action;
}

static bool is_for(const struct rule *rule, struct span app)
{
    for (size_t i = 0; i < rule->app_count; i++)
        if (span_eq(rule->apps[i], app))
            return true;
    return rule->app_count == 0;
}

static int note_expiries(struct policy *p, const struct ruleset *rules)
{
    size_t count = 0;
    for (size_t i = 0; i < p->count; i++)
        count += ruleset_rule(rules, (uint32_t)i)->expires != 0;
    if (count == 0)
        return 0;
    p->expiries = calloc(count, sizeof(*p->expiries));
    if (!p->expiries)
        return -ENOMEM;
    for (size_t i = 0; i < p->count; i++) {
        const struct rule *rule = ruleset_rule(rules, (uint32_t)i);
        if (rule->expires == 0)
            continue;
        p->expiries[p->expiry_count++] = (struct expiry){(uint32_t)i, rule->expires};
        p->actions[2 * i] |= EXPIRES;
        p->actions[2 * i + 1] |= EXPIRES;
    }
    return 0;
}

int policy_new(const struct config_app *app, const struct ruleset *rules,
               struct policy **ret_policy)
{
    const struct config_policy *config = &app->policy;
    size_t count = ruleset_count(rules);
    if (count > (SIZE_MAX - sizeof(struct policy)) / 2)
        return -ENOMEM;
    struct policy *p = malloc(sizeof(*p) + 2 * count);
    if (!p)
        return -ENOMEM;
    *p = (struct policy){.count = count};
    /*
     * Rules of one risk without an action of their own share their answer, and follow each other in
     * the set: the rows are searched once for each run of them.
     */
    const struct rule *last = NULL;
    enum action prompt = ACTION_BLOCK, completion = ACTION_BLOCK;
    struct policy_reason unused;
    for (size_t i = 0; i < count; i++) {
        const struct rule *rule = ruleset_rule(rules, (uint32_t)i);
        bool ours = is_for(rule, app->name);
        if (ours && !(last && rule->action == ACTION_DEFAULT && last->action == ACTION_DEFAULT &&
                      rule->risk == last->risk && rule->kind == last->kind)) {
            prompt = decide(config, rule, DIRECTION_PROMPT, &unused);
            completion = decide(config, rule, DIRECTION_COMPLETION, &unused);
            last = rule;
        }
        p->actions[2 * i] = (unsigned char)(ours ? prompt : ACTION_ALLOW);
        p->actions[2 * i + 1] = (unsigned char)(ours ? completion : ACTION_ALLOW);
    }
    int r = note_expiries(p, rules);
    if (r < 0) {
        policy_free(p);
        return r;
    }
    *ret_policy = p;
    return 0;
}

void policy_free(struct policy *p)
{
    if (p)
        free(p->expiries);
    free(p);
}

static bool has_expired(const struct policy *p, uint32_t rule, int64_t now)
{
    size_t low = 0, high = p->expiry_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (p->expiries[middle].rule < rule)
            low = middle + 1;
        else
            high = middle;
    }
    return now >= p->expiries[low].at;
}

enum action policy_decide(const struct policy *p, uint32_t rule, enum direction direction,
                          int64_t now)
{
    if (rule >= p->count)
        return ACTION_BLOCK; /* a rule of another set: nobody may profit from the mistake */
    unsigned action = p->actions[2 * (size_t)rule + (direction == DIRECTION_COMPLETION)];
    if (action & EXPIRES && has_expired(p, rule, now))
        return ACTION_ALLOW;
    return (enum action)(action & ~(unsigned)EXPIRES);
}

struct policy_reason policy_reason(const struct config_app *app, const struct rule *rule,
                                   enum direction direction, int64_t now)
{
    struct policy_reason reason;
    if (!is_for(rule, app->name))
        return (struct policy_reason){.by = REASON_OTHER_APP};
    if (rule->expires != 0 && now >= rule->expires)
        return (struct policy_reason){.by = REASON_EXPIRED};
    decide(&app->policy, rule, direction, &reason);
    return reason;
}
