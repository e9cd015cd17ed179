/* The library's YAML files: risks.yaml, patterns/<any>.yaml, answers/<any>.yaml. */
#include "rules/loader.h"
#include "rules/validate.h"

#include <errno.h>

#define AT(type, field) .offset = offsetof(type, field)

/* ---- risks.yaml ---- */

struct group {
    struct span id, zh, en;
};

struct risks_file {
    struct group *groups;
    size_t group_count;
    struct risk *risks;
    size_t risk_count;
};

static const struct schema_key keys_group[] = {
    {"id", SCHEMA_TEXT, NULL, "such as A1", AT(struct group, id), .min = 1, .max = 16,
     .required = true},
    {"zh", SCHEMA_TEXT, NULL, "Chinese name", AT(struct group, zh), .min = 1, .max = 256,
     .required = true},
    {"en", SCHEMA_TEXT, NULL, "English gloss", AT(struct group, en), .min = 1, .max = 256,
     .required = true},
    {NULL},
};

static const struct schema_key keys_risk[] = {
    {"id", SCHEMA_TEXT, NULL, "such as A1-a", AT(struct risk, id), .min = 1, .max = 32,
     .required = true},
    {"group", SCHEMA_TEXT, NULL, "the id of a group", AT(struct risk, group), .min = 1, .max = 16,
     .required = true},
    {"zh", SCHEMA_TEXT, NULL, "Chinese name", AT(struct risk, name_zh), .min = 1, .max = 256,
     .required = true},
    {"en", SCHEMA_TEXT, NULL, "English gloss", AT(struct risk, name_en), .min = 1, .max = 256,
     .required = true},
    {"keyword_min", SCHEMA_NUMBER, "0", "keywords that the standard asks for",
     AT(struct risk, keyword_min), .max = 1000000},
    {NULL},
};

static const struct schema_key keys_risks_file[] = {
    {"groups", SCHEMA_LIST, NULL, "", AT(struct risks_file, groups),
     .offset2 = offsetof(struct risks_file, group_count), .keys = keys_group,
     .entry_size = sizeof(struct group), .required = true},
    {"risks", SCHEMA_LIST, NULL, "", AT(struct risks_file, risks),
     .offset2 = offsetof(struct risks_file, risk_count), .keys = keys_risk,
     .entry_size = sizeof(struct risk), .required = true},
    {NULL},
};

/* Ids name files, so that only these characters may be in them. */
static bool is_id(struct span id)
{
    for (size_t i = 0; i < id.len; i++) {
        char c = id.data[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '-'))
            return false;
    }
    return true;
}

static void check_risk(struct loader *l, const struct risks_file *f, size_t index,
                       const struct yaml_node *node)
{
    struct risk *risk = &f->risks[index];
    const struct group *group = NULL;
    for (size_t i = 0; i < f->group_count; i++)
        if (span_eq(f->groups[i].id, risk->group))
            group = &f->groups[i];
    if (!is_id(risk->id))
        loader_error(l, node->at, "an id has letters, digits and hyphens only");
    if (!group) {
        loader_error(l, yaml_get(node, SPAN_LIT("group"))->at, "no group is called '%.*s'",
                     SPAN_ARG(risk->group));
        return;
    }
    risk->group_zh = group->zh;
    risk->group_en = group->en;
    for (size_t i = 0; i < index; i++)
        if (span_eq(f->risks[i].id, risk->id))
            loader_error(l, node->at, "two risks are called '%.*s'", SPAN_ARG(risk->id));
}

/* The reader counts its errors, the report counts all. */
static bool read_map(struct loader *l, const struct schema_key *keys, const struct yaml_node *node,
                     void *base)
{
    unsigned before = l->reader.errors;
    schema_read(&l->reader, keys, node, base);
    l->report->errors += l->reader.errors - before;
    return l->reader.errors == before;
}

static struct yaml_doc *read_yaml(struct loader *l, struct span text, struct span file)
{
    struct yaml_doc *doc = NULL;
    int e = yaml_read(text, file, l->reader.messages, &doc);
    if (e == -ENOMEM)
        l->reader.memory_out = true;
    else if (e < 0)
        l->report->errors++;
    return doc;
}

void risks_read(struct loader *l, struct span text, struct span file)
{
    struct yaml_doc *doc = read_yaml(l, text, file);
    struct risks_file f = {0};
    if (doc && read_map(l, keys_risks_file, yaml_root(doc), &f)) {
        const struct yaml_node *n = yaml_get(yaml_root(doc), SPAN_LIT("risks"))->first;
        for (size_t i = 0; i < f.risk_count; i++, n = n->next)
            check_risk(l, &f, i, n);
        l->set->risks = f.risks;
        l->set->risk_count = f.risk_count;
    }
    yaml_free(doc);
}

