#include "policy/policy.h"

#include <errno.h>
#include <stdlib.h>

struct policy {
    size_t count;
    unsigned char actions[]; /* per rule: the prompt's, then the completion's */
};

/* How closely a row names a risk: not at all, by prefix, by group, by id. */
enum closeness { APART, BY_PREFIX, BY_GROUP, BY_ID };

static enum closeness closeness_of(struct span row, const struct risk *risk, size_t *ret_length)
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
        enum closeness c = closeness_of(row->risk, risk, &length);
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

static enum action decide(const struct config_policy *config, const struct rule *rule,
                          enum direction direction)
{
    enum closeness closeness;
    const struct config_action *row = best_row(config, rule->risk, direction, &closeness);
    bool exact = row && row->origin == ORIGIN_APP && closeness == BY_ID;
    if (rule->action != ACTION_DEFAULT && !exact)
        return rule->action;
    /* A risk that nobody names, not even the built-in rows, is a risk all the same. */
    if (!row)
        return ACTION_BLOCK;
    return direction == DIRECTION_PROMPT ? row->prompt : row->completion;
}

int policy_new(const struct config_policy *config, const struct ruleset *rules,
               struct policy **ret_policy)
{
    size_t count = ruleset_count(rules);
    if (count > (SIZE_MAX - sizeof(struct policy)) / 2)
        return -ENOMEM;
    struct policy *p = malloc(sizeof(*p) + 2 * count);
    if (!p)
        return -ENOMEM;
    p->count = count;
    /*
     * Rules of one risk without an action of their own share their answer, and follow each other in
     * the set: the rows are searched once for each run of them.
     */
    const struct risk *last = NULL;
    for (size_t i = 0; i < count; i++) {
        const struct rule *rule = ruleset_rule(rules, (uint32_t)i);
        if (rule->action == ACTION_DEFAULT && rule->risk == last) {
            p->actions[2 * i] = p->actions[2 * i - 2];
            p->actions[2 * i + 1] = p->actions[2 * i - 1];
            continue;
        }
        p->actions[2 * i] = (unsigned char)decide(config, rule, DIRECTION_PROMPT);
        p->actions[2 * i + 1] = (unsigned char)decide(config, rule, DIRECTION_COMPLETION);
        last = rule->action == ACTION_DEFAULT ? rule->risk : NULL;
    }
    *ret_policy = p;
    return 0;
}

void policy_free(struct policy *p)
{
    free(p);
}

enum action policy_decide(const struct policy *p, uint32_t rule, enum direction direction)
{
    if (rule >= p->count)
        return ACTION_BLOCK; /* a rule of another set: nobody may profit from the mistake */
    return (enum action)p->actions[2 * (size_t)rule + (direction == DIRECTION_COMPLETION)];
}

static bool any_risk(const struct ruleset *rules, struct span row)
{
    for (size_t i = 0; i < ruleset_risk_count(rules); i++) {
        size_t length;
        if (closeness_of(row, ruleset_risk(rules, i), &length) != APART)
            return true;
    }
    return false;
}

static unsigned check_rows(const struct config_policy *policy, enum config_origin origin,
                           const struct ruleset *rules, struct buf *messages)
{
    unsigned errors = 0;
    for (size_t i = 0; i < policy->action_count; i++) {
        const struct config_action *row = &policy->actions[i];
        if (row->origin != origin || any_risk(rules, row->risk))
            continue;
        place_printf(messages, row->at, "no risk of the rules is called '%.*s'",
                     SPAN_ARG(row->risk));
        errors++;
    }
    return errors;
}

unsigned policy_check(const struct config *config, const struct ruleset *rules,
                      struct buf *messages)
{
    unsigned errors = check_rows(&config->policy, ORIGIN_GLOBAL, rules, messages);
    for (size_t i = 0; i < config->app_count; i++)
        errors += check_rows(&config->apps[i].policy, ORIGIN_APP, rules, messages);
    return errors;
}
