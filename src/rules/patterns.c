/* patterns/<any>.yaml: regular expressions with what keeps them cheap, and samples. */
#include "rules/validate.h"
#include "rules/written.h"

#define AT(field) .offset = offsetof(struct pattern, field)

struct pattern {
    struct written written;
    struct span regex, literal, validator;
    unsigned gate, width;
};

struct patterns_file {
    struct pattern *patterns;
    size_t count;
};

static const char *const choices_gate[] = {"digits", "at", "literal", "colon", "word", NULL};

static const struct schema_key keys_pattern[] = {
    WRITTEN_KEYS(struct pattern),
    {"regex", SCHEMA_TEXT, NULL, "PCRE2 syntax, over the pattern view", AT(regex), .min = 1,
     .max = 1024, .required = true},
    {"gate", SCHEMA_CHOICE, NULL, "what must be there before the regex runs", AT(gate),
     .choices = choices_gate, .required = true},
    {"literal", SCHEMA_TEXT, NULL, "with gate: literal", AT(literal), .min = 1, .max = 64},
    {"width", SCHEMA_NUMBER, NULL, "characters that a match has at most", AT(width), .min = 1,
     .max = MATCH_PATTERN_WIDTH_MAX, .required = true},
    {"validator", SCHEMA_TEXT, NULL, VALIDATOR_NAMES, AT(validator), .min = 1, .max = 32},
    {NULL},
};

static const struct schema_key keys_file[] = {
    {"patterns", SCHEMA_LIST, NULL, "", .offset = offsetof(struct patterns_file, patterns),
     .offset2 = offsetof(struct patterns_file, count), .keys = keys_pattern,
     .entry_size = sizeof(struct pattern), .required = true},
    {NULL},
};

static void add_pattern(struct loader *l, const struct pattern *p, const struct yaml_node *node,
                        struct span file)
{
    match_validator validator = p->validator.len ? validate_find(p->validator) : NULL;
    unsigned errors = l->report->errors;
    struct rule rule;
    bool good = written_rule(l, &p->written, node, file, &rule);
    if (p->validator.len && !validator)
        loader_error(l, yaml_get(node, SPAN_LIT("validator"))->at,
                     "'%.*s' is no validator: " VALIDATOR_NAMES, SPAN_ARG(p->validator));
    if ((p->gate == GATE_LITERAL) != (p->literal.len > 0))
        loader_error(l, node->at, "'literal' goes with gate: literal, and only with it");
    if (!good || l->report->errors != errors)
        return;
    rule.source = p->regex;
    rule.kind = RULE_PATTERN;
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
    written_samples(l, index, node);
}

void patterns_read(struct loader *l, struct span text, struct span file)
{
    struct yaml_doc *doc = loader_yaml(l, text, file);
    struct patterns_file f = {0};
    if (doc && loader_map(l, keys_file, yaml_root(doc), &f)) {
        const struct yaml_node *n = yaml_get(yaml_root(doc), SPAN_LIT("patterns"))->first;
        for (size_t i = 0; i < f.count; i++, n = n->next)
            add_pattern(l, &f.patterns[i], n, file);
    }
    yaml_free(doc);
}
