#include "filing/library.h"

#include "match/matchset.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const char *library_class_name(enum library_class c)
{
    static const char *const names[LIBRARY_CLASSES] = {
        [LIBRARY_COUNTED] = "拦截关键词", [LIBRARY_DERIVED] = "衍生词",
        [LIBRARY_FLAGGED] = "仅标记",     [LIBRARY_OBSERVED] = "观察中",
        [LIBRARY_QUARANTINED] = "隔离词", [LIBRARY_SCOPED] = "限定应用",
        [LIBRARY_EXPIRED] = "已过期",     [LIBRARY_AXIS] = "攻击与个人信息",
        [LIBRARY_NEAR] = "邻近规则",      [LIBRARY_PATTERN] = "正则规则",
        [LIBRARY_NONE] = "内置",
    };
    return c < LIBRARY_CLASSES ? names[c] : "";
}

const char *library_action_name(enum action a)
{
    static const char *const names[ACTION_COUNT] = {"放行", "标记", "打码", "代答", "拦截"};
    return a >= 0 && a < ACTION_COUNT ? names[a] : "";
}

/* ---- classes ---- */

struct reading {
    struct library *library;
    const struct policy *policy;
    const struct config_app *app;
    int64_t now;
};

static bool intercepts(const struct library_entry *e)
{
    return e->prompt > ACTION_FLAG || e->completion > ACTION_FLAG;
}

static int class_keyword(const struct reading *r, uint32_t index, struct library_entry *e)
{
    const struct rule *rule = e->rule;
    uint32_t by;
    int shadowed = 0;
    if (rule->quarantine.len)
        e->class = LIBRARY_QUARANTINED;
    else if (rule->expires && rule->expires <= r->now)
        e->class = LIBRARY_EXPIRED;
    else if (rule->app_count)
        e->class = LIBRARY_SCOPED;
    else if (!intercepts(e))
        e->class = LIBRARY_FLAGGED;
    else if (config_observes(&r->app->policy, r->now) || policy_observes(r->policy, index, r->now))
        e->class = LIBRARY_OBSERVED;
    else if (!risk_is_standard(rule->risk))
        e->class = LIBRARY_AXIS;
    else if ((shadowed = ruleset_shadow(r->library->rules, index, &by)) > 0) {
        e->class = LIBRARY_DERIVED;
        e->by = ruleset_rule(r->library->rules, by);
    } else
        e->class = LIBRARY_COUNTED;
    return shadowed < 0 ? shadowed : 0;
}

static int class_rule(const struct reading *r, uint32_t index)
{
    const struct rule *rule = ruleset_rule(r->library->rules, index);
    struct library_entry *e = &r->library->entries[index];
    bool gone = rule->expires && rule->expires <= r->now;
    *e = (struct library_entry){.rule = rule};
    if (!gone && !rule->quarantine.len && rule->kind != RULE_PAYLOAD) {
        if (rule->direction & DIRECTION_PROMPT)
            e->prompt = policy_decide(r->policy, index, DIRECTION_PROMPT, r->now);
        if (rule->direction & DIRECTION_COMPLETION)
            e->completion = policy_decide(r->policy, index, DIRECTION_COMPLETION, r->now);
    }
    switch (rule->kind) {
    case RULE_KEYWORD:
        return class_keyword(r, index, e);
    case RULE_NEAR:
        e->class = gone ? LIBRARY_EXPIRED : LIBRARY_NEAR;
        return 0;
    case RULE_PATTERN:
        e->class = gone ? LIBRARY_EXPIRED : LIBRARY_PATTERN;
        return 0;
    case RULE_PAYLOAD:
    case RULE_CANARY:
        e->class = LIBRARY_NONE;
        return 0;
    }
    return 0;
}

/* ---- what is counted once ---- */

struct folded {
    size_t from; /* in the buffer of all forms, which moves while it grows */
    struct span form;
    uint32_t entry;
};

static int compare_folded(const void *a, const void *b)
{
    const struct folded *x = a, *y = b;
    int c = span_compare(x->form, y->form);
    return c ? c : x->entry < y->entry ? -1 : 1;
}

