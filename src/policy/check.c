/* Do configuration and rules mean the same world? Names that both use, and what one asks in vain.
 */
#include "policy/closeness.h"

#include <stdio.h>

/* Places in rules that are told one by one; more are counted. */
#define DOUBTS_TOLD 50

/* The rule that a row names may be gone tomorrow: that is a doubt, see below. */
static bool any_risk(const struct ruleset *rules, struct span row)
{
    if (config_names_rule(row))
        return true;
    for (size_t i = 0; i < ruleset_risk_count(rules); i++) {
        size_t length;
        if (policy_closeness(row, ruleset_risk(rules, i), &length) != APART)
            return true;
    }
    return false;
}

static bool is_cause(struct span code)
{
    for (enum cause c = CAUSE_NONE + 1; c < CAUSE_COUNT; c++)
        if (span_eq(code, span_str(cause_code(c))))
            return true;
    return false;
}

static unsigned check_texts(const struct config_policy *policy, enum config_origin origin,
                            struct buf *messages)
{
    unsigned errors = 0;
    struct buf codes = BUF_INIT(4096);
    for (enum cause c = CAUSE_NONE + 1; c < CAUSE_COUNT; c++)
        buf_printf(&codes, "%s %s", c > CAUSE_NONE + 1 ? "," : "", cause_code(c));
    for (size_t i = 0; i < policy->text_count; i++) {
        const struct config_text *t = &policy->texts[i];
        if (t->origin != origin || is_cause(t->code))
            continue;
        place_printf(messages, t->at, "no error has the code '%.*s'; there are%.*s",
                     SPAN_ARG(t->code), SPAN_ARG(buf_span(&codes)));
        errors++;
    }
    buf_deinit(&codes);
    return errors;
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
    for (size_t i = 0; i < policy->observe_count; i++) {
        const struct config_observe *row = &policy->observes[i];
        if (row->origin != origin || any_risk(rules, row->risk))
            continue;
        place_printf(messages, row->at, "no risk of the rules is called '%.*s'",
                     SPAN_ARG(row->risk));
        errors++;
    }
    return errors + check_texts(policy, origin, messages);
}

static unsigned check_opinions(const struct config *config, const struct ruleset *rules,
                               struct buf *messages)
{
    unsigned errors = 0;
    for (size_t i = 0; i < config->opinion_count; i++) {
        const struct config_opinion *o = &config->opinions[i];
        if (!policy_find_risk(rules, o->risk)) {
            place_printf(messages, o->at, "no risk of the rules is called '%.*s'",
                         SPAN_ARG(o->risk));
            errors++;
        }
        for (size_t j = 0; j < o->category_count; j++) {
            if (policy_find_risk(rules, o->categories[j].risk))
                continue;
            place_printf(messages, o->categories[j].at, "no risk of the rules is called '%.*s'",
                         SPAN_ARG(o->categories[j].risk));
            errors++;
        }
    }
    return errors;
}

/* Rows that an app shares with the global policy are told once. */
static unsigned check_askings(const struct config_policy *p, const struct config_policy *global,
                              const struct ruleset *rules, struct buf *messages)
{
    unsigned errors = 0;
    for (size_t i = 0; i < p->asking_count && (!global || p->askings != global->askings); i++) {
        const struct config_asking *a = &p->askings[i];
        if (any_risk(rules, a->risk))
            continue;
        place_printf(messages, a->at, "no risk of the rules is called '%.*s'", SPAN_ARG(a->risk));
        errors++;
    }
    return errors;
}

static unsigned check_alerts(const struct config *config, const struct ruleset *rules,
                             struct buf *messages)
{
    unsigned errors = 0;
    for (size_t i = 0; i < config->alerts.rate_count; i++) {
        const struct config_alert_rate *a = &config->alerts.rates[i];
        if (any_risk(rules, a->risk))
            continue;
        place_printf(messages, a->at, "no risk of the rules is called '%.*s'", SPAN_ARG(a->risk));
        errors++;
    }
    return errors;
}

unsigned policy_check(const struct config *config, const struct ruleset *rules,
                      struct buf *messages)
{
    unsigned errors = check_rows(&config->policy, ORIGIN_GLOBAL, rules, messages);
    errors += check_opinions(config, rules, messages);
    errors += check_askings(&config->policy, NULL, rules, messages);
    errors += check_alerts(config, rules, messages);
    for (size_t i = 0; i < config->app_count; i++) {
        errors += check_rows(&config->apps[i].policy, ORIGIN_APP, rules, messages);
        errors += check_askings(&config->apps[i].policy, &config->policy, rules, messages);
    }
    return errors;
}

/* ---- what is allowed but does less than its author may think ---- */

struct doubts {
    const struct config *config;
    struct buf *messages;
    unsigned count;
    /* What the last rule said is what the next of its file says, by the file's defaults. */
    const struct span *apps;
    const char *whole_file;
};

