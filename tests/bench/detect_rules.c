/* The shipped rules over harmful and over ordinary texts. */
#include "detect.h"

#include <stdio.h>
#include <stdlib.h>

/* Texts of one kind within a file. */
struct group {
    struct span label, category, attack;
    size_t texts, blocked, flagged, pii;
};

struct groups {
    struct group *list;
    size_t count, cap;
};

static struct group *group_find(struct groups *g, struct span label, struct span category,
                                struct span attack)
{
    for (size_t i = 0; i < g->count; i++)
        if (span_eq(g->list[i].label, label) && span_eq(g->list[i].category, category) &&
            span_eq(g->list[i].attack, attack))
            return &g->list[i];
    if (g->count == g->cap) {
        g->cap = g->cap ? g->cap * 2 : 32;
        g->list = must(realloc(g->list, g->cap * sizeof(*g->list)));
    }
    g->list[g->count] = (struct group){.label = label, .category = category, .attack = attack};
    return &g->list[g->count++];
}

enum effect { EFFECT_BLOCK, EFFECT_FLAG, EFFECT_PII };

/* By the policy that a configuration without one has. */
static enum effect effect_of(const struct rule *rule, enum direction direction)
{
    struct span risk = rule->risk->id;
    if (span_starts(risk, SPAN_LIT("pii-")))
        return EFFECT_PII;
    if (rule->action != ACTION_DEFAULT)
        return rule->action >= ACTION_ANSWER ? EFFECT_BLOCK : EFFECT_FLAG;
    if (span_starts(risk, SPAN_LIT("attack-")))
        return direction == DIRECTION_PROMPT ? EFFECT_BLOCK : EFFECT_FLAG;
    return EFFECT_BLOCK;
}

static void judge_row(struct detect *d, const struct json_value *row, enum direction direction,
                      struct group *group, struct findings *findings, unsigned *told)
{
    struct span text = row_text(row, "text");
    bool effects[3] = {false};
    group->texts++;
    judge(d, ruleset_matchset(d->ruleset), direction, text, findings);
    for (size_t i = 0; i < findings->count; i++) {
        const struct hit *hit = &findings->hits[i];
        if (hit->rule >= ruleset_count(d->ruleset))
            continue;
        const struct rule *rule = ruleset_rule(d->ruleset, hit->rule);
        enum effect effect = effect_of(rule, direction);
        if (effect == EFFECT_BLOCK && !effects[effect] && d->verbose &&
            span_eq(group->label, SPAN_LIT("benign")) && (*told)++ < 10) {
            printf("    %.*s: %.*s (%.*s) in \"%.*s\" through ", SPAN_ARG(row_text(row, "id")),
                   SPAN_ARG(rule->id), SPAN_ARG(rule->source),
                   SPAN_ARG(span_slice(text, hit->start, hit->end)));
            print_layers(hit->layers);
            printf("\n");
        }
        effects[effect] = true;
    }
    group->blocked += effects[EFFECT_BLOCK];
    group->flagged += effects[EFFECT_FLAG] && !effects[EFFECT_BLOCK];
    group->pii += effects[EFFECT_PII];
}

static void report_file(struct detect *d, const char *part, const char *name)
{
    struct rows rows = {0};
    struct groups groups = {0};
    struct findings findings = {0};
    enum direction direction =
        strncmp(name, "completions", 11) == 0 ? DIRECTION_COMPLETION : DIRECTION_PROMPT;
    unsigned told = 0;
    load_file(d->folder, part, name, &rows);
    for (size_t i = 0; i < rows.count; i++) {
        const struct json_value *row = rows.list[i];
        struct span label = row_text(row, "label");
        bool benign = span_eq(label, SPAN_LIT("benign"));
        struct group *group =
            group_find(&groups, label, benign ? SPAN_NULL : row_text(row, "category"),
                       row_text(row, "attack"));
        judge_row(d, row, direction, group, &findings, &told);
    }
    for (size_t i = 0; i < groups.count; i++) {
        const struct group *g = &groups.list[i];
        printf("%-26s %-9.*s %-32.*s %-18.*s %6zu %8.2f %8.2f %8.2f\n", name, SPAN_ARG(g->label),
               SPAN_ARG(g->category), SPAN_ARG(g->attack), g->texts, percent(g->blocked, g->texts),
               percent(g->flagged, g->texts), percent(g->pii, g->texts));
    }
    free(findings.hits);
    free(groups.list);
    rows_free(&rows);
}

void report_rules(struct detect *d)
{
    static const char *const parts[] = {"harmful", "benign"};
    char names[16][128];
    if (!d->ruleset)
        return;
    printf(
        "\nThe shipped rules (%zu), %% of texts: with a hit that blocks (or answers) by default, "
        "else one that\nflags, and with personal data. Blocked harmful texts are recall, "
        "blocked benign ones false positives.\n",
        ruleset_count(d->ruleset));
    printf("%-26s %-9s %-32s %-18s %6s %8s %8s %8s\n", "file", "label", "category", "attack",
           "texts", "blocked", "flagged", "pii");
    for (int p = 0; p < 2; p++) {
        size_t count = list_files(d->folder, parts[p], names, 16);
        for (size_t i = 0; i < count; i++)
            report_file(d, parts[p], names[i]);
    }
}
