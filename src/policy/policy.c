#include "policy/closeness.h"

#include <errno.h>
#include <stdlib.h>

/* Few rules end or are only observed; the others pay one bit for them. */
struct term {
    uint32_t rule;
    int64_t expires;  /* Unix seconds from which it counts no more; INT64_MAX: never */
    int64_t observed; /* from which its hits interfere; 0: always */
};

struct policy {
    size_t count;
    struct term *terms; /* by rule */
    size_t term_count;
    const struct config_policy *config; /* for opinions; outlives it */
    const struct ruleset *rules;
    bool strict;            /* borrows terms and actions */
    unsigned char *actions; /* per rule: the prompt's, then the completion's */
};
#define TIMED    0x80 /* beside an action: until when is among the terms */
#define PERSONAL 0x40 /* a strict request masks what is flagged */
#define ASKS     0x20 /* a second opinion is asked for */
#define BITS     (TIMED | PERSONAL | ASKS)

enum closeness policy_closeness(struct span row, const struct risk *risk, size_t *ret_length)
{
    *ret_length = row.len;
    if (row.len && row.data[row.len - 1] == '*')
        return span_starts(risk->id, span_slice(row, 0, row.len - 1)) ? BY_PREFIX : APART;
    return span_eq(row, risk->id) ? BY_ID : span_eq(row, risk->group) ? BY_GROUP : APART;
}

const struct risk *policy_find_risk(const struct ruleset *rules, struct span id)
{
    for (size_t i = 0; i < ruleset_risk_count(rules); i++)
        if (span_eq(ruleset_risk(rules, i)->id, id))
            return ruleset_risk(rules, i);
    return NULL;
}

static enum closeness closeness_to(struct span row, const struct rule *rule, size_t *ret_length)
{
    if (!config_names_rule(row))
        return policy_closeness(row, rule->risk, ret_length);
    *ret_length = row.len;
    return span_eq(row, rule->id) ? BY_RULE : APART;
}

/* How much a row outranks the rule's own action; 0: it doesn't. */
static unsigned precedence(const struct config_action *row, enum closeness c)
{
    bool app = row->origin == ORIGIN_APP;
    return c == BY_RULE ? app ? 3 : 1 : c == BY_ID && app ? 2 : 0;
}

/*
 * The best row for a rule in one direction: of the highest precedence, then of the highest origin,
 * then the closest, then the longest prefix. NULL when none speaks.
 */
static const struct config_action *best_row(const struct config_policy *config,
                                            const struct rule *rule, enum direction direction,
                                            unsigned *ret_precedence)
{
    const struct config_action *best = NULL;
    enum closeness best_closeness = APART;
    size_t best_length = 0;
    *ret_precedence = 0;
    for (size_t i = 0; i < config->action_count; i++) {
        const struct config_action *row = &config->actions[i];
        enum action action = direction == DIRECTION_PROMPT ? row->prompt : row->completion;
        size_t length;
        enum closeness c = closeness_to(row->risk, rule, &length);
        if (action == ACTION_DEFAULT || c == APART)
            continue;
        unsigned p = precedence(row, c);
        bool better = !best || p > *ret_precedence ||
                      (p == *ret_precedence &&
                       (row->origin > best->origin ||
                        (row->origin == best->origin &&
                         (c > best_closeness || (c == best_closeness && length > best_length)))));
        if (!better)
            continue;
        best = row;
        best_closeness = c;
        best_length = length;
        *ret_precedence = p;
    }
    return best;
}