/* One word may be of several types; in the total it is one. */
static int mark_repeats(struct library *l, struct folded *list, struct buf *text)
{
    size_t n = 0;
    for (uint32_t i = 0; i < l->count; i++) {
        if (l->entries[i].class != LIBRARY_COUNTED)
            continue;
        size_t from = text->len;
        int e = match_fold(l->entries[i].rule->source, text);
        if (e < 0)
            return e;
        list[n++] = (struct folded){from, {.len = text->len - from}, i};
    }
    for (size_t i = 0; i < n; i++)
        list[i].form.data = text->data + list[i].from;
    qsort(list, n, sizeof(*list), compare_folded);
    for (size_t i = 0; i < n; i++) {
        bool again = i > 0 && span_eq(list[i].form, list[i - 1].form);
        l->entries[list[i].entry].repeats = again;
        l->repeated += again;
        l->total += !again;
    }
    return 0;
}

static int count_distinct(struct library *l)
{
    struct folded *list = calloc(l->count + 1, sizeof(*list));
    struct buf text = BUF_INIT(1u << 30);
    int r = list ? mark_repeats(l, list, &text) : -ENOMEM;
    buf_deinit(&text);
    free(list);
    return r == -ENOMEM || r == -EMSGSIZE ? -ENOMEM : r;
}

static void count_types(struct library *l)
{
    for (size_t i = 0; i < l->type_count; i++) {
        l->types[i].risk = ruleset_risk(l->rules, i);
        l->types[i].repeated = ruleset_count_risk(l->rules, l->types[i].risk).repeated;
    }
    const struct risk *first = ruleset_risk(l->rules, 0);
    for (size_t i = 0; i < l->count; i++)
        if (l->entries[i].rule->kind != RULE_CANARY) /* its risk is none of the library's */
            l->types[l->entries[i].rule->risk - first].counts[l->entries[i].class]++;
    for (size_t i = 0; i < l->type_count; i++) {
        const struct library_type *t = &l->types[i];
        l->asked += t->risk->keyword_min > 0;
        l->met += t->risk->keyword_min > 0 && t->counts[LIBRARY_COUNTED] >= t->risk->keyword_min;
    }
}

int library_read(const struct ruleset *rules, const struct config_app *app, int64_t now,
                 struct library *ret_library)
{
    struct library l = {
        .rules = rules, .count = ruleset_count(rules), .type_count = ruleset_risk_count(rules)};
    struct policy *policy = NULL;
    int r = policy_new(app, rules, &policy);
    l.entries = calloc(l.count + 1, sizeof(*l.entries));
    l.types = calloc(l.type_count + 1, sizeof(*l.types));
    if (r == 0 && (!l.entries || !l.types))
        r = -ENOMEM;
    struct reading reading = {&l, policy, app, now};
    for (uint32_t i = 0; i < l.count && r == 0; i++)
        r = class_rule(&reading, i);
    if (r == 0)
        r = count_distinct(&l);
    if (r == 0)
        count_types(&l);
    policy_free(policy);
    if (r < 0)
        library_free(&l);
    else
        *ret_library = l;
    return r;
}

void library_free(struct library *l)
{
    free(l->entries);
    free(l->types);
    *l = (struct library){0};
}

bool library_is_sufficient(const struct library *l)
{
    return l->met == l->asked && l->total >= ruleset_standard(l->rules)->keyword_min;
}

unsigned library_weakening(const struct ruleset *rules, const struct config_app *app, int64_t now,
                           struct buf *out)
{
    struct library l;
    if (library_read(rules, app, now, &l) < 0) {
        buf_printf(out, "rules: the library could not be counted\n");
        return 1;
    }
    bool enough = library_is_sufficient(&l);
    if (!enough && l.met == l.asked)
        buf_printf(out, "rules: %u keywords, %u short of the %u that the standard asks for\n",
                   l.total, ruleset_standard(rules)->keyword_min - l.total,
                   ruleset_standard(rules)->keyword_min);
    else if (!enough)
        buf_printf(out,
                   "rules: %u of %u types have fewer keywords than the standard asks for; %u of "
                   "%u in all\n",
                   l.asked - l.met, l.asked, l.total, ruleset_standard(rules)->keyword_min);
    library_free(&l);
    return !enough;
}