/* ---- patterns ---- */

struct pattern {
    struct span id, risk, regex, literal, validator, why, from;
    unsigned gate, width, direction, action;
    struct span *hits, *misses;
    size_t hit_count, miss_count;
};

struct patterns_file {
    struct pattern *patterns;
    size_t count;
};

static const char *const choices_gate[] = {"digits", "at", "literal", NULL};
static const char *const choices_direction[] = {"", "prompt", "completion", "both", NULL};
/* By number of enum action; a rule that allows would be no rule. */
static const char *const choices_action[] = {"default", "flag", "mask", "answer", "block", NULL};

static const struct schema_key keys_pattern[] = {
    {"id", SCHEMA_TEXT, NULL, "begins with the risk's id and a slash", AT(struct pattern, id),
     .min = 1, .max = 64, .required = true},
    {"risk", SCHEMA_TEXT, NULL, "the id of a risk", AT(struct pattern, risk), .min = 1, .max = 32,
     .required = true},
    {"regex", SCHEMA_TEXT, NULL, "PCRE2 syntax, over the pattern view", AT(struct pattern, regex),
     .min = 1, .max = 1024, .required = true},
    {"gate", SCHEMA_CHOICE, NULL, "what must be there before the regex runs",
     AT(struct pattern, gate), .choices = choices_gate, .required = true},
    {"literal", SCHEMA_TEXT, NULL, "with gate: literal", AT(struct pattern, literal), .min = 1,
     .max = 64},
    {"width", SCHEMA_NUMBER, NULL, "characters that a match has at most", AT(struct pattern, width),
     .min = 1, .max = MATCH_PATTERN_WIDTH_MAX, .required = true},
    {"validator", SCHEMA_TEXT, NULL, "idcard, phone, bankcard or email",
     AT(struct pattern, validator), .min = 1, .max = 32},
    {"why", SCHEMA_TEXT, NULL, "a sentence", AT(struct pattern, why), .min = 1, .max = 512,
     .required = true},
    {"source", SCHEMA_TEXT, NULL, "where it comes from", AT(struct pattern, from), .max = 512},
    {"direction", SCHEMA_CHOICE, "both", "prompt, completion or both",
     AT(struct pattern, direction), .choices = choices_direction},
    {"action", SCHEMA_CHOICE, "default", "else by the risk's policy", AT(struct pattern, action),
     .choices = choices_action},
    {"hit", SCHEMA_TEXTS, NULL, "samples with a hit", AT(struct pattern, hits),
     .offset2 = offsetof(struct pattern, hit_count), .required = true},
    {"miss", SCHEMA_TEXTS, NULL, "samples without one", AT(struct pattern, misses),
     .offset2 = offsetof(struct pattern, miss_count), .required = true},
    {NULL},
};

static const struct schema_key keys_patterns_file[] = {
    {"patterns", SCHEMA_LIST, NULL, "", AT(struct patterns_file, patterns),
     .offset2 = offsetof(struct patterns_file, count), .keys = keys_pattern,
     .entry_size = sizeof(struct pattern), .required = true},
    {NULL},
};

static void add_samples(struct loader *l, uint32_t rule, bool hit, const struct yaml_node *list)
{
    for (const struct yaml_node *n = list->first; n; n = n->next) {
        struct place at = n->at;
        at.file = ruleset_rule(l->set, rule)->file;
        loader_add_sample(l, rule, hit, reader_keep(&l->reader, n->text), at);
    }
}