static enum action choose(const struct config_policy *config, const struct rule *rule,
                          enum direction direction, struct policy_reason *reason)
{
    unsigned precedence;
    const struct config_action *row = best_row(config, rule, direction, &precedence);
    if (rule->action != ACTION_DEFAULT && !precedence) {
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

/* Until when hits of the rule don't interfere; 0: they do. */
static int64_t observed_until(const struct config_policy *config, const struct rule *rule)
{
    int64_t until = 0;
    size_t length;
    for (size_t i = 0; i < config->observe_count; i++) {
        const struct config_observe *o = &config->observes[i];
        if (o->until > until && closeness_to(o->risk, rule, &length) != APART)
            until = o->until;
    }
    return until;
}

static int note_terms(struct policy *p, const struct config_policy *config,
                      const struct ruleset *rules)
{
    size_t cap = 0;
    for (size_t i = 0; i < p->count; i++) {
        const struct rule *rule = ruleset_rule(rules, (uint32_t)i);
        int64_t observed = observed_until(config, rule);
        if (rule->expires == 0 && observed == 0)
            continue;
        if (p->term_count == cap) {
            cap = cap ? cap * 2 : 64;
            struct term *terms = reallocarray(p->terms, cap, sizeof(*terms));
            if (!terms)
                return -ENOMEM;
            p->terms = terms;
        }
        p->terms[p->term_count++] =
            (struct term){(uint32_t)i, rule->expires ? rule->expires : INT64_MAX, observed};
        p->actions[2 * i] |= TIMED;
        p->actions[2 * i + 1] |= TIMED;
    }
    return 0;
}

/* Does a row name that rule, so that it shares its answer with no other? */
static bool is_named(const struct config_policy *config, const struct rule *rule)
{
    for (size_t i = 0; i < config->action_count; i++)
        if (config_names_rule(config->actions[i].risk) &&
            span_eq(config->actions[i].risk, rule->id))
            return true;
    return false;
}

static unsigned char coded(enum action a)
{
    return a == ACTION_ASK ? ACTION_FLAG | ASKS : (unsigned char)a;
}

int policy_new(const struct config_app *app, const struct ruleset *rules,
               struct policy **ret_policy)
{
    const struct config_policy *config = &app->policy;
    size_t count = ruleset_count(rules);
    struct policy *p = calloc(1, sizeof(*p));
    if (!p)
        return -ENOMEM;
    p->count = count;
    p->config = config;
    p->rules = rules;
    p->actions = reallocarray(NULL, count + 1, 2);
    if (!p->actions) {
        free(p);
        return -ENOMEM;
    }
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
        bool named = is_named(config, rule);
        if (ours &&
            !(last && !named && rule->action == ACTION_DEFAULT && last->action == ACTION_DEFAULT &&
              rule->risk == last->risk && rule->kind == last->kind)) {
            prompt = decide(config, rule, DIRECTION_PROMPT, &unused);
            completion = decide(config, rule, DIRECTION_COMPLETION, &unused);
            last = named ? NULL : rule;
        }
        bool masks = span_starts(rule->risk->id, SPAN_LIT("pii-")) && rule->kind != RULE_NEAR;
        p->actions[2 * i] = coded(ours ? prompt : ACTION_ALLOW) | (masks ? PERSONAL : 0);
        p->actions[2 * i + 1] = coded(ours ? completion : ACTION_ALLOW) | (masks ? PERSONAL : 0);
    }
    int r = note_terms(p, config, rules);
    if (r < 0) {
        policy_free(p);
        return r;
    }
    *ret_policy = p;
    return 0;
}

int policy_new_strict(const struct policy *base, struct policy **ret_policy)
{
    struct policy *p = malloc(sizeof(*p));
    if (!p)
        return -ENOMEM;
    *p = *base;
    p->strict = true;
    *ret_policy = p;
    return 0;
}

void policy_free(struct policy *p)
{
    if (p && !p->strict) {
        free(p->terms);
        free(p->actions);
    }
    free(p);
}

/* O(log terms). */
static const struct term *find_term(const struct policy *p, uint32_t rule)
{
    size_t low = 0, high = p->term_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (p->terms[middle].rule < rule)
            low = middle + 1;
        else
            high = middle;
    }
    return &p->terms[low];
}

enum action policy_decide(const struct policy *p, uint32_t rule, enum direction direction,
                          int64_t now)
{
    if (rule >= p->count)
        return ACTION_BLOCK; /* a rule of another set: nobody may profit from the mistake */
    unsigned action = p->actions[2 * (size_t)rule + (direction == DIRECTION_COMPLETION)];
    if (action & TIMED && now >= find_term(p, rule)->expires)
        return ACTION_ALLOW;
    if (p->strict && (action & ~(unsigned)BITS) == ACTION_FLAG)
        return action & PERSONAL ? ACTION_MASK : ACTION_BLOCK;
    return (enum action)(action & ~(unsigned)BITS);
}

uint32_t policy_asks(const struct policy *p, uint32_t rule, enum direction direction)
{
    if (rule >= p->count ||
        !(p->actions[2 * (size_t)rule + (direction == DIRECTION_COMPLETION)] & ASKS))
        return 0;
    const struct risk *risk = ruleset_rule(p->rules, rule)->risk;
    uint32_t rows = 0;
    size_t length;
    for (size_t i = 0; i < p->config->asking_count; i++) {
        const struct config_asking *a = &p->config->askings[i];
        if (a->when == ASK_FLAGGED && config_asks(a, direction) &&
            policy_closeness(a->risk, risk, &length) != APART)
            rows |= UINT32_C(1) << i;
    }
    return rows;
}

