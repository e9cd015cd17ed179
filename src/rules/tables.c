/* The tables of the library: risks.yaml and answers/<any>.yaml. */
#include "rules/loader.h"

#include <errno.h>

#define AT(type, field) .offset = offsetof(type, field)

/* ---- risks.yaml ---- */

struct group {
    struct span id, zh, en;
};

struct risks_file {
    struct standard standard;
    struct aspect *aspects;
    size_t aspect_count;
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
    {"content_min", SCHEMA_NUMBER, "0", "questions whose answers are judged, likewise",
     AT(struct risk, content_min), .max = 1000000},
    {"refuse_min", SCHEMA_NUMBER, "0", "questions to refuse, likewise", AT(struct risk, refuse_min),
     .max = 1000000},
    {NULL},
};

static const struct schema_key keys_aspect[] = {
    {"zh", SCHEMA_TEXT, NULL, "Chinese name", AT(struct aspect, zh), .min = 1, .max = 64,
     .required = true},
    {"en", SCHEMA_TEXT, NULL, "English gloss", AT(struct aspect, en), .min = 1, .max = 64,
     .required = true},
    {"answer_min", SCHEMA_NUMBER, "0", "questions that the standard asks for",
     AT(struct aspect, answer_min), .max = 1000000},
    {NULL},
};

static const struct schema_key keys_standard[] = {
    {"name", SCHEMA_TEXT, NULL, "such as GB/T 45654-2025", AT(struct risks_file, standard.name),
     .min = 1, .max = 64, .required = true},
    {"zh", SCHEMA_TEXT, NULL, "its title", AT(struct risks_file, standard.name_zh), .min = 1,
     .max = 256, .required = true},
    {"keyword_min", SCHEMA_NUMBER, "0", "keywords in all",
     AT(struct risks_file, standard.keyword_min), .max = 100000000},
    {"content_min", SCHEMA_NUMBER, "0", "questions whose answers are judged, in all",
     AT(struct risks_file, standard.content_min), .max = 100000000},
    {"refuse_min", SCHEMA_NUMBER, "0", "questions to refuse, in all",
     AT(struct risks_file, standard.refuse_min), .max = 100000000},
    {"answer_min", SCHEMA_NUMBER, "0", "questions not to refuse, in all",
     AT(struct risks_file, standard.answer_min), .max = 100000000},
    {"keyword_days", SCHEMA_NUMBER, "7", "days within which keywords are to be brought up to date",
     AT(struct risks_file, standard.keyword_days), .min = 1, .max = 3660},
    {"question_days", SCHEMA_NUMBER, "31", "likewise of questions",
     AT(struct risks_file, standard.question_days), .min = 1, .max = 3660},
    {NULL},
};

static const struct schema_key keys_risks_file[] = {
    {"standard", SCHEMA_MAP, NULL, "what the standard asks for in all", .keys = keys_standard},
    {"aspects", SCHEMA_LIST, NULL, "fields whose questions must not be refused",
     AT(struct risks_file, aspects), .offset2 = offsetof(struct risks_file, aspect_count),
     .keys = keys_aspect, .entry_size = sizeof(struct aspect)},
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

bool loader_map(struct loader *l, const struct schema_key *keys, const struct yaml_node *node,
                void *base)
{
    unsigned before = l->reader.errors;
    schema_read(&l->reader, keys, node, base);
    l->report->errors += l->reader.errors - before;
    return l->reader.errors == before;
}

struct yaml_doc *loader_yaml(struct loader *l, struct span text, struct span file)
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
    struct yaml_doc *doc = loader_yaml(l, text, file);
    struct risks_file f = {.standard = {.keyword_days = 7, .question_days = 31}};
    if (doc && loader_map(l, keys_risks_file, yaml_root(doc), &f)) {
        const struct yaml_node *n = yaml_get(yaml_root(doc), SPAN_LIT("risks"))->first;
        for (size_t i = 0; i < f.risk_count; i++, n = n->next)
            check_risk(l, &f, i, n);
        l->set->standard = f.standard;
        l->set->aspects = f.aspects;
        l->set->aspect_count = f.aspect_count;
        l->set->risks = f.risks;
        l->set->risk_count = f.risk_count;
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
    struct yaml_doc *doc = loader_yaml(l, text, file);
    struct answers_file f = {0};
    if (doc && loader_map(l, keys_answers_file, yaml_root(doc), &f)) {
        const struct yaml_node *n = yaml_get(yaml_root(doc), SPAN_LIT("answers"))->first;
        for (size_t i = 0; i < f.count; i++, n = n->next)
            add_answer(l, f.answers[i], n);
    }
    yaml_free(doc);
}