static void add_pattern(struct loader *l, const struct pattern *p, const struct yaml_node *node,
                        struct span file)
{
    const struct risk *risk = ruleset_find_risk(l->set, p->risk);
    match_validator validator = p->validator.len ? validate_find(p->validator) : NULL;
    unsigned errors = l->report->errors;
    if (!risk)
        loader_error(l, yaml_get(node, SPAN_LIT("risk"))->at, "no risk is called '%.*s'",
                     SPAN_ARG(p->risk));
    if (!span_starts(p->id, p->risk) || p->id.len < p->risk.len + 2 ||
        p->id.data[p->risk.len] != '/')
        loader_error(l, yaml_get(node, SPAN_LIT("id"))->at, "the id must begin with '%.*s/'",
                     SPAN_ARG(p->risk));
    if (p->validator.len && !validator)
        loader_error(l, yaml_get(node, SPAN_LIT("validator"))->at,
                     "'%.*s' is no validator: idcard, phone, bankcard or email",
                     SPAN_ARG(p->validator));
    if ((p->gate == GATE_LITERAL) != (p->literal.len > 0))
        loader_error(l, node->at, "'literal' goes with gate: literal, and only with it");
    if (p->hit_count == 0 || p->miss_count == 0)
        loader_error(l, node->at, "a pattern needs samples: at least one hit and one miss");
    for (size_t i = 0; i < l->set->rule_count; i++)
        if (span_eq(l->set->rules[i].id, p->id))
            loader_error(l, yaml_get(node, SPAN_LIT("id"))->at, "two rules are called '%.*s'",
                         SPAN_ARG(p->id));
    if (l->report->errors != errors)
        return;
    struct rule rule = {.id = p->id,
                        .risk = risk,
                        .source = p->regex,
                        .why = p->why,
                        .from = p->from,
                        .file = file,
                        .line = node->at.line,
                        .column = node->at.column,
                        .direction = (enum direction)p->direction,
                        .action = p->action ? (enum action)p->action : ACTION_DEFAULT,
                        .kind = RULE_PATTERN};
    uint32_t index = loader_add_rule(l, &rule);
    if (index == UINT32_MAX)
        return;
    struct match_pattern match = {.regex = p->regex,
                                  .gate = (enum match_gate)p->gate,
                                  .literal = p->literal,
                                  .width = p->width,
                                  .validator = validator};
    const char *reason = NULL;
    int e = matchset_add_pattern(l->builder, &match, index, rule.direction, &reason);
    if (e < 0)
        l->reader.memory_out = true;
    else if (e > 0)
        loader_error(l, yaml_get(node, SPAN_LIT("regex"))->at, "not usable as a pattern: %s",
                     reason ? reason : "refused");
    add_samples(l, index, true, yaml_get(node, SPAN_LIT("hit")));
    add_samples(l, index, false, yaml_get(node, SPAN_LIT("miss")));
}

void patterns_read(struct loader *l, struct span text, struct span file)
{
    struct yaml_doc *doc = read_yaml(l, text, file);
    struct patterns_file f = {0};
    if (doc && read_map(l, keys_patterns_file, yaml_root(doc), &f)) {
        const struct yaml_node *n = yaml_get(yaml_root(doc), SPAN_LIT("patterns"))->first;
        for (size_t i = 0; i < f.count; i++, n = n->next)
            add_pattern(l, &f.patterns[i], n, file);
    }
    yaml_free(doc);
}

/* ---- answers ---- */

struct answers_file {
    struct answer *answers;
    size_t count;
};

static const struct schema_key keys_answer[] = {
    {"risk", SCHEMA_TEXT, NULL, "the id of a risk or group, or *", AT(struct answer, risk),
     .min = 1, .max = 32, .required = true},
    {"zh", SCHEMA_TEXT, NULL, "in Chinese", AT(struct answer, zh), .min = 1, .max = 4096,
     .required = true},
    {"en", SCHEMA_TEXT, NULL, "in English", AT(struct answer, en), .min = 1, .max = 4096,
     .required = true},
    {NULL},
};

static const struct schema_key keys_answers_file[] = {
    {"answers", SCHEMA_LIST, NULL, "", AT(struct answers_file, answers),
     .offset2 = offsetof(struct answers_file, count), .keys = keys_answer,
     .entry_size = sizeof(struct answer), .required = true},
    {NULL},
};

static void add_answer(struct loader *l, struct answer a, const struct yaml_node *node)
{
    struct ruleset *s = l->set;
    bool known = span_eq(a.risk, SPAN_LIT("*"));
    for (size_t i = 0; i < s->risk_count; i++)
        known = known || span_eq(a.risk, s->risks[i].id) || span_eq(a.risk, s->risks[i].group);
    if (!known)
        loader_error(l, node->at, "no risk or group is called '%.*s'", SPAN_ARG(a.risk));
    for (size_t i = 0; i < s->answer_count; i++)
        if (span_eq(s->answers[i].risk, a.risk))
            loader_error(l, node->at, "two answers are for '%.*s'", SPAN_ARG(a.risk));
    a.both = arena_printf(l->reader.arena, "%.*s\n%.*s", SPAN_ARG(a.zh), SPAN_ARG(a.en));
    if (!a.both.data)
        l->reader.memory_out = true;
    else if (loader_grow(l, (void **)&s->answers, s->answer_count, &s->answer_cap, sizeof(a)))
        s->answers[s->answer_count++] = a;
}

void answers_read(struct loader *l, struct span text, struct span file)
{
    struct yaml_doc *doc = read_yaml(l, text, file);
    struct answers_file f = {0};
    if (doc && read_map(l, keys_answers_file, yaml_root(doc), &f)) {
        const struct yaml_node *n = yaml_get(yaml_root(doc), SPAN_LIT("answers"))->first;
        for (size_t i = 0; i < f.count; i++, n = n->next)
            add_answer(l, f.answers[i], n);
    }
    yaml_free(doc);
}