static void doubt(struct doubts *d, const struct rule *rule, const char *what, struct span name)
{
    struct place at = {rule->file, rule->line, rule->column};
    if (d->count++ < DOUBTS_TOLD)
        place_printf(d->messages, at, "warning: %s%.*s", what, SPAN_ARG(name));
}

static void doubt_apps(struct doubts *d, const struct rule *rule)
{
    if (rule->apps == d->apps)
        return;
    d->apps = rule->apps;
    for (size_t i = 0; i < rule->app_count; i++)
        if (!config_find_app(d->config, rule->apps[i]))
            doubt(d, rule, "the configuration has no app ", rule->apps[i]);
}

static void doubt_layers(struct doubts *d, const struct rule *rule)
{
    if (!(rule->asked & LAYERS_WHOLE) || !(rule->direction & DIRECTION_COMPLETION) ||
        rule->file.data == d->whole_file)
        return;
    d->whole_file = rule->file.data; /* once for a file */
    char names[64] = "";
    int len = 0;
    for (unsigned i = 0; i < LAYER_COUNT; i++)
        if (LAYERS_WHOLE >> i & 1)
            len += snprintf(names + len, sizeof(names) - (size_t)len, "%s%s", len ? ", " : "",
                            layer_name(i));
    doubt(d, rule, "on streamed answers these layers do not run: ", span_str(names));
}

static void doubt_row(struct doubts *d, const struct ruleset *rules, enum config_origin origin,
                      enum config_origin wanted, struct span row, struct place at)
{
    if (origin != wanted || !config_names_rule(row))
        return;
    for (size_t i = 0; i < ruleset_count(rules); i++)
        if (span_eq(ruleset_rule(rules, (uint32_t)i)->id, row))
            return;
    if (d->count++ < DOUBTS_TOLD)
        place_printf(d->messages, at, "warning: no rule of the library is called '%.*s'",
                     SPAN_ARG(row));
}

/* The rows of one policy that were written for it, not for all. */
static void doubt_rows(struct doubts *d, const struct ruleset *rules, const struct config_policy *p,
                       enum config_origin wanted)
{
    for (size_t i = 0; i < p->action_count; i++)
        doubt_row(d, rules, p->actions[i].origin, wanted, p->actions[i].risk, p->actions[i].at);
    for (size_t i = 0; i < p->observe_count; i++)
        doubt_row(d, rules, p->observes[i].origin, wanted, p->observes[i].risk, p->observes[i].at);
}

/* Only what ends has an end to be told. */
static void doubt_text(struct doubts *d, const struct config_text *t)
{
    bool timed = span_eq(t->code, span_str(cause_code(CAUSE_USER_LIMITED))) ||
                 span_eq(t->code, span_str(cause_code(CAUSE_USER_SUSPENDED)));
    struct span rest = t->text;
    size_t open, close;
    while ((open = span_find(rest, SPAN_LIT("{"))) < rest.len) {
        rest = span_slice(rest, open, rest.len);
        close = span_find(rest, SPAN_LIT("}"));
        if (close == rest.len)
            return;
        struct span mark = span_slice(rest, 0, close + 1);
        rest = span_slice(rest, close + 1, rest.len);
        if (timed && span_eq(mark, SPAN_LIT("{until}")))
            continue;
        if (d->count++ < DOUBTS_TOLD)
            place_printf(d->messages, t->at,
                         "warning: '%.*s' in the text of %.*s stays as it is: {until}, in "
                         "user_limited and user_suspended, is all that is filled in",
                         SPAN_ARG(mark), SPAN_ARG(t->code));
    }
}

static void doubt_texts(struct doubts *d, const struct config_policy *p, enum config_origin wanted)
{
    for (size_t i = 0; i < p->text_count; i++)
        if (p->texts[i].origin == wanted)
            doubt_text(d, &p->texts[i]);
}

unsigned policy_doubts(const struct config *config, const struct ruleset *rules,
                       struct buf *messages)
{
    struct doubts d = {.config = config, .messages = messages};
    doubt_rows(&d, rules, &config->policy, ORIGIN_GLOBAL);
    doubt_texts(&d, &config->policy, ORIGIN_GLOBAL);
    for (size_t i = 0; i < config->app_count; i++) {
        doubt_rows(&d, rules, &config->apps[i].policy, ORIGIN_APP);
        doubt_texts(&d, &config->apps[i].policy, ORIGIN_APP);
    }
    for (size_t i = 0; i < ruleset_count(rules); i++) {
        const struct rule *rule = ruleset_rule(rules, (uint32_t)i);
        doubt_apps(&d, rule);
        doubt_layers(&d, rule);
    }
    if (d.count > DOUBTS_TOLD)
        place_printf(messages, (struct place){.file = config->rules_dir},
                     "warning: %u more rules like these", d.count - DOUBTS_TOLD);
    return d.count;
}