/* The closest of the rows that were asked for that risk; NULL: none speaks of it. */
static const struct config_asking *closest(const struct policy *p, const struct policy_said *said,
                                           const struct risk *risk)
{
    const struct config_asking *best = NULL;
    enum closeness best_closeness = APART;
    size_t best_length = 0;
    for (size_t i = 0; i < p->config->asking_count; i++) {
        const struct config_asking *a = &p->config->askings[i];
        size_t length;
        if (!(said->rows >> i & 1) || a->source != said->source || !config_asks(a, said->direction))
            continue;
        enum closeness c = policy_closeness(a->risk, risk, &length);
        if (c == APART ||
            (best && (c < best_closeness || (c == best_closeness && length <= best_length))))
            continue;
        best = a;
        best_closeness = c;
        best_length = length;
    }
    return best;
}

enum action policy_opinion(const struct policy *p, const struct policy_said *said,
                           const struct risk **ret_risk)
{
    struct span id = said->source->risk;
    for (size_t i = 0; i < said->source->category_count; i++)
        if (span_eq(said->source->categories[i].name, said->category))
            id = said->source->categories[i].risk;
    *ret_risk = policy_find_risk(p->rules, id);
    const struct config_asking *a = *ret_risk ? closest(p, said, *ret_risk) : NULL;
    if (!a)
        return ACTION_ALLOW;
    if (a->block && said->percent >= a->block)
        return ACTION_BLOCK;
    if (a->answer && said->percent >= a->answer)
        return ACTION_ANSWER;
    if (a->flag && said->percent >= a->flag)
        return p->strict ? ACTION_BLOCK : ACTION_FLAG;
    return ACTION_ALLOW;
}

bool policy_observes(const struct policy *p, uint32_t rule, int64_t now)
{
    return !p->strict && rule < p->count && p->actions[2 * (size_t)rule] & TIMED &&
           now < find_term(p, rule)->observed;
}

bool policy_observes_risk(const struct policy *p, const struct risk *risk, int64_t now)
{
    size_t length;
    for (size_t i = 0; i < p->config->observe_count; i++) {
        const struct config_observe *o = &p->config->observes[i];
        if (now < o->until && !config_names_rule(o->risk) &&
            policy_closeness(o->risk, risk, &length) != APART)
            return true;
    }
    return false;
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
    int64_t observed = observed_until(&app->policy, rule);
    if (config_observes(&app->policy, now))
        observed = app->policy.until;
    reason.observed = observed > now ? observed : 0;
    return reason;
}

static bool is_weak(const struct config_policy *config, const struct risk *risk,
                    enum direction direction)
{
    struct rule any = {.id = SPAN_LIT(""), .risk = risk, .action = ACTION_DEFAULT};
    struct policy_reason unused;
    return decide(config, &any, direction, &unused) <= ACTION_FLAG;
}

unsigned policy_weakenings(const struct config *config, const struct ruleset *rules,
                           struct buf *out)
{
    static const enum direction both[] = {DIRECTION_PROMPT, DIRECTION_COMPLETION};
    unsigned lines = 0;
    for (size_t a = 0; a < config->app_count; a++) {
        const struct config_app *app = &config->apps[a];
        for (size_t d = 0; d < 2; d++) {
            size_t weak = 0, first = 0;
            for (size_t i = 0; i < ruleset_risk_count(rules); i++) {
                const struct risk *risk = ruleset_risk(rules, i);
                if (risk->id.data[0] != 'A' || !is_weak(&app->policy, risk, both[d]))
                    continue;
                first = weak++ ? first : i;
            }
            if (weak == 0)
                continue;
            lines++;
            buf_printf(out, "app %.*s: in %s %.*s", SPAN_ARG(app->name), d ? "answers" : "prompts",
                       SPAN_ARG(ruleset_risk(rules, first)->id));
            if (weak > 1)
                buf_printf(out, " and %zu more types are", weak - 1);
            else
                buf_append(out, SPAN_LIT(" is"));
            buf_append(out, SPAN_LIT(" let through or only flagged\n"));
        }
    }
    return lines;
}
