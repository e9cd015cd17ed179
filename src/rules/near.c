/* near/<any>.yaml: words that are harmful together, within so many characters. */
#include "rules/attribute.h"
#include "rules/written.h"

#include <errno.h>

#define AT(field)      .offset = offsetof(struct near, field)
#define SLOT_WORDS_MAX 256
#define WORDS_TOLD     3 /* of each slot, where the rule is shown in one line */

struct near {
    struct written written;
    unsigned within;
    bool ordered;
    struct span *see;
    size_t see_count;
};

struct near_file {
    struct near *rules;
    size_t count;
};

static void check_slots(struct reader *r, const struct schema_key *key,
                        const struct yaml_node *node, void *base)
{
    if (node->kind != YAML_LIST || node->count < 2 || node->count > MATCH_SLOTS_MAX) {
        reader_error(r, node->at, "'slots' must be a list of 2 to %d lists of words",
                     MATCH_SLOTS_MAX);
        return;
    }
    for (const struct yaml_node *slot = node->first; slot; slot = slot->next) {
        if (slot->kind != YAML_LIST || slot->count == 0 || slot->count > SLOT_WORDS_MAX) {
            reader_error(r, slot->at, "a slot must be a list of 1 to %d words", SLOT_WORDS_MAX);
            continue;
        }
        for (const struct yaml_node *word = slot->first; word; word = word->next)
            reader_text(r, word);
    }
}

static const struct schema_key keys_near[] = {
    WRITTEN_KEYS(struct near),
    {"within", SCHEMA_NUMBER, NULL, "folded characters, from the first to the last of all slots",
     AT(within), .min = 2, .max = MATCH_NEAR_MAX, .required = true},
    {"ordered", SCHEMA_BOOL, "false", "in the order of the slots", AT(ordered)},
    {"slots", SCHEMA_OTHER, NULL, "lists of words, one of each must occur", .read = check_slots,
     .required = true},
    {"see", SCHEMA_TEXTS, NULL, "layers that its words are seen through", AT(see),
     .offset2 = offsetof(struct near, see_count)},
    {NULL},
};

static const struct schema_key keys_file[] = {
    {"near", SCHEMA_LIST, NULL, "", .offset = offsetof(struct near_file, rules),
     .offset2 = offsetof(struct near_file, count), .keys = keys_near,
     .entry_size = sizeof(struct near), .required = true},
    {NULL},
};

/* A line for people: 怎么/如何/怎样/… + 制作/自制 + 炸弹 */
static struct span show_slots(struct loader *l, const struct yaml_node *slots)
{
    struct buf line = BUF_INIT(65536);
    int r = 0;
    for (const struct yaml_node *slot = slots->first; slot && r == 0; slot = slot->next) {
        if (slot != slots->first)
            r = buf_append(&line, SPAN_LIT(" + "));
        unsigned told = 0;
        for (const struct yaml_node *n = slot->first; n && told < WORDS_TOLD; n = n->next)
            r = r < 0 ? r : buf_printf(&line, "%s%.*s", told++ ? "/" : "", SPAN_ARG(n->text));
        if (r == 0 && slot->count > WORDS_TOLD)
            r = buf_append(&line, SPAN_LIT("/…"));
    }
    struct span kept = SPAN_LIT("");
    if (r == -ENOMEM)
        l->reader.memory_out = true;
    else
        kept = reader_keep(&l->reader, buf_span(&line));
    buf_deinit(&line);
    return kept;
}

static void add_words(struct loader *l, const struct yaml_node *slots, uint32_t near,
                      uint32_t asked)
{
    unsigned slot = 0;
    for (const struct yaml_node *s = slots->first; s; s = s->next, slot++) {
        for (const struct yaml_node *n = s->first; n; n = n->next) {
            int e = matchset_add_slot_word(l->builder, near, slot, n->text, asked);
            if (e < 0)
                l->reader.memory_out = true;
            else if (e)
                loader_refuse_word(l, n->at, n->text, e);
        }
    }
}

static void add_near(struct loader *l, const struct near *near, const struct yaml_node *node,
                     struct span file)
{
    const struct yaml_node *slots = yaml_get(node, SPAN_LIT("slots"));
    unsigned errors = l->report->errors;
    struct rule rule;
    bool good = written_rule(l, &near->written, node, file, &rule);
    if (rule.action == ACTION_MASK)
        loader_error(l, yaml_get(node, SPAN_LIT("action"))->at,
                     "near rules never mask, for what is between their words is not theirs: flag, "
                     "answer or block");
    if (near->see_count)
        for (const struct yaml_node *n = yaml_get(node, SPAN_LIT("see"))->first; n; n = n->next)
            attribute_layer(l, n->at, n->text, &rule.asked);
    if (!good || l->report->errors != errors)
        return;
    rule.source = show_slots(l, slots);
    rule.kind = RULE_NEAR;
    uint32_t index = loader_add_rule(l, &rule), number;
    if (index == UINT32_MAX)
        return;
    struct match_near match = {
        .slots = (unsigned)slots->count, .within = near->within, .ordered = near->ordered};
    if (matchset_add_near(l->builder, &match, index, rule.direction, &number) < 0)
        l->reader.memory_out = true;
    else
        add_words(l, slots, number, rule.asked);
    written_samples(l, index, node);
}

void near_read(struct loader *l, struct span text, struct span file)
{
    struct yaml_doc *doc = loader_yaml(l, text, file);
    struct near_file f = {0};
    if (doc && loader_map(l, keys_file, yaml_root(doc), &f)) {
        const struct yaml_node *n = yaml_get(yaml_root(doc), SPAN_LIT("near"))->first;
        for (size_t i = 0; i < f.count; i++, n = n->next)
            add_near(l, &f.rules[i], n, file);
    }
    yaml_free(doc);
}
